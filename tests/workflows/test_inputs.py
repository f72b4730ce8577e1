"""Which files inputs stand for: nothing twice, nothing that objclass wrote, and ignored files are counted."""

import json
import os
import re
import unicodedata
import warnings

import numpy as np
import pytest
import tifffile

import objclass
from objclass.workflows.inputs import (
    ImageFile,
    Item,
    describe_left_out,
    describe_planes,
    find_images,
    with_distinct_stems,
)


def make(folder, *names):
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"")
    return folder


def names(found):
    return [file.name for file in found.files]


def test_names_are_paths_below_the_folder_that_is_given(tmp_path):
    make(tmp_path, "data/b/x.tif", "data/a.tif")
    assert names(find_images(tmp_path / "data")) == ["a.tif", "b/x.tif"]
    assert names(find_images(tmp_path / "data" / "b")) == ["x.tif"]
    assert names(find_images(tmp_path / "data" / "*" / "*.tif")) == ["b/x.tif"]
    assert names(find_images([tmp_path / "data" / "b" / "x.tif", tmp_path / "data" / "a.tif"])) == [
        "a.tif",
        "b/x.tif",
    ]


def test_the_names_do_not_depend_on_which_images_a_folder_holds(tmp_path):
    make(tmp_path, "data/b/x.tif")
    first = find_images(tmp_path / "data")
    make(tmp_path, "data/a.tif")
    second = find_images(tmp_path / "data")
    assert (first.root, names(first)) == (second.root, ["b/x.tif"])


def test_what_is_left_out_is_counted(tmp_path):
    make(tmp_path, "a.tif", "b.pdf", "c.md", "d.PDF", "noend", ".hidden.tif", ".git/x.tif")
    os.mkfifo(tmp_path / "pipe.tif")
    (tmp_path / "nowhere.tif").symlink_to("gone.tif")
    (tmp_path / "same.tif").symlink_to("a.tif")
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "back").symlink_to("..")
    found = find_images(tmp_path)
    assert names(found) == ["a.tif"]
    assert describe_left_out(found.left_out) == (
        "ignored: files of other formats (4: . without suffix, .md, .pdf), broken links (1), "
        "cyclic links (1), hidden files (2), other names of the same files (1), pipes or devices (1)"
    )


def test_a_file_is_taken_once_and_by_its_own_name(tmp_path):
    make(tmp_path, "z/real.tif", "z/other.tif")
    os.link(tmp_path / "z" / "other.tif", tmp_path / "z" / "zz.tif")
    (tmp_path / "a").symlink_to("z")
    (tmp_path / "link.tif").symlink_to("z/real.tif")
    assert names(find_images(tmp_path)) == ["z/other.tif", "z/real.tif"]
    assert names(find_images([tmp_path / "z", tmp_path / "z" / "real.tif"])) == ["other.tif", "real.tif"]


def test_links_to_images_elsewhere_are_followed(tmp_path):
    make(tmp_path, "store/x.tif", "store/deep/y.tif")
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "x1.tif").symlink_to("../store/x.tif")
    (tmp_path / "data" / "more").symlink_to("../store/deep")
    assert names(find_images(tmp_path / "data")) == ["more/y.tif", "x1.tif"]


def test_what_lies_in_out_is_left_out(tmp_path):
    make(tmp_path, "data/a.tif", "data/results/labels/a.tif.ome.tif", "data/results/mine.tif")
    found = find_images(tmp_path / "data", out=tmp_path / "data" / "results")
    assert names(found) == ["a.tif"]
    assert found.left_out == {"results of objclass": 1}
    (tmp_path / "link").symlink_to("data")
    assert names(find_images(tmp_path / "link", out=tmp_path / "data" / "results")) == ["a.tif"]
    assert names(find_images(tmp_path / "data", out=tmp_path / "link" / "results")) == ["a.tif"]
    (tmp_path / "data" / "l.tif").symlink_to("results/mine.tif")
    assert names(find_images(tmp_path / "data", out=tmp_path / "data" / "results")) == ["a.tif"]


