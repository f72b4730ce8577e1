import numpy as np
import pytest

import objclass
from objclass.io.images import imread
from objclass.pixels.uncertainty import suggest_slice, uncertainty_plane


@pytest.fixture(scope="module")
def trained():
    sample = objclass.samples.embryo((24, 96, 96))
    return sample, objclass.train_object_classifier(sample.image, sample.annotations[0])


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_a_plane_is_that_of_the_whole(trained, axis):
    sample, classifier = trained
    probability = objclass.probability_map(sample.image, classifier, engine="cpu", progress=False)
    expected = 1 - np.abs(2 * probability - 1)
    for index in (0, sample.image.shape[axis] - 1, 7):
        plane = uncertainty_plane(sample.image, classifier, axis, index=index)
        np.testing.assert_array_equal(plane, np.take(expected, index, axis=axis))


def test_a_flat_image():
    image = np.random.default_rng(0).normal(size=(40, 50))
    image[10:20, 10:30] += 3
    annotations = np.zeros(image.shape, np.uint8)
    annotations[2, :20], annotations[12:16, 12:28] = 1, 2
    classifier = objclass.train_object_classifier(image, annotations)
    doubt = uncertainty_plane(image, classifier)
    probability = objclass.probability_map(image, classifier, engine="cpu", progress=False)
    np.testing.assert_array_equal(doubt, 1 - np.abs(2 * probability - 1))
    suggestion = suggest_slice(image, classifier, annotations)
    assert suggestion.index == 0
    row0, col0, row1, col1 = suggestion.region
    assert (row1 - row0, col1 - col0) == (32, 32)
    assert doubt[row0:row1, col0:col1].mean() > doubt.mean()


@pytest.mark.parametrize(
    "options", [{"preset": "apoc"}, {}, {"spacing": (4, 0.83, 0.83)}], ids=["apoc", "default", "spacing"]
)
def test_after_one_plane_it_goes_where_the_signal_fades(shared_data, options):
    """One round of scribbles near the bright side misses the faint planes: there it has to send the user."""
    image = imread(shared_data / "nuclei3d.tif")
    annotations = imread(shared_data / "nuclei3d_annotations_round1.tif")
    classifier = objclass.train_object_classifier(image, annotations, **options)
    suggestion = suggest_slice(image, classifier, annotations)
    assert 8 <= suggestion.index <= 14
    assert suggestion.scores[24] == 0


def test_one_round_on_the_phantom(trained):
    sample, classifier = trained
    annotated = np.flatnonzero(sample.annotations[0].any(axis=(1, 2)))
    suggestion = suggest_slice(sample.image, classifier, sample.annotations[0])
    assert np.abs(suggestion.index - annotated).min() > 1
    assert suggestion.scores.shape == (24,)
    assert (suggestion.scores >= 0).all()


def test_bad_input(trained):
    sample, classifier = trained
    with pytest.raises(ValueError, match="index: expected a plane from 0 to 23 along axis 0"):
        uncertainty_plane(sample.image, classifier, 0, index=24)
    with pytest.raises(ValueError, match="axis: expected an integer"):
        uncertainty_plane(sample.image, classifier, 3)
    with pytest.raises(ValueError, match="annotations: expected axes"):
        suggest_slice(sample.image, classifier, np.zeros((3, 3, 3), int))
