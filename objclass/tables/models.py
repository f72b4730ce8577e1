"""Models fitted by scikit-learn, as plain arrays that predict and are stored as JSON."""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from objclass._common.checks import invalid

_LINKS = ("mean", "votes", "logistic", "softmax")
METHODS = ("forest", "linear", "boosting")
_ROWS = 20_000  # per task of a thread
_TREES = 100


class Model(Protocol):
    """A model that predicts the probability of each class."""

    def probabilities(self, values: np.ndarray) -> np.ndarray:
        """Return (n, n_classes) probabilities for (n, n_columns) values."""

    def to_dict(self) -> dict[str, Any]:
        """Return the model as a JSON-serializable dictionary, for `load_model`."""


@dataclass(frozen=True, eq=False)
class Trees:
    """The trees of a forest or of gradient boosting, with the nodes of all trees concatenated.

    Attributes
    ----------
    link : {"mean", "votes", "logistic", "softmax"}
        How the sums of the leaves are converted to probabilities; "votes" are summed in float32, as by APOC.
    roots : (n_trees,) int array
    feature : (n_nodes,) int array
        -1 for a leaf.
    threshold : (n_nodes,) float array
    children : (n_nodes, 2) int array
    leaves : (n_nodes, n_sums) float array
    start : (n_sums,) float array
        The initial values of the sums.
    """

    link: str
    roots: np.ndarray
    feature: np.ndarray
    threshold: np.ndarray
    children: np.ndarray
    leaves: np.ndarray
    start: np.ndarray

    def probabilities(self, values: np.ndarray) -> np.ndarray:
        """Return (n, n_classes) probabilities, those of scikit-learn; of "votes", the shares of APOC's."""
        from scipy.special import expit, softmax

        from objclass._common.parallel import map_tiles
        from objclass.tables.kernels.trees import sum_leaves

        # scikit-learn's forests and APOC round the values to float32, its boosting does not.
        if self.link in ("mean", "votes"):
            values = values.astype(np.float32)
        values = np.ascontiguousarray(values, dtype=np.float64)
        totals = np.tile(self.start, (len(values), 1))
        if self.link == "votes":
            totals = totals.astype(np.float32)
        arrays = (self.roots, self.feature, self.threshold, self.children, self.leaves)
        parts = [slice(first, first + _ROWS) for first in range(0, len(values), _ROWS)]
        map_tiles(lambda part: sum_leaves(values[part], *arrays, totals[part]), parts)
        if self.link == "mean":
            return totals / len(self.roots)
        if self.link == "votes":
            sums = totals.astype(np.float64)
            return np.asarray(sums / sums.sum(axis=1, keepdims=True))
        if self.link == "softmax":
            return softmax(totals, axis=1)
        positive = expit(totals[:, 0])
        return np.column_stack([1 - positive, positive])

    def to_dict(self) -> dict[str, Any]:
        """Return lists of numbers."""
        arrays = {name: getattr(self, name).tolist() for name in _TREE_ARRAYS}
        return {"kind": "trees", "link": self.link, **arrays}


_TREE_ARRAYS: dict[str, type] = {
    "roots": np.int64,
    "feature": np.int64,
    "threshold": np.float64,
    "children": np.int64,
    "leaves": np.float64,
    "start": np.float64,
}


@dataclass(frozen=True, eq=False)
class Linear:
    """Logistic regression on standardized columns."""

    mean: np.ndarray
    scale: np.ndarray
    coefficients: np.ndarray
    intercepts: np.ndarray

    def probabilities(self, values: np.ndarray) -> np.ndarray:
        """Return (n, n_classes) probabilities, those of scikit-learn."""
        from scipy.special import expit, softmax

        standard = (values - self.mean) / self.scale
        # Sums along rows, since a matrix product depends on the number of rows in the last digits.
        sums = [(standard * row).sum(axis=1) for row in self.coefficients]
        scores = np.column_stack(sums) + self.intercepts
        if scores.shape[1] > 1:
            return softmax(scores, axis=1)
        positive = expit(scores[:, 0])
        return np.column_stack([1 - positive, positive])

    def to_dict(self) -> dict[str, Any]:
        """Return lists of numbers."""
        return {"kind": "linear", **{name: getattr(self, name).tolist() for name in _LINEAR_ARRAYS}}


