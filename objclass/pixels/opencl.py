"""Prediction on an OpenCL device, with pyclesperanto.

Its Gaussian and box filters are used. Filters that compare neighbours are those of ``kernels/opencl.cl``:
pyclesperanto's know no voxel size and differ from APOC's in 3D.
"""

from __future__ import annotations

import math
import os
import warnings
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from objclass._common.checks import invalid
from objclass._common.progress import Progress, progress_bar
from objclass.pixels.classifier import ObjectClassifier
from objclass.pixels.features import FILTERS
from objclass.pixels.filter_bank import Blur, Tensor, plan_features
from objclass.pixels.forest import Forest
from objclass.pixels.kernels import filters
from objclass.pixels.tiling import Region, whole

DEVICE = "OBJCLASS_OPENCL_DEVICE"
TILE_BYTES = 2**29
"""How much memory of the device a tile may take, as far as its surroundings allow."""
CARD_TILES = 4
"""How many times that on a graphics card: large ones take twice as long with tiles of half a gigabyte."""

_WITH_RADIUS = {
    "maximum": "maximum_filter",
    "minimum": "minimum_filter",
    "mean": "mean_filter",
    "median": "median",
    "variance": "variance_filter",
    "standard_deviation": "standard_deviation",
    "top_hat": "top_hat",
    "bottom_hat": "bottom_hat",
}
BOX_FILTERS = {
    f"{name}_{shape}": (function, shape)
    for name, function in _WITH_RADIUS.items()
    for shape in ("box", "sphere")
}
"""Filters that files of APOC may ask for: the function of pyclesperanto and its neighbourhood."""

_KINDS = (
    *("LAPLACE", "SOBEL", "LAPLACE_BY_DISTANCE", "SOBEL_BY_DISTANCE", "GRADIENT"),
    *("HESSIAN", "N_WEIGHTS"),
)
_NO_MEMORY = ("CL_MEM_OBJECT_ALLOCATION", "CL_OUT_OF", "CL_INVALID_BUFFER_SIZE", "allocate")
_SMALLEST = 8
_INSTALL = 'Install pyclesperanto with python -m pip install "objclass[gpu]", or use engine="cpu".'


@cache
def has_graphics_card() -> bool:
    """Return whether pyclesperanto finds a GPU."""
    try:
        return bool(_devices(_import(), "gpu"))
    except (ImportError, RuntimeError):
        return False


def predict(
    volume: np.ndarray,
    classifier: ObjectClassifier,
    positive_classes: tuple[int, ...] | None,
    *,
    progress: Progress = False,
) -> np.ndarray:
    """Return the class of each voxel as uint8, or the probability of some classes as float32: (z, y, x).

    Parameters
    ----------
    volume : ndarray, (c, z, y, x)
        A classifier of 2D images takes its planes one by one.
    classifier : ObjectClassifier
    positive_classes : tuple of int, optional
    progress : bool or callable

    Raises
    ------
    ValueError
        If there is no OpenCL device, it does not compute, or its memory is too small.
    """
    try:
        cle = _import()
        device = _select_device(cle)
    except (ImportError, RuntimeError) as error:
        raise invalid(
            "engine", "an OpenCL device that pyclesperanto can use", f"{error}", _INSTALL
        ) from error
    bank = _Bank(cle, device, classifier, positive_classes)
    result = np.empty(volume.shape[1:], bank.dtype)
    most = TILE_BYTES * (CARD_TILES if device.name in _devices(cle, "gpu") else 1)
    todo = [whole(result.shape)]
    with progress_bar(result.size, "Classifying pixels", progress) as advance:
        while todo:
            region = todo.pop()
            around = _surround(region, bank.reach, result.shape)
            parts = _halve(region, bank.reach)
            if parts and bank.bytes_per_voxel * _size(around) > most:
                todo += parts
                continue
            try:
                found = bank.predict(volume[:, *around])
            except RuntimeError as error:
                if not any(sign in str(error) for sign in _NO_MEMORY):
                    raise _refusal(f"an OpenCL device that computes, on '{device.name}'", error) from error
                if not parts:
                    expected = f"an OpenCL device with memory for a tile of {_size(around)} voxels"
                    raise _refusal(f"{expected}, on '{device.name}'", error) from error
                most = bank.bytes_per_voxel * _size(around) // 2
                todo += parts
                continue
            inner = (slice(r.start - a.start, r.stop - a.start) for r, a in zip(region, around, strict=True))
            result[region] = found[*inner]
            advance(_size(region))
    return result


def _refusal(expected: str, error: Exception) -> Exception:
    hint = f'Use engine="cpu", or another device by {DEVICE}.'
    return invalid("engine", expected, " ".join(str(error).split())[:300], hint)


