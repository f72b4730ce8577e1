import hashlib
import json

import pytest

from objclass.workflows.record import checksum, describe_input, read_record, write_record


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
    content = {"command": "run", "parameters": {"min_size": 20}, "inputs": given}
    write_record(tmp_path / "out", content, outputs=["result.txt"])
    record = read_record(tmp_path / "out" / "run.json")
    assert record.items() >= content.items()
    assert record["inputs"]["image"]["from_here"] == "../in.txt"
    assert record["outputs"] == {"result.txt": hashlib.sha256(b"result").hexdigest()}


def test_other_formats_are_refused(tmp_path):
    (tmp_path / "run.json").write_text("nothing")
    with pytest.raises(ValueError, match="which is no JSON"):
        read_record(tmp_path / "run.json")
    keys = ("command", "parameters", "inputs", "versions", "outputs")
    (tmp_path / "run.json").write_text(json.dumps({"record": 2, **{key: {} for key in keys}}))
    with pytest.raises(ValueError, match="expected format 1, got format 2"):
        read_record(tmp_path / "run.json")
    with pytest.raises(FileNotFoundError, match="which is not there"):
        read_record(tmp_path / "none.json")
