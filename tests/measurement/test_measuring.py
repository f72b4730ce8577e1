"""measure, against scikit-image's regionprops_table column by column, and where the two must differ."""

import warnings

import hypothesis.extra.numpy as st_numpy
import hypothesis.strategies as st
import numpy as np
import pandas as pd
import pytest
import tifffile
from hypothesis import given
from pandas.testing import assert_frame_equal
from scipy import ndimage
from scipy.spatial import ConvexHull
from skimage import data
from skimage.measure import regionprops, regionprops_table

from objclass._common import parallel
from objclass.measurement import measuring
from objclass.measurement.counting import Options
from objclass.measurement.measuring import measure
from objclass.measurement.properties import PROPERTIES, SCIKIT_IMAGE
from tests.random_search import examples

ALL = ("size", "intensity", "shape", "position", "moments")
NAN_IF_FLAT = ("area_convex", "solidity", "feret_diameter_max")
ONE_BY_ONE = (*NAN_IF_FLAT, "axis_minor_length")


def is_flat(region):
    return np.linalg.matrix_rank(region.coords - region.coords[0]) < region.coords.shape[1]


def value_of(region, name):
    if name in NAN_IF_FLAT and region.coords.shape[1] == 3 and is_flat(region):
        return np.nan
    if name == "axis_minor_length" and region.coords.shape[1] == 3:
        largest, middle, smallest = region.inertia_tensor_eigvals
        # Before 0.26, scikit-image fails where rounding makes this negative.
        return np.sqrt(10 * max(0, middle + smallest - largest))
    return getattr(region, name)


def reference(labels, image, names, spacing=None):
    """scikit-image's table; NaN where it has no convex hull, which it says by 0, infinity or an exception."""
    spacing = (1,) * labels.ndim if spacing is None else spacing
    if image.ndim > labels.ndim:
        image = np.moveaxis(image, 0, -1)
    if spacing != (1,) * labels.ndim:
        names = [name for name in names if not name.endswith("_hu")]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # 0 / 0 for weights of 0
        table = pd.DataFrame(
            regionprops_table(
                labels,
                image,
                properties=["label", *(name for name in names if name not in ONE_BY_ONE)],
                spacing=spacing,
            )
        )
        regions = regionprops(labels, spacing=spacing)
        for name in set(names) & {*ONE_BY_ONE}:
            table[name] = np.array([value_of(region, name) for region in regions], float)
    return table


def properties_of(ndim, groups=ALL):
    shared = [e for e in PROPERTIES.values() if e.source == SCIKIT_IMAGE and e.exists(ndim, 1, Options())]
    names = [entry.name for group in groups for entry in shared if entry.group == group]
    return [name for name in names if name != "axis_intermediate_length"]


def assert_tables_agree(ours, theirs):
    """Integers exactly, others to 1e-9 of the scale on which their rounding errors arise."""
    assert set(theirs.columns) <= set(ours.columns)
    size = theirs.get("inertia_tensor_eigvals-0", 1.0)
    brightest = theirs.filter(like="intensity_m").abs().max(axis=1) if len(theirs.columns) > 1 else 1.0
    for column in theirs:
        mine, other = ours[column].to_numpy(), theirs[column].to_numpy()
        if np.issubdtype(other.dtype, np.integer):
            assert mine.dtype == other.dtype, column
            np.testing.assert_array_equal(mine, other, column)
            continue
        scale = np.abs(other)
        if column.startswith("inertia_tensor"):
            scale = size
        elif column.startswith(("axis_minor", "eccentricity")):  # square roots of small differences
            mine, other = mine**2, other**2
            scale = size if column.startswith("axis") else 1.0
        elif column == "orientation":  # modulo pi; of no meaning in a round object
            round_object = theirs["eccentricity"] ** 2 < 1e-6
            mine = np.where(round_object, 0, (mine - other + 1) % np.pi - 1)
            other, scale = np.zeros_like(mine), 1.0
        elif column.startswith("intensity_std"):
            scale = brightest
        elif column.startswith("moments"):  # sums of terms of either sign
            name = column.split("-")[0]
            scale = theirs.filter(regex=f"^{name}-").abs().max(axis=1)
        elif column.startswith("centroid"):
            scale = np.abs(other) + 1
        bad = ~((np.abs(mine - other) <= 1e-9 * scale) | (np.isnan(mine) & np.isnan(other)))
        assert not bad.any(), f"{column}: {mine[bad]} is not {other[bad]}"


