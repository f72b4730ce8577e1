import tracemalloc
from dataclasses import replace

import numpy as np
import pytest
import tifffile
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from scipy import ndimage as ndi
from skimage.segmentation import clear_border

import objclass
from objclass.objects.segmentation import (
    PRESETS,
    SegmentationOptions,
    connected_components,
    fill_objects,
    label_objects,
)
from tests.random_search import examples

INTEGERS = [np.uint8, np.int8, np.uint16, np.int16, np.uint32, np.int32, np.uint64, np.int64]
shapes = array_shapes(min_dims=2, max_dims=3, min_side=1, max_side=7)
label_images = arrays(np.int32, shapes, elements=st.sampled_from([0, 0, 0, 1, 2, 5, 9, 2_000_000_000]))
EXCLUSIONS = {
    "small": lambda labels, **options: objclass.exclude_small(labels, 3, **options),
    "large": lambda labels, **options: objclass.exclude_large(labels, 3, **options),
    "border": objclass.exclude_border,
}


def dense(labels):
    """Numbers 1…n in the order of the old ones, by plain NumPy."""
    numbers = np.unique(labels[labels > 0])
    return np.where(labels > 0, np.searchsorted(numbers, labels) + 1, 0)


def without(labels, leave_out):
    result = labels.copy()
    for number in np.unique(labels[labels > 0]):
        if leave_out(labels == number):
            result[labels == number] = 0
    return result


def touches_border(mask):
    axes = [axis for axis, length in enumerate(mask.shape) if length > 1]
    return any(np.take(mask, side, axis).any() for axis in axes for side in (0, -1))


LEAVE_OUT = {
    "small": lambda mask: mask.sum() < 3,
    "large": lambda mask: mask.sum() > 3,
    "border": touches_border,
}


@pytest.mark.parametrize("kind", EXCLUSIONS)
class TestExclusions:
    @given(labels=label_images)
    def test_equals_a_loop_over_objects(self, kind, labels):
        before = labels.copy()
        expected = without(labels, LEAVE_OUT[kind])
        kept = EXCLUSIONS[kind](labels, relabel=False)
        np.testing.assert_array_equal(kept, expected)
        np.testing.assert_array_equal(EXCLUSIONS[kind](labels), dense(expected))
        np.testing.assert_array_equal(labels, before)

    @given(labels=label_images)
    def test_twice_is_once(self, kind, labels):
        once = EXCLUSIONS[kind](labels)
        np.testing.assert_array_equal(EXCLUSIONS[kind](once), once)

    @given(labels=label_images, seed=st.integers(0, 99))
    def test_depends_on_no_numbers(self, kind, labels, seed):
        numbers = np.unique(labels[labels > 0])
        others = np.random.default_rng(seed).permutation(1000)[: len(numbers)] + 1
        table = dict(zip([0, *numbers.tolist()], [0, *others.tolist()], strict=True))
        renamed = np.vectorize(table.get, otypes=[np.int64])(labels)
        same = EXCLUSIONS[kind](labels, relabel=False) > 0
        np.testing.assert_array_equal(EXCLUSIONS[kind](renamed, relabel=False), np.where(same, renamed, 0))

    @given(labels=label_images, shift=st.integers(1, 5))
    def test_size_depends_on_no_place(self, kind, labels, shift):
        if kind == "border":
            padded = np.pad(labels, shift)
            np.testing.assert_array_equal(objclass.exclude_border(padded), objclass.relabel(padded))
        else:
            moved = np.pad(labels, ((shift, 0),) * labels.ndim)
            inner = (slice(shift, None),) * labels.ndim
            np.testing.assert_array_equal(EXCLUSIONS[kind](moved)[inner], EXCLUSIONS[kind](labels))

    @pytest.mark.parametrize("dtype", INTEGERS)
    def test_takes_all_integers_and_gives_int32(self, kind, dtype):
        labels = np.zeros((5, 9), dtype)
        labels[2, 1:3], labels[1:4, 4:6], labels[0, 8] = 100, 7, 3
        result = EXCLUSIONS[kind](labels)
        assert result.dtype == np.int32
        assert np.unique(result).tolist() == list(range(len(np.unique(result))))

    def test_keeps_an_image_without_objects(self, kind):
        result = EXCLUSIONS[kind](np.zeros((3, 4, 5), np.uint8))
        assert result.shape == (3, 4, 5)
        assert not result.any()

    def test_takes_lists(self, kind):
        images = [np.array([[0, 4, 4, 4]] * 3), np.zeros((2, 2), int)]
        for found, image in zip(EXCLUSIONS[kind](images), images, strict=True):
            np.testing.assert_array_equal(found, EXCLUSIONS[kind](image))

    @pytest.mark.parametrize(
        ("labels", "error", "message"),
        [
            (
                np.zeros((3, 3)),
                TypeError,
                "labels: expected an integer array, .* dtype float64",
            ),
            (
                np.full((3, 3), -1),
                ValueError,
                "labels: expected labels of at least 0, got a minimum of -1",
            ),
            (np.zeros(3, int), ValueError, r"labels: expected an array of axes \(y, x\) or \(z, y, x\)"),
            (np.zeros((2, 2, 2, 2), int), ValueError, r"labels: .* shape \(2, 2, 2, 2\)"),
            ([np.zeros((3, 3))], TypeError, "labels: expected an integer array"),
        ],
    )
    def test_refuses_arrays_other_than_labels(self, kind, labels, error, message):
        with pytest.raises(error, match=message):
            EXCLUSIONS[kind](labels)

    def test_refuses_to_keep_numbers_that_do_not_fit(self, kind):
        labels = np.zeros((5, 9), np.int64)
        labels[2, 3:6] = 2**31
        assert EXCLUSIONS[kind](labels).max() == 1
        assert EXCLUSIONS[kind](labels - (labels > 0), relabel=False).max() == 2**31 - 1
        with pytest.raises(ValueError, match=r"labels: .* largest of 2147483648\. Pass relabel=True"):
            EXCLUSIONS[kind](labels, relabel=False)


