import numpy as np
import pytest

import objclass
from objclass.pixels.training import TrainingParameters
from objclass.widgets.annotator.learning import AnnotatedPixels, train_live
from objclass.widgets.annotator.scribbles import Patch, Scribbles

FOREST = ("feature", "threshold", "left", "right", "leaf", "roots")


@pytest.fixture(scope="module")
def sample():
    return objclass.samples.embryo((24, 96, 96))


def same_forest(one, other):
    return all(np.array_equal(getattr(one.forest, name), getattr(other.forest, name)) for name in FOREST)


@pytest.mark.parametrize("known", [False, True])
def test_stroke_after_stroke_gives_the_forest_of_the_function(sample, known):
    scribbles = Scribbles(sample.annotations[0].copy())
    pixels = AnnotatedPixels(sample.image[None], 3, scribbles)
    parameters = TrainingParameters(n_estimators=20)
    rng = np.random.default_rng(0)
    for step in range(4):
        classifier, exact = train_live([pixels], parameters, most_rows=None)
        by_hand = objclass.train_object_classifier(sample.image, scribbles.volume, **parameters.keywords())
        assert exact
        assert same_forest(classifier, by_hand)
        if known:
            pixels.predict(classifier, 0, 3 * step)
        corner = rng.integers(0, 80, 2)
        values = rng.integers(0, 4, (9, 11)).astype(np.uint16)
        scribbles.paint([Patch(0, 3 * step, *corner.tolist(), values)])
        scribbles.paint([Patch(2, 90, 2, 5, values.T)])


def test_a_flat_image_with_channels():
    rng = np.random.default_rng(1)
    image = rng.normal(size=(2, 50, 60))
    annotations = np.zeros((50, 60), np.uint8)
    annotations[3, 5:50], annotations[44, 9:30] = 1, 2
    parameters = TrainingParameters(features="original gaussian_blur=2", n_estimators=10)
    pixels = AnnotatedPixels(image[:, None], 2, Scribbles(annotations[None].copy()))
    classifier, _ = train_live([pixels], parameters)
    by_hand = objclass.train_object_classifier(image, annotations, **parameters.keywords())
    assert same_forest(classifier, by_hand)
    np.testing.assert_array_equal(
        pixels.predict(classifier, 0, 0), objclass.classify_pixels(image, by_hand, progress=False)
    )


def test_other_features_are_computed_anew(sample):
    pixels = AnnotatedPixels(sample.image[None], 3, Scribbles(sample.annotations[1].copy()))
    for features in ("original", "gaussian_blur=1 sobel_of_gaussian_blur=1", "original"):
        parameters = TrainingParameters(features=features, n_estimators=5)
        by_hand = objclass.train_object_classifier(
            sample.image, sample.annotations[1], **parameters.keywords()
        )
        assert same_forest(train_live([pixels], parameters, most_rows=None)[0], by_hand)


def test_many_pixels_are_thinned_out_within_their_classes(sample):
    scribbles = Scribbles(np.zeros(sample.image.shape, np.uint8))
    pixels = AnnotatedPixels(sample.image[None], 3, scribbles)
    scribbles.paint([Patch(0, 5, 0, 0, np.full((60, 96), 2, np.uint16))])
    scribbles.paint([Patch(0, 9, 0, 0, np.full((5, 5), 3, np.uint16))])
    classifier, exact = train_live([pixels], TrainingParameters(n_estimators=5), most_rows=500)
    assert not exact
    assert classifier.forest.n_classes == 2
