"""The annotator's side in the kernel: messages as the browser sends them, without a browser."""

import threading
import time
from pathlib import Path

import numpy as np
import pytest

import objclass
from objclass.widgets.annotator.learning import train_live
from objclass.widgets.planes import decode_runs, encode_runs

pytestmark = pytest.mark.filterwarnings("ignore:APOC, napari and Fiji")


@pytest.fixture(scope="module")
def sample():
    return objclass.samples.embryo((24, 96, 96))


@pytest.fixture
def make(make, sample):
    """Make an annotator, of the sample if no image is given."""
    return lambda image=None, *args, **options: make(
        sample.image if image is None else image, *args, **options
    )


def tell(annotator, kind, *buffers, **content):
    annotator._dispatch(annotator, {"kind": kind, **content}, [memoryview(buffer) for buffer in buffers])


def stroke(annotator, seq, z, row, col, values, *, client="page", axis=0):
    """What the browser sends at the end of a stroke; values: 0 untouched, v + 1 class v."""
    values = np.array(values, np.uint16)
    rows, cols = values.shape
    place = {"index": z, "row": row, "col": col, "rows": rows, "cols": cols}
    tell(
        annotator, "stroke", encode_runs(values).tobytes(), client=client, seq=seq, axis=axis, patches=[place]
    )


def paint_both(annotator, first_seq=1):
    stroke(annotator, first_seq, 5, 2, 2, np.full((6, 20), 2))
    stroke(annotator, first_seq + 1, 5, 40, 30, np.full((8, 9), 3))


def hold_first_training(monkeypatch):
    """Return a list of the threads that train, and an event until which the first of them waits."""
    from objclass.widgets.annotator import training

    threads, gate = [], threading.Event()
    train = training.train_object_classifier

    def first_one_waits(*args, **keywords):
        classifier = train(*args, **keywords)
        threads.append(threading.current_thread())
        if len(threads) == 1:
            assert gate.wait(30)
        return classifier

    monkeypatch.setattr(training, "train_object_classifier", first_one_waits)
    return threads, gate


def sent(annotator, kind):
    return [(content, buffers) for content, buffers in annotator.sent if content["kind"] == kind]


def wait(condition, seconds=30):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def overlay(annotator, index=5, *, name="prediction", view="view", seq=1):
    rows, cols = annotator.image.shape[-2:]
    request = {"view": view, "seq": seq, "axis": 0, "index": index, "region": [0, 0, rows, cols], "step": 1}
    tell(annotator, "overlay", **request, layers=[name])


def read_overlay(message):
    content, buffers = message
    layer = content["layers"][0]
    if layer["encoding"] == "runs":
        return decode_runs(np.frombuffer(buffers[0], "<u4"), int(np.prod(layer["shape"]))).reshape(
            layer["shape"]
        )[0]
    return np.frombuffer(buffers[0], layer["dtype"]).reshape(layer["shape"])[0]


# Scribbles


def test_scribbles_arrive_and_are_acknowledged(make):
    annotator = make()
    paint_both(annotator)
    expected = np.zeros(annotator.image.shape, np.uint8)
    expected[5, 2:8, 2:22], expected[5, 40:48, 30:39] = 1, 2
    np.testing.assert_array_equal(annotator.annotations, expected)
    assert [content["seen"] for content, _ in sent(annotator, "kept")] == [{"page": 1}, {"page": 2}]
    assert annotator.marks[0] == [5]
    assert annotator.state["painted"] == {"1": 120, "2": 72}
    with pytest.raises(ValueError, match="read-only"):
        annotator.annotations[0] = 1


def test_what_was_given_is_not_changed(make, sample):
    given = sample.annotations[0].copy()
    annotator = make(None, given)
    np.testing.assert_array_equal(annotator.annotations, given)
    stroke(annotator, 1, 3, 0, 0, [[3]])
    assert annotator.annotations[3, 0, 0] == 2
    np.testing.assert_array_equal(given, sample.annotations[0])


def test_a_stroke_that_is_sent_again_is_painted_once(make):
    annotator = make()
    paint_both(annotator)
    annotator.undo()
    stroke(annotator, 2, 5, 40, 30, np.full((8, 9), 3))
    assert not (annotator.annotations == 2).any()
    assert sent(annotator, "kept")[-1][0]["seen"] == {"page": 2}
    stroke(annotator, 1, 6, 0, 0, [[3]], client="another page")
    assert annotator.annotations[6, 0, 0] == 2


