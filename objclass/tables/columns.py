"""From a table to the matrix that an algorithm sees, and back: one policy for columns, gaps and scale."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from objclass._common.checks import check_number, describe, invalid

if TYPE_CHECKING:
    import pandas as pd


EMBEDDINGS = ("UMAP", "t-SNE", "PC", "Isomap", "MDS")
"""What the columns of an embedding are called; an underscore and the number of the axis follow."""

_NOT_MEASURED = re.compile(
    r"label|index|unnamed: \d+|image|file|path|frame|time|[tzyx]"  # who, where and when
    r"|(local_|weighted_|weighted_local_)*centroid.*|bbox[-_]\d+"  # position, in all of scikit-image's names
    r"|orientation|inertia_tensor-\d-\d"  # how it lies: objects of a kind may lie in any direction
    rf"|({'|'.join(EMBEDDINGS)})_\d+"
    r"|(.*[_\s-])?(cluster|kind|class|type|group|annotation|prediction)([_\s-]id)?",  # given to objects
    re.IGNORECASE,
)


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
    """

    values: np.ndarray
    rows: np.ndarray
    columns: list[str]


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
        hint = "Everything joins on the label: table.insert(0, 'label', ...) with each object's number."
        raise invalid("table", "a column 'label'", f"the columns {_some(table.columns)}", hint)
    if table.empty:
        return table
    labels = table["label"]
    if not _is_real(labels) or labels.isna().any() or (labels % 1 != 0).any():
        raise invalid("table", "whole numbers in the column 'label'", f"{_some(labels)} ({labels.dtype})")
    key = [name for name in ("image", "frame", "label") if name in table.columns]
    repeated = table.duplicated(key)
    if repeated.any():
        expected = f"one row for each {' and '.join(key)}"
        first = table.loc[repeated, key].iloc[0].tolist()
        hint = "Where objects come from several images, name each one's in a column 'image'."
        raise invalid("table", expected, f"more than one row for {first}", hint)
    return table


def measurement_columns(table: pd.DataFrame) -> list[str]:
    """Return the columns of `table` that hold measurements, by their type and their name.

    They are the columns of real numbers but for those that say which object it is, or where or when
    (label, index, image, file, path, frame, time, t, z, y, x, every centroid and the bounding box), or how
    it lies (orientation, inertia tensor), the embeddings, and what was given to objects: names that end in
    cluster, kind, class, type, group, annotation or prediction, also with ``_ID``, in capitals or not.
    Beside ``area``, ``num_pixels`` would count the size twice.
    """
    numbers = [name for name in table.columns if _is_real(table[name])]
    names = [name for name in numbers if not _NOT_MEASURED.fullmatch(str(name))]
    return [name for name in names if name != "num_pixels"] if "area" in names else names


def check_columns(table: pd.DataFrame, columns: Iterable[str] | None) -> list[str]:
    """Return the columns to use: `columns` if they are there and hold numbers, or the measurements."""
    if columns is None:
        names = measurement_columns(table)
        if not names and not table.empty:
            hint = "Measure with objclass.measure, or name the columns to use with columns=[...]."
            raise invalid("table", "columns with measurements", f"the columns {_some(table.columns)}", hint)
        return names
    if isinstance(columns, str) or not isinstance(columns, Iterable):
        raise invalid("columns", "a list of column names", describe(columns), kind=TypeError)
    names = list(columns)
    unknown = [name for name in names if name not in table.columns]
    if unknown:
        hint = f"It has {_some(table.columns)}."
        raise invalid("columns", "names of columns of the table", _some(unknown), hint)
    if not names or len(set(names)) < len(names):
        raise invalid("columns", "one or more names, each once", names)
    for name in names if not table.empty else []:
        if not _is_real(table[name], allow_bool=True):
            hint = "Leave it out, or turn it into numbers with pandas.to_numeric."
            raise invalid("columns", "columns of numbers", f"{name!r} of type {table[name].dtype}", hint)
    return names


def prepare(table: pd.DataFrame, *, columns: Iterable[str] | None = None, scale: bool = True) -> Matrix:
    """Return the matrix of `columns` for the objects that have a value in each of them.

    Infinite values count as missing. Columns without any value, and with `scale` also those with one
    value only, are left out; with `scale` the others get mean 0 and standard deviation 1.

    Raises
    ------
    ValueError
        Where no column or no object is left.
    """
    names = check_columns(check_table(table), columns)
    if not isinstance(scale, (bool, np.bool_)):
        raise invalid("scale", "True or False", describe(scale), kind=TypeError)
    values = np.empty((len(table), len(names)))
    for index, name in enumerate(names):
        values[:, index] = table[name].to_numpy(dtype=float, na_value=np.nan)
    if table.empty:
        return Matrix(values, np.empty(0, dtype=np.intp), names)
    values[~np.isfinite(values)] = np.nan
    measured = ~np.isnan(values).all(axis=0)
    names = [names[index] for index in np.flatnonzero(measured)]
    if not names:
        raise invalid("table", "measurements", "columns without a single number")
    values = values[:, measured]
    rows = _complete_rows(table, values, names)
    values = values[rows]
    if scale:
        values, names = _scaled(values, names)
    return Matrix(values, rows, names)


def _complete_rows(table: pd.DataFrame, values: np.ndarray, names: list[str]) -> np.ndarray:
    """Return the positions of the rows without a gap, in order of image and label."""
    gaps = np.isnan(values)
    complete = ~gaps.any(axis=1)
    worst = names[int(gaps.sum(axis=0).argmax())]
    text = f"{len(table) - complete.sum():,} of {len(table):,} objects lack a measurement"
    hint = f"most of them {worst!r}. Leave it out with columns=[...]."
    if not complete.any():
        raise invalid(
            "table", "objects with a value in every column that is used", f"a table where {text}, {hint}"
        )
    if complete.sum() * 2 < len(table):
        warnings.warn(f"{text} and get no result, {hint}", stacklevel=4)
    order = np.argsort(table["label"].to_numpy(dtype=np.int64), kind="stable")
    if "frame" in table.columns:
        order = order[np.argsort(table["frame"].to_numpy()[order], kind="stable")]
    if "image" in table.columns:
        order = order[np.argsort(table["image"].astype(str).to_numpy()[order], kind="stable")]
    return order[complete[order]]


def _scaled(values: np.ndarray, names: list[str]) -> tuple[np.ndarray, list[str]]:
    deviation = values.std(axis=0)
    # What differs by rounding only is constant: scaled, its noise would count as much as a measurement.
    varies = deviation > 1e-12 * np.abs(values).max(axis=0)
    if not varies.any():
        got = (
            f"{len(values)} object{'s' * (len(values) > 1)} with the same value everywhere in {_some(names)}"
        )
        raise invalid("table", "a measurement in which objects differ", got)
    names = [names[index] for index in np.flatnonzero(varies)]
    return (values[:, varies] - values[:, varies].mean(axis=0)) / deviation[varies], names


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
    return pd.concat([table.drop(columns=old), pd.DataFrame(new)], axis=1)


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
