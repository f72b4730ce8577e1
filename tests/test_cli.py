import io
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import tifffile

import objclass
from objclass.cli import main
from objclass.workflows.record import checksum, write_sealed

FILES = ["ObjectSegmenter.cl", "labels.tif", "objects.columns.csv", "objects.csv", "overview.png", "run.json"]


@pytest.fixture
def blobs(tmp_path):
    """A folder with an image and scribbles on it."""
    return write_blobs(tmp_path)


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """The same folder after a run, somewhere else than where it ran."""
    folder = write_blobs(tmp_path_factory.mktemp("blobs"))
    assert main(command(folder)) == 0
    return folder.rename(folder.with_name("results"))


@pytest.fixture
def ran(results, tmp_path):
    """A copy of the folder after a run."""
    return shutil.copytree(results, tmp_path, dirs_exist_ok=True)


def write_blobs(folder):
    """Write a small 2D image of round and long objects, and scribbles on it."""
    rng = np.random.default_rng(0)
    rows, columns = np.mgrid[:96, :96]
    image = rng.normal(100, 5, (96, 96))
    truth = np.zeros((96, 96), bool)
    for i, (row, column) in enumerate(np.ndindex(4, 4)):
        long = 2.2 if i % 2 else 1.0
        inside = ((rows - 12 - 24 * row) / (4 * long)) ** 2 + ((columns - 12 - 24 * column) / 4) ** 2 <= 1
        image[inside] += 200 + 20 * (i % 2)
        truth |= inside
    scribbles = np.where(rng.random(image.shape) < 0.2, np.where(truth, 2, 1), 0).astype(np.uint8)
    objclass.imwrite(folder / "image.tif", image.astype(np.uint16), spacing=(0.5, 0.25))
    objclass.imwrite(folder / "scribbles.tif", scribbles)
    return folder


def command(folder, *more, out="out"):
    image, scribbles = str(folder / "image.tif"), str(folder / "scribbles.tif")
    fast = ["--preset", "apoc", "--n-estimators", "10", "--reduce", "pca", "--n-clusters", "2"]
    return ["run", image, "--annotations", scribbles, "--out", str(folder / out), *fast, *more]


def error_of(arguments, capsys):
    """Run a command that fails: exit code 2, and one line of words on stderr."""
    capsys.readouterr()
    assert main(arguments) == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1
    assert lines[0].startswith("objclass: error: ")
    return lines[0]


def test_paths_that_the_system_refuses_are_named_with_their_argument(blobs, capsys):
    image, classifier = str(blobs / "image.tif"), str(blobs / "c.cl")
    train = ["train", image, "--annotations", str(blobs / "scribbles.tif"), "--out", classifier]
    assert main([*train, "--preset", "apoc"]) == 0
    run = ["run", image, "--classifier", classifier, "--out"]
    for path, reason in ((str(blobs / "no.json"), "No such file"), (str(blobs), "Is a directory")):
        error = error_of([*run, str(blobs / "out"), "--edits", path], capsys)
        assert f"edits: expected a JSON file of a list of edits, got {path} ({reason}" in error
        assert "Write explorer.edits with json.dump" in error
    long = str(blobs / ("a" * 300))
    expected = f"expected a name that a file can have, got {long} (File name too long). Choose a shorter"
    assert f"image: {expected}" in error_of(["run", long, "--classifier", classifier, "--out", "x"], capsys)
    assert f"out: {expected}" in error_of([*run, long], capsys)


def test_run_writes_everything(blobs, capsys):
    assert main(command(blobs)) == 0
    out = blobs / "out"
    assert sorted(file.name for file in out.iterdir()) == FILES
    labels = objclass.imread(out / "labels.tif")
    assert labels.max() == 16
    assert objclass.read_spacing(out / "labels.tif") == (0.5, 0.25)
    table = pd.read_csv(out / "objects.csv")
    assert table["label"].tolist() == list(range(1, 17))
    assert {"PC_0", "PC_1", "KMEANS_CLUSTER_ID"} <= set(table.columns)
    assert table["KMEANS_CLUSTER_ID"].value_counts().tolist() == [8, 8]
    classifier = objclass.load_classifier(out / "ObjectSegmenter.cl")
    found = objclass.segment(objclass.imread(blobs / "image.tif"), classifier)
    np.testing.assert_array_equal(objclass.exclude_small(found, 20), labels)
    printed = capsys.readouterr().out
    assert "16 objects, in 2 clusters of 8, 8." in printed
    assert str(out) in printed
    assert all(name in printed for name in FILES)


