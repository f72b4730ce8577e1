"""TIFF: plain, ImageJ, OME-TIFF and multi-file sets, and vendor variants."""

from __future__ import annotations

import contextlib
import math
import mmap
import os
import re
import struct
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

import numpy as np

from objclass._common.files import content_uuid
from objclass.io import micromanager
from objclass.io.info import (
    Index,
    StoredImage,
    known,
    report_orientation,
    report_unit,
    to_micrometres,
)

if TYPE_CHECKING:
    import tifffile

SUFFIXES = (".tif", ".tiff", ".btf", ".tf2", ".tf8", ".lsm", ".stk", ".svs", ".qptiff", ".ndpi", ".scn")
MAX_PLANES = 2**22
"""More planes than this indicate invalid metadata; a list of them alone would exhaust memory."""
_LOSSY = (6, 7, 34892)  # JPEG
_COLOURS = (2, 6)  # RGB, and YCbCr, which is decoded to RGB
_MAX_TAGS = 4096
_NO_SIZE = ("pixel", "pixels", "inch", "inches")  # units of images without a voxel size, and of prints
_FINEST_PRINT = 10.0  # micrometres, a pixel of a picture for printing
# Without one of these tags the pixels cannot be read correctly; other damaged tags cause a warning.
_NEEDED_TAGS = {256, 257, 258, 259, 262, 266, 270, 273, 277, 278, 279, 284, 317, 322, 323, 324, 325, 339}
_NOT_THE_IMAGE = re.compile(r"(thumbnail|label|macro|overview|map)( image)?", re.IGNORECASE)


@contextlib.contextmanager
def open_tiff(path: Path) -> Iterator[list[StoredImage]]:
    """Open the images of a TIFF file; of a multi-file OME-TIFF, those with planes in this file."""
    import tifffile

    with contextlib.ExitStack() as stack:
        tiff = stack.enter_context(tifffile.TiffFile(path))
        tags = _walk_directories(tiff.filehandle, is_ndpi=path.suffix.lower() == ".ndpi")
        _check_tags(tiff, tags, path)
        _decode_description(tiff.pages.first)
        ome = _OmeMetadata.of(tiff, path)
        tiff.is_ndtiff = False  # otherwise tifffile would read the pages by the index beside the file
        found = _images_of(tiff)
        _check_colours(found[0].keyframe, path)
        report_orientation(path, found[0].keyframe.tags.valueof(274))
        _check_planes(tiff, found, path)
        if ome is not None and found[0].kind != "ome":
            ome.report_unused(path)
        parts = [stack.enter_context(tifffile.TiffFile(other)) for other in micromanager.other_files(path)]
        images = [
            stored
            for series in found
            for stored in _stored(tiff, _joined(series, parts), path, _describe(tiff, series, ome))
        ]
        if found[0].kind == "imagej":
            images = [_with_sign(image, tiff.imagej_metadata or {}, path) for image in images]
        yield images


def _decode_description(page: Any) -> None:
    """Decode a description in UTF-16, which tifffile takes for Latin-1, without its last zero byte."""
    text = page.description
    if "\0" in text[:4]:
        raw = text.encode("latin-1")
        order = "utf-16" if raw[:2] in (b"\xff\xfe", b"\xfe\xff") else f"utf-16-{'bl'[raw[1] == 0]}e"
        page.description = (raw + b"\0" * (len(raw) % 2)).decode(order, "replace")


def _check_colours(page: Any, path: Path) -> None:
    """Say so if values do not mean what they do in other images."""
    is_mask = page.bitspersample == 1 and "tifffile" in page.software  # which writes arrays of bool so
    if page.photometric == 0 and not is_mask:
        _warn(path, "it stores white as 0; the values are read as they are stored")
    if page.photometric in (5, 8):
        _warn(
            path, f"its colours are {'CMYK' if page.photometric == 5 else 'LAB'}, not RGB: convert it to RGB"
        )
    if page.photometric == 3 and page.colormap is not None:
        brightness = page.colormap.astype(int).sum(axis=0)
        steps = np.diff(brightness[: 1 << page.bitspersample])
        if (steps > 0).any() and (steps < 0).any():
            _warn(
                path,
                "a palette image, read as the indices of its palette, as for labels. Save it as RGB or "
                "greyscale if the colours matter",
            )


