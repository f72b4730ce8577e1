import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.cluster import HDBSCAN, AgglomerativeClustering, KMeans, MeanShift, estimate_bandwidth
from sklearn.datasets import load_digits
from sklearn.metrics import adjusted_rand_score
from sklearn.mixture import GaussianMixture
from sklearn.preprocessing import StandardScaler

from objclass.tables.clustering import METHODS, _by_size, cluster
from objclass.tables.reduction import reduce

# The table of the tests has an object without a measurement; that this is said has its own test.
pytestmark = pytest.mark.filterwarnings("ignore:1 of 70 objects have missing values")

COLUMNS = {
    "kmeans": "KMEANS_CLUSTER_ID",
    "hdbscan": "HDBSCAN_CLUSTER_ID",
    "leiden": "LEIDEN_CLUSTER_ID",
    "gmm": "GMM_CLUSTER_ID",
    "meanshift": "MS_CLUSTER_ID",
    "agglomerative": "AC_CLUSTER_ID",
    "spectral": "SC_CLUSTER_ID",
}


@pytest.fixture(scope="module")
def table():
    """20 + 40 + 10 objects of three kinds that lie apart; one of the first has no measurement."""
    random = np.random.default_rng(0)
    kinds = np.repeat([1, 0, 2], [20, 40, 10])
    values = random.normal(size=(70, 5)) + np.array([0, 12, -12])[kinds][:, None]
    table = pd.DataFrame(values, columns=list("abcde")).assign(kind=kinds)
    table.insert(0, "label", np.arange(70) * 2 + 5)
    table.loc[3, "c"] = np.nan
    return table


@pytest.mark.parametrize("method", METHODS)
def test_separate_clusters_are_found_and_numbered_by_size(table, method):
    before = table.copy()
    result = cluster(table, method, **({"resolution": 0.3} if method == "leiden" else {}))
    pd.testing.assert_frame_equal(table, before)
    assert list(result.columns) == [*table.columns, COLUMNS[method]]
    numbers = result[COLUMNS[method]]
    assert numbers.dtype == "Int64"
    expected = table["kind"].astype("Int64").mask(table["label"] == 11)
    pd.testing.assert_series_equal(numbers, expected, check_names=False)


@pytest.mark.parametrize("method", METHODS)
def test_the_same_seed_gives_the_same_whatever_the_order_of_the_rows(method):
    random = np.random.default_rng(1)  # no clusters here: each start ends elsewhere
    table = pd.DataFrame(random.normal(size=(120, 3)), columns=list("abc")).assign(label=np.arange(120))
    result = cluster(table, method, random_state=5)
    shuffled = cluster(table.sample(frac=1, random_state=1), method, random_state=5)
    pd.testing.assert_frame_equal(shuffled.sort_values("label"), result)


def test_it_gives_the_partition_of_the_library():
    random = np.random.default_rng(1)
    table = pd.DataFrame(random.normal(size=(150, 4)), columns=list("abcd")).assign(label=np.arange(150))
    values = StandardScaler().fit_transform(table[list("abcd")])
    libraries = {
        "kmeans": KMeans(4, n_init=10, random_state=0),
        "gmm": GaussianMixture(4, random_state=0),
        "agglomerative": AgglomerativeClustering(4),
        "hdbscan": HDBSCAN(min_samples=5, copy=True),
    }
    for method, estimator in libraries.items():
        size = 4 if METHODS[method].size else None
        numbers = cluster(table, method, n_clusters=size)[COLUMNS[method]]
        assert adjusted_rand_score(numbers, estimator.fit_predict(values)) == 1, method


def test_noise_is_minus_one():
    values = np.r_[np.zeros(30), np.ones(20), 100.0, -100.0] + np.arange(52) * 1e-3
    table = pd.DataFrame({"label": np.arange(52), "area": values})
    numbers = cluster(table, "hdbscan")["HDBSCAN_CLUSTER_ID"]
    assert numbers.tolist() == [0] * 30 + [1] * 20 + [-1] * 2


def test_columns_options_and_earlier_results(table):
    embedded = reduce(cluster(table, n_clusters=2), "pca")
    result = cluster(embedded, n_clusters=4, columns=["PC_0", "PC_1"], scale=False, max_iter=50)
    assert result.filter(like="CLUSTER_ID").columns.tolist() == ["KMEANS_CLUSTER_ID"]
    assert result["KMEANS_CLUSTER_ID"].nunique() == 4
    by_default = cluster(embedded, n_clusters=4)
    pd.testing.assert_frame_equal(
        by_default[["KMEANS_CLUSTER_ID"]], cluster(table, n_clusters=4)[["KMEANS_CLUSTER_ID"]]
    )


