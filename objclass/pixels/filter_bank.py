"""What to compute for a list of features: each blur once, and how each feature follows from it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

from objclass.pixels.features import Feature
from objclass.pixels.kernels.convolution import FIRST_TAPS, TAPS
from objclass.pixels.kernels.filters import BLURRED, LAPLACE, ORIGINAL, SOBEL
from objclass.pixels.kernels.gaussian import Kernels


@dataclass(frozen=True, eq=False)
class Gaussian:
    """Weights in float32, as APOC's OpenCL kernels have them."""

    weights: np.ndarray
    divisor: np.float32

    @property
    def radius(self) -> int:
        """How many voxels it reaches in each direction."""
        return self.weights.size // 2


@cache
def gaussian(sigma: float) -> Gaussian:
    """Return the weights of a Gaussian that is cut off at about four sigma; sigma 0 blurs nothing."""
    radius = (int(sigma * 8.0) | 1) // 2 if sigma > 0 else 0
    width = np.float32(-2) * np.float32(sigma) * np.float32(sigma) if sigma > 0 else np.float32(-1)
    offsets = np.arange(-radius, radius + 1, dtype=np.float32)
    weights = np.exp((offsets * offsets / width).astype(np.float64)).astype(np.float32)
    return Gaussian(weights, np.add.accumulate(weights, dtype=np.float32)[-1])


@cache
def pack_kernels(sigmas: tuple[float, ...]) -> Kernels:
    """Return the Gaussians of a blur in the form in which the compiled loops take them."""
    gaussians = [gaussian(sigma) for sigma in sigmas]
    n_blocks = [max(1, math.ceil((one.weights.size - FIRST_TAPS) / TAPS)) for one in gaussians]
    sizes = FIRST_TAPS + TAPS * np.array(n_blocks)
    weights = np.zeros((len(gaussians), sizes.max()), np.float32)
    for row, one in zip(weights, gaussians, strict=True):
        row[: one.weights.size] = one.weights
    radii = np.array([one.radius for one in gaussians])
    return Kernels(weights, sizes, radii, np.array([one.divisor for one in gaussians]))


@dataclass(frozen=True)
class Blur:
    """One blurred channel, or with two sigmas the difference of two."""

    channel: int
    sigmas: tuple[float, ...]


@dataclass(frozen=True, eq=False)
class Plan:
    """What to compute for a list of features: each blur once, and how each feature follows from it."""

    blurs: tuple[Blur, ...]
    kinds: np.ndarray
    inputs: np.ndarray
    ndim: int

    @property
    def radius(self) -> int:
        """How many voxels the widest blur reaches in each direction."""
        return max((gaussian(sigma).radius for blur in self.blurs for sigma in blur.sigmas), default=0)


def plan_features(
    features: Sequence[Feature], n_channels: int, ndim: int, *, used: Sequence[int] | None = None
) -> Plan:
    """Plan the computation of `features` for every channel, or of those with the numbers `used` only.

    Features are numbered channel after channel. `ndim` is the number of spatial axes.
    """
    blurs: dict[Blur, int] = {}
    kinds, inputs = [], []
    for number in range(n_channels * len(features)) if used is None else used:
        channel, at = divmod(number, len(features))
        name, sigma = features[at].name, features[at].value or 0.0
        if name == "original":
            kinds.append(ORIGINAL)
            inputs.append(channel)
            continue
        difference = name == "difference_of_gaussian"
        blur = Blur(channel, (sigma * 0.9, sigma * 1.1) if difference else (sigma,))
        kinds.append(_KINDS[name])
        inputs.append(blurs.setdefault(blur, len(blurs)))
    return Plan(tuple(blurs), np.array(kinds, np.int64), np.array(inputs, np.int64), ndim)


_KINDS = {
    "gaussian_blur": BLURRED,
    "difference_of_gaussian": BLURRED,
    "laplace_box_of_gaussian_blur": LAPLACE,
    "sobel_of_gaussian_blur": SOBEL,
}