def test_record_says_how_to_repeat(blobs):
    main(command(blobs, "--min-size", "5", "--seed", "3"))
    record = json.loads((blobs / "out" / "run.json").read_text(encoding="utf-8"))
    assert record["parameters"]["min_size"] == 5
    assert record["parameters"]["random_state"] == 3
    assert record["inputs"].keys() == {"image", "annotations"}
    assert all(re.fullmatch("[0-9a-f]{64}", entry["sha256"]) for entry in record["inputs"].values())
    assert record["outputs"].keys() == set(FILES) - {"run.json"}
    assert {"objclass", "numpy", "scikit-learn", "umap-learn", "python", "platform"} <= record[
        "versions"
    ].keys()
    assert {"read", "train", "segment", "measure", "reduce", "cluster", "write"} <= record["seconds"].keys()


def test_run_with_a_classifier_gives_the_same(ran):
    classifier = str(ran / "out" / "ObjectSegmenter.cl")
    arguments = ["run", str(ran / "image.tif"), "--classifier", classifier, "--out", str(ran / "again")]
    assert main([*arguments, "--reduce", "pca", "--n-clusters", "2"]) == 0
    for name in ("labels.tif", "objects.csv"):
        assert (ran / "again" / name).read_bytes() == (ran / "out" / name).read_bytes()


def test_split_cuts_touching_objects_apart(tmp_path):
    rows, columns = np.mgrid[:40, :60]
    image = np.zeros((40, 60), np.uint16)
    for column in (20, 36):
        image[(rows - 20) ** 2 + (columns - column) ** 2 <= 81] = 500
    objclass.imwrite(tmp_path / "image.tif", image)
    objclass.imwrite(tmp_path / "scribbles.tif", np.where(image > 0, 2, 1).astype(np.uint8))
    for name, more in (("one", []), ("two", ["--split"])):
        assert main(command(tmp_path, "--n-clusters", "1", *more, out=name)) == 0
    assert objclass.imread(tmp_path / "one" / "labels.tif").max() == 1
    assert objclass.imread(tmp_path / "two" / "labels.tif").max() == 2


def test_rerun_is_identical(ran, capsys):
    assert main(["rerun", str(ran / "out" / "run.json"), "--out", str(ran / "again")]) == 0
    printed = capsys.readouterr().out
    assert "The result is identical." in printed
    assert all(re.search(rf"{name} +identical$", printed, re.M) for name in FILES if name != "run.json")
    assert sorted(file.name for file in (ran / "again").iterdir()) == FILES


def test_rerun_finds_what_moved_together(blobs, tmp_path_factory):
    main(command(blobs))
    moved = tmp_path_factory.mktemp("elsewhere") / "data"
    shutil.move(blobs, moved)
    assert main(["rerun", str(moved / "out")]) == 0


def test_rerun_reports_differences(ran, capsys):
    path = ran / "out" / "run.json"
    record = json.loads(path.read_text(encoding="utf-8"))
    record["parameters"]["min_size"] = 60
    record["versions"]["numpy"] = "0.9"
    write_sealed(path, record)
    assert main(["rerun", str(path)]) == 1
    printed = capsys.readouterr().out
    assert "The result is NOT identical." in printed
    assert re.search(r"labels\.tif +different in [\d,]+ of 9,216 voxels", printed)
    assert re.search(r"objects\.csv +different: 16 rows then, 8 now", printed)
    assert re.search(r"ObjectSegmenter\.cl +identical", printed)
    assert f"numpy 0.9 then, {np.__version__} now" in printed


def test_rerun_refuses_modified_records(ran, capsys):
    path = ran / "out" / "run.json"
    record = json.loads(path.read_text(encoding="utf-8"))
    for changes in ({"outputs": {}}, {"parameters": {**record["parameters"], "min_size": 21}}):
        path.write_text(json.dumps({**record, **changes}), encoding="utf-8")
        assert "run.json of a run" in error_of(["rerun", str(path)], capsys)
    path.write_text(json.dumps(record), encoding="utf-8")  # only written in another way
    assert main(["rerun", str(path)]) == 0


