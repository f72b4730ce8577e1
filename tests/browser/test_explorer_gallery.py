"""The gallery and the tip at a point, by pointer: crops, order, and the way to the object."""

from __future__ import annotations

from tests.browser.explorer_driver import PLOT, SETUP, SLICE, Driver, centre_of_crowd, ring

TILES = ".oce-tiles"


def wait_for_labels(explorer: Driver, labels: list[int]) -> None:
    explorer.page.wait_for_function(
        """wanted => { const tiles = [...document.querySelectorAll('.oce-tile')];
            return String(tiles.map(one => Number(one.dataset.label))) === String(wanted); }""",
        arg=labels,
    )


def test_the_gallery_and_the_tip(open_notebook) -> None:
    explorer = Driver(open_notebook([SETUP.format(shape="(24, 128, 128)"), "explorer"]))
    check_tip(explorer)
    explorer.page.locator('[data-tab="gallery"]').click()
    wait_for_labels(explorer, explorer.kernel("measured['label'].tolist()[:100]"))
    check_groups_filters_and_clusters(explorer)
    check_crops_lead_to_their_objects(explorer)


def check_tip(explorer: Driver) -> None:
    page = explorer.page
    _, pixels = explorer.plot_scale()
    points = pixels(explorer.points())
    alone = max(points.tolist(), key=lambda one: sorted(((points - one) ** 2).sum(axis=1))[1])
    tip = page.locator(".oce-tip")
    box = page.locator(PLOT).bounding_box()
    page.mouse.move(box["x"] + alone[0], box["y"] + alone[1])
    tip.wait_for()
    page.mouse.move(box["x"] + 3, box["y"] + 3)
    tip.wait_for(state="hidden")
    page.mouse.move(box["x"] + alone[0], box["y"] + alone[1])
    tip.wait_for()
    explorer.notebook.keep_picture("explorer-tip")
    row = points.tolist().index(alone)
    label, area = explorer.kernel(f"[int(measured['label'][{row}]), float(measured['area'][{row}])]")
    assert f"Object {label}" in tip.inner_text()
    assert "group none" in tip.inner_text()
    assert f"{area:.4g}"[:3] in tip.inner_text().replace(",", "")


def check_groups_filters_and_clusters(explorer: Driver) -> None:
    page = explorer.page
    _, pixels = explorer.plot_scale()
    explorer.drag(PLOT, ring(*centre_of_crowd(pixels(explorer.points())), 60))
    explorer.wait("len(explorer.groups) == 1")
    show = page.get_by_label("Objects in the gallery")
    show.select_option(label="In a group")
    wait_for_labels(
        explorer, explorer.kernel("explorer.table.query('MANUAL_CLUSTER_ID == 1')['label'].tolist()[:100]")
    )
    page.locator('[data-tab="table"]').click()
    page.locator('[data-panel="table"]').get_by_label("Filter").fill("area < 200")
    page.keyboard.press("Enter")
    page.locator('[data-tab="gallery"]').click()
    show.select_option(label="Filtered in the table")
    wait_for_labels(explorer, explorer.kernel("measured.query('area < 200')['label'].tolist()[:100]"))

    page.locator('[data-tab="cluster"]').click()
    page.locator('[data-panel="cluster"] .oc-main').click()
    explorer.wait("explorer.busy == {} and explorer.color == 'KMEANS_CLUSTER_ID'")
    page.locator('[data-tab="gallery"]').click()
    show.select_option(label="KMEANS_CLUSTER_ID 1")
    page.get_by_label("Order of the gallery").select_option("typical")
    wait_for_labels(
        explorer,
        explorer.kernel(
            """(lambda t: t['label'].iloc[(lambda r: r[np.argsort(
                objclass.tables.profiles.distances_from_mean(t, r), kind='stable')])(
                np.flatnonzero(t['KMEANS_CLUSTER_ID'] == 1))].tolist()[:100])(explorer.table)"""
        ),
    )
    explorer.notebook.keep_pictures("explorer-gallery-typical")


def check_crops_lead_to_their_objects(explorer: Driver) -> None:
    page = explorer.page
    page.get_by_label("Objects in the gallery").select_option(label="All")
    page.get_by_label("Order of the gallery").select_option("area")
    page.get_by_label("Descending").check()
    wanted = explorer.kernel(
        "measured.sort_values('area', ascending=False, kind='stable')['label'].tolist()[:100]"
    )
    wait_for_labels(explorer, wanted)
    assert int(page.locator(TILES).get_attribute("data-ms")) < 2000
    colors = page.locator(".oce-tile canvas").evaluate_all(
        """canvases => canvases.map(canvas => new Set(new Uint32Array(canvas.getContext('2d')
            .getImageData(0, 0, canvas.width, canvas.height).data.buffer)).size)"""
    )
    assert min(colors) > 20, "each crop is a picture"

    # A click goes there.
    page.locator(f'.oce-tile[data-label="{wanted[2]}"]').click()
    explorer.wait(f"explorer.focus == {wanted[2]}")
    explorer.wait("(labels[explorer.position[0]] == explorer.focus).any()")
    page.wait_for_selector(f'.oce-tile.oce-marked[data-label="{wanted[2]}"]')
    page.wait_for_selector(f"{PLOT}[data-focus]:not([data-focus=''])")
    index = int(page.locator(SLICE).get_attribute("data-index"))
    assert explorer.kernel(f"bool((labels[{index}] == {wanted[2]}).any())")
    explorer.notebook.keep_pictures("explorer-gallery")

    # With Ctrl a click puts it into the group.
    group = "explorer.table.query('MANUAL_CLUSTER_ID == 1')['label'].tolist()"
    before = explorer.kernel(group)
    other = next(label for label in wanted if label not in before)
    page.locator(f'.oce-tile[data-label="{other}"]').click(modifiers=["Control"])
    explorer.wait(f"sorted({group}) == {sorted([*before, other])}")
