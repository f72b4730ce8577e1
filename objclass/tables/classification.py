"""Classification of objects from examples: training, prediction, validation, active learning."""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from objclass._common.checks import check_number, check_option, describe, first_few, invalid
from objclass._common.notices import collect, warn
from objclass.tables.columns import (
    Matrix,
    check_column,
    check_measured_alike,
    check_spelling,
    check_table,
    column_units,
    key_columns,
    key_rows,
    prepare,
    warn_of_magnitude,
    with_results,
)
from objclass.tables.models import METHODS, fit_model
from objclass.tables.selection import GROUP_COLUMN
from objclass.tables.table_classifier import TableClassifier, folds

if TYPE_CHECKING:
    import pandas as pd

CLASS_COLUMN = "CLASS"
_RESULTS = rf"{CLASS_COLUMN}(_PROBABILITY)?|PROBABILITY_.*"
_FEW = 10  # with fewer examples of a class, its scores are unreliable
_CANDIDATES = 5000
_MOST_CLUSTERS = 100
_EARLY = 5  # below this mean number of examples of a class, typical objects tell more than uncertain ones


def is_result(column: str) -> bool:
    """Tell whether a column is one that `classify` adds."""
    return re.fullmatch(_RESULTS, column) is not None


Classes = str | Mapping[Any, Any]


def train_table_classifier(
    table: pd.DataFrame,
    classes: Classes | pd.Series,
    *,
    columns: Iterable[str] | str = "auto",
    method: str = "forest",
    class_weight: str | None = "balanced",
    random_state: int = 0,
    colors: Mapping[Any, str] | None = None,
) -> TableClassifier:
    """Train a classifier of objects from examples.

    Parameters
    ----------
    table : DataFrame
        One row for each object, with a column `label`. With columns `image` and `frame`, labels are unique
        within those.
    classes : str, dict or Series
        The examples: a column of the table, in which missing values (and 0 in ``MANUAL_CLUSTER_ID``) are not
        examples; or a mapping of labels to classes, ``{3: "mitotic", 8: "other"}``. If the table has several
        images, a key is (image, label) or (image, frame, label). Classes are strings or integers.
    columns : list of str or "auto"
        The columns to train on. "auto" selects the measurements, as in `reduce`.
    method : {"forest", "linear", "boosting"}
        Extremely randomized trees, logistic regression on standardized columns, or gradient boosting. The
        forest needs the fewest examples on most tables; "linear" does if the classes are linearly separable;
        "boosting" is best with thousands of examples.
    class_weight : "balanced" or None
        "balanced" gives each class the same weight, None each example.
    random_state : int
        The seed.
    colors : dict, optional
        The colour ``#rrggbb`` of each class, for plots.

    Returns
    -------
    TableClassifier
        The classifier, for `classify` and `suggest_objects`.

    Raises
    ------
    ValueError
        If there are fewer than two classes, an example is not in the table, a class has two spellings, or a
        column does not exist.

    Warns
    -----
    UserWarning
        If a class has a single example, or examples with missing values are ignored.

    References
    ----------
    .. [1] P. Geurts, D. Ernst, L. Wehenkel, "Extremely randomized trees", Machine Learning 63, 3-42, 2006.

    Examples
    --------
    >>> import pandas as pd
    >>> table = pd.DataFrame({"label": range(1, 7), "area": [3.0, 4, 5, 30, 40, 50]})
    >>> classifier = train_table_classifier(table, {1: "small", 2: "small", 5: "large", 6: "large"})
    >>> classify(table, classifier)["CLASS"].tolist()
    ['small', 'small', 'small', 'large', 'large', 'large']
    """
    names, codes = example_classes(table, classes)
    matrix = prepare(table, columns=columns, scale=False, among=codes >= 0, correlations=False)
    return _train(
        table,
        matrix,
        names,
        codes[matrix.rows],
        method=method,
        class_weight=class_weight,
        random_state=random_state,
        colors=colors,
    )


