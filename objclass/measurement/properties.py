"""The one table of properties: name, group, dimensions, unit, what counts it, and its formula.

A property is a function decorated with `measured`. Its docstring is its definition; nothing else has to
change for a new one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from objclass.measurement import counting, neighbors
from objclass.measurement.kernels import distribution, texture
from objclass.measurement.kernels.moments import hu_moments, orientations
from objclass.measurement.objects import MeasuredObjects

Formula = Callable[[MeasuredObjects], np.ndarray]
Power = int | Literal["size", "density", "order", "voxels"]
Axis = Literal["channel", "pair", "distance", "among"]
Scope = Literal["object", "surroundings", "image"]

SCIKIT_IMAGE = "scikit-image"
NUMPY = "NumPy"
SCIPY = "SciPy"
CELLPROFILER = "CellProfiler"
CROFTON = "Legland et al. 2007, doi:10.5566/ias.v26.p83-92"
ISO_9276 = "ISO 9276-6"
IBSI = "Zwanenburg et al. 2020, doi:10.1148/radiol.2020191145"
HARALICK = "Haralick et al. 1973, doi:10.1109/TSMC.1973.4309314; mahotas"
OWN = "objclass"


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
    per: tuple[Axis, ...]
    """The last axes of what the formula returns: of the channels, of pairs of them, and so on."""
    needs: str | None
    """The option of `measure` without which it does not exist."""
    scope: Scope
    """What of an image it depends on: the voxels of the object, their surroundings, or all objects."""
    power: Power
    """The exponent of the unit of length: a number, or "size" (2 or 3), "density" (one by it), "order" (that
    of a moment); or it is a number of "voxels"."""
    counters: tuple[counting.Counter, ...]
    """What counts what it needs object by object; none where sums are enough."""
    source: str
    """The software or the paper that defines it."""
    is_basic: bool
    """It belongs to the table that `measure` gives by default."""
    is_comparable: bool
    """It says what an object is, and not where it is or how it lies."""

    @property
    def needs_image(self) -> bool:
        """Return whether it is measured of intensities."""
        return "channel" in self.per or "pair" in self.per

    def exists(self, ndim: int, n_channels: int, options: counting.Options) -> bool:
        """Return whether it can be measured in so many dimensions and channels, with these options."""
        least = 2 if "pair" in self.per else 1 if "channel" in self.per else 0
        given = self.needs is None or getattr(options, self.needs) is not None
        return self.ndim in (None, ndim) and n_channels >= least and given

    def columns(self, objects: MeasuredObjects, names: Mapping[Axis, Sequence[str]]) -> dict[str, np.ndarray]:
        """Return a column for each of the values that the property has for one object.

        Parameters
        ----------
        objects : MeasuredObjects
        names : mapping
            What to call the places along the axes that a property may have, "" to not name them.
        """
        with np.errstate(divide="ignore", invalid="ignore"):  # of nothing: NaN
            values = self.formula(objects)
        columns = {}
        for place in np.ndindex(values.shape[1:]):
            numbers = place[: len(place) - len(self.per)]
            named = [names[axis][at] for axis, at in zip(self.per, place[len(numbers) :], strict=True)]
            suffixes = [*map(str, numbers), *filter(None, named)]
            columns["-".join([self.name, *suffixes])] = values[:, *place]
        return columns


PROPERTIES: dict[str, Property] = {}
"""All properties by name, in the order of the table."""


def measured(
    group: str,
    *,
    ndim: int | None = None,
    per: tuple[Axis, ...] = (),
    needs: str | None = None,
    scope: Scope = "object",
    power: Power = 0,
    counters: tuple[counting.Counter, ...] = (),
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
            per=per,
            needs=needs,
            scope=scope,
            power=power,
            counters=counters,
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


@measured("size", power="size", counters=(counting.count_hulls,))
def area_convex(objects: MeasuredObjects) -> np.ndarray:
    """Area or volume of the convex hull on the grid."""
    return objects.counts["area_convex"] * objects.voxel


@measured("size", power="size", counters=(counting.count_topology,))
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


@measured("size", power=1, counters=(counting.count_hulls,))
def feret_diameter_max(objects: MeasuredObjects) -> np.ndarray:
    """Largest distance between two points of the surface of the convex hull."""
    return objects.counts["feret_diameter_max"]


@measured("size", power=1, counters=(counting.count_hull_shapes,), source=OWN, is_basic=False)
def feret_diameter_min(objects: MeasuredObjects) -> np.ndarray:
    """Smallest width of the convex hull, across any of its sides."""
    return objects.counts["feret_diameter_min"]


@measured("size", ndim=3, power=2, counters=(counting.count_surfaces,), source=CROFTON, is_basic=False)
def surface_area(objects: MeasuredObjects) -> np.ndarray:
    """Surface area by Crofton's formula in 13 directions."""
    return objects.counts["surface"]