def _with_sign(image: StoredImage, metadata: Mapping[str, Any], path: Path) -> StoredImage:
    """Return an image with the sign that ImageJ stores as an offset; report other calibrated values."""
    function, offset, slope = (metadata.get(name) for name in ("cf", "c0", "c1"))
    if function is None or (function, offset, slope) == (0, 0, 1):
        return image
    if (function, offset, slope) != (0, -0x8000, 1) or image.dtype.newbyteorder("=") != np.uint16:
        _warn(
            path,
            f"ImageJ shows its values calibrated, in {metadata.get('vunit') or 'another unit'}; "
            "they are read as they are stored",
        )
        return image

    def read(index: Index) -> np.ndarray:
        return (image.read(index).astype(np.uint16) ^ np.uint16(0x8000)).view(np.int16)

    return replace(image, dtype=np.dtype(np.int16), read=read)


def _walk_directories(file: Any, *, is_ndpi: bool) -> set[int]:
    """Return the tags of the first page; raise if the chain of pages is damaged or endless."""
    with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        order = "<" if content[:2] == b"II" else ">"
        is_big = struct.unpack_from(order + "H", content, 2)[0] == 43
        count, n_size, entry = (order + "Q", 8, 20) if is_big else (order + "H", 2, 12)
        pointer = order + ("Q" if is_big or is_ndpi else "I")
        (offset,) = struct.unpack_from(pointer, content, 8 if is_big else 4)
        tags: set[int] = set()
        seen: set[int] = set()
        while offset:
            if offset in seen:
                raise ValueError("its pages refer to each other in a circle")
            seen.add(offset)
            begin = offset + n_size
            n_tags = struct.unpack_from(count, content, offset)[0] if begin <= len(content) else 0
            end = begin + n_tags * entry
            if not 0 < n_tags <= _MAX_TAGS or end + struct.calcsize(pointer) > len(content):
                raise EOFError(f"page {len(seen)} is truncated or damaged")
            if len(seen) == 1:
                tags = {struct.unpack_from(order + "H", content, at)[0] for at in range(begin, end, entry)}
            (offset,) = struct.unpack_from(pointer, content, end)
    return tags


def _check_tags(tiff: tifffile.TiffFile, tags: set[int], path: Path) -> None:
    lost = tags - {tag.code for tag in tiff.pages.first.tags}
    if lost & _NEEDED_TAGS:
        raise ValueError(f"its tags {sorted(lost & _NEEDED_TAGS)} cannot be read")
    if lost:
        _warn(path, f"its tags {sorted(lost)} are damaged and were ignored")


def _warn(path: Path, text: str) -> None:
    warnings.warn(f"{path.name}: {text}.", stacklevel=2)


def _images_of(tiff: tifffile.TiffFile) -> list[tifffile.TiffPageSeries]:
    """Return the series of a file without thumbnails and slide labels."""
    found = [series for series in tiff.series if math.prod(series.shape)]
    if not found:
        raise ValueError("it contains no image")
    images = [
        series
        for series in found
        if not _NOT_THE_IMAGE.fullmatch(series.name or "") and not series.keyframe.is_reduced
    ]
    return _without_levels(images, Path(tiff.filehandle.path)) or found[:1]


def _without_levels(images: Sequence[tifffile.TiffPageSeries], path: Path) -> list[tifffile.TiffPageSeries]:
    """Return the series without coarser copies of the one before; two alone may be two images."""
    chains: list[list[tifffile.TiffPageSeries]] = []
    for series in images:
        if chains and _is_level(series, chains[-1][-1]):
            chains[-1].append(series)
        else:
            chains.append([series])
    kept = [series for chain in chains for series in (chain[:1] if len(chain) > 2 else chain)]
    n_copies = len(images) - len(kept)
    # Those that tifffile has found by their sizes alone, without a word of the file on them.
    levels = [level.keyframe for series in kept if series.kind == "generic" for level in series.levels[1:]]
    n_copies += sum(not (keyframe.is_reduced or keyframe.is_subifd) for keyframe in levels)
    if n_copies:
        _warn(
            path,
            f"{n_copies} of its images are a half, third or quarter of the size of the one before, as levels "
            "of a pyramid: they are not read",
        )
    return kept


