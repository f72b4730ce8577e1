"""Notify when numba compiles, since the first call of a function takes longer than later ones."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from typing import Any


@contextlib.contextmanager
def notify_compiling(notify: Callable[[], None], *, after: float = 3.0) -> Iterator[None]:
    """Call `notify` once if compiling within this context takes more than `after` seconds."""
    from numba.core import event

    class Listener(event.Listener):
        depth, began, seconds, notified = 0, 0.0, 0.0, False

        def on_start(self, _: Any) -> None:
            self.depth += 1
            if self.depth == 1:
                self.began = time.perf_counter()
                self.notify_once()

        def on_end(self, _: Any) -> None:
            self.depth -= 1
            if self.depth == 0:
                self.seconds += time.perf_counter() - self.began
                self.notify_once()

        def notify_once(self) -> None:
            if self.seconds >= after and not self.notified:
                self.notified = True
                notify()

    with event.install_listener("numba:compile", Listener()):
        yield
