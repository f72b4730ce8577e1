"""Repeat a recorded run, and report whether the result is the same."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from objclass._common.checks import ObjclassError, invalid
from objclass._common.files import AnyPath, check_name
from objclass._common.progress import Progress
from objclass.io.images import imread
from objclass.tables.columns import CLUSTERS
from objclass.workflows.demo import run_demo
from objclass.workflows.parameters import Parameters
from objclass.workflows.record import RECORD, checksum, read_record, versions
from objclass.workflows.run import run_image
from objclass.workflows.stages import Report

if TYPE_CHECKING:
    import pandas as pd

TOLERANCE = 1e-6
"""The maximum relative difference of numbers that are equal to rounding."""
_GONE = "identical to the checksum of the first result, which is not there"
_CHANGED = "changed since the run; the repetition is identical to what the run wrote"
_NOT_RECORDED = "not recorded: a run writes this file, and the record does not list it"


@dataclass(frozen=True)
class Repetition:
    """The comparison of a run with its repetition.

    Attributes
    ----------
    verdicts : dict of str to str
        The result of the comparison of each file, or group of columns of the table: "identical", "equal to
        rounding" or "different", with details; "changed since the run" for a file that is not what the run
        wrote; "not recorded" for a file that the record does not list. Also
        "image", "parameters", "edits", "training" and "found", if the record contradicts the repetition.
    changed_versions : list of str
        The packages with another version.
    """

    verdicts: dict[str, str]
    changed_versions: list[str]

    @property
    def is_identical(self) -> bool:
        """Whether there are results and all are identical."""
        return bool(self.verdicts) and all(
            verdict.startswith("identical") for verdict in self.verdicts.values()
        )


def repeat_run(
    record: AnyPath,
    out: AnyPath | None = None,
    *,
    overwrite: bool = False,
    report: Report = lambda *_: None,
    progress: Progress = True,
) -> Repetition:
    """Repeat a run from its record, with the compute engine of the record, and compare.

    Parameters
    ----------
    record : str or path
        The ``run.json`` of a run, or its folder.
    out : str or path, optional
        The folder for the results of the repetition; by default they are only compared.
    overwrite : bool
        Replace the results of another run in `out`.
    report, progress
        See `objclass.workflows.run.run_image`.

    Raises
    ------
    FileNotFoundError
        If the record, or an input of the run, is missing.
    ValueError
        If the record is invalid, was modified or is that of a batch, or if an input has changed.
    """
    path = check_name(record, argument="record")
    path = path / RECORD if path.is_dir() else path
    content = read_record(path)
    parameters = _read_parameters(content, path)
    inputs = find_inputs(content, path.parent)
    options: dict[str, Any] = {"overwrite": overwrite, "report": report, "progress": progress}
    options["parameters"] = parameters
    place = tempfile.TemporaryDirectory(prefix="objclass-") if out is None else contextlib.nullcontext(out)
    with place as name:
        folder = Path(name)
        if content["command"] == "demo":
            run_demo(folder, shape=content["phantom"]["shape"], **options)
        else:
            image = inputs.pop("image")
            run_image(image, folder, **{**inputs, **options}, edits=content.get("edits", []))
        verdicts = compare_outputs(content, path.parent, folder)
        verdicts |= _compare_records(content, read_record(folder / RECORD))
    then, now = content["versions"], versions()
    changed = [
        f"{name} {then.get(name)} then, {now[name]} now" for name in now if then.get(name) != now[name]
    ]
    return Repetition(verdicts, changed)


def _read_parameters(content: Mapping[str, Any], path: Path) -> Parameters:
    try:
        return Parameters.of(**content["parameters"])
    except (ObjclassError, TypeError) as error:
        hint = "Use the version of objclass that wrote it."
        raise invalid("record", "parameters of this release", f"{path}: {error}", hint) from error


def find_inputs(content: Mapping[str, Any], folder: Path) -> dict[str, Path]:
    """Return the inputs of a recorded run, at their original path or relative to the record.

    Raises
    ------
    FileNotFoundError
        If one is missing.
    ValueError
        If one has changed.
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
            "record", "the original inputs of the run", got, "Restore them to repeat it.", kind=kind
        )
    return found


