"""The picture of a widget in a saved notebook, for pages without a kernel."""

from __future__ import annotations

import logging
import threading
import time
import uuid
from collections.abc import Callable
from typing import Any

QUIET = 2.0
"""Seconds without a change after which the picture is drawn again."""

_WITHOUT_KERNEL = """<style>
.jp-OutputArea-child:has(.objclass-saved-picture) + .jp-OutputArea-child + .jp-OutputArea-child
    .jupyter-widgets:not(:has(*)) { display: none }
.jp-OutputArea-child:has(.objclass-saved-picture) { height: 0; padding: 0; overflow: hidden }
</style><i class="objclass-saved-picture"></i>"""
"""Hides Jupyter's own words, that there is no such widget: below the picture they say nothing."""

_log = logging.getLogger(__name__)


class SavedPicture:
    """A PNG before the widget in the output of its cell, drawn again when the widget has changed.

    Before it stands a style for pages without a kernel, which JupyterLab and Notebook 7 apply in a notebook
    that they trust.

    It is an output of its own: one with a widget would be built anew with each picture, and pages without a
    kernel try to show the widget of an output and nothing else. ``saved_picture.js`` hides it meanwhile.

    Parameters
    ----------
    draw : callable
        Returns the picture of the present state as PNG; called in a thread.
    first : callable, optional
        Returns a picture to begin with, where `draw` would delay the widget.
    """

    def __init__(self, draw: Callable[[], bytes], *, first: Callable[[], bytes] | None = None) -> None:
        self._draw, self._first = draw, first or draw
        self._name = uuid.uuid4().hex
        self._published = b""
        self._changed_at = 0.0
        self._lock = threading.Lock()
        self._timer: threading.Timer | None = None

    def show(self) -> None:
        """Publish the picture; the widget is published next."""
        _publish({"text/html": _WITHOUT_KERNEL, "text/plain": ""})
        self._publish(self._first(), update=False)
        if self._first is not self._draw:
            self.touch()

    def touch(self) -> None:
        """Have the picture drawn again, once nothing changes."""
        self._changed_at = time.monotonic()
        with self._lock:
            if self._published and self._timer is None:
                self._wait(QUIET)

    def close(self) -> None:
        """Keep the picture as it is."""
        with self._lock:
            self._published = b""
            if self._timer is not None:
                self._timer.cancel()

    def _wait(self, seconds: float) -> None:
        self._timer = threading.Timer(seconds, self._renew)
        self._timer.daemon = True
        self._timer.start()

    def _renew(self) -> None:
        with self._lock:
            quiet = time.monotonic() - self._changed_at
            if quiet < QUIET:
                self._wait(QUIET - quiet)
                return
            self._timer = None
        try:
            picture = self._draw()
        except Exception:  # it changed meanwhile: the next change draws it
            _log.debug("the picture was not drawn", exc_info=True)
            return
        if self._published not in (b"", picture):
            self._publish(picture, update=True)

    def _publish(self, picture: bytes, *, update: bool) -> None:
        if _publish({"image/png": picture}, transient={"display_id": self._name}, update=update):
            self._published = picture


def _publish(data: dict[str, Any], **options: Any) -> bool:
    """Publish an output of the running cell; return whether there is one."""
    from IPython.core.interactiveshell import InteractiveShell
    from IPython.display import publish_display_data

    if not InteractiveShell.initialized():
        return False
    publish_display_data(data, **options)  # type: ignore[no-untyped-call]
    return True
