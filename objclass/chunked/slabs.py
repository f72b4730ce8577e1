"""Counting an object in slabs of its bounding box, so that memory holds a few layers of its voxels at a time.

What depends on a voxel and its neighbours is counted in slabs that overlap, less what their overlaps have.
The ends of rows merge by minimum and maximum, holes by the background that is linked through the last layer.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from objclass._common.kernels.outline import NOTHING, first_rows
from objclass._common.parallel import read_only
from objclass.chunked.fragments import Fragment
from objclass.measurement import counting
from objclass.measurement.counting import Counter, Counts, Part, Scene
from objclass.measurement.kernels.topology import euler_number, pack_rows
from objclass.measurement.objects import MeasuredObjects

SLAB = 2**22
"""The number of voxels of a slab, as far as it is of more than a few layers."""
OVERLAPS: dict[Counter, int] = {
    counting.count_topology: 1,
    counting.count_hulls: 0,
    counting.count_hull_shapes: 0,
    counting.count_surfaces: 1,
    counting.count_moments: 0,
    counting.count_perimeters: 4,  # the neighbours of the neighbours of both sides
}
"""What is counted in slabs, and the layers that these have in common for it."""


def count_in_slabs(
    counters: Sequence[Counter], objects: MeasuredObjects, fragments: Sequence[Fragment]
) -> Counts:
    """Count one object.

    Parameters
    ----------
    counters : sequence of Counter
        Among `OVERLAPS`.
    objects : MeasuredObjects
        The sums of the object.
    fragments : sequence of Fragment
        All of its fragments.
    """
    box, is_2d = objects.sums.boxes[0], len(objects.spacing) == 2
    axis = int(np.argmax(box[3 + is_2d :] - box[is_2d:3])) + is_2d
    local = [_LOCAL[counter] for counter in counters if counter in _LOCAL]
    hulls = [_HULLS[counter] for counter in counters if counter in _HULLS]
    holes = Holes(axis, is_2d) if counting.count_topology in counters else None
    rows = Rows(box, axis)
    totals: Counts = {}
    for start, common, mask in slabs(box, fragments, axis, max(OVERLAPS[counter] for counter in counters)):
        new = mask[(slice(None),) * axis + (slice(common, None),)]
        if hulls:
            rows.add(new, start + common)
        if holes is not None:
            holes.add(new)
        shared = mask[(slice(None),) * axis + (slice(common),)]
        for sign, layers in ((1, mask), (-1, shared)):
            for count in local if layers.size else ():
                for name, value in count(_part(objects, layers), start * np.eye(3, dtype=int)[axis]).items():
                    totals[name] = totals.get(name, 0) + sign * value
    if holes is not None:
        totals["area_filled"] = objects.sums.counts + holes.close()
    for measure in hulls:
        spacing = np.array((1.0,) * is_2d + objects.spacing)
        totals |= measure(objects.sums.boxes, rows.starts, *rows.ends(), is_2d, spacing)
    return totals


def slabs(
    box: np.ndarray, fragments: Sequence[Fragment], axis: int, overlap: int
) -> Iterator[tuple[int, int, np.ndarray]]:
    """Yield the start of each slab of a box along an axis, how many layers the last one had too, its mask."""
    size = box[3:] - box[:3]
    length = int(size[axis])
    step = max(SLAB * length // int(np.prod(size)), 4)
    opened: dict[int, np.ndarray] = {}
    for begin in range(0, length, step):
        start, stop = max(begin - overlap, 0), min(begin + step, length)
        shape = np.where(np.arange(3) == axis, stop - start, size)
        mask = np.zeros(shape, bool)
        for index, fragment in enumerate(fragments):
            low = fragment.corner - box[:3]
            first, last = max(int(low[axis]), start), min(int(low[axis]) + fragment.shape[axis], stop)
            if first >= last:
                opened.pop(index, None)
                continue
            if index not in opened:
                opened[index] = fragment.bits()
            place = [slice(a, a + n) for a, n in zip(low.tolist(), fragment.shape, strict=True)]
            place[axis] = slice(first - start, last - start)
            mask[tuple(place)] |= fragment.cut(
                opened[index], axis, first - int(low[axis]), last - int(low[axis])
            )
        yield start, begin - start, mask


class Rows:
    """The first and the last voxel of every row of a box, from slabs of it."""

    def __init__(self, box: np.ndarray, axis: int) -> None:
        self.axis = axis
        self.starts = first_rows(box[np.newaxis])
        shape = (box[3] - box[0], box[4] - box[1])
        self.low, self.high = np.full(shape, NOTHING, np.int64), np.full(shape, -NOTHING, np.int64)

    def add(self, mask: np.ndarray, start: int) -> None:
        """Add the layers from `start` on."""
        some, width = mask.any(axis=2), mask.shape[2]
        low, high = mask.argmax(axis=2), width - 1 - mask[..., ::-1].argmax(axis=2)
        layers = [slice(None), slice(None)]
        if self.axis < 2:
            layers[self.axis] = slice(start, start + mask.shape[self.axis])
        offset = start if self.axis == 2 else 0
        for ends, found, widen in ((self.low, low, np.minimum), (self.high, high, np.maximum)):
            widen(ends[*layers], found + offset, out=ends[*layers], where=some)

    def ends(self) -> tuple[np.ndarray, np.ndarray]:
        """Return copies of the ends of all rows, as from `row_ends`."""
        return self.low.ravel().copy(), self.high.ravel().copy()


class Holes:
    """The number of voxels of background that no path of background links to the outside.

    Of the slabs before, only the last layer is kept: the piece of background of each of its voxels, and the
    size of each piece. A piece that does not reach this layer is complete.
    """

    def __init__(self, axis: int, is_2d: bool) -> None:
        self.axis = axis
        self.margin = [(0, 0), *((int(not is_2d or other > 0),) * 2 for other in range(3) if other != axis)]
        self.last: np.ndarray | None = None
        self.sizes = np.zeros(1, np.int64)
        self.n_voxels = 0

    def add(self, mask: np.ndarray) -> None:
        """Add the next layers."""
        self._add(np.pad(np.moveaxis(mask, self.axis, 0), self.margin))

    def close(self) -> int:
        """Return the number of voxels, after the last layer."""
        if self.last is not None:
            self._add(np.zeros((1, *self.last.shape), bool))
        return self.n_voxels

    def _add(self, layers: np.ndarray) -> None:
        from scipy import ndimage, sparse

        last = np.zeros(layers.shape[1:], np.int64) if self.last is None else self.last
        n_old = len(self.sizes)
        pieces, n_pieces = ndimage.label(~np.concatenate([last[np.newaxis] < 0, layers]), np.ones((3, 3, 3)))
        at = last >= 0
        links = np.unique(np.stack([last[at], pieces[0][at] - 1 + n_old]), axis=1)
        graph = sparse.coo_matrix((np.ones(links.shape[1]), links), (n_old + n_pieces,) * 2)
        n_groups, groups = sparse.csgraph.connected_components(graph, directed=False)
        sizes = np.zeros(n_groups, np.int64)
        new = np.bincount(pieces[1:].ravel(), minlength=n_pieces + 1)[1:]
        np.add.at(sizes, groups, np.concatenate([self.sizes, new]))
        here = np.concatenate([[-1], groups[n_old:]])[pieces[-1]]
        going_on = np.unique(here[here >= 0])
        self.n_voxels += int(sizes.sum() - sizes[going_on].sum())
        self.sizes = sizes[going_on]
        self.last = np.where(here >= 0, np.searchsorted(going_on, here), -1)


def _part(objects: MeasuredObjects, mask: np.ndarray) -> Part:
    """Return a volume that holds one object, with the other sums of the whole object."""
    labels = read_only(mask.astype(np.int32))
    sums = objects.sums._replace(numbers=np.ones(1, np.int64), boxes=np.array([[0, 0, 0, *mask.shape]]))
    scene = Scene(labels, np.empty((0, *mask.shape), np.uint8))
    return Part(scene, MeasuredObjects(sums, objects.spacing, {}), slice(None))


def _count_euler(part: Part, start: np.ndarray) -> Counts:
    depth, height, width = part.scene.labels.shape
    solid = np.empty((depth + 2, height + 2, (width + 65) >> 6), np.uint64)
    pack_rows(part.scene.labels, 1, part.boxes[0], solid)
    return {"euler_number": np.array([euler_number(solid)])}


def _count_moments(part: Part, start: np.ndarray) -> Counts:
    shift = start[part.objects.axes] * part.objects.spacing
    central = counting.sum_moments(part, part.objects.local_centres[:1] - shift)
    return {"moments": counting.sum_moments(part, -shift[np.newaxis]), "moments_central": central}


_LOCAL = {
    counting.count_topology: _count_euler,
    counting.count_surfaces: lambda part, start: counting.count_surfaces(part),
    counting.count_perimeters: lambda part, start: counting.count_perimeters(part),
    counting.count_moments: _count_moments,
}
_HULLS = {
    counting.count_hulls: counting.hulls_of_rows,
    counting.count_hull_shapes: counting.hull_shapes_of_rows,
}