def _import() -> Any:
    """Import pyclesperanto, which warns where there is no device."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        import pyclesperanto
    return pyclesperanto


def _devices(cle: Any, kind: str = "all") -> list[str]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        return list(cle.list_available_devices(kind))


def _select_device(cle: Any) -> Any:
    """Return the device that the environment names, else the first GPU, else the first device."""
    names, wanted = _devices(cle), os.environ.get(DEVICE, "")
    fitting = [name for name in names if wanted.lower() in name.lower()]
    if not fitting:
        expected = (
            f"an OpenCL device with '{wanted}' in its name, by {DEVICE}" if wanted else "an OpenCL device"
        )
        raise invalid("engine", expected, ", ".join(names) or "none", _INSTALL)
    cards = [name for name in fitting if name in _devices(cle, "gpu")]
    return cle.select_device(names.index((cards or fitting)[0]))


def _size(region: Region) -> int:
    return math.prod(part.stop - part.start for part in region)


def _surround(region: Region, reach: Sequence[int], shape: Sequence[int]) -> Region:
    z, y, x = (
        slice(max(0, part.start - r), min(length, part.stop + r))
        for part, r, length in zip(region, reach, shape, strict=True)
    )
    return z, y, x


def _halve(region: Region, reach: Sequence[int]) -> list[Region]:
    """Return the halves along the longest axis, or none if they were hardly more than surroundings."""
    lengths = [part.stop - part.start for part in region]
    fits = [n >= 2 * max(r, _SMALLEST) or (r == 0 and n > 1) for n, r in zip(lengths, reach, strict=True)]
    if not any(fits):
        return []
    axis = max(np.flatnonzero(fits), key=lambda axis: lengths[axis])
    part = region[axis]
    middle = part.start + lengths[axis] // 2
    first, second = list(region), list(region)
    first[axis], second[axis] = slice(part.start, middle), slice(middle, part.stop)
    return [(second[0], second[1], second[2]), (first[0], first[1], first[2])]


class _Bank:
    """The features and the forest of a classifier on a device."""

    def __init__(
        self, cle: Any, device: Any, classifier: ObjectClassifier, positive_classes: tuple[int, ...] | None
    ) -> None:
        self.cle, self.device = cle, device
        self.dtype = np.uint8 if positive_classes is None else np.float32
        forest, features = classifier.forest, classifier.features
        used = np.unique(forest.feature[forest.feature >= 0]).tolist()
        named = [(number, *divmod(number, len(features))) for number in used]
        planned = [number for number, _, at in named if features[at].name in FILTERS]
        others = [(number, channel, features[at]) for number, channel, at in named if number not in planned]
        for _, _, feature in others:
            if feature.name not in BOX_FILTERS or not 0 < (feature.value or 0) < 1000:
                expected = f"filters among {', '.join([*FILTERS, *sorted(BOX_FILTERS)])}"
                raise invalid("features", expected, f"'{feature}'", "Train a classifier without it.")
        self.boxes = [(channel, feature.name, float(feature.value or 0)) for _, channel, feature in others]
        self.plan = plan_features(features, classifier.n_channels, classifier.ndim, used=planned)
        self.slots = planned + [number for number, _, _ in others]
        flat = classifier.ndim == 2
        wide = max((2 * math.ceil(radius) for _, _, radius in self.boxes), default=0)
        z, y, x = (max(r, wide) for r in (0,) * flat + self.plan.reach)
        self.reach = (0 if flat else z, y, x)
        # The image, its products, three of one blur's steps, six blurs of a tensor, the stack and the result.
        n_arrays = len(self.slots) + classifier.n_channels + 4 + 12 * bool(self.plan.tensors)
        self.bytes_per_voxel = 4 * n_arrays
        defined = {name: getattr(filters, name) for name in _KINDS} | {"N_CLASSES": forest.n_classes}
        head = "".join(f"#define {name} {value}\n" for name, value in defined.items())
        self.source = head + Path(filters.__file__).with_name("opencl.cl").read_text(encoding="utf-8")
        self.forest = self._push_forest(forest)
        self.wanted = None
        if positive_classes is not None:
            self.wanted = self._push(np.isin(np.arange(forest.n_classes) + 1, positive_classes), np.int32)
        self.weights = self._push(np.append(self.plan.weights.ravel(), np.float32(0)))

    def _push(self, array: np.ndarray, dtype: DTypeLike = np.float32) -> Any:
        return self.cle.push(np.ascontiguousarray(array, dtype), device=self.device)

    def _push_pixels(self, pixels: np.ndarray) -> Any:
        """Send integers as they are, and convert them on the device: this halves the transfer of 16 bits."""
        if pixels.dtype not in (np.uint8, np.uint16):
            return self._push(pixels)
        converted = self._create(pixels.shape)
        self.cle.copy(self._push(pixels, pixels.dtype), converted)
        return converted

    def _push_forest(self, forest: Forest) -> dict[str, Any]:
        at = {number: slot for slot, number in enumerate(self.slots)} | {-1: -1}
        feature = np.array([at[number] for number in forest.feature.tolist()])
        high = forest.leaf.astype(np.float32)
        votes = np.stack([high, forest.leaf - high], axis=-1)
        return {
            "nodes": self._push(np.stack([feature, forest.left, forest.right], axis=1).ravel(), np.int32),
            "thresholds": self._push(forest.threshold),
            "votes": self._push(votes.ravel()),
            "roots": self._push(forest.roots, np.int32),
            "n_trees": forest.n_trees,
        }

    def predict(self, tile: np.ndarray) -> np.ndarray:
        """Return classes or probabilities of a tile, (c, z, y, x), with its surroundings."""
        _, n_planes, n_rows, n_columns = tile.shape
        shape = (n_planes, n_rows, n_columns)
        channels = [self._push_pixels(channel) for channel in tile]
        stack = self._create((max(1, len(self.slots)) * n_planes, n_rows, n_columns))
        self._fill(channels, stack, shape)
        result = self._create(shape, self.dtype)
        if self.wanted is None:
            self._run("classify", shape, features=stack, **self.forest, classes=result)
        else:
            parameters = {**self.forest, "is_wanted": self.wanted, "probability": result}
            self._run("divide_votes", shape, features=stack, **parameters)
        return np.asarray(self.cle.pull(result))

    def _create(self, shape: tuple[int, ...], dtype: type = np.float32) -> Any:
        return self.cle.create(shape, dtype, device=self.device)

    def _run(self, kernel: str, shape: tuple[int, int, int], **parameters: Any) -> None:
        self.cle.native_execute(
            kernel_source=self.source,
            kernel_name=kernel,
            global_size=shape,
            parameters=parameters,
            device=self.device,
        )

    def _fill(self, channels: list[Any], stack: Any, size: tuple[int, int, int]) -> None:
        """Compute all features, blur by blur, so that only one blurred image exists at a time."""
        plan, flat = self.plan, int(self.plan.ndim == 2)

        def derive(slot: int, image: Any, at: int | None = None, which: int = 0) -> None:
            """Compute feature `slot` from an image by filter `at` of the plan, or copy it."""
            kind, row = (filters.ORIGINAL, 0) if at is None else (int(plan.kinds[at]), at)
            target = {"features": stack, "weights": self.weights}
            numbers = {"kind": kind, "which": which, "flat": flat, "filter": row, "slot": slot}
            self._run("derive", size, blurred=image, **target, **numbers)

        def slots(at: int) -> list[tuple[int, int]]:
            return [(which, slot) for which, slot in enumerate(plan.features[at].tolist()) if slot >= 0]

        is_original, is_tensor = plan.kinds == filters.ORIGINAL, plan.kinds == filters.STRUCTURE
        for at in np.flatnonzero(is_original).tolist():
            derive(int(plan.features[at, 0]), channels[plan.inputs[at]])
        is_blurred = ~is_original & ~is_tensor
        for number in np.unique(plan.inputs[is_blurred]).tolist():
            image = self._blur(channels, plan.blurs[number])
            for at in np.flatnonzero(is_blurred & (plan.inputs == number)).tolist():
                for which, slot in slots(at):
                    derive(slot, image, at, which)
        for at in np.flatnonzero(is_tensor).tolist():
            entries = self._smooth_tensor(channels, plan.tensors[plan.inputs[at]], size)
            for which, slot in slots(at):
                numbers = {"flat": flat, "which": which, "slot": slot}
                self._run("derive_structure", size, **entries, features=stack, **numbers)
        for slot, (channel, name, radius) in enumerate(self.boxes, plan.n_features):
            function, shape = BOX_FILTERS[name]
            radii = {"radius_x": radius, "radius_y": radius, "radius_z": 0 if flat else radius}
            filtered = getattr(self.cle, function)(channels[channel], **radii, connectivity=shape)
            derive(slot, filtered)

    def _blur(self, channels: list[Any], blur: Blur) -> Any:
        """Return a channel after a Gaussian filter, or the difference of two."""
        blurred = [
            self.cle.gaussian_blur(channels[blur.channel], sigma_x=x, sigma_y=y, sigma_z=z)
            for z, y, x in blur.sigmas
        ]
        return blurred[0] if len(blurred) == 1 else self.cle.subtract_images(*blurred)

    def _smooth_tensor(
        self, channels: list[Any], tensor: Tensor, shape: tuple[int, int, int]
    ) -> dict[str, Any]:
        """Return the smoothed products of derivatives of a structure tensor."""
        z, y, x = tensor.window
        image = self._blur(channels, tensor.blur)
        inverse = tensor.inverse[::-1]
        names = {"xx": (0, 0), "xy": (0, 1), "yy": (1, 1), "xz": (0, 2), "yz": (1, 2), "zz": (2, 2)}
        entries = {}
        for name, (first, second) in names.items():
            if self.plan.ndim == 2 and second == 2:
                break
            product = self._create(shape)
            axes = {
                "first": first,
                "second": second,
                "by_first": inverse[first],
                "by_second": inverse[second],
            }
            target = {"blurred": image, "product": product, "flat": int(self.plan.ndim == 2)}
            self._run("multiply_derivatives", shape, **target, **axes)
            entries[name] = self.cle.gaussian_blur(product, sigma_x=x, sigma_y=y, sigma_z=z)
        return {name: entries.get(name, entries["xx"]) for name in names}
