"""Reading and writing of images and their voxel size."""

from __future__ import annotations

import os
import warnings
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from objclass._common.checks import check_spacing, invalid, refuse_masked
from objclass._common.files import AnyPath, check_name, replacing
from objclass.io import ngff, pictures, tiff
from objclass.io.info import ImageInfo
from objclass.io.opening import (
    Channels,
    OpenImage,
    check_lossless,
    check_named,
    is_url,
    open_file,
    open_image,
)

_WRITABLE = (".tif", ".tiff", ".png", ".npy", ".zarr")


def imread(
    path: AnyPath,
    *,
    axes: str | None = None,
    series: int | None = None,
    frame: int | None = None,
    channel: Channels = None,
) -> np.ndarray:
    """Read an image with its axes in the order (c, z, y, x).

    Supported formats are TIFF (plain, ImageJ, OME-TIFF including multi-file sets, Micro-Manager, LSM, STK,
    SVS, QPTIFF), OME-Zarr (NGFF 0.1 to 0.5, in a folder, a zip file or at a URL), PNG, JPEG and NPY; with
    the extra ``formats`` also CZI, LIF, ND2, Imaris, HDF5 of ilastik, MRC and NIfTI. Axes are read from the
    metadata of the file. Channels, and the samples of an RGB image, come first. Axes of length one other
    than y and x are dropped, as is a constant alpha channel. If the file does not name its axes, a 2D or 3D
    array is taken as (y, x) or (z, y, x), and a message is logged (``objclass.io``).

    Parameters
    ----------
    path : str or path
        The file, or the folder or URL of an OME-Zarr image.
    axes : str, optional
        The axes of the file, one of ``t c z y x s`` (s for the samples of an RGB image) for each axis
        longer than one, as ``"zcyx"``, if the file does not name its axes or names the wrong ones.
    series : int, optional
        The index of the image in a file with several images, see `image_info`. By default the first one,
        with a warning if there are more.
    frame : int, optional
        The time point to read from a time series.
    channel : int, str, or sequence of them, optional
        The channels to read, by index or name. A single channel is returned without a channel axis.

    Returns
    -------
    array
        (z, y, x) or (y, x), or with several channels (c, z, y, x) or (c, y, x); dtype as in the file.

    Raises
    ------
    FileNotFoundError
        If the file does not exist.
    ValueError
        If the file cannot be read as an image, is damaged, lacks planes, is a time series and `frame` was
        not given, is larger than memory, or has unnamed axes.

    Warns
    -----
    UserWarning
        If the file contains several images and `series` was not given, if chunks of a Zarr array are missing,
        or if metadata are damaged.

    See Also
    --------
    image_info, read_spacing

    Examples
    --------
    >>> import os, tempfile, numpy as np
    >>> folder = tempfile.TemporaryDirectory()
    >>> path = os.path.join(folder.name, "stack.tif")
    >>> imwrite(path, np.zeros((2, 5, 64, 32), np.uint16), spacing=(2, 0.5, 0.5))
    >>> imread(path).shape, imread(path, channel=1).shape
    ((2, 5, 64, 32), (5, 64, 32))
    >>> folder.cleanup()
    """
    with open_image(path, axes=axes, series=series) as image:
        return image.read(frame, channel)


def read_as(
    image: OpenImage, ndim: int, partner: str, *, frame: int | None = None, channel_names: Sequence[str] = ()
) -> tuple[np.ndarray, ImageInfo]:
    """Read an image that must have `ndim` spatial axes; return it with its metadata.

    Parameters
    ----------
    image : OpenImage
        The image, of an open file.
    ndim : int
        The number of spatial axes that the image must have.
    partner : str
        What else has that number of axes, for messages, as ``"the annotations"``.
    frame : int, optional
        As for `imread`.
    channel_names : sequence of str
        The channels are returned in this order if the file has the same names in another order.

    Raises
    ------
    ValueError
        As `imread`, and if planes would be mistaken for channels, or channels for planes.
    """
    check_named(image)
    _check_role(image.path, image.info, ndim, partner)
    order = _channel_order(image.path, image.info.channel_names, channel_names)
    info = image.info if order is None else replace(image.info, channel_names=tuple(channel_names))
    return image.read(frame, order), info


