"""Filters over the 3 or 3×3 neighbours of a voxel, on strips of blurred planes.

A strip row holds `LANES` voxels and one neighbour at either side (see `gaussian`). Sums are taken in the
order in which the OpenCL kernels of pyclesperanto take them, so that they round alike.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from objclass._common.parallel import kernel
from objclass.pixels.kernels.convolution import LANES, copy

WIDTH = LANES + 2

ORIGINAL, BLURRED, LAPLACE, SOBEL, LAPLACE_BY_DISTANCE, SOBEL_BY_DISTANCE = range(6)
GRADIENT, HESSIAN_LARGEST, HESSIAN_MIDDLE, HESSIAN_SMALLEST = range(6, 10)
STRUCTURE_LARGEST, STRUCTURE_MIDDLE, STRUCTURE_SMALLEST = range(10, 13)
N_WEIGHTS = 8


class Tile(NamedTuple):
    """A part of the image and its blurred planes, flat: slicing costs least on arrays of one axis.

    `source` is the image, of the shape (n_channels, n_strips, n_rows, depth, LANES); `blurs` are the
    blurred planes, of the shape (n_blurs, n_slots, n_strips, n_rows, WIDTH), whose row 0 is the one before
    the tile's first. `kinds` say what each feature is, `inputs` of which channel (ORIGINAL) or blur (the
    others), and `weights` are those of the filters that weigh neighbours by their distances. A `flat` image
    has two spatial axes: then the filters see one plane only.
    """

    source: np.ndarray
    source_shape: tuple[int, int, int, int, int]
    blurs: np.ndarray
    blur_shape: tuple[int, int, int, int, int]
    kinds: np.ndarray
    inputs: np.ndarray
    weights: np.ndarray
    flat: bool


@kernel
def laplace_box_3d(blurs, before, here, after, target, to):
    """Write the voxel minus its 26 neighbours, for one strip.

    Parameters
    ----------
    blurs : float32
    before, here, after : int
        Where in `blurs` the row y−1 of the planes z−1, z, z+1 begins; the rows y and y+1 follow.
    target : float32
    to : int
        Where in `target` the LANES results go.
    """
    before, here = blurs[before : before + 3 * WIDTH], blurs[here : here + 3 * WIDTH]
    after, target = blurs[after : after + 3 * WIDTH], target[to : to + LANES]
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
def laplace_box_2d(blurs, here, target, to):
    """Write eight times the pixel minus its 8 neighbours; see `laplace_box_3d`."""
    rows, target = blurs[here : here + 3 * WIDTH], target[to : to + LANES]
    above, row, below = rows[:WIDTH], rows[WIDTH : 2 * WIDTH], rows[2 * WIDTH :]
    for i in range(LANES):
        value = 8.0 * row[i + 1] - row[i + 2] - row[i] - above[i + 1] - below[i + 1]
        target[i] = np.float32(value - above[i] - above[i + 2] - below[i] - below[i + 2])


@kernel(contract=True)
def sobel_3d(blurs, before, here, after, target, to):
    """Write the length of the gradient by Sobel's weights (1 2 1) ⊗ (1 2 1) ⊗ (−1 0 1).

    Parameters are those of `laplace_box_3d`.
    """
    before, here = blurs[before : before + 3 * WIDTH], blurs[here : here + 3 * WIDTH]
    after, target = blurs[after : after + 3 * WIDTH], target[to : to + LANES]
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
def sobel_2d(blurs, here, target, to):
    """Write the length of the gradient by Sobel's weights (1 2 1) ⊗ (−1 0 1); see `laplace_box_3d`."""
    rows, target = blurs[here : here + 3 * WIDTH], target[to : to + LANES]
    above, row, below = rows[:WIDTH], rows[WIDTH : 2 * WIDTH], rows[2 * WIDTH :]
    for i in range(LANES):
        gx = np.float32(-above[i] - 2.0 * row[i] - below[i] + above[i + 2] + 2.0 * row[i + 2] + below[i + 2])
        gy = np.float32(
            -above[i] - 2.0 * above[i + 1] - above[i + 2] + below[i] + 2.0 * below[i + 1] + below[i + 2]
        )
        target[i] = math.sqrt(gx * gx + gy * gy)


