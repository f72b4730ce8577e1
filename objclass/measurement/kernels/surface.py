"""Surface area and perimeter by Crofton's formula, and the minimum width of convex hulls.

By Crofton's formula, the area of a surface is proportional to the number of its intersections with straight
lines of all directions. On the grid these are lines through neighbouring voxels, in 13 directions in 3D and 4
in 2D, each weighted by the fraction of directions that are nearest to it.

References
----------
Legland, Kiêu, Devaux: Computation of Minkowski measures on 2D and 3D binary images. Image Analysis &
Stereology 26 (2007), https://doi.org/10.5566/ias.v26.p83-92
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from objclass._common.kernels.hull import CORNER, NORMAL, OFFSET
from objclass._common.parallel import kernel


def crofton_weights(spacing: Sequence[float]) -> tuple[np.ndarray, np.ndarray]:
    """Return the offsets (k, 3) to half of the neighbours of a voxel, and the weight of a crossing of each.

    Parameters
    ----------
    spacing : sequence of two or three numbers
    """
    n_axes = len(spacing)
    steps = np.array([step for step in np.ndindex((3,) * n_axes)]) - 1
    steps = steps[len(steps) // 2 + 1 :]
    vectors = steps * np.asarray(spacing, float)
    lengths = np.linalg.norm(vectors, axis=1)
    units = np.vstack([vectors, -vectors]) / np.tile(lengths, 2)[:, np.newaxis]
    if n_axes == 2:
        angles = np.arctan2(units[:, 0], units[:, 1])
        order = np.argsort(angles)
        gaps = np.diff(angles[order], append=angles[order[0]] + 2 * np.pi)
        shares = np.empty(len(units))
        shares[order] = (gaps + np.roll(gaps, 1)) / (4 * np.pi)
    else:
        from scipy.spatial import SphericalVoronoi

        shares = SphericalVoronoi(units, threshold=1e-9).calculate_areas() / (4 * np.pi)
    shares = shares[: len(steps)] + shares[len(steps) :]
    # A line crosses the surface of a convex object twice. Mean projections: S = 4 x area, P = pi x width.
    factor = 4 if n_axes == 3 else np.pi
    weights = factor * shares / 2 * np.prod(spacing) / lengths
    return np.hstack([np.zeros((len(steps), 3 - n_axes), int), steps]), weights


@kernel
def count_crossings(solid, steps, weights):
    """Return the surface area of the True voxels of a box: the weighted number of crossings."""
    total = 0.0
    shape = solid.shape
    for plane in range(shape[0]):
        for line in range(shape[1]):
            for column in range(shape[2]):
                if not solid[plane, line, column]:
                    continue
                for index in range(len(steps)):
                    for sign in (-1, 1):
                        z = plane + sign * steps[index, 0]
                        y = line + sign * steps[index, 1]
                        x = column + sign * steps[index, 2]
                        outside = z < 0 or y < 0 or x < 0 or z >= shape[0] or y >= shape[1] or x >= shape[2]
                        if outside or not solid[z, y, x]:
                            total += weights[index]
    return total


@kernel
def measure_surfaces(labels, numbers, boxes, steps, weights, areas):
    """Write the surface area, or the perimeter, of objects.

    Parameters
    ----------
    labels : (z, y, x) int32 array
    numbers : (n,) int64 array
    boxes : (n, 6) int64 array
        Bounding boxes, as in `ObjectSums`.
    steps, weights : arrays
        From `crofton_weights`.
    areas : (n,) float64 array
        Output.
    """
    for index in range(len(numbers)):
        box = boxes[index]
        solid = labels[box[0] : box[3], box[1] : box[4], box[2] : box[5]] == numbers[index]
        areas[index] = count_crossings(solid, steps, weights)


@kernel
def hull_surface(low, high, width, steps, weights):
    """Return the surface of a convex set of voxels, given the ends of its rows."""
    solid = np.zeros((low.shape[0], low.shape[1], width), np.bool_)
    for plane in range(low.shape[0]):
        for line in range(low.shape[1]):
            for column in range(low[plane, line], high[plane, line] + 1):
                solid[plane, line, column] = True
    return count_crossings(solid, steps, weights)


@kernel
def minimum_width(facets, points, flat, spacing):
    """Return the minimum distance between two parallel planes around a hull, one of them along a facet.

    `points` are doubled; the hull of a flat object is a prism, of which only the sides count.
    """
    best = np.inf
    used = np.zeros(len(points), np.bool_)
    for facet in facets:
        for corner in range(3):
            used[facet[CORNER + corner]] = True
    corners = points[used]
    for facet in facets:
        z, y, x = facet[NORMAL], facet[NORMAL + 1], facet[NORMAL + 2]
        if flat and (z != 0 or (y == 0 and x == 0)):
            continue
        lowest = facet[OFFSET]
        for place in corners:
            lowest = min(lowest, z * place[0] + y * place[1] + x * place[2])
        length = np.sqrt((z / spacing[0]) ** 2 + (y / spacing[1]) ** 2 + (x / spacing[2]) ** 2)
        best = min(best, (facet[OFFSET] - lowest) / 2 / length)
    return best
