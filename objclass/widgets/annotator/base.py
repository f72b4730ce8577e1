"""Shared by the parts of the annotator: traits and state."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import traitlets

from objclass._common import checks
from objclass.objects.segmentation import SegmentationOptions
from objclass.pixels.classifier import ObjectClassifier
from objclass.pixels.features import FEATURE_SETS
from objclass.pixels.training import PRESETS, TrainingParameters
from objclass.widgets.annotator import arguments
from objclass.widgets.annotator.classifier_file import OwnFile
from objclass.widgets.annotator.images import AnnotatedImage
from objclass.widgets.annotator.scribbles import MAX_CLASS, Patch
from objclass.widgets.base import SliceWidget

_SETTABLE = (
    *("preset", "features", "max_depth", "n_estimators", "positive_class", "live"),
    "training_channels",
)


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


class AnnotatorBase(SliceWidget):
    """Traits of the annotator, and their validation."""

    classes = traitlets.List(traitlets.Dict(), help="value, name and colour of each class").tag(sync=True)
    positive_class = traitlets.Int(2, min=1, max=MAX_CLASS, help="the class of the objects").tag(sync=True)
    preset = traitlets.Unicode(None, allow_none=True, help="see train_object_classifier").tag(sync=True)
    features = traitlets.Unicode(help="a predefined set or a specification").tag(sync=True)
    max_depth = traitlets.Int(None, min=1, max=20, allow_none=True).tag(sync=True)
    n_estimators = traitlets.Int(100, min=1, max=1000).tag(sync=True)
    training_channels = traitlets.List(
        traitlets.Int(), help="the numbers of the channels that the classifier learns from"
    ).tag(sync=True)
    live = traitlets.Bool(False, help="train after each scribble").tag(sync=True)
    segmentation = traitlets.Dict(
        help="keywords of `segment`; for those that are missing, the classifier's preset counts",
    ).tag(sync=True)
    brush = traitlets.Dict(help="size, ball and class of the brush: as they were left").tag(sync=True)
    display = traitlets.Dict(help="what the view shows; only the browser uses it").tag(sync=True)
    state = traitlets.Dict(help="the state of the widget, for the browser").tag(sync=True)
    marks = traitlets.List(traitlets.List(), help="for each axis the planes with annotations").tag(sync=True)
    notices = traitlets.List(traitlets.Dict(), help="questions to the user").tag(sync=True)
    feature_sets = traitlets.List(traitlets.Unicode(), list(FEATURE_SETS), help="names on offer").tag(
        sync=True
    )
    shown = traitlets.Int(0, help="the number of the image that is shown").tag(sync=True)
    image_list = traitlets.List(
        traitlets.Dict(),
        help="name, annotated pixels and objects of each image, and the key of its scribbles in the browser",
    ).tag(sync=True)
    pictures = traitlets.List(traitlets.Bytes(), help="a small PNG of each image").tag(sync=True)
    path = traitlets.Unicode("", help="the classifier's file").tag(sync=True)
    save_to = traitlets.Unicode("", help="the file of the annotations").tag(sync=True)

    explorer_code = traitlets.Unicode("", help="the line of code that makes it").tag(sync=True)
    explorer_id = traitlets.Unicode("", help="the widget that Measure and explore has made").tag(sync=True)

    _ready = False  # until all is there
    _images: list[AnnotatedImage]
    _several: bool
    _ndim: int
    _spacing: tuple[float, ...] | None
    _unit: str | None
    _channel_names: Sequence[str] | None
    _random_state: int
    _normalize: str | None
    _file: OwnFile
    _classifier: ObjectClassifier | None
    _training: Training | None

    def __init__(self, *args: Any, **keywords: Any) -> None:
        self._telling = threading.RLock()
        super().__init__(*args, **keywords)

    @property
    def _shown(self) -> AnnotatedImage:
        """The image that is shown."""
        return self._images[self.shown]

    def _annotated(self) -> list[AnnotatedImage]:
        """Return the images with annotations."""
        return [image for image in self._images if image.has_annotations]

    @property
    def _version(self) -> int:
        """Goes up with each change of the annotations of any image."""
        return sum(image.scribbles.version for image in self._images if image.is_open)

    # What one part of the annotator needs of another.

    def _tell_image(self) -> None:
        raise NotImplementedError

    def _share(self, patches: Sequence[Patch], *, client: str = "", jump: bool = False) -> None:
        raise NotImplementedError

    def _after_change(self, image: AnnotatedImage, patches: Sequence[Patch]) -> None:
        raise NotImplementedError

    def _changed(self, patches: list[Patch], *, jump: bool = False) -> None:
        raise NotImplementedError

    def _annotations_changed(self) -> None:
        raise NotImplementedError

    def _say(self, text: str) -> None:
        raise NotImplementedError

    def _predicted_plane(self, axis: int, index: int) -> np.ndarray | None:
        raise NotImplementedError

    def _accept_loaded(self, classifier: ObjectClassifier) -> None:
        raise NotImplementedError

    def _save_classifier(self, classifier: ObjectClassifier) -> None:
        raise NotImplementedError

    def _leave_file(self) -> None:
        raise NotImplementedError

    def _ask(self, topic: str, text: str, choices: Mapping[str, str]) -> None:
        raise NotImplementedError

    @property
    def parameters(self) -> TrainingParameters:
        """The parameters of the next training."""
        return TrainingParameters(
            features=self.features,
            preset=self.preset,
            positive_class=self.positive_class,
            max_depth=self.max_depth,
            n_estimators=self.n_estimators,
            normalize=self._normalize,
            spacing=self._spacing,
            unit=self._unit,
            random_state=self._random_state,
        )

    @traitlets.validate("classes")
    def _check_class_list(self, proposal: Any) -> list[dict[str, Any]]:
        return arguments.check_classes(proposal.value)

    @traitlets.validate("segmentation")
    def _check_segmentation(self, proposal: Any) -> dict[str, Any]:
        try:
            options = SegmentationOptions(**proposal.value)
            if self.state:  # else it is being made
                options.of_preset(self._segmentation_preset)
        except (ValueError, TypeError) as failure:
            raise traitlets.TraitError(str(failure)) from failure
        return {name: value for name, value in proposal.value.items() if value is not None}

    @property
    def segmentation_options(self) -> SegmentationOptions:
        """How objects are made: what was chosen, and what the preset says of the rest."""
        chosen: dict[str, Any] = dict(self.segmentation)
        return SegmentationOptions(**chosen).of_preset(self._segmentation_preset)

    @property
    def _segmentation_preset(self) -> str:
        is_loaded = self._training is not None and self._training.file
        return self._classifier.preset if self._classifier and is_loaded else self.parameters.recipe

    def _on_option(self, content: Mapping[str, Any], _buffers: Sequence[Any]) -> None:
        """Set an option of the segmentation; an invalid one is refused and reset."""
        try:
            self.segmentation = {**self.segmentation, str(content["name"]): content["value"]}
            self.error = ""
        finally:
            self.send_state("segmentation")

    @traitlets.validate("preset")
    def _check_preset(self, proposal: Any) -> str | None:
        if proposal.value is not None and proposal.value not in PRESETS:
            raise traitlets.TraitError(
                f"preset: expected one of {', '.join(PRESETS)}, got {proposal.value!r}"
            )
        return proposal.value

    @traitlets.validate("training_channels")
    def _check_training_channels(self, proposal: Any) -> list[int]:
        try:
            chosen = checks.channel_numbers(
                proposal.value, None, len(self.channels), argument="training_channels"
            )
        except (ValueError, TypeError) as failure:
            raise traitlets.TraitError(str(failure)) from failure
        return list(chosen)

    @traitlets.validate("features")
    def _check_features(self, proposal: Any) -> str:
        try:
            arguments.check_features(proposal.value)
        except (ValueError, TypeError) as failure:
            raise traitlets.TraitError(str(failure)) from failure
        return str(proposal.value)

    def _on_set(self, content: Mapping[str, Any], _buffers: Sequence[Any]) -> None:
        """Set a parameter that the browser cannot check; an invalid one is refused and reset."""
        name = content["name"]
        if name not in _SETTABLE:
            raise checks.invalid("name", "a parameter of the widget", name)
        try:
            if name == "preset":
                self._choose_preset(content["value"])
            else:
                setattr(self, name, content["value"])
            self.error = ""
        finally:
            self.send_state(name)

    def _choose_preset(self, preset: str) -> None:
        """Select a preset, with its features, depth and segmentation options."""
        with self.hold_trait_notifications():
            self.preset = preset
            self.features, self.max_depth = PRESETS[preset], None

    def _tell(self, **changes: Any) -> None:
        """Update the state of the widget in one message."""
        with self._telling:
            state = {**self.state, **changes}
            if state != self.state:
                self.state = state
