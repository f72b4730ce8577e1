"""From blurred planes to a class, a probability or the features of each voxel, row by row.

The features of a few hundred voxels are computed and used while they are in the fastest cache, so that no
stack of features ever exists.
"""

from __future__ import annotations

import numpy as np

from objclass._common.parallel import kernel
from objclass.pixels.kernels.convolution import copy
from objclass.pixels.kernels.filters import GROUP, N_SCRATCH, fill_features
from objclass.pixels.kernels.forest import pick_classes, sum_votes

ROW = 2048
"""Voxels of ready features that are classified at once: trees are larger than the fast cache."""
PADDING = 16
"""Columns behind a row, so that the features of a voxel do not fall into the same places of the cache."""


@kernel
def _empty_features(n_features):
    """Return memory for `fill_features`, and what will be the features of it, (n_features, n_voxels)."""
    n = n_features * GROUP
    values = np.empty(n + N_SCRATCH, np.float32)
    return values, values[:n].reshape((n_features, GROUP))


@kernel
def _fill_group(tile, source_at, slots, first, n, values):
    """Compute the features of `n` voxels of one plane, counted row by row from number `first` on."""
    n_columns, done = tile.blur_shape[3] - 2, 0
    while done < n:
        row, column = divmod(first + done, n_columns)
        in_row = min(n - done, n_columns - column)
        fill_features(tile, source_at, slots, row, column, in_row, values, done, GROUP)
        done += in_row


@kernel
def _put_group(values, first, n, n_columns, corner, target):
    """Put values of `n` voxels where they belong in `target`, counted row by row from number `first` on."""
    done = 0
    while done < n:
        row, column = divmod(first + done, n_columns)
        in_row = min(n - done, n_columns - column)
        copy(values, done, target[corner[0] + row], corner[1] + column, in_row)
        done += in_row


@kernel
def classify_rows(tile, source_at, slots, rows, trees, corner, classes):
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
    corner : tuple of int
        The row and column of `classes` at which the tile begins.
    classes : uint8, (n_rows, n_columns)
    """
    values, features = _empty_features(tile.n_features)
    sums = np.empty((trees.deep.votes.shape[0], GROUP), np.float32)
    picked = np.empty(GROUP, np.uint8)
    n_columns = tile.blur_shape[3] - 2
    for first in range(rows[0] * n_columns, rows[1] * n_columns, GROUP):
        n = min(GROUP, rows[1] * n_columns - first)
        _fill_group(tile, source_at, slots, first, n, values)
        sum_votes(features, n, trees, True, sums)
        pick_classes(features, n, trees, sums, picked)
        _put_group(picked, first, n, n_columns, corner, classes)


@kernel
def probability_rows(tile, source_at, slots, rows, trees, corner, probabilities):
    """Write the share of the votes that one class gets, for each voxel of some rows of one plane.

    Parameters are those of `classify_rows`, but the votes of `trees` are those for the class and for all
    classes together.
    """
    values, features = _empty_features(tile.n_features)
    sums = np.empty((2, GROUP), np.float32)
    n_columns = tile.blur_shape[3] - 2
    for first in range(rows[0] * n_columns, rows[1] * n_columns, GROUP):
        n = min(GROUP, rows[1] * n_columns - first)
        _fill_group(tile, source_at, slots, first, n, values)
        sum_votes(features, n, trees, False, sums)
        for i in range(n):
            sums[0, i] /= sums[1, i]
        _put_group(sums[0], first, n, n_columns, corner, probabilities)


@kernel
def collect_features(tile, source_at, slots, rows, corner, mask, offsets, collected):
    """Write the features of the voxels of some rows of one plane that are in `mask`.

    Parameters
    ----------
    tile, source_at, slots, rows
        As in `classify_rows`.
    corner : tuple of int
        The row and column of `mask` at which the tile begins.
    mask : bool, (n_rows, n_columns)
    offsets : int64
        Where in `collected` the voxels of each row of the tile begin.
    collected : float32, (n_features, n_voxels)
    """
    values, features = _empty_features(tile.n_features)
    n_columns = tile.blur_shape[3] - 2
    for row in range(rows[0], rows[1]):
        at = offsets[row]
        for column in range(0, n_columns, GROUP):
            n = min(GROUP, n_columns - column)
            fill_features(tile, source_at, slots, row, column, n, values, 0, GROUP)
            wanted = mask[corner[0] + row, corner[1] + column :]
            for i in range(n):
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
