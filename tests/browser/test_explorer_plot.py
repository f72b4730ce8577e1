"""How the plot is drawn, by pointer and keys: its menu, panning, zooming."""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from tests.browser.explorer_driver import PLOT, Driver

SETUP = """
import numpy as np, pandas as pd, objclass
count = 21000
labels = np.arange(1, count + 1).reshape(150, 140)
rng = np.random.default_rng(0)
kind = np.array(["a", "b", "c"])[np.arange(count) % 3]
size = np.where(kind == "a", 3.0, 6.0) + rng.normal(0, 0.5, count)
table = pd.DataFrame({"label": labels.ravel(), "size": size, "kind": kind})
table["height"] = 2 * rng.normal(0, 1, count)
explorer = objclass.explore(labels % 251, labels, table, x="size", y="height", color="kind")
"""
# The share of the plot's pixels that are drawn upon.
INK = """(element) => {
    const canvas = element.querySelector('.oc-points');
    const {data} = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
    let inked = 0;
    for (let at = 3; at < data.length; at += 4) inked += data[at] > 40;
    return inked / (data.length / 4);
}"""


def mode(explorer: Driver, wanted: str) -> None:
    explorer.page.wait_for_selector(f'{PLOT}[data-mode="{wanted}"]')


def test_the_keys_and_the_menu_of_the_plot(open_notebook: Any) -> None:
    notebook = open_notebook([SETUP, "explorer"])
    explorer, page = Driver(notebook), notebook.page
    mode(explorer, "density")
    check_keys(explorer)
    plot = page.locator(PLOT)
    menu = page.locator(".oce-menu summary")
    draw = page.get_by_label("Draw as", exact=True)
    menu.click()
    notebook.keep_picture("plot-menu")
    for style, shown in (("points", "points"), ("hexbin", "hexbin"), ("auto", "density")):
        draw.select_option(style)
        mode(explorer, shown)
        explorer.wait(f"explorer.plot_style == {style!r}")
        assert plot.evaluate(INK) > 0.02
        menu.click()
        notebook.keep_picture(f"plot-{style}")
        menu.click()
    page.get_by_label("Contours of colours").check()
    page.wait_for_selector(f'{PLOT}[data-contours="3"]')
    menu.click()
    notebook.keep_picture("plot-contours")
    menu.click()

    page.get_by_label("Equal scales").check()
    page.wait_for_function(
        """(plot) => {
            const {dataset} = document.querySelector(plot);
            const [[x0, x1], [y0, y1]] = JSON.parse(dataset.domain);
            const {width, height} = JSON.parse(dataset.frame);
            return Math.abs((x1 - x0) / width / ((y1 - y0) / height) - 1) < 1e-6;
        }""",
        arg=PLOT,
    )
    page.get_by_label("Equal scales").uncheck()
    page.get_by_role("button", name="Swap axes").click()
    explorer.wait("(explorer.x, explorer.y) == ('height', 'size')")
    page.get_by_role("button", name="Swap axes").click()
    explorer.wait("(explorer.x, explorer.y) == ('size', 'height')")
    for style in ("boxes", "violins"):
        draw.select_option(style)
        mode(explorer, style)
        menu.click()
        notebook.keep_picture(f"plot-{style}")
        menu.click()
    page.keyboard.press("Escape")
    assert menu.evaluate("e => e === document.activeElement")

    # In boxes and violins a drag selects a range of values.
    (_, _), (low, high) = plot.evaluate("e => JSON.parse(e.dataset.domain)")
    frame = plot.evaluate("e => JSON.parse(e.dataset.frame)")

    def at(value: float) -> tuple[float, float]:
        down = frame["top"] + (high - value) / (high - low) * frame["height"]
        return frame["left"] + frame["width"] / 2, down

    box = plot.bounding_box()
    (x, lower), (_, upper) = at(1.0), at(4.0)
    page.mouse.move(box["x"] + x, box["y"] + lower)
    page.mouse.down()
    page.mouse.move(box["x"] + x + 30, box["y"] + upper, steps=5)
    page.mouse.up()
    explorer.wait("len(explorer.groups) == 1")
    assert "'height'" in explorer.kernel("explorer.code()").rsplit("select", 1)[1]
    ends = explorer.kernel(
        "explorer.table.loc[explorer.table['MANUAL_CLUSTER_ID'] == 1, 'height'].agg(['min', 'max']).tolist()"
    )
    np.testing.assert_allclose(ends, [1.0, 4.0], atol=3 * (high - low) / frame["height"])


