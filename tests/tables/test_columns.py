import io
import re
import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from objclass.tables.columns import (
    check_random_state,
    check_table,
    measurement_columns,
    prepare,
    with_results,
)


def make(**columns):
    n = len(next(iter(columns.values())))
    return pd.DataFrame({"label": np.arange(1, n + 1), **columns})


def test_measurement_columns_are_recognized_by_type_and_name():
    measured = {"area": 1.0, "intensity_mean-0": 3.0, "area_bbox": 4.0, "solidity": 0.5}
    others = {
        "Unnamed: 0": 0,
        "image": "a.tif",
        "frame": 0,
        "z": 1.0,
        "centroid-0": 1.0,
        "centroid_weighted_local-1-0": 1.0,
        "local_centroid-2": 1.0,
        "weighted_centroid-0": 1.0,
        "bbox-3": 1,
        "orientation": 0.3,
        "inertia_tensor-0-1": 0.3,
        "UMAP_0": 0.1,
        "t-SNE_1": 0.1,
        "PC_10": 0.1,
        "Isomap_0": 0.1,
        "MDS_0": 0.1,
        "KMEANS_CLUSTER_ID": 1,
        "MANUAL_CLUSTER_ID": 0,
        "kind": 2,
        "cell_type": 2,
        "Class": 1,
        "touches_border": True,
        "name": "x",
        "complex": 1j,
    }
    table = pd.DataFrame({"label": [1], **{name: [value] for name, value in {**others, **measured}.items()}})
    assert measurement_columns(table) == list(measured)


def test_the_matrix_is_standardised_in_the_order_of_the_labels():
    table = make(a=[3.0, 1.0, 2.0], b=[10.0, 30.0, 50.0]).assign(label=[30, 10, 20])
    matrix = prepare(table)
    assert matrix.columns == ["a", "b"]
    assert matrix.rows.tolist() == [1, 2, 0]
    expected = (table[["a", "b"]] - table[["a", "b"]].mean()) / table[["a", "b"]].std(ddof=0)
    np.testing.assert_allclose(matrix.values, expected.iloc[[1, 2, 0]])
    np.testing.assert_array_equal(prepare(table, scale=False).values, table[["a", "b"]].iloc[[1, 2, 0]])


def test_rows_are_in_the_order_of_image_frame_and_label_however_they_came():
    keys = [(image, frame, label) for image in ("a", "b") for frame in (0, 2, 10) for label in (1, 3)]
    shuffled = np.random.default_rng(0).permutation(len(keys))
    table = pd.DataFrame([keys[at] for at in shuffled], columns=["image", "frame", "label"])
    table["area"] = np.arange(len(keys), dtype=float)
    found = table.iloc[prepare(table).rows]
    assert [*found[["image", "frame", "label"]].itertuples(index=False, name=None)] == keys


def test_rows_with_gaps_and_infinities_are_left_out_and_empty_columns_too():
    table = make(a=[1.0, np.nan, 3.0, 4.0, 5.0], b=[1.0, 2.0, np.inf, 4.0, 6.0], c=[np.nan] * 5)
    with pytest.warns(UserWarning, match="2 of 5 objects have missing values"):
        matrix = prepare(table)
    assert matrix.columns == ["a", "b"]
    assert matrix.rows.tolist() == [0, 3, 4]


def test_constant_columns_are_left_out_with_scaling_only():
    table = make(a=[1.0, 2.0, 3.0], b=[0.1 + 0.2, 0.3, 0.3])
    assert prepare(table).columns == ["a"]
    assert prepare(table, scale=False).columns == ["a", "b"]


def test_nullable_and_bool_columns_can_be_used():
    table = make(a=pd.array([1, None, 3], dtype="Int64"), b=[True, False, False])
    with pytest.warns(UserWarning, match="1 of 3 objects have missing values"):
        matrix = prepare(table, columns=["a", "b"], scale=False)
    np.testing.assert_array_equal(matrix.values, [[1, 1], [3, 0]])


