"""A real Jupyter server and a real Chromium for the tests of the widgets.

``open_notebook([cell, ...])`` gives a `Notebook`: a notebook of these code cells, opened in JupyterLab (or,
with ``app="notebook"``, in Notebook 7), all of its cells run. At the end of the test it is closed, and page
errors or requests that leave the machine fail the test. ``OBJCLASS_BROWSER_APP=notebook`` and
``OBJCLASS_BROWSER_THEME=Dark`` have the tests of the widgets run in Notebook 7, and in the dark. The
page serves the next test too; with ``own_page=True`` the notebook has one of its own.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
pytest.importorskip("jupyterlab", reason="jupyterlab is not installed")

APP = os.environ.get("OBJCLASS_BROWSER_APP", "lab")
THEME = os.environ.get("OBJCLASS_BROWSER_THEME", "")
CHROMIUM_FLAGS = [
    "--no-sandbox",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # As on a machine without a graphics card: only WebGL is emulated. With --use-angle=swiftshader the whole
    # page would be, and every change of it would take a tenth of a second.
    "--disable-gpu",
    "--enable-unsafe-swiftshader",
]
PATIENCE = 180  # seconds for what takes one, so that it is only too late where it never comes
# Extensions of JupyterLab that no notebook needs, and that each page would load.
UNUSED = (
    "console csvviewer debugger extensionmanager fileeditor help htmlviewer hub imageviewer inspector "
    "javascript json launcher logconsole lsp markdownviewer pdf pluginmanager running settingeditor terminal "
    "tooltip vega5 workspaces"
)
POLLING = 50  # milliseconds; looking in each frame would have the page drawn as often
COUNT_MESSAGES = """
    window.largestMessage = 0;
    const send = WebSocket.prototype.send;
    WebSocket.prototype.send = function (data) {
        window.largestMessage = Math.max(window.largestMessage, data.byteLength ?? data.length ?? 0);
        return send.call(this, data);
    };
