"""Pixel classifiers: training from scribbles, and files that APOC, napari and Fiji can run."""

from __future__ import annotations

import dataclasses
import json
import os
import warnings
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from objclass._common.checks import Spacing, check_names, check_spacing, invalid
from objclass._common.files import check_name, check_writable
from objclass.pixels.cl_format import ClassifierFile, read_cl, write_cl
from objclass.pixels.features import (
    Feature,
    check_axes,
    format_features,
    match_features,
    parse_features,
    unknown_to_apoc,
)
from objclass.pixels.forest import Forest
from objclass.pixels.normalization import NORMALIZATIONS
from objclass.pixels.sampling import describe_training_images
from objclass.pixels.training import (
    Pairs,
    TrainingParameters,
    check_classes,
    check_scribbles,
    collect_rows,
    describe_training,
    grow_forest,
    recorded_parameters,
    recorded_spacing,
)

if TYPE_CHECKING:
    import pandas as pd

CLASS_NAMES = ("ObjectSegmenter", "PixelClassifier", "ProbabilityMapper")
_NORMALIZE: dict[str | None, str] = {name: f"normalize={name} " for name in NORMALIZATIONS}
"""What stands before the features in a file; other programs look for a number there, and stop."""
_OF_TABLES = ("ObjectClassifier", "ObjectSelector", "TableRowClassifier")  # of APOC: they classify objects


