"""The images of an annotator, each with what was painted on it and found in it."""

from __future__ import annotations

import os
import threading
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from objclass._common import checks
from objclass.pixels.sampling import describe_mixed_dtypes
from objclass.widgets.annotator import arguments
from objclass.widgets.annotator.autosave import check_save_to
from objclass.widgets.annotator.learning import AnnotatedPixels
from objclass.widgets.annotator.scribbles import Scribbles
from objclass.widgets.base import spatial_image
from objclass.widgets.channels import RGB, is_rgb, rgb_first, take_channels

if TYPE_CHECKING:
    from objclass.widgets.annotator.autosave import Autosave
    from objclass.widgets.planes import PlaneServer

_THUMBNAIL = 72
_CHOICES_KEPT = 2
_NAMELESS = "qi"
"""What tifffile calls axes that a file does not name: `imread` takes them as planes, in the same order."""
_SAME_SPACING = 0.01


@dataclass(frozen=True)
class Source:
    """Where an image comes from.

    Attributes
    ----------
    name : str
        Empty for an only image.
    read : callable
        Returns the image as the functions take it.
    glance : callable
        Returns the plane in its middle without reading more, channels first: (c, y, x).
    ndim, n_channels : int
    shape : tuple of int
        The spatial shape.
    dtype : dtype
        The type of the pixels.
    path : Path or None
        The file.
    spacing, unit, channel_names
        As in `annotate`; None where neither the caller nor the file tells.
    code : str
        The expression that reads it; empty for an array.
    was_rgb : bool
        Whether the array had its channels last.
    """

    name: str
    read: Callable[[], np.ndarray]
    glance: Callable[[], np.ndarray]
    ndim: int
    n_channels: int
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    spacing: tuple[float, ...] | None = None
    unit: str | None = None
    channel_names: Sequence[str] | None = None
    code: str = ""
    path: Path | None = None
    was_rgb: bool = False


