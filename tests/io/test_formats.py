"""One table of formats: what is read from each, known beforehand."""

import functools
import json
import zlib

import h5py
import mrcfile
import nibabel
import numpy as np
import pytest
import tifffile
from PIL import Image
from pylibCZIrw import czi

from objclass.io import images, ngff

NAMES = ("DAPI", "GFP")


def ramp(shape, dtype="uint16"):
    """Return pixels that differ from place to place, the same on every machine."""
    return (np.arange(np.prod(shape)) * 7919 % 251).astype(dtype).reshape(shape)


def ome(path):
    sizes = {"PhysicalSizeX": 0.25, "PhysicalSizeY": 0.5, "PhysicalSizeZ": 2000.0, "PhysicalSizeZUnit": "nm"}
    metadata = {"axes": "TZCYX", "Channel": {"Name": list(NAMES)}, **sizes}
    tifffile.imwrite(path, ramp((2, 3, 2, 20, 24)), ome=True, metadata=metadata, photometric="minisblack")


def imagej(path):
    metadata = {"axes": "TZCYX", "unit": "um", "spacing": 2.0}
    tifffile.imwrite(path, ramp((2, 3, 2, 20, 24)), imagej=True, resolution=(4, 2), metadata=metadata)


def plain(path):
    tifffile.imwrite(path, ramp((3, 20, 24)), metadata=None, photometric="minisblack")


def shaped(path):
    tifffile.imwrite(path, ramp((2, 20, 24)), metadata={"axes": "CYX"}, photometric="minisblack")


def colour(path):
    tifffile.imwrite(path, ramp((20, 24, 3), "uint8"), photometric="rgb", compression="lzw")


def slide(path):
    description = "Aperio Image Library v1\n256x256 |MPP = 0.25|AppMag = 40"
    with tifffile.TiffWriter(path) as writer:
        options = {"metadata": None, "photometric": "rgb"}
        writer.write(ramp((256, 256, 3), "uint8"), tile=(64, 64), description=description, **options)
        writer.write(ramp((32, 32, 3), "uint8"), description="Aperio thumbnail", **options)


def qptiff(path):
    with tifffile.TiffWriter(path) as writer:
        for name, plane in zip(NAMES, ramp((2, 20, 24), "uint8"), strict=True):
            text = f"<PerkinElmer-QPI-ImageDescription><Name>{name}</Name></PerkinElmer-QPI-ImageDescription>"
            options = {"resolution": (20000, 20000), "resolutionunit": "CENTIMETER", "metadata": None}
            writer.write(plane, description=text, software="PerkinElmer-QPI", **options)


def zeiss(path):
    with czi.create_czi(str(path)) as writer:
        for c, z in np.ndindex(2, 3):
            writer.write(ramp((20, 24))[..., np.newaxis] + np.uint16(10 * c + z), plane={"C": c, "Z": z})
        names = dict(enumerate(NAMES))
        writer.write_metadata("a", channel_names=names, scale_x=2.5e-7, scale_y=5e-7, scale_z=2e-6)


def ilastik(path):
    with h5py.File(path, "w") as file:
        file["data"] = ramp((3, 20, 24, 2))
        tags = json.dumps({"axes": [{"key": key} for key in "zyxc"]})
        file["data"].attrs.update(axistags=tags, element_size_um=(2.0, 0.5, 0.25))


def mrc(path):
    with mrcfile.new(path) as file:
        file.set_data(ramp((3, 20, 24)))
        file.set_volume()
        file.voxel_size = (2500, 5000, 20000)


def nifti(path):
    image = nibabel.Nifti1Image(ramp((24, 20, 3)), np.diag([0.25, 0.5, 2, 1]))
    image.header.set_xyzt_units("micron")
    nibabel.save(image, path)


def ome_zarr(path, zarr_format=3):
    sizes = {"z": 2.0, "y": 0.5, "x": 0.25}
    ngff.write_zarr(path, ramp((2, 3, 20, 24)), "czyx", spacing=sizes, zarr_format=zarr_format)


def centimetres(path):
    options = {"resolution": (20000, 40000), "resolutionunit": "CENTIMETER", "metadata": None}
    tifffile.imwrite(path, ramp((20, 24)), photometric="minisblack", **options)


