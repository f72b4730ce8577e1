"""What the README says can be done."""

import re
import shlex
from pathlib import Path

import pytest

from objclass.cli import _parser

REPOSITORY = Path(__file__).resolve().parents[1]
README = (REPOSITORY / "README.md").read_text(encoding="utf-8")


def blocks(language):
    return re.findall(rf"^```{language}\n(.*?)^```", README, re.M | re.S)


@pytest.mark.slow
def test_code_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (code,) = blocks("python")
    names = {}
    with pytest.warns(UserWarning, match="cannot run ObjectSegmenter.cl"):  # scaled to the voxel size
        exec(code, names)
    assert len(names["table"]) > 300
    assert {file.name for file in tmp_path.iterdir()} == {"overview.png", "ObjectSegmenter.cl"}


def test_commands_are_known():
    lines = [line for block in blocks("sh") for line in block.splitlines() if line.startswith("objclass ")]
    assert len(lines) >= 3
    for line in lines:
        words = shlex.split(line)[1:]
        assert callable(_parser(words[0]).parse_args(words).command)


def test_install_commands_are_those_that_ci_runs():
    ci = (REPOSITORY / ".ci" / "run").read_text(encoding="utf-8")
    commands = re.findall(r"^python3 -m venv .*$", README, re.M)
    assert len(commands) == 2
    for command in commands:
        assert command in ci, f"CI does not run what the README says: {command}"


def test_links_lead_somewhere():
    for target in re.findall(r"\]\((?!https?:)([^)#]+)\)", README):
        assert (REPOSITORY / target).is_file(), f"{target} is not there"
