"""What a run was made with, so that it can be repeated, and whether the repetition is the same."""

from __future__ import annotations

import hashlib
import json
import os
import platform
from collections.abc import Iterable, Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

from objclass import __version__
from objclass._common.checks import invalid
from objclass._common.files import AnyPath, replacing

RECORD, SEAL = "run.json", "checksum"
_FORMAT = 1
_PACKAGES = (
    "numpy",
    "scipy",
    "pandas",
    "numba",
    "scikit-image",
    "scikit-learn",
    "umap-learn",
    "connected-components-3d",
    "matplotlib",
    "tifffile",
)


def versions() -> dict[str, str]:
    """Return the versions of objclass, of Python, and of the packages that decide a result.

    Examples
    --------
    >>> sorted(versions())[-3:]
    ['scipy', 'tifffile', 'umap-learn']
    """
    packages = {name: metadata.version(name) for name in _PACKAGES}
    python = {"python": platform.python_version(), "platform": platform.platform()}
    return {"objclass": __version__, **python, **packages}


def checksum(path: AnyPath) -> str:
    """Return the SHA-256 of a file, or of the names and contents of all files in a folder."""
    path = Path(path)
    if path.is_file():
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    digest = hashlib.sha256()
    for file_path in sorted(p for p in path.rglob("*") if p.is_file()):
        digest.update(f"{file_path.relative_to(path).as_posix()} {checksum(file_path)}\n".encode())
    return digest.hexdigest()


def seal(content: Mapping[str, Any]) -> str:
    """Return the SHA-256 of what a state file says, however it is spaced and ordered."""
    kept = {name: value for name, value in content.items() if name != SEAL}
    return hashlib.sha256(json.dumps(kept, sort_keys=True).encode()).hexdigest()


def write_sealed(path: Path, content: Mapping[str, Any], *, indent: int | None = None) -> None:
    """Write a state file as JSON, with a checksum by which `read_sealed` knows that it is whole."""
    plain = json.loads(json.dumps(content))
    text = json.dumps({**plain, SEAL: seal(plain)}, indent=indent) + "\n"
    with replacing(path) as beside:
        beside.write_text(text, encoding="utf-8")


def read_sealed(path: Path) -> dict[str, Any]:
    """Read a state file.

    Raises
    ------
    FileNotFoundError
        If it is not there.
    ValueError
        If it is not what `write_sealed` wrote.
    """
    content = read_json(path)
    if content.get(SEAL) != seal(content):
        raise ValueError("its checksum does not fit its content")
    return content


def read_json(path: Path) -> dict[str, Any]:
    """Read a JSON object; raise ValueError with the reason if the file holds none."""
    try:
        content = json.loads(path.read_bytes().decode("utf-8"))
    except RecursionError as error:
        raise ValueError("it is nested too deep") from error
    if not isinstance(content, dict):
        raise ValueError(f"it holds {type(content).__name__} where an object is expected")
    return content


def write_record(folder: Path, content: Mapping[str, Any], *, outputs: Iterable[str]) -> None:
    """Write the record of a run into its folder, with the checksums of its `outputs`."""
    record = {
        "record": _FORMAT,
        **content,
        "versions": versions(),
        "outputs": {name: checksum(folder / name) for name in outputs},
    }
    write_sealed(folder / RECORD, record, indent=2)


def read_record(path: AnyPath) -> dict[str, Any]:
    """Read the record of a run.

    Raises
    ------
    FileNotFoundError
        If it is not there.
    ValueError
        If it is no record of a run.
    """
    path = Path(path)
    hint = f"objclass run and objclass demo write a {RECORD} into their folder."
    if not path.is_file():
        raise invalid(
            "record", f"the {RECORD} of a run", f"{path}, which is not there", hint, kind=FileNotFoundError
        )
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise invalid(
            "record", f"the {RECORD} of a run", f"{path}, which is no JSON ({error})", hint
        ) from error
    needed = ("record", "command", "parameters", "inputs", "versions", "outputs")
    if not isinstance(record, dict) or any(key not in record for key in needed):
        raise invalid("record", f"the {RECORD} of a run", f"{path}, JSON of something else", hint)
    if record["record"] != _FORMAT:
        hint = "Use the release of objclass that wrote it."
        raise invalid("record", f"format {_FORMAT}", f"format {record['record']} in {path}", hint)
    return record


def describe_input(path: AnyPath, folder: Path) -> dict[str, str]:
    """Return where an input lies, also as seen from the `folder` of the run, and its checksum."""
    path = Path(path).resolve()
    try:
        relative = Path(os.path.relpath(path, folder.resolve())).as_posix()
    except ValueError:  # another drive
        relative = str(path)
    return {"path": str(path), "from_here": relative, "sha256": checksum(path)}
