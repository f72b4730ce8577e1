"""Compile all functions ahead of time."""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Callable, Iterator
from functools import partial

import numpy as np

from objclass._common.parallel import Progress, progress_bar
from objclass.tables.umap_cache import compile_umap


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
    steps = list(_steps())
    with progress_bar(len(steps), "compiling", progress) as advance, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # expected for tiny images and tables
        for step in steps:
            step()
            advance()


def _steps() -> Iterator[Callable[[], None]]:
    """Yield calls of public functions that together compile every kernel for each of its dtypes."""
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
        yield partial(_find_and_measure, image, n_classes, max_depth)
    yield compile_umap


def _find_and_measure(image: np.ndarray, n_classes: int, max_depth: int) -> None:
    from objclass.measurement.region_properties import measure
    from objclass.objects.filtering import exclude_small
    from objclass.objects.segmentation import segment
    from objclass.objects.splitting import split_touching
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
    labels = exclude_small(split_touching(blocks.astype(np.int32), spacing=1.0, progress=False))
    measure(labels, progress=False)
    measure(labels, image, spacing=0.5, progress=False)
    if image.ndim == 2:
        measure(labels, image, properties=("perimeter", "moments"), progress=False)


def _compile_last_steps() -> None:
    """Compile UMAP and measuring in 3D, in parallel to the first steps in another process."""
    from objclass.measurement.region_properties import measure

    compile_umap()
    labels = np.zeros((8, 24, 24), np.int32)
    labels[2:6, 2:9, 2:9], labels[2:6, 12:22, 9:20] = 1, 2
    measure(
        labels, np.arange(labels.size, dtype=np.uint16).reshape(labels.shape), spacing=0.5, progress=False
    )


if __name__ == "__main__":
    _compile_last_steps()
