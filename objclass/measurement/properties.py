"""The one table of properties: name, group, dimensions, unit, what counts it, and its formula.

A property is a function decorated with `measured`. Its docstring is its definition; nothing else has to
change for a new one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from objclass.measurement import counting
from objclass.measurement.kernels.moments import hu_moments, orientations
from objclass.measurement.objects import MeasuredObjects

Formula = Callable[[MeasuredObjects], np.ndarray]
Power = int | Literal["size", "order", "voxels"]

SCIKIT_IMAGE = "scikit-image"


@dataclass(frozen=True)
class Property:
    """One thing that can be measured of every object."""

    name: str
    group: str
    definition: str
    """One sentence."""
    formula: Formula
    """From `MeasuredObjects` to an array whose first axis is that of the objects."""
    ndim: int | None
    """The number of dimensions that it exists in; None for two and three."""
    needs_image: bool
    """Its last axis is that of the channels."""
    power: Power
    """The exponent of the unit of length: a number, or "size" (2 or 3), "order" (that of a moment); or it
    is a number of "voxels"."""
    counter: counting.Counter | None
    """What must be counted for it object by object; None where sums are enough."""
    source: str
    """The software or the paper that defines it."""
    is_basic: bool
    """It belongs to the table that `measure` gives by default."""
    is_comparable: bool
    """It says what an object is, and not where it is or how it lies."""

    def exists(self, ndim: int, *, has_image: bool) -> bool:
        """Tell whether it can be measured in so many dimensions, with an image or without."""
        return self.ndim in (None, ndim) and (has_image or not self.needs_image)

    def columns(self, objects: MeasuredObjects, channel_names: Sequence[str] | None) -> dict[str, np.ndarray]:
        """Return a column for each of the values that the property has for one object."""
        with np.errstate(divide="ignore", invalid="ignore"):  # of nothing: NaN
            values = self.formula(objects)
        if self.needs_image and channel_names is None:
            values = values[..., 0]
        columns = {}
        for place in np.ndindex(values.shape[1:]):
            suffix: tuple[object, ...] = place
            if self.needs_image and channel_names is not None:
                suffix = (*place[:-1], channel_names[place[-1]])
            columns["-".join(map(str, (self.name, *suffix)))] = values[:, *place]
        return columns


PROPERTIES: dict[str, Property] = {}
"""All properties by name, in the order of the table."""


def measured(
    group: str,
    *,
    ndim: int | None = None,
    needs_image: bool = False,
    power: Power = 0,
    counter: counting.Counter | None = None,
    source: str = SCIKIT_IMAGE,
    is_basic: bool = True,
    is_comparable: bool = True,
) -> Callable[[Formula], Formula]:
    """Enter a formula into the table of properties, under its own name; see `Property`."""

    def enter(formula: Formula) -> Formula:
        name = formula.__name__
        definition = (formula.__doc__ or "").strip()
        PROPERTIES[name] = Property(
            name,
            group,
            definition,
            formula,
            ndim=ndim,
            needs_image=needs_image,
            power=power,
            counter=counter,
            source=source,
            is_basic=is_basic,
            is_comparable=is_comparable,
        )
        return formula

    return enter


# Size


@measured("size", power="voxels")
def num_pixels(objects: MeasuredObjects) -> np.ndarray:
    """Number of voxels."""
    return objects.sums.counts


@measured("size", power="size")
def area(objects: MeasuredObjects) -> np.ndarray:
    """Area, in three dimensions the volume."""
    return objects.sums.counts * objects.voxel


@measured("size", power="size")
def area_bbox(objects: MeasuredObjects) -> np.ndarray:
    """Area or volume of the bounding box."""
    return np.prod(objects.sums.boxes[:, 3:] - objects.sums.boxes[:, :3], axis=1) * objects.voxel


@measured("size", power="size", counter=counting.count_hulls)
def area_convex(objects: MeasuredObjects) -> np.ndarray:
    """Area or volume of the convex hull on the grid."""
    return objects.counts["area_convex"] * objects.voxel


@measured("size", power="size", counter=counting.count_topology)
def area_filled(objects: MeasuredObjects) -> np.ndarray:
    """Area or volume with all holes filled."""
    return objects.counts["area_filled"] * objects.voxel


@measured("size", power=1)
def axis_major_length(objects: MeasuredObjects) -> np.ndarray:
    """Longest axis of the ellipse or ellipsoid of the same second moments."""
    return objects.axis_lengths[:, 0]


@measured("size", ndim=3, power=1)
def axis_intermediate_length(objects: MeasuredObjects) -> np.ndarray:
    """Second axis of the ellipsoid of the same second moments."""
    return objects.axis_lengths[:, 1]


@measured("size", power=1)
def axis_minor_length(objects: MeasuredObjects) -> np.ndarray:
    """Shortest axis of the ellipse or ellipsoid of the same second moments."""
    return objects.axis_lengths[:, -1]


@measured("size", power=1)
def equivalent_diameter_area(objects: MeasuredObjects) -> np.ndarray:
    """Diameter of the disk or ball of the same area or volume."""
    n_axes = len(objects.spacing)
    return (2 * n_axes * area(objects) / np.pi) ** (1 / n_axes)


@measured("size", power=1, counter=counting.count_hulls)
def feret_diameter_max(objects: MeasuredObjects) -> np.ndarray:
    """Largest distance between two points of the surface of the convex hull."""
    return objects.counts["feret_diameter_max"]


# Intensity


@measured("intensity", needs_image=True)
def intensity_max(objects: MeasuredObjects) -> np.ndarray:
    """Largest intensity."""
    return np.where(objects.sums.valid > 0, objects.sums.highest, np.nan)


@measured("intensity", needs_image=True)
def intensity_mean(objects: MeasuredObjects) -> np.ndarray:
    """Mean intensity."""
    return objects.sums.totals / objects.sums.valid


@measured("intensity", needs_image=True)
def intensity_min(objects: MeasuredObjects) -> np.ndarray:
    """Smallest intensity."""
    return np.where(objects.sums.valid > 0, objects.sums.lowest, np.nan)


@measured("intensity", needs_image=True)
def intensity_std(objects: MeasuredObjects) -> np.ndarray:
    """Standard deviation of the intensity."""
    return np.sqrt(objects.sums.squares / objects.sums.valid)


# Shape


@measured("shape", ndim=2)
def eccentricity(objects: MeasuredObjects) -> np.ndarray:
    """Eccentricity of the ellipse of the same second moments: 0 for a circle."""
    largest, smallest = objects.principal_moments.T
    return np.sqrt(1 - np.divide(smallest, largest, out=np.ones_like(largest), where=largest > 0))


@measured("shape", counter=counting.count_topology)
def euler_number(objects: MeasuredObjects) -> np.ndarray:
    """Number of parts plus cavities less tunnels, in two dimensions parts less holes."""
    return objects.counts["euler_number"]


@measured("shape")
def extent(objects: MeasuredObjects) -> np.ndarray:
    """Share of the bounding box that the object fills."""
    return area(objects) / area_bbox(objects)


@measured("shape", power=2, is_comparable=False)
def inertia_tensor(objects: MeasuredObjects) -> np.ndarray:
    """Inertia tensor for a mass of 1."""
    return objects.inertia_tensors


@measured("shape", power=2)
def inertia_tensor_eigvals(objects: MeasuredObjects) -> np.ndarray:
    """Principal moments of inertia for a mass of 1, the largest first."""
    return objects.principal_moments


@measured("shape", ndim=2, is_comparable=False)
def orientation(objects: MeasuredObjects) -> np.ndarray:
    """Angle from the first image axis to the major axis, in radians."""
    return orientations(objects.inertia_tensors)


@measured("shape", counter=counting.count_hulls)
def solidity(objects: MeasuredObjects) -> np.ndarray:
    """Share of the convex hull that the object fills."""
    return area(objects) / area_convex(objects)


# Position


@measured("position", power="voxels", is_comparable=False)
def bbox(objects: MeasuredObjects) -> np.ndarray:
    """Bounding box in voxels: the first ones, then one past the last."""
    return np.hstack([objects.corners, objects.sums.boxes[:, 3:][:, objects.axes]])


@measured("position", power=1, is_comparable=False)
def centroid(objects: MeasuredObjects) -> np.ndarray:
    """Centre."""
    counts = objects.sums.counts[:, np.newaxis]
    return (objects.corners * counts + objects.sums.first[:, objects.axes]) / counts * objects.spacing


@measured("position", power=1, is_comparable=False)
def centroid_local(objects: MeasuredObjects) -> np.ndarray:
    """Centre, from the corner of the bounding box."""
    return objects.local_centres


@measured("position", needs_image=True, power=1, is_comparable=False)
def centroid_weighted(objects: MeasuredObjects) -> np.ndarray:
    """Centre of the intensity."""
    corners = objects.corners * objects.spacing
    return objects.local_weighted_centres + corners[..., np.newaxis]


@measured("position", needs_image=True, power=1, is_comparable=False)
def centroid_weighted_local(objects: MeasuredObjects) -> np.ndarray:
    """Centre of the intensity, from the corner of the bounding box."""
    return objects.local_weighted_centres


# Perimeter


@measured("perimeter", ndim=2, power=1, counter=counting.count_perimeters, is_basic=False)
def perimeter(objects: MeasuredObjects) -> np.ndarray:
    """Length of the line through the centres of the border pixels."""
    return objects.counts["perimeter"] * objects.spacing[0]


@measured("perimeter", ndim=2, power=1, counter=counting.count_perimeters, is_basic=False)
def perimeter_crofton(objects: MeasuredObjects) -> np.ndarray:
    """Perimeter by Crofton's formula in four directions."""
    return objects.counts["perimeter_crofton"] * objects.spacing[0]