CONTRADICTIONS = [
    ("found", "objects", 17, "found +different: the record has another objects"),
    ("found", None, 3, "found +different: the record has another .*objects"),
    ("image", "shape", None, "image +different: the record has another shape"),
    ("training", "n_estimators", 7, "training +different: the record has another n_estimators"),
    ("training", None, None, "training +different: the record has another "),
    ("parameters", "min_size", None, "parameters +different: the record has another min_size"),
    ("edits", None, [{"edit": "undo"}], "edits +different: the record has another edits"),
    *(("outputs", name, None, rf"{re.escape(name)} +not recorded") for name in FILES if name != "run.json"),
]


def contradicting(record, group, name, value):
    """The record with one value or group replaced, or left out if the value is None."""
    part, key = (record, group) if name is None else (dict(record[group]), name)
    part = {**part, key: value} if value is not None else {k: v for k, v in part.items() if k != key}
    return part if name is None else {**record, group: part}


def test_rerun_never_certifies_a_record_that_was_changed_and_sealed_again(ran, capsys, monkeypatch):
    path = ran / "out" / "run.json"
    record = json.loads(path.read_text(encoding="utf-8"))
    changed = record
    for group, name, value, _ in CONTRADICTIONS:
        if name is not None and group != "outputs":
            changed = contradicting(changed, group, name, value)
    write_sealed(path, changed)
    assert main(["rerun", str(path)]) == 1
    write_sealed(path, record)
    wrote = shutil.copytree(ran / "out", ran / "wrote")

    def repeat(image, out, **options):
        shutil.copytree(wrote, out, dirs_exist_ok=True)

    monkeypatch.setattr("objclass.workflows.rerun.run_image", repeat)
    assert main(["rerun", str(path)]) == 0
    for *change, message in CONTRADICTIONS:
        write_sealed(path, contradicting(record, *change))
        capsys.readouterr()
        assert main(["rerun", str(path)]) == 1, change
        printed = capsys.readouterr().out
        verdicts = [line for line in printed.splitlines() if re.search(" (different|not recorded)", line)]
        assert len(verdicts) == 1, (change, printed)
        assert re.search(message, verdicts[0])


def test_rerun_reports_different_columns(ran, capsys):
    path = ran / "out" / "objects.csv"
    table = pd.read_csv(path, engine="python")
    table["area"] *= 1 + 1e-9
    table["PC_1"] *= -1
    table.to_csv(path, index=False)
    record = json.loads((ran / "out" / "run.json").read_text(encoding="utf-8"))
    record["outputs"]["objects.csv"] = checksum(path)
    write_sealed(ran / "out" / "run.json", record)
    assert main(["rerun", str(ran / "out")]) == 1
    printed = capsys.readouterr().out
    assert re.search(r"objects\.csv: measurements +equal to rounding, to a relative.* 1e-09", printed)
    assert re.search(r"objects\.csv: map +different in 16 of 16 rows", printed)
    assert re.search(r"objects\.csv: clusters +identical", printed)
    assert re.search(r"labels\.tif +identical", printed)


def test_parameters_that_have_no_effect_are_refused(ran, capsys):
    classifier = ["--classifier", str(ran / "out" / "ObjectSegmenter.cl"), "--out", str(ran / "again")]
    for option, value in (("--n-estimators", "100"), ("--features", "original"), ("--max-depth", "2")):
        message = error_of(["run", str(ran / "image.tif"), *classifier, option, value], capsys)
        assert f"{option}: expected no training parameters together with a classifier" in message
    assert not (ran / "again").exists()


def test_the_record_tells_what_was_used(blobs):
    main(command(blobs, "--engine", "auto"))
    record = json.loads((blobs / "out" / "run.json").read_text(encoding="utf-8"))
    assert record["parameters"]["engine"] in ("cpu", "opencl")
    assert record["parameters"]["positive_class"] == 2
    assert record["parameters"]["split"] in ("none", "auto")
    assert (record["image"]["spacing"], record["image"]["unit"]) == ([0.5, 0.25], "micrometer")
    assert re.fullmatch("[0-9a-f]{64}", record["image"]["pixels_sha256"])


