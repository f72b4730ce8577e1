"""Neighbourhood of objects, computed for all objects of an image at once."""

from __future__ import annotations

import numpy as np

from objclass._common.parallel import map_tiles, n_threads
from objclass.measurement.counting import Counts, Part, split_objects
from objclass.measurement.kernels import neighbors as kernels
from objclass.measurement.objects import MeasuredObjects

NEAREST, MEAN, DENSITY, WITHIN = 0, 1, 2, 3
_BATCH = 4096  # objects per query for candidates
_FIRST = 24  # objects with the nearest centroids
_MOST_LARGE = 64


def count_contacts(part: Part) -> Counts:
    """Find objects that share a voxel face, and the fraction of the border that touches other objects."""
    n = len(part.numbers)
    areas = np.prod(part.spacing) / part.spacing
    border, touching = np.empty((n, 2)), np.empty(n, np.int64)

    def count_some(rows: slice) -> None:
        numbers, boxes = part.numbers[rows], part.boxes[rows]
        kernels.count_contacts(
            part.scene.labels, numbers, boxes, part.is_2d, areas, border[rows], touching[rows]
        )

    map_tiles(count_some, split_objects(part.boxes))
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
        distances, found = tree.query(centres, k=n_nearest + 1, workers=n_threads())
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
            within = tree.query_ball_point(
                centres, options.neighbor_radius, return_length=True, workers=n_threads()
            )
            result[:, WITHIN, index] = within - (own >= 0)
    return {"nearest": result}


def count_surface_distances(part: Part) -> Counts:
    """Compute the minimum distance between voxels of an object and of others, for all and for each class."""
    n, sets = len(part.numbers), _sets(part)
    result = np.full((n, len(sets)), np.nan)
    if n < 2:
        return {"surface_distance": result}
    surfaces = _surfaces(part)
    for index, rows in enumerate(sets):
        result[:, index] = _distances_to(rows, part, surfaces)
    return {"surface_distance": result}


def centroids(objects: MeasuredObjects) -> np.ndarray:
    """Return the centroids (n, d) in the unit of the spacing."""
    return objects.corners * np.asarray(objects.spacing) + objects.local_centres


def _sets(part: Part) -> list[np.ndarray]:
    """Return the rows of all objects, and those of each class."""
    numbers = part.numbers
    among = part.scene.options.neighbors_among.values()
    return [np.arange(len(numbers)), *(np.flatnonzero(np.isin(numbers, labels)) for labels in among)]


def _surfaces(part: Part) -> tuple[np.ndarray, np.ndarray]:
    """Return where the surface voxels of each object start (n + 1,), and their positions (m, 3)."""
    sums = part.objects.sums

    def find_some(rows: slice) -> tuple[np.ndarray, np.ndarray]:
        ends, places = (
            np.empty(rows.stop - rows.start, np.int64),
            np.empty((sums.counts[rows].sum(), 3), np.int32),
        )
        kernels.surface_voxels(
            part.scene.labels, sums.numbers[rows], sums.boxes[rows], part.is_2d, ends, places
        )
        return np.diff(ends, prepend=0), places[: ends[-1]].copy()

    sizes, places = zip(*map_tiles(find_some, split_objects(sums.boxes)), strict=True)
    return np.concatenate([[0], np.cumsum(np.concatenate(sizes))]), np.concatenate(places)


def _distances_to(rows: np.ndarray, part: Part, surfaces: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
    """Return the distance from each object to the nearest of `rows`.

    Large objects are always tried, and those with the nearest centroids; this bounds the distance. An object
    whose bound reaches beyond the centroids tried is compared with all in a ball around it.
    """
    from scipy.spatial import cKDTree

    boxes, spacing = np.ascontiguousarray(part.boxes), part.spacing
    n = len(boxes)
    if len(rows) == 0:
        return np.full(n, np.nan)
    centres = centroids(part.objects)
    centres = np.hstack([np.zeros((n, 3 - centres.shape[1])), centres])
    low, high = boxes[:, :3] * spacing, (boxes[:, 3:] - 1) * spacing
    reach = np.linalg.norm(np.maximum(centres - low, high - centres), axis=1)
    by_reach = rows[np.argsort(reach[rows], kind="stable")]
    n_large = min(_MOST_LARGE, len(rows) // 100)
    small, large = by_reach[: len(rows) - n_large], by_reach[len(rows) - n_large :]
    tree, n_first = cKDTree(centres[small]), min(_FIRST, len(small))
    farthest = reach[small].max()
    span = np.linalg.norm(centres.max(axis=0) - centres.min(axis=0)) + 1

    def try_some(start: int) -> np.ndarray:
        some = np.arange(start, min(start + _BATCH, n))
        squared = np.full(len(some), np.inf)

        def compare(chosen: np.ndarray, candidates: list[np.ndarray]) -> None:
            offsets = np.cumsum([0, *map(len, candidates)])
            bounds = squared[chosen]
            found = np.concatenate(candidates)
            kernels.nearest_surfaces(some[chosen], *surfaces, boxes, spacing, found, offsets, bounds)
            squared[chosen] = bounds

        distances, near = tree.query(centres[some], k=[*range(1, n_first + 1)])
        compare(np.arange(len(some)), list(np.hstack([small[near], np.tile(large, (len(some), 1))])))
        limits = np.minimum(np.sqrt(squared) + reach[some] + farthest, span)
        beyond = np.flatnonzero((limits > distances[:, -1]) & (n_first < len(small)))
        if len(beyond):
            balls = tree.query_ball_point(centres[some[beyond]], limits[beyond], return_sorted=False)
            compare(beyond, [small[ball] for ball in balls])
        return squared

    distances = np.sqrt(np.concatenate(map_tiles(try_some, range(0, n, _BATCH))))
    return np.where(np.isfinite(distances), distances, np.nan)
