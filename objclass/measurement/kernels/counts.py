"""What has to be counted for an object as a whole, some objects at a time."""

from __future__ import annotations

from collections.abc import Set

import numpy as np

from objclass._common.kernels.outline import first_rows, row_ends
from objclass.measurement.kernels.convex import measure_hulls
from objclass.measurement.kernels.moments import ORDER, power_sums
from objclass.measurement.kernels.perimeter import measure_perimeters
from objclass.measurement.kernels.properties import ObjectProperties
from objclass.measurement.kernels.topology import measure_topology

Counts = dict[str, np.ndarray]

TOPOLOGY = {"euler_number", "area_filled"}
HULL = {"area_convex", "solidity", "feret_diameter_max"}
PERIMETER = {"perimeter", "perimeter_crofton"}
MOMENTS = {"moments", "moments_central", "moments_normalized", "moments_hu"}
WEIGHTED_MOMENTS = {name.replace("moments", "moments_weighted") for name in MOMENTS}

COST_OF_OBJECT, LEAST_COST, MOST_PARTS = 2**13, 2**18, 64  # in voxels of a bounding box


def split_objects(boxes: np.ndarray) -> list[slice]:
    """Return parts of a list of objects that take about as long as each other; one at least, if of none."""
    costs = np.prod(boxes[:, 3:] - boxes[:, :3], axis=1) + COST_OF_OBJECT
    chunks = np.cumsum(costs) // max(LEAST_COST, costs.sum() // MOST_PARTS)
    starts = [0, *np.flatnonzero(np.diff(chunks)) + 1]
    return [slice(start, stop) for start, stop in zip(starts, [*starts[1:], len(boxes)], strict=True)]


def count_objects(
    names: Set[str], labels: np.ndarray, pixels: np.ndarray, objects: ObjectProperties, part: slice
) -> Counts:
    """Count what the properties of these names need, for the objects in one part of the list.

    Parameters
    ----------
    names : set of str
    labels : (z, y, x) int32 array
    pixels : (c, z, y, x) array
    objects : ObjectProperties
        Those of all objects, with their sums.
    part : slice

    Returns
    -------
    dict of str to array
        The first axis is that of the objects.
    """
    numbers, boxes = objects.sums.numbers[part], objects.sums.boxes[part]
    flat = len(objects.spacing) == 2
    counts: Counts = {}
    if names & TOPOLOGY:
        counts["euler_number"], counts["area_filled"] = np.empty((2, len(numbers)), np.int64)
        measure_topology(labels, numbers, boxes, flat, counts["euler_number"], counts["area_filled"])
    if names & HULL:
        starts = first_rows(boxes)
        low, high = np.empty((2, starts[-1]), np.int64)
        row_ends(labels, numbers, boxes, starts, low, high)
        counts["area_convex"], counts["feret_diameter_max"] = np.empty((2, len(numbers)))
        spacing = np.array(((1.0,) if flat else ()) + objects.spacing)
        measure_hulls(
            boxes, starts, low, high, flat, spacing, counts["area_convex"], counts["feret_diameter_max"]
        )
    if names & PERIMETER:
        counts["perimeter"], counts["perimeter_crofton"] = np.empty((2, len(numbers)))
        measure_perimeters(labels, numbers, boxes, counts["perimeter"], counts["perimeter_crofton"])
    if names & MOMENTS:
        counts |= _moments(labels, numbers, boxes, objects, part)
    if names & WEIGHTED_MOMENTS:
        counts |= _weighted_moments(labels, numbers, boxes, pixels, objects, part)
    return counts


def _crop(box: np.ndarray, flat: bool) -> tuple[int | slice, ...]:
    slices = tuple(slice(start, stop) for start, stop in zip(box[:3], box[3:], strict=True))
    return (0, *slices[1:]) if flat else slices


def _moments(
    labels: np.ndarray, numbers: np.ndarray, boxes: np.ndarray, objects: ObjectProperties, part: slice
) -> Counts:
    spacing, centres = objects.spacing, objects.centroid_local[part]
    raw, central = np.empty((2, len(numbers), *(ORDER + 1,) * len(spacing)))
    for index, (number, box) in enumerate(zip(numbers, boxes, strict=True)):
        mask = (labels[_crop(box, len(spacing) == 2)] == number).astype(float)
        raw[index] = power_sums(mask, np.zeros(len(spacing)), spacing)
        central[index] = power_sums(mask, centres[index], spacing)
    return {"moments": raw, "moments_central": central}


def _weighted_moments(
    labels: np.ndarray,
    numbers: np.ndarray,
    boxes: np.ndarray,
    pixels: np.ndarray,
    objects: ObjectProperties,
    part: slice,
) -> Counts:
    spacing, centres = objects.spacing, objects.local_centres_by_channel[part]
    raw, central = np.empty((2, len(numbers), *(ORDER + 1,) * len(spacing), len(pixels)))
    for index, (number, box) in enumerate(zip(numbers, boxes, strict=True)):
        crop = _crop(box, len(spacing) == 2)
        mask = labels[crop] == number
        for channel, values in enumerate(pixels):
            weights = np.where(mask, values[crop], 0).astype(float)
            raw[index, ..., channel] = power_sums(weights, np.zeros(len(spacing)), spacing)
            central[index, ..., channel] = power_sums(weights, centres[index, :, channel], spacing)
    return {"moments_weighted": raw, "moments_weighted_central": central}
