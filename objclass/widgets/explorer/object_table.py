"""A table of objects with its label image, joined by label: rows, groups, added columns and code."""

from __future__ import annotations

import functools
import threading
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from objclass._common import checks
from objclass.objects.runlength import Runs
from objclass.tables.classification import is_result
from objclass.tables.columns import check_table, key_columns
from objclass.tables.conditions import parse_condition
from objclass.tables.selection import GROUP_COLUMN, column_values, inside_polygon, inside_range, pick_objects
from objclass.widgets.explorer.category_names import CategoryNames
from objclass.widgets.explorer.classes import ClassExamples
from objclass.widgets.explorer.editing import ObjectEdits
from objclass.widgets.explorer.groups import Groups
from objclass.widgets.explorer.state_file import changes_from_json, changes_to_json, table_digest
from objclass.widgets.label_images import LabelImages, check_objects
from objclass.widgets.replay import Code, Step, arrange, call, steps_from_json, steps_to_json

if TYPE_CHECKING:
    import pandas as pd

MOST_SHOWN = 500_000
_MOST_CORNERS = 10_000
_Choice = tuple[np.ndarray, dict[str, Any]]
"""Which rows are chosen, and the arguments of `objclass.select` that choose them."""


class ObjectTable:
    """The objects of an explorer, independent of traits and browser.

    Parameters
    ----------
    table : pandas.DataFrame
        With a column ``label``; not modified.
    labels : (z, y, x) or (y, x) array of int, or LabelImages
    opening : sequence of str
        Lines of code that make the table.

    Attributes
    ----------
    groups : Groups
    rows : ndarray of int
        The places of the rows that the browser has: all, or a sample of a very long table.
    row_labels : ndarray of int64
        The number of the object of each row: its label, plus the offset of its image where there are several.
    known_labels : ndarray of int64
        The numbers of all objects that have ever been rows, those of the first table first.
    edits : ObjectEdits
    slot_labels : ndarray of int64
        These numbers by slot, from slot 1 on: those of `rows` first, then those without a row there. The
        browser knows an object by its slot, so that gaps in the numbers cost nothing.
    """

    def __init__(self, table: pd.DataFrame, labels: np.ndarray | LabelImages, *, opening: Sequence[str] = ()):
        self.images = labels if isinstance(labels, LabelImages) else LabelImages([labels])
        self.images.missing(table)
        (check_table if self.images.columns else check_objects)(table)
        self.row_labels = self.images.number(table)
        before = np.zeros(len(table), np.int64)
        self.opening = list(opening)
        if GROUP_COLUMN in table:
            before = column_values(table, "table", GROUP_COLUMN)
            before = np.nan_to_num(before, nan=0).astype(np.int64)
        else:
            self.opening.append(f"table = {call('objclass.select', 'table', keywords={'objects': []})}")
        self._table = self._given = table.assign(**{GROUP_COLUMN: before})
        self.groups = Groups(before)
        self.classes = ClassExamples(self.images.key)
        self.names = CategoryNames()
        self.edits = ObjectEdits(self._table, self.images.labels[0])
        self.known_labels = self.row_labels
        self._tables = 0
        self._steps: list[Step] = []
        self._compare_with_images()

    def _compare_with_images(self) -> None:
        present = self.images.all_present()
        self.unmeasured = np.setdiff1d(present, self.row_labels, assume_unique=True)
        self.absent = np.setdiff1d(self.row_labels, present, assume_unique=True)
        self.show_rows(MOST_SHOWN)

    @property
    def table(self) -> pd.DataFrame:
        """A new table with the present groups, and the names of groups and categories that have some."""
        return self.names.add(self._with_classes(self.measured), self.groups.state.names)

    @property
    def measured(self) -> pd.DataFrame:
        """A new table with the current groups, but without predicted classes."""
        return self._table.assign(**{GROUP_COLUMN: self.groups.numbers})

    def _with_classes(self, table: pd.DataFrame, rows: slice | np.ndarray = slice(None)) -> pd.DataFrame:
        results = self.classes.results
        if results is None or len(results) != len(self):
            return table
        import pandas as pd

        new = results.iloc[rows].set_axis(table.index)
        earlier = [name for name in table if is_result(str(name))]
        return pd.concat([table.drop(columns=earlier), new], axis=1)

    def learn(self, lock: threading.RLock) -> None:
        """Learn the classes from the examples, and predict all objects; without holding `lock` meanwhile.

        What was learnt from examples or rows that are other ones by now is dropped.
        """
        with lock:
            table, state, row_labels = self._table, self.classes.state, self.row_labels
            taught = self.classes.named(), self.classes.named_colors()
        learnt = self.classes.learn(table, *taught)
        with lock:
            if self.classes.state is state and self.row_labels is row_labels:
                self.classes.classifier, self.classes.results = learnt
                self._tables += 1

    @property
    def version(self) -> tuple[int, int]:
        """A version that changes whenever `table` does."""
        return self._tables, self.groups.version

    def __len__(self) -> int:
        return len(self.row_labels)

    def show_rows(self, most: int | None) -> None:
        """Let the browser have all rows, or a random sample of at most that many, the same every time."""
        count = len(self)
        self.rows = np.arange(count)
        if most is not None and count > most:
            self.rows = np.sort(np.random.default_rng(0).choice(count, most, replace=False))
        others = np.delete(self.row_labels, self.rows)
        self.slot_labels = np.concatenate([self.row_labels[self.rows], others, self.unmeasured])
        self.__dict__.pop("_slots", None)

    @functools.cached_property
    def _slots(self) -> tuple[np.ndarray, np.ndarray]:
        """The numbers of all objects, ascending, and the slot of each; those of the background are 0."""
        numbers = np.append(0, self.slot_labels)
        order = np.argsort(numbers)
        return numbers[order], order.astype(np.int32)

    def slot_plane(self, axis: int, index: int, image: int = 0) -> np.ndarray:
        """Return a plane of a label image with labels replaced by slots."""
        runs = Runs.encode(np.take(self.images.volume(image), index, axis=axis))
        (known, slots), labels = self._slots, runs.values  # noqa: PD011
        numbers = np.where(labels > 0, labels.astype(np.int64) + self.images.offsets[image], 0)
        place = np.searchsorted(known, numbers).clip(max=len(known) - 1)
        # The caller may have written new labels into the array since: they are background.
        return runs.decode(np.where(known[place] == numbers, slots[place], np.int32(0)))

    @functools.cached_property
    def _numbers(self) -> dict[Any, int]:
        keys = self._table[key_columns(self._table)].itertuples(index=False, name=None)
        return dict(zip(keys, self.row_labels.tolist(), strict=True))

    def number_of(self, key: tuple[Any, ...]) -> int:
        """Return the number of the object that has this key, such as (image, label), in the table."""
        return self._numbers[key]

    def box(self, label: int) -> tuple[slice, ...] | None:
        """Return the bounding box (z, y, x) of an object in its image."""
        return self.images.boxes(self.images.locate(label)[0]).get(label)

    def find(self, label: int) -> tuple[int, int, int] | None:
        """Return a voxel (z, y, x) of an object, in the z plane that shows most of it."""
        box = self.box(label)
        if box is None:
            return None
        image, number = self.images.locate(label)
        inside = self.images.volume(image)[box] == number
        best = int(inside.sum(axis=(1, 2)).argmax())
        rows, columns = np.nonzero(inside[best])
        nearest = np.hypot(rows - rows.mean(), columns - columns.mean()).argmin()
        z, y, x = (part.start for part in box)
        return z + best, y + int(rows[nearest]), x + int(columns[nearest])

    def row(self, label: int) -> dict[str, Any]:
        """Return the values of an object by column; empty if it has no row."""
        places = np.flatnonzero(self.row_labels == label)
        part = self.part(places)
        return {str(name): part[name].iloc[0] for name in part} if places.size else {}

    def part(self, rows: np.ndarray) -> pd.DataFrame:
        """Return some rows of `table`, without making all of it, and without its attributes."""
        part = self._table.iloc[rows]
        part.attrs = {}  # pandas copies them with every column
        part = part.assign(**{GROUP_COLUMN: self.groups.numbers[rows]})
        return self.names.add(self._with_classes(part, rows), self.groups.state.names)

    def _keys(self, labels: Sequence[int]) -> list[Any]:
        """Return what names objects in the table."""
        return [self.images.key(label) for label in labels]

    def _in_polygon(self, gesture: Mapping[str, Any]) -> _Choice:
        """Choose the rows within a polygon of the plot."""
        points, log = gesture["points"], gesture.get("log", "")
        x, y = (column_values(self._table, axis, gesture[axis]) for axis in "xy")
        return inside_polygon(x, y, points, log=log), {"polygon": points, **({"log": log} if log else {})}

    def _in_range(self, gesture: Mapping[str, Any]) -> _Choice:
        """Choose the rows within a range of a column."""
        values = column_values(self._table, "x", gesture["x"])
        return inside_range(values, gesture["points"]), {"within": tuple(gesture["points"])}

    def _in_plane(self, gesture: Mapping[str, Any]) -> _Choice:
        """Choose the objects within a polygon in a plane of an image."""
        images, points = self.images, gesture["points"]
        image = checks.check_number(
            "image", gesture.get("image", 0), low=0, high=len(images) - 1, integer=True
        )
        place = {"axis": int(gesture["axis"]), "index": int(gesture["index"])}
        picked = pick_objects(images.labels[image], points, **place) + int(images.offsets[image])
        array = f"images[{images.given_keys[image]!r}][1]" if images.columns else "labels"
        code = call("objclass.pick_objects", array, keywords={"polygon": points, **place})
        if images.columns:
            code = f"[({', '.join(map(repr, images.keys[image]))}, label) for label in {code}]"
        return np.isin(self.row_labels, picked), {"objects": Code(code)}

    def _fitting(self, gesture: Mapping[str, Any]) -> _Choice:
        """Choose the rows that fit a condition."""
        condition = str(gesture["where"])
        fits = parse_condition(condition)
        results = self.classes.results
        learnt = [] if results is None else [str(name) for name in results]
        if not any(name in condition for name in learnt):
            return fits(self.measured), {"where": condition}
        chosen = fits(self.table)  # the code learns the classes after it has made the groups
        return chosen, {"objects": self._keys(self.row_labels[chosen].tolist())}

    def _named(self, gesture: Mapping[str, Any]) -> _Choice:
        """Choose objects by their numbers."""
        objects = [int(label) for label in gesture["objects"]]
        return np.isin(self.row_labels, objects), {"objects": self._keys(objects)}

    def select(self, gesture: Mapping[str, Any]) -> None:
        """Apply a selection from the browser.

        ``mode`` is one of those of `Groups.target`; ``shape`` is "polygon" or "range" (with ``x``, ``y``,
        ``log`` and ``points``), "plane" (``points`` as (row, column) in the plane ``axis``, ``index`` of the
        ``image`` at that place), "where" (``where``, a condition), or "objects" (``objects``, numbers as in
        `row_labels`).
        """
        choose = {
            "polygon": self._in_polygon,
            "range": self._in_range,
            "plane": self._in_plane,
            "where": self._fitting,
            "objects": self._named,
        }
        shape = checks.check_option("shape", gesture.get("shape"), choose)
        if len(gesture.get("points", ())) > _MOST_CORNERS:
            raise checks.invalid("points", f"at most {_MOST_CORNERS:,} corners", len(gesture["points"]))
        group, mode = self.groups.target(gesture.get("mode", "replace"))
        chosen, keywords = choose[shape](gesture)
        if shape != "objects" and not chosen.any():
            return  # ignore an accidental drag, which must not clear the groups
        if mode == "add":
            keywords["group"] = group
        if mode != "replace":
            keywords["mode"] = mode
        axes = [repr(gesture[axis]) for axis in {"polygon": "xy", "range": "x"}.get(shape, "")]
        line = call("objclass.select", "table", *axes, keywords=keywords)
        step = Step(f"table = {line}", starts_anew=mode == "replace")
        self.groups.choose(chosen, group=group, mode=mode, step=step)

    def make_group(
        self, group: int, chosen: np.ndarray, members: Any, *, name: str, color: str, starts_anew: bool
    ) -> None:
        """Make a group of the `chosen` rows, `members` in code; the only one if it `starts_anew`."""
        mode = "replace" if starts_anew else "add"
        keywords = {"objects": members, "group": group, "mode": mode}
        code = f"table = {call('objclass.select', 'table', keywords=keywords)}"
        self.groups.choose(chosen, group=group, mode=mode, step=Step(code, starts_anew=starts_anew))
        if chosen.any():
            self.groups.rename(group, name)
            self.groups.recolor(group, color)

    def merge_group(self, group: int, into: int) -> None:
        """Merge a group into another, or clear it with 0."""
        column = f'table["{GROUP_COLUMN}"]'
        self.groups.merge(group, into, step=Step(f"{column} = {column}.replace({group}, {into})"))

    def clear_groups(self) -> None:
        """Clear all groups."""
        self.select({"shape": "objects", "objects": [], "mode": "replace"})

    def take(self, result: pd.DataFrame, code: str) -> None:
        """Replace the table by `result`, which the line `code` computes from `table`."""
        self._table = result
        self._tables += 1
        self._steps.append(Step(code))

    def edit(self, edit: Mapping[str, Any]) -> list[str]:
        """Correct objects as `objclass.edit_objects` does, and bring the table up to date.

        Returns what to know of it: columns that could not be measured again.

        Raises
        ------
        ValueError
            If there are several images, or the edit is not one.
        """
        if self.images.columns:
            hint = "Open one of them: explore(image, labels, table[table['image'] == name])."
            raise checks.invalid("edit", "an explorer of one image", f"{len(self.images)} by name", hint)
        table, notes = self.edits.apply(
            edit, self._table, n_steps=len(self._steps), highest=int(self.known_labels.max(initial=0))
        )
        self._go_on_with(table)
        return notes

    def name_category(self, column: str, category: str, name: str) -> None:
        """Give a category of a column a name, see `CategoryNames`."""
        self.names.rename(column, category, name)
        self._tables += 1

    def _go_on_with(self, table: pd.DataFrame, *, earlier: Sequence[int] = ()) -> None:
        """Take the labels and the rows that edits have led to, by way of the labels `earlier`."""
        self.images.replace(self.edits.labels)
        self._table = table
        self._tables += 1
        self.row_labels = table["label"].to_numpy().astype(np.int64)
        labels = np.concatenate([np.array(earlier, np.int64), self.row_labels])
        self.known_labels = np.concatenate([self.known_labels, np.setdiff1d(labels, self.known_labels)])
        order = np.argsort(self.known_labels)
        rows = order[np.searchsorted(self.known_labels[order], self.row_labels)]
        self.groups.follow(rows, len(self.known_labels))
        self.classes.absent = set(np.setdiff1d(self.known_labels, self.row_labels).tolist())
        self.classes.results = None
        self.__dict__.pop("_numbers", None)
        self._compare_with_images()

    def to_json(self) -> dict[str, Any]:
        """Return what was done to the table as JSON can hold it: groups, columns added, and the steps."""
        return {
            "digest": self.digest,
            "offsets": self.images.offsets.tolist(),
            "edits": {**self.edits.to_json(), "labels": self.known_labels[len(self._given) :].tolist()},
            "groups": self.groups.state_to_json(self.known_labels),
            "classes": self.classes.to_json(),
            "names": self.names.to_json(),
            **changes_to_json(self._table, self.edits.table),
            "steps": steps_to_json(self._steps, self.groups.steps),
        }

    def restore(self, stored: Mapping[str, Any]) -> bool:
        """Go on from what `to_json` has stored; False where the table's own numbers are other ones.

        Groups go by the label. What was computed from the table stays only where the table is the same.
        """
        steps, choices = steps_from_json(stored["steps"])
        same = stored["digest"] == self.digest
        if stored["edits"]["list"]:
            table = self.edits.restore(stored["edits"], with_columns=same)
            self._go_on_with(table, earlier=stored["edits"]["labels"])
        numbers = self.images.renumbered(self.known_labels, stored["offsets"])
        self.groups.restore(stored["groups"], numbers, choices)
        known = dict(zip(numbers.tolist(), self.known_labels.tolist(), strict=True))
        self.classes.restore(stored["classes"], known)
        self.names.restore(stored["names"])
        if not same:
            return not stored["columns"]
        self._table = changes_from_json(stored, self._table)
        self._steps = steps
        self._tables += 1
        return True

    @functools.cached_property
    def digest(self) -> str:
        """A digest of the table with which the explorer was opened."""
        return table_digest(self._given)

    def code(self) -> str:
        """Return the Python code that makes `table` again."""
        naming = self.names.code(self._with_classes(self.measured), self.groups.state.names)
        if self.edits:
            lines = [*self.edits.code(arrange(self._steps, [])), *self._grouping()]
        else:
            lines = arrange(self._steps, self.groups.steps)
        return "\n".join(["import objclass", "", *self.opening, *lines, *self.classes.code(), *naming])

    def _grouping(self) -> list[str]:
        """Return the lines that choose the present groups by label: edits move what was drawn around."""
        lines = [call("objclass.select", "table", keywords={"objects": []})]
        for group in self.groups.sizes():
            members = self.row_labels[self.groups.numbers == group]
            keywords = {"objects": members, "group": group, "mode": "add"}
            lines.append(call("objclass.select", "table", keywords=keywords))
        return [f"table = {line}" for line in lines]