def test_border_is_that_of_scikit_image():
    labels = ndi.label(np.random.default_rng(0).random((9, 20, 30)) < 0.2)[0]
    np.testing.assert_array_equal(objclass.exclude_border(labels, relabel=False), clear_border(labels))


def test_sizes_count_up_to_and_with_the_limit():
    labels = np.array([[1, 0, 2, 2, 0, 3, 3, 3]])
    assert objclass.exclude_small(labels, 2, relabel=False).tolist() == [[0, 0, 2, 2, 0, 3, 3, 3]]
    assert objclass.exclude_large(labels, 2, relabel=False).tolist() == [[1, 0, 2, 2, 0, 0, 0, 0]]
    assert not objclass.exclude_small(labels).any()


@pytest.mark.parametrize("bad", [-1, np.nan, "many", None, True])
def test_refuses_invalid_sizes(bad):
    labels = np.ones((3, 3), int)
    with pytest.raises(ValueError, match=r"min_size: expected a (number of at least 0|size)"):
        objclass.exclude_small(labels, bad)
    with pytest.raises(ValueError, match=r"max_size: expected a (number of at least 0|size)"):
        objclass.exclude_large(labels, bad)


@given(label_images)
def test_relabel_keeps_objects_and_their_order(labels):
    np.testing.assert_array_equal(objclass.relabel(labels), dense(labels))


@examples(60)
@given(arrays(bool, array_shapes(min_dims=2, max_dims=3, min_side=0, max_side=9)), st.booleans())
def test_components_are_those_of_scipy_in_raster_order(mask, transposed):
    mask = mask.T if transposed else mask
    found = connected_components(mask)
    assert found.dtype == np.int32
    np.testing.assert_array_equal(found, ndi.label(mask)[0] if mask.size else found)


def stack_and_scribbles():
    image = np.zeros((6, 20, 30), np.uint16)
    image[1:5, 3:8, 3:9] = image[2:5, 10:18, 12:20] = image[0:3, 2:9, 20:28] = 900
    image += np.random.default_rng(0).integers(90, 110, image.shape, np.uint16)
    scribbles = np.zeros(image.shape, np.uint8)
    scribbles[3] = np.where(image[3] > 500, 2, 1)
    return image, scribbles


