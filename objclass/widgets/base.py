"""What the widgets share: their JavaScript in one piece, messages, planes and errors."""

from __future__ import annotations

import re
import traceback
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import traitlets

from objclass._common import checks
from objclass.plots.colors import CHANNEL_COLORS
from objclass.widgets.planes import ImagePlanes, PlaneServer, PlaneSource

try:
    import anywidget
except ImportError as error:
    raise ImportError(
        "The widgets need anywidget. Install it with: python -m pip install 'objclass[lab]'"
    ) from error

_FOLDER = Path(__file__).parent / "js"
_IMPORT = re.compile(r'^import\b[^;]*?from\s+"\./([\w.]+)";\n', re.MULTILINE | re.DOTALL)


def bundle(stem: str) -> str:
    """Return the JavaScript of ``stem.js`` and of all that it imports, in one module without imports.

    anywidget loads a module from a blob, where relative imports do not resolve. What the files export keeps
    its name, so names are unique over all of them.
    """
    texts: dict[str, str] = {}

    def add(name: str) -> None:
        if name in texts:
            return
        texts[name] = ""
        source = (_FOLDER / name).read_text(encoding="utf-8")
        imported = _IMPORT.findall(source)
        for other in imported:
            add(other)
        del texts[name]
        texts[name] = _IMPORT.sub("", source)

    add(f"{stem}.js")
    return "\n".join(texts.values())


def stylesheet(*stems: str) -> str:
    """Return the text of several style sheets in one."""
    return "\n".join((_FOLDER / f"{stem}.css").read_text(encoding="utf-8") for stem in stems)


class SliceWidget(anywidget.AnyWidget):
    """A widget that shows planes of an image: the base of the annotator and the explorer.

    A message from the browser is a dict with a ``kind``; the method ``_on_<kind>(content, buffers)`` takes
    it. What such a method raises is shown in the widget, in `error`.

    Parameters
    ----------
    image : ndarray of shape (c, z, y, x)
        A 2D image has one plane.
    ndim : int
        The number of spatial axes that the user knows of, 2 or 3.
    spacing : tuple of float, optional
        Pixel size along the `ndim` axes.
    unit : str, optional
        The unit of `spacing`: µm where spacing is given.
    sources : mapping of str to callable
        The layers beside the image, see `PlaneServer`.
    whole : sequence of str
        Layers that are sent at full size.
    """

    volume = traitlets.Dict(help="shape (z, y, x), ndim, spacing and unit").tag(sync=True)
    channels = traitlets.List(traitlets.Dict(), help="contrast and colour of each channel").tag(sync=True)
    axis = traitlets.Int(0, min=0, max=2, help="axis across the shown plane: 0 XY, 1 XZ, 2 YZ").tag(sync=True)
    position = traitlets.List(
        traitlets.Int(min=0), help="the voxel (z, y, x) that the planes go through"
    ).tag(sync=True)
    error = traitlets.Unicode("", help="what went wrong last").tag(sync=True)

    def __init__(
        self,
        image: np.ndarray,
        *,
        ndim: int,
        spacing: Sequence[float] | None = None,
        unit: str | None = None,
        sources: Mapping[str, PlaneSource] | None = None,
        whole: tuple[str, ...] = (),
        **traits: Any,
    ) -> None:
        planes = ImagePlanes(image)
        self._planes = PlaneServer(planes, sources or {}, whole=whole)
        sizes = (1.0,) * 3 if spacing is None else (*(1.0,) * (3 - ndim), *spacing)
        shape = image.shape[1:]
        super().__init__(
            volume={
                "shape": list(shape),
                "ndim": ndim,
                "spacing": list(sizes),
                "unit": unit or ("px" if spacing is None else "µm"),
                "dtype": str(image.dtype),
            },
            channels=[
                {
                    **channel,
                    "name": f"Channel {number}",
                    "color": "#ffffff" if len(planes.channels) == 1 else CHANNEL_COLORS[number % 7],
                    "visible": True,
                }
                for number, channel in enumerate(planes.channels)
            ],
            position=[size // 2 for size in shape],
            **traits,
        )
        self.on_msg(self._dispatch)

    @traitlets.validate("position")
    def _check_position(self, proposal: Any) -> list[int]:
        shape = self.volume.get("shape", [1, 1, 1])
        if len(proposal.value) != 3 or any(i >= n for i, n in zip(proposal.value, shape, strict=True)):
            raise traitlets.TraitError(
                f"position: expected a voxel within {tuple(shape)}, got {proposal.value}"
            )
        return list(proposal.value)

    def _dispatch(self, _widget: Any, content: Any, buffers: list[Any]) -> None:
        try:
            handle = getattr(self, f"_on_{content['kind']}")
            handle(content, buffers)
        except Exception as failure:
            self._show_failure(failure)

    def _show_failure(self, failure: Exception) -> None:
        self.error = str(failure) or type(failure).__name__
        self.log.debug("".join(traceback.format_exception(failure)))

    def _on_plane(self, content: Mapping[str, Any], _buffers: Sequence[Any]) -> None:
        answer, buffers = self._planes.answer(content)
        self.send(answer, buffers)


def spatial_image(
    image: Any, ndim: int, *, beside: np.ndarray | None = None, name: str = "labels"
) -> np.ndarray:
    """Return an image as (c, z, y, x), a 2D one with a single plane; see `check_image`."""
    shape = None if beside is None else beside.shape
    channels = checks.check_image(image, shape, ndim=ndim, beside=name)
    return channels if ndim == 3 else channels[:, np.newaxis]
