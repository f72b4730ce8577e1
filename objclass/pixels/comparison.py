"""Whether an image looks like those that a classifier was trained on."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from objclass.pixels.classifier import ObjectClassifier

SAMPLE = 2**18
PERCENTILES = {"min": 0, "p1": 1, "p50": 50, "p99": 99, "max": 100}
OTHER_BRIGHTNESS = 4
OTHER_SPACING = 1.2
_NOTE = "training_pixels"


def describe_pixels(images: Sequence[np.ndarray]) -> dict[str, str]:
    """Return the note on dtype, range and percentiles of each channel that a classifier's file keeps.

    Parameters
    ----------
    images : sequence of ndarray, channels first
        Of each, every n-th pixel along each axis is looked at.
    """
    samples = [sample_pixels(image) for image in images]
    values = [np.concatenate([sample[c].ravel() for sample in samples]) for c in range(len(samples[0]))]
    channels = [
        {name: float(f"{value:.6g}") for name, value in zip(PERCENTILES, _percentiles(channel), strict=True)}
        for channel in values
    ]
    return {_NOTE: json.dumps({"dtype": images[0].dtype.name, "channels": channels})}


def compare_with_training(
    image: np.ndarray, classifier: ObjectClassifier, *, spacing: Sequence[float] | None = None
) -> list[str]:
    """Say in sentences how far an image is from those of the training; nothing where it is like them.

    Parameters
    ----------
    image : ndarray
        As the classifier takes it.
    classifier : ObjectClassifier
    spacing : sequence of float, optional
        The voxel size of the image.

    Returns
    -------
    list of str
        On the number of bits, on a 99th percentile that differs by a factor of over four, and on a voxel size
        that differs by over a fifth.

    Examples
    --------
    >>> import numpy as np, objclass
    >>> image = np.repeat([[0, 0, 0, 900, 900, 900]], 6, axis=0).astype(np.uint16)
    >>> classifier = objclass.train_object_classifier(image, np.where(image > 4, 2, 1))
    >>> compare_with_training(image, classifier)
    []
    >>> compare_with_training((image // 9).astype(np.uint8), classifier)[0]
    'The image is uint8, where the classifier was trained on uint16.'
    """
    found = [describe_other_spacing(classifier, spacing)]
    known = recorded_pixels(classifier.notes) if classifier.normalize is None else None
    image = np.asarray(image)
    channels = image if image.ndim > classifier.ndim else image[np.newaxis]
    if known and len(known["channels"]) == len(channels):
        if {image.dtype.name, known["dtype"]} in ({"uint8", "uint16"}, {"uint8", "int16"}):
            found.append(
                f"The image is {image.dtype.name}, where the classifier was trained on {known['dtype']}."
            )
        for number, (channel, trained) in enumerate(
            zip(sample_pixels(channels), known["channels"], strict=True)
        ):
            now, then = float(np.percentile(channel, 99)), trained["p99"]
            if min(now, then) > 0 and max(now, then) > OTHER_BRIGHTNESS * min(now, then):
                where = f" of channel {number}" if len(channels) > 1 else ""
                found.append(
                    f"The 99th percentile{where} is {now:.4g}, where it was {then:.4g} in the training."
                )
    return [text for text in found if text]


def describe_other_spacing(classifier: ObjectClassifier, spacing: Sequence[float] | None) -> str:
    """Say that the voxel size is over a fifth off that of the training, or nothing."""
    trained = classifier.spacing
    if spacing is None or trained is None:
        return ""
    ratios = [now / before for now, before in zip(spacing, trained, strict=True)]
    if all(1 / OTHER_SPACING <= ratio <= OTHER_SPACING for ratio in ratios):
        return ""
    now, before = (" × ".join(f"{size:g}" for size in sizes) for sizes in (spacing, trained))
    unit = f" {classifier.unit}" if classifier.unit else ""
    return f"The voxel size is {now}, where the classifier was trained at {before}{unit}."


def recorded_pixels(notes: Mapping[str, str]) -> dict[str, Any] | None:
    """Return what `describe_pixels` wrote; None where there is no such note, or it is damaged."""
    try:
        known = json.loads(notes.get(_NOTE, ""))
        channels = [{name: float(one[name]) for name in PERCENTILES} for one in known["channels"]]
        return {"dtype": str(known["dtype"]), "channels": channels}
    except (ValueError, TypeError, KeyError):
        return None


def sample_pixels(image: np.ndarray) -> np.ndarray:
    """Return every n-th pixel along each spatial axis, some `SAMPLE` of each channel."""
    step = sample_step(image[0].shape)
    return np.asarray(image[(slice(None), *[slice(None, None, step)] * (image.ndim - 1))])


def sample_step(shape: Sequence[int]) -> int:
    """Return n, where every n-th pixel of an image of this spatial shape is looked at."""
    return max(1, round((math.prod(shape) / SAMPLE) ** (1 / len(shape))))


def _percentiles(values: np.ndarray) -> np.ndarray:
    return np.asarray(np.percentile(values, list(PERCENTILES.values())))
