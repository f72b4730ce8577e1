"""Solidity of the parts of an object."""

from __future__ import annotations

import numpy as np

from objclass._common.kernels.hull import OFFSET, convex_hull
from objclass._common.kernels.outline import NOTHING, find_candidates
from objclass._common.parallel import kernel


@kernel
def place_in(shape, voxel):
    """Return the (z, y, x) of a flat index."""
    row = voxel // shape[2]
    plane = row // shape[1]
    return plane, row - plane * shape[1], voxel - row * shape[2]


@kernel
def solidity(voxels, shape, flat):
    """Return the solidity of an object: the filled fraction of its convex hull, at most 1.

    The hull is that of the centres of voxel faces; solidity does not depend on the voxel size.

    Parameters
    ----------
    voxels : (n,) int32 array
        Flat indices into a box, at least one.
    shape : (3,) tuple
        The shape of the box.
    flat : bool
        Whether the image is 2D.
    """
    z_low, y_low, x_low = shape
    z_high = y_high = x_high = 0
    for index in range(len(voxels)):
        z, y, x = place_in(shape, voxels[index])
        z_low, z_high = min(z_low, z), max(z_high, z)
        y_low, y_high = min(y_low, y), max(y_high, y)
        x_low, x_high = min(x_low, x), max(x_high, x)
    low = np.full((z_high - z_low + 1, y_high - y_low + 1), NOTHING, np.int64)
    high = np.full(low.shape, -NOTHING, np.int64)
    for index in range(len(voxels)):
        z, y, x = place_in(shape, voxels[index])
        row, line = z - z_low, y - y_low
        low[row, line] = min(low[row, line], x - x_low)
        high[row, line] = max(high[row, line], x - x_low)
    facets = convex_hull(find_candidates(low, high, x_high - x_low + 1, flat))
    volume = 0
    for index in range(len(facets)):
        volume += facets[index, OFFSET]
    # Six tetrahedra form a parallelepiped; coordinates are doubled, and a 2D object is two of them thick.
    hull = volume / 6 / 8
    return min(1.0, len(voxels) / hull)


@kernel
def voxels_of_parts(parts, n_parts):
    """Return the concatenated flat indices of the voxels of parts 1…n, and the offset of each part."""
    flat_parts = parts.reshape(-1)
    starts = np.zeros(n_parts + 2, np.int64)
    for voxel in range(flat_parts.size):
        starts[flat_parts[voxel] + 1] += flat_parts[voxel] > 0
    for part in range(n_parts + 1):
        starts[part + 1] += starts[part]
    voxels, ends = np.empty(starts[n_parts + 1], np.int32), starts.copy()
    for voxel in range(flat_parts.size):
        part = flat_parts[voxel]
        if part > 0:
            voxels[ends[part]] = voxel
            ends[part] += 1
    return voxels, starts[1:]


@kernel
def mean_solidity(parts, n_parts, flat):
    """Return the mean solidity of the parts 1…n of an object, none of them empty, weighted by their sizes."""
    voxels, starts = voxels_of_parts(parts, n_parts)
    total = 0.0
    for part in range(n_parts):
        own = voxels[starts[part] : starts[part + 1]]
        total += len(own) * solidity(own, parts.shape, flat)
    return total / len(voxels)
