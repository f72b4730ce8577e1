"""The way of ilastik: vigra's filters of five scales and a forest of full-depth trees, against ours.

vigra comes with Debian, for its own Python, ``/usr/bin/python3``: ``apt-get install python3-vigra``.
"""

from __future__ import annotations

import dataclasses
import json
import subprocess
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import numpy as np
from sklearn.ensemble import RandomForestClassifier

import objclass
from objclass._common.parallel import map_tiles, n_threads
from objclass.pixels.extraction import features_at
from objclass.pixels.features import parse_features
from objclass.pixels.forest import Forest
from objclass.pixels.kernels.pixels import classify_collected
from objclass.pixels.tiling import TASK_VOXELS
from objclass.pixels.training import fit_forest

from .common import Row, Seconds, clock, compare, nuclei

PYTHON = "/usr/bin/python3"
TRAINED_TREES = 10  # of the 100, which take ten times as long on both sides
TRAINING_ROUNDS = 3
SCALES = (0.7, 1.0, 1.6, 3.5, 5.0)
RANKS = ("largest", "middle", "smallest")
FILTERS = (
    "gaussian_blur",
    "difference_of_gaussian",
    "laplace_of_gaussian_blur",
    "gradient_magnitude_of_gaussian_blur",
    *(f"hessian_{rank}_of_gaussian_blur" for rank in RANKS),
    *(f"structure_{rank}_of_gaussian_blur" for rank in RANKS),
)
PEER = """
import json, sys, time
import numpy as np, vigra
from vigra import filters
folder, scales = sys.argv[1], json.loads(sys.argv[2])
image = np.load(folder + "/image.npy").astype(np.float32)
scribbles = np.load(folder + "/scribbles.npy")

def features():
    every = []
    for s in scales:
        blurred = filters.gaussianSmoothing(image, s)
        every += [blurred, blurred - filters.gaussianSmoothing(image, 0.66 * s)]
        every += [filters.laplacianOfGaussian(image, s), filters.gaussianGradientMagnitude(image, s)]
        hessian = filters.hessianOfGaussianEigenvalues(image, s)
        structure = filters.structureTensorEigenvalues(image, s, s / 2)
        every += [np.asarray(values)[..., at] for values in (hessian, structure) for at in range(3)]
    return np.stack([np.asarray(one).reshape(-1) for one in every], axis=1)

start = time.process_time()
rows = features()
filtered = time.process_time() - start
chosen = scribbles.reshape(-1) > 0
forest = vigra.learning.RandomForest(100)
forest.learnRF(rows[chosen], scribbles.reshape(-1)[chosen].astype(np.uint32)[:, None])
start = time.process_time()
classes = forest.predictLabels(rows)
predicted = time.process_time() - start
np.save(folder + "/classes.npy", np.asarray(classes).reshape(image.shape))
print(json.dumps({"filters": filtered, "forest": predicted}))
"""


def full_depth(
    rows: np.ndarray, classes: np.ndarray, n_trees: int = 100
) -> tuple[Forest, RandomForestClassifier]:
    """Train scikit-learn's forest of trees without a limit, and take it over."""
    model = RandomForestClassifier(n_trees, random_state=0, n_jobs=n_threads())
    return fit_forest(model, rows, classes)[0], model


def run() -> Iterator[Row]:
    """Yield the figures; without vigra those against scikit-learn."""
    if subprocess.run([PYTHON, "-c", "import vigra"], capture_output=True, check=False).returncode == 0:
        yield from like_ilastik()
    yield from ready_features()