@kernel(contract=True)
def laplace_by_distance(blurs, before, here, after, flat, weights, target, to):
    """Write the sum of the differences to all neighbours, by weights that fall with the distance.

    Of a flat image with all distances one this is `laplace_box_2d`.

    Parameters
    ----------
    blurs, before, here, after, target, to
        As in `laplace_box_3d`.
    flat : bool
        Whether the image has two spatial axes.
    weights : float32, (8,)
        Of a neighbour at (z, y, x) steps that are 0 or 1, at ``4 z + 2 y + x``.
    """
    before, here = blurs[before : before + 3 * WIDTH], blurs[here : here + 3 * WIDTH]
    after, target = blurs[after : after + 3 * WIDTH], target[to : to + LANES]
    for i in range(LANES):
        centre = here[WIDTH + 1 + i]
        value = np.float32(0)
        for y in range(3):
            for x in range(3):
                at = y * WIDTH + x + i
                across = 2 * abs(y - 1) + abs(x - 1)
                value += weights[across] * (centre - here[at])
                value += weights[4 + across] * ((centre - before[at]) + (centre - after[at]))
        target[i] = value


@kernel(contract=True)
def sobel_by_distance(blurs, before, here, after, flat, weights, target, to):
    """Write the length of the gradient, by Sobel's weights for voxels of any proportions.

    Parameters
    ----------
    blurs, before, here, after, flat, target, to
        As in `laplace_by_distance`.
    weights : float32, (8,)
        What neighbours along z, y and x weigh in the smoothing, then the inverse distance to them.
    """
    before, here = blurs[before : before + 3 * WIDTH], blurs[here : here + 3 * WIDTH]
    after, target = blurs[after : after + 3 * WIDTH], target[to : to + LANES]
    az, ay, ax, iz, iy, ix = weights[0], weights[1], weights[2], weights[3], weights[4], weights[5]
    bz, by, bx = (np.float32(4) - 2 * az, np.float32(4) - 2 * ay, np.float32(4) - 2 * ax)
    for i in range(LANES):
        gx, gy, gz = np.float32(0), np.float32(0), np.float32(0)
        for y in range(3):
            wy, dy = by if y == 1 else ay, np.float32(y - 1)
            for x in range(3):
                wx, dx = bx if x == 1 else ax, np.float32(x - 1)
                at = y * WIDTH + x + i
                if flat:
                    through = here[at]
                else:
                    through = az * (before[at] + after[at]) + bz * here[at]
                    gz += wx * wy * (after[at] - before[at])
                gx += dx * wy * through
                gy += wx * dy * through
        gx, gy, gz = gx * ix, gy * iy, gz * iz
        target[i] = math.sqrt(gx * gx + gy * gy + gz * gz)


@kernel
def gradient_magnitude(blurs, before, here, after, flat, weights, target, to):
    """Write the length of the gradient, by central differences; `weights` begin with inverse distances.

    Parameters are those of `laplace_by_distance`.
    """
    for i in range(LANES):
        at = here + WIDTH + 1 + i
        gx = (blurs[at + 1] - blurs[at - 1]) * weights[2] / 2
        gy = (blurs[at + WIDTH] - blurs[at - WIDTH]) * weights[1] / 2
        gz = np.float32(0)
        if not flat:
            gz = (blurs[after + WIDTH + 1 + i] - blurs[before + WIDTH + 1 + i]) * weights[0] / 2
        target[to + i] = math.sqrt(gx * gx + gy * gy + gz * gz)


@kernel
def hessian_eigenvalue(blurs, before, here, after, flat, weights, which, target, to):
    """Write an eigenvalue of the matrix of second differences: the largest, the middle or the smallest.

    Parameters
    ----------
    blurs, before, here, after, flat, target, to
        As in `laplace_by_distance`.
    weights : float32
        They begin with the inverse distances along z, y and x.
    which : int
        HESSIAN_LARGEST, HESSIAN_MIDDLE (the smallest of a flat image) or HESSIAN_SMALLEST.

    """
    iz, iy, ix = np.float64(weights[0]), np.float64(weights[1]), np.float64(weights[2])
    for i in range(LANES):
        at, up, down = here + WIDTH + 1 + i, before + WIDTH + 1 + i, after + WIDTH + 1 + i
        twice = 2 * np.float64(blurs[at])
        xx = (np.float64(blurs[at + 1]) + blurs[at - 1] - twice) * ix * ix
        yy = (np.float64(blurs[at + WIDTH]) + blurs[at - WIDTH] - twice) * iy * iy
        corners = np.float64(blurs[at + WIDTH + 1]) - blurs[at + WIDTH - 1]
        xy = (corners - blurs[at - WIDTH + 1] + blurs[at - WIDTH - 1]) * ix * iy / 4
        if flat:
            target[to + i] = eigenvalue_2d(xx, yy, xy, which)
            continue
        zz = (np.float64(blurs[down]) + blurs[up] - twice) * iz * iz
        corners = np.float64(blurs[down + 1]) - blurs[down - 1]
        xz = (corners - blurs[up + 1] + blurs[up - 1]) * ix * iz / 4
        corners = np.float64(blurs[down + WIDTH]) - blurs[down - WIDTH]
        yz = (corners - blurs[up + WIDTH] + blurs[up - WIDTH]) * iy * iz / 4
        target[to + i] = eigenvalue_3d(xx, yy, zz, xy, xz, yz, which)


