"""The explorer's table by pointer and keys: columns, a million rows, a group of what the filter leaves."""

from __future__ import annotations

from tests.browser.explorer_driver import SETUP, Driver

TABLE = ".oce-table"
MILLION = """
import numpy as np, pandas, objclass
rng = np.random.default_rng(0)
labels = np.zeros((20, 20), int)
labels[5:9, 5:9] = 1
many = pandas.DataFrame({"label": np.arange(1, 1_000_001), "area": rng.normal(size=1_000_000)})
explorer = objclass.explore(labels * 10, labels, many, x="area")
"""


def heads(explorer: Driver) -> list[str]:
    return explorer.page.locator(f"{TABLE} th").all_inner_texts()


def test_columns_units_and_the_group_of_a_filter(open_notebook) -> None:
    cells = [SETUP.format(shape="(24, 96, 96)"), "explorer"]
    notebook = open_notebook(cells)
    explorer, page = Driver(notebook), notebook.page
    page.locator('[data-tab="table"]').click()
    page.locator(f"{TABLE} tbody tr[data-label]").first.wait_for()
    assert heads(explorer)[:2] == ["label", "MANUAL_CLUSTER_ID"]
    assert "area (µm³)" in heads(explorer)

    # The label stays in sight.
    box = page.locator(TABLE)
    box.evaluate("element => (element.scrollLeft = 900)")
    cell = page.locator(f"{TABLE} tbody tr[data-label] td").first
    assert abs(cell.bounding_box()["x"] - box.bounding_box()["x"]) < 3

    page.locator(".oce-columns-fold summary").click()
    page.get_by_label("Search: Columns of the table").fill("mean intensity")
    picker = page.get_by_role("group", name="Columns of the table")
    assert picker.get_by_role("checkbox").count() == 1
    picker.get_by_label("intensity_mean", exact=True).check()
    page.get_by_label("Search: Columns of the table").fill("area")
    picker.get_by_label("area", exact=True).check()
    page.wait_for_function("() => document.querySelectorAll('.oce-table th').length === 3")
    assert heads(explorer) == ["label", "area (µm³)", "intensity_mean"]
    explorer.notebook.keep_pictures("explorer-table")
    page.locator(".oce-columns-fold summary").click()

    group = page.get_by_role("button", name="Filtered → group")
    assert group.get_attribute("aria-disabled") == "true"
    page.locator('[data-panel="table"]').get_by_label("Filter", exact=True).fill("area > 150")
    page.keyboard.press("Enter")
    page.wait_for_function(
        "() => document.querySelector('[title^=\"Make the next group\"]').ariaDisabled === 'false'"
    )
    group.click()
    explorer.wait("len(explorer.groups) == 1")
    assert explorer.numbers().tolist() == explorer.kernel("(measured['area'] > 150).astype(int).tolist()")
    assert "where='area > 150'" in explorer.kernel("explorer.code()")


def test_the_last_of_a_million_rows_can_be_reached(open_notebook) -> None:
    explorer = Driver(open_notebook([MILLION, "explorer"]))
    page = explorer.page
    page.locator('[data-tab="table"]').click()
    page.locator(f"{TABLE} tbody tr[data-label]").first.wait_for()
    visible = """() => {
        const box = document.querySelector('.oce-table');
        const {top, bottom} = box.getBoundingClientRect();
        const isSeen = ({top: above, bottom: below}) => above > top && below <= bottom + 1;
        return [...box.querySelectorAll('tbody tr[data-label]')]
            .filter((row) => isSeen(row.getBoundingClientRect())).map((row) => Number(row.dataset.label));
    }"""
    page.locator(TABLE).focus()
    page.keyboard.press("End")
    page.wait_for_function(f"() => ({visible})().includes(1000000)")
    # And anywhere in between, by the scroll bar.
    for part in (0.25, 0.5, 0.9):
        page.locator(TABLE).evaluate("(box, part) => (box.scrollTop = part * box.scrollHeight)", part)
        page.wait_for_function(
            f"(part) => {{ const rows = ({visible})(); return rows.length > 5"
            " && rows.every((row) => Math.abs(row - part * 1e6) < 2000); }",
            arg=part,
        )
    # A step of the wheel moves by rows that follow one another.
    before = page.evaluate(visible)
    box = page.locator(TABLE).bounding_box()
    page.mouse.move(box["x"] + 100, box["y"] + 100)
    page.mouse.wheel(0, 48)
    page.wait_for_function(
        f"(before) => {{ const rows = ({visible})(); return rows.length > 5 && rows[0] > before"
        " && rows[0] < before + 20; }",
        arg=before[0],
    )
    # So does an object that is marked anywhere.
    explorer.kernel("setattr(explorer, 'focus', 777_777)")
    page.locator(f'{TABLE} tr.oce-marked[data-label="777777"]').wait_for()
    page.wait_for_function(f"() => ({visible})().includes(777777)")
