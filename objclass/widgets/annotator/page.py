"""The images of an annotator, its classifier and what its page shows of them: shared by the components."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from objclass._common import checks
from objclass._common.compiling import notify_compiling
from objclass.objects.segmentation import SegmentationOptions
from objclass.pixels.classifier import ObjectClassifier
from objclass.pixels.training import PRESETS, TrainingParameters
from objclass.widgets.annotator.arguments import new_class
from objclass.widgets.annotator.images import AnnotatedImage
from objclass.widgets.annotator.protocol import AnnotatorTraits, ImageEntry

_OF_FOREST = ("preset", "features", "max_depth", "n_estimators", "positive_class")
SETTABLE = (*_OF_FOREST, "live", "training_channels")
"""The traits that say what is trained, and when."""


@dataclass(frozen=True)
class Training:
    """What a classifier was trained with; `parameters` do not count for one that was loaded from a `file`.

    `revision` and `version` go up with each change of the input, and of the scribbles alone.
    """

    revision: int
    parameters: TrainingParameters
    version: int
    channels: tuple[int, ...]
    file: str = ""


@dataclass(frozen=True, eq=False)
class Accepted:
    """A classifier that predicts from now on; `forest` is the same for those with the same trees."""

    classifier: ObjectClassifier
    training: Training
    quality: int
    forest: object

    @property
    def rank(self) -> tuple[int, int]:
        """The later and the more complete one of two is higher."""
        return self.training.revision, self.quality


class Page:
    """The images and their traits: who changes something lets the page show it.

    Attributes
    ----------
    images : list of AnnotatedImage
    several : bool
        Whether the user has given several images.
    channel_names : sequence of str or None
        The names that a classifier remembers.
    accepted : Accepted or None
        The classifier that was trained or loaded last.
    revision : int
        Goes up with each change of what a classifier is trained with.
    """

    def __init__(
        self,
        widget: AnnotatorTraits,
        images: Sequence[AnnotatedImage],
        *,
        channel_names: Sequence[str] | None,
        parameters: TrainingParameters,
    ):
        self.widget, self.images, source = widget, images, images[0].source
        self.several = bool(source.name)
        self.ndim, self.spacing, self.unit = source.ndim, source.spacing, source.unit
        self.channel_names, self._parameters = channel_names, parameters
        self.accepted: Accepted | None = None
        self.revision = 0
        self._telling = threading.RLock()
        self._answers: dict[str, Callable[[str], None]] = {}
        self.handlers = {"answer": self._answer, "option": self._set_option, "set": self._set}

    @property
    def shown(self) -> AnnotatedImage:
        """The image that is shown."""
        return self.images[self.widget.shown]

    def annotated(self) -> list[AnnotatedImage]:
        """Return the images with annotations."""
        return [image for image in self.images if image.has_annotations]

    def class_sizes(self) -> np.ndarray:
        """Return how many pixels each class has in all images that are open."""
        return np.sum([image.scribbles.class_sizes for image in self.images if image.is_open], axis=0)

    # What is trained and segmented with

    @property
    def parameters(self) -> TrainingParameters:
        """The parameters of the next training."""
        chosen = {name: getattr(self.widget, name) for name in _OF_FOREST}
        return replace(self._parameters, **chosen, spacing=self.spacing, unit=self.unit)

    def begin_training(self) -> Training:
        """Return what a training that begins now sees."""
        version = sum(image.scribbles.version for image in self.images if image.is_open)
        return Training(self.revision, self.parameters, version, tuple(self.widget.training_channels))

    def training_keywords(self, training: Training) -> dict[str, Any]:
        """Return the keywords of `train_object_classifier`; some of the channels always have names."""
        names, channels = self.channel_names, self.widget.channels
        if names is None and len(training.channels) < len(channels):
            names = [channel["name"] for channel in channels]
        named = {} if names is None else {"channel_names": [names[each] for each in training.channels]}
        return training.parameters.keywords() | named

    @property
    def segmentation_preset(self) -> str:
        """The preset of the options that were not chosen."""
        accepted = self.accepted
        is_loaded = accepted is not None and accepted.training.file
        return accepted.classifier.preset if accepted and is_loaded else self.parameters.recipe

    @property
    def segmentation_options(self) -> SegmentationOptions:
        """How objects are made: what was chosen, and what the preset says of the rest."""
        return SegmentationOptions(**self.widget.segmentation).of_preset(self.segmentation_preset)

    def is_current(self, image: AnnotatedImage) -> bool:
        """Whether the objects of an image are those of the present annotations, parameters and options."""
        if image.labels is None or self.accepted is None or self.widget.state.get("stale"):
            return False
        is_of_forest = image.segmented_with is self.accepted.forest
        return is_of_forest and image.segmented_how == self.widget.segmentation

    # What the page shows

    def tell(self, **changes: Any) -> None:
        """Update the state of the widget in one message."""
        with self._telling:
            state = {**self.widget.state, **changes}
            if state != self.widget.state:
                self.widget.set_trait("state", state)

    def tell_compiling(self) -> AbstractContextManager[Any]:
        """Return a context in which the page shows that functions are compiled."""
        return notify_compiling(lambda _: self.tell(compiling=True), after=0)

    def tell_options(self) -> None:
        """Show the options of the segmentation."""
        self.tell(segmentation=asdict(self.segmentation_options), recipe=self.parameters.recipe)

    def tell_stale(self) -> None:
        """Show whether the classifier and the objects of the shown image are out of date."""
        accepted, now = self.accepted, self.begin_training()
        trained = None if accepted is None else accepted.training
        stale = trained is not None and (
            trained.version != now.version
            or trained.channels != now.channels
            or not (trained.file or trained.parameters == now.parameters)
        )
        self.tell(stale=stale)
        self.tell(objects_stale=self.shown.labels is not None and not self.is_current(self.shown))

    def tell_image(self) -> None:
        """Show what is known of the images, and more of the shown one."""
        image = self.shown
        self.widget.marks = [image.scribbles.marks(axis) for axis in range(3)]
        sizes = image.scribbles.class_sizes
        self.tell(
            painted={str(value): int(sizes[value]) for value in np.flatnonzero(sizes)},
            used=np.flatnonzero(self.class_sizes()).tolist(),
            undo=image.scribbles.history.can_undo,
            redo=image.scribbles.history.can_redo,
            objects=None if image.labels is None else int(image.labels.max(initial=0)),
            objects_version=image.objects_version,
            saved=image.saved.get("saved", ""),
            unsaved=image.saved.get("unsaved", ""),
        )
        self.widget.image_list = [self._describe(*numbered) for numbered in enumerate(self.images)]

    def _describe(self, number: int, image: AnnotatedImage) -> ImageEntry:
        return {
            "name": image.name,
            "key": f"{image.save_to or self.widget.model_id} {number} {image.source.shape}",
            "painted": int(image.scribbles.class_sizes.sum()) if image.is_open else 0,
            "objects": None if image.labels is None else int(image.labels.max(initial=0)),
        }

    def list_classes(self) -> None:
        """List each class that is painted: undo may bring back one that was removed."""
        listed = {item["value"] for item in self.widget.classes}
        unlisted = [value for value in np.flatnonzero(self.class_sizes()).tolist() if value not in listed]
        if unlisted:
            self.widget.classes = [*self.widget.classes, *map(new_class, unlisted)]

    def say(self, text: str) -> None:
        """Show a message in the view for a moment."""
        self.widget.send({"kind": "say", "text": text})

    def ask(self, topic: str, text: str, choices: Mapping[str, str], answer: Callable[[str], None]) -> None:
        """Ask the user, and call ``answer(choice)``."""
        self._answers[topic] = answer
        others = [notice for notice in self.widget.notices if notice["topic"] != topic]
        listed: Any = [{"value": value, "text": label} for value, label in choices.items()]
        self.widget.notices = [*others, {"topic": topic, "text": text, "choices": listed}]

    def _answer(self, content: Mapping[str, Any]) -> None:
        topic = content["topic"]
        self.widget.notices = [notice for notice in self.widget.notices if notice["topic"] != topic]
        self.widget.error = ""
        self._answers[topic](content["value"])

    def _set_option(self, content: Mapping[str, Any]) -> None:
        """Set an option of the segmentation; an invalid one is refused and reset."""
        try:
            chosen = {str(content["name"]): content["value"]}
            self.widget.segmentation = {**self.widget.segmentation, **chosen}
            self.widget.error = ""
        finally:
            self.widget.send_state("segmentation")

    def _set(self, content: Mapping[str, Any]) -> None:
        """Set a parameter that the browser cannot check; an invalid one is refused and reset."""
        name = checks.check_option("name", content["name"], SETTABLE)
        try:
            if name == "preset":
                self._choose_preset(content["value"])
            else:
                self.widget.set_trait(name, content["value"])
            self.widget.error = ""
        finally:
            self.widget.send_state(name)

    def _choose_preset(self, preset: str) -> None:
        """Select a preset, with its features, depth and segmentation options."""
        with self.widget.hold_trait_notifications():
            self.widget.preset = preset
            self.widget.features, self.widget.max_depth = PRESETS[preset], None
