"""Where the images of a batch are processed: in this process, or by the workers of dask."""

from __future__ import annotations

import contextlib
import functools
import itertools
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from objclass._common.parallel import single_threaded
from objclass.workflows.inputs import ImageFile, Item
from objclass.workflows.open_files import OpenFiles

Look = Callable[[ImageFile, OpenFiles], dict[str, Any] | None]
Do = Callable[[Item, Any, OpenFiles], Exception | None]

_RETRIES = 5  # how often an image is retried after its worker has died
_LISTED_AHEAD = 4  # files, by each worker

_opened: dict[str, OpenFiles] = {}
_lock = threading.Lock()


class Workers:
    """Dask workers, or this process; each keeps the files open whose headers it has read.

    A worker gets the images of the files that it has open; towards the end an idle one takes over images of
    a busy one, for which it opens their file again.

    Parameters
    ----------
    name : str
        The name of the batch, by which workers know its files.
    n_workers : int, optional
        The number of processes to start.
    scheduler : str, optional
        The address of a dask scheduler. Without it and `n_workers`, a dask client that exists is used.

    Attributes
    ----------
    opened : OpenFiles
        The files that are open in this process.
    """

    def __init__(self, name: str, *, n_workers: int | None = None, scheduler: str | None = None) -> None:
        self.name = name
        self.opened = OpenFiles()
        self._wanted = n_workers, scheduler
        self._stack = contextlib.ExitStack()
        self._client: Any = None
        self._turns: Iterator[str] = iter(())  # the addresses of the workers, again and again
        self._n_ahead = 0
        self._homes: dict[str, str] = {}
        self._is_connected = False

    def __enter__(self) -> Workers:
        self._stack.enter_context(self.opened)
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def look_at(
        self, files: Iterable[ImageFile], look: Look, known: Callable[[ImageFile], dict[str, Any] | None]
    ) -> Iterator[tuple[ImageFile, dict[str, Any] | None]]:
        """Yield each file with what is known of it, or else with what a worker says that looks at it.

        The next files are taken before the first is yielded. If a worker dies, what it says is None.
        """
        waiting: deque[tuple[ImageFile, Callable[[], dict[str, Any] | None]]] = deque()
        for file in files:
            waiting.append((file, self._begin(file, look, known(file))))
            while len(waiting) > self._n_ahead:
                first, result = waiting.popleft()
                yield first, result()
        yield from ((file, result()) for file, result in waiting)

    def _begin(
        self, file: ImageFile, look: Look, found: dict[str, Any] | None
    ) -> Callable[[], dict[str, Any] | None]:
        """Begin to look at a file of which nothing was found before; return a function that waits for it."""
        if found is not None:
            return lambda: found
        self._connect()
        if self._client is None:
            return functools.partial(look, file, self.opened)
        home = next(self._turns, None)
        future = self._client.submit(_look, file, look, self.name, pure=False, **_preferring(home))

        def result() -> dict[str, Any] | None:
            from distributed.scheduler import KilledWorker

            try:
                self._homes[file.path], said = future.result()
            except KilledWorker:
                return None
            return said

        return result

    def process(self, items: Iterable[Item], do: Do, data: Any) -> Iterator[tuple[Item, Exception | None]]:
        """Yield each image with the error that ``do(item, data, open files)`` returns, in any order."""
        self._connect()
        if self._client is None:
            yield from ((item, do(item, data, self.opened)) for item in items)
            return
        from distributed import as_completed

        self.opened.close()  # each worker opens its own
        sent = self._client.scatter(data, broadcast=True)
        groups: dict[str | None, list[Item]] = {}
        for item in items:
            groups.setdefault(self._homes.get(item.file.path), []).append(item)
        begun: dict[Any, Item] = {}
        for home, group in groups.items():
            options = {"do": do, "data": sent, "name": self.name, "pure": False, "retries": _RETRIES}
            futures = self._client.map(_process, group, **options, **_preferring(home))
            begun.update(zip(futures, group, strict=True))
        try:
            for future in as_completed(begun):
                yield begun[future], _outcome(future)
        finally:
            self._client.cancel([*begun])

    def _connect(self) -> None:
        """Connect to the workers when they are first needed."""
        if not self._is_connected:
            self._is_connected = True
            self._client = _client(self._stack, *self._wanted)
            if self._client is not None:
                self._stack.callback(self._leave)
                addresses = [*self._client.ncores()]
                self._turns, self._n_ahead = itertools.cycle(addresses), _LISTED_AHEAD * len(addresses)

    def _leave(self) -> None:
        with contextlib.suppress(OSError):  # the scheduler may be gone
            self._client.run(_forget, self.name, on_error="ignore")


def _preferring(home: str | None) -> dict[str, Any]:
    """Return the options of a task that this worker should do if it has time."""
    return {} if home is None else {"workers": [home], "allow_other_workers": True}


def _files(name: str) -> OpenFiles:
    with _lock:
        return _opened.setdefault(name, OpenFiles())


def _forget(name: str) -> None:
    files = _opened.pop(name, None)
    if files is not None:
        files.close()


def _look(file: ImageFile, look: Look, name: str) -> tuple[str, dict[str, Any] | None]:
    from distributed import get_worker

    return get_worker().address, look(file, _files(name))


def _process(item: Item, *, do: Do, data: Any, name: str) -> Exception | None:
    """Process an image on a worker, in one thread."""
    with single_threaded():
        return do(item, data, _files(name))


def _outcome(future: Any) -> Exception | None:
    from distributed.scheduler import KilledWorker

    try:
        return future.result()
    except KilledWorker as error:
        return MemoryError(f"its workers died, possibly out of memory ({error})")


def _client(stack: contextlib.ExitStack, n_workers: int | None, scheduler: str | None) -> Any:
    """Return a dask client, a new one until `stack` ends if workers are requested, or None."""
    if n_workers is None and scheduler is None:
        try:
            from distributed import get_client

            return get_client()
        except (ImportError, ValueError):
            return None
    from distributed import Client, LocalCluster

    if scheduler is not None:
        return stack.enter_context(Client(scheduler, timeout="20s"))
    cluster = LocalCluster(n_workers=n_workers, threads_per_worker=1, dashboard_address=None)
    return stack.enter_context(Client(stack.enter_context(cluster)))
