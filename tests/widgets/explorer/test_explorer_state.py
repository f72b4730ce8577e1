import numpy as np
import pandas as pd
import pytest

from objclass.measurement.columns import column_unit
from objclass.plots.colors import group_color
from objclass.widgets.columns import describe_column, encode_column, first_columns
from objclass.widgets.explorer.groups import MAX_GROUPS, Groups
from objclass.widgets.explorer.object_table import ObjectTable
from objclass.widgets.replay import Step, arrange


@pytest.fixture
def labels() -> np.ndarray:
    labels = np.zeros((4, 12, 12), np.int32)
    for place, number in enumerate((2, 5, 9, 40)):
        labels[1:3, 2:5, place * 3 : place * 3 + 2] = number
    return labels


@pytest.fixture
def table() -> pd.DataFrame:
    return pd.DataFrame({"label": [40, 2, 9], "area": [4.0, 1.0, 3.0], "extent": [0.4, 0.1, np.nan]})


def choose(groups: Groups, rows: list[int], mode: str) -> None:
    group, how = groups.target(mode)
    chosen = np.isin(np.arange(len(groups.numbers)), rows)
    groups.choose(chosen, group=group, mode=how, step=Step(f"{mode} {rows}", starts_anew=mode == "replace"))


def test_gestures_make_groups() -> None:
    groups = Groups(np.zeros(6, int))
    choose(groups, [0, 1, 2], "replace")
    choose(groups, [2, 3], "next")
    choose(groups, [4], "extend")
    choose(groups, [0], "subtract")
    assert groups.numbers.tolist() == [0, 1, 2, 2, 2, 0]
    choose(groups, [5], "replace")
    assert groups.numbers.tolist() == [0, 0, 0, 0, 0, 1]


def test_undo_and_redo_bring_back_numbers_names_and_steps() -> None:
    groups = Groups(np.zeros(3, int))
    choose(groups, [0], "replace")
    groups.rename(1, "mitotic")
    choose(groups, [1], "next")
    groups.recolor(2, "#00FF00")
    groups.hide(1, True)
    for _ in range(3):
        groups.undo()
    assert groups.numbers.tolist() == [1, 0, 0]
    assert dict(groups.state.names) == {1: "mitotic"}
    assert not groups.state.hidden
    assert [step.code for step in groups.steps] == ["replace [0]"]
    for _ in range(3):
        groups.redo()
    assert groups.numbers.tolist() == [1, 2, 0]
    assert groups.state.hidden == {1}
    assert groups.state.colors[2] == "#00ff00"
    groups.undo()
    choose(groups, [2], "next")
    assert not groups.history.can_redo


def test_a_hidden_group_is_shown_again() -> None:
    groups = Groups(np.zeros(3, int))
    choose(groups, [0], "replace")
    choose(groups, [1], "next")
    groups.hide(1, True)
    groups.hide(2, True)
    groups.hide(1, False)
    assert groups.state.hidden == {2}


def test_a_group_without_objects_loses_its_name() -> None:
    groups = Groups(np.zeros(3, int))
    choose(groups, [0], "replace")
    choose(groups, [1], "next")
    groups.rename(2, "two")
    groups.merge(2, 1, step=Step("merge"))
    assert groups.numbers.tolist() == [1, 1, 0]
    assert groups.state.names == {}


def test_long_histories_forget_how_to_go_back_but_not_the_steps() -> None:
    groups = Groups(np.zeros(2, int))
    choose(groups, [0], "replace")
    for _ in range(300):
        choose(groups, [1], "extend")
    assert len(groups.steps) == 301
    while groups.history.can_undo:
        groups.undo()
    assert len(groups.steps) == 102
    assert groups.numbers.tolist() == [1, 1]


@pytest.mark.parametrize(
    ("action", "message"),
    [
        (lambda groups: groups.rename(3, "x"), "group: expected one of 1, got int 3"),
        (lambda groups: groups.recolor(1, "red"), "color: expected six hexadecimal digits"),
        (
            lambda groups: groups.target("toggle"),
            "mode: expected one of 'replace', 'next', 'extend', 'subtract'",
        ),
    ],
)
def test_groups_refuse(action, message: str) -> None:
    groups = Groups(np.array([1, 0]))
    with pytest.raises(ValueError, match=message):
        action(groups)


def test_there_are_only_so_many_groups() -> None:
    groups = Groups(np.arange(1, MAX_GROUPS + 1))
    with pytest.raises(ValueError, match=f"groups: expected at most {MAX_GROUPS}"):
        groups.target("next")


def test_void_choices_are_left_out_of_the_code() -> None:
    first, add, anew, reduce = (Step("first", True), Step("add"), Step("anew", True), Step("reduce"))
    assert arrange([reduce], [first, add, anew]) == ["anew", "reduce"]
    early = Step("early")
    assert arrange([early], [first, add]) == ["first", "add", "early"]


def test_slots_join_by_label(labels: np.ndarray, table: pd.DataFrame) -> None:
    objects = ObjectTable(table, labels)
    assert objects.slot_labels.tolist() == [40, 2, 9, 5]
    assert objects.unmeasured.tolist() == [5]
    plane = objects.slot_plane(0, 1)
    for slot, label in enumerate(objects.slot_labels, start=1):
        np.testing.assert_array_equal(plane == slot, labels[1] == label)
    assert objects.find(9) == (1, 3, 6)
    assert objects.find(123) is None


