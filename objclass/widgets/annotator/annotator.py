"""The slice annotator: scribbles, live prediction, training and segmentation."""

from __future__ import annotations

import os
import threading
import weakref
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from objclass._common import checks
from objclass._common.compile_ahead import compile_ahead_in_notebook
from objclass._common.files import AnyPath
from objclass.pixels.classifier import ObjectClassifier
from objclass.widgets.annotator import arguments
from objclass.widgets.annotator.classifier_file import ON_EXISTING
from objclass.widgets.annotator.code import repeat_as_code
from objclass.widgets.annotator.files import FilesMixin
from objclass.widgets.annotator.images import AnnotatedImage, gather_images, open_sources
from objclass.widgets.annotator.jobs import JobsMixin
from objclass.widgets.annotator.scribble_messages import ScribblesMixin
from objclass.widgets.annotator.volume import VolumeMixin
from objclass.widgets.base import bundle, describe_image, image_planes, stylesheet
from objclass.widgets.planes import PlaneServer, PlaneSource
from objclass.widgets.snapshot import blend, blend_objects, color_rows
from objclass.widgets.words import counted


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
    n_estimators: int = 100,
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
    return Annotator(
        image,
        annotations,
        spacing=spacing,
        unit=unit,
        features=features,
        preset=preset,
        class_names=classes,
        channel_names=channel_names,
        channel=channel,
        positive_class=positive_class,
        max_depth=max_depth,
        n_estimators=n_estimators,
        normalize=normalize,
        random_state=random_state,
        path=path,
        save_to=save_to,
        on_existing=on_existing,
    )


