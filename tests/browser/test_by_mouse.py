"""The tutorial from a raw image to coloured clusters, by mouse alone, from one cell.

With ``OBJCLASS_BY_MOUSE=folder`` each step leaves a picture there: ``docs/howto/by_mouse.md`` shows them.
"""

from __future__ import annotations

import os
from pathlib import Path as FilePath
from typing import Any

import numpy as np
from matplotlib.path import Path

from tests.browser.annotator_driver import View
from tests.browser.explorer_driver import PLOT, Driver, centre_of_crowd, ring

PICTURES = os.environ.get("OBJCLASS_BY_MOUSE")
SHAPE, FEW_TREES = ((48, 192, 192), "") if PICTURES else ((40, 160, 160), ", n_estimators=20")
CELL = f"""
import objclass
embryo = objclass.samples.embryo({SHAPE})
annotator = objclass.annotate(embryo.image, spacing=embryo.spacing{FEW_TREES})
annotator
"""


def test_the_whole_tutorial_by_mouse(open_notebook):
    notebook = open_notebook([CELL])
    walk = Walk(notebook)
    walk.look()
    walk.paint_and_train()
    walk.segment_and_see_in_3d()
    walk.correct()
    walk.exclude_small()
    explorer = walk.measure()
    walk.gate(explorer)
    walk.reduce_and_gate(explorer)
    walk.cluster(explorer)
    assert walk.typed == 0


