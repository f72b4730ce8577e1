"""A batch: what is done stays done, whatever happens."""

import hashlib
import os
import random
import shutil
import signal
import subprocess
import sys
import time

import numpy as np
import pandas as pd
import pytest
import tifffile

import objclass
from objclass import cli
from objclass._common.locking import locked
from objclass.io import opening
from objclass.workflows.batch import segment_folder
from objclass.workflows.batch_tables import join_tables
from objclass.workflows.output_folder import check_out
from objclass.workflows.record import read_sealed, write_sealed
from objclass.workflows.run import run_image

SHAPE = (6, 20, 24)


def stack(seed, shape=SHAPE):
    rng = np.random.default_rng(seed)
    image = rng.normal(100, 5, shape)
    for _ in range(4):
        corner = [int(rng.integers(0, n - 4)) for n in shape]
        image[tuple(slice(c, c + 4) for c in corner)] += 300
    return image.astype(np.uint16)


@pytest.fixture(scope="module")
def classifier():
    image = stack(0)
    features = "original gaussian_blur=1"
    return objclass.train_object_classifier(
        image, np.where(image > 250, 2, 1), features=features, n_estimators=5
    )


def make_images(folder, n):
    folder.mkdir()
    for number in range(n):
        objclass.imwrite(folder / f"stack{number:03}.tif", stack(number), spacing=(2, 0.5, 0.5))
    return folder


def contents(folder):
    """Checksums of all files in a folder; of a batch's own, those without times in them."""
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
        and path.name not in (".lock", "batch.json", "cache.json", "run.json", "images.csv")
        and path.parent.name != "done"
    }


def image_table(out):
    return pd.read_csv(out / "images.csv").drop(columns="seconds")


def test_results_are_those_of_the_functions(tmp_path, classifier):
    images = make_images(tmp_path / "images", 3)
    seen = []
    batch = segment_folder(images, classifier, tmp_path / "out", progress=lambda *done: seen.append(done))
    assert (batch.n_images, batch.n_done_before, batch.failed, seen[-1]) == (3, 0, {}, (3, 3))
    table = pd.read_csv(tmp_path / "out" / "objects.csv")
    pd.testing.assert_frame_equal(table, pd.read_parquet(tmp_path / "out" / "objects.parquet"), rtol=1e-12)
    assert list(table.columns[:4]) == ["image", "frame", "label", "unit"]
    assert set(table["unit"]) == {"micrometer"}
    attrs = objclass.read_table(tmp_path / "out" / "objects.csv").attrs
    assert objclass.read_table(tmp_path / "out" / "objects.parquet").attrs == attrs
    assert (attrs["spacing"], attrs["unit"]) == ([2, 0.5, 0.5], "µm")
    columns = attrs["columns"]
    assert (columns["area"]["unit"], columns["centroid-0"]["unit"]) == ("µm³", "µm")
    assert {*table.columns} - {*columns} == {"image", "frame", "label", "unit"}
    for path in sorted(images.iterdir()):
        labels = objclass.exclude_small(objclass.segment(objclass.imread(path), classifier), 20)
        stored = tmp_path / "out" / "labels" / f"{path.name}.ome.tif"
        np.testing.assert_array_equal(objclass.imread(stored), labels)
        assert objclass.read_spacing(stored) == (2, 0.5, 0.5)
        rows = table[table["image"] == path.name].reset_index(drop=True)
        rows = rows.drop(columns=["image", "frame", "unit"])
        expected = objclass.measure(labels, objclass.imread(path), spacing=(2, 0.5, 0.5))
        pd.testing.assert_frame_equal(rows, expected, rtol=1e-12)
    assert batch.n_objects == len(table) > 3


def test_a_classifier_of_planes_is_applied_to_stacks(tmp_path):
    images = make_images(tmp_path / "images", 1)
    image = objclass.imread(images / "stack000.tif")
    of_planes = objclass.train_object_classifier(image[3], np.where(image[3] > 250, 2, 1), n_estimators=5)
    batch = segment_folder(images, of_planes, tmp_path / "out", planewise=True, progress=False)
    assert not batch.failed
    labels = objclass.segment(image, of_planes, planewise=True, spacing=(2, 0.5, 0.5))
    stored = objclass.imread(tmp_path / "out" / "labels" / "stack000.tif.ome.tif")
    np.testing.assert_array_equal(stored, labels)
    assert read_sealed(tmp_path / "out" / "batch.json")["parameters"]["planewise"] is True
    with pytest.raises(ValueError, match="planewise"):
        segment_folder(images, of_planes, tmp_path / "out", progress=False)


def test_sizes_of_objects_found_plane_by_plane_are_volumes(tmp_path):
    images = make_images(tmp_path / "images", 1)
    image = objclass.imread(images / "stack000.tif")
    of_planes = objclass.train_object_classifier(image[3], np.where(image[3] > 250, 2, 1), n_estimators=5)
    options = {"planewise": True, "spacing": (2, 0.5, 0.5), "min_size": "4 um3"}
    segment_folder(images, of_planes, tmp_path / "out", progress=False, **options)
    stored = objclass.imread(tmp_path / "out" / "labels" / "stack000.tif.ome.tif")
    np.testing.assert_array_equal(stored, objclass.segment(image, of_planes, **options))
    columns = objclass.read_table(tmp_path / "out" / "objects.csv").attrs["columns"]
    assert columns["area"]["unit"] == "µm³"


