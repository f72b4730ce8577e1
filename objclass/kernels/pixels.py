"""From blurred planes to a class, a probability or the features of each voxel, row by row.

The features of a few hundred voxels are computed and used while they are in the fastest cache, so that no
stack of features ever exists.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from .._parallel import kernel
from .filters import fill_features
from .forest import pick_classes, sum_votes
from .gaussian import LANES, copy

GROUP = 4


class Tile(NamedTuple):
    """A part of the image, and its blurred planes; see `fill_features`."""

    source: np.ndarray
    blurs: np.ndarray
    n_strips: int
    kinds: np.ndarray
    inputs: np.ndarray
    flat: bool


@kernel
def _group_features(tile, source_at, slots, row, first_strip, features):
    """Compute the features of the strips from `first_strip` on, at most GROUP, and return their columns."""
    n_strips = min(GROUP, tile.n_strips - first_strip)
    fill_features(
        tile.source,
        (source_at[0], source_at[1] + row, source_at[2]),
        tile.blurs,
        slots,
        row,
        first_strip,
        n_strips,
        tile.kinds,
        tile.inputs,
        tile.flat,
        features,
    )
    return n_strips * LANES


@kernel
def classify_rows(tile, source_at, slots, rows, trees, classes):
    """Write the class of each voxel of some rows of one plane.

    Parameters
    ----------
    tile : Tile
        The image and the blurred planes.
    source_at : tuple of int
        The depth, row and column of the image at which the plane begins.
    slots : tuple of int
        Where among the blurred planes z−1, z and z+1 lie.
    rows : tuple of int
        The first row and the one behind the last.
    trees : Trees
        Their votes are those for classes 2, 3, … minus those for class 1.
    classes : uint8, (n_rows, n_columns)
    """
    features = np.empty((tile.kinds.size, GROUP * LANES), np.float32)
    sums = np.empty((trees.deep.votes.shape[0], GROUP * LANES), np.float32)
    for row in range(rows[0], rows[1]):
        for strip in range(0, tile.n_strips, GROUP):
            n = _group_features(tile, source_at, slots, row, strip, features)
            sum_votes(features, n, trees, sums)
            target = classes[row, strip * LANES :]
            pick_classes(features, min(n, target.size), trees, sums, target)


@kernel
def probability_rows(tile, source_at, slots, rows, trees, probabilities):
    """Write the share of the votes that one class gets, for each voxel of some rows of one plane.

    Parameters are those of `classify_rows`, but the votes of `trees` are those for the class and for all
    classes together.
    """
    features = np.empty((tile.kinds.size, GROUP * LANES), np.float32)
    sums = np.empty((2, GROUP * LANES), np.float32)
    for row in range(rows[0], rows[1]):
        for strip in range(0, tile.n_strips, GROUP):
            n = _group_features(tile, source_at, slots, row, strip, features)
            sum_votes(features, n, trees, sums)
            target = probabilities[row, strip * LANES :]
            for i in range(min(n, target.size)):
                target[i] = sums[0, i] / sums[1, i]


@kernel
def collect_features(tile, source_at, slots, rows, mask, offsets, collected):
    """Write the features of the voxels of some rows of one plane that are in `mask`.

    Parameters
    ----------
    tile, source_at, slots, rows
        As in `classify_rows`.
    mask : bool, (n_rows, n_columns)
    offsets : int64, (n_rows,)
        Where in `collected` the voxels of each row begin.
    collected : float32, (n_features, n_voxels)
    """
    features = np.empty((tile.kinds.size, GROUP * LANES), np.float32)
    for row in range(rows[0], rows[1]):
        at = offsets[row]
        for strip in range(0, tile.n_strips, GROUP):
            n = _group_features(tile, source_at, slots, row, strip, features)
            wanted = mask[row, strip * LANES :]
            for i in range(min(n, wanted.size)):
                if wanted[i]:
                    for f in range(features.shape[0]):
                        collected[f, at] = features[f, i]
                    at += 1


@kernel
def classify_collected(collected, trees, classes):
    """Write the class of each voxel whose features `collect_features` wrote."""
    features = np.empty((collected.shape[0], GROUP * LANES), np.float32)
    sums = np.empty((trees.deep.votes.shape[0], GROUP * LANES), np.float32)
    for first in range(0, classes.size, GROUP * LANES):
        n = min(GROUP * LANES, classes.size - first)
        for f in range(features.shape[0]):
            copy(collected[f, first:], features[f, :n])
        sum_votes(features, n, trees, sums)
        pick_classes(features, n, trees, sums, classes[first:])
