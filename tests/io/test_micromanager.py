"""NDTiff of Micro-Manager, whose pages come in any order and say where they lie."""

import itertools
import json

import numpy as np
import pytest
import tifffile

from objclass.io.images import image_info, imread
from objclass.io.micromanager import arrange_pages

IMAGE = np.random.default_rng(0).integers(0, 4000, (2, 2, 3, 8, 9)).astype(np.uint16)  # t, c, z, y, x
NAMES = ("DAPI", "FITC")


def write(path, places, *, size=0.25):
    with tifffile.TiffWriter(path) as writer:
        for place in places:
            page = IMAGE[place.get("time", 0), NAMES.index(place.get("channel", "DAPI")), place.get("z", 0)]
            text = json.dumps({"Axes": place, "PixelSizeUm": size}).encode()
            extra = [(51123, "s", len(text) + 1, text + b"\0", True)]
            writer.write(page + np.uint16(place.get("row", 0)), metadata=None, extratags=extra)


def test_pages_in_any_order_are_put_in_their_places(tmp_path):
    places = [
        {"z": z, "time": t, "channel": name} for t, z, name in itertools.product((1, 0), (2, 0, 1), NAMES)
    ]
    write(tmp_path / "a_NDTiffStack.tif", places)
    with pytest.warns(UserWarning, match=r"known along \(y, x\) and not along \(z\)"):
        (info,) = image_info(tmp_path / "a_NDTiffStack.tif")
    assert (info.axes, info.shape, info.channel_names) == ("tczyx", IMAGE.shape, NAMES)
    with pytest.warns(UserWarning, match="voxel size"):
        np.testing.assert_array_equal(imread(tmp_path / "a_NDTiffStack.tif", frame=1), IMAGE[1], strict=True)
    with pytest.warns(UserWarning, match="voxel size"):
        part = imread(tmp_path / "a_NDTiffStack.tif", frame=0, channel="FITC")
    np.testing.assert_array_equal(part, IMAGE[0, 1], strict=True)


def test_positions_are_series(tmp_path):
    places = [{"row": row, "column": 3, "channel": name} for row, name in itertools.product((1, 0), NAMES)]
    write(tmp_path / "a.tif", places)
    infos = image_info(tmp_path / "a.tif")
    assert [(info.name, info.axes, info.spacing) for info in infos] == [
        ("row 1", "cyx", (0.25, 0.25)),
        ("row 0", "cyx", (0.25, 0.25)),
    ]
    assert infos[0].spacing_source == "Micro-Manager"
    np.testing.assert_array_equal(imread(tmp_path / "a.tif", series=0), IMAGE[0, :, 0] + np.uint16(1))


def test_planes_that_are_missing_are_not_black(tmp_path):
    write(
        tmp_path / "a.tif",
        [{"time": 0, "channel": "DAPI"}, {"time": 0, "channel": "FITC"}, {"time": 1, "channel": "DAPI"}],
    )
    assert imread(tmp_path / "a.tif", frame=0).shape == (2, 8, 9)
    with pytest.raises(ValueError, match="of its 2 planes are missing"):
        imread(tmp_path / "a.tif", frame=1)


def test_the_last_page_of_a_place_counts():
    (position,) = arrange_pages([{"z": 0}, {"z": -1}, {"z": 0}])
    assert position.pages.tolist() == [[[1, 2]]]


def test_an_image_that_is_split_into_files_is_one(tmp_path):
    names = ["a_NDTiffStack.tif", "a_NDTiffStack_1.tif", "a_NDTiffStack_2.tif"]
    for z, name in enumerate(names):
        write(tmp_path / name, [{"z": z, "channel": channel} for channel in NAMES])
    write(tmp_path / "b_NDTiffStack_1.tif", [{"z": 0}])
    for name in names:
        with pytest.warns(UserWarning, match="voxel size"):
            (info,) = image_info(tmp_path / name)
        assert [path.name for path in info.files] == names
        with pytest.warns(UserWarning, match="voxel size"):
            np.testing.assert_array_equal(imread(tmp_path / name), IMAGE[0], strict=True)
    assert [path.name for path in image_info(tmp_path / "b_NDTiffStack_1.tif")[0].files] == [
        "b_NDTiffStack_1.tif"
    ]


def test_pages_are_not_found_by_the_index_beside_the_file(tmp_path, monkeypatch):
    monkeypatch.setattr(tifffile.TiffFile, "is_ndtiff", True)
    monkeypatch.delattr(tifffile.TiffFile, "_series_ndtiff")  # its pages have no tags
    write(tmp_path / "a.tif", [{"channel": channel} for channel in NAMES])
    np.testing.assert_array_equal(imread(tmp_path / "a.tif"), IMAGE[0, :, 0], strict=True)
