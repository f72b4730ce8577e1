"""Gaussian blur of planes of a volume, along z, then y, then x.

A volume is cut into *strips* of `LANES` columns. Within a strip the distance from one row to the next is a
constant that the compiler knows, so every inner loop runs over `LANES` neighbours with constant offsets and
becomes vector instructions without a remainder.

Each pass adds its taps in order with fused multiply-add and then divides by the sum of the weights, as the
OpenCL kernels of APOC do.
"""

from __future__ import annotations

import numpy as np

from .._parallel import kernel

LANES = 64
TAPS = 4
ROWS = 4


@kernel(contract=True)
def convolve_rows(source, weights, sums):
    """Set ``sums[j] = Σ weights[t] · source[j + t]`` for the four rows j of one strip.

    Four rows are summed at once: each row of `source` is loaded once for four taps of four sums, which
    stay in registers meanwhile. This is what brings the loop near to the multiply-add limit.

    Parameters
    ----------
    source : float32, at least (len(weights) + 3) · LANES
    weights : float32, a multiple of TAPS; zeros fill up the last block
    sums : float32, 4 · LANES
    """
    sums[: ROWS * LANES] = 0
    for t in range(0, weights.size, TAPS):
        rows = source[t * LANES : (t + ROWS + TAPS - 1) * LANES]
        w0, w1, w2, w3 = weights[t], weights[t + 1], weights[t + 2], weights[t + 3]
        for i in range(LANES):
            v0, v1, v2, v3 = rows[i], rows[LANES + i], rows[2 * LANES + i], rows[3 * LANES + i]
            v4, v5, v6 = rows[4 * LANES + i], rows[5 * LANES + i], rows[6 * LANES + i]
            sums[i] = (((sums[i] + w0 * v0) + w1 * v1) + w2 * v2) + w3 * v3
            sums[LANES + i] = (((sums[LANES + i] + w0 * v1) + w1 * v2) + w2 * v3) + w3 * v4
            sums[2 * LANES + i] = (((sums[2 * LANES + i] + w0 * v2) + w1 * v3) + w2 * v4) + w3 * v5
            sums[3 * LANES + i] = (((sums[3 * LANES + i] + w0 * v3) + w1 * v4) + w2 * v5) + w3 * v6


@kernel(contract=True)
def convolve_line(source, weights, sums):
    """Set ``sums[i] = Σ weights[t] · source[i + t]`` along one line.

    Parameters
    ----------
    source : float32, at least sums.size + weights.size
    weights : float32, a multiple of TAPS; zeros fill up the last block
    sums : float32
    """
    sums[:] = 0
    for t in range(0, weights.size, TAPS):
        line = source[t : t + sums.size + TAPS]
        w0, w1, w2, w3 = weights[t], weights[t + 1], weights[t + 2], weights[t + 3]
        for i in range(sums.size):
            sums[i] = (((sums[i] + w0 * line[i]) + w1 * line[i + 1]) + w2 * line[i + 2]) + w3 * line[i + 3]


@kernel(contract=True)
def divide(values, divisor, target):
    """Set ``target = values / divisor``, correctly rounded, without the slow division instruction.

    Markstein's method: the product with the reciprocal is mended by its exact remainder, which a fused
    multiply-add gives.
    """
    reciprocal = np.float32(1) / divisor
    for i in range(target.size):
        quotient = values[i] * reciprocal
        remainder = values[i] - quotient * divisor
        target[i] = quotient + remainder * reciprocal


@kernel
def copy(values, target):
    """Fill `target` from the beginning of `values`; quicker to compile than an assignment of arrays."""
    for i in range(target.size):
        target[i] = values[i]


@kernel
def blur_depth(strip, first_depth, n_planes, first_row, weights, divisor, planes):
    """Blur one strip along z, for all rows that the y pass will read.

    Parameters
    ----------
    strip : float32, (n_rows, depth, LANES)
        Its outer planes are repeated along the depth as far as the kernel reaches.
    first_depth : int
        Where the window of the first plane begins; −1 for a 2D image, which has no z pass.
    n_planes : int
        How many planes are wanted, up to four.
    first_row : int
        The row that becomes row 0 of `planes`. Outside the strip its nearest row is repeated.
    weights, divisor : float32
        The kernel, filled up to a multiple of TAPS with zeros, and its sum.
    planes : float32, (4, n_rows_read, LANES)
        The result.
    """
    n_rows, depth, _ = strip.shape
    voxels = strip.ravel()
    sums = np.empty(ROWS * LANES, np.float32)
    before = -1
    for i in range(planes.shape[1]):
        row = min(max(first_row + i, 0), n_rows - 1)
        if row == before:
            for p in range(n_planes):
                copy(planes[p, i - 1], planes[p, i])
        elif first_depth < 0:
            copy(strip[row, 0], planes[0, i])
        else:
            convolve_rows(voxels[(row * depth + first_depth) * LANES :], weights, sums)
            for p in range(n_planes):
                divide(sums[p * LANES : (p + 1) * LANES], divisor, planes[p, i])
        before = row