@kernel
def eigenvalue_2d(xx, yy, xy, which):
    """Return an eigenvalue of a symmetric matrix; see `hessian_eigenvalue`."""
    middle, half = (xx + yy) / 2, math.hypot((xx - yy) / 2, xy)
    return middle + half if which == HESSIAN_LARGEST else middle - half


@kernel
def eigenvalue_3d(xx, yy, zz, xy, xz, yz, which):
    """Return an eigenvalue of a symmetric matrix; see `hessian_eigenvalue`.

    References
    ----------
    .. [1] O. K. Smith, Eigenvalues of a symmetric 3 × 3 matrix, Communications of the ACM 4 (1961) 168
    """
    middle = (xx + yy + zz) / 3
    a, b, c = xx - middle, yy - middle, zz - middle
    spread = math.sqrt((a * a + b * b + c * c + 2 * (xy * xy + xz * xz + yz * yz)) / 6)
    if spread == 0:
        return middle
    a, b, c, d, e, f = a / spread, b / spread, c / spread, xy / spread, xz / spread, yz / spread
    half = (a * (b * c - f * f) - d * (d * c - f * e) + e * (d * f - b * e)) / 2
    angle = math.acos(min(1.0, max(-1.0, half))) / 3
    if which == HESSIAN_SMALLEST:
        angle += 2 * math.pi / 3
    elif which == HESSIAN_MIDDLE:
        angle -= 2 * math.pi / 3
    return middle + 2 * spread * math.cos(angle)


@kernel
def structure_eigenvalue(blurs, here, step, flat, which, target, to):
    """Write an eigenvalue of the structure tensor, whose entries are blurs that follow each other.

    Parameters
    ----------
    blurs, here, flat, target, to
        As in `laplace_by_distance`; `here` is of the first entry.
    step : int
        How far apart the entries lie in `blurs`: xx, xy, yy and in 3D xz, yz, zz, see `gradient_products`.
    which : int
        HESSIAN_LARGEST, HESSIAN_MIDDLE (the smallest of a flat image) or HESSIAN_SMALLEST.
    """
    for i in range(LANES):
        at = here + WIDTH + 1 + i
        xx, xy = np.float64(blurs[at]), np.float64(blurs[at + step])
        yy = np.float64(blurs[at + 2 * step])
        if flat:
            target[to + i] = eigenvalue_2d(xx, yy, xy, which)
        else:
            xz, yz = np.float64(blurs[at + 3 * step]), np.float64(blurs[at + 4 * step])
            zz = np.float64(blurs[at + 5 * step])
            target[to + i] = eigenvalue_3d(xx, yy, zz, xy, xz, yz, which)


