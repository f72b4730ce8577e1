"""imread against bioio, with the same pixels, voxel sizes and channel names.

bioio asks for older versions of other packages and is in no extra: .ci/run makes an environment for it.
"""

import numpy as np
import pytest
import tifffile

from objclass.io.images import image_info, imread
from objclass.io.ngff import write_zarr

NAMES = ("DAPI", "GFP")


def pixels(*shape, dtype="uint16"):
    return (np.arange(np.prod(shape)) * 7919 % 251).astype(dtype).reshape(shape)


def ome_tiff(path):
    sizes = {"PhysicalSizeX": 0.25, "PhysicalSizeY": 0.5, "PhysicalSizeZ": 2.0}
    metadata = {"axes": "TCZYX", "Channel": {"Name": list(NAMES)}, **sizes}
    with tifffile.TiffWriter(path, ome=True) as writer:
        for scene in range(2):
            writer.write(pixels(2, 2, 3, 20, 24) + np.uint16(scene), metadata=metadata)


def colour_ome_tiff(path):
    tifffile.imwrite(path, pixels(20, 24, 3, dtype="uint8"), ome=True, photometric="rgb")


def imagej(path):
    metadata = {"axes": "TZCYX", "unit": "um", "spacing": 2.0}
    tifffile.imwrite(path, pixels(2, 3, 2, 20, 24), imagej=True, resolution=(4, 2), metadata=metadata)


def plain(path):
    tifffile.imwrite(path, pixels(3, 20, 24), metadata=None, photometric="minisblack")


def zeiss(path):  # of one scene: bioio counts them in metadata that this writer does not write
    from pylibCZIrw import czi

    with czi.create_czi(str(path)) as writer:
        for t, c, z in np.ndindex(2, 2, 3):
            plane = pixels(20, 24)[..., np.newaxis] + np.uint16(10 * c + z + 40 * t)
            writer.write(plane, plane={"T": t, "C": c, "Z": z})
        names = dict(enumerate(NAMES))
        writer.write_metadata("a", channel_names=names, scale_x=2.5e-7, scale_y=5e-7, scale_z=2e-6)


def ome_zarr(path):
    sizes = {"z": 2.0, "y": 0.5, "x": 0.25}
    write_zarr(path, pixels(2, 3, 20, 24), "czyx", spacing=sizes, zarr_format=2)


@pytest.mark.filterwarnings("ignore")  # of bioio and its readers
@pytest.mark.parametrize(
    ("write", "name"),
    [
        (ome_tiff, "a.ome.tif"),
        (colour_ome_tiff, "a.ome.tif"),
        (imagej, "a.tif"),
        (plain, "a.tif"),
        (zeiss, "a.czi"),
        (ome_zarr, "a.zarr"),
    ],
)
def test_pixels_are_those_of_bioio(tmp_path, write, name):
    bioio = pytest.importorskip("bioio", reason="bioio is not installed")
    path = tmp_path / name
    write(path)
    image, infos = bioio.BioImage(path), image_info(path)
    assert len(image.scenes) == len(infos)
    for scene, info in enumerate(infos):
        image.set_scene(scene)
        order = "TSZYX" if "S" in image.dims.order else "TCZYX"
        expected = image.get_image_data(order)
        assert (info.n_frames or 1) == len(expected)
        for frame, theirs in enumerate(expected):
            own = imread(path, series=scene, frame=None if info.n_frames is None else frame)
            assert [n for n in own.shape if n > 1] == [n for n in theirs.shape if n > 1]
            np.testing.assert_array_equal(own.squeeze(), theirs.squeeze(), strict=True)
        if info.spacing is not None:
            theirs = image.physical_pixel_sizes
            sizes = [size for size in (theirs.Z, theirs.Y, theirs.X) if size is not None]
            assert info.spacing == pytest.approx(sizes[-len(info.spacing) :])
        if info.channel_names:
            assert list(info.channel_names) == image.channel_names