def test_notes_on_the_voxel_size_are_about_the_planes_and_not_about_filters_that_match_it(tmp_path):
    images = make_images(tmp_path / "images", 1)
    image = objclass.imread(images / "stack000.tif")
    scribbles = np.where(image[3] > 250, 2, 1)
    same, other = (
        objclass.train_object_classifier(image[3], scribbles, n_estimators=5, spacing=spacing)
        for spacing in (0.5, 0.25)
    )
    for classifier, options, expected in (
        (same, {}, 0),
        (other, {}, 1),
        (other, {"match_spacing": True}, 0),
    ):
        out = tmp_path / f"out{expected}{len(options)}"
        segment_folder(images, classifier, out, planewise=True, progress=False, **options)
        (told,) = pd.read_csv(out / "images.csv", keep_default_na=False)["warnings"]
        assert told.count("The voxel size is 0.5 × 0.5") == expected


def test_planes_of_another_brightness_are_noted(tmp_path):
    images = make_images(tmp_path / "images", 1)
    plane = objclass.imread(images / "stack000.tif")[3]
    dark = objclass.train_object_classifier(plane // 9, np.where(plane > 250, 2, 1), n_estimators=5)
    segment_folder(images, dark, tmp_path / "out", planewise=True, progress=False)
    (told,) = pd.read_csv(tmp_path / "out" / "images.csv")["warnings"]
    assert "The 99th percentile is" in told


def test_nothing_is_done_twice_and_what_is_damaged_or_changed_is_done_again(tmp_path, classifier):
    images = make_images(tmp_path / "images", 3)
    segment_folder(images, classifier, tmp_path / "out")
    first = contents(tmp_path / "out")
    batch = segment_folder(images, classifier, tmp_path / "out")
    assert batch.n_done_before == 3
    assert contents(tmp_path / "out") == first
    (tmp_path / "out" / "labels" / "stack001.tif.ome.tif").write_bytes(b"broken")
    left = tmp_path / "out" / "labels" / f".objclass-unfinished-{'0' * 32}.ome.tif"
    left.write_bytes(b"left by a process that was killed")
    assert segment_folder(images, classifier, tmp_path / "out").n_done_before == 2
    (tmp_path / "out" / "labels" / "stack001.tif~changed1.ome.tif").unlink()
    assert contents(tmp_path / "out") == first
    objclass.imwrite(images / "stack002.tif", stack(77), spacing=(2, 0.5, 0.5))
    assert segment_folder(images, classifier, tmp_path / "out").n_done_before == 2
    assert contents(tmp_path / "out") != first


def test_a_batch_removes_nothing_that_it_did_not_make(tmp_path, classifier):
    make_images(tmp_path / "images", 1)
    for name in (".git", ".venv", "photo.zarr"):
        (tmp_path / name).mkdir()
        (tmp_path / name / ".zattrs").write_text("{}")
    (tmp_path / ".env").write_text("SECRET=1")
    before = contents(tmp_path)
    for _ in range(2):
        segment_folder(tmp_path / "images", classifier, tmp_path)
        assert before.items() <= contents(tmp_path).items()
    with pytest.raises(ValueError, match=r"min_size was .*, not 30"):
        segment_folder(tmp_path / "images", classifier, tmp_path, min_size=30)
    assert before.items() <= contents(tmp_path).items()


@pytest.mark.parametrize("name", ["ObjectSegmenter.cl", "objects.csv", "run.json", "labels/mine.tif"])
def test_a_folder_with_files_of_the_same_names_is_refused(tmp_path, classifier, name):
    images = make_images(tmp_path / "images", 1)
    path = tmp_path / "out" / name
    path.parent.mkdir(parents=True)
    path.write_text("precious")
    with pytest.raises(ValueError, match=f"out: expected a new folder.*{name.split('/')[0]}"):
        segment_folder(images, classifier, tmp_path / "out")
    assert [file for file in (tmp_path / "out").rglob("*") if file.is_file()] == [path]
    assert path.read_text() == "precious"


def test_another_classifier_or_parameter_is_noticed(tmp_path, classifier):
    images = make_images(tmp_path / "images", 1)
    segment_folder(images, classifier, tmp_path / "out")
    before = contents(tmp_path / "out")
    with pytest.raises(ValueError, match=r"min_size was .*, not 30"):
        segment_folder(images, classifier, tmp_path / "out", min_size=30)
    image = stack(0)
    other = objclass.train_object_classifier(
        image, np.where(image > 200, 2, 1), n_estimators=3, features="original"
    )
    with pytest.raises(ValueError, match="the classifier was different"):
        segment_folder(images, other, tmp_path / "out")
    assert contents(tmp_path / "out") == before


def test_results_of_two_versions_never_mix(tmp_path, classifier):
    images = make_images(tmp_path / "images", 1)
    segment_folder(images, classifier, tmp_path / "out", measure=False)
    settings = read_sealed(tmp_path / "out" / "batch.json")
    settings["versions"]["objclass"] = "0.0.7"
    write_sealed(tmp_path / "out" / "batch.json", settings)
    with pytest.raises(ValueError, match=r"objclass was 0\.0\.7, not "):
        segment_folder(images, classifier, tmp_path / "out", measure=False)


def test_bad_images_are_reported_and_the_others_done(tmp_path, classifier):
    images = make_images(tmp_path / "images", 2)
    whole = (images / "stack000.tif").read_bytes()
    (images / "corrupt.tif").write_bytes(whole[:600])
    (images / "empty.tif").touch()
    (images / "text.tif").write_text("this is no image")
    objclass.imwrite(images / "channels.tif", np.stack([stack(1), stack(2)]), spacing=1)
    (images / "notes.txt").write_text("not looked at")
    batch = segment_folder(images, classifier, tmp_path / "out")
    assert batch.n_images == 2
    assert sorted(batch.failed) == ["channels.tif", "corrupt.tif", "empty.tif", "text.tif"]
    assert "expected 1 channel, as in the training, got 2" in batch.failed["channels.tif"]
    assert all(
        "expected a complete .tif image" in batch.failed[name] for name in ("corrupt.tif", "empty.tif")
    )
    assert len(pd.read_csv(tmp_path / "out" / "objects.csv")["image"].unique()) == 2
    (images / "corrupt.tif").write_bytes(whole)
    batch = segment_folder(images, classifier, tmp_path / "out")
    assert (batch.n_images, batch.n_done_before, len(batch.failed)) == (3, 2, 3)


def test_frames_channels_folders_and_zarr(tmp_path, classifier):
    (tmp_path / "in" / "sub").mkdir(parents=True)
    series = np.stack([stack(5), stack(6)])
    tifffile.imwrite(tmp_path / "in" / "series.ome.tif", series, metadata={"axes": "TZYX"})
    objclass.imwrite(tmp_path / "in" / "sub" / "image.zarr", stack(7))
    batch = segment_folder(tmp_path / "in", classifier, tmp_path / "out")
    table = pd.read_parquet(tmp_path / "out" / "objects.parquet")
    found = table[["image", "frame"]].drop_duplicates().to_numpy().tolist()
    assert found == [["series.ome.tif", 0], ["series.ome.tif", 1], ["sub/image.zarr", 0]]
    assert batch.n_images == 3
    embedded = objclass.reduce(table, "pca")
    assert len(embedded) == len(table)
    labels = objclass.imread(tmp_path / "out" / "labels" / "series.ome.tif_t00001.ome.tif")
    np.testing.assert_array_equal(labels, objclass.exclude_small(objclass.segment(series[1], classifier), 20))


def test_an_image_without_objects_has_its_row(tmp_path, classifier):
    images = make_images(tmp_path / "images", 2)
    objclass.imwrite(images / "control.tif", np.full(SHAPE, 100, np.uint16), spacing=(2, 0.5, 0.5))
    batch = segment_folder(images, classifier, tmp_path / "out")
    table = pd.read_csv(tmp_path / "out" / "images.csv").set_index("image")
    assert list(table.index) == ["control.tif", "stack000.tif", "stack001.tif"]
    control = table.loc["control.tif"]
    assert (control["n_objects"], control["foreground"], control["min"], control["max"]) == (0, 0, 100, 100)
    assert (control["shape"], control["dtype"], control["unit"]) == ("6x20x24", "uint16", "micrometer")
    assert (control["spacing_z"], control["spacing_y"], control["spacing_x"]) == (2, 0.5, 0.5)
    assert table["n_objects"].sum() == batch.n_objects
    objects = pd.read_csv(tmp_path / "out" / "objects.csv")
    counted = objects.groupby("image").size().reindex(table.index, fill_value=0)
    assert counted.tolist() == table["n_objects"].tolist()


def test_image_unlike_training_images_is_reported(tmp_path, caplog):
    image = stack(0)
    trained = objclass.train_object_classifier(image, np.where(image > 250, 2, 1), spacing=(2, 0.5, 0.5))
    images = make_images(tmp_path / "images", 1)
    objclass.imwrite(images / "bright.tif", stack(1) * 9, spacing=(2, 0.5, 0.5))
    objclass.imwrite(images / "coarse.tif", stack(1), spacing=(2, 1, 1))
    segment_folder(images, trained, tmp_path / "out")
    told = pd.read_csv(tmp_path / "out" / "images.csv").set_index("image")["warnings"].fillna("")
    assert told["stack000.tif"] == ""
    assert "2 of 3 images have warnings, in the column warnings of images.csv; the first, " in caplog.text
    assert "The 99th percentile is " in told["bright.tif"]
    assert told["coarse.tif"].count("The voxel size is 2 × 1 × 1, the classifier was trained at") == 1


def test_only_images_without_objects(tmp_path, classifier):
    objclass.imwrite(tmp_path / "control.tif", np.full(SHAPE, 100, np.uint16))
    assert segment_folder(tmp_path / "control.tif", classifier, tmp_path / "out").n_objects == 0
    assert len(pd.read_csv(tmp_path / "out" / "objects.csv")) == 0
    assert len(pd.read_parquet(tmp_path / "out" / "objects.parquet")) == 0
    assert len(pd.read_csv(tmp_path / "out" / "images.csv")) == 1


def test_results_of_earlier_calls_are_ignored(tmp_path, classifier):
    data = make_images(tmp_path / "data", 2)
    seen = []
    for _ in range(3):
        batch = segment_folder(data, classifier, data / "results", progress=False)
        seen.append(contents(data / "results"))
    assert seen[0] == seen[1] == seen[2]
    assert (batch.n_images, batch.n_done_before) == (2, 2)
    assert segment_folder(data, classifier, tmp_path / "other", progress=False).n_images == 2


def test_another_folder_of_equal_names_is_refused(tmp_path, classifier):
    make_images(tmp_path / "day1", 2)
    make_images(tmp_path / "day2", 2)
    segment_folder(tmp_path / "day1", classifier, tmp_path / "out")
    before = contents(tmp_path / "out")
    with pytest.raises(ValueError, match=r"the images were from another folder, .*day1, not from .*day2"):
        segment_folder(tmp_path / "day2", classifier, tmp_path / "out")
    assert contents(tmp_path / "out") == before


def test_data_and_results_that_moved_together_go_on(tmp_path, classifier):
    (tmp_path / "here").mkdir()
    make_images(tmp_path / "here" / "data", 2)
    segment_folder(tmp_path / "here" / "data", classifier, tmp_path / "here" / "out")
    (tmp_path / "here").rename(tmp_path / "there")
    batch = segment_folder(tmp_path / "there" / "data", classifier, tmp_path / "there" / "out")
    assert batch.n_done_before == 2


def test_changed_pixels_with_the_same_size_and_time_are_noticed(tmp_path, classifier):
    images = make_images(tmp_path / "images", 2)
    for number in range(2):
        np.save(images / f"array{number}.npy", stack(number))
    segment_folder(images / "*.npy", classifier, tmp_path / "out")
    path = images / "array1.npy"
    times = path.stat()
    np.save(path, stack(50))
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert (path.stat().st_size, path.stat().st_mtime_ns) == (times.st_size, times.st_mtime_ns)
    assert segment_folder(images / "*.npy", classifier, tmp_path / "out").n_done_before == 1
    segment_folder(images / "*.npy", classifier, tmp_path / "fresh")
    assert contents(tmp_path / "out") == contents(tmp_path / "fresh")


def test_a_file_with_another_time_and_the_same_pixels_is_not_done_again(tmp_path, classifier):
    images = make_images(tmp_path / "images", 2)
    segment_folder(images, classifier, tmp_path / "out")
    (images / "stack000.tif").touch()
    assert segment_folder(images, classifier, tmp_path / "out").n_done_before == 2


def test_results_that_are_gone_or_changed_are_made_again(tmp_path, classifier):
    images, out = make_images(tmp_path / "images", 3), tmp_path / "out"
    segment_folder(images, classifier, out)
    first = contents(out)
    (out / "labels" / "stack000.tif.ome.tif").unlink()
    (out / "tables" / "stack001.tif.csv").unlink()
    (out / "objects.csv").unlink()
    (out / "images.csv").write_text("note")
    assert segment_folder(images, classifier, out).n_done_before == 1
    assert (out / "images~changed1.csv").read_text() == "note"
    (out / "images~changed1.csv").unlink()
    assert contents(out) == first
    assert len(image_table(out)) == 3


def test_results_that_were_corrected_by_hand_are_kept(tmp_path, classifier, caplog):
    images, out = make_images(tmp_path / "images", 2), tmp_path / "out"
    segment_folder(images, classifier, out)
    first = contents(out)
    names = ["labels/stack000.tif.ome.tif", "objects.csv", "ObjectSegmenter.cl"]
    kept = ["labels/stack000.tif~changed1.ome.tif", "objects~changed1.csv", "ObjectSegmenter~changed1.cl"]
    for name in names:
        (out / name).write_text("corrected")
    segment_folder(images, classifier, out)
    after = contents(out)
    assert {name: after.pop(name) for name in kept}.keys() == {*kept}
    assert after == first
    assert {(out / name).read_text() for name in kept} == {"corrected"}
    assert caplog.text.count("was changed since it was written: it is kept as ") == 3
    (out / names[1]).touch()
    segment_folder(images, classifier, out)
    assert not (out / "objects~changed2.csv").exists()


def test_verify_finds_results_that_changed_in_secret(tmp_path, classifier):
    images, out = make_images(tmp_path / "images", 2), tmp_path / "out"
    segment_folder(images, classifier, out)
    first, path = contents(out), out / "labels" / "stack000.tif.ome.tif"
    times, content = path.stat(), bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert segment_folder(images, classifier, out).n_done_before == 2
    assert segment_folder(images, classifier, out, verify=True).n_done_before == 1
    (out / "labels" / "stack000.tif~changed1.ome.tif").unlink()
    assert contents(out) == first


@pytest.mark.parametrize("damage", [b"", b"{", b"[]", b"null", b"\xff", b'{"batch": 1}', b"{}", b"[" * 9000])
def test_a_damaged_state_file_is_named_and_a_damaged_entry_done_again(tmp_path, classifier, damage):
    images, out = make_images(tmp_path / "images", 2), tmp_path / "out"
    segment_folder(images, classifier, out)
    first = contents(out)
    (out / "done" / "stack000.tif.json").write_bytes(damage)
    (out / "cache.json").write_bytes(damage)
    (out / "run.json").write_bytes(damage)
    assert segment_folder(images, classifier, out).n_done_before == 1
    assert contents(out) == first
    (out / "batch.json").write_bytes(damage)
    with pytest.raises(ValueError, match=r"batch\.json.*(Choose another folder|choose another folder)"):
        segment_folder(images, classifier, out)


def test_folders_and_links_in_the_place_of_state_files(tmp_path, classifier):
    images, out = make_images(tmp_path / "images", 1), tmp_path / "out"
    segment_folder(images, classifier, out)
    (out / "run.json").unlink()
    (out / "run.json").symlink_to("run.json")
    with pytest.raises(OSError, match=r"run\.json, a symbolic link to"):
        segment_folder(images, classifier, out)
    (out / "run.json").unlink()
    shutil.rmtree(out / "labels")
    (out / "labels").touch()
    with pytest.raises(OSError, match=r"^out: a result of stack000.tif cannot be written: .*labels"):
        segment_folder(images, classifier, out)
    (out / "batch.json").unlink()
    (out / "batch.json").mkdir()
    with pytest.raises(
        objclass.ObjclassError, match=r"out: .*batch\.json, which is damaged .*Choose another"
    ):
        segment_folder(images, classifier, out)


def test_a_defect_shows_after_the_other_images_are_done(tmp_path, classifier, monkeypatch, capsys):
    from objclass.io import images as io_images

    images, out = make_images(tmp_path / "images", 3), tmp_path / "out"
    real = io_images.read_as

    def broken(image, *ndim, **options):
        if image.path.endswith("stack001.tif"):
            return {}["no such key"]
        return real(image, *ndim, **options)

    monkeypatch.setattr(io_images, "read_as", broken)
    with pytest.raises(KeyError, match="no such key"):
        segment_folder(images, classifier, out)
    assert list(pd.read_csv(out / "images.csv")["image"]) == ["stack000.tif", "stack002.tif"]
    classifier.save(tmp_path / "a.cl")
    assert cli.main(command(images, tmp_path / "a.cl", out)) == 2
    printed = capsys.readouterr().err
    assert "Traceback" in printed
    assert "internal error" in printed
    monkeypatch.undo()
    assert segment_folder(images, classifier, out).n_done_before == 2


def test_names_that_are_long_odd_or_like_formulas(tmp_path, classifier):
    images = tmp_path / "images"
    deep = images.joinpath(*["deep" * 10] * 8)
    deep.mkdir(parents=True)
    odd = [b"n" * 241, b"caf\xe9", b"=1+1", b"-x", b"@y", b"a__b", "µm ×".encode(), b"new\nline", b'quo"te,']
    for name in odd:
        objclass.imwrite(
            os.path.join(os.fsencode(images), name + b".tif").decode(errors="surrogateescape"), stack(1)
        )
    objclass.imwrite(deep / "a.tif", stack(2))
    (images / "a").mkdir()
    objclass.imwrite(images / "a" / "b.tif", stack(3))
    batch = segment_folder(images, classifier, tmp_path / "out")
    assert (batch.n_images, batch.failed) == (len(odd) + 2, {})
    table = pd.read_csv(tmp_path / "out" / "objects.csv")
    names = list(pd.read_csv(tmp_path / "out" / "images.csv")["image"])
    assert sorted(table["image"].unique()) == sorted(names)
    assert not any(name.startswith(("=", "+", "-", "@")) for name in names)
    assert sum((images / name).exists() for name in names) == len(names) - 1  # not the one that is no UTF-8
    pd.testing.assert_frame_equal(table, pd.read_parquet(tmp_path / "out" / "objects.parquet"), rtol=1e-12)
    assert segment_folder(images, classifier, tmp_path / "out").n_done_before == len(names)


def test_images_with_and_without_a_voxel_size_do_not_mix(tmp_path, classifier):
    images = make_images(tmp_path / "images", 2)
    objclass.imwrite(images / "bare.tif", stack(5))
    with pytest.raises(
        ValueError, match=r"2 with a voxel size and 1 without one: bare\.tif.*--default-spacing"
    ):
        segment_folder(images, classifier, tmp_path / "out")
    assert not (tmp_path / "out" / "labels").exists()
    segment_folder(images, classifier, tmp_path / "filled", default_spacing=(3, 1, 1))
    table = image_table(tmp_path / "filled").set_index("image")
    assert table["spacing_z"].to_dict() == {"bare.tif": 3, "stack000.tif": 2, "stack001.tif": 2}
    assert table.loc["bare.tif", "spacing_source"] == "default_spacing"
    segment_folder(images, classifier, tmp_path / "given", spacing=(3, 1, 1))
    assert image_table(tmp_path / "given")["spacing_z"].tolist() == [3, 3, 3]
    with tifffile.TiffWriter(tmp_path / "series.ome.tif", ome=True) as writer:
        sizes = {f"PhysicalSize{axis}": 1 for axis in "XYZ"}
        writer.write(stack(5), metadata={"axes": "ZYX", **sizes})
        writer.write(stack(6), metadata={"axes": "ZYX"})
    with pytest.raises(ValueError, match=r"1 with a voxel size and 1 without one: series\.ome\.tif#1"):
        segment_folder(tmp_path / "series.ome.tif", classifier, tmp_path / "series")


def test_without_pyarrow_there_is_a_csv_file(tmp_path, classifier, monkeypatch):
    images = make_images(tmp_path / "images", 2)
    with pd.option_context("mode.string_storage", "python"), monkeypatch.context() as without:
        without.setitem(sys.modules, "pyarrow", None)
        segment_folder(images, classifier, tmp_path / "out")
    assert not (tmp_path / "out" / "objects.parquet").exists()
    assert len(pd.read_csv(tmp_path / "out" / "objects.csv")) > 1


def test_channels_to_segment_on(tmp_path, classifier):
    (tmp_path / "images").mkdir()
    image = np.stack([np.full(SHAPE, 7, np.uint16), stack(1)])
    objclass.imwrite(tmp_path / "images" / "two.tif", image)
    batch = segment_folder(tmp_path / "images", classifier, tmp_path / "out", channel=1)
    table = pd.read_csv(tmp_path / "out" / "objects.csv")
    assert batch.n_objects == len(table) > 0
    assert set(table["intensity_mean-0"]) == {7}
    assert (table["intensity_mean-1"] > 200).all()
    failed = segment_folder(tmp_path / "images", classifier, tmp_path / "out2", channel=5).failed
    assert "channel: expected an integer" in failed["two.tif"]


def test_two_batches_in_one_folder(tmp_path, classifier):
    images = make_images(tmp_path / "images", 1)
    segment_folder(images, classifier, tmp_path / "out")
    holds = f"""
import sys, time; from pathlib import Path; from objclass._common.locking import locked
with locked(Path({str(tmp_path / "out")!r})): print("locked", flush=True); time.sleep(60)
"""
    other = subprocess.Popen([sys.executable, "-c", holds], stdout=subprocess.PIPE, text=True)
    try:
        assert other.stdout.readline() == "locked\n"
        with pytest.raises(BlockingIOError, match="which another batch is using"):
            segment_folder(images, classifier, tmp_path / "out")
    finally:
        other.kill()
        other.communicate()
    with locked(tmp_path / "out"):  # a process that was killed leaves no lock
        pass


@pytest.mark.skipif(os.name == "nt" or os.geteuid() != 0, reason="needs root to mount a small disk")
def test_a_full_disk_ends_the_batch_and_what_is_done_stays(tmp_path, classifier):
    images, disk = make_images(tmp_path / "images", 12), tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=100k", "none", disk], check=False)
    if mounted.returncode:
        pytest.skip("cannot mount a small disk here")
    try:
        with pytest.raises(OSError, match=r"cannot be written.*No space left"):
            segment_folder(images, classifier, disk / "out")
        n_done = len(list((disk / "out" / "done").glob("*.json")))
        assert 0 < n_done < 12
        subprocess.run(["mount", "-o", "remount,size=8m", disk], check=True)
        assert segment_folder(images, classifier, disk / "out").n_done_before == n_done
        segment_folder(images, classifier, tmp_path / "out")
        assert contents(disk / "out") == contents(tmp_path / "out")
    finally:
        subprocess.run(["umount", disk], check=True)


@pytest.mark.skipif(os.name == "nt" or os.geteuid() != 0, reason="needs root to mount a disk")
def test_a_disk_that_is_read_only_keeps_what_it_has(tmp_path, classifier):
    images, disk = make_images(tmp_path / "images", 2), tmp_path / "disk"
    disk.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "none", disk], check=False).returncode:
        pytest.skip("cannot mount a disk here")
    try:
        segment_folder(images / "stack000.tif", classifier, disk / "out")
        before = contents(disk)
        subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
        with pytest.raises(PermissionError, match="out: expected a folder that can be written"):
            segment_folder(images, classifier, disk / "out")
        with pytest.raises(PermissionError, match="out: expected a folder that can be created"):
            segment_folder(images, classifier, disk / "new")
        assert contents(disk) == before
    finally:
        subprocess.run(["umount", disk], check=True)


