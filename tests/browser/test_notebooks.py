"""The tutorial's notebooks as a person goes through them: paint, train, see the miss, paint again, lasso."""

from __future__ import annotations

import io
import json
import os
import shutil
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

NOTEBOOKS = Path(__file__).resolve().parents[2] / "notebooks"
PICTURES = os.environ.get("OBJCLASS_SCREENSHOTS", "")


class Tutorial:
    """A notebook of the tutorial in JupyterLab; its outputs show what happened."""

    def __init__(self, notebook: Any) -> None:
        self.notebook, self.page = notebook, notebook.page

    def open(self, name: str) -> None:
        """Open a notebook, of which no cell has run."""
        self.notebook.go_to(f"{name}.ipynb")

    def run(self, cells: str, *texts: str) -> None:
        """Run the first ``"cell"`` that contains each text, or ``"all-above"`` it."""
        failures = self.page.evaluate(
            """async ([which, texts]) => {
                const {content} = jupyterapp.shell.currentWidget;
                for (const text of texts) {
                    content.activeCellIndex = content.widgets.findIndex(
                        ({model}) => model.type === 'code' && model.sharedModel.source.includes(text));
                    await jupyterapp.commands.execute(`notebook:run-${which}`);
                }
                return content.widgets.flatMap(({model}) => model.toJSON().outputs ?? [])
                    .filter(({output_type}) => output_type === 'error')
                    .map(({traceback}) => traceback.join('\\n'));
            }""",
            [cells, texts],
        )
        assert not failures, "\n".join(failures)
        self.notebook.wait_kernel("True")

    def show(self, selector: str) -> Any:
        """Scroll to a widget and return its place."""
        element = self.page.locator(selector).last
        element.evaluate("element => element.scrollIntoView({block: 'start'})")
        self.notebook.wait_still(element)
        return element

    def drag(self, selector: str, points: list[tuple[float, float]], key: str = "") -> None:
        """Draw along points, in pixels of an element, with a key held."""
        box = self.page.locator(selector).last.bounding_box()
        if key:
            self.page.keyboard.down(key)
        self.page.mouse.move(box["x"] + points[0][0], box["y"] + points[0][1])
        self.page.mouse.down()
        for x, y in points[1:]:
            self.page.mouse.move(box["x"] + x, box["y"] + y, steps=3)
        self.page.mouse.up()
        if key:
            self.page.keyboard.up(key)

    def file(self, name: str) -> pd.DataFrame:
        """Return a table that the notebook exported."""
        return pd.read_csv(io.BytesIO((self.notebook.server.root / "results" / name).read_bytes()))


@pytest.fixture
def tutorial(open_notebook: Any) -> Tutorial:
    notebook = open_notebook(["0"], run=False, viewport=(1280, 800))
    root = notebook.server.root
    for path in NOTEBOOKS.glob("*.ipynb"):
        shutil.copy(path, root)
    shutil.copytree(NOTEBOOKS / "images", root / "images", dirs_exist_ok=True)
    shutil.rmtree(root / "results", ignore_errors=True)
    return Tutorial(notebook)


SCRIBBLES = """
import numpy as np
from scipy.ndimage import binary_dilation

def where_to_paint(z, most):
    # Short scribbles inside and beside the brightest nuclei of a plane: start and end as (row, column).
    plane, near = sample.labels[z], binary_dilation(sample.labels[z] > 0, iterations=4)
    numbers = [n for n in np.unique(plane)[1:] if (plane == n).sum() > 30]
    numbers.sort(key=lambda n: -image[z][plane == n].mean())
    middles = [np.argwhere(plane == n).mean(axis=0) for n in numbers]
    objects = [(middle - (0, 0.5), middle + (0, 0.5)) for middle in middles[:most]]
    background = []
    for middle in middles:
        for angle in np.arange(8) * np.pi / 4:
            out, along = np.array([np.sin(angle), np.cos(angle)]), np.array([np.cos(angle), -np.sin(angle)])
            points = middle + 11 * out + np.linspace(-4, 4, 9)[:, None] * along
            inside = points.min() > 3 and points.max() < 156
            if inside and not near[tuple(points.round().astype(int).T)].any():
                background.append((points[0], points[-1]))
    chosen = {"object": objects, "background": background[:: max(1, len(background) // 6)]}
    return {name: np.array(scribbles).tolist() for name, scribbles in chosen.items()}
"""


def paint_plane(tutorial: Tutorial, z: int, *, most: int) -> None:
    """Paint on the brightest nuclei of a plane, and on the background beside nuclei."""
    page = tutorial.page
    root = page.locator(".oc-annotator").last
    root.locator(".oc-slice-range").fill(str(z))
    page.wait_for_selector(f".oc-annotator .oc-view[data-index='{z}']")
    scribbles = tutorial.notebook.kernel(f"where_to_paint({z}, {most})", setup=SCRIBBLES)
    view = root.locator(".oc-view")
    view.hover()
    for name in ("object", "background"):
        while root.locator(".oc-chosen input.oc-text").input_value() != name:
            page.keyboard.press("=")
        at = json.loads(view.get_attribute("data-transform"))
        for stroke in scribbles[name]:
            places = [
                (at["x"] + (column + 0.5) * at["colScale"], at["y"] + (row + 0.5) * at["rowScale"])
                for row, column in stroke
            ]
            tutorial.drag(".oc-annotator .oc-view", places)
    page.wait_for_function("() => document.querySelector('.oc-annotator').dataset.pending === '0'")


