"""The channels that the classifier learns from, chosen by pointer."""

from __future__ import annotations

from tests.browser.annotator_driver import IMPORT, View
from tests.browser.explorer_driver import IN_LAB, IN_NOTEBOOK

MAKE = """
sample = objclass.samples.embryo((24, 160, 200))
noise = np.random.default_rng(0).normal(100, 30, sample.image.shape).clip(0).astype(np.uint16)
image = np.stack([sample.image, noise, sample.image[::-1]])
annotator = annotate(image, channel_names=["DAPI", "noise", "GFP"], spacing=sample.spacing,
                     path="channels.cl", save_to="channels.tif", on_existing="load", n_estimators=20)
"""
IS_THAT_OF_THE_FUNCTION = """bool(np.array_equal(annotator.classifier.forest.threshold,
    objclass.train_object_classifier(image[{which}], annotator.annotations, spacing=sample.spacing,
                                     n_estimators=20).forest.threshold))"""


@IN_LAB
def test_the_classifier_learns_from_the_channels_that_are_ticked(open_notebook, app, theme):
    notebook = open_notebook([IMPORT + MAKE, "annotator"], app=app)
    notebook.theme(f"JupyterLab {theme}")
    view = View(notebook)
    view.go_to(6)
    view.stroke((40, 40), (40, 120))
    notebook.page.keyboard.press("-")
    view.stroke((4, 4), (4, 150))
    view.wait_kept()
    view.button("Train").click()
    notebook.wait_kernel("annotator.classifier is not None and annotator.classifier.n_channels == 3")
    learns = view.root.locator(".oc-learns summary")
    assert learns.inner_text() == "Learns from all channels"
    learns.click()
    view.root.get_by_label("Learn from noise").uncheck()
    view.root.locator(".oc-badge", has_text="out of date").wait_for()
    assert learns.inner_text() == "Learns from DAPI, GFP"
    notebook.keep_pictures(f"channels-{app}")
    view.button("Train").click()
    view.root.locator(".oc-badge", has_text="up to date").wait_for()
    assert notebook.kernel("annotator.classifier.channel_names") == ["DAPI", "GFP"]
    assert notebook.kernel(IS_THAT_OF_THE_FUNCTION.format(which=[0, 2]))
    view.wait_overlay("prediction", 6)

    # One always stays.
    view.root.get_by_label("Learn from GFP").uncheck()
    notebook.wait_kernel("annotator.training_channels == [0]")
    view.root.get_by_label("Learn from DAPI").click()
    assert view.root.get_by_label("Learn from DAPI").is_checked()
    view.button("Train").click()
    notebook.wait_kernel("annotator.classifier.n_channels == 1 and annotator.error == ''")
    assert notebook.kernel(IS_THAT_OF_THE_FUNCTION.format(which=0))

    # After the kernel's death the classifier's file tells them.
    notebook.page.evaluate("() => jupyterapp.shell.currentWidget.sessionContext.session.kernel.restart()")
    notebook.run_all()
    view = View(notebook)
    assert notebook.kernel("annotator.training_channels") == [0]
    assert view.root.locator(".oc-learns summary").inner_text() == "Learns from DAPI"


# In how many pixels of the image on the canvas red, green and blue are over half of the strongest of them.
HUES = """() => {
    const canvas = document.querySelector('.oc-annotator .oc-image');
    const {data} = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
    const strong = [0, 0, 0];
    for (let at = 0; at < data.length; at += 4) {
        const most = Math.max(data[at], data[at + 1], data[at + 2]);
        if (most > 90) for (const part of [0, 1, 2]) strong[part] += data[at + part] > most / 2;
    }
    return strong;
}"""


@IN_NOTEBOOK
def test_one_channel_alone_and_in_a_color_map(open_notebook, app, theme):
    notebook = open_notebook([IMPORT + MAKE, "annotator"], app=app)
    notebook.theme(f"JupyterLab {theme}")
    view = View(notebook)
    view.go_to(6)
    view.root.get_by_role("button", name="GFP", exact=True).dblclick()
    notebook.wait_kernel("[one['visible'] for one in annotator.channels] == [False, False, True]")
    maps = view.root.get_by_label("Colour map")
    view.page.wait_for_function(
        f"() => {{ const [red, green, blue] = ({HUES})(); return blue > 0 && red === 0; }}"
    )
    maps.select_option("inferno")
    notebook.wait_kernel("[one['map'] for one in annotator.channels] == ['', '', 'inferno']")
    view.page.wait_for_function(f"() => {{ const [red, green, blue] = ({HUES})(); return red > 1000; }}")
    maps.scroll_into_view_if_needed()
    notebook.keep_picture(f"color-map-{app}-{theme.lower()}")
    view.root.get_by_role("button", name="GFP", exact=True).dblclick()
    notebook.wait_kernel("all(one['visible'] for one in annotator.channels)")
