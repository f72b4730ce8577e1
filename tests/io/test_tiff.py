import os
import struct
import sys
import time
import uuid

import numpy as np
import pytest
import tifffile

from objclass.io import images


def example(shape, dtype="uint16", seed=0):
    return (np.random.default_rng(seed).random(shape) * 250).astype(dtype)


def write_set(folder, names, stored_in, sizes=(0.5,)):
    """Write an OME-TIFF set: every file has the whole description; image i has its planes in given files.

    stored_in[i] lists (file number, z) of the planes of image i, sizes[i] is its pixel size.
    """
    ids = [uuid.uuid4() for _ in names]
    planes = [example((len(places), 6, 7), seed=i) for i, places in enumerate(stored_in)]
    images_xml, stored = "", {number: [] for number in range(len(names))}
    for i, places in enumerate(stored_in):
        data = ""
        for number, z in places:
            data += (
                f'<TiffData FirstC="0" FirstZ="{z}" FirstT="0" IFD="{len(stored[number])}" PlaneCount="1">'
                f'<UUID FileName="{names[number]}">urn:uuid:{ids[number]}</UUID></TiffData>'
            )
            stored[number].append(planes[i][z])
        images_xml += (
            f'<Image ID="Image:{i}" Name="Pos{i}">'
            f'<Pixels ID="Pixels:{i}" DimensionOrder="XYZCT" Type="uint16"'
            f' SizeX="7" SizeY="6" SizeC="1" SizeZ="{len(places)}" SizeT="1" PhysicalSizeX="{sizes[i]}"'
            f' PhysicalSizeY="{sizes[i]}" PhysicalSizeZ="2"><Channel ID="Channel:{i}:0" Name="DAPI" />{data}'
            "</Pixels></Image>"
        )
    for number, name in enumerate(names):
        xml = (
            '<?xml version="1.0" encoding="UTF-8"?><OME '
            'xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06" '
            f'UUID="urn:uuid:{ids[number]}">{images_xml}</OME>'
        )
        with tifffile.TiffWriter(folder / name) as writer:
            for at, plane in enumerate(stored[number]):
                writer.write(
                    plane, description=xml if at == 0 else None, metadata=None, photometric="minisblack"
                )
    return planes


def test_each_file_of_a_set_of_positions_gives_its_own_position(tmp_path):
    names = [f"scan_Pos{i}.ome.tif" for i in range(3)]
    stored_in = [[(i, z) for z in range(4)] for i in range(3)]
    planes = write_set(tmp_path, names, stored_in, sizes=(0.5, 0.25, 0.125))
    for i, name in enumerate(names):
        (info,) = images.image_info(tmp_path / name)
        assert info.name == f"Pos{i}"
        assert info.spacing == (2, 0.5 / 2**i, 0.5 / 2**i)
        assert (info.spacing_source, info.unit, info.files) == ("OME-XML", "micrometer", (tmp_path / name,))
        np.testing.assert_array_equal(images.imread(tmp_path / name), planes[i])
    (tmp_path / names[0]).unlink()
    (tmp_path / names[1]).rename(tmp_path / "renamed.ome.tif")
    np.testing.assert_array_equal(images.imread(tmp_path / "renamed.ome.tif"), planes[1])
    np.testing.assert_array_equal(images.imread(tmp_path / names[2]), planes[2])


def test_a_set_of_one_plane_a_file_is_one_image_of_several_files(tmp_path):
    names = [f"scan_Z{z}.ome.tif" for z in range(4)]
    (planes,) = write_set(tmp_path, names, [[(z, z) for z in range(4)]])
    for name in names:
        (info,) = images.image_info(tmp_path / name)
        assert [path.name for path in info.files] == names
        assert info.shape == (4, 6, 7)
        np.testing.assert_array_equal(images.imread(tmp_path / name), planes)
    (tmp_path / names[2]).unlink()
    with pytest.raises(ValueError, match="1 of its 4 planes are missing"):
        images.imread(tmp_path / names[0])


@pytest.mark.parametrize("name", ["../secret.tif", "/etc/passwd", "..\\secret.tif", "C:secret.tif"])
def test_an_ome_file_names_only_files_of_its_folder(tmp_path, name):
    write_set(tmp_path, ["a.ome.tif", "b.ome.tif"], [[(0, 0), (1, 1)]])
    xml = tifffile.tiffcomment(tmp_path / "a.ome.tif")
    tifffile.tiffcomment(tmp_path / "a.ome.tif", xml.replace("b.ome.tif", name).encode())
    with pytest.raises(ValueError, match="a file outside its folder"):
        images.imread(tmp_path / "a.ome.tif")


