"""The distribution of the intensities of every object: order statistics, moments, and pairs of channels."""

from __future__ import annotations

import numpy as np

from objclass._common.parallel import kernel

QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
# Columns of the result for one object and channel.
SKEWNESS, KURTOSIS, DEVIATION, DISTRIBUTION = 5, 6, 7, 8


@kernel
def gather(labels, number, box, values, target):
    """Write the values of an object, row by row, and return their number."""
    n = np.int64(0)
    for plane in range(box[0], box[3]):
        for line in range(box[1], box[4]):
            for column in range(box[2], box[5]):
                if labels[plane, line, column] == number:
                    target[n] = values[plane, line, column]
                    n += 1
    return n


@kernel
def quantile(ordered, share):
    """Return a quantile of sorted values with linear interpolation, NumPy's default."""
    place = share * (len(ordered) - 1)
    below = int(place)
    above = min(below + 1, len(ordered) - 1)
    low, high = ordered[below], ordered[above]
    return low + (high - low) * (place - below)


@kernel
def median_deviation(ordered, median):
    """Return the median absolute deviation of sorted values, merging outwards from the median."""
    n = len(ordered)
    right = np.searchsorted(ordered, median)
    left = right - 1
    before = distance = 0.0
    for _ in range(n // 2 + 1):
        before = distance
        if left < 0 or (right < n and ordered[right] - median <= median - ordered[left]):
            distance = ordered[right] - median
            right += 1
        else:
            distance = median - ordered[left]
            left -= 1
    return distance if n % 2 else (before + distance) / 2


@kernel
def sort_values(values, frequencies):
    """Sort values in place: by counting if they are integers in a narrow range."""
    low, high, whole = values[0], values[0], True
    for value in values:
        low, high = min(low, value), max(high, value)
        whole &= value == np.floor(value)
    if not whole or high - low >= len(frequencies):
        values.sort()
        return
    frequencies[:] = 0
    for value in values:
        frequencies[int(value - low)] += 1
    n = 0
    for step in range(int(high - low) + 1):
        values[n : n + frequencies[step]] = low + step
        n += frequencies[step]


@kernel
def measure_distributions(labels, numbers, boxes, most, values, shares, result):
    """Write statistics of the distribution of the values of objects.

    Parameters
    ----------
    labels : (z, y, x) int32 array
    numbers : (n,) int64 array
    boxes : (n, 6) int64 array
        Bounding boxes, as in `ObjectSums`.
    most : int
        The largest number of voxels of an object. One without voxels, or with a NaN value, gets NaN.
    values : (z, y, x) array
    shares : (q,) float64 array
        The quantiles to take, `QUANTILES`.
    result : (n, DISTRIBUTION) float64 array
        Output.
    """
    room = np.empty(most, np.float64)
    frequencies = np.empty(4 * len(room), np.int64)
    for index in range(len(numbers)):
        n = gather(labels, numbers[index], boxes[index], values, room)
        found = room[:n]
        mean = 0.0
        for value in found:
            mean += value
        if n == 0 or np.isnan(mean):
            result[index] = np.nan
            continue
        mean /= n
        second = third = fourth = 0.0
        for value in found:
            square = (value - mean) ** 2
            second += square
            third += square * (value - mean)
            fourth += square * square
        sort_values(found, frequencies[: 4 * n])
        for place in range(len(shares)):
            result[index, place] = quantile(found, shares[place])
        constant = found[0] == found[-1]
        result[index, SKEWNESS] = np.nan if constant else third / n / (second / n) ** 1.5
        result[index, KURTOSIS] = np.nan if constant else fourth / n / (second / n) ** 2 - 3
        result[index, DEVIATION] = median_deviation(found, quantile(found, 0.5))


@kernel
def measure_pairs(labels, numbers, boxes, most, first, second, result):
    """Write the correlation and the overlap of two channels, (n, 2), of objects."""
    room = np.empty((2, most), np.float64)
    for index in range(len(numbers)):
        n = gather(labels, numbers[index], boxes[index], first, room[0])
        gather(labels, numbers[index], boxes[index], second, room[1])
        if n == 0:
            result[index] = np.nan
            continue
        mean_a, mean_b = room[0, :n].mean(), room[1, :n].mean()
        aa = bb = ab = square_a = square_b = product = 0.0
        for place in range(n):
            a, b = room[0, place], room[1, place]
            square_a += a * a
            square_b += b * b
            product += a * b
            aa += (a - mean_a) ** 2
            bb += (b - mean_b) ** 2
            ab += (a - mean_a) * (b - mean_b)
        result[index, 0] = ab / np.sqrt(aa * bb)
        result[index, 1] = product / np.sqrt(square_a * square_b)


@kernel
def measure_rings(labels, numbers, boxes, values, rows, result):
    """Write the mean of the background around objects; NaN if there is none.

    Parameters
    ----------
    labels : (z, y, x) int32 array
    numbers, boxes : as in `measure_distributions`
    values : (z, y, x) array
    rows : (k, 3) int64 array
        The voxels within the ring width of a voxel: steps along z and y, and the longest step along x.
    result : (n,) float64 array
        Output.
    """
    margin = np.array([rows[:, 0].max(), rows[:, 1].max(), rows[:, 2].max()])
    for index in range(len(numbers)):
        number, box = numbers[index], boxes[index]
        low, high = np.zeros(3, np.int64), np.zeros(3, np.int64)
        for axis in range(3):
            low[axis] = max(box[axis] - margin[axis], 0)
            high[axis] = min(box[axis + 3] + margin[axis], labels.shape[axis])
        near = np.zeros((high[0] - low[0], high[1] - low[1], high[2] - low[2]), np.bool_)
        for plane in range(box[0], box[3]):
            for line in range(box[1], box[4]):
                start = -1
                for column in range(box[2], box[5] + 1):
                    within = column < box[5] and labels[plane, line, column] == number
                    if within and start < 0:
                        start = column
                    elif start >= 0 and not within:
                        for row in rows:
                            z, y = plane + row[0], line + row[1]
                            if low[0] <= z < high[0] and low[1] <= y < high[1]:
                                first = max(start - row[2], low[2]) - low[2]
                                stop = min(column + row[2], high[2]) - low[2]
                                near[z - low[0], y - low[1], first:stop] = True
                        start = -1
        total, n = 0.0, 0
        for z in range(low[0], high[0]):
            for y in range(low[1], high[1]):
                for x in range(low[2], high[2]):
                    if near[z - low[0], y - low[1], x - low[2]] and labels[z, y, x] == 0:
                        total += values[z, y, x]
                        n += 1
        result[index] = total / n if n else np.nan
