"""What the annotator does with files and with what it is given."""

import json
import re
import subprocess
import sys

import numpy as np
import pytest

import objclass
from objclass.io.images import imread, imwrite
from objclass.widgets.planes import encode_runs

pytestmark = pytest.mark.filterwarnings("ignore:APOC, napari and Fiji")

SHAPE = (6, 30, 40)
RNG = np.random.default_rng(0)


@pytest.fixture(autouse=True)
def in_a_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def image():
    image = RNG.normal(100, 10, SHAPE)
    image[2:5, 10:20, 10:20] += 200
    return image.astype(np.uint16)


def stroke(annotator, seq, z, value, *, client="page", at=(10, 10), size=(5, 5)):
    values = np.full(size, value + 1, np.uint16)
    place = {"index": z, "row": at[0], "col": at[1], "rows": size[0], "cols": size[1]}
    content = {"kind": "stroke", "client": client, "seq": seq, "axis": 0, "patches": [place]}
    annotator._dispatch(annotator, content, [memoryview(encode_runs(values).tobytes())])


def paint_both(annotator):
    stroke(annotator, 1, 3, 2)
    stroke(annotator, 2, 1, 1)


def answer(annotator, topic, value):
    annotator._dispatch(annotator, {"kind": "answer", "topic": topic, "value": value}, [])


def saved(annotator):
    annotator.wait()
    return imread(annotator.save_to)


# The annotations' file


def test_every_stroke_is_in_the_file_and_a_new_widget_goes_on(make, image):
    annotator = make(image, save_to="scribbles.tif")
    for seq in range(1, 6):
        stroke(annotator, seq, seq, seq)
        np.testing.assert_array_equal(saved(annotator), annotator.annotations)
    annotator.undo()
    np.testing.assert_array_equal(saved(annotator), annotator.annotations)
    again = make(image, save_to="scribbles.tif")
    np.testing.assert_array_equal(again.annotations, annotator.annotations)
    assert again.state["saved"] == "Scribbles loaded"
    assert [item["value"] for item in again.classes] == [1, 2, 3, 4]
    stroke(again, 1, 5, 1)
    np.testing.assert_array_equal(saved(again), again.annotations)


def test_an_acknowledgement_comes_after_the_file(make, image, monkeypatch):
    annotator = make(image, save_to="scribbles.tif")
    seen = []

    def send(content, buffers=None):
        if content["kind"] == "kept":
            seen.append((content["seen"]["page"], int(imread("scribbles.tif").max())))

    monkeypatch.setattr(annotator, "send", send)
    for seq in range(1, 60):
        stroke(annotator, seq, 2, seq)
    annotator.wait()
    assert seen[-1] == (59, 59)
    assert all(sequence <= value for sequence, value in seen)


def test_two_widgets_on_one_file_do_not_fight_in_silence(make, image):
    first, second = make(image, save_to="scribbles.tif"), make(image, save_to="scribbles.tif")
    stroke(first, 1, 1, 1)
    by_first = saved(first)
    stroke(second, 1, 2, 2)
    np.testing.assert_array_equal(saved(second), by_first)
    assert "changed elsewhere" in second.state["unsaved"]
    assert [notice["topic"] for notice in second.notices] == ["save_to"]
    answer(second, "save_to", "rename")
    assert second.save_to.endswith("scribbles-1.tif")
    np.testing.assert_array_equal(saved(second), second.annotations)
    np.testing.assert_array_equal(imread("scribbles.tif"), by_first)
    assert not second.notices
    assert not second.state["unsaved"]


@pytest.mark.parametrize("choice", ["overwrite", "read"])
def test_a_file_that_was_changed_elsewhere_on_the_users_word(make, image, choice):
    first, second = make(image, save_to="scribbles.tif"), make(image, save_to="scribbles.tif")
    stroke(first, 1, 1, 1)
    by_first = saved(first)
    stroke(second, 1, 2, 2)
    saved(second)
    own = second.annotations.copy()
    answer(second, "save_to", choice)
    expected = own if choice == "overwrite" else by_first
    np.testing.assert_array_equal(saved(second), expected)
    np.testing.assert_array_equal(second.annotations, expected)


def test_a_second_widget_on_an_image_offers_the_scribbles_of_the_first(make, image):
    first = make(image)
    paint_both(first)
    assert "Not saved" in first.state["saved"]
    second = make(image)
    assert second.notices[0]["text"] == "Another annotator of this image has 50 annotated pixels."
    assert not second.annotations.any()
    answer(second, "earlier", "take")
    np.testing.assert_array_equal(second.annotations, first.annotations)
    second.undo()
    assert not second.annotations.any()
    assert not make(image.copy()).notices
    first.close()
    second.close()
    assert not make(image).notices