@kernel
def blur_rows(plane, weights, divisor, first_column, lines):
    """Blur one strip of one plane along y, and put it into whole lines.

    Parameters
    ----------
    plane : float32, (n_rows + len(weights) - 1, LANES)
    weights, divisor : float32
    first_column : int
        Where in `lines` the strip begins.
    lines : float32, (n_rows, length)
        The result; n_rows is a multiple of four.
    """
    pixels = plane.ravel()
    sums = np.empty(ROWS * LANES, np.float32)
    for first in range(0, lines.shape[0], ROWS):
        convolve_rows(pixels[first * LANES :], weights, sums)
        for row in range(ROWS):
            target = lines[first + row, first_column : first_column + LANES]
            divide(sums[row * LANES : (row + 1) * LANES], divisor, target)


@kernel
def blur_columns(lines, first_column, n_columns, weights, divisor, before, after, target):
    """Blur lines along x, and cut them into strips that hold a neighbour column at either side.

    Parameters
    ----------
    lines : float32, (n_rows, length)
    first_column : int
        Where in `lines` the window of the first column wanted begins.
    n_columns : int
        How many columns are wanted.
    weights, divisor : float32
    before, after : int
        1 where the first or last strip ends at the border of the image: there the border's value is
        repeated once.
    target : float32, (n_strips, n_rows, LANES + 2)
        The result.
    """
    n_strips, n_rows, _ = target.shape
    sums = np.empty((n_columns + LANES - 1) // LANES * LANES, np.float32)
    blurred = np.zeros(n_strips * LANES + 2, np.float32)
    for row in range(n_rows):
        convolve_line(lines[row, first_column:], weights, sums)
        divide(sums, divisor, blurred[before : before + n_columns])
        if before:
            blurred[0] = blurred[1]
        if after:
            blurred[before + n_columns] = blurred[before + n_columns - 1]
        for strip in range(n_strips):
            copy(blurred[strip * LANES :], target[strip, row])


@kernel
def blur_planes(
    source,
    n_columns,
    window,
    reach,
    n_planes,
    n_columns_wanted,
    weights,
    divisor,
    borders,
    planes,
    lines,
    target,
):
    """Blur up to four neighbouring planes of a tile along z, y and x.

    Parameters
    ----------
    source : float32, (n_strips, n_rows, depth, LANES)
        The tile, and what surrounds it as far as the kernel reaches or the image goes.
    n_columns : int
        How many columns of `source` hold pixels.
    window : tuple of int
        The depth, row and column of `source` at which the window of the first voxel wanted begins; the
        depth is −1 for a 2D image. Row and column may lie before the first one.
    reach : int
        How many columns before the first one are repeated in `lines`.
    n_planes, n_columns_wanted : int
    weights, divisor : float32
        The kernel, filled up to a multiple of TAPS with zeros, and its sum.
    borders : tuple of int
        1 where the rows and columns wanted begin or end at the border of the image: first row, last row,
        first column, last column. There the value at the border is repeated once. The number of the last
        row wanted stands fifth.
    planes : float32, (4, n_rows_read, LANES)
        Scratch for one strip after the z pass.
    lines : float32, (4, n_rows_wanted, at least reach + n_columns + reach + LANES + TAPS)
        Scratch for all strips after the y pass.
    target : float32, (4, n_strips_wanted, n_rows_wanted, LANES + 2)
        The result.
    """
    for strip in range(source.shape[0]):
        blur_depth(source[strip], window[0], n_planes, window[1], weights, divisor, planes)
        for p in range(n_planes):
            blur_rows(planes[p], weights, divisor, reach + strip * LANES, lines[p])
    top, bottom, left, right, last = borders
    for p in range(n_planes):
        for row in range(lines.shape[1]):
            lines[p, row, :reach] = lines[p, row, reach]
            lines[p, row, reach + n_columns :] = lines[p, row, reach + n_columns - 1]
        blur_columns(lines[p], reach + window[2], n_columns_wanted, weights, divisor, left, right, target[p])
        for strip in range(target.shape[1]):
            if top:
                copy(target[p, strip, 1], target[p, strip, 0])
            if bottom:
                copy(target[p, strip, last - 1], target[p, strip, last])
