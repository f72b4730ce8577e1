"""The slice annotator: scribbles, live prediction, training and segmentation."""

from __future__ import annotations

import os
import threading
import weakref
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import traitlets

from objclass._common import checks
from objclass._common.checks import counted
from objclass._common.compile_ahead import compile_ahead_in_notebook
from objclass._common.files import AnyPath
from objclass.objects.segmentation import SegmentationOptions
from objclass.pixels.classifier import ObjectClassifier
from objclass.pixels.training import PRESETS, TrainingParameters
from objclass.widgets.annotator import arguments
from objclass.widgets.annotator.classifier_file import ON_EXISTING
from objclass.widgets.annotator.code import repeat_as_code
from objclass.widgets.annotator.images import AnnotatedImage, gather_images, open_sources, warn_of_pixels
from objclass.widgets.annotator.overlays import Overlays
from objclass.widgets.annotator.page import SETTABLE, Page
from objclass.widgets.annotator.painting import Painter
from objclass.widgets.annotator.protocol import AnnotatorTraits
from objclass.widgets.annotator.scribbles import MAX_CLASS
from objclass.widgets.annotator.segmenting import Segmenter
from objclass.widgets.annotator.surfaces import Surfaces
from objclass.widgets.annotator.training import Trainer
from objclass.widgets.background import Latest, Task, Worker
from objclass.widgets.base import First, bundle, describe_image, image_planes, stylesheet
from objclass.widgets.planes import PlaneServer, PlaneSource
from objclass.widgets.snapshot import blend, blend_objects, color_rows

if TYPE_CHECKING:
    from objclass.widgets.view3d.view3d import View3D


def _layers(image: AnnotatedImage) -> dict[str, PlaneSource]:
    return {"annotations": image.scribbles.plane, "labels": image.label_plane}


def _brush_size(plane: Sequence[int]) -> int:
    """Return the initial diameter of the brush: a thirtieth of the plane."""
    return int(min(25, max(3, round(max(plane) / 30))))


_live: weakref.WeakSet[Annotator] = weakref.WeakSet()


def annotate(
    image: npt.ArrayLike | AnyPath | Sequence[Any] | Mapping[str, Any],
    annotations: npt.ArrayLike | Sequence[Any] | Mapping[str, Any] | None = None,
    *,
    spacing: Sequence[float] | None = None,
    unit: str | None = None,
    features: str | None = None,
    preset: str | None = None,
    classes: Sequence[str] = ("background", "object"),
    channel_names: Sequence[str] | None = None,
    channel: int | str | Sequence[int | str] | None = None,
    positive_class: int = 2,
    max_depth: int | None = None,
    n_estimators: int = TrainingParameters.n_estimators,
    normalize: str | None = None,
    random_state: int = 0,
    path: str | os.PathLike[str] | None = "ObjectSegmenter.cl",
    save_to: str | os.PathLike[str] | None = None,
    on_existing: str = "ask",
) -> Annotator:
    """Annotate slices of an image with scribbles, train a classifier and view its prediction.

    Parameters
    ----------
    image : (z, y, x) or (y, x) array, or with channels first
        Any real dtype. It is read plane by plane, so that a memory-mapped stack may be larger than memory.
        For a 2D image with channels pass `channel_names`, or `spacing` with two numbers. The channels of an
        8-bit RGB image (y, x, 3) are moved first. A path is opened when it is shown; an uncompressed TIFF
        file is then read plane by plane. A dict by name, or a list, of arrays or paths is several images for
        one classifier, and so are the time points of a file.
    annotations : array of int, optional
        Initial annotations: 0 not annotated, 1 background, 2 object, further classes. Not modified. A list,
        or a dict by name, for several images.
    spacing : sequence of float, optional
        Voxel size along (z, y, x) or (y, x), see `read_spacing`; used for training and the aspect ratio. By
        default that of the file. Several images have the same.
    unit : str, optional
        The unit of `spacing`; µm by default.
    features, preset, positive_class, max_depth, n_estimators, normalize, random_state
        As in `train_object_classifier`; all but the last two can be changed in the widget.
    classes : sequence of str
        The names of class 1, class 2, ….
    channel_names : sequence of str, optional
        A name for each channel; channels named red, green and blue are shown as an RGB image.
    channel : int, str or sequence of these, optional
        The channels that the classifier learns from, by number or name; by default all. They can be changed
        in the widget. All channels are shown, and measured.
    path : str or path, optional
        The classifier's file, rewritten at each training; None for no file.
    save_to : str or path, optional
        A TIFF file in which annotations are saved after every scribble. If it exists, its annotations are
        loaded, and `annotations` is ignored.
    on_existing : {"ask", "load", "rename", "overwrite"}
        What to do with an existing file at `path`: ask in the widget, load it, save under another name, or
        overwrite it.

    Returns
    -------
    Annotator
        The widget. Its ``annotations``, ``classifier``, ``labels`` and ``image`` are always current, and
        ``code()`` returns the equivalent Python code.

    Raises
    ------
    ValueError
        If image and annotations do not match, channels are last, or a parameter is invalid.
    TypeError
        If the image is not real-valued, or the annotations are not integers.
    FileNotFoundError, PermissionError
        If `path` or `save_to` is not writable.

    Examples
    --------
    >>> import numpy as np, objclass
    >>> annotator = objclass.annotate(np.zeros((5, 40, 30), np.uint16), path=None)
    >>> annotator.annotations.shape
    (5, 40, 30)
    >>> several = objclass.annotate({"a": np.zeros((40, 30)), "b": np.zeros((50, 30))}, path=None)
    >>> several.show("b")
    >>> several.annotations["b"].shape
    (50, 30)
    """
    compile_ahead_in_notebook("pixels", "splitting", "measuring", "umap")
    checks.check_option("on_existing", on_existing, ON_EXISTING)
    checks.check_number("positive_class", positive_class, low=1, high=MAX_CLASS, integer=True)
    parameters = TrainingParameters(
        features=None if features is None else arguments.check_features(features),
        preset=preset,
        positive_class=positive_class,
        max_depth=max_depth,
        n_estimators=n_estimators,
        normalize=normalize,
        random_state=random_state,
    )
    sources = open_sources(image, spacing, unit, channel_names, annotations)
    warn_of_pixels(sources, normalize=normalize, stacklevel=2)
    images, first = gather_images(sources, annotations, save_to), sources[0]
    return Annotator(
        images,
        parameters,
        path,
        on_existing=on_existing,
        channel_names=first.channel_names if first.code else channel_names,
        training_channels=arguments.choose_channels(channel, first.channel_names, first.n_channels),
        classes=arguments.name_classes(classes, images[0].open().scribbles.class_sizes),
        save_to="" if save_to is None else str(Path(save_to).expanduser().resolve()),
    )


