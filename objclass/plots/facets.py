"""Small multiples of an embedding, one panel for each image or condition."""

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
"""The maximum number of objects to draw; larger sets are sampled at random."""
SIDE = 2.0
"""The size of a panel in inches."""


def facets(table: pd.DataFrame, by: str = "image", *, embedding: str | Sequence[str] | None = None) -> Figure:
    """Plot the embedding of each image, condition or other group over that of all objects.

    Without batch effects, groups overlap. A separate group indicates a batch effect (stain, laser power,
    depth) or a biological difference; the plot cannot distinguish between them.

    Parameters
    ----------
    table : DataFrame
        One row for each object, as from `segment_folder` and `reduce`.
    by : str
        The column with the group of each object.
    embedding : str or pair of str, optional
        The columns of the axes; ``"UMAP"`` stands for ``UMAP_0`` and ``UMAP_1``. By default the last
        embedding of the table.

    Returns
    -------
    matplotlib.figure.Figure
        One panel for each group, titled with its name and number of objects. The figure is not registered
        with pyplot; a notebook displays it, and ``savefig`` writes it.

    Raises
    ------
    ValueError
        If a column or embedding does not exist, or there are more than 60 groups.

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
        hint = 'Compute one with objclass.reduce(table), or pass columns: embedding=("area", "solidity").'
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
        hint = f"Plot some of them: facets(table[table[{by!r}].isin([...])], {by!r})."
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
