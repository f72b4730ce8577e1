"""Surface area and perimeter by Crofton's formula, and the minimum width of convex hulls.

By Crofton's formula, the area of a surface is proportional to the number of its intersections with straight
lines of all directions. On the grid these are lines through neighbouring voxels, in 13 directions in 3D and 4
in 2D, each weighted by the fraction of directions that are nearest to it.

References
----------
Legland, Kiêu, Devaux: Computation of Minkowski measures on 2D and 3D binary images. Image Analysis &
Stereology 26 (2007), https://doi.org/10.5566/ias.v26.p83-92

Houle, Toussaint: Computing the width of a set. IEEE Transactions on Pattern Analysis and Machine Intelligence
10 (1988), https://doi.org/10.1109/34.6790
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from objclass._common.kernels.hull import CORNER, NORMAL
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
    """Return the surface area of the voxels of value 1 in a box with a margin of one voxel of value 0."""
    total = 0.0
    voxels, (n_lines, n_columns) = solid.reshape(-1), solid.shape[1:]
    first = (n_lines + 1) * n_columns + 1
    stop = voxels.size - first
    for index in range(len(steps)):
        step = (steps[index, 0] * n_lines + steps[index, 1]) * n_columns + steps[index, 2]
        here, there = voxels[first:stop], voxels[first + step : stop + step]
        n_left = 0
        for place in range(len(here)):
            n_left += here[place] > there[place]
        total += 2 * n_left * weights[index]  # each line enters the object as often as it leaves it
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
        solid = np.zeros((box[3] - box[0] + 2, box[4] - box[1] + 2, box[5] - box[2] + 2), np.uint8)
        solid[1:-1, 1:-1, 1:-1] = labels[box[0] : box[3], box[1] : box[4], box[2] : box[5]] == numbers[index]
        areas[index] = count_crossings(solid, steps, weights)


@kernel
def hull_surface(low, high, steps, weights):
    """Return the surface of a convex set of voxels, given the ends of its rows."""
    total = 0.0
    n_planes, n_lines = low.shape
    for index in range(len(steps)):
        n_left = 0
        for plane in range(n_planes):
            for line in range(n_lines):
                n_left += max(high[plane, line] - low[plane, line] + 1, 0)
                above, beside = plane + steps[index, 0], line + steps[index, 1]
                if above < n_planes and 0 <= beside < n_lines:
                    first = max(low[plane, line], low[above, beside] - steps[index, 2])
                    last = min(high[plane, line], high[above, beside] - steps[index, 2])
                    n_left -= max(last - first + 1, 0)
        total += 2 * n_left * weights[index]  # each line enters the object as often as it leaves it
    return total


@kernel
def hull_edges(facets, n_points):
    """Return the edges of a hull by corner.

    Returns
    -------
    starts : (n_points + 1,) int64 array
        Where the edges from each point start.
    ends, sides : int64 arrays
        The other end of each edge, and the facet to its left.
    """
    starts = np.zeros(n_points + 1, np.int64)
    for facet in facets:
        for corner in range(CORNER, CORNER + 3):
            starts[facet[corner] + 1] += 1
    starts = np.cumsum(starts)
    free = starts.copy()
    ends, sides = np.empty((2, starts[-1]), np.int64)
    for index in range(len(facets)):
        for corner in range(3):
            start = facets[index, CORNER + corner]
            ends[free[start]], sides[free[start]] = facets[index, CORNER + (corner + 1) % 3], index
            free[start] += 1
    return starts, ends, sides


@kernel
def rise(normal, start, stop):
    """Return the dot product of a normal with the step between two points."""
    return (
        normal[0] * (stop[0] - start[0]) + normal[1] * (stop[1] - start[1]) + normal[2] * (stop[2] - start[2])
    )


@kernel
def width_along(normal, start, stop, spacing):
    """Return the distance between two parallel planes through two points, which are doubled."""
    squared = 0.0
    for axis in range(3):
        squared += (normal[axis] / spacing[axis]) ** 2
    return abs(rise(normal, start, stop)) / 2 / np.sqrt(squared) if squared > 0 else np.inf


@kernel
def normal_of(facet):
    """Return the outward normal of a facet."""
    return facet[NORMAL], facet[NORMAL + 1], facet[NORMAL + 2]


@kernel
def lowest_corner(normal, corner, points, starts, ends):
    """Return the corner of a hull that is lowest along a normal, descending from `corner` along edges."""
    while True:
        lowest, best = corner, 0
        for place in range(starts[corner], starts[corner + 1]):
            step = rise(normal, points[corner], points[ends[place]])
            if step < best:
                lowest, best = ends[place], step
        if lowest == corner:
            return corner
        corner = lowest


@kernel
def width_across(first, second, corner, start, stop, hull, spacing):
    """Return the minimum width of a hull between an edge and the edges opposite to it.

    While a plane turns around the edge, from one of its facets to the other, the parallel plane on the other
    side of the hull rolls over corners; at each of its edges it has an edge in common with the hull.

    Parameters
    ----------
    first, second : tuples of three int
        The normals of the facets beside the edge.
    corner : int
        The lowest corner along `first`.
    start, stop : (3,) int64 arrays
        The edge.
    hull : tuple
        The points, and the edges from `hull_edges`.
    spacing : (3,) float64 array
    """
    points, starts, ends = hull
    best = np.inf
    while True:
        soonest, following = np.inf, -1
        for place in range(starts[corner], starts[corner + 1]):
            after = rise(second, points[corner], points[ends[place]])
            if after < 0:
                before = rise(first, points[corner], points[ends[place]])
                turn = before / (before - after)
                if turn < soonest:
                    soonest, following = turn, ends[place]
        if following < 0:
            return best
        edge, other = stop - start, points[following] - points[corner]
        normal = (
            edge[1] * other[2] - edge[2] * other[1],
            edge[2] * other[0] - edge[0] * other[2],
            edge[0] * other[1] - edge[1] * other[0],
        )
        best = min(best, width_along(normal, start, points[corner], spacing))
        corner = following


@kernel
def minimum_width(facets, points, flat, spacing):
    """Return the minimum distance between two parallel planes around a hull.

    One of them lies along a facet, or both along an edge.

    Parameters
    ----------
    facets, points : arrays
        From `convex_hull`; the points are doubled.
    flat : bool
        Whether the image is 2D: the hull is a prism, of which only the sides count.
    spacing : (3,) float64 array
    """
    starts, ends, sides = hull_edges(facets, len(points))
    lowest = np.empty(len(facets), np.int64)
    corner, best = facets[0, CORNER], np.inf
    for index in range(len(facets)):
        normal, top = normal_of(facets[index]), points[facets[index, CORNER]]
        other = 0
        while rise(normal, top, points[corner]) == 0:  # inside this flat face no edge leads down
            corner = facets[other, CORNER]
            other += 1
        corner = lowest[index] = lowest_corner(normal, corner, points, starts, ends)
        if not flat or (normal[0] == 0 and (normal[1] != 0 or normal[2] != 0)):
            best = min(best, width_along(normal, top, points[corner], spacing))
    if flat:
        return best
    for start in range(len(points)):
        for place in range(starts[start], starts[start + 1]):
            stop = ends[place]
            if stop < start:
                continue
            back = starts[stop]
            while ends[back] != start:
                back += 1
            left, right = sides[place], sides[back]
            normals = normal_of(facets[left]), normal_of(facets[right])
            edge = points[start], points[stop]
            width = width_across(*normals, lowest[left], *edge, (points, starts, ends), spacing)
            best = min(best, width)
    return best
