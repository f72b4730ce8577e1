"""The first UMAP of a new process, from its start to its end, against plain umap-learn."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from collections.abc import Iterator

from .common import Row, Seconds

DATA = """
import numpy as np, pandas as pd
values = np.random.default_rng(0).normal(size=({n_objects}, 30))
"""
OURS = """
import objclass
table = pd.DataFrame(values, columns=[f"m{{i}}" for i in range(30)]).assign(label=np.arange(len(values)) + 1)
embedding = objclass.reduce(table, "umap", scale=False)[["UMAP_0", "UMAP_1"]].to_numpy()
"""
PLAIN = """
import umap
embedding = umap.UMAP(random_state=0).fit_transform(values)
"""
CHECKSUM = "print(repr(float(np.float64(embedding).sum())))"


def run() -> Iterator[Row]:
    """Compare for few objects and for so many that umap-learn has to search for neighbours."""
    for n_objects, repeats in ((400, 3), (5000, 1)):
        ours, plain = ((DATA + code + CHECKSUM).format(n_objects=n_objects) for code in (OURS, PLAIN))
        _start(ours)  # compiles, where nothing has yet
        _start(plain)  # the same for what umap-learn itself keeps
        runs = [(_start(ours), _start(plain)) for _ in range(repeats)]
        mine, other = (_seconds([run[side][0] for run in runs]) for side in (0, 1))
        same = runs[0][0][1] == runs[0][1][1]
        what = f"a new process: UMAP of {n_objects:,} objects × 30 measurements"
        note = "the same embedding" if same else "exact neighbours; umap-learn's are approximate"
        yield Row(what, str(mine), "umap-learn", str(other), other.median / mine.median, note)


def _start(code: str) -> tuple[float, str]:
    """Run `code` in a new process; return its seconds and what it printed."""
    start = time.perf_counter()
    command = [sys.executable, "-W", "ignore", "-c", code]
    printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return time.perf_counter() - start, printed.strip()


def _seconds(times: list[float]) -> Seconds:
    return Seconds(statistics.median(times), min(times), max(times))