def test_an_image_of_more_strips_than_there_are_is_refused_at_once(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", np.zeros((40, 48), np.uint8), compression="zlib")
    with tifffile.TiffFile(tmp_path / "a.tif", mode="r+") as tiff:
        tags = tiff.pages.first.tags
        tags["ImageLength"].overwrite(2**28)
        tags["RowsPerStrip"].overwrite(10)
        tags["ImageWidth"].overwrite(5)
    with pytest.raises(
        ValueError, match=r"a\.tif \(EOFError: 1 of 26,843,546 tiles or strips of a plane are"
    ):
        images.imread(tmp_path / "a.tif")


def test_companion_file(tmp_path):
    (planes,) = write_set(tmp_path, ["a.ome.tif"], [[(0, z) for z in range(3)]])
    xml = tifffile.tiffcomment(tmp_path / "a.ome.tif")
    (tmp_path / "a.companion.ome").write_text(xml)
    only = (
        '<OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06" '
        f'UUID="{xml.split("UUID=")[1][1:46]}">'
        '<BinaryOnly MetadataFile="a.companion.ome" UUID="urn:uuid:0"/></OME>'
    )
    tifffile.tiffcomment(tmp_path / "a.ome.tif", only)
    (info,) = images.image_info(tmp_path / "a.ome.tif")
    assert (info.axes, info.spacing, info.channel_names) == ("zyx", (2, 0.5, 0.5), ("DAPI",))
    np.testing.assert_array_equal(images.imread(tmp_path / "a.ome.tif"), planes)
    with pytest.raises(ValueError, match=r"got a\.companion\.ome\. It holds only the metadata: pass one of"):
        images.imread(tmp_path / "a.companion.ome")


def test_several_series_of_a_file(tmp_path):
    planes = [example((6 + i, 7), seed=i) for i in range(3)]
    with tifffile.TiffWriter(tmp_path / "wells.ome.tif", ome=True) as writer:
        for i, plane in enumerate(planes):
            metadata = {"axes": "YX", "Name": f"well {i}", "PhysicalSizeX": 1 + i, "PhysicalSizeY": 1 + i}
            writer.write(plane, metadata=metadata)
    path = tmp_path / "wells.ome.tif"
    infos = images.image_info(path)
    assert [info.name for info in infos] == ["well 0", "well 1", "well 2"]
    assert [info.spacing for info in infos] == [(1, 1), (2, 2), (3, 3)]
    for i, plane in enumerate(planes):
        np.testing.assert_array_equal(images.imread(path, series=i), plane)
        assert images.read_spacing(path, series=i) == (1 + i, 1 + i)
    with pytest.warns(
        UserWarning, match=r"the first of 3 series \(well 0, well 1, well 2\).*series=, 0 to 2"
    ):
        np.testing.assert_array_equal(images.imread(path), planes[0])
    with pytest.raises(ValueError, match="series: expected an integer of at least 0 and of at most 2"):
        images.imread(path, series=3)


def test_thumbnails_are_no_images(tmp_path):
    image = example((64, 64), "uint8")
    with tifffile.TiffWriter(tmp_path / "a.tif") as writer:
        writer.write(image[::8, ::8], subfiletype=1, metadata=None)
        writer.write(image, metadata=None)
    np.testing.assert_array_equal(images.imread(tmp_path / "a.tif"), image)
    with tifffile.TiffWriter(tmp_path / "a.ome.tif", ome=True) as writer:
        writer.write(image[::8, ::8], metadata={"axes": "YX", "Name": "label image"})
        writer.write(image, metadata={"axes": "YX", "Name": "scan"})
    np.testing.assert_array_equal(images.imread(tmp_path / "a.ome.tif"), image)


def test_slide_of_an_aperio_scanner(tmp_path):
    picture = example((256, 256, 3), "uint8")
    with tifffile.TiffWriter(tmp_path / "a.svs") as writer:
        description = "Aperio Image Library v1\n256x256 |MPP = 0.25|AppMag = 40"
        options = {"metadata": None, "photometric": "rgb"}
        writer.write(picture, tile=(64, 64), description=description, **options)
        writer.write(picture[::8, ::8], description="Aperio thumbnail", **options)
        writer.write(picture[::4, ::4], tile=(64, 64), description="Aperio level", **options)
        writer.write(picture[::8, ::4], description="Aperio\nlabel 1", subfiletype=1, **options)
        writer.write(picture[::8, ::2], description="Aperio\nmacro 1", subfiletype=9, **options)
    (info,) = images.image_info(tmp_path / "a.svs")
    assert (info.shape, info.is_rgb, info.spacing, info.spacing_source) == (
        (3, 256, 256),
        True,
        (0.25, 0.25),
        "Aperio",
    )
    np.testing.assert_array_equal(images.imread(tmp_path / "a.svs"), np.moveaxis(picture, 2, 0))


@pytest.mark.parametrize(
    ("axes", "options"),
    [
        ("TZCYX", {"imagej": True}),
        ("TZCYX", {"ome": True, "compression": "zlib"}),
        ("TZCYX", {"compression": "zlib"}),
    ],
)
def test_parts_are_those_of_the_whole(tmp_path, axes, options):
    array = example((3, 4, 2, 16, 17))
    tifffile.imwrite(tmp_path / "a.tif", array, metadata={"axes": axes}, photometric="minisblack", **options)
    (info,) = images.image_info(tmp_path / "a.tif")
    assert (info.axes, info.shape, info.n_frames) == ("tczyx", (3, 2, 4, 16, 17), 3)
    whole = array.swapaxes(1, 2)
    for t in range(3):
        np.testing.assert_array_equal(images.imread(tmp_path / "a.tif", frame=t), whole[t])
        part = images.imread(tmp_path / "a.tif", frame=t, channel=1)
        np.testing.assert_array_equal(part, whole[t, 1], strict=True)
        part = images.imread(tmp_path / "a.tif", frame=t, channel=[1, 0])
        np.testing.assert_array_equal(part, whole[t, ::-1], strict=True)
    with pytest.raises(ValueError, match="channel: expected an integer of at least 0 and of at most 1"):
        images.imread(tmp_path / "a.tif", frame=0, channel=2)


def test_channels_by_name(tmp_path):
    array = example((2, 6, 7))
    metadata = {"axes": "CYX", "Channel": {"Name": ["DAPI", "GFP"]}}
    tifffile.imwrite(tmp_path / "a.ome.tif", array, metadata=metadata, photometric="minisblack")
    (info,) = images.image_info(tmp_path / "a.ome.tif")
    assert (info.channel_names, info.n_channels, info.ndim) == (("DAPI", "GFP"), 2, 2)
    np.testing.assert_array_equal(images.imread(tmp_path / "a.ome.tif", channel="GFP"), array[1])
    with pytest.raises(
        ValueError,
        match=r"channel: expected the name of one channel of a\.ome.tif, got 'Cy5'; its .* are DAPI, GFP",
    ):
        images.imread(tmp_path / "a.ome.tif", channel="Cy5")
    for channels, message in (([], "one or more different channels"), ([1, "GFP"], "different channels")):
        with pytest.raises(ValueError, match=message):
            images.imread(tmp_path / "a.ome.tif", channel=channels)


def test_colours_and_alpha(tmp_path):
    picture = example((8, 9, 4), "uint8")
    constant = picture.copy()
    constant[..., 3] = 255
    for name, array, n in (("alpha", picture, 4), ("opaque", constant, 3)):
        tifffile.imwrite(tmp_path / f"{name}.tif", array, photometric="rgb", extrasamples=["unassalpha"])
        (info,) = images.image_info(tmp_path / f"{name}.tif")
        assert (info.shape, info.is_rgb) == ((n, 8, 9), n == 3)
        np.testing.assert_array_equal(
            images.imread(tmp_path / f"{name}.tif"), np.moveaxis(array, 2, 0)[:n], strict=True
        )


def endless_tiff(path, back):
    tags = [(256, 4, 4), (257, 4, 4), (258, 3, 8), (259, 3, 1), (262, 3, 1), (273, 4, 122), (277, 3, 1)]
    tags += [(278, 4, 4), (279, 4, 16)]
    body = b"II*\0" + struct.pack("<IH", 8, len(tags))
    body += b"".join(struct.pack("<HHII", code, kind, 1, value) for code, kind, value in tags)
    path.write_bytes(body + struct.pack("<I", back) + bytes(16))


def test_endless_tiff(tmp_path):
    endless_tiff(tmp_path / "a.tif", 8)
    start = time.perf_counter()
    with pytest.raises(ValueError, match="its pages refer to each other in a circle"):
        images.imread(tmp_path / "a.tif")
    assert time.perf_counter() - start < 5
    endless_tiff(tmp_path / "a.tif", 5000)
    with pytest.raises(ValueError, match="page 2 is truncated or damaged"):
        images.imread(tmp_path / "a.tif")


@pytest.mark.parametrize("claim", ['SizeZ="400000000"', 'SizeZ="-3"', 'SizeZ="0"'])
def test_ome_xml_that_claims_absurd_numbers_of_planes(tmp_path, claim):
    images.imwrite(tmp_path / "a.ome.tif", example((4, 6, 7)))
    xml = tifffile.tiffcomment(tmp_path / "a.ome.tif")
    tifffile.tiffcomment(tmp_path / "a.ome.tif", xml.replace('SizeZ="4"', claim).encode())
    with pytest.raises(ValueError, match=r"its OME-XML states .* planes"):
        images.imread(tmp_path / "a.ome.tif")


@pytest.mark.parametrize("compression", [None, "zlib"])
def test_planes_missing_from_an_ome_tiff(tmp_path, compression):
    array = example((3, 4, 6, 7))
    path = tmp_path / "a.ome.tif"
    tifffile.imwrite(path, array, metadata={"axes": "TZYX"}, compression=compression)
    xml = tifffile.tiffcomment(path)
    tifffile.tiffcomment(path, xml.replace('SizeT="3"', 'SizeT="5"').encode())
    with pytest.raises(ValueError, match="4 of its 4 planes are missing: read only the planes that exist"):
        images.imread(path, frame=4)
    np.testing.assert_array_equal(images.imread(path, frame=2), array[2])


def test_planes_missing_from_an_imagej_tiff(tmp_path):
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, example((3, 6, 7)), imagej=True, metadata={"axes": "ZYX"})
    text = tifffile.tiffcomment(path)
    tifffile.tiffcomment(path, text.replace("images=3", "images=5").replace("slices=3", "slices=5").encode())
    with pytest.raises(
        ValueError, match=r"its metadata state the shape \(5, 6, 7\), its pixels have \(3, 6, 7\)"
    ):
        images.imread(path)


