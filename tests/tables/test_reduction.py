import os
import platform
import subprocess
import sys
import types
import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn.decomposition import PCA
from sklearn.manifold import MDS, TSNE, Isomap, trustworthiness
from sklearn.neighbors import NearestNeighbors
from sklearn.preprocessing import StandardScaler

from objclass.tables import umap_cache
from objclass.tables.clustering import cluster
from objclass.tables.reduction import METHODS, reduce

# The table of the tests has an object without a measurement; that this is said has its own test.
pytestmark = pytest.mark.filterwarnings("ignore:1 of 70 objects have missing values")

COLUMNS = {"umap": "UMAP", "tsne": "t-SNE", "pca": "PC", "isomap": "Isomap", "mds": "MDS"}


@pytest.fixture(scope="module")
def table():
    """Three kinds of objects in ten measurements; gaps in the labels, one object without a measurement."""
    random = np.random.default_rng(0)
    kinds = np.repeat([0, 4, -4], [40, 20, 10])
    values = random.normal(size=(70, 10)) + kinds[:, None]
    table = pd.DataFrame(values, columns=[f"m{i}" for i in range(10)])
    table.insert(0, "label", np.arange(70) * 3 + 1)
    table.loc[5, "m3"] = np.nan
    return table.assign(centroid=random.uniform(0, 1000, 70), kind=np.sign(kinds))


def scaled(table):
    return StandardScaler().fit_transform(table.filter(regex="^m").dropna())


def by_hand(method, values, **options):
    if method == "umap":
        umap = umap_cache.import_umap()
        distances, neighbours = NearestNeighbors(n_neighbors=15).fit(values).kneighbors(values)
        exact = {"precomputed_knn": (neighbours, distances), "force_approximation_algorithm": True}
        exact = options or exact
        start = PCA(2, svd_solver="full").fit_transform(values)
        start = np.round(start / np.abs(start).max() * 10, 4)
        start += np.random.default_rng(0).normal(scale=1e-4, size=start.shape)
        exact |= {"init": start, "a": 1.57694, "b": 0.895061, "n_epochs": 400}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that there is no index of a search
            return umap.UMAP(random_state=0, n_jobs=1, **exact).fit_transform(values)
    if method == "mds":
        # The classes of scikit-learn releases before 1.8 start at random by themselves.
        start = {"init": "random"} if "init" in MDS().get_params() else {}
        return MDS(n_init=4, random_state=0, **start).fit_transform(values)
    if method == "isomap":
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return Isomap().fit_transform(values)
    estimator = {"tsne": TSNE(random_state=0, init="pca"), "pca": PCA(2)}[method]
    return estimator.fit_transform(values)


@pytest.mark.parametrize("method", METHODS)
def test_equals_the_library_on_scaled_measurements(table, method):
    before = table.copy()
    result = reduce(table, method)
    pd.testing.assert_frame_equal(table, before)
    names = [f"{COLUMNS[method]}_0", f"{COLUMNS[method]}_1"]
    assert list(result.columns) == [*table.columns, *names]
    pd.testing.assert_frame_equal(result[table.columns], table)
    assert result[names].isna().all(axis=1).tolist() == [row == 5 for row in range(70)]
    expected = by_hand(method, scaled(table))
    np.testing.assert_allclose(result[names].dropna(), expected, atol=1e-6)


@pytest.mark.parametrize("method", METHODS)
def test_the_same_seed_gives_the_same_whatever_the_order_of_the_rows(table, method):
    result = reduce(table, method, random_state=3)
    shuffled = reduce(table.sample(frac=1, random_state=1), method, random_state=3)
    pd.testing.assert_frame_equal(shuffled.sort_values("label"), result)


def test_numpys_own_generator_is_as_before(table):
    np.random.seed(42)  # noqa: NPY002
    expected = np.random.random()  # noqa: NPY002
    np.random.seed(42)  # noqa: NPY002
    reduce(table, "isomap")
    assert np.random.random() == expected  # noqa: NPY002


