"""Many images with one classifier: a folder of results that can be taken up where it was left."""

from __future__ import annotations

import dataclasses
import json
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from objclass import __version__
from objclass._common.checks import check_number, invalid
from objclass._common.files import AnyPath, check_writable, remove_unfinished, replacing
from objclass._common.locking import locked
from objclass._common.parallel import Progress, progress_bar
from objclass.workflows.batch_tables import NAMES, join_tables
from objclass.workflows.inputs import Item, find_items
from objclass.workflows.record import RECORD, checksum, write_record
from objclass.workflows.worklist import PARTS, Settings, Work, do_items

if TYPE_CHECKING:
    from objclass.pixels.classifier import ObjectClassifier

SETTINGS, CLASSIFIER = "batch.json", "ObjectSegmenter.cl"


@dataclass(frozen=True)
class Batch:
    """What came of a batch.

    Attributes
    ----------
    folder : Path
        Where the results are: ``labels``, ``objects.csv`` and ``objects.parquet``, and ``run.json``.
    n_images : int
        Images and time points that are done.
    n_done_before : int
        Those of them that an earlier call had done.
    n_objects : int
        The objects in all of them.
    failed : dict of str to str
        The images that could not be done, and why; the next call tries them again.
    """

    folder: Path
    n_images: int
    n_done_before: int
    n_objects: int
    failed: dict[str, str]


