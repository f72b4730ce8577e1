"""Merging of objects across block boundaries, and their final labels."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from objclass._common.checks import check_labels
from objclass.objects.filtering import Regions, count_regions
from objclass.objects.runlength import Runs


class Part(NamedTuple):
    """The labels of one block, 1…n in raster order, and its boundary."""

    labels: Runs
    boundary: Boundary


class Boundary(NamedTuple):
    """What is needed of a block to merge its objects with those of its neighbours."""

    firsts: np.ndarray
    """(n,) flat index in the whole image of the first voxel of each object."""
    faces: Mapping[tuple[int, int], Runs]
    """The first (0) and the last (-1) layer of voxels along each axis, by (axis, side)."""


class Links(NamedTuple):
    """The objects of a block, and the pairs of objects that touch across boundaries to following blocks."""

    firsts: np.ndarray
    pairs: list[tuple[int, np.ndarray]]
    """For each following block its position in raster order, and the (m, 2) pairs of labels."""


class Numbering(NamedTuple):
    """The final labels of the objects of all blocks."""

    offsets: np.ndarray
    """The offset of each block, by its position in raster order."""
    numbers: np.ndarray


def describe_part(labels: np.ndarray, corner: tuple[int, ...], shape: tuple[int, ...]) -> Part:
    """Return the part of a block of labels that starts at `corner` of an image of `shape`."""
    runs = Runs.encode(labels)
    places = np.unravel_index(runs.first_positions(), labels.shape)
    inside = tuple(place + start for place, start in zip(places, corner, strict=True))
    faces = {
        (axis, side): Runs.encode(labels.take(side, axis)) for axis in range(labels.ndim) for side in (0, -1)
    }
    return Part(runs, Boundary(np.ravel_multi_index(inside, shape).astype(np.int64), faces))


def link_boundaries(
    boundary: Boundary, *following: Boundary, axes: tuple[int, ...], blocks: tuple[int, ...]
) -> Links:
    """Find the objects that continue in the `following` blocks along `axes`."""
    pairs = []
    for axis, block, other in zip(axes, blocks, following, strict=True):
        left, right = boundary.faces[axis, -1].decode(), other.faces[axis, 0].decode()
        touching = (left > 0) & (right > 0)
        base = len(other.firsts) + 1
        codes = np.unique(left[touching].astype(np.int64) * base + right[touching])
        pairs.append((block, np.stack(np.divmod(codes, base), axis=1)))
    return Links(boundary.firsts, pairs)


def join_links(links: list[Links]) -> Numbering:
    """Merge linked objects of all blocks and label them in raster order of their first voxels."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    offsets = np.cumsum([0, *(len(each.firsts) for each in links)])
    n_parts = int(offsets[-1])
    joined = [np.zeros((0, 2), np.int64)]
    for block, each in enumerate(links):
        joined += [pairs - 1 + [offsets[block], offsets[other]] for other, pairs in each.pairs]
    left, right = np.concatenate(joined).T
    graph = coo_array((np.ones(len(left), bool), (left, right)), shape=(n_parts, n_parts))
    n_objects, owners = connected_components(graph, directed=False) if n_parts else (0, np.zeros(0, int))
    firsts = np.full(n_objects, np.iinfo(np.int64).max)
    np.minimum.at(firsts, owners, np.concatenate([np.zeros(0, np.int64), *(e.firsts for e in links)]))
    ranks = np.empty(n_objects, np.int32)
    ranks[np.argsort(firsts)] = np.arange(1, n_objects + 1, dtype=np.int32)
    return Numbering(offsets, ranks[owners])


def number_part(labels: Runs, numbering: Numbering, *, block: int) -> np.ndarray:
    """Return the block with the final labels."""
    first, stop = numbering.offsets[block : block + 2]
    table = np.concatenate([np.zeros(1, np.int32), numbering.numbers[first:stop]])
    return labels.decode(table[labels.values])


def count_block(labels: np.ndarray, *, borders: tuple[tuple[int, int], ...]) -> tuple[Runs, Regions]:
    """Return the labels of a block, and its objects; for `borders` see `count_regions`."""
    labels = check_labels(labels)
    return Runs.encode(labels), count_regions(labels, borders)


def merge_regions(parts: list[Regions]) -> Regions:
    """Merge the objects of all blocks."""
    numbers, sizes, at_border = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
    found, which = np.unique(numbers, return_inverse=True)
    totals, touching = np.zeros(len(found), np.int64), np.zeros(len(found), bool)
    np.add.at(totals, which, sizes)
    np.logical_or.at(touching, which, at_border)
    return Regions(found, totals, touching)


def renumber_runs(labels: Runs, numbers: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
    """Return int32 labels in which `numbers[0]` (all labels) are replaced by `numbers[1]`."""
    return labels.renumber(*numbers)
