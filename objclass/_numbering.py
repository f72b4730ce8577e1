"""The numbers of objects: how many voxels bear each, and new numbers for old ones.

Both walk along the runs of equal neighbours in memory. There are far fewer runs than voxels, and no table
is as long as the largest number, so that it may be anything.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

_BLOCK = 1 << 20  # voxels at once: few enough for the cache


def object_sizes(labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the numbers of the objects in ascending order, and how many voxels each one has."""
    numbers: list[np.ndarray] = [labels[:0].ravel()]
    sizes: list[np.ndarray] = [np.zeros(0)]
    for values, lengths in runs_of(labels):
        found, which = np.unique(values, return_inverse=True)
        numbers.append(found)
        sizes.append(np.bincount(which, weights=lengths, minlength=len(found)))
    found, which = np.unique(np.concatenate(numbers), return_inverse=True)
    totals = np.bincount(which, weights=np.concatenate(sizes), minlength=len(found)).astype(np.int64)
    return found[found > 0], totals[found > 0]


def renumber(labels: np.ndarray, numbers: np.ndarray, new: np.ndarray) -> np.ndarray:
    """Return an int32 image where the objects `numbers`, ascending and all there are, bear `new` ones."""
    table = np.concatenate([[0], new]).astype(np.int32)
    result = np.empty(labels.size, np.int32)
    start = 0
    for values, lengths in runs_of(labels):
        which = np.where(values > 0, np.searchsorted(numbers, values) + 1, 0)
        stop = start + int(lengths.sum())
        result[start:stop] = np.repeat(table[which], lengths)
        start = stop
    return result.reshape(labels.shape)


def raster_order(labels: np.ndarray) -> np.ndarray:
    """Return the numbers of the objects in the order in which a walk through the voxels meets them."""
    order = [labels[:0].ravel()]
    for values, _ in runs_of(labels):
        found, first = np.unique(values, return_index=True)
        order.append(found[np.argsort(first)])
    met = np.concatenate(order)
    _, first = np.unique(met, return_index=True)
    met = met[np.sort(first)]
    return met[met > 0]


def runs_of(labels: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield the values and the lengths of the runs of equal voxels, a block of memory at a time."""
    flat = labels.reshape(-1)
    for begin in range(0, flat.size, _BLOCK):
        block = flat[begin : begin + _BLOCK]
        starts = np.concatenate([[0], np.flatnonzero(block[1:] != block[:-1]) + 1])
        yield block[starts], np.diff(starts, append=block.size)
