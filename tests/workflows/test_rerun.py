"""What a repetition says of each output; that whole runs are repeated is in the tests of the command line."""

import numpy as np
import pandas as pd
import pytest
import tifffile

from objclass.workflows.record import checksum
from objclass.workflows.rerun import Repetition, _compare_records, compare_outputs

TABLE = pd.DataFrame(
    {
        "label": [1, 2, 3],
        "area": [1.5, 2.0, 4.0],
        "UMAP_0": [0.0, -1.0, np.nan],
        "KMEANS_CLUSTER_ID": [0, 1, 1],
        "CLASS": ["a", "b", "a"],
    }
)
LABELS = np.arange(24, dtype=np.int32).reshape(4, 6)


@pytest.fixture
def folders(tmp_path):
    for name in ("then", "now"):
        (tmp_path / name).mkdir()
    return tmp_path / "then", tmp_path / "now"


def compare(folders, name, *, recorded=None):
    then, now = folders
    return compare_outputs({"outputs": {name: recorded or checksum(then / name)}}, then, now)


@pytest.mark.parametrize(
    ("again", "verdict"),
    [
        (LABELS, "identical voxels, stored differently"),
        (np.where(LABELS == 7, 8, LABELS), "different in 1 of 24 voxels"),
        (np.maximum(LABELS, 3), "different in 3 of 24 voxels"),
        (LABELS[:3], "different: shape (4, 6) then, (3, 6) now"),
    ],
)
def test_verdicts_on_labels(folders, again, verdict):
    for folder, labels, compression in zip(folders, (LABELS, again), (None, "zlib"), strict=True):
        tifffile.imwrite(folder / "labels.tif", labels, compression=compression, photometric="minisblack")
    assert compare(folders, "labels.tif") == {"labels.tif": verdict}


@pytest.mark.parametrize(
    ("changes", "verdicts"),
    [
        ({}, {"objects.csv": "identical numbers, stored differently"}),
        (
            {"area": [1.5, 2.0 * (1 + 2e-7), 4.0]},
            {"measurements": "equal to rounding, to a relative difference of 2e-07"},
        ),
        ({"area": [1.5, 2.0 * (1 + 2e-6), 4.0]}, {"measurements": "different in 1 of 3 rows"}),
        ({"area": [1.5, np.nan, 5.0]}, {"measurements": "different in 2 of 3 rows"}),
        ({"UMAP_0": [1e-9, -1.0, np.nan]}, {"map": "different in 1 of 3 rows"}),
        ({"KMEANS_CLUSTER_ID": [1, 0, 0]}, {"clusters": "different in 3 of 3 rows"}),
        ({"area": ["1.5 µm", "2 µm", None]}, {"measurements": "different in 3 of 3 rows"}),
        ({"CLASS": ["a", "b", "b"]}, {"classes": "different in 1 of 3 rows"}),
    ],
)
def test_verdicts_on_groups_of_columns(folders, changes, verdicts):
    TABLE.to_csv(folders[0] / "objects.csv", index=False)
    TABLE.assign(**changes).to_csv(folders[1] / "objects.csv", index=False, lineterminator="\r\n")
    found = compare(folders, "objects.csv")
    if "objects.csv" not in verdicts:
        groups = ("measurements", "map", "clusters", "classes")
        verdicts = {f"objects.csv: {group}": verdicts.get(group, "identical") for group in groups}
    assert found == verdicts


def test_verdicts_on_other_tables(folders):
    TABLE.to_csv(folders[0] / "objects.csv", index=False)
    for table, verdict in [
        (TABLE.iloc[:2], "different: 3 rows then, 2 now"),
        (TABLE.drop(columns="area"), "different columns: area"),
        (TABLE[TABLE.columns[::-1]], "different columns: their order"),
    ]:
        table.to_csv(folders[1] / "objects.csv", index=False)
        assert compare(folders, "objects.csv") == {"objects.csv": verdict}


def test_verdicts_on_files_that_are_not_those_of_the_record(folders):
    then, now = folders
    (then / "a.png").write_bytes(b"one")
    assert compare(folders, "a.png") == {"a.png": "different: the repetition does not write this file"}
    (now / "a.png").write_bytes(b"two")
    assert compare(folders, "a.png") == {"a.png": "different"}
    lost = {"a.png": "different, and the first result is missing or was modified"}
    assert compare(folders, "a.png", recorded="0" * 64) == lost
    (now / "a.png").write_bytes(b"one")
    assert compare(folders, "a.png") == {"a.png": "identical"}
    recorded = checksum(then / "a.png")
    (then / "a.png").write_bytes(b"edited by hand")
    changed = {"a.png": "changed since the run; the repetition is identical to what the run wrote"}
    assert compare(folders, "a.png", recorded=recorded) == changed
    assert not Repetition(changed, []).is_identical
    (then / "a.png").unlink()
    gone = {"a.png": "identical to the checksum of the first result, which is not there"}
    assert compare(folders, "a.png", recorded=recorded) == gone
    assert Repetition(gone, []).is_identical
    (then / "a.png").mkdir()
    assert compare(folders, "a.png", recorded=recorded) == changed


def test_verdicts_on_what_the_record_says():
    then = {"outputs": {"a": "0"}, "parameters": {"min_size": 3, "split": True}, "found": {"objects": 2}}
    assert _compare_records(then, then) == {}
    now = then | {"outputs": {"a": "1", "b": "2"}, "parameters": {"min_size": 4, "smooth": 1}}
    assert _compare_records(then, now) == {
        "b": "not recorded: a run writes this file, and the record does not list it",
        "parameters": "different: the record has another min_size, split, smooth",
    }
    assert _compare_records(then | {"found": 7}, then) == {
        "found": "different: the record has another objects",
    }
    assert _compare_records(then | {"training": 1}, then) == {
        "training": "different: the record has another training"
    }