def _train(
    table: pd.DataFrame,
    matrix: Matrix,
    names: list[Any],
    codes: np.ndarray,
    *,
    method: str = "forest",
    class_weight: str | None = "balanced",
    random_state: int = 0,
    colors: Mapping[Any, str] | None = None,
) -> TableClassifier:
    """Train on examples: their measurements, and the index of the class of each."""
    check_option("method", method, METHODS)
    if class_weight is not None:
        check_option("class_weight", class_weight, ("balanced",))
    random_state = check_number("random_state", random_state, low=0, high=2**32 - 1, integer=True)
    columns, values = matrix.columns, matrix.values  # noqa: PD011
    counts = np.bincount(codes, minlength=len(names))
    if not counts.all():
        got = f"none of class {names[int(counts.argmin())]!r} has a value in every column"
        raise invalid(
            "classes", "examples without missing values", got, "Exclude columns with columns=[...]."
        )
    for name in np.array(names)[counts == 1]:
        warn(f"Class {str(name)!r} has a single example: add more.", stacklevel=3)
    spacing = table.attrs.get("spacing")
    return TableClassifier(
        columns=tuple(map(str, columns)),
        classes=tuple(names),
        method=method,
        model=fit_model(values, codes, method=method, class_weight=class_weight, random_state=random_state),
        examples=values,
        example_classes=codes,
        units=column_units(table, columns),
        spacing=None if spacing is None else tuple(map(float, spacing)),
        colors=_check_colors(colors, names),
        class_weight=class_weight,
        random_state=random_state,
    )


def classify(table: pd.DataFrame, classifier: TableClassifier) -> pd.DataFrame:
    """Predict the class of each object.

    Parameters
    ----------
    table : DataFrame
        One row for each object, with the columns that the classifier was trained on, in the same units.
    classifier : TableClassifier
        From `train_table_classifier` or `load_classifier`.

    Returns
    -------
    DataFrame
        A new table with the columns ``CLASS``, ``CLASS_PROBABILITY`` (of the predicted class) and
        ``PROBABILITY_<class>`` for each class at its end, replacing earlier ones. Integer classes become
        ``Int64``, strings a categorical column in the order of the classifier. Objects with missing
        measurements get missing values, with a warning. The colours of the classes are in
        ``table.attrs["class_colors"]``.

    Raises
    ------
    ValueError
        If a column does not exist or has another unit, or if the voxel size of a table in pixels differs.

    Warns
    -----
    UserWarning
        If objects have missing measurements, or a measurement is ten times as large or small as in training.

    Examples
    --------
    >>> import pandas as pd
    >>> table = pd.DataFrame({"label": range(1, 7), "area": [3.0, 4, 5, 30, 40, 50]})
    >>> classifier = train_table_classifier(table, {1: 7, 2: 7, 5: 9, 6: 9})
    >>> list(classify(table, classifier))
    ['label', 'area', 'CLASS', 'CLASS_PROBABILITY', 'PROBABILITY_7', 'PROBABILITY_9']
    """
    values, rows = _measured(table, classifier)
    return _predict_classes(table, classifier, values, rows)


def _predict_classes(
    table: pd.DataFrame, classifier: TableClassifier, values: np.ndarray, rows: np.ndarray
) -> pd.DataFrame:
    """Return `table` with the classes of the objects in `rows`, which have these values."""
    import pandas as pd

    probabilities = classifier.model.probabilities(values)
    codes = probabilities.argmax(axis=1)
    results = {CLASS_COLUMN: codes, "CLASS_PROBABILITY": probabilities.max(axis=1, initial=0)}
    for place, name in enumerate(classifier.classes):
        results[f"PROBABILITY_{name}"] = probabilities[:, place]
    result = with_results(table, rows, results, replace=_RESULTS)
    if isinstance(classifier.classes[0], str):
        places = result[CLASS_COLUMN].fillna(-1).to_numpy(dtype=np.int64)
        names = pd.Index(classifier.classes, dtype=object)
        result[CLASS_COLUMN] = pd.Categorical.from_codes(places, categories=names)
    else:
        result[CLASS_COLUMN] = result[CLASS_COLUMN].map(dict(enumerate(classifier.classes))).astype("Int64")
    if classifier.colors:
        result.attrs["class_colors"] = {str(name): color for name, color in classifier.colors.items()}
    return result


