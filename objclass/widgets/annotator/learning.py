"""Live training, whose cost per scribble does not depend on the number of earlier scribbles."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np

from objclass._common.parallel import single_threaded
from objclass.pixels.classifier import ObjectClassifier, fit_classifier
from objclass.pixels.features import Feature
from objclass.pixels.normalization import image_range, normalize_rows
from objclass.pixels.prediction import fit_to_range
from objclass.pixels.training import TrainingParameters
from objclass.widgets.annotator.scribbles import Scribbles

_FEW_ROWS = 4000
_NEIGHBOURS = 1


def train_live(
    annotated: Sequence[AnnotatedPixels], parameters: TrainingParameters, *, most_rows: int | None = None
) -> tuple[ObjectClassifier, bool]:
    """Return a classifier, and whether its forest equals that of `train_object_classifier`.

    With more than `most_rows` annotated pixels, the forest is trained on every n-th pixel of each class.
    The metadata of the training data are missing, since they need all pixels of the images.
    """
    features = parameters.parse_features()
    parts = [pixels.rows(features, normalize=parameters.normalize) for pixels in annotated]
    rows, classes = (np.concatenate([part[which] for part in parts]) for which in (0, 1))
    exact = most_rows is None or len(rows) <= most_rows
    if not exact:
        rows, classes = _thin_out(rows, classes, most_rows or 0)
    # Below some thousand rows, multithreading takes longer than training.
    with single_threaded() if len(rows) < _FEW_ROWS else contextlib.nullcontext():
        return fit_classifier(rows, classes, parameters, ndim=annotated[0].ndim, notes={}), exact


class AnnotatedPixels:
    """The annotated pixels of an image, or of some of its channels, with cached features.

    Parameters
    ----------
    image : ndarray of shape (c, z, y, x)
    ndim : int
        2 if the image is a single plane.
    scribbles : Scribbles

    Attributes
    ----------
    cache : FeatureCache
        The features of predicted planes, shared by `predict` and `rows`.
    """

    def __init__(self, image: np.ndarray, ndim: int, scribbles: Scribbles) -> None:
        from objclass.pixels.extraction import FeatureCache

        self.image, self.ndim, self.scribbles = image, ndim, scribbles
        self.cache = FeatureCache()
        self._fitted: tuple[Any, Any] = None, None
        self._reading = threading.Lock()
        self._features: tuple[Feature, ...] = ()
        self._voxels = np.empty(0, np.int64)
        self._rows = np.empty((0, 0), np.float32)

    def predict(self, classifier: ObjectClassifier, axis: int, index: int) -> np.ndarray:
        """Return the class of each pixel of a plane, (rows, columns)."""
        from objclass.pixels.prediction import predict_plane

        if classifier.normalize is not None:
            trained, fitted = self._fitted
            if trained is not classifier:
                fitted = fit_to_range(classifier, self._range)
                self._fitted = classifier, fitted
            classifier = fitted
        return predict_plane(self.flat, classifier, axis=axis, index=index, cache=self.cache)

    @property
    def flat(self) -> np.ndarray:
        """The image without the depth that a single plane does not have."""
        return self.image if self.ndim == 3 else self.image[:, 0]

    @cached_property
    def _range(self) -> np.ndarray:
        return image_range(self.flat)

    def rows(
        self, features: tuple[Feature, ...], *, normalize: str | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return the features of the annotated voxels, in raster order, and their classes."""
        with self._reading:
            rows, classes = self._read(features)
        if normalize is not None:
            rows = normalize_rows(rows, features, self._range, self.ndim)
        return rows, classes

    def _read(self, features: tuple[Feature, ...]) -> tuple[np.ndarray, np.ndarray]:
        if features != self._features:
            self._features = features
            self._voxels = np.empty(0, np.int64)
            self._rows = np.empty((0, len(features) * len(self.image)), np.float32)
        voxels, classes = self._annotated()
        known = np.isin(voxels, self._voxels, assume_unique=True)
        if not known.all():
            added = voxels[~known]
            every = np.concatenate([self._voxels, added])
            order = np.argsort(every, kind="stable")
            self._rows = np.concatenate([self._rows, self._compute(features, added)])[order]
            self._voxels = every[order]
        return self._rows[np.searchsorted(self._voxels, voxels)], classes

    def _annotated(self) -> tuple[np.ndarray, np.ndarray]:
        volume = self.scribbles.volume
        size = volume[0].size
        with self.scribbles.lock:
            planes = [(z, volume[z].ravel()) for z in self.scribbles.marks(0)]
            found = [(z * size + (here := np.flatnonzero(plane)), plane[here]) for z, plane in planes]
        if not found:
            return np.empty(0, np.int64), np.empty(0, np.uint8)
        voxels, classes = zip(*found, strict=True)
        return np.concatenate(voxels), np.concatenate(classes)

    def _compute(self, features: tuple[Feature, ...], voxels: np.ndarray) -> np.ndarray:
        """Compute the features of voxels in raster order, from planes that are known where they are."""
        depths, rows, cols = np.unravel_index(voxels, self.image.shape[1:])
        found = np.empty((len(voxels), len(features) * len(self.image)), np.float32)
        unknown = np.ones(len(voxels), bool)
        for z in np.unique(depths).tolist():
            plane = self.cache.find(self.flat, features, self.ndim, 0, z)
            if plane is not None:
                here = depths == z
                found[here] = plane[:, rows[here], cols[here]].T
                unknown &= ~here
        if unknown.any():
            found[unknown] = self._compute_around(features, np.array([depths, rows, cols])[:, unknown])
        return found

    def _compute_around(self, features: tuple[Feature, ...], places: np.ndarray) -> np.ndarray:
        """Compute the features of voxels, reading the image no further than its filters reach."""
        from objclass.pixels.extraction import features_at
        from objclass.pixels.filter_bank import plan_features

        reach = np.array(plan_features(features, len(self.image), self.ndim).radii) + _NEIGHBOURS
        low = np.maximum(places.min(axis=1) - reach, 0)
        high = np.minimum(places.max(axis=1) + reach + 1, self.image.shape[1:])
        mask = np.zeros(high - low, bool)
        mask[tuple(places - low[:, None])] = True
        crop = self.image[:, *map(slice, low, high)]
        if self.ndim == 2:
            return features_at(crop[:, 0], features, mask[0])
        return features_at(crop, features, mask)


def _thin_out(rows: np.ndarray, classes: np.ndarray, most: int) -> tuple[np.ndarray, np.ndarray]:
    present = np.unique(classes)
    share = most // len(present)
    kept = []
    for value in present:
        own = np.flatnonzero(classes == value)
        kept.append(own if len(own) <= share else own[np.linspace(0, len(own) - 1, share).astype(np.int64)])
    chosen = np.sort(np.concatenate(kept))
    return rows[chosen], classes[chosen]
