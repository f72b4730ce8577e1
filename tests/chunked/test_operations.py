"""Functions on blocks: exactly those of the whole image, however it is cut."""

import warnings

import dask
import dask.array as da
import hypothesis.strategies as st
import numpy as np
import pandas as pd
import pytest
import zarr
from hypothesis import given
from scipy import ndimage

import objclass
from objclass import chunked
from objclass.chunked.blocks import FAN_IN
from objclass.measurement.properties import PROPERTIES
from objclass.objects.segmentation import PRESETS
from objclass.pixels import sampling
from tests.random_search import examples

ALL = [*dict.fromkeys(e.group for e in PROPERTIES.values() if e.group not in ("perimeter", "neighbors"))]


@pytest.fixture(autouse=True)
def two_threads():
    with dask.config.set(scheduler="threads", num_workers=2):
        yield


def blobs(shape, seed=0):
    rng = np.random.default_rng(seed)
    smooth = ndimage.gaussian_filter(rng.standard_normal(shape), 1.5)
    return (500 + 4000 * smooth + rng.normal(0, 40, shape)).clip(0, 65535).astype(np.uint16)


def train(image, **options):
    annotations = np.where(image > np.percentile(image, 70), 2, 1).astype(np.uint8)
    annotations[..., ::3] = 0
    features = "original gaussian_blur=1 sobel_of_gaussian_blur=2"
    options = {"n_estimators": 10, "preset": "apoc", "features": features} | options
    return objclass.train_object_classifier(image, annotations, **options)


@pytest.fixture(scope="module", params=[(40, 52), (14, 22, 26)], ids=["2D", "3D"])
def case(request):
    image = blobs(request.param)
    classifier = train(image)
    return image, classifier, objclass.segment(image, classifier, engine="cpu")


def assert_same_table(ours, theirs):
    pd.testing.assert_frame_equal(ours, theirs, rtol=1e-9, atol=1e-9)


def cut(draw, n):
    """Lengths of blocks that add up to n: thin, even, uneven, or all in one."""
    kind = draw(st.sampled_from(["thin", "even", "uneven", "one"]))
    if kind == "thin":
        return (1,) * n
    if kind == "one" or n == 1:
        return (n,)
    if kind == "even":
        step = draw(st.integers(2, n))
        return tuple(min(step, n - start) for start in range(0, n, step))
    stops = sorted(draw(st.sets(st.integers(1, n - 1), max_size=4)))
    return tuple(np.diff([0, *stops, n]).tolist())


