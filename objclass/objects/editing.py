"""Manual corrections of objects: merge, split along a line, delete, grow and undo."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
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
        Objects that are not edited keep their labels. The n-th cut, undone or not, creates the n-th label
        above the maximum of `labels`, so that no label is reused.

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
    """Return the labels after `edits`, and the changed labels in ascending order."""
    array = check_labels(labels)
    highest = int(array.max(initial=0))
    if highest + len(edits) > np.iinfo(np.int32).max:
        hint = "Renumber the objects with objclass.relabel(labels)."
        raise invalid("labels", "labels below 2147483648", f"a largest of {highest}", hint)
    result = array.astype(np.int32)
    changed: set[int] = set()
    for place, edit, new_label in _not_undone(edits, highest):
        changed.update(_APPLY[edit["edit"]](result, edit, f"edits[{place}]", new_label))
    return result, np.array(sorted(changed), np.int64)


def _not_undone(edits: Sequence[Mapping[str, Any]], highest: int) -> list[tuple[int, Mapping[str, Any], int]]:
    """Return the edits that are not undone, each with its index and the label that it may create."""
    holding: list[tuple[int, Mapping[str, Any], int]] = []
    for place, edit in enumerate(edits):
        argument = f"edits[{place}]"
        if not isinstance(edit, Mapping) or edit.get("edit") not in EDITS:
            raise invalid(
                argument, f'a dict whose "edit" is one of {", ".join(map(repr, EDITS))}', describe(edit)
            )
        if edit["edit"] == "undo":
            if not holding:
                raise invalid(argument, "an edit before it to undo", "none")
            holding.pop()
            continue
        highest += edit["edit"] == "cut"
        holding.append((place, edit, highest))
    return holding


def _merge(labels: np.ndarray, edit: Mapping[str, Any], argument: str, _new: int) -> list[int]:
    first, *others = numbers = _labels_of(labels, edit, argument)
    if not others:
        raise invalid(argument, "two or more labels to merge", numbers)
    labels[np.isin(labels, others)] = first
    return numbers


def _delete(labels: np.ndarray, edit: Mapping[str, Any], argument: str, _new: int) -> list[int]:
    numbers = _labels_of(labels, edit, argument)
    labels[np.isin(labels, numbers)] = 0
    return numbers


def _cut(labels: np.ndarray, edit: Mapping[str, Any], argument: str, new: int) -> list[int]:
    label, line = _label_of(labels, edit, argument), _points(edit, "line", 2, argument)
    axis = _axis(labels, edit, argument)
    places = np.nonzero(labels == label)
    in_plane = np.stack([place for at, place in enumerate(places) if labels.ndim == 2 or at != axis], axis=1)
    left = _left_of(in_plane.astype(float), line)
    n_left = np.count_nonzero(left)
    if n_left in (0, len(left)):
        raise invalid(argument, f"a line that divides object {label}", "one that passes by it")
    smaller = left if 2 * n_left < len(left) else ~left
    labels[tuple(place[smaller] for place in places)] = new
    return [label, new]


def _grow(labels: np.ndarray, edit: Mapping[str, Any], argument: str, _new: int) -> list[int]:
    from skimage.draw import polygon2mask

    label, polygon = _label_of(labels, edit, argument), _points(edit, "polygon", 3, argument)
    axis = _axis(labels, edit, argument)
    plane = labels
    if labels.ndim == 3:
        index = edit.get("index")
        check_number(f'{argument}["index"]', index, low=0, high=labels.shape[axis] - 1, integer=True)
        plane = np.moveaxis(labels, axis, 0)[index]
    free = polygon2mask(plane.shape, polygon) & (plane == 0)
    if not free.any():
        raise invalid(argument, "a polygon with background in it", "one without")
    plane[free] = label
    return [label]


_APPLY: dict[str, Callable[[np.ndarray, Mapping[str, Any], str, int], list[int]]] = {
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
