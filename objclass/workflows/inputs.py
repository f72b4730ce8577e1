"""The images of a batch: files matched by its inputs, ignored files, and a name for each image."""

from __future__ import annotations

import glob
import hashlib
import json
import os
import re
import stat
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from objclass._common.checks import first_few, invalid
from objclass._common.files import AnyPath, check_name
from objclass.io.ngff import is_zarr
from objclass.io.opening import OPENERS, suffix_of
from objclass.io.tables import FORMULA_SIGNS
from objclass.workflows.record import RECORD

BATCH = "batch.json"
"""The file with the settings of a batch; it identifies the folder of a batch."""
CLASSIFIER = "ObjectSegmenter.cl"
"""The classifier of a batch in its folder."""
PARTS = {"labels": ".ome.tif", "tables": ".csv", "done": ".json"}
"""The subfolders of a batch, for label images, tables and records of completed images, and their suffixes."""

_GLOB = set("*?[")
_RUN_IMAGES = {"labels.tif", "overview.png", "annotations.tif"}
_TRAINING_IMAGE = re.compile(
    r"(.*[-_. ])?(annotations|labels|scribbles|strokes)[-_. ]?\d*(\.ome)?\.\w+", re.IGNORECASE
)
_PLANE = re.compile(r"(?<![a-z])(z|zstep|slice|plane)[-_ ]?\d+|(?<=f\d\d)p\d\d(?=-ch)", re.IGNORECASE)
"""Where a name tells the plane of a stack; the last is that of Opera and Operetta."""
_READABLE = re.compile(r"[^/\\:*?\"<>|~\x00-\x1f\x7f\ud800-\udfff]+")
_RESERVED = re.compile(r"(con|prn|aux|nul|conin\$|conout\$|(com|lpt)[0-9¹²³])\s*(\..*)?", re.IGNORECASE)
"""Names of devices on Windows, with any suffix."""
_LONGEST_STEM = 120

_RESULTS = "results of objclass"
_HIDDEN = "hidden files"
_DEVICES = "pipes or devices"
_SAME = "other names of the same files"
_NOWHERE = "broken links"
_BACK = "cyclic links"
_CLOSED = "folders that cannot be read"
_COPIES = "folders of coarser copies"

_SYSTEM = {"@eadir", "@recycle", "#recycle", "$recycle.bin", "system volume information", "__macosx"}
"""Folders with thumbnails, deleted files and the like that file servers and systems make, in lower case."""
_FULL, _COARSE = "Full resolution", re.compile(r"Downsampled_x\d+")
"""The folders of an image and its coarser copies, as Micro-Manager writes them."""


@dataclass(frozen=True)
class ImageFile:
    """A file, or the folder of an OME-Zarr image, and its path relative to the root of the inputs."""

    path: str
    name: str