class Annotator(ScribblesMixin, JobsMixin, FilesMixin, VolumeMixin):
    """The widget that `annotate` returns.

    Attributes
    ----------
    image : ndarray, or dict of them
        The image; an RGB image has its channels first. `image`, `annotations` and `labels` are dicts by name
        for several images.
    spacing : tuple of float or None
        The voxel size.
    explorer : Explorer or None
        The last explorer opened by *Measure and explore*.
    annotations : ndarray of uint8, or dict of them
        The current annotations, a read-only view.
    classifier : ObjectClassifier or None
        The classifier that was trained or loaded last.
    labels : ndarray of int32 or None, or dict
        The objects that were segmented last.
    """

    _esm = bundle("annotator")
    _css = stylesheet("slice_view", "annotator")

    def __init__(
        self,
        image: Any,
        annotations: Any = None,
        *,
        spacing: Sequence[float] | None,
        unit: str | None,
        class_names: Sequence[str],
        channel_names: Sequence[str] | None,
        channel: int | str | Sequence[int | str] | None,
        normalize: str | None,
        random_state: int,
        path: str | os.PathLike[str] | None,
        save_to: str | os.PathLike[str] | None,
        on_existing: str,
        **parameters: Any,
    ) -> None:
        checks.check_option("on_existing", on_existing, ON_EXISTING)
        parameters["features"] = arguments.check_parameters(
            normalize=normalize, random_state=random_state, **parameters
        )
        sources, self._several = open_sources(image, spacing, unit, channel_names, annotations)
        self._images = gather_images(sources, annotations, save_to, several=self._several)
        first, source = self._images[0].open(), sources[0]
        self._ndim, self._spacing, self._unit = source.ndim, source.spacing, source.unit
        self._channel_names = source.channel_names if source.code else channel_names
        self._random_state, self._normalize = random_state, normalize
        self._start_jobs()
        self._start_volume()
        super().__init__(
            first.channels,
            ndim=self._ndim,
            spacing=self._spacing,
            unit=self._unit,
            sources=_layers(first),
            whole=("annotations",),
            channel_names=source.channel_names,
            training_channels=arguments.choose_channels(channel, source.channel_names, source.n_channels),
            layers=["image", "annotations", "labels"],
            brush={"size": _brush_size(first.channels.shape[2:])},
            classes=arguments.name_classes(class_names, first.scribbles.class_sizes),
            save_to="" if save_to is None else str(Path(save_to).expanduser().resolve()),
            **parameters,
        )
        first.planes = self._planes
        self._start_scribbles()
        self._start_files(path, on_existing)
        if self._several:
            threading.Thread(target=self._look_at_all, name="objclass images", daemon=True).start()
        elif annotations is None and save_to is None:
            self._look_for_earlier(first)
        _live.add(self)
        self._ready = True

    def _look_for_earlier(self, first: AnnotatedImage) -> None:
        """Offer the scribbles of another annotator of the same image."""
        others = [other for other in _live if not other._several and other._shown.image is first.image]
        earlier = [other for other in others if other._shown.has_annotations]
        if earlier:
            self._offer_scribbles(earlier[-1])

    def _look_at_all(self) -> None:
        """Make the thumbnails, then read the annotations that are in files, until the widget is closed."""
        for image in self._images:
            if self.comm is None:
                return
            try:
                self.pictures = [*self.pictures, image.thumbnail()]
            except Exception as failure:
                self._show_failure(failure)
                self.pictures = [*self.pictures, b""]
        for image in self._images:
            if image.has_annotations and self.comm is not None:
                self._list_classes()
                self._tell_image()

    def _on_show(self, content: Mapping[str, Any], _buffers: Sequence[Any]) -> None:
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
        names = [each.name for each in self._images]
        number = names.index(image) if image in names else image
        if not isinstance(number, int) or not 0 <= number < len(names):
            raise checks.invalid("image", f"one of {', '.join(map(repr, names))}", image)
        now, then = self._images[number], self._shown
        if now is then:
            return
        self._keep(now)
        then.view = {name: getattr(self, name) for name in ("volume", "channels", "position", "axis")}
        source = now.source
        if now.planes is None:
            planes = image_planes(now.channels, source.channel_names)
            now.planes = PlaneServer(planes, _layers(now), whole=("annotations",))
            now.view = describe_image(planes, self._ndim, self._spacing, self._unit, source.channel_names)
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
            self._tell_image()
            self._tell_stale()

    def close(self) -> None:
        """Close the widget after saving the annotations."""
        if self._ready:
            self._stop_jobs()
            self._stop_scribbles()
        _live.discard(self)
        super().close()

    @property
    def image(self) -> Any:
        """The image; a dict by name for several images."""
        return self._of_each(lambda image: image.open().image)

    @property
    def annotations(self) -> Any:
        """The current annotations as a read-only view; a dict by name for several images."""
        return self._of_each(lambda image: image.annotations)

    @property
    def classifier(self) -> ObjectClassifier | None:
        """The classifier that was trained or loaded last."""
        return self._classifier

    @property
    def labels(self) -> Any:
        """The objects that were segmented last; a dict of several images, of those that were segmented."""
        if self._several:
            return {image.name: image.labels for image in self._images if image.labels is not None}
        return self._shown.labels

    def _of_each(self, what: Callable[[AnnotatedImage], np.ndarray]) -> Any:
        if not self._several:
            return what(self._shown)
        return {image.name: what(image) for image in self._images}

    @property
    def spacing(self) -> tuple[float, ...] | None:
        """The voxel size; None if unknown."""
        return self._spacing

    def summary(self) -> str:
        """Return a one-line summary of the current state."""
        names = {item["value"]: item["name"] for item in self.classes}
        sizes = self._class_sizes()
        painted = [f"{names.get(value, value)} {sizes[value]:,}" for value in np.flatnonzero(sizes).tolist()]
        parts = [super().summary(), f"annotated pixels: {', '.join(painted) or 'none'}"]
        if self._several:
            parts.insert(1, f"one of {len(self._images)} images")
        parts.append("no classifier" if self._classifier is None else "classifier trained")
        segmented = [image.labels for image in self._images if image.labels is not None]
        if segmented:
            parts.append(counted(sum(int(labels.max(initial=0)) for labels in segmented), "object"))
        return "; ".join(parts)

    def _paint_over(self, picture: np.ndarray, axis: int, index: int, step: int) -> None:
        image = self._shown
        scribbles = image.scribbles.plane(axis, index)[::step, ::step]
        labels = image.label_plane(axis, index)
        colors = color_rows((item["value"], item["color"]) for item in self.classes)
        prediction = self._planes_seen.get(("prediction", image, axis, index))
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
        return repeat_as_code(self)
