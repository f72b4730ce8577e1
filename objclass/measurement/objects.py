"""Sums and counts of the objects of an image, from which properties are computed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from objclass.measurement.kernels.moments import (
    axis_lengths,
    inertia_tensors,
    normalized_moments,
    principal_moments,
)
from objclass.measurement.kernels.sums import ObjectSums, second_moments


@dataclass(frozen=True)
class MeasuredObjects:
    """The sums and counts of n objects, and quantities shared by several properties.

    The first axis of arrays is that of the objects; the last axis of intensities is that of the channels.
    """

    sums: ObjectSums
    spacing: tuple[float, ...]
    """One per spatial axis."""
    counts: Mapping[str, np.ndarray]
    """The requested counts by name."""

    @property
    def axes(self) -> slice:
        """The spatial axes of the image among z, y and x."""
        return slice(3 - len(self.spacing), 3)

    @cached_property
    def voxel(self) -> float:
        """Volume or area of a voxel."""
        return float(np.prod(self.spacing))

    @cached_property
    def corners(self) -> np.ndarray:
        """Lower corners (n, d) of the bounding boxes, in voxels."""
        return self.sums.boxes[:, self.axes]

    @cached_property
    def inertia_tensors(self) -> np.ndarray:
        """Inertia tensors (n, d, d) for a mass of 1."""
        second = second_moments(self.sums)[:, self.axes, self.axes]
        return inertia_tensors(second * np.outer(self.spacing, self.spacing), self.sums.counts)

    @cached_property
    def principal_moments(self) -> np.ndarray:
        """Principal moments of inertia (n, d), in descending order."""
        return principal_moments(self.inertia_tensors)

    @cached_property
    def axis_lengths(self) -> np.ndarray:
        """Axes (n, d) of the ellipsoid with the same second moments, in descending order."""
        return axis_lengths(self.principal_moments)

    @cached_property
    def local_centres(self) -> np.ndarray:
        """Centroids (n, d) relative to the corner of the bounding box."""
        return self.sums.first[:, self.axes] / self.sums.counts[:, np.newaxis] * self.spacing

    @cached_property
    def local_weighted_centres(self) -> np.ndarray:
        """Weighted centroids (n, d, channels) relative to the bounding box; NaN for a sum of 0."""
        with np.errstate(divide="ignore", invalid="ignore"):
            centres = self.sums.weighted[:, :, self.axes] / self.sums.totals[..., np.newaxis]
        return np.moveaxis(centres * self.spacing, 1, 2)

    @cached_property
    def normalized_moments(self) -> np.ndarray:
        """Scale-invariant central moments."""
        return normalized_moments(self.counts["moments_central"], self.spacing)

    @cached_property
    def normalized_weighted_moments(self) -> np.ndarray:
        """Scale-invariant central moments of the intensity."""
        central = np.moveaxis(self.counts["moments_weighted_central"], -1, 0)
        return np.stack([normalized_moments(channel, self.spacing) for channel in central], axis=-1)
