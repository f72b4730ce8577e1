"""The mode "Classes" of the explorer: examples by clicks, a classifier, and suggestions of objects."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from objclass._common import checks
from objclass._common.notices import collect
from objclass.tables.classification import CLASS_COLUMN, cross_validate, train_table_classifier
from objclass.tables.columns import key_columns
from objclass.tables.selection import GROUP_COLUMN
from objclass.widgets.background import Latest, Worker
from objclass.widgets.explorer.page import Page
from objclass.widgets.explorer.protocol import Classes, Judgement

if TYPE_CHECKING:
    import pandas as pd

    from objclass.tables.classification import TableValidation

_MOST_COLUMNS = 6
_MOST_OBJECTS = 500  # of each cell of a confusion matrix


class ClassMode:
    """Examples, a classifier trained after each of them, and its cross-validation by `worker`."""

    def __init__(self, page: Page, worker: Worker, on_failure: Callable[[Exception], None]):
        self._page, self._worker = page, worker
        self._objects, self._classes = page.objects, page.objects.classes
        self._learner = Latest(on_failure)
        self._judged: Judgement = {}
        self._learning = False
        self.handlers = {"class": self._change, "judge": self._judge, "suggest": self._suggest}
        self.show()

    def join(self, timeout: float | None = None) -> None:
        """Wait until all examples are learnt."""
        self._learner.join(timeout)

    def show(self) -> None:
        """Show classes, examples and predictions as they are now."""
        classes, state, rows = self._classes, self._classes.state, self._objects.rows
        given, predicted, certain = (part[rows] for part in classes.predicted(self._objects.row_labels))
        n_examples, sizes = np.bincount(given, minlength=10), np.bincount(predicted, minlength=10)
        shown: Classes = {
            "list": [
                {
                    "number": number,
                    "name": name,
                    "color": state.colors[number],
                    "examples": int(n_examples[number]),
                    "count": int(sizes[number]),
                }
                for number, name in state.names.items()
            ],
            "examples": given.astype("<i4").tobytes(),
            "predicted": predicted.astype("<i4").tobytes(),
            "certain": certain.tobytes(),
            "learnt": classes.classifier is not None,
            "learning": self._learning,
            "uncertain": int(np.count_nonzero((certain == 0) & (predicted > 0))),
            "undo": classes.history.can_undo,
            "redo": classes.history.can_redo,
            "judged": self._judged,
        }
        self._page.widget.set_trait("_classes", shown)

    def learn(self) -> None:
        """Show the examples immediately, and predictions after training."""

        def learn() -> None:
            try:
                self._objects.learn(self._page.lock)
            finally:
                with self._page.lock:
                    self._learning = self._learner.waits("learn")
                    self.show()

        with self._page.lock:
            self._judged, self._learning = {}, True
            self.show()
            self._learner.submit("learn", learn)

    def click(self, number: int) -> None:
        """Mark an object, and give it the class that clicks assign."""
        self._page.mark(number)
        if giving := self._page.widget.giving:
            self._change({"action": "give", "labels": [number], "number": giving})

    def _change(self, content: Mapping[str, Any]) -> None:
        """Handle an ``action``: begin, give examples, undo, redo, add, remove, rename or recolour."""
        classes = self._classes
        number = int(content.get("number", 0))
        actions: dict[str, Callable[[], object]] = {
            "start": self._begin,
            "give": lambda: classes.give(self._known(content["labels"]), number),
            "take_back": lambda: classes.give(self._known(content["labels"]), 0, take_back=True),
            "undo": classes.history.undo,
            "redo": classes.history.redo,
            "add": lambda: setattr(self._page.widget, "giving", classes.add_class()),
            "remove": lambda: self._remove(number),
            "rename": lambda: classes.rename(number, str(content["name"])),
            "recolor": lambda: classes.recolor(number, str(content["color"])),
            "from_groups": self._groups_to_examples,
            "to_groups": self._classes_to_groups,
        }
        with self._page.lock:
            try:
                actions[checks.check_option("action", content.get("action"), actions)]()
            finally:
                self.learn()

    def _known(self, labels: Sequence[Any]) -> list[int]:
        wanted = np.asarray(labels, np.int64)
        return wanted[np.isin(wanted, self._objects.row_labels)].tolist()

    def _begin(self) -> None:
        while len(self._classes.state.names) < 2:
            self._classes.add_class()
        self._page.show_columns()
        self.show()
        self._page.widget.giving = next(iter(self._classes.state.names))
        self._page.widget.color = CLASS_COLUMN

    def _remove(self, number: int) -> None:
        self._classes.remove_class(number)
        if number == self._page.widget.giving:
            self._page.widget.giving = next(iter(self._classes.state.names), 0)

    def _groups_to_examples(self) -> None:
        """Convert each group to examples of a class."""
        classes, groups = self._classes, self._objects.groups
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
            members = self._objects.row_labels[groups.numbers == group].tolist()
            classes.give([label for label in members if classes.state.examples.get(label) != number], number)

    def _classes_to_groups(self) -> None:
        """Convert each class, examples and predicted objects, to a group."""
        objects, state = self._objects, self._classes.state
        _, predicted, _ = self._classes.predicted(objects.row_labels)
        for place, (number, name) in enumerate(state.names.items()):
            chosen = predicted == number
            members = objects.row_labels[chosen].tolist()
            color = state.colors[number]
            objects.make_group(number, chosen, members, name=name, color=color, starts_anew=not place)
        self._page.widget.color = GROUP_COLUMN
        self._page.show_groups()

    def _suggest(self, _content: Mapping[str, Any]) -> None:
        """Mark the suggested object."""

        def suggest() -> None:
            found = self._classes.suggest(self._objects.measured)
            if found is None:
                raise checks.invalid("examples", "examples of at least two classes", "fewer")
            self._page.mark(self._objects.number_of(found))

        self._learner.submit("suggest", suggest)

    def _judge(self, _content: Mapping[str, Any]) -> None:
        """Cross-validate the examples in the background."""
        table, named = self._objects.measured, self._classes.named()

        def judge(_progress: Any) -> Any:
            with collect() as notes:
                classifier = train_table_classifier(table, named)
                enough = min(classifier.counts.values()) > 1
                found = cross_validate(table, named)
                return found, classifier.feature_importances() if enough else None, notes

        def finish(result: Any) -> None:
            if named == self._classes.named():  # else it says nothing of the examples that there are now
                self._judged = self._judgement(*result)
                self.show()

        self._worker.start("Cross-validating the classes", judge, finish)

    def _judgement(
        self, found: TableValidation, importances: pd.DataFrame | None, notes: Sequence[str]
    ) -> Judgement:
        """Return what a cross-validation has found for the browser, with the objects of each of its cells."""
        names, cells = list(found.confusion.index), found.predictions
        keys = cells[key_columns(cells)].itertuples(index=False, name=None)
        numbers = np.array([self._objects.number_of(key) for key in keys])

        def objects(given: Any, predicted: Any) -> list[int]:
            here = (cells[CLASS_COLUMN] == given) & (cells["predicted"] == predicted)
            return numbers[here].tolist()[:_MOST_OBJECTS]

        return {
            "accuracy": float(found.balanced_accuracy),
            "spread": float(found.spread),
            "classes": list(map(str, names)),
            "confusion": found.confusion.to_numpy().tolist(),
            "objects": [[objects(given, predicted) for predicted in names] for given in names],
            "notes": [*notes, *found.notes],
            "importances": [] if importances is None else _most_important(importances),
        }


def _most_important(importances: pd.DataFrame) -> list[dict[Any, Any]]:
    """Return the first columns of `TableClassifier.feature_importances`, as far as they matter."""
    found = importances[importances["importance"] > 0].head(_MOST_COLUMNS)
    found = found.rename(columns={"correlated_with": "like"})[["column", "importance", "std", "like"]]
    return found.astype({"column": str, "like": str}).to_dict("records")
