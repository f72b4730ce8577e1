"""Random walks of pointer and keys over the widgets: nothing fails, and nothing is lost when the kernel dies.

``OBJCLASS_WALK_SECONDS`` says how long each takes (an hour: 3600); ``OBJCLASS_WALK_SEED`` takes other ones. A
walk that fails says which steps came last, and what page and server have reported.
"""

from __future__ import annotations

import os
import random
import signal
import time
from collections import deque
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from playwright import sync_api

from tests.browser.annotator_driver import IMPORT, View
from tests.browser.explorer_driver import PLOT, SLICE, Driver

SECONDS = float(os.environ.get("OBJCLASS_WALK_SECONDS", "6"))
SEED = int(os.environ.get("OBJCLASS_WALK_SEED", "0"))
FEWEST = 20  # steps, on a machine that is busy with others
CHECK_EVERY = 40
KILL_EVERY = 120.0
ANNOTATOR = """
sample = objclass.samples.embryo((24, 64, 80))
images = {"one": sample.image, "two": sample.image[:12, ::-1]}
annotator = annotate(images, spacing=sample.spacing, path="walk.cl", save_to="walk", on_existing="load")
"""
EXPLORER = """
import numpy as np, objclass
sample = objclass.samples.embryo((24, 96, 96))
explorer = objclass.explore(sample.image, sample.labels, spacing=sample.spacing, save_to="walk.json")
"""
# As for a user: pictures are drawn while nothing changes.
PICTURES = "from objclass.widgets import saved_picture\nsaved_picture.QUIET = 2.0\n"
# What the browser itself reports, of other packages or of a kernel that is gone.
NOISE = ("favicon", "WebGL", "GPU stall", "Failed to load resource", "WebSocket")
CONTROLS = """([root, leftOut, part]) => {
    const kinds = ':is(button, summary, [role=radio], input[type=checkbox], input[type=range], select)';
    const all = [...document.querySelectorAll(`${root} ${kinds}`)].filter((element) => {
        const box = element.getBoundingClientRect();
        const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
        const words = element.textContent.trim() || element.getAttribute('aria-label');
        return box.width && y > 60 && y < innerHeight - 30 && !leftOut.includes(words)
            && element.contains(document.elementFromPoint(x, y));
    });
    if (!all.length) return null;
    const element = all[Math.floor(part * all.length)];
    const box = element.getBoundingClientRect();
    return {x: box.x + box.width / 2, y: box.y + box.height / 2, left: box.x, width: box.width,
        type: element.type,
        words: (element.getAttribute('aria-label') ?? element.textContent).trim().slice(0, 40),
        values: element.tagName === 'SELECT' ? [...element.options].map(({value}) => value) : null};
}"""
SELECT = """([x, y, value]) => {
    const element = document.elementFromPoint(x, y);
    element.value = value;
    element.dispatchEvent(new Event('change', {bubbles: true}));
}"""


REACHES = """([view, x, y]) =>
    Boolean(document.querySelector(view)?.contains(document.elementFromPoint(x, y)))"""
# Nothing is pressed outside of the widget, where the notebook's own tools lie: cut, restart, close.
FENCE = """(root) => {
    window.gate = new AbortController();
    const {signal} = window.gate;
    for (const name of ['pointerdown', 'mousedown', 'click', 'auxclick', 'dblclick', 'contextmenu']) {
        addEventListener(name, (event) => {
            if (event.target.closest?.(root)) return;
            event.preventDefault();
            event.stopImmediatePropagation();
        }, {capture: true, signal});
    }
}"""
# Resolve when the kernel has answered: it has heard what was sent before then. (It may execute code first: a
# thread of its own takes the messages of widgets.) It is asked again in case another image is shown by then.
ANNOTATOR_ANSWERED = """() => new Promise((resolve) => {
    const {model} = document.querySelector('.oc-annotator').parentElement.annotator;
    const view = `walk ${performance.now()}`;
    const ask = () => model.send({
        kind: 'plane', view, seq: 0, source: model.get('volume').source,
        axis: 0, index: 0, region: [0, 0, 1, 1], step: 1, layers: ['image'],
    });
    const hear = (message) => {
        if (message.view !== view) return;
        model.off('msg:custom', hear);
        clearInterval(asking);
        resolve();
    };
    model.on('msg:custom', hear);
    const asking = setInterval(ask, 1000);
    ask();
})"""
EXPLORER_ANSWERED = """() => new Promise((resolve) => {
    const {model} = document.querySelector('.oce').parentElement.explorer;
    const hear = ({kind, name}) => {
        if (kind !== 'column' || name !== 'label') return;
        model.off('msg:custom', hear);
        resolve();
    };
    model.on('msg:custom', hear);
    model.send({kind: 'column', name: 'label'});
})"""