def read_annotations(path: AnyPath, frame: int | None = None) -> np.ndarray:
    """Read an annotation image, one integer for each pixel; of a time series, one time point of it.

    Raises
    ------
    ValueError
        As `imread`, and if it is an RGB image: the message explains how to convert colours to classes.
    """
    with open_image(path) as image:
        found = image.read(frame if image.info.n_frames is not None else None)
    check_lossless(image, "annotations")
    if image.stored.is_rgb and found.ndim == 3:
        colours, counts = np.unique(found[:3].reshape(3, -1).T, axis=0, return_counts=True)
        kept = [at for at in np.argsort(-counts) if colours[at].any()][:4]
        named = ", ".join(f"{number} for {tuple(map(int, colours[at]))}" for number, at in enumerate(kept, 1))
        hint = f"Save class numbers instead of colours, for example {named}." if named else ""
        got = f"{Path(path).name}, an RGB image"
        raise invalid("annotations", "one integer for each pixel", got, hint)
    if "c" in image.info.axes:
        got = f"{Path(path).name}, of {image.info.n_channels} channels"
        hint = "If each channel is a class, combine them: channels[0] * 1 + channels[1] * 2, of 0 and 1."
        raise invalid("annotations", "one integer for each pixel", got, hint)
    return found


def _check_role(path: AnyPath, info: ImageInfo, ndim: int, partner: str) -> None:
    """Raise unless an image has `ndim` spatial axes."""
    if info.ndim == ndim:
        return
    name = Path(path).name
    if info.ndim == 3:
        n_planes = info.shape[info.axes.index("z")]
        expected = f"a 2D image, (y, x) or (c, y, x), as {partner}"
        got = f"{name}: {n_planes} planes along z, not channels"
        hint = "Annotate the stack in 3D, or extract one plane; if the planes are channels, pass axes='cyx'."
    else:
        expected = f"a stack, (z, y, x) or (c, z, y, x), as {partner}"
        got = (
            f"{name}: {info.n_channels} channels and no planes along z" if "c" in info.axes else f"{name}: 2D"
        )
        hint = "Pass a stack; if its planes are stored as channels or frames, pass axes='zyx'."
    raise invalid("image", expected, got, hint)


def _channel_order(path: AnyPath, names: Sequence[str], wanted: Sequence[str]) -> list[int] | None:
    """Return the indices of the channels in the order of `wanted`, or None if they are not a permutation."""
    if tuple(names) == tuple(wanted) or sorted(names) != sorted(wanted) or len({*names}) < len(names):
        return None
    order = [names.index(name) for name in wanted]
    warnings.warn(
        f"{Path(path).name}: the channels {', '.join(names)} were reordered to {', '.join(wanted)}.",
        stacklevel=3,
    )
    return order


def image_info(path: AnyPath, *, axes: str | None = None) -> tuple[ImageInfo, ...]:
    """Return the metadata of the images in a file, one `ImageInfo` each, without reading their pixels.

    Thumbnails and slide labels are skipped. For a multi-file OME-TIFF, only the images with planes in this
    file are listed.

    Parameters
    ----------
    path : str or path
        The file, or the folder or URL of an OME-Zarr image.
    axes : str, optional
        The axes of the file, as for `imread`.

    Returns
    -------
    tuple of ImageInfo
        Shape, axes, dtype, voxel size, names of series and channels, number of time points, files.

    Raises
    ------
    FileNotFoundError, ValueError
        As `imread`.

    Examples
    --------
    >>> import os, tempfile, numpy as np
    >>> folder = tempfile.TemporaryDirectory()
    >>> path = os.path.join(folder.name, "plane.tif")
    >>> imwrite(path, np.zeros((2, 64, 32), np.uint8), axes="cyx", spacing=0.65)
    >>> (info,) = image_info(path)
    >>> info.axes, info.shape, info.spacing, info.unit, info.spacing_source
    ('cyx', (2, 64, 32), (0.65, 0.65), 'micrometer', 'ImageJ')
    >>> folder.cleanup()
    """
    with open_file(path) as file:
        return file.infos(axes)


