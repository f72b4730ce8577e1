import json
import re
import shutil

import numpy as np
import pandas as pd
import pytest

import objclass
from objclass import chunked, cli
from objclass.objects.editing import fingerprint
from objclass.plots.colors import color_objects, rgb
from objclass.workflows.batch import segment_folder
from objclass.workflows.corrections import read_edits
from objclass.workflows.parameters import Parameters
from objclass.workflows.rerun import repeat_run
from objclass.workflows.run import run_image


def scene(seed):
    """Return an image of small and large bright squares."""
    rng = np.random.default_rng(seed)
    image = rng.integers(0, 5, (64, 64)).astype(np.uint16)
    for number, (row, column) in enumerate(np.ndindex(4, 4)):
        size = 4 if number % 2 else 9
        image[row * 16 + 2 : row * 16 + 2 + size, column * 16 + 2 : column * 16 + 2 + size] = 500
    return image


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    folder = tmp_path_factory.mktemp("trained")
    image = scene(0)
    pixels = objclass.train_object_classifier(image, np.where(image > 100, 2, 1), n_estimators=5)
    pixels.save(folder / "c.cl")
    labels = objclass.segment(image, pixels)
    table = objclass.measure(labels, image, properties=["basic", "intensity_median"])
    kinds = dict(zip(table["label"], np.where(table["area"] > 40, "large", "small"), strict=True))
    colors = {"large": "#aa0000", "small": "#00aa00"}
    columns = ["area", "intensity_median"]
    classes = objclass.train_table_classifier(table, kinds, columns=columns, colors=colors)
    classes.save(folder / "classes.json")
    return folder


def test_batch_classifies_the_objects_and_counts_them(tmp_path, trained, capsys):
    images = tmp_path / "images"
    images.mkdir()
    for seed in (1, 2):
        objclass.imwrite(images / f"{seed}.tif", scene(seed))
    objclass.imwrite(images / "empty.tif", np.zeros((64, 64), np.uint16))
    call = ["batch", str(images), "--classifier", str(trained / "c.cl"), "--out", str(tmp_path / "out")]
    assert cli.main([*call, "--object-classifier", str(trained / "classes.json")]) == 0
    objects = pd.read_csv(tmp_path / "out" / "objects.csv")
    assert objects["CLASS"].tolist() == np.where(objects["area"] > 40, "large", "small").tolist()
    assert {"CLASS_PROBABILITY", "PROBABILITY_large", "PROBABILITY_small", "intensity_median"} <= {*objects}
    counts = pd.read_csv(tmp_path / "out" / "images.csv").set_index("image")
    assert counts[["n_objects", "n_large", "n_small"]].to_numpy().tolist() == [
        [16, 8, 8],
        [16, 8, 8],
        [0, 0, 0],
    ]
    parquet = pd.read_parquet(tmp_path / "out" / "objects.parquet")
    assert parquet["CLASS"].tolist() == objects["CLASS"].tolist()
    state = json.loads((tmp_path / "out" / "batch.json").read_text())
    record = json.loads((tmp_path / "out" / "run.json").read_text())
    assert len(state["object_classifier"]) == 64
    assert record["object_classifier"] == state["object_classifier"]
    capsys.readouterr()
    assert cli.main(call) == 2
    assert "the object classifier was different" in capsys.readouterr().err
    assert cli.main([*call, "--object-classifier", str(trained / "classes.json")]) == 0
    assert "3 of them before" in capsys.readouterr().out


def test_integer_classes_stay_integers_in_a_batch(tmp_path, trained):
    classes = objclass.load_classifier(trained / "classes.json")
    table = pd.DataFrame(classes.examples, columns=list(classes.columns))
    table.insert(0, "label", np.arange(1, len(table) + 1))
    numbers = dict(zip(table["label"], 3 + 4 * classes.example_classes, strict=True))
    objclass.train_table_classifier(table, numbers, columns=["area"]).save(tmp_path / "n.json")
    objclass.imwrite(tmp_path / "a.tif", scene(1))
    objclass.imwrite(tmp_path / "b.tif", np.zeros((64, 64), np.uint16))
    inputs = [tmp_path / "a.tif", tmp_path / "b.tif"]
    segment_folder(inputs, trained / "c.cl", tmp_path / "out", object_classifier=tmp_path / "n.json")
    parquet = pd.read_parquet(tmp_path / "out" / "objects.parquet")
    assert parquet["CLASS"].dtype.kind == "i"
    assert sorted(parquet["CLASS"].unique()) == [3, 7]