@st.composite
def cuts(draw, shape):
    lengths = [cut(draw, n) for n in shape]
    while np.prod([len(part) for part in lengths]) > 24:  # tasks take their time
        longest = int(np.argmax([len(part) for part in lengths]))
        n = shape[longest]
        lengths[longest] = (n // 2, n - n // 2) if len(lengths[longest]) > 2 else (n,)
    return tuple(lengths)


@examples(6)
@given(data=st.data())
def test_segment_is_that_of_the_whole_image(case, data):
    image, classifier, expected = case
    chunks = data.draw(cuts(image.shape))
    labels = chunked.segment(da.from_array(image, chunks=chunks), classifier)
    assert labels.chunks == chunks
    assert labels.dtype == np.int32
    np.testing.assert_array_equal(labels.compute(), expected)


POSTPROCESSING = {
    "default": PRESETS["default"],
    "smooth": {"smooth": 0.9, "threshold": 0.4},
    "far": {"smooth": 2.5},
    "share": {"smooth": 0.7, "min_size": "10%"},
    "physical": {"min_size": "30 um2"},
    "holes": {"fill_holes": True},
    "distance": {"split": "distance", "min_size": 5},
    "certain": {"min_certainty": 0.8},
}


@pytest.mark.parametrize("steps", POSTPROCESSING)
@examples(4)
@given(data=st.data())
def test_every_step_of_segment_is_that_of_the_whole_image(case, data, steps):
    image, classifier, _ = case
    options = POSTPROCESSING[steps] | {"spacing": 2.0}
    if steps == "physical" and image.ndim == 3:
        options["min_size"] = "60 um3"
    expected = objclass.segment(image, classifier, engine="cpu", **options)
    assert expected.any()
    chunks = data.draw(cuts(image.shape))
    labels = chunked.segment(da.from_array(image, chunks=chunks), classifier, **options)
    assert labels.chunks == chunks
    np.testing.assert_array_equal(labels.compute(), expected)


def test_several_classes_in_blocks(case):
    image, _, _ = case
    annotations = np.digitize(image, np.percentile(image, [60, 85])) + 1
    classifier = objclass.train_object_classifier(
        image, annotations, n_estimators=9, features="gaussian_blur=1"
    )
    for options in ({"positive_class": 3}, {"positive_class": (2, 3), "smooth": 0.7}):
        labels = chunked.segment(image, classifier, block_shape=(9,) * image.ndim, **options)
        np.testing.assert_array_equal(labels, objclass.segment(image, classifier, engine="cpu", **options))


def test_planes_of_a_stack_and_another_voxel_size_in_blocks():
    image = blobs((9, 30, 34))
    classifier = train(image[4], preset="default", spacing=0.4)
    cut = da.from_array(image, chunks=(4, 13, 34))
    for options in (
        {},
        PRESETS["apoc"],
        {"smooth": 0.8, "split": "none", "fill_holes": False, "min_certainty": 0},
    ):
        options = options | {"planewise": True, "spacing": (1, 0.2, 0.2), "match_spacing": True}
        expected = objclass.segment(image, classifier, **options)
        np.testing.assert_array_equal(chunked.segment(cut, classifier, **options), expected)
    options = {"planewise": True, "spacing": (1, 0.4, 0.4)}
    expected = objclass.classify_pixels(image, classifier, **options)
    np.testing.assert_array_equal(chunked.classify_pixels(cut, classifier, **options), expected)
    for function in (chunked.segment, chunked.classify_pixels):
        with pytest.warns(UserWarning, match="voxel size is 0.2 × 0.2, ") as caught:
            function(cut, classifier, planewise=True, spacing=(1, 0.2, 0.2))
        assert caught[0].filename == __file__
        with pytest.raises(ValueError, match="planewise: expected a classifier of 2D images"):
            function(cut, train(image), planewise=True)


@pytest.mark.filterwarnings("ignore:The 99th percentile")
def test_pixels_that_float32_does_not_tell_apart_are_refused_in_blocks_too(case):
    image, _, _ = case
    classifier, far = train(image), image.astype(np.int64) + 10**9
    for function in (chunked.segment, chunked.classify_pixels):
        with pytest.raises(ValueError, match="image: expected a range of at least 1024 steps of float32"):
            function(da.from_array(far, chunks=9), classifier).compute()
    wide = image.astype(np.float64)
    wide.flat[0] = 1e7
    expected = objclass.classify_pixels(wide, classifier)
    np.testing.assert_array_equal(
        chunked.classify_pixels(da.from_array(wide, chunks=9), classifier), expected
    )
    normalized = train(image, normalize="percentile")
    for one in (classifier, normalized):
        expected = objclass.segment(wide, one)
        np.testing.assert_array_equal(chunked.segment(da.from_array(wide, chunks=9), one), expected)
    with pytest.raises(
        TypeError, match="image: expected a dask, zarr or NumPy array of real numbers, got list"
    ):
        chunked.segment([image], classifier)
    with pytest.raises(ValueError, match="block_shape: expected"):
        chunked.segment(image, classifier, block_shape=(5.5,) * image.ndim)


@pytest.mark.parametrize("dtype", [np.float32, np.uint32])
def test_normalized_pixels_of_32_bits_in_many_blocks(case, dtype, monkeypatch):
    """The range that float32 resolves and the percentiles are gathered from all blocks, in one graph."""
    bright = np.linspace(1, 2, case[0].shape[-1])
    image = (case[0] * bright).astype(dtype)
    monkeypatch.setattr(sampling, "SAMPLE", image.size // 2**image.ndim)
    assert sampling.sample_step(image.shape) == 2
    classifier = train(image, normalize="percentile")
    cut = da.from_array(image, chunks=3 if image.ndim == 2 else 5)
    assert cut.npartitions > FAN_IN
    np.testing.assert_array_equal(
        chunked.classify_pixels(cut, classifier), objclass.classify_pixels(image, classifier)
    )
    for options in ({}, {"split": "distance"}):
        expected = objclass.segment(image, classifier, **options)
        assert expected.max() > 3
        np.testing.assert_array_equal(chunked.segment(cut, classifier, **options), expected)


def test_normalized_planes_of_32_bits_in_many_blocks(monkeypatch):
    image = blobs((9, 30, 34)).astype(np.float32) * np.linspace(1, 2, 9, dtype=np.float32)[:, None, None]
    monkeypatch.setattr(sampling, "SAMPLE", image.size // 8)
    classifier = train(image[4], normalize="percentile")
    cut = da.from_array(image, chunks=(2, 7, 8))
    assert cut.npartitions > FAN_IN
    for ours, whole in (
        (chunked.classify_pixels, objclass.classify_pixels),
        (chunked.segment, objclass.segment),
    ):
        np.testing.assert_array_equal(
            ours(cut, classifier, planewise=True), whole(image, classifier, planewise=True)
        )


@pytest.mark.filterwarnings("ignore:The image is uint8")
def test_images_too_large_for_whole_objects_are_refused(case):
    _, classifier, _ = case
    image = da.zeros((60_000,) * classifier.ndim, chunks=30_000, dtype=np.uint8)
    message = r"split, fill_holes, min_certainty: expected 'none', False and 0 for over 2e\+09 voxels"
    with pytest.raises(ValueError, match=message):
        chunked.segment(image, classifier, split="distance", block_shape=(30_000,) * classifier.ndim)


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_blocks_of_one_voxel_along_an_axis(axis):
    image = blobs((9, 10, 11), seed=1)
    classifier = train(image)
    chunks = tuple(1 if at == axis else -1 for at in range(3))
    labels = chunked.segment(da.from_array(image, chunks=chunks), classifier)
    np.testing.assert_array_equal(labels.compute(), objclass.segment(image, classifier, engine="cpu"))


def test_classes_channels_and_blocks_that_are_asked_for(case):
    image, _, _ = case
    channels = np.stack([image, image[..., ::-1]])
    annotations = np.where(image > np.percentile(image, 70), 2, 1)
    features = "gaussian_blur=1 difference_of_gaussian=2"
    classifier = objclass.train_object_classifier(channels, annotations, n_estimators=5, features=features)
    blocks = (7,) * image.ndim
    classes = chunked.classify_pixels(da.from_array(channels, chunks=5), classifier, block_shape=blocks)
    assert classes.chunksize == blocks
    np.testing.assert_array_equal(classes, objclass.classify_pixels(channels, classifier, engine="cpu"))
    for source in (channels, zarr.array(channels, chunks=(1, *(4,) * image.ndim))):
        labels = chunked.segment(source, classifier, block_shape=blocks)
        np.testing.assert_array_equal(labels, objclass.segment(channels, classifier, engine="cpu"))


def spiral(n):
    """An arm of one pixel that winds inwards, a pixel from itself."""
    mask, place, towards = np.zeros((n, n), bool), [0, 0], [0, 1]
    for turn, length in enumerate([n - 1, *np.repeat(np.arange(n - 1, 1, -2), 2)]):
        for _ in range(length if turn else n - 1):
            mask[tuple(place)] = True
            place = [place[0] + towards[0], place[1] + towards[1]]
        mask[tuple(place)] = True
        towards = [towards[1], -towards[0]]
    return mask


def ring(shape):
    grid = np.indices(shape) - (np.array(shape).reshape(-1, *(1,) * len(shape)) - 1) / 2
    radius = np.sqrt((grid**2).sum(axis=0))
    return np.abs(radius - min(shape) / 2.6) < 1


@pytest.mark.parametrize(
    "mask",
    [
        spiral(25),
        ring((22, 26)),
        ring((12, 13, 14)),
        np.ones((8, 9, 10), bool),
        np.indices((7, 8, 9)).sum(axis=0) % 2 == 0,  # a checkerboard: as many objects as there can be
        np.zeros((5, 6), bool),
    ],
    ids=["spiral", "ring", "shell", "full", "checkerboard", "empty"],
)
@pytest.mark.filterwarnings("ignore:Over half of the image is foreground")
@pytest.mark.parametrize("step", [1, 3, 5, 100])
def test_objects_that_meet_in_other_blocks_are_one(mask, step):
    if step == 1 and mask.ndim == 2:
        mask = mask[-8:, -9:]
    elif step == 1:
        mask = mask[:4, :3, :4]
    image = mask.astype(np.uint8)
    both = np.zeros_like(image)
    both.flat[:2] = 0, 1
    classifier = objclass.train_object_classifier(both, both + 1, features="original", preset="apoc")
    expected = objclass.segment(image, classifier, engine="cpu")
    np.testing.assert_array_equal(expected > 0, mask)
    labels = chunked.segment(da.from_array(image, chunks=step), classifier)
    np.testing.assert_array_equal(labels, expected)
    table = chunked.measure(labels, properties=("size", "shape"))
    assert_same_table(table, objclass.measure(expected, properties=("size", "shape")))


def test_measure_of_nan_and_masked_pixels(case):
    image, _, labels = case
    spoilt = np.stack([image, image]).astype(np.float32)
    spoilt[1, *np.argwhere(labels == 2)[0]] = np.nan
    blocks = da.from_array(labels, chunks=9), da.from_array(spoilt, chunks=(1, *(7,) * image.ndim))
    options = {"properties": ALL, "channel_names": ["a", "b"], "texture_scales": (1, 3)}
    ours = chunked.measure(*blocks, **options)
    assert_same_table(ours, objclass.measure(labels, spoilt, **options))
    assert ours.filter(like="intensity_mean").isna().sum().tolist() == [0, 1]
    with pytest.raises(ValueError, match=r"properties: .* 'neighbors_touching', which needs"):
        chunked.measure(*blocks, properties="neighbors")
    masked = da.ma.masked_greater(da.from_array(image, chunks=9), 1000)
    with pytest.raises(ValueError, match="image: expected an array without masked pixels"):
        chunked.measure(blocks[0], masked)


@examples(6)
@given(data=st.data())
def test_measure_is_that_of_the_whole_image(case, data):
    image, _, labels = case
    chunks, beside = data.draw(cuts(image.shape)), data.draw(cuts(image.shape))
    spacing = data.draw(st.sampled_from([None, (2.0, 0.5, 0.25)[: image.ndim]]))
    groups = data.draw(st.sampled_from([ALL, ["size", "shape"], ["intensity"], ["centroid_weighted"]]))
    dtype = data.draw(st.sampled_from(["uint16", "float32"]))
    numbers = labels * data.draw(st.sampled_from([1, 7]))
    image = image.astype(dtype)
    ours = chunked.measure(
        da.from_array(numbers, chunks=chunks),
        da.from_array(image, chunks=beside),
        spacing=spacing,
        properties=groups,
    )
    theirs = objclass.measure(numbers, image, spacing=spacing, properties=groups)
    assert list(ours.columns) == list(theirs.columns)
    assert len(ours) > 3
    scale = theirs.abs().max().replace(0, 1).replace(np.nan, 1)
    assert_same_table(ours / scale, theirs / scale)
    whole = [c for c in theirs if theirs[c].dtype.kind == "i"]
    pd.testing.assert_frame_equal(ours[whole], theirs[whole])


@examples(6)
@given(data=st.data())
def test_any_labels_are_measured_as_a_whole(data):
    """Numbers at random: objects in pieces, in any number of blocks, whole in some and cut in others."""
    ndim = data.draw(st.sampled_from([2, 3]))
    shape = tuple(data.draw(st.lists(st.integers(1, 9), min_size=ndim, max_size=ndim)))
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32)))
    labels = rng.choice([0, 0, 0, 1, 2, 5, 2**40], shape)
    image = rng.integers(0, 255, (2, *shape), dtype=np.uint16)
    chunks = data.draw(cuts(shape))
    groups = ALL if ndim == 3 else [*ALL, "perimeter"]
    ours = chunked.measure(da.from_array(labels, chunks=chunks), image, properties=groups)
    assert_same_table(ours, objclass.measure(labels, image, properties=groups))


