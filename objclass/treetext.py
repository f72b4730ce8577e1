"""The trees of a forest as the nested conditions of a C-like program, and back."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

import numpy as np

from .forest import MAX_DEPTH, Forest

MAX_VOTES = 2**26
_FLOAT32_MAX = float(np.finfo(np.float32).max)
_NUMBER = r"\d{1,400}(?:\.\d{1,400})?(?:e[+-]?\d{1,4})?"
_LINE = re.compile(rf"s(\d{{1,4}})\+=({_NUMBER});|if\(i(\d{{1,6}})<(-?{_NUMBER})\)\{{", re.ASCII)


class RefusedError(ValueError):
    """The text says something that is not a forest."""


def format_trees(forest: Forest) -> Iterator[str]:
    """Yield the lines of all trees, indented by one space a level."""
    feature, left, right = forest.feature.tolist(), forest.left.tolist(), forest.right.tolist()
    threshold, leaf = forest.threshold.tolist(), forest.leaf.tolist()
    # What is still to be written, the last first: a node, or a line that is ready.
    todo: list[tuple[int, int | str]] = [(0, root) for root in forest.roots[::-1].tolist()]
    while todo:
        level, item = todo.pop()
        indent = " " * level
        if isinstance(item, str):
            yield indent + item
        elif feature[item] >= 0:
            yield f"{indent}if(i{feature[item]}<{threshold[item]!r}){{"
            todo += [(level, "}"), (level + 1, right[item]), (level, "} else {"), (level + 1, left[item])]
        else:
            yield from (f"{indent}s{c}+={vote!r};" for c, vote in enumerate(leaf[item]) if vote > 0)


def parse_trees(
    lines: Iterable[tuple[int, str]], n_features: int, n_classes: int
) -> tuple[Forest, tuple[int, str]]:
    """Read numbered lines without indentation, without recursion and without executing anything.

    Returns
    -------
    forest : Forest
    end : tuple of int and str
        The line after the last tree, which declares a variable.

    Raises
    ------
    RefusedError
        If a line does not fit, a tree is not complete, or the forest is too large to hold.
    """
    trees = _Trees(n_features, n_classes)
    for number, line in lines:
        if found := _LINE.fullmatch(line):
            target, vote, feature, threshold = found.groups()
            fits = (
                trees.vote(int(target), float(vote)) if vote else trees.split(int(feature), float(threshold))
            )
        elif line.startswith("float ") and not trees.open:
            return trees.finish(), (number, line)
        else:
            fits = (line == "} else {" and trees.turn()) or (line == "}" and trees.close())
        if not fits:
            raise RefusedError(f"line {number} says {shorten(line)!r}, which does not fit a forest")
    raise RefusedError("the text ends too early, among the trees")


def shorten(text: str) -> str:
    """Return `text`, or its beginning and its end where it is long."""
    return text if len(text) <= 90 else f"{text[:70]}…{text[-10:]}"


class _Trees:
    """The forest as far as it has been read. Each method takes one line and tells whether it fits."""

    def __init__(self, n_features: int, n_classes: int) -> None:
        self.n_features, self.n_classes = n_features, n_classes
        self.feature: list[int] = []
        self.threshold: list[float] = []
        # The children of a node on its two sides.
        self.children: tuple[list[int], list[int]] = ([], [])
        self.roots: list[int] = []
        # A vote: its leaf, its class, its weight.
        self.leaves: list[int] = []
        self.classes: list[int] = []
        self.votes: list[float] = []
        self.leaf_total = 0.0
        self.at_leaf = False
        # The nodes whose branches are being read, and which of the two it is.
        self.open: list[int] = []
        self.side: list[int] = []

    def split(self, feature: int, threshold: float) -> bool:
        self.at_leaf = False
        if feature >= self.n_features or abs(threshold) > _FLOAT32_MAX or len(self.open) >= MAX_DEPTH:
            return False
        fits = self._add(feature, threshold)
        self.open.append(len(self.feature) - 1)
        self.side.append(0)
        return fits

    def vote(self, target: int, vote: float) -> bool:
        if target >= self.n_classes or not 0 < vote <= _FLOAT32_MAX:
            return False
        # Between two trees of one leaf each stands nothing: the second begins where the classes begin
        # again, or where the votes of the first sum to one as those of scikit-learn do.
        if self.at_leaf and target > self.classes[-1] and (self.open or abs(self.leaf_total - 1) > 1e-9):
            fits = True
            self.leaf_total += vote
        else:
            fits = self._add(-1, 0.0)
            self.leaf_total = vote
        self.at_leaf = True
        self.leaves.append(len(self.feature) - 1)
        self.classes.append(target)
        self.votes.append(vote)
        return fits

    def turn(self) -> bool:
        self.at_leaf = False
        fits = bool(self.open) and self.side[-1] == 0 and self.children[0][self.open[-1]] >= 0
        if fits:
            self.side[-1] = 1
        return fits

    def close(self) -> bool:
        self.at_leaf = False
        return bool(self.open) and self.side.pop() == 1 and self.children[1][self.open.pop()] >= 0

    def finish(self) -> Forest:
        n_nodes = len(self.feature)
        if not self.roots:
            raise RefusedError("there are no trees")
        if n_nodes * self.n_classes > MAX_VOTES:
            raise RefusedError(f"there are {n_nodes} nodes for {self.n_classes} classes, too many to hold")
        leaf = np.zeros((n_nodes, self.n_classes))
        leaf[self.leaves, self.classes] = self.votes
        threshold = _round_up(self.threshold)
        return Forest(self.feature, threshold, *self.children, leaf, self.roots, self.n_features)

    def _add(self, feature: int, threshold: float) -> bool:
        node = len(self.feature)
        self.feature.append(feature)
        self.threshold.append(threshold)
        self.children[0].append(-1)
        self.children[1].append(-1)
        if not self.open:
            self.roots.append(node)
            return True
        siblings, parent = self.children[self.side[-1]], self.open[-1]
        is_first = siblings[parent] < 0
        siblings[parent] = node
        return is_first


def _round_up(thresholds: list[float]) -> np.ndarray:
    """Return the float32 numbers below which lie the same float32 values as below the double ones."""
    exact = np.array(thresholds)
    with np.errstate(over="ignore", under="ignore"):
        rounded = exact.astype(np.float32)
        return np.where(rounded < exact, np.nextafter(rounded, np.float32(np.inf)), rounded)