class TableLearner:
    """`train_table_classifier` and `classify` with ever more examples of one table, which is prepared once.

    Parameters
    ----------
    table : DataFrame
        One row for each object; it must not be modified.

    Examples
    --------
    >>> import pandas as pd
    >>> table = pd.DataFrame({"label": range(1, 7), "area": [3.0, 4, 5, 30, 40, 50]})
    >>> learner = TableLearner(table)
    >>> classifier = learner.train({1: "small", 2: "small", 5: "large", 6: "large"})
    >>> learner.classify(classifier)["CLASS"].tolist()
    ['small', 'small', 'small', 'large', 'large', 'large']
    """

    def __init__(self, table: pd.DataFrame) -> None:
        self.table = table
        self._matrix = matrix = prepare(table, scale=False, correlations=False)
        self._trainable = np.ones(len(matrix.rows), dtype=bool)
        # Objects may lack nothing but a redundant column: these get a class, but are no examples.
        if len(matrix.rows) < len(table):
            self._matrix = prepare(table, columns=matrix.columns, scale=False, correlations=False)
            self._trainable = np.isin(self._matrix.rows, matrix.rows)

    def train(self, classes: Classes, *, colors: Mapping[Any, str] | None = None) -> TableClassifier:
        """Return the classifier that `train_table_classifier` returns."""
        names, codes = example_classes(self.table, classes)
        codes = codes[self._matrix.rows]
        chosen = self._trainable & (codes >= 0)
        examples = replace(self._matrix, values=self._matrix.values[chosen])  # noqa: PD011
        return _train(self.table, examples, names, codes[chosen], colors=colors)

    def classify(self, classifier: TableClassifier) -> pd.DataFrame:
        """Return the columns that `classify` adds, with a classifier of `train`."""
        keys = self.table[["label"]]
        return _predict_classes(keys, classifier, self._matrix.values, self._matrix.rows).drop(
            columns="label"
        )


def suggest_objects(table: pd.DataFrame, classifier: TableClassifier, n: int = 10) -> pd.DataFrame:
    """Suggest objects to annotate next: the most uncertain ones, chosen to be diverse.

    Parameters
    ----------
    table : DataFrame
        One row for each object.
    classifier : TableClassifier
        From `train_table_classifier`. Its examples are not suggested.
    n : int
        The number of objects.

    Returns
    -------
    DataFrame
        ``image`` and ``frame`` if the table has them, ``label``, the predicted ``CLASS`` and its
        ``uncertainty`` (1 if the two most likely classes are equally likely, 0 if one is certain), sorted by
        priority.

    Raises
    ------
    ValueError
        As `classify`.

    Notes
    -----
    Objects and examples are clustered by k-means; the number of clusters is the number of examples (at most
    100) plus the number of suggestions. The clusters with the largest sums of squared uncertainties
    contribute one object each, preferably from images without a suggestion. With fewer than five examples
    per class, a cluster with an example is weighted by 0.3, and the object nearest to its centre is chosen,
    since typical objects are more informative at first; later, the most uncertain one is chosen. If there
    are more than 5,000 objects, a random sample of 5,000 is used.

    References
    ----------
    .. [1] B. Settles, "Active Learning Literature Survey", University of Wisconsin-Madison, 2009.
    .. [2] G. Hacohen, A. Dekel, D. Weinshall, "Active Learning on a Budget: Opposite Strategies Suit High
       and Low Budgets", ICML 2022.

    Examples
    --------
    >>> import pandas as pd
    >>> table = pd.DataFrame({"label": range(1, 10), "area": [3.0, 3, 4, 18, 17, 16, 30, 30, 31]})
    >>> classifier = train_table_classifier(table, {1: "small", 2: "small", 7: "large", 8: "large"})
    >>> suggest_objects(table, classifier, 1)["label"].tolist()
    [5]
    """
    n = check_number("n", n, low=1, integer=True)
    values, rows = _measured(table, classifier)
    known = {row.tobytes() for row in classifier.examples}
    new = np.flatnonzero([row.tobytes() not in known for row in values])
    if len(new) > _CANDIDATES:
        chosen = np.random.default_rng(classifier.random_state).choice(new, _CANDIDATES, replace=False)
        new = np.sort(chosen)
    values, rows = values[new], rows[new]
    probabilities = classifier.model.probabilities(values)
    uncertainty = _uncertainty(probabilities)
    several = "image" in table and len(rows)
    images = table["image"].astype(str).to_numpy()[rows] if several else np.zeros(len(rows))
    places = _choose(classifier, values, uncertainty, images, min(n, len(rows)))
    result = table.iloc[rows[places]][key_columns(table)].reset_index(drop=True)
    result[CLASS_COLUMN] = [classifier.classes[code] for code in probabilities[places].argmax(axis=1)]
    return result.assign(uncertainty=uncertainty[places])


