"""PNG and JPEG images, and NumPy files."""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import numpy as np

from objclass.io.info import StoredImage, unnamed


@contextlib.contextmanager
def open_npy(path: Path) -> Iterator[list[StoredImage]]:
    """Open a NumPy file."""
    if path.name.endswith("_seg.npy"):
        raise ValueError("Cellpose's _seg.npy is read with objclass.read_labels")
    array = np.load(path, mmap_mode="r", allow_pickle=False)
    axes = unnamed(array.ndim)
    yield [StoredImage(axes, array.shape, array.dtype, lambda index: np.array(array[index]), files=(path,))]


@contextlib.contextmanager
def open_picture(path: Path) -> Iterator[list[StoredImage]]:
    """Open a PNG or JPEG image: greyscale, RGB, or the indices of a palette."""
    from PIL import JpegImagePlugin, PngImagePlugin

    with path.open("rb") as file:
        head = file.read(25)
    is_png = head.startswith(b"\x89PNG")
    # By class and not by Image.open, whose size limit would apply before ours.
    opener = PngImagePlugin.PngImageFile if is_png else JpegImagePlugin.JpegImageFile
    with opener(path) as picture:
        (width, height), mode = picture.size, picture.mode
        n_samples = 1 if mode.startswith("I") else len(picture.getbands())
    dtype = np.dtype(np.uint16 if is_png and head[24] == 16 else np.uint8)
    shape = (height, width) if n_samples == 1 else (height, width, n_samples)

    @cache
    def pixels() -> np.ndarray:
        array = _palette_numbers(path) if mode == "P" else _decode(path, is_png=is_png)
        if is_png and n_samples >= 3:
            _warn_of_flat_colours(path, array)
        return array.reshape(*shape[:2], -1)[..., :n_samples].reshape(shape)

    def read(index: tuple[int | slice, ...]) -> np.ndarray:
        return pixels()[index]

    yield [StoredImage("yxs"[: len(shape)], shape, dtype, read, is_rgb="RGB" in mode, files=(path,))]


def _decode(path: Path, *, is_png: bool) -> np.ndarray:
    import imagecodecs

    return (imagecodecs.png_decode if is_png else imagecodecs.jpeg_decode)(path.read_bytes())


def _palette_numbers(path: Path) -> np.ndarray:
    from PIL import PngImagePlugin

    warnings.warn(
        f"{path.name}: a palette image, read as the indices of its palette, as for labels. "
        "Save it as RGB or greyscale if the colours matter.",
        stacklevel=2,
    )
    with PngImagePlugin.PngImageFile(path) as picture:
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
