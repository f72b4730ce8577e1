"""Classes by clicks in a real page: what the pointer gives is what a script with the same examples learns."""

from __future__ import annotations

import os
import signal
from typing import Any

import numpy as np

from tests.browser.explorer_driver import PLOT, SLICE, Driver, ring

SETUP = """
import numpy as np, objclass
sample = objclass.samples.embryo((24, 128, 128))
labels = objclass.exclude_small(sample.labels, 60, relabel=False)
image, spacing = sample.image, sample.spacing
few = "area", "solidity", "axis_major_length", "intensity_mean", "intensity_std"
measured = objclass.measure(labels, image, spacing=spacing, properties=few)
"""
SHOW = """
explorer = objclass.explore(image, labels, measured, x="area", y="intensity_mean", spacing=spacing,
                            save_to="classes.json")
explorer
"""
BY_HAND = """objclass.classify(measured, objclass.train_table_classifier(
    measured, explorer.objects.classes.named()))[['CLASS', 'CLASS_PROBABILITY']]"""
MOST = "explorer.classifier.feature_importances()['column'].iloc[0]"
GIVEN = "len(explorer.objects.classes.state.examples)"


def give_by_pointer(explorer: Driver, count: int) -> None:
    """Click the smallest objects as class 1, the largest as class 2, `count` of each."""
    page = explorer.page
    _, pixels = explorer.plot_scale()
    points = explorer.points()
    order, places = np.argsort(points[:, 0], kind="stable"), pixels(points)
    for number, rows in ((1, order[:count]), (2, order[-count:])):
        page.locator(PLOT).focus()
        page.keyboard.press(str(number))
        page.wait_for_selector(f'.oce[data-giving="{number}"]')
        for row in rows.tolist():  # faster than anything is learnt
            explorer.click(PLOT, *places[row])
        page.wait_for_selector(f'.oce[data-examples~="{number}:{count}"]')


def same_as_script(explorer: Driver) -> bool:
    """Wait until nothing is left to learn, and compare the table with what a script learns."""
    explorer.kernel("explorer.wait()")
    return bool(explorer.kernel(f"bool(explorer.table[['CLASS', 'CLASS_PROBABILITY']].equals({BY_HAND}))"))


def test_clicks_teach_what_a_script_learns_and_none_is_lost(open_notebook: Any) -> None:
    notebook = open_notebook([SETUP, SHOW])
    explorer, page = Driver(notebook), notebook.page
    page.locator('[data-tab="classes"]').click()
    explorer.wait("explorer.color == 'CLASS'")
    page.locator('[data-tab="groups"]').click()
    explorer.wait("explorer.color == 'MANUAL_CLUSTER_ID'")  # nothing was given
    page.locator('[data-tab="classes"]').click()
    page.wait_for_selector('.oce[data-giving="1"]')
    give_by_pointer(explorer, 6)
    page.wait_for_selector('.oce[data-learnt="true"]')
    explorer.wait(f"{GIVEN} == 12")
    assert same_as_script(explorer)
    page.locator('[data-tab="groups"]').click()
    explorer.wait("explorer.giving == 0")
    assert explorer.kernel("explorer.color") == "CLASS"
    page.locator('[data-tab="classes"]').click()
    page.wait_for_selector('.oce:not([data-giving="0"])')

    # An object in the slice, a table row, many at once, and back.
    given = explorer.kernel(GIVEN)
    index = int(page.locator(SLICE).get_attribute("data-index"))
    view = page.locator(SLICE).evaluate("e => JSON.parse(e.dataset.transform)")
    label, row, col = explorer.kernel(
        f"""(lambda n, places: [int(n), *places[len(places) // 2].tolist()])(*next(
            (n, np.argwhere(labels[{index}] == n)) for n in np.unique(labels[{index}])[1:]
            if n not in explorer.objects.classes.state.examples))"""
    )
    where = (view["x"] + (col + 0.5) * view["colScale"], view["y"] + (row + 0.5) * view["rowScale"])
    explorer.click(SLICE, *where)
    explorer.wait(f"{label} in explorer.objects.classes.state.examples and explorer.focus == {label}")
    page.locator(SLICE).focus()
    page.keyboard.press("Control+z")
    explorer.wait(f"{label} not in explorer.objects.classes.state.examples")
    page.locator('[data-tab="table"]').click()
    page.locator(f'.oce-table tr[data-label="{label}"]').click()
    explorer.wait(f"{label} in explorer.objects.classes.state.examples")
    page.locator('[data-tab="classes"]').click()
    box = page.locator(SLICE).bounding_box()
    explorer.drag(SLICE, ring(box["width"] / 2, box["height"] / 2, box["height"] / 2.2))
    explorer.wait(f"{GIVEN} > {given} + 1")
    assert not explorer.kernel("len(explorer.groups)"), "no group was drawn"
    assert same_as_script(explorer)

    # Examples have a ring, the prediction the class's colour; the next object is the suggested one.
    page.keyboard.press("n")
    explorer.wait(
        "explorer.focus == objclass.suggest_objects(measured, explorer.classifier, 1)['label'].iloc[0]"
    )
    page.get_by_role("button", name="Cross-validate").click()
    page.locator(".oce-judged table").wait_for()
    page.locator(".oce-judged td button").first.click()
    explorer.wait("explorer.objects.classes.state.examples.get(explorer.focus) == 1")

    # The column that tells the classes apart best goes on the axis.
    page.locator(".oce-importances button").first.wait_for()
    page.locator(".oce-importances").scroll_into_view_if_needed()
    notebook.keep_pictures("importances")
    importances = page.locator(".oce-importances button").all_inner_texts()
    assert importances[0] == explorer.kernel(MOST)
    page.locator(".oce-importances button").first.click()
    explorer.wait(f"explorer.x == {importances[0]!r}")

    # A killed kernel and a page that is loaded anew lose no click.
    explorer.kernel("explorer.wait()")
    before = explorer.kernel("sorted(explorer.objects.classes.state.examples.items())")
    os.kill(explorer.kernel("__import__('os').getpid()"), signal.SIGKILL)
    page.locator(".oc-lost").wait_for()
    notebook.open()
    notebook.run_all()
    explorer = Driver(notebook)
    assert explorer.kernel("sorted(explorer.objects.classes.state.examples.items())") == before
    assert same_as_script(explorer)
    page.wait_for_selector('.oce[data-learnt="true"]')
