"""The annotator in a real browser, with real pointer events."""

from __future__ import annotations

import os
import signal

import numpy as np
import pytest

import objclass
from tests.browser.annotator_driver import IMPORT, MAKE, PHANTOM, SHAPE, View, annotations, expected_stroke

HAS_FOCUS = "() => document.querySelector('.oc-annotator').contains(document.activeElement)"


def test_the_whole_way_in_jupyterlab(open_notebook):
    make = MAKE.format(name="whole").replace(")", ", n_estimators=20)")
    notebook = open_notebook([IMPORT + PHANTOM + make, "annotator"])
    view = View(notebook)
    page = notebook.page
    expected = np.zeros(SHAPE, int)
    for name in ("Segment", "Auto"):
        box = view.button(name).bounding_box()
        assert box["y"] + box["height"] < 744, "within reach on a laptop, above the status bar"

    def paint(z, value, *points):
        path = view.stroke(*points)
        expected[z][expected_stroke(path, 3.5, SHAPE[1:])] = value

    view.go_to(6)
    page.keyboard.press("=") if "background" in view.root.locator(
        ".oc-chosen input.oc-text"
    ).input_value() else None
    paint(6, 2, (80.2, 30.3), (95.7, 40.1), (90.3, 60.6))
    page.keyboard.press("-")
    paint(6, 1, (10.3, 12.4), (30.6, 150.2))
    view.wait_kept()
    assert view.root.locator(".oc-objects").inner_text() == "trains first"
    shows_what_the_kernel_has(view, 6)
    view.button("Train").click()
    view.wait_overlay("prediction", 6)
    notebook.wait_kernel("annotator.classifier is not None and not annotator.state['stale']")
    leaves_the_keys_their_work(view)
    view.root.get_by_label("Live").check()
    view.go_to(15)
    view.wait_overlay("prediction", 15)
    before = int(view.view.get_attribute("data-overlay-count"))
    paint(15, 1, (140.2, 20.3), (150.7, 170.1))
    page.wait_for_function(f"() => +document.querySelector('.oc-view').dataset.overlayCount > {before}")
    page.keyboard.press("=")
    paint(15, 2, (60.2, 100.3), (66.7, 112.1))
    view.wait_kept()
    np.testing.assert_array_equal(annotations(notebook), expected)

    # Undo goes back to the slice of the stroke, over all slices.
    view.go_to(6)
    painted = expected.copy()
    page.keyboard.press("Control+z")
    page.wait_for_selector(".oc-view[data-index='15']")
    expected[15][expected[15] == 2] = 0
    notebook.wait_kernel("annotator.state['redo']")
    np.testing.assert_array_equal(annotations(notebook), expected)
    page.keyboard.press("Control+Shift+z")
    notebook.wait_kernel("not annotator.state['redo']")
    np.testing.assert_array_equal(annotations(notebook), painted)

    view.root.get_by_label("Live").uncheck()
    view.button("Suggest a slice").click()
    notebook.wait_kernel("not annotator.state.get('suggesting')")
    leaves_the_keys_their_work(view)
    makes_objects(view)
    names = notebook.kernel("sorted(p.name for p in __import__('pathlib').Path().glob('*.*'))")
    assert {"whole.cl", "whole.tif"} <= set(names)
    shows_in_round_two_what_was_trained(view)
    opens_the_explorer(view)


def shows_what_the_kernel_has(view, index):
    """Look where the scribbles' canvas is painted, voxel by voxel, and at a pixel of the image."""
    page, notebook = view.page, view.notebook
    at = view.transform
    shown = page.evaluate(
        """([at, rows, cols]) => {
            const canvas = document.querySelector('.oc-canvas.oc-labels');
            const ratio = canvas.width / canvas.clientWidth;
            const {data} = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
            return Array.from({length: rows * cols}, (_, i) => {
                const x = Math.floor((at.x + (i % cols + 0.5) * at.colScale) * ratio);
                const y = Math.floor((at.y + (Math.floor(i / cols) + 0.5) * at.rowScale) * ratio);
                return data[4 * (y * canvas.width + x) + 3] > 0;
            });
        }""",
        [at, *SHAPE[1:]],
    )
    np.testing.assert_array_equal(np.reshape(shown, SHAPE[1:]), annotations(notebook)[index] > 0)
    image = page.evaluate(
        """([at, row, col]) => {
            const canvas = document.querySelector('.oc-canvas.oc-image');
            const ratio = canvas.width / canvas.clientWidth;
            const x = (at.x + (col + 0.5) * at.colScale) * ratio;
            const y = (at.y + (row + 0.5) * at.rowScale) * ratio;
            return [...canvas.getContext('2d').getImageData(x, y, 1, 1).data];
        }""",
        [at, 80, 100],
    )
    low, high, value = notebook.kernel(
        f"[annotator.channels[0]['low'], annotator.channels[0]['high'], int(sample.image[{index}, 80, 100])]"
    )
    assert abs(image[0] - np.clip((value - low) / (high - low), 0, 1) * 255) <= 1.5


