"""Comparison of an image with the training images of a classifier."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from objclass._common.checks import LIKE_LABELS, is_like_labels
from objclass.pixels.classifier import ObjectClassifier
from objclass.pixels.sampling import has_other_bits, recorded_pixels, sample_pixels

OTHER_BRIGHTNESS = 4
OTHER_SPACING = 1.2


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
    if known and has_other_bits(dtype.name, known["dtype"]):
        return f"The image is {dtype.name}, the classifier was trained on {known['dtype']}."
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
