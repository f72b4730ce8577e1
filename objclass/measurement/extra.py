"""User-defined properties."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from objclass._common import checks
from objclass.measurement.counting import Counts, Part
from objclass.measurement.properties import PROPERTIES, Property


def extra_property(name: str, function: Callable[..., Any], channel_names: Sequence[str]) -> Property:
    """Return a property that calls ``function(mask, pixels)`` for each object."""
    if not isinstance(name, str) or not name or name in PROPERTIES or name in ("label", "image", "frame"):
        raise checks.invalid("extra", "names that differ from those of other columns", checks.describe(name))
    if not callable(function):
        expected = f"a function of the mask and the pixels of an object for {name!r}"
        raise checks.invalid("extra", expected, checks.describe(function), kind=TypeError)
    key = f"extra:{name}"

    def count(part: Part) -> Counts:
        values = [_call(name, function, part, index, channel_names) for index in range(len(part.numbers))]
        shapes = {value.shape for value in values}
        if len(shapes) > 1:
            expected = f"{name!r} to return arrays of one shape for all objects"
            raise checks.invalid("extra", expected, f"the shapes {sorted(shapes)}")
        return {key: np.stack(values) if values else np.empty(0)}

    return Property(
        name,
        "extra",
        (function.__doc__ or "").strip().partition("\n")[0],
        lambda objects: objects.counts[key],
        counters=(count,),
        source=getattr(function, "__module__", "") or "",
        is_basic=False,
    )


def _call(
    name: str, function: Callable[..., Any], part: Part, index: int, channel_names: Sequence[str]
) -> np.ndarray:
    code, scene = part.numbers[index], part.scene
    crop = part.crop(part.boxes[index])
    mask = scene.labels[crop] == code
    pixels = None
    if len(scene.pixels):
        pixels = scene.pixels[:, *crop].copy()  # the function may write into it
        if scene.masks is not None:
            pixels = np.ma.array(pixels, mask=scene.masks[:, *crop])
        pixels = pixels[0] if list(channel_names) == [""] else pixels
    number = code if part.true_numbers is None else part.true_numbers[code]
    try:
        found = function(mask, pixels)
        if found is None:
            raise TypeError("it returned None")
        value = np.asarray(found, float)
    except Exception as error:
        expected = f"{name!r} to return numbers for object {number}"
        raise checks.invalid("extra", expected, f"{type(error).__name__}: {error}") from error
    return value