@pytest.fixture(scope="module")
def nuclei(shared_data):
    labels = tifffile.imread(shared_data / "nuclei3d_apoc_labels_round2.tif")
    labels[np.isin(labels, [1, 17, 40, 41])] = 0
    return labels, tifffile.imread(shared_data / "nuclei3d.tif")


@pytest.mark.parametrize("spacing", [None, (4.0, 0.8286, 0.8286)])
def test_real_nuclei(nuclei, spacing):
    """Without the largest, for whose hull scikit-image takes its time."""
    labels, image = nuclei
    labels = np.where(labels == np.bincount(labels[labels > 0]).argmax(), 0, labels)
    table = measure(labels, image, spacing=spacing, properties=ALL)
    assert_tables_agree(table, reference(labels, image, properties_of(3), spacing))
    assert table["label"].tolist() == np.unique(labels)[1:].tolist()
    assert table["area_convex"].isna().any()  # this segmentation has flat objects
    assert table["area_convex"].notna().sum() > 70


def test_the_largest_real_nucleus_has_the_hull_of_qhull(nuclei):
    """scikit-image's rule, the centres of voxels within the hull of face centres, without its long loop."""
    labels = nuclei[0]
    largest = np.bincount(labels[labels > 0]).argmax()
    mask = labels[ndimage.find_objects(labels)[largest - 1]] == largest
    steps = np.concatenate([np.eye(3), -np.eye(3)]) / 2
    hull = ConvexHull(np.concatenate([np.argwhere(mask) + step for step in steps]))
    inside = np.argwhere(np.ones_like(mask))
    for *normal, offset in np.unique(hull.equations.round(12), axis=0):
        inside = inside[inside @ normal + offset <= 1e-9]
    found = measure(mask.astype(np.int32), properties=["area_convex", "solidity"]).loc[0]
    assert found["area_convex"] == len(inside) > 5 * mask.sum()
    assert found["solidity"] == pytest.approx(mask.sum() / len(inside))


def test_real_touching_nuclei_in_two_channels(shared_data):
    labels = tifffile.imread(shared_data / "dense3d_truth.tif")
    image = tifffile.imread(shared_data / "dense3d.tif")
    channels = np.stack([image, image.max() - image])
    table = measure(labels, channels, properties=ALL)
    assert {"intensity_mean-1", "centroid_weighted-2-1", "moments_weighted-0-1-2-0"} <= {*table}
    assert_tables_agree(table, reference(labels, channels, properties_of(3)))


@pytest.mark.parametrize("spacing", [None, (0.5, 0.5), (2.0, 0.3)])
def test_real_flat_image(spacing):
    image = data.coins()
    labels = ndimage.label(image > 110)[0]
    labels[labels % 7 == 3] = 0
    groups = (*ALL, "perimeter") if spacing is None or spacing[0] == spacing[1] else ALL
    table = measure(labels, image, spacing=spacing, properties=groups)
    assert_tables_agree(table, reference(labels, image, properties_of(2, groups), spacing))
    assert len(table) > 50


def test_a_projection_of_an_embryo(shared_data):
    image = tifffile.imread(shared_data / "lund_max_projection.tif")
    labels = ndimage.label(ndimage.gaussian_filter(image.astype(float), 2) > 320)[0]
    assert labels.max() > 20
    table = measure(labels, image)
    assert_tables_agree(table, reference(labels, image, properties_of(2, ALL[:4])))


SHAPES = st.one_of(
    st_numpy.array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=9),
    st_numpy.array_shapes(min_dims=3, max_dims=3, min_side=1, max_side=7),
)
PIXELS = [
    (np.uint8, st.integers(0, 255)),
    (np.uint16, st.integers(0, 65535)),
    (np.int16, st.integers(-32768, 32767)),
    (np.int32, st.integers(-(2**31), 2**31 - 1)),
    (np.float64, st.floats(-1e6, 1e6, allow_subnormal=False)),
]


@st.composite
def scenes(draw):
    labels = draw(st_numpy.arrays(np.int32, draw(SHAPES), elements=st.sampled_from([0, 0, 1, 2, 9])))
    dtype, elements = draw(st.sampled_from(PIXELS))
    return labels, draw(st_numpy.arrays(dtype, labels.shape, elements=elements))


