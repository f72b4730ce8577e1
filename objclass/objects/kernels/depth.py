"""How deep the voxels of an object lie below its surface, and where the middles of its bodies are."""

from __future__ import annotations

import numpy as np

from objclass._common.parallel import kernel
from objclass.objects.kernels.neighbors import face_neighbor, place_in


@kernel
def fill_cavities(mask):
    """Return a mask with the background that does not reach the border of the box filled.

    Parameters
    ----------
    mask : (z, y, x) bool array
        Axes of length one have no border: a plane is filled as an image of two dimensions.

    Returns
    -------
    (z, y, x) bool array
    """
    n_z, n_y, n_x = mask.shape
    filled = np.ones(mask.shape, np.bool_)
    flat_filled, flat_mask = filled.reshape(-1), mask.reshape(-1)
    stack = np.empty(mask.size, np.int32)
    n = 0
    for z in range(n_z):
        for y in range(n_y):
            inner = (n_z == 1 or 0 < z < n_z - 1) and (n_y == 1 or 0 < y < n_y - 1)
            for x in range(0, n_x, max(n_x - 1, 1) if inner else 1):
                on_border = not inner or n_x > 1
                if on_border and not mask[z, y, x] and filled[z, y, x]:
                    filled[z, y, x] = False
                    stack[n] = (z * n_y + y) * n_x + x
                    n += 1
    while n > 0:
        n -= 1
        voxel = stack[n]
        place = place_in(mask.shape, voxel)
        for face in range(6):
            near = face_neighbor(voxel, place, face, mask.shape)
            if near >= 0 and flat_filled[near] and not flat_mask[near]:
                flat_filled[near] = False
                stack[n] = near
                n += 1
    return filled


@kernel
def depth_below_surface(filled, spacing):
    """Return the distance of each voxel to the nearest one outside, 0 outside: float32.

    An object that fills its box has no surface, and no depth.

    Parameters
    ----------
    filled : (z, y, x) bool array
    spacing : (3,) float64 array

    References
    ----------
    P. Felzenszwalb and D. Huttenlocher, Distance transforms of sampled functions, Theory of Computing 8
    (2012) 415-428, https://doi.org/10.4086/toc.2012.v008a019
    """
    n_z, n_y, n_x = filled.shape
    squares = np.empty(filled.shape, np.float32)
    for z in range(n_z):
        for y in range(n_y):
            nearest = np.float32(np.inf)
            for x in range(n_x):
                nearest = nearest + np.float32(spacing[2]) if filled[z, y, x] else np.float32(0)
                squares[z, y, x] = nearest
            nearest = np.float32(np.inf)
            for x in range(n_x - 1, -1, -1):
                nearest = nearest + np.float32(spacing[2]) if filled[z, y, x] else np.float32(0)
                nearest = min(nearest, squares[z, y, x])
                squares[z, y, x] = nearest * nearest
    longest = max(n_z, n_y)
    line, lowest = np.empty(longest, np.float64), np.empty(longest, np.int64)
    begins = np.empty(longest + 1, np.float64)
    for z in range(n_z):
        for x in range(n_x):
            for y in range(n_y):
                line[y] = squares[z, y, x]
            _lower_envelope(line, n_y, spacing[1], lowest, begins)
            for y in range(n_y):
                squares[z, y, x] = line[y]
    for y in range(n_y):
        for x in range(n_x):
            for z in range(n_z):
                line[z] = squares[z, y, x]
            _lower_envelope(line, n_z, spacing[0], lowest, begins)
            for z in range(n_z):
                squares[z, y, x] = line[z]
    flat = squares.reshape(-1)
    for voxel in range(flat.size):
        flat[voxel] = np.sqrt(flat[voxel]) if np.isfinite(flat[voxel]) else 0
    return squares


@kernel
def _lower_envelope(line, n, step, lowest, begins):
    """Replace each value by the least of all values plus their squared distance along the line."""
    last = -1
    for place in range(n):
        if not np.isfinite(line[place]):
            continue
        begin = -np.inf
        while last >= 0:
            other = lowest[last]
            rise = line[place] - line[other]
            begin = rise / (2 * step * step * (place - other)) + (place + other) / 2
            if begin > begins[last]:
                break
            last -= 1
            begin = -np.inf
        last += 1
        lowest[last], begins[last] = place, begin
    if last < 0:
        return
    values = line[:n].copy()
    begins[last + 1] = np.inf
    at = 0
    for place in range(n):
        while begins[at + 1] < place:
            at += 1
        away = (place - lowest[at]) * step
        line[place] = values[lowest[at]] + away * away


