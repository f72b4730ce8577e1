import numpy as np
import pytest
from scipy import ndimage as ndi

from objclass.kernels.gaussian import LANES, ROWS, TAPS, convolve_line, convolve_rows, divide

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("n_taps", [TAPS, 5 * TAPS])
def test_four_rows_are_convolved(n_taps):
    source = RNG.random((n_taps + ROWS, LANES), np.float32)
    weights = RNG.random(n_taps, np.float32)
    sums = np.full(ROWS * LANES, np.nan, np.float32)
    convolve_rows(source.ravel(), weights, sums)
    expected = np.stack([weights.astype(float) @ source[j : j + n_taps] for j in range(ROWS)])
    np.testing.assert_allclose(sums.reshape(ROWS, LANES), expected, rtol=1e-5)


@pytest.mark.parametrize("length", [1, 7, 64, 129])
def test_a_line_is_convolved(length):
    weights = RNG.random(3 * TAPS, np.float32)
    source = RNG.random(length + weights.size, np.float32)
    sums = np.full(length, np.nan, np.float32)
    convolve_line(source, weights, sums)
    expected = ndi.correlate1d(source.astype(float), weights, origin=-weights.size // 2)[:length]
    np.testing.assert_allclose(sums, expected, rtol=1e-5)


def test_taps_are_fused_in_order():
    source, weights = RNG.random((9, LANES), np.float32), RNG.random(TAPS, np.float32)
    sums = np.empty(ROWS * LANES, np.float32)
    convolve_rows(source.ravel(), weights, sums)
    expected = np.zeros(LANES, np.float32)
    for weight, row in zip(weights, source, strict=False):
        expected = (float(weight) * row.astype(float) + expected).astype(np.float32)
    np.testing.assert_array_equal(sums[:LANES], expected)


def test_division_is_correctly_rounded():
    values = np.concatenate([RNG.normal(0, 1e4, 10_000), [0.0, 1.0, 65535.0]]).astype(np.float32)
    for divisor in RNG.uniform(1, 60, 100).astype(np.float32):
        quotients = np.empty_like(values)
        divide(values, divisor, quotients)
        np.testing.assert_array_equal(quotients, values / divisor)
