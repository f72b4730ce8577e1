"""Overview figure of an analysis."""

from __future__ import annotations

import io
import math
import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import matplotlib.style
import numpy as np
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine

from objclass._common.checks import (
    Spacing,
    check_image,
    check_labels,
    check_spacing,
    counted,
    describe,
    invalid,
    warn_like_image,
)
from objclass.plots.colors import CHANNEL_COLORS, Coloring, color_objects, label_colors, rgb
from objclass.plots.scale_bar import draw_scale_bar, round_length
from objclass.tables.belonging import check_belongs
from objclass.tables.columns import CLUSTERS, check_columns, check_table
from objclass.tables.roles import EMBEDDINGS

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

INK, FAINT = "#22262e", "#9aa1ad"
STYLE = {
    "font.size": 9.0,
    "axes.titlesize": 10.5,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.edgecolor": FAINT,
    "axes.linewidth": 0.8,
    "axes.labelcolor": INK,
    "axes.titlecolor": INK,
    "text.color": INK,
    "xtick.color": FAINT,
    "ytick.color": FAINT,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
}
LONG_SIDE = 4.4
"""The longer side of a panel in inches."""
MOST_PIXELS = 1500
"""The maximum number of pixels of a panel side; larger images are subsampled by every n-th pixel."""


class Picture(Figure):
    """A figure that notebooks display even if pyplot has not been imported."""

    def _repr_png_(self) -> bytes:
        file = io.BytesIO()
        self.savefig(file, format="png", dpi=110)
        return file.getvalue()


def grid_of_panels(
    n_panels: int,
    n_columns: int,
    size: tuple[float, float],
    margins: tuple[float, float] = (0, 0),
    **options: Any,
) -> tuple[Figure, np.ndarray]:
    """Return a figure and its panels, in as many rows of `n_columns` as need be.

    `size` is that of a panel and `margins` what the figure is larger, in inches; `options` are those of
    `matplotlib.figure.Figure.subplots`.
    """
    n_rows = math.ceil(n_panels / n_columns)
    inches = (n_columns * size[0] + margins[0], n_rows * size[1] + margins[1])
    figure = Picture(figsize=inches, layout="constrained", facecolor="white")
    panels = figure.subplots(n_rows, n_columns, squeeze=False, **options).ravel()
    for axes in panels[n_panels:]:
        axes.remove()
    for axes in panels[:n_panels]:
        axes.spines[["top", "right"]].set_visible(False)
    return figure, panels[:n_panels]


