"""Dimensionality reduction of measurements."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from objclass._common.checks import check_number, check_option, invalid
from objclass._common.notices import warn
from objclass.tables import estimators
from objclass.tables.columns import check_random_state, prepare, with_results
from objclass.tables.estimators import Method, check_size, repeatable, report_matrix, set_up
from objclass.tables.placing import place_like
from objclass.tables.umap_cache import import_umap

if TYPE_CHECKING:
    import pandas as pd

METHODS = {
    "umap": Method(
        column="UMAP",
        estimator="umap:UMAP",
        size="n_components",
        defaults={"n_neighbors": 15, "min_dist": 0.1, "init": "pca"},
        needs={"n_neighbors": 1, "n_components": 1},
        silence=("'force_all_finite' was renamed", r"precomputed_knn\[2\]"),
    ),
    "tsne": Method(
        column="t-SNE",
        estimator="sklearn.manifold:TSNE",
        size="n_components",
        defaults={"perplexity": 30.0, "init": "pca", "learning_rate": "auto"},
        needs={"perplexity": 1},
        slow=50_000,
    ),
    "pca": Method(column="PC", estimator="sklearn.decomposition:PCA", size="n_components"),
    "isomap": Method(
        column="Isomap",
        estimator="sklearn.manifold:Isomap",
        size="n_components",
        needs={"n_neighbors": 1, "n_components": 1},
        most=10_000,
        # Separate components are connected through their closest objects.
        silence=("The number of connected components", "Changing the sparsity structure"),
    ),
    "mds": Method(
        column="MDS",
        estimator="sklearn.manifold:MDS",
        size="n_components",
        defaults={"n_init": 4, "init": "random"},
        most=5_000,
    ),
}
MOST_EXACT = 50_000
"""Up to this number of objects, scikit-learn's exact neighbour search is faster than umap-learn's: than its
pairwise distances below 4,096 objects, and than its approximate search above, which must be compiled."""

N_EPOCHS = 400
"""The epochs of a UMAP layout of up to 10,000 objects, a fifth fewer than umap-learn's: from principal
components and with exact neighbours, it keeps neighbourhoods as well."""

_FEWEST = 3
_FULL_LENGTH = 10_000  # With more objects, umap-learn's layout takes 200 epochs in place of 500.
_EXTENT, _NOISE = 10.0, 1e-4  # of the start of a UMAP layout, as umap-learn has them


def reduce(
    table: pd.DataFrame,
    method: str = "umap",
    *,
    n_components: int = 2,
    columns: Iterable[str] | str = "auto",
    scale: bool | str = True,
    like: pd.DataFrame | None = None,
    random_state: int | None = 0,
    progress: bool = True,
    **options: Any,
) -> pd.DataFrame:
    """Embed the objects in a few dimensions, such that objects with similar measurements are close.

    Parameters
    ----------
    table : DataFrame
        One row for each object, with a column `label`; with a column `image` as well, labels are unique
        within an image.
    method : {"umap", "tsne", "pca", "isomap", "mds"}
        UMAP (15 neighbours, minimum distance 0.1, starting from principal components, 400 epochs, 200 with
        more than 10,000 objects; with more than 200,000 it fits on a subsample and transforms the rest),
        t-SNE (perplexity 30), principal component analysis, Isomap (5 neighbours) or multidimensional
        scaling.
    n_components : int
        The number of dimensions of the embedding.
    columns : list of str or "auto"
        The columns to use. "auto" selects the measurements: all numeric columns except identifiers of
        objects, images, time points and samples (label, image, frame, …), positions and orientations
        (centroid, bounding box, …), embeddings, clusters, classes and probabilities. Column names of other
        tools are recognized. Of redundant columns (proportional, or a power of one another, as area and
        equivalent diameter), only one is used.
    scale : bool, "robust" or str
        True standardizes each column to mean 0 and standard deviation 1, "robust" to median 0 and the
        interquartile range of a normal distribution. The name of a column, such as "image" or "plate",
        standardizes within each image, which removes differences in staining and illumination, but also any
        other difference between images. Constant columns are excluded. False does not scale.
    like : DataFrame, optional
        An earlier table that was reduced with the same method, columns and `scale`, such as that of a run:
        the objects are placed in its map. Principal components are computed with its mean, deviation and
        axes; with the other methods, an object is placed at the mean position of the 15 objects of `like`
        with the most similar measurements, weighted by the inverse of their distance. With
        ``scale="image"`` the new images are standardized by themselves.
    random_state : int or None
        The seed. With a seed, the result is reproducible and does not depend on the order of the rows; it
        is computed on one core. None uses a random seed and all cores.
    progress : bool
        Print a line with the columns that are used, and those that are excluded and why.
    **options
        Further options of the estimator: `umap.UMAP`, or `TSNE`, `PCA`, `Isomap` or `MDS` of
        scikit-learn.

    Returns
    -------
    DataFrame
        A new table, with the columns ``UMAP_0``, ``UMAP_1``, … (``t-SNE_0``, ``PC_0``, ``Isomap_0``,
        ``MDS_0``) at its end, replacing earlier ones of the same method. Objects with missing measurements
        (NaN or infinite) get NaN, with a warning; columns without any value are excluded. For a table
        without objects, the columns are added with a warning.

    Raises
    ------
    ValueError
        For an unknown method, column or option, fewer objects than neighbours, more objects than fit into
        memory (5,000 for MDS, 10,000 for Isomap), or objects that are all equal.

    Warns
    -----
    UserWarning
        If the number of neighbours (or the perplexity) is reduced because there are few objects, if objects
        have missing values, or if a measurement is ten times as large or small as in `like`.

    References
    ----------
    .. [1] L. McInnes, J. Healy, J. Melville, "UMAP: Uniform Manifold Approximation and Projection for
       Dimension Reduction", arXiv:1802.03426, 2018.
    .. [2] L. van der Maaten, G. Hinton, "Visualizing Data using t-SNE", Journal of Machine Learning
       Research 9, 2579-2605, 2008.
    .. [3] J. B. Tenenbaum, V. de Silva, J. C. Langford, "A Global Geometric Framework for Nonlinear
       Dimensionality Reduction", Science 290, 2319-2323, 2000.

    Examples
    --------
    >>> import pandas as pd
    >>> table = pd.DataFrame({"label": [1, 2, 5], "area": [10.0, 12.0, 50.0], "solidity": [0.9, 1.0, 0.7]})
    >>> reduce(table, "pca", n_components=1).round(2)
       label  area  solidity  PC_0
    0      1  10.0       0.9 -0.73
    1      2  12.0       1.0 -1.22
    2      5  50.0       0.7  1.94
    """
    chosen = METHODS[check_option("method", method, METHODS)]
    n_components = check_number("n_components", n_components, low=1, integer=True)
    random_state = check_random_state(random_state)
    if like is not None:
        if options:
            raise invalid(
                "like", "no further options", ", ".join(options), "The map of like is made already."
            )
        matrix, embedding = place_like(
            table, like, chosen.column, columns=columns, scale=scale, linear=method == "pca"
        )
        return _with_places(table, matrix.rows, embedding, chosen)
    matrix = prepare(table, columns=columns, scale=scale)
    report_matrix("reduce", matrix, progress=progress)
    if method == "umap":
        import_umap()
        n_epochs = N_EPOCHS if len(matrix.values) <= _FULL_LENGTH else None
        options = {"n_jobs": -1 if random_state is None else 1, "n_epochs": n_epochs, **options}
    if len(table):
        options = {**_options_for_few(method, len(matrix.values), n_components, options), **options}
    estimator = set_up(method, chosen, options, n_components=n_components, random_state=random_state)
    embedding = np.empty((0, n_components))
    if len(table):
        _check_components(method, n_components, *np.shape(matrix.values))
        n_learnt = min(len(matrix.values), estimators.MANY) if method == "umap" else len(matrix.values)
        check_size(method, chosen, estimator, n_learnt, size="n_components", quick="pca")
        with repeatable(chosen, random_state):
            embedding = _embed(method, estimator, matrix.values, random_state)
    return _with_places(table, matrix.rows, embedding, chosen)


def _with_places(
    table: pd.DataFrame, rows: np.ndarray, embedding: np.ndarray, chosen: Method
) -> pd.DataFrame:
    places = embedding.astype(float).T
    results = {f"{chosen.column}_{axis}": along for axis, along in enumerate(places)}
    return with_results(table, rows, results, replace=rf"{chosen.column}_\d+")


def _options_for_few(
    method: str, n_objects: int, n_components: int, given: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the options for fewer objects than the default number of neighbours of a method."""
    options: dict[str, Any] = {}
    own = {"umap": ("n_neighbors", 15), "isomap": ("n_neighbors", 5), "tsne": ("perplexity", 30)}
    name, default = own.get(method, ("", 0))
    if name and name not in given and n_objects < _FEWEST:
        expected = f"at least {_FEWEST} objects without missing values for method {method!r}"
        raise invalid("table", expected, str(n_objects))
    if name and name not in given and n_objects <= default:
        options[name] = max(1, (n_objects - 1) / 3) if name == "perplexity" else n_objects - 1
        text = f"for {n_objects} objects, {name}={options[name]:.3g} instead of {default}"
        warn(f"Method {method!r} is used with fewer neighbours: {text}.", stacklevel=3)
    if method == "umap" and n_objects < n_components + 2:
        options |= (
            {} if "init" in given else {"init": "random"}
        )  # "spectral" needs more objects than components
    return options