@examples(6)
@given(data=st.data())
def test_objects_are_removed_by_their_size_over_all_blocks(case, data):
    _, _, labels = case
    labels = labels * 3
    source = da.from_array(labels, chunks=data.draw(cuts(labels.shape)))
    dense = data.draw(st.booleans())
    size = data.draw(st.integers(0, 60))
    for name, arguments in (
        ("exclude_small", (size,)),
        ("exclude_large", (size,)),
        ("exclude_border", ()),
    ):
        ours = getattr(chunked, name)(source, *arguments, relabel=dense)
        np.testing.assert_array_equal(ours, getattr(objclass, name)(labels, *arguments, relabel=dense))
        assert ours.dtype == np.int32
    np.testing.assert_array_equal(chunked.relabel(source), objclass.relabel(labels))


def test_no_objects_and_a_stack_of_one_plane():
    labels = da.zeros((4, 4, 4), chunks=2, dtype=np.int32)
    assert_same_table(chunked.measure(labels), objclass.measure(np.zeros((4, 4, 4), np.int32)))
    flat = np.zeros((1, 6, 6), np.int32)
    flat[0, 1:4, 1:4] = 1
    source = da.from_array(flat, chunks=(1, 2, 3))
    np.testing.assert_array_equal(chunked.exclude_border(source), objclass.exclude_border(flat))
    assert_same_table(chunked.measure(source), objclass.measure(flat))