def test_a_bare_ampersand_in_the_xml(tmp_path):
    array = example((4, 6, 7))
    path = tmp_path / "a.ome.tif"
    tifffile.imwrite(path, array, metadata={"axes": "ZYX", "Name": "A-B"})
    xml = tifffile.tiffcomment(path)
    tifffile.tiffcomment(path, xml.replace("A-B", "A&B").encode())
    with pytest.warns(UserWarning, match="its OME-XML is not valid XML"):
        np.testing.assert_array_equal(images.imread(path), array)
    with pytest.warns(UserWarning, match="its OME-XML is not valid XML"):
        (info,) = images.image_info(path)
    assert (info.name, info.axes) == ("A&B", "zyx")
    tifffile.tiffcomment(path, xml.replace("<Pixels", "<Pixls").encode())
    with pytest.warns(UserWarning, match="was ignored: the axes and voxel size are unknown"):
        np.testing.assert_array_equal(images.imread(path), array)


@pytest.mark.parametrize("byteorder", ["<", ">"])
@pytest.mark.parametrize("bigtiff", [False, True])
def test_pages_and_tags_are_found_in_each_kind_of_tiff(tmp_path, byteorder, bigtiff):
    path, array = tmp_path / "a.tif", example((3, 6, 7), byteorder + "u2")
    extra = [(65000, 2, 40, "x" * 39, True)]
    tifffile.imwrite(
        path, array, byteorder=byteorder, bigtiff=bigtiff, photometric="minisblack", extratags=extra
    )
    np.testing.assert_array_equal(images.imread(path, axes="zyx"), array)
    with tifffile.TiffFile(path) as tiff:
        at = tiff.pages[0].tags[65000].offset
    data = bytearray(path.read_bytes())
    data[at + 2 : at + 4] = struct.pack(byteorder + "H", 99)
    path.write_bytes(data)
    with pytest.warns(UserWarning, match=r"its tags \[65000\] are damaged"):
        np.testing.assert_array_equal(images.imread(path, axes="zyx"), array)