def test_components_columns_scale_and_earlier_results(table):
    first = reduce(table, "pca", n_components=3)
    assert list(first.filter(like="PC_")) == ["PC_0", "PC_1", "PC_2"]
    second = reduce(first, "pca", columns=["m0", "m1"], scale=False)
    assert list(second.filter(like="PC_")) == ["PC_0", "PC_1"]
    expected = PCA(2).fit_transform(table[["m0", "m1"]])
    np.testing.assert_allclose(second[["PC_0", "PC_1"]], expected)


def test_options_go_to_the_library(table):
    near = reduce(table, "umap", n_neighbors=5, min_dist=0.5)
    assert not np.allclose(near["UMAP_0"], reduce(table, "umap")["UMAP_0"], equal_nan=True)


def test_without_a_seed_umap_runs_too(table):
    assert reduce(table, "umap", random_state=None)["UMAP_0"].notna().sum() == 69


def test_umap_is_as_trustworthy_as_that_of_umap_learn(table):
    values = scaled(table)
    ours = reduce(table, "umap")[["UMAP_0", "UMAP_1"]].dropna().to_numpy()
    theirs = umap_cache.import_umap().UMAP(random_state=0, n_jobs=1).fit_transform(values)
    assert trustworthiness(values, ours) > trustworthiness(values, theirs) - 0.01


@pytest.mark.parametrize(
    ("n_objects", "given", "taken"), [(10_000, {}, 400), (10_001, {}, None), (99, {"n_epochs": 7}, 7)]
)
def test_up_to_ten_thousand_objects_a_layout_takes_four_hundred_epochs(n_objects, given, taken, monkeypatch):
    found = []

    def fit_transform(estimator, values):
        found.append(estimator.n_epochs)
        return np.zeros((len(values), 2))

    monkeypatch.setattr(umap_cache.import_umap().UMAP, "fit_transform", fit_transform)
    table = pd.DataFrame({"label": np.arange(n_objects), "a": np.arange(n_objects) % 97})
    reduce(table, "umap", **given)
    assert found == [taken]


def test_many_objects_get_their_exact_neighbours(monkeypatch):
    random = np.random.default_rng(0)
    table = pd.DataFrame(
        {"label": np.arange(5000), "a": random.normal(size=5000), "b": random.normal(size=5000)}
    )
    umap = umap_cache.import_umap()
    monkeypatch.setattr(umap.umap_, "NNDescent", type("NNDescent", (), {}))  # to search with it would raise
    result = reduce(table, "umap", n_epochs=10)
    # Ten epochs keep what the start shows: the two measurements.
    assert PCA(2).fit(result[["UMAP_0", "UMAP_1"]]).explained_variance_ratio_.min() > 0.2
    near = np.hypot(table["a"] - table["a"][0], table["b"] - table["b"][0]).nsmallest(10).index
    spread = result[["UMAP_0", "UMAP_1"]].std().max()
    assert (result.loc[near, ["UMAP_0", "UMAP_1"]].std() < spread / 3).all()


@pytest.mark.parametrize("method", METHODS)
def test_no_objects(table, method):
    with pytest.warns(UserWarning, match="no objects: there is nothing to reduce"):
        result = reduce(table.iloc[:0], method)
    assert list(result.columns)[-2:] == [f"{COLUMNS[method]}_0", f"{COLUMNS[method]}_1"]
    assert len(result) == 0


@pytest.mark.parametrize(
    ("method", "options", "message"),
    [
        ("umpa", {}, "method: expected one of 'umap', 'tsne', 'pca', 'isomap', 'mds', got str 'umpa'"),
        ("umap", {"n_neighbours": 5}, "n_neighbours: expected an option of method 'umap'.*n_neighbors"),
        ("pca", {"n_clusters": 5}, "n_clusters: expected an option of method 'pca'"),
        ("umap", {"n_neighbors": 69}, "at least 70 objects .* for n_neighbors=69, got 69. Pass a smaller"),
        ("umap", {"n_components": 69}, "at least 70 objects .* for n_components=69"),
        ("tsne", {"perplexity": 80}, "at least 81 objects .* for perplexity=80"),
        ("isomap", {"n_neighbors": 69}, "at least 70 objects .* for n_neighbors=69"),
        ("pca", {"n_components": 11}, r"n_components: expected at most 10 \(the number of measurements"),
        ("tsne", {"n_components": 4}, r"n_components: expected at most 3 \(three"),
        (
            "tsne",
            {"columns": ["m0"]},
            r"n_components: expected at most 1 .*not more than there are measurements",
        ),
        ("pca", {"n_components": 0}, "n_components: expected an integer of at least 1"),
        ("pca", {"columns": ["m11"]}, "columns: expected names of columns"),
        ("pca", {"random_state": -1}, "random_state: expected"),
    ],
)
def test_bad_arguments(table, method, options, message):
    with pytest.raises(ValueError, match=message):
        reduce(table, method, **options)


