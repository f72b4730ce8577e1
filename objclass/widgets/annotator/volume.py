"""The annotator's objects in 3D."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import traitlets

from objclass.widgets.annotator.base import AnnotatorBase
from objclass.widgets.boxes import object_boxes
from objclass.widgets.latest import Latest

if TYPE_CHECKING:
    from objclass.widgets.view3d.view3d import View3D


class VolumeMixin(AnnotatorBase):
    """The tab 3D: the surfaces of the objects, made when they are looked at."""

    focus = traitlets.Int(0, help="the object that was clicked in 3D").tag(sync=True)
    _volume = traitlets.Dict(help="the 3D view's models, see `View3D.describe`, and its objects").tag(
        sync=True
    )

    volume_view: View3D | None = None

    def _start_volume(self) -> None:
        self._surfaces = Latest(lambda _kind, failure: self._show_failure(failure))

    def _on_volume(self, _content: Mapping[str, Any], _buffers: Sequence[Any]) -> None:
        """Make the surfaces of the present objects, in the background."""
        self._surfaces.submit("volume", self._make_volume)

    def _make_volume(self) -> None:
        from objclass.widgets.view3d.view3d import View3D

        image = self._shown
        labels, version = image.labels, image.objects_version
        if labels is None or self._volume.get("version") == version:
            return
        view = View3D(
            image.channels,
            labels,
            spacing=self._spacing,
            unit=self.volume["unit"],
            raw="none",
            progress=False,
        )
        view.observe(lambda change: self._go_to_object(labels, change.new), "clicked")
        earlier, self.volume_view = self.volume_view, view
        self._volume = {**view.describe(), "labels": view.mesh.labels.tolist(), "version": version}
        if earlier is not None:
            earlier.close_all()

    def _go_to_object(self, labels: np.ndarray, label: int) -> None:
        """Let the slices go through the middle of an object."""
        (box,) = object_boxes(labels, np.array([label]))
        if box is not None:
            self.position = [(part.start + part.stop) // 2 for part in box]
            self.focus = label

    def _on_raw(self, _content: Mapping[str, Any], _buffers: Sequence[Any]) -> None:
        """Add the image to the 3D view."""
        if self.volume_view is not None:
            self.volume_view.show_raw()
            self._volume = {**self._volume, **self.volume_view.describe()}
