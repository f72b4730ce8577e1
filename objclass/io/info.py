"""Metadata of an image: axes, voxel size, names of series and channels."""

from __future__ import annotations

import unicodedata
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

Index = tuple[int | slice, ...]

# Inches are omitted on purpose: they are the resolution of a printer, not of a microscope.
MICROMETRES = {
    **dict.fromkeys(("um", "μm", "\\u00b5m", "micron", "micrometer", "micrometre"), 1.0),
    **dict.fromkeys(("å", "angstrom"), 1e-4),
    **dict.fromkeys(("pm", "picometer", "picometre"), 1e-6),
    **dict.fromkeys(("nm", "nanometer", "nanometre"), 1e-3),
    **dict.fromkeys(("mm", "millimeter", "millimetre"), 1e3),
    **dict.fromkeys(("cm", "centimeter", "centimetre"), 1e4),
    **dict.fromkeys(("m", "meter", "metre"), 1e6),
}


@dataclass(frozen=True)
class StoredImage:
    """An image in a file whose pixels have not been read.

    Attributes
    ----------
    axes : str
        One letter per axis, in the order of the file: ``t c z y x``, ``s`` for the samples of an RGB
        image, and ``?`` for an unnamed axis.
    shape : tuple of int
        The length of each axis.
    dtype : dtype
        The dtype of the pixels.
    read : callable
        Return the pixels at an index over these axes.
    name : str
        The name of the series.
    spacing : mapping
        The pixel spacing in micrometres along each axis for which it is known.
    source : str
        Where the spacing comes from.
    channel_names : tuple of str
        The names of the channels; empty if the file has none.
    is_rgb : bool
        Whether the samples are red, green and blue.
    is_lossy : bool
        Whether the compression has changed the values, as that of JPEG.
    files : tuple of path
        The files that the image is stored in.
    array : array, optional
        The array in the file, if any process can read parts of it.
    is_in_memory : bool
        Whether all pixels are in memory while the file is open.
    """

    axes: str
    shape: tuple[int, ...]
    dtype: np.dtype
    read: Callable[[Index], np.ndarray]
    name: str = ""
    spacing: Mapping[str, float] = field(default_factory=dict)
    source: str = ""
    channel_names: tuple[str, ...] = ()
    is_rgb: bool = False
    is_lossy: bool = False
    files: tuple[Path, ...] = ()
    array: Any = None
    is_in_memory: bool = False


@dataclass(frozen=True)
class ImageInfo:
    """The metadata of an image in a file.

    Attributes
    ----------
    name : str
        The name of the series; empty if the file has none.
    series : int
        Its index, for ``imread(path, series=…)``.
    shape : tuple of int
        The shape of the array that `imread` returns, with a leading time axis for a time series.
    axes : str
        A letter for each axis of `shape`, of ``t c z y x``; ``?`` for an unnamed axis.
    dtype : dtype
        The type of the pixels.
    spacing : tuple of float or None
        The voxel size along the spatial axes, (z, y, x) or (y, x), in `unit`; None if unknown.
    unit : str or None
        ``"micrometer"``, to which other units are converted; None if the voxel size is unknown.
    spacing_source : str
        Where the voxel size comes from, as ``"OME-XML"``; empty if it is unknown.
    channel_names : tuple of str
        The names of the channels; empty if the file has none.
    n_frames : int or None
        The number of time points; None if the image is not a time series.
    is_rgb : bool
        Whether the channels are red, green and blue.
    files : tuple of path
        The files that contain the image: several if it is split by planes.

    Examples
    --------
    >>> import tempfile, numpy as np, objclass
    >>> folder = tempfile.TemporaryDirectory()
    >>> objclass.imwrite(f"{folder.name}/stack.tif", np.zeros((2, 5, 64, 32), np.uint16), spacing=0.5)
    >>> (info,) = objclass.image_info(f"{folder.name}/stack.tif")
    >>> info.axes, info.shape, info.spacing, info.n_channels
    ('czyx', (2, 5, 64, 32), (0.5, 0.5, 0.5), 2)
    >>> folder.cleanup()
    """

    name: str
    series: int
    shape: tuple[int, ...]
    axes: str
    dtype: np.dtype
    spacing: tuple[float, ...] | None
    unit: str | None
    spacing_source: str
    channel_names: tuple[str, ...]
    n_frames: int | None
    is_rgb: bool
    files: tuple[Path, ...]

    @property
    def ndim(self) -> int:
        """The number of spatial axes, 2 or 3."""
        return sum(axis in "zyx" for axis in self.axes)

    @property
    def n_channels(self) -> int:
        """The number of channels; 1 if there is no channel axis."""
        return self.shape[self.axes.index("c")] if "c" in self.axes else 1


def to_micrometres(value: object, unit: object) -> float | None:
    """Return the length `value` in micrometres; None if value or unit are not valid for a voxel size."""
    name = unicodedata.normalize("NFKC", str(unit)).strip(" \t\r\n\0").lower()  # micro sign to Greek mu
    factor = MICROMETRES.get(name, MICROMETRES.get(name.removesuffix("s")))
    try:
        length = abs(float(value.replace(",", ".") if isinstance(value, str) else value))  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return None
    return length * factor if factor and 0 < length < float("inf") else None


def report_orientation(path: Path, orientation: object) -> None:
    """Warn if a tag asks viewers to turn or mirror an image, which is read as it is stored."""
    if orientation in range(2, 9):
        warnings.warn(
            f"{path.name}: its orientation tag is {orientation}: other programs show it turned or mirrored, "
            "here it is read as it is stored.",
            stacklevel=2,
        )


def report_unit(name: str, value: object, unit: object) -> None:
    """Warn if a voxel size is not used since its unit is missing or unknown; 1 means not calibrated."""
    if to_micrometres(value, "um") in (None, 1.0) or to_micrometres(value, unit) is not None:
        return
    which = "no unit" if unit is None else f"the unit {unit!r}, which is not known"
    warnings.warn(
        f"{name}: its voxel size, {value}, has {which}: it is not used. Pass spacing.", stacklevel=2
    )


def report_missing_chunks(name: str, n_missing: int, n_chunks: int, value: object) -> None:
    """Warn if chunks of an array are not in its file and are read as its fill value."""
    if n_missing > 0:
        warnings.warn(
            f"{name}: {n_missing} of {n_chunks} chunks are missing and are read as {value}. "
            "Some writers omit chunks that contain only this value; if yours does not, copy the image again.",
            stacklevel=2,
        )


def known(spacing: Mapping[str, float | None]) -> dict[str, float]:
    """Return the axes whose spacing is known."""
    return {axis: value for axis, value in spacing.items() if value is not None}


def unnamed(ndim: int) -> str:
    """Return the axes of an array of rank `ndim` without metadata."""
    return "yx"[-ndim:].rjust(ndim, "?")