def test_wrong_arguments(tmp_path, classifier, monkeypatch):
    images = make_images(tmp_path / "images", 1)
    with pytest.raises(FileNotFoundError, match="inputs: expected images, or a folder of them"):
        segment_folder(tmp_path / "images" / "*.png", classifier, tmp_path / "out")
    with pytest.raises(ValueError, match="scheduler: expected either a scheduler or n_workers"):
        segment_folder(images, classifier, tmp_path / "out", n_workers=2, scheduler="tcp://a:1")
    with pytest.raises(FileExistsError, match="out: expected a folder, got the file"):
        segment_folder(images, classifier, images / "stack000.tif")
    with pytest.raises(PermissionError, match="out: expected a folder that can be created"):
        segment_folder(images, classifier, "/proc/objclass")


def command(images, classifier, out):
    return ["batch", str(images), "--classifier", str(classifier), "--out", str(out), "--measure"]


def test_resume_after_sigkill_gives_same_output(tmp_path, classifier):
    images = make_images(tmp_path / "images", 40)
    classifier.save(tmp_path / "a.cl")
    assert cli.main(command(images, tmp_path / "a.cl", tmp_path / "whole")) == 0
    out, done = tmp_path / "out", {}
    draw = random.Random(0)
    arguments = [sys.executable, "-m", "objclass", *command(images, tmp_path / "a.cl", out)]
    for _ in range(2):
        process = subprocess.Popen(arguments, stdout=subprocess.DEVNULL)
        start, more = len(done), draw.randint(1, 9)
        while process.poll() is None and len(list((out / "done").glob("[!.]*.json"))) < start + more:
            time.sleep(0.002)
        time.sleep(draw.uniform(0, 0.03))
        process.send_signal(signal.SIGKILL)
        process.wait()
        now = {path.name: path.stat().st_mtime_ns for path in (out / "done").glob("[!.]*.json")}
        assert {name: now[name] for name in done} == done, "what was recorded was done again"
        done = now
    assert 2 <= len(done) < 40
    assert cli.main(command(images, tmp_path / "a.cl", out)) == 0
    now = {path.name: path.stat().st_mtime_ns for path in (out / "done").glob("*.json")}
    assert {name: now[name] for name in done} == done
    assert contents(out) == contents(tmp_path / "whole")
    pd.testing.assert_frame_equal(image_table(out), image_table(tmp_path / "whole"))


