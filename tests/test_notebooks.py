"""The notebooks as files; pytest runs them too (``--nbmake`` in pyproject.toml), each with a time limit."""

import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

REPOSITORY = Path(__file__).resolve().parents[1]
FOLDER = REPOSITORY / "notebooks"
NAMES = [
    "00_all_in_one",
    "01_open_and_look",
    "02_annotate_and_train",
    "03_filter_and_measure",
    "04_plot_and_select",
    "05_reduce",
    "06_cluster",
    "07_apply_to_all",
    "08_classes_from_examples",
]


def read(name):
    return nbformat.read(FOLDER / f"{name}.ipynb", as_version=4)


def text_of(notebook):
    return "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")


def test_pytest_runs_all_of_them():
    assert sorted(path.stem for path in FOLDER.glob("*.ipynb")) == NAMES
    command = [sys.executable, "-m", "pytest", "--collect-only", "-q", "--no-header", str(FOLDER)]
    output = subprocess.run(command, check=True, capture_output=True, text=True, cwd=REPOSITORY).stdout
    assert sorted(re.findall(r"(\w+)\.ipynb::", output)) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_stored_without_outputs(name):
    notebook = read(name)
    nbformat.validate(notebook)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            assert cell.outputs == []
            assert cell.execution_count is None


@pytest.mark.parametrize("name", NAMES)
def test_has_all_that_a_reader_is_promised(name):
    notebook = read(name)
    text = text_of(notebook)
    assert "**You will " in text
    assert "## Try this" in text
    assert "<details><summary>Answers</summary>" in text
    assert "## When it looks wrong" in text
    assert re.search(
        r"^## The same (in code|from the command line)|^The same from the command line", text, re.M
    )
    code = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "code")
    assert ("objclass.samples.cells(" if name == NAMES[8] else "objclass.samples.embryo(") in code
    if name == NAMES[8]:
        assert "objclass.imread(" in text
        return
    switches = "objclass.imread(" in code and ("samples.lund()" in code or name in (NAMES[0], NAMES[7]))
    assert switches, "no line that takes another image"


@pytest.mark.parametrize("name", NAMES)
def test_pictures_are_there_and_small(name):
    pictures = re.findall(r"!\[([^\]]+)\]\(([^)]+)\)", text_of(read(name)))
    assert pictures, "no picture of what one should see"
    for description, path in pictures:
        assert len(description) > 20
        assert (FOLDER / path).stat().st_size < 250_000


def test_the_notebooks_after_painting_begin_alike():
    begins = [
        next(cell.source for cell in read(name).cells if cell.cell_type == "code") for name in NAMES[4:7]
    ]
    assert "-annotations.tif" in begins[0]
    assert all(begin.startswith(begins[0]) for begin in begins)
