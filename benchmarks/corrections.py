"""Correction scribbles: does each round make the result better? Five rounds on real images with truth.

A simulated user paints five scribbles a class, looks at the result, and paints one scribble in each of the
three largest regions that are wrong, with the class that is right there; five times. The images lie in
``../shared/data``: pass another folder of ``NAME.tif`` and ``NAME_truth.tif`` as ``OBJCLASS_IMAGES``. Of
each image the part of 256×256 pixels of which objects are nearest to a half is used.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from scipy import ndimage as ndi

import objclass

from .common import Row

FOLDER = Path(os.environ.get("OBJCLASS_IMAGES", "../shared/data/real"))
ROUNDS = 5
REGIONS = 3
LENGTH = 25
SIZE = 256
SEEDS = 2
WAYS: dict[str, dict[str, str]] = {"default": {}, "balanced": {"class_weight": "balanced"}}


def scribble(region: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return the pixels of a line that wanders through a region of a plane, from a pixel deep within it."""
    depth = ndi.distance_transform_edt(np.pad(region, 1))[1:-1, 1:-1]
    place = np.array(np.unravel_index(np.argmax(depth + rng.random(region.shape)), region.shape), float)
    line, direction = np.zeros(region.shape, bool), rng.uniform(0, 2 * np.pi)
    for _ in range(LENGTH):
        y, x = place.astype(int)
        if not (0 <= y < region.shape[0] and 0 <= x < region.shape[1] and region[y, x]):
            break
        line[y, x] = True
        direction += rng.normal(0, 0.3)
        place += np.sin(direction), np.cos(direction)
    return line


def paint(annotations: np.ndarray, wrong: np.ndarray, truth: np.ndarray, rng: np.random.Generator) -> None:
    """Paint into the largest regions that are wrong, each with its class: background or object."""
    for number, shown in ((1, ~truth), (2, truth)):
        regions, n = ndi.label(wrong & shown)
        if n:
            sizes = np.bincount(regions.ravel())[1:]
            for largest in np.argsort(-sizes)[:REGIONS]:
                region = regions == largest + 1
                z = int(np.argmax(region.sum(axis=(1, 2))))
                annotations[z][scribble(region[z], rng)] = number


def rounds(image: np.ndarray, truth: np.ndarray, options: dict[str, str], seed: int) -> list[float]:
    """Return the IoU of the object pixels after 0, 1, … rounds of corrections; `truth` is (z, y, x)."""
    rng = np.random.default_rng(seed)
    annotations, found = np.zeros(truth.shape, np.uint8), []
    shape = truth.shape[1:] if truth.shape[0] == 1 else truth.shape
    for _ in range(5):
        for number, region in ((1, ~truth), (2, truth)):
            z = int(rng.choice(truth.shape[0], p=region.sum(axis=(1, 2)) / region.sum()))
            kept = region[z] & (ndi.uniform_filter(rng.random(region[z].shape), 9) > 0.5)
            annotations[z][scribble(kept if kept.any() else region[z], rng)] = number
    for _ in range(ROUNDS + 1):
        classifier = objclass.train_object_classifier(image, annotations.reshape(shape), **options)
        labels = objclass.segment(image, classifier, progress=False).reshape(truth.shape)
        found.append(((labels > 0) & truth).sum() / ((labels > 0) | truth).sum())
        paint(annotations, (labels > 0) != truth, truth, rng)
    return found


def evenest(truth: np.ndarray) -> tuple[slice, slice]:
    """Return the square of SIZE pixels, or what there is of it, of which objects are nearest to a half."""
    corners = itertools.product(*(range(0, max(1, n - SIZE // 2), SIZE // 2) for n in truth.shape))
    squares = [(slice(y, y + SIZE), slice(x, x + SIZE)) for y, x in corners]
    return min(squares, key=lambda square: abs(truth[square].mean() - 0.5))


def run() -> Iterator[Row]:
    """Yield one row for each way of training: the mean over images, and how many rounds made it worse."""
    import tifffile

    paths = [path for path in sorted(FOLDER.glob("*.tif")) if not path.stem.endswith("_truth")]
    curves: dict[str, list[list[float]]] = {name: [] for name in WAYS}
    for path in paths:
        image = tifffile.imread(path)
        truth = tifffile.imread(path.with_name(f"{path.stem}_truth.tif")) > 0
        if truth.ndim == 3 or truth.all():  # without background no pixel can be wrong
            continue
        if image.ndim > truth.ndim:
            image = np.moveaxis(image, -1, 0)
        part = evenest(truth)
        image, truth = image[(..., *part)], truth[part]
        for name, options in WAYS.items():
            curves[name] += [rounds(image, truth[np.newaxis], options, seed) for seed in range(SEEDS)]
    for name, found in curves.items() if paths else ():
        mean = np.mean(found, axis=0)
        worse = (np.diff(found, axis=1) < -0.01).mean()
        shown = " ".join(f"{value:.3f}" for value in mean)
        note = f"{worse:.0%} of the rounds lose over 0.01; {len(found)} curves"
        yield Row(f"IoU after 0 to {ROUNDS} rounds of corrections, {name}", shown, note=note)
