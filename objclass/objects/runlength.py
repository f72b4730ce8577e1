"""Run-length encoding of labels, which is lossless and needs little memory."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class Runs:
    """A run-length encoded block of labels: `values` and `lengths` of the runs along rows.

    A 3D object has a few hundred runs for thousands of voxels.
    """

    shape: tuple[int, ...]
    values: np.ndarray
    lengths: np.ndarray

    @classmethod
    def encode(cls, labels: np.ndarray) -> Runs:
        """Encode an array."""
        values, lengths = [labels[:0].reshape(-1)], [np.zeros(0, np.int32)]
        for some_values, some_lengths in runs_of(np.ascontiguousarray(labels)):
            values.append(some_values)
            lengths.append(some_lengths.astype(np.int32))
        return cls(labels.shape, np.concatenate(values), np.concatenate(lengths))

    def decode(self, values: np.ndarray | None = None) -> np.ndarray:
        """Return the array, optionally with other `values`."""
        values = self.values if values is None else values
        return np.repeat(values, self.lengths).reshape(self.shape)

    def renumber(self, numbers: np.ndarray, new: np.ndarray) -> np.ndarray:
        """Return the array as int32 in which `numbers` (all labels, ascending) are replaced by `new`."""
        table = np.concatenate([[0], new]).astype(np.int32)
        which = np.where(self.values > 0, np.searchsorted(numbers, self.values) + 1, 0)
        return self.decode(table[which])

    def first_positions(self) -> np.ndarray:
        """Return the flat index of the first voxel of each object, for labels 1…n in raster order."""
        highest = np.maximum.accumulate(np.append(0, self.values))
        begins = np.cumsum(self.lengths, dtype=np.int64) - self.lengths
        return begins[self.values > highest[:-1]]

    def __sizeof__(self) -> int:
        return self.values.nbytes + self.lengths.nbytes + 200


_BLOCK = 1 << 20  # voxels per block: fits into the cache


def object_sizes(labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the labels in ascending order, and the number of voxels of each."""
    numbers: list[np.ndarray] = [labels[:0].ravel()]
    sizes: list[np.ndarray] = [np.zeros(0)]
    for values, lengths in runs_of(labels):
        found, which = np.unique(values, return_inverse=True)
        numbers.append(found)
        sizes.append(np.bincount(which, weights=lengths, minlength=len(found)))
    found, which = np.unique(np.concatenate(numbers), return_inverse=True)
    totals = np.bincount(which, weights=np.concatenate(sizes), minlength=len(found)).astype(np.int64)
    return found[found > 0], totals[found > 0]


def count_pairs(first: np.ndarray, second: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the pairs of objects at the same voxels of two images, and the number of voxels of each pair.

    Pairs are in ascending order. Memory and time are proportional to the number of runs.
    """
    parts = []
    one, other = first.reshape(-1), second.reshape(-1)
    for begin in range(0, one.size, _BLOCK):
        here, there = one[begin : begin + _BLOCK], other[begin : begin + _BLOCK]
        changes = np.flatnonzero((here[1:] != here[:-1]) | (there[1:] != there[:-1])) + 1
        starts = np.concatenate([[0], changes])
        parts.append(_add_up(here[starts], there[starts], np.diff(starts, append=here.size)))
    if not parts:
        return one[:0], other[:0], np.zeros(0, np.int64)
    here, there, counts = _add_up(*(np.concatenate(arrays) for arrays in zip(*parts, strict=True)))
    both = (here > 0) & (there > 0)
    return here[both], there[both], counts[both]


def _add_up(
    first: np.ndarray, second: np.ndarray, counts: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return unique pairs with the sums of their counts."""
    order = np.lexsort((second, first))
    first, second, counts = first[order], second[order], counts[order]
    new = (first[1:] != first[:-1]) | (second[1:] != second[:-1])
    starts = np.concatenate([[0], np.flatnonzero(new) + 1])
    return first[starts], second[starts], np.add.reduceat(counts, starts)


def raster_order(labels: np.ndarray) -> np.ndarray:
    """Return the labels in raster order of their first voxels."""
    order = [labels[:0].ravel()]
    for values, _ in runs_of(labels):
        found, first = np.unique(values, return_index=True)
        order.append(found[np.argsort(first)])
    met = np.concatenate(order)
    _, first = np.unique(met, return_index=True)
    met = met[np.sort(first)]
    return met[met > 0]


def runs_of(labels: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield the values and lengths of runs, block by block to save memory."""
    flat = labels.reshape(-1)
    for begin in range(0, flat.size, _BLOCK):
        block = flat[begin : begin + _BLOCK]
        starts = np.concatenate([[0], np.flatnonzero(block[1:] != block[:-1]) + 1])
        yield block[starts], np.diff(starts, append=block.size)
