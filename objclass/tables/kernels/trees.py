"""The sum of the predictions of the trees of a forest, for each row of a matrix."""

from __future__ import annotations

import numpy as np

from objclass._common.parallel import kernel

_ROWS = 64  # their values and a tree fit into the fastest cache


@kernel
def sum_leaves(values, roots, feature, threshold, children, leaves, totals):
    """Add the leaf values that each row of `values` reaches in each tree to the row of `totals`.

    A row goes to the left child if its value is at most the threshold. A node without a feature (-1) is a
    leaf. Some rows descend a tree together, level by level: they do not wait for each other's memory.
    """
    is_leaf = feature < 0
    column = np.where(is_leaf, 0, feature)
    limit = np.where(is_leaf, np.inf, threshold)
    following = children.copy()
    for node in range(len(feature)):
        if is_leaf[node]:
            following[node] = node
    nodes = np.empty(_ROWS, np.int64)
    for start in range(0, len(values), _ROWS):
        n = min(_ROWS, len(values) - start)
        for root in roots:
            nodes[:] = root
            moved = True
            while moved:
                moved = False
                for row in range(n):
                    node = nodes[row]
                    side = 1 - int(values[start + row, column[node]] <= limit[node])
                    nodes[row] = following[node, side]
                    moved |= nodes[row] != node
            for row in range(n):
                for place in range(totals.shape[1]):
                    totals[start + row, place] += leaves[nodes[row], place]
