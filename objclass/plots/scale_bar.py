"""Scale bars on images."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def round_length(longest: float) -> float:
    """Return the longest length of 1, 2 or 5 and zeros that is not above `longest`.

    Examples
    --------
    >>> round_length(70), round_length(0.3)
    (50.0, 0.2)
    """
    power = 10.0 ** math.floor(math.log10(longest))
    return float(next(digit for digit in (5, 2, 1) if digit * power <= longest * 1.000001) * power)


def draw_scale_bar(
    axes: Axes, start: tuple[float, float], length: float, text: str, *, rimmed: bool = True
) -> None:
    """Draw a white bar from `start` to the right, and a text above its middle.

    The text has a dark rim as the bar has, or none, to stay text in vector graphics.
    """
    from matplotlib.patheffects import withStroke

    left, low = start
    rim = [withStroke(linewidth=3.5, foreground="black", alpha=0.6)]
    ends = [left, left + length], [low, low]
    axes.plot(*ends, color="white", linewidth=2.5, path_effects=rim, solid_capstyle="butt")
    style: dict[str, Any] = {"color": "white", "ha": "center", "va": "bottom", "fontsize": 8.5}
    style["path_effects"] = rim if rimmed else []
    axes.annotate(text, (left + length / 2, low), (0, 4), textcoords="offset points", **style)
