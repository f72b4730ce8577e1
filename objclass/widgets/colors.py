"""Colours of classes, groups and objects, the same as in ``colors.js``.

They differ in lightness as well as in hue, so that they can be told apart with any kind of colour vision.
"""

from __future__ import annotations

import math

import numpy as np

CLASS_COLORS = ("#56b4e9", "#e69f00", "#cc79a7", "#009e73", "#f0e442", "#d55e00", "#0072b2", "#882255")
CHANNEL_COLORS = ("#00ff00", "#ff00ff", "#00ffff", "#ffff00", "#ff0000", "#0000ff", "#ffffff")


def class_color(value: int) -> str:
    """Return the colour of class `value` (1, 2, …) as ``#rrggbb``.

    Examples
    --------
    >>> class_color(2)
    '#e69f00'
    """
    return CLASS_COLORS[(value - 1) % len(CLASS_COLORS)]


def label_color(label: int) -> tuple[int, int, int]:
    """Return the colour of object `label` (1, 2, …) as red, green and blue from 0 to 255.

    Examples
    --------
    >>> label_color(1)
    (18, 79, 226)
    """
    hue = (label * 0.618033988749895) % 1
    lightness = (0.62, 0.48, 0.74, 0.55)[label % 4]
    saturation = (0.85, 0.75, 0.9, 0.6)[label // 4 % 4]
    chroma = (1 - abs(2 * lightness - 1)) * saturation
    places = ((offset + hue * 12) % 12 for offset in (0, 8, 4))
    parts = (lightness - chroma / 2 * max(-1, min(place - 3, 9 - place, 1)) for place in places)
    red, green, blue = (math.floor(part * 255 + 0.5) for part in parts)
    return red, green, blue


def label_table(count: int) -> np.ndarray:
    """Return the colours of the objects 0 … `count` as a (count + 1, 3) uint8 array; row 0 is black.

    Examples
    --------
    >>> label_table(2).tolist()[0]
    [0, 0, 0]
    """
    table = np.zeros((count + 1, 3), np.uint8)
    for label in range(1, count + 1):
        table[label] = label_color(label)
    return table
