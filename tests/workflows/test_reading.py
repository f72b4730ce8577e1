import itertools
import sys
import warnings
from contextlib import contextmanager

import matplotlib.image
import numpy as np
import pytest
import tifffile
from scipy import ndimage

import objclass
from objclass.io.opening import open_file
from objclass.workflows.batch import segment_folder
from objclass.workflows.parameters import Parameters
from objclass.workflows.reading import Reading, measure_files, warn_of_order
from objclass.workflows.run import run_image

_opened: list[str] | None = None


def _note(event, arguments):
    if event == "open" and _opened is not None and isinstance(arguments[0], str):
        _opened.append(arguments[0])


sys.addaudithook(_note)


@contextmanager
def opens():
    """Yield a function that tells how often each file below a folder was opened."""
    global _opened
    _opened = []
    found = _opened
    try:
        yield lambda folder: {
            name: len(list(group))
            for name, group in itertools.groupby(
                sorted(path for path in found if path.startswith(str(folder))),
                lambda path: path.rsplit("/", 1)[-1],
            )
        }
    finally:
        _opened = None


@pytest.fixture(scope="module")
def trained():
    image = np.zeros((32, 32), np.uint16)
    image[4:12, 4:12] = image[20:28, 6:14] = 500
    scribbles = np.where(image > 0, 2, 1).astype(np.uint8)
    return image, scribbles, objclass.train_object_classifier(image, scribbles, n_estimators=5)


def test_a_batch_opens_each_file_once(tmp_path, trained):
    image, _, classifier = trained
    folder = tmp_path / "images"
    folder.mkdir()
    for name in ("a.tif", "b.ome.tif", "c.png", "d.npy"):
        objclass.imwrite(folder / name, image)
    series = np.stack([image] * 4)
    tifffile.imwrite(folder / "e.ome.tif", series, metadata={"axes": "TYX"}, photometric="minisblack")
    with tifffile.TiffWriter(folder / "f.ome.tif", ome=True) as writer:
        for _ in range(3):
            writer.write(image, photometric="minisblack", metadata={"axes": "YX"})
    with opens() as counted:
        batch = segment_folder(folder, classifier, tmp_path / "out", progress=False)
    assert batch.n_images == 11
    assert batch.failed == {}
    found = counted(folder)
    assert {path.name: found[path.name] for path in folder.iterdir()} == dict.fromkeys(
        ["a.tif", "b.ome.tif", "c.png", "d.npy", "e.ome.tif", "f.ome.tif"], 1
    )
    with opens() as counted:
        assert segment_folder(folder, classifier, tmp_path / "out", progress=False).n_done_before == 11
    assert not {path.name for path in folder.iterdir()} & counted(folder).keys()


def test_a_batch_opens_each_of_many_files_once_and_compares_those_that_were_touched(tmp_path, trained):
    image, _, classifier = trained
    folder = tmp_path / "images"
    folder.mkdir()
    for number in range(40):
        np.save(folder / f"{number:02}.npy", np.roll(image, number, axis=0))
    with opens() as counted:
        segment_folder(folder, classifier, tmp_path / "out", measure=False, progress=False)
    names = [path.name for path in folder.iterdir()]
    assert [counted(folder)[name] for name in names] == [1] * 40
    np.save(folder / "00.npy", image + 1)
    (folder / "01.npy").touch()  # the same pixels
    with opens() as counted:
        batch = segment_folder(folder, classifier, tmp_path / "out", measure=False, progress=False)
    assert (batch.n_images, batch.n_done_before) == (40, 39)
    assert {name: counted(folder)[name] for name in names if name in counted(folder)} == {
        "00.npy": 2,  # once to compare its pixels, once to segment it
        "01.npy": 1,
    }


def test_a_run_opens_a_file_once_and_once_more_for_its_checksum(tmp_path, trained):
    image, scribbles, _ = trained
    objclass.imwrite(tmp_path / "i.tif", image)
    objclass.imwrite(tmp_path / "s.tif", scribbles)
    parameters = Parameters.of(n_estimators=5, reduce="pca", n_clusters=1)
    with opens() as counted:
        run_image(tmp_path / "i.tif", tmp_path / "out", annotations=tmp_path / "s.tif", parameters=parameters)
    found = counted(tmp_path)
    assert (found["i.tif"], found["s.tif"]) == (2, 2)


