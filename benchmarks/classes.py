"""Object classes from a few clicks, beside scikit-learn's random forest and APOC's TableRowClassifier.

Balanced accuracies on the objects that were not clicked, means over seeds: of clicks drawn at random within
each class, the same for all, then of random clicks against suggested ones. And in a browser, the time from a
click to the new colours of 5,000 objects.
"""

from __future__ import annotations

import contextlib
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from joblib import Parallel, delayed
from sklearn.datasets import load_breast_cancer, load_digits
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import balanced_accuracy_score

from objclass import classify, load_classifier, suggest_objects, train_table_classifier
from objclass._common.parallel import n_threads

from .browser import milliseconds, pages
from .common import Row

SCIKIT_LEARN, APOC = "scikit-learn", "APOC"
SEEDS = 20
CLICKS = (3, 10, 30)
SUGGESTED = ((load_breast_cancer, 2, 30), (load_digits, 1, 30), (load_digits, 1, 60))
COUNT = 5000
CLICKS_TIMED = 20
MANY = """
import numpy as np, pandas as pd, objclass
from benchmarks.explorer import boxes
labels, table = boxes({count})
rng = np.random.default_rng(1)
table = table.assign(**{{f"measure {{k}}": rng.normal(size=len(table)) for k in range(40)}})
table["measure 3"] += 3 * (table["label"] % 4 == 0)
image = (labels % 251).astype(np.uint8)
explorer = objclass.explore(image, labels, table, x="measure 3", y="brightness")
"""
# Resolves with the milliseconds from a click that gives an example to the frame after the one that shows what
# all objects are predicted to be by then, in plot and slice; and how many of them changed.
WATCH_CLICK = """
() => {
    const {plot, image, store} = document.querySelector('.oce').parentElement.explorer;
    const before = store.classes;
    const count = ({examples}) => examples.filter(Boolean).length;
    window.clicked = new Promise((resolve) => addEventListener('pointerup', ({timeStamp}) => {
        const look = () => {
            const now = store.classes;
            const busy = now.learning || count(now) === count(before)
                || plot.view.stale || plot.view.frame || image.slices.view.pending.frame;
            if (busy) return requestAnimationFrame(look);
            const changed = now.predicted.filter((number, row) => number !== before.predicted[row]).length;
            requestAnimationFrame(() => resolve([performance.now() - timeStamp, changed]));
        };
        requestAnimationFrame(look);
    }, {capture: true, once: true}));
}
"""


def run() -> Iterator[Row]:
    """Yield the rows of the report."""
    yield from clicks_of_each_class(SEEDS)
    yield from suggested_clicks(SEEDS)
    yield from click_to_colors()


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*single example")
        warnings.filterwarnings("ignore", message="Non-empty compiler output")
        yield


def _table(load: Any) -> tuple[pd.DataFrame, np.ndarray, np.ndarray]:
    values, truth = load(return_X_y=True)
    return pd.DataFrame(values).add_prefix("m").assign(label=range(len(values))), values, truth


def _within(truth: np.ndarray, n: int, random: np.random.Generator) -> np.ndarray:
    return np.concatenate([random.choice(np.flatnonzero(truth == k), n, False) for k in np.unique(truth)])


def _score(table: pd.DataFrame, truth: np.ndarray, chosen: Any, method: str = "forest") -> tuple[float, Any]:
    examples = {int(i): int(truth[i]) for i in chosen}
    classifier = train_table_classifier(table, examples, method=method, columns=list(table.columns[:-1]))
    found = classify(table, classifier)["CLASS"].astype(int).to_numpy()
    return _accuracy(truth, found, chosen), classifier


def _accuracy(truth: np.ndarray, found: np.ndarray, chosen: Any) -> float:
    rest = np.setdiff1d(np.arange(len(truth)), chosen)
    return float(balanced_accuracy_score(truth[rest], found[rest]))


def _apoc(values: np.ndarray, truth: np.ndarray, chosen: np.ndarray, run: bool = False) -> np.ndarray:
    """Return what APOC's TableRowClassifier with its default options says; its classes begin with 1.

    It is trained by APOC, and its file is read by objclass: to compile a forest of ten classes for OpenCL
    takes seconds. With `run`, APOC classifies too, and must give the same.
    """
    import apoc

    table = pd.DataFrame(values).add_prefix("m")
    given = np.zeros(len(truth), int)
    given[chosen] = truth[chosen] + 1
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "rows.cl"
        classifier = apoc.TableRowClassifier(str(path))
        classifier.train(table, given)
        rows = table.assign(label=range(len(table)))
        found = classify(rows, load_classifier(path))["CLASS"].astype(int).to_numpy()
        if run:
            np.testing.assert_array_equal(classifier.predict(table), found)
    return found - 1


