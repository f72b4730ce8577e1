"""One annotator, several images: in the kernel, without a browser."""

import time
from pathlib import Path

import numpy as np
import pytest
import tifffile

import objclass
from objclass.widgets.planes import encode_runs

pytestmark = pytest.mark.filterwarnings("ignore:APOC, napari and Fiji")


@pytest.fixture(scope="module")
def images():
    return {
        "wild type": objclass.samples.embryo((24, 80, 90)).image[4:20],
        "mutant": objclass.samples.embryo((24, 70, 64), random_state=1).image[6:18],
        "empty": objclass.samples.embryo((24, 70, 64), random_state=2).image[6:18],
    }


def tell(annotator, kind, *buffers, **content):
    annotator._dispatch(annotator, {"kind": kind, **content}, [memoryview(buffer) for buffer in buffers])
    assert not annotator.error


def paint(annotator, image, seq, z, row, col, values, *, client="page"):
    values = np.array(values, np.uint16)
    place = {"index": z, "row": row, "col": col, "rows": values.shape[0], "cols": values.shape[1]}
    tell(
        annotator,
        "stroke",
        encode_runs(values).tobytes(),
        image=image,
        client=f"{client}/{image}",
        seq=seq,
        axis=0,
        patches=[place],
    )


def paint_two(annotator):
    """Background on one image, objects on another."""
    paint(annotator, 0, 1, 5, 2, 2, np.full((6, 20), 2))
    paint(annotator, 1, 1, 4, 30, 20, np.full((8, 9), 3))
    paint(annotator, 1, 2, 4, 50, 20, np.full((8, 9), 2))


def wait(condition, seconds=120):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_annotations_are_a_dict_and_each_image_has_its_own(make, images):
    annotator = make(images)
    paint_two(annotator)
    assert {name: array.shape for name, array in annotator.annotations.items()} == {
        name: array.shape for name, array in images.items()
    }
    counts = {name: np.bincount(array.ravel()).tolist() for name, array in annotator.annotations.items()}
    assert counts["wild type"][1:] == [120]
    assert counts["mutant"][1:] == [72, 72]
    assert len(counts["empty"]) == 1
    assert [item["painted"] for item in annotator.image_list] == [120, 144, 0]
    # Undo is that of the shown image.
    annotator.undo()
    assert not annotator.annotations["wild type"].any()
    annotator.show("mutant")
    assert annotator.state["painted"] == {"1": 72, "2": 72}
    annotator.undo()
    assert annotator.state["painted"] == {"2": 72}


@pytest.mark.parametrize("live", [False, True])
def test_one_classifier_learns_from_all_as_the_function_does(make, images, live):
    annotator = make(images)
    annotator.live = live
    paint_two(annotator)
    annotator.wait()
    if not live:
        annotator.train()
    annotations = annotator.annotations
    by_hand = objclass.train_object_classifier(
        [images["wild type"], images["mutant"]], [annotations["wild type"], annotations["mutant"]]
    )
    np.testing.assert_array_equal(annotator.classifier.forest.threshold, by_hand.forest.threshold)
    assert not annotator.state["stale"]
    if not live:
        assert annotator.classifier.notes == by_hand.notes
    for name, index in (("mutant", 4), ("empty", 3)):
        annotator.show(name)
        expected = objclass.classify_pixels(images[name], by_hand, engine="cpu", progress=False)[index]
        np.testing.assert_array_equal(annotator._overlays.sources["prediction"](0, index), expected)


def test_objects_of_one_and_of_all(make, images):
    annotator = make(images, spacing=(2, 1, 1))
    paint_two(annotator)
    assert annotator.labels == {}
    annotator.show("mutant")
    tell(annotator, "segment")
    wait(lambda: "mutant" in annotator.labels and not annotator.state["task"])
    assert list(annotator.labels) == ["mutant"]
    labels = annotator.segment()
    for name, image in images.items():
        by_hand = objclass.segment(image, annotator.classifier, spacing=(2, 1, 1), progress=False)
        np.testing.assert_array_equal(labels[name], by_hand)
    assert [item["objects"] for item in annotator.image_list] == [int(one.max()) for one in labels.values()]
    assert not annotator.state["objects_stale"]
    tell(annotator, "option", name="min_size", value=300)
    annotator.wait()
    assert not annotator.state["objects_stale"]
    annotator.show("empty")
    assert annotator.state["objects_stale"], "its objects were made with another size"