def test_undo_sends_what_to_paint_and_where_to_go(make):
    annotator = make()
    paint_both(annotator)
    stroke(annotator, 3, 90, 2, 3, [[3, 3]], axis=2)
    tell(annotator, "undo")
    content, buffers = sent(annotator, "painted")[-1]
    assert (content["axis"], content["jump"], content["seen"]) == (2, 90, {"page": 3})
    assert content["patches"] == [{"index": 90, "row": 2, "col": 3, "rows": 1, "cols": 2}]
    assert decode_runs(np.frombuffer(buffers[0], "<u4"), 2).tolist() == [1, 1]
    assert annotator.state["redo"]
    tell(annotator, "redo")
    assert annotator.annotations[2, 3, 90] == 2
    tell(annotator, "clear_plane", axis=0, index=5)
    assert annotator.marks[0] == [2]
    tell(annotator, "clear_class", value=2)
    assert not annotator.annotations.any()
    for _ in range(2):
        tell(annotator, "undo")
    assert annotator.state["painted"] == {"1": 120, "2": 74}


@pytest.mark.parametrize(
    "content",
    [
        {"patches": [{"index": 99, "row": 0, "col": 0, "rows": 1, "cols": 1}]},
        {"patches": [{"index": 0, "row": 95, "col": 0, "rows": 2, "cols": 1}]},
        {"patches": [{"index": 0, "row": 0, "col": 0, "rows": 500, "cols": 500}]},
        {"axis": 7, "patches": [{"index": 0, "row": 0, "col": 0, "rows": 1, "cols": 1}]},
        {"patches": []},
    ],
)
def test_a_wrong_message_is_shown_and_paints_nothing(make, content):
    annotator = make()
    runs = encode_runs(np.full(2, 3, np.uint16)).tobytes()
    tell(annotator, "stroke", runs, client="page", seq=1, **{"axis": 0, **content})
    assert annotator.error
    assert not annotator.annotations.any()


def test_an_unknown_message_is_shown(make):
    annotator = make()
    tell(annotator, "nonsense")
    assert "nonsense" in annotator.error


# Training


def test_training_is_the_function(make):
    annotator = make(path="mine.cl")
    paint_both(annotator)
    tell(annotator, "train")
    annotator.wait()
    by_hand = objclass.train_object_classifier(annotator.image, annotator.annotations)
    assert annotator.classifier == by_hand or annotator.classifier.notes == by_hand.notes
    np.testing.assert_array_equal(annotator.classifier.forest.threshold, by_hand.forest.threshold)
    assert objclass.load_classifier("mine.cl").notes["training_data"] == by_hand.notes["training_data"]
    assert annotator.state["trained"]
    assert not annotator.state["stale"]
    stroke(annotator, 3, 6, 0, 0, [[3]])
    assert annotator.state["stale"]


def test_single_class_shows_in_the_widget_and_raises(make):
    annotator = make()
    stroke(annotator, 1, 5, 2, 2, np.full((6, 20), 2))
    tell(annotator, "train")
    annotator.wait()
    assert "at least two classes" in annotator.error
    assert not annotator.state["training"]
    with pytest.raises(ValueError, match="annotations: expected at least two classes, got class 1 only"):
        annotator.train()
    with pytest.raises(ValueError, match="annotations: expected at least two classes, got class 1 only"):
        objclass.train_object_classifier(annotator.image, annotator.annotations)


def test_live_training_follows_each_stroke(make):
    annotator = make()
    annotator.live = True
    overlay(annotator)
    annotator.wait()
    assert sent(annotator, "overlay")[-1][0]["layers"] == [{"name": "prediction", "shape": None}]
    paint_both(annotator)
    annotator.wait()
    for seq in (3, 4):
        message = sent(annotator, "overlay")[-1]
        assert message[0]["fresh"]
        by_hand = objclass.train_object_classifier(annotator.image, annotator.annotations)
        expected = objclass.classify_pixels(annotator.image, by_hand, engine="cpu", progress=False)[5]
        np.testing.assert_array_equal(read_overlay(message), expected)
        assert not annotator.state["stale"]
        stroke(annotator, seq, 5, 60 + 9 * seq % 20, 10, np.full((3, 30), 2 + seq % 2))
        annotator.wait()


def test_live_training_waits_for_two_classes_and_the_positive_one(make):
    annotator = make()
    annotator.live = True
    for seq, value in ((1, 4), (2, 2), (3, 3)):  # classes 3, 1 and 2
        assert annotator.classifier is None
        stroke(annotator, seq, 5, 10 * seq, 10, np.full((4, 20), value))
        assert annotator.error == ""
        annotator.wait()
    assert annotator.classifier is not None


