"""Small multiples of an embedding, one panel for each image or condition."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import matplotlib.style
import numpy as np
from matplotlib.figure import Figure

from objclass._common.checks import counted, invalid
from objclass.plots.overview import FAINT, INK, STYLE, embedding_columns, grid_of_panels
from objclass.tables.columns import check_column, check_table

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
    check_column(table, "by", by)
    if table.empty:
        raise invalid("table", "at least one object", "none")
    places = table[names].to_numpy(float, na_value=np.nan)
    placed = np.isfinite(places).all(axis=1)
    groups, values = pd.factorize(table[by], sort=True, use_na_sentinel=False)
    if len(values) > MOST_PANELS:
        hint = f"Plot some of them: facets(table[table[{by!r}].isin([...])], {by!r})."
        raise invalid("by", f"at most {MOST_PANELS} groups", f"{len(values)}", hint)
    everything = _some(np.flatnonzero(placed))
    n_columns, sizes = math.ceil(math.sqrt(1.5 * len(values))), ((SIDE, SIDE + 0.3), (0.6, 0.4))
    with matplotlib.style.context(["default", STYLE]):
        figure, panels = grid_of_panels(len(values), n_columns, *sizes, sharex=True, sharey=True)
        for number, (axes, value) in enumerate(zip(panels, values, strict=True)):
            here = groups == number
            own = _some(np.flatnonzero(here & placed))
            axes.scatter(*places[everything].T, 2, FAINT, alpha=0.35, linewidth=0, rasterized=True)
            axes.scatter(*places[own].T, 4, INK, linewidth=0, rasterized=True)
            axes.set_title(f"{value}, {counted(int(here.sum()), 'object')}", fontsize=8.5)
            axes.locator_params(nbins=4)
        for axes in panels[-n_columns:]:
            axes.tick_params(labelbottom=True)
        figure.supxlabel(names[0], fontsize=9)
        figure.supylabel(names[1], fontsize=9)
    return figure


def _some(rows: np.ndarray) -> np.ndarray:
    if rows.size <= MOST_POINTS:
        return rows
    return np.random.default_rng(0).choice(rows, MOST_POINTS, replace=False)
