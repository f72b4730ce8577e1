"""Objects across the borders of blocks: which parts are one, and the numbers of them all."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from objclass.objects.runlength import Runs


class Part(NamedTuple):
    """What `segment` finds in one block, whose objects are numbered 1…n in raster order."""

    labels: Runs
    rim: Rim


class Rim(NamedTuple):
    """What there is to know of a block to join its objects with those of its neighbours."""

    firsts: np.ndarray
    """(n,) flat index in the whole image of the first voxel of each object."""
    faces: Mapping[tuple[int, int], Runs]
    """The first (0) and the last (-1) layer of voxels along each axis, by (axis, side)."""


class Links(NamedTuple):
    """The objects of a block, and which of them touch which ones of the blocks behind it."""

    firsts: np.ndarray
    pairs: list[tuple[int, np.ndarray]]
    """For each such block its position in raster order, and the (m, 2) numbers here and there."""


class Numbering(NamedTuple):
    """The final number of each object of each block."""

    offsets: np.ndarray
    """Where those of a block begin, by its position in raster order."""
    numbers: np.ndarray


def describe_part(labels: np.ndarray, corner: tuple[int, ...], shape: tuple[int, ...]) -> Part:
    """Return a block of labels, the first voxel of which lies at `corner` of an image of `shape`."""
    runs = Runs.encode(labels)
    places = np.unravel_index(runs.first_positions(), labels.shape)
    inside = tuple(place + start for place, start in zip(places, corner, strict=True))
    faces = {
        (axis, side): Runs.encode(labels.take(side, axis)) for axis in range(labels.ndim) for side in (0, -1)
    }
    return Part(runs, Rim(np.ravel_multi_index(inside, shape).astype(np.int64), faces))


def link_rims(rim: Rim, *behind: Rim, axes: tuple[int, ...], blocks: tuple[int, ...]) -> Links:
    """Find the objects that go on in the blocks `behind`, which follow along `axes`."""
    pairs = []
    for axis, block, other in zip(axes, blocks, behind, strict=True):
        here, there = rim.faces[axis, -1].decode(), other.faces[axis, 0].decode()
        touching = (here > 0) & (there > 0)
        base = len(other.firsts) + 1
        codes = np.unique(here[touching].astype(np.int64) * base + there[touching])
        pairs.append((block, np.stack(np.divmod(codes, base), axis=1)))
    return Links(rim.firsts, pairs)


def join_links(links: list[Links]) -> Numbering:
    """Give the objects of all blocks, in raster order, numbers in the order of their first voxels."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    offsets = np.cumsum([0, *(len(each.firsts) for each in links)])
    n_parts = int(offsets[-1])
    joined = [np.zeros((0, 2), np.int64)]
    for block, each in enumerate(links):
        joined += [pairs - 1 + [offsets[block], offsets[other]] for other, pairs in each.pairs]
    here, there = np.concatenate(joined).T
    graph = coo_array((np.ones(len(here), bool), (here, there)), shape=(n_parts, n_parts))
    n_objects, owners = connected_components(graph, directed=False) if n_parts else (0, np.zeros(0, int))
    firsts = np.full(n_objects, np.iinfo(np.int64).max)
    np.minimum.at(firsts, owners, np.concatenate([np.zeros(0, np.int64), *(e.firsts for e in links)]))
    ranks = np.empty(n_objects, np.int32)
    ranks[np.argsort(firsts)] = np.arange(1, n_objects + 1, dtype=np.int32)
    return Numbering(offsets, ranks[owners])


def number_part(labels: Runs, numbering: Numbering, *, block: int) -> np.ndarray:
    """Return the block of labels with the final numbers."""
    first, stop = numbering.offsets[block : block + 2]
    table = np.concatenate([np.zeros(1, np.int32), numbering.numbers[first:stop]])
    return labels.decode(table[labels.values])


class Tally(NamedTuple):
    """The objects in one block of labels: their numbers, their voxels, and whether they touch the border."""

    numbers: np.ndarray
    sizes: np.ndarray
    at_border: np.ndarray


def tally_block(labels: np.ndarray, *, borders: tuple[tuple[int, int], ...]) -> tuple[Runs, Tally]:
    """Count the voxels of each object; `borders` are the faces, (axis, side), that end the image."""
    from objclass._common.checks import check_labels
    from objclass.objects.runlength import object_sizes

    labels = check_labels(labels)
    numbers, sizes = object_sizes(labels)
    faces = [np.unique(labels.take(side, axis)) for axis, side in borders]
    at_border = np.isin(numbers, np.concatenate([numbers[:0], *faces]))
    return Runs.encode(labels), Tally(numbers, sizes, at_border)


def merge_tallies(tallies: list[Tally]) -> Tally:
    """Add up the blocks of an image."""
    numbers, sizes, at_border = (np.concatenate(parts) for parts in zip(*tallies, strict=True))
    found, which = np.unique(numbers, return_inverse=True)
    totals, touching = np.zeros(len(found), np.int64), np.zeros(len(found), bool)
    np.add.at(totals, which, sizes)
    np.logical_or.at(touching, which, at_border)
    return Tally(found, totals, touching)


def renumber_runs(labels: Runs, numbers: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
    """Return the labels as int32, where `numbers[0]`, all there are, become `numbers[1]`."""
    old, new = numbers
    table = np.concatenate([np.zeros(1, np.int32), new.astype(np.int32)])
    which = np.where(labels.values > 0, np.searchsorted(old, labels.values) + 1, 0)
    return labels.decode(table[which])
