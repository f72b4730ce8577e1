from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from skimage.segmentation import relabel_sequential

from objclass.objects import runlength
from objclass.objects.runlength import Runs, count_pairs, object_sizes, raster_order

label_images = arrays(
    np.uint16, array_shapes(min_dims=2, max_dims=3, min_side=0, max_side=6), elements=st.integers(0, 5)
)


@pytest.fixture(params=[3, 1 << 20], ids=["blocks of 3 voxels", "one block"], autouse=True, scope="module")
def block(request):
    before, runlength._BLOCK = runlength._BLOCK, request.param
    yield
    runlength._BLOCK = before


@given(label_images)
def test_sizes_are_those_of_numpy(labels):
    expected = np.unique(labels[labels > 0], return_counts=True)
    for found, right in zip(object_sizes(labels), expected, strict=True):
        np.testing.assert_array_equal(found, right)


@given(label_images)
def test_renumbering_is_that_of_scikit_image(labels):
    numbers, _ = object_sizes(labels)
    found = Runs.encode(labels).renumber(numbers, np.arange(1, len(numbers) + 1))
    assert found.dtype == np.int32
    np.testing.assert_array_equal(found, relabel_sequential(labels)[0] if labels.size else labels)


@given(label_images)
def test_raster_order_is_that_of_first_voxels(labels):
    flat = labels.ravel().tolist()
    assert raster_order(labels).tolist() == sorted(set(flat) - {0}, key=flat.index)


@given(label_images)
def test_runs_hold_the_array_and_where_each_object_begins(labels):
    numbers = raster_order(labels)
    order = np.argsort(numbers)
    ordered = Runs.encode(labels).renumber(numbers[order], np.arange(1, len(numbers) + 1)[order])
    runs = Runs.encode(ordered)
    np.testing.assert_array_equal(runs.decode(), ordered)
    expected = [ordered.ravel().tolist().index(number) for number in range(1, len(numbers) + 1)]
    assert runs.first_positions().tolist() == expected


@given(label_images)
def test_pairs_are_those_of_a_count_of_each_voxel(labels):
    other = labels[::-1] // 2
    pairs = Counter(zip(labels.ravel().tolist(), other.ravel().tolist(), strict=True))
    expected = sorted((pair, n) for pair, n in pairs.items() if all(pair))
    found = [array.tolist() for array in count_pairs(labels, other)]
    assert found == [
        [pair[0] for pair, _ in expected],
        [pair[1] for pair, _ in expected],
        [n for _, n in expected],
    ]


def test_large_numbers_need_no_large_table():
    labels = np.array([[0, 2**63, 2**63, 7]], np.uint64)
    numbers, sizes = object_sizes(labels)
    assert numbers.tolist() == [7, 2**63]
    assert sizes.tolist() == [1, 2]
    assert Runs.encode(labels).renumber(numbers, np.array([1, 2])).tolist() == [[0, 2, 2, 1]]


def test_views_are_read_in_the_order_of_their_axes():
    labels = np.array([[0, 1, 1], [2, 0, 3]])
    assert raster_order(labels.T).tolist() == [2, 1, 3]
    assert Runs.encode(labels.T).renumber(np.array([1, 2, 3]), np.array([4, 5, 6])).tolist() == [
        [0, 5],
        [4, 0],
        [4, 6],
    ]
