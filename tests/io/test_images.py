import logging
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tifffile
import zarr
from hypothesis import given
from hypothesis import strategies as st

from objclass import chunked
from objclass.io import images
from objclass.io.opening import open_image
from tests.random_search import examples

DTYPES = ["bool", "int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64"]
DTYPES += ["float16", "float32", "float64"]
NOT_OME = ("int64", "uint64", "float16")


def example(shape, dtype="uint16", seed=0):
    return (np.random.default_rng(seed).random(shape) * 250).astype(dtype)


def axes_of(path):
    return images.image_info(path)[0].axes


@st.composite
def stored_images(draw):
    axes = draw(st.sampled_from(["yx", "zyx", "cyx", "czyx"]))
    plane = draw(st.tuples(st.integers(1, 20), st.integers(1, 20)))
    stack = tuple(draw(st.integers(2, 5)) for _ in axes[:-2])
    array = example(stack + plane, draw(st.sampled_from(DTYPES)), draw(st.integers(0, 9)))
    if draw(st.booleans()):
        array = array.astype(array.dtype.newbyteorder(">"))
    lengths = st.floats(1e-3, 1e3)
    n = len(axes.replace("c", ""))
    spacing = draw(st.none() | st.tuples(*[lengths] * n))
    return array, axes, spacing


@pytest.mark.parametrize("name", ["image.tif", "image.TIFF", "image.ome.tif", "image.zarr", "image.ome.zarr"])
@examples(40)
@given(case=stored_images())
def test_what_is_written_is_read(case, name, tmp_path_factory):
    array, axes, spacing = case
    path = tmp_path_factory.mktemp("io") / name
    if ".ome.tif" in name and array.dtype.name in NOT_OME:
        with pytest.raises(ValueError, match="a dtype that OME-TIFF supports"):
            images.imwrite(path, array, axes=axes)
        return
    images.imwrite(path, array, spacing=spacing, axes=axes)
    back = images.imread(path)
    assert type(back) is np.ndarray
    assert back.dtype == array.dtype.newbyteorder("=")
    np.testing.assert_array_equal(back, array)
    assert axes_of(path) == axes
    if spacing is None:
        assert images.read_spacing(path) is None
    else:
        assert images.read_spacing(path) == pytest.approx(spacing, rel=1e-6)
    assert [file.name for file in path.parent.iterdir()] == [name]


@pytest.mark.parametrize("dtype", DTYPES)
def test_npy(tmp_path, dtype):
    array = example((4, 5, 6), dtype)
    images.imwrite(tmp_path / "a.npy", array)
    np.testing.assert_array_equal(images.imread(tmp_path / "a.npy"), array, strict=True)


@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
@pytest.mark.parametrize("shape", [(7, 9), (3, 7, 9), (4, 7, 9)])
def test_png(tmp_path, dtype, shape):
    array = example(shape, dtype)
    images.imwrite(tmp_path / "a.png", array)
    np.testing.assert_array_equal(images.imread(tmp_path / "a.png"), array, strict=True)
    assert axes_of(tmp_path / "a.png") == ("yx" if len(shape) == 2 else "cyx")
    assert images.read_spacing(tmp_path / "a.png") is None
    (info,) = images.image_info(tmp_path / "a.png")
    assert (info.shape, info.dtype) == (shape, dtype)


def test_labels_are_compressed_and_imagej_knows_the_voxel_size(tmp_path):
    labels = np.repeat(np.arange(8, dtype=np.int32), 64 * 64).reshape(8, 64, 64)
    images.imwrite(tmp_path / "labels.tif", labels, spacing=(2, 0.5, 0.25))
    assert (tmp_path / "labels.tif").stat().st_size < labels.nbytes / 20
    with tifffile.TiffFile(tmp_path / "labels.tif") as tiff:
        assert tiff.is_imagej
        assert tiff.series[0].axes == "ZYX"
        assert tiff.pages[0].dtype == np.int32
        assert tiff.imagej_metadata["unit"] == "um"
        assert tiff.imagej_metadata["spacing"] == 2
        assert tiff.pages[0].tags["XResolution"].value == (4, 1)


