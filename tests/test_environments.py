"""The environments for conda, pixi and Binder hold what pyproject.toml asks for."""

import os
import re
import runpy
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

REPOSITORY = Path(__file__).resolve().parents[1]
TOOL = REPOSITORY / "tools" / "environments.py"
CONDA_FILES = ("environment.yml", ".binder/environment.yml")
ASKED_FOR = """
numpy scikit-image scikit-learn apoc-backend pyclesperanto pandas umap-learn ipywidgets ipympl stackview
jupyterlab pocl
"""


def conda_versions(name):
    """Return package and version of a conda environment, read by another parser than what wrote it."""
    listed = yaml.safe_load((REPOSITORY / name).read_text(encoding="utf-8"))["dependencies"]
    parts = [re.fullmatch(r"([\w.-]+)(.*)", text).groups() for text in listed if isinstance(text, str)]
    return {package: version or "*" for package, version in parts if package != "pip"}


def pixi():
    return tomllib.loads((REPOSITORY / "pixi.toml").read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", [*CONDA_FILES, "pixi.toml"])
def test_file_is_what_pyproject_asks_for(name):
    expected = runpy.run_path(str(TOOL))["files"]()[name]
    found = (REPOSITORY / name).read_text(encoding="utf-8")
    assert found == expected, "run: python tools/environments.py"


def test_the_three_agree_and_hold_all_that_was_asked_for():
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    of_pixi = pixi()["dependencies"]
    for name in CONDA_FILES:
        assert conda_versions(name) == of_pixi
    assert set(ASKED_FOR.split()) <= set(of_pixi)
    assert of_pixi["python"] == project["requires-python"]
    wanted = [*project["dependencies"], *project["optional-dependencies"]["lab"]]
    for requirement in wanted:
        package, version = re.fullmatch(r"([\w.-]+)(.*)", requirement).groups()
        assert of_pixi[package.replace("apoc", "apoc-backend")] == (version or "*")


def test_pixi_has_its_tasks_and_they_are_commands_that_exist():
    tasks = pixi()["tasks"] | pixi()["feature"]["test"]["tasks"]
    assert set(tasks) == {"lab", "demo", "test", "download-data"}
    code = re.fullmatch(r'python -c "(.*)"', tasks["download-data"]).group(1)
    compile(code, "download-data", "exec")
    scripts = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]["scripts"]
    assert tasks["demo"].split()[0] in scripts


@pytest.mark.skipif(sys.platform == "win32", reason="files have no executable bit there")
def test_binder_compiles_when_it_builds():
    script = REPOSITORY / ".binder" / "postBuild"
    assert os.access(script, os.X_OK)
    assert script.read_text(encoding="utf-8").splitlines()[-1] == "objclass warmup"
