"""Images and their voxel size, in and out of files."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import numpy as np
import numpy.typing as npt

from objclass._common.checks import check_number, check_spacing, invalid
from objclass._common.files import AnyPath, replacing
from objclass.io import formats

_log = logging.getLogger(__name__)
OPENERS: dict[str, Callable[[Path], AbstractContextManager[formats.StoredImage]]] = {
    ".tif": formats.open_tiff,
    ".tiff": formats.open_tiff,
    ".png": formats.open_png,
    ".npy": formats.open_npy,
    ".zarr": formats.open_zarr,
}


def imread(path: AnyPath, *, axes: str | None = None, frame: int | None = None) -> np.ndarray:
    """Read an image, with its axes in the order (c, z, y, x).

    TIFF, ImageJ and OME-TIFF, OME-Zarr (NGFF 0.4 and 0.5), PNG and NPY. What the file says about its axes
    is followed: channels, and the samples of a colour picture, come first, and axes of length one other
    than y and x are dropped. Where the file does not name its axes, a rank of two or three is taken as
    (y, x) or (z, y, x), and a line of the log (``objclass.io``) says so.

    Parameters
    ----------
    path : str or path
        The file, or the folder of an OME-Zarr image.
    axes : str, optional
        The axes of the file, one of ``t c z y x s`` (s for the samples of a colour picture) for each axis
        longer than one, as ``"zcyx"``: where the file does not name its axes or names the wrong ones.
    frame : int, optional
        Which time point to read of a time series.

    Returns
    -------
    array
        (z, y, x) or (y, x), or with several channels (c, z, y, x) or (c, y, x); dtype as in the file.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If the file is no image that can be read, is damaged, is a time series and no `frame` was given,
        or if the axes are of unknown meaning.

    See Also
    --------
    read_axes, read_spacing

    Examples
    --------
    >>> import os, tempfile, numpy as np
    >>> folder = tempfile.TemporaryDirectory()
    >>> path = os.path.join(folder.name, "stack.tif")
    >>> imwrite(path, np.zeros((2, 5, 64, 32), np.uint16), spacing=(2, 0.5, 0.5))
    >>> imread(path).shape, read_axes(path), read_spacing(path)
    ((2, 5, 64, 32), 'czyx', (2.0, 0.5, 0.5))
    >>> folder.cleanup()
    """
    path = Path(path)
    with open_image(path) as stored:
        kept, names = name_axes(path, stored, axes)
        index: list[int | slice] = [slice(None) if i in kept else 0 for i in range(len(stored.shape))]
        if "t" in names:
            time = kept[names.index("t")]
            index[time] = check_frame(path, frame, stored.shape[time])
        elif frame is not None:
            raise invalid("frame", f"None, as {path.name} is no time series", frame)
        with _readable(path):
            array = stored.read(tuple(index))
    return _channels_first(array, names.replace("t", ""))


def read_axes(path: AnyPath) -> str:
    """Return the axes of the array that `imread` makes of a file, with a leading ``t`` for a time series.

    Parameters
    ----------
    path : str or path
        The file, or the folder of an OME-Zarr image.

    Examples
    --------
    >>> import os, tempfile, numpy as np
    >>> folder = tempfile.TemporaryDirectory()
    >>> path = os.path.join(folder.name, "plane.tif")
    >>> imwrite(path, np.zeros((2, 64, 32), np.uint8), axes="cyx")
    >>> read_axes(path)
    'cyx'
    >>> folder.cleanup()
    """
    with open_image(Path(path)) as stored:
        _, names = name_axes(Path(path), stored, None)
    return "".join(a for a in "tczyx" if a in names.replace("s", "c"))


def read_spacing(path: AnyPath, *, axes: str | None = None) -> tuple[float, ...] | None:
    """Return the voxel size of a file in micrometres, (z, y, x) or (y, x); None if it does not say.

    Parameters
    ----------
    path : str or path
        The file, or the folder of an OME-Zarr image.
    axes : str, optional
        The axes of the file, as for `imread`.

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
    with open_image(Path(path)) as stored:
        if not stored.spacing:
            return None
        _, names = name_axes(Path(path), stored, axes)
    spatial = [a for a in "zyx" if a in names]
    if not set(spatial) <= set(stored.spacing):
        _log.warning("%s: the voxel size is known along %s only", path, _spell(stored.spacing))
        return None
    return tuple(stored.spacing[a] for a in spatial)


