"""The annotator on a page, driven by real pointer events, and what it should have painted."""

from __future__ import annotations

import itertools
import json
import math
from typing import Any

import numpy as np

IMPORT = "import numpy as np, objclass\nfrom objclass import annotate"
SHAPE = (24, 160, 200)
SPACING = (2.0, 0.5, 0.5)
PHANTOM = f"""
sample = objclass.samples.embryo({SHAPE})
"""
MAKE = "annotator = annotate(sample.image, spacing=sample.spacing, path='{name}.cl', save_to='{name}.tif')"


class View:
    """The annotator on the page: pointer events in plane coordinates."""

    def __init__(self, notebook: Any) -> None:
        self.notebook, self.page = notebook, notebook.page
        self.root = self.page.locator(".oc-annotator").last
        self.view = self.root.locator(".oc-view").first
        self.page.wait_for_selector(".oc-annotator .oc-view[data-index]")
        self.view.scroll_into_view_if_needed()
        self.root.evaluate("element => element.scrollIntoView()")
        self.notebook.wait_still(self.view)

    @property
    def transform(self) -> dict[str, float]:
        return json.loads(self.view.get_attribute("data-transform"))

    def screen(self, row: float, col: float) -> tuple[float, float]:
        box, at = self.view.bounding_box(), self.transform
        return box["x"] + at["x"] + col * at["colScale"], box["y"] + at["y"] + row * at["rowScale"]

    def stroke(self, *points: tuple[float, float], steps: int = 5) -> list[tuple[float, float]]:
        """Draw along points of the plane, and return where the pointer really went, in plane coordinates."""
        mouse = self.page.mouse
        places = [tuple(map(round, self.screen(*point))) for point in points]
        mouse.move(*places[0])
        mouse.down()
        for place in places[1:]:
            mouse.move(*place, steps=steps)
        mouse.up()
        box, at = self.view.bounding_box(), self.transform
        return [
            ((y - box["y"] - at["y"]) / at["rowScale"], (x - box["x"] - at["x"]) / at["colScale"])
            for x, y in places
        ]

    def wait_kept(self) -> None:
        """Wait until the kernel has confirmed every stroke."""
        self.page.wait_for_function("() => document.querySelector('.oc-annotator').dataset.pending === '0'")

    def go_to(self, index: int) -> None:
        self.root.locator(".oc-slice-range").fill(str(index))
        self.page.wait_for_selector(f".oc-view[data-index='{index}']")

    def wait_overlay(self, name: str, index: int, axis: int = 0) -> None:
        self.page.wait_for_selector(f".oc-view[data-overlay='{name} {axis} {index}']")

    def place(self) -> dict[str, float]:
        """Return where the view lies in the widget, and its size."""
        box, root = self.view.bounding_box(), self.root.bounding_box()
        return box | {"x": box["x"] - root["x"], "y": box["y"] - root["y"]}

    def button(self, name: str) -> Any:
        return self.root.get_by_role("button", name=name, exact=True)


def expected_stroke(path: list[tuple[float, float]], radius: float, shape: tuple[int, int]) -> np.ndarray:
    """The pixels of a stroke from its definition: centres within the radius of the path."""
    rows, cols = (np.arange(size) + 0.5 for size in shape)
    found = np.zeros(shape, bool)
    for (r0, c0), (r1, c1) in itertools.pairwise(path):
        length = (r1 - r0) ** 2 + (c1 - c0) ** 2 or 1
        along = ((rows[:, None] - r0) * (r1 - r0) + (cols - c0) * (c1 - c0)) / length
        along = np.clip(along, 0, 1)
        away = np.hypot(rows[:, None] - r0 - along * (r1 - r0), cols - c0 - along * (c1 - c0))
        found |= away <= radius
    return found


def annotations(notebook: Any, annotator: str = "annotator") -> np.ndarray:
    """Return the annotations that an annotator in the kernel has."""
    runs = notebook.kernel(
        "[_changes.tolist(), _flat[_changes].tolist(), list(_seen.shape)]",
        setup=f"_seen = {annotator}.annotations; _flat = _seen.ravel()\n"
        "_changes = np.flatnonzero(np.diff(_flat.astype(int), prepend=-1))",
    )
    starts, values, shape = runs
    lengths = np.diff([*starts, math.prod(shape)])
    return np.repeat(values, lengths).reshape(shape)
