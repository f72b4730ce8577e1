import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.ensemble import RandomForestClassifier

from objclass.pixels import forest as forest_module
from objclass.pixels.kernels import forest as kernels
from objclass.pixels.kernels.forest import sum_votes
from objclass.pixels.kernels.pixels import classify_collected
from objclass.pixels.training import fit_forest
from tests.forests import count_votes, forests
from tests.random_search import examples


@examples(40)
@given(forest=forests(), n=st.sampled_from([1, 3, 300]), seed=st.integers(0, 2**32 - 1))
def test_the_class_with_most_votes_wins(forest, n, seed):
    thresholds = forest.threshold[forest.feature >= 0]
    rng = np.random.default_rng(seed)
    rows = rng.choice(np.append(thresholds, [-1, 0, 1]), (n, forest.n_features)).astype(np.float32)
    classes = np.empty(n, np.uint8)
    packed = forest_module.pack_trees(forest, forest_module.votes_against_first(forest))
    middle = n // 2
    for begin, end in ((0, middle), (middle, n)):
        classify_collected(np.ascontiguousarray(rows.T), begin, end, packed, classes)
    np.testing.assert_array_equal(classes, count_votes(forest, rows).argmax(axis=1) + 1)


@examples(40)
@given(forest=forests(max_trees=7, max_depth=6), max_leaves=st.sampled_from([0, 8, 32, 384]))
def test_every_form_of_a_tree_gives_the_same_votes(forest, max_leaves):
    rows = np.random.default_rng(0).normal(0, 1e3, (70, forest.n_features)).astype(np.float32)
    sums = np.empty((forest.n_classes, 70), np.float32)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(forest_module, "MAX_LEAVES", max_leaves)
        sum_votes(
            np.ascontiguousarray(rows.T), 70, forest_module.pack_trees(forest, forest.leaf.T), False, sums
        )
    np.testing.assert_allclose(sums, count_votes(forest, rows).T, rtol=1e-5)


@examples(20)
@given(forest=forests(max_trees=30, max_depth=6), seed=st.integers(0, 2**32 - 1))
def test_votes_that_cannot_change_the_class_are_left_out(forest, seed):
    rows = np.random.default_rng(seed).normal(0, 1e3, (70, forest.n_features)).astype(np.float32)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(forest_module, "MAX_LEAVES", 0)
        patch.setattr(forest_module, "MAX_TWO_LEVELS", -1)
        packed = forest_module.pack_trees(forest, forest_module.votes_against_first(forest))
    classes = np.empty(len(rows), np.uint8)
    classify_collected(np.ascontiguousarray(rows.T), 0, len(rows), packed, classes)
    np.testing.assert_array_equal(classes, count_votes(forest, rows).argmax(axis=1) + 1)


