"""Several images and time points in the explorer, by pointer: one plot, and the image of each object."""

from __future__ import annotations

import json

import numpy as np
from matplotlib.path import Path as Outline

from tests.browser.explorer_driver import PLOT, SLICE, Driver, ring

SETUP = """
import numpy as np, pandas, objclass
images, tables = {{}}, []
for seed, key in enumerate({keys}):
    sample = objclass.samples.embryo((24 + 2 * seed, 96, 96 + 4 * seed), random_state=seed)
    pixels, labels = sample.image, objclass.exclude_small(sample.labels, 30, relabel=False)
    images[key] = pixels, labels
    measured = objclass.measure(labels, pixels, spacing=sample.spacing)
    tables.append(measured.assign({assign}))
measured = pandas.concat(tables, ignore_index=True)
explorer = objclass.explore(
    images, measured, x="area", y="intensity_mean", by={by!r}, spacing=sample.spacing)
"""
NAMED = SETUP.format(
    keys="['control 1', 'control 2', 'treated 1']",
    assign="image=key, condition=key.split()[0]",
    by="condition",
)
FRAMES = SETUP.format(
    keys="[('a', 0), ('a', 1), ('a', 2)]", assign="image=key[0], frame=key[1]", by=None
).replace("by=None", "color='frame'")


def panel_places(explorer: Driver) -> tuple[list[dict[str, float]], np.ndarray]:
    """Return the boxes of the panels, and where each object lies in the plot."""
    element = explorer.page.locator(PLOT)
    boxes = json.loads(element.get_attribute("data-panels"))
    (x0, x1), (y0, y1) = json.loads(element.get_attribute("data-domain"))
    which = explorer.kernel("sorted(measured['condition'].unique()) and measured['condition'].tolist()")
    names = sorted(set(which))
    places = []
    for name, (x, y) in zip(which, explorer.points(), strict=True):
        box = boxes[names.index(name)]
        places.append(
            [
                box["left"] + (x - x0) / (x1 - x0) * box["width"],
                box["top"] + (y1 - y) / (y1 - y0) * box["height"],
            ]
        )
    return boxes, np.array(places)


def test_each_view_follows_the_shown_image(open_notebook) -> None:
    explorer = Driver(open_notebook([NAMED, "explorer"]))
    check_switching(explorer)
    check_3d(explorer)
    check_click_and_lasso(explorer)


def check_click_and_lasso(explorer: Driver) -> None:
    page = explorer.page
    page.wait_for_selector(f"{PLOT}[data-panels^='[']")
    boxes, places = panel_places(explorer)
    assert len(boxes) == 2
    explorer.notebook.keep_pictures("explorer-panels")

    treated = [
        row for row, name in enumerate(explorer.kernel("measured['image'].tolist()")) if name == "treated 1"
    ]
    alone = max(treated, key=lambda row: sorted(np.hypot(*(places - places[row]).T))[1])
    tabs = page.locator(".oce-tabs").bounding_box()["height"]
    explorer.click(PLOT, *places[alone])
    explorer.wait("explorer.shown == 'treated 1' and explorer.focus > 0")
    label = explorer.kernel(f"int(measured['label'][{alone}])")
    assert explorer.kernel("explorer.focus") == label
    explorer.wait(f"(images['treated 1'][1][explorer.position[0]] == {label}).any()")
    assert page.get_by_label("Shown image").input_value() == "treated 1"
    page.locator(".oce-card").get_by_text(f"Object {label} of treated 1").wait_for()
    page.locator(".oce-card").get_by_text("intensity_mean").wait_for()
    assert page.locator(".oce-tabs").bounding_box()["height"] == tabs, "the card keeps to its line"
    # The planes are those of that image: its width, and this object in its middle.
    z, y, x = explorer.kernel("explorer.objects.find(explorer.objects.images.number_of(2, explorer.focus))")
    page.wait_for_selector(f"{SLICE}[data-index='{z}']")
    assert explorer.kernel("explorer.volume['shape'][2]") == 104
    transform = page.locator(SLICE).evaluate("e => JSON.parse(e.dataset.transform)")
    box = page.locator(SLICE).bounding_box()
    page.mouse.move(
        box["x"] + transform["x"] + (x + 0.5) * transform["colScale"],
        box["y"] + transform["y"] + (y + 0.5) * transform["rowScale"],
    )
    page.locator(".oc-readout").get_by_text(f"object {label}").wait_for()

    # A lasso begun in one panel chooses in both.
    _, places = panel_places(explorer)
    inside = boxes[0]
    corners = ring(inside["left"] + inside["width"] / 2, inside["top"] + inside["height"] / 2, 70)
    explorer.drag(PLOT, corners)
    explorer.wait("len(explorer.groups) == 1")
    (x0, x1), (y0, y1) = json.loads(page.locator(PLOT).get_attribute("data-domain"))
    values = [
        [
            x0 + (px - inside["left"]) / inside["width"] * (x1 - x0),
            y1 - (py - inside["top"]) / inside["height"] * (y1 - y0),
        ]
        for px, py in corners
    ]
    wanted = Outline(values).contains_points(explorer.points())
    np.testing.assert_array_equal(explorer.numbers() == 1, wanted)
    assert len(set(explorer.kernel("explorer.table.query('MANUAL_CLUSTER_ID == 1')['image'].tolist()"))) == 3

    # The gallery shows crops of all, and leads to another image.
    page.locator('[data-tab="gallery"]').click()
    number = explorer.kernel("explorer.objects.images.number_of(1, int(images['control 2'][1].max()))")
    page.get_by_label("Order of the gallery").select_option("label")
    page.get_by_label("Descending").check()
    tile = page.locator(f'.oce-tile[data-label="{number}"]')
    tile.click()
    explorer.wait("explorer.shown == 'control 2'")
    explorer.notebook.keep_pictures("explorer-several-gallery")
    # The table, too, knows the object by image and label.
    page.locator('[data-tab="table"]').click()
    page.locator(f'.oce-table tr.oce-marked[data-label="{number}"]').wait_for()
    assert explorer.kernel("compile(explorer.code(), 'code', 'exec') is not None")


