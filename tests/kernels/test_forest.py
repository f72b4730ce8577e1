import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from objclass.kernels.forest import sum_votes
from objclass.kernels.pixels import classify_collected
from objclass.trees import pack_trees, votes_against_first
from tests.forests import count_votes, forests


@given(forest=forests(), n=st.sampled_from([1, 3, 300]), seed=st.integers(0, 2**32 - 1))
def test_the_class_with_most_votes_wins(forest, n, seed):
    thresholds = forest.threshold[forest.feature >= 0]
    rng = np.random.default_rng(seed)
    rows = rng.choice(np.append(thresholds, [-1, 0, 1]), (n, forest.n_features)).astype(np.float32)
    classes = np.empty(n, np.uint8)
    trees = pack_trees(forest, votes_against_first(forest))
    classify_collected(np.ascontiguousarray(rows.T), trees, classes)
    np.testing.assert_array_equal(classes, count_votes(forest, rows).argmax(axis=1) + 1)


@given(forest=forests(max_trees=7, max_depth=2))
def test_trees_of_two_levels_vote_as_deeper_ones_do(forest):
    rows = np.random.default_rng(0).normal(0, 1e3, (70, forest.n_features)).astype(np.float32)
    features, nodes = np.ascontiguousarray(rows.T), np.empty(70, np.int32)
    trees = pack_trees(forest, forest.leaf.T)
    assert len(trees.asked) == forest.n_trees
    expected = count_votes(forest, rows).T
    for packed in (trees, trees._replace(asked=trees.asked[:0])):
        sums = np.empty((forest.n_classes, 70), np.float32)
        sum_votes(features, 70, packed, nodes, sums)
        np.testing.assert_allclose(sums, expected, rtol=1e-5)
