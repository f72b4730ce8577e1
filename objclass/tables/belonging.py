"""Whether a table is that of the objects of a label image."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from objclass._common.checks import first_few, invalid
from objclass._common.notices import warn
from objclass.tables.columns import check_table, numbers

if TYPE_CHECKING:
    import pandas as pd

_FEWEST, _MOST = 6, 100  # objects to compare
_VOXELS = 2**21  # to look at: of a larger image every second, third, … voxel along each axis


def of_one_image(table: pd.DataFrame) -> pd.DataFrame:
    """Return `table` if it is one of objects that have one row each by their label."""
    table = check_table(table)
    if table["label"].duplicated().any():
        hint = "Select the rows of the image: table[table['image'] == name]."
        raise invalid("table", "the objects of one image", "those of several", hint)
    return table


def check_belongs(table: pd.DataFrame, labels: np.ndarray, present: np.ndarray, *, stacklevel: int) -> None:
    """Raise if a table has none of the objects of a label image, and warn if they lie elsewhere.

    Parameters
    ----------
    table : DataFrame
        One row for each object.
    labels : (z, y, x) or (y, x) integer array
    present : (n,) int array
        The labels of the objects in `labels`.
    stacklevel : int
        Of the warning.
    """
    if len(table) and len(present) and not table["label"].isin(present).any():
        given, there = (first_few(list(map(repr, each.tolist())), 12) for each in (table["label"], present))
        got = f"the objects {given} together with the labels {there}"
        raise invalid("table", "objects of the label image", got, "Is it the table of another image?")
    if np.array_equal(np.unique(table["label"]) + 1, present):
        hint = "Labels of images count from 1: table['label'] += 1."
        raise invalid("table", "the labels of the image", f"0 to {len(present) - 1}", hint)
    warn_if_elsewhere(table, labels, stacklevel=stacklevel + 1)


def warn_if_elsewhere(table: pd.DataFrame, labels: np.ndarray, *, stacklevel: int) -> None:
    """Warn if over a tenth of the objects of a table do not lie where the table has them."""
    n_elsewhere, n_compared = _count_elsewhere(table, labels)
    if n_elsewhere > max(2, n_compared / 10):
        text = f"{n_elsewhere} of {n_compared} objects that were compared lie elsewhere in labels"
        hint = "Is it the table of another image, or have objects other labels by now?"
        warn(f"table: {text} than in the table. {hint}", stacklevel=stacklevel + 1)


def _count_elsewhere(table: pd.DataFrame, labels: np.ndarray) -> tuple[int, int]:
    """Return how many of a sample of objects lie elsewhere, and the size of the sample.

    Places in the table may be in any unit, of a larger image or of one with other voxels: only that they are
    linear in those of the image is asked for, as fitted by the median slope of all pairs.
    """
    places = _places(table, labels.ndim)
    labelled = table["label"].to_numpy(dtype=np.uint64 if labels.dtype == np.uint64 else np.int64)
    rows = np.flatnonzero(np.isfinite(places).all(axis=1) & (labelled > 0))
    if len(rows) < _FEWEST or labels.size == 0 or table["label"].duplicated().any():
        return 0, 0
    rows = rows[np.linspace(0, len(rows) - 1, min(_MOST, len(rows))).astype(int)]
    step = max(1, int(np.ceil((labels.size / _VOXELS) ** (1 / labels.ndim))))
    labels = labels[(slice(None, None, step),) * labels.ndim]
    found, low, high = _boxes(labels, labelled[rows])
    if len(found) < _FEWEST:
        return 0, 0
    place = places[rows[found]]
    fits = np.ones(len(found), bool)
    first, second = np.triu_indices(len(found), 1)
    for axis in range(labels.ndim):
        middle = (low[:, axis] + high[:, axis]) / 2
        apart = place[second, axis] - place[first, axis]
        differ = apart != 0
        slopes = (middle[second] - middle[first])[differ] / apart[differ]
        slope = max(0.0, float(np.median(slopes))) if len(slopes) else 0.0
        rest = middle - slope * place[:, axis]
        reach = (high[:, axis] - low[:, axis]) / 2 + 1
        # In a part of an image, an object at its border may be cut.
        is_cut = (low[:, axis] == 0) | (high[:, axis] == labels.shape[axis] - 1)
        fits &= is_cut | (np.abs(rest - np.median(rest)) <= reach)
    return int(np.count_nonzero(~fits)), len(found)


def _places(table: pd.DataFrame, ndim: int) -> np.ndarray:
    """Return the centres (n, ndim) of objects or of their boxes; NaN if the table has none for this image."""
    for name, n in (("bbox", 2 * ndim), ("centroid", ndim)):
        names = [f"{name}-{axis}" for axis in range(n)]
        known = {*table.select_dtypes("number").columns}
        if {*names} <= known and f"{name}-{n}" not in known:
            values = np.column_stack([numbers(table[each]) for each in names])
            return values.reshape(len(table), n // ndim, ndim).mean(axis=1)
    return np.full((len(table), ndim), np.nan)


def _boxes(labels: np.ndarray, chosen: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the places in `chosen` of those that are found, and the ends (n, ndim) of their boxes."""
    where = np.argwhere(np.isin(labels, chosen))
    order = np.argsort(chosen)
    which = order[np.searchsorted(chosen, labels[tuple(where.T)], sorter=order)]
    low = np.full((len(chosen), labels.ndim), np.iinfo(np.int64).max)
    high = np.full((len(chosen), labels.ndim), -1)
    np.minimum.at(low, which, where)
    np.maximum.at(high, which, where)
    found = np.flatnonzero(high[:, 0] >= 0)
    return found, low[found], high[found]
