"""Images in files that are read and written chunk by chunk: OME-Zarr, with a resolution pyramid."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from objclass._common.checks import ArrayLike, check_spacing, invalid, refuse_masked
from objclass._common.files import AnyPath, check_name, replacing
from objclass.io.ngff import (
    check_replaceable,
    create_level,
    create_zarr,
    is_zarr,
    warn_of_missing_chunks,
    zarr_chunks,
)
from objclass.io.opening import check_named, is_url, open_image

if TYPE_CHECKING:
    import dask.array as da

AXES = {2: "yx", 3: "zyx", 4: "czyx"}
SMALLEST = 256
"""The pyramid gets another level as long as an axis is longer than this."""
STORED_BLOCK = 512


@dataclass(frozen=True, eq=False)
class StoredArray:
    """An image in a file that is read by slices; workers of a cluster receive its path, not its pixels.

    Examples
    --------
    >>> import tempfile, objclass
    >>> folder = tempfile.TemporaryDirectory()
    >>> objclass.imwrite(f"{folder.name}/image.zarr", np.eye(4))
    >>> imread(f"{folder.name}/image.zarr")[1:3, 1]
    array([1., 0.])
    >>> folder.cleanup()
    """

    zarr_array: Any
    kept: tuple[int | slice, ...]
    """A slice for each axis of the file that is an axis of the image, an index for the others."""

    def _along(self, lengths: Sequence[int]) -> tuple[int, ...]:
        return tuple(n for n, part in zip(lengths, self.kept, strict=True) if isinstance(part, slice))

    @property
    def shape(self) -> tuple[int, ...]:
        """The length of each axis."""
        return self._along(self.zarr_array.shape)

    @property
    def chunks(self) -> tuple[int, ...]:
        """The shape of the chunks of the file, or of its shards, which are written as one."""
        return self._along(self.zarr_array.shards or self.zarr_array.chunks)

    @property
    def dtype(self) -> np.dtype:
        """The dtype of the pixels."""
        return self.zarr_array.dtype

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return len(self.shape)

    def __getitem__(self, index: Any) -> np.ndarray:
        parts = iter(index if isinstance(index, tuple) else (index,))
        full = (next(parts, slice(None)) if isinstance(part, slice) else part for part in self.kept)
        return np.asarray(self.zarr_array[tuple(full)])


def imread(
    path: AnyPath, *, axes: str | None = None, series: int | None = None, frame: int | None = None
) -> StoredArray:
    """Open an OME-Zarr image (NGFF 0.1 to 0.5), or a Zarr array, for reading chunk by chunk.

    Parameters
    ----------
    path : str or path
        The folder or URL of the image.
    axes, series, frame
        As in `objclass.imread`.

    Returns
    -------
    StoredArray
        An object with `shape`, `dtype` and `chunks`, (z, y, x) or (y, x), with several channels
        (c, z, y, x) or (c, y, x). Slicing it returns arrays.

    Raises
    ------
    FileNotFoundError, ValueError
        As in `objclass.imread`, and if it is not Zarr, or its axes are in another order.

    Examples
    --------
    >>> import tempfile, objclass
    >>> folder = tempfile.TemporaryDirectory()
    >>> objclass.imwrite(f"{folder.name}/image.zarr", np.zeros((2, 5, 64, 32), np.uint16))
    >>> imread(f"{folder.name}/image.zarr").shape
    (2, 5, 64, 32)
    >>> folder.cleanup()
    """
    if not (is_url(path) or check_name(path).suffix.lower() == ".zarr" or is_zarr(Path(path))):
        hint = "Read it with objclass.imread, or convert it to OME-Zarr if it is large."
        raise invalid("path", "an OME-Zarr image", Path(path).name, hint)
    with open_image(path, axes=axes, series=series) as image:
        check_named(image)
        array, index = image.stored.array, image.index(frame)
        warn_of_missing_chunks(array, str(path))
    names = image.names.replace("t", "")
    if names not in ("yx", "zyx", "cyx", "czyx"):
        raise invalid("axes", "the order (t, c, z, y, x) in the file", names, "Rewrite it in that order.")
    return StoredArray(array, tuple(index))


def imwrite(path: AnyPath, array: ArrayLike, *, spacing: object = None, axes: str | None = None) -> None:
    """Compute an image or labels and write them as OME-Zarr (NGFF 0.5) with a resolution pyramid.

    Each level is downsampled by 2 along every axis that is longer than 256. The folder is written
    atomically. All workers of a cluster must have access to it by the same path.

    Parameters
    ----------
    path : str or path
        The folder to write, ending in ``.zarr``.
    array : dask array or ndarray
        (z, y, x) or (y, x), or with channels first (c, z, y, x). Integers of 32 or 64 bits are labels and
        are downsampled by taking every second voxel, other images by averaging.
    spacing : float or sequence of float, optional
        The voxel size in micrometres along the spatial axes.
    axes : str, optional
        ``"cyx"`` for a 2D image with channels.

    Examples
    --------
    >>> import tempfile, objclass, dask.array as da
    >>> folder = tempfile.TemporaryDirectory()
    >>> imwrite(f"{folder.name}/labels.zarr", da.ones((600, 600), chunks=300, dtype="int32"), spacing=0.5)
    >>> objclass.read_spacing(f"{folder.name}/labels.zarr"), imread(f"{folder.name}/labels.zarr").shape
    ((0.5, 0.5), (600, 600))
    >>> folder.cleanup()
    """
    import dask.array as da

    path = check_name(path)
    if path.suffix.lower() != ".zarr":
        raise invalid(
            "path", "a name that ends in .zarr", path.name, "Use objclass.imwrite for small images."
        )
    check_replaceable(path)
    refuse_masked(array, argument="array")
    image: da.Array = array if isinstance(array, da.Array) else da.from_array(array)
    names = axes or AXES.get(image.ndim, "")
    if len(names) != image.ndim or names not in ("yx", "zyx", "cyx", "czyx") or 0 in image.shape:
        raise invalid("array", "a non-empty array of rank 2 to 4, channels first", f"shape {image.shape}")
    spatial = names.replace("c", "")
    sizes = dict(zip(spatial, check_spacing(spacing, len(spatial)) or (), strict=False))
    factors = _factors(image.shape, names)
    with replacing(path) as temporary:
        group = create_zarr(temporary, names, spacing=sizes, factors=factors)
        for level, factor in enumerate(factors):
            chunks = zarr_chunks(image.shape, names)
            stored = create_level(group, level, shape=image.shape, dtype=image.dtype, axes=names)
            blocks = _aligned(image, chunks)
            da.store(image.rechunk(blocks), stored, lock=False)
            if level + 1 < len(factors):
                steps = [then // now for then, now in zip(factors[level + 1], factor, strict=True)]
                image = _coarser(da.from_zarr(stored, chunks=blocks), steps)


def _factors(shape: Sequence[int], axes: str) -> list[list[int]]:
    """Return the downsampling factors of each level along each axis; the first level is the image."""
    factors = [[1] * len(shape)]
    while True:
        last = factors[-1]
        following = [
            factor * 2 if -(-n // factor) > SMALLEST and axis != "c" else factor
            for n, factor, axis in zip(shape, last, axes, strict=True)
        ]
        if following == last:
            return factors
        factors.append(following)


def _coarser(array: da.Array, steps: Sequence[int]) -> da.Array:
    import dask.array as da

    if array.dtype.kind in "iu" and array.dtype.itemsize >= 4:
        return array[tuple(slice(None, None, step) for step in steps)]
    padding = [(0, -n % step) for n, step in zip(array.shape, steps, strict=True)]
    even = da.pad(array, padding, mode="edge").rechunk(array.chunksize)
    mean = da.coarsen(np.mean, even, dict(enumerate(steps)))
    return mean.round().astype(array.dtype) if array.dtype.kind in "iu" else mean.astype(array.dtype)


def _aligned(array: da.Array, chunks: Sequence[int]) -> tuple[Any, ...]:
    """Rechunk to multiples of `chunks`, so that no two tasks write to the same chunk."""
    blocks = []
    for lengths, chunk in zip(array.chunks, chunks, strict=True):
        is_aligned = all(n % chunk == 0 for n in lengths[:-1])
        blocks.append(lengths if is_aligned else max(chunk, STORED_BLOCK // chunk * chunk))
    return tuple(blocks)
