"""Work in threads, so that the kernel is not blocked: one long task at a time, or the newest of many jobs."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Any, TypedDict

from objclass._common import checks


class Cancelled(Exception):  # noqa: N818 — it is no error
    """Raised within a task when the user has cancelled it."""


class Task(TypedDict, total=False):
    """A running task: ``fraction`` is None where it is not known, ``started`` in seconds since 1970."""

    title: str
    fraction: float | None
    started: float


class Worker:
    """Run one task at a time in a background thread.

    Parameters
    ----------
    report : callable
        Called as ``report(task)`` with the running task, or an empty one when nothing runs.
    fail : callable
        Called with the exception of a failed task.
    """

    def __init__(self, report: Callable[[Task], None], fail: Callable[[Exception], None]):
        self._report = report
        self._fail = fail
        self._current: object | None = None
        self._thread: threading.Thread | None = None
        self._starting = threading.Lock()

    @property
    def busy(self) -> bool:
        """Whether a task is running that was not cancelled."""
        return self._current is not None

    def start(
        self, title: str, work: Callable[[Callable[[int, int], None]], Any], finish: Callable[[Any], None]
    ) -> None:
        """Run ``work(progress)`` in a thread, then ``finish(result)``.

        `progress(done, total)` raises `Cancelled` once the task is cancelled; a task that does not call it
        runs to its end, and its result is dropped.
        """
        if self.busy:
            raise checks.invalid(
                "task", "one at a time", title, "Wait, or cancel what runs.", kind=RuntimeError
            )
        token = object()
        self._current = token
        task: Task = {"title": title, "fraction": None, "started": time.time()}
        self._report(task)
        told = 0.0

        def progress(done: int, total: int) -> None:
            nonlocal told
            if self._current is not token:
                raise Cancelled
            if time.monotonic() - told > 0.1:
                told = time.monotonic()
                self._report({**task, "fraction": done / max(1, total)})

        def run() -> None:
            try:
                result = work(progress)
                if self._current is token:
                    finish(result)
            except Exception as failure:
                if self._current is token:  # so it is not `Cancelled`
                    self._fail(failure)
            finally:
                if self._current is token:
                    self._current = None
                    self._report({})

        with self._starting:
            self._thread = threading.Thread(target=run, name=f"objclass {title}", daemon=True)
            self._thread.start()

    def cancel(self) -> None:
        """Cancel the running task."""
        if self.busy:
            self._current = None
            self._report({})

    def join(self, timeout: float | None = None) -> None:
        """Wait until the thread has ended."""
        with self._starting:  # a thread that another one is about to start cannot be joined yet
            thread = self._thread
        if thread is not None:
            thread.join(timeout)


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
