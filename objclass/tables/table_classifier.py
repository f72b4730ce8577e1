"""A classifier of the rows of a table, and its file."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np

from objclass._common.checks import counted, invalid
from objclass._common.files import replacing
from objclass.tables.columns import STRONG
from objclass.tables.models import METHODS, Model, fit_model, load_model

if TYPE_CHECKING:
    import pandas as pd

FORMAT = "objclass table classifier"
VERSION = 1
_MOST_BYTES = 2**29
_REPEATS = 5


@dataclass(frozen=True, eq=False)
class TableClassifier:
    """A classifier of objects by their measurements.

    Made by `train_table_classifier` and `load_classifier`; use it with `classify` and `suggest_objects`.

    Attributes
    ----------
    columns : tuple of str
        The measurements that it needs, in order.
    classes : tuple of str or of int
        The classes.
    method : {"forest", "linear", "boosting"}
        The method of training.
    examples : (n, n_columns) float array
        The measurements of the training objects; none in a file of APOC's.
    example_classes : (n,) int array
        The index in `classes` of each example.
    units : dict of str to str
        The unit of each column for which it is known.
    spacing : tuple of float or None
        The voxel size of the measured images; None if unknown.
    colors : dict
        The colour ``#rrggbb`` of each class that has one.
    class_weight : "balanced" or None
    random_state : int

    Examples
    --------
    >>> import pandas as pd, objclass
    >>> table = pd.DataFrame({"label": range(1, 7), "area": [3.0, 4, 5, 30, 40, 50]})
    >>> objclass.train_table_classifier(table, {1: "small", 2: "small", 5: "large", 6: "large"})
    TableClassifier(forest on 1 column; large: 2, small: 2 examples)
    """

    columns: tuple[str, ...]
    classes: tuple[str, ...] | tuple[int, ...]
    method: str
    model: Model = field(repr=False)
    examples: np.ndarray
    example_classes: np.ndarray
    units: Mapping[str, str] = field(default_factory=dict)
    spacing: tuple[float, ...] | None = None
    colors: Mapping[str | int, str] = field(default_factory=dict)
    class_weight: str | None = "balanced"
    random_state: int = 0

    def __repr__(self) -> str:
        counts = [f"{name}: {count}" for name, count in self.counts.items()]
        learnt = f"{', '.join(counts)} examples" if len(self.examples) else f"classes {self.classes}"
        return f"TableClassifier({self.method} on {counted(len(self.columns), 'column')}; {learnt})"

    @property
    def counts(self) -> dict[str | int, int]:
        """The number of examples of each class."""
        counts = np.bincount(self.example_classes, minlength=len(self.classes)).tolist()
        return dict(zip(self.classes, counts, strict=True))

    def feature_importances(self) -> pd.DataFrame:
        """Return the permutation importance of each column, as the loss of probability of the right class.

        The values of held-out examples are shuffled and predicted by a model trained on the others. Each
        class counts equally. The probability also tells of columns without which the class stays the most
        probable one. A column can appear unimportant if it is correlated with another one; those are listed.

        Returns
        -------
        DataFrame
            ``column``, ``importance`` (mean of 5 shuffles), ``std``, and ``correlated_with`` (the columns
            with a correlation over 0.95), sorted by importance.

        Raises
        ------
        ValueError
            If a class has fewer than two examples.
        """
        import pandas as pd

        values, classes = self.examples, self.example_classes
        least = min(self.counts.values())
        if least < 2:
            raise invalid("classifier", "at least two examples of each class", f"a class with {least}")
        random = np.random.default_rng(self.random_state)
        right = np.empty((1 + _REPEATS * len(self.columns), len(classes)))
        for rest, out in folds(classes, random_state=self.random_state):
            model = self.refit(values[rest], classes[rest])
            variants = [values[out]]
            for column in np.repeat(np.arange(len(self.columns)), _REPEATS):
                shuffled = values[out].copy()
                # Values are drawn from all examples, since a small fold has few to permute.
                shuffled[:, column] = random.choice(values[:, column], len(out))
                variants.append(shuffled)
            found = model.probabilities(np.concatenate(variants)).reshape(len(variants), len(out), -1)
            right[:, out] = found[:, np.arange(len(out)), classes[out]]
        scores = np.mean([right[:, classes == each].mean(axis=1) for each in np.unique(classes)], axis=0)
        losses = scores[0] - scores[1:].reshape(len(self.columns), _REPEATS)
        with np.errstate(divide="ignore", invalid="ignore"):
            strong = np.abs(np.corrcoef(values, rowvar=False).reshape(2 * (len(self.columns),))) > STRONG
        np.fill_diagonal(strong, False)
        importances = pd.DataFrame(
            {
                "column": self.columns,
                "importance": losses.mean(axis=1),
                "std": losses.std(axis=1),
                "correlated_with": [", ".join(np.array(self.columns)[row]) for row in strong],
            }
        )
        return importances.sort_values("importance", ascending=False, kind="stable", ignore_index=True)

    def refit(self, values: np.ndarray, classes: np.ndarray) -> Model:
        """Train with the same parameters on other examples, in which each class occurs."""
        return fit_model(
            values,
            classes,
            method=self.method,
            class_weight=self.class_weight,
            random_state=self.random_state,
        )

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write a JSON file for `load_classifier`. The loaded classifier predicts exactly the same.

        Parameters
        ----------
        path : str or path
            The file to write; its folder must exist.
        """
        content = {
            "format": FORMAT,
            "version": VERSION,
            "method": self.method,
            "columns": self.columns,
            "units": dict(self.units),
            "spacing": self.spacing,
            "classes": self.classes,
            "colors": [self.colors.get(name) for name in self.classes],
            "class_weight": self.class_weight,
            "random_state": self.random_state,
            "examples": self.examples.tolist(),
            "example_classes": self.example_classes.tolist(),
            "model": self.model.to_dict(),
        }
        text = json.dumps(content, allow_nan=False)
        with replacing(path) as temporary:
            temporary.write_text(text, encoding="utf-8")


