"""The record of a run, from which it can be repeated and verified."""

from __future__ import annotations

import hashlib
import json
import os
import platform
import re
from collections.abc import Iterable, Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

from objclass import __version__
from objclass._common.checks import describe, invalid
from objclass._common.files import AnyPath, replacing

RECORD, SEAL = "run.json", "checksum"
_FORMAT = 2
_INPUTS: dict[Any, tuple[set[str], ...]] = {
    "run": tuple(
        {"image", source, *classes}
        for source in ("annotations", "classifier")
        for classes in ((), ("object_classifier",))
    ),
    "demo": (set(),),
}
_INPUT_KEYS = ("path", "from_here", "sha256")
_PLAIN_NAME = re.compile(r"\w[\w.-]*")
_DIGEST = re.compile("[0-9a-f]{64}")
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
    """Return the versions of objclass, Python, and the packages that affect results.

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
    """Return the SHA-256 of the content of a state file, independent of whitespace and order."""
    kept = {name: value for name, value in content.items() if name != SEAL}
    try:
        return hashlib.sha256(json.dumps(kept, sort_keys=True).encode()).hexdigest()
    except RecursionError as error:
        raise ValueError("it is nested too deep") from error


def write_sealed(path: Path, content: Mapping[str, Any], *, indent: int | None = None) -> None:
    """Write a state file as JSON, with a checksum that `read_sealed` verifies."""
    plain = json.loads(json.dumps(content))
    text = json.dumps({**plain, SEAL: seal(plain)}, indent=indent) + "\n"
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def read_sealed(path: Path) -> dict[str, Any]:
    """Read a state file.

    Raises
    ------
    FileNotFoundError
        If it is not there.
    ValueError
        If it was not written by `write_sealed`, or was modified.
    """
    content = read_json(path)
    if content.get(SEAL) != seal(content):
        raise ValueError("its checksum does not match its content")
    return content


def read_json(path: Path) -> dict[str, Any]:
    """Read a JSON object; raise ValueError with the reason if the file does not contain one."""
    try:
        content = json.loads(path.read_bytes().decode("utf-8"))
    except RecursionError as error:
        raise ValueError("it is nested too deep") from error
    if not isinstance(content, dict):
        raise ValueError(
            f"it contains {'null' if content is None else type(content).__name__} instead of an object"
        )
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
    """Read and validate the record of a run.

    Raises
    ------
    FileNotFoundError
        If it is not there.
    ValueError
        If it is not the record of a run that can be repeated, or was modified.
    """
    path, expected = Path(path), f"the {RECORD} of a run"
    hint = f"objclass run and objclass demo write a {RECORD} into their folder."
    if not path.is_file():
        raise invalid("record", expected, f"{path}, which does not exist", hint, kind=FileNotFoundError)
    try:
        content = read_json(path)
        is_unchanged = content.get(SEAL) == seal(content)
    except ValueError as error:
        raise invalid("record", expected, f"{path}, which is not a record in JSON ({error})", hint) from error
    if content.get("record") != _FORMAT:
        if "record" not in content or "command" not in content:
            raise invalid("record", expected, f"{path}, JSON with other content", hint)
        got = f"format {content['record']!r:.20} in {path}"
        raise invalid("record", f"format {_FORMAT}", got, "Use the version of objclass that wrote it.")
    if content.get("command") == "batch":
        call = f"objclass batch INPUTS --classifier {path.parent / 'ObjectSegmenter.cl'} --out NEW_FOLDER"
        hint = f"Repeat it with {call} and the same parameters; --verify checks existing results."
        raise invalid("record", expected, f"{path}, the record of a batch", hint)
    wrong = _find_wrong(content)
    if wrong:
        raise invalid("record", expected, f"{path}, where {wrong}", "Repeat the run with objclass run.")
    if not is_unchanged:
        hint = "It cannot be verified. Repeat the run with objclass run."
        raise invalid("record", f"an unmodified {RECORD} of a run", f"{path}, which was modified", hint)
    return content


def _find_wrong(content: Mapping[str, Any]) -> str:
    """Return the first violation of the format in a record, or an empty string."""
    for name in ("inputs", "image", "parameters", "versions", "outputs"):
        if not isinstance(content.get(name), dict):
            return f"{name} is missing or not a mapping"
    command, inputs = content.get("command"), content["inputs"]
    if not isinstance(command, str) or command not in _INPUTS:
        return f"the command is {describe(command)}, which is unknown"
    if {*inputs} not in _INPUTS[command]:
        return f"the inputs are {', '.join(inputs) or 'none'}"
    for name, entry in inputs.items():
        if not isinstance(entry, dict) or not all(isinstance(entry.get(key), str) for key in _INPUT_KEYS):
            return f"the input {name} has no path or no checksum"
    if not isinstance(content.get("edits", []), list):
        return "the edits are not a list"
    if command == "demo" and not isinstance(content.get("phantom"), dict):
        return "the parameters of the synthetic image are missing"
    return _find_wrong_output(content["outputs"])


def _find_wrong_output(outputs: Mapping[str, Any]) -> str:
    for name, digest in outputs.items():
        if not _PLAIN_NAME.fullmatch(name):
            return f"the output {name!r} is not the plain name of a file in its folder"
        if not isinstance(digest, str) or not _DIGEST.fullmatch(digest):
            return f"the output {name} has no checksum"
    return "" if outputs else "there are no outputs"


def describe_input(path: AnyPath, folder: Path) -> dict[str, str]:
    """Return the path of an input, also relative to the `folder` of the run, and its checksum."""
    path = Path(path).resolve()
    try:
        relative = Path(os.path.relpath(path, folder.resolve())).as_posix()
    except ValueError:  # another drive
        relative = str(path)
    return {"path": str(path), "from_here": relative, "sha256": checksum(path)}