def test_very_large_label_numbers(labels: np.ndarray, table: pd.DataFrame) -> None:
    far = np.where(labels == 40, 2**40, labels.astype(np.int64))
    objects = ObjectTable(table.replace({"label": {40: 2**40}}), far)
    np.testing.assert_array_equal(objects.slot_plane(0, 1) == 1, far[1] == 2**40)
    assert objects.unmeasured.tolist() == [5]


def test_labels_that_were_written_into_the_image_since_are_background(
    labels: np.ndarray, table: pd.DataFrame
) -> None:
    objects = ObjectTable(table, labels)
    before = objects.slot_plane(0, 1)
    new = np.zeros_like(before, bool)
    new[0, :3] = True
    labels[1, 0, :3] = 3, 7, 123
    np.testing.assert_array_equal(objects.slot_plane(0, 1), np.where(new, 0, before))


def test_rows_without_an_object(labels: np.ndarray, table: pd.DataFrame) -> None:
    objects = ObjectTable(pd.concat([table, table.head(1).assign(label=77)]), labels)
    assert objects.absent.tolist() == [77]


def test_a_long_table_is_sampled_but_all_is_selected(labels: np.ndarray) -> None:
    table = pd.DataFrame({"label": np.arange(1, 101), "area": np.arange(100.0)})
    objects = ObjectTable(table, labels)
    objects.show_rows(10)
    assert len(objects.rows) == 10
    assert sorted(objects.slot_labels) == list(range(1, 101))
    objects.select({"shape": "range", "x": "area", "points": [0, 49.5], "mode": "replace"})
    assert objects.table["MANUAL_CLUSTER_ID"].sum() == 50


def test_the_table_given_stays_as_it_is(labels: np.ndarray, table: pd.DataFrame) -> None:
    before = table.copy()
    objects = ObjectTable(table, labels)
    objects.select({"shape": "objects", "objects": [9, 40], "mode": "replace"})
    pd.testing.assert_frame_equal(table, before)
    assert objects.table["MANUAL_CLUSTER_ID"].tolist() == [1, 0, 1]
    mine = objects.table
    mine.loc[:, "area"] = 0
    assert objects.table["area"].tolist() == [4, 1, 3]


@pytest.mark.parametrize(
    ("change", "kind", "message"),
    [
        (lambda t: t.drop(columns="label"), ValueError, "table: expected a column 'label'"),
        (
            lambda t: t.assign(label=[1, 1, 2]),
            ValueError,
            "expected one row for each label, got more than one row",
        ),
        (
            lambda t: t.assign(label=[1, 1, 2], image=list("abc")),
            ValueError,
            "several for 1. Take the rows of one",
        ),
        (lambda t: t.assign(label=[1, 0, 2]), ValueError, "label numbers of 1 and above, got a label 0"),
        (
            lambda t: t.assign(label=["a", "b", "c"]),
            ValueError,
            "expected integers in the column 'label'",
        ),
        (lambda t: t.to_numpy(), TypeError, "table: expected a pandas DataFrame"),
    ],
)
def test_tables_that_cannot_be_joined(labels, table, change, kind, message: str) -> None:
    with pytest.raises(kind, match=message):
        ObjectTable(change(table), labels)


def test_columns_are_described_by_what_they_can_show() -> None:
    table = pd.DataFrame(
        {
            "number": [1.0, np.nan, 3.0, np.inf],
            "constant": [2.0] * 4,
            "nothing": [np.nan] * 4,
            "KMEANS_CLUSTER_ID": pd.array([0, 1, None, -1], dtype="Int64"),
            "flag": [True, False, True, True],
            "text": ["b", "a", None, "b"],
        }
    )
    described = {name: describe_column(table[name]) for name in table}
    assert {name: column["kind"] for name, column in described.items()} == {
        "number": "number",
        "constant": "number",
        "nothing": "number",
        "KMEANS_CLUSTER_ID": "category",
        "flag": "category",
        "text": "category",
    }
    assert described["number"]["missing"] == 2
    assert (described["constant"]["low"], described["constant"]["high"]) == (2, 2)
    assert described["nothing"]["missing"] == 4
    clusters = described["KMEANS_CLUSTER_ID"]["categories"]
    assert [(entry["name"], entry["count"]) for entry in clusters] == [("-1", 1), ("0", 1), ("1", 1)]
    assert clusters[0]["color"] == "#8c8c8c"
    assert clusters[1]["color"] == group_color(1)
    dtype, data = encode_column(table["KMEANS_CLUSTER_ID"], np.arange(4))
    assert (dtype, np.frombuffer(data, dtype).tolist()) == ("int32", [1, 2, -1, 0])
    many = pd.Series([f"t{number}" for number in range(100)], name="names")
    assert describe_column(many)["kind"] == "text"


def test_units_and_first_columns() -> None:
    assert column_unit("area", ndim=2, unit="px") == "px²"
    assert column_unit("feret_diameter_max", ndim=3, unit="µm") == "µm"
    assert column_unit("bbox-0", ndim=3, unit="µm") == "px"
    assert column_unit("intensity_mean", ndim=3, unit="µm") == ""
    named = {name: {"kind": "number"} for name in ("label", "bbox-0", "extent", "area", "intensity_mean")}
    assert first_columns(named) == ("area", "intensity_mean")
    assert first_columns(named | {"UMAP_0": {"kind": "number"}, "UMAP_1": {"kind": "number"}}) == (
        "UMAP_0",
        "UMAP_1",
    )
    assert first_columns({"label": {"kind": "number"}}) == ("label", "")
