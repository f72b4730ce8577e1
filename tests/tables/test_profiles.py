import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import silhouette_samples

from objclass.tables.files import to_bytes
from objclass.tables.profiles import scan_clusters, silhouettes, standardized_differences


@pytest.fixture
def table() -> pd.DataFrame:
    """Three clusters that differ in `area` strongly, in `solidity` a little, in `extent` not at all."""
    rng = np.random.default_rng(0)
    kinds = np.repeat([0, 1, 2], 40)
    return pd.DataFrame(
        {
            "label": rng.permutation(120) * 3 + 1,
            "extent": rng.normal(size=120),
            "solidity": rng.normal(size=120) + kinds,
            "area": rng.normal(size=120) + 10 * kinds,
            "centroid-0": rng.normal(size=120),
            "centroid-1": rng.normal(size=120),
            "UMAP_0": rng.normal(size=120),
            "UMAP_1": rng.normal(size=120),
            "KMEANS_CLUSTER_ID": pd.array(kinds, dtype="Int64"),
            "MANUAL_CLUSTER_ID": 0,
        }
    )


def test_the_most_telling_measure_comes_first(table: pd.DataFrame) -> None:
    differences = standardized_differences(table, "KMEANS_CLUSTER_ID")
    assert differences.columns.tolist() == ["area", "solidity", "extent"]
    inside, outside = (table["area"][table["KMEANS_CLUSTER_ID"].eq(2) == side] for side in (True, False))
    pooled = np.sqrt((39 * inside.var() + 79 * outside.var()) / 118)
    assert differences.loc[2, "area"] == pytest.approx((inside.mean() - outside.mean()) / pooled)


def test_one_group_and_missing_groups(table: pd.DataFrame) -> None:
    assert standardized_differences(table, "MANUAL_CLUSTER_ID").isna().all(axis=None)
    table.loc[:79, "KMEANS_CLUSTER_ID"] = pd.NA
    assert standardized_differences(table, "KMEANS_CLUSTER_ID").index.tolist() == [2]


def test_silhouettes_equal_scikit_learn(table: pd.DataFrame) -> None:
    columns = ["area", "solidity"]
    found = silhouettes(table[["label", "KMEANS_CLUSTER_ID", *columns]], "KMEANS_CLUSTER_ID")
    values = (table[columns] - table[columns].mean()) / table[columns].std(ddof=0)
    samples = silhouette_samples(values, table["KMEANS_CLUSTER_ID"].astype(int))
    for cluster, value in found.items():
        assert value == pytest.approx(samples[table["KMEANS_CLUSTER_ID"] == cluster].mean())
    assert silhouettes(table, "MANUAL_CLUSTER_ID") == {}


@pytest.mark.parametrize(("method", "criterion"), [("kmeans", "inertia"), ("gmm", "bic")])
def test_the_scan_finds_three(table: pd.DataFrame, method: str, criterion: str) -> None:
    seen = []
    scan = scan_clusters(table, method, columns=["area"], most=6, progress=lambda *done: seen.append(done))
    assert scan["n_clusters"].tolist() == [2, 3, 4, 5, 6]
    assert scan.loc[scan["silhouette"].idxmax(), "n_clusters"] == 3
    assert np.isfinite(scan[criterion]).all()
    assert seen == [(done, 5) for done in range(5)]


def test_a_scan_of_few_objects_stops_early(table: pd.DataFrame) -> None:
    assert scan_clusters(table.head(4), "kmeans", columns=["area"])["n_clusters"].tolist() == [2, 3]


def test_files(table: pd.DataFrame, tmp_path) -> None:
    (tmp_path / "objects.csv").write_bytes(to_bytes(table, "csv"))
    pd.testing.assert_frame_equal(
        pd.read_csv(tmp_path / "objects.csv"), table.astype({"KMEANS_CLUSTER_ID": "int64"})
    )
    with pytest.raises(ValueError, match="file_format: expected one of 'csv'"):
        to_bytes(table, "xls")


def test_parquet(table: pd.DataFrame, tmp_path) -> None:
    pytest.importorskip("pyarrow", reason="pyarrow is not installed")
    (tmp_path / "objects.parquet").write_bytes(to_bytes(table, "parquet"))
    pd.testing.assert_frame_equal(pd.read_parquet(tmp_path / "objects.parquet"), table)


def test_a_cluster_of_a_single_object_has_no_silhouette() -> None:
    table = pd.DataFrame({"label": range(1, 6), "area": [1.0, 2.0, 8.0, 9.0, 30.0], "kind": list("aabbc")})
    assert set(silhouettes(table, "kind")) == {"a", "b"}
