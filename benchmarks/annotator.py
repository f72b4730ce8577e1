"""The annotator in a browser: painting, live prediction and slices, near and far away."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

from .browser import DELAYS, milliseconds, pages
from .common import Row

REPEATS = 7
FAR = (5, 33, 12, 27, 38, 1, 23)  # of 40 planes that begin at 20: none is known when it is its turn
MANY = 300
VIEW = "document.querySelector('.oc-annotator').parentElement.annotator"
OPEN = """
import time, tempfile, numpy as np
from objclass import annotate
from benchmarks.common import tiled
image, scribbles = tiled({shape})
annotator = annotate(image, {scribbles}, path=None, save_to=tempfile.mkdtemp() + "/scribbles.tif")
heard, answered = [], []
hear, answer = annotator._handlers["stroke"], annotator.send
annotator._handlers["stroke"] = lambda content: (heard.append(time.time()), hear(content))[1]
def send(content, buffers=None):
    answer(content, buffers)
    if content.get("fresh"):
        answered.append(time.time())
annotator.send = send
"""
# Draw scribbles of 40 moves, one move a frame, and return what each frame cost: handlers and painting.
PAINT = f"""
async (count) => {{
    const {{view}} = {VIEW};
    const element = view.element;
    element.setPointerCapture = () => {{}};
    const box = element.getBoundingClientRect();
    const send = (name, x, y) => element.dispatchEvent(new PointerEvent(name, {{
        clientX: box.left + x * box.width, clientY: box.top + y * box.height, bubbles: true, button: 0,
        buttons: 1, pointerId: 1, pointerType: 'mouse'}}));
    const costs = [];
    for (let stroke = 0; stroke < count; stroke++) {{
        const place = 0.2 + 0.6 * ((stroke * 0.618) % 1);
        send('pointerdown', 0.3, place);
        for (let step = 1; step <= 40; step++) {{
            const begun = performance.now();
            send('pointermove', 0.3 + step / 100, place + 0.02 * Math.sin(step));
            const handled = performance.now() - begun;
            const frames = view.frameTimes.length;
            view.frameTimes.length = 0;
            await new Promise(requestAnimationFrame);
            await new Promise((resolve) => setTimeout(resolve));
            costs.push(handled + view.frameTimes.reduce((sum, time) => sum + time, 0));
        }}
        send('pointerup', 0.7, place);
    }}
    return costs;
}}
"""
FLOOD = f"""
async (count) => {{
    const {{view}} = {VIEW};
    const box = view.element.getBoundingClientRect();
    for (let stroke = 0; stroke < count; stroke++) {{
        for (const name of ['pointerdown', 'pointerup']) {{
            view.element.dispatchEvent(new PointerEvent(name, {{
                clientX: box.left + box.width * (0.35 + 0.3 * ((stroke * 0.618) % 1)),
                clientY: box.top + box.height * (0.2 + 0.6 * ((stroke * 0.3819) % 1)),
                bubbles: true, button: 0, buttons: 1, pointerId: 1, pointerType: 'mouse'}}));
        }}
        if (stroke % 20 === 19) await new Promise((resolve) => setTimeout(resolve, 50));
    }}
}}
"""
# Resolves with the milliseconds from the release of the pointer to the prediction on the screen.
WATCH_PREDICTION = f"""
() => {{
    const {{view}} = {VIEW};
    window.predicted = new Promise((resolve) => {{
        view.element.addEventListener('pointerup', () => {{
            const [begun, at] = [performance.now(), Date.now() / 1000];
            const before = view.element.dataset.overlayCount;
            const look = () => {{
                const waits = view.element.dataset.overlayCount === before || view.pending.frame;
                if (waits) requestAnimationFrame(look);
                else resolve({{seen: performance.now() - begun, at}});
            }};
            look();
        }}, {{once: true}});
    }});
}}
"""
GO_TO = f"""
(index) => new Promise((resolve) => {{
    const {{panel, view}} = {VIEW};
    const begun = performance.now();
    panel.range.value = index;
    panel.range.dispatchEvent(new Event('input'));
    const look = () => {{
        const shown = Number(view.element.dataset.index) === index && !view.pending.frame;
        if (shown) resolve(performance.now() - begun);
        else requestAnimationFrame(look);
    }};
    look();
}})
"""
# Ten images of 1 GB as uncompressed TIFF files, most of whose pixels take no room; scribbles on each.
STACKS = """
import tempfile, time, numpy as np, tifffile
from pathlib import Path
from objclass import annotate
folder = Path(tempfile.mkdtemp())
paths = {f"stack {number}": folder / f"{number}.tif" for number in range(10)}
for number, path in enumerate(paths.values()):
    stack = tifffile.memmap(path, shape=(512, 1024, 1024), dtype=np.uint16)
    stack[256, 100:900, 100:900] = 100 * (number + 1)
    stack.flush()
first = annotate(paths, path=None, save_to=folder / "scribbles")
for name in paths:
    first.show(name)
    patch = {"index": 256, "row": 300, "col": 300, "rows": 20, "cols": 50}
    stroke = {"kind": "stroke", "client": "a", "seq": 1, "axis": 0, "image": first.shown, "patches": [patch]}
    first._dispatch(first, stroke, [np.array([1000, 2], np.uint32).tobytes()])
