"""The command line interface."""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import functools
import io
import logging
import os
import re
import sys
import traceback
import warnings
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from objclass import __version__

if TYPE_CHECKING:
    import pandas as pd

    from objclass.pixels.classifier import ObjectClassifier
    from objclass.workflows.evaluation import Evaluation
    from objclass.workflows.reading import Picture, Reading
    from objclass.workflows.run import Run

ERROR, STOPPED, DIFFERENT, FAILED = 2, 130, 1, 1
_LINE = 50  # columns of a line that covers another


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code: 0, 1 if a result differs or an image failed, 2 for an error."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # the encoding of the console may lack × and µ
    given = list(sys.argv[1:] if arguments is None else arguments)
    options = _parser(next((each for each in given if each in COMMANDS), "")).parse_args(given)
    from objclass._common.compiling import notify_compiling

    logging.basicConfig(format="objclass: %(message)s", level=logging.WARNING)
    warnings.showwarning = functools.partial(_show_warning, options)
    try:
        when: dict[str, float] = {"after": 1, "every": 0.5} if sys.stderr.isatty() else {"after": 3}
        with notify_compiling(_say_compiling, **when):
            return options.command(options) or 0
    except KeyboardInterrupt:
        print("\nobjclass: stopped", file=sys.stderr)
        return STOPPED
    except Exception as error:
        from objclass._common.checks import ObjclassError

        expected = isinstance(error, (ObjclassError, OSError, ImportError, MemoryError))
        if options.debug or not expected:
            traceback.print_exc()
        text = " ".join(str(error).split()) or type(error).__name__
        if isinstance(error, OSError) and not isinstance(error, ObjclassError) and error.filename:
            text = _of_argument(error, options)
        text = _with_files(text, options) if expected else f"internal error: {text}"
        print(f"objclass: error: {text}", file=sys.stderr)
        return ERROR


def _of_argument(error: OSError, options: argparse.Namespace) -> str:
    """Return the message of an error of the system about a path, with the argument that gave the path."""
    from objclass._common.checks import invalid

    path = Path(os.path.abspath(os.fsdecode(error.filename)))
    given = [
        (name, Path(os.path.abspath(text)))
        for name, value in vars(options).items()
        for text in (value if isinstance(value, list) else [value])
        if text and isinstance(text, str)
    ]
    above = [(len(place.parts), name) for name, place in given if path.is_relative_to(place)]
    argument = max(above)[1] if above else "path"
    hint = "Check its name and permissions, and the space on the disk."
    return str(invalid(argument, "a path that can be used", f"{path} ({error.strerror})", hint))


def _say_compiling(seconds: float) -> None:
    """Show that objclass compiles: on a terminal in a line that moves until the next one is written."""
    if sys.stderr.isatty():
        text = f"  compiling functions on first use … {seconds:.0f} s"
        print(f"\r{text:{_LINE}}", end="", file=sys.stderr, flush=True)
    else:
        text = "objclass: compiling functions on first use; the result is cached for later runs"
        print(text, file=sys.stderr)


def _show_warning(options: argparse.Namespace, message: Warning | str, *_: Any) -> None:
    print(f"objclass: warning: {_with_files(' '.join(str(message).split()), options)}", file=sys.stderr)


def _with_files(text: str, options: argparse.Namespace) -> str:
    """Return a message with the names of files in the place of ``image[1]``, as the functions call them."""
    for argument, name in (("image", "images"), ("annotations", "annotations"), ("labels", "labels")):
        paths = getattr(options, name, None)
        if isinstance(paths, list):
            files = {f"{argument}[{number}]": f"{argument} {path}" for number, path in enumerate(paths)}
            text = re.sub(rf"\b{argument}\[\d+\]", lambda found: files.get(found[0], found[0]), text)  # noqa: B023
    return text


