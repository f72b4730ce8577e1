"""Alter the records of runs at random and repeat them: refused, different, or identical only if it was so.

``python tests/workflows/fuzz_records.py 600`` tries so many, ``… 600 7`` with another seed. Half of the
altered records get a checksum that fits, as from somebody who knows how it is made. Another exception than
objclass's own, a repetition of over 5 s, and "identical" where something was altered that makes results are
printed.
"""

from __future__ import annotations

import json
import logging
import random
import sys
import tempfile
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np

import objclass
from objclass.workflows.parameters import Parameters
from objclass.workflows.record import RECORD, SEAL, seal
from objclass.workflows.rerun import repeat_run
from objclass.workflows.run import run_image

SECONDS = 5
VALUES: tuple[Any, ...] = (None, 0, -1, 2, 10**30, 1.5, "", "..", "x", [], {}, [[]], {"a": 1}, [1, 2], True)


def make_runs(folder: Path) -> list[Path]:
    """Write runs with annotations, with a classifier, and with corrections; return their folders."""
    image = np.zeros((24, 40), np.uint8)
    for x, height in zip(range(2, 38, 6), (3, 5, 9, 4, 12, 7), strict=True):
        image[3 : 3 + height, x : x + 4] = 200
    np.save(folder / "image.npy", image)
    np.save(folder / "scribbles.npy", np.where(image > 0, 2, 1).astype(np.uint8))
    quick: dict[str, Any] = {"min_size": 4, "n_clusters": 2, "reduce": "pca"}
    train = Parameters.of(features="original", n_estimators=2, spacing=0.5, **quick)
    options: dict[str, Any] = {"progress": False, "parameters": train}
    run_image(folder / "image.npy", folder / "trained", annotations=folder / "scribbles.npy", **options)
    given = folder / "trained" / "ObjectSegmenter.cl"
    options["parameters"] = Parameters.of(exclude_border=True, **quick)
    edits = [{"edit": "delete", "labels": [2]}]
    run_image(folder / "image.npy", folder / "given", classifier=given, edits=edits, **options)
    return [folder / "trained", folder / "given"]


def alter(draw: random.Random, content: dict[str, Any]) -> tuple[Any, ...]:
    """Remove, replace or exchange a value in place; return the keys that lead to it."""
    place: Any = content
    keys: list[Any] = []
    while True:
        keys.append(draw.choice(sorted(place) if isinstance(place, dict) else range(len(place))))
        inner = place[keys[-1]]
        if not isinstance(inner, (dict, list)) or not inner or draw.random() < 0.1:
            break
        place = inner
    kind = draw.randrange(4)
    if kind == 0:
        del place[keys[-1]]
    elif kind == 1 and isinstance(inner, (int, float)):
        place[keys[-1]] = inner + draw.choice((-1, 1, 0.5))
    elif kind == 2 and isinstance(inner, str) and inner:
        at = draw.randrange(len(inner))
        place[keys[-1]] = inner[:at] + draw.choice("0aZ./é") + inner[at + 1 :]
    else:
        place[keys[-1]] = draw.choice(VALUES)
    return tuple(keys)


def is_only_told(keys: tuple[Any, ...], altered: dict[str, Any], before: dict[str, Any]) -> bool:
    """Return whether the results of an altered record may be those of the record before."""
    if keys[0] in ("notes", "seconds", "versions", SEAL) or altered == before:
        return True
    if keys[0] == "inputs" and len(keys) == 3:  # one of two ways to the same file is enough
        return keys[2] in ("path", "from_here")
    return keys[0] not in before


def fuzz(n: int, seed: int) -> tuple[dict[str, int], list[str]]:
    """Return how many repetitions were identical, different and refused, and the failures."""
    counts, failures = {"identical": 0, "different": 0, "refused": 0}, []
    logging.getLogger("objclass").setLevel(logging.ERROR)
    warnings.simplefilter("ignore")
    with tempfile.TemporaryDirectory() as scratch:
        runs = make_runs(Path(scratch))
        for run in runs:
            assert repeat_run(run, progress=False).is_identical
        for number in range(n):
            draw = random.Random(f"{seed} {number}")
            run = draw.choice(runs)
            before = json.loads((run / RECORD).read_text(encoding="utf-8"))
            altered = json.loads(json.dumps(before))
            keys = alter(draw, altered)
            if is_sealed := draw.random() < 0.5:
                altered[SEAL] = seal(altered)
            path = run / "altered.json"
            path.write_text(json.dumps(altered), encoding="utf-8")
            name, start = f"{number}: {'.'.join(map(str, keys))}", time.process_time()
            try:
                is_same = repeat_run(path, progress=False).is_identical
                counts["identical" if is_same else "different"] += 1
                if is_same and not is_only_told(keys, altered, before):
                    failures.append(f"{name}: identical, where another value was recorded")
                if not is_sealed and altered != before:
                    failures.append(f"{name}: taken, with a checksum that does not fit")
            except objclass.ObjclassError:
                counts["refused"] += 1
            except Exception as error:
                failures.append(f"{name}: {type(error).__name__}: {error}")
            if time.process_time() - start > SECONDS:
                failures.append(f"{name}: over {SECONDS} s")
    return counts, failures


if __name__ == "__main__":
    counts, failures = fuzz(int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 0)
    print(counts, *failures, f"{len(failures)} failures", sep="\n")
    sys.exit(bool(failures))
