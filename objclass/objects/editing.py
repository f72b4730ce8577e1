"""Manual corrections of objects: merge, split along a line, delete, grow and undo."""

from __future__ import annotations

import itertools
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from objclass._common.checks import check_labels, check_number, describe, invalid

EDITS = ("merge", "delete", "cut", "grow", "undo")


def edit_objects(labels: npt.ArrayLike, edits: Sequence[Mapping[str, Any]]) -> np.ndarray:
    """Apply manual corrections to objects.

    Parameters
    ----------
    labels : integer array
        (z, y, x) or (y, x); 0 is background.
    edits : sequence of dict
        The edits in order, each one of:

        - ``{"edit": "merge", "labels": [3, 5]}``: all become the first.
        - ``{"edit": "delete", "labels": [7]}``: they become background.
        - ``{"edit": "cut", "label": 4, "line": [[y, x], …]}``: the object is split along a line through
          two or more points, which is extended straight beyond its ends. The larger part keeps the label.
          In 3D the line is in planes perpendicular to ``"axis"`` (0 by default) and splits all planes: with
          ``"axis": 1`` its points are [z, x].
        - ``{"edit": "grow", "label": 4, "polygon": [[y, x], …]}``: the object is extended to the
          background within a polygon; in 3D in the plane ``"index"`` along ``"axis"``.
        - ``{"edit": "undo"}``: undoes the last edit that was not undone.

    Returns
    -------
    ndarray of int32
        Objects that no edit changes keep their labels. A cut makes the label above the highest that has been
        there, undone or not: no label is used twice.

    Raises
    ------
    ValueError
        If an edit is unknown or incomplete, a label does not exist, an edit has no effect, or labels exceed
        2147483647.
    TypeError
        If `labels` are not integers.

    See Also
    --------
    measure : Measure the edited objects.

    Examples
    --------
    >>> import numpy as np, objclass
    >>> labels = np.array([[1, 1, 1, 1, 0, 2, 0, 5]])
    >>> merged = {"edit": "merge", "labels": [2, 5]}
    >>> objclass.edit_objects(labels, [merged, {"edit": "cut", "label": 1, "line": [[-1, 2.5], [1, 2.5]]}])
    array([[1, 1, 1, 6, 0, 2, 0, 2]], dtype=int32)
    >>> objclass.edit_objects(labels, [merged, {"edit": "undo"}])
    array([[1, 1, 1, 1, 0, 2, 0, 5]], dtype=int32)
    """
    return apply_edits(labels, edits)[0]


def apply_edits(labels: npt.ArrayLike, edits: Sequence[Mapping[str, Any]]) -> tuple[np.ndarray, np.ndarray]:
    """Return the labels after `edits`, and which labels mean other voxels than before, ascending."""
    edited = EditedLabels(labels, room=len(edits))
    for edit in edits:
        edited.apply(edit)
    return edited.labels, np.array(sorted(edited.changed), np.int64)


