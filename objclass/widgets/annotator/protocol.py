"""What the annotator's kernel and its page share: the traits, and the type of each that is a dict."""

from __future__ import annotations

from typing import Any, TypedDict

import traitlets

from objclass._common import checks
from objclass.pixels.features import FEATURE_SETS
from objclass.pixels.forest import MAX_DEPTH, MAX_TREES
from objclass.pixels.training import PRESETS, TrainingParameters
from objclass.widgets.annotator import arguments
from objclass.widgets.annotator.arguments import PixelClass
from objclass.widgets.annotator.scribbles import MAX_CLASS
from objclass.widgets.background import Task
from objclass.widgets.base import SliceWidget, synced
from objclass.widgets.view3d.meshes import Models


class Brush(TypedDict, total=False):
    """The brush, its class, and what the right button and the wheel do: as they were left."""

    size: int
    ball: bool
    value: int
    right: str
    wheel: str


class Display(TypedDict, total=False):
    """What the view shows over the image; only the browser uses it."""

    overlay: str
    contour: bool
    opacity: float
    annotations: bool


class State(TypedDict, total=False):
    """The state of the annotator and of the shown image."""

    segmentation: dict[str, Any]
    recipe: str
    painted: dict[str, int]
    used: list[int]
    undo: bool
    redo: bool
    objects: int | None
    objects_version: int
    saved: str
    unsaved: str
    task: Task
    training: bool
    compiling: bool
    suggesting: bool
    trained: bool
    exact: bool
    stale: bool
    objects_stale: bool
    file: str


class Choice(TypedDict):
    """An answer, and its text."""

    value: str
    text: str


class Notice(TypedDict):
    """A question to the user."""

    topic: str
    text: str
    choices: list[Choice]


class ImageEntry(TypedDict):
    """An image with its annotated pixels and objects, and the key of its scribbles in the browser."""

    name: str
    key: str
    painted: int
    objects: int | None


class Surfaces(Models, total=False):
    """The 3D view, if it was requested, and the objects that it shows."""

    labels: list[int]
    version: int


class AnnotatorTraits(SliceWidget):
    """The traits of the annotator, and their validation."""

    classes: list[PixelClass] = synced(traitlets.List(traitlets.Dict(), help="the classes of pixels"))
    positive_class: int = synced(traitlets.Int(2, min=1, max=MAX_CLASS, help="the class of the objects"))
    preset: str | None = synced(traitlets.Unicode(None, allow_none=True, help="see train_object_classifier"))
    features: str = synced(traitlets.Unicode(help="a predefined set or a specification"))
    max_depth: int | None = synced(traitlets.Int(None, min=1, max=MAX_DEPTH, allow_none=True))
    n_estimators: int = synced(traitlets.Int(TrainingParameters.n_estimators, min=1, max=MAX_TREES))
    training_channels: list[int] = synced(
        traitlets.List(traitlets.Int(), help="the numbers of the channels that the classifier learns from")
    )
    live: bool = synced(traitlets.Bool(False, help="train after each scribble"))
    segmentation: dict[str, Any] = synced(
        traitlets.Dict(
            help="keywords of `segment`; for those that are missing, the classifier's preset counts"
        )
    )
    brush: Brush = synced(traitlets.Dict())
    display: Display = synced(traitlets.Dict())
    state: State = synced(traitlets.Dict(help="the state of the widget, for the browser"))
    marks: list[list[int]] = synced(
        traitlets.List(traitlets.List(), help="for each axis the planes with annotations")
    )
    notices: list[Notice] = synced(traitlets.List(traitlets.Dict(), help="questions to the user"))
    feature_sets: list[str] = synced(
        traitlets.List(traitlets.Unicode(), list(FEATURE_SETS), help="names on offer")
    )
    shown: int = synced(traitlets.Int(0, help="the number of the image that is shown"))
    image_list: list[ImageEntry] = synced(traitlets.List(traitlets.Dict(), help="the images"))
    pictures: list[bytes] = synced(traitlets.List(traitlets.Bytes(), help="a small PNG of each image"))
    path: str = synced(traitlets.Unicode("", help="the classifier's file"))
    save_to: str = synced(traitlets.Unicode("", help="the file of the annotations"))
    explorer_code: str = synced(traitlets.Unicode("", help="the line of code that makes it"))
    explorer_id: str = synced(traitlets.Unicode("", help="the widget that Measure and explore has made"))
    focus: int = synced(traitlets.Int(0, help="the object that was clicked in 3D"))
    _volume: Surfaces = synced(traitlets.Dict())

    @traitlets.validate("classes")
    def _check_class_list(self, proposal: Any) -> list[PixelClass]:
        return arguments.check_classes(proposal.value)

    @traitlets.validate("preset")
    def _check_preset(self, proposal: Any) -> str | None:
        return None if proposal.value is None else checks.check_option("preset", proposal.value, PRESETS)

    @traitlets.validate("features")
    def _check_features(self, proposal: Any) -> str:
        return arguments.check_features(proposal.value)

    @traitlets.validate("training_channels")
    def _check_training_channels(self, proposal: Any) -> list[int]:
        count = len(self.channels)
        return list(checks.channel_numbers(proposal.value, None, count, argument="training_channels"))
