"""A trained random forest as arrays."""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from objclass._common.checks import invalid
from objclass.pixels.kernels.forest import DeepTrees, MaskedTrees, Masks, Trees, TwoLevelTrees

MAX_CLASSES = 255
MAX_DEPTH = 250
MAX_TREES = 100_000
_DTYPES: dict[str, type] = {
    **dict.fromkeys(("feature", "left", "right", "roots"), np.int32),
    "threshold": np.float32,
    "leaf": np.float64,
}


@dataclass(frozen=True, eq=False)
class Forest:
    """Decision trees on features, which vote for classes.

    A voxel goes from a root to ``left`` where ``features[feature] < threshold`` in float32 and to
    ``right`` otherwise, until it reaches a leaf. The votes of the leaves are added to one float32 sum per
    class in tree order, ``sum = float32(float64(sum) + vote)``; the class of the largest sum wins, the
    lower class on a tie. Class ``c`` of the annotations is column ``c - 1`` of `leaf`.

    Parameters
    ----------
    feature : ndarray of int32, shape (n_nodes,)
        The split feature of a node; −1 for a leaf.
    threshold : ndarray of float32, shape (n_nodes,)
        0 for a leaf.
    left, right : ndarray of int32, shape (n_nodes,)
        The children, whose index is higher than that of the node; −1 for a leaf.
    leaf : ndarray of float64, shape (n_nodes, n_classes)
        The votes of a leaf for each class; 0 for an inner node.
    roots : ndarray of int32, shape (n_trees,)
        The first node of each tree, ascending, followed by the other nodes of the tree.
    n_features : int
        The number of features of all channels.

    Raises
    ------
    ValueError
        If the arrays are not a valid forest.

    Examples
    --------
    >>> stump = Forest([0, -1, -1], [7.5, 0, 0], [1, -1, -1], [2, -1, -1], [[0, 0], [1, 0], [0, 1]], [0], 1)
    >>> stump.n_trees, stump.n_classes, stump.depth
    (1, 2, 1)
    """

    feature: np.ndarray
    threshold: np.ndarray
    left: np.ndarray
    right: np.ndarray
    leaf: np.ndarray
    roots: np.ndarray
    n_features: int

    def __post_init__(self) -> None:
        for name, dtype in _DTYPES.items():
            array: np.ndarray = np.array(getattr(self, name), dtype=dtype, order="C")
            array.setflags(write=False)
            object.__setattr__(self, name, array)
        if problem := self._find_problem():
            raise invalid("forest", "decision trees", problem)

    def _find_problem(self) -> str:  # noqa: C901 (a list of conditions)
        n_nodes = self.feature.size
        if self.leaf.ndim != 2 or not 1 <= self.leaf.shape[1] <= MAX_CLASSES:
            return f"votes of shape {self.leaf.shape} instead of (n_nodes, 1 to {MAX_CLASSES} classes)"
        one_per_node = (self.feature, self.threshold, self.left, self.right, self.leaf[:, 0])
        if any(array.shape != (n_nodes,) for array in one_per_node):
            return "arrays that differ in their number of nodes"
        if self.roots.ndim != 1 or self.roots.size == 0 or n_nodes == 0:
            return "no trees"
        if self.feature.min() < -1 or self.feature.max() >= self.n_features:
            return f"a feature beyond the {self.n_features} features"
        votes = np.einsum("nc->n", self.leaf)  # much faster than leaf.sum(axis=1)
        if not np.isfinite(self.threshold).all() or not np.isfinite(votes).all() or self.leaf.min() < 0:
            return "a threshold or a vote that is not finite, or a negative vote"
        inner = self.feature >= 0
        parents, leaves = np.flatnonzero(inner), np.flatnonzero(~inner)
        if (self.left[leaves] != -1).any() or (self.right[leaves] != -1).any() or votes[parents].any():
            return "a leaf with children, or an inner node with votes"
        if not votes[leaves].all():
            return "a leaf without votes"
        children = np.stack([self.left[parents], self.right[parents]])
        if (children <= parents).any() or (children >= n_nodes).any():
            return "a child that does not follow its parent"
        if (np.diff(self.roots, prepend=-1) <= 0).any():
            return "trees that do not follow each other"
        reached = np.bincount(np.append(self.roots, children), minlength=n_nodes)
        if reached.size > n_nodes or (reached != 1).any():
            return "a node that is not reached exactly once"
        tree_of_node = np.repeat(np.arange(self.n_trees), np.diff(self.roots, append=n_nodes))
        if (tree_of_node[children] != tree_of_node[parents]).any():
            return "trees that do not follow each other"
        if self.depth > MAX_DEPTH:
            return f"trees of depth {self.depth}, deeper than {MAX_DEPTH}"
        return ""

    @cached_property
    def packed(self) -> Trees:
        """The trees in the form for the kernels, with votes relative to the first class."""
        return pack_trees(self, votes_against_first(self))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Forest):
            return NotImplemented
        same = all(np.array_equal(getattr(self, name), getattr(other, name)) for name in _DTYPES)
        return same and self.n_features == other.n_features

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return (
            f"Forest({self.n_trees} trees, depth {self.depth}, {self.n_nodes} nodes, "
            f"{self.n_features} features, {self.n_classes} classes)"
        )

    @property
    def n_nodes(self) -> int:
        """The number of nodes of all trees."""
        return self.feature.size

    @property
    def n_trees(self) -> int:
        """The number of trees."""
        return self.roots.size

    @property
    def n_classes(self) -> int:
        """The number of classes: the highest class that can be voted for."""
        return self.leaf.shape[1]

    @cached_property
    def levels(self) -> np.ndarray:
        """The level of each node, 0 for a root: an int32 array of shape (n_nodes,)."""
        levels = np.zeros(self.n_nodes, np.int32)
        nodes, level = self.roots, 0
        while (inner := np.flatnonzero(self.feature[nodes] >= 0)).size:
            parents, level = nodes[inner], level + 1
            nodes = np.concatenate([self.left[parents], self.right[parents]])
            levels[nodes] = level
        return levels

    @property
    def depth(self) -> int:
        """The number of splits on the longest path from a root to a leaf."""
        return int(self.levels.max())


