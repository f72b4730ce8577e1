"""Damage the state of a finished batch at random and call it again: it refuses, or its results are the same.

``python tests/workflows/fuzz_state.py 600`` tries so many, ``… 600 7`` with another seed. Another exception
than objclass's own, a call of over 5 s and other results than before are printed.
"""

from __future__ import annotations

import json
import logging
import random
import shutil
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

import objclass
from objclass.workflows.batch import segment_folder

SECONDS = 5
VALUES: tuple[Any, ...] = (None, 0, -1, 10**30, 1.5, "", "..", "x", [], {}, [[]], {"a": 1}, True)


def mutate(draw: random.Random, text: bytes) -> bytes:
    """Change a byte, cut the end, or remove or replace a value of a JSON file; rarely all of it."""
    kind = draw.randrange(5)
    if kind == 0:
        changed = bytearray(text)
        changed[draw.randrange(len(text))] = draw.randrange(256)
        return bytes(changed)
    if kind == 1:
        return text[: draw.randrange(len(text))]
    if kind == 2 and draw.random() < 0.3:
        return json.dumps(draw.choice(VALUES)).encode()
    content = json.loads(text)
    place = content
    while True:
        key = draw.choice(sorted(place))
        if not isinstance(place[key], dict) or not place[key] or draw.random() < 0.3:
            break
        place = place[key]
    if kind == 3:
        del place[key]
    else:
        place[key] = draw.choice(VALUES)
    return json.dumps(content).encode()


def results(out: Path) -> dict[str, Any]:
    """Return the content of the labels and tables of a batch, but for times."""
    found: dict[str, Any] = {
        str(path.relative_to(out)): path.read_bytes()
        for part in ("labels", "tables", "objects.csv", "objects.columns.csv")
        for path in ([out / part] if (out / part).is_file() else sorted((out / part).iterdir()))
    }
    return found | {"images": pd.read_csv(out / "images.csv").drop(columns="seconds").to_csv()}


def fuzz(n: int, seed: int) -> tuple[dict[str, int], list[str]]:
    """Return how many calls gave the same results and how many refused, and the failures."""
    counts, failures = {"same": 0, "refused": 0}, []
    logging.getLogger("objclass").setLevel(logging.ERROR)
    with tempfile.TemporaryDirectory() as scratch:
        data, whole, out = (Path(scratch) / name for name in ("data", "whole", "out"))
        data.mkdir()
        image = np.zeros((12, 12), np.uint8)
        for number in range(3):
            image[2 + 3 * number : 4 + 3 * number, 2:9] = 200
            np.save(data / f"{number}.npy", image)
        options: dict[str, Any] = {"features": "original", "preset": "apoc", "n_estimators": 1}
        classifier = objclass.train_object_classifier(image, np.where(image > 0, 2, 1), **options)
        for _ in range(2):  # the second call writes what later ones read
            segment_folder(data, classifier, whole, progress=False)
        expected = results(whole)
        for number in range(n):
            draw = random.Random(f"{seed} {number}")
            shutil.rmtree(out, ignore_errors=True)
            shutil.copytree(whole, out)
            states = [*(out / "done").iterdir(), out / "cache.json", out / "batch.json", out / "run.json"]
            path = draw.choice(sorted(states))
            path.write_bytes(mutate(draw, path.read_bytes()))
            name, start = f"{number}: {path.name}", time.perf_counter()
            try:
                segment_folder(data, classifier, out, progress=False, verify=draw.random() < 0.3)
                counts["same"] += 1
            except objclass.ObjclassError:
                counts["refused"] += 1
                if path.name != "batch.json":
                    failures.append(f"{name} is refused, where it could be made anew")
            except Exception as error:
                failures.append(f"{name}: {type(error).__name__}: {error}")
            if results(out) != expected:
                failures.append(f"{name}: other results")
            if time.perf_counter() - start > SECONDS:
                failures.append(f"{name}: over {SECONDS} s")
    return counts, failures


if __name__ == "__main__":
    counts, failures = fuzz(int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 0)
    print(counts, *failures, f"{len(failures)} failures", sep="\n")
    sys.exit(bool(failures))
