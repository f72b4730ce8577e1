"""Seeded watershed of an object, from the highest voxels down."""

from __future__ import annotations

import numpy as np

from objclass._common.parallel import kernel

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
    n_z, n_y, n_x = mask.shape
    row, plane = n_x + 2, (n_x + 2) * (n_y + 2)
    faces = (-plane, plane, -row, row, -1, 1)
    low, high = np.float32(np.inf), np.float32(-np.inf)
    for z in range(n_z):
        for y in range(n_y):
            for x in range(n_x):
                if mask[z, y, x]:
                    low, high = min(low, heights[z, y, x]), max(high, heights[z, y, x])
    scale = (LEVELS - 1) / (high - low) if high > low else 0.0
    # Of the box with a border, so that each voxel has six neighbours: the part of a voxel; if it has none,
    # -1 - its level, so that one access tells all; outside the mask 0.
    states = np.zeros((n_z + 2) * plane, np.int32)
    begins, ends = np.zeros(LEVELS + 1, np.int64), np.zeros(LEVELS, np.int64)  # of the queue of each level
    for z in range(n_z):
        for y in range(n_y):
            begin = (z + 1) * plane + (y + 1) * row + 1
            for x in range(n_x):
                if mask[z, y, x]:
                    height = int((heights[z, y, x] - low) * scale)
                    states[begin + x] = -1 - height
                    begins[height + 1] += 1
    for height in range(LEVELS):
        begins[height + 1] += begins[height]
        ends[height] = begins[height]
    queues, level = np.empty(begins[LEVELS], np.int32), -1
    for z in range(n_z):
        for y in range(n_y):
            begin = (z + 1) * plane + (y + 1) * row + 1
            for x in range(n_x):
                if mask[z, y, x] and parts[z, y, x] > 0:
                    height = -1 - states[begin + x]
                    states[begin + x] = parts[z, y, x]
                    queues[ends[height]] = begin + x
                    ends[height] += 1
                    level = max(level, height)
    while level >= 0:
        if begins[level] == ends[level]:
            level -= 1
            continue
        voxel = queues[begins[level]]
        begins[level] += 1
        for face in faces:
            near = voxel + face
            if states[near] < 0:
                height = -1 - states[near]
                states[near] = states[voxel]
                queues[ends[height]] = near
                ends[height] += 1
                level = max(level, height)
    for z in range(n_z):
        for y in range(n_y):
            begin = (z + 1) * plane + (y + 1) * row + 1
            for x in range(n_x):
                if mask[z, y, x]:
                    parts[z, y, x] = max(states[begin + x], 0)


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
