import numpy as np
import pytest
from sklearn.ensemble import ExtraTreesClassifier, RandomForestClassifier
from sklearn.metrics import confusion_matrix

from objclass.pixels import training
from objclass.pixels.training import fit_forest


@pytest.mark.parametrize("kind", [RandomForestClassifier, ExtraTreesClassifier])
@pytest.mark.parametrize("class_weight", [None, "balanced"])
@pytest.mark.filterwarnings("ignore:Some inputs do not have OOB scores")
def test_votes_out_of_bag_are_those_of_scikit_learn(kind, class_weight, monkeypatch):
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(500, 6)).astype(np.float32)
    classes = rng.choice([1, 2, 4], 500, p=[0.7, 0.2, 0.1]).astype(np.uint8)
    options = {"class_weight": class_weight, "bootstrap": True, "min_samples_leaf": 3, "random_state": 0}
    monkeypatch.setattr(training, "_ROWS_OUT_OF_BAG", 64)
    for n_trees in (3, 40):  # with few, some rows were seen by every tree
        theirs = kind(n_trees, oob_score=True, **options).fit(rows, classes)
        ours = kind(n_trees, **options)
        forest, _, confusion = fit_forest(ours, rows, classes)
        votes = training._votes_out_of_bag(ours, forest, rows)
        expected = np.nan_to_num(theirs.oob_decision_function_)
        np.testing.assert_array_equal(votes[:, [0, 1, 3]], expected)
        voted = expected.any(axis=1)
        given = theirs.classes_[expected.argmax(axis=1)]
        np.testing.assert_array_equal(confusion, confusion_matrix(classes[voted], given[voted]))


def leaves_of(forest, rows):
    """The leaf of each tree that each row reaches."""
    at = np.repeat(forest.roots[np.newaxis].astype(int), len(rows), axis=0)
    while (inner := forest.feature[at] >= 0).any():
        left = np.take_along_axis(rows, np.maximum(forest.feature[at], 0), axis=1) < forest.threshold[at]
        at = np.where(inner, np.where(left, forest.left[at], forest.right[at]), at)
    return at


def test_a_forest_of_ranks_has_the_same_splits_on_the_values():
    rng = np.random.default_rng(0)
    values = rng.lognormal(sigma=3, size=(300, 5)).astype(np.float32)
    values[:, 1] = values[:, 1].round()  # many ties
    values[:, 2] = 7  # nothing to split
    values[:, 3] = np.where(rng.random(300) < 0.5, 1, np.nextafter(np.float32(1), np.float32(2)))
    ranks = training.Ranks(values)
    trees = ExtraTreesClassifier(20, max_features=1, random_state=0, bootstrap=True)
    forest = fit_forest(trees, ranks.rows, rng.integers(1, 4, 300).astype(np.uint8))[0]
    on_values = ranks.to_values(forest)
    np.testing.assert_array_equal(leaves_of(on_values, values), leaves_of(forest, ranks.rows))
