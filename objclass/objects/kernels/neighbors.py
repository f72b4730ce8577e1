"""Voxels that share a face."""

from __future__ import annotations

from objclass._common.parallel import kernel


@kernel
def face_neighbor(voxel, face, shape):
    """Return the flat index of the voxel beyond a face, 0 to 5, or -1 where the box ends."""
    n_y, n_x = shape[1], shape[2]
    if face < 2:
        place, length, stride = voxel // n_x // n_y, shape[0], n_y * n_x
    elif face < 4:
        place, length, stride = voxel // n_x % n_y, n_y, n_x
    else:
        place, length, stride = voxel % n_x, n_x, 1
    if face % 2:
        return voxel + stride if place < length - 1 else -1
    return voxel - stride if place > 0 else -1
