import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import objclass
from objclass import edit_objects
from objclass.objects.editing import apply_edits, fingerprint
from tests.random_search import examples


def tiles(ndim=2):
    """Nine objects of 4 by 4 pixels, with gaps between their labels."""
    labels = np.zeros((17, 17), np.int32)
    for at, label in enumerate([1, 2, 3, 5, 7, 11, 13, 17, 19]):
        row, column = divmod(at, 3)
        labels[1 + 5 * row : 5 + 5 * row, 1 + 5 * column : 5 + 5 * column] = label
    return labels if ndim == 2 else np.repeat(labels[None], 4, axis=0)


@pytest.mark.parametrize("ndim", [2, 3])
def test_effect_of_each_edit(ndim):
    labels = tiles(ndim)
    before = labels.copy()
    merged = edit_objects(labels, [{"edit": "merge", "labels": [5, 2, 3]}])
    np.testing.assert_array_equal(merged, np.where(np.isin(labels, [2, 3]), 5, labels))
    deleted = edit_objects(labels, [{"edit": "delete", "labels": [1, 19]}])
    np.testing.assert_array_equal(deleted, np.where(np.isin(labels, [1, 19]), 0, labels))
    cut = edit_objects(labels, [{"edit": "cut", "label": 1, "line": [[1.5, 0], [1.5, 9]]}])
    expected = labels.copy()
    expected[..., 1, 1:5] = 20
    np.testing.assert_array_equal(cut, expected)
    square = {"label": 1, "polygon": [[0, 0], [0, 7], [3, 7], [3, 0]], "index": 1}
    grown = edit_objects(labels, [{"edit": "grow"} | square])
    plane = grown if ndim == 2 else grown[1]
    assert (plane[1:3, 5] == 1).all()
    assert (plane[1:3, 6] == 2).all()
    if ndim == 3:
        np.testing.assert_array_equal(np.delete(grown, 1, 0), np.delete(labels, 1, 0))
    np.testing.assert_array_equal(labels, before)


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_an_object_grows_in_each_plane_and_in_no_other(axis):
    labels = np.zeros((4, 5, 6), np.int32)
    labels[1, 1, 1] = 3
    grow = {"edit": "grow", "label": 3, "polygon": [[0, 0], [0, 9], [9, 9], [9, 0]], "axis": axis}
    for index in (0, labels.shape[axis] - 1):
        grown = edit_objects(labels, [{**grow, "index": index}])
        assert np.unique(np.nonzero(grown != labels)[axis]).tolist() == [index]
    for index in (-1, labels.shape[axis], labels.shape[axis] + 1):
        with pytest.raises(ValueError, match=rf"index.*at most {labels.shape[axis] - 1}, got int {index}"):
            edit_objects(labels, [{**grow, "index": index}])


def test_a_cut_follows_a_bent_line_in_any_plane():
    block = np.pad(np.full((6, 6, 6), 4, np.int32), 1)
    bent = edit_objects(block[3], [{"edit": "cut", "label": 4, "line": [[0, 2.5], [2.5, 2.5], [2.5, 0]]}])
    expected = block[3].copy()
    expected[1:3, 1:3] = 5
    np.testing.assert_array_equal(bent, expected)
    for axis in range(3):
        cut = edit_objects(block, [{"edit": "cut", "label": 4, "line": [[2.5, 0], [2.5, 7]], "axis": axis}])
        along = 1 if axis == 0 else 0
        layers = np.moveaxis(cut, along, 0)
        assert set(np.unique(layers[1:3])) == {0, 5}
        assert set(np.unique(layers[3:7])) == {0, 4}


def test_labels_in_any_order_in_memory_are_edited():
    labels = np.kron(np.arange(6).reshape(2, 3), np.ones((4, 5), int))
    edits = [{"edit": "delete", "labels": [2]}, {"edit": "merge", "labels": [3, 4]}]
    expected = np.select([labels == 2, labels == 4], [0, 3], labels)
    for other in (labels, np.asfortranarray(labels), labels[::-1][::-1], labels.T.copy().T):
        np.testing.assert_array_equal(edit_objects(other, edits), expected)


def test_labels_of_cuts_are_never_used_again():
    labels, line = tiles(), [[2.5, 0], [2.5, 20]]
    edits = [
        {"edit": "cut", "label": 1, "line": line},
        {"edit": "undo"},
        {"edit": "cut", "label": 2, "line": line},
        {"edit": "merge", "labels": [2, 21]},
        {"edit": "cut", "label": 3, "line": line},
    ]
    result = edit_objects(labels, edits)
    assert sorted(set(np.unique(result)) - set(np.unique(labels))) == [22]
    np.testing.assert_array_equal(result == 1, labels == 1)


