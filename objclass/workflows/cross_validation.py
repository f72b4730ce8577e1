"""How well a classifier does on images that it has not seen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from objclass._common.checks import check_number, invalid, is_list
from objclass._common.parallel import Progress, progress_bar
from objclass.objects.filtering import exclude_small
from objclass.objects.matching import match_objects
from objclass.objects.segmentation import segment
from objclass.pixels.classifier import ObjectClassifier, train_object_classifier
from objclass.pixels.prediction import classify_pixels
from objclass.pixels.training import check_classes, check_strokes

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Evaluation:
    """What `evaluate` finds.

    Attributes
    ----------
    pixels : DataFrame
        One row for each image and class, and of all images together (image -1): ``image``, ``class``,
        ``annotated`` (pixels), ``precision``, ``recall`` and ``f1``; NaN where there is nothing to divide by.
    objects : DataFrame or None
        One row for each image, and of all together: ``image``, ``true``, ``found`` and ``matched`` (objects),
        ``precision``, ``recall`` and ``f1``. None without true labels.
    """

    pixels: pd.DataFrame
    objects: pd.DataFrame | None


def evaluate(
    classifier: ObjectClassifier,
    image: Sequence[npt.ArrayLike],
    annotations: Sequence[npt.ArrayLike],
    *,
    labels: Sequence[npt.ArrayLike | None] | None = None,
    n_folds: int | None = None,
    min_size: int = 20,
    overlap: float = 0.5,
    progress: Progress = True,
) -> Evaluation:
    """Cross-validate by image: classify each one with a classifier that was trained on others.

    Neighbouring pixels are alike, so that one that learnt from pixels of an image has seen the others. The
    classifier's features and parameters are used, and its trees grown anew.

    Parameters
    ----------
    classifier : ObjectClassifier
        Whose parameters to evaluate.
    image, annotations : list of arrays
        At least two, as for `train_object_classifier`.
    labels : list of integer arrays or None, optional
        The true objects of the images; None for those where nobody knows.
    n_folds : int, optional
        Into how many parts to divide the images: by default as many as there are images.
    min_size : int
        Smallest object that is counted, in voxels.
    overlap : float
        A true object and a found one match if more than this share of the voxels of both together is in
        both; at least 0.5, so that each matches one at most.
    progress : bool or callable
        Whether to show a bar, or ``progress(done, total)``.

    Returns
    -------
    Evaluation

    Raises
    ------
    ValueError
        If there are fewer than two images, or those outside a fold have annotations of one class only.

    References
    ----------
    .. [1] M. Stone, Cross-validatory choice and assessment of statistical predictions, Journal of the Royal
       Statistical Society B 36 (1974) 111–147
    .. [2] J. C. Caicedo et al., Evaluation of deep learning strategies for nucleus segmentation in
       fluorescence images, Cytometry A 95 (2019) 952–965

    Examples
    --------
    >>> images = [np.repeat([[0.0, 0, 0, 9, 9, 9]], 6, axis=0), np.repeat([[9.0, 9, 9, 9, 0, 0]], 6, axis=0)]
    >>> annotations = [np.where(image > 4, 2, 1) for image in images]
    >>> classifier = train_object_classifier(images, annotations, features="original", n_estimators=5)
    >>> evaluate(classifier, images, annotations).pixels.tail(2)
       image  class  annotated  precision  recall   f1
    4     -1      1         30        1.0     1.0  1.0
    5     -1      2         42        1.0     1.0  1.0
    """
    if not is_list(image) or len(image) < 2:
        hint = "Cross-validation is by image: pixels of one image are too much alike."
        raise invalid(
            "image", "a list of at least two images", f"{len(image) if is_list(image) else 1}", hint
        )
    if labels is not None and len(labels) != len(image):
        raise invalid("labels", f"{len(image)} arrays or None, one for each image", f"{len(labels)}")
    check_number("overlap", overlap, low=0.5, high=1)
    positive = classifier.positive_class or 2
    checked = check_strokes(image, annotations)
    check_classes(checked, positive)
    strokes = [one for _, one in checked]
    n_folds = len(image) if n_folds is None else n_folds
    check_number("n_folds", n_folds, low=2, high=len(image), integer=True)
    counts = np.zeros((len(image), 256, 3), np.int64)  # annotated, classified, both
    matches: dict[int, tuple[int, int, int]] = {}
    with progress_bar(n_folds, "evaluate", progress) as advance:
        for fold in range(n_folds):
            unseen = list(range(fold, len(image), n_folds))
            seen = [at for at in range(len(image)) if at not in unseen]
            trained = _train_like(classifier, [image[at] for at in seen], [strokes[at] for at in seen])
            for at in unseen:
                classes = classify_pixels(image[at], trained, progress=False)
                counts[at] = _count_classes(strokes[at], classes)
                truth = None if labels is None else labels[at]
                if truth is not None:
                    found = exclude_small(segment(image[at], trained, progress=False), min_size)
                    true = exclude_small(truth, min_size)
                    pairs = match_objects(found, true, min_overlap=overlap)
                    matches[at] = int(true.max(initial=0)), int(found.max(initial=0)), len(pairs)
            advance()
    return Evaluation(_pixel_table(counts), _object_table(matches) if matches else None)


def _train_like(classifier: ObjectClassifier, image: list[Any], annotations: list[Any]) -> ObjectClassifier:
    return train_object_classifier(image, annotations, **classifier.parameters.keywords())


def _count_classes(strokes: np.ndarray, classes: np.ndarray) -> np.ndarray:
    """Return for each class how many annotated pixels are of it, are classified so, and both."""
    known = strokes > 0
    truth, given = strokes[known], classes[known]
    return np.stack([np.bincount(v, minlength=256) for v in (truth, given, truth[truth == given])], axis=1)


def _scores(of: np.ndarray, given: np.ndarray, both: np.ndarray) -> dict[str, np.ndarray]:
    with np.errstate(invalid="ignore"):
        return {"precision": both / given, "recall": both / of, "f1": 2 * both / (of + given)}


def _pixel_table(counts: np.ndarray) -> pd.DataFrame:
    import pandas as pd

    classes = np.flatnonzero(counts[..., 0].any(axis=0))
    every = np.concatenate([counts, counts.sum(axis=0, keepdims=True)])[:, classes]
    names = [*range(len(counts)), -1]
    table = {"image": np.repeat(names, len(classes)), "class": np.tile(classes, len(names))}
    annotated, given, both = every.reshape(-1, 3).T
    return pd.DataFrame({**table, "annotated": annotated, **_scores(annotated, given, both)})


def _object_table(matches: dict[int, tuple[int, int, int]]) -> pd.DataFrame:
    import pandas as pd

    rows = sorted(matches.items())
    counts = np.array([count for _, count in rows])
    true, found, matched = np.concatenate([counts, counts.sum(axis=0, keepdims=True)]).T
    names = [*(at for at, _ in rows), -1]
    table = {"image": names, "true": true, "found": found, "matched": matched}
    return pd.DataFrame({**table, **_scores(true, found, matched)})
