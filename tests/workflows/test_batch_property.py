"""Whatever lies where, however often it is called: a batch touches only its own, and is as a fresh one."""

import os
import re
import shutil
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
import tifffile
from hypothesis import HealthCheck, example, given
from hypothesis import strategies as st

import objclass
from objclass.workflows.batch import segment_folder
from tests.random_search import examples

TABLES = ("objects.csv", "objects.columns.csv", "objects.parquet", "images.csv")
OURS = {"labels", "tables", "done", *TABLES, "run.json"}
OURS |= {"batch.json", "cache.json", "ObjectSegmenter.cl", ".lock"}
FOLDERS = ("", "day1", "day2", "day1/deep", ".hidden", "labels")
IMAGES = ("a.npy", "b.npy", "µ =1.npy", "labels.npy", ".b.npy", "-c.npy", "stack.tif", "times.ome.tif")
NAMES = (*IMAGES, "run.json", "notes.txt", "objects.csv")
OUTS = ("out", "data/results", "data", "data/day1/out")
INPUTS = (("",), ("**/*",), ("*.npy", "day1"), ("day1", "", "a.npy"), ("day[12]/*.*",))

files = st.tuples(st.sampled_from(FOLDERS), st.sampled_from(NAMES), st.integers(0, 9))
targets = st.sampled_from((*FOLDERS, *NAMES, "results"))  # what lies in out itself is no image
links = st.tuples(
    st.sampled_from(FOLDERS), st.sampled_from(("link", "link.npy", "hard.npy", "hard.tif")), targets
)
KINDS = ("change", "change", "remove", "delete", "spoil", "twist", "verify", "other", "again")
steps = st.lists(st.tuples(st.sampled_from(KINDS), st.integers(0, 30), st.integers(0, 9)), max_size=4)


def image(seed, *, is_deep):
    """Two objects at most, of a size that the seed tells; some images have none."""
    pixels = np.zeros((8, 9), np.uint8)
    pixels[1 : 1 + seed % 4, 1:4] = 200 + seed
    pixels[6:, 5 : 5 + seed % 3] = 200 + seed
    return np.stack([pixels, pixels]) if is_deep else pixels


def classifier(*, is_deep):
    pixels = image(7, is_deep=is_deep)
    options = {"features": "original", "preset": "apoc", "n_estimators": 1}
    return objclass.train_object_classifier(pixels, np.where(pixels > 0, 2, 1), **options)


CLASSIFIERS = {is_deep: classifier(is_deep=is_deep) for is_deep in (False, True)}


def write(path, seed, *, is_deep):
    """Write an image, or for other names a text; the time of the last change stays that of a file before."""
    path.parent.mkdir(parents=True, exist_ok=True)
    before = path.stat() if path.exists() else None
    axes = "ZYX" if is_deep else "YX"
    if path.suffix == ".npy":
        np.save(path, image(seed, is_deep=is_deep))
    elif path.name.startswith("times"):
        frames = [image(seed + at, is_deep=is_deep) for at in range(1 + seed % 2)]
        tifffile.imwrite(path, np.stack(frames), photometric="minisblack", metadata={"axes": f"T{axes}"})
    elif path.suffix == ".tif":
        pixels = image(seed, is_deep=is_deep)
        tifffile.imwrite(path, pixels, photometric="minisblack", metadata={"axes": axes})
    else:
        path.write_text(f"{seed}")
    if before is not None:
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def lay_out(folder, made, linked, *, is_deep):
    folder.mkdir()
    for place, name, seed in made:
        write(folder / place / name, seed, is_deep=is_deep)
    for place, name, target in linked:
        path = folder / place / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if os.path.lexists(path):
            continue
        if not name.startswith("hard"):
            path.symlink_to(folder / target)
        elif (folder / target).is_file() and (folder / target).suffix == path.suffix:
            os.link(folder / target, path)


def is_own(path, outs):
    """Tell whether a path is one that batches into these folders may write."""
    within = [path.relative_to(out).parts[0] for out in outs if path != out and path.is_relative_to(out)]
    return any(re.sub(r"~changed\d+", "", name) in OURS for name in within)


