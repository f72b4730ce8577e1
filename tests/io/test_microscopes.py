"""Formats of microscopes, written by the programs and packages that they are of."""

import io
import json
import types

import h5py
import mrcfile
import nibabel
import numpy as np
import pytest
from pylibCZIrw import czi

from objclass.io import images, microscopes


def example(shape, dtype="uint16", seed=0):
    return (np.random.default_rng(seed).random(shape) * 250).astype(dtype)


def write_czi(path, array, *, scenes=1, options="uncompressed:", skip=()):
    """Write (t, c, z, y, x) for each scene, with the library of Zeiss."""
    with czi.create_czi(str(path), compression_options=options) as writer:
        for scene in range(scenes):
            for t, c, z in {*np.ndindex(array.shape[:3])}.difference(skip):
                place = {"plane": {"T": t, "C": c, "Z": z}, "scene": scene, "location": (scene * 500, 0)}
                writer.write(array[t, c, z][..., None] + np.uint16(scene), **place)
        names = {c: f"dye {c}" for c in range(array.shape[1])}
        writer.write_metadata("a", channel_names=names, scale_x=1e-7, scale_y=2e-7, scale_z=5e-7)


@pytest.mark.parametrize("options", ["uncompressed:", "zstd0:ExplicitLevel=3", "zstd1:ExplicitLevel=3"])
def test_czi(tmp_path, options):
    array = example((2, 3, 4, 32, 40))
    write_czi(tmp_path / "a.czi", array, options=options)
    (info,) = images.image_info(tmp_path / "a.czi")
    assert (info.axes, info.shape, info.dtype) == ("tczyx", (2, 3, 4, 32, 40), np.uint16)
    assert info.channel_names == ("dye 0", "dye 1", "dye 2")
    assert info.spacing == pytest.approx((0.5, 0.2, 0.1))
    assert (info.spacing_source, info.n_frames) == ("CZI", 2)
    np.testing.assert_array_equal(images.imread(tmp_path / "a.czi", frame=1), array[1], strict=True)
    part = images.imread(tmp_path / "a.czi", frame=0, channel="dye 2")
    np.testing.assert_array_equal(part, array[0, 2], strict=True)


def test_planes_that_are_not_in_a_czi_file_are_told(tmp_path):
    array = example((2, 2, 3, 32, 40)) + np.uint16(1)
    array[0, 0, 1] = 0  # black, and there
    write_czi(tmp_path / "a.czi", array, skip=[(1, 1, 2)])
    np.testing.assert_array_equal(images.imread(tmp_path / "a.czi", frame=0), array[0])
    np.testing.assert_array_equal(images.imread(tmp_path / "a.czi", frame=1, channel=0), array[1, 0])
    with pytest.warns(UserWarning, match=r"a\.czi: planes that are not in it are read as 0"):
        images.imread(tmp_path / "a.czi", frame=1)


def test_czi_of_several_scenes_and_in_colour(tmp_path):
    array = example((1, 1, 2, 32, 40))
    write_czi(tmp_path / "a.czi", array, scenes=3)
    infos = images.image_info(tmp_path / "a.czi")
    assert [(info.name, info.shape) for info in infos] == [(f"scene {i}", (2, 32, 40)) for i in range(3)]
    for scene in range(3):
        np.testing.assert_array_equal(images.imread(tmp_path / "a.czi", series=scene), array[0, 0] + scene)
    picture = example((32, 40, 3), "uint8")
    with czi.create_czi(str(tmp_path / "rgb.czi")) as writer:
        writer.write(np.ascontiguousarray(picture[..., ::-1]))
    (info,) = images.image_info(tmp_path / "rgb.czi")
    assert (info.shape, info.is_rgb, info.spacing) == ((3, 32, 40), True, None)
    np.testing.assert_array_equal(images.imread(tmp_path / "rgb.czi"), np.moveaxis(picture, 2, 0))


