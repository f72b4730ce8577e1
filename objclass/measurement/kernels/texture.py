"""Texture of every object: grey-level co-occurrence, and energies of differences between neighbours.

Only voxels of the object itself count, so that the result does not depend on its surroundings or on chunks.

References
----------
Haralick, Shanmugam, Dinstein: Textural features for image classification. IEEE Transactions on Systems, Man,
and Cybernetics 3 (1973), https://doi.org/10.1109/TSMC.1973.4309314
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from objclass._common.parallel import kernel

LEVELS = 32
"""The number of grey levels from the darkest to the brightest voxel of an object."""
HARALICK = 13
# Columns of the energies.
GRADIENT, LAPLACE, LOCAL_VARIANCE, ENERGIES = 0, 1, 2, 3


def steps_at(distance: float, spacing: Sequence[float]) -> np.ndarray:
    """Return the offsets (k, 3) to half of the neighbours at `distance` along each axis.

    An axis along which the distance rounds to 0 voxels is ignored.
    """
    n_axes = len(spacing)
    lengths = np.rint(distance / np.asarray(spacing, float)).astype(int)
    directions = np.array([step for step in np.ndindex((3,) * n_axes)]) - 1
    directions = directions[len(directions) // 2 + 1 :]
    steps = directions[((directions == 0) | (lengths > 0)).all(axis=1)] * lengths
    return np.hstack([np.zeros((len(steps), 3 - n_axes), int), steps])


@kernel
def entropy(shares):
    """Return the entropy of a distribution, in bits."""
    total = 0.0
    for share in shares:
        if share > 0:
            total -= share * np.log2(share)
    return total


@kernel
def haralick(counts, n_pairs, result):
    """Write Haralick features 1 to 13 of a co-occurrence matrix, which is made symmetric.

    Level 0, the background, is in no pair. The difference variance includes it, as in mahotas.
    """
    n = len(counts)
    one = np.zeros(n)
    total, apart = np.zeros(2 * n), np.zeros(n)
    energy = homogeneity = product = joint = 0.0
    for i in range(n):
        for j in range(i, n):
            both = counts[i, j] + counts[j, i]
            if both == 0:
                continue
            share = both / (2 * n_pairs)
            one[i] += share
            if i < j:
                one[j] += share
            weight = share if i == j else 2 * share
            total[i + j] += weight
            apart[j - i] += weight
            energy += weight * share
            homogeneity += weight / (1 + (i - j) ** 2)
            product += weight * i * j
            joint -= weight * np.log2(share)
    mean = variance = contrast = 0.0
    for i in range(n):
        mean += i * one[i]
        variance += i * i * one[i]
        contrast += i * i * apart[i]
    variance -= mean * mean
    sum_mean = sum_square = 0.0
    for i in range(2 * n):
        sum_mean += i * total[i]
        sum_square += i * i * total[i]
    single = entropy(one)
    result[0] = energy
    result[1] = contrast
    result[2] = (product - mean * mean) / variance if variance > 1e-12 else 1.0
    result[3] = variance
    result[4] = homogeneity
    result[5] = sum_mean
    result[6] = sum_square - sum_mean * sum_mean
    result[7] = entropy(total)
    result[8] = joint
    result[9] = apart.var()
    result[10] = entropy(apart)
    # The marginals are equal, so the entropies HXY1 and HXY2 are twice that of one marginal.
    result[11] = (joint - 2 * single) / single if single > 0 else joint
    result[12] = np.sqrt(max(0.0, 1 - np.exp(-2 * (2 * single - joint))))


@kernel
def grey_levels(labels, number, box, values, levels):
    """Write the grey level, from 1 to `LEVELS`, of each voxel of an object into its box; 0 outside.

    Returns False if a value is NaN.
    """
    low, high, bad = np.inf, -np.inf, False
    for plane in range(box[0], box[3]):
        for line in range(box[1], box[4]):
            for column in range(box[2], box[5]):
                if labels[plane, line, column] == number:
                    value = np.float64(values[plane, line, column])
                    bad |= np.isnan(value)
                    low, high = min(low, value), max(high, value)
    if bad:
        return False
    scale = LEVELS / (high - low) if high > low else 0.0
    for plane in range(box[0], box[3]):
        for line in range(box[1], box[4]):
            for column in range(box[2], box[5]):
                level = 0
                if labels[plane, line, column] == number:
                    level = 1 + min(int((values[plane, line, column] - low) * scale), LEVELS - 1)
                levels[plane - box[0], line - box[1], column - box[2]] = level
    return True


@kernel
def measure_haralick(labels, numbers, boxes, counts, values, steps, result):
    """Write the mean of Haralick features over all directions, of objects.

    Parameters
    ----------
    labels : (z, y, x) int32 array
    numbers : (n,) int64 array
    boxes : (n, 6) int64 array
        Bounding boxes, as in `ObjectSums`.
    counts : (n,) int64 array
        Voxels.
    values : (z, y, x) array
    steps : (k, 3) int64 array
        From `steps_at`.
    result : (n, HARALICK) float64 array
        Output: NaN if a value is NaN or no two voxels are at this distance.
    """
    pairs, features = np.zeros((LEVELS + 1, LEVELS + 1), np.int64), np.zeros(HARALICK)
    for index in range(len(numbers)):
        box = boxes[index]
        result[index] = np.nan
        shape = (box[3] - box[0], box[4] - box[1], box[5] - box[2])
        levels = np.zeros(shape, np.uint8)
        if counts[index] == 0 or not grey_levels(labels, numbers[index], box, values, levels):
            continue
        n_directions = 0
        for step in steps:
            pairs[:] = 0
            n_pairs = 0
            for z in range(max(0, -step[0]), shape[0] - max(0, step[0])):
                for y in range(max(0, -step[1]), shape[1] - max(0, step[1])):
                    row, other_row = levels[z, y], levels[z + step[0], y + step[1]]
                    for x in range(max(0, -step[2]), shape[2] - max(0, step[2])):
                        a = row[x]
                        b = other_row[x + step[2]] if a > 0 else a
                        if b > 0:
                            pairs[a, b] += 1
                            n_pairs += 1
            if n_pairs == 0:
                continue
            haralick(pairs, n_pairs, features)
            if n_directions == 0:
                result[index] = 0
            n_directions += 1
            result[index] += features
        if n_directions:
            result[index] /= n_directions


@kernel
def measure_energies(labels, numbers, boxes, values, spacing, flat, result):
    """Write the energies of objects: means over pairs of voxels within the object.

    Parameters
    ----------
    labels, numbers, boxes, values : arrays
        As in `measure_haralick`.
    spacing : (3,) float64 array
    flat : bool
        The image has two dimensions.
    result : (n, ENERGIES) float64 array
        Output: the mean squared gradient, the mean squared Laplacian, and the mean variance of the voxels
        and their neighbours.
    """
    margin = 0 if flat else 1
    for index in range(len(numbers)):
        number, box = numbers[index], boxes[index]
        shape = (box[3] - box[0] + 2 * margin, box[4] - box[1] + 2, box[5] - box[2] + 2)
        solid, pixels = np.zeros(shape, np.bool_), np.zeros(shape)
        for z in range(box[0], box[3]):
            for y in range(box[1], box[4]):
                for x in range(box[2], box[5]):
                    if labels[z, y, x] == number:
                        at = z - box[0] + margin, y - box[1] + 1, x - box[2] + 1
                        solid[at], pixels[at] = True, values[z, y, x]
        squares, pairs = np.zeros(3), np.zeros(3)
        laplace, n_laplace, variance, n_voxels = 0.0, 0, 0.0, 0
        for z in range(margin, shape[0] - margin):
            for y in range(1, shape[1] - 1):
                for x in range(1, shape[2] - 1):
                    if not solid[z, y, x]:
                        continue
                    curvature, whole = 0.0, True
                    for axis in range(1 - margin, 3):
                        dz, dy, dx = int(axis == 0), int(axis == 1), int(axis == 2)
                        after, before = solid[z + dz, y + dy, x + dx], solid[z - dz, y - dy, x - dx]
                        slope = (pixels[z + dz, y + dy, x + dx] - pixels[z, y, x]) / spacing[axis]
                        if after:
                            squares[axis] += slope * slope
                            pairs[axis] += 1
                        back = (pixels[z - dz, y - dy, x - dx] - pixels[z, y, x]) / spacing[axis]
                        curvature += (slope + back) / spacing[axis]
                        whole &= after and before
                    if whole:
                        laplace += curvature * curvature
                        n_laplace += 1
                    total, square, n = 0.0, 0.0, 0
                    for near_z in range(z - margin, z + margin + 1):
                        for near_y in range(y - 1, y + 2):
                            for near_x in range(x - 1, x + 2):
                                if solid[near_z, near_y, near_x]:
                                    difference = pixels[near_z, near_y, near_x] - pixels[z, y, x]
                                    total += difference
                                    square += difference * difference
                                    n += 1
                    variance += square / n - (total / n) ** 2
                    n_voxels += 1
        if np.isnan(variance):
            result[index] = np.nan
            continue
        gradient = 0.0
        for axis in range(1 - margin, 3):
            gradient += squares[axis] / pairs[axis] if pairs[axis] else 0.0
        result[index, GRADIENT] = gradient if pairs.sum() else np.nan
        result[index, LAPLACE] = laplace / n_laplace if n_laplace else np.nan
        result[index, LOCAL_VARIANCE] = variance / n_voxels if n_voxels else np.nan