def test_switches_of_splitting_and_of_sigma_are_obeyed_and_recorded(blobs, capsys):
    switches = ["--preset", "default", "--isotropic", "--min-distance", "2"]
    assert main(command(blobs, *switches)) == 0
    record = json.loads((blobs / "out" / "run.json").read_text(encoding="utf-8"))
    assert (record["parameters"]["min_distance"], record["training"]["isotropic"]) == (2, True)
    assert "_blur=2 " in record["training"]["features"]
    assert not re.search(r"\dx\d", record["training"]["features"])
    assert main(["rerun", str(blobs / "out")]) == 0
    given = ["--classifier", str(blobs / "out" / "ObjectSegmenter.cl"), "--out", str(blobs / "other")]
    for option in (["--isotropic"], ["--class-weight", "balanced"]):
        assert option[0] in error_of(["run", str(blobs / "image.tif"), *given, *option], capsys)
    message = error_of(
        ["run", str(blobs / "image.tif"), *given, "--split", "tree", "--min-distance", "2"], capsys
    )
    assert "min_distance: expected None where objects are not split by distance" in message


def test_the_record_of_a_batch_names_the_call_that_repeats_it(ran, capsys):
    (ran / "images").mkdir()
    shutil.copy(ran / "image.tif", ran / "images")
    classifier = str(ran / "out" / "ObjectSegmenter.cl")
    arguments = ["batch", str(ran / "images"), "--classifier", classifier, "--out", str(ran / "batch")]
    assert main(arguments) == 0
    message = error_of(["rerun", str(ran / "batch")], capsys)
    assert "the record of a batch" in message
    assert "objclass batch INPUTS --classifier" in message


def test_labels_of_other_programs_are_measured(blobs, capsys):
    labels = np.zeros((96, 96), np.uint16)
    labels[3:9, 4:8], labels[20:30, 20:30] = 7, 9
    objclass.imwrite(blobs / "labels.tif", labels)
    arguments = [
        "measure",
        str(blobs / "labels.tif"),
        str(blobs / "image.tif"),
        "--out",
        str(blobs / "t.csv"),
    ]
    assert main(arguments) == 0
    assert "2 objects, lengths in µm" in capsys.readouterr().out
    expected = objclass.measure(labels, objclass.imread(blobs / "image.tif"), spacing=(0.5, 0.25))
    pd.testing.assert_frame_equal(pd.read_csv(blobs / "t.csv").drop(columns="unit"), expected, rtol=1e-12)
    assert main(["measure", str(blobs / "labels.tif"), "--out", str(blobs / "bare.csv")]) == 0
    assert set(pd.read_csv(blobs / "bare.csv")["unit"]) == {"pixel"}


def test_measure_takes_the_voxel_size_of_either_file_and_refuses_two(blobs, capsys):
    image = objclass.imread(blobs / "image.tif")
    labels = np.zeros((96, 96), np.uint16)
    labels[3:9, 4:8] = 1
    objclass.imwrite(blobs / "bare.tif", image)
    objclass.imwrite(blobs / "fine.tif", labels, spacing=(0.1, 0.1))
    out = str(blobs / "t.csv")
    assert main(["measure", str(blobs / "fine.tif"), str(blobs / "bare.tif"), "--out", out]) == 0
    assert pd.read_csv(out)["area"][0] == pytest.approx(24 * 0.01)
    both = ["measure", str(blobs / "fine.tif"), str(blobs / "image.tif"), "--out", out]
    assert "image: expected the voxel size of the labels, got (0.1, 0.1) and (0.5, 0.25)" in error_of(
        both, capsys
    )
    assert main([*both, "--spacing", "2"]) == 0
    assert pd.read_csv(out)["area"][0] == 24 * 4
    assert objclass.read_table(out).attrs["columns"]["area"]["unit"] == "µm²"


