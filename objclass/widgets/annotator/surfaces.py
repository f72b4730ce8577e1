"""The annotator's objects in 3D: their surfaces, made when they are looked at."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from objclass.widgets.annotator import protocol
from objclass.widgets.annotator.page import Page
from objclass.widgets.background import Latest
from objclass.widgets.boxes import object_boxes

if TYPE_CHECKING:
    from objclass.widgets.view3d.view3d import View3D


class Surfaces:
    """The tab 3D; `on_failure` is called with the exception of a view that cannot be made."""

    def __init__(self, page: Page, on_failure: Callable[[Exception], None]):
        self._page = page
        self._queue = Latest(on_failure)
        self._shown: protocol.Surfaces = {}
        self.view: View3D | None = None
        self.handlers = {
            "raw": self._show_raw,
            "volume": lambda _content: self._queue.submit("volume", self._make),
        }

    def join(self, timeout: float | None = None) -> None:
        """Wait until the surfaces are made."""
        self._queue.join(timeout)

    def _make(self) -> None:
        """Make the surfaces of the present objects, unless they are shown."""
        from objclass.widgets.view3d.view3d import View3D

        page, image = self._page, self._page.shown
        labels, version = image.labels, image.objects_version
        if labels is None or self._shown.get("version") == version:
            return
        view = View3D(
            image.channels,
            labels,
            spacing=page.spacing,
            unit=page.widget.volume["unit"],
            raw="none",
            progress=False,
        )
        view.observe(lambda change: self._go_to_object(labels, change.new), "clicked")
        earlier, self.view = self.view, view
        self._show({**view.describe(), "labels": view.mesh.labels.tolist(), "version": version})
        if earlier is not None:
            earlier.close_all()

    def _show(self, shown: protocol.Surfaces) -> None:
        self._shown = shown
        self._page.widget.set_trait("_volume", shown)

    def _go_to_object(self, labels: np.ndarray, label: int) -> None:
        """Let the slices go through the middle of an object."""
        (box,) = object_boxes(labels, np.array([label]))
        if box is not None:
            self._page.widget.position = [(part.start + part.stop) // 2 for part in box]
            self._page.widget.focus = label

    def _show_raw(self, _content: Mapping[str, Any]) -> None:
        """Add the image to the view."""
        if self.view is not None:
            self.view.show_raw()
            self._show({**self._shown, **self.view.describe()})
