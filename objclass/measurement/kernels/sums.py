"""Sums over the voxels of every object: exact, in one pass, and mergeable over blocks of an image.

A pass over a block gives one record for each object in it. Records of an object in several blocks are merged
by addition, so that a block never needs the whole object.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from objclass._common.parallel import kernel

# Columns of the spatial record: sums of 1, of z, y, x, of zz, yy, xx, zy, zx, yx; bounding box; label.
COUNT, FIRST, SECOND, BOX_START, BOX_STOP, NUMBER, SPATIAL = 0, 1, 4, 10, 13, 16, 17
# Columns of the intensity record of one channel. Deviations are differences from REFERENCE, the first value,
# to avoid the cancellation of sums of squares. VALID is the number of voxels.
REFERENCE, LOWEST, HIGHEST, TOTAL, WEIGHTED, DEVIATION, DEVIATION_SQUARED = 0, 1, 2, 3, 4, 7, 8
VALID, INTENSITY = 9, 10

NO_BOX = 2**62
_AXIS_PAIRS = np.array([[0, 3, 4], [3, 1, 5], [4, 5, 2]])


class ObjectSums(NamedTuple):
    """Sums over the voxels of n objects, in the order of their labels.

    Coordinates are relative to the lower corner of the bounding box, which keeps sums small and exact.
    """

    numbers: np.ndarray
    """(n,) labels."""
    boxes: np.ndarray
    """(n, 6) bounding boxes: start and stop (exclusive) along z, y, x."""
    counts: np.ndarray
    """(n,) numbers of voxels."""
    first: np.ndarray
    """(n, 3) sums of z, y and x."""
    second: np.ndarray
    """(n, 3, 3) sums of their products."""
    valid: np.ndarray
    """(n, channels) numbers of voxels that are not masked."""
    lowest: np.ndarray
    """(n, channels) smallest intensity."""
    highest: np.ndarray
    """(n, channels) largest intensity."""
    totals: np.ndarray
    """(n, channels) sums of the intensity."""
    weighted: np.ndarray
    """(n, channels, 3) sums of intensity times z, y and x."""
    squares: np.ndarray
    """(n, channels) sums of the squared differences from the mean intensity, float."""


@kernel
def find_slot(slots, spatial, number):
    """Return the index in the hash table `slots` at which `number` is or would be stored."""
    mask = len(slots) - 1
    place = (number * 2654435761 >> 8) & mask
    while slots[place] >= 0 and spatial[slots[place], NUMBER] != number:
        place = (place + 1) & mask
    return place


@kernel
def doubled(records):
    """Return an array of twice as many records, padded with zeros."""
    more = np.zeros((2 * records.shape[0], records.shape[1]), records.dtype)
    for index in range(records.shape[0]):
        for column in range(records.shape[1]):
            more[index, column] = records[index, column]
    return more


@kernel
def add_run(record, plane, line, start, stop):
    """Add the voxels ``start <= x < stop`` of a row to a spatial record, by closed-form sums."""
    length = stop - start
    sum_x = start * length + (length - 1) * length // 2
    sum_xx = start * (2 * sum_x - start * length) + (length - 1) * length * (2 * length - 1) // 6
    record[COUNT] += length
    record[FIRST] += plane * length
    record[FIRST + 1] += line * length
    record[FIRST + 2] += sum_x
    record[SECOND] += plane * plane * length
    record[SECOND + 1] += line * line * length
    record[SECOND + 2] += sum_xx
    record[SECOND + 3] += plane * line * length
    record[SECOND + 4] += plane * sum_x
    record[SECOND + 5] += line * sum_x
    record[BOX_START] = min(record[BOX_START], plane)
    record[BOX_START + 1] = min(record[BOX_START + 1], line)
    record[BOX_START + 2] = min(record[BOX_START + 2], start)
    record[BOX_STOP] = max(record[BOX_STOP], plane + 1)
    record[BOX_STOP + 1] = max(record[BOX_STOP + 1], line + 1)
    record[BOX_STOP + 2] = max(record[BOX_STOP + 2], stop)


@kernel
def add_values(record, zero, values, corner, start, stop, is_new):
    """Add the values of a run of voxels to an intensity record.

    `zero` sets the dtype of the sums. `corner` is the place of the first of the `values`, which are a row.
    """
    if is_new:
        record[REFERENCE] = record[LOWEST] = record[HIGHEST] = values[start]
    reference, lowest, highest = record[REFERENCE], record[LOWEST], record[HIGHEST]
    total, total_x, deviations, squares = zero, zero, zero, zero
    for x in range(start, stop):
        value = zero + values[x]
        deviation = value - reference
        total += value
        total_x += value * x
        deviations += deviation
        squares += deviation * deviation
        lowest = min(lowest, value)
        highest = max(highest, value)
    record[LOWEST] = lowest
    record[HIGHEST] = highest
    record[TOTAL] += total
    record[WEIGHTED] += total * corner[0]
    record[WEIGHTED + 1] += total * corner[1]
    record[WEIGHTED + 2] += total * corner[2] + total_x
    record[DEVIATION] += deviations
    record[DEVIATION_SQUARED] += squares
    record[VALID] += stop - start


@kernel
def sum_block(labels, image, origin, zeros):
    """Compute the sums of every object in a block of an image.

    Fast because voxels are processed in runs of equal labels: an object is looked up once per run, in a hash
    table of the labels of the block, and sums of coordinates have closed forms.

    Parameters
    ----------
    labels : (z, y, x) int32 array
        Any labels; 0 is ignored.
    image : (c, z, y, x) array
        May have no channels.
    origin : tuple of int
        The place (z, y, x) of the block in the image.
    zeros : (1,) int64 or float64 array
        Sets the dtype of the intensity sums.

    Returns
    -------
    spatial : (n, SPATIAL) int64 array
        Sums wrap around at 64 bits; `merge_sums` corrects this by moving the origin to the object.
    intensity : (n, channels * INTENSITY) array
    """
    depth, height, width = labels.shape
    n_channels = image.shape[0]
    n_objects = 0
    spatial = np.zeros((64, SPATIAL), np.int64)
    intensity = np.zeros((64, n_channels * INTENSITY), zeros.dtype)
    slots = np.full(128, -1, np.int64)
    for plane in range(depth):
        for line in range(height):
            row = labels[plane, line]
            stop = np.int64(0)  # a literal 0 would make numba compile its callees a second time
            while stop < width:
                start, number = stop, np.int64(row[stop])
                stop += 1
                while stop < width and row[stop] == number:
                    stop += 1
                if number == 0:
                    continue
                place = find_slot(slots, spatial, number)
                slot = slots[place]
                is_new = slot < 0
                if is_new:
                    slot = slots[place] = n_objects
                    n_objects += 1
                    spatial[slot, NUMBER] = number
                    for column in range(BOX_START, BOX_STOP):
                        spatial[slot, column] = NO_BOX
                z, y, x = plane + origin[0], line + origin[1], origin[2]
                add_run(spatial[slot], z, y, x + start, x + stop)
                for channel in range(n_channels):
                    record = intensity[slot, channel * INTENSITY : (channel + 1) * INTENSITY]
                    values = image[channel, plane, line]
                    add_values(record, zeros[0], values, (z, y, x), start, stop, is_new)
                if n_objects == len(spatial):
                    spatial, intensity = doubled(spatial), doubled(intensity)
                    slots = np.full(4 * n_objects, -1, np.int64)
                    for known in range(n_objects):
                        slots[find_slot(slots, spatial, spatial[known, NUMBER])] = known
    return spatial[:n_objects], intensity[:n_objects]


def merge_sums(parts: Sequence[tuple[np.ndarray, np.ndarray]]) -> ObjectSums:
    """Merge the results of `sum_block` for the blocks of an image, in any order."""
    spatial, intensity = map(np.concatenate, zip(*parts, strict=True))
    order = np.argsort(spatial[:, NUMBER], kind="stable")
    spatial = spatial[order]
    intensity = intensity[order].reshape(len(order), intensity.shape[1] // INTENSITY, INTENSITY)
    numbers, starts, n_parts = np.unique(spatial[:, NUMBER], return_index=True, return_counts=True)

    corners = np.minimum.reduceat(spatial[:, BOX_START:BOX_STOP], starts)
    stops = np.maximum.reduceat(spatial[:, BOX_STOP:NUMBER], starts)
    sums = np.add.reduceat(spatial[:, :BOX_START], starts)
    counts = np.ascontiguousarray(sums[:, COUNT])
    first, second = move_origin(counts, sums[:, FIRST:SECOND], sums[:, SECOND:][:, _AXIS_PAIRS], corners)

    shift = intensity[:, :, REFERENCE] - np.repeat(intensity[starts, :, REFERENCE], n_parts, axis=0)
    shift_total = shift * intensity[:, :, VALID]
    intensity[:, :, DEVIATION_SQUARED] += shift * (2 * intensity[:, :, DEVIATION] + shift_total)
    intensity[:, :, DEVIATION] += shift_total
    lowest = np.minimum.reduceat(intensity[:, :, LOWEST], starts)
    highest = np.maximum.reduceat(intensity[:, :, HIGHEST], starts)
    intensity[:, :, [LOWEST, HIGHEST]] = 0  # these are not sums, and are infinite for empty objects
    sums = np.add.reduceat(intensity, starts)
    totals, valid = sums[:, :, TOTAL], sums[:, :, VALID].astype(np.int64)
    if totals.dtype.kind == "f":  # comparisons in `add_values` may have ignored NaN
        lowest[np.isnan(totals)] = highest[np.isnan(totals)] = np.nan
    weighted = sums[:, :, WEIGHTED:DEVIATION] - corners[:, np.newaxis] * totals[..., np.newaxis]
    squares = squares_about_mean(np.maximum(valid, 1), sums[:, :, DEVIATION], sums[:, :, DEVIATION_SQUARED])
    return ObjectSums(
        numbers=numbers,
        boxes=np.hstack([corners, stops]),
        counts=counts,
        first=first,
        second=second,
        valid=valid,
        lowest=lowest,
        highest=highest,
        totals=totals,
        weighted=weighted,
        squares=squares,
    )


def move_origin(
    counts: np.ndarray, first: np.ndarray, second: np.ndarray, origin: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return the first (n, 3) and second (n, 3, 3) sums with coordinates relative to `origin` (n, 3)."""
    across = origin[:, :, np.newaxis] * first[:, np.newaxis, :]
    moved = first - counts[:, np.newaxis] * origin
    # The last term is counts * origin * origin minus what the first two terms subtract twice.
    return moved, second - across - moved[:, :, np.newaxis] * origin[:, np.newaxis, :]


def second_moments(sums: ObjectSums) -> np.ndarray:
    """Return the (n, 3, 3) sums of products of coordinates about the centre of mass, in voxels.

    The origin is first moved to the integer nearest to the centre, exactly, so that little cancellation is
    left for floating point.
    """
    counts = sums.counts[:, np.newaxis]
    centre = (2 * sums.first + counts) // (2 * counts)
    first, second = move_origin(sums.counts, sums.first, sums.second, centre)
    return second - first[:, :, np.newaxis] * first[:, np.newaxis, :] / counts[..., np.newaxis]


def squares_about_mean(counts: np.ndarray, total: np.ndarray, squares: np.ndarray) -> np.ndarray:
    """Return the sum of squared deviations from the mean, given the sum of values and of their squares."""
    if total.dtype.kind == "i":
        nearest = (2 * total + counts) // (2 * counts)
        squares = squares - nearest * (2 * total - nearest * counts)
        total = total - nearest * counts
    return np.maximum(squares - total * (total / counts), 0)
