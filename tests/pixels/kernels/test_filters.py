import numpy as np
import pytest

from objclass.pixels.kernels.filters import laplace_box_2d, laplace_box_3d, sobel_2d, sobel_3d
from tests import pixel_reference

N, WIDTH = 61, 70
BLOCK = np.random.default_rng(1).normal(100, 30, (3, 3, WIDTH)).astype(np.float32)


@pytest.mark.parametrize(
    ("kernel", "reference"),
    [(laplace_box_3d, pixel_reference.laplace), (sobel_3d, pixel_reference.sobel)],
)
def test_filters_of_a_volume(kernel, reference):
    target = np.zeros(N + 2, np.float32)
    kernel(BLOCK.ravel(), 2, 3 * WIDTH + 2, 6 * WIDTH + 2, WIDTH, N, target, 1)
    np.testing.assert_allclose(target, np.pad(reference(BLOCK)[1, 1, 3 : N + 3], 1), rtol=1e-5)


@pytest.mark.parametrize(
    ("kernel", "reference"),
    [(laplace_box_2d, pixel_reference.laplace), (sobel_2d, pixel_reference.sobel)],
)
def test_filters_of_a_plane(kernel, reference):
    target = np.zeros(N + 2, np.float32)
    kernel(BLOCK.ravel(), 3 * WIDTH + 2, WIDTH, N, target, 1)
    np.testing.assert_allclose(target, np.pad(reference(BLOCK[1])[1, 3 : N + 3], 1), rtol=1e-5, atol=1e-4)