def state(folder, outs):
    """What is in a folder but for the outputs of batches."""
    kept = {}
    for at, names, below in os.walk(folder):
        for name in (*names, *below):
            path = Path(at, name)
            if path.is_symlink():
                kept[path] = os.readlink(path)
            elif path.is_file() and not is_own(path, outs):
                kept[path] = path.read_bytes(), path.stat().st_mode, path.stat().st_mtime_ns
    return kept


def results(out, names):
    """The content of all tables, and of the labels and tables of images."""
    found = {name: (out / name).read_bytes() for name in names if name != "images.csv"}
    return found, pd.read_csv(out / "images.csv").drop(columns="seconds").to_csv(index=False)


def call(data, inputs, out, **options):
    """Call a batch; return whether it went through rather than refuse."""
    given, is_deep = [str(data / each) if each else str(data) for each in inputs], options.pop("is_deep")
    try:
        segment_folder(given, CLASSIFIERS[is_deep], out, progress=False, **options)
    except objclass.ObjclassError:
        return False
    return True


def alter(kind, number, seed, *, data, out, is_deep):
    """Change or delete an input, or take away or damage a result."""
    inputs = sorted(p for p in data.rglob("*.*") if p.name in IMAGES and p.is_file() and not is_own(p, [out]))
    own = sorted(p for p in out.rglob("*") if p.is_file() and is_own(p, [out]))
    own = [path for path in own if path.name not in (".lock", "batch.json")]
    if kind == "change" and inputs:
        write(inputs[number % len(inputs)], seed, is_deep=is_deep)
    elif kind == "delete" and inputs:
        inputs[number % len(inputs)].unlink()
    elif kind == "remove" and own:
        own[number % len(own)].unlink()
    elif kind == "spoil" and own:
        own[number % len(own)].write_bytes(b"{")
    elif kind == "twist" and own:  # only --verify can see it
        path = own[number % len(own)]
        before, content = path.stat(), bytearray(path.read_bytes())
        content[len(content) // 2] ^= 1
        path.write_bytes(content)
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


ONE, TWO = ("", "a.npy", 7), ("day1", "b.npy", 5)


@example([ONE, TWO], [], "out", ("",), [("change", 0, 2), ("change", 1, 3)], False)
@example([ONE, TWO], [], "out", ("",), [("remove", n, 0) for n in range(0, 12, 3)], True)
@example([ONE, TWO], [], "data/results", ("",), [("spoil", n, 0) for n in range(1, 12, 3)], False)
@example([ONE, TWO], [], "out", ("",), [("delete", 0, 0), ("other", 1, 0), ("again", 0, 0)], False)
@example([ONE, ("", "times.ome.tif", 3)], [], "data", ("**/*",), [("twist", n, 0) for n in (4, 7, 9)], False)
@example([ONE, ("", "labels.npy", 5)], [], "data", ("",), [("spoil", 0, 0), ("again", 0, 0)], False)
@examples(6, suppress_health_check=list(HealthCheck))
@given(
    made=st.lists(files, min_size=1, max_size=8),
    linked=st.lists(links, max_size=3),
    out=st.sampled_from(OUTS),
    inputs=st.sampled_from(INPUTS),
    steps=steps,
    is_deep=st.booleans(),
)
def test_a_batch_touches_only_its_own_and_is_as_a_fresh_one(made, linked, out, inputs, steps, is_deep):
    with tempfile.TemporaryDirectory() as scratch:
        root = Path(scratch).resolve()
        data, outs = root / "data", [root / out, root / "other"]
        lay_out(data, made, linked, is_deep=is_deep)
        for kind, number, seed in [("first", 0, 0), *steps]:
            alter(kind, number, seed, data=data, out=outs[0], is_deep=is_deep)
            now = outs[number % 2] if kind == "other" else outs[0]
            first = not (now / "batch.json").exists()
            was = state(root, [] if first else outs)
            went_through = call(data, inputs, now, verify=kind in ("twist", "verify"), is_deep=is_deep)
            if first:
                assert was.items() <= state(root, []).items()
            else:
                assert state(root, outs) == was
            if went_through:
                fresh = root / "fresh"
                assert call(data, inputs, fresh, is_deep=is_deep)
                parts = [p for part in ("labels", "tables") for p in (fresh / part).glob("*")]
                names = [*TABLES, *(path.relative_to(fresh).as_posix() for path in parts)]
                assert results(now, names) == results(fresh, names)
                shutil.rmtree(fresh)
