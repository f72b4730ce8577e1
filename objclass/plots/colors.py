"""The colour of each object by a column of the table, joined on the label."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from objclass._common.checks import invalid
from objclass.tables.columns import CLUSTERS, check_column, factorize, numbers
from objclass.tables.selection import GROUP_COLUMN
from objclass.tables.spreadsheets import check_no_numbers

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure


# The Okabe-Ito palette, which is safe for colour blindness, and Tol's wine; class 1, the background, is blue.
CLASS_COLORS = ("#56b4e9", "#e69f00", "#cc79a7", "#009e73", "#f0e442", "#d55e00", "#0072b2", "#882255")
GROUP_COLORS = ("#e69f00", "#56b4e9", "#009e73", "#cc79a7", "#f0e442", "#0072b2", "#d55e00", "#882255")
UNSELECTED = "#8c8c8c"
MISSING = "#4d525c"
GROUND = "#0d0f14"
CHANNEL_COLORS = ("#00ff00", "#ff00ff", "#00ffff", "#ffff00", "#ff0000", "#0000ff", "#ffffff")
CHANNEL_MAPS = ("inferno", "viridis", "gray_r")
"""Names of the colour maps of Matplotlib that a channel may have."""
MOST_KEYS = 12


@dataclass(frozen=True)
class Coloring:
    """Colours of objects and what they mean.

    Attributes
    ----------
    column : str
        The column shown.
    labels : (n,) int array
        The objects of the table.
    colors : (n, 3) uint8 array
        The colour of each object.
    keys : list of (str, str)
        The names of the categories and their colours; empty for numbers.
    limits : (float, float), optional
        The values at the ends of the colour map.
    """

    column: str
    labels: np.ndarray
    colors: np.ndarray
    keys: list[tuple[str, str]]
    limits: tuple[float, float] | None = None

    @property
    def title(self) -> str:
        """The title of a panel in these colours."""
        if self.column == GROUP_COLUMN:
            return "Selected groups"
        method = self.column.removesuffix(CLUSTERS)
        return self.column if method == self.column else f"Clusters, {method}"

    def colors_of(self, labels: np.ndarray) -> np.ndarray:
        """Return the colour of each label; objects without a row in the table are grey."""
        order = np.argsort(self.labels)
        place = np.searchsorted(self.labels[order], labels).clip(max=len(order) - 1)
        known = self.labels[order][place] == labels
        found = np.where(labels[..., None] > 0, rgb(MISSING), rgb(GROUND))
        found[known] = self.colors[order][place[known]]
        return found

    def paint(self, labels: np.ndarray) -> np.ndarray:
        """Return `labels` (y, x) as an RGB image in the colours of the objects."""
        return outlined(self.colors_of(labels), labels)

    def add_key(self, figure: Figure) -> None:
        """Add a legend, or a colour bar for numbers, below all panels."""
        from matplotlib.cm import ScalarMappable
        from matplotlib.colors import Normalize
        from matplotlib.lines import Line2D

        if self.limits is not None:
            scale = ScalarMappable(Normalize(*self.limits), "viridis")
            bar = figure.colorbar(scale, ax=figure.axes, location="bottom", shrink=0.4, aspect=40, pad=0.02)
            bar.set_label(self.column)
            bar.outline.set_visible(False)
            return
        look: dict[str, Any] = {"linestyle": "", "marker": "o", "markersize": 7}
        handles = [Line2D([], [], color=color, label=name, **look) for name, color in self.keys]
        inches = 0.6 + 0.08 * max(len(name) for name, _ in self.keys)
        columns = max(1, min(len(handles), int(figure.get_figwidth() / inches)))
        figure.legend(handles=handles, loc="outside lower center", ncols=columns, frameon=False)


def color_objects(table: pd.DataFrame, column: str) -> Coloring:
    """Return the colours of the objects of a table by a column.

    Raises
    ------
    ValueError
        If the column does not exist, or a label occurs more than once.
    """
    check_column(table, "color", column)
    objects = table["label"].to_numpy(dtype=np.int64)
    if len(np.unique(objects)) < len(objects):
        hint = "Select the rows of one image: table[table['image'] == name]."
        raise invalid("table", "one row for each object", "labels that occur more than once", hint)
    values = table[column]
    if _is_number(values):
        return _by_number(column, objects, values)
    check_no_numbers(values)
    given = table.attrs.get("class_colors", {}) if column == "CLASS" else {}
    return _by_category(column, objects, values, given)


def _is_number(values: pd.Series) -> bool:
    """Return whether a column is quantitative rather than categorical."""
    from pandas.api.types import is_bool_dtype, is_integer_dtype, is_numeric_dtype

    is_cluster = str(values.name).endswith(CLUSTERS)
    if is_cluster or not is_numeric_dtype(values.dtype) or is_bool_dtype(values.dtype):
        return False
    return not is_integer_dtype(values.dtype) or values.nunique() > MOST_KEYS


def _by_number(column: str, objects: np.ndarray, values: pd.Series) -> Coloring:
    from matplotlib import colormaps

    measured = numbers(values)
    finite = np.isfinite(measured)
    colors = np.tile(rgb(MISSING), (len(objects), 1))
    low, high = np.percentile(measured[finite], (0.5, 99.5)) if finite.any() else (0.0, 1.0)
    share = (measured[finite] - low) / ((high - low) or 1.0)
    colors[finite] = (colormaps["viridis"](share)[:, :3] * 255).round()
    return Coloring(column, objects, colors, [], (float(low), float(high)))


def _by_category(column: str, objects: np.ndarray, values: pd.Series, given: Mapping[str, str]) -> Coloring:
    """Return the colours of categories: those `given`, else by their order."""
    codes, categories = factorize(values)
    sizes = np.bincount(codes[codes >= 0], minlength=len(categories))
    groups = _groups_of(column, categories)
    palette = group_colors(groups)
    for place, category in enumerate(map(str, categories)) if given else ():
        palette[place] = rgb(given[category]) if category in given else palette[place]
    colors = np.concatenate([palette, [rgb(MISSING)]])[codes]  # code -1 selects the last
    shown = np.argsort(groups < 1, kind="stable")[:MOST_KEYS]  # noise and not selected come last
    names = [_category_name(column, categories[code], groups[code]) for code in shown]
    keys = [
        (f"{name} ({sizes[code]:,})", to_hex(palette[code])) for name, code in zip(names, shown, strict=True)
    ]
    if len(categories) > MOST_KEYS:
        keys.append((f"and {len(categories) - MOST_KEYS} more", "#ffffff"))
    if (codes < 0).any():
        keys.append((f"no result ({np.count_nonzero(codes < 0):,})", MISSING))
    return Coloring(column, objects, colors, keys)


def _groups_of(column: str, categories: Any) -> np.ndarray:
    """Return the colour index of each category: clusters start from 0, groups from 1."""
    numbers = np.asarray(categories)
    if not column.endswith(CLUSTERS) or numbers.dtype.kind not in "iuf":
        return np.arange(1, len(numbers) + 1)
    return numbers.astype(np.int64) + (column != GROUP_COLUMN)


def _category_name(column: str, category: Any, group: int) -> str:
    if not column.endswith(CLUSTERS):
        return str(category)
    kind, nothing = ("group", "not selected") if column == GROUP_COLUMN else ("cluster", "noise")
    return nothing if group < 1 else f"{kind} {category}"


def label_colors(labels: np.ndarray) -> np.ndarray:
    """Return `labels` (y, x) as an RGB image in which consecutive labels have different colours."""
    present, places = np.unique(labels, return_inverse=True)
    palette = label_rgb(present)
    palette[present == 0] = rgb(GROUND)
    return outlined(palette[places.reshape(labels.shape)], labels)


def outlined(picture: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Darken the pixels at which two objects touch."""
    touching = np.zeros(labels.shape, dtype=bool)
    for here, there in ((np.s_[1:], np.s_[:-1]), (np.s_[:, 1:], np.s_[:, :-1])):
        touching[here] |= (labels[here] != labels[there]) & (labels[here] > 0) & (labels[there] > 0)
    picture[touching] //= 3
    return picture


