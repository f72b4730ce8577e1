"""The parameters of runs and batches: one list of them for functions, command line and widgets."""

import inspect
from dataclasses import fields

import numpy as np
import pytest

import objclass
from objclass import cli
from objclass.objects.segmentation import SegmentationOptions
from objclass.pixels.training import TrainingParameters
from objclass.workflows.parameters import TRAINING, ObjectParameters, Parameters

SEGMENTATION = [field.name for field in fields(SegmentationOptions)]


def test_functions_take_each_option_of_the_dataclasses():
    own = {"image", "classifier", "spacing", "engine", "progress"}
    assert {*inspect.signature(objclass.segment).parameters} == {*SEGMENTATION, *own}
    own = {"image", "annotations", "channel_names", "path"}
    names = {field.name for field in fields(TrainingParameters)}
    assert {*inspect.signature(objclass.train_object_classifier).parameters} == names | own
    assert {*TRAINING} < names


@pytest.mark.parametrize(
    ("call", "names"),
    [
        (["run", "i.tif", "--classifier", "c.cl", "--out", "o"], Parameters.names()),
        (["batch", "i.tif", "--classifier", "c.cl", "--out", "o"], ObjectParameters.names()),
    ],
)
def test_the_command_line_takes_each_parameter(call, names):
    assert {*names} <= {*vars(cli._parser(call[0]).parse_args(call))}


def test_the_annotator_takes_each_option_of_segment():
    image = np.zeros((16, 16), np.uint8)
    annotator = objclass.annotate(image)
    assert annotator.segmentation_options == SegmentationOptions().of_preset("default")
    assert annotator.state["segmentation"]["split"] == "auto"
    for name in SEGMENTATION:
        annotator.segmentation = {name: getattr(SegmentationOptions(), name)}
    chosen = {"smooth": 2.0, "split": "distance", "min_size": "4 um2", "min_distance": 3}
    annotator.segmentation = chosen
    assert annotator.segmentation_options == SegmentationOptions(**chosen).of_preset("default")
    for wrong, message in (({"threshold": 2}, "threshold"), ({**chosen, "split": "none"}, "min_distance")):
        with pytest.raises(ValueError, match=message):
            annotator.segmentation = wrong
        assert annotator.segmentation == chosen


@pytest.mark.parametrize(("name", "value"), [("n_estimators", 0), ("preset", "apocs"), ("isotropic", 1)])
def test_parameters_of_the_training_are_checked_before_an_image_is_read(name, value):
    with pytest.raises(ValueError, match=name):
        Parameters.of(**{name: value})


@pytest.mark.parametrize(
    ("good", "bad"),
    [
        ({"max_size": 1, "min_size": 0}, {"max_size": 0, "min_size": 0}),
        ({"max_size": 5, "min_size": 5}, {"max_size": 4, "min_size": 5}),
        ({"n_clusters": 1}, {"n_clusters": 0}),
        ({"n_clusters": None, "cluster": "hdbscan"}, {"n_clusters": 3, "cluster": "hdbscan"}),
        ({"random_state": 2**32 - 1}, {"random_state": 2**32}),
        ({"random_state": 0}, {"random_state": -1}),
    ],
)
def test_the_ends_of_ranges_are_legal(good, bad):
    assert Parameters.of(**good).flat().items() >= good.items()
    with pytest.raises(ValueError, match=next(iter(bad))):
        Parameters.of(**bad)


def test_the_number_of_clusters_is_recorded_where_it_is_used():
    assert Parameters().flat()["n_clusters"] == 3
    for method in ("hdbscan", "leiden", "meanshift"):
        parameters = Parameters.of(cluster=method)
        assert parameters.flat()["n_clusters"] is None
        assert Parameters.of(**parameters.flat()) == parameters
