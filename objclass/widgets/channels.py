"""The channel axis of an image, and names and colours of channels."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from objclass._common import checks
from objclass.plots.colors import CHANNEL_COLORS

RGB = ("red", "green", "blue")
_RGB = {"red": "#ff0000", "green": "#00ff00", "blue": "#0000ff"}


def is_rgb(image: np.ndarray) -> bool:
    """Return whether an image looks like an 8-bit RGB or RGBA image with the channels last.

    Examples
    --------
    >>> is_rgb(np.zeros((40, 30, 3), np.uint8)), is_rgb(np.zeros((40, 30, 3), np.uint16))
    (True, False)
    """
    return image.dtype == np.uint8 and checks.has_colours_last(image)


def rgb_first(image: np.ndarray) -> np.ndarray:
    """Return an RGB image (y, x, 3) as (3, y, x), without alpha, as a view."""
    return np.moveaxis(image, -1, 0)[:3]


def is_rgb_first(image: np.ndarray) -> bool:
    """Return whether a 2D image (3, 1, y, x) looks like an 8-bit RGB image.

    Examples
    --------
    >>> is_rgb_first(np.zeros((3, 1, 40, 30), np.uint8)), is_rgb_first(np.zeros((3, 5, 40, 30), np.uint8))
    (True, False)
    """
    return image.shape[:2] == (3, 1) and image.dtype == np.uint8


def take_channels(channels: np.ndarray, chosen: Sequence[int]) -> np.ndarray:
    """Return some of the channels of (c, …), as a view where they are evenly spaced.

    Examples
    --------
    >>> take_channels(np.arange(4), (0, 2)), take_channels(np.arange(4), (3, 0, 1))
    (array([0, 2]), array([3, 0, 1]))
    """
    first, step = chosen[0], chosen[1] - chosen[0] if len(chosen) > 1 else 1
    if step > 0 and tuple(chosen) == tuple(range(first, first + step * len(chosen), step)):
        return channels[first : chosen[-1] + 1 : step]
    return channels[list(chosen)]


def spatial_rank(
    image: np.ndarray, spacing: Sequence[float] | None, channel_names: Sequence[str] | None
) -> int:
    """Return the number of spatial axes of an image with channels first.

    An image of three axes is a stack, unless `spacing` has two numbers or there is a name for each plane.
    """
    if image.ndim != 3:
        return 2 if image.ndim == 2 else 3
    planar = spacing is not None and np.size(spacing) == 2
    named = spacing is None and channel_names is not None and len(channel_names) == image.shape[0] > 1
    return 2 if planar or named else 3


def describe_channels(count: int, names: Sequence[str] | None) -> list[dict[str, str]]:
    """Return name and colour of each channel; channels named red, green and blue have these colours.

    Raises
    ------
    ValueError
        If there is not one name for each channel.
    """
    if names is None:
        names = [f"Channel {number}" for number in range(count)]
    elif isinstance(names, str) or len(names) != count or not all(isinstance(name, str) for name in names):
        raise checks.invalid("channel_names", f"{count} names, one for each channel", names)
    alone = count == 1
    colors = ["#ffffff" if alone else CHANNEL_COLORS[number % len(CHANNEL_COLORS)] for number in range(count)]
    return [
        {"name": name, "color": _RGB.get(name.lower(), color)}
        for name, color in zip(names, colors, strict=True)
    ]


def is_color_picture(names: Sequence[str] | None) -> bool:
    """Return whether the channels are red, green and blue."""
    return names is not None and [str(name).lower() for name in names] == list(_RGB)
