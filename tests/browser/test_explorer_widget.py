"""The explorer in a real page: what is drawn with the pointer, seen, and known in the kernel."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.path import Path

from tests.browser.explorer_driver import PLOT, SETUP, SLICE, Driver, centre_of_crowd, ring


def test_lassos_slices_meshes_and_clicks(open_notebook) -> None:
    explorer = Driver(open_notebook([SETUP.format(shape="(48, 192, 192)"), "explorer"]))
    page = explorer.page
    values, pixels = explorer.plot_scale()
    points = explorer.points()
    places = pixels(points)
    first = ring(*centre_of_crowd(places), 70)
    far = places[np.hypot(*(places - centre_of_crowd(places)).T) > 110]
    second = ring(*centre_of_crowd(far), 60)
    explorer.drag(PLOT, first)
    explorer.drag(PLOT, second, "Shift")
    explorer.wait("len(explorer.groups) == 2")
    drawn = [Path(values(corners)).contains_points(points) for corners in (first, second)]
    expected = np.where(drawn[1], 2, drawn[0].astype(int))
    assert 3 < drawn[0].sum() < len(points) - 3
    np.testing.assert_array_equal(explorer.numbers(), expected)
    explorer.check_slice_colors()

    # Taken away in the plot, and back again.
    away = ring(*first[0], 45)
    explorer.drag(PLOT, away, "Alt")
    taken = np.where(Path(values(away)).contains_points(points), 0, expected)
    assert (taken != expected).any()
    explorer.wait(f"(explorer.table['MANUAL_CLUSTER_ID'] > 0).sum() == {(taken > 0).sum()}")
    np.testing.assert_array_equal(explorer.numbers(), taken)
    explorer.check_slice_colors()
    page.locator(PLOT).focus()
    page.keyboard.press("Control+z")
    explorer.wait(f"(explorer.table['MANUAL_CLUSTER_ID'] > 0).sum() == {(expected > 0).sum()}")
    np.testing.assert_array_equal(explorer.numbers(), expected)
    explorer.check_slice_colors()

    check_click_marks_the_point(explorer, pixels)
    check_lasso_in_the_slice(explorer)
    check_meshes(explorer)


def check_click_marks_the_point(explorer: Driver, pixels: Any) -> None:
    page = explorer.page
    index = int(page.locator(SLICE).get_attribute("data-index"))
    transform = page.locator(SLICE).evaluate("e => JSON.parse(e.dataset.transform)")
    label, row, col = explorer.kernel(
        f"""(lambda n: [int(n), *[int(v) for v in np.argwhere(labels[{index}] == n).mean(axis=0)]])(
            np.bincount(labels[{index}].ravel())[1:].argmax() + 1)"""
    )
    x = transform["x"] + (col + 0.5) * transform["colScale"]
    y = transform["y"] + (row + 0.5) * transform["rowScale"]
    explorer.click(SLICE, x, y)
    explorer.wait(f"explorer.focus == {label}")
    row = f"measured.loc[measured['label'] == {label}, ['area', 'intensity_mean']]"
    expected = explorer.kernel(f"{row}.iloc[0].tolist()")
    page.wait_for_selector(f"{PLOT}[data-focus]:not([data-focus=''])")
    marked = [float(part) for part in page.locator(PLOT).get_attribute("data-focus").split()]
    np.testing.assert_allclose(marked, pixels([expected])[0], atol=0.6)
    assert page.locator(".oce").get_attribute("data-hovered") == str(label)
    page.locator(".oce-card").get_by_text(f"Object {label}").wait_for()

    # And the other way round: a click on that point finds its slice.
    page.locator(PLOT).focus()
    page.keyboard.press("Escape")
    explorer.wait("explorer.focus == 0")
    explorer.click(PLOT, *marked)
    explorer.wait("explorer.focus > 0")
    explorer.wait("(labels[explorer.position[0]] == explorer.focus).any()")


def check_lasso_in_the_slice(explorer: Driver) -> None:
    view = explorer.page.locator(SLICE)
    box, transform = view.bounding_box(), view.evaluate("e => JSON.parse(e.dataset.transform)")
    corners = ring(box["width"] / 2, box["height"] / 3, box["height"] / 3)
    explorer.drag(SLICE, corners, "Shift")
    explorer.wait("len(explorer.groups) == 3")
    # Plane coordinates count from pixel edges, those of the function from pixel centres.
    plane = [
        [
            (y - transform["y"]) / transform["rowScale"] - 0.5,
            (x - transform["x"]) / transform["colScale"] - 0.5,
        ]
        for x, y in corners
    ]
    picked = f"objclass.pick_objects(labels, {plane}, axis=0, index={view.get_attribute('data-index')})"
    third = "explorer.table.loc[explorer.table['MANUAL_CLUSTER_ID'] == 3, 'label']"
    assert sorted(explorer.kernel(f"{third}.tolist()")) == explorer.kernel(f"{picked}.tolist()")
    assert explorer.kernel(f"len({third})") > 2
    explorer.check_slice_colors()


def check_meshes(explorer: Driver) -> None:
    page = explorer.page
    page.get_by_role("button", name="3D", exact=True).click()
    page.wait_for_selector('.oce-volume[data-ready="true"]')
    # k3d takes the mesh up a moment after its view is there.
    shown = page.wait_for_function(
        """() => Object.values(globalThis.__k3dWidgets?.objects ?? {}).map(({attributes}) => attributes)
            .filter(({type}) => type === 'Mesh')
            .map(({attribute, color_map}) => [[...attribute.data], [...color_map.data]])[0]"""
    ).json_value()
    counts = explorer.kernel("explorer.volume_view.mesh.vertex_counts.tolist()")
    colors = explorer.kernel(
        """explorer.table['MANUAL_CLUSTER_ID'].map(
            dict(zip(explorer.groups['group'], explorer.groups['color'])) | {0: '#8c8c8c'}).tolist()"""
    )
    levels, color_map = np.array(shown[0]), np.array(shown[1]).reshape(-1, 4)
    starts = np.concatenate([[0], np.cumsum(counts)[:-1]])
    assert len(levels) == sum(counts)
    assert len(set(colors)) == 4
    marked = explorer.kernel("explorer.table['label'].tolist().index(explorer.focus)")
    colors[marked] = "#ffffff"
    for start, count, color in zip(starts, counts, colors, strict=True):
        own = set(levels[start : start + count])
        assert len(own) == 1
        level = own.pop() / 255
        found = [np.interp(level, color_map[:, 0], color_map[:, part]) * 255 for part in (1, 2, 3)]
        wanted = [int(color[part : part + 2], 16) for part in (1, 3, 5)]
        np.testing.assert_allclose(found, wanted, atol=1)


def test_panels_equal_the_functions(open_notebook) -> None:
    explorer = Driver(open_notebook([SETUP.format(shape="(24, 96, 96)"), "explorer"]))
    page = explorer.page
    for step, column in (("reduce", "UMAP_1"), ("cluster", "KMEANS_CLUSTER_ID")):
        page.locator(f'[data-tab="{step}"]').click()
        page.locator(f'[data-panel="{step}"] .oc-main').click()
        explorer.wait(f"'{column}' in explorer.table and explorer.busy == {{}}")
    embedded = "objclass.reduce(measured, 'umap', n_neighbors=15, min_dist=0.1)"
    by_hand = f"objclass.cluster({embedded}, 'kmeans', n_clusters=3)"
    same = explorer.kernel(f"bool(explorer.table.drop(columns='MANUAL_CLUSTER_ID').equals({by_hand}))")
    assert same
    page.wait_for_function("() => document.querySelector('.oce-legend').textContent.includes('2')")
    assert page.locator(".oce-axis select").first.input_value() == "UMAP_0"
    page.get_by_role("button", name="How many?").click()
    page.wait_for_selector(".oce-chart[data-best]")
    page.locator('[data-tab="profile"]').click()
    page.wait_for_selector(".oce-profile td")
    page.locator('[data-tab="table"]').click()
    page.locator(".oce-table tbody tr[data-label]").first.click()
    explorer.wait("explorer.focus == explorer.table['label'].iloc[0]")
    page.locator('[data-panel="table"]').get_by_label("Filter").fill("area > 100")
    page.keyboard.press("Enter")
    expected = explorer.kernel("int((measured['area'] > 100).sum())")
    page.get_by_text(f"{expected} rows").wait_for()


def test_in_notebook_7(open_notebook) -> None:
    cells = [SETUP.format(shape="(24, 96, 96)"), "explorer"]
    explorer = Driver(open_notebook(cells, app="notebook"))
    values, pixels = explorer.plot_scale()
    points = explorer.points()
    corners = ring(*centre_of_crowd(pixels(points)), 80)
    explorer.drag(PLOT, corners)
    explorer.wait("len(explorer.groups) == 1")
    inside = Path(values(corners)).contains_points(points)
    np.testing.assert_array_equal(explorer.numbers(), inside.astype(int))
    explorer.check_slice_colors()
    cells = explorer.notebook.cells()
    for place in (PLOT, SLICE):
        explorer.click(place, 3, 3)
        for key in "abmlhoo":
            explorer.page.keyboard.press(key)
    assert explorer.notebook.cells() == cells, "the notebook's own shortcuts stay out"
    explorer.page.get_by_role("button", name="3D", exact=True).click()
    explorer.page.wait_for_selector('.oce-volume[data-ready="true"] canvas')