def folds(classes: np.ndarray, *, random_state: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return up to five pairs of training and test indices, stratified by class."""
    from sklearn.model_selection import StratifiedKFold

    n = min(5, int(np.bincount(classes).min()))
    splits = StratifiedKFold(n, shuffle=True, random_state=random_state)
    return [(rest, out) for rest, out in splits.split(classes, classes)]


def read_json(path: Path) -> TableClassifier:
    """Read what `TableClassifier.save` has written."""
    if path.stat().st_size > _MOST_BYTES:
        got = f"{path} of {path.stat().st_size / 2**20:.0f} MiB"
        raise invalid("path", f"a classifier file of at most {_MOST_BYTES // 2**20} MiB", got)
    try:
        content = json.loads(path.read_text(encoding="utf-8"), parse_constant=_refuse_constant)
        return _from_content(content)
    except (ValueError, TypeError, AttributeError, KeyError, RecursionError, OverflowError) as error:
        reason = f"{error} is missing" if isinstance(error, KeyError) else str(error).rstrip(".")
        if isinstance(error, (TypeError, AttributeError)):
            reason = "a value has the wrong type"
        expected = "a classifier written by TableClassifier.save"
        hint = "Save the classifier again; nothing in the file was executed."
        raise invalid("path", expected, f"{path}, where {reason}", hint) from None


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is used as a number")


def _from_content(content: Any) -> TableClassifier:
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise ValueError("the JSON content is not a classifier")
    if content["version"] != VERSION:
        raise ValueError(f"the version is {content['version']!r}: use the version of objclass that wrote it")
    columns, classes = content["columns"], content["classes"]
    if not _is_texts(columns) or len(set(columns)) < len(columns):
        raise ValueError("'columns' is not a list of names")
    alike = _is_texts(classes) or all(type(name) is int for name in classes)
    if not alike or not 2 <= len(set(classes)) == len(classes):
        raise ValueError("'classes' is not a list of two or more strings or integers")
    if content["method"] not in METHODS:
        raise ValueError(f"the method {content['method']!r} is unknown")
    examples = np.array(content["examples"], dtype=np.float64).reshape(-1, len(columns))
    codes = np.array(content["example_classes"], dtype=np.int64)
    if examples.shape != (len(codes), len(columns)) or not np.isfinite(examples).all():
        raise ValueError("the examples do not match the columns")
    if not np.isin(codes, np.arange(len(classes))).all():
        raise ValueError("the examples do not match the classes")
    weight, spacing = content["class_weight"], content["spacing"]
    if weight not in ("balanced", None):
        raise ValueError(f"the class_weight {weight!r} is unknown")
    return TableClassifier(
        columns=tuple(columns),
        classes=tuple(classes),
        method=content["method"],
        model=load_model(content["model"], n_columns=len(columns), n_classes=len(classes)),
        examples=examples,
        example_classes=codes,
        units={str(name): str(unit) for name, unit in content["units"].items()},
        spacing=None if spacing is None else tuple(float(step) for step in spacing),
        colors={name: str(color) for name, color in zip(classes, content["colors"], strict=True) if color},
        class_weight=weight,
        random_state=int(content["random_state"]),
    )


def _is_texts(names: Any) -> bool:
    return isinstance(names, list) and len(names) > 0 and all(isinstance(name, str) for name in names)