def _embed(method: str, estimator: Any, values: np.ndarray, random_state: int | None) -> np.ndarray:
    """Fit on all objects, or fit UMAP on a subsample of very many and transform the rest."""
    if method != "umap":
        return estimator.fit_transform(values)
    if len(values) <= estimators.MANY:
        _find_neighbours(estimator, values)
        _fix_start(estimator, values, random_state)
        return estimator.fit_transform(values)
    learnt = estimators.learners(len(values), random_state)
    others = np.setdiff1d(np.arange(len(values)), learnt)
    embedding = np.empty((len(values), estimator.n_components))
    _fix_start(estimator, values[learnt], random_state)
    embedding[learnt] = estimator.fit_transform(values[learnt])
    embedding[others] = estimator.transform(values[others])
    return embedding


def _fix_start(estimator: Any, values: np.ndarray, random_state: int | None) -> None:
    """Let UMAP start from principal components, rounded such that they are the same on any processor.

    The curve of the distances in the layout is rounded too. The optimization amplifies any difference.
    """
    from sklearn.decomposition import PCA
    from umap.umap_ import find_ab_params

    options = estimator.get_params(deep=False)
    if options["a"] is None or options["b"] is None:
        curve = find_ab_params(options["spread"], options["min_dist"])
        estimator.set_params(**{name: float(f"{x:.6g}") for name, x in zip("ab", curve, strict=True)})
    if isinstance(options["init"], str) and options["init"] == "pca":
        n_components = options["n_components"]
        linear = PCA(min(n_components, *values.shape), svd_solver="full").fit_transform(values)
        start = np.zeros((len(values), n_components))
        start[:, : linear.shape[1]] = np.round(linear * (_EXTENT / (np.abs(linear).max() or 1)), 4)
        noise = np.random.default_rng(random_state).normal(scale=_NOISE, size=start.shape)
        estimator.set_params(init=start + noise)


