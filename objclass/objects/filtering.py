"""Removal of objects by size or contact with the image border."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from objclass._common.checks import Images, Spacing, check_labels, check_spacing, for_each, invalid
from objclass._common.sizes import parse_size
from objclass.objects.runlength import Runs, object_sizes


class Regions(NamedTuple):
    """The objects of an image, or of a block of it."""

    numbers: np.ndarray
    """(n,) their labels, ascending."""
    sizes: np.ndarray
    """(n,) their numbers of voxels."""
    at_border: np.ndarray
    """(n,) bool, whether they touch the border of the image."""


Choice = Callable[[Regions], np.ndarray]
"""Returns which objects to keep."""


@dataclass(frozen=True)
class SizeLimit:
    """Keep the objects of at least ``min_size``, or at most ``max_size``, by the sizes of all of them."""

    argument: str
    value: float | str
    spacing: Spacing
    ndim: int

    def __post_init__(self) -> None:
        self(Regions(np.ones(1), np.ones(1), np.ones(1)))  # raise early if it is invalid

    def __call__(self, regions: Regions) -> np.ndarray:
        """Return which objects to keep."""
        size, voxel = parse_size(self.argument, self.value), check_spacing(self.spacing, self.ndim)
        limit = size.in_voxels(self.argument, voxel, self.ndim, regions.sizes)
        return regions.sizes >= limit if self.argument == "min_size" else regions.sizes <= limit


def inside(regions: Regions) -> np.ndarray:
    """Keep the objects that do not touch the border of the image."""
    return ~regions.at_border


def every(regions: Regions) -> np.ndarray:
    """Keep every object."""
    return np.ones(len(regions.numbers), bool)


def count_regions(labels: np.ndarray, borders: Iterable[tuple[int, int]]) -> Regions:
    """Count the voxels of each object; `borders` are the faces (axis, side) at the image border."""
    numbers, sizes = object_sizes(labels)
    faces = [np.unique(labels.take(side, axis)) for axis, side in borders]
    return Regions(numbers, sizes, np.isin(numbers, np.concatenate([numbers[:0], *faces])))


def choose_numbers(regions: Regions, choose: Choice, *, dense: bool) -> tuple[np.ndarray, np.ndarray]:
    """Return the labels of the objects and their new labels; 0 for those that are not kept."""
    keep = choose(regions)
    if dense:
        return regions.numbers, np.where(keep, np.cumsum(keep), 0)
    highest = regions.numbers[keep].max(initial=0)
    if highest > np.iinfo(np.int32).max:
        hint = "Pass relabel=True to relabel the objects to 1…n."
        raise invalid("labels", "labels below 2147483648", f"a largest of {highest}", hint)
    return regions.numbers, np.where(keep, regions.numbers, 0)


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
    return for_each(
        labels, lambda one: _keep(one, SizeLimit("min_size", min_size, spacing, np.ndim(one)), relabel)
    )


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
    return for_each(
        labels, lambda one: _keep(one, SizeLimit("max_size", max_size, spacing, np.ndim(one)), relabel)
    )


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
    return for_each(labels, lambda one: _keep(one, inside, relabel, by_border=True))


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
    return for_each(labels, lambda one: _keep(one, every, True))


def _keep(labels: npt.ArrayLike, choose: Choice, dense: bool, *, by_border: bool = False) -> np.ndarray:
    array = check_labels(labels)
    axes = [axis for axis, length in enumerate(array.shape) if length > 1]
    borders = [(axis, side) for axis in axes for side in (0, -1)] if by_border else []
    regions = count_regions(array, borders)
    return Runs.encode(array).renumber(*choose_numbers(regions, choose, dense=dense))
