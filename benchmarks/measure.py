"""Measuring objects, against scikit-image's regionprops_table on the same columns."""

from __future__ import annotations

import statistics
import time
import warnings
from collections.abc import Iterator, Sequence

import numpy as np
from scipy import ndimage as ndi
from skimage.measure import regionprops_table

import objclass
from objclass._common.parallel import n_threads, single_threaded
from objclass.measurement.counting import Options
from objclass.measurement.properties import PROPERTIES, SCIKIT_IMAGE

from .common import Row, Seconds, clock, in_child

PEER = "scikit-image regionprops_table"
TABLE = ("size", "intensity", "shape", "position")
HULL = ("area_convex", "solidity", "feret_diameter_max")
PEAK = """
import json
import numpy as np, objclass
from benchmarks.measure import bodies
labels, image = bodies((10, 42, 32))
objclass.measure(labels[:24, :48, :48], image[:24, :48, :48])
open("/proc/self/clear_refs", "w").write("5")  # forget the peak of making the image
status = lambda key: int(open("/proc/self/status").read().split(key + ":")[1].split()[0]) / 1024
before = status("VmRSS")
table = objclass.measure(labels, image, progress=False)
print(json.dumps({"mb": status("VmHWM") - before, "objects": len(table), "voxels": labels.size,
                  "table": table.memory_usage(deep=True).sum() / 2**20}))
"""


