"""The commands for whole experiments: ``objclass batch``, ``train`` and ``evaluate``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

Add = Callable[[str, Callable[[argparse.Namespace], int | None], str], argparse.ArgumentParser]
FAILED = 1


def add_commands(add: Add) -> None:
    """Add the commands, with `add` that makes the parser of one."""
    batch = add("batch", _batch, "segment and measure many images; goes on where it was stopped")
    batch.add_argument("inputs", metavar="INPUT", nargs="+", help="images, folders of them, or patterns")
    batch.add_argument("--classifier", metavar="C.cl", required=True, help="the classifier")
    batch.add_argument("--out", metavar="DIR", required=True, help="the folder to write to")
    switch = argparse.BooleanOptionalAction
    batch.add_argument("--measure", action=switch, default=True, help="measure the objects")
    batch.add_argument("--min-size", metavar="N", type=int, default=20, help="smallest object, in voxels")
    batch.add_argument("--split", action="store_true", help="cut touching objects apart")
    batch.add_argument("--axes", help="the axes of the images, as zcyx, where files do not name them")
    text = "voxel size, where files have none"
    batch.add_argument("--spacing", metavar="S", nargs="+", type=float, help=text)
    batch.add_argument("--engine", default="auto", help="who computes: auto, cpu or opencl")
    where = batch.add_mutually_exclusive_group()
    where.add_argument("--workers", metavar="N", type=int, help="so many images at a time, each in a process")
    where.add_argument("--scheduler", metavar="tcp://…", help="the address of a dask scheduler")

    train = add("train", _train, "train a classifier on several images")
    _add_strokes(train)
    train.add_argument("--out", metavar="C.cl", required=True, help="the file to write")
    default = "object_size_1_to_5_px"
    train.add_argument("--features", default=default, help="a predefined set, or name=number …")
    train.add_argument("--positive-class", metavar="N", type=int, default=2, help="the class of objects")
    train.add_argument("--max-depth", metavar="N", type=int, default=2, help="of the trees")
    train.add_argument("--n-estimators", metavar="N", type=int, default=100, help="number of trees")
    train.add_argument("--random-state", "--seed", metavar="N", type=int, default=0, help="the seed")

    evaluate = add("evaluate", _evaluate, "cross-validate a classifier's parameters by image")
    _add_strokes(evaluate)
    evaluate.add_argument("--classifier", metavar="C.cl", required=True, help="the classifier")
    evaluate.add_argument("--labels", metavar="L.tif", nargs="+", help="the true objects of each image")
    evaluate.add_argument("--n-folds", metavar="N", type=int, help="by default as many as there are images")
    evaluate.add_argument("--min-size", metavar="N", type=int, default=20, help="smallest object, in voxels")


def _add_strokes(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("images", metavar="IMAGE", nargs="+", help="the images")
    text = "strokes on each image, in the same order: 1 background, 2 objects, 0 elsewhere"
    parser.add_argument("--annotations", metavar="A.tif", nargs="+", required=True, help=text)
    parser.add_argument("--axes", help="the axes of the images, as zcyx, where files do not name them")


def _batch(options: argparse.Namespace) -> int:
    from .batch import segment_folder

    names = ("measure", "min_size", "split", "axes", "engine", "scheduler")
    print(f"objclass batch: {' '.join(options.inputs)}", flush=True)
    batch = segment_folder(
        options.inputs,
        options.classifier,
        options.out,
        spacing=tuple(options.spacing) if options.spacing else None,
        n_workers=options.workers,
        **{name: getattr(options, name) for name in names},
    )
    before = f", {batch.n_done_before:,} of them before" if batch.n_done_before else ""
    print(f"{batch.n_images:,} images are done{before}: {batch.n_objects:,} objects.")
    for title, reason in batch.failed.items():
        print(f"objclass: failed: {title}: {reason}", file=sys.stderr)
    print(f"The results are in {batch.folder}.")
    return FAILED if batch.failed else 0


def _read(options: argparse.Namespace) -> tuple[list[Any], list[Any]]:
    from .io import imread

    images = [imread(path, axes=options.axes) for path in options.images]
    return images, [imread(path) for path in options.annotations]


def _train(options: argparse.Namespace) -> None:
    from .classifier import train_object_classifier

    images, annotations = _read(options)
    names = ("features", "positive_class", "max_depth", "n_estimators", "random_state")
    parameters = {name: getattr(options, name) for name in names}
    print(train_object_classifier(images, annotations, path=options.out, **parameters))


def _evaluate(options: argparse.Namespace) -> None:
    from .classifier import load_classifier
    from .evaluation import evaluate
    from .io import imread

    images, annotations = _read(options)
    truth = None if options.labels is None else [imread(path) for path in options.labels]
    names = {"n_folds": options.n_folds, "min_size": options.min_size}
    classifier = load_classifier(options.classifier)
    result = evaluate(classifier, images, annotations, labels=truth, **names)
    for title, table in (("Annotated pixels", result.pixels), ("Objects", result.objects)):
        if table is not None:
            print(f"{title} of images that the classifier has not seen:\n{_named(table, options.images)}\n")


def _named(table: pd.DataFrame, images: list[str]) -> str:
    names = [*images, "all"]
    named = table.assign(image=[names[at] for at in table["image"]])
    return named.to_string(index=False, float_format="{:.3f}".format)
