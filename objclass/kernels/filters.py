"""Filters over the 3 or 3×3 neighbours of a voxel, on strips of blurred planes.

A strip row holds `LANES` voxels and one neighbour at either side (see `gaussian`). Sums are taken in the
order in which the OpenCL kernels of pyclesperanto take them, so that they round alike.
"""

from __future__ import annotations

import math

import numpy as np

from .._parallel import kernel
from .gaussian import LANES, copy

WIDTH = LANES + 2

ORIGINAL, BLURRED, LAPLACE, SOBEL = range(4)


@kernel
def laplace_box_3d(before, here, after, target):
    """Set `target` to the voxel minus its 26 neighbours.

    Parameters
    ----------
    before, here, after : float32, 3 · WIDTH
        Rows y−1, y, y+1 of planes z−1, z, z+1.
    target : float32, LANES
    """
    for i in range(LANES):
        value = np.float32(0)
        for x in range(3):
            for y in range(3):
                at = y * WIDTH + x + i
                value -= before[at]
                if x == 1 and y == 1:
                    value += here[at]
                else:
                    value -= here[at]
                value -= after[at]
        target[i] = value


@kernel
def laplace_box_2d(here, target):
    """Set `target` to eight times the pixel minus its 8 neighbours."""
    above, row, below = here[:WIDTH], here[WIDTH : 2 * WIDTH], here[2 * WIDTH : 3 * WIDTH]
    for i in range(LANES):
        value = 8.0 * row[i + 1] - row[i + 2] - row[i] - above[i + 1] - below[i + 1]
        target[i] = np.float32(value - above[i] - above[i + 2] - below[i] - below[i + 2])


@kernel(contract=True)
def sobel_3d(before, here, after, target):
    """Set `target` to the length of the gradient by Sobel's weights (1 2 1) ⊗ (1 2 1) ⊗ (−1 0 1)."""
    for i in range(LANES):
        gx, gy, gz = np.float32(0), np.float32(0), np.float32(0)
        for y in range(3):
            for x in range(3):
                at = y * WIDTH + x + i
                wx, wy = np.float32(2 - abs(x - 1)), np.float32(2 - abs(y - 1))
                dx, dy = np.float32(x - 1), np.float32(y - 1)
                through = before[at] + np.float32(2) * here[at] + after[at]
                gx += dx * wy * through
                gy += wx * dy * through
                gz += wx * wy * (after[at] - before[at])
        target[i] = math.sqrt(gx * gx + gy * gy + gz * gz)


@kernel(contract=True)
def sobel_2d(here, target):
    """Set `target` to the length of the gradient by Sobel's weights (1 2 1) ⊗ (−1 0 1)."""
    above, row, below = here[:WIDTH], here[WIDTH : 2 * WIDTH], here[2 * WIDTH : 3 * WIDTH]
    for i in range(LANES):
        gx = np.float32(-above[i] - 2.0 * row[i] - below[i] + above[i + 2] + 2.0 * row[i + 2] + below[i + 2])
        gy = np.float32(
            -above[i] - 2.0 * above[i + 1] - above[i + 2] + below[i] + 2.0 * below[i + 1] + below[i + 2]
        )
        target[i] = math.sqrt(gx * gx + gy * gy)


@kernel
def fill_features(source, source_at, blurs, slots, row, first_strip, n_strips, kinds, inputs, flat, features):
    """Compute the features of some strips of one row.

    Parameters
    ----------
    source : float32, (n_channels, n_strips, n_rows, depth, LANES)
        The image.
    source_at : tuple of int
        The depth, row and column of `source` at which the row begins.
    blurs : float32, (n_blurs, n_slots, n_strips, n_rows, WIDTH)
        The blurred planes; their row 0 is the one before the tile's first.
    slots : tuple of int
        Where in `blurs` the planes z−1, z and z+1 lie.
    row, first_strip, n_strips : int
        Which row, and which of its strips, counted from the tile's first.
    kinds, inputs : int64, (n_features,)
        What each feature is, and of which channel (ORIGINAL) or blur (the others).
    flat : bool
        Whether the image has two spatial axes: then the filters see one plane only.
    features : float32, (n_features, at least n_strips · LANES)
        The result.
    """
    for f in range(kinds.size):
        for s in range(n_strips):
            target = features[f, s * LANES : (s + 1) * LANES]
            strip = first_strip + s
            if kinds[f] == ORIGINAL:
                _copy_pixels(source[inputs[f]], source_at, strip * LANES, target)
                continue
            here = blurs[inputs[f], slots[1], strip].ravel()[row * WIDTH : (row + 3) * WIDTH]
            if kinds[f] == BLURRED:
                copy(here[WIDTH + 1 :], target)
                continue
            before = blurs[inputs[f], slots[0], strip].ravel()[row * WIDTH : (row + 3) * WIDTH]
            after = blurs[inputs[f], slots[2], strip].ravel()[row * WIDTH : (row + 3) * WIDTH]
            if kinds[f] == LAPLACE:
                if flat:
                    laplace_box_2d(here, target)
                else:
                    laplace_box_3d(before, here, after, target)
            elif flat:
                sobel_2d(here, target)
            else:
                sobel_3d(before, here, after, target)


@kernel
def _copy_pixels(channel, at, offset, target):
    depth, row, column = at
    for i in range(LANES):
        strip, lane = divmod(column + offset + i, LANES)
        if strip < channel.shape[0]:
            target[i] = channel[strip, row, depth, lane]
