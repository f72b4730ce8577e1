"""What each trick that makes the code harder to read gains: processor time with it and without, in one run.

A trick that gains less than 5 % has no place here, and none in the code.
"""

from __future__ import annotations

import inspect
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from unittest import mock

import numba
import numpy as np
from sklearn.ensemble import ExtraTreesClassifier, RandomForestClassifier

from objclass._common.parallel import map_tiles
from objclass.pixels import forest as forest_module
from objclass.pixels.kernels import pixels
from objclass.pixels.kernels.filters import GROUP
from objclass.pixels.kernels.forest import MAX_COUNTED
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
PREDICT = """
import json, time, warnings
import numba
import numpy as np
from objclass.pixels.kernels import convolution, pixels
{without}
import objclass
warnings.simplefilter("ignore")
embryo = objclass.samples.embryo((48, 128, 128))
classifier = objclass.train_object_classifier(embryo.image, embryo.annotations[0], preset="apoc")
times = []
for _ in range({rounds} + 1):
    start = time.process_time()
    objclass.classify_pixels(embryo.image, classifier, progress=False)
    times.append(time.process_time() - start)
print(json.dumps(min(times[1:])))
"""
WITHOUT_TAP_BLOCKS = """
@numba.njit(error_model="numpy", fastmath={"contract"})
def convolve_rows(source, first, width, weights, divisor, sums, target, to, step):
    for j in range(convolution.ROWS):
        total = sums[:width]
        total[:] = 0
        for t in range(weights.size):
            row = source[first + (j + t) * width :][:width]
            weight = weights[t]
            for i in range(width):
                total[i] += weight * row[i]
        row = target[to + j * step :][:width]
        for i in range(width):
            row[i] = total[i] / divisor

convolution.convolve_rows = convolve_rows
"""
WITHOUT_GROUPS = """
from objclass.pixels.kernels import pixels

pixels.GROUP = 64
"""
PREDICTING = {
    "four rows and four taps of a blur at once": WITHOUT_TAP_BLOCKS,
    "features of 512 voxels, not 64, before the votes for them": WITHOUT_GROUPS,
}


def run() -> Iterator[Row]:
    """Yield a row for each trick."""
    yield from layouts_of_trees()
    yield from walks_of_deep_trees()
    ours = _in_new_process(PREDICT, "")
    for name, without in PREDICTING.items():
        yield _row(name, ours, _in_new_process(PREDICT, without))
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


def walks_of_deep_trees() -> Iterator[Row]:
    """Take one trick at a time from the prediction with full-depth trees on ready features."""
    rng = np.random.default_rng(0)
    centres = rng.normal(size=(5, 50))

    def sample(n: int, distance: float) -> tuple[np.ndarray, np.ndarray]:
        classes = rng.integers(0, 5, n)
        rows = distance * centres[classes] + rng.normal(size=(n, 50))
        return rows.astype(np.float32), (classes + 1).astype(np.uint8)

    found = np.empty(32_768, np.uint8)
    code = inspect.getsource(classify_collected.py_func).split("\n", 1)[1]
    names = {**vars(pixels), "ROW": GROUP, "PADDING": 0}
    exec(code, names)
    by_short_rows = numba.njit(error_model="numpy", nogil=True)(names["classify_collected"])
    for n_pixels, n_trees, distance in ((2_000, 50, 0.35), (10_000, 100, 0.35), (30_000, 100, 0.7)):
        collected = np.ascontiguousarray(sample(found.size, distance)[0].T)
        model = RandomForestClassifier(n_trees, random_state=0, bootstrap=True)
        forest, _, _ = fit_forest(model, *sample(n_pixels, distance))
        trees = forest.packed
        no_split = np.zeros(forest.n_nodes, bool)
        with mock.patch.object(forest_module, "_find_tops", return_value=no_split):
            from_roots = forest_module.pack_trees(forest, forest_module.votes_against_first(forest))
        uncounted = np.pad(trees.deep.votes, ((0, 0), (0, MAX_COUNTED)))
        added = trees._replace(deep=trees.deep._replace(votes=uncounted))

        endless = np.full_like(trees.deep.margins, np.inf)
        all_vote = trees._replace(deep=trees.deep._replace(margins=endless))

        def classify(
            trees: forest_module.Trees, by: Callable = classify_collected, rows: np.ndarray = collected
        ) -> Callable[[], None]:
            step = found.size // 4
            return lambda: map_tiles(
                lambda begin: by(rows, begin, begin + step, trees, found), range(0, found.size, step)
            )

        cases = {
            "tops as blocks of leaves": classify(from_roots),
            "counted votes": classify(added),
            "no votes once a class is certain": classify(all_vote),
            "rows of 2,048 voxels and padding": classify(trees, by_short_rows),
        }
        ours, *others = shortest(classify(trees), *cases.values())
        for name, without in zip(cases, others, strict=True):
            what = f"deep trees, {forest.n_nodes // n_trees:,} nodes each, classes {distance:g} apart"
            yield _row(f"{what}: {name}", ours, without)


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
    return _in_new_process(COMPILE, without)


def _in_new_process(script: str, without: str) -> float:
    """Return what a script prints in a new process, with nothing compiled before."""
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, "NUMBA_CACHE_DIR": folder}
        command = [sys.executable, "-c", script.format(without=without, rounds=ROUNDS)]
        done = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
    return float(json.loads(done.stdout.splitlines()[-1]))


def _row(what: str, ours: float, without: float) -> Row:
    return Row(what, f"{ours:.3g} s", "without", f"{without:.3g} s", without / ours)
