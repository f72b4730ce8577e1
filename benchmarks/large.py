"""Large tables and volumes: steps whose time must not grow faster than what they are given."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import numpy as np
import pandas as pd
import skimage.measure
from scipy import ndimage as ndi

import objclass
from objclass.plots.colors import color_objects

from .common import Row, Seconds, clock, nuclei

N_ROWS = 1_000_000
N_OBJECTS = 5_000


def run() -> Iterator[Row]:
    """Yield the figures."""
    yield matching()
    yield colours_of_categories()
    yield splitting()
    yield moments()
    yield from messages()


def matching() -> Row:
    """Match the objects of two labelings of 17 million voxels."""
    labels = np.tile(nuclei((64, 256, 256), 1_000)[1], (4, 1, 1))
    labels += np.where(labels > 0, np.repeat(np.arange(4, dtype=np.int32) * 1_000, 64)[:, None, None], 0)
    moved = np.roll(labels, 1, axis=2)
    seconds = clock(lambda: objclass.match_objects(moved, labels), 3)
    return Row(f"matching {len(np.unique(labels)) - 1:,} objects, {labels.size:,} voxels", str(seconds))


def colours_of_categories() -> Row:
    """Colour 200,000 objects of 20,000 categories, of which the key shows some."""
    numbers = np.arange(1, 200_001)
    table = pd.DataFrame({"label": numbers, "kind": [f"cell {number % 20_000}" for number in numbers]})
    seconds = clock(lambda: color_objects(table, "kind"), 3)
    return Row("colours of 20,000 categories of 200,000 objects", str(seconds))


def splitting() -> Row:
    """Split touching bodies in three dimensions."""
    labels = ndi.label(nuclei((80, 512, 512), 2 * N_OBJECTS)[1])[0]
    found: list[np.ndarray] = []
    seconds = clock(lambda: found.append(objclass.split_touching(labels, progress=False)), 3)
    begun = time.process_time()
    objclass.split_touching(labels, progress=False)
    note = f"{time.process_time() - begun:.2f} s of processor time"
    return Row(
        f"split_touching, {labels.max():,} to {found[0].max():,} objects in 3D", str(seconds), note=note
    )


def moments() -> Row:
    """Measure weighted moments beside scikit-image."""
    image, labels, _ = nuclei((80, 512, 512), N_OBJECTS)

    def ours() -> None:
        objclass.measure(labels, image, properties=["moments_weighted"], progress=False)

    def theirs() -> None:
        for number, box in enumerate(ndi.find_objects(labels), 1):
            weights = np.where(labels[box] == number, image[box], 0).astype(float)
            skimage.measure.moments(weights)

    ours()
    seconds, alone = clock(ours, 3), clock(theirs, 3)
    ratio = alone.median / seconds.median
    return Row(f"weighted moments of {N_OBJECTS:,} objects", str(seconds), "scikit-image", str(alone), ratio)


def messages() -> Iterator[Row]:
    """Time the answer to one message of an explorer of a million objects in 17 million voxels."""
    labels = np.zeros((64, 512, 512), np.int32)
    labels[::2, ::2, ::2].flat[:N_ROWS] = np.arange(1, N_ROWS + 1)
    rng = np.random.default_rng(0)
    table = pd.DataFrame({"label": np.arange(1, N_ROWS + 1), "area": rng.random(N_ROWS)})
    explorer = objclass.explore(labels.astype(np.uint8), labels, table, x="label", y="area")
    handlers, starts = explorer._handlers, iter(range(0, N_ROWS, 60))
    cases: dict[str, Callable[[], object]] = {
        "page of the sorted table": lambda: handlers["rows"]({"sort": "area", "start": next(starts)}),
        "object under the pointer": lambda: handlers["row"]({"label": int(rng.integers(N_ROWS)) + 1}),
        "click on an object": lambda: handlers["find"]({"label": int(rng.integers(N_ROWS)) + 1}),
    }
    for name, handle in cases.items():
        begun = time.process_time()
        handle()
        first = time.process_time() - begun
        seconds: Seconds = clock(handle, 20)
        yield Row(
            f"explorer of {N_ROWS:,} objects, {name}",
            str(seconds),
            note=f"the first {first:.2g} s of processor time",
        )
