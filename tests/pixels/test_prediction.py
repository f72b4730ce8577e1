import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import objclass
from objclass._common.parallel import single_threaded
from objclass.pixels import tiling
from objclass.pixels.extraction import FeatureCache, features_at
from objclass.pixels.features import parse_features, scale_features
from objclass.pixels.prediction import choose_engine, reach
from objclass.pixels.uncertainty import suggest_slice, uncertainty_plane
from tests import pixel_reference
from tests.forests import count_votes
from tests.random_search import examples

EVERY_FILTER = (
    "original gaussian_blur=1 gaussian_blur=2.5 difference_of_gaussian=1 "
    "laplace_box_of_gaussian_blur=1 sobel_of_gaussian_blur=2 gaussian_blur=0"
)


def random_image(shape, dtype=np.uint16, seed=0):
    return np.random.default_rng(seed).integers(0, 200, shape).astype(dtype)


def train(image, ndim=None, *, n_classes=2, seed=0, **parameters):
    shape = image.shape[-ndim:] if ndim else image.shape
    rng = np.random.default_rng(seed)
    annotations = rng.integers(1, n_classes + 1, shape) * (rng.random(shape) < 0.2)
    return objclass.train_object_classifier(image, annotations.astype(np.uint8), **parameters)


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.float32, np.float64, bool])
@pytest.mark.parametrize("shape", [(1, 7, 9, 70), (2, 5, 6, 7), (1, 20, 130), (3, 1, 1), (1, 1, 4, 4)])
def test_features_equal_the_plain_ones(shape, dtype):
    image, features = random_image(shape, dtype), parse_features(EVERY_FILTER)
    mask = np.ones(shape[1:], bool)
    ours = features_at(image, features, mask).T.reshape(-1, *mask.shape)
    expected = pixel_reference.compute_features(image, features)
    np.testing.assert_allclose(ours, expected, rtol=2e-5, atol=2e-4 * max(1, np.abs(image).max()))


@pytest.mark.parametrize("shape", [(1, 7, 9, 70), (2, 5, 6, 7), (1, 20, 130), (1, 1, 4, 4)])
@pytest.mark.parametrize("spacing", [(4, 0.8, 0.8), (0.5, 3, 1)])
def test_features_of_voxels_of_other_proportions_equal_the_plain_ones(shape, spacing):
    image, features = random_image(shape), parse_features(EVERY_FILTER.removesuffix(" gaussian_blur=0"))
    features = scale_features(features, spacing[-len(shape) + 1 :])
    features += tuple(dataclasses.replace(one, unit=0.5, token="") for one in features[-2:])
    mask = np.ones(shape[1:], bool)
    ours = features_at(image, features, mask).T.reshape(-1, *mask.shape)
    expected = pixel_reference.compute_features(image, features)
    scale = np.abs(expected).max(axis=tuple(range(1, expected.ndim)), keepdims=True)
    np.testing.assert_allclose(ours / scale, expected / scale, atol=1e-5)


def test_blurs_equal_the_plain_ones_bit_for_bit():
    image, features = random_image((1, 9, 33, 70)), parse_features("gaussian_blur=1 gaussian_blur=3.3")
    ours = features_at(image, features, np.ones(image.shape[1:], bool)).T.reshape(-1, *image.shape[1:])
    np.testing.assert_array_equal(ours, pixel_reference.compute_features(image, features))


@pytest.mark.parametrize("spacing", [(1, 2, 8), (1, 8, 2), (8, 2, 1)])
def test_features_of_a_part_are_those_of_the_whole(spacing):
    image = random_image((1, 41, 121, 141))
    features = scale_features(parse_features("gaussian_blur=6 sobel_of_gaussian_blur=6"), spacing)
    part = np.zeros(image.shape[1:], bool)
    part[19:22, 58:63, 70:72] = True
    everything = features_at(image, features, np.ones_like(part)).reshape(*part.shape, -1)
    np.testing.assert_array_equal(features_at(image, features, part), everything[part])


@pytest.mark.parametrize("features", ["gaussian_blur=3 original", "original gaussian_blur=3", "original"])
def test_reach_is_how_far_a_pixel_changes_the_classes_of_others(features):
    image = random_image((81, 81), np.float32)
    classifier = train(image, features=features, preset="apoc", max_depth=None)
    before = objclass.probability_map(image, classifier, positive_class=2)
    image[40, 40] = 1e6
    changed = np.argwhere(objclass.probability_map(image, classifier, positive_class=2) != before)
    margin = reach(classifier) - np.abs(changed - 40).max(axis=0)
    assert (margin >= 0).all()
    assert (margin <= 2).all()