"""
# Resolves once an element has kept its place and size for some frames.
KEEPS_STILL = """(element) => new Promise((resolve) => {
    let [before, same] = ['', 0];
    const look = () => {
        const {x, y, width, height} = element.getBoundingClientRect();
        const now = [x, y, width, height].join();
        same = width && now === before ? same + 1 : 0;
        before = now;
        if (same === 8) resolve();
        else requestAnimationFrame(look);
    };
    look();
})"""
OPEN = """(path) => {
    window.largestMessage = 0;
    void jupyterapp.commands.execute('docmanager:open', {path});
}"""
RUN_ALL = """() => {
    window.hasRun = false;
    const run = jupyterapp.commands.execute('notebook:run-all-cells');
    const done = () => (window.hasRun = true);
    void run.then(done, done);
}"""
# Ends the kernel and closes the notebook without a question. The browser's storage has strokes not kept yet.
CLOSE = """async () => {
    const widget = jupyterapp.shell.currentWidget;
    await widget?.sessionContext?.shutdown();
    widget?.dispose();
    localStorage.clear();
    const drawn = globalThis.__k3dWidgets?.objects ?? {};
    for (const id of Object.keys(drawn)) delete drawn[id];
}"""
SCRIPT = str(Path(__file__).with_name("kernels.py"))
FAILED = pytest.StashKey[bool]()
APPS = {"lab": "jupyterlab", "notebook": "notebook"}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark everything in this folder as a browser test."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """Remember which tests have failed."""
    report = yield
    if report.failed:
        item.stash[FAILED] = True
    return report


class Kernels:
    """The process that forks the kernels of all servers: see ``kernels.py``."""

    def __init__(self, folder: Path) -> None:
        self.socket = folder / "kernels"
        self.log = (folder / "kernels.log").open("wb")
        environment = dict(os.environ) | {"IPYTHONDIR": str(folder / "ipython")}
        self.process = subprocess.Popen(
            [sys.executable, SCRIPT, "serve", str(self.socket)],
            env=environment,
            stdout=self.log,
            stderr=subprocess.STDOUT,
        )

    def stop(self) -> None:
        end(self.process)
        self.log.close()


class Server:
    """A Jupyter server on a free port of the loopback, with settings of its own: ``lab`` or ``notebook``."""

    def __init__(self, folder: Path, kernels: Kernels, app: str = "lab") -> None:
        self.root = folder / "notebooks"
        self.root.mkdir()
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        names = {
            "JUPYTER_CONFIG_DIR": "config",
            "JUPYTER_DATA_DIR": "data",
            "JUPYTER_RUNTIME_DIR": "runtime",
            "JUPYTERLAB_SETTINGS_DIR": "settings",
            "JUPYTERLAB_WORKSPACES_DIR": "workspaces",
            "IPYTHONDIR": "ipython",
        }
        environment = dict(os.environ) | {name: str(folder / part) for name, part in names.items()}
        environment["JUPYTER_PREFER_ENV_PATH"] = "0"  # in a virtual environment, its kernels would come first
        environment["OBJCLASS_WARMUP"] = "0"  # it would begin anew in each kernel
        if app == "lab":  # Notebook 7 does not know this plugin, nor show news
            settings = folder / "settings" / "@jupyterlab" / "apputils-extension"
            settings.mkdir(parents=True)
            quiet = {"fetchNews": "false", "checkForUpdates": False, "doNotDisturbMode": True}
            (settings / "notification.jupyterlab-settings").write_text(json.dumps(quiet))
            (folder / "config" / "labconfig").mkdir(parents=True)
            disabled = {f"@jupyterlab/{name}-extension": True for name in UNUSED.split()}
            page_config = json.dumps({"disabledExtensions": disabled})
            (folder / "config" / "labconfig" / "page_config.json").write_text(page_config)
        self.log = (folder / "server.log").open("wb")
        self.kernels = kernels
        ask_for_kernels(folder, kernels.socket)
        self.process = subprocess.Popen(
            [
                *(sys.executable, "-m", APPS[app], "--no-browser", "--ip=127.0.0.1", "--allow-root"),
                *(f"--port={self.port}", "--ServerApp.port_retries=0", f"--ServerApp.root_dir={self.root}"),
                *("--IdentityProvider.token=", "--ServerApp.password="),
                *("--ServerApp.disable_check_xsrf=True", "--LabApp.expose_app_in_browser=True"),
                "--JupyterNotebookApp.expose_app_in_browser=True",
                "--KernelManager.shutdown_wait_time=0.2",  # nothing is kept by then
            ],
            env=environment,
            stdout=self.log,
            stderr=subprocess.STDOUT,
        )

    def wait(self) -> None:
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline and self.process.poll() is None:
            with contextlib.suppress(OSError), urllib.request.urlopen(f"{self.url}/api/status", timeout=2):
                if self.kernels.socket.exists():
                    return
            time.sleep(0.2)
        self.stop()
        raise RuntimeError(f"the Jupyter server did not start; its log is {self.log.name}")

    def delete(self, path: str) -> None:
        request = urllib.request.Request(f"{self.url}{path}", method="DELETE")
        with contextlib.suppress(OSError), urllib.request.urlopen(request, timeout=PATIENCE):
            pass

    def stop(self) -> None:
        end(self.process)
        self.log.close()


def end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(20)


def ask_for_kernels(folder: Path, socket: Path) -> None:
    """Tell Jupyter to ask a process of `Kernels` instead of starting its own."""
    described = folder / "data" / "kernels" / "python3"
    described.mkdir(parents=True)
    command = [sys.executable, "-S", SCRIPT, "start", str(socket), "{connection_file}"]
    spec = {"argv": command, "display_name": "Python 3 (ipykernel)", "language": "python"}
    (described / "kernel.json").write_text(json.dumps(spec))


class Notebook:
    """A notebook in the browser, and the kernel behind it."""

    patience = PATIENCE

    def __init__(self, server: Server, page: Any, url: str, name: str, app: str) -> None:
        self.server, self.page, self.url, self.name, self.app = server, page, url, name, app
        self.errors: list[str] = []
        self.outside: list[str] = []
        self.diary: deque[str] = deque(maxlen=40)
        self._heard: list[tuple[str, Callable[[Any], None]]] = []
        self.hear("console", lambda message: self._write(f"console: {message.type}: {message.text}"))
        self.hear("websocket", self._note_socket)
        self.hear("framenavigated", lambda frame: self._write(f"page at {frame.url}"))
        self.hear("crash", lambda _: self._write("the page crashed"))
        self.hear("pageerror", self._note_error)
        self.hear("request", self._note_request)
        page.set_default_timeout(PATIENCE * 1000)

    def hear(self, event: str, listener: Callable[[Any], None]) -> None:
        """Call `listener` at each event of the page, as long as this notebook is in it."""
        self.page.on(event, listener)
        self._heard.append((event, listener))

    def _write(self, text: str) -> None:
        self.diary.append(f"{time.strftime('%H:%M:%S')} {text[:300]}")

    def _note_socket(self, socket: Any) -> None:
        path = urlsplit(socket.url).path
        socket.on("close", lambda _: self._write(f"closed: {path}"))
        socket.on("socketerror", lambda error: self._write(f"{error}: {path}"))
        self._write(f"opened: {path}")

    def tell(self) -> str:
        """Return what page and server have reported last, for the message of a test that fails."""
        log = Path(self.server.log.name).read_text(errors="replace").splitlines()
        return "\n".join([*self.diary, "server:", *log[-25:]])

    def _note_error(self, error: Any) -> None:
        # Notebook 7 itself stumbles over a plugin without settings while it starts.
        if not (
            self.app == "notebook" and "reading 'schema'" in str(error) and "notebook_core" in error.stack
        ):
            self.errors.append(f"{error} {error.stack}")

    def _note_request(self, request: Any) -> None:
        parts = urlsplit(request.url)
        if parts.scheme in ("http", "https", "ws", "wss") and parts.hostname != "127.0.0.1":
            self.outside.append(request.url)

    def open(self) -> None:
        """Load the page of the notebook, and wait for the kernel."""
        where = f"/doc/tree/{self.name}?reset" if self.app == "lab" else f"/notebooks/{self.name}"
        self.page.goto(f"{self.url}{where}", wait_until="domcontentloaded")
        self._wait_idle()

    def open_beside(self) -> None:
        """Open the notebook in a page of JupyterLab that is there already."""
        self.page.evaluate(OPEN, self.name)
        self._wait_idle()

    def go_to(self, name: str) -> None:
        """Close the notebook, and open another one in its place."""
        self.name = name
        if self.app == "lab":
            self.page.evaluate(CLOSE)
            self.open_beside()
        else:
            self.open()

    def _wait_idle(self) -> None:
        self.page.wait_for_function(
            """(name) => {
                const {context, sessionContext} = window.jupyterapp?.shell.currentWidget ?? {};
                return context?.path === name && sessionContext?.session?.kernel?.status === 'idle';
            }""",
            arg=self.name,
            polling=POLLING,
        )

    def command(self, name: str, **arguments: Any) -> None:
        """Execute a command of JupyterLab's."""
        self.page.evaluate("([name, args]) => jupyterapp.commands.execute(name, args)", [name, arguments])

    def run_all(self) -> None:
        """Run all cells, wait until they have run, and fail where one raised."""
        self.page.evaluate(RUN_ALL)
        self.page.wait_for_function("() => window.hasRun", polling=POLLING)
        failures = self.page.evaluate(
            """() => [...jupyterapp.shell.currentWidget.content.model.cells].flatMap((cell) =>
                   (cell.toJSON().outputs ?? []).filter((output) => output.output_type === 'error')
                   .map((output) => output.traceback.join('\\n')))"""
        )
        assert not failures, "\n".join(failures)

    def kernel(self, expression: str, *, setup: str = "") -> Any:
        """Return the value of a Python expression in the kernel; it must be possible as JSON."""
        answer = self.page.evaluate(
            """async (code) => {
                const kernel = jupyterapp.shell.currentWidget.sessionContext.session.kernel;
                const future = kernel.requestExecute({code, silent: false, store_history: false});
                let text = '', error = null;
                future.onIOPub = (message) => {
                    if (message.header.msg_type === 'stream') text += message.content.text;
                    if (message.header.msg_type === 'error') error = message.content.traceback.join('\\n');
                };
                await future.done;
                return {text, error};
            }""",
            f"{setup}\nimport json as _json\nprint('\\n@@' + _json.dumps({expression}))",
        )
        assert answer["error"] is None, answer["error"]
        return json.loads(answer["text"].rsplit("\n@@", 1)[1])

    def wait_kernel(self, expression: str, *, setup: str = "") -> Any:
        """Wait until a Python expression is true in the kernel, and return its value."""
        deadline, pause = time.monotonic() + self.patience, 30.0
        while not (value := self.kernel(expression, setup=setup)):
            assert time.monotonic() < deadline, f"not true after {self.patience} s: {expression}"
            self.page.wait_for_timeout(pause)
            pause = min(1.5 * pause, 400)  # it may be at work, which each question delays
        return value

    def cells(self) -> list[list[str]]:
        """Return type and source of every cell."""
        return self.page.evaluate(
            """() => [...jupyterapp.shell.currentWidget.content.model.cells].map((cell) =>
                   [cell.type, cell.sharedModel.getSource()])"""
        )

    def wait_still(self, element: str | Any) -> None:
        """Wait until an element, a locator or a selector, keeps its place and size."""
        found = self.page.locator(element).last if isinstance(element, str) else element
        found.evaluate(KEEPS_STILL)

    def largest_message(self) -> int:
        """Return the size of the largest message that the page has sent, in bytes."""
        return int(self.page.evaluate("() => window.largestMessage"))

    def theme(self, name: str) -> None:
        """Change the theme: ``"JupyterLab Light"`` or ``"JupyterLab Dark"``."""
        self.command("apputils:change-theme", theme=name)
        dark = "false" if "Dark" in name else "true"
        self.page.wait_for_function(
            f"""() => document.body.dataset.jpThemeLight === '{dark}'
                && !document.querySelector('#jupyterlab-splash')"""  # which takes clicks
        )

    def keep_picture(self, name: str) -> None:
        """Keep a picture in the folder OBJCLASS_SCREENSHOTS, where it is given, to be looked at."""
        if folder := os.environ.get("OBJCLASS_SCREENSHOTS"):
            self.page.wait_for_timeout(600)
            self.page.screenshot(path=Path(folder) / f"{name}.png")

    def keep_pictures(self, name: str) -> None:
        """Keep a picture in each theme."""
        if os.environ.get("OBJCLASS_SCREENSHOTS"):
            for theme in ("Dark", "Light"):
                self.theme(f"JupyterLab {theme}")
                self.keep_picture(f"{name}-{theme.lower()}")

    def save_and_reload(self) -> None:
        self.command("docmanager:save")
        self.page.wait_for_function("() => !jupyterapp.shell.currentWidget.context.model.dirty")
        self.open()

    def close(self) -> None:
        """End the kernel, and leave the page as if the notebook had not been in it."""
        with contextlib.suppress(sync_api.Error):
            self.page.evaluate(CLOSE)
        for event, listener in self._heard:
            self.page.remove_listener(event, listener)