@dataclass(frozen=True)
class ObjectClassifier:
    """A trained pixel classifier; pixels of its positive class form objects.

    Made by `train_object_classifier` and `load_classifier`; use it with `segment`, `classify_pixels` and
    `probability_map`.

    Parameters
    ----------
    features : tuple of Feature
        The features of each channel, in order.
    forest : Forest
        The decision trees, on the features of channel 0, then of channel 1, and so on.
    ndim : int
        The number of spatial axes, 2 or 3.
    positive_class : int or None
        The class of the objects, or whose probability a ProbabilityMapper returns. None if unknown.
    class_name : str
        The name of the class in APOC: ObjectSegmenter, PixelClassifier or ProbabilityMapper.
    max_depth : int
        The maximum depth of the trees, or their actual depth if it was not limited.
    importances : tuple of float
        The importance of each input of the forest, in order; empty if unknown.
    notes : dict of str to str
        Metadata: versions, random state, checksum of the training data.
    normalize : {"percentile"} or None
        Whether the features are those of the image scaled by its own percentiles.

    Examples
    --------
    >>> import numpy as np
    >>> image = np.repeat([[0.0, 0, 0, 9, 9, 9]], 6, axis=0)
    >>> classifier = train_object_classifier(image, np.where(image > 4, 2, 1), features="small_quick")
    >>> classifier.n_channels, classifier.n_classes, classifier.positive_class
    (1, 2, 2)
    >>> classifier.feature_importances().columns.tolist()
    ['feature', 'channel', 'importance', 'level_0', 'level_1']
    """

    features: tuple[Feature, ...]
    forest: Forest
    ndim: int
    positive_class: int | None = 2
    class_name: str = "ObjectSegmenter"
    max_depth: int = 2
    importances: tuple[float, ...] = field(default=(), repr=False)
    notes: Mapping[str, str] = field(default_factory=dict, repr=False)
    normalize: str | None = None

    @property
    def n_channels(self) -> int:
        """The required number of channels of an image."""
        return self.forest.n_features // len(self.features)

    @property
    def n_classes(self) -> int:
        """The highest class."""
        return self.forest.n_classes

    @property
    def random_state(self) -> int | None:
        """The seed of the training; None if unknown."""
        seed = self.notes.get("random_state", "")
        return int(seed) if seed.isdecimal() else None

    @property
    def spacing(self) -> tuple[float, ...] | None:
        """The voxel size of the training images along each spatial axis; None if unknown."""
        return recorded_spacing(self.notes, self.ndim)[0]

    @property
    def unit(self) -> str | None:
        """The unit of `spacing`; None if unknown."""
        return recorded_spacing(self.notes, self.ndim)[1]

    @property
    def channel_names(self) -> tuple[str, ...]:
        """The names of the channels that it was trained on; empty if unknown."""
        try:
            names = json.loads(self.notes.get("channel_names", "[]"))
        except ValueError:
            return ()
        is_known = isinstance(names, list) and len(names) == self.n_channels
        return tuple(map(str, names)) if is_known else ()

    @property
    def preset(self) -> str:
        """The preset of the training: "default", or "apoc" as for all files from other programs."""
        return str(recorded_parameters(self.notes)["preset"])

    @property
    def parameters(self) -> TrainingParameters:
        """The parameters of the training."""
        recorded = recorded_parameters(self.notes)
        if "training_parameters" not in self.notes:
            recorded["max_depth"] = self.max_depth
        return TrainingParameters(
            features=self.features,
            positive_class=self.positive_class or 2,
            n_estimators=self.forest.n_trees,
            normalize=self.normalize,
            spacing=self.spacing,
            unit=self.unit,
            random_state=self.random_state or 0,
            **recorded,
        )

    @property
    def confusion(self) -> pd.DataFrame | None:
        """The out-of-bag confusion matrix of the annotated pixels; None if unknown.

        One row for each annotated class, one column for each class predicted by the trees that were not
        trained on the pixel. It is too optimistic, since neighbouring pixels are similar; see
        `objclass.cross_validate_images`.
        """
        import pandas as pd

        try:
            kept = json.loads(self.notes.get("out_of_bag", ""))
            counts = np.array(kept["confusion"], np.int64).reshape((len(kept["classes"]),) * 2)
            return pd.DataFrame(
                counts,
                index=pd.Index(kept["classes"], name="annotated"),
                columns=pd.Index(kept["classes"], name="predicted"),
            )
        except (ValueError, TypeError, KeyError, OverflowError):
            return None

    @property
    def accuracy(self) -> float | None:
        """The out-of-bag accuracy on annotated pixels, see `confusion`."""
        confusion = self.confusion
        counts = np.zeros((0, 0)) if confusion is None else confusion.to_numpy()
        return float(np.trace(counts) / counts.sum()) if counts.any() else None

    def __repr__(self) -> str:
        channels = "1 channel" if self.n_channels == 1 else f"{self.n_channels} channels"
        objects = f", objects are class {self.positive_class}" if self.positive_class else ""
        accuracy = "" if self.accuracy is None else f", out-of-bag accuracy {self.accuracy:.3f}"
        names = list(map(str, self.features))
        shown = " ".join(names if len(names) <= 4 else [*names[:3], "…", names[-1]])
        scaled = f", normalized by {self.normalize}" if self.normalize else ""
        return (
            f"ObjectClassifier({self.ndim}D, {channels}; {self.n_classes} classes{objects}; "
            f"{self.forest.n_trees} trees of depth {self.forest.depth}{accuracy}; "
            f"{len(names)} features{scaled}: {shown})"
        )

    def match_spacing(self, spacing: float | Sequence[float]) -> ObjectClassifier:
        """Return a classifier for images of another voxel size, with filters of the same physical size.

        Parameters
        ----------
        spacing : float or sequence of float
            The voxel size along each spatial axis, in the unit of the training.

        Returns
        -------
        ObjectClassifier

        Raises
        ------
        ValueError
            If the voxel size of the training is unknown.

        Examples
        --------
        >>> import numpy as np
        >>> image = np.repeat([[0.0, 0, 0, 9, 9, 9]], 6, axis=0)
        >>> annotations = np.where(image > 4, 2, 1)
        >>> coarse = train_object_classifier(image, annotations, features="gaussian_blur=1", spacing=0.4)
        >>> str(coarse.match_spacing(0.2).features[0])
        'gaussian_blur=2'
        """
        sizes = check_spacing(spacing, self.ndim)
        if self.spacing is None or sizes is None:
            hint = "Train it with spacing=."
            raise invalid("match_spacing", "a classifier with a known voxel size", "one without", hint)
        *sizes_text, unit = (*(repr(size).removesuffix(".0") for size in sizes), self.unit or "")
        notes = {**self.notes, "voxel_size": " ".join((*sizes_text, unit)).rstrip()}
        features = match_features(self.features, self.spacing, sizes)
        return dataclasses.replace(self, features=features, notes=notes)

    def feature_importances(self) -> pd.DataFrame:
        """Return the importance of each feature, sorted in descending order.

        Returns
        -------
        DataFrame
            One row for each feature of each channel: ``feature``, ``channel``, ``importance`` (the mean
            decrease in impurity, normalized; NaN if unknown), and ``level_0``, ``level_1``, … (the number of
            nodes on that level of the trees that split on it).

        References
        ----------
        .. [1] L. Breiman et al., Classification and Regression Trees, Chapman & Hall, 1984
        """
        import pandas as pd

        forest = self.forest
        inner = forest.feature >= 0
        counts = np.zeros((forest.n_features, forest.depth), int)
        np.add.at(counts, (forest.feature[inner], forest.levels[inner]), 1)
        table = pd.DataFrame(
            {
                "feature": [str(feature) for _ in range(self.n_channels) for feature in self.features],
                "channel": np.repeat(np.arange(self.n_channels), len(self.features)),
                "importance": self.importances or np.nan,
                **{f"level_{level}": count for level, count in enumerate(counts.T)},
            }
        )
        order = np.lexsort((-counts.sum(axis=1), -table["importance"].fillna(0)))
        return table.iloc[order].reset_index(drop=True)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write a .cl file that `load_classifier`, APOC, napari and Fiji read.

        An existing file is replaced once the new one is complete. The others predict the same with it if it
        was trained with ``preset="apoc"``; where they do not, there is a warning.

        Parameters
        ----------
        path : str or path
            The file to write, usually ending in ``.cl``; its folder must exist.

        Raises
        ------
        FileNotFoundError, PermissionError
            If the folder does not exist or is not writable.

        Warns
        -----
        UserWarning
            If APOC cannot run the file, as it does not know a filter or a sigma for each axis; or if it
            predicts otherwise with it: its ``sobel_of_gaussian_blur`` reads beyond the image in 3D.
        """
        write_classifier(path, self)
        warn_of_apoc(path, self)


def write_classifier(path: str | os.PathLike[str], classifier: ObjectClassifier) -> None:
    """Write a .cl file, as `ObjectClassifier.save` does, without a warning."""
    target_class = classifier.positive_class if classifier.class_name == "ProbabilityMapper" else None
    write_cl(path, ClassifierFile(to_header(classifier), classifier.forest, target_class))


def warn_of_apoc(path: str | os.PathLike[str], classifier: ObjectClassifier) -> None:
    """Warn, from a public function, if APOC cannot run the file of a classifier, or predicts otherwise."""
    mark = _NORMALIZE.get(classifier.normalize, "").split()
    unknown = [*mark, *unknown_to_apoc(classifier.features)]
    if not unknown and not _asks_for_3d_sobel(classifier.forest, classifier.features, classifier.ndim):
        return
    if unknown:
        text = f"APOC, napari and Fiji cannot run {path}: they do not know {unknown[0]}."
    else:
        text = f"APOC, napari and Fiji find other objects with {path}: their 3D Sobel filter is wrong."
    hint = 'Train with preset="apoc" for a file that they run; objclass runs this one.'
    warnings.warn(f"{text} {hint}", stacklevel=3)


def load_classifier(path: str | os.PathLike[str]) -> ObjectClassifier:
    """Read a pixel classifier from a .cl file; see `objclass.load_classifier`, which reads all formats."""
    content = read_cl(path)
    class_name = content.header.get("classifier_class_name", "")
    if class_name not in CLASS_NAMES:
        hint = f"Run it with apoc.{class_name}." if class_name.isidentifier() else ""
        if class_name in _OF_TABLES:
            hint = (
                "It classifies objects, not pixels: objclass.load_classifier reads it for objclass.classify."
            )
        got = f"{path} with {class_name or 'a classifier without a name'}"
        raise invalid("path", f"the file of an {', '.join(CLASS_NAMES[:-1])} or {CLASS_NAMES[-1]}", got, hint)
    try:
        classifier = ObjectClassifier(**from_header(content))
    except ValueError as error:
        expected = "a classifier file with a complete header that matches its forest"
        raise invalid("path", expected, f"{path}, where {str(error).rstrip('.')}") from None
    is_ours = "objclass_version" in content.header
    if not is_ours and _asks_for_3d_sobel(classifier.forest, classifier.features, classifier.ndim):
        warnings.warn(
            f"{path} was written by APOC with a 3D Sobel filter, which reads beyond the image. "
            "objclass computes the correct filter, so objects differ from those of APOC: train again.",
            stacklevel=2,
        )
    return classifier


def train_object_classifier(
    image: npt.ArrayLike | Sequence[npt.ArrayLike],
    annotations: npt.ArrayLike | Sequence[npt.ArrayLike],
    *,
    features: str | Iterable[str | Feature] | None = None,
    preset: str | None = None,
    positive_class: int = 2,
    max_depth: int | None = None,
    n_estimators: int = TrainingParameters.n_estimators,
    class_weight: str | None = None,
    normalize: str | None = None,
    isotropic: bool = False,
    spacing: Spacing = None,
    unit: str | None = None,
    channel_names: Sequence[str] | None = None,
    random_state: int = 0,
    path: str | os.PathLike[str] | None = None,
) -> ObjectClassifier:
    """Train a pixel classifier on annotated pixels.

    Parameters
    ----------
    image : array, or list of arrays
        (z, y, x) or (y, x), or with channels first (c, z, y, x) or (c, y, x); any real dtype.
    annotations : integer array, or list of arrays
        The spatial shape of `image`: 0 not annotated, 1 background, 2 object, further classes to 255.
    features : str or list, optional
        The features of each channel: the name of a predefined set, a specification such as
        ``"original gaussian_blur=1 difference_of_gaussian=1"``, or a list of such tokens. By default
        ``"edges_1_to_8_px"``: the original image and four filters at sigma 1, 2, 4 and 8.
    preset : {"default", "apoc"}, optional
        "default" grows extremely randomised trees with leaves of at least ten pixels; `segment` smooths and
        splits. "apoc" grows APOC's random forest of depth 2 on ``"object_size_1_to_5_px"``, and `segment`
        does what APOC does. One of APOC's feature sets, by name or as a specification, means "apoc" too,
        unless a preset is given.
    positive_class : int
        The class of the objects for `segment`.
    max_depth : int, optional
        The maximum depth of a tree; by default 2 for "apoc" and no limit otherwise.
    n_estimators : int
        The number of trees.
    class_weight : {"balanced"}, optional
        "balanced" weights each class by the inverse of its number of annotated pixels.
    normalize : {"percentile"}, optional
        Scale each channel of each image by its own 1st and 99.8th percentiles, in training and prediction,
        for images that differ in exposure or bit depth. Not suitable if some images contain no objects. Other
        programs refuse such a file.
    isotropic : bool
        Take sigma in voxels along all axes, as APOC does, whatever `spacing` says.
    spacing : float or sequence of float, optional
        The voxel size along (z, y, x) or (y, x), see `read_spacing`; that of all images. Where axes differ by
        over 1.3 times, sigma counts along the finest axis and is smaller in voxels along the others, none
        below 0.3 voxels; neighbours count by their distances. Other programs refuse such a file.
        "apoc", named or meant, keeps sigma in voxels.
    unit : str, optional
        The unit of `spacing`, stored in the file.
    channel_names : sequence of str, optional
        The names of the channels, see `image_info`, stored in the file. Runs and batches reorder the channels
        of image files with the same names to this order.
    random_state : int
        The seed. The result depends on the seed and the annotated pixels, not on the order of annotation.
    path : str or path, optional
        A file to save the classifier to, see `ObjectClassifier.save`.

    Returns
    -------
    ObjectClassifier
        The classifier, for `segment` and `probability_map`.

    Raises
    ------
    ValueError
        If shapes do not match, pixels are not finite, the annotations are empty, contain only one class,
        are negative or lack the positive class, or a feature is unknown.
    TypeError
        If the annotations are not integers.
    FileNotFoundError, PermissionError
        If `path` is not writable.

    Warns
    -----
    UserWarning
        If some images have 8 bits and others 16, or one looks like a label image.

    Notes
    -----
    With ``preset="apoc"`` the same scribbles give the forest that APOC trains. Classes keep their numbers if
    a class between them is not annotated, while APOC renumbers them.

    References
    ----------
    .. [1] P. Geurts, D. Ernst, L. Wehenkel, Extremely randomized trees, Machine Learning 63 (2006) 3–42
    .. [2] L. Breiman, Random Forests, Machine Learning 45 (2001) 5–32

    Examples
    --------
    >>> import numpy as np
    >>> image = np.zeros((20, 20))
    >>> image[5:12, 5:12] = 100
    >>> annotations = np.zeros((20, 20), np.uint8)
    >>> annotations[2, 1:9], annotations[8, 6:11] = 1, 2
    >>> train_object_classifier(image, annotations, features="original gaussian_blur=1")
    ObjectClassifier(2D, 1 channel; 2 classes, objects are class 2; 100 trees of depth ...; 2 features: ...)
    """
    pairs = check_scribbles(image, annotations)
    ndim = pairs[0][1].ndim
    parameters = TrainingParameters(
        features=features,
        preset=preset,
        positive_class=positive_class,
        max_depth=max_depth,
        n_estimators=n_estimators,
        class_weight=class_weight,
        normalize=normalize,
        isotropic=isotropic,
        spacing=check_spacing(spacing, ndim),
        unit=unit,
        random_state=random_state,
    )
    for text in describe_training_images([pixels for pixels, _ in pairs], normalize=normalize):
        warnings.warn(text, stacklevel=2)
    if path is not None:
        check_writable(check_name(path).resolve().parent)
    classifier = train_on_pairs(pairs, parameters, channel_names=channel_names)
    if path is not None:
        write_classifier(path, classifier)
        warn_of_apoc(path, classifier)
    return classifier


def train_on_pairs(
    pairs: Pairs,
    parameters: TrainingParameters,
    *,
    channel_names: Sequence[str] | None = None,
) -> ObjectClassifier:
    """Return a classifier trained on images with their annotations, which `check_scribbles` returned."""
    ndim = pairs[0][1].ndim
    check_classes(pairs, parameters.positive_class)
    parsed = parameters.parse_features()
    check_axes(parsed, ndim)
    rows, classes = collect_rows(pairs, parsed, normalize=parameters.normalize)
    if (rows == rows[0]).all():
        hint = "Is it the right image, or channel?"
        raise invalid("image", "pixels that differ under the scribbles", "equal ones", hint)
    notes = dict(describe_training(pairs))
    if channel_names is not None:
        names = check_names("channel_names", channel_names, len(pairs[0][0]), "channel")
        notes["channel_names"] = json.dumps(names).replace("/", "\\/")  # the header is a C comment
    return fit_classifier(rows, classes, parameters, ndim=ndim, notes=notes)


def fit_classifier(
    rows: np.ndarray,
    classes: np.ndarray,
    parameters: TrainingParameters,
    *,
    ndim: int,
    notes: Mapping[str, str],
) -> ObjectClassifier:
    """Return a classifier trained on the features of pixels, (n_pixels, n_features), and their classes."""
    forest, importances, confusion = grow_forest(rows, classes, parameters)
    out_of_bag = {"classes": np.unique(classes).tolist(), "confusion": confusion.tolist()}
    return ObjectClassifier(
        features=parameters.parse_features(),
        forest=forest,
        ndim=ndim,
        positive_class=parameters.positive_class,
        max_depth=parameters.depth_limit or max(1, forest.depth),
        importances=importances,
        notes={**parameters.notes(), "out_of_bag": json.dumps(out_of_bag), **notes},
        normalize=parameters.normalize,
    )


def to_header(classifier: ObjectClassifier) -> dict[str, str]:
    """Return the header lines of a classifier, in APOC's order, followed by its notes."""
    header = {
        "classifier_class_name": classifier.class_name,
        "feature_specification": _NORMALIZE.get(classifier.normalize, "")
        + format_features(classifier.features),
        "num_ground_truth_dimensions": str(classifier.ndim),
        "num_classes": str(classifier.n_classes),
        "num_features": str(classifier.forest.n_features),
        "max_depth": str(classifier.max_depth),
        "num_trees": str(classifier.forest.n_trees),
    }
    if classifier.importances:
        header["feature_importances"] = ",".join(map(repr, classifier.importances))
    if classifier.class_name == "ObjectSegmenter":
        header["positive_class_identifier"] = str(classifier.positive_class)
    return {**header, **classifier.notes}


