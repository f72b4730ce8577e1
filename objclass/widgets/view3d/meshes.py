"""Surface meshes of labelled objects, simplified for interactive display."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypedDict

import numpy as np

from objclass._common.parallel import map_tiles
from objclass._common.progress import Progress
from objclass.widgets.boxes import object_boxes

TRIANGLES = 400_000
AMBIENT = 0.35
"""The brightness of a surface that is seen from its edge; one that faces the eye has 1."""
_FEWEST, _MOST = 60, 3_000
_PADDING = 2
# Triangles of marching cubes per grid square of a surface, measured on spheres.
_TRIANGLES_A_SQUARE = 3.1


class Models(TypedDict, total=False):
    """The ids of the models of a 3D view, and the vertices and triangles (int32) of each object."""

    plot: str
    surfaces: str
    raw: str
    vertices: bytes
    triangles: bytes
    size: list[float]
    camera: list[float]


@dataclass(frozen=True, eq=False)
class Mesh:
    """The concatenated surface meshes of objects.

    Attributes
    ----------
    vertices : (n, 3) float32 array
        x, y, z in physical units.
    triangles : (m, 3) uint32 array
        Indices in `vertices`.
    labels : (k,) int64 array
        The labels of the objects, in order.
    vertex_counts, triangle_counts : (k,) int32 array
        The number of vertices and triangles of each object; 0 if it has no surface.
    """

    vertices: np.ndarray
    triangles: np.ndarray
    labels: np.ndarray
    vertex_counts: np.ndarray
    triangle_counts: np.ndarray

    def label_of(self, vertex: int) -> int:
        """Return the object to which a vertex belongs."""
        return int(self.labels[np.searchsorted(np.cumsum(self.vertex_counts), vertex, side="right")])

    def spread(self, values: np.ndarray) -> np.ndarray:
        """Return, for each vertex, the value of its object."""
        return np.repeat(values, self.vertex_counts)


def mesh_objects(
    labels: np.ndarray,
    numbers: np.ndarray,
    *,
    spacing: Sequence[float] = (1.0, 1.0, 1.0),
    budget: int = TRIANGLES,
    progress: Progress = False,
) -> Mesh:
    """Return the smoothed surfaces of objects.

    Each object is smoothed, resampled on an isotropic grid whose spacing depends on its share of the budget,
    and meshed by marching cubes at the level that preserves its volume.

    Parameters
    ----------
    labels : (z, y, x) array of int
    numbers : (k,) array of int
        The labels of the objects, in the order of the mesh.
    spacing : three floats
        Voxel size along z, y and x.
    budget : int
        The approximate maximum number of triangles of all objects.
    progress : bool or callable
        As in `map_tiles`.

    References
    ----------
    T. Lewiner et al., Efficient implementation of marching cubes' cases with topological guarantees,
    Journal of Graphics Tools 8 (2003): :func:`skimage.measure.marching_cubes`.

    Examples
    --------
    >>> import numpy as np
    >>> labels = np.zeros((12, 12, 12), int)
    >>> labels[3:9, 3:9, 3:9] = 5
    >>> mesh_objects(labels, np.array([5])).vertices.mean(axis=0).round(1).tolist()
    [5.5, 5.5, 5.5]
    """
    sizes = np.asarray(spacing, float)
    share = np.clip(budget / max(1, len(numbers)), _FEWEST, _MOST)
    boxes = object_boxes(labels, numbers)

    nothing = np.empty((0, 3), np.float32), np.empty((0, 3), np.uint32)

    def surface(place: int) -> tuple[np.ndarray, np.ndarray]:
        box = boxes[place]
        return nothing if box is None else _surface(labels[box] == numbers[place], box, sizes, share)

    parts = map_tiles(surface, range(len(numbers)), description="Surfaces", progress=progress)
    vertices, faces = zip(nothing, *parts, strict=True)
    counts = np.array([len(each) for each in vertices], np.int32)
    starts = (np.cumsum(counts) - counts).astype(np.uint32)
    return Mesh(
        np.concatenate(vertices),
        np.concatenate([each + start for each, start in zip(faces, starts, strict=True)]),
        np.asarray(numbers, np.int64),
        counts[1:],
        np.array([len(each) for each in faces[1:]], np.int32),
    )


def project(
    vertices: np.ndarray, triangles: np.ndarray, camera: Sequence[float]
) -> tuple[np.ndarray, np.ndarray, np.ndarray, float]:
    """Return triangles as a camera (eye, target, up) sees them: corners, depth, how much they face it.

    The corners (n, 3, 2) are those on a plane at distance 1; a triangle faces the eye by 1, and by -1 with
    its back. The last value is the distance of the target.
    """
    eye, target, up = np.reshape(np.asarray(camera, np.float32), (3, 3))
    middle = float(np.linalg.norm(target - eye)) or 1.0
    ahead = (target - eye) / middle
    right = np.cross(ahead, up)
    right /= np.linalg.norm(right) or 1.0
    seen = (vertices - eye) @ np.stack([right, np.cross(right, ahead), ahead], axis=1)
    flat = seen[:, :2] / np.maximum(seen[:, 2:], 1e-9)
    corners = seen[triangles]
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    facing = normals[:, 2] / np.maximum(np.linalg.norm(normals, axis=1), 1e-30)
    return flat[triangles], corners[..., 2].mean(axis=1), facing, middle


def _surface(
    mask: np.ndarray, box: tuple[slice, ...], spacing: np.ndarray, share: float
) -> tuple[np.ndarray, np.ndarray]:
    from scipy import ndimage
    from skimage.measure import marching_cubes

    extents = np.array(mask.shape) * spacing
    side = _grid_side(extents, share, spacing)
    padding = np.maximum(_PADDING, np.ceil(1.5 * side / spacing)).astype(int)
    padded = np.pad(mask.astype(np.float32), [(width, width) for width in padding])
    # Smooth for the coarser grid, at least enough to round the steps between voxels; less for thin objects,
    # which would vanish.
    rounding = np.clip(np.array(mask.shape) / 6, 0.6, 1.2)
    smooth = ndimage.gaussian_filter(padded, np.maximum(rounding, 0.45 * side / spacing), truncate=2.5)
    counts = np.maximum(4, np.ceil((np.array(smooth.shape) - 1) * spacing / side).astype(int) + 1)
    steps = (np.array(smooth.shape) - 1) / (counts - 1)
    grid = smooth
    if (counts != smooth.shape).any():
        # Linear interpolation between distant planes would leave terraces.
        order = 3 if (counts > 1.5 * np.array(smooth.shape)).any() else 1
        grid = ndimage.zoom(
            smooth, counts / np.array(smooth.shape), order=order, grid_mode=False, mode="nearest"
        )
        steps = (np.array(smooth.shape) - 1) / (np.array(grid.shape) - 1)
    vertices, faces, _, _ = marching_cubes(grid, _level(smooth, int(np.count_nonzero(mask))))
    start = np.array([part.start for part in box])
    placed = (vertices * steps - padding + start) * spacing
    return placed[:, ::-1].astype(np.float32), faces.astype(np.uint32)


def _level(smooth: np.ndarray, count: int) -> float:
    """Return the level at which the smoothed object has the original volume."""
    values = np.partition(smooth, -count - 1, axis=None)[-count - 1 :]
    return float(np.clip((values[0] + values[1:].min()) / 2, 0.05, 0.6))


def _grid_side(extents: np.ndarray, share: float, spacing: np.ndarray) -> float:
    """Return the side of the grid at which an ellipsoid of these extents has `share` triangles."""
    a, b, c = (extents / 2) ** 1.6075
    area = 4 * np.pi * ((a * b + a * c + b * c) / 3) ** (1 / 1.6075)
    return float(max(np.sqrt(_TRIANGLES_A_SQUARE * area / share), spacing.min()))