def _uncertainty(probabilities: np.ndarray) -> np.ndarray:
    two = np.partition(probabilities, -2, axis=1)[:, -2:]
    return 1 - (two[:, 1] - two[:, 0])


def _choose(
    classifier: TableClassifier, values: np.ndarray, uncertainty: np.ndarray, images: np.ndarray, n: int
) -> list[int]:
    """Return the positions of `n` objects; see the notes of `suggest_objects`."""
    from sklearn.cluster import KMeans
    from threadpoolctl import threadpool_limits

    if n == 0:
        return []
    everything = np.concatenate([values, classifier.examples])
    deviation = everything.std(axis=0)
    everything = (everything - everything.mean(axis=0)) / np.where(deviation > 0, deviation, np.inf)
    n_clusters = min(n + min(len(classifier.examples), _MOST_CLUSTERS), len(np.unique(everything, axis=0)))
    with threadpool_limits(1):  # sums over several threads differ in the last digits
        kmeans = KMeans(n_clusters, n_init=1, random_state=classifier.random_state).fit(everything)
    distance = np.linalg.norm(everything - kmeans.cluster_centers_[kmeans.labels_], axis=1)[: len(values)]
    cluster, of_examples = np.split(kmeans.labels_, [len(values)])
    names, image = np.unique(images, return_inverse=True)
    weight = np.zeros((n_clusters, len(names)))
    np.add.at(weight, (cluster, image), uncertainty**2)
    early = len(classifier.examples) < _EARLY * len(classifier.classes)
    weight[np.unique(of_examples)] *= 0.3 if early else 1
    order = distance if early else -uncertainty
    places: list[int] = []
    taken = np.zeros(len(names))
    free = np.bincount(cluster, minlength=n_clusters) > 0
    while len(places) < n and free.any():
        # Exclude clusters that already contributed an object, and those without objects.
        open_to = np.where(free[:, np.newaxis], weight / (1 + taken), -1)
        number, of_image = np.unravel_index(open_to.argmax(), open_to.shape)
        members = np.flatnonzero(cluster == number)
        own = members[image[members] == of_image]
        members = own if len(own) else members
        places.append(int(members[order[members].argmin()]))
        taken[image[places[-1]]] += 1
        free[number] = False
    rest = np.setdiff1d(np.arange(len(values)), places)
    return places + rest[np.argsort(-uncertainty[rest], kind="stable")][: n - len(places)].tolist()