def test_features_are_in_raster_order():
    image, features = random_image((2, 6, 40, 90)), parse_features("original gaussian_blur=1")
    mask = np.random.default_rng(1).random(image.shape[1:]) < 0.01
    everything = features_at(image, features, np.ones_like(mask)).reshape(*mask.shape, -1)
    np.testing.assert_array_equal(features_at(image, features, mask), everything[mask])


@pytest.mark.parametrize(
    ("max_depth", "n_classes", "n_estimators"), [(1, 2, 1), (2, 2, 101), (2, 4, 10), (7, 3, 30), (13, 5, 7)]
)
def test_classes_are_those_with_most_votes(max_depth, n_classes, n_estimators):
    image = random_image((12, 30, 70))
    classifier = train(image, n_classes=n_classes, max_depth=max_depth, n_estimators=n_estimators)
    rows = features_at(image[np.newaxis], classifier.features, np.ones(image.shape, bool))
    votes = count_votes(classifier.forest, rows)
    classes = objclass.classify_pixels(image, classifier, engine="cpu").ravel()
    np.testing.assert_array_equal(classes, votes.argmax(axis=1) + 1)
    for target_class in (1, n_classes):
        found = objclass.probability_map(image, classifier, positive_class=target_class, engine="cpu")
        expected = votes[:, target_class - 1] / votes.sum(axis=1)
        np.testing.assert_allclose(found.ravel(), expected, atol=1e-5)
    both = objclass.probability_map(image, classifier, positive_class=(1, n_classes))
    expected = votes[:, [0, n_classes - 1]].sum(axis=1) / votes.sum(axis=1)
    np.testing.assert_allclose(both.ravel(), expected, atol=1e-5)


def test_probability_is_that_of_the_class_that_the_classifier_is_for():
    image = random_image((5, 6, 7))
    first = dataclasses.replace(CLASSIFIER_3D, positive_class=1)
    np.testing.assert_array_equal(
        objclass.probability_map(image, first),
        objclass.probability_map(image, CLASSIFIER_3D, positive_class=1),
    )
    none = dataclasses.replace(CLASSIFIER_3D, class_name="PixelClassifier", positive_class=None)
    message = "positive_class: expected the class of the objects, 1 to 2, got none, and the file of a Pixel"
    for function in (objclass.probability_map, uncertainty_plane, suggest_slice):
        with pytest.raises(ValueError, match=message):
            function(image, none)
    with pytest.raises(ValueError, match="positive_class: expected classes of 1 to 2, got none of them"):
        objclass.probability_map(image, none, positive_class=())


@examples(10)
@given(
    shape=st.tuples(st.integers(1, 40), st.integers(1, 40), st.integers(1, 150)),
    tasks_per_thread=st.integers(1, 8),
    blur_bytes=st.integers(1, 2**21),
    source_bytes=st.integers(1, 2**21),
    task_voxels=st.integers(1, 2**14),
    most_columns=st.integers(1, 150),
    alone=st.booleans(),
    scaled=st.booleans(),
)
def test_the_cut_and_the_threads_change_no_voxel(
    shape, tasks_per_thread, blur_bytes, source_bytes, task_voxels, most_columns, alone, scaled
):
    image, classifier = random_image(shape), CLASSIFIER_SCALED if scaled else CLASSIFIER_3D
    expected = objclass.classify_pixels(image, classifier, engine="cpu")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tiling, "TASKS_PER_THREAD", tasks_per_thread)
        patch.setattr(tiling, "BLUR_BYTES", blur_bytes)
        patch.setattr(tiling, "SOURCE_BYTES", source_bytes)
        patch.setattr(tiling, "TASK_VOXELS", task_voxels)
        patch.setattr(tiling, "MOST_COLUMNS", most_columns)
        if alone:
            with single_threaded():
                found = objclass.classify_pixels(image, classifier, engine="cpu")
        else:
            found = objclass.classify_pixels(image, classifier, engine="cpu")
    np.testing.assert_array_equal(found, expected)


@examples(10)
@given(
    shape=st.tuples(st.integers(1, 20), st.integers(1, 40), st.integers(1, 150)),
    axis=st.integers(0, 2),
    where=st.floats(0, 1, exclude_max=True),
    scaled=st.booleans(),
)
def test_one_plane_is_that_of_the_whole(shape, axis, where, scaled):
    image, index = random_image(shape), int(where * shape[axis])
    classifier = CLASSIFIER_SCALED if scaled else CLASSIFIER_3D
    expected = objclass.classify_pixels(image, classifier, engine="cpu").take(index, axis)
    cache = FeatureCache()
    for kept in (None, cache, cache):
        found = objclass.predict_plane(image, classifier, axis=axis, index=index, cache=kept)
        np.testing.assert_array_equal(found, expected)


