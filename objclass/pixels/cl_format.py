"""Reading and writing of .cl classifier files, the format of APOC, napari and Fiji.

The file is an OpenCL program with a header of ``key = value`` lines. It is parsed line by line as data
against the fixed form of such programs; anything else is refused, and nothing is executed.
"""

from __future__ import annotations

import io
import itertools
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from objclass._common.checks import invalid
from objclass._common.files import check_name, replacing
from objclass.pixels.forest import MAX_CLASSES, MAX_DEPTH, Forest

MAX_BYTES = 2**27
MAX_INPUTS = 20_000
# APOC looks for a key in the first 25 lines, two of which are the opening of the comment.
MAX_HEADER = 23
_HEADER_LIMIT = 100

_TITLE = "OpenCL RandomForestClassifier"
_PROBABILITY = re.compile(r"WRITE_IMAGE \(out, POS_out_INSTANCE\(x,y,z,0\), s(\d{1,4}) / sum_s\);", re.ASCII)


@dataclass(frozen=True)
class ClassifierFile:
    """The content of a .cl file.

    Parameters
    ----------
    header : dict of str to str
        The ``key = value`` lines, in order.
    forest : Forest
        The decision trees.
    target_class : int or None
        The class whose probability the program returns; None if it returns the winning class.
    """

    header: Mapping[str, str]
    forest: Forest
    target_class: int | None = None


def read_cl(path: str | os.PathLike[str]) -> ClassifierFile:
    """Read the file of a pixel classifier without executing code from it.

    Parameters
    ----------
    path : str or path
        A .cl file written by objclass, APOC, its napari plugin, or its Fiji plugin.

    Returns
    -------
    ClassifierFile

    Raises
    ------
    FileNotFoundError
        If the file does not exist.
    ValueError
        If it is truncated, too large, or contains anything but a forest.
    """
    path = check_name(path)
    if not path.is_file():
        hint = "Train a classifier with objclass.train_object_classifier(..., path=...)."
        raise invalid("path", "an existing .cl file", str(path), hint, kind=FileNotFoundError)
    if path.stat().st_size > MAX_BYTES:
        got = f"{path} of {path.stat().st_size / 2**20:.0f} MiB"
        raise invalid("path", f"a classifier file of at most {MAX_BYTES // 2**20} MiB", got)
    try:
        return parse_cl(path.read_text(encoding="utf-8-sig", errors="replace"))
    except RefusedError as refused:
        expected = "a classifier file of objclass, APOC, napari or Fiji"
        hint = "Save the classifier again; nothing in the file was executed."
        raise invalid("path", expected, f"{path}, where {refused}", hint) from None


def write_cl(path: str | os.PathLike[str], content: ClassifierFile) -> None:
    """Write a .cl file that APOC, napari and Fiji can run. The file is written atomically.

    Parameters
    ----------
    path : str or path
        The file to write; its folder must exist.
    content : ClassifierFile
        The header, the forest and the target class.

    Raises
    ------
    FileNotFoundError, PermissionError
        If the folder does not exist or is not writable.
    ValueError
        If the header is too long for APOC.
    """
    text = format_cl(content)
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="\n")


def format_cl(content: ClassifierFile) -> str:
    """Return the text of a .cl file.

    Examples
    --------
    >>> stump = Forest([0, -1, -1], [7.5, 0, 0], [1, -1, -1], [2, -1, -1], [[0, 0], [1, 0], [0, 1]], [0], 1)
    >>> text = format_cl(ClassifierFile({"num_classes": "2", "num_features": "1"}, stump))
    >>> print(text[text.index("if(") : text.index(" float max_s")], end="")
    if(i0<7.5){
     s0+=1.0;
    } else {
     s1+=1.0;
    }
    >>> parse_cl(text).forest == stump
    True
    """
    if len(content.header) > MAX_HEADER:
        raise invalid("header", f"at most {MAX_HEADER} entries", f"{len(content.header)}")
    header = [f"{key} = {value}" for key, value in content.header.items()]
    if any(mark in line for line in header for mark in ("*/", "\n", "\r")):
        raise invalid("header", "entries of one line each, without '*/'", "something else")
    forest = content.forest
    lines = ["/*", _TITLE, *header, "*/"]
    lines += _prologue(forest.n_features, forest.n_classes)
    lines += format_trees(forest)
    lines += _epilogue(forest.n_classes, content.target_class)
    return "\n".join(lines) + "\n"