def from_header(content: ClassifierFile) -> dict[str, Any]:
    """Return the fields of a classifier from its header; other header lines are its notes.

    Raises
    ------
    ValueError
        If the header is incomplete or does not match the forest.
    """
    header, forest = dict(content.header), content.forest
    class_name = header.pop("classifier_class_name")
    specification = header.pop("feature_specification", "")
    normalize = next((name for name, mark in _NORMALIZE.items() if specification.startswith(mark)), None)
    specification = specification.removeprefix(_NORMALIZE.get(normalize, ""))
    features = parse_features(specification, allow_other_filters=True)
    if forest.n_features % len(features):
        raise ValueError(f"{forest.n_features} inputs are not a multiple of {len(features)} features")
    ndim = header.pop("num_ground_truth_dimensions", "missing")
    if ndim not in ("2", "3"):
        raise ValueError(f"num_ground_truth_dimensions is {ndim}: it must be 2 or 3")
    check_axes(features, int(ndim))
    importances = tuple(float(share) for share in header.pop("feature_importances", "").split(",") if share)
    if len(importances) not in (0, forest.n_features):
        raise ValueError(f"{len(importances)} feature_importances are given for {forest.n_features} inputs")
    positive_class = content.target_class
    if class_name == "ObjectSegmenter":
        positive_class = int(header.pop("positive_class_identifier", "2"))
        if not 1 <= positive_class <= forest.n_classes:
            raise ValueError(
                f"positive_class_identifier is {positive_class} and the classes are 1 to {forest.n_classes}; "
                "APOC renumbers classes without gaps: correct the number"
            )
    max_depth = header.pop("max_depth", "")
    for key in ("num_classes", "num_features", "num_trees"):
        header.pop(key, None)
    return {
        "features": features,
        "forest": forest,
        "ndim": int(ndim),
        "positive_class": positive_class,
        "class_name": class_name,
        "max_depth": int(max_depth) if max_depth.isdecimal() else forest.depth,
        "importances": importances,
        "notes": header,
        "normalize": normalize,
    }


def _asks_for_3d_sobel(forest: Forest, features: tuple[Feature, ...], ndim: int) -> bool:
    """Return whether a forest splits on the 3D Sobel filter, with which APOC reads beyond the image."""
    used = set(forest.feature[forest.feature >= 0] % len(features))
    return ndim == 3 and any(features[place].name == "sobel_of_gaussian_blur" for place in used)
