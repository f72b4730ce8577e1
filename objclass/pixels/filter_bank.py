"""The filter bank of a list of features: each Gaussian once, and how features are derived from it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

from objclass.pixels.features import Feature
from objclass.pixels.kernels.convolution import FIRST_TAPS, TAPS
from objclass.pixels.kernels.filters import (
    BLURRED,
    GRADIENT,
    HESSIAN,
    LAPLACE,
    LAPLACE_BY_DISTANCE,
    N_WEIGHTS,
    ORIGINAL,
    SOBEL,
    SOBEL_BY_DISTANCE,
    STRUCTURE,
)
from objclass.pixels.kernels.gaussian import Kernels


@dataclass(frozen=True, eq=False)
class Gaussian:
    """A Gaussian kernel with float32 weights, as in APOC's OpenCL kernels."""

    weights: np.ndarray
    divisor: np.float32

    @property
    def radius(self) -> int:
        """The radius in voxels."""
        return self.weights.size // 2


@cache
def gaussian(sigma: float) -> Gaussian:
    """Return a Gaussian kernel truncated at about four sigma; sigma 0 does not filter."""
    radius = (int(sigma * 8.0) | 1) // 2 if sigma > 0 else 0
    width = np.float32(-2) * np.float32(sigma) * np.float32(sigma) if sigma > 0 else np.float32(-1)
    offsets = np.arange(-radius, radius + 1, dtype=np.float32)
    weights = np.exp((offsets * offsets / width).astype(np.float64)).astype(np.float32)
    return Gaussian(weights, np.add.accumulate(weights, dtype=np.float32)[-1])


Sigmas = tuple[float, float, float]
"""Sigma along z, y and x."""


@cache
def pack_kernels(sigmas: tuple[Sigmas, ...]) -> Kernels:
    """Return the Gaussian kernels in the form for the compiled loops."""
    gaussians = [[gaussian(sigma) for sigma in along] for along in sigmas]
    sizes = np.array([[_padded_size(one) for one in along] for along in gaussians])
    weights = np.zeros((*sizes.shape, sizes.max()), np.float32)
    for k, along in enumerate(gaussians):
        for axis, one in enumerate(along):
            weights[k, axis, : one.weights.size] = one.weights
    radii = np.array([[one.radius for one in along] for along in gaussians])
    divisors = np.array([[one.divisor for one in along] for along in gaussians])
    return Kernels(weights, sizes, radii, divisors)


def _padded_size(one: Gaussian) -> int:
    return FIRST_TAPS + TAPS * max(1, math.ceil((one.weights.size - FIRST_TAPS) / TAPS))


@dataclass(frozen=True)
class Blur:
    """A Gaussian filter of a channel, or the difference of two."""

    channel: int
    sigmas: tuple[Sigmas, ...]


@dataclass(frozen=True)
class Tensor:
    """A structure tensor: the blurred products of the derivatives of a blurred channel.

    `inverse` are the inverse distances of neighbours along z, y and x, and `window` is the sigma of the blur.
    """

    blur: Blur
    inverse: Sigmas
    window: Sigmas

    @property
    def radii(self) -> tuple[int, int, int]:
        """The radius in voxels of the window along z, y and x."""
        z, y, x = (gaussian(sigma).radius for sigma in self.window)
        return z, y, x


@dataclass(frozen=True, eq=False)
class Plan:
    """What to compute for a list of features: each blur once, and how each feature follows from it.

    `kinds`, `inputs`, `weights` and `features` are those of a `Tile`, one row a filter; a filter gives one
    feature or the eigenvalues of one matrix.
    """

    blurs: tuple[Blur, ...]
    kinds: np.ndarray
    inputs: np.ndarray
    weights: np.ndarray
    features: np.ndarray
    n_features: int
    ndim: int
    n_channels: int = 1
    tensors: tuple[Tensor, ...] = ()

    @property
    def radii(self) -> tuple[int, int, int]:
        """The radius in voxels of the widest Gaussian along z, y and x."""
        used = [pack_kernels(blur.sigmas).radii for blur in self.blurs]
        z, y, x = np.concatenate([np.zeros((1, 3), int), *used]).max(axis=0).tolist()
        return z, y, x

    @property
    def reach(self) -> tuple[int, ...]:
        """The radius in voxels along each spatial axis on which the features of a voxel depend."""
        reaches = np.array(self.radii)
        for tensor in self.tensors:
            radii = np.add(tensor.radii, pack_kernels(tensor.blur.sigmas).radii[0])
            reaches = np.maximum(reaches, radii + 1)
        return tuple((reaches + 1).tolist())[-self.ndim :]


