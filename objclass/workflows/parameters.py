"""The parameters of runs and batches, shared by the command line, records and repetitions."""

from __future__ import annotations

import dataclasses
import json
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from objclass._common.checks import check_number, check_option, check_spacing, invalid
from objclass._common.compile_ahead import compile_ahead
from objclass._common.progress import Progress
from objclass._common.sizes import parse_size
from objclass.objects.segmentation import SegmentationOptions
from objclass.pixels.training import TrainingParameters
from objclass.workflows.reading import Picture, Reading, common_spacing

if TYPE_CHECKING:
    from objclass.pixels.classifier import ObjectClassifier

_SHARED = ("positive_class", "spacing", "unit", "random_state")  # with other steps, or from the file


def _names(kind: Any) -> tuple[str, ...]:
    """Return the names of the fields of a dataclass."""
    return tuple(one.name for one in dataclasses.fields(kind))


def _given(**values: Any) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


TRAINING = tuple(name for name in _names(TrainingParameters) if name not in _SHARED)
"""Parameters of `objclass.train_object_classifier` alone."""
_GROUPS: dict[str, tuple[Callable[..., Any], tuple[str, ...]]] = {
    "reading": (Reading, _names(Reading)),
    "segmentation": (SegmentationOptions, _names(SegmentationOptions)),
    "training": (_given, TRAINING),
}
"""The fields that hold several parameters: what makes them, and the names of these."""


@dataclass(frozen=True)
class ObjectParameters:
    """The parameters that determine the objects, together with image and classifier.

    Parameters
    ----------
    reading : Reading
        The part of a file to read, and the voxel size.
    segmentation : SegmentationOptions
        Parameters of `objclass.segment`; None selects the value of the preset of the classifier.
    max_size : float or str, optional
        Remove objects larger than this: voxels, or a physical size as "4 um3".
    exclude_border : bool
        Remove objects that touch the border of the image.
    engine : str
        The compute engine.
    """

    reading: Reading = field(default_factory=Reading)
    segmentation: SegmentationOptions = field(default_factory=SegmentationOptions)
    max_size: float | str | None = None
    exclude_border: bool = False
    engine: str = "cpu"

    def __post_init__(self) -> None:
        from objclass.pixels.prediction import ENGINES, choose_engine

        check_option("engine", self.engine, ENGINES)
        object.__setattr__(self, "engine", choose_engine(self.engine))
        if self.max_size is not None:
            largest = parse_size("max_size", self.max_size)
            smallest = parse_size("min_size", self.segmentation.min_size or 0)
            is_same = (largest.unit, largest.power) == (smallest.unit, smallest.power)
            if largest.value <= 0 or (is_same and largest.value < smallest.value):
                got = f"{self.max_size} with min_size={self.segmentation.min_size}"
                raise invalid("max_size", "a size above 0 and of at least min_size", got)
        if not isinstance(self.exclude_border, bool):
            raise invalid("exclude_border", "True or False", self.exclude_border)

    @classmethod
    def of(cls, **given: Any) -> Self:
        """Create parameters from their names, regardless of the step that they belong to.

        Raises
        ------
        ValueError
            If one is unknown or out of range.
        """
        groups: dict[str, Any] = {}
        for group in (name for name in _names(cls) if name in _GROUPS):
            make, names = _GROUPS[group]
            groups[group] = make(**{name: given.pop(name) for name in names if name in given})
        unknown = sorted({*given} - {*cls.names()})
        if unknown:
            raise invalid("parameters", f"some of {', '.join(cls.names())}", ", ".join(unknown))
        return cls(**groups, **given)

    @classmethod
    def names(cls) -> list[str]:
        """Return the names that `of` accepts."""
        return [each for name in _names(cls) for each in (_GROUPS[name][1] if name in _GROUPS else (name,))]

    def flat(self) -> dict[str, Any]:
        """Return all parameters by name, JSON-serializable; the inverse of `of`."""
        values = json.loads(json.dumps(dataclasses.asdict(self)))
        for name in _GROUPS:
            values |= values.pop(name, None) or {}
        return values

    def find_objects(
        self, picture: Picture, classifier: ObjectClassifier, *, progress: Progress = False
    ) -> np.ndarray:
        """Segment an image: int32 labels 1…n."""
        from objclass.objects.filtering import exclude_border, exclude_large
        from objclass.objects.segmentation import segment_with

        labels = segment_with(
            picture.segmented,
            classifier,
            self.segmentation,
            spacing=picture.spacing,
            engine=self.engine,
            progress=progress,
        )
        if self.exclude_border:
            labels = exclude_border(labels)
        if self.max_size is not None:
            labels = exclude_large(labels, self.max_size, spacing=picture.spacing)
        return labels

    def compare_with_training(self, picture: Picture, classifier: ObjectClassifier) -> list[str]:
        """Return messages about differences between an image and the training images."""
        from objclass.pixels.comparison import compare_with_training

        image, spacing = picture.segmented, picture.spacing
        channels = image if image.ndim > picture.ndim else image[np.newaxis]
        if spacing is not None:
            spacing = None if self.segmentation.match_spacing else spacing[-classifier.ndim :]
        return compare_with_training(channels, classifier, spacing=spacing)

    def check_axes(self, ndim: int) -> None:
        """Raise if a voxel size, or a physical size, is for another number of axes."""
        for name in ("spacing", "default_spacing"):
            check_spacing(getattr(self.reading, name), ndim, argument=name)
        for name, size in (("min_size", self.segmentation.min_size), ("max_size", self.max_size)):
            if size is not None and (parsed := parse_size(name, size)).power:
                parsed.in_voxels(name, 1.0, ndim)

    def resolved(self, classifier: ObjectClassifier) -> Self:
        """Return the parameters with None replaced by the values of the classifier's preset."""
        return dataclasses.replace(self, segmentation=self.segmentation.of_classifier(classifier))


