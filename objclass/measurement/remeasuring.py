"""Measuring again what was corrected: the changed objects alone, everything else stays."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from objclass._common import checks
from objclass._common.notices import warn
from objclass.measurement.columns import find_property
from objclass.measurement.measuring import check_options, measure

if TYPE_CHECKING:
    import pandas as pd

_SAME = 1e-5  # relative: a table that was written with six digits is the same
_PLAIN = ("area", "num_pixels", "centroid")  # what every table of these labels must agree in
_OF_THE_IMAGE = ("image", "frame")


def remeasure(
    table: pd.DataFrame,
    labels: npt.ArrayLike,
    edited: npt.ArrayLike,
    *,
    image: npt.ArrayLike | None = None,
    spacing: float | Sequence[float] | None = None,
    earlier: Iterable[pd.DataFrame] = (),
) -> pd.DataFrame:
    """Bring a table up to date with labels that were corrected, and keep what else it holds.

    Parameters
    ----------
    table : DataFrame
        From `measure`, perhaps with more columns; one row an object.
    labels : (z, y, x) or (y, x) integer array
        The labels that `table` was measured on.
    edited : integer array of the same shape
        The labels as they are now, such as those that `edit_objects` returns.
    image : array of the shape of labels, or with channels first, optional
        What `table` was measured on.
    spacing : number or sequence of numbers, optional
        What `table` was measured with.
    earlier : sequence of DataFrame
        Tables that hold rows of objects that `table` has lost and that are there again, the last one first.

    Returns
    -------
    DataFrame
        The rows of `table` without the objects that are gone and with the new ones, in order of the labels
        if they were so. Where an object has changed, its measurements are those of `measure`, and missing
        where `measure` does not give the values of `table` with its default options. Columns that are no
        measurements keep their values by label, and are missing for new objects. The index is new.

    Raises
    ------
    ValueError
        If the shapes differ, or size or position in `table` are not those of `labels`.
    TypeError
        If labels are not integers.

    Warns
    -----
    UserWarning
        Which columns could not be measured again.

    See Also
    --------
    edit_objects : Repeats corrections.

    Examples
    --------
    >>> import numpy as np, objclass
    >>> labels = np.array([[1, 1, 1, 1, 0, 2, 0, 5]])
    >>> table = objclass.measure(labels, properties=["area"]).assign(kind=["long", "dot", "dot"])
    >>> cut = {"edit": "cut", "label": 1, "line": [[-1, 0.5], [1, 0.5]]}
    >>> edited = objclass.edit_objects(labels, [cut, {"edit": "delete", "labels": [2]}])
    >>> objclass.remeasure(table, labels, edited)
       label  area  kind
    0      1   3.0  long
    1      5   1.0   dot
    2      6   1.0   NaN
    """
    _check_table(table)
    before, after = checks.check_labels(labels), checks.check_labels(edited, argument="edited")
    if before.shape != after.shape:
        raise checks.invalid("edited", f"labels of the shape {before.shape}", str(after.shape))
    differs = before != after
    changed = np.union1d(before[differs], after[differs]).astype(np.int64)
    changed = changed[changed > 0]
    there = changed[np.isin(changed, after[np.isin(after, changed)])]
    attrs, table, earlier = table.attrs, _without_attrs(table), map(_without_attrs, earlier)
    rows = _join_rows(table, gone=np.setdiff1d(changed, there), new=there, earlier=earlier)
    if len(changed):
        _measure_again(rows, table, (before, after), changed, image=image, spacing=spacing)
    rows = _restore_types(rows, table)
    rows.attrs = attrs
    return rows


def _without_attrs(table: pd.DataFrame) -> pd.DataFrame:
    """Return the same table without its attributes, which pandas copies with every column."""
    bare = table.copy(deep=False)
    bare.attrs = {}
    return bare


def _check_table(table: Any) -> None:
    import pandas as pd

    if not isinstance(table, pd.DataFrame) or "label" not in table or table["label"].duplicated().any():
        expected = "a DataFrame with a row for each label of one image"
        raise checks.invalid("table", expected, checks.describe(table))


def _join_rows(
    table: pd.DataFrame, *, gone: np.ndarray, new: np.ndarray, earlier: Iterable[pd.DataFrame]
) -> pd.DataFrame:
    """Return the rows of the objects that are there, each column as one that can hold missing values."""
    import pandas as pd

    parts = [_with_missing(part[part.columns.intersection(table.columns)]) for part in (table, *earlier)]
    known = pd.concat(parts).drop_duplicates("label").set_index("label", drop=False)[table.columns]
    labels = table["label"].to_numpy()
    stay = labels[~np.isin(labels, gone)]
    numbers = np.concatenate([stay, np.setdiff1d(new, stay)]).astype(labels.dtype)
    if (np.diff(labels.astype(np.int64)) > 0).all():
        numbers = np.sort(numbers)
    rows = known.reindex(numbers)
    rows["label"] = numbers
    for name in _OF_THE_IMAGE:
        if name in rows and len(table) and (table[name] == table[name].iloc[0]).all():
            rows[name] = table[name].iloc[0]
    return rows


def _with_missing(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table whose integers and bools can be missing too."""
    nullable = {"i": "Int64", "u": "UInt64", "b": "boolean"}
    types = {name: nullable.get(getattr(dtype, "kind", "")) for name, dtype in table.dtypes.items()}
    return table.astype({name: dtype for name, dtype in types.items() if dtype is not None})