def test_ome_zarr_on_disk_is_ngff_0_5(tmp_path):
    images.imwrite(tmp_path / "a.zarr", example((2, 3, 8, 9)), spacing=(2, 0.5, 0.25))
    group = zarr.open_group(tmp_path / "a.zarr", mode="r")
    assert group.metadata.zarr_format == 3
    ome = group.attrs["ome"]
    assert ome["version"] == "0.5"
    image = ome["multiscales"][0]
    assert [axis["name"] for axis in image["axes"]] == ["c", "z", "y", "x"]
    assert [axis["type"] for axis in image["axes"]] == ["channel", "space", "space", "space"]
    assert {axis.get("unit") for axis in image["axes"][1:]} == {"micrometer"}
    transforms = image["datasets"][0]["coordinateTransformations"]
    assert transforms == [{"type": "scale", "scale": [1, 2, 0.5, 0.25]}]


def write_ngff(path, array, version, axes, scale, *, image_scale=None):
    image = {
        "axes": axes,
        "datasets": [{"path": "s0", "coordinateTransformations": [{"type": "scale", "scale": scale}]}],
    }
    if image_scale:
        image["coordinateTransformations"] = [{"type": "scale", "scale": image_scale}]
    attributes = {"multiscales": [image]}
    if version == "0.5":
        attributes = {"ome": {"version": "0.5", **attributes}}
    group = zarr.open_group(path, mode="w", zarr_format=3 if version == "0.5" else 2)
    group.attrs.update(attributes)
    group.create_array("s0", data=array, chunks=(1,) * (array.ndim - 2) + (8, 8))


def ngff_axes(names, unit):
    kinds = {"t": "time", "c": "channel"}
    return [
        {"name": n, "type": kinds.get(n, "space")} | ({} if n in kinds or not unit else {"unit": unit})
        for n in names
    ]


@pytest.mark.parametrize("version", ["0.4", "0.5"])
def test_ome_zarr_made_elsewhere(tmp_path, version):
    array = example((1, 2, 4, 16, 20))
    path = tmp_path / "a.zarr"
    scale = [1, 1, 500, 100, 200]
    write_ngff(path, array, version, ngff_axes("tczyx", "nanometer"), scale, image_scale=[1, 1, 2, 1, 1])
    np.testing.assert_array_equal(images.imread(path), array[0], strict=True)
    assert axes_of(path) == "czyx"
    assert images.read_spacing(path) == pytest.approx((1.0, 0.1, 0.2))


def test_ome_zarr_without_a_unit_has_no_voxel_size(tmp_path):
    write_ngff(tmp_path / "a.zarr", example((4, 8, 8)), "0.4", ngff_axes("zyx", None), [2, 1, 1])
    with pytest.warns(UserWarning, match=r"its voxel size, 2\.0, has no unit: it is not used"):
        assert images.read_spacing(tmp_path / "a.zarr") is None


def test_bioformats2raw_folder_and_bare_zarr_array(tmp_path):
    array = example((4, 8, 8))
    group = zarr.open_group(tmp_path / "raw.zarr", mode="w", zarr_format=2)
    group.attrs["bioformats2raw.layout"] = 3
    write_ngff(tmp_path / "raw.zarr" / "0", array, "0.4", ngff_axes("zyx", "micrometer"), [3, 1, 1])
    np.testing.assert_array_equal(images.imread(tmp_path / "raw.zarr"), array)
    assert images.read_spacing(tmp_path / "raw.zarr") == (3, 1, 1)
    zarr.create_array(tmp_path / "bare.zarr", data=array)
    np.testing.assert_array_equal(images.imread(tmp_path / "bare.zarr"), array)
    zarr.open_group(tmp_path / "empty.zarr", mode="w")
    with pytest.raises(ValueError, match="a Zarr group without an image"):
        images.imread(tmp_path / "empty.zarr")