@kernel
def find_middles(depth, sigma):
    """Return a difference of two Gaussians, of sigma and 1.6 sigma: about a Laplacian, with maxima in bodies.

    Parameters
    ----------
    depth : (z, y, x) float32 array
        Goes on beyond the box as at its border.
    sigma : (3,) float64 array
        In voxels.
    """
    narrow, wide = blur(depth, sigma), blur(depth, 1.6 * sigma)
    return narrow - wide


@kernel
def blur(image, sigma):
    """Return the Gaussian of an image, float32, cut off at 4 sigma, as SciPy's with ``mode="nearest"``."""
    n_z, n_y, n_x = image.shape
    along_x, along_y, along_z = np.zeros((3, n_z, n_y, n_x), np.float32)
    filled_x, filled_y = np.zeros((2, n_z, n_y), np.bool_)  # rows of zeros are many, and skipped
    weights = gaussian_weights(sigma[2])
    reach = len(weights) // 2
    padded = np.empty(n_x + 2 * reach, np.float32)
    for z in range(n_z):
        for y in range(n_y):
            row, result = image[z, y], along_x[z, y]
            if not row.any():
                continue
            filled_x[z, y] = True
            padded[:reach], padded[reach + n_x :] = row[0], row[-1]
            padded[reach : reach + n_x] = row
            for place in range(2 * reach + 1):
                add_scaled(result, padded[place : place + n_x], weights[place])
    weights = gaussian_weights(sigma[1])
    reach = len(weights) // 2
    for z in range(n_z):
        for y in range(n_y):
            for place in range(2 * reach + 1):
                near = min(max(y + place - reach, 0), n_y - 1)
                if filled_x[z, near]:
                    filled_y[z, y] = True
                    add_scaled(along_y[z, y], along_x[z, near], weights[place])
    weights = gaussian_weights(sigma[0])
    reach = len(weights) // 2
    for z in range(n_z):
        for y in range(n_y):
            for place in range(2 * reach + 1):
                near = min(max(z + place - reach, 0), n_z - 1)
                if filled_y[near, y]:
                    add_scaled(along_z[z, y], along_y[near, y], weights[place])
    return along_z


@kernel
def gaussian_weights(sigma):
    """Return the weights of a Gaussian, which add up to one."""
    reach = int(4 * sigma + 0.5)
    weights = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma) ** 2)
    return (weights / weights.sum()).astype(np.float32)


@kernel
def add_scaled(result, row, weight):
    """Add a row, times a weight, to the result."""
    for x in range(len(result)):
        result[x] += weight * row[x]


@kernel
def find_seeds(middles, filled, voxel, distance):
    """Return the maxima of `middles`, highest first, without those near a higher one that stays.

    Parameters
    ----------
    middles : (z, y, x) float32 array
    filled : (z, y, x) bool array
        Where seeds may lie.
    voxel : (3,) float64 array
        The size of a voxel.
    distance : float
        Seeds nearer to each other than that are one. Neighbours are near, however far the planes lie apart.

    Returns
    -------
    (n, 3) int64 array
    """
    n_z, n_y, n_x = middles.shape
    places, heights = [(0, 0, 0)], [np.float32(0)]
    for z in range(n_z):
        for y in range(n_y):
            for x in range(n_x):
                height = middles[z, y, x]
                if not filled[z, y, x] or height <= 0:
                    continue
                around = middles[max(z - 1, 0) : z + 2, max(y - 1, 0) : y + 2, max(x - 1, 0) : x + 2]
                if height >= around.max():
                    places.append((z, y, x))
                    heights.append(-height)
    order = np.argsort(np.array(heights)[1:], kind="mergesort") + 1
    step = np.minimum(voxel, distance / 1.5)
    seeds = np.empty((len(order), 3), np.int64)
    n = 0
    for index in order:
        z, y, x = places[index]
        is_near = False
        for other in range(n):
            away = abs(z - seeds[other, 0]), abs(y - seeds[other, 1]), abs(x - seeds[other, 2])
            square = (away[0] * step[0]) ** 2 + (away[1] * step[1]) ** 2 + (away[2] * step[2]) ** 2
            if square <= distance * distance or max(away) <= 1:
                is_near = True
                break
        if not is_near:
            seeds[n, 0], seeds[n, 1], seeds[n, 2] = z, y, x
            n += 1
    return seeds[:n]