def plan_features(
    features: Sequence[Feature], n_channels: int, ndim: int, *, used: Sequence[int] | None = None
) -> Plan:
    """Plan the computation of `features` for every channel, or only of those with the indices `used`.

    Features are numbered channel after channel. `ndim` is the number of spatial axes.
    """
    blurs: dict[Blur, int] = {}
    tensors: dict[Tensor, int] = {}
    filters = _Filters()
    wanted = range(n_channels * len(features)) if used is None else used
    for row, number in enumerate(wanted):
        channel, at = divmod(number, len(features))
        feature = features[at]
        kind = _kind(feature, ndim)
        if kind == ORIGINAL:
            filters.add(row, feature, kind, channel, ndim)
            continue
        z, y, x = (0.0,) * (3 - ndim) + feature.sigma_along(ndim)
        if kind == STRUCTURE:
            distances = (1.0,) * (3 - ndim) + feature.distances(ndim)
            inverse = (1 / distances[0], 1 / distances[1], 1 / distances[2])
            window_z, window_y, window_x = (0.0,) * (3 - ndim) + feature.window_along(ndim)
            tensor = Tensor(Blur(channel, ((z, y, x),)), inverse, (window_z, window_y, window_x))
            filters.add(row, feature, kind, tensors.setdefault(tensor, len(tensors)), ndim)
            continue
        shares = (0.9, 1.1) if feature.name == "difference_of_gaussian" else (1.0,)
        blur = Blur(channel, tuple((z * share, y * share, x * share) for share in shares))
        filters.add(row, feature, kind, blurs.setdefault(blur, len(blurs)), ndim)
    return Plan(
        tuple(blurs),
        np.array(filters.kinds, np.int64),
        np.array(filters.inputs, np.int64),
        np.array(filters.weights, np.float32).reshape(-1, N_WEIGHTS),
        np.array(filters.features, np.int64).reshape(-1, 3),
        len(wanted),
        ndim,
        n_channels,
        tuple(tensors),
    )


class _Filters:
    """The filters of a plan, each matrix of eigenvalues once."""

    def __init__(self) -> None:
        self.kinds: list[int] = []
        self.inputs: list[int] = []
        self.weights: list[np.ndarray] = []
        self.features: list[list[int]] = []
        self._matrices: dict[tuple[int, int, bytes], list[int]] = {}

    def add(self, row: int, feature: Feature, kind: int, source: int, ndim: int) -> None:
        """Let the filter of `feature` write to `row` of the features."""
        weights, rank, rows = _weights(kind, feature, ndim), 0, [-1, -1, -1]
        if kind in (HESSIAN, STRUCTURE):
            rank = _RANKS.index(feature.name.split("_")[1])
            known = self._matrices.setdefault((kind, source, weights.tobytes()), rows)
            if known is not rows and known[rank] < 0:
                known[rank] = row
                return
        rows[rank] = row
        self.kinds.append(kind)
        self.inputs.append(source)
        self.weights.append(weights)
        self.features.append(rows)


_RANKS = ("largest", "middle", "smallest")
_KINDS = {
    "original": ORIGINAL,
    "gaussian_blur": BLURRED,
    "difference_of_gaussian": BLURRED,
    "laplace_box_of_gaussian_blur": LAPLACE,
    "sobel_of_gaussian_blur": SOBEL,
    "laplace_of_gaussian_blur": LAPLACE_BY_DISTANCE,
    "gradient_magnitude_of_gaussian_blur": GRADIENT,
    **{f"hessian_{rank}_of_gaussian_blur": HESSIAN for rank in _RANKS},
    **{f"structure_{rank}_of_gaussian_blur": STRUCTURE for rank in _RANKS},
}


def _kind(feature: Feature, ndim: int) -> int:
    kind = _KINDS[feature.name]
    alike = set(feature.distances(ndim)) == {1.0}
    return SOBEL_BY_DISTANCE if kind == SOBEL and not alike else kind


def _weights(kind: int, feature: Feature, ndim: int) -> np.ndarray:
    """Return the weights of a filter that weights neighbours by distance, in the form for the kernels."""
    weights = np.zeros(N_WEIGHTS)
    distances = np.array((1.0,) * (3 - ndim) + feature.distances(ndim))
    if kind == LAPLACE_BY_DISTANCE:
        # The weight of a neighbour by its axes: 1 if all distances are 1, as in the box Laplacian.
        steps = np.array(list(np.ndindex(2, 2, 2)))
        weights[1:8] = (steps.sum(1)[1:]) / (steps @ distances**2)[1:]
        if ndim == 2:
            weights[4:8] = 0
    elif kind == SOBEL_BY_DISTANCE:
        # Smoothing perpendicular to a derivative has the same physical width along all axes.
        weights[0:3] = (distances / distances.min()) ** -2.0
        weights[3:6] = 1 / distances
    elif kind in (GRADIENT, HESSIAN):
        weights[0:3] = 1 / distances
    return weights