def test_measure_takes_one_time_point_and_one_series(blobs, capsys):
    labels = np.zeros((2, 20, 24), np.uint16)
    labels[0, 2:4, 2:4], labels[1, 2:9, 2:9] = 1, 5
    out = str(blobs / "t.csv")
    tifffile.imwrite(blobs / "times.ome.tif", labels, metadata={"axes": "TYX"})
    with tifffile.TiffWriter(blobs / "series.ome.tif", ome=True) as writer:
        for plane in labels:
            writer.write(plane, metadata={"axes": "YX"})
    for name, option, word in (("times", "--frame", "time series of 2"), ("series", "--series", "2 series")):
        for image in ([], [str(blobs / f"{name}.ome.tif")]):
            arguments = ["measure", str(blobs / f"{name}.ome.tif"), *image, "--out", out]
            assert word in error_of(arguments, capsys)
            assert main([*arguments, option, "1"]) == 0
            assert pd.read_csv(out)["label"].tolist() == [5]


def test_measure_fills_outlines_into_the_shape_of_the_image(blobs):
    ring = [[10, 10], [20, 10], [20, 30], [10, 30], [10, 10]]
    feature = {"type": "Feature", "geometry": {"type": "Polygon", "coordinates": [ring]}, "properties": {}}
    (blobs / "cells.geojson").write_text(json.dumps({"type": "FeatureCollection", "features": [feature]}))
    arguments = [
        "measure",
        str(blobs / "cells.geojson"),
        str(blobs / "image.tif"),
        "--out",
        str(blobs / "t.csv"),
    ]
    assert main(arguments) == 0
    assert pd.read_csv(blobs / "t.csv")["num_pixels"].between(190, 240).all()


@pytest.mark.parametrize("out", ["image.tif", "strokes.tif", "new.tif", "folder.cl"])
def test_no_image_is_overwritten_by_a_classifier_or_a_table(blobs, capsys, out):
    (blobs / "folder.cl").mkdir()
    before = {path.name: path.read_bytes() for path in blobs.glob("*.tif")}
    train = ["train", str(blobs / "image.tif"), "--annotations", str(blobs / "strokes.tif")]
    assert "out: expected the name of a file that ends in .cl" in error_of(
        [*train, "--out", str(blobs / out)], capsys
    )
    measure = ["measure", str(blobs / "strokes.tif"), "--out", str(blobs / out)]
    assert "out: expected the name of a file that ends in .csv" in error_of(measure, capsys)
    assert {path.name: path.read_bytes() for path in blobs.glob("*.tif")} == before


def test_sizes_in_physical_units_and_filters(blobs):
    assert main(command(blobs, "--min-size", "4um2", out="a")) == 0
    assert main(command(blobs, "--min-size", "32", out="b")) == 0  # voxels of 0.125 square micrometres
    assert (blobs / "a" / "labels.tif").read_bytes() == (blobs / "b" / "labels.tif").read_bytes()
    assert main(command(blobs, "--max-size", "60", "--exclude-border", out="c")) == 0
    table = pd.read_csv(blobs / "c" / "objects.csv")
    assert table["num_pixels"].max() <= 60


def test_help_is_quick_and_loads_nothing():
    heavy = ("numpy", "numba", "pandas", "scipy")
    told = f"""
import resource, sys
print([name for name in {heavy} if name in sys.modules], file=sys.stderr)
print(resource.getrusage(resource.RUSAGE_SELF).ru_utime, file=sys.stderr)"""

    def seconds(code):
        times = []
        for _ in range(3):
            done = subprocess.run([sys.executable, "-c", code + told], capture_output=True, text=True)
            loaded, time = done.stderr.splitlines()
            assert loaded == "[]"
            times.append(float(time))
        return min(times)

    def call(option):
        return f"from objclass.cli import main\ntry: main([{option!r}])\nexcept SystemExit: pass"

    bare = seconds("")
    assert seconds(call("--help")) - bare < 0.2
    assert seconds(call("--version")) - bare < 0.1


def test_rerun_names_an_input_that_changed_or_is_missing(ran, capsys):
    objclass.imwrite(ran / "image.tif", np.ones((96, 96), np.uint16))
    assert re.search(r"image \S+image\.tif has changed since", error_of(["rerun", str(ran / "out")], capsys))
    (ran / "scribbles.tif").unlink()
    assert re.search(
        r"annotations \S+scribbles\.tif is missing", error_of(["rerun", str(ran / "out")], capsys)
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "which does not exist"),
        ("{", "which is not a record in JSON"),
        ("[]", "list instead of an object"),
        ('{"record": 99}', "JSON with other content"),
    ],
)
def test_rerun_wants_a_record(tmp_path, capsys, text, message):
    if text is not None:
        (tmp_path / "run.json").write_text(text)
    assert message in error_of(["rerun", str(tmp_path / "run.json")], capsys)