def test_labels_are_unique_within_an_image_and_sorted_by_it():
    table = pd.DataFrame({"image": ["b", "a", "a"], "label": [1, 2, 1], "area": [1.0, 2.0, 3.0]})
    assert prepare(table).rows.tolist() == [2, 1, 0]


def test_it_warns_where_most_objects_are_lost():
    table = make(a=[1.0, 2.0, 3.0, 4.0, 5.0], solidity=[0.5, 0.6, np.nan, np.nan, np.nan])
    with pytest.warns(UserWarning, match=r"3 of 5 objects have missing values .* most of them in 'solidity'"):
        prepare(table)


@pytest.mark.parametrize(
    ("table", "error", "message"),
    [
        ([1, 2], TypeError, "table: expected a pandas DataFrame, got list"),
        (pd.DataFrame({"area": [1.0]}), ValueError, "expected a column 'label'.*identified by their label"),
        (
            pd.DataFrame({"label": [1, 1], "area": [1.0, 2]}),
            ValueError,
            "one row for each label, got more than",
        ),
        (
            pd.DataFrame({"image": ["a", "a"], "label": [1, 1], "area": [1.0, 2]}),
            ValueError,
            "one row for each image and label",
        ),
        (pd.DataFrame({"label": ["x"], "area": [1.0]}), ValueError, "integers in the column 'label'"),
        (pd.DataFrame({"label": [1.5], "area": [1.0]}), ValueError, "integers in the column 'label'"),
        (pd.DataFrame({"label": [np.nan], "area": [1.0]}), ValueError, "integers in the column 'label'"),
        (pd.DataFrame([[1, 2, 3]], columns=["label", "a", "a"]), ValueError, "more than one column 'a'"),
        (make(name=["x", "y"]), ValueError, "columns with measurements"),
        (make(a=[np.nan, np.nan]), ValueError, "columns without any value"),
        (make(a=[np.nan, 1.0], b=[1.0, np.nan]), ValueError, "without missing values.* 2 of 2 objects have"),
        (make(a=[1.0, 1.0]), ValueError, "a measurement that varies between objects, got 2 objects"),
        (make(a=[1.0]), ValueError, "a measurement that varies between objects, got 1 object with"),
    ],
)
def test_bad_tables(table, error, message):
    with pytest.raises(error, match=message):
        prepare(table)


@pytest.mark.parametrize(
    ("columns", "error", "message"),
    [
        (
            ["solidty"],
            ValueError,
            "columns: expected names of columns of the table, got 'solidty'. It has 'label'",
        ),
        (["name"], ValueError, "numeric columns, got 'name' of type .*to_numeric"),
        ([], ValueError, "one or more names"),
        (["a", "a"], ValueError, "each once"),
        ("a", TypeError, "a list of column names"),
        (7, TypeError, "a list of column names"),
    ],
)
def test_bad_columns(columns, error, message):
    with pytest.raises(error, match=message):
        prepare(make(a=[1.0, 2.0], name=["x", "y"]), columns=columns)


@pytest.mark.parametrize(("scale", "error"), [("standard", ValueError), (3, TypeError), (None, TypeError)])
def test_bad_scale(scale, error):
    with pytest.raises(error, match="scale: expected True, False, 'robust' or a column"):
        prepare(make(a=[1.0, 2.0]), scale=scale)


def test_robust_scale():
    values = np.random.default_rng(0).normal(50, 3, 2001)
    values[0] = 1e9
    scaled = prepare(make(a=values), scale="robust").values[:, 0]  # noqa: PD011
    assert np.median(scaled) == 0
    assert abs(np.diff(np.percentile(scaled, (25, 75)))[0] - 1.349) < 1e-9
    assert prepare(make(a=[0.0] * 9 + [3.0]), scale="robust").values[-1, 0] == pytest.approx(1 / 0.3)  # noqa: PD011