# Intensity


@measured("intensity", per=("channel",))
def intensity_max(objects: MeasuredObjects) -> np.ndarray:
    """Largest intensity."""
    return np.where(objects.sums.valid > 0, objects.sums.highest, np.nan)


@measured("intensity", per=("channel",))
def intensity_mean(objects: MeasuredObjects) -> np.ndarray:
    """Mean intensity."""
    return objects.sums.totals / objects.sums.valid


@measured("intensity", per=("channel",))
def intensity_min(objects: MeasuredObjects) -> np.ndarray:
    """Smallest intensity."""
    return np.where(objects.sums.valid > 0, objects.sums.lowest, np.nan)


@measured("intensity", per=("channel",))
def intensity_std(objects: MeasuredObjects) -> np.ndarray:
    """Standard deviation of the intensity."""
    return np.sqrt(objects.sums.squares / objects.sums.valid)


@measured("intensity", per=("channel",), source=NUMPY, is_basic=False)
def intensity_sum(objects: MeasuredObjects) -> np.ndarray:
    """Sum of the intensity."""
    return np.where(objects.sums.valid > 0, objects.sums.totals, np.nan)


@measured(
    "intensity", per=("channel",), counters=(counting.count_distributions,), source=NUMPY, is_basic=False
)
def intensity_median(objects: MeasuredObjects) -> np.ndarray:
    """Median of the intensity."""
    return objects.counts["distribution"][:, 2]


@measured(
    "intensity", per=("channel",), counters=(counting.count_distributions,), source=NUMPY, is_basic=False
)
def intensity_quantile_05(objects: MeasuredObjects) -> np.ndarray:
    """5 % quantile of the intensity."""
    return objects.counts["distribution"][:, 0]


@measured(
    "intensity", per=("channel",), counters=(counting.count_distributions,), source=NUMPY, is_basic=False
)
def intensity_quantile_25(objects: MeasuredObjects) -> np.ndarray:
    """25 % quantile of the intensity."""
    return objects.counts["distribution"][:, 1]


@measured(
    "intensity", per=("channel",), counters=(counting.count_distributions,), source=NUMPY, is_basic=False
)
def intensity_quantile_75(objects: MeasuredObjects) -> np.ndarray:
    """75 % quantile of the intensity."""
    return objects.counts["distribution"][:, 3]


@measured(
    "intensity", per=("channel",), counters=(counting.count_distributions,), source=NUMPY, is_basic=False
)
def intensity_quantile_95(objects: MeasuredObjects) -> np.ndarray:
    """95 % quantile of the intensity."""
    return objects.counts["distribution"][:, 4]


@measured(
    "intensity", per=("channel",), counters=(counting.count_distributions,), source=SCIPY, is_basic=False
)
def intensity_skewness(objects: MeasuredObjects) -> np.ndarray:
    """Skewness of the intensity, 0 for a symmetric distribution."""
    return objects.counts["distribution"][:, distribution.SKEWNESS]


@measured(
    "intensity", per=("channel",), counters=(counting.count_distributions,), source=SCIPY, is_basic=False
)
def intensity_kurtosis(objects: MeasuredObjects) -> np.ndarray:
    """Excess kurtosis of the intensity, 0 for a normal distribution."""
    return objects.counts["distribution"][:, distribution.KURTOSIS]


