"""Outlines of objects: the first and last voxel of every row, and the convex outline of each plane.

The convex hull and the diameter of an object depend on the ends of its rows only. Those of an object in
several blocks of an image merge by minimum and maximum.
"""

from __future__ import annotations

import numpy as np

from objclass._common.parallel import kernel

NOTHING = 2**30
"""An empty row has the ends ``low = NOTHING`` and ``high = -NOTHING``."""


def first_rows(boxes: np.ndarray) -> np.ndarray:
    """Return the offset of the rows of each object in one array of the rows of all: (n + 1,) int64."""
    rows = np.prod(boxes[:, 3:5] - boxes[:, :2], axis=1, dtype=np.int64)
    return np.concatenate([[0], np.cumsum(rows)])


@kernel
def row_ends(labels, numbers, boxes, starts, low, high):
    """Write the first and the last x of every row of objects, relative to their bounding boxes.

    Parameters
    ----------
    labels : (z, y, x) int32 array
    numbers : (n,) int64 array
    boxes : (n, 6) int64 array
        Bounding boxes, as in `ObjectSums`.
    starts : (n + 1,) int64 array
        From `first_rows`.
    low, high : (rows,) int64 arrays
            Output.
    """
    for index in range(len(numbers)):
        number, box = numbers[index], boxes[index]
        target, width = starts[index], box[5] - box[2]
        for plane in range(box[0], box[3]):
            for line in range(box[1], box[4]):
                row = labels[plane, line, box[2] : box[5]]
                first, last = 0, width - 1
                while first < width and row[first] != number:
                    first += 1
                while last > first and row[last] != number:
                    last -= 1
                low[target], high[target] = (first, last) if first < width else (NOTHING, -NOTHING)
                target += 1


@kernel
def widen(low, high, line, first, last):
    """Extend a line of an outline to reach from `first` to `last`."""
    low[line] = min(low[line], first)
    high[line] = max(high[line], last)


@kernel
def add_outline(plane, low, high, points, n_points):
    """Append the corners of the convex outline of one plane to `points`; return the new number of points.

    `low` and `high` hold the ends of its lines, the first of which is line -1. This is Andrew's monotone
    chain on either side of x, with the list of points as its stack.
    """
    for side in range(-1, 2, 2):
        first = n_points
        for line in range(len(low)):
            if low[line] > high[line]:
                continue
            end = high[line] if side < 0 else low[line]
            while n_points - first >= 2:
                last, before = points[n_points - 1], points[n_points - 2]
                rise, step = line - 1 - before[1], end - before[2]
                if ((last[1] - before[1]) * step - (last[2] - before[2]) * rise) * side > 0:
                    break
                n_points -= 1
            points[n_points, 0], points[n_points, 1], points[n_points, 2] = plane, line - 1, end
            n_points += 1
    return n_points


@kernel
def outline_points(n_planes, n_lines, width):
    """Return a buffer for the corners of the outlines of all doubled planes of a box.

    A convex chain on a lattice has no more corners than lines, and not many more than columns.
    """
    most = 2 * min(2 * n_lines + 1, 4 * width + 8)
    return np.empty(((2 * n_planes + 1) * most, 3), np.int64)


@kernel
def candidate_ends(low, high, plane, line_low, line_high):
    """Write the ends of the lines of one doubled plane, the only candidates for corners of the hull.

    Parameters
    ----------
    low, high : (planes, lines) int64 arrays
        From `row_ends`.
    plane : int
        In doubled coordinates, from -1: an even plane holds voxel centres and the midpoints within the
        plane, an odd one the midpoints to the next plane.
    line_low, line_high : (2 * lines + 1,) int64 arrays
        Output for lines from -1, in doubled coordinates.
    """
    line_low[:] = NOTHING
    line_high[:] = -NOTHING
    for near in range(max(plane // 2, 0), min((plane + 1) // 2 + 1, low.shape[0])):
        for line in range(low.shape[1]):
            if low[near, line] > high[near, line]:
                continue
            first, last = 2 * low[near, line], 2 * high[near, line]
            if plane % 2:
                widen(line_low, line_high, 2 * line + 1, first, last)
            else:
                widen(line_low, line_high, 2 * line, first, last)
                widen(line_low, line_high, 2 * line + 1, first - 1, last + 1)
                widen(line_low, line_high, 2 * line + 2, first, last)


@kernel
def find_candidates(low, high, width, flat):
    """Return the points of an object, in doubled coordinates, that can be corners of its hull.

    A 2D object is taken as a prism that reaches one doubled plane up and down.
    """
    n_planes, n_lines = low.shape
    points = outline_points(n_planes, n_lines, width)
    line_low, line_high = np.empty(2 * n_lines + 1, np.int64), np.empty(2 * n_lines + 1, np.int64)
    n_points = np.int64(0)
    for plane in range(0 if flat else -1, 1 if flat else 2 * n_planes):
        candidate_ends(low, high, plane, line_low, line_high)
        for copy in range(plane - flat, plane + flat + 1, 2):
            n_points = add_outline(copy, line_low, line_high, points, n_points)
    return points[:n_points]
