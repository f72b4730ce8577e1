"""Damage image files at random and read them: every outcome is an image or a refusal in words.

``python tests/io/fuzz_images.py 3000`` tries so many files, ``… 3000 7`` with another seed, ``… 4000 7 .cl``
those of classifiers, which are applied where they can be read. A crash, a hang, more than 1 GB of memory or
another exception than objclass's own is printed, with the file kept.
"""

from __future__ import annotations

import json
import multiprocessing
import shutil
import sys
import tempfile
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

SECONDS, BYTES = 5, 1e9
Damage = Callable[[np.random.Generator, bytearray], bytes]


def write_examples(folder: Path) -> list[str]:
    """Write a small file of each format, and return their names."""
    import h5py
    import imagecodecs
    import mrcfile
    import nibabel
    import roifile
    import tifffile
    import zarr
    from pylibCZIrw import czi

    from objclass.io import images

    rng = np.random.default_rng(0)
    stack = (rng.random((3, 40, 48)) * 4000).astype(np.uint16)
    picture = (rng.random((40, 48, 3)) * 255).astype(np.uint8)
    images.imwrite(folder / "written.tif", stack, spacing=(2, 0.5, 0.5))
    images.imwrite(folder / "written.ome.tif", stack, spacing=(2, 0.5, 0.5))
    images.imwrite(folder / "written.zarr", stack)
    group = zarr.open_group(folder / "old.zarr", mode="w", zarr_format=2)
    axes = [{"name": a, "type": "space", "unit": "micrometer"} for a in "zyx"]
    group.attrs["multiscales"] = [{"version": "0.4", "axes": axes, "datasets": [{"path": "0"}]}]
    group.create_array("0", data=stack, chunks=(1, 40, 48))
    images.imwrite(folder / "grey.png", stack[0])
    images.imwrite(folder / "colour.png", np.moveaxis(picture, 2, 0))
    (folder / "picture.jpg").write_bytes(imagecodecs.jpeg_encode(picture))
    np.save(folder / "array.npy", stack)
    np.save(folder / "cells_seg.npy", {"masks": stack, "filename": "a.tif"}, allow_pickle=True)
    tifffile.imwrite(folder / "plain.tif", stack, metadata=None, photometric="minisblack")
    tifffile.imwrite(folder / "tiles.tif", stack, tile=(16, 16), compression="lzw", photometric="minisblack")
    tifffile.imwrite(folder / "hyperstack.tif", stack, imagej=True, metadata={"axes": "ZYX"})
    tifffile.imwrite(folder / "big.btf", stack, bigtiff=True, compression="zstd", photometric="minisblack")
    tifffile.imwrite(folder / "jpeg.tif", picture, compression="jpeg", photometric="rgb")
    with czi.create_czi(str(folder / "a.czi")) as writer:
        for z, plane in enumerate(stack):
            writer.write(plane[..., None], plane={"Z": z})
    with h5py.File(folder / "a.h5", "w") as file:
        file.create_dataset("data", data=stack, chunks=(1, 40, 48), compression="gzip")
    with mrcfile.new(folder / "a.mrc") as file:
        file.set_data(stack)
    nibabel.save(nibabel.Nifti1Image(stack, np.eye(4)), folder / "a.nii")
    nibabel.save(nibabel.Nifti1Image(stack, np.eye(4)), folder / "a.nii.gz")
    roi = roifile.ImagejRoi.frompoints(np.array([[2, 2], [9, 2], [9, 9]]))
    roifile.roiwrite(folder / "rois.zip", [roi])
    ring = {"type": "Polygon", "coordinates": [[[2, 2], [9, 2], [9, 9], [2, 2]]]}
    (folder / "a.geojson").write_text(json.dumps([{"type": "Feature", "geometry": ring}]))
    return sorted(path.name for path in folder.iterdir())


def write_classifiers(folder: Path) -> list[str]:
    """Write a few classifiers, and return their names."""
    from dataclasses import replace

    from objclass.pixels.classifier import train_object_classifier

    plane = np.random.default_rng(0).integers(0, 4000, (40, 48)).astype(np.uint16)
    scribbles = np.where(plane > 3000, 3, np.where(plane > 1500, 2, 1))
    apoc = train_object_classifier(plane, scribbles, preset="apoc", n_estimators=3)
    apoc.save(folder / "apoc.cl")
    for name in ("PixelClassifier", "ProbabilityMapper"):
        replace(apoc, class_name=name).save(folder / f"{name}.cl")
    options: dict[str, Any] = {
        "n_estimators": 3,
        "max_depth": 4,
        "normalize": "percentile",
        "spacing": (2, 1),
    }
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # APOC cannot run it
        train_object_classifier(plane, scribbles, **options).save(folder / "default.cl")
    return sorted(path.name for path in folder.iterdir())


def flip(rng: np.random.Generator, data: bytearray) -> bytes:
    """Change some bytes, most often near the beginning, where formats describe themselves."""
    end = len(data) if rng.random() < 0.5 else min(len(data), 600)
    for at in rng.integers(0, end, rng.integers(1, 12)):
        data[at] = rng.integers(256)
    return bytes(data)


def extreme(rng: np.random.Generator, data: bytearray) -> bytes:
    """Put the number of bytes, pages or pixels at an extreme."""
    at = int(rng.integers(0, max(1, min(len(data), 600) - 8)))
    width = int(rng.choice([2, 4, 8]))
    data[at : at + width] = rng.choice([b"\0", b"\xff", b"\x7f", b"\x80"]) * width
    return bytes(data)


