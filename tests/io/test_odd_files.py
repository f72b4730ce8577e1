"""Files of other writers in odd forms: each is read right, refused, or told of."""

import json

import h5py
import numpy as np
import pytest
import roifile
import tifffile
import zarr
from PIL import Image

from objclass.io import images
from objclass.io.labels import read_labels

RNG = np.random.default_rng(0)
STACK = RNG.integers(0, 4000, (5, 20, 24)).astype(np.uint16)
COLOURS = RNG.integers(0, 255, (64, 80, 3)).astype(np.uint8)
SCRIBBLES = np.zeros((40, 40), np.uint8)
SCRIBBLES[3:5], SCRIBBLES[20:22] = 1, 2
LABELS = np.zeros((40, 40), np.int32)
LABELS[3:9, 3:9], LABELS[20:30, 20:30] = 1, 7


@pytest.mark.parametrize(
    ("unit", "factor"),
    [
        ("\\u00B5m", 1),
        ("\u00b5m", 1),
        ("\u03bcm", 1),
        ("\u00b5m\0", 1),
        ("Microns", 1),
        ("micrometers", 1),
        (" um ", 1),
        ("nanometers", 1e-3),
        ("mm", 1e3),
        ("inch", None),
        ("pixel", None),
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "latin-1"])
def test_spellings_of_units(tmp_path, unit, factor, encoding):
    text = f"ImageJ=1.53t\nimages=5\nslices=5\nunit={unit}\nspacing=2.0\n"
    try:
        description = text.encode(encoding)
    except UnicodeEncodeError:
        pytest.skip("not in this encoding")
    tifffile.imwrite(tmp_path / "a.tif", STACK, description=description, metadata=None, resolution=(4, 2))
    expected = None if factor is None else pytest.approx((2 * factor, 0.5 * factor, 0.25 * factor))
    assert images.read_spacing(tmp_path / "a.tif") == expected


def test_decimal_comma_in_ome(tmp_path):
    sizes = {f"PhysicalSize{a}": size for a, size in zip("ZYX", ("2", "0,5", "0,25"), strict=True)}
    tifffile.imwrite(tmp_path / "a.ome.tif", STACK, metadata={"axes": "ZYX", **sizes})
    assert images.read_spacing(tmp_path / "a.ome.tif") == (2, 0.5, 0.25)


def write_npy(path):
    np.save(path, COLOURS)


def write_zarr(path):
    zarr.create_array(path, shape=COLOURS.shape, dtype="u1", chunks=COLOURS.shape)[...] = COLOURS


def write_h5(path):
    with h5py.File(path, "w") as file:
        file["data"] = COLOURS


def write_ngff_samples(path):
    group = zarr.create_group(path)
    axes = [{"name": name} for name in "yxs"]
    group.attrs["ome"] = {"version": "0.5", "multiscales": [{"axes": axes, "datasets": [{"path": "0"}]}]}
    group.create_array("0", shape=COLOURS.shape, dtype="u1", chunks=COLOURS.shape)[...] = COLOURS


@pytest.mark.parametrize(
    ("write", "name"),
    [(write_npy, "a.npy"), (write_zarr, "a.zarr"), (write_h5, "a.h5"), (write_ngff_samples, "b.zarr")],
)
def test_colours_in_an_axis_without_a_name_are_no_planes(tmp_path, write, name):
    write(tmp_path / name)
    with pytest.raises(ValueError, match="Red, green and blue in the last axis: axes='yxs'"):
        images.imread(tmp_path / name)
    np.testing.assert_array_equal(
        images.imread(tmp_path / name, axes="yxs"), np.moveaxis(COLOURS, 2, 0), strict=True
    )


@pytest.mark.parametrize(
    ("save", "told"),
    [
        (lambda path: tifffile.imwrite(path, COLOURS[..., [0, 1, 2, 0]], photometric="separated"), "CMYK"),
        (lambda path: Image.fromarray(COLOURS).convert("LAB").save(path), "LAB"),
        (lambda path: Image.fromarray(COLOURS).convert("P").save(path), "a palette image"),
    ],
)
def test_other_colours_are_told(tmp_path, save, told):
    save(tmp_path / "a.tif")
    with pytest.warns(UserWarning, match=rf"a\.tif: .*{told}"):
        images.imread(tmp_path / "a.tif")


def test_a_lookup_table_is_no_palette(tmp_path):
    green = np.zeros((3, 256), np.uint16)
    green[1] = np.arange(256) * 257
    plane = COLOURS[..., 0]
    tifffile.imwrite(tmp_path / "a.tif", plane, photometric="palette", colormap=green)
    np.testing.assert_array_equal(images.imread(tmp_path / "a.tif"), plane)