def compare_outputs(content: Mapping[str, Any], then: Path, now: Path) -> dict[str, str]:
    """Compare each output of a recorded run with that of its repetition.

    Parameters
    ----------
    content : mapping
        The record of the first run.
    then : Path
        The folder of the first run. For modified files, only the recorded checksum is compared.
    now : Path
        The folder of the second run.

    Returns
    -------
    dict of str to str
        See `Repetition.verdicts`.
    """
    verdicts: dict[str, str] = {}
    for name, known in content["outputs"].items():
        if not (now / name).is_file():
            verdicts[name] = "different: the repetition does not write this file"
        elif checksum(now / name) == known:
            is_left = (then / name).exists()
            verdicts[name] = "identical" if _is(then / name, known) else _CHANGED if is_left else _GONE
        elif not _is(then / name, known):
            verdicts[name] = "different, and the first result is missing or was modified"
        elif name.endswith(".csv"):
            verdicts |= _compare_tables(name, then / name, now / name)
        else:
            verdicts[name] = _difference(then / name, now / name)
    return verdicts


def _is(path: Path, known: str) -> bool:
    return path.is_file() and checksum(path) == known


def _compare_records(then: Mapping[str, Any], now: Mapping[str, Any]) -> dict[str, str]:
    """Return verdicts on what the record of the repetition holds and the first one lacks or contradicts."""
    verdicts = {name: _NOT_RECORDED for name in now["outputs"] if name not in then["outputs"]}
    for group in ("image", "parameters", "edits", "training", "found"):
        before, after = (record.get(group) for record in (then, now))
        if before != after:
            known = [each if isinstance(each, dict) else {} for each in (before, after)]
            other = [n for n in {**known[0], **known[1]} if known[0].get(n, ...) != known[1].get(n, ...)]
            verdicts[group] = f"different: the record has another {', '.join(other) or group}"
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
    return "different"


def _compare_tables(name: str, then: Path, now: Path) -> dict[str, str]:
    """Compare two tables by groups of columns: one verdict for the table and one for each different group."""
    import pandas as pd

    # The Python engine of pandas reads numbers exactly.
    before, after = (pd.read_csv(path, engine="python") for path in (then, now))
    if list(before.columns) != list(after.columns):
        other = ", ".join(sorted({*before.columns} ^ {*after.columns})) or "their order"
        return {name: f"different columns: {other}"}
    if len(before) != len(after):
        return {name: f"different: {len(before)} rows then, {len(after)} now"}
    groups: dict[str, list[str]] = {}
    for column in before.columns:
        groups.setdefault(_group(column), []).append(column)
    verdicts = {
        f"{name}: {group}": _compare_columns(before[columns], after[columns])
        for group, columns in groups.items()
    }
    if all(verdict == "identical" for verdict in verdicts.values()):
        return {name: "identical numbers, stored differently"}
    return verdicts


def _group(column: str) -> str:
    """Return the step that a column of the table comes from."""
    from objclass.tables.classification import is_result

    if column.endswith(CLUSTERS):
        return "clusters"
    if is_result(column):
        return "classes"
    return "map" if column.rpartition("_")[0].isupper() else "measurements"


def _compare_columns(before: pd.DataFrame, after: pd.DataFrame) -> str:
    numeric = before.select_dtypes("number").columns.intersection(after.select_dtypes("number").columns)
    text = [name for name in before.columns if name not in numeric]
    equal = (before[text] == after[text]) | (before[text].isna() & after[text].isna())
    unequal = ~equal.to_numpy(bool).all(axis=1)
    was, is_now = (table[numeric].to_numpy(dtype=float, na_value=np.nan) for table in (before, after))
    same = (was == is_now) | (np.isnan(was) & np.isnan(is_now))
    if same.all() and not unequal.any():
        return "identical"
    close = same | np.isclose(was, is_now, rtol=TOLERANCE, atol=0, equal_nan=True)
    if close.all() and not unequal.any():
        largest = np.max(np.abs(was - is_now)[~same] / np.abs(was)[~same])
        return f"equal to rounding, to a relative difference of {largest:.1g}"
    rows = unequal | ~close.all(axis=1)
    return f"different in {rows.sum():,} of {len(before):,} rows"
