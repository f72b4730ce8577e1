"""From a table to a feature matrix and back: selection of columns, missing values and scaling."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from objclass._common.checks import check_number, counted, describe, first_few, invalid
from objclass._common.notices import warn
from objclass.measurement.columns import check_frame, column_unit
from objclass.tables.roles import column_role, words_of
from objclass.tables.spreadsheets import check_last_rows, check_numbers, check_text

if TYPE_CHECKING:
    import pandas as pd

STRONG = 0.95
"""Columns with at least this absolute correlation are reported as strongly correlated."""
CLUSTERS = "_CLUSTER_ID"
"""What the names of columns of clusters and groups end with."""
MOST_CATEGORIES = 60

_SAME = 1 - 1e-6  # tolerates values written with six digits
_FEWEST = 10  # minimum number of objects to compare columns: with few objects, many columns correlate
_MOST = 2000  # maximum number of objects to compare
_SAME_VOXEL = 0.03  # relative difference of volumes, 1 % along each axis

# Redundant size: in voxels in addition to the physical size, or as the diameter of a ball.
_SIZE_AGAIN = re.compile(
    r"(.* )?((num|number of|nb of|size in|count of|obj) )?(pixels?|voxels?)( count)?"
    r"|(.* )?equivalent diameter.*"
)


@dataclass(frozen=True)
class Matrix:
    """The measurements of the objects without missing values.

    Attributes
    ----------
    values : (n, m) float64 array
        One row for each such object, in ascending order of label, independent of the order of the table.
    rows : (n,) int array
        The position in the table of each row of `values`.
    columns : list of str
        The columns of `values`.
    excluded : dict of str to list of str
            The excluded columns of the table, by reason.
    correlated : list of str
        Pairs of `columns` that are strongly correlated.
    """

    values: np.ndarray
    rows: np.ndarray
    columns: list[str]
    excluded: Mapping[str, list[str]] = field(default_factory=dict)
    correlated: Sequence[str] = ()

    def summary(self) -> str:
        """Return a line with the columns that are used, and those that are excluded and why."""
        used = f"{counted(len(self.columns), 'column')} used: {first_few(self.columns, 8)}"
        return "; ".join([used, *self._remarks()])

    def details(self) -> tuple[str, list[str]]:
        """Return how many columns are used and excluded, and the lines that say which and why."""
        excluded = sum(map(len, self.excluded.values()))
        counts = f"{counted(len(self.columns), 'column')} used" + f", {excluded} excluded" * (excluded > 0)
        return counts, [f"used: {', '.join(self.columns)}", *self._remarks()]

    def _remarks(self) -> Iterator[str]:
        reasons = [f"{reason} ({first_few(names, 8)})" for reason, names in self.excluded.items() if names]
        if reasons:
            yield f"excluded: {', '.join(reasons)}"
        if self.correlated:
            yield f"strongly correlated: {first_few(self.correlated, 4)}"


def check_table(table: Any) -> pd.DataFrame:
    """Return `table` if it is a DataFrame whose objects have a unique `label`, or `image` and `label`."""
    check_frame(table)
    if table.columns.nlevels > 1:
        hint = "Join the levels: table.columns = ['_'.join(map(str, name)) for name in table.columns]."
        raise invalid("table", "column names of one level", f"{table.columns.nlevels} levels", hint)
    if not table.columns.is_unique:
        name = table.columns[table.columns.duplicated()][0]
        raise invalid("table", "unique column names", f"more than one column {name!r}")
    if "label" not in table.columns:
        raise invalid("table", "a column 'label'", f"the columns {_some(table.columns)}", _label_hint(table))
    if table.empty:
        return table
    labels = table["label"]
    if not _is_real(labels) or labels.isna().any() or (numbers(labels) % 1 != 0).any():
        raise invalid("table", "integers in the column 'label'", f"{_some(labels)} ({labels.dtype})")
    if (labels < 0).any():
        raise invalid("table", "labels of at least 0 in the column 'label'", f"{labels.min()} among them")
    key = key_columns(table)
    repeated = table.duplicated(key)
    if repeated.any():
        expected = f"one row for each {' and '.join(key)}"
        first = table.loc[repeated, key].iloc[0].tolist()
        hint = "If objects come from several images, add a column 'image'."
        raise invalid("table", expected, f"more than one row for {first}", hint)
    return table


def check_column(table: pd.DataFrame, argument: str, name: object) -> None:
    """Raise unless `name` is that of a column of the table."""
    if name not in table.columns:
        hint = f"It has {first_few(list(table), 20)}."
        raise invalid(argument, "the name of a column of the table", describe(name), hint)


def check_spelling(argument: str, what: str, names: Iterable[object]) -> None:
    """Raise if two names differ by nothing but case, spaces or the form of their characters."""
    folded: dict[str, object] = {}
    for name in names:
        spelling = unicodedata.normalize("NFKC", str(name)).casefold()
        same = folded.setdefault(" ".join(spelling.split()), name)
        if same is not name:
            got = f"{same!r} and {name!r}"
            raise invalid(argument, f"one name for each {what}", got, "Use one spelling.")


def column_units(table: pd.DataFrame, names: Iterable[str]) -> dict[str, str]:
    """Return the unit of those columns that `measure` measured."""
    measured = table.attrs.get("columns", {})
    return {str(name): measured[name].get("unit", "") for name in names if name in measured}


def check_measured_alike(
    table: pd.DataFrame,
    units: Mapping[str, str],
    spacing: Sequence[float] | None,
    *,
    like: str,
    stacklevel: int,
) -> None:
    """Raise if a column of `table` has another unit, and warn if the voxel size is another one.

    Parameters
    ----------
    table : DataFrame
    units : mapping of str to str
        The unit of each column.
    spacing : sequence of float, optional
        The voxel size that these were measured at.
    like : str
        What has these, for messages.
    stacklevel : int
        Of the warning.
    """
    here = column_units(table, units)
    for name, unit in here.items():
        if unit != units[name]:
            expected = f"{name!r} in {units[name] or 'voxels'}, as in {like}"
            raise invalid("table", expected, unit or "voxels", "Measure with that spacing and unit.")
    now = table.attrs.get("spacing")
    if now is None or spacing is None:
        return
    if len(now) == len(spacing) and np.allclose(now, spacing, rtol=0.01):
        return
    text = f"a voxel size of {tuple(now)}, {like} {tuple(spacing)}"
    warn(f"The table has {text}: this alone can change shapes and textures.", stacklevel=stacklevel)


def warn_of_magnitude(
    names: Sequence[str], known: np.ndarray, new: np.ndarray, *, like: str, stacklevel: int
) -> None:
    """Warn of columns that are ten times as large or small and do not overlap, as in another unit."""
    if min(len(known), len(new)) < _FEWEST:
        return
    low, high = np.percentile(new, (5, 95), axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        factor = np.median(new, axis=0) / np.median(known, axis=0)
    is_apart = (low > known.max(axis=0)) | (high < known.min(axis=0))
    for place in np.flatnonzero(is_apart & ((factor >= 10) | ((factor > 0) & (factor <= 0.1)))).tolist():
        text = f"{names[place]!r} is typically {factor[place]:.2g} times as large as in {like}"
        warn(f"table: {text}. Is it in another unit?", stacklevel=stacklevel)


def check_one_unit(table: pd.DataFrame, names: Iterable[str], *, stacklevel: int = 4) -> None:
    """Raise if lengths are in several units by the column ``unit``, as where tables of runs were joined.

    Warn if objects were measured at several voxel sizes: that is in the table, as area divided by num_pixels.
    """
    units = list(table["unit"].dropna().unique()) if "unit" in table else []
    lengths = [name for name in names if column_unit(str(name), ndim=3, unit="unit") not in ("", "px")]
    if len(units) > 1 and lengths:
        got = f"{lengths[0]!r} in {_some(units)}"
        hint = "Measure all images with their voxel size, or choose columns without a unit."
        raise invalid("table", "lengths in one unit, by its column 'unit'", got, hint)
    sizes = _voxel_sizes(table) if lengths else []
    if len(sizes) > 1:
        shown = f"{sizes[0]:g} to {sizes[-1]:g}"
        warn(
            f"The objects were measured with voxels of {shown} (area divided by num_pixels): lengths may be "
            "in different units, and shapes and textures depend on the voxel size.",
            stacklevel=stacklevel,
        )


def _voxel_sizes(table: pd.DataFrame) -> list[float]:
    """Return the areas or volumes of the voxels that objects were measured with, ascending.

    There are none if they differ from object to object, as in columns of different programs.
    """
    if not all(name in table and _is_real(table[name]) for name in ("area", "num_pixels")):
        return []
    area, count = (numbers(table[name]) for name in ("area", "num_pixels"))
    is_known = np.isfinite(area) & np.isfinite(count) & (area > 0) & (count > 0)
    sizes = np.sort(area[is_known] / count[is_known])
    different = sizes[np.diff(sizes, prepend=0) > _SAME_VOXEL * sizes]
    return different.tolist() if 2 * len(different) <= len(sizes) else []


def _label_hint(table: pd.DataFrame) -> str:
    """Explain how to add the column `label` to a table from another tool."""
    only = str(table.columns[0]) if len(table.columns) == 1 else ""
    for separator in (";", "\t"):
        if separator in only:
            return f"Its columns are not separated: pandas.read_csv(path, sep={separator!r}, decimal=...)."
    if table.index.name == "label":
        return "The labels are the index: table.reset_index()."
    if any(str(name).startswith(("#", "Unnamed: ")) for name in table.columns[:2]):
        return "Are there lines above the names of the columns? Use pandas.read_csv(path, skiprows=...)."
    known = r"object|nb|labelimage oid|((object|cell|nucleus|spot|roi|original) ?)?(number|no|id|label)"
    named = [name for name in table if re.fullmatch(known, words_of(str(name)))]
    # Of ilastik, labelimage_oid is the label; object_id counts from 0.
    named.sort(key=lambda name: "oid" not in str(name))
    numbers = [name for name in named if _is_real(table[name]) and not table[name].isna().any()]
    if not numbers:
        return "Objects are identified by their label: add it with table.insert(0, 'label', ...)."
    rename = {numbers[0]: "label"}
    images = [name for name in table if re.fullmatch("image ?(number|id|name)?", words_of(str(name)))]
    if images and "image" not in table:
        rename[images[0]] = "image"
    return f"Rename the column with the object ids: table.rename(columns={rename})."


def measurement_columns(table: pd.DataFrame) -> list[str]:
    """Return the columns of `table` that contain measurements, by their dtype and name.

    These are the real-valued columns except identifiers (object, image, time point, sample), positions,
    orientations, embeddings, clusters, classes and probabilities. Names of many tools are recognized, see
    `column_role`. Redundant columns such as ``num_pixels`` in addition to ``area`` are excluded.
    """
    return _measured(table)[0]


def _measured(table: pd.DataFrame) -> tuple[list[str], dict[str, list[str]]]:
    """Return the columns with measurements, and the excluded columns by reason."""
    names: list[str] = []
    excluded: dict[str, list[str]] = {}
    for name in table.columns:
        reason = column_role(str(name))
        if reason == "measurement":
            if _is_real(table[name]):
                names.append(name)
                continue
            check_text(table[name])
            reason = "text" if table[name].dtype.kind not in "bcmM" else f"type {table[name].dtype}"
            reason = "empty" if len(table) and table[name].isna().all() else reason
        excluded.setdefault(reason, []).append(name)
    again = [name for name in names if _SIZE_AGAIN.fullmatch(words_of(str(name)))]
    if any(re.search(r"\b(area|volume|vol)$", words_of(str(name))) for name in names):
        excluded["redundant size"] = again
        names = [name for name in names if name not in again]
    return names, excluded


def check_columns(table: pd.DataFrame, columns: Iterable[str] | str) -> list[str]:
    """Return the columns to use: `columns` if they exist and are numeric, or all measurements for "auto"."""
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
            check_text(table[name])
            hint = "Drop it, or convert it with pandas.to_numeric."
            raise invalid("columns", "numeric columns", f"{name!r} of type {table[name].dtype}", hint)
    return names


def key_columns(table: pd.DataFrame) -> list[str]:
    """Return the columns that identify an object: ``image`` and ``frame`` if present, and ``label``."""
    return [name for name in ("image", "frame", "label") if name in table.columns]


def key_rows(table: pd.DataFrame, keys: Sequence[Any], *, argument: str) -> dict[Any, int]:
    """Return the place of the row of each object of `table`, by keys of the kind that `keys` are of.

    A key is a label; with several images or frames a tuple: (image, label), (frame, label) or (image, frame,
    label).

    Raises
    ------
    ValueError
        If `keys` do not tell the image of the objects though there are several, or are of different kinds.
    """
    names = key_columns(table)
    several = [name for name in names[:-1] if len(table[name].unique()) > 1]
    if all(isinstance(key, tuple) and len(key) == len(names) for key in keys):
        used = names
    elif all(isinstance(key, tuple) and len(key) == len(several) + 1 for key in keys) and several:
        used = [*several, "label"]
    elif not several and not any(isinstance(key, tuple) for key in keys):
        used = ["label"]
    else:
        expected = f"keys ({', '.join([*several, 'label'])})" if several else "labels as keys"
        raise invalid(argument, expected, describe(keys[0]) if keys else "none")
    columns = table[used]
    rows = columns["label"] if used == ["label"] else columns.itertuples(index=False, name=None)
    return {key: row for row, key in enumerate(rows)}


def prepare(
    table: pd.DataFrame,
    *,
    columns: Iterable[str] | str = "auto",
    scale: bool | str = True,
    among: np.ndarray | None = None,
    correlations: bool = True,
) -> Matrix:
    """Return the matrix of `columns` for the objects that have a value in each of them.

    Parameters
    ----------
    table : DataFrame
        One row for each object.
    columns : list of str or "auto"
        "auto" selects the measurements, without redundant ones, which are proportional to another one or
        to a power of it, such as the equivalent diameter.
    scale : bool, "robust" or str
        True standardizes each column to mean 0 and standard deviation 1, "robust" to median 0 and an
        interquartile range of 1.349, that of a normal distribution. The name of a column, such as "image",
        standardizes within each of its values. Constant columns are excluded when scaling.
    among : (n,) bool array, optional
        The rows to return. Columns are selected using all rows.
    correlations : bool
        Whether to find strongly correlated columns; "auto" needs it.

    Raises
    ------
    ValueError
        If no column or no object is left.

    Notes
    -----
    Infinite values count as missing. Columns without any value are excluded.
    """
    names = check_columns(check_table(table), columns)
    _check_scale(scale, table)
    check_one_unit(table, names)
    automatic = isinstance(columns, str)
    excluded = _measured(table)[1] if automatic else {}
    values = np.empty((len(table), len(names)))
    for index, name in enumerate(names):
        values[:, index] = table[name].to_numpy(dtype=float, na_value=np.nan)
    if table.empty:
        return Matrix(values, np.empty(0, dtype=np.intp), names, excluded)
    values[~np.isfinite(values)] = np.nan
    check_numbers(values, names)
    check_last_rows(values)

    def keep(chosen: Any, reason: str) -> None:
        nonlocal values, names
        gone = [name for name, stays in zip(names, chosen, strict=True) if not stays]
        excluded[reason] = excluded.get(reason, []) + gone
        values, names = values[:, chosen], [name for name in names if name not in gone]

    measured = ~np.isnan(values).all(axis=0)
    if not measured.any():
        raise invalid("table", "measurements", "columns without any value")
    keep(measured, "empty")
    rows = _complete_rows(table, values, names, np.ones(len(table), bool) if among is None else among)
    if scale is not False:
        keep(_varies(values[rows], names), "constant")
    same: set[str] = set()
    pairs: list[tuple[str, str]] = []
    if automatic or correlations:
        same, pairs = _compare(values[~np.isnan(values).any(axis=1)], names)
    if automatic:
        keep(~np.isin(names, list(same)), "redundant")
    values = values[rows]
    correlated = [f"{one} and {other}" for one, other in pairs if {one, other} <= set(names)]
    if scale is not False:
        values = _scaled(values, scale, table, rows)
    return Matrix(values, rows, names, excluded, correlated)


def _complete_rows(
    table: pd.DataFrame, values: np.ndarray, names: list[str], among: np.ndarray
) -> np.ndarray:
    """Return the positions of the rows in `among` without missing values, ordered by image and label."""
    gaps = np.isnan(values) & among[:, np.newaxis]
    complete = among & ~gaps.any(axis=1)
    if complete.sum() < among.sum():
        worst = names[int(gaps.sum(axis=0).argmax())]
        text = f"{among.sum() - complete.sum():,} of {among.sum():,} objects have missing values"
        hint = f"most of them in {worst!r}. Exclude it with columns=[...]."
        if not complete.any():
            expected = "objects without missing values"
            raise invalid("table", expected, f"a table where {text}, {hint}")
        warn(f"{text} and get no result, {hint}", stacklevel=4)
    order = np.argsort(table["label"].to_numpy(dtype=np.int64), kind="stable")
    if "frame" in table.columns:
        order = order[np.argsort(table["frame"].to_numpy()[order], kind="stable")]
    if "image" in table.columns:
        order = order[np.argsort(table["image"].astype(str).to_numpy()[order], kind="stable")]
    return order[complete[order]]


def _varies(values: np.ndarray, names: list[str]) -> np.ndarray:
    """Return which columns are not constant."""
    # Columns that vary only by rounding count as constant: scaling would amplify the noise.
    varies = np.asarray(values.std(axis=0) > 1e-12 * np.abs(values).max(axis=0))
    if not varies.any():
        got = f"{counted(len(values), 'object')} with constant values in {_some(names)}"
        raise invalid("table", "a measurement that varies between objects", got)
    return varies


def _compare(values: np.ndarray, names: list[str]) -> tuple[set[str], list[tuple[str, str]]]:
    """Return the redundant columns, and the pairs of strongly correlated columns."""
    if len(values) < _FEWEST or len(names) < 2:
        return set(), []
    sample = values[:: max(1, len(values) // _MOST)]
    with np.errstate(divide="ignore", invalid="ignore"):
        linear = np.abs(np.corrcoef(sample, rowvar=False))
        powers = np.log(np.where((sample > 0).all(axis=0), sample, np.nan))
        alike = np.fmax(linear, np.abs(np.corrcoef(powers, rowvar=False)))
    again = [bool(_SIZE_AGAIN.fullmatch(words_of(str(name)))) for name in names]
    order = sorted(range(len(names)), key=again.__getitem__)  # prefer to drop redundant sizes
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
        # If over half of the values are equal, so are the quartiles: use the standard deviation.
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
        Not modified.
    rows : (n,) int array
        The position of each result in the table.
    results : mapping of str to (n,) array
        Float results become a column with NaN, integers a nullable one (``Int64``).
    replace : str
        A regular expression. Columns that match it are results of an earlier run and are dropped.
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
    result.attrs = dict(table.attrs)  # concat drops attributes such as units
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


def _some(values: Any) -> str:
    """Quote the first few of `values`."""
    return first_few([repr(value) for value in values], 12)


def column_kind(column: pd.Series) -> str:
    """Return how a column can be plotted: as "number", as "category", or not at all ("text")."""
    if _is_real(column):
        return "category" if str(column.name).endswith(CLUSTERS) and _is_countable(column) else "number"
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
    """Return the category index of each row (-1 if missing) and the ordered categories."""
    import pandas as pd

    try:
        codes, values = pd.factorize(column, sort=True)
    except TypeError:
        codes, values = pd.factorize(column.astype("string"), sort=True)
    return codes.astype(np.int32), list(values)