def _is_level(series: tifffile.TiffPageSeries, larger: tifffile.TiffPageSeries) -> bool:
    """Return whether a series is the one before at a half, third or quarter of its size, as in a pyramid."""
    if (series.axes, series.dtype) != (larger.axes, larger.dtype):
        return False
    lengths = [*zip(series.axes, larger.shape, series.shape, strict=True)]
    return any(
        all(abs(n - m * factor) < factor if a in "YX" else n == m for a, n, m in lengths)
        for factor in (2, 3, 4)
    )


def _check_planes(tiff: tifffile.TiffFile, found: Sequence[tifffile.TiffPageSeries], path: Path) -> None:
    """Raise if planes that the metadata describe are missing; report those that they do not describe."""
    n_described = n_there = 0
    if tiff.is_imagej and (metadata := tiff.imagej_metadata):
        n_described = math.prod(int(metadata.get(name, 1)) for name in ("frames", "slices", "channels"))
        n_there = int(metadata.get("images", n_described))
        if found[0].kind not in ("imagej", "ome"):
            raise EOFError(f"ImageJ wrote {n_described} planes, some of which are missing")
    elif found[0].kind == "ome" and not any(series.is_multifile for series in tiff.series):
        n_described, n_there = sum(map(len, tiff.series)), len(tiff.pages)
    if 1 < n_described < n_there:
        _warn(path, f"its metadata describe {n_described} of its {n_there} planes; the others are not read")


def _stored(
    tiff: tifffile.TiffFile, series: tifffile.TiffPageSeries, path: Path, description: StoredImage
) -> Iterator[StoredImage]:
    """Yield the image of a series, or those of its positions that are in the file."""
    reader = _SeriesReader(tiff, series, path)
    if series.kind not in ("ome", "imagej", "mmstack") and (pages := _page_metadata(series)):
        yield from _positions(reader, pages, description)
        return
    letters = _sample_axis(series)
    if "r" not in letters:
        axes = "".join(a if a in "tczyxs" else "?" for a in letters)
        files = reader.files() if series.is_multifile else (path,)
        yield replace(description, axes=axes, shape=series.shape, read=reader, files=files)
        return
    at = letters.index("r")
    axes = "".join(a if a in "tczyxs" else "?" for a in letters.replace("r", ""))
    shape = (*series.shape[:at], *series.shape[at + 1 :])
    for position in range(series.shape[at]):
        if reader.lies_in_file(at, position):

            def read(index: Index, position: int = position) -> np.ndarray:
                return reader((*index[:at], position, *index[at:]))

            name = f"position {position}"
            yield replace(description, axes=axes, shape=shape, read=read, name=name, files=(path,))


def _page_metadata(series: tifffile.TiffPageSeries) -> list[dict[str, Any]]:
    """Return what Micro-Manager says about each page, if that includes where the page lies."""
    found = []
    for page in series:
        tag = None if page is None else page.aspage().tags.get(micromanager.TAG)
        if tag is None or not isinstance(tag.value, dict) or not isinstance(tag.value.get("Axes"), dict):
            return []
        found.append(tag.value)
    return found


