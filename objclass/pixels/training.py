"""The steps of `train_object_classifier`."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import warnings
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields
from functools import cache
from importlib import metadata
from typing import Any

import numpy as np

from objclass import __version__
from objclass._common.checks import (
    check_float32,
    check_image,
    check_number,
    check_option,
    check_spacing,
    check_unit,
    invalid,
    is_list,
)
from objclass._common.parallel import map_tiles, n_threads
from objclass.pixels.features import APOC_SETS, Feature, parse_features, scale_features
from objclass.pixels.forest import MAX_CLASSES, MAX_DEPTH, MAX_TREES, Forest
from objclass.pixels.kernels.forest import add_unseen_votes
from objclass.pixels.normalization import NORMALIZATIONS, image_range, normalize_rows
from objclass.pixels.sampling import describe_pixels

Pairs = list[tuple[np.ndarray, np.ndarray]]

_LIMITS = {
    "positive_class": (1, MAX_CLASSES),
    "max_depth": (1, MAX_DEPTH),
    "n_estimators": (1, MAX_TREES),
    "random_state": (0, 2**32 - 1),
}
MAX_CHANNELS = 16
"""A longer first axis is assumed to be planes or time points rather than channels."""
_SCRIBBLES = "an integer array: 0 not annotated, 1 background, 2 object, and optional further classes"
_LABELS = "For labelled objects pass numpy.where(labels > 0, 2, 1)."
FEWEST_STEPS = 1024
"""The minimum range of the pixels of an image in steps of float32."""
MAX_COLOUR_CLASS = 16
FEWEST_LABELS = 10
_PAINT = "Add a few scribbles of each class, for example background = 1 and object = 2."


PRESETS = {"default": "edges_1_to_8_px", "apoc": "object_size_1_to_5_px"}
"""The features of each preset."""
APOC_DEPTH = 2
MIN_LEAF = 10
_LEAVES = 20
_ROWS_OUT_OF_BAG = 2**13  # for each task
_RECORD = "training_parameters"
_VOXEL_SIZE = "voxel_size"
_KEPT = ("max_depth", "class_weight", "isotropic")


@cache
def _apoc_sets() -> frozenset[tuple[Feature, ...]]:
    return frozenset(map(parse_features, APOC_SETS))


@dataclass(frozen=True)
class TrainingParameters:
    """The parameters of `train_object_classifier` other than image, annotations and path."""

    features: str | Iterable[str | Feature] | None = None
    preset: str | None = None
    positive_class: int = 2
    max_depth: int | None = None
    n_estimators: int = 100
    class_weight: str | None = None
    normalize: str | None = None
    isotropic: bool = False
    spacing: tuple[float, ...] | None = None
    unit: str | None = None
    random_state: int = 0

    def __post_init__(self) -> None:
        for name, (low, high) in _LIMITS.items():
            value = getattr(self, name)
            if name != "max_depth" or value is not None:
                check_number(name, value, low=low, high=high, integer=True)
        if self.features is not None and not isinstance(self.features, str):
            object.__setattr__(self, "features", parse_features(self.features))
        if self.preset is not None:
            check_option("preset", self.preset, PRESETS)
        if self.class_weight is not None:
            check_option("class_weight", self.class_weight, ["balanced"])
        check_unit(self.unit, self.spacing)
        if self.normalize is not None:
            check_option("normalize", self.normalize, NORMALIZATIONS)
        if not isinstance(self.isotropic, bool):
            raise invalid("isotropic", "True or False", self.isotropic)

    @property
    def recipe(self) -> str:
        """The preset; "apoc" also for one of APOC's feature sets, by its name or as a specification."""
        if self.preset is not None:
            return self.preset
        is_of_apoc = self.features is not None and parse_features(self.features) in _apoc_sets()
        return "apoc" if is_of_apoc else "default"

    @property
    def depth_limit(self) -> int | None:
        """The maximum depth of a tree; None if there is no limit."""
        return self.max_depth or (APOC_DEPTH if self.recipe == "apoc" else None)

    def parse_features(self) -> tuple[Feature, ...]:
        """Return the features of each channel, scaled by the voxel size except for APOC."""
        features = parse_features(PRESETS[self.recipe] if self.features is None else self.features)
        in_voxels = self.isotropic or self.recipe == "apoc"
        return features if in_voxels else scale_features(features, self.spacing)

    def keywords(self) -> dict[str, Any]:
        """Return the parameters that differ from their defaults, for `train_object_classifier`."""
        values = ((field, getattr(self, field.name)) for field in fields(self))
        return {field.name: value for field, value in values if value != field.default}

    def notes(self) -> dict[str, str]:
        """Return the parameters that are not stored in other lines of a classifier's file."""
        kept = {"preset": self.recipe, **{name: getattr(self, name) for name in _KEPT}}
        notes = {"random_state": str(self.random_state), _RECORD: json.dumps(kept)}
        if self.spacing is not None:
            sizes = " ".join(repr(size).removesuffix(".0") for size in self.spacing)
            notes[_VOXEL_SIZE] = f"{sizes} {self.unit or ''}".rstrip()
        return notes


