"""Synthetic cells in two channels whose classes differ in texture, imaged on two days."""

from __future__ import annotations

import numpy as np

from objclass._common.checks import check_number
from objclass.samples.datasets import Sample

CLASSES = ("even", "speckled", "hollow")
_GRID, _STEP = 14, 36


def cells(day: int = 1, *, random_state: int = 0) -> Sample:
    """Return an image of cells of three classes that are learnt from a few examples but not by clustering.

    Size, shape and brightness vary independently of the class. The classes differ in the texture of the
    second channel, which is even, speckled or hollow, with the same mean.

    Parameters
    ----------
    day : {1, 2}
        On day 2, other cells are imaged with half the illumination, which falls off to one side.
    random_state : int
        The seed.

    Returns
    -------
    Sample
        ``image`` (2, 504, 504) uint16, ``labels`` (504, 504), and ``cell_types``, the true classes, with the
        columns ``label`` and ``cell_type``; 196 cells. There are no annotations, as the labels are given.

    Raises
    ------
    ValueError
        If `day` is not 1 or 2.

    Examples
    --------
    >>> sample = cells()
    >>> sample.cell_types["cell_type"].value_counts().sort_index().tolist()
    [66, 65, 65]
    """
    import pandas as pd
    from scipy.ndimage import gaussian_filter

    day = check_number("day", day, low=1, high=2, integer=True)
    seed = check_number("random_state", random_state, low=0, integer=True)
    random = np.random.default_rng((seed, day))
    side = _GRID * _STEP
    rows, columns = np.indices((side, side))
    labels = np.zeros((side, side), np.int32)
    light = np.zeros((2, side, side))
    grain = gaussian_filter(random.normal(size=(side, side)), 0.9)
    grain /= grain.std()
    cell_types = random.permutation(np.resize(CLASSES, _GRID**2))
    for place, cell_type in enumerate(cell_types):
        centre = (np.array(divmod(place, _GRID)) + 0.5) * _STEP + random.uniform(-2, 2, 2)
        long, angle = random.uniform(6, 14), random.uniform(0, np.pi)
        short = long * random.uniform(0.55, 1)
        y, x = rows - centre[0], columns - centre[1]
        u, v = x * np.cos(angle) + y * np.sin(angle), y * np.cos(angle) - x * np.sin(angle)
        radius = np.hypot(u / long, v / short)
        inside = radius <= 1
        pattern = {
            "even": np.ones(inside.sum()),
            "speckled": 1 + 0.45 * grain[inside],
            "hollow": np.where(radius[inside] < 0.6, 0.25, 1.3),
        }[cell_type]
        labels[inside] = place + 1
        light[0][inside] = random.uniform(300, 1500)
        light[1][inside] = random.uniform(900, 1100) * pattern / pattern.mean()
    light = np.stack([gaussian_filter(channel, 0.7) for channel in light])
    if day == 2:
        light *= 0.5 * (1.2 - 0.6 * columns / side)
    image = random.poisson((light + 100).clip(0)).astype(np.uint16)
    table = pd.DataFrame({"label": np.arange(1, len(cell_types) + 1), "cell_type": cell_types})
    return Sample(
        name=f"cells, day {day}", image=image, spacing=None, annotations=(), labels=labels, cell_types=table
    )
