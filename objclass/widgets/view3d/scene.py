"""The parts of a 3D scene on k3d: an empty plot, surfaces, the raw stack, colours."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from objclass.widgets.planes import mean_blocks
from objclass.widgets.view3d.meshes import Mesh

try:
    import k3d
except ImportError as error:
    raise ImportError(
        "The 3D view needs k3d. Install it with: python -m pip install 'objclass[lab]'"
    ) from error

BACKGROUND = 0x101318
LEVELS = 256
_VOXELS = 2_000_000
_SAMPLES = 128
FIELD_OF_VIEW = 40.0
_ROOM = 1.05


def plateau_map(palette: np.ndarray) -> np.ndarray:
    """Return k3d's colour map in which level i of 256 has exactly the colour `palette[i]`."""
    full = np.zeros((LEVELS, 3))
    full[: len(palette)] = np.asarray(palette)[:LEVELS] / 255
    middle = np.arange(LEVELS) / (LEVELS - 1)
    half = 0.45 / (LEVELS - 1)
    places = np.clip(np.column_stack([middle - half, middle + half]), 0, 1).ravel()
    return np.column_stack([places, np.repeat(full, 2, axis=0)]).astype(np.float32)


def empty_plot(shape: Sequence[int], spacing: Sequence[float], unit: str) -> k3d.Plot:
    """Return a plot without objects for a volume of this shape and voxel size."""
    depth, height, width = (n * size for n, size in zip(shape, spacing, strict=True))
    plot = k3d.plot(
        height=400,
        background_color=BACKGROUND,
        grid_visible=False,
        menu_visibility=False,
        camera_auto_fit=False,
        grid_auto_fit=False,
        grid=(0, 0, 0, width, height, depth),
        label_color=0xD0D4DA,
        grid_color=0x3A4048,
        axes=[f"{name} ({unit})" for name in "xyz"],
        axes_helper=0,
        colorbar_object_id=0,
        # Antialiasing and logarithmic depth take four times as long without a GPU.
        antialias=0,
        logarithmic_depth_buffer=False,
        lighting=1.3,
    )
    plot.mode = "callback"
    plot.camera_fov = FIELD_OF_VIEW
    return plot


def fitting_camera(points: np.ndarray) -> list[float]:
    """Return the camera (eye, target, up) that fits all points, (n, 3) as x, y, z."""
    low, high = points.min(axis=0), points.max(axis=0)
    centre = (low + high) / 2
    towards = np.array([0.35, 0.55, -0.78]) / np.linalg.norm([0.35, 0.55, -0.78])
    up = np.array([0.0, -1.0, 0.0])
    right = np.cross(up, towards)
    right /= np.linalg.norm(right)
    across = np.abs((points - centre) @ np.stack([right, np.cross(towards, right)], axis=1)).max(axis=1)
    near = (points - centre) @ towards
    away = (near + across / math.tan(math.radians(FIELD_OF_VIEW / 2))).max()
    eye = centre + _ROOM * max(float(away), 1e-3) * towards
    return [*eye.tolist(), *centre.tolist(), *up.tolist()]


def add_surfaces(plot: k3d.Plot, mesh: Mesh, click: Callable[[Any], None]) -> Any:
    """Add all objects as one mesh with one level per object, and return it."""
    surfaces = k3d.mesh(
        mesh.vertices if len(mesh.vertices) else np.zeros((3, 3), np.float32),
        mesh.triangles if len(mesh.triangles) else np.zeros((1, 3), np.uint32),
        attribute=np.zeros(max(3, len(mesh.vertices)), np.float32),
        color_range=[0.0, LEVELS - 1.0],
        color_map=plateau_map(np.array([[140, 140, 140]])),
        flat_shading=False,
        side="front",
        roughness=0.55,
        compression_level=1,
        name="objects",
    )
    surfaces.click_callback = click
    plot += surfaces
    return surfaces


def add_raw(plot: k3d.Plot, image: np.ndarray, spacing: Sequence[float], how: str) -> Any:
    """Add a stack as a maximum projection ("mip") or a cloud ("volume"), and return it."""
    small = shrink(image, _VOXELS)
    low, high = np.percentile(small, (1.0, 99.8))
    scaled = np.clip((small - low) / (high - low or 1.0), 0, 1).astype(np.float16)
    bounds = [0, image.shape[2] * spacing[2], 0, image.shape[1] * spacing[1], 0, image.shape[0] * spacing[0]]
    grey = [0.0, 0.0, 0.0, 0.0, 1.0, 0.75, 0.8, 0.88]
    make = k3d.mip if how == "mip" else k3d.volume
    drawn = make(
        scaled,
        bounds=bounds,
        color_map=np.array(grey, np.float32),
        opacity_function=np.array([0.0, 0.0, 0.2, 0.0, 1.0, 0.4], np.float32),
        color_range=[0.0, 1.0],
        samples=_SAMPLES,
        compression_level=1,
        name="image",
    )
    plot += drawn
    return drawn


def shrink(image: np.ndarray, most: int) -> np.ndarray:
    """Return the image averaged over blocks to at most `most` voxels, as float32."""
    step = 1
    while np.prod([-(-n // step) for n in image.shape]) > most:
        step += 1
    return mean_blocks(image, step, axes=(0, 1, 2))
