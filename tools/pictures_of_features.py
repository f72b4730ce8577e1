"""Draw the picture of the page on features: ``python tools/pictures_of_features.py``."""

from __future__ import annotations

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from scipy import ndimage as ndi

from objclass.pixels.extraction import features_at
from objclass.pixels.features import parse_features

IMAGES = Path(__file__).resolve().parents[1] / "docs" / "images"
SIGMA = 2
TITLES = {
    "original": "original",
    "gaussian_blur": "gaussian_blur",
    "difference_of_gaussian": "difference_of_gaussian",
    "laplace_box_of_gaussian_blur": "laplace_box_…",
    "sobel_of_gaussian_blur": "sobel_…",
    "gradient_magnitude_of_gaussian_blur": "gradient_magnitude_…",
    "hessian_largest_of_gaussian_blur": "hessian_largest_…",
    "hessian_smallest_of_gaussian_blur": "hessian_smallest_…",
    "structure_largest_of_gaussian_blur": "structure_largest_…",
    "structure_smallest_of_gaussian_blur": "structure_smallest_…",
}


def scene() -> np.ndarray:
    """Return discs, a ring and fibres, blurred, with noise."""
    y, x = np.indices((96, 128)).astype(float)
    discs = [np.hypot(y - 24, x - 24) < 13, np.hypot(y - 36, x - 50) < 9, np.hypot(y - 70, x - 18) < 6]
    ring = abs(np.hypot(y - 68, x - 48) - 15) < 1.6
    fibres = [abs(y - 18 - slope * (x - 70)) < 1.4 for slope in (0.1, 0.7, 1.3)]
    sharp = np.any([*discs, ring, *(fibre & (x > 70) for fibre in fibres)], axis=0) * 200.0
    noise = np.random.default_rng(0).normal(100, 12, sharp.shape)
    return (ndi.gaussian_filter(sharp, 1) + noise).astype(np.float32)


def main() -> None:
    """Draw every family of filters at one scale."""
    image = scene()
    tokens = [name if name == "original" else f"{name}={SIGMA}" for name in TITLES]
    values = features_at(image[np.newaxis], parse_features(tokens), np.ones(image.shape, bool)).T
    figure, panels = plt.subplots(2, 5, figsize=(13, 4.4), layout="constrained")
    for axes, title, feature in zip(panels.flat, TITLES.values(), values, strict=True):
        low, high = np.percentile(feature, [0.5, 99.5])
        axes.imshow(feature.reshape(image.shape), cmap="gray", vmin=low, vmax=high)
        axes.set_title(title, fontsize=10)
        axes.set_axis_off()
    figure.savefig(IMAGES / "features.png", dpi=110)


if __name__ == "__main__":
    main()
