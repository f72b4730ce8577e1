"""The explorer's legend as a control: what is hidden, names, colours, groups of clusters; see `Explorer`."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import traitlets

from objclass._common import checks
from objclass.tables.columns import factorize
from objclass.tables.selection import GROUP_COLUMN
from objclass.widgets.explorer.groups import MAX_GROUPS
from objclass.widgets.replay import Code, Step, call

if TYPE_CHECKING:
    from objclass.widgets.explorer.object_table import ObjectTable


class LegendMixin(traitlets.HasTraits):
    """Categories that are hidden, named, coloured, and made groups."""

    hidden = traitlets.Dict(help="the categories that the legend hides, by column").tag(sync=True)

    objects: ObjectTable
    color: str
    hold_sync: Any
    _described: dict[str, dict[str, Any]]
    _lock: threading.RLock
    _describe_columns: Callable[[], None]
    _send_groups: Callable[[], None]

    def _on_legend(self, content: Mapping[str, Any], _buffers: Sequence[Any]) -> None:
        """Rename, recolour, or make groups of the categories of ``column``, as ``action`` says."""
        action = checks.check_option("action", content.get("action"), ("rename", "recolor", "to_groups"))
        usable = [name for name, entry in self._described.items() if entry.get("categories")]
        column = checks.check_option("column", content.get("column"), usable)
        for value in factorize(self.objects.measured[column])[1] if action != "recolor" else ():
            if not isinstance(value, (str, int, float, np.generic)):  # what code can be written with
                hint = f"Make a column of text of it: table[{column!r}].astype(str)."
                raise checks.invalid("column", "categories of numbers or text", type(value).__name__, hint)
        with self._lock:
            if action == "to_groups":
                self._categories_to_groups(column)
                return
            values = [category["value"] for category in self._described[column]["categories"]]
            category = checks.check_option("category", content.get("category"), values)
            if action == "rename":
                self.objects.name_category(column, category, str(content["name"]))
            else:
                self.objects.names.recolor(column, category, str(content["color"]))
            self._describe_columns()

    def _categories_to_groups(self, column: str) -> None:
        """Make a group of the objects of each category, with its name and colour."""
        objects, groups = self.objects, self.objects.groups
        codes, values = factorize(objects.measured[column])
        if len(values) > MAX_GROUPS:
            raise checks.invalid("column", f"at most {MAX_GROUPS} categories", len(values))
        categories = self._described[column]["categories"]
        for place, (value, category) in enumerate(zip(values, categories, strict=True)):
            group, mode = place + 1, "add" if place else "replace"
            plain = value.item() if hasattr(value, "item") else value
            members = Code(f"table.loc[table[{column!r}] == {plain!r}, 'label']")
            keywords = {"objects": members, "group": group, "mode": mode}
            code = f"table = {call('objclass.select', 'table', keywords=keywords)}"
            groups.choose(
                np.asarray(codes == place), group=group, mode=mode, step=Step(code, starts_anew=not place)
            )
            groups.rename(group, category["name"] if category["name"] != category["value"] else "")
            groups.recolor(group, category["color"])
        self.color = GROUP_COLUMN
        self._send_groups()
