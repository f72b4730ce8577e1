"""From blurred planes to a class, a probability or the features of each voxel, row by row.

The features of a few hundred voxels are computed and used while they are in the fastest cache, so that no
stack of features ever exists.
"""

from __future__ import annotations

import numpy as np

from objclass._common.parallel import kernel
from objclass.pixels.kernels.convolution import LANES, copy
from objclass.pixels.kernels.filters import N_SCRATCH, fill_features
from objclass.pixels.kernels.forest import pick_classes, sum_votes

GROUP = 8
ROW = 2048
"""Voxels of ready features that are classified at once: trees are larger than the fast cache."""
PADDING = 16
"""Columns behind a row, so that the features of a voxel do not fall into the same places of the cache."""


@kernel
def _empty_features(n_features):
    """Return memory for `fill_features`, and what will be the features of it, (n_features, n_voxels)."""
    n = n_features * GROUP * LANES
    values = np.empty(n + N_SCRATCH, np.float32)
    return values, values[:n].reshape((n_features, GROUP * LANES))


@kernel
def _fill_group(tile, source_at, slots, first, n_strips, features):
    """Compute the features of `n_strips` strips of one plane, counted row by row from number `first` on."""
    for s in range(n_strips):
        row, strip = divmod(first + s, tile.blur_shape[2])
        fill_features(tile, source_at, slots, row, strip, features, s * LANES, GROUP * LANES)


@kernel
def _put_group(values, first, n_strips, n_columns, target):
    """Put values of strips where they belong in the rows of `target`, without what overhangs."""
    strips_per_row = (n_columns + LANES - 1) // LANES
    for s in range(n_strips):
        row, strip = divmod(first + s, strips_per_row)
        column = strip * LANES
        copy(values, s * LANES, target[row], column, min(LANES, n_columns - column))


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
    values, features = _empty_features(tile.n_features)
    sums = np.empty((trees.deep.votes.shape[0], GROUP * LANES), np.float32)
    picked = np.empty(GROUP * LANES, np.uint8)
    n_strips = tile.blur_shape[2]
    for first in range(rows[0] * n_strips, rows[1] * n_strips, GROUP):
        n = min(GROUP, rows[1] * n_strips - first)
        _fill_group(tile, source_at, slots, first, n, values)
        sum_votes(features, n * LANES, trees, True, sums)
        pick_classes(features, n * LANES, trees, sums, picked)
        _put_group(picked, first, n, classes.shape[1], classes)


@kernel
def probability_rows(tile, source_at, slots, rows, trees, probabilities):
    """Write the share of the votes that one class gets, for each voxel of some rows of one plane.

    Parameters are those of `classify_rows`, but the votes of `trees` are those for the class and for all
    classes together.
    """
    values, features = _empty_features(tile.n_features)
    sums = np.empty((2, GROUP * LANES), np.float32)
    n_strips = tile.blur_shape[2]
    for first in range(rows[0] * n_strips, rows[1] * n_strips, GROUP):
        n = min(GROUP, rows[1] * n_strips - first)
        _fill_group(tile, source_at, slots, first, n, values)
        sum_votes(features, n * LANES, trees, False, sums)
        for i in range(n * LANES):
            sums[0, i] /= sums[1, i]
        _put_group(sums[0], first, n, probabilities.shape[1], probabilities)


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
    values, features = _empty_features(tile.n_features)
    n_strips = tile.blur_shape[2]
    for row in range(rows[0], rows[1]):
        at = offsets[row]
        for strip in range(0, n_strips, GROUP):
            n = min(GROUP, n_strips - strip)
            _fill_group(tile, source_at, slots, row * n_strips + strip, n, values)
            wanted = mask[row, strip * LANES :]
            for i in range(min(n * LANES, wanted.size)):
                if wanted[i]:
                    for f in range(features.shape[0]):
                        collected[f, at] = features[f, i]
                    at += 1


@kernel
def classify_collected(collected, begin, end, trees, classes):
    """Write the class of the voxels from `begin` to before `end` whose features `collect_features` wrote."""
    features = np.empty((collected.shape[0], ROW + PADDING), np.float32)
    sums = np.empty((trees.deep.votes.shape[0], ROW), np.float32)
    for first in range(begin, end, ROW):
        n = min(ROW, end - first)
        for f in range(features.shape[0]):
            for i in range(n):
                features[f, i] = collected[f, first + i]
        sum_votes(features, n, trees, True, sums)
        pick_classes(features, n, trees, sums, classes[first:])
