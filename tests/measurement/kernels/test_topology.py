"""Euler number and holes from packed rows, against scikit-image and SciPy on the same objects."""

import numpy as np
import pytest
from scipy import ndimage
from skimage.measure import euler_number

from objclass._common.parallel import read_only
from objclass.measurement.kernels.topology import count_bits, measure_topology


def topology_of(mask):
    """Measure an object beside others, in two dimensions or three."""
    labels = np.where(mask if mask.ndim == 3 else mask[np.newaxis], 7, 3).astype(np.int32)
    boxes = np.array([[0, 0, 0, *labels.shape]])
    euler_numbers, filled = np.zeros((2, 1), np.int64)
    measure_topology(read_only(labels), np.array([7]), boxes, mask.ndim == 2, euler_numbers, filled)
    return euler_numbers[0], filled[0]


def reference(mask):
    structure = np.ones((3,) * mask.ndim)
    return euler_number(mask), ndimage.binary_fill_holes(mask, structure).sum()


@pytest.mark.parametrize("ndim", [2, 3])
def test_random_objects(ndim):
    rng = np.random.default_rng(ndim)
    for trial in range(400):
        shape = rng.integers(1, 10, ndim)
        shape[-1] = rng.integers(1, 150 if trial % 4 == 0 else 10)  # rows of several words
        mask = rng.random(shape) < rng.uniform(0.2, 0.95)
        if trial % 3 == 0:
            mask = ndimage.binary_closing(np.pad(mask, 2))
        mask.flat[0] = True
        assert topology_of(mask) == reference(mask)


@pytest.mark.parametrize("width", [61, 62, 63, 64, 65, 126, 127, 128])
def test_rows_at_the_ends_of_words(width):
    mask = np.ones((3, 3, width), bool)
    mask[1, 1, 1:-1] = False
    assert topology_of(mask) == (2, mask.size)
    mask[0, 0, width - 2] = False  # a gap whose corner touches the cavity
    assert topology_of(mask) == reference(mask)


@pytest.mark.parametrize("column", range(60, 67))
@pytest.mark.parametrize("side", [-1, 1])
def test_corners_link_background_across_words(column, side):
    mask = np.ones((5, 130), bool)
    mask[:2, column] = False
    mask[2, column + side] = False
    assert topology_of(mask) == reference(mask) == (0, mask.sum())


def test_a_winding_tunnel_is_no_hole():
    mask = np.ones((9, 40, 40), bool)
    for line in range(1, 39, 4):
        mask[4, line, 1:39] = False
        mask[4, line : line + 5, 38 if line % 8 == 1 else 1] = False
    mask[4, 39, 1:39] = True
    closed = topology_of(mask)
    assert closed == reference(mask)
    assert closed[1] == mask.size
    mask[4, 0, 5] = False
    assert topology_of(mask) == reference(mask)
    assert topology_of(mask)[1] == mask.sum()


def test_a_plane_encloses_in_two_dimensions_only():
    ring = np.ones((3, 3), bool)
    ring[1, 1] = False
    assert topology_of(ring) == (0, 9)
    assert topology_of(ring[np.newaxis]) == (0, 8)


def test_count_bits():
    words = np.array([0, 1, 2**63, 2**64 - 1, 0x123456789ABCDEF0], np.uint64)
    assert [count_bits(word) for word in words] == [bin(int(word)).count("1") for word in words]
