"""Static images of widgets, for notebooks without a kernel."""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from objclass.plots.colors import color_ramp, label_rgb, rgb

_LONGEST = 480


def compose_channels(stored: np.ndarray, channels: Sequence[Mapping[str, Any]]) -> np.ndarray:
    """Return stored values (c, rows, columns) as (rows, columns, 3) bytes, as ``composeChannels`` draws them.

    Examples
    --------
    >>> channel = {"low": 0, "high": 10, "color": "#ff0000", "visible": True}
    >>> compose_channels(np.array([[[0, 10]]]), [channel]).tolist()
    [[[0, 0, 0], [255, 0, 0]]]
    """
    total = np.zeros((*stored.shape[1:], 3), np.float32)
    for plane, channel in zip(stored, channels, strict=True):
        if not channel["visible"]:
            continue
        reach = max(channel["high"] - channel["low"], 1e-9)
        bright = np.clip((plane.astype(np.float32) - channel["low"]) / reach, 0, 1)
        bright **= channel.get("gamma", 1.0)
        if channel.get("map"):
            shades = np.frombuffer(color_ramp(channel["map"]), np.uint8).reshape(256, 3)
            total += shades[np.rint(bright * 255).astype(int)]
        else:
            total += bright[..., None] * rgb(channel["color"])
    return np.clip(np.rint(total), 0, 255).astype(np.uint8)


def blend(
    picture: np.ndarray, labels: np.ndarray, colors: np.ndarray, *, opacity: float = 1.0, edges: bool = False
) -> None:
    """Draw labels over an image in place; 0 and labels beyond `colors` (n, 3) are transparent.

    With `edges` only the boundary pixels of each label are drawn.
    """
    shown = (labels > 0) & (labels < len(colors))
    if edges:
        padded = np.pad(labels, 1, constant_values=-1)
        inner = padded[1:-1, 1:-1]
        neighbours = (padded[:-2, 1:-1], padded[2:, 1:-1], padded[1:-1, :-2], padded[1:-1, 2:])
        shown &= np.logical_or.reduce([other != inner for other in neighbours])
    wanted = np.asarray(colors, np.float32)[labels[shown]]
    picture[shown] = np.rint(picture[shown] * (1 - opacity) + wanted * opacity)


def blend_objects(picture: np.ndarray, labels: np.ndarray) -> None:
    """Draw the boundaries of objects over an image in place, each in its own colour."""
    present, places = np.unique(labels, return_inverse=True)
    numbers = np.where(labels > 0, places.reshape(labels.shape) + 1, 0)
    blend(picture, numbers, np.concatenate([np.zeros((1, 3)), label_rgb(present)]), edges=True)


def encode_png(
    picture: np.ndarray, proportions: tuple[float, float] = (1.0, 1.0), *, longest: int = _LONGEST
) -> bytes:
    """Return a picture as PNG, at most `longest` pixels long; a row and a column have `proportions`."""
    from PIL import Image

    finest = min(proportions)
    rows, cols = (size * part / finest for size, part in zip(picture.shape[:2], proportions, strict=True))
    factor = min(longest / max(rows, cols), 4)
    size = max(1, round(cols * factor)), max(1, round(rows * factor))
    how = Image.Resampling.NEAREST if factor > 1 else Image.Resampling.BILINEAR
    out = io.BytesIO()
    Image.fromarray(picture).resize(size, how).save(out, "PNG", optimize=True)
    return out.getvalue()


def color_rows(items: Iterable[tuple[int, str]]) -> np.ndarray:
    """Return an array of colours (n, 3), in which the row `value` has the colour given for it."""
    given = dict(items)
    table = np.zeros((max(given, default=0) + 1, 3), np.float32)
    for value, color in given.items():
        table[value] = rgb(color)
    return table
