"""The table of properties: name, group, dimensions, unit, counters and formula.

A property is a function decorated with `measured`. Its docstring is its definition. To add a property, add
one function here; or one entry, where a counter computes a whole family (`measured_columns`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

import numpy as np

from objclass.measurement import counting, neighbors
from objclass.measurement.kernels import distribution, texture
from objclass.measurement.kernels.moments import hu_moments, orientations
from objclass.measurement.objects import MeasuredObjects

Formula = Callable[[MeasuredObjects], np.ndarray]
Power = int | Literal["size", "density", "order", "voxels"]
Axis = Literal["channel", "pair", "distance", "scale", "among"]
Scope = Literal["object", "surroundings", "image"]

SCIKIT_IMAGE = "scikit-image"
NUMPY = "NumPy"
SCIPY = "SciPy"
CELLPROFILER = "CellProfiler"
CROFTON = "Legland et al. 2007, doi:10.5566/ias.v26.p83-92"
ISO_9276 = "ISO 9276-6"
IBSI = "Zwanenburg et al. 2020, doi:10.1148/radiol.2020191145"
HARALICK = "Haralick et al. 1973, doi:10.1109/TSMC.1973.4309314; mahotas"
LINDEBERG = "Lindeberg 1998, doi:10.1023/A:1008045108935"
OWN = "objclass"


@dataclass(frozen=True)
class Property:
    """A property of objects."""

    name: str
    group: str
    definition: str
    """The definition in one sentence."""
    formula: Formula
    """Maps `MeasuredObjects` to an array whose first axis is that of the objects."""
    ndim: int | None = None
    """The number of dimensions in which it is available; None for 2D and 3D."""
    per: tuple[Axis, ...] = ()
    """The last axes of the result of the formula: channels, pairs of channels etc."""
    needs: str | None = None
    """The option of `measure` that it requires."""
    scope: Scope = "object"
    """What it depends on: the voxels of the object, their surroundings, or all objects."""
    power: Power = 0
    """The exponent of the unit of length: a number, "size" (2 or 3), "density" (-2 or -3), or "order" (of a
    moment); or "voxels" for a number of voxels."""
    counters: tuple[counting.Counter, ...] = ()
    """The counters that it needs; empty if sums are sufficient."""
    source: str = SCIKIT_IMAGE
    """The software or paper that defines it."""
    is_basic: bool = True
    """Whether `measure` computes it by default."""

    @property
    def description(self) -> dict[str, str]:
        """What it is: group, definition and source."""
        return {"group": self.group, "definition": self.definition, "source": self.source}

    @property
    def needs_image(self) -> bool:
        """Whether it needs an intensity image."""
        return "channel" in self.per or "pair" in self.per

    def exists(self, ndim: int, n_channels: int, options: counting.Options) -> bool:
        """Return whether it is available for these dimensions, channels and options."""
        least = 2 if "pair" in self.per else 1 if "channel" in self.per else 0
        given = self.needs is None or getattr(options, self.needs) is not None
        return self.ndim in (None, ndim) and n_channels >= least and given

    def columns(self, objects: MeasuredObjects, names: Mapping[Axis, Sequence[str]]) -> dict[str, np.ndarray]:
        """Return a column for each value of the property.

        Parameters
        ----------
        objects : MeasuredObjects
        names : mapping
            The names along the axes of properties; "" for unnamed.
        """
        with np.errstate(divide="ignore", invalid="ignore"):  # empty objects give NaN
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


def measured(group: str, **options: Any) -> Callable[[Formula], Formula]:
    """Register a formula as a property under its own name; for the options see `Property`."""

    def enter(formula: Formula) -> Formula:
        name = formula.__name__
        PROPERTIES[name] = Property(name, group, (formula.__doc__ or "").strip(), formula, **options)
        return formula

    return enter


def measured_columns(
    group: str, counts: str, definitions: Mapping[str, tuple[int, str]], **options: Any
) -> None:
    """Register a property for each column of `counts`: by name, the column and the definition."""
    for name, (column, definition) in definitions.items():
        formula = partial(_count_column, counts, column)
        PROPERTIES[name] = Property(name, group, definition, formula, is_basic=False, **options)


def _count_column(counts: str, column: int, objects: MeasuredObjects) -> np.ndarray:
    return objects.counts[counts][:, column]


# Size


@measured("size", power="voxels")
def num_pixels(objects: MeasuredObjects) -> np.ndarray:
    """Number of voxels."""
    return objects.sums.counts


@measured("size", power="size")
def area(objects: MeasuredObjects) -> np.ndarray:
    """Area, or volume in 3D."""
    return objects.sums.counts * objects.voxel


@measured("size", power="size")
def area_bbox(objects: MeasuredObjects) -> np.ndarray:
    """Area or volume of the bounding box."""
    return np.prod(objects.sums.boxes[:, 3:] - objects.sums.boxes[:, :3], axis=1) * objects.voxel


@measured("size", power="size", counters=(counting.count_hulls,))
def area_convex(objects: MeasuredObjects) -> np.ndarray:
    """Area or volume of the convex hull on the voxel grid."""
    return objects.counts["area_convex"] * objects.voxel


@measured("size", power="size", counters=(counting.count_topology,))
def area_filled(objects: MeasuredObjects) -> np.ndarray:
    """Area or volume with all holes filled."""
    return objects.counts["area_filled"] * objects.voxel


@measured("size", power=1)
def axis_major_length(objects: MeasuredObjects) -> np.ndarray:
    """Longest axis of the ellipse or ellipsoid with the same second moments."""
    return objects.axis_lengths[:, 0]


@measured("size", ndim=3, power=1)
def axis_intermediate_length(objects: MeasuredObjects) -> np.ndarray:
    """Second axis of the ellipsoid with the same second moments."""
    return objects.axis_lengths[:, 1]


@measured("size", power=1)
def axis_minor_length(objects: MeasuredObjects) -> np.ndarray:
    """Shortest axis of the ellipse or ellipsoid with the same second moments."""
    return objects.axis_lengths[:, -1]


@measured("size", power=1)
def equivalent_diameter_area(objects: MeasuredObjects) -> np.ndarray:
    """Diameter of the circle or sphere with the same area or volume."""
    n_axes = len(objects.spacing)
    return (2 * n_axes * area(objects) / np.pi) ** (1 / n_axes)


@measured("size", power=1, counters=(counting.count_hulls,))
def feret_diameter_max(objects: MeasuredObjects) -> np.ndarray:
    """Largest distance between two points of the surface of the convex hull."""
    return objects.counts["feret_diameter_max"]


@measured("size", power=1, counters=(counting.count_hull_shapes,), source=OWN, is_basic=False)
def feret_diameter_min(objects: MeasuredObjects) -> np.ndarray:
    """Minimum distance between two parallel lines or planes around the convex hull."""
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


DISTRIBUTED = {"per": ("channel",), "counters": (counting.count_distributions,)}
measured_columns(
    "intensity",
    "distribution",
    {
        "intensity_median": (2, "Median of the intensity."),
        "intensity_quantile_05": (0, "5 % quantile of the intensity."),
        "intensity_quantile_25": (1, "25 % quantile of the intensity."),
        "intensity_quantile_75": (3, "75 % quantile of the intensity."),
        "intensity_quantile_95": (4, "95 % quantile of the intensity."),
    },
    source=NUMPY,
    **DISTRIBUTED,
)
measured_columns(
    "intensity",
    "distribution",
    {
        "intensity_skewness": (
            distribution.SKEWNESS,
            "Skewness of the intensity, 0 for a symmetric distribution.",
        ),
        "intensity_kurtosis": (
            distribution.KURTOSIS,
            "Excess kurtosis of the intensity, 0 for a normal distribution.",
        ),
        "intensity_mad": (
            distribution.DEVIATION,
            "Median absolute deviation of the intensity from its median.",
        ),
    },
    source=SCIPY,
    **DISTRIBUTED,
)
RING = {
    "per": ("channel",),
    "needs": "ring_width",
    "scope": "surroundings",
    "counters": (counting.count_rings,),
    "source": OWN,
    "is_basic": False,
}


@measured("intensity", **RING)
def intensity_background(objects: MeasuredObjects) -> np.ndarray:
    """Mean intensity of the background in a ring around the object; NaN where other objects fill the ring."""
    return objects.counts["background"]


@measured("intensity", **RING)
def intensity_mean_corrected(objects: MeasuredObjects) -> np.ndarray:
    """Mean intensity minus that of the background in a ring around the object."""
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
    """Ratio of the mean intensities of two channels."""
    means = intensity_mean(objects)
    pairs = counting.channel_pairs(means.shape[1])
    return np.stack([means[:, first] / means[:, second] for first, second in pairs], axis=1)


# Shape


@measured("shape", ndim=2)
def eccentricity(objects: MeasuredObjects) -> np.ndarray:
    """Eccentricity of the ellipse with the same second moments: 0 for a circle."""
    largest, smallest = objects.principal_moments.T
    return np.sqrt(1 - np.divide(smallest, largest, out=np.ones_like(largest), where=largest > 0))


@measured("shape", counters=(counting.count_topology,))
def euler_number(objects: MeasuredObjects) -> np.ndarray:
    """Euler characteristic: components minus holes in 2D, components plus cavities minus tunnels in 3D."""
    return objects.counts["euler_number"]


@measured("shape")
def extent(objects: MeasuredObjects) -> np.ndarray:
    """Fraction of the bounding box that the object fills."""
    return area(objects) / area_bbox(objects)


@measured("shape", power=2)
def inertia_tensor(objects: MeasuredObjects) -> np.ndarray:
    """Inertia tensor for a mass of 1."""
    return objects.inertia_tensors


@measured("shape", power=2)
def inertia_tensor_eigvals(objects: MeasuredObjects) -> np.ndarray:
    """Principal moments of inertia for a mass of 1, the largest first."""
    return objects.principal_moments


@measured("shape", ndim=2)
def orientation(objects: MeasuredObjects) -> np.ndarray:
    """Angle from the first image axis to the major axis, in radians."""
    return orientations(objects.inertia_tensors)


@measured("shape", counters=(counting.count_hulls,))
def solidity(objects: MeasuredObjects) -> np.ndarray:
    """Fraction of the convex hull that the object fills."""
    return area(objects) / area_convex(objects)


@measured("shape", source=IBSI, is_basic=False)
def elongation(objects: MeasuredObjects) -> np.ndarray:
    """Ratio of the second to the longest axis of the ellipse or ellipsoid: 1 if round, near 0 if long."""
    return objects.axis_lengths[:, 1] / objects.axis_lengths[:, 0]


@measured("shape", ndim=3, source=IBSI, is_basic=False)
def flatness(objects: MeasuredObjects) -> np.ndarray:
    """Ratio of the shortest to the longest axis of the ellipsoid: 1 if round, near 0 if flat."""
    return objects.axis_lengths[:, 2] / objects.axis_lengths[:, 0]


@measured("shape", ndim=2, counters=(counting.count_surfaces,), source=ISO_9276, is_basic=False)
def form_factor(objects: MeasuredObjects) -> np.ndarray:
    """4 pi area / perimeter² (by Crofton's formula): 1 for a circle."""
    return 4 * np.pi * area(objects) / objects.counts["surface"] ** 2


@measured("shape", ndim=2, counters=(counting.count_surfaces,), source=ISO_9276, is_basic=False)
def circularity(objects: MeasuredObjects) -> np.ndarray:
    """Perimeter of the circle with the same area / perimeter: the square root of the form factor."""
    return np.sqrt(form_factor(objects))


@measured("shape", ndim=3, counters=(counting.count_surfaces,), source="Wadell 1935", is_basic=False)
def sphericity(objects: MeasuredObjects) -> np.ndarray:
    """Surface area of the sphere with the same volume / surface area: 1 for a sphere."""
    return np.pi ** (1 / 3) * (6 * area(objects)) ** (2 / 3) / surface_area(objects)


@measured(
    "shape", counters=(counting.count_surfaces, counting.count_hull_shapes), source=ISO_9276, is_basic=False
)
def convexity(objects: MeasuredObjects) -> np.ndarray:
    """Perimeter or surface area of the convex hull / that of the object: 1 if convex."""
    return objects.counts["surface_convex"] / objects.counts["surface"]


# Position


@measured("position", power="voxels")
def bbox(objects: MeasuredObjects) -> np.ndarray:
    """Bounding box in voxels: start, then stop (exclusive)."""
    return np.hstack([objects.corners, objects.sums.boxes[:, 3:][:, objects.axes]])


@measured("position", power=1)
def centroid(objects: MeasuredObjects) -> np.ndarray:
    """Centre."""
    counts = objects.sums.counts[:, np.newaxis]
    return (objects.corners * counts + objects.sums.first[:, objects.axes]) / counts * objects.spacing


@measured("position", power=1)
def centroid_local(objects: MeasuredObjects) -> np.ndarray:
    """Centroid relative to the corner of the bounding box."""
    return objects.local_centres


@measured("position", per=("channel",), power=1)
def centroid_weighted(objects: MeasuredObjects) -> np.ndarray:
    """Intensity-weighted centroid."""
    corners = objects.corners * objects.spacing
    return objects.local_weighted_centres + corners[..., np.newaxis]


@measured("position", per=("channel",), power=1)
def centroid_weighted_local(objects: MeasuredObjects) -> np.ndarray:
    """Intensity-weighted centroid relative to the corner of the bounding box."""
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
    """Moments up to the third order, relative to the corner of the bounding box."""
    return objects.counts["moments"]


@measured("moments", power="order", counters=(counting.count_moments,), is_basic=False)
def moments_central(objects: MeasuredObjects) -> np.ndarray:
    """Central moments up to the third order."""
    return objects.counts["moments_central"]


@measured("moments", counters=(counting.count_moments,), is_basic=False)
def moments_normalized(objects: MeasuredObjects) -> np.ndarray:
    """Scale-invariant central moments."""
    return objects.normalized_moments


@measured("moments", ndim=2, counters=(counting.count_moments,), is_basic=False)
def moments_hu(objects: MeasuredObjects) -> np.ndarray:
    """Hu's seven moment invariants."""
    return hu_moments(objects.normalized_moments)


@measured(
    "moments", per=("channel",), power="order", counters=(counting.count_weighted_moments,), is_basic=False
)
def moments_weighted(objects: MeasuredObjects) -> np.ndarray:
    """Intensity-weighted moments relative to the corner of the bounding box."""
    return objects.counts["moments_weighted"]


@measured(
    "moments", per=("channel",), power="order", counters=(counting.count_weighted_moments,), is_basic=False
)
def moments_weighted_central(objects: MeasuredObjects) -> np.ndarray:
    """Intensity-weighted central moments."""
    return objects.counts["moments_weighted_central"]


@measured("moments", per=("channel",), counters=(counting.count_weighted_moments,), is_basic=False)
def moments_weighted_normalized(objects: MeasuredObjects) -> np.ndarray:
    """Scale-invariant intensity-weighted central moments."""
    return objects.normalized_weighted_moments


@measured("moments", ndim=2, per=("channel",), counters=(counting.count_weighted_moments,), is_basic=False)
def moments_weighted_hu(objects: MeasuredObjects) -> np.ndarray:
    """Hu's seven intensity-weighted moment invariants."""
    channels = np.moveaxis(objects.normalized_weighted_moments, -1, 0)
    return np.stack([hu_moments(channel) for channel in channels], axis=-1)


# Texture


measured_columns(
    "texture",
    "haralick",
    {
        "texture_angular_second_moment": (
            0,
            "Sum of the squared co-occurrences of grey levels: 1 if uniform.",
        ),
        "texture_contrast": (1, "Mean squared difference of grey levels."),
        "texture_correlation": (2, "Correlation of grey levels."),
        "texture_variance": (3, "Variance of grey levels."),
        "texture_inverse_difference_moment": (
            4,
            "Mean of 1 / (1 + squared difference of grey levels): 1 if uniform.",
        ),
        "texture_sum_average": (5, "Mean sum of two grey levels."),
        "texture_sum_variance": (6, "Variance of the sum of two grey levels."),
        "texture_sum_entropy": (7, "Entropy of the sum of two grey levels, in bits."),
        "texture_entropy": (8, "Entropy of the co-occurrences of grey levels, in bits."),
        "texture_difference_variance": (9, "Variance of the frequencies of the differences of grey levels."),
        "texture_difference_entropy": (10, "Entropy of the differences of grey levels, in bits."),
        "texture_information_correlation_1": (11, "First information measure of correlation."),
        "texture_information_correlation_2": (12, "Second information measure of correlation."),
    },
    per=("distance", "channel"),
    counters=(counting.count_haralick,),
    source=HARALICK,
)
measured_columns(
    "texture",
    "energies",
    {
        "texture_gradient_energy": (
            texture.GRADIENT,
            "Mean squared gradient of the intensity within the object, per unit of length.",
        ),
        "texture_laplace_energy": (
            texture.LAPLACE,
            "Mean squared Laplacian of the intensity within the object, per unit of length.",
        ),
        "texture_local_variance": (
            texture.LOCAL_VARIANCE,
            "Mean variance of the intensity of a voxel and its neighbours within the object.",
        ),
    },
    per=("channel",),
    counters=(counting.count_energies,),
    source=OWN,
)


@measured(
    "texture",
    per=("scale", "channel"),
    needs="texture_scales",
    counters=(counting.count_blobs,),
    source=LINDEBERG,
    is_basic=False,
)
def texture_blob_energy(objects: MeasuredObjects) -> np.ndarray:
    """Mean squared scale-normalized Laplacian of a Gaussian of the intensity within the object."""
    return objects.counts["blobs"]


# Neighbors


@measured(
    "neighbors", scope="image", counters=(neighbors.count_contacts,), source=CELLPROFILER, is_basic=False
)
def neighbors_touching(objects: MeasuredObjects) -> np.ndarray:
    """Number of objects that share a voxel face with this one."""
    return objects.counts["touching"]


@measured(
    "neighbors", scope="image", counters=(neighbors.count_contacts,), source=CELLPROFILER, is_basic=False
)
def neighbors_touching_share(objects: MeasuredObjects) -> np.ndarray:
    """Fraction of the voxel faces at the border that touch other objects."""
    return objects.counts["touching_share"]


AMONG = {"per": ("among",), "scope": "image", "source": OWN, "is_basic": False}


@measured("neighbors", **AMONG, power=1, counters=(neighbors.count_nearest,))
def neighbors_distance_centroid(objects: MeasuredObjects) -> np.ndarray:
    """Distance from the centroid to the nearest centroid of another object."""
    return objects.counts["nearest"][:, neighbors.NEAREST]


@measured("neighbors", **AMONG, power=1, counters=(neighbors.count_surface_distances,))
def neighbors_distance_surface(objects: MeasuredObjects) -> np.ndarray:
    """Minimum distance between voxel centres of the object and of another object."""
    return objects.counts["surface_distance"]


@measured("neighbors", **AMONG, power=1, counters=(neighbors.count_nearest,))
def neighbors_distance_mean(objects: MeasuredObjects) -> np.ndarray:
    """Mean distance from the centroid to the nearest centroids of other objects."""
    return objects.counts["nearest"][:, neighbors.MEAN]


@measured("neighbors", **AMONG, power="density", counters=(neighbors.count_nearest,))
def neighbors_density(objects: MeasuredObjects) -> np.ndarray:
    """Number of nearest objects / area or volume of the circle or sphere up to the last of them."""
    return objects.counts["nearest"][:, neighbors.DENSITY]


@measured("neighbors", **AMONG, needs="neighbor_radius", counters=(neighbors.count_nearest,))
def neighbors_within(objects: MeasuredObjects) -> np.ndarray:
    """Number of other objects whose centroid is within the radius."""
    return objects.counts["nearest"][:, neighbors.WITHIN]