def text(value):
    return np.frombuffer(str(value).encode(), "S1")


def write_ims(path, array):
    """Write (t, c, z, y, x) as Imaris does: in whole blocks, all attributes as lists of letters."""
    padded = np.pad(array, [(0, 0), (0, 0), *[(0, -n % 8) for n in array.shape[2:]]])
    with h5py.File(path, "w") as file:
        for t, c in np.ndindex(array.shape[:2]):
            group = file.create_group(f"DataSet/ResolutionLevel 0/TimePoint {t}/Channel {c}")
            group.create_dataset("Data", data=padded[t, c], chunks=(8, 8, 8), compression="gzip")
        about = file.create_group("DataSetInfo/Image").attrs
        for i, (axis, n, size) in enumerate(zip("XYZ", array.shape[:1:-1], (0.25, 0.25, 2), strict=True)):
            about[axis], about[f"ExtMin{i}"], about[f"ExtMax{i}"] = text(n), text(10), text(10 + n * size)
        about["Unit"] = text("um")
        for c in range(array.shape[1]):
            file.create_group(f"DataSetInfo/Channel {c}").attrs["Name"] = text(f"dye {c}")


def test_ims(tmp_path):
    array = example((2, 3, 5, 12, 14))
    write_ims(tmp_path / "a.ims", array)
    (info,) = images.image_info(tmp_path / "a.ims")
    assert (info.axes, info.shape, info.channel_names) == ("tczyx", array.shape, ("dye 0", "dye 1", "dye 2"))
    assert info.spacing == pytest.approx((2, 0.25, 0.25))
    np.testing.assert_array_equal(images.imread(tmp_path / "a.ims", frame=1), array[1], strict=True)
    part = images.imread(tmp_path / "a.ims", frame=1, channel="dye 1")
    np.testing.assert_array_equal(part, array[1, 1], strict=True)


def test_hdf5_of_ilastik(tmp_path):
    array = example((2, 5, 12, 14, 3), "uint8")
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["exported_data"] = array
        tags = [{"key": key, "typeFlags": 2, "resolution": 0, "description": ""} for key in "tzyxc"]
        file["exported_data"].attrs["axistags"] = json.dumps({"axes": tags})
        file["exported_data"].attrs["element_size_um"] = (2, 0.5, 0.5)
    (info,) = images.image_info(tmp_path / "a.h5")
    assert (info.axes, info.shape, info.spacing, info.name) == (
        "tczyx",
        (2, 3, 5, 12, 14),
        (2, 0.5, 0.5),
        "exported_data",
    )
    back = images.imread(tmp_path / "a.h5", frame=1)
    np.testing.assert_array_equal(back, np.moveaxis(array[1], -1, 0), strict=True)
    with h5py.File(tmp_path / "a.h5", "a") as file:
        file["other/plane"] = array[0, 0, ..., 0]
    with pytest.warns(UserWarning, match=r"the first of 2 series \(exported_data, other/plane\)"):
        images.imread(tmp_path / "a.h5", frame=1)
    np.testing.assert_array_equal(images.imread(tmp_path / "a.h5", series=1), array[0, 0, ..., 0])


@pytest.mark.parametrize("name", ["a.mrc", "a.mrc.gz"])
@pytest.mark.parametrize("dtype", ["int8", "int16", "uint16", "float32"])
def test_mrc(tmp_path, name, dtype):
    array = example((5, 12, 14), dtype)
    with mrcfile.new(tmp_path / name, compression="gzip" if name.endswith("gz") else None) as file:
        file.set_data(array)
        file.set_volume()
        file.voxel_size = (10, 20, 30)
    (info,) = images.image_info(tmp_path / name)
    assert (info.axes, info.spacing_source) == ("zyx", "MRC")
    assert info.spacing == pytest.approx((0.003, 0.002, 0.001))
    np.testing.assert_array_equal(images.imread(tmp_path / name), array, strict=True)