@pytest.mark.parametrize("code", [256, 257, 258, 259, 262, 277, 284, 317, 322, 323, 324, 325, 339])
def test_a_broken_tag_without_which_the_pixels_would_be_wrong(tmp_path, code):
    path = tmp_path / "a.tif"
    colours = np.arange(40 * 50 * 3, dtype=np.int16).reshape(40, 50, 3)
    options = {"tile": (16, 32), "compression": "zlib", "predictor": True, "planarconfig": "contig"}
    tifffile.imwrite(path, colours, photometric="rgb", **options)
    with tifffile.TiffFile(path) as tiff:
        at = tiff.pages[0].tags[code].offset
    data = bytearray(path.read_bytes())
    data[at + 2 : at + 4] = struct.pack("<H", 99)
    path.write_bytes(data)
    with pytest.raises(ValueError, match=rf"its tags \[{code}\] cannot be read"):
        images.imread(path)


@pytest.mark.parametrize("size", [0.1, 0.65, 0.3225, 0.108333, 1.5, 12.0])
def test_pixel_sizes_are_read_as_they_were_written(tmp_path, size):
    for name in ("a.tif", "a.ome.tif"):
        images.imwrite(tmp_path / name, np.zeros((4, 5), np.uint8), spacing=size)
        assert images.read_spacing(tmp_path / name) == (size, size)