def parse_cl(text: str) -> ClassifierFile:
    """Parse the text of a .cl file.

    Raises
    ------
    ValueError
        If the text is not that of a classifier.
    """
    stripped = map(str.strip, io.StringIO(text, newline=None))
    lines = ((number, line) for number, line in enumerate(stripped, 1) if line)
    header = _parse_header(lines)
    n_features = _whole_number(header, "num_features", MAX_INPUTS)
    n_classes = _whole_number(header, "num_classes", MAX_CLASSES)
    _match(lines, _prologue(n_features, n_classes))
    forest, end = parse_trees(lines, n_features, n_classes)
    rest = [end, *itertools.islice(lines, 4 * n_classes + 2)]
    target_class = _find_target(rest, n_classes)
    rest_lines = iter(rest)
    _match(rest_lines, _epilogue(n_classes, target_class))
    for number, line in itertools.chain(rest_lines, lines):
        raise RefusedError(f"line {number} is {shorten(line)!r} after the end of the program")
    n_trees = _whole_number(header, "num_trees", 2**31) if "num_trees" in header else forest.n_trees
    # Trees that consist of one leaf follow each other without a separator.
    if n_trees != forest.n_trees and (forest.feature[forest.roots] >= 0).all():
        raise RefusedError(f"{n_trees} trees are declared and {forest.n_trees} found")
    return ClassifierFile(header, forest, target_class)


def _parse_header(lines: Iterator[tuple[int, str]]) -> dict[str, str]:
    _match(lines, ["/*", _TITLE])
    header: dict[str, str] = {}
    for number, line in itertools.islice(lines, _HEADER_LIMIT):
        if line == "*/":
            return header
        if "*/" in line:
            raise RefusedError(f"line {number} continues after the end of the header")
        key, equals, value = line.partition(" = ")
        if equals:
            header.setdefault(key.strip(), value.strip())
    raise RefusedError(f"no '*/' ends the header within {_HEADER_LIMIT} lines")


def _whole_number(header: Mapping[str, str], key: str, most: int) -> int:
    value = header.get(key, "")
    if not re.fullmatch(r"[0-9]{1,10}", value) or not 1 <= int(value) <= most:
        got = f"{key} = {shorten(value)}" if value else f"no {key}"
        raise RefusedError(f"the header has {got}, where 1 to {most} is expected")
    return int(value)


def _prologue(n_features: int, n_classes: int) -> list[str]:
    inputs = "".join(f"IMAGE_in{i}_TYPE in{i}, " for i in range(n_features))
    return [
        f"__kernel void predict ({inputs}IMAGE_out_TYPE out) {{",
        " sampler_t sampler = CLK_NORMALIZED_COORDS_FALSE | CLK_ADDRESS_CLAMP_TO_EDGE | CLK_FILTER_NEAREST;",
        *(f" const int {axis} = get_global_id({number});" for number, axis in enumerate("xyz")),
        *(
            f" float i{i} = READ_IMAGE(in{i}, sampler, POS_in{i}_INSTANCE(x,y,z,0)).x;"
            for i in range(n_features)
        ),
        *(f" float s{c}=0;" for c in range(n_classes)),
    ]


def _epilogue(n_classes: int, target_class: int | None) -> list[str]:
    others = range(1, n_classes)
    if target_class is None:
        steps = [[f" if (max_s < s{c}) {{", f"  max_s = s{c};", f"  cls={c + 1};", " }"] for c in others]
        lines = [" float max_s=s0;", " int cls=1;", *(line for step in steps for line in step)]
        result = "cls"
    else:
        lines = [" float sum_s=s0;", " int cls=1;", *(f" sum_s = sum_s + s{c};" for c in others)]
        result = f"s{target_class - 1} / sum_s"
    return [*lines, f" WRITE_IMAGE (out, POS_out_INSTANCE(x,y,z,0), {result});", "}"]


