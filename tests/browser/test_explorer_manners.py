"""Small things in the explorer that cost a user's trust: dead keys, moved pictures, lost groups, silence."""

from __future__ import annotations

import os
import signal
from typing import Any

import pytest

from tests.browser.explorer_driver import PLOT, SETUP, SLICE, Driver, centre_of_crowd, ring

FOCUSED = "() => document.querySelector('.oce').contains(document.activeElement)"


@pytest.fixture
def explorer(open_notebook) -> Driver:
    cells = [SETUP.format(shape="(24, 96, 96)"), "explorer"]
    return Driver(open_notebook(cells))


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


def test_keys_live_on_after_every_button(explorer: Driver) -> None:
    page = explorer.page
    group_around_the_crowd(explorer)
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


def test_accidental_drag_keeps_the_groups_with_a_message(explorer: Driver) -> None:
    group_around_the_crowd(explorer)
    explorer.page.get_by_text("Draw again: groups anew. With Shift: the next group.").wait_for()
    before = explorer.numbers().tolist()
    frame = explorer.page.locator(PLOT).evaluate("e => JSON.parse(e.dataset.frame)")
    # The upper left corner: the brightest of the smallest objects, where there are none.
    explorer.drag(PLOT, ring(frame["left"] + 20, frame["top"] + 20, 12))
    explorer.page.get_by_text("No object inside: nothing has changed.").wait_for()
    assert explorer.numbers().tolist() == before


def transform(explorer: Driver) -> Any:
    return explorer.page.locator(SLICE).evaluate("e => JSON.parse(e.dataset.transform)")


def test_row_click_does_not_move_a_fully_visible_slice(explorer: Driver) -> None:
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


def test_a_bad_filter_is_told_beside_its_field_and_clears(explorer: Driver) -> None:
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


def test_the_card_follows_new_columns(explorer: Driver) -> None:
    label = explorer.kernel("int(measured['label'].iloc[0])")
    explorer.kernel(f"setattr(explorer, 'focus', {label})")
    card = explorer.page.locator(".oce-card")
    card.get_by_text("area").wait_for()
    explorer.kernel("setattr(explorer, 'x', 'solidity')")
    card.get_by_text("solidity").wait_for()
    assert card.get_by_text("area", exact=True).count() == 0


FLAT = """
import numpy as np, objclass
labels = np.zeros((40, 40), int); labels[5:9, 5:9] = 1
explorer = objclass.explore(labels * 10, labels)
"""


def test_a_flat_image_offers_no_3d_and_one_object_is_one(open_notebook) -> None:
    explorer = Driver(open_notebook([FLAT, "explorer"]))
    assert explorer.page.get_by_role("button", name="3D", exact=True).count() == 0
    explorer.page.get_by_text("1 object", exact=True).wait_for()
    explorer.page.locator('[data-tab="table"]').click()
    explorer.page.get_by_text("1 row", exact=True).wait_for()


def test_without_objects_reduce_and_cluster_say_so(open_notebook) -> None:
    cells = [FLAT.replace("= 1", "= 0"), "explorer"]
    explorer = Driver(open_notebook(cells))
    for step in ("reduce", "cluster"):
        explorer.page.locator(f'[data-tab="{step}"]').click()
        explorer.page.get_by_text(f"There are no objects to {step}.").wait_for()


LONG = """
import numpy as np, pandas as pd, objclass
labels = np.zeros((8, 8), int); labels[2:4, 2:4] = 5
table = pd.DataFrame({"label": np.arange(1, 1_000_001), "area": np.arange(1_000_000.0)})
explorer = objclass.explore(labels, labels, table, x="area")
"""


def test_the_last_of_a_million_rows_is_reached(open_notebook) -> None:
    explorer = Driver(open_notebook([LONG, "explorer"]))
    page = explorer.page
    page.locator('[data-tab="table"]').click()
    page.locator('.oce-table tr[data-label="1"]').wait_for()
    for place in (1.0, 0.6, 0.0):
        page.locator(".oce-table").evaluate(f"e => e.scrollTop = {place} * e.scrollHeight")
        wanted = {1.0: 1_000_000, 0.6: 600_000, 0.0: 1}[place]
        page.wait_for_function(
            """wanted => {
                const box = document.querySelector('.oce-table').getBoundingClientRect();
                return [...document.querySelectorAll('.oce-table tr[data-label]')].some((row) => {
                    const {top, bottom} = row.getBoundingClientRect();
                    return top >= box.top && bottom <= box.bottom
                        && Math.abs(Number(row.dataset.label) - wanted) < (wanted === 600000 ? 300 : 12);
                });
            }""",
            arg=wanted,
        )
    explorer.kernel("setattr(explorer, 'focus', 777_777)")
    page.locator('.oce-table tr.oce-marked[data-label="777777"]').wait_for()
    row, box = (page.locator(where).bounding_box() for where in (".oce-table tr.oce-marked", ".oce-table"))
    assert box["y"] <= row["y"] <= box["y"] + box["height"]


def test_without_a_kernel_the_explorer_says_so(explorer: Driver) -> None:
    os.kill(explorer.kernel("__import__('os').getpid()"), signal.SIGKILL)
    explorer.page.locator(".oce .oc-lost").get_by_text("Not connected: run the cell again.").wait_for()


def test_the_3d_view_fits_marks_scrolls_and_is_never_empty_without_words(explorer: Driver) -> None:
    page, volume = explorer.page, explorer.page.locator(".oce-volume")
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
