"""Filters over the 3 or 3×3 neighbours of a voxel, on rows of blurred planes.

Sums are taken in the order in which the OpenCL kernels of pyclesperanto take them, so that they round alike.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.polynomial import Chebyshev, Polynomial

from objclass._common.parallel import kernel
from objclass.pixels.kernels.convolution import copy

ORIGINAL, BLURRED, LAPLACE, SOBEL, LAPLACE_BY_DISTANCE, SOBEL_BY_DISTANCE = range(6)
GRADIENT, HESSIAN, STRUCTURE = range(6, 9)
N_WEIGHTS = 8
GROUP = 512
"""How many voxels have their features computed at once, so that they stay in the fastest cache."""
N_SCRATCH = 3 * GROUP

# cos(2/3 · arccos((1 + t) / 2)) for t from −1 to 1, to 1e-9.
COSINE: tuple[float, ...] = tuple(
    Chebyshev.interpolate(lambda t: np.cos(2 / 3 * np.arccos((1 + t) / 2)), 12)
    .convert(kind=Polynomial)
    .coef.tolist()
)


class Tile(NamedTuple):
    """A part of the image and its blurred planes, flat: slicing costs least on arrays of one axis.

    `source` is the image, of the shape (n_channels, n_rows, depth, n_columns); `blurs` are the blurred
    planes, of the shape (n_blurs, n_slots, n_rows, width), whose rows and columns begin with the one before
    the tile's first. `kinds` are the filters, `inputs` their channel (ORIGINAL), tensor (STRUCTURE) or blur,
    and `weights` are those of the filters that weigh neighbours by their distances. A result is one of
    `n_features`: `features` (n_filters, 3) have its number first; those of the largest, middle and smallest
    eigenvalue are −1 where it is not wanted. The `eigenvalues` of structure tensors, of the shape
    (3 · n_tensors, n_planes, n_rows, n_columns), begin at the depth, row and column `eigenvalues_at` of the
    source. A `flat` image has two spatial axes: then the filters see one plane only.
    """

    source: np.ndarray
    source_shape: tuple[int, int, int, int]
    blurs: np.ndarray
    blur_shape: tuple[int, int, int, int]
    kinds: np.ndarray
    inputs: np.ndarray
    weights: np.ndarray
    features: np.ndarray
    n_features: int
    eigenvalues: np.ndarray
    eigenvalues_shape: tuple[int, int, int, int]
    eigenvalues_at: tuple[int, int, int]
    flat: bool


@kernel
def near(y, x, width, i):
    """Return where voxel `i` has its neighbour in row `y` and column `x` of 3×3, in rows of `width`.

    It is unsigned: numba asks of each signed index whether it counts from the end, and without that question
    the loop becomes vector instructions.
    """
    return np.uint64(y) * np.uint64(width) + np.uint64(x) + np.uint64(i)


@kernel
def three_rows(blurs, first, width):
    """Return `blurs` from its rows y−1, y and y+1 on."""
    return blurs[first:], blurs[first + width :], blurs[first + 2 * width :]


@kernel
def laplace_box_3d(blurs, before, here, after, width, n, target, to):
    """Write the voxel minus its 26 neighbours, for `n` voxels of one row.

    Parameters
    ----------
    blurs : float32
    before, here, after : int
        Where in `blurs` the first neighbour, in row y−1 of the planes z−1, z and z+1, is.
    width : int
        How far the rows y and y+1 are from the one before them.
    n : int
    target : float32
    to : int
        Where in `target` the results go.
    """
    before, here, after, target = blurs[before:], blurs[here:], blurs[after:], target[to : to + n]
    for i in range(n):
        value = np.float32(0)
        for x in range(3):
            for y in range(3):
                at = near(y, x, width, i)
                value -= before[at]
                if x == 1 and y == 1:
                    value += here[at]
                else:
                    value -= here[at]
                value -= after[at]
        target[i] = value


@kernel
def laplace_box_2d(blurs, here, width, n, target, to):
    """Write eight times the pixel minus its 8 neighbours; see `laplace_box_3d`."""
    above, row, below = three_rows(blurs, here, width)
    target = target[to : to + n]
    for i in range(n):
        value = 8.0 * row[i + 1] - row[i + 2] - row[i] - above[i + 1] - below[i + 1]
        target[i] = np.float32(value - above[i] - above[i + 2] - below[i] - below[i + 2])


@kernel(contract=True)
def sobel_3d(blurs, before, here, after, width, n, target, to):
    """Write the length of the gradient by Sobel's weights (1 2 1) ⊗ (1 2 1) ⊗ (−1 0 1).

    Parameters are those of `laplace_box_3d`.
    """
    before, here, after, target = blurs[before:], blurs[here:], blurs[after:], target[to : to + n]
    for i in range(n):
        gx, gy, gz = np.float32(0), np.float32(0), np.float32(0)
        for y in range(3):
            for x in range(3):
                at = near(y, x, width, i)
                wx, wy = np.float32(2 - abs(x - 1)), np.float32(2 - abs(y - 1))
                dx, dy = np.float32(x - 1), np.float32(y - 1)
                through = before[at] + np.float32(2) * here[at] + after[at]
                gx += dx * wy * through
                gy += wx * dy * through
                gz += wx * wy * (after[at] - before[at])
        target[i] = math.sqrt(gx * gx + gy * gy + gz * gz)


@kernel(contract=True)
def sobel_2d(blurs, here, width, n, target, to):
    """Write the length of the gradient by Sobel's weights (1 2 1) ⊗ (−1 0 1); see `laplace_box_3d`."""
    above, row, below = three_rows(blurs, here, width)
    target = target[to : to + n]
    for i in range(n):
        gx = np.float32(-above[i] - 2.0 * row[i] - below[i] + above[i + 2] + 2.0 * row[i + 2] + below[i + 2])
        gy = np.float32(
            -above[i] - 2.0 * above[i + 1] - above[i + 2] + below[i] + 2.0 * below[i + 1] + below[i + 2]
        )
        target[i] = math.sqrt(gx * gx + gy * gy)