def test_the_command_reports_failures(tmp_path, classifier, capsys):
    images = make_images(tmp_path / "images", 1)
    (images / "empty.tif").touch()
    classifier.save(tmp_path / "a.cl")
    assert cli.main(command(images, tmp_path / "a.cl", tmp_path / "out")) == 1
    printed = capsys.readouterr()
    assert "1 images are done" in printed.out
    assert "objclass: failed: empty.tif: path: expected a complete .tif image" in printed.err


def test_a_series_that_no_file_has_is_a_failure(tmp_path, classifier):
    images = make_images(tmp_path / "images", 1)
    batch = segment_folder(images, classifier, tmp_path / "out", series=3)
    assert batch.n_images == 0
    assert "series: expected an integer" in batch.failed["stack000.tif#3"]


def test_tables_of_no_images_have_their_columns(tmp_path, classifier):
    (tmp_path / "bad.tif").write_text("no image")
    assert segment_folder(tmp_path / "bad.tif", classifier, tmp_path / "out").n_images == 0
    assert list(pd.read_csv(tmp_path / "out" / "objects.csv").columns) == ["image", "frame", "label", "unit"]
    assert len(pd.read_parquet(tmp_path / "out" / "objects.parquet")) == 0
    assert {"image", "n_objects", "warnings"} <= {*pd.read_csv(tmp_path / "out" / "images.csv").columns}


