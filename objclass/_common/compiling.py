"""Whether numba compiles: the first call of a function takes longer than all later ones."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from typing import Any


@contextlib.contextmanager
def telling(say: Callable[[], None], *, after: float = 3.0) -> Iterator[None]:
    """Within this context, call `say` once if compiling takes more than `after` seconds."""
    from numba.core import event

    class Listener(event.Listener):
        depth, began, seconds, said = 0, 0.0, 0.0, False

        def on_start(self, _: Any) -> None:
            self.depth += 1
            if self.depth == 1:
                self.began = time.perf_counter()
                self.say_late()

        def on_end(self, _: Any) -> None:
            self.depth -= 1
            if self.depth == 0:
                self.seconds += time.perf_counter() - self.began
                self.say_late()

        def say_late(self) -> None:
            if self.seconds >= after and not self.said:
                self.said = True
                say()

    with event.install_listener("numba:compile", Listener()):
        yield
