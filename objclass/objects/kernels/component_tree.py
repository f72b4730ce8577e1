"""The component tree of an object: its connected components at increasing thresholds.

References
----------
R. Jones, Connected filtering and segmentation using component trees, Computer Vision and Image Understanding
75 (1999) 215-228, https://doi.org/10.1006/cviu.1999.0777

C. Berger et al., Effective component tree computation with application to pattern recognition in astronomical
imaging, ICIP (2007), https://doi.org/10.1109/ICIP.2007.4379949
"""

from __future__ import annotations

import numpy as np

from objclass._common.parallel import kernel
from objclass.objects.kernels.convexity import place_in, solidity


@kernel
def convex_parts(probability, mask, levels, min_size, gain, flat, parts):
    """Find the parts at higher levels that are more convex than their parent component.

    Parameters
    ----------
    probability : (z, y, x) float32 array
    mask : (z, y, x) bool array
        The object.
    levels : (n,) float32 array
        The thresholds, ascending.
    min_size : int
        The minimum number of voxels of a part.
    gain : float
        A component is replaced by its parts, recursively, if their mean solidity, weighted by size, exceeds
        its own by more than this.
    flat : bool
        Whether the image is 2D.
    parts : (z, y, x) int32 array of zeros
        Written: 1…n on the voxels of each part, which do not fill the object.

    Returns
    -------
    int
        The number of parts.
    """
    voxels, level_of = _sort_by_level(probability, mask, levels)
    parent = _link(voxels, level_of, mask.shape)
    size, start, order = _gather(voxels, level_of, parent)
    n = len(voxels)
    # Bottom up, from the highest level: the solidity of the best parts of each component.
    n_large, only_child = np.zeros(n, np.int32), np.full(n, -1, np.int32)
    for node in range(n):
        above = parent[node]
        if above != node and level_of[above] < level_of[node] and size[node] >= min_size:
            n_large[above] += 1
            only_child[above] = node
    sum_solidity, sum_size = np.zeros(n), np.zeros(n)  # of the best parts of the large children
    splits = np.zeros(n, np.uint8)
    for node in range(n):
        above = parent[node]
        is_root = above == node
        if not is_root and (level_of[above] == level_of[node] or size[node] < min_size):
            continue
        if n_large[node] == 1:  # nothing but a smaller self: where that falls apart, this does
            child = only_child[node]
            sum_solidity[node], sum_size[node] = sum_solidity[child], sum_size[child]
        if not is_root and n_large[above] < 2:
            continue
        best, best_size = 1.0, float(size[node])
        if sum_size[node] > 0 or not is_root:
            best = solidity(voxels_at(voxels, order, start[node], size[node]), mask.shape, flat)
        if sum_size[node] > 0 and sum_solidity[node] / sum_size[node] > best + gain:
            splits[node] = 1
            best, best_size = sum_solidity[node] / sum_size[node], sum_size[node]
        if not is_root:
            sum_solidity[above] += best * best_size
            sum_size[above] += best_size
    return _number_parts(voxels, level_of, parent, size, start, order, n_large, splits, min_size, parts)


@kernel
def voxels_at(voxels, order, start, size):
    """Return the flat indices of the voxels of a component."""
    result = np.empty(size, np.int32)
    for index in range(size):
        result[index] = voxels[order[start + index]]
    return result


@kernel
def _sort_by_level(probability, mask, levels):
    """Return the flat indices of the voxels of a mask, the highest level first, and the level of each."""
    flat_mask, flat_probability = mask.reshape(-1), probability.reshape(-1)
    counts = np.zeros(len(levels) + 2, np.int64)
    level_at = np.zeros(flat_mask.size, np.uint8)
    for voxel in range(flat_mask.size):
        if flat_mask[voxel]:
            while level_at[voxel] < len(levels) and levels[level_at[voxel]] < flat_probability[voxel]:
                level_at[voxel] += 1
            counts[len(levels) - level_at[voxel] + 1] += 1
    for queue in range(len(levels) + 1):
        counts[queue + 1] += counts[queue]
    n = counts[len(levels) + 1]
    voxels, level_of = np.empty(n, np.int32), np.empty(n, np.uint8)
    for voxel in range(flat_mask.size):
        if flat_mask[voxel]:
            queue = len(levels) - level_at[voxel]
            place = counts[queue]
            voxels[place], level_of[place] = voxel, level_at[voxel]
            counts[queue] += 1
    return voxels, level_of


