"""The largest distance, against all pairs."""

import numpy as np
import pytest
from scipy.spatial.distance import pdist
from skimage.measure import marching_cubes

from objclass.measurement.kernels.feret import largest_distance, surface_corners


@pytest.mark.parametrize("n_places", [1, 2, 3, 10, 400])
def test_largest_distance_is_that_of_all_pairs(n_places):
    rng = np.random.default_rng(n_places)
    for _ in range(30):
        ball = rng.normal(size=(n_places, 3))
        ball /= np.linalg.norm(ball, axis=1, keepdims=True)  # all pairs nearly as far apart as the best
        for places in (ball, rng.integers(0, 9, (n_places, 3)) * [0.5, 1, 3.0]):
            expected = pdist(places).max(initial=0)
            assert largest_distance(places) == pytest.approx(expected, rel=1e-15, abs=0)


def test_surface_corners_are_among_those_of_marching_cubes():
    rows = np.indices((9, 9, 9))
    mask = ((rows - 4) ** 2 * np.array([1, 2, 1])[:, None, None, None]).sum(axis=0) <= 16
    low = np.where(mask.any(axis=2), mask.argmax(axis=2), 2**30)
    high = np.where(mask.any(axis=2), 8 - mask[:, :, ::-1].argmax(axis=2), -(2**30))
    corners = surface_corners(low, high, 9, False, np.ones(3))
    surface = marching_cubes(np.pad(mask, 2), level=0.5)[0] - 2
    assert {*map(tuple, corners)} <= {*map(tuple, surface.astype(float))}
    assert pdist(corners).max() == pdist(surface).max()