def _positions(
    reader: _SeriesReader, pages: Sequence[Mapping[str, Any]], description: StoredImage
) -> Iterator[StoredImage]:
    """Yield the image of each position in a file of Micro-Manager."""
    series = reader.series
    size = to_micrometres(pages[0].get("PixelSizeUm"), "um")
    spacing = known({**_micromanager_spacing(reader.tiff, series), "y": size, "x": size})
    for position in micromanager.arrange_pages([page["Axes"] for page in pages]):

        def read(index: Index, grid: np.ndarray = position.pages) -> np.ndarray:
            numbers = np.asarray(grid[index[:3]])
            if (numbers < 0).any():
                raise EOFError(f"{(numbers < 0).sum()} of its {numbers.size} planes are missing")
            return reader.read_pages(numbers, (..., *index[3:]))

        names = position.channels if all(isinstance(name, str) for name in position.channels) else ()
        yield replace(
            description,
            axes=f"tcz{series.keyframe.axes.lower()}",
            shape=(*position.pages.shape, *series.keyframe.shape),
            read=read,
            name=position.name,
            spacing=spacing,
            source="Micro-Manager" if spacing else "",
            channel_names=names,
            files=reader.files(),
        )


def _joined(series: tifffile.TiffPageSeries, parts: Sequence[tifffile.TiffFile]) -> tifffile.TiffPageSeries:
    """Return the series of all files that Micro-Manager has split an image into, as for every 4 GB."""
    import tifffile

    if not parts:
        return series
    pages = [*series]
    for part in parts:
        part.is_ndtiff = False
        if len(part.series) != 1 or part.series[0].keyframe.shape != series.keyframe.shape:
            raise ValueError(f"its other part, {part.filename}, has pages of another shape")
        pages += part.series[0]
    shape, axes = (len(pages), *series.keyframe.shape), f"I{series.keyframe.axes}"
    return tifffile.TiffPageSeries(pages, shape, series.dtype, axes, kind=series.kind, multifile=True)


def _sample_axis(series: tifffile.TiffPageSeries) -> str:
    """Return the axes of a series, in which the samples of a colour picture may be named channels."""
    letters, inner = series.axes.lower(), series.keyframe.axes.lower()
    outer = len(letters) - len(inner)
    if series.keyframe.photometric not in _COLOURS or series.shape[outer:] != series.keyframe.shape:
        return letters
    pairs = zip(letters[outer:], inner, strict=True)
    return letters[:outer] + "".join("s" if pair == ("c", "s") else pair[0] for pair in pairs)


@dataclass(frozen=True)
class _SeriesReader:
    """Read parts of a series, after checking that their bytes are in the file."""

    tiff: tifffile.TiffFile
    series: tifffile.TiffPageSeries
    path: Path

    def __call__(self, index: Index) -> np.ndarray:
        numbers, inner = self._pages_at(index)
        if numbers is None:
            self._check(self.series)
            is_whole = all(isinstance(i, slice) and i == slice(None) for i in index)
            mapped = not is_whole and self.series.dataoffset is not None and not self.series.transform
            array = self.series.asarray(out="memmap" if mapped else None)
            if array.shape != self.series.shape:
                raise EOFError(
                    f"its metadata state the shape {self.series.shape}, its pixels have {array.shape}"
                )
            return array[index]
        return self.read_pages(numbers, inner)

    def read_pages(self, numbers: np.ndarray, inner: Any) -> np.ndarray:
        """Return the part `inner` of pages, given by their numbers in the series."""
        keys = np.ravel(numbers).tolist()
        self._check([self.series[key] for key in keys])
        array = self.tiff.asarray(key=keys, series=self.series)
        return array.reshape(*numbers.shape, *self.series.keyframe.shape)[inner]

    def _pages_at(self, index: Index) -> tuple[np.ndarray | None, Any]:
        """Return the pages that `index` needs and the index within them; None for all pages."""
        series, keyframe = self.series, self.series.keyframe
        n_outer = series.ndim - len(keyframe.shape)
        is_split = len(series) > 1 and n_outer > 0 and series.shape[n_outer:] == keyframe.shape
        is_whole = all(isinstance(i, slice) for i in index)
        if is_whole or not is_split or series.transform or math.prod(series.shape[:n_outer]) != len(series):
            return None, None
        numbers = np.asarray(np.arange(len(series)).reshape(series.shape[:n_outer])[index[:n_outer]])
        return numbers, (..., *index[n_outer:])

    def _check(self, pages: Any) -> None:
        """Raise unless all pages and their bytes are present."""
        series = self.series
        if pages is series and series.dataoffset is not None:
            self._check_end(series.dataoffset + series.nbytes, self.tiff.filehandle.size)
            return
        sizes: dict[int, int] = {}
        keyframe = series.keyframe
        n_segments = math.prod(keyframe.chunked)
        missing = n_pages = n_empty = 0
        for page in pages:
            n_pages += 1
            if page is None:
                missing += 1
                continue
            size = sizes.get(id(page.parent))
            if size is None:
                size = sizes[id(page.parent)] = os.path.getsize(page.parent.filehandle.path)
            is_whole = keyframe.compression == 1 and sum(page.databytecounts) >= keyframe.nbytes
            if len(page.dataoffsets) < n_segments and not is_whole:
                found = len(page.dataoffsets)
                raise EOFError(f"{found:,} of {n_segments:,} tiles or strips of a plane are there")
            for offset, count in zip(page.dataoffsets, page.databytecounts, strict=True):
                n_empty += not (offset and count)
                if offset + count > size:
                    self._check_end(offset + count, size)
        if missing:
            raise EOFError(f"{missing} of its {n_pages} planes are missing: read only the planes that exist")
        if n_empty:
            _warn(self.path, f"{n_empty} tiles or strips have no pixels and are read as 0")

    @staticmethod
    def _check_end(end: int, size: int) -> None:
        if end > size:
            raise EOFError(f"it ends at byte {size}, but pixels should reach to {end}")

    def files(self) -> tuple[Path, ...]:
        """Return the files that contain the pages."""
        names = {page.parent.filehandle.path for page in self.series if page is not None}
        return tuple(sorted(map(Path, names)))

    def lies_in_file(self, axis: int, position: int) -> bool:
        """Return whether pages at an index along an axis are in the opened file."""
        n_outer = self.series.ndim - len(self.series.keyframe.shape)
        numbers = np.arange(len(self.series)).reshape(self.series.shape[:n_outer]).take(position, axis)
        pages = (self.series[int(i)] for i in numbers.ravel())
        return any(page is not None and page.parent is self.tiff for page in pages)


