"""Gaussian blur of planes of a volume, along z, then y, then x; or the difference of two."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from objclass._common.parallel import kernel
from objclass.pixels.kernels.convolution import ROWS, convolve_line, convolve_rows, copy

CHUNK = 32


class Kernels(NamedTuple):
    """The Gaussian of a blur, or the two whose difference is wanted.

    Along each `axis` (z, y, x), `weights` (n, 3, length) are zero from ``sizes[k, axis]`` on, `divisors` are
    their sums; the weight at ``radii[k, axis]`` is the one of the voxel itself.
    """

    weights: np.ndarray
    sizes: np.ndarray
    radii: np.ndarray
    divisors: np.ndarray


@kernel
def blur_depth(volume, first_depth, first_row, start, stop, weights, divisor, sums, planes):
    """Blur some rows along z, for four planes.

    Parameters
    ----------
    volume : float32, (n_rows, depth, n_columns)
        Its outer planes are repeated along the depth as far as the kernel reaches. A depth of 1 is a 2D
        image, which has no z pass.
    first_depth : int
        Where the window of the first plane begins.
    first_row : int
        The row that becomes row 0 of `planes`. Outside the volume its nearest row is repeated.
    start, stop : int
        Which rows of `planes` to set.
    weights, divisor, sums : float32
        As in `convolve_rows`.
    planes : float32, (n_planes, n_rows_read, n_columns)
        The result.
    """
    n_rows, depth, n_columns = volume.shape
    voxels, blurred, step = volume.ravel(), planes.ravel(), planes.shape[1] * n_columns
    before = -1
    for i in range(start, stop):
        row, to = min(max(first_row + i, 0), n_rows - 1), i * n_columns
        if row == before:
            for p in range(planes.shape[0]):
                copy(blurred, p * step + to - n_columns, blurred, p * step + to, n_columns)
        elif depth == 1:
            copy(voxels, row * n_columns, blurred, to, n_columns)
        else:
            at = (row * depth + first_depth) * n_columns
            convolve_rows(voxels, at, n_columns, weights, divisor, sums, blurred, to, step)
        before = row


@kernel
def blur_rows(plane, n_rows, weights, divisor, sums, lines, first_column):
    """Blur one plane along y.

    Parameters
    ----------
    plane : float32, (at least n_rows + len(weights) - 1, n_columns)
    n_rows : int
        A multiple of four.
    weights, divisor, sums : float32
        As in `convolve_rows`.
    lines : float32, (at least n_rows, length)
        The result.
    first_column : int
        Where in `lines` the rows begin.
    """
    pixels, blurred = plane.ravel(), lines.ravel()
    n_columns, length = plane.shape[1], lines.shape[1]
    for row in range(0, n_rows, ROWS):
        at, to = row * n_columns, row * length + first_column
        convolve_rows(pixels, at, n_columns, weights, divisor, sums, blurred, to, length)


@kernel
def blur_columns(lines, n_rows, column, n_columns, weights, divisor, subtract, target, first_row, first):
    """Blur lines along x.

    Parameters
    ----------
    lines : float32, (at least n_rows, length)
    n_rows : int
    column, n_columns : int
        Where in `lines` the window of the first column wanted begins, and how many columns are wanted.
    weights, divisor : float32
        As in `convolve_line`.
    subtract : bool
        Whether to subtract the result from what is in `target`.
    target : float32, (at least first_row + n_rows, at least first + n_columns)
        The result.
    first_row, first : int
        Where in `target` the first row and column go.
    """
    pixels, length = lines.ravel(), lines.shape[1]
    sums, line = np.empty(n_columns, np.float32), np.empty(n_columns, np.float32)
    for row in range(n_rows):
        convolve_line(pixels, row * length + column, weights, divisor, sums, line)
        blurred = target[first_row + row, first : first + n_columns]
        for i in range(n_columns):
            blurred[i] = blurred[i] - line[i] if subtract else line[i]


@kernel
def repeat_ends(lines, n_rows, first, n_columns, n_times):
    """Repeat the first and the last pixel of each line; its pixels begin at column `first`."""
    behind = first + n_columns
    for row in range(n_rows):
        left, right = lines[row, first], lines[row, behind - 1]
        for i in range(n_times):
            lines[row, first - 1 - i] = left
            lines[row, behind + i] = right


@kernel
def blur_planes(source, centre, reach, n_planes, kernels, borders, planes, lines, target):
    """Blur up to four neighbouring planes of a tile along z, y and x.

    All three passes are made for a few rows before the next: what one pass writes is read by the next
    while it is in cache. The rows that the y pass will read again are kept.

    Parameters
    ----------
    source : float32, (n_rows, depth, n_columns)
        The tile, and what surrounds it as far as the kernels reach or the image goes.
    centre : tuple of int
        The depth, row and column of `source` at which the first voxel of `target` stands. Row and column
        may lie before the first one.
    reach : int
        How many columns at either end of `lines` take repeated pixels.
    n_planes : int
    kernels : Kernels
    borders : tuple of int
        1 where rows begin, rows end, columns begin and columns end at the border of the image, where its
        value is repeated once. The number of the last row wanted stands fifth.
    planes : float32, (n_kernels, 4, CHUNK + length of the weights - 1, n_columns)
        Scratch after the z pass.
    lines : float32, (n_kernels, 4, CHUNK, at least reach + n_columns + reach + TAPS + FIRST_TAPS)
        Scratch after the y pass.
    target : float32, (4, n_rows_wanted, n_columns_wanted)
        The result; n_rows_wanted is a multiple of four.
    """
    top, bottom, left, right, last = borders
    n_rows, n_columns = target.shape[1], target.shape[2] - left - right
    sums = np.empty(ROWS * source.shape[2], np.float32)
    for first in range(0, n_rows, CHUNK):
        n = min(CHUNK, n_rows - first)
        for k in range(kernels.sizes.shape[0]):
            along_z, along_y, along_x = (
                kernels.weights[k, 0, : kernels.sizes[k, 0]],
                kernels.weights[k, 1, : kernels.sizes[k, 1]],
                kernels.weights[k, 2, : kernels.sizes[k, 2]],
            )
            over_z, over_y, over_x = kernels.divisors[k, 0], kernels.divisors[k, 1], kernels.divisors[k, 2]
            depth, row = centre[0] - kernels.radii[k, 0], centre[1] - kernels.radii[k, 1] + first
            column = reach + centre[2] + left - kernels.radii[k, 2]
            window, kept = planes[k], 0
            if first > 0:
                kept = along_y.size - 1
                for p in range(n_planes):
                    rows, size = window[p].ravel(), source.shape[2]
                    copy(rows, CHUNK * size, rows, 0, kept * size)
            blur_depth(source, depth, row, kept, n + along_y.size - 1, along_z, over_z, sums, window)
            for p in range(n_planes):
                blur_rows(window[p], n, along_y, over_y, sums, lines[k, p], reach)
                repeat_ends(lines[k, p], n, reach, source.shape[2], kernels.radii[k, 2])
                blur_columns(
                    lines[k, p], n, column, n_columns, along_x, over_x, k > 0, target[p], first, left
                )
    for p in range(n_planes):
        rows, behind = target[p], left + n_columns
        for row in range(n_rows):
            if left:
                rows[row, 0] = rows[row, 1]
            if right:
                rows[row, behind] = rows[row, behind - 1]
        for i in range(rows.shape[1]):
            if top:
                rows[0, i] = rows[1, i]
            if bottom:
                rows[last, i] = rows[last - 1, i]
