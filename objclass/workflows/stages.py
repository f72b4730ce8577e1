"""The stages of a run: how long each took, and what there is to say of it."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

Report = Callable[[str, float | None, str], None]


@dataclass
class Stages:
    """Times the stages of a run and tells of each.

    Parameters
    ----------
    report : callable
        Called as ``report(stage, None, "")`` when one begins and ``report(stage, seconds, text)`` when it
        has ended.
    """

    report: Report = lambda *_: None
    seconds: dict[str, float] = field(default_factory=dict)

    @contextlib.contextmanager
    def __call__(self, name: str) -> Iterator[Callable[[str], None]]:
        """Time the stage `name`; yields a function that takes what there is to say of it."""
        said: list[str] = []
        self.report(name, None, "")
        start = time.perf_counter()
        yield said.append
        self.seconds[name] = round(time.perf_counter() - start, 3)
        self.report(name, self.seconds[name], "; ".join(said))
