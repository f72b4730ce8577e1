"""The image file formats: what a file says about its axes and voxel size, and its pixels on request.

Axes are named ``t c z y x``, ``s`` for the samples of a colour picture, and ``?`` where the file is silent.
"""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from objclass._common.files import content_uuid

Index = tuple[int | slice, ...]

# An inch is missing on purpose: it is the resolution of a printer, not of a microscope.
MICROMETRES = {
    **dict.fromkeys(("um", "µm", "μm", "\\u00b5m", "micron", "microns", "micrometer", "micrometre"), 1.0),
    **dict.fromkeys(("å", "angstrom"), 1e-4),
    **dict.fromkeys(("pm", "picometer", "picometre"), 1e-6),
    **dict.fromkeys(("nm", "nanometer", "nanometre"), 1e-3),
    **dict.fromkeys(("mm", "millimeter", "millimetre"), 1e3),
    **dict.fromkeys(("cm", "centimeter", "centimetre"), 1e4),
    **dict.fromkeys(("m", "meter", "metre"), 1e6),
}


@dataclass(frozen=True)
class StoredImage:
    """An image in a file, its pixels still unread.

    Attributes
    ----------
    axes : str
        One letter per axis, in the order of the file.
    shape : tuple of int
        The length of each axis.
    read : callable
        Returns the pixels at an index over these axes.
    spacing : mapping
        Micrometres between pixels, by axis, as far as the file knows them.
    """

    axes: str
    shape: tuple[int, ...]
    read: Callable[[Index], np.ndarray]
    spacing: Mapping[str, float] = field(default_factory=dict)


def to_micrometres(value: object, unit: object) -> float | None:
    """Return the length `value` in micrometres; None where value or unit make no voxel size."""
    factor = MICROMETRES.get(str(unit).strip().lower())
    try:
        length = abs(float(value))  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return None
    return length * factor if factor and 0 < length < float("inf") else None


def known(spacing: Mapping[str, float | None]) -> dict[str, float]:
    """Return the axes whose spacing is known."""
    return {axis: value for axis, value in spacing.items() if value is not None}


# TIFF ---------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def open_tiff(path: Path) -> Iterator[StoredImage]:
    """Open the first image of a TIFF, ImageJ or OME-TIFF file."""
    import tifffile

    with contextlib.ExitStack() as stack:
        with _complaints_are_errors():
            tiff = stack.enter_context(tifffile.TiffFile(path))
            _check_complete(tiff, path.stat().st_size)
            series = tiff.series[0]
        spacing = {}
        if tiff.is_ome:
            spacing = _ome_spacing(tiff.ome_metadata)
        elif tiff.is_imagej:
            spacing = _imagej_spacing(tiff)

        def read(index: Index) -> np.ndarray:
            with _complaints_are_errors():
                if all(isinstance(i, slice) for i in index):
                    return series.asarray()
                import zarr

                return np.asarray(zarr.open_array(series.aszarr(level=0), mode="r")[index])

        axes = "".join(a if a in "tczyxs" else "?" for a in series.axes.lower())
        yield StoredImage(axes, series.shape, read, spacing)


def _check_complete(tiff: Any, size: int) -> None:
    for page in tiff.pages:
        for offset, count in zip(page.dataoffsets, page.databytecounts, strict=True):
            if offset + count > size:
                raise EOFError(f"it ends at byte {size}, but pixels should reach to {offset + count}")


@contextlib.contextmanager
def _complaints_are_errors() -> Iterator[None]:
    """Raise what tifffile would only log: an error, or that it puts zeros where pixels are missing."""
    complaints: list[str] = []
    thread = threading.get_ident()

    class Collect(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            message = record.getMessage()
            if record.thread == thread and (record.levelno >= logging.ERROR or "zeroed" in message):
                complaints.append(message)

    handler, logger = Collect(), logging.getLogger("tifffile")
    level = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.WARNING)  # however quiet the user wants the logs to be
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)
    if complaints:
        raise OSError(complaints[0])


def _imagej_spacing(tiff: Any) -> dict[str, float]:
    metadata = tiff.imagej_metadata or {}
    unit = metadata.get("unit")
    tags = tiff.pages[0].tags

    def pixel_size(name: str) -> float | None:
        pixels, units = tags[name].value if name in tags else (1, 1)
        return units / pixels if pixels else None

    # ImageJ leaves out what is 1.0, and the units of y and z where they are that of x.
    sizes = {
        "z": metadata.get("spacing", 1.0),
        "y": pixel_size("YResolution"),
        "x": pixel_size("XResolution"),
    }
    return known({a: to_micrometres(size, metadata.get(f"{a}unit", unit)) for a, size in sizes.items()})


def _ome_spacing(xml: str | None) -> dict[str, float]:
    from xml.etree import ElementTree

    pixels = ElementTree.fromstring(xml or "<OME/>").find(".//{*}Pixels")
    attributes = {} if pixels is None else pixels.attrib
    return known(
        {
            a: to_micrometres(
                attributes.get(f"PhysicalSize{a.upper()}"),
                attributes.get(f"PhysicalSize{a.upper()}Unit", "µm"),
            )
            for a in "zyx"
        }
    )