def check_keys(explorer: Driver) -> None:
    plot = explorer.page.locator(PLOT)

    def domain() -> np.ndarray:
        return np.array(json.loads(plot.get_attribute("data-domain")))

    def after(key: str) -> np.ndarray:
        before = plot.get_attribute("data-domain")
        plot.press(key)
        explorer.page.wait_for_function(
            "([plot, before]) => document.querySelector(plot).dataset.domain !== before", arg=[PLOT, before]
        )
        return domain()

    first = domain()
    right = after("ArrowRight")
    assert (right[0] > first[0]).all()
    assert (right[1] == first[1]).all()
    up = after("ArrowUp")
    assert (up[1] > right[1]).all()
    near = after("+")
    np.testing.assert_allclose(np.ptp(near, axis=1), np.ptp(first, axis=1) / 1.25)
    np.testing.assert_allclose(np.ptp(after("-"), axis=1), np.ptp(first, axis=1))
    np.testing.assert_allclose(after("0"), first)
    # The wheel zooms to the pointer, once the plot has been clicked.
    box = plot.bounding_box()
    explorer.page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    explorer.page.mouse.wheel(0, -100)
    explorer.page.wait_for_function(
        "([plot, before]) => document.querySelector(plot).dataset.domain !== before",
        arg=[PLOT, json.dumps(first.tolist(), separators=(",", ":"))],
    )
    assert (np.ptp(domain(), axis=1) < np.ptp(first, axis=1)).all()


LINE = """
import numpy as np, pandas as pd, objclass
labels = np.kron(np.arange(1, 13).reshape(3, 4), np.ones((6, 6), int)) * (np.arange(18) % 6 > 0)[:, None]
table = pd.DataFrame({"label": np.arange(1, 13), "size": np.arange(12.0), "height": np.arange(12.0)})
explorer = objclass.explore(labels, labels, table, x="size", y="height", color="size")
"""
# The best contrast with the ground of what is drawn around a point of the plot, by WCAG.
CONTRAST = r"""([plot, x, y]) => {
    const element = document.querySelector(plot);
    const canvas = element.querySelector('.oc-points');
    const ratio = canvas.width / element.clientWidth;
    const box = [x - 7, y - 7, 14, 14].map((part) => part * ratio);
    const {data} = canvas.getContext('2d').getImageData(...box);
    const ground = getComputedStyle(element).backgroundColor.match(/\d+/g).map(Number);
    const light = (rgb) => rgb.map((part) => part / 255)
        .map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4))
        .reduce((sum, part, which) => sum + [0.2126, 0.7152, 0.0722][which] * part, 0) + 0.05;
    let best = 1;
    for (let at = 0; at < data.length; at += 4) {
        const alpha = data[at + 3] / 255;
        const seen = light([0, 1, 2].map((part) => alpha * data[at + part] + (1 - alpha) * ground[part]));
        best = Math.max(best, seen / light(ground), light(ground) / seen);
    }
    return best;
}"""


def test_the_ends_of_the_color_map_are_seen_in_each_theme(open_notebook: Any) -> None:
    notebook = open_notebook([LINE, "explorer"])
    explorer, page = Driver(notebook), notebook.page
    for theme in ("Dark", "Light"):
        notebook.theme(f"JupyterLab {theme}")
        for style, shown in (("points", "points"), ("density", "density"), ("hexbin", "hexbin")):
            explorer.kernel(f"setattr(explorer, 'plot_style', {style!r})")
            mode(explorer, shown)
            notebook.wait_still(PLOT)
            _, pixels = explorer.plot_scale()
            for x, y in pixels(explorer.points())[[0, -1]]:
                found = page.evaluate(CONTRAST, [PLOT, float(x), float(y)])
                assert found > 2.9, f"{style} in {theme}: {found:.2f}"
            notebook.keep_picture(f"color-map-{style}-{theme.lower()}")