def leaves_the_keys_their_work(view):
    """After a button was pressed, the keys choose tools."""
    assert view.page.evaluate(HAS_FOCUS)
    for key, tool in (("1", "erase"), ("2", "brush")):
        view.page.keyboard.press(key)
        view.page.wait_for_selector(f".oc-bar [data-value={tool}][aria-pressed=true]")


def makes_objects(view):
    """Press Segment, and change the minimum size: the objects are those of the functions."""
    notebook, page = view.notebook, view.page
    notebook.wait_kernel("annotator.wait() or not annotator.state['stale']")
    view.button("Segment").click()
    # The first segmentation compiles.
    objects = notebook.wait_kernel("not annotator.state['task'] and annotator.state.get('objects')")
    leaves_the_keys_their_work(view)
    wanted, fewer = notebook.kernel(
        "[int(objclass.segment(sample.image, _forest, spacing=sample.spacing, progress=False, **_how).max())"
        " for _how in ({}, {'min_size': 300})]",
        setup="_forest = objclass.train_object_classifier("
        "sample.image, annotator.annotations, spacing=sample.spacing, n_estimators=20)",
    )
    assert objects == wanted > fewer > 0
    page.wait_for_function(
        f"() => document.querySelector('.oc-objects').textContent.startsWith('{objects} ')"
    )
    view.root.get_by_text("Size, splitting, threshold").click()
    field = view.root.get_by_label("Minimum size", exact=True)
    field.fill("300")
    field.press("Enter")
    notebook.wait_kernel(f"annotator.state['objects'] == {fewer}")


def shows_in_round_two_what_was_trained(view):
    page = view.page
    is_shown = "[data-value={}][aria-pressed=true]"
    page.wait_for_selector(is_shown.format("labels"))
    page.wait_for_selector(".oc-view:not(.oc-outdated)")
    view.stroke((130.3, 12.4), (140.6, 150.2))
    page.wait_for_selector(".oc-outdated[data-outdated^='Objects out of date']")
    view.button("Train").click()
    page.wait_for_selector(is_shown.format("prediction"))
    view.wait_overlay("prediction", int(view.view.get_attribute("data-index")))
    view.button("Objects").click()
    page.wait_for_selector(".oc-outdated[data-outdated^='Objects out of date']")
    view.button("Segment").click()
    page.wait_for_selector(".oc-view:not(.oc-outdated)")
    view.notebook.wait_kernel("not annotator.state['objects_stale'] and not annotator.state['task']")


def opens_the_explorer(view):
    notebook, page = view.notebook, view.page
    view.go_to(notebook.kernel("int(annotator.labels.any(axis=(1, 2)).argmax())"))
    index = view.view.get_attribute("data-index")
    before = view.view.bounding_box()
    at = notebook.kernel(f"[int(n) for n in np.argwhere(annotator.labels[{index}])[0]]")
    page.mouse.move(*view.screen(at[0] + 0.5, at[1] + 0.5))
    page.wait_for_function("() => document.querySelector('.oc-readout').textContent.includes('object')")
    assert view.view.bounding_box() == before, "the readout takes no room from the view"
    view.button("3D").click()
    page.wait_for_selector(".oc-annotator.oc-in-3d")
    view.button("Measure and explore").click()
    page.wait_for_selector('.oc-next .oce[data-ready="true"]')
    for part in (".oc-plot", ".oce-slices .oc-view", "[aria-label='Show all (0)']"):
        page.wait_for_selector(f".oc-next {part}")  # they are seen whatever the annotator shows
    view.button("Slices").first.click()
    assert (
        view.root.locator(".oc-next code")
        .inner_text()
        .startswith(
            "explorer = objclass.explore(annotator.image, annotator.labels, spacing=annotator.spacing)"
        )
    )
    assert notebook.kernel("len(annotator.explorer.table) == annotator.state['objects']")
    after = view.view.bounding_box()
    assert (before["width"], before["height"]) == (after["width"], after["height"])


