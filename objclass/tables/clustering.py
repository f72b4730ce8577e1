"""Clustering of objects by their measurements."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np

from objclass._common.checks import check_number, check_option, invalid
from objclass._common.progress import report
from objclass.tables import estimators
from objclass.tables.columns import check_random_state, prepare, with_results
from objclass.tables.estimators import Method, check_size, repeatable, report_matrix, set_up

if TYPE_CHECKING:
    import pandas as pd

METHODS = {
    "kmeans": Method(
        column="KMEANS_CLUSTER_ID",
        estimator="sklearn.cluster:KMeans",
        size="n_clusters",
        defaults={"n_init": 10},  # the best of ten initializations; a single one often finds a poor partition
        needs={"n_clusters": 0},
    ),
    "hdbscan": Method(
        column="HDBSCAN_CLUSTER_ID",
        estimator="sklearn.cluster:HDBSCAN",
        defaults={"min_cluster_size": 5, "min_samples": 5, "copy": False},
        needs={"min_cluster_size": 0, "min_samples": 0},
        slow=100_000,
    ),
    "leiden": Method(
        column="LEIDEN_CLUSTER_ID",
        estimator="objclass.tables.leiden:Leiden",
        needs={"n_neighbors": 0},
    ),
    "gmm": Method(
        column="GMM_CLUSTER_ID",
        estimator="sklearn.mixture:GaussianMixture",
        size="n_components",
        needs={"n_components": 0},
    ),
    "meanshift": Method(column="MS_CLUSTER_ID", estimator="sklearn.cluster:MeanShift", slow=20_000),
    "agglomerative": Method(
        column="AC_CLUSTER_ID",
        estimator="sklearn.cluster:AgglomerativeClustering",
        size="n_clusters",
        needs={"n_clusters": 0},
        most=20_000,
        all_pairs=lambda options: options["connectivity"] is None,
    ),
    "spectral": Method(
        column="SC_CLUSTER_ID",
        estimator="sklearn.cluster:SpectralClustering",
        size="n_clusters",
        # The default "rbf" makes all objects dissimilar once there are a few dozen measurements.
        defaults={"affinity": "nearest_neighbors", "n_neighbors": 10},
        needs={"n_clusters": 1, "n_neighbors": 0},
        most=10_000,
        all_pairs=lambda options: options["affinity"] != "nearest_neighbors",
        silence=("Graph is not fully connected",),  # separate clusters are expected
    ),
}


def cluster(
    table: pd.DataFrame,
    method: str = "kmeans",
    *,
    n_clusters: int | None = None,
    columns: Iterable[str] | str = "auto",
    scale: bool | str = True,
    random_state: int | None = 0,
    progress: bool = True,
    **options: Any,
) -> pd.DataFrame:
    """Cluster objects by their measurements.

    Parameters
    ----------
    table : DataFrame
        One row for each object, with a column `label`; with a column `image` as well, labels are unique
        within an image.
    method : {"kmeans", "hdbscan", "leiden", "gmm", "meanshift", "agglomerative", "spectral"}
        k-means (the best of 10 initializations; mini-batch k-means for more than 200,000 objects),
        HDBSCAN (clusters and neighbourhoods of at least 5), Leiden communities of the graph of 15 nearest
        neighbours (``resolution=1.0``; a higher value gives more clusters), a Gaussian mixture, mean shift,
        agglomerative (Ward) or spectral clustering (10 neighbours).
    n_clusters : int, optional
        The number of clusters, by default 3. HDBSCAN, Leiden and mean shift determine it, and take none.
    columns : list of str or "auto"
        The columns to use, for example those of an embedding. "auto" selects the measurements, as in
        `reduce`.
    scale : bool, "robust" or str
        True standardizes each column to mean 0 and standard deviation 1; see `reduce`.
    random_state : int or None
        The seed. With a seed, the result is reproducible and does not depend on the order of the rows; it
        is computed on one core. None uses a random seed and all cores.
    progress : bool
        Print a line with the columns that are used, and those that are excluded and why.
    **options
        Further options of the estimator: `KMeans`, `HDBSCAN`, `GaussianMixture`, `MeanShift`,
        `AgglomerativeClustering` or `SpectralClustering` of scikit-learn; ``n_neighbors`` and
        ``resolution`` of Leiden.

    Returns
    -------
    DataFrame
        A new table, with the column ``KMEANS_CLUSTER_ID`` (``HDBSCAN_CLUSTER_ID``, ``LEIDEN_CLUSTER_ID``,
        ``GMM_CLUSTER_ID``, ``MS_CLUSTER_ID``, ``AC_CLUSTER_ID``, ``SC_CLUSTER_ID``; nullable ``Int64``) at
        its end, replacing an earlier one. Clusters are numbered from 0 by decreasing size; ties are broken
        by the lowest label. -1 is noise (HDBSCAN). Objects with missing measurements (NaN or infinite) get a
        missing value, with a warning; columns without any value are excluded. For a table without objects,
        the column is added with a warning.

    Raises
    ------
    ValueError
        For an unknown method, column or option, fewer objects than clusters, more objects than fit into
        memory (20,000 for agglomerative clustering), or too few distinct objects.

    References
    ----------
    .. [1] R. J. G. B. Campello, D. Moulavi, J. Sander, "Density-Based Clustering Based on Hierarchical
       Density Estimates", PAKDD 2013, 160-172.
    .. [2] D. Comaniciu, P. Meer, "Mean Shift: A Robust Approach Toward Feature Space Analysis", IEEE
       Transactions on Pattern Analysis and Machine Intelligence 24, 603-619, 2002.

    Examples
    --------
    >>> import pandas as pd
    >>> table = pd.DataFrame({"label": [1, 2, 5], "area": [50.0, 10.0, 12.0]})
    >>> cluster(table, n_clusters=2)
       label  area  KMEANS_CLUSTER_ID
    0      1  50.0                  1
    1      2  10.0                  0
    2      5  12.0                  0
    """
    chosen = METHODS[check_option("method", method, METHODS)]
    size = number_of_clusters(method, n_clusters)
    random_state = check_random_state(random_state)
    matrix = prepare(table, columns=columns, scale=scale)
    report_matrix("cluster", matrix, progress=progress)
    if method == "kmeans" and len(matrix.values) > estimators.MANY:
        chosen = dataclasses.replace(chosen, estimator="sklearn.cluster:MiniBatchKMeans")
    fixed = {} if size is None else {chosen.size: size}
    estimator = set_up(method, chosen, options, random_state=random_state, **fixed)
    numbers = np.empty(0, dtype=np.int64)
    if len(table):
        check_size(method, chosen, estimator, len(matrix.values), size="n_clusters", quick="kmeans")
        if size is not None:
            _check_distinct(matrix.values, size)
        with repeatable(chosen, random_state):
            if method == "meanshift" and estimator.bandwidth is None:
                estimator.set_params(bandwidth=_bandwidth(matrix.values, random_state))
            numbers = _by_size(estimator.fit_predict(matrix.values))
        if progress and (noise := int((numbers < 0).sum())):
            report(f"cluster: {noise:,} of {len(table):,} objects are noise (-1)")
    return with_results(table, matrix.rows, {chosen.column: numbers}, replace=chosen.column)


def number_of_clusters(method: str, n_clusters: int | None) -> int | None:
    """Return the number of clusters for a method, by default 3; None if the method determines it."""
    if METHODS[method].size:
        return check_number("n_clusters", 3 if n_clusters is None else n_clusters, low=1, integer=True)
    if n_clusters is not None:
        hint = f"Omit it, or choose one of {', '.join(name for name in METHODS if METHODS[name].size)}."
        raise invalid("n_clusters", f"None for {method!r}, which determines the number", n_clusters, hint)
    return None


def _check_distinct(values: np.ndarray, n_clusters: int) -> None:
    if len(np.unique(values[:1000], axis=0)) >= n_clusters:  # sufficient in most cases, and fast
        return
    distinct = len(np.unique(values, axis=0))
    if distinct < n_clusters:
        expected = f"at most {distinct}, the number of objects with distinct measurements"
        raise invalid("n_clusters", expected, n_clusters)


def _bandwidth(values: np.ndarray, random_state: int | None) -> float:
    """Estimate the bandwidth of mean shift from the nearest fifth of a sample of at most 500 objects."""
    from sklearn.cluster import estimate_bandwidth

    samples = min(len(values), 500)
    bandwidth = estimate_bandwidth(values, quantile=0.2, n_samples=samples, random_state=random_state)
    if bandwidth <= 0:
        hint = "Pass bandwidth=..., the distance within which objects are similar."
        raise invalid("table", "objects with distinct measurements", "too many equal ones", hint)
    return bandwidth


def _by_size(numbers: np.ndarray) -> np.ndarray:
    """Renumber clusters from 0 by decreasing size, then by their first object; negative ids are kept."""
    old, first, sizes = np.unique(numbers, return_index=True, return_counts=True)
    order = [index for index in np.lexsort((first, -sizes)) if old[index] >= 0]
    new = np.zeros(len(old), dtype=np.int64)
    new[order] = np.arange(len(order))
    ranked = np.where(old < 0, old, new)
    return ranked[np.searchsorted(old, numbers)]