def bodies(
    cells: tuple[int, ...], cell: tuple[int, ...] = (12, 12, 16), seed: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Return labels and an image of ellipsoids like nuclei, one in each cell."""
    rng = np.random.default_rng(seed)
    cell = cell[-len(cells) :]
    labels = np.zeros([n * size for n, size in zip(cells, cell, strict=True)], np.int32)
    grid = np.indices(cell).astype(np.float32)
    kinds = np.array([(3, 3, 3), (4.5, 4.5, 4.5), (3, 3, 6)])[:, -len(cells) :]
    for number, place in enumerate(np.ndindex(*cells), 1):
        radii = kinds[rng.integers(3)] * rng.uniform(0.9, 1.1)
        centre = [size / 2 - 0.5 + rng.uniform(-0.5, 0.5) for size in cell]
        distance = sum(((g - c) / r) ** 2 for g, c, r in zip(grid, centre, radii, strict=True))
        corner = tuple(slice(at * size, (at + 1) * size) for at, size in zip(place, cell, strict=True))
        labels[corner][distance <= 1] = number
    image = np.where(labels > 0, 400, 100) + rng.integers(0, 60, labels.shape)
    return labels, image.astype(np.uint16)


def clouds(n: int = 5, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Return labels and an image of `n` large irregular objects, 12,000 voxels and more each."""
    rng = np.random.default_rng(seed)
    labels = np.zeros((48, 48, 48 * n), np.int32)
    for number in range(1, n + 1):
        noise = ndi.gaussian_filter(rng.normal(size=(44, 44, 44)), 2.5)
        parts = ndi.label(noise > np.quantile(noise, 0.72))[0]
        largest = np.bincount(parts.ravel())[1:].argmax() + 1
        labels[2:46, 2:46, 48 * number - 46 : 48 * number - 2][parts == largest] = number
    return labels, rng.integers(0, 60000, labels.shape).astype(np.uint16)


def columns(ndim: int, groups: Sequence[str], without: Sequence[str] = ()) -> list[str]:
    """Return the properties in some groups that both sides have."""
    shared = [e for e in PROPERTIES.values() if e.source == SCIKIT_IMAGE and e.exists(ndim, 1, Options())]
    skipped = {"axis_intermediate_length", *without}
    return [e.name for group in groups for e in shared if e.group == group and e.name not in skipped]


def side_by_side(
    what: str, scene: tuple[np.ndarray, np.ndarray], names: Sequence[str], repeats: int = 5
) -> Row:
    """Time both on the same columns, in turn, and give the median of the ratios of neighbours in time."""
    labels, image = scene
    times: list[tuple[float, float]] = []
    objclass.measure(labels, image, properties=names, progress=False)
    for _ in range(repeats):
        start = time.perf_counter()
        objclass.measure(labels, image, properties=names, progress=False)
        middle = time.perf_counter()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            regionprops_table(labels, image, properties=("label", *names))
        times.append((middle - start, time.perf_counter() - middle))
    ratios = [theirs / ours for ours, theirs in times]
    mine, other = (
        Seconds(statistics.median(side), min(side), max(side)) for side in zip(*times, strict=True)
    )
    note = f"ratios {min(ratios):.3g}–{max(ratios):.3g} in {repeats} rounds"
    return Row(what, str(mine), PEER, str(other), statistics.median(ratios), note)


def run() -> Iterator[Row]:
    """Yield the figures."""
    small, everything = bodies((4, 10, 10), (12, 25, 25)), columns(3, TABLE)
    yield side_by_side("measure, 400 small objects in 3D, all columns", small, everything)
    no_hull = columns(3, TABLE, without=HULL)
    yield side_by_side("measure, 400 small objects in 3D, without hull and Feret", small, no_hull)
    large = clouds()
    voxels = np.bincount(large[0].ravel())[1:].min()
    what = f"measure, {large[0].max()} irregular objects of {voxels:,} voxels and more, all columns"
    yield side_by_side(what, large, everything)
    flat, in_plane = bodies((20, 20), (25, 25)), columns(2, (*TABLE, "perimeter"))
    yield side_by_side(
        f"measure, {flat[0].max():,} objects in 2D, all columns and perimeters", flat, in_plane
    )
    many = bodies((20, 32, 32))
    yield side_by_side(f"measure, {many[0].max():,} small objects in 3D, all columns", many, everything, 1)
    yield from growth(many)
    yield all_groups(small)
    yield crowd()
    peak = in_child(PEAK)
    note = f"{peak['objects']:,} objects in {peak['voxels'] / 1e6:.0f} Mvoxel, table {peak['table']:.0f} MB"
    yield Row("measure, peak memory above image and labels", f"{peak['mb']:.0f} MB", note=note)


def all_groups(scene: tuple[np.ndarray, np.ndarray]) -> Row:
    """Compare the table of all groups with the basic one, by processor time on one thread."""
    groups = ("basic", "intensity", "size", "shape", "texture", "neighbors")
    times: dict[str, list[float]] = {"basic": [], "all": []}
    with single_threaded():
        for _ in range(5):
            for name, properties in (("basic", "basic"), ("all", groups)):
                start = time.thread_time()
                objclass.measure(
                    *scene, properties=properties, ring_width=2, neighbor_radius=30, progress=False
                )
                times[name].append(time.thread_time() - start)
    basic, everything = min(times["basic"]), min(times["all"])
    what = f"measure, all groups of {scene[0].max():,} small objects in 3D, processor time"
    return Row(what, f"{everything:.3f} s", "the basic table", f"{basic:.3f} s", basic / everything)


def crowd() -> Row:
    """Time the neighborhood of 100,000 objects."""
    labels = bodies((40, 50, 50))[0]
    options = {"properties": "neighbors", "neighbor_radius": 20, "spacing": (2, 0.5, 0.5), "progress": False}
    seconds = clock(lambda: objclass.measure(labels, **options))
    note = f"{labels.size / 1e6:.0f} Mvoxel"
    return Row(f"measure, neighbors of {labels.max():,} objects", str(seconds), note=note)


def growth(scene: tuple[np.ndarray, np.ndarray]) -> Iterator[Row]:
    """Show how time grows with the number of objects, and falls with threads."""
    labels, image = scene
    for planes in (12, 60, len(labels)):
        part = labels[:planes], image[:planes]
        seconds = clock(lambda part=part: objclass.measure(*part, progress=False))
        n_objects = int(part[0].max())
        note = f"{seconds.median / n_objects * 1e6:.0f} µs an object"
        yield Row(f"measure, {n_objects:,} objects", str(seconds), note=note)
    with single_threaded():
        alone = clock(lambda: objclass.measure(labels, image, progress=False))
    ratio = alone.median / seconds.median
    yield Row(f"measure, 1 to {n_threads()} threads", str(seconds), "objclass on 1 thread", str(alone), ratio)
