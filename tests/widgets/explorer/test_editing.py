"""Objects corrected in the explorer: table, groups, examples and code follow, in any order of things."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import objclass
from objclass.widgets.explorer.explorer import explore
from tests.random_search import examples
from tests.widgets.explorer.test_explorer import Page

NUMBERS = [2, 4, 7, 9, 13, 22, 30, 31]


def experiment() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(1)
    labels = np.zeros((6, 18, 40), np.int32)
    for place, number in enumerate(NUMBERS):
        row, column = divmod(place, 4)
        labels[1:5, 1 + 9 * row : 8 + 9 * row, 1 + 10 * column : 9 + 10 * column] = number
    return rng.integers(100, 4000, labels.shape).astype(np.uint16), labels


def joined(image: np.ndarray, labels: np.ndarray) -> pd.DataFrame:
    table = objclass.measure(labels, image, progress=False)
    return table.assign(well=table["label"] * 10, note="note of " + table["label"].astype(str))


@pytest.fixture
def page() -> Page:
    image, labels = experiment()
    return Page(explore(image, labels, joined(image, labels)))


def edit(page: Page, kind: str, **details: Any) -> None:
    page.explorer.error = ""
    page.tell("edit", edit={"edit": kind, **details})


def cut(page: Page, label: int) -> None:
    """Cut an object in two across its middle column, in the plane y, x."""
    columns = np.nonzero(page.explorer.labels == label)[2]
    middle = columns.min() + (columns.max() - columns.min()) // 2 + 0.2
    edit(page, "cut", label=label, line=[[-1.0, float(middle)], [50.0, float(middle)]], axis=0)


def rerun(page: Page) -> pd.DataFrame:
    image, labels = experiment()
    space = {"image": image, "labels": labels, "table": joined(image, labels)}
    exec(page.explorer.code(), space)
    return space["table"]


def check(page: Page) -> None:
    """The table is that of the edited labels, joined columns are with their objects, the code repeats it."""
    image, labels = experiment()
    assert page.explorer.error == ""
    edited = objclass.edit_objects(labels, page.explorer.edits)
    np.testing.assert_array_equal(page.explorer.labels, edited)
    measured = objclass.measure(edited, image, progress=False)
    table = page.explorer.table
    pd.testing.assert_frame_equal(table[measured.columns], measured, check_exact=True, check_dtype=False)
    for label, well, note in table[["label", "well", "note"]].itertuples(index=False):
        old = label in NUMBERS
        assert (well == 10 * label and note == f"note of {label}") if old else pd.isna(well) and pd.isna(note)


def test_each_edit_is_followed_by_the_table(page: Page) -> None:
    page.explorer.focus = 9
    page.tell("select", shape="objects", objects=[2, 9, 22], mode="replace")
    edit(page, "merge", labels=[7, 9])
    check(page)
    assert page.explorer.focus == 0
    cut(page, 22)
    check(page)
    edit(page, "delete", labels=[2])
    check(page)
    edit(page, "grow", label=31, polygon=[[16, 25], [16, 38], [18, 38], [18, 25]], axis=0, index=0)
    check(page)
    table = page.explorer.table.set_index("label")
    assert table["MANUAL_CLUSTER_ID"].to_dict() == dict.fromkeys([4, 7, 13, 30, 31, 32], 0) | {22: 1}
    labels = np.frombuffer(page.explorer._objects["labels"], "<i4")
    assert labels.tolist() == table.index.tolist()
    for _ in range(4):
        edit(page, "undo")
        check(page)
    assert page.explorer.table["MANUAL_CLUSTER_ID"].tolist() == [1, 0, 0, 1, 0, 1, 0, 0]
    assert page.explorer._edits == {"count": 8, "undo": False, "redo": True}
    image, labels = experiment()
    expected = Page(explore(image, labels, joined(image, labels)))
    expected.tell("select", shape="objects", objects=[2, 9, 22], mode="replace")
    pd.testing.assert_frame_equal(page.explorer.table, expected.explorer.table, check_exact=True)
    pd.testing.assert_frame_equal(rerun(page), page.explorer.table, check_exact=True)


def test_what_was_undone_can_be_made_again(page):
    edit(page, "merge", labels=[4, 9])
    cut(page, 22)
    cut_once = page.explorer.labels.copy()
    states = [page.explorer.table]
    for kind in ("undo", "undo", "redo", "redo"):
        edit(page, kind)
        check(page)
        states.append(page.explorer.table)
    assert [len(state) for state in states] == [8, 7, 8, 7, 8]
    assert not page.explorer._edits["redo"]
    # The cut's second part has a number of its own each time.
    np.testing.assert_array_equal(page.explorer.labels > 0, cut_once > 0)
    assert page.explorer.labels.max() > cut_once.max()
    pd.testing.assert_frame_equal(rerun(page), page.explorer.table, check_exact=True)
    edit(page, "redo")
    assert "an edit that was undone" in page.explorer.error

    # Another edit leaves nothing to be made again.
    edit(page, "undo")
    edit(page, "delete", labels=[30])
    assert not page.explorer._edits["redo"]


@st.composite
def actions(draw: Any) -> list[tuple[str, Any]]:
    kinds = ["merge", "cut", "delete", "grow", "undo", "undo", "redo", "group", "group_undo", "reduce"]
    picks = st.lists(st.integers(0, 50), min_size=2, max_size=3, unique=True)
    return [(draw(st.sampled_from(kinds)), draw(picks)) for _ in range(draw(st.integers(2, 9)))]


def act(page: Page, kind: str, picks: list[int]) -> None:
    there = page.explorer.table["label"].tolist()
    chosen = list(dict.fromkeys(there[pick % len(there)] for pick in picks))
    if kind in ("merge", "delete") and (len(chosen) < 2 or len(there) < 6):
        return
    if kind in ("merge", "delete"):
        edit(page, kind, labels=chosen)
    elif kind == "cut":
        cut(page, chosen[0])
    elif kind == "grow":
        _, rows, columns = np.nonzero(page.explorer.labels == chosen[0])
        y, x = int(rows.min()) - 1, int(columns.min()) - 1
        edit(page, "grow", label=chosen[0], polygon=[[y, x], [y, x + 9], [y + 3, x]], index=picks[0] % 6)
    elif kind in ("undo", "redo"):
        edit(page, kind)
    elif kind == "group":
        page.tell("select", shape="objects", objects=chosen, mode="next")
    elif kind == "group_undo":
        page.tell("group", action="undo")
    else:
        page.tell("step", step="reduce", method="pca", n_components=2)
        page.explorer.wait(60)
    harmless = ("divides object", "an edit before it", "an edit that was undone")
    if any(words in page.explorer.error for words in harmless):
        page.explorer.error = ""
    if "background in it" in page.explorer.error:
        page.explorer.error = ""


@examples(4)
@given(actions())
def test_any_sequence_keeps_the_table_equal_to_the_edited_labels(sequence: list[tuple[str, Any]]) -> None:
    image, labels = experiment()
    page = Page(explore(image, labels, joined(image, labels)))
    for kind, picks in sequence:
        act(page, kind, picks)
        check(page)
    pd.testing.assert_frame_equal(rerun(page), page.explorer.table, check_exact=True)
    state = json.loads(json.dumps(page.explorer._session.to_json(), allow_nan=False))
    again = explore(image, labels, joined(image, labels))
    again._session.restore(state)
    again.wait()
    pd.testing.assert_frame_equal(again.table, page.explorer.table, check_exact=True)
    assert again.code() == page.explorer.code()
    both = [page, Page(again)]
    while page.explorer._edits["undo"]:
        for one in both:
            edit(one, "undo")
        pd.testing.assert_frame_equal(again.table, page.explorer.table, check_exact=True)
    np.testing.assert_array_equal(page.explorer.labels, labels)


def test_going_on_from_a_file_knows_the_numbers_of_undone_edits_too(tmp_path):
    image, labels = experiment()
    path = tmp_path / "state.json"

    def opened() -> Page:
        return Page(explore(image, labels, joined(image, labels), save_to=path))

    page = opened()
    cut(page, 2)
    new = int(page.explorer.labels.max())
    page.tell("class", action="start")
    page.tell("class", action="give", labels=[new], number=2)
    page.tell("select", shape="objects", objects=[new], mode="replace")
    edit(page, "undo")
    page.explorer.wait()
    stored = json.loads(path.read_text())

    again = opened()
    assert json.loads(json.dumps(again.explorer.objects.to_json())) == {
        name: value
        for name, value in stored.items()
        if name not in ("format", "version", "objects", "opened_with", "view")
    }
    cut(again, 4)
    assert int(again.explorer.labels.max()) > new, "a number is not used twice"