# The classifier's file


@pytest.fixture
def existing(image):
    annotations = np.zeros(SHAPE, np.uint8)
    annotations[3, 10:20, 10:15], annotations[0, :3] = 2, 1
    objclass.train_object_classifier(image, annotations, n_estimators=7, path="there.cl")
    with open("there.cl", "rb") as file:
        return file.read()


def content(path):
    with open(path, "rb") as file:
        return file.read()


def test_a_classifier_that_was_there_is_not_written_over_in_silence(make, image, existing):
    annotator = make(image, path="there.cl")
    paint_both(annotator)
    annotator.train()
    assert content("there.cl") == existing
    assert [notice["topic"] for notice in annotator.notices] == ["classifier"]
    assert annotator.state["file"] == "asked"
    choices = {choice["value"]: choice["text"] for choice in annotator.notices[0]["choices"]}
    assert choices["overwrite"] == "Replace it now"
    assert choices["rename"] == "Keep it, save in there-1.cl"
    answer(annotator, "classifier", "overwrite")
    assert annotator.state["file"] == "saved"
    assert objclass.load_classifier("there.cl").forest.n_trees == 100


def test_before_a_training_the_answer_to_replace_a_file_leaves_it(make, image, existing):
    annotator = make(image, path="there.cl")
    choices = {choice["value"]: choice["text"] for choice in annotator.notices[0]["choices"]}
    assert choices["overwrite"] == "Replace it at the first training"
    answer(annotator, "classifier", "overwrite")
    assert content("there.cl") == existing
    paint_both(annotator)
    annotator.train()
    assert content("there.cl") != existing


def test_load_the_classifier_that_was_there(make, image, existing):
    annotator = make(image, path="there.cl")
    answer(annotator, "classifier", "load")
    assert annotator.classifier.forest.n_trees == 7
    assert not annotator.notices
    paint_both(annotator)
    annotator.train()
    assert objclass.load_classifier("there.cl").forest.n_trees == 100


def test_go_on_under_another_name(make, image, existing):
    annotator = make(image, path="there.cl")
    paint_both(annotator)
    annotator.train()
    answer(annotator, "classifier", "rename")
    assert annotator.path.endswith("there-1.cl")
    assert objclass.load_classifier("there-1.cl").forest.n_trees == 100
    assert content("there.cl") == existing


def test_write_over_it_on_the_users_word(make, image, existing):
    annotator = make(image, path="there.cl", on_existing="overwrite")
    assert content("there.cl") == existing
    paint_both(annotator)
    annotator.train()
    annotator.n_estimators = 9
    annotator.train()
    assert objclass.load_classifier("there.cl").forest.n_trees == 9


def test_a_classifier_that_somebody_has_put_there_meanwhile(make, image, existing):
    annotator = make(image, path="mine.cl")
    paint_both(annotator)
    annotator.train()
    with open("mine.cl", "wb") as file:
        file.write(existing)
    annotator.train()
    assert content("mine.cl") == existing
    assert annotator.notices


def test_a_file_that_is_no_classifier_or_fits_no_such_image(make, image, existing):
    with open("broken.cl", "w") as file:
        file.write("__kernel void predict")
    annotator = make(image, path="broken.cl")
    answer(annotator, "classifier", "load")
    assert "broken.cl" in annotator.error
    assert annotator.classifier is None
    flat = make(image[3], path="there.cl")
    answer(flat, "classifier", "load")
    assert "3D" in flat.error
    assert flat.classifier is None


# What it is given


