"""The explorer's legend as a control: names and colours of categories, and groups of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from objclass._common import checks
from objclass.tables.columns import factorize
from objclass.tables.selection import GROUP_COLUMN
from objclass.widgets.explorer.groups import MAX_GROUPS
from objclass.widgets.explorer.page import Page
from objclass.widgets.replay import Code, literal


class Legend:
    """Categories that are named, coloured, and made groups."""

    def __init__(self, page: Page):
        self._page = page
        self.handlers = {"legend": self._change}

    def _change(self, content: Mapping[str, Any]) -> None:
        """Rename, recolour, or make groups of the categories of ``column``, as ``action`` says."""
        action = checks.check_option("action", content.get("action"), ("rename", "recolor", "to_groups"))
        usable = [name for name, entry in self._page.described.items() if entry.get("categories")]
        column = checks.check_option("column", content.get("column"), usable)
        for value in factorize(self._page.objects.measured[column])[1] if action != "recolor" else ():
            if not isinstance(value, (str, int, float, np.generic)):  # what code can be written with
                hint = f"Make a column of text of it: table[{column!r}].astype(str)."
                raise checks.invalid("column", "categories of numbers or text", type(value).__name__, hint)
        with self._page.lock:
            if action == "to_groups":
                self._categories_to_groups(column)
                return
            values = [category["value"] for category in self._page.described[column]["categories"]]
            category = checks.check_option("category", content.get("category"), values)
            if action == "rename":
                self._page.objects.name_category(column, category, str(content["name"]))
            else:
                self._page.objects.names.recolor(column, category, str(content["color"]))
            self._page.show_columns()

    def _categories_to_groups(self, column: str) -> None:
        """Make a group of the objects of each category, with its name and colour."""
        objects = self._page.objects
        codes, values = factorize(objects.measured[column])
        if len(values) > MAX_GROUPS:
            raise checks.invalid("column", f"at most {MAX_GROUPS} categories", len(values))
        categories = self._page.described[column]["categories"]
        for place, (value, category) in enumerate(zip(values, categories, strict=True)):
            objects.make_group(
                place + 1,
                np.asarray(codes == place),
                Code(f"table.loc[table[{column!r}] == {literal(value)}, 'label']"),
                name=category["name"] if category["name"] != category["value"] else "",
                color=category["color"],
                starts_anew=not place,
            )
        self._page.widget.color = GROUP_COLUMN
        self._page.show_groups()