@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz"])
def test_nifti(tmp_path, name):
    array = example((14, 12, 5, 3), "int16")
    image = nibabel.Nifti1Image(array, np.diag([0.5, 0.25, 2, 1]))
    image.header.set_xyzt_units("mm", "sec")
    nibabel.save(image, tmp_path / name)
    (info,) = images.image_info(tmp_path / name)
    assert (info.axes, info.shape, info.spacing) == ("tzyx", (3, 5, 12, 14), (2000, 250, 500))
    back = images.imread(tmp_path / name, frame=2)
    np.testing.assert_array_equal(back, array[..., 2].T, strict=True)
    image.header.set_slope_inter(0.5, 1)
    nibabel.save(image, tmp_path / name)
    assert images.imread(tmp_path / name, frame=2).dtype == np.float64


def test_a_frame_that_is_not_in_an_nd2_file_is_not_black():
    """Real files cannot be written; this is the reader of the package, on a file that holds frame 0 alone."""
    from nd2._readers._modern.modern_reader import ModernReader

    reader = object.__new__(ModernReader)
    reader._fh = io.BytesIO()
    reader._cached_frame_offsets = {0: 4096}
    reader._seq_count = lambda: 6
    reader._raw_frame_shape_, reader._dtype_ = (4, 4, 1, 1), np.dtype("u2")
    assert not reader.read_frame(3).any()
    microscopes._refuse_missing_frames(types.SimpleNamespace(_rdr=reader, sizes={"T": 3, "Z": 2, "Y": 4}))
    with pytest.raises(EOFError, match="frame 4 of its 6 is missing"):
        reader.read_frame(3)


class LifImage(types.SimpleNamespace):
    """What liffile gives for an image."""

    def asarray(self):
        return self.pixels


def test_unsupported_axes_of_lif_images_are_reported(tmp_path, monkeypatch):
    from xml.etree import ElementTree

    import liffile

    def image(name, dims, shape):
        coords = {axis: np.arange(n) * 1e-6 for axis, n in zip(dims, shape, strict=True)}
        about = {"coords": coords, "xml_element": ElementTree.Element("Image"), "dtype": np.dtype("u1")}
        pixels = np.zeros(shape, "u1")
        return LifImage(name=name, path=name, dims=dims, shape=shape, pixels=pixels, **about)

    class File:
        images = (image("a", ("Y", "X"), (4, 2)), image("xz scan", ("Z", "X"), (5, 1)))

        def __init__(self, path):
            pass

        def __enter__(self):
            return self

        def __exit__(self, *_):
            pass

    (tmp_path / "a.lif").touch()
    monkeypatch.setattr(liffile, "LifFile", File)
    with pytest.warns(
        UserWarning, match=r"a\.lif: 1 of its 2 images lack the axis y or x.*: xz scan \(Z, X\)"
    ):
        assert images.imread(tmp_path / "a.lif").shape == (4, 2)
    File.images = File.images[1:]
    with pytest.raises(ValueError, match=r"no image with the axes y and x, but xz scan \(Z, X\)"):
        images.imread(tmp_path / "a.lif")


@pytest.mark.parametrize("name", ["a.czi", "a.lif", "a.nd2", "a.ims", "a.h5", "a.mrc", "a.nii", "a.nii.gz"])
def test_damaged_files_and_missing_packages(tmp_path, name, monkeypatch):
    (tmp_path / name).write_bytes(b"something else" * 100)
    with pytest.raises(ValueError, match="The file is damaged, incomplete or of another format"):
        images.imread(tmp_path / name)
    for package in ("pylibCZIrw", "liffile", "nd2", "h5py", "mrcfile", "nibabel"):
        monkeypatch.setitem(__import__("sys").modules, package, None)
    with pytest.raises(
        ImportError, match=r'path: expected the package \w+ to read it.*"objclass\[formats\]"'
    ):
        images.imread(tmp_path / name)


