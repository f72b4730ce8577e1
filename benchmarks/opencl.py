"""Prediction on an OpenCL device, against the CPU engine and APOC on the same device.

It is the device that ``engine="opencl"`` takes: the first graphics card, otherwise PoCL on the processor.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import partial

import numpy as np

import objclass
from objclass._common.parallel import n_threads
from objclass.pixels import opencl

from .common import Row, clock, nuclei, tiled
from .predict import SPEC, Apoc

SETS: dict[str, tuple[str | None, int | None]] = {
    "16 features of APOC, depth 2": (SPEC, 2),
    "default features, full depth": (None, None),
    "ridges, full depth": ("ridges_1_to_4_px", None),
}
"""Features and depth of 100 trees."""


def run() -> Iterator[Row]:
    """Yield the figures: of a small image without a graphics card, of large ones with it."""
    device = opencl._select_device(opencl._import()).name
    if not opencl.has_graphics_card():
        image, _, scribbles = nuclei((16, 128, 128), 60)
        yield from compare_engines(device, image, scribbles)
        return
    image, _, scribbles = nuclei()
    yield from compare_engines(device, image, scribbles)
    image, scribbles = tiled((128, 512, 512))
    scribbles[[z for z in range(128) if z not in (24, 72, 120)]] = 0
    yield from compare_engines(device, image, scribbles)


def compare_engines(device: str, image: np.ndarray, scribbles: np.ndarray) -> Iterator[Row]:
    """Time all sets of features on one image."""
    size, threads = "×".join(map(str, image.shape)), f"{n_threads()} threads"
    for name, (features, max_depth) in SETS.items():
        classifier = objclass.train_object_classifier(
            image, scribbles, features=features, max_depth=max_depth, n_estimators=100
        )
        predict = partial(objclass.classify_pixels, image, classifier, progress=False)
        agreement = (predict(engine="opencl") == predict(engine="cpu")).mean()
        there, here = (clock(partial(predict, engine=engine)) for engine in ("opencl", "cpu"))
        yield Row(
            f"{size}, {name}",
            f"{there} on {device}",
            f'engine="cpu", {threads}',
            str(here),
            here.median / there.median,
            f"{math.floor(1e6 * agreement) / 1e4:.4f} % of the classes agree",
        )
        if features == SPEC:
            peer = Apoc()
            peer.train(image, scribbles)
            peer.predict(image)
            theirs = clock(partial(peer.predict, image), 3)
            for engine, ours, where in (("opencl", there, device), ("cpu", here, threads)):
                yield Row(
                    f'{size}, {name}, engine="{engine}"',
                    f"{ours} on {where}",
                    f"APOC on {peer.device}",
                    str(theirs),
                    theirs.median / ours.median,
                )
