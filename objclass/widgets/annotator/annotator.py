"""The slice annotator: scribbles, live prediction, training and segmentation."""

from __future__ import annotations

import os
import weakref
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from objclass._common import checks
from objclass._common.compile_ahead import compile_ahead_in_notebook
from objclass.pixels.classifier import ObjectClassifier
from objclass.widgets.annotator import arguments
from objclass.widgets.annotator.classifier_file import ON_EXISTING
from objclass.widgets.annotator.code import repeat_as_code
from objclass.widgets.annotator.files import FilesMixin
from objclass.widgets.annotator.jobs import JobsMixin
from objclass.widgets.annotator.scribble_messages import ScribblesMixin
from objclass.widgets.annotator.scribbles import Scribbles
from objclass.widgets.annotator.volume import VolumeMixin
from objclass.widgets.base import bundle, stylesheet
from objclass.widgets.channels import is_rgb, rgb_first
from objclass.widgets.snapshot import blend, blend_objects, color_rows


def _brush_size(plane: Sequence[int]) -> int:
    """Return the initial diameter of the brush: a thirtieth of the plane."""
    return int(min(25, max(3, round(max(plane) / 30))))


_live: weakref.WeakSet[Annotator] = weakref.WeakSet()


def annotate(
    image: npt.ArrayLike,
    annotations: npt.ArrayLike | None = None,
    *,
    spacing: Sequence[float] | None = None,
    unit: str | None = None,
    features: str | None = None,
    preset: str | None = None,
    classes: Sequence[str] = ("background", "object"),
    channel_names: Sequence[str] | None = None,
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
        8-bit RGB image (y, x, 3) are moved first.
    annotations : array of int, optional
        Initial annotations: 0 not annotated, 1 background, 2 object, further classes. Not modified.
    spacing : sequence of float, optional
        Voxel size along (z, y, x) or (y, x), see `read_spacing`; used for training and the aspect ratio.
    unit : str, optional
        The unit of `spacing`; µm by default.
    features, preset, positive_class, max_depth, n_estimators, normalize, random_state
        As in `train_object_classifier`; all but the last two can be changed in the widget.
    classes : sequence of str
        The names of class 1, class 2, ….
    channel_names : sequence of str, optional
        A name for each channel; channels named red, green and blue are shown as an RGB image.
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
    image : ndarray
        The image; an RGB image has its channels first.
    spacing : tuple of float or None
        The voxel size.
    explorer : Explorer or None
        The last explorer opened by *Measure and explore*.
    annotations : ndarray of uint8
        The current annotations, a read-only view.
    classifier : ObjectClassifier or None
        The classifier that was trained or loaded last.
    labels : ndarray of int32 or None
        The objects that were segmented last.
    """

    _esm = bundle("annotator")
    _css = stylesheet("slice_view", "annotator")

    def __init__(
        self,
        image: npt.ArrayLike,
        annotations: npt.ArrayLike | None = None,
        *,
        spacing: Sequence[float] | None,
        unit: str | None,
        class_names: Sequence[str],
        channel_names: Sequence[str] | None,
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
        self.image = np.asarray(image)
        self._was_rgb = is_rgb(self.image)
        if self._was_rgb:
            self.image = rgb_first(self.image)
            channel_names = channel_names or ("red", "green", "blue")
        channels, ndim = arguments.check_input(self.image, annotations, spacing, channel_names)
        self._spacing = checks.check_spacing(spacing, ndim)
        self._normalize, self._random_state = normalize, random_state
        given = arguments.open_annotations(annotations, save_to, channels.shape[1:], ndim)
        self._scribbles = Scribbles(given)
        self._volume_image, self._ndim = channels, ndim
        sources = {"annotations": self._scribbles.plane, "labels": self._label_plane}
        self._start_jobs()
        self._start_volume()
        super().__init__(
            channels,
            ndim=ndim,
            spacing=self._spacing,
            unit=unit,
            sources=sources,
            whole=("annotations",),
            channel_names=channel_names,
            layers=["image", "annotations", "labels"],
            brush={"size": _brush_size(channels.shape[2:])},
            classes=arguments.name_classes(class_names, self._scribbles.class_sizes),
            **parameters,
        )
        self._start_scribbles(save_to)
        self._start_files(path, on_existing)
        earlier = [other for other in _live if other.image is self.image and other._scribbles.marks(0)]
        if earlier and annotations is None and save_to is None:
            self._offer_scribbles(earlier[-1])
        _live.add(self)
        self._ready = True

    def close(self) -> None:
        """Close the widget after saving the annotations."""
        if self._ready:
            self._stop_jobs()
            self._stop_scribbles()
        _live.discard(self)
        super().close()

    @property
    def annotations(self) -> np.ndarray:
        """The current annotations, of the spatial shape of the image, as a read-only view."""
        volume = self._scribbles.volume
        view = volume if self._ndim == 3 else volume[0]
        view = view[...]
        view.flags.writeable = False
        return view

    @property
    def classifier(self) -> ObjectClassifier | None:
        """The classifier that was trained or loaded last."""
        return self._classifier

    @property
    def labels(self) -> np.ndarray | None:
        """The objects that were segmented last."""
        return self._labels

    @property
    def spacing(self) -> tuple[float, ...] | None:
        """The voxel size; None if unknown."""
        return self._spacing

    def summary(self) -> str:
        """Return a one-line summary of the current state."""
        names = {item["value"]: item["name"] for item in self.classes}
        sizes = self._class_counts().items()
        painted = ", ".join(f"{names.get(int(value), value)} {count:,}" for value, count in sizes)
        parts = [super().summary(), f"annotated pixels: {painted or 'none'}"]
        parts.append("no classifier" if self._classifier is None else "classifier trained")
        if self._labels is not None:
            count = self.state["objects"]
            parts.append(f"{count:,} object{'s' * (count != 1)}")
        return "; ".join(parts)

    def _paint_over(self, picture: np.ndarray, axis: int, index: int, step: int) -> None:
        scribbles = self._scribbles.plane(axis, index)[::step, ::step]
        labels = self._label_plane(axis, index)
        colors = color_rows((item["value"], item["color"]) for item in self.classes)
        prediction = self._planes_seen.get(("prediction", axis, index))
        if labels is not None and not self.state["objects_stale"]:
            blend_objects(picture, labels[::step, ::step])
        elif prediction is not None:
            shown = prediction[::step, ::step]
            shown = np.where(shown == 1, 0, shown) if self.positive_class != 1 else shown
            blend(picture, shown, colors, opacity=0.8, edges=True)
        blend(picture, scribbles, colors, opacity=0.65)

    def code(self) -> str:
        """Return Python code that reproduces the current classifier and objects.

        It starts from the variables ``image`` and, if the widget has no `save_to`, ``annotations``.
        """
        return repeat_as_code(self)
