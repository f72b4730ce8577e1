"""Conditions on table columns, such as ``area > 300 and solidity < 0.9``, parsed without executing code."""

from __future__ import annotations

import ast
import operator
import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from objclass._common.checks import first_few, invalid

if TYPE_CHECKING:
    import pandas as pd

_LONGEST = 2000
_DEEPEST = 40
_COMPARE: dict[type, Callable[[Any, Any], Any]] = {
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
}
_CALCULATE: dict[type, Callable[[Any, Any], Any]] = {
    ast.Add: np.add,
    ast.Sub: np.subtract,
    ast.Mult: np.multiply,
    ast.Div: np.divide,
    ast.FloorDiv: np.floor_divide,
    ast.Mod: np.mod,
    ast.Pow: np.power,
    ast.UAdd: np.positive,
    ast.USub: np.negative,
}
_ALLOWED = (
    *(ast.Expression, ast.BoolOp, ast.And, ast.Or, ast.UnaryOp, ast.Not, ast.Invert, ast.BinOp, ast.Compare),
    *(ast.In, ast.NotIn, ast.List, ast.Tuple, ast.Set, ast.Name, ast.Load, ast.Constant),
    *(*_COMPARE, *_CALCULATE),
)
_TOKEN = re.compile(r"""(?P<text>"[^"]*"|'[^']*')|`(?P<name>[^`]+)`|(?P<both>&)|(?P<either>\|)""")


def parse_condition(text: str) -> Callable[[pd.DataFrame], np.ndarray]:
    """Parse a condition; return a function that evaluates it on the rows of a table.

    Comparisons (also chained), ``and``, ``or``, ``not`` (or ``&``, ``|``, ``~``), arithmetic, numbers, text
    in quotes, and ``in`` with a list. A column name that is not an identifier must be in backticks. Nothing
    else is allowed: no calls, no attributes, no subscripts.

    Parameters
    ----------
    text : str
        The condition, of at most 2,000 characters.

    Returns
    -------
    callable
        Maps a table to a bool array with one value for each row. Comparisons with a missing value are
        false.

    Raises
    ------
    ValueError
        If the condition is invalid. The returned function raises it if a column is absent, or if text is
        compared with numbers.

    Examples
    --------
    >>> import pandas as pd
    >>> table = pd.DataFrame({"label": [1, 2, 3], "centroid-0": [4.0, 6.0, 8.0], "kind": ["a", "b", "b"]})
    >>> parse_condition("`centroid-0` > 5 and kind == 'b' and label in [1, 2]")(table)
    array([False,  True, False])
    """
    if not isinstance(text, str) or not text.strip() or len(text) > _LONGEST:
        raise _refuse(f"text of 1 to {_LONGEST:,} characters", "none" if text == "" else text)
    quoted: list[str] = []

    def plain(token: re.Match[str]) -> str:
        if token["text"]:
            return repr(token["text"][1:-1])  # backslashes are literal: C:\new has no line feed
        if token["name"]:
            quoted.append(token["name"])
            return f" _{len(quoted) - 1}_ "
        return " and " if token["both"] else " or "  # as in pandas, & binds less tightly than comparisons

    try:
        tree = ast.parse(_TOKEN.sub(plain, text).strip(), mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError) as failure:
        reason = getattr(failure, "msg", None) or type(failure).__name__
        raise _refuse("a condition such as area > 100", f"{text!r} ({reason})") from None
    _check_tree(tree)
    names = {f"_{place}_": name for place, name in enumerate(quoted)}

    def fulfilled(table: pd.DataFrame) -> np.ndarray:
        with np.errstate(all="ignore"):
            value = _Evaluation(table, names).value(tree.body)
        if value.kind != "truth":
            raise _refuse("a comparison, such as area > 100", repr(text))
        return np.broadcast_to(value.data, len(table)).copy()

    return fulfilled


def _refuse(expected: str, got: object, hint: str = "") -> Exception:
    hint = hint or "Write column names that are not identifiers in backticks: `centroid-0` > 10."
    return invalid("condition", expected, got, hint)


def _check_tree(tree: ast.AST) -> None:
    level, depth = [tree], 0
    while level:
        for node in level:
            if not isinstance(node, _ALLOWED):
                expected = "comparisons, and, or, not, arithmetic, column names, numbers, text and in"
                raise _refuse(expected, f"{ast.unparse(node)!r}" if isinstance(node, ast.expr) else "another")
        if (depth := depth + 1) > _DEEPEST:
            raise _refuse(f"at most {_DEEPEST} nested operations", "more")
        level = [child for node in level for child in ast.iter_child_nodes(node)]


@dataclass(frozen=True)
class _Value:
    """A column or a constant; `kind` is "number", "text" or "truth" (boolean)."""

    data: Any
    kind: str
    source: str