def write_tiff(path: Path, array: np.ndarray, axes: str, *, spacing: Mapping[str, float], ome: bool) -> None:
    """Write `array`, compressed without loss, with OME metadata or with those that ImageJ writes."""
    import tifffile

    if "c" in axes and not ome:  # ImageJ's order is z c y x
        order = "".join(a for a in "zcyx" if a in axes)
        array = array.transpose([axes.index(a) for a in order])
        axes = order
    options: dict[str, Any] = {"photometric": "minisblack", "compression": "zlib"}
    if ome:
        sizes = {f"PhysicalSize{a.upper()}": size for a, size in spacing.items()}
        units = {f"{name}Unit": "µm" for name in sizes}
        identifier = content_uuid(np.ascontiguousarray(array), axes, sizes)
        metadata = {"axes": axes.upper(), **sizes, **units, "UUID": identifier}
        tifffile.imwrite(path, array, ome=True, metadata=metadata, **options)
        return
    extra: dict[str, Any] = {}
    if spacing:
        extra = {"unit": "um", "spacing": spacing["z"]} if "z" in spacing else {"unit": "um"}
        options |= {"resolution": (1 / spacing["x"], 1 / spacing["y"]), "resolutionunit": "NONE"}
    # Described by hand, as the writer has an ImageJ mode for fewer types than ImageJ reads: not for int32.
    description = tifffile.imagej_description(array.shape, axes=axes.upper(), rgb=False, loop=False, **extra)
    tifffile.imwrite(path, array, description=description, metadata=None, **options)


# OME-Zarr -----------------------------------------------------------------------------------------------


@contextlib.contextmanager
def open_zarr(path: Path) -> Iterator[StoredImage]:
    """Open the full resolution of an OME-Zarr image (NGFF 0.4 or 0.5), or a bare Zarr array."""
    array, axes, spacing = find_zarr_array(path)
    yield StoredImage(axes, array.shape, lambda index: np.asarray(array[index]), spacing)


def find_zarr_array(path: Path) -> tuple[Any, str, dict[str, float]]:
    """Return the Zarr array of the full resolution, its axes, and its spacing in micrometres."""
    import zarr

    node: Any = zarr.open(path, mode="r")
    if isinstance(node, zarr.Array):
        return node, _unnamed(node.ndim), {}
    metadata = _ome_attributes(node)
    if "multiscales" not in metadata and "bioformats2raw.layout" in metadata:
        node = node["0"]
        metadata = _ome_attributes(node)
    if not metadata.get("multiscales"):
        raise ValueError(f"it is a Zarr group without an image in it; its members are {sorted(node)}")
    image = metadata["multiscales"][0]
    level = image["datasets"][0]
    names = [axis["name"].lower() for axis in image["axes"]]
    axes = "".join(name if name in "tczyx" else "?" for name in names)
    scale = np.ones(len(axes))
    for transform in (
        *level.get("coordinateTransformations", ()),
        *image.get("coordinateTransformations", ()),
    ):
        scale = scale * transform.get("scale", 1.0)
    units = [axis.get("unit") for axis in image["axes"]]
    sizes = {a: to_micrometres(s, u) for a, s, u in zip(axes, scale, units, strict=True) if a in "zyx"}
    return node[level["path"]], axes, known(sizes)


def _ome_attributes(group: Any) -> dict[str, Any]:
    attributes = group.attrs.asdict()
    return attributes.get("ome", attributes)  # NGFF 0.5 keeps them under "ome", 0.4 at the top


def write_zarr(path: Path, array: np.ndarray, axes: str, *, spacing: Mapping[str, float]) -> None:
    """Write `array` as an OME-Zarr image (NGFF 0.5) of one resolution."""
    group = create_zarr(path, axes, spacing=spacing, factors=[[1] * array.ndim])
    group.create_array("0", data=array, chunks=zarr_chunks(array.shape, axes), dimension_names=list(axes))


def create_zarr(
    path: Path, axes: str, *, spacing: Mapping[str, float], factors: Sequence[Sequence[int]]
) -> Any:
    """Make an OME-Zarr image (NGFF 0.5) without pixels; `factors` tell how coarse each resolution is."""
    import zarr

    kinds = {"c": {"type": "channel"}}
    unit = {"unit": "micrometer"} if spacing else {}

    def place(level: int, coarse: Sequence[int]) -> dict[str, Any]:
        scale = [spacing.get(a, 1.0) * factor for a, factor in zip(axes, coarse, strict=True)]
        return {"path": str(level), "coordinateTransformations": [{"type": "scale", "scale": scale}]}

    image = {
        "axes": [{"name": a, **kinds.get(a, {"type": "space", **unit})} for a in axes],
        "datasets": [place(*level) for level in enumerate(factors)],
    }
    return zarr.create_group(path, attributes={"ome": {"version": "0.5", "multiscales": [image]}})


def zarr_chunks(shape: Sequence[int], axes: str) -> tuple[int, ...]:
    """Return the chunks in which arrays are stored."""
    return tuple(
        min(n, 1 if a == "c" else 64 if "z" in axes else 1024) for n, a in zip(shape, axes, strict=True)
    )


# NPY and PNG --------------------------------------------------------------------------------------------


def _unnamed(ndim: int) -> str:
    return "yx"[-ndim:].rjust(ndim, "?")


@contextlib.contextmanager
def open_npy(path: Path) -> Iterator[StoredImage]:
    """Open an array that NumPy saved."""
    array = np.load(path, mmap_mode="r", allow_pickle=False)
    yield StoredImage(_unnamed(array.ndim), array.shape, lambda index: np.array(array[index]))


@contextlib.contextmanager
def open_png(path: Path) -> Iterator[StoredImage]:
    """Open a PNG picture, grey or in colour."""
    import imagecodecs

    array = imagecodecs.png_decode(path.read_bytes())
    yield StoredImage("yxs"[: array.ndim], array.shape, lambda index: array[index])


def write_png(path: Path, array: np.ndarray, axes: str) -> None:
    """Write a grey picture (y, x) or one in colour (c, y, x)."""
    import imagecodecs

    picture = np.moveaxis(array, 0, -1) if "c" in axes else array
    path.write_bytes(imagecodecs.png_encode(np.ascontiguousarray(picture)))
