"""The stages of a run, with their times and messages."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

Report = Callable[[str, float | None, str], None]


@dataclass
class Stages:
    """Measure and report the time of the stages of a run.

    Parameters
    ----------
    report : callable
        Called as ``report(stage, None, "")`` when a stage starts and ``report(stage, seconds, text)`` when
        it ends.
    """

    report: Report = lambda *_: None
    seconds: dict[str, float] = field(default_factory=dict)

    @contextlib.contextmanager
    def __call__(self, name: str) -> Iterator[Callable[[str], None]]:
        """Time the stage `name`; yield a function that takes text for its report."""
        said: list[str] = []
        self.report(name, None, "")
        start = time.perf_counter()
        yield said.append
        self.seconds[name] = round(time.perf_counter() - start, 3)
        self.report(name, self.seconds[name], "; ".join(said))
