"""Planes of a volume as binary messages: the kernel's side of ``plane_client.js``."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from objclass._common import checks
from objclass.objects.runlength import Runs

PlaneSource = Callable[[int, int], np.ndarray | None]

HISTOGRAM_BINS = 128
_SAMPLE = 2_000_000
_LARGE = 200_000_000
_PLANES = 16


class ImagePlanes:
    """The planes of an image as 8-bit or 16-bit values for the browser, and their scale.

    A stored value ``q`` stands for ``offset + scale * q``: exactly, with scale 1, where the channel's range
    fits into 16 bits, else (float and wide integers) to 1/65535 of its range.

    Parameters
    ----------
    image : ndarray of shape (c, z, y, x)
        Never copied as a whole; planes are read on request.
    """

    def __init__(self, image: np.ndarray) -> None:
        self.image = image
        samples = [_sample(channel) for channel in image]
        self.codes = [_value_code(channel) for channel in image]
        self.dtype = np.dtype(np.uint8 if image.dtype in (np.uint8, np.bool_) else np.uint16)
        self.channels = [
            _describe_channel(sample, *code) for sample, code in zip(samples, self.codes, strict=True)
        ]

    def share_contrast(self) -> None:
        """Use the same contrast for all channels, from 0 for 8 bits, to preserve the hues of RGB images."""
        least = min(channel["offset"] + channel["scale"] * channel["least"] for channel in self.channels)
        most = max(channel["offset"] + channel["scale"] * channel["most"] for channel in self.channels)
        if self.dtype == np.uint8:
            least, most = 0.0, 255.0
        for channel in self.channels:
            low, high = ((value - channel["offset"]) / channel["scale"] for value in (least, most))
            channel |= {"low": low, "high": high, "auto": [low, high]}

    def plane(self, axis: int, index: int) -> np.ndarray:
        """Return plane `index` along `axis` as (c, rows, columns), in the image's own values."""
        return np.take(self.image, index, axis=axis + 1)

    def encode(self, plane: np.ndarray) -> np.ndarray:
        """Return the stored values of a plane."""
        out = np.empty(plane.shape, self.dtype)
        for channel, (offset, scale) in enumerate(self.codes):
            if scale == 1 and offset == 0:
                out[channel] = plane[channel]
            else:
                stored = np.rint((plane[channel].astype(np.float64) - offset) / scale)
                out[channel] = np.clip(stored, 0, 65535)
        return out


