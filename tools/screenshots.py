"""Take the pictures of the annotator and the explorer in the documentation, from the phantom, in JupyterLab.

``python tools/screenshots.py`` writes them to docs/images; look at them afterwards. It needs Chromium.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).resolve().parents[1]
ANNOTATE = """
import objclass
embryo = objclass.samples.embryo()
annotator = objclass.annotate(
    embryo.image, embryo.annotations[-1], spacing=embryo.spacing,
    save_to="annotations.tif", on_existing="overwrite")
annotator.position = [35, 90, 90]
"""
EXPLORE = """
import objclass
embryo = objclass.samples.embryo()
table = objclass.measure(embryo.labels, embryo.image, spacing=embryo.spacing)
explorer = objclass.explore(
    embryo.image, embryo.labels, table, x="area", y="intensity_mean", spacing=embryo.spacing)
"""
GROUPS = {
    "mitotic": [(60, 320), (60, 900), (105, 900), (105, 320)],
    "interphase": [(155, 200), (155, 620), (260, 620), (260, 200)],
}


def main() -> None:
    """Train live; draw two groups and show them in 3D."""
    sys.path.insert(0, str(REPOSITORY))
    from benchmarks.browser import pages

    with pages() as opened:
        for name, cell, act in (("annotator", ANNOTATE, train), ("explorer", EXPLORE, select)):
            with opened([cell, name], 0.0) as notebook:
                notebook.run_all()
                act(notebook)
                notebook.page.wait_for_timeout(1000)
                root = {"annotator": ".oc-annotator", "explorer": ".oce"}[name]
                notebook.page.locator(root).screenshot(path=REPOSITORY / "docs" / "images" / f"{name}.png")


def train(notebook: Any) -> None:
    """Train live, and point at a nucleus."""
    page, view = notebook.page, ".oc-annotator .oc-view"
    page.locator(".oc-annotator").evaluate("element => element.scrollIntoView()")
    page.get_by_label("Live").check()
    page.wait_for_selector(f"{view}[data-overlay^='prediction']")
    notebook.wait_kernel("annotator.state.get('exact')")
    box = page.locator(view).bounding_box()
    page.mouse.move(box["x"] + 0.55 * box["width"], box["y"] + 0.25 * box["height"])


def select(notebook: Any) -> None:
    """Draw groups with the lasso, name them, and show them in 3D."""
    from tests.browser.explorer_driver import PLOT, Driver

    explorer, page = Driver(notebook), notebook.page
    _, pixels = explorer.plot_scale()
    for number, (name, corners) in enumerate(GROUPS.items(), 1):
        explorer.drag(PLOT, pixels(corners).tolist(), "Shift" if number > 1 else "")
        explorer.wait(f"len(explorer.groups) == {number}")
        field = page.get_by_label(f"Name of group {number}")
        field.fill(name)
        field.press("Enter")
        explorer.wait(f"{name!r} in set(explorer.groups['name'])")
    page.get_by_role("button", name="3D", exact=True).click()
    page.wait_for_selector('.oce-volume[data-ready="true"]')
    page.mouse.move(0, 0)


if __name__ == "__main__":
    main()
