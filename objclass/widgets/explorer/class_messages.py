"""The mode "Classes" of the explorer: messages about classes and their examples; see `Explorer`."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import traitlets

from objclass._common import checks
from objclass.tables.classification import CLASS_COLUMN, cross_validate, train_table_classifier
from objclass.tables.columns import key_columns
from objclass.tables.selection import GROUP_COLUMN
from objclass.widgets.latest import Latest
from objclass.widgets.replay import Step, call

if TYPE_CHECKING:
    import pandas as pd

    from objclass.tables.table_classifier import TableClassifier
    from objclass.widgets.background import Worker
    from objclass.widgets.explorer.object_table import ObjectTable

_MOST_COLUMNS = 6
_TELLING = ("column", "importance", "std", "correlated_with")
CLASS_ENTRY = {
    "name": CLASS_COLUMN,
    "kind": "category",
    "unit": "",
    "categories": [],
    "missing": 0,
    "version": 0,
}


def _most_telling(importances: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the first columns of `TableClassifier.feature_importances`, as far as they matter."""
    found = importances[importances["importance"] > 0].head(_MOST_COLUMNS)
    return [
        {"column": str(name), "importance": float(mean), "std": float(std), "like": str(like)}
        for name, mean, std, like in zip(*(found[column].tolist() for column in _TELLING), strict=True)
    ]