@pytest.mark.parametrize(
    ("options", "kind", "message"),
    [
        (
            {"annotations": np.zeros((6, 30, 41), np.uint8)},
            ValueError,
            "image: expected the spatial shape of annotations",
        ),
        ({"annotations": np.zeros(SHAPE)}, TypeError, "annotations: expected an integer array"),
        (
            {"annotations": np.full(SHAPE, -1)},
            ValueError,
            "annotations: expected classes from 0 to 254, got -1",
        ),
        (
            {"annotations": np.full(SHAPE, 255)},
            ValueError,
            "annotations: expected classes from 0 to 254, got 255",
        ),
        ({"spacing": (1, 0, 1)}, ValueError, "spacing: expected 3 positive numbers"),
        ({"spacing": (1, 1, 1, 1)}, ValueError, "spacing: expected 3 positive numbers"),
        ({"features": "gaussian_blurr=1"}, ValueError, "features: expected"),
        ({"features": 3}, TypeError, "features: expected a predefined set's name"),
        ({"max_depth": 0}, ValueError, "max_depth: expected an integer"),
        ({"n_estimators": 0}, ValueError, "n_estimators: expected an integer"),
        ({"positive_class": 0}, ValueError, "positive_class: expected an integer"),
        ({"positive_class": 255}, ValueError, "positive_class: expected an integer of at least 1 and of at"),
        ({"random_state": -1}, ValueError, "random_state: expected an integer"),
        ({"classes": "cells"}, ValueError, "classes: expected at least two names"),
        ({"on_existing": "clobber"}, ValueError, "on_existing: expected one of 'ask', 'load'"),
        ({"path": "nowhere/a.cl"}, FileNotFoundError, "path: expected a place in an existing folder"),
        ({"save_to": "nowhere/a.tif"}, FileNotFoundError, "save_to: expected a place in an existing folder"),
        ({"save_to": "a.png"}, ValueError, "save_to: expected a file name that ends in .tif"),
    ],
)
def test_bad_input(make, image, options, kind, message):
    with pytest.raises(kind, match=re.escape(message)):
        make(image, **options)


def test_a_forest_may_be_as_large_as_in_training(make, image):
    annotator = make(image, n_estimators=2000, max_depth=60)
    assert (annotator.parameters.n_estimators, annotator.parameters.max_depth) == (2000, 60)


def test_a_folder_that_cannot_be_written(make, image):
    with pytest.raises((PermissionError, FileNotFoundError), match="save_to: expected a"):
        make(image, save_to="/proc/scribbles.tif")


@pytest.mark.parametrize("shape", [(60, 80, 3), (60, 80, 4), (5, 60, 80, 3)])
def test_an_image_with_its_channels_last_is_not_taken_for_a_stack(make, shape):
    with pytest.raises(ValueError, match=r"image: expected axes.*numpy\.moveaxis"):
        make(np.zeros(shape, np.uint16))


@pytest.mark.parametrize("shape", [(60, 80, 3), (60, 80, 4), (20, 60, 80, 3)])
def test_a_colour_picture_is_shown_in_its_colours(make, shape):
    picture = RNG.integers(20, 60, shape).astype(np.uint8)
    picture[..., 30:35, 30:35, :] += 100
    annotator = make(picture)
    assert annotator.annotations.shape == shape[:-1]
    assert [channel["color"] for channel in annotator.channels] == ["#ff0000", "#00ff00", "#0000ff"]
    assert {(channel["low"], channel["high"]) for channel in annotator.channels} == {(0.0, 255.0)}
    plane = picture[..., :3] if picture.ndim == 3 else picture[annotator.position[0]]
    np.testing.assert_array_equal(shown(annotator), plane)
    stroke(annotator, 1, 0, 1, at=(0, 0))
    stroke(annotator, 2, 0, 2, at=(30, 30))
    labels = annotator.segment()
    assert labels.shape == shape[:-1]
    made = {"image": picture, "annotations": np.array(annotator.annotations)}
    exec(annotator.code(), made)
    np.testing.assert_array_equal(made["labels"], labels)


def shown(annotator):
    """The picture of the shown plane without scribbles, at the image's own size."""
    from objclass.widgets.snapshot import compose_channels

    planes = annotator._planes.image
    return compose_channels(planes.encode(planes.plane(0, annotator.position[0])), annotator.channels)


def test_channels_have_names(make):
    planes = RNG.integers(0, 5000, (2, 30, 40)).astype(np.uint16)
    annotator = make(planes, channel_names=["DAPI", "GFP"])
    assert annotator.annotations.shape == (30, 40), "a name for each plane: these are channels"
    assert [channel["name"] for channel in annotator.channels] == ["DAPI", "GFP"]
    with pytest.raises(ValueError, match="channel_names: expected 2 names"):
        make(planes, np.zeros((30, 40), np.uint8), channel_names=["DAPI"])


def test_a_class_that_was_removed_comes_back_with_its_scribbles(make, image):
    annotator = make(image, classes=["background", "nucleus", "debris"])
    stroke(annotator, 1, 3, 3)
    annotator._dispatch(annotator, {"kind": "clear_class", "value": 3}, [])
    annotator.classes = annotator.classes[:2]
    annotator.undo()
    assert [item["value"] for item in annotator.classes] == [1, 2, 3]