def test_only_the_planes_asked_for_are_read():
    asked = []

    def plane(at):
        asked.append(tuple(at.values()))
        return np.full((4, 5), sum(at.values()))

    read = microscopes.read_planes("tzyx", (3, 6, 4, 5), plane)
    assert read((1, slice(None), slice(None), slice(None))).tolist()[2][0] == [3] * 5
    assert asked == [(1, z) for z in range(6)]
    assert read((2, 5, slice(1, 3), 0)).tolist() == [7, 7]
    assert read((slice(None),) * 4).shape == (3, 6, 4, 5)


def test_hdf5_of_bigdataviewer(tmp_path):
    array = example((2, 2, 4, 12, 14)) * 200  # of time points and view setups, beyond the range of int16
    xml = "<SpimData>" + "".join(
        f"<ViewSetup><id>{setup}</id><name>angle {setup}</name>"
        "<voxelSize><unit>µm</unit><size>0.25 0.5 2.0</size></voxelSize></ViewSetup>"
        for setup in range(2)
    )
    (tmp_path / "a.xml").write_text(f"{xml}</SpimData>", encoding="utf-8")
    with h5py.File(tmp_path / "a.h5", "w") as file:
        for time, setup in np.ndindex(2, 2):
            stack = array[time, setup].view(np.int16)
            file[f"t{time:05}/s{setup:02}/0/cells"] = stack
            file[f"t{time:05}/s{setup:02}/1/cells"] = stack[:, ::2, ::2]
        for setup in range(2):
            file[f"s{setup:02}/resolutions"] = [[1.0, 1, 1], [2, 2, 1]]
    infos = images.image_info(tmp_path / "a.h5")
    assert [(info.name, info.axes, info.shape, info.spacing) for info in infos] == [
        (f"angle {setup}", "tzyx", (2, 4, 12, 14), (2, 0.5, 0.25)) for setup in range(2)
    ]
    for time, setup in np.ndindex(2, 2):
        back = images.imread(tmp_path / "a.h5", series=setup, frame=time)
        np.testing.assert_array_equal(back, array[time, setup], strict=True)
    with h5py.File(tmp_path / "a.h5", "a") as file:
        file["s00"].attrs["dataType"] = "int16"
    assert images.image_info(tmp_path / "a.h5")[0].dtype == np.int16


@pytest.mark.parametrize("name", ["t00000", "t00000/mask", "t00000/s00/0/raw"])
def test_hdf5_with_names_like_those_of_bigdataviewer(tmp_path, name):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file[name] = example((12, 14))
    (info,) = images.image_info(tmp_path / "a.h5")
    assert (info.name, info.axes) == (name, "yx")
    np.testing.assert_array_equal(images.imread(tmp_path / "a.h5"), example((12, 14)))


def test_chunks_of_hdf5_that_were_never_written_are_counted(tmp_path):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        data = file.create_dataset("data", (4, 12, 14), "u2", chunks=(1, 12, 14))
        data[:3] = 7
    with pytest.warns(UserWarning, match="a.h5: 1 of 4 chunks are missing and are read as 0"):
        images.imread(tmp_path / "a.h5")
    with h5py.File(tmp_path / "b.h5", "w") as file:
        file.create_dataset("data", (4, 12, 14), "u2")
    with pytest.warns(UserWarning, match="b.h5: 1 of 1 chunks are missing"):
        images.imread(tmp_path / "b.h5")


def test_a_voxel_size_of_nifti_without_a_unit_is_told(tmp_path):
    nibabel.Nifti1Image(example((4, 5, 6)), np.diag([0.5, 0.5, 2, 1])).to_filename(tmp_path / "a.nii")
    with pytest.warns(UserWarning, match="its voxel size, 0.5, has no unit: it is not used"):
        assert images.read_spacing(tmp_path / "a.nii") is None
