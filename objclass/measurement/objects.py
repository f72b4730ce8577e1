"""What is known of the objects of an image before their properties are computed: sums and counts."""

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
    """The sums over n objects, what was counted object by object, and what several properties share.

    Arrays have the objects along their first axis; those of intensities the channels along their last.
    """

    sums: ObjectSums
    spacing: tuple[float, ...]
    """One a spatial axis: there are two or three."""
    counts: Mapping[str, np.ndarray]
    """What was counted object by object, by its name; as many of them as were asked for."""

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
        """Principal moments of inertia (n, d), the largest first."""
        return principal_moments(self.inertia_tensors)

    @cached_property
    def axis_lengths(self) -> np.ndarray:
        """Axes (n, d) of the ellipsoid of the same second moments, the longest first."""
        return axis_lengths(self.principal_moments)

    @cached_property
    def local_centres(self) -> np.ndarray:
        """Centres (n, d) from the corner of the object's box."""
        return self.sums.first[:, self.axes] / self.sums.counts[:, np.newaxis] * self.spacing

    @cached_property
    def local_weighted_centres(self) -> np.ndarray:
        """Centres of intensity (n, d, channels) from the corner of the object's box; NaN for a sum of 0."""
        with np.errstate(divide="ignore", invalid="ignore"):
            centres = self.sums.weighted[:, :, self.axes] / self.sums.totals[..., np.newaxis]
        return np.moveaxis(centres * self.spacing, 1, 2)

    @cached_property
    def normalized_moments(self) -> np.ndarray:
        """Central moments freed from scale."""
        return normalized_moments(self.counts["moments_central"], self.spacing)

    @cached_property
    def normalized_weighted_moments(self) -> np.ndarray:
        """Central moments of the intensity freed from scale."""
        central = np.moveaxis(self.counts["moments_weighted_central"], -1, 0)
        return np.stack([normalized_moments(channel, self.spacing) for channel in central], axis=-1)
