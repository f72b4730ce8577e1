"""Reading of labels from other programs: label images, coloured images, outlines, Cellpose's files."""

from __future__ import annotations

import json
import pickle
import re
import warnings
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from objclass._common.checks import IS_MASK, MASK, invalid, warn_like_image
from objclass._common.files import AnyPath, check_exists, check_name
from objclass.io.info import ImageInfo
from objclass.io.microscopes import needs
from objclass.io.ngff import is_zarr
from objclass.io.opening import (
    Channels,
    OpenImage,
    check_lossless,
    check_named,
    check_size,
    is_url,
    open_file,
    readable,
)
from objclass.io.pictures import read_npy_header

Rings = list[np.ndarray]
Outline = tuple[str, int | None, Rings]
"""The name of an object, its plane (None for all), and rings of points (x, y) around its parts and holes."""

_MOST_CLASSES = 16  # objects that fill an image are more
# The functions by which NumPy pickles arrays and scalars; none of them runs code from the file.
_UNPICKLED = {
    *(
        (f"numpy.{core}.multiarray", name)
        for core in ("core", "_core")
        for name in ("_reconstruct", "scalar")
    ),
    *((f"numpy.{core}.numeric", "_frombuffer") for core in ("core", "_core")),
    ("numpy", "ndarray"),
    ("numpy", "dtype"),
    ("_codecs", "encode"),
}


def read_labels(
    path: AnyPath,
    *,
    shape: Sequence[int] | None = None,
    axes: str | None = None,
    series: int | None = None,
    frame: int | None = None,
    channel: Channels = None,
) -> np.ndarray:
    """Read labels: an integer for each pixel, 0 for background.

    Label images are read in every format of `imread`, including integers stored as floats. In an RGB image of
    few colours, each colour but black becomes a label. Outlines are filled: regions of interest of Fiji or
    StarDist (``.zip`` or ``.roi``, with the package roifile) and GeoJSON of QuPath. If all are named by
    labels, as `write_rois` and `write_geojson` do, these are their labels, otherwise 1…n. From Cellpose's
    ``_seg.npy`` the masks are read without running code from the pickle. From an OME-Zarr image its labels
    are read.

    Parameters
    ----------
    path : str or path
        The file.
    shape : sequence of int, optional
        The shape (z, y, x) or (y, x) of the image, for outlines, whose files do not store it.
    axes, series, frame, channel
        As for `imread`; `frame` is also the time point of outlines.

    Returns
    -------
    integer array
        (z, y, x) or (y, x).

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError, TypeError
        If the file cannot be read, contains no labels, or needs `shape` or `channel`.

    Warns
    -----
    UserWarning
        If colours were converted to labels, if the file looks like a mask or an image, if no pixel is
        background, if outlines were skipped, or if they lie in several planes and have no labels.

    Examples
    --------
    >>> import tempfile, numpy as np, objclass
    >>> folder = tempfile.TemporaryDirectory()
    >>> objclass.imwrite(f"{folder.name}/labels.tif", np.eye(4, dtype=np.float32) * 7)
    >>> int(read_labels(f"{folder.name}/labels.tif").max())
    7
    >>> folder.cleanup()
    """
    labels, _ = read_labels_and_spacing(
        path, lambda _: (series, frame), shape=shape, axes=axes, channel=channel
    )
    _warn_of_mask(Path(path).name, labels)
    return labels


