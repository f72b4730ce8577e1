"""Comparison of an image with the training images of a classifier."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from objclass._common.checks import LIKE_LABELS, is_like_labels

if TYPE_CHECKING:
    from objclass.pixels.classifier import ObjectClassifier

SAMPLE = 2**18
PERCENTILES = {"min": 0, "p1": 1, "p50": 50, "p99": 99, "max": 100}
OTHER_BRIGHTNESS = 4
OTHER_SPACING = 1.2
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
        {name: float(f"{value:.6g}") for name, value in zip(PERCENTILES, _percentiles(channel), strict=True)}
        for channel in values
    ]
    return {_NOTE: json.dumps({"dtype": images[0].dtype.name, "channels": channels})}


def forget_pixels(notes: Mapping[str, str]) -> dict[str, str]:
    """Return the notes without that of `describe_pixels`."""
    return {name: text for name, text in notes.items() if name != _NOTE}


def compare_with_training(
    image: np.ndarray, classifier: ObjectClassifier, *, spacing: Sequence[float] | None = None
) -> list[str]:
    """Return messages about differences between an image and the training images, or a label image.

    Parameters
    ----------
    image : ndarray
        The image, with channels first.
    classifier : ObjectClassifier
    spacing : sequence of float, optional
        The voxel size of the image.

    Returns
    -------
    list of str
        Messages about a different number of bits, a 99th percentile that differs by a factor of more than
        four, a voxel size that differs by more than a fifth, and an image that looks like labels.

    Examples
    --------
    >>> import numpy as np, objclass
    >>> image = np.repeat([[0, 0, 0, 900, 900, 900]], 6, axis=0).astype(np.uint16)
    >>> classifier = objclass.train_object_classifier(image, np.where(image > 4, 2, 1))
    >>> compare_with_training(image, classifier)
    []
    >>> compare_with_training((image // 9).astype(np.uint8), classifier)[0]
    'The image is uint8, the classifier was trained on uint16.'
    """
    image = np.asarray(image)
    channels = image if image.ndim > classifier.ndim else image[np.newaxis]
    found = [describe_other_spacing(classifier, spacing), describe_other_dtype(classifier, image.dtype)]
    found += describe_other_brightness(classifier, list(sample_pixels(channels)))
    found += [LIKE_LABELS] * is_like_labels(channels)
    return [text for text in found if text]


def describe_other_dtype(classifier: ObjectClassifier, dtype: np.dtype[Any]) -> str:
    """Return a message if the training images had another number of bits."""
    known = pixels_to_compare(classifier)
    if known and _has_other_bits(dtype.name, known["dtype"]):
        return f"The image is {dtype.name}, the classifier was trained on {known['dtype']}."
    return ""


def _has_other_bits(one: str, other: str) -> bool:
    return {one, other} in ({"uint8", "uint16"}, {"uint8", "int16"})


def describe_mixed_dtypes(images: Sequence[np.ndarray]) -> str:
    """Return a message if images to train on have 8 and 16 bits."""
    for number, image in enumerate(images):
        if _has_other_bits(image.dtype.name, images[0].dtype.name):
            names = f"image[{number}] is {image.dtype.name}, image[0] is {images[0].dtype.name}"
            hint = 'Convert all to one type, or pass normalize="percentile" (--normalize percentile).'
            return f"{names}: equal brightness has different values. {hint}"
    return ""


def describe_other_brightness(classifier: ObjectClassifier, channels: Sequence[np.ndarray]) -> list[str]:
    """Return messages about channels whose 99th percentile differs by a factor of more than four."""
    known, found = pixels_to_compare(classifier), []
    if known and len(known["channels"]) == len(channels):
        for number, (channel, trained) in enumerate(zip(channels, known["channels"], strict=True)):
            now, then = float(np.percentile(channel.astype(np.float64), 99)), trained["p99"]
            low, high = sorted((abs(now), abs(then)))
            if low and (now * then < 0 or high > OTHER_BRIGHTNESS * low):
                where = f" of channel {number}" if len(channels) > 1 else ""
                found.append(f"The 99th percentile{where} is {now:.4g}, in the training it was {then:.4g}.")
    return found


def pixels_to_compare(classifier: ObjectClassifier) -> dict[str, Any] | None:
    """Return the note on the training pixels; None if it is missing, or if each image is normalized."""
    return recorded_pixels(classifier.notes) if classifier.normalize is None else None


def describe_other_spacing(classifier: ObjectClassifier, spacing: Sequence[float] | None) -> str:
    """Return a message if the voxel size differs by more than a fifth from that of the training."""
    trained = classifier.spacing
    if spacing is None or trained is None:
        return ""
    ratios = [now / before for now, before in zip(spacing, trained, strict=True)]
    if all(1 / OTHER_SPACING <= ratio <= OTHER_SPACING for ratio in ratios):
        return ""
    now, before = (" × ".join(f"{size:g}" for size in sizes) for sizes in (spacing, trained))
    unit = f" {classifier.unit}" if classifier.unit else ""
    return f"The voxel size is {now}, the classifier was trained at {before}{unit}."


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


def _percentiles(values: np.ndarray) -> np.ndarray:
    return np.asarray(np.percentile(values, list(PERCENTILES.values())))
