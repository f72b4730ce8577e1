"""JupyterLab in a real Chromium, near and far away."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

from .delay import DelayProxy

DELAYS = (0.0, 0.15)


@contextmanager
def pages() -> Iterator[Any]:
    """Yield a function that opens code cells in JupyterLab behind a delay; see ``tests/browser``."""
    os.environ["PYTHONPATH"] = os.pathsep.join(
        [str(Path(__file__).parents[1]), os.environ.get("PYTHONPATH", "")]
    )
    from playwright.sync_api import sync_playwright

    from tests.browser.conftest import CHROMIUM_FLAGS, Kernels, Notebook, Server, notebook_document

    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        kernels = Kernels(Path(folder))
        server = Server(Path(folder), kernels)
        proxies = {delay: DelayProxy(server.port, delay) for delay in DELAYS}
        executable = shutil.which("chromium") or shutil.which("google-chrome")
        browser = playwright.chromium.launch(executable_path=executable, args=CHROMIUM_FLAGS)
        try:
            server.wait()

            @contextmanager
            def opened(cells: list[str], delay: float) -> Iterator[Any]:
                name = f"{time.monotonic_ns()}.ipynb"
                (server.root / name).write_text(json.dumps(notebook_document(cells)))
                page = browser.new_context(viewport={"width": 1400, "height": 1100}).new_page()
                notebook = Notebook(server, page, proxies[delay].url, name, "lab")
                page.set_default_timeout(180_000)
                notebook.open()
                try:
                    yield notebook
                finally:
                    notebook.close()

            yield opened
        finally:
            browser.close()
            for proxy in proxies.values():
                proxy.close()
            server.stop()
            kernels.stop()


def milliseconds(values: list[float]) -> str:
    """Write the median and the range."""
    return f"{median(values):.1f} ms ({min(values):.1f}–{max(values):.1f})"
