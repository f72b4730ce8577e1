"""Exact convex hull of lattice points in three dimensions.

Quickhull: a point outside the current hull replaces the facets visible from it by a cone over their horizon.
All decisions are signs of 64-bit integers, exact for coordinates of up to 2**19, so that coplanar points,
which are frequent among voxels, need no tolerance: a facet is visible only from strictly above its plane.
Fast because a point is compared only with the facets that replaced the one it was last above.

References
----------
Barber, Dobkin, Huhdanpaa: The Quickhull algorithm for convex hulls. ACM Transactions on Mathematical
Software 22 (1996), https://doi.org/10.1145/235815.235821
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from objclass._common.parallel import kernel

# Columns of a facet: its three corners, counter-clockwise from outside; the neighbouring facets, where edge k
# leads from corner k to corner k + 1; its outward normal; the dot product of the normal with any of its
# points; and the first of the points above it. -1 means none, and as first corner a removed facet.
CORNER, ACROSS, NORMAL, OFFSET, ABOVE, FACET = 0, 3, 6, 9, 10, 11


class Hull(NamedTuple):
    """A growing hull: coordinates of n points, facets, and for each point the next above the same facet."""

    points: np.ndarray
    """(n, 3) integers."""
    facets: np.ndarray
    """(m, FACET) integers."""
    following: np.ndarray
    """(n,) indices of points, -1 after the last."""


@kernel
def height(hull, index, point):
    """Return the signed distance of a point from the plane of a facet, times the length of the normal."""
    facet, place = hull.facets[index], hull.points[point]
    product = facet[NORMAL] * place[0] + facet[NORMAL + 1] * place[1] + facet[NORMAL + 2] * place[2]
    return product - facet[OFFSET]


@kernel
def set_facet(hull, index, first, second, third):
    """Make a facet of three points."""
    origin, to_second, to_third = hull.points[first], hull.points[second], hull.points[third]
    z2, y2, x2 = to_second[0] - origin[0], to_second[1] - origin[1], to_second[2] - origin[2]
    z3, y3, x3 = to_third[0] - origin[0], to_third[1] - origin[1], to_third[2] - origin[2]
    facet = hull.facets[index]
    facet[CORNER], facet[CORNER + 1], facet[CORNER + 2] = first, second, third
    facet[NORMAL] = y2 * x3 - x2 * y3
    facet[NORMAL + 1] = x2 * z3 - z2 * x3
    facet[NORMAL + 2] = z2 * y3 - y2 * z3
    facet[OFFSET] = facet[NORMAL] * origin[0] + facet[NORMAL + 1] * origin[1] + facet[NORMAL + 2] * origin[2]
    facet[ABOVE] = -1


@kernel
def find_horizon(hull, start, point, seen_from, seen, horizon):
    """Find the facets visible from `point`, beginning with `start`, and the horizon: the edges around them.

    Writes the facets to `seen`, and the two corners of each edge and the facet beyond it to `horizon`.
    Returns the number of each. `seen_from` holds, for every facet, the last point from which it was visible.
    """
    n_seen, n_horizon, done = 1, 0, 0
    seen[0] = start
    seen_from[start] = point
    while done < n_seen:
        facet = hull.facets[seen[done]]
        done += 1
        for edge in range(3):
            beyond = facet[ACROSS + edge]
            if seen_from[beyond] == point:
                continue
            if height(hull, beyond, point) > 0:
                seen_from[beyond] = point
                seen[n_seen] = beyond
                n_seen += 1
            else:
                horizon[n_horizon, 0] = facet[CORNER + edge]
                horizon[n_horizon, 1] = facet[CORNER + (edge + 1) % 3]
                horizon[n_horizon, 2] = beyond
                n_horizon += 1
    return n_seen, n_horizon


@kernel
def add_cone(hull, point, horizon, n_horizon, fresh, starting_at):
    """Join `point` to each edge of the horizon by one of the `fresh` facets; `starting_at` is a buffer."""
    for index in range(n_horizon):
        start, stop, beyond = horizon[index, 0], horizon[index, 1], horizon[index, 2]
        facet = fresh[index]
        set_facet(hull, facet, start, stop, point)
        hull.facets[facet, ACROSS] = beyond
        for edge in range(3):
            if hull.facets[beyond, CORNER + edge] == stop:
                hull.facets[beyond, ACROSS + edge] = facet
        starting_at[start] = facet
    for index in range(n_horizon):
        facet, neighbour = fresh[index], starting_at[horizon[index, 1]]
        hull.facets[facet, ACROSS + 1] = neighbour
        hull.facets[neighbour, ACROSS + 2] = facet


@kernel
def assign_point(hull, point, facets, n_facets):
    """Assign a point to the first facet that it is above; a point above none is inside the hull."""
    for index in range(n_facets):
        facet = facets[index]
        if height(hull, facet, point) > 0:
            hull.following[point] = hull.facets[facet, ABOVE]
            hull.facets[facet, ABOVE] = point
            return


@kernel
def highest_above(hull, facet):
    """Return the highest of the points above a facet."""
    best, best_height = -1, 0
    point = hull.facets[facet, ABOVE]
    while point >= 0:
        point_height = height(hull, facet, point)
        if point_height > best_height:
            best, best_height = point, point_height
        point = hull.following[point]
    return best


@kernel
def remove_facets(hull, removed, n_removed, unused, n_unused):
    """Move facets to the stack `unused`; return the first point of a linked list of the points above them."""
    first = -1
    for index in range(n_removed):
        facet = removed[index]
        unused[n_unused + index] = facet
        point = hull.facets[facet, ABOVE]
        hull.facets[facet, CORNER] = hull.facets[facet, ABOVE] = -1
        while point >= 0:
            following = hull.following[point]
            hull.following[point] = first
            first, point = point, following
    return first


@kernel
def first_corners(points):
    """Return two points far apart, a third far from their line, and a fourth far from their plane."""
    first = second = third = fourth = 0
    best = 2**62
    for index in range(len(points)):
        rank = points[index, 0] + points[index, 1] + points[index, 2]
        if rank < best:
            first, best = index, rank
    z1, y1, x1 = points[first, 0], points[first, 1], points[first, 2]
    best = 0
    for index in range(len(points)):
        distance = abs(points[index, 0] - z1) + abs(points[index, 1] - y1) + abs(points[index, 2] - x1)
        if distance > best:
            second, best = index, distance
    z2, y2, x2 = points[second, 0] - z1, points[second, 1] - y1, points[second, 2] - x1
    best = 0
    normal_z = normal_y = normal_x = 0
    for index in range(len(points)):
        z, y, x = points[index, 0] - z1, points[index, 1] - y1, points[index, 2] - x1
        across_z, across_y, across_x = y2 * x - x2 * y, x2 * z - z2 * x, z2 * y - y2 * z
        area = abs(across_z) + abs(across_y) + abs(across_x)
        if area > best:
            third, best = index, area
            normal_z, normal_y, normal_x = across_z, across_y, across_x
    best = 0
    for index in range(len(points)):
        z, y, x = points[index, 0] - z1, points[index, 1] - y1, points[index, 2] - x1
        volume = abs(normal_z * z + normal_y * y + normal_x * x)
        if volume > best:
            fourth, best = index, volume
    return first, second, third, fourth


@kernel
def convex_hull(points):
    """Return the convex hull of points as triangles; a flat face may consist of several.

    Parameters
    ----------
    points : (n, 3) int64 array
        Not all coplanar, coordinates of at most 2**19. Duplicates are allowed.

    Returns
    -------
    (m, FACET) int64 array
    """
    n_points = len(points)
    n_most = 2 * n_points + 4  # a hull of n corners has 2 n - 4 triangles at most
    hull = Hull(points, np.empty((n_most, FACET), np.int64), np.empty(n_points, np.int64))
    horizon, starting_at = np.empty((n_most, 3), np.int64), np.empty(n_points, np.int64)
    seen, seen_from, fresh = (
        np.empty(n_most, np.int64),
        np.empty(n_most, np.int64),
        np.empty(n_most, np.int64),
    )
    unused, pending, is_pending = (
        np.empty(n_most, np.int64),
        np.empty(n_most, np.int64),
        np.empty(n_most, np.int64),
    )
    for facet in range(n_most):
        hull.facets[facet, CORNER] = hull.facets[facet, ABOVE] = seen_from[facet] = -1
        is_pending[facet] = 0
        unused[facet] = n_most - 1 - facet  # a stack, as is `pending`, the facets with points above them
    n_pending, n_unused = 0, n_most

    # Start from the two sides of one triangle; the fourth corner is above one of them.
    first, second, third, fourth = first_corners(points)
    for index in range(4):
        n_unused -= 1
        fresh[index] = unused[n_unused]
    set_facet(hull, fresh[0], first, second, third)
    set_facet(hull, fresh[3], second, first, third)
    if height(hull, fresh[0], fourth) < 0:
        fresh[0], fresh[3] = fresh[3], fresh[0]
    for edge in range(ACROSS, ACROSS + 3):
        hull.facets[fresh[0], edge], hull.facets[fresh[3], edge] = fresh[3], fresh[0]
    n_horizon = find_horizon(hull, fresh[0], fourth, seen_from, seen, horizon)[1]
    add_cone(hull, fourth, horizon, n_horizon, fresh, starting_at)
    n_fresh = n_horizon + 1
    for point in range(n_points):
        assign_point(hull, point, fresh, n_fresh)

    while True:
        for index in range(n_fresh):
            facet = fresh[index]
            if hull.facets[facet, ABOVE] >= 0 and not is_pending[facet]:
                pending[n_pending] = facet
                n_pending += 1
                is_pending[facet] = 1
        if n_pending == 0:
            break
        n_pending -= 1
        facet = pending[n_pending]
        is_pending[facet] = 0
        n_fresh = 0
        if hull.facets[facet, ABOVE] < 0:
            continue
        point = highest_above(hull, facet)
        n_seen, n_fresh = find_horizon(hull, facet, point, seen_from, seen, horizon)
        orphan = remove_facets(hull, seen, n_seen, unused, n_unused)
        n_unused += n_seen
        for index in range(n_fresh):
            n_unused -= 1
            fresh[index] = unused[n_unused]
        add_cone(hull, point, horizon, n_fresh, fresh, starting_at)
        while orphan >= 0:
            following = hull.following[orphan]
            assign_point(hull, orphan, fresh, n_fresh)
            orphan = following

    n_kept = 0
    for facet in range(n_most):
        if hull.facets[facet, CORNER] >= 0:
            for column in range(FACET):
                hull.facets[n_kept, column] = hull.facets[facet, column]
            n_kept += 1
    return hull.facets[:n_kept]
