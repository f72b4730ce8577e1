import json
import os
import pickle
import struct
import warnings
import zipfile
import zlib

import numpy as np
import pytest
import roifile
import tifffile

from objclass.io import images
from objclass.io.labels import read_labels


def example():
    labels = np.zeros((40, 50), np.int32)
    labels[2:10, 2:10], labels[2:10, 12:20], labels[20:30, 20:30], labels[32:37, 2:8] = 1, 2, 3, 7
    return labels


def write_palette_png(path, numbers, palette):
    def chunk(name, data):
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    rows = b"".join(b"\0" + row.tobytes() for row in numbers.astype(np.uint8))
    size = struct.pack(">IIBBBBB", numbers.shape[1], numbers.shape[0], 8, 3, 0, 0, 0)
    parts = [chunk(b"IHDR", size), chunk(b"PLTE", palette.astype(np.uint8).tobytes())]
    parts += [chunk(b"IDAT", zlib.compress(rows)), chunk(b"IEND", b"")]
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(parts))


@pytest.mark.parametrize("dtype", ["u1", "u2", "i4", "i8", "f4", "f8"])
def test_label_images_of_any_type(tmp_path, dtype):
    tifffile.imwrite(tmp_path / "a.tif", example().astype(dtype))
    np.testing.assert_array_equal(read_labels(tmp_path / "a.tif"), example(), strict=True)
    np.testing.assert_array_equal(read_labels(tmp_path / "a.tif", shape=(40, 50)), example())
    with pytest.raises(ValueError, match=r"labels of shape \(4, 5\), got a.tif, of shape \(40, 50\)"):
        read_labels(tmp_path / "a.tif", shape=(4, 5))


def test_large_numbers_stay(tmp_path):
    labels = example().astype(np.int64) * 10**10
    np.save(tmp_path / "a.npy", labels)
    np.testing.assert_array_equal(read_labels(tmp_path / "a.npy"), labels)


@pytest.mark.parametrize(("value", "match"), [(0.5, "with fractional values"), (-1, "labels of at least 0")])
def test_files_other_than_labels(tmp_path, value, match):
    labels = example().astype("f4")
    labels[0, 0] = value
    np.save(tmp_path / "a.npy", labels)
    with pytest.raises(ValueError, match=match):
        read_labels(tmp_path / "a.npy")


def test_palette_and_colours(tmp_path):
    colours = np.random.default_rng(0).integers(50, 255, (8, 3)).astype(np.uint8)
    colours[0] = 0
    write_palette_png(tmp_path / "p.png", example(), colours)
    with pytest.warns(UserWarning, match=r"p\.png: a palette image, read as the indices of its palette"):
        np.testing.assert_array_equal(read_labels(tmp_path / "p.png"), example())
    images.imwrite(tmp_path / "c.png", np.moveaxis(colours[example()], -1, 0))
    with pytest.warns(UserWarning, match=r"c\.png: an RGB image in flat colours.*objclass\.read_labels"):
        images.imread(tmp_path / "c.png")
    with pytest.warns(UserWarning, match=r"c\.png: its 4 colours were converted to labels"):
        labels = read_labels(tmp_path / "c.png")
    assert len(np.unique(labels)) == 5
    for label in (1, 2, 3, 7):
        assert len(np.unique(labels[example() == label])) == 1
    assert (labels[example() == 0] == 0).all()
    picture = np.random.default_rng(0).integers(0, 255, (3, 40, 50)).astype(np.uint8)
    images.imwrite(tmp_path / "photo.png", picture)
    np.testing.assert_array_equal(images.imread(tmp_path / "photo.png"), picture)
    with pytest.raises(ValueError, match=r"got photo\.png, an RGB image of 2,000 colours"):
        read_labels(tmp_path / "photo.png")


def test_two_label_channels(tmp_path):
    both = np.stack([example(), example()[::-1]])
    images.imwrite(tmp_path / "a.tif", both, axes="cyx")
    with pytest.raises(ValueError, match=r"channel: expected one of the 2 channels of a\.tif.*channel="):
        read_labels(tmp_path / "a.tif")
    np.testing.assert_array_equal(read_labels(tmp_path / "a.tif", channel=1), both[1])


