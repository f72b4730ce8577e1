"""Labels as the runs of equal voxels that they are made of: a small part of the memory, nothing lost."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ._numbering import runs_of


@dataclass(frozen=True, eq=False)
class Runs:
    """A block of labels on its way: `values` of runs of voxels along the rows, and their `lengths`.

    An object in space has a few hundred runs, where it has thousands of voxels.
    """

    shape: tuple[int, ...]
    values: np.ndarray
    lengths: np.ndarray

    @classmethod
    def encode(cls, labels: np.ndarray) -> Runs:
        """Return the runs of an array."""
        values, lengths = [labels[:0].reshape(-1)], [np.zeros(0, np.int32)]
        for some_values, some_lengths in runs_of(np.ascontiguousarray(labels)):
            values.append(some_values)
            lengths.append(some_lengths.astype(np.int32))
        return cls(labels.shape, np.concatenate(values), np.concatenate(lengths))

    def decode(self, values: np.ndarray | None = None) -> np.ndarray:
        """Return the array, or the one with other `values` in the place of these."""
        values = self.values if values is None else values
        return np.repeat(values, self.lengths).reshape(self.shape)

    def first_positions(self) -> np.ndarray:
        """Return where each object begins, as a flat index, if they are numbered 1…n in raster order."""
        highest = np.maximum.accumulate(np.append(0, self.values))
        begins = np.cumsum(self.lengths, dtype=np.int64) - self.lengths
        return begins[self.values > highest[:-1]]

    def __sizeof__(self) -> int:
        return self.values.nbytes + self.lengths.nbytes + 200