def test_run_classifies_and_is_repeated(tmp_path, trained, capsys):
    objclass.imwrite(tmp_path / "i.tif", scene(3))
    shutil.copy(trained / "classes.json", tmp_path)
    call = ["run", str(tmp_path / "i.tif"), "--classifier", str(trained / "c.cl"), "--reduce", "pca"]
    call += ["--object-classifier", str(tmp_path / "classes.json"), "--out", str(tmp_path / "out")]
    assert cli.main(call) == 0
    assert "Classes: " in capsys.readouterr().out
    record = json.loads((tmp_path / "out" / "run.json").read_text())
    assert record["found"]["classes"] == {"large": 8, "small": 8}
    assert {*record["inputs"]} == {"image", "classifier", "object_classifier"}
    repeated = repeat_run(tmp_path / "out")
    assert repeated.is_identical
    text = (tmp_path / "classes.json").read_text()
    (tmp_path / "classes.json").write_text(text.replace("large", "giant"))
    with pytest.raises(ValueError, match=r"object_classifier .*classes\.json has changed since"):
        repeat_run(tmp_path / "out")


def test_edits_stand_in_the_record_and_are_repeated(tmp_path, trained, capsys):
    objclass.imwrite(tmp_path / "i.tif", scene(3))
    labels = objclass.segment(scene(3), objclass.load_classifier(trained / "c.cl"))
    table = objclass.measure(labels, scene(3))
    explorer = objclass.explore(scene(3), labels, table, save_to=tmp_path / "state.json")
    explorer.objects.edit({"edit": "merge", "labels": [1, 2]})
    explorer.objects.edit({"edit": "delete", "labels": [5]})
    (tmp_path / "edits.json").write_text(json.dumps(explorer.edits))
    call = ["run", str(tmp_path / "i.tif"), "--classifier", str(trained / "c.cl"), "--reduce", "pca"]
    call += ["--edits", str(tmp_path / "edits.json"), "--out", str(tmp_path / "out")]
    assert cli.main(call) == 0
    assert "14 objects" in capsys.readouterr().out
    assert np.array_equal(objclass.imread(tmp_path / "out" / "labels.tif"), explorer.labels)
    record = json.loads((tmp_path / "out" / "run.json").read_text())
    assert record["edits"] == explorer.edits
    assert pd.read_csv(tmp_path / "out" / "objects.csv")["label"].tolist() == sorted({*range(1, 17)} - {2, 5})
    (tmp_path / "edits.json").unlink()
    assert repeat_run(tmp_path / "out").is_identical
    explorer._dispatch(explorer, {"kind": "edit", "edit": {"edit": "undo"}}, [])
    explorer.wait()
    edits, edited = read_edits(tmp_path / "state.json")
    assert (edits, edited) == (explorer.edits, fingerprint(labels))
    call[call.index("--edits") + 1] = str(tmp_path / "state.json")
    assert cli.main([*call, "--overwrite"]) == 0
    assert np.array_equal(objclass.imread(tmp_path / "out" / "labels.tif"), explorer.labels)
    # Edits of other objects would hit whatever has the same numbers here.
    objclass.imwrite(tmp_path / "other.tif", np.roll(scene(3), 2, axis=-1))
    call[1] = str(tmp_path / "other.tif")
    call[call.index("--out") + 1] = str(tmp_path / "of others")
    assert cli.main(call) != 0
    assert "edits: expected corrections of the objects of this run" in capsys.readouterr().err
    assert not (tmp_path / "of others" / "labels.tif").exists()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{}", r"edits: expected a JSON file of a list of edits, got other content"),
        ("[1", r"edits: expected a JSON file of a list of edits, got .*edits.json"),
        ('[{"edit": "delete", "labels": [99]}]', "99"),
    ],
)
def test_edits_that_do_not_fit_are_refused(tmp_path, trained, capsys, text, message):
    objclass.imwrite(tmp_path / "i.tif", scene(3))
    (tmp_path / "edits.json").write_text(text)
    call = ["run", str(tmp_path / "i.tif"), "--classifier", str(trained / "c.cl"), "--reduce", "pca"]
    call += ["--edits", str(tmp_path / "edits.json"), "--out", str(tmp_path / "out")]
    assert cli.main(call) != 0
    assert re.search(message, capsys.readouterr().err)
    assert not (tmp_path / "out" / "labels.tif").exists()