def imwrite(path: AnyPath, array: npt.ArrayLike, *, spacing: object = None, axes: str | None = None) -> None:
    """Write an image or labels; the file appears, or is replaced, only when all of it is written.

    The end of the name decides the format: ``.tif`` (TIFF with the metadata of ImageJ, so that Fiji shows
    the voxel size and the channels), ``.ome.tif``, ``.zarr`` (OME-Zarr, NGFF 0.5), ``.png`` or ``.npy``.
    TIFF, Zarr and PNG are compressed without loss, and the type of the numbers stays as it is. Fiji does
    not open 64-bit integers.

    Parameters
    ----------
    path : str or path
        Where to; the folder must exist.
    array : array
        (z, y, x) or (y, x), or with channels first (c, z, y, x).
    spacing : float or sequence of float, optional
        The voxel size in micrometres along the spatial axes.
    axes : str, optional
        ``"cyx"`` for a 2D image with channels, which else is taken as (z, y, x), save in a PNG.

    Raises
    ------
    FileNotFoundError, PermissionError
        If the folder is not there, or cannot be written.
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
    path = Path(path)
    suffix = _check_suffix(path)
    array = np.asarray(array)
    array = array.astype(array.dtype.newbyteorder("="), copy=False)
    axes = _check_writable_array(array, axes, path)
    spatial = axes.replace("c", "")
    sizes = dict(zip(spatial, check_spacing(spacing, len(spatial)) or (), strict=False))
    if sizes and suffix in (".png", ".npy"):
        raise invalid("path", "a file that can hold the voxel size", path.name, "Write a .tif or a .zarr.")
    with replacing(path) as beside:
        if suffix == ".npy":
            np.save(beside, array)
        elif suffix == ".png":
            formats.write_png(beside, array, axes)
        elif suffix == ".zarr":
            formats.write_zarr(beside, array, axes, spacing=sizes)
        else:
            formats.write_tiff(beside, array, axes, spacing=sizes, ome=_is_ome(path))


@contextlib.contextmanager
def open_image(path: Path) -> Iterator[formats.StoredImage]:
    """Open an image file for as long as the context lasts."""
    opener = OPENERS[_check_suffix(path)]
    if not path.exists():
        hint = f"The working directory is {Path.cwd()}."
        raise invalid("path", "a file that exists", str(path), hint, kind=FileNotFoundError)
    with contextlib.ExitStack() as stack:
        with _readable(path):
            stored = stack.enter_context(opener(path))
        yield stored


@contextlib.contextmanager
def _readable(path: Path) -> Iterator[None]:
    """Say of any exception, as decoders raise many kinds on bad data, that the file cannot be read."""
    try:
        yield
    except MemoryError:
        raise
    except Exception as error:
        reason = f"{path} ({type(error).__name__}: {error})"
        hint = "The file is damaged, incomplete or of another format; copy or export it again."
        raise invalid("path", f"a whole {path.suffix} image", reason, hint) from error


def _check_suffix(path: Path) -> str:
    suffix = path.suffix.lower()
    if suffix not in OPENERS:
        hint = "Fiji saves the formats of microscopes as .tif."
        raise invalid("path", f"a name that ends in one of {', '.join(OPENERS)}", path.name, hint)
    return suffix


def _is_ome(path: Path) -> bool:
    return path.name.lower().endswith((".ome.tif", ".ome.tiff"))


def _spell(axes: Iterable[str]) -> str:
    return f"({', '.join(axes)})"


def name_axes(path: Path, stored: formats.StoredImage, axes: str | None) -> tuple[list[int], str]:
    """Return which axes of the file to keep, and their names."""

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
            expected = f"a letter of t c z y x s for each axis of {path.name}, which has shape {shape}"
            raise invalid("axes", expected, axes)
    elif names.count("?") == 1 and len(names) == 3:
        names = names.replace("?", "z")
        _log.warning("%s does not name its axes: shape %s is taken as (z, y, x)", path, shape)
    if "?" in names or not {*"yx"} <= {*names}:
        got = f"axes {_spell(names)} of shape {shape}"
        hint = "Say what they are, as in imread(path, axes='czyx') or imread(path, axes='tzyx', frame=0)."
        raise invalid("axes", f"to be given, as {path.name} does not name all of its axes", got, hint)
    return kept, names


def check_frame(path: Path, frame: int | None, n_frames: int) -> int:
    """Return `frame` if it is a time point of a series of `n_frames`."""
    if frame is None:
        hint = f"Take one time point with frame=, 0 to {n_frames - 1}, or say with axes= that it is not time."
        raise invalid("path", "a single image", f"{path.name}, a time series of {n_frames} frames", hint)
    return check_number("frame", frame, low=0, high=n_frames - 1, integer=True)


def _channels_first(array: np.ndarray, names: str) -> np.ndarray:
    order = [a for a in "cszyx" if a in names]
    array = array.transpose([names.index(a) for a in order])
    if "c" in names and "s" in names:
        array = array.reshape(-1, *array.shape[2:])
    return np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("="))


def _check_writable_array(array: np.ndarray, axes: str | None, path: Path) -> str:
    """Return the axes of an array that the format of `path` can hold."""
    if array.dtype.kind not in "buif":
        raise invalid("array", "an array of real numbers", array, kind=TypeError)
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
        raise invalid("array", "a type that OME-TIFF knows", array, hint)
    if path.is_dir() and not any((path / name).exists() for name in ("zarr.json", ".zgroup", ".zarray")):
        raise invalid("path", "a new name, or an older Zarr image to replace", f"the folder {path}")
    return axes