def test_images_are_clustered_together():
    table = pd.DataFrame({"image": ["b", "a", "a", "b"], "label": [1, 1, 2, 2], "area": [9.0, 1.0, 1.1, 1.2]})
    assert cluster(table, n_clusters=2)["KMEANS_CLUSTER_ID"].tolist() == [1, 0, 0, 0]


@pytest.mark.parametrize("method", METHODS)
def test_no_objects(table, method):
    with pytest.warns(UserWarning, match="no objects: there is nothing to cluster"):
        result = cluster(table.iloc[:0], method)
    assert list(result.columns) == [*table.columns, COLUMNS[method]]
    assert result[COLUMNS[method]].dtype == "Int64"
    assert len(result) == 0


@pytest.mark.parametrize(
    ("method", "options", "message"),
    [
        ("k-means", {}, "method: expected one of 'kmeans', 'hdbscan', .*got str 'k-means'"),
        ("kmeans", {"n_cluster": 3}, "n_cluster: expected an option of method 'kmeans'.*max_iter"),
        ("gmm", {"n_components": 3}, "n_components: expected an option of method 'gmm'"),
        (
            "kmeans",
            {"n_clusters": 70},
            "at least 70 objects .* for n_clusters=70, got 69. Pass a smaller n_clusters",
        ),
        ("gmm", {"n_clusters": 70}, "at least 70 objects .* for n_clusters=70"),
        ("agglomerative", {"n_clusters": 70}, "at least 70 objects .* for n_clusters=70"),
        ("spectral", {"n_clusters": 69}, "at least 70 objects .* for n_clusters=69"),
        ("spectral", {"n_neighbors": 70}, "at least 70 objects .* for n_neighbors=70"),
        ("hdbscan", {"min_samples": 70}, "at least 70 objects .* for min_samples=70"),
        ("kmeans", {"n_clusters": 0}, "n_clusters: expected an integer of at least 1"),
        ("kmeans", {"n_clusters": 2.5}, "n_clusters: expected an integer"),
        ("kmeans", {"columns": ["f"]}, "columns: expected names of columns"),
        (
            "kmeans",
            {"columns": ["kind"], "n_clusters": 4},
            "n_clusters: expected at most 3, the number of objects",
        ),
        ("meanshift", {"columns": ["flag"]}, "too many equal ones. Pass bandwidth"),
    ],
)
def test_bad_arguments(table, method, options, message):
    with pytest.raises(ValueError, match=message):
        cluster(table.assign(flag=np.arange(70) % 2 == 0), method, **options)


def test_mean_shift_reaches_as_far_as_the_nearest_fifth():
    values = np.random.default_rng(3).normal(size=(120, 2)) * [1, 3]
    table = pd.DataFrame(values, columns=["a", "b"]).assign(label=np.arange(1, 121))
    scaled = StandardScaler().fit_transform(values)

    def expected(quantile):
        reach = estimate_bandwidth(scaled, quantile=quantile, n_samples=120, random_state=0)
        return MeanShift(bandwidth=reach).fit_predict(scaled)

    assert adjusted_rand_score(expected(0.2), cluster(table, "meanshift")["MS_CLUSTER_ID"]) == 1
    assert adjusted_rand_score(expected(0.2), expected(0.3)) < 0.9


@pytest.mark.parametrize(
    ("method", "options", "most"),
    [("agglomerative", {}, "20,000"), ("spectral", {"affinity": "rbf"}, "10,000")],
)
def test_too_many_objects_for_memory_are_refused(method, options, most):
    table = pd.DataFrame({"label": np.arange(100_000), "a": np.arange(100_000) % 7})
    with pytest.raises(ValueError, match=f"at most {most} objects for method '{method}'.*Use 'kmeans'"):
        cluster(table, method, **options)