def test_three_samples_are_no_colours_where_the_file_says_so(tmp_path):
    array = example((5, 6, 3))
    tifffile.imwrite(tmp_path / "a.tif", array, photometric="minisblack", planarconfig="contig")
    (info,) = images.image_info(tmp_path / "a.tif")
    assert (info.axes, info.n_channels, info.is_rgb) == ("cyx", 3, False)
    np.testing.assert_array_equal(images.imread(tmp_path / "a.tif"), np.moveaxis(array, -1, 0))


def test_a_broken_private_tag(tmp_path):
    array = example((6, 7))
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, array, extratags=[(65000, 2, 40, "x" * 39, True)])
    data = bytearray(path.read_bytes())
    at = data.index(struct.pack("<HH", 65000, 2))
    data[at + 2 : at + 4] = struct.pack("<H", 99)  # a type that no TIFF knows
    path.write_bytes(data)
    with pytest.warns(UserWarning, match=r"a.tif: its tags \[65000\] are damaged and were ignored"):
        np.testing.assert_array_equal(images.imread(path), array)
    data = data.replace(struct.pack("<HHI", 257, 3, 1), struct.pack("<HHI", 257, 99, 1))
    data = data.replace(struct.pack("<HHI", 257, 4, 1), struct.pack("<HHI", 257, 99, 1))
    path.write_bytes(data)
    with pytest.raises(ValueError, match=r"its tags \[257\] cannot be read"):
        images.imread(path)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="the system has no pipes in folders")
def test_pipes_are_refused(tmp_path):
    os.mkfifo(tmp_path / "a.tif")
    with pytest.raises(ValueError, match=r"path: expected a file, got .*a pipe or a device"):
        images.imread(tmp_path / "a.tif")


def test_the_limit_on_memory(tmp_path, monkeypatch):
    tifffile.imwrite(tmp_path / "a.tif", np.zeros((1000, 1000), np.uint8), compression="zlib")
    monkeypatch.setenv("OBJCLASS_MAX_IMAGE_GB", "0.0001")
    with pytest.raises(ValueError, match=r"of at most 0.0001 GB.*OBJCLASS_MAX_IMAGE_GB"):
        images.imread(tmp_path / "a.tif")
    monkeypatch.setenv("OBJCLASS_MAX_IMAGE_GB", "0.1")
    assert images.imread(tmp_path / "a.tif").shape == (1000, 1000)
    monkeypatch.setenv("OBJCLASS_MAX_IMAGE_GB", "much")
    with pytest.raises(ValueError, match="OBJCLASS_MAX_IMAGE_GB: expected a number of gigabytes, got much"):
        images.imread(tmp_path / "a.tif")