def check_switching(explorer: Driver) -> None:
    page = explorer.page
    page.evaluate(
        """() => {
            const view = document.querySelector('.oce-slices .oc-view');
            window.switched = null;
            document.querySelector('[aria-label="Shown image"]').addEventListener('change', () => {
                const begun = performance.now();
                new MutationObserver((_, observer) => {
                    window.switched = performance.now() - begun;
                    observer.disconnect();
                }).observe(view, {attributes: true, attributeFilter: ['data-source']});
            });
        }"""
    )
    for name in ("treated 1", "control 2", "treated 1"):
        page.evaluate("() => (window.switched = null)")
        page.get_by_label("Shown image").select_option(name)
        page.wait_for_function("() => window.switched !== null")
        assert page.evaluate("() => window.switched") < 2000
        explorer.wait(f"explorer.shown == {name!r}")
    page.get_by_label("Next image").click()
    explorer.wait("explorer.shown == 'control 1'")


def check_3d(explorer: Driver) -> None:
    page = explorer.page
    ready = '.oce-volume[data-ready="true"]'
    page.get_by_role("button", name="3D", exact=True).click()
    page.wait_for_selector(ready)
    first = explorer.kernel("explorer.volume_view.plot.model_id")
    page.get_by_label("Shown image").select_option("treated 1")
    explorer.wait("explorer.volume_view is not None and explorer.shown == 'treated 1'")
    page.wait_for_function("() => document.querySelectorAll('.oce-volume canvas').length > 0")
    page.wait_for_selector(ready)
    assert explorer.kernel("explorer.volume_view.plot.model_id") != first
    assert explorer.kernel("explorer.volume_view.mesh.labels.tolist()") == explorer.kernel(
        "measured.query('image == \"treated 1\"')['label'].tolist()"
    )
    explorer.notebook.keep_pictures("explorer-several-3d")
    page.get_by_label("Shown image").select_option("control 1")
    page.wait_for_selector(ready)
    assert explorer.kernel("explorer.volume_view.plot.model_id") == first
    page.get_by_role("button", name="Slices", exact=True).click()


def test_time_points_have_a_slider(open_notebook) -> None:
    explorer = Driver(open_notebook([FRAMES, "explorer"]))
    page = explorer.page
    page.get_by_label("Shown frame").focus()
    page.keyboard.press("ArrowRight")
    explorer.wait("explorer.shown == ('a', 1)")
    page.keyboard.press("End")
    explorer.wait("explorer.shown == ('a', 2)")
    page.wait_for_selector(f"{SLICE}[data-source='2']")
    page.locator(".oce-series").get_by_text("2 / 2").wait_for()
    explorer.notebook.keep_pictures("explorer-frames")