CLASSIFIER_3D = train(random_image((9, 20, 40)), features=EVERY_FILTER, max_depth=3, n_estimators=20)
CLASSIFIER_SCALED = train(random_image((9, 20, 40)), spacing=(3, 1, 0.7), n_estimators=20)


def test_one_plane_of_a_2d_image_is_the_image():
    image = random_image((2, 30, 40))
    classifier = train(image, 2)
    expected = objclass.classify_pixels(image, classifier, engine="cpu")
    np.testing.assert_array_equal(objclass.predict_plane(image, classifier), expected)
    np.testing.assert_array_equal(objclass.predict_plane(image, classifier, cache=FeatureCache()), expected)


def test_a_cache_forgets_the_oldest_planes_and_keeps_the_last():
    image = random_image((9, 20, 40))
    cache = FeatureCache(max_bytes=2 * 7 * 20 * 40 * 4)
    for index in range(4):
        objclass.predict_plane(image, CLASSIFIER_3D, index=index, cache=cache)
    assert len(cache) == 2
    tiny = FeatureCache(max_bytes=1)
    objclass.predict_plane(image, CLASSIFIER_3D, cache=tiny)
    assert len(tiny) == 1


def test_the_order_of_channels_does_not_matter():
    image = random_image((2, 6, 30, 40))
    annotations = (random_image((6, 30, 40), seed=1) % 40 < 3).astype(np.uint8) * 2
    annotations[:, :5] = 1
    classes = [
        objclass.classify_pixels(
            channels, objclass.train_object_classifier(channels, annotations, n_estimators=1), engine="cpu"
        )
        for channels in (image, image[::-1])
    ]
    assert classes[0].shape == (6, 30, 40)
    lists = objclass.classify_pixels([image, image], train(image, 3), engine="cpu")
    np.testing.assert_array_equal(lists[0], lists[1])


def test_progress_is_reported_and_can_stop_the_work():
    image, steps = random_image((9, 20, 40)), []
    objclass.classify_pixels(image, CLASSIFIER_3D, engine="cpu", progress=lambda *step: steps.append(step))
    assert steps[-1][0] == steps[-1][1] > 0

    def stop(done, total):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        objclass.classify_pixels(image, CLASSIFIER_3D, engine="cpu", progress=stop)


@pytest.mark.parametrize(
    ("image", "message"),
    [
        (np.zeros((5, 6)), r"image: expected a non-empty array of axes \(z, y, x\)"),
        (np.zeros((2, 5, 6, 7)), "image: expected 1 channel, as in the training, got 2"),
        (np.full((5, 6, 7), np.nan), "image: expected finite pixels"),
        (np.full((5, 6, 7), np.inf), "image: expected finite pixels"),
        (np.zeros((0, 6, 7)), "image: expected a non-empty array"),
    ],
)
def test_an_image_that_does_not_fit_is_refused(image, message):
    for function in (objclass.classify_pixels, objclass.probability_map, objclass.predict_plane):
        with pytest.raises(ValueError, match=message):
            function(image, CLASSIFIER_3D)


def test_other_bad_arguments_are_refused():
    image = random_image((5, 6, 7))
    with pytest.raises(TypeError, match="image: expected a real-valued array"):
        objclass.classify_pixels(image.astype(complex), CLASSIFIER_3D)
    with pytest.raises(ValueError, match="engine: expected one of 'auto', 'cpu', 'opencl', got str 'gpu'"):
        objclass.classify_pixels(image, CLASSIFIER_3D, engine="gpu")
    with pytest.raises(
        ValueError, match="positive_class: expected an integer of at least 1 and of at most 2"
    ):
        objclass.probability_map(image, CLASSIFIER_3D, positive_class=3)
    with pytest.raises(ValueError, match="index: expected an integer of at least 0 and of at most 4"):
        objclass.predict_plane(image, CLASSIFIER_3D, index=5)
    with pytest.raises(ValueError, match="axis: expected"):
        objclass.predict_plane(image, CLASSIFIER_3D, axis=3)


def test_the_engine_is_named():
    assert choose_engine("cpu") == "cpu"
    assert choose_engine("opencl") == "opencl"
    assert choose_engine("auto") in ("cpu", "opencl")


def test_an_alpha_channel_is_named():
    image = np.kron(np.eye(4, dtype=np.uint8) * 200, np.ones((6, 6), np.uint8))
    colours, scribbles = np.stack([image] * 3), np.where(image > 99, 2, 1)
    classifier = objclass.train_object_classifier(colours, scribbles, n_estimators=3)
    with pytest.raises(ValueError, match=r"got 4\. If the last one is alpha, .*\(--channel 0 1 2\)"):
        objclass.classify_pixels(np.concatenate([colours, image[np.newaxis]]), classifier)
    with pytest.raises(ValueError, match=r"got 1\. Train a classifier"):
        objclass.classify_pixels(image, classifier)
