"""Matching of objects between two label images."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from objclass._common.checks import check_labels, check_number, invalid
from objclass.objects.runlength import count_pairs, object_sizes


def match_objects(labels: npt.ArrayLike, truth: npt.ArrayLike, *, min_overlap: float = 0.5) -> dict[int, int]:
    """Match objects to true objects by intersection over union.

    Parameters
    ----------
    labels, truth : integer arrays of the same shape
        (z, y, x) or (y, x); 0 is background. Labels need not be consecutive.
    min_overlap : float
        The intersection over union that a pair must exceed, from 0.5 to 1, so that matches are unique.

    Returns
    -------
    dict of int to int
        Maps the label of each matched object to that of its true object, in ascending order.

    Raises
    ------
    ValueError
        If the shapes differ, labels are negative, or `min_overlap` is out of range.
    TypeError
        If an array does not contain integers.

    References
    ----------
    .. [1] A. Kirillov et al., Panoptic segmentation, CVPR (2019), https://arxiv.org/abs/1801.00868

    Examples
    --------
    >>> import numpy as np, objclass
    >>> objclass.match_objects(np.array([[1, 1, 1, 0, 3]]), np.array([[7, 7, 7, 7, 0]]))
    {1: 7}
    """
    labels, truth = check_labels(labels), check_labels(truth, argument="truth")
    if labels.shape != truth.shape:
        raise invalid("truth", f"the shape of labels, {labels.shape}", truth)
    min_overlap = check_number("min_overlap", min_overlap, low=0.5, high=1)
    (numbers, sizes), (true_numbers, true_sizes) = object_sizes(labels), object_sizes(truth)
    here, there, shared = count_pairs(labels, truth)
    size, true_size = sizes[np.searchsorted(numbers, here)], true_sizes[np.searchsorted(true_numbers, there)]
    matched = shared > min_overlap * (size + true_size - shared)
    return dict(zip(here[matched].tolist(), there[matched].tolist(), strict=True))
