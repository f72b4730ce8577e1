"""Background jobs of which only the newest request is kept."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable


class Latest:
    """Run jobs sequentially in a thread; of each kind only the newest waiting job is kept.

    Parameters
    ----------
    on_failure : callable
        Called in the thread with the exception of a job.
    """

    def __init__(self, on_failure: Callable[[Exception], None]) -> None:
        self._on_failure = on_failure
        self._waiting: OrderedDict[str, tuple[Callable[[], None], Callable[[], None]]] = OrderedDict()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def submit(
        self, kind: str, job: Callable[[], None], *, dropped: Callable[[], None] = lambda: None
    ) -> None:
        """Run `job` after the waiting ones. A waiting job of the same `kind` is dropped."""
        with self._lock:
            superseded = self._waiting.pop(kind, None)
            self._waiting[kind] = (job, dropped)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="objclass background", daemon=True)
                self._thread.start()
        if superseded is not None:
            superseded[1]()

    def waits(self, kind: str) -> bool:
        """Whether a job of this kind is waiting; a running one does not count."""
        with self._lock:
            return kind in self._waiting

    def join(self, timeout: float | None = None) -> None:
        """Wait until no job is left."""
        with self._lock:  # a thread that another one is about to start cannot be joined yet
            thread = self._thread
        if thread is not None:
            thread.join(timeout)

    def _run(self) -> None:
        while True:
            with self._lock:
                if not self._waiting:
                    self._thread = None
                    return
                _, (job, _) = self._waiting.popitem(last=False)
            try:
                job()
            except Exception as failure:
                self._on_failure(failure)
