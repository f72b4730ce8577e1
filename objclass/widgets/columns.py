"""The columns of a table as a plot needs them: kind, unit, range, categories and their colours, bytes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from objclass._coloring import GROUP_COLORS, UNSELECTED
from objclass.widgets.colors import label_color

if TYPE_CHECKING:
    import pandas as pd

MOST_CATEGORIES = 60
_CLUSTERS = re.compile(r"_CLUSTER_ID$")
_UNITS = (
    (re.compile(r"^area(_bbox|_convex|_filled)?$"), "size"),
    (re.compile(r"(diameter|length|perimeter|feret)"), "length"),
    (re.compile(r"^centroid"), "length"),
    (re.compile(r"^inertia_tensor"), "square"),
    (re.compile(r"^bbox-"), "pixel"),
)
_POWERS = {1: "", 2: "²", 3: "³"}


def column_unit(name: str, *, ndim: int, unit: str) -> str:
    """Return the unit of a measured column, or "" for a pure number; `unit` is that of one pixel's side.

    Examples
    --------
    >>> column_unit("area", ndim=3, unit="µm"), column_unit("solidity", ndim=3, unit="µm")
    ('µm³', '')
    """
    kind = next((kind for pattern, kind in _UNITS if pattern.search(name)), "")
    powers = {"size": f"{unit}{_POWERS[ndim]}", "length": unit, "square": f"{unit}²", "pixel": "px", "": ""}
    return powers[kind]


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


def describe_column(column: pd.Series, *, unit: str = "") -> dict[str, Any]:
    """Return what the browser needs to know of a column before it asks for the values."""
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


def category_color(value: object, place: int) -> str:
    """Return the colour of a category; noise, which clustering numbers -1, is grey."""
    if value == -1:
        return UNSELECTED
    number = int(value) if isinstance(value, (int, np.integer)) and not isinstance(value, bool) else place
    return group_color(number + 1)


def group_color(group: int) -> str:
    """Return the colour of group 1, 2, …: the palette first, then ever new hues."""
    if 1 <= group <= len(GROUP_COLORS):
        return GROUP_COLORS[group - 1]
    return "#{:02x}{:02x}{:02x}".format(*label_color(max(group, 1)))


def encode_column(column: pd.Series, rows: np.ndarray) -> tuple[str, bytes]:
    """Return the values of some rows for the browser: float64 numbers, or int32 places of categories."""
    if column_kind(column) == "category":
        return "int32", factorize(column)[0][rows].astype("<i4").tobytes()
    return "float64", numbers(column)[rows].astype("<f8").tobytes()


def color_ramp() -> bytes:
    """Return 256 colours (red, green, blue) of a perceptually uniform map."""
    from matplotlib import colormaps

    return (colormaps["viridis"](np.arange(256))[:, :3] * 255).round().astype(np.uint8).tobytes()


def first_columns(described: Mapping[str, Mapping[str, Any]]) -> tuple[str, str]:
    """Choose what a plot shows at first: an embedding if there is one, else size against brightness."""
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
