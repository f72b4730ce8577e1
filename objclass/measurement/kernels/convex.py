"""Convex hull of every object on the voxel grid: its number of voxels, and its maximum diameter.

A voxel is represented by the points half a voxel from its centre along the axes (four in 2D, six in 3D), as
in scikit-image. Coordinates are doubled, so that these points are integers. The hull of an object depends
only on the first and the last voxel of its rows; those of several blocks merge by minimum and maximum.
"""

from __future__ import annotations

import numpy as np

from objclass._common.kernels.hull import CORNER, NORMAL, OFFSET, convex_hull
from objclass._common.kernels.outline import NOTHING, find_candidates
from objclass._common.parallel import kernel
from objclass.measurement.kernels.feret import largest_distance, surface_corners
from objclass.measurement.kernels.surface import hull_surface, minimum_width


@kernel
def is_flat(low, high):
    """Return whether all voxels of an object are coplanar, computed exactly."""
    rank = -1
    z1 = y1 = x1 = z2 = y2 = x2 = normal_z = normal_y = normal_x = 0
    for plane in range(low.shape[0]):
        for line in range(low.shape[1]):
            if low[plane, line] > high[plane, line]:
                continue
            for end in (low[plane, line], high[plane, line]):
                z, y, x = plane - z1, line - y1, end - x1
                if rank < 0:
                    z1, y1, x1 = plane, line, end
                    rank = 0
                elif rank == 0:
                    if z != 0 or y != 0 or x != 0:
                        z2, y2, x2 = z, y, x
                        rank = 1
                elif rank == 1:
                    normal_z, normal_y, normal_x = y2 * x - x2 * y, x2 * z - z2 * x, z2 * y - y2 * z
                    if normal_z != 0 or normal_y != 0 or normal_x != 0:
                        rank = 2
                elif normal_z * z + normal_y * y + normal_x * x != 0:
                    return False
    return True


@kernel
def on_edge(start, stop, plane):
    """Return where an edge between two points intersects a plane, as a fraction of two integers."""
    rise = stop[0] - start[0]
    return start[1] * rise + (stop[1] - start[1]) * (plane - start[0]), rise


@kernel
def fill_rows(facets, points, low, high):
    """Write the first and the last voxel centre inside a hull for each row of a box; return their number.

    Every facet is rasterized once and bounds the rows that it covers from above or from below.
    """
    low[:] = NOTHING
    high[:] = -NOTHING
    for index in range(len(facets)):
        facet = facets[index]
        across = facet[NORMAL + 2]
        if across == 0:
            continue
        bottom, middle, top = points[facet[CORNER]], points[facet[CORNER + 1]], points[facet[CORNER + 2]]
        if bottom[0] > middle[0]:
            bottom, middle = middle, bottom
        if middle[0] > top[0]:
            middle, top = top, middle
        if bottom[0] > middle[0]:
            bottom, middle = middle, bottom
        for plane in range(max((bottom[0] + 1) // 2, 0), min(top[0] // 2 + 1, low.shape[0])):
            here, here_rise = on_edge(bottom, top, 2 * plane)
            if 2 * plane < middle[0]:
                there, there_rise = on_edge(bottom, middle, 2 * plane)
            elif 2 * plane > middle[0]:
                there, there_rise = on_edge(middle, top, 2 * plane)
            else:
                there, there_rise = middle[1], 1
            if here * there_rise > there * here_rise:
                here, here_rise, there, there_rise = there, there_rise, here, here_rise
            first = max(-(-here // (2 * here_rise)), 0)
            last = min(there // (2 * there_rise), low.shape[1] - 1)
            for line in range(first, last + 1):
                room = facet[OFFSET] - facet[NORMAL] * 2 * plane - facet[NORMAL + 1] * 2 * line
                if across > 0:
                    high[plane, line] = room // (2 * across)
                else:
                    low[plane, line] = -(room // (-2 * across))
    volume = 0
    for plane in range(low.shape[0]):
        for line in range(low.shape[1]):
            volume += max(high[plane, line] - low[plane, line] + 1, 0)
    return volume


@kernel
def measure_hull_shapes(
    boxes, starts, low, high, flat, spacing, steps, weights, volumes, diameters, surfaces, widths
):
    """Like `measure_hulls`, and write the surface and the minimum diameter of the convex hull.

    Parameters
    ----------
    boxes, starts, low, high, flat, spacing, volumes, diameters
        As in `measure_hulls`.
    steps, weights : arrays
        From `crofton_weights`.
    surfaces, widths : (n,) float64 arrays
        Output.
    """
    for index in range(len(boxes)):
        box = boxes[index]
        shape, width = (box[3] - box[0], box[4] - box[1]), box[5] - box[2]
        object_low = low[starts[index] : starts[index + 1]].reshape(shape)
        object_high = high[starts[index] : starts[index + 1]].reshape(shape)
        if not flat and is_flat(object_low, object_high):
            volumes[index] = diameters[index] = surfaces[index] = widths[index] = np.nan
            continue
        points = find_candidates(object_low, object_high, width, flat)
        facets = convex_hull(points)
        volumes[index] = fill_rows(facets, points, object_low, object_high)
        diameters[index] = largest_distance(surface_corners(object_low, object_high, width, flat, spacing))
        widths[index] = minimum_width(facets, points, flat, spacing)
        surfaces[index] = hull_surface(object_low, object_high, steps, weights)


@kernel
def measure_hulls(boxes, starts, low, high, flat, spacing, volumes, diameters):
    """Write the number of voxels in the convex hull and the maximum Feret diameter of objects.

    Both are NaN for a 3D object that lies in a plane.

    Parameters
    ----------
    boxes : (n, 6) int64 array
        Bounding boxes, as in `ObjectSums`.
    starts, low, high : int64 arrays
        The ends of all rows, from `row_ends`; overwritten by those of the hulls.
    flat : bool
        Whether the image is 2D.
    spacing : (3,) float64 array
        The spacing for the diameter.
    volumes, diameters : (n,) float64 arrays
        Output.
    """
    for index in range(len(boxes)):
        box = boxes[index]
        shape, width = (box[3] - box[0], box[4] - box[1]), box[5] - box[2]
        object_low = low[starts[index] : starts[index + 1]].reshape(shape)
        object_high = high[starts[index] : starts[index + 1]].reshape(shape)
        if not flat and is_flat(object_low, object_high):
            volumes[index] = diameters[index] = np.nan
            continue
        points = find_candidates(object_low, object_high, width, flat)
        volumes[index] = fill_rows(convex_hull(points), points, object_low, object_high)
        places = surface_corners(object_low, object_high, width, flat, spacing)
        diameters[index] = largest_distance(places)
