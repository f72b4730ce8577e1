"""The columns that tell classes apart, in the panel of the classes."""

from __future__ import annotations

from typing import Any

from tests.browser.explorer_driver import Driver
from tests.browser.test_explorer_classes import SETUP, SHOW, give_by_pointer

MOST = """explorer.classifier.feature_importances()['column'].iloc[0]"""


def test_the_most_important_column_is_that_of_the_classes_and_goes_on_the_axis(open_notebook: Any) -> None:
    notebook = open_notebook([SETUP, SHOW], app="notebook")
    explorer, page = Driver(notebook), notebook.page
    page.locator('[data-tab="classes"]').click()
    page.wait_for_selector('.oce[data-giving="1"]')
    give_by_pointer(explorer, 8)
    page.wait_for_selector('.oce[data-learnt="true"]')
    explorer.kernel("explorer.wait()")
    page.get_by_role("button", name="Cross-validate").click()
    page.locator(".oce-importances button").first.wait_for()
    page.locator(".oce-importances").scroll_into_view_if_needed()
    notebook.keep_pictures("importances")
    importances = page.locator(".oce-importances button").all_inner_texts()
    assert importances[0] == explorer.kernel(MOST)
    page.locator(".oce-importances button").first.click()
    explorer.wait(f"explorer.x == {importances[0]!r}")