@dataclass(frozen=True, eq=False)
class TableValidation:
    """The result of `cross_validate`: how well classes of held-out objects are predicted.

    Attributes
    ----------
    confusion : DataFrame
        The confusion matrix: true classes (rows) and predicted classes (columns).
    scores : DataFrame
        ``precision``, ``recall``, ``f1`` and ``n_examples`` of each class.
    balanced_accuracy : float
        The mean of the recalls of the classes.
    spread : float
        The standard deviation of the balanced accuracy between images, or between repeats if there is one
        image.
    predictions : DataFrame
        The key of each example, its ``CLASS``, and the ``predicted`` class.
    notes : tuple of str
        Limitations of the scores.

    Examples
    --------
    >>> import pandas as pd, objclass
    >>> table = pd.DataFrame({"label": range(1, 41), "area": range(1, 41)})
    >>> table["kind"] = ["small"] * 20 + ["large"] * 20
    >>> objclass.cross_validate(table, "kind").confusion.loc["small"].tolist()
    [1, 19]
    """

    confusion: pd.DataFrame
    scores: pd.DataFrame
    balanced_accuracy: float
    spread: float
    predictions: pd.DataFrame
    notes: tuple[str, ...] = ()

    def __str__(self) -> str:
        lines = [f"balanced accuracy {self.balanced_accuracy:.3f} ± {self.spread:.3f}", *self.notes]
        return "\n".join([*lines, str(self.scores.round(3)), str(self.confusion)])


def cross_validate(
    table: pd.DataFrame,
    classes: Classes | pd.Series,
    *,
    groups: str | None = "image",
    columns: Iterable[str] | str = "auto",
    method: str = "forest",
    class_weight: str | None = "balanced",
    random_state: int = 0,
) -> TableValidation:
    """Cross-validate a classifier of objects: predict each example from a model trained without it.

    Parameters
    ----------
    table, classes, columns, method, class_weight, random_state
        As in `train_table_classifier`.
    groups : str or None
        A column of the table, for leave-one-group-out cross-validation: the examples of each image are
        predicted by a model trained on the other images, which estimates the performance on a new image. If
        the column does not exist or is constant, or with None, 5-fold cross-validation is repeated 5 times.

    Returns
    -------
    TableValidation
        The scores of each class, the confusion matrix, and notes on their limitations.

    Raises
    ------
    ValueError
        As `train_table_classifier`, or if a class has a single example.

    Examples
    --------
    >>> import pandas as pd
    >>> table = pd.DataFrame({"label": range(1, 41), "area": range(1, 41)})
    >>> table["kind"] = ["small"] * 20 + ["large"] * 20
    >>> cross_validate(table, "kind").balanced_accuracy
    0.975
    """
    import pandas as pd

    names, codes = example_classes(table, classes)
    matrix = prepare(table, columns=columns, scale=False, among=codes >= 0, correlations=False)
    rows, truth = matrix.rows, codes[matrix.rows]
    with collect():  # of a single example, which is refused below
        trained = _train(
            table, matrix, names, truth, method=method, class_weight=class_weight, random_state=random_state
        )
    least = min(trained.counts, key=trained.counts.__getitem__)
    if trained.counts[least] < 2:
        raise invalid("classes", "at least two examples of each class", f"one of {least!r}")
    found, scores, notes = _predict_others(trained, _groups(table, groups, rows))
    confusion = np.zeros((len(names), len(names)), dtype=np.int64)
    np.add.at(confusion, (truth, found), 1)
    hits, true, given = confusion.diagonal(), confusion.sum(axis=1), confusion.sum(axis=0)
    few = [f"{name!r} ({count})" for name, count in trained.counts.items() if count < _FEW]
    if few:
        notes.append(f"Few examples of {', '.join(few)}: scores on fewer than {_FEW} are unreliable.")
    predictions = table.iloc[rows][key_columns(table)].reset_index(drop=True)
    predictions[CLASS_COLUMN] = [names[code] for code in truth]
    predictions["predicted"] = [names[code] for code in found]
    return TableValidation(
        confusion=pd.DataFrame(
            confusion, pd.Index(names, name=CLASS_COLUMN), pd.Index(names, name="predicted")
        ),
        scores=pd.DataFrame(
            {**scores_of(true, given, hits), "n_examples": true}, index=pd.Index(names, name=CLASS_COLUMN)
        ),
        balanced_accuracy=float((hits / true).mean()),
        spread=float(np.std(scores)),
        predictions=predictions,
        notes=tuple(notes),
    )