def _measure_again(
    rows: pd.DataFrame,
    table: pd.DataFrame,
    volumes: tuple[np.ndarray, np.ndarray],
    changed: np.ndarray,
    *,
    image: npt.ArrayLike | None,
    spacing: float | Sequence[float] | None,
) -> None:
    """Put the measurements of the changed objects into `rows`, whose index are the labels."""
    found = {str(name): find_property(str(name)) for name in table.columns}
    scopes = {name: entry.scope == "object" for name, entry in found.items() if entry is not None}
    lost = set(scopes)
    there = changed[np.isin(changed, rows.index)]
    for is_local in (True, False):
        names = [name for name, local in scopes.items() if local == is_local]
        if not names:
            continue
        old, new = (
            _measure(_only(volume, changed) if is_local else volume, names, image=image, spacing=spacing)
            for volume in volumes
        )
        targets = there if is_local else rows.index.intersection(new.index)
        for name in new.columns.intersection(names):
            if _agrees(table.set_index("label")[name], old[name]):
                lost.discard(name)
                rows[name] = _replace(rows[name], new.loc[targets, name])
    wrong = [name for name in lost if name.partition("-")[0] in _PLAIN]
    if wrong:
        hint = "Pass the spacing that it was measured with, and the labels."
        raise checks.invalid("table", "the measurements of these labels", f"others in {wrong[0]!r}", hint)
    for name in lost:
        rows[name] = rows[name].mask(rows.index.isin(there))
    if lost:
        warn(
            f"Not measured again, and missing for the changed objects: {checks.first_few(sorted(lost))}. "
            "measure(labels, image) with its default options gives no such values.",
            stacklevel=4,
        )


def _only(volume: np.ndarray, labels: np.ndarray) -> np.ndarray:
    return np.where(np.isin(volume, labels), volume, 0)


def _measure(
    volume: np.ndarray, columns: Sequence[str], *, image: Any, spacing: float | Sequence[float] | None
) -> pd.DataFrame:
    """Measure what columns hold, as far as it can be measured here, indexed by label."""
    has_axis = image is not None and np.ndim(image) > volume.ndim
    n_channels = 0 if image is None else len(image) if has_axis else 1
    steps = checks.check_spacing(spacing, volume.ndim) or (1.0,) * volume.ndim
    options = check_options(spacing=steps)
    entries = {entry.name: entry for name in columns if (entry := find_property(name)) is not None}
    existing = [name for name, entry in entries.items() if entry.exists(volume.ndim, n_channels, options)]
    if len({*steps}) > 1:
        existing = [name for name in existing if entries[name].group != "perimeter"]
    names = _channel_names(columns, n_channels) if has_axis else None
    image = image if any(entries[name].needs_image for name in existing) else None
    table = measure(
        volume,
        image,
        spacing=spacing,
        properties=existing,
        channel_names=names if image is not None else None,
        progress=False,
    )
    table.attrs = {}
    return table.set_index("label")


def _channel_names(columns: Sequence[str], n_channels: int) -> list[str] | None:
    """Return what the channels are called in the columns of a property that has one value for each."""
    suffixes: dict[str, list[str]] = {}
    for column in columns:
        entry = find_property(column)
        if entry is not None and entry.per == ("channel",):
            suffixes.setdefault(entry.name, []).append(column.partition("-")[2])
    return next((names for names in suffixes.values() if len(names) == n_channels and all(names)), None)


def _replace(values: pd.Series, new: pd.Series) -> pd.Series:
    """Return numbers with some of them, by label, replaced."""
    replaced = values.astype("Float64" if "f" in (values.dtype.kind, new.dtype.kind) else "Int64")
    replaced.loc[new.index] = new.astype(replaced.dtype)
    return replaced


def _agrees(known: pd.Series, found: pd.Series) -> bool:
    """Tell whether a column of the table holds what `measure` finds for the same objects."""
    both = known.index.intersection(found.index)
    one, other = (
        part.loc[both].astype("float64").to_numpy(na_value=np.nan)
        if part.dtype.kind in "iufb"
        else np.full(len(both), np.nan)
        for part in (known, found)
    )
    return bool(np.allclose(one, other, rtol=_SAME, atol=1e-9, equal_nan=True))


def _restore_types(rows: pd.DataFrame, table: pd.DataFrame) -> pd.DataFrame:
    """Give each column the type that it had, where no value is missing."""
    for name in table.columns:
        dtype = table[name].dtype
        if rows[name].dtype != dtype and (getattr(dtype, "kind", "") == "f" or not rows[name].isna().any()):
            rows[name] = rows[name].astype(dtype)
    return rows.reset_index(drop=True)