def recorded_parameters(notes: Mapping[str, str]) -> dict[str, Any]:
    """Return the parameters from `TrainingParameters.notes`, without random state; by default APOC's."""
    try:
        kept = json.loads(notes.get(_RECORD, ""))
        kept = asdict(TrainingParameters(**kept))
    except (ValueError, TypeError):
        return {"preset": "apoc", "max_depth": None, "class_weight": None, "isotropic": False}
    return {name: kept[name] for name in ("preset", *_KEPT)}


def recorded_spacing(notes: Mapping[str, str], ndim: int) -> tuple[tuple[float, ...] | None, str | None]:
    """Return the voxel size of the training and its unit from `TrainingParameters.notes`."""
    words = notes.get(_VOXEL_SIZE, "").split(maxsplit=ndim)
    try:
        spacing = check_spacing(list(map(float, words[:ndim])) or None, ndim)
    except ValueError:
        return None, None
    return spacing, (words[ndim] if len(words) > ndim else None)


def check_scribbles(image: Any, annotations: Any) -> Pairs:
    """Return the images, channels first, each with its annotations of the spatial shape as uint8."""
    if is_list(image) != is_list(annotations) or (is_list(image) and len(image) != len(annotations)):
        given = (
            f"a list of {len(value)}" if is_list(value) else "one array" for value in (image, annotations)
        )
        hint = "Combine the channels of one image with numpy.stack(channels)."
        raise invalid("annotations", "one array for each image", " and ".join(given), hint)
    if is_list(image):
        pairs = [_check_pair(*pair, f"[{i}]") for i, pair in enumerate(zip(image, annotations, strict=True))]
    else:
        pairs = [_check_pair(image, annotations, "")]
    first_image, first_scribbles = pairs[0]
    for i, (one, scribbles) in enumerate(pairs):
        if (one.shape[0], scribbles.ndim) != (first_image.shape[0], first_scribbles.ndim):
            expected = f"{first_image.shape[0]} channels in {first_scribbles.ndim}D as in image[0]"
            raise invalid(f"image[{i}]", expected, one)
    return pairs


