"""Pictures and code to keep, by button."""

from __future__ import annotations

import os
from pathlib import Path

from tests.browser.explorer_driver import PLOT, SETUP, Driver, centre_of_crowd, ring


def test_pictures_and_code_are_kept(open_notebook, tmp_path: Path) -> None:
    explorer = Driver(open_notebook([SETUP.format(shape="(24, 96, 96)"), "explorer"]))
    page = explorer.page
    _, pixels = explorer.plot_scale()
    explorer.drag(PLOT, ring(*centre_of_crowd(pixels(explorer.points())), 70))
    explorer.wait("len(explorer.groups) == 1")
    menu = page.locator(".oce-save summary")
    for part, file_format in (("plot", "SVG"), ("slice", "PNG"), ("3d", "PNG"), ("plot and slice", "SVG")):
        menu.click()
        explorer.notebook.keep_picture("explorer-save")
        with page.expect_download() as download:
            page.get_by_label(f"Save {part} as {file_format}", exact=True).click()
        path = tmp_path / download.value.suggested_filename
        download.value.save_as(path)
        data = path.read_bytes()
        assert data.startswith(b"\x89PNG" if file_format == "PNG" else b"<?xml")
        if file_format == "SVG":
            assert "Group 1" in data.decode()
        assert menu.evaluate("e => e === document.activeElement")
    if folder := os.environ.get("OBJCLASS_SCREENSHOTS"):
        (Path(folder) / "saved-3d.png").write_bytes((tmp_path / "explorer-3d.png").read_bytes())
        page.get_by_role("button", name="3D", exact=True).click()
        page.wait_for_selector('.oce-volume[data-ready="true"]')
        page.wait_for_timeout(1500)
        page.screenshot(path=Path(folder) / "explorer-3d-page.png")

    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.get_by_role("button", name="Copy code").click()
    page.get_by_role("button", name="Copied").wait_for()
    assert page.evaluate("() => navigator.clipboard.readText()") == explorer.kernel("explorer.code()")
    page.context.clear_permissions()

    # Without a clipboard it can be copied from a field.
    page.evaluate(
        "() => Object.defineProperty(navigator, 'clipboard', {value: undefined, configurable: true})"
    )
    page.get_by_role("button", name="Copied").wait_for(state="detached")
    page.get_by_role("button", name="Copy code").click()
    assert page.get_by_label("Code", exact=True).input_value() == explorer.kernel("explorer.code()")
    page.keyboard.press("Escape")
    page.get_by_label("Code", exact=True).wait_for(state="detached")
    page.evaluate("() => delete navigator.clipboard")
