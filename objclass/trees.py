"""A forest in the form that the kernels take."""

from __future__ import annotations

import numpy as np

from .forest import Forest
from .kernels.forest import Trees


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
    asked, thresholds, leaves = _two_levels(forest.roots, feature, threshold, children, int(n_levels.max()))
    return Trees(
        feature=feature,
        threshold=threshold,
        children=children.astype(np.int64),
        leaf=np.ascontiguousarray(votes, np.float32),
        exact_leaf=forest.leaf,
        roots=forest.roots.astype(np.int64),
        n_levels=n_levels,
        asked=asked,
        thresholds=thresholds,
        votes=np.ascontiguousarray(votes[:, leaves], np.float32),
        tolerance=_tolerance(forest),
    )


def _two_levels(
    roots: np.ndarray, feature: np.ndarray, threshold: np.ndarray, children: np.ndarray, depth: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return questions (n_trees, 3), their thresholds, and leaves (n_trees, 4) of trees of two levels."""
    roots = roots if depth <= 2 else roots[:0]
    seconds = children[roots]
    nodes = np.concatenate([roots[:, np.newaxis], seconds], axis=1)
    return feature[nodes], threshold[nodes], children[seconds].reshape(-1, 4)


def _tolerance(forest: Forest) -> np.float32:
    """Bound how far the difference of two fast sums can be from that of the exact ones.

    Each of the n additions to a sum of at most S rounds by at most S · 2⁻²⁴, in the exact sums of two
    classes and in that of their difference, and each vote is rounded once.
    """
    largest = np.maximum.reduceat(forest.leaf.max(axis=1), forest.roots).sum()
    return np.float32(5 * (forest.n_trees + 1) * largest * 2.0**-24)
