"""Voxels that share a face."""

from __future__ import annotations

from objclass._common.parallel import kernel


@kernel
def place_in(shape, voxel):
    """Return the (z, y, x) of a flat index, computed once for all six faces since divisions are slow."""
    row = voxel // shape[2]
    plane = row // shape[1]
    return plane, row - plane * shape[1], voxel - row * shape[2]


@kernel
def face_neighbor(voxel, place, face, shape):
    """Return the flat index of the voxel across a face, 0 to 5, or -1 outside the box."""
    axis = face // 2
    stride = shape[1] * shape[2] if axis == 0 else shape[2] if axis == 1 else 1
    if face % 2:
        return voxel + stride if place[axis] < shape[axis] - 1 else -1
    return voxel - stride if place[axis] > 0 else -1