# Metadata ------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _OmeMetadata:
    """The OME-XML of a file and the images that have planes in the file."""

    pixels: tuple[ElementTree.Element, ...]

    @classmethod
    def of(cls, tiff: tifffile.TiffFile, path: Path) -> _OmeMetadata | None:
        """Read the OME-XML of a file and reduce it, for tifffile, to the images in this file."""
        page = tiff.pages.first
        if not tiff.is_ome:
            return None
        parsed, is_mended = _parse_xml(page.description, path)
        if parsed is None:
            tiff.is_ome = False
            return None
        root = _companion(parsed, path)
        images = [element for element in root if element.tag.endswith("}Image")]
        here = [image for image in images if _lies_in(image, root, path)] or images
        for image in images:
            if image not in here:
                root.remove(image)
        _check_ome(here)
        if is_mended or root is not parsed or len(here) < len(images):
            page.description = ElementTree.tostring(root, encoding="unicode")
        tiff.is_mmstack = False  # otherwise tifffile would mix the positions
        return cls(tuple(pixels for image in here for pixels in image.findall("{*}Pixels")))

    def report_unused(self, path: Path) -> None:
        """Warn that tifffile found no OME series; raise if the planes are in other files."""
        named = {uuid.get("FileName", "") for pixels in self.pixels for uuid in pixels.iterfind(".//{*}UUID")}
        missing = sorted(name for name in named if name and not (path.parent / name).exists())
        if missing:
            raise FileNotFoundError(f"its planes are in {missing[0]}, which is not in its folder")
        _warn(path, "its OME-XML does not match its pages and was ignored")

    def describe(self, at: int, n_series: int, description: StoredImage, path: Path) -> StoredImage:
        """Return `description` with the voxel size and the channels of series number `at`."""
        if n_series != len(self.pixels):  # images without pixels are not series
            return description
        attributes = self.pixels[at].attrib
        unit = attributes.get("PhysicalSizeXUnit", "µm")
        if unit.lower() not in (*_NO_SIZE, "reference frame"):
            report_unit(path.name, attributes.get("PhysicalSizeX"), unit)
        sizes = {
            a: to_micrometres(
                attributes.get(f"PhysicalSize{a.upper()}"),
                attributes.get(f"PhysicalSize{a.upper()}Unit", "µm"),
            )
            for a in "zyx"
        }
        channels = [channel.get("Name") for channel in self.pixels[at].findall("{*}Channel")]
        names = tuple(filter(None, channels))
        names = names if len(names) == len(channels) else ()
        return replace(description, spacing=known(sizes), source="OME-XML", channel_names=names)