@kernel(contract=True)
def laplace_by_distance(blurs, before, here, after, flat, weights, width, n, target, to):
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
    before, here, after, target = blurs[before:], blurs[here:], blurs[after:], target[to : to + n]
    for i in range(n):
        centre = here[near(1, 1, width, i)]
        value = np.float32(0)
        for y in range(3):
            for x in range(3):
                at = near(y, x, width, i)
                across = 2 * abs(y - 1) + abs(x - 1)
                value += weights[across] * (centre - here[at])
                value += weights[4 + across] * ((centre - before[at]) + (centre - after[at]))
        target[i] = value


@kernel(contract=True)
def sobel_by_distance(blurs, before, here, after, flat, weights, width, n, target, to):
    """Write the length of the gradient, by Sobel's weights for voxels of any proportions.

    Parameters
    ----------
    blurs, before, here, after, flat, target, to
        As in `laplace_by_distance`.
    weights : float32, (8,)
        What neighbours along z, y and x weigh in the smoothing, then the inverse distance to them.
    """
    before, here, after, target = blurs[before:], blurs[here:], blurs[after:], target[to : to + n]
    az, ay, ax, iz, iy, ix = weights[0], weights[1], weights[2], weights[3], weights[4], weights[5]
    bz, by, bx = (np.float32(4) - 2 * az, np.float32(4) - 2 * ay, np.float32(4) - 2 * ax)
    for i in range(n):
        gx, gy, gz = np.float32(0), np.float32(0), np.float32(0)
        for y in range(3):
            wy, dy = by if y == 1 else ay, np.float32(y - 1)
            for x in range(3):
                wx, dx = bx if x == 1 else ax, np.float32(x - 1)
                at = near(y, x, width, i)
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
def gradient_magnitude(blurs, before, here, after, flat, weights, width, n, target, to):
    """Write the length of the gradient, by central differences; `weights` begin with inverse distances.

    Parameters are those of `laplace_by_distance`.
    """
    above, row, below = three_rows(blurs, here, width)
    before, after, target = blurs[before + width :], blurs[after + width :], target[to : to + n]
    iz, iy, ix = np.float64(weights[0]), np.float64(weights[1]), np.float64(weights[2])
    for i in range(n):
        gx = (row[i + 2] - row[i]) * ix / 2
        gy = (below[i + 1] - above[i + 1]) * iy / 2
        gz = 0.0 if flat else (after[i + 1] - before[i + 1]) * iz / 2
        target[i] = math.sqrt(gx * gx + gy * gy + gz * gz)