def _find_target(epilogue: list[tuple[int, str]], n_classes: int) -> int | None:
    """Return the class whose probability the program returns, None if it returns the winning class."""
    for _, line in epilogue:
        if (found := _PROBABILITY.fullmatch(line)) and int(found[1]) < n_classes:
            return int(found[1]) + 1
    return None


def _match(lines: Iterator[tuple[int, str]], expected: list[str]) -> None:
    for wanted in map(str.strip, expected):
        number, line = next(lines, (0, ""))
        if not number:
            raise RefusedError(f"the text ends before {shorten(wanted)!r}")
        if line != wanted:
            raise RefusedError(f"line {number} is {shorten(line)!r} instead of {shorten(wanted)!r}")


MAX_VOTES = 2**26
_FLOAT32_MAX = float(np.finfo(np.float32).max)
_NUMBER = r"\d{1,400}(?:\.\d{1,400})?(?:e[+-]?\d{1,4})?"
_LINE = re.compile(rf"s(\d{{1,4}})\+=({_NUMBER});|if\(i(\d{{1,6}})<(-?{_NUMBER})\)\{{", re.ASCII)


class RefusedError(ValueError):
    """The text is not a forest."""


def format_trees(forest: Forest) -> Iterator[str]:
    """Yield the lines of all trees, indented by one space per level."""
    feature, left, right = forest.feature.tolist(), forest.left.tolist(), forest.right.tolist()
    threshold, leaf = forest.threshold.tolist(), forest.leaf.tolist()
    # A stack of nodes and lines that remain to be written.
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
    """Parse numbered lines without indentation into a forest.

    Returns
    -------
    forest : Forest
    end : tuple of int and str
        The first line after the last tree, which declares a variable.

    Raises
    ------
    RefusedError
        If a line is invalid, a tree is incomplete, or the forest is too large.
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
            raise RefusedError(f"line {number} is {shorten(line)!r}, which is not part of a forest")
    raise RefusedError("the text ends within the trees")


def shorten(text: str) -> str:
    """Return `text`, abbreviated if it is long."""
    return text if len(text) <= 90 else f"{text[:70]}…{text[-10:]}"


class _Trees:
    """The forest parsed so far. Each method takes one line and returns whether it is valid."""

    def __init__(self, n_features: int, n_classes: int) -> None:
        self.n_features, self.n_classes = n_features, n_classes
        self.feature: list[int] = []
        self.threshold: list[float] = []
        # The left and right children of each node.
        self.children: tuple[list[int], list[int]] = ([], [])
        self.roots: list[int] = []
        # The leaf, class and weight of each vote.
        self.leaves: list[int] = []
        self.classes: list[int] = []
        self.votes: list[float] = []
        self.leaf_total = 0.0
        self.at_leaf = False
        # The nodes whose branches are being parsed, and which branch.
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
        # Trees of one leaf have no separator: the second starts when classes start again, or when the votes
        # of the first sum to one, as in scikit-learn.
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
            raise RefusedError("it contains no trees")
        if n_nodes * self.n_classes > MAX_VOTES:
            raise RefusedError(f"it contains {n_nodes} nodes for {self.n_classes} classes, too many")
        leaf = np.zeros((n_nodes, self.n_classes))
        leaf[self.leaves, self.classes] = self.votes
        threshold = _round_up(self.threshold)
        feature, left, right, roots = map(np.array, (self.feature, *self.children, self.roots))
        return Forest(feature, threshold, left, right, leaf, roots, self.n_features)

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
    """Return float32 thresholds that split float32 values like the double thresholds."""
    exact = np.array(thresholds)
    with np.errstate(over="ignore", under="ignore"):
        rounded = exact.astype(np.float32)
        return np.where(rounded < exact, np.nextafter(rounded, np.float32(np.inf)), rounded)
