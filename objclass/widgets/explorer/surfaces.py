"""The explorer's objects in 3D: a view for each image, made when it is looked at."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from objclass._common.checks import counted
from objclass.widgets.background import Worker
from objclass.widgets.explorer import protocol
from objclass.widgets.explorer.page import Page

if TYPE_CHECKING:
    from objclass.widgets.view3d.view3d import View3D


class Surfaces:
    """The 3D views of the images `pixels` (c, z, y, x); `on_click` is called with the number of an object."""

    def __init__(
        self, page: Page, pixels: Sequence[np.ndarray], worker: Worker, on_click: Callable[[int], None]
    ):
        self._page, self._pixels, self._worker, self._on_click = page, pixels, worker, on_click
        self._views: dict[int, View3D] = {}
        self.handlers = {"raw": self._show_raw, "volume": self._make}

    @property
    def view(self) -> View3D | None:
        """The view of the shown image, if it was requested."""
        return self._views.get(self._page.shown)

    def make_now(self) -> View3D:
        """Return the view of the shown image; make it if necessary."""
        image = self._page.shown
        if image not in self._views:
            self._keep(self._compute(image), image)
        return self._views[image]

    def show(self) -> None:
        """Let the browser have the view of the shown image, if it was requested."""
        view, image = self.view, self._page.shown
        shown: protocol.Surfaces = {"image": image}
        if view is not None:
            shown = {**view.describe(), "slots": self._slots(image).astype("<i4").tobytes(), "image": image}
        self._page.widget.set_trait("_volume", shown)

    def drop(self) -> None:
        """Forget all views, whose surfaces are those of objects before an edit."""
        for view in self._views.values():
            view.unobserve_all("clicked")
        self._views.clear()
        self.show()

    def _make(self, _content: Mapping[str, Any]) -> None:
        """Make the view of the shown image, once, in the background."""
        if self.view is not None:
            self.show()
        elif not self._worker.busy:
            image = self._page.shown
            title = f"Surfaces of {counted(len(self._slots(image)), 'object')}"
            self._worker.start(
                title, lambda progress: self._compute(image, progress), lambda view: self._keep(view, image)
            )

    def _show_raw(self, _content: Mapping[str, Any]) -> None:
        """Add the image to the view."""
        if self.view is not None:
            self.view.show_raw()
            self.show()

    def _slots(self, image: int) -> np.ndarray:
        """Return the slots of the objects of an image, ascending."""
        objects = self._page.objects
        if len(objects.images) == 1:
            return np.arange(1, len(objects.slot_labels) + 1)
        return 1 + np.flatnonzero(np.isin(objects.slot_labels, list(objects.images.boxes(image))))

    def _compute(self, image: int, progress: Any = True) -> View3D:
        from objclass.widgets.view3d.view3d import View3D

        volume, objects, pixels = self._page.widget.volume, self._page.objects, self._pixels[image]
        labels = objects.images.labels[image]
        return View3D(
            pixels if labels.ndim == 3 else pixels[:, 0],
            labels,
            slots=objects.slot_labels[self._slots(image) - 1] - objects.images.offsets[image],
            spacing=volume["spacing"][3 - volume["ndim"] :],
            unit=volume["unit"],
            raw="none",
            progress=progress,
        )

    def _keep(self, view: View3D, image: int) -> None:
        number_of = self._page.objects.images.number_of
        view.observe(lambda change: self._on_click(number_of(image, change.new)), "clicked")
        self._views[image] = view
        self.show()
