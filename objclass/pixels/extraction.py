"""Features of annotated voxels, or of one plane."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from typing import Any

import numpy as np

from objclass.pixels.features import Feature
from objclass.pixels.filter_bank import plan_features
from objclass.pixels.kernels.pixels import collect_features
from objclass.pixels.tiling import Band, Region, as_volume, corner_in, run, whole

CACHE_BYTES = 512 * 2**20


def features_at(image: np.ndarray, features: Sequence[Feature], mask: np.ndarray) -> np.ndarray:
    """Return the features of the voxels in `mask`, in raster order: float32, (n_voxels, n_features).

    Only the neighbourhood of the mask is computed, plane by plane.

    Parameters
    ----------
    image : ndarray, (c, z, y, x) or (c, y, x)
    features : sequence of Feature
        The features, computed for channel 0, then for channel 1, and so on.
    mask : ndarray of bool, (z, y, x) or (y, x)
    """
    volume = as_volume(image, mask.ndim)
    planes = mask.reshape(volume.shape[1:])
    rows = [np.empty((0, len(image) * len(features)), np.float32)]
    for z in np.flatnonzero(planes.any(axis=(1, 2))).tolist():
        ys, xs = (_span(planes[z].any(axis=axis)) for axis in (1, 0))
        region = (slice(z, z + 1), ys, xs)
        rows.append(_collect(volume, features, mask.ndim, region, planes[region]).T)
    return np.concatenate(rows)


class FeatureCache:
    """A cache of the features of recently used planes.

    A cached plane takes milliseconds to train on or to predict with another classifier. Images are compared
    by identity: do not modify pixels while the cache is in use.

    Parameters
    ----------
    max_bytes : int
        The maximum size, beyond which the oldest planes are dropped; the last one is always kept.

    Examples
    --------
    >>> import numpy as np, objclass
    >>> image = np.repeat([[0.0, 0, 0, 9, 9, 9]], 6, axis=0)
    >>> classifier = objclass.train_object_classifier(image, np.where(image > 4, 2, 1))
    >>> cache = FeatureCache()
    >>> _ = objclass.predict_plane(image, classifier, cache=cache)
    >>> len(cache)
    1
    """

    def __init__(self, max_bytes: int = CACHE_BYTES) -> None:
        self.max_bytes = max_bytes
        self._planes: OrderedDict[tuple[Any, ...], tuple[np.ndarray, np.ndarray]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._planes)

    def find(
        self, image: np.ndarray, features: Sequence[Feature], ndim: int, axis: int, index: int
    ) -> np.ndarray | None:
        """Return the features of a plane if cached: float32, (n_features, rows, columns)."""
        key = self._key(image, features, ndim, axis, index)
        if key not in self._planes:
            return None
        self._planes.move_to_end(key)
        return self._planes[key][1]

    def compute(
        self, image: np.ndarray, features: Sequence[Feature], ndim: int, axis: int, index: int
    ) -> np.ndarray:
        """Return the features of a plane, from the cache or computed; see `find`."""
        known = self.find(image, features, ndim, axis, index)
        if known is not None:
            return known
        volume = as_volume(image, ndim)
        region = plane_region(volume.shape[1:], axis, index)
        shape = tuple(part.stop - part.start for part in region)
        collected = _collect(volume, features, ndim, region, np.ones(shape, bool))
        plane = collected.reshape(-1, *(n for at, n in enumerate(shape) if at != axis))
        self._planes[self._key(image, features, ndim, axis, index)] = image, plane
        while (
            len(self._planes) > 1 and sum(kept.nbytes for _, kept in self._planes.values()) > self.max_bytes
        ):
            self._planes.popitem(last=False)
        return plane

    @staticmethod
    def _key(
        image: np.ndarray, features: Sequence[Feature], ndim: int, axis: int, index: int
    ) -> tuple[Any, ...]:
        pixels = image.__array_interface__
        return pixels["data"], image.shape, image.strides, image.dtype.str, tuple(features), ndim, axis, index


def plane_region(shape: Sequence[int], axis: int, index: int) -> Region:
    """Return the region of one plane of a volume of shape (z, y, x)."""
    region = list(whole(shape))
    region[axis] = slice(index, index + 1)
    return region[0], region[1], region[2]


def _collect(
    volume: np.ndarray, features: Sequence[Feature], ndim: int, region: Region, mask: np.ndarray
) -> np.ndarray:
    """Return the features of the voxels of a region that are in `mask`: float32, (n_features, n_voxels)."""
    plan = plan_features(features, len(volume), ndim)
    mask = np.ascontiguousarray(mask)  # one form for the kernel to compile
    counts = np.count_nonzero(mask, axis=2)
    offsets = (np.cumsum(counts) - counts.ravel()).reshape(counts.shape)
    collected = np.empty((plan.n_features, int(counts.sum())), np.float32)

    def collect(band: Band, z: int, first: int, last: int) -> None:
        at = z - region[0].start
        row, column = corner_in(region, band)
        before = np.count_nonzero(mask[at, row:, :column], axis=1)
        collect_features(
            band.tile,
            band.source_at(z),
            band.slots(z),
            (first, last),
            (row, column),
            mask[at],
            offsets[at, row:] + before,
            collected,
        )

    run(volume, plan, region, collect)
    return collected


def _span(present: np.ndarray) -> slice:
    numbers = np.flatnonzero(present)
    return slice(int(numbers[0]), int(numbers[-1]) + 1)
