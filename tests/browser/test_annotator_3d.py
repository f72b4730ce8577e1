"""The tab 3D of the annotator."""

from __future__ import annotations

from tests.browser.annotator_driver import IMPORT, MAKE, PHANTOM, View
from tests.browser.explorer_driver import IN_LAB

IN_3D = ".oc-annotator .oc-3d"


def paint_and_segment(view, notebook):
    view.go_to(6)
    view.stroke((80.2, 30.3), (95.7, 60.1))
    notebook.page.keyboard.press("-")
    view.stroke((10.3, 12.4), (30.6, 150.2))
    view.button("Segment").click()
    notebook.wait_kernel("annotator.state.get('objects') and not annotator.state['task']")


def drawn(notebook):
    notebook.page.wait_for_selector(f'{IN_3D} .oce-volume[data-ready="true"]')


@IN_LAB
def test_after_segment_the_objects_are_seen_in_3d(open_notebook, app, theme):
    notebook = open_notebook([IMPORT + PHANTOM + MAKE.format(name=f"volume-{app}"), "annotator"], app=app)
    notebook.theme(f"JupyterLab {theme}")
    view, page = View(notebook), notebook.page
    before = view.place()
    assert view.button("3D").get_attribute("aria-disabled") == "true", "there are no objects yet"
    view.button("3D").click(force=True)
    assert not page.locator(IN_3D).is_visible()
    paint_and_segment(view, notebook)
    view.button("3D").click()
    drawn(notebook)
    shown = notebook.kernel("[annotator._volume['labels'], annotator.labels.max().tolist()]")
    assert shown[0] == list(range(1, shown[1] + 1))
    notebook.keep_pictures(f"3d-{app}")

    # A click goes to the object, here in the middle of the surfaces.
    centre = notebook.kernel(
        "annotator.volume_view._on_click({'face': [0]}) or [annotator.focus, annotator.position]"
    )
    assert centre[0] == 1
    z, y, x = centre[1]
    box = notebook.kernel("[[int(p.min()), int(p.max())] for p in np.nonzero(annotator.labels == 1)]")
    assert all(low <= at <= high + 1 for at, (low, high) in zip((z, y, x), box, strict=True))

    view.button("Slices").click()
    page.wait_for_selector(f".oc-view[data-index='{z}']")
    assert view.place() == before, "nothing has moved"
    view.stroke((130.3, 12.4), (140.6, 150.2))
    view.wait_kept()
    view.button("3D").click()
    page.wait_for_selector(f"{IN_3D}.oc-outdated[data-outdated^='Objects out of date']")
    notebook.keep_pictures(f"3d-outdated-{app}")
    version = notebook.kernel("annotator._volume['version']")
    view.button("Segment").click()
    notebook.wait_kernel(f"annotator._volume['version'] > {version}")
    page.wait_for_selector(f"{IN_3D}:not(.oc-outdated)")
    drawn(notebook)


def test_a_2d_image_has_no_tab_3d(open_notebook):
    notebook = open_notebook(
        [IMPORT + PHANTOM + "annotator = annotate(sample.image[6], path=None)", "annotator"]
    )
    view = View(notebook)
    assert view.root.locator("button", has_text="3D").count() == 1
    assert not view.root.locator("button", has_text="3D").is_visible()