@pytest.mark.parametrize("array", [np.float32(3), np.zeros(5), np.array(["a", "b"])])
def test_an_array_that_is_no_image_fails_alone(tmp_path, classifier, array):
    images = make_images(tmp_path / "images", 1)
    np.save(images / "array.npy", array)
    batch = segment_folder(images, classifier, tmp_path / "out")
    assert (batch.n_images, [*batch.failed]) == (1, ["array.npy"])
    assert "path: expected an image, got array.npy" in batch.failed["array.npy"]


def test_a_defect_in_looking_at_a_file_does_not_stop_the_others(tmp_path, classifier, monkeypatch):
    images = make_images(tmp_path / "images", 2)
    opened = opening.open_file

    def broken(path, **options):
        if str(path).endswith("000.tif"):
            raise ZeroDivisionError("a defect")
        return opened(path, **options)

    monkeypatch.setattr(opening, "open_file", broken)
    with pytest.raises(ZeroDivisionError, match="a defect"):
        segment_folder(images, classifier, tmp_path / "out")
    assert image_table(tmp_path / "out")["image"].tolist() == ["stack001.tif"]


def test_a_link_that_leads_to_another_folder_now_is_another_folder(tmp_path, classifier):
    for day in (1, 2):
        make_images(tmp_path / f"day{day}", day)
    (tmp_path / "latest").symlink_to(tmp_path / "day1")
    segment_folder(tmp_path / "latest", classifier, tmp_path / "out")
    assert segment_folder(tmp_path / "day1", classifier, tmp_path / "out").n_done_before == 1
    (tmp_path / "latest").unlink()
    (tmp_path / "latest").symlink_to(tmp_path / "day2")
    with pytest.raises(ValueError, match="the images were from another folder"):
        segment_folder(tmp_path / "latest", classifier, tmp_path / "out")


