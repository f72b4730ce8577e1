"""Votes of a forest for many voxels at once, and the class that wins.

Feature values are float32; a voxel goes left where its value is below the threshold. `features` has one
row a feature, so that the loops over voxels run along memory.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from objclass._common.parallel import kernel

MAX_COUNTED = 16
"""The highest number of different votes that are counted before they are added."""
CHECK = 8
"""From the middle of the deep trees on, voxels whose class is certain are left out after this many trees."""


class TwoLevelTrees(NamedTuple):
    """Trees of at most two levels.

    `split_feature` (n_trees, 3) are the features of the root, its left and its right child. Without a split,
    the threshold is infinite, which selects the left child. `votes` (n_sums, n_trees, 4) are those of the
    leaves from left to right.
    """

    split_feature: np.ndarray
    thresholds: np.ndarray
    votes: np.ndarray


class Masks(NamedTuple):
    """Splits that strike leaves off: for each of several blocks of 32 leaves, numbered from left to right.

    The splits of block b are ``first[b]`` to ``first[b + 1]`` (exclusive), an even number. `masks` clear the
    bits of the left leaves of a split.
    """

    first: np.ndarray
    feature: np.ndarray
    thresholds: np.ndarray
    masks: np.ndarray


class MaskedTrees(NamedTuple):
    """Trees of at most a few hundred leaves, divided into blocks of 32.

    The blocks of tree t are ``first_block[t]`` to ``first_block[t + 1]`` (exclusive). `votes` are
    (n_sums, 32 · n_blocks).
    """

    first_block: np.ndarray
    splits: Masks
    votes: np.ndarray


class DeepTrees(NamedTuple):
    """Trees of any size: their tops, nodes, and votes.

    The top of a tree is a block of 32 leaves, from which a voxel goes on at a node: `starts` (32 · n_trees,).
    A node is two numbers in a row, its left child, followed by the right one, and feature:
    ``child << feature_bits | feature``, and its threshold. `nodes` (2 · n_nodes,) holds them as integers;
    `thresholds` is the same memory as float32. A leaf has an infinite threshold and is its own left child;
    `columns` (n_nodes,) are those of its votes. `votes` (n_sums, n_different) hold equal votes once. A class
    that leads by more than ``margins[t]`` before tree t wins, whatever that tree and the later ones vote for:
    `margins` (n_trees,).
    """

    tops: Masks
    starts: np.ndarray
    margins: np.ndarray
    nodes: np.ndarray
    thresholds: np.ndarray
    feature_bits: np.uint32
    columns: np.ndarray
    votes: np.ndarray


class Trees(NamedTuple):
    """A forest in the form for the kernels.

    Each tree is stored in one of three layouts: with two levels (`add_two_level_votes`), with few leaves
    (`add_masked_tree_votes`) or any (`add_deep_tree_votes`). `roots`, `exact_leaf` and their nodes contain
    all trees, for `exact_class`; a leaf is its own child.
    """

    feature: np.ndarray
    threshold: np.ndarray
    children: np.ndarray
    exact_leaf: np.ndarray
    roots: np.ndarray
    tolerance: np.float32
    two_levels: TwoLevelTrees
    masked: MaskedTrees
    deep: DeepTrees


@kernel
def votes(trees, row, t):
    """Return the votes of the four leaves of tree `t`."""
    return trees.votes[row, t, 0], trees.votes[row, t, 1], trees.votes[row, t, 2], trees.votes[row, t, 3]


@kernel
def add_two_level_votes(features, n, trees, row, sums):
    """Add the votes of trees of at most two levels.

    Such a tree is three comparisons and three selections, without a branch or a look-up. Two trees share
    each load and store of the sums.

    Parameters
    ----------
    features : float32, (n_features, at least n)
    n : int
    trees : TwoLevelTrees
    row : int
        Which of the sums.
    sums : float32, (n_sums, at least n)
        The votes are added to these.
    """
    n_trees = trees.split_feature.shape[0]
    for t in range(0, n_trees - 1, 2):
        f0, f1, f2 = trees.split_feature[t, 0], trees.split_feature[t, 1], trees.split_feature[t, 2]
        g0, g1, g2 = (
            trees.split_feature[t + 1, 0],
            trees.split_feature[t + 1, 1],
            trees.split_feature[t + 1, 2],
        )
        a0, a1, a2 = trees.thresholds[t, 0], trees.thresholds[t, 1], trees.thresholds[t, 2]
        b0, b1, b2 = trees.thresholds[t + 1, 0], trees.thresholds[t + 1, 1], trees.thresholds[t + 1, 2]
        v0, v1, v2, v3 = votes(trees, row, t)
        w0, w1, w2, w3 = votes(trees, row, t + 1)
        for i in range(n):
            left = v0 if features[f1, i] < a1 else v1
            right = v2 if features[f2, i] < a2 else v3
            vote = left if features[f0, i] < a0 else right
            left = w0 if features[g1, i] < b1 else w1
            right = w2 if features[g2, i] < b2 else w3
            sums[row, i] += vote + (left if features[g0, i] < b0 else right)
    if n_trees % 2:
        t = n_trees - 1
        f0, f1, f2 = trees.split_feature[t, 0], trees.split_feature[t, 1], trees.split_feature[t, 2]
        a0, a1, a2 = trees.thresholds[t, 0], trees.thresholds[t, 1], trees.thresholds[t, 2]
        v0, v1, v2, v3 = votes(trees, row, t)
        for i in range(n):
            left = v0 if features[f1, i] < a1 else v1
            right = v2 if features[f2, i] < a2 else v3
            sums[row, i] += left if features[f0, i] < a0 else right


@kernel
def find_leaves(features, n, splits, block, reachable, lowest, leaves):
    """Set `leaves` to the leaves of the first `n` voxels, for those that are in a block of 32.

    All splits are evaluated, in any order: a false condition clears the bits of the leaves of the left child
    in a mask, and the leftmost remaining leaf is that of the voxel. This is QuickScorer (C. Lucchese et al.,
    SIGIR 2015, https://doi.org/10.1145/2766462.2767733), with one voxel per vector lane.
    """
    for i in range(n):
        reachable[i] = 0xFFFFFFFF
    for split in range(splits.first[block], splits.first[block + 1], 2):
        f0, f1 = splits.feature[split], splits.feature[split + 1]
        a0, a1 = splits.thresholds[split], splits.thresholds[split + 1]
        m0, m1 = splits.masks[split], splits.masks[split + 1]
        for i in range(n):
            yes0, yes1 = reachable[i], np.uint32(0xFFFFFFFF)
            no0 = yes0 & m0
            first = yes0 if features[f0, i] < a0 else no0
            reachable[i] = first & (yes1 if features[f1, i] < a1 else m1)
    # The exponent of a power of two, the lowest bit that is set, is the number of that bit.
    exponents = lowest.view(np.uint32)
    for i in range(n):
        lowest[i] = np.float32(np.uint32(reachable[i] & (~reachable[i] + np.uint32(1))))
    zero = np.uint32(32 * block - 127)
    for i in range(n):
        leaf = np.uint32(zero + (exponents[i] >> np.uint32(23)))
        leaves[i] = leaf if reachable[i] else leaves[i]


@kernel
def add_masked_tree_votes(features, n, trees, reachable, lowest, leaves, sums):
    """Add the votes of trees with few leaves.

    The time is proportional to the number of leaves, but it is faster than a traversal with random memory
    access.

    Parameters
    ----------
    features : float32, (n_features, at least n)
    n : int
    trees : MaskedTrees
    reachable, leaves : uint32, (n,)
        Scratch.
    lowest : float32, (n,)
        Scratch.
    sums : float32, (n_sums, at least n)
        The votes are added to these.
    """
    for t in range(trees.first_block.size - 1):
        for block in range(trees.first_block[t + 1] - 1, trees.first_block[t] - 1, -1):
            find_leaves(features, n, trees.splits, block, reachable, lowest, leaves)
        for c in range(sums.shape[0]):
            for i in range(n):
                sums[c, i] += trees.votes[c, leaves[i]]


@kernel
def go_down(values, stride, trees, n, voxels, nodes):
    """Let the first `n` of `voxels` go down a level from their nodes."""
    bits, mask = trees.feature_bits, (np.uint32(1) << trees.feature_bits) - np.uint32(1)
    for i in range(n):
        at = np.uintp(2) * np.uintp(nodes[i])
        word = trees.nodes[at]
        value = values[np.uintp(word & mask) * np.uintp(stride) + np.uintp(voxels[i])]
        nodes[i] = (word >> bits) + np.uint32(not value < trees.thresholds[at + np.uintp(1)])


@kernel
def add_counted(counts, n, votes, sums):
    """Add the votes counted in `counts` (n_different, at least n) to the sums, and count anew."""
    for column in range(counts.shape[0]):
        for c in range(sums.shape[0]):
            vote = votes[c, column]
            for i in range(n):
                sums[c, i] += vote * np.float32(counts[column, i])
        counts[column, :n] = 0


@kernel
def keep_undecided(sums, margin, n, voxels):
    """Keep those of the first `n` of `voxels` whose best class leads by at most `margin`; return how many."""
    n_left = np.int64(0)
    for i in range(n):
        voxel = np.uintp(voxels[i])
        best, second = np.float32(0), np.float32(-np.inf)
        for c in range(sums.shape[0]):
            total = sums[c, voxel]
            second = max(second, min(best, total))
            best = max(best, total)
        voxels[np.uintp(n_left)] = voxel
        n_left += np.int64(best - second <= margin)
    return n_left


@kernel
def add_deep_tree_votes(features, n, trees, until_decided, voxels, nodes, lowest, leaves, sums):
    """Add the votes of trees of any depth.

    The top of a tree is evaluated as a block of leaves. Below, all voxels of a row go down together: their
    steps do not wait for each other as those of a single voxel would, and there is no branch to mispredict.
    Those at a leaf are sorted out after four levels and then every two; from the middle of the trees on also
    those whose class is certain. Few different votes, as those of full-depth trees, are counted first and
    multiplied later.

    Parameters
    ----------
    features : float32, (n_features, at least n)
    n : int
    trees : DeepTrees
    until_decided : bool
        Whether the votes for a voxel may end once its class is certain. The sums are those for classes
        2, 3, … minus those for class 1 then, and all other trees have voted.
    voxels, nodes, leaves : uint32, (n,)
        Scratch.
    lowest : float32, (n,)
        Scratch.
    sums : float32, (n_sums, at least n)
        The votes are added to these.
    """
    stride, values = features.shape[1], features.reshape(-1)
    n_different = trees.votes.shape[1]
    counts = np.zeros((n_different if n_different <= MAX_COUNTED else 0, n), np.uint32)
    undecided, n_undecided = np.arange(n).astype(np.uint32), n
    middle = trees.margins.size // 2
    for t in range(trees.margins.size):
        if until_decided and t > middle and (t - middle) % CHECK == 1:
            add_counted(counts, n, trees.votes, sums)
            n_undecided = keep_undecided(sums, trees.margins[t], n_undecided, undecided)
            if not n_undecided:
                break
        find_leaves(features, n, trees.tops, t, voxels, lowest, leaves)
        for i in range(n_undecided):
            voxels[i] = undecided[i]
            nodes[i] = trees.starts[np.uintp(leaves[np.uintp(undecided[i])])]
        n_left = n_undecided
        while n_left:
            for _ in range(4 if n_left == n_undecided else 2):
                go_down(values, stride, trees, n_left, voxels, nodes)
            n_before, n_left = n_left, 0
            for i in range(n_before):
                node, voxel = nodes[i], voxels[i]
                leaves[np.uintp(voxel)] = node
                nodes[np.uintp(n_left)], voxels[np.uintp(n_left)] = node, voxel
                n_left += np.int64((trees.nodes[np.uintp(2) * np.uintp(node)] >> trees.feature_bits) != node)
        if counts.shape[0]:
            for i in range(n_undecided):
                voxel = np.uintp(undecided[i])
                counts[np.uintp(trees.columns[np.uintp(leaves[voxel])]), voxel] += np.uint32(1)
        else:
            for i in range(n_undecided):
                voxel = np.uintp(undecided[i])
                leaves[voxel] = trees.columns[np.uintp(leaves[voxel])]
            for c in range(sums.shape[0]):
                votes, total = trees.votes[c], sums[c]
                for i in range(n_undecided):
                    voxel = np.uintp(undecided[i])
                    total[voxel] += votes[np.uintp(leaves[voxel])]
    add_counted(counts, n, trees.votes, sums)


@kernel
def sum_votes(features, n, trees, until_decided, sums):
    """Set each row of `sums` to its votes, over the first `n` voxels of `features`.

    With `until_decided`, they may lack the votes of trees that could not change the class.
    """
    scratch, leaves, nodes = np.empty(n, np.uint32), np.zeros(n, np.uint32), np.empty(n, np.uint32)
    lowest = np.empty(n, np.float32)
    for c in range(sums.shape[0]):
        sums[c, :n] = 0
        add_two_level_votes(features, n, trees.two_levels, c, sums)
    add_masked_tree_votes(features, n, trees.masked, scratch, lowest, leaves, sums)
    add_deep_tree_votes(features, n, trees.deep, until_decided, scratch, nodes, lowest, leaves, sums)


@kernel
def add_unseen_votes(features, begin, end, unseen, roots, nodes, leaf, votes):
    """Add the votes of each tree for those of the voxels from `begin` to before `end` that it has not seen.

    Parameters
    ----------
    features : float32, (n_features, n_voxels)
    begin, end : int
    unseen : bool, (n_trees, n_voxels)
    roots : int32, (n_trees,)
    nodes : int32, (n_nodes, 4)
        The feature, or −1 for a leaf; the bits of the threshold; the right child; and the left one, to which
        values up to the threshold go.
    leaf : float64, (n_nodes, n_classes)
    votes : float64, (n_voxels, n_classes)
    """
    thresholds = nodes.view(np.float32)
    voxels, at = np.empty(end - begin, np.uint32), np.empty(end - begin, np.uint32)
    for t in range(roots.size):
        n = np.int64(0)
        for i in range(begin, end):
            voxels[np.uintp(n)] = i
            n += np.int64(unseen[t, i])
        at[:n] = roots[t]
        while n:  # all go down a level, without waiting for each other
            n_before, n = n, np.int64(0)
            for i in range(n_before):
                voxel, node = np.uintp(voxels[i]), np.uintp(at[i])
                if nodes[node, 0] < 0:
                    for c in range(votes.shape[1]):
                        votes[voxel, c] += leaf[node, c]
                    continue
                is_left = features[np.uintp(nodes[node, 0]), voxel] <= thresholds[node, 1]
                voxels[np.uintp(n)], at[np.uintp(n)] = voxel, nodes[node, np.uintp(2) + np.uintp(is_left)]
                n += 1


@kernel
def exact_class(features, i, trees):
    """Return the class of voxel `i`, with every vote rounded as the OpenCL code of a .cl file rounds it.

    There each class has one float32 sum, to which a tree adds its vote in double precision.
    """
    sums = np.zeros(trees.exact_leaf.shape[1], np.float32)
    for root in trees.roots:
        node = root
        while trees.children[node, 0] != node:
            right = np.int64(not features[trees.feature[node], i] < trees.threshold[node])
            node = trees.children[node, right]
        for c in range(sums.size):
            sums[c] = np.float32(np.float64(sums[c]) + trees.exact_leaf[node, c])
    best = 0
    for c in range(1, sums.size):
        if sums[c] > sums[best]:
            best = c
    return best + 1


@kernel
def pick_classes(features, n, trees, sums, classes):
    """Write the class with most votes for each of `n` voxels.

    `sums` holds the votes for the classes 2, 3, … minus those for class 1, rounded in another way than the
    exact ones. Where the two best are closer than rounding could turn, the votes are counted exactly. No
    rounding, as where each tree votes for one class, is a negative tolerance.
    """
    close = 0
    if sums.shape[0] == 1:
        for i in range(n):
            total = sums[0, i]
            classes[i] = 2 if total > 0 else 1
            close += abs(total) <= trees.tolerance
        if not close:
            return
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