class Walk:
    """The steps, each with what must be true after it."""

    def __init__(self, notebook: Any) -> None:
        self.notebook, self.page = notebook, notebook.page
        self.view = View(notebook)
        self.page.evaluate(
            """() => {
                window.typed = 0;
                addEventListener('keydown', ({key}) => (window.typed += key !== 'Shift'), true);
            }"""
        )

    @property
    def typed(self) -> int:
        """How many keys were pressed, but for Shift."""
        return int(self.page.evaluate("() => window.typed"))

    def picture(self, name: str) -> None:
        if PICTURES:
            path = FilePath(PICTURES) / f"{name}.jpg"
            self.page.screenshot(path=path, type="jpeg", quality=62)

    def slide_to(self, index: int) -> int:
        """Drag the slider of the slices to a slice, and return the one that it has reached."""
        slider = self.view.root.locator(".oc-slice-range").first
        last = int(slider.get_attribute("max"))
        box = slider.bounding_box()
        y, knob = box["y"] + box["height"] / 2, 16
        mouse = self.page.mouse

        def at(place: int) -> float:
            return box["x"] + knob / 2 + place / last * (box["width"] - knob)

        mouse.move(at(int(slider.input_value())), y)
        mouse.down()
        mouse.move(at(index), y, steps=8)
        mouse.up()
        reached = int(slider.input_value())
        self.page.wait_for_selector(f".oc-annotator .oc-view[data-index='{reached}']")
        assert abs(reached - index) <= 2
        return reached

    def pick_class(self, name: str) -> None:
        self.view.root.get_by_role("radio", name=f"Paint {name}").click()

    def scribbles_on(self, z: int, count: int) -> list[list[tuple[float, float]]]:
        """Return scribbles along the largest objects of a slice."""
        boxes = self.notebook.kernel(
            f"""[[[int(part.start), int(part.stop)] for part in box] for _, box in sorted(
                ((int((found == n).sum()), box) for found in [embryo.labels[{z}]]
                 for n, box in enumerate(__import__('scipy.ndimage').ndimage.find_objects(found), 1) if box),
                key=lambda pair: -pair[0])[:{count}]]"""
        )
        return [
            [((r0 + r1) / 2, c0 + (c1 - c0) * 0.3), ((r0 + r1) / 2, c0 + (c1 - c0) * 0.7)]
            for (r0, r1), (c0, c1) in boxes
        ]

    def paint(self, z: int, count: int) -> None:
        """Paint some objects of a slice, and background in a corner and in the middle."""
        self.pick_class("object")
        for stroke in self.scribbles_on(z, count):
            self.view.stroke(*stroke)
        self.pick_class("background")
        width = self.notebook.kernel("embryo.image.shape[2]")
        self.view.stroke((6, 8), (6, width - 8))
        free = self.notebook.kernel(
            "[int(n) for n in np.unravel_index(_away.argmax(), _away.shape)]",
            setup="import numpy as np\nfrom scipy import ndimage\n"
            f"_away = ndimage.distance_transform_edt(embryo.labels[{z}, 40:150, 40:150] == 0)",
        )
        row, col = free[0] + 40, free[1] + 40
        self.view.stroke((row, col - 4), (row, col + 4))
        self.view.wait_kept()

    # The steps

    def look(self) -> None:
        self.picture("01-open")
        assert self.view.button("3D").get_attribute("aria-disabled") == "true", "there are no objects yet"
        self.view.button("3D").click(force=True)
        assert not self.page.locator(".oc-3d").is_visible()
        histogram = self.view.root.locator(".oc-histogram").first
        channel = self.notebook.kernel("annotator.channels[0]")
        box = histogram.bounding_box()
        reach = box["width"] / (channel["most"] - channel["least"])
        x, y = box["x"] + (channel["high"] - channel["least"]) * reach, box["y"] + box["height"] / 2
        mouse = self.page.mouse
        mouse.move(x, y)
        mouse.down()
        mouse.move(x - 25, y, steps=6)
        mouse.up()
        self.notebook.wait_kernel(f"annotator.channels[0]['high'] < {channel['high']}")
        self.picture("02-histogram")
        self.view.button("XZ").click()
        self.page.wait_for_selector(".oc-annotator .oc-view[data-axis='1']")
        self.picture("03-other-planes")
        self.view.button("XY").click()
        self.page.wait_for_selector(".oc-annotator .oc-view[data-axis='0']")

    def paint_and_train(self) -> None:
        z = self.slide_to(14)
        self.paint(z, 4)
        self.picture("04-paint")
        self.view.button("Train").click()
        self.view.wait_overlay("prediction", z)
        self.notebook.wait_kernel("not annotator.state['training'] and not annotator.state['stale']")
        self.picture("05-train")

    def segment(self) -> None:
        before = self.notebook.kernel("annotator.state.get('objects_version') or 0")
        self.view.button("Segment").click()
        self.notebook.wait_kernel(
            f"annotator.state['objects_version'] > {before} and not annotator.state['task']"
        )

    def see_in_3d(self) -> None:
        self.view.button("3D").click()
        self.notebook.wait_kernel("annotator._volume.get('version') == annotator.state['objects_version']")
        self.page.wait_for_selector('.oc-3d:not(.oc-outdated) .oce-volume[data-ready="true"]')
        shown = self.notebook.kernel("[annotator._volume['labels'], int(annotator.labels.max())]")
        assert shown[0] == list(range(1, shown[1] + 1))

    def segment_and_see_in_3d(self) -> None:
        before = self.view.place()
        self.segment()
        self.see_in_3d()
        self.picture("06-objects-in-3d")

        # A click goes to the object, here in the middle of the surfaces.
        focus, position = self.notebook.kernel(
            "annotator.volume_view._on_click({'face': [0]}) or [annotator.focus, annotator.position]"
        )
        assert focus == 1
        box = self.notebook.kernel(
            "[[int(p.min()), int(p.max())] for p in np.nonzero(annotator.labels == 1)]",
            setup="import numpy as np",
        )
        assert all(low <= at <= high + 1 for at, (low, high) in zip(position, box, strict=True))
        self.view.button("Slices").click()
        self.page.wait_for_selector(f".oc-annotator .oc-view[data-index='{position[0]}']")
        assert self.view.place() == before, "nothing has moved"

    def correct(self) -> None:
        z = self.slide_to(30)
        self.paint(z, 4)
        self.picture("07-paint-again")
        self.view.button("3D").click()
        self.page.wait_for_selector(".oc-3d.oc-outdated[data-outdated^='Objects out of date']")
        self.view.button("Slices").click()
        self.view.button("Train").click()
        self.view.wait_overlay("prediction", z)
        self.notebook.wait_kernel("not annotator.state['training'] and not annotator.state['stale']")
        self.segment()
        self.see_in_3d()
        self.picture("08-train-again")
        self.view.button("Slices").click()

    def exclude_small(self) -> None:
        self.view.root.get_by_text("Size, splitting, threshold").click()
        before = self.notebook.kernel("annotator.state['objects']")
        for times in (2, 4):
            self.view.root.get_by_role("button", name="Larger minimum size").click()
            self.notebook.wait_kernel(f"annotator.state['segmentation']['min_size'] == '{10 * times}%'")
        self.notebook.kernel("annotator.wait()")
        assert self.notebook.kernel("annotator.state['objects']") <= before
        self.picture("09-exclude-small")
        self.view.root.get_by_text("Size, splitting, threshold").click()

    def measure(self) -> Driver:
        self.view.button("Measure and explore").click()
        self.page.wait_for_selector('.oc-next .oce[data-ready="true"]')
        self.notebook.kernel("None", setup="explorer, labels = annotator.explorer, annotator.labels")
        explorer = Driver(self.notebook)
        self.page.locator("[data-tab=table]").click()
        self.page.wait_for_selector(".oce-table tbody tr:not([aria-hidden])")
        self.page.locator(".oce-table").scroll_into_view_if_needed()
        self.picture("10-table")
        self.page.locator("[data-tab=groups]").click()
        return explorer

    def axes(self, explorer: Driver, x: str, y: str) -> None:
        for label, name in (("X axis", x), ("Y axis", y)):
            self.page.locator(".oce").get_by_label(label, exact=True).first.select_option(name)
        explorer.wait(f"(explorer.x, explorer.y) == ({x!r}, {y!r})")
        self.page.locator(".oce").evaluate("element => element.scrollIntoView()")

    def lasso(self, explorer: Driver, radius: float, key: str = "", *, away_from: Any = None) -> np.ndarray:
        """Draw around a crowd of points, and return which objects lie within."""
        values, pixels = explorer.plot_scale()
        points = explorer.points()
        places = pixels(points)
        known = np.isfinite(places).all(axis=1)
        if away_from is not None:
            known &= ~away_from
        corners = ring(*centre_of_crowd(places[known]), radius)
        explorer.drag(PLOT, corners, key)
        return Path(values(corners)).contains_points(points)

    def gate(self, explorer: Driver) -> None:
        self.axes(explorer, "area", "intensity_mean")
        self.picture("11-scatter-plot")
        first = self.lasso(explorer, 60)
        explorer.wait("len(explorer.groups) == 1")
        np.testing.assert_array_equal(explorer.numbers() > 0, first)
        self.picture("12-lasso")
        self.lasso(explorer, 40, "Shift", away_from=first)
        explorer.wait("len(explorer.groups) == 2")
        self.picture("13-second-group")

    def reduce_and_gate(self, explorer: Driver) -> None:
        self.page.locator("[data-tab=reduce]").click()
        self.page.locator("[data-panel=reduce]").get_by_role("button", name="Reduce", exact=True).click()
        explorer.wait("'UMAP_0' in explorer.table and not explorer.busy")
        self.axes(explorer, "UMAP_0", "UMAP_1")
        self.picture("14-umap")
        chosen = self.lasso(explorer, 60)
        explorer.wait(f"int((explorer.table['MANUAL_CLUSTER_ID'] > 0).sum()) == {int(chosen.sum())}")
        self.picture("15-lasso-in-the-umap")

    def cluster(self, explorer: Driver) -> None:
        self.page.locator("[data-tab=cluster]").click()
        self.page.locator("[data-panel=cluster]").get_by_role("button", name="Cluster", exact=True).click()
        explorer.wait("'KMEANS_CLUSTER_ID' in explorer.table and not explorer.busy")
        self.page.locator(".oce").get_by_label("Colour by", exact=True).first.select_option(
            "KMEANS_CLUSTER_ID"
        )
        explorer.wait("explorer.color == 'KMEANS_CLUSTER_ID'")
        self.page.locator(".oce").evaluate("element => element.scrollIntoView()")
        self.page.locator(".oce").get_by_role("button", name="3D", exact=True).first.click()
        self.page.wait_for_selector('.oce .oce-volume[data-ready="true"]')
        self.picture("16-colour-by-cluster")
