"""Where people wait: the command line, the first measurement of a process, UMAP at each size of a table."""

from __future__ import annotations

import json
import os
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator

import numpy as np
import pandas as pd

import objclass

from .common import Row

SIZES = (100, 1_000, 2_776, 4_000, 10_000, 100_000)
N_COLUMNS = 30
MEASURE = """
import json, time
import numpy as np, scipy.ndimage as ndi
labels = ndi.label(np.random.default_rng(0).random((24, 128, 128)) < 0.02)[0]
image = labels * 2.0
start = time.perf_counter()
import objclass
objclass.measure(labels, image, progress=False)
print(json.dumps(time.perf_counter() - start))
"""


def run() -> Iterator[Row]:
    """Yield the figures."""
    yield from command_line()
    yield from first_measurement()
    yield from embeddings()


def command_line() -> Iterator[Row]:
    """Compare the processor time of the shortest commands with that of bare Python."""
    bare = _used("-c", "pass")
    for option in ("--version", "--help"):
        used = _used("-m", "objclass", option)
        note = f"{used - bare:.3f} s more of processor time"
        yield Row(f"objclass {option}", f"{used:.3f} s", "bare Python", f"{bare:.3f} s", bare / used, note)


def _used(*arguments: str) -> float:
    """Return the median of the processor time of five new processes."""
    times = []
    for _ in range(6):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.executable, *arguments], check=True, capture_output=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        times.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return statistics.median(times[1:])


def first_measurement() -> Iterator[Row]:
    """Report the first `measure` of a new process, whose code another process has compiled."""
    times = []
    for _ in range(4):
        environment = {**os.environ, "OBJCLASS_WARMUP": "0"}
        command = [sys.executable, "-W", "ignore", "-c", MEASURE]
        done = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
        times.append(float(json.loads(done.stdout)))
    yield Row("import and first measure in a new process", f"{statistics.median(times[1:]):.2f} s")


def embeddings() -> Iterator[Row]:
    """Compare UMAP with umap-learn's own call, in one process."""
    import umap
    from sklearn.manifold import trustworthiness

    for n in SIZES:
        values = np.random.default_rng(0).normal(size=(n, N_COLUMNS))
        values[:, 0] += 8 * (np.arange(n) % 3)
        names = [f"m{index}" for index in range(N_COLUMNS)]
        table = pd.DataFrame(values, columns=names).assign(label=np.arange(n) + 1)
        found = {}

        def ours(table: pd.DataFrame = table, found: dict[str, np.ndarray] = found) -> None:
            reduced = objclass.reduce(table, "umap", scale=False, progress=False)
            found["ours"] = reduced[["UMAP_0", "UMAP_1"]].to_numpy()

        def plain(values: np.ndarray = values, found: dict[str, np.ndarray] = found) -> None:
            found["plain"] = umap.UMAP(random_state=0, n_jobs=1).fit_transform(values)

        if n == SIZES[0]:  # compile
            ours()
            plain()
        rounds = [(_seconds(ours), _seconds(plain)) for _ in range(3 if n <= 4_000 else 1)]
        mine, other = (statistics.median(side) for side in zip(*rounds, strict=True))
        note = ""
        if n <= 4_000:
            kept = (trustworthiness(values, found[name], n_neighbors=10) for name in ("ours", "plain"))
            note = "trustworthiness {:.3f} and {:.3f}".format(*kept)
        ratio = statistics.median(theirs / own for own, theirs in rounds)
        what = f"UMAP of {n:,} objects and {N_COLUMNS} measurements"
        yield Row(what, f"{mine:.2f} s", "umap-learn", f"{other:.2f} s", ratio, note)


def _seconds(function: Callable[[], None]) -> float:
    start = time.perf_counter()
    function()
    return time.perf_counter() - start