def test_scale_within_images():
    table = pd.DataFrame(
        {"image": ["a", "a", "b", "b", "c"], "label": [1, 2, 1, 2, 1], "a": [1.0, 3, 5, 9, 4]}
    )
    np.testing.assert_allclose(prepare(table, scale="image").values[:, 0], [-1, 1, -1, 1, 0])  # noqa: PD011
    dark = table.assign(b=[0.0, 0, 4, 8, 0])  # all 0 within an image
    np.testing.assert_allclose(prepare(dark, scale="image").values[:, 1], [0, 0, -1, 1, 0])  # noqa: PD011


@pytest.mark.parametrize("seed", [-1, 2**32, 1.5, "0"])
def test_bad_random_state(seed):
    with pytest.raises(ValueError, match="random_state: expected an integer"):
        check_random_state(seed)


def test_an_empty_table_is_fine_as_long_as_its_columns_are_there():
    table = make(a=[1.0]).iloc[:0]
    assert check_table(table) is table
    assert np.shape(prepare(table).values) == (0, 1)
    with pytest.raises(ValueError, match="columns: expected names"):
        prepare(table, columns=["b"])


def test_results_land_in_their_rows_and_replace_earlier_ones():
    table = make(a=[1.0, 2.0, 3.0], X_0=[9.0, 9.0, 9.0], X_1=[9.0, 9.0, 9.0]).set_index(pd.Index([7, 7, 5]))
    before = table.copy()
    results = {"X_0": np.array([0.5, 1.5]), "ID": np.array([4, -1])}
    new = with_results(table, np.array([2, 0]), results, replace=r"X_\d+|ID")
    pd.testing.assert_frame_equal(table, before)
    assert list(new.columns) == ["label", "a", "X_0", "ID"]
    assert new.index.tolist() == [7, 7, 5]
    np.testing.assert_array_equal(new["X_0"], [1.5, np.nan, 0.5])
    assert new["ID"].dtype == "Int64"
    assert new["ID"].tolist() == [-1, pd.NA, 4]


@given(st.lists(st.one_of(st.floats(-1e6, 1e6), st.just(np.nan)), min_size=2, max_size=12), st.randoms())
def test_the_matrix_does_not_depend_on_the_order_of_the_rows(values, random):
    table = make(a=values, b=np.arange(len(values)) ** 2)
    shuffled = table.iloc[random.sample(range(len(table)), len(table))]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        try:
            expected = prepare(table)
        except ValueError as error:
            with pytest.raises(ValueError, match=str(error).split("got")[0][:20]):
                prepare(shuffled)
            return
        got = prepare(shuffled)
    np.testing.assert_array_equal(got.values, expected.values)
    assert got.columns == expected.columns
    assert shuffled["label"].iloc[got.rows].tolist() == table["label"].iloc[expected.rows].tolist()


def test_the_size_counts_once():
    table = pd.DataFrame({"label": [1, 2], "num_pixels": [4, 9], "area": [2.0, 4.5]})
    assert measurement_columns(table) == ["area"]
    assert measurement_columns(table.drop(columns="area")) == ["num_pixels"]
    assert measurement_columns(table.assign(equivalent_diameter_area=[1.0, 2.0])) == ["area"]


def test_only_one_of_redundant_columns_is_used():
    random = np.random.default_rng(0)
    table = make(a=random.uniform(1, 9, 30), b=random.uniform(1, 9, 30))
    table = table.assign(
        c=-3 * table["a"] + 2, radius=np.cbrt(table["b"]), noisy=table["a"] + random.normal(size=30)
    )
    matrix = prepare(table)
    assert matrix.columns == ["a", "b", "noisy"]
    assert matrix.excluded["redundant"] == ["c", "radius"]
    assert prepare(table, columns=["a", "c"]).columns == ["a", "c"]


GERMAN = "label;area;roundness\n1;30,25;0,3\n2;1.030,5;0,4\n3;31;0,5\n"


