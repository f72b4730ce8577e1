"""A forest in the form that the kernels take."""

from __future__ import annotations

import numpy as np

from .forest import Forest
from .kernels.forest import DeepTrees, MaskedTrees, Trees, TwoLevelTrees

BLOCK = 32
MAX_LEAVES = 384


def votes_against_first(forest: Forest) -> np.ndarray:
    """Return what each leaf votes for classes 2, 3, … beyond what it votes for class 1: (n − 1, n_nodes)."""
    return (forest.leaf[:, 1:] - forest.leaf[:, :1]).T


def votes_of_total(forest: Forest, target_class: int) -> np.ndarray:
    """Return what each leaf votes for one class, and for all classes together: (2, n_nodes)."""
    return np.stack([forest.leaf[:, target_class - 1], forest.leaf.sum(axis=1)])


def pack_trees(forest: Forest, votes: np.ndarray, used: np.ndarray | None = None) -> Trees:
    """Return the arrays that the kernels take.

    Parameters
    ----------
    forest : Forest
    votes : ndarray, (n_sums, n_nodes)
        What each leaf adds to each of the sums that the kernel makes.
    used : ndarray of int, optional
        The features that are computed, in ascending order; without it, all.
    """
    used = np.arange(forest.n_features) if used is None else used
    inner = forest.feature >= 0
    itself = np.arange(forest.n_nodes)
    feature = np.where(inner, np.searchsorted(used, forest.feature), 0).astype(np.int64)
    threshold = np.where(inner, forest.threshold, np.inf).astype(np.float32)
    children = np.stack([np.where(inner, forest.left, itself), np.where(inner, forest.right, itself)], axis=1)
    tree_of_node = np.searchsorted(forest.roots, itself, side="right") - 1
    n_levels = np.zeros(forest.n_trees, np.int64)
    np.maximum.at(n_levels, tree_of_node, forest.levels)
    n_leaves = np.bincount(tree_of_node[~inner], minlength=forest.n_trees)
    has_two = np.full(forest.n_trees, n_levels.max() <= 2)
    is_masked = ~has_two & (n_leaves <= MAX_LEAVES)
    is_deep = ~has_two & ~is_masked
    votes = np.ascontiguousarray(votes, np.float32)
    return Trees(
        feature=feature,
        threshold=threshold,
        children=children.astype(np.int64),
        exact_leaf=forest.leaf,
        roots=forest.roots.astype(np.int64),
        tolerance=_tolerance(forest),
        two_levels=_pack_two_levels(forest.roots[has_two], feature, threshold, children, votes),
        masked=_pack_masked(forest, np.flatnonzero(is_masked), feature, threshold, votes),
        deep=DeepTrees(forest.roots[is_deep].astype(np.int64), n_levels[is_deep], votes),
    )


def _pack_two_levels(
    roots: np.ndarray, feature: np.ndarray, threshold: np.ndarray, children: np.ndarray, votes: np.ndarray
) -> TwoLevelTrees:
    seconds = children[roots]
    nodes = np.concatenate([roots[:, np.newaxis], seconds], axis=1)
    leaves = children[seconds].reshape(-1, 4)
    return TwoLevelTrees(feature[nodes], threshold[nodes], np.ascontiguousarray(votes[:, leaves]))


def _pack_masked(
    forest: Forest, trees: np.ndarray, feature: np.ndarray, threshold: np.ndarray, votes: np.ndarray
) -> MaskedTrees:
    ends = np.append(forest.roots, forest.n_nodes)
    first_block, first_question = [0], [0]
    asked: list[int] = []
    thresholds: list[float] = []
    masks: list[int] = []
    leaf_of_slot: list[int] = []
    for tree in trees:
        nodes, ranges = _leaf_ranges(forest, ends[tree])
        leaves = [node for node in nodes if forest.feature[node] < 0]
        inner = [node for node in nodes if forest.feature[node] >= 0]
        for start in range(0, len(leaves), BLOCK):
            for node in inner:
                struck = ranges[forest.left[node]]
                here = range(max(struck.start, start), min(struck.stop, start + BLOCK))
                if here:
                    asked.append(feature[node])
                    thresholds.append(threshold[node])
                    masks.append(2**BLOCK - 1 - sum(1 << (leaf - start) for leaf in here))
            if len(asked) % 2:
                asked.append(0)
                thresholds.append(np.inf)
                masks.append(2**BLOCK - 1)
            first_question.append(len(asked))
            block = leaves[start : start + BLOCK]
            leaf_of_slot += block + block[:1] * (BLOCK - len(block))
        first_block.append(len(first_question) - 1)
    return MaskedTrees(
        np.array(first_block, np.int64),
        np.array(first_question, np.int64),
        np.array(asked, np.int64),
        np.array(thresholds, np.float32),
        np.array(masks, np.uint32),
        np.ascontiguousarray(votes[:, leaf_of_slot]),
    )


def _leaf_ranges(forest: Forest, root: int) -> tuple[list[int], dict[int, range]]:
    """Return the nodes of a tree, left before right, and the range of leaf numbers below each of them."""
    nodes, waiting = [], [root]
    while waiting:
        node = waiting.pop()
        nodes.append(node)
        if forest.feature[node] >= 0:
            waiting += [forest.right[node], forest.left[node]]
    ranges: dict[int, range] = {}
    n_leaves = sum(forest.feature[node] < 0 for node in nodes)
    for node in reversed(nodes):
        if forest.feature[node] < 0:
            n_leaves -= 1
            ranges[node] = range(n_leaves, n_leaves + 1)
        else:
            ranges[node] = range(ranges[forest.left[node]].start, ranges[forest.right[node]].stop)
    return nodes, ranges


def _tolerance(forest: Forest) -> np.float32:
    """Bound how far the difference of two fast sums can be from that of the exact ones.

    Each of the n additions to a sum of at most S rounds by at most S · 2⁻²⁴, in the exact sums of two
    classes and in that of their difference, and each vote is rounded once.
    """
    largest = np.maximum.reduceat(forest.leaf.max(axis=1), forest.roots).sum()
    return np.float32(5 * (forest.n_trees + 1) * largest * 2.0**-24)
