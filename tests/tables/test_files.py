"""Tables and outlines of objects in files of other programs, read back."""

import json
import warnings

import numpy as np
import pandas as pd
import pytest
import roifile
from matplotlib.path import Path
from scipy import ndimage

import objclass


def measured(shape=(24, 26)):
    rng = np.random.default_rng(0)
    labels = ndimage.label(rng.random(shape) > 0.55)[0] * 3
    image = rng.integers(0, 1000, shape)
    return labels, objclass.measure(labels, image, spacing=0.5, unit="µm", progress=False)


def fill(loops, shape):
    """The pixels whose centres lie within an odd number of loops."""
    y, x = np.indices(shape)
    points = np.stack([x.ravel(), y.ravel()], axis=1) + 0.5
    inside = sum(Path([*loop, loop[0]]).contains_points(points).astype(int) for loop in loops)
    return (inside % 2 == 1).reshape(shape)


@pytest.mark.parametrize("shape", [(24, 26), (3, 14, 15)])
def test_outlines_for_qupath_hold_the_very_same_pixels(shape, tmp_path):
    labels, table = measured(shape)
    table["CLASS"] = np.where(table["area"] > 1, "large", "small")
    objclass.write_geojson(labels, tmp_path / "a.geojson", table=table, column="CLASS")
    planes = labels if labels.ndim == 3 else labels[None]
    back = np.zeros_like(planes)
    for feature in json.loads((tmp_path / "a.geojson").read_text())["features"]:
        geometry, properties = feature["geometry"], feature["properties"]
        polygons = (
            geometry["coordinates"] if geometry["type"] == "MultiPolygon" else [geometry["coordinates"]]
        )
        loops = [loop[:-1] for polygon in polygons for loop in polygon]
        assert all(loop[0] == loop[-1] for polygon in polygons for loop in polygon)
        number = int(properties["name"])
        back[geometry["plane"]["z"]][fill(loops, planes.shape[1:])] = number
        row = table.set_index("label").loc[number]
        assert properties["classification"]["name"] == row["CLASS"]
        assert properties["measurements"]["area"] == row["area"]
    np.testing.assert_array_equal(back, planes)


@pytest.mark.parametrize("shape", [(24, 26), (3, 14, 15)])
def test_rois_of_imagej_hold_the_very_same_pixels(shape, tmp_path):
    labels, _ = measured(shape)
    objclass.write_rois(labels, tmp_path / "rois.zip")
    planes = labels if labels.ndim == 3 else labels[None]
    back = np.zeros_like(planes)
    for roi in roifile.roiread(tmp_path / "rois.zip"):
        number, _, plane = roi.name.partition("-")
        back[int(plane or 1) - 1][
            fill(map(np.ndarray.tolist, roi.coordinates(multi=True)), planes.shape[1:])
        ] = int(number)
    np.testing.assert_array_equal(back, planes)
    with pytest.raises(ValueError, match=r"path: expected a path that ends in \.zip"):
        objclass.write_rois(labels, tmp_path / "rois.roi")


