"""An explorer goes on where it was left, from its file and in a cell that is run again."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import objclass
from objclass.widgets.explorer import session
from objclass.widgets.explorer.explorer import explore
from objclass.widgets.explorer.state_file import column_from_json, column_to_json
from tests.widgets.explorer.test_explorer import Page, lasso, quantile_box


@pytest.fixture(scope="module")
def sample() -> tuple[np.ndarray, np.ndarray, pd.DataFrame]:
    rng = np.random.default_rng(5)
    labels = np.kron(np.arange(36).reshape(6, 6), np.ones((8, 8), int)) * 3
    image = labels + rng.normal(50, 9, labels.shape)
    return image, labels, objclass.measure(labels, image)


def work(page: Page, table: pd.DataFrame) -> None:
    """Draw two groups, name and recolour one, embed, cluster, take one step back."""
    lasso(page, quantile_box(table, 0.1, 0.9), "replace", x="intensity_mean", y="intensity_max")
    page.tell("select", shape="objects", objects=table["label"].tolist()[:9], mode="replace")
    page.tell("select", shape="objects", objects=table["label"].tolist()[12:15], mode="next")
    page.tell("group", action="rename", group=2, name="mitotic")
    page.tell("group", action="recolor", group=1, color="#123456")
    page.tell("group", action="hide", group=1, hidden=True)
    page.tell("step", step="reduce", method="pca", n_components=2, options={})
    page.explorer.wait(60)
    page.tell("step", step="cluster", method="kmeans", options={"n_clusters": 3})
    page.explorer.wait(60)
    page.explorer.log_axes = ""
    page.explorer.x, page.explorer.point_size = "intensity_mean", 9.0


def check_same(after: Any, before: Any) -> None:
    pd.testing.assert_frame_equal(after.table, before.table, check_exact=True)
    pd.testing.assert_frame_equal(after.groups, before.groups)
    assert after.code() == before.code()
    for name in ("x", "y", "color", "log_axes", "point_size"):
        assert getattr(after, name) == getattr(before, name), name


def test_it_goes_on_from_the_file(sample, tmp_path) -> None:
    file = tmp_path / "objects.json"
    before = Page(explore(*sample, save_to=file))
    work(before, sample[2])
    before.explorer.wait()
    after = explore(*sample, save_to=file)
    check_same(after, before.explorer)
    assert "Resumed from the last state" in " ".join(after.notes)
    page = Page(after)
    page.tell("select", shape="objects", objects=[3], mode="extend")
    assert (after.table["MANUAL_CLUSTER_ID"] == 2).sum() == 4
    after.wait()
    assert json.loads(file.read_text())["groups"]["members"]["2"].count(3) == 1


def test_the_code_after_going_on_makes_the_same_table(sample, tmp_path) -> None:
    before = Page(explore(*sample, save_to=tmp_path / "a.json"))
    work(before, sample[2])
    before.explorer.wait()
    after = explore(*sample, save_to=tmp_path / "a.json")
    image, labels, table = sample
    space = {"image": image, "labels": labels, "table": table}
    exec(after.code(), space)
    pd.testing.assert_frame_equal(space["table"], after.table, check_exact=True)


def test_other_axes_in_the_call_are_taken(sample, tmp_path) -> None:
    file = tmp_path / "objects.json"
    first = explore(*sample, x="area", y="intensity_mean", save_to=file)
    first.x = "intensity_max"
    first.wait()
    assert explore(*sample, x="area", y="intensity_mean", save_to=file).x == "intensity_max"
    assert explore(*sample, x="intensity_min", y="intensity_mean", save_to=file).x == "intensity_min"


def test_a_table_with_other_numbers_keeps_the_groups_and_drops_the_clusters(sample, tmp_path) -> None:
    image, labels, table = sample
    before = Page(explore(image, labels, table, save_to=tmp_path / "a.json"))
    work(before, table)
    before.explorer.wait()
    changed = table.assign(intensity_mean=table["intensity_mean"] + 1).iloc[::-1]
    after = explore(image, labels, changed, save_to=tmp_path / "a.json")
    assert "KMEANS_CLUSTER_ID" not in after.table
    assert "The table has changed" in " ".join(after.notes)
    numbers = after.table.set_index("label")["MANUAL_CLUSTER_ID"].sort_index()
    pd.testing.assert_series_equal(
        numbers, before.explorer.table.set_index("label")["MANUAL_CLUSTER_ID"].sort_index()
    )
    assert "kmeans" not in after.code()


def test_the_file_of_other_objects_is_refused_and_stays(sample, tmp_path) -> None:
    image, labels, table = sample
    file = tmp_path / "objects.json"
    page = Page(explore(image, labels, table, save_to=file))
    page.tell("select", shape="objects", objects=[3], mode="replace")
    page.explorer.wait()
    text = file.read_text()
    moved = np.roll(labels, 1)
    with pytest.raises(ValueError, match="save_to: expected the file of these objects"):
        explore(image, moved, table, save_to=file)
    assert file.read_text() == text
    anew = explore(image, moved, table, save_to=file, resume=False)
    assert not anew.table["MANUAL_CLUSTER_ID"].any()


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.txt", None, "save_to: expected a file name that ends in .json"),
        ("a.json", "{", "save_to: expected a file written by explore"),
        ("a.json", '{"format": "geojson"}', "save_to: expected a file written by explore"),
        ("a.json", '{"format": "objclass explorer", "version": 99}', "save_to: expected a file of version 2"),
        ("no/a.json", None, "save_to: expected a place in an existing folder"),
    ],
)
def test_files_that_are_none_of_its_own_are_left_alone(sample, tmp_path, name, content, message) -> None:
    file = tmp_path / name
    if content is not None:
        file.write_text(content)
    with pytest.raises((ValueError, FileNotFoundError), match=message):
        explore(*sample, save_to=file)
    assert content is None or file.read_text() == content


def test_a_folder_is_none_of_its_files(sample, tmp_path) -> None:
    (tmp_path / "a.json").mkdir()
    with pytest.raises(ValueError, match=r"save_to: expected a file written by explore.*directory"):
        explore(*sample, save_to=tmp_path / "a.json")


def test_a_file_that_another_has_written_is_not_written_over(sample, tmp_path) -> None:
    file = tmp_path / "objects.json"
    first, second = (Page(explore(*sample, save_to=file)) for _ in range(2))
    for page in (first, second):
        page.tell("select", shape="objects", objects=[3], mode="replace")
        page.explorer.wait()
        text = file.read_text()
    assert first.explorer.error == ""
    assert "save_to: expected a file that only this explorer writes" in second.explorer.error
    assert json.loads(text)["groups"]["members"] == {"1": [3]}


def test_the_same_cell_goes_on_without_a_file(sample, monkeypatch) -> None:
    run = {"cell": ("abc", 1)}
    monkeypatch.setattr(session, "running_cell", lambda: run["cell"])
    monkeypatch.setattr(session, "_LIVING", {})
    before = Page(explore(*sample))
    work(before, sample[2])
    beside = explore(*sample)
    assert not beside.table["MANUAL_CLUSTER_ID"].any(), "another explorer of the same run begins anew"
    session._LIVING["abc"] = (1, before.explorer._session)
    run["cell"] = ("abc", 2)
    image, labels, table = sample
    after = explore(image, labels.copy(), table.copy())
    check_same(after, before.explorer)
    run["cell"] = ("abc", 3)
    assert not explore(*sample, resume=False).table["MANUAL_CLUSTER_ID"].any()
    run["cell"] = ("xyz", 4)
    assert not explore(*sample).table["MANUAL_CLUSTER_ID"].any()


@pytest.mark.parametrize(
    "column",
    [
        pd.Series([0.1, np.nan, 1 / 3, 1e-300]),
        pd.Series([1, None, 3], dtype="Int64"),
        pd.Series([1, 2**62]),
        pd.Series(["a", None, "ü"]),
        pd.Series([True, False]),
    ],
)
def test_columns_come_back_to_the_last_bit(column: pd.Series) -> None:
    again = column_from_json(json.loads(json.dumps(column_to_json(column))))
    pd.testing.assert_series_equal(again, column, check_exact=True)


def test_a_killed_process_loses_no_finished_change(sample, tmp_path: Path) -> None:
    image, labels, table = sample
    np.savez(tmp_path / "arrays.npz", image=image, labels=labels)
    table.to_pickle(tmp_path / "table.pkl")
    script = f"""
