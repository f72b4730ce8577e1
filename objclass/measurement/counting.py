"""Quantities that need whole objects, computed for a subset of the objects at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from objclass._common.kernels.outline import first_rows, row_ends
from objclass._common.parallel import read_only
from objclass.measurement.kernels.convex import measure_hull_shapes, measure_hulls
from objclass.measurement.kernels.distribution import (
    DISTRIBUTION,
    QUANTILES,
    measure_distributions,
    measure_pairs,
    measure_rings,
)
from objclass.measurement.kernels.moments import ORDER, sum_powers
from objclass.measurement.kernels.perimeter import measure_perimeters
from objclass.measurement.kernels.surface import crofton_weights, measure_surfaces
from objclass.measurement.kernels.texture import (
    ENERGIES,
    HARALICK,
    measure_energies,
    measure_haralick,
    steps_at,
)
from objclass.measurement.kernels.topology import measure_topology
from objclass.measurement.objects import MeasuredObjects

Counts = dict[str, np.ndarray]

COST_OF_OBJECT, LEAST_COST, MOST_PARTS = 2**13, 2**18, 64  # in voxels of a bounding box


def split_objects(boxes: np.ndarray) -> list[slice]:
    """Split a list of objects into parts of similar cost; return at least one part."""
    costs = np.prod(boxes[:, 3:] - boxes[:, :3], axis=1) + COST_OF_OBJECT
    chunks = np.cumsum(costs) // max(LEAST_COST, costs.sum() // MOST_PARTS)
    starts = [0, *np.flatnonzero(np.diff(chunks)) + 1]
    return [slice(start, stop) for start, stop in zip(starts, [*starts[1:], len(boxes)], strict=True)]


@dataclass(frozen=True)
class Options:
    """Options of properties; lengths are in the unit of the spacing."""

    ring_width: float | None = None
    texture_distances: tuple[float, ...] = ()
    texture_scales: tuple[float, ...] | None = None
    neighbor_radius: float | None = None
    n_neighbors: int = 3
    neighbors_among: Mapping[str, np.ndarray] = field(default_factory=dict)
    """The name and the labels of each class of objects."""


@dataclass(frozen=True)
class Scene:
    """The voxels of a whole image."""

    labels: np.ndarray
    """(z, y, x) int32."""
    pixels: np.ndarray
    """(c, z, y, x); NaN instead of infinite values."""
    masks: np.ndarray | None = None
    """(c, z, y, x) bool, the pixels to ignore; None if there are none."""
    options: Options = Options()

    @cached_property
    def values(self) -> np.ndarray:
        """The pixels in one of the dtypes that kernels are compiled for."""
        dtype = self.pixels.dtype.newbyteorder("=")
        if dtype.kind == "b":
            dtype = np.dtype(np.uint8)
        elif dtype != np.float32 and (dtype.kind == "f" or dtype.itemsize > 2):
            dtype = np.dtype(float)
        return read_only(np.ascontiguousarray(self.pixels, dtype))

    @cached_property
    def channel_labels(self) -> list[np.ndarray]:
        """The labels without masked voxels, for each channel."""
        if self.masks is None:
            return [self.labels] * len(self.pixels)
        return [read_only(np.where(mask, 0, self.labels)) for mask in self.masks]


@dataclass(frozen=True)
class Part:
    """A subset of the objects of an image."""

    scene: Scene
    objects: MeasuredObjects
    """All objects, with their sums."""
    rows: slice
    """The rows of the subset."""
    true_numbers: np.ndarray | None = None
    """The user's label for each label of the scene; None if they are the same."""

    @property
    def numbers(self) -> np.ndarray:
        """The labels of the subset (n,)."""
        return self.objects.sums.numbers[self.rows]

    @property
    def boxes(self) -> np.ndarray:
        """The bounding boxes of the subset (n, 6), as in `ObjectSums`."""
        return self.objects.sums.boxes[self.rows]

    @property
    def valid(self) -> np.ndarray:
        """The numbers of voxels that are not masked (channels, n), each channel contiguous.

        numba compiles a function anew for an array that is not.
        """
        return np.ascontiguousarray(self.objects.sums.valid[self.rows].T)

    @property
    def is_2d(self) -> bool:
        """Whether the image is 2D."""
        return len(self.objects.spacing) == 2

    @property
    def spacing(self) -> np.ndarray:
        """Voxel size (3,); 1 along z in two dimensions."""
        return np.array((1.0,) * self.is_2d + self.objects.spacing)

    def crop(self, box: np.ndarray) -> tuple[int | slice, ...]:
        """Return the index of a bounding box, with as many axes as the image has."""
        slices = tuple(slice(start, stop) for start, stop in zip(box[:3], box[3:], strict=True))
        return (0, *slices[1:]) if self.is_2d else slices


Counter = Callable[[Part], Counts]