def test_live_training_of_many_pixels_settles_on_all_of_them(make, monkeypatch):
    monkeypatch.setattr("objclass.widgets.annotator.training.QUICK_ROWS", 100)
    monkeypatch.setattr("objclass.widgets.annotator.training._SETTLE_AFTER", 0.05)
    annotator = make()
    annotator.live = True
    paint_both(annotator)
    wait(lambda: annotator.state.get("exact"))
    by_hand = objclass.train_object_classifier(annotator.image, annotator.annotations)
    np.testing.assert_array_equal(annotator.classifier.forest.threshold, by_hand.forest.threshold)


def test_what_live_training_saves_is_the_file_of_the_function(make, monkeypatch, sample):
    monkeypatch.setattr("objclass.widgets.annotator.training._SETTLE_AFTER", 0.05)
    annotator = make(path="live.cl", spacing=sample.spacing)
    annotator.live = True
    paint_both(annotator)
    wait(lambda: annotator.state.get("file") == "saved")
    objclass.train_object_classifier(
        annotator.image, annotator.annotations, spacing=sample.spacing, path="by_hand.cl"
    )
    assert Path("live.cl").read_bytes() == Path("by_hand.cl").read_bytes()
    objects = annotator.segment()
    assert annotator.state["objects"] == objects.max()
    stroke(annotator, 3, 6, 0, 0, [[3]])
    annotator.wait()
    assert annotator.state["file"] == "behind"
    wait(lambda: annotator.state["file"] == "saved")
    assert annotator.state["objects_stale"]


def test_notes_that_come_later_make_no_objects_stale(make, monkeypatch):
    monkeypatch.setattr("objclass.widgets.annotator.training._SETTLE_AFTER", 0.5)
    annotator = make(path="live.cl")
    annotator.live = True
    paint_both(annotator)
    annotator.wait()
    tell(annotator, "segment")
    wait(lambda: annotator.state.get("objects") is not None)
    wait(lambda: annotator.state.get("file") == "saved")
    assert "training_data" in annotator.classifier.notes
    assert not annotator.state["objects_stale"]


def test_a_training_after_a_pause_that_ends_after_segment_makes_no_objects_stale(make, monkeypatch):
    monkeypatch.setattr("objclass.widgets.annotator.training.QUICK_ROWS", 100)
    monkeypatch.setattr("objclass.widgets.annotator.training._SETTLE_AFTER", 0.05)
    annotator = make()
    threads, gate = hold_first_training(monkeypatch)
    annotator.live = True
    paint_both(annotator)
    wait(lambda: threads)
    annotator.segment()
    gate.set()
    threads[0].join(30)
    assert len(threads) == 2
    assert not annotator.state["objects_stale"]


def test_a_preset_brings_its_features_and_its_way_to_make_objects(make, sample):
    annotator = make(None, sample.annotations[1], spacing=sample.spacing)
    assert annotator.state["recipe"] == "default"
    tell(annotator, "set", name="preset", value="apoc")
    assert annotator.features == "object_size_1_to_5_px"
    assert annotator.state["segmentation"]["min_size"] == 0
    labels = annotator.segment()
    classifier = objclass.train_object_classifier(
        sample.image, sample.annotations[1], spacing=sample.spacing, preset="apoc"
    )
    by_hand = objclass.segment(sample.image, classifier, spacing=sample.spacing, progress=False)
    np.testing.assert_array_equal(labels, by_hand)
    names = {"image": sample.image, "annotations": sample.annotations[1]}
    exec(annotator.code(), names)
    np.testing.assert_array_equal(names["labels"], labels)
    tell(annotator, "set", name="preset", value="default")
    assert annotator.features == "edges_1_to_8_px"
    assert annotator.state["recipe"] == "default"
    assert annotator.state["stale"]
    tell(annotator, "set", name="preset", value="nonsense")
    assert annotator.error
    with pytest.raises(ValueError, match="preset: expected one of 'default', 'apoc'"):
        make(preset="ilastik")


def test_a_preview_is_told_and_objects_are_made_of_the_real_thing(make, monkeypatch):
    monkeypatch.setattr("objclass.widgets.annotator.training.QUICK_ROWS", 50)
    monkeypatch.setattr("objclass.widgets.annotator.training.MOST_ROWS", 60)
    annotator = make()
    annotator.live = True
    paint_both(annotator)
    annotator.wait()
    time.sleep(0.1)
    assert annotator.state["exact"] is False
    labels = annotator.segment()
    by_hand = objclass.train_object_classifier(annotator.image, annotator.annotations)
    expected = objclass.segment(annotator.image, by_hand, progress=False)
    np.testing.assert_array_equal(labels, expected)