@kernel(contract=True)
def hessian_eigenvalues(blurs, before, here, after, flat, weights, width, n, target):
    """Write the eigenvalues of the matrix of second differences: the largest, the middle and the smallest.

    Parameters
    ----------
    blurs, before, here, after, flat
        As in `laplace_by_distance`.
    weights : float32
        They begin with the inverse distances along z, y and x.
    target : float32, (3 · GROUP,)
        In two dimensions the middle one is the smallest.
    """
    above, row, below = three_rows(blurs, here, width)
    iz, iy, ix = np.float64(weights[0]), np.float64(weights[1]), np.float64(weights[2])
    matrix = np.empty((6, GROUP))
    xx, xy, yy, xz, yz, zz = matrix[0], matrix[1], matrix[2], matrix[3], matrix[4], matrix[5]
    for i in range(n):
        twice = 2 * np.float64(row[i + 1])
        xx[i] = (np.float64(row[i]) + row[i + 2] - twice) * (ix * ix)
        yy[i] = (np.float64(above[i + 1]) + below[i + 1] - twice) * (iy * iy)
        xy[i] = (np.float64(below[i + 2]) - below[i] - above[i + 2] + above[i]) * (ix * iy / 4)
    if flat:
        eigenvalues_2d(matrix, n, target)
        return
    above_before, before, below_before = three_rows(blurs, before, width)
    above_after, after, below_after = three_rows(blurs, after, width)
    for i in range(n):
        twice = 2 * np.float64(row[i + 1])
        zz[i] = (np.float64(before[i + 1]) + after[i + 1] - twice) * (iz * iz)
        xz[i] = (np.float64(after[i + 2]) - after[i] - before[i + 2] + before[i]) * (ix * iz / 4)
        corners = np.float64(below_after[i + 1]) - above_after[i + 1]
        yz[i] = (corners - below_before[i + 1] + above_before[i + 1]) * (iy * iz / 4)
    eigenvalues_3d(matrix, n, target)


@kernel(contract=True)
def structure_eigenvalues(blurs, here, step, flat, width, n, target):
    """Write the eigenvalues of the structure tensor, whose entries are blurs that follow each other.

    Parameters
    ----------
    blurs, here, flat
        As in `laplace_by_distance`; `here` is of the first entry.
    step : int
        How far apart the entries lie in `blurs`: xx, xy, yy and in 3D xz, yz, zz, see `gradient_products`.
    target
        As in `hessian_eigenvalues`.
    """
    matrix = np.empty((6, GROUP))
    for entry in range(3 if flat else 6):
        copy(blurs, here + width + 1 + entry * step, matrix[entry], 0, n)
    if flat:
        eigenvalues_2d(matrix, n, target)
    else:
        eigenvalues_3d(matrix, n, target)


@kernel(contract=True)
def eigenvalues_2d(matrix, n, target):
    """Write the eigenvalues of symmetric matrices (xx, xy, yy); see `hessian_eigenvalues`."""
    xx, xy, yy = matrix[0], matrix[1], matrix[2]
    for i in range(n):
        middle, half = (xx[i] + yy[i]) / 2, (xx[i] - yy[i]) / 2
        spread = math.sqrt(half * half + xy[i] * xy[i])
        target[i], target[GROUP + i] = middle + spread, middle - spread
        target[2 * GROUP + i] = middle - spread


