"""From sums and counts to the properties of objects, with the names and meanings of scikit-image."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from objclass.measurement.kernels.moments import (
    axis_lengths,
    hu_moments,
    inertia_tensors,
    normalized_moments,
    orientations,
    principal_moments,
)
from objclass.measurement.kernels.sums import ObjectSums, second_moments


@dataclass(frozen=True)
class ObjectProperties:
    """Properties of n objects: each an array whose first axis is that of the objects.

    A property of an intensity has a last axis of channels if the image had one.
    """

    sums: ObjectSums
    spacing: tuple[float, ...]
    """One a spatial axis: there are two or three."""
    has_channels: bool
    counts: Mapping[str, np.ndarray]
    """What was counted object by object, by its name; as many of them as were asked for."""

    @property
    def _axes(self) -> slice:
        return slice(3 - len(self.spacing), 3)

    @cached_property
    def _unit(self) -> float:
        return float(np.prod(self.spacing))

    def _by_channel(self, values: np.ndarray) -> np.ndarray:
        return values if self.has_channels else values[..., 0]

    @cached_property
    def _corners(self) -> np.ndarray:
        return self.sums.boxes[:, self._axes]

    @property
    def num_pixels(self) -> np.ndarray:
        """Voxels."""
        return self.sums.counts

    @property
    def area(self) -> np.ndarray:
        """Volume or area."""
        return self.sums.counts * self._unit

    @property
    def area_bbox(self) -> np.ndarray:
        """Volume of the bounding box."""
        return np.prod(self.sums.boxes[:, 3:] - self.sums.boxes[:, :3], axis=1) * self._unit

    @property
    def area_convex(self) -> np.ndarray:
        """Volume of the convex hull on the grid."""
        return self.counts["area_convex"] * self._unit

    @property
    def area_filled(self) -> np.ndarray:
        """Volume with all holes filled."""
        return self.counts["area_filled"] * self._unit

    @property
    def equivalent_diameter_area(self) -> np.ndarray:
        """Diameter of the ball or disk of the same volume."""
        n_axes = len(self.spacing)
        return (2 * n_axes * self.area / np.pi) ** (1 / n_axes)

    @property
    def feret_diameter_max(self) -> np.ndarray:
        """Greatest distance between two points of the surface of the convex hull."""
        return self.counts["feret_diameter_max"]

    @cached_property
    def _axis_lengths(self) -> np.ndarray:
        return axis_lengths(self.inertia_tensor_eigvals)

    @property
    def axis_major_length(self) -> np.ndarray:
        """Longest axis of the ellipsoid of the same second moments."""
        return self._axis_lengths[:, 0]

    @property
    def axis_intermediate_length(self) -> np.ndarray:
        """Second axis of that ellipsoid, in three dimensions."""
        return self._axis_lengths[:, 1]

    @property
    def axis_minor_length(self) -> np.ndarray:
        """Shortest axis of that ellipsoid."""
        return self._axis_lengths[:, -1]

    @property
    def intensity_max(self) -> np.ndarray:
        """Largest intensity."""
        return self._by_channel(self.sums.highest.astype(float))

    @property
    def intensity_mean(self) -> np.ndarray:
        """Mean intensity."""
        return self._by_channel(self.sums.totals / self.sums.counts[:, np.newaxis])

    @property
    def intensity_min(self) -> np.ndarray:
        """Smallest intensity."""
        return self._by_channel(self.sums.lowest.astype(float))

    @property
    def intensity_std(self) -> np.ndarray:
        """Standard deviation of the intensity."""
        return self._by_channel(np.sqrt(self.sums.squares / self.sums.counts[:, np.newaxis]))

    @property
    def extent(self) -> np.ndarray:
        """Share of the bounding box that the object fills."""
        return self.area / self.area_bbox

    @property
    def solidity(self) -> np.ndarray:
        """Share of the convex hull that the object fills."""
        return self.area / self.area_convex

    @property
    def euler_number(self) -> np.ndarray:
        """Parts plus cavities less tunnels."""
        return self.counts["euler_number"]

    @cached_property
    def inertia_tensor(self) -> np.ndarray:
        """Inertia tensor (n, d, d) for a mass of 1."""
        second = second_moments(self.sums)[:, self._axes, self._axes]
        return inertia_tensors(second * np.outer(self.spacing, self.spacing), self.sums.counts)

    @cached_property
    def inertia_tensor_eigvals(self) -> np.ndarray:
        """Principal moments of inertia (n, d), the largest first."""
        return principal_moments(self.inertia_tensor)

    @property
    def eccentricity(self) -> np.ndarray:
        """Of the ellipse of the same second moments: 0 for a circle, in two dimensions."""
        largest, smallest = self.inertia_tensor_eigvals.T
        return np.sqrt(1 - np.divide(smallest, largest, out=np.ones_like(largest), where=largest > 0))

    @property
    def orientation(self) -> np.ndarray:
        """Angle from the first axis to the major one, in two dimensions."""
        return orientations(self.inertia_tensor)

    @property
    def bbox(self) -> np.ndarray:
        """Bounding box (n, 2 d) in voxels: first ones, then one past the last."""
        return np.hstack([self._corners, self.sums.boxes[:, 3:][:, self._axes]])

    @property
    def centroid(self) -> np.ndarray:
        """Centre (n, d)."""
        counts = self.sums.counts[:, np.newaxis]
        return (self._corners * counts + self.sums.first[:, self._axes]) / counts * self.spacing

    @cached_property
    def centroid_local(self) -> np.ndarray:
        """Centre (n, d) from the corner of the object's box."""
        return self.sums.first[:, self._axes] / self.sums.counts[:, np.newaxis] * self.spacing

    @cached_property
    def local_centres_by_channel(self) -> np.ndarray:
        """Centres of intensity (n, d, channels) from the corner of the object's box; NaN for a sum of 0."""
        with np.errstate(divide="ignore", invalid="ignore"):
            centres = self.sums.weighted[:, :, self._axes] / self.sums.totals[..., np.newaxis]
        return np.moveaxis(centres * self.spacing, 1, 2)

    @property
    def centroid_weighted_local(self) -> np.ndarray:
        """Centre of intensity from the corner of the object's box."""
        return self._by_channel(self.local_centres_by_channel)

    @property
    def centroid_weighted(self) -> np.ndarray:
        """Centre of intensity."""
        corners = self._corners * self.spacing
        return self._by_channel(self.local_centres_by_channel + corners[..., np.newaxis])

    @property
    def perimeter(self) -> np.ndarray:
        """Length of the line through the centres of the border pixels."""
        return self.counts["perimeter"] * self.spacing[0]

    @property
    def perimeter_crofton(self) -> np.ndarray:
        """Perimeter by Crofton's formula."""
        return self.counts["perimeter_crofton"] * self.spacing[0]

    @property
    def moments(self) -> np.ndarray:
        """Moments from the corner of the object's box."""
        return self.counts["moments"]

    @property
    def moments_central(self) -> np.ndarray:
        """Moments about the centre."""
        return self.counts["moments_central"]

    @cached_property
    def moments_normalized(self) -> np.ndarray:
        """Central moments freed from scale."""
        return normalized_moments(self.moments_central, self.spacing)

    @property
    def moments_hu(self) -> np.ndarray:
        """Hu's seven invariants (n, 7)."""
        return hu_moments(self.moments_normalized)

    @property
    def moments_weighted(self) -> np.ndarray:
        """Moments of the intensity from the corner of the object's box."""
        return self._by_channel(self.counts["moments_weighted"])

    @property
    def moments_weighted_central(self) -> np.ndarray:
        """Moments of the intensity about its centre."""
        return self._by_channel(self.counts["moments_weighted_central"])

    @cached_property
    def _normalized_by_channel(self) -> np.ndarray:
        central = np.moveaxis(self.counts["moments_weighted_central"], -1, 0)
        return np.stack([normalized_moments(channel, self.spacing) for channel in central], axis=-1)

    @property
    def moments_weighted_normalized(self) -> np.ndarray:
        """Central moments of the intensity freed from scale."""
        return self._by_channel(self._normalized_by_channel)

    @property
    def moments_weighted_hu(self) -> np.ndarray:
        """Hu's seven invariants of the intensity."""
        channels = np.moveaxis(self._normalized_by_channel, -1, 0)
        return self._by_channel(np.stack([hu_moments(channel) for channel in channels], axis=-1))