def read_spacing(
    path: AnyPath, *, axes: str | None = None, series: int | None = None
) -> tuple[float, ...] | None:
    """Return the voxel size of a file in micrometres, (z, y, x) or (y, x); None if unknown.

    Parameters
    ----------
    path : str or path
        The file, or the folder or URL of an OME-Zarr image.
    axes, series
        As for `imread`.

    Returns
    -------
    tuple of float or None
        One number for each of the axes (z, y, x) or (y, x), in micrometres.

    Examples
    --------
    >>> import os, tempfile, numpy as np
    >>> folder = tempfile.TemporaryDirectory()
    >>> path = os.path.join(folder.name, "stack.ome.tif")
    >>> imwrite(path, np.zeros((5, 64, 32), np.uint8), spacing=(2, 0.5, 0.5))
    >>> read_spacing(path)
    (2.0, 0.5, 0.5)
    >>> folder.cleanup()
    """
    with open_image(path, axes=axes, series=series) as image:
        return image.info.spacing


def imwrite(
    path: AnyPath,
    array: npt.ArrayLike,
    *,
    spacing: object = None,
    axes: str | None = None,
    labels_of: AnyPath | None = None,
) -> None:
    """Write an image or labels. The file is written atomically.

    The suffix selects the format: ``.tif`` (TIFF with ImageJ metadata, so that Fiji shows the voxel size and
    the channels), ``.ome.tif``, ``.zarr`` (OME-Zarr, NGFF 0.5), ``.png`` or ``.npy``. TIFF, Zarr and PNG use
    lossless compression, and the dtype is kept. Fiji does not open 64-bit integers.

    Parameters
    ----------
    path : str or path
        The file to write; its folder must exist.
    array : array
        (z, y, x) or (y, x), or with channels first (c, z, y, x).
    spacing : float or sequence of float, optional
        The voxel size in micrometres along the spatial axes.
    axes : str, optional
        ``"cyx"`` for a 2D image with channels; by default, a 3D array is taken as (z, y, x), except in a PNG.
    labels_of : str or path, optional
        The OME-Zarr image that `array` contains the labels of: they are written as an NGFF label image with
        a reference to it, and by default with its voxel size. As `path` name a place in that image,
        ``"image.zarr/labels/nuclei"``, where other programs look for labels: they are then listed among the
        labels of the image, and have its version (NGFF 0.4 or 0.5). Any other ``.zarr`` stands alone.

    Raises
    ------
    FileNotFoundError, PermissionError
        If the folder does not exist or is not writable.
    ValueError, TypeError
        If the format cannot hold the array or its voxel size.

    Examples
    --------
    >>> import os, tempfile, numpy as np
    >>> folder = tempfile.TemporaryDirectory()
    >>> path = os.path.join(folder.name, "labels.tif")
    >>> imwrite(path, np.eye(8, dtype=np.int32), spacing=0.65)
    >>> imread(path).dtype, read_spacing(path)
    (dtype('int32'), (0.65, 0.65))
    >>> folder.cleanup()
    """
    path = check_name(path)
    image = None if labels_of is None else _own_image(path, labels_of)
    suffix = ".zarr" if image is not None else path.suffix.lower()
    if suffix not in _WRITABLE:
        raise invalid("path", f"a name that ends in one of {', '.join(_WRITABLE)}", path.name)
    refuse_masked(array, argument="array")
    array = np.asarray(array)
    array = array.astype(array.dtype.newbyteorder("="), copy=False)
    axes = _check_writable_array(array, axes, path)
    source = None if labels_of is None else os.path.relpath(labels_of, path)
    if labels_of is not None:
        if suffix != ".zarr" or array.dtype.kind not in "iu":
            got = f"{path.name}, {array.dtype}"
            raise invalid("labels_of", "integer labels that are written to a .zarr", got)
        spacing = _check_labels_of(array, labels_of) if spacing is None else spacing
    spatial = axes.replace("c", "")
    sizes = dict(zip(spatial, check_spacing(spacing, len(spatial)) or (), strict=False))
    if sizes and suffix in (".png", ".npy"):
        raise invalid("path", "a format that stores the voxel size", path.name, "Write a .tif or a .zarr.")
    zarr_format: ngff.ZarrFormat = 3 if image is None else ngff.open_labels(image)
    with replacing(path) as temporary:
        if suffix == ".npy":
            np.save(temporary, array)
        elif suffix == ".png":
            pictures.write_png(temporary, array, axes)
        elif suffix == ".zarr":
            ngff.write_zarr(temporary, array, axes, spacing=sizes, source=source, zarr_format=zarr_format)
        else:
            tiff.write_tiff(temporary, array, axes, spacing=sizes, ome=_is_ome(path))
    if image is not None:
        ngff.list_labels(image, path.name)


