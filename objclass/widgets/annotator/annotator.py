"""The slice annotator: paint, see the prediction, train, go on at another depth."""

from __future__ import annotations

import os
import weakref
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from objclass._common import checks
from objclass.pixels.classifier import ObjectClassifier
from objclass.widgets.annotator import arguments
from objclass.widgets.annotator.classifier_file import ON_EXISTING
from objclass.widgets.annotator.code import repeat_as_code
from objclass.widgets.annotator.files import FilesMixin
from objclass.widgets.annotator.jobs import JobsMixin
from objclass.widgets.annotator.stroke_messages import StrokesMixin
from objclass.widgets.annotator.strokes import Strokes
from objclass.widgets.base import bundle, stylesheet

_live: weakref.WeakSet[Annotator] = weakref.WeakSet()


def annotate(
    image: npt.ArrayLike,
    annotations: npt.ArrayLike | None = None,
    *,
    spacing: Sequence[float] | None = None,
    unit: str | None = None,
    features: str = "object_size_1_to_5_px",
    classes: Sequence[str] = ("background", "object"),
    positive_class: int = 2,
    max_depth: int = 2,
    n_estimators: int = 100,
    random_state: int = 0,
    path: str | os.PathLike[str] | None = "ObjectSegmenter.cl",
    save_to: str | os.PathLike[str] | None = None,
    on_existing: str = "ask",
) -> Annotator:
    """Paint on the slices of an image and see what a classifier makes of it.

    Parameters
    ----------
    image : (z, y, x) or (y, x) array, or with channels first
        Any real dtype. It is read plane by plane, so that a memory-mapped stack may be larger than memory.
        For a 2D image with channels give `annotations` of shape (y, x), or `spacing` with two numbers.
    annotations : array of int, optional
        What to begin with: 0 not annotated, 1 background, 2 object, further classes. It stays as it is.
    spacing : sequence of float, optional
        Voxel size along (z, y, x) or (y, x), see `read_spacing`: it gives the planes their proportions.
    unit : str, optional
        The unit of `spacing`, µm where only that is given.
    features, positive_class, max_depth, n_estimators, random_state
        As in `train_object_classifier`; all but the last can be changed in the widget.
    classes : sequence of str
        The names of class 1, class 2, ….
    path : str or path, optional
        The classifier's file, rewritten at each training; with None there is none.
    save_to : str or path, optional
        A TIFF file that keeps the annotations after every stroke. If it is there already, the widget goes on
        from it, and `annotations` are not used.
    on_existing : {"ask", "load", "rename", "overwrite"}
        What to do with a file at `path` that was there before: ask in the widget, load it, go on under
        another name, or write over it.

    Returns
    -------
    Annotator
        A widget to display. Its ``annotations``, ``classifier``, ``labels`` and ``image`` are always current,
        and ``code()`` gives the calls that repeat what was done.

    Raises
    ------
    ValueError
        If image and annotations do not fit, the image looks like a colour picture, or a parameter is wrong.
    TypeError
        If the image has no real numbers, or the annotations are no integers.
    FileNotFoundError, PermissionError
        If `path` or `save_to` cannot be written.

    Examples
    --------
    >>> import numpy as np, objclass
    >>> annotator = objclass.annotate(np.zeros((5, 40, 30), np.uint16), path=None)
    >>> annotator.annotations.shape
    (5, 40, 30)
    """
    return Annotator(
        image,
        annotations,
        spacing=spacing,
        unit=unit,
        features=features,
        class_names=classes,
        positive_class=positive_class,
        max_depth=max_depth,
        n_estimators=n_estimators,
        random_state=random_state,
        path=path,
        save_to=save_to,
        on_existing=on_existing,
    )


class Annotator(StrokesMixin, JobsMixin, FilesMixin):
    """The widget that `annotate` makes.

    Attributes
    ----------
    image : ndarray
        The image as it was given.
    annotations : ndarray of uint8
        The current annotations, a read-only view.
    classifier : ObjectClassifier or None
        The one that was trained or loaded last.
    labels : ndarray of int32 or None
        The objects that were segmented last, after the size limit and the cut of touching ones.
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
        random_state: int,
        path: str | os.PathLike[str] | None,
        save_to: str | os.PathLike[str] | None,
        on_existing: str,
        **parameters: Any,
    ) -> None:
        checks.check_option("on_existing", on_existing, ON_EXISTING)
        arguments.check_parameters(random_state=random_state, **parameters)
        self.image = np.asarray(image)
        channels, ndim = arguments.check_input(self.image, annotations, spacing)
        self._spacing = checks.check_spacing(spacing, ndim)
        self._random_state = random_state
        given = arguments.open_annotations(annotations, save_to, channels.shape[1:], ndim)
        self._strokes = Strokes(given)
        self._volume_image, self._ndim = channels, ndim
        sources = {"annotations": self._strokes.plane, "labels": self._label_plane}
        self._start_jobs()
        super().__init__(
            channels,
            ndim=ndim,
            spacing=self._spacing,
            unit=unit,
            sources=sources,
            whole=("annotations",),
            classes=arguments.name_classes(class_names, self._strokes.class_sizes),
            **parameters,
        )
        self._start_strokes(save_to)
        self._start_files(path, on_existing)
        earlier = [other for other in _live if other.image is self.image and other._strokes.marks(0)]
        if earlier and annotations is None and save_to is None:
            self._offer_strokes(earlier[-1])
        _live.add(self)
        self._ready = True

    def close(self) -> None:
        """Close the widget; what was painted is in the file first."""
        if self._ready:
            self._stop_jobs()
            self._stop_strokes()
        _live.discard(self)
        super().close()

    @property
    def annotations(self) -> np.ndarray:
        """The current annotations, of the image's spatial shape, as a read-only view."""
        volume = self._strokes.volume
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

    def code(self) -> str:
        """Return the calls that give the current classifier and objects again.

        They begin from the variables ``image`` and, where the widget has no `save_to`, ``annotations``.
        """
        return repeat_as_code(self)