def test_out_is_no_link_to_what_is_not_there(tmp_path, classifier):
    make_images(tmp_path / "images", 1)
    classifier.save(tmp_path / "a.cl")
    (tmp_path / "out").symlink_to(tmp_path / "nowhere")
    with pytest.raises(FileNotFoundError, match=r"out: expected a folder, got .*, a link to .*nowhere"):
        segment_folder(tmp_path / "images", classifier, tmp_path / "out")
    with pytest.raises(FileNotFoundError, match=r"out: expected a folder, got .*, a link to .*nowhere"):
        run_image(tmp_path / "images" / "stack000.tif", tmp_path / "out", classifier=tmp_path / "a.cl")
    assert not (tmp_path / "nowhere").exists()
    (tmp_path / "nowhere").mkdir()
    check_out(tmp_path / "out")


def test_a_tilde_is_no_folder(tmp_path, classifier, monkeypatch):
    monkeypatch.chdir(tmp_path)
    np.save("image.npy", np.zeros((8, 9), np.uint8))
    for out in ("~", "~/results"):
        with pytest.raises(ValueError, match=r"out: expected a path, got ~.*, where ~ is not replaced"):
            segment_folder("image.npy", classifier, out)
    assert [path.name for path in tmp_path.iterdir()] == ["image.npy"]
    (tmp_path / "results").mkdir()
    monkeypatch.chdir("results")
    check_out(".")
    check_out("new/folder")


