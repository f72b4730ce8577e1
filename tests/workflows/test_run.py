import dataclasses
import json

import numpy as np
import pandas as pd
import pytest
import tifffile

import objclass
from objclass.pixels.training import TrainingParameters
from objclass.plots.overview import overview
from objclass.workflows.parameters import Parameters
from objclass.workflows.reading import Picture
from objclass.workflows.rerun import repeat_run
from objclass.workflows.run import Run, run_image


@pytest.fixture
def files(tmp_path):
    image = np.random.default_rng(0).normal(100, 3, (3, 40, 60)).astype(np.float32)
    for column in (10, 30, 50):
        image[:, 15:25, column - 5 : column + column // 10] += 200
    objclass.imwrite(tmp_path / "image.tif", image, spacing=(2, 0.5, 0.5))
    objclass.imwrite(tmp_path / "scribbles.tif", np.where(image > 200, 2, 1).astype(np.uint8))
    return tmp_path / "image.tif", tmp_path / "scribbles.tif"


QUICK = Parameters.of(preset="apoc", reduce="pca", n_clusters=2, n_estimators=10)


@pytest.mark.parametrize(("round_number", "objects", "kept"), [(1, 65, 65), (2, 103, 77)])
def test_real_stack_with_a_given_classifier(shared_data, tmp_path, round_number, objects, kept):
    classifier = shared_data / f"nuclei3d_apoc_round{round_number}.cl"
    image = shared_data / "nuclei3d.tif"
    whole = run_image(image, tmp_path / "whole", classifier=classifier, progress=False)
    assert whole.found["objects"] == objects
    parameters = Parameters.of(min_size=20)
    run = run_image(image, tmp_path / "out", classifier=classifier, parameters=parameters, progress=False)
    assert run.found["objects"] == kept
    assert sum(run.found["clusters"].values()) == kept
    assert run.notes == []
    labels = objclass.imread(tmp_path / "out" / "labels.tif")
    theirs = objclass.imread(shared_data / f"nuclei3d_apoc_labels_round{round_number}.tif")
    np.testing.assert_array_equal(labels > 0, (theirs > 0) & (np.bincount(theirs.ravel())[theirs] >= 20))
    assert objclass.read_spacing(tmp_path / "out" / "labels.tif") == pytest.approx(
        (4, 0.8286, 0.8286), abs=1e-4
    )
    table = pd.read_csv(tmp_path / "out" / "objects.csv")
    voxel = np.prod(objclass.read_spacing(shared_data / "nuclei3d.tif"))
    np.testing.assert_allclose(table["area"], np.bincount(labels.ravel())[1:] * voxel)


def test_real_stack_from_scribbles(shared_data, tmp_path):
    scribbles = shared_data / "nuclei3d_annotations_round2.tif"
    parameters = Parameters.of(preset="apoc")
    files = {"annotations": scribbles, "parameters": parameters, "progress": False}
    run = run_image(shared_data / "nuclei3d.tif", tmp_path / "out", **files)
    labels = objclass.imread(tmp_path / "out" / "labels.tif")
    theirs = objclass.imread(shared_data / "nuclei3d_apoc_labels_round2.tif")
    kept = (theirs > 0) & (np.bincount(theirs.ravel())[theirs] >= 20)
    assert np.mean((labels > 0) == kept) >= 0.995
    assert np.mean(labels[9] > 0) > 0.05
    assert run.found["objects"] == labels.max()


def test_stages_are_told_of_in_order(files, tmp_path):
    told = []
    run_image(
        files[0],
        tmp_path / "out",
        annotations=files[1],
        parameters=QUICK,
        report=lambda *one: told.append(one),
    )
    names = ["read", "train", "segment", "measure", "reduce", "cluster", "write"]
    assert [name for name, seconds, _ in told if seconds is None] == names
    assert [name for name, seconds, _ in told if seconds is not None] == names
    texts = {name: text for name, seconds, text in told if seconds is not None}
    assert texts["read"] == "3 × 40 × 60 float32, voxel size 2 × 0.5 × 0.5 µm"
    assert texts["segment"] == "engine cpu; 3 objects"


def test_channels_go_all_the_way(tmp_path):
    base = np.zeros((40, 60), np.uint16)
    base[5:15, 5:15] = base[5:15, 30:40] = base[25:35, 5:15] = 300
    image = np.stack([base, base.T.copy().reshape(base.shape) // 10, 400 - base])
    objclass.imwrite(tmp_path / "image.ome.tif", image, axes="cyx")
    objclass.imwrite(tmp_path / "scribbles.tif", np.where(base > 0, 2, 1).astype(np.uint8))
    run = run_image(
        tmp_path / "image.ome.tif", tmp_path / "out", annotations=tmp_path / "scribbles.tif", parameters=QUICK
    )
    assert run.found["objects"] == 3
    table = pd.read_csv(tmp_path / "out" / "objects.csv")
    assert sum(name.startswith("intensity_mean") for name in table.columns) == 3
    columns = objclass.read_table(tmp_path / "out" / "objects.csv").attrs["columns"]
    assert (columns["area"]["unit"], columns["intensity_mean-2"]["group"]) == ("px²", "intensity")


def test_either_annotations_or_a_classifier(files, tmp_path):
    with pytest.raises(ValueError, match="either annotations or a classifier, got neither"):
        run_image(files[0], tmp_path / "out")
    with pytest.raises(ValueError, match="either annotations or a classifier, got both"):
        run_image(files[0], tmp_path / "out", annotations=files[1], classifier=files[1])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"reduce": "sparkle"}, "reduce: expected one of 'umap'"),
        ({"cluster": "sparkle"}, "cluster: expected one of 'kmeans'"),
        ({"engine": "sparkle"}, "engine: expected one of 'auto'"),
        ({"n_clusters": 0}, "n_clusters: expected an integer of at least 1"),
        ({"random_state": -1}, "random_state: expected an integer of at least 0"),
    ],
)
def test_bad_parameters(changes, message):
    with pytest.raises(ValueError, match=message):
        Parameters.of(**changes)


