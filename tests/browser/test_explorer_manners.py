"""Small things in the explorer that cost a user's trust: dead keys, moved pictures, lost groups, silence."""

from __future__ import annotations

import os
import signal
from typing import Any

from tests.browser.explorer_driver import PLOT, SETUP, SLICE, Driver, centre_of_crowd, ring

FOCUSED = "() => document.querySelector('.oce').contains(document.activeElement)"


def test_small_things_that_cost_trust(open_notebook) -> None:
    explorer = Driver(open_notebook([SETUP.format(shape="(24, 96, 96)"), "explorer"]))
    check_accidental_drag_keeps_the_groups_with_a_message(explorer)
    check_row_click_does_not_move_a_fully_visible_slice(explorer)
    check_a_bad_filter_is_told_beside_its_field_and_clears(explorer)
    check_keys_live_on_after_every_button(explorer)
    check_the_card_follows_new_columns(explorer)
    check_the_3d_view_fits_marks_scrolls_and_is_never_empty_without_words(explorer)
    os.kill(explorer.kernel("__import__('os').getpid()"), signal.SIGKILL)
    explorer.page.locator(".oce .oc-lost").get_by_text("Not connected: run the cell again.").wait_for()


def transform(explorer: Driver) -> Any:
    return explorer.page.locator(SLICE).evaluate("e => JSON.parse(e.dataset.transform)")


def check_row_click_does_not_move_a_fully_visible_slice(explorer: Driver) -> None:
    page = explorer.page
    page.locator('[data-tab="table"]').click()
    rows = page.locator(".oce-table tbody tr[data-label]")
    rows.first.wait_for()
    before = transform(explorer)
    corner = explorer.kernel(
        "(lambda boxes: int(min(boxes, key=lambda n: sum(s.start for s in boxes[n][1:]))))"
        "(explorer.objects.images.boxes(0))"
    )
    for label in [corner, *[int(rows.nth(k).get_attribute("data-label")) for k in range(4)]]:
        explorer.kernel(f"setattr(explorer, 'focus', {label})")
        page.locator(".oce-card").get_by_text(f"Object {label}", exact=True).wait_for()
        explorer.wait(f"(labels[explorer.position[0]] == {label}).any()")
        assert transform(explorer) == before


def check_a_bad_filter_is_told_beside_its_field_and_clears(explorer: Driver) -> None:
    page = explorer.page
    page.locator('[data-tab="table"]').click()
    field = page.locator('.oce [aria-label="Filter"]')
    field.fill("area >")
    field.press("Enter")
    page.locator(".oce-problem").get_by_text("condition: expected").wait_for()
    field_box, problem = field.bounding_box(), page.locator(".oce-problem").bounding_box()
    assert abs(problem["y"] - field_box["y"] - field_box["height"]) < 8
    assert page.locator(".oce-error").is_hidden()
    field.fill("area > 100")
    field.press("Enter")
    page.locator(".oce-problem").wait_for(state="hidden")
    found = explorer.kernel("int((measured['area'] > 100).sum())")
    page.get_by_text(f"{found} rows").wait_for()
    field.fill("")
    page.get_by_text(f"{explorer.kernel('len(measured)')} rows").wait_for()


def group_around_the_crowd(explorer: Driver) -> int:
    """Draw group 1 and return how many objects it has."""
    _, pixels = explorer.plot_scale()
    explorer.drag(PLOT, ring(*centre_of_crowd(pixels(explorer.points())), 70))
    explorer.wait("len(explorer.groups) == 1")
    return int((explorer.numbers() == 1).sum())


def undo_empties(explorer: Driver) -> None:
    assert explorer.page.evaluate(FOCUSED)
    explorer.page.keyboard.press("Control+z")
    explorer.wait("len(explorer.groups) == 0")
    explorer.page.keyboard.press("Control+Shift+z")
    explorer.wait("len(explorer.groups) == 1")


def check_accidental_drag_keeps_the_groups_with_a_message(explorer: Driver) -> None:
    group_around_the_crowd(explorer)
    explorer.page.get_by_text("Draw again: groups anew. With Shift: the next group.").wait_for()
    before = explorer.numbers().tolist()
    frame = explorer.page.locator(PLOT).evaluate("e => JSON.parse(e.dataset.frame)")
    # The upper left corner: the brightest of the smallest objects, where there are none.
    explorer.drag(PLOT, ring(frame["left"] + 20, frame["top"] + 20, 12))
    explorer.page.get_by_text("No object inside: nothing has changed.").wait_for()
    assert explorer.numbers().tolist() == before


