"""Annotations in memory: patches of planes, with undo and redo."""

from __future__ import annotations

import threading
import zlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np

from objclass.widgets.history import History

MAX_CLASS = 254
_HISTORY_BYTES = 200_000_000


@dataclass(frozen=True)
class Patch:
    """A rectangle of a plane in which pixels are annotated.

    Parameters
    ----------
    axis, index : int
        The plane.
    row, col : int
        The corner of the rectangle.
    values : uint16 array
        0 keeps a pixel, 1 erases it, v + 1 assigns class v.
    """

    axis: int
    index: int
    row: int
    col: int
    values: np.ndarray = field(repr=False)

    @classmethod
    def of_mask(cls, axis: int, index: int, mask: np.ndarray, value: int) -> Patch:
        """Return the patch with `value` in a mask that is not empty."""
        rows, cols = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
        window = mask[rows[0] : rows[-1] + 1, cols[0] : cols[-1] + 1]
        return cls(axis, index, int(rows[0]), int(cols[0]), window * np.uint16(value))

    def within(self, volume: np.ndarray) -> np.ndarray:
        """Return the view of `volume` covered by this patch."""
        rows, cols = self.values.shape
        plane = np.moveaxis(volume, self.axis, 0)[self.index]
        return plane[self.row : self.row + rows, self.col : self.col + cols]


@dataclass(frozen=True)
class _Packed:
    """The values of a patch before and after a change, compressed."""

    place: tuple[int, int, int, int]
    shape: tuple[int, int]
    before: bytes
    after: bytes

    def patch(self, content: bytes) -> Patch:
        values = np.frombuffer(zlib.decompress(content), np.uint16).reshape(self.shape)
        return Patch(*self.place, values)

    @property
    def size(self) -> int:
        return len(self.before) + len(self.after) + 200


class Scribbles:
    """An array of annotations with history.

    Parameters
    ----------
    volume : uint8 array of shape (z, y, x)
        Modified in place.
    planes : iterable of int, optional
        The planes along z that may be painted, where it is known: the others of a large volume are not
        looked at.

    Attributes
    ----------
    history : History
        What each step has changed.
    version : int
        Increases with each change.
    marked : list of three arrays
        The number of annotated pixels in each plane along each axis.
    class_sizes : array of int
        The number of pixels of each class; 0 is not counted.
    lock : threading.Lock
        Held while the array changes.
    """

    def __init__(self, volume: np.ndarray, *, planes: Iterable[int] | None = None) -> None:
        self.volume = volume
        self.version = 0
        self.lock = threading.Lock()
        self.history = History[tuple[_Packed, ...]](())
        self._count(range(len(volume)) if planes is None else planes)

    def _count(self, planes: Iterable[int]) -> None:
        # Plane by plane, since a mask of the whole array would double the memory.
        self.marked = [np.zeros(size, np.int64) for size in self.volume.shape]
        self.class_sizes = np.zeros(256, np.int64)
        for z in planes:
            plane = self.volume[z]
            if plane.any():
                self._add_counts(Patch(0, z, 0, 0, np.zeros(plane.shape, np.uint16)), plane, sign=1)

    def _add_counts(self, patch: Patch, values: np.ndarray, *, sign: int) -> None:
        painted = values > 0
        first, second = (axis for axis in range(3) if axis != patch.axis)
        rows, cols = values.shape
        self.marked[patch.axis][patch.index] += sign * painted.sum()
        self.marked[first][patch.row : patch.row + rows] += sign * painted.sum(axis=1)
        self.marked[second][patch.col : patch.col + cols] += sign * painted.sum(axis=0)
        self.class_sizes[1:] += sign * np.bincount(values.ravel(), minlength=256)[1:]

    def marks(self, axis: int) -> list[int]:
        """Return the planes along `axis` that have annotations."""
        return np.flatnonzero(self.marked[axis]).tolist()

    def plane(self, axis: int, index: int) -> np.ndarray:
        """Return a plane of the annotations."""
        return np.take(self.volume, index, axis=axis)

    def paint(self, patches: Sequence[Patch]) -> bool:
        """Apply patches as one step of the history; return whether anything has changed.

        Raises
        ------
        ValueError
            If a patch is not within the array, or a class is too high; nothing is changed then.
        """
        for patch in patches:
            self._check(patch)
        step, changes = [], False
        for patch in patches:
            before = np.where(patch.values > 0, patch.within(self.volume).astype(np.uint16) + 1, 0)
            if patch.values.any():
                changes = changes or not np.array_equal(before, patch.values)
                place = (patch.axis, patch.index, patch.row, patch.col)
                contents = (
                    zlib.compress(values.astype(np.uint16).tobytes(), 1) for values in (before, patch.values)
                )
                step.append(_Packed(place, patch.values.shape, *contents))
        for patch in patches:
            self._write(patch)
        if changes:
            self.history.add(tuple(step))
            self._forget_oldest()
        return changes

    def _check(self, patch: Patch) -> None:
        shape = self.volume.shape
        if not 0 <= patch.axis < 3 or not 0 <= patch.index < shape[patch.axis]:
            raise ValueError(
                f"scribble: no plane {patch.index} along axis {patch.axis} in a volume of {shape}"
            )
        inside = patch.row >= 0 and patch.col >= 0 and patch.within(self.volume).shape == patch.values.shape
        if not inside or patch.values.max(initial=0) > MAX_CLASS + 1:
            raise ValueError(f"scribble: {patch} does not lie within a volume of {shape}")

    def _write(self, patch: Patch) -> None:
        target = patch.within(self.volume)
        with self.lock:
            self._add_counts(patch, target, sign=-1)
            np.copyto(target, (patch.values - 1).astype(np.uint8), where=patch.values > 0)
            self._add_counts(patch, target, sign=1)
            self.version += 1

    def _forget_oldest(self) -> None:
        done = self.history.done
        total = sum(packed.size for step in done for packed in step)
        while total > _HISTORY_BYTES and len(done) > 2:
            total -= sum(packed.size for packed in done.pop(1))

    def undo(self) -> list[Patch]:
        """Undo the last step and return the changed patches; empty if there is none."""
        step = self.history.undo() or ()
        return self._apply([packed.patch(packed.before) for packed in reversed(step)])

    def redo(self) -> list[Patch]:
        """Redo the step that was undone last; see `undo`."""
        step = self.history.redo() or ()
        return self._apply([packed.patch(packed.after) for packed in step])

    def _apply(self, patches: list[Patch]) -> list[Patch]:
        for patch in patches:
            self._write(patch)
        return patches

    def clear_plane(self, axis: int, index: int) -> list[Patch]:
        """Erase a plane, as a step that can be undone, and return the changed patches."""
        return self._clear([(axis, index)], lambda plane: plane > 0)

    def clear_class(self, value: int) -> list[Patch]:
        """Erase a class everywhere, as a step that can be undone, and return the changed patches."""
        return self._clear([(0, z) for z in self.marks(0)], lambda plane: plane == value)

    def _clear(
        self, planes: Sequence[tuple[int, int]], choose: Callable[[np.ndarray], np.ndarray]
    ) -> list[Patch]:
        masks = [(axis, index, choose(self.plane(axis, index))) for axis, index in planes]
        patches = [Patch.of_mask(*plane, value=1) for plane in masks if plane[-1].any()]
        self.paint(patches)
        return patches