def test_of_many_wishes_only_the_newest_is_computed_and_all_are_answered(make):
    annotator = make()
    paint_both(annotator)
    annotator.train()
    gate = threading.Event()
    annotator._queue.submit("busy", lambda: gate.wait(20))
    for seq in range(20):
        overlay(annotator, index=seq, seq=seq)
    gate.set()
    annotator.wait()
    answers = sent(annotator, "overlay")
    assert sorted(content["seq"] for content, _ in answers) == list(range(20))
    assert [content["seq"] for content, _ in answers if content["layers"]] == [19]


def test_uncertainty_and_suggestion(make):
    annotator = make()
    paint_both(annotator)
    annotator.train()
    overlay(annotator, name="uncertainty")
    tell(annotator, "suggest")
    annotator.wait()
    doubt = read_overlay(sent(annotator, "overlay")[-1])
    probability = objclass.probability_map(
        annotator.image, annotator.classifier, engine="cpu", progress=False
    )[5]
    np.testing.assert_allclose(doubt / 255, 1 - np.abs(2 * probability - 1), atol=0.003)
    content, _ = sent(annotator, "suggestion")[-1]
    assert 0 <= content["index"] < 24
    assert content["index"] != 5
    assert not annotator.state["suggesting"]


def test_fill_paints_the_region_of_the_prediction(make):
    from skimage.measure import label

    annotator = make()
    tell(annotator, "fill", axis=0, index=5, row=44, col=34, value=2)
    assert "train first" in annotator.error
    paint_both(annotator)
    annotator.train()
    tell(annotator, "fill", axis=0, index=5, row=44, col=34, value=4)
    classes = objclass.classify_pixels(annotator.image, annotator.classifier, engine="cpu", progress=False)[5]
    regions = label(classes, connectivity=1, background=-1)
    free = (annotator.annotations[5] == 0) | (annotator.annotations[5] == 4)
    np.testing.assert_array_equal(annotator.annotations[5] == 4, (regions == regions[44, 34]) & free)
    tell(annotator, "undo")
    assert not (annotator.annotations == 4).any()


def test_parameters_are_checked_and_a_wrong_one_goes_back(make):
    annotator = make()
    for name, value in [
        ("features", "gaussian_blurr=1"),
        ("max_depth", 0),
        ("n_estimators", 10**6),
        ("log", 3),
    ]:
        annotator.error = ""
        before = annotator.parameters
        tell(annotator, "set", name=name, value=value)
        assert annotator.error, name
        assert annotator.parameters == before
    tell(annotator, "set", name="features", value="original gaussian_blur=2")
    assert annotator.parameters.features == "original gaussian_blur=2"
    assert annotator.error == ""


# Objects


def test_objects_are_those_of_the_functions(make, sample):
    annotator = make(None, sample.annotations[1], spacing=sample.spacing)
    tell(annotator, "segment")
    annotator.wait()
    assert not annotator.state["task"]
    classifier = objclass.train_object_classifier(
        annotator.image, sample.annotations[1], spacing=sample.spacing
    )
    raw = objclass.segment(annotator.image, classifier, progress=False)
    np.testing.assert_array_equal(annotator.labels, raw)
    assert annotator.state["segmentation"]["min_size"] == "10%"
    assert annotator.state["objects"] == annotator.labels.max() > 0
    # Each option shows its effect on the number of objects at once.
    for name, value in [
        ("min_size", 200),
        ("smooth", 2),
        ("threshold", 0.8),
        ("split", "none"),
        ("min_certainty", 0.9),
    ]:
        before = annotator.state["objects_version"]
        annotator.segmentation = {}
        tell(annotator, "option", name=name, value=value)
        annotator.wait()
        assert annotator.state["objects_version"] > before
        by_hand = objclass.segment(
            annotator.image, classifier, spacing=sample.spacing, progress=False, **{name: value}
        )
        assert annotator.state["objects"] == by_hand.max()
    annotator.segmentation = {"min_size": 200}
    chosen = {"smooth": 1, "threshold": 0.6, "split": "auto", "fill_holes": True, "min_certainty": 0.4}
    for name, value in chosen.items():
        tell(annotator, "option", name=name, value=value)
    annotator.wait()
    expected = objclass.segment(
        annotator.image, classifier, **chosen, min_size=200, spacing=sample.spacing, progress=False
    )
    np.testing.assert_array_equal(annotator.labels, expected)
    assert annotator.state["segmentation"]["threshold"] == 0.6
    tell(annotator, "option", name="threshold", value=2)
    assert "threshold: expected" in annotator.error
    assert annotator.segmentation["threshold"] == 0.6