@measured(
    "intensity", per=("channel",), counters=(counting.count_distributions,), source=SCIPY, is_basic=False
)
def intensity_mad(objects: MeasuredObjects) -> np.ndarray:
    """Median absolute deviation of the intensity from its median."""
    return objects.counts["distribution"][:, distribution.DEVIATION]


@measured(
    "intensity",
    per=("channel",),
    needs="ring_width",
    scope="surroundings",
    counters=(counting.count_rings,),
    source=OWN,
    is_basic=False,
)
def intensity_background(objects: MeasuredObjects) -> np.ndarray:
    """Mean intensity of the background in a ring around the object; NaN where other objects fill the ring."""
    return objects.counts["background"]


@measured(
    "intensity",
    per=("channel",),
    needs="ring_width",
    scope="surroundings",
    counters=(counting.count_rings,),
    source=OWN,
    is_basic=False,
)
def intensity_mean_corrected(objects: MeasuredObjects) -> np.ndarray:
    """Mean intensity less that of the background in a ring around the object."""
    return intensity_mean(objects) - intensity_background(objects)


@measured("intensity", per=("pair",), counters=(counting.count_pairs,), source=SCIPY, is_basic=False)
def intensity_pearson(objects: MeasuredObjects) -> np.ndarray:
    """Pearson's correlation between the intensities of two channels."""
    return objects.counts["pairs"][:, 0]


@measured("intensity", per=("pair",), counters=(counting.count_pairs,), source=CELLPROFILER, is_basic=False)
def intensity_overlap(objects: MeasuredObjects) -> np.ndarray:
    """Manders' overlap coefficient of two channels: sum of products over the root of the sums of squares."""
    return objects.counts["pairs"][:, 1]


@measured("intensity", per=("pair",), source=OWN, is_basic=False)
def intensity_ratio(objects: MeasuredObjects) -> np.ndarray:
    """Mean intensity of one channel over that of another."""
    means = intensity_mean(objects)
    pairs = counting.channel_pairs(means.shape[1])
    return np.stack([means[:, first] / means[:, second] for first, second in pairs], axis=1)


# Shape


@measured("shape", ndim=2)
def eccentricity(objects: MeasuredObjects) -> np.ndarray:
    """Eccentricity of the ellipse of the same second moments: 0 for a circle."""
    largest, smallest = objects.principal_moments.T
    return np.sqrt(1 - np.divide(smallest, largest, out=np.ones_like(largest), where=largest > 0))


@measured("shape", counters=(counting.count_topology,))
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


@measured("shape", counters=(counting.count_hulls,))
def solidity(objects: MeasuredObjects) -> np.ndarray:
    """Share of the convex hull that the object fills."""
    return area(objects) / area_convex(objects)


@measured("shape", source=IBSI, is_basic=False)
def elongation(objects: MeasuredObjects) -> np.ndarray:
    """Second axis of the ellipse or ellipsoid over its longest: 1 if round, towards 0 if long."""
    return objects.axis_lengths[:, 1] / objects.axis_lengths[:, 0]


@measured("shape", ndim=3, source=IBSI, is_basic=False)
def flatness(objects: MeasuredObjects) -> np.ndarray:
    """Shortest axis of the ellipsoid over its longest: 1 if round, towards 0 if flat."""
    return objects.axis_lengths[:, 2] / objects.axis_lengths[:, 0]


@measured("shape", ndim=2, counters=(counting.count_surfaces,), source=ISO_9276, is_basic=False)
def form_factor(objects: MeasuredObjects) -> np.ndarray:
    """Area times 4 pi over the square of the perimeter (by Crofton's formula): 1 for a disk."""
    return 4 * np.pi * area(objects) / objects.counts["surface"] ** 2


@measured("shape", ndim=2, counters=(counting.count_surfaces,), source=ISO_9276, is_basic=False)
def circularity(objects: MeasuredObjects) -> np.ndarray:
    """Perimeter of the disk of the same area over the perimeter: the root of the form factor."""
    return np.sqrt(form_factor(objects))


