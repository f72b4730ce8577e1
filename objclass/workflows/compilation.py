"""Compile everything ahead of time, so that no first call has to wait for it."""

from __future__ import annotations

import contextlib
import itertools
import time
import warnings
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np

from objclass._common.parallel import Progress, progress_bar


def warmup(*, progress: Progress = True) -> None:
    """Compile all loops over voxels, and UMAP, for the types of images in use.

    The machine code is kept on disk, where later processes find it: call this once after the installation
    (``objclass warmup``), as in the image of a container.

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
        warnings.simplefilter("ignore")  # tiny images and tables are no good ones
        for step in steps:
            step()
            advance()


@contextlib.contextmanager
def telling(say: Callable[[], None], *, after: float = 3.0) -> Iterator[None]:
    """Within this context, call `say` once compiling has taken more than `after` seconds."""
    from numba.core import event

    class Listener(event.Listener):
        depth, began, seconds = 0, 0.0, 0.0

        def on_start(self, _: Any) -> None:
            self.depth += 1
            if self.depth == 1:
                self.began = time.perf_counter()

        def on_end(self, _: Any) -> None:
            self.depth -= 1
            if self.depth == 0:
                before, self.seconds = self.seconds, self.seconds + time.perf_counter() - self.began
                if before <= after < self.seconds:
                    say()

    with event.install_listener("numba:compile", Listener()):
        yield


def _steps() -> Iterator[Callable[[], None]]:
    """Yield calls of the public functions that between them meet every kernel in each of its types."""
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
        image = np.random.default_rng(0).integers(0, 255, shape).astype(dtype)  # on noise, trees grow deep
        yield partial(_find_and_measure, image, n_classes, max_depth)
    yield _reduce


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


def _reduce() -> None:
    import pandas as pd

    from objclass.tables.reduction import reduce

    values = np.random.default_rng(0).normal(size=(64, 4))
    table = pd.DataFrame(values, columns=list("abcd")).assign(label=np.arange(1, 65))
    reduce(table, "umap", progress=False)
