"""Tables as AnnData, in its files, for scanpy and squidpy, and back.

squidpy asks for older versions of other packages and is in no extra: .ci/run makes an environment for it.
"""

import numpy as np
import pandas as pd
import pytest
from scipy import ndimage

import objclass

CHANNELS = ["DAPI", "CD3/CD8", "a-b"]


def measured(*, properties=("basic", "intensity", "texture", "moments"), names=CHANNELS, n_channels=3):
    rng = np.random.default_rng(0)
    labels = [ndimage.label(rng.random((24, 26)) > 0.55)[0] * 3 for _ in range(2)]
    images = [rng.integers(0, 1000, (n_channels, 24, 26)) for _ in range(2)]
    table = objclass.measure(
        labels,
        images,
        spacing=0.5,
        unit="µm",
        channel_names=names,
        image_names=["x", "y"],
        properties=properties,
        texture_distances=(0.5, 1),
        texture_scales=0.5,
        progress=False,
    )
    table["UMAP_0"], table["UMAP_1"] = np.arange(len(table)), -1.0
    table["KMEANS_CLUSTER_ID"] = pd.array(np.arange(len(table)) % 2, dtype="Int64")
    return table


@pytest.fixture
def anndata():
    return pytest.importorskip("anndata", reason="anndata is not installed")


def test_measurements_are_the_variables(anndata):
    table = measured()
    data = objclass.to_anndata(table)
    assert data.obs_names.is_unique
    assert data.obs_names[0] == "x:3"
    assert data.var.loc["area", ["measurement", "channel", "unit"]].tolist() == ["area", "", "µm²"]
    expected = {
        "intensity_mean-DAPI": ("intensity_mean", "DAPI"),
        "intensity_median-a-b": ("intensity_median", "a-b"),
        "texture_contrast-0.5-CD3/CD8": ("texture_contrast-0.5", "CD3/CD8"),
        "texture_blob_energy-0.5-a-b": ("texture_blob_energy-0.5", "a-b"),
        "moments_weighted-0-1-a-b": ("moments_weighted-0-1", "a-b"),
        "moments_weighted_hu-0-DAPI": ("moments_weighted_hu-0", "DAPI"),
        "intensity_pearson-DAPI-CD3/CD8": ("intensity_pearson-DAPI-CD3/CD8", ""),
        "moments-0-1": ("moments-0-1", ""),
    }
    for name, parts in expected.items():
        assert tuple(data.var.loc[name, ["measurement", "channel"]]) == parts
    np.testing.assert_array_equal(data[:, "area"].X[:, 0], table["area"])
    np.testing.assert_array_equal(data.obsm["X_umap"], table[["UMAP_0", "UMAP_1"]])
    np.testing.assert_array_equal(data.obsm["spatial"], table[["centroid-1", "centroid-0"]])
    assert data.obs["KMEANS_CLUSTER_ID"].dtype == "category"
    assert not data.layers


def test_channels_are_the_variables_and_their_measurements_layers(anndata):
    table = measured()
    data = objclass.to_anndata(table, var="channels")
    assert data.var_names.tolist() == CHANNELS
    for channel in CHANNELS:
        np.testing.assert_array_equal(data[:, channel].X[:, 0], table[f"intensity_mean-{channel}"])
        for name in ("intensity_median", "texture_contrast-1", "texture_local_variance"):
            np.testing.assert_array_equal(data[:, channel].layers[name][:, 0], table[f"{name}-{channel}"])
    assert "intensity_mean" not in data.layers
    assert {"area", "solidity", "intensity_pearson-DAPI-a-b", "label"} <= {*data.obs}
    assert not [name for name in data.obs if name.startswith("intensity_median")]


@pytest.mark.parametrize("var", ["measurements", "channels"])
def test_a_table_comes_back_as_it_was(var, anndata, tmp_path):
    table = measured(names=["DAPI", "GFP", "a-b"])
    del table["texture_contrast-1-GFP"], table.attrs["columns"]["texture_contrast-1-GFP"]
    objclass.to_anndata(table, var=var).write_h5ad(tmp_path / "objects.h5ad")
    back = objclass.from_anndata(anndata.read_h5ad(tmp_path / "objects.h5ad"))
    assert list(back) == list(table)
    same = back.astype({"image": table["image"].dtype, "KMEANS_CLUSTER_ID": "Int64"})
    pd.testing.assert_frame_equal(same, table, check_dtype=False)
    assert back.attrs == {name: table.attrs[name] for name in ("unit", "spacing", "ndim", "columns")}
    pd.testing.assert_frame_equal(objclass.describe_columns(back), objclass.describe_columns(table))