def test_the_overview_has_the_colours_of_the_classes(trained):
    image = scene(4)
    classes = objclass.load_classifier(trained / "classes.json")
    labels = objclass.segment(image, objclass.load_classifier(trained / "c.cl"))
    table = objclass.measure(labels, image, properties=["basic", "intensity_median"])
    found = objclass.classify(table, classes)
    coloring = color_objects(found, "CLASS")
    expected = [rgb(classes.colors[name]).tolist() for name in found["CLASS"]]
    assert coloring.colors.tolist() == expected
    assert [color for _, color in coloring.keys] == ["#aa0000", "#00aa00"]


def test_what_cannot_be_is_refused(tmp_path, trained):
    objclass.imwrite(tmp_path / "i.tif", scene(3))
    with pytest.raises(ValueError, match=r"object_classifier: expected a \.json file of a TableClassifier"):
        run_image(
            tmp_path / "i.tif",
            tmp_path / "out",
            classifier=trained / "c.cl",
            object_classifier=trained / "c.cl",
            parameters=Parameters.of(reduce="pca"),
        )
    with pytest.raises(ValueError, match="measure: expected True, for an object_classifier"):
        segment_folder(
            tmp_path / "i.tif",
            trained / "c.cl",
            tmp_path / "out",
            object_classifier=trained / "classes.json",
            measure=False,
        )
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("kind", [str, int])
def test_parquet_is_classified_row_group_by_row_group(tmp_path, monkeypatch, kind):
    rng = np.random.default_rng(0)
    table = pd.DataFrame({"label": np.arange(1, 1001), "area": rng.random(1000), "bright": rng.random(1000)})
    table.loc[7, "area"] = np.nan
    table.attrs["columns"] = {"area": {"unit": "px"}}
    table.to_parquet(tmp_path / "t.parquet", row_group_size=300)
    examples = {label: kind(label % 2) for label in range(1, 7)}
    classifier = objclass.train_table_classifier(table, examples, colors={kind(1): "#112233"})
    monkeypatch.setattr(chunked.tables, "_ROWS", 130)
    with pytest.warns(UserWarning, match="missing"):
        expected = objclass.classify(table, classifier)
    with pytest.warns(UserWarning, match="missing"):
        chunked.classify(tmp_path / "t.parquet", classifier, tmp_path / "out.parquet")
    found = pd.read_parquet(tmp_path / "out.parquet")
    assert list(found) == list(expected)
    assert found["CLASS"].isna().sum() == 1
    assert found["CLASS"].dropna().tolist() == expected["CLASS"].dropna().tolist()
    pd.testing.assert_frame_equal(
        found.drop(columns="CLASS"), expected.drop(columns="CLASS"), check_dtype=False
    )
    assert found.attrs["class_colors"] == {"1": "#112233"}
    assert found.attrs["columns"] == {"area": {"unit": "px"}}
    with pytest.warns(UserWarning, match="missing"):
        chunked.classify(tmp_path / "out.parquet", classifier, tmp_path / "out.parquet")
    assert list(pd.read_parquet(tmp_path / "out.parquet")) == list(expected)
    (tmp_path / "no.parquet").write_text("nothing")
    with pytest.raises(ValueError, match="table: expected a Parquet file"):
        chunked.classify(tmp_path / "no.parquet", classifier, tmp_path / "x.parquet")
    with pytest.raises(FileNotFoundError, match="table: expected a file that exists"):
        chunked.classify(tmp_path / "none.parquet", classifier, tmp_path / "x.parquet")