@measured("shape", ndim=3, counters=(counting.count_surfaces,), source="Wadell 1935", is_basic=False)
def sphericity(objects: MeasuredObjects) -> np.ndarray:
    """Surface area of the ball of the same volume over the surface area: 1 for a ball."""
    return np.pi ** (1 / 3) * (6 * area(objects)) ** (2 / 3) / surface_area(objects)


@measured(
    "shape", counters=(counting.count_surfaces, counting.count_hull_shapes), source=ISO_9276, is_basic=False
)
def convexity(objects: MeasuredObjects) -> np.ndarray:
    """Perimeter or surface area of the convex hull over that of the object: 1 if convex."""
    return objects.counts["surface_convex"] / objects.counts["surface"]


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


@measured("position", per=("channel",), power=1, is_comparable=False)
def centroid_weighted(objects: MeasuredObjects) -> np.ndarray:
    """Centre of the intensity."""
    corners = objects.corners * objects.spacing
    return objects.local_weighted_centres + corners[..., np.newaxis]


@measured("position", per=("channel",), power=1, is_comparable=False)
def centroid_weighted_local(objects: MeasuredObjects) -> np.ndarray:
    """Centre of the intensity, from the corner of the bounding box."""
    return objects.local_weighted_centres


# Perimeter


@measured("perimeter", ndim=2, power=1, counters=(counting.count_perimeters,), is_basic=False)
def perimeter(objects: MeasuredObjects) -> np.ndarray:
    """Length of the line through the centres of the border pixels."""
    return objects.counts["perimeter"] * objects.spacing[0]


@measured("perimeter", ndim=2, power=1, counters=(counting.count_perimeters,), is_basic=False)
def perimeter_crofton(objects: MeasuredObjects) -> np.ndarray:
    """Perimeter by Crofton's formula in four directions."""
    return objects.counts["perimeter_crofton"] * objects.spacing[0]


# Moments


@measured("moments", power="order", counters=(counting.count_moments,), is_basic=False)
def moments(objects: MeasuredObjects) -> np.ndarray:
    """Moments from the corner of the bounding box, up to the third order."""
    return objects.counts["moments"]


@measured("moments", power="order", counters=(counting.count_moments,), is_basic=False)
def moments_central(objects: MeasuredObjects) -> np.ndarray:
    """Moments about the centre, up to the third order."""
    return objects.counts["moments_central"]


@measured("moments", counters=(counting.count_moments,), is_basic=False)
def moments_normalized(objects: MeasuredObjects) -> np.ndarray:
    """Central moments freed from scale."""
    return objects.normalized_moments


@measured("moments", ndim=2, counters=(counting.count_moments,), is_basic=False)
def moments_hu(objects: MeasuredObjects) -> np.ndarray:
    """Hu's seven invariants of translation, scale and rotation."""
    return hu_moments(objects.normalized_moments)


@measured(
    "moments", per=("channel",), power="order", counters=(counting.count_weighted_moments,), is_basic=False
)
def moments_weighted(objects: MeasuredObjects) -> np.ndarray:
    """Moments of the intensity from the corner of the bounding box."""
    return objects.counts["moments_weighted"]


@measured(
    "moments", per=("channel",), power="order", counters=(counting.count_weighted_moments,), is_basic=False
)
def moments_weighted_central(objects: MeasuredObjects) -> np.ndarray:
    """Moments of the intensity about its centre."""
    return objects.counts["moments_weighted_central"]


@measured("moments", per=("channel",), counters=(counting.count_weighted_moments,), is_basic=False)
def moments_weighted_normalized(objects: MeasuredObjects) -> np.ndarray:
    """Central moments of the intensity freed from scale."""
    return objects.normalized_weighted_moments


@measured("moments", ndim=2, per=("channel",), counters=(counting.count_weighted_moments,), is_basic=False)
def moments_weighted_hu(objects: MeasuredObjects) -> np.ndarray:
    """Hu's seven invariants of the intensity."""
    channels = np.moveaxis(objects.normalized_weighted_moments, -1, 0)
    return np.stack([hu_moments(channel) for channel in channels], axis=-1)


