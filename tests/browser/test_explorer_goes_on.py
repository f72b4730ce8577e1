"""What was done in the explorer outlives its cell, the kernel and the page."""

from __future__ import annotations

import pytest

from tests.browser.explorer_driver import PLOT, SETUP, Driver, centre_of_crowd, ring

STATE = "[explorer.table.to_json(), explorer.groups.to_json(), explorer.x, explorer.y, explorer.code()]"


@pytest.mark.parametrize("save_to", ["", ", save_to='objects.json'"])
def test_a_cell_that_is_run_again_goes_on(open_notebook, save_to: str) -> None:
    shown = "explorer = objclass.explore(image, labels, measured, spacing=spacing{}); explorer"
    setup = SETUP.format(shape="(24, 96, 96)").rsplit("explorer =", 1)[0]
    notebook = open_notebook([setup, shown.format(save_to)])
    explorer, page = Driver(notebook), notebook.page
    _, pixels = explorer.plot_scale()
    explorer.drag(PLOT, ring(*centre_of_crowd(pixels(explorer.points())), 70))
    explorer.wait("len(explorer.groups) == 1")
    name = page.locator('.oce [aria-label="Name of group 1"]')
    name.fill("mitotic")
    name.press("Enter")
    explorer.wait("explorer.groups['name'].tolist() == ['mitotic']")
    page.locator('[data-tab="reduce"]').click()
    page.locator('[data-panel="reduce"] [aria-label="Method"]').select_option("pca")
    page.locator('[data-panel="reduce"] .oc-main').click()
    explorer.wait("explorer.x == 'PC_0' and explorer.busy == {}")
    before = explorer.kernel(STATE)

    notebook.run_all()
    explorer = Driver(notebook)
    assert explorer.kernel(STATE) == before
    page.get_by_text("Resumed from the last state").wait_for()
    page.locator(".oce-legend").get_by_text("mitotic").wait_for()
    if not save_to:
        return
    page.locator(".oce").get_by_text("Saved in objects.json").wait_for()
    explorer.kernel("explorer.wait()")
    page.evaluate("() => jupyterapp.shell.currentWidget.sessionContext.session.kernel.restart()")
    notebook.open()
    notebook.run_all()
    explorer = Driver(notebook)
    assert explorer.kernel(STATE) == before
    page.locator(".oce-legend").get_by_text("mitotic").wait_for()
