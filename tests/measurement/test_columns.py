import copy
import json
import pickle
import time

import numpy as np
import pytest

import objclass
from objclass.measurement.columns import Descriptions


@pytest.fixture(scope="module")
def table():
    image = np.random.default_rng(0).integers(0, 99, (3, 9, 12)).astype(np.uint16)
    return objclass.measure(np.eye(9, 12, dtype=int), image, properties=("basic", "moments"))


def test_copies_of_descriptions_are_independent(table):
    other = table.copy()
    other.attrs["columns"]["area"]["unit"] = "acre"
    del other.attrs["columns"]["extent"]
    assert table.attrs["columns"]["area"]["unit"] == "px²"
    assert "extent" in table.attrs["columns"]


def test_taking_a_column_does_not_wait_for_the_copy_of_all_descriptions(table):
    plain = json.loads(json.dumps(table.attrs))
    assert plain == table.attrs
    assert len(plain["columns"]) > 100
    seconds = []
    for attrs in (plain, table.attrs):
        start = time.thread_time()
        for _ in range(50):
            copy.deepcopy(attrs)
        seconds.append(time.thread_time() - start)
    assert seconds[1] < seconds[0] / 4
    assert isinstance(table["area"].attrs["columns"], Descriptions)


def test_a_pickled_table_needs_no_objclass(table):
    assert b"Descriptions" not in pickle.dumps(table)
    assert pickle.loads(pickle.dumps(table)).attrs == table.attrs


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_a_table_that_was_read_is_as_quick(table, tmp_path, suffix):
    pytest.importorskip("pyarrow")
    objclass.write_table(table, tmp_path / f"a{suffix}")
    assert isinstance(objclass.read_table(tmp_path / f"a{suffix}").attrs["columns"], Descriptions)
