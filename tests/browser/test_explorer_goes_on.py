"""What was done in the explorer outlives its cell, the kernel and the notebook."""

from __future__ import annotations

from tests.browser.explorer_driver import PLOT, SETUP, Driver, centre_of_crowd, ring

STATE = "[explorer.table.to_json(), explorer.groups.to_json(), explorer.x, explorer.y, explorer.code()]"
SHOW = "explorer = objclass.explore(image, labels, measured, spacing=spacing{}); explorer"
# Another argument in the cell, and what a user would do with it.
CHANGE = """async (source) => {
    jupyterapp.shell.currentWidget.content.model.cells.get(1).sharedModel.setSource(source);
    await jupyterapp.commands.execute('docmanager:save');
}"""


def test_a_cell_that_is_run_again_goes_on(open_notebook) -> None:
    setup = SETUP.format(shape="(24, 96, 96)").rsplit("explorer =", 1)[0]
    notebook = open_notebook([setup, SHOW.format("")])
    explorer, page = Driver(notebook), notebook.page
    _, pixels = explorer.plot_scale()
    explorer.drag(PLOT, ring(*centre_of_crowd(pixels(explorer.points())), 70))
    explorer.wait("len(explorer.groups) == 1")
    name = page.locator('.oce [aria-label="Name of group 1"]')
    name.fill("mitotic")
    name.press("Enter")
    explorer.wait("explorer.groups['name'].tolist() == ['mitotic']")
    before = explorer.kernel(STATE)

    page.evaluate(CHANGE, SHOW.format(", save_to='objects.json'"))
    notebook.run_all()
    explorer = Driver(notebook)
    assert explorer.kernel(STATE) == before
    page.get_by_text("Resumed from the last state").wait_for()
    page.locator(".oce-legend").get_by_text("mitotic").wait_for()
    page.locator('[data-tab="reduce"]').click()
    page.locator('[data-panel="reduce"] [aria-label="Method"]').select_option("pca")
    page.locator('[data-panel="reduce"] .oc-main').click()
    explorer.wait("explorer.x == 'PC_0' and explorer.busy == {}")
    page.locator(".oce").get_by_text("Saved in objects.json").wait_for()
    explorer.kernel("explorer.wait()")
    before = explorer.kernel(STATE)

    notebook.go_to(notebook.name)
    notebook.run_all()
    explorer = Driver(notebook)
    assert explorer.kernel(STATE) == before
    page.locator(".oce-legend").get_by_text("mitotic").wait_for()
