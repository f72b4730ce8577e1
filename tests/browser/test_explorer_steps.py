"""The panels Reduce and Cluster: which columns, what is used, how many clusters."""

from __future__ import annotations

from tests.browser.explorer_driver import IN_NOTEBOOK, PLOT, SETUP, Driver

PLACE = "e => e.getBoundingClientRect().top - e.closest('.oce').getBoundingClientRect().top"


@IN_NOTEBOOK
def test_columns_by_search_and_preset_and_the_best_number(open_notebook, app: str, theme: str) -> None:
    cells = [SETUP.format(shape="(24, 96, 96)"), "explorer"]
    notebook = open_notebook(cells, app=app)
    notebook.theme(f"JupyterLab {theme}")
    explorer, page = Driver(notebook), notebook.page
    page.locator('[data-tab="cluster"]').click()
    panel = page.locator('[data-panel="cluster"]')
    panel.locator(".oce-used").get_by_text("columns used").wait_for()
    panel.get_by_text("Columns", exact=True).click()
    panel.get_by_role("button", name="intensity", exact=True).click()
    panel.get_by_label("Search: Columns to cluster by").fill("area")
    panel.get_by_role("group", name="Columns to cluster by").get_by_label("area", exact=True).check()
    wanted = explorer.kernel(
        "[c['name'] for c in explorer._columns if c['group'] == 'intensity' or c['name'] == 'area']"
    )
    panel.get_by_text(f"{len(wanted)} of", exact=False).wait_for()
    panel.get_by_role("button", name="How many?").click()
    page.wait_for_selector(".oce-chart[data-best]:not([hidden])")
    best = int(page.locator('[data-panel="cluster"] .oce-chart').get_attribute("data-best"))
    panel.get_by_role("button", name=f"Use {best}").click()
    explorer.notebook.keep_pictures("explorer-cluster")
    panel.locator(".oc-main").click()
    explorer.wait("'KMEANS_CLUSTER_ID' in explorer.table and explorer.busy == {}")
    same = f"objclass.cluster(measured, 'kmeans', n_clusters={best}, columns={wanted})"
    assert explorer.kernel(f"explorer.table['KMEANS_CLUSTER_ID'].equals({same}['KMEANS_CLUSTER_ID'])")

    # What comes and goes moves nothing, and a press elsewhere closes a menu.
    before = page.locator(PLOT).evaluate(PLACE)
    explorer.kernel("explorer.set_trait('busy', {'title': 'A step', 'fraction': None, 'started': 0.0})")
    explorer.kernel("setattr(explorer, 'error', 'something was wrong')")
    page.get_by_label("Keys").click()
    for part in (".oce-busy", ".oce-error", ".oce-help"):
        page.locator(part).wait_for()
    assert page.locator(PLOT).evaluate(PLACE) == before
    page.get_by_label("Keys").click()
    page.locator(".oce-save summary").click()
    page.get_by_role("button", name="Save plot as PNG").wait_for()
    page.locator(".oce-legend").click()
    page.wait_for_selector(".oce-save:not([open])")
    explorer.kernel("[setattr(explorer, 'error', ''), explorer.set_trait('busy', {})]")