def test_what_earlier_runs_and_batches_wrote_is_left_out(tmp_path):
    make(tmp_path, "a.tif", "run/labels.tif", "run/overview.png", "run/mine.tif")
    make(tmp_path, "batch/labels/a.ome.tif", "batch/tables/x.tif", "batch/own.tif", "labels/mine.tif")
    make(
        tmp_path, "work/c.cl", "work/annotations.tif", "work/nuclei-annotations.ome.tif", "work/strokes1.tif"
    )
    make(tmp_path, "work/cells.tif")
    (tmp_path / "run" / "run.json").write_text(json.dumps({"record": 2}))
    (tmp_path / "batch" / "batch.json").write_text(json.dumps({"classifier": ""}))
    found = find_images(tmp_path)
    assert names(found) == ["a.tif", "batch/own.tif", "labels/mine.tif", "run/mine.tif", "work/cells.tif"]
    assert found.left_out["results of objclass"] == 7
    with pytest.raises(FileNotFoundError, match=r"results of objclass \(1\)"):
        find_images(tmp_path / "batch" / "labels")
    (tmp_path / "in.tif").symlink_to("batch/labels/a.ome.tif")
    assert "in.tif" not in names(find_images(tmp_path))


def test_a_folder_of_images_in_a_batchs_folder_is_taken(tmp_path):
    make(tmp_path, "images/a.tif", "labels/images__a.tif.ome.tif")
    (tmp_path / "batch.json").write_text(json.dumps({"classifier": ""}))
    assert names(find_images(tmp_path / "images", out=tmp_path)) == ["a.tif"]
    assert names(find_images(tmp_path, out=tmp_path)) == ["images/a.tif"]


def test_the_batch_json_of_another_program_means_nothing(tmp_path):
    make(tmp_path, "labels/a.tif")
    (tmp_path / "batch.json").write_text('{"size": 3}')
    assert names(find_images(tmp_path)) == ["labels/a.tif"]


def test_what_is_named_and_no_image_is_refused_beside_images_too(tmp_path):
    make(tmp_path, "a.tif", "notes.txt")
    os.mkfifo(tmp_path / "pipe.tif")
    for name, reason in (
        ("notes.txt", "notes.txt. Images end in"),
        ("pipe.tif", "pipe.tif, a pipe, a device"),
    ):
        with pytest.raises(FileNotFoundError, match=reason):
            find_images([tmp_path / "a.tif", tmp_path / name])


@pytest.mark.parametrize("given", ["none.tif", "notes.txt", "*.png", "pipe.tif", "nowhere.tif"])
def test_inputs_that_are_no_images(tmp_path, given):
    make(tmp_path, "notes.txt")
    os.mkfifo(tmp_path / "pipe.tif")
    (tmp_path / "nowhere.tif").symlink_to("gone.tif")
    with pytest.raises(FileNotFoundError, match="inputs: expected images, or a folder of them"):
        find_images(tmp_path / given)


def test_an_empty_text_is_not_the_working_directory():
    with pytest.raises(ValueError, match="inputs: expected images, or a folder of them, got an empty text"):
        find_images("")


def test_brackets_in_a_name_are_no_pattern(tmp_path):
    make(tmp_path, "a[1].tif", "b[2]/c.tif")
    assert names(find_images(tmp_path / "a[1].tif")) == ["a[1].tif"]
    assert names(find_images(tmp_path / "b[2]")) == ["c.tif"]


def test_a_zarr_image_is_one(tmp_path):
    objclass.imwrite(tmp_path / "i.zarr", np.zeros((8, 8), np.uint8))
    assert names(find_images(tmp_path)) == ["i.zarr"]


def test_stems_are_short_plain_and_differ():
    given = [
        "a.tif",
        "a/b.tif",
        "a__b.tif",
        "a_b.tif",
        "n" * 241 + ".tif",
        "n" * 242 + ".tif",
        "x:y.tif",
        "./=a.tif",
    ]
    given += ["µ" * 100 + ".tif", "caf\\xe9.tif", "a~b.tif", "new\nline.tif", "a.tif~0123456789abcdef"]
    given += ["CON", "aux.tif", "Com1.ome.tif", "lpt² .tif", "b/nul.tif", "x" * 99 + "/" * 60 + "prn.tif"]
    stems = [Item(ImageFile("", name)).stem for name in given]
    assert stems[0] == "a.tif"
    assert len({stem.lower() for stem in stems}) == len(given)
    assert all(len(stem.encode()) < 160 and "/" not in stem and "\n" not in stem for stem in stems)
    reserved = re.compile(r"(con|prn|aux|nul|com\d|lpt[\d²])[ .~]", re.IGNORECASE)
    assert not any(reserved.match(f"{stem}.ome.tif") for stem in stems)
    assert Item(ImageFile("", "console.tif")).stem == "console.tif"
    assert Item(ImageFile("", "a.tif"), 2, 7).stem == "a.tif_s002_t00007"
    assert Item(ImageFile("", "a.tif"), 2, 7).title == "a.tif#2, frame 7"