def test_a_selection_and_a_new_embedding_come_back(anndata):
    table = measured(properties="basic")
    data = objclass.to_anndata(table, var="channels")[5:9, ["DAPI"]].copy()
    data.obsm["X_pca"] = np.ones((4, 2))
    data.layers["log1p"] = np.log1p(data.X)
    back = objclass.from_anndata(data)
    np.testing.assert_array_equal(back["intensity_std-DAPI"], table["intensity_std-DAPI"][5:9])
    assert back[["PC_0", "PC_1"]].eq(1).all().all()
    assert not {"intensity_mean-a-b", "log1p-DAPI", "DAPI"} & {*back}


def test_other_tables_and_other_anndata(anndata):
    rng = np.random.default_rng(0)
    back = objclass.from_anndata(anndata.AnnData(rng.random((3, 2)), layers={"counts": np.ones((3, 2))}))
    assert list(back) == ["label", "0", "1"]
    assert back.attrs == {}
    empty = measured(properties="intensity").iloc[:0]
    assert objclass.to_anndata(empty, var="channels").shape == (0, 3)
    assert list(objclass.from_anndata(objclass.to_anndata(empty))) == list(empty)
    one = measured(names=None, n_channels=1)  # a first axis of length 1 names its channel "0"
    assert objclass.to_anndata(one, var="channels").var_names.tolist() == ["0"]


def test_what_cannot_be_handed_on_is_refused(anndata):
    table = measured(properties="basic")
    with pytest.raises(TypeError, match="adata: expected an AnnData"):
        objclass.from_anndata(table)
    with pytest.raises(TypeError, match="table: expected a pandas DataFrame"):
        objclass.to_anndata(table.to_dict())
    with pytest.raises(ValueError, match="var: expected one of 'measurements', 'channels'"):
        objclass.to_anndata(table, var="layers")
    without = table[["image", "label", "area", "solidity"]]
    with pytest.raises(ValueError, match="table: expected measurements of named channels, got none"):
        objclass.to_anndata(without, var="channels")
    twice = pd.concat([table, table])
    with pytest.raises(ValueError, match="table: expected one row for each image and label"):
        objclass.to_anndata(twice)


def test_scanpy_and_squidpy_take_both_forms():
    squidpy = pytest.importorskip("squidpy", reason="squidpy is not installed")
    import scanpy

    table = measured(properties="basic", names=["DAPI", "GFP", "RFP"])
    table = table[table["image"] == "x"]
    data = objclass.to_anndata(table, var="channels")
    squidpy.gr.spatial_neighbors_knn(data, n_neighs=4)
    squidpy.gr.spatial_autocorr(data, mode="moran", layer="intensity_max", genes=["GFP"])
    assert np.isfinite(data.uns["moranI"].loc["GFP", "I"])
    scanpy.pp.log1p(data, layer="intensity_max")
    scanpy.tl.rank_genes_groups(data, "KMEANS_CLUSTER_ID", layer="intensity_max")
    assert set(scanpy.get.rank_genes_groups_df(data, "1")["names"]) == {"DAPI", "GFP", "RFP"}
    frame = scanpy.get.obs_df(data, ["DAPI", "area"], layer="intensity_max")
    np.testing.assert_allclose(frame["DAPI"], np.log1p(table["intensity_max-DAPI"]))
    np.testing.assert_array_equal(frame["area"], table["area"])

    data = objclass.to_anndata(table)
    data = data[:, data.var["channel"] == "GFP"].copy()
    scanpy.pp.scale(data)
    scanpy.pp.pca(data, n_comps=2)
    assert {"PC_0", "PC_1"} <= {*objclass.from_anndata(data)}


def test_anndata_says_how_to_get_it(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "anndata", None)
    with pytest.raises(objclass.ObjclassError, match="pip install anndata"):
        objclass.to_anndata(pd.DataFrame({"label": [1], "area": [1.0]}))


def test_axes_of_maps_keep_their_numbers_in_any_order(anndata):
    table = measured()[["label", "image", "area"]]
    axes = {f"PC_{number}": np.arange(len(table)) * number for number in (10, 1, 0, *range(2, 10))}
    back = objclass.from_anndata(objclass.to_anndata(table.assign(**axes)))
    for name, values in axes.items():
        np.testing.assert_array_equal(back[name], values)


@pytest.mark.filterwarnings("ignore:Variable names are not unique")
def test_names_that_occur_twice_are_refused(anndata):
    values = np.arange(6.0).reshape(3, 2)
    for names in (["area", "area"], ["area", "cell"]):
        obs = pd.DataFrame({"cell": [1, 2, 3]}, index=list("abc"))
        with pytest.raises(ValueError, match="names that occur once in obs and var"):
            objclass.from_anndata(anndata.AnnData(values, obs=obs, var=pd.DataFrame(index=names)))
