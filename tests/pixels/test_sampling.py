import numpy as np
import pytest

from objclass.pixels.sampling import SAMPLE, describe_mixed_dtypes, has_other_bits, sample_pixels, sample_step


@pytest.mark.parametrize("shape", [(4000, 3000), (90, 800, 700), (3, 4, 5), (1, 3000, 3000), (10**5, 10**5)])
def test_a_sample_has_about_the_size_that_it_should(shape):
    step = sample_step(shape)
    kept = np.prod([-(-length // step) for length in shape])
    assert kept >= min(np.prod(shape), SAMPLE / 3)
    assert kept <= 5 * SAMPLE


def test_a_sample_has_the_pixels_of_all_channels():
    image = np.random.default_rng(0).random((2, 30, 40)) < 0.5
    sample = sample_pixels(image)
    assert sample.dtype == np.uint8
    np.testing.assert_array_equal(sample, image)
    assert sample_pixels(image.astype(np.float32)).dtype == np.float32


@pytest.mark.parametrize(
    ("one", "other", "different"),
    [
        ("uint8", "uint16", True),
        ("int16", "uint8", True),
        ("uint16", "uint16", False),
        ("uint8", "bool", False),
    ],
)
def test_only_8_and_16_bits_have_other_values_for_equal_brightness(one, other, different):
    assert has_other_bits(one, other) == has_other_bits(other, one) == different


def test_images_of_other_bits_are_told_by_the_first_one():
    dtypes = [np.dtype(name) for name in ("uint8", "uint8", "uint16")]
    assert describe_mixed_dtypes(dtypes, "abc").startswith("c is uint16, a is uint8: equal brightness")
    assert describe_mixed_dtypes(dtypes[:2], "ab") == ""
