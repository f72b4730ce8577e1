"""The widgets by axe-core's rules of WCAG 2 A and AA: names, roles, contrast."""

from __future__ import annotations

from typing import Any

import pytest

from tests.browser.annotator_driver import IMPORT, PHANTOM, View
from tests.browser.explorer_driver import PLOT, SETUP, Driver, centre_of_crowd, ring

axe = pytest.importorskip("axe_core_python.sync_playwright", reason="axe-core-python is not installed")


ALL_RULES = {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]}
CONTRAST = {"type": "rule", "values": ["color-contrast"]}  # all that depends on the theme
THEMES = {"Light": ALL_RULES, "Dark": CONTRAST}


def violations(page: Any, root: str, rules: dict[str, Any]) -> list[str]:
    """Return what breaks a rule within an element, a line each."""
    if not page.evaluate("() => 'axe' in window"):
        page.evaluate(axe.Axe().axe_script)
    options = {"runOnly": rules, "resultTypes": ["violations"]}
    found = page.evaluate("([root, options]) => axe.run(root, options)", [root, options])
    return [
        f"{rule['id']}: {node['html'][:160]} {node['any'][:1] and node['any'][0]['message']}"
        for rule in found["violations"]
        for node in rule["nodes"]
    ]


def test_explorer(open_notebook) -> None:
    # A few columns, as each cell of a table is looked at.
    few = "measured[['label', 'area', 'solidity', 'intensity_mean', 'centroid-0']]"
    setup = SETUP.format(shape="(24, 96, 96)").replace("labels, measured, x", f"labels, {few}, x")
    explorer = Driver(open_notebook([setup, "explorer"]))
    check_full_screen(explorer)
    page = explorer.page
    _, pixels = explorer.plot_scale()
    explorer.drag(PLOT, ring(*centre_of_crowd(pixels(explorer.points())), 70))
    explorer.wait("len(explorer.groups) == 1")
    told = ["8 of 40 objects have missing values."]
    explorer.kernel(f"setattr(explorer, 'notes', {told}) or setattr(explorer, 'error', 'It failed.')")
    explorer.kernel(f"setattr(explorer, '_step_notes', {{'reduce': {told}, 'cluster': {told}}})")
    page.get_by_text("It failed.").wait_for()
    filled = {"table": "tr[data-label]", "gallery": ".oce-tiles > *", "profile": ".oce-profile > *"}
    for tab in page.locator(".oce-tab").all():
        tab.click()
        name = tab.get_attribute("data-tab")
        page.wait_for_selector(f".oce-body[data-panel={name}] {filled.get(name, '*')}")
    # All at once, as each look goes through the whole page.
    page.evaluate(
        "() => { for (const panel of document.querySelectorAll('.oce-body')) panel.hidden = false; }"
    )
    problems = []
    for theme, rules in THEMES.items():
        explorer.notebook.theme(f"JupyterLab {theme}")
        problems += [f"{theme}: {one}" for one in violations(page, ".oce", rules)]
    assert not problems, "\n".join(dict.fromkeys(problems))


def check_full_screen(explorer: Driver) -> None:
    """Check that the plot has the height of a full screen, with and without the panels below it."""
    notebook, page, plot = explorer.notebook, explorer.page, explorer.page.locator(PLOT)
    panels, tabs = page.locator(".oce-bodies"), page.locator(".oce-tabs")
    button, fold = (page.get_by_role("button", name=name) for name in ("Full screen", "Hide the panels"))

    def wait_for_height(low: float, high: float = 2000) -> float:
        page.wait_for_function(
            "([plot, low, high]) => plot.clientHeight >= low && plot.clientHeight <= high",
            arg=[plot.element_handle(), low, high],
        )
        notebook.wait_still(plot)
        return plot.bounding_box()["height"]

    def below(element: Any) -> float:
        # A full screen may be higher than the page was.
        return element.evaluate("element => innerHeight - element.getBoundingClientRect().bottom")

    before = plot.bounding_box()
    assert not fold.is_visible()
    button.click()
    with_panels = wait_for_height(before["height"] + 15)
    assert plot.bounding_box()["width"] > before["width"] + 50
    assert 0 < below(panels) < 30
    notebook.keep_picture("full-screen-explorer")
    fold.click()
    wait_for_height(with_panels + 130)
    assert not panels.is_visible()
    assert 0 < below(tabs) < 30
    notebook.keep_picture("full-screen-folded")
    page.locator("[data-tab=table]").click()
    wait_for_height(0, with_panels)
    assert panels.is_visible()
    fold.click()
    button.click()
    wait_for_height(0, before["height"])
    assert not page.evaluate("() => document.fullscreenElement")
    assert abs(plot.bounding_box()["width"] - before["width"]) < 2
    assert panels.is_visible()


def test_annotator(open_notebook) -> None:
    make = "annotator = annotate({'one': sample.image, 'two': sample.image[:, ::-1]}, path=None)"
    notebook = open_notebook([IMPORT + PHANTOM + make, "annotator"])
    view, page = View(notebook), notebook.page
    check_order_of_tab(page)
    check_full_screen_of_annotator(notebook, view.view)
    view.stroke((30, 30), (60, 60))
    view.wait_kept()
    notebook.kernel("annotator.set_trait('state', {**annotator.state, 'trained': True, 'stale': True})")
    page.get_by_text("out of date", exact=True).wait_for()
    for summary in page.locator(".oc-annotator summary:visible").all():
        summary.click()
    problems = []
    for theme, rules in THEMES.items():
        notebook.theme(f"JupyterLab {theme}")
        problems += violations(page, ".oc-annotator", rules)
        view.button("Shortcuts (?)").click()
        page.wait_for_selector("dialog.oc-help[open]")
        problems += violations(page, "dialog.oc-help", rules)
        page.keyboard.press("Escape")
        page.wait_for_selector("dialog.oc-help:not([open])", state="attached")
    assert not problems, "\n".join(dict.fromkeys(problems))


def check_order_of_tab(page: Any) -> None:
    """Check that the Tab key goes through the annotator in the order of reading."""
    page.locator(".oc-annotator .oc-bar button").first.focus()
    seen = []
    for _ in range(80):
        part = page.evaluate(
            """() => {
                const parts = ['.oc-bar', '.oc-view', '.oc-slices', '.oc-side'];
                const {activeElement} = document;
                const part = parts.find((one) => activeElement.closest(`.oc-annotator ${one}`));
                return activeElement.closest('.oc-annotator') ? part ?? 'else' : null;
            }"""
        )
        if part is None:
            break
        if part not in seen[-1:]:
            seen.append(part)
        page.keyboard.press("Tab")
    assert seen == [".oc-bar", ".oc-view", ".oc-slices", ".oc-side"]


def check_full_screen_of_annotator(notebook: Any, view: Any) -> None:
    page = notebook.page
    before = view.bounding_box()
    button = page.get_by_role("button", name="Full screen")
    button.click()
    page.wait_for_selector(".oc:fullscreen")
    page.wait_for_function(
        "([element, width]) => element.getBoundingClientRect().width > width",
        arg=[view.element_handle(), before["width"] + 50],
    )
    notebook.wait_still(view)
    notebook.keep_picture("full-screen-annotator")
    button.click()
    page.wait_for_function("() => !document.fullscreenElement")
    page.wait_for_function(
        "([element, width]) => Math.abs(element.getBoundingClientRect().width - width) < 2",
        arg=[view.element_handle(), before["width"]],
    )
    notebook.wait_still(view)