@examples(60)
@given(scenes(), st.booleans())
def test_random_objects(scene, scaled):
    labels, image = scene
    spacing = (2.5, 0.7, 1.1)[-labels.ndim :] if scaled else None
    groups = ("size", "shape", "intensity", "position")
    names = properties_of(labels.ndim, groups)
    if labels.any():
        # Where values of either sign nearly cancel, their centre is a matter of rounding.
        weights = [np.abs(image[labels == n].astype(float).sum()) for n in np.unique(labels[labels > 0])]
        if min(weights) < 1e-3 * np.abs(image).max():
            names = [name for name in names if "weighted" not in name]
    table = measure(labels, image, spacing=spacing, properties=groups)
    assert_tables_agree(table, reference(labels, image, names, spacing))


@examples(25)
@given(scenes(), st.integers(0, 3))
def test_measurements_do_not_depend_on_label_or_position(scene, shift):
    labels, image = scene
    table = measure(labels, image)
    moved = measure(
        np.pad(np.where(labels > 0, 1_000_000_007 - labels, 0), shift), np.pad(image, shift, mode="reflect")
    )
    moved = moved.iloc[::-1].reset_index(drop=True)
    assert (moved["label"] == 1_000_000_007 - table["label"]).all()
    for column in table.columns.drop("label"):
        if column.startswith("bbox"):
            assert (moved[column] == table[column] + shift).all()
        elif column.startswith(("centroid-", "centroid_weighted-")):
            np.testing.assert_allclose(moved[column], table[column] + shift, rtol=1e-6)
        elif column not in ("orientation",):
            np.testing.assert_allclose(moved[column], table[column], rtol=1e-6, atol=1e-6, err_msg=column)


def test_channels_are_measured_each_as_if_alone(nuclei):
    labels, image = nuclei
    other = np.roll(image, 3, axis=0)
    table = measure(labels, np.stack([other, image]), properties=("intensity", "position"))
    for channel, pixels in enumerate([other, image]):
        alone = measure(labels, pixels, properties=("intensity", "position"))
        for column in alone.columns[alone.columns.str.contains("intensity|weighted")]:
            assert table[f"{column}-{channel}"].equals(alone[column])
    single = measure(labels, image[np.newaxis], properties="intensity")
    assert "intensity_mean-0" in single


def test_blocks_and_threads_change_nothing(nuclei, monkeypatch):
    labels, image = nuclei
    image = image.astype(np.int32) * 1001
    whole = measure(labels, image)
    with parallel.single_threaded():
        assert_frame_equal(measure(labels, image), whole, check_exact=True)
    monkeypatch.setattr(measuring, "BLOCK", 5000)
    assert_frame_equal(measure(labels, image), whole, check_exact=True)
    flat = labels.max(axis=0), image.max(axis=0)
    blocks = measure(*flat)
    monkeypatch.setattr(measuring, "BLOCK", 2**30)
    assert_frame_equal(measure(*flat), blocks, check_exact=True)


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.uint16, np.uint32, np.int64, np.uint64, ">i4"])
def test_labels_of_any_type_and_layout(nuclei, dtype):
    labels, image = nuclei
    expected = measure(labels.astype(np.int32), image)
    cast = labels.astype(dtype)
    cast.flags.writeable = False
    assert_frame_equal(measure(cast, image), expected, check_exact=True)
    strided = np.asfortranarray(cast)
    assert_frame_equal(measure(strided, np.asfortranarray(image)), expected, check_exact=True)


