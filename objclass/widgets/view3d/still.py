"""A still picture of surfaces, for notebooks without a kernel."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from objclass.widgets.view3d.meshes import AMBIENT, Mesh, project
from objclass.widgets.view3d.scene import BACKGROUND, FIELD_OF_VIEW

_FINEST = 8  # a triangle is drawn as points on at most so many lines


def draw_surfaces(mesh: Mesh, colors: np.ndarray, camera: Sequence[float], *, side: int = 480) -> np.ndarray:
    """Return the surfaces as a camera sees them, (side, side, 3) bytes.

    Parameters
    ----------
    mesh : Mesh
    colors : (k, 3) array
        The colour of each object, from 0 to 255.
    camera : sequence of nine floats
        Eye, target and the direction up, each as x, y, z.
    side : int
        Height and width in pixels.
    """
    picture = np.full((side, side, 3), list(BACKGROUND.to_bytes(3, "big")), np.uint8)
    corners, depth, facing, _ = project(mesh.vertices, mesh.triangles, camera)
    front = np.flatnonzero((facing > 0) & (depth > 0))
    if not front.size:
        return picture
    front = front[np.argsort(-depth[front], kind="stable")]  # the nearest are drawn last
    scale = side / 2 / math.tan(math.radians(FIELD_OF_VIEW / 2))
    places = side / 2 + scale * corners[front] * [1, -1]
    widest = np.percentile(np.ptp(places, axis=1), 99)
    parts = _barycentric(int(np.clip(np.ceil(widest), 1, _FINEST)))
    cols, rows = np.moveaxis(np.rint(parts @ places).astype(np.int32), -1, 0)
    inside = (rows >= 0) & (rows < side) & (cols >= 0) & (cols < side)
    shade = AMBIENT + (1 - AMBIENT) * facing[front]
    shown = (np.repeat(colors, mesh.triangle_counts, axis=0)[front] * shade[:, None]).astype(np.uint8)
    picture[rows[inside], cols[inside]] = shown[np.nonzero(inside)[0]]
    return picture


def _barycentric(n: int) -> np.ndarray:
    """Return the coordinates (m, 3) of evenly spaced points of a triangle, with its corners."""
    grid = [(i, j, n - i - j) for i in range(n + 1) for j in range(n + 1 - i)]
    return np.array(grid, np.float32) / n
