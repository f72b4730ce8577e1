"""Seeded watershed of an object, from the highest voxels down."""

from __future__ import annotations

import numpy as np

from objclass._common.parallel import kernel
from objclass.objects.kernels.neighbors import face_neighbor, place_in

LEVELS = 4096
"""The number of quantized heights: one queue per height is faster than a heap."""


@kernel
def flood(heights, mask, parts):
    """Grow parts through voxel faces into the rest of a mask, highest voxels first.

    Parameters
    ----------
    heights : (z, y, x) float32 array
    mask : (z, y, x) bool array
    parts : (z, y, x) int32 array
        The part of each voxel, 0 if unassigned; modified in place. Unreachable voxels stay 0.
    """
    flat_heights, flat_mask, flat_parts = heights.reshape(-1), mask.reshape(-1), parts.reshape(-1)
    low, high = np.float32(np.inf), np.float32(-np.inf)
    for voxel in range(mask.size):
        if flat_mask[voxel]:
            low, high = min(low, flat_heights[voxel]), max(high, flat_heights[voxel])
    scale = (LEVELS - 1) / (high - low) if high > low else 0.0
    first, last = np.full(LEVELS, -1, np.int32), np.full(LEVELS, -1, np.int32)
    following = np.full(mask.size, -2, np.int32)  # -2: not queued; -1: the last of its queue
    level = -1
    for voxel in range(mask.size):
        if flat_mask[voxel] and flat_parts[voxel] > 0:
            height = int((flat_heights[voxel] - low) * scale)
            level = max(level, _enter(voxel, height, first, last, following))
    while level >= 0:
        voxel = first[level]
        if voxel < 0:
            level -= 1
            continue
        first[level] = following[voxel]
        place = place_in(mask.shape, voxel)
        for face in range(6):
            near = face_neighbor(voxel, place, face, mask.shape)
            if near >= 0 and flat_mask[near] and flat_parts[near] == 0:
                flat_parts[near] = flat_parts[voxel]
                height = int((flat_heights[near] - low) * scale)
                level = max(level, _enter(near, height, first, last, following))


@kernel
def _enter(voxel, level, first, last, following):
    """Append a voxel to the queue of its level; return the level."""
    following[voxel] = -1
    if first[level] < 0:
        first[level] = voxel
    else:
        following[last[level]] = voxel
    last[level] = voxel
    return level


@kernel
def merge_small(heights, filled, mask, parts, n_parts, min_size):
    """Merge parts that are too small into neighbouring parts.

    The remaining parts are renumbered from 1; none remain if all are too small.

    Parameters
    ----------
    heights, filled, parts
        The arguments of `flood`: the object with its cavities filled.
    mask : (z, y, x) bool array
        The object, for the size of parts.
    n_parts : int
        The number of parts.
    min_size : int
        The minimum number of voxels.

    Returns
    -------
    int
        The number of remaining parts.
    """
    flat_parts, flat_mask = parts.reshape(-1), mask.reshape(-1)
    sizes = np.zeros(n_parts + 1, np.int64)
    for voxel in range(flat_parts.size):
        sizes[flat_parts[voxel]] += flat_mask[voxel]
    new, n = np.zeros(n_parts + 1, np.int32), 0
    for part in range(1, n_parts + 1):
        if sizes[part] >= min_size:
            n += 1
            new[part] = n
    if n < n_parts:
        for voxel in range(flat_parts.size):
            flat_parts[voxel] = new[flat_parts[voxel]]
        if n > 1:
            flood(heights, filled, parts)
    return n