def test_one_object(table):
    with pytest.raises(ValueError, match="a measurement that varies between objects, got 1 object"):
        reduce(table.iloc[:1], "pca")


@pytest.mark.parametrize("method", ["umap", "tsne", "isomap"])
def test_two_objects_have_no_neighbors_to_lie_between(table, method):
    with pytest.raises(ValueError, match=f"at least 3 objects .* for method '{method}', got 2"):
        reduce(table.iloc[:2], method)


@pytest.mark.parametrize(("method", "most"), [("mds", "5,000"), ("isomap", "10,000")])
def test_too_many_objects_for_memory_are_refused(method, most):
    table = pd.DataFrame({"label": np.arange(100_000), "a": np.arange(100_000) % 7})
    with pytest.raises(ValueError, match=f"at most {most} objects for method '{method}'.*100,000.*sample"):
        reduce(table, method, n_components=1)


def test_it_warns_before_it_takes_long(monkeypatch, table):
    slow = METHODS["tsne"].__class__(**{**METHODS["tsne"].__dict__, "slow": 50})
    monkeypatch.setitem(METHODS, "tsne", slow)
    with pytest.warns(UserWarning, match="'tsne' takes long for 69 objects. Use 'pca', or a sample"):
        reduce(table, "tsne")


def test_a_new_process_finds_umap_compiled(table):
    reduce(table, "umap")
    code = """
import numpy as np, pandas as pd
from objclass.tables.reduction import reduce
values = np.random.default_rng(0).normal(size=(50, 2))
reduce(pd.DataFrame(values, columns=["a", "b"]).assign(label=range(50)))
import umap.layouts, umap.umap_
functions = umap.umap_.smooth_knn_dist, umap.layouts._nb_optimize_layout_euclidean_single_epoch
print([sum(function.stats.cache_misses.values()) for function in functions])
"""
    result = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert result.stdout.strip() == "[0, 0]"


def test_umap_with_more_components_than_measurements(table):
    result = reduce(table, "umap", columns=["m0", "m1"], n_components=3).filter(like="UMAP_")
    assert result.shape == (70, 3)
    assert (result.std() > 0.1).all()


def test_neighbours_are_those_of_the_metric(table):
    ours = reduce(table.dropna(), "umap", metric="manhattan").filter(like="UMAP_")
    expected = by_hand("umap", scaled(table), metric="manhattan")
    np.testing.assert_allclose(ours, expected, rtol=1e-5)


def test_another_start_is_that_of_umap_learn(table):
    ours = reduce(table, "umap", init="spectral")["UMAP_0"]
    assert not np.allclose(ours, reduce(table, "umap")["UMAP_0"], equal_nan=True)


OLDER_PROCESSOR = {
    "NUMBA_CPU_NAME": "generic",
    "NUMBA_CPU_FEATURES": "",
    "OPENBLAS_CORETYPE": "Sandybridge",
    "GLIBC_TUNABLES": "glibc.cpu.hwcaps=-AVX2,-FMA,-FMA4,-AVX512F",
}