def train(tutorial: Tutorial) -> float:
    """Press Train, and return the share of the true nuclei of a deep plane that is found."""
    root = tutorial.page.locator(".oc-annotator").last
    root.get_by_role("button", name="Train", exact=True).click()
    tutorial.notebook.wait_kernel("annotator.classifier is not None and not annotator.state['stale']")
    found = "objclass.predict_plane(image, annotator.classifier, index=34) == 2"
    return tutorial.notebook.kernel(f"float(({found})[sample.labels[34] > 0].mean())")


def test_paint_train_lasso_export(tutorial: Tutorial) -> None:
    notebook, page = tutorial.notebook, tutorial.page

    # Notebook 2: paint at one depth, see the miss, paint at two others.
    tutorial.open("02_annotate_and_train")
    tutorial.run("all-above", "def scribbles(round):")
    tutorial.show(".oc-annotator")
    page.locator(".oc-annotator .oc-view").last.focus()
    for _ in range(2):  # a smaller brush
        page.keyboard.press("[")
    paint_plane(tutorial, 10, most=3)
    after_first = train(tutorial)
    paint_plane(tutorial, 21, most=8)
    paint_plane(tutorial, 34, most=8)
    after_second = train(tutorial)
    assert after_first < 0.65
    assert after_second > after_first + 0.15
    page.locator(".oc-annotator").last.get_by_role("button", name="Segment", exact=True).click()
    notebook.wait_kernel("annotator.labels is not None")
    tutorial.show(".oc-annotator")
    tutorial.notebook.keep_pictures("02")
    found = notebook.kernel("int(annotator.labels.max())")
    # The other cells take nothing else of what was painted.
    tutorial.run(
        "cell", "def scribbles(round):", "painted =", "labels = objclass.segment(image, classifier, min_size"
    )
    assert notebook.kernel("bool((scribbles(1) == annotator.annotations).all())")
    assert notebook.kernel("int(labels.max())") == found > 50
    painted = notebook.kernel("int((annotator.annotations > 0).sum())")

    # Notebook 4 goes on with these scribbles: two lassos, and the exported column.
    tutorial.open("04_plot_and_select")
    tutorial.run("all-above", "elongated = [")
    assert notebook.kernel("int((annotations > 0).sum())") == painted
    page.wait_for_selector('.oce[data-ready="true"]')
    tutorial.show(".oce")
    plot = page.locator(".oc-plot").last
    frame = json.loads(plot.get_attribute("data-frame"))
    left, top, width, height = (frame[name] for name in ("left", "top", "width", "height"))

    def corners(x0: float, x1: float, y0: float, y1: float) -> list[tuple[float, float]]:
        shares = [(x0, y0), (x1, y0), (x1, y1), (x0, y1), (x0, y0)]
        return [(left + width * x, top + height * y) for x, y in shares]

    tutorial.drag(".oc-plot", corners(0.35, 0.98, 0.03, 0.6))
    notebook.wait_kernel("len(explorer.groups) == 1")
    tutorial.drag(".oc-plot", corners(0.02, 0.98, 0.72, 0.98), "Shift")
    notebook.wait_kernel("len(explorer.groups) == 2")
    tutorial.notebook.keep_pictures("04")
    tutorial.run("cell", "elongated = [", "colors =", "grouped.to_csv(")
    groups = tutorial.file("groups.csv")
    by_hand = notebook.kernel("explorer.table['MANUAL_CLUSTER_ID'].tolist()")
    assert groups["MANUAL_CLUSTER_ID"].tolist() == by_hand
    assert set(by_hand) == {0, 1, 2}
    assert len(groups) == found


if PICTURES:

    @pytest.mark.parametrize(
        ("name", "selector"),
        [
            ("00_all_in_one", ".jp-OutputArea-output img"),
            ("01_open_and_look", ".jp-OutputArea-output canvas"),
            ("03_filter_and_measure", ".jp-OutputArea-output img"),
            ("05_reduce", ".oce"),
            ("06_cluster", ".oce"),
            ("07_apply_to_all", ".jp-OutputArea-output img"),
        ],
    )
    def test_looks(tutorial: Tutorial, name: str, selector: str) -> None:
        tutorial.open(name)
        tutorial.notebook.run_all()
        tutorial.notebook.keep_pictures(f"{name[:2]}_top")
        tutorial.show(selector)
        tutorial.notebook.keep_pictures(name[:2])