@pytest.mark.parametrize(
    ("unit", "factor"),
    [("um", 1), ("micron", 1), ("\\u00B5m", 1), ("nm", 1e-3), ("mm", 1e3), ("cm", 1e4), ("m", 1e6)],
)
def test_imagej_units(tmp_path, unit, factor):
    metadata = {"axes": "ZYX", "unit": unit, "spacing": 3.0}
    array = example((4, 8, 9), ">u2")
    resolution = (4.0, 2.0)
    tifffile.imwrite(
        tmp_path / "a.tif", array, imagej=True, resolution=resolution, metadata=metadata, byteorder=">"
    )
    assert images.read_spacing(tmp_path / "a.tif") == pytest.approx(np.multiply((3, 0.5, 0.25), factor))
    np.testing.assert_array_equal(images.imread(tmp_path / "a.tif"), array.astype("u2"), strict=True)


@pytest.mark.parametrize("unit", ["pixel", "inch"])
def test_imagej_without_a_physical_unit(tmp_path, unit):
    metadata = {"axes": "ZYX", "unit": unit}
    tifffile.imwrite(
        tmp_path / "a.tif", example((4, 8, 9)), imagej=True, resolution=(72, 72), metadata=metadata
    )
    assert images.read_spacing(tmp_path / "a.tif") is None


def test_imagej_leaves_out_a_spacing_of_one(tmp_path):
    metadata = {"axes": "ZYX", "unit": "um"}
    tifffile.imwrite(
        tmp_path / "a.tif", example((4, 8, 9)), imagej=True, resolution=(2, 2), metadata=metadata
    )
    assert images.read_spacing(tmp_path / "a.tif") == (1, 0.5, 0.5)


def test_ome_tiff_units_and_axes(tmp_path):
    array = example((3, 2, 8, 9))
    sizes = {"PhysicalSizeX": 100.0, "PhysicalSizeXUnit": "nm", "PhysicalSizeY": 0.2, "PhysicalSizeZ": 2e-3}
    metadata = {"axes": "ZCYX", "PhysicalSizeZUnit": "mm", **sizes}
    tifffile.imwrite(tmp_path / "a.ome.tif", array, metadata=metadata, photometric="minisblack")
    np.testing.assert_array_equal(images.imread(tmp_path / "a.ome.tif"), array.swapaxes(0, 1), strict=True)
    assert images.read_spacing(tmp_path / "a.ome.tif") == pytest.approx((2, 0.2, 0.1))


def test_voxel_size_known_in_part(tmp_path):
    metadata = {"axes": "ZYX", "PhysicalSizeX": 0.1, "PhysicalSizeY": 0.1}
    tifffile.imwrite(tmp_path / "a.ome.tif", example((3, 8, 9)), metadata=metadata)
    with pytest.warns(UserWarning, match=r"known along \(y, x\) and not along \(z\): it is not used"):
        assert images.read_spacing(tmp_path / "a.ome.tif") is None


def test_colour_pictures_have_channels_first(tmp_path):
    picture = example((8, 9, 3), "uint8")
    tifffile.imwrite(tmp_path / "rgb.tif", picture, photometric="rgb")
    np.testing.assert_array_equal(
        images.imread(tmp_path / "rgb.tif"), np.moveaxis(picture, 2, 0), strict=True
    )
    stack = example((5, 8, 9, 3), "uint8")
    tifffile.imwrite(tmp_path / "stack.tif", stack, imagej=True, metadata={"axes": "ZYXS"})
    np.testing.assert_array_equal(
        images.imread(tmp_path / "stack.tif"), np.moveaxis(stack, 3, 0), strict=True
    )
    assert axes_of(tmp_path / "stack.tif") == "czyx"


