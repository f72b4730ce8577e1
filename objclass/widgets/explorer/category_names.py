"""Names and colours that a user gives to clusters and other categories, and the columns of names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from objclass.plots.colors import check_color
from objclass.tables.columns import factorize
from objclass.tables.selection import GROUP_COLUMN

if TYPE_CHECKING:
    import pandas as pd


_Named = tuple[str, dict[Any, str]]


class CategoryNames:
    """Names and colours by column and category.

    A category is known by the text of its value, as in a legend.
    """

    def __init__(self) -> None:
        self._names: dict[str, dict[str, str]] = {}
        self._colors: dict[str, dict[str, str]] = {}

    def rename(self, column: str, category: str, name: str) -> None:
        """Give a category a name; an empty one, or its own value, takes it away."""
        names = self._names.setdefault(column, {})
        names.pop(category, None)
        if name.strip() not in ("", category):
            names[category] = name.strip()[:80]

    def recolor(self, column: str, category: str, color: str) -> None:
        """Show a category in ``#rrggbb``."""
        self._colors.setdefault(column, {})[category] = check_color(color)

    def describe(self, column: str, entry: dict[str, Any]) -> None:
        """Put the names and colours into what `describe_column` has found."""
        names, colors = self._names.get(column, {}), self._colors.get(column, {})
        for category in entry.get("categories", ()):
            value = category["value"] = category["name"]
            category["name"] = names.get(value, value)
            category["color"] = colors.get(value, category["color"])

    def _mappings(self, table: pd.DataFrame, groups: Mapping[int, str]) -> dict[str, _Named]:
        """Return for each new column the one whose categories it names, and the name of each value."""
        found: dict[str, _Named] = {}
        for column, names in self._names.items():
            if names and column in table:
                values = factorize(table[column])[1]
                named = {_plain(value): names.get(str(value), str(value)) for value in values}
                found[name_column(column)] = (column, named)
        if groups:
            present = sorted({int(number) for number in table[GROUP_COLUMN].unique()} - {0})
            named = {number: groups.get(number, f"group {number}") for number in present}
            found[name_column(GROUP_COLUMN)] = (GROUP_COLUMN, named)
        return found

    def add(self, table: pd.DataFrame, groups: Mapping[int, str]) -> pd.DataFrame:
        """Return the table with a column of names for each column that has named categories, or `groups`."""
        mappings = self._mappings(table, groups)
        return table.assign(**{name: table[column].map(named) for name, (column, named) in mappings.items()})

    def code(self, table: pd.DataFrame, groups: Mapping[int, str]) -> list[str]:
        """Return the lines that add the same columns."""
        mappings = self._mappings(table, groups)
        return [
            f"table[{name!r}] = table[{column!r}].map({named!r})"
            for name, (column, named) in mappings.items()
        ]

    def to_json(self) -> dict[str, Any]:
        """Return all names and colours as JSON can hold them."""
        return {"names": self._names, "colors": self._colors}

    def restore(self, stored: Mapping[str, Any]) -> None:
        """Begin with what `to_json` has stored."""
        self._names = {str(column): dict(names) for column, names in stored["names"].items()}
        self._colors = {str(column): dict(colors) for column, colors in stored["colors"].items()}


def name_column(column: str) -> str:
    """Return what the column with the names of another one's categories is called.

    Examples
    --------
    >>> name_column("KMEANS_CLUSTER_ID"), name_column("kind")
    ('KMEANS_CLUSTER_NAME', 'kind_NAME')
    """
    return f"{column.removesuffix('_ID')}_NAME"


def _plain(value: Any) -> Any:
    """Return a value as Python writes it in code."""
    return value.item() if hasattr(value, "item") else value
