"""Feature specifications: filters, sigmas and their order.

A specification is the text that APOC, napari and Fiji write to a classifier's file: tokens
``filter=sigma`` or ``original``, separated by spaces.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from objclass._common.checks import invalid

MIN_SIGMA, MAX_SIGMA = 1e-3, 1e3
MIN_BLUR = 0.3
"""Below this sigma, in voxels of a coarse axis, the axis is not filtered."""
ISOTROPIC = 1.3
"""Up to this ratio of the largest voxel size to the smallest, sigma is the same along all axes."""
MAX_FEATURES = 1000

FILTERS = {
    "original": "the original image",
    "gaussian_blur": "Gaussian of the given sigma",
    "difference_of_gaussian": "Gaussian of 0.9 sigma minus Gaussian of 1.1 sigma",
    "laplace_box_of_gaussian_blur": "Laplacian of the Gaussian over all neighbours",
    "sobel_of_gaussian_blur": "gradient magnitude (Sobel) of the Gaussian",
    "laplace_of_gaussian_blur": "Laplacian of the Gaussian, with neighbours weighted by distance",
    "gradient_magnitude_of_gaussian_blur": "gradient magnitude of the Gaussian, by central differences",
    "hessian_largest_of_gaussian_blur": "largest eigenvalue of the Hessian matrix of the Gaussian",
    "hessian_middle_of_gaussian_blur": "middle eigenvalue of the Hessian matrix, in 3D",
    "hessian_smallest_of_gaussian_blur": "smallest eigenvalue of the Hessian matrix",
    "structure_largest_of_gaussian_blur": "largest eigenvalue of the structure tensor of the Gaussian",
    "structure_middle_of_gaussian_blur": "middle eigenvalue of that, in 3D",
    "structure_smallest_of_gaussian_blur": "smallest eigenvalue of that",
}
"""Every filter that objclass computes."""

DIFFERENCES = tuple(name for name in FILTERS if name.endswith("_of_gaussian_blur"))
"""The filters that compare neighbours."""

OWN_FILTERS = tuple(FILTERS)[5:]
"""The filters that APOC does not support."""

_BY_DISTANCE = {"laplace_box_of_gaussian_blur": "laplace_of_gaussian_blur"}


@dataclass(frozen=True)
class Feature:
    """A filter with its sigma.

    Parameters
    ----------
    name : str
        The filter, a key of `FILTERS`, or another filter of pyclesperanto.
    value : float or None
        Its sigma in voxels of the finest axis; 0 does not filter. None for ``original``.
    sigmas : tuple of float, optional
        Its sigma in voxels of each axis, (z, y, x) or (y, x), if they differ.
    unit : float
        The voxel size along the finest axis in voxels of the training image; differs from 1 after
        `match_spacing`.
    token : str
        The original text of the feature, returned by ``str(feature)``; by default as short as possible.

    Examples
    --------
    >>> str(Feature("gaussian_blur", 1.0)), str(Feature("gaussian_blur", 2.0, (0.5, 2.0, 2.0)))
    ('gaussian_blur=1', 'gaussian_blur=0.5x2x2')
    """

    name: str
    value: float | None = None
    sigmas: tuple[float, ...] | None = None
    unit: float = 1.0
    token: str = field(default="", compare=False, repr=False)

    def __str__(self) -> str:
        if self.token or self.value is None:
            return self.token or self.name
        sigmas = "x".join(map(_shortest, self.sigmas or (self.value,)))
        return f"{self.name}={sigmas}" + ("" if self.unit == 1 else f"@{_shortest(self.unit)}")

    def sigma_along(self, ndim: int) -> tuple[float, ...]:
        """Return sigma in voxels of each of `ndim` axes; 0 if it is too small to have an effect."""
        sigmas = self.sigmas or (self.value or 0.0,) * ndim
        return tuple(sigma if self.sigmas is None or sigma >= MIN_BLUR else 0.0 for sigma in sigmas)

    def window_along(self, ndim: int) -> tuple[float, ...]:
        """Return sigma of the window of a structure tensor, half that of its Gaussian, along each axis."""
        halves = [sigma / 2 for sigma in self.sigma_along(ndim)]
        return tuple(half if self.sigmas is None or half >= MIN_BLUR else 0.0 for half in halves)

    def distances(self, ndim: int) -> tuple[float, ...]:
        """Return the distance of neighbours along each axis, in voxels of the finest axis in training."""
        sigmas = self.sigmas or (1.0,) * ndim
        return tuple(self.unit * max(sigmas) / sigma for sigma in sigmas)


def _shortest(number: float) -> str:
    return repr(number).removesuffix(".0")


def _blurs(filters: str, sigmas: Iterable[int]) -> str:
    names = {
        "g": "gaussian_blur",
        "d": "difference_of_gaussian",
        "l": "laplace_box_of_gaussian_blur",
        "s": "sobel_of_gaussian_blur",
        "m": "gradient_magnitude_of_gaussian_blur",
        "h": "hessian_largest_of_gaussian_blur",
        "k": "hessian_smallest_of_gaussian_blur",
    }
    sigmas = list(sigmas)
    return " ".join(f"{names[letter]}={sigma}" for letter in filters for sigma in sigmas)


APOC_SETS = {
    "small_quick": "original " + _blurs("gs", [1]),
    "medium_quick": _blurs("gs", [5]),
    "large_quick": _blurs("gs", [25]),
    "small_dog_log": "original " + _blurs("gdl", [1]),
    "medium_dog_log": _blurs("gdl", [5]),
    "large_dog_log": _blurs("gdl", [25]),
    "object_size_1_to_2_px": _blurs("gdl", [1, 2]),
    "object_size_1_to_5_px": "original " + _blurs("gdl", range(1, 6)),
    "object_size_3_to_8_px": _blurs("gdl", range(3, 9)),
    "object_size_5_to_10_px": _blurs("gdl", range(5, 11)),
    "object_size_10_to_15_px": _blurs("gdl", range(10, 16)),
    "object_size_15_to_20_px": _blurs("gdl", range(15, 21)),
    "object_size_20_to_25_px": _blurs("gdl", range(20, 26)),
    "object_size_25_to_50_px": _blurs("gdl", range(25, 50, 5)),
    "object_size_50_to_100_px": _blurs("gdl", range(50, 100, 10)),
    "v070": _blurs("gdls", [1]),
}
"""The predefined sets of APOC and its plugins, each as a specification."""

EDGE_SETS = {
    "edges_1_to_2_px": "original " + _blurs("gdls", [1, 2]),
    "edges_1_to_4_px": "original " + _blurs("gdls", [1, 2, 4]),
    "edges_1_to_8_px": "original " + _blurs("gdls", [1, 2, 4, 8]),
    "edges_2_to_16_px": "original " + _blurs("gdls", [2, 4, 8, 16]),
    "ridges_1_to_4_px": "original " + _blurs("gdmhk", [1, 2, 4]),
}
"""Sets named after the width of edges that they respond to, which may differ from the size of objects."""

FEATURE_SETS = EDGE_SETS | APOC_SETS
"""Every predefined set."""


def parse_features(
    features: str | Iterable[str | Feature], *, allow_other_filters: bool = False
) -> tuple[Feature, ...]:
    """Parse a feature specification.

    Parameters
    ----------
    features : str or list of str or Feature
        The name of a predefined set (a key of `FEATURE_SETS`), a specification such as
        ``"original gaussian_blur=1 sobel_of_gaussian_blur=1"``, or a list of such tokens or features.
    allow_other_filters : bool
        Accept filters that objclass does not compute, as in files that only APOC can run.

    Returns
    -------
    tuple of Feature
        In the order given.

    Raises
    ------
    ValueError
        If a filter is unknown, a sigma is neither 0 nor within 0.001 … 1000, or there is no feature.
    TypeError
        If `features` is neither a string nor a list of tokens.

    Examples
    --------
    >>> [str(feature) for feature in parse_features("original gaussian_blur=2")]
    ['original', 'gaussian_blur=2']
    >>> len(parse_features("object_size_1_to_5_px"))
    16
    """
    if isinstance(features, str):
        tokens: list[str | Feature] = [
            *FEATURE_SETS.get(features.strip(), features).replace(",", " ").split()
        ]
    elif isinstance(features, Iterable) and not isinstance(features, bytes):
        tokens = list(features)
    else:
        raise invalid("features", _EXPECTED, features, kind=TypeError)
    if not 1 <= len(tokens) <= MAX_FEATURES:
        raise invalid("features", f"between 1 and {MAX_FEATURES} features", str(len(tokens)), _SETS)
    parsed = tuple(_parse_token(token) for token in tokens)
    if not allow_other_filters:
        check_filters(parsed)
    return parsed


def scale_features(features: Iterable[Feature], spacing: Sequence[float] | None) -> tuple[Feature, ...]:
    """Return `features` with sigma scaled along each axis by the voxel size, relative to the finest axis.

    The box Laplacian, which weights all neighbours equally, is replaced by one weighted by distance.

    Parameters
    ----------
    features : iterable of Feature
        Features that already have a sigma for each axis are not changed.
    spacing : sequence of float, optional
        The voxel size along each axis. Up to a ratio of 1.3 nothing changes.

    Returns
    -------
    tuple of Feature

    Raises
    ------
    ValueError
        If a filter that weights neighbours by distance has a sigma of 0.

    Examples
    --------
    >>> [str(one) for one in scale_features(parse_features("original gaussian_blur=2"), (4, 0.8, 0.8))]
    ['original', 'gaussian_blur=0.4x2x2']
    """
    features = tuple(features)
    if spacing is None or max(spacing) <= ISOTROPIC * min(spacing):
        return features
    factors = [min(spacing) / size for size in spacing]
    scaled = [_scale(feature, factors) for feature in features]
    return tuple(old if new is old else _by_distance(new) for old, new in zip(features, scaled, strict=True))


def _by_distance(feature: Feature) -> Feature:
    return dataclasses.replace(feature, name=_BY_DISTANCE.get(feature.name, feature.name))


def _scale(feature: Feature, factors: Sequence[float], *, by_distance: bool = False) -> Feature:
    """Return a feature with sigma times `factors`, and with its unit adapted if distances are to be kept."""
    if not feature.value or (feature.sigmas is not None and not by_distance):
        if feature.value == 0 and feature.name in DIFFERENCES:
            raise invalid(
                "features",
                f"a sigma above 0 of {feature.name}, where the voxel size differs between the axes",
                f"'{feature}'",
            )
        return feature
    old = feature.sigmas or (feature.value,) * len(factors)
    new = tuple(float(f"{sigma * factor:.6g}") for sigma, factor in zip(old, factors, strict=True))
    unit = feature.unit
    if by_distance and feature.name in DIFFERENCES:
        unit = float(f"{unit * max(old) / max(new):.6g}")
    if len(set(new)) == 1 and unit == 1:
        return Feature(feature.name, new[0])
    return Feature(feature.name, max(new), new, unit)


def match_features(
    features: Iterable[Feature], trained: Sequence[float], spacing: Sequence[float]
) -> tuple[Feature, ...]:
    """Return features for an image of another voxel size, with filters of the same physical size.

    Examples
    --------
    >>> (feature,) = match_features(parse_features("sobel_of_gaussian_blur=2"), (1, 1), (0.5, 0.5))
    >>> feature.sigma_along(2), feature.distances(2)
    ((4.0, 4.0), (0.5, 0.5))
    """
    factors = [before / now for before, now in zip(trained, spacing, strict=True)]
    matched = tuple(_scale(feature, factors, by_distance=True) for feature in features)
    widest = max((max(feature.sigma_along(len(factors))) for feature in matched), default=0)
    if widest > MAX_SIGMA:
        got = f"{tuple(spacing)}, for which a filter needs a sigma of {widest:.3g} voxels"
        expected = f"a voxel size near that of the training, {tuple(trained)}"
        raise invalid("spacing", expected, got, "Are both in the same unit?")
    # In 2D the box Laplacian equals the one by distance; in 3D APOC's does not and is not changed.
    return tuple(map(_by_distance, matched)) if len(factors) == 2 else matched


def unknown_to_apoc(features: Iterable[Feature]) -> list[Feature]:
    """Return the features that APOC does not know: filters of objclass, or with a sigma for each axis.

    Examples
    --------
    >>> unknown_to_apoc(parse_features("v070")), len(unknown_to_apoc(parse_features("gaussian_blur=0.2x1x1")))
    ([], 1)
    """
    return [one for one in features if one.sigmas is not None or one.unit != 1 or one.name in OWN_FILTERS]


def check_axes(features: Iterable[Feature], ndim: int) -> None:
    """Refuse a feature whose sigmas are those of another number of axes."""
    for feature in features:
        if feature.sigmas is not None and len(feature.sigmas) != ndim:
            raise invalid("features", f"a sigma for each of {ndim} axes, or one for all", f"'{feature}'")


def check_filters(features: Iterable[Feature]) -> None:
    """Raise if there is a filter that objclass does not compute."""
    for feature in features:
        if feature.name not in FILTERS:
            raise invalid("features", f"filters among {', '.join(FILTERS)}", f"'{feature}'", _OTHER_FILTERS)


def format_features(features: Iterable[Feature]) -> str:
    """Return the specification of `features` for a classifier's file.

    Examples
    --------
    >>> format_features(parse_features(["original", "gaussian_blur=1.0"]))
    'original gaussian_blur=1.0'
    """
    return " ".join(map(str, features))


_EXPECTED = (
    "a specification such as 'original gaussian_blur=1', the name of a predefined set, or a list of tokens"
)
_SETS = f"The predefined sets are {', '.join(FEATURE_SETS)}."
_OTHER_FILTERS = 'A classifier from APOC with box or sphere filters can be run with engine="opencl".'


def _parse_token(token: str | Feature) -> Feature:
    if not isinstance(token, (str, Feature)):
        raise invalid("features", _EXPECTED, token, kind=TypeError)
    text = str(token).strip()
    name, equals, number = text.partition("=")
    if text.lower() == "original":
        return Feature("original", token=text)
    if name == "original" or not name.isidentifier() or (not equals and name not in FILTERS):
        known = f"'original' or 'filter=sigma' with a filter among {', '.join(FILTERS)}"
        raise invalid("features", known, f"'{text}'", _SETS)
    if isinstance(token, Feature):
        sigmas, unit = token.sigmas or (token.value or 0.0,), token.unit
    else:
        sigmas, unit = _parse_sigmas(number)
    isotropic = len(sigmas) == 1 and unit == 1
    if name in FILTERS:
        fits = all(MIN_SIGMA <= sigma <= MAX_SIGMA for sigma in (*sigmas, unit)) or (
            isotropic and sigmas == (0,)
        )
    else:
        fits = isotropic and math.isfinite(sigmas[0])
    if not fits:
        expected = f"a sigma of 0, or of {MIN_SIGMA:g} to {MAX_SIGMA:g} voxels"
        raise invalid("features", f"'{name}=' and {expected}", f"'{text}'", _FOR_EACH_AXIS)
    return Feature(name, max(sigmas), sigmas if len(sigmas) > 1 else None, unit, text)


_FOR_EACH_AXIS = "If the voxel size differs between axes, pass a sigma for each, as 0.4x2x2."


def _parse_sigmas(text: str) -> tuple[tuple[float, ...], float]:
    """Return the sigmas and the unit of ``2``, ``0.4x2x2`` or ``0.4x2x2@0.5``; NaN for anything else."""
    numbers, at, unit = text.partition("@")
    try:
        sigmas = tuple(map(float, numbers.split("x")))
        one = float(unit) if at else 1.0
    except ValueError:
        return (math.nan,), 1.0
    return (sigmas, one) if len(sigmas) <= 3 else ((math.nan,), 1.0)
