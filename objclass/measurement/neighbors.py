"""Neighbourhood of objects, computed for all objects of an image at once."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np

from objclass._common.parallel import map_tiles
from objclass.measurement.counting import Counts, Part
from objclass.measurement.kernels.neighbors import count_faces, nearest_surfaces, surface_voxels
from objclass.measurement.objects import MeasuredObjects

NEAREST, MEAN, DENSITY, WITHIN = 0, 1, 2, 3
_BATCH = 4096  # objects per query for candidates
_MOST_LARGE = 64


def count_contacts(part: Part) -> Counts:
    """Find objects that share a voxel face, and the fraction of the border that touches other objects."""
    numbers, labels = part.numbers, part.scene.labels
    n = len(numbers)
    border = np.zeros((n, 2))
    if n == 0:
        return {"touching": np.zeros(0, np.int64), "touching_share": border[:, 0]}
    if numbers[-1] > labels.size:  # a lookup table of all labels would be larger than the image
        labels = np.searchsorted(np.concatenate([[0], numbers]), labels).astype(np.int32)
        numbers = np.arange(1, n + 1)
    rows = np.full(numbers[-1] + 1, -1, np.int32)
    rows[numbers] = np.arange(n)
    areas = np.prod(part.spacing) / part.spacing
    if part.is_2d:
        areas[0] = 0
    contacts = count_faces(labels, rows, areas, border)
    pairs = np.unique(np.sort(contacts, axis=1).astype(np.int64) @ [n, 1])
    touching = np.bincount(np.concatenate([pairs // n, pairs % n]), minlength=n)
    return {"touching": touching, "touching_share": border[:, 1] / border[:, 0]}


def count_nearest(part: Part) -> Counts:
    """Find the nearest objects by centroid distance, among all objects and among those of each class."""
    from scipy.spatial import cKDTree

    options, centres = part.scene.options, centroids(part.objects)
    n_nearest, n_axes = options.n_neighbors, centres.shape[1]
    ball = np.pi * (4 / 3 if n_axes == 3 else 1)
    sets = _sets(part)
    result = np.full((len(centres), 4, len(sets)), np.nan)
    for index, rows in enumerate(sets):
        result[:, WITHIN, index] = 0
        if len(rows) == 0 or len(centres) == 0:
            continue
        tree = cKDTree(centres[rows])
        distances, found = tree.query(centres, k=n_nearest + 1)
        own = np.full(len(centres), -1)
        own[rows] = np.arange(len(rows))
        distances[found == own[:, np.newaxis]] = np.inf
        distances = np.sort(distances, axis=1)[:, :n_nearest]
        there = np.isfinite(distances)
        n_there = there.sum(axis=1)
        farthest = np.where(there, distances, 0).max(axis=1)
        result[:, NEAREST, index] = np.where(there[:, 0], distances[:, 0], np.nan)
        with np.errstate(divide="ignore", invalid="ignore"):
            result[:, MEAN, index] = np.where(there, distances, 0).sum(axis=1) / n_there
            density = n_there / (ball * farthest**n_axes)
            result[:, DENSITY, index] = np.where(n_there > 0, density, np.nan)
        if options.neighbor_radius is not None:
            within = tree.query_ball_point(centres, options.neighbor_radius, return_length=True)
            result[:, WITHIN, index] = within - (own >= 0)
    return {"nearest": result}


def count_surface_distances(part: Part) -> Counts:
    """Compute the minimum distance between voxels of an object and of others, for all and for each class."""
    sums = part.objects.sums
    n = len(sums.numbers)
    sets = _sets(part)
    result = np.full((n, len(sets)), np.nan)
    if n < 2:
        return {"surface_distance": result}
    scene, boxes = part.scene, np.ascontiguousarray(sums.boxes)
    starts, flat = np.zeros(n + 1, np.int64), int(part.is_2d)
    surface_voxels(scene.labels, sums.numbers, boxes, flat, starts, np.empty((0, 3), np.int32))
    starts = np.cumsum(starts)
    places = np.empty((starts[-1], 3), np.int32)
    surface_voxels(scene.labels, sums.numbers, boxes, flat, starts, places)
    for index, rows in enumerate(sets):
        find = partial(_nearest_surfaces, starts, places, boxes, part.spacing)
        result[:, index] = _distances_to(rows, part.objects, boxes, part.spacing, find)
    return {"surface_distance": result}


def centroids(objects: MeasuredObjects) -> np.ndarray:
    """Return the centroids (n, d) in the unit of the spacing."""
    return objects.corners * np.asarray(objects.spacing) + objects.local_centres


def _sets(part: Part) -> list[np.ndarray]:
    """Return the rows of all objects, and those of each class."""
    numbers = part.numbers
    among = part.scene.options.neighbors_among.values()
    return [np.arange(len(numbers)), *(np.flatnonzero(np.isin(numbers, labels)) for labels in among)]


def _distances_to(
    rows: np.ndarray,
    objects: MeasuredObjects,
    boxes: np.ndarray,
    spacing: np.ndarray,
    find: Callable[[int, int, np.ndarray, np.ndarray, np.ndarray], np.ndarray],
) -> np.ndarray:
    """Return the distance from each object to the nearest of `rows`.

    The objects with the nearest centroids give an upper bound. Then all objects that can be nearer are tried:
    those within a ball around the object, and large ones, for which the ball would contain everything.
    """
    from scipy.spatial import cKDTree

    n = len(boxes)
    if len(rows) == 0 or (len(rows) == 1 and n == 1):
        return np.full(n, np.nan)
    centres = centroids(objects)
    centres = np.hstack([np.zeros((n, 3 - centres.shape[1])), centres])
    low, high = boxes[:, :3] * spacing, (boxes[:, 3:] - 1) * spacing
    reach = np.linalg.norm(np.maximum(centres - low, high - centres), axis=1)
    by_reach = rows[np.argsort(reach[rows], kind="stable")]
    n_large = min(_MOST_LARGE, len(rows) // 100)
    small, large = by_reach[: len(rows) - n_large], by_reach[len(rows) - n_large :]
    tree = cKDTree(centres[small])
    n_first = min(4, len(small))
    first = small[tree.query(centres, k=n_first)[1].reshape(n, n_first)]
    squared = find(0, n, first.ravel(), np.arange(n + 1) * n_first, np.full(n, np.inf))
    farthest = reach[small].max() if len(small) else 0.0

    def refine(start: int) -> np.ndarray:
        stop = min(start + _BATCH, n)
        limits = np.sqrt(squared[start:stop]) + reach[start:stop] + farthest
        span = np.linalg.norm(centres.max(axis=0) - centres.min(axis=0)) + 1
        near = tree.query_ball_point(centres[start:stop], np.minimum(limits, span), return_sorted=False)
        candidates = [np.concatenate([small[np.asarray(each, int)], large]) for each in near]
        offsets = np.zeros(n + 1, np.int64)
        offsets[start + 1 : stop + 1] = np.cumsum([len(each) for each in candidates])
        return find(start, stop, np.concatenate(candidates), offsets, squared.copy())[start:stop]

    distances = np.sqrt(np.concatenate(map_tiles(refine, range(0, n, _BATCH))))
    return np.where(np.isfinite(distances), distances, np.nan)


def _nearest_surfaces(
    starts: np.ndarray,
    places: np.ndarray,
    boxes: np.ndarray,
    spacing: np.ndarray,
    first: int,
    stop: int,
    candidates: np.ndarray,
    offsets: np.ndarray,
    squared: np.ndarray,
) -> np.ndarray:
    nearest_surfaces(first, stop, starts, places, boxes, spacing, candidates, offsets, squared)
    return squared