# Texture


@measured(
    "texture",
    per=("distance", "channel"),
    counters=(counting.count_haralick,),
    source=HARALICK,
    is_basic=False,
)
def texture_angular_second_moment(objects: MeasuredObjects) -> np.ndarray:
    """Sum of the squared co-occurrences of grey levels: 1 if uniform."""
    return objects.counts["haralick"][:, 0]


@measured(
    "texture",
    per=("distance", "channel"),
    counters=(counting.count_haralick,),
    source=HARALICK,
    is_basic=False,
)
def texture_contrast(objects: MeasuredObjects) -> np.ndarray:
    """Mean squared difference of grey levels."""
    return objects.counts["haralick"][:, 1]


@measured(
    "texture",
    per=("distance", "channel"),
    counters=(counting.count_haralick,),
    source=HARALICK,
    is_basic=False,
)
def texture_correlation(objects: MeasuredObjects) -> np.ndarray:
    """Correlation of grey levels."""
    return objects.counts["haralick"][:, 2]


@measured(
    "texture",
    per=("distance", "channel"),
    counters=(counting.count_haralick,),
    source=HARALICK,
    is_basic=False,
)
def texture_variance(objects: MeasuredObjects) -> np.ndarray:
    """Variance of grey levels."""
    return objects.counts["haralick"][:, 3]


@measured(
    "texture",
    per=("distance", "channel"),
    counters=(counting.count_haralick,),
    source=HARALICK,
    is_basic=False,
)
def texture_inverse_difference_moment(objects: MeasuredObjects) -> np.ndarray:
    """Mean of 1 / (1 + squared difference of grey levels): 1 if uniform."""
    return objects.counts["haralick"][:, 4]


@measured(
    "texture",
    per=("distance", "channel"),
    counters=(counting.count_haralick,),
    source=HARALICK,
    is_basic=False,
)
def texture_sum_average(objects: MeasuredObjects) -> np.ndarray:
    """Mean sum of two grey levels."""
    return objects.counts["haralick"][:, 5]


@measured(
    "texture",
    per=("distance", "channel"),
    counters=(counting.count_haralick,),
    source=HARALICK,
    is_basic=False,
)
def texture_sum_variance(objects: MeasuredObjects) -> np.ndarray:
    """Variance of the sum of two grey levels."""
    return objects.counts["haralick"][:, 6]


@measured(
    "texture",
    per=("distance", "channel"),
    counters=(counting.count_haralick,),
    source=HARALICK,
    is_basic=False,
)
def texture_sum_entropy(objects: MeasuredObjects) -> np.ndarray:
    """Entropy of the sum of two grey levels, in bits."""
    return objects.counts["haralick"][:, 7]


@measured(
    "texture",
    per=("distance", "channel"),
    counters=(counting.count_haralick,),
    source=HARALICK,
    is_basic=False,
)
def texture_entropy(objects: MeasuredObjects) -> np.ndarray:
    """Entropy of the co-occurrences of grey levels, in bits."""
    return objects.counts["haralick"][:, 8]


@measured(
    "texture",
    per=("distance", "channel"),
    counters=(counting.count_haralick,),
    source=HARALICK,
    is_basic=False,
)
def texture_difference_variance(objects: MeasuredObjects) -> np.ndarray:
    """Variance of the frequencies of the differences of grey levels."""
    return objects.counts["haralick"][:, 9]


@measured(
    "texture",
    per=("distance", "channel"),
    counters=(counting.count_haralick,),
    source=HARALICK,
    is_basic=False,
)
def texture_difference_entropy(objects: MeasuredObjects) -> np.ndarray:
    """Entropy of the differences of grey levels, in bits."""
    return objects.counts["haralick"][:, 10]


@measured(
    "texture",
    per=("distance", "channel"),
    counters=(counting.count_haralick,),
    source=HARALICK,
    is_basic=False,
)
def texture_information_correlation_1(objects: MeasuredObjects) -> np.ndarray:
    """First measure of correlation by information."""
    return objects.counts["haralick"][:, 11]