def test_a_file_is_opened_once_and_its_pages_are_read_once(tmp_path, monkeypatch):
    tifffile.imwrite(
        tmp_path / "a.ome.tif", example((2, 40, 6, 7)), metadata={"axes": "TZYX"}, compression="zlib"
    )
    opened, frames = [], []
    of_frame = tifffile.TiffFrame.__init__
    path = str(tmp_path / "a.ome.tif")

    def count_frame(self, *arguments, **keywords):
        frames.append(1)
        of_frame(self, *arguments, **keywords)

    def count_file(event, arguments):
        if event == "open" and opened is not None and str(arguments[0]) == path:
            opened.append(1)

    monkeypatch.setattr(tifffile.TiffFrame, "__init__", count_frame)
    sys.addaudithook(count_file)
    images.imread(path, frame=1)
    assert (len(opened), len(frames)) == (1, 79)
    opened = None  # a hook cannot be removed


@pytest.mark.parametrize(
    "options", [{"metadata": None}, {"ome": True}, {"compression": "zlib", "metadata": None}]
)
def test_thousands_of_pages_are_read_nearly_as_fast_as_by_tifffile(tmp_path, options):
    path = tmp_path / "a.tif"
    with tifffile.TiffWriter(path, ome=options.pop("ome", False)) as writer:
        writer.write(example((4000, 16, 16)), photometric="minisblack", **options)
    ratios = []
    for _ in range(7):
        start = time.perf_counter()
        expected = tifffile.imread(path)
        middle = time.perf_counter()
        got = images.imread(path)
        ratios.append((time.perf_counter() - middle) / (middle - start))
    np.testing.assert_array_equal(got, expected)
    assert min(ratios) < 1.3, ratios


def test_a_colour_picture_whose_samples_are_called_channels(tmp_path):
    picture = np.arange(20 * 30 * 3, dtype=np.uint16).reshape(20, 30, 3)
    tifffile.imwrite(tmp_path / "a.tif", picture, photometric="rgb", metadata={"axes": "YXC"})
    (info,) = images.image_info(tmp_path / "a.tif")
    assert (info.axes, info.shape, info.is_rgb) == ("cyx", (3, 20, 30), True)
    np.testing.assert_array_equal(images.imread(tmp_path / "a.tif"), np.moveaxis(picture, 2, 0))


def test_white_that_is_stored_as_0_is_told(tmp_path):
    plane = np.eye(16, dtype=np.uint8)
    tifffile.imwrite(tmp_path / "a.tif", plane, photometric="miniswhite")
    with pytest.warns(UserWarning, match=r"a\.tif: it stores white as 0"):
        np.testing.assert_array_equal(images.imread(tmp_path / "a.tif"), plane)
    tifffile.imwrite(tmp_path / "fax.tif", plane > 0, software=False)
    with pytest.warns(UserWarning, match=r"fax\.tif: it stores white as 0"):
        images.imread(tmp_path / "fax.tif")
    tifffile.imwrite(tmp_path / "mask.tif", plane > 0)  # which tifffile stores so
    np.testing.assert_array_equal(images.imread(tmp_path / "mask.tif"), plane > 0)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"resolution": (20000, 40000), "resolutionunit": "CENTIMETER"}, (0.25, 0.5)),
        ({"resolution": (118.11, 118.11), "resolutionunit": "CENTIMETER"}, None),  # of a print, 300 dpi
        ({"resolution": (300, 300), "resolutionunit": "INCH"}, None),
        ({"resolution": (2, 4), "metadata": {"unit": "um"}}, (0.25, 0.5)),
        ({"resolution": (2, 4), "metadata": {"unit": "nm"}}, (0.00025, 0.0005)),
        ({"resolution": (2, 4), "metadata": {"unit": "inch"}}, None),
        ({"metadata": {"unit": "um"}}, None),
        ({"imagej": True, "resolution": (20000, 40000), "resolutionunit": "CENTIMETER"}, (0.25, 0.5)),
        ({"imagej": True, "resolution": (118.11, 118.11), "resolutionunit": "CENTIMETER"}, None),
    ],
)
def test_pixel_size_of_a_plain_tiff(tmp_path, options, expected):
    tifffile.imwrite(tmp_path / "a.tif", np.eye(16, dtype=np.uint8), photometric="minisblack", **options)
    found = images.read_spacing(tmp_path / "a.tif")
    assert found == (None if expected is None else pytest.approx(expected))


