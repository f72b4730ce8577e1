"""From strokes to a forest: the steps of `train_object_classifier`."""

from __future__ import annotations

import hashlib
import warnings
from importlib import metadata
from typing import Any

import numpy as np

from objclass import __version__
from objclass._common.checks import check_float32, check_image, check_number, invalid, is_list
from objclass._common.parallel import n_threads
from objclass.pixels.features import Feature
from objclass.pixels.forest import MAX_CLASSES, MAX_DEPTH, MAX_TREES, Forest

Pairs = list[tuple[np.ndarray, np.ndarray]]

_LIMITS = {
    "positive_class": (1, MAX_CLASSES),
    "max_depth": (1, MAX_DEPTH),
    "n_estimators": (1, MAX_TREES),
    "random_state": (0, 2**32 - 1),
}
_STROKES = "an integer array: 0 not annotated, 1 background, 2 object, further classes as you like"
_PAINT = "Paint a few strokes of each class, for example background = 1 and object = 2."


def check_parameters(**parameters: int) -> None:
    """Raise unless each parameter is a whole number within its limits."""
    for name, value in parameters.items():
        low, high = _LIMITS[name]
        check_number(name, value, low=low, high=high, integer=True)


def check_strokes(image: Any, annotations: Any, positive_class: int) -> Pairs:
    """Return the images, channels first, each with its annotations of the spatial shape as uint8."""
    if is_list(image) != is_list(annotations) or (is_list(image) and len(image) != len(annotations)):
        given = (
            f"a list of {len(value)}" if is_list(value) else "one array" for value in (image, annotations)
        )
        hint = "Channels of one image go into one array: numpy.stack(channels)."
        raise invalid("annotations", "one array for each image", " and ".join(given), hint)
    if is_list(image):
        pairs = [_check_pair(*pair, f"[{i}]") for i, pair in enumerate(zip(image, annotations, strict=True))]
    else:
        pairs = [_check_pair(image, annotations, "")]
    first_image, first_strokes = pairs[0]
    for i, (one, strokes) in enumerate(pairs):
        if (one.shape[0], strokes.ndim) != (first_image.shape[0], first_strokes.ndim):
            expected = f"{first_image.shape[0]} channels in {first_strokes.ndim}D as in image[0]"
            raise invalid(f"image[{i}]", expected, one)
    _check_classes(pairs, positive_class)
    return pairs


def collect_rows(pairs: Pairs, features: tuple[Feature, ...]) -> tuple[np.ndarray, np.ndarray]:
    """Return the features of the annotated pixels, in raster order, and their classes."""
    from objclass.pixels.extraction import features_at

    annotated = [(image, strokes, strokes > 0) for image, strokes in pairs if strokes.any()]
    rows = np.concatenate([features_at(image, features, mask) for image, _, mask in annotated])
    return rows, np.concatenate([strokes[mask] for _, strokes, mask in annotated])


def grow_forest(rows: np.ndarray, classes: np.ndarray, **parameters: int) -> tuple[Forest, tuple[float, ...]]:
    """Return a forest and the importance of each feature; `parameters` are those of scikit-learn."""
    from sklearn.ensemble import RandomForestClassifier

    model = RandomForestClassifier(**parameters, n_jobs=n_threads())
    # Side by side, scikit-learn's threads reset the warning filters of the whole process and may leave them
    # so, or warn of it: what they say is thrown away, and the filters are put back.
    with warnings.catch_warnings(record=True):
        warnings.simplefilter("ignore")
        model.fit(rows, classes)
        importances = tuple(map(float, model.feature_importances_))
    trees = [estimator.tree_ for estimator in model.estimators_]
    roots = np.cumsum([0, *(tree.node_count for tree in trees)])[:-1]

    def join(name: str) -> np.ndarray:
        return np.concatenate([getattr(tree, name) for tree in trees])

    is_leaf = join("children_left") < 0
    first = np.concatenate([np.full(tree.node_count, root) for tree, root in zip(trees, roots, strict=True)])
    votes = np.zeros((is_leaf.size, int(model.classes_[-1])))
    votes[:, model.classes_ - 1] = join("value")[:, 0, :]
    votes[~is_leaf] = 0
    forest = Forest(
        feature=np.where(is_leaf, -1, join("feature")),
        threshold=np.where(is_leaf, 0, join("threshold")),
        left=np.where(is_leaf, -1, join("children_left") + first),
        right=np.where(is_leaf, -1, join("children_right") + first),
        leaf=votes,
        roots=roots,
        n_features=rows.shape[1],
    )
    return forest, importances


def count_classes(pairs: Pairs) -> np.ndarray:
    """Return how many pixels are annotated with each class; 0 stands for none and is not counted."""
    annotated = [strokes[strokes > 0] for _, strokes in pairs]
    return np.sum([np.bincount(classes, minlength=MAX_CLASSES + 1) for classes in annotated], axis=0)


def describe_training(pairs: Pairs) -> dict[str, str]:
    """Return what tells whether a training is the same: versions and checksum of the data."""
    digest = hashlib.sha256()
    for pair in pairs:
        for array in pair:
            digest.update(f"{array.shape} {array.dtype.newbyteorder('<').str} ".encode())
            digest.update(np.ascontiguousarray(array, array.dtype.newbyteorder("<")).data)
    counts = count_classes(pairs)
    return {
        "annotated_pixels": " ".join(f"{c}:{counts[c]}" for c in np.flatnonzero(counts)),
        "training_data": f"sha256:{digest.hexdigest()}",
        "objclass_version": __version__,
        "scikit_learn_version": metadata.version("scikit-learn"),
    }


def _check_pair(image: Any, annotations: Any, place: str) -> tuple[np.ndarray, np.ndarray]:
    name = f"annotations{place}"
    strokes = np.asarray(annotations)
    if strokes.dtype.kind not in "iu":
        hint = "Convert whole numbers with annotations.astype(numpy.uint8)."
        raise invalid(name, _STROKES, strokes, hint, kind=TypeError)
    if strokes.ndim not in (2, 3) or strokes.size == 0:
        raise invalid(name, "an array of axes (y, x) or (z, y, x)", strokes)
    lowest, highest = int(strokes.min()), int(strokes.max())
    if lowest < 0 or highest > MAX_CLASSES:
        got = f"{lowest if lowest < 0 else highest} among them"
        raise invalid(name, f"classes of 0 to {MAX_CLASSES}", got, "0 stands for not annotated.")
    checked = check_image(image, strokes.shape, beside=name, argument=f"image{place}")
    return check_float32(checked, argument=f"image{place}"), strokes.astype(np.uint8)


def _check_classes(pairs: Pairs, positive_class: int) -> None:
    classes = np.flatnonzero(count_classes(pairs)).tolist()
    if not classes:
        raise invalid("annotations", "annotated pixels", "none: all are 0", _PAINT)
    found = f"class {classes[0]} only" if len(classes) == 1 else f"classes {', '.join(map(str, classes))}"
    if len(classes) == 1:
        raise invalid("annotations", "at least two classes", found, _PAINT)
    if positive_class not in classes:
        hint = "Paint some, or name another positive_class."
        raise invalid("annotations", f"pixels of the positive class {positive_class}", found, hint)
