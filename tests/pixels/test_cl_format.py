from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from objclass.pixels import cl_format
from objclass.pixels.cl_format import ClassifierFile, RefusedError, format_cl, parse_cl, read_cl, write_cl
from objclass.pixels.forest import Forest
from tests.forests import count_votes, forests

STUMP = Forest([0, -1, -1], [7.5, 0, 0], [1, -1, -1], [2, -1, -1], [[0, 0], [1, 0], [0, 1]], [0], 1)


def content(forest=STUMP, target_class=None, **extra):
    header = {
        "classifier_class_name": "PixelClassifier",
        "num_classes": str(forest.n_classes),
        "num_features": str(forest.n_features),
        "num_trees": str(forest.n_trees),
    }
    return ClassifierFile({**header, **extra}, forest, target_class)


TEXT = format_cl(content())


@given(forests(), st.booleans())
def test_writing_and_reading_are_inverse(forest, asks_for_probability):
    written = content(forest, forest.n_classes if asks_for_probability else None)
    text = format_cl(written)
    assert parse_cl(text) == written
    assert format_cl(parse_cl(text)) == text


def test_file_round_trip(tmp_path):
    path = tmp_path / "a b.cl"
    write_cl(path, content(note="µ = 3"))
    first = path.read_bytes()
    assert read_cl(path).header["note"] == "µ = 3"
    write_cl(path, read_cl(path))
    assert path.read_bytes() == first
    assert [p.name for p in tmp_path.iterdir()] == ["a b.cl"]


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_line_ends_of_every_system_are_read(tmp_path, line_end):
    path = tmp_path / "a.cl"
    path.write_bytes(TEXT.replace("\n", line_end).encode())
    assert read_cl(path) == content()


def test_files_of_apoc_are_written_back_letter_for_letter(shared_data):
    for number in (1, 2):
        text = (shared_data / f"nuclei3d_apoc_round{number}.cl").read_text()
        read = parse_cl(text)
        assert format_cl(read) == text
        assert read.forest.n_trees == 100


@pytest.mark.parity
@pytest.mark.usefixtures("apoc")
@pytest.mark.parametrize("target_class", [-1, 2])
@pytest.mark.parametrize("max_depth", [1, 2, 5])
@pytest.mark.parametrize("n_classes", [2, 3])
def test_program_is_the_one_that_apoc_generates(max_depth, n_classes, target_class):
    from apoc._converter import RFC_to_OCL
    from sklearn.ensemble import RandomForestClassifier

    rng = np.random.default_rng(5)
    rows, classes = rng.normal(size=(40, 3)).astype(np.float32), rng.integers(1, n_classes + 1, 40)
    model = RandomForestClassifier(20, max_depth=max_depth, random_state=1).fit(rows, classes)
    program = RFC_to_OCL(model, target_class)
    header = f"/*\nOpenCL RandomForestClassifier\nnum_classes = {n_classes}\nnum_features = 3\n*/\n"
    read = parse_cl(header + program)
    assert format_cl(read) == header + program
    assert read.target_class == (None if target_class < 0 else target_class)
    shares = count_votes(read.forest, rows) / 20
    np.testing.assert_allclose(shares, model.predict_proba(rows), atol=1e-6)


def test_votes_counted_in_samples_are_read_as_older_files_have_them():
    older = TEXT.replace("s0+=1.0", "s0+=202.0").replace("s1+=1.0", "s1+=14.0")
    assert parse_cl(older).forest.leaf.tolist() == [[0, 0], [202, 0], [0, 14]]


def test_first_of_two_equal_keys_counts_as_in_apoc():
    text = TEXT.replace("num_trees", "note = a\nnote = b\nnum_trees")
    assert parse_cl(text).header["note"] == "a"


