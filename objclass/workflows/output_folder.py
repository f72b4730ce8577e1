"""The output folder of a run."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

from objclass._common.checks import invalid
from objclass._common.files import AnyPath, check_name, check_writable
from objclass.workflows.inputs import BATCH
from objclass.workflows.record import RECORD

OUTPUTS = {
    "labels.tif": "the objects, with the voxel size",
    "objects.csv": "one row of measurements for each object",
    "objects.columns.csv": "the unit and the definition of each measurement",
    "ObjectSegmenter.cl": "the classifier, for similar images",
    "overview.png": "the overview figure",
}


@contextlib.contextmanager
def output_folder(
    path: AnyPath, *, overwrite: bool, outputs: Iterable[str] = OUTPUTS, inputs: Iterable[Path] = ()
) -> Iterator[Path]:
    """Yield the output folder; create it if it does not exist, and remove it again after an error.

    Parameters
    ----------
    path : str or path
        The folder.
    overwrite : bool
        Whether to replace the results of another run.
    outputs : iterable of str
        What will be written in addition to the record.
    inputs : iterable of Path
        Files that must not be overwritten.

    Raises
    ------
    FileExistsError
        If there are results of another run, or `path` is a file.
    PermissionError
        If the folder is not writable.
    ValueError
        If an input would be overwritten.
    """
    check_out(path)
    folder = Path(path).resolve()
    written = [folder / name for name in (*outputs, RECORD)]
    there = [file.name for file in written if file.exists()]
    if there and not overwrite:
        hint = "Choose another folder, or replace them (overwrite=True, or --overwrite)."
        got = f"{folder}, which contains {', '.join(there)}"
        raise invalid("out", "a folder without results", got, hint, kind=FileExistsError)
    for file in inputs:
        if file.resolve() in written:
            hint = "Choose another folder."
            raise invalid("out", "a folder without an input that has the name of a result", str(file), hint)
    if (folder / BATCH).exists():
        raise invalid("out", "a folder of its own", f"{folder}, that of a batch", "Choose another folder.")
    is_new = not folder.exists()
    try:
        yield make_folder(folder)
    except BaseException:
        if is_new:
            with contextlib.suppress(OSError):  # fails if results were already written
                folder.rmdir()
        raise


def make_folder(folder: Path) -> Path:
    """Create a folder if it does not exist, and return it; raise unless files can be written into it."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        got = f"{folder} ({error.strerror})"
        hint = "Choose another."
        raise invalid("out", "a folder that can be created", got, hint, kind=PermissionError) from error
    check_writable(folder, argument="out")
    return folder


def check_out(path: AnyPath) -> None:
    """Raise if `path` is empty, begins with ~, is a symbolic link to what is not there, or is a file."""
    if not os.fspath(path):
        raise invalid("out", "a folder", "an empty text", 'The working directory is ".".')
    folder = check_name(path, argument="out")
    if str(folder).startswith("~") and not os.path.lexists(folder.parts[0]):
        hint = f"Give {os.path.expanduser(folder)}."
        raise invalid("out", "a path", f"{folder}, where ~ is not replaced by the home folder", hint)
    if folder.is_symlink() and not folder.exists():
        got = f"{folder}, a link to {os.readlink(folder)}, which is not there"
        raise invalid("out", "a folder", got, "Remove the link.", kind=FileNotFoundError)
    if folder.exists() and not folder.is_dir():
        raise invalid("out", "a folder", f"the file {folder}", "Choose another name.", kind=FileExistsError)


def describe_image(image: np.ndarray, spacing: tuple[float, ...] | None) -> str:
    """Return a short description of an image."""
    size = "unknown" if spacing is None else f"{' × '.join(f'{step:.4g}' for step in spacing)} µm"
    return f"{' × '.join(map(str, image.shape))} {image.dtype}, voxel size {size}"