@kernel
def _link(voxels, level_of, shape):
    """Return the parent of each voxel: the last one of its component on its level, and of that one below."""
    n, row, plane = len(voxels), shape[2] + 2, (shape[1] + 2) * (shape[2] + 2)
    faces = (-plane, plane, -row, row, -1, 1)
    node_at = np.full((shape[0] + 2) * plane, -1, np.int32)  # with a border: each voxel has six neighbours
    parent, newest = np.empty(n, np.int32), np.empty(n, np.int32)
    top, n_joined = np.empty(n, np.int32), np.empty(n, np.int32)  # finds the component of a voxel
    for node in range(n):
        parent[node] = newest[node] = top[node] = node
        n_joined[node] = 1
        z, y, x = place_in(shape, voxels[node])
        place, own = (z + 1) * plane + (y + 1) * row + x + 1, node
        node_at[place] = node
        for face in faces:
            near = node_at[place + face]
            if near < 0:
                continue
            other = near
            while top[other] != other:
                other = top[other]
            while top[near] != other:
                top[near], near = other, top[near]
            if other == own:
                continue
            parent[newest[other]] = node
            if n_joined[other] > n_joined[own]:
                own, other = other, own
            top[other], newest[own] = own, node
            n_joined[own] += n_joined[other]
    for node in range(n - 1, -1, -1):
        above = parent[node]
        if level_of[parent[above]] == level_of[above]:
            parent[node] = parent[above]
    return parent


@kernel
def _gather(voxels, level_of, parent):
    """Return the size of each component, the offset of its voxels in a list of all, and that list."""
    n = len(voxels)
    size, start = np.full(n, 1, np.int32), np.zeros(n, np.int32)
    end, order = np.zeros(n, np.int32), np.zeros(n, np.int32)
    for node in range(n):
        if parent[node] != node:
            size[parent[node]] += size[node]
    n_placed = 0
    for node in range(n - 1, -1, -1):
        above = parent[node]
        if above == node:
            start[node] = end[node] = n_placed
            n_placed += size[node]
        elif level_of[above] < level_of[node]:
            start[node] = end[node] = end[above]
            end[above] += size[node]
        else:
            order[end[above]] = node
            end[above] += 1
            continue
        order[end[node]] = node
        end[node] += 1
    return size, start, order


@kernel
def _number_parts(voxels, level_of, parent, size, start, order, n_large, splits, min_size, parts):
    """Write the parts of split components that are not split further; return their number."""
    flat_parts = parts.reshape(-1)
    n_parts, splits_any = 0, False
    # Only a split of a whole piece counts: within a piece that stays whole, others change nothing.
    for node in range(len(splits)):
        splits_any = splits_any or (parent[node] == node and splits[node] > 0)
    opened = np.zeros(len(voxels), np.uint8)  # whether the large children of a component are parts
    for node in range(len(voxels) - 1, -1, -1):
        above = parent[node]
        if above == node:
            opened[node] = splits[node]
            is_part = splits_any and not splits[node] and size[node] >= min_size
        elif level_of[above] == level_of[node] or size[node] < min_size or not opened[above]:
            continue
        elif n_large[above] == 1 or splits[node]:
            opened[node], is_part = 1, False
        else:
            is_part = True
        if is_part:
            n_parts += 1
            for place in range(start[node], start[node] + size[node]):
                flat_parts[voxels[order[place]]] = n_parts
    return n_parts