def test_tables_of_other_columns_are_joined_by_name(tmp_path):
    (tmp_path / "a.csv").write_text("image,label,area\na,1,10.0\na,2,12.0\n")
    (tmp_path / "b.csv").write_text("image,area,label,eccentricity\nb,7.0,1,0.5\n")
    parts = [tmp_path / "a.csv", tmp_path / "b.csv"]
    join_tables(tmp_path, parts, [["label"], ["label"]], ndim=2, unit="", spacing=None)
    expected = pd.DataFrame({"image": [*"aab"], "label": [1, 2, 1], "area": [10.0, 12.0, 7.0]})
    expected["eccentricity"] = [np.nan, np.nan, 0.5]
    pd.testing.assert_frame_equal(pd.read_csv(tmp_path / "objects.csv"), expected)
    pd.testing.assert_frame_equal(pd.read_parquet(tmp_path / "objects.parquet"), expected, check_dtype=False)


def test_an_empty_out_is_not_the_working_directory(tmp_path, classifier, monkeypatch):
    images = make_images(tmp_path / "images", 1)
    classifier.save(tmp_path / "a.cl")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match="out: expected a folder, got an empty text"):
        segment_folder(images, classifier, "")
    with pytest.raises(ValueError, match="out: expected a folder, got an empty text"):
        run_image(images / "stack000.tif", "", classifier=tmp_path / "a.cl")
    assert {path.name for path in tmp_path.iterdir()} == {"images", "a.cl"}


