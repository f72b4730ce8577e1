"""Reading of images in runs and batches: part of a file, voxel size and checksum."""

from __future__ import annotations

import hashlib
import os
import re
import warnings
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np

from objclass._common.checks import channel_numbers, check_number, check_spacing, first_few, invalid
from objclass._common.files import AnyPath

if TYPE_CHECKING:
    import pandas as pd

    from objclass.io.info import ImageInfo
    from objclass.io.opening import OpenFile

Channels = int | str | tuple[int | str, ...]

UNIT, SYMBOL, NO_UNIT = "micrometer", "µm", "pixel"


@dataclass(frozen=True)
class Reading:
    """How images are read from files.

    Parameters
    ----------
    axes : str, optional
        The axes, as for `objclass.imread`, if files do not name them.
    series, frame : int, optional
        The image in a file, and the time point of a series; by default all in a batch.
    channel : int, str or tuple of these, optional
        The channels to segment on, by index or name; by default all. All channels are measured.
    spacing : float or tuple of float, optional
        The voxel size in micrometres, which overrides that of the files.
    default_spacing : float or tuple of float, optional
        The voxel size in micrometres of files without one.
    """

    axes: str | None = None
    series: int | None = None
    frame: int | None = None
    channel: Channels | None = None
    spacing: float | tuple[float, ...] | None = None
    default_spacing: float | tuple[float, ...] | None = None

    def __post_init__(self) -> None:
        for name in ("series", "frame"):
            if getattr(self, name) is not None:
                check_number(name, getattr(self, name), low=0, integer=True)
        for name in ("spacing", "default_spacing", "channel"):
            value = getattr(self, name)
            if isinstance(value, (list, np.ndarray)):
                object.__setattr__(self, name, tuple(value))
        for name in ("spacing", "default_spacing"):
            value = getattr(self, name)
            if value is not None:
                plain = tuple(map(float, value)) if isinstance(value, tuple) else float(value)
                check_spacing(plain, len(plain) if isinstance(plain, tuple) else 1, argument=name)
                object.__setattr__(self, name, plain)
        if self.spacing is not None and self.default_spacing is not None:
            raise invalid("default_spacing", "either a spacing or a default_spacing", "both")

    def read(
        self,
        path: AnyPath,
        ndim: int,
        partner: str,
        *,
        channel_names: Sequence[str] = (),
    ) -> Picture:
        """Read the image of a file that the parameters select, see `read_open`."""
        from objclass.io.opening import open_file

        with open_file(path) as file:
            return self.read_open(file, ndim, partner, channel_names=channel_names)

    def read_open(
        self,
        file: OpenFile,
        ndim: int,
        partner: str,
        *,
        series: int | None = None,
        frame: int | None = None,
        channel_names: Sequence[str] = (),
    ) -> Picture:
        """Read an image of an open file that must have `ndim` spatial axes, like `partner`.

        By default, series and time point are those of the parameters. If no channels were selected, channels
        are reordered to `channel_names` if the file has the same names; if it has more, these are selected.
        """
        from objclass.io.images import read_as

        series = self.series if series is None else series
        frame = self.frame if frame is None else frame
        if series is None and len(file.series) > 1:
            _refuse_several("image", file.path, [stored.name for stored in file.series])
        opened = file.image(series or 0, axes=self.axes)
        wanted = channel_names if self.channel is None else ()
        image, info = read_as(opened, ndim, partner, frame=frame, channel_names=wanted)
        spacing, source = self.voxel_size(info.spacing, info.spacing_source, info.ndim)
        picture = Picture(
            image=image,
            ndim=info.ndim,
            spacing=spacing,
            spacing_source=source,
            channel_names=info.channel_names,
            channels=self._channels(image, info, channel_names),
            is_rgb=info.is_rgb,
            series=info.series,
            series_name=info.name,
            frame=frame,
        )
        if self.channel is None:
            _report_channels(file.path, picture, channel_names)
        return picture

    def voxel_size(
        self, stored: tuple[float, ...] | None, source: str, ndim: int
    ) -> tuple[tuple[float, ...] | None, str]:
        """Return the voxel size of an image and where it comes from, given that of its file."""
        if self.spacing is not None:
            return check_spacing(self.spacing, ndim), "spacing"
        if stored is None and self.default_spacing is not None:
            return check_spacing(self.default_spacing, ndim, argument="default_spacing"), "default_spacing"
        return stored, source

    def _channels(self, image: np.ndarray, info: Any, wanted: Sequence[str]) -> tuple[int, ...] | None:
        names = info.channel_names
        if self.channel is not None:
            return channel_numbers(self.channel, names, len(image) if image.ndim > info.ndim else 1)
        if 0 < len(wanted) < len(names) and all(names.count(name) == 1 for name in wanted):
            return channel_numbers(tuple(wanted), names, len(names))
        return None


