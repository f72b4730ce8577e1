"""The channels that the annotator's classifier learns from: in the kernel, without a browser."""

import time

import numpy as np
import pytest
import tifffile

import objclass
from objclass._common.notices import warn
from objclass.widgets.planes import encode_runs

pytestmark = pytest.mark.filterwarnings("ignore:APOC, napari and Fiji")
NAMES = ["BF", "DAPI", "GFP", "RFP"]
FOREST = ("feature", "threshold", "left", "right", "leaf", "roots")


@pytest.fixture(scope="module")
def image():
    """Four channels of which two tell nuclei: (c, z, y, x)."""
    rng = np.random.default_rng(0)
    nuclei = objclass.samples.embryo((24, 64, 72)).image[6:18]
    noise = rng.normal(100, 30, (2, *nuclei.shape)).clip(0)
    return np.stack([noise[0], nuclei, noise[1], nuclei[::-1]]).astype(np.uint16)


def tell(annotator, kind, *buffers, **content):
    annotator._dispatch(annotator, {"kind": kind, **content}, [memoryview(buffer) for buffer in buffers])


def paint(annotator, image=0):
    for seq, (row, value) in enumerate(((4, 2), (30, 3)), start=1):
        values = np.full((6, 30), value, np.uint16)
        place = {"index": 5, "row": row, "col": 20, "rows": 6, "cols": 30}
        stroke = {"client": f"page/{image}", "seq": seq, "axis": 0, "image": image, "patches": [place]}
        tell(annotator, "stroke", encode_runs(values).tobytes(), **stroke)
    assert not annotator.error


def wait(condition, seconds=60):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def same_forest(one, other):
    return all(np.array_equal(getattr(one.forest, name), getattr(other.forest, name)) for name in FOREST)


def run(code, **known):
    exec(code, known)  # the code of the annotator under test
    return known


@pytest.mark.parametrize("chosen", [[1], [1, 3], [0, 1, 3]])
@pytest.mark.parametrize("normalize", [None, "percentile"])
def test_everything_uses_the_chosen_channels(make, image, chosen, normalize):
    annotator = make(image, channel_names=NAMES, path="some.cl", normalize=normalize, n_estimators=20)
    assert annotator.training_channels == [0, 1, 2, 3]
    paint(annotator)
    annotator.train()
    tell(annotator, "set", name="training_channels", value=chosen)
    assert annotator.state["stale"]
    trained = annotator.train()
    assert not annotator.state["stale"]
    assert trained.n_channels == len(chosen)
    names = tuple(NAMES[each] for each in chosen)
    assert objclass.load_classifier("some.cl").channel_names == trained.channel_names == names
    part = image[chosen[0]] if len(chosen) == 1 else image[chosen]
    by_hand = objclass.train_object_classifier(
        part, annotator.annotations, n_estimators=20, normalize=normalize, channel_names=names
    )
    assert same_forest(trained, by_hand)
    assert trained.notes == by_hand.notes
    classes = objclass.classify_pixels(part, by_hand, progress=False)
    np.testing.assert_array_equal(annotator._overlays.sources["prediction"](0, 7), classes[7])
    assert annotator._overlays.sources["uncertainty"](1, 30).shape == (12, 72)
    tell(annotator, "suggest")
    annotator.wait(60)
    assert annotator.sent[-1][0]["kind"] == "suggestion"
    np.testing.assert_array_equal(annotator.segment(), objclass.segment(part, by_hand, progress=False))

    # A script does the same.
    known = run(annotator.code(), image=image, annotations=annotator.annotations)
    assert same_forest(known["classifier"], trained)
    np.testing.assert_array_equal(known["labels"], annotator.labels)
    # The objects of another choice are out of date.
    tell(annotator, "set", name="training_channels", value=[0, 1, 2, 3])
    assert annotator.state["objects_stale"]


def test_live_training_and_what_settles_after_it(make, image, monkeypatch):
    from objclass.widgets.annotator import training

    monkeypatch.setattr(training, "_SETTLE_AFTER", 0.1)
    annotator = make(image, channel_names=NAMES, channel=["DAPI", 3])
    assert annotator.training_channels == [1, 3]
    tell(annotator, "set", name="live", value=True)
    paint(annotator)
    wait(lambda: annotator.classifier is not None and "training_data" in annotator.classifier.notes)
    by_hand = objclass.train_object_classifier(image[[1, 3]], annotator.annotations)
    assert same_forest(annotator.classifier, by_hand)
    tell(annotator, "set", name="training_channels", value=[1])
    wait(lambda: annotator.classifier.n_channels == 1)
    by_hand = objclass.train_object_classifier(image[1], annotator.annotations)
    assert same_forest(annotator.classifier, by_hand)
    plane = objclass.predict_plane(image[1], by_hand, axis=2, index=20)
    np.testing.assert_array_equal(annotator._overlays.sources["prediction"](2, 20), plane)


def test_a_file_that_is_loaded_brings_its_channels(make, image):
    first = make(image, channel_names=NAMES, channel=("RFP", "DAPI"), path="two.cl", save_to="two.tif")
    paint(first)
    found = first.segment()
    first.close()
    again = make(image, channel_names=NAMES, path="two.cl", save_to="two.tif", on_existing="load")
    assert again.training_channels == [3, 1]
    np.testing.assert_array_equal(again.segment(), found)
    known = run(again.code(), image=image)
    np.testing.assert_array_equal(known["labels"], found)
    assert not again.state["stale"]


