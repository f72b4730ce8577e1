"""The annotator's overlays: the prediction and the uncertainty of planes."""

from __future__ import annotations

import functools
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from objclass.pixels.uncertainty import uncertainty_plane
from objclass.widgets.annotator.images import AnnotatedImage
from objclass.widgets.annotator.page import Page
from objclass.widgets.background import Latest
from objclass.widgets.base import First
from objclass.widgets.planes import PlaneServer

_PLANES_KEPT = 32
Key = tuple[object, str, AnnotatedImage, int, int]


class Overlays:
    """Planes that are predicted in the `queue`; `on_new` is called when there is another classifier."""

    def __init__(self, page: Page, queue: Latest, on_new: Callable[[], None]):
        self._page, self._queue, self._on_new = page, queue, on_new
        self._requests: dict[str, dict[str, Any]] = {}
        self._planes: OrderedDict[Key, np.ndarray] = OrderedDict()
        self._keeping = threading.Lock()
        self.sources = {
            kind: functools.partial(self._remember, kind) for kind in ("prediction", "uncertainty")
        }
        self.handlers = {"overlay": self._request, "overlay_off": self._stop}

    def refresh(self, *, settles: bool) -> None:
        """Show what another classifier predicts."""
        self._page.widget.send({"kind": "trained", "settles": settles})
        self._on_new()
        for view in list(self._requests):
            self._show(view, fresh=True)

    def first(self, request: Mapping[str, Any]) -> First:
        """Return the prediction that comes with the widget."""
        if self._page.accepted is None:
            return {}
        answer, buffers = self._server().answer({**request, "layers": ["prediction"]})
        return {"overlay": answer, "overlay_buffers": list(map(bytes, buffers))}

    def known_prediction(self, axis: int, index: int) -> np.ndarray | None:
        """Return the prediction of a plane if it was already shown."""
        accepted, image = self._page.accepted, self._page.shown
        key = (accepted and accepted.forest, "prediction", image, axis, index)
        return self._planes.get(key)

    def _remember(self, kind: str, axis: int, index: int) -> np.ndarray | None:
        """Return the predicted classes of a plane of the shown image, or its uncertainty from 0 to 255."""
        accepted, image = self._page.accepted, self._page.shown
        if accepted is None:
            return None
        key = (accepted.forest, kind, image, axis, index)
        plane = self._planes.get(key)
        if plane is None:
            channels, classifier = accepted.training.channels, accepted.classifier
            if kind == "prediction":
                plane = image.pixels(channels).predict(classifier, axis, index)
            else:
                found = uncertainty_plane(image.learned(channels), classifier, axis, index=index)
                plane = np.rint(found * 255).astype(np.uint8)
            with self._keeping:
                self._planes[key] = plane
                while len(self._planes) > _PLANES_KEPT:
                    self._planes.popitem(last=False)
        return plane

    def _server(self) -> PlaneServer:
        planes = self._page.shown.planes
        assert planes is not None
        return PlaneServer(planes.image, self.sources)

    def _request(self, content: Mapping[str, Any]) -> None:
        view = str(content["view"])
        self._requests[view] = dict(content)
        unanswered = {**content, "layers": []}
        self._queue.submit(
            f"overlay {view}",
            lambda: self._show(view),
            dropped=lambda: self._page.widget.send(unanswered),
        )

    def _stop(self, content: Mapping[str, Any]) -> None:
        self._requests.pop(str(content["view"]), None)

    def _show(self, view: str, *, fresh: bool = False) -> None:
        request = self._requests.get(view)
        if request is not None and request.get("source", 0) == self._page.widget.shown:
            answer, buffers = self._server().answer(request)
            self._page.widget.send({**answer, "fresh": fresh}, buffers)