class Pages:
    """The pages of a browser. One of each application serves test after test, as it takes long to load."""

    def __init__(self, browser: Any) -> None:
        self.browser = browser
        self.kept: dict[str, Any] = {}

    def new(self, viewport: dict[str, int], **context: Any) -> Any:
        page = self.browser.new_context(viewport=viewport, **context).new_page()
        page.add_init_script(COUNT_MESSAGES)
        return page

    def take(self, app: str, viewport: dict[str, int]) -> Any:
        """Return the page that was kept; None where there is none."""
        page = self.kept.pop(app, None)
        if page is not None:
            page.set_viewport_size(viewport)
            page.mouse.move(0, 0)
        return page

    def give_back(self, app: str, page: Any) -> None:
        """Keep a page, unless there is one or it waits for an answer, of which the Escape key is none."""
        dialogs = page.locator(".jp-Dialog")
        for _ in range(10):
            if dialogs.count():
                page.keyboard.press("Escape")
        if app in self.kept or dialogs.count():
            page.context.close()
        else:
            self.kept[app] = page


@pytest.fixture(scope="session")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Server]]:
    """Start the servers that all browser tests share, each when it is needed first."""
    started: dict[str, Server] = {}
    kernels = Kernels(tmp_path_factory.mktemp("kernels"))

    def get(app: str) -> Server:
        if app not in started:
            server = Server(tmp_path_factory.mktemp(app), kernels, app)
            server.wait()
            started[app] = server
        return started[app]

    yield get
    for each in (*started.values(), kernels):
        each.stop()


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """Start the Chromium that all browser tests share."""
    names = ("chromium", "chromium-browser", "google-chrome")
    executable = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, names)), None)
    with sync_api.sync_playwright() as playwright:
        try:
            browser = playwright.chromium.launch(executable_path=executable, args=CHROMIUM_FLAGS)
        except sync_api.Error as error:
            pytest.skip(f"no Chromium: {str(error).splitlines()[0]}")
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def pages(browser: Any) -> Pages:
    return Pages(browser)


