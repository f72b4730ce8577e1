"""The sum of what the trees of a forest say, for each row of a matrix."""

from __future__ import annotations

from objclass._common.parallel import kernel


@kernel
def sum_leaves(values, roots, feature, threshold, children, leaves, totals):
    """Add to each row of `totals` the leaves that the row of `values` comes to, tree after tree.

    A row goes to the left child where its value is at most the threshold; a node without a feature (-1) is
    a leaf.
    """
    for row in range(values.shape[0]):
        for root in roots:
            node = root
            while feature[node] >= 0:
                side = 0 if values[row, feature[node]] <= threshold[node] else 1
                node = children[node, side]
            for place in range(totals.shape[1]):
                totals[row, place] += leaves[node, place]
