"""What users see of the progress: bars, and lines of text."""

from __future__ import annotations

import contextlib
import sys
import warnings
from collections.abc import Callable, Iterator

Progress = bool | Callable[[int, int], None]


def report(text: str) -> None:
    """Print a line: in a notebook below the cell, elsewhere on the standard error, like progress bars."""
    print(text, file=sys.stdout if "ipykernel" in sys.modules else sys.stderr)


@contextlib.contextmanager
def progress_bar(total: int, description: str, progress: Progress) -> Iterator[Callable[..., None]]:
    """Yield a function that advances the progress bar by steps; see `map_tiles` for `progress`."""
    if callable(progress):
        done = 0

        def advance(steps: int = 1) -> None:
            nonlocal done
            done += steps
            progress(done, total)

        yield advance
    elif progress:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="IProgress not found")
            from tqdm.auto import tqdm

            bar = tqdm(total=total, desc=description, delay=2, leave=False)
        with bar:
            yield lambda steps=1: bar.update(steps) and None
    else:
        yield lambda steps=1: None
