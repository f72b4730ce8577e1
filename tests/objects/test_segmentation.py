import numpy as np
import pytest
import tifffile
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from scipy import ndimage as ndi
from skimage.segmentation import clear_border

import objclass
from objclass.objects.segmentation import connected_components

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
                "labels: expected numbers of 0 and above, got a smallest value of -1",
            ),
            (np.zeros(3, int), ValueError, r"labels: expected an array of axes \(y, x\) or \(z, y, x\)"),
            (np.zeros((2, 2, 2, 2), int), ValueError, r"labels: .* shape \(2, 2, 2, 2\)"),
            ([np.zeros((3, 3))], TypeError, "labels: expected an integer array"),
        ],
    )
    def test_refuses_what_are_no_labels(self, kind, labels, error, message):
        with pytest.raises(error, match=message):
            EXCLUSIONS[kind](labels)

    def test_refuses_to_keep_numbers_that_do_not_fit(self, kind):
        labels = np.zeros((5, 9), np.int64)
        labels[2, 3:6] = 2**31
        assert EXCLUSIONS[kind](labels).max() == 1
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
def test_refuses_what_is_no_size(bad):
    labels = np.ones((3, 3), int)
    with pytest.raises(ValueError, match=r"min_size: expected a (number of at least 0|size)"):
        objclass.exclude_small(labels, bad)
    with pytest.raises(ValueError, match=r"max_size: expected a (number of at least 0|size)"):
        objclass.exclude_large(labels, bad)


@given(label_images)
def test_relabel_keeps_objects_and_their_order(labels):
    np.testing.assert_array_equal(objclass.relabel(labels), dense(labels))


@settings(max_examples=60)
@given(arrays(bool, array_shapes(min_dims=2, max_dims=3, min_side=0, max_side=9)), st.booleans())
def test_components_are_those_of_scipy_in_raster_order(mask, transposed):
    mask = mask.T if transposed else mask
    found = connected_components(mask)
    assert found.dtype == np.int32
    np.testing.assert_array_equal(found, ndi.label(mask)[0] if mask.size else found)


def stack_and_strokes():
    image = np.zeros((6, 20, 30), np.uint16)
    image[1:5, 3:8, 3:9] = image[2:5, 10:18, 12:20] = image[0:3, 2:9, 20:28] = 900
    image += np.random.default_rng(0).integers(90, 110, image.shape, np.uint16)
    strokes = np.zeros(image.shape, np.uint8)
    strokes[3] = np.where(image[3] > 500, 2, 1)
    return image, strokes


def test_segment_labels_the_positive_class():
    image, strokes = stack_and_strokes()
    classifier = objclass.train_object_classifier(image, strokes)
    labels = objclass.segment(image, classifier)
    classes = objclass.classify_pixels(image, classifier)
    np.testing.assert_array_equal(labels, ndi.label(classes == 2)[0])
    assert labels.max() == 3
    background = objclass.train_object_classifier(image, strokes, positive_class=1)
    np.testing.assert_array_equal(objclass.segment(image, background) > 0, labels == 0)


def test_segment_takes_lists_and_two_dimensions():
    image, strokes = stack_and_strokes()
    classifier = objclass.train_object_classifier(image[3], strokes[3])
    first, second = objclass.segment([image[3], image[2][:15]], classifier, engine="cpu")
    assert first.shape == (20, 30)
    assert second.shape == (15, 30)
    np.testing.assert_array_equal(first, objclass.segment(image[3], classifier))


def test_segment_tells_of_progress():
    image, strokes = stack_and_strokes()
    calls = []
    objclass.segment(
        image,
        objclass.train_object_classifier(image, strokes),
        engine="cpu",
        progress=lambda *call: calls.append(call),
    )
    assert calls
    assert calls[-1][0] == calls[-1][1]


def test_segment_refuses_an_image_of_other_axes():
    image, strokes = stack_and_strokes()
    classifier = objclass.train_object_classifier(image[3], strokes[3])
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


def test_learns_real_nuclei_from_strokes_at_several_depths(shared_data):
    image = tifffile.imread(shared_data / "nuclei3d.tif")
    faint = []
    for round_ in (1, 2):
        strokes = tifffile.imread(shared_data / f"nuclei3d_annotations_round{round_}.tif")
        reference = tifffile.imread(shared_data / f"nuclei3d_apoc_labels_round{round_}.tif")
        labels = objclass.segment(image, objclass.train_object_classifier(image, strokes), engine="cpu")
        assert ((labels > 0) == (reference > 0)).mean() >= 0.995
        faint.append((labels[9] > 0).mean())
    assert faint[0] == 0
    assert faint[1] > 0.05
