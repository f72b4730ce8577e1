import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.path import Path

from objclass.tables.selection import inside_polygon, pick_objects, select


@pytest.fixture
def table() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "label": rng.choice(10_000, 400, replace=False) + 1,
            "area": rng.lognormal(4, 1, 400),
            "solidity": rng.uniform(0.3, 1, 400),
            "kind": rng.choice(["a", "b"], 400),
        }
    )


STAR = [(20.0, 0.4), (90.0, 0.95), (160.0, 0.4), (10.0, 0.75), (170.0, 0.75)]


def test_equals_matplotlib_object_by_object(table: pd.DataFrame) -> None:
    chosen = select(table, "area", "solidity", polygon=STAR)
    expected = Path(STAR).contains_points(table[["area", "solidity"]])
    assert 20 < expected.sum() < 380
    np.testing.assert_array_equal(chosen["MANUAL_CLUSTER_ID"], expected.astype(int))


def test_compares_logarithms_on_logarithmic_axes(table: pd.DataFrame) -> None:
    chosen = select(table, "area", "solidity", polygon=STAR, log="xy")["MANUAL_CLUSTER_ID"]
    expected = Path(np.log10(STAR)).contains_points(np.log10(table[["area", "solidity"]]))
    np.testing.assert_array_equal(chosen, expected.astype(int))
    assert (chosen != select(table, "area", "solidity", polygon=STAR)["MANUAL_CLUSTER_ID"]).any()


def test_what_has_no_place_on_an_axis_is_outside() -> None:
    values = np.array([np.nan, -1.0, 0.0, np.inf, 5.0])
    square = [(-10, -10), (10, -10), (10, 10), (-10, 10)]
    assert inside_polygon(values, np.zeros(5), square).tolist() == [False, True, True, False, True]
    positive = [(0.1, -10), (10, -10), (10, 10), (0.1, 10)]
    assert inside_polygon(values, np.zeros(5), positive, log="x").tolist() == [False] * 4 + [True]


def test_modes(table: pd.DataFrame) -> None:
    first = select(table, "area", within=(0, 50))
    second = select(first, "area", within=(30, 80), group=2, mode="add")
    third = select(second, "area", within=(40, 60), mode="subtract")
    area, groups = table["area"], third["MANUAL_CLUSTER_ID"]
    expected = np.select([area.between(40, 60), area.between(30, 80), area < 50], [0, 2, 1], 0)
    np.testing.assert_array_equal(groups, expected)
    again = select(third, objects=table["label"][:3])["MANUAL_CLUSTER_ID"]
    assert again.sum() == 3
    assert again[:3].eq(1).all()


def test_both_ends_of_a_range_are_included() -> None:
    table = pd.DataFrame({"label": [1, 2, 3, 4], "area": [9, 10, 20, 21]})
    assert select(table, "area", within=(10, 20))["MANUAL_CLUSTER_ID"].tolist() == [0, 1, 1, 0]


def test_joins_by_label_and_leaves_its_input_alone(table: pd.DataFrame) -> None:
    before = table.copy()
    shuffled = table.sample(frac=1, random_state=1)
    one = select(table, "area", "solidity", polygon=STAR).set_index("label")["MANUAL_CLUSTER_ID"]
    other = select(shuffled, "area", "solidity", polygon=STAR).set_index("label")["MANUAL_CLUSTER_ID"]
    pd.testing.assert_series_equal(one.sort_index(), other.sort_index())
    pd.testing.assert_frame_equal(table, before)


def test_missing_groups_count_as_none(table: pd.DataFrame) -> None:
    table["MANUAL_CLUSTER_ID"] = pd.array([1, None] * 200, dtype="Int64")
    after = select(table, objects=[], mode="add")["MANUAL_CLUSTER_ID"]
    assert after.tolist() == [1, 0] * 200


