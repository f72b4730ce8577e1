"""Measuring the changed objects alone gives the table of the edited labels, whatever else it holds."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import objclass
from objclass import edit_objects, remeasure

GROUPS = ["size", "intensity", "shape", "position", "texture", "neighbors", "moments"]
CUT = {"edit": "cut", "label": 4, "line": [[-1, 5.2], [20, 5.9]]}
EDITS = [CUT, {"edit": "merge", "labels": [7, 2]}, {"edit": "delete", "labels": [9]}]


def experiment(ndim: int = 3, channels: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(1)
    labels = np.zeros((6, 20, 34), np.int32)
    for place, number in enumerate([2, 4, 7, 9, 13, 22]):
        row, column = divmod(place, 3)
        labels[1:5, 1 + 9 * row : 8 + 9 * row, 1 + 11 * column : 9 + 11 * column] = number
    labels[rng.random(labels.shape) < 0.1] = 0
    labels = labels if ndim == 3 else labels[2]
    shape = (channels, *labels.shape) if channels else labels.shape
    return labels, rng.integers(100, 4000, shape).astype(np.uint16)


@pytest.mark.parametrize(("ndim", "channels", "spacing"), [(3, 2, 0.5), (2, 0, None)])
def test_every_property_is_that_of_the_edited_labels(ndim: int, channels: int, spacing: float | None) -> None:
    labels, image = experiment(ndim, channels)
    groups = GROUPS + ["perimeter"] * (ndim == 2)
    table = objclass.measure(labels, image, properties=groups, spacing=spacing)
    line = [[-1, 16.2], [20, 16.9]]
    edited = edit_objects(labels, [CUT | {"line": line}, *EDITS[1:]])
    assert (edited != labels).any()
    found = remeasure(table, labels, edited, image=image, spacing=spacing)
    expected = objclass.measure(edited, image, properties=groups, spacing=spacing)
    pd.testing.assert_frame_equal(found, expected, check_exact=True)
    assert found.attrs == expected.attrs


def test_joined_columns_keep_their_objects_and_types() -> None:
    labels, image = experiment()
    table = objclass.measure(labels, image, channel_names=None)
    table = table.assign(image="day 1", well=table["label"] * 10, good=True, note=list("abcdef"))
    table["kind"] = pd.Categorical(list("xyxyxy"))
    deleted = edit_objects(labels, EDITS[1:])
    found = remeasure(table, labels, deleted, image=image).set_index("label")
    assert found["note"].to_dict() == {4: "b", 7: "c", 13: "e", 22: "f"}
    assert (found.dtypes == table.set_index("label").dtypes).all()
    cut = edit_objects(labels, [CUT | {"line": [[-1, 16.2], [20, 16.9]]}])
    found = remeasure(table, labels, cut, image=image).set_index("label")
    assert found.loc[23, ["well", "good", "note", "kind"]].isna().all()
    assert found.loc[23, "image"] == "day 1"
    assert found["well"].drop(23).tolist() == table["well"].tolist()
    assert found["well"].dtype == "Int64"


def test_rows_that_come_back_are_found_in_an_earlier_table() -> None:
    labels, image = experiment()
    table = objclass.measure(labels, image).assign(note=list("abcdef"))
    edited = edit_objects(labels, EDITS[1:])
    between = remeasure(table, labels, edited, image=image).assign(more=1)
    back = remeasure(between, edited, labels, image=image, earlier=[table])
    pd.testing.assert_frame_equal(back[table.columns], table, check_exact=True)
    assert back["more"].isna().sum() == 2


def test_rows_in_another_order_and_objects_without_a_row() -> None:
    labels, image = experiment()
    table = objclass.measure(labels, image)
    part = table[table["label"] != 13].iloc[::-1]
    absent = pd.concat([part, part.iloc[:1].assign(label=99)])
    found = remeasure(absent, labels, edit_objects(labels, EDITS[2:]), image=image)
    assert found["label"].tolist() == [22, 7, 4, 2, 99]
    merged = edit_objects(labels, [{"edit": "merge", "labels": [13, 22]}])
    found = remeasure(absent, labels, merged, image=image)
    assert found["label"].tolist() == [9, 7, 4, 2, 99, 13]


def test_what_cannot_be_measured_again_is_missing_and_named() -> None:
    labels, image = experiment()
    table = objclass.measure(labels, image, ring_width=2, properties=["size", "intensity"])
    table["intensity_mean"] *= 2
    edited = edit_objects(labels, EDITS[1:2])
    with pytest.warns(UserWarning, match="missing for the changed objects: intensity_background"):
        found = remeasure(table, labels, edited, image=image).set_index("label")
    expected = objclass.measure(edited, image).set_index("label")
    assert found.loc[7, "area"] == expected.loc[7, "area"]
    assert found.loc[7, ["intensity_background", "intensity_mean"]].isna().all()
    before = table.set_index("label")
    pd.testing.assert_frame_equal(found.drop(7), before.drop([2, 7]), check_exact=True)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"spacing": 2.0},
            r"table: expected the measurements of these labels, got others in '(area|centroid)",
        ),
        ({"edited": np.zeros((2, 2), int)}, "edited: expected labels of the shape"),
        ({"edited": np.zeros((6, 20, 34))}, "edited: expected an integer array"),
        ({"table": 3}, "table: expected a DataFrame with a row for each label"),
    ],
)
def test_refuses_what_does_not_belong_together(change: dict, message: str) -> None:
    labels, image = experiment()
    given = {"table": objclass.measure(labels, image), "edited": edit_objects(labels, EDITS[1:])} | change
    table, edited = given.pop("table"), given.pop("edited")
    with pytest.raises((ValueError, TypeError), match=message):
        remeasure(table, labels, edited, image=image, **given)
