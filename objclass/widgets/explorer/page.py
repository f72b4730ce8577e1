"""The objects of an explorer and what of them its page shows: shared by the components."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from objclass._common import checks
from objclass._common.checks import counted
from objclass.measurement.columns import column_unit, find_property
from objclass.plots import colors
from objclass.tables.classification import CLASS_COLUMN
from objclass.tables.selection import GROUP_COLUMN
from objclass.widgets import columns
from objclass.widgets.columns import to_cell
from objclass.widgets.explorer.object_table import ObjectTable
from objclass.widgets.explorer.protocol import Column, Edits, ExplorerTraits, Group


class Page:
    """The objects and their traits: who changes the objects lets the page show them again.

    Parameters
    ----------
    widget : ExplorerTraits
    objects : ObjectTable

    Attributes
    ----------
    lock : threading.RLock
        Held while the objects change.
    shown : int
        The place of the shown image.
    described : dict
        The columns of the table by name.
    opening_notes : list of str
        What to know of how the explorer was opened.
    """

    def __init__(self, widget: ExplorerTraits, objects: ObjectTable, opening_notes: list[str]):
        self.widget, self.objects, self.opening_notes = widget, objects, opening_notes
        self.lock = threading.RLock()
        self.shown = 0
        self.described: dict[str, Column] = {}
        self._versions: dict[str, int] = {}
        self._request: dict[str, Any] = {}
        self.handlers = {
            "column": self._send_column,
            "draw_all": self._draw_all,
            "find": self._find,
            "group": self._change_groups,
            "select": lambda content: self._answer_request(content, lambda: self.objects.select(content)),
        }

    def answer(
        self, content: Mapping[str, Any], kind: str, buffers: Sequence[bytes] = (), **values: Any
    ) -> None:
        """Answer a message; the page knows by ``view`` and ``seq`` what it had asked for."""
        asked = {"view": content.get("view", ""), "seq": content.get("seq", 0)}
        self.widget.send({"kind": kind, **asked, **values}, list(buffers))

    def cells(self, label: int) -> dict[str, Any]:
        """Return the values of an object by column, as JSON can carry them."""
        return {name: to_cell(value) for name, value in self.objects.row(label).items()}

    def mark(self, number: int) -> None:
        """Mark an object, and show its image."""
        image, label = self.objects.images.locate(number) if number else (self.shown, 0)
        with self.widget.hold_sync():
            self.widget.set_trait("_shown", image)
            self.widget.focus = label

    def show_all(self, *notes: str) -> None:
        """Show the columns, objects, groups and edits as they are now, with what to know of them."""
        with self.widget.hold_sync():
            self.show_columns()
            numbers = self.objects.slot_labels
            is_long = bool(numbers.max(initial=0) >= 2**31)
            shown = {
                "labels": numbers.astype("<i8" if is_long else "<i4").tobytes(),
                "long": is_long,
                "shown": len(self.objects.rows),
                "total": len(self.objects),
            }
            self.widget.set_trait("_objects", shown)
            self.show_groups()
            edits = self.objects.edits
            made: Edits = {
                "count": len(edits.edits),
                "undo": edits.can_undo,
                "redo": edits.undone is not None,
            }
            self.widget.set_trait("_edits", made)
            self.widget.notes = [*self._collect_notes(), *notes]

    def show_columns(self) -> None:
        """Describe the columns, so that the browser asks for their values again."""
        table, volume = self.objects.measured, self.widget.volume
        table.attrs = {}  # pandas copies them with every column
        described: dict[str, Any] = {}
        for column in table:
            name = str(column)
            unit = column_unit(name, ndim=volume["ndim"], unit=volume["unit"])
            measured = find_property(name)
            entry = columns.describe_column(table[column], unit=unit)
            entry["group"] = "" if measured is None else measured.group
            if name == GROUP_COLUMN:
                entry["categories"] = []
            self.objects.names.describe(name, entry)
            self._versions[name] = self._versions.get(name, 0) + 1
            described[name] = entry | {"version": self._versions[name]}
        if self.objects.classes.state.names:
            entry = {"name": CLASS_COLUMN, "kind": "category", "unit": "", "categories": [], "missing": 0}
            described[CLASS_COLUMN] = entry | {"version": 0}
        self.described = described
        self.widget.set_trait("_columns", list(described.values()))

    @property
    def groups(self) -> list[Group]:
        """The groups of the table."""
        groups, state = self.objects.groups, self.objects.groups.state
        return [
            {
                "group": group,
                "name": state.names.get(group, ""),
                "color": state.colors.get(group, colors.group_color(group)),
                "size": size,
                "hidden": group in state.hidden,
            }
            for group, size in groups.sizes().items()
        ]

    def show_groups(self) -> None:
        """Show the groups as they are now."""
        groups = self.objects.groups
        shown = {
            "numbers": groups.numbers[self.objects.rows].astype("<i4").tobytes(),
            "list": self.groups,
            "undo": groups.history.can_undo,
            "redo": groups.history.can_redo,
            **self._request,
        }
        self.widget.set_trait("_groups", shown)

    def _collect_notes(self) -> list[str]:
        objects = self.objects
        notes = list(self.opening_notes)
        if len(objects) == 0:
            notes.append("The table has no rows: there are no objects to plot.")
        if objects.absent.size:
            notes.append(f"In this image is no object for {counted(objects.absent.size, 'row')}.")
        if objects.unmeasured.size:
            notes.append(
                f"The table has no row for {counted(objects.unmeasured.size, 'object')}, shown in grey."
            )
        if len(objects.rows) < len(objects):
            notes.append(
                f"{len(objects.rows):,} of {counted(len(objects), 'object')} are drawn, a random sample; "
                "what you select is selected among all."
            )
        return notes

    def _send_column(self, content: Mapping[str, Any]) -> None:
        name = checks.check_option("name", content["name"], self.described)
        dtype, data = columns.encode_column(self.objects.table[name], self.objects.rows)
        self.answer(content, "column", [data], name=name, version=self._versions[name], dtype=dtype)

    def _draw_all(self, _content: Mapping[str, Any]) -> None:
        with self.lock:
            self.objects.show_rows(None)
            self.show_all()

    def _find(self, content: Mapping[str, Any]) -> None:
        label = int(content["label"])
        image, place = self.objects.images.locate(label)[0], self.objects.find(label)
        self.answer(content, "found", label=label, voxel=place, image=image)

    def _answer_request(self, content: Mapping[str, Any], change: Callable[[], object]) -> None:
        """Change the groups as the browser asks for, and let it know which of its requests that was."""
        with self.lock:
            self._request = {"client": content.get("client", ""), "seq": content.get("seq", 0)}
            try:
                change()
            finally:
                self.show_groups()

    def _change_groups(self, content: Mapping[str, Any]) -> None:
        """Undo, redo, name, recolour, merge, hide, isolate or clear, as ``action`` says."""
        objects, groups = self.objects, self.objects.groups
        number = int(content.get("group", 0))
        actions: dict[str, Callable[[], object]] = {
            "undo": groups.undo,
            "redo": groups.redo,
            "clear": lambda: objects.merge_group(number, 0) if number else objects.clear_groups(),
            "rename": lambda: groups.rename(number, str(content["name"])),
            "recolor": lambda: groups.recolor(number, str(content["color"])),
            "hide": lambda: groups.hide(number, bool(content["hidden"])),
            "isolate": lambda: groups.isolate(number),
            "merge": lambda: objects.merge_group(number, int(content["into"])),
        }
        self._answer_request(
            content, lambda: actions[checks.check_option("action", content.get("action"), actions)]()
        )