@dataclass(frozen=True)
class Picture:
    """An image with the metadata of its file.

    Attributes
    ----------
    image : array
        (z, y, x) or (y, x), or with channels first; all channels.
    ndim : int
        The number of spatial axes.
    spacing : tuple of float or None
        The voxel size in micrometres; None if unknown.
    spacing_source : str
        The source of the voxel size.
    channel_names : tuple of str
        The names of the channels in the file.
    channels : tuple of int or None
        The channels to segment on; None for all.
    is_rgb : bool
        Whether the channels are red, green and blue.
    series, frame : int or None
        The image in the file.
    series_name : str
        The name of the series, as the well and the field of a plate; empty if it has none.
    """

    image: np.ndarray
    ndim: int
    spacing: tuple[float, ...] | None = None
    spacing_source: str = ""
    channel_names: tuple[str, ...] = ()
    channels: tuple[int, ...] | None = None
    is_rgb: bool = False
    series: int = 0
    frame: int | None = None
    series_name: str = ""

    @property
    def unit(self) -> str:
        """The unit of length in a table."""
        return NO_UNIT if self.spacing is None else UNIT

    @property
    def symbol(self) -> str | None:
        """The unit of the voxel size as `objclass.measure` takes it."""
        return None if self.spacing is None else SYMBOL

    @property
    def segmented_names(self) -> tuple[str, ...] | None:
        """The names of the channels to segment on; None if they are unknown or not unique."""
        names = self.channel_names
        if self.channels is not None and names:
            names = tuple(names[n] for n in self.channels)
        return names if names and len({*names}) == len(names) else None

    @property
    def segmented(self) -> np.ndarray:
        """The channels to segment on."""
        if self.channels is None or self.image.ndim == self.ndim:
            return self.image
        chosen = self.image[list(self.channels)]
        return chosen[0] if len(self.channels) == 1 else chosen

    def describe(self) -> dict[str, Any]:
        """Return the entry of the image in a record: the part that was used, and a checksum of the pixels."""
        return {
            "series": self.series,
            "frame": self.frame,
            "shape": list(self.image.shape),
            "dtype": str(self.image.dtype),
            "channel_names": list(self.channel_names),
            "channels": None if self.channels is None else list(self.channels),
            "spacing": None if self.spacing is None else list(self.spacing),
            "unit": self.unit,
            "spacing_source": self.spacing_source,
            "pixels_sha256": pixel_checksum(self.image),
        }


def pixel_checksum(image: np.ndarray) -> str:
    """Return the SHA-256 of the shape, dtype and values of an array."""
    plain = np.ascontiguousarray(image, image.dtype.newbyteorder("<"))
    digest = hashlib.sha256(f"{plain.shape} {plain.dtype.str}".encode())
    digest.update(plain.reshape(-1).view(np.uint8).data)
    return digest.hexdigest()


def check_one_unit(spacings: dict[str, tuple[float, ...] | None]) -> None:
    """Raise if some images have a voxel size and others have none: their sizes would differ in unit."""
    without = [name for name, spacing in spacings.items() if spacing is None]
    if without and len(without) < len(spacings):
        n_with = len(spacings) - len(without)
        got = f"{n_with} with a voxel size and {len(without)} without one: {first_few(without)}"
        hint = "Pass default_spacing (--default-spacing) for those without, or spacing (--spacing) for all."
        raise invalid("inputs", "images that all have a voxel size, or none", got, hint)


