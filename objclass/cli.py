"""The command line: ``objclass demo``, ``run``, ``rerun``, ``info`` … and those for experiments."""

from __future__ import annotations

import argparse
import dataclasses
import io
import logging
import sys
import traceback
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from objclass import __version__
from objclass._common.checks import ObjclassError

if TYPE_CHECKING:
    from objclass.workflows.run import Run
if TYPE_CHECKING:
    import pandas as pd


ERROR, STOPPED, DIFFERENT = 2, 130, 1


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code: 0, 1 if a result differs or failed, 2 after an error."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a console may know no × and no µ
    options = _parser().parse_args(arguments)
    from objclass._common.compiling import telling

    logging.basicConfig(format="objclass: %(message)s", level=logging.WARNING)
    warnings.showwarning = _show_warning  # type: ignore[assignment]
    try:
        with telling(_say_compiling):
            return options.command(options) or 0
    except KeyboardInterrupt:
        print("\nobjclass: stopped", file=sys.stderr)
        return STOPPED
    except Exception as error:
        expected = isinstance(error, (ObjclassError, OSError, ImportError, MemoryError))
        if options.debug or not expected:
            traceback.print_exc()
        text = " ".join(str(error).split()) or type(error).__name__
        print(f"objclass: error: {text if expected else f'a defect of objclass: {text}'}", file=sys.stderr)
        return ERROR


def _say_compiling() -> None:
    print("objclass: compiling what is used for the first time; it is kept for later runs", file=sys.stderr)


def _show_warning(message: Warning | str, *_: Any) -> None:
    print(f"objclass: warning: {' '.join(str(message).split())}", file=sys.stderr)


class _HelpWithDefaults(argparse.ArgumentDefaultsHelpFormatter):
    def _get_help_string(self, action: argparse.Action) -> str | None:
        return super()._get_help_string(action) if action.default else action.help


def _parser() -> argparse.ArgumentParser:
    from objclass.workflows.demo import SHAPE

    parser = argparse.ArgumentParser(
        prog="objclass",
        description="Paint a few strokes, get objects, measure them, see which kinds there are.",
    )
    parser.add_argument("--version", action="version", version=f"objclass {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def add(
        name: str, command: Callable[[argparse.Namespace], int | None], text: str
    ) -> argparse.ArgumentParser:
        added = commands.add_parser(name, help=text, description=text, formatter_class=_HelpWithDefaults)
        added.set_defaults(command=command)
        added.add_argument("--debug", action="store_true", help="show where an error came from")
        return added

    demo = add("demo", _demo, "go the whole path on a made-up embryo, and compare with the truth")
    demo.add_argument("--out", metavar="DIR", default="objclass-demo", help="the folder to write to")
    demo.add_argument("--size", metavar="N", nargs=3, type=int, default=SHAPE, help="planes, rows, columns")
    _add_overwrite(demo)
    _add_seed(demo)

    run = add("run", _run, "go the whole path on an image")
    _add_run_arguments(run)

    rerun = add(
        "rerun", _rerun, "repeat a run and say whether the result is identical (else the exit code is 1)"
    )
    rerun.add_argument("record", metavar="RUN", help="the run.json of a run, or its folder")
    rerun.add_argument("--out", metavar="DIR", help="keep the results of the repetition here")
    _add_overwrite(rerun)

    add_commands(add)
    add("warmup", _warmup, "compile everything now, so that no first call has to wait for it")
    add("info", _info, "say which versions, threads and engines there are")
    return parser


def _add_run_arguments(run: argparse.ArgumentParser) -> None:
    from objclass.tables import clustering, reduction
    from objclass.workflows.run import Parameters

    run.set_defaults(**{field.name: field.default for field in dataclasses.fields(Parameters)})
    run.add_argument("image", metavar="IMAGE", help="TIFF, OME-TIFF, OME-Zarr, PNG or NPY")
    source = run.add_mutually_exclusive_group(required=True)
    source.add_argument(
        "--annotations", metavar="A.tif", help="strokes: 1 background, 2 objects, 0 elsewhere"
    )
    source.add_argument("--classifier", metavar="C.cl", help="a classifier trained before")
    run.add_argument("--out", metavar="DIR", required=True, help="the folder to write to")
    _add_overwrite(run)
    run.add_argument("--axes", help="the axes of the image, as zcyx, where the file does not name them")
    run.add_argument("--frame", metavar="N", type=int, help="the time point of a time series")
    run.add_argument(
        "--spacing", metavar="S", nargs="+", type=float, help="voxel size, where the file has none"
    )
    run.add_argument("--features", help="a predefined set, or name=number …")
    run.add_argument("--positive-class", metavar="N", type=int, help="the class of objects")
    run.add_argument("--max-depth", metavar="N", type=int, help="of the trees")
    run.add_argument("--n-estimators", metavar="N", type=int, help="number of trees")
    run.add_argument("--engine", help="who computes: auto, cpu or opencl")
    run.add_argument("--split", action="store_true", help="cut touching objects apart")
    run.add_argument("--min-size", metavar="N", type=int, help="smallest object, in voxels")
    run.add_argument("--reduce", choices=reduction.METHODS, help="how to embed")
    run.add_argument("--cluster", choices=clustering.METHODS, help="how to group")
    run.add_argument("--n-clusters", metavar="N", type=int, help="number of groups")
    _add_seed(run)


