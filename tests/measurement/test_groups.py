"""The groups beyond scikit-image's: against NumPy, SciPy, mahotas and brute force, and on known solids."""

import mahotas
import numpy as np
import pandas as pd
import pytest
from scipy import ndimage, stats
from scipy.spatial import ConvexHull, Delaunay
from scipy.spatial.distance import cdist
from scipy.spatial.transform import Rotation

from objclass.measurement import counting
from objclass.measurement.kernels.texture import LEVELS
from objclass.measurement.measuring import measure
from objclass.measurement.properties import PROPERTIES

SPACINGS = {2: [None, (2.0, 0.5)], 3: [None, (3.0, 0.7, 1.0)]}
CASES = [(ndim, spacing) for ndim in SPACINGS for spacing in SPACINGS[ndim]]


def scene(ndim, seed=0, n_channels=2):
    """Objects of all shapes, some of which touch, and an image of channels that correlate."""
    rng = np.random.default_rng(seed)
    shape = (50, 60) if ndim == 2 else (14, 30, 32)
    smooth = ndimage.gaussian_filter(rng.normal(size=shape), 1.6)
    labels = ndimage.label(smooth > np.quantile(smooth, 0.7))[0]
    labels = np.where(np.arange(shape[-1]) % 16 < 8, labels, labels + labels.max() * (labels > 0))
    image = rng.gamma(2.0, 500.0, (n_channels, *shape)) + 300 * (smooth > 0)
    image[-1] += 0.5 * image[0]
    return labels.astype(np.int32), image.astype(np.uint16)


def lengths(spacing, ndim):
    return np.ones(ndim) if spacing is None else np.array(spacing)