def rgb(color: str) -> np.ndarray:
    """Return ``#rrggbb`` as three uint8."""
    return np.array([int(color[start : start + 2], 16) for start in (1, 3, 5)], dtype=np.uint8)


def check_color(color: str) -> str:
    """Return a colour as ``#rrggbb``.

    Examples
    --------
    >>> check_color("FF8000")
    '#ff8000'
    """
    digits = color.removeprefix("#").lower()
    if len(digits) != 6 or not set(digits) <= set("0123456789abcdef"):
        raise invalid("color", "six hexadecimal digits after #", color)
    return f"#{digits}"


def to_hex(color: np.ndarray) -> str:
    """Return three uint8 as ``#rrggbb``."""
    return "#{:02x}{:02x}{:02x}".format(*color.tolist())


def class_color(value: int) -> str:
    """Return the colour of class `value` (1, 2, …) as ``#rrggbb``.

    Examples
    --------
    >>> class_color(2)
    '#e69f00'
    """
    return CLASS_COLORS[(value - 1) % len(CLASS_COLORS)]


def label_rgb(labels: np.ndarray) -> np.ndarray:
    """Return the colours of objects as (n, 3) uint8.

    Hues are spaced by the golden angle, which keeps them distinct. Lightness and saturation alternate, so
    that neighbours also differ for colour-blind readers.
    """
    hue = labels * 0.618033988749895 % 1
    lightness = np.array([0.62, 0.48, 0.74, 0.55])[labels % 4]
    saturation = np.array([0.85, 0.75, 0.9, 0.6])[labels // 4 % 4]
    chroma = (1 - np.abs(2 * lightness - 1)) * saturation
    place = (np.array([0, 8, 4]) + hue[:, np.newaxis] * 12) % 12
    wave = np.clip(np.minimum(place - 3, 9 - place), -1, 1)
    parts = lightness[:, np.newaxis] - chroma[:, np.newaxis] / 2 * wave
    return np.floor(parts * 255 + 0.5).astype(np.uint8)


def category_color(value: object, place: int) -> str:
    """Return the colour of a category; noise (-1) is grey."""
    if value == -1:
        return UNSELECTED
    number = int(value) if isinstance(value, (int, np.integer)) and not isinstance(value, bool) else place
    return group_color(number + 1)


def group_color(group: int) -> str:
    """Return the colour of group 1, 2, …: from the palette, then generated hues; 0 (no group) is grey."""
    return to_hex(group_colors(np.array([group]))[0])


def group_colors(groups: np.ndarray) -> np.ndarray:
    """Return the colours of groups as (n, 3) uint8; groups below 1 are grey."""
    colors = label_rgb(groups)
    named = np.array([rgb(color) for color in (UNSELECTED, *GROUP_COLORS)])
    few = groups < len(named)
    colors[few] = named[np.maximum(groups[few], 0)]
    return colors


def color_ramp(name: str = "viridis") -> bytes:
    """Return 256 colours (red, green, blue) of a colour map of Matplotlib, by default a uniform one.

    Examples
    --------
    >>> {name: color_ramp(name)[-3:].hex() for name in CHANNEL_MAPS}
    {'inferno': 'fcffa4', 'viridis': 'fde725', 'gray_r': '000000'}
    """
    from matplotlib import colormaps

    return (colormaps[name](np.arange(256))[:, :3] * 255).round().astype(np.uint8).tobytes()