def test_columns_as_images():
    labels, table = measured()
    image = objclass.map_to_image(labels, table.iloc[1:], "area")
    assert np.isnan(image[labels == 0]).all()
    assert np.isnan(image[labels == table["label"].iloc[0]]).all()
    assert (image[labels == 6] == table.set_index("label").loc[6, "area"]).all()
    groups = pd.array([0, 1, pd.NA] * len(table), dtype="Int64")[: len(table)]
    image = objclass.map_to_image(labels, table.assign(KMEANS_CLUSTER_ID=groups), "KMEANS_CLUSTER_ID")
    assert image.dtype == np.int32
    assert (image[labels == 0] == 0).all()
    for number, value in zip(table["label"], [1, 2, -1] * len(table), strict=False):
        assert (image[labels == number] == value).all()
    with pytest.raises(ValueError, match="column: expected the name of a column"):
        objclass.map_to_image(labels, table, "volume")
    assert (objclass.map_to_image(labels, table, "label")[labels > 0] == labels[labels > 0]).all()
    with pytest.raises(ValueError, match=r"'area' of text.*decimal"):
        objclass.map_to_image(labels, table.assign(area=table["area"].astype(str) + ",5"), "area")
    several = pd.concat([table.assign(image="a"), table.assign(image="b")])
    with pytest.raises(ValueError, match="table: expected the objects of one image"):
        objclass.map_to_image(labels, several, "area")


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_tables_keep_what_their_columns_mean(suffix, tmp_path):
    _, table = measured()
    objclass.write_table(table, tmp_path / f"objects{suffix}")
    back = objclass.read_table(tmp_path / f"objects{suffix}")
    pd.testing.assert_frame_equal(back, table, rtol=1e-12)
    pd.testing.assert_frame_equal(objclass.describe_columns(back), objclass.describe_columns(table))
    assert back.attrs == table.attrs
    if suffix == ".csv":
        plain = pd.read_csv(tmp_path / "objects.csv")
        assert list(plain) == list(table)
        units = pd.read_csv(tmp_path / "objects.columns.csv").set_index("name")["unit"]
        assert units["area"] == "µm²"
        (tmp_path / "objects.columns.csv").unlink()
        assert objclass.read_table(tmp_path / "objects.csv").attrs == {}
    with pytest.raises(ValueError, match="path: expected a path that ends in"):
        objclass.write_table(table, tmp_path / "objects.xls")
    with pytest.raises(FileNotFoundError, match="path: expected a file"):
        objclass.read_table(tmp_path / "nothing.csv")


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
@pytest.mark.parametrize(("spacing", "unit"), [((3, 0.1, 1e-7), "µm"), (0.5, "a b"), (2, None), (1 / 3, "3")])
def test_tables_keep_the_voxel_size(spacing, unit, suffix, tmp_path):
    labels = np.ones((2, 3, 4), int)
    table = objclass.measure(labels, spacing=spacing, unit=unit, properties="area")
    objclass.write_table(table, tmp_path / f"a{suffix}")
    assert objclass.read_table(tmp_path / f"a{suffix}").attrs == table.attrs
    unknown = objclass.measure(labels, properties="area")
    objclass.write_table(unknown, tmp_path / f"b{suffix}")
    assert objclass.read_table(tmp_path / f"b{suffix}").attrs.get("spacing") is None


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_voxel_sizes_of_files_are_compared(suffix, tmp_path):
    labels, table = measured()
    objclass.write_table(table, tmp_path / f"a{suffix}")
    other = objclass.measure(labels, spacing=np.multiply(table.attrs["spacing"], 2), unit="µm")
    objclass.write_table(other, tmp_path / f"b{suffix}")
    table, other = (objclass.read_table(tmp_path / f"{name}{suffix}") for name in "ab")
    classes = dict(zip(table["label"], ["a", "b"] * 3, strict=False))
    classifier = objclass.train_table_classifier(table, classes, columns=["area"])
    with pytest.warns(UserWarning, match="a voxel size of .*, the classifier "):
        objclass.classify(other, classifier)
    reduced = objclass.reduce(table, "pca", columns=["area", "eccentricity"])
    with pytest.warns(UserWarning, match="a voxel size of .*, like "):
        objclass.reduce(other, "pca", like=reduced, columns=["area", "eccentricity"])


