"""Argument checks and the wording of errors.

Every message names the argument, what was expected, what was passed, and the next step.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Protocol, TypeGuard, TypeVar, cast

import numpy as np
import numpy.typing as npt

from objclass._common.notices import warn

# One image, or a list of several: functions return what they were given.
Images = TypeVar("Images", np.ndarray, list[np.ndarray])
MASK = 255
IS_MASK = (
    "a mask of 0 and 255 is one object with the label 255. If each connected component is an object, use "
    "skimage.measure.label(mask > 0)."
)
_LIKE_IMAGE = (
    "nearly every pixel has another value than the next, as in an image: these are hardly labels. Were labels"
    " and image exchanged?"
)
_FEWEST_LABELS = 5
_FEWEST_PAIRS = 1000  # of neighbours that are both not background, to tell labels from an image
LIKE_LABELS = (
    "The image looks like a label image: its pixels are the numbers of regions in one piece. Pass the image"
    " that the labels were made on; objclass.measure (objclass measure) measures labels."
)
# Voxel size along each axis, (z, y, x) or (y, x); one number for all axes; None if unknown.
Spacing = float | Sequence[float] | None


class ArrayLike(Protocol):
    """An array that is read in blocks, of dask, zarr, NumPy or `objclass.chunked.imread`."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Length of each axis."""

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the values."""

    @property
    def ndim(self) -> int:
        """Number of axes."""

    def __getitem__(self, key: Any, /) -> Any:
        """Return the part that slices select."""


class ObjclassError(ValueError):
    """Base class of all errors that objclass raises on purpose: an invalid argument or file.

    Errors that correspond to a built-in class, such as `FileNotFoundError` or `TypeError`, inherit from it
    as well. Any other exception raised by objclass is a bug or a failure of the system.

    Examples
    --------
    >>> import objclass
    >>> try:
    ...     objclass.imread("nowhere.tif")
    ... except objclass.ObjclassError as error:
    ...     print(isinstance(error, FileNotFoundError))
    True
    """


class _WrongTypeError(TypeError, ObjclassError): ...


class _MissingFileError(FileNotFoundError, ObjclassError): ...


class _ExistingFileError(FileExistsError, ObjclassError): ...


class _NoPermissionError(PermissionError, ObjclassError): ...


class _BusyError(BlockingIOError, ObjclassError): ...


class _NoConnectionError(ConnectionError, ObjclassError): ...


class _WrongStateError(RuntimeError, ObjclassError): ...


class _MissingPackageError(ImportError, ObjclassError): ...


_KINDS: dict[type[Exception], type[ObjclassError]] = {
    ValueError: ObjclassError,
    **{error.__bases__[0]: error for error in ObjclassError.__subclasses__()},
}


def invalid(
    argument: str, expected: str, got: object, hint: str = "", *, kind: type[Exception] = ValueError
) -> ObjclassError:
    """Return the exception to raise for an invalid argument.

    It is an `ObjclassError` and also an instance of the built-in `kind`.
    """
    text = f"{argument}: expected {expected}, got {got if isinstance(got, str) else describe(got)}."
    return _KINDS[kind](f"{text} {hint}".rstrip())


def describe(value: object) -> str:
    """Describe `value`: shape and dtype of an array, otherwise its type and a short repr."""
    if isinstance(value, np.ndarray):
        return f"an array of shape {value.shape} and dtype {value.dtype}"
    if value is None:
        return "None"
    text = repr(value)
    return f"{type(value).__name__} {text if len(text) <= 80 else text[:77] + '...'}"


def counted(number: int, noun: str) -> str:
    """Return a number with its noun.

    Examples
    --------
    >>> counted(1, "object"), counted(1200, "object")
    ('1 object', '1,200 objects')
    """
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def first_few(names: Sequence[object], most: int = 5) -> str:
    """Return the first few names, and how many more there are."""
    more = f" and {len(names) - most:,} more" if len(names) > most else ""
    return ", ".join(map(str, names[:most])) + more


def is_list(value: object) -> TypeGuard[list[Any] | tuple[Any, ...]]:
    """Return whether `value` is a list or tuple of images rather than one image."""
    return isinstance(value, (list, tuple)) and len(value) > 0 and all(np.ndim(v) >= 2 for v in value)


def for_each(images: Images, function: Callable[[Any], np.ndarray]) -> Images:
    """Return the result of `function` for an image, or the list of results for a list of images."""
    return cast(Images, [function(one) for one in images] if is_list(images) else function(images))


def check_option(argument: str, value: object, options: Iterable[str]) -> str:
    """Return `value` if it is one of `options`."""
    options = list(options)
    if not isinstance(value, str) or value not in options:
        raise invalid(argument, f"one of {', '.join(map(repr, options))}", describe(value))
    return value


def check_number(
    argument: str, value: Any, *, low: float | None = None, high: float | None = None, integer: bool = False
) -> Any:
    """Return `value` as int or float if it is a finite number within ``[low, high]``."""
    kinds = (int, np.integer) if integer else (int, float, np.integer, np.floating)
    low_text = "" if low is None else f" of at least {low}"
    high_text = "" if high is None else f"{' and' if low_text else ''} of at most {high}"
    expected = f"{'an integer' if integer else 'a number'}{low_text}{high_text}"
    is_number = isinstance(value, kinds) and not isinstance(value, (bool, np.bool_)) and np.isfinite(value)
    if not is_number or (low is not None and value < low) or (high is not None and value > high):
        raise invalid(argument, expected, value)
    return int(value) if integer else float(value)


def check_names(argument: str, names: object, n: int, what: str) -> list[str]:
    """Return `names` as a list if they are `n` unique strings, one for each `what`."""
    expected = f"{counted(n, 'different name')}, one for each {what}"
    if isinstance(names, str) or not isinstance(names, Iterable):
        raise invalid(argument, expected, describe(names), kind=TypeError)
    listed = list(names)
    if len(listed) != n or len({*map(str, listed)}) != n or not all(isinstance(name, str) for name in listed):
        raise invalid(argument, expected, describe(listed))
    return listed


def channel_numbers(
    channel: int | str | Sequence[int | str],
    names: Sequence[str] | None,
    n: int,
    *,
    argument: str = "channel",
    of: str = "the image",
) -> tuple[int, ...]:
    """Return the numbers of channels that are given by number or name, in the order in which they are given.

    Parameters
    ----------
    channel : int, str or sequence of these
        A number may be a string of digits, as from a command line, if it is no name.
    names : sequence of str, optional
        The names of all channels.
    n : int
        The number of all channels.
    argument, of : str
        What messages call the channel, and the image.

    Examples
    --------
    >>> channel_numbers(["GFP", 0], ["DAPI", "GFP", "RFP"], 3)
    (1, 0)
    """
    known = list(names or ())
    given = [channel] if np.ndim(channel) == 0 else list(channel)  # type: ignore[arg-type]
    found = []
    for each in given:
        if isinstance(each, str) and (each in known or not each.isdecimal()):
            if known.count(each) != 1:
                got = f"{each!r}; its channels are {', '.join(known) or 'unnamed'}"
                raise invalid(argument, f"the name of one channel of {of}", got)
            found.append(known.index(each))
        else:
            number = int(each) if isinstance(each, str) else each
            found.append(check_number(argument, number, low=0, high=n - 1, integer=True))
    if not found or len({*found}) < len(found):
        raise invalid(argument, "one or more different channels", describe(channel))
    return tuple(found)


def check_spacing(spacing: object, ndim: int, *, argument: str = "spacing") -> tuple[float, ...] | None:
    """Return `spacing` as `ndim` positive floats; a single number applies to all axes; None stays None."""
    if spacing is None:
        return None
    values = np.atleast_1d(np.asarray(spacing))
    if values.size == 1:
        values = np.repeat(values, ndim)
    is_number = values.dtype.kind in "iuf"
    if not is_number or values.shape != (ndim,) or not np.isfinite(values).all() or (values <= 0).any():
        raise invalid(
            argument,
            "a positive number"
            if ndim == 1
            else f"{ndim} positive numbers, one for each of the axes {axis_names(ndim)}",
            spacing,
            "objclass.read_spacing(path) returns the voxel size of a file.",
        )
    return tuple(map(float, values))


def check_unit(unit: object, spacing: object) -> str:
    """Return the unit of length; "px" if there is no spacing, "" if it is unknown."""
    if unit is not None and not isinstance(unit, str):
        raise invalid("unit", "a string such as 'µm'", describe(unit), kind=TypeError)
    if unit and unit != "px" and spacing is None:
        raise invalid("spacing", f"the voxel size in {unit}", "none", "Pass spacing=.")
    return unit or ("px" if spacing is None else "")


def axis_names(ndim: int) -> str:
    """Return the names of `ndim` spatial axes, as ``(z, y, x)``."""
    return f"({', '.join('zyx'[-ndim:])})"


def check_labels(labels: npt.ArrayLike, *, argument: str = "labels") -> np.ndarray:
    """Return `labels` as a 2D or 3D integer array without negative labels."""
    array = as_array(labels, argument=argument)
    if array.dtype.kind not in "iu":
        hint = labels_hint(array.dtype)
        if array.ndim == 0:
            hint = "Read a file with objclass.read_labels(path); pass several label images as a list."
        raise invalid(argument, "an integer array, 0 for background", array, hint, kind=TypeError)
    if array.ndim not in (2, 3):
        raise invalid(argument, "an array of axes (y, x) or (z, y, x)", array)
    if array.dtype.kind == "i" and array.size and array.min() < 0:
        raise invalid(argument, "labels of at least 0", f"a minimum of {array.min()}")
    return array


def warn_like_image(labels: np.ndarray, *, name: str = "labels", stacklevel: int) -> None:
    """Warn if labels, called `name`, look like an image."""
    if is_like_image(labels):
        warn(f"{name}: {_LIKE_IMAGE}", stacklevel=stacklevel + 1)


def is_like_image(labels: np.ndarray) -> bool:
    """Return whether most neighbours along x differ: pixels of objects mostly lie beside others of theirs."""
    if labels.size == 0:
        return False
    n_pairs, n_equal = _count_neighbours(labels if labels.ndim == 2 else labels[len(labels) // 2])
    return n_pairs >= _FEWEST_PAIRS and n_equal < 0.25 * n_pairs


def _count_neighbours(plane: np.ndarray) -> tuple[int, int]:
    """Return the number of neighbours along x that are both above 0, and of those that are equal."""
    left, right = plane[:, :-1], plane[:, 1:]
    is_pair = (left > 0) & (right > 0)
    return int(np.count_nonzero(is_pair)), int(np.count_nonzero(is_pair & (left == right)))


def is_like_labels(image: np.ndarray) -> bool:
    """Return whether an image (c, z, y, x) or (c, y, x) looks like labels: numbered regions in one piece.

    Most images are told from labels by a single plane.
    """
    if len(image) != 1 or image.dtype.kind not in "iuf" or image.size == 0:
        return False
    plane = image[0] if image.ndim == 3 else image[0, image.shape[1] // 2]
    n_pairs, n_equal = _count_neighbours(plane)
    if n_equal <= 0.75 * n_pairs:
        return False
    values = np.unique(image)
    values = values[values != 0]
    if len(values) < _FEWEST_LABELS or values[0] < 1 or (values % 1 != 0).any():
        return False
    if values[-1] > 4 * len(values):  # numbered, with few gaps
        return False
    from skimage.measure import label

    pieces = label(plane.astype(np.int64), connectivity=1).max()
    return bool(pieces <= 1.5 * np.count_nonzero(np.unique(plane)))


def labels_hint(dtype: np.dtype) -> str:
    """Return how to convert an array that is not of integers to labels."""
    if dtype.kind == "f":  # relabelling would separate the pieces of disconnected objects
        return "Convert labels stored as floats with labels.astype(int)."
    return "Label the objects of a mask with skimage.measure.label(mask)."


def check_image(
    image: npt.ArrayLike,
    spatial_shape: Sequence[int] | None = None,
    *,
    ndim: int | None = None,
    shape_of: str = "labels",
    argument: str = "image",
    finite: bool = True,
) -> np.ndarray:
    """Return `image` with a leading channel axis: (c, z, y, x) or (c, y, x).

    Parameters
    ----------
    image : array
        (z, y, x) or (y, x), or with channels first (c, z, y, x) or (c, y, x).
    spatial_shape : sequence of int, optional
        The shape that the spatial axes must have.
    ndim : int, optional
        The number of spatial axes, if `spatial_shape` is not given.
    shape_of : str
        The name of the argument that `spatial_shape` is the shape of.
    argument : str
        The name of the argument, for messages.
    finite : bool
        Whether to refuse NaN and infinite pixels.
    """
    array = as_array(image, argument=argument)
    if array.dtype.kind not in "iufb":
        raise invalid(argument, "a real-valued array", array, kind=TypeError)
    if spatial_shape is not None:
        ndim = len(spatial_shape)
    fits = array.dtype == np.uint8 if spatial_shape is None else array.shape[:-1] == tuple(spatial_shape)
    if fits and has_colours_last(array):
        hint = "Move the channel axis first with numpy.moveaxis(image, -1, 0)."
        raise invalid(argument, "an image with channels first, (c, y, x)", array, hint)
    if ndim is None:
        ndim = 3 if array.ndim >= 3 else 2
    if array.ndim not in (ndim, ndim + 1) or array.size == 0:
        axes = axis_names(ndim)
        raise invalid(
            argument,
            f"a non-empty array of axes {axes}, or with channels first (c, {axes[1:]}",
            array,
            "Reorder the axes with numpy.moveaxis, or take one time point of a series.",
        )
    with_channels = array if array.ndim == ndim + 1 else array[np.newaxis]
    if spatial_shape is not None and with_channels.shape[1:] != tuple(spatial_shape):
        hint = f"Pass the image that the {shape_of} were made on; channels come first."
        raise invalid(argument, f"the spatial shape of {shape_of}, {tuple(spatial_shape)}", array, hint)
    if finite and array.dtype.kind == "f" and not all(np.isfinite(plane).all() for plane in with_channels):
        raise invalid(
            argument,
            "finite pixels",
            "NaN or infinite ones",
            "Replace them, for example with numpy.nan_to_num(image).",
        )
    return with_channels


def has_colours_last(array: np.ndarray) -> bool:
    """Return whether an array looks like an RGB(A) image with the channels last, or a stack of such."""
    return array.ndim >= 3 and array.shape[-1] in (3, 4) and min(array.shape[-3:-1]) > 16


def as_array(array: object, *, argument: str = "image") -> np.ndarray:
    """Return `array` as one of NumPy, after checking its masked pixels and the names of its axes."""
    refuse_masked(array, argument=argument)
    refuse_other_axes(array, argument=argument)
    return np.asarray(array)


def refuse_other_axes(array: Any, *, argument: str = "image") -> None:
    """Raise if an array with named axes, as of xarray, has spatial ones in another order, or times."""
    dims = getattr(array, "dims", ())
    names = [str(name).lower() for name in dims] if isinstance(dims, tuple) else []
    spatial = sorted((name for name in names if name in ("z", "y", "x")), reverse=True)
    if len(spatial) < 2:
        return
    got = f"axes ({', '.join(names)})"
    is_color = names[-1] not in spatial and np.shape(array)[-1] in (3, 4)  # of pictures, last
    if names[: -1 if is_color else None][-len(spatial) :] != spatial:
        hint = f"Reorder them: {argument}.transpose(..., {', '.join(map(repr, spatial))})."
        raise invalid(argument, f"axes in the order ({', '.join(spatial)}), after channels", got, hint)
    times = [name for name in names if name in ("t", "time", "frame")]
    if times and np.shape(array)[names.index(times[0])] > 1:
        raise invalid(argument, "one time point", got, f"Select one: {argument}.isel({times[0]}=0).")


def refuse_masked(array: object, *, argument: str = "image") -> None:
    """Raise if an array of NumPy has masked pixels, or if one of dask may have some."""
    is_lazy = isinstance(getattr(array, "_meta", None), np.ma.MaskedArray)
    if is_lazy or np.ma.is_masked(array):
        how = "dask.array.ma.filled(image, value)" if is_lazy else "image.filled(value)"
        hint = f"Fill them with {how}; only measure(labels, image) ignores masked pixels."
        raise invalid(argument, "an array without masked pixels", "a masked array", hint)


def check_float32(image: np.ndarray, *, argument: str = "image") -> np.ndarray:
    """Return `image` if its pixels are within the range of float32, the dtype of features."""
    limit = np.finfo(np.float32).max
    if image.dtype.kind == "f" and image.dtype.itemsize > 4 and max(image.max(), -image.min()) > limit:
        raise invalid(
            argument, f"pixels of at most {limit:.2g}", "larger ones", "Divide the image by a constant."
        )
    return image