BLOCK = 32
MAX_TWO_LEVELS = 2
MAX_LEAVES = 192
NODE_BITS = 32  # of the number of a node and that of its feature together
VOTE_UNITS = 2**10  # sums of few votes that are multiples of 1 / VOTE_UNITS are exact in float32


def votes_against_first(forest: Forest) -> np.ndarray:
    """Return the votes of each leaf for classes 2, 3, … minus those for class 1: (n − 1, n_nodes)."""
    return (forest.leaf[:, 1:] - forest.leaf[:, :1]).T


def votes_of_total(forest: Forest, classes: Sequence[int]) -> np.ndarray:
    """Return the votes of each leaf for the given classes, and for all classes: (2, n_nodes)."""
    wanted = forest.leaf[:, np.array(classes) - 1].sum(axis=1)
    return np.stack([wanted, forest.leaf.sum(axis=1)])


def pack_trees(forest: Forest, votes: np.ndarray, used: np.ndarray | None = None) -> Trees:
    """Return the trees in the form for the kernels.

    Parameters
    ----------
    forest : Forest
    votes : ndarray, (n_sums, n_nodes)
        What each leaf adds to each of the sums that the kernel makes.
    used : ndarray of int, optional
        The computed features, in ascending order; by default all.
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
    has_two = np.full(forest.n_trees, n_levels.max() <= MAX_TWO_LEVELS)
    is_masked = ~has_two & (n_leaves <= MAX_LEAVES)
    is_deep = ~has_two & ~is_masked
    votes = np.ascontiguousarray(votes, np.float32)
    first_block, splits, leaves = _pack_masks(forest, np.flatnonzero(is_masked), inner, feature, threshold)
    return Trees(
        feature=feature,
        threshold=threshold,
        children=children.astype(np.int64),
        exact_leaf=forest.leaf,
        roots=forest.roots.astype(np.int64),
        tolerance=_tolerance(forest),
        two_levels=_pack_two_levels(forest.roots[has_two], feature, threshold, children, votes),
        masked=MaskedTrees(first_block, splits, np.ascontiguousarray(votes[:, leaves])),
        deep=_pack_deep(forest, np.flatnonzero(is_deep), feature, threshold, votes),
    )


def _pack_deep(
    forest: Forest, trees: np.ndarray, feature: np.ndarray, threshold: np.ndarray, votes: np.ndarray
) -> DeepTrees:
    """Put the nodes of each tree level by level, so that siblings follow each other."""
    levels = [forest.roots[trees].astype(np.int64)]
    while (inner := levels[-1][forest.feature[levels[-1]] >= 0]).size:
        levels.append(np.stack([forest.left[inner], forest.right[inner]], axis=1).ravel().astype(np.int64))
    order = np.concatenate(levels)
    tree_of_node = np.searchsorted(forest.roots[trees], order, side="right") - 1
    order = order[np.argsort(tree_of_node, kind="stable")]
    place = np.zeros(forest.n_nodes, np.uint32)
    place[order] = np.arange(order.size)
    is_leaf = forest.feature[order] < 0
    bits = int(feature[order].max(initial=0)).bit_length()
    if order.size > 2 ** (NODE_BITS - bits):
        expected = f"at most {2 ** (NODE_BITS - bits):,} nodes of deep trees on {2**bits} features"
        hint = "Train with a smaller max_depth, or with fewer annotations."
        raise invalid("forest", expected, f"{order.size:,}", hint)
    nodes = np.zeros((order.size, 2), np.uint32)
    nodes[:, 0] = np.where(is_leaf, np.arange(order.size), place[forest.left[order]]) << bits
    nodes[:, 0] |= feature[order].astype(np.uint32)
    nodes[:, 1] = threshold[order].view(np.uint32)
    columns = np.zeros(order.size, np.uint32)
    different, columns[is_leaf] = _different_columns(votes[:, order[is_leaf]])
    _, tops, slots = _pack_masks(forest, trees, _find_tops(forest, trees), feature, threshold)
    numbers = nodes.ravel()
    return DeepTrees(
        tops,
        starts=place[slots],
        margins=_margins(forest, trees),
        nodes=numbers,
        thresholds=numbers.view(np.float32),
        feature_bits=np.uint32(bits),
        columns=columns,
        votes=different,
    )


def _margins(forest: Forest, trees: np.ndarray) -> np.ndarray:
    """Return by how much the first two classes can come closer through each of the trees and all behind it.

    They include the error of the sums before.
    """
    of_leaf = np.ptp(forest.leaf, axis=1)
    of_tree = np.maximum.reduceat(of_leaf, forest.roots)[trees]
    margins = np.cumsum(of_tree[::-1])[::-1] + max(_tolerance(forest), 0)
    return np.nextafter(margins.astype(np.float32), np.float32(np.inf))


def _find_tops(forest: Forest, trees: np.ndarray) -> np.ndarray:
    """Return which nodes are splits of a top: of each tree up to 31, those above the most leaves."""
    n_leaves = (forest.feature < 0).astype(np.int64)
    by_level = np.argsort(forest.levels, kind="stable")[::-1]
    for nodes in np.split(by_level, np.flatnonzero(np.diff(forest.levels[by_level])) + 1):
        inner = nodes[forest.feature[nodes] >= 0]
        n_leaves[inner] = n_leaves[forest.left[inner]] + n_leaves[forest.right[inner]]
    is_top = np.zeros(forest.n_nodes, bool)
    for root in forest.roots[trees]:
        waiting = [(-n_leaves[root], root)]
        while len(waiting) < BLOCK and waiting[0][0] < -1:
            _, node = heapq.heappop(waiting)
            is_top[node] = True
            for child in (forest.left[node], forest.right[node]):
                heapq.heappush(waiting, (-n_leaves[child], child))
    return is_top


def _different_columns(votes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the different columns of an array, and the index of each column among them."""
    import pandas as pd

    number = np.zeros(votes.shape[1], np.int64)
    for row in votes:
        of_row, values = pd.factorize(row)
        number = pd.factorize(number * len(values) + of_row)[0]
    first = np.zeros(number.max(initial=-1) + 1, np.int64)
    first[number[::-1]] = np.arange(number.size)[::-1]
    return np.ascontiguousarray(votes[:, first]), number


