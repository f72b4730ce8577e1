"""Greatest Feret diameter: the largest distance between two points of the surface of a convex set of voxels.

The surface is the one halfway between voxels in and out: its points are the midpoints between two neighbours
of which one is in. Of these only the corners of the convex outline of each plane can be the farthest apart.
"""

from __future__ import annotations

import numpy as np

from objclass._common.kernels.outline import NOTHING, add_outline, outline_points, widen
from objclass._common.parallel import kernel


@kernel
def surface_ends(low, high, plane, line_low, line_high):
    """Write the first and the last surface point of the lines of one doubled plane, from line -1 on; doubled.

    `low` and `high` hold the ends of the rows of a convex set of voxels, without gaps in between.
    """
    line_low[:] = NOTHING
    line_high[:] = -NOTHING
    n_lines = low.shape[1]
    if plane % 2:
        for line in range(n_lines):
            below, above = (plane - 1) // 2, (plane + 1) // 2
            add_differences(low, high, below, line, above, line, line_low, line_high, 2 * line + 1)
        return
    middle = plane // 2
    for line in range(n_lines):
        if low[middle, line] <= high[middle, line]:
            widen(line_low, line_high, 2 * line + 1, 2 * low[middle, line] - 1, 2 * high[middle, line] + 1)
    for line in range(n_lines + 1):
        add_differences(low, high, middle, line - 1, middle, line, line_low, line_high, 2 * line)


@kernel
def add_differences(low, high, plane_a, line_a, plane_b, line_b, line_low, line_high, target):
    """Widen a doubled line to the columns in only one of two neighbouring rows, which may lie outside."""
    first_a, last_a = row_of(low, high, plane_a, line_a)
    first_b, last_b = row_of(low, high, plane_b, line_b)
    if first_a == first_b and last_a == last_b:
        return
    if first_a > last_a:
        first, last = first_b, last_b
    elif first_b > last_b:
        first, last = first_a, last_a
    else:
        first = min(first_a, first_b) if first_a != first_b else min(last_a, last_b) + 1
        last = max(last_a, last_b) if last_a != last_b else max(first_a, first_b) - 1
    widen(line_low, line_high, target, 2 * first, 2 * last)


@kernel
def row_of(low, high, plane, line):
    """Return the ends of a row, none if it is empty or outside."""
    if 0 <= plane < low.shape[0] and 0 <= line < low.shape[1] and low[plane, line] <= high[plane, line]:
        return low[plane, line], high[plane, line]
    return NOTHING, -NOTHING


@kernel
def surface_corners(low, high, width, flat, spacing):
    """Return those surface points of a convex set of voxels that can be the farthest apart.

    Parameters
    ----------
    low, high : (planes, lines) int64 arrays
        The ends of its rows; ``low > high`` where a row is empty.
    width : int
        Columns of the box around it.
    flat : bool
        The image has two dimensions: there is no surface above and below the plane.
    spacing : (3,) float64 array

    Returns
    -------
    (n, 3) float64 array
        In units of the spacing.
    """
    n_planes, n_lines = low.shape
    points = outline_points(n_planes, n_lines, width)
    line_low, line_high = np.empty(2 * n_lines + 1, np.int64), np.empty(2 * n_lines + 1, np.int64)
    n_points = np.int64(0)
    for plane in range(0 if flat else -1, 1 if flat else 2 * n_planes):
        surface_ends(low, high, plane, line_low, line_high)
        n_points = add_outline(plane, line_low, line_high, points, n_points)
    places = np.empty((n_points, 3))
    for index in range(n_points):
        for axis in range(3):
            places[index, axis] = points[index, axis] * spacing[axis] / 2
    return places


@kernel
def farthest_from(places, z, y, x):
    """Return the point farthest from a place, and the square of its distance."""
    best, farthest = -1.0, 0
    for index in range(len(places)):
        distance = (places[index, 0] - z) ** 2 + (places[index, 1] - y) ** 2 + (places[index, 2] - x) ** 2
        if distance > best:
            best, farthest = distance, index
    return farthest, best


@kernel
def largest_distance(places):
    """Return the largest distance between two of some places, exactly.

    Fast because two points farther apart than the best pair so far are not both within the ball around that
    pair: only the few points outside of it are compared with all.
    """
    best = 0.0
    first, second = 0, 0
    for _ in range(3):
        farthest, distance = farthest_from(places, places[second, 0], places[second, 1], places[second, 2])
        if distance > best:
            best, first, second = distance, second, farthest
    z = (places[first, 0] + places[second, 0]) / 2
    y = (places[first, 1] + places[second, 1]) / 2
    x = (places[first, 2] + places[second, 2]) / 2
    for index in range(len(places)):
        place = places[index]
        outside = (place[0] - z) ** 2 + (place[1] - y) ** 2 + (place[2] - x) ** 2
        if outside > best / 4 * (1 - 1e-12):
            best = max(best, farthest_from(places, place[0], place[1], place[2])[1])
    return np.sqrt(best)