@st.composite
def edit_lists(draw):
    """Random edits of the current labels, and undos."""
    labels = tiles(draw(st.sampled_from([2, 3])))
    edits, n_holding = [], 0
    for _ in range(draw(st.integers(1, 8))):
        there = np.unique(edit_objects(labels, edits))[1:].tolist()
        kind = draw(st.sampled_from(["merge", "delete", "cut", "grow", "undo"]))
        edit = {"edit": kind}
        if kind in ("merge", "delete") and len(there) > 4:
            edit["labels"] = draw(st.lists(st.sampled_from(there), min_size=2, max_size=3, unique=True))
        elif kind in ("cut", "grow"):
            edit["label"] = draw(st.sampled_from(there))
            y, x = draw(st.integers(0, 12)), draw(st.integers(0, 12))
            edit["line" if kind == "cut" else "polygon"] = [[y, x], [y + 4.5, x], [y, x + 4.5]]
            edit["index"] = draw(st.integers(0, 3))
        elif kind != "undo" or not n_holding:
            continue
        try:
            edit_objects(labels, [*edits, edit])
        except ValueError:  # passes by, or nothing to grow into
            continue
        n_holding += -1 if kind == "undo" else 1
        edits.append(edit)
    return labels, edits


@examples(40)
@given(edit_lists())
def test_measuring_what_changed_gives_the_table_of_the_edited_labels(case):
    labels, edits = case
    image = np.random.default_rng(0).random(labels.shape)
    edited, changed = apply_edits(labels, edits)
    table = objclass.measure(labels, image).assign(note=lambda t: "note of " + t["label"].astype(str))
    measurements = table.columns.drop("note")
    new = objclass.measure(np.where(np.isin(edited, changed), edited, 0), image)
    kept = table[~table["label"].isin(changed)]
    updated = pd.concat([kept[measurements], new]).sort_values("label", ignore_index=True)
    pd.testing.assert_frame_equal(updated, objclass.measure(edited, image), check_dtype=False)
    joined = updated[["label"]].merge(table[["label", "note"]], how="left", on="label")
    for label, note in joined.itertuples(index=False):
        assert note == f"note of {label}" or (label > labels.max() and pd.isna(note))
    unchanged = np.setdiff1d(np.unique(labels), changed)
    for label in unchanged[unchanged > 0]:
        np.testing.assert_array_equal(edited == label, labels == label)


@examples(30)
@given(edit_lists())
def test_undoing_everything_gives_the_labels_back(case):
    labels, edits = case
    n_holding = sum(-1 if edit["edit"] == "undo" else 1 for edit in edits)
    result, changed = apply_edits(labels, edits + [{"edit": "undo"}] * n_holding)
    np.testing.assert_array_equal(result, labels)
    assert not len(changed)


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        ({"edit": "paint"}, r"edits\[1\]: expected a dict whose \"edit\" is one of 'merge', 'delete', 'cut'"),
        ("merge", r"edits\[1\]: expected a dict"),
        ({"edit": "merge", "labels": [1]}, r"edits\[1\]: expected two or more labels to merge"),
        (
            {"edit": "merge", "labels": [1, 4]},
            r"\"labels\"\]: expected existing labels, got \[4\]",
        ),
        ({"edit": "delete", "labels": []}, r"edits\[1\]\[\"labels\"\]: expected a list of labels"),
        (
            {"edit": "delete", "labels": [0]},
            r"expected an? .* of at least 1",
        ),
        (
            {"edit": "cut", "label": 1, "line": [[0, 9], [9, 9]]},
            "a line that divides object 1, got one",
        ),
        ({"edit": "cut", "label": 1, "line": [[0, 1], [0, 1]]}, "2 or more different points"),
        ({"edit": "cut", "label": 1}, r"edits\[1\]\[\"line\"\]: expected points \[row, column\]"),
        ({"edit": "cut", "label": 1, "line": [[0, 1, 2], [9, 1, 2]]}, r"expected points \[row, column\]"),
        ({"edit": "cut", "label": 1, "line": [[0, 1], [9, 1]], "axis": 2}, r"\"axis\"\]: expected"),
        (
            {"edit": "grow", "label": 1, "polygon": [[2, 2], [2, 3], [3, 3]]},
            "a polygon with background",
        ),
    ],
)
def test_refuses_invalid_edits(edit, message):
    with pytest.raises(ValueError, match=message):
        edit_objects(tiles(), [{"edit": "delete", "labels": [2]}, edit])
    with pytest.raises(ValueError, match=r"edits\[0\]: expected an edit before it to undo"):
        edit_objects(tiles(), [{"edit": "undo"}])


def test_refuses_labels_that_leave_no_room_for_new_ones():
    labels = np.array([[2**31 - 1]])
    with pytest.raises(ValueError, match=r"labels: expected labels below 2147483648, .*relabel"):
        edit_objects(labels, [{"edit": "delete", "labels": [2**31 - 1]}])


def test_fingerprints_tell_the_largest_labels_apart():
    labels = np.array([[0, 7, 2**40]])
    assert fingerprint(labels) != fingerprint(labels + np.array([[0, 0, 2**32]]))
    assert fingerprint(labels[:, :2]) == fingerprint(labels[:, :2].astype(np.uint8))