def test_segment_labels_the_positive_class():
    image, scribbles = stack_and_scribbles()
    classifier = objclass.train_object_classifier(image, scribbles, preset="apoc")
    labels = objclass.segment(image, classifier)
    classes = objclass.classify_pixels(image, classifier)
    np.testing.assert_array_equal(labels, ndi.label(classes == 2)[0])
    assert labels.max() == 3
    background = objclass.train_object_classifier(image, scribbles, preset="apoc", positive_class=1)
    with pytest.warns(UserWarning, match="Over half of the image is foreground"):
        np.testing.assert_array_equal(objclass.segment(image, background) > 0, labels == 0)


def test_segment_takes_lists_and_two_dimensions():
    image, scribbles = stack_and_scribbles()
    classifier = objclass.train_object_classifier(image[3], scribbles[3])
    first, second = objclass.segment([image[3], image[2][:15]], classifier, engine="cpu")
    assert first.shape == (20, 30)
    assert second.shape == (15, 30)
    np.testing.assert_array_equal(first, objclass.segment(image[3], classifier))


def test_segment_tells_of_progress():
    image, scribbles = stack_and_scribbles()
    calls = []
    objclass.segment(
        image,
        objclass.train_object_classifier(image, scribbles),
        engine="cpu",
        progress=lambda *call: calls.append(call),
    )
    assert calls
    assert calls[-1][0] == calls[-1][1]


def test_segment_refuses_an_image_of_other_axes():
    image, scribbles = stack_and_scribbles()
    classifier = objclass.train_object_classifier(image[3], scribbles[3])
    with pytest.raises(ValueError, match="image: expected"):
        objclass.segment(image[None], classifier)


@pytest.mark.parametrize(("round_", "n_objects", "n_large"), [(1, 65, 65), (2, 103, 77)])
def test_segments_real_nuclei_as_apoc_does(shared_data, round_, n_objects, n_large):
    image = tifffile.imread(shared_data / "nuclei3d.tif")
    reference = tifffile.imread(shared_data / f"nuclei3d_apoc_labels_round{round_}.tif")
    classifier = objclass.load_classifier(shared_data / f"nuclei3d_apoc_round{round_}.cl")
    labels = objclass.segment(image, classifier, engine="cpu")
    assert ((labels > 0) == (reference > 0)).mean() >= 0.9999
    assert labels.max() == n_objects
    pairs = np.unique(np.stack([labels.ravel(), reference.ravel()]), axis=1)
    assert pairs.shape[1] == n_objects + 1  # each object of one is one of the other
    large = objclass.exclude_small(labels, 20)
    assert large.max() == n_large


def test_learns_real_nuclei_from_scribbles_at_several_depths(shared_data):
    image = tifffile.imread(shared_data / "nuclei3d.tif")
    faint = []
    for round_ in (1, 2):
        scribbles = tifffile.imread(shared_data / f"nuclei3d_annotations_round{round_}.tif")
        reference = tifffile.imread(shared_data / f"nuclei3d_apoc_labels_round{round_}.tif")
        classifier = objclass.train_object_classifier(image, scribbles, preset="apoc")
        labels = objclass.segment(image, classifier, engine="cpu")
        assert ((labels > 0) == (reference > 0)).mean() >= 0.995
        faint.append((labels[9] > 0).mean())
    assert faint[0] == 0
    assert faint[1] > 0.05


DEFAULT = PRESETS["default"]


def trained(image, annotations, **options):
    options = {"features": "object_size_1_to_2_px", "max_depth": 3, "n_estimators": 20} | options
    return objclass.train_object_classifier(image, annotations, **options)


def blocks():
    """Three bright blocks, one of them hollow, on a noisy background: image, annotations."""
    image = np.random.default_rng(0).normal(100, 5, (48, 64))
    image[4:20, 4:20] += 100
    image[10:14, 10:14] -= 100
    image[4:16, 30:44] += 100
    image[28:44, 20:40] += 100
    annotations = np.zeros(image.shape, np.uint8)
    annotations[24], annotations[6, 5:19], annotations[36, 22:38] = 1, 2, 2
    return image, annotations


