"""Expanded labels, rings around objects, and parents of objects."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from objclass._common.checks import Spacing, check_labels, check_number, check_spacing, invalid
from objclass.objects.runlength import count_pairs, object_sizes

if TYPE_CHECKING:
    import pandas as pd


def expand(labels: npt.ArrayLike, distance: float, *, spacing: Spacing = None) -> np.ndarray:
    """Expand labels by a distance without overlap.

    Parameters
    ----------
    labels : integer array
        (z, y, x) or (y, x); 0 is background.
    distance : float
        The distance in units of `spacing`, or in voxels without it. Background voxels whose centre is within
        this distance of the centre of a labelled voxel get the label of the nearest object.
    spacing : float or sequence of float, optional
        Voxel size along each axis.

    Returns
    -------
    ndarray of int32
        The shape of `labels`; objects keep their labels.

    Raises
    ------
    ValueError
        If `labels` are negative, over 2147483647 or not of rank 2 or 3, or `distance` is negative.
    TypeError
        If `labels` are not integers.

    See Also
    --------
    ring : Label only the voxels around objects.

    References
    ----------
    .. [1] scikit-image, ``skimage.segmentation.expand_labels``, which this equals

    Examples
    --------
    >>> import numpy as np, objclass
    >>> objclass.expand(np.array([[0, 0, 0, 7, 0, 0, 0, 3]]), 1.0, spacing=0.5)
    array([[0, 7, 7, 7, 7, 7, 3, 3]], dtype=int32)
    """
    return _around(labels, None, check_number("distance", distance, low=0), spacing)


def ring(
    labels: npt.ArrayLike,
    inner: float,
    outer: float,
    *,
    spacing: Spacing = None,
) -> np.ndarray:
    """Label a ring around each object, such as the cytoplasm around a nucleus.

    Parameters
    ----------
    labels : integer array
        (z, y, x) or (y, x); 0 is background.
    inner, outer : float
        The ring contains the voxels at a distance of more than `inner` and at most `outer` from the nearest
        object, in units of `spacing`, or in voxels without it. With ``inner=0`` it starts at the object.
    spacing : float or sequence of float, optional
        Voxel size along each axis.

    Returns
    -------
    ndarray of int32
        The shape of `labels`; a ring has the label of its object, objects themselves are 0.

    Raises
    ------
    ValueError
        If `labels` are negative, over 2147483647 or not of rank 2 or 3, or `outer` is not above `inner`.
    TypeError
        If `labels` are not integers.

    See Also
    --------
    expand : Expand objects instead.

    Examples
    --------
    >>> import numpy as np, objclass
    >>> objclass.ring(np.array([[0, 0, 0, 7, 0, 0, 0]]), 1, 2)
    array([[0, 7, 0, 0, 0, 7, 0]], dtype=int32)
    """
    inner = check_number("inner", inner, low=0)
    if check_number("outer", outer, low=0) <= inner:
        raise invalid("outer", f"a distance above inner, {inner:g}", outer)
    return _around(labels, inner, outer, spacing)


def relate(
    children: npt.ArrayLike,
    parents: npt.ArrayLike,
    *,
    max_distance: float = 0,
    spacing: Spacing = None,
) -> pd.DataFrame:
    """Find the parent of each child: the object with the largest overlap, such as the cell of a nucleus.

    Parameters
    ----------
    children, parents : integer arrays of the same shape
        (z, y, x) or (y, x); 0 is background.
    max_distance : float
        A child without overlap is assigned to the nearest parent within this distance between voxel centres,
        in units of `spacing`, or in voxels without it.
    spacing : float or sequence of float, optional
        Voxel size along each axis.

    Returns
    -------
    DataFrame
        One row for each child: ``label``; ``parent``, 0 if there is none and the lower label in case of a
        tie; and ``overlap``, the fraction of the voxels of the child inside the parent.

    Raises
    ------
    ValueError
        If the shapes differ, labels are negative, or `max_distance` is negative.
    TypeError
        If an array is not of integers.

    Examples
    --------
    >>> import numpy as np, objclass
    >>> cells = np.array([[1, 1, 1, 1, 0, 0, 2, 2, 0, 3]])
    >>> spots = np.array([[5, 0, 0, 6, 6, 7, 0, 8, 0, 0]])
    >>> table = objclass.relate(spots, cells)
    >>> table
       label  parent  overlap
    0      5       1      1.0
    1      6       1      0.5
    2      7       0      0.0
    3      8       2      1.0

    Count the children of each parent, including parents without children:

    >>> table.groupby("parent").size().reindex([1, 2, 3], fill_value=0).tolist()
    [2, 1, 0]
    """
    import pandas as pd

    children, parents = check_labels(children, argument="children"), check_labels(parents, argument="parents")
    if children.shape != parents.shape:
        raise invalid("parents", f"the shape of children, {children.shape}", parents)
    check_number("max_distance", max_distance, low=0)
    numbers, sizes = object_sizes(children)
    here, there, shared = count_pairs(children, parents)
    best_first = np.lexsort((there, -shared, here))
    overlapping, first = np.unique(here[best_first], return_index=True)
    parent, overlap = np.zeros(len(numbers), parents.dtype), np.zeros(len(numbers))
    rows = np.searchsorted(numbers, overlapping)
    parent[rows], overlap[rows] = there[best_first][first], shared[best_first][first] / sizes[rows]
    if max_distance > 0 and (overlap == 0).any():
        orphans = np.isin(children, numbers[overlap == 0])
        distance, places = _nearest(parents, spacing)
        near = orphans & (distance <= max_distance)
        child, candidate = children[near], parents[tuple(axis[near] for axis in places)]
        nearest_first = np.lexsort((candidate, distance[near], child))
        found, first = np.unique(child[nearest_first], return_index=True)
        parent[np.searchsorted(numbers, found)] = candidate[nearest_first][first]
    return pd.DataFrame({"label": numbers, "parent": parent, "overlap": overlap})


def _around(labels: npt.ArrayLike, inner: float | None, outer: float, spacing: Spacing) -> np.ndarray:
    array = check_labels(labels)
    highest = array.max(initial=0)
    if highest > np.iinfo(np.int32).max:
        hint = "Renumber the objects with objclass.relabel(labels)."
        raise invalid("labels", "labels below 2147483648", f"a largest of {highest}", hint)
    distance, places = _nearest(array, spacing)
    chosen = distance <= outer
    if inner is not None:
        chosen &= distance > inner
    around = np.zeros(array.shape, np.int32)
    around[chosen] = array[tuple(axis[chosen] for axis in places)]
    return around


def _nearest(labels: np.ndarray, spacing: Spacing) -> tuple[np.ndarray, np.ndarray]:
    """Return the distance of each voxel to the nearest voxel of an object, and where that is, axes first."""
    from scipy.ndimage import distance_transform_edt

    steps = check_spacing(spacing, labels.ndim)
    if not labels.any():
        return np.full(labels.shape, np.inf), np.zeros((labels.ndim, *labels.shape), np.int32)
    return distance_transform_edt(labels == 0, sampling=steps, return_indices=True)