class EditedLabels:
    """Labels that are corrected edit by edit, and can go back.

    Parameters
    ----------
    labels : integer array
        (z, y, x) or (y, x). They are copied.
    room : int
        How many edits there are to come at least.

    Attributes
    ----------
    labels : ndarray of int32
        The labels after all edits.
    edits : list of dict
        Those that were made, undos among them.
    highest : int
        The highest label that has ever been there: the next cut makes the one above it.
    """

    def __init__(self, labels: npt.ArrayLike, *, room: int = 1000):
        array = check_labels(labels)
        self.highest = int(array.max(initial=0))
        if self.highest + room > np.iinfo(np.int32).max:
            hint = "Number the objects 1…n with objclass.relabel(labels)."
            raise invalid("labels", "labels below 2147483648", f"a largest of {self.highest}", hint)
        self.labels = np.array(array, np.int32, order="C")  # places are flat, and written through a view
        self.edits: list[Mapping[str, Any]] = []
        self._holding: list[_Change] = []

    @property
    def can_undo(self) -> bool:
        """Whether there is an edit to take back."""
        return bool(self._holding)

    @property
    def changed(self) -> set[int]:
        """The labels that may mean other voxels than at first."""
        return {label for change in self._holding for label in change.changed}

    def apply(self, edit: Mapping[str, Any]) -> set[int]:
        """Make an edit, and return the labels that mean other voxels than before it.

        Raises
        ------
        ValueError
            See `edit_objects`; the labels stay as they are.
        """
        argument = f"edits[{len(self.edits)}]"
        if not isinstance(edit, Mapping) or edit.get("edit") not in EDITS:
            raise invalid(
                argument, f'a dict whose "edit" is one of {", ".join(map(repr, EDITS))}', describe(edit)
            )
        flat = self.labels.reshape(-1)
        if edit["edit"] == "undo":
            if not self._holding:
                raise invalid(argument, "an edit before it to undo", "none")
            change = self._holding.pop()
            flat[change.places] = change.before
        else:
            new = self._new_label(edit, argument)
            places, value, labels = _FIND[edit["edit"]](self.labels, edit, argument, new)
            change = _Change(places, flat[places], frozenset(labels))
            flat[places] = value
            self._holding.append(change)
            self.highest = new
        self.edits.append(edit)
        return set(change.changed)

    def forget_last(self) -> None:
        """Take the last edit, which is no undo, back as if it had never been made."""
        change = self._holding.pop()
        self.labels.reshape(-1)[change.places] = change.before
        self.edits.pop()

    def _new_label(self, edit: Mapping[str, Any], argument: str) -> int:
        """Return the label that an edit makes; where it makes none, the highest one."""
        if edit["edit"] != "cut":
            return self.highest
        limits = {"low": self.highest + 1, "high": np.iinfo(np.int32).max}
        wanted = edit.get("new_label", self.highest + 1)
        return int(check_number(f'{argument}["new_label"]', wanted, integer=True, **limits))


@dataclass(frozen=True)
class _Change:
    """What an edit has changed: flat places, their labels before, and the labels that it concerns."""

    places: np.ndarray
    before: np.ndarray
    changed: frozenset[int]


_Found = tuple[np.ndarray, int, list[int]]
"""The flat places that an edit changes, the label that they get, and the labels that it concerns."""


def _merge(labels: np.ndarray, edit: Mapping[str, Any], argument: str, _new: int) -> _Found:
    first, *others = numbers = _labels_of(labels, edit, argument)
    if not others:
        raise invalid(argument, "two or more labels to merge", numbers)
    return np.flatnonzero(np.isin(labels, others)), first, numbers


def _delete(labels: np.ndarray, edit: Mapping[str, Any], argument: str, _new: int) -> _Found:
    numbers = _labels_of(labels, edit, argument)
    return np.flatnonzero(np.isin(labels, numbers)), 0, numbers


def _cut(labels: np.ndarray, edit: Mapping[str, Any], argument: str, new: int) -> _Found:
    label, line = _label_of(labels, edit, argument), _points(edit, "line", 2, argument)
    axis = _axis(labels, edit, argument)
    places = np.nonzero(labels == label)
    in_plane = np.stack([place for at, place in enumerate(places) if labels.ndim == 2 or at != axis], axis=1)
    left = _left_of(in_plane.astype(float), line)
    n_left = np.count_nonzero(left)
    if n_left in (0, len(left)):
        raise invalid(argument, f"a line that divides object {label}", "one that passes by it")
    smaller = left if 2 * n_left < len(left) else ~left
    return np.ravel_multi_index([place[smaller] for place in places], labels.shape), new, [label, new]