@dataclass(frozen=True)
class Item:
    """One image of a batch: one time point of one series of a file.

    Attributes
    ----------
    file : ImageFile
        The file.
    series : int or None
        Its index in the file; None if the file contains one image.
    frame : int or None
        The time point; None if it is not a time series.
    has_twin : bool
        Whether the stem of another image of the batch differs from its own by upper and lower case alone.
    """

    file: ImageFile
    series: int | None = None
    frame: int | None = None
    has_twin: bool = False

    @property
    def image(self) -> str:
        """Its name in tables, unique in a batch together with the frame."""
        return self.file.name if self.series is None else f"{self.file.name}#{self.series}"

    @property
    def title(self) -> str:
        """Its name in messages."""
        return self.image if self.frame is None else f"{self.image}, frame {self.frame}"

    @property
    def stem(self) -> str:
        """The stem of its result files: its name if any system takes it, otherwise with a checksum."""
        name = self.file.name
        is_long = len(name.encode(errors="replace")) > _LONGEST_STEM
        is_plain = _READABLE.fullmatch(name) and not _RESERVED.fullmatch(name)
        if is_long or self.has_twin or not is_plain:
            digest = hashlib.sha256(name.encode(errors="surrogatepass")).hexdigest()[:16]
            plain = "_".join(_READABLE.findall(name.replace("./", "", 1)))
            short = plain.encode(errors="replace")[-_LONGEST_STEM // 2 :].decode(errors="ignore")
            name = f"{'_' if _RESERVED.fullmatch(short) else ''}{short}~{digest}"
        series = "" if self.series is None else f"_s{self.series:03}"
        return name + series + ("" if self.frame is None else f"_t{self.frame:05}")


def with_distinct_stems(items: Sequence[Item]) -> list[Item]:
    """Return the items with stems that differ also where upper and lower case, or accents, are the same."""
    folded = [unicodedata.normalize("NFC", item.stem).casefold() for item in items]
    counts = Counter(folded)
    return [replace(item, has_twin=counts[stem] > 1) for item, stem in zip(items, folded, strict=True)]


@dataclass(frozen=True)
class Found:
    """The files matched by inputs.

    Attributes
    ----------
    root : Path
        The common folder of all inputs, to which names are relative.
    files : list of ImageFile
        Sorted by name.
    left_out : dict of str to int
        The number of ignored files by reason.
    """

    root: Path
    files: list[ImageFile]
    left_out: dict[str, int]


def describe_planes(files: Sequence[ImageFile], ndim: int) -> str:
    """Return a line about files that by their names are planes of stacks, if they are to be 2D images."""
    stacks: dict[str, list[str]] = {}
    for file in files:
        stacks.setdefault(_PLANE.sub("*", file.name), []).append(file.name)
    planes = [names for stack, names in stacks.items() if len(names) > 2 and "*" in stack]
    if not planes or ndim != 2:
        return ""
    return (
        f"{sum(map(len, planes)):,} files are named like the planes of {len(planes):,} stacks "
        f"({first_few(planes[0])}): each is an image, and an object in several planes counts in each"
    )


def describe_left_out(left_out: Mapping[str, int]) -> str:
    """Return a line about ignored files."""
    endings = sorted(name for name in left_out if name.startswith("."))
    parts = [f"{name} ({count:,})" for name, count in left_out.items() if not name.startswith(".")]
    if endings:
        count = sum(left_out[name] for name in endings)
        shown = ", ".join(endings[:8]) + (", …" if len(endings) > 8 else "")
        parts.insert(0, f"files of other formats ({count:,}: {shown})")
    return f"ignored: {', '.join(parts)}" if parts else ""


def find_images(inputs: AnyPath | Iterable[AnyPath], *, out: AnyPath | None = None) -> Found:
    """Return the image files matched by files, patterns (``data/*.tif``) and folders.

    Files in `out`, results of earlier runs and batches, hidden files, pipes, devices, and other names of the
    same file are ignored.

    Raises
    ------
    FileNotFoundError
        If an input does not exist, or there is no image.
    ValueError
        If an input is not an image file.
    """
    given = [inputs] if isinstance(inputs, (str, bytes, os.PathLike)) else list(inputs)
    texts = [os.fsdecode(each) for each in given]
    expanded = [_expand(text) for text in texts]
    bases = [base for base, _ in expanded]
    if not bases:
        raise invalid("inputs", "one image or more", "none", kind=FileNotFoundError)
    try:
        root = Path(os.path.commonpath(bases))
    except ValueError as error:
        raise invalid("inputs", "images on one drive", ", ".join(texts)) from error
    search = _Search(_enclosed(out, [path for _, paths in expanded for path in paths]))
    search.walk([path for _, paths in expanded for path in paths])
    if not search.files:
        got = "; ".join(filter(None, [", ".join(texts), describe_left_out(search.counts())]))
        hint = f"Images end in {', '.join(OPENERS)}. The working directory is {Path.cwd()}."
        raise invalid("inputs", "images, or a folder of them", got, hint, kind=FileNotFoundError)
    files = [ImageFile(str(path), _name(path, root)) for path in search.files.values()]
    files.sort(key=lambda file: file.name)
    twice = [name for name, count in Counter(file.name for file in files).items() if count > 1]
    if twice:
        raise invalid("inputs", "files with unique names", f"two files named {twice[0]}")
    return Found(root, files, search.counts())


def _expand(given: str) -> tuple[str, list[Path]]:
    """Return the base folder of an input, and the paths that it matches."""
    if not given:
        raise invalid("inputs", "images, or a folder of them", "an empty text")
    path = check_name(os.path.abspath(given), argument="inputs")
    if path.is_dir() and not is_zarr(path):
        return str(path), [path]
    if os.path.lexists(path):
        is_image = suffix_of(path) in OPENERS or is_zarr(path)
        if not is_image or not (path.is_file() or path.is_dir()):
            got = f"{given}{', a pipe, a device or a broken link' if is_image else ''}"
            hint = f"Images end in {', '.join(OPENERS)}."
            raise invalid("inputs", "images, or a folder of them", got, hint, kind=FileNotFoundError)
        return str(path.parent), [path]
    if not _GLOB & set(given):
        hint = f"The working directory is {Path.cwd()}."
        raise invalid("inputs", "images, or a folder of them", given, hint, kind=FileNotFoundError)
    base = path
    while _GLOB & set(str(base)):
        base = base.parent
    return str(base), [Path(os.path.abspath(match)) for match in sorted(glob.glob(given, recursive=True))]


def _enclosed(out: AnyPath | None, given: list[Path]) -> Path | None:
    """Return `out` if no input is inside it, so that a search can skip it."""
    if out is None:
        return None
    folder = Path(out).resolve()
    return None if any(path.resolve().is_relative_to(folder) for path in given) else folder


@dataclass
class _Search:
    """A search in folders that returns each file once, by its own name rather than that of a link."""

    out: Path | None
    files: dict[tuple[int, int], Path] = field(default_factory=dict)
    folders: dict[tuple[int, int], Path] = field(default_factory=dict)
    left_out: Counter[str] = field(default_factory=Counter)
    links: list[Path] = field(default_factory=list)
    written: dict[Path, tuple[set[str], bool]] = field(default_factory=dict)

    def walk(self, given: Iterable[Path]) -> None:
        for path in given:
            self._visit(path, is_given=True)
        while self.links:
            self._visit(self.links.pop(0), is_link=True)

    def counts(self) -> dict[str, int]:
        return {name: count for name, count in sorted(self.left_out.items()) if count}

    def _visit(self, start: Path, *, is_given: bool = False, is_link: bool = False) -> None:
        todo = [start]
        while todo:
            path = todo.pop()
            if path.is_symlink() and not (is_link and path is start):
                self.links.append(path)
                continue
            try:
                status = path.stat()
            except (OSError, RuntimeError):
                self.left_out[_NOWHERE] += 1
                continue
            is_folder = stat.S_ISDIR(status.st_mode)
            if self._is_result(path, is_folder, look_above=path is start and (is_given or is_link)):
                self.left_out[_RESULTS] += 1
            elif is_folder and not is_zarr(path):
                todo += self._children(path, (status.st_dev, status.st_ino), is_link)
            else:
                self._take(path, status)

    def _children(self, folder: Path, key: tuple[int, int], is_link: bool) -> list[Path]:
        if key in self.folders:
            self.left_out[_BACK] += is_link
            return []
        self.folders[key] = folder
        try:
            names = sorted(os.listdir(folder), reverse=True)
        except OSError:
            self.left_out[_CLOSED] += 1
            return []
        hidden = {name for name in names if name.startswith(".") or name.lower() in _SYSTEM}
        coarse = {name for name in names if _COARSE.fullmatch(name)} if _FULL in names else set()
        self.left_out.update({_HIDDEN: len(hidden), _COPIES: len(coarse)})
        return [folder / name for name in names if name not in hidden | coarse]

    def _take(self, path: Path, status: os.stat_result) -> None:
        suffix = suffix_of(path)
        if not (stat.S_ISREG(status.st_mode) or stat.S_ISDIR(status.st_mode)):
            self.left_out[_DEVICES] += 1
        elif suffix not in OPENERS and not is_zarr(path):
            self.left_out[suffix or ". without suffix"] += 1
        elif self.files.setdefault((status.st_dev, status.st_ino), path) != path:
            self.left_out[_SAME] += 1

    def _is_result(self, path: Path, is_folder: bool, *, look_above: bool) -> bool:
        # Within a folder that is not a result, only the name itself needs to be checked.
        real = path.resolve() if look_above or is_folder else path
        if self.out is not None and real.is_relative_to(self.out):
            return True
        places = [real, *real.parents][:-1] if look_above else [real]
        return any(self._is_written(place) for place in places)

    def _is_written(self, path: Path) -> bool:
        """Return whether objclass wrote `path`, by its name and the other files in its folder."""
        folder, name = path.parent, path.name
        if folder not in self.written:
            names: set[str] = set()
            classifiers = {path.stem.partition("~")[0] for path in folder.glob("*.cl")}
            if _is_ours(folder / BATCH, "classifier"):
                names |= {*PARTS}
                classifiers.discard(Path(CLASSIFIER).stem)  # that of the batch, also where it was changed
            if _is_ours(folder / RECORD, "record"):
                names |= _RUN_IMAGES
            self.written[folder] = names, bool(classifiers)
        names, has_classifier = self.written[folder]
        return name in names or (has_classifier and bool(_TRAINING_IMAGE.fullmatch(name)))


def _is_ours(path: Path, key: str) -> bool:
    """Return whether a state file was written by objclass; True if it is damaged."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError:
        return False
    except ValueError:
        return True
    return not isinstance(content, dict) or not content or key in content


def _name(path: Path, root: Path) -> str:
    """Return the path of a file relative to the root, as text that is safe in spreadsheets."""
    name = os.fsencode(path.relative_to(root).as_posix()).decode(errors="backslashreplace")
    return f"./{name}" if name.startswith(FORMULA_SIGNS) else name
