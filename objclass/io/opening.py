"""From a path to an image: choice of the reader, the series, the axes and the part to read."""

from __future__ import annotations

import contextlib
import logging
import math
import os
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from objclass._common.checks import channel_numbers, check_number, first_few, invalid
from objclass._common.files import AnyPath, check_exists, check_name
from objclass.io import microscopes, ngff, pictures, tiff
from objclass.io.info import ImageInfo, StoredImage

_log = logging.getLogger(__name__)

Opener = Callable[[Path], AbstractContextManager[list[StoredImage]]]
Channels = int | str | Sequence[int | str] | None
OPENERS: dict[str, Opener] = {
    **dict.fromkeys(tiff.SUFFIXES, tiff.open_tiff),
    **dict.fromkeys((".png", ".jpg", ".jpeg"), pictures.open_picture),
    ".npy": pictures.open_npy,
    ".zarr": ngff.open_zarr,
    ".czi": microscopes.open_czi,
    ".lif": microscopes.open_lif,
    ".nd2": microscopes.open_nd2,
    ".ims": microscopes.open_ims,
    **dict.fromkeys((".h5", ".hdf5"), microscopes.open_hdf5),
    **dict.fromkeys((".mrc", ".mrc.gz", ".rec"), microscopes.open_mrc),
    **dict.fromkeys((".nii", ".nii.gz"), microscopes.open_nifti),
}
"""The readers by suffix."""
_BY_CONTENT: dict[bytes, Opener] = {
    **dict.fromkeys((b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"), tiff.open_tiff),
    **dict.fromkeys((b"\x89PNG", b"\xff\xd8\xff"), pictures.open_picture),
    b"\x93NUMPY": pictures.open_npy,
}
"""The readers by the first bytes, for files whose name belongs to another format, or to none."""
MAX_BYTES = "OBJCLASS_MAX_IMAGE_GB"
"""The environment variable that sets the maximum size of an image in memory."""
_MOST_PLANES_OF_COLOURS = 16
"""With more of these along the first axis, and 3 or 4 along the last, an array is rather (y, x, colours)."""


@dataclass(frozen=True)
class OpenImage:
    """An image in an open file.

    Attributes
    ----------
    info : ImageInfo
        Its metadata.
    stored : StoredImage
        The image in the file.
    kept : list of int
        The axes of the file that are axes of the image.
    names : str
        Their names.
    path : str
        The file.
    """

    info: ImageInfo
    stored: StoredImage
    kept: list[int]
    names: str
    path: str

    def index(self, frame: int | None) -> list[int | slice]:
        """Return the index of one time point over the axes of the file."""
        index: list[int | slice] = [
            slice(None) if i in self.kept else 0 for i in range(len(self.stored.shape))
        ]
        if "t" in self.names:
            time = self.kept[self.names.index("t")]
            index[time] = _check_frame(self.path, frame, self.stored.shape[time])
        elif frame is not None:
            raise invalid("frame", f"None, as {_name(self.path)} is not a time series", frame)
        return index

    def read(self, frame: int | None = None, channel: Channels = None) -> np.ndarray:
        """Return the pixels of one time point, (z, y, x) or (y, x), channels first if there are any."""
        check_named(self)
        index, names = self.index(frame), self.names.replace("t", "")
        if channel is None:
            return _channels_first(self._pixels(index), names)
        count, own_names = self.info.n_channels, self.info.channel_names
        chosen = channel_numbers(channel, own_names, count, of=_name(self.path))
        axis = names.translate(str.maketrans("", "", "zyx"))
        if len(axis) == 1:
            at, rest = self.kept[self.names.index(axis)], names.replace(axis, "")
            parts = [_channels_first(self._pixels([*index[:at], n, *index[at + 1 :]]), rest) for n in chosen]
        else:  # none, or channels of several samples each
            array = _channels_first(self._pixels(index), names)
            parts = [array[n] if axis else array for n in chosen]
        return parts[0] if np.ndim(channel) == 0 else np.stack(parts)

    def read_plane(self, frame: int | None = None) -> np.ndarray:
        """Return the plane in the middle of the stack, channels first: (c, y, x)."""
        check_named(self)
        index, names = self.index(frame), self.names.replace("t", "")
        if "z" in names:
            at = self.kept[self.names.index("z")]
            index[at] = self.stored.shape[at] // 2
        plane = _channels_first(self._pixels(index), names.replace("z", ""))
        return plane if plane.ndim == 3 else plane[np.newaxis]

    def _pixels(self, index: list[int | slice]) -> np.ndarray:
        if self.stored.dtype.kind not in "biuf":
            hint = "Save their magnitude, np.abs(image), or their real part, image.real."
            got = f"{_name(self.path)}, of {self.stored.dtype.name} numbers"
            raise invalid(
                "path", "an image of real numbers", got, hint if self.stored.dtype.kind == "c" else ""
            )
        lengths = [n for n, part in zip(self.stored.shape, index, strict=True) if isinstance(part, slice)]
        check_size(self.path, math.prod(lengths) * self.stored.dtype.itemsize)
        with readable(self.path):
            return self.stored.read(tuple(index))


@dataclass(frozen=True)
class OpenFile:
    """An open file; its pages were walked once, whatever is asked of it.

    Attributes
    ----------
    path : str
        The file.
    series : list of StoredImage
        Its images, their pixels unread.
    """

    path: str
    series: list[StoredImage]

    def infos(self, axes: str | None = None) -> tuple[ImageInfo, ...]:
        """Return what the file says about each of its images."""
        return tuple(self.image(at, axes=axes).info for at in range(len(self.series)))

    def image(self, series: int | None = None, *, axes: str | None = None) -> OpenImage:
        """Return one image; without a number the first one, with a warning where there are more."""
        n_series = len(self.series)
        if series is None and n_series > 1:
            names = first_few([stored.name or at for at, stored in enumerate(self.series)])
            warnings.warn(
                f"{_name(self.path)}: the first of {n_series} series ({names}) is read. "
                f"Choose one with series=, 0 to {n_series - 1}.",
                stacklevel=5,
            )
        at = check_number("series", series or 0, low=0, high=n_series - 1, integer=True)
        return _describe(self.path, self.series[at], at, axes)


@contextlib.contextmanager
def open_file(path: AnyPath) -> Iterator[OpenFile]:
    """Open a file and look at what images it holds."""
    where, opener = _find_opener(path)
    with contextlib.ExitStack() as stack:
        with readable(os.fspath(path)):
            found = [_without_alpha(stored) for stored in _enter(stack, opener, where)]
        yield OpenFile(os.fspath(path), found)


def _enter(stack: contextlib.ExitStack, opener: Opener, path: Path) -> list[StoredImage]:
    """Open a file with the reader of its name; if that fails, with the one of its content."""
    try:
        return stack.enter_context(opener(path))
    except Exception:
        other = None if is_url(path) else _opener_by_content(path)
        if other is None or other is opener:
            raise
        return stack.enter_context(other(path))


@contextlib.contextmanager
def open_image(path: AnyPath, *, axes: str | None = None, series: int | None = None) -> Iterator[OpenImage]:
    """Open one image of a file.

    Parameters
    ----------
    path, axes, series
        As for `imread`.
    """
    with open_file(path) as file:
        yield file.image(series, axes=axes)


def _describe(path: AnyPath, stored: StoredImage, series: int, axes: str | None) -> OpenImage:
    """Return an image of a file with named axes."""
    if len(stored.shape) < 2:
        raise invalid("path", "an image", f"{_name(path)}, numbers of shape {stored.shape}")
    kept, names = _name_axes(path, stored, axes)
    lengths = dict(zip(names, (stored.shape[i] for i in kept), strict=True)) if "?" not in names else {}
    if lengths:
        merged = {**lengths, "c": lengths.get("c", 1) * lengths.get("s", 1)}
        order = [a for a in "tczyx" if a in names.replace("s", "c")]
        shape = tuple(merged[a] for a in order)
    else:
        order, shape = list(names), tuple(stored.shape[i] for i in kept)
    spacing = _spacing(path, stored, names)
    is_named = len(stored.channel_names) == lengths.get("c", 1) and "s" not in names
    info = ImageInfo(
        name=stored.name,
        series=series,
        shape=shape,
        axes="".join(order),
        dtype=stored.dtype.newbyteorder("="),
        spacing=spacing,
        unit=None if spacing is None else "micrometer",
        spacing_source="" if spacing is None else stored.source,
        channel_names=stored.channel_names if is_named else (),
        n_frames=lengths.get("t"),
        is_rgb=stored.is_rgb and lengths.get("s") == 3 and "c" not in names,
        files=stored.files,
    )
    return OpenImage(info, stored, kept, names, os.fspath(path))


def check_named(image: OpenImage) -> None:
    """Raise unless all axes of an image are named."""
    names = image.names
    if "?" in names or not {*"yx"} <= {*names} or len({*names}) < len(names):
        got = f"axes {_spell(names)} of shape {tuple(image.stored.shape[i] for i in image.kept)}"
        hint = "Name them, as in imread(path, axes='czyx') or imread(path, axes='tzyx', frame=0)."
        if image.stored.shape[-1] in (3, 4):
            hint += " Red, green and blue in the last axis: axes='yxs'."
        raise invalid("axes", f"to be given, as {_name(image.path)} does not name all of its axes", got, hint)


def check_lossless(image: OpenImage, argument: str) -> None:
    """Raise if the compression of a file has changed its values, which are numbers of classes or objects."""
    if image.stored.is_lossy:
        got = f"{_name(image.path)}, a JPEG, whose compression changes values"
        raise invalid(argument, "a file with the values as they were", got, "Save it as TIFF or PNG.")


@contextlib.contextmanager
def readable(path: AnyPath) -> Iterator[None]:
    """Convert any exception, since decoders raise many types, to one that says the file cannot be read."""
    try:
        yield
    except (UserWarning, ImportError):
        raise
    except Exception as error:  # including MemoryError: damaged files can request huge arrays
        reason = f"{os.fspath(path)} ({_reason(error)})"
        hint = "The file is damaged, incomplete or of another format; copy or export it again."
        kind = Path(path).suffix or "Zarr"
        raise invalid("path", f"a complete {kind} image", reason, hint) from error


def _reason(error: Exception) -> str:
    """Return why a file cannot be read; errors of Python in its metadata would not tell a user anything."""
    if isinstance(error, KeyError):
        return f"its metadata lack {error}"
    if isinstance(error, (LookupError, AttributeError, TypeError, AssertionError)):
        return "its metadata do not have the form of this format"
    return f"{type(error).__name__}: {error}"


def is_url(path: AnyPath) -> bool:
    """Return whether `path` is a URL."""
    return isinstance(path, str) and "://" in path


def _opener_by_content(path: Path) -> Opener | None:
    if not path.is_file():
        return None
    with path.open("rb") as file:
        head = file.read(6)
    return next((opener for begin, opener in _BY_CONTENT.items() if head.startswith(begin)), None)


def suffix_of(path: Path) -> str:
    """Return the suffix that identifies the format, including ``.nii.gz``."""
    double = "".join(path.suffixes[-2:]).lower()
    return double if double in OPENERS else path.suffix.lower()


def _name(path: AnyPath) -> str:
    return Path(path).name


def _find_opener(path: AnyPath) -> tuple[Path, Callable[..., AbstractContextManager[list[StoredImage]]]]:
    if is_url(path):
        return path, ngff.open_zarr  # type: ignore[return-value]
    where = check_name(path)
    opener = ngff.open_zarr if ngff.is_zarr(where) else OPENERS.get(suffix_of(where))
    opener = opener or _opener_by_content(where)
    if opener is None and (where.suffix or where.exists()):
        hint = "Fiji converts microscope formats to .tif."
        if where.suffix.lower() in (".zip", ".roi", ".geojson", ".json"):
            hint = "Read outlines with objclass.read_labels(path, shape=image.shape)."
        elif where.name.lower().endswith(".companion.ome"):
            hint = "It holds only the metadata: pass one of the OME-TIFF files that it belongs to."
        raise invalid("path", f"a name that ends in one of {', '.join(OPENERS)}", where.name, hint)
    check_exists(where)
    if opener is None or not (where.is_file() or where.is_dir()):
        raise invalid("path", "a file", f"{path}, a pipe or a device")
    if where.is_dir() and opener is not ngff.open_zarr:
        raise invalid("path", "a file", f"{path}, a folder", "Pass one of the images in it.")
    return where, opener


def _without_alpha(stored: StoredImage) -> StoredImage:
    """Return an RGB or greyscale image without its alpha channel if that is constant."""
    at = stored.axes.find("s")
    if at < 0 or stored.shape[at] != (4 if stored.is_rgb else 2):
        return stored
    colours = stored.shape[at] - 1
    alpha = stored.read(tuple(colours if i == at else slice(None) for i in range(len(stored.shape))))
    if alpha.min() != alpha.max():
        return stored

    def read(index: tuple[int | slice, ...]) -> np.ndarray:
        part = slice(colours) if isinstance(index[at], slice) else index[at]
        return stored.read((*index[:at], part, *index[at + 1 :]))

    return replace(stored, shape=(*stored.shape[:at], colours, *stored.shape[at + 1 :]), read=read)


def _spacing(path: AnyPath, stored: StoredImage, names: str) -> tuple[float, ...] | None:
    spatial = [a for a in "zyx" if a in names]
    if not stored.spacing:
        return None
    if not set(spatial) <= set(stored.spacing):
        missing = _spell(a for a in spatial if a not in stored.spacing)
        warnings.warn(
            f"{_name(path)}: its voxel size is known along {_spell(stored.spacing)} and not along {missing}: "
            "it is not used. Pass spacing.",
            stacklevel=2,
        )
        return None
    return tuple(stored.spacing[a] for a in spatial)


def _spell(axes: Iterable[str]) -> str:
    return f"({', '.join(axes)})"


def _name_axes(path: AnyPath, stored: StoredImage, axes: str | None) -> tuple[list[int], str]:
    """Return the axes of the file to keep, and their names."""

    def kept_under(names: str) -> list[int]:
        return [i for i, (n, a) in enumerate(zip(stored.shape, names, strict=True)) if n != 1 or a in "yx"]

    kept = kept_under(stored.axes)
    names = "".join(stored.axes[i] for i in kept)
    shape = tuple(stored.shape[i] for i in kept)
    if axes is not None:
        names = axes
        if len(axes) == len(stored.shape):
            kept = kept_under(axes)
            names = "".join(axes[i] for i in kept)
        if len(names) != len(kept) or len(set(names)) != len(names) or not {*"yx"} <= {*names} <= {*"tczyxs"}:
            expected = f"a letter of t c z y x s for each axis of {_name(path)}, which has shape {shape}"
            raise invalid("axes", expected, axes)
    elif names == "?yx" and not (shape[2] in (3, 4) and min(shape[:2]) > _MOST_PLANES_OF_COLOURS):
        names = names.replace("?", "z")
        _log.warning("%s does not name its axes: shape %s is taken as (z, y, x)", path, shape)
    return kept, names


def _check_frame(path: AnyPath, frame: int | None, n_frames: int) -> int:
    if frame is None:
        hint = f"Choose a time point with frame=, 0 to {n_frames - 1}, or rename the axis with axes=."
        raise invalid("path", "a single image", f"{_name(path)}, a time series of {n_frames} frames", hint)
    return check_number("frame", frame, low=0, high=n_frames - 1, integer=True)


def check_size(path: AnyPath, n_bytes: int) -> None:
    """Raise if an image is larger than memory; it may be many times as large as its compressed file."""
    limit = _max_bytes()
    if n_bytes > limit:
        hint = (
            "Read one channel or time point with channel= or frame=, or set the environment variable "
            f"{MAX_BYTES} to the maximum size in gigabytes."
        )
        expected = f"an image of at most {limit / 1e9:.3g} GB"
        raise invalid("path", expected, f"{os.fspath(path)}, of {n_bytes / 1e9:.3g} GB", hint)


def _max_bytes() -> float:
    given = os.environ.get(MAX_BYTES)
    if given is not None:
        try:
            return float(given) * 1e9
        except ValueError:
            raise invalid(MAX_BYTES, "a number of gigabytes", given) from None
    if hasattr(os, "sysconf"):
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return 32e9


def _channels_first(array: np.ndarray, names: str) -> np.ndarray:
    order = [a for a in "cszyx" if a in names]
    array = array.transpose([names.index(a) for a in order])
    if "c" in names and "s" in names:
        array = array.reshape(-1, *array.shape[2:])
    return np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("="))
