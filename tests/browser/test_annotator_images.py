"""Several images in one annotator, by pointer."""

from __future__ import annotations

import time

import numpy as np

from tests.browser.annotator_driver import IMPORT, View, annotations, expected_stroke
from tests.browser.explorer_driver import IN_NOTEBOOK

SETUP = """
sample = objclass.samples.embryo((24, 160, 200))
images = {
    "wild type": sample.image,
    "mutant": objclass.samples.embryo((24, 120, 180), random_state=1).image,
    "empty": sample.image[:12, ::-1],
}
"""
MAKE = (
    "annotator = annotate(images, spacing=sample.spacing, path='{name}.cl', save_to='{name}',"
    " on_existing='load', n_estimators=10)"
)


def image(view, name):
    return view.root.locator(".oc-card", has_text=name)


def show(view, name, number):
    image(view, name).click()
    view.page.wait_for_selector(f".oc-view[data-image='{number}']")


def of(notebook, name):
    notebook.kernel("None", setup=f"class _One: annotations = annotator.annotations[{name!r}]")
    return annotations(notebook, "_One")


@IN_NOTEBOOK
def test_one_classifier_from_scribbles_on_two_images(open_notebook, app, theme):
    notebook = open_notebook([IMPORT + SETUP + MAKE.format(name=f"several-{app}"), "annotator"], app=app)
    notebook.theme(f"JupyterLab {theme}")
    view, page = View(notebook), notebook.page
    page.wait_for_function("() => document.querySelectorAll('.oc-card img[src]').length === 3")
    view.go_to(6)
    path = view.stroke((80.2, 30.3), (95.7, 60.1))
    first = np.zeros((24, 160, 200), int)
    first[6][expected_stroke(path, 3.5, first.shape[1:])] = 2
    show(view, "mutant", 1)
    view.go_to(9)
    page.keyboard.press("-")
    path = view.stroke((10.3, 12.4), (30.6, 150.2))
    second = np.zeros((24, 120, 180), int)
    second[9][expected_stroke(path, 3.5, second.shape[1:])] = 1
    view.wait_kept()
    np.testing.assert_array_equal(of(notebook, "wild type"), first)
    np.testing.assert_array_equal(of(notebook, "mutant"), second)
    assert image(view, "wild type").locator(".oc-card-count").inner_text() == f"{(first > 0).sum():,} px"

    view.button("Train").click()
    view.wait_overlay("prediction", 9)
    page.keyboard.press(",")
    page.wait_for_selector(".oc-view[data-image='0'][data-index='6']")
    view.wait_overlay("prediction", 6)
    assert view.root.locator(".oc-card[aria-pressed=true]").inner_text().startswith("wild type")
    view.button("All").click()
    notebook.wait_kernel("len(annotator.labels) == 3 and not annotator.state['task']")
    page.wait_for_function(
        "() => [...document.querySelectorAll('.oc-card-count')]"
        ".every((one) => one.textContent.includes('object'))"
    )
    notebook.keep_pictures(f"several-{app}")
    view.root.evaluate("element => element.scrollIntoView()")
    for name in ("Segment", "Auto"):
        box = view.button(name).bounding_box()
        assert box["y"] + box["height"] < 768
    # Undo is that of the shown image.
    view.view.focus()
    page.keyboard.press("Control+z")
    notebook.wait_kernel("not annotator.annotations['wild type'].any()")
    np.testing.assert_array_equal(of(notebook, "mutant"), second)


def test_each_image_keeps_its_slice_while_the_kernel_is_busy(open_notebook):
    notebook = open_notebook([IMPORT + SETUP + MAKE.format(name="left"), "annotator"])
    view, page = View(notebook), notebook.page
    show(view, "mutant", 1)
    show(view, "wild type", 0)
    busy = """
import time
from pathlib import Path
def wait(_):
    annotator.unobserve(wait, 'position')
    while not Path('let go').exists():
        time.sleep(0.05)
annotator.observe(wait, 'position')
"""
    notebook.kernel("None", setup=busy)
    for index in (3, 5, 20):  # each is on its way to the kernel when the next one follows
        view.root.locator(".oc-slice-range").fill(str(index))
        page.wait_for_timeout(200)
    image(view, "mutant").click()
    (notebook.server.root / "let go").touch()
    page.wait_for_selector(".oc-view[data-image='1'][data-index='12']")
    notebook.wait_kernel("annotator.shown == 1")
    page.wait_for_timeout(1000)
    assert notebook.kernel("annotator.position[0]") == 12
    assert view.view.get_attribute("data-index") == "12"
    view.go_to(7)
    notebook.wait_kernel("annotator.position[0] == 7")
    show(view, "wild type", 0)
    page.wait_for_selector(".oc-view[data-image='0'][data-index='20']")


def test_ten_large_stacks_open_soon_and_are_switched_at_once(open_notebook):
    make = """
import tifffile
for number in range(10):
    kind = {'shape': (500, 1000, 1000), 'dtype': 'uint16', 'metadata': {'axes': 'ZYX'}}
    stack = tifffile.memmap(f'large-{number}.tif', **kind)  # takes room on the disk only where it is written
    stack[250, 300:400, 300:400] = 900 + number
    stack.flush()
"""
    notebook = open_notebook(
        [
            IMPORT + make,
            "import time\nbegun = time.time()\n"
            "annotator = annotate([f'large-{number}.tif' for number in range(10)], path=None)\n"
            "seconds = time.time() - begun",
            "annotator",
        ]
    )
    view, page = View(notebook), notebook.page
    assert notebook.kernel("seconds") < 3
    page.wait_for_function("() => document.querySelectorAll('.oc-card img[src]').length === 10")
    assert notebook.kernel("sum(image.is_open for image in annotator._page.images)") == 1
    assert view.root.locator(".oc-card-row").is_visible(), "a slider, as there are many"
    page.evaluate(
        """() => {
            window.took = [];
            const view = document.querySelector('.oc-annotator .oc-view');
            new MutationObserver(() => window.took.push(performance.now() - window.clicked))
                .observe(view, {attributes: true, attributeFilter: ['data-image']});
            addEventListener('pointerdown', () => (window.clicked = performance.now()), true);
        }"""
    )
    for number in (1, 2, 1, 2, 1):
        show(view, f"large-{number}", number)
    took = page.evaluate("() => window.took.slice(2)")
    # Beside it, how long another slice takes now: on a busy machine both take longer.
    slices = []
    for index in (100, 300, 101, 301):
        begun = time.monotonic()
        view.go_to(index)
        slices.append(1000 * (time.monotonic() - begun))
    assert np.median(took) < max(500, 3 * np.median(slices)), (took, slices)
    page.keyboard.press(".")
    page.wait_for_selector(".oc-view[data-image='2']")
    page.mouse.move(*view.screen(350, 350))
    page.wait_for_function("() => document.querySelector('.oc-readout').textContent.includes('value 902')")
    # The pointer rests, and another slice comes to lie under it.
    page.keyboard.press("ArrowRight")
    page.wait_for_function("() => /z 251 .*value 0/.test(document.querySelector('.oc-readout').textContent)")