def _own_image(path: Path, image: AnyPath) -> Path | None:
    """Return the image that `path` is a place for labels in; None if it lies outside of it."""
    folder = Path(image)
    if is_url(image) or not path.absolute().is_relative_to(folder.absolute()):
        return None
    if path.absolute().parent != folder.absolute() / "labels" or not folder.is_dir():
        raise invalid("path", f"{folder / 'labels' / 'NAME'}, as NGFF has it", str(path))
    return folder


def _check_labels_of(labels: np.ndarray, image: AnyPath) -> tuple[float, ...] | None:
    """Return the voxel size of `image`, after checking that `labels` fit it."""
    (info, *_) = image_info(image)
    shape = tuple(n for n, axis in zip(info.shape, info.axes, strict=True) if axis in "zyx")
    if labels.shape != shape:
        raise invalid("array", f"labels of the shape of {Path(image).name}, {shape}", labels)
    return info.spacing


def _is_ome(path: Path) -> bool:
    return path.name.lower().endswith((".ome.tif", ".ome.tiff"))


def _check_writable_array(array: np.ndarray, axes: str | None, path: Path) -> str:
    """Return the axes of an array, after checking that the format of `path` can store it."""
    if array.dtype.kind not in "buif":
        raise invalid("array", "a real-valued array", array, kind=TypeError)
    if array.ndim not in (2, 3, 4) or array.size == 0:
        raise invalid("array", "a non-empty array of rank 2 to 4, channels first", array)
    is_png = path.suffix.lower() == ".png"
    if axes is None:
        axes = {2: "yx", 3: "cyx" if is_png else "zyx", 4: "czyx"}[array.ndim]
    if axes not in ("yx", "cyx", "zyx", "czyx") or len(axes) != array.ndim:
        raise invalid("axes", f"'yx', 'cyx', 'zyx' or 'czyx', for the rank {array.ndim} of array", axes)
    is_picture = axes == "yx" or (axes == "cyx" and len(array) in (3, 4))
    if is_png and not (is_picture and array.dtype in (np.uint8, np.uint16)):
        expected = "uint8 or uint16 of axes (y, x), or (c, y, x) of 3 or 4 channels"
        raise invalid("array", expected, array, "Write a .tif instead.")
    if _is_ome(path) and array.dtype in (np.int64, np.uint64, np.float16):
        hint = f"Convert it, as in array.astype(np.int32), or name the file {path.stem.split('.')[0]}.tif."
        raise invalid("array", "a dtype that OME-TIFF supports", array, hint)
    ngff.check_replaceable(path)
    return axes
