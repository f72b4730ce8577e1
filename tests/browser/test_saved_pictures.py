"""The picture that a saved notebook keeps of each widget: of the present state, and seen without a kernel."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Callable
from typing import Any

import numpy as np
from PIL import Image

from tests.browser.annotator_driver import IMPORT, View
from tests.browser.explorer_driver import PLOT, Driver, ring

MAKE = """
from objclass.widgets import saved_picture
saved_picture.QUIET = 0.5
sample = objclass.samples.embryo((24, 160, 200))
labels = objclass.exclude_small(sample.labels, 60, relabel=False)
measured = objclass.measure(labels, sample.image, spacing=sample.spacing)
annotator = annotate(sample.image, spacing=sample.spacing, path=None, n_estimators=10)
"""
EXPLORE = "explorer = objclass.explore(sample.image, labels, measured, spacing=sample.spacing)\nexplorer"
WIDGETS = {
    "Annotator": "annotator",
    "Explorer": EXPLORE,
    "Viewer": "objclass.view(sample.image, labels)",
    "View3D": "view = objclass.view3d(sample.image, labels, measured, raw='none')\nview",
}


def saved(notebook: Any) -> dict[str, np.ndarray]:
    """Save the notebook, and return the picture that it keeps of each widget."""
    notebook.command("docmanager:save")
    stored = json.loads((notebook.server.root / notebook.name).read_text())
    found = {}
    for cell in stored["cells"][1:]:
        _, picture, widget = (output["data"] for output in cell["outputs"])
        assert "image/png" not in widget
        name = "".join(widget["text/plain"]).split()[0]
        pixels = Image.open(io.BytesIO(base64.b64decode(picture["image/png"])))
        found[name] = np.asarray(pixels.convert("RGB")).astype(int)
    return found


def wait_for(notebook: Any, name: str, condition: Callable[[np.ndarray], bool]) -> np.ndarray:
    """Save until the picture of a widget is as wanted."""
    for _ in range(120):
        picture = saved(notebook)[name]
        if condition(picture):
            return picture
        notebook.page.wait_for_timeout(250)
    raise AssertionError(f"the picture of {name} has not changed")


def differs(before: np.ndarray) -> Callable[[np.ndarray], bool]:
    return lambda after: after.shape != before.shape or bool((after != before).any())


def has_more_orange(before: np.ndarray) -> Callable[[np.ndarray], bool]:
    """Return whether a picture shows a scribble that is not in the one before."""
    return lambda after: bool(is_orange(after).sum() > 3 * is_orange(before).sum() + 500)


def is_orange(picture: np.ndarray) -> np.ndarray:
    return (picture[..., 0] > picture[..., 2] + 60) & (picture[..., 0] > picture[..., 1] + 20)


def reopen_without_kernel(notebook: Any, count: int) -> None:
    """Open the notebook again where no kernel knows its widgets, and look at their pictures."""
    page = notebook.page
    page.evaluate("() => jupyterapp.shell.currentWidget.sessionContext.shutdown()")
    notebook.open()
    pictures = page.locator(".jp-OutputArea-child > .jp-RenderedImage img")
    assert pictures.count() == count
    for picture in pictures.all():
        picture.scroll_into_view_if_needed()
        assert picture.is_visible()
    missing = page.get_by_text("model not found")
    missing.nth(count - 1).wait_for(state="attached")
    assert not any(words.is_visible() for words in missing.all()), "Jupyter's own words"
    pictures.first.scroll_into_view_if_needed()
    notebook.keep_pictures(f"without-kernel-{notebook.app}")


def test_a_saved_notebook_shows_the_present_state_without_a_kernel(open_notebook):
    notebook = open_notebook([IMPORT + MAKE, *WIDGETS.values()])
    page = notebook.page
    page.wait_for_selector('.oce[data-ready="true"]')
    first = saved(notebook)
    assert list(first) == list(WIDGETS)
    images = page.locator(".jp-OutputArea-child > .jp-RenderedImage")
    assert images.count() == len(WIDGETS)
    assert not any(image.is_visible() for image in images.all()), "the widgets are there instead"
    # Plot and slice.
    plain = wait_for(notebook, "Explorer", lambda picture: picture.shape[1] > 1.5 * picture.shape[0])

    view = View(notebook)
    page.keyboard.press("0")
    view.go_to(12)
    view.stroke((80, 60), (80, 140))
    page.keyboard.press("-")
    view.stroke((4, 4), (4, 150))
    view.wait_kept()
    explorer = Driver(notebook)
    box = page.locator(PLOT).bounding_box()
    explorer.drag(PLOT, ring(box["width"] * 0.4, box["height"] * 0.5, 0.3 * box["height"]))
    explorer.wait("len(explorer.groups) == 1")
    page.locator(".oc-viewer .oc-slice-range").fill("5")
    notebook.kernel("setattr(view, 'color', 'area')")
    painted = wait_for(notebook, "Annotator", has_more_orange(first["Annotator"]))
    grouped = wait_for(notebook, "Explorer", differs(plain))
    wait_for(notebook, "Viewer", differs(first["Viewer"]))
    wait_for(notebook, "View3D", differs(first["View3D"]))

    View(notebook).button("Segment").click()
    notebook.wait_kernel("annotator.labels is not None and not annotator.state['task']")
    wait_for(notebook, "Annotator", differs(painted))
    assert not differs(grouped)(saved(notebook)["Explorer"])
    reopen_without_kernel(notebook, len(WIDGETS))


def test_notebook_7_shows_it_too(open_notebook):
    notebook = open_notebook([IMPORT + MAKE, WIDGETS["Annotator"], WIDGETS["Viewer"]], app="notebook")
    view = View(notebook)
    images = notebook.page.locator(".jp-OutputArea-child > .jp-RenderedImage")
    assert images.count() == 2
    assert not any(image.is_visible() for image in images.all())
    first = saved(notebook)["Annotator"]
    view.stroke((80, 60), (80, 140))
    view.wait_kept()
    wait_for(notebook, "Annotator", has_more_orange(first))
    reopen_without_kernel(notebook, 2)