def test_no_run_is_written_into_the_folder_of_a_batch(tmp_path, classifier):
    images = make_images(tmp_path / "images", 1)
    classifier.save(tmp_path / "a.cl")
    segment_folder(images, classifier, tmp_path / "out")
    before = contents(tmp_path / "out")
    with pytest.raises(ValueError, match=r"out: expected a folder of its own, got .*, that of a batch"):
        run_image(images / "stack000.tif", tmp_path / "out", classifier=tmp_path / "a.cl", overwrite=True)
    assert contents(tmp_path / "out") == before


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"spacing": (1, 2)}, "spacing: expected 3 positive numbers"),
        ({"default_spacing": (1, 2, 3, 4)}, "default_spacing: expected 3 positive numbers"),
        ({"min_size": "4 um2"}, "min_size: expected a volume"),
        ({"max_size": "4 um2"}, "max_size: expected a volume"),
        ({"max_size": 5, "min_size": 9}, "max_size: expected a size above 0 and of at least min_size, got 5"),
        ({"max_size": 0}, "max_size: expected a size above 0"),
    ],
)
def test_what_fits_no_image_is_refused_before_the_first(tmp_path, classifier, options, message):
    images = make_images(tmp_path / "images", 1)
    with pytest.raises(ValueError, match=message):
        segment_folder(images, classifier, tmp_path / "out", **options)
    assert not (tmp_path / "out").exists()


def test_names_that_differ_by_case_alone_keep_apart_on_every_system(tmp_path, classifier):
    images = make_images(tmp_path / "images", 1)
    objclass.imwrite(images / "STACK000.tif", stack(5), spacing=(2, 0.5, 0.5))
    segment_folder(images, classifier, tmp_path / "out")
    for part in ("labels", "tables", "done"):
        written = [path.name.casefold() for path in (tmp_path / "out" / part).iterdir()]
        assert len({*written}) == len(written) == 2
    assert segment_folder(images, classifier, tmp_path / "out").n_done_before == 2


def test_labels_of_images_that_are_gone_or_failed_are_named(tmp_path, classifier, caplog):
    images = make_images(tmp_path / "images", 4)
    assert segment_folder(images, classifier, tmp_path / "out").stale == []
    (images / "stack000.tif").unlink()
    (images / "stack001.tif").write_bytes(b"no image")
    batch = segment_folder(images, classifier, tmp_path / "out")
    assert batch.stale == ["stack000.tif.ome.tif", "stack001.tif.ome.tif"]
    line = "contains 2 files without a row in images.csv: stack000.tif.ome.tif, stack001.tif.ome.tif"
    assert line in caplog.text
    assert len(image_table(tmp_path / "out")) == 2


def write_set(folder, names, image):
    """Write a stack as an OME-TIFF with one plane in each file."""
    folder.mkdir()
    planes = "".join(
        f'<TiffData FirstZ="{z}" IFD="0"><UUID FileName="{name}">urn:uuid:{z}</UUID></TiffData>'
        for z, name in enumerate(names)
    )
    sizes = "".join(f' Size{a}="{n}"' for a, n in zip("ZYXCT", (*image.shape, 1, 1), strict=True))
    for z, name in enumerate(names):
        xml = f'''<?xml version="1.0" encoding="UTF-8"?>
        <OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06" UUID="urn:uuid:{z}">
        <Image ID="Image:0">
        <Pixels ID="Pixels:0" DimensionOrder="XYZCT" Type="uint16"{sizes}>{planes}</Pixels></Image></OME>'''
        tifffile.imwrite(folder / name, image[z], description=xml, metadata=None)


def test_a_set_is_one_image_when_its_missing_file_came_and_a_file_was_copied(tmp_path, classifier):
    names = [f"scan_Z{z}.ome.tif" for z in range(SHAPE[0])]
    write_set(tmp_path / "images", names, stack(1))
    (tmp_path / "images" / names[-1]).rename(tmp_path / names[-1])
    batch = segment_folder(tmp_path / "images", classifier, tmp_path / "out")
    assert "1 of its 6 planes are missing" in batch.failed[names[0]]
    (tmp_path / names[-1]).rename(tmp_path / "images" / names[-1])
    shutil.copy(tmp_path / "images" / names[2], tmp_path / "images" / "scan_Z2 - copy.ome.tif")
    batch = segment_folder(tmp_path / "images", classifier, tmp_path / "out")
    assert (batch.n_images, batch.failed, batch.left_out) == (1, {}, {"files of a set": 6})