@pytest.mark.parametrize("name", ["a.tif", "a.ome.tif", "a.zarr", "a.npy"])
def test_time_series(tmp_path, name):
    array = example((3, 4, 2, 8, 9))
    path = tmp_path / name
    axes = None
    if name == "a.zarr":
        write_ngff(path, array, "0.5", ngff_axes("tzcyx", "micrometer"), [1, 2, 1, 1, 1])
    elif name == "a.npy":
        np.save(path, array)
        axes = "tzcyx"
    else:
        tifffile.imwrite(path, array, imagej=name == "a.tif", metadata={"axes": "TZCYX"})
    with pytest.raises(
        ValueError, match=r"a time series of 3 frames\. Choose a time point with frame=, 0 to 2"
    ):
        images.imread(path, axes=axes)
    np.testing.assert_array_equal(
        images.imread(path, axes=axes, frame=1), array[1].swapaxes(0, 1), strict=True
    )
    with pytest.raises(ValueError, match="frame: expected an integer of at least 0 and of at most 2"):
        images.imread(path, axes=axes, frame=3)
    if axes is None:
        assert axes_of(path) == "tczyx"


def test_a_stack_stored_as_time_can_be_renamed(tmp_path):
    array = example((5, 8, 9))
    path = tmp_path / "a.tif"
    metadata = {"axes": "TYX", "unit": "um", "spacing": 3.0}
    tifffile.imwrite(path, array, imagej=True, resolution=(2, 4), metadata=metadata)
    with pytest.raises(ValueError, match="a time series of 5 frames"):
        images.imread(path)
    np.testing.assert_array_equal(images.imread(path, axes="zyx"), array)
    assert images.read_spacing(path, axes="zyx") == (3, 0.25, 0.5)


def test_frame_requires_a_time_series(tmp_path):
    images.imwrite(tmp_path / "a.tif", example((5, 8, 9)))
    with pytest.raises(ValueError, match=r"frame: expected None, as a.tif is not a time series"):
        images.imread(tmp_path / "a.tif", frame=0)


def test_unnamed_axes_are_reported(tmp_path, caplog):
    np.save(tmp_path / "a.npy", example((5, 8, 9)))
    tifffile.imwrite(tmp_path / "a.tif", example((5, 8, 9)), metadata=None, photometric="minisblack")
    for name in ("a.npy", "a.tif"):
        caplog.clear()
        assert images.imread(tmp_path / name).shape == (5, 8, 9)
        assert "does not name its axes: shape (5, 8, 9) is taken as (z, y, x)" in caplog.text
        caplog.clear()
        assert images.imread(tmp_path / name, axes="yxc").shape == (9, 5, 8)
        assert not caplog.text


def test_unnamed_axes(tmp_path):
    np.save(tmp_path / "a.npy", example((4, 5, 8, 9)))
    with pytest.raises(ValueError, match=r"axes: expected to be given.* got axes \(\?, \?, y, x\) of shape"):
        images.imread(tmp_path / "a.npy")
    for axes in ("zyx", "zzyx", "czya", "tzcs", "czyxs"):
        with pytest.raises(
            ValueError, match=r"axes: expected a letter of t c z y x s for each axis of a.npy"
        ):
            images.imread(tmp_path / "a.npy", axes=axes)
    np.save(tmp_path / "line.npy", example((9,)))
    with pytest.raises(ValueError, match=r"path: expected an image, got line\.npy"):
        images.imread(tmp_path / "line.npy")


def test_axes_of_length_one_are_dropped(tmp_path):
    array = example((1, 4, 1, 1, 9))
    np.save(tmp_path / "a.npy", array)
    np.testing.assert_array_equal(
        images.imread(tmp_path / "a.npy", axes="tzcyx"), array[0, :, 0], strict=True
    )
    np.testing.assert_array_equal(images.imread(tmp_path / "a.npy"), array[0, :, 0], strict=True)
    images.imwrite(tmp_path / "a.tif", example((1, 6, 7)), spacing=(3, 2, 1))
    assert images.imread(tmp_path / "a.tif").shape == (6, 7)
    assert images.read_spacing(tmp_path / "a.tif") == (2, 1)


def plain_tiff(path, array):
    tifffile.imwrite(path, array, metadata=None, photometric="minisblack")


def imagej_tiff(path, array):
    tifffile.imwrite(path, array, imagej=True, metadata={"axes": "ZYX"})