WRITERS = {"zeiss": zeiss, "ilastik": ilastik, "mrc": mrc, "nifti": nifti, "ome_zarr": ome_zarr}
WRITERS |= {"ome_zarr_2": functools.partial(ome_zarr, zarr_format=2), "centimetres": centimetres}
WRITERS |= {"npy": lambda path: np.save(path, ramp((3, 20, 24)))}
WRITERS |= {"png": lambda path: Image.fromarray(ramp((20, 24, 3), "uint8")).save(path)}
WRITERS |= {"slide": slide, "qptiff": qptiff, "ome": ome, "imagej": imagej, "plain": plain, "shaped": shaped}
WRITERS["colour"] = colour

# writer, name: axes, shape, spacing in micrometres, where from, channel names, whether colours, checksum
TABLE = [
    ("ome", "a.ome.tif", "tczyx", (2, 2, 3, 20, 24), (2.0, 0.5, 0.25), "OME-XML", NAMES, False, 728275047),
    ("ome", "a.btf", "tczyx", (2, 2, 3, 20, 24), (2.0, 0.5, 0.25), "OME-XML", NAMES, False, 728275047),
    ("imagej", "a.tif", "tczyx", (2, 2, 3, 20, 24), (2.0, 0.5, 0.25), "ImageJ", (), False, 728275047),
    ("plain", "a.tif", "zyx", (3, 20, 24), None, "", (), False, 1609774530),
    ("plain", "a.flex", "zyx", (3, 20, 24), None, "", (), False, 1609774530),
    ("plain", "a.TF8", "zyx", (3, 20, 24), None, "", (), False, 1609774530),
    ("shaped", "a.tiff", "cyx", (2, 20, 24), None, "", (), False, 2784981476),
    ("colour", "a.tif", "cyx", (3, 20, 24), None, "", (), True, 1674791129),
    ("zeiss", "a.czi", "czyx", (2, 3, 20, 24), (2.0, 0.5, 0.25), "CZI", NAMES, False, 781769265),
    ("ilastik", "a.h5", "czyx", (2, 3, 20, 24), (2.0, 0.5, 0.25), "HDF5", (), False, 1599763005),
    ("mrc", "a.mrc", "zyx", (3, 20, 24), (2.0, 0.5, 0.25), "MRC", (), False, 1609774530),
    ("nifti", "a.nii.gz", "zyx", (3, 20, 24), (2.0, 0.5, 0.25), "NIfTI", (), False, 718537790),
    ("ome_zarr", "a.zarr", "czyx", (2, 3, 20, 24), (2.0, 0.5, 0.25), "OME-Zarr", (), False, 1508983647),
    ("ome_zarr_2", "a", "czyx", (2, 3, 20, 24), (2.0, 0.5, 0.25), "OME-Zarr", (), False, 1508983647),
    ("centimetres", "a.tif", "yx", (20, 24), (0.25, 0.5), "TIFF tags", (), False, 2416047356),
    ("npy", "a.npy", "zyx", (3, 20, 24), None, "", (), False, 1609774530),
    ("png", "a.png", "cyx", (3, 20, 24), None, "", (), True, 1674791129),
    ("slide", "a.svs", "cyx", (3, 256, 256), (0.25, 0.25), "Aperio", (), True, 1200169426),
    ("qptiff", "a.qptiff", "cyx", (2, 20, 24), (0.5, 0.5), "PerkinElmer", NAMES, False, 730826001),
]


@pytest.mark.parametrize(
    ("writer", "name", "axes", "shape", "spacing", "source", "names", "is_rgb", "crc"), TABLE
)
def test_format(tmp_path, writer, name, axes, shape, spacing, source, names, is_rgb, crc):
    WRITERS[writer](tmp_path / name)
    (info,) = images.image_info(tmp_path / name)
    assert (info.axes, info.shape, info.spacing_source) == (axes, shape, source)
    assert info.spacing == (None if spacing is None else pytest.approx(spacing))
    assert info.unit == (None if spacing is None else "micrometer")
    assert (info.channel_names, info.is_rgb) == (names, is_rgb)
    pixels = images.imread(tmp_path / name, frame=1 if "t" in axes else None)
    assert (pixels.shape, pixels.dtype) == (shape[len(shape) - pixels.ndim :], info.dtype)
    assert zlib.crc32(pixels.tobytes()) == crc
