"""Shared by the widgets: bundled JavaScript, messages, planes and errors."""

from __future__ import annotations

import functools
import re
import traceback
from collections.abc import Callable, Mapping, Sequence
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any, Protocol, TypedDict

import numpy as np
import traitlets

from objclass._common import checks
from objclass.plots.colors import CHANNEL_MAPS, color_ramp
from objclass.widgets import snapshot
from objclass.widgets.channels import describe_channels, is_color_picture
from objclass.widgets.planes import ImagePlanes, PlaneServer, PlaneSource
from objclass.widgets.saved_picture import SavedPicture

try:
    import anywidget
except ImportError as error:
    raise ImportError(
        "The widgets need anywidget. Install it with: python -m pip install 'objclass[lab]'"
    ) from error

_FIRST_PIXELS = 1_100_000  # the overview of plane_client.js
_FOLDER = Path(__file__).parent / "js"
_IMPORT = re.compile(r'^import\b[^;]*?from\s+"\./([\w.]+)";\n', re.MULTILINE | re.DOTALL)


def bundle(stem: str) -> str:
    """Return the JavaScript of ``stem.js`` and its imports as one module without imports.

    anywidget loads a module from a blob, where relative imports do not resolve. Names at the top of a file
    are kept, so that they must be unique over all files. A bundler such as esbuild would add a build step,
    and a second copy of each file that can be out of date.
    """
    texts: dict[str, str] = {}
    imported: dict[str, list[str]] = {}
    waiting = [f"{stem}.js"]
    while waiting:
        name = waiting.pop()
        if name not in texts:
            source = (_FOLDER / name).read_text(encoding="utf-8")
            texts[name], imported[name] = _IMPORT.sub("", source), _IMPORT.findall(source)
            waiting += imported[name]
    return "\n".join(texts[name] for name in TopologicalSorter(imported).static_order())


def stylesheet(*stems: str) -> str:
    """Return the concatenated text of style sheets."""
    return "\n".join((_FOLDER / f"{stem}.css").read_text(encoding="utf-8") for stem in stems)


class Volume(TypedDict):
    """The shown image: ``source`` tells it from others shown before."""

    shape: list[int]
    ndim: int
    spacing: list[float]
    unit: str
    dtype: str
    source: int


class Channel(TypedDict):
    """The look of a channel; a stored value ``q`` stands for ``offset + scale * q``, see `ImagePlanes`."""

    offset: float
    scale: float
    least: float
    most: float
    low: float
    high: float
    auto: list[float]
    histogram: list[int]
    name: str
    color: str
    visible: bool
    gamma: float
    map: str


class First(TypedDict, total=False):
    """A plane and its overlay, each as a message and its buffers."""

    plane: dict[str, Any]
    buffers: list[bytes]
    overlay: dict[str, Any]
    overlay_buffers: list[bytes]


Handler = Callable[[Mapping[str, Any]], object]


class Component(Protocol):
    """A part of a widget that answers messages of the browser, by their ``kind``."""

    @property
    def handlers(self) -> Mapping[str, Handler]:
        """What handles each kind of message."""


def synced(trait: Any) -> Any:
    """Return a trait that kernel and browser share; its type is the annotation of the attribute."""
    return trait.tag(sync=True)


_OF_IMAGE = ("axis", "channels", "position")
"""The traits that a page sets and that each image has for itself."""