def test_rerun_refuses_records_of_other_releases(ran, capsys):
    path = ran / "out" / "run.json"
    record = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps({**record, "record": 99}), encoding="utf-8")
    assert "format 99" in error_of(["rerun", str(path)], capsys)
    write_sealed(path, {**record, "parameters": {"sparkle": 1}})
    assert "sparkle" in error_of(["rerun", str(path)], capsys)


def test_results_of_another_run_are_not_overwritten_in_silence(ran, capsys):
    before = (ran / "out" / "objects.csv").read_bytes()
    arguments = command(ran, "--min-size", "60")
    message = error_of(arguments, capsys)
    assert "expected a folder without results" in message
    assert "--overwrite" in message
    assert (ran / "out" / "objects.csv").read_bytes() == before
    assert main([*arguments, "--overwrite"]) == 0
    assert (ran / "out" / "objects.csv").read_bytes() != before


def test_an_input_is_never_overwritten(blobs, capsys):
    shutil.copy(blobs / "scribbles.tif", blobs / "labels.tif")
    arguments = [
        "run",
        str(blobs / "image.tif"),
        "--annotations",
        str(blobs / "labels.tif"),
        "--out",
        str(blobs),
    ]
    assert "without an input" in error_of([*arguments, "--overwrite"], capsys)


def test_failed_run_leaves_no_folder(blobs, capsys):
    objclass.imwrite(blobs / "scribbles.tif", np.zeros((96, 96), np.uint8))
    error_of(command(blobs), capsys)
    assert not (blobs / "out").exists()


@pytest.mark.parametrize("out", ["image.tif", "image.tif/below"])
def test_output_folder_that_cannot_be(blobs, capsys, out):
    assert re.search("error: out: expected a folder", error_of(command(blobs, out=out), capsys))


@pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="only Linux has a folder where not even root may write"
)
@pytest.mark.parametrize(
    ("out", "message"), [("/proc/self", "can be written"), ("/proc/self/out", "can be created")]
)
def test_output_folder_that_cannot_be_written(blobs, capsys, out, message):
    arguments = command(blobs)
    arguments[arguments.index("--out") + 1] = out
    assert f"out: expected a folder that {message}" in error_of(arguments, capsys)


def test_truncated_tiff(blobs, capsys):
    content = (blobs / "image.tif").read_bytes()
    (blobs / "image.tif").write_bytes(content[: len(content) // 2])
    assert "image.tif" in error_of(command(blobs), capsys)


@pytest.mark.parametrize(
    ("scribbles", "message"),
    [
        (np.zeros((96, 96), np.uint8), "annotations: expected"),
        (np.ones((96, 96), np.uint8), "annotations: expected"),
        (np.ones((95, 96), np.uint8), "annotations"),
        (np.ones((96, 96), np.float32), "annotations: expected"),
    ],
)
def test_bad_annotations(blobs, capsys, scribbles, message):
    objclass.imwrite(blobs / "scribbles.tif", scribbles)
    assert message in error_of(command(blobs), capsys)


def test_hostile_classifier(blobs, capsys):
    (blobs / "evil.cl").write_text("/*\nclassifier_class_name = ObjectSegmenter\n*/\nimport os; os.abort()\n")
    arguments = [
        "run",
        str(blobs / "image.tif"),
        "--classifier",
        str(blobs / "evil.cl"),
        "--out",
        str(blobs / "out"),
    ]
    assert "evil.cl" in error_of(arguments, capsys)


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (["--features", "sparkle=1"], "sparkle"),
        (["--n-clusters", "0"], "n_clusters: expected"),
        (["--min-size", "-1"], "min_size: expected"),
        (["--spacing", "1", "2", "3"], "spacing: expected"),
    ],
)
def test_bad_options(blobs, capsys, more, message):
    assert message in error_of(command(blobs, *more), capsys)