def test_full_pipeline_with_files(tmp_path):
    image = blobs((12, 300, 310), seed=3)
    classifier = train(image, n_estimators=3)
    chunked.imwrite(tmp_path / "image.zarr", image, spacing=(2, 0.5, 0.5))
    stored = chunked.imread(tmp_path / "image.zarr")
    assert stored.shape == image.shape
    labels = chunked.exclude_small(chunked.segment(stored, classifier, block_shape=(12, 128, 192)), 30)
    chunked.imwrite(tmp_path / "labels.zarr", labels, spacing=(2, 0.5, 0.5))
    expected = objclass.exclude_small(objclass.segment(image, classifier, engine="cpu"), 30)
    np.testing.assert_array_equal(objclass.imread(tmp_path / "labels.zarr"), expected)
    assert objclass.read_spacing(tmp_path / "labels.zarr") == (2, 0.5, 0.5)
    table = chunked.measure(chunked.imread(tmp_path / "labels.zarr"), stored, spacing=(2, 0.5, 0.5))
    assert_same_table(table, objclass.measure(expected, image, spacing=(2, 0.5, 0.5)))
    group = zarr.open(tmp_path / "labels.zarr", mode="r")
    np.testing.assert_array_equal(group["1"], expected[:, ::2, ::2])
    coarse = zarr.open(tmp_path / "image.zarr", mode="r")["1"]
    assert coarse.shape == (12, 150, 155)
    assert abs(float(coarse[3, 4, 5]) - image[3, 8:10, 10:12].mean()) <= 0.5


