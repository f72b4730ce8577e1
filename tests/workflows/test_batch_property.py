"""Whatever lies where, however often it is called: a batch touches only its own, and is as a fresh one."""

import os
import shutil
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import objclass
from objclass.workflows.batch import segment_folder

OURS = {"labels", "tables", "done", "objects.csv", "objects.columns.csv", "images.csv", "run.json"}
OURS |= {"objects.parquet", "batch.json", "cache.json", "ObjectSegmenter.cl", ".lock"}
FOLDERS = ("", "day1", "day2", "day1/deep", ".hidden", "labels")
NAMES = (
    "a.npy",
    "b.npy",
    "µ =1.npy",
    "labels.npy",
    "run.json",
    "notes.txt",
    ".b.npy",
    "objects.csv",
    "-c.npy",
)
OUTS = ("out", "data/results", "data", "data/day1/out")

files = st.tuples(st.sampled_from(FOLDERS), st.sampled_from(NAMES), st.integers(0, 9))
targets = st.sampled_from((*FOLDERS, *NAMES, "results"))  # what lies in out itself is no image
links = st.tuples(st.sampled_from(FOLDERS), st.sampled_from(("link", "link.npy")), targets)
change = st.tuples(st.just("change"), st.integers(0, 20), st.integers(0, 9))
remove = st.tuples(st.just("remove"), st.integers(0, 20), st.just(0))
spoil = st.tuples(st.just("spoil"), st.integers(0, 20), st.just(0))
other = st.tuples(st.just("other"), st.sampled_from((0, 1)), st.just(0))
steps = st.lists(st.one_of(change, remove, spoil, other), max_size=4)


def image(seed):
    """Two objects at most, of a size that the seed tells; some images have none."""
    pixels = np.zeros((8, 9), np.uint8)
    pixels[1 : 1 + seed % 4, 1:4] = 200 + seed
    pixels[6:, 5 : 5 + seed % 3] = 200 + seed
    return pixels


CLASSIFIER = objclass.train_object_classifier(
    image(7), np.where(image(7) > 0, 2, 1), features="original", preset="apoc", n_estimators=1
)


def lay_out(folder, made, linked):
    for place, name, seed in made:
        path = folder / place / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if name.endswith(".npy"):
            np.save(path, image(seed))
        else:
            path.write_text(f"{seed}")
    for place, name, target in linked:
        path = folder / place / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if not os.path.lexists(path):
            path.symlink_to(folder / target)


def is_own(path, outs):
    """Return whether a path is one that batches into these folders may write."""
    return any(
        path != out and path.is_relative_to(out) and path.relative_to(out).parts[0] in OURS for out in outs
    )


def state(folder, outs):
    """What is in a folder but for the outputs of batches."""
    kept = {}
    for at, names, below in os.walk(folder):
        for name in (*names, *below):
            path = Path(at, name)
            if path.is_symlink():
                kept[path] = os.readlink(path)
            elif path.is_file() and not is_own(path, outs):
                kept[path] = path.read_bytes()
    return kept


def tables(out):
    images = pd.read_csv(out / "images.csv").drop(columns="seconds")
    return (out / "objects.csv").read_bytes(), images.to_csv(index=False)


def run(data, out):
    """Call a batch; return whether it went through rather than refuse."""
    try:
        segment_folder(data, CLASSIFIER, out, progress=False)
    except objclass.ObjclassError:
        return False
    return True


def alter(kind, number, seed, *, data, out):
    """Change an input, or take away or damage a result."""
    inputs = sorted(p for p in data.rglob("*.npy") if p.is_file() and not p.is_symlink())
    results = sorted(p for p in out.rglob("*") if p.is_file() and is_own(p, [out]) and p.parent != out)
    if kind == "change" and inputs:
        np.save(inputs[number % len(inputs)], image(seed))
    elif kind == "remove" and results:
        results[number % len(results)].unlink()
    elif kind == "spoil" and results:
        results[number % len(results)].write_bytes(b"{")


@settings(max_examples=15, derandomize=True, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    made=st.lists(files, min_size=1, max_size=8),
    linked=st.lists(links, max_size=3),
    out=st.sampled_from(OUTS),
    steps=steps,
)
def test_a_batch_touches_only_its_own_and_is_as_a_fresh_one(made, linked, out, steps):
    with tempfile.TemporaryDirectory() as scratch:
        root = Path(scratch).resolve()
        data, outs = root / "data", [root / out, root / "other"]
        lay_out(data, made, linked)
        for kind, number, seed in [("first", 0, 0), *steps]:
            alter(kind, number, seed, data=data, out=outs[0])
            now = outs[number] if kind == "other" else outs[0]
            first = not (now / "batch.json").exists()
            was = state(root, [] if first else outs)
            went_through = run(data, now)
            if first:
                assert was.items() <= state(root, []).items()
            else:
                assert state(root, outs) == was
            if went_through:
                shutil.rmtree(root / "fresh", ignore_errors=True)
                segment_folder(data, CLASSIFIER, root / "fresh", progress=False)
                assert tables(now) == tables(root / "fresh")
                shutil.rmtree(root / "fresh")
