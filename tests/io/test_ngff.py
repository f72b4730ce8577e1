"""OME-Zarr of every version, by content: groups, arrays, labels, plates, zip files and URLs."""

import contextlib
import functools
import http.server
import shutil
import threading
import warnings

import numpy as np
import pytest
import zarr

from objclass import chunked
from objclass.io import images, ngff
from objclass.io.labels import read_labels

VERSIONS = ["0.1", "0.2", "0.3", "0.4", "0.5"]


def example(shape, dtype="uint16", seed=0):
    return (np.random.default_rng(seed).random(shape) * 250 + 1).astype(dtype)


def multiscales(version, names, name=""):
    """Return the metadata of an image as each version writes them; scales are known from 0.4 on."""
    kinds = {"t": "time", "c": "channel"}
    image = {"name": name, "datasets": [{"path": "s0"}], "version": version}
    if version == "0.3":
        image["axes"] = list(names)
    elif version > "0.3":
        unit = {"type": "space", "unit": "micrometer"}
        image["axes"] = [{"name": a, **({"type": kinds[a]} if a in kinds else unit)} for a in names]
        scale = [{"t": 1.0, "c": 1.0, "z": 2.0}.get(a, 0.5) for a in names]
        image["datasets"][0]["coordinateTransformations"] = [{"type": "scale", "scale": scale}]
    return [image]


def attributes(version, content):
    return {"ome": {"version": version, **content}} if version == "0.5" else content


def write(group, version, array, names, **more):
    group.attrs.update(attributes(version, {"multiscales": multiscales(version, names), **more}))
    group.create_array("s0", data=array, chunks=(1,) * (array.ndim - 2) + array.shape[-2:])


def new_group(path, version):
    return zarr.open_group(path, mode="w", zarr_format=3 if version == "0.5" else 2)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("name", ["a.zarr", "a", "a.n5"])
def test_versions_under_any_name(tmp_path, version, name):
    array = example((2, 3, 4, 8, 9))
    omero = {"omero": {"channels": [{"label": name} for name in ("DAPI", "GFP", "Cy5")]}}
    write(new_group(tmp_path / name, version), version, array, "tczyx", **omero)
    (info,) = images.image_info(tmp_path / name)
    assert (info.axes, info.shape, info.n_frames) == ("tczyx", array.shape, 2)
    assert info.channel_names == ("DAPI", "GFP", "Cy5")
    assert info.spacing == ((2, 0.5, 0.5) if version > "0.3" else None)
    np.testing.assert_array_equal(images.imread(tmp_path / name, frame=1), array[1], strict=True)
    part = images.imread(tmp_path / name, frame=1, channel="GFP")
    np.testing.assert_array_equal(part, array[1, 1], strict=True)
    assert chunked.imread(tmp_path / name, frame=1)[2, 1:3].tolist() == array[1, 2, 1:3].tolist()


@pytest.mark.parametrize("version", ["0.4", "0.5"])
def test_an_array_inside_an_image(tmp_path, version):
    array = example((4, 8, 9))
    write(new_group(tmp_path / "a.zarr", version), version, array, "zyx")
    (info,) = images.image_info(tmp_path / "a.zarr" / "s0")
    assert (info.axes, info.spacing) == ("zyx", (2, 0.5, 0.5))
    np.testing.assert_array_equal(images.imread(tmp_path / "a.zarr" / "s0"), array)


def test_an_array_with_names_of_axes(tmp_path):
    array = example((4, 8, 9))
    zarr.create_array(tmp_path / "a.zarr", data=array, dimension_names=["c", "y", "x"])
    assert images.image_info(tmp_path / "a.zarr")[0].axes == "cyx"