@pytest.mark.slow
@pytest.mark.skipif(platform.machine() not in ("x86_64", "AMD64"), reason="processors of this family")
def test_layouts_and_clusters_are_the_same_on_a_processor_without_fused_operations(tmp_path):
    rng = np.random.default_rng(0)
    values = np.repeat(rng.normal(size=(6, 20)) * 3, 50, axis=0) + rng.normal(size=(300, 20))
    table = pd.DataFrame(values, columns=[f"m{n}" for n in range(20)]).assign(label=np.arange(1, 301))
    table.to_csv(tmp_path / "table.csv", index=False)
    code = f"""
import pandas as pd
from objclass.tables.clustering import cluster
from objclass.tables.reduction import reduce
table = pd.read_csv(r"{tmp_path / "table.csv"}", float_precision="round_trip")
for method in ("umap", "tsne", "pca"):
    table = reduce(table, method, progress=False)
cluster(table, n_clusters=6, progress=False).to_pickle(r"{tmp_path / "result.pickle"}")
"""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), **OLDER_PROCESSOR}
    environment |= {"NUMBA_CACHE_DIR": str(tmp_path), "OBJCLASS_WARMUP": "0"}
    subprocess.run([sys.executable, "-W", "ignore", "-c", code], check=True, env=environment)
    far = pd.read_pickle(tmp_path / "result.pickle")
    near = table
    for method in ("umap", "tsne", "pca"):
        near = reduce(near, method, progress=False)
    near = cluster(near, n_clusters=6, progress=False)
    exact = [name for name in near if not name.startswith("PC_")]
    pd.testing.assert_frame_equal(far[exact], near[exact], check_exact=True)
    pd.testing.assert_frame_equal(far, near, rtol=1e-10)


def test_what_cannot_be_cached_is_left_as_it_is():
    asked = []

    class Function:
        def __init__(self, module, error=None):
            self.__module__, self.error = module, error

        def enable_caching(self):
            asked.append(self)
            if self.error is not None:
                raise self.error

    module = types.ModuleType("umap.made_up")
    module.good = Function("umap.made_up")
    module.unwritable = Function("umap.made_up", RuntimeError("cannot cache: no locator available"))
    module.plain = types.SimpleNamespace(__module__="umap.made_up")
    module.imported = Function("umap.other")
    umap_cache._cache_functions(module)
    assert asked == [module.good, module.unwritable]


def test_umap_of_very_many_objects_learns_from_a_sample(monkeypatch):
    rng = np.random.default_rng(0)
    kinds = rng.integers(0, 2, 900)
    values = rng.normal(kinds[:, None] * 12, 1, (900, 4))
    table = pd.DataFrame({"label": np.arange(1, 901), **{f"m{at}": values[:, at] for at in range(4)}})
    monkeypatch.setattr("objclass.tables.estimators.MANY", 300)
    placed = reduce(table, "umap")[["UMAP_0", "UMAP_1"]].to_numpy()
    assert np.isfinite(placed).all()
    centres = np.stack([placed[kinds == kind].mean(axis=0) for kind in (0, 1)])
    nearest = np.linalg.norm(placed[:, None] - centres, axis=2).argmin(axis=1)
    assert (nearest == kinds).mean() > 0.99
    mixed = table.sample(frac=1, random_state=1)
    again = reduce(mixed, "umap").sort_values("label")[["UMAP_0", "UMAP_1"]].to_numpy()
    np.testing.assert_array_equal(again, placed)


def test_summary_names_columns_and_objects_without_result(table, capsys):
    with pytest.warns(UserWarning, match="1 of 70 objects have missing values and get no result.*'m3'"):
        reduce(table, "pca")
    said = capsys.readouterr().err
    assert said.startswith("reduce: 10 columns used: m0, m1, m2, m3, m4, m5, m6, m7 and 2 more; excluded: ")
    assert "identifier (label), position (centroid), result (kind)" in said


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("n", [3, 4, 7])
def test_three_objects_are_enough(method, n):
    values = np.random.default_rng(0).normal(size=(n, 5))
    table = pd.DataFrame(values, columns=list("abcde")).assign(label=range(n))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", UserWarning)
        result = reduce(table, method)
    said = [str(warning.message) for warning in caught if "fewer neighbours" in str(warning.message)]
    assert len(said) == (method in ("umap", "tsne") or (method == "isomap" and n < 6))
    assert np.isfinite(result.filter(regex="_[01]$")).all(axis=None)
    assert reduce_quietly(table, method).equals(result)


def reduce_quietly(table, method):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        return reduce(table, method)