def test_every_step_is_the_one_named():
    image, annotations = blocks()
    classifier = trained(image, annotations)
    probability = objclass.probability_map(image, classifier)
    mask = ndi.gaussian_filter(probability, 0.7, mode="nearest") > 0.6
    plain = objclass.segment(image, classifier, smooth=0.7, threshold=0.6)
    np.testing.assert_array_equal(plain, ndi.label(mask)[0])
    assert plain[12, 12] == 0
    filled = objclass.segment(image, classifier, smooth=0.7, threshold=0.6, fill_holes=True)
    np.testing.assert_array_equal(filled, ndi.label(ndi.binary_fill_holes(mask))[0])
    whole = objclass.segment(image, classifier, **DEFAULT)
    assert whole.max() == 3
    sizes = np.bincount(whole.ravel())[1:]
    np.testing.assert_allclose(sizes, [256, 168, 320], rtol=0.15)
    largest = objclass.segment(image, classifier, **DEFAULT | {"min_size": "70 um2"}, spacing=0.5)
    assert largest.max() == 1
    with pytest.raises(ValueError, match=r"min_size: .*no voxel size\. Pass spacing="):
        objclass.segment(image, classifier, min_size="80 um2")


def test_holes_are_filled_unless_the_preset_is_that_of_apoc():
    ring = np.zeros((20, 20), np.float32)
    ring[3:17, 3:17] = 1
    ring[7:13, 7:13] = 0
    for preset, is_filled in (("default", True), ("apoc", False)):
        labels = label_objects(ring, SegmentationOptions().of_preset(preset))
        assert (labels.max(), labels[10, 10]) == (1, int(is_filled))


def test_min_distance_is_that_of_the_splitting():
    mask = np.zeros((20, 60), bool)
    for column in (10, 20, 30, 40):
        mask |= np.hypot(*np.ogrid[-10:10, -column : 60 - column]) < 6
    options = SegmentationOptions(split="distance", smooth=0).of_preset("default")
    found = mask.astype(np.float32)
    assert label_objects(found, options).max() == 4
    for spacing, distance in ((None, 25), ((0.5, 0.5), 12.5)):
        coarse = label_objects(found, replace(options, min_distance=distance), spacing=spacing)
        expected = objclass.split_touching(
            mask.astype(int), min_distance=distance, spacing=spacing, progress=False
        )
        np.testing.assert_array_equal(coarse, expected)
        assert coarse.max() < 4


def test_uncertain_objects_are_removed():
    options = SegmentationOptions(min_certainty=0.5).of_preset("default")
    probability = np.full((20, 60), 0.1, np.float32)
    probability[4:16, 4:16] = probability[4:16, 22:34] = 0.9
    probability[4:16, 44:56] = 0.6
    assert label_objects(probability, options).max() == 2
    assert label_objects(probability, replace(options, min_certainty=0.0)).max() == 3


def test_small_objects_are_those_below_a_tenth_of_the_usual_however_small_that_is():
    probability = np.full((30, 90), 0.1, np.float32)
    for row in range(3, 28, 8):
        for column in range(3, 80, 8):
            probability[row : row + 4, column : column + 4] = 0.9
    probability[1, 1] = 0.9
    options = SegmentationOptions(smooth=0.0).of_preset("default")
    assert label_objects(probability, options).max() == 4 * 10
    assert label_objects(probability, replace(options, min_size=0)).max() == 4 * 10 + 1


def test_gaps_between_objects_stay_and_objects_in_holes_too():
    image = np.zeros((30, 30), np.int32)
    image[2:28, 2:28] = 1
    image[6:24, 6:24] = 0
    image[10:20, 10:20] = 2
    image[14:16, 14:16] = 0
    filled = fill_objects(image)
    assert filled[7, 7] == 1
    assert filled[12, 12] == filled[15, 15] == 2
    assert not (fill_objects(np.pad(image[:15], 1)) != np.pad(image[:15], 1)).any()


def test_apoc_preset_is_the_majority_vote_and_nothing_else():
    image, annotations = blocks()
    classifier = trained(image, annotations)
    classes = objclass.classify_pixels(image, classifier)
    expected = ndi.label(classes == 2)[0]
    np.testing.assert_array_equal(objclass.segment(image, classifier, **PRESETS["apoc"]), expected)


