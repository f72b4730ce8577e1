"""An explorer of files: it reads them as the functions do, and its code says so."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import tifffile

import objclass

IMAGE = np.random.default_rng(0).integers(50, 60, (3, 20, 24)).astype(np.uint16)
LABELS = np.zeros(IMAGE.shape, np.int32)
LABELS[:, 2:8, 2:8], LABELS[1, 12:18, 10:20] = 1, 4


@pytest.fixture
def files(tmp_path: Path) -> tuple[str, Path]:
    objclass.imwrite(tmp_path / "image.tif", IMAGE, spacing=(2, 0.5, 0.5))
    objclass.imwrite(tmp_path / "labels.tif", LABELS)
    return str(tmp_path / "image.tif"), tmp_path / "labels.tif"


def test_files_are_read_with_their_voxel_size(files: tuple[str, Path]) -> None:
    explorer = objclass.explore(*files)
    expected = objclass.measure(LABELS, IMAGE, spacing=(2, 0.5, 0.5))
    pd.testing.assert_frame_equal(explorer.table[expected.columns], expected)
    names: dict[str, object] = {}
    exec(explorer.code(), names)
    pd.testing.assert_frame_equal(names["table"][expected.columns], expected)
    np.testing.assert_array_equal(explorer.labels, LABELS)
    given = objclass.explore(files[0], LABELS, spacing=(1, 1, 1))
    pd.testing.assert_frame_equal(given.table[expected.columns], objclass.measure(LABELS, IMAGE))


def looks(explorer: objclass.Explorer) -> list[tuple[str, str]]:
    return [(channel["name"], channel["color"]) for channel in explorer.channels]


def test_channels_have_names_and_pictures_their_colors(tmp_path: Path) -> None:
    picture = np.random.default_rng(0).integers(0, 255, (3, 20, 24)).astype(np.uint8)
    plane = LABELS[1]
    in_colors = [("red", "#ff0000"), ("green", "#00ff00"), ("blue", "#0000ff")]
    tifffile.imwrite(tmp_path / "rgb.tif", np.moveaxis(picture, 0, -1), photometric="rgb")
    assert looks(objclass.explore(tmp_path / "rgb.tif", plane)) == in_colors
    assert looks(objclass.explore({"a": (tmp_path / "rgb.tif", plane), "b": (picture, plane)})) == in_colors
    assert looks(objclass.explore(picture, plane)) == in_colors

    objclass.imwrite(tmp_path / "channels.tif", picture, axes="cyx")
    assert looks(objclass.explore(tmp_path / "channels.tif", plane))[0] == ("Channel 0", "#00ff00")
    metadata = {"axes": "CYX", "Channel": {"Name": ["DAPI", "GFP"]}}
    tifffile.imwrite(tmp_path / "named.ome.tif", IMAGE[:2], metadata=metadata)
    named = objclass.explore(tmp_path / "named.ome.tif", plane)
    assert [name for name, _ in looks(named)] == ["DAPI", "GFP"]
    given = objclass.explore(picture, plane, channel_names=["a", "b", "c"])
    assert [name for name, _ in looks(given)] == ["a", "b", "c"]
    assert looks(objclass.explore(picture.astype(np.uint16), plane))[0][0] == "Channel 0"
    for wrong in (["a", "b"], [1, 2, 3], ["a", None, "c"]):
        with pytest.raises(ValueError, match="channel_names: expected 3 names"):
            objclass.explore(picture, plane, channel_names=wrong)


def test_files_of_different_channels_are_no_color_pictures(tmp_path: Path) -> None:
    plane = np.random.default_rng(0).integers(0, 99, (3, 20, 24)).astype(np.uint8)
    tifffile.imwrite(tmp_path / "a.tif", plane, imagej=True, metadata={"axes": "CYX"})
    named = {"axes": "CYX", "Channel": {"Name": ["DAPI", "GFP", "Cy5"]}}
    tifffile.imwrite(tmp_path / "b.ome.tif", plane, metadata=named, photometric="minisblack")
    files = {name: (str(tmp_path / name), LABELS[1]) for name in ("a.tif", "b.ome.tif")}
    names = [channel["name"] for channel in objclass.explore(files).channels]
    assert names == ["Channel 0", "Channel 1", "Channel 2"]
    alike = {"one": files["b.ome.tif"], "two": files["b.ome.tif"]}
    assert [channel["name"] for channel in objclass.explore(alike).channels] == ["DAPI", "GFP", "Cy5"]


def test_several_files(files: tuple[str, Path], tmp_path: Path) -> None:
    explorer = objclass.explore({"a": files, "b": (IMAGE, files[1])}, spacing=(2, 0.5, 0.5))
    assert explorer.table["image"].value_counts().to_dict() == {"a": 2, "b": 2}
    with pytest.raises(ValueError, match=r"image: expected images with the same voxel size.*Pass spacing"):
        objclass.explore({"a": files, "b": (IMAGE, files[1])})
    with pytest.raises(FileNotFoundError, match=r"none\.tif"):
        objclass.explore(tmp_path / "none.tif", files[1])
