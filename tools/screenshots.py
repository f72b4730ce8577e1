"""Take the pictures of the annotator in the documentation, from the phantom, in JupyterLab.

``python tools/screenshots.py`` writes them to docs/images; look at them afterwards. It needs Chromium.
"""

from __future__ import annotations

import sys
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
MAKE = """
import objclass
embryo = objclass.samples.embryo()
annotator = objclass.annotate(
    embryo.image, embryo.annotations[-1], spacing=embryo.spacing,
    save_to="annotations.tif", on_existing="overwrite")
annotator.position = [{z}, 90, 90]
"""
VIEW = ".oc-annotator .oc-view"


def main() -> None:
    """Train live in both themes; in the dark one show the objects."""
    sys.path.insert(0, str(REPOSITORY))
    from benchmarks.browser import pages

    with pages() as opened:
        for theme, z in (("light", 35), ("dark", 36)):
            with opened([MAKE.format(z=z), "annotator"], 0.0) as notebook:
                page = notebook.page
                notebook.run_all()
                notebook.theme(f"JupyterLab {theme.capitalize()}")
                page.locator(".oc-annotator").evaluate("element => element.scrollIntoView()")
                page.get_by_label("Live").check()
                page.wait_for_selector(f"{VIEW}[data-overlay^='prediction']")
                notebook.wait_kernel("annotator.state.get('exact')", 60)
                if theme == "dark":
                    page.get_by_role("button", name="Segment", exact=True).click()
                    notebook.wait_kernel("annotator.state.get('objects')", 60)
                box = page.locator(VIEW).bounding_box()
                page.mouse.move(box["x"] + 0.55 * box["width"], box["y"] + 0.25 * box["height"])
                page.wait_for_timeout(1000)
                path = REPOSITORY / "docs" / "images" / f"annotator-{theme}.png"
                page.locator(".oc-annotator").screenshot(path=path)


if __name__ == "__main__":
    main()