@measured(
    "texture",
    per=("distance", "channel"),
    counters=(counting.count_haralick,),
    source=HARALICK,
    is_basic=False,
)
def texture_information_correlation_2(objects: MeasuredObjects) -> np.ndarray:
    """Second measure of correlation by information."""
    return objects.counts["haralick"][:, 12]


@measured("texture", per=("channel",), counters=(counting.count_energies,), source=OWN, is_basic=False)
def texture_gradient_energy(objects: MeasuredObjects) -> np.ndarray:
    """Mean squared gradient of the intensity within the object, per unit of length."""
    return objects.counts["energies"][:, texture.GRADIENT]


@measured("texture", per=("channel",), counters=(counting.count_energies,), source=OWN, is_basic=False)
def texture_laplace_energy(objects: MeasuredObjects) -> np.ndarray:
    """Mean squared Laplacian of the intensity within the object, per unit of length."""
    return objects.counts["energies"][:, texture.LAPLACE]


@measured("texture", per=("channel",), counters=(counting.count_energies,), source=OWN, is_basic=False)
def texture_local_variance(objects: MeasuredObjects) -> np.ndarray:
    """Mean variance of the intensity of a voxel and those around it within the object."""
    return objects.counts["energies"][:, texture.LOCAL_VARIANCE]


# Neighbors


@measured(
    "neighbors", scope="image", counters=(neighbors.count_contacts,), source=CELLPROFILER, is_basic=False
)
def neighbors_touching(objects: MeasuredObjects) -> np.ndarray:
    """Number of objects that touch this one by a side of a voxel."""
    return objects.counts["touching"]


@measured(
    "neighbors", scope="image", counters=(neighbors.count_contacts,), source=CELLPROFILER, is_basic=False
)
def neighbors_touching_share(objects: MeasuredObjects) -> np.ndarray:
    """Share of the border, in sides of voxels, that touches other objects."""
    return objects.counts["touching_share"]


@measured(
    "neighbors",
    per=("among",),
    power=1,
    scope="image",
    counters=(neighbors.count_nearest,),
    source=OWN,
    is_basic=False,
)
def neighbors_distance_centroid(objects: MeasuredObjects) -> np.ndarray:
    """Distance from the centroid to the nearest one of another object."""
    return objects.counts["nearest"][:, neighbors.NEAREST]


@measured(
    "neighbors",
    per=("among",),
    power=1,
    scope="image",
    counters=(neighbors.count_surface_distances,),
    source=OWN,
    is_basic=False,
)
def neighbors_distance_surface(objects: MeasuredObjects) -> np.ndarray:
    """Distance from the nearest voxel of the object to the nearest one of another, from centre to centre."""
    return objects.counts["surface_distance"]


@measured(
    "neighbors",
    per=("among",),
    power=1,
    scope="image",
    counters=(neighbors.count_nearest,),
    source=OWN,
    is_basic=False,
)
def neighbors_distance_mean(objects: MeasuredObjects) -> np.ndarray:
    """Mean distance from the centroid to the nearest ones of other objects."""
    return objects.counts["nearest"][:, neighbors.MEAN]


@measured(
    "neighbors",
    per=("among",),
    power="density",
    scope="image",
    counters=(neighbors.count_nearest,),
    source=OWN,
    is_basic=False,
)
def neighbors_density(objects: MeasuredObjects) -> np.ndarray:
    """Number of the nearest other objects over the area or volume of the disk or ball up to the last."""
    return objects.counts["nearest"][:, neighbors.DENSITY]


@measured(
    "neighbors",
    per=("among",),
    needs="neighbor_radius",
    scope="image",
    counters=(neighbors.count_nearest,),
    source=OWN,
    is_basic=False,
)
def neighbors_within(objects: MeasuredObjects) -> np.ndarray:
    """Number of other objects whose centroid is within the radius."""
    return objects.counts["nearest"][:, neighbors.WITHIN]
