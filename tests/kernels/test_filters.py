import numpy as np
import pytest

from objclass.kernels.filters import WIDTH, laplace_box_2d, laplace_box_3d, sobel_2d, sobel_3d
from objclass.kernels.gaussian import LANES
from tests import pixel_reference

BLOCK = np.random.default_rng(1).normal(100, 30, (3, 3, WIDTH)).astype(np.float32)


@pytest.mark.parametrize(
    ("kernel", "reference"),
    [(laplace_box_3d, pixel_reference.laplace), (sobel_3d, pixel_reference.sobel)],
)
def test_filters_of_a_volume(kernel, reference):
    target = np.empty(LANES, np.float32)
    kernel(*(plane.ravel() for plane in BLOCK), target)
    np.testing.assert_allclose(target, reference(BLOCK)[1, 1, 1:-1], rtol=1e-5)


@pytest.mark.parametrize(
    ("kernel", "reference"),
    [(laplace_box_2d, pixel_reference.laplace), (sobel_2d, pixel_reference.sobel)],
)
def test_filters_of_a_plane(kernel, reference):
    target = np.empty(LANES, np.float32)
    kernel(BLOCK[1].ravel(), target)
    np.testing.assert_allclose(target, reference(BLOCK[1])[1, 1:-1], rtol=1e-5, atol=1e-4)
