"""Warnings that a thread can collect for itself.

`warnings.catch_warnings` catches those of all threads, and in a notebook nobody sees what a background thread
warns of. What widgets run in one warns by `warn` therefore, and they show what they have collected.
"""

from __future__ import annotations

import contextlib
import threading
import warnings
from collections.abc import Iterator
from contextvars import ContextVar
from typing import Any

_collected: ContextVar[list[str] | None] = ContextVar("collected", default=None)


def warn(text: str, *, stacklevel: int = 1) -> None:
    """Warn like `warnings.warn`, or add `text` to what this thread collects."""
    texts = _collected.get()
    if texts is None:
        warnings.warn(text, stacklevel=stacklevel + 1)
    elif text not in texts:
        texts.append(text)


@contextlib.contextmanager
def collect() -> Iterator[list[str]]:
    """Collect what this thread warns of in this context, instead of warning.

    Examples
    --------
    >>> with collect() as texts:
    ...     warn("Few objects.")
    >>> texts
    ['Few objects.']
    """
    texts: list[str] = []
    token = _collected.set(texts)
    try:
        yield texts
    finally:
        _collected.reset(token)


def collect_of_packages() -> None:
    """Collect also what other packages warn of in this thread, if it collects.

    Call it within `warnings.catch_warnings`, which ends this.
    """
    if _collected.get() is None:
        return
    thread, show_before = threading.get_ident(), warnings.showwarning

    def show(message: Any, category: type[Warning], *where: Any) -> None:
        if threading.get_ident() == thread and issubclass(category, UserWarning):
            warn(str(message))
        else:
            show_before(message, category, *where)

    warnings.simplefilter("always", UserWarning)
    warnings.showwarning = show  # type: ignore[assignment]