@pytest.mark.parametrize("ndim", [2, 3])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int32, np.float32, bool])
def test_distribution_equals_numpy_and_scipy(ndim, dtype):
    labels, image = scene(ndim)
    image = (image // 16 > 60) if dtype is bool else (image // 16).astype(dtype)
    table = measure(labels, image[0], properties="intensity")
    for row in table.itertuples():
        values = image[0][labels == row.label].astype(float)
        assert row.intensity_sum == values.sum()
        for name, share in {
            "quantile_05": 0.05,
            "quantile_25": 0.25,
            "median": 0.5,
            "quantile_95": 0.95,
        }.items():
            assert getattr(row, f"intensity_{name}") == pytest.approx(np.quantile(values, share))
        assert row.intensity_quantile_75 == pytest.approx(np.quantile(values, 0.75))
        assert row.intensity_mad == pytest.approx(stats.median_abs_deviation(values))
        if np.ptp(values) > 0:
            assert row.intensity_skewness == pytest.approx(stats.skew(values), rel=1e-9, abs=1e-9)
            assert row.intensity_kurtosis == pytest.approx(stats.kurtosis(values), rel=1e-9, abs=1e-9)
        else:
            assert np.isnan(row.intensity_skewness)


@pytest.mark.parametrize("ndim", [2, 3])
def test_pairs_of_channels(ndim):
    labels, image = scene(ndim, n_channels=3)
    table = measure(labels, image, properties="intensity", channel_names=["a", "b", "c"]).set_index("label")
    assert {"intensity_pearson-a-b", "intensity_overlap-b-c", "intensity_ratio-a-c"} <= {*table}
    for label in table.index[(measure(labels)["num_pixels"] > 2).to_numpy()]:
        first, second = image[[0, 2]][:, labels == label].astype(float)
        overlap = (first * second).sum() / np.sqrt((first**2).sum() * (second**2).sum())
        row = table.loc[label]
        assert row["intensity_pearson-a-c"] == pytest.approx(stats.pearsonr(first, second)[0])
        assert row["intensity_overlap-a-c"] == pytest.approx(overlap)
        assert row["intensity_ratio-a-c"] == pytest.approx(first.mean() / second.mean())


@pytest.mark.parametrize(("ndim", "spacing"), CASES)
def test_ring_of_background(ndim, spacing):
    labels, image = scene(ndim)
    table = measure(labels, image[0], spacing=spacing, properties="intensity", ring_width=2.1)
    for row in table.itertuples():
        away = ndimage.distance_transform_edt(labels != row.label, sampling=lengths(spacing, ndim))
        ring = (away <= 2.1) & (labels == 0)
        expected = image[0][ring].mean() if ring.any() else np.nan
        assert row.intensity_background == pytest.approx(expected, nan_ok=True)
        assert row.intensity_mean_corrected == pytest.approx(row.intensity_mean - expected, nan_ok=True)


@pytest.mark.parametrize("ndim", [2, 3])
def test_masked_and_nan_pixels(ndim):
    labels, image = scene(ndim)
    mask = np.random.default_rng(0).random(image.shape) < 0.2
    masked = np.ma.array(image, mask=mask)
    table = measure(labels, masked, properties=("intensity", "texture"), ring_width=2).set_index("label")
    label = measure(labels).set_index("label")["area"].idxmax()
    both = (labels == label) & ~mask.any(axis=0)
    assert table.loc[label, "intensity_median-1"] == np.median(image[1][(labels == label) & ~mask[1]])
    assert table.loc[label, "intensity_pearson-0-1"] == pytest.approx(stats.pearsonr(*image[:, both])[0])
    ring = (ndimage.distance_transform_edt(labels != label) <= 2) & (labels == 0) & ~mask[0]
    assert table.loc[label, "intensity_background-0"] == pytest.approx(image[0][ring].mean())

    spoilt = image.astype(np.float32)
    spoilt[0, *np.argwhere(labels == label)[0]] = np.nan
    clean = measure(labels, image.astype(np.float32), properties=("intensity", "texture")).set_index("label")
    harmed = measure(labels, spoilt, properties=("intensity", "texture")).set_index("label")
    columns = [name for name in clean if name.endswith("-0") or "-0-" in name]
    assert harmed.loc[label, columns].isna().all()
    pd.testing.assert_frame_equal(harmed.drop(label), clean.drop(label), check_exact=True)


def solid(kind, spacing, size, rotation, shift):
    spacing = np.array(spacing)
    shape = np.ceil(2 * 1.9 * size / spacing).astype(int) + 3
    places = np.moveaxis(np.indices(shape), 0, -1) * spacing - (shape - 1) * spacing / 2 - shift
    places = places @ rotation.T
    if kind == "ball":
        return (places**2).sum(axis=-1) <= size**2
    return (np.abs(places) <= size * np.array([1, 0.7, 0.5])).all(axis=-1)


@pytest.mark.parametrize("kind", ["ball", "box"])
@pytest.mark.parametrize("spacing", [(1, 1, 1), (2, 1, 1), (3, 0.7, 1)])
@pytest.mark.parametrize("size", [16, 24])
def test_solids_of_known_size(kind, spacing, size):
    """The errors are those that the documentation states."""
    rng = np.random.default_rng(0)
    wide = max(spacing)
    for turn in range(4):
        rotation = Rotation.random(random_state=turn).as_matrix() if turn else np.eye(3)
        mask = solid(kind, spacing, size, rotation, rng.uniform(-0.5, 0.5, 3) * spacing)
        row = measure(mask.astype(int), spacing=spacing, properties=("size", "shape")).iloc[0]
        if kind == "ball":
            assert row["surface_area"] == pytest.approx(4 * np.pi * size**2, rel=0.03)
            assert row["sphericity"] == pytest.approx(1, abs=0.02)
            assert row["elongation"] == pytest.approx(1, abs=0.05)
            assert row["flatness"] == pytest.approx(1, abs=0.05)
            assert 1 <= row["convexity"] < 1.09
            assert 2 * size - 1.5 * wide < row["feret_diameter_min"] < 2 * size + wide
        else:
            true = 8 * size**2 * (0.7 + 0.35 + 0.5)
            assert 0.78 * true < row["surface_area"] < 1.02 * true
            assert row["elongation"] == pytest.approx(0.7, abs=0.06)
            assert row["flatness"] == pytest.approx(0.5, abs=0.06)
            assert size - wide < row["feret_diameter_min"] < size + 1.5 * wide
            assert 0.95 < row["convexity"] < 1.12


@pytest.mark.parametrize("radius", [5, 12, 40])
@pytest.mark.parametrize("spacing", [(0.5, 0.5), (1.0, 0.5)])
def test_disks(radius, spacing):
    grid = np.indices((2 * radius + 4, 4 * radius + 8)) * np.reshape((1, 0.5), (2, 1, 1))
    if spacing[0] == spacing[1]:
        grid = np.indices((2 * radius + 4,) * 2)
    inside = ((grid - np.reshape((radius + 1.3, radius + 1.6), (2, 1, 1))) ** 2).sum(axis=0) <= radius**2
    row = measure(inside.astype(int), spacing=spacing, properties=("size", "shape")).iloc[0]
    unit = spacing[0]
    assert row["form_factor"] == pytest.approx(1, abs=0.4 / radius + 0.02)
    assert row["circularity"] == pytest.approx(np.sqrt(row["form_factor"]))
    assert row["elongation"] == pytest.approx(1, abs=0.05)
    assert row["feret_diameter_min"] == pytest.approx(2 * radius * unit, abs=1.5 * unit)


def test_concave_objects_and_blocks():
    bent = np.ones((30, 30), int)
    bent[6:, 6:] = 0
    row = measure(bent, properties=("size", "shape")).iloc[0]
    assert row["convexity"] < 0.95
    # The hull is the square without the corner across from the bend, whose diagonal is its least width.
    assert row["feret_diameter_min"] == pytest.approx(36 / np.sqrt(2), abs=1)
    block = measure(np.ones((4, 7, 9), int), spacing=(2, 1, 3), properties="feret_diameter_min").iloc[0]
    assert block["feret_diameter_min"] == 7


def exact_width(mask, spacing):
    """Return the minimum width over the normals of all facets, and of all pairs of edges, of the hull."""
    places = np.concatenate([2 * np.argwhere(mask) + sign * axis for axis in np.eye(3) for sign in (-1, 1)])
    places = places * spacing / 2
    hull = ConvexHull(places)
    corners = places[hull.vertices]
    ends = np.unique(np.sort(hull.simplices[:, [[0, 1], [1, 2], [2, 0]]].reshape(-1, 2)), axis=0)
    edges = places[ends[:, 0]] - places[ends[:, 1]]
    across = np.cross(edges[:, np.newaxis], edges).reshape(-1, 3)
    lengths = np.linalg.norm(across, axis=1)
    across = across[lengths > 1e-9] / lengths[lengths > 1e-9, np.newaxis]
    return [np.ptp(corners @ normals.T, axis=0).min() for normals in (hull.equations[:, :3], across)]


def test_minimum_feret_diameter_equals_all_pairs_of_edges():
    """Of convex objects between random points, as thin as a voxel, and of boxes and balls along the grid."""
    rng = np.random.default_rng(0)
    grid = np.indices((14, 15, 16)).reshape(3, -1).T
    masks = [abs(grid - 7).max(axis=1) < 5, ((grid - 7) ** 2).sum(axis=1) < 30]
    for n in range(4, 16):
        masks.append(Delaunay(rng.integers(0, 14, (n, 3))).find_simplex(grid) >= 0)
    between = 0
    for index, mask in enumerate(masks):
        solid, spacing = mask.reshape(14, 15, 16), [(1, 1, 1), (2, 0.7, 1)][index % 2]
        width = measure(solid.astype(int), spacing=spacing, properties="feret_diameter_min").iloc[0, 1]
        facets, edges = exact_width(solid, spacing)
        assert width == pytest.approx(min(facets, edges), rel=1e-9)
        between += edges < facets * (1 - 1e-9)
    assert between >= 4


@pytest.mark.parametrize(("ndim", "spacing"), CASES)
def test_neighbors_equal_brute_force(ndim, spacing):
    labels, _ = scene(ndim, seed=3)
    chosen = np.unique(labels)[1::3]
    table = measure(
        labels,
        spacing=spacing,
        properties=("neighbors", "centroid"),
        n_neighbors=4,
        neighbor_radius=9,
        neighbors_among={"third": chosen},
    )
    steps = lengths(spacing, ndim)
    numbers = table["label"].to_numpy()
    centres = table.filter(regex="^centroid-").to_numpy()
    between = cdist(centres, centres)
    np.fill_diagonal(between, np.inf)
    points = [np.argwhere(labels == number) * steps for number in numbers]
    gaps = np.array([[cdist(a, b).min() for b in points] for a in points])
    np.fill_diagonal(gaps, np.inf)
    faces = np.prod(steps) / steps
    for index, number in enumerate(numbers):
        padded = np.pad(labels, 1)
        touched, border, shared = set(), 0.0, 0.0
        for axis in range(ndim):
            for shift in (-1, 1):
                other = np.roll(padded, shift, axis)[padded == number]
                border += faces[axis] * (other != number).sum()
                shared += faces[axis] * ((other != number) & (other != 0)).sum()
                touched |= {*other.tolist()} - {0, number}
        row = table.iloc[index]
        assert row["neighbors_touching"] == len(touched)
        assert row["neighbors_touching_share"] == pytest.approx(shared / border)
        for suffix, among in {"": np.ones(len(numbers), bool), "-third": np.isin(numbers, chosen)}.items():
            near = np.sort(between[index, among])
            near = near[np.isfinite(near)][:4]
            assert row[f"neighbors_distance_centroid{suffix}"] == pytest.approx(near[0])
            assert row[f"neighbors_distance_mean{suffix}"] == pytest.approx(near.mean())
            assert row[f"neighbors_within{suffix}"] == (between[index, among] <= 9).sum()
            ball = np.pi * near[-1] ** ndim * (4 / 3 if ndim == 3 else 1)
            assert row[f"neighbors_density{suffix}"] == pytest.approx(len(near) / ball)
            assert row[f"neighbors_distance_surface{suffix}"] == pytest.approx(gaps[index, among].min())
    assert table["neighbors_touching"].max() > 0


@pytest.mark.parametrize("n_points", [60, 400])
def test_the_nearest_surface_may_have_a_far_centroid(n_points):
    """A rod ends beside the first of many points, and all of these have centroids nearer than the rod."""
    labels = np.zeros((40, 900), int)
    labels[0, 120:] = 1
    columns = 2 * np.arange(n_points) % 100
    labels[3 + 4 * (np.arange(n_points) * 2 // 100), columns] = np.arange(2, n_points + 2)
    labels[1, 117] = n_points + 2
    table = measure(labels, properties="neighbors_distance_surface").set_index("label")
    points = [np.argwhere(labels == number) for number in table.index]
    gaps = np.array([[cdist(a, b).min() for b in points] for a in points[:1] + points[-1:]])
    assert table["neighbors_distance_surface"].loc[[1, n_points + 2]].tolist() == [
        np.sort(gaps[0])[1],
        np.sort(gaps[1])[1],
    ]


def test_neighbors_of_one_or_two_objects_and_of_large_labels():
    labels = np.zeros((9, 9), np.int64)
    assert len(measure(labels, properties="neighbors")) == 0
    labels[1, 1] = 2**31 - 5
    alone = measure(labels, properties="neighbors").iloc[0]
    assert alone["neighbors_touching"] == 0
    assert alone.filter(like="distance").isna().all()
    labels[1, 5], labels[2, 5] = 7, 2**40
    table = measure(labels, properties="neighbors")
    assert table["neighbors_distance_surface"].tolist() == [1, 4, 1]
    assert table["neighbors_touching"].tolist() == [1, 0, 1]
    assert table["neighbors_touching_share"].tolist() == [0.25, 0, 0.25]


@pytest.mark.parametrize("ndim", [2, 3])
@pytest.mark.parametrize("distance", [1, 2])
def test_texture_equals_mahotas(ndim, distance):
    labels, image = scene(ndim, seed=5)
    labels[labels == 3] = 0
    table = measure(labels, image[0], properties="texture", texture_distances=distance)
    names = [name for name, entry in PROPERTIES.items() if entry.per == ("distance", "channel")]
    sizes = np.bincount(labels.ravel())
    n_compared = 0
    for row in table.to_dict("records"):
        number = row["label"]
        if sizes[number] < 60:
            continue
        crop = ndimage.find_objects(labels, max_label=number)[number - 1]
        mask, values = labels[crop] == number, image[0][crop].astype(float)
        low, high = values[mask].min(), values[mask].max()
        levels = 1 + np.minimum((values - low) * (LEVELS / (high - low)), LEVELS - 1).astype(int)
        expected = mahotas.features.haralick(levels * mask, ignore_zeros=True, distance=distance)
        mine = [row[f"{name}-{distance}"] for name in names]
        np.testing.assert_allclose(mine, expected.mean(axis=0), rtol=1e-9, atol=1e-9)
        n_compared += 1
    assert n_compared >= 3


@pytest.mark.parametrize(("ndim", "spacing"), CASES)
def test_energies_equal_a_plain_loop(ndim, spacing):
    labels, image = scene(ndim, seed=7)
    table = measure(labels, image[0], spacing=spacing, properties="texture").set_index("label")
    steps, values = lengths(spacing, ndim), np.pad(image[0].astype(float), 1)
    padded = np.pad(labels, 1)
    for number in table.index[::5]:
        inside = padded == number
        gradient, laplace, whole = 0.0, np.zeros(values.shape), inside.copy()
        for axis in range(ndim):
            pairs = inside & np.roll(inside, -1, axis)
            slope = (np.roll(values, -1, axis) - values) / steps[axis]
            gradient += (slope[pairs] ** 2).mean() if pairs.any() else 0
            laplace += (slope - np.roll(slope, 1, axis)) / steps[axis]
            whole &= np.roll(inside, 1, axis) & np.roll(inside, -1, axis)
        variances = []
        for place in np.argwhere(inside):
            around = tuple(slice(at - 1, at + 2) for at in place)
            variances.append(values[around][inside[around]].var())
        row = table.loc[number]
        assert row["texture_gradient_energy"] == pytest.approx(gradient) or not inside.sum() > 1
        expected = (laplace[whole] ** 2).mean() if whole.any() else np.nan
        assert row["texture_laplace_energy"] == pytest.approx(expected, nan_ok=True)
        assert row["texture_local_variance"] == pytest.approx(np.mean(variances))


@pytest.mark.parametrize(("ndim", "spacing"), CASES)
def test_blob_energy_equals_a_plain_sum(ndim, spacing):
    """Of the Laplacian of a weighted mean over the voxels of the object, whose weights are Gaussian."""
    labels, image = scene(ndim, seed=7)
    labels = np.where(labels == np.bincount(labels[labels > 0]).argmax(), 5, 0)
    steps, scale = lengths(spacing, ndim), 2.5
    row = measure(
        labels, image, spacing=spacing, properties="texture_blob_energy", texture_scales=(1, scale)
    ).iloc[0]
    places = np.argwhere(labels == 5)
    apart = np.abs(places[:, np.newaxis] - places)
    reach = (4 * scale / steps + 0.5).astype(int)
    weights = np.exp(-((apart * steps) ** 2).sum(axis=-1) / 2 / scale**2) * (apart <= reach).all(axis=-1)
    for channel, pixels in enumerate(image):
        smooth = np.full(labels.shape, np.nan)
        smooth[labels == 5] = weights @ pixels[labels == 5] / weights.sum(axis=1)
        smooth, laplace = np.pad(smooth, 1, constant_values=np.nan), 0
        for axis, step in enumerate(steps):
            laplace = laplace + (np.roll(smooth, 1, axis) + np.roll(smooth, -1, axis) - 2 * smooth) / step**2
        expected = scale**4 * np.nanmean(laplace**2)
        assert row[f"texture_blob_energy-2.5-{channel}"] == pytest.approx(expected, rel=1e-6)


def test_blob_energy_tells_the_size_of_spots_and_ignores_what_is_outside():
    y, x = np.indices((96, 192))
    image, labels = np.zeros((96, 192)), np.zeros((96, 192), int)
    labels[8:88, 8:88], labels[8:88, 104:184] = 1, 2
    for number, radius in ((1, 3), (2, 8)):
        for at in np.ndindex(80 // (4 * radius), 80 // (4 * radius)):
            centre = np.array(at) * 4 * radius + 2 * radius + (8, 8 if number == 1 else 104)
            image[np.hypot(y - centre[0], x - centre[1]) <= radius] = 100
    scales = {"texture_scales": (2, 6), "properties": "texture_blob_energy"}
    table = measure(labels, image, **scales)
    small, large = table["texture_blob_energy-2"], table["texture_blob_energy-6"]
    assert small[0] > 4 * small[1]
    assert large[1] > 4 * large[0]
    image[labels == 0] = 1e6
    pd.testing.assert_frame_equal(measure(labels, image, **scales), table)
    flat = measure(labels, np.full(labels.shape, 7.3), **scales)
    assert flat["texture_blob_energy-6"].tolist() == pytest.approx([0, 0], abs=1e-20)


def test_distances_of_texture_are_physical():
    labels, image = scene(3)
    mask = (labels == np.bincount(labels[labels > 0]).argmax()).astype(int)

    def entropies(mask, pixels, spacing, distances):
        options = {"spacing": spacing, "texture_distances": distances}
        return measure(mask, pixels, properties="texture_entropy", **options).iloc[0, 1:].to_numpy()

    near, far = entropies(mask, image[0], (4, 1, 1), (1, 4))
    # At a distance of 1 only voxels of the same plane are compared: with empty planes between, the same.
    spread, pixels = np.zeros((2 * len(mask), *mask.shape[1:]), int), np.repeat(image[0], 2, axis=0)
    spread[::2] = mask
    assert entropies(spread, pixels, (2, 1, 1), 1)[0] == pytest.approx(near)
    assert entropies(spread, pixels, (1, 1, 1), 1)[0] == pytest.approx(near)
    assert entropies(mask, image[0], (1, 1, 1), 1)[0] != pytest.approx(near)
    assert far != pytest.approx(near)


@pytest.mark.parametrize("n_objects", [1, 2])
@pytest.mark.parametrize("n_channels", [1, 2])
def test_functions_are_compiled_for_contiguous_arrays_alone(n_objects, n_channels, monkeypatch):
    """Whatever the number of channels and objects: numba compiles them anew for others."""
    strided = []

    def record(kernel):
        def call(*arguments):
            arrays = [each for each in arguments if isinstance(each, np.ndarray)]
            strided.extend(kernel.__name__ for each in arrays if not each.flags.c_contiguous)
            return kernel(*arguments)

        return call

    inside = ".kernels."
    kernels = {n: each for n, each in vars(counting).items() if inside in getattr(each, "__module__", "")}
    assert len(kernels) >= 10
    for name, kernel in kernels.items():
        monkeypatch.setattr(counting, name, record(kernel))
    labels = np.zeros((12, 14), np.int32)
    labels[2:6, 2:6], labels[7:10, 5:9] = 1, n_objects
    image = np.arange(n_channels * labels.size, dtype=np.uint16).reshape(n_channels, *labels.shape)
    groups = ("size", "intensity", "shape", "position", "moments", "perimeter", "texture")
    assert len(measure(labels, image, properties=groups, ring_width=2)) == n_objects
    assert strided == []


@pytest.mark.parametrize("shape", [(3, 5, 7), (6, 9)])
def test_extra_measures(shape):
    labels = np.zeros(shape, np.uint64)
    labels[..., 1:3], labels[..., 4:] = 2**40, 3
    image = np.arange(labels.size, dtype=float).reshape(shape)

    def spread(mask, pixels):
        """Range of the intensity."""
        return np.ptp(pixels[mask])

    def middle(mask, pixels):
        return np.argwhere(mask).mean(axis=0)

    table = measure(labels, image, properties="area", extra={"spread": spread, "middle": middle})
    assert list(table) == ["label", "area", "spread", *(f"middle-{axis}" for axis in range(len(shape)))]
    for row in table.itertuples():
        assert row.spread == np.ptp(image[labels == row.label])
    assert table.attrs["columns"]["area"]["group"] == "size"
    both = measure(labels, np.stack([image, image]), properties="area", extra={"n": lambda m, p: p.shape[0]})
    assert both["n"].tolist() == [2, 2]
    without = measure(labels, properties="area", extra={"n": lambda mask, pixels: float(pixels is None)})
    assert without["n"].tolist() == [1, 1]


def fails(mask, pixels):
    if mask.sum() == 2:
        raise ZeroDivisionError("too small")
    return 1.0


MASK = np.repeat([[1, 2, 2]], 1, axis=0)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        (
            {"extra": {"f": fails}},
            ValueError,
            "extra: .* numbers for object 2, got ZeroDivisionError: too",
        ),
        (
            {"extra": {"area": fails}},
            ValueError,
            "extra: expected names that differ from those of other columns",
        ),
        ({"extra": {"f": 3}}, TypeError, "extra: expected a function"),
        ({"extra": [fails]}, TypeError, "extra: expected a dict of names and functions, got list"),
        ({"neighbors_among": [1, 2]}, TypeError, "neighbors_among: expected a dict of names and labels"),
        ({"neighbors_among": {1: [1]}}, TypeError, "neighbors_among: expected a dict of names and labels"),
        ({"extra": {"": fails}}, ValueError, "extra: expected names"),
        ({"extra": {"f": lambda m, p: None}}, ValueError, "extra: .* for object 1, got .* returned None"),
        ({"extra": {"f": lambda m, p: "a"}}, ValueError, "extra: .* for object 1, got ValueError"),
        ({"extra": {"f": lambda m, p: np.ones(m.sum())}}, ValueError, "extra: .* one shape for all objects"),
        ({"ring_width": 0.5}, ValueError, "ring_width: expected a width of at least a voxel"),
        ({"ring_width": "2"}, ValueError, "ring_width: expected a number"),
        ({"properties": "intensity_background"}, ValueError, "ring_width: expected a length to measure"),
        ({"properties": "texture_blob_energy"}, ValueError, "texture_scales: expected a length to measure"),
        ({"texture_scales": 0.2}, ValueError, "texture_scales: expected scales of at least half a voxel"),
        ({"texture_scales": "2"}, ValueError, "texture_scales: expected a number"),
        ({"properties": "neighbors_within"}, ValueError, "neighbor_radius: expected a length to measure"),
        (
            {"properties": "intensity_pearson"},
            ValueError,
            "image: .* of at least two channels",
        ),
        (
            {"properties": "sphericity"},
            ValueError,
            "properties: expected properties that exist in 2 dimensions",
        ),
        ({"texture_distances": 0.2}, ValueError, "texture_distances: expected distances of at least a voxel"),
        ({"n_neighbors": 0}, ValueError, "n_neighbors: expected"),
        ({"neighbors_among": {"a": ["b"]}}, TypeError, "neighbors_among: expected the labels"),
    ],
)
def test_bad_options(options, error, message):
    with pytest.raises(error, match=message):
        measure(MASK, MASK, **options)


def test_every_property_is_documented_and_has_its_columns():
    labels, image = scene(2)
    options = {"ring_width": 2, "neighbor_radius": 5, "texture_scales": 2, "channel_names": ["a", "b"]}
    groups = list(dict.fromkeys(entry.group for entry in PROPERTIES.values()))
    table = measure(labels, image, properties=groups, **options)
    described = table.attrs["columns"]
    assert {*described} == {*table} - {"label"}
    assert all(entry["definition"].endswith(".") and entry["source"] for entry in described.values())
    assert described["neighbors_density"]["unit"] == "1/px²"
    assert described["intensity_pearson-a-b"]["unit"] == ""
    found = {name.partition("-")[0] for name in described}
    assert found == {name for name, entry in PROPERTIES.items() if entry.ndim != 3}


@pytest.mark.parametrize("ndim", [2, 3])
def test_no_objects_give_all_columns(ndim):
    labels, image = scene(ndim)
    options = {"ring_width": 2, "neighbor_radius": 5, "neighbors_among": {"a": [1]}}
    groups = ["size", "intensity", "shape", "texture", "neighbors"]
    full = measure(labels, image, properties=groups, **options)
    empty = measure(np.zeros_like(labels), image, properties=groups, **options)
    assert list(empty.columns) == list(full.columns)
    assert (empty.dtypes == full.dtypes).all()
    assert len(empty) == 0


def test_classes_of_objects_with_very_large_labels_and_unknown_ones():
    labels = np.zeros((8, 9), np.int64)
    labels[1:4, 1:4], labels[5, 5], labels[6:8, :3] = 1, 2, 7
    small = measure(labels, properties="neighbors", neighbors_among={"x": [2]})
    large = measure(labels * 2**40, properties="neighbors", neighbors_among={"x": [2 * 2**40]})
    np.testing.assert_array_equal(large.drop(columns="label"), small.drop(columns="label"))
    assert small["neighbors_distance_centroid-x"].notna().sum() == 2
    with pytest.raises(ValueError, match=r"neighbors_among: expected labels of objects for 'x', got \[99\]"):
        measure(labels, properties="neighbors", neighbors_among={"x": [2, 99]})


@pytest.mark.parametrize("spacing", ["2", True, [True, True], [1, None], 1j])
def test_a_spacing_that_is_no_number_is_refused(spacing):
    with pytest.raises(ValueError, match="spacing: expected 2 positive numbers"):
        measure(np.eye(4, dtype=int), spacing=spacing)


@pytest.mark.parametrize("masked", [False, True])
def test_a_property_that_writes_into_its_pixels_changes_no_image(masked):
    labels = np.kron(np.array([[1, 2], [3, 3]]), np.ones((4, 4), int))
    labels[2:6, 2:6] = 4
    image = np.arange(64.0).reshape(8, 8) + 1
    given = np.ma.masked_array(image.copy(), mask=labels == 2) if masked else image.copy()

    def brightest(mask, pixels):
        pixels[~mask] = 0
        return float(pixels.max())

    table = measure(
        labels, given, properties="intensity_mean", extra={"brightest": brightest}, progress=False
    )
    assert (np.asarray(given) == image).all()
    inside = [image[labels == number].max() for number in (1, 3, 4)]
    assert table["brightest"][[0, 2, 3]].tolist() == inside
    assert table["intensity_mean"][0] == image[labels == 1].mean()