def measure_files(labels: AnyPath, image: AnyPath | None, reading: Reading) -> pd.DataFrame:
    """Measure the objects of a label image from any program; the voxel size comes from either file.

    Parameters
    ----------
    labels : path
        As for `objclass.read_labels`.
    image : path, optional
        The image, for intensities.
    reading : Reading
        Which part of the files, and the voxel size.

    Returns
    -------
    DataFrame
        As from `objclass.measure`, with a column ``unit`` after ``label``.
    """
    from objclass.io.labels import read_labels_and_spacing
    from objclass.io.opening import open_file
    from objclass.measurement.measuring import measure

    def choose(infos: Sequence[ImageInfo]) -> tuple[int | None, int | None]:
        """Take of the labels what is asked for; together with an image only if they have several."""
        series = reading.series if image is None or len(infos) > 1 else None
        if series is None and len(infos) > 1:
            _refuse_several("labels", labels, [info.name for info in infos])
        is_series = not infos or infos[min(series or 0, len(infos) - 1)].n_frames is not None
        return series, reading.frame if image is None or is_series else None

    if image is None:
        pixels = None
        found, stored = read_labels_and_spacing(labels, choose, axes=reading.axes)
    else:
        with open_file(image) as file:
            info = file.infos(reading.axes)[min(reading.series or 0, len(file.series) - 1)]
            shape = tuple(info.shape[-info.ndim :]) if "?" not in info.axes else None
            found, stored = read_labels_and_spacing(labels, choose, shape=shape)
            picture = reading.read_open(file, found.ndim, "the labels")
        pixels = picture.image
        own = None if picture.spacing_source == "default_spacing" else picture.spacing
        if reading.spacing is None and own and stored and not np.allclose(own, stored, rtol=0.01):
            got = f"{stored} and {own}"
            raise invalid("image", "the voxel size of the labels", got, "Say which with spacing (--spacing).")
        stored = own or stored
    spacing, _ = reading.voxel_size(stored, "", found.ndim)
    measured = Picture(found, found.ndim, spacing)
    table = measure(found, pixels, spacing=spacing, unit=measured.symbol)
    table.insert(1, "unit", measured.unit)
    return table


def warn_of_order(images: Sequence[AnyPath], others: Sequence[AnyPath], *, argument: str) -> None:
    """Warn if the file that belongs to an image by its place is not the one that is named like it."""
    names = [os.path.basename(other) for other in others]
    stems = [os.path.basename(image).partition(".")[0] for image in images]
    for image, stem, own in zip(images, stems, names, strict=True):
        word = re.compile(rf"(?<![^\W_]){re.escape(stem)}(?![^\W_])")
        like = [name for name in names if word.search(name)]
        if like and own not in like and stems.count(stem) == 1:
            warnings.warn(
                f"{argument}: {own} is taken for {os.path.basename(image)}, while {like[0]} is named like "
                "it. Were they given in the order of the images?",
                stacklevel=3,
            )
            return


def _report_channels(path: AnyPath, picture: Picture, wanted: Sequence[str]) -> None:
    """Warn if the channels to segment on have other names than those of the training."""
    names = picture.channel_names
    names = names if picture.channels is None else tuple(names[n] for n in picture.channels)
    if names and wanted and [name.casefold() for name in names] != [name.casefold() for name in wanted]:
        warnings.warn(
            f"{os.path.basename(path)}: its channels are {', '.join(names)}, in the training they are "
            f"{', '.join(wanted)}. Choose channels with channel= (--channel).",
            stacklevel=3,
        )


def _refuse_several(argument: str, path: AnyPath, names: Sequence[str]) -> NoReturn:
    shown = ", ".join(name or str(at) for at, name in enumerate(names[:8]))
    hint = f"Choose one with series= (--series), 0 to {len(names) - 1}; objclass batch does all."
    raise invalid(argument, "one image", f"{path}, which holds {len(names)} series ({shown})", hint)


def common_spacing(pictures: Iterable[Picture]) -> tuple[float, ...] | None:
    """Return the voxel size that all images have, or None; raise ValueError if they differ."""
    sizes = {picture.spacing for picture in pictures}
    if len(sizes) > 1:
        got = ", ".join(sorted(map(str, sizes)))
        raise invalid(
            "image", "images with the same voxel size", got, "Pass spacing (--spacing) for all of them."
        )
    return sizes.pop()
