"""Numbers as spreadsheets leave them."""

import io

import numpy as np
import pandas as pd
import pytest

from objclass.tables.columns import check_table, prepare

RANDOM = np.random.default_rng(0)
SIZES = RANDOM.lognormal(6.5, 0.6, 60).round().astype(int)
TABLE = pd.DataFrame({"label": range(1, 61), "size": SIZES, "mean": RANDOM.normal(50, 9, 60).round(2)})


@pytest.mark.parametrize(
    ("separator", "options", "hint"),
    [
        (".", {"sep": ";"}, r"'size' with 1\.\d{3} beside \d{3}\. A separator of thousands"),
        (",", {"sep": ";", "decimal": ","}, "A separator of thousands was read as decimal sign"),
        (".", {"sep": ";", "decimal": ","}, r"thousands='\.'"),
        (" ", {"sep": ";"}, "thousands=' '"),
        ("\u202f", {"sep": ";"}, "thousands="),
    ],
)
def test_separators_of_thousands(separator, options, hint):
    texts = [f"{size:,}".replace(",", separator) for size in SIZES]
    file = io.StringIO(TABLE[["label"]].assign(size=texts).to_csv(sep=";", index=False))
    with pytest.raises(ValueError, match=f"measurements as numbers.*{hint}"):
        prepare(pd.read_csv(file, **options))


@pytest.mark.parametrize(
    "values",
    [
        np.round(RANDOM.uniform(1, 30, 60), 3),  # with a whole one now and then
        np.repeat([3.0, 4, 5, 5.099, 6.083, 7.071, 8.062, 11, 13, 17.029, 19, 23], 5),  # Feret diameters
        np.where(np.arange(60) % 3, np.round(RANDOM.uniform(1, 30, 60), 3), 999),  # none is 999
        np.where(np.arange(60) % 3, RANDOM.integers(100, 900, 60), RANDOM.integers(100, 900, 60) + 0.5),
    ],
)
def test_other_decimals_are_right(values):
    assert prepare(TABLE.assign(other=values)).columns == ["size", "mean", "other"]


@pytest.mark.parametrize(
    ("values", "hint"),
    [
        (["-"] * 1100 + ["1.5", "2.5"], r"na_values=\['-'\]"),
        (["Jan 12", "12.75", "5. Mai", "2024-05-12 00:00:00"], "taken numbers for dates"),
        (["1.5*", "2.5", "3.5"], "Remove units"),
        (["1.5 ± 0.1", "2.5 ± 0.2"], "Remove units"),
        (['="1.5"', '="2.5"'], "Remove units"),
        (["0.291", "0.275"], "pandas.to_numeric"),
    ],
)
def test_text_with_numbers(values, hint):
    table = pd.DataFrame(
        {"label": range(1, len(values) + 1), "a": np.arange(len(values)) ** 2.0, "b": values}
    )
    with pytest.raises(ValueError, match=f"'b' of text.*{hint}"):
        prepare(table)


def test_dates_alone_are_text():
    dates = pd.date_range("2024-05-12", periods=60).astype(str)
    assert prepare(TABLE.assign(made=dates)).excluded["text"] == ["made"]


@pytest.mark.parametrize("rows", [["sum"], ["mean"], ["mean", "std", "min", "max"], ["sum", "mean"]])
def test_rows_of_sums_are_no_objects(rows):
    table = pd.concat([TABLE, TABLE.agg(rows)], ignore_index=True).round(3)
    table["label"] = np.arange(1, len(table) + 1)
    with pytest.raises(ValueError, match=rf"the {rows[0]}s of those above in row 60.*table\.iloc\[:60\]"):
        prepare(table)


def test_equal_objects_are_no_sums():
    table = pd.DataFrame({"label": range(1, 9), "area": 0.1 * 3, "mean": [0.7] * 7 + [0.7 + 1e-9]})
    assert len(prepare(table, scale=False).rows) == 8


def test_where_the_labels_are():
    for table, hint in (
        (TABLE.set_index("label"), r"The labels are the index: table\.reset_index\(\)"),
        (pd.read_csv(io.StringIO("Results,,\n" + TABLE.to_csv(index=False))), "skiprows"),
        (
            TABLE.rename(columns={"label": "labelimage_oid"}).assign(object_id=0),
            "{'labelimage_oid': 'label'}",
        ),
        (
            TABLE.rename(columns={"label": "labelimage_oid"}).set_index("size").assign(object_id=range(60)),
            "{'labelimage_oid': 'label'}",
        ),
    ):
        with pytest.raises(ValueError, match=hint):
            check_table(table)
