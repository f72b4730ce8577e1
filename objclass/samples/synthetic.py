"""A synthetic light-sheet stack of an embryo: nuclei, image formation, and random scribbles.

Lengths are in micrometres, positions in the order (z, y, x).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import ndimage

SPACING = (1.5, 0.6, 0.6)
CELL_TYPES = ("interphase", "mitotic", "apoptotic")
SHARES = (0.60, 0.22, 0.18)
BRIGHTNESS = {"interphase": 1.0, "mitotic": 1.9, "apoptotic": 0.62}
RADII = {"interphase": (3.6, 3.6, 3.6), "mitotic": (4.8, 2.0, 2.0)}
MARGIN = (5.0, 6.0, 6.0)  # around the embryo, which fills the stack
DISTANCE = 9.3  # between nuclei, at least
GLOW = 0.17  # emission of the tissue around the nuclei
LOSS = 1.1  # attenuation: the signal of the last plane is divided by exp(LOSS)
BLUR = (0.8, 0.4, 0.4)
PHOTONS = 500

Array = npt.NDArray[np.floating]


@dataclass(frozen=True)
class Drawing:
    """The ground truth: labels of the nuclei, the emission of each voxel, the class of each nucleus."""

    labels: npt.NDArray[np.int32]
    light: npt.NDArray[np.float32]
    cell_types: list[str]


def draw(shape: tuple[int, int, int], rng: np.random.Generator) -> Drawing:
    """Draw nuclei of three classes on the surface of an ellipsoid, on a faint tissue background."""
    centre = (np.array(shape) - 1) / 2 * np.array(SPACING)
    semi_axes = centre - MARGIN
    labels = np.zeros(shape, np.int32)
    light = _tissue(shape, centre, semi_axes)
    chromatin = ndimage.gaussian_filter(rng.standard_normal(shape, np.float32), 1.5)
    chromatin *= 0.12 / chromatin.std()
    places = _places(centre, semi_axes, rng)
    cell_types = _cell_types(len(places), rng)
    for number, (place, cell_type) in enumerate(zip(places, cell_types, strict=True), start=1):
        box, inside = _nucleus(cell_type, place, shape, rng)
        inside &= labels[box] == 0
        labels[box][inside] = number
        brightness = BRIGHTNESS[cell_type] * rng.lognormal(0, 0.08)
        light[box][inside] = brightness * (1 + chromatin[box][inside])
    return Drawing(labels, light, cell_types)


def _tissue(shape: tuple[int, int, int], centre: Array, semi_axes: Array) -> npt.NDArray[np.float32]:
    grids = np.ogrid[tuple(slice(n) for n in shape)]
    radius = np.sqrt(
        sum(((g * s - c) / a) ** 2 for g, s, c, a in zip(grids, SPACING, centre, semi_axes, strict=True))
    )
    thickness = 4.0 / semi_axes.min()
    shell = GLOW * np.exp(-(((radius - 1) / thickness) ** 2) / 2)
    yolk = 0.04 / (1 + np.exp((radius - 1) / (thickness / 3)))
    return (shell + yolk).astype(np.float32)


def _places(centre: Array, semi_axes: Array, rng: np.random.Generator) -> Array:
    """Return random points on the ellipsoid, uniformly distributed and at least `DISTANCE` apart."""
    directions = rng.standard_normal((20_000, 3))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    stretch = np.linalg.norm(directions / semi_axes, axis=1)
    directions = directions[rng.random(len(stretch)) < stretch * semi_axes.min()]
    candidates = centre + directions * (semi_axes + rng.normal(0, 0.6, (len(directions), 1)))
    places = []
    while len(candidates):
        places.append(candidates[0])
        candidates = candidates[np.linalg.norm(candidates - candidates[0], axis=1) > DISTANCE]
    return np.array(places)


def _cell_types(n: int, rng: np.random.Generator) -> list[str]:
    """Return a class for each of `n` nuclei, in random order and the given proportions."""
    ends = np.cumsum(SHARES)[:-1] * n
    return [CELL_TYPES[i] for i in np.searchsorted(ends, rng.permutation(n), side="right")]


def _nucleus(
    cell_type: str, place: Array, shape: tuple[int, int, int], rng: np.random.Generator
) -> tuple[tuple[slice, ...], npt.NDArray[np.bool_]]:
    """Return the bounding box of a nucleus and its mask within the box."""
    low = np.maximum(np.floor((place - 6) / SPACING), 0).astype(int)
    high = np.minimum(np.ceil((place + 6) / SPACING) + 1, shape).astype(int)
    box = tuple(slice(a, b) for a, b in zip(low, high, strict=True))
    offsets = np.stack([g * s - p for g, s, p in zip(np.mgrid[box], SPACING, place, strict=True)], axis=-1)
    if cell_type == "apoptotic":
        directions = rng.standard_normal((4, 3))
        directions /= np.linalg.norm(directions, axis=1, keepdims=True)
        centres = directions * rng.uniform(1.5, 2.1, (4, 1))
        radii = rng.uniform(1.3, 1.7, 4)
        pieces = [np.linalg.norm(offsets - c, axis=-1) < r for c, r in zip(centres, radii, strict=True)]
        pieces.append(np.linalg.norm(offsets, axis=-1) < 1.2)
        return box, np.any(pieces, axis=0)
    radii = np.array(RADII[cell_type])
    axes = np.linalg.qr(rng.standard_normal((3, 3)))[0]
    scaled = offsets @ axes / (radii * rng.normal(1, 0.05, 3))
    return box, np.linalg.norm(scaled, axis=-1) < 1


def image_of(light: npt.NDArray[np.float32], rng: np.random.Generator) -> npt.NDArray[np.uint16]:
    """Return the image of an emission: attenuated, blurred and noisy."""
    depth = np.arange(light.shape[0])[:, None, None] / light.shape[0]
    seen = light * np.exp(-LOSS * depth, dtype=np.float32)
    seen = ndimage.gaussian_filter(seen, np.divide(BLUR, SPACING))
    _add_specks(seen, rng)
    counts = 100 + rng.poisson(PHOTONS * seen) + rng.normal(0, 4, light.shape)
    return np.clip(np.rint(counts), 0, 65535).astype(np.uint16)


def _add_specks(seen: npt.NDArray[np.float32], rng: np.random.Generator) -> None:
    """Add debris and hot pixels of a few voxels, one in 50,000 voxels."""
    for _ in range(max(3, seen.size // 50_000)):
        z, y, x = (int(rng.integers(0, n)) for n in seen.shape)
        seen[z, y : y + int(rng.integers(1, 3)), x : x + int(rng.integers(1, 3))] += rng.uniform(0.8, 1.6)


def paint(
    drawing: Drawing,
    fractions: Sequence[float],
    rng: np.random.Generator,
    *,
    cell_types: Sequence[str] = CELL_TYPES,
) -> npt.NDArray[np.uint8]:
    """Return sparse scribbles: 1 on background, 2 inside nuclei.

    Parameters
    ----------
    drawing : Drawing
        The ground truth.
    fractions : sequence of float
        The planes to annotate, as fractions of the depth.
    rng : Generator
        The random generator.
    cell_types : sequence of str
        The classes of nuclei to annotate, up to four nuclei of each in a plane.
    """
    painted = np.zeros(drawing.labels.shape, np.uint8)
    for fraction in fractions:
        z = round(fraction * (len(painted) - 1))
        labels = drawing.labels[z]
        far = ndimage.distance_transform_edt(labels == 0) >= 2
        for number in _choose(labels, drawing.cell_types, cell_types, rng):
            inside = labels == number
            middle = np.argwhere(inside).mean(axis=0)
            painted[z, _stroke(labels.shape, middle + rng.uniform(-1, 1, 2), 40, 3, rng) & far] = 1
            inside = ndimage.binary_erosion(inside)
            painted[z, _stroke(labels.shape, middle, 8, 1.5, rng) & inside] = 2
        for _ in range(4):
            painted[z, _stroke(labels.shape, rng.uniform(0, labels.shape), 60, 2, rng) & far] = 1
    return painted


def _choose(
    labels: npt.NDArray[np.int32],
    cell_type_of: list[str],
    cell_types: Sequence[str],
    rng: np.random.Generator,
) -> list[int]:
    """Return nuclei with a large cross-section in this plane, up to four of each class."""
    numbers, sizes = np.unique(labels[labels > 0], return_counts=True)
    large = numbers[sizes >= 12].tolist()
    return [
        number
        for cell_type in cell_types
        for number in rng.permutation([n for n in large if cell_type_of[n - 1] == cell_type])[:4].astype(int)
    ]


def _stroke(
    shape: tuple[int, ...], middle: Array, length: float, radius: float, rng: np.random.Generator
) -> npt.NDArray[np.bool_]:
    angle = rng.uniform(0, np.pi)
    reach = length / 2 * np.array([np.sin(angle), np.cos(angle)])
    return brush(shape, middle - reach, middle + reach, radius)


def brush(shape: tuple[int, ...], start: Array, stop: Array, radius: float) -> npt.NDArray[np.bool_]:
    """Return a mask of the pixels under a round brush drawn along a straight line."""
    rows, columns = np.ogrid[: shape[0], : shape[1]]
    y, x = rows - start[0], columns - start[1]
    height, width = stop - start
    along = np.clip((y * height + x * width) / (height**2 + width**2), 0, 1)
    return np.hypot(y - along * height, x - along * width) <= radius