def test_a_mask_is_one_object(tmp_path):
    images.imwrite(tmp_path / "a.tif", (example() > 0).astype(np.uint8) * 255)
    with pytest.warns(UserWarning, match=r"a mask of 0 and 255.*skimage\.measure\.label\(mask > 0\)"):
        assert np.unique(read_labels(tmp_path / "a.tif")).tolist() == [0, 255]
    many = np.arange(300, dtype=np.int32).repeat(4).reshape(30, 40)
    images.imwrite(tmp_path / "b.tif", many)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        read_labels(tmp_path / "b.tif")


def cellpose(masks):
    return {
        "outlines": masks * 0,
        "masks": masks,
        "chan_choose": [0, 0],
        "ismanual": np.zeros(4, bool),
        "filename": "a.tif",
        "flows": [np.zeros((4, 4, 3), np.uint8), [np.float32(1.5), None]],
        "diameter": np.float64(30),
        "est_diam": 30.0,
    }


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
@pytest.mark.parametrize("masks", [example().astype(np.uint16), np.stack([example()] * 3).astype(np.uint32)])
def test_cellpose(tmp_path, masks, protocol):
    content = np.array(cellpose(masks), dtype=object)
    with (tmp_path / "a_seg.npy").open("wb") as file:
        np.lib.format.write_array_header_1_0(file, np.lib.format.header_data_from_array_1_0(content))
        pickle.dump(content, file, protocol=protocol)
    assert np.array_equal(np.load(tmp_path / "a_seg.npy", allow_pickle=True).item()["masks"], masks)
    np.testing.assert_array_equal(read_labels(tmp_path / "a_seg.npy"), masks)
    with pytest.raises(ValueError, match=r"Cellpose's _seg\.npy is read with objclass\.read_labels"):
        images.imread(tmp_path / "a_seg.npy")


class Harmful:
    def __init__(self, command):
        self.command = command

    def __reduce__(self):
        return os.system, (self.command,)


def test_a_pickle_runs_nothing(tmp_path):
    content = {"masks": example(), "extra": Harmful(f"touch {tmp_path}/harm")}
    np.save(tmp_path / "a_seg.npy", content, allow_pickle=True)
    with pytest.raises(ValueError, match=r"system, which is not an array and was not run"):
        read_labels(tmp_path / "a_seg.npy")
    assert not (tmp_path / "harm").exists()
    np.save(tmp_path / "b_seg.npy", {"other": 1}, allow_pickle=True)
    with pytest.raises(ValueError, match="its metadata lack 'masks'"):
        read_labels(tmp_path / "b_seg.npy")
    np.save(tmp_path / "c_seg.npy", np.zeros(3))
    with pytest.raises(ValueError, match="it contains no dictionary of Cellpose"):
        read_labels(tmp_path / "c_seg.npy")


SQUARES = [(2, 3, 10, 12), (20, 20, 30, 35)]


def squares(shape=(40, 50)):
    labels = np.zeros(shape, np.int32)
    for label, (top, left, bottom, right) in enumerate(SQUARES, 1):
        labels[..., top:bottom, left:right] = label
    return labels


def corners(top, left, bottom, right):
    return [[left, top], [right, top], [right, bottom], [left, bottom]]


