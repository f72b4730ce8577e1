"""Contacts between objects, and distances between their surfaces."""

from __future__ import annotations

import numpy as np

from objclass._common.parallel import kernel


@kernel
def count_faces(labels, rows, areas, border):
    """Sum the voxel faces at the border of objects, and list those at which two objects touch.

    Parameters
    ----------
    labels : (z, y, x) int32 array
    rows : (largest label + 1,) int32 array
        The row of each label in the table.
    areas : (3,) float64 array
        Of a face across z, y and x; 0 along an axis that does not count.
    border : (n, 2) float64 array
        The area of border faces, and of those that touch another object; updated in place.

    Returns
    -------
    (m, 2) int32 array
        The rows of pairs of touching objects, with duplicates.
    """
    contacts, found = np.empty((1024, 2), np.int32), 0
    shape = labels.shape
    for axis in range(3):
        if areas[axis] == 0:
            continue
        dz, dy, dx = int(axis == 0), int(axis == 1), int(axis == 2)
        for plane in range(shape[0] + dz):
            for line in range(shape[1] + dy):
                row = labels[min(plane, shape[0] - 1), min(line, shape[1] - 1)]
                before = labels[max(plane - dz, 0), max(line - dy, 0)]
                outside, starts = plane == shape[0] or line == shape[1], plane < dz or line < dy
                for column in range(shape[2] + dx):
                    number = 0 if outside or column == shape[2] else row[column]
                    other = 0 if starts or column < dx else before[column - dx]
                    if number == other:
                        continue
                    if number != 0:
                        border[rows[number], 0] += areas[axis]
                    if other != 0:
                        border[rows[other], 0] += areas[axis]
                    if number != 0 and other != 0:
                        border[rows[number], 1] += areas[axis]
                        border[rows[other], 1] += areas[axis]
                        if found == len(contacts):
                            more = np.empty((2 * found, 2), np.int32)
                            more[:found] = contacts
                            contacts = more
                        contacts[found, 0], contacts[found, 1] = rows[number], rows[other]
                        found += 1
    return contacts[:found]


@kernel
def surface_voxels(labels, numbers, boxes, flat, starts, places):
    """Count the surface voxels of each object, or write their positions if `places` is not empty."""
    for index in range(len(numbers)):
        number, box = numbers[index], boxes[index]
        n = starts[index] if len(places) else 0
        for plane in range(box[0], box[3]):
            for line in range(box[1], box[4]):
                for column in range(box[2], box[5]):
                    if labels[plane, line, column] != number:
                        continue
                    edge = False
                    for axis in range(flat, 3):
                        for sign in (-1, 1):
                            z = plane + sign * (axis == 0)
                            y = line + sign * (axis == 1)
                            x = column + sign * (axis == 2)
                            if (
                                z < box[0]
                                or y < box[1]
                                or x < box[2]
                                or z >= box[3]
                                or y >= box[4]
                                or x >= box[5]
                            ) or labels[z, y, x] != number:
                                edge = True
                    if edge:
                        if len(places):
                            places[n, 0], places[n, 1], places[n, 2] = plane, line, column
                        n += 1
        if not len(places):
            starts[index + 1] = n


@kernel
def box_distance(first, second, spacing):
    """Return the minimum squared distance between voxels of two bounding boxes."""
    total = 0.0
    for axis in range(3):
        gap = max(second[axis] - first[axis + 3] + 1, first[axis] - second[axis + 3] + 1, 0)
        total += (gap * spacing[axis]) ** 2
    return total


@kernel
def surface_distance(places, start_a, stop_a, start_b, stop_b, box_b, spacing, best):
    """Return the minimum squared distance between voxels of two objects, or `best` if that is less."""
    for a in range(start_a, stop_a):
        limit = 0.0
        for axis in range(3):
            gap = max(box_b[axis] - places[a, axis], places[a, axis] - box_b[axis + 3] + 1, 0)
            limit += (gap * spacing[axis]) ** 2
        if limit >= best:
            continue
        for b in range(start_b, stop_b):
            z = (places[a, 0] - places[b, 0]) * spacing[0]
            y = (places[a, 1] - places[b, 1]) * spacing[1]
            x = (places[a, 2] - places[b, 2]) * spacing[2]
            best = min(best, z * z + y * y + x * x)
    return best


@kernel
def nearest_surfaces(first, stop, starts, places, boxes, spacing, candidates, offsets, result):
    """Write the minimum distance from the voxels of objects to those of their candidates.

    Parameters
    ----------
    first, stop : int
        The range of objects.
    starts, places : arrays
        From `surface_voxels`.
    boxes : (n, 6) int64 array
    spacing : (3,) float64 array
    candidates : (m,) int64 array
        Rows of objects, the nearest ones first; those of object i begin at ``offsets[i]``.
    offsets : (n + 1,) int64 array
    result : (n,) float64 array
        Input: an upper bound of the squared distance. Output: the squared distance.
    """
    for index in range(first, stop):
        best = result[index]
        for place in range(offsets[index], offsets[index + 1]):
            other = candidates[place]
            if other != index and box_distance(boxes[index], boxes[other], spacing) < best:
                own, others = (starts[index], starts[index + 1]), (starts[other], starts[other + 1])
                best = surface_distance(
                    places, own[0], own[1], others[0], others[1], boxes[other], spacing, best
                )
        result[index] = best
