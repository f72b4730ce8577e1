"""Measurement of region properties."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from objclass._common import checks
from objclass._common.compile_ahead import compile_ahead_in_notebook
from objclass._common.notices import warn
from objclass._common.parallel import map_tiles, read_only
from objclass._common.progress import Progress
from objclass.measurement.columns import table_attributes
from objclass.measurement.counting import (
    Counter,
    Options,
    Part,
    Scene,
    channel_pairs,
    count_objects,
    split_objects,
)
from objclass.measurement.extra import extra_property
from objclass.measurement.kernels.sums import HIGHEST, INTENSITY, LOWEST, NUMBER, merge_sums, sum_block
from objclass.measurement.objects import MeasuredObjects
from objclass.measurement.properties import PROPERTIES, Axis, Property, Scope

if TYPE_CHECKING:
    import pandas as pd

BLOCK = 2**19
"""Voxels per block: fixed, so that the result does not depend on the number of threads."""


def measure(
    labels: npt.ArrayLike,
    image: npt.ArrayLike | None = None,
    *,
    spacing: checks.Spacing = None,
    unit: str | None = None,
    properties: str | Sequence[str] = "basic",
    channel_names: Sequence[str] | None = None,
    image_names: Sequence[str] | None = None,
    ring_width: float | None = None,
    texture_distances: checks.Spacing = None,
    texture_scales: checks.Spacing = None,
    n_neighbors: int = 3,
    neighbor_radius: float | None = None,
    neighbors_among: Mapping[str, npt.ArrayLike] | None = None,
    extra: Mapping[str, Callable[..., Any]] | None = None,
    progress: Progress = True,
) -> pd.DataFrame:
    """Measure region properties of objects: size, intensity, shape, position and more.

    Names, definitions and values are those of `skimage.measure.regionprops_table`: integers are equal, other
    values up to rounding.

    Parameters
    ----------
    labels : (z, y, x) or (y, x) integer array, or a list of them
        Label image, 0 for background. Labels need not be consecutive.
    image : array of the shape of labels, or with channels first, or a list of them, optional
        Intensity image. Without it, intensity properties are omitted.
    spacing : number or sequence of numbers, optional
        The voxel size along each axis of `labels`. Volumes, areas, lengths and centroids are in physical
        units; ``num_pixels`` and ``bbox`` are always in voxels. By default 1.
    unit : str, optional
        The unit of `spacing`, such as "µm". `describe_columns` returns the unit of each column.
    properties : str or sequence of str
        Groups ("size", "intensity", "shape", "position", "texture", "neighbors", "moments" and, in 2D,
        "perimeter") or single properties by name, such as "area". "basic" selects the properties of size,
        intensity, shape and position that scikit-image also has.
    channel_names : sequence of str, optional
        The names of the channels in columns such as ``intensity_mean-DAPI``. By default their indices.
    image_names : sequence of str, optional
        For lists, the names of the images in the column ``image``. By default their indices.
    ring_width : number, optional
        The width of a ring around each object in which the background is measured, in the unit of `spacing`.
        It adds ``intensity_background`` and ``intensity_mean_corrected`` to "intensity". Voxels of other
        objects are ignored.
    texture_distances : number or sequence of numbers, optional
        The distances of the grey-level co-occurrence matrices of "texture", in the unit of `spacing`. An
        axis along which a distance rounds to 0 voxels is ignored. By default the smallest spacing.
    texture_scales : number or sequence of numbers, optional
        Standard deviations of a Gaussian, in the unit of `spacing`. They add ``texture_blob_energy`` at each
        scale to "texture": it is large where spots and gaps in an object have a radius of about 1.4 (2D) or
        1.7 (3D) times the scale. Voxels outside the object are ignored.
    n_neighbors : int
        The number of nearest objects for the mean distance and the density of "neighbors".
    neighbor_radius : number, optional
        A radius in the unit of `spacing`. It adds ``neighbors_within``, the number of objects within it, to
        "neighbors".
    neighbors_among : mapping of str to sequence of int, optional
        The labels of classes of objects. The properties of "neighbors" are then also computed for each class,
        as in ``neighbors_distance_centroid-mitotic``.
    extra : mapping of str to callable, optional
        User-defined properties by column name. ``function(mask, pixels)`` is called for each object, in
        threads, with its boolean mask and the pixels in its bounding box (channels first; None without an
        image), and returns a number or an array.
    progress : bool or callable
        Whether to show a progress bar, or a function that is called as ``progress(done, total)``.

    Returns
    -------
    pandas.DataFrame
        One row for each object, sorted by ``label``, the first column. For lists, one table of all images
        with the name of the image in the first column, ``image``; images without objects have no row, cause
        a warning and are counted in ``table.attrs["objects_per_image"]``. Properties with several values
        have one column for each, as ``centroid-0``; the name of the channel comes last, as in
        ``intensity_mean-1``. Without objects, the table has all columns and no rows.
        ``table.attrs["columns"]`` contains the unit, group and definition of each column.

    Raises
    ------
    TypeError
        If `labels` are not integers or `image` is not real-valued.
    ValueError
        If shapes or numbers of names do not match, a property is unknown or not available for these
        dimensions, needs an image, or (the perimeter) needs an isotropic spacing.

    Warns
    -----
    UserWarning
        If 255 is the only label, as in a mask, in which all objects are one, or if most neighbouring pixels
        differ, as in an image.

    Notes
    -----
    In 3D, ``area`` is the volume, as in scikit-image.

    In 3D, ``axis_major_length``, ``axis_intermediate_length`` and ``axis_minor_length`` are the full axes of
    the solid ellipsoid with the same second moments as the object: √(10 (e0 + e1 - e2)),
    √(10 (e0 - e1 + e2)) and √(10 (-e0 + e1 + e2)) for the eigenvalues e0 ≥ e1 ≥ e2 of the inertia tensor.

    A 3D object that lies in a single plane has NaN in ``area_convex``, ``solidity`` and
    ``feret_diameter_max``. An object whose intensities sum to 0 has NaN in weighted centroids.

    Masked pixels (`numpy.ma`) are ignored by intensity properties. An object with NaN or infinite pixels has
    NaN in intensity properties; other objects are not affected.

    Sums are exact for 8-bit and 16-bit images, and in double precision for others.

    References
    ----------
    van der Walt et al.: scikit-image: image processing in Python. PeerJ 2 (2014), e453.

    Examples
    --------
    >>> labels = np.zeros((5, 6), int)
    >>> labels[1:3, 1:5] = 1
    >>> labels[4, 2] = 7
    >>> table = measure(labels, labels * 10, properties=("area", "intensity_mean", "centroid"))
    >>> table
       label  area  intensity_mean  centroid-0  centroid-1
    0      1   8.0            10.0         1.5         2.5
    1      7   1.0            70.0         4.0         2.0

    With a spacing, sizes are physical:

    >>> measure(labels, spacing=(0.5, 0.2), properties=("num_pixels", "area", "axis_major_length")).round(2)
       label  num_pixels  area  axis_major_length
    0      1           8   0.8                1.0
    1      7           1   0.1                0.0
    """
    compile_ahead_in_notebook("umap")
    optional: dict[str, Any] = {
        "ring_width": ring_width,
        "texture_distances": texture_distances,
        "texture_scales": texture_scales,
        "n_neighbors": n_neighbors,
        "neighbor_radius": neighbor_radius,
    }
    if checks.is_list(labels):
        if neighbors_among is not None:
            hint = "Measure the images one by one, since labels belong to one image."
            raise checks.invalid("neighbors_among", "one label image", "a list of them", hint)
        return _measure_list(
            labels,
            image,
            image_names,
            spacing=spacing,
            unit=unit,
            properties=properties,
            channel_names=channel_names,
            extra=extra,
            progress=progress,
            **optional,
        )
    if image_names is not None:
        hint = "Insert a column with table.insert(0, 'image', name)."
        raise checks.invalid("image_names", "names for a list of label images", "one label image", hint)
    labels = checks.check_labels(labels)
    if image is not None:
        checks.warn_like_image(labels, stacklevel=2)
    pixels, masks = (None, None) if image is None else check_pixels(image, labels.shape)
    steps = checks.check_spacing(spacing, labels.ndim) or (1.0,) * labels.ndim
    options = check_options(spacing=steps, neighbors_among=neighbors_among, **optional)
    chosen = choose_properties(properties, labels.ndim, 0 if pixels is None else len(pixels), options)
    check_perimeter(chosen, spacing, steps)
    names = axis_names(channel_names, image, labels.ndim, options)
    _check_mapping("extra", extra, "functions")
    chosen += [extra_property(name, function, names["channel"]) for name, function in (extra or {}).items()]
    if pixels is None or not any(entry.needs_image or entry.group == "extra" for entry in chosen):
        pixels, masks = np.empty((0, *labels.shape), np.uint8), None

    codes, numbers = encode_labels(labels)
    shape = (len(pixels), *codes.shape)
    masks = None if masks is None else masks.reshape(shape)
    options = _encode_classes(options, codes, numbers)
    scene = Scene(read_only(codes), pixels.reshape(shape), masks, options)
    objects = _scan(scene, chosen, steps, numbers, progress)
    found = objects.sums.numbers if numbers is None else numbers[objects.sums.numbers]
    return make_table(found, objects, chosen, names, unit=unit, spacing=spacing)


def make_table(
    numbers: np.ndarray,
    objects: MeasuredObjects,
    chosen: Iterable[Property],
    names: Mapping[Axis, Sequence[str]],
    *,
    unit: str | None,
    spacing: checks.Spacing,
) -> pd.DataFrame:
    """Return the table of objects, which have these labels, with a column for each value of properties."""
    import pandas as pd

    columns = {"label": numbers}
    for entry in chosen:
        columns |= entry.columns(objects, names)
    table = pd.DataFrame(columns)
    if numbers.tolist() == [checks.MASK]:
        warn(f"labels: {checks.IS_MASK}", stacklevel=3)
    known, unit = None if spacing is None else objects.spacing, checks.check_unit(unit, spacing)
    table.attrs = table_attributes(table, ndim=len(objects.spacing), unit=unit, spacing=known)
    return table


def _measure_list(
    labels: Sequence[Any], image: Any, image_names: Sequence[str] | None, **options: Any
) -> pd.DataFrame:
    import pandas as pd

    images = [None] * len(labels) if image is None else image
    if image is not None and (not checks.is_list(image) or len(image) != len(labels)):
        got = f"{len(image)} of them" if checks.is_list(image) else image
        raise checks.invalid("image", f"a list of {len(labels)} images, one for each label image", got)
    names: Sequence[Any] = range(len(labels))
    if image_names is not None:
        names = checks.check_names("image_names", image_names, len(labels), "label image")
    tables = [measure(each, beside, **options) for each, beside in zip(labels, images, strict=True)]
    columns = [list(table.columns) for table in tables]
    for number, (name, table) in enumerate(zip(names, tables, strict=True)):
        if columns[number] != columns[0]:
            expected = "images with the same dimensions and channels"
            raise checks.invalid("labels", expected, f"others in image {number}", "Measure them one by one.")
        table.insert(0, "image", name)
    joined = pd.concat(tables, ignore_index=True)
    counts = {str(name): len(table) for name, table in zip(names, tables, strict=True)}
    joined.attrs = tables[0].attrs | {"objects_per_image": counts}
    empty = [name for name, count in counts.items() if count == 0]
    if empty:
        warn(
            f"{len(empty)} of {len(counts)} images have no objects and therefore no rows: "
            f"{checks.first_few(empty)}. "
            "Count objects per image with table.attrs['objects_per_image'].",
            stacklevel=3,
        )
    return joined


def choose_properties(
    properties: str | Sequence[str], ndim: int, n_channels: int, options: Options
) -> list[Property]:
    """Return the requested properties without duplicates; of a group, those that are available."""
    groups = {"basic": [entry for entry in PROPERTIES.values() if entry.is_basic]}
    for entry in PROPERTIES.values():
        groups.setdefault(entry.group, []).append(entry)
    chosen: dict[str, Property] = {}
    names = [properties] if isinstance(properties, str) else list(properties)
    for name in names:
        checks.check_option("properties", name, [*groups, *sorted({*PROPERTIES} - {*groups})])
        members = groups.get(name) or [PROPERTIES[name]]
        existing = [entry for entry in members if entry.exists(ndim, n_channels, options)]
        # Groups that need an image are omitted without one, if others remain.
        is_omitted = name in groups and members[0].needs_image and len(names) > 1
        if not existing and not is_omitted:
            raise _missing_error(name, members[0], ndim, n_channels, options)
        chosen |= {entry.name: entry for entry in existing}
    return list(chosen.values())


def _missing_error(name: str, entry: Property, ndim: int, n_channels: int, options: Options) -> Exception:
    """Return the exception to raise for a property that is not available."""
    if entry.ndim not in (None, ndim):
        return checks.invalid("properties", f"properties that exist in {ndim} dimensions", repr(name))
    if entry.needs is not None and getattr(options, entry.needs) is None:
        hint = f"Pass it as {entry.needs}=, in the unit of the spacing."
        return checks.invalid(entry.needs, f"a length to measure {name!r} with", "none", hint)
    if n_channels == 0:
        return checks.invalid("image", f"the image to measure {name!r} on", "none", "Pass it after labels.")
    expected = f"an image of at least two channels to measure {name!r} on"
    return checks.invalid("image", expected, "one channel", "Channels come first.")


def counters_of(chosen: Iterable[Property], *scopes: Scope) -> list[Counter]:
    """Return the counters of the chosen properties of the given scopes, without duplicates."""
    return list(dict.fromkeys(c for entry in chosen if entry.scope in scopes for c in entry.counters))


def axis_names(
    channel_names: Sequence[str] | None, image: Any, ndim: int, options: Options
) -> dict[Axis, list[str]]:
    """Return the names of channels and of other axes of properties."""
    has_axis = image is not None and np.ndim(image) > ndim
    n_channels = len(image) if has_axis else 1
    channels = [str(channel) for channel in range(n_channels)] if has_axis else [""]
    if channel_names is not None:
        if image is None:
            expected = "the image to which channel_names belong"
            raise checks.invalid("image", expected, "none", "Pass it after labels.")
        channels = checks.check_names("channel_names", channel_names, n_channels, "channel of the image")
    return {
        "channel": channels,
        "pair": [f"{channels[first]}-{channels[second]}" for first, second in channel_pairs(n_channels)],
        "distance": [f"{distance:g}" for distance in options.texture_distances],
        "scale": [f"{scale:g}" for scale in options.texture_scales or ()],
        "among": ["", *options.neighbors_among],
    }


def check_options(
    *,
    spacing: tuple[float, ...],
    ring_width: float | None = None,
    texture_distances: checks.Spacing = None,
    texture_scales: checks.Spacing = None,
    neighbor_radius: float | None = None,
    n_neighbors: int = 3,
    neighbors_among: Mapping[str, npt.ArrayLike] | None = None,
) -> Options:
    """Check and return the options of `measure` for specific properties."""
    for name, length in {"ring_width": ring_width, "neighbor_radius": neighbor_radius}.items():
        if length is not None:
            checks.check_number(name, length, low=0)
    if ring_width is not None and ring_width < min(spacing):
        hint = "It is in the unit of the spacing."
        raise checks.invalid("ring_width", f"a width of at least a voxel, {min(spacing):g}", ring_width, hint)
    _check_mapping("neighbors_among", neighbors_among, "labels")
    among = {}
    for name, members in (neighbors_among or {}).items():
        among[name] = np.unique(np.asarray(members))
        if among[name].dtype.kind not in "iu" and among[name].size:
            expected = f"the labels of the objects of {name!r}, integers"
            raise checks.invalid("neighbors_among", expected, among[name], kind=TypeError)
    distances = [min(spacing)] if texture_distances is None else np.atleast_1d(texture_distances).tolist()
    for distance in distances:
        checks.check_number("texture_distances", distance)
        if not np.rint(distance / np.asarray(spacing)).any():
            expected = f"distances of at least a voxel, {min(spacing):g}"
            hint = "They are in the unit of the spacing."
            raise checks.invalid("texture_distances", expected, distance, hint)
    scales = None if texture_scales is None else tuple(np.atleast_1d(texture_scales).tolist())
    for scale in scales or ():
        if checks.check_number("texture_scales", scale) < min(spacing) / 2:
            expected = f"scales of at least half a voxel, {min(spacing) / 2:g}"
            hint = "They are in the unit of the spacing."
            raise checks.invalid("texture_scales", expected, scale, hint)
    return Options(
        ring_width=ring_width,
        texture_distances=tuple(distances),
        texture_scales=scales,
        neighbor_radius=neighbor_radius,
        n_neighbors=checks.check_number("n_neighbors", n_neighbors, low=1, integer=True),
        neighbors_among=among,
    )


def _check_mapping(argument: str, value: Any, what: str) -> None:
    if value is None or (isinstance(value, Mapping) and all(isinstance(name, str) for name in value)):
        return
    raise checks.invalid(argument, f"a dict of names and {what}", checks.describe(value), kind=TypeError)


def check_pixels(image: npt.ArrayLike, shape: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray | None]:
    """Return an image with channels first and NaN for values that are not finite, and its mask or None."""
    mask = None
    if isinstance(image, np.ma.MaskedArray):
        if np.ma.is_masked(image):
            mask = checks.check_image(np.ma.getmaskarray(image), shape)
        image = image.data
    pixels = checks.check_image(image, shape, finite=False)
    if pixels.dtype.kind == "f":
        finite = [np.isfinite(channel) for channel in pixels]
        if not all(channel.all() for channel in finite):
            pixels = np.where(finite, pixels, np.nan)
    return pixels, mask


def check_perimeter(chosen: Iterable[Property], spacing: object, steps: Sequence[float]) -> None:
    """Raise if a perimeter is requested for pixels that are not square."""
    if len({*steps}) > 1 and any(entry.group == "perimeter" for entry in chosen):
        hint = "Omit the perimeter, or resample the image to square pixels."
        raise checks.invalid("spacing", "the same spacing along y and x for a perimeter", spacing, hint)


def encode_labels(labels: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
    """Return `labels` as (z, y, x) int32, and the original labels if they exceed its range, else None."""
    volume = labels[np.newaxis] if labels.ndim == 2 else labels
    if labels.dtype == np.int32 or labels.max(initial=0) <= np.iinfo(np.int32).max:
        return np.ascontiguousarray(volume, np.int32), None
    numbers, codes = np.unique(volume, return_inverse=True)
    if numbers[0] > 0:
        numbers, codes = np.concatenate([numbers[:1] * 0, numbers]), codes + 1
    fits = numbers[-1] <= np.iinfo(np.int64).max
    return codes.reshape(volume.shape).astype(np.int32), numbers.astype(np.int64 if fits else np.uint64)


def _encode_classes(options: Options, codes: np.ndarray, numbers: np.ndarray | None) -> Options:
    """Return `options` with the classes of objects in the codes of `encode_labels`."""
    if not options.neighbors_among or not codes.any():
        return options
    present = np.unique(codes)
    present = present[present > 0]
    labels = present if numbers is None else numbers[present]
    among, known = {}, set(labels.tolist())
    for name, members in options.neighbors_among.items():
        unknown = [member for member in members.tolist() if member not in known]
        if unknown:
            expected = f"labels of objects for {name!r}"
            raise checks.invalid("neighbors_among", expected, f"{unknown[:5]}, which labels does not contain")
        among[name] = present[np.searchsorted(labels, members.astype(labels.dtype))]
    return dataclasses.replace(options, neighbors_among=among)


def sum_records(scene: Scene, origin: Sequence[int] = (0, 0, 0)) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return the records of all objects in blocks along the first axis longer than one voxel.

    `origin` is the place (z, y, x) of the scene in the image.
    """
    labels, pixels = scene.labels, scene.pixels
    dtype = pixels.dtype.newbyteorder("=")
    exact = dtype.kind in "biu" and dtype.itemsize <= 2
    if not exact and dtype != np.float32:
        dtype = np.dtype(float)
    zeros = np.zeros(1, np.int64 if exact else np.float64)
    axis = 0 if len(labels) > 1 else 1
    length = labels.shape[axis]
    step = max(1, BLOCK * length // max(1, labels.size))

    def sum_one(start: int) -> tuple[np.ndarray, np.ndarray]:
        block = (slice(None),) * axis + (slice(start, start + step),)
        values = np.ascontiguousarray(pixels[:, *block], dtype)
        if values.dtype == bool:
            values = values.view(np.uint8)
        corner = (origin[0] + start * (axis == 0), origin[1] + start * (axis == 1), origin[2])
        if scene.masks is None:
            return sum_block(labels[block], read_only(values), corner, zeros)
        channel_labels = [each[block] for each in scene.channel_labels]
        return _sum_masked(labels[block], channel_labels, read_only(values), corner, zeros)

    return map_tiles(sum_one, range(0, max(1, length), step))


def _sum_masked(
    labels: np.ndarray,
    channel_labels: Sequence[np.ndarray],
    values: np.ndarray,
    corner: tuple[int, int, int],
    zeros: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """Compute the sums of a block whose channels have different masks."""
    spatial, _ = sum_block(labels, values[:0], corner, zeros)
    limits = np.iinfo(np.int64) if zeros.dtype == np.int64 else np.finfo(float)
    intensity = np.zeros((len(spatial), len(values), INTENSITY), zeros.dtype)
    intensity[:, :, LOWEST], intensity[:, :, HIGHEST] = limits.max, limits.min
    rows = {number: row for row, number in enumerate(spatial[:, NUMBER].tolist())}
    for channel, visible in enumerate(channel_labels):
        found, records = sum_block(visible, values[channel : channel + 1], corner, zeros)
        intensity[[rows[number] for number in found[:, NUMBER].tolist()], channel] = records
    return spatial, intensity.reshape(len(spatial), len(values) * INTENSITY)


def _scan(
    scene: Scene,
    chosen: Sequence[Property],
    spacing: tuple[float, ...],
    numbers: np.ndarray | None,
    progress: Progress,
) -> MeasuredObjects:
    """Compute the sums of all objects in one pass, then the quantities that need whole objects."""
    objects = MeasuredObjects(merge_sums(sum_records(scene)), spacing, {})
    local = counters_of(chosen, "object", "surroundings")
    counted = map_tiles(
        lambda rows: count_objects(local, Part(scene, objects, rows, numbers)),
        split_objects(objects.sums.boxes),
        description="Measuring",
        progress=progress,
    )
    counts = {name: np.concatenate([part[name] for part in counted]) for name in counted[0]}
    counts |= count_objects(counters_of(chosen, "image"), Part(scene, objects, slice(None)))
    return dataclasses.replace(objects, counts=counts)