def check_keys_live_on_after_every_button(explorer: Driver) -> None:
    page = explorer.page
    for step in ("reduce", "cluster"):
        page.locator(f'[data-tab="{step}"]').click()
        if step == "reduce":
            page.locator('[data-panel="reduce"] [aria-label="Method"]').select_option("pca")
        page.locator(f'[data-panel="{step}"] .oc-main').click()
        page.wait_for_selector(f'[data-panel="{step}"] .oc-main[aria-disabled="false"]')
        explorer.wait("explorer.busy == {}")
        undo_empties(explorer)
    explorer.kernel("setattr(explorer, 'color', 'MANUAL_CLUSTER_ID')")
    page.locator('[data-tab="groups"]').click()
    page.get_by_label("Hide Group 1").click()
    explorer.wait("explorer.groups['hidden'].all()")
    page.get_by_label("Show Group 1").wait_for()
    assert page.evaluate(FOCUSED)
    page.keyboard.press("Control+z")
    explorer.wait("not explorer.groups['hidden'].any()")
    page.locator(".oce-bar").get_by_label("Undo").click()
    explorer.wait("len(explorer.groups) == 0")
    assert page.evaluate(FOCUSED)
    page.keyboard.press("Control+Shift+z")
    explorer.wait("len(explorer.groups) == 1")


def check_the_card_follows_new_columns(explorer: Driver) -> None:
    label = explorer.kernel("int(measured['label'].iloc[0])")
    explorer.kernel(f"[setattr(explorer, 'x', 'area'), setattr(explorer, 'focus', {label})]")
    card = explorer.page.locator(".oce-card")
    card.get_by_text("area").wait_for()
    explorer.kernel("setattr(explorer, 'x', 'solidity')")
    card.get_by_text("solidity").wait_for()
    assert card.get_by_text("area", exact=True).count() == 0


def check_the_3d_view_fits_marks_scrolls_and_is_never_empty_without_words(explorer: Driver) -> None:
    page, volume = explorer.page, explorer.page.locator(".oce-volume")
    # Without WebGL it says so, and the slices are there.
    explorer.kernel("setattr(explorer, 'focus', 0)")
    page.evaluate(
        """() => {
            const get = HTMLCanvasElement.prototype.getContext;
            window.getContext = get;
            HTMLCanvasElement.prototype.getContext = function (kind, ...more) {
                return kind.startsWith('webgl') ? null : get.call(this, kind, ...more);
            };
        }"""
    )
    page.get_by_role("button", name="3D", exact=True).click()
    page.get_by_text("3D needs WebGL 2").wait_for()
    page.get_by_role("button", name="Slices", exact=True).click()
    explorer.check_slice_colors()
    page.evaluate("() => { HTMLCanvasElement.prototype.getContext = window.getContext; }")

    page.get_by_role("button", name="3D", exact=True).click()
    ready = '.oce-volume[data-ready="true"]'
    page.wait_for_selector(ready)
    camera = explorer.kernel("explorer.volume_view.camera")

    # The wheel is the page's until the view has been clicked.
    wheel = """canvas => canvas.dispatchEvent(
        new WheelEvent('wheel', {deltaY: -240, bubbles: true, cancelable: true}))"""
    canvas = page.locator(".oce-volume canvas").first
    assert canvas.evaluate(wheel), "it scrolls the page"
    box = volume.bounding_box()
    page.mouse.click(box["x"] + 8, box["y"] + 8)
    assert not canvas.evaluate(wheel), "it zooms"
    explorer.wait(f"explorer.volume_view.plot.camera != {camera}")
    page.locator('.oce-clips [aria-label="Show all objects"]').click()
    explorer.wait(f"explorer.volume_view.plot.camera == {camera}")

    # The marked object alone has the mark's level.
    label = explorer.kernel("int(measured['label'].iloc[3])")
    explorer.kernel(f"setattr(explorer, 'focus', {label})")
    counts = explorer.kernel("explorer.volume_view.mesh.vertex_counts.tolist()")
    page.wait_for_function(
        """([start, count]) => {
            const mesh = Object.values(globalThis.__k3dWidgets.objects).map(({attributes}) => attributes)
                .find(({type}) => type === 'Mesh');
            return [...mesh.attribute.data].every(
                (level, vertex) => (level === 255) === (vertex >= start && vertex < start + count));
        }""",
        arg=[sum(counts[:3]), counts[3]],
    )

    page.evaluate(
        "() => document.querySelector('.oce-volume canvas').dispatchEvent(new Event('webglcontextlost'))"
    )
    page.get_by_text("has released the memory of the 3D view").wait_for()
    page.get_by_role("button", name="Draw again").click()
    page.wait_for_selector(ready)


FLAT = """
import numpy as np, objclass
labels = np.zeros((40, 40), int); labels[5:9, 5:9] = 1
explorer = objclass.explore(labels * 10, labels)
empty = objclass.explore(labels * 10, labels * 0)
"""


def test_a_flat_image_offers_no_3d_and_one_object_is_one_or_none(open_notebook) -> None:
    notebook = open_notebook([FLAT, "explorer", "empty"])
    notebook.page.wait_for_function("() => document.querySelectorAll('.oce[data-ready=true]').length === 2")
    one, none = notebook.page.locator(".oce").all()
    assert one.get_by_role("button", name="3D", exact=True).count() == 0
    one.get_by_text("1 object", exact=True).wait_for()
    one.locator('[data-tab="table"]').click()
    one.get_by_text("1 row", exact=True).wait_for()
    for step in ("reduce", "cluster"):
        none.locator(f'[data-tab="{step}"]').click()
        none.get_by_text(f"There are no objects to {step}.").wait_for()