@given(st.lists(st.integers(-1, 5), min_size=1, max_size=30))
def test_numbering_keeps_the_partition_and_sorts_by_size(numbers):
    numbers = np.array(numbers)
    new = _by_size(numbers)
    np.testing.assert_array_equal(new == -1, numbers == -1)
    assert (
        len({*zip(numbers.tolist(), new.tolist(), strict=True)})
        == len(np.unique(numbers))
        == len(np.unique(new))
    )
    sizes = np.bincount(new[new >= 0])
    assert (sizes[:-1] >= sizes[1:]).all()
    assert (sizes > 0).all()
    first = [np.flatnonzero(new == number)[0] for number in range(len(sizes))]
    ties = sizes[:-1] == sizes[1:]
    assert (np.diff(first)[ties] > 0).all()
    np.testing.assert_array_equal(_by_size(new), new)


def test_mini_batch_kmeans_for_very_many_objects(monkeypatch):
    rng = np.random.default_rng(0)
    kinds = rng.integers(0, 3, 2000)
    table = pd.DataFrame(
        {"label": np.arange(2000), "size": rng.normal(kinds * 20, 1), "m": rng.normal(0, 1, 2000)}
    )
    whole = cluster(table, columns=["size"])["KMEANS_CLUSTER_ID"]
    monkeypatch.setattr("objclass.tables.estimators.MANY", 500)
    batches = cluster(table, columns=["size"])["KMEANS_CLUSTER_ID"]
    pd.testing.assert_series_equal(batches, whole)


def test_summary_names_used_and_excluded_columns(table, capsys):
    table = table.assign(**{"image": "a", "well": 3, "centroid-0": 1.0, "f": 2.0, "g": 2 * table["a"] + 1})
    table["h"] = np.nan
    cluster(table)
    said = capsys.readouterr().err
    assert said.startswith(
        "cluster: 5 columns used: a, b, c, d, e; excluded: identifier (label, image, well)"
    )
    for reason in ("result (kind)", "position (centroid-0)", "empty (h)", "constant (f)"):
        assert reason in said
    assert "redundant (g)" in said
    assert said.count("\n") == 1
    cluster(table, progress=False)
    assert capsys.readouterr().err == ""


def test_summary_names_strongly_correlated_columns(capsys):
    random = np.random.default_rng(0)
    table = pd.DataFrame({"label": range(50), "a": random.normal(size=50), "b": random.normal(size=50)})
    cluster(table.assign(c=table["a"] + 0.1 * table["b"]))
    assert "strongly correlated: a and c" in capsys.readouterr().err


def test_noise_is_reported(table, capsys):
    with pytest.warns(UserWarning, match="1 of 70 objects have missing values and get no result.*'c'"):
        cluster(table)
    far = pd.DataFrame({"label": range(21), "a": [*np.linspace(0, 1, 20), 99], "b": [*np.zeros(20), 99]})
    cluster(far, "hdbscan")
    assert "1 of 21 objects are noise" in capsys.readouterr().err


def test_scaled_within_each_image_the_staining_does_not_matter():
    random = np.random.default_rng(0)
    kind = np.tile(np.repeat([0, 1], 40), 2)
    image = np.repeat(["a", "b"], 80)
    brightness = random.normal(100 + 20 * kind, 2) * np.where(image == "a", 1, 5)
    table = pd.DataFrame({"image": image, "label": np.tile(np.arange(80), 2), "mean": brightness})
    assert adjusted_rand_score(kind, cluster(table, n_clusters=2)["KMEANS_CLUSTER_ID"]) < 0.1
    found = cluster(table, n_clusters=2, scale="image")["KMEANS_CLUSTER_ID"]
    assert adjusted_rand_score(kind, found) > 0.95


def test_leiden_finds_the_digits():
    values, truth = load_digits(return_X_y=True)
    table = pd.DataFrame(values).add_prefix("m").assign(label=range(len(values)))
    found = cluster(table, "leiden")["LEIDEN_CLUSTER_ID"]
    assert (
        adjusted_rand_score(truth, found)
        > 0.75
        > adjusted_rand_score(truth, cluster(table, n_clusters=10)["KMEANS_CLUSTER_ID"])
    )
    fewer = cluster(table, "leiden", resolution=0.1)["LEIDEN_CLUSTER_ID"]
    assert fewer.nunique() < found.nunique()


@pytest.mark.parametrize("method", ["hdbscan", "leiden", "meanshift"])
def test_a_number_of_clusters_that_a_method_does_not_take_is_refused(table, method):
    with pytest.raises(ValueError, match=f"n_clusters: expected None for '{method}', which determines the"):
        cluster(table, method, n_clusters=3)
    assert cluster(table, method, n_clusters=None).equals(cluster(table, method))
