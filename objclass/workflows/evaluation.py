"""Evaluation and cross-validation of pixel classifiers."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from objclass._common.checks import check_labels, check_number, invalid, is_list
from objclass._common.progress import Progress, progress_bar
from objclass.objects.matching import match_objects
from objclass.objects.segmentation import SegmentationOptions, segment_with
from objclass.pixels.classifier import ObjectClassifier, train_on_pairs
from objclass.pixels.prediction import for_spacing, predict, warn_of_differences
from objclass.pixels.sampling import describe_training_images
from objclass.pixels.training import check_classes, check_scribbles
from objclass.tables.classification import scores_of
from objclass.workflows.reading import pixel_checksum

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Evaluation:
    """Result of `evaluate` and `cross_validate_images`.

    Attributes
    ----------
    pixels : DataFrame or None
        One row for each image and class, and of all images together (image -1): ``image``, ``class``,
        ``annotated`` (pixels), ``precision``, ``recall`` and ``f1``; NaN if undefined. None without
        annotations.
    objects : DataFrame or None
        One row for each image, and of all together: ``image``, ``true``, ``found`` and ``matched`` (objects),
        ``precision``, ``recall`` and ``f1``. None without true labels.
    """

    pixels: pd.DataFrame | None
    objects: pd.DataFrame | None


def evaluate(
    classifier: ObjectClassifier,
    image: npt.ArrayLike | Sequence[npt.ArrayLike],
    annotations: npt.ArrayLike | Sequence[npt.ArrayLike] | None = None,
    *,
    labels: npt.ArrayLike | Sequence[npt.ArrayLike | None] | None = None,
    min_overlap: float = 0.5,
    progress: Progress = True,
    **options: Any,
) -> Evaluation:
    """Score a trained classifier on annotated pixels and on true objects.

    Use images that it was not trained on, since scores on training images are too optimistic. If all
    annotated images are needed for training, use `cross_validate_images`.

    Parameters
    ----------
    classifier : ObjectClassifier
        The classifier to score.
    image : array, or list of arrays
        (z, y, x) or (y, x), or with channels first, as in the training.
    annotations : integer array, or list of such, optional
        The true classes of some pixels, 0 elsewhere, as for `train_object_classifier`.
    labels : integer array, or list of such or None, optional
        The true objects of the images; None if unknown. Annotations or labels are required.
    min_overlap : float
        A true object and a found one match if their intersection over union is larger, see `match_objects`.
    progress : bool or callable
        Show a progress bar, or call ``progress(done, total)``.
    **options
        Options of `segment`: ``threshold``, ``min_size``, ``spacing``, ``engine`` …

    Returns
    -------
    Evaluation
        Scores of the annotated pixels, and of the objects where the true ones are given.

    Raises
    ------
    ValueError
        If there are neither annotations nor labels, not one for each image, or something does not fit the
        classifier.

    See Also
    --------
    cross_validate_images : Score the training on images that each classifier has not seen.
    cross_validate : The same for classes of objects.

    References
    ----------
    .. [1] J. C. Caicedo et al., Evaluation of deep learning strategies for nucleus segmentation in
       fluorescence images, Cytometry A 95 (2019) 952–965

    Examples
    --------
    >>> import numpy as np, objclass
    >>> image = np.repeat([[0.0, 0, 0, 9, 9, 9]], 6, axis=0)
    >>> classifier = objclass.train_object_classifier(image, np.where(image > 4, 2, 1), n_estimators=5)
    >>> other = np.repeat([[9.0, 9, 9, 0, 0, 0]], 6, axis=0)
    >>> evaluate(classifier, other, labels=1 * (other > 4), min_size=1).objects.tail(1)
       image  true  found  matched  precision  recall   f1
    1     -1     1      1        1        1.0     1.0  1.0
    """
    if annotations is None and labels is None:
        raise invalid("annotations", "annotations, or labels, to compare with", "neither")
    given: list[Any] = [image, annotations, labels]
    if not is_list(image):
        given = [None if each is None else [each] for each in given]
    images, annotated, truths = given
    scribbles: list[Any] = [None] * len(images)
    if annotated is not None:
        scribbles = [one for _, one in check_scribbles(images, annotated)]
    score = _Score(images, scribbles, _check_truths(truths, len(images)), min_overlap, options)
    with progress_bar(len(images), "Evaluating", progress) as advance:
        for at in range(len(images)):
            score.add(at, classifier)
            advance()
    warn_of_differences(images, classifier, planewise=score.segmentation.planewise)
    return score.evaluation()


def cross_validate_images(
    classifier: ObjectClassifier,
    image: Sequence[npt.ArrayLike],
    annotations: Sequence[npt.ArrayLike],
    *,
    labels: Sequence[npt.ArrayLike | None] | None = None,
    n_folds: int | None = None,
    min_overlap: float = 0.5,
    progress: Progress = True,
    **options: Any,
) -> Evaluation:
    """Cross-validate the training: score each image with a classifier trained on the others.

    Folds are images, since neighbouring pixels of an image are similar. New trees are trained with the
    features and parameters of `classifier`; its own trees are not scored, see `evaluate`.

    Parameters
    ----------
    classifier : ObjectClassifier
        The classifier with the features and parameters.
    image, annotations : list of arrays
        At least two, as for `train_object_classifier`.
    n_folds : int, optional
        The number of folds; by default the number of images.
    labels, min_overlap, progress, **options
        As in `evaluate`.

    Returns
    -------
    Evaluation
        Scores of the annotated pixels, and of the objects where the true ones are given.

    Raises
    ------
    ValueError
        If there are fewer than two images or one is given twice, or those outside a fold have annotations of
        one class only.

    References
    ----------
    .. [1] M. Stone, Cross-validatory choice and assessment of statistical predictions, Journal of the Royal
       Statistical Society B 36 (1974) 111–147

    Examples
    --------
    >>> import numpy as np, objclass
    >>> images = [np.repeat([[0.0, 0, 0, 9, 9, 9]], 6, axis=0), np.repeat([[9.0, 9, 9, 9, 0, 0]], 6, axis=0)]
    >>> annotations = [np.where(image > 4, 2, 1) for image in images]
    >>> options = {"features": "original", "n_estimators": 5}
    >>> classifier = objclass.train_object_classifier(images, annotations, **options)
    >>> cross_validate_images(classifier, images, annotations).pixels.tail(2)
       image  class  annotated  precision  recall   f1
    4     -1      1         30        1.0     1.0  1.0
    5     -1      2         42        1.0     1.0  1.0
    """
    if not is_list(image) or len(image) < 2:
        hint = "Folds are images, since pixels of one image are too similar."
        raise invalid(
            "image", "a list of at least two images", f"{len(image) if is_list(image) else 1}", hint
        )
    sums = [pixel_checksum(np.asarray(one)) for one in image]
    if len({*sums}) < len(sums):
        again = next(at for at, one in enumerate(sums) if one in sums[:at])
        got = f"image[{again}], which is image[{sums.index(sums[again])}] again"
        raise invalid("image", "different images", got, "A classifier would be judged on what it has seen.")
    checked = check_scribbles(image, annotations)
    check_classes(checked, classifier.positive_class or 2)
    scribbles = [one for _, one in checked]
    for text in describe_training_images([one for one, _ in checked], normalize=classifier.normalize):
        warnings.warn(text, stacklevel=2)
    n_folds = len(image) if n_folds is None else n_folds
    check_number("n_folds", n_folds, low=2, high=len(image), integer=True)
    score = _Score(image, scribbles, _check_truths(labels, len(image)), min_overlap, options)
    with progress_bar(n_folds, "Cross-validating", progress) as advance:
        for fold in range(n_folds):
            unseen = list(range(fold, len(image), n_folds))
            seen = [at for at in range(len(image)) if at not in unseen]
            trained = train_on_pairs([checked[at] for at in seen], classifier.parameters)
            for at in unseen:
                score.add(at, trained)
            advance()
    return score.evaluation()


class _Score:
    """Counts of pixels and objects, image by image."""

    def __init__(
        self,
        images: Sequence[Any],
        scribbles: Sequence[np.ndarray | None],
        truths: Sequence[np.ndarray | None],
        min_overlap: float,
        options: dict[str, Any],
    ) -> None:
        self.images, self.scribbles, self.truths = images, scribbles, truths
        self.min_overlap = check_number("min_overlap", min_overlap, low=0.5, high=1)
        others = {name: value for name, value in options.items() if name not in ("spacing", "engine")}
        names = [field.name for field in fields(SegmentationOptions)]
        if unknown := sorted({*others} - {*names}):
            raise invalid(
                "options", f"some of {', '.join([*names, 'spacing', 'engine'])}", ", ".join(unknown)
            )
        self.spacing, engine = options.get("spacing"), options.get("engine", "cpu")
        self.keywords: dict[str, Any] = {"engine": engine, "progress": False}
        self.segmentation = SegmentationOptions(**others)
        self.pixels = np.zeros((len(images), 256, 3), np.int64)  # annotated, classified, both
        self.objects: dict[int, tuple[int, int, int]] = {}  # true, found, matched

    def add(self, at: int, classifier: ObjectClassifier) -> None:
        """Compare the predictions for one image with its ground truth."""
        image, scribbles, truth = self.images[at], self.scribbles[at], self.truths[at]
        if scribbles is not None:
            planewise, match = self.segmentation.planewise, self.segmentation.match_spacing
            scaled = for_spacing(classifier, self.spacing, planewise=planewise, match_spacing=match)
            classes = predict(image, scaled, planewise=planewise, **self.keywords)
            self.pixels[at] = _count_classes(scribbles, classes)
        if truth is not None:
            found = segment_with(image, classifier, self.segmentation, spacing=self.spacing, **self.keywords)
            matched = match_objects(found, truth, min_overlap=self.min_overlap)
            self.objects[at] = np.unique(truth[truth > 0]).size, int(found.max(initial=0)), len(matched)

    def evaluation(self) -> Evaluation:
        pixels = None if all(one is None for one in self.scribbles) else _pixel_table(self.pixels)
        return Evaluation(pixels, _object_table(self.objects) if self.objects else None)


def _check_truths(labels: Any, n_images: int) -> list[np.ndarray | None]:
    if labels is None:
        return [None] * n_images
    if not isinstance(labels, (list, tuple)) or len(labels) != n_images:
        got = f"{len(labels)}" if isinstance(labels, (list, tuple)) else "one array"
        raise invalid("labels", f"{n_images} arrays or None, one for each image", got)
    return [
        None if one is None else check_labels(one, argument=f"labels[{at}]") for at, one in enumerate(labels)
    ]


def _count_classes(scribbles: np.ndarray, classes: np.ndarray) -> np.ndarray:
    """Return the number of true, predicted and correctly predicted annotated pixels of each class."""
    known = scribbles > 0
    truth, given = scribbles[known], classes[known]
    return np.stack([np.bincount(v, minlength=256) for v in (truth, given, truth[truth == given])], axis=1)


def _pixel_table(counts: np.ndarray) -> pd.DataFrame:
    import pandas as pd

    classes = np.flatnonzero(counts[..., 0].any(axis=0))
    every = np.concatenate([counts, counts.sum(axis=0, keepdims=True)])[:, classes]
    names = [*range(len(counts)), -1]
    table = {"image": np.repeat(names, len(classes)), "class": np.tile(classes, len(names))}
    annotated, given, both = every.reshape(-1, 3).T
    return pd.DataFrame({**table, "annotated": annotated, **scores_of(annotated, given, both)})


def _object_table(matches: dict[int, tuple[int, int, int]]) -> pd.DataFrame:
    import pandas as pd

    rows = sorted(matches.items())
    counts = np.array([count for _, count in rows])
    true, found, matched = np.concatenate([counts, counts.sum(axis=0, keepdims=True)]).T
    names = [*(at for at, _ in rows), -1]
    table = {"image": names, "true": true, "found": found, "matched": matched}
    return pd.DataFrame({**table, **scores_of(true, found, matched)})