class _HelpWithDefaults(argparse.ArgumentDefaultsHelpFormatter):
    def _get_help_string(self, action: argparse.Action) -> str | None:
        return super()._get_help_string(action) if action.default else action.help


def _parser(command: str = "") -> argparse.ArgumentParser:
    """Return the parser with the options of `command` only, since their choices are slow to import."""
    parser = argparse.ArgumentParser(
        prog="objclass",
        description="Annotate an image with a few scribbles, segment its objects, measure and cluster them.",
    )
    parser.add_argument("--version", action="version", version=f"objclass {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for name, (function, add_arguments, text) in COMMANDS.items():
        added = commands.add_parser(name, help=text, description=text, formatter_class=_HelpWithDefaults)
        added.set_defaults(command=function)
        added.add_argument("--debug", action="store_true", help="show the traceback of an error")
        if name == command:
            add_arguments(added)
    return parser


def _add_demo(parser: argparse.ArgumentParser) -> None:
    from objclass.workflows.demo import SHAPE

    parser.add_argument("--out", metavar="DIR", default="objclass-demo", help="the output folder")
    parser.add_argument("--size", metavar="N", nargs=3, type=int, default=SHAPE, help="planes, rows, columns")
    _add_overwrite(parser)
    _add_seed(parser)


def _add_run(parser: argparse.ArgumentParser) -> None:
    from objclass.tables import clustering, reduction

    parser.add_argument("image", metavar="IMAGE", help="TIFF, OME-TIFF, OME-Zarr, PNG, JPEG or NPY")
    source = parser.add_mutually_exclusive_group(required=True)
    text = "scribbles: 1 background, 2 objects, 0 elsewhere"
    source.add_argument("--annotations", metavar="A.tif", help=text)
    source.add_argument("--classifier", metavar="C.cl", help="a trained classifier")
    _add_object_classifier(parser)
    text = "manual corrections of the objects: the file of an explorer (save_to), or a list in JSON"
    parser.add_argument("--edits", metavar="EDITS.json", help=text)
    parser.add_argument("--out", metavar="DIR", required=True, help="the folder to write to")
    _add_overwrite(parser)
    _add_reading(parser)
    _add_training(parser)
    _add_segmentation(parser)
    _add_exclusion(parser)
    parser.add_argument(
        "--reduce", choices=reduction.METHODS, default="umap", help="method of dimensionality reduction"
    )
    parser.add_argument(
        "--cluster", choices=clustering.METHODS, default="kmeans", help="method of clustering"
    )
    text = "number of clusters, 3 by default; hdbscan, leiden and meanshift determine it"
    parser.add_argument("--n-clusters", metavar="N", type=int, help=text)
    _add_seed(parser)


def _add_rerun(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("record", metavar="RUN", help="the run.json of a run, or its folder")
    parser.add_argument("--out", metavar="DIR", help="keep the results of the repetition here")
    _add_overwrite(parser)


def _add_batch(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("inputs", metavar="INPUT", nargs="+", help="images, folders of them, or patterns")
    parser.add_argument("--classifier", metavar="C.cl", required=True, help="the classifier")
    _add_object_classifier(parser)
    parser.add_argument("--out", metavar="DIR", required=True, help="the folder to write to")
    switch = argparse.BooleanOptionalAction
    parser.add_argument("--measure", action=switch, default=True, help="measure the objects")
    _add_reading(parser, several="all by default")
    _add_segmentation(parser)
    _add_exclusion(parser)
    parser.add_argument("--verify", action="store_true", help="verify the checksums of all earlier results")
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--workers", metavar="N", type=int, help="number of images to process in parallel")
    where.add_argument("--scheduler", metavar="tcp://…", help="the address of a dask scheduler")


def _add_object_classifier(parser: argparse.ArgumentParser) -> None:
    text = "a trained classifier of objects, which adds the class of each"
    parser.add_argument("--object-classifier", metavar="CLASSES.json", help=text)


def _add_train(parser: argparse.ArgumentParser) -> None:
    _add_annotated(parser)
    parser.add_argument("--out", metavar="C.cl", required=True, help="the output file")
    _add_training(parser)
    text = "the class of the objects; 2 by default"
    parser.add_argument("--positive-class", metavar="N", type=int, help=text)
    _add_seed(parser)


def _add_evaluate(parser: argparse.ArgumentParser) -> None:
    _add_annotated(parser, required=False)
    _add_scoring(parser)


def _add_cross_validate(parser: argparse.ArgumentParser) -> None:
    _add_annotated(parser)
    _add_scoring(parser)
    parser.add_argument("--n-folds", metavar="N", type=int, help="number of folds; by default that of images")


def _add_scoring(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--classifier", metavar="C.cl", required=True, help="the classifier")
    parser.add_argument("--labels", metavar="L.tif", nargs="+", help="the true objects of each image")
    _add_segmentation(parser)


def _add_measure(parser: argparse.ArgumentParser) -> None:
    text = "label image of Cellpose, StarDist, Fiji, …: 0 background"
    parser.add_argument("labels", metavar="LABELS", help=text)
    parser.add_argument("image", metavar="IMAGE", nargs="?", help="the image, for intensities")
    parser.add_argument("--out", metavar="T.csv", required=True, help="the output table")
    _add_reading(parser, segments=False)


def _add_annotated(parser: argparse.ArgumentParser, *, required: bool = True) -> None:
    parser.add_argument("images", metavar="IMAGE", nargs="+", help="the images")
    text = "scribbles on each image, in the same order: 1 background, 2 objects, 0 elsewhere"
    parser.add_argument("--annotations", metavar="A.tif", nargs="+", required=required, help=text)
    _add_reading(parser)


def _add_reading(
    parser: argparse.ArgumentParser, *, several: str = "needed where there are several", segments: bool = True
) -> None:
    group = parser.add_argument_group("reading")
    group.add_argument("--axes", help="the axes of the images, as zcyx, where files do not name them")
    group.add_argument("--series", metavar="N", type=int, help=f"which image of a file; {several}")
    group.add_argument("--frame", metavar="N", type=int, help=f"which time point; {several}")
    if segments:
        text = "the channels to segment on, by number or name; all are measured"
        group.add_argument("--channel", metavar="C", nargs="+", help=text)
    text = "voxel size in micrometres, overrides that of the file"
    group.add_argument("--spacing", metavar="S", nargs="+", type=float, help=text)
    text = "voxel size in micrometres of files without one"
    group.add_argument("--default-spacing", metavar="S", nargs="+", type=float, help=text)


def _add_training(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("training", "not together with a classifier")
    group.add_argument("--features", help="a predefined set, or name=number …")
    group.add_argument("--preset", choices=["default", "apoc"], help="apoc: parameters and objects of APOC")
    group.add_argument("--max-depth", metavar="N", type=int, help="maximum depth of the trees")
    group.add_argument("--n-estimators", metavar="N", type=int, help="number of trees; 100 by default")
    text = "scale each image by its own percentiles, for images with different exposure"
    group.add_argument("--normalize", choices=["percentile"], help=text)
    text = "balanced: weigh each class by the inverse of its annotated pixels"
    group.add_argument("--class-weight", choices=["balanced"], help=text)
    text = "sigma in voxels along all axes, as in APOC, whatever the voxel size"
    group.add_argument("--isotropic", action="store_const", const=True, help=text)


def _add_segmentation(parser: argparse.ArgumentParser) -> None:
    from objclass.objects.segmentation import SPLITS

    group = parser.add_argument_group("objects", "by default as in the preset of the classifier")
    text = "the class or classes of the objects"
    group.add_argument("--positive-class", metavar="N", type=int, nargs="+", help=text)
    group.add_argument(
        "--smooth", metavar="S", type=float, help="sigma of the Gaussian filter of the probability, in voxels"
    )
    group.add_argument("--threshold", metavar="P", type=float, help="minimum probability of objects")
    text = "method to split touching objects; auto if given without a value"
    group.add_argument("--split", choices=SPLITS, nargs="?", const="auto", help=text)
    text = "minimum distance of the seeds of --split, in micrometres, or voxels without a voxel size"
    group.add_argument("--min-distance", metavar="D", type=float, help=text)
    switch = argparse.BooleanOptionalAction
    group.add_argument("--fill-holes", action=switch, default=None, help="fill holes of objects")
    text = "remove objects less certain than this fraction of the typical certainty"
    group.add_argument("--min-certainty", metavar="P", type=float, help=text)
    text = "remove smaller objects: voxels, or 4um3, 4um2, 10%% of the typical size"
    group.add_argument("--min-size", metavar="SIZE", type=_size, help=text)
    text = "apply a classifier of 2D images to each plane of a stack"
    group.add_argument("--planewise", action="store_true", help=text)
    text = "scale the filters to the voxel size of the image"
    group.add_argument("--match-spacing", action="store_true", help=text)
    text = "compute engine: cpu, opencl, or auto, which depends on the machine"
    group.add_argument("--engine", default="cpu", help=text)


def _add_exclusion(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("objects to remove")
    group.add_argument("--max-size", metavar="SIZE", type=_size, help="remove larger objects, as --min-size")
    text = "remove objects that touch the border of the image"
    group.add_argument("--exclude-border", action="store_true", help=text)


def _add_overwrite(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--overwrite", action="store_true", help="replace the results of another run in DIR")


def _add_seed(parser: argparse.ArgumentParser) -> None:
    names = ("--random-state", "--seed")
    parser.add_argument(*names, metavar="N", type=int, default=0, help="the seed of all random steps")


def _size(text: str) -> int | float | str:
    """Parse a size: a number of voxels, or text with a unit."""
    for kind in (int, float):
        with contextlib.suppress(ValueError):
            return kind(text)
    return text


def _parameters(options: argparse.Namespace, names: Iterable[str]) -> dict[str, Any]:
    """Return the given parameters that the command supports; a list of values only if there are several."""
    given = {name: getattr(options, name) for name in names if hasattr(options, name)}
    for name, value in given.items():
        if isinstance(value, list):
            given[name] = value[0] if len(value) == 1 else tuple(value)
    return given


def _reading(options: argparse.Namespace) -> Reading:
    from objclass.workflows.reading import Reading

    return Reading(**_parameters(options, [field.name for field in dataclasses.fields(Reading)]))


def _demo(options: argparse.Namespace) -> None:
    from objclass.workflows.demo import run_demo
    from objclass.workflows.parameters import Parameters

    shape, folder = tuple(options.size), Path(options.out)
    print(f"objclass demo: a synthetic embryo of {' × '.join(map(str, shape))} voxels", flush=True)
    parameters = Parameters(random_state=options.random_state)
    run = run_demo(
        folder, shape=shape, parameters=parameters, overwrite=options.overwrite, report=_report_stage
    )
    print()
    for number, count in enumerate(run.found["rounds"], 1):
        print(f"Objects after round {number}: {count:,}.")
    print(f"True nuclei recovered: {run.found['recovered']:.1%} of {run.found['true']:,}.")
    if "adjusted_rand_index" in run.found:
        print(f"Adjusted Rand index of clusters and true classes: {run.found['adjusted_rand_index']:.3f}.")
    _print_summary(run, folder)


def _run(options: argparse.Namespace) -> None:
    from objclass.workflows.corrections import read_edits
    from objclass.workflows.parameters import TRAINING, Parameters
    from objclass.workflows.run import run_image

    if options.classifier is not None:
        _refuse_training([name for name in TRAINING if getattr(options, name, None) is not None])
    folder = Path(options.out)
    edits, edited = ([], "") if options.edits is None else read_edits(options.edits)
    print(f"objclass run: {options.image}", flush=True)
    run = run_image(
        options.image,
        folder,
        annotations=options.annotations,
        classifier=options.classifier,
        object_classifier=options.object_classifier,
        edits=edits,
        edited=edited,
        parameters=Parameters.of(**_parameters(options, Parameters.names())),
        overwrite=options.overwrite,
        report=_report_stage,
    )
    _print_summary(run, folder)


def _refuse_training(names: Sequence[str]) -> None:
    """Raise if options are given that have no effect."""
    from objclass._common.checks import invalid

    if names:
        options = ", ".join(f"--{name.replace('_', '-')}" for name in names)
        expected = "no training parameters together with a classifier, which is trained already"
        raise invalid(options, expected, "them", "Omit them.")


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
        line = f"  {stage:<11}{seconds:6.1f} s  {text}"
        print(f"\r{line:{_LINE}}" if sys.stdout.isatty() else line, flush=True)
    elif sys.stdout.isatty():
        line = f"  {stage} …"
        print(f"{line:{_LINE}}", end="\r", flush=True)


def _print_summary(run: Run, folder: Path) -> None:
    from objclass.workflows.record import RECORD

    print()
    for line in [*run.summary(), *(f"Note: {note}" for note in run.notes)]:
        print(line)
    print(f"The results are in {folder.resolve()}:")
    for name, text in {
        **run.outputs,
        RECORD: f"the record, to repeat the run: objclass rerun {folder}",
    }.items():
        print(f"  {name:<20} {text}")


def _batch(options: argparse.Namespace) -> int:
    from objclass.workflows.batch import segment_folder
    from objclass.workflows.parameters import ObjectParameters

    print(f"objclass batch: {' '.join(options.inputs)}", flush=True)
    batch = segment_folder(
        options.inputs,
        options.classifier,
        options.out,
        object_classifier=options.object_classifier,
        measure=options.measure,
        verify=options.verify,
        n_workers=options.workers,
        scheduler=options.scheduler,
        **_parameters(options, ObjectParameters.names()),
    )
    before = f", {batch.n_done_before:,} of them before" if batch.n_done_before else ""
    print(f"{batch.n_images:,} images are done{before}: {batch.n_objects:,} objects.")
    for title, reason in batch.failed.items():
        print(f"objclass: failed: {title}: {reason}", file=sys.stderr)
    print(f"The results are in {batch.folder}.")
    return FAILED if batch.failed else 0


def _read(
    options: argparse.Namespace, classifier: ObjectClassifier | None = None
) -> tuple[list[Picture], list[Any] | None]:
    """Return the images and their scribbles, if there are any; channels in the order of the classifier."""
    from objclass._common.checks import invalid
    from objclass.io.images import read_annotations
    from objclass.workflows.reading import warn_of_order

    n_images, paths = len(options.images), options.annotations
    if paths is not None and len(paths) != n_images:
        raise invalid("annotations", f"as many files as there are images, {n_images}", f"{len(paths)}")
    for argument in ("annotations", "labels"):
        others = getattr(options, argument, None)
        if others is not None and len(others) == n_images:
            warn_of_order(options.images, others, argument=argument)
    reading = _reading(options)
    annotations = None if paths is None else [read_annotations(path, reading.frame) for path in paths]
    if classifier is not None:
        fits = [(3 if options.planewise else classifier.ndim, "the classifier")] * n_images
    else:
        fits = [(scribbles.ndim, "the scribbles") for scribbles in annotations or []]
    order = () if classifier is None else classifier.channel_names
    pictures: list[Picture] = []
    for path, fit in zip(options.images, fits, strict=True):
        pictures.append(reading.read(path, *fit, channel_names=order))
        order = order or pictures[0].channel_names
    return pictures, annotations


def _train(options: argparse.Namespace) -> None:
    import numpy as np

    from objclass._common.files import check_output
    from objclass.workflows.parameters import Parameters

    check_output(options.out, ".cl", inputs=[*options.images, *options.annotations])
    pictures, annotations = _read(options)
    assert annotations is not None
    parameters = Parameters.of(**_parameters(options, Parameters.names()))
    classifier = parameters.train(pictures, annotations)
    classifier.save(options.out)
    print("Annotated pixels:")
    for path, scribbles in zip(options.images, annotations, strict=True):
        found = zip(*np.unique(scribbles[scribbles > 0], return_counts=True), strict=True)
        shown = ", ".join(f"{count:,} of class {number:.0f}" for number, count in found)
        print(f"  {path}: {shown or 'none'}")
    print(classifier)


def _measure(options: argparse.Namespace) -> None:
    from objclass._common.files import check_output
    from objclass.tables.files import write_table
    from objclass.workflows.reading import measure_files

    reading = _reading(options)
    check_output(options.out, ".csv", inputs=[options.labels, *filter(None, [options.image])])
    table = measure_files(options.labels, options.image, reading)
    write_table(table, options.out)
    print(f"{len(table):,} objects, lengths in {table.attrs['unit']}, are in {options.out}.")


def _evaluate(options: argparse.Namespace) -> None:
    from objclass.workflows.evaluation import evaluate

    _score(options, evaluate, f"of {options.classifier}")


def _cross_validate(options: argparse.Namespace) -> None:
    from objclass.workflows.evaluation import cross_validate_images

    title = "of classifiers trained on the other images"
    _score(options, cross_validate_images, title, n_folds=options.n_folds)


def _score(options: argparse.Namespace, function: Callable[..., Evaluation], whose: str, **more: Any) -> None:
    from objclass.io.labels import read_labels
    from objclass.objects.segmentation import SegmentationOptions
    from objclass.pixels.classifier import load_classifier
    from objclass.workflows.reading import common_spacing

    classifier = load_classifier(options.classifier)
    pictures, annotations = _read(options, classifier)
    names = [field.name for field in dataclasses.fields(SegmentationOptions)]
    result = function(
        classifier,
        [picture.segmented for picture in pictures],
        annotations,
        labels=None if options.labels is None else [read_labels(path) for path in options.labels],
        spacing=common_spacing(pictures),
        **_parameters(options, [*names, "engine"]),
        **more,
    )
    for title, table in (("Annotated pixels", result.pixels), ("Objects", result.objects)):
        if table is not None:
            print(f"{title}, {whose}:\n{_named(table, options.images)}\n")


def _named(table: pd.DataFrame, images: list[str]) -> str:
    names = [*images, "all"]
    named = table.assign(image=[names[at] for at in table["image"]])
    return named.to_string(index=False, float_format="{:.3f}".format)


COMMANDS: dict[str, tuple[Callable[[argparse.Namespace], int | None], Callable[..., None], str]] = {
    "demo": (_demo, _add_demo, "run the full pipeline on a synthetic embryo with ground truth"),
    "run": (_run, _add_run, "run the full pipeline on an image"),
    "rerun": (
        _rerun,
        _add_rerun,
        "repeat a run and compare (exit code 1 if the result is not identical)",
    ),
    "batch": (_batch, _add_batch, "segment and measure many images; resumes if interrupted"),
    "measure": (_measure, _add_measure, "measure the objects of a label image from any program"),
    "train": (_train, _add_train, "train a classifier on several images"),
    "evaluate": (_evaluate, _add_evaluate, "score a classifier on annotated pixels and true objects"),
    "cross-validate": (
        _cross_validate,
        _add_cross_validate,
        "score a classifier's features and parameters by leave-one-image-out cross-validation",
    ),
    "warmup": (_warmup, lambda parser: None, "compile all functions ahead of their first use"),
    "info": (_info, lambda parser: None, "print versions, threads and the compute engine"),
}
"""The function, the options and the help of each command."""