def test_a_still_picture_and_a_line_of_text_come_with_the_widget(make, image):
    from io import BytesIO

    from PIL import Image

    annotator = make(image, spacing=(2, 1, 1))
    data, _ = annotator._repr_mimebundle_()
    assert data["text/plain"].startswith(
        "Annotator of an image of 6 × 30 × 40 pixels; annotated pixels: none"
    )
    before = np.asarray(Image.open(BytesIO(annotator.picture())))
    paint_both(annotator)
    annotator.segment()
    data, _ = annotator._repr_mimebundle_()
    assert "background 25, object 25; classifier trained; " in data["text/plain"]
    assert "application/vnd.jupyter.widget-view+json" in data
    after = np.asarray(Image.open(BytesIO(annotator.picture())))
    assert before.shape == after.shape == (120, 160, 3)
    assert (before == before[..., :1]).all()
    stroked = after[42:58, 42:58].reshape(-1, 3).astype(int)
    assert (stroked[:, 0] > stroked[:, 2] + 60).all(), "the scribble, in the colour of its class"


def test_the_first_plane_comes_with_the_widget(make, image):
    annotator = make(image)
    annotator._repr_mimebundle_()
    plane = annotator.first["plane"]
    assert [layer["name"] for layer in plane["layers"]] == ["image", "annotations", "labels"]
    stored = np.frombuffer(annotator.first["buffers"][0], "<u2").reshape(30, 40)
    np.testing.assert_array_equal(stored, image[3])
    paint_both(annotator)
    annotator.train()
    assert annotator.first["overlay"]["layers"][0]["shape"] == (1, 30, 40)
    request = {"kind": "plane", "view": "v", "seq": 1, "layers": ["image"]}
    annotator._dispatch(annotator, {**plane, **request}, [])
    assert annotator.first == {}, "from now on the browser asks"


def test_pixels_that_are_not_finite(make):
    with pytest.raises(ValueError, match="image: expected finite pixels"):
        make(np.full(SHAPE, np.nan))


def test_the_image_itself_is_no_file_of_annotations(make, image):
    pixels = np.random.default_rng(0).integers(0, 200, image.shape).astype(np.uint8)
    imwrite("image.tif", pixels)
    with pytest.raises(ValueError, match=r"save_to: expected annotations, or a new name, got image\.tif"):
        make(pixels, save_to="image.tif")
    assert (imread("image.tif") == pixels).all()


def test_annotations_of_another_image_in_the_file(make, image):
    imwrite("scribbles.tif", np.zeros((3, 30, 40), np.uint8))
    with pytest.raises(ValueError, match=r"save_to: expected annotations of shape.*belongs to another image"):
        make(image, save_to="scribbles.tif")


def test_a_flat_image(make, image):
    annotator = make(image[3], spacing=(0.5, 0.5), save_to="flat.tif")
    assert annotator.volume["spacing"] == [1.0, 0.5, 0.5]
    stroke(annotator, 1, 0, 2)
    assert annotator.annotations.shape == (30, 40)
    assert saved(annotator).shape == (30, 40)


def test_two_channels_in_depth(make, image):
    annotator = make(np.stack([image, image + 1]))
    assert annotator.annotations.shape == SHAPE
    paint_both(annotator)
    assert annotator.train().n_channels == 2


def test_a_gigabyte_opens_without_being_sent_or_read(make, tmp_path, monkeypatch):
    stack = np.memmap(tmp_path / "stack.dat", np.uint16, "w+", shape=(512, 1024, 1024))
    annotator = make(stack, save_to="scribbles.tif")
    assert len(json.dumps(annotator.get_state(), default=repr)) < 200_000
    sent = []
    monkeypatch.setattr(annotator, "send", lambda content, buffers=None: sent.extend(buffers or []))
    request = {
        "kind": "plane",
        "view": "v",
        "seq": 1,
        "axis": 0,
        "index": 300,
        "region": [0, 0, 1024, 1024],
        "step": 1,
    }
    annotator._dispatch(annotator, {**request, "layers": ["image", "annotations", "labels"]}, [])
    assert sum(map(len, sent)) < 2**21 + 100
    stroke(annotator, 1, 300, 2)
    assert saved(annotator)[300].any()
    assert (tmp_path / "scribbles.tif").stat().st_size < 2**22


def test_without_anywidget_it_says_what_to_install():
    code = "import sys; sys.modules['anywidget'] = None; import objclass.widgets.annotator.annotator"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert "python -m pip install 'objclass[lab]'" in result.stderr


def test_the_voxel_size_of_a_file_is_shown_in_micrometres(image):
    imwrite("image.tif", image, spacing=(2, 1, 1))
    annotator = objclass.annotate("image.tif", path=None)
    assert (annotator.volume["spacing"], annotator.volume["unit"]) == ([2, 1, 1], "µm")
