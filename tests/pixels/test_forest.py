import numpy as np
import pytest
from hypothesis import given

from objclass.pixels.forest import MAX_DEPTH, Forest
from tests.forests import forests

STUMP = {
    "feature": [0, -1, -1],
    "threshold": [7.5, 0, 0],
    "left": [1, -1, -1],
    "right": [2, -1, -1],
    "leaf": [[0, 0], [1, 0], [0, 1]],
    "roots": [0],
    "n_features": 1,
}


def chain(depth):
    """One tree whose right branch is a leaf at every level."""
    nodes = np.arange(2 * depth + 1)
    inner = (nodes % 2 == 0) & (nodes < 2 * depth)
    return Forest(
        feature=np.where(inner, 0, -1),
        threshold=np.zeros(nodes.size),
        left=np.where(inner, nodes + 2, -1),
        right=np.where(inner, nodes + 1, -1),
        leaf=np.where(inner, 0, 1)[:, np.newaxis],
        roots=[0],
        n_features=1,
    )


def test_arrays_have_the_types_that_kernels_expect_and_cannot_be_changed():
    forest = Forest(**STUMP)
    types = {name: str(getattr(forest, name).dtype) for name in STUMP if name != "n_features"}
    assert types == {
        "feature": "int32",
        "threshold": "float32",
        "left": "int32",
        "right": "int32",
        "leaf": "float64",
        "roots": "int32",
    }
    with pytest.raises(ValueError, match="read-only"):
        forest.threshold[0] = 3


def test_counts():
    forest = Forest(**STUMP)
    assert (forest.n_nodes, forest.n_trees, forest.n_classes, forest.depth) == (3, 1, 2, 1)
    assert repr(forest) == "Forest(1 trees, depth 1, 3 nodes, 1 features, 2 classes)"


@given(forests())
def test_levels_follow_from_the_children(forest):
    levels = np.full(forest.n_nodes, -1)
    levels[forest.roots] = 0
    for node in range(forest.n_nodes):
        if forest.feature[node] >= 0:
            levels[[forest.left[node], forest.right[node]]] = levels[node] + 1
    assert forest.levels.tolist() == levels.tolist()
    assert forest.depth == levels.max()


def test_equality_is_that_of_all_arrays():
    assert Forest(**STUMP) == Forest(**STUMP)
    assert Forest(**STUMP) != Forest(**{**STUMP, "threshold": [7.25, 0, 0]})
    assert Forest(**STUMP) != Forest(**{**STUMP, "n_features": 2})
    assert Forest(**STUMP) != "a forest"


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"feature": [1, -1, -1]}, "a feature beyond the 1 features"),
        ({"feature": [0, -2, -1]}, "a feature beyond"),
        ({"left": [0, -1, -1]}, "a child that does not follow its parent"),
        ({"right": [1, -1, -1]}, "not reached exactly once"),
        ({"right": [3, -1, -1]}, "a child that does not follow its parent"),
        ({"right": [2, 2, -1]}, "a leaf with children"),
        ({"leaf": [[1, 0], [1, 0], [0, 1]]}, "an inner node with votes"),
        ({"leaf": [[0, 0], [0, 0], [0, 1]]}, "a leaf without votes"),
        ({"leaf": [[0, 0], [-1, 0], [0, 1]]}, "a negative vote"),
        ({"leaf": [[0, 0], [np.inf, 0], [0, 1]]}, "not finite"),
        ({"threshold": [np.nan, 0, 0]}, "not finite"),
        ({"threshold": [0, 0]}, "arrays that differ in their number of nodes"),
        ({"leaf": [0, 1, 1]}, r"votes of shape \(3,\)"),
        ({"leaf": np.ones((3, 256))}, r"votes of shape \(3, 256\)"),
        ({"roots": []}, "no trees"),
        ({"roots": [0, 1]}, "not reached exactly once"),
    ],
)
def test_invalid_forests_are_refused(change, problem):
    with pytest.raises(ValueError, match=f"forest: expected decision trees, got .*{problem}"):
        Forest(**{**STUMP, **change})


def test_nodes_of_two_trees_do_not_mix():
    mixed = {
        "feature": [0, 0, -1, -1, -1, -1],
        "threshold": [0] * 6,
        "left": [2, 3, -1, -1, -1, -1],
        "right": [4, 5, -1, -1, -1, -1],
        "leaf": [[0], [0], [1], [1], [1], [1]],
        "roots": [0, 1],
        "n_features": 1,
    }
    with pytest.raises(ValueError, match="trees that do not follow each other"):
        Forest(**mixed)
    with pytest.raises(ValueError, match="trees that do not follow each other"):
        Forest(**{**mixed, "left": [2, 4, *[-1] * 4], "right": [3, 5, *[-1] * 4], "roots": [1, 0]})


def test_depth_is_limited():
    assert chain(MAX_DEPTH).depth == MAX_DEPTH
    with pytest.raises(ValueError, match="trees of depth 251, deeper than 250"):
        chain(MAX_DEPTH + 1)