def test_unknown_method_is_named_with_the_known_ones(blobs, capsys):
    with pytest.raises(SystemExit, match="2"):
        main(command(blobs, "--cluster", "sparkle"))
    assert re.search("invalid choice: 'sparkle'.*hdbscan", capsys.readouterr().err)


def test_time_series_wants_a_frame(blobs, capsys):
    import tifffile

    image = objclass.imread(blobs / "image.tif")
    tifffile.imwrite(blobs / "image.tif", np.stack([image, image]), imagej=True, metadata={"axes": "TYX"})
    assert "frame" in error_of(command(blobs), capsys)
    assert main(command(blobs, "--frame", "1")) == 0


@pytest.mark.filterwarnings("default::UserWarning")
def test_classifiers_of_planes_and_of_another_voxel_size(blobs, capsys):
    image = objclass.imread(blobs / "image.tif")
    scribbles = objclass.imread(blobs / "scribbles.tif")
    objclass.imwrite(blobs / "stack.tif", np.stack([image] * 3), spacing=(1, 0.5, 0.25))
    stack_of_them = np.stack([0 * scribbles, scribbles, 0 * scribbles])
    objclass.imwrite(blobs / "planes.tif", stack_of_them)
    quick = ["--n-estimators", "10", "--preset", "apoc", "--reduce", "pca", "--n-clusters", "2"]
    stack, out = str(blobs / "stack.tif"), str(blobs / "planes")
    command = ["run", stack, "--annotations", str(blobs / "planes.tif"), "--planewise", "--out", out]
    assert main([*command, *quick]) == 0
    classifier = objclass.load_classifier(blobs / "planes" / "ObjectSegmenter.cl")
    assert (classifier.ndim, classifier.spacing) == (2, (0.5, 0.25))
    labels = objclass.imread(blobs / "planes" / "labels.tif")
    assert labels.shape == (3, 96, 96)
    assert labels.max() == 16
    assert json.loads((blobs / "planes" / "run.json").read_text())["parameters"]["planewise"] is True
    assert main(["rerun", out]) == 0
    trained = ["train", str(blobs / "image.tif"), "--annotations", str(blobs / "scribbles.tif")]
    assert main([*trained, "--out", str(blobs / "a.cl"), "--class-weight", "balanced"]) == 0
    assert re.search(r"warning: .* cannot run .*a\.cl", capsys.readouterr().err)
    classifier = objclass.load_classifier(blobs / "a.cl")
    assert (classifier.spacing, classifier.parameters.class_weight) == ((0.5, 0.25), "balanced")
    fine = ["--spacing", "0.3", "0.15", "--reduce", "pca", "--classifier", str(blobs / "a.cl"), "--out"]
    assert main(["run", str(blobs / "image.tif"), *fine, str(blobs / "unlike")]) == 0
    assert "Pass match_spacing=True" in capsys.readouterr().err
    assert main(["run", str(blobs / "image.tif"), *fine, str(blobs / "like"), "--match-spacing"]) == 0
    record = json.loads((blobs / "like" / "run.json").read_text())
    assert (record["parameters"]["match_spacing"], record["notes"]) == (True, [])


def test_spacing_can_be_given(blobs):
    main(command(blobs, "--spacing", "2", "2"))
    assert objclass.read_spacing(blobs / "out" / "labels.tif") == (2.0, 2.0)


def test_debug_shows_where(blobs, capsys):
    (blobs / "image.tif").unlink()
    assert main(command(blobs, "--debug")) == 2
    assert "Traceback" in capsys.readouterr().err


def test_no_objects(blobs, capsys):
    assert main(command(blobs, "--min-size", "5000")) == 0
    printed = capsys.readouterr().out
    assert "No objects of at least 5000 voxels" in printed
    assert sorted(file.name for file in (blobs / "out").iterdir()) == FILES
    table = pd.read_csv(blobs / "out" / "objects.csv")
    assert len(table) == 0
    assert {"label", "area", "intensity_mean", "solidity", "PC_0", "KMEANS_CLUSTER_ID"} <= set(table.columns)
    assert main(["rerun", str(blobs / "out")]) == 0


