"""What each trick that makes the code harder to read gains: processor time with it and without, in one run.

A trick that gains less than 5 % has no place here, and none in the code.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from unittest import mock

import numpy as np
from sklearn.ensemble import ExtraTreesClassifier, RandomForestClassifier

from objclass.pixels import forest as forest_module
from objclass.pixels.kernels.pixels import classify_collected
from objclass.pixels.training import fit_forest

from .common import Row

ROUNDS = 5
N_FEATURES = 17
COMPILE = """
import json, time, warnings
from objclass._common import parallel
{without}
from objclass.workflows.compilation import STEPS
warnings.simplefilter("ignore")
start = time.process_time()
STEPS["splitting"]()
print(json.dumps(time.process_time() - start))
"""
WITHOUT_PARTS = "parallel.call_part = lambda kernel, part: kernel"


def run() -> Iterator[Row]:
    """Yield a row for each trick."""
    yield from layouts_of_trees()
    ours, theirs = seconds_to_compile(), seconds_to_compile(WITHOUT_PARTS)
    yield _row("compiling what kernels call as parts of them", ours, theirs)


def layouts_of_trees() -> Iterator[Row]:
    """Compare each layout of trees with the next simpler one, on 100 trees and ready features."""
    rng = np.random.default_rng(0)
    centres = rng.normal(scale=0.7, size=(2, N_FEATURES))

    def sample(n: int) -> tuple[np.ndarray, np.ndarray]:
        classes = rng.integers(0, 2, n)
        rows = centres[classes] + rng.normal(size=(n, N_FEATURES))
        return rows.astype(np.float32), (classes + 1).astype(np.uint8)

    rows, classes = sample(600)
    collected = np.ascontiguousarray(sample(50_000)[0].T)
    options = {"random_state": 0, "bootstrap": True}
    for layout, simpler, model in (
        ("two levels", {"MAX_TWO_LEVELS": -1}, RandomForestClassifier(100, max_depth=2, **options)),
        ("few leaves", {"MAX_LEAVES": 0}, ExtraTreesClassifier(100, min_samples_leaf=10, **options)),
    ):
        forest, _, _ = fit_forest(model, rows, classes)
        with mock.patch.multiple(forest_module, **simpler):
            plain = forest_module.pack_trees(forest, forest_module.votes_against_first(forest))
        found = [np.empty(collected.shape[1], np.uint8) for _ in range(2)]

        def classify(trees: forest_module.Trees, classes: np.ndarray) -> Callable[[], None]:
            return lambda: classify_collected(collected, 0, classes.size, trees, classes)

        ours, theirs = shortest(classify(forest.packed, found[0]), classify(plain, found[1]))
        assert np.array_equal(*found)
        leaves = (forest.n_nodes / forest.n_trees + 1) / 2
        yield _row(f"trees of {layout} ({leaves:.0f} on average) in their own layout", ours, theirs)


def shortest(*functions: Callable[[], object]) -> list[float]:
    """Return the shortest processor time of each function, called in turn."""
    times = np.empty((ROUNDS + 1, len(functions)))
    for row in times:
        for place, function in enumerate(functions):
            start = time.process_time()
            function()
            row[place] = time.process_time() - start
    return times[1:].min(axis=0).tolist()


def seconds_to_compile(without: str = "") -> float:
    """Return the processor time in which a new process compiles all of splitting, with nothing cached."""
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, "NUMBA_CACHE_DIR": folder}
        command = [sys.executable, "-c", COMPILE.format(without=without)]
        done = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
    return float(json.loads(done.stdout))


def _row(what: str, ours: float, without: float) -> Row:
    return Row(what, f"{ours:.3g} s", "without", f"{without:.3g} s", without / ours)
