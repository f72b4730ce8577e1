import numpy as np
import pytest
from scipy import ndimage as ndi

from objclass.pixels.kernels.convolution import FIRST_TAPS, ROWS, TAPS, convolve_line, convolve_rows

RNG = np.random.default_rng(0)
ONE = np.float32(1)


def rows_of(source, weights, divisor=ONE, first=0, to=0, gap=0):
    width = source.shape[1]
    target = np.full(to + ROWS * (width + gap), np.nan, np.float32)
    sums = np.empty(ROWS * width, np.float32)
    convolve_rows(source.ravel(), first * width, width, weights, divisor, sums, target, to, width + gap)
    rows = target[to:].reshape(ROWS, width + gap)
    assert np.isnan(rows[:, width:]).all()
    return rows[:, :width]


@pytest.mark.parametrize("width", [1, 37, 64, 130])
@pytest.mark.parametrize("n_taps", [FIRST_TAPS + TAPS, FIRST_TAPS + 5 * TAPS])
def test_four_rows_are_convolved(n_taps, width):
    source, weights = RNG.random((2 + n_taps + ROWS, width), np.float32), RNG.random(n_taps, np.float32)
    rows = rows_of(source, weights, np.float32(3), first=2, to=7, gap=9)
    expected = np.stack([weights.astype(float) @ source[j : j + n_taps] for j in range(2, 2 + ROWS)]) / 3
    np.testing.assert_allclose(rows, expected, rtol=1e-5)


@pytest.mark.parametrize("length", [1, 7, 64, 129])
def test_a_line_is_convolved(length):
    weights = RNG.random(FIRST_TAPS + 2 * TAPS, np.float32)
    source = RNG.random(length + weights.size + 3, np.float32)
    target = np.full(length, np.nan, np.float32)
    convolve_line(source, 3, weights, np.float32(2), np.empty(length, np.float32), target)
    expected = ndi.correlate1d(source[3:].astype(float), weights, origin=-(weights.size // 2)) / 2
    np.testing.assert_allclose(target, expected[:length], rtol=1e-5)


def test_taps_are_fused_in_order():
    weights = RNG.random(FIRST_TAPS + TAPS, np.float32)
    source = RNG.random((weights.size + ROWS, 37), np.float32)  # vector instructions and a remainder
    expected = np.zeros(37, np.float32)
    for weight, row in zip(weights, source, strict=False):
        expected = (float(weight) * row.astype(float) + expected).astype(np.float32)
    np.testing.assert_array_equal(rows_of(source, weights)[0], expected)
    line = np.ascontiguousarray(source[: weights.size, 0])
    total = np.empty(1, np.float32)
    convolve_line(np.append(line, ONE), 0, weights, ONE, np.empty(1, np.float32), total)
    assert total[0] == expected[0]