def test_channels_are_put_into_the_order_of_the_training(tmp_path):
    from objclass.workflows.parameters import Parameters
    from objclass.workflows.reading import Reading

    image = np.random.default_rng(0).random((2, 16, 16)).astype("f4")
    for name, names, pixels in (("a", ["DAPI", "GFP"], image), ("b", ["GFP", "DAPI"], image[::-1])):
        metadata = {"axes": "CYX", "Channel": {"Name": names}}
        tifffile.imwrite(tmp_path / f"{name}.ome.tif", pixels, metadata=metadata, photometric="minisblack")
    scribbles = np.zeros((16, 16), np.uint8)
    scribbles[2], scribbles[9] = 1, 2
    picture = Reading().read(tmp_path / "a.ome.tif", 2, "the scribbles")
    classifier = Parameters.of(n_estimators=5).train([picture], [scribbles])
    assert classifier.channel_names == ("DAPI", "GFP")
    with pytest.warns(UserWarning, match="channels GFP, DAPI were reordered to DAPI, GFP"):
        other = Reading().read(tmp_path / "b.ome.tif", 2, "it", channel_names=classifier.channel_names)
    np.testing.assert_array_equal(other.image, image)
    chosen = Reading(channel="GFP").read(tmp_path / "b.ome.tif", 2, "it", channel_names=("DAPI", "GFP"))
    np.testing.assert_array_equal(chosen.segmented, image[1])
    assert chosen.segmented_names == ("GFP",)


def test_a_classifier_of_some_channels_takes_these_from_a_file_with_more(tmp_path):
    from objclass.workflows.batch import segment_folder
    from objclass.workflows.reading import Reading
    from objclass.workflows.run import run_image

    image = np.random.default_rng(0).random((3, 40, 40)).astype("f4")
    image[1, 10:20, 10:20] += 5
    metadata = {"axes": "CYX", "Channel": {"Name": ["BF", "DAPI", "GFP"]}}
    tifffile.imwrite(tmp_path / "a.ome.tif", image, metadata=metadata, photometric="minisblack")
    scribbles = np.zeros((40, 40), np.uint8)
    scribbles[2], scribbles[12, 11:19] = 1, 2
    classifier = objclass.train_object_classifier(
        image[1], scribbles, channel_names=["DAPI"], n_estimators=5, path=tmp_path / "dapi.cl"
    )
    picture = Reading().read(tmp_path / "a.ome.tif", 2, "it", channel_names=classifier.channel_names)
    assert picture.channels == (1,)
    np.testing.assert_array_equal(picture.segmented, image[1])
    expected = objclass.segment(image[1], classifier, progress=False)
    run_image(tmp_path / "a.ome.tif", tmp_path / "out", classifier=tmp_path / "dapi.cl")
    np.testing.assert_array_equal(objclass.imread(tmp_path / "out" / "labels.tif"), expected)
    batch = segment_folder(tmp_path / "a.ome.tif", tmp_path / "dapi.cl", tmp_path / "batch")
    assert not batch.failed
    assert batch.n_objects == expected.max()


def test_a_channel_whose_name_is_a_number_goes_by_its_name(tmp_path):
    from objclass.workflows.reading import Reading

    image = np.random.default_rng(0).random((2, 16, 16)).astype("f4")
    write_channels(tmp_path / "a.ome.tif", ["405", "1"], image)
    for names in (("405",), ("1",)):
        picture = Reading().read(tmp_path / "a.ome.tif", 2, "it", channel_names=names)
        assert picture.segmented_names == names
        assert Reading(channel=names).read(tmp_path / "a.ome.tif", 2, "it").segmented_names == names
    write_channels(tmp_path / "b.ome.tif", ["1", "2"], image)
    picture = Reading().read(tmp_path / "b.ome.tif", 2, "it", channel_names=("1",))
    np.testing.assert_array_equal(picture.segmented, image[0])


def test_stems_differ_where_the_file_system_takes_names_for_the_same():
    given = ["A.tif", "a.tif", "b.tif", "straße.tif", "STRASSE.tif", "é.tif", "e\u0301.tif"]
    items = [Item(ImageFile("", name), frame=1) for name in given]
    stems = [item.stem for item in with_distinct_stems(items)]
    assert len({unicodedata.normalize("NFD", stem).casefold() for stem in stems}) == len(given)
    assert stems[2] == "b.tif_t00001"
    assert [item.stem for item in with_distinct_stems(items[1:3])] == ["a.tif_t00001", "b.tif_t00001"]