def _sample(channel: np.ndarray) -> np.ndarray:
    """Return every n-th voxel along each axis; of a stack that may lie on a disk few planes, but finer."""
    if channel.nbytes > _LARGE:
        planes = channel[:: max(1, len(channel) // _PLANES)]
        step = max(1, round((planes.size / _SAMPLE) ** (1 / 2)))
        return planes[:, ::step, ::step]
    step = max(1, round((channel.size / _SAMPLE) ** (1 / 3)))
    return channel[::step, ::step, ::step]


def _value_code(channel: np.ndarray) -> tuple[float, float]:
    if channel.dtype in (np.bool_, np.uint8, np.uint16):
        return 0.0, 1.0
    if channel.dtype in (np.int8, np.int16):
        return float(np.iinfo(channel.dtype).min), 1.0
    low, high = float(channel.min()), float(channel.max())
    if channel.dtype.kind in "iu" and high - low <= 65535:
        return low, 1.0
    return low, (high - low) / 65535 or 1.0


def _describe_channel(sample: np.ndarray, offset: float, scale: float) -> dict[str, Any]:
    stored = (sample.astype(np.float64) - offset) / scale
    least, most = float(stored.min()), float(stored.max())
    low, high = (float(value) for value in np.percentile(stored, (0.5, 99.8)))
    if high <= low:
        low, high = least, max(most, least + 1)
    counts, _ = np.histogram(stored, HISTOGRAM_BINS, (least, max(most, least + 1)))
    return {
        "offset": offset,
        "scale": scale,
        "least": least,
        "most": max(most, least + 1),
        "low": low,
        "high": high,
        "auto": [low, high],
        "histogram": counts.tolist(),
    }


def encode_runs(values: np.ndarray) -> np.ndarray:
    """Return the run-length code of an array: all run lengths, then all values, as uint32.

    Examples
    --------
    >>> encode_runs(np.array([0, 0, 7]))
    array([2, 1, 0, 7], dtype=uint32)
    """
    runs = Runs.encode(values)
    return np.concatenate([runs.lengths, runs.values]).astype("<u4")


def decode_runs(code: np.ndarray, size: int) -> np.ndarray:
    """Return the `size` values encoded by `encode_runs`.

    Raises
    ------
    ValueError
        If the runs do not add up to `size`.

    Examples
    --------
    >>> decode_runs(np.array([2, 1, 0, 7], np.uint32), 3)
    array([0, 0, 7], dtype=uint32)
    """
    counts, values = np.split(code, 2)
    if int(counts.sum(dtype=np.int64)) != size:
        raise ValueError(f"run lengths add up to {counts.sum(dtype=np.int64)}, not to {size}")
    return np.repeat(values, counts)


class PlaneServer:
    """Answer requests of the browser for planes.

    Parameters
    ----------
    image : ImagePlanes
        The layer named ``image``.
    sources : mapping of str to callable
        Further layers: ``source(axis, index)`` returns the integer values of the plane, or None if there
        is nothing to show.
    whole : sequence of str
        Layers that are always sent at full size, because the browser edits their pixels.
    """

    def __init__(
        self, image: ImagePlanes, sources: Mapping[str, PlaneSource], *, whole: tuple[str, ...] = ()
    ) -> None:
        self.image = image
        self.sources = sources
        self.whole = whole

    def answer(self, request: Mapping[str, Any]) -> tuple[dict[str, Any], list[memoryview]]:
        """Return the message and the buffers that answer a request of ``plane_client.js``.

        Parameters
        ----------
        request : mapping
            ``axis``, ``index``, ``layers``, ``region`` (row0, col0, row1, col1) and ``step``; everything
            else, such as the view's name and the sequence number, goes back as it came. A region is
            cut to the plane and a step to its longer side: a message asks for no more than there is.
        """
        axis, index, window, step = self._check(request)
        known = ["image", *self.sources]
        described, buffers = [], []
        for name in dict.fromkeys(request["layers"]):
            layer, data = self._layer(checks.check_option("layers", name, known), axis, index, window, step)
            described.append(layer)
            buffers.append(memoryview(data))
        return {**request, "layers": described}, buffers

    def _check(self, request: Mapping[str, Any]) -> tuple[int, int, tuple[slice, slice], int]:
        """Return the axis, the index, the window and the step that a message asks for, all within the image.

        Messages are not trusted: none may request more than there is.
        """
        shape = self.image.image.shape[1:]
        axis = checks.check_number("axis", request["axis"], low=0, high=2, integer=True)
        index = checks.check_number("index", request["index"], low=0, high=shape[axis] - 1, integer=True)
        plane = np.delete(shape, axis)
        corners = np.reshape([int(corner) for corner in request["region"]], (2, 2))
        (row0, col0), (row1, col1) = np.clip(corners, 0, plane).tolist()
        step = int(np.clip(int(request["step"]), 1, plane.max()))
        return axis, index, (slice(row0, row1), slice(col0, col1)), step

    def _layer(
        self, name: str, axis: int, index: int, window: tuple[slice, slice], step: int
    ) -> tuple[dict[str, Any], bytes]:
        if name == "image":
            plane = self.image.plane(axis, index)[:, *window]
            if step > 1:
                means = mean_blocks(plane, step, axes=(1, 2))
                plane = np.rint(means) if plane.dtype.kind in "iub" else means
            stored = self.image.encode(plane)
            return {"name": name, "shape": stored.shape, "dtype": stored.dtype.name}, _little(stored)
        labels = self.sources[name](axis, index)
        if labels is None:
            return {"name": name, "shape": None}, b""
        if name not in self.whole:
            rows, cols = (_sampled(part, step) for part in window)
            labels = labels[np.ix_(rows, cols)]
        stored = labels.astype(_small_dtype(labels.dtype), copy=False)
        runs = encode_runs(stored)
        fewer = runs.nbytes < stored.nbytes
        described = {
            "name": name,
            "shape": (1, *stored.shape),
            "dtype": stored.dtype.name,
            "whole": name in self.whole,
            "encoding": "runs" if fewer else "raw",
        }
        return described, runs.tobytes() if fewer else _little(stored)


def _small_dtype(dtype: np.dtype) -> np.dtype:
    return np.dtype({1: "uint8", 2: "uint16"}.get(dtype.itemsize, "int32"))


def _sampled(window: slice, step: int) -> np.ndarray:
    """Return the central pixel of each block of `step` pixels within a window."""
    return np.minimum(np.arange(window.start, window.stop, step) + step // 2, window.stop - 1)


def _little(array: np.ndarray) -> bytes:
    return array.astype(array.dtype.newbyteorder("<"), copy=False).tobytes()


def mean_blocks(image: np.ndarray, step: int, *, axes: Sequence[int]) -> np.ndarray:
    """Average runs of `step` pixels along each of `axes`, as float32; the last run may be shorter."""
    for axis in axes:
        source = np.moveaxis(image, axis, 0)
        starts = np.arange(0, len(source), step)
        total = np.zeros((len(starts), *source.shape[1:]), np.float32)
        for first in range(min(step, len(source))):
            part = source[first::step]
            total[: len(part)] += part
        lengths = np.diff(np.append(starts, len(source)))
        image = np.moveaxis(total / lengths.reshape(-1, 1, 1).astype(np.float32), 0, axis)
    return image