_LINEAR_ARRAYS = ("mean", "scale", "coefficients", "intercepts")


def fit_model(
    values: np.ndarray, classes: np.ndarray, *, method: str, class_weight: Any, random_state: int
) -> Model:
    """Fit a model to (n, n_columns) values with the classes 0, 1, …, each of which occurs."""
    if method == "forest":
        return _fit_forest(values, classes, class_weight, random_state)
    if method == "linear":
        return _fit_linear(values, classes, class_weight)
    return _fit_boosting(values, classes, class_weight, random_state)


def _fit_forest(values: np.ndarray, classes: np.ndarray, class_weight: Any, random_state: int) -> Trees:
    import sklearn
    from sklearn.tree import ExtraTreeClassifier
    from sklearn.utils.class_weight import compute_sample_weight

    # Extremely randomized trees are more accurate than a random forest on few examples. These are those of
    # sklearn.ensemble.ExtraTreesClassifier, which takes longer to copy and check each than to fit it.
    with np.errstate(over="ignore"):
        values = np.asarray(values, dtype=np.float32, order="C")
    if not np.isfinite(values).all():
        raise invalid("table", "measurements that float32 can hold", "larger ones")
    weights = compute_sample_weight(class_weight, classes)
    random = np.random.RandomState(random_state)
    trees = []
    with sklearn.config_context(assume_finite=True, skip_parameter_validation=True):
        for _ in range(_TREES):
            tree = ExtraTreeClassifier(random_state=random.randint(np.iinfo(np.int32).max))
            trees.append(tree.fit(values, classes, sample_weight=weights, check_input=False).tree_)
    sizes = np.array([tree.node_count for tree in trees])
    roots = np.concatenate([[0], sizes.cumsum()[:-1]])
    leaves = np.concatenate([tree.value[:, 0] for tree in trees])
    offsets = np.repeat(roots, sizes)[:, np.newaxis]
    children = np.concatenate([np.column_stack([t.children_left, t.children_right]) for t in trees])
    return Trees(
        link="mean",
        roots=roots,
        feature=np.where(children[:, 0] < 0, -1, np.concatenate([t.feature for t in trees])),
        threshold=np.concatenate([t.threshold for t in trees]),
        children=np.where(children < 0, -1, children + offsets),
        leaves=leaves / leaves.sum(axis=1, keepdims=True),
        start=np.zeros(leaves.shape[1]),
    )


def _fit_linear(values: np.ndarray, classes: np.ndarray, class_weight: Any) -> Linear:
    from sklearn.linear_model import LogisticRegression
    from sklearn.preprocessing import StandardScaler

    scaler = StandardScaler().fit(values)
    regression = LogisticRegression(class_weight=class_weight, max_iter=1000)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="lbfgs failed to converge")
        regression.fit(scaler.transform(values), classes)
    return Linear(scaler.mean_, scaler.scale_, regression.coef_, regression.intercept_)


