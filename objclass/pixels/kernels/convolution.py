"""Weighted sums over rows or along a line, as fast as the multiply-add units go.

Taps are added in order with fused multiply-add, and the sum is then divided by that of the weights, as the
OpenCL kernels of APOC do. There are FIRST_TAPS weights and then one or more blocks of TAPS, zeros at the end
where need be; the division happens to the last block's sums while they are in registers.

Arrays come whole, with the place to begin at: a slice taken inside these functions costs nothing, one taken
by their caller is counted as a reference, which takes as long as convolving a row.
"""

from __future__ import annotations

import numpy as np

from objclass._common.parallel import kernel

FIRST_TAPS = 5
TAPS = 4
ROWS = 4


@kernel(contract=True)
def add_taps(total, weights, v0, v1, v2, v3):
    """Return `total` plus four weighted values, added in order, each with one rounding."""
    w0, w1, w2, w3 = weights
    return (((total + w0 * v0) + w1 * v1) + w2 * v2) + w3 * v3


@kernel(contract=True)
def convolve_rows(source, first, width, weights, divisor, sums, target, to, step):
    """Set ``target[j] = Σ weights[t] · source[j + t] / divisor`` for four rows j.

    Four rows are summed at once: each row of `source` is loaded once for four taps of four sums, which
    stay in registers meanwhile. This is what brings the loop near to the multiply-add limit.

    Parameters
    ----------
    source : float32
        len(weights) + 3 rows of `width` values that follow each other.
    first, width : int
        Where in `source` they begin, and how long a row is.
    weights : float32, FIRST_TAPS and a multiple of TAPS
    divisor : float32
    sums : float32, 4 · width
        Scratch.
    target : float32
        Takes four rows of `width` values.
    to, step : int
        Where in `target` the first row begins, and how far the next is from it.
    """
    source = source[first : first + (weights.size + ROWS - 1) * width]
    rows = source[: (ROWS + FIRST_TAPS - 1) * width]
    w0, w = weights[0], (weights[1], weights[2], weights[3], weights[4])
    for i in range(width):
        v0, v1, v2, v3 = rows[i], rows[width + i], rows[2 * width + i], rows[3 * width + i]
        v4, v5, v6, v7 = rows[4 * width + i], rows[5 * width + i], rows[6 * width + i], rows[7 * width + i]
        sums[i] = add_taps(np.float32(0) + w0 * v0, w, v1, v2, v3, v4)
        sums[width + i] = add_taps(np.float32(0) + w0 * v1, w, v2, v3, v4, v5)
        sums[2 * width + i] = add_taps(np.float32(0) + w0 * v2, w, v3, v4, v5, v6)
        sums[3 * width + i] = add_taps(np.float32(0) + w0 * v3, w, v4, v5, v6, v7)
    last = weights.size - TAPS
    for t in range(FIRST_TAPS, last, TAPS):
        rows = source[t * width : (t + ROWS + TAPS - 1) * width]
        w = (weights[t], weights[t + 1], weights[t + 2], weights[t + 3])
        for i in range(width):
            v0, v1, v2, v3 = rows[i], rows[width + i], rows[2 * width + i], rows[3 * width + i]
            v4, v5, v6 = rows[4 * width + i], rows[5 * width + i], rows[6 * width + i]
            sums[i] = add_taps(sums[i], w, v0, v1, v2, v3)
            sums[width + i] = add_taps(sums[width + i], w, v1, v2, v3, v4)
            sums[2 * width + i] = add_taps(sums[2 * width + i], w, v2, v3, v4, v5)
            sums[3 * width + i] = add_taps(sums[3 * width + i], w, v3, v4, v5, v6)
    rows = source[last * width : (last + ROWS + TAPS - 1) * width]
    w = (weights[last], weights[last + 1], weights[last + 2], weights[last + 3])
    target0, to = target[to : to + width], to + step
    target1, to = target[to : to + width], to + step
    target2, to = target[to : to + width], to + step
    target3 = target[to : to + width]
    for i in range(width):
        v0, v1, v2, v3 = rows[i], rows[width + i], rows[2 * width + i], rows[3 * width + i]
        v4, v5, v6 = rows[4 * width + i], rows[5 * width + i], rows[6 * width + i]
        target0[i] = add_taps(sums[i], w, v0, v1, v2, v3) / divisor
        target1[i] = add_taps(sums[width + i], w, v1, v2, v3, v4) / divisor
        target2[i] = add_taps(sums[2 * width + i], w, v2, v3, v4, v5) / divisor
        target3[i] = add_taps(sums[3 * width + i], w, v3, v4, v5, v6) / divisor


@kernel(contract=True)
def convolve_line(source, first, weights, divisor, sums, target):
    """Set ``target[i] = Σ weights[t] · source[i + t] / divisor`` along one line.

    Parameters
    ----------
    source : float32
        A line of at least sums.size + weights.size values.
    first : int
        Where in `source` it begins.
    weights : float32, FIRST_TAPS and a multiple of TAPS
    divisor : float32
    sums : float32
        Scratch.
    target : float32, at least sums.size
        The result.
    """
    source = source[first : first + sums.size + weights.size]
    w0, w = weights[0], (weights[1], weights[2], weights[3], weights[4])
    line = source[: sums.size + FIRST_TAPS]
    for i in range(sums.size):
        start = np.float32(0) + w0 * line[i]
        sums[i] = add_taps(start, w, line[i + 1], line[i + 2], line[i + 3], line[i + 4])
    last = weights.size - TAPS
    for t in range(FIRST_TAPS, last, TAPS):
        line = source[t : t + sums.size + TAPS]
        w = (weights[t], weights[t + 1], weights[t + 2], weights[t + 3])
        for i in range(sums.size):
            sums[i] = add_taps(sums[i], w, line[i], line[i + 1], line[i + 2], line[i + 3])
    line = source[last : last + sums.size + TAPS]
    w = (weights[last], weights[last + 1], weights[last + 2], weights[last + 3])
    for i in range(sums.size):
        target[i] = add_taps(sums[i], w, line[i], line[i + 1], line[i + 2], line[i + 3]) / divisor


@kernel
def copy(values, first, target, to, n):
    """Copy `n` values, from ``values[first]`` on to ``target[to]`` on."""
    values, target = values[first : first + n], target[to : to + n]
    for i in range(n):
        target[i] = values[i]