class ClassesMixin(traitlets.HasTraits):
    """Examples by clicks, a classifier trained after each of them, and suggestions of objects."""

    giving = traitlets.Int(
        0, min=0, max=9, help="the class assigned by a click; 0 if clicks mark objects"
    ).tag(sync=True)
    _classes = traitlets.Dict(help="classes, examples and predictions").tag(sync=True)

    objects: ObjectTable
    _mark: Callable[[int], None]
    color: str
    send: Any
    _lock: threading.RLock
    _describe_columns: Callable[[], None]
    _show_failure: Callable[[Exception], None]
    _send_groups: Callable[[], None]

    @property
    def classifier(self) -> TableClassifier | None:
        """The classifier trained on the examples; None if fewer than two classes have examples."""
        return self.objects.classes.classifier

    def _start_classes(self) -> None:
        self._learner = Latest(lambda _kind, failure: self._show_failure(failure))
        self._judged: dict[str, Any] = {}
        self._send_classes()

    def _send_classes(self) -> None:
        classes, rows = self.objects.classes, self.objects.rows
        given, predicted, certain = (part[rows] for part in classes.predicted(self.objects.row_labels))
        shown, sizes = np.bincount(given, minlength=10), np.bincount(predicted, minlength=10)
        state = classes.state
        self._classes = {
            "list": [
                {
                    "number": number,
                    "name": name,
                    "color": state.colors[number],
                    "examples": int(shown[number]),
                    "count": int(sizes[number]),
                }
                for number, name in state.names.items()
            ],
            "examples": given.astype("<i4").tobytes(),
            "predicted": predicted.astype("<i4").tobytes(),
            "certain": certain.tobytes(),
            "learnt": classes.classifier is not None,
            "uncertain": int(np.count_nonzero((certain == 0) & (predicted > 0))),
            "undo": classes.can_undo,
            "redo": classes.can_redo,
            "judged": self._judged,
        }

    def _learn_classes(self) -> None:
        """Show the examples immediately, and predictions after training."""

        def learn() -> None:
            self.objects.learn(self._lock)
            with self._lock:
                self._send_classes()

        self._judged = {}
        self._send_classes()
        self._learner.submit("learn", learn)

    def _on_class(self, content: Mapping[str, Any], _buffers: Sequence[Any]) -> None:
        """Handle an ``action``: begin, give examples, undo, redo, add, remove, rename or recolour."""
        classes = self.objects.classes
        number = int(content.get("number", 0))
        actions: dict[str, Callable[[], Any]] = {
            "start": self._begin_classes,
            "give": lambda: classes.give(self._known(content["labels"]), number),
            "take_back": lambda: classes.give(self._known(content["labels"]), 0, take_back=True),
            "undo": classes.undo,
            "redo": classes.redo,
            "add": lambda: setattr(self, "giving", classes.add_class()),
            "remove": lambda: self._remove_class(number),
            "rename": lambda: classes.rename(number, str(content["name"])),
            "recolor": lambda: classes.recolor(number, str(content["color"])),
            "from_groups": self._groups_to_examples,
            "to_groups": self._classes_to_groups,
        }
        with self._lock:
            try:
                actions[checks.check_option("action", content.get("action"), actions)]()
            finally:
                self._learn_classes()

    def _known(self, labels: Sequence[Any]) -> list[int]:
        wanted = np.asarray(labels, np.int64)
        return wanted[np.isin(wanted, self.objects.row_labels)].tolist()

    def _begin_classes(self) -> None:
        classes = self.objects.classes
        while len(classes.state.names) < 2:
            classes.add_class()
        self._describe_columns()
        self._send_classes()
        self.giving = next(iter(classes.state.names))
        self.color = CLASS_COLUMN

    def _remove_class(self, number: int) -> None:
        classes = self.objects.classes
        classes.remove_class(number)
        if number == self.giving:
            self.giving = next(iter(classes.state.names), 0)

    def _groups_to_examples(self) -> None:
        """Convert each group to examples of a class."""
        classes, groups = self.objects.classes, self.objects.groups
        for group in groups.sizes():
            name = groups.state.names.get(group, "") or f"group {group}"
            numbers = {known: number for number, known in classes.state.names.items()}
            empty = [n for n in classes.state.names if n not in classes.state.examples.values()]
            if name in numbers:
                number = numbers[name]
            elif empty:
                number = empty[0]
                classes.rename(number, name)
            else:
                number = classes.add_class(name)
            members = self.objects.row_labels[groups.numbers == group].tolist()
            classes.give([label for label in members if classes.state.examples.get(label) != number], number)

    def _classes_to_groups(self) -> None:
        """Convert each class, examples and predicted objects, to a group."""
        _, predicted, _ = self.objects.classes.predicted(self.objects.row_labels)
        for place, number in enumerate(self.objects.classes.state.names):
            chosen = predicted == number
            objects = self.objects.row_labels[chosen].tolist()
            mode = "replace" if place == 0 else "add"
            keywords = {"objects": objects, "group": number, "mode": mode}
            code = f"table = {call('objclass.select', 'table', keywords=keywords)}"
            self.objects.groups.choose(
                chosen, group=number, mode=mode, step=Step(code, starts_anew=place == 0)
            )
            if chosen.any():
                self.objects.groups.rename(number, self.objects.classes.state.names[number])
                self.objects.groups.recolor(number, self.objects.classes.state.colors[number])
        self.color = GROUP_COLUMN
        self._send_groups()

    def _on_suggest(self, _content: Mapping[str, Any], _buffers: Sequence[Any]) -> None:
        """Mark the suggested object."""

        def suggest() -> None:
            found = self.objects.classes.suggest(self.objects.measured)
            if found is None:
                raise checks.invalid("examples", "examples of at least two classes", "fewer")
            self._mark(self.objects.number_of(found))

        self._learner.submit("suggest", suggest)

    def _on_judge(self, _content: Mapping[str, Any], _buffers: Sequence[Any]) -> None:
        """Cross-validate the examples in the background."""
        table, named = self.objects.measured, self.objects.classes.named()

        def judge(_progress: Any) -> Any:
            classifier = train_table_classifier(table, named)
            enough = min(classifier.counts.values()) > 1
            return cross_validate(table, named), classifier.feature_importances() if enough else None

        def finish(result: Any) -> None:
            found, importances = result
            if named != self.objects.classes.named():
                return  # it says nothing of the examples that there are now
            confusion = found.confusion
            cells = found.predictions
            keys = cells[key_columns(cells)].itertuples(index=False, name=None)
            numbers = np.array([self.objects.number_of(key) for key in keys])
            self._judged = {
                "accuracy": float(found.balanced_accuracy),
                "spread": float(found.spread),
                "classes": [str(name) for name in confusion.index],
                "confusion": confusion.to_numpy().tolist(),
                "objects": [
                    [
                        numbers[(cells[CLASS_COLUMN] == row) & (cells["predicted"] == column)].tolist()[:500]
                        for column in confusion.columns
                    ]
                    for row in confusion.index
                ],
                "notes": list(found.notes),
                "telling": [] if importances is None else _most_telling(importances),
            }
            self._send_classes()

        worker: Worker = self._worker  # type: ignore[attr-defined]
        worker.start("Cross-validating the classes", judge, finish)

    def _mark_in_3d(self, label: int) -> None:
        """Handle a click in 3D: mark the object, and assign the current class."""
        self._mark(label)
        if self.giving:
            self._on_class({"action": "give", "labels": [label], "number": self.giving}, [])