def overview(
    image: np.ndarray,
    labels: np.ndarray,
    table: pd.DataFrame | None = None,
    *,
    spacing: Spacing = None,
    unit: str = "µm",
    embedding: str | Sequence[str] | None = None,
    color: str | None = None,
    is_rgb: bool | None = None,
) -> Figure:
    """Plot the image, the objects, their embedding, and the objects coloured by cluster.

    Panels for which the table has no columns are omitted. A 3D image is shown as a maximum projection along
    z, and labels by the first object along z.

    Parameters
    ----------
    image : (z, y, x) or (y, x) array, or with channels first
        Channels are overlaid in green, magenta, cyan, yellow, …, unless they are red, green and blue.
    labels : (z, y, x) or (y, x) integer array
        The objects, 0 for background.
    table : DataFrame, optional
        One row for each object, matched by `label`.
    spacing : float or sequence of float, optional
        The voxel size along each axis, for the aspect ratio and the scale bar.
    unit : str
        The unit of `spacing`.
    embedding : str or pair of str, optional
        The columns of the axes; ``"UMAP"`` stands for ``UMAP_0`` and ``UMAP_1``. By default the last
        embedding of the table.
    color : str, optional
        The column for the colours: clusters, classes (in the colours of their classifier), another category,
        or a number. By default the last column whose
        name ends in ``_CLUSTER_ID``.
    is_rgb : bool, optional
        Whether the channels are red, green and blue, see `ImageInfo`. By default True for a 2D image with
        three channels of 8 bits.

    Returns
    -------
    matplotlib.figure.Figure
        The figure is not registered with pyplot; a notebook displays it, and ``savefig`` writes it.

    Raises
    ------
    ValueError
        If the shapes do not match, a column does not exist, or no object has a row in the table.

    Examples
    --------
    >>> import numpy as np
    >>> labels = np.zeros((20, 30), dtype=int)
    >>> labels[4:9, 5:12], labels[10:17, 15:25] = 1, 4
    >>> figure = overview(labels * 50, labels, spacing=0.5)
    >>> [axes.get_title(loc="left") for axes in figure.axes]
    ['Image', '2 objects']
    """
    labels = check_labels(labels)
    warn_like_image(labels, stacklevel=2)
    channels = check_image(image, labels.shape)
    y, x = (check_spacing(spacing, labels.ndim) or (1.0,) * labels.ndim)[-2:]
    present = np.unique(labels[labels > 0])
    columns: list[str] = []
    coloring = None
    if table is not None and len(check_table(table)):
        check_belongs(table, labels, present, stacklevel=2)
        columns = embedding_columns(table, embedding)
        clusters = [name for name in table.columns if str(name).endswith(CLUSTERS)]
        column = clusters[-1] if color is None and clusters else color
        coloring = None if column is None else color_objects(table, column)
    step = max(1, max(labels.shape[-2:]) // MOST_PIXELS)
    seen = _first_object(labels[..., ::step, ::step])
    place = _Place(y * labels.shape[-2], x * labels.shape[-1], "px" if spacing is None else unit)
    with matplotlib.style.context(["default", STYLE]):
        figure, panels = _figure(2 + bool(columns) + (coloring is not None), place.height / place.width)
        title = "Image" if labels.ndim == 2 else "Image, maximum along z"
        _show(next(panels), _composite(channels[..., ::step, ::step], is_rgb), title, place, "auto")
        _show(next(panels), label_colors(seen), counted(len(present), "object"), place)
        if table is not None and columns:
            _scatter(next(panels), table[columns], coloring)
        if coloring is not None:
            _show(next(panels), coloring.paint(seen), coloring.title, place)
            coloring.add_key(figure)
    return figure


class _Place(NamedTuple):
    """The extent of an image and its unit."""

    height: float
    width: float
    unit: str


def _show(axes: Axes, picture: np.ndarray, title: str, place: _Place, interpolation: str = "nearest") -> None:
    """Draw an image (y, x, rgb) with its title and a scale bar."""
    extent = (0, place.width, place.height, 0)
    axes.imshow(picture, extent=extent, interpolation=interpolation, aspect="equal")
    axes.set(title=title, xticks=[], yticks=[])
    axes.spines[:].set_visible(False)
    length, margin = round_length(place.width / 3), 0.04 * min(place.width, place.height)
    draw_scale_bar(axes, (margin, place.height - margin), length, f"{length:g} {place.unit}")
    axes.set(xlim=(0, place.width), ylim=(place.height, 0))


def _scatter(axes: Axes, points: pd.DataFrame, coloring: Coloring | None) -> None:
    """Draw a scatter plot of two columns, in a fixed random order so that no class hides another."""
    order = np.random.default_rng(0).permutation(len(points))
    x, y = (points[name].to_numpy(dtype=float, na_value=np.nan)[order] for name in points)
    colors = INK if coloring is None else coloring.colors[order] / 255
    size = min(max(6000 / len(points), 2), 36)
    axes.scatter(x, y, size, colors, edgecolor="white", linewidth=0.3 * (size > 8), rasterized=True)
    axes.set(xlabel=points.columns[0], ylabel=points.columns[1], title=_scatter_title(*points.columns))
    axes.spines[["top", "right"]].set_visible(False)
    axes.margins(0.06)
    axes.locator_params(nbins=5)


def _scatter_title(x: str, y: str) -> str:
    name = x.rpartition("_")[0]
    if name in EMBEDDINGS and name == y.rpartition("_")[0]:
        return "Principal components" if name == "PC" else name
    return f"{y} against {x}"


def embedding_columns(table: pd.DataFrame, embedding: str | Sequence[str] | None) -> list[str]:
    """Return the two columns of the axes; an empty list if the table has no embedding."""
    if embedding is None:
        pattern = re.compile(rf"({'|'.join(EMBEDDINGS)})_1")
        found = [str(name)[:-2] for name in table.columns if pattern.fullmatch(str(name))]
        found = [name for name in found if f"{name}_0" in table.columns]
        if not found:
            return []
        embedding = found[-1]
    names = [f"{embedding}_0", f"{embedding}_1"] if isinstance(embedding, str) else list(embedding)
    if len(names) != 2:
        raise invalid("embedding", "a name such as 'UMAP', or two columns of the table", describe(embedding))
    return check_columns(table, names)


def _first_object(labels: np.ndarray) -> np.ndarray:
    """Return the labels as seen along z."""
    if labels.ndim == 2:
        return labels
    seen = labels[0].copy()
    for plane in labels[1:]:
        np.copyto(seen, plane, where=seen == 0)
    return seen


def _composite(channels: np.ndarray, is_rgb: bool | None) -> np.ndarray:
    """Return the maximum projection along z as an RGB image: greyscale, RGB, or coloured by channel."""
    if is_rgb is None:
        is_rgb = channels.ndim == 3 and len(channels) == 3 and channels.dtype == np.uint8
    if is_rgb:
        flat = channels.max(axis=1) if channels.ndim == 4 else channels
        top = 255 if flat.dtype == np.uint8 else float(flat.max()) or 1  # 16 bit are rarely used in full
        return (np.moveaxis(flat, 0, -1) / top * 255).clip(0, 255).astype(np.uint8)
    colors = CHANNEL_COLORS if len(channels) > 1 else ("#ffffff",)
    picture = np.zeros((*channels.shape[-2:], 3), dtype=np.float32)
    for channel, color in zip(channels, colors, strict=False):
        plane = channel.max(axis=0) if channel.ndim == 3 else channel
        plane = plane.astype(np.float32)
        low, high = np.percentile(plane, (0.5, 99.8))
        share = ((plane - low) / ((high - low) or 1)).clip(0, 1)
        picture += share[..., None] * (rgb(color) / np.float32(255))
    return (picture.clip(0, 1) * 255).astype(np.uint8)


def _figure(n_panels: int, aspect: float) -> tuple[Figure, Iterator[Axes]]:
    """Return a figure and its panels of the given `aspect` (height to width)."""
    layouts = [(rows, n_panels // rows) for rows in (1, 2, n_panels) if n_panels % rows == 0]
    n_rows, n_columns = min(layouts, key=lambda at: abs(math.log(at[1] / (at[0] * aspect) / 1.4)))
    width, height = LONG_SIDE / max(aspect, 1), LONG_SIDE * min(aspect, 1)
    size = (n_columns * (width + 0.35), n_rows * (height + 0.45) + 0.4)
    layout = ConstrainedLayoutEngine(w_pad=0.1, h_pad=0.1, wspace=0.02, hspace=0.02)
    figure = Picture(figsize=size, layout=layout, facecolor="white")
    panels = list(figure.subplots(n_rows, n_columns, squeeze=False).flat)
    for axes in panels:
        axes.set_box_aspect(aspect)
    return figure, iter(panels)