def _parse_xml(text: str, path: Path) -> tuple[ElementTree.Element | None, bool]:
    """Return what XML says, and whether it had to be mended first; None where that does not help."""
    try:
        return ElementTree.fromstring(text), False
    except ElementTree.ParseError as error:
        mended = re.sub(r"&(?!(#\d+|#x[0-9a-fA-F]+|amp|lt|gt|quot|apos);)", "&amp;", text)
        mended = re.sub(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", "", mended)
        problem = f"its OME-XML is not valid XML ({error})"
    try:
        root = ElementTree.fromstring(mended)
    except ElementTree.ParseError:
        _warn(path, f"{problem} and was ignored: the axes and voxel size are unknown")
        return None, False
    _warn(path, f"{problem}; it was read with invalid characters escaped")
    return root, True


def _companion(root: ElementTree.Element, path: Path) -> ElementTree.Element:
    """Return the metadata from the companion file if the file only refers to one."""
    only = root.find("{*}BinaryOnly")
    if only is None:
        return root
    companion = path.parent / _plain_name(only.get("MetadataFile", ""))
    text = companion.read_bytes()
    if companion.suffix.lower() in SUFFIXES:
        import tifffile

        with tifffile.TiffFile(companion) as tiff:
            text = tiff.pages.first.description.encode()
    found = ElementTree.fromstring(text)
    found.set("UUID", root.get("UUID", ""))  # of this file, which identifies its planes
    return found


def _plain_name(name: str) -> str:
    if not name or name != Path(name).name or "\\" in name or ":" in name:
        raise ValueError(f"it refers to {name!r}, a file outside its folder")
    return name


def _lies_in(image: ElementTree.Element, root: ElementTree.Element, path: Path) -> bool:
    """Return whether planes of an OME image are in the file at `path`."""
    found = False
    for data in image.iterfind("{*}Pixels/{*}TiffData"):
        uuid = data.find("{*}UUID")
        name = None if uuid is None else uuid.get("FileName")
        if name is not None:
            _plain_name(name)
        is_here = uuid is None or name is None or name.lower() == path.name.lower()
        found = found or is_here or (uuid is not None and uuid.text == root.get("UUID"))
    return found


def _check_ome(images: Sequence[ElementTree.Element]) -> None:
    for pixels in (pixels for image in images for pixels in image.findall("{*}Pixels")):
        planes = math.prod(int(pixels.get(f"Size{a}", 1)) for a in "CZT")
        claims = [planes]
        for data in pixels.findall("{*}TiffData"):
            claims += [int(value) for name, value in data.attrib.items() if name != "ID"]
        if not 0 < planes <= MAX_PLANES or max(claims) > MAX_PLANES:
            raise ValueError(f"its OME-XML states {max(claims):,} planes")


def _describe(
    tiff: tifffile.TiffFile, series: tifffile.TiffPageSeries, ome: _OmeMetadata | None
) -> StoredImage:
    """Return the metadata of a series."""
    keyframe = series.keyframe
    is_rgb = keyframe.photometric in _COLOURS and keyframe.samplesperpixel >= 3
    description = StoredImage(
        "",
        (),
        series.dtype,
        lambda _: np.empty(0),
        name=series.name or "",
        is_rgb=is_rgb,
        is_lossy=keyframe.compression in _LOSSY,
    )
    if series.kind == "ome" and ome is not None:
        path = Path(tiff.filehandle.path)
        return ome.describe(tiff.series.index(series), len(tiff.series), description, path)
    for kind, (source, spacing_of, names_of) in _KINDS.items():
        if getattr(tiff, f"is_{kind}"):
            names = tuple(names_of(tiff, series)) if names_of else ()
            return replace(
                description, spacing=known(spacing_of(tiff, series)), source=source, channel_names=names
            )
    return replace(description, spacing=known(_plain_spacing(tiff, series)), source="TIFF tags")


def _imagej_spacing(tiff: Any, series: Any) -> dict[str, float | None]:
    metadata = tiff.imagej_metadata or {}
    unit = metadata.get("unit")
    if unit is None and series.keyframe.resolutionunit == 3:
        return _centimetre_spacing_unless_print(tiff, series)
    # ImageJ omits sizes of 1.0, and the units of y and z if they are that of x.
    sizes = {"z": metadata.get("spacing", 1.0), **_resolution(series)}
    if (unit is None and series.keyframe.resolutionunit == 1) or str(unit).lower() not in (*_NO_SIZE, "none"):
        report_unit(tiff.filehandle.name, sizes["x"], unit)
    return {a: to_micrometres(size, metadata.get(f"{a}unit", unit)) for a, size in sizes.items()}


def _resolution(series: Any) -> dict[str, float | None]:
    """Return the pixel size in resolution units."""
    tags = series.keyframe.tags

    def pixel_size(name: str) -> float | None:
        pixels, units = tags[name].value if name in tags else (1, 1)
        return units / pixels if pixels else None

    return {"y": pixel_size("YResolution"), "x": pixel_size("XResolution")}


def _lsm_spacing(tiff: Any, _: Any) -> dict[str, float | None]:
    metadata = tiff.lsm_metadata or {}
    return {a: to_micrometres(metadata.get(f"VoxelSize{a.upper()}"), "m") for a in "zyx"}


def _lsm_channels(tiff: Any, _: Any) -> Sequence[str]:
    colours = (tiff.lsm_metadata or {}).get("ChannelColors") or {}
    return colours.get("ColorNames") or ()


def _stk_spacing(tiff: Any, _: Any) -> dict[str, float | None]:
    metadata = tiff.stk_metadata or {}
    unit = metadata.get("CalibrationUnits")
    sizes = {a: metadata.get(f"{a.upper()}Calibration") for a in "yx"}
    distances = np.unique(np.atleast_1d(metadata.get("ZDistance", 0)))
    sizes["z"] = distances[0] if len(distances) == 1 else None
    return {a: to_micrometres(size, unit) for a, size in sizes.items()}


def _svs_spacing(_: Any, series: Any) -> dict[str, float | None]:
    match = re.search(r"\bMPP\s*=\s*([\d.]+)", series.keyframe.description)
    size = to_micrometres(match[1], "um") if match else None
    return {"y": size, "x": size}


def _centimetre_spacing(_: Any, series: Any) -> dict[str, float | None]:
    """Return the pixel size by the tags of the resolution, if that is per centimetre."""
    is_centimetre = series.keyframe.resolutionunit == 3
    return {a: to_micrometres(n, "cm" if is_centimetre else None) for a, n in _resolution(series).items()}


def _centimetre_spacing_unless_print(tiff: Any, series: Any) -> dict[str, float | None]:
    """Return the pixel size if that is per centimetre, unless it is that of a print."""
    sizes = _centimetre_spacing(tiff, series)
    return sizes if max(filter(None, sizes.values()), default=0) < _FINEST_PRINT else {}


def _plain_spacing(tiff: Any, series: Any) -> dict[str, float | None]:
    """Return the pixel size of a TIFF without metadata of a microscope, unless it is that of a print."""
    metadata: Mapping[str, Any] = next(iter(tiff.shaped_metadata or ()), {})
    if "unit" in metadata:  # tifffile writes the names of ImageJ
        sizes = {"z": metadata.get("spacing"), **_resolution(series)}
        sizes = {a: to_micrometres(size, metadata["unit"]) for a, size in sizes.items()}
        return sizes if series.keyframe.resolution != (1, 1) else {}
    return _centimetre_spacing_unless_print(tiff, series)


def _metaseries_spacing(tiff: Any, _: Any) -> dict[str, float | None]:
    plane = (tiff.metaseries_metadata or {}).get("PlaneInfo", {})
    unit = plane.get("spatial-calibration-units") if plane.get("spatial-calibration-state", True) else None
    return {a: to_micrometres(plane.get(f"spatial-calibration-{a}"), unit) for a in "yx"}


def _fei_spacing(tiff: Any, _: Any) -> dict[str, float | None]:
    scan = (tiff.fei_metadata or {}).get("Scan", {})
    return {
        "y": to_micrometres(scan.get("PixelHeight"), "m"),
        "x": to_micrometres(scan.get("PixelWidth"), "m"),
    }


def _qpi_channels(_: Any, series: Any) -> list[str]:
    found = [re.search(r"<Name>([^<]+)</Name>", page.description) for page in series]
    return [match[1] for match in found if match] if all(found) and len(found) > 1 else []


def _micromanager_spacing(tiff: Any, _: Any) -> dict[str, float | None]:
    summary = (tiff.micromanager_metadata or {}).get("Summary", {})
    size = to_micrometres(summary.get("PixelSize_um"), "um")
    return {"z": to_micrometres(summary.get("z-step_um"), "um"), "y": size, "x": size}


def _micromanager_channels(tiff: Any, _: Any) -> Sequence[str]:
    names = (tiff.micromanager_metadata or {}).get("Summary", {}).get("ChNames") or ()
    return names if isinstance(names, (list, tuple)) else ()


_KINDS: Mapping[str, tuple[str, Any, Any]] = {
    "lsm": ("LSM", _lsm_spacing, _lsm_channels),
    "stk": ("MetaMorph", _stk_spacing, None),
    "metaseries": ("MetaMorph", _metaseries_spacing, None),
    "svs": ("Aperio", _svs_spacing, None),
    "qpi": ("PerkinElmer", _centimetre_spacing, _qpi_channels),
    "ndpi": ("Hamamatsu", _centimetre_spacing, None),
    "fei": ("FEI", _fei_spacing, None),
    "mmstack": ("Micro-Manager", _micromanager_spacing, _micromanager_channels),
    "imagej": ("ImageJ", _imagej_spacing, None),
}


def write_tiff(path: Path, array: np.ndarray, axes: str, *, spacing: Mapping[str, float], ome: bool) -> None:
    """Write `array` with lossless compression, with OME or ImageJ metadata."""
    import tifffile

    if "c" in axes and not ome:  # ImageJ's order is z c y x
        order = "".join(a for a in "zcyx" if a in axes)
        array = array.transpose([axes.index(a) for a in order])
        axes = order
    options: dict[str, Any] = {"photometric": "minisblack", "compression": "zlib"}
    if ome:
        sizes = {f"PhysicalSize{a.upper()}": size for a, size in spacing.items()}
        units = {f"{name}Unit": "µm" for name in sizes}
        identifier = content_uuid(np.ascontiguousarray(array), axes, sizes)
        metadata = {"axes": axes.upper(), **sizes, **units, "UUID": identifier}
        tifffile.imwrite(path, array, ome=True, metadata=metadata, **options)
        return
    extra: dict[str, Any] = {}
    if spacing:
        extra = {"unit": "um", "spacing": spacing["z"]} if "z" in spacing else {"unit": "um"}
        resolution = tuple(_pixels_per_unit(spacing[axis]) for axis in "xy")
        options |= {"resolution": resolution, "resolutionunit": "NONE"}
    # The description is written here since tifffile's ImageJ mode does not support int32, which ImageJ reads.
    description = tifffile.imagej_description(array.shape, axes=axes.upper(), rgb=False, loop=False, **extra)
    tifffile.imwrite(path, array, description=description, metadata=None, **options)


def _pixels_per_unit(step: float) -> float | tuple[int, int]:
    """Return the inverse of a pixel size as a ratio that gives back the very size, or nearly so."""
    size = Fraction(step).limit_denominator(10**6)
    is_exact = float(size) == step and size.numerator < 2**32
    return (size.denominator, size.numerator) if is_exact else 1 / step
