"""From a table to the matrix that an algorithm sees, and back: one policy for columns, gaps and scale."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from objclass._common.checks import check_number, describe, invalid
from objclass.tables.roles import column_role, words_of

if TYPE_CHECKING:
    import pandas as pd

STRONG = 0.95
"""From this correlation on (positive or negative), two columns are reported as strongly correlated."""

_SAME = 1 - 1e-6  # values written with six digits still correlate as much
_FEWEST = 10  # objects from which on columns are compared: of three objects, many columns correlate
_MOST = 2000  # objects that are compared

# The size once more: in voxels beside the physical one, or as the diameter of a ball.
_SIZE_AGAIN = re.compile(
    r"(.* )?((num|number of|nb of|size in|count of|obj) )?(pixels?|voxels?)( count)?"
    r"|(.* )?equivalent diameter.*"
)
_NUMBER_AS_TEXT = re.compile(r"\s*[+-]?(\d[\d.,' \u00a0\u202f]*|[.,]\d+)([eE][+-]?\d+)?\s*%?\s*")


@dataclass(frozen=True)
class Matrix:
    """The measurements of the objects that have them all.

    Attributes
    ----------
    values : (n, m) float64 array
        One row for each such object, in ascending order of its label, whatever the order of the table.
    rows : (n,) int array
        The position in the table of each row of `values`.
    columns : list of str
        The columns of `values`.
    left_out : dict of str to list of str
        The other columns of the table, by the reason why they are not among them.
    correlated : list of str
        Pairs of `columns` that are strongly correlated.
    """

    values: np.ndarray
    rows: np.ndarray
    columns: list[str]
    left_out: Mapping[str, list[str]] = field(default_factory=dict)
    correlated: Sequence[str] = ()

    def summary(self) -> str:
        """Say in one line which columns are used, and which are left out and why."""
        n = len(self.columns)
        parts = [f"{n} column{'s' * (n != 1)} used: {_first(self.columns)}"]
        reasons = [f"{reason} ({_first(names)})" for reason, names in self.left_out.items() if names]
        parts += [f"left out: {', '.join(reasons)}"] if reasons else []
        parts += [f"strongly correlated: {_first(self.correlated, 4)}"] if self.correlated else []
        return "; ".join(parts)


def check_table(table: Any) -> pd.DataFrame:
    """Return `table` if it is a DataFrame whose objects have a unique `label`, or `image` and `label`."""
    import pandas as pd

    if not isinstance(table, pd.DataFrame):
        hint = "Make one with objclass.measure(labels, image), or pandas.read_csv(path)."
        raise invalid("table", "a pandas DataFrame", describe(table), hint, kind=TypeError)
    if not table.columns.is_unique:
        name = table.columns[table.columns.duplicated()][0]
        raise invalid("table", "columns of different names", f"more than one column {name!r}")
    if "label" not in table.columns:
        raise invalid("table", "a column 'label'", f"the columns {_some(table.columns)}", _label_hint(table))
    if table.empty:
        return table
    labels = table["label"]
    if not _is_real(labels) or labels.isna().any() or (labels % 1 != 0).any():
        raise invalid("table", "integers in the column 'label'", f"{_some(labels)} ({labels.dtype})")
    key = key_columns(table)
    repeated = table.duplicated(key)
    if repeated.any():
        expected = f"one row for each {' and '.join(key)}"
        first = table.loc[repeated, key].iloc[0].tolist()
        hint = "Where objects come from several images, name each one's in a column 'image'."
        raise invalid("table", expected, f"more than one row for {first}", hint)
    return table


def _label_hint(table: pd.DataFrame) -> str:
    """Say how a table of another tool gets its column `label`."""
    only = str(table.columns[0]) if len(table.columns) == 1 else ""
    for separator in (";", "\t"):
        if separator in only:
            return f"Its columns are not separated: pandas.read_csv(path, sep={separator!r}, decimal=...)."
    known = r"object|nb|labelimage oid|((object|cell|nucleus|spot|roi|original) ?)?(number|no|id|label)"
    named = [name for name in table if re.fullmatch(known, words_of(str(name)))]
    numbers = [name for name in named if _is_real(table[name]) and not table[name].isna().any()]
    if not numbers:
        return "Everything joins on the label: table.insert(0, 'label', ...) with each object's number."
    rename = {numbers[0]: "label"}
    images = [name for name in table if re.fullmatch("image ?(number|id|name)?", words_of(str(name)))]
    if images and "image" not in table:
        rename[images[0]] = "image"
    return f"Rename what numbers the objects: table.rename(columns={rename})."


def measurement_columns(table: pd.DataFrame) -> list[str]:
    """Return the columns of `table` that hold measurements, by their type and their name.

    They are the real-valued columns but for those that say which object it is, or of which image, time
    or sample, where or how it lies, the embeddings, and the clusters, classes and probabilities; the names
    of many tools are known, see `column_role`. Beside ``area``, ``num_pixels`` would count the size twice.
    """
    return _measured(table)[0]


def _measured(table: pd.DataFrame) -> tuple[list[str], dict[str, list[str]]]:
    """Return the columns with measurements, and the others by reason."""
    names: list[str] = []
    left_out: dict[str, list[str]] = {}
    for name in table.columns:
        reason = column_role(str(name))
        if reason == "measurement":
            if _is_real(table[name]):
                names.append(name)
                continue
            _check_text(table[name])
            reason = "text" if table[name].dtype.kind not in "bcmM" else f"type {table[name].dtype}"
            reason = "empty" if len(table) and table[name].isna().all() else reason
        left_out.setdefault(reason, []).append(name)
    again = [name for name in names if _SIZE_AGAIN.fullmatch(words_of(str(name)))]
    if any(re.search(r"\b(area|volume|vol)$", words_of(str(name))) for name in names):
        left_out["the size once more"] = again
        names = [name for name in names if name not in again]
    return names, left_out


def _check_text(column: pd.Series) -> None:
    """Check that a column of text is no column of numbers that pandas could not read."""
    texts = [str(value) for value in column.dropna().unique()[:1000]] if column.dtype.kind in "OUT" else []
    numbers = [text for text in texts if _NUMBER_AS_TEXT.fullmatch(text)]
    if not numbers or 2 * len(numbers) < len(texts):
        return
    others = [text for text in texts if text not in set(numbers)]
    hint = f"Turn it into numbers: table[{column.name!r}] = pandas.to_numeric(table[{column.name!r}])."
    if any("," in text for text in numbers):
        hint = 'Read it with pandas.read_csv(path, sep=";", decimal=","), or thousands="," if that is meant.'
    elif others:
        hint = f"Read it with pandas.read_csv(path, na_values={others[:3]}), or leave the column out."
    elif any("%" in text for text in numbers):
        hint = f"Take off the sign: pandas.to_numeric(table[{column.name!r}].str.rstrip('%'))."
    got = f"{column.name!r} of text: {_some((numbers[:3] + others)[:4])}"
    raise invalid("table", "measurements as numbers", got, hint)


def check_columns(table: pd.DataFrame, columns: Iterable[str] | str) -> list[str]:
    """Return the columns to use: `columns` if they are there and hold numbers; "auto": the measurements."""
    if isinstance(columns, str) and columns == "auto":
        names = measurement_columns(table)
        if not names and not table.empty:
            hint = "Measure with objclass.measure, or name the columns to use with columns=[...]."
            raise invalid("table", "columns with measurements", f"the columns {_some(table.columns)}", hint)
        return names
    if isinstance(columns, str) or not isinstance(columns, Iterable):
        expected = "a list of column names, or 'auto' for the measurements"
        raise invalid("columns", expected, describe(columns), kind=TypeError)
    names = list(columns)
    unknown = [name for name in names if name not in table.columns]
    if unknown:
        hint = f"It has {_some(table.columns)}."
        raise invalid("columns", "names of columns of the table", _some(unknown), hint)
    if not names or len(set(names)) < len(names):
        raise invalid("columns", "one or more names, each once", names)
    for name in names if not table.empty else []:
        if not _is_real(table[name], allow_bool=True):
            _check_text(table[name])
            hint = "Leave it out, or turn it into numbers with pandas.to_numeric."
            raise invalid("columns", "columns of numbers", f"{name!r} of type {table[name].dtype}", hint)
    return names


def key_columns(table: pd.DataFrame) -> list[str]:
    """Return the columns that name an object: ``label``, with ``image`` and ``frame`` before it."""
    return [name for name in ("image", "frame", "label") if name in table.columns]


def prepare(
    table: pd.DataFrame,
    *,
    columns: Iterable[str] | str = "auto",
    scale: bool | str = True,
    among: np.ndarray | None = None,
) -> Matrix:
    """Return the matrix of `columns` for the objects that have a value in each of them.

    Parameters
    ----------
    table : DataFrame
        One row for each object.
    columns : list of str or "auto"
        "auto" stands for the measurements, without those that repeat another one: proportional to it, or
        to a power of it, as the diameter of the ball of equal volume is.
    scale : bool, "robust" or str
        True gives each column mean 0 and standard deviation 1, "robust" median 0 and an interquartile range
        of 1.349, that of a normal distribution; the name of a column of the table, such as "image", mean 0
        and standard deviation 1 within each of its values. Columns with one value only are then left out.
    among : (n,) bool array, optional
        Which rows are wanted. The columns are chosen by all.

    Raises
    ------
    ValueError
        Where no column or no object is left.

    Notes
    -----
    Infinite values count as missing. Columns without any value are left out.
    """
    names = check_columns(check_table(table), columns)
    _check_scale(scale, table)
    automatic = isinstance(columns, str)
    left_out = _measured(table)[1] if automatic else {}
    values = np.empty((len(table), len(names)))
    for index, name in enumerate(names):
        values[:, index] = table[name].to_numpy(dtype=float, na_value=np.nan)
    if table.empty:
        return Matrix(values, np.empty(0, dtype=np.intp), names, left_out)
    values[~np.isfinite(values)] = np.nan

    def keep(chosen: Any, reason: str) -> None:
        nonlocal values, names
        gone = [name for name, stays in zip(names, chosen, strict=True) if not stays]
        left_out[reason] = left_out.get(reason, []) + gone
        values, names = values[:, chosen], [name for name in names if name not in gone]

    measured = ~np.isnan(values).all(axis=0)
    if not measured.any():
        raise invalid("table", "measurements", "columns without a single number")
    keep(measured, "empty")
    rows = _complete_rows(table, values, names, np.ones(len(table), bool) if among is None else among)
    if scale is not False:
        keep(_varies(values[rows], names), "constant")
    same, pairs = _compare(values[~np.isnan(values).any(axis=1)], names)
    if automatic:
        keep(~np.isin(names, list(same)), "the same as another")
    values = values[rows]
    correlated = [f"{one} and {other}" for one, other in pairs if {one, other} <= set(names)]
    if scale is not False:
        values = _scaled(values, scale, table, rows)
    return Matrix(values, rows, names, left_out, correlated)


def _complete_rows(
    table: pd.DataFrame, values: np.ndarray, names: list[str], among: np.ndarray
) -> np.ndarray:
    """Return the positions of the rows `among` all that have no gap, in order of image and label."""
    gaps = np.isnan(values) & among[:, np.newaxis]
    complete = among & ~gaps.any(axis=1)
    if complete.sum() < among.sum():
        worst = names[int(gaps.sum(axis=0).argmax())]
        text = f"{among.sum() - complete.sum():,} of {among.sum():,} objects lack a measurement"
        hint = f"most of them {worst!r}. Leave it out with columns=[...]."
        if not complete.any():
            expected = "objects with a value in every column that is used"
            raise invalid("table", expected, f"a table where {text}, {hint}")
        warnings.warn(f"{text} and get no result, {hint}", stacklevel=4)
    order = np.argsort(table["label"].to_numpy(dtype=np.int64), kind="stable")
    if "frame" in table.columns:
        order = order[np.argsort(table["frame"].to_numpy()[order], kind="stable")]
    if "image" in table.columns:
        order = order[np.argsort(table["image"].astype(str).to_numpy()[order], kind="stable")]
    return order[complete[order]]


def _varies(values: np.ndarray, names: list[str]) -> np.ndarray:
    """Tell which columns are not constant."""
    # What differs by rounding only is constant: scaled, its noise would count as much as a measurement.
    varies = np.asarray(values.std(axis=0) > 1e-12 * np.abs(values).max(axis=0))
    if not varies.any():
        got = (
            f"{len(values)} object{'s' * (len(values) > 1)} with the same value everywhere in {_some(names)}"
        )
        raise invalid("table", "a measurement in which objects differ", got)
    return varies


def _compare(values: np.ndarray, names: list[str]) -> tuple[set[str], list[tuple[str, str]]]:
    """Return the columns that say the same as an earlier one, and the pairs that are strongly correlated."""
    if len(values) < _FEWEST or len(names) < 2:
        return set(), []
    sample = values[:: max(1, len(values) // _MOST)]
    with np.errstate(divide="ignore", invalid="ignore"):
        linear = np.abs(np.corrcoef(sample, rowvar=False))
        powers = np.log(np.where((sample > 0).all(axis=0), sample, np.nan))
        alike = np.fmax(linear, np.abs(np.corrcoef(powers, rowvar=False)))
    again = [bool(_SIZE_AGAIN.fullmatch(words_of(str(name)))) for name in names]
    order = sorted(range(len(names)), key=again.__getitem__)  # of two of the same, those are the ones to go
    kept: list[int] = []
    same: set[str] = set()
    for index in order:
        if (alike[index, kept] > _SAME).any():
            same.add(names[index])
        else:
            kept.append(index)
    pairs = [(names[i], names[j]) for i, j in zip(*np.nonzero(np.triu(linear, 1) > STRONG), strict=True)]
    return same, pairs


def _check_scale(scale: object, table: pd.DataFrame) -> None:
    if isinstance(scale, (bool, np.bool_)):
        return
    expected = "True, False, 'robust' or a column of the table such as 'image'"
    if not isinstance(scale, str):
        raise invalid("scale", expected, describe(scale), kind=TypeError)
    if scale != "robust" and scale not in table.columns:
        raise invalid("scale", expected, repr(scale), f"The table has {_some(table.columns)}.")


def _scaled(values: np.ndarray, scale: bool | str, table: pd.DataFrame, rows: np.ndarray) -> np.ndarray:
    if scale == "robust":
        low, middle, high = np.percentile(values, (25, 50, 75), axis=0)
        spread = (high - low) / 1.349
        # Where over half of the objects are equal, the quartiles are: the standard deviation is left.
        return (values - middle) / np.where(spread > 0, spread, values.std(axis=0))
    groups = np.zeros(len(values), dtype=np.intp) if scale is True else factorize(table[scale].iloc[rows])[0]
    scaled = np.empty_like(values)
    for group in np.unique(groups):
        part = values[groups == group]
        deviation = part.std(axis=0)
        flat = deviation <= 1e-12 * np.abs(part).max(axis=0)
        scaled[groups == group] = (part - part.mean(axis=0)) / np.where(flat, np.inf, deviation)
    return scaled


def with_results(
    table: pd.DataFrame, rows: np.ndarray, results: Mapping[str, np.ndarray], *, replace: str
) -> pd.DataFrame:
    """Return a copy of `table` with columns for `results`, missing in all rows but `rows`.

    Parameters
    ----------
    table : DataFrame
        Stays as it is.
    rows : (n,) int array
        The position of each result in the table.
    results : mapping of str to (n,) array
        Float becomes a column with NaN, integer a nullable one (``Int64``).
    replace : str
        A regular expression: the columns that it matches are results of an earlier run, and go.
    """
    import pandas as pd

    old = [name for name in table.columns if re.fullmatch(replace, str(name))]
    new = {}
    for name, values in results.items():
        if values.dtype.kind in "iu":
            numbers, missing = np.zeros(len(table), dtype=np.int64), np.ones(len(table), dtype=bool)
            numbers[rows], missing[rows] = values, False
            new[name] = pd.Series(pd.arrays.IntegerArray(numbers, missing), index=table.index)
        else:
            column = np.full(len(table), np.nan)
            column[rows] = values
            new[name] = pd.Series(column, index=table.index)
    result = pd.concat([table.drop(columns=old), pd.DataFrame(new)], axis=1)
    result.attrs = dict(table.attrs)  # units and the like: concat drops them
    return result


def check_random_state(random_state: int | None) -> int | None:
    """Return `random_state` if it is None or a seed that NumPy accepts."""
    if random_state is None:
        return None
    return check_number("random_state", random_state, low=0, high=2**32 - 1, integer=True)


def _is_real(column: pd.Series, *, allow_bool: bool = False) -> bool:
    from pandas.api.types import is_bool_dtype, is_complex_dtype, is_numeric_dtype

    if is_bool_dtype(column.dtype):
        return allow_bool
    return is_numeric_dtype(column.dtype) and not is_complex_dtype(column.dtype)


def _first(names: Sequence[object], most: int = 8) -> str:
    """Name the first few."""
    return ", ".join(map(str, names[:most])) + (f" and {len(names) - most} more" if len(names) > most else "")


def _some(values: Any) -> str:
    """Quote the first few of `values`."""
    first = [repr(value) for value in list(values)[:12]]
    return ", ".join(first) + (f" and {len(values) - 12} more" if len(values) > 12 else "")


MOST_CATEGORIES = 60


_CLUSTERS = re.compile(r"_CLUSTER_ID$")


def column_kind(column: pd.Series) -> str:
    """Tell how a column can be shown: as "number", "category", or not at all ("text")."""
    from pandas.api.types import is_bool_dtype, is_complex_dtype, is_numeric_dtype

    if is_numeric_dtype(column) and not is_bool_dtype(column) and not is_complex_dtype(column):
        return "category" if _CLUSTERS.search(str(column.name)) and _is_countable(column) else "number"
    return "category" if _is_countable(column) else "text"


def _is_countable(column: pd.Series) -> bool:
    try:
        return column.nunique() <= MOST_CATEGORIES
    except TypeError:
        return False


def numbers(column: pd.Series) -> np.ndarray:
    """Return a numeric column as float64, missing values as NaN."""
    return column.to_numpy(dtype=np.float64, na_value=np.nan)


def factorize(column: pd.Series) -> tuple[np.ndarray, list[Any]]:
    """Return the category of each row (-1 = missing) and the categories in their order."""
    import pandas as pd

    try:
        codes, values = pd.factorize(column, sort=True)
    except TypeError:
        codes, values = pd.factorize(column.astype("string"), sort=True)
    return codes.astype(np.int32), list(values)