@pytest.mark.parametrize("version", ["0.4", "0.5"])
def test_labels_beside_an_image(tmp_path, version):
    image, labels = example((4, 8, 9)), example((4, 8, 9), "int32", seed=1)
    group = new_group(tmp_path / "a.zarr", version)
    write(group, version, image, "zyx")
    inner = group.create_group("labels", attributes=attributes(version, {"labels": ["nuclei", "cells"]}))
    for name, content in (("nuclei", labels), ("cells", labels + 1)):
        write(inner.create_group(name), version, content, "zyx", **{"image-label": {"version": version}})
    np.testing.assert_array_equal(images.imread(tmp_path / "a.zarr"), image)
    np.testing.assert_array_equal(images.imread(tmp_path / "a.zarr/labels/cells"), labels + 1)
    assert [info.name for info in images.image_info(tmp_path / "a.zarr/labels")] == ["nuclei", "cells"]
    np.testing.assert_array_equal(read_labels(tmp_path / "a.zarr", series=1), labels + 1)
    with pytest.warns(UserWarning, match=r"the first of 2 series \(nuclei, cells\)"):
        np.testing.assert_array_equal(read_labels(tmp_path / "a.zarr"), labels)


@pytest.mark.parametrize("version", ["0.4", "0.5"])
def test_a_plate(tmp_path, version):
    plate = new_group(tmp_path / "plate.zarr", version)
    wells = [
        {"path": "A/1", "rowIndex": 0, "columnIndex": 0},
        {"path": "B/2", "rowIndex": 1, "columnIndex": 1},
    ]
    plate.attrs.update(attributes(version, {"plate": {"wells": wells}}))
    fields = {}
    for seed, well in enumerate(wells):
        group = plate.create_group(well["path"])
        content = {"well": {"images": [{"path": "0"}, {"path": "1"}]}}
        group.attrs.update(attributes(version, content))
        for field in "01":
            fields[f"{well['path']}/{field}"] = example((8, 9), seed=10 * seed + int(field))
            write(group.create_group(field), version, fields[f"{well['path']}/{field}"], "yx")
    infos = images.image_info(tmp_path / "plate.zarr")
    assert [info.name for info in infos] == list(fields) == ["A/1/0", "A/1/1", "B/2/0", "B/2/1"]
    for info in infos:
        np.testing.assert_array_equal(
            images.imread(tmp_path / "plate.zarr", series=info.series), fields[info.name]
        )
    assert [info.name for info in images.image_info(tmp_path / "plate.zarr/B/2")] == ["0", "1"]


def test_several_series_of_bioformats2raw(tmp_path):
    group = new_group(tmp_path / "a.zarr", "0.4")
    group.attrs["bioformats2raw.layout"] = 3
    arrays = [example((8, 9), seed=seed) for seed in range(11)]
    for number, array in enumerate(arrays):
        write(group.create_group(str(number)), "0.4", array, "yx")
    assert [info.name for info in images.image_info(tmp_path / "a.zarr")] == [str(n) for n in range(11)]
    np.testing.assert_array_equal(images.imread(tmp_path / "a.zarr", series=10), arrays[10])
    group.create_group("OME", attributes={"series": ["3", "1"]})
    assert [info.name for info in images.image_info(tmp_path / "a.zarr")] == ["3", "1"]


@pytest.mark.parametrize("name", ["a.zarr.zip", "a.ozx"])
def test_zipped(tmp_path, name):
    array = example((2, 4, 8, 9))
    write(new_group(tmp_path / "folder", "0.5"), "0.5", array, "czyx")
    shutil.make_archive(tmp_path / "a", "zip", tmp_path / "folder")
    (tmp_path / "a.zip").rename(tmp_path / name)
    (info,) = images.image_info(tmp_path / name)
    assert (info.axes, info.spacing) == ("czyx", (2, 0.5, 0.5))
    np.testing.assert_array_equal(images.imread(tmp_path / name, channel=1), array[1], strict=True)


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