def _grow(labels: np.ndarray, edit: Mapping[str, Any], argument: str, _new: int) -> _Found:
    from skimage.draw import polygon2mask

    label, polygon = _label_of(labels, edit, argument), _points(edit, "polygon", 3, argument)
    axis = _axis(labels, edit, argument)
    where: tuple[Any, ...] = ()
    if labels.ndim == 3:
        index = edit.get("index")
        check_number(f'{argument}["index"]', index, low=0, high=labels.shape[axis] - 1, integer=True)
        where = (slice(None),) * axis + (index,)
    plane = labels[where]
    free = polygon2mask(plane.shape, polygon) & (plane == 0)
    if not free.any():
        raise invalid(argument, "a polygon with background in it", "one without")
    places = list(np.nonzero(free))
    if labels.ndim == 3:
        places.insert(axis, np.full(len(places[0]), where[-1]))
    return np.ravel_multi_index(places, labels.shape), label, [label]


_FIND: dict[str, Callable[[np.ndarray, Mapping[str, Any], str, int], _Found]] = {
    "merge": _merge,
    "delete": _delete,
    "cut": _cut,
    "grow": _grow,
}


def _left_of(points: np.ndarray, line: np.ndarray) -> np.ndarray:
    """Return which points, (n, 2), are left of a line that is extended beyond its ends."""
    nearest, is_left = np.full(len(points), np.inf), np.zeros(len(points), bool)
    for at, (start, stop) in enumerate(itertools.pairwise(line)):
        along, from_start = stop - start, points - start
        place = from_start @ along / (along @ along)
        low, high = -np.inf if at == 0 else 0, np.inf if at == len(line) - 2 else 1
        distance = np.linalg.norm(from_start - np.clip(place, low, high)[:, None] * along, axis=1)
        side = along[0] * from_start[:, 1] - along[1] * from_start[:, 0] > 0
        is_left = np.where(distance < nearest, side, is_left)
        nearest = np.minimum(nearest, distance)
    return is_left


def _labels_of(labels: np.ndarray, edit: Mapping[str, Any], argument: str) -> list[int]:
    numbers = edit.get("labels")
    if not isinstance(numbers, (list, tuple, np.ndarray)) or not len(numbers):
        raise invalid(f'{argument}["labels"]', "a list of labels", describe(numbers))
    found = [check_number(f'{argument}["labels"]', number, low=1, integer=True) for number in numbers]
    found = list(dict.fromkeys(found))
    missing = [number for number in found if not (labels == number).any()]
    if missing:
        raise invalid(f'{argument}["labels"]', "existing labels", f"{missing}")
    return found


def _label_of(labels: np.ndarray, edit: Mapping[str, Any], argument: str) -> int:
    return _labels_of(labels, {"labels": [edit.get("label")]}, argument)[0]


def _axis(labels: np.ndarray, edit: Mapping[str, Any], argument: str) -> int:
    return int(
        check_number(f'{argument}["axis"]', edit.get("axis", 0), low=0, high=labels.ndim - 1, integer=True)
    )


def _points(edit: Mapping[str, Any], name: str, least: int, argument: str) -> np.ndarray:
    try:
        points = np.asarray(edit.get(name), float)
    except (TypeError, ValueError):
        points = np.zeros(0)
    if points.ndim != 2 or points.shape[1] != 2 or not np.isfinite(points).all():
        raise invalid(f'{argument}["{name}"]', "points [row, column]", describe(edit.get(name)))
    different = points[np.append(True, (points[1:] != points[:-1]).any(axis=1))]
    if len(different) < least:
        raise invalid(f'{argument}["{name}"]', f"{least} or more different points", describe(edit.get(name)))
    return different


def fingerprint(labels: np.ndarray) -> str:
    """Return a text that differs for other labels, by which edits are known to belong to these."""
    kind = np.uint32 if int(labels.max(initial=0)) < 1 << 32 else np.uint64
    check = 0
    for plane in labels:
        check = zlib.crc32(np.ascontiguousarray(plane, dtype=kind).data, check)
    return f"{'x'.join(map(str, labels.shape))} {check:08x}"