def tiled_tiff(path, array):
    tifffile.imwrite(path, array, tile=(16, 16), compression="lzw", photometric="minisblack")


@pytest.mark.parametrize("write", [images.imwrite, plain_tiff, imagej_tiff, tiled_tiff])
@pytest.mark.parametrize("name", ["a.tif", "a.ome.tif"])
def test_a_cut_tiff_is_never_read_as_another_image(tmp_path, write, name, caplog):
    caplog.set_level(logging.CRITICAL)
    array = example((4, 24, 20))
    write(tmp_path / name, array)
    data = (tmp_path / name).read_bytes()
    cut = tmp_path / f"cut.{name}"
    outcomes = set()
    for n in [*range(0, len(data), 101), *range(len(data) - 300, len(data), 7)]:
        cut.write_bytes(data[:n])
        try:
            outcomes.add(np.array_equal(images.imread(cut), array))
        except ValueError as error:
            outcomes.add(str(error).split(". ")[-1])
    assert outcomes - {True} == {
        "The file is damaged, incomplete or of another format; copy or export it again."
    }


@pytest.mark.parametrize("name", ["a.png", "a.npy", "a.zarr"])
def test_other_damaged_files(tmp_path, name):
    path = tmp_path / name
    images.imwrite(path, example((64, 64)))
    victim = max((p for p in path.rglob("*") if p.is_file()), key=os.path.getsize) if path.is_dir() else path
    victim.write_bytes(victim.read_bytes()[: victim.stat().st_size // 2])
    with pytest.raises(ValueError, match=r"path: expected a complete .* image, got .*The file is damaged"):
        images.imread(path)


def test_pickled_and_foreign_content(tmp_path):
    np.save(tmp_path / "a.npy", np.array([{}], dtype=object), allow_pickle=True)
    with pytest.raises(ValueError, match="The file is damaged, incomplete or of another format"):
        images.imread(tmp_path / "a.npy")
    for name in ("a.tif", "a.png"):
        (tmp_path / name).write_text("a,b\n1,2\n")
        with pytest.raises(ValueError, match="The file is damaged, incomplete or of another format"):
            images.imread(tmp_path / name)


def test_ome_tiff_whose_other_file_is_missing(tmp_path):
    path = tmp_path / "a.ome.tif"
    images.imwrite(path, example((4, 8, 9)))
    xml = tifffile.tiffcomment(path)
    elsewhere = '<TiffData IFD="0" PlaneCount="4"><UUID FileName="b.ome.tif">urn:uuid:0</UUID></TiffData>'
    before, after = xml.split("<TiffData", 1)
    tifffile.tiffcomment(path, before + elsewhere + after.split("/>", 1)[1])
    with pytest.raises(ValueError, match=r"its planes are in b\.ome\.tif, which is not in its folder"):
        images.imread(path)


def test_missing_file_and_unknown_suffix(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"path: expected a file that exists, got .*none.tif"):
        images.imread(tmp_path / "none.tif")
    for call in (
        images.imread,
        images.image_info,
        images.read_spacing,
        lambda path: images.imwrite(path, np.zeros((2, 2))),
    ):
        with pytest.raises(ValueError, match=r"a name that ends in one of \.tif, .*got a.xyz"):
            call(tmp_path / "a.xyz")


def test_folders_that_cannot_be_written(tmp_path):
    with pytest.raises(
        FileNotFoundError, match=r"path: expected a place in an existing folder, got .*nowhere"
    ):
        images.imwrite(tmp_path / "nowhere" / "a.tif", np.zeros((4, 4)))
    (tmp_path / "file").touch()
    with pytest.raises(FileNotFoundError, match="path: expected a place in an existing folder"):
        images.imwrite(tmp_path / "file" / "a.tif", np.zeros((4, 4)))


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="needs a folder that not even root may write to")
def test_read_only_folder():
    with pytest.raises(PermissionError, match=r"path: expected a folder that can be written, got /proc \("):
        images.imwrite("/proc/a.tif", np.zeros((4, 4)))


@pytest.mark.parametrize(
    ("name", "array", "options", "kind", "message"),
    [
        ("a.tif", np.zeros((4, 4), complex), {}, TypeError, "array: expected a real-valued array"),
        ("a.tif", np.zeros(4), {}, ValueError, "array: expected a non-empty array of rank 2 to 4"),
        ("a.tif", np.zeros((0, 4)), {}, ValueError, "array: expected a non-empty array of rank 2 to 4"),
        (
            "a.tif",
            np.zeros((4, 4)),
            {"axes": "zyx"},
            ValueError,
            "axes: expected 'yx', 'cyx', 'zyx' or 'czyx'",
        ),
        (
            "a.tif",
            np.zeros((4, 4)),
            {"spacing": (1, 1, 1)},
            ValueError,
            "spacing: expected 2 positive numbers",
        ),
        ("a.tif", np.zeros((4, 4)), {"spacing": -1}, ValueError, "spacing: expected 2 positive numbers"),
        (
            "a.npy",
            np.zeros((4, 4)),
            {"spacing": 1},
            ValueError,
            "path: expected a format that stores the voxel",
        ),
        ("a.tif", np.ma.masked_equal(np.eye(4), 1), {}, ValueError, "array: expected .* without masked"),
        ("a.png", np.zeros((4, 4)), {}, ValueError, "array: expected uint8 or uint16 of axes"),
        ("a.png", np.zeros((5, 4, 4), np.uint8), {}, ValueError, "array: expected uint8 or uint16 of axes"),
        (
            "a.png",
            np.zeros((3, 4, 4), np.uint8),
            {"axes": "zyx"},
            ValueError,
            "array: expected uint8 or uint16",
        ),
    ],
)
def test_unsupported_writing_is_refused(tmp_path, name, array, options, kind, message):
    with pytest.raises(kind, match=message):
        images.imwrite(tmp_path / name, array, **options)
    assert not list(tmp_path.iterdir())


def test_a_folder_that_is_no_image_is_not_replaced(tmp_path):
    (tmp_path / "a.zarr").mkdir()
    (tmp_path / "a.zarr" / "notes.txt").touch()
    with pytest.raises(ValueError, match="path: expected a new name, or an older Zarr image to replace"):
        images.imwrite(tmp_path / "a.zarr", np.zeros((4, 4)))
    assert (tmp_path / "a.zarr" / "notes.txt").exists()


@pytest.mark.parametrize("zarr_format", [2, 3])
def test_an_image_with_labels_or_notes_is_not_replaced(tmp_path, zarr_format):
    path = tmp_path / "a.zarr"
    zarr.create_group(path, zarr_format=zarr_format, attributes={"labels": ["n"]})
    zarr.create_array(path / "n", data=example((4, 8)), zarr_format=zarr_format)
    images.imwrite(path, example((4, 8)))
    images.imwrite(path / "labels" / "n", np.ones((4, 8), int), labels_of=path)
    for write in (images.imwrite, chunked.imwrite):
        with pytest.raises(ValueError, match=r"to replace, got the folder .* with labels in it"):
            write(path, np.zeros((4, 4)))
    assert (images.imread(path / "labels" / "n") == 1).all()
    images.imwrite(path / "labels" / "n", np.zeros((4, 8), int), labels_of=path)
    assert not images.imread(path / "labels" / "n").any()


@pytest.mark.parametrize("name", ["a.tif", "a.zarr"])
def test_an_older_image_is_replaced(tmp_path, name):
    images.imwrite(tmp_path / name, example((4, 8, 9)))
    images.imwrite(tmp_path / name, example((6, 7)))
    assert images.imread(tmp_path / name).shape == (6, 7)
    assert [file.name for file in tmp_path.iterdir()] == [name]


def test_input_is_not_changed(tmp_path):
    array = example((2, 3, 8, 9))
    before = array.copy()
    array.setflags(write=False)
    for name in ("a.tif", "a.ome.tif", "a.zarr", "a.npy"):
        images.imwrite(tmp_path / name, array)
    np.testing.assert_array_equal(array, before)


def test_real_stack(shared_data):
    path = shared_data / "nuclei3d.tif"
    image = images.imread(path)
    assert (image.shape, image.dtype, axes_of(path)) == ((37, 118, 132), np.uint8, "zyx")
    assert images.read_spacing(path) == pytest.approx((4.0, 0.8286, 0.8286), rel=1e-3)
    assert images.read_spacing(shared_data / "lund_max_projection.tif") is None


def test_import_of_io_is_light():
    code = (
        "import sys, objclass.io; "
        "print([m for m in ('tifffile', 'zarr', 'imagecodecs', 'pandas', 'numba') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_an_ome_tiff_of_the_same_image_is_the_same_file(tmp_path):
    image = np.arange(24, dtype=np.int32).reshape(4, 3, 2).T
    for name, spacing in (("a", 0.5), ("b", 0.5), ("c", 0.7)):
        images.imwrite(tmp_path / f"{name}.ome.tif", image, spacing=spacing)
    a, b, c = (path.read_bytes() for path in sorted(tmp_path.iterdir()))
    assert a == b != c


def read_as(path, *partner, axes=None, **options):
    with open_image(path, axes=axes) as image:
        return images.read_as(image, *partner, **options)


def test_planes_and_channels_are_not_taken_for_each_other(tmp_path):
    images.imwrite(tmp_path / "stack.tif", example((20, 8, 9)))
    images.imwrite(tmp_path / "channels.tif", example((3, 8, 9)), axes="cyx")
    with pytest.raises(
        ValueError, match=r"image: expected a 2D image.*scribbles.*20 planes along z, not channels"
    ):
        read_as(tmp_path / "stack.tif", 2, "the scribbles")
    with pytest.raises(
        ValueError, match=r"expected a stack.*the classifier.*3 channels and no planes along z"
    ):
        read_as(tmp_path / "channels.tif", 3, "the classifier")
    assert read_as(tmp_path / "stack.tif", 2, "the scribbles", axes="cyx")[0].shape == (20, 8, 9)
    np.save(tmp_path / "series.npy", example((3, 4, 8, 9)))
    with pytest.raises(ValueError, match="a time series of 3 frames"):
        read_as(tmp_path / "series.npy", 3, "the scribbles", axes="tzyx")


def test_channels_in_another_order(tmp_path):
    array = example((2, 8, 9))
    metadata = {"axes": "CYX", "Channel": {"Name": ["DAPI", "GFP"]}}
    tifffile.imwrite(tmp_path / "a.ome.tif", array, metadata=metadata, photometric="minisblack")
    with pytest.warns(UserWarning, match=r"channels DAPI, GFP were reordered to GFP, DAPI"):
        back, info = read_as(tmp_path / "a.ome.tif", 2, "it", channel_names=("GFP", "DAPI"))
    np.testing.assert_array_equal(back, array[::-1])
    assert info.channel_names == ("GFP", "DAPI")
    for names in ((), ("DAPI", "GFP"), ("DAPI", "Cy5"), ("DAPI",)):
        back, info = read_as(tmp_path / "a.ome.tif", 2, "it", channel_names=names)
        np.testing.assert_array_equal(back, array)
    assert info.channel_names == ("DAPI", "GFP")


def test_annotations_saved_as_rgb_image_are_refused(tmp_path):
    picture = np.zeros((3, 20, 30), np.uint8)
    picture[0, 2:6], picture[1, 9:12] = 255, 255
    tifffile.imwrite(tmp_path / "s.tif", np.moveaxis(picture, 0, -1), photometric="rgb")
    message = r"annotations: expected one integer .*, got s\.tif, an RGB image.* 1 for \(255, 0, 0\)"
    with pytest.raises(ValueError, match=message):
        images.read_annotations(tmp_path / "s.tif")
    tifffile.imwrite(tmp_path / "n.tif", picture[0])
    assert np.array_equal(images.read_annotations(tmp_path / "n.tif"), picture[0])