def read_labels_and_spacing(
    path: AnyPath,
    choose: Callable[[Sequence[ImageInfo]], tuple[int | None, int | None]],
    *,
    shape: Sequence[int] | None = None,
    axes: str | None = None,
    channel: Channels = None,
) -> tuple[np.ndarray, tuple[float, ...] | None]:
    """Read labels as `read_labels` does, and the voxel size of the file; None if it does not say.

    `choose` returns series and frame from what the file says of its images; of outlines it says nothing.
    """
    file, name, spacing = None if is_url(path) else check_name(path), Path(path).name, None
    if file and file.suffix.lower() in (".zip", ".roi", ".geojson", ".json") and not is_zarr(file):
        return _read_outlines(file, shape, choose([])[1]), None
    if file and name.endswith("_seg.npy"):
        labels = _read_cellpose(file)
    else:
        of_image = file / "labels" if file and is_zarr(file) else None
        with open_file(of_image if of_image and of_image.is_dir() else path) as opened:
            series, frame = choose(opened.infos(axes))
            image = opened.image(series, axes=axes)
            check_lossless(image, "path")
            labels, spacing = _read_image(name, image, frame, channel), image.info.spacing
    labels = _as_integers(name, labels)
    if shape is not None and labels.shape != tuple(shape):
        raise invalid("path", f"labels of shape {tuple(shape)}", f"{name}, of shape {labels.shape}")
    _warn_of_classes(name, labels)
    _warn_of_pieces(name, labels)
    warn_like_image(labels, name=name, stacklevel=3)
    return labels, spacing


def _read_image(name: str, image: OpenImage, frame: int | None, channel: Channels) -> np.ndarray:
    check_named(image)
    info = image.info
    if info.is_rgb and channel is None:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", ".*flat colours", UserWarning)
            colours = image.read(frame)
        return _number_colours(name, colours)
    if "c" in info.axes and channel is None:
        names = ", ".join(map(str, info.channel_names)) or f"0 to {info.n_channels - 1}"
        hint = f"Choose one with channel=, of {names}."
        raise invalid("channel", f"one of the {info.n_channels} channels of {name}", "None", hint)
    return image.read(frame, channel)


def _as_integers(name: str, labels: np.ndarray) -> np.ndarray:
    if labels.dtype.kind == "b":
        return labels.astype(np.int32)
    if labels.dtype.kind == "f":
        if not (np.isfinite(labels).all() and (labels == np.rint(labels)).all()):
            raise invalid("path", "integer labels", f"{name}, with fractional values")
        labels = labels.astype(np.int64)
    if labels.dtype.kind not in "iu":
        raise invalid("path", "integer labels", f"{name}, of {labels.dtype}", kind=TypeError)
    if labels.size and labels.min() < 0:
        raise invalid("path", "labels of at least 0", f"{name}, with {labels.min()}")
    fits = labels.size == 0 or labels.max() <= np.iinfo(np.int32).max
    return labels.astype(np.int32, copy=False) if fits else labels


def _warn_of_classes(name: str, labels: np.ndarray) -> None:
    if labels.size and labels.max() <= _MOST_CLASSES and labels.all():
        warnings.warn(
            f"{name}: no pixel is 0, background. If its numbers are classes, as in ilastik's Simple "
            "Segmentation, number the objects of class 2 with skimage.measure.label(labels == 2).",
            stacklevel=4,
        )


def _warn_of_pieces(name: str, labels: np.ndarray) -> None:
    """Warn if the only label is 1 in several places, as in a mask, or if all of a few are, as of classes."""
    import cc3d

    if labels.size == 0 or not 0 < labels.max() <= MASK:
        return
    present = np.flatnonzero(np.bincount(labels.ravel()))
    present = present[present > 0]
    if len(present) > _MOST_CLASSES or present.tolist() == [MASK]:  # the latter is told of elsewhere
        return
    pieces, n_pieces = cc3d.connected_components(
        labels, connectivity=8 if labels.ndim == 2 else 26, return_N=True
    )
    label_of = np.zeros(n_pieces + 1, np.int64)
    label_of[pieces] = labels
    if (np.bincount(label_of[1:])[present] < 2).any():
        return
    what, kind = f"each of its {len(present)} labels", "map of classes"
    if present.tolist() == [1]:
        what, kind = "its only label, 1,", "mask"
    warnings.warn(
        f"{name}: {what} has several separate pieces, {n_pieces:,} in all, as in a {kind}. If each is an "
        "object, use skimage.measure.label.",
        stacklevel=4,
    )


def _warn_of_mask(name: str, labels: np.ndarray) -> None:
    if labels.size and labels.max() == MASK and not ((labels > 0) & (labels < MASK)).any():
        warnings.warn(f"{name}: {IS_MASK}", stacklevel=3)


