"""Comparison of two conditions over replicates such as images, wells or animals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from objclass._common.checks import invalid
from objclass._common.notices import warn
from objclass.tables.columns import check_column, check_one_unit, check_spelling, check_table, column_kind
from objclass.tables.spreadsheets import check_no_numbers

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Design:
    """The condition and replicate of each object.

    Attributes
    ----------
    table : DataFrame
        The rows of the table that have a condition and a replicate.
    objects : DataFrame
        The ``condition`` (0 or 1) and the ``replicate`` of these.
    conditions : (str, str)
        The names of the two conditions.
    paired : bool
        Whether each replicate has objects of both conditions.
    """

    table: pd.DataFrame
    objects: pd.DataFrame
    conditions: tuple[str, str]
    paired: bool


def compare(
    table: pd.DataFrame,
    values: str | Sequence[str],
    *,
    by: str = "condition",
    replicate: str = "image",
) -> pd.DataFrame:
    """Compare two conditions over replicates.

    Objects of one image share staining, day and animal. Treating them as independent inflates significance
    (pseudoreplication); here each replicate counts once, with the mean of its objects.

    Parameters
    ----------
    table : DataFrame
        One row for each object, with columns `by` and `replicate`.
    values : str or list of str
        The columns to compare: the means of numeric columns, and the proportion of each class or cluster
        (text, ``CLASS``, ``…_CLUSTER_ID``).
    by : str
        The column with two conditions.
    replicate : str
        The column of the replicate: the image, well or animal. If each replicate has objects of both
        conditions, the comparison is paired.

    Returns
    -------
    DataFrame
        One row for each measure, or each class of one: ``measure``; ``effect``, the mean of the second
        condition minus that of the first (in sorted order, or that of a categorical column), in the unit
        of the measure, with its 95 % confidence interval from ``effect_low`` to ``effect_high``;
        ``p_value`` of Student's t-test on the replicates, ``p_adjusted`` for the number of measures
        (Benjamini and Hochberg); ``n_images``, the replicates, and ``n_objects``. The names of the two
        conditions are in ``attrs["conditions"]``.

    Raises
    ------
    ValueError
        If a column does not exist, there are not two conditions, or only some replicates have both.

    Warns
    -----
    UserWarning
        If a condition has a single replicate, so that there is no interval and no p-value, or if objects
        have no condition or replicate.

    References
    ----------
    .. [1] S. J. Lord, K. B. Velle, R. D. Mullins, L. K. Fritz-Laylin, "SuperPlots: Communicating
       reproducibility and variability in cell biology", Journal of Cell Biology 219, e202001064, 2020.
    .. [2] Y. Benjamini, Y. Hochberg, "Controlling the False Discovery Rate", Journal of the Royal
       Statistical Society B 57, 289-300, 1995.

    Examples
    --------
    >>> import pandas as pd
    >>> table = pd.DataFrame({"image": list("aabbccdd"), "label": [1, 2] * 4})
    >>> table["area"] = [1.0, 3, 2, 3, 6, 7, 5, 9]
    >>> table["condition"] = ["control"] * 4 + ["treated"] * 4
    >>> compare(table, "area")[["measure", "effect", "n_images", "n_objects"]]
      measure  effect  n_images  n_objects
    0    area     4.5         4          8
    """
    import pandas as pd
    from scipy.stats import false_discovery_control

    names = [values] if isinstance(values, str) else list(values)
    if not names or len({*names}) < len(names):
        raise invalid("values", "one or more columns, each once", names)
    design = check_design(table, names, by=by, replicate=replicate)
    rows = []
    for name in names:
        for measure, numbers in measures(design.table[name]).items():
            means, n_objects = replicate_means(design, numbers)
            rows.append({"measure": measure, **_test(means, paired=design.paired), "n_objects": n_objects})
    result = pd.DataFrame(rows)
    tested = result["p_value"].notna()
    adjusted = np.full(len(result), np.nan)
    if tested.any():
        adjusted[tested] = false_discovery_control(result["p_value"][tested])
    if not tested.all():
        few = ", ".join(result["measure"][~tested].astype(str)[:5])
        warn(
            f"{few}: a condition has a single {replicate}, or all are equal. The difference may be due to "
            f"the {replicate} and not the condition: there is no p-value without replicates.",
            stacklevel=2,
        )
    result.insert(list(result).index("p_value") + 1, "p_adjusted", adjusted)
    result.attrs["conditions"] = list(design.conditions)
    return result


def check_design(table: pd.DataFrame, values: Sequence[str], *, by: str, replicate: str) -> Design:
    """Return the condition and replicate of each object, after checking the design."""
    import pandas as pd

    check_table(table)
    for argument, name in [("by", by), ("replicate", replicate), *(("values", value) for value in values)]:
        check_column(table, argument, name)
        if name == "label" and argument != "by":
            expected = "the column of images, wells or animals" if argument == "replicate" else "measurements"
            raise invalid(argument, expected, "'label', which identifies objects")
    check_one_unit(table, values)
    known = table[by].notna() & table[replicate].notna()
    if not known.all():
        text = (
            f"{(~known).sum():,} of {len(table):,} objects have no {by!r} or {replicate!r} and are excluded."
        )
        warn(text, stacklevel=3)
    table = table[known]
    codes, conditions = pd.factorize(table[by], sort=True)
    check_spelling("by", "condition", list(conditions))
    if len(conditions) != 2:
        shown = ", ".join(map(repr, conditions[:6])) or "none"
        hint = f"Choose two: table[table[{by!r}].isin([..., ...])]."
        raise invalid("by", "a column with two conditions", f"{len(conditions)} ({shown})", hint)
    objects = pd.DataFrame({"condition": codes, "replicate": table[replicate].astype(str)}, table.index)
    in_both = objects.groupby("replicate")["condition"].nunique() == 2
    if in_both.any() and not in_both.all():
        one = in_both.index[in_both][0]
        expected = "replicates of one condition each, or all of both"
        hint = f"Pass the column of the replicates as replicate=...; is {one!r} one {replicate}?"
        raise invalid("replicate", expected, f"some of both, such as {one!r}", hint)
    return Design(table, objects, (str(conditions[0]), str(conditions[1])), bool(in_both.all()))


def measures(column: pd.Series) -> dict[str, pd.Series]:
    """Return the measures of a column: its values, or an indicator of each of its classes."""
    if column_kind(column) == "number" and str(column.name) != "CLASS":
        return {str(column.name): column.astype(float).where(np.isfinite(column.astype(float)))}
    check_no_numbers(column)
    present = column.dropna()
    if column_kind(column) == "text":
        raise invalid(
            "values", "columns of numbers, classes or clusters", f"{column.name!r}, with many strings"
        )
    known = column.notna()
    classes = sorted(present.unique(), key=lambda value: (isinstance(value, str), value))
    return {f"{column.name} {value}": (column == value).astype(float).where(known) for value in classes}


def replicate_means(design: Design, numbers: pd.Series) -> tuple[pd.DataFrame, int]:
    """Return ``condition``, ``replicate`` and ``mean`` of each replicate, and the number of objects."""
    objects = design.objects.assign(mean=numbers).dropna(subset="mean")
    means = objects.groupby(["condition", "replicate"])["mean"].mean()
    return means.reset_index(), len(objects)


def _test(means: pd.DataFrame, *, paired: bool) -> dict[str, Any]:
    from scipy.stats import ttest_ind, ttest_rel

    by_replicate = means.set_index("replicate")
    first, second = (by_replicate.loc[by_replicate["condition"] == code, "mean"] for code in (0, 1))
    nothing = {"effect": np.nan, "effect_low": np.nan, "effect_high": np.nan, "p_value": np.nan}
    found: dict[str, Any] = {**nothing, "n_images": int(means["replicate"].nunique())}
    if paired:
        second = second.reindex(first.index).dropna()
        first = first[second.index]
    if first.empty or second.empty:
        return found
    found["effect"] = float(second.mean() - first.mean())
    spread = (second - first).std() if paired and len(first) > 1 else first.var() + second.var()
    if min(len(first), len(second)) < 2 or not spread > 0:
        return found
    test = (ttest_rel if paired else ttest_ind)(second.to_numpy(), first.to_numpy())
    low, high = test.confidence_interval(0.95)
    return found | {"effect_low": float(low), "effect_high": float(high), "p_value": float(test.pvalue)}
