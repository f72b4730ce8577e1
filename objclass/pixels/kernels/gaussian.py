"""Gaussian blur of planes of a volume, along z, then y, then x; or the difference of two.

Blurred planes are kept in strips too, with one neighbour column at either side.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from objclass._common.parallel import kernel
from objclass.pixels.kernels.convolution import LANES, ROWS, convolve_line, convolve_rows, copy

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
def blur_depth(strip, first_depth, first_row, start, stop, weights, divisor, sums, planes):
    """Blur some rows of one strip along z, for four planes.

    Parameters
    ----------
    strip : float32, (n_rows, depth, LANES)
        Its outer planes are repeated along the depth as far as the kernel reaches. A depth of 1 is a 2D
        image, which has no z pass.
    first_depth : int
        Where the window of the first plane begins.
    first_row : int
        The row that becomes row 0 of `planes`. Outside the strip its nearest row is repeated.
    start, stop : int
        Which rows of `planes` to set.
    weights, divisor, sums : float32
        As in `convolve_rows`.
    planes : float32, (n_planes, n_rows_read, LANES)
        The result.
    """
    n_rows, depth, lanes = strip.shape
    voxels, blurred, step = strip.ravel(), planes.ravel(), planes.shape[1] * lanes
    before = -1
    for i in range(start, stop):
        row = min(max(first_row + i, 0), n_rows - 1)
        if row == before:
            for p in range(planes.shape[0]):
                copy(blurred, p * step + (i - 1) * lanes, blurred, p * step + i * lanes, lanes)
        elif depth == 1:
            copy(voxels, row * lanes, blurred, i * lanes, lanes)
        else:
            at = (row * depth + first_depth) * lanes
            convolve_rows(voxels, at, weights, divisor, sums, blurred, i * lanes, step)
        before = row


@kernel
def blur_rows(plane, n_rows, weights, divisor, sums, lines, first_column):
    """Blur one strip of one plane along y, and put it into whole lines.

    Parameters
    ----------
    plane : float32, (at least n_rows + len(weights) - 1, LANES)
    n_rows : int
        A multiple of four.
    weights, divisor, sums : float32
        As in `convolve_rows`.
    lines : float32, (at least n_rows, length)
        The result.
    first_column : int
        Where in `lines` the strip begins.
    """
    pixels, blurred = plane.ravel(), lines.ravel()
    length = lines.shape[1]
    for row in range(0, n_rows, ROWS):
        to = row * length + first_column
        convolve_rows(pixels, row * LANES, weights, divisor, sums, blurred, to, length)


@kernel
def blur_columns(lines, n_rows, column, n_columns, weights, divisor, before, subtract, target, first_row):
    """Blur lines along x, and cut them into strips that hold a neighbour column at either side.

    Parameters
    ----------
    lines : float32, (at least n_rows, length)
    n_rows : int
    column, n_columns : int
        Where in `lines` the window of the first column wanted begins, and how many columns are wanted.
    weights, divisor : float32
        As in `convolve_line`.
    before : int
        1 where the first strip begins at the border of the image, 0 where a neighbour column comes first.
    subtract : bool
        Whether to subtract the result from what is in `target`.
    target : float32, (n_strips, at least first_row + n_rows, LANES + 2)
        The result; beyond the border of the image its value is repeated once.
    first_row : int
        Where in `target` the first row goes.
    """
    pixels, length = lines.ravel(), lines.shape[1]
    sums = np.empty((n_columns + LANES - 1) // LANES * LANES, np.float32)
    line = np.zeros(sums.size + LANES, np.float32)
    for row in range(n_rows):
        convolve_line(pixels, row * length + column, weights, divisor, sums, line)
        line[n_columns] = line[n_columns - 1]
        cut_line(line, before, subtract, first_row + row, target)


@kernel
def cut_line(line, before, subtract, row, target):
    """Put `line` into one row of strips, or subtract it from them; see `blur_columns`.

    LANES is read off `target`: the compiler turns a copy of a length that it knows into single steps.
    """
    lanes = target.shape[2] - 2
    for strip in range(target.shape[0]):
        first = strip * lanes + 1 - before
        part, values = line[first : first + lanes], target[strip, row, 1 : lanes + 1]
        left, right = line[max(first - 1, 0)], line[first + lanes]
        if subtract:
            target[strip, row, 0] -= left
            target[strip, row, lanes + 1] -= right
            for i in range(lanes):
                values[i] -= part[i]
        else:
            target[strip, row, 0] = left
            target[strip, row, lanes + 1] = right
            for i in range(lanes):
                values[i] = part[i]


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
def blur_planes(
    source, n_columns, centre, reach, n_planes, n_columns_wanted, kernels, borders, planes, lines, target
):
    """Blur up to four neighbouring planes of a tile along z, y and x.

    All three passes are made for a few rows before the next: what one pass writes is read by the next
    while it is in cache. The rows that the y pass will read again are kept.

    Parameters
    ----------
    source : float32, (n_strips, n_rows, depth, LANES)
        The tile, and what surrounds it as far as the kernels reach or the image goes.
    n_columns : int
        How many columns of `source` hold pixels.
    centre : tuple of int
        The depth, row and column of `source` at which the first voxel wanted stands. Row and column may
        lie before the first one.
    reach : int
        How many columns before the first one are repeated in `lines`.
    n_planes, n_columns_wanted : int
    kernels : Kernels
    borders : tuple of int
        1 where the rows wanted begin, the rows end and the columns begin at the border of the image, where
        its value is repeated once. The number of the last row wanted stands fourth.
    planes : float32, (n_kernels, n_strips, 4, CHUNK + length of the weights - 1, LANES)
        Scratch after the z pass.
    lines : float32, (n_kernels, 4, CHUNK, at least reach + n_columns + reach + LANES + TAPS)
        Scratch after the y pass.
    target : float32, (4, n_strips_wanted, n_rows_wanted, LANES + 2)
        The result; n_rows_wanted is a multiple of four.
    """
    n_rows = target.shape[2]
    sums = np.empty(ROWS * LANES, np.float32)
    for first in range(0, n_rows, CHUNK):
        n = min(CHUNK, n_rows - first)
        for strip in range(source.shape[0]):
            for k in range(kernels.sizes.shape[0]):
                along_z, along_y = (
                    kernels.weights[k, 0, : kernels.sizes[k, 0]],
                    kernels.weights[k, 1, : kernels.sizes[k, 1]],
                )
                depth, row = centre[0] - kernels.radii[k, 0], centre[1] - kernels.radii[k, 1] + first
                window, kept, n_rows_read = planes[k, strip], 0, n + along_y.size - 1
                if first > 0:
                    kept = along_y.size - 1
                    for p in range(n_planes):
                        copy(window[p].ravel(), CHUNK * LANES, window[p].ravel(), 0, kept * LANES)
                divisor = kernels.divisors[k, 0]
                blur_depth(source[strip], depth, row, kept, n_rows_read, along_z, divisor, sums, window)
                divisor, column = kernels.divisors[k, 1], reach + strip * LANES
                for p in range(n_planes):
                    blur_rows(window[p], n, along_y, divisor, sums, lines[k, p], column)
        for k in range(kernels.sizes.shape[0]):
            weights, divisor = kernels.weights[k, 2, : kernels.sizes[k, 2]], kernels.divisors[k, 2]
            radius = kernels.radii[k, 2]
            column = reach + centre[2] - radius
            for p in range(n_planes):
                repeat_ends(lines[k, p], n, reach, n_columns, radius)
                blur_columns(
                    lines[k, p],
                    n,
                    column,
                    n_columns_wanted,
                    weights,
                    divisor,
                    borders[2],
                    k > 0,
                    target[p],
                    first,
                )
    top, bottom, _, last = borders
    for p in range(n_planes):
        for strip in range(target.shape[1]):
            rows = target[p, strip]
            for i in range(rows.shape[1]):
                if top:
                    rows[0, i] = rows[1, i]
                if bottom:
                    rows[last, i] = rows[last - 1, i]