def test_lengths_in_several_units_are_refused():
    _, table = measured()
    joined = pd.concat([table.assign(image=n, unit=unit) for n, unit in enumerate(["pixel", "micrometer"])])
    for call in (
        lambda: objclass.reduce(joined, "pca"),
        lambda: objclass.cluster(joined, "kmeans", n_clusters=2),
        lambda: objclass.compare(joined, "area", by="unit"),
    ):
        with pytest.raises(ValueError, match="lengths in one unit, by its column 'unit', got 'area' in 'pix"):
            call()
    with pytest.warns(UserWarning, match="single image"):
        objclass.compare(joined, "eccentricity", by="unit")


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
@pytest.mark.parametrize(
    "names", [["NA", "nan", "None", "a"], ["NA"] * 4, ["007", "08", "1e3", "-0"], [0, 1, 2, 12]]
)
def test_names_are_read_as_they_were_written(suffix, names, tmp_path):
    table = pd.DataFrame({"image": names, "label": [1, 1, 1, 2], "area": [1.5, np.nan, 2, 3]})
    table = table.assign(CLASS=["NA", "null", None, "b"], is_dead=[True, False, True, None])
    objclass.write_table(table, tmp_path / f"a{suffix}")
    read = objclass.read_table(tmp_path / f"a{suffix}")
    for name in table:
        pd.testing.assert_series_equal(
            read[name].astype(object).where(read[name].notna(), None),
            table[name].astype(object).where(table[name].notna(), None),
        )
    assert (read["image"].dtype.kind == "i") == isinstance(names[0], int)


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_no_column_of_a_table_is_lost_on_writing(suffix, tmp_path):
    _, table = measured()
    for indexed in (table.set_index("label"), table.set_index("label", drop=False), table.sort_index()):
        objclass.write_table(indexed, tmp_path / f"a{suffix}")
        pd.testing.assert_frame_equal(objclass.read_table(tmp_path / f"a{suffix}"), table, check_dtype=False)
    twice = pd.concat([table, table[["area"]]], axis=1)
    levels = table.set_axis(pd.MultiIndex.from_product([["a"], table.columns]), axis=1)
    for wrong in (twice, levels):
        with pytest.raises(ValueError, match="table: expected column names of one level, each once"):
            objclass.write_table(wrong, tmp_path / f"b{suffix}")
    assert not [*tmp_path.glob("b*")]


def test_several_voxel_sizes_in_a_joined_table_are_told(tmp_path):
    labels, table = measured()
    table = table.drop(columns=[column for column in table if "intensity" in column])
    others = {"same": 0.5, "alike": 0.503, "other": 0.75, "voxels": 1}
    for name, spacing in others.items():
        tables = [table.assign(image="a"), objclass.measure(labels, spacing=spacing).assign(image="b")]
        pd.concat(tables, ignore_index=True).to_csv(tmp_path / "joined.csv", index=False)
        joined = pd.read_csv(tmp_path / "joined.csv")
        joined["kind"] = np.resize(["x", "y"], len(joined))
        for call in (
            lambda table: objclass.reduce(table, "pca", columns=["area", "eccentricity"]),
            lambda table: objclass.cluster(table, "kmeans", n_clusters=2),
            lambda table: objclass.train_table_classifier(table, "kind", columns=["area"]),
            lambda table: objclass.compare(table, "area", by="kind"),
            lambda table: objclass.standardized_differences(table, "kind"),
        ):
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always")
                call(joined)
            told = [each for each in caught if "measured with voxels of 0.25 to" in str(each.message)]
            assert len(told) == (name in ("voxels", "other")), name
            assert all(each.filename == __file__ for each in told)
    objclass.reduce(joined, "pca", columns=["solidity", "eccentricity"])  # warns of nothing


def test_what_is_no_table_is_refused_with_its_path(tmp_path):
    (tmp_path / "folder.csv").mkdir()
    for suffix in (".csv", ".parquet", ".zip"):
        (tmp_path / f"empty{suffix}").touch()
        (tmp_path / f"noise{suffix}").write_bytes(np.random.default_rng(0).bytes(900))
    for path in tmp_path.iterdir():
        with pytest.raises(objclass.ObjclassError, match=rf"path: expected a table, got .*{path.name} \("):
            objclass.read_table(path)
    objclass.write_table(measured()[1], tmp_path / "a.csv")
    (tmp_path / "a.columns.csv").write_text("a,b\n1,2\n")
    with pytest.raises(
        objclass.ObjclassError, match=r"a\.columns\.csv\. Remove it to read the table without"
    ):
        objclass.read_table(tmp_path / "a.csv")


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_text_is_no_formula_and_comes_back_as_it_was(tmp_path, suffix):
    texts = ["=1+1", "+a", "-b", "@c", "'=d", "''-e", "'f", "g", "-1"]
    table = pd.DataFrame({"label": range(1, 10), "name": texts, "area": [-1.5] * 9})
    objclass.write_table(table, tmp_path / f"a.{suffix}")
    pd.testing.assert_frame_equal(objclass.read_table(tmp_path / f"a.{suffix}"), table)
    if suffix == "csv":
        shown = pd.read_csv(tmp_path / "a.csv")
        assert not shown["name"].str.startswith(("=", "+", "-", "@")).any()
        assert (shown["area"] == -1.5).all()