def test_segmentation_can_be_cancelled(make, sample, monkeypatch):
    annotator = make(None, sample.annotations[1])
    begun = threading.Event()

    def endless(image, classifier, options, *, progress):
        for step in range(10_000):
            progress(step, 10_000)
            begun.set()
            time.sleep(0.005)

    monkeypatch.setattr("objclass.objects.segmentation.object_probability", endless)
    annotator.train()
    tell(annotator, "segment")
    assert begun.wait(30)
    assert annotator.state["task"]["title"] == "Segmenting"
    tell(annotator, "cancel")
    annotator.wait(10)
    assert annotator.state["task"] == {}
    assert annotator.labels is None
    assert annotator.error == ""


# Code


@pytest.mark.parametrize("split", ["none", "distance", "tree"])
def test_code_repeats_what_was_done(make, sample, split):
    annotator = make(
        None,
        sample.annotations[1],
        save_to="scribbles.tif",
        path="mine.cl",
        spacing=sample.spacing,
        n_estimators=30,
    )
    annotator.segmentation = {"split": split, "min_size": 50}
    annotator.segment()
    annotator.close()
    text = annotator.code()
    names = {"image": sample.image}
    exec(text, names)
    np.testing.assert_array_equal(names["labels"], annotator.labels)
    np.testing.assert_array_equal(names["classifier"].forest.leaf, annotator.classifier.forest.leaf)
    assert f"split='{split}'" in text


def test_code_of_a_loaded_classifier(make, sample):
    objclass.train_object_classifier(sample.image, sample.annotations[1], path="there.cl")
    annotator = make(path="there.cl", on_existing="load")
    annotator.segment()
    names = {"image": sample.image}
    exec(annotator.code(), names)
    np.testing.assert_array_equal(names["labels"], annotator.labels)


def test_code_marks_objects_that_are_out_of_date(make, sample):
    annotator = make(None, sample.annotations[1])
    annotator.segment()
    assert "objclass.segment" in annotator.code()
    stroke(annotator, 1, 5, 2, 2, np.full((6, 20), 2))
    assert annotator.state["objects_stale"]
    assert "segment again" in annotator.code()
    assert "objclass.segment" not in annotator.code()
    annotator.segment()
    assert not annotator.state["objects_stale"]


def test_code_before_anything_was_done(make):
    assert make().code() == "import objclass\n\n"


# Order


@pytest.mark.parametrize("live", [False, True])
def test_a_training_that_began_earlier_and_ends_later_changes_nothing(make, monkeypatch, tmp_path, live):
    monkeypatch.setattr("objclass.widgets.annotator.training._SETTLE_AFTER", 0.05)
    annotator = make(path=tmp_path / "order.cl")
    threads, gate = hold_first_training(monkeypatch)
    annotator.live = live  # where it is, the first one is the complete training after a pause
    paint_both(annotator)
    if not live:
        threading.Thread(target=annotator.train).start()
    wait(lambda: threads)
    stroke(annotator, 3, 5, 60, 60, np.full((9, 9), 2))
    newer = annotator.train()
    gate.set()
    threads[0].join(30)
    assert annotator.classifier is newer
    assert not annotator.state["stale"]
    in_file = objclass.load_classifier(tmp_path / "order.cl")
    assert in_file.notes["annotated_pixels"] == newer.notes["annotated_pixels"]


def test_a_classifier_that_was_loaded_meanwhile_stays(make, monkeypatch, tmp_path, sample):
    path = tmp_path / "old.cl"
    objclass.train_object_classifier(sample.image, sample.annotations[1], path=path, n_estimators=3)
    annotator = make(path=path)
    paint_both(annotator)
    training = annotator._page.begin_training()
    tell(annotator, "answer", topic="classifier", value="load")
    loaded = annotator.classifier
    pixels = [annotator._page.shown.pixels((0,))]
    annotator._trainer.accept(train_live(pixels, training.parameters)[0], training)
    assert annotator.classifier is loaded


def test_fill_leaves_the_scribbles_of_other_classes(make):
    annotator = make()
    paint_both(annotator)
    annotator.train()
    before = annotator.annotations.copy()
    plane = annotator._overlays.sources["prediction"](0, 5)
    row, col = np.argwhere((plane == 1) & (before[5] == 1))[0].tolist()
    tell(annotator, "fill", axis=0, index=5, row=row, col=col, value=2)
    after = annotator.annotations
    assert (after[before > 0] == before[before > 0]).all()
    assert (after == 2).sum() > (before == 2).sum()
    (said, _), *_ = sent(annotator, "say")
    assert "other classes left as they were" in said["text"]
