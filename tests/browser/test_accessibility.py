"""The widgets by axe-core's rules of WCAG 2 A and AA: names, roles, contrast."""

from __future__ import annotations

from typing import Any

import pytest

from tests.browser.annotator_driver import IMPORT, PHANTOM, View
from tests.browser.explorer_driver import PLOT, SETUP, Driver, centre_of_crowd, ring

axe = pytest.importorskip("axe_core_python.sync_playwright", reason="axe-core-python is not installed")


# axe-core does not judge the contrast of colors that `color-mix` computes: see FAINT.
RULES = {
    "runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]},
    "rules": {"color-contrast": {"enabled": False}},
    "resultTypes": ["violations"],
}
# The elements with text of their own and their contrast, where it is below that of WCAG 2 AA.
FAINT = """(root) => {
    const context = new OffscreenCanvas(1, 1).getContext('2d', {willReadFrequently: true});
    const parse = (color) => {
        context.clearRect(0, 0, 1, 1);
        context.fillStyle = color;
        context.fillRect(0, 0, 1, 1);
        const [red, green, blue, alpha] = context.getImageData(0, 0, 1, 1).data;
        return {color: [red, green, blue], alpha: alpha / 255};
    };
    const mix = (top, alpha, below) => below.map((value, i) => alpha * top[i] + (1 - alpha) * value);
    const linear = (value) => value <= 10.31 ? value / 3294.6 : ((value / 255 + 0.055) / 1.055) ** 2.4;
    const luminance = ([r, g, b]) => 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b);
    const inputs = 'select, textarea, input:not([type=range], [type=checkbox], [type=color], [type=radio])';
    const says = (element) => element.matches(inputs) ? element.value
        : [...element.childNodes].filter(({nodeType}) => nodeType === Node.TEXT_NODE)
            .map(({data}) => data).join('').trim();
    const judged = [...document.querySelectorAll(`${root}, ${root} *`)].flatMap((element) => {
        const box = element.getBoundingClientRect();
        const text = says(element);
        if (!text || box.width < 2 || box.height < 2 || !element.checkVisibility({visibilityProperty: true})
            || element.closest('svg, :disabled, [aria-disabled=true]')) return [];
        let [below, visible] = [[255, 255, 255], 1];
        const around = [];
        for (let each = element; each; each = each.parentElement) around.unshift(getComputedStyle(each));
        for (const {backgroundColor, opacity} of around) {
            const {color, alpha} = parse(backgroundColor);
            below = mix(color, alpha, below);
            visible *= Number(opacity);
        }
        const style = getComputedStyle(element);
        const {color, alpha} = parse(style.color);
        const both = [mix(color, alpha * visible, below), below].map(luminance);
        const size = parseFloat(style.fontSize);
        const isLarge = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
        const contrast = (Math.max(...both) + 0.05) / (Math.min(...both) + 0.05);
        return [{contrast, enough: contrast >= (isLarge ? 3 : 4.5),
            line: `${contrast.toFixed(2)}: ${text.slice(0, 60)} (${element.outerHTML.slice(0, 90)})`}];
    });
    return [judged.length, judged.filter(({enough}) => !enough).map(({line}) => line)];
}"""


def faint_text(page: Any, root: str, at_least: int) -> list[str]:
    """Return the text of too low a contrast within an element, a line each."""
    n_judged, faint = page.evaluate(FAINT, root)
    assert n_judged >= at_least
    return faint


def violations(page: Any, root: str) -> list[str]:
    """Return what breaks a rule within an element, a line each."""
    if not page.evaluate("() => 'axe' in window"):
        page.evaluate(axe.Axe().axe_script)
    found = page.evaluate("([root, options]) => axe.run(root, options)", [root, RULES])
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
    problems = violations(page, ".oce")
    for theme in ("Light", "Dark"):
        explorer.notebook.theme(f"JupyterLab {theme}")
        problems += [f"{theme}: {one}" for one in faint_text(page, ".oce", 100)]
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
    problems = violations(page, ".oc-annotator")
    for theme in ("Light", "Dark"):
        notebook.theme(f"JupyterLab {theme}")
        problems += [f"{theme}: {one}" for one in faint_text(page, ".oc-annotator", 30)]
        view.button("Shortcuts (?)").click()
        page.wait_for_selector("dialog.oc-help[open]")
        problems += [f"{theme}: {one}" for one in faint_text(page, "dialog.oc-help", 20)]
        if theme == "Light":
            problems += violations(page, "dialog.oc-help")
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
