"""Draw the pictures of the page on touching objects: ``python tools/pictures_of_splitting.py``."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from scipy import ndimage as ndi

import objclass
from objclass.objects.segmentation import SegmentationOptions, label_objects

IMAGES = Path(__file__).resolve().parents[1] / "docs" / "images"


def probability_of(shapes: list[np.ndarray]) -> np.ndarray:
    """Return a probability that is high within shapes and lower where they meet, with some noise."""
    n_shapes = sum(shape.astype(int) for shape in shapes)
    inside = sum(ndi.binary_erosion(shape).astype(int) for shape in shapes)
    sharp = np.where(inside > 0, 0.95, np.where(n_shapes > 0, 0.66, 0.04))
    noise = np.random.default_rng(0).normal(0, 0.02, sharp.shape)
    return np.clip(ndi.gaussian_filter(sharp, 0.6) + noise, 0, 1).astype(np.float32)


def rods(y: np.ndarray, x: np.ndarray) -> list[np.ndarray]:
    """Return rods that lie side by side."""
    return [(abs(y - 14 - 9 * row) < 5) & (abs(x - 34 - 10 * (row % 2)) < 26) for row in range(6)]


def discs(y: np.ndarray, x: np.ndarray) -> list[np.ndarray]:
    """Return discs that overlap."""
    return [np.hypot(y - 22, x - 100) < 15, np.hypot(y - 22, x - 126) < 15, np.hypot(y - 45, x - 114) < 15]


def draw(panels: np.ndarray, pictures: dict[str, np.ndarray]) -> None:
    """Draw labels and a probability side by side."""
    colors = plt.get_cmap("tab20")(np.arange(20))
    colors = colors[np.r_[0:20:2, 1:20:2]]
    for axes, (title, picture) in zip(panels.flat, pictures.items(), strict=True):
        if picture.dtype.kind == "f":
            axes.imshow(picture, cmap="gray", vmin=0, vmax=1)
        else:
            shown = np.ones((*picture.shape, 4)) * 0.93
            shown[picture > 0] = colors[(picture[picture > 0] - 1) % 20]
            axes.imshow(shown, interpolation="nearest")
        axes.set_title(title, fontsize=10)
        axes.set_axis_off()


def methods() -> None:
    """Draw rods and discs, split in each of the ways."""
    y, x = np.indices((72, 146))
    # The discs have no dip between them: only their outline tells that they are three.
    probability = probability_of([*rods(y, x), np.any(discs(y, x), axis=0)])
    labels = ndi.label(probability > 0.5)[0]
    pictures = {"probability": probability, 'split="none"': labels}
    for method in ("distance", "tree", "auto"):
        found = objclass.split_touching(labels, method=method, probability=probability, spacing=1)
        pictures[f'"{method}": {found.max()} objects'] = found
    figure, panels = plt.subplots(1, 5, figsize=(13, 1.7), layout="constrained")
    draw(panels, pictures)
    figure.savefig(IMAGES / "splitting.png", dpi=110)


def steps() -> None:
    """Draw what each step of the default changes."""
    y, x = np.indices((72, 146))
    sharp = probability_of([np.any(discs(y, x)[:2], axis=0), np.hypot(y - 44, x - 40) < 15])
    sharp[np.hypot(y - 44, x - 40) < 4] = 0.2
    noisy = np.clip(sharp + np.random.default_rng(1).normal(0, 0.17, sharp.shape), 0, 1)
    noisy[np.hypot(y - 12, x - 20) < 9] = 0.58
    probability = np.clip(noisy, 0, 1).astype(np.float32)
    options = SegmentationOptions(
        smooth=0.0, split="none", fill_holes=False, min_certainty=0.0, min_size=0
    ).of_preset("default")
    pictures = {"probability": probability}
    for title, added in {
        "threshold": {},
        "smooth": {"smooth": 0.5},
        "split": {"split": "auto"},
        "fill holes": {"fill_holes": True},
        "certain": {"min_certainty": 0.5},
        "not small": {"min_size": "10%"},
    }.items():
        options = replace(options, **added)
        # With a smoothing of 0 the certainty of an object would not be asked for: any probability will do.
        found = label_objects(probability, options) if options.smooth else ndi.label(probability > 0.5)[0]
        pictures[f"{title}: {found.max()}"] = found
    figure, panels = plt.subplots(1, 7, figsize=(15, 1.5), layout="constrained")
    draw(panels, pictures)
    figure.savefig(IMAGES / "postprocessing.png", dpi=110)


if __name__ == "__main__":
    methods()
    steps()