def count_objects(counters: Iterable[Counter], part: Part) -> Counts:
    """Return the results of `counters`; the first axis of each array is that of the objects."""
    counts: Counts = {}
    chosen = [*counters]
    if count_hull_shapes in chosen and count_hulls in chosen:  # avoid computing hulls twice
        chosen.remove(count_hulls)
    with np.errstate(divide="ignore", invalid="ignore"):  # empty objects and NaN pixels give NaN
        for counter in chosen:
            counts |= counter(part)
    return counts


def count_topology(part: Part) -> Counts:
    """Count holes and tunnels."""
    euler_numbers, filled = np.empty((2, len(part.numbers)), np.int64)
    measure_topology(part.scene.labels, part.numbers, part.boxes, part.is_2d, euler_numbers, filled)
    return {"euler_number": euler_numbers, "area_filled": filled}


def count_hulls(part: Part) -> Counts:
    """Count the voxels of convex hulls, and measure their diameter."""
    return hulls_of_rows(part.boxes, *_ends_of_rows(part), part.is_2d, part.spacing)


def hulls_of_rows(
    boxes: np.ndarray, starts: np.ndarray, low: np.ndarray, high: np.ndarray, is_2d: bool, spacing: np.ndarray
) -> Counts:
    """As `count_hulls`, from the ends of the rows of objects, which are overwritten."""
    volumes, diameters = np.empty((2, len(boxes)))
    measure_hulls(boxes, starts, low, high, is_2d, spacing, volumes, diameters)
    return {"area_convex": volumes, "feret_diameter_max": diameters}


def _ends_of_rows(part: Part) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    starts = first_rows(part.boxes)
    low, high = np.empty((2, starts[-1]), np.int64)
    row_ends(part.scene.labels, part.numbers, part.boxes, starts, low, high)
    return starts, low, high


def count_perimeters(part: Part) -> Counts:
    """Measure perimeters, in pixels."""
    perimeters, crofton = np.empty((2, len(part.numbers)))
    measure_perimeters(part.scene.labels, part.numbers, part.boxes, perimeters, crofton)
    return {"perimeter": perimeters, "perimeter_crofton": crofton}


def count_moments(part: Part) -> Counts:
    """Compute sums of powers of the coordinates."""
    centres = part.objects.local_centres[part.rows]
    zero = np.zeros_like(centres)
    return {"moments": sum_moments(part, zero), "moments_central": sum_moments(part, centres)}


def sum_moments(part: Part, centres: np.ndarray, channel: int | None = None) -> np.ndarray:
    """Return the sums of powers of the distances from centres (n, d) in the box, weighted by a channel."""
    labels = weights = part.scene.labels
    if channel is not None:
        labels, weights = part.scene.channel_labels[channel], part.scene.values[channel]
    sums = np.empty((len(part.numbers), *(ORDER + 1,) * 3))
    centres = np.pad(centres, ((0, 0), (int(part.is_2d), 0)))
    sum_powers(labels, part.numbers, part.boxes, weights, channel is not None, centres, part.spacing, sums)
    return sums[:, 0] if part.is_2d else sums


def count_weighted_moments(part: Part) -> Counts:
    """Compute sums of powers of the coordinates, weighted by the intensity."""
    centres = part.objects.local_weighted_centres[part.rows]
    zero = np.zeros_like(centres[..., 0])
    channels = range(len(part.scene.pixels))
    raw = np.stack([sum_moments(part, zero, channel) for channel in channels], axis=-1)
    central = np.stack([sum_moments(part, centres[..., channel], channel) for channel in channels], axis=-1)
    for index, channel in np.argwhere(part.objects.sums.valid[part.rows] == 0):
        raw[index, ..., channel] = central[index, ..., channel] = np.nan
    return {"moments_weighted": raw, "moments_weighted_central": central}


def count_surfaces(part: Part) -> Counts:
    """Measure surface areas, or in two dimensions perimeters, by Crofton's formula."""
    steps, weights = crofton_weights(part.objects.spacing)
    areas = np.empty(len(part.numbers))
    measure_surfaces(part.scene.labels, part.numbers, part.boxes, steps, weights, areas)
    return {"surface": areas}


def count_hull_shapes(part: Part) -> Counts:
    """Measure the voxel count, maximum and minimum diameter, and surface area of convex hulls."""
    return hull_shapes_of_rows(part.boxes, *_ends_of_rows(part), part.is_2d, part.spacing)


def hull_shapes_of_rows(
    boxes: np.ndarray, starts: np.ndarray, low: np.ndarray, high: np.ndarray, is_2d: bool, spacing: np.ndarray
) -> Counts:
    """As `count_hull_shapes`, from the ends of the rows of objects, which are overwritten."""
    names = "area_convex", "feret_diameter_max", "surface_convex", "feret_diameter_min"
    results = np.empty((4, len(boxes)))
    crofton = crofton_weights(spacing[int(is_2d) :].tolist())
    measure_hull_shapes(boxes, starts, low, high, is_2d, spacing, *crofton, *results)
    return dict(zip(names, results, strict=True))


