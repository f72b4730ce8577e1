"""The images of a batch, one at a time in this process, or many at a time on the workers of dask."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from objclass._common.checks import ObjclassError
from objclass._common.files import replacing
from objclass._common.parallel import single_threaded
from objclass.workflows.batch_tables import write_table
from objclass.workflows.inputs import Item
from objclass.workflows.record import checksum

if TYPE_CHECKING:
    from objclass.pixels.classifier import ObjectClassifier

PARTS = ("labels", "tables", "done")
"""The folders in a batch's folder: label images, tables, and what is done."""

RETRIES = 5
"""How often an image is begun anew when the worker that was at it has died."""


@dataclass(frozen=True)
class Settings:
    """What decides the results of a batch, beside its classifier."""

    measure: bool
    min_size: int
    split: bool
    spacing: tuple[float, ...] | None
    axes: str | None
    engine: str


class CannotWriteError(OSError):
    """A result could not be written, as on a full disk: no other image will fare better."""


@dataclass(frozen=True)
class Work:
    """Where the results of a batch lie, and what is done already."""

    folder: Path
    settings: Settings

    def labels_path(self, item: Item) -> Path:
        """Return where the labels of an image go."""
        return self.folder / PARTS[0] / f"{item.stem}.ome.tif"

    def table_path(self, item: Item) -> Path:
        """Return where the rows of an image go."""
        return self.folder / PARTS[1] / f"{item.stem}.parquet"

    def record_path(self, item: Item) -> Path:
        """Return where it is recorded that an image is done."""
        return self.folder / PARTS[2] / f"{item.stem}.json"

    def record(self, item: Item) -> dict[str, Any]:
        """Return the record of an image that is done."""
        return json.loads(self.record_path(item).read_text(encoding="utf-8"))

    def is_done(self, item: Item) -> bool:
        """Tell whether an image is done, its results are whole, and the image has not changed since."""
        try:
            record = self.record(item)
            unchanged = record["input"] == item.fingerprint()
            return unchanged and all(
                checksum(self.folder / name) == sha for name, sha in record["outputs"].items()
            )
        except (OSError, ValueError, KeyError):
            return False

    def do(self, item: Item, classifier: ObjectClassifier) -> None:
        """Segment and measure one image; its record comes last."""
        from objclass.io.images import read_as
        from objclass.measurement.region_properties import measure
        from objclass.objects.filtering import exclude_small
        from objclass.objects.segmentation import segment
        from objclass.objects.splitting import split_touching

        settings = self.settings
        fingerprint = item.fingerprint()
        ndim, axes = classifier.ndim, settings.axes
        image, info = read_as(item.path, ndim, "the classifier", axes=axes, frame=item.frame)
        spacing = settings.spacing or info.spacing
        labels = segment(image, classifier, engine=settings.engine, progress=False)
        if settings.split:
            labels = split_touching(labels, spacing=spacing)
        labels = exclude_small(labels, settings.min_size)
        table = measure(labels, image, spacing=spacing, progress=False) if settings.measure else None
        try:
            self._write(item, labels, table, spacing, fingerprint)
        except OSError as error:
            raise CannotWriteError(
                error.errno, f"out: a result of {item.image} cannot be written: {error}"
            ) from error

    def _write(
        self, item: Item, labels: Any, table: Any, spacing: Any, fingerprint: dict[str, object]
    ) -> None:
        from objclass.io.images import imwrite

        written = [self.labels_path(item)]
        for path in (self.labels_path(item), self.table_path(item), self.record_path(item)):
            path.parent.mkdir(exist_ok=True)
        imwrite(written[0], labels, spacing=spacing)
        if table is not None:
            written.append(self.table_path(item))
            write_table(written[1], table, item)
        record = {
            "input": fingerprint,
            "objects": int(labels.max(initial=0)),
            "outputs": {path.relative_to(self.folder).as_posix(): checksum(path) for path in written},
        }
        with replacing(self.record_path(item)) as beside:
            beside.write_text(json.dumps(record) + "\n", encoding="utf-8")


def do_items(
    work: Work,
    items: Sequence[Item],
    classifier: ObjectClassifier,
    *,
    n_workers: int | None,
    scheduler: str | None,
    advance: Callable[[], None],
) -> dict[str, str]:
    """Do the images that are left; return those that failed, and why."""
    failed: dict[str, str] = {}
    if not items:
        return failed
    with _client(n_workers, scheduler) as client:
        outcomes = (
            ((item, _attempt(item, work, classifier)) for item in items)
            if client is None
            else _on_workers(client, work, items, classifier)
        )
        for item, reason in outcomes:
            if reason:
                failed[item.title] = reason
            advance()
    return dict(sorted(failed.items()))


def _attempt(item: Item, work: Work, classifier: ObjectClassifier) -> str:
    """Do one image; return why it failed, or nothing."""
    try:
        work.do(item, classifier)
    except CannotWriteError:
        raise
    except (ObjclassError, OSError, MemoryError) as error:
        return " ".join(str(error).split()) or type(error).__name__
    return ""


def segment_image(item: Item, work: Work, classifier: ObjectClassifier) -> str:
    """Do one image on a worker, in one thread."""
    with single_threaded():
        return _attempt(item, work, classifier)


def _on_workers(
    client: Any, work: Work, items: Sequence[Item], classifier: ObjectClassifier
) -> Iterator[tuple[Item, str]]:
    from distributed import as_completed

    sent = client.scatter(classifier, broadcast=True)
    futures = client.map(
        segment_image, items, work=work, classifier=sent, pure=False, retries=RETRIES, key="segment_image"
    )
    by_key = {future.key: item for future, item in zip(futures, items, strict=True)}
    try:
        for future in as_completed(futures):
            yield by_key[future.key], _outcome(future)
    finally:
        client.cancel(futures)


def _outcome(future: Any) -> str:
    from distributed.scheduler import KilledWorker

    try:
        return future.result()
    except KilledWorker as error:
        return f"the workers that were at it died, out of memory perhaps ({error})"


@contextlib.contextmanager
def _client(n_workers: int | None, scheduler: str | None) -> Iterator[Any]:
    """Yield a client of dask, a new one if workers are asked for, or None."""
    if n_workers is None and scheduler is None:
        yield _current_client()
        return
    from distributed import Client, LocalCluster

    if scheduler is not None:
        with Client(scheduler, timeout="20s") as client:
            yield client
        return
    with (
        LocalCluster(n_workers=n_workers, threads_per_worker=1, dashboard_address=None) as cluster,
        Client(cluster) as client,
    ):
        yield client


def _current_client() -> Any:
    try:
        from distributed import get_client

        return get_client()
    except (ImportError, ValueError):
        return None
