"""The colour of each object of an explorer, by the column that its trait `color` names."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from objclass.plots import colors
from objclass.tables.classification import CLASS_COLUMN
from objclass.tables.columns import factorize, numbers
from objclass.tables.selection import GROUP_COLUMN
from objclass.widgets.explorer.page import Page
from objclass.widgets.explorer.protocol import Group

_GREY = colors.rgb(colors.UNSELECTED) / 255


@dataclass(frozen=True)
class ObjectColors:
    """How the objects look: a colour for each row, which are seen, and the legend.

    Attributes
    ----------
    rgb : (n, 3) float array, 0 to 1
    codes : (n,) int array
        The place of each row among `entries`, from 1; 0 for none.
    visible, chosen : (n,) bool array
        Rows that are not hidden; rows that have a colour of their own, drawn over the grey ones.
    entries : list of (name, colour, count)
    ramp : (low, high) or None
        Where colours stand for numbers.
    title : str
    """

    rgb: np.ndarray
    codes: np.ndarray
    visible: np.ndarray
    chosen: np.ndarray
    entries: list[tuple[str, str, int]]
    ramp: tuple[float, float] | None
    title: str


def object_colors(page: Page) -> ObjectColors:
    """Return how the objects of a page look now; the same rules as in ``object_store.js``."""
    name, objects = page.widget.color, page.objects
    groups, belongs = page.groups, objects.groups.numbers
    visible = ~np.isin(belongs, [group["group"] for group in groups if group["hidden"]])
    if page.widget.only_selected:
        visible &= belongs > 0
    places = np.zeros(len(objects), int)
    rgb = np.tile(_GREY, (len(objects), 1))
    entries: list[tuple[str, str, int]] = []
    title = "" if name == GROUP_COLUMN else name
    found = _categories(page, groups)
    if found is None:
        low, high = page.described[name]["low"], page.described[name]["high"]
        values = numbers(objects.table[name])
        known = np.isfinite(values)
        part = np.clip((values[known] - low) / ((high - low) or 1.0), 0, 1)
        rgb[known] = color_steps()[np.rint(part * 255).astype(int)]
        return ObjectColors(rgb, places, visible, known, entries, (low, high), title)
    codes, named = found
    hidden = page.widget.hidden.get(name, ())
    for place, (code, (text, color, key)) in enumerate(named.items(), 1):
        own = codes == code
        rgb[own] = colors.rgb(color) / 255
        places[own] = place
        entries.append((text, color, int(own.sum())))
        if key in hidden:
            visible[own] = False
    return ObjectColors(rgb, places, visible, places > 0, entries, None, title)


def _categories(page: Page, groups: list[Group]) -> tuple[np.ndarray, dict[int, tuple[str, str, str]]] | None:
    """Return the code of each row and, by code, name, colour and key in `hidden`; None for numbers."""
    name, objects = page.widget.color, page.objects
    if name == GROUP_COLUMN:
        named = {g["group"]: (g["name"] or f"Group {g['group']}", g["color"], "") for g in groups}
        return objects.groups.numbers, named
    state = objects.classes.state
    if name == CLASS_COLUMN and state.names:
        _, codes, _ = objects.classes.predicted(objects.row_labels)
        return codes, {
            number: (text, state.colors[number], str(number)) for number, text in state.names.items()
        }
    column = page.described[name]
    if column["kind"] != "category":
        return None
    named = {n: (each["name"], each["color"], each["value"]) for n, each in enumerate(column["categories"])}
    return factorize(objects.table[name])[0], named


def color_steps() -> np.ndarray:
    """Return the 256 colours of numbers from low to high (256, 3), 0 to 1."""
    return np.frombuffer(colors.color_ramp(), np.uint8).reshape(-1, 3) / 255


def paint_objects(
    page: Page, picture: np.ndarray, axis: int, index: int, *, look: ObjectColors, step: int = 1
) -> None:
    """Draw the objects in their colours over a picture of every `step`-th pixel of a plane, in place."""
    slots = page.objects.slot_plane(axis, index, page.shown)[::step, ::step]
    shown = np.zeros((len(page.objects.slot_labels) + 1, 4))
    rows = page.objects.rows
    shown[1 : len(rows) + 1, :3] = look.rgb[rows] * 255
    shown[1 : len(rows) + 1, 3] = look.visible[rows] * np.where(look.chosen[rows], 0.78, 0.33)
    shown[len(rows) + 1 :] = (*(_GREY * 255), 0 if page.widget.only_selected else 0.33)
    overlay = shown[slots]
    picture[:] = np.rint(picture * (1 - overlay[..., 3:]) + overlay[..., :3] * overlay[..., 3:])


def surface_colors(page: Page, look: ObjectColors, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the colour (0 to 1) of each of these objects of the shown image, and whether it is seen."""
    rows = {number: row for row, number in enumerate(page.objects.row_labels.tolist())}
    there = labels + page.objects.images.offsets[page.shown]
    places = np.array([rows.get(number, len(rows)) for number in there.tolist()], int)
    rgb = np.concatenate([look.rgb, [_GREY]])
    visible = np.append(look.visible, not page.widget.only_selected)
    return rgb[places], visible[places]
