"""Samples of the pixels of images, and the note on them in a classifier's file."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from objclass._common.checks import LIKE_LABELS, is_like_labels

SAMPLE = 2**18
PERCENTILES = {"min": 0, "p1": 1, "p50": 50, "p99": 99, "max": 100}
_NOTE = "training_pixels"


def describe_pixels(images: Sequence[np.ndarray]) -> dict[str, str]:
    """Return the note on dtype, range and percentiles of each channel for a classifier's file.

    Parameters
    ----------
    images : sequence of ndarray, channels first
        Every n-th pixel along each axis is used.
    """
    samples = [sample_pixels(image) for image in images]
    values = [np.concatenate([sample[c].ravel() for sample in samples]) for c in range(len(samples[0]))]
    channels = [
        {name: float(f"{value:.6g}") for name, value in zip(PERCENTILES, found, strict=True)}
        for found in (np.percentile(channel, [*PERCENTILES.values()]) for channel in values)
    ]
    return {_NOTE: json.dumps({"dtype": images[0].dtype.name, "channels": channels})}


def forget_pixels(notes: Mapping[str, str]) -> dict[str, str]:
    """Return the notes without that of `describe_pixels`."""
    return {name: text for name, text in notes.items() if name != _NOTE}


def has_other_bits(one: str, other: str) -> bool:
    """Return whether equal brightness has different values in two dtypes."""
    return {one, other} in ({"uint8", "uint16"}, {"uint8", "int16"})


def describe_training_images(images: Sequence[np.ndarray], *, normalize: str | None = None) -> list[str]:
    """Return messages about images to train on that look like labels, or of which some have other bits.

    Parameters
    ----------
    images : sequence of ndarray, channels first
        Two images or more are called ``image[0]``, ``image[1]`` …
    normalize : str, optional
        How each is normalized; otherwise they should all have 8 bits or all 16.
    """
    names = [f"image[{number}]" for number in range(len(images))]
    prefixes = [f"{name}: " for name in names] if len(images) > 1 else [""]
    found = [
        f"{prefix}{LIKE_LABELS}"
        for prefix, image in zip(prefixes, images, strict=True)
        if is_like_labels(image)
    ]
    if normalize is None:
        found.append(describe_mixed_dtypes([image.dtype for image in images], names))
    return [text for text in found if text]


def describe_mixed_dtypes(dtypes: Sequence[np.dtype[Any]], names: Sequence[str]) -> str:
    """Return a message if images to train on, which have these types and names, have 8 and 16 bits."""
    for dtype, name in zip(dtypes, names, strict=True):
        if has_other_bits(dtype.name, dtypes[0].name):
            hint = 'Convert all to one type, or pass normalize="percentile" (--normalize percentile).'
            given = f"{name} is {dtype.name}, {names[0]} is {dtypes[0].name}"
            return f"{given}: equal brightness has different values. {hint}"
    return ""


def recorded_pixels(notes: Mapping[str, str]) -> dict[str, Any] | None:
    """Return the note of `describe_pixels`; None if it is missing or damaged."""
    try:
        known = json.loads(notes.get(_NOTE, ""))
        channels = [{name: float(one[name]) for name in PERCENTILES} for one in known["channels"]]
        return {"dtype": str(known["dtype"]), "channels": channels}
    except (ValueError, TypeError, KeyError):
        return None


def sample_pixels(image: np.ndarray) -> np.ndarray:
    """Return every n-th pixel along each spatial axis, about `SAMPLE` per channel."""
    step = sample_step(image[0].shape)
    sample = np.asarray(image[(slice(None), *[slice(None, None, step)] * (image.ndim - 1))])
    return sample.astype(np.uint8) if sample.dtype == bool else sample


def sample_step(shape: Sequence[int]) -> int:
    """Return the step n of `sample_pixels` for a spatial shape."""
    return max(1, round((math.prod(shape) / SAMPLE) ** (1 / len(shape))))