@pytest.fixture
def server(tmp_path):
    """Serve tmp_path at the loopback address."""
    handler = functools.partial(Quiet, directory=str(tmp_path))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as serving:
        threading.Thread(target=serving.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{serving.server_address[1]}"
        serving.shutdown()


@pytest.mark.parametrize("version", ["0.4", "0.5"])
def test_urls(tmp_path, server, version):
    array = example((2, 4, 8, 9))
    write(new_group(tmp_path / "a.zarr", version), version, array, "czyx")
    (info,) = images.image_info(f"{server}/a.zarr")
    assert (info.axes, info.shape, info.spacing) == ("czyx", (2, 4, 8, 9), (2, 0.5, 0.5))
    np.testing.assert_array_equal(images.imread(f"{server}/a.zarr"), array, strict=True)
    np.testing.assert_array_equal(chunked.imread(f"{server}/a.zarr")[1, 2:], array[1, 2:], strict=True)
    with pytest.raises(ValueError, match=r"path: expected a complete .* image, got http.*none"):
        images.imread(f"{server}/none.zarr")


@pytest.mark.parametrize("version", ["0.4", "0.5"])
def test_missing_chunks_are_counted(tmp_path, version):
    array = example((4, 8, 9))
    write(new_group(tmp_path / "a.zarr", version), version, array, "zyx")
    victims = [p for p in sorted((tmp_path / "a.zarr/s0").rglob("*")) if p.is_file() and p.name[0] != "."]
    victims = [p for p in victims if p.name != "zarr.json"]
    victims[0].unlink()
    victims[1].unlink()
    with pytest.warns(UserWarning, match=r"a\.zarr: 2 of 4 chunks are missing and are read as 0"):
        images.imread(tmp_path / "a.zarr")
    with pytest.warns(UserWarning, match="2 of 4 chunks are missing"):
        chunked.imread(tmp_path / "a.zarr")


def test_missing_shards_are_counted(tmp_path):
    whole = {"shards": (4, 32, 32), "chunks": (1, 16, 16), "dimension_names": ["z", "y", "x"]}
    zarr.create_array(tmp_path / "a.zarr", data=example((5, 40, 40)), **whole)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        images.imread(tmp_path / "a.zarr")
    shards = [path for path in (tmp_path / "a.zarr/c").rglob("*") if path.is_file()]
    assert len(shards) == 8
    shards[0].unlink()
    with pytest.warns(UserWarning, match=r"a\.zarr: 1 of 8 chunks are missing"):
        images.imread(tmp_path / "a.zarr")


def test_what_objclass_writes_has_all_of_its_chunks(tmp_path):
    images.imwrite(tmp_path / "a.zarr", np.zeros((2, 80, 20, 20), np.int32))
    chunked.imwrite(tmp_path / "b.zarr", np.zeros((600, 600), np.int32))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert images.imread(tmp_path / "a.zarr").max() == images.imread(tmp_path / "b.zarr").max() == 0


def test_labels_written_beside_an_image(tmp_path):
    image, labels = example((4, 8, 9)), example((4, 8, 9), "int32")
    images.imwrite(tmp_path / "image.zarr", image, spacing=(2, 0.5, 0.25))
    images.imwrite(tmp_path / "labels.zarr", labels, labels_of=tmp_path / "image.zarr")
    (info,) = images.image_info(tmp_path / "labels.zarr")
    assert (info.spacing, info.axes) == ((2, 0.5, 0.25), "zyx")
    np.testing.assert_array_equal(read_labels(tmp_path / "labels.zarr"), labels, strict=True)
    about = zarr.open_group(tmp_path / "labels.zarr", mode="r").attrs["ome"]["image-label"]
    assert about["version"] == "0.5"
    source = (tmp_path / "labels.zarr" / about["source"]["image"]).resolve()
    np.testing.assert_array_equal(images.imread(source), image)
    with pytest.raises(ValueError, match=r"labels of the shape of image\.zarr, \(4, 8, 9\)"):
        images.imwrite(tmp_path / "b.zarr", labels[1:], labels_of=tmp_path / "image.zarr")
    for name, array in (("b.tif", labels), ("b.zarr", labels / 2)):
        with pytest.raises(
            ValueError, match=r"labels_of: expected integer labels that are written to a \.zarr"
        ):
            images.imwrite(tmp_path / name, array, labels_of=tmp_path / "image.zarr")


def test_metadata_that_do_not_fit(tmp_path):
    write(new_group(tmp_path / "a.zarr", "0.4"), "0.4", example((4, 8, 9)), "zyx")
    shutil.rmtree(tmp_path / "a.zarr/s0")
    with pytest.raises(ValueError, match="The file is damaged, incomplete or of another format"):
        images.imread(tmp_path / "a.zarr")
    group = new_group(tmp_path / "b.zarr", "0.4")
    write(group, "0.4", example((4, 8, 9)), "yx")
    with pytest.raises(ValueError, match="its metadata name 2 axes, its array has 3"):
        images.imread(tmp_path / "b.zarr")


@pytest.mark.parametrize("zarr_format", [2, 3])
@pytest.mark.parametrize("is_consolidated", [False, True])
def test_labels_are_written_into_the_image(tmp_path, zarr_format, is_consolidated):
    image, pixels = tmp_path / "image.zarr", np.arange(60, dtype=np.uint16).reshape(3, 4, 5)
    ngff.write_zarr(image, pixels, "zyx", spacing={"z": 2.0, "y": 0.5, "x": 0.25}, zarr_format=zarr_format)
    if is_consolidated:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            zarr.consolidate_metadata(image)
    labels = (pixels % 3).astype(np.int32)
    images.imwrite(image / "labels" / "nuclei", labels, labels_of=image)
    images.imwrite(image / "labels" / "cells", labels + 1, labels_of=image)
    images.imwrite(image / "labels" / "nuclei", labels * 2, labels_of=image)
    group = zarr.open_group(image / "labels", mode="r")
    assert group.metadata.zarr_format == zarr_format
    about = group.attrs.asdict() if zarr_format == 2 else group.attrs["ome"]
    assert about["labels"] == ["nuclei", "cells"]
    written = group["nuclei"].attrs.asdict() if zarr_format == 2 else group["nuclei"].attrs["ome"]
    version = {2: "0.4", 3: "0.5"}[zarr_format]
    assert written["image-label"] == {"version": version, "source": {"image": "../.."}}
    place = written if zarr_format == 3 else written["multiscales"][0]
    assert place["version"] == version
    found = images.image_info(image / "labels")
    assert [(info.name, info.spacing) for info in found] == [
        ("nuclei", (2, 0.5, 0.25)),
        ("cells", (2, 0.5, 0.25)),
    ]
    np.testing.assert_array_equal(images.imread(image / "labels" / "nuclei"), labels * 2, strict=True)
    np.testing.assert_array_equal(images.imread(image), pixels)
    assert "labels/cells" in zarr.open_group(image, mode="r")
    if zarr_format == 2:
        assert (image / "labels" / "nuclei" / "0" / "0" / "0" / "0").is_file()


@pytest.mark.parametrize("place", ["nuclei", "labels", "labels/a/b"])
def test_labels_go_nowhere_else_in_an_image(tmp_path, place):
    image = tmp_path / "image.zarr"
    images.imwrite(image, np.zeros((4, 5)))
    with pytest.raises(ValueError, match=r"path: expected .*image\.zarr.labels.NAME, as NGFF has it"):
        images.imwrite(image / place, np.zeros((4, 5), np.int32), labels_of=image)
    with pytest.raises(ValueError, match=r"path: expected a name that ends in one of"):
        images.imwrite(image / "labels" / "a", np.zeros((4, 5), np.int32))


@pytest.mark.parametrize("version", ["0.4", "0.5"])
def test_the_largest_level_is_read_wherever_it_stands(tmp_path, version):
    array = example((4, 16, 20))
    group = new_group(tmp_path / "a.zarr", version)
    (image,) = multiscales(version, "zyx")
    coarse = {"path": "s1", "coordinateTransformations": [{"type": "scale", "scale": [2.0, 1.0, 1.0]}]}
    image["datasets"].insert(0, coarse)
    group.attrs.update(attributes(version, {"multiscales": [image]}))
    group.create_array("s0", data=array)
    group.create_array("s1", data=array[:, ::2, ::2])
    with pytest.warns(UserWarning, match="not in descending order; the largest, s0, is read"):
        assert (images.imread(tmp_path / "a.zarr") == array).all()
    with pytest.warns(UserWarning, match="not in descending order"):
        assert images.read_spacing(tmp_path / "a.zarr") == (2, 0.5, 0.5)


@pytest.mark.parametrize("version", ["0.4", "0.5"])
def test_images_of_a_plate_that_are_missing_are_counted(tmp_path, version):
    plate = new_group(tmp_path / "plate.zarr", version)
    wells = [{"path": f"A/{n}"} for n in (1, 2, 3)]
    plate.attrs.update(attributes(version, {"plate": {"wells": wells}}))
    for n in (1, 2):
        well = plate.create_group(f"A/{n}")
        well.attrs.update(attributes(version, {"well": {"images": [{"path": "0"}, {"path": "1"}]}}))
        for field in range(n):
            write(well.create_group(str(field)), version, example((8, 9), seed=n + field), "yx")
    with pytest.warns(UserWarning, match=r"2 of its images are listed and missing: A/1/1, A/3\."):
        names = [info.name for info in images.image_info(tmp_path / "plate.zarr")]
    assert names == ["A/1/0", "A/2/0", "A/2/1"]


def test_a_unit_that_is_not_known_is_told(tmp_path):
    (image,) = multiscales("0.4", "zyx")
    for axis in image["axes"]:
        axis["unit"] = "inch"
    group = new_group(tmp_path / "a.zarr", "0.4")
    group.attrs.update({"multiscales": [image]})
    group.create_array("s0", data=example((2, 8, 9)))
    with pytest.warns(UserWarning, match="has the unit 'inch', which is not known: it is not used"):
        assert images.read_spacing(tmp_path / "a.zarr") is None


@pytest.mark.parametrize("scale", [[1.0, 1.0], ["a", "b", "c"]])
def test_a_scale_that_does_not_fit(tmp_path, scale):
    (image,) = multiscales("0.4", "zyx")
    image["datasets"][0]["coordinateTransformations"] = [{"type": "scale", "scale": scale}]
    group = new_group(tmp_path / "a.zarr", "0.4")
    group.attrs.update({"multiscales": [image]})
    group.create_array("s0", data=example((2, 8, 9)))
    with pytest.raises(ValueError, match=r"its scale is \[.*\], not 3 numbers"):
        images.imread(tmp_path / "a.zarr")


SCALE = {"type": "scale", "scale": [2.0, 0.5, 0.5]}
SHIFT = {"type": "translation", "translation": [1.0, 1.0, 1.0]}
AFFINE = {"type": "affine", "affine": [[2.0, 0, 0, 0], [0, 0.5, 0, 0], [0, 0, 0.5, 0]]}


@pytest.mark.parametrize("version", ["0.4", "0.5"])
@pytest.mark.parametrize(
    ("transforms", "expected"),
    [
        ([SCALE, SHIFT], (2, 0.5, 0.5)),
        ([{"type": "sequence", "transformations": [SCALE, SHIFT]}], (2, 0.5, 0.5)),
        ([{"type": "identity"}], (1, 1, 1)),
        ([AFFINE], None),
        ([{"type": "scale", "path": "scale"}], None),
        ([], None),
    ],
)
def test_a_voxel_size_is_that_of_known_transformations_alone(tmp_path, version, transforms, expected):
    (image,) = multiscales(version, "zyx")
    image["datasets"][0]["coordinateTransformations"] = transforms
    group = new_group(tmp_path / "a.zarr", version)
    group.attrs.update(attributes(version, {"multiscales": [image]}))
    group.create_array("s0", data=example((2, 8, 9)))
    told = pytest.warns(UserWarning, match="its voxel size is not known. Pass spacing")
    with contextlib.nullcontext() if expected else told:
        assert images.read_spacing(tmp_path / "a.zarr") == expected


def test_axes_in_a_coordinate_system(tmp_path):
    (image,) = multiscales("0.5", "cyx")
    other = [{"name": name, "type": "space"} for name in "zyx"]
    image["coordinateSystems"] = [
        {"name": "stage", "axes": other},
        {"name": "physical", "axes": image.pop("axes")},
    ]
    image["datasets"][0]["coordinateTransformations"][0]["output"] = {"name": "physical"}
    image["coordinateTransformations"] = [{"type": "affine", "output": {"name": "stage"}}]
    group = new_group(tmp_path / "a.zarr", "0.5")
    group.attrs.update(attributes("0.5", {"multiscales": [image]}))
    group.create_array("s0", data=example((2, 8, 9)))
    (info,) = images.image_info(tmp_path / "a.zarr")
    assert (info.axes, info.spacing) == ("cyx", (0.5, 0.5))
