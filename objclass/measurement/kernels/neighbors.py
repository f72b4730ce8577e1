"""Contacts between objects, and distances between their surfaces."""

from __future__ import annotations

import numpy as np

from objclass._common.parallel import kernel

# The steps to the face neighbours of a voxel, those along z first.
DZ, DY, DX = np.array([[-1, 1, 0, 0, 0, 0], [0, 0, -1, 1, 0, 0], [0, 0, 0, 0, -1, 1]])


@kernel
def is_inside(labels, number, plane, line, column, flat):
    """Return whether all face neighbours of a voxel belong to its object."""
    if line == 0 or column == 0 or line + 1 == labels.shape[1] or column + 1 == labels.shape[2]:
        return False
    if labels[plane, line - 1, column] != number or labels[plane, line + 1, column] != number:
        return False
    if labels[plane, line, column - 1] != number or labels[plane, line, column + 1] != number:
        return False
    if flat:
        return True
    if plane == 0 or plane + 1 == labels.shape[0]:
        return False
    return labels[plane - 1, line, column] == number and labels[plane + 1, line, column] == number


@kernel
def label_at(labels, z, y, x):
    """Return the label of a voxel; 0 outside the image."""
    shape = labels.shape
    inside = 0 <= z < shape[0] and 0 <= y < shape[1] and 0 <= x < shape[2]
    return labels[z, y, x] if inside else 0


@kernel
def count_contacts(labels, numbers, boxes, flat, areas, border, touching):
    """Sum the voxel faces at the border of objects, and count the objects that share a face with them.

    Parameters
    ----------
    labels : (z, y, x) int32 array
    numbers : (n,) int64 array
    boxes : (n, 6) int64 array
        Bounding boxes, as in `ObjectSums`.
    flat : bool
        Whether the image is 2D.
    areas : (3,) float64 array
        Of a face across z, y and x.
    border : (n, 2) float64 array
        Output: the area of border faces, and of those that touch another object.
    touching : (n,) int64 array
        Output: the number of other objects.
    """
    others, faces = np.empty(64, np.int32), np.zeros((3, 2), np.int64)
    for index in range(len(numbers)):
        number, box = numbers[index], boxes[index]
        faces[:] = 0
        n, last = 0, 0
        for z in range(box[0], box[3]):
            for y in range(box[1], box[4]):
                for x in range(box[2], box[5]):
                    if labels[z, y, x] != number or is_inside(labels, number, z, y, x, flat):
                        continue
                    for side in range(2 * flat, 6):
                        other = label_at(labels, z + DZ[side], y + DY[side], x + DX[side])
                        if other == number:
                            continue
                        faces[side // 2, int(other > 0)] += 1
                        if other > 0 and other != last:
                            if n == len(others):
                                others = np.concatenate((others, others))
                            others[n] = last = other
                            n += 1
        touched = (faces[:, 1] * areas).sum()
        border[index, 0], border[index, 1] = (faces[:, 0] * areas).sum() + touched, touched
        others[:n].sort()
        touching[index] = n > 0
        for place in range(1, n):
            touching[index] += others[place] != others[place - 1]


@kernel
def surface_voxels(labels, numbers, boxes, flat, ends, places):
    """Write the positions of the surface voxels of objects, one object after the other.

    Parameters
    ----------
    labels, numbers, boxes, flat
        As in `count_contacts`.
    ends : (n,) int64 array
        Output: where the positions of each object end.
    places : (m, 3) int32 array
        Output, with room for all voxels.
    """
    n = 0
    for index in range(len(numbers)):
        number, box = numbers[index], boxes[index]
        for z in range(box[0], box[3]):
            for y in range(box[1], box[4]):
                for x in range(box[2], box[5]):
                    if labels[z, y, x] == number and not is_inside(labels, number, z, y, x, flat):
                        places[n, 0], places[n, 1], places[n, 2] = z, y, x
                        n += 1
        ends[index] = n


@kernel
def box_distance(first, second, spacing):
    """Return the minimum squared distance between voxels of two bounding boxes."""
    total = 0.0
    for axis in range(3):
        gap = max(second[axis] - first[axis + 3] + 1, first[axis] - second[axis + 3] + 1, 0)
        total += (gap * spacing[axis]) ** 2
    return total


@kernel
def nearest_place(place, places, spacing, best):
    """Return the index of the nearest place, and its squared distance; -1 if none is nearer than `best`."""
    nearest = -1
    for index in range(len(places)):
        z = (place[0] - places[index, 0]) * spacing[0]
        y = (place[1] - places[index, 1]) * spacing[1]
        x = (place[2] - places[index, 2]) * spacing[2]
        squared = z * z + y * y + x * x
        if squared < best:
            nearest, best = index, squared
    return nearest, best


@kernel
def near_box(places, box, spacing, limit):
    """Return the places whose squared distance to a bounding box is below a limit."""
    near, n = np.empty_like(places), 0
    for index in range(len(places)):
        squared = 0.0
        for axis in range(3):
            gap = max(box[axis] - places[index, axis], places[index, axis] - box[axis + 3] + 1, 0)
            squared += (gap * spacing[axis]) ** 2
        if squared < limit:
            near[n] = places[index]
            n += 1
    return near[:n]


@kernel
def surface_distance(own, others, box, other_box, spacing, best):
    """Return the minimum squared distance between voxels of two objects, or `best` if that is less.

    From any voxel to the nearest of the other object and back leads to a short distance; only voxels that are
    nearer than that to the bounding box of the other object are compared.
    """
    place = own[0]
    for _ in range(2):
        found, squared = nearest_place(place, others, spacing, np.inf)
        best = min(best, squared)
        found, squared = nearest_place(others[found], own, spacing, np.inf)
        best = min(best, squared)
        place = own[found]
    others = near_box(others, box, spacing, best)
    for place in near_box(own, other_box, spacing, best):
        best = nearest_place(place, others, spacing, best)[1]
    return best


@kernel
def nearest_surfaces(rows, starts, places, boxes, spacing, candidates, offsets, squared):
    """Write the minimum squared distance from the voxels of objects to those of their candidates.

    Parameters
    ----------
    rows : (k,) int64 array
        The rows of the objects.
    starts : (n + 1,) int64 array
        Where the surface voxels of each object start in `places`.
    places : (m, 3) int32 array
        From `surface_voxels`.
    boxes : (n, 6) int64 array
    spacing : (3,) float64 array
    candidates : int64 array
        Rows of objects, the nearest ones first; those of ``rows[i]`` begin at ``offsets[i]``.
    offsets : (k + 1,) int64 array
    squared : (k,) float64 array
        Input: an upper bound. Output: the squared distance.
    """
    for index in range(len(rows)):
        row, best = rows[index], squared[index]
        for place in range(offsets[index], offsets[index + 1]):
            other = candidates[place]
            if other != row and box_distance(boxes[row], boxes[other], spacing) < best:
                own, others = places[starts[row] : starts[row + 1]], places[starts[other] : starts[other + 1]]
                best = surface_distance(own, others, boxes[row], boxes[other], spacing, best)
        squared[index] = best