def test_planes_that_the_metadata_do_not_describe_are_told(tmp_path):
    description = "ImageJ=1.53t\nimages=5\nslices=3\n"
    tifffile.imwrite(tmp_path / "a.tif", STACK, description=description, metadata=None)
    with pytest.warns(UserWarning, match="describe 3 of its 5 planes; the others are not read"):
        np.testing.assert_array_equal(images.imread(tmp_path / "a.tif"), STACK[:3])
    tifffile.imwrite(tmp_path / "b.ome.tif", STACK, metadata={"axes": "ZYX"})
    data = (tmp_path / "b.ome.tif").read_bytes().replace(b'SizeZ="5"', b'SizeZ="4"')
    (tmp_path / "b.ome.tif").write_bytes(data.replace(b'PlaneCount="5"', b'PlaneCount="4"'))
    with pytest.warns(UserWarning, match="describe 4 of its 5 planes"):
        images.imread(tmp_path / "b.ome.tif")


def rgba(path):
    alpha = (SCRIBBLES > 0).astype(np.uint8) * 255
    Image.fromarray(np.dstack([SCRIBBLES * 100, SCRIBBLES * 0, SCRIBBLES * 0, alpha])).save(path)


def grey_and_alpha(path):
    Image.fromarray(np.dstack([SCRIBBLES * 100, (SCRIBBLES > 0).astype(np.uint8) * 255]), "LA").save(path)


def channel_for_each_class(path):
    channels = np.stack([SCRIBBLES == 1, SCRIBBLES == 2]).astype(np.uint8)
    tifffile.imwrite(path, channels, imagej=True, metadata={"axes": "CYX"})


def jpeg(path):
    Image.fromarray(SCRIBBLES).save(path)


@pytest.mark.filterwarnings("ignore:.*flat colours")
@pytest.mark.filterwarnings("ignore:.*mode.*parameter:DeprecationWarning")
@pytest.mark.parametrize(
    ("write", "name", "told"),
    [
        (rgba, "a.png", r"an RGB image.*1 for \(100, 0, 0\)"),
        (grey_and_alpha, "a.png", "of 2 channels"),
        (channel_for_each_class, "a.tif", "of 2 channels.*combine them"),
        (jpeg, "a.jpg", "a JPEG, whose compression changes values"),
    ],
)
def test_scribbles_that_are_no_numbers_of_classes(tmp_path, write, name, told):
    write(tmp_path / name)
    with pytest.raises(ValueError, match=rf"annotations: expected .*{told}"):
        images.read_annotations(tmp_path / name)


def palette(path):
    picture = Image.fromarray(SCRIBBLES).convert("P")
    picture.putpalette([0, 0, 0, 255, 0, 0, 0, 255, 0] + [0] * 750)
    picture.save(path)


def ilastik(path):
    with h5py.File(path, "w") as file:
        file["exported_data"] = SCRIBBLES[..., np.newaxis]
        tags = json.dumps({"axes": [{"key": key} for key in "yxc"]})
        file["exported_data"].attrs["axistags"] = tags


@pytest.mark.filterwarnings("ignore:.*palette")
@pytest.mark.parametrize(
    ("write", "name"),
    [
        (palette, "a.png"),
        (ilastik, "a.h5"),
        (lambda path: tifffile.imwrite(path, SCRIBBLES.astype(np.float64)), "a.tif"),
        (lambda path: tifffile.imwrite(path, SCRIBBLES.astype(">i8")), "a.tif"),
        (lambda path: np.save(path, SCRIBBLES), "a.npy"),
    ],
)
def test_scribbles_in_many_encodings(tmp_path, write, name):
    write(tmp_path / name)
    np.testing.assert_array_equal(images.read_annotations(tmp_path / name), SCRIBBLES)


def test_labels_as_jpeg_are_refused(tmp_path):
    Image.fromarray((LABELS * 30).astype(np.uint8)).save(tmp_path / "a.jpg")
    tifffile.imwrite(tmp_path / "a.tif", (LABELS * 30).astype(np.uint8), compression="jpeg")
    for name in ("a.jpg", "a.tif"):
        with pytest.raises(ValueError, match="a JPEG, whose compression changes values"):
            read_labels(tmp_path / name)