def test_the_explorer_is_of_all_images_with_objects(make, images):
    annotator = make(images, spacing=(2.0, 0.5, 0.5))
    paint_two(annotator)
    for how, names in (({}, ["wild type"]), ({"all": True}, list(images))):
        tell(annotator, "segment", **how)
        wait(lambda: not annotator.state["task"])
        tell(annotator, "explore")
        wait(lambda: not annotator.state["task"])
        repeated = eval(
            annotator.explorer_code.split(" = ", 1)[1], {"annotator": annotator, "objclass": objclass}
        )
        assert repeated.table.equals(annotator.explorer.table)
        assert len(repeated.table) == sum(annotator.labels[name].max() for name in names)
    # Objects that are out of date are made anew, in each of them.
    paint(annotator, 1, 3, 8, 10, 10, np.full((4, 30), 2))
    tell(annotator, "explore")
    wait(lambda: not annotator.state["task"])
    found = annotator.explorer.table.groupby("image").size().to_dict()
    assert found == {
        name: count
        for name in images
        if (count := objclass.segment(images[name], annotator.classifier, progress=False).max())
    }


@pytest.mark.parametrize("kind", ["arrays", "paths", "list", "frames", "colours"])
def test_code_repeats_all_of_it(make, images, tmp_path, kind):
    given = images
    names = {}
    if kind == "paths":
        given = {}
        for name, image in images.items():
            objclass.imwrite(tmp_path / f"{name}.tif", image, spacing=(2, 1, 1))
            given[name] = tmp_path / f"{name}.tif"
    elif kind == "list":
        given = list(images.values())
        names = {"images": dict(zip("012", given, strict=True))}
    elif kind == "frames":
        import tifffile

        movie = np.stack([images["mutant"], images["empty"]])
        tifffile.imwrite(tmp_path / "movie.tif", movie[:, :, None], imagej=True, metadata={"axes": "TZCYX"})
        given = tmp_path / "movie.tif"
    elif kind == "colours":
        given = {
            name: np.stack([image[6], image[7], image[8]], axis=-1).clip(0, 255).astype(np.uint8)
            for name, image in images.items()
        }
    if kind in ("arrays", "colours"):
        names = {"images": dict(given)}
    annotator = make(given, save_to="scribbles", path="all.cl", n_estimators=20)
    if kind == "colours":
        paint(annotator, 0, 1, 0, 2, 2, np.full((6, 20), 2))
        paint(annotator, 1, 1, 0, 30, 20, np.full((8, 9), 3))
    else:
        paint_two(annotator)
    annotator.segment()
    annotator.close()
    written = Path("all.cl").read_bytes()
    exec(annotator.code(), names)
    assert list(names["labels"]) == list(annotator.labels)
    for name, labels in annotator.labels.items():
        np.testing.assert_array_equal(names["labels"][name], labels)
    assert Path("all.cl").read_bytes() == written


def test_all_is_saved_and_taken_up_again(make, images):
    annotator = make(images, save_to="scribbles")
    paint_two(annotator)
    annotator.close()
    assert sorted(path.name for path in Path("scribbles").iterdir()) == ["mutant.tif", "wild type.tif"]
    again = make(images, save_to="scribbles")
    for name, annotations in annotator.annotations.items():
        np.testing.assert_array_equal(again.annotations[name], annotations)
    again.train()
    np.testing.assert_array_equal(again.classifier.forest.leaf, annotator.train().forest.leaf)
    wait(lambda: again.image_list[1]["painted"] == 144)


def test_a_scribble_that_comes_late_goes_to_its_image(make, images):
    annotator = make(images, save_to="scribbles")
    annotator.show(2)
    annotator.sent.clear()
    paint(annotator, 1, 1, 4, 30, 20, np.full((8, 9), 3))
    assert not annotator.annotations["empty"].any()
    assert annotator.annotations["mutant"].sum() == 2 * 72
    annotator.wait()
    sent = [content for content, _ in annotator.sent]
    assert {"kind": "kept", "seen": {"page/1": 1}} in sent
    assert not [message for message in sent if message["kind"] == "painted"]


def test_files_are_opened_when_they_are_shown(make, images, tmp_path, monkeypatch):
    paths = []
    for number, image in enumerate(images.values()):
        paths.append(tmp_path / f"stack-{number}.tif")
        objclass.imwrite(paths[-1], image, spacing=(2, 0.5, 0.5))
    annotator = make(paths)
    wait(lambda: len(annotator.pictures) == 3)
    assert [item["name"] for item in annotator.image_list] == ["stack-0", "stack-1", "stack-2"]
    assert all(picture.startswith(b"\x89PNG") for picture in annotator.pictures)
    assert [image.is_open for image in annotator._page.images] == [True, False, False]
    assert annotator.spacing == (2, 0.5, 0.5)
    annotator.show(1)
    assert [image.is_open for image in annotator._page.images] == [True, True, False]
    assert annotator.volume["shape"] == list(images["mutant"].shape)