class _Evaluation:
    def __init__(self, table: pd.DataFrame, quoted: dict[str, str]) -> None:
        self.table = table
        self.quoted = quoted

    def value(self, node: ast.expr) -> _Value:
        if isinstance(node, ast.Constant):
            return _constant(node)
        if isinstance(node, ast.Name):
            return self._column(self.quoted.get(node.id, node.id))
        if isinstance(node, ast.BoolOp):
            parts = [self._truth(part).data for part in node.values]  # noqa: PD011
            join = np.logical_and if isinstance(node.op, ast.And) else np.logical_or
            return _Value(join.reduce(np.broadcast_arrays(*parts)), "truth", self._text(node))
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, (ast.Not, ast.Invert)):
            return _Value(np.logical_not(self._truth(node.operand).data), "truth", self._text(node))
        if isinstance(node, ast.UnaryOp):
            operands = [node.operand]
        elif isinstance(node, ast.BinOp):
            operands = [node.left, node.right]
        elif isinstance(node, ast.Compare):
            return self._compare(node)
        else:
            raise _refuse("a list only after in", repr(self._text(node)))
        numbers = [np.asarray(self._number(operand).data, dtype=float) for operand in operands]
        return _Value(_CALCULATE[type(node.op)](*numbers), "number", self._text(node))

    def _compare(self, node: ast.Compare) -> _Value:
        left, result = node.left, np.True_
        for operation, right in zip(node.ops, node.comparators, strict=True):
            if isinstance(operation, (ast.In, ast.NotIn)):
                if not isinstance(right, (ast.List, ast.Tuple, ast.Set)):
                    raise _refuse("a list after in, such as label in [1, 2]", repr(self._text(node)))
                found = [self._compare_two(ast.Eq, left, element) for element in right.elts]
                part = np.logical_or.reduce(np.broadcast_arrays(np.False_, *found))
                part = ~part if isinstance(operation, ast.NotIn) else part
            else:
                part = self._compare_two(type(operation), left, right)
            left, result = right, result & part
        return _Value(result, "truth", self._text(node))

    def _compare_two(self, operation: type, left: ast.expr, right: ast.expr) -> Any:
        one, other = self.value(left), self.value(right)
        if "text" in (one.kind, other.kind) and one.kind != other.kind:
            text, rest = (one, other) if one.kind == "text" else (other, one)
            got = f"{text.source!r} (text) compared with {rest.source!r}"
            raise _refuse("text compared with text, numbers with numbers", got, "Write text in quotes.")
        if one.kind == "text":
            missing = _is_missing(one.data) | _is_missing(other.data)
            fits = _COMPARE[operation](_as_text(one.data), _as_text(other.data))
            return np.where(missing, operation is ast.NotEq, fits)
        return _COMPARE[operation](one.data, other.data)

    def _truth(self, node: ast.expr) -> _Value:
        value = self.value(node)
        if value.kind != "truth":
            expected = "a comparison on each side of and, or, not"
            raise _refuse(expected, repr(value.source), "Put comparisons in parentheses after ~.")
        return value

    def _number(self, node: ast.expr) -> _Value:
        value = self.value(node)
        if value.kind == "text":
            raise _refuse("numbers to calculate with", f"{value.source!r} (text)")
        return value

    def _column(self, name: str) -> _Value:
        from pandas.api.types import (
            is_bool_dtype,
            is_complex_dtype,
            is_datetime64_any_dtype,
            is_numeric_dtype,
        )

        # Python normalizes identifiers (the micro sign becomes mu), so compare normalized names.
        columns = {_plain(column): column for column in self.table} | {str(c): c for c in self.table}
        column = columns.get(name, columns.get(_plain(name)))
        if column is None:
            raise _refuse(f"names of columns ({first_few(list(self.table), 30)})", repr(name))
        series = self.table[column]
        if is_datetime64_any_dtype(series) or is_complex_dtype(series) or series.dtype.kind == "m":
            raise _refuse("numeric or text columns", f"{name!r} of type {series.dtype}")
        if is_bool_dtype(series) and not series.hasnans:
            return _Value(series.to_numpy(dtype=bool), "truth", name)
        if is_numeric_dtype(series):
            exact = series.dtype.kind in "iu" and not series.hasnans
            numbers = series.to_numpy() if exact else series.to_numpy(dtype=float, na_value=np.nan)
            return _Value(numbers, "number", name)
        return _Value(series.to_numpy(dtype=object), "text", name)

    def _text(self, node: ast.expr) -> str:
        return re.sub(r"\b_\d+_", lambda found: f"`{self.quoted.get(found[0], found[0])}`", ast.unparse(node))


def _constant(node: ast.Constant) -> _Value:
    value = node.value
    if isinstance(value, bool):
        return _Value(np.bool_(value), "truth", str(value))
    if isinstance(value, str):
        return _Value(value, "text", repr(value))
    if isinstance(value, float) or (isinstance(value, int) and value < 2**63):
        return _Value(value, "number", str(value))
    raise _refuse("numbers below 2⁶³ and text", "another constant")


def _plain(name: object) -> str:
    return unicodedata.normalize("NFKC", str(name))


def _is_missing(values: Any) -> Any:
    import pandas as pd

    return pd.isna(values)


def _as_text(values: Any) -> Any:
    return values.astype(str) if isinstance(values, np.ndarray) else values