@kernel(contract=True)
def eigenvalues_3d(matrix, n, target):
    """Write the eigenvalues of symmetric matrices (xx, xy, yy, xz, yz, zz); see `hessian_eigenvalues`.

    They are ``middle + 2 spread cos((θ + 2πk) / 3)``, with the cosine as a polynomial of cos(θ / 2), so that
    the compiler makes vector instructions of all of it.

    References
    ----------
    .. [1] O. K. Smith, Eigenvalues of a symmetric 3 × 3 matrix, Communications of the ACM 4 (1961) 168
    """
    xx, xy, yy, xz, yz, zz = matrix[0], matrix[1], matrix[2], matrix[3], matrix[4], matrix[5]
    for i in range(n):
        middle = (xx[i] + yy[i] + zz[i]) / 3
        a, b, c, d, e, f = xx[i] - middle, yy[i] - middle, zz[i] - middle, xy[i], xz[i], yz[i]
        spread = math.sqrt((a * a + b * b + c * c + 2 * (d * d + e * e + f * f)) / 6)
        inverse = 1 / spread if spread > 0 else 0.0
        a, b, c, d, e, f = a * inverse, b * inverse, c * inverse, d * inverse, e * inverse, f * inverse
        cosine = (a * (b * c - f * f) - d * (d * c - f * e) + e * (d * f - b * e)) / 2
        cosine = 1.0 if cosine > 1 else cosine
        cosine = -1.0 if cosine < -1 else cosine
        largest = 2 * spread * cosine_of_third(math.sqrt((1 + cosine) / 2))
        smallest = -2 * spread * cosine_of_third(math.sqrt((1 - cosine) / 2))
        target[i], target[GROUP + i] = middle + largest, middle - largest - smallest
        target[2 * GROUP + i] = middle + smallest


@kernel(contract=True)
def cosine_of_third(cosine_of_half):
    """Return cos(θ / 3), given cos(θ / 2), for θ from 0 to π."""
    t = 2 * cosine_of_half - 1
    c0, c1, c2, c3, c4, c5, c6, c7, c8, c9, c10, c11, c12 = COSINE
    high = ((((c12 * t + c11) * t + c10) * t + c9) * t + c8) * t + c7
    return ((((((high * t + c6) * t + c5) * t + c4) * t + c3) * t + c2) * t + c1) * t + c0


