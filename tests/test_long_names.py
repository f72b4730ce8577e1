"""Whatever reads or writes a file refuses a name that no file can have, and tells the argument."""

import sys

import numpy as np
import pandas as pd
import pytest

import objclass
from objclass import chunked
from objclass.workflows.batch import segment_folder
from objclass.workflows.rerun import repeat_run
from objclass.workflows.run import run_image

IMAGE = np.kron([[0, 9], [0, 9]], np.ones((8, 8), np.uint8))
SCRIBBLES = np.where(IMAGE > 0, 2, 1)
TABLE = pd.DataFrame({"label": range(1, 7), "area": [3.0, 4, 5, 30, 40, 50]})
TRAINING = {"features": "original", "n_estimators": 1}
CLASSIFIER = objclass.train_object_classifier(IMAGE, SCRIBBLES, **TRAINING)
OBJECTS = objclass.train_table_classifier(TABLE, {1: 7, 2: 7, 5: 9, 6: 9})
CALLS = {
    "imread .tif": lambda name: objclass.imread(name),
    "image_info .png": lambda name: objclass.image_info(name),
    "read_spacing .zarr": lambda name: objclass.read_spacing(name),
    "read_labels .npy": lambda name: objclass.read_labels(name),
    "read_labels .zip": lambda name: objclass.read_labels(name, shape=(3, 3)),
    "imwrite .tif": lambda name: objclass.imwrite(name, IMAGE),
    "imwrite .zarr": lambda name: objclass.imwrite(name, IMAGE),
    "chunked.imread .zarr": lambda name: chunked.imread(name),
    "chunked.imwrite .zarr": lambda name: chunked.imwrite(name, IMAGE),
    "read_table .csv": lambda name: objclass.read_table(name),
    "write_table .csv": lambda name: objclass.write_table(TABLE, name),
    "write_geojson .geojson": lambda name: objclass.write_geojson(IMAGE, name),
    "write_rois .zip": lambda name: objclass.write_rois(IMAGE, name),
    "load_classifier .cl": lambda name: objclass.load_classifier(name),
    "load_classifier .json": lambda name: objclass.load_classifier(name),
    "save .cl": lambda name: CLASSIFIER.save(name),
    "save .json": lambda name: OBJECTS.save(name),
    "train .cl": lambda name: objclass.train_object_classifier(IMAGE, SCRIBBLES, path=name, **TRAINING),
    "annotate .cl": lambda name: objclass.annotate(IMAGE, path=name),
    "annotate(save_to) .tif": lambda name: objclass.annotate(IMAGE, path=None, save_to=name),
    "explore(save_to) .json": lambda name: objclass.explore(IMAGE, IMAGE, save_to=name),
    "run(image) .tif": lambda name: run_image(name, "out", classifier="a.cl"),
    "run(out)": lambda name: run_image("a.npy", name, classifier="a.cl"),
    "batch(inputs) .tif": lambda name: segment_folder(name, CLASSIFIER, "out"),
    "batch(out)": lambda name: segment_folder("a.npy", CLASSIFIER, name),
    "rerun(record)": lambda name: repeat_run(name),
}


@pytest.mark.skipif(sys.platform == "win32", reason="the system allows other names")
@pytest.mark.parametrize("call", CALLS)
def test_a_name_that_no_file_can_have(call, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    np.save("a.npy", IMAGE)
    CLASSIFIER.save("a.cl")
    argument = call.partition("(")[2].partition(")")[0] or "path"
    suffix = call.partition(" ")[2]
    before = sorted(tmp_path.iterdir())
    for name, reason in (("a" * 300, "File name too long"), ("a\0", "embedded null")):
        with pytest.raises(objclass.ObjclassError, match=rf"{argument}: expected a name .*{reason}"):
            CALLS[call](f"{name}{suffix}")
    assert sorted(tmp_path.iterdir()) == before