@pytest.mark.parametrize("zarr_format", [2, 3])
def test_a_time_series_of_either_ngff_is_read(tmp_path, zarr_format):
    pixels = np.arange(3 * 2 * 4 * 5 * 6, dtype=np.uint16).reshape(3, 2, 4, 5, 6)
    axes = [{"name": name, "type": "space"} for name in "tczyx"]
    image = {"axes": axes, "datasets": [{"path": "0", "coordinateTransformations": []}]}
    attributes = {"multiscales": [{"version": "0.4", **image}]}
    if zarr_format == 3:
        attributes = {"ome": {"version": "0.5", "multiscales": [image]}}
    group = zarr.open_group(tmp_path / "a.zarr", mode="w", zarr_format=zarr_format, attributes=attributes)
    group.create_array("0", data=pixels, chunks=(1, 1, 2, 3, 4))
    stored = chunked.imread(tmp_path / "a.zarr", frame=1)
    assert (stored.shape, stored.chunks, stored.ndim) == ((2, 4, 5, 6), (1, 2, 3, 4), 4)
    np.testing.assert_array_equal(stored[1, :, 2:4], pixels[1, 1, :, 2:4])
    with pytest.raises(ValueError, match="frame: expected an integer"):
        chunked.imread(tmp_path / "a.zarr", frame=3)