def test_fewer_objects_than_clusters(blobs, capsys):
    assert main(command(blobs, "--n-clusters", "40")) == 0
    printed = capsys.readouterr().out
    assert re.search("Note: cluster was skipped: .*40", printed)
    assert len(pd.read_csv(blobs / "out" / "objects.csv")) == 16


@pytest.mark.skipif(os.name != "posix", reason="Windows has no SIGINT for one process")
def test_interrupt(tmp_path):
    arguments = [sys.executable, "-u", "-m", "objclass", "demo", "--out", str(tmp_path / "demo")]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert "objclass demo" in process.stdout.readline()
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=60)
    # 130 for a shell either way: Python itself ends by the signal where it met code that is run as text.
    assert process.returncode in (130, -signal.SIGINT)
    assert "objclass: stopped" in errors
    assert "Traceback" not in errors
    assert not (tmp_path / "demo" / "run.json").exists()


def test_demo_and_its_repetition(tmp_path, capsys):
    arguments = ["demo", "--out", str(tmp_path / "demo"), "--size", "32", "96", "96", "--seed", "1"]
    assert main(arguments) == 0
    printed = capsys.readouterr().out
    assert re.search(r"Objects after round 1: \d+\.", printed)
    assert re.search(r"Objects after round 2: \d+\.", printed)
    assert re.search(r"True nuclei recovered: [\d.]+% of \d+\.", printed)
    assert re.search(r"Adjusted Rand index of clusters and true classes: -?[01]\.\d+", printed)
    assert set(FILES) | {"image.tif", "annotations.tif"} == {
        file.name for file in (tmp_path / "demo").iterdir()
    }
    assert main(["rerun", str(tmp_path / "demo")]) == 0
    assert "The result is identical." in capsys.readouterr().out
    again = ["run", str(tmp_path / "demo" / "image.tif"), "--classifier"]
    again += [str(tmp_path / "demo" / "ObjectSegmenter.cl"), "--out", str(tmp_path / "run"), "--seed", "1"]
    assert main(again) == 0
    for name in ("labels.tif", "objects.csv"):
        assert (tmp_path / "run" / name).read_bytes() == (tmp_path / "demo" / name).read_bytes()


def test_module_runs():
    for arguments, expected in ((["--version"], f"objclass {objclass.__version__}"), (["info"], "threads")):
        done = subprocess.run(
            [sys.executable, "-m", "objclass", *arguments], capture_output=True, text=True, check=True
        )
        assert expected in done.stdout


def test_console_without_the_signs(blobs, monkeypatch):
    printed = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(printed, encoding="cp437", write_through=True))
    assert main(command(blobs)) == 0
    assert b"96 ? 96 uint16" in printed.getvalue()


def test_warmup(capsys):
    assert main(["warmup"]) == 0
    assert "compiled" in capsys.readouterr().out


def test_errors_of_relative_paths_name_the_folder(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    message = error_of(["run", "nowhere.tif", "--annotations", "none.tif", "--out", "out"], capsys)
    assert "nowhere.tif" in message
    assert str(Path.cwd()) in message


COMPILING = """
import time
from numba.core import event
from objclass import cli

def compile_for_long(options):
    cli._report_stage("train", None, "")
    with event.trigger_event("numba:compile", data={}):
        time.sleep(3.2)
    cli._report_stage("train", 3.2, "done")

cli.COMMANDS["info"] = (compile_for_long, *cli.COMMANDS["info"][1:])
cli.main(["info"])
"""


@pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")
def test_a_terminal_shows_a_moving_line_while_functions_are_compiled():
    pty = pytest.importorskip("pty")
    ours, theirs = pty.openpty()
    process = subprocess.Popen([sys.executable, "-c", COMPILING], stdout=theirs, stderr=theirs)
    os.close(theirs)
    chunks = []
    with open(ours, "rb", buffering=0) as terminal:
        try:
            while chunk := terminal.read(1000):
                chunks.append(chunk)
        except OSError:  # the other end is closed
            pass
    assert process.wait() == 0
    shown = b"".join(chunks).decode().split("\r")
    seconds = [line.split("… ")[1].strip() for line in shown if "compiling functions on first use" in line]
    assert len(seconds) >= 3
    assert len(set(seconds)) >= 2
    assert shown[-2].split() == ["train", "3.2", "s", "done"]
