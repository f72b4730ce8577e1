"""APOC's classifiers of objects, read from their files: the classes that APOC gives on an OpenCL device."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import objclass
from objclass.pixels.cl_format import ClassifierFile, write_cl
from objclass.pixels.forest import Forest
from objclass.tables.apoc_classifiers import MEASURED

pytestmark = pytest.mark.filterwarnings("ignore:Non-empty compiler output encountered")


def rows(count: int = 300, classes: int = 3) -> tuple[pd.DataFrame, np.ndarray]:
    rng = np.random.default_rng(4)
    table = pd.DataFrame(rng.normal(size=(count, 4)), columns=["area", "UMAP_0", "mean-1", "label"])
    truth = np.digitize(table["area"] + 0.5 * table["mean-1"] ** 2, [-0.3, 0.8][: classes - 1]) + 1
    table["label"] = np.arange(1, count + 1)
    table["UMAP_0"] = np.round(table["UMAP_0"], 1)  # ties at thresholds
    return table, truth


@pytest.mark.parity
@pytest.mark.parametrize(("classes", "depth"), [(2, 2), (3, 5)])
def test_a_table_row_classifier_gives_the_same_classes(
    apoc: Any, tmp_path: Path, classes: int, depth: int
) -> None:
    table, truth = rows(classes=classes)
    path = tmp_path / "rows.cl"
    theirs = apoc.TableRowClassifier(str(path), max_depth=depth, num_ensembles=10)
    theirs.train(table, np.where(np.arange(len(truth)) % 4 == 0, truth, 0))
    table.loc[7, "mean-1"] = np.nan
    classifier = objclass.load_classifier(path)
    assert classifier.columns == ("area", "UMAP_0", "mean-1", "label")
    with pytest.warns(UserWarning, match="1 of 300 objects have missing values"):
        found = objclass.classify(table, classifier)["CLASS"]
    expected = theirs.predict(table)
    assert len(set(expected)) == classes + 1
    np.testing.assert_array_equal(found.fillna(0), expected)
    classifier.save(tmp_path / "rows.json")
    again = objclass.load_classifier(tmp_path / "rows.json")
    pd.testing.assert_series_equal(objclass.classify(table.dropna(), again)["CLASS"], found.dropna())
    assert repr(again).endswith(f"4 columns; classes {tuple(range(1, classes + 1))})")


@pytest.mark.parity
def test_an_object_classifier_gives_the_same_classes_on_what_measure_has(apoc: Any, tmp_path: Path) -> None:
    sample = objclass.samples.cells()
    labels = objclass.relabel(sample.labels)
    image = sample.image if sample.image.ndim == labels.ndim else sample.image[0]
    table = objclass.measure(labels, image, properties=["num_pixels", "intensity_mean", "intensity_std"])
    rank = table["intensity_std"].rank().to_numpy() / len(table)
    kind = np.concatenate([[0], np.where(rank < 0.3, 1, np.where(rank > 0.6, 2, 0))])
    path = tmp_path / "objects.cl"
    theirs = apoc.ObjectClassifier(str(path), max_depth=3, num_ensembles=10)
    theirs.train(" ".join(MEASURED), labels, kind[labels], image)
    classifier = objclass.load_classifier(path)
    assert classifier.columns == tuple(MEASURED.values())
    table = objclass.measure(labels, image, properties=list(classifier.columns))
    found = objclass.classify(table, classifier)["CLASS"].to_numpy(int)
    expected = np.asarray(theirs.predict(labels, image))
    per_object = np.array([expected[labels == label][0] for label in table["label"]], int)
    assert set(per_object) == {1, 2}
    assert (found == per_object).mean() > 0.995


def write(path: Path, name: str, columns: str, n_features: int = 1, n_classes: int = 2) -> Path:
    leaves = np.zeros((3, n_classes))
    leaves[1, 0] = leaves[2, -1] = 1
    forest = Forest([0, -1, -1], [7.5, 0, 0], [1, -1, -1], [2, -1, -1], leaves, [0], n_features)
    header = {"classifier_class_name": name, "feature_specification": columns}
    header |= {"num_classes": str(n_classes), "num_features": str(n_features)}
    write_cl(path, ClassifierFile(header, forest))
    return path


def test_a_value_at_the_threshold_goes_to_the_right(tmp_path: Path) -> None:
    classifier = objclass.load_classifier(write(tmp_path / "a.cl", "TableRowClassifier", "area"))
    values = [7.4, np.nextafter(np.float32(7.5), np.float32(0)), 7.5 - 1e-9, 7.5, 8]
    table = pd.DataFrame({"label": range(1, 6), "area": np.asarray(values, float)})
    assert objclass.classify(table, classifier)["CLASS"].tolist() == [1, 1, 2, 2, 2]
    with pytest.raises(ValueError, match="at least two examples of each class"):
        classifier.feature_importances()


@pytest.mark.parametrize(
    ("name", "columns", "options", "message"),
    [
        ("TableRowClassifier", "mean area", {}, "the names of 1 columns, without spaces"),
        ("TableRowClassifier", "area", {"n_classes": 1}, "two classes or more"),
        (
            "ObjectClassifier",
            "centroid_x",
            {},
            "statistics that objclass.measure has.*train_table_classifier",
        ),
        ("ObjectSelector", "mean_max_distance_to_centroid_ratio", {}, "statistics that objclass.measure has"),
    ],
)
def test_what_cannot_be_read_is_refused_with_what_to_do(
    tmp_path: Path, name: str, columns: str, options: dict[str, int], message: str
) -> None:
    path = write(tmp_path / "a.cl", name, columns, **options)
    with pytest.raises(ValueError, match=message):
        objclass.load_classifier(path)
