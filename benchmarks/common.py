"""Timing, child processes, and the rows of the report."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import cache

import numpy as np
from scipy import ndimage as ndi


@dataclass(frozen=True)
class Seconds:
    """The seconds of some runs of one thing."""

    median: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.median:.3g} s ({self.low:.3g}–{self.high:.3g})"


@dataclass(frozen=True)
class Row:
    """One comparison: what was measured, of whom, against whom."""

    what: str
    ours: str
    peer: str = ""
    theirs: str = ""
    ratio: float | None = None
    note: str = ""

    def as_json(self) -> dict[str, object]:
        """Return the row as JSON takes it."""
        return asdict(self)


def clock(function: Callable[[], object], repeats: int = 5) -> Seconds:
    """Time `function`, which is warm already."""
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        function()
        times.append(time.perf_counter() - start)
    return Seconds(statistics.median(times), min(times), max(times))


def compare(
    what: str,
    ours: Callable[[], object],
    peer: str,
    theirs: Callable[[], object],
    *,
    repeats: int = 5,
    peer_repeats: int = 2,
    scale: float = 1.0,
    note: str = "",
) -> Row:
    """Time both in turn; with `scale` the peer did that fraction of the work and is extrapolated."""
    ours()
    mine = clock(ours, repeats)
    other = clock(theirs, peer_repeats)
    other = Seconds(other.median / scale, other.low / scale, other.high / scale)
    return Row(what, str(mine), peer, str(other), other.median / mine.median, note)


def in_child(code: str) -> dict[str, float]:
    """Run `code` in a new process and return the JSON that it prints last."""
    command = [sys.executable, "-W", "ignore", "-c", code]
    printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return json.loads(printed.strip().splitlines()[-1])


@cache
def nuclei(shape: tuple[int, ...] = (48, 256, 256), n: int = 400, seed: int = 0) -> tuple[np.ndarray, ...]:
    """Return image, labels and scribbles of round and elongated bodies in noise.

    The scribbles lie on the middle plane, or everywhere in 2D.
    """
    rng = np.random.default_rng(seed)
    image, labels = np.zeros(shape, np.float32), np.zeros(shape, np.int32)
    for number in range(1, n + 1):
        radii = rng.uniform(2.5, 5, len(shape))
        centre = rng.uniform(radii + 1, np.array(shape) - radii - 1)
        low = np.floor(centre - radii).astype(int)
        box = tuple(slice(a, a + int(2 * r) + 3) for a, r in zip(low, radii, strict=True))
        grid = np.meshgrid(*(np.arange(part.start, part.stop) for part in box), indexing="ij")
        inside = sum(((g - c) / r) ** 2 for g, c, r in zip(grid, centre, radii, strict=True)) <= 1
        inside = inside[tuple(slice(0, s) for s in labels[box].shape)] & (labels[box] == 0)
        labels[box][inside] = number
        image[box][inside] = rng.uniform(250, 600)
    noisy = rng.poisson(ndi.gaussian_filter(image, 1) + 100).astype(np.uint16)
    scribbles = np.zeros(shape, np.uint8)
    plane = scribbles[shape[0] // 2] if len(shape) == 3 else scribbles
    truth = labels[shape[0] // 2] if len(shape) == 3 else labels
    plane[::7, ::7] = 1
    plane[truth > 0] = 0
    plane[(truth > 0) & (rng.random(truth.shape) < 0.2)] = 2
    return noisy, labels, scribbles


def tiled(shape: tuple[int, int, int]) -> tuple[np.ndarray, np.ndarray]:
    """Return a large image and scribbles on three of its planes, made of copies of a small one."""
    image, _, scribbles = nuclei()
    repeats = [-(-n // m) for n, m in zip(shape, image.shape, strict=True)]
    crop = tuple(slice(0, n) for n in shape)
    return np.tile(image, repeats)[crop].copy(), np.tile(scribbles, repeats)[crop].copy()
