"""APOC's classifiers of objects: their .cl files as `TableClassifier`."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from objclass._common.checks import invalid
from objclass.pixels.cl_format import read_cl
from objclass.tables.models import Trees
from objclass.tables.table_classifier import TableClassifier

if TYPE_CHECKING:
    from objclass.pixels.forest import Forest

OF_TABLES = ("TableRowClassifier",)
OF_LABELS = ("ObjectClassifier", "ObjectSelector")
MEASURED = {
    "area": "num_pixels",
    "min_intensity": "intensity_min",
    "max_intensity": "intensity_max",
    "sum_intensity": "intensity_sum",
    "mean_intensity": "intensity_mean",
    "standard_deviation_intensity": "intensity_std",
    "touching_neighbor_count": "neighbors_touching",
}
"""The statistics of pyclesperanto that `measure` has too, whatever the voxel size."""
_HEADER = 4096
_NAME = re.compile(r"^classifier_class_name = (\w+)\s*$", re.MULTILINE)


def is_of_objects(path: str | os.PathLike[str]) -> bool:
    """Tell whether a file is that of a classifier of objects, by its first lines."""
    try:
        with Path(path).open(encoding="utf-8", errors="replace") as file:
            found = _NAME.search(file.read(_HEADER))
    except OSError:
        return False
    return found is not None and found[1] in (*OF_TABLES, *OF_LABELS)


def read_classifier(path: str | os.PathLike[str]) -> TableClassifier:
    """Read a TableRowClassifier, or an ObjectClassifier on statistics that `measure` has.

    Raises
    ------
    ValueError
        If the file is no classifier, its columns have names with spaces, or `measure` has no such statistics.
    """
    content = read_cl(path)
    names = content.header.get("feature_specification", "").split()
    forest = content.forest
    if len(names) != forest.n_features or len(set(names)) < len(names):
        expected = f"the names of {forest.n_features} columns, without spaces in them"
        hint = "APOC separates names by spaces: train it on columns without, or use train_table_classifier."
        raise invalid("path", expected, f"{path} with {' '.join(names)!r}", hint)
    if forest.n_classes < 2:
        raise invalid("path", "a classifier of two classes or more", f"{path} with one")
    if content.header["classifier_class_name"] in OF_LABELS:
        unknown = [name for name in names if name not in MEASURED]
        if unknown:
            hint = (
                f"Train it in APOC on {', '.join(MEASURED)} alone, or from the same examples with "
                "objclass.train_table_classifier(objclass.measure(labels, image), classes)."
            )
            raise invalid("path", "statistics that objclass.measure has", f"{path} with {unknown}", hint)
        names = [MEASURED[name] for name in names]
    classes = tuple(range(1, forest.n_classes + 1))
    return TableClassifier(
        columns=tuple(names),
        classes=classes,
        method="forest",
        model=_trees(forest),
        examples=np.empty((0, len(names))),
        example_classes=np.empty(0, np.int64),
        class_weight=None,
    )


def _trees(forest: Forest) -> Trees:
    inner = forest.feature >= 0
    # APOC asks for less than, in float32.
    below = np.nextafter(forest.threshold, np.float32(-np.inf), dtype=np.float32)
    return Trees(
        link="votes",
        roots=forest.roots.astype(np.int64),
        feature=forest.feature.astype(np.int64),
        threshold=np.where(inner, below, 0).astype(np.float64),
        children=np.column_stack([forest.left, forest.right]).astype(np.int64),
        leaves=forest.leaf,
        start=np.zeros(forest.n_classes),
    )
