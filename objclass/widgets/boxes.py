"""Bounding boxes of objects, found in one pass."""

from __future__ import annotations

import numpy as np

_LARGEST_DENSE = 1 << 22


def object_boxes(labels: np.ndarray, numbers: np.ndarray) -> list[tuple[slice, ...] | None]:
    """Return the bounding box of each label in `numbers`, or None if it does not exist.

    Examples
    --------
    >>> object_boxes(np.array([0, 7, 7, 0]), np.array([7, 2]))
    [(slice(1, 3, None),), None]
    """
    from scipy import ndimage

    if int(labels.max(initial=0)) > _LARGEST_DENSE:
        present, dense = np.unique(labels, return_inverse=True)
        found = ndimage.find_objects(dense.reshape(labels.shape) + 1)
        known = dict(zip(present.tolist(), found, strict=True))
        return [known.get(number) for number in numbers.tolist()]
    found = ndimage.find_objects(labels)
    return [found[number - 1] if number <= len(found) else None for number in numbers.tolist()]
