"""Batch segmentation of many images with one classifier, which can be resumed."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import json
import logging
import os
import tempfile
import time
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from objclass import __version__
from objclass._common.checks import ObjclassError, check_number, first_few, invalid
from objclass._common.files import AnyPath, remove_unfinished
from objclass._common.locking import locked
from objclass._common.progress import Progress, progress_bar
from objclass.workflows.batch_tables import COLUMNS, IMAGES, OBJECTS, PARQUET, ImageRow
from objclass.workflows.classes import count_classes, load_object_classifier, measure_objects
from objclass.workflows.inputs import (
    BATCH,
    CLASSIFIER,
    PARTS,
    Found,
    ImageFile,
    Item,
    describe_left_out,
    describe_planes,
    find_images,
    with_distinct_stems,
)
from objclass.workflows.open_files import OpenFiles
from objclass.workflows.output_folder import check_out, make_folder
from objclass.workflows.parameters import ObjectParameters
from objclass.workflows.reading import SYMBOL, UNIT, Picture, Reading, check_one_unit
from objclass.workflows.record import RECORD, checksum, read_sealed, write_record, write_sealed
from objclass.workflows.workers import Workers

if TYPE_CHECKING:
    import pandas as pd

    from objclass.io.opening import OpenFile
    from objclass.pixels.classifier import ObjectClassifier
    from objclass.tables.table_classifier import TableClassifier

_log = logging.getLogger(__name__)

CACHE = "cache.json"
_FORMAT = 2


@dataclass(frozen=True)
class Batch:
    """Result of a batch run.

    Attributes
    ----------
    folder : Path
        The folder of results: ``labels``, ``objects.csv``, ``images.csv`` and ``run.json``.
    n_images : int
        The number of completed images, series and time points.
    n_done_before : int
        The number of those that an earlier call completed.
    n_objects : int
        The total number of objects.
    failed : dict of str to str
        The failed images with the reason; the next call retries them.
    left_out : dict of str to int
        The number of ignored inputs by reason.
    stale : list of str
        The files in ``labels`` of images that are gone or failed, which no table contains.
    """

    folder: Path
    n_images: int
    n_done_before: int
    n_objects: int
    failed: dict[str, str]
    left_out: dict[str, int]
    stale: list[str]


@dataclass(frozen=True)
class Settings(ObjectParameters):
    """The parameters that determine the results of a batch, together with its classifier."""

    measure: bool = True


class CannotWriteError(OSError):
    """A result could not be written, for example on a full disk, which would affect all images."""


def segment_folder(
    inputs: AnyPath | Iterable[AnyPath],
    classifier: ObjectClassifier | AnyPath,
    out: AnyPath,
    *,
    object_classifier: AnyPath | None = None,
    measure: bool = True,
    verify: bool = False,
    n_workers: int | None = None,
    scheduler: str | None = None,
    progress: Progress = True,
    **parameters: Any,
) -> Batch:
    """Segment and measure many images; resume where an earlier call was interrupted.

    An image is complete when its labels and its rows of the table are written and recorded. If a call is
    killed, only the images in progress are lost. An image that cannot be read, or does not fit the
    classifier, is reported and does not stop the others. An image is identified by its path relative to the
    folder of the inputs, its series, its time point and its content; a modified image is processed again.

    Parameters
    ----------
    inputs : path, or list of paths
        Files, patterns such as ``data/*.tif``, folders (searched recursively), OME-Zarr images. Each series
        and each time point is a separate image. Files in `out`, results of earlier runs and batches, and
        hidden files are ignored.
    classifier : ObjectClassifier or path
        From `train_object_classifier`, or a .cl file.
    out : path
        The folder to write to; made if it is not there. It holds ``images.csv`` with a row for each image,
        also for those without objects, ``objects.csv`` with a row for each object, ``objects.columns.csv``
        with the unit and the definition of each measurement, and with pyarrow ``objects.parquet``.
    object_classifier : path, optional
        The .json file of a `TableClassifier`, which adds the class of each object and its probabilities to
        ``objects.csv``, and the number of objects of each class to ``images.csv``.
    measure : bool
        Whether to measure the objects.
    verify : bool
        Verify the checksums of all results of earlier calls, and recompute modified or damaged ones.
    n_workers : int, optional
        The number of images to process at a time, each in a separate process.
    scheduler : str, optional
        The address of a dask scheduler, as ``tcp://host:8786``. Its workers must access inputs and `out` by
        the same paths. Without it, and without `n_workers`, an existing `dask.distributed.Client` is used,
        otherwise this process with all its cores.
    progress : bool or callable
        Show a progress bar with the remaining time, or call ``progress(done, total)``.
    **parameters
        Of `segment`: ``positive_class``, ``smooth``, ``threshold``, ``split``, ``min_distance``,
        ``fill_holes``, ``min_certainty``, ``min_size``, ``engine``. Of `exclude_large` and `exclude_border`:
        ``max_size`` and ``exclude_border=True``. Of `imread`: ``axes``; ``series`` and ``frame`` to take only
        this image of each file and this time point. ``channel``, the channels to segment on, by number or
        name; all are measured. ``spacing``, the voxel size in micrometres whatever the files say, or
        ``default_spacing``, that of the files that do not say it.

    Returns
    -------
    Batch
        The numbers of images and objects, and the failed images.

    Raises
    ------
    FileNotFoundError, PermissionError
        If an input does not exist, or `out` is not writable.
    BlockingIOError
        If another batch is using `out`.
    ValueError
        If `out` contains results of another classifier, other parameters or images of another folder, since
        these are never mixed. If some images have a voxel size and others have none.
    OSError
        If a result cannot be written, as on a full disk. Completed images are kept; call again to resume.

    Examples
    --------
    >>> import tempfile, numpy as np, objclass
    >>> folder = tempfile.TemporaryDirectory()
    >>> image = np.zeros((32, 32), np.uint16)
    >>> image[4:12, 4:12] = 500
    >>> objclass.imwrite(f"{folder.name}/one.tif", image)
    >>> classifier = objclass.train_object_classifier(image, np.where(image > 0, 2, 1), n_estimators=5)
    >>> batch = segment_folder(f"{folder.name}/*.tif", classifier, f"{folder.name}/out")
    >>> batch.n_images, batch.n_objects, batch.failed
    (1, 1, {})
    >>> folder.cleanup()
    """
    from objclass.pixels.classifier import ObjectClassifier, load_classifier

    if n_workers is not None:
        check_number("n_workers", n_workers, low=1, integer=True)
        if scheduler is not None:
            raise invalid("scheduler", "either a scheduler or n_workers", "both")
    trained = classifier if isinstance(classifier, ObjectClassifier) else load_classifier(classifier)
    settings = Settings.of(measure=measure, **parameters).resolved(trained)
    if object_classifier is not None and not measure:
        raise invalid("measure", "True, for an object_classifier", "False", "Leave one of them out.")
    classes = None if object_classifier is None else load_object_classifier(object_classifier)
    classes_sha256 = "" if object_classifier is None else checksum(object_classifier)
    check_out(out)
    _check_folder(Path(out))
    ndim = settings.segmentation.ndim_of_images(trained)
    settings.check_axes(ndim)
    found = find_images(inputs, out=out)
    for text in filter(None, (describe_left_out(found.left_out), describe_planes(found.files, ndim))):
        _log.warning("%s", text)
    folder = make_folder(Path(out)).absolute()
    with locked(folder):
        _check_same(folder, found.root.resolve(), trained, settings, classes_sha256)
        for part in (folder, *(folder / name for name in PARTS)):
            remove_unfinished(part)
        work = Work(folder, settings, classes, classes_sha256)
        cache = _read_cache(folder)
        if verify:
            cache["written"].pop("content", None)
        with Workers(str(folder), n_workers=n_workers, scheduler=scheduler) as workers:
            items = _find_items(found, settings.reading, cache, workers)
            _write_cache(folder, cache)
            records = work.done_before(items, trained, workers.opened, verify=verify)
            todo = [item for item in items if item not in records]
            n_before = len(records)
            with progress_bar(len(todo), "Segmenting images", progress) as advance:
                failed, defects = _do_items(workers, todo, (work, trained), advance)
        for item in todo:
            if item.title not in failed:
                records[item] = work.record(item)
            else:  # a file of its set may have been missing, which the files found do not tell
                cache["files"].pop(item.file.name, None)
        _write_cache(folder, cache)
        done = {item: records[item] for item in items if item in records}
        with _writing("the tables of all images"):
            _finish(work, done, failed, cache, ndim=ndim)
    for defect in defects:
        raise defect
    n_objects = sum(record["row"]["n_objects"] for record in done.values())
    stale = _find_stale(work, done)
    _report_warned(done)
    return Batch(folder, len(done), n_before, n_objects, failed, found.left_out, stale)


# The folder ----------------------------------------------------------------------------------------------


def _check_folder(folder: Path) -> None:
    """Raise if `folder` contains files that a batch would replace but did not write."""
    if not (folder / BATCH).exists():
        names = (*PARTS, OBJECTS, COLUMNS, PARQUET, IMAGES, CLASSIFIER, CACHE, RECORD)
        taken = [name for name in names if (folder / name).exists()]
        if taken:
            got = f"{folder}, which contains {', '.join(taken)} from another source"
            raise invalid("out", "a new folder, or one of a batch", got, "Choose another folder.")


def _check_same(
    folder: Path, root: Path, classifier: ObjectClassifier, settings: Settings, classes_sha256: str
) -> None:
    """Record the settings of a new batch, or raise unless they are those of the earlier calls."""
    from objclass.pixels.classifier import write_classifier

    with tempfile.TemporaryDirectory() as scratch:
        write_classifier(Path(scratch) / CLASSIFIER, classifier)
        digest = checksum(Path(scratch) / CLASSIFIER)
    now = {
        "batch": _FORMAT,
        "classifier": digest,
        "object_classifier": classes_sha256,
        "parameters": settings.flat(),
        "versions": {"objclass": __version__},
        "inputs": {"folder": str(root), "from_here": os.path.relpath(root, folder.resolve())},
    }
    if not (folder / BATCH).exists():
        write_classifier(folder / CLASSIFIER, classifier)
        write_sealed(folder / BATCH, now)
    changed = "; ".join(_differences(_read_settings(folder), now))
    if changed:
        hint = "Choose another folder, or pass the same ones again."
        expected = "a folder of the same inputs, classifier and parameters"
        raise invalid("out", expected, f"{folder}, where {changed}", hint)
    if not (folder / CLASSIFIER).exists():
        write_classifier(folder / CLASSIFIER, classifier)
    elif checksum(folder / CLASSIFIER) != digest:
        _keep_edited(folder / CLASSIFIER)
        write_classifier(folder / CLASSIFIER, classifier)


def _read_settings(folder: Path) -> dict[str, Any]:
    path = folder / BATCH
    hint = "Choose another folder for the results, or restore the file from a backup."
    try:
        content = read_sealed(path)
    except (OSError, ValueError) as error:
        raise invalid("out", "a folder of a batch", f"{path}, which is damaged ({error})", hint) from error
    if content.get("batch") != _FORMAT:
        hint = "Resume with the version of objclass that wrote it, or choose another folder."
        raise invalid("out", f"a batch of format {_FORMAT}", f"{path} of another format", hint)
    return content


def _differences(earlier: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[str]:
    if earlier["classifier"] != now["classifier"]:
        yield "the classifier was different"
    if earlier.get("object_classifier") != now["object_classifier"]:
        yield "the object classifier was different"
    was, is_now = earlier["inputs"], now["inputs"]
    if was["folder"] != is_now["folder"] and was["from_here"] != is_now["from_here"]:
        yield f"the images were from another folder, {was['folder']}, not from {is_now['folder']}"
    for group in ("parameters", "versions"):
        before, after = earlier[group], now[group]
        for name in sorted({*before, *after}):
            if before.get(name) != after.get(name):
                yield f"{name} was {before.get(name)}, not {after.get(name)}"


# Which images there are ----------------------------------------------------------------------------------


def _read_cache(folder: Path) -> dict[str, Any]:
    """Return the cached headers of files and states of results; empty if the cache is damaged."""
    try:
        return read_sealed(folder / CACHE)
    except (OSError, ValueError):
        return {"files": {}, "written": {}}


def _write_cache(folder: Path, cache: dict[str, Any]) -> None:
    with contextlib.suppress(OSError):  # without the cache, files are read again
        write_sealed(folder / CACHE, cache)


def _find_items(found: Found, reading: Reading, cache: dict[str, Any], workers: Workers) -> list[Item]:
    """Return the images of all files; a file that is a part of another one's images has none of its own."""
    items: list[Item] = []
    parts: set[str] = set()
    n_parts, spacings = len(found.files), {}
    known = functools.partial(_known_head, known=cache["files"])
    whole = (file for file in found.files if file.path not in parts)
    for file, head in workers.look_at(whole, functools.partial(_head, reading=reading), known):
        others = set() if head is None else {*head["files"][1:]}
        if file.path in parts or others & parts:  # the latter is a copy of a file of the set
            continue
        n_parts -= 1
        cache["files"].pop(file.name, None)
        if head is not None:
            cache["files"][file.name] = head
            parts |= others
        all_series = [] if head is None else head["series"]
        series = [one for one in all_series if reading.series in (None, one["series"])]
        is_only = len(all_series) == 1
        items += _items_of(file, series, reading, is_only=is_only)
        for one in series:
            image = Item(file, None if is_only else one["series"]).image
            spacing = one["spacing"] and tuple(one["spacing"])
            with contextlib.suppress(ObjclassError):  # reported when the image is read
                spacings[image], _ = reading.voxel_size(spacing, "", one["ndim"])
    if n_parts:
        found.left_out["files of a set"] = n_parts
    check_one_unit(spacings)
    return with_distinct_stems(sorted(items, key=lambda item: (item.image, item.frame or 0)))


def _items_of(
    file: ImageFile, series: Sequence[Mapping[str, Any]], reading: Reading, *, is_only: bool
) -> Iterator[Item]:
    """Yield an item for each series and time point that is asked for; one that will fail if there is none."""
    if not series:
        yield Item(file, reading.series, reading.frame)
    for one in series:
        frames = [None] if one["n_frames"] is None else range(one["n_frames"])
        for frame in [each for each in frames if reading.frame in (None, each)] or [reading.frame]:
            yield Item(file, None if is_only else one["series"], frame)


def _known_head(file: ImageFile, *, known: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the series of a file from the cache; None if it is not there, or the file has changed."""
    head = known.get(file.name)
    is_same = head is not None and head["files"][0] == file.path and head["state"] == _state(head["files"])
    return head if is_same else None


def _head(file: ImageFile, opened: OpenFiles, *, reading: Reading) -> dict[str, Any] | None:
    """Return the series of a file; None if it is unreadable."""
    try:
        content, state = opened.look_at(file.path, _state_of)
        infos = content.infos(reading.axes)
    except Exception:  # what it is, reading the image will say
        return None
    names = ("series", "n_frames", "ndim", "spacing")
    series = [{name: getattr(info, name) for name in names} for info in infos]
    return {"files": _files_of(content), "series": series, "state": state}


def _files_of(content: OpenFile) -> list[str]:
    """Return the file and the other files that its images are stored in."""
    others = (str(path) for stored in content.series for path in stored.files)
    return list(dict.fromkeys([content.path, *others]))


def _state_of(content: OpenFile) -> str:
    return _state(_files_of(content))


def _state(paths: Iterable[str]) -> str:
    """Return a fingerprint of the sizes and times of files, without reading their content.

    It includes the time of the last change of the directory entry, which no program can set back.
    """
    digest = hashlib.sha256()
    for path in paths:
        below = sorted(Path(path).rglob("*")) if os.path.isdir(path) else [Path(path)]
        for each in below:
            with contextlib.suppress(OSError):
                status = each.stat()
                digest.update(
                    f"{status.st_size} {status.st_mtime_ns} {status.st_ctime_ns} {status.st_mode}\n".encode()
                )
    return digest.hexdigest()


# One image -----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Work:
    """The paths and the state of the results of a batch."""

    folder: Path
    settings: Settings
    classes: TableClassifier | None = None
    classes_sha256: str = ""

    def path(self, part: str, item: Item) -> Path:
        """Return the path of a result of an image, in one of the `PARTS`."""
        return self.folder / part / f"{item.stem}{PARTS[part]}"

    def record(self, item: Item) -> dict[str, Any]:
        """Return the record of a completed image."""
        record = read_sealed(self.path("done", item))
        if record["item"] != [item.image, item.frame]:  # as where A.tif and a.tif are one name
            got = f"{self.folder}, where {record['item'][0]} and {item.image} have the same files"
            raise invalid("out", "a folder that keeps the names of the images apart", got)
        return record

    def done_before(
        self, items: Iterable[Item], classifier: ObjectClassifier, opened: OpenFiles, *, verify: bool
    ) -> dict[Item, dict[str, Any]]:
        """Return the records of the images that earlier calls completed."""
        records = {item: self._done(item, classifier, opened, verify=verify) for item in items}
        return {item: record for item, record in records.items() if record is not None}

    def _done(
        self, item: Item, classifier: ObjectClassifier, opened: OpenFiles, *, verify: bool
    ) -> dict[str, Any] | None:
        """Return the record of a completed image, or None if the image or its results have changed."""
        try:
            record = self.record(item)
            states = {name: _result_state(self.folder / name) for name in record["outputs"]}
            changed = [name for name, state in states.items() if verify or state != record["states"][name]]
            edited = [name for name in changed if checksum(self.folder / name) != record["outputs"][name]]
            for name in edited:
                _keep_edited(self.folder / name)
            if edited:
                return None
            state = _state(record["files"])
            is_same = state == record["state"] and record["files"][0] == item.file.path
            if not is_same:
                with opened.use(item.file.path, _state_of) as (file, _):
                    if self._read(item, classifier, file).describe() != record["image"]:
                        return None
        except (OSError, ValueError, KeyError):
            return None
        if changed or not is_same:
            record |= {"states": states, "state": state}
            record["files"] = [item.file.path, *record["files"][1:]]
            write_sealed(self.path("done", item), record)
        return record

    def do(self, item: Item, classifier: ObjectClassifier, opened: OpenFiles) -> None:
        """Segment and measure one image; its record is written last."""
        from objclass.tables.classification import classify

        start, settings = time.perf_counter(), self.settings
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            with opened.use(item.file.path, _state_of) as (file, state):
                picture = self._read(item, classifier, file)
            labels = settings.find_objects(picture, classifier)
            table = None
            if settings.measure:
                table = measure_objects(labels, picture, self.classes)
                if self.classes is not None:
                    table = classify(table, self.classes)
                table.insert(0, "image", item.image)
                table.insert(1, "frame", item.frame or 0)
                table.insert(3, "unit", picture.unit)
        said = settings.compare_with_training(picture, classifier)
        told = (str(each.message) for each in caught if issubclass(each.category, UserWarning))
        said += dict.fromkeys(text for text in told if not text.startswith(tuple(said)))
        seconds = round(time.perf_counter() - start, 3)
        row = _image_row(item, picture, labels, seconds=seconds, said=list(said))
        counts = {} if self.classes is None or table is None else count_classes(table, self.classes)
        record = {
            "item": [item.image, item.frame],
            "files": _files_of(file),
            "state": state,
            "image": picture.describe(),
            "row": {**row, **{f"n_{name}": count for name, count in counts.items()}},
        }
        with _writing(f"a result of {item.image}"):
            self._write(item, record, labels, table, picture.spacing)

    def _read(self, item: Item, classifier: ObjectClassifier, file: OpenFile) -> Picture:
        return self.settings.reading.read_open(
            file,
            self.settings.segmentation.ndim_of_images(classifier),
            "the classifier",
            series=item.series,
            frame=item.frame,
            channel_names=classifier.channel_names,
        )

    def _write(
        self, item: Item, record: dict[str, Any], labels: np.ndarray, table: pd.DataFrame | None, spacing: Any
    ) -> None:
        from objclass.io.images import imwrite
        from objclass.io.tables import write_csv

        written = [self.path("labels", item)]
        for part in PARTS:
            (self.folder / part).mkdir(exist_ok=True)
        imwrite(written[0], labels, spacing=spacing)
        if table is not None:
            written.append(self.path("tables", item))
            write_csv(written[1], table)
            record["integers"] = [name for name in table.columns if table[name].dtype.kind in "iu"]
        names = [path.relative_to(self.folder).as_posix() for path in written]
        record["outputs"] = {name: checksum(self.folder / name) for name in names}
        record["states"] = {name: _result_state(self.folder / name) for name in names}
        write_sealed(self.path("done", item), record)


@contextlib.contextmanager
def _writing(what: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        text = f"out: {what} cannot be written: {error}. Call the batch again when it can."
        raise CannotWriteError(text) from error


def _keep_edited(path: Path) -> None:
    """Give a result that was changed since the batch wrote it another name, as it is written again."""
    suffix = PARTS["labels"] if path.name.endswith(PARTS["labels"]) else path.suffix
    stem, n = path.name.removesuffix(suffix), 1
    while (kept := path.with_name(f"{stem}~changed{n}{suffix}")).exists():
        n += 1
    path.rename(kept)
    _log.warning("%s was changed since it was written: it is kept as %s, and written again", path, kept.name)


def _result_state(path: Path) -> list[int]:
    """Return the size and time of a result: if they change, its content may have changed."""
    status = path.stat()
    return [status.st_size, status.st_mtime_ns]


def _image_row(
    item: Item, picture: Picture, labels: np.ndarray, *, seconds: float, said: list[str]
) -> ImageRow:
    """Return the row of an image in the table of images."""
    sizes = dict(zip("zyx"[-picture.ndim :], picture.spacing or (), strict=False))
    return {
        "image": item.image,
        "path": item.file.name,
        "series": item.series or 0,
        "series_name": picture.series_name,
        "frame": item.frame or 0,
        "shape": "x".join(map(str, picture.image.shape)),
        "dtype": str(picture.image.dtype),
        "channel_names": "; ".join(picture.channel_names),
        "spacing_z": sizes.get("z"),
        "spacing_y": sizes.get("y"),
        "spacing_x": sizes.get("x"),
        "unit": picture.unit,
        "spacing_source": picture.spacing_source,
        "min": picture.image.min().item(),
        "max": picture.image.max().item(),
        "n_objects": int(np.count_nonzero(np.bincount(labels.ravel())[1:])),
        "foreground": float(np.count_nonzero(labels) / labels.size),
        "seconds": seconds,
        "warnings": "; ".join(said),
    }


# All images ----------------------------------------------------------------------------------------------


def _do_items(
    workers: Workers,
    items: Sequence[Item],
    data: tuple[Work, ObjectClassifier],
    advance: Callable[[], None],
) -> tuple[dict[str, str], list[Exception]]:
    """Process the remaining images; return the failed ones with the reason, and internal errors."""
    failed: dict[str, str] = {}
    defects: list[Exception] = []
    for item, error in workers.process(items, _attempt, data) if items else ():
        if error is not None:
            failed[item.title] = " ".join(str(error).split()) or type(error).__name__
            if not isinstance(error, (ObjclassError, OSError, MemoryError)):
                failed[item.title] = f"internal error of objclass: {type(error).__name__}: {error}"
                error.add_note(f"This occurred in {item.title}; the other images are completed.")
                defects.append(error)
        advance()
    return dict(sorted(failed.items())), defects


def _attempt(item: Item, data: tuple[Work, ObjectClassifier], opened: OpenFiles) -> Exception | None:
    """Process one image; return the error if it failed."""
    work, classifier = data
    try:
        work.do(item, classifier, opened)
    except CannotWriteError:
        raise
    except Exception as error:
        return error
    return None


# The tables of all images --------------------------------------------------------------------------------


def _find_stale(work: Work, done: Iterable[Item]) -> list[str]:
    """Return the label images of other images than the completed ones, and report them."""
    labels = work.folder / "labels"
    own = {work.path("labels", item).name for item in done}
    stale = sorted(path.name for path in labels.glob("[!.]*") if path.name not in own)
    if stale:
        text = "%s contains %d files without a row in %s: %s"
        _log.warning(text, labels, len(stale), IMAGES, first_few(stale))
    return stale


def _report_warned(done: Mapping[Item, dict[str, Any]]) -> None:
    """Report which images have warnings, such as that they are unlike those of the training."""
    warned = {item.title: record["row"]["warnings"] for item, record in done.items()}
    titles = [title for title, text in warned.items() if text]
    if titles:
        text = "%d of %d images have warnings, in the column warnings of %s; the first, %s: %s"
        _log.warning(text, len(titles), len(done), IMAGES, titles[0], warned[titles[0]])


def _finish(
    work: Work,
    done: Mapping[Item, dict[str, Any]],
    failed: dict[str, str],
    cache: dict[str, Any],
    *,
    ndim: int,
) -> None:
    """Join the tables of the completed images and write the record, unless nothing has changed."""
    from objclass.workflows.batch_tables import join_tables, write_images

    content = {
        "command": "batch",
        "inputs": {item.title: {"path": item.file.path, **record["image"]} for item, record in done.items()},
        "parameters": work.settings.flat(),
        "object_classifier": work.classes_sha256,
        "failed": failed,
        "results": {name: sha for record in done.values() for name, sha in record["outputs"].items()},
    }
    digest = hashlib.sha256(json.dumps(content).encode()).hexdigest()
    written = cache["written"]
    known = {work.folder / name: state for name, state in written.get("states", {}).items()}
    there = {path: state for path, state in known.items() if path.exists()}
    changed = [path for path, (*state, _) in there.items() if _result_state(path) != state]
    if there and len(there) == len(known) and not changed and written.get("content") == digest:
        return
    for path in changed:
        if checksum(path) != there[path][-1]:
            _keep_edited(path)
    rows = [record["row"] for record in done.values()]
    images = write_images(work.folder, rows)
    outputs = [CLASSIFIER]
    if work.settings.measure:
        paths = [work.path("tables", item) for item in done]
        integers = [record["integers"] for record in done.values()]
        unit = SYMBOL if any(row["unit"] == UNIT for row in rows) else "px"
        sizes = {tuple(row[f"spacing_{axis}"] for axis in "zyx"[-ndim:]) for row in rows}
        spacing = sizes.pop() if len(sizes) == 1 and unit == SYMBOL else None
        outputs += join_tables(work.folder, paths, integers, ndim=ndim, unit=unit, spacing=spacing)
    write_record(work.folder, content, outputs=outputs)
    written = [work.folder / name for name in (images, *outputs, RECORD)]
    states = {path.name: [*_result_state(path), checksum(path)] for path in written}
    cache["written"] = {"content": digest, "states": states}
    _write_cache(work.folder, cache)
