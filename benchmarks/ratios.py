"""The eight figures that are watched, each as a ratio to its peer in the same run.

``python -m benchmarks.ratios`` measures them; ``--write`` records them and writes the table of the page
*Limits, memory and speed*; ``--check`` fails where a ratio has fallen below two thirds of the recorded one. A
ratio is the median over rounds in which both sides run one after the other, so that load slows both.
"""

from __future__ import annotations

import argparse
import json
import re
import statistics
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import ndimage as ndi

import objclass

from .common import nuclei
from .measure import TABLE, columns
from .predict import predict, scikit_learn, scipy_features

RECORD = Path(__file__).with_suffix(".json")
PAGE = Path(__file__).parents[1] / "docs" / "howto" / "limits.md"
ROUNDS = 3
Figure = tuple[str, Callable[[], object], str, Callable[[], object]]
"""What is done, by objclass, the name of the peer, by the peer."""


def figures() -> Iterator[Figure]:
    """Yield the eight figures, from the pixels to the map."""
    image, labels, scribbles = nuclei((24, 192, 192), 150)
    classifier = objclass.train_object_classifier(image, scribbles, preset="apoc")
    forest = scikit_learn(scipy_features(image), scribbles, max_depth=2)
    yield (
        "train a classifier",
        partial(objclass.train_object_classifier, image, scribbles, preset="apoc"),
        "SciPy and scikit-learn",
        lambda: scikit_learn(scipy_features(image), scribbles, max_depth=2),
    )
    yield (
        "predict the class of each voxel",
        lambda: predict(image, classifier),
        "SciPy and scikit-learn",
        lambda: forest.predict(scipy_features(image)),
    )
    yield (
        "split touching objects",
        partial(objclass.split_touching, labels, method="distance", progress=False),
        "watershed of scikit-image",
        partial(by_watershed, labels),
    )
    deep = objclass.train_object_classifier(image, scribbles, preset="apoc", max_depth=12)
    deep_forest = scikit_learn(scipy_features(image), scribbles, max_depth=12)
    yield (
        "predict with trees of depth 12",
        lambda: predict(image, deep),
        "SciPy and scikit-learn",
        lambda: deep_forest.predict(scipy_features(image)),
    )
    names, few = columns(3, TABLE), np.where(labels <= 50, labels, 0)
    yield (
        "measure all properties of scikit-image",
        partial(objclass.measure, labels, image, properties=names, progress=False),
        "regionprops_table",
        partial(by_regionprops, labels, image, names),
    )
    yield (
        "measure texture",
        partial(objclass.measure, few, image, properties="texture", progress=False),
        "mahotas",
        partial(by_mahotas, few, image),
    )
    yield (
        "measure surface areas",
        partial(objclass.measure, labels, properties="surface_area", progress=False),
        "marching cubes of scikit-image",
        partial(by_marching_cubes, labels),
    )
    values = np.random.default_rng(0).normal(size=(1000, 30))
    table = pd.DataFrame(values, columns=[f"m{index}" for index in range(30)]).assign(label=range(1, 1001))
    yield (
        "UMAP of 1,000 objects and 30 measurements",
        partial(objclass.reduce, table, "umap", scale=False, progress=False),
        "umap-learn",
        partial(by_umap, values),
    )


def by_watershed(labels: np.ndarray) -> np.ndarray:
    """Split at the maxima of the distance to the background."""
    from skimage.feature import peak_local_max
    from skimage.segmentation import watershed

    depth = ndi.distance_transform_edt(labels > 0)
    seeds = np.zeros(labels.shape, np.int32)
    places = peak_local_max(depth, min_distance=3, labels=labels)
    seeds[tuple(places.T)] = np.arange(1, len(places) + 1)
    return watershed(-depth, seeds, mask=labels > 0)


def by_regionprops(labels: np.ndarray, image: np.ndarray, names: list[str]) -> object:
    """Measure the same properties."""
    from skimage.measure import regionprops_table

    return regionprops_table(labels, image, properties=("label", *names))


