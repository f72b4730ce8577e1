"""Write environment.yml, pixi.toml and .binder/environment.yml from what pyproject.toml says.

``python tools/environments.py`` writes them; a test compares them with pyproject.toml.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).resolve().parents[1]

# What conda-forge calls a package, where it differs. (bioconda's "apoc" is another program.)
CONDA_NAMES = {"apoc": "apoc-backend"}
# OpenCL on the CPU: only conda has it as a package of its own. objclass itself computes without.
CONDA_ONLY = ("pocl",)
PLATFORMS = ("linux-64", "osx-64", "osx-arm64", "win-64")
NOTE = "# Written by tools/environments.py from pyproject.toml: change that and run it again."


def project() -> dict[str, Any]:
    """Return the table ``project`` of pyproject.toml."""
    return tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def versions(requirements: Iterable[str]) -> dict[str, str]:
    """Return name and version of each requirement, such as ``{"numpy": ">=1.26"}``.

    Those that hold for one system only are left out, and objclass with its own extras.
    """
    found = {}
    for text in requirements:
        match = re.fullmatch(r"([\w.-]+)(?:\[[\w,]+\])?([^;]*)", text)
        if match and match[1] != project()["name"]:
            found[match[1]] = match[2] or "*"
    return found


def conda_packages() -> dict[str, str]:
    """Return all that the notebooks need, under conda-forge's names, and OpenCL."""
    extras = project()["optional-dependencies"]
    found = versions([*project()["dependencies"], *extras["lab"], *extras["gpu"]])
    found = {CONDA_NAMES.get(name, name): version for name, version in found.items()}
    python = {"python": project()["requires-python"]}
    return python | dict(sorted((found | dict.fromkeys(CONDA_ONLY, "*")).items()))


def environment_yml(*, pip: tuple[str, ...] = ()) -> str:
    """Return a conda environment, and what pip puts into it."""
    lines = [NOTE, "name: objclass", "channels:", "  - conda-forge", "  - nodefaults", "dependencies:"]
    for name, version in conda_packages().items():
        lines.append(f"  - {name}" if version == "*" else f'  - "{name}{version}"')
    lines.append("  - pip")
    if pip:
        lines += ["  - pip:", *(f"      - {one}" for one in pip)]
    return "\n".join(lines) + "\n"


def pixi_toml() -> str:
    """Return a pixi workspace with its tasks."""
    tools = versions(project()["optional-dependencies"]["test"])
    quoted = ", ".join(f'"{platform}"' for platform in PLATFORMS)
    return "\n".join(
        [
            NOTE,
            "[workspace]",
            'name = "objclass"',
            'channels = ["conda-forge"]',
            f"platforms = [{quoted}]",
            "",
            "[tasks]",
            'lab = "jupyter lab notebooks"',
            'demo = "objclass demo"',
            "download-data = 'python -c \"import objclass; print(objclass.samples.lund())\"'",
            "",
            "[dependencies]",
            *(f'{name} = "{version}"' for name, version in conda_packages().items()),
            "",
            "[pypi-dependencies]",
            'objclass = { path = ".", editable = true }',
            "",
            "[feature.test.pypi-dependencies]",
            *(f'{name} = "{version}"' for name, version in sorted(tools.items())),
            "",
            "[feature.test.tasks]",
            'test = "pytest"',
            "",
            "[environments]",
            'test = ["test"]',
            "",
        ]
    )


def files() -> dict[str, str]:
    """Return each file and what it shall contain."""
    return {
        "environment.yml": environment_yml(pip=("-e .",)),
        ".binder/environment.yml": environment_yml(),  # there postBuild installs objclass
        "pixi.toml": pixi_toml(),
    }


if __name__ == "__main__":
    for name, text in files().items():
        (REPOSITORY / name).write_text(text, encoding="utf-8")
