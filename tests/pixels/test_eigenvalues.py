"""Gradient and Hessian features beside SciPy and scikit-image."""

import numpy as np
import pytest
from scipy import ndimage as ndi
from skimage.feature import hessian_matrix_eigvals

import objclass
from objclass.pixels.extraction import features_at
from objclass.pixels.features import parse_features, scale_features
from tests.pixels.test_classifier import scene

NAMES = ("gradient_magnitude", "hessian_largest", "hessian_middle", "hessian_smallest")
EVERY = " ".join(f"{name}_of_gaussian_blur={sigma}" for sigma in (1, 2) for name in NAMES)


def differences(image, axes, distances):
    for axis in axes:
        image = ndi.correlate1d(image, [-0.5, 0, 0.5], axis, mode="nearest") / distances[axis]
    return image


def plain(image, sigmas, distances):
    """The length of the gradient, then the eigenvalues, the largest first, in double precision."""
    blurred, ndim = ndi.gaussian_filter(image.astype(float), sigmas, mode="nearest"), image.ndim
    gradient = np.sqrt(sum(differences(blurred, [axis], distances) ** 2 for axis in range(ndim)))
    matrix = []
    for first in range(ndim):
        for second in range(first, ndim):
            if first == second:
                one = ndi.correlate1d(blurred, [1, -2, 1], first, mode="nearest") / distances[first] ** 2
            else:
                one = differences(blurred, [first, second], distances)
            matrix.append(one)
    return gradient, hessian_matrix_eigvals(matrix)


@pytest.mark.parametrize("shape", [(9, 20, 70), (33, 130)])
@pytest.mark.parametrize("scaled", [False, True])
def test_eigenvalues_are_those_of_scikit_image(shape, scaled):
    image = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    features = parse_features(EVERY)
    if scaled:
        features = scale_features(features, (2, 1, 4)[-len(shape) :])
    found = features_at(image[np.newaxis], features, np.ones(shape, bool)).T.reshape(-1, *shape)
    for start in (0, 4):
        how = features[start]
        gradient, values = plain(image, how.sigma_along(len(shape)), how.distances(len(shape)))
        expected = [gradient, values[0], values[-2] if len(shape) == 3 else values[-1], values[-1]]
        for ours, theirs in zip(found[start : start + 4], expected, strict=True):
            np.testing.assert_allclose(ours, theirs, atol=1e-5 * np.abs(theirs).max())


def test_a_classifier_with_eigenvalues_says_that_apoc_cannot_run_it(tmp_path):
    image, scribbles = scene()
    with pytest.warns(UserWarning, match="Fiji cannot run .*: they do not know gradient_magnitude"):
        trained = objclass.train_object_classifier(
            image, scribbles, features="ridges_1_to_4_px", path=tmp_path / "a.cl"
        )
    assert objclass.load_classifier(tmp_path / "a.cl") == trained
    plane = objclass.predict_plane(image, trained, index=3)
    np.testing.assert_array_equal(plane, objclass.classify_pixels(image, trained)[3])
    with pytest.raises(ValueError, match="engine: expected features that APOC knows"):
        objclass.classify_pixels(image, trained, engine="opencl")
