"""Selection of objects by a polygon in a plot of two columns, by a range, in the image, or by label."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from objclass._common import checks
from objclass.tables.columns import check_table, key_rows
from objclass.tables.conditions import parse_condition

if TYPE_CHECKING:
    import pandas as pd

GROUP_COLUMN = "MANUAL_CLUSTER_ID"
MODES = ("replace", "add", "subtract")


def select(
    table: pd.DataFrame,
    x: str | None = None,
    y: str | None = None,
    *,
    polygon: npt.ArrayLike | None = None,
    within: Sequence[float] | None = None,
    objects: Iterable[Any] | None = None,
    where: str | None = None,
    log: str = "",
    group: int = 1,
    mode: str = "replace",
) -> pd.DataFrame:
    """Assign selected objects to a group in ``MANUAL_CLUSTER_ID``.

    Exactly one of `polygon`, `within`, `objects` and `where` must be given. An object whose value is missing,
    or not positive on a logarithmic axis, is never inside a polygon.

    Parameters
    ----------
    table : pandas.DataFrame
        One row for each object, with a ``label`` column. An existing ``MANUAL_CLUSTER_ID`` is the starting
        point.
    x, y : str, optional
        The columns on the axes of the plot.
    polygon : (n, 2) array_like, optional
        Corners of a closed polygon in the plane of `x` and `y`, in the units of the columns.
    within : (float, float), optional
        The lowest and the highest value of column `x`, both included.
    objects : iterable of int or tuple, optional
        Labels; of several images (image, label), of time points (frame, label) or (image, frame, label).
    where : str, optional
        A condition on the columns, such as ``"area > 300 and solidity < 0.9"``, in the words of the
        explorer's filter; a name that is no identifier in backticks.
    log : {"", "x", "y", "xy"}
        The logarithmic axes: an edge of the polygon is straight on the axes of the plot.
    group : int
        The group of the selected objects; 0 means not selected.
    mode : {"replace", "add", "subtract"}
        "replace" clears all groups first, "add" keeps the groups of other objects, "subtract" removes the
        selected objects from any group.

    Returns
    -------
    pandas.DataFrame
        A new table with the column ``MANUAL_CLUSTER_ID`` (int64, 0 = not selected).

    Raises
    ------
    ValueError
        If a column is absent or not numeric, if `objects` are labels alone though there are several images,
        if the polygon has fewer than three corners or is not finite, if the condition cannot be parsed, or if
        not exactly one of `polygon`, `within`, `objects` and `where` is given.

    References
    ----------
    Point-in-polygon test: :meth:`matplotlib.path.Path.contains_points`.

    Examples
    --------
    >>> import pandas as pd
    >>> table = pd.DataFrame({"label": [1, 2, 7], "area": [10.0, 20.0, 90.0], "extent": [0.5, 0.6, 0.7]})
    >>> corners = [(5, 0.4), (30, 0.4), (30, 0.8), (5, 0.8)]
    >>> table = select(table, "area", "extent", polygon=corners)
    >>> select(table, "area", within=(50, 100), group=2, mode="add")["MANUAL_CLUSTER_ID"].tolist()
    [1, 1, 2]
    """
    check_table(table)
    checks.check_option("mode", mode, MODES)
    group = checks.check_number("group", group, low=0, integer=True)
    if sum(way is not None for way in (polygon, within, objects, where)) != 1:
        raise checks.invalid("polygon, within, objects, where", "exactly one of the four", "none or several")
    if polygon is not None:
        chosen = inside_polygon(column_values(table, "x", x), column_values(table, "y", y), polygon, log=log)
    elif within is not None:
        chosen = inside_range(column_values(table, "x", x), within)
    elif where is not None:
        chosen = parse_condition(where)(table)
    else:
        chosen = _among(table, [] if objects is None else list(objects))
    if GROUP_COLUMN in table:
        before = table[GROUP_COLUMN].fillna(0).to_numpy().astype(np.int64)
    else:
        before = np.zeros(len(table), dtype=np.int64)
    return table.assign(**{GROUP_COLUMN: apply_selection(before, chosen, group=group, mode=mode)})


def _among(table: pd.DataFrame, objects: list[Any]) -> np.ndarray:
    """Tell which rows are those of the objects."""
    chosen = np.zeros(len(table), dtype=bool)
    if objects:
        places = key_rows(table, objects, argument="objects")
        if not any(key in places for key in objects):
            got = f"{checks.first_few(list(map(repr, objects)))}, which it does not have"
            raise checks.invalid("objects", "objects of the table", got)
        chosen[[places[key] for key in objects if key in places]] = True
    return chosen


def apply_selection(groups: np.ndarray, chosen: np.ndarray, *, group: int, mode: str) -> np.ndarray:
    """Return the groups after applying `mode` to the `chosen` objects (bool); see `select`."""
    rest = np.zeros_like(groups) if mode == "replace" else groups
    return np.where(chosen, 0 if mode == "subtract" else group, rest)


def inside_polygon(x: np.ndarray, y: np.ndarray, polygon: npt.ArrayLike, *, log: str = "") -> np.ndarray:
    """Return which points are inside the polygon; `log` names the axes that are compared as log10."""
    from matplotlib.path import Path

    checks.check_option("log", log, ("", "x", "y", "xy"))
    corners = np.asarray(polygon, dtype=float)
    if corners.ndim != 2 or corners.shape[1] != 2 or len(corners) < 3 or not np.isfinite(corners).all():
        raise checks.invalid(
            "polygon", "at least three corners, an array of shape (n, 2) of finite numbers", corners
        )
    points = np.column_stack([x, y]).astype(float)
    for axis, name in enumerate("xy"):
        if name in log:
            if (corners[:, axis] <= 0).any():
                raise checks.invalid("polygon", f"positive {name} on a logarithmic axis", corners[:, axis])
            points[:, axis] = log10_or_nan(points[:, axis])
            corners = corners.copy()
            corners[:, axis] = np.log10(corners[:, axis])
    finite = np.isfinite(points).all(axis=1)
    inside = np.zeros(len(points), dtype=bool)
    if finite.any():
        inside[finite] = Path(corners).contains_points(points[finite])
    return inside


def inside_range(values: np.ndarray, within: Sequence[float]) -> np.ndarray:
    """Return which values are within ``(low, high)``, both ends included."""
    if len(within) != 2 or not np.isfinite(np.asarray(within, dtype=float)).all() or within[0] > within[1]:
        raise checks.invalid("within", "two finite numbers in ascending order", within)
    return (values >= within[0]) & (values <= within[1])


def log10_or_nan(values: np.ndarray) -> np.ndarray:
    """Return log10, with NaN for values that are not positive."""
    return np.log10(values, out=np.full(len(values), np.nan), where=values > 0)


def column_values(table: pd.DataFrame, argument: str, column: str | None) -> np.ndarray:
    """Return a numeric column as floats, missing values as NaN."""
    from pandas.api.types import is_numeric_dtype

    numeric = [str(name) for name in table if is_numeric_dtype(table[name])]
    if column not in numeric:
        hint = f"The numeric columns are {', '.join(numeric)}."
        raise checks.invalid(argument, "the name of a numeric column", checks.describe(column), hint)
    return table[column].to_numpy(dtype=float, na_value=np.nan)


def pick_objects(
    labels: npt.ArrayLike, polygon: npt.ArrayLike, *, axis: int = 0, index: int = 0
) -> np.ndarray:
    """Return the labels of the objects inside a polygon in a plane of the image.

    An object is inside if the centres of at least half of its pixels in that plane are.

    Parameters
    ----------
    labels : (z, y, x) or (y, x) array of int
        The objects; 0 is background.
    polygon : (n, 2) array_like
        Corners in pixels of the plane, each as (row, column); the centre of pixel (0, 0) is (0, 0).
    axis : int
        The axis perpendicular to the plane in a 3D array.
    index : int
        The index of the plane.

    Returns
    -------
    numpy.ndarray of int64, or of uint64 if a label exceeds the range of int64
        Labels, ascending.

    Raises
    ------
    ValueError
        If the plane does not exist or the polygon is invalid.

    Examples
    --------
    >>> import numpy as np
    >>> labels = np.array([[1, 1, 0, 4], [1, 1, 0, 4]])
    >>> pick_objects(labels, [(-1, -1), (-1, 1.5), (2, 1.5), (2, -1)])
    array([1])
    """
    array = checks.check_labels(labels)
    if array.ndim == 3:
        axis = checks.check_number("axis", axis, low=0, high=2, integer=True)
        index = checks.check_number("index", index, low=0, high=array.shape[axis] - 1, integer=True)
        array = np.take(array, index, axis=axis)
    rows, columns = np.nonzero(array)
    numbers = array[rows, columns]
    inside = inside_polygon(rows, columns, polygon)
    present, of_pixel, pixels = np.unique(numbers, return_inverse=True, return_counts=True)
    hits = np.bincount(of_pixel, weights=inside, minlength=len(present))
    picked = present[2 * hits >= pixels]
    return picked if picked.max(initial=0) > np.iinfo(np.int64).max else picked.astype(np.int64)
