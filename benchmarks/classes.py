"""Object classes from a few clicks, beside the forests of scikit-learn and of APOC's TableRowClassifier.

``python -m benchmarks.classes`` prints balanced accuracies on the objects that were not clicked, means over
20 seeds: of clicks drawn at random within each class, then of random clicks against suggested ones.
"""

from __future__ import annotations

import sys
import warnings

import numpy as np
import pandas as pd
from sklearn.datasets import load_breast_cancer, load_digits
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import balanced_accuracy_score

from objclass import classify, suggest_objects, train_table_classifier

# APOC's TableRowClassifier trains this forest and evaluates it with OpenCL.
PEERS = {"random forest": {}, "APOC (depth 2)": {"max_depth": 2}}
SUGGESTED = ((load_breast_cancer, 2, 30), (load_digits, 1, 30), (load_digits, 1, 60))


def _table(load):
    values, truth = load(return_X_y=True)
    return pd.DataFrame(values).add_prefix("m").assign(label=range(len(values))), values, truth


def _within(truth, n, random):
    return np.concatenate([random.choice(np.flatnonzero(truth == k), n, False) for k in np.unique(truth)])


def _score(table, truth, chosen, method="forest"):
    classifier = train_table_classifier(
        table, {int(i): int(truth[i]) for i in chosen}, method=method, columns=list(table.columns[:-1])
    )
    rest = np.setdiff1d(np.arange(len(truth)), chosen)
    found = classify(table, classifier)["CLASS"].astype(int).to_numpy()
    return balanced_accuracy_score(truth[rest], found[rest]), classifier


def clicks_of_each_class(seeds):
    for load in (load_breast_cancer, load_digits):
        table, values, truth = _table(load)
        for n in (3, 10, 30):
            scores: dict[str, list[float]] = {}
            for seed in range(seeds):
                chosen = _within(truth, n, np.random.default_rng(seed))
                rest = np.setdiff1d(np.arange(len(truth)), chosen)
                for method in ("forest", "linear"):
                    scores.setdefault(method, []).append(_score(table, truth, chosen, method)[0])
                for name, options in PEERS.items():
                    forest = RandomForestClassifier(random_state=0, **options)
                    forest.fit(values[chosen], truth[chosen])
                    found = balanced_accuracy_score(truth[rest], forest.predict(values[rest]))
                    scores.setdefault(name, []).append(found)
            means = ", ".join(f"{name} {np.mean(found):.3f}" for name, found in scores.items())
            print(f"{load.__name__}, {n} clicks a class: {means}", flush=True)


def suggested_clicks(seeds):
    for load, start, total in SUGGESTED:
        table, _, truth = _table(load)
        scores: dict[bool, list[float]] = {False: [], True: []}
        for seed in range(seeds):
            for suggest, found in scores.items():
                random = np.random.default_rng(seed)
                chosen = _within(truth, start, random).tolist()
                while len(chosen) < total:
                    n = min(5, total - len(chosen))
                    if suggest:
                        chosen += suggest_objects(table, _score(table, truth, chosen)[1], n)["label"].tolist()
                    else:
                        chosen += random.choice(
                            np.setdiff1d(np.arange(len(truth)), chosen), n, False
                        ).tolist()
                found.append(_score(table, truth, chosen)[0])
        gains = np.subtract(scores[True], scores[False])
        print(
            f"{load.__name__}, {total} clicks in all: random {np.mean(scores[False]):.3f}, suggested "
            f"{np.mean(scores[True]):.3f}, gain {gains.mean():.3f} ± {gains.std() / np.sqrt(seeds):.3f}",
            flush=True,
        )


if __name__ == "__main__":
    warnings.filterwarnings("ignore", message=".*single example")
    n_seeds = int(sys.argv[1]) if len(sys.argv) > 1 else 20
    suggested_clicks(n_seeds)
    clicks_of_each_class(n_seeds)