def test_voxel_size_in_the_words_of_tifffile(tmp_path):
    metadata = {"axes": "ZYX", "unit": "um", "spacing": 2.0}
    stack = np.zeros((5, 16, 16), np.uint8)
    tifffile.imwrite(tmp_path / "a.tif", stack, resolution=(4, 4), metadata=metadata)
    assert images.read_spacing(tmp_path / "a.tif") == (2.0, 0.25, 0.25)


def test_the_map_of_a_slide_is_no_image(tmp_path, monkeypatch):
    real = tifffile.TiffFile.series

    def named(self):
        series = real.__get__(self)
        series[1].name = "Map"
        return series

    tifffile.imwrite(tmp_path / "a.tif", np.zeros((16, 16), np.uint8), metadata=None)
    tifffile.imwrite(tmp_path / "a.tif", np.zeros((20, 24), np.uint8), append=True, metadata=None)
    assert len(images.image_info(tmp_path / "a.tif")) == 2
    monkeypatch.setattr(tifffile.TiffFile, "series", property(named))
    assert len(images.image_info(tmp_path / "a.tif")) == 1


def test_levels_of_a_pyramid_that_are_called_images_are_none(tmp_path):
    array = np.arange(70 * 90, dtype=np.uint16).reshape(70, 90)
    with tifffile.TiffWriter(tmp_path / "a.ome.tif", ome=True) as writer:
        for n, step in enumerate((1, 2, 4)):
            writer.write(array[::step, ::step], metadata={"axes": "YX", "Name": f"slide #{n}"})
        writer.write(array, metadata={"axes": "YX", "Name": "another"})
    told = "2 of its images are a half, third or quarter of the size of the one before"
    with pytest.warns(UserWarning, match=told):
        infos = images.image_info(tmp_path / "a.ome.tif")
    assert [(info.name, info.shape) for info in infos] == [("slide #0", (70, 90)), ("another", (70, 90))]
    with tifffile.TiffWriter(tmp_path / "b.ome.tif", ome=True) as writer:
        for step in (1, 2):  # an overview and a detail
            writer.write(array[::step, ::step], metadata={"axes": "YX"})
    assert len(images.image_info(tmp_path / "b.ome.tif")) == 2
    with tifffile.TiffWriter(tmp_path / "plain.tif") as writer:
        for step in (1, 2, 4):
            writer.write(array[::step, ::step], metadata=None)
    with pytest.warns(UserWarning, match=told):
        np.testing.assert_array_equal(images.imread(tmp_path / "plain.tif"), array)


def test_signed_values_of_imagej_have_their_sign(tmp_path):
    array = np.arange(-12, 12, dtype=np.int16).reshape(2, 3, 4)

    def save(name, more):
        text = f"ImageJ=1.54f\nimages=2\nslices=2\n{more}"
        stored = (array.astype(int) + 0x8000).astype(np.uint16)
        options = {"photometric": "minisblack", "byteorder": ">", "metadata": None}
        tifffile.imwrite(tmp_path / name, stored, description=text, **options)
        return images.imread(tmp_path / name)

    signed = save("signed.tif", "cf=0\nc0=-32768.0\nc1=1.0\nvunit=gray value\n")
    np.testing.assert_array_equal(signed, array, strict=True)
    np.testing.assert_array_equal(save("plain.tif", "cf=0\nc0=0\nc1=1\n"), array.astype(int) + 0x8000)
    with pytest.warns(UserWarning, match="shows its values calibrated, in OD; they are read as they are"):
        save("density.tif", "cf=3\nc0=1.5\nc1=-0.01\nvunit=OD\n")


@pytest.mark.parametrize(("state", "expected"), [("on", (0.5, 0.25)), ("off", None)])
def test_pixel_size_of_metamorph(tmp_path, state, expected):
    values = {"x": ("float", 0.25), "y": ("float", 0.5), "units": ("string", "um"), "state": ("bool", state)}
    lines = "".join(
        f'<prop id="spatial-calibration-{name}" type="{kind}" value="{value}"/>'
        for name, (kind, value) in values.items()
    )
    description = f"<MetaData><PlaneInfo>{lines}</PlaneInfo></MetaData>"
    options = {"metadata": None, "software": "MetaSeries", "resolution": (72, 72), "resolutionunit": 2}
    tifffile.imwrite(tmp_path / "a.tif", np.zeros((4, 5), np.uint16), description=description, **options)
    assert images.read_spacing(tmp_path / "a.tif") == expected
