"""The classes of objects in runs and batches: measured as the classifier of objects needs it, and counted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from objclass._common.checks import invalid
from objclass._common.files import AnyPath
from objclass._common.progress import Progress
from objclass.workflows.reading import Picture

if TYPE_CHECKING:
    import pandas as pd

    from objclass.tables.table_classifier import TableClassifier


def load_object_classifier(path: AnyPath) -> TableClassifier:
    """Read a classifier of objects.

    Raises
    ------
    FileNotFoundError, ValueError
        As `objclass.load_classifier`, and if it is one of pixels.
    """
    from objclass.tables.loading import load_classifier
    from objclass.tables.table_classifier import TableClassifier

    found = load_classifier(path)
    if not isinstance(found, TableClassifier):
        hint = "It segments pixels: give it as the classifier (--classifier)."
        raise invalid("object_classifier", "a .json file of a TableClassifier", f"{path}", hint)
    return found


def measure_objects(
    labels: np.ndarray, picture: Picture, classifier: TableClassifier | None, *, progress: Progress = False
) -> pd.DataFrame:
    """Measure the basic properties of objects, and those that a classifier needs."""
    from objclass.measurement.measuring import measure
    from objclass.measurement.properties import PROPERTIES

    options: dict[str, Any] = {"spacing": picture.spacing, "unit": picture.symbol}
    if classifier is not None:
        named = {
            column: max((p for p in PROPERTIES if _is_of(column, p)), key=len, default="")
            for column in classifier.columns
        }
        options["properties"] = ["basic", *sorted({*named.values()} - {""})]
        ends = {column.removeprefix(name)[1:] for column, name in named.items()}
        if {*picture.channel_names} & ends:
            options["channel_names"] = picture.channel_names
    return measure(labels, picture.image, progress=progress, **options)


def _is_of(column: str, name: str) -> bool:
    """Tell whether a column of a table holds a property, perhaps of one channel or along one axis."""
    return column == name or column.startswith(f"{name}-")


def count_classes(table: pd.DataFrame, classifier: TableClassifier) -> dict[str, int]:
    """Return how many objects are of each class; those of none lack a measurement."""
    counts = table["CLASS"].value_counts()
    return {str(name): int(counts.get(name, 0)) for name in classifier.classes}