def test_several_classes_make_objects_together_and_apart():
    image, annotations = blocks()
    image[28:44, 20:40] += 100
    annotations[36, 22:38] = 3
    classifier = trained(image, annotations)
    classes = objclass.classify_pixels(image, classifier)
    for positive in (2, 3, (2, 3), [2, 3]):
        labels = objclass.segment(image, classifier, positive_class=positive)
        np.testing.assert_array_equal(labels, ndi.label(np.isin(classes, positive))[0])
        against_others = objclass.segment(image, classifier, positive_class=positive, smooth=0.1)
        assert ((against_others > 0) == (labels > 0)).mean() > (0.999 if positive in (2, 3) else 0.95)
    for bad in (4, 0, (1, 2, 3), ()):
        with pytest.raises(ValueError, match="positive_class: expected"):
            objclass.segment(image, classifier, positive_class=bad)


def test_a_classifier_that_names_no_class_of_objects_asks_for_it():
    image, annotations = blocks()
    classifier = replace(trained(image, annotations), class_name="PixelClassifier", positive_class=None)
    message = (
        r"positive_class: expected .* PixelClassifier does not store, .* Pass positive_class=, from 1 to 2"
    )
    with pytest.raises(ValueError, match=message):
        objclass.segment(image, classifier)
    assert objclass.segment(image, classifier, positive_class=2).max() >= 3


def test_a_class_that_is_named_twice_counts_once():
    image, annotations = blocks()
    classifier = trained(image, annotations, preset="default")
    once = objclass.segment(image, classifier, positive_class=2)
    np.testing.assert_array_equal(objclass.segment(image, classifier, positive_class=(2, 2)), once)


@pytest.mark.parametrize("function", ["segment", "classify_pixels", "probability_map", "predict_plane"])
@pytest.mark.parametrize("bad", [None, "a.cl", np.zeros((4, 4))])
def test_what_is_no_classifier_is_refused(function, bad):
    with pytest.raises(TypeError, match="classifier: expected a classifier from train_object_classifier"):
        getattr(objclass, function)(blocks()[0], bad)


def test_an_image_that_is_mostly_object_asks_whether_classes_are_exchanged():
    image, annotations = blocks()
    exchanged = np.array([0, 2, 1], np.uint8)[annotations]
    with pytest.warns(
        UserWarning, match=r"Over half of the image is foreground \(\d\d%\). Check the scribbles"
    ):
        objclass.segment(image, trained(image, exchanged))


def test_other_voxel_size_warns_or_is_matched():
    image, annotations = blocks()
    features = "gaussian_blur=2 sobel_of_gaussian_blur=2"
    classifier = trained(image, annotations, features=features, spacing=0.4)
    fine = np.kron(image, np.ones((2, 2)))
    for options in ({}, {"preset": "default"}):
        one = trained(image, annotations, features=features, spacing=0.4, **options)
        with pytest.warns(UserWarning, match=r"0\.2 × 0\.2, .* at 0\.4 × 0\.4\. Pass match_sp") as caught:
            objclass.segment([fine, fine], one, spacing=0.2)
        assert [warning.filename for warning in caught] == [__file__]
    matched = objclass.segment(fine, classifier, spacing=0.2, match_spacing=True)
    np.testing.assert_array_equal(matched, objclass.segment(fine, classifier.match_spacing(0.2)))
    assert classifier.match_spacing(0.2).features[0].value == 4
    with pytest.raises(ValueError, match="spacing: expected the voxel size of the image, for match_spacing"):
        objclass.segment(fine, classifier, match_spacing=True)


@pytest.mark.filterwarnings("ignore:The 99th percentile")  # of single planes
@pytest.mark.parametrize("n_channels", [1, 2])
def test_a_classifier_of_planes_finds_objects_of_stacks(n_channels):
    image, annotations = stack_and_scribbles()
    channels = np.stack([image, 1000 - image])[:n_channels]
    plane = channels[:, 3] if n_channels > 1 else image[3]
    stack = channels if n_channels > 1 else image
    classifier = objclass.train_object_classifier(plane, annotations[3], n_estimators=20, spacing=0.5)
    one_by_one = [objclass.classify_pixels(stack[..., z, :, :], classifier) for z in range(len(image))]
    classes = objclass.classify_pixels(stack, classifier, planewise=True)
    np.testing.assert_array_equal(classes, one_by_one)
    calls = []
    maps = objclass.probability_map(
        stack, classifier, planewise=True, progress=lambda *call: calls.append(call)
    )
    np.testing.assert_array_equal(maps[2], objclass.probability_map(stack[..., 2, :, :], classifier))
    assert calls[-1] == (6, 6)
    plain = objclass.segment(stack, classifier, planewise=True, **PRESETS["apoc"])
    np.testing.assert_array_equal(plain, ndi.label(classes == 2)[0])
    for steps in ({}, {"min_size": "10 um3", "split": "distance"}):
        options = steps | {"spacing": (2, 0.5, 0.5)}
        labels = objclass.segment([stack, stack[..., :4, :, :]], classifier, planewise=True, **options)
        assert [one.max() for one in labels] == [3, 3]
    with pytest.warns(UserWarning, match=r"voxel size is 1 × 1, "):
        objclass.segment(stack, classifier, planewise=True, spacing=(2, 1, 1))


