"""The explorer by axe-core's rules of WCAG 2 A and AA: names, roles, contrast."""

from __future__ import annotations

from typing import Any

import pytest

from tests.browser.explorer_driver import PLOT, SETUP, Driver, centre_of_crowd, ring

axe = pytest.importorskip("axe_core_python.sync_playwright", reason="axe-core-python is not installed")


def violations(page: Any, root: str) -> list[str]:
    """Return what breaks a rule within an element, a line each."""
    options = {"runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]}}
    found = axe.Axe().run(page, root, options)
    return [
        f"{rule['id']}: {node['html'][:160]} {node['any'][:1] and node['any'][0]['message']}"
        for rule in found["violations"]
        for node in rule["nodes"]
    ]


@pytest.mark.parametrize("theme", ["Light", "Dark"])
def test_explorer(open_notebook, theme: str) -> None:
    explorer = Driver(open_notebook([SETUP.format(shape="(24, 96, 96)"), "explorer"], viewport=(1366, 1000)))
    page = explorer.page
    explorer.notebook.theme(f"JupyterLab {theme}")
    _, pixels = explorer.plot_scale()
    explorer.drag(PLOT, ring(*centre_of_crowd(pixels(explorer.points())), 70))
    explorer.wait("len(explorer.groups) == 1")
    problems = []
    for tab in page.locator(".oce-tab").all():
        tab.click()
        page.wait_for_timeout(500)
        problems += [f"{tab.inner_text()}: {one}" for one in violations(page, ".oce")]
    assert not problems, "\n".join(dict.fromkeys(problems))