def cut(rng: np.random.Generator, data: bytearray) -> bytes:
    """Leave out the end."""
    return bytes(data[: rng.integers(0, len(data))])


def repeat(rng: np.random.Generator, data: bytearray) -> bytes:
    """Copy a piece to another place."""
    n = int(rng.integers(1, min(len(data), 200)))
    source, target = rng.integers(0, len(data) - n + 1, 2)
    data[target : target + n] = data[source : source + n]
    return bytes(data)


def digits(rng: np.random.Generator, data: bytearray) -> bytes:
    """Change a digit of the text in a file: of XML, JSON or a description."""
    places = [at for at, byte in enumerate(data[:20_000]) if 48 <= byte <= 57]
    for at in rng.choice(places, min(len(places), 3)) if places else ():
        data[at] = rng.integers(48, 58)
    return bytes(data)


DAMAGES: tuple[Damage, ...] = (flip, flip, extreme, cut, repeat, digits)


def damage(rng: np.random.Generator, example: Path, target: Path) -> None:
    """Write a damaged copy of a file, or of a folder of which one file is damaged."""
    if example.is_dir():
        shutil.copytree(example, target)
        target = rng.choice(sorted(path for path in target.rglob("*") if path.is_file()))
        example = target
    data = bytearray(example.read_bytes())
    target.write_bytes(DAMAGES[rng.integers(len(DAMAGES))](rng, data) if data else b"")


def read(example: Path, path: Path) -> None:
    """Read a file as what the example is that it was made from."""
    import objclass

    if example.suffix == ".cl":
        classifier = objclass.load_classifier(path)
        n_channels = classifier.n_channels
        shape = (3, 40, 48)[-classifier.ndim :] if n_channels == 1 else (n_channels, *(8,) * classifier.ndim)
        objclass.classify_pixels(np.ones(shape, np.uint16), classifier, progress=False)
    elif example.name in ("rois.zip", "a.geojson", "cells_seg.npy"):
        objclass.read_labels(path, shape=(40, 48))
    else:
        for info in objclass.image_info(path):
            frame = 0 if info.n_frames else None
            objclass.imread(path, series=info.series, frame=frame)


def read_all(folder: str, numbers: list[int], seed: int, connection: Any) -> None:
    """Read damaged files, and report each number before and each outcome after."""
    import objclass

    warnings.simplefilter("ignore")
    examples = sorted(Path(folder, "examples").iterdir())
    for example in examples:
        if example.suffix == ".cl":
            read(example, example)  # compiles, which is no hang
    for number in numbers:
        rng = np.random.default_rng([seed, number])
        example = examples[number % len(examples)]
        path = Path(folder) / f"{number}-{example.name}"
        damage(rng, example, path)
        connection.send((number, "begun", path.name))
        try:
            read(example, path)
            outcome = "read"
        except objclass.ObjclassError:
            outcome = "refused"
        except Exception as error:
            outcome = f"{type(error).__name__}: {error}"
        peak = peak_memory()
        if peak > BYTES:
            outcome = f"{peak / 1e9:.1f} GB of memory"
        if outcome in ("read", "refused"):
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        connection.send((number, "done", outcome))
        if peak > BYTES:
            return
    connection.send((-1, "finished", ""))


def peak_memory() -> int:
    """Return the most bytes of memory that this process has held."""
    status = Path("/proc/self/status")
    if status.exists():  # on Linux, ru_maxrss begins with the memory of the process that started this one
        return 1024 * int(status.read_text().split("VmHWM:")[1].split()[0])
    import resource  # not on Windows

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def fuzz(
    n: int, seed: int, folder: str, write: Callable[[Path], list[str]] = write_examples
) -> tuple[dict[str, int], list[str]]:
    """Return how many files were read and refused, and the failures."""
    (Path(folder) / "examples").mkdir()
    write(Path(folder) / "examples")
    context = multiprocessing.get_context("spawn")
    numbers, counts, failures = list(range(n)), {"read": 0, "refused": 0}, []
    while numbers:
        ours, theirs = context.Pipe()
        process = context.Process(target=read_all, args=(folder, numbers, seed, theirs))
        process.start()
        theirs.close()
        current, name, patience = numbers[0], "", 300  # until it has imported and compiled everything
        while True:
            try:
                number, event, text = ours.recv() if ours.poll(patience) else (current, "done", "hangs")
            except EOFError:
                number, event, text = current, "done", "crashes"
            patience = 2 * SECONDS  # as other programs may be busy
            if event == "begun":
                current, name = number, text
            elif event == "done":
                numbers = [one for one in numbers if one > number]
                if text in counts:
                    counts[text] += 1
                else:
                    failures.append(f"{name}: {text}")
                if text in ("hangs", "crashes") or "GB of memory" in text:
                    break
            else:
                numbers = []
                break
        process.kill()
        process.join()
    return counts, failures


if __name__ == "__main__":
    kept = tempfile.mkdtemp(prefix="fuzz-")
    wanted, seed = int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 0
    write = write_classifiers if sys.argv[3:] == [".cl"] else write_examples
    counts, failures = fuzz(wanted, seed, kept, write)
    print(counts, *failures, f"{len(failures)} failures; files in {kept}", sep="\n")
    sys.exit(bool(failures))