def segment_folder(
    inputs: AnyPath | Iterable[AnyPath],
    classifier: ObjectClassifier | AnyPath,
    out: AnyPath,
    *,
    measure: bool = True,
    min_size: int = 20,
    split: bool = False,
    spacing: float | tuple[float, ...] | None = None,
    axes: str | None = None,
    engine: str = "auto",
    n_workers: int | None = None,
    scheduler: str | None = None,
    progress: Progress = True,
) -> Batch:
    """Segment and measure many images, and go on where an earlier call was stopped.

    An image is done once its labels and its rows of the table are in the folder and recorded with their
    checksums; a call that is killed loses no more than the images it was at. An image that cannot be read, or
    does not fit the classifier, is reported and does not stop the others.

    Parameters
    ----------
    inputs : path, or list of paths
        Files, patterns as ``data/*.tif``, folders (with all that is in them), OME-Zarr images. Each time
        point of a series is an image of its own.
    classifier : ObjectClassifier or path
        From `train_object_classifier`, or a .cl file.
    out : path
        The folder to write to; made if it is not there.
    measure : bool
        Whether to measure the objects.
    min_size : int
        Smallest object, in voxels.
    split : bool
        Cut touching objects apart with `split_touching`.
    spacing : number or tuple, optional
        The voxel size where the files do not say it, or say it wrong.
    axes : str, optional
        As for `imread`, where the files do not name their axes.
    engine : str
        As in `segment`.
    n_workers : int, optional
        Work on so many images at a time, each in a process of its own.
    scheduler : str, optional
        The address of a dask scheduler, as ``tcp://host:8786``. All its workers must see inputs and `out` by
        the same names. Without it, and without `n_workers`, a `dask.distributed.Client` that is there
        already is used, or else this process with all its cores.
    progress : bool or callable
        A bar with the time left, or ``progress(done, total)``.

    Returns
    -------
    Batch

    Raises
    ------
    FileNotFoundError, PermissionError
        If an input is not there, or `out` cannot be written.
    BlockingIOError
        If another batch is at work on `out`.
    ValueError
        If `out` holds results of another classifier or other parameters: these never mix.
    OSError
        If a result cannot be written, as on a full disk: what is done stays, call again when there is room.

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
    from objclass.pixels.prediction import choose_engine

    check_number("min_size", min_size, low=0, integer=True)
    if n_workers is not None:
        check_number("n_workers", n_workers, low=1, integer=True)
        if scheduler is not None:
            raise invalid("scheduler", "either a scheduler or n_workers", "both")
    trained = classifier if isinstance(classifier, ObjectClassifier) else load_classifier(classifier)
    steps = None if spacing is None else tuple(spacing) if isinstance(spacing, (tuple, list)) else (spacing,)
    settings = Settings(measure, min_size, split, steps, axes, choose_engine(engine))
    items = find_items(inputs, axes=axes)
    folder = _make_folder(Path(out))
    with locked(folder):
        _check_same(folder, trained, settings)
        for part in (folder, *(folder / name for name in PARTS)):
            remove_unfinished(part)
        work = Work(folder, settings)
        before = {item.stem for item in items if work.is_done(item)}
        todo = [item for item in items if item.stem not in before]
        with progress_bar(len(todo), "batch", progress) as advance:
            failed = do_items(work, todo, trained, n_workers=n_workers, scheduler=scheduler, advance=advance)
        return _finish(work, items, failed, len(before))


def _make_folder(folder: Path) -> Path:
    if folder.exists() and not folder.is_dir():
        raise invalid("out", "a folder", f"the file {folder}", "Choose another name.", kind=FileExistsError)
    if not (folder / SETTINGS).exists():
        taken = [name for name in (*PARTS, *NAMES, CLASSIFIER, RECORD) if (folder / name).exists()]
        if taken:
            got = f"{folder}, which holds {', '.join(taken)} of something else"
            raise invalid("out", "a new folder, or one of a batch", got, "Choose another folder.")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        got = f"{folder} ({error.strerror})"
        raise invalid("out", "a folder that can be made", got, kind=PermissionError) from error
    check_writable(folder, argument="out")
    return folder.absolute()


def _check_same(folder: Path, classifier: ObjectClassifier, settings: Settings) -> None:
    """Record the classifier and the settings, or check that they are those of the earlier calls."""
    with tempfile.TemporaryDirectory() as scratch:
        classifier.save(Path(scratch) / CLASSIFIER)
        digest = checksum(Path(scratch) / CLASSIFIER)
    now = {"classifier": digest, "parameters": _plain(settings), "versions": {"objclass": __version__}}
    if not (folder / SETTINGS).exists():
        classifier.save(folder / CLASSIFIER)
        with replacing(folder / SETTINGS) as beside:
            beside.write_text(json.dumps(now, indent=2) + "\n", encoding="utf-8")
    earlier = json.loads((folder / SETTINGS).read_text(encoding="utf-8"))
    changed = "; ".join(_differences(earlier, now))
    if changed:
        hint = "Choose another folder, or give the earlier ones again."
        expected = "a folder of the same classifier and parameters"
        raise invalid("out", expected, f"{folder}, where {changed}", hint)


def _plain(settings: Settings) -> dict[str, Any]:
    return json.loads(json.dumps(dataclasses.asdict(settings)))


def _differences(earlier: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[str]:
    if earlier["classifier"] != now["classifier"]:
        yield "the classifier was another"
    for group in ("parameters", "versions"):
        for name in sorted({*earlier[group], *now[group]}):
            was, is_now = earlier[group].get(name), now[group].get(name)
            if was != is_now:
                yield f"{name} was {was}, not {is_now}"


def _finish(work: Work, items: list[Item], failed: dict[str, str], n_before: int) -> Batch:
    """Join the tables of the images that are done, in their order, and write the record."""
    done = [item for item in items if item.title not in failed]
    records = [work.record(item) for item in done]
    outputs = [CLASSIFIER]
    if work.settings.measure:
        outputs += join_tables(work.folder, [(item, work.table_path(item)) for item in done])
    content = {
        "command": "batch",
        "inputs": {item.title: record for item, record in zip(done, records, strict=True)},
        "parameters": _plain(work.settings),
        "failed": failed,
    }
    write_record(work.folder, content, outputs=outputs)
    n_objects = sum(record["objects"] for record in records)
    return Batch(work.folder, len(done), n_before, n_objects, failed)