def test_numbers_that_pandas_reads_as_text_are_an_error_with_the_way_out():
    table = pd.read_csv(io.StringIO(GERMAN), sep=";")
    for call in (lambda: prepare(table), lambda: prepare(table, columns=["area"])):
        with pytest.raises(ValueError, match=r"'area' of text.*'30,25'.*decimal=\",\""):
            call()
    with pytest.raises(ValueError, match=r"not separated.*sep=';'"):
        prepare(pd.read_csv(io.StringIO(GERMAN)))
    read = pd.read_csv(io.StringIO(GERMAN), sep=";", decimal=",", thousands=".")
    assert prepare(read).columns == ["area", "roundness"]


@pytest.mark.parametrize(
    ("values", "hint"),
    [
        (["1.5", "2.5", "n/a?"], r"na_values=\['n/a\?'\]"),
        (["1.5", "2.5", "3.5"], "pandas.to_numeric"),
        (["12 %", "7 %", "8 %"], "rstrip"),
        ([1.5, "2,5", 3.5], "decimal"),
    ],
)
def test_other_numbers_as_text(values, hint):
    with pytest.raises(ValueError, match=hint):
        prepare(make(a=[1.0, 2.0, 4.0], b=pd.Series(values, dtype=object)))


def test_text_columns_are_excluded():
    table = make(a=[1.0, 2.0, 4.0], b=["x", "1", "y"], well=["1,5", "2", "3"], c=[None] * 3)
    matrix = prepare(table)
    assert matrix.columns == ["a"]
    assert matrix.excluded == {
        "identifier": ["label", "well"],
        "text": ["b"],
        "empty": ["c"],
        "constant": [],
        "redundant": [],
    }


@pytest.mark.parametrize(
    ("columns", "rename"),
    [
        (["Label", "area"], "{'Label': 'label'}"),
        (["ImageNumber", "ObjectNumber", "area"], "{'ObjectNumber': 'label', 'ImageNumber': 'image'}"),
        (["Object ID", "area"], "{'Object ID': 'label'}"),
        (["ID", "area"], "{'ID': 'label'}"),
        (["LABEL", "ID", "area"], "{'LABEL': 'label'}"),
    ],
)
def test_error_suggests_renaming_the_label_column(columns, rename):
    with pytest.raises(ValueError, match=re.escape(f"table.rename(columns={rename})")):
        prepare(pd.DataFrame(np.arange(6).reshape(2, -1)[:, : len(columns)], columns=columns))


@pytest.mark.parametrize(
    ("texts", "hint"),
    [
        (["3.1 µm²", "4.25 µm²"], "Remove units"),
        (["3 px", "4 px"], "Remove units"),
        (["1.5um^3", "2um^3"], "Remove units"),
        (['"3.5"', '"4.5"'], "Remove units, quotes"),
        (["\u22123.5", "2.5"], "signs that are no digits"),
    ],
)
def test_numbers_with_units_or_quotes_are_no_text(texts, hint):
    with pytest.raises(ValueError, match=f"expected measurements as numbers, got 'volume' of text: .*{hint}"):
        prepare(make(area=[1.0, 2.0], volume=texts))


def test_lists_and_words_are_text():
    matrix = prepare(make(area=[1.0, 2.0], box=[[1, 2], [3, 4]], name=["3D", "2m deep"]))
    assert (matrix.columns, matrix.excluded["text"]) == (["area"], ["box"])


def test_labels_that_are_no_objects():
    with pytest.raises(ValueError, match="expected labels of at least 0 in the column 'label', got -1 among"):
        check_table(make(area=[1.0, 2.0]).assign(label=[-1, 2]))


def test_column_names_of_several_levels_are_refused():
    table = make(area=[1.0, 2.0])
    table.columns = pd.MultiIndex.from_tuples([(name, "") for name in table])
    with pytest.raises(
        ValueError, match=r"table: expected column names of one level, got 2 levels.*Join the"
    ):
        check_table(table)


def test_columns_of_arrow_types_are_read():
    pytest.importorskip("pyarrow")
    table = make(area=[1.0, 2.0, 4.0], size=[3, 5, 1])
    expected = prepare(table).values  # noqa: PD011
    found = prepare(table.convert_dtypes(dtype_backend="pyarrow")).values  # noqa: PD011
    np.testing.assert_array_equal(found, expected)
