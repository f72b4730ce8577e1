import dataclasses
import warnings

import dask.array as da
import numpy as np
import pytest

import objclass
from objclass.pixels.extraction import features_at
from objclass.pixels.features import FILTERS, parse_features
from objclass.pixels.normalization import image_range, normalize_rows
from objclass.pixels.uncertainty import uncertainty_plane
from objclass.widgets.annotator.learning import train_live
from objclass.workflows.parameters import Parameters
from objclass.workflows.run import run_image


@pytest.fixture(scope="module")
def scene():
    """Return an image of two channels with round objects in noise, scribbles, and the image exposed anew."""
    rng = np.random.default_rng(0)
    image = rng.normal(100, 4, (2, 96, 96))
    rows, columns = np.mgrid[:96, :96]
    for row, column in rng.integers(10, 86, (12, 2)):
        image[:, (rows - row) ** 2 + (columns - column) ** 2 < 30] += np.array([[60], [25]])
    annotations = np.zeros((96, 96), np.uint8)
    annotations[:3], annotations[-3:] = 1, 1
    annotations[image[0] > 150] = 2
    image = image.round().astype(np.uint16)
    exposed = np.stack([image[0] * 8, image[1] * 2 + 1000]).astype(np.uint16)
    return image, annotations, exposed


def test_same_objects_at_another_exposure(scene):
    image, annotations, exposed = scene
    keywords = {"features": "edges_1_to_4_px", "n_estimators": 20}
    plain = objclass.train_object_classifier(image, annotations, **keywords)
    scaled = objclass.train_object_classifier(image, annotations, normalize="percentile", **keywords)
    expected = objclass.segment(image, scaled)
    assert expected.max() > 5
    found = objclass.segment(exposed, scaled)
    assert (found != expected).mean() < 0.002  # thresholds are rounded to float32
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        assert (objclass.segment(exposed, plain) != objclass.segment(image, plain)).mean() > 0.05


def test_training_on_images_of_different_exposure(scene):
    image, annotations, exposed = scene
    both = objclass.train_object_classifier(
        [image, exposed], [annotations, annotations], normalize="percentile", n_estimators=20
    )
    assert both.accuracy > 0.99
    assert (objclass.segment(image, both) != objclass.segment(exposed, both)).mean() < 0.002


@pytest.mark.parametrize("name", FILTERS)
@pytest.mark.parametrize("shape", [(1, 24, 24), (1, 7, 24, 24)])
def test_each_filter_follows_the_exposure(name, shape):
    if "middle" in name and len(shape) == 3:
        pytest.skip("a filter of stacks")
    image = np.random.default_rng(1).normal(size=shape).astype(np.float32)
    features = parse_features(name if name == "original" else f"{name}=1.5")
    mask = np.ones(shape[1:], bool)
    rows = normalize_rows(features_at(image, features, mask), features, image_range(image), len(shape) - 1)
    exposed = 3 * image + 20
    again = normalize_rows(
        features_at(exposed, features, mask), features, image_range(exposed), len(shape) - 1
    )
    np.testing.assert_allclose(rows, again, atol=2e-4)


def test_the_scaled_image_gives_the_same(scene):
    """The thresholds carried to the range of an image give what the image scaled itself gives."""
    image, annotations, exposed = scene
    classifier = objclass.train_object_classifier(
        image, annotations, normalize="percentile", preset="apoc", features="original gaussian_blur=1"
    )
    low, high = image_range(exposed).T[..., np.newaxis, np.newaxis]
    unit = ((exposed - low) / (high - low)).astype(np.float32)
    plain = dataclasses.replace(classifier, normalize=None, notes={})
    same = objclass.classify_pixels(unit, plain) == objclass.classify_pixels(exposed, classifier)
    assert same.mean() > 0.999


def test_chunked_takes_the_percentiles_of_the_whole_image(scene, tmp_path):
    image, annotations, exposed = scene
    classifier = objclass.train_object_classifier(image, annotations, normalize="percentile", n_estimators=20)
    expected = objclass.segment(exposed, classifier)
    sources = [da.from_array(exposed, chunks=(1, 31, 40))]
    objclass.imwrite(tmp_path / "i.zarr", exposed, axes="cyx")
    sources.append(objclass.chunked.imread(tmp_path / "i.zarr"))
    for source in sources:
        found = objclass.chunked.segment(source, classifier, block_shape=(37, 53)).compute()
        np.testing.assert_array_equal(found, expected)
        classes = objclass.chunked.classify_pixels(source, classifier, block_shape=(37, 53)).compute()
        np.testing.assert_array_equal(classes, objclass.classify_pixels(exposed, classifier))


