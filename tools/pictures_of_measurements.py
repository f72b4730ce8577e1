"""Draw what each group of measurements tells apart: ``python tools/pictures_of_measurements.py``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from scipy import ndimage as ndi

import objclass

IMAGES = Path(__file__).resolve().parents[1] / "docs" / "images"
SIZE = 72
Object = tuple[np.ndarray, np.ndarray]  # labels, of which 1 is shown and measured, and its image


def disk(radius: float, centre: tuple[float, float] = (SIZE / 2, SIZE / 2)) -> np.ndarray:
    """Return the pixels within a circle."""
    y, x = np.indices((SIZE, SIZE)) + 0.5
    return np.hypot(y - centre[0], x - centre[1]) <= radius


def intensities() -> list[Object]:
    """Return disks of one mean: even, with a bright spot, noisy, and on a bright background."""
    rng, cell = np.random.default_rng(0), disk(22)
    even, spot = np.full(cell.shape, 100.0), np.where(disk(8), 300.0, 70.0)
    spot += 100 - spot[cell].mean()
    noisy = rng.normal(100, 35, cell.shape)
    noisy += 100 - noisy[cell].mean()
    pictures = [np.where(cell, inside, 20.0) for inside in (even, spot, noisy)]
    return [(cell.astype(int), picture) for picture in [*pictures, np.where(cell, 100.0, 70.0)]]


def shapes() -> list[Object]:
    """Return objects of one area: round, long, bent, and rough."""
    y, x = np.indices((SIZE, SIZE)) + 0.5
    middle = SIZE / 2
    angle, radius = np.arctan2(y - middle, x - middle), np.hypot(y - middle, x - middle)
    masks = [
        disk(18),
        ((y - middle) / 10.5) ** 2 + ((x - middle) / 31) ** 2 <= 1,
        (abs(radius - 22) < 7.1) & (x < middle + 1),
        radius <= 17.5 + 4 * np.sin(9 * angle),
    ]
    return [(mask.astype(int), np.where(mask, 100.0, 20.0)) for mask in masks]


def textures() -> list[Object]:
    """Return disks with one histogram: sorted, in coarse spots, in fine spots, and at random."""
    rng, cell = np.random.default_rng(1), disk(24)
    values = np.sort(rng.gamma(4, 25, cell.sum()))
    noise = rng.normal(size=cell.shape)
    orders = [np.indices(cell.shape)[1] + noise / 99, *(ndi.gaussian_filter(noise, s) for s in (4, 1.5, 0))]
    pictures = []
    for order in orders:
        picture = np.zeros(cell.shape)
        picture[cell] = values[np.argsort(np.argsort(order[cell]))]
        pictures.append(picture)
    return [(cell.astype(int), picture) for picture in pictures]


def neighborhoods() -> list[Object]:
    """Return one disk alone, with one neighbor, in a crowd, and touched."""
    others = [
        [],
        [(16, 58)],
        [(10, 14), (12, 60), (62, 12), (60, 60), (36, 66), (8, 36), (66, 38), (36, 6)],
        [(36, 55), (26, 19), (46, 19)],
    ]
    objects = []
    for centres in others:
        labels = disk(10).astype(int)
        for number, centre in enumerate(centres, 2):
            labels[disk(11 if len(centres) == 3 else 7, centre) & (labels == 0)] = number
        objects.append((labels, np.where(labels == 1, 100.0, np.where(labels > 0, 55.0, 20.0))))
    return objects


def draw(name: str, objects: Sequence[Object], columns: dict[str, str], **options: object) -> None:
    """Draw objects with some of their measurements below."""
    figure, panels = plt.subplots(1, len(objects), figsize=(10, 3.2), layout="constrained")
    for axes, (labels, image) in zip(panels, objects, strict=True):
        row = objclass.measure(labels, image, progress=False, **options).iloc[0]
        axes.imshow(image, cmap="gray", vmin=0, vmax=max(160.0, np.percentile(image, 99)))
        axes.contour(labels == 1, [0.5], colors="#e69f00", linewidths=1)
        values = [f"{row[column]:.0f}" if row[column] >= 100 else f"{row[column]:.3g}" for column in columns]
        lines = [f"{shown}: {value}" for shown, value in zip(columns.values(), values, strict=True)]
        axes.set_title("\n".join(lines), fontsize=9, y=-0.06, va="top")
        axes.set_axis_off()
    figure.savefig(IMAGES / "measurements" / f"{name}.png", dpi=100, bbox_inches="tight")
    plt.close(figure)


def main() -> None:
    """Draw one picture a group."""
    (IMAGES / "measurements").mkdir(exist_ok=True)
    draw(
        "intensity",
        intensities(),
        {
            "intensity_mean": "mean",
            "intensity_median": "median",
            "intensity_quantile_95": "quantile 95",
            "intensity_mad": "median deviation",
            "intensity_mean_corrected": "mean − background",
        },
        properties="intensity",
        ring_width=5,
    )
    draw(
        "shape",
        shapes(),
        {
            "area": "area",
            "circularity": "circularity",
            "elongation": "elongation",
            "convexity": "convexity",
            "feret_diameter_min": "smallest Feret diameter",
        },
        properties=("size", "shape"),
    )
    draw(
        "texture",
        textures(),
        {
            "intensity_mean": "mean",
            "intensity_std": "standard deviation",
            "texture_contrast-1": "contrast",
            "texture_gradient_energy": "gradient energy",
            "texture_blob_energy-1.5": "blob energy at 1.5",
            "texture_blob_energy-4": "blob energy at 4",
        },
        properties=("intensity", "texture"),
        texture_scales=(1.5, 4),
    )
    draw(
        "neighbors",
        neighborhoods(),
        {
            "neighbors_touching": "touching",
            "neighbors_touching_share": "share of the border",
            "neighbors_distance_surface": "nearest surface",
            "neighbors_within": "centroids within 32",
        },
        properties="neighbors",
        neighbor_radius=32,
    )


if __name__ == "__main__":
    main()
