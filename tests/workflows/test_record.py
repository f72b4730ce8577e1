import hashlib
import json
import os
import random

import pytest

from objclass import ObjclassError
from objclass.workflows.record import checksum, describe_input, read_record, read_sealed, write_record


def test_checksum_of_a_file_is_its_sha256(tmp_path):
    (tmp_path / "file").write_bytes(b"content")
    assert checksum(tmp_path / "file") == hashlib.sha256(b"content").hexdigest()


def test_checksum_of_a_folder_sees_names_and_contents(tmp_path):
    sums = set()
    for number, files in enumerate(
        ({"a": "1", "b/c": "2"}, {"a": "1", "b/d": "2"}, {"a": "1", "b/c": "3"}, {"a": "1"})
    ):
        for name, text in files.items():
            path = tmp_path / str(number) / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        sums.add(checksum(tmp_path / str(number)))
    assert len(sums) == 4
    (tmp_path / "0").rename(tmp_path / "elsewhere")
    assert checksum(tmp_path / "elsewhere") in sums


def test_written_record_is_read(tmp_path):
    (tmp_path / "in.txt").write_text("input")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "result.txt").write_text("result")
    given = {"image": describe_input(tmp_path / "in.txt", tmp_path / "out")}
    given["classifier"] = given["image"]
    content = {"command": "run", "parameters": {"min_size": 20}, "inputs": given, "image": {}}
    write_record(tmp_path / "out", content, outputs=["result.txt"])
    record = read_record(tmp_path / "out" / "run.json")
    assert record.items() >= content.items()
    assert record["inputs"]["image"]["from_here"] == "../in.txt"
    assert record["outputs"] == {"result.txt": hashlib.sha256(b"result").hexdigest()}


def test_other_formats_are_refused(tmp_path):
    (tmp_path / "run.json").write_text("nothing")
    with pytest.raises(ValueError, match="which is not a record in JSON"):
        read_record(tmp_path / "run.json")
    keys = ("command", "parameters", "inputs", "versions", "outputs")
    (tmp_path / "run.json").write_text(json.dumps({"record": 1, **{key: {} for key in keys}}))
    with pytest.raises(ValueError, match="expected format 2, got format 1"):
        read_record(tmp_path / "run.json")
    with pytest.raises(FileNotFoundError, match="which does not exist"):
        read_record(tmp_path / "none.json")


@pytest.fixture
def record(tmp_path):
    """A record that holds, and where it is."""
    (tmp_path / "result.txt").write_text("result")
    given = {name: describe_input(tmp_path / "result.txt", tmp_path) for name in ("image", "classifier")}
    content = {"command": "run", "parameters": {"min_size": 20}, "inputs": given, "image": {"series": 0}}
    write_record(tmp_path, content, outputs=["result.txt"])
    return tmp_path / "run.json", read_record(tmp_path / "run.json")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"outputs": {}}, "there are no outputs"),
        ({"outputs": {"../a.tif": "0" * 64}}, "not the plain name"),
        ({"outputs": {"/etc/passwd": "0" * 64}}, "not the plain name"),
        ({"outputs": {"a.tif": 3}}, "has no checksum"),
        ({"outputs": []}, "outputs is missing or not a mapping"),
        ({"command": "batch"}, "the record of a batch.*objclass batch INPUTS --classifier"),
        ({"command": "delete"}, "which is unknown"),
        ({"command": []}, "which is unknown"),
        ({"inputs": {}}, "the inputs are none"),
        ({"inputs": {"image": {}, "classifier": {}}}, "image has no path"),
        ({"record": None}, "expected format 2, got format None"),
        ({"parameters": {"min_size": 21}}, "was modified"),
        ({"image": {"series": 1}}, "was modified"),
        ({"versions": {}}, "was modified"),
    ],
)
def test_altered_records_are_refused_with_words(record, changes, message):
    path, content = record
    path.write_text(json.dumps({**content, **changes}))
    with pytest.raises(ObjclassError, match=message):
        read_record(path)


def mutate(draw, content):
    """Change one value or key of a record, or its text."""
    kind = draw.randrange(4)
    if kind == 0:
        text = bytearray(json.dumps(content).encode())
        text[draw.randrange(len(text))] = draw.randrange(256)
        return bytes(text)
    if kind == 1:
        text = json.dumps(content).encode()
        return text[: draw.randrange(len(text))]
    changed = json.loads(json.dumps(content))
    place = changed
    while True:
        key = draw.choice(sorted(place))
        if not isinstance(place[key], dict) or not place[key] or draw.random() < 0.3:
            break
        place = place[key]
    if kind == 2:
        del place[key]
    else:
        values = (None, 0, -1, 10**30, 1.5, "", "..", "x", [], {}, [[]], {"a": 1}, True)
        place[key] = draw.choice(values)
    return json.dumps(changed).encode()


@pytest.mark.parametrize("seed", range(int(os.environ.get("OBJCLASS_FUZZ", "60"))))
def test_no_mutated_record_is_taken(record, seed):
    path, content = record
    text = mutate(random.Random(seed), content)
    path.write_bytes(text)
    try:
        is_same = json.loads(text) == content
    except ValueError:
        is_same = False
    if is_same:
        return
    with pytest.raises(ObjclassError, match="record: expected"):
        read_record(path)
    with pytest.raises(ValueError, match=r"\w"):
        read_sealed(path)