def _fit_boosting(values: np.ndarray, classes: np.ndarray, class_weight: Any, random_state: int) -> Trees:
    from sklearn.ensemble import HistGradientBoostingClassifier
    from threadpoolctl import threadpool_limits

    boosting = HistGradientBoostingClassifier(
        class_weight=class_weight,
        random_state=random_state,
        early_stopping=False,
        # The default of 20 samples per leaf would prevent any split on a few dozen examples.
        min_samples_leaf=int(np.clip(len(values) // 20, 1, 20)),
    )
    # On few rows, thread synchronization takes longer than the computation.
    with threadpool_limits(1) if len(values) < _ROWS else contextlib.nullcontext():
        boosting.fit(values, classes)
    n_sums = len(boosting._predictors[0])
    nodes = [(place, tree.nodes) for trees in boosting._predictors for place, tree in enumerate(trees)]
    sizes = np.array([len(tree) for _, tree in nodes])
    roots = np.concatenate([[0], sizes.cumsum()[:-1]])
    joined = np.concatenate([tree for _, tree in nodes])
    is_leaf = joined["is_leaf"].astype(bool)
    children = np.column_stack([joined["left"], joined["right"]]).astype(np.int64)
    leaves = np.zeros((len(joined), n_sums))
    leaves[np.arange(len(joined)), np.repeat([place for place, _ in nodes], sizes)] = joined["value"]
    return Trees(
        link="logistic" if n_sums == 1 else "softmax",
        roots=roots,
        feature=np.where(is_leaf, -1, joined["feature_idx"]).astype(np.int64),
        threshold=joined["num_threshold"].astype(np.float64),
        children=np.where(is_leaf[:, np.newaxis], -1, children + np.repeat(roots, sizes)[:, np.newaxis]),
        leaves=np.where(is_leaf[:, np.newaxis], leaves, 0.0),
        start=np.ravel(boosting._baseline_prediction).astype(np.float64),
    )


def load_model(content: Mapping[str, Any], *, n_columns: int, n_classes: int) -> Model:
    """Return the model from the dictionary that its `to_dict` returned.

    Raises
    ------
    ValueError
        If the content is incomplete or inconsistent.
    """
    n_sums = 1 if n_classes == 2 else n_classes
    if content.get("kind") == "linear":
        shapes: dict[str, tuple[int, ...]] = {"mean": (n_columns,), "scale": (n_columns,)}
        shapes |= {"coefficients": (n_sums, n_columns), "intercepts": (n_sums,)}
        linear = {name: _array(content, name, np.float64, shapes[name]) for name in _LINEAR_ARRAYS}
        return Linear(**linear)
    if content.get("kind") != "trees" or content.get("link") not in _LINKS:
        raise ValueError("the type of the model is unknown")
    if content["link"] in ("mean", "votes"):
        n_sums = n_classes
    elif (content["link"] == "logistic") != (n_sums == 1):
        raise ValueError("the model does not fit the number of classes")
    n_nodes = len(content.get("feature", ()))
    shapes = {"roots": (len(content.get("roots", ())),), "feature": (n_nodes,), "threshold": (n_nodes,)}
    shapes |= {"children": (n_nodes, 2), "leaves": (n_nodes, n_sums), "start": (n_sums,)}
    arrays = {name: _array(content, name, dtype, shapes[name]) for name, dtype in _TREE_ARRAYS.items()}
    feature, children = arrays["feature"], arrays["children"]
    inner = feature >= 0
    # Children must come after their parent, which guarantees that a traversal ends.
    if (
        not (len(arrays["roots"]) and n_nodes)
        or not ((arrays["roots"] >= 0) & (arrays["roots"] < n_nodes)).all()
        or not ((feature >= -1) & (feature < n_columns)).all()
        or not (children[inner] > np.flatnonzero(inner)[:, np.newaxis]).all()
        or not (children[inner] < n_nodes).all()
    ):
        raise ValueError("the nodes of the trees are inconsistent")
    return Trees(link=content["link"], **arrays)


def _array(content: Mapping[str, Any], name: str, dtype: type, shape: tuple[int, ...]) -> np.ndarray:
    try:
        given = np.array(content[name])
    except (KeyError, ValueError):
        raise ValueError(f"{name!r} is missing or not a numeric array") from None
    kinds = "iu" if dtype is np.int64 else "iuf"
    if given.shape != shape or given.dtype.kind not in kinds or not np.isfinite(given).all():
        raise ValueError(f"{name!r} is not an array of finite numbers of shape {shape}")
    return given.astype(dtype)
