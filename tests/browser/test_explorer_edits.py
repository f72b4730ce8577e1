"""Objects corrected by pointer and keys in a real page: slices, plot, table and code follow."""

from __future__ import annotations

from typing import Any

from tests.browser.explorer_driver import PLOT, SLICE, Driver, ring

SETUP = """
import numpy as np, objclass
sample = objclass.samples.embryo((24, 96, 96))
labels = objclass.exclude_small(sample.labels, 60, relabel=False)
image, spacing = sample.image, sample.spacing
measured = objclass.measure(labels, image, spacing=spacing)
given = measured.assign(note="note of " + measured["label"].astype(str))
"""
SHOW = """
explorer = objclass.explore(image, labels, given, x="area", y="intensity_mean", spacing=spacing,
                            save_to="edits.json")
explorer
"""
SAME = """(lambda table, expected: bool(np.array_equal(table['label'], expected['label'])
    and np.array_equal(table[list(expected)], expected, equal_nan=True)
    and all(note == f'note of {label}' for label, note in table[['label', 'note']].dropna().to_numpy())))(
    explorer.table,
    objclass.measure(objclass.edit_objects(labels, explorer.edits), image, spacing=spacing))"""


def largest(explorer: Driver, axis: int, count: int = 1) -> list[tuple[int, list[int], list[int]]]:
    """Return label, middle and extent (row, column) of the largest objects in the shown plane."""
    index = int(explorer.page.locator(SLICE).get_attribute("data-index"))
    return explorer.kernel(
        f"""(lambda plane: [[int(n), np.argwhere(plane == n)[(plane == n).sum() // 2].tolist(),
                np.ptp(np.argwhere(plane == n), axis=0).tolist()]
            for n in sorted(np.unique(plane)[1:], key=lambda n: -(plane == n).sum())[:{count}]])(
            np.take(explorer.labels, {index}, axis={axis}))"""
    )


def on_screen(explorer: Driver, row: float, col: float) -> tuple[float, float]:
    view = explorer.page.locator(SLICE).evaluate("e => JSON.parse(e.dataset.transform)")
    return view["x"] + (col + 0.5) * view["colScale"], view["y"] + (row + 0.5) * view["rowScale"]


def stroke(explorer: Driver, *places: tuple[float, float]) -> None:
    """Draw through places of the plane."""
    box = explorer.page.locator(SLICE).bounding_box()
    path = [on_screen(explorer, *place) for place in places]
    mouse = explorer.page.mouse
    mouse.move(box["x"] + path[0][0], box["y"] + path[0][1])
    mouse.down()
    for x, y in path[1:]:
        mouse.move(box["x"] + x, box["y"] + y, steps=6)
    mouse.up()


def edited(explorer: Driver, count: int) -> None:
    explorer.page.wait_for_selector(f'.oce[data-edits="{count}"]')
    assert explorer.kernel("explorer.error") == ""
    # The plane of the new objects.
    explorer.page.wait_for_function(
        "() => !document.querySelector('.oce').parentElement.explorer.image.replaced"
    )


def test_objects_are_corrected_by_pointer(open_notebook: Any) -> None:
    notebook = open_notebook([SETUP, SHOW])
    explorer, page = Driver(notebook), notebook.page
    page.locator('[data-tab="edit"]').click()
    (first, one, _), (second, two, _), (third, three, extent) = largest(explorer, 0, 3)

    explorer.click(SLICE, *on_screen(explorer, *one))
    page.wait_for_selector(f'.oce[data-chosen="{first}"]')
    page.keyboard.down("Control")
    explorer.click(SLICE, *on_screen(explorer, *two))
    page.keyboard.up("Control")
    page.wait_for_selector(f'.oce[data-chosen="{first} {second}"]')
    notebook.keep_picture("edits-chosen")
    page.keyboard.press("m")
    edited(explorer, 1)
    assert explorer.kernel("explorer.edits[-1]") == {"edit": "merge", "labels": [first, second]}

    page.keyboard.press("c")
    stroke(explorer, (three[0] - extent[0], three[1]), three, (three[0] + extent[0], three[1]))
    edited(explorer, 2)
    cut = explorer.kernel("explorer.edits[-1]")
    assert (cut["edit"], cut["label"], cut["axis"]) == ("cut", third, 0)
    notebook.keep_picture("edits-cut")

    page.keyboard.press("g")
    (grown, middle, reach), *_ = largest(explorer, 0)
    corner = (middle[0] - reach[0], middle[1])
    stroke(explorer, middle, corner, (corner[0], corner[1] + reach[1]), middle)
    edited(explorer, 3)
    assert explorer.kernel("explorer.edits[-1]['label']") == grown

    # Across z: in the plane z, x a line from left to right.
    page.locator('.oc-slices [data-value="1"]').click()
    page.wait_for_selector(f'{SLICE}[data-axis="1"]')
    notebook.wait_still(SLICE)
    page.keyboard.press("c")
    (deep, place, across), *_ = largest(explorer, 1)
    page.locator(SLICE).focus()
    page.keyboard.press("c")
    stroke(explorer, (place[0], place[1] - across[1] - 2), (place[0] + 0.3, place[1] + across[1] + 2))
    edited(explorer, 4)
    assert explorer.kernel("[explorer.edits[-1][name] for name in ('label', 'axis')]") == [deep, 1]
    assert explorer.kernel(SAME)

    # Many, drawn around in the plot, are deleted, and come back.
    page.locator(PLOT).focus()
    page.keyboard.press("s")
    _, pixels = explorer.plot_scale()
    x, y = pixels(explorer.points())[0]
    explorer.drag(PLOT, ring(x, y, 12))
    page.wait_for_function("() => document.querySelector('.oce').dataset.chosen !== ''")
    chosen = [int(label) for label in page.locator(".oce").get_attribute("data-chosen").split()]
    before = explorer.kernel("len(explorer.table)")
    page.keyboard.press("Delete")
    edited(explorer, 5)
    assert explorer.kernel("len(explorer.table)") == before - len(chosen)
    assert explorer.kernel("len(explorer.groups)") == 0, "no group was drawn"
    page.keyboard.press("Control+z")
    edited(explorer, 6)
    assert explorer.kernel("len(explorer.table)") == before
    page.get_by_role("button", name="Redo (Ctrl+Shift+Z)").click()
    edited(explorer, 7)
    assert explorer.kernel("len(explorer.table)") == before - len(chosen)
    page.locator(SLICE).focus()
    page.keyboard.press("Control+z")
    edited(explorer, 8)
    assert explorer.kernel("len(explorer.table)") == before
    assert explorer.kernel(SAME)
    notebook.keep_picture("edits-end")

    # Outside of the mode a click marks again, and the new objects have their colours.
    page.locator('.oc-slices [data-value="0"]').click()
    page.locator('[data-tab="groups"]').click()
    page.wait_for_selector(f'{SLICE}[data-axis="0"]')
    explorer.check_slice_colors()

    # The code makes the same table, and the file goes on from here.
    repeat = "space = {'image': image, 'labels': labels, 'table': given}; exec(explorer.code(), space)"
    assert notebook.kernel("bool(space['table'].equals(explorer.table))", setup=f"explorer.wait(); {repeat}")
    again = "objclass.explore(image, labels, given, spacing=spacing, save_to='edits.json')"
    assert explorer.kernel(f"bool({again}.table.equals(explorer.table))")
