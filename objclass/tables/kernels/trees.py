"""The sum of the predictions of the trees of a forest, for each row of a matrix."""

from __future__ import annotations

from objclass._common.parallel import kernel


@kernel
def sum_leaves(values, roots, feature, threshold, children, leaves, totals):
    """Add the leaf values that each row of `values` reaches in each tree to the row of `totals`.

    A row goes to the left child if its value is at most the threshold. A node without a feature (-1) is a
    leaf.
    """
    for row in range(values.shape[0]):
        for root in roots:
            node = root
            while feature[node] >= 0:
                side = 0 if values[row, feature[node]] <= threshold[node] else 1
                node = children[node, side]
            for place in range(totals.shape[1]):
                totals[row, place] += leaves[node, place]