def scores_of(true: np.ndarray, given: np.ndarray, hits: np.ndarray) -> dict[str, np.ndarray]:
    """Return precision, recall and F1 by the numbers of true, predicted and correctly predicted ones."""
    with np.errstate(invalid="ignore"):
        return {"precision": hits / given, "recall": hits / true, "f1": 2 * hits / (true + given)}


def _predict_others(
    trained: TableClassifier, groups: np.ndarray | None
) -> tuple[np.ndarray, list[float], list[str]]:
    """Return the predicted class of each example, the balanced accuracies, and notes."""
    values, truth = trained.examples, trained.example_classes
    if groups is None:
        repeats = []
        for repeat in range(5):
            found = np.empty(len(truth), dtype=np.int64)
            for rest, out in folds(truth, random_state=trained.random_state + repeat):
                found[out] = _predict(trained, rest, values[out])
            repeats.append(found)
        return repeats[0], [_balanced(truth, found) for found in repeats], []
    found, scores = np.empty(len(truth), dtype=np.int64), []
    alone = []
    for group in np.unique(groups):
        out = groups == group
        if len(set(truth[~out])) < len(trained.classes):
            alone.append(str(group))
        found[out] = _predict(trained, np.flatnonzero(~out), values[out])
        scores.append(_balanced(truth[out], found[out]))
    notes = (
        [f"Only {', '.join(alone)} has examples of some class: it cannot be predicted there."]
        if alone
        else []
    )
    return found, scores, notes


def _predict(trained: TableClassifier, rest: np.ndarray, values: np.ndarray) -> np.ndarray:
    present, codes = np.unique(trained.example_classes[rest], return_inverse=True)
    if len(present) < 2:
        return np.full(len(values), present[0])
    model = trained.refit(trained.examples[rest], codes)
    return present[model.probabilities(values).argmax(axis=1)]


def _balanced(truth: np.ndarray, found: np.ndarray) -> float:
    return float(np.mean([(found[truth == code] == code).mean() for code in np.unique(truth)]))


def _groups(table: pd.DataFrame, groups: str | None, rows: np.ndarray) -> np.ndarray | None:
    if groups is None or (groups == "image" and groups not in table):
        return None
    check_column(table, "groups", groups)
    values = table[groups].astype(str).to_numpy()[rows]
    return values if len(set(values)) > 1 else None


def example_classes(table: pd.DataFrame, classes: Classes | pd.Series) -> tuple[list[Any], np.ndarray]:
    """Return the ordered classes, and the index of the class of each row; -1 if it is not an example.

    Raises
    ------
    ValueError
        If there are fewer than two, one has two spellings, or an example is not in the table.
    """
    import pandas as pd

    check_table(table)
    if isinstance(classes, str):
        if classes not in table.columns:
            raise invalid("classes", "a column of the table, a dict or a Series", repr(classes))
        given = table[classes]
        given = given.mask(given == 0) if classes == GROUP_COLUMN else given
    elif isinstance(classes, (Mapping, pd.Series)):
        given = _by_key(table, classes)
    else:
        expected = "a column of the table, or a dict or Series from label to class"
        raise invalid("classes", expected, describe(classes), kind=TypeError)
    known = given.notna().to_numpy() & (given.astype(str).str.strip() != "").to_numpy()
    names = _names(given[known])
    places = {name: place for place, name in enumerate(names)}
    codes = np.full(len(table), -1, dtype=np.int64)
    codes[known] = [places[_name(value, names)] for value in given[known]]
    return names, codes


