import numpy as np
from scipy import ndimage as ndi

from objclass.pixels.kernels.gaussian import blur_columns, repeat_ends

RNG = np.random.default_rng(0)


def test_columns_are_blurred_and_subtracted_where_they_belong():
    lines, weights = RNG.random((3, 70), np.float32), np.float32([1, 2, 3, 2, 1, 0, 0, 0, 0])
    expected = ndi.correlate1d(lines.astype(float), weights[:5], axis=1)[:2, 8:48] / 9
    target = np.zeros((4, 43), np.float32)
    blur_columns(lines, 2, 6, 40, weights, np.float32(9), False, target, 1, 2)
    np.testing.assert_allclose(target, np.pad(expected, ((1, 1), (2, 1))), rtol=1e-6)
    blur_columns(lines, 2, 6, 40, weights, np.float32(9), True, target, 1, 2)
    assert not target.any()


def test_the_ends_of_lines_are_repeated():
    lines = np.zeros((2, 9), np.float32)
    lines[:, 3:6] = [[1, 2, 3], [4, 5, 6]]
    repeat_ends(lines, 2, 3, 3, 2)
    np.testing.assert_array_equal(lines, [[0, 1, 1, 1, 2, 3, 3, 3, 0], [0, 4, 4, 4, 5, 6, 6, 6, 0]])
