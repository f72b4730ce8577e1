import numpy as np
import pytest

from objclass.pixels.kernels.convolution import LANES
from objclass.pixels.kernels.gaussian import cut_line, repeat_ends

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("before", [0, 1])
def test_a_line_is_cut_into_strips_that_overlap(before):
    line = RNG.random(3 * LANES, np.float32)
    strips = np.zeros((2, 3, LANES + 2), np.float32)
    cut_line(line, before, False, 1, strips)
    padded = np.concatenate([line[:1], line]) if before else line
    expected = np.stack([padded[: LANES + 2], padded[LANES : 2 * LANES + 2]])
    np.testing.assert_array_equal(strips[:, 1], expected)
    cut_line(line, before, True, 1, strips)
    assert not strips.any()


def test_the_ends_of_lines_are_repeated():
    lines = np.zeros((2, 9), np.float32)
    lines[:, 3:6] = [[1, 2, 3], [4, 5, 6]]
    repeat_ends(lines, 2, 3, 3, 2)
    np.testing.assert_array_equal(lines, [[0, 1, 1, 1, 2, 3, 3, 3, 0], [0, 4, 4, 4, 5, 6, 6, 6, 0]])