def _number_colours(name: str, picture: np.ndarray) -> np.ndarray:
    """Return a label for each colour of an RGB image (3, …) that is not black."""
    packed = np.zeros(picture.shape[1:], np.int64)
    for channel in picture:
        packed = (packed << 16) | channel.astype(np.int64)
    colours, numbers = np.unique(packed, return_inverse=True)
    if len(colours) > max(256, packed.size // 16):
        got = f"{name}, an RGB image of {len(colours):,} colours"
        raise invalid(
            "path", "labels, or an RGB image with one colour per object", got, "Save labels as TIFF."
        )
    has_black = bool(len(colours)) and colours[0] == 0
    warnings.warn(
        f"{name}: its {len(colours) - has_black} colours were converted to labels; black is background. "
        "Objects of the same colour have the same label.",
        stacklevel=5,
    )
    return (numbers.reshape(packed.shape) + (0 if has_black else 1)).astype(np.int32)


# Cellpose ------------------------------------------------------------------------------------------------


class _ArraysOnly(pickle.Unpickler):
    """Unpickle arrays, numbers, strings and containers of them; refuse anything that could run code."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in _UNPICKLED:
            raise pickle.UnpicklingError(
                f"it contains {module}.{name}, which is not an array and was not run"
            )
        return super().find_class(module, name)


def _read_cellpose(path: Path) -> np.ndarray:
    check_exists(path)
    with readable(path), path.open("rb") as file:
        content = _unpickle(file)
        masks = content["masks"] if isinstance(content, dict) else None
        if not isinstance(masks, np.ndarray) or masks.ndim not in (2, 3):
            raise ValueError("it contains no masks of Cellpose")
    return masks


def _unpickle(file: BinaryIO) -> Any:
    shape, _, dtype = read_npy_header(file)
    if not dtype.hasobject or shape != ():
        raise ValueError("it contains no dictionary of Cellpose")
    content = _ArraysOnly(file).load()
    return content.item() if isinstance(content, np.ndarray) and content.shape == () else content


# Outlines ------------------------------------------------------------------------------------------------


def _read_outlines(path: Path, shape: Sequence[int] | None, frame: int | None) -> np.ndarray:
    check_exists(path)
    if shape is None or len(shape) not in (2, 3):
        hint = "Pass shape=image.shape: files of outlines do not store the shape of the image."
        raise invalid("shape", "the shape (z, y, x) or (y, x) of the image", shape, hint)
    is_geojson = path.suffix.lower() in (".geojson", ".json")
    with readable(path):
        found = list(_geojson_outlines(path) if is_geojson else _roi_outlines(path))
    outlines = _of_frame(path.name, found, frame)
    if not outlines:
        warnings.warn(f"{path.name}: there are no outlines in it, and so no objects.", stacklevel=4)
    check_size(path, int(np.prod(shape, dtype=float)) * 4)
    planes = {plane for _, plane, _ in outlines if plane is not None}
    if len(shape) == 2 and len(planes) > 1:
        got = f"{tuple(shape)}, while {path.name} has outlines in {len(planes)} planes"
        raise invalid("shape", "the shape (z, y, x) of a stack", got)
    numbers = _numbers_in_names(outlines)
    if numbers is None and len(planes) > 1:
        warnings.warn(
            f"{path.name}: its outlines lie in {len(planes)} planes, and their names do not say which belong"
            " together: each outline is an object.",
            stacklevel=4,
        )
    numbers = numbers or list(range(1, len(outlines) + 1))
    fits = max(numbers, default=0) <= np.iinfo(np.int32).max
    labels = np.zeros(tuple(shape), np.int32 if fits else np.int64)
    n_lost = 0
    for label, (_, plane, rings) in zip(numbers, outlines, strict=True):
        n_lost += not _fill(labels, label, plane, rings)
    if n_lost:
        warnings.warn(
            f"{path.name}: {n_lost} of {len(outlines)} outlines have no pixel in the image, are lines or "
            "points, or are covered by others; they were skipped.",
            stacklevel=4,
        )
    return labels


def _of_frame(name: str, outlines: Sequence[tuple[int | None, Outline]], frame: int | None) -> list[Outline]:
    """Return the outlines of a time point, and those that belong to none."""
    frames = {at for at, _ in outlines if at is not None}
    if len(frames) > 1 and frame is None:
        hint = f"Choose a time point with frame=, {min(frames)} to {max(frames)}."
        raise invalid("frame", "a time point", f"none, while {name} has outlines of {len(frames)}", hint)
    is_all = frame is None or frames <= {0}  # as where no outline tells its time point
    return [outline for at, outline in outlines if is_all or at in (None, frame)]


def _numbers_in_names(outlines: Sequence[Outline]) -> list[int] | None:
    """Return the labels in the names, as `write_rois` and `write_geojson` write them; None without.

    A name is the label, or label and plane, from 1. The outlines of a label in several planes are one object.
    """
    found = []
    for name, plane, _ in outlines:
        label, _, suffix = name.partition("-")
        is_named = re.fullmatch(r"[1-9]\d{0,17}", label) and (not suffix or suffix == str((plane or 0) + 1))
        if not is_named:
            return None
        found.append(int(label))
    places = {(label, plane) for label, (_, plane, _) in zip(found, outlines, strict=True)}
    return found if len(places) == len(outlines) else None


def _fill(labels: np.ndarray, label: int, plane: int | None, rings: Rings) -> bool:
    """Write `label` into the background within rings; return whether any pixel was written."""
    from skimage.draw import polygon

    target = labels
    if labels.ndim == 3:
        if plane is None:
            raise invalid("shape", "the shape (y, x), as the outlines name no planes", str(labels.shape))
        if not 0 <= plane < len(labels):
            return False
        target = labels[plane]
    inside = np.zeros(target.shape, bool)
    for ring in rings:
        # Points are corners of pixels, half a pixel before the centres; a hole is a ring within a ring.
        rows, columns = polygon(ring[:, 1] - 0.5, ring[:, 0] - 0.5, target.shape)
        inside[rows, columns] ^= True
    free = inside & (target == 0)
    target[free] = label
    return bool(free.any())


def _roi_outlines(path: Path) -> Iterator[tuple[int | None, Outline]]:
    with needs("roifile"):
        import roifile

    found = roifile.roiread(path)
    areas = {roifile.ROI_TYPE[name] for name in ("POLYGON", "RECT", "OVAL", "FREEHAND", "TRACED")}
    for roi in found if isinstance(found, list) else [found]:
        plane = (roi.z_position or roi.position or 0) - 1
        is_area = roi.roitype in areas or roi.composite
        rings = [ring for ring in roi.coordinates(multi=True) if len(ring) > 2] if is_area else []
        outline = roi.name or "", plane if plane >= 0 else None, [np.asarray(ring, float) for ring in rings]
        yield roi.t_position - 1 if roi.t_position else None, outline


def _geojson_outlines(path: Path) -> Iterator[tuple[int | None, Outline]]:
    content = json.loads(path.read_text(encoding="utf-8-sig"))
    features = content.get("features", [content]) if isinstance(content, dict) else content
    for feature in features:
        geometry = feature.get("geometry", feature) or {}
        rings = [ring for polygon in _polygons(geometry) for ring in polygon if len(ring) > 2]
        name = str((feature.get("properties") or {}).get("name") or "")
        place = geometry.get("plane", {})
        yield place.get("t", 0), (name, place.get("z", 0), [np.asarray(ring, float)[:, :2] for ring in rings])


def _polygons(geometry: dict[str, Any]) -> list[Any]:
    """Return the polygons of a geometry, each a list of rings; none of points and lines."""
    if geometry.get("type") == "GeometryCollection":
        return [polygon for part in geometry.get("geometries", []) for polygon in _polygons(part)]
    coordinates = geometry.get("coordinates") or []
    return {"Polygon": [coordinates], "MultiPolygon": coordinates}.get(geometry.get("type", ""), [])