def test_each_pointer_paints_in_each_plane(open_notebook):
    notebook = open_notebook([IMPORT + PHANTOM + MAKE.format(name="pointers"), "annotator"])
    view = View(notebook)
    for paints in (paints_in_other_planes, paints_a_ball, paints_with_a_pen, paints_with_a_finger):
        paints(view)
        view.view.focus()
        while notebook.kernel("bool(annotator.state['undo'])"):
            notebook.page.keyboard.press("Control+z")
            view.wait_kept()
        assert not annotations(notebook).any()


def paints_in_other_planes(view):
    """They have true proportions."""
    spacing = view.notebook.kernel("list(sample.spacing)")
    for axis, name in [(1, "XZ"), (2, "YZ")]:
        view.button(name).click()
        view.page.wait_for_selector(f".oc-view[data-axis='{axis}']")
        at = view.transform
        rows, cols = (spacing[other] for other in range(3) if other != axis)
        assert at["rowScale"] / at["colScale"] == pytest.approx(rows / cols)
        view.stroke((10.5, 50.5), (10.5, 60.5))
        view.wait_kept()
        found = np.argwhere(annotations(view.notebook) == 2)
        assert set(found[:, axis]) == {SHAPE[axis] // 2}
        reach = 3.5 * min(spacing) / spacing[0]
        assert set(found[:, 0]) == {z for z in range(SHAPE[0]) if abs(z - 10) <= reach}
        view.page.keyboard.press("Control+z")
        view.notebook.wait_kernel("not annotator.annotations.any()")
    view.button("XY").click()
    view.page.wait_for_selector(".oc-view[data-axis='0']")


def paints_a_ball(view):
    """Each plane has its cut of it."""
    view.go_to(10)
    view.root.get_by_label("3D ball").check()
    view.view.focus()
    for _ in range(8):
        view.page.keyboard.press("]")
    path = view.stroke((80.2, 60.3), (84.7, 90.1))
    view.wait_kept()
    spacing = view.notebook.kernel("list(sample.spacing)")
    thickness = spacing[0] / min(spacing)
    expected = np.zeros(SHAPE, bool)
    for z in range(SHAPE[0]):
        rest = 7.5**2 - ((z - 10) * thickness) ** 2
        if rest > 0:
            expected[z] = expected_stroke(path, rest**0.5, SHAPE[1:])
    np.testing.assert_array_equal(annotations(view.notebook) > 0, expected)
    assert expected.any(axis=(1, 2)).sum() > 1
    view.root.get_by_label("3D ball").uncheck()
    view.view.focus()
    for _ in range(8):
        view.page.keyboard.press("[")


def paints_with_a_pen(view):
    """Its other end rubs out."""
    session = view.page.context.new_cdp_session(view.page)
    index = int(view.view.get_attribute("data-index"))

    def pen(kind, row, col, buttons):
        x, y = map(round, view.screen(row, col))
        content = {"type": kind, "x": x, "y": y, "button": "left", "buttons": buttons, "clickCount": 1}
        session.send("Input.dispatchMouseEvent", content | {"pointerType": "pen", "force": 0.5})
        box, at = view.view.bounding_box(), view.transform
        return (y - box["y"] - at["y"]) / at["rowScale"], (x - box["x"] - at["x"]) / at["colScale"]

    path = [pen("mousePressed", 50, 50, 1)]
    path += [pen("mouseMoved", 50 + 3 * step, 50 + 5 * step, 1) for step in range(1, 6)]
    pen("mouseReleased", 65, 75, 0)
    view.wait_kept()
    expected = expected_stroke(path, 3.5, SHAPE[1:])
    np.testing.assert_array_equal(annotations(view.notebook)[index] > 0, expected)

    # No browser can be told to turn a pen round: button 5 is what it reports then.
    x, y = view.screen(50, 50)
    view.view.evaluate(
        """(element, [clientX, clientY]) => {
            element.setPointerCapture = () => {};
            for (const [name, buttons] of [['pointerdown', 32], ['pointerup', 0]]) {
                element.dispatchEvent(new PointerEvent(name, {
                    clientX, clientY, buttons, button: 5, pointerType: 'pen', pointerId: 9, bubbles: true}));
            }
            delete element.setPointerCapture;
        }""",
        [x, y],
    )
    view.wait_kept()
    rubbed = expected & ~expected_stroke([(50, 50), (50, 50)], 3.5, SHAPE[1:])
    np.testing.assert_array_equal(annotations(view.notebook)[index] > 0, rubbed)


def paints_with_a_finger(view):
    """Two of them zoom."""
    session = view.page.context.new_cdp_session(view.page)

    def touch(kind, *points):
        listed = [{"x": x, "y": y, "id": number} for number, (x, y) in enumerate(points)]
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": listed})

    touch("touchStart", view.screen(50, 50))
    for step in range(5):
        touch("touchMove", view.screen(50 + step * 3, 50 + step * 5))
    touch("touchEnd")
    view.wait_kept()
    painted = int((annotations(view.notebook) > 0).sum())
    assert painted > 100
    zoom = view.transform["colScale"]
    (x, y) = view.screen(80, 80)
    touch("touchStart", (x - 20, y))
    touch("touchStart", (x - 20, y), (x + 20, y))
    for step in range(1, 8):
        touch("touchMove", (x - 20 - 8 * step, y), (x + 20 + 8 * step, y))
    touch("touchEnd")
    assert view.transform["colScale"] > 1.5 * zoom
    view.wait_kept()
    count = int((annotations(view.notebook) > 0).sum())
    assert count == painted, "the finger that came first has painted nothing"


@pytest.mark.parametrize("app", ["lab", "notebook"])
def test_keys_and_controls(open_notebook, app):
    notebook = open_notebook([IMPORT + PHANTOM + MAKE.format(name=f"keys-{app}"), "annotator"], app=app)
    view, page = View(notebook), notebook.page
    cells = notebook.cells()
    view.stroke((80.2, 30.3), (95.7, 60.1))
    view.wait_kept()
    painted = annotations(notebook)
    page.keyboard.press("Control+z")
    notebook.wait_kernel("not annotator.annotations.any()")
    page.keyboard.press("Control+Shift+z")
    notebook.wait_kernel("bool(annotator.annotations.any())")
    np.testing.assert_array_equal(annotations(notebook), painted)
    view.button("Undo (ctrl Z)").click()
    notebook.wait_kernel("not annotator.annotations.any()")
    page.wait_for_selector(".oc-annotator [title='Undo (ctrl Z)'][aria-disabled=true]")
    assert page.evaluate(HAS_FOCUS), "a button that can do no more keeps the focus"
    page.keyboard.press("Control+Shift+z")
    notebook.wait_kernel("bool(annotator.annotations.any())")
    page.keyboard.press("Control+z")
    notebook.wait_kernel("not annotator.annotations.any()")
    view.view.click(position={"x": 5, "y": 5})
    index = int(view.view.get_attribute("data-index"))
    page.keyboard.press("ArrowRight")
    page.wait_for_selector(f".oc-view[data-index='{index + 1}']")
    for key, tool in zip("12345", ["erase", "brush", "fill", "pick", "pan"], strict=True):
        page.keyboard.press(key)
        assert view.root.locator(f".oc-bar [data-value={tool}]").get_attribute("aria-pressed") == "true"
    page.keyboard.press("m")
    assert notebook.wait_kernel("len(annotator.classes) == 3")
    page.keyboard.press("c")
    notebook.wait_kernel("annotator.display.get('contour') is False")
    zoom = view.transform["colScale"]
    page.keyboard.press("z")
    assert view.transform["colScale"] > zoom
    page.keyboard.press("0")
    assert view.transform["colScale"] == pytest.approx(zoom)
    page.mouse.move(*view.screen(20, 30))
    page.mouse.wheel(0, -200)
    page.wait_for_function(
        f"() => JSON.parse(document.querySelector('.oc-view').dataset.transform).colScale > {zoom}"
    )
    page.keyboard.press("?")
    assert page.locator("dialog.oc-help").is_visible()
    page.keyboard.press("Escape")
    assert not page.locator("dialog.oc-help").is_visible()
    for key in "abmx":
        page.keyboard.press(key)
    assert notebook.cells() == cells, "the notebook's own shortcuts stay out"
    dirty = "() => jupyterapp.shell.currentWidget.context.model.dirty"
    assert page.evaluate(dirty)
    page.keyboard.press("Control+s")
    page.wait_for_function(f"() => !({dirty})()")
    unnamed = view.root.evaluate(
        """root => [...root.querySelectorAll('button, input, select, canvas[tabindex]')]
               .filter((element) => ![element, element.closest('label')].some((named) =>
                   named?.getAttribute('aria-label') || named?.textContent))
               .map((element) => element.outerHTML)"""
    )
    assert unnamed == []


def test_contrast_presets_errors_and_bars(open_notebook):
    notebook = open_notebook([IMPORT + PHANTOM + MAKE.format(name="panels"), "annotator"])
    view = View(notebook)
    drags_the_contrast_without_the_kernel(view)
    chooses_a_preset(view)
    tells_an_error(view)
    moves_a_bar_while_functions_are_compiled(view)


def drags_the_contrast_without_the_kernel(view):
    notebook, page = view.notebook, view.page
    before = notebook.kernel("annotator.channels[0]")
    histogram = view.root.locator(".oc-histogram")
    histogram.scroll_into_view_if_needed()
    histogram.hover()
    assert histogram.get_attribute("title") == "Drag the limits or the range between them"
    assert histogram.evaluate("(element) => getComputedStyle(element).cursor") == "ew-resize"
    brightness = """((canvas) => canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data
        .reduce((sum, value) => sum + value))(document.querySelector('.oc-canvas.oc-image'))"""
    shown = page.evaluate(brightness)
    box = histogram.bounding_box()
    reach = box["width"] / (before["most"] - before["least"])
    x, y = box["x"] + (before["high"] - before["least"]) * reach, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 40, y, steps=8)
    page.wait_for_function(f"{brightness} < {shown}")
    assert notebook.kernel("annotator.channels[0]") == before, "nothing is sent while the mouse is down"
    page.mouse.up()
    notebook.wait_kernel(f"annotator.channels[0]['high'] > {before['high']}")
    view.root.get_by_label("Colour map").select_option("inferno")
    notebook.wait_kernel("annotator.channels[0]['map'] == 'inferno'")
    page.wait_for_function(
        """() => {
            const canvas = document.querySelector('.oc-canvas.oc-image');
            const {data} = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
            let colored = 0;
            for (let at = 0; at < data.length; at += 4) colored += data[at] > data[at + 2] + 40;
            return colored > 100;
        }"""
    )
    after = notebook.kernel("annotator.channels[0]")
    assert abs(after["high"] - before["high"] - 40 / reach) < 2 / reach
    assert after["low"] == before["low"]
    limits = f"{round(after['low'])} to {round(after['high'])}"
    assert view.root.locator(".oc-contrast output").inner_text() == limits
    view.button("Stack").click()
    notebook.wait_kernel(f"annotator.channels[0]['high'] == {before['high']}")
    view.go_to(SHAPE[0] - 1)
    view.button("Auto").click()
    plane = f"np.percentile(sample.image[{SHAPE[0] - 1}], 99.8)"
    notebook.wait_kernel(f"bool(abs(annotator.channels[0]['high'] - {plane}) <= 2)")