@pytest.mark.parametrize("shape", [(24, 26), (4, 24, 26)])
@pytest.mark.parametrize("name", ["a.zip", "a.geojson"])
def test_outlines_that_are_read_back_are_the_objects_with_their_labels(shape, name, tmp_path):
    labels = np.zeros(shape, int)
    labels[..., 2:8, 3:9], labels[..., 10:20, 4:20], labels[..., 14, 8:12], labels[..., 22:, 22:] = (
        5,
        70,
        0,
        5,
    )
    labels[:1] = 0 if len(shape) == 3 else labels[:1]
    write = objclass.write_rois if name.endswith("zip") else objclass.write_geojson
    write(labels, tmp_path / name)
    np.testing.assert_array_equal(objclass.read_labels(tmp_path / name, shape=shape), labels)
    write(np.where(labels, labels + 2**40, 0), tmp_path / name)
    assert objclass.read_labels(tmp_path / name, shape=shape).max() == 2**40 + 70


@pytest.mark.parametrize("shape", [(0, 4), (3, 0), (0, 4, 4), (3, 4)])
def test_labels_without_pixels_or_objects_have_no_outlines(tmp_path, shape):
    objclass.write_geojson(np.zeros(shape, int), tmp_path / "a.geojson")
    assert json.loads((tmp_path / "a.geojson").read_text())["features"] == []
    objclass.write_rois(np.zeros(shape, int), tmp_path / "a.zip")


def test_a_table_of_other_objects_is_refused(tmp_path):
    labels, table = measured()
    other = table.assign(label=table["label"] + 1, PC_0=0.0, PC_1=1.0)
    for call in (
        lambda: objclass.map_to_image(labels, other, "area"),
        lambda: objclass.write_geojson(labels, tmp_path / "a.geojson", table=other),
        lambda: objclass.overview(labels, labels, other),
    ):
        with pytest.raises(
            ValueError, match=r"expected objects of the label image, .*table of another image"
        ):
            call()
    assert np.isfinite(objclass.map_to_image(labels, table.iloc[:2], "area")).any()


@pytest.mark.parametrize(
    ("kinds", "names"),
    [
        (pd.array([1, None, 2], dtype="Int64"), ["1", None, "2"]),
        (pd.array([True, None, False], dtype="boolean"), ["True", None, "False"]),
        ([1.0, np.nan, 2.0], ["1", None, "2"]),
        (pd.Categorical([10, None, 2]), ["10", None, "2"]),
        (["a", None, "b"], ["a", None, "b"]),
    ],
)
def test_classes_of_any_type_for_qupath(kinds, names, tmp_path):
    labels = np.array([[1, 0, 2, 0, 3]])
    table = pd.DataFrame({"label": [1, 2, 3], "kind of cell": kinds})
    objclass.write_geojson(labels, tmp_path / "a.geojson", table=table, column="kind of cell")
    features = json.loads((tmp_path / "a.geojson").read_text())["features"]
    assert [f["properties"].get("classification", {}).get("name") for f in features] == names


def test_outlines_do_not_meet_themselves(tmp_path):
    labels, _ = measured()
    objclass.write_geojson(labels, tmp_path / "a.geojson")
    for feature in json.loads((tmp_path / "a.geojson").read_text())["features"]:
        parts = feature["geometry"]["coordinates"]
        parts = parts if feature["geometry"]["type"] == "MultiPolygon" else [parts]
        for ring in (ring for part in parts for ring in part):
            assert len({*map(tuple, ring)}) == len(ring) - 1