def damaged(old, new, count=1):
    assert old in TEXT
    return TEXT.replace(old, new, count)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", r"the text ends before '/\*'"),
        ("#!/bin/sh\nrm -rf /\n", "line 1 is '#!/bin/sh' instead of"),
        ('{"model": 1}', "line 1 is"),
        (TEXT[: TEXT.index("*/")], r"no '\*/' ends the header within 100 lines"),
        (TEXT.replace("*/", "\n" * 5 + "x\n" * 200 + "*/", 1), r"no '\*/' ends the header"),
        (
            damaged("num_trees", "note = */ evil(); /*\nnum_trees"),
            "line 6 continues after the end of the header",
        ),
        (damaged("num_classes = 2\n", ""), "the header has no num_classes"),
        (damaged("num_classes = 2", "num_classes = 256"), "num_classes = 256, where 1 to 255"),
        (damaged("num_features = 1", "num_features = 99999999999999"), "num_features = 9+, where 1 to 20000"),
        (damaged("num_features = 1", "num_features = 0"), "num_features = 0, where 1 to 20000"),
        (damaged("num_features = 1", "num_features = -1"), "num_features = -1, where"),
        (damaged("num_features = 1", "num_features = ２"), "num_features = ２, where"),
        (damaged("num_features = 1", "num_features = 2"), "line 8 is '__kernel void predict"),
        (damaged("num_classes = 2", "num_classes = 3"), r"line 16 is .* instead of 'float s2=0;'"),
        (damaged("num_trees = 1", "num_trees = 2"), "2 trees are declared and 1 found"),
        (damaged("CLK_FILTER_NEAREST", "CLK_FILTER_LINEAR"), "line 9 is 'sampler_t sampler"),
        (damaged("in0, sampler", "in1, sampler"), "line 13 is"),
        (damaged("float s1=0", "float s1=5"), "line 15 is 'float s1=5;' instead of 'float s1=0;'"),
        (damaged("s0+=1.0", "s0+=system(1)"), r"line 17 is 's0\+=system\(1\);', which is not part"),
        (damaged("cls=2;", "cls=7;"), "line 25 is 'cls=7;' instead of 'cls=2;'"),
        (damaged("max_s < s1", "max_s <= s1"), "line 23 is"),
        (damaged(", cls);", ", s9 / sum_s);"), "line 27 is"),
        (damaged(" float max_s=s0;", " float evil=s0;"), "line 21 is 'float evil=s0;' instead of"),
        (
            TEXT + "__kernel void more() {}\n",
            "line 29 is '__kernel void more.*after the end of the program",
        ),
        (TEXT + "}\n" * 30, "line 29 is '}' after the end"),
    ],
)
def test_anything_but_a_classifier_is_refused(text, problem):
    with pytest.raises(RefusedError, match=problem):
        parse_cl(text)


def test_every_truncation_is_refused():
    lines = TEXT.splitlines()
    for count in range(len(lines)):
        with pytest.raises(RefusedError, match=r"the text ends|no '\*/' ends the header"):
            parse_cl("\n".join(lines[:count]))


@example(34, "\x1e")
@example(34, "\r")
@given(st.integers(0, len(TEXT) - 1), st.characters(codec="utf-8"))
def test_one_wrong_letter_is_refused_or_leaves_a_forest(place, letter):
    text = TEXT[:place] + letter + TEXT[place + 1 :]
    try:
        read = parse_cl(text)
    except RefusedError:
        return
    assert parse_cl(format_cl(read)).forest == read.forest
    assert read.forest.n_nodes == 3


def test_errors_name_the_file(tmp_path):
    path = tmp_path / "a.cl"
    path.write_text("nothing")
    with pytest.raises(
        ValueError, match=r"path: expected a classifier file .*a\.cl, where line 1 is 'nothing'"
    ):
        read_cl(path)
    path.write_bytes(bytes(range(256)))
    with pytest.raises(ValueError, match=r"a\.cl, where line 1 is"):
        read_cl(path)


def test_missing_files_are_named(tmp_path):
    for path in (tmp_path / "none.cl", tmp_path):
        with pytest.raises(FileNotFoundError, match=r"path: expected an existing \.cl file, got .* Train a"):
            read_cl(path)


def test_large_files_are_refused_before_they_are_read(tmp_path, monkeypatch):
    path = tmp_path / "a.cl"
    path.write_text(TEXT)
    monkeypatch.setattr(cl_format, "MAX_BYTES", 100)
    monkeypatch.setattr(Path, "read_text", None)
    with pytest.raises(ValueError, match=r"a classifier file of at most 0 MiB, got .*a\.cl of 0 MiB"):
        read_cl(path)


@pytest.mark.parametrize(
    ("extra", "problem"),
    [
        ({f"key{i}": "" for i in range(20)}, "header: expected at most 23 entries, got 24"),
        ({"note": "a\nb"}, "header: expected entries of one line each"),
        ({"note": "*/ evil"}, r"without '\*/'"),
    ],
)
def test_headers_that_apoc_could_not_read_are_not_written(tmp_path, extra, problem):
    with pytest.raises(ValueError, match=problem):
        write_cl(tmp_path / "a.cl", content(**extra))
    assert not list(tmp_path.iterdir())


def test_folders_that_do_not_exist_are_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="path: expected a place in an existing folder"):
        write_cl(tmp_path / "none" / "a.cl", content())