def test_a_map_of_classes_is_told(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", (LABELS > 0).astype(np.uint8) + 1)
    with pytest.warns(UserWarning, match="no pixel is 0, background.*ilastik"):
        read_labels(tmp_path / "a.tif")


SQUARE = [[3, 3], [9, 3], [9, 9], [3, 9], [3, 3]]


def test_outlines_of_qupath_in_odd_forms(tmp_path):
    polygon = {"type": "Polygon", "coordinates": [SQUARE]}
    far = {"type": "Polygon", "coordinates": [[[x + 20, y + 20, 0] for x, y in SQUARE]]}
    collection = {"type": "GeometryCollection", "geometries": [polygon]}
    features = [{"type": "Feature", "geometry": one} for one in (collection, None, far)]
    text = json.dumps({"type": "FeatureCollection", "features": features})
    (tmp_path / "a.geojson").write_text(text, encoding="utf-8-sig")
    with pytest.warns(UserWarning, match="1 of 3 outlines"):
        labels = read_labels(tmp_path / "a.geojson", shape=(40, 40))
    assert np.bincount(labels.ravel()).tolist() == [1528, 36, 0, 36]


def test_outlines_of_several_planes_are_not_laid_over_each_other(tmp_path):
    rois = [roifile.ImagejRoi.frompoints(np.array(SQUARE[:4], float) + 20 * n) for n in range(2)]
    for n, roi in enumerate(rois):
        roi.name, roi.position = f"roi{n}", n + 1
    roifile.roiwrite(tmp_path / "r.zip", rois, mode="w")
    with pytest.raises(ValueError, match=r"shape: expected the shape \(z, y, x\).*outlines in 2 planes"):
        read_labels(tmp_path / "r.zip", shape=(40, 40))
    with pytest.warns(UserWarning, match="each outline is an object"):
        labels = read_labels(tmp_path / "r.zip", shape=(3, 40, 40))
    assert [plane.max() for plane in labels] == [1, 2, 0]


def tagged_tiff(path):
    tifffile.imwrite(path, np.arange(6, dtype=np.uint8).reshape(2, 3), extratags=[(274, 3, 1, 6, True)])


def tagged_picture(path):
    exif = Image.Exif()
    exif[274] = 6
    Image.fromarray(np.arange(6, dtype=np.uint8).reshape(2, 3)).save(path, exif=exif)


@pytest.mark.parametrize(
    ("write", "name"), [(tagged_tiff, "a.tif"), (tagged_picture, "a.jpg"), (tagged_picture, "a.png")]
)
def test_an_orientation_is_told_and_the_pixels_are_those_that_are_stored(tmp_path, write, name):
    write(tmp_path / name)
    with pytest.warns(UserWarning, match=r"its orientation tag is 6: .* read as it is stored"):
        assert images.imread(tmp_path / name).shape == (2, 3)


def test_damaged_exif_data_do_not_make_an_image_damaged(tmp_path):
    picture = Image.fromarray(np.zeros((8, 8), np.uint8))
    picture.save(tmp_path / "a.jpg", exif=b"Exif\0\0MM\0*\xff\xff\xff\xff")
    with pytest.warns(UserWarning, match="Corrupt EXIF"):  # by Pillow
        assert images.imread(tmp_path / "a.jpg").shape == (8, 8)


@pytest.mark.parametrize("name", ["a.tif", "a.npy"])
def test_complex_numbers_are_refused(tmp_path, name):
    write = np.save if name.endswith("npy") else tifffile.imwrite
    write(tmp_path / name, np.ones((8, 9), np.complex64))
    with pytest.raises(ValueError, match=r"an image of real numbers, got a\..*complex64.*np\.abs"):
        images.imread(tmp_path / name)


@pytest.mark.parametrize(("unit", "told"), [(None, "no unit"), ("furlong", "the unit 'furlong'")])
def test_a_voxel_size_without_a_unit_that_is_known_is_told(tmp_path, unit, told):
    metadata = {"axes": "ZYX", "spacing": 2.0, **({} if unit is None else {"unit": unit})}
    options = {"imagej": True, "resolution": (4, 4), "metadata": metadata}
    tifffile.imwrite(tmp_path / "a.tif", np.zeros((3, 8, 9), np.uint8), **options)
    with pytest.warns(UserWarning, match=rf"a\.tif: its voxel size, 0\.25, has {told}.*Pass spacing"):
        assert images.read_spacing(tmp_path / "a.tif") is None
    for resolution, name in (((1, 1), unit), ((72, 72), "inch"), ((4, 4), "pixel")):
        metadata = {"axes": "ZYX", **({} if name is None else {"unit": name})}
        options = {"imagej": True, "resolution": resolution, "metadata": metadata}
        tifffile.imwrite(tmp_path / "a.tif", np.zeros((3, 8, 9), np.uint8), **options)
        assert images.read_spacing(tmp_path / "a.tif") is None


def test_an_unknown_unit_in_ome_is_told(tmp_path):
    sizes = {"PhysicalSizeX": 0.5, "PhysicalSizeXUnit": "furlong", "PhysicalSizeY": 0.5}
    metadata = {"axes": "YX", **sizes, "PhysicalSizeYUnit": "furlong"}
    tifffile.imwrite(tmp_path / "a.ome.tif", np.zeros((8, 9), np.uint8), metadata=metadata)
    with pytest.warns(UserWarning, match="the unit 'furlong'"):
        assert images.read_spacing(tmp_path / "a.ome.tif") is None


@pytest.mark.parametrize("name", ["a.tif", "a.png", "a.jpg", "a.npy", "a.czi"])
@pytest.mark.parametrize("kind", ["tif", "png", "npy"])
def test_the_content_counts_and_not_the_name(tmp_path, kind, name):
    images.imwrite(tmp_path / f"it.{kind}", STACK[0])
    (tmp_path / f"it.{kind}").rename(tmp_path / name)
    assert (images.imread(tmp_path / name) == STACK[0]).all()


def test_a_picture_that_is_none_and_a_folder(tmp_path):
    (tmp_path / "a.png").write_bytes(b"GIF89a")
    with pytest.raises(ValueError, match="begins with b'GIF8' and is neither PNG nor JPEG"):
        images.imread(tmp_path / "a.png")
    (tmp_path / "b.tif").mkdir()
    with pytest.raises(ValueError, match=r"expected a file, got .*, a folder"):
        images.imread(tmp_path / "b.tif")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("declared", ["UTF-8", "UTF-16"])
def test_ome_xml_in_utf_16(tmp_path, encoding, declared):
    sizes = 'SizeX="24" SizeY="20" SizeC="1" SizeZ="5" SizeT="1" PhysicalSizeX="0.5" PhysicalSizeY="0.5"'
    xml = (
        f'<?xml version="1.0" encoding="{declared}"?>'
        '<OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06"><Image ID="Image:0" Name="\u00b5">'
        f'<Pixels ID="Pixels:0" DimensionOrder="XYZCT" Type="uint16" {sizes} PhysicalSizeZ="2"><TiffData/>'
        "</Pixels></Image></OME>"
    )
    path = tmp_path / "a.ome.tif"
    tifffile.imwrite(path, STACK, description=xml.encode(encoding), metadata=None, photometric="minisblack")
    (info,) = images.image_info(path)
    assert (info.axes, info.spacing, info.name) == ("zyx", (2.0, 0.5, 0.5), "\u00b5")
    assert (images.imread(path) == STACK).all()


def test_outlines_of_several_time_points_are_not_laid_over_each_other(tmp_path):
    rois = [roifile.ImagejRoi.frompoints(np.array(SQUARE[:4], float) + 20 * n) for n in range(2)]
    for n, roi in enumerate(rois):
        roi.name, roi.c_position, roi.z_position, roi.t_position = f"roi{n}", 1, 1, n + 1
    roifile.roiwrite(tmp_path / "r.zip", rois, mode="w")
    rings = [[[x + 20 * n, y + 20 * n] for x, y in SQUARE] for n in range(2)]
    shapes = [{"type": "Polygon", "coordinates": [r], "plane": {"z": 0, "t": n}} for n, r in enumerate(rings)]
    features = [{"type": "Feature", "geometry": shape} for shape in shapes]
    (tmp_path / "r.geojson").write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    for name in ("r.zip", "r.geojson"):
        with pytest.raises(
            ValueError, match=r"frame: expected a time point.* of 2\. Choose .* frame=, 0 to 1"
        ):
            read_labels(tmp_path / name, shape=(40, 40))
        labels = read_labels(tmp_path / name, shape=(40, 40), frame=1)
        assert np.bincount(labels.ravel()).tolist() == [1564, 36]
        assert labels[20:].any()


def test_an_animation_is_told(tmp_path):
    frames = [Image.fromarray(LABELS.astype(np.uint8) + n) for n in range(3)]
    frames[0].save(tmp_path / "a.png", save_all=True, append_images=frames[1:])
    with pytest.warns(UserWarning, match="the first of its 3 frames is read"):
        np.testing.assert_array_equal(images.imread(tmp_path / "a.png"), LABELS)


def test_a_jpeg_whose_end_is_missing_is_refused(tmp_path):
    Image.fromarray(COLOURS).save(tmp_path / "a.jpg")
    content = (tmp_path / "a.jpg").read_bytes()
    (tmp_path / "more.jpg").write_bytes(content + b"what a camera adds")
    np.testing.assert_array_equal(images.imread(tmp_path / "more.jpg"), images.imread(tmp_path / "a.jpg"))
    (tmp_path / "cut.jpg").write_bytes(content[: len(content) // 2])
    with pytest.raises(ValueError, match="its end is missing"):
        images.imread(tmp_path / "cut.jpg")