def _accuracies(table: pd.DataFrame, values: np.ndarray, truth: np.ndarray, n: int, seed: int) -> np.ndarray:
    """Return the accuracies of both methods, of scikit-learn and of APOC, after the same clicks."""
    with _quiet():
        chosen = _within(truth, n, np.random.default_rng(seed))
        forest = RandomForestClassifier(random_state=0).fit(values[chosen], truth[chosen])
        apoc = _apoc(values, truth, chosen, run=seed == 0 and n == CLICKS[0])
        return np.array(
            [
                _score(table, truth, chosen)[0],
                _score(table, truth, chosen, "linear")[0],
                _accuracy(truth, forest.predict(values), chosen),
                _accuracy(truth, apoc, chosen),
            ]
        )


def clicks_of_each_class(seeds: int) -> Iterator[Row]:
    """Compare accuracies after the same clicks."""
    for load in (load_breast_cancer, load_digits):
        for n in CLICKS:
            of_seeds = Parallel(n_threads())(
                delayed(_accuracies)(*_table(load), n, seed) for seed in range(seeds)
            )
            means = np.mean(of_seeds, axis=0)
            for peer, theirs in ((SCIKIT_LEARN, 2), (APOC, 3)):
                gains = [found[0] - found[theirs] for found in of_seeds]
                yield Row(
                    f"balanced accuracy, {load.__name__}, {n} clicks a class",
                    f"{means[0]:.3f}",
                    peer,
                    f"{means[theirs]:.3f}",
                    note=f"{seeds} seeds, gain {np.mean(gains):.3f} ± {np.std(gains) / np.sqrt(seeds):.3f}; "
                    f"method='linear' {means[1]:.3f}",
                )


def _with_and_without_suggestions(
    table: pd.DataFrame, truth: np.ndarray, start: int, total: int, seed: int
) -> tuple[float, float]:
    """Return the accuracy after suggested clicks, and after random ones."""
    with _quiet():
        random = np.random.default_rng(seed)
        first = _within(truth, start, random)
        rest = np.setdiff1d(np.arange(len(truth)), first)
        chance = np.concatenate([first, random.choice(rest, total - len(first), False)])
        chosen = first.tolist()
        while len(chosen) < total:
            n = min(5, total - len(chosen))
            chosen += suggest_objects(table, _score(table, truth, chosen)[1], n)["label"].tolist()
        return _score(table, truth, chosen)[0], _score(table, truth, chance)[0]


def suggested_clicks(seeds: int) -> Iterator[Row]:
    """Compare clicks where `suggest_objects` asks for them with random ones."""
    for load, start, total in SUGGESTED:
        table, _, truth = _table(load)
        scores = Parallel(n_threads())(
            delayed(_with_and_without_suggestions)(table, truth, start, total, seed) for seed in range(seeds)
        )
        suggested, random = np.transpose(scores)
        gains = suggested - random
        yield Row(
            f"balanced accuracy, {load.__name__}, {total} suggested clicks",
            f"{suggested.mean():.3f}",
            "random clicks",
            f"{random.mean():.3f}",
            note=f"{seeds} seeds, gain {gains.mean():.3f} ± {gains.std() / np.sqrt(seeds):.3f}",
        )


def click_to_colors() -> Iterator[Row]:
    """Time clicks that give examples among many objects, in the mode "Classes"."""
    with pages() as opened, opened([MANY.format(count=COUNT), "explorer"], 0.0) as notebook:
        notebook.run_all()
        times, changed = np.transpose(example_clicks(notebook, CLICKS_TIMED))
        learning = notebook.kernel(
            "__import__('timeit').repeat(lambda: explorer.objects.learn(explorer._page.lock), number=1)"
        )
        note = (
            f"{CLICKS_TIMED} clicks, each changed {int(np.median(changed)):,} objects (median); "
            f"of which learning: {1000 * min(learning):.0f} ms"
        )
        yield Row(
            f"explorer, click to the new classes of {COUNT:,} objects",
            milliseconds(times.tolist()),
            note=note,
        )


def example_clicks(notebook: Any, count: int) -> list[tuple[float, int]]:
    """Click objects of two classes in the plot; return milliseconds and changed objects of each click.

    The first click of each class is not counted: what learns is compiled then.
    """
    from tests.browser.explorer_driver import PLOT, Driver

    explorer, page = Driver(notebook), notebook.page
    page.locator('[data-tab="classes"]').click()
    page.wait_for_selector('.oce[data-giving="1"]')
    points, (_, pixels) = explorer.points(), explorer.plot_scale()
    order = np.argsort(points[:, 0], kind="stable")
    found = []
    for click in range(count + 2):
        number, rank = 1 + click % 2, (click // 2 + 1) * len(order) // (2 * count)
        page.locator(PLOT).focus()
        page.keyboard.press(str(number))
        page.wait_for_selector(f'.oce[data-giving="{number}"]')
        page.evaluate(WATCH_CLICK)
        explorer.click(PLOT, *pixels(points[[order[rank if number == 1 else -rank]]])[0])
        found.append(page.evaluate("() => window.clicked"))
        page.wait_for_timeout(500)
    return found[2:]