@dataclass(eq=False)
class AnnotatedImage:
    """An image with its annotations and its objects; one from a file is opened when it is needed.

    Attributes
    ----------
    image : ndarray
        As the functions take it.
    channels : ndarray, (c, z, y, x)
    scribbles : Scribbles
    planes : PlaneServer or None
        Once it was shown.
    view : dict
        The traits that show it, as they were left.
    autosave : Autosave or None
    seen : dict
        The last scribble of each page that has arrived.
    labels : ndarray of int32 or None
    found : object
        What `labels` were made of.
    segmented_with : object
        The forest of the classifier that found `labels`.
    segmented_how : dict
        The options that were chosen for `labels`.
    objects_version : int
        Goes up with each new `labels`.
    """

    source: Source
    given: npt.ArrayLike | None = None
    save_to: Path | None = None
    planes: PlaneServer | None = None
    view: dict[str, Any] = field(default_factory=dict)
    autosave: Autosave | None = None
    seen: dict[str, int] = field(default_factory=dict)
    labels: np.ndarray | None = None
    found: Any = None
    segmented_with: object = None
    segmented_how: dict[str, Any] = field(default_factory=dict)
    objects_version: int = 0
    saved: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._opening = threading.RLock()
        self.is_open = False

    def open(self) -> AnnotatedImage:
        """Read or map what is in the files, once."""
        with self._opening:
            if not self.is_open:
                self.image = self.source.read()
                ndim = self.source.ndim
                self.channels = spatial_image(self.image, ndim)
                shape = self.channels.shape[1:]
                volume, planes = arguments.open_annotations(self.given, self.save_to, shape, ndim)
                self.scribbles = Scribbles(volume, planes=planes)
                self._pixels: dict[tuple[int, ...], AnnotatedPixels] = {}
                self.given, self.is_open = None, True
        return self

    def pixels(self, channels: tuple[int, ...]) -> AnnotatedPixels:
        """Return the annotated pixels in these channels, of which the last two choices are kept."""
        with self._opening:
            known = self._pixels.pop(channels, None)
            if known is None:
                chosen = take_channels(self.channels, channels)
                known = AnnotatedPixels(chosen, self.source.ndim, self.scribbles)
            self._pixels[channels] = known
            while len(self._pixels) > _CHOICES_KEPT:
                del self._pixels[next(iter(self._pixels))]
        return known

    def learned(self, channels: tuple[int, ...]) -> np.ndarray:
        """Return these channels of the image, as the functions take it."""
        if channels == tuple(range(len(self.channels))):
            return self.image
        flat = self.pixels(channels).flat
        return flat[0] if len(channels) == 1 else flat

    @property
    def name(self) -> str:
        """The name that the user has given."""
        return self.source.name

    @property
    def has_annotations(self) -> bool:
        """Whether something is painted; an image whose file of annotations exists is opened."""
        known = self.given is not None or (self.save_to is not None and self.save_to.exists())
        if not self.is_open and known:
            self.open()
        return self.is_open and bool(self.scribbles.class_sizes.any())

    @property
    def annotations(self) -> np.ndarray:
        """The annotations, of the spatial shape, as a read-only view."""
        volume = self.open().scribbles.volume
        view = (volume if self.source.ndim == 3 else volume[0])[...]
        view.flags.writeable = False
        return view

    def label_plane(self, axis: int, index: int) -> np.ndarray | None:
        """Return a plane of the objects, None where there are none."""
        if self.labels is None:
            return None
        volume = self.labels if self.source.ndim == 3 else self.labels[np.newaxis]
        return np.take(volume, index, axis=axis)

    def thumbnail(self) -> bytes:
        """Return a small PNG of the middle plane, read without opening the image."""
        from objclass.widgets.channels import describe_channels
        from objclass.widgets.snapshot import compose_channels, encode_png

        plane = self.source.glance()
        step = max(1, max(plane.shape[1:]) // (2 * _THUMBNAIL))
        plane = plane[:, ::step, ::step].astype(np.float32)
        described = describe_channels(len(plane), self.source.channel_names)
        limits = [np.percentile(channel, (0.5, 99.8)) for channel in plane]
        shown = [
            {**channel, "low": float(low), "high": float(max(high, low + 1e-9)), "visible": True}
            for channel, (low, high) in zip(described, limits, strict=True)
        ]
        return encode_png(compose_channels(plane, shown), longest=_THUMBNAIL)


def open_sources(
    image: Any, spacing: Any, unit: str | None, channel_names: Sequence[str] | None, annotations: Any
) -> list[Source]:
    """Return the sources of what was given to `annotate`; they have names if it is several images."""
    from objclass.io.images import image_info

    n_frames = image_info(image)[0].n_frames if isinstance(image, (str, os.PathLike)) else None
    named: list[tuple[str, Any, int | None]] = [("", image, None)]
    if isinstance(image, Mapping):
        if not image or not all(isinstance(name, str) and name for name in image):
            raise checks.invalid("image", "at least one image, each with a name", image)
        named = [(name, each, None) for name, each in image.items()]
    elif checks.is_list(image) or _are_paths(image):
        named = [(name, each, None) for name, each in zip(_names(image), image, strict=True)]
    elif n_frames is not None:
        named = [(f"frame {frame}", image, frame) for frame in range(n_frames)]
    sources = [
        _file_source(name, each, frame, spacing, unit, channel_names)
        if isinstance(each, (str, os.PathLike))
        else _array_source(name, each, spacing, unit, channel_names, None if name else annotations)
        for name, each, frame in named
    ]
    for source in sources[1:]:
        _check_alike(sources[0], source)
    return sources


def gather_images(sources: Sequence[Source], annotations: Any, save_to: Any) -> list[AnnotatedImage]:
    """Return the images with what they have of annotations and where these are saved; see `annotate`."""
    if not sources[0].name:
        path = None if save_to is None else check_save_to(save_to)
        return [AnnotatedImage(sources[0], annotations, path)]
    names = [source.name for source in sources]
    given = arguments.given_annotations(annotations, names)
    files: list[Path | None] = [None] * len(sources)
    if save_to is not None:
        paths = [source.path for source in sources if source.path is not None]
        files = [*arguments.annotation_files(save_to, names, paths)]
    return list(map(AnnotatedImage, sources, given, files))


def warn_of_pixels(sources: Sequence[Source], *, normalize: str | None, stacklevel: int) -> None:
    """Warn of 8 and 16 bits, and of an image that looks like labels: the first one, or one in memory."""
    several = len(sources) > 1
    for source in sources:
        if (source is sources[0] or not source.code) and checks.is_like_labels(source.glance()):
            name = f"image[{source.name!r}]: " if several else ""
            warnings.warn(f"{name}{checks.LIKE_LABELS}", stacklevel=stacklevel + 1)
    names = [f"image[{source.name!r}]" for source in sources]
    text = "" if normalize else describe_mixed_dtypes([source.dtype for source in sources], names)
    if text:
        warnings.warn(text, stacklevel=stacklevel + 1)


def _check_alike(first: Source, other: Source) -> None:
    """Raise unless one classifier can learn from both images."""
    if (first.ndim, first.n_channels) != (other.ndim, other.n_channels):
        expected = f"{first.n_channels} channels in {first.ndim}D as {first.name!r}"
        got = f"{other.n_channels} channels in {other.ndim}D"
        raise checks.invalid(f"image[{other.name!r}]", expected, got)
    names, others = (list(source.channel_names or ()) for source in (first, other))
    if names != others and sorted(names) == sorted(others):
        expected = f"the channels {', '.join(names)} in this order, as in {first.name!r}"
        hint = "Bring them into one order, as array[[1, 0]]."
        raise checks.invalid(f"image[{other.name!r}]", expected, ", ".join(others), hint)
    if first.spacing is None or other.spacing is None:
        same = first.spacing is other.spacing
    else:
        same = np.allclose(first.spacing, other.spacing, rtol=_SAME_SPACING)
    if not same:
        hint = "One classifier learns from images of one voxel size; spacing= gives that of all."
        expected, got = f"voxel size {first.spacing} as {first.name!r}", f"{other.spacing} of its file"
        raise checks.invalid(f"image[{other.name!r}]", expected, got, hint)


def _are_paths(image: Any) -> bool:
    paths = (str, os.PathLike)
    return isinstance(image, (list, tuple)) and any(isinstance(each, paths) for each in image)


def _names(images: Sequence[Any]) -> Iterator[str]:
    """Yield a name for each: that of a file as long as no other has it, else the number."""
    stems = [Path(each).stem if isinstance(each, (str, os.PathLike)) else "" for each in images]
    for number, stem in enumerate(stems):
        yield stem if stem and stems.count(stem) == 1 else f"{stem} {number}".strip()


def _array_source(
    name: str, image: Any, spacing: Any, unit: str | None, channel_names: Any, annotations: Any
) -> Source:
    array = checks.as_array(image)
    was_rgb = is_rgb(array)
    if was_rgb:
        array, channel_names = rgb_first(array), channel_names or RGB
    channels, ndim = arguments.check_input(array, annotations, spacing, channel_names)
    return Source(
        name=name,
        read=lambda: array,
        glance=lambda: channels[:, channels.shape[1] // 2],
        ndim=ndim,
        n_channels=len(channels),
        shape=channels.shape[4 - ndim :],
        dtype=array.dtype,
        spacing=checks.check_spacing(spacing, ndim),
        unit=unit,
        channel_names=channel_names,
        was_rgb=was_rgb,
    )


def _file_source(
    name: str, path: Any, frame: int | None, spacing: Any, unit: str | None, channel_names: Any
) -> Source:
    from objclass.io.images import image_info, imread
    from objclass.io.opening import check_named, open_image
    from objclass.widgets.replay import call

    info = image_info(path)[0]
    with open_image(path) as opened:
        check_named(opened)
    ndim = 3 if "z" in info.axes else 2
    given = checks.check_spacing(spacing, ndim)

    def read() -> np.ndarray:
        mapped = None if frame is not None else _map_tiff(path, info.axes, info.shape)
        return imread(path, frame=frame) if mapped is None else mapped

    def glance() -> np.ndarray:
        with open_image(path) as opened:
            return opened.read_plane(frame)

    keywords = {} if frame is None else {"frame": frame}
    return Source(
        name=name,
        read=read,
        glance=glance,
        ndim=ndim,
        n_channels=info.n_channels,
        shape=info.shape[-ndim:],
        dtype=info.dtype,
        spacing=given or info.spacing,
        unit=unit,
        channel_names=channel_names or (RGB if info.is_rgb else info.channel_names or None),
        code=call("objclass.imread", repr(os.fspath(path)), keywords=keywords),
        path=Path(path),
    )


def _map_tiff(path: Any, axes: str, shape: tuple[int, ...]) -> np.ndarray | None:
    """Map an uncompressed TIFF file into memory; None where that cannot be done."""
    import tifffile

    try:
        with tifffile.TiffFile(path) as tiff:
            stored = tiff.series[0]
            same = stored.shape == shape and all(
                one == other or one in _NAMELESS for one, other in zip(stored.axes.lower(), axes, strict=True)
            )
            if not same or stored.dataoffset is None:
                return None
        return tifffile.memmap(path, mode="r")
    except (ValueError, OSError, tifffile.TiffFileError):
        return None