# Moments


@measured("moments", power="order", counter=counting.count_moments, is_basic=False)
def moments(objects: MeasuredObjects) -> np.ndarray:
    """Moments from the corner of the bounding box, up to the third order."""
    return objects.counts["moments"]


@measured("moments", power="order", counter=counting.count_moments, is_basic=False)
def moments_central(objects: MeasuredObjects) -> np.ndarray:
    """Moments about the centre, up to the third order."""
    return objects.counts["moments_central"]


@measured("moments", counter=counting.count_moments, is_basic=False)
def moments_normalized(objects: MeasuredObjects) -> np.ndarray:
    """Central moments freed from scale."""
    return objects.normalized_moments


@measured("moments", ndim=2, counter=counting.count_moments, is_basic=False)
def moments_hu(objects: MeasuredObjects) -> np.ndarray:
    """Hu's seven invariants of translation, scale and rotation."""
    return hu_moments(objects.normalized_moments)


@measured("moments", needs_image=True, power="order", counter=counting.count_weighted_moments, is_basic=False)
def moments_weighted(objects: MeasuredObjects) -> np.ndarray:
    """Moments of the intensity from the corner of the bounding box."""
    return objects.counts["moments_weighted"]


@measured("moments", needs_image=True, power="order", counter=counting.count_weighted_moments, is_basic=False)
def moments_weighted_central(objects: MeasuredObjects) -> np.ndarray:
    """Moments of the intensity about its centre."""
    return objects.counts["moments_weighted_central"]


@measured("moments", needs_image=True, counter=counting.count_weighted_moments, is_basic=False)
def moments_weighted_normalized(objects: MeasuredObjects) -> np.ndarray:
    """Central moments of the intensity freed from scale."""
    return objects.normalized_weighted_moments


@measured("moments", ndim=2, needs_image=True, counter=counting.count_weighted_moments, is_basic=False)
def moments_weighted_hu(objects: MeasuredObjects) -> np.ndarray:
    """Hu's seven invariants of the intensity."""
    channels = np.moveaxis(objects.normalized_weighted_moments, -1, 0)
    return np.stack([hu_moments(channel) for channel in channels], axis=-1)
