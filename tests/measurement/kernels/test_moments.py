"""Moments and what follows from them, against scikit-image."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from skimage.measure import inertia_tensor, moments_central, moments_hu, moments_normalized

from objclass._common.parallel import read_only
from objclass.measurement.kernels import moments


@pytest.mark.parametrize(
    ("shape", "spacing"), [((5, 7), (1, 1)), ((6, 4), (0.5, 2)), ((4, 5, 6), (3, 1, 0.4))]
)
def test_moments_of_weights(shape, spacing):
    weights = np.random.default_rng(0).uniform(0, 9, shape)
    centre = np.array(shape) / 3
    central = moments_central(weights, centre, spacing=spacing)
    stack = weights.reshape((1,) * (3 - len(shape)) + shape)
    box, place, steps = np.array([[0, 0, 0, *stack.shape]]), np.zeros((1, 3)), np.ones(3)
    place[0, -len(shape) :], steps[-len(shape) :] = centre, spacing
    labels, sums = read_only(np.ones(stack.shape, np.int32)), np.empty((1, 4, 4, 4))
    moments.sum_powers(labels, np.array([1]), box, read_only(stack), True, place, steps, sums)
    assert_allclose(sums[0, 0] if len(shape) == 2 else sums[0], central, rtol=1e-12, atol=1e-9)
    normalized = moments.normalized_moments(central[np.newaxis], spacing)[0]
    assert_allclose(normalized, moments_normalized(central, spacing=spacing), rtol=1e-12)
    if len(shape) == 2:
        assert_allclose(moments.hu_moments(normalized[np.newaxis])[0], moments_hu(normalized), rtol=1e-12)


@pytest.mark.parametrize("shape", [(9, 7), (7, 8, 9)])
def test_inertia_tensor(shape):
    mask = np.random.default_rng(1).random(shape) < 0.4
    places = np.argwhere(mask) - np.argwhere(mask).mean(axis=0)
    tensor = moments.inertia_tensors((places.T @ places)[np.newaxis], np.array([len(places)]))
    assert_allclose(tensor[0], inertia_tensor(mask), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("axes", [(20, 12), (30, 18, 10)])
def test_axes_of_an_ellipsoid_are_its_own(axes):
    grid = np.indices([length + 3 for length in axes]).astype(float)
    centre = [(length + 2) / 2 for length in axes]
    inside = sum(((g - c) / (length / 2)) ** 2 for g, c, length in zip(grid, centre, axes, strict=True)) <= 1
    eigenvalues = moments.principal_moments(inertia_tensor(inside)[np.newaxis])
    assert_allclose(moments.axis_lengths(eigenvalues)[0], axes, rtol=0.03)


def test_an_axis_of_rounding_alone_is_zero():
    line = np.arange(100.0)
    places = np.stack([line, 2 * line, 3 * line], axis=1) - [[49.5, 99, 148.5]]
    tensor = moments.inertia_tensors((places.T @ places)[np.newaxis], np.array([100]))
    lengths = moments.axis_lengths(moments.principal_moments(tensor))[0]
    assert lengths[0] > 100
    assert lengths[1:].tolist() == [0, 0]