def test_without_names_the_file_tells_the_channels_too(make, image):
    first = make(image, channel=2, path="one.cl", save_to="one.tif")
    paint(first)
    first.train()
    first.close()
    again = make(image, path="one.cl", on_existing="load")
    assert again.training_channels == [2]


def test_a_file_for_other_channels_is_not_taken(make, image):
    scribbles = np.zeros(image.shape[1:], np.uint8)
    scribbles[5, 4:10], scribbles[5, 30:36] = 1, 2
    objclass.train_object_classifier(image[:2], scribbles, path="two.cl", n_estimators=3)
    annotator = make(image, path="two.cl")
    tell(annotator, "answer", topic="classifier", value="load")
    assert "2 channels" in annotator.error
    assert "choose its channels first" in annotator.error
    annotator.training_channels = [0, 1]
    annotator.error = ""
    tell(annotator, "answer", topic="classifier", value="load")
    assert annotator.classifier.n_channels == 2


def test_several_images_learn_from_the_same_channels(make, image):
    images = {"a": image, "b": image[:, 2:, ::-1]}
    annotator = make(images, channel_names=NAMES, channel=1, n_estimators=10)
    paint(annotator, 0)
    paint(annotator, 1)
    trained = annotator.train()
    annotator.segment()
    by_hand = objclass.train_object_classifier(
        [each[1] for each in images.values()], list(annotator.annotations.values()), n_estimators=10
    )
    assert same_forest(trained, by_hand)
    known = run(annotator.code(), images=images, annotations=annotator.annotations)
    for name in images:
        np.testing.assert_array_equal(known["labels"][name], annotator.labels[name])


def test_channels_of_several_images_in_another_order_are_refused(tmp_path, image, make):
    for name, order in (("a", [0, 1]), ("b", [1, 0])):
        metadata = {"axes": "CZYX", "Channel": {"Name": [["DAPI", "GFP"][each] for each in order]}}
        pixels = image[[1, 2]][order]
        tifffile.imwrite(tmp_path / f"{name}.ome.tif", pixels, metadata=metadata, photometric="minisblack")
    with pytest.raises(ValueError, match=r"image\['b.ome'\]: expected the channels DAPI, GFP in this order"):
        make([tmp_path / "a.ome.tif", tmp_path / "b.ome.tif"])


@pytest.mark.parametrize(
    ("channel", "words"),
    [
        (
            "Cy5",
            "channel: expected the name of one channel of the image, got 'Cy5'; its channels are BF, DAPI",
        ),
        (4, "channel: expected an integer"),
        ([], "channel: expected one or more different channels"),
        ([1, "DAPI"], "channel: expected one or more different channels"),
        (1.5, "channel: expected an integer"),
    ],
)
def test_channels_that_are_not_there(make, image, channel, words):
    with pytest.raises((ValueError, TypeError), match=words):
        make(image, channel_names=NAMES, channel=channel)


def test_the_last_channel_stays(make, image):
    annotator = make(image)
    tell(annotator, "set", name="training_channels", value=[])
    assert "training_channels: expected one or more different channels" in annotator.error
    assert annotator.training_channels == [0, 1, 2, 3]


def test_the_explorer_shows_the_channels_as_the_annotator_does(make):
    rng = np.random.default_rng(0)
    picture = rng.integers(0, 90, (64, 72, 3)).astype(np.uint8)
    picture[20:50, 20:50] += 120
    annotator = make(picture)
    for seq, (row, value) in enumerate(((4, 2), (30, 3)), start=1):
        place = {"index": 0, "row": row, "col": 22, "rows": 6, "cols": 20}
        stroke = {"client": "page", "seq": seq, "axis": 0, "patches": [place]}
        tell(annotator, "stroke", encode_runs(np.full((6, 20), value, np.uint16)).tobytes(), **stroke)
    tell(annotator, "explore")
    wait(lambda: annotator.explorer is not None and not annotator.state["task"])
    known = {"annotator": annotator, "objclass": objclass}
    for explorer in (annotator.explorer, run(annotator.explorer_code, **known)["explorer"]):
        assert [one["color"] for one in explorer.channels] == ["#ff0000", "#00ff00", "#0000ff"]
        assert len({(one["low"], one["high"]) for one in explorer.channels}) == 1, "hues are kept"


def test_what_measuring_warns_of_is_shown_with_its_explorer(make, image, monkeypatch):
    silent = objclass.measure

    def measure(*args, **keywords):
        warn("Few of these can be measured.")
        return silent(*args, **keywords)

    monkeypatch.setattr("objclass.measurement.measuring.measure", measure)
    annotator = make(image[:2])
    paint(annotator)
    tell(annotator, "explore")
    wait(lambda: annotator.explorer is not None)
    assert annotator.error == ""
    assert annotator.explorer.notes == ["Few of these can be measured."]
    annotator.explorer._page.show_all()
    assert annotator.explorer.notes == ["Few of these can be measured."], "it goes on being shown"