def test_failed_writing_never_looks_like_a_whole_run(files, tmp_path):
    out = tmp_path / "out"
    run_image(files[0], out, annotations=files[1], parameters=QUICK)
    (out / "overview.png").unlink()
    (out / "overview.png").mkdir()
    (out / "overview.png" / "keep").touch()
    with pytest.raises(OSError, match=r"overview\.png"):
        run_image(files[0], out, annotations=files[1], parameters=QUICK, overwrite=True)
    assert not (out / "run.json").exists()
    assert (out / "labels.tif").exists()


def test_a_failed_run_removes_only_a_folder_that_it_made(files, tmp_path):
    (tmp_path / "mine").mkdir()
    unlike = tmp_path / "unlike.tif"
    objclass.imwrite(unlike, np.ones((5, 5), np.uint8))
    for name in ("mine", "new"):
        with pytest.raises(ValueError, match="annotations"):
            run_image(files[0], tmp_path / name, annotations=unlike, parameters=QUICK, progress=False)
    assert (tmp_path / "mine").is_dir()
    assert not (tmp_path / "new").exists()


def test_three_dim_channels_are_drawn_as_channels_and_a_colour_picture_as_it_is(tmp_path, monkeypatch):
    image = np.random.default_rng(0).integers(0, 40, (3, 40, 60)).astype(np.uint8)
    objclass.imwrite(tmp_path / "scribbles.tif", (image[0] // 30 + 1).astype(np.uint8))
    tifffile.imwrite(tmp_path / "channels.tif", image, imagej=True, metadata={"axes": "CYX"})
    tifffile.imwrite(tmp_path / "picture.tif", np.moveaxis(image, 0, -1), photometric="rgb")
    figures = []
    monkeypatch.setattr(
        "objclass.plots.overview.overview",
        lambda *given, **named: figures.append(overview(*given, **named)) or figures[-1],
    )
    for name in ("channels", "picture"):
        files = {"annotations": tmp_path / "scribbles.tif", "parameters": QUICK, "progress": False}
        run_image(tmp_path / f"{name}.tif", tmp_path / name, **files)
    brightest = [figure.axes[0].images[0].get_array().max() for figure in figures]
    assert brightest == [255, 39]


def test_failed_training_keeps_the_results_of_another_run(files, tmp_path):
    out = tmp_path / "out"
    run_image(files[0], out, annotations=files[1], parameters=QUICK)
    before = {file.name: file.read_bytes() for file in out.iterdir()}
    objclass.imwrite(files[1], np.ones((3, 40, 60), np.uint8))
    with pytest.raises(ValueError, match="annotations: expected"):
        run_image(files[0], out, annotations=files[1], parameters=QUICK, overwrite=True)
    assert {file.name: file.read_bytes() for file in out.iterdir()} == before


def test_objects_without_a_group_are_counted(shared_data, tmp_path):
    parameters = Parameters.of(reduce="pca", cluster="hdbscan", min_size=20)
    classifier = shared_data / "nuclei3d_apoc_round2.cl"
    run = run_image(
        shared_data / "nuclei3d.tif", tmp_path / "out", classifier=classifier, parameters=parameters
    )
    groups = pd.read_csv(tmp_path / "out" / "objects.csv")["HDBSCAN_CLUSTER_ID"]
    sizes = groups[groups >= 0].value_counts().sort_index()
    rest = 77 - sizes.sum()
    assert rest > 0
    listed = ", ".join(map(str, sizes))
    assert run.summary() == [
        f"77 objects of at least 20 voxels, in {len(sizes)} clusters of {listed}, and {rest} in no cluster."
    ]


def test_notes_of_skipped_steps(files, tmp_path):
    parameters = Parameters.of(n_clusters=50, n_estimators=10)
    run = run_image(files[0], tmp_path / "out", annotations=files[1], parameters=parameters)
    assert run.notes[-1].startswith("cluster was skipped")
    assert json.loads((tmp_path / "out" / "run.json").read_text(encoding="utf-8"))["notes"] == run.notes


def test_the_parameters_of_the_training_are_recorded_with_their_defaults(files, tmp_path):
    image, scribbles = (objclass.imread(path) for path in files)
    parameters = Parameters.of(reduce="pca", n_clusters=2, random_state=3)
    options = {"parameters": parameters, "progress": False}
    run_image(files[0], tmp_path / "out", annotations=files[1], **options)
    record = json.loads((tmp_path / "out" / "run.json").read_text(encoding="utf-8"))["training"]
    assert {*record} == {field.name for field in dataclasses.fields(TrainingParameters)}
    assert (record["preset"], record["n_estimators"], record["random_state"]) == ("default", 100, 3)
    assert (record["spacing"], record["unit"]) == ([2, 0.5, 0.5], "micrometer")
    assert "sobel" in record["features"]
    with pytest.warns(UserWarning, match="cannot run"):
        objclass.train_object_classifier(image, scribbles, **record, path=tmp_path / "again.cl")
    again, used = (
        objclass.load_classifier(path)
        for path in (tmp_path / "again.cl", tmp_path / "out" / "ObjectSegmenter.cl")
    )
    assert (again.forest, again.features, again.parameters) == (used.forest, used.features, used.parameters)
    assert repeat_run(tmp_path / "out", progress=False).is_identical
    files = {"classifier": tmp_path / "out" / "ObjectSegmenter.cl", **options}
    run_image(tmp_path / "image.tif", tmp_path / "with", **files)
    assert json.loads((tmp_path / "with" / "run.json").read_text(encoding="utf-8"))["training"] == record


def test_nothing_is_changed():
    image = np.zeros((32, 32))
    image[4:12, 4:12] = image[20:28, 4:12] = image[8:14, 20:30] = 500
    annotations = np.where(image > 0, 2, 1)
    image.flags.writeable = annotations.flags.writeable = False
    run = Run(Picture(image, ndim=2), QUICK)
    labels = run.find_objects(run.train(annotations))
    labels.flags.writeable = False
    assert len(run.describe(labels)) == 3
    assert run.summary() == ["3 objects, in 2 clusters of 2, 1."]
