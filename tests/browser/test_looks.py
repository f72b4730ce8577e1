"""Images as they are: bright ones, dim slices, pictures in colours."""

from __future__ import annotations

from typing import Any

from tests.browser.annotator_driver import IMPORT, View

# The colour in the middle of the image of a widget.
MIDDLE = """(widget) => {
    const canvas = document.querySelector(`${widget} .oc-image`);
    return [...canvas.getContext('2d').getImageData(canvas.width / 2, canvas.height / 2, 1, 1).data];
}"""


def wait_for_color(page: Any, widget: str, wanted: list[int]) -> None:
    page.wait_for_function(
        f"([widget, wanted]) => ({MIDDLE})(widget).every((part, at) => Math.abs(part - wanted[at]) < 6)",
        arg=[widget, [*wanted, 255]],
    )


def test_bright_values_are_white_and_gamma_brightens(open_notebook) -> None:
    make = """
rows, cols = np.mgrid[:64, :64]
image = np.where((rows // 8 + cols // 8) % 2, 65535, 20000).astype(np.uint16)
image[24:40, 24:40] = 60000
viewer = objclass.view(image)
viewer.channels = [{**viewer.channels[0], 'low': 0, 'high': 30000}]
"""
    notebook = open_notebook([IMPORT + make, "viewer"])
    page = notebook.page
    wait_for_color(page, ".oc-viewer", [255, 255, 255])
    notebook.kernel("setattr(viewer, 'channels', [{**viewer.channels[0], 'high': 240000}])")
    wait_for_color(page, ".oc-viewer", [64, 64, 64])
    page.locator(".oc-viewer").get_by_label("Gamma").fill("0.5")
    wait_for_color(page, ".oc-viewer", [128, 128, 128])


def test_a_suggested_slice_is_visible(open_notebook) -> None:
    make = """
rng = np.random.default_rng(0)
image = rng.normal(1000, 100, (24, 64, 64)).clip(0).astype(np.uint16)
image[20] //= 50
image[20, 24:40, 24:40] = 60
annotator = annotate(image, path=None)
"""
    notebook = open_notebook([IMPORT + make, "annotator"])
    view = View(notebook)
    view.go_to(20)
    assert max(notebook.page.evaluate(MIDDLE, ".oc-annotator")[:3]) < 40, "hardly seen"
    view.go_to(3)
    answer = {"kind": "suggestion", "index": 20, "region": [10, 10, 30, 30]}
    notebook.kernel(f"annotator.send({answer})")
    notebook.page.wait_for_selector(".oc-view[data-index='20']")
    wait_for_color(notebook.page, ".oc-annotator", [255, 255, 255])


def test_pictures_have_their_colors(open_notebook) -> None:
    make = """
picture = np.zeros((48, 64, 3), np.uint8)
picture[:] = (200, 120, 40)
picture[:4, :8], picture[:4, 8:16] = 255, 0
labels = np.zeros((48, 64), int)
labels[40:44, 4:20] = 1
"""
    shown = {
        ".oc-annotator": "annotate(picture, path=None)",
        ".oce-slices": "objclass.explore(np.moveaxis(picture, -1, 0), labels)",
        ".oc-viewer": "objclass.view(picture)",
    }
    notebook = open_notebook([IMPORT + make, *shown.values()])
    for root in shown:
        wait_for_color(notebook.page, root, [200, 120, 40])
