"""Gradient and Hessian features beside SciPy and scikit-image."""

import numpy as np
import pytest
from scipy import ndimage as ndi
from skimage.feature import hessian_matrix_eigvals, structure_tensor, structure_tensor_eigenvalues

import objclass
from objclass.pixels import tiling
from objclass.pixels.extraction import features_at
from objclass.pixels.features import parse_features, scale_features
from tests.pixels.test_classifier import scene

NAMES = ("gradient_magnitude", "hessian_largest", "hessian_middle", "hessian_smallest")
EVERY = " ".join(f"{name}_of_gaussian_blur={sigma}" for sigma in (1, 2, 0.7, 1.65) for name in NAMES)


def differences(image, axes, distances):
    for axis in axes:
        image = ndi.correlate1d(image, [-0.5, 0, 0.5], axis, mode="nearest") / distances[axis]
    return image


def plain(image, sigmas, distances):
    """The length of the gradient, then the eigenvalues, the largest first, in double precision.

    A Gaussian reaches 4 sigma, rounded down to voxels; SciPy's default rounds to the nearest.
    """
    radius, ndim = [int(4 * sigma) for sigma in sigmas], image.ndim
    blurred = ndi.gaussian_filter(image.astype(float), sigmas, mode="nearest", radius=radius)
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
    for start in range(0, len(features), 4):
        how = features[start]
        gradient, values = plain(image, how.sigma_along(len(shape)), how.distances(len(shape)))
        expected = [gradient, values[0], values[-2] if len(shape) == 3 else values[-1], values[-1]]
        for ours, theirs in zip(found[start : start + 4], expected, strict=True):
            np.testing.assert_allclose(ours, theirs, atol=1e-5 * np.abs(theirs).max())


STRUCTURE = " ".join(
    f"structure_{which}_of_gaussian_blur={sigma}"
    for sigma in (1, 2)
    for which in ("largest", "middle", "smallest")
)


@pytest.mark.parametrize("shape", [(9, 20, 70), (33, 130)])
@pytest.mark.parametrize("scaled", [False, True])
@pytest.mark.parametrize("small_blocks", [False, True])
def test_structure_tensors_are_those_of_scikit_image(shape, scaled, small_blocks, monkeypatch):
    if small_blocks:
        monkeypatch.setattr(tiling, "TENSOR_BYTES", 2**16)
        monkeypatch.setattr(tiling, "MOST_COLUMNS", 20)
    ndim = len(shape)
    image = np.random.default_rng(0).normal(size=(2, *shape)).astype(np.float32)
    features = parse_features("original sobel_of_gaussian_blur=1 " + STRUCTURE)
    if scaled:
        features = scale_features(features, (2, 1, 4)[-ndim:])
    found = features_at(image, features, np.ones(shape, bool)).T.reshape(2, -1, *shape)
    np.testing.assert_array_equal(found[:, 0], image)
    plain_ones = features_at(image, features[:2], np.ones(shape, bool)).T.reshape(2, -1, *shape)
    np.testing.assert_array_equal(found[:, 1], plain_ones[:, 1])
    for channel in range(2):
        for start in (2, 5):
            how = features[start]
            sigmas, distances = how.sigma_along(ndim), how.distances(ndim)
            blurred = ndi.gaussian_filter(image[channel].astype(float), sigmas, mode="nearest")
            tensor = structure_tensor(blurred, sigma=how.window_along(ndim), mode="nearest")
            axes = [(a, b) for a in range(ndim) for b in range(a, ndim)]
            tensor = [one / distances[a] / distances[b] for one, (a, b) in zip(tensor, axes, strict=True)]
            values = structure_tensor_eigenvalues(tensor)
            expected = [values[0], values[1], values[-1]]
            for ours, theirs in zip(found[channel, start : start + 3], expected, strict=True):
                np.testing.assert_allclose(ours, theirs, atol=1e-5 * values.max())


def test_structure_tensors_of_regions_classifiers_and_other_voxel_sizes(monkeypatch):
    image, scribbles = scene()
    classifier = objclass.train_object_classifier(image, scribbles, features=STRUCTURE, n_estimators=20)
    classes = objclass.classify_pixels(image, classifier)
    for axis, index in ((0, 0), (0, 5), (1, 3), (2, 21)):
        plane = objclass.predict_plane(image, classifier, axis=axis, index=index)
        np.testing.assert_array_equal(plane, classes.take(index, axis))
    blocks = objclass.chunked.classify_pixels(image, classifier, block_shape=(5, 8, 9))
    np.testing.assert_array_equal(blocks, classes)
    calls = []
    monkeypatch.setattr(tiling, "TENSOR_BYTES", 2**16)
    again = objclass.classify_pixels(image, classifier, progress=lambda *call: calls.append(call))
    np.testing.assert_array_equal(again, classes)
    assert calls[-1][0] == calls[-1][1] > 1
    normalized = objclass.train_object_classifier(
        image, scribbles, features=STRUCTURE, n_estimators=20, normalize="percentile"
    )
    brighter = objclass.classify_pixels(image * 3.0 + 100, normalized)
    assert (brighter == objclass.classify_pixels(image, normalized)).mean() > 0.999


def test_saving_eigenvalues_warns_that_apoc_cannot_run_them(tmp_path):
    image, scribbles = scene()
    with pytest.warns(UserWarning, match="Fiji cannot run .*: they do not know gradient_magnitude"):
        trained = objclass.train_object_classifier(
            image, scribbles, features="ridges_1_to_4_px", path=tmp_path / "a.cl"
        )
    assert objclass.load_classifier(tmp_path / "a.cl") == trained
    plane = objclass.predict_plane(image, trained, index=3)
    np.testing.assert_array_equal(plane, objclass.classify_pixels(image, trained)[3])
