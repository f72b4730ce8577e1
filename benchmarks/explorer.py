"""The explorer in a browser: how long a lasso, a hover and the first display take, near and far away."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import numpy as np

from .browser import DELAYS, milliseconds, pages
from .classes import example_clicks
from .common import Row

COUNTS = (500, 20_000, 200_000)
REPEATS = 5
WATCHED = """
import time, numpy as np, pandas as pd, objclass
from benchmarks.explorer import boxes
labels, table = boxes({count})
image = (labels % 251).astype(np.uint8)
explorer = objclass.explore(image, labels, table, x="area", y="brightness")
heard = []
explorer.observe(lambda change: heard.append(time.time()), "_groups")
"""
# Times a lasso from the release of the pointer to the paint of plot and slice in the new colours, and the
# part of it that the page's own script works; the rest is waiting for frames.
WATCH_RELEASE = """
() => {
    const root = document.querySelector('.oce');
    const {plot, image} = root.parentElement.explorer;
    const frames = [plot.view.frameTimes, image.slices.view.frameTimes];
    let before, begun, at;
    const begin = () => {
        before = frames.map((times) => times.length);
        [begun, at] = [performance.now(), Date.now()];
        removeEventListener('pointerup', begin, true);
    };
    addEventListener('pointerup', begin, true);
    window.released = new Promise((resolve) => {
        plot.view.element.addEventListener('pointerup', () => {
            const handled = performance.now() - begun;
            const look = () => {
                const busy = plot.view.stale || plot.view.frame || image.slices.view.pending.frame;
                if (busy) return requestAnimationFrame(look);
                const seen = performance.now() - begun;
                const paints = frames.flatMap((times, which) => times.slice(before[which]));
                resolve({seen, work: paints.reduce((sum, time) => sum + time, handled), at: at / 1000});
            };
            setTimeout(look);
        }, {once: true});
    });
}
"""
HOVER = """
async () => {
    const {plot, image} = document.querySelector('.oce').parentElement.explorer;
    const frame = () => new Promise(requestAnimationFrame);
    const cost = [];
    for (const view of [plot.view, image.slices.view]) {
        const box = view.element.getBoundingClientRect();
        for (let step = 0; step < 40; step++) {
            const clientX = box.left + box.width * (0.2 + step / 70);
            const clientY = box.top + box.height * (0.3 + step / 90);
            const begun = performance.now();
            view.element.dispatchEvent(new PointerEvent('pointermove', {clientX, clientY, bubbles: true}));
            const handled = performance.now() - begun;
            const frames = [plot.view.frameTimes, image.slices.view.frameTimes];
            const before = frames.map((times) => times.length);
            await frame();
            await frame();
            const paints = frames.flatMap((times, which) => times.slice(before[which]));
            cost.push(handled + paints.reduce((sum, time) => sum + time, 0));
        }
    }
    return cost;
}
"""


def boxes(count: int) -> tuple[np.ndarray, Any]:
    """Return a stack of `count` small boxes with gaps in their numbers, and a table of two measures."""
    import pandas as pd

    per_plane = 96 * 96 if count > 1000 else 10 * 10
    side = 96 * 5 if count > 1000 else 10 * 12
    pitch = 5 if count > 1000 else 12
    layers = -(-count // per_plane)
    numbers = 2 * np.arange(1, layers * per_plane + 1, dtype=np.int32)
    numbers[count:] = 0
    grid = numbers.reshape(layers, side // pitch, side // pitch)
    labels = np.repeat(np.repeat(np.repeat(grid, 3, axis=0), pitch, axis=1), pitch, axis=2)
    labels[:, ::pitch] = labels[:, :, ::pitch] = labels[::3] = 0
    rng = np.random.default_rng(0)
    area, brightness = rng.lognormal(4, 0.4, count), rng.normal(500, 100, count)
    return labels, pd.DataFrame({"label": numbers[:count], "area": area, "brightness": brightness})


def run() -> Iterator[Row]:
    """Yield the rows of the report."""
    yield from meshes_of_many()
    with pages() as opened:
        for delay in DELAYS:
            for count in COUNTS:
                with opened([WATCHED.format(count=count), "explorer"], delay) as notebook:
                    yield from lassos(notebook, count, delay)
            for count, shape in ((400, (48, 256, 256)), (5000, (96, 640, 640))):
                cells = [SURFACES.format(shape=shape, count=count), "explorer"]
                with opened(cells, delay) as notebook:
                    yield from surfaces(notebook, f"{count:,} objects, {delay * 1000:.0f} ms away")


def lassos(notebook: Any, count: int, delay: float) -> Iterator[Row]:
    """Time the first display, five lassos and the hover of one explorer."""
    page, name = notebook.page, f"{count:,} points, {delay * 1000:.0f} ms away"
    notebook.command("notebook:run-cell-and-select-next")
    notebook.wait_kernel("'heard' in globals()")
    begun = time.perf_counter()
    notebook.command("notebook:run-cell")
    page.wait_for_selector('.oce[data-ready="true"]')
    page.wait_for_selector(".oce-slices .oc-view[data-index]")
    yield Row(f"explorer, first display: {name}", f"{time.perf_counter() - begun:.2f} s")
    page.locator(".oce").evaluate("element => element.scrollIntoView()")
    page.wait_for_timeout(1500)
    seen, worked, known = [], [], []
    for repeat in range(REPEATS):
        page.evaluate(WATCH_RELEASE)
        already = notebook.kernel("len(heard)")
        draw(page, 0.3 + 0.05 * repeat)
        found = page.evaluate("() => window.released")
        notebook.wait_kernel(f"len(heard) > {already}")
        seen.append(found["seen"])
        worked.append(found["work"])
        known.append(1000 * (notebook.kernel(f"heard[{already}]") - found["at"]))
    note = f"of which script: {milliseconds(worked)}"
    yield Row(f"explorer, lasso to new colours in the page: {name}", milliseconds(seen), note=note)
    yield Row(f"explorer, lasso to the column in the kernel: {name}", milliseconds(known))
    yield Row(f"explorer, hover: {name}", milliseconds(page.evaluate(HOVER)))
    page.locator("[data-tab=gallery]").click()
    shown = []
    for order in ("area", "brightness", "typical", "unusual", ""):
        page.locator(".oce-tiles").evaluate("element => delete element.dataset.ms")
        page.get_by_label("Order of the gallery").select_option(order)
        page.wait_for_selector(".oce-tiles[data-ms] > :nth-child(100)")
        shown.append(float(page.locator(".oce-tiles").get_attribute("data-ms")))
    yield Row(f"explorer, gallery of 100 crops: {name}", milliseconds(shown))


def draw(page: Any, centre: float) -> None:
    """Draw a circle in the plot."""
    box = page.locator(".oc-plot").bounding_box()
    turns = np.linspace(0, 2 * np.pi, 40)
    xs = box["x"] + box["width"] * (centre + 0.18 * np.cos(turns))
    ys = box["y"] + box["height"] * (0.45 + 0.25 * np.sin(turns))
    page.mouse.move(xs[0], ys[0])
    page.mouse.down()
    for x, y in zip(xs[1:], ys[1:], strict=True):
        page.mouse.move(x, y)
    page.mouse.up()


SURFACES = """
import objclass
from benchmarks.common import nuclei
image, labels, _ = nuclei({shape}, {count})
explorer = objclass.explore(image, labels, spacing=(2, 1, 1))
"""
COUNT_FRAMES = """
() => {
    window.frames = 0;
    const count = () => { window.frames += 1; requestAnimationFrame(count); };
    requestAnimationFrame(count);
}
"""
RECOLOR_VOLUME = """
async () => {
    const {image, store} = document.querySelector('.oce').parentElement.explorer;
    const chosen = Uint8Array.from({length: store.shown}, (_, row) => row % 3 === 0 ? 1 : 0);
    const begun = performance.now();
    store.choose(chosen, 'replace', {shape: 'objects', objects: []});
    await new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)));
    return performance.now() - begun;
}
"""


def surfaces(notebook: Any, name: str) -> Iterator[Row]:
    """Time the 3D view of many objects, its recolouring and its turning."""
    page = notebook.page
    notebook.run_all()
    page.wait_for_selector('.oce[data-ready="true"]')
    page.locator(".oce").evaluate("element => element.scrollIntoView()")
    clicks = [milli for milli, _ in example_clicks(notebook, 2 * REPEATS)]
    yield Row(f"explorer, click on an example to new classes: {name}", milliseconds(clicks))
    begun = time.perf_counter()
    page.get_by_role("button", name="3D", exact=True).click()
    page.wait_for_selector('.oce-volume[data-ready="true"] canvas')
    page.evaluate(
        "() => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)))"
    )
    yield Row(f"explorer, 3D to the first frame: {name}", f"{time.perf_counter() - begun:.2f} s")
    page.wait_for_timeout(3000)
    times = [page.evaluate(RECOLOR_VOLUME) for _ in range(REPEATS)]
    yield Row(f"explorer, new colours in plot, slice and 3D: {name}", milliseconds(times))
    yield Row(f"explorer, a frame while turning in 3D: {name}", milliseconds(turn(page)))


def turn(page: Any) -> list[float]:
    """Turn the 3D view with the pointer; return the milliseconds a frame, drag by drag."""
    box = page.locator(".oce-volume canvas").first.bounding_box()
    page.evaluate(COUNT_FRAMES)
    costs = []
    for drag in range(3):
        page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        page.mouse.down()
        begun, before = time.perf_counter(), page.evaluate("() => window.frames")
        for step in range(30):
            page.mouse.move(box["x"] + box["width"] * (0.5 + 0.01 * step), box["y"] + box["height"] * 0.5)
        elapsed, frames = time.perf_counter() - begun, page.evaluate("() => window.frames") - before
        page.mouse.up()
        costs.append(1000 * elapsed / max(1, frames))
        page.wait_for_timeout(500 * (drag < 2))
    return costs


def meshes_of_many() -> Iterator[Row]:
    """Mesh 5,000 objects, and count what a page is sent at first and for new colours."""
    import pandas as pd
    from k3d.helpers import to_json

    from objclass.widgets.view3d.view3d import view3d

    from .common import nuclei

    for count, shape in ((400, (48, 256, 256)), (5000, (96, 640, 640))):
        image, labels, _ = nuclei(shape, count)
        begun = time.perf_counter()
        view = view3d(image, labels, spacing=(2, 1, 1), progress=False)
        seconds = time.perf_counter() - begun
        names = ("vertices", "indices", "attribute", "color_map")
        sent = {
            name: len(to_json(name, view.surfaces[name], view.surfaces, 1)["compressed_data"])
            for name in names
        }
        volume = len(to_json("volume", view.raw.volume, view.raw, 1)["compressed_data"])
        found = len(view.mesh.labels)
        megabytes = f"surfaces {sum(sent.values()) / 1e6:.1f} MB, image {volume / 1e6:.1f} MB"
        note = f"{len(view.mesh.triangles):,} triangles; sent: {megabytes}"
        yield Row(f"view3d of {found:,} objects, image and surfaces", f"{seconds:.2f} s", note=note)
        groups = pd.DataFrame({"label": view.mesh.labels, "kind": np.arange(found) % 3}).astype({"kind": str})
        view.set_table(groups)
        begun = time.perf_counter()
        view.color = "kind"
        seconds = time.perf_counter() - begun
        sent = [
            len(to_json(name, view.surfaces[name], view.surfaces, 1)["compressed_data"]) for name in names[2:]
        ]
        yield Row(
            f"view3d, new colours of {found:,} objects",
            f"{seconds:.3f} s",
            note=f"sent {sum(sent) / 1e3:.1f} kB",
        )