def count_distributions(part: Part) -> Counts:
    """Compute quantiles and higher moments of the intensities."""
    scene, most = part.scene, int(part.valid.max(initial=1))
    result = np.empty((len(scene.pixels), len(part.numbers), DISTRIBUTION))
    for channel, values in enumerate(scene.values):
        chosen = scene.channel_labels[channel], part.numbers, part.boxes, most
        measure_distributions(*chosen, values, np.array(QUANTILES), result[channel])
    return {"distribution": np.moveaxis(result, 0, 2)}


def channel_pairs(n_channels: int) -> list[tuple[int, int]]:
    """Return all pairs of channels, each once."""
    return [(first, second) for first in range(n_channels) for second in range(first + 1, n_channels)]


def count_pairs(part: Part) -> Counts:
    """Compute correlation and overlap of each pair of channels."""
    scene, pairs = part.scene, channel_pairs(len(part.scene.pixels))
    result = np.empty((len(pairs), len(part.numbers), 2))
    most = int(part.objects.sums.counts[part.rows].max(initial=1))
    for index, (first, second) in enumerate(pairs):
        labels = scene.labels
        if scene.masks is not None:
            labels = read_only(np.where(scene.masks[first] | scene.masks[second], 0, labels))
        values = scene.values[first], scene.values[second]
        measure_pairs(labels, part.numbers, part.boxes, most, *values, result[index])
    return {"pairs": np.moveaxis(result, 0, 2)}


def count_rings(part: Part) -> Counts:
    """Compute the mean of the background within a distance of each object."""
    scene, width = part.scene, part.scene.options.ring_width or 0.0
    reach = (width / part.spacing).astype(int) * ([0, 1, 1] if part.is_2d else [1, 1, 1])
    z, y, x = np.indices((2 * reach + 1).tolist()) - reach.reshape(3, 1, 1, 1)
    steps = np.stack([z, y, x], axis=-1) * part.spacing
    near = (steps**2).sum(axis=-1) <= width**2 * (1 + 1e-12)
    rows = np.stack([z[..., 0], y[..., 0], near.sum(axis=-1) // 2], axis=-1)[near.any(axis=-1)]
    result = np.empty((len(part.numbers), len(scene.pixels)))
    for channel, values in enumerate(scene.values):
        labels, means = scene.labels, np.empty(len(part.numbers))
        if scene.masks is not None:
            labels = read_only(np.where(scene.masks[channel] & (labels == 0), -1, labels))
        measure_rings(labels, part.numbers, part.boxes, values, rows, means)
        result[:, channel] = means
    return {"background": result}


def count_haralick(part: Part) -> Counts:
    """Compute Haralick features at each distance."""
    scene, distances = part.scene, part.scene.options.texture_distances
    valid = part.valid
    result = np.empty((len(distances), len(scene.pixels), len(part.numbers), HARALICK))
    for index, distance in enumerate(distances):
        steps = steps_at(distance, part.objects.spacing)
        for channel, values in enumerate(scene.values):
            chosen = scene.channel_labels[channel], part.numbers, part.boxes, valid[channel]
            measure_haralick(*chosen, values, steps, result[index, channel])
    return {"haralick": result.transpose(2, 3, 0, 1)}


def count_energies(part: Part) -> Counts:
    """Compute the energies of differences between neighbouring voxels."""
    scene = part.scene
    result = np.empty((len(scene.pixels), len(part.numbers), ENERGIES))
    for channel, values in enumerate(scene.values):
        chosen = scene.channel_labels[channel], part.numbers, part.boxes
        measure_energies(*chosen, values, part.spacing, part.is_2d, result[channel])
    return {"energies": np.moveaxis(result, 0, 2)}


def count_blobs(part: Part) -> Counts:
    """Compute the energy of the Laplacian of a Gaussian of each scale, of the voxels of each object alone."""
    from scipy.ndimage import binary_erosion, correlate1d, gaussian_filter

    scene, scales = part.scene, part.scene.options.texture_scales or ()
    spacing = np.asarray(part.objects.spacing)
    result = np.full((len(part.numbers), len(scales), len(scene.pixels)), np.nan)
    for channel, values in enumerate(scene.values):
        labels = scene.channel_labels[channel]
        for index, (number, box) in enumerate(zip(part.numbers, part.boxes, strict=True)):
            crop = part.crop(box)
            solid = np.pad(labels[crop] == number, 1)
            pixels = np.where(solid, np.pad(values[crop].astype(float), 1), 0)
            if not solid.any() or np.isnan(pixels).any():
                continue
            pixels[solid] -= pixels[solid].mean()  # smoothing then leaves a constant object constant
            inside = binary_erosion(solid)
            for place, scale in enumerate(scales):
                share = gaussian_filter(solid.astype(float), scale / spacing, mode="constant")
                smooth = gaussian_filter(pixels, scale / spacing, mode="constant")
                smooth = np.where(solid, smooth / share, 0)
                seconds = (
                    correlate1d(smooth, [1, -2, 1], axis) / step**2 for axis, step in enumerate(spacing)
                )
                laplace = np.sum([*seconds], axis=0)
                if inside.any():
                    result[index, place, channel] = scale**4 * np.mean(laplace[inside] ** 2)
    return {"blobs": result}
