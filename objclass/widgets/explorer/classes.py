"""Classes of objects from clicked examples, with undo and a classifier."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from objclass._common import checks
from objclass._common.notices import collect
from objclass.plots.colors import check_color, class_color
from objclass.tables.classification import CLASS_COLUMN, TableLearner, suggest_objects
from objclass.tables.columns import key_columns
from objclass.widgets.history import History
from objclass.widgets.replay import call

if TYPE_CHECKING:
    import pandas as pd

    from objclass.tables.table_classifier import TableClassifier

MOST_CLASSES = 9
CERTAIN = 0.6
_HISTORY = 500


@dataclass(frozen=True)
class ClassState:
    """A state: names and colours of classes by number, and the class of each example by label."""

    names: Mapping[int, str] = field(default_factory=dict)
    colors: Mapping[int, str] = field(default_factory=dict)
    examples: Mapping[int, int] = field(default_factory=dict)


class ClassExamples:
    """The classes and examples of a user, with history, and their classifier.

    Parameters
    ----------
    key : callable
        Returns what names an object in the table, of the number by which it is known here.

    Attributes
    ----------
    history : History of ClassState
    classifier : TableClassifier or None
        The last trained classifier; None if fewer than two classes have examples.
    results : DataFrame or None
        ``CLASS``, ``CLASS_PROBABILITY`` and the probability of each class, row by row of the table.
    absent : set of int
        Labels of objects that an edit has removed: their examples count for nothing, until it is undone.
    """

    def __init__(self, key: Callable[[int], Any] = lambda label: label) -> None:
        self._key = key
        self.history = History(ClassState())
        self.classifier: TableClassifier | None = None
        self.results: pd.DataFrame | None = None
        self.absent: set[int] = set()
        self._learner: TableLearner | None = None

    @property
    def state(self) -> ClassState:
        """The present state."""
        return self.history.now

    def add_class(self, name: str = "") -> int:
        """Add a class and return its number."""
        number = next((n for n in range(1, MOST_CLASSES + 1) if n not in self.state.names), None)
        if number is None:
            raise checks.invalid("classes", f"at most {MOST_CLASSES}", MOST_CLASSES + 1, "Remove one first.")
        names = dict(sorted({**self.state.names, number: name or f"class {number}"}.items()))
        self._change(names=names, colors={**self.state.colors, number: class_color(number)})
        return number

    def remove_class(self, number: int) -> None:
        """Remove a class and its examples."""
        self._require(number)
        state = self.state
        self._change(
            names={n: name for n, name in state.names.items() if n != number},
            examples={label: n for label, n in state.examples.items() if n != number},
        )

    def rename(self, number: int, name: str) -> None:
        """Rename a class; names must be unique."""
        self._require(number)
        name = name.strip()[:80]
        if not name or name in [other for n, other in self.state.names.items() if n != number]:
            raise checks.invalid("name", "a name that no other class has", name)
        self._change(names={**self.state.names, number: name})

    def recolor(self, number: int, color: str) -> None:
        """Show a class in ``#rrggbb``."""
        self._require(number)
        self._change(colors={**self.state.colors, number: check_color(color)})

    def give(self, labels: Iterable[int], number: int, *, take_back: bool = False) -> None:
        """Add or remove examples of a class; a single existing example is removed."""
        labels = [int(label) for label in labels]
        examples = dict(self.state.examples)
        again = len(labels) == 1 and examples.get(labels[0]) == number
        if take_back or again:
            for label in labels:
                examples.pop(label, None)
        else:
            self._require(number)
            examples |= dict.fromkeys(labels, number)
        if examples != self.state.examples:
            self._change(examples=examples)

    def named(self) -> dict[int, str]:
        """Return the class name of each example, by what names it in the table."""
        examples = sorted(self.examples().items())
        return {self._key(label): self.state.names[number] for label, number in examples}

    def examples(self) -> dict[int, int]:
        """Return the class of each example that is there, by label."""
        return {label: n for label, n in self.state.examples.items() if label not in self.absent}

    def learn(
        self, table: pd.DataFrame, examples: dict[int, str], colors: dict[str, str]
    ) -> tuple[TableClassifier | None, pd.DataFrame | None]:
        """Return what the examples teach, and what it says of all objects: `classifier` and `results`.

        The examples are `named`, and the colors `named_colors`, of one state: it may change meanwhile.
        """
        if len(set(examples.values())) < 2:
            return None, None
        with collect():  # single examples and gaps are seen in the panel
            if self._learner is None or self._learner.table is not table:
                self._learner = TableLearner(table)
            classifier = self._learner.train(examples, colors=colors)
            return classifier, self._learner.classify(classifier)

    def suggest(self, table: pd.DataFrame) -> Any:
        """Return the key of the suggested object; None if there is no classifier."""
        if self.classifier is None:
            return None
        with collect():
            found = suggest_objects(table, self.classifier, 1)
        return next(found[key_columns(table)].itertuples(index=False, name=None), None)

    def predicted(self, row_labels: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return the example class (0: none), the predicted class and whether it is certain, for each row."""
        given = np.zeros(len(row_labels), np.int32)
        examples = self.examples()
        labels = np.array(list(examples), np.int64)
        order = np.argsort(row_labels)
        places = np.searchsorted(row_labels[order], labels)
        given[order[places]] = list(examples.values())
        if self.results is None or len(self.results) != len(row_labels):
            return given, given, np.ones(len(given), np.uint8)
        numbers = {name: number for number, name in self.state.names.items()}
        found = self.results[CLASS_COLUMN].map(numbers).astype("float64").fillna(0).to_numpy(np.int32)
        probability = self.results["CLASS_PROBABILITY"].to_numpy(np.float64, na_value=0)
        certain = (given > 0) | (probability >= CERTAIN)
        return given, np.where(given > 0, given, found), certain.astype(np.uint8)

    def code(self) -> list[str]:
        """Return the code that trains and predicts the same."""
        if self.classifier is None:
            return []
        keywords = {"colors": self.named_colors()}
        train = call("objclass.train_table_classifier", "table", repr(self.named()), keywords=keywords)
        return [f"classifier = {train}", "table = objclass.classify(table, classifier)"]

    def to_json(self) -> dict[str, Any]:
        """Return classes and examples, JSON-serializable."""
        state = self.state
        classes = [{"number": n, "name": name, "color": state.colors[n]} for n, name in state.names.items()]
        return {"list": classes, "examples": {str(label): n for label, n in state.examples.items()}}

    def restore(self, stored: Mapping[str, Any], known: Mapping[int, int]) -> None:
        """Restore the content of `to_json`; `known` maps stored object numbers to current ones."""
        names = {int(item["number"]): str(item["name"]) for item in stored["list"]}
        colors = {int(item["number"]): str(item["color"]) for item in stored["list"]}
        stored_examples = {int(label): int(n) for label, n in stored["examples"].items()}
        examples = {known[label]: n for label, n in stored_examples.items() if label in known}
        self.history = History(ClassState(names, colors, examples))

    def named_colors(self) -> dict[str, str]:
        """Return the color of each class that has examples."""
        used = set(self.state.examples.values())
        return {name: self.state.colors[n] for n, name in self.state.names.items() if n in used}

    def _require(self, number: int) -> None:
        if number not in self.state.names:
            known = ", ".join(map(str, self.state.names)) or "(none yet)"
            raise checks.invalid("class", f"one of {known}", number)

    def _change(self, **changes: Any) -> None:
        self.history.add(replace(self.state, **changes))
        del self.history.done[: -_HISTORY - 1]