def by_mahotas(labels: np.ndarray, image: np.ndarray) -> list[np.ndarray]:
    """Compute Haralick's features, 13 directions, in a loop over objects."""
    import mahotas

    found = []
    for number, box in enumerate(ndi.find_objects(labels), 1):
        if box is not None:
            mask, pixels = labels[box] == number, image[box].astype(float)
            low, high = pixels[mask].min(), pixels[mask].max()
            levels = 1 + np.minimum((pixels - low) * (32 / (high - low)), 31).astype(int)
            found.append(mahotas.features.haralick(levels * mask, ignore_zeros=True).mean(axis=0))
    return found


def by_marching_cubes(labels: np.ndarray) -> list[float]:
    """Sum up the triangles of a mesh of each object."""
    from skimage.measure import marching_cubes, mesh_surface_area

    areas = []
    for number, box in enumerate(ndi.find_objects(labels), 1):
        if box is not None:
            vertices, faces = marching_cubes(np.pad(labels[box] == number, 1).astype(np.float32), 0.5)[:2]
            areas.append(mesh_surface_area(vertices, faces))
    return areas


def by_umap(values: np.ndarray) -> np.ndarray:
    """Embed with umap-learn's own call."""
    import umap

    return umap.UMAP(random_state=0, n_jobs=1).fit_transform(values)


def measure_ratios() -> dict[str, dict[str, object]]:
    """Return the median ratio and times of each figure."""
    found = {}
    for what, ours, peer, theirs in figures():
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ours()
            rounds = [(seconds(ours), seconds(theirs)) for _ in range(ROUNDS)]
        ratio = statistics.median(other / own for own, other in rounds)
        own, other = (statistics.median(side) for side in zip(*rounds, strict=True))
        found[what] = {"peer": peer, "seconds": own, "peer_seconds": other, "ratio": ratio}
        print(f"{what}: {own:.3g} s, {peer} {other:.3g} s, ratio {ratio:.3g}", flush=True)
    return found


def seconds(function: Callable[[], object]) -> float:
    """Time one call."""
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


def write_table(found: dict[str, dict[str, object]]) -> None:
    """Record the ratios, and write the table of the page between its two marks."""
    RECORD.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    lines = ["| step | compared with | times as fast |", "|---|---|---|"]
    for what, row in found.items():
        lines.append(f"| {what} | {row['peer']} | {row['ratio']:.2g} |")
    text, between = PAGE.read_text(encoding="utf-8"), "\n".join(["", "", *lines, "", ""])
    text = re.sub(
        r"(<!-- ratios -->).*(<!-- end -->)", lambda m: m[1] + between + m[2], text, flags=re.DOTALL
    )
    PAGE.write_text(text, encoding="utf-8")


def fallen(found: dict[str, dict[str, object]], recorded: dict[str, dict[str, object]]) -> list[str]:
    """Return a line for each ratio that is below two thirds of the recorded one."""
    return [
        f"{what}: {found[what]['ratio']:.3g} times {row['peer']}, recorded {row['ratio']:.3g}"
        for what, row in recorded.items()
        if _ratio(found[what]) < _ratio(row) * 2 / 3
    ]


def _ratio(row: dict[str, object]) -> float:
    return float(row["ratio"])  # type: ignore[arg-type]


def main() -> None:
    """Measure, and do what is asked for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.ratios", description=__doc__)
    parser.add_argument("--write", action="store_true", help="record the ratios and write the page's table")
    parser.add_argument("--check", action="store_true", help="fail below two thirds of the recorded ratios")
    options = parser.parse_args()
    found = measure_ratios()
    if options.write:
        write_table(found)
    if options.check:
        recorded = json.loads(RECORD.read_text(encoding="utf-8"))
        failures = fallen(found, recorded)
        if failures:  # other work on the machine may have held one side up: it must fall twice
            print("Measured again:", *failures, sep="\n")
            again = measure_ratios()
            failures = fallen({what: max(found[what], again[what], key=_ratio) for what in found}, recorded)
        sys.exit("\n".join(["Slower than recorded:", *failures]) if failures else 0)


if __name__ == "__main__":
    main()