def collect_rows(
    pairs: Pairs, features: tuple[Feature, ...], *, normalize: str | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Return the features of the annotated pixels, in raster order, and their classes."""
    from objclass.pixels.extraction import features_at

    annotated = [(image, scribbles, scribbles > 0) for image, scribbles in pairs if scribbles.any()]
    parts = [features_at(image, features, mask) for image, _, mask in annotated]
    if normalize is not None:
        ranges = [image_range(image) for image, _, _ in annotated]
        parts = [
            normalize_rows(rows, features, one, pairs[0][1].ndim)
            for rows, one in zip(parts, ranges, strict=True)
        ]
    return np.concatenate(parts), np.concatenate([scribbles[mask] for _, scribbles, mask in annotated])


def grow_forest(
    rows: np.ndarray, classes: np.ndarray, parameters: TrainingParameters
) -> tuple[Forest, tuple[float, ...], np.ndarray]:
    """Return a forest, the importance of each feature, and the out-of-bag confusion matrix.

    For the preset "apoc" it is a random forest of depth 2. Otherwise it consists of extremely randomized
    trees with at least `MIN_LEAF` pixels per leaf, fewer if few are annotated. Values are replaced by their
    ranks among annotated pixels: uniformly drawn thresholds would be far above most values if some pixels
    are much brighter, and faint objects would be lost.

    References
    ----------
    .. [1] P. Geurts, D. Ernst, L. Wehenkel, Extremely randomized trees, Machine Learning 63 (2006) 3-42
    """
    from sklearn.ensemble import ExtraTreesClassifier, RandomForestClassifier

    common: dict[str, Any] = {
        "n_estimators": parameters.n_estimators,
        "class_weight": parameters.class_weight,
        "random_state": parameters.random_state,
        "n_jobs": n_threads(),
    }
    if parameters.recipe == "apoc":
        model: Any = RandomForestClassifier(max_depth=parameters.depth_limit, **common)
        return fit_forest(model, rows, classes)
    rarest = np.unique(classes, return_counts=True)[1].min()
    least = max(1, min(MIN_LEAF, len(rows) // _LEAVES, rarest // 2))
    max_depth = parameters.depth_limit or MAX_DEPTH
    model = ExtraTreesClassifier(max_depth=max_depth, min_samples_leaf=least, bootstrap=True, **common)
    ranks = Ranks(rows)
    forest, importances, confusion = fit_forest(model, ranks.rows, classes)
    return ranks.to_values(forest), importances, confusion


class Ranks:
    """The rank of each value among the values of its feature.

    Parameters
    ----------
    rows : ndarray, (n_pixels, n_features)

    Attributes
    ----------
    rows : ndarray of float32, (n_pixels, n_features)
        The ranks, averaged over ties.
    """

    def __init__(self, rows: np.ndarray) -> None:
        self.rows = np.empty(rows.shape, np.float32)
        self._features = []
        for feature, values in enumerate(rows.T):
            distinct, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
            ranks = np.cumsum(counts) - counts / 2
            self.rows[:, feature] = ranks[inverse]
            self._features.append((distinct, ranks))

    def to_values(self, forest: Forest) -> Forest:
        """Convert a forest trained on ranks to one on values with the same splits."""
        threshold = np.zeros(forest.n_nodes, np.float32)
        for feature, (distinct, ranks) in enumerate(self._features):
            nodes = np.flatnonzero(forest.feature == feature)
            cuts = forest.threshold[nodes]
            # scikit-learn assigns a rank equal to the threshold to the left child.
            above = np.clip(np.searchsorted(ranks, cuts, side="right"), 1, max(1, len(distinct) - 1))
            low, high = distinct[above - 1], distinct[np.minimum(above, len(distinct) - 1)]
            between = np.interp(cuts, ranks, distinct).astype(np.float32)
            threshold[nodes] = np.clip(between, np.nextafter(low, np.float32(np.inf)), high)
        return dataclasses.replace(forest, threshold=threshold)


def fit_forest(
    model: Any, rows: np.ndarray, classes: np.ndarray
) -> tuple[Forest, tuple[float, ...], np.ndarray]:
    """Fit a tree ensemble of scikit-learn; see `grow_forest`."""
    rows = np.ascontiguousarray(rows, np.float32)
    # scikit-learn's threads reset the warning filters of the whole process concurrently and may not restore
    # them: ignore their warnings and restore the filters.
    with warnings.catch_warnings(record=True):
        warnings.simplefilter("ignore")
        model.fit(rows, classes)
        importances = tuple(map(float, model.feature_importances_))
    trees = [estimator.tree_ for estimator in model.estimators_]
    n_nodes = [tree.node_count for tree in trees]
    roots = np.cumsum([0, *n_nodes[:-1]])

    def join(name: str) -> np.ndarray:
        return np.concatenate([getattr(tree, name) for tree in trees])

    left, right = join("children_left"), join("children_right")
    is_leaf, first = left < 0, np.repeat(roots, n_nodes)
    leaves = np.flatnonzero(is_leaf)
    votes = np.zeros((is_leaf.size, int(model.classes_[-1])))
    votes[leaves[:, np.newaxis], model.classes_ - 1] = join("value")[leaves, 0]
    forest = Forest(
        feature=np.where(is_leaf, -1, join("feature")),
        threshold=np.where(is_leaf, 0, join("threshold")),
        left=np.where(is_leaf, -1, left + first),
        right=np.where(is_leaf, -1, right + first),
        leaf=votes,
        roots=roots,
        n_features=rows.shape[1],
    )
    return forest, importances, _confusion(_votes_out_of_bag(model, forest, rows), classes)


def _confusion(votes: np.ndarray, classes: np.ndarray) -> np.ndarray:
    """Return the confusion matrix of the rows with votes: true classes in rows, predicted ones in columns."""
    voted, n_classes = np.flatnonzero(np.einsum("rc->r", votes)), votes.shape[1]
    pairs = (classes[voted].astype(np.int64) - 1) * n_classes + votes[voted].argmax(axis=1)
    present = np.flatnonzero(np.bincount(classes)[1:])
    confusion = np.bincount(pairs, minlength=n_classes**2).reshape(n_classes, n_classes)
    return confusion[np.ix_(present, present)]


def _votes_out_of_bag(model: Any, forest: Forest, rows: np.ndarray) -> np.ndarray:
    """Return the votes for each row of the trees that have not seen it: (n_rows, n_classes).

    They are those of scikit-learn's `oob_score`, bit by bit.
    """
    unseen = np.ones((forest.n_trees, len(rows)), bool)
    for mask, seen in zip(unseen, model.estimators_samples_, strict=True):
        mask[seen] = False
    # A float32 value is at most scikit-learn's threshold in float64 where it is at most the float32 below it.
    exact = np.concatenate([estimator.tree_.threshold for estimator in model.estimators_])
    below = exact.astype(np.float32)
    below = np.where(below > exact, np.nextafter(below, np.float32(-np.inf)), below)
    nodes = np.stack([forest.feature, below.view(np.int32), forest.right, forest.left], axis=1)
    features, votes = rows.T, np.zeros((len(rows), forest.n_classes))

    def add_votes(first: int) -> None:
        end = min(first + _ROWS_OUT_OF_BAG, len(rows))
        add_unseen_votes(features, first, end, unseen, forest.roots, nodes, forest.leaf, votes)

    map_tiles(add_votes, range(0, len(rows), _ROWS_OUT_OF_BAG))
    return votes / np.maximum(unseen.sum(axis=0), 1)[:, np.newaxis]


def count_classes(pairs: Pairs) -> np.ndarray:
    """Return the number of annotated pixels of each class; 0 (not annotated) is not counted."""
    annotated = [scribbles[scribbles > 0] for _, scribbles in pairs]
    return np.sum([np.bincount(classes, minlength=MAX_CLASSES + 1) for classes in annotated], axis=0)


def describe_training(pairs: Pairs) -> dict[str, str]:
    """Return the metadata of a training: versions and checksum of the data."""
    digest = hashlib.sha256()
    for pair in pairs:
        for array in pair:
            digest.update(f"{array.shape} {array.dtype.newbyteorder('<').str} ".encode())
            plain = np.ascontiguousarray(array, array.dtype.newbyteorder("<"))
            digest.update(plain.reshape(-1).view(np.uint8).data)
    counts = count_classes(pairs)
    return {
        "annotated_pixels": " ".join(f"{c}:{counts[c]}" for c in np.flatnonzero(counts)),
        **describe_pixels([image for image, _ in pairs]),
        "training_data": f"sha256:{digest.hexdigest()}",
        "objclass_version": __version__,
        "scikit_learn_version": metadata.version("scikit-learn"),
    }


def _check_pair(image: Any, annotations: Any, place: str) -> tuple[np.ndarray, np.ndarray]:
    name = f"annotations{place}"
    # A masked pixel is not annotated, whatever value lies under the mask.
    scribbles = np.ma.filled(annotations, 0) if np.ma.is_masked(annotations) else np.asarray(annotations)
    _check_no_picture(scribbles, np.shape(image), name)
    if scribbles.dtype.kind == "f" and np.array_equal(scribbles, np.round(scribbles)):
        scribbles = scribbles.astype(np.int64)
    if scribbles.dtype.kind not in "iu":
        hint = "Convert them with annotations.astype(numpy.uint8)."
        raise invalid(name, _SCRIBBLES, scribbles, hint, kind=TypeError)
    if scribbles.ndim not in (2, 3) or scribbles.size == 0:
        raise invalid(name, "an array of axes (y, x) or (z, y, x)", scribbles)
    lowest, highest = int(scribbles.min()), int(scribbles.max())
    if lowest < 0 or highest > MAX_CLASSES:
        got = f"{lowest if lowest < 0 else highest} among them"
        raise invalid(name, f"classes of 0 to {MAX_CLASSES}", got, f"0 means not annotated. {_LABELS}")
    scribbles = scribbles.astype(np.uint8)
    _check_no_labels(scribbles, name)
    checked = check_image(image, scribbles.shape, shape_of=name, argument=f"image{place}")
    if len(checked) > MAX_CHANNELS:
        hint = (
            "For planes, annotate the stack in 3D. For time points, pass one of them, image[0]. "
            "For channels, select those to train on, as image[[0, 3]]."
        )
        raise invalid(f"image{place}", f"at most {MAX_CHANNELS} channels", np.asarray(image), hint)
    check_pixels(checked, argument=f"image{place}")
    return checked, scribbles


def check_pixels(image: np.ndarray, *, argument: str = "image") -> None:
    """Raise unless the pixels of an image are within the range and resolution of float32."""
    check_float32(image, argument=argument)
    if may_lose_steps(image.dtype):
        for channel in image:
            check_range(float(channel.min()), float(channel.max()), image.dtype, argument=argument)


def may_lose_steps(dtype: np.dtype[Any]) -> bool:
    """Return whether float32 may not resolve all pixels of this type."""
    return dtype.kind not in "iub" or dtype.itemsize > 2


def check_range(low: float, high: float, dtype: np.dtype[Any], *, argument: str = "image") -> None:
    """Raise unless float32 resolves pixels of this type from `low` to `high`."""
    step = float(np.spacing(np.float32(max(abs(low), abs(high)))))
    exact = dtype.kind in "iub" and step <= 1
    if low < high < low + FEWEST_STEPS * step and not exact:
        got = f"pixels from {low:.10g} to {high:.10g}, which float32 resolves in steps of {step:.3g}"
        hint = "Subtract the minimum: image - image.min()."
        raise invalid(argument, f"a range of at least {FEWEST_STEPS} steps of float32", got, hint)


def _check_no_picture(scribbles: np.ndarray, image_shape: tuple[int, ...], name: str) -> None:
    """Raise if annotations are an RGB image, and list its colours."""
    if scribbles.ndim != 3 or scribbles.dtype.kind not in "iu":
        return
    spatial = image_shape[-2:]
    last = scribbles.shape[-1] in (3, 4) and scribbles.shape[:2] == spatial
    first = scribbles.shape[0] in (3, 4) and scribbles.shape[1:] == spatial
    if first and scribbles.shape == image_shape[-3:] and scribbles.max() <= MAX_COLOUR_CLASS:
        return
    if not (first or last):
        return
    colours = (scribbles if last else np.moveaxis(scribbles, 0, -1))[..., :3].reshape(-1, 3)
    found, counts = np.unique(colours[colours.any(axis=1)], axis=0, return_counts=True)
    most = [tuple(map(int, found[at])) for at in np.argsort(-counts)[:4]]
    classes = " + ".join(f"{n} * (picture == {colour}).all(axis=-1)" for n, colour in enumerate(most, 1))
    moved = "" if last else ", with picture = numpy.moveaxis(annotations, 0, -1)"
    hint = f"Convert its colours to classes, for example {classes}{moved}." if most else ""
    raise invalid(name, "one integer for each pixel", f"an RGB image of shape {scribbles.shape}", hint)


def _check_no_labels(scribbles: np.ndarray, name: str) -> None:
    """Raise if annotations are a mask or labels."""
    import cc3d

    numbers = np.flatnonzero(np.bincount(scribbles.ravel(), minlength=2)[1:]) + 1
    if numbers.tolist() == [255]:
        hint = "For a complete mask pass numpy.where(mask > 0, 2, 1)."
        raise invalid(name, _SCRIBBLES, "a mask of 0 and 255, without background", hint)
    if len(numbers) < FEWEST_LABELS:
        return
    pieces = cc3d.connected_components(
        scribbles, connectivity=8 if scribbles.ndim == 2 else 26, return_N=True
    )[1]
    if pieces == len(numbers):
        got = f"{len(numbers)} classes of one connected component each, which look like labels"
        raise invalid(name, _SCRIBBLES, got, _LABELS)


def check_classes(pairs: Pairs, positive_class: int) -> None:
    """Raise unless at least two classes are annotated, the positive one among them."""
    classes = np.flatnonzero(count_classes(pairs)).tolist()
    if not classes:
        raise invalid("annotations", "annotated pixels", "none: all are 0", _PAINT)
    found = f"class {classes[0]} only" if len(classes) == 1 else f"classes {', '.join(map(str, classes))}"
    if len(classes) == 1:
        raise invalid("annotations", "at least two classes", found, _PAINT)
    if positive_class not in classes:
        hint = "Annotate some, or pass another positive_class."
        raise invalid("annotations", f"pixels of the positive class {positive_class}", found, hint)
