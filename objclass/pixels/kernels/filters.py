"""Filters over the 3 or 3×3 neighbours of a voxel, on strips of blurred planes.

A strip row holds `LANES` voxels and one neighbour at either side (see `gaussian`). Sums are taken in the
order in which the OpenCL kernels of pyclesperanto take them, so that they round alike.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.polynomial import Chebyshev, Polynomial

from objclass._common.parallel import kernel
from objclass.pixels.kernels.convolution import LANES, copy

WIDTH = LANES + 2

ORIGINAL, BLURRED, LAPLACE, SOBEL, LAPLACE_BY_DISTANCE, SOBEL_BY_DISTANCE = range(6)
GRADIENT, HESSIAN, STRUCTURE = range(6, 9)
N_WEIGHTS = 8
N_SCRATCH = 3 * LANES

# cos(2/3 · arccos((1 + t) / 2)) for t from −1 to 1, to 1e-9.
COSINE: tuple[float, ...] = tuple(
    Chebyshev.interpolate(lambda t: np.cos(2 / 3 * np.arccos((1 + t) / 2)), 12)
    .convert(kind=Polynomial)
    .coef.tolist()
)


class Tile(NamedTuple):
    """A part of the image and its blurred planes, flat: slicing costs least on arrays of one axis.

    `source` is the image, of the shape (n_channels, n_strips, n_rows, depth, LANES); `blurs` are the
    blurred planes, of the shape (n_blurs, n_slots, n_strips, n_rows, WIDTH), whose row 0 is the one before
    the tile's first. `kinds` are the filters, `inputs` their channel (ORIGINAL), tensor (STRUCTURE) or blur,
    and `weights` are those of the filters that weigh neighbours by their distances. A result is one of
    `n_features`: `features` (n_filters, 3) have its number first; those of the largest, middle and smallest
    eigenvalue are −1 where it is not wanted. The `eigenvalues` of structure tensors, of the shape
    (3 · n_tensors, n_planes, n_rows, n_columns), begin at the depth, row and column `eigenvalues_at` of the
    source. A `flat` image has two spatial axes: then the filters see one plane only.
    """

    source: np.ndarray
    source_shape: tuple[int, int, int, int, int]
    blurs: np.ndarray
    blur_shape: tuple[int, int, int, int, int]
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
    before, here = blurs[before : before + 3 * WIDTH], blurs[here : here + 3 * WIDTH]
    after, target = blurs[after : after + 3 * WIDTH], target[to : to + LANES]
    iz, iy, ix = np.float64(weights[0]), np.float64(weights[1]), np.float64(weights[2])
    for i in range(LANES):
        gx = (here[WIDTH + 2 + i] - here[WIDTH + i]) * ix / 2
        gy = (here[2 * WIDTH + 1 + i] - here[1 + i]) * iy / 2
        gz = 0.0 if flat else (after[WIDTH + 1 + i] - before[WIDTH + 1 + i]) * iz / 2
        target[i] = math.sqrt(gx * gx + gy * gy + gz * gz)


@kernel(contract=True)
def hessian_eigenvalues(blurs, before, here, after, flat, weights, target):
    """Write the eigenvalues of the matrix of second differences: the largest, the middle and the smallest.

    Parameters
    ----------
    blurs, before, here, after, flat
        As in `laplace_by_distance`.
    weights : float32
        They begin with the inverse distances along z, y and x.
    target : float32, (3 · LANES,)
        In two dimensions the middle one is the smallest.
    """
    before, here = blurs[before : before + 3 * WIDTH], blurs[here : here + 3 * WIDTH]
    after = blurs[after : after + 3 * WIDTH]
    iz, iy, ix = np.float64(weights[0]), np.float64(weights[1]), np.float64(weights[2])
    matrix = np.empty((6, LANES))
    xx, xy, yy, xz, yz, zz = matrix[0], matrix[1], matrix[2], matrix[3], matrix[4], matrix[5]
    for i in range(LANES):
        twice = 2 * np.float64(here[WIDTH + 1 + i])
        xx[i] = (np.float64(here[WIDTH + i]) + here[WIDTH + 2 + i] - twice) * (ix * ix)
        yy[i] = (np.float64(here[1 + i]) + here[2 * WIDTH + 1 + i] - twice) * (iy * iy)
        corners = np.float64(here[2 * WIDTH + 2 + i]) - here[2 * WIDTH + i]
        xy[i] = (corners - here[2 + i] + here[i]) * (ix * iy / 4)
    if flat:
        eigenvalues_2d(matrix, target)
        return
    for i in range(LANES):
        twice = 2 * np.float64(here[WIDTH + 1 + i])
        zz[i] = (np.float64(before[WIDTH + 1 + i]) + after[WIDTH + 1 + i] - twice) * (iz * iz)
        corners = np.float64(after[WIDTH + 2 + i]) - after[WIDTH + i]
        xz[i] = (corners - before[WIDTH + 2 + i] + before[WIDTH + i]) * (ix * iz / 4)
        corners = np.float64(after[2 * WIDTH + 1 + i]) - after[1 + i]
        yz[i] = (corners - before[2 * WIDTH + 1 + i] + before[1 + i]) * (iy * iz / 4)
    eigenvalues_3d(matrix, target)


@kernel(contract=True)
def structure_eigenvalues(blurs, here, step, flat, target):
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
    matrix = np.empty((6, LANES))
    for entry in range(3 if flat else 6):
        at = here + WIDTH + 1 + entry * step
        values, row = blurs[at : at + LANES], matrix[entry]
        for i in range(LANES):
            row[i] = values[i]
    if flat:
        eigenvalues_2d(matrix, target)
    else:
        eigenvalues_3d(matrix, target)


@kernel(contract=True)
def eigenvalues_2d(matrix, target):
    """Write the eigenvalues of symmetric matrices (xx, xy, yy); see `hessian_eigenvalues`."""
    xx, xy, yy = matrix[0], matrix[1], matrix[2]
    for i in range(LANES):
        middle, half = (xx[i] + yy[i]) / 2, (xx[i] - yy[i]) / 2
        spread = math.sqrt(half * half + xy[i] * xy[i])
        target[i], target[LANES + i], target[2 * LANES + i] = (
            middle + spread,
            middle - spread,
            middle - spread,
        )


@kernel(contract=True)
def eigenvalues_3d(matrix, target):
    """Write the eigenvalues of symmetric matrices (xx, xy, yy, xz, yz, zz); see `hessian_eigenvalues`.

    They are ``middle + 2 spread cos((θ + 2πk) / 3)``, with the cosine as a polynomial of cos(θ / 2), so that
    the compiler makes vector instructions of all of it.

    References
    ----------
    .. [1] O. K. Smith, Eigenvalues of a symmetric 3 × 3 matrix, Communications of the ACM 4 (1961) 168
    """
    xx, xy, yy, xz, yz, zz = matrix[0], matrix[1], matrix[2], matrix[3], matrix[4], matrix[5]
    for i in range(LANES):
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
        target[i], target[LANES + i] = middle + largest, middle - largest - smallest
        target[2 * LANES + i] = middle + smallest


@kernel(contract=True)
def cosine_of_third(cosine_of_half):
    """Return cos(θ / 3), given cos(θ / 2), for θ from 0 to π."""
    t = 2 * cosine_of_half - 1
    c0, c1, c2, c3, c4, c5, c6, c7, c8, c9, c10, c11, c12 = COSINE
    high = ((((c12 * t + c11) * t + c10) * t + c9) * t + c8) * t + c7
    return ((((((high * t + c6) * t + c5) * t + c4) * t + c3) * t + c2) * t + c1) * t + c0


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
def tensor_eigenvalues(tile, slots, rows, eigenvalues):
    """Write the eigenvalues of the tensor whose entries are the blurs, for some rows of a plane.

    Parameters
    ----------
    tile, slots, rows
        As in `gradient_products`.
    eigenvalues : float32, (3, n_rows, n_columns)
        The largest, the middle and the smallest.
    """
    _, n_slots, n_strips, n_rows, _ = tile.blur_shape
    plane, n_columns = n_strips * n_rows * WIDTH, eigenvalues.shape[2]
    values = np.empty(N_SCRATCH, np.float32)
    for row in range(rows[0], rows[1]):
        for strip in range(n_strips):
            here = slots[1] * plane + (strip * n_rows + row) * WIDTH
            structure_eigenvalues(tile.blurs, here, n_slots * plane, tile.flat, values)
            column = strip * LANES
            for rank in range(3):
                copy(values, rank * LANES, eigenvalues[rank, row], column, min(LANES, n_columns - column))


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
        Its last N_SCRATCH values are scratch.
    to, length : int
        The values of feature f go to ``features[to + f * length]`` and the LANES − 1 places behind it.
    """
    _, n_slots, n_strips, n_rows, _ = tile.blur_shape
    plane = n_strips * n_rows * WIDTH
    pixels_at = (source_at[0], source_at[1] + row, source_at[2] + strip * LANES)
    first, eigenvalues = to, features[features.size - N_SCRATCH :]
    for f in range(tile.kinds.size):
        kind, source = tile.kinds[f], tile.inputs[f]
        to = first + tile.features[f, 0] * length
        if kind == ORIGINAL:
            copy_pixels(tile.source, tile.source_shape, source, pixels_at, features, to)
        elif kind == STRUCTURE:
            for rank in range(3):
                if tile.features[f, rank] >= 0:
                    to = first + tile.features[f, rank] * length
                    copy_eigenvalues(tile, 3 * source + rank, pixels_at, features, to)
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
            elif kind == HESSIAN:
                weights = tile.weights[f]
                hessian_eigenvalues(tile.blurs, before, here, after, tile.flat, weights, eigenvalues)
                for rank in range(3):
                    if tile.features[f, rank] >= 0:
                        to = first + tile.features[f, rank] * length
                        copy(eigenvalues, rank * LANES, features, to, tile.source_shape[4])
            elif tile.flat:
                sobel_2d(tile.blurs, here, features, to)
            else:
                sobel_3d(tile.blurs, before, here, after, features, to)


@kernel
def copy_pixels(source, shape, channel, at, target, to):
    """Copy LANES pixels of the image, which may belong to two strips of the source."""
    _, n_strips, n_rows, depth, lanes = shape
    strip, lane = divmod(at[2], lanes)
    first = (((channel * n_strips + strip) * n_rows + at[1]) * depth + at[0]) * lanes
    copy(source, first + lane, target, to, lanes - lane)
    if strip + 1 < n_strips:
        copy(source, first + n_rows * depth * lanes, target, to + lanes - lane, lane)


@kernel
def copy_eigenvalues(tile, number, at, target, to):
    """Copy eigenvalues of structure tensors to LANES pixels, or to those up to the end of the row."""
    _, n_planes, n_rows, n_columns = tile.eigenvalues_shape
    z, y, x = tile.eigenvalues_at
    plane, row, column = at[0] - z, at[1] - y, at[2] - x
    first = ((number * n_planes + plane) * n_rows + row) * n_columns + column
    copy(tile.eigenvalues, first, target, to, min(LANES, n_columns - column))
