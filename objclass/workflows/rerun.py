"""Repeat a recorded run, and say whether the result is the same."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from objclass._common.checks import invalid
from objclass._common.files import AnyPath
from objclass._common.parallel import Progress
from objclass.io.images import imread
from objclass.workflows.demo import run_demo
from objclass.workflows.record import RECORD, checksum, read_record, versions
from objclass.workflows.run import Parameters, run_image
from objclass.workflows.stages import Report


@dataclass(frozen=True)
class Repetition:
    """How a run and its repetition compare.

    Attributes
    ----------
    verdicts : dict of str to str
        File name to what is to say of it; it begins with "identical" where the result is the same.
    changed_versions : list of str
        What is of another version now.
    """

    verdicts: dict[str, str]
    changed_versions: list[str]

    @property
    def is_identical(self) -> bool:
        """Whether every result is the same."""
        return all(verdict.startswith("identical") for verdict in self.verdicts.values())


def repeat_run(
    record: AnyPath,
    out: AnyPath | None = None,
    *,
    overwrite: bool = False,
    report: Report = lambda *_: None,
    progress: Progress = True,
) -> Repetition:
    """Repeat a run from its record, and compare.

    Parameters
    ----------
    record : str or path
        The ``run.json`` of a run, or its folder.
    out : str or path, optional
        Where to keep the results of the repetition; by default they are only compared.
    overwrite : bool
        Replace the results of another run in `out`.
    report, progress
        See `objclass.workflows.run.run_image`.

    Raises
    ------
    FileNotFoundError
        If the record, or an input of the run, is missing.
    ValueError
        If the record is none, or an input has changed.
    """
    path = Path(record) / RECORD if Path(record).is_dir() else Path(record)
    content = read_record(path)
    inputs = find_inputs(content, path.parent)
    options: dict[str, Any] = {"overwrite": overwrite, "report": report, "progress": progress}
    options["parameters"] = _read_parameters(content, path)
    with _folder(out) as folder:
        if content["command"] == "demo":
            run_demo(folder, shape=content["phantom"]["shape"], **options)
        else:
            image = inputs.pop("image")
            run_image(image, folder, **{**inputs, **options})
        return Repetition(compare_outputs(content, path.parent, folder), _changed_versions(content))


@contextlib.contextmanager
def _folder(out: AnyPath | None) -> Iterator[Path]:
    if out is not None:
        yield Path(out)
    else:
        with tempfile.TemporaryDirectory(prefix="objclass-") as folder:
            yield Path(folder)


def _read_parameters(content: Mapping[str, Any], path: Path) -> Parameters:
    values = dict(content["parameters"])
    if isinstance(values.get("spacing"), list):
        values["spacing"] = tuple(values["spacing"])
    try:
        return Parameters(**values)
    except TypeError as error:
        raise invalid("record", "parameters of this release of objclass", f"{path}: {error}") from error


def find_inputs(content: Mapping[str, Any], folder: Path) -> dict[str, Path]:
    """Return the inputs of a recorded run, each found where it was, or at its place beside the record.

    Raises
    ------
    FileNotFoundError
        If one is missing.
    ValueError
        If one is not what it was.
    """
    found, missing, changed = {}, [], []
    for name, entry in content["inputs"].items():
        places = [Path(entry["path"]), folder / entry["from_here"]]
        there = [place for place in places if place.exists()]
        same = [place for place in there if checksum(place) == entry["sha256"]]
        if same:
            found[name] = same[0]
        elif there:
            changed.append(f"{name} {there[0]} has changed since")
        else:
            missing.append(f"{name} {entry['path']} is missing")
    if missing or changed:
        kind = FileNotFoundError if missing else ValueError
        got = "; ".join([*missing, *changed])
        raise invalid(
            "record", "the inputs that the run was made of", got, "Put them back to repeat it.", kind=kind
        )
    return found


def compare_outputs(content: Mapping[str, Any], then: Path, now: Path) -> dict[str, str]:
    """Say of each output of a recorded run whether it came out the same again.

    Parameters
    ----------
    content : mapping
        The record of the first run.
    then : Path
        The folder of the first run. Of a file there that is no longer what the run wrote, only the recorded
        checksum is compared.
    now : Path
        The folder of the second run.

    Returns
    -------
    dict of str to str
        See `Repetition.verdicts`.
    """
    verdicts = {}
    for name, known in content["outputs"].items():
        if checksum(now / name) == known:
            verdicts[name] = "identical"
        elif (then / name).is_file() and checksum(then / name) == known:
            verdicts[name] = _difference(then / name, now / name)
        else:
            verdicts[name] = "different"
    return verdicts


def _difference(then: Path, now: Path) -> str:
    if then.suffix == ".tif":
        before, after = imread(then), imread(now)
        if before.shape != after.shape:
            return f"different: shape {before.shape} then, {after.shape} now"
        count = int((before != after).sum())
        if count:
            return f"different in {count:,} of {before.size:,} voxels"
        return "identical voxels, stored differently"
    if then.suffix == ".csv":
        before_lines, after_lines = (path.read_text(encoding="utf-8").splitlines() for path in (then, now))
        if before_lines[:1] != after_lines[:1]:
            return "different columns"
        if len(before_lines) != len(after_lines):
            return f"different: {len(before_lines) - 1} rows then, {len(after_lines) - 1} now"
        count = sum(a != b for a, b in zip(before_lines, after_lines, strict=True))
        return f"different in {count} of {len(before_lines) - 1} rows"
    return "different"


def _changed_versions(content: Mapping[str, Any]) -> list[str]:
    then, now = content["versions"], versions()
    return [f"{name} {then.get(name)} then, {now[name]} now" for name in now if then.get(name) != now[name]]