@pytest.fixture
def open_notebook(
    servers: Callable[[str], Server], pages: Pages, request: pytest.FixtureRequest
) -> Iterator[Callable[..., Notebook]]:
    """Open a notebook made of code cells and run it; see this module's docstring."""
    opened: list[tuple[Notebook, bool]] = []

    def make(
        cells: list[str],
        *,
        app: str = APP,
        run: bool = True,
        url: str = "",
        viewport: tuple[int, int] = (1366, 768),  # of many a laptop in a workshop
        own_page: bool = False,
        **context: Any,
    ) -> Notebook:
        server = servers(app)
        name = f"{request.node.name.replace('[', '-').replace(']', '')}-{len(opened)}.ipynb"
        (server.root / name).write_text(json.dumps(notebook_document(cells)))
        size = {"width": viewport[0], "height": viewport[1]}
        is_shared = not (own_page or url or context)
        kept = pages.take(app, size) if is_shared else None
        notebook = Notebook(server, kept or pages.new(size, **context), url or server.url, name, app)
        opened.append((notebook, is_shared))
        if kept and app == "lab":
            notebook.open_beside()
        else:
            notebook.open()
        if THEME:
            notebook.theme(f"JupyterLab {THEME}")
        if run:
            notebook.run_all()
        return notebook

    yield make
    problems = [note for notebook, _ in opened for note in notebook.errors + notebook.outside]
    for notebook, is_shared in opened:
        notebook.close()
        if is_shared and not problems and FAILED not in request.node.stash:
            pages.give_back(notebook.app, notebook.page)
        else:
            notebook.page.context.close()
    assert not problems, f"page errors, or requests that left the machine: {problems}"


def notebook_document(cells: list[str]) -> dict[str, Any]:
    """Return a notebook of these code cells as nbformat's JSON."""
    return {
        "nbformat": 4,
        "nbformat_minor": 5,
        "metadata": {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}},
        "cells": [
            {
                "cell_type": "code",
                "id": f"cell-{number}",
                "metadata": {},
                "execution_count": None,
                "outputs": [],
                "source": source,
            }
            for number, source in enumerate(cells)
        ],
    }
