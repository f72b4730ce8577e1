"""New objects in the map of earlier ones."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np

from objclass._common.checks import first_few, invalid
from objclass.tables.columns import (
    Matrix,
    check_measured_alike,
    check_table,
    column_units,
    prepare,
    warn_of_magnitude,
)

if TYPE_CHECKING:
    import pandas as pd

_NEIGHBOURS = 15


def place_like(
    table: pd.DataFrame,
    like: pd.DataFrame,
    column: str,
    *,
    columns: Iterable[str] | str,
    scale: bool | str,
    linear: bool,
) -> tuple[Matrix, np.ndarray]:
    """Return the measurements of the objects of `table`, and their places in the map of `like`.

    Parameters
    ----------
    table, like : DataFrame
        New objects, and those with a place in the columns `column`_0, `column`_1, …
    columns, scale
        As `like` was reduced with.
    linear : bool
        Places are linear in the measurements, as principal components are. Otherwise an object comes to the
        mean place of the objects of `like` with the most similar measurements, weighted by the inverse of
        their distance.
    """
    axis = re.compile(rf"{re.escape(column)}_(\d+)")
    found = {int(of[1]): name for name in check_table(like).columns if (of := axis.fullmatch(str(name)))}
    axes = [found[number] for number in sorted(found)]
    if not axes:
        hint = "Reduce it with the same method first."
        raise invalid("like", f"a table with the columns {column}_0, {column}_1", "none of them", hint)
    known = prepare(like, columns=columns, scale=scale)
    new = _scaled_like(table, like, known, scale)
    places = like[axes].to_numpy(dtype=float, na_value=np.nan)[known.rows]
    has_place = np.isfinite(places).all(axis=1)
    values, new_values = known.values[has_place], new.values  # noqa: PD011
    places = places[has_place]
    if len(places) < len(axes) + 1:
        raise invalid("like", f"at least {len(axes) + 1} objects with a place", f"{len(places)}")
    if linear:
        with_one = np.column_stack([values, np.ones(len(values))])
        directions = np.linalg.lstsq(with_one, places, rcond=None)[0]
        if not np.allclose(with_one @ directions, places, rtol=0, atol=1e-3 * np.abs(places).max()):
            got = f"others, from {first_few(known.columns, 12)}"
            hint = "Pass the columns and the scale that like was reduced with."
            raise invalid("like", "places that follow from its measurements", got, hint)
        return new, np.column_stack([new_values, np.ones(len(new_values))]) @ directions
    return new, _mean_places(values, places, new_values)


def _scaled_like(table: pd.DataFrame, like: pd.DataFrame, known: Matrix, scale: bool | str) -> Matrix:
    """Return the measurements of the new objects, scaled with the mean and deviation of the earlier ones."""
    missing = [name for name in known.columns if name not in check_table(table).columns]
    if missing:
        hint = "Measure the same properties, or name columns that both tables have with columns=[...]."
        raise invalid("table", "the columns that like was reduced with", f"none called {missing[:5]}", hint)
    check_measured_alike(
        table, column_units(like, known.columns), like.attrs.get("spacing"), like="like", stacklevel=5
    )
    within_groups = isinstance(scale, str) and scale != "robust"
    new = prepare(table, columns=known.columns, scale=scale if within_groups else False)
    if new.columns != known.columns:
        lost = sorted({*known.columns} - {*new.columns})
        raise invalid("table", "values in the columns that like was reduced with", f"none in {lost}")
    if within_groups or not len(new.rows):
        return new
    scaled, values = known.values, new.values  # noqa: PD011
    raw = like[known.columns].to_numpy(dtype=float, na_value=np.nan)[known.rows]
    warn_of_magnitude(known.columns, raw, values, like="like", stacklevel=5)
    factor = scaled.std(axis=0) / raw.std(axis=0) if scale else np.ones(raw.shape[1])
    shift = scaled.mean(axis=0) - raw.mean(axis=0) * factor
    return Matrix(values * factor + shift, new.rows, new.columns)


def _mean_places(values: np.ndarray, places: np.ndarray, new: np.ndarray) -> np.ndarray:
    from sklearn.neighbors import NearestNeighbors

    if not len(new):
        return np.empty((0, places.shape[1]))
    search = NearestNeighbors(n_neighbors=min(_NEIGHBOURS, len(values))).fit(values)
    distances, nearest = search.kneighbors(new)
    least = distances[:, :1]
    # Distances of rounding alone are none: an object that was there already comes to its own place.
    tiny = 1e-9 * np.abs(values).max()
    weights = np.where(least <= tiny, distances <= tiny, least / np.maximum(distances, tiny))
    return np.einsum("nk,nka->na", weights / weights.sum(axis=1, keepdims=True), places[nearest])