@pytest.mark.parametrize("dtype", [bool, np.int8, ">u2", np.int32, np.uint64, np.float16, np.float32, ">f4"])
def test_images_of_any_type(nuclei, dtype):
    labels, image = nuclei
    image = (image // 3).astype(dtype)
    expected = measure(labels, image.astype(float))
    assert_frame_equal(measure(labels, image), expected, rtol=1e-12, atol=1e-12)


def test_numbers_beyond_32_bits():
    labels = np.zeros((3, 4, 5), np.uint64)
    labels[0, :2], labels[2, 3, 2:4] = 2**40, 7
    table = measure(labels)
    assert table["label"].tolist() == [7, 2**40]
    assert table["num_pixels"].tolist() == [2, 10]
    table = measure(np.full((2, 2), 2**40))
    assert table["label"].tolist() == [2**40]
    table = measure(np.array([[2**64 - 1, 2**63, 3, 0]], np.uint64))
    assert table["label"].tolist() == [3, 2**63, 2**64 - 1]
    assert table["centroid-1"].tolist() == [2, 1, 0]


def test_one_voxel_and_flat_objects_alone_have_nan():
    labels = np.zeros((6, 8, 9), np.int32)
    labels[0, 0, 0] = 1
    labels[2, 1:5, 1:6] = 2
    labels[4:, 3:6, 3:7] = 3
    table = measure(labels, np.ones_like(labels)).set_index("label")
    missing = table.columns[table.isna().any()]
    assert set(missing) == {*NAN_IF_FLAT}
    assert table[missing].isna().all(axis=1).tolist() == [True, True, False]
    assert table.loc[3, "area_convex"] == 24
    assert table.loc[[1, 2], "axis_minor_length"].tolist() == [0, 0]
    flat = measure(labels[2] + labels[0], properties=ALL).set_index("label")
    assert flat.loc[1, ["area_convex", "solidity", "feret_diameter_max", "eccentricity"]].tolist() == [
        1,
        1,
        1,
        0,
    ]


def test_dark_objects_have_no_centre_of_intensity():
    labels = np.repeat([[1, 1, 0, 2, 2]], 3, axis=0)
    table = measure(labels, np.where(labels == 1, 0, 5))
    weighted = table.filter(like="weighted")
    assert weighted.isna().all(axis=1).tolist() == [True, False]
    assert table.drop(columns=weighted.columns).notna().all(axis=None)


@pytest.mark.parametrize("ndim", [2, 3])
def test_intermediate_axis_and_order_of_axes(ndim):
    labels = np.ones((3, 20, 8)[-ndim:], np.int32)
    table = measure(labels, properties="size")
    assert ("axis_intermediate_length" in table) == (ndim == 3)
    lengths = table.filter(like="axis_").iloc[0].to_numpy()
    assert (np.diff(lengths) < 0).all()
    # A solid cuboid of side s has second moments s² / 12, an ellipsoid of axis a has a² / 20 (in 2D a² / 16).
    sides = np.array(sorted(labels.shape, reverse=True))
    np.testing.assert_allclose(lengths, np.sqrt((sides**2 - 1) / 12 * (20 if ndim == 3 else 16)))


@pytest.mark.parametrize("ndim", [2, 3])
@pytest.mark.parametrize("channels", [None, 2])
def test_no_objects_give_all_columns(ndim, channels):
    groups = (*ALL, "perimeter") if ndim == 2 else ALL
    shape = (4, 5, 6)[:ndim]
    image = np.ones(shape if channels is None else (channels, *shape))
    empty = measure(np.zeros(shape, int), image, properties=groups)
    full = measure(np.ones(shape, int), image, properties=groups)
    assert len(empty) == 0
    assert (empty.dtypes == full.dtypes).all()
    assert list(empty.columns) == list(full.columns)
    assert len(measure(np.zeros((0, *shape), int)[:ndim] if ndim == 2 else np.zeros((0, 5, 6), int))) == 0


def test_without_an_image_its_columns_are_left_out():
    labels = np.ones((3, 4), int)
    table = measure(labels)
    assert not table.filter(regex="intensity|weighted").columns.any()
    assert {"area", "centroid-1", "bbox-3"} <= {*table}


def test_single_properties_and_their_order():
    labels = np.ones((3, 4), int)
    table = measure(labels, labels, properties=("euler_number", "bbox", "euler_number", "intensity_max"))
    assert list(table) == ["label", "euler_number", "bbox-0", "bbox-1", "bbox-2", "bbox-3", "intensity_max"]
    assert list(measure(labels, properties="area")) == ["label", "area"]


def test_lists_give_one_table(nuclei):
    labels, image = nuclei
    halves = [labels[:20], labels[20:]], [image[:20], image[20:]]
    table = measure(*halves, spacing=(4, 1, 1))
    assert list(table.columns[:2]) == ["image", "label"]
    for number in range(2):
        part = table[table["image"] == number].drop(columns="image").reset_index(drop=True)
        alone = measure(halves[0][number], halves[1][number], spacing=(4, 1, 1))
        assert_frame_equal(part, alone, check_exact=True)
    assert len(measure([labels[10]])) == len(measure(labels[10])) > 0


def test_images_without_objects_are_reported_and_counted():
    labels = [np.ones((3, 4), int), np.zeros((3, 4), int), np.eye(4, dtype=int)[:3]]
    with pytest.warns(UserWarning, match=r"1 of 3 images have no objects .*: control\."):
        table = measure(labels, image_names=["a", "control", "b"])
    assert table["image"].tolist() == ["a", "b"]
    assert table.attrs["objects_per_image"] == {"a": 1, "control": 0, "b": 1}
    assert table.attrs["columns"]["area"]["unit"] == "px²"
    assert table.attrs["spacing"] is None


def test_channels_under_their_names():
    labels, image = np.ones((3, 4), int), np.arange(24).reshape(2, 3, 4)
    numbered = measure(labels, image, properties=("intensity", "position"))
    named = measure(labels, image, properties=("intensity", "position"), channel_names=["DAPI", "Alexa-488"])
    assert {"intensity_mean-DAPI", "centroid_weighted-1-Alexa-488"} <= {*named}
    assert (named.to_numpy() == numbered.to_numpy()).all()
    assert named.attrs["columns"]["centroid_weighted-1-Alexa-488"]["group"] == "position"
    single = measure(labels, image[0], properties="intensity_mean", channel_names=["GFP"])
    assert list(single) == ["label", "intensity_mean-GFP"]


IMAGE_COLUMNS = "intensity|weighted"


@pytest.mark.parametrize(("ndim", "dtype"), [(2, np.uint16), (3, np.float32), (2, np.float64)])
def test_masked_pixels_are_ignored(ndim, dtype, monkeypatch):
    rng = np.random.default_rng(ndim)
    labels = rng.integers(0, 9, (4, 5, 6)).repeat(3, axis=1).repeat(3, axis=2)
    labels = labels if ndim == 3 else labels[0]
    image = rng.integers(100, 60000, (2, *labels.shape)).astype(dtype)
    mask = rng.random(image.shape) < 0.3
    mask[1, labels == 3] = True
    table = measure(labels, np.ma.array(image, mask=mask), properties=ALL).set_index("label")
    monkeypatch.setattr(measuring, "BLOCK", 100)
    again = measure(labels, np.ma.array(image, mask=mask), properties=ALL).set_index("label")
    assert_frame_equal(again, table, rtol=1e-12)
    plain = measure(labels, properties=ALL).set_index("label")
    assert_frame_equal(table[plain.columns], plain, check_exact=True)
    for label in table.index:
        for channel in range(2):
            seen = (labels == label) & ~mask[channel]
            if not seen.any():
                assert (label, channel) == (3, 1)
                assert table.loc[label].filter(regex=f"({IMAGE_COLUMNS}).*-1$").isna().all()
                continue
            values = image[channel][seen].astype(float)
            for name, value in {"mean": values.mean(), "std": values.std(), "max": values.max()}.items():
                assert table.loc[label, f"intensity_{name}-{channel}"] == pytest.approx(value, rel=1e-9)
            centre = (np.argwhere(seen) * values[:, None]).sum(axis=0) / values.sum()
            for axis in range(ndim):
                assert table.loc[label, f"centroid_weighted-{axis}-{channel}"] == pytest.approx(centre[axis])
            zeros = "-".join("0" * ndim)
            assert table.loc[label, f"moments_weighted-{zeros}-{channel}"] == pytest.approx(values.sum())


@pytest.mark.parametrize(("ndim", "bad"), [(2, np.nan), (2, np.inf), (2, -np.inf), (3, np.nan)])
def test_nan_pixels_harm_only_the_objects_that_have_them(nuclei, ndim, bad):
    labels, image = (array[:, :60, :60] if ndim == 3 else array[15] for array in nuclei)
    image = np.stack([image, image[::-1]]).astype(np.float32)
    harmed = np.unique(labels[labels > 0])[3]
    spoilt = image.copy()
    spoilt[1, *np.argwhere(labels == harmed)[2]] = bad
    spoilt[:, *np.argwhere(labels == 0)[0]] = bad
    clean = measure(labels, image, properties=ALL).set_index("label")
    table = measure(labels, spoilt, properties=ALL).set_index("label")
    columns = list(table.filter(regex=f"({IMAGE_COLUMNS}).*-1$"))
    assert len(columns) > 20
    assert table.loc[harmed, columns].isna().all()
    expected = clean.copy()
    expected.loc[harmed, columns] = np.nan
    assert_frame_equal(table, expected, check_exact=True)


def test_input_is_not_changed(nuclei):
    labels, image = nuclei
    before = labels.copy(), image.copy()
    first = measure(labels, image)
    np.testing.assert_array_equal(labels, before[0])
    np.testing.assert_array_equal(image, before[1])
    assert_frame_equal(measure(labels, image), first, check_exact=True)


def test_progress_is_reported(nuclei):
    calls = []
    measure(*nuclei, progress=lambda done, total: calls.append((done, total)))
    assert calls
    assert calls == [(done + 1, len(calls)) for done in range(len(calls))]


MASK = np.ones((4, 5), int)


@pytest.mark.parametrize(
    ("arguments", "options", "error", "message"),
    [
        ((MASK > 0,), {}, TypeError, r"labels: expected an integer array, .* Label the objects of a mask"),
        ((MASK / 2,), {}, TypeError, "labels: expected an integer array"),
        ((-MASK,), {}, ValueError, "labels: expected labels of at least 0"),
        ((np.ones(4, int),), {}, ValueError, r"labels: expected an array of axes \(y, x\) or \(z, y, x\)"),
        ((MASK, np.ones((5, 4))), {}, ValueError, "image: expected the spatial shape of labels"),
        ((np.ma.masked_equal(MASK, 1),), {}, ValueError, "labels: expected an array without masked pixels"),
        (
            (MASK, MASK),
            {"channel_names": ["a", "b"]},
            ValueError,
            "channel_names: expected 1 different name,",
        ),
        ((MASK, MASK), {"channel_names": "a"}, TypeError, "channel_names: expected 1 different name,"),
        ((MASK,), {"channel_names": ["a"]}, ValueError, "image: expected the image to which channel_names"),
        ((MASK,), {"image_names": ["a"]}, ValueError, "image_names: .* got one label image"),
        (([MASK, MASK],), {"image_names": ["a", "a"]}, ValueError, "image_names: expected 2 different names"),
        ((MASK,), {"unit": "µm"}, ValueError, "spacing: expected the voxel size in µm, got none"),
        ((MASK,), {"unit": 1, "spacing": 1}, TypeError, "unit: expected a string"),
        ((MASK,), {"spacing": (1, 1, 1)}, ValueError, r"spacing: expected 2 positive numbers, .* \(y, x\)"),
        ((MASK,), {"spacing": (1, 0)}, ValueError, "spacing: expected 2 positive numbers"),
        (
            (MASK,),
            {"properties": "volume"},
            ValueError,
            "properties: expected one of 'basic', 'size', .* 'volume'",
        ),
        ((MASK,), {"properties": ["area", 3]}, ValueError, "properties: expected one of 'basic', 'size'"),
        (
            (MASK,),
            {"properties": "intensity_max"},
            ValueError,
            "image: expected the image to measure 'intensity_max'",
        ),
        (
            (MASK,),
            {"properties": "axis_intermediate_length"},
            ValueError,
            "properties: .* exist in 2 dimensions",
        ),
        ((MASK[None],), {"properties": "perimeter"}, ValueError, "properties: .* exist in 3 dimensions"),
        (
            (MASK,),
            {"properties": "perimeter", "spacing": (1, 2)},
            ValueError,
            "spacing: expected the same spacing",
        ),
        (([MASK, MASK], MASK), {}, ValueError, "image: expected a list of 2 images, .* got an array"),
        (([MASK, MASK], [MASK]), {}, ValueError, "image: expected a list of 2 images, .* got 1 of them"),
        (
            ([MASK, MASK[None]],),
            {},
            ValueError,
            "labels: expected images with the same dimensions .* image 1",
        ),
    ],
)
def test_bad_input(arguments, options, error, message):
    with pytest.raises(error, match=message):
        measure(*arguments, **options)


def test_mask_of_0_and_255_is_one_object_with_a_warning():
    mask = np.zeros((8, 9), np.uint8)
    mask[1:3], mask[5:7] = 255, 255
    with pytest.warns(
        UserWarning, match=r"labels: a mask of 0 and 255 is one object.*skimage\.measure\.label"
    ):
        table = measure(mask, mask)
    assert len(table) == 1
    mask[7] = 1
    assert len(measure(mask, mask)) == 2


@pytest.mark.parametrize("name", ["intensity", "texture", "intensity_mean", ("size", "intensity_mean")])
def test_what_needs_an_image_is_refused_without_one(name):
    with pytest.raises(ValueError, match=r"image: expected the image to measure .* on, got none"):
        measure(np.eye(4, dtype=int), properties=name)


def test_a_path_is_no_label_image():
    with pytest.raises(TypeError, match=r"Read a file with objclass\.read_labels\(path\)"):
        measure("labels.tif")


def test_an_image_in_the_place_of_labels_is_told():
    image = np.random.default_rng(0).integers(90, 3000, (40, 40))
    labels = np.kron(np.arange(16).reshape(4, 4), np.ones((10, 10), int))
    with pytest.warns(UserWarning, match="these are hardly labels. Were labels and image exchanged"):
        measure(image, labels, properties="area")
    assert len(measure(labels, image, properties="area")) == 15