def _pack_two_levels(
    roots: np.ndarray, feature: np.ndarray, threshold: np.ndarray, children: np.ndarray, votes: np.ndarray
) -> TwoLevelTrees:
    seconds = children[roots]
    nodes = np.concatenate([roots[:, np.newaxis], seconds], axis=1)
    leaves = children[seconds].reshape(-1, 4)
    return TwoLevelTrees(feature[nodes], threshold[nodes], np.ascontiguousarray(votes[:, leaves]))


def _pack_masks(
    forest: Forest, trees: np.ndarray, is_split: np.ndarray, feature: np.ndarray, threshold: np.ndarray
) -> tuple[np.ndarray, Masks, np.ndarray]:
    """Return the first block of each tree, the splits of all blocks, and the nodes that are their leaves.

    Nodes that are no splits, according to `is_split`, are leaves.
    """
    first_block, first = [0], [0]
    split_feature: list[int] = []
    thresholds: list[float] = []
    masks: list[int] = []
    leaf_of_slot: list[int] = []
    for root in forest.roots[trees]:
        nodes, ranges = _leaf_ranges(forest, root, is_split)
        leaves = [node for node in nodes if not is_split[node]]
        inner = [node for node in nodes if is_split[node]]
        for start in range(0, len(leaves), BLOCK):
            for node in inner:
                struck = ranges[forest.left[node]]
                here = range(max(struck.start, start), min(struck.stop, start + BLOCK))
                if here:
                    split_feature.append(feature[node])
                    thresholds.append(threshold[node])
                    masks.append(2**BLOCK - 1 - sum(1 << (leaf - start) for leaf in here))
            if len(split_feature) % 2:
                split_feature.append(0)
                thresholds.append(np.inf)
                masks.append(2**BLOCK - 1)
            first.append(len(split_feature))
            block = leaves[start : start + BLOCK]
            leaf_of_slot += block + block[:1] * (BLOCK - len(block))
        first_block.append(len(first) - 1)
    splits = Masks(
        np.array(first, np.int64),
        np.array(split_feature, np.int64),
        np.array(thresholds, np.float32),
        np.array(masks, np.uint32),
    )
    return np.array(first_block, np.int64), splits, np.array(leaf_of_slot, np.int64)