def _add_overwrite(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--overwrite", action="store_true", help="replace the results of another run in DIR")


def _add_seed(parser: argparse.ArgumentParser) -> None:
    names = ("--random-state", "--seed")
    parser.add_argument(*names, metavar="N", type=int, default=0, help="the seed of all that is random")


def _demo(options: argparse.Namespace) -> None:
    from objclass.workflows.demo import run_demo
    from objclass.workflows.run import Parameters

    shape, folder = tuple(options.size), Path(options.out)
    print(f"objclass demo: a made-up embryo of {' × '.join(map(str, shape))} voxels", flush=True)
    parameters = Parameters(random_state=options.random_state)
    run = run_demo(
        folder, shape=shape, parameters=parameters, overwrite=options.overwrite, report=_report_stage
    )
    print()
    for number, count in enumerate(run.found["rounds"], 1):
        print(f"Objects after round {number}: {count:,}.")
    print(f"True nuclei recovered: {run.found['recovered']:.1%} of {run.found['true']:,}.")
    if "adjusted_rand_index" in run.found:
        print(f"Groups against true kinds, adjusted Rand index: {run.found['adjusted_rand_index']:.3f}.")
    _print_summary(run, folder)


def _run(options: argparse.Namespace) -> None:
    from objclass.workflows.run import Parameters, run_image

    names = [field.name for field in dataclasses.fields(Parameters)]
    parameters = Parameters(**{name: getattr(options, name) for name in names})
    folder = Path(options.out)
    print(f"objclass run: {options.image}", flush=True)
    run = run_image(
        options.image,
        folder,
        annotations=options.annotations,
        classifier=options.classifier,
        parameters=parameters,
        overwrite=options.overwrite,
        report=_report_stage,
    )
    _print_summary(run, folder)


def _rerun(options: argparse.Namespace) -> int:
    from objclass.workflows.rerun import repeat_run

    print(f"objclass rerun: {options.record}", flush=True)
    repetition = repeat_run(options.record, options.out, overwrite=options.overwrite, report=_report_stage)
    print()
    for name, verdict in repetition.verdicts.items():
        print(f"  {name:<20} {verdict}")
    for change in repetition.changed_versions:
        print(f"  {change}")
    print("The result is identical." if repetition.is_identical else "The result is NOT identical.")
    return 0 if repetition.is_identical else DIFFERENT


def _warmup(_: argparse.Namespace) -> None:
    from objclass.workflows.compilation import warmup

    print("objclass warmup: this takes a minute or two, once", flush=True)
    warmup()
    print("Everything is compiled.")


def _info(_: argparse.Namespace) -> None:
    from objclass._common.parallel import n_threads
    from objclass.pixels.prediction import choose_engine
    from objclass.workflows.record import versions

    for name, version in versions().items():
        print(f"{name:<24} {version}")
    print(f"{'threads':<24} {n_threads()}")
    print(f"{'engine':<24} {choose_engine()}")


def _report_stage(stage: str, seconds: float | None, text: str) -> None:
    if seconds is not None:
        print(f"  {stage:<11}{seconds:6.1f} s  {text}", flush=True)
    elif sys.stdout.isatty():
        print(f"  {stage} …", end="\r", flush=True)


def _print_summary(run: Run, folder: Path) -> None:
    from objclass.workflows.record import RECORD

    print()
    for line in [*run.summary(), *(f"Note: {note}" for note in run.notes)]:
        print(line)
    print(f"The results are in {folder.resolve()}:")
    for name, text in {
        **run.outputs,
        RECORD: f"all it takes to repeat this: objclass rerun {folder}",
    }.items():
        print(f"  {name:<20} {text}")


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
    _add_reading(batch, "each image of a file by default", "each time point by default")
    batch.add_argument("--engine", default="cpu", help="compute engine: cpu, opencl or auto")
    batch.add_argument(
        "--verify", action="store_true", help="compare all earlier results with their checksums"
    )
    where = batch.add_mutually_exclusive_group()
    where.add_argument("--workers", metavar="N", type=int, help="so many images at a time, each in a process")
    where.add_argument("--scheduler", metavar="tcp://…", help="the address of a dask scheduler")

    train = add("train", _train, "train a classifier on several images")
    _add_strokes(train)
    train.add_argument("--out", metavar="C.cl", required=True, help="the file to write")
    train.add_argument("--features", help="a predefined set, or name=number …")
    train.add_argument("--preset", choices=["default", "apoc"], help="the recipe; apoc is that of APOC")
    train.add_argument("--positive-class", metavar="N", type=int, default=2, help="the class of objects")
    train.add_argument("--max-depth", metavar="N", type=int, help="of the trees")
    train.add_argument("--n-estimators", metavar="N", type=int, default=100, help="number of trees")
    train.add_argument("--random-state", "--seed", metavar="N", type=int, default=0, help="the seed")

    evaluate = add("evaluate", _evaluate, "cross-validate a classifier's parameters by image")
    _add_strokes(evaluate)
    evaluate.add_argument("--classifier", metavar="C.cl", required=True, help="the classifier")
    evaluate.add_argument("--labels", metavar="L.tif", nargs="+", help="the true objects of each image")
    evaluate.add_argument("--n-folds", metavar="N", type=int, help="by default as many as there are images")
    evaluate.add_argument("--min-size", metavar="N", type=int, default=20, help="smallest object, in voxels")


def _add_reading(parser: argparse.ArgumentParser, series: str, frame: str) -> None:
    parser.add_argument("--axes", help="the axes of the images, as zcyx, where files do not name them")
    parser.add_argument(
        "--series", metavar="N", type=int, help=f"the image of a file that holds several: {series}"
    )
    parser.add_argument("--frame", metavar="N", type=int, help=f"which time point of a time series; {frame}")
    text = "the channels to segment on, by number or name; all are measured"
    parser.add_argument("--channel", metavar="C", nargs="+", help=text)
    text = "voxel size in micrometres, whatever the file says"
    parser.add_argument("--spacing", metavar="S", nargs="+", type=float, help=text)
    text = "voxel size in micrometres of files that do not say it"
    parser.add_argument("--default-spacing", metavar="S", nargs="+", type=float, help=text)


def _numbers(given: list[float] | None) -> float | tuple[float, ...] | None:
    """Return a voxel size as functions take it: one number stands for all axes."""
    return None if given is None else given[0] if len(given) == 1 else tuple(given)


def _add_strokes(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("images", metavar="IMAGE", nargs="+", help="the images")
    text = "strokes on each image, in the same order: 1 background, 2 objects, 0 elsewhere"
    parser.add_argument("--annotations", metavar="A.tif", nargs="+", required=True, help=text)
    parser.add_argument("--axes", help="the axes of the images, as zcyx, where files do not name them")


def _batch(options: argparse.Namespace) -> int:
    from objclass.workflows.batch import segment_folder

    names = (
        "measure",
        "min_size",
        "split",
        "axes",
        "series",
        "frame",
        "channel",
        "engine",
        "verify",
    )
    print(f"objclass batch: {' '.join(options.inputs)}", flush=True)
    batch = segment_folder(
        options.inputs,
        options.classifier,
        options.out,
        spacing=_numbers(options.spacing),
        default_spacing=_numbers(options.default_spacing),
        n_workers=options.workers,
        scheduler=options.scheduler,
        **{name: getattr(options, name) for name in names},
    )
    before = f", {batch.n_done_before:,} of them before" if batch.n_done_before else ""
    print(f"{batch.n_images:,} images are done{before}: {batch.n_objects:,} objects.")
    for title, reason in batch.failed.items():
        print(f"objclass: failed: {title}: {reason}", file=sys.stderr)
    print(f"The results are in {batch.folder}.")
    return FAILED if batch.failed else 0


def _read(options: argparse.Namespace) -> tuple[list[Any], list[Any]]:
    from objclass._common.checks import invalid
    from objclass.io.images import read_annotations, read_as

    if len(options.annotations) != len(options.images):
        got = f"{len(options.annotations)}"
        raise invalid("annotations", f"as many files as there are images, {len(options.images)}", got)
    annotations = [read_annotations(path) for path in options.annotations]
    images = [
        read_as(path, strokes.ndim, "the scribbles", axes=options.axes)[0]
        for path, strokes in zip(options.images, annotations, strict=True)
    ]
    return images, annotations


def _train(options: argparse.Namespace) -> None:
    from objclass.pixels.classifier import train_object_classifier

    images, annotations = _read(options)
    names = ("features", "preset", "positive_class", "max_depth", "n_estimators", "random_state")
    parameters = {name: getattr(options, name) for name in names}
    print(train_object_classifier(images, annotations, path=options.out, **parameters))


def _evaluate(options: argparse.Namespace) -> None:
    from objclass.io.images import imread
    from objclass.pixels.classifier import load_classifier
    from objclass.workflows.cross_validation import evaluate

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