@pytest.mark.parametrize(("until_decided", "n_votes"), [(False, 100), (True, 51)])
def test_a_class_is_decided_once_no_other_can_catch_up(until_decided, n_votes):
    joined = {"feature": [0, -1, -1], "threshold": [0.5, 0, 0], "left": [1, -1, -1], "right": [2, -1, -1]}
    for name, values in joined.items():
        step = 3 if name in ("left", "right") else 0
        joined[name] = [value + step * tree * (value > 0) for tree in range(100) for value in values]
    leaves = [[0, 0], [1, 0], [0, 1]] * 100
    forest = forest_module.Forest(**joined, leaf=leaves, roots=range(0, 300, 3), n_features=1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(forest_module, "MAX_LEAVES", 0)
        patch.setattr(forest_module, "MAX_TWO_LEVELS", -1)
        packed = forest_module.pack_trees(forest, forest_module.votes_against_first(forest))
    sums = np.empty((1, 2), np.float32)
    sum_votes(np.array([[0, 1]], np.float32), 2, packed, until_decided, sums)
    np.testing.assert_array_equal(sums, [[-n_votes, n_votes]])


def test_full_depth_trees_store_equal_votes_once():
    rng = np.random.default_rng(0)
    rows, classes = rng.normal(size=(3000, 6)).astype(np.float32), rng.integers(1, 4, 3000).astype(np.uint8)
    model = RandomForestClassifier(4, random_state=0)
    forest = fit_forest(model, rows, classes)[0]
    trees = forest_module.pack_trees(forest, forest_module.votes_against_first(forest)).deep
    assert trees.tops.first.size == 4 + 1
    assert trees.votes.shape == (2, 3)  # each leaf votes for one of three classes
    found = np.empty(len(rows), np.uint8)
    classify_collected(np.ascontiguousarray(rows.T), 0, len(rows), forest.packed, found)
    np.testing.assert_array_equal(found, model.predict(rows))


@pytest.mark.parametrize(("n_trees", "min_samples_leaf"), [(70, 1), (30, 3)])
@pytest.mark.parametrize("n_classes", [2, 5])
def test_deep_trees_classify_as_scikit_learn(n_trees, min_samples_leaf, n_classes):
    rng = np.random.default_rng(1)
    rows = rng.normal(size=(6000, 9)).astype(np.float32)
    classes = rng.integers(1, n_classes + 1, len(rows)).astype(np.uint8)
    model = RandomForestClassifier(n_trees, random_state=0, min_samples_leaf=min_samples_leaf)
    forest = fit_forest(model, rows[:5000], classes[:5000])[0]
    trees = forest.packed.deep
    assert (np.diff(trees.tops.first) == 32).all()  # 31 splits and one that strikes nothing off
    assert (trees.votes.shape[1] > kernels.MAX_COUNTED) == (min_samples_leaf > 1)  # many different votes
    found = np.empty(len(rows), np.uint8)
    classify_collected(np.ascontiguousarray(rows.T), 0, len(rows), forest.packed, found)
    np.testing.assert_array_equal(found[-200:], count_votes(forest, rows[-200:]).argmax(axis=1) + 1)
    votes = model.predict_proba(rows)
    is_clear = np.diff(np.sort(votes, axis=1)[:, -2:])[:, 0] > 1e-6
    np.testing.assert_array_equal(found[is_clear], votes.argmax(axis=1)[is_clear] + 1)


def test_more_nodes_than_fit_are_refused(monkeypatch):
    rng = np.random.default_rng(0)
    rows, classes = rng.normal(size=(900, 5)).astype(np.float32), rng.integers(1, 3, 900).astype(np.uint8)
    forest = fit_forest(RandomForestClassifier(3, random_state=0), rows, classes)[0]
    monkeypatch.setattr(forest_module, "NODE_BITS", 10)
    monkeypatch.setattr(forest_module, "MAX_LEAVES", 10)
    with pytest.raises(ValueError, match=r"forest: expected at most 128 nodes of deep trees on 8 features"):
        forest_module.pack_trees(forest, forest.leaf.T)


@pytest.mark.parametrize("vote", [1, 0.75, 0.1, 2.0**20])
def test_ties_go_to_the_lowest_class(vote):
    leaves = [[0, 0, 0], [0, 0, vote], [0, vote, 0]]
    stump = {"feature": [0, -1, -1], "threshold": [0.5, 0, 0], "left": [1, -1, -1], "right": [2, -1, -1]}
    joined = {name: values * 2 for name, values in stump.items()}
    for name in ("left", "right"):
        joined[name] = [child + 3 * (at > 2 and child > 0) for at, child in enumerate(joined[name])]
    swapped = [leaves[0], leaves[2], leaves[1]]
    forest = forest_module.Forest(**joined, leaf=leaves + swapped, roots=[0, 3], n_features=1)
    classes = np.empty(4, np.uint8)
    values = np.array([[0, 0.4, 0.6, 1]], np.float32)
    classify_collected(values, 0, 4, forest.packed, classes)
    np.testing.assert_array_equal(classes, 2)
    assert (forest.packed.tolerance < 0) == (vote in (1, 0.75))
