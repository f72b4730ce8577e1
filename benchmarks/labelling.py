"""Connected components by the libraries that could find them; leaving out objects; splitting what touches."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

import numpy as np
from scipy import ndimage as ndi
from skimage.measure import label

import objclass
from objclass.objects.segmentation import connected_components

from .common import Row, clock, compare, in_child, nuclei, tiled

THRESHOLD = 160  # leaves bodies with frayed rims, and specks
PEERS: dict[str, Callable[[np.ndarray], object]] = {
    "scipy.ndimage.label": ndi.label,
    "skimage.measure.label": partial(label, connectivity=1),
}
PEAK = """
import json
from benchmarks.labelling import PEERS, THRESHOLD, connected_components, tiled
find = {{"cc3d": connected_components, **PEERS}}["{name}"]
mask = tiled((128, 512, 512))[0] > THRESHOLD
find(mask[:2, :8, :8])
status = lambda key: int(open("/proc/self/status").read().split(key + ":")[1].split()[0]) / 1024
open("/proc/self/clear_refs", "w").write("5")  # forget the peak so far
before = status("VmRSS")
labels = find(mask)
labels = labels[0] if isinstance(labels, tuple) else labels
print(json.dumps({{"mb": status("VmHWM") - before - labels.nbytes / 2**20}}))
"""


def run() -> Iterator[Row]:
    """Yield the figures."""
    stack = tiled((128, 512, 512))[0] > THRESHOLD
    plane = np.tile(nuclei()[0][24] > THRESHOLD, (16, 16))
    for size, mask in (("128×512×512", stack), ("2D 4096×4096", plane)):
        note = f"{connected_components(mask).max():,} objects"
        for peer, find in PEERS.items():
            ours, theirs = partial(connected_components, mask), partial(find, mask)
            yield compare(f"connected components, {size}", ours, peer, theirs, peer_repeats=5, note=note)
    ours_peak = in_child(PEAK.format(name="cc3d"))["mb"]
    for peer in PEERS:
        peak = in_child(PEAK.format(name=peer))["mb"]
        what = "connected components, 128×512×512: peak memory above mask and labels"
        yield Row(what, f"{ours_peak:.0f} MB", peer, f"{peak:.0f} MB")
    labels = connected_components(stack)
    ours, theirs = partial(objclass.exclude_small, labels), partial(exclude_by_table, labels)
    yield compare("exclude_small, 128×512×512", ours, "table of all numbers", theirs, peer_repeats=5)
    for size, objects in (("48×256×256", labels[:48, :256, :256]), ("128×512×512", labels)):
        kept = objclass.exclude_small(objects)
        split = partial(objclass.split_touching, kept, progress=False)
        note = f"{kept.max():,} objects, then {split().max():,}"
        yield Row(f"split_touching, {size}", str(clock(split, 3)), note=note)
    probability = packed_cells()
    largest = objclass.exclude_small(connected_components(probability > 0.5), 10**6)
    split = partial(objclass.split_touching, largest, method="auto", probability=probability, progress=False)
    note = f"{largest.max()} object of {np.count_nonzero(largest):,} voxels, then {split().max():,}"
    yield Row('split_touching, method="auto", 260×260×260', str(clock(split, 3)), note=note)


def packed_cells() -> np.ndarray:
    """Return the probability of 1,100 cells with thin walls, all of them connected, and as many gaps."""
    rng = np.random.default_rng(0)
    centres = rng.random((260, 260, 260), np.float32) < 1e-4
    nearest = ndi.distance_transform_edt(~centres, return_distances=False, return_indices=True)
    cells = np.ravel_multi_index(tuple(nearest), centres.shape)
    walls = ndi.maximum_filter(cells, 2) != ndi.minimum_filter(cells, 2)
    probability = 0.55 + 0.4 * np.minimum(ndi.distance_transform_edt(~walls) / 5, 1)
    is_filled = rng.random(centres.size, np.float32)[cells] < 0.6
    return np.where(is_filled, probability, 0).astype(np.float32)


def exclude_by_table(labels: np.ndarray) -> np.ndarray:
    """Leave out small objects with a table as long as the largest number."""
    keep = np.bincount(labels.ravel()) >= 20
    keep[0] = False
    return np.where(keep, np.cumsum(keep), 0).astype(np.int32)[labels]
