"""Euclidean distance transform of an object, and seeds at maxima of its difference of Gaussians."""

from __future__ import annotations

import numpy as np

from objclass._common.parallel import kernel


def fill_cavities(mask: np.ndarray) -> np.ndarray:
    """Return a mask with cavities filled: background that is not connected to the border of the box.

    Parameters
    ----------
    mask : (z, y, x) bool array
        Axes of length one have no border, so that a plane is filled in 2D.

    Returns
    -------
    (z, y, x) bool array
    """
    import cc3d

    margin = [(int(length > 1),) * 2 for length in mask.shape]
    background = np.pad(~mask, margin, constant_values=True)
    pieces = cc3d.connected_components(background, connectivity=6)
    inner = tuple(slice(first, first + n) for (first, _), n in zip(margin, mask.shape, strict=True))
    return mask | (pieces[inner] != pieces[0, 0, 0])


@kernel
def distance_transform(filled, spacing):
    """Return the Euclidean distance of each voxel to the nearest background voxel: float32.

    An object that fills its box has no background, and distances of 0.

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
    """Replace each value by the minimum of all values plus their squared distance along the line."""
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
def difference_of_gaussians(depth, sigma):
    """Return the difference of Gaussians of sigma and 1.6 sigma, which approximates a Laplacian.

    Parameters
    ----------
    depth : (z, y, x) float32 array
        Extended beyond the box by its border values.
    sigma : (3,) float64 array
        In voxels.
    """
    response = np.empty(depth.shape, np.float32)
    gaussian(depth, sigma, 1.0, response)
    wide = np.empty(depth.shape, np.float32)
    gaussian(depth, sigma, 1.6, wide)
    flat_response, flat_wide = response.reshape(-1), wide.reshape(-1)
    for voxel in range(depth.size):
        flat_response[voxel] -= flat_wide[voxel]
    return response


@kernel
def gaussian(image, sigma, factor, filtered):
    """Write the Gaussian of an image, float32, cut off at 4 sigma, as SciPy's with ``mode="nearest"``.

    Loops instead of slices: these take numba ten times as long to compile.
    """
    n_z, n_y, n_x = image.shape
    between = np.empty(image.shape, np.float32)
    filled = np.empty((2, n_z, n_y), np.bool_)  # rows of zeros are many, and skipped
    weights = gaussian_weights(factor * sigma[2])
    reach = len(weights) // 2
    padded = np.empty(n_x + 2 * reach, np.float32)
    for z in range(n_z):
        for y in range(n_y):
            row, is_filled = image[z, y], False
            for x in range(n_x + 2 * reach):
                padded[x] = row[min(max(x - reach, 0), n_x - 1)]
                is_filled = is_filled or padded[x] != 0
            filled[0, z, y] = is_filled
            clear(filtered[z, y])
            if is_filled:
                for place in range(2 * reach + 1):
                    add_scaled(filtered[z, y], padded[place:], weights[place])
    weights = gaussian_weights(factor * sigma[1])
    reach = len(weights) // 2
    for z in range(n_z):
        for y in range(n_y):
            filled[1, z, y] = False
            clear(between[z, y])
            for place in range(2 * reach + 1):
                near = min(max(y + place - reach, 0), n_y - 1)
                if filled[0, z, near]:
                    filled[1, z, y] = True
                    add_scaled(between[z, y], filtered[z, near], weights[place])
    weights = gaussian_weights(factor * sigma[0])
    reach = len(weights) // 2
    for z in range(n_z):
        for y in range(n_y):
            clear(filtered[z, y])
            for place in range(2 * reach + 1):
                near = min(max(z + place - reach, 0), n_z - 1)
                if filled[1, near, y]:
                    add_scaled(filtered[z, y], between[near, y], weights[place])


@kernel
def gaussian_weights(sigma):
    """Return the normalized weights of a Gaussian."""
    reach = int(4 * sigma + 0.5)
    exact, total = np.empty(2 * reach + 1, np.float64), 0.0
    for place in range(2 * reach + 1):
        away = (place - reach) / sigma
        exact[place] = np.exp(-0.5 * (away * away))
        total += exact[place]
    weights = np.empty(2 * reach + 1, np.float32)
    for place in range(2 * reach + 1):
        weights[place] = exact[place] / total
    return weights


@kernel
def clear(row):
    """Fill a row with zeros."""
    for x in range(len(row)):
        row[x] = 0


@kernel
def add_scaled(result, row, weight):
    """Add a row, times a weight, to the result."""
    for x in range(len(result)):
        result[x] += weight * row[x]


def find_seeds(response: np.ndarray, filled: np.ndarray, voxel: np.ndarray, distance: float) -> np.ndarray:
    """Return the maxima of `response`, highest first, without those near a higher one.

    Parameters
    ----------
    response : (z, y, x) float32 array
    filled : (z, y, x) bool array
        The mask of allowed seeds.
    voxel : (3,) float64 array
        The voxel size.
    distance : float
        The minimum distance between seeds. Neighbouring voxels are always too near, regardless of spacing.

    Returns
    -------
    (n, 3) int64 array
    """
    from scipy.ndimage import maximum_filter

    highest = maximum_filter(response, 3, mode="nearest")
    maxima = np.flatnonzero(filled & (response > 0) & (response == highest))
    places = np.stack(np.unravel_index(maxima, response.shape), axis=1)
    order = np.argsort(-response.reshape(-1)[maxima], kind="stable")
    return _thin_out(places[order], np.minimum(voxel, distance / 1.5), float(distance))


@kernel
def _thin_out(places, step, distance):
    """Return the places without those near an earlier one that stays, `step` being the size of a voxel."""
    n = 0
    for index in range(len(places)):
        is_near = False
        for other in range(n):
            square, farthest = 0.0, 0
            for axis in range(3):
                away = abs(places[index, axis] - places[other, axis])
                square += (away * step[axis]) ** 2
                farthest = max(farthest, away)
            if square <= distance * distance or farthest <= 1:
                is_near = True
                break
        if not is_near:
            for axis in range(3):
                places[n, axis] = places[index, axis]
            n += 1
    return places[:n]
