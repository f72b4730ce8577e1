"""The legend as a control: names, colours and groups of categories, the columns and the code they make."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import objclass
from objclass.widgets.explorer.explorer import explore
from tests.widgets.explorer.test_explorer import Page


def experiment() -> tuple[np.ndarray, np.ndarray, pd.DataFrame]:
    labels = np.kron(np.arange(1, 13).reshape(3, 4), np.ones((4, 4), int)) * 2
    table = objclass.measure(labels, labels * 3, progress=False)
    table["KMEANS_CLUSTER_ID"] = pd.array([0, 1, 2, None] * 3, "Int64")
    table['day\'s "kind"'] = list("aabbccaabbcc")
    return labels * 3, labels, table


@pytest.fixture
def page() -> Page:
    return Page(explore(*experiment(), color="KMEANS_CLUSTER_ID"))


def categories(page: Page, column: str) -> list[dict]:
    return next(entry for entry in page.explorer._columns if entry["name"] == column)["categories"]


def rerun(page: Page) -> pd.DataFrame:
    image, labels, table = experiment()
    space = {"image": image, "labels": labels, "table": table}
    exec(page.explorer.code(), space)
    return space["table"]


def test_names_and_colours_of_clusters(page: Page) -> None:
    column = "KMEANS_CLUSTER_ID"
    page.tell("legend", action="rename", column=column, category="1", name=" mitotic ")
    page.tell("legend", action="recolor", column=column, category="2", color="#ABCDEF")
    named = categories(page, column)
    assert [(c["value"], c["name"]) for c in named] == [("0", "0"), ("1", "mitotic"), ("2", "2")]
    assert named[2]["color"] == "#abcdef"
    names = page.explorer.table["KMEANS_CLUSTER_NAME"]
    assert names.tolist()[:3] == ["0", "mitotic", "2"]
    assert names.isna().sum() == 3
    pd.testing.assert_frame_equal(rerun(page), page.explorer.table)
    rows = page.tell("rows", count=2)
    assert rows["cells"][1][rows["columns"].index("KMEANS_CLUSTER_NAME")] == "mitotic"
    page.tell("legend", action="rename", column=column, category="1", name="")
    assert "KMEANS_CLUSTER_NAME" not in page.explorer.table


@pytest.mark.parametrize("column", ["KMEANS_CLUSTER_ID", 'day\'s "kind"'])
def test_clusters_become_groups(page: Page, column: str) -> None:
    second = categories(page, column)[1]["value"]
    page.tell("legend", action="rename", column=column, category=second, name="two")
    page.tell("legend", action="to_groups", column=column)
    assert page.explorer.error == ""
    codes = pd.factorize(experiment()[2][column], sort=True)[0] + 1
    np.testing.assert_array_equal(page.explorer.table["MANUAL_CLUSTER_ID"], codes)
    assert page.explorer.groups["name"].tolist() == ["", "two", ""]
    assert page.explorer.groups["color"].tolist() == [c["color"] for c in categories(page, column)]
    assert page.explorer.color == "MANUAL_CLUSTER_ID"
    assert set(page.explorer.table["MANUAL_CLUSTER_NAME"].dropna()) == {"group 1", "two", "group 3"}
    pd.testing.assert_frame_equal(rerun(page), page.explorer.table)


def test_isolating_a_group_and_showing_all_again(page: Page) -> None:
    page.tell("legend", action="to_groups", column="KMEANS_CLUSTER_ID")
    page.tell("group", action="isolate", group=2)
    assert page.explorer.groups["hidden"].tolist() == [True, False, True]
    page.tell("group", action="isolate", group=2)
    assert not page.explorer.groups["hidden"].any()


def test_what_was_named_goes_on_from_the_file(tmp_path) -> None:
    file = tmp_path / "objects.json"
    before = Page(explore(*experiment(), color="KMEANS_CLUSTER_ID", save_to=file))
    before.tell("legend", action="rename", column="KMEANS_CLUSTER_ID", category="1", name="mitotic")
    before.tell("legend", action="recolor", column="KMEANS_CLUSTER_ID", category="1", color="#010203")
    before.explorer.hidden = {"KMEANS_CLUSTER_ID": ["0"]}
    before.explorer.wait()
    after = Page(explore(*experiment(), color="KMEANS_CLUSTER_ID", save_to=file))
    assert categories(after, "KMEANS_CLUSTER_ID") == categories(before, "KMEANS_CLUSTER_ID")
    assert after.explorer.hidden == {"KMEANS_CLUSTER_ID": ["0"]}
    pd.testing.assert_frame_equal(after.explorer.table, before.explorer.table)
    assert after.explorer.code() == before.explorer.code()


@pytest.mark.parametrize(
    ("message", "words"),
    [
        ({"action": "rename", "column": "area", "category": "1", "name": "x"}, "column: expected one of"),
        ({"action": "burn", "column": "KMEANS_CLUSTER_ID"}, "action: expected one of 'rename'"),
        (
            {"action": "rename", "column": "KMEANS_CLUSTER_ID", "category": "9", "name": "x"},
            "category: expected one of '0', '1', '2'",
        ),
        (
            {"action": "recolor", "column": "KMEANS_CLUSTER_ID", "category": "1", "color": "red"},
            "color: expected six hexadecimal digits",
        ),
    ],
)
def test_bad_messages_are_refused_with_words(page: Page, message: dict, words: str) -> None:
    page.tell("legend", **message)
    assert words in page.explorer.error
