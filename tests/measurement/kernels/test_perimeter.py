"""Perimeters, against scikit-image on the same objects."""

import numpy as np
import pytest
from scipy import ndimage
from skimage.measure import perimeter, perimeter_crofton

from objclass._common.parallel import read_only
from objclass.measurement.kernels.perimeter import measure_perimeters


def perimeters_of(mask):
    labels = np.where(mask, 2, 9).astype(np.int32)[np.newaxis]
    contours, croftons = np.empty((2, 1))
    measure_perimeters(
        read_only(labels), np.array([2]), np.array([[0, 0, 0, 1, *mask.shape]]), contours, croftons
    )
    return contours[0], croftons[0]


def test_random_objects():
    rng = np.random.default_rng(0)
    for trial in range(300):
        mask = rng.random(rng.integers(1, 14, 2)) < rng.uniform(0.1, 1)
        if trial % 2:
            mask = ndimage.binary_opening(np.pad(mask, 3, mode="edge"))
        assert perimeters_of(mask)[0] == pytest.approx(perimeter(mask, 4), rel=1e-12, abs=1e-12)
        assert perimeters_of(mask)[1] == pytest.approx(perimeter_crofton(mask, 4), rel=1e-12, abs=1e-12)


def test_several_objects_share_the_scratch():
    labels = np.zeros((1, 6, 9), np.int32)
    labels[0, :3, :8], labels[0, 5, 8] = 1, 4
    boxes = np.array([[0, 0, 0, 1, 3, 8], [0, 5, 8, 1, 6, 9]])
    contours, croftons = np.empty((2, 2))
    measure_perimeters(read_only(labels), np.array([1, 4]), boxes, contours, croftons)
    assert contours == pytest.approx([perimeter(np.ones((3, 8))), 0])
    assert croftons[1] == pytest.approx(perimeter_crofton(np.ones((1, 1))))
