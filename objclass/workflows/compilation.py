"""Compile all functions ahead of time."""

from __future__ import annotations

import contextlib
import gc
import itertools
import os
import sys
import warnings
from collections.abc import Iterator, Sequence
from functools import partial

import numpy as np

from objclass._common.code_cache import mark_compiled
from objclass._common.progress import Progress, progress_bar


def warmup(*, progress: Progress = True) -> None:
    """Compile all kernels, and UMAP, for the common dtypes of images.

    The machine code is cached on disk for later processes. Call this once after the installation
    (``objclass warmup``), for example when building a container image.

    Parameters
    ----------
    progress : bool or callable
        True shows a bar; a callable is called as ``progress(done, total)`` after each step.

    Examples
    --------
    >>> warmup(progress=False)
    """
    steps = [partial(_find_and_measure, *case) for case in _cases()]
    steps += [partial(_compile_step, step) for step in STEPS]
    with progress_bar(len(steps), "Compiling", progress) as advance, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # expected for tiny images and tables
        for step in steps:
            step()
            advance()


def _cases() -> Iterator[tuple[np.ndarray, int, int]]:
    """Yield images, classes and depths that compile every kernel of pixels and objects for each dtype."""
    shapes = ((8, 24, 24), (40, 40))
    cases = (
        ("uint8", 2, 2),
        ("uint16", 2, 2),
        ("float32", 2, 2),
        ("uint16", 3, 2),
        ("uint16", 2, 5),
        ("uint16", 3, 12),
    )
    for shape, (dtype, n_classes, max_depth) in itertools.product(shapes, cases):
        image = np.random.default_rng(0).integers(0, 255, shape).astype(dtype)  # noise gives deep trees
        yield image, n_classes, max_depth


def _compile_step(step: str) -> None:
    STEPS[step]()
    mark_compiled(step)


def _find_and_measure(image: np.ndarray, n_classes: int, max_depth: int) -> None:
    from objclass.measurement.measuring import measure
    from objclass.objects.filtering import exclude_small
    from objclass.objects.splitting import split_touching

    blocks = _find(image, n_classes, max_depth)
    labels = exclude_small(split_touching(blocks.astype(np.int32), spacing=1.0, progress=False))
    measure(labels, progress=False)
    measure(labels, image, spacing=0.5, progress=False)
    if image.ndim == 2:
        measure(labels, image, properties=("perimeter", "moments"), progress=False)


def _find(image: np.ndarray, n_classes: int, max_depth: int) -> np.ndarray:
    """Call all that predicts pixels; return which of them are object."""
    from objclass.objects.segmentation import segment
    from objclass.pixels.classifier import train_object_classifier
    from objclass.pixels.extraction import FeatureCache
    from objclass.pixels.prediction import classify_pixels, predict_plane, probability_map

    blocks = np.zeros(image.shape, dtype=bool)
    blocks[..., 2:9, 2:9] = blocks[..., 12:22, 9:20] = True
    annotations = np.where(blocks, np.arange(image.shape[-1]) % (n_classes - 1) + 2, 1)
    classifier = train_object_classifier(image, annotations, max_depth=max_depth, n_estimators=4)
    segment(image, classifier, engine="cpu", progress=False)
    classify_pixels(image, classifier, engine="cpu", progress=False)
    probability_map(image, classifier, engine="cpu", progress=False)
    predict_plane(image, classifier)
    predict_plane(image, classifier, cache=FeatureCache())
    return blocks


def _pixels() -> None:
    _find(IMAGE, 2, 2)


def _splitting() -> None:
    from objclass.objects.filtering import exclude_small
    from objclass.objects.splitting import split_touching

    for labels in (LABELS, LABELS[0], _two_balls()):
        probability = np.where(labels, np.random.default_rng(0).random(labels.shape), 0).astype(np.float32)
        split_touching(labels, method="auto", probability=probability, min_distance=2.0, progress=False)
        exclude_small(split_touching(labels, spacing=1.0, progress=False))


def _two_balls() -> np.ndarray:
    """Return an object of two balls that touch, which is split."""
    z, y, x = np.ogrid[:9, :9, :20]
    return ((z - 4) ** 2 + (y - 4) ** 2 + np.minimum(abs(x - 5), abs(x - 14)) ** 2 <= 20).astype(np.int32)


def _measuring() -> None:
    from objclass.measurement.measuring import measure

    # Another process that measures meanwhile begins with the others: each compiles a half.
    measure(LABELS, IMAGE, properties=("euler_number", "intensity_mean"), progress=False)
    measure(LABELS, IMAGE, spacing=0.5, progress=False)


def _umap() -> None:
    """Compile the functions of UMAP that `objclass.reduce` needs."""
    import pandas as pd

    from objclass.tables.reduction import reduce

    values = np.random.default_rng(0).normal(size=(64, 4))
    reduce(pd.DataFrame(values, columns=list("abcd")).assign(label=np.arange(1, 65)), "umap", progress=False)


def _measuring_more() -> None:
    """Measure the groups of properties that are computed on request."""
    from objclass.measurement.measuring import measure

    for labels, image in ((LABELS, IMAGE), (LABELS[0], IMAGE[0])):
        groups = ("moments", "texture", "neighbors", "intensity", "shape")
        measure(labels, image, properties=groups, ring_width=2, neighbor_radius=9, progress=False)


def _classifying() -> None:
    """Train and apply a forest of object classes."""
    import pandas as pd

    from objclass.tables.classification import classify, train_table_classifier

    rows = np.random.default_rng(0).random((64, 3))
    table = pd.DataFrame(rows, columns=list("abc")).assign(label=np.arange(1, 65))
    classes = {label: "small" if rows[label - 1, 0] < 0.5 else "large" for label in range(1, 65)}
    classify(table, train_table_classifier(table, classes))


IMAGE = np.arange(8 * 24 * 24, dtype=np.uint16).reshape(8, 24, 24)
LABELS = np.zeros(IMAGE.shape, np.int32)
LABELS[:, 2:9, 2:9], LABELS[:, 12:22, 9:20] = 1, 2
STEPS = {
    "pixels": _pixels,
    "splitting": _splitting,
    "measuring": _measuring,
    "umap": _umap,
    "more-measuring": _measuring_more,
    "classifying": _classifying,
}
"""What `compile_ahead` compiles, in the order of the work."""


def _compile(arguments: Sequence[str]) -> None:
    """Compile some steps, and print each when it is done."""
    if arguments[0] == "--nice":
        arguments = arguments[1:]
        with contextlib.suppress(AttributeError, OSError):  # Windows has none
            os.nice(10)
    for step in arguments:
        _compile_step(step)
        print(step, flush=True)


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    gc.disable()  # a short process
    _compile(sys.argv[1:])
