"""A table of objects beside its label image, joined by label: rows, groups, added columns, and the code."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from objclass._common import checks
from objclass.tables.columns import check_table
from objclass.tables.selection import GROUP_COLUMN, column_values, inside_polygon, inside_range, pick_objects
from objclass.widgets.boxes import object_boxes
from objclass.widgets.explorer.classes import ClassExamples
from objclass.widgets.explorer.groups import Groups
from objclass.widgets.explorer.state_file import column_from_json, column_to_json, table_digest
from objclass.widgets.replay import Code, Step, arrange, call, steps_from_json, steps_to_json

if TYPE_CHECKING:
    import pandas as pd

MOST_SHOWN = 500_000
_MOST_CORNERS = 10_000
_LARGEST_DENSE = 1 << 26


class ObjectTable:
    """What an explorer knows of its objects; no traits, no browser.

    Parameters
    ----------
    table : pandas.DataFrame
        With a column ``label``; never changed.
    labels : (z, y, x) or (y, x) array of int
    opening : sequence of str
        Lines of code that make the table.

    Attributes
    ----------
    groups : Groups
    rows : ndarray of int
        The places of the rows that the browser has: all, or a sample of a very long table.
    slot_labels : ndarray of int64
        Label numbers by slot, from slot 1 on: those of `rows` first, then those without a row there. The
        browser knows an object by its slot, so that gaps in the numbers cost nothing.
    """

    def __init__(self, table: pd.DataFrame, labels: np.ndarray, *, opening: Sequence[str] = ()):
        check_objects(table)
        self.labels = labels
        self.row_labels = table["label"].to_numpy().astype(np.int64)
        before = np.zeros(len(table), np.int64)
        self.opening = list(opening)
        if GROUP_COLUMN in table:
            before = column_values(table, "table", GROUP_COLUMN)
            before = np.nan_to_num(before, nan=0).astype(np.int64)
        else:
            self.opening.append(f"table = {call('objclass.select', 'table', keywords={'objects': []})}")
        self._table = self._given = table.assign(**{GROUP_COLUMN: before})
        self.groups = Groups(before)
        self.classes = ClassExamples()
        self._tables = 0
        self._steps: list[Step] = []
        present = present_labels(labels)
        self.unmeasured = np.setdiff1d(present, self.row_labels, assume_unique=True)
        self.absent = np.setdiff1d(self.row_labels, present, assume_unique=True)
        self.show_rows(MOST_SHOWN)

    @property
    def table(self) -> pd.DataFrame:
        """A new table with the present groups."""
        return self._with_classes(self.measured)

    @property
    def measured(self) -> pd.DataFrame:
        """A new table with the present groups, but without the classes learnt from examples."""
        return self._table.assign(**{GROUP_COLUMN: self.groups.numbers})

    def _with_classes(self, table: pd.DataFrame, rows: slice | np.ndarray = slice(None)) -> pd.DataFrame:
        results = self.classes.results
        if results is None or len(results) != len(self):
            return table
        import pandas as pd

        new = results.iloc[rows].set_axis(table.index)
        return pd.concat([table.drop(columns=list(results), errors="ignore"), new], axis=1)

    def learn(self) -> None:
        """Learn the classes from the examples, and predict all objects."""
        self.classes.learn(self.measured)
        self._tables += 1

    @property
    def version(self) -> tuple[int, int]:
        """What differs whenever `table` does."""
        return self._tables, self.groups.version

    def __len__(self) -> int:
        return len(self.row_labels)

    def show_rows(self, most: int | None) -> None:
        """Let the browser have all rows, or a random sample of at most that many, the same every time."""
        count = len(self)
        self.rows = np.arange(count)
        if most is not None and count > most:
            self.rows = np.sort(np.random.default_rng(0).choice(count, most, replace=False))
        others = np.ones(count, bool)
        others[self.rows] = False
        self.slot_labels = np.concatenate(
            [self.row_labels[self.rows], self.row_labels[others], self.unmeasured]
        )
        self.__dict__.pop("_slots", None)

    @functools.cached_property
    def _slots(self) -> tuple[np.ndarray, np.ndarray | None]:
        numbers = np.arange(1, len(self.slot_labels) + 1, dtype=np.int32)
        most = int(self.slot_labels.max(initial=0))
        if most < _LARGEST_DENSE:
            dense = np.zeros(most + 1, np.int32)
            dense[self.slot_labels] = numbers
            return dense, None
        order = np.argsort(self.slot_labels)
        return numbers[order], self.slot_labels[order]

    def slot_plane(self, axis: int, index: int) -> np.ndarray:
        """Return a plane of the label image with slots in place of the label numbers."""
        volume = self.labels if self.labels.ndim == 3 else self.labels[np.newaxis]
        plane = np.take(volume, index, axis=axis)
        slots, ordered = self._slots
        if ordered is None:
            return slots[plane]
        return np.where(plane > 0, slots[np.searchsorted(ordered, plane).clip(max=len(ordered) - 1)], 0)

    @functools.cached_property
    def boxes(self) -> dict[int, tuple[slice, ...]]:
        """The bounding box (z, y, x) of every object of the image, by label; found once, in one pass."""
        volume = self.labels if self.labels.ndim == 3 else self.labels[np.newaxis]
        found = object_boxes(volume, self.slot_labels)
        return {
            label: box for label, box in zip(self.slot_labels.tolist(), found, strict=True) if box is not None
        }

    def find(self, label: int) -> tuple[int, int, int] | None:
        """Return a voxel (z, y, x) of an object, in the z plane that shows most of it."""
        box = self.boxes.get(label)
        if box is None:
            return None
        volume = self.labels if self.labels.ndim == 3 else self.labels[np.newaxis]
        inside = volume[box] == label
        best = int(inside.sum(axis=(1, 2)).argmax())
        rows, columns = np.nonzero(inside[best])
        nearest = np.hypot(rows - rows.mean(), columns - columns.mean()).argmin()
        z, y, x = (part.start for part in box)
        return z + best, y + int(rows[nearest]), x + int(columns[nearest])

    def row(self, label: int) -> dict[str, Any]:
        """Return the values of one object, by column; empty where it has no row."""
        places = np.flatnonzero(self.row_labels == label)
        part = self.part(places)
        return {str(name): part[name].iloc[0] for name in part} if places.size else {}

    def part(self, rows: np.ndarray) -> pd.DataFrame:
        """Return some rows of `table`, without making all of it."""
        part = self._table.iloc[rows].assign(**{GROUP_COLUMN: self.groups.numbers[rows]})
        return self._with_classes(part, rows)

    def select(self, gesture: Mapping[str, Any]) -> None:
        """Do what a gesture in the browser asks for; see ``objectGesture`` in ``explorer.js``.

        ``mode`` is one of those of `Groups.target`; ``shape`` is "polygon" or "range" (with ``x``, ``y``,
        ``log`` and ``points``), "plane" (``points`` as (row, column) in the plane ``axis``, ``index``), or
        "objects" (``objects``, label numbers).
        """
        shape = checks.check_option("shape", gesture.get("shape"), ("polygon", "range", "plane", "objects"))
        if len(gesture.get("points", ())) > _MOST_CORNERS:
            raise checks.invalid("points", f"at most {_MOST_CORNERS:,} corners", len(gesture["points"]))
        group, mode = self.groups.target(gesture.get("mode", "replace"))
        first, keywords = [], {}
        if shape in ("polygon", "range"):
            x = column_values(self._table, "x", gesture["x"])
            first.append(repr(gesture["x"]))
        if shape == "polygon":
            y = column_values(self._table, "y", gesture["y"])
            first.append(repr(gesture["y"]))
            keywords = {"polygon": gesture["points"]} | (
                {"log": gesture["log"]} if gesture.get("log") else {}
            )
            chosen = inside_polygon(x, y, gesture["points"], log=gesture.get("log", ""))
        elif shape == "range":
            keywords = {"within": tuple(gesture["points"])}
            chosen = inside_range(x, gesture["points"])
        elif shape == "plane":
            place = {"axis": int(gesture["axis"]), "index": int(gesture["index"])}
            picked = call("objclass.pick_objects", "labels", keywords={"polygon": gesture["points"], **place})
            keywords = {"objects": Code(picked)}
            chosen = np.isin(self.row_labels, pick_objects(self.labels, gesture["points"], **place))
        else:
            objects = [int(label) for label in gesture["objects"]]
            keywords = {"objects": objects}
            chosen = np.isin(self.row_labels, objects)
        if shape != "objects" and not chosen.any():
            return  # a stray drag: it means no object, and least of all that the groups should go
        if mode == "add":
            keywords["group"] = group
        if mode != "replace":
            keywords["mode"] = mode
        code = call("objclass.select", "table", *first, keywords=keywords)
        step = Step(f"table = {code}", starts_anew=mode == "replace")
        self.groups.choose(chosen, group=group, mode=mode, step=step)

    def merge_group(self, group: int, into: int) -> None:
        """Put the objects of a group into another, or into none with 0."""
        column = f'table["{GROUP_COLUMN}"]'
        self.groups.merge(group, into, step=Step(f"{column} = {column}.replace({group}, {into})"))

    def clear_groups(self) -> None:
        """Select nothing."""
        self.select({"shape": "objects", "objects": [], "mode": "replace"})

    def take(self, result: pd.DataFrame, code: str) -> None:
        """Go on with `result`, what a function has made of `table`; `code` is the line that calls it."""
        self._table = result
        self._tables += 1
        self._steps.append(Step(code))

    def to_json(self) -> dict[str, Any]:
        """Return what was done to the table as JSON can hold it: groups, columns added, and the steps."""
        given, table = self._given, self._table
        changed = [name for name in table if name not in given or not table[name].equals(given[name])]
        return {
            "digest": self.digest,
            "groups": self.groups.state_to_json(self.row_labels),
            "classes": self.classes.to_json(),
            "columns": {str(name): column_to_json(table[name]) for name in changed if name != GROUP_COLUMN},
            "dropped": [str(name) for name in given if name not in table],
            "steps": steps_to_json(self._steps, self.groups.steps),
        }

    def restore(self, stored: Mapping[str, Any]) -> bool:
        """Go on from what `to_json` has stored; False where the table's own numbers are other ones.

        Groups go by the label. What was computed from the table stays only where the table is the same.
        """
        steps, choices = steps_from_json(stored["steps"])
        self.groups.restore(stored["groups"], self.row_labels, choices)
        self.classes.restore(stored["classes"], self.row_labels)
        if stored["digest"] != self.digest:
            return not stored["columns"]
        columns = {name: column_from_json(column) for name, column in stored["columns"].items()}
        gone = [name for name in self._table if name in columns or name in stored["dropped"]]
        table = self._table.drop(columns=gone)
        self._table = table.assign(**{name: column.set_axis(table.index) for name, column in columns.items()})
        self._steps = steps
        self._tables += 1
        return True

    @functools.cached_property
    def digest(self) -> str:
        """What tells the table that the explorer was opened with from another."""
        return table_digest(self._given)

    def code(self) -> str:
        """Return the Python code that makes `table` again."""
        lines = [*self.opening, *arrange(self._steps, self.groups.steps), *self.classes.code()]
        return "\n".join(["import objclass", "", *lines])


def present_labels(labels: np.ndarray) -> np.ndarray:
    """Return the numbers of the objects in a label image, ascending."""
    most = int(labels.max(initial=0))
    if most >= _LARGEST_DENSE:
        found = np.unique(labels)
        return found[found > 0].astype(np.int64)
    seen = np.zeros(most + 1, bool)
    for plane in labels:
        seen[plane] = True
    seen[0] = False
    return np.flatnonzero(seen)


def check_objects(table: pd.DataFrame) -> pd.DataFrame:
    """Return `table` if it can be joined by label: one row an object of one image, numbers from 1 on."""
    check_table(table)
    labels = table["label"]
    twice = labels[labels.duplicated()].unique()
    if twice.size:
        shown = ", ".join(map(str, twice[:5])) + (", …" if twice.size > 5 else "")
        hint = "Take the rows of one image, as in table[table['image'] == name]."
        raise checks.invalid("table", "one row for each label", f"several for {shown}", hint)
    if (labels < 1).any():
        raise checks.invalid("table", "label numbers of 1 and above", f"a label {labels.min()}")
    return table