@kernel
def gradient_products(tile, slots, rows, inverse, corner, products):
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
    corner : tuple of int
        The row and column of `products` at which the tile begins.
    products : float32, (3 or 6, n_rows, n_columns)
        xx, xy, yy and in 3D xz, yz, zz.
    """
    _, _, n_rows, width = tile.blur_shape
    plane = n_rows * width
    for row in range(rows[0], rows[1]):
        for column in range(width - 2):
            at = row * width + column
            before, here, after = at + slots[0] * plane, at + slots[1] * plane, at + slots[2] * plane
            gx, gy, gz = np.float32(0), np.float32(0), np.float32(0)
            for y in range(3):
                wy, dy = np.float32(2 - abs(y - 1)), np.float32(y - 1)
                for x in range(3):
                    wx, dx = np.float32(2 - abs(x - 1)), np.float32(x - 1)
                    near_by = y * width + x
                    through = tile.blurs[here + near_by]
                    if not tile.flat:
                        up, down = tile.blurs[before + near_by], tile.blurs[after + near_by]
                        through = up + np.float32(2) * through + down
                        gz += wx * wy * (down - up)
                    gx += dx * wy * through
                    gy += wx * dy * through
            gz, gy, gx = gz * inverse[0], gy * inverse[1], gx * inverse[2]
            y, x = corner[0] + row, corner[1] + column
            products[0, y, x], products[1, y, x], products[2, y, x] = gx * gx, gx * gy, gy * gy
            if not tile.flat:
                products[3, y, x], products[4, y, x], products[5, y, x] = gx * gz, gy * gz, gz * gz


@kernel
def tensor_eigenvalues(tile, slots, rows, corner, eigenvalues):
    """Write the eigenvalues of the tensor whose entries are the blurs, for some rows of a plane.

    Parameters
    ----------
    tile, slots, rows, corner
        As in `gradient_products`.
    eigenvalues : float32, (3, n_rows, n_columns)
        The largest, the middle and the smallest.
    """
    _, n_slots, n_rows, width = tile.blur_shape
    plane, n_columns = n_rows * width, width - 2
    values = np.empty(N_SCRATCH, np.float32)
    for row in range(rows[0], rows[1]):
        for column in range(0, n_columns, GROUP):
            n = min(GROUP, n_columns - column)
            here = slots[1] * plane + row * width + column
            structure_eigenvalues(tile.blurs, here, n_slots * plane, tile.flat, width, n, values)
            for rank in range(3):
                copy(values, rank * GROUP, eigenvalues[rank, corner[0] + row], corner[1] + column, n)


@kernel
def fill_features(tile, source_at, slots, row, column, n, features, to, length):
    """Compute the features of some voxels of one row.

    Parameters
    ----------
    tile : Tile
    source_at : tuple of int
        The depth, row and column of the image at which the tile begins.
    slots : tuple of int
        Where among the blurred planes z−1, z and z+1 lie.
    row, column, n : int
        Where the voxels begin, counted from the tile's first, and how many there are.
    features : float32
        Its last N_SCRATCH values are scratch.
    to, length : int
        The values of feature f go to ``features[to + f * length]`` and the places behind it.
    """
    _, n_slots, n_rows, width = tile.blur_shape
    plane = n_rows * width
    pixels_at = (source_at[0], source_at[1] + row, source_at[2] + column)
    first, eigenvalues = to, features[features.size - N_SCRATCH :]
    for f in range(tile.kinds.size):
        kind, source = tile.kinds[f], tile.inputs[f]
        to = first + tile.features[f, 0] * length
        if kind == ORIGINAL:
            copy_pixels(tile.source, tile.source_shape, source, pixels_at, n, features, to)
        elif kind == STRUCTURE:
            for rank in range(3):
                if tile.features[f, rank] >= 0:
                    to = first + tile.features[f, rank] * length
                    copy_eigenvalues(tile, 3 * source + rank, pixels_at, n, features, to)
        else:
            at = source * n_slots * plane + row * width + column
            before, here, after = at + slots[0] * plane, at + slots[1] * plane, at + slots[2] * plane
            if kind == BLURRED:
                copy(tile.blurs, here + width + 1, features, to, n)
            elif kind == LAPLACE:
                if tile.flat:
                    laplace_box_2d(tile.blurs, here, width, n, features, to)
                else:
                    laplace_box_3d(tile.blurs, before, here, after, width, n, features, to)
            elif kind == LAPLACE_BY_DISTANCE:
                weights = tile.weights[f]
                laplace_by_distance(
                    tile.blurs, before, here, after, tile.flat, weights, width, n, features, to
                )
            elif kind == SOBEL_BY_DISTANCE:
                weights = tile.weights[f]
                sobel_by_distance(tile.blurs, before, here, after, tile.flat, weights, width, n, features, to)
            elif kind == GRADIENT:
                weights = tile.weights[f]
                gradient_magnitude(
                    tile.blurs, before, here, after, tile.flat, weights, width, n, features, to
                )
            elif kind == HESSIAN:
                weights = tile.weights[f]
                hessian_eigenvalues(
                    tile.blurs, before, here, after, tile.flat, weights, width, n, eigenvalues
                )
                for rank in range(3):
                    if tile.features[f, rank] >= 0:
                        to = first + tile.features[f, rank] * length
                        copy(eigenvalues, rank * GROUP, features, to, n)
            elif tile.flat:
                sobel_2d(tile.blurs, here, width, n, features, to)
            else:
                sobel_3d(tile.blurs, before, here, after, width, n, features, to)


@kernel
def copy_pixels(source, shape, channel, at, n, target, to):
    """Copy `n` pixels of a row of the image."""
    _, n_rows, depth, n_columns = shape
    first = ((channel * n_rows + at[1]) * depth + at[0]) * n_columns + at[2]
    copy(source, first, target, to, n)


@kernel
def copy_eigenvalues(tile, number, at, n, target, to):
    """Copy eigenvalues of structure tensors to `n` pixels of a row."""
    _, n_planes, n_rows, n_columns = tile.eigenvalues_shape
    z, y, x = tile.eigenvalues_at
    plane, row, column = at[0] - z, at[1] - y, at[2] - x
    first = ((number * n_planes + plane) * n_rows + row) * n_columns + column
    copy(tile.eigenvalues, first, target, to, n)
