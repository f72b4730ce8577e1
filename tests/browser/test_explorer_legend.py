"""The legend by pointer: a click hides, a double click isolates; names, groups of clusters and of a range."""

from __future__ import annotations

from typing import Any

from tests.browser.explorer_driver import Driver

SETUP = """
import numpy as np, objclass
sample = objclass.samples.embryo((24, 96, 96))
labels = objclass.exclude_small(sample.labels, 60, relabel=False)
table = objclass.measure(labels, sample.image, spacing=sample.spacing)
table["KMEANS_CLUSTER_ID"] = np.digitize(table["area"], [60, 150])
explorer = objclass.explore(sample.image, labels, table, spacing=sample.spacing, color="KMEANS_CLUSTER_ID")
"""
HIDDEN = """() => [...document.querySelector('.oce').parentElement.explorer.store.levels]
    .filter((level) => level === 0).length"""


def test_the_legend_hides_names_and_groups(open_notebook: Any) -> None:
    notebook = open_notebook([SETUP, "explorer"])
    explorer, page = Driver(notebook), notebook.page
    sizes = explorer.kernel("table['KMEANS_CLUSTER_ID'].value_counts(sort=False).sort_index().tolist()")

    def chip(category: str) -> Any:
        return page.locator(f'.oce-legend button[data-category="{category}"]')

    chip("1").click()
    explorer.wait("explorer.hidden == {'KMEANS_CLUSTER_ID': ['1']}")
    assert page.evaluate(HIDDEN) == sizes[1]
    assert chip("1").get_attribute("aria-pressed") == "false"
    chip("1").press("Enter")
    explorer.wait("explorer.hidden == {'KMEANS_CLUSTER_ID': []}")
    chip("2").dblclick()
    explorer.wait("explorer.hidden == {'KMEANS_CLUSTER_ID': ['0', '1']}")
    assert page.evaluate(HIDDEN) == sizes[0] + sizes[1]
    notebook.keep_picture("legend-isolated")
    chip("2").dblclick()
    explorer.wait("explorer.hidden == {'KMEANS_CLUSTER_ID': []}")
    assert page.evaluate(HIDDEN) == 0

    page.locator(".oce-legend-more summary").click()
    page.get_by_label("Name of 2").fill("large")
    notebook.keep_picture("legend-named")
    page.keyboard.press("Enter")
    explorer.wait("'large' in list(explorer.table.get('KMEANS_CLUSTER_NAME', []))")
    page.wait_for_function("() => document.querySelector('.oce-legend').textContent.includes('large')")
    page.locator(".oce-legend-more summary").click()
    page.get_by_text("Make groups of these").click()
    page.wait_for_selector(f'.oce[data-groups="1:{sizes[0]} 2:{sizes[1]} 3:{sizes[2]}"]')
    assert explorer.kernel("explorer.groups['name'].tolist()") == ["", "", "large"]

    chip("2").click()
    explorer.wait("explorer.groups['hidden'].tolist() == [False, True, False]")
    chip("3").dblclick()
    explorer.wait("explorer.groups['hidden'].tolist() == [True, True, False]")
    chip("3").dblclick()
    explorer.wait("not explorer.groups['hidden'].any()")

    explorer.kernel("setattr(explorer, 'color', 'area')")
    page.locator(".oce-legend-more summary").click()
    page.get_by_label("Lowest value").fill("200")
    page.get_by_text("Make a group").click()
    explorer.wait("(explorer.table['MANUAL_CLUSTER_ID'] == 4).equals(explorer.table['area'] >= 200)")
    repeat = "space = {'image': sample.image, 'labels': labels, 'table': table}; exec(explorer.code(), space)"
    assert notebook.kernel("bool(space['table'].equals(explorer.table))", setup=repeat)
