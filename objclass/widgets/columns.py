"""Columns of a table for plots: type, unit, range, categories and their colours, values."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from objclass.plots.colors import category_color
from objclass.tables.columns import column_kind, factorize, numbers

if TYPE_CHECKING:
    import pandas as pd


def describe_column(column: pd.Series, *, unit: str = "") -> dict[str, Any]:
    """Return the description of a column for the browser, without its values."""
    kind = column_kind(column)
    described: dict[str, Any] = {"name": str(column.name), "kind": kind, "unit": unit}
    if kind == "category":
        codes, values = factorize(column)
        counts = np.bincount(codes[codes >= 0], minlength=len(values)).tolist()
        described["categories"] = [
            {"name": str(value), "count": count, "color": category_color(value, place)}
            for place, (value, count) in enumerate(zip(values, counts, strict=True))
        ]
        described["missing"] = int((codes < 0).sum())
    elif kind == "number":
        finite = numbers(column)
        finite = finite[np.isfinite(finite)]
        low, high = (float(v) for v in np.percentile(finite, (0.5, 99.5))) if finite.size else (0.0, 1.0)
        if low == high and finite.size:
            low, high = float(finite.min()), float(finite.max())
        described |= {"low": low, "high": high, "missing": len(column) - finite.size}
    return described


def encode_column(column: pd.Series, rows: np.ndarray) -> tuple[str, bytes]:
    """Return the values of rows for the browser: float64 numbers, or int32 indices of categories."""
    if column_kind(column) == "category":
        return "int32", factorize(column)[0][rows].astype("<i4").tobytes()
    return "float64", numbers(column)[rows].astype("<f8").tobytes()


def first_columns(described: Mapping[str, Mapping[str, Any]]) -> tuple[str, str]:
    """Return the initial columns of a plot: an embedding if there is one, else size and intensity."""
    usable = [name for name, column in described.items() if column["kind"] == "number" and name != "label"]
    for pair in (("UMAP_0", "UMAP_1"), ("t-SNE_0", "t-SNE_1"), ("PC_0", "PC_1")):
        if set(pair) <= set(usable):
            return pair
    place = re.compile(r"^(label|bbox|centroid|local_centroid|centroid_weighted)")
    wished = [
        "area",
        "intensity_mean",
        "intensity_mean-0",
        *(n for n in usable if not place.search(n)),
        *usable,
    ]
    chosen = list(dict.fromkeys(name for name in wished if name in usable))
    return (chosen[0] if chosen else "label", chosen[1] if len(chosen) > 1 else "")


def to_cell(value: Any) -> Any:
    """Return a value that JSON can carry; None where it is missing."""
    if isinstance(value, (bool, np.bool_)):
        return bool(value)
    if isinstance(value, (int, np.integer)):
        return int(value)
    if isinstance(value, (float, np.floating)):
        return float(value) if np.isfinite(value) else None if np.isnan(value) else str(value)
    try:
        missing = value is None or value != value
    except TypeError:
        missing = True
    return None if missing is True or str(value) == "<NA>" else str(value)
