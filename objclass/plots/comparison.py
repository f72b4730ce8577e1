"""Plot of two conditions: objects as small points, replicates as large ones."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from objclass.plots.colors import group_color
from objclass.plots.overview import grid_of_panels
from objclass.tables.comparison import check_design, compare, measures, replicate_means

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_MOST_POINTS = 1000  # per condition


def compare_figure(
    table: pd.DataFrame,
    values: str | Sequence[str],
    *,
    by: str = "condition",
    replicate: str = "image",
) -> Figure:
    """Plot two conditions: each object as a small point, the mean of each replicate as a large one.

    Parameters
    ----------
    table, values, by, replicate
        As in `objclass.compare`. For classes and clusters, the proportions in the replicates are plotted.

    Returns
    -------
    matplotlib.figure.Figure
        One panel for each measure, titled with the adjusted p-value and the number of replicates.

    Raises
    ------
    ValueError
        As `objclass.compare`.

    References
    ----------
    .. [1] S. J. Lord, K. B. Velle, R. D. Mullins, L. K. Fritz-Laylin, "SuperPlots: Communicating
       reproducibility and variability in cell biology", Journal of Cell Biology 219, e202001064, 2020.

    Examples
    --------
    >>> import pandas as pd
    >>> table = pd.DataFrame({"image": list("aabbccdd"), "label": [1, 2] * 4})
    >>> table["area"] = [1.0, 3, 2, 3, 6, 7, 5, 9]
    >>> table["condition"] = ["control"] * 4 + ["treated"] * 4
    >>> compare_figure(table, "area").axes[0].get_ylabel()
    'area'
    """
    names = [values] if isinstance(values, str) else list(values)
    tests = compare(table, names, by=by, replicate=replicate).set_index("measure")
    design = check_design(table, names, by=by, replicate=replicate)
    panels = {
        measure: (numbers, measure == name)
        for name in names
        for measure, numbers in measures(design.table[name]).items()
    }
    figure, axes = grid_of_panels(len(panels), min(4, len(panels)), (2.6, 3.2))
    for panel, (measure, (numbers, is_number)) in zip(axes, panels.items(), strict=True):
        means, _ = replicate_means(design, numbers)
        condition = design.objects["condition"].to_numpy()
        if is_number:
            _draw_objects(panel, condition, numbers.to_numpy())
        _draw_replicates(panel, means, paired=design.paired)
        p = float(tests["p_adjusted"][measure])
        shown = "no p-value" if np.isnan(p) else f"p = {p:.2g}"
        panel.set_title(f"{shown}, {int(tests['n_images'][measure])} × {replicate}", fontsize=9)
        panel.set(ylabel=measure if is_number else f"share of {measure}", xlim=(-0.5, 1.5))
        panel.set_xticks((0, 1), design.conditions)
    return figure


def _draw_objects(axes: Axes, condition: np.ndarray, values: np.ndarray) -> None:
    random = np.random.default_rng(0)
    for code in (0, 1):
        own = values[condition == code]
        own = own[np.isfinite(own)]
        own = random.choice(own, _MOST_POINTS, replace=False) if len(own) > _MOST_POINTS else own
        places = code + random.uniform(-0.3, 0.3, len(own))
        axes.scatter(places, own, 4, "#b8bcc4", linewidth=0, rasterized=True)


def _draw_replicates(axes: Axes, means: pd.DataFrame, *, paired: bool) -> None:
    for number, (_, part) in enumerate(means.groupby("replicate")):
        color = group_color(number + 1) if paired else group_color(int(part["condition"].iloc[0]) + 1)
        places = part["condition"].to_numpy(dtype=float) + (0 if paired else 0.1 * ((number % 5) - 2))
        axes.plot(
            places, part["mean"].to_numpy(), color=color, marker="o", markersize=8, markeredgecolor="black"
        )
    for code in (0, 1):
        mean = means.loc[means["condition"] == code, "mean"].mean()
        axes.plot((code - 0.25, code + 0.25), (mean, mean), color="black", linewidth=1.5)
