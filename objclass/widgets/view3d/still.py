"""A still picture of surfaces, for notebooks without a kernel."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from objclass.widgets.view3d.meshes import Mesh
from objclass.widgets.view3d.scene import BACKGROUND, FIELD_OF_VIEW

_FINEST = 8  # a triangle is drawn as points on at most so many lines
_AMBIENT = 0.35


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
    eye, target, up = np.reshape(np.asarray(camera, np.float32), (3, 3))
    distance = float(np.linalg.norm(eye - target))
    towards = (eye - target) / distance
    right = np.cross(up, towards)
    right /= np.linalg.norm(right)
    seen = (mesh.vertices - target) @ np.stack([right, np.cross(towards, right), towards], axis=1)
    scale = side / 2 / math.tan(math.radians(FIELD_OF_VIEW / 2)) / (distance - seen[:, 2:])
    screen = side / 2 + np.stack([1, -1]) * scale * seen[:, :2]

    corners = seen[mesh.triangles]
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    facing = normals[:, 2] / np.maximum(np.linalg.norm(normals, axis=1), 1e-30)
    front = np.flatnonzero(facing > 0)
    if not front.size:
        return picture
    front = front[np.argsort(corners[front, :, 2].sum(axis=1), kind="stable")]  # the nearest are drawn last
    places = screen[mesh.triangles[front]]
    widest = np.percentile(np.ptp(places, axis=1), 99)
    parts = _barycentric(int(np.clip(np.ceil(widest), 1, _FINEST)))
    cols, rows = np.moveaxis(np.rint(parts @ places).astype(np.int32), -1, 0)
    inside = (rows >= 0) & (rows < side) & (cols >= 0) & (cols < side)
    shade = _AMBIENT + (1 - _AMBIENT) * facing[front]
    shown = (np.repeat(colors, mesh.triangle_counts, axis=0)[front] * shade[:, None]).astype(np.uint8)
    picture[rows[inside], cols[inside]] = shown[np.nonzero(inside)[0]]
    return picture


def _barycentric(n: int) -> np.ndarray:
    """Return the coordinates (m, 3) of evenly spaced points of a triangle, with its corners."""
    grid = [(i, j, n - i - j) for i in range(n + 1) for j in range(n + 1 - i)]
    return np.array(grid, np.float32) / n