def _check_components(method: str, n_components: int, n_objects: int, n_columns: int) -> None:
    """Raise if the number of components exceeds the limit of a method."""
    limits = {
        "pca": (min(n_objects, n_columns), "the number of measurements or of objects"),
        "tsne": (min(3, n_columns), "three, and not more than there are measurements"),
    }
    most, reason = limits.get(method, (n_components, ""))
    if n_components > most:
        raise invalid("n_components", f"at most {most} ({reason}) for method {method!r}", n_components)


def _find_neighbours(estimator: Any, values: np.ndarray) -> None:
    """Pass the exact nearest neighbours to UMAP if that is faster than its own search."""
    options = estimator.get_params(deep=False)
    if (
        len(values) > MOST_EXACT
        or options["metric"] != "euclidean"
        or options["precomputed_knn"][0] is not None
    ):
        return
    from sklearn.neighbors import NearestNeighbors

    search = NearestNeighbors(n_neighbors=options["n_neighbors"]).fit(values)
    neighbours = search.kneighbors(values, return_distance=False)
    # The distances of the search are products of matrices, whose rounding depends on the processor.
    squares = [((values - values[column]) ** 2).sum(axis=1) for column in neighbours.T]
    distances = np.sqrt(np.stack(squares, axis=1))
    order = np.lexsort((neighbours, distances))
    distances, neighbours = (np.take_along_axis(each, order, axis=1) for each in (distances, neighbours))
    # Below 4,096 objects, umap-learn uses precomputed neighbours only with force_approximation_algorithm.
    estimator.set_params(precomputed_knn=(neighbours, distances), force_approximation_algorithm=True)
