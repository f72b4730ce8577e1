"""Viewer of slices of an image in three directions."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from objclass._common import checks
from objclass.widgets import channels, snapshot
from objclass.widgets.base import SliceWidget, bundle, spatial_image, stylesheet


def view(
    image: npt.ArrayLike,
    labels: npt.ArrayLike | None = None,
    *,
    spacing: Sequence[float] | None = None,
    unit: str | None = None,
    channel_names: Sequence[str] | None = None,
) -> Viewer:
    """Show the slices of an image in three directions, with contrast, gamma, channels and histogram.

    Parameters
    ----------
    image : (z, y, x) or (y, x) array, or with channels first
        Any real dtype; it is read plane by plane. An 8-bit RGB image (y, x, 3) is shown in its colours.
    labels : (z, y, x) or (y, x) array of int, optional
        Objects, drawn as an overlay; 0 is background.
    spacing : sequence of float, optional
        Voxel size along (z, y, x) or (y, x), for the aspect ratio of slices.
    unit : str, optional
        The unit of `spacing`; µm by default.
    channel_names : sequence of str, optional
        A name for each channel. A 3D array with as many names as planes is taken as (c, y, x).

    Returns
    -------
    Viewer
        The widget.

    Raises
    ------
    ValueError
        If image, labels, spacing and names do not match.
    TypeError
        If the image is not real-valued, or the labels are not integers.

    Examples
    --------
    >>> import numpy as np, objclass
    >>> viewer = objclass.view(np.zeros((5, 40, 30), np.uint16))
    >>> viewer.position
    [2, 20, 15]
    """
    return Viewer(image, labels, spacing=spacing, unit=unit, channel_names=channel_names)


class Viewer(SliceWidget):
    """The widget that `view` returns.

    Examples
    --------
    >>> import numpy as np, objclass
    >>> viewer = objclass.view(np.zeros((5, 40, 30), np.uint16))
    >>> viewer.axis = 2
    >>> viewer.summary()
    'Viewer of an image of 5 × 40 × 30 pixels'
    """

    _esm = bundle("viewer")
    _css = stylesheet("slice_view", "viewer")

    def __init__(
        self,
        image: npt.ArrayLike,
        labels: npt.ArrayLike | None = None,
        *,
        spacing: Sequence[float] | None = None,
        unit: str | None = None,
        channel_names: Sequence[str] | None = None,
    ) -> None:
        array = checks.as_array(image)
        stack = self._labels = None if labels is None else checks.check_labels(labels)
        if channels.is_rgb(array) and (stack is None or array.shape[:-1] == stack.shape):
            array, channel_names = channels.rgb_first(array), channel_names or channels.RGB
        ndim = channels.spatial_rank(array, spacing, channel_names) if stack is None else stack.ndim
        super().__init__(
            spatial_image(array, ndim, reference=stack),
            ndim=ndim,
            spacing=checks.check_spacing(spacing, ndim),
            unit=unit,
            sources={} if stack is None else {"labels": self._label_plane},
            channel_names=channel_names,
            layers=["image"] if stack is None else ["image", "labels"],
        )

    def _label_plane(self, axis: int, index: int) -> np.ndarray | None:
        if self._labels is None:
            return None
        return np.take(self._labels if self._labels.ndim == 3 else self._labels[np.newaxis], index, axis=axis)

    def _paint_over(self, picture: np.ndarray, axis: int, index: int, step: int) -> None:
        plane = self._label_plane(axis, index)
        if plane is not None:
            snapshot.blend_objects(picture, plane[::step, ::step])