@pytest.mark.parametrize("preset", ["apoc", "default"])
@pytest.mark.parametrize("planewise", [False, True])
def test_segment_compares_the_image_with_those_of_the_training(preset, planewise):
    image = blobs((40, 52))
    classifier = train(image, preset=preset)

    def messages(image, function=chunked.segment):
        image = np.stack([image] * 3) if planewise else image
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            function(
                da.from_array(image, chunks=(1, 20, 20)[-image.ndim :]), classifier, planewise=planewise
            ).compute()
        return [str(one.message) for one in caught]

    assert messages(image) == messages(image, chunked.classify_pixels) == []
    byte = "The image is uint8, the classifier was trained on uint16."
    said = messages((image >> 8).astype(np.uint8), chunked.classify_pixels)
    assert said[0] == byte
    assert [text[:19] for text in said[1:]] == ["The 99th percentile"]
    dark = image // 5
    with pytest.warns(UserWarning, match="99th percentile") as caught:
        objclass.segment(np.stack([dark] * 3) if planewise else dark, classifier, planewise=planewise)
    assert messages(dark) == messages(dark, chunked.classify_pixels) == [str(one.message) for one in caught]


def test_steps_have_names():
    image = blobs((8, 8))
    labels = chunked.segment(da.from_array(image, chunks=4), train(image))
    names = {dask.utils.key_split(key) for key in labels.__dask_graph__()}
    assert {"segment_block", "link_boundaries", "join_links", "number_part"} <= names


@pytest.mark.parametrize(
    "bad", [[[1, 2]], np.ones((4, 4), object), pd.DataFrame([[1.0]]), np.ones((4, 4), "U1")]
)
def test_what_is_no_array_of_numbers_is_refused(case, bad):
    labels, classifier = np.ones((4, 4), int), case[1]
    for call in (
        lambda: chunked.segment(bad, classifier),
        lambda: chunked.classify_pixels(bad, classifier),
        lambda: chunked.measure(labels, bad),
    ):
        with pytest.raises(
            TypeError, match="image: expected a dask, zarr or NumPy array of real numbers, got"
        ):
            call()


def test_wrong_arguments(case):
    image, classifier, labels = case
    with pytest.raises(ValueError, match=r"image: expected . spatial axes and 1 channels"):
        chunked.segment(np.stack([image, image]), classifier)
    with pytest.raises(ValueError, match=r"block_shape: expected . positive integers"):
        chunked.segment(image, classifier, block_shape=(0,) * image.ndim)
    with pytest.raises(TypeError, match="labels: expected an integer array"):
        chunked.measure(image / 2)
    with pytest.raises(ValueError, match="image: expected the spatial shape of labels"):
        chunked.measure(labels, image[1:])
    with pytest.raises(ValueError, match="labels: expected labels of at least 0"):
        chunked.exclude_small(labels - 1).compute()
    with pytest.raises(ValueError, match="image: expected finite pixels"):
        chunked.segment(np.where(image > 0, np.nan, image), classifier).compute()
    with pytest.raises(ValueError, match="min_size: expected a number"):
        chunked.exclude_small(labels, -1)
    with pytest.raises(ValueError, match=r"path: expected an OME-Zarr image, got image\.tif"):
        chunked.imread("image.tif")
