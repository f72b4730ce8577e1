"""Notify when numba compiles, since the first call of a function takes longer than later ones."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any


@contextlib.contextmanager
def notify_compiling(
    notify: Callable[[float], None], *, after: float = 3.0, every: float | None = None
) -> Iterator[None]:
    """Call ``notify(seconds)`` if compiling within this context takes more than `after` seconds.

    It is called once; or, from another thread, `every` so many seconds while numba compiles or waits for
    another process that does.
    """
    from numba.core import event

    ended = threading.Event()
    notified = False

    def notify_once() -> None:
        nonlocal notified
        if not notified and every is None and clock.seconds() >= after:
            notified = True
            notify(clock.seconds())

    def repeat() -> None:
        while not ended.wait(every):
            if clock.depth and clock.seconds() >= after:
                notify(clock.seconds())

    clock = _clock(notify_once)
    thread = threading.Thread(target=repeat, daemon=True)
    with event.install_listener("numba:compile", clock):
        if every is not None:
            thread.start()
        try:
            yield
        finally:
            ended.set()


def _clock(changed: Callable[[], None]) -> Any:
    """Return a listener that measures for how long numba compiles, and calls `changed` at start and end."""
    from numba.core import event

    class Clock(event.Listener):
        depth, began, before = 0, 0.0, 0.0

        def on_start(self, _: Any) -> None:
            self.depth += 1
            if self.depth == 1:
                self.began = time.perf_counter()
                changed()

        def on_end(self, _: Any) -> None:
            self.depth -= 1
            if self.depth == 0:
                self.before += time.perf_counter() - self.began
                changed()

        def seconds(self) -> float:
            return self.before + (time.perf_counter() - self.began if self.depth else 0)

    return Clock()