def test_regions_of_interest(tmp_path):
    rois = [
        roifile.ImagejRoi.frompoints(np.array(corners(*square)), name=str(i))
        for i, square in enumerate(SQUARES)
    ]
    roifile.roiwrite(tmp_path / "rois.zip", rois)
    np.testing.assert_array_equal(read_labels(tmp_path / "rois.zip", shape=(40, 50)), squares(), strict=True)
    with pytest.raises(ValueError, match=r"shape: expected the shape .* Pass shape=image\.shape"):
        read_labels(tmp_path / "rois.zip")
    with pytest.warns(UserWarning, match="1 of 2 outlines have no pixel in the image"):
        read_labels(tmp_path / "rois.zip", shape=(15, 15))
    with pytest.raises(ValueError, match=r"the shape \(y, x\), as the outlines name no planes"):
        read_labels(tmp_path / "rois.zip", shape=(3, 40, 50))
    with pytest.raises(ValueError, match=r"objclass\.read_labels\(path, shape=image\.shape\)"):
        images.imread(tmp_path / "rois.zip")
    for z, roi in enumerate(rois):
        roi.position = z + 1
    roifile.roiwrite(tmp_path / "stack.zip", rois)
    with pytest.warns(UserWarning, match="lie in 2 planes, and their names do not say which belong together"):
        stack = read_labels(tmp_path / "stack.zip", shape=(3, 40, 50))
    np.testing.assert_array_equal(stack[0], np.where(squares() == 1, 1, 0))
    np.testing.assert_array_equal(stack[1], np.where(squares() == 2, 2, 0))
    rois[0].tofile(tmp_path / "one.roi")
    assert (read_labels(tmp_path / "one.roi", shape=(40, 50)) == (squares() == 1)).all()


def test_geojson(tmp_path):
    ring = [[*corners(*square), corners(*square)[0]] for square in SQUARES]
    hole = [*corners(4, 5, 6, 8), corners(4, 5, 6, 8)[0]]
    geometries = [
        {"type": "Polygon", "coordinates": [ring[0], hole]},
        {"type": "MultiPolygon", "coordinates": [[ring[1]]]},
    ]
    features = [{"type": "Feature", "geometry": geometry} for geometry in geometries]
    expected = squares()
    expected[4:6, 5:8] = 0
    for content in ({"type": "FeatureCollection", "features": features}, features):
        (tmp_path / "a.geojson").write_text(json.dumps(content))
        np.testing.assert_array_equal(read_labels(tmp_path / "a.geojson", shape=(40, 50)), expected)
    features.append({"type": "Feature", "geometry": {"type": "Point", "coordinates": [1, 1]}})
    (tmp_path / "a.geojson").write_text(json.dumps(features))
    with pytest.warns(UserWarning, match="1 of 3 outlines"):
        read_labels(tmp_path / "a.geojson", shape=(40, 50))
    (tmp_path / "a.geojson").write_text("{")
    with pytest.raises(ValueError, match="The file is damaged, incomplete"):
        read_labels(tmp_path / "a.geojson", shape=(40, 50))
    with pytest.raises(FileNotFoundError, match="a file that exists"):
        read_labels(tmp_path / "none.geojson", shape=(40, 50))


def test_a_mask_of_0_and_1_an_image_and_no_outlines_are_told(tmp_path):
    labels = np.kron(np.diag([1, 2, 3]), np.ones((8, 8), int)).astype(np.uint8)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        images.imwrite(tmp_path / "one.png", (labels == 2).astype(np.uint8))
        assert read_labels(tmp_path / "one.png").max() == 1
        images.imwrite(tmp_path / "corner.png", (labels > 0).astype(np.uint8))
        assert read_labels(tmp_path / "corner.png").max() == 1
    images.imwrite(tmp_path / "mask.png", np.where(labels == 2, 0, labels > 0).astype(np.uint8))
    with pytest.warns(
        UserWarning, match="its only label, 1, has several separate pieces, 2 in all, as in a mask"
    ):
        read_labels(tmp_path / "mask.png")
    classes = np.kron([[1, 0, 2], [0, 0, 0], [2, 0, 1]], np.ones((8, 8), int)).astype(np.uint8)
    images.imwrite(tmp_path / "classes.png", classes)
    with pytest.warns(
        UserWarning, match="each of its 2 labels has several separate pieces, 4 in all, as in a map"
    ):
        read_labels(tmp_path / "classes.png")
    images.imwrite(tmp_path / "image.tif", np.random.default_rng(0).integers(90, 3000, (3, 40, 40)))
    with pytest.warns(UserWarning, match="these are hardly labels. Were labels and image exchanged"):
        read_labels(tmp_path / "image.tif")
    zipfile.ZipFile(tmp_path / "none.zip", "w").close()
    with pytest.warns(UserWarning, match="there are no outlines in it"):
        assert not read_labels(tmp_path / "none.zip", shape=(4, 5)).any()