def chooses_a_preset(view):
    notebook = view.notebook
    view.root.get_by_text("Features and forest").click()
    view.root.get_by_text("Size, splitting, threshold").click()
    assert view.root.get_by_label("Minimum size", exact=True).input_value() == "10%"
    view.root.get_by_label("Preset").select_option("APOC")
    notebook.wait_kernel("annotator.parameters.recipe == 'apoc'")
    notebook.page.wait_for_function(
        "() => document.querySelector('[title^=\"Smaller objects\"]').value === '0'"
    )
    assert view.root.get_by_label("Predefined features").input_value() == "object_size_1_to_5_px"
    depth = view.root.get_by_label("Depth")
    depth.fill("3")
    depth.press("Enter")
    notebook.wait_kernel("annotator.max_depth == 3")
    depth.fill("")
    depth.press("Enter")
    notebook.wait_kernel("annotator.max_depth is None")
    view.root.get_by_label("Preset").select_option("objclass")
    notebook.wait_kernel(
        "annotator.parameters.recipe == 'default' and annotator.features == 'edges_1_to_8_px'"
    )


def tells_an_error(view):
    view.stroke((80.2, 30.3), (95.7, 60.1))
    view.button("Train").click()
    box = view.root.locator(".oc-error")
    box.wait_for(state="visible")
    assert "at least two classes" in box.inner_text()
    view.root.get_by_label("Dismiss").click()
    box.wait_for(state="hidden")
    assert not view.button("Train").is_disabled()


