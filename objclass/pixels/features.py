"""The feature mini-language: which filters, at which sigma, in which order.

A specification is the text that APOC, napari and Fiji write into a classifier's file: tokens
``filter=sigma`` or ``original``, separated by spaces. This is the one place that reads it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field

from objclass._common.checks import invalid

MIN_SIGMA, MAX_SIGMA = 1e-3, 1e3
MAX_FEATURES = 1000

FILTERS = {
    "original": "the pixel itself",
    "gaussian_blur": "Gaussian of the given sigma",
    "difference_of_gaussian": "Gaussian of 0.9 sigma minus Gaussian of 1.1 sigma",
    "laplace_box_of_gaussian_blur": "Laplacian over all neighbours of the Gaussian",
    "sobel_of_gaussian_blur": "gradient magnitude (Sobel) of the Gaussian",
}
"""Every filter that objclass computes."""


@dataclass(frozen=True)
class Feature:
    """One filter of the image.

    Parameters
    ----------
    name : str
        The filter, a key of `FILTERS`, or any other that pyclesperanto knows and objclass does not.
    value : float or None
        Its sigma in voxels; 0 blurs nothing. None for ``original``.
    token : str
        How the feature was written, which ``str(feature)`` gives back; by default as short as possible.

    Examples
    --------
    >>> str(Feature("gaussian_blur", 1.0))
    'gaussian_blur=1'
    """

    name: str
    value: float | None = None
    token: str = field(default="", compare=False, repr=False)

    def __str__(self) -> str:
        return self.token or (
            self.name if self.value is None else f"{self.name}={self.value!r}".removesuffix(".0")
        )


def _blurs(filters: str, sigmas: Iterable[int]) -> str:
    names = {
        "g": "gaussian_blur",
        "d": "difference_of_gaussian",
        "l": "laplace_box_of_gaussian_blur",
        "s": "sobel_of_gaussian_blur",
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
"""The predefined sets under the names that APOC and its plugins offer, each as a specification."""

EDGE_SETS = {
    "edges_1_to_2_px": "original " + _blurs("gdls", [1, 2]),
    "edges_1_to_4_px": "original " + _blurs("gdls", [1, 2, 4]),
    "edges_1_to_8_px": "original " + _blurs("gdls", [1, 2, 4, 8]),
    "edges_2_to_16_px": "original " + _blurs("gdls", [2, 4, 8, 16]),
}
"""Sets named after the width of the edges that they respond to, which need not be that of the objects."""

FEATURE_SETS = EDGE_SETS | APOC_SETS
"""Every predefined set."""


def parse_features(
    features: str | Iterable[str | Feature], *, allow_other_filters: bool = False
) -> tuple[Feature, ...]:
    """Read a feature specification.

    Parameters
    ----------
    features : str or list of str or Feature
        The name of a predefined set (a key of `FEATURE_SETS`), a specification such as
        ``"original gaussian_blur=1 sobel_of_gaussian_blur=1"``, or a list of such tokens or features.
    allow_other_filters : bool
        Accept a filter that objclass does not compute, as in a file that APOC alone can run.

    Returns
    -------
    tuple of Feature
        In the order given.

    Raises
    ------
    ValueError
        If a filter is unknown, a sigma is neither 0 nor within 0.001 … 1000, or there is no feature at all.
    TypeError
        If `features` is neither text nor a list of tokens.

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


def check_filters(features: Iterable[Feature]) -> None:
    """Refuse, by name, a filter that objclass does not compute."""
    for feature in features:
        if feature.name not in FILTERS:
            raise invalid("features", f"filters among {', '.join(FILTERS)}", f"'{feature}'", _OTHER_FILTERS)


def format_features(features: Iterable[Feature]) -> str:
    """Return the specification of `features`, as it stands in a classifier's file.

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
_OTHER_FILTERS = 'A classifier file made elsewhere with other filters can be run with engine="opencl".'


def _parse_token(token: str | Feature) -> Feature:
    if not isinstance(token, (str, Feature)):
        raise invalid("features", _EXPECTED, token, kind=TypeError)
    text = str(token).strip()
    name, equals, number = text.partition("=")
    if text.lower() == "original":
        return Feature("original", None, text)
    if name == "original" or not name.isidentifier() or (not equals and name not in FILTERS):
        known = f"'original' or 'filter=sigma' with a filter among {', '.join(FILTERS)}"
        raise invalid("features", known, f"'{text}'", _SETS)
    try:
        value = float(number)
    except ValueError:
        value = math.nan
    fits = value == 0 or MIN_SIGMA <= value <= MAX_SIGMA if name in FILTERS else math.isfinite(value)
    if not fits:
        sigmas = f"a sigma of 0, or of {MIN_SIGMA:g} to {MAX_SIGMA:g} voxels"
        raise invalid("features", f"'{name}=' and {sigmas}", f"'{text}'")
    return Feature(name, value, text)
