"""Line, polygon, the right button, the wheel and fill up to edges, by pointer."""

from __future__ import annotations

import numpy as np
from matplotlib.path import Path

from tests.browser.annotator_driver import (
    IMPORT,
    MAKE,
    PHANTOM,
    SHAPE,
    View,
    annotations,
    expected_stroke,
)
from tests.browser.explorer_driver import IN_BOTH


def tool(view, name):
    view.root.locator(f".oc-bar [data-value={name}]").click()


def corners_of(view, points):
    """Click on points of the plane, and return where the pointer really was."""
    box, at = view.view.bounding_box(), view.transform
    places = [tuple(map(round, view.screen(*point))) for point in points]
    for place in places:
        view.page.mouse.click(*place)
    return [
        ((y - box["y"] - at["y"]) / at["rowScale"], (x - box["x"] - at["x"]) / at["colScale"])
        for x, y in places
    ]


def inside(corners, shape):
    rows, cols = np.mgrid[: shape[0], : shape[1]] + 0.5
    path = Path([(col, row) for row, col in corners])
    return path.contains_points(np.column_stack([cols.ravel(), rows.ravel()])).reshape(shape)


HINT_IS_WHOLE = """(hint) => {
    const [own, foot] = [hint, hint.parentElement].map((element) => element.getBoundingClientRect());
    return hint.scrollWidth <= hint.clientWidth && own.right <= foot.right + 1 && foot.height === 32;
}"""


@IN_BOTH
def test_tools_hints_the_right_button_and_the_wheel(open_notebook, app, theme):
    notebook = open_notebook([IMPORT + PHANTOM + MAKE.format(name=f"drawing-{app}"), "annotator"], app=app)
    notebook.theme(f"JupyterLab {theme}")
    view, page = View(notebook), notebook.page
    view.go_to(6)
    hint = view.root.locator(".oc-hint")
    for name in ("brush", "line", "fill", "polygon"):
        tool(view, name)
        page.mouse.move(*view.screen(80, 100))
        view.root.locator(".oc-readout:not(:empty)").wait_for()
        assert hint.evaluate(HINT_IS_WHOLE), hint.inner_text()
        page.mouse.move(0, 0)
    notebook.keep_picture(f"hint-{app}-{theme.lower()}")

    expected = np.zeros(SHAPE[1:], int)
    tool(view, "line")
    path = view.stroke((20.2, 30.3), (60.4, 70.2), (40.2, 160.3))
    expected[expected_stroke([path[0], path[-1]], 3.5, SHAPE[1:])] = 2
    view.wait_kept()
    np.testing.assert_array_equal(annotations(notebook)[6], expected)

    tool(view, "polygon")
    points = [(80.2, 40.3), (80.4, 90.2), (130.3, 110.7), (140.1, 50.2)]
    corners = corners_of(view, points)
    assert not (annotations(notebook)[6] != expected).any(), "it is open yet"
    page.mouse.move(*view.screen(100, 30))
    notebook.keep_pictures(f"polygon-{app}")
    page.mouse.click(*map(round, view.screen(*points[0])))
    view.wait_kept()
    found = annotations(notebook)[6]
    wanted = inside(corners, SHAPE[1:])
    assert ((found == 2) != (wanted | (expected == 2))).sum() == 0

    # Escape drops one that is open; Enter closes it.
    corners_of(view, points[:3])
    page.keyboard.press("Escape")
    page.keyboard.press("Enter")
    view.wait_kept()
    np.testing.assert_array_equal(annotations(notebook)[6], found)

    view.root.get_by_text("Mouse", exact=True).click()
    root, button = view.root.bounding_box(), view.button("erases").bounding_box()
    assert button["x"] + button["width"] <= root["x"] + root["width"], "the panels are not cut off"
    view.button("erases").click()
    tool(view, "brush")
    before = view.transform
    places = [tuple(map(round, view.screen(*point))) for point in ((100.5, 60.5), (110.5, 80.5))]
    page.mouse.move(*places[0])
    page.mouse.down(button="right")
    page.mouse.move(*places[1], steps=8)
    page.mouse.up(button="right")
    assert not page.locator(".lm-Menu").count(), "Jupyter opens no menu"
    view.wait_kept()
    assert view.transform == before, "it does not pan"
    rubbed = annotations(notebook)[6]
    assert rubbed[100, 60] == rubbed[110, 80] == 0
    assert (rubbed == found)[:95].all()
    notebook.wait_kernel("annotator.brush['right'] == 'erase'")

    # The wheel zooms, and with Shift goes through the slices; or the other way round.
    assert "wheel: zoom, Shift: slices" in hint.inner_text()
    page.keyboard.down("Shift")
    page.mouse.wheel(0, 100)
    page.keyboard.up("Shift")
    page.wait_for_selector(".oc-view[data-index='7']")
    assert view.transform == before
    view.button("slices").click()
    view.view.focus()
    page.mouse.move(*view.screen(80, 101))
    page.mouse.wheel(0, -100)
    page.wait_for_selector(".oc-view[data-index='6']")
    page.keyboard.down("Shift")
    page.mouse.wheel(0, -100)
    page.keyboard.up("Shift")
    page.wait_for_function(
        "(zoom) => JSON.parse(document.querySelector('.oc-view').dataset.transform).colScale > zoom",
        arg=before["colScale"],
    )


def test_fill_stops_at_edges_of_the_image_and_leaves_other_classes(open_notebook):
    make = """
image = np.full((100, 120), 20.0)
image[30:60, 40:80] = 120
image += np.random.default_rng(0).normal(0, 4, image.shape)
annotator = annotate(image, path=None)
"""
    notebook = open_notebook([IMPORT + make, "annotator"])
    view, page = View(notebook), notebook.page
    in_3d = view.root.locator("button", has_text="3D")
    assert in_3d.count() == 1
    assert not in_3d.is_visible(), "of a 2D image there is nothing in 3D"
    tool(view, "fill")
    page.mouse.click(*view.screen(45, 60))
    notebook.wait_kernel("bool(annotator.annotations.any())")
    found = notebook.kernel("(annotator.annotations == 2).tolist()")
    wanted = np.zeros((100, 120), bool)
    wanted[30:60, 40:80] = True
    assert (np.array(found) & wanted).sum() / (np.array(found) | wanted).sum() > 0.9
    page.keyboard.press("Control+z")
    notebook.wait_kernel("not annotator.annotations.any()")

    tool(view, "brush")
    view.root.get_by_role("radio", name="Paint background").click()
    view.stroke((45, 50), (45, 55))
    view.wait_kept()
    before = notebook.kernel("(annotator.annotations == 1).sum().item()")
    assert before
    view.root.get_by_role("radio", name="Paint object").click()
    tool(view, "fill")
    page.keyboard.down("Shift")
    page.mouse.click(*view.screen(40, 70))
    page.keyboard.up("Shift")
    view.root.get_by_text(f"{before} pixels scribbled in other classes left as they were").wait_for()
    notebook.wait_kernel("bool((annotator.annotations == 2).any())")
    assert notebook.kernel("(annotator.annotations == 1).sum().item()") == before