def _by_key(table: pd.DataFrame, classes: Mapping[Any, Any] | pd.Series) -> pd.Series:
    """Return the classes as a Series aligned with the rows of the table."""
    import pandas as pd

    if isinstance(classes, pd.Series) and table.index.is_unique:
        rows = table.index.get_indexer(classes.index)
        if (rows >= 0).all() and not np.array_equal(table["label"].iloc[rows], classes.index):
            if classes.name in table and classes.equals(table[classes.name].iloc[rows]):
                return classes.reindex(table.index)  # part of a column
            if classes.index.equals(table.index):
                hint = "Name the column, or pass classes.set_axis(table['label'])."
                raise invalid(
                    "classes", "a Series from label to class", "one with the index of the table", hint
                )
    items = list(classes.items())
    keys = [key for key, _ in items]
    if len(set(keys)) < len(keys):
        twice = next(key for key in keys if keys.count(key) > 1)
        raise invalid("classes", "one class for each object", f"object {twice} more than once")
    place = key_rows(table, keys, argument="classes")
    absent = [key for key in keys if key not in place]
    if absent:
        raise invalid("classes", "objects of the table", f"{first_few(absent)}, which it does not have")
    values: list[Any] = [None] * len(table)
    for key, value in items:
        values[place[key]] = value
    return pd.Series(values, index=table.index, dtype=object)


def _names(given: pd.Series) -> list[Any]:
    """Return the classes that occur, in order."""
    import pandas as pd

    unique = list(given.unique())
    if isinstance(given.dtype, pd.CategoricalDtype):
        unique = [value for value in given.cat.categories if value in set(unique)]
    numbers = [_as_integer(value) for value in unique]
    if all(number is not None for number in numbers):
        return _check_names(sorted(set(numbers)))
    wrong = [value for value in unique if not isinstance(value, (str, bool, np.bool_, int, np.integer))]
    if wrong:
        raise invalid("classes", "classes that are strings or integers", describe(wrong[0]))
    texts = list(dict.fromkeys(str(value).strip() for value in unique))
    return _check_names(texts if isinstance(given.dtype, pd.CategoricalDtype) else sorted(texts))


def _name(value: Any, names: list[Any]) -> Hashable:
    return _as_integer(value) if isinstance(names[0], int) else str(value).strip()


def _as_integer(value: Any) -> int | None:
    if isinstance(value, (bool, np.bool_, str)):
        return None
    return int(value) if isinstance(value, (int, float, np.number)) and float(value).is_integer() else None


def _check_names(names: list[Any]) -> list[Any]:
    if len(names) < 2:
        got = f"examples of {names[0]!r} alone" if names else "no examples"
        raise invalid("classes", "examples of at least two classes", got)
    check_spelling("classes", "class", names)
    return names


def _check_colors(colors: Mapping[Any, str] | None, names: list[Any]) -> dict[Any, str]:
    given = dict(colors or {})
    for name, color in given.items():
        if name not in names:
            raise invalid("colors", f"classes ({', '.join(map(repr, names))})", repr(name))
        if not isinstance(color, str) or not re.fullmatch("#[0-9a-fA-F]{6}", color):
            raise invalid("colors", "colours such as '#e69f00'", describe(color))
    return given


def _measured(table: pd.DataFrame, classifier: TableClassifier) -> tuple[np.ndarray, np.ndarray]:
    """Return the measurements of the objects without missing values, and their rows."""
    if not isinstance(classifier, TableClassifier):
        hint = "Train one with objclass.train_table_classifier."
        raise invalid("classifier", "a TableClassifier", describe(classifier), hint, kind=TypeError)
    check_table(table)
    absent = [name for name in classifier.columns if name not in table.columns]
    if absent:
        hint = "Measure the same properties as in the training table."
        raise invalid(
            "table", "the columns that the classifier was trained on", f"no column {absent[0]!r}", hint
        )
    check_measured_alike(table, classifier.units, classifier.spacing, like="the classifier", stacklevel=4)
    matrix = prepare(table, columns=classifier.columns, scale=False, correlations=False)
    if len(matrix.columns) < len(classifier.columns):
        empty = ", ".join(matrix.excluded["empty"])
        raise invalid("table", "values in each column that the classifier was trained on", f"none in {empty}")
    known = classifier.examples
    warn_of_magnitude(classifier.columns, known, matrix.values, like="the classifier", stacklevel=4)
    return matrix.values, matrix.rows  # noqa: PD011
