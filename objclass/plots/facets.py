"""One picture for each image or condition, side by side, to see whether batches differ."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import matplotlib.style
import numpy as np
from matplotlib.figure import Figure

from objclass._common.checks import describe, invalid
from objclass.plots.overview import FAINT, INK, STYLE, Picture, embedding_columns
from objclass.tables.columns import check_table

if TYPE_CHECKING:
    import pandas as pd

MOST_PANELS = 60
MOST_POINTS = 20_000
"""Of more objects, so many are drawn, chosen at random."""
SIDE = 2.0
"""The side of a panel, in inches."""


def facets(table: pd.DataFrame, by: str = "image", *, embedding: str | Sequence[str] | None = None) -> Figure:
    """Draw the objects of each image, condition or other group over those of all, side by side.

    Where the groups are measured alike, each covers the same ground; a group that keeps to itself tells of a
    batch effect (another stain, laser power or depth) or of biology: the picture does not say which.

    Parameters
    ----------
    table : DataFrame
        One row for each object, as from `segment_folder` and `reduce`.
    by : str
        The column that names the group of each object.
    embedding : str or pair of str, optional
        The columns to draw the objects at: ``"UMAP"`` stands for ``UMAP_0`` and ``UMAP_1``. By default the
        last embedding of the table.

    Returns
    -------
    matplotlib.figure.Figure
        A panel for each group, titled with its name and the number of its objects. It belongs to no pyplot
        window; ``savefig`` writes it, and a notebook shows it.

    Raises
    ------
    ValueError
        Where a column is not there, there is no embedding, or there are more than 60 groups.

    References
    ----------
    .. [1] E. Tufte, Envisioning Information (1990), chapter "Small multiples"

    Examples
    --------
    >>> import pandas as pd
    >>> table = pd.DataFrame({"label": [1, 2, 1], "image": ["a", "a", "b"]})
    >>> table["PC_0"], table["PC_1"] = [0, 1, 0], [0, 1, 1]
    >>> [axes.get_title(loc="left") for axes in facets(table).axes]
    ['a, 2 objects', 'b, 1 object']
    """
    import pandas as pd

    names = embedding_columns(check_table(table), embedding)
    if not names:
        hint = 'Make one with objclass.reduce(table), or name columns: embedding=("area", "solidity").'
        raise invalid("embedding", "a table with an embedding", "none", hint)
    if by not in table.columns:
        hint = f"Its columns begin with {', '.join(map(str, table.columns[:8]))}."
        raise invalid("by", "a column of the table", describe(by), hint)
    if table.empty:
        raise invalid("table", "at least one object", "none")
    places = table[names].apply(lambda column: column.to_numpy(float, na_value=np.nan)).to_numpy()
    placed = np.isfinite(places).all(axis=1)
    groups, values = pd.factorize(table[by], sort=True, use_na_sentinel=False)
    if len(values) > MOST_PANELS:
        hint = f"Draw some of them: facets(table[table[{by!r}].isin([...])], {by!r})."
        raise invalid("by", f"at most {MOST_PANELS} groups", f"{len(values)}", hint)
    everything = _some(np.flatnonzero(placed))
    n_columns = math.ceil(math.sqrt(1.5 * len(values)))
    n_rows = math.ceil(len(values) / n_columns)
    with matplotlib.style.context(["default", STYLE]):
        size = (n_columns * SIDE + 0.6, n_rows * (SIDE + 0.3) + 0.4)
        figure = Picture(figsize=size, layout="constrained", facecolor="white")
        panels = figure.subplots(n_rows, n_columns, sharex=True, sharey=True, squeeze=False).ravel()
        for number, (axes, value) in enumerate(zip(panels, values, strict=False)):
            here = groups == number
            own = _some(np.flatnonzero(here & placed))
            axes.scatter(*places[everything].T, 2, FAINT, alpha=0.35, linewidth=0, rasterized=True)
            axes.scatter(*places[own].T, 4, INK, linewidth=0, rasterized=True)
            n = int(here.sum())
            axes.set_title(f"{value}, {n:,} object{'s' * (n != 1)}", fontsize=8.5)
            axes.spines[["top", "right"]].set_visible(False)
            axes.locator_params(nbins=4)
        for axes in panels[len(values) :]:
            axes.remove()
        for axes in panels[max(len(values) - n_columns, 0) : len(values)]:
            axes.tick_params(labelbottom=True)
        figure.supxlabel(names[0], fontsize=9)
        figure.supylabel(names[1], fontsize=9)
    return figure


def _some(rows: np.ndarray) -> np.ndarray:
    if rows.size <= MOST_POINTS:
        return rows
    return np.random.default_rng(0).choice(rows, MOST_POINTS, replace=False)
