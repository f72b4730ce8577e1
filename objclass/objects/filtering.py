"""Removal of objects by size or contact with the image border."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from objclass._common.checks import Images, Spacing, check_labels, for_each, invalid
from objclass._common.sizes import parse_size
from objclass.objects.runlength import object_sizes, renumber


def exclude_small(
    labels: Images,
    min_size: float | str = 20,
    *,
    spacing: Spacing = None,
    relabel: bool = True,
) -> Images:
    """Remove objects smaller than `min_size`.

    Parameters
    ----------
    labels : integer array, or list of arrays
        (z, y, x) or (y, x); 0 is background. Labels need not be consecutive.
    min_size : float or str
        The minimum size: voxels as 20, a physical size as ``"4 um3"`` or ``"4 um2"`` (nm, um or mm), or a
        percentage of the typical size (the median weighted by size) as ``"10%"``.
    spacing : float or sequence of float, optional
        Voxel size along each axis in micrometres, for a physical size.
    relabel : bool
        Relabel the remaining objects to 1…n in the order of their labels; otherwise keep their labels.

    Returns
    -------
    ndarray of int32, or list of such
        The shape of `labels`.

    Raises
    ------
    ValueError
        If `labels` are negative or not 2D or 3D, or `min_size` is negative, not a size, or a physical size
        without `spacing`.
    TypeError
        If `labels` are not integers.

    Examples
    --------
    >>> import numpy as np, objclass
    >>> labels = np.array([[1, 0, 7, 7, 0, 9, 9]])
    >>> objclass.exclude_small(labels, 2)
    array([[0, 0, 1, 1, 0, 2, 2]], dtype=int32)
    >>> objclass.exclude_small(labels, "0.5 um2", spacing=0.5)
    array([[0, 0, 1, 1, 0, 2, 2]], dtype=int32)
    """
    size = parse_size("min_size", min_size)

    def is_large(array: np.ndarray, numbers: np.ndarray, sizes: np.ndarray) -> np.ndarray:
        return sizes >= size.in_voxels("min_size", spacing, array.ndim, sizes)

    return for_each(labels, lambda one: _keep(one, is_large, relabel))


def exclude_large(
    labels: Images,
    max_size: float | str,
    *,
    spacing: Spacing = None,
    relabel: bool = True,
) -> Images:
    """Remove objects larger than `max_size`.

    Parameters
    ----------
    labels, spacing, relabel
        As in `exclude_small`.
    max_size : float or str
        The maximum size; given as in `exclude_small`, with percentages of up to ``"1000%"``.

    Returns
    -------
    ndarray of int32, or list of such
        The shape of `labels`.

    Raises
    ------
    ValueError
        If `labels` are negative or not 2D or 3D, or `max_size` is negative, not a size, or a physical size
        without `spacing`.
    TypeError
        If `labels` are not integers.

    Examples
    --------
    >>> import numpy as np, objclass
    >>> objclass.exclude_large(np.array([[1, 0, 7, 7, 0, 9]]), 1)
    array([[1, 0, 0, 0, 0, 2]], dtype=int32)
    """
    size = parse_size("max_size", max_size)

    def is_small(array: np.ndarray, numbers: np.ndarray, sizes: np.ndarray) -> np.ndarray:
        return sizes <= size.in_voxels("max_size", spacing, array.ndim, sizes)

    return for_each(labels, lambda one: _keep(one, is_small, relabel))


def exclude_border(labels: Images, *, relabel: bool = True) -> Images:
    """Remove objects that touch the border of the image, since they may be incomplete.

    Parameters
    ----------
    labels, relabel
        As in `exclude_small`. An axis of length one has no border.

    Returns
    -------
    ndarray of int32, or list of such
        The shape of `labels`.

    Raises
    ------
    ValueError
        If `labels` are negative or not of rank 2 or 3.
    TypeError
        If `labels` are not integers.

    Examples
    --------
    >>> import numpy as np, objclass
    >>> objclass.exclude_border(np.array([[0, 0, 0, 0], [5, 0, 8, 0], [0, 0, 0, 0]]))
    array([[0, 0, 0, 0],
           [0, 0, 1, 0],
           [0, 0, 0, 0]], dtype=int32)
    """

    def inside(array: np.ndarray, numbers: np.ndarray, sizes: np.ndarray) -> np.ndarray:
        axes = [axis for axis, length in enumerate(array.shape) if length > 1]
        faces = [np.unique(np.take(array, side, axis)) for axis in axes for side in (0, -1)]
        return ~np.isin(numbers, np.concatenate(faces)) if faces else np.ones(len(numbers), bool)

    return for_each(labels, lambda one: _keep(one, inside, relabel))


def relabel(labels: Images) -> Images:
    """Relabel objects to 1…n in the order of their labels.

    Parameters
    ----------
    labels : integer array, or list of arrays
        (z, y, x) or (y, x); 0 is background.

    Returns
    -------
    ndarray of int32, or list of such
        The shape of `labels`.

    Raises
    ------
    ValueError
        If `labels` are negative or not of rank 2 or 3.
    TypeError
        If `labels` are not integers.

    Examples
    --------
    >>> import numpy as np, objclass
    >>> objclass.relabel(np.array([[7, 0, 3, 3]]))
    array([[2, 0, 1, 1]], dtype=int32)
    """

    def every(array: np.ndarray, numbers: np.ndarray, sizes: np.ndarray) -> np.ndarray:
        return np.ones(len(numbers), bool)

    return for_each(labels, lambda one: _keep(one, every, True))


def _keep(labels: npt.ArrayLike, choose: Callable[..., np.ndarray], dense: bool) -> np.ndarray:
    """Keep the objects for which ``choose(array, numbers, sizes)`` is true."""
    array = check_labels(labels)
    numbers, sizes = object_sizes(array)
    keep = choose(array, numbers, sizes)
    if dense:
        return renumber(array, numbers, np.where(keep, np.cumsum(keep), 0))
    if keep.any() and numbers[keep].max() > np.iinfo(np.int32).max:
        hint = "Pass relabel=True to relabel the objects to 1…n."
        raise invalid("labels", "labels below 2147483648", f"a largest of {numbers[keep].max()}", hint)
    return renumber(array, numbers, np.where(keep, numbers, 0))
