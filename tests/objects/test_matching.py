import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

import objclass
from objclass import match_objects
from tests.random_search import examples

small = arrays(np.int32, (6, 7), elements=st.integers(0, 3))


@examples(80)
@given(small, small, st.sampled_from([0.5, 0.6, 0.9]))
def test_pairs_are_those_of_a_loop_over_objects(labels, truth, min_overlap):
    expected = {}
    for label in np.unique(labels[labels > 0]):
        for true in np.unique(truth[truth > 0]):
            one, other = labels == label, truth == true
            if (one & other).sum() / (one | other).sum() > min_overlap:
                expected[int(label)] = int(true)
    assert match_objects(labels, truth, min_overlap=min_overlap) == expected


def test_half_of_the_union_is_no_match_and_background_never_is():
    assert match_objects(np.array([[1, 1, 0, 0]]), np.array([[7, 0, 0, 0]])) == {}
    assert match_objects(np.array([[1, 1, 1, 0]]), np.array([[7, 7, 0, 0]])) == {1: 7}
    assert match_objects(np.zeros((3, 3), int), np.zeros((3, 3), int)) == {}
    assert match_objects(np.zeros((0, 3), int), np.zeros((0, 3), int)) == {}


def test_largest_labels_that_there_are():
    top = 2**64 - 1
    labels = np.array([[0, top, top, top - 1, 5]], np.uint64)
    truth = np.array([[0, 2**40, 2**40, 3, 3]], np.int64)
    assert match_objects(labels, truth) == {top: 2**40}


def test_millions_of_voxels_take_no_longer_than_sorting_a_tenth_of_them():
    labels = np.kron(np.arange(1, 4097, dtype=np.int64).reshape(64, 64), np.ones((24, 24), np.int64)) * 10**12
    start = time.process_time()
    assert len(match_objects(labels, labels + (labels > 0))) == 4096
    ours = time.process_time() - start
    start = time.process_time()
    np.unique(np.random.default_rng(0).permutation(labels.size))
    assert ours < 5 * (time.process_time() - start)


@pytest.mark.parametrize(
    ("labels", "truth", "error", "message"),
    [
        (
            np.zeros((20, 20), int),
            np.zeros((40, 10), int),
            ValueError,
            r"truth: .* labels, \(20, 20\), got .*40, 10",
        ),
        (
            np.zeros((20, 20), int),
            np.zeros((1, 20, 20), int),
            ValueError,
            r"truth: expected the shape of labels",
        ),
        (np.zeros((2, 2)), np.zeros((2, 2), int), TypeError, "labels: expected an integer array"),
        (np.zeros((2, 2), int), np.full((2, 2), -1), ValueError, "truth: expected labels of at least 0"),
    ],
)
def test_refuses_what_cannot_match(labels, truth, error, message):
    with pytest.raises(error, match=message):
        match_objects(labels, truth)


def test_refuses_an_overlap_with_which_objects_had_two_partners():
    with pytest.raises(ValueError, match=r"min_overlap: expected a number of at least 0\.5"):
        match_objects(np.zeros((2, 2), int), np.zeros((2, 2), int), min_overlap=0.4)


def test_every_choice_of_objects_takes_the_largest_labels():
    labels = np.array([[0, 0, 0, 0], [0, 2**64 - 1, 2**64 - 1, 0], [0, 0, 2**63, 0], [0, 0, 0, 0]], np.uint64)
    assert objclass.exclude_small(labels, 2).tolist() == [[0] * 4, [0, 1, 1, 0], [0] * 4, [0] * 4]
    assert objclass.exclude_large(labels, 1).max() == 1
    assert objclass.exclude_border(labels).max() == objclass.relabel(labels).max() == 2
    assert objclass.split_touching(labels).max() == 2