class Walker:
    """Does something at random, and checks what must hold at any time."""

    root: str
    views: tuple[str, ...]
    keys: tuple[str, ...]
    left_out: tuple[str, ...] = ()  # they take seconds each without a graphics card, or leave the page

    def __init__(self, notebook: Any) -> None:
        self.notebook, self.page = notebook, notebook.page
        self.random = random.Random(SEED)
        self.last: deque[str] = deque(maxlen=25)
        self.is_dying = False
        self.errors: list[str] = []
        notebook.hear("console", self.note)
        self.page.evaluate(FENCE, self.root)
        self.open()

    def note(self, message: Any) -> None:
        known = any(word in message.text for word in NOISE)
        if message.type == "error" and not known and not self.is_dying:
            self.errors.append(message.text)

    def open(self) -> None:
        raise NotImplementedError

    def state(self) -> Any:
        """Return what must survive, once page, kernel and files agree."""
        raise NotImplementedError

    def walk(self) -> None:
        steps = kills = 0
        begun = time.monotonic()
        turns = max(1, int(SECONDS / KILL_EVERY))
        while (passed := time.monotonic() - begun) < SECONDS or kills < turns or steps < FEWEST:
            self.step()
            steps += 1
            if steps % CHECK_EVERY == 0:
                self.check()
            if kills < turns and passed > (kills + 0.5) * SECONDS / turns:
                self.kill()
                kills += 1
        self.check()
        self.page.evaluate("() => window.gate.abort()")

    def step(self) -> None:
        act = self.random.choices([self.stroke, self.key, self.press, self.wheel], [5, 3, 4, 1])[0]
        try:
            act()
        except sync_api.Error as failure:
            raise AssertionError(f"{failure}\n{self.report()}") from failure

    def place(self, view: str) -> tuple[float, float] | None:
        box = self.page.locator(view).first.bounding_box()
        if not box or not box["width"]:
            return None
        return (
            box["x"] + self.random.uniform(0, box["width"]),
            box["y"] + self.random.uniform(0, box["height"]),
        )

    def start(self, view: str) -> tuple[float, float] | None:
        """Return a place where a press reaches the view, which may be scrolled away in part."""
        for _ in range(5):
            at = self.place(view)
            if at is not None and self.page.evaluate(REACHES, [view, *at]):
                return at
        self.page.locator(self.root).evaluate("element => element.scrollIntoView()")
        return None

    def stroke(self) -> None:
        view = self.random.choice(self.views)
        start = self.start(view)
        if start is None:
            return
        button = self.random.choice(["left", "left", "left", "right"])
        modifier = self.random.choice(["", "", "", "Shift", "Control", "Alt"])
        corners = [self.place(view) or start for _ in range(self.random.randint(0, 4))]
        self.last.append(f"{button} {modifier} stroke of {len(corners)} in {view}")
        self.held(modifier, lambda: self.draw(start, corners, button))

    def draw(self, start: tuple[float, float], corners: list[tuple[float, float]], button: str) -> None:
        mouse = self.page.mouse
        mouse.move(*start)
        mouse.down(button=button)
        for corner in corners:
            mouse.move(*corner, steps=4)
        mouse.up(button=button)

    def held(self, modifier: str, act: Callable[[], None]) -> None:
        if modifier:
            self.page.keyboard.down(modifier)
        act()
        if modifier:
            self.page.keyboard.up(modifier)

    def key(self) -> None:
        key = self.random.choice(self.keys)
        self.last.append(f"key {key}")
        self.page.locator(self.random.choice(self.views)).first.focus()
        self.page.keyboard.press(key)

    def wheel(self) -> None:
        view = self.random.choice(self.views)
        at = self.start(view)
        if at is None:
            return
        modifier = self.random.choice(["", "Shift", "Control"])
        self.last.append(f"{modifier} wheel in {view}")
        self.page.mouse.move(*at)
        self.held(modifier, lambda: self.page.mouse.wheel(0, self.random.choice([-100, 100])))

    def press(self) -> None:
        """Use a control that can be seen: a click, a place of a slider, an entry of a list."""
        found = self.page.evaluate(CONTROLS, [self.root, list(self.left_out), self.random.random()])
        if not found:
            return
        self.last.append(f"press {found['words']}")
        if found["values"]:
            self.page.evaluate(SELECT, [found["x"], found["y"], self.random.choice(found["values"])])
        elif found["type"] == "range":
            self.page.mouse.click(found["left"] + self.random.random() * found["width"], found["y"])
        else:
            self.page.mouse.click(found["x"], found["y"])
        if self.page.locator("dialog[open]").count():
            self.page.keyboard.press("Escape")

    def check(self) -> Any:
        self.page.keyboard.press("Escape")
        assert self.page.locator(f"{self.root} .oc-lost").count() == 0, self.report()
        try:
            state = self.state()
        except (AssertionError, sync_api.Error) as failure:
            raise AssertionError(f"{failure}\n{self.report()}") from failure
        assert not self.errors + self.notebook.errors + self.notebook.outside, self.report()
        return state

    def report(self) -> str:
        found = self.errors + self.notebook.errors + self.notebook.outside
        return "\n".join([*found, f"after: {'; '.join(self.last)}", self.notebook.tell()])

    def kill(self) -> None:
        """Kill the kernel in the middle of a stroke, and run the cells again."""
        before = self.check()
        self.is_dying = True
        start = None
        while start is None:
            start = self.start(self.views[0])
        self.last.append("kill")
        process = self.notebook.kernel("__import__('os').getpid()")
        self.page.mouse.move(*start)
        self.page.mouse.down()
        os.kill(process, signal.SIGKILL)
        self.page.mouse.move(*self.place(self.views[0]), steps=4)
        self.page.mouse.up()
        self.page.wait_for_selector(f"{self.root} .oc-lost")
        self.page.wait_for_function(
            "() => jupyterapp.shell.currentWidget.sessionContext.session?.kernel?.status === 'idle'"
        )
        self.notebook.run_all()
        self.open()
        self.is_dying = False
        self.compare(before, self.state())

    def compare(self, before: Any, after: Any) -> None:
        lost = {name: (before.get(name), after.get(name)) for name in {*before, *after}}
        lost = {name: pair for name, pair in lost.items() if pair[0] != pair[1]}
        assert not lost, f"{str(lost)[:3000]}\n{self.report()}"


