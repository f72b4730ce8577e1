"""Forests of any shape, for property tests."""

import numpy as np
from hypothesis import strategies as st

from objclass.pixels.forest import Forest

VOTES = st.floats(0, 1e6, width=32).filter(lambda vote: vote != 1.0)


@st.composite
def forests(draw, max_trees=5, max_depth=5):
    """Forests whose nodes are numbered as in a file: a node, its left branch, its right branch."""
    n_features, n_classes = draw(st.integers(1, 12)), draw(st.integers(1, 4))
    feature, threshold, left, right, leaf, roots = [], [], [], [], [], []

    def grow(level):
        node = len(feature)
        is_leaf = level == max_depth or (level > 0 and draw(st.booleans()))
        feature.append(-1 if is_leaf else draw(st.integers(0, n_features - 1)))
        threshold.append(0 if is_leaf else draw(st.floats(width=32, allow_nan=False, allow_infinity=False)))
        votes = draw(st.lists(VOTES, min_size=n_classes, max_size=n_classes)) if is_leaf else [0] * n_classes
        if is_leaf and not any(votes):
            votes[draw(st.integers(0, n_classes - 1))] = 1
        leaf.append(votes)
        left.append(-1)
        right.append(-1)
        if not is_leaf:
            left[node] = grow(level + 1)
            right[node] = grow(level + 1)
        return node

    for _ in range(draw(st.integers(1, max_trees))):
        roots.append(grow(0))
    return Forest(feature, threshold, left, right, leaf, roots, n_features)


def count_votes(forest, rows):
    """The votes for each row and class, by the definition: each tree, from its root to a leaf."""
    rows = np.asarray(rows, np.float32)
    sums = np.zeros((len(rows), forest.n_classes), np.float32)
    for root in forest.roots:
        nodes = np.full(len(rows), root)
        while (at := np.flatnonzero(forest.feature[nodes] >= 0)).size:
            inner = nodes[at]
            goes_left = rows[at, forest.feature[inner]] < forest.threshold[inner]
            nodes[at] = np.where(goes_left, forest.left[inner], forest.right[inner])
        sums[:] = sums.astype(float) + forest.leaf[nodes]
    return sums