@dataclass(frozen=True)
class Parameters(ObjectParameters):
    """The parameters that determine the results of a run, together with the input files.

    Parameters
    ----------
    training : mapping
        Arguments of `objclass.train_object_classifier`; empty if a classifier is given.
    reduce, cluster : str
        Methods of `objclass.reduce` and `objclass.cluster`.
    n_clusters : int, optional
        The number of clusters, for methods of `objclass.cluster` that take it; by default 3.
    random_state : int
        The seed of all random steps.

    Examples
    --------
    >>> Parameters.of(min_size=5, n_estimators=10).flat()["n_estimators"]
    10
    """

    training: Mapping[str, Any] = field(default_factory=dict)
    reduce: str = "umap"
    cluster: str = "kmeans"
    n_clusters: int | None = None
    random_state: int = 0

    def __post_init__(self) -> None:
        from objclass.tables import clustering, reduction

        super().__post_init__()
        TrainingParameters(**self.training)
        check_option("reduce", self.reduce, reduction.METHODS)
        check_option("cluster", self.cluster, clustering.METHODS)
        number = clustering.number_of_clusters(self.cluster, self.n_clusters)
        object.__setattr__(self, "n_clusters", number)  # what is used, for the record
        check_number("random_state", self.random_state, low=0, high=2**32 - 1, integer=True)

    def compile_ahead(self) -> None:
        """Begin to compile in a second process what steps after the training will need."""
        compile_ahead("splitting", *(["umap"] if self.reduce == "umap" else []), "measuring")

    def train(self, pictures: Sequence[Picture], annotations: Sequence[np.ndarray]) -> ObjectClassifier:
        """Train a classifier from scribbles."""
        from objclass.pixels.classifier import train_object_classifier

        positive = self.segmentation.positive_class
        if isinstance(positive, tuple):
            raise invalid("positive_class", "one class to train for", positive)
        spacing = common_spacing(pictures)
        images, scribbles = [picture.segmented for picture in pictures], list(annotations)
        if self.segmentation.planewise:
            images, scribbles = _annotated_planes(images, scribbles)
            spacing = spacing and spacing[-2:]
        is_one = len(images) == 1
        names = {picture.segmented_names for picture in pictures}
        known = sorted(", ".join(each) for each in names if each)
        if self.reading.channel is not None and len(known) > 1:
            warnings.warn(
                f"The chosen channels have different names in the images: {'; '.join(known)}. Choose them by "
                "name.",
                stacklevel=2,
            )
        return train_object_classifier(
            images[0] if is_one else images,
            scribbles[0] if is_one else scribbles,
            positive_class=2 if positive is None else positive,
            spacing=spacing,
            unit=None if spacing is None else pictures[0].unit,
            channel_names=names.pop() if len(names) == 1 else None,
            random_state=self.random_state,
            **self.training,
        )


def _annotated_planes(
    images: Sequence[np.ndarray], annotations: Sequence[np.ndarray]
) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Return the planes of stacks that have scribbles, and these."""
    planes, scribbles = [], []
    for image, stack in zip(images, annotations, strict=True):
        if stack.ndim != 3:
            raise invalid("planewise", "scribbles on stacks, (z, y, x)", f"some of shape {stack.shape}")
        for z in np.flatnonzero(stack.any(axis=(1, 2))):
            planes.append(image[..., z, :, :])
            scribbles.append(stack[z])
    if not planes:
        raise invalid("annotations", "annotated pixels", "none: all are 0")
    return planes, scribbles