@given(
    st.lists(st.tuples(st.integers(-5, 5), st.integers(-5, 5)), min_size=3, max_size=9),
    st.integers(-20, 20),
    st.integers(-20, 20),
)
def test_moving_points_and_polygon_together_changes_nothing(corners, dx, dy) -> None:
    x, y = (axis.ravel() + 0.5 for axis in np.meshgrid(np.arange(-6, 6), np.arange(-6, 6)))
    moved = [(a + dx, b + dy) for a, b in corners]
    np.testing.assert_array_equal(inside_polygon(x, y, corners), inside_polygon(x + dx, y + dy, moved))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"x": "area", "y": "solidity"}, "polygon, within, objects, where: expected exactly one"),
        ({"x": "area", "within": (0, 1), "objects": [1]}, "expected exactly one"),
        (
            {"x": "area", "y": "kind", "polygon": STAR},
            "y: expected the name of a numeric column, got str 'kind'",
        ),
        ({"x": None, "within": (0, 1)}, "x: expected the name of a numeric column"),
        ({"x": "area", "y": "solidity", "polygon": STAR[:2]}, "polygon: expected at least three corners"),
        ({"x": "area", "y": "solidity", "polygon": [(0, np.nan), *STAR]}, "of finite numbers"),
        ({"x": "area", "y": "solidity", "polygon": [(-1, 0.1), *STAR], "log": "x"}, "expected positive x"),
        ({"x": "area", "within": (2, 1)}, "within: expected two finite numbers in ascending order"),
        ({"objects": [1], "mode": "toggle"}, "mode: expected one of 'replace', 'add', 'subtract'"),
        ({"objects": [1], "group": -1}, "group: expected an integer of at least 0"),
        ({"x": "area", "y": "solidity", "polygon": STAR, "log": "z"}, "log: expected one of"),
    ],
)
def test_refuses(table: pd.DataFrame, arguments: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        select(table, **arguments)


def test_picks_objects_by_the_half_of_their_pixels() -> None:
    labels = np.zeros((3, 6, 6), np.int32)
    labels[1, 0:2, 0:4] = 900
    labels[1, 3:5, 0:2] = 7
    labels[2, 3:5, 0:2] = 8
    left = [(-1, -1), (-1, 1.5), (6, 1.5), (6, -1)]
    assert pick_objects(labels, left, axis=0, index=1).tolist() == [7, 900]
    less = [(-1, -1), (-1, 0.5), (6, 0.5), (6, -1)]
    assert pick_objects(labels, less, axis=0, index=1).tolist() == [7]
    assert pick_objects(labels[1], less).tolist() == [7]
    assert pick_objects(labels, [(0, 0), (0, 2), (4, 2), (4, 0)], axis=2, index=5).tolist() == []


def test_picks_along_every_axis() -> None:
    labels = np.arange(1, 28).reshape(3, 3, 3)
    around_first = [(-0.5, -0.5), (-0.5, 0.5), (0.5, 0.5), (0.5, -0.5)]
    assert [pick_objects(labels, around_first, axis=axis, index=1).tolist() for axis in range(3)] == [
        [10],
        [4],
        [2],
    ]
    with pytest.raises(ValueError, match="index: expected an integer of at least 0 and of at most 2"):
        pick_objects(labels, around_first, axis=1, index=3)


def test_objects_of_the_largest_labels_are_picked():
    labels = np.array([[0, 2**64 - 1, 2**64 - 1, 0, 5]], np.uint64)
    assert pick_objects(labels, [(-1, 0), (-1, 3), (2, 3), (2, 0)]).tolist() == [2**64 - 1]
    assert pick_objects(labels, [(-1, 3), (-1, 5), (2, 5), (2, 3)]).dtype == np.int64


def test_a_condition_chooses_as_a_mask_does(table: pd.DataFrame) -> None:
    found = select(table, where="area > 15 and label != 3", group=4)["MANUAL_CLUSTER_ID"]
    np.testing.assert_array_equal(found == 4, (table["area"] > 15) & (table["label"] != 3))


def test_objects_of_several_images_are_chosen_by_image_and_label() -> None:
    table = pd.DataFrame({"image": ["a", "a", "b"], "label": [1, 2, 1], "area": [1.0, 2.0, 3.0]})
    assert select(table, objects=[("b", 1)])["MANUAL_CLUSTER_ID"].tolist() == [0, 0, 1]
    with pytest.raises(ValueError, match=r"objects: expected keys \(image, label\)"):
        select(table, objects=[1])


def test_objects_that_the_table_does_not_have_are_refused(table: pd.DataFrame) -> None:
    first = int(table["label"][0])
    assert select(table, objects=[first, 10**6])["MANUAL_CLUSTER_ID"].sum() == 1
    with pytest.raises(
        ValueError, match=r"objects: expected objects of the table, got '7', '8', which it does"
    ):
        select(table, objects=["7", "8"])