def test_a_channel_of_one_value_says_nothing(scene):
    image, annotations, _ = scene
    keywords = {"features": "edges_1_to_4_px", "n_estimators": 20, "normalize": "percentile"}
    one = objclass.train_object_classifier(image[0], annotations, **keywords)
    empty = np.stack([image[0], np.full_like(image[0], 7)])
    both = objclass.train_object_classifier(empty, annotations, **keywords)
    expected = objclass.segment(image[0], one)
    assert ((objclass.segment(empty, both) > 0) == (expected > 0)).mean() > 0.95


def test_planes_and_suggestions_follow(scene):
    image, annotations, exposed = scene
    classifier = objclass.train_object_classifier(image, annotations, normalize="percentile", n_estimators=20)
    plane = objclass.predict_plane(exposed, classifier)
    np.testing.assert_array_equal(plane, objclass.classify_pixels(exposed, classifier))
    unsure = uncertainty_plane(exposed, classifier)
    probability = objclass.probability_map(exposed, classifier)
    np.testing.assert_allclose(unsure, 1 - np.abs(2 * probability - 1), atol=1e-6)


def test_live_training_equals_that_of_a_script(scene):
    _, annotations, exposed = scene
    annotator = objclass.annotate(
        exposed, annotations, path=None, normalize="percentile", n_estimators=20, channel_names=["a", "b"]
    )
    pixels = annotator._page.shown.pixels((0, 1))
    live, exact = train_live([pixels], annotator.parameters)
    script = annotator.train()
    assert exact
    assert live.forest == script.forest
    assert live.normalize == "percentile"
    assert "normalize='percentile'" in annotator.code()
    np.testing.assert_array_equal(pixels.predict(live, 0, 0), objclass.predict_plane(exposed, script))


def test_file_keeps_it_and_apoc_refuses(scene, tmp_path):
    apoc = pytest.importorskip("apoc")
    image, annotations, _ = scene
    path = tmp_path / "ObjectSegmenter.cl"
    classifier = objclass.train_object_classifier(
        image, annotations, normalize="percentile", preset="apoc", n_estimators=20
    )
    with pytest.warns(UserWarning, match="do not know normalize=percentile"):
        classifier.save(path)
    again = objclass.load_classifier(path)
    assert again == classifier
    assert again.normalize == again.parameters.normalize == "percentile"
    assert "normalized by percentile" in repr(again)
    with pytest.raises(ValueError, match="could not convert string to float"):
        apoc.ObjectSegmenter(opencl_filename=str(path)).predict(image=list(image.astype(np.float32)))
    path.write_text(path.read_text().replace("normalize=percentile", "normalize=histogram"))
    with pytest.raises(ValueError, match="normalize"):
        objclass.load_classifier(path)


@pytest.mark.parity
def test_opencl_gives_the_same(scene):
    pytest.importorskip("pyclesperanto")
    image, annotations, exposed = scene
    classifier = objclass.train_object_classifier(
        image, annotations, normalize="percentile", preset="apoc", n_estimators=20
    )
    found = objclass.classify_pixels(exposed, classifier, engine="opencl")
    assert (found == objclass.classify_pixels(exposed, classifier)).mean() > 0.9999


def test_unknown_normalization(scene):
    image, annotations, _ = scene
    with pytest.raises(ValueError, match="normalize: expected one of 'percentile', got str 'zscore'"):
        objclass.train_object_classifier(image, annotations, normalize="zscore")


def test_run_trains_with_it(scene, tmp_path):
    image, annotations, exposed = scene
    objclass.imwrite(tmp_path / "a.tif", image, axes="cyx")
    objclass.imwrite(tmp_path / "b.tif", exposed, axes="cyx")
    objclass.imwrite(tmp_path / "strokes.tif", annotations)
    parameters = Parameters.of(normalize="percentile", reduce="pca", n_estimators=20)
    first = run_image(
        tmp_path / "a.tif", tmp_path / "1", annotations=tmp_path / "strokes.tif", parameters=parameters
    )
    again = run_image(
        tmp_path / "b.tif",
        tmp_path / "2",
        classifier=tmp_path / "1" / "ObjectSegmenter.cl",
        parameters=Parameters.of(reduce="pca"),
    )
    assert first.found["objects"] == again.found["objects"] > 5
    assert not any("percentile" in note for note in again.notes)