def test_one_file_is_an_image_too(make, images, tmp_path):
    objclass.imwrite(tmp_path / "one.tif", images["mutant"], spacing=(2, 0.5, 0.5))
    annotator = make(tmp_path / "one.tif")
    np.testing.assert_array_equal(annotator.image, images["mutant"])
    assert annotator.annotations.shape == images["mutant"].shape
    assert annotator.spacing == (2, 0.5, 0.5)


def test_what_was_looked_at_is_kept(make, images):
    annotator = make(images)
    annotator.position = [3, 4, 5]
    annotator.axis = 1
    annotator.channels = [{**annotator.channels[0], "gamma": 0.5, "low": 7.0}]
    annotator.show("mutant")
    assert annotator.position == [6, 35, 32]
    assert annotator.channels[0]["gamma"] == 0.5, "looks are the same for all images"
    assert annotator.channels[0]["low"] != 7.0, "contrast is that of each"
    annotator.show("wild type")
    assert (annotator.position, annotator.axis) == ([3, 4, 5], 1)
    assert annotator.channels[0]["low"] == 7.0


def test_what_does_not_fit_is_refused(make, images, tmp_path):
    one = images["mutant"]
    for given, options, message in [
        (
            {"a": one, "b": one[0]},
            {},
            r"image\['b'\]: expected 1 channels in 3D as 'a', got 1 channels in 2D",
        ),
        ({}, {}, "image: expected at least one image, each with a name"),
        ({1: one}, {}, "image: expected at least one image, each with a name"),
        ({"a": one}, {"annotations": {"c": one}}, "annotations: expected names of the images: a"),
        ({"a": one}, {"annotations": [one, one]}, "annotations: expected a list of 1"),
        ({"a": one}, {"annotations": {"a": np.zeros((3, 4, 5), int)}}, "annotations: expected the shape"),
        ({"a": one}, {"save_to": "a.tif"}, "save_to: expected a folder"),
    ]:
        with pytest.raises(ValueError, match=message):
            make(given, **options)
    objclass.imwrite(tmp_path / "a.tif", one, spacing=(2, 1, 1))
    objclass.imwrite(tmp_path / "b.tif", one, spacing=(3, 1, 1))
    with pytest.raises(ValueError, match=r"image\['b'\]: expected voxel size \(2.0, 1.0, 1.0\) as 'a'"):
        make([tmp_path / "a.tif", tmp_path / "b.tif"])
    with pytest.raises(ValueError, match="save_to: expected a folder without the images"):
        make([tmp_path / "a.tif"], save_to=tmp_path)
    with pytest.raises(ValueError, match="image: expected one of 'a', got z"):
        make({"a": one}).show("z")


@pytest.mark.filterwarnings("ignore:.*does not name its axes")
@pytest.mark.parametrize("options", [{}, {"metadata": {"axes": "ZYX"}}, {"imagej": True}])
def test_an_uncompressed_file_is_read_plane_by_plane(make, images, tmp_path, options):
    stack = images["mutant"]
    tifffile.imwrite(tmp_path / "plain.tif", stack, **options)
    tifffile.imwrite(tmp_path / "packed.tif", stack, compression="zlib", **options)
    plain, packed = (make(tmp_path / f"{name}.tif") for name in ("plain", "packed"))
    assert isinstance(plain.image, np.memmap)
    assert not isinstance(packed.image, np.memmap)
    np.testing.assert_array_equal(plain.image, stack)
    np.testing.assert_array_equal(packed.image, stack)


def test_a_label_image_and_mixed_bits_are_reported(tmp_path):
    labels = np.kron(np.arange(9).reshape(3, 3), np.ones((11, 13), np.uint16)).astype(np.uint16)
    labels[::11] = labels[:, ::13] = 0
    image = np.random.default_rng(0).integers(0, 4000, labels.shape).astype(np.uint16)
    objclass.imwrite(tmp_path / "labels.tif", labels)
    for given in (labels, tmp_path / "labels.tif"):
        with pytest.warns(UserWarning, match="^The image looks like a label image"):
            objclass.annotate(given, path=None)
    with pytest.warns(UserWarning, match=r"^image\['b'\]: The image looks like a label image"):
        objclass.annotate({"a": image, "b": labels}, path=None)
    mixed = {"a": image, "b": (image // 16).astype(np.uint8)}
    with pytest.warns(UserWarning, match=r"^image\['b'\] is uint8, image\['a'\] is uint16: equal brightness"):
        objclass.annotate(mixed, path=None)
    objclass.annotate(mixed, path=None, normalize="percentile")
    objclass.annotate({"a": image, "b": image}, path=None)
