import numpy as np
import pytest
from sklearn.ensemble import ExtraTreesClassifier, RandomForestClassifier

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
        _, _, confusion = fit_forest(ours, rows, classes)
        votes = training._votes_out_of_bag(ours, rows)
        np.testing.assert_array_equal(votes, np.nan_to_num(theirs.oob_decision_function_))
        assert confusion.sum() == votes.any(axis=1).sum()