def write_channels(path, names, image):
    metadata = {"axes": "CYX", "Channel": {"Name": names}}
    tifffile.imwrite(path, image, metadata=metadata, photometric="minisblack")


def test_channels_of_other_names_than_in_the_training_are_told(tmp_path):
    from objclass.workflows.reading import Reading

    image = np.random.default_rng(0).random((2, 16, 16)).astype("f4")
    for name, names, told in (
        ("same", ["dapi", "GFP"], 0),
        ("other", ["RFP", "DAPI"], 1),
        ("twice", ["DAPI", "DAPI"], 1),
    ):
        write_channels(tmp_path / f"{name}.ome.tif", names, image)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            Reading().read(tmp_path / f"{name}.ome.tif", 2, "it", channel_names=("DAPI", "GFP"))
            Reading(channel=(0, 1)).read(tmp_path / f"{name}.ome.tif", 2, "it", channel_names=("DAPI", "GFP"))
        expected = f"its channels are {', '.join(names)}, in the training they are DAPI, GFP"
        assert [expected in str(one.message) for one in caught] == [True] * told


def test_images_for_training_have_their_channels_in_one_order(tmp_path, capsys):
    from objclass.cli import main

    image = np.random.default_rng(0).random((2, 16, 16)).astype("f4")
    image[0, 8:] += 9
    scribbles = np.zeros((16, 16), np.uint8)
    scribbles[2], scribbles[9] = 1, 2
    tifffile.imwrite(tmp_path / "s.tif", scribbles)
    write_channels(tmp_path / "a.ome.tif", ["DAPI", "GFP"], image)
    write_channels(tmp_path / "b.ome.tif", ["GFP", "DAPI"], image[::-1])
    paths = {name: str(tmp_path / f"{name}.ome.tif") for name in "ab"}

    def train(*names, channel=()):
        scribbled = ["--annotations", *[str(tmp_path / "s.tif")] * len(names)]
        out = ["--n-estimators", "3", "--out", str(tmp_path / "c.cl"), *channel]
        with warnings.catch_warnings():
            warnings.simplefilter("always")
            assert main(["train", *[paths[name] for name in names], *scribbled, *out]) == 0
        return objclass.load_classifier(tmp_path / "c.cl")

    assert train("a", "b").forest == train("a", "a").forest
    capsys.readouterr()
    train("a", "b", channel=["--channel", "0"])
    assert "The chosen channels have different names in the images: DAPI; GFP" in capsys.readouterr().err
    train("a", "b", channel=["--channel", "DAPI"])
    assert "different names" not in capsys.readouterr().err


def test_coarser_copies_of_micromanager_are_no_images(tmp_path):
    make(tmp_path, "x/Full resolution/a.tif", "x/Downsampled_x2/a.tif", "x/Downsampled_x16/a.tif")
    make(tmp_path, "y/Downsampled_x2/a.tif")
    found = find_images(tmp_path)
    assert names(found) == ["x/Full resolution/a.tif", "y/Downsampled_x2/a.tif"]
    assert describe_left_out(found.left_out) == "ignored: folders of coarser copies (2)"


def test_thumbnails_and_deleted_files_of_file_servers_are_no_images(tmp_path):
    make(tmp_path, "a.tif", "@eaDir/a.tif/SYNOPHOTO_THUMB_M.jpg", "$RECYCLE.BIN/old.tif", "__MACOSX/a.tif")
    found = find_images(tmp_path)
    assert names(found) == ["a.tif"]
    assert describe_left_out(found.left_out) == "ignored: hidden files (3)"


@pytest.mark.parametrize(
    ("pattern", "n_stacks"),
    [
        ("scan_z{:03}.tif", 1),
        ("day1/scan Z{}.tif", 1),
        ("A01/ZStep_{}/site1_w1.TIF", 1),
        ("r01c01f01p{:02}-ch1sk1fk1fl1.tiff", 1),
        ("x_T0001F001L01A01Z{:02}C01.tif", 1),
        ("img_t{:03}.tif", 0),
        ("Z0{}_A01.png", 1),
        ("quiz{}.tif", 0),
        ("B{:02}.tif", 0),
    ],
)
def test_files_that_are_named_like_planes_are_told(tmp_path, pattern, n_stacks):
    make(tmp_path, *(pattern.format(number) for number in range(1, 4)))
    files = find_images(tmp_path).files
    text = describe_planes(files, 2)
    assert describe_planes(files, 3) == ""
    assert text.startswith(f"3 files are named like the planes of {n_stacks} stacks" if n_stacks else "")
    assert bool(text) == bool(n_stacks)
