"""The panels Reduce and Cluster: which columns, what is used, how many clusters."""

from __future__ import annotations

from tests.browser.explorer_driver import PLOT, SETUP, Driver

PLACE = "e => e.getBoundingClientRect().top - e.closest('.oce').getBoundingClientRect().top"

# Whether the texts of the chart are light on dark, or dark on light.
IS_INKED = """(isDark) => {
    const canvas = document.querySelector('[data-panel="cluster"] .oce-chart');
    const {data} = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
    let [light, dark] = [0, 0];
    for (let at = 0; at < data.length; at += 4) {
        const [least, most] = [Math.min, Math.max].map((end) => end(...data.subarray(at, at + 3)));
        light += data[at + 3] > 200 && least > 200;
        dark += data[at + 3] > 200 && most < 60;
    }
    return isDark ? light > 20 && !dark : dark > 20 && !light;
}"""


def test_columns_by_search_and_preset_and_the_best_number(open_notebook) -> None:
    cells = [SETUP.format(shape="(24, 96, 96)"), "explorer"]
    notebook = open_notebook(cells)
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
    for shade in ("Light", "Dark"):
        notebook.theme(f"JupyterLab {shade}")
        page.wait_for_function(IS_INKED, arg=shade == "Dark")
    notebook.keep_pictures("explorer-cluster")
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


FEW = """
import numpy as np, objclass
rows, cols = np.mgrid[:48, :48]
labels = 1 + rows // 16 * 3 + cols // 16
labels[(rows % 16 - 8) ** 2 + (cols % 16 - 8) ** 2 * (1 + labels / 9) > 36 - labels] = 0
image = np.random.default_rng(0).integers(0, 99, labels.shape) + 20 * labels
explorer = objclass.explore(image, labels)
"""


def test_a_step_tells_in_its_panel_what_the_function_warns_of(open_notebook) -> None:
    notebook = open_notebook([FEW, "explorer"])
    explorer, page = Driver(notebook), notebook.page
    page.locator('[data-tab="reduce"]').click()
    panel = page.locator('[data-panel="reduce"]')
    panel.get_by_role("button", name="Reduce", exact=True).click()
    text = "Method 'umap' is used with fewer neighbours: for 9 objects, n_neighbors=8 instead of 15."
    panel.get_by_role("status").get_by_text(text).wait_for()
    notebook.keep_pictures("step-notes")
    panel.get_by_label("Method", exact=True).select_option("pca")
    panel.get_by_role("button", name="Reduce", exact=True).click()
    explorer.wait("'PC_0' in explorer.table and explorer.busy == {}")
    panel.get_by_text(text).wait_for(state="detached")
