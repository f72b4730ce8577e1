"""README and documentation: links lead somewhere, code runs, nothing public is missing."""

import re
import shlex
from pathlib import Path

import matplotlib as mpl
import nbformat
import pytest

import objclass
from objclass.cli import main

REPOSITORY = Path(__file__).resolve().parents[1]
DOCS = REPOSITORY / "docs"
PAGES = sorted(
    [*REPOSITORY.glob("*.md"), *DOCS.glob("*.md"), *DOCS.glob("howto/*.md"), *DOCS.glob("*.rst")],
    key=lambda path: path.as_posix(),
)
NOTEBOOKS = sorted((REPOSITORY / "notebooks").glob("*.ipynb"))
SECTIONS = {
    "0 open and inspect": "01_open_and_look",
    "1 annotate": "02_annotate_and_train",
    "2 train and retrain": "02_annotate_and_train",
    "3 filter and quantify": "03_filter_and_measure",
    "4 visualise and select": "04_plot_and_select",
    "5 reduce": "05_reduce",
    "6 cluster": "06_cluster",
}


def name_of(path):
    return path.relative_to(REPOSITORY).as_posix()


def text_of(path):
    if path.suffix != ".ipynb":
        return path.read_text(encoding="utf-8")
    cells = nbformat.read(path, as_version=4).cells
    return "\n\n".join(cell.source for cell in cells if cell.cell_type == "markdown")


def blocks(path, language):
    return re.findall(rf"^```{language}\n(.*?)^```", text_of(path), re.M | re.S)


@pytest.mark.parametrize("path", [*PAGES, *NOTEBOOKS], ids=name_of)
def test_links_inside_the_repository_lead_somewhere(path):
    text = re.sub(r"```.*?```|`[^`\n]*`", "", text_of(path), flags=re.S)
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if re.match(r"https?://|mailto:|#", target):
            continue
        place = path.parent / target.partition("#")[0]
        if place.parent == DOCS / "tutorial":  # the copies that Sphinx reads
            place = REPOSITORY / "notebooks" / place.name
        assert place.exists(), f"{name_of(path)}: nothing is at {target}"


def test_reference_lists_everything_public():
    listed, module = set(), "objclass"
    for line in text_of(DOCS / "reference.rst").splitlines():
        if line.startswith(".. currentmodule::"):
            module = line.split()[-1]
        if re.fullmatch(r"   \w+", line):
            listed.add(f"{module}.{line.strip()}")
    public = {f"objclass.{name}" for name in objclass.__all__ if name != "samples"}
    public |= {f"objclass.samples.{name}" for name in ("embryo", "cells", "coins", "lund", "Sample")}
    assert listed == public


@pytest.mark.parametrize("section", SECTIONS)
def test_each_section_of_the_tutorial_has_its_place(section):
    number, _, title = section.partition(" ")
    notebook = SECTIONS[section]
    row = f"| {section} | "
    line = next(line for line in text_of(DOCS / "tutorial.md").splitlines() if line.startswith(row))
    assert f"(tutorial/{notebook}.ipynb)" in line
    assert re.search(rf"^## {number} {title}$", text_of(DOCS / "migration.md"), re.M | re.I)
    first = nbformat.read(REPOSITORY / "notebooks" / f"{notebook}.ipynb", as_version=4).cells[0].source
    assert re.search(rf"[Ss]ections? (?:.*\) and )?{number}\b.*{title}", first), f"{section} is not named"


@pytest.fixture
def empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


# The README's code has a test of its own, in test_readme.py.
WITH_CODE = [path for path in PAGES if path.name != "README.md" and blocks(path, "python")]


@pytest.mark.parametrize("path", WITH_CODE, ids=name_of)
def test_python_runs(path, empty_folder):
    names = {}
    with mpl.rc_context({"backend": "agg"}):
        for code in blocks(path, "python"):
            exec(compile(code, name_of(path), "exec"), names)


def test_there_is_code_to_run():
    assert {name_of(path) for path in WITH_CODE} >= {"docs/index.md", "docs/howto/own_data.md"}


def test_commands_of_the_readme_run(empty_folder):
    embryo = objclass.samples.embryo((32, 128, 128))
    for name, array in (
        ("stack", embryo.image),
        ("other", embryo.image),
        ("annotations", embryo.annotations[-1]),
    ):
        objclass.imwrite(f"{name}.tif", array, spacing=embryo.spacing)
    lines = [line for block in blocks(REPOSITORY / "README.md", "sh") for line in block.splitlines()]
    ran = 0
    for line in lines:
        if line.startswith("python3 -m venv"):
            continue  # test_structure.py sees to it that .ci/run runs these
        if line.startswith("python -m pip install"):
            extra = re.search(r'"\.\[(\w+)\]"', line).group(1)
            assert extra in (REPOSITORY / "pyproject.toml").read_text(encoding="utf-8")
            assert (REPOSITORY / line.rpartition("jupyter lab ")[2]).is_dir()
            continue
        command, *arguments = shlex.split(line)
        assert command == "objclass"
        assert main(arguments) == 0
        ran += 1
    assert ran == 3
    assert (empty_folder / "results" / "objects.csv").stat().st_size > 0
    assert (empty_folder / "other" / "objects.csv").stat().st_size > 0
