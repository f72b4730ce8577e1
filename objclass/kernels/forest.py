"""Votes of a forest for many voxels at once, and the class that wins.

Feature values are float32; a voxel goes left where its value is below the threshold. `features` has one
row a feature, so that the loops over voxels run along memory.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from .._parallel import kernel


class Trees(NamedTuple):
    """A forest as the kernels take it.

    The exact votes are there beside those that are summed fast, see `pick_classes`. A leaf's children are
    itself. Where no tree has more than two levels, the forest stands once more in the form of
    `add_two_level_votes`; otherwise `asked` and what belongs to it have no rows.
    """

    feature: np.ndarray
    threshold: np.ndarray
    children: np.ndarray
    leaf: np.ndarray
    exact_leaf: np.ndarray
    roots: np.ndarray
    n_levels: np.ndarray
    asked: np.ndarray
    thresholds: np.ndarray
    votes: np.ndarray
    tolerance: np.float32


@kernel
def add_two_level_votes(features, asked, thresholds, votes, sums):
    """Add the votes of trees of at most two levels for one class.

    Such a tree is three comparisons and three selections, without a branch or a look-up. Two trees share
    each load and store of the sums.

    Parameters
    ----------
    features : float32, (n_features, n)
    asked : int64, (n_trees, 3)
        The features that the root, its left and its right child ask for.
    thresholds : float32, (n_trees, 3)
        Infinite where there is no question: the way is left then.
    votes : float32, (n_trees, 4)
        Of the leaves, from left to right.
    sums : float32, (n,)
        The votes are added to these.
    """
    n, n_trees = sums.size, asked.shape[0]
    for t in range(0, n_trees - 1, 2):
        u = t + 1
        f0, f1, f2 = features[asked[t, 0], :n], features[asked[t, 1], :n], features[asked[t, 2], :n]
        g0, g1, g2 = features[asked[u, 0], :n], features[asked[u, 1], :n], features[asked[u, 2], :n]
        a0, a1, a2 = thresholds[t, 0], thresholds[t, 1], thresholds[t, 2]
        b0, b1, b2 = thresholds[u, 0], thresholds[u, 1], thresholds[u, 2]
        v0, v1, v2, v3 = votes[t, 0], votes[t, 1], votes[t, 2], votes[t, 3]
        w0, w1, w2, w3 = votes[u, 0], votes[u, 1], votes[u, 2], votes[u, 3]
        for i in range(n):
            left = v0 if f1[i] < a1 else v1
            right = v2 if f2[i] < a2 else v3
            vote = left if f0[i] < a0 else right
            left = w0 if g1[i] < b1 else w1
            right = w2 if g2[i] < b2 else w3
            sums[i] += vote + (left if g0[i] < b0 else right)
    if n_trees % 2:
        t = n_trees - 1
        for i in range(n):
            left = votes[t, 0] if features[asked[t, 1], i] < thresholds[t, 1] else votes[t, 1]
            right = votes[t, 2] if features[asked[t, 2], i] < thresholds[t, 2] else votes[t, 3]
            sums[i] += left if features[asked[t, 0], i] < thresholds[t, 0] else right


@kernel
def add_votes(features, feature, threshold, children, leaf, roots, n_levels, nodes, sums):
    """Add the votes of trees of any depth for all classes.

    All voxels of a row go down one level together: their steps do not wait for each other as those of a
    single voxel would, and there is no branch to mispredict. A leaf's children are itself.

    Parameters
    ----------
    features : float32, (n_features, n)
    feature, threshold, children : (n_nodes,), (n_nodes,), (n_nodes, 2)
        The question of each node, and where it leads; a leaf asks for feature 0.
    leaf : float32, (n_classes, n_nodes)
        The votes of each leaf.
    roots, n_levels : int, (n_trees,)
        The first node of each tree, and how many levels of questions it has.
    nodes : int32, (n,)
        Scratch.
    sums : float32, (n_classes, n)
        The votes are added to these.
    """
    n = nodes.size
    for t in range(roots.size):
        nodes[:] = roots[t]
        for _ in range(n_levels[t]):
            for i in range(n):
                node = nodes[i]
                right = np.int64(not features[feature[node], i] < threshold[node])
                nodes[i] = children[node, right]
        for c in range(leaf.shape[0]):
            votes, total = leaf[c], sums[c]
            for i in range(n):
                total[i] += votes[nodes[i]]


@kernel
def sum_votes(features, n, trees, nodes, sums):
    """Set each row of `sums` to the votes for its class, over the first `n` voxels of `features`."""
    for c in range(sums.shape[0]):
        sums[c, :n] = 0
    if trees.asked.shape[0]:
        for c in range(sums.shape[0]):
            add_two_level_votes(features, trees.asked, trees.thresholds, trees.votes[c], sums[c, :n])
    else:
        add_votes(
            features,
            trees.feature,
            trees.threshold,
            trees.children,
            trees.leaf,
            trees.roots,
            trees.n_levels,
            nodes[:n],
            sums,
        )


@kernel
def exact_class(features, i, trees):
    """Return the class of voxel `i`, with every vote rounded as the OpenCL code of a .cl file rounds it.

    There each class has one float32 sum, to which a tree adds its vote in double precision.
    """
    n_classes = trees.exact_leaf.shape[1]
    best, best_sum = 0, np.float32(-1)
    for c in range(n_classes):
        total = np.float32(0)
        for root in trees.roots:
            node = root
            while trees.children[node, 0] != node:
                right = np.int64(not features[trees.feature[node], i] < trees.threshold[node])
                node = trees.children[node, right]
            total = np.float32(np.float64(total) + trees.exact_leaf[node, c])
        if total > best_sum:
            best, best_sum = c, total
    return best + 1


@kernel
def pick_classes(features, n, trees, sums, classes):
    """Write the class with most votes for each of `n` voxels.

    `sums` holds the votes for the classes 2, 3, … minus those for class 1, rounded in another way than the
    exact ones. Where the two best are closer than rounding could turn, the votes are counted exactly.
    """
    for i in range(n):
        best, best_sum, second_sum = 1, np.float32(0), np.float32(-np.inf)
        for c in range(sums.shape[0]):
            total = sums[c, i]
            if total > best_sum:
                best, best_sum, second_sum = c + 2, total, best_sum
            elif total > second_sum:
                second_sum = total
        if best_sum - second_sum <= trees.tolerance:
            best = exact_class(features, i, trees)
        classes[i] = best