def _leaf_ranges(forest: Forest, root: int, is_split: np.ndarray) -> tuple[list[int], dict[int, range]]:
    """Return the nodes of a tree, left before right, and the range of leaf numbers below each of them."""
    nodes, waiting = [], [root]
    while waiting:
        node = waiting.pop()
        nodes.append(node)
        if is_split[node]:
            waiting += [forest.right[node], forest.left[node]]
    ranges: dict[int, range] = {}
    n_leaves = sum(not is_split[node] for node in nodes)
    for node in reversed(nodes):
        if is_split[node]:
            ranges[node] = range(ranges[forest.left[node]].start, ranges[forest.right[node]].stop)
        else:
            n_leaves -= 1
            ranges[node] = range(n_leaves, n_leaves + 1)
    return nodes, ranges


def _tolerance(forest: Forest) -> np.float32:
    """Return an error bound of the difference of two fast sums, negative if none of them rounds.

    Each of the n additions to a sum of at most S rounds by at most S · 2⁻²⁴, in the exact sums of two
    classes and in that of their difference, and each vote is rounded once.
    """
    largest = np.maximum.reduceat(forest.leaf.max(axis=1), forest.roots).sum()
    units = forest.leaf * VOTE_UNITS
    if largest * VOTE_UNITS < 2**24 and (units == np.rint(units)).all():
        return np.float32(-1)
    return np.float32(5 * (forest.n_trees + 1) * largest * 2.0**-24)
