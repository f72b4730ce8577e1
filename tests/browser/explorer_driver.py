"""What the tests of the explorer share: a small experiment, and hands and eyes for its widget."""

from __future__ import annotations

import math
import os
import time
from typing import Any

import numpy as np
import pytest

SETUP = """
import numpy as np, objclass
sample = objclass.samples.embryo({shape})
labels = objclass.exclude_small(sample.labels, 60, relabel=False)
image, spacing = sample.image, sample.spacing
measured = objclass.measure(labels, image, spacing=spacing)
explorer = objclass.explore(image, labels, measured, x="area", y="intensity_mean", spacing=spacing)
"""
PLOT, SLICE = ".oc-plot", ".oce-slices .oc-view"
APP, THEME = (os.environ.get(f"OBJCLASS_BROWSER_{name}") for name in ("APP", "THEME"))
LIGHT = (APP or "lab", THEME or "Light")
DARK = (APP or "notebook", THEME or "Dark")
IN_LAB = pytest.mark.parametrize(("app", "theme"), [LIGHT])
IN_NOTEBOOK = pytest.mark.parametrize(("app", "theme"), [DARK])
IN_BOTH = pytest.mark.parametrize(("app", "theme"), sorted({LIGHT, DARK}))
"""In JupyterLab, where it is light, in Notebook 7, where it is dark, or in both where their menus matter.

The widgets know neither. ``OBJCLASS_BROWSER_APP`` and ``OBJCLASS_BROWSER_THEME`` choose for all; once a week
CI runs all tests of the browser in Notebook 7, in the dark."""


class Driver:
    """Draws, clicks and looks at one explorer."""

    def __init__(self, notebook: Any) -> None:
        self.notebook, self.page = notebook, notebook.page
        self.page.wait_for_selector('.oce[data-ready="true"]')
        self.page.wait_for_selector(f"{SLICE}[data-index]")
        self.page.locator(".oce").evaluate("element => element.scrollIntoView()")

    def kernel(self, expression: str) -> Any:
        return self.notebook.kernel(expression)

    def wait(self, expression: str) -> Any:
        return self.notebook.wait_kernel(f"bool({expression})")

    def drag(self, view: str, corners: list[tuple[float, float]], key: str = "") -> None:
        """Draw around a polygon, in pixels of a view, with a key held."""
        self.page.locator(view).scroll_into_view_if_needed()
        box = self.page.locator(view).bounding_box()
        path = [(box["x"] + x, box["y"] + y) for x, y in corners]
        if key:
            self.page.keyboard.down(key)
        self.page.mouse.move(*path[0])
        self.page.mouse.down()
        for x, y in [*path[1:], path[0]]:
            self.page.mouse.move(x, y, steps=2)
        self.page.mouse.up()
        if key:
            self.page.keyboard.up(key)

    def click(self, view: str, x: float, y: float) -> None:
        self.page.locator(view).scroll_into_view_if_needed()
        box = self.page.locator(view).bounding_box()
        self.page.mouse.click(box["x"] + x, box["y"] + y)

    def plot_scale(self) -> tuple[Any, Any]:
        """Return functions from pixels of the plot to values, and back."""
        element = self.page.locator(f"{PLOT}[data-domain][data-frame]")
        (x0, x1), (y0, y1) = element.evaluate("e => JSON.parse(e.dataset.domain)")
        frame = element.evaluate("e => JSON.parse(e.dataset.frame)")
        left, top, width, height = (frame[name] for name in ("left", "top", "width", "height"))

        def values(corners: Any) -> np.ndarray:
            x, y = np.asarray(corners, float).T
            return np.column_stack([x0 + (x - left) / width * (x1 - x0), y1 - (y - top) / height * (y1 - y0)])

        def pixels(points: Any) -> np.ndarray:
            x, y = np.asarray(points, float).T
            return np.column_stack([left + (x - x0) / (x1 - x0) * width, top + (y1 - y) / (y1 - y0) * height])

        return values, pixels

    def points(self) -> np.ndarray:
        return np.array(self.kernel("explorer.table[[explorer.x, explorer.y]].to_numpy().tolist()"))

    def numbers(self) -> np.ndarray:
        return np.array(self.kernel("explorer.table['MANUAL_CLUSTER_ID'].tolist()"))

    def slice_colors(self) -> dict[int, tuple[list[int], str]]:
        """Return the colour seen at a voxel of every object of the shown plane, and its group's."""
        index = int(self.page.locator(SLICE).get_attribute("data-index"))
        places = self.kernel(
            f"""{{int(n): (lambda at: at[len(at) // 2].tolist())(np.argwhere(explorer.labels[{index}] == n))
                for n in np.unique(explorer.labels[{index}])[1:]}}"""
        )
        seen = self.page.locator(SLICE).evaluate(
            """(element, places) => {
                const canvas = element.querySelector('.oc-labels');
                const ratio = canvas.width / element.clientWidth;
                const {x, y, rowScale, colScale} = JSON.parse(element.dataset.transform);
                const read = ([row, col]) => [...canvas.getContext('2d').getImageData(
                    (x + (col + 0.5) * colScale) * ratio, (y + (row + 0.5) * rowScale) * ratio, 1, 1).data];
                return Object.fromEntries(
                    Object.entries(places).map(([label, place]) => [label, read(place)]));
            }""",
            places,
        )
        colors = self.kernel(
            """dict(zip(explorer.table['label'].tolist(), explorer.table['MANUAL_CLUSTER_ID'].map(
                dict(zip(explorer.groups['group'], explorer.groups['color'])) | {0: '#8c8c8c'}).tolist()))"""
        )
        return {int(label): (color, colors[label]) for label, color in seen.items()}

    def check_slice_colors(self) -> None:
        """Wait until every object of the shown plane has the colour of its group."""
        wrong: dict[int, Any] = {0: "not looked yet"}
        deadline = time.monotonic() + self.notebook.patience
        while wrong:
            assert time.monotonic() < deadline, wrong
            self.page.wait_for_timeout(150)
            seen = self.slice_colors()
            assert len(seen) > 5
            wrong = {label: pair for label, pair in seen.items() if not looks_like(*pair)}


def looks_like(found: list[int], color: str) -> bool:
    """Return whether a pixel (red, green, blue, alpha) is that of a drawn object of this colour."""
    wanted = [int(color[start : start + 2], 16) for start in (1, 3, 5)]
    # Objects in no group have a light edge, which is all of very small ones.
    return found[3] > 50 and any(
        np.abs(np.subtract(found[:3], rgb)).max() <= 4
        for rgb in (wanted, *([(205, 205, 205)] if color == "#8c8c8c" else []))
    )


def ring(x: float, y: float, radius: float, corners: int = 14) -> list[tuple[float, float]]:
    return [
        (x + radius * math.cos(2 * math.pi * k / corners), y + radius * math.sin(2 * math.pi * k / corners))
        for k in range(corners)
    ]


def centre_of_crowd(pixels: np.ndarray) -> tuple[float, float]:
    near = (np.hypot(*(pixels[:, None] - pixels[None]).transpose(2, 0, 1)) < 60).sum(axis=1)
    return tuple(pixels[near.argmax()])
