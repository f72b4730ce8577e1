"""Profiles of groups and clusters: effect sizes, silhouettes, and the number of clusters."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

import numpy as np

from objclass._common import checks
from objclass.tables.columns import factorize, prepare

if TYPE_CHECKING:
    import pandas as pd

_SAMPLE = 2000


def standardized_differences(
    table: pd.DataFrame, by: str, *, columns: Iterable[str] | str = "auto"
) -> pd.DataFrame:
    """Compute the effect size (Cohen's d) of each group against all other objects.

    It is the difference of the means divided by the pooled standard deviation.

    Parameters
    ----------
    table : pandas.DataFrame
        One row for each object.
    by : str
        The column with the groups. Rows with ``MANUAL_CLUSTER_ID`` 0 are also a group.
    columns : list of str or "auto"
        The measures; "auto" stands for those that `objclass.cluster` would use.

    Returns
    -------
    pandas.DataFrame
        One row for each group, in order, and one column for each measurement, sorted by absolute effect
        size.

    References
    ----------
    J. Cohen, Statistical Power Analysis for the Behavioral Sciences, 2nd ed. (1988), chapter 2.

    Examples
    --------
    >>> import pandas as pd
    >>> table = pd.DataFrame({"label": range(1, 5), "area": [1.0, 2.0, 8.0, 9.0], "kind": list("aabb")})
    >>> standardized_differences(table, "kind")["area"].round(1).tolist()
    [-9.9, 9.9]
    """
    import pandas as pd

    matrix = prepare(table, columns=columns)
    codes, names = factorize(table[by])
    codes = codes[matrix.rows]
    present = [code for code in range(len(names)) if (codes == code).any()]
    differences = np.array([_difference(matrix.values, codes == code) for code in present])
    differences = differences.reshape(len(present), len(matrix.columns))
    result = pd.DataFrame(differences, index=[names[code] for code in present], columns=matrix.columns)
    telling = result.abs().fillna(0).max().sort_values(ascending=False, kind="stable").index
    return result[telling]


def _difference(values: np.ndarray, inside: np.ndarray) -> np.ndarray:
    group, rest = values[inside], values[~inside]
    if len(rest) == 0:
        return np.full(values.shape[1], np.nan)
    freedom = max(len(group) + len(rest) - 2, 1)
    pooled = np.sqrt((group.var(axis=0) * len(group) + rest.var(axis=0) * len(rest)) / freedom)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(pooled > 0, (group.mean(axis=0) - rest.mean(axis=0)) / pooled, np.nan)


def silhouettes(table: pd.DataFrame, by: str) -> dict[object, float]:
    """Return the mean silhouette of each cluster: near 1 if it is separate, near 0 if it overlaps.

    The silhouette of a cluster of a single object is undefined. At most 2,000 objects, drawn at random with a
    fixed seed, are compared.

    References
    ----------
    :func:`sklearn.metrics.silhouette_samples`.

    Examples
    --------
    >>> import pandas as pd
    >>> table = pd.DataFrame({"label": range(1, 5), "area": [1.0, 2.0, 8.0, 9.0], "kind": list("aabb")})
    >>> {name: round(value, 2) for name, value in silhouettes(table, "kind").items()}
    {'a': 0.86, 'b': 0.86}
    """
    from sklearn.metrics import silhouette_samples

    matrix = prepare(table)
    codes, names = factorize(table[by])
    codes = codes[matrix.rows]
    known = np.flatnonzero(codes >= 0)
    if known.size > _SAMPLE:
        known = np.random.default_rng(0).choice(known, _SAMPLE, replace=False)
    codes, values = codes[known], matrix.values[known]  # noqa: PD011
    present = np.unique(codes)
    if not 2 <= present.size < codes.size:
        return {}
    samples = silhouette_samples(values, codes)
    return {
        names[code]: float(samples[codes == code].mean())
        for code in present
        if np.count_nonzero(codes == code) > 1
    }


def distances_from_mean(table: pd.DataFrame, rows: np.ndarray) -> np.ndarray:
    """Return the distance of each object from the mean of the given objects; the nearest is most typical.

    Parameters
    ----------
    table : pandas.DataFrame
        One row for each object.
    rows : (n,) array of int
        The positions of the objects in the table, for example those of a cluster.

    Returns
    -------
    (n,) array of float
        Euclidean distances, each measure in standard deviations over the whole table; NaN for an object
        without a value in one of them.

    Examples
    --------
    >>> import pandas as pd
    >>> table = pd.DataFrame({"label": [1, 2, 3, 4], "area": [1.0, 2.0, 3.0, 9.0]})
    >>> distances_from_mean(table, np.array([0, 1, 2])).round(1).tolist()
    [0.3, 0.0, 0.3]
    """
    matrix = prepare(table)
    values = np.full((len(table), len(matrix.columns)), np.nan)
    values[matrix.rows] = matrix.values  # noqa: PD011
    some = values[rows]
    known = ~np.isnan(some[:, 0])
    distances = np.full(len(some), np.nan)
    distances[known] = np.linalg.norm(some[known] - some[known].mean(axis=0), axis=1)
    return distances


def scan_clusters(
    table: pd.DataFrame,
    method: str,
    *,
    columns: Iterable[str] | str = "auto",
    scale: bool | str = True,
    random_state: int = 0,
    most: int = 10,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> pd.DataFrame:
    """Compute scores of clusterings into 2, 3, … clusters.

    Parameters
    ----------
    table : pandas.DataFrame
        One row for each object.
    method : {"kmeans", "gmm"}
    columns, scale, random_state
        As in `objclass.cluster`.
    most : int
        The maximum number of clusters.
    progress : callable
        Called as ``progress(done, total)``.

    Returns
    -------
    pandas.DataFrame
        ``n_clusters``, ``silhouette`` (higher is better), and ``inertia`` for k-means or ``bic`` for a
        Gaussian mixture (lower is better).

    Examples
    --------
    >>> import pandas as pd
    >>> table = pd.DataFrame({"label": range(1, 7), "area": [1.0, 1.1, 5.0, 5.1, 9.0, 9.1]})
    >>> scan_clusters(table, "kmeans", most=4)["silhouette"].idxmax()
    1
    """
    import pandas as pd
    from sklearn.cluster import KMeans
    from sklearn.metrics import silhouette_score
    from sklearn.mixture import GaussianMixture

    checks.check_option("method", method, ("kmeans", "gmm"))
    values = prepare(table, columns=columns, scale=scale).values  # noqa: PD011
    numbers = range(2, min(most, len(values) - 1) + 1)
    rows = []
    for done, number in enumerate(numbers):
        progress(done, len(numbers))
        model = (
            KMeans(number, n_init=10, random_state=random_state)
            if method == "kmeans"
            else GaussianMixture(number, random_state=random_state)
        )
        found = model.fit_predict(values)
        criterion = {"inertia": model.inertia_} if method == "kmeans" else {"bic": model.bic(values)}
        apart = np.nan
        if 1 < np.unique(found).size < len(values):
            sample = min(_SAMPLE, len(values))
            apart = float(silhouette_score(values, found, sample_size=sample, random_state=0))
        rows.append({"n_clusters": number, "silhouette": apart, **criterion})
    return pd.DataFrame(rows)