first.close()
"""
AGAIN = "annotator = annotate(paths, path=None, save_to=folder / 'scribbles')\nannotator"
# Resolves with the milliseconds from the click on an image to its plane on the screen.
SWITCH = f"""
(image) => new Promise((resolve) => {{
    const {{view}} = {VIEW};
    const begun = performance.now();
    document.querySelector(`.oc-card[data-image="${{image}}"]`).click();
    const look = () => {{
        const shown = view.element.dataset.image === String(image) && !view.pending.frame;
        if (shown) resolve(performance.now() - begun);
        else requestAnimationFrame(look);
    }};
    look();
}})
"""


def run() -> Iterator[Row]:
    """Yield the rows of the report."""
    with pages() as opened:
        with opened([STACKS, AGAIN], 0.0) as notebook:
            yield from stacks(notebook)
        for delay in DELAYS:
            for size in (512, 2048):
                cells = [OPEN.format(shape=(40, size, size), scribbles=None), "annotator"]
                with opened(cells, delay) as notebook:
                    name = f"{size}×{size}, {delay * 1000:.0f} ms away"
                    yield from painting(notebook, name)
                    yield from sliding(notebook, name)
            cells = [OPEN.format(shape=(128, 512, 512), scribbles="scribbles"), "annotator"]
            with opened(cells, delay) as notebook:
                yield from predicting(notebook, f"128×512×512, {delay * 1000:.0f} ms away")


def stacks(notebook: Any) -> Iterator[Row]:
    """Time the opening of many large images with scribbles, and the way from one to another."""
    page = notebook.page
    notebook.command("notebook:run-cell-and-select-next")
    notebook.wait_kernel("'first' in globals() and first.comm is None")
    begun = time.perf_counter()
    notebook.command("notebook:run-cell")
    page.wait_for_selector(".oc-annotator .oc-view[data-index]")
    yield Row("annotator, ten stacks of 1 GB with scribbles, opened", f"{time.perf_counter() - begun:.2f} s")
    page.wait_for_function("() => document.querySelectorAll('.oc-card img[src]').length === 10")
    assert notebook.kernel("[int((one > 0).sum()) for one in annotator.annotations.values()]") == [1000] * 10
    for when in ("first", "again"):
        times = [page.evaluate(SWITCH, image) for image in (*range(1, 10), 0)]
        yield Row(f"annotator, another of ten stacks of 1 GB on screen, {when}", milliseconds(times))


def show(notebook: Any) -> None:
    """Run the cells and bring the annotator into view."""
    notebook.run_all()
    notebook.page.wait_for_selector(".oc-annotator .oc-view[data-index]")
    notebook.page.locator(".oc-annotator").evaluate("element => element.scrollIntoView()")
    notebook.page.wait_for_timeout(1500)


def painting(notebook: Any, name: str) -> Iterator[Row]:
    """Time the frames while painting, with few and with many scribbles."""
    show(notebook)
    page = notebook.page
    yield Row(f"annotator, frame while painting: {name}", milliseconds(page.evaluate(PAINT, 4)))
    page.evaluate(FLOOD, MANY)
    wait_kept(page)
    yield Row(
        f"annotator, frame while painting after {MANY} scribbles: {name}",
        milliseconds(page.evaluate(PAINT, 4)),
    )
    wait_kept(page)
    assert notebook.kernel("annotator.error") == ""


def sliding(notebook: Any, name: str) -> Iterator[Row]:
    """Time the way to slices that the page does not have yet, and to their neighbours."""
    page = notebook.page
    far, near = [], []
    for index in FAR:
        far.append(page.evaluate(GO_TO, index))
        page.wait_for_timeout(1500)
        near.append(page.evaluate(GO_TO, index + 1))
        page.wait_for_timeout(500)
    yield Row(f"annotator, slider to another slice on screen: {name}", milliseconds(far))
    yield Row(f"annotator, slider to the next slice on screen: {name}", milliseconds(near))


def predicting(notebook: Any, name: str) -> Iterator[Row]:
    """Time the way from the end of a stroke to the new prediction, with few and with many scribbles."""
    show(notebook)
    page = notebook.page
    page.get_by_label("Live").check()
    page.wait_for_selector(".oc-view[data-overlay^='prediction']", timeout=180_000)
    notebook.wait_kernel("annotator.wait() or annotator.classifier is not None")
    for when in ("", f" after {MANY} scribbles"):
        if when:
            page.evaluate(FLOOD, MANY)
            wait_kept(page)
            notebook.kernel("annotator.wait()")
            page.wait_for_timeout(2500)
            notebook.kernel("annotator.wait()")
        seen, computed = [], []
        for repeat in range(REPEATS):
            page.evaluate(WATCH_PREDICTION)
            known = notebook.kernel("len(answered)")
            draw(page, repeat)
            seen.append(page.evaluate("() => window.predicted")["seen"])
            computed.append(notebook.kernel(f"1000 * (answered[{known}] - heard[-1])"))
            page.wait_for_timeout(300)
        yield Row(
            f"annotator, stroke to live prediction on screen{when}: {name}",
            milliseconds(seen),
            note=f"of it in the kernel {milliseconds(computed)}",
        )


def draw(page: Any, repeat: int) -> None:
    """Draw a short stroke on the slice, of one class and the other in turn."""
    box = page.locator(".oc-view").bounding_box()
    x, y = box["x"] + box["width"] * 0.45, box["y"] + box["height"] * (0.25 + 0.06 * repeat)
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 25, y + 4, steps=5)
    page.mouse.up()


def wait_kept(page: Any) -> None:
    """Wait until the kernel has every stroke in its file."""
    page.wait_for_function("() => document.querySelector('.oc-annotator').dataset.pending === '0'")
