"""Sums over the voxels of objects, against NumPy on their coordinates."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from objclass._common.parallel import read_only
from objclass.measurement.kernels.sums import merge_sums, second_moments, sum_block


def sums_of(labels, image, blocks=None, exact=True):
    """Sum up in blocks: a list of first and last plane and line."""
    zeros = np.zeros(1, np.int64 if exact else np.float64)
    parts = []
    for plane, stop_plane, line, stop_line in blocks or [(0, len(labels), 0, labels.shape[1])]:
        block = np.ascontiguousarray(labels[plane:stop_plane, line:stop_line])
        pixels = np.ascontiguousarray(image[:, plane:stop_plane, line:stop_line])
        parts.append(sum_block(read_only(block), read_only(pixels), (plane, line, 0), zeros))
    return merge_sums(parts)


def random_scene(seed, dtype=np.uint16, shape=(7, 9, 11), channels=2):
    rng = np.random.default_rng(seed)
    labels = rng.choice(np.array([0, 0, 1, 2, 5, 2_000_000_000], np.int32), shape)
    labels[:, :, 4:7] = labels[:, :, 4:5]
    image = rng.integers(0, 250, (channels, *shape)).astype(dtype)
    return labels, image


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32, np.float64])
def test_sums_are_those_of_numpy(dtype):
    labels, image = random_scene(1, dtype)
    sums = sums_of(labels, image, exact=np.issubdtype(dtype, np.integer))
    assert_array_equal(sums.numbers, [1, 2, 5, 2_000_000_000])
    for index, number in enumerate(sums.numbers):
        places = np.argwhere(labels == number)
        corner = places.min(axis=0)
        values = image[:, labels == number].astype(float)
        assert_array_equal(sums.boxes[index], [*corner, *(places.max(axis=0) + 1)])
        assert sums.counts[index] == len(places)
        assert_array_equal(sums.first[index], (places - corner).sum(axis=0))
        assert_array_equal(sums.second[index], (places - corner).T @ (places - corner))
        assert_array_equal(sums.lowest[index], values.min(axis=1))
        assert_array_equal(sums.highest[index], values.max(axis=1))
        assert_allclose(sums.totals[index], values.sum(axis=1), rtol=1e-14)
        assert_allclose(sums.weighted[index], values @ (places - corner), rtol=1e-14)
        assert_allclose(sums.squares[index], values.var(axis=1) * len(places), rtol=1e-12)
        centred = places - places.mean(axis=0)
        assert_allclose(second_moments(sums)[index], centred.T @ centred, rtol=1e-12, atol=1e-9)


def test_blocks_merge_into_exactly_the_whole_in_any_order():
    labels, image = random_scene(2)
    whole = sums_of(labels, image)
    blocks = [(0, 3, 0, 9), (3, 4, 0, 2), (3, 4, 2, 9), (4, 7, 5, 9), (4, 7, 0, 5)]
    for order in (blocks, blocks[::-1]):
        for merged, expected in zip(sums_of(labels, image, order), whole, strict=True):
            assert_array_equal(merged, expected)


def test_more_objects_than_the_first_records_hold():
    labels = np.random.default_rng(3).permutation(np.arange(1000, dtype=np.int32) * 64).reshape(10, 10, 10)
    sums = sums_of(labels, labels[np.newaxis].astype(np.float64), exact=False)
    assert_array_equal(sums.numbers, np.arange(1, 1000) * 64)
    assert_array_equal(sums.totals[:, 0], sums.numbers)
    assert_array_equal(sums.boxes[:, :3], np.argwhere(labels)[np.argsort(labels[labels > 0])])


def test_no_objects_and_no_channels():
    sums = sums_of(np.zeros((2, 3, 4), np.int32), np.empty((0, 2, 3, 4), np.uint8))
    assert sums.numbers.shape == (0,)
    assert sums.boxes.shape == (0, 6)
    assert sums.second.shape == (0, 3, 3)
    assert sums.weighted.shape == (0, 0, 3)
    assert second_moments(sums).shape == (0, 3, 3)


def test_far_from_the_origin_sums_stay_exact():
    labels, image = random_scene(4)
    near = sums_of(labels, image)
    far = 2**40  # squares of such coordinates do not fit into 64 bits
    moved = merge_sums(
        [sum_block(read_only(labels), read_only(image), (far, far, far), np.zeros(1, np.int64))]
    )
    for name in ("first", "second", "weighted", "squares"):
        assert_array_equal(getattr(moved, name), getattr(near, name))


def test_spread_of_bright_values_keeps_its_digits():
    rng = np.random.default_rng(5)
    labels = np.ones((4, 50, 50), np.int32)
    for values, exact in [
        (rng.integers(65500, 65503, (1, 4, 50, 50)).astype(np.uint16), True),
        (1e8 + rng.normal(size=(1, 4, 50, 50)), False),
    ]:
        squares = sums_of(labels, values, exact=exact).squares[0, 0]
        assert_allclose(squares / values.size, values.astype(float).var(), rtol=1e-9)