class Annotator(AnnotatorTraits):
    """The widget that `annotate` returns.

    `image`, `annotations` and `labels` are dicts by name for several images.

    Examples
    --------
    >>> import numpy as np, objclass
    >>> image = np.kron([[0, 9], [0, 9]], np.ones((8, 8), int))
    >>> annotations = np.where(image > 0, 2, 1)
    >>> annotator = objclass.annotate(image, annotations, path=None)
    >>> annotator.train().n_classes
    2
    >>> int(annotator.segment().max())
    1
    """

    _esm = bundle("annotator")
    _css = stylesheet("slice_view", "annotator")
    _ready = False  # until all is there

    def __init__(
        self,
        images: Sequence[AnnotatedImage],
        parameters: TrainingParameters,
        path: str | os.PathLike[str] | None,
        *,
        on_existing: str,
        channel_names: Sequence[str] | None,
        **traits: Any,
    ) -> None:
        first, source = images[0].open(), images[0].source
        super().__init__(
            first.channels,
            ndim=source.ndim,
            spacing=source.spacing,
            unit=source.unit,
            sources=_layers(first),
            whole=("annotations",),
            channel_names=source.channel_names,
            layers=["image", "annotations", "labels"],
            brush={"size": _brush_size(first.channels.shape[2:])},
            preset=parameters.preset,
            features=parameters.features or PRESETS[parameters.preset or "default"],
            max_depth=parameters.max_depth,
            n_estimators=parameters.n_estimators,
            positive_class=parameters.positive_class,
            **traits,
        )
        first.planes = self._planes
        self._page = page = Page(self, images, channel_names=channel_names, parameters=parameters)
        self._start_components(path)
        page.tell_options()
        self._painter.keep(first)
        page.tell_image()
        self._trainer.open_file(on_existing)
        if page.several:
            threading.Thread(target=self._look_at_all, name="objclass images", daemon=True).start()
        elif not self.save_to and not first.has_annotations:
            self._offer_earlier()
        _live.add(self)
        self._ready = True

    def _start_components(self, path: str | os.PathLike[str] | None) -> None:
        page, offer = self._page, self._offer_first_again
        self._queue = queue = Latest(self._fail_job)
        self._worker = worker = Worker(self._report_task, self._show_failure)
        self._overlays = Overlays(page, queue, offer)
        self._trainer = Trainer(page, queue, self._overlays, path)
        self._segmenter = Segmenter(page, queue, worker, self._trainer, on_new=offer)
        predicted_plane = self._overlays.sources["prediction"]
        self._painter = Painter(page, predicted_plane, self._trainer.follow_change)
        self._surfaces = Surfaces(page, self._show_failure)
        self._add_components(
            page, self._overlays, self._trainer, self._segmenter, self._painter, self._surfaces
        )
        self._handlers |= {
            "redo": lambda _content: self.redo(),
            "show": self._request_image,
            "undo": lambda _content: self.undo(),
        }

    def _fail_job(self, failure: Exception) -> None:
        self._page.tell(training=False, compiling=False)
        self._show_failure(failure)

    def _report_task(self, task: Task) -> None:
        self._page.tell(task=task, **({} if task else {"compiling": False}))

    def _offer_first_again(self) -> None:
        if self._displayed:
            self._offer_first()

    def _offer_earlier(self) -> None:
        """Offer the scribbles of another annotator of the same image."""
        image = self._page.shown.image
        others = [other._page for other in _live if not other._page.several]
        earlier = [page.shown for page in others if page.shown.image is image and page.shown.has_annotations]
        if earlier:
            self._painter.offer(earlier[-1].scribbles)

    def _look_at_all(self) -> None:
        """Make the thumbnails, then read the annotations that are in files, until the widget is closed."""
        for image in self._page.images:
            if self.comm is None:
                return
            try:
                self.pictures = [*self.pictures, image.thumbnail()]
            except Exception as failure:
                self._show_failure(failure)
                self.pictures = [*self.pictures, b""]
        for image in self._page.images:
            if image.has_annotations and self.comm is not None:
                self._page.list_classes()
                self._page.tell_image()

    @traitlets.validate("segmentation")
    def _check_segmentation(self, proposal: Any) -> dict[str, Any]:
        options = SegmentationOptions(**proposal.value)
        if self.state:  # else it is being made
            options.of_preset(self._page.segmentation_preset)
        return {name: value for name, value in proposal.value.items() if value is not None}

    @traitlets.observe("segmentation")
    def _follow_options(self, _change: Any) -> None:
        if self.state:
            self._segmenter.follow_options()

    @traitlets.observe(*SETTABLE)
    def _follow_parameters(self, _change: Any) -> None:
        if self.state:
            self._page.tell_options()
            self._trainer.follow_change()

    def _request_image(self, content: Mapping[str, Any]) -> None:
        """Show another image as the page asks; it tells where it leaves this one."""
        if content.get("source") == self.volume["source"]:
            self.axis, self.position = content["axis"], content["position"]
        self.show(int(content["image"]))

    def show(self, image: int | str) -> None:
        """Show another of several images.

        Parameters
        ----------
        image : int or str
            Its place among them, or its name.

        Raises
        ------
        ValueError
            If there is no such image.
        """
        names = [each.name for each in self._page.images]
        number = names.index(image) if image in names else image
        if not isinstance(number, int) or not 0 <= number < len(names):
            raise checks.invalid("image", f"one of {', '.join(map(repr, names))}", image)
        now, then = self._page.images[number], self._page.shown
        if now is then:
            return
        self._painter.keep(now)
        then.view = {name: getattr(self, name) for name in ("volume", "channels", "position", "axis")}
        source = now.source
        if now.planes is None:
            planes = image_planes(now.channels, source.channel_names)
            now.planes = PlaneServer(planes, _layers(now), whole=("annotations",))
            now.view = describe_image(
                planes, source.ndim, self._page.spacing, self._page.unit, source.channel_names
            )
        looks = [
            {name: each[name] for name in ("color", "map", "visible", "gamma")} for each in self.channels
        ]
        channels = [{**own, **look} for own, look in zip(now.view["channels"], looks, strict=True)]
        now.view["volume"] = {**now.view["volume"], "source": number}
        with self.hold_sync():
            self._planes, self.shown = now.planes, number
            # The position is checked against the volume.
            for name, value in {**now.view, "channels": channels}.items():
                setattr(self, name, value)
            self._page.tell_image()
            self._page.tell_stale()

    def close(self) -> None:
        """Close the widget after saving the annotations."""
        if self._ready:
            self._worker.cancel()
            self._trainer.stop()
            self._painter.flush()
        _live.discard(self)
        super().close()

    def train(self) -> ObjectClassifier:
        """Train with the current annotations and parameters, like the button *Train*, and wait.

        Raises
        ------
        ValueError
            As `train_object_classifier`, for example if only one class is annotated.
        """
        return self._trainer.train().classifier

    def segment(self) -> Any:
        """Segment the whole image, or each of several, like the button *Segment*, and wait.

        A classifier that is out of date is trained again first. Returns `labels`.
        """
        self._segmenter.segment_all()
        self._queue.join()
        return self.labels

    def wait(self, timeout: float | None = None) -> None:
        """Wait until what goes on in the background has ended, and all scribbles are saved.

        Parameters
        ----------
        timeout : float, optional
            Seconds for each of training, segmentation and the 3D view; by default without end.
        """
        for background in (self._worker, self._queue, self._surfaces):
            background.join(timeout)
        self._painter.flush()

    def undo(self) -> None:
        """Undo the last scribble, on any slice."""
        self._painter.undo()

    def redo(self) -> None:
        """Redo the scribble that was undone last."""
        self._painter.undo(redo=True)

    @property
    def image(self) -> Any:
        """The image; an RGB image has its channels first."""
        return self._of_each(lambda image: image.open().image)

    @property
    def annotations(self) -> Any:
        """The current annotations, a read-only view."""
        return self._of_each(lambda image: image.annotations)

    @property
    def classifier(self) -> ObjectClassifier | None:
        """The classifier that was trained or loaded last."""
        return None if self._page.accepted is None else self._page.accepted.classifier

    @property
    def labels(self) -> Any:
        """The objects that were segmented last; of several images, those segmented."""
        if self._page.several:
            return {image.name: image.labels for image in self._page.images if image.labels is not None}
        return self._page.shown.labels

    def _of_each(self, what: Callable[[AnnotatedImage], np.ndarray]) -> Any:
        if not self._page.several:
            return what(self._page.shown)
        return {image.name: what(image) for image in self._page.images}

    @property
    def spacing(self) -> tuple[float, ...] | None:
        """The voxel size; None if unknown."""
        return self._page.spacing

    @property
    def parameters(self) -> TrainingParameters:
        """The parameters of the next training."""
        return self._page.parameters

    @property
    def segmentation_options(self) -> SegmentationOptions:
        """How objects are made: what was chosen, and what the preset says of the rest."""
        return self._page.segmentation_options

    @property
    def explorer(self) -> Any:
        """The last explorer opened by *Measure and explore*; None if there is none."""
        return self._segmenter.explorer

    @property
    def volume_view(self) -> View3D | None:
        """The 3D view of the objects, if it was requested."""
        return self._surfaces.view

    def summary(self) -> str:
        """Return a one-line summary of the current state."""
        page, names = self._page, {item["value"]: item["name"] for item in self.classes}
        sizes = page.class_sizes()
        painted = [f"{names.get(value, value)} {sizes[value]:,}" for value in np.flatnonzero(sizes).tolist()]
        parts = [super().summary(), f"annotated pixels: {', '.join(painted) or 'none'}"]
        if page.several:
            parts.insert(1, f"one of {len(page.images)} images")
        parts.append("no classifier" if page.accepted is None else "classifier trained")
        segmented = [image.labels for image in page.images if image.labels is not None]
        if segmented:
            parts.append(counted(sum(int(labels.max(initial=0)) for labels in segmented), "object"))
        return "; ".join(parts)

    def _first_overlay(self, request: Mapping[str, Any]) -> First:
        return self._overlays.first(request)

    def _paint_over(self, picture: np.ndarray, axis: int, index: int, step: int) -> None:
        image = self._page.shown
        scribbles = image.scribbles.plane(axis, index)[::step, ::step]
        labels = image.label_plane(axis, index)
        colors = color_rows((item["value"], item["color"]) for item in self.classes)
        prediction = self._overlays.known_prediction(axis, index)
        if labels is not None and not self.state["objects_stale"]:
            blend_objects(picture, labels[::step, ::step])
        elif prediction is not None:
            shown = prediction[::step, ::step]
            shown = np.where(shown == 1, 0, shown) if self.positive_class != 1 else shown
            blend(picture, shown, colors, opacity=0.8, edges=True)
        blend(picture, scribbles, colors, opacity=0.65)

    def code(self) -> str:
        """Return Python code that reproduces the current classifier and objects.

        It starts from the variables ``image`` and, if the widget has no `save_to`, ``annotations``. For
        several images the variable ``images`` is a dict by name, and so is ``annotations``.
        """
        return repeat_as_code(self._page, self._trainer.file.path)