def test_functions_open_a_file_once(tmp_path, trained):
    image, _, _ = trained
    objclass.imwrite(tmp_path / "i.tif", image, spacing=0.5)
    objclass.imwrite(tmp_path / "l.tif", ndimage.label(image > 0)[0], spacing=0.5)
    calls = [
        lambda: objclass.imread(tmp_path / "i.tif"),
        lambda: objclass.image_info(tmp_path / "i.tif"),
        lambda: objclass.read_spacing(tmp_path / "i.tif"),
        lambda: Reading().read(tmp_path / "i.tif", 2, "it"),
    ]
    for call in calls:
        with opens() as counted:
            call()
        assert counted(tmp_path) == {"i.tif": 1}
    with opens() as counted:
        table = measure_files(tmp_path / "l.tif", None, Reading())
    assert counted(tmp_path) == {"l.tif": 1}
    assert table["unit"].tolist() == ["micrometer"] * 2
    with opens() as counted:
        measure_files(tmp_path / "l.tif", tmp_path / "i.tif", Reading())
    assert counted(tmp_path) == {"i.tif": 1, "l.tif": 1}


def test_measured_classes_are_not_taken_for_objects_without_a_word(tmp_path, trained):
    image, classes, _ = trained
    objclass.imwrite(tmp_path / "i.tif", image)
    objclass.imwrite(tmp_path / "classes.tif", classes)
    for path in (None, tmp_path / "i.tif"):
        with pytest.warns(UserWarning, match=r"classes\.tif: no pixel is 0, background"):
            measure_files(tmp_path / "classes.tif", path, Reading())


def test_the_overview_of_a_16_bit_colour_picture_has_its_colours(tmp_path, trained):
    image, scribbles, _ = trained
    picture = np.zeros((32, 32, 3), np.uint16)
    picture[..., 0] = image * 6
    picture[..., 1] = image * 3
    tifffile.imwrite(tmp_path / "i.tif", picture, photometric="rgb")
    objclass.imwrite(tmp_path / "s.tif", scribbles)
    parameters = Parameters.of(n_estimators=5, reduce="pca", n_clusters=1)
    run = run_image(
        tmp_path / "i.tif", tmp_path / "out", annotations=tmp_path / "s.tif", parameters=parameters
    )
    assert run.picture.is_rgb
    drawn = matplotlib.image.imread(tmp_path / "out" / "overview.png")[..., :3]
    orange = (abs(drawn - np.array([1, 0.5, 0])) < 0.02).all(axis=-1)
    assert orange.mean() > 0.01


def test_series_are_chosen_in_an_open_file(tmp_path):
    with tifffile.TiffWriter(tmp_path / "f.ome.tif", ome=True) as writer:
        for value in range(3):
            writer.write(np.full((8, 8), value, np.uint8), photometric="minisblack", metadata={"axes": "YX"})
    with open_file(tmp_path / "f.ome.tif") as file:
        assert len(file.infos()) == 3
        assert [file.image(at).read().max() for at in range(3)] == [0, 1, 2]
        with pytest.warns(UserWarning, match="the first of 3 series"):
            file.image()
        with pytest.raises(ValueError, match="series: expected"):
            file.image(3)
        with pytest.raises(ValueError, match="3 series"):
            Reading().read_open(file, 2, "it")


def test_annotations_in_the_order_of_other_images_are_told():
    images = ["x/day1.ome.tif", "x/day10.tif", "x/control.tif"]
    given = ["day1_s.tif", "day10_s.tif", "s-control.tif"]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warn_of_order(images, given, argument="annotations")
        warn_of_order(images, ["a1.tif", "b.tif", "controls.tif"], argument="annotations")
        warn_of_order(["1/i.tif", "2/i.tif"], ["1/s.tif", "2/i_s.tif"], argument="annotations")
    told = r"annotations: s-control\.tif is taken for day1\.ome\.tif, while day1_s\.tif is named like it"
    with pytest.warns(UserWarning, match=told):
        warn_of_order(images, given[::-1], argument="annotations")