class SliceWidget(anywidget.AnyWidget):
    """A widget that shows planes of an image: the base of the annotator and the explorer.

    A message from the browser is a dict with a ``kind``, which says who handles it; buffers, if there are
    any, are in ``buffers``. Exceptions of handlers are shown in the widget, in `error`.

    Parameters
    ----------
    image : ndarray of shape (c, z, y, x)
        A 2D image has one plane.
    ndim : int
        The number of spatial axes of the user's image, 2 or 3.
    spacing : tuple of float, optional
        Pixel size along the `ndim` axes.
    unit : str, optional
        The unit of `spacing`; µm by default.
    sources : mapping of str to callable
        The layers in addition to the image, see `PlaneServer`.
    whole : sequence of str
        Layers that are sent at full size.
    channel_names : sequence of str, optional
        A name for each channel.
    """

    volume: Volume = synced(traitlets.Dict(help="the shown image"))
    channels: list[Channel] = synced(traitlets.List(traitlets.Dict(), help="the look of each channel"))
    _maps: dict[str, bytes] = synced(traitlets.Dict(help="256 colours of each colour map"))
    axis: int = synced(traitlets.Int(0, min=0, max=2, help="axis across the shown plane: 0 XY, 1 XZ, 2 YZ"))
    position: list[int] = synced(
        traitlets.List(traitlets.Int(min=0), help="the voxel (z, y, x) that the planes go through")
    )
    _source: int = synced(
        traitlets.Int(0, min=0, help="the image that the page shows: what it sets is of that one")
    )
    error: str = synced(traitlets.Unicode("", help="the last error"))
    first: First = synced(
        traitlets.Dict(help="the shown plane: while all cells run, the kernel answers no request for it")
    )
    layers: list[str] = synced(
        traitlets.List(traitlets.Unicode(), ["image"], help="the layers of the planes")
    )

    _displayed = False
    _asked = False  # whether the browser has requested planes, so that none is needed in advance

    def __init__(
        self,
        image: np.ndarray,
        *,
        ndim: int,
        spacing: Sequence[float] | None = None,
        unit: str | None = None,
        sources: Mapping[str, PlaneSource] | None = None,
        whole: tuple[str, ...] = (),
        channel_names: Sequence[str] | None = None,
        **traits: Any,
    ) -> None:
        planes = image_planes(image, channel_names)
        self._planes = PlaneServer(planes, sources or {}, whole=whole)
        described = describe_image(planes, ndim, spacing, unit, channel_names)
        maps = {name: color_ramp(name) for name in CHANNEL_MAPS}
        self._handlers: dict[str, Handler] = {"plane": self._answer_plane}
        super().__init__(**described, **traits, _maps=maps)
        self.on_msg(self._dispatch)
        self.observe(self._touch)

    def _add_components(self, *components: Component) -> None:
        """Let components handle their messages."""
        for component in components:
            self._handlers |= component.handlers

    def set_state(self, sync_data: dict[str, Any]) -> None:
        """Take what the page has set, but for what comes late and is of an image that is no longer shown."""
        is_late = sync_data.get("_source", self._source) != self.volume["source"]
        super().set_state(
            {name: value for name, value in sync_data.items() if not (is_late and name in _OF_IMAGE)}
        )

    def _show_planes(
        self, planes: ImagePlanes, *, source: int, position: Sequence[int] | None = None
    ) -> None:
        """Show the planes of another image with the same number of channels and the same contrast."""
        shape = list(planes.image.shape[1:])
        channels: list[Any] = []
        for before, channel in zip(self.channels, planes.channels, strict=True):
            low, high = (
                (before["offset"] + before["scale"] * before[name] - channel["offset"]) / channel["scale"]
                for name in ("low", "high")
            )
            channels.append({**before, **channel, "low": low, "high": high})
        self._planes.image = planes
        with self.hold_sync():
            self.first = {}
            self.volume = {**self.volume, "shape": shape, "source": source}
            self.channels = channels
            self.position = list(position or [size // 2 for size in shape])

    def _repr_mimebundle_(self, **keywords: Any) -> Any:
        """Return the widget with a summary, and publish a picture before it; for viewers without a kernel."""
        self._displayed = True
        self._offer_first()
        self._saved_picture.show()
        bundle = super()._repr_mimebundle_(**keywords)
        if bundle is None:
            return None
        data, metadata = bundle
        return {**data, "text/plain": self.summary()}, metadata

    def send(self, content: Any, buffers: Any = None) -> None:
        """Send a message to the browser: what it tells may be in the picture, too."""
        super().send(content, buffers)
        self._touch()

    @functools.cached_property
    def _saved_picture(self) -> SavedPicture:
        return SavedPicture(self._full_picture, first=self.picture)

    def _touch(self, _change: Any = None) -> None:
        self._saved_picture.touch()

    def close(self) -> None:
        """Close the widget, and leave its picture as it is."""
        self._saved_picture.close()
        super().close()

    def summary(self) -> str:
        """Return a one-line summary of the widget."""
        shape = " × ".join(map(str, self.volume["shape"][3 - self.volume["ndim"] :]))
        count = len(self.channels)
        return f"{type(self).__name__} of an image of {shape} pixels" + f" in {count} channels" * (count > 1)

    def picture(self) -> bytes:
        """Return the shown plane as a PNG image, with its overlays."""
        axis = self.axis
        index, step = self.position[axis], self._first_step()
        plane = self._planes.image.plane(axis, index)[:, ::step, ::step]
        picture = snapshot.compose_channels(self._planes.image.encode(plane), self.channels)
        self._paint_over(picture, axis, index, step)
        row, col = (size for other, size in enumerate(self.volume["spacing"]) if other != axis)
        return snapshot.encode_png(picture, (row, col))

    def _full_picture(self) -> bytes:
        """Return a picture of more than the shown plane, where there is more."""
        return self.picture()

    def _paint_over(self, picture: np.ndarray, axis: int, index: int, step: int) -> None:
        """Draw overlays on an image of every `step`-th pixel of a plane."""

    def _first_step(self) -> int:
        rows, cols = (size for axis, size in enumerate(self.volume["shape"]) if axis != self.axis)
        step = 1
        while -(-rows // step) * -(-cols // step) > _FIRST_PIXELS:
            step += 1
        return step

    def _offer_first(self) -> None:
        """Send the plane with the widget, unless the browser has already requested planes."""
        if self._asked:
            return
        shape = [size for axis, size in enumerate(self.volume["shape"]) if axis != self.axis]
        request = {
            "axis": self.axis,
            "index": self.position[self.axis],
            "region": [0, 0, *shape],
            "step": self._first_step(),
        }
        answer, buffers = self._planes.answer({**request, "layers": self.layers})
        self.first = {"plane": answer, "buffers": list(map(bytes, buffers)), **self._first_overlay(request)}

    def _first_overlay(self, _request: Mapping[str, Any]) -> First:
        return {}

    @traitlets.validate("position")
    def _check_position(self, proposal: Any) -> list[int]:
        shape = self.volume.get("shape", [1, 1, 1])
        if len(proposal.value) != 3 or any(i >= n for i, n in zip(proposal.value, shape, strict=True)):
            raise checks.invalid("position", f"a voxel within {tuple(shape)}", proposal.value)
        return list(proposal.value)

    def _dispatch(self, _widget: Any, content: Any, buffers: list[Any]) -> None:
        try:
            handle = self._handlers[checks.check_option("kind", content["kind"], self._handlers)]
            handle({**content, "buffers": buffers} if buffers else content)
        except Exception as failure:
            self._show_failure(failure)

    def _show_failure(self, failure: Exception) -> None:
        self.error = str(failure) or type(failure).__name__
        self.log.debug("".join(traceback.format_exception(failure)))

    def _answer_plane(self, content: Mapping[str, Any]) -> None:
        if content.get("source", 0) != self.volume["source"]:
            return  # of an image that is no longer shown
        if not self._asked:
            self._asked = True
            self.first = {}
        answer, buffers = self._planes.answer(content)
        self.send(answer, buffers)


def image_planes(image: np.ndarray, channel_names: Sequence[str] | None) -> ImagePlanes:
    """Return the planes of an image (c, z, y, x) with the contrast to begin with."""
    planes = ImagePlanes(image)
    if is_color_picture(channel_names):
        planes.share_contrast()
    return planes


def describe_image(
    planes: ImagePlanes,
    ndim: int,
    spacing: Sequence[float] | None,
    unit: str | None,
    channel_names: Sequence[str] | None,
) -> dict[str, Any]:
    """Return the traits of `SliceWidget` that describe an image; see its parameters."""
    sizes = (1.0,) * 3 if spacing is None else (*(1.0,) * (3 - ndim), *spacing)
    shape = planes.image.shape[1:]
    named = describe_channels(len(planes.image), channel_names)
    return {
        "volume": {
            "shape": list(shape),
            "ndim": ndim,
            "spacing": list(sizes),
            "unit": checks.check_unit(unit, spacing) or "µm",
            "dtype": str(planes.image.dtype),
            "source": 0,
        },
        "channels": [
            {**channel, **name, "visible": True, "gamma": 1.0, "map": ""}
            for channel, name in zip(planes.channels, named, strict=True)
        ],
        "position": [size // 2 for size in shape],
    }


def spatial_image(
    image: Any, ndim: int, *, reference: np.ndarray | None = None, name: str = "labels"
) -> np.ndarray:
    """Return an image as (c, z, y, x), a 2D one with a single plane; see `check_image`."""
    shape = None if reference is None else reference.shape
    channels = checks.check_image(image, shape, ndim=ndim, shape_of=name)
    return channels if ndim == 3 else channels[:, np.newaxis]