import os, signal, numpy as np, pandas as pd, objclass
arrays = np.load({str(tmp_path / "arrays.npz")!r})
table = pd.read_pickle({str(tmp_path / "table.pkl")!r})
explorer = objclass.explore(arrays["image"], arrays["labels"], table, save_to={str(tmp_path / "s.json")!r})
for number in range(5):
    message = {{"kind": "select", "shape": "objects", "objects": [3 * number + 3], "mode": "next"}}
    explorer._dispatch(explorer, message, [])
explorer.wait()
os.kill(os.getpid(), signal.SIGKILL)
"""
    subprocess.run([sys.executable, "-c", script], timeout=120)
    after = explore(*sample, save_to=tmp_path / "s.json")
    assert sorted(after.groups["group"]) == [1, 2, 3, 4, 5]


def test_a_cell_that_failed_goes_on_from_the_run_before(sample, monkeypatch, tmp_path: Path) -> None:
    run = {"cell": ("abc", 1)}
    monkeypatch.setattr(session, "running_cell", lambda: run["cell"])
    monkeypatch.setattr(session, "_LIVING", {})
    before = Page(explore(*sample))
    before.tell("select", shape="objects", objects=[3], mode="replace")
    run["cell"] = ("abc", 2)
    with pytest.raises(ValueError, match=r"ends in \.json"):
        explore(*sample, save_to=tmp_path / "state.txt")
    run["cell"] = ("abc", 3)
    assert explore(*sample).groups["size"].tolist() == [1]