def test_a_classifier_of_stacks_takes_no_planes():
    image, annotations = stack_and_scribbles()
    of_stacks = objclass.train_object_classifier(image, annotations, n_estimators=5)
    for function in (objclass.segment, objclass.classify_pixels, objclass.probability_map):
        with pytest.raises(ValueError, match="planewise: expected a classifier of 2D images, got one of 3D"):
            function(image, of_stacks, planewise=True)
    of_planes = objclass.train_object_classifier(image[3], annotations[3], n_estimators=5)
    with pytest.raises(ValueError, match=r"image: expected a non-empty array of axes \(z, y, x\)"):
        objclass.segment(image[3], of_planes, planewise=True)
    with pytest.raises(
        ValueError, match=r"expected 1 channel, .* Are these planes along z\? Pass planewise=T"
    ):
        objclass.segment(image, of_planes)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"planewise": 2}, "planewise: expected True or False"),
        ({"spacing": "1 um"}, "spacing: expected 2 positive numbers"),
        ({"spacing": True}, "spacing: expected 2 positive numbers"),
        ({"match_spacing": "yes"}, "match_spacing: expected True or False"),
        ({"smooth": -1}, "smooth: expected a number of at least 0"),
        ({"threshold": 2}, "threshold: expected a number of at least 0 and of at most 1"),
        ({"split": "magic"}, "split: expected one of 'none', 'distance', 'tree', 'auto'"),
        ({"min_distance": 0}, "min_distance: expected a distance above 0"),
        (
            {"min_distance": 3, "split": "tree"},
            "min_distance: expected None where objects are not split by distance",
        ),
        ({"min_distance": 3, "split": "none"}, "min_distance: .*together with split='none'"),
        ({"fill_holes": "yes"}, "fill_holes: expected True or False"),
        ({"min_certainty": 50}, "min_certainty: expected a number of at least 0 and of at most 1"),
        ({"min_size": "big"}, "min_size: expected a size"),
        ({"spacing": (1, 2, 3)}, "spacing: expected 2 positive numbers"),
    ],
)
def test_segment_refuses_bad_options(options, message):
    image, annotations = blocks()
    with pytest.raises(ValueError, match=message):
        objclass.segment(image, trained(image, annotations), **options)


def test_memory_of_postprocessing():
    """The probability of objects is summed up without copies of 64 bits."""
    rng = np.random.default_rng(0)
    smooth = ndi.gaussian_filter(rng.random((64, 96, 96), np.float32), 2)
    probability = ((smooth - smooth.min()) / np.ptp(smooth)).astype(np.float32)
    options = SegmentationOptions(**{**PRESETS["default"], "split": "none", "fill_holes": False})
    label_objects(probability, options, progress=False)
    tracemalloc.start()
    try:
        label_objects(probability, options, progress=False)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 23 * probability.size


def test_an_image_unlike_the_training_is_told():
    image = np.kron(np.eye(4, dtype=np.uint8) * 200 + 20, np.ones((6, 6), np.uint8))
    classifier = objclass.train_object_classifier(image, np.where(image > 99, 2, 1), n_estimators=3)
    with pytest.warns(UserWarning, match="The 99th percentile is 0.8.*, in the training it was 220"):
        objclass.segment(image / 255, classifier)
    with pytest.warns(UserWarning, match="The image is uint16, the classifier was trained on uint8"):
        objclass.segment([image.astype(np.uint16)], classifier)
    with pytest.warns(UserWarning, match="The 99th percentile is"):
        objclass.segment(np.stack([image // 9] * 3), classifier, planewise=True)
