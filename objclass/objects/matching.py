"""Objects of one label image that are those of another."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from objclass._common.checks import check_labels, invalid

if TYPE_CHECKING:
    pass


def count_matches(truth: npt.ArrayLike, found: npt.ArrayLike, overlap: float = 0.5) -> tuple[int, int, int]:
    """Return how many objects there are, how many were found, and how many of these match.

    Parameters
    ----------
    truth, found : integer arrays of the same shape
        Labels.
    overlap : float
        The least share of voxels in both of those in either, at least 0.5.

    Examples
    --------
    >>> count_matches([[1, 1, 1, 0, 2]], [[7, 7, 0, 0, 0]])
    (2, 1, 1)
    """
    truth, found = check_labels(truth, argument="truth"), check_labels(found, argument="found")
    if truth.shape != found.shape:
        raise invalid("found", f"the shape of truth, {truth.shape}", found)
    true_numbers, true_at, true_sizes = np.unique(truth, return_inverse=True, return_counts=True)
    found_numbers, found_at, found_sizes = np.unique(found, return_inverse=True, return_counts=True)
    codes, both = np.unique(
        true_at.ravel().astype(np.int64) * len(found_numbers) + found_at.ravel(), return_counts=True
    )
    here, there = np.divmod(codes, len(found_numbers))
    share = both / (true_sizes[here] + found_sizes[there] - both)
    matched = (share > overlap) & (true_numbers[here] > 0) & (found_numbers[there] > 0)
    return int((true_numbers > 0).sum()), int((found_numbers > 0).sum()), int(matched.sum())


def match_objects(labels: np.ndarray, truth: np.ndarray, *, min_overlap: float = 0.5) -> dict[int, int]:
    """Return which object is which true one: those whose intersection is over half of their union.

    Parameters
    ----------
    labels, truth : integer array
        Of one shape.
    min_overlap : float
        The intersection over union that a pair must exceed, at least 0.5: then no object has two partners.

    Returns
    -------
    dict of int to int
        The number of an object to that of its true one.

    Examples
    --------
    >>> import numpy as np
    >>> match_objects(np.array([[1, 1, 1, 0, 3]]), np.array([[7, 7, 7, 7, 0]]))
    {1: 7}
    """
    from skimage.metrics import contingency_table

    both = contingency_table(truth, labels).tocoo()
    true_sizes, sizes = np.bincount(truth.ravel()), np.bincount(labels.ravel())
    overlap = both.data / (true_sizes[both.row] + sizes[both.col] - both.data)
    pairs = (overlap > min_overlap) & (both.row > 0) & (both.col > 0)
    return dict(zip(both.col[pairs].tolist(), both.row[pairs].tolist(), strict=True))