@kernel
def gradient_products(tile, slots, rows, inverse, products):
    """Write the products of the derivatives of the first blur, by Sobel's weights, for some rows of a plane.

    Parameters
    ----------
    tile : Tile
    slots : tuple of int
        Where among the blurred planes z−1, z and z+1 lie.
    rows : tuple of int
        The first row and the one behind the last.
    inverse : float32, (3,)
        The inverse distances of neighbours along z, y and x.
    products : float32, (3 or 6, n_rows, n_columns)
        xx, xy, yy and in 3D xz, yz, zz.
    """
    _, _, n_strips, n_rows, _ = tile.blur_shape
    plane = n_strips * n_rows * WIDTH
    n_columns = products.shape[2]
    for row in range(rows[0], rows[1]):
        for column in range(n_columns):
            strip, lane = divmod(column, LANES)
            at = (strip * n_rows + row) * WIDTH + lane
            before, here, after = at + slots[0] * plane, at + slots[1] * plane, at + slots[2] * plane
            gx, gy, gz = np.float32(0), np.float32(0), np.float32(0)
            for y in range(3):
                wy, dy = np.float32(2 - abs(y - 1)), np.float32(y - 1)
                for x in range(3):
                    wx, dx = np.float32(2 - abs(x - 1)), np.float32(x - 1)
                    near = y * WIDTH + x
                    through = tile.blurs[here + near]
                    if not tile.flat:
                        up, down = tile.blurs[before + near], tile.blurs[after + near]
                        through = up + np.float32(2) * through + down
                        gz += wx * wy * (down - up)
                    gx += dx * wy * through
                    gy += wx * dy * through
            gz, gy, gx = gz * inverse[0], gy * inverse[1], gx * inverse[2]
            products[0, row, column], products[1, row, column] = gx * gx, gx * gy
            products[2, row, column] = gy * gy
            if not tile.flat:
                products[3, row, column], products[4, row, column] = gx * gz, gy * gz
                products[5, row, column] = gz * gz


@kernel
def fill_features(tile, source_at, slots, row, strip, features, to, length):
    """Compute the features of one strip of one row.

    Parameters
    ----------
    tile : Tile
    source_at : tuple of int
        The depth, row and column of the image at which the tile begins.
    slots : tuple of int
        Where among the blurred planes z−1, z and z+1 lie.
    row, strip : int
        Which row and strip, counted from the tile's first.
    features : float32
    to, length : int
        The values of feature f go to ``features[to + f * length]`` and the LANES − 1 places behind it.
    """
    _, n_slots, n_strips, n_rows, _ = tile.blur_shape
    plane = n_strips * n_rows * WIDTH
    pixels_at = (source_at[0], source_at[1] + row, source_at[2] + strip * LANES)
    for f in range(tile.kinds.size):
        kind, source = tile.kinds[f], tile.inputs[f]
        if kind == ORIGINAL:
            copy_pixels(tile.source, tile.source_shape, source, pixels_at, features, to)
        else:
            at = source * n_slots * plane + (strip * n_rows + row) * WIDTH
            before, here, after = at + slots[0] * plane, at + slots[1] * plane, at + slots[2] * plane
            if kind == BLURRED:
                copy(tile.blurs, here + WIDTH + 1, features, to, tile.source_shape[4])
            elif kind == LAPLACE:
                if tile.flat:
                    laplace_box_2d(tile.blurs, here, features, to)
                else:
                    laplace_box_3d(tile.blurs, before, here, after, features, to)
            elif kind == LAPLACE_BY_DISTANCE:
                weights = tile.weights[f]
                laplace_by_distance(tile.blurs, before, here, after, tile.flat, weights, features, to)
            elif kind == SOBEL_BY_DISTANCE:
                weights = tile.weights[f]
                sobel_by_distance(tile.blurs, before, here, after, tile.flat, weights, features, to)
            elif kind == GRADIENT:
                weights = tile.weights[f]
                gradient_magnitude(tile.blurs, before, here, after, tile.flat, weights, features, to)
            elif kind >= STRUCTURE_LARGEST:
                step, which = n_slots * plane, kind - STRUCTURE_LARGEST + HESSIAN_LARGEST
                structure_eigenvalue(tile.blurs, here, step, tile.flat, which, features, to)
            elif kind > GRADIENT:
                weights = tile.weights[f]
                hessian_eigenvalue(tile.blurs, before, here, after, tile.flat, weights, kind, features, to)
            elif tile.flat:
                sobel_2d(tile.blurs, here, features, to)
            else:
                sobel_3d(tile.blurs, before, here, after, features, to)
        to += length


@kernel
def copy_pixels(source, shape, channel, at, target, to):
    """Copy LANES pixels of the image, which may belong to two strips of the source."""
    _, n_strips, n_rows, depth, lanes = shape
    strip, lane = divmod(at[2], lanes)
    first = (((channel * n_strips + strip) * n_rows + at[1]) * depth + at[0]) * lanes
    copy(source, first + lane, target, to, lanes - lane)
    if strip + 1 < n_strips:
        copy(source, first + n_rows * depth * lanes, target, to + lanes - lane, lane)