class AnnotatorWalker(Walker):
    root = ".oc-annotator"
    views = (".oc-annotator .oc-view",)
    keys = (
        *"1234567[]-=bvctls,.pzZ0",
        *("ArrowLeft", "ArrowRight", "PageUp", "End", "Escape", "Enter", "Control+z", "Control+Shift+z"),
    )
    left_out = ("Measure and explore", "3D")

    def open(self) -> None:
        self.view = View(self.notebook)
        self.view.wait_kept()

    def state(self) -> dict[str, np.ndarray]:
        self.view.wait_kept()
        self.page.evaluate(ANNOTATOR_ANSWERED)
        stored = self.notebook.kernel(
            "{name: [list(one.shape), np.flatnonzero(one).tolist(), one[one > 0].tolist()]"
            " for name, one in annotator.annotations.items()}"
        )
        state = {}
        for name, (shape, places, values) in stored.items():
            state[name] = np.zeros(shape, int)
            state[name].ravel()[places] = values
        # What is kept is in the files.
        sums = {name: int(array.sum()) for name, array in state.items()}
        self.notebook.wait_kernel(
            f"all(_sum(name) == wanted for name, wanted in {sums}.items())",
            setup="""from pathlib import Path
def _sum(name):
    path = Path("walk") / f"{name}.tif"
    return int(objclass.imread(path).astype(int).sum()) if path.exists() else 0
""",
        )
        return state

    def compare(self, before: dict[str, np.ndarray], after: dict[str, np.ndarray]) -> None:
        # The stroke on its way when the kernel died has been kept by the browser, and is in one image.
        assert before.keys() == after.keys()
        changed = [name for name in before if not np.array_equal(before[name], after[name])]
        assert len(changed) <= 1, self.report()


class ExplorerWalker(Walker):
    root = ".oce"
    views = (PLOT, SLICE)
    keys = (
        *"lrho0+-123n",
        *(
            "ArrowLeft",
            "ArrowRight",
            "ArrowUp",
            "ArrowDown",
            "PageUp",
            "End",
            "Escape",
            "Delete",
            "m",
            "s",
            "c",
            "g",
        ),
        *("Control+z", "Control+Shift+z"),
    )
    left_out = ("3D", "Reduce", "How many?")

    def open(self) -> None:
        self.driver = Driver(self.notebook)

    def state(self) -> dict[str, Any]:
        self.page.evaluate(EXPLORER_ANSWERED)
        stored, numbers = self.notebook.kernel(
            "[json.loads(_file.read_text()) if _file.exists() else {},"
            " explorer.objects.groups.numbers[explorer.objects.rows].tolist()]",
            setup="import json\nfrom pathlib import Path\n_file = Path('walk.json')\nexplorer.wait(60)",
        )
        # What the page shows is what the kernel has.
        self.page.wait_for_function(
            """(numbers) => numbers === String(
                document.querySelector('.oce').parentElement.explorer.store.numbers)""",
            arg=",".join(map(str, numbers)),
        )
        return {name: value for name, value in stored.items() if name not in ("view", "opened_with")}


@pytest.mark.parametrize(
    ("walker", "setup", "name"),
    [(AnnotatorWalker, IMPORT + ANNOTATOR, "annotator"), (ExplorerWalker, EXPLORER, "explorer")],
    ids=["annotator", "explorer"],
)
def test_nothing_fails_and_nothing_is_lost(open_notebook, tmp_path, walker, setup: str, name: str) -> None:
    setup = f"import os\nos.chdir({str(tmp_path)!r})\n{PICTURES}{setup}"
    walker(open_notebook([setup, name])).walk()