def moves_a_bar_while_functions_are_compiled(view):
    bars = view.root.get_by_label("Compiling")
    assert not bars.is_visible()
    view.notebook.kernel("annotator._page.tell(training=True, compiling=True)")
    bars.wait_for(state="visible")
    assert bars.get_attribute("value") is None, "a bar without a value moves"
    view.notebook.kernel("annotator._page.tell(training=False, compiling=False)")
    bars.wait_for(state="hidden")


def test_after_a_flood_of_scribbles_and_a_reload_all_is_as_before(open_notebook):
    notebook = open_notebook([IMPORT + PHANTOM + MAKE.format(name="flood"), "annotator"])
    view, page = View(notebook), notebook.page
    view.button("Add class").click()
    view.view.click(position={"x": 5, "y": 5})
    for _ in range(4):
        page.keyboard.press("]")
    notebook.wait_kernel("annotator.brush['size'] == 11 and annotator.brush['value'] == 3")
    page.mouse.move(*view.screen(80, 100))
    page.keyboard.down("Control")
    page.mouse.wheel(0, -100)
    page.keyboard.up("Control")
    notebook.wait_kernel("annotator.brush['size'] == 12")
    view.go_to(6)
    points = [(8 + 7 * (number // 20), 6 + 9 * (number % 20)) for number in range(40)]
    for x, y in [view.screen(*point) for point in points]:
        page.mouse.move(x, y)
        page.mouse.down()
        page.mouse.up()
    notebook.save_and_reload()
    view = View(notebook)
    view.wait_kept()
    seen = annotations(notebook)[6]
    assert [seen[point] for point in points] == [3] * 40
    notebook.kernel("annotator.wait()")
    assert notebook.kernel("bool((objclass.imread('flood.tif') == annotator.annotations).all())")
    assert view.root.locator(".oc-brush-size output").inner_text() == "12 px"
    assert view.root.locator(".oc-chosen input.oc-text").input_value() == "class 3"
    # The page that came back is a living one.
    view.stroke((120.2, 30.3), (120.7, 60.1))
    view.wait_kept()
    assert (annotations(notebook)[6][118:122, 40] == 3).all()
    view.button("Erase class 3 on all slices").click()
    view.button("Remove class 3").click()
    notebook.wait_kernel("len(annotator.classes) == 2")
    assert view.button("Remove background").get_attribute("aria-disabled") == "true"


def test_several_widgets_on_a_page(open_notebook):
    make = """
make = {
    "annotator": lambda: annotate(sample.image, path=None),
    "explorer": lambda: objclass.explore(sample.image, sample.labels),
}
box = __import__("ipywidgets").VBox()
"""
    notebook = open_notebook([IMPORT + PHANTOM + make, "box"])
    page = notebook.page

    def has(count):
        page.wait_for_function(
            f"() => document.querySelectorAll('.oc .oc-view[data-index]').length === {count}"
        )

    def looks():
        notebook.wait_still(page.locator(".oc").first)
        return page.evaluate(
            """() => [...document.querySelector('.oc').querySelectorAll('*')].map((element) => {
                const style = getComputedStyle(element);
                const names = ['display', 'padding', 'gap', 'borderTopColor', 'borderTopWidth', 'color',
                    'backgroundColor', 'opacity', 'font', 'position', 'zIndex', 'textAlign'];
                const columns = style.gridTemplateColumns.split(' ').length;
                const is = [element.tagName, element.className?.baseVal ?? element.className, columns];
                return [...is, ...names.map((name) => style[name])].join('|');
            })"""
        )

    # Another one changes no looks.
    for first, second in (("annotator", "explorer"), ("explorer", "annotator")):
        notebook.kernel("None", setup="box.children = ()")
        has(0)
        page.evaluate("() => document.querySelectorAll('style[id*=objclass]').forEach((one) => one.remove())")
        notebook.kernel("None", setup=f"box.children = (make['{first}'](),)")
        has(1)
        alone = looks()
        notebook.kernel("None", setup=f"box.children = (*box.children, make['{second}']())")
        has(2)
        assert len(alone) > 50
        assert looks() == alone

    # Two views of one annotator show the same.
    notebook.kernel("None", setup="annotator = box.children[1]\nbox.children = (annotator, annotator)")
    has(2)
    view = View(notebook)
    view.stroke((80.2, 30.3), (95.7, 60.1))
    view.wait_kept()
    for key, value in (("", 2), ("Control+z", 0)):
        if key:
            page.keyboard.press(key)
        page.wait_for_function(
            """([row, col, value]) => [...document.querySelectorAll('.oc-annotator')].every((element) =>
                element.parentElement.annotator.view.value('annotations', row, col) === value)""",
            arg=[88, 45, value],
        )
    assert not annotations(notebook).any()


def test_existing_files_require_an_answer(open_notebook):
    notebook = open_notebook(
        [
            IMPORT
            + PHANTOM
            + "objclass.train_object_classifier(sample.image, sample.annotations[1],"
            + " n_estimators=5, path='old.cl')",
            "annotator = annotate(sample.image, path='old.cl', spacing=sample.spacing)\nannotator",
        ]
    )
    view = View(notebook)
    notice = view.root.get_by_text("old.cl is there already, from before.")
    notice.wait_for()
    box, stage = notice.bounding_box(), view.view.bounding_box()
    assert box["y"] >= stage["y"] + stage["height"], "it lies below the view"
    view.stroke((1.5, 3.5), (1.5, SHAPE[2] - 3.5))
    view.wait_kept()
    assert (annotations(notebook)[SHAPE[0] // 2, 1] == 2).sum() >= SHAPE[2] - 8
    assert view.view.bounding_box() == stage
    view.button("Load it").click()
    view.wait_overlay("prediction", SHAPE[0] // 2)
    assert notebook.kernel("annotator.classifier is not None and not annotator.notices")


def test_a_large_plane_is_sent_as_it_is_seen_and_painted_to_the_pixel(open_notebook):
    make = """
image = np.zeros((3, 4096, 4096), np.uint16)
image[1, 1000:1010, 2000:2010] = 5000
image[1, ::2] += 40
annotator = annotate(image, path=None)
"""
    notebook = open_notebook([IMPORT + make, "annotator"])
    page = notebook.page
    view = View(notebook)
    page.keyboard.press("]")
    x, y = view.screen(1005, 2005)
    page.mouse.move(x, y)
    view.view.click(position={"x": 3, "y": 3})
    for _ in range(15):
        page.mouse.move(*view.screen(1005, 2005))
        page.mouse.wheel(0, -100)
    page.wait_for_function(
        "() => JSON.parse(document.querySelector('.oc-view').dataset.transform).colScale > 2"
    )
    page.mouse.move(*view.screen(1005.5, 2005.5))
    page.wait_for_function(
        "() => document.querySelector('.oc-readout').textContent.includes('value 5000')"
        " || document.querySelector('.oc-readout').textContent.includes('value 5040')"
    )
    path = view.stroke((1001.3, 2001.4), (1008.2, 2007.7))
    view.wait_kept()
    radius = notebook.page.evaluate("() => +document.querySelector('.oc-brush-size input').value") / 2
    found = notebook.kernel("np.argwhere(annotator.annotations[1]).tolist()")
    expected = expected_stroke([(r - 900, c - 1900) for r, c in path], radius, (200, 200))
    np.testing.assert_array_equal(np.argwhere(expected) + np.array([900, 1900]), found)

    # A scribble over the whole plane is a small message all the same.
    view.view.focus()
    page.keyboard.press("0")
    corners = [(200 + 740 * turn, 3900 if turn % 2 else 100) for turn in range(6)]
    view.stroke(*corners, steps=6)
    view.wait_kept()
    assert notebook.kernel("int((annotator.annotations[1] > 0).sum())") > 100_000
    assert notebook.largest_message() < 2**20


def test_a_kernel_that_dies_loses_no_stroke(open_notebook):
    make = """
images = {"one": sample.image, "two": sample.image[:, ::-1]}
annotator = annotate(images, spacing=sample.spacing, path=None, save_to="death")
"""
    notebook = open_notebook([IMPORT + PHANTOM + make, "annotator"])
    view, page = View(notebook), notebook.page
    view.go_to(9)
    view.stroke((10.3, 12.4), (30.6, 150.2))
    goes_to_the_second_image(view)
    view.stroke((20.2, 30.3), (20.7, 60.1))
    view.wait_kept()
    kill(notebook)
    page.wait_for_selector(".oc-lost")
    assert view.root.locator(".oc-lost").inner_text() == (
        "Not connected: run the cell again. All scribbles are in the file."
    )
    index = view.view.get_attribute("data-index")
    x, y = view.screen(100, 100)
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 40, y, steps=4)
    page.mouse.up()
    assert view.root.get_attribute("data-pending") == "0", "nothing can be painted"
    page.keyboard.press("ArrowRight")
    assert view.view.get_attribute("data-index") == index
    view = run_again(notebook)
    before = both(notebook)
    assert (before[0][9] == 2).sum() > 500
    assert (before[1][6] == 2).sum() > 150
    assert not before[0][6].any()
    assert not before[1][9].any()

    # In the middle of a stroke.
    goes_to_the_second_image(view)
    x, y = map(round, view.screen(60.2, 40.3))
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 30, y, steps=4)
    kill(notebook)
    page.mouse.move(x + 60, y, steps=4)
    page.mouse.up()
    for name, painted in zip(("one", "two"), before, strict=True):
        in_file = objclass.imread(notebook.server.root / "death" / f"{name}.tif")
        np.testing.assert_array_equal(in_file, painted, "what was acknowledged is in the file")
    page.wait_for_selector(".oc-lost")
    view = run_again(notebook)
    view.wait_kept()
    after = both(notebook)
    np.testing.assert_array_equal(after[0], before[0])
    assert (after[1] == before[1])[before[1] > 0].all()
    assert (after[1][6, 60] == 2).sum() > 5, "the stroke that had not been acknowledged was sent again"


def goes_to_the_second_image(view):
    view.root.locator(".oc-card", has_text="two").click()
    view.page.wait_for_selector(".oc-view[data-image='1']")
    view.go_to(6)


def kill(notebook):
    os.kill(notebook.kernel("__import__('os').getpid()"), signal.SIGKILL)


def run_again(notebook):
    """Run the cells in the kernel that Jupyter starts; JupyterLab tells so in a dialog."""
    page = notebook.page
    page.wait_for_function(
        "() => jupyterapp.shell.currentWidget.sessionContext.session?.kernel?.status === 'idle'"
    )
    for answer in page.locator(".jp-Dialog").get_by_role("button", name="OK").all():
        answer.click()
    notebook.run_all()
    assert not page.locator(".oc-lost").count()
    return View(notebook)


def both(notebook):
    stacked = "class _Both: annotations = np.stack(list(annotator.annotations.values()))"
    notebook.kernel("None", setup=stacked)
    return annotations(notebook, "_Both")


def test_while_all_cells_run_the_widget_shows_plane_and_prediction(open_notebook):
    make = """
scribbles = np.zeros(sample.image.shape, np.uint8)
scribbles[12, 60:80, 60:80], scribbles[12, 2:20, 2:60] = 2, 1
annotator = annotate(sample.image, annotations=scribbles, spacing=sample.spacing, path=None,
                     n_estimators=5)
"""
    train = """
annotator.train()
import time
from pathlib import Path
while not Path("go on").exists():
    time.sleep(0.1)
"""
    notebook = open_notebook([IMPORT + PHANTOM + make, "annotator", train], run=False)
    page = notebook.page
    page.evaluate("() => void jupyterapp.commands.execute('notebook:run-all-cells')")
    try:
        page.wait_for_selector(".oc-annotator .oc-view[data-index='12']")
        page.wait_for_selector(f".oc-view[data-overlay='prediction 0 {SHAPE[0] // 2}']")
        bright = page.evaluate(
            """() => { const canvas = document.querySelector('.oc-canvas.oc-image');
                const {data} = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
                return data.filter((value, at) => at % 4 === 0 && value > 60).length; }"""
        )
        assert bright > 1000
        # The last cell still runs; the status of the kernel may be that of a thread that answers widgets.
        assert page.locator(".jp-CodeCell .jp-InputPrompt").nth(2).inner_text() == "[*]:"
    finally:
        (notebook.server.root / "go on").touch()
