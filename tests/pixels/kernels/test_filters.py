import numpy as np
import pytest

from objclass.pixels.kernels.convolution import LANES
from objclass.pixels.kernels.filters import WIDTH, laplace_box_2d, laplace_box_3d, sobel_2d, sobel_3d
from tests import pixel_reference

BLOCK = np.random.default_rng(1).normal(100, 30, (3, 3, WIDTH)).astype(np.float32)


@pytest.mark.parametrize(
    ("kernel", "reference"),
    [(laplace_box_3d, pixel_reference.laplace), (sobel_3d, pixel_reference.sobel)],
)
def test_filters_of_a_volume(kernel, reference):
    target = np.zeros(LANES + 2, np.float32)
    kernel(BLOCK.ravel(), 0, 3 * WIDTH, 6 * WIDTH, target, 1)
    np.testing.assert_allclose(target, np.pad(reference(BLOCK)[1, 1, 1:-1], 1), rtol=1e-5)


@pytest.mark.parametrize(
    ("kernel", "reference"),
    [(laplace_box_2d, pixel_reference.laplace), (sobel_2d, pixel_reference.sobel)],
)
def test_filters_of_a_plane(kernel, reference):
    target = np.zeros(LANES + 2, np.float32)
    kernel(BLOCK.ravel(), 3 * WIDTH, target, 1)
    np.testing.assert_allclose(target, np.pad(reference(BLOCK[1])[1, 1:-1], 1), rtol=1e-5, atol=1e-4)
