"""PNG and JPEG images, and NumPy files."""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from objclass.io.info import StoredImage, report_orientation, unnamed


@contextlib.contextmanager
def open_npy(path: Path) -> Iterator[list[StoredImage]]:
    """Open a NumPy file."""
    if path.name.endswith("_seg.npy"):
        raise ValueError("Cellpose's _seg.npy is read with objclass.read_labels")
    with path.open("rb") as file:
        shape, is_transposed, dtype = read_npy_header(file)
        if dtype.hasobject:
            raise ValueError("it holds Python objects, which are not read")
        order: Any = "F" if is_transposed else "C"
        array = np.memmap(file, dtype, "r", file.tell(), shape, order)
        yield [
            StoredImage(
                unnamed(array.ndim), shape, dtype, lambda index: np.array(array[index]), files=(path,)
            )
        ]


def read_npy_header(file: BinaryIO) -> tuple[tuple[int, ...], bool, np.dtype]:
    """Return shape, order and type of an array that NumPy saved, read up to its first byte."""
    version = np.lib.format.read_magic(file)
    if version == (1, 0):
        return np.lib.format.read_array_header_1_0(file)
    return np.lib.format.read_array_header_2_0(file)


@contextlib.contextmanager
def open_picture(path: Path) -> Iterator[list[StoredImage]]:
    """Open a PNG or JPEG image: greyscale, RGB, or the indices of a palette."""
    from PIL import JpegImagePlugin, PngImagePlugin

    with path.open("rb") as file:
        head = file.read(25)
        is_png = head.startswith(b"\x89PNG")
        if not is_png and not head.startswith(b"\xff\xd8\xff"):
            raise ValueError(f"it begins with {head[:4]!r} and is neither PNG nor JPEG")
        # By class and not by Image.open, whose size limit would apply before ours.
        opener = PngImagePlugin.PngImageFile if is_png else JpegImagePlugin.JpegImageFile
        file.seek(0)
        picture = opener(file)
        report_orientation(path, _orientation(picture))
        yield [_picture(path, file, picture, is_png=is_png, is_16_bit=is_png and head[24] == 16)]


def _orientation(picture: Any) -> object:
    """Return the orientation that EXIF data ask for; None if there are none, or damaged ones."""
    from PIL import Image

    exif = Image.Exif()
    with contextlib.suppress(Exception), warnings.catch_warnings():  # they do not concern the pixels
        warnings.simplefilter("error")
        exif.load(picture.info.get("exif"))
        return exif.get(274)
    return None


def _picture(path: Path, file: Any, picture: Any, *, is_png: bool, is_16_bit: bool) -> StoredImage:
    (width, height), mode = picture.size, picture.mode
    n_samples = 1 if mode.startswith("I") else len(picture.getbands())
    dtype = np.dtype(np.uint16 if is_16_bit else np.uint8)
    shape = (height, width) if n_samples == 1 else (height, width, n_samples)

    @cache
    def pixels() -> np.ndarray:
        import imagecodecs

        file.seek(0)
        decode = imagecodecs.png_decode if is_png else _decode_jpeg
        array = _palette_numbers(path, picture) if mode == "P" else decode(file.read())
        if is_png and n_samples >= 3:
            _warn_of_flat_colours(path, array)
        return array.reshape(*shape[:2], -1)[..., :n_samples].reshape(shape)

    def read(index: tuple[int | slice, ...]) -> np.ndarray:
        return pixels()[index]

    if is_png and (n_frames := picture.n_frames) > 1:
        warnings.warn(f"{path.name}: the first of its {n_frames} frames is read.", stacklevel=2)
    if mode in ("CMYK", "LAB"):
        warnings.warn(f"{path.name}: its colours are {mode}, not RGB. Convert it to RGB.", stacklevel=2)
    axes, is_rgb = "yxs"[: len(shape)], "RGB" in mode
    has_alpha = n_samples in (2, 4)  # of which all values are looked at
    return StoredImage(
        axes,
        shape,
        dtype,
        read,
        is_rgb=is_rgb,
        is_lossy=not is_png,
        files=(path,),
        is_in_memory=has_alpha,
    )


def _decode_jpeg(content: bytes) -> np.ndarray:
    """Return the pixels of a JPEG image; raise if its end is missing, which decoders make grey."""
    import imagecodecs

    if content.rfind(b"\xff\xd9") < content.rfind(b"\xff\xda"):  # the ends of an image and of its headers
        raise EOFError("its end is missing")
    return imagecodecs.jpeg_decode(content)


def _palette_numbers(path: Path, picture: Any) -> np.ndarray:
    warnings.warn(
        f"{path.name}: a palette image, read as the indices of its palette, as for labels. "
        "Save it as RGB or greyscale if the colours matter.",
        stacklevel=2,
    )
    return np.array(picture)


def _warn_of_flat_colours(path: Path, picture: np.ndarray) -> None:
    """Warn if an RGB image looks like colour-coded labels."""
    is_flat = picture.shape[1] > 1 and (picture[:, 1:] == picture[:, :-1]).all(axis=-1).mean() > 0.8
    step = max(1, max(picture.shape[:2]) // 1000)
    sample = picture[::step, ::step].reshape(-1, picture.shape[-1])
    if is_flat and len(np.unique(sample, axis=0)) <= 4096:
        warnings.warn(
            f"{path.name}: an RGB image in flat colours, read as red, green and blue. "
            "If the colours are labels, read it with objclass.read_labels.",
            stacklevel=2,
        )


def write_png(path: Path, array: np.ndarray, axes: str) -> None:
    """Write a greyscale (y, x) or RGB image (c, y, x)."""
    import imagecodecs

    picture = np.moveaxis(array, 0, -1) if "c" in axes else array
    path.write_bytes(imagecodecs.png_encode(np.ascontiguousarray(picture)))