def like_ilastik() -> Iterator[Row]:
    """Compare filters and forest together on 48×256×256 voxels, in one run."""
    image, labels, scribbles = nuclei()
    specification = [f"{name}={sigma}" for sigma in SCALES for name in FILTERS]
    features = parse_features(specification)
    rows = features_at(image[np.newaxis], features, scribbles > 0)
    forest, _ = full_depth(rows, scribbles[scribbles > 0])
    classifier = objclass.train_object_classifier(image, scribbles, features=specification, n_estimators=1)
    classifier = dataclasses.replace(classifier, forest=forest, importances=())

    def predict() -> np.ndarray:
        return objclass.classify_pixels(image, classifier, progress=False)

    found = predict()
    used, ours = processor_time(predict), clock(predict, 3)
    with tempfile.TemporaryDirectory() as folder:
        np.save(Path(folder) / "image.npy", image)
        np.save(Path(folder) / "scribbles.npy", scribbles)
        command = [PYTHON, "-W", "ignore", "-c", PEER, folder, json.dumps(SCALES)]
        printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        theirs = json.loads(printed.splitlines()[-1])
        same = (np.load(Path(folder) / "classes.npy") == found).mean()
    seconds = sum(theirs.values())
    name = f"48×256×256, 50 features, 100 full-depth trees ({forest.n_nodes / 200:.0f} leaves)"
    note = (
        f"vigra's filters {theirs['filters']:.1f} s, forest {theirs['forest']:.1f} s on one core; objclass "
        f"{used:.2g} s of processor time, {seconds / used:.1f} times less; {same:.1%} of the classes agree"
    )
    yield Row(name, str(ours), "vigra", str(Seconds(seconds, seconds, seconds)), seconds / ours.median, note)
    truth = (labels > 0) + 1
    yield Row(f"{name}: right classes", f"{(found == truth).mean():.1%}")


def ready_features() -> Iterator[Row]:
    """Compare with scikit-learn on features that are there: 50 of them, 5 classes."""
    rng = np.random.default_rng(0)
    centres = rng.normal(scale=0.35, size=(5, 50))

    def sample(n: int) -> tuple[np.ndarray, np.ndarray]:
        classes = rng.integers(0, 5, n)
        return (centres[classes] + rng.normal(size=(n, 50))).astype(np.float32), (classes + 1).astype(
            np.uint8
        )

    rows, classes = sample(100_000)
    what = f"training {TRAINED_TREES} full-depth trees on 100,000 pixels, 50 features, 5 classes"
    warnings.filterwarnings("ignore", "Some inputs do not have OOB scores")  # with so few trees
    peers = {
        peer: RandomForestClassifier(TRAINED_TREES, random_state=0, n_jobs=n_threads(), oob_score=oob)
        for peer, oob in (
            ("scikit-learn with its votes out of bag", True),
            ("scikit-learn without them", False),
        )
    }
    full_depth(rows[:1000], classes[:1000], TRAINED_TREES)
    rounds = [
        [
            timed(train)
            for train in (
                lambda: full_depth(rows, classes, TRAINED_TREES),
                *(partial(model.fit, rows, classes) for model in peers.values()),
            )
        ]
        for _ in range(TRAINING_ROUNDS)
    ]
    (used, ours), *others = np.median(rounds, axis=0)
    for peer, (other, theirs) in zip(peers, others, strict=True):
        note = f"{other / used:.3f} times as much processor time; our trees are scikit-learn's"
        yield Row(what, f"{ours:.3g} s", peer, f"{theirs:.3g} s", theirs / ours, note)
    few, of_few = sample(10_000)
    forest, model = full_depth(few, of_few)
    rows, _ = sample(100_000)
    collected, found = np.ascontiguousarray(rows.T), np.empty(len(rows), np.uint8)

    def predict() -> None:
        def classify(first: int) -> None:
            classify_collected(
                collected, first, min(first + TASK_VOXELS // 8, found.size), forest.packed, found
            )

        map_tiles(classify, range(0, found.size, TASK_VOXELS // 8))

    predict()
    theirs, own = processor_time(lambda: model.predict(rows)), processor_time(predict)
    yield compare(
        f"predicting on 50 ready features, 100 trees of {forest.n_nodes / 200:.0f} leaves, 5 classes",
        predict,
        "scikit-learn",
        lambda: model.predict(rows),
        repeats=3,
        peer_repeats=3,
        note=f"{theirs / own:.1f} times less processor time",
    )


def timed(function: Callable[[], object]) -> tuple[float, float]:
    """Return the processor time of one call, and the time on the clock."""
    start = time.perf_counter()
    used = processor_time(function)
    return used, time.perf_counter() - start


def processor_time(function: Callable[[], object]) -> float:
    """Return the seconds of all cores that one call uses, which load changes less than those on the clock."""
    start = time.process_time()
    function()
    return time.process_time() - start
