"""Pictures of the explorer for a page or a talk: plot, slice and 3D, with legend and scale bar."""

from __future__ import annotations

import io
import math
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from objclass._common import checks
from objclass.plots import colors
from objclass.plots.scale_bar import draw_scale_bar, round_length
from objclass.tables.classification import CLASS_COLUMN
from objclass.tables.columns import factorize, numbers
from objclass.tables.selection import GROUP_COLUMN
from objclass.widgets import snapshot
from objclass.widgets.explorer.object_colors import (
    ObjectColors,
    color_steps,
    object_colors,
    paint_objects,
    surface_colors,
)
from objclass.widgets.explorer.page import Page
from objclass.widgets.explorer.surfaces import Surfaces
from objclass.widgets.planes import ImagePlanes, PlaneServer
from objclass.widgets.view3d.meshes import AMBIENT, project

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from objclass.widgets.view3d.view3d import View3D

VIEWS = ("plot", "slice", "3d", "all")
FORMATS = ("png", "svg", "pdf")
_SIZES = {"plot": (5.2, 4.4), "slice": (5.2, 4.4), "3d": (5.2, 4.4), "all": (10.4, 4.4)}
_MOST_VECTORS = 20_000
_DISTRIBUTIONS = ("boxes", "violins")
_HEXAGONS = 40
_LEAST_POINTS = 8
_BOX: dict[str, Any] = {
    "widths": 0.48,
    "patch_artist": True,
    "manage_ticks": False,
    "flierprops": {"marker": ".", "markersize": 3, "alpha": 0.5},
}
_DARK = "#101318"


class Pictures:
    """Pictures of what a page shows: its plot, the shown image's `planes`, and the `surfaces`."""

    def __init__(self, page: Page, planes: PlaneServer, surfaces: Surfaces):
        self._page, self._planes, self._surfaces = page, planes, surfaces
        self.handlers = {"picture": self._send}

    def draw(self, view: str, file_format: str, *, dpi: int = 200) -> bytes:
        """Return a picture as a file; see `Explorer.save_picture`."""
        import matplotlib
        from matplotlib.figure import Figure

        view = checks.check_option("view", view, VIEWS)
        file_format = checks.check_option("format", file_format, FORMATS)
        dpi = checks.check_number("dpi", dpi, low=20, high=1200, integer=True)
        look = object_colors(self._page)
        drawn: dict[str, Callable[[Any], None]] = {
            "plot": lambda part: draw_plot(self._page, part, look),
            "slice": lambda part: draw_slice(self._page, part, look, self._planes.image),
            "3d": lambda part: draw_volume(self._page, part, look, self._surfaces.make_now()),
        }
        out = io.BytesIO()
        with matplotlib.rc_context({"svg.fonttype": "none", "font.size": 9, "svg.hashsalt": "objclass"}):
            figure = Figure(figsize=_SIZES[view], layout="constrained", dpi=dpi)
            parts: Any = figure.subfigures(1, 2) if view == "all" else [figure]
            for part, name in zip(parts, ("plot", "slice") if view == "all" else (view,), strict=True):
                drawn[name](part)
            _draw_legend(figure, look)
            figure.savefig(out, format=file_format, metadata={"Date": None} if file_format == "svg" else None)
        return out.getvalue()

    def painted_surfaces(self) -> View3D:
        """Return the 3D view of the shown image in the colours of now."""
        view = self._surfaces.make_now()
        rgb, _ = surface_colors(self._page, object_colors(self._page), view.mesh.labels)
        view.paint(np.rint(rgb * 255).astype(np.uint8))
        return view

    def paint(self, picture: np.ndarray, axis: int, index: int, step: int) -> None:
        """Draw the objects over a picture of every `step`-th pixel of a plane, in place."""
        paint_objects(self._page, picture, axis, index, look=object_colors(self._page), step=step)

    def _send(self, content: Mapping[str, Any]) -> None:
        """Answer with a picture as a file."""
        view, file_format = str(content.get("of", "all")), str(content.get("format", "png"))
        data = self.draw(view, file_format)
        self._page.answer(content, "file", [data], name=f"explorer-{view}.{file_format}")


def draw_plot(page: Page, figure: Figure | Any, look: ObjectColors) -> None:
    """Draw the plot into a figure, a panel for each value of the column ``by``."""
    table, by = page.objects.table, page.widget.by
    panels: list[tuple[str | None, np.ndarray]] = [(None, np.ones(len(table), bool))]
    if by:
        codes, _ = factorize(table[by])
        names = [category["name"] for category in page.described[by]["categories"]]
        panels = [(text, codes == place) for place, text in enumerate(names)]
    columns = math.ceil(math.sqrt(len(panels)))
    axes = figure.subplots(math.ceil(len(panels) / columns), columns, sharex=True, sharey=True, squeeze=False)
    for ax, (text, inside) in zip(axes.ravel(), panels, strict=False):
        _draw_points(page, ax, table, look, inside & look.visible)
        if text is not None:
            ax.set_title(text, loc="left", fontsize=9)
    for ax in axes.ravel()[len(panels) :]:
        ax.set_axis_off()
    shown = {"x": page.widget.x, "y": page.widget.y}
    if page.widget.plot_style in _DISTRIBUTIONS:
        color = "Group" if page.widget.color == GROUP_COLUMN else page.widget.color
        figure.supxlabel(color, fontsize=9)
        shown = {"y": page.widget.y or page.widget.x}
    for name, column in shown.items():
        label = getattr(figure, f"sup{name}label")
        unit = page.described[column]["unit"] if column else ""
        label(f"{column} ({unit})" if unit else column or "Objects", fontsize=9)


def _draw_points(page: Page, ax: Axes, table: Any, look: ObjectColors, rows: np.ndarray) -> None:
    ax.spines[["top", "right"]].set_visible(False)
    ax.grid(alpha=0.25, linewidth=0.5)
    ax.set_axisbelow(True)
    if page.widget.plot_style in _DISTRIBUTIONS:
        _draw_distributions(page, ax, table, look, rows)
        return
    for name in "xy":
        if name in page.widget.log_axes and (name == "x" or page.widget.y):
            getattr(ax, f"set_{name}scale")("log")
    x = numbers(table[page.widget.x])
    if not page.widget.y:
        _draw_bars(page, ax, x, look, rows)
        return
    y = numbers(table[page.widget.y])
    if page.widget.equal_scales:
        ax.set_aspect("equal", adjustable="datalim")
    if page.widget.contours and look.entries:
        _draw_contours(page, ax, x, y, look, rows)
    if page.widget.plot_style == "hexbin":
        _draw_hexagons(page, ax, x, y, look, rows)
        return
    size = (0.75 * page.widget.point_size) ** 2
    style: Any = {"s": size, "linewidths": 0, "rasterized": len(table) > _MOST_VECTORS}
    for chosen, alpha in ((False, 0.5), (True, 0.92)):
        part = rows & (look.chosen == chosen)
        ax.scatter(x[part], y[part], c=look.rgb[part], alpha=alpha, **style)


def _finite(page: Page, rows: np.ndarray, **values_of: np.ndarray) -> np.ndarray:
    """Return the rows that have a place on the axes, of which the values are given by name."""
    for name, values in values_of.items():
        rows = rows & np.isfinite(values) & ((values > 0) | (name not in page.widget.log_axes))
    return rows


def _draw_hexagons(
    page: Page, ax: Axes, x: np.ndarray, y: np.ndarray, look: ObjectColors, rows: np.ndarray
) -> None:
    """Draw hexagons in the mean colour of their points, the more of them the more opaque."""
    rows = _finite(page, rows, x=x, y=y)
    if not rows.any():
        return
    scales = {f"{name}scale": "log" if name in page.widget.log_axes else "linear" for name in "xy"}
    bins: Any = {"gridsize": _HEXAGONS, **scales}
    counts: Any = ax.hexbin(x[rows], y[rows], mincnt=1, linewidths=0, **bins)
    parts: Any = [ax.hexbin(x[rows], y[rows], C=look.rgb[rows, part], **bins) for part in range(3)]
    rgb = np.stack([part.get_array() for part in parts], axis=-1)
    number = np.log1p(np.asarray(counts.get_array(), float))
    for part in parts:
        part.remove()
    counts.set_array(None)
    counts.set_facecolor(np.column_stack([rgb, 0.2 + 0.8 * number / number.max()]))


def _draw_contours(
    page: Page, ax: Axes, x: np.ndarray, y: np.ndarray, look: ObjectColors, rows: np.ndarray
) -> None:
    """Draw lines around half and nine tenths of the points of each entry of the legend."""
    rows = _finite(page, rows, x=x, y=y)
    on_log = np.array([name in page.widget.log_axes for name in "xy"])
    places = np.stack([x[rows], y[rows]])
    places[on_log] = np.log10(places[on_log])
    for place, (_, color, _) in enumerate(look.entries, 1):
        points = places[:, look.codes[rows] == place]
        if points.shape[1] >= _LEAST_POINTS:
            _draw_contour(ax, points, on_log, color)


def _draw_contour(ax: Axes, points: np.ndarray, on_log: np.ndarray, color: str) -> None:
    """Draw the lines of some points (2, n), which are logarithms along the axes that are `on_log`."""
    from scipy import ndimage

    spread = points.shape[1] ** (-1 / 6) * points.std(axis=1)  # by Scott's rule
    room = np.maximum(3 * spread, 1e-9)
    edges = np.linspace(points.min(axis=1) - room, points.max(axis=1) + room, 101, axis=1)
    density: Any = np.histogram2d(points[0], points[1], bins=(edges[0], edges[1]))[0]
    density = ndimage.gaussian_filter(density, spread / (edges[:, 1] - edges[:, 0]))
    cells = [np.searchsorted(edge, values, "right") - 1 for edge, values in zip(edges, points, strict=True)]
    levels = np.quantile(density[tuple(np.clip(cells, 0, 99))], [0.1, 0.5])
    if not 0 < levels[0] < levels[1] < density.max():
        return
    middles = (edges[:, 1:] + edges[:, :-1]) / 2
    middles[on_log] = 10 ** middles[on_log]
    ax.contour(*middles, density.T, levels=levels, colors=[color], linewidths=[1, 1.8], zorder=3)


def _draw_distributions(page: Page, ax: Axes, table: Any, look: ObjectColors, rows: np.ndarray) -> None:
    """Draw a box or a violin for each entry of the legend, and for the rows that have none."""
    axis = "y" if page.widget.y else "x"
    values = numbers(table[getattr(page.widget, axis)])
    rows = _finite(page, rows, **{axis: values})
    entries = [(place, name, color) for place, (name, color, _) in enumerate(look.entries, 1)]
    if not entries:
        entries = [(0, "All", colors.UNSELECTED)]
    elif (look.codes == 0).any():
        rest = "none" if page.widget.color in (GROUP_COLUMN, CLASS_COLUMN) else "no value"
        entries.append((0, rest, colors.UNSELECTED))
    if axis in page.widget.log_axes:
        ax.set_yscale("log")
    for at, (place, _, color) in enumerate(entries):
        own = values[rows & (look.codes == place)]
        if not len(own):
            continue
        if page.widget.plot_style == "boxes" or own.min() == own.max():
            drawn: Any = ax.boxplot(own, positions=[at], **_BOX)
            drawn["boxes"][0].set_facecolor((*colors.rgb(color) / 255, 0.6))
            drawn["medians"][0].set(color="black", linewidth=2)
        else:
            body: Any = ax.violinplot(own, positions=[at], widths=0.8, showextrema=False, showmedians=True)
            body["bodies"][0].set(facecolor=color, edgecolor="black", alpha=0.6)
            body["cmedians"].set(color="black", linewidth=2)
    ax.set_xticks(range(len(entries)), [name for _, name, _ in entries])
    ax.set_xlim(-0.5, len(entries) - 0.5)


def _draw_bars(page: Page, ax: Axes, x: np.ndarray, look: ObjectColors, rows: np.ndarray) -> None:
    rows = _finite(page, rows, x=x)
    if not rows.any():
        return
    values = x[rows]
    on_log = "x" in page.widget.log_axes
    edges = np.histogram_bin_edges(np.log10(values) if on_log else values, 64)
    edges = 10**edges if on_log else edges
    if look.ramp is not None:
        ax.hist(values, edges.tolist(), color=colors.UNSELECTED)
        return
    wanted, of = np.unique(look.rgb[rows], axis=0, return_inverse=True)
    parts = [values[of.ravel() == place] for place in range(len(wanted))]
    ax.hist(parts, edges.tolist(), stacked=True, color=list(wanted))


def draw_slice(page: Page, figure: Figure | Any, look: ObjectColors, planes: ImagePlanes) -> None:
    """Draw the shown slice with the objects in their colours, and a scale bar."""
    axis = page.widget.axis
    index = page.widget.position[axis]
    picture = snapshot.compose_channels(planes.encode(planes.plane(axis, index)), page.widget.channels)
    paint_objects(page, picture, axis, index, look=look)
    row, col = (size for other, size in enumerate(page.widget.volume["spacing"]) if other != axis)
    ax = figure.subplots()
    height, width = picture.shape[:2]
    ax.imshow(picture, extent=(0, width * col, height * row, 0), interpolation="nearest")
    ax.set_axis_off()
    names = ", ".join(filter(None, [page.objects.images.names[page.shown], f"{'zyx'[axis]} {index}"]))
    if page.widget.volume["ndim"] == 2:
        names = page.objects.images.names[page.shown]
    ax.set_title(names, loc="left", fontsize=9)
    width, height = width * col, height * row
    length = round_length(width / 4)
    bar = f"{length:g} {page.widget.volume['unit']}"
    draw_scale_bar(ax, (width * 0.97 - length, height * 0.96), length, bar, rimmed=False)


def draw_volume(page: Page, figure: Figure | Any, look: ObjectColors, view: View3D) -> None:
    """Draw the surfaces of the objects as they are seen in the 3D view, with a scale bar at their middle."""
    from matplotlib.collections import PolyCollection

    mesh, camera = view.mesh, view.plot.camera
    ax = figure.subplots()
    ax.set_facecolor(_DARK)
    ax.set(xticks=[], yticks=[], aspect="equal")
    corners, depth, facing, middle = project(mesh.vertices, mesh.triangles, camera)
    rgb, seen = surface_colors(page, look, mesh.labels)
    of_triangle = np.repeat(np.arange(len(mesh.labels)), mesh.triangle_counts)
    order = np.argsort(-depth, kind="stable")
    order = order[seen[of_triangle[order]] & (depth[order] > 0)]
    shade = AMBIENT + (1 - AMBIENT) * np.abs(facing[order])
    faces = np.clip(rgb[of_triangle[order]] * shade[:, None], 0, 1)
    ax.add_collection(
        PolyCollection(
            list(corners[order]), facecolors=faces, edgecolors=faces, linewidths=0.2, rasterized=True
        )
    )
    half = math.tan(math.radians(view.plot.camera_fov) / 2)
    ax.set(xlim=(-half * 1.2, half * 1.2), ylim=(-half, half))
    length = round_length(0.6 * half * middle)
    bar = f"{length:g} {page.widget.volume['unit']}"
    drawn = length / middle
    draw_scale_bar(ax, (half * 1.14 - drawn, -half * 0.92), drawn, bar, rimmed=False)


def _draw_legend(figure: Figure, look: ObjectColors) -> None:
    """Draw what the colours stand for, once for the whole figure."""
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import ListedColormap, Normalize
    from matplotlib.lines import Line2D

    if look.ramp is not None:
        mapped = ScalarMappable(Normalize(*look.ramp), ListedColormap(color_steps()))
        axes = [ax for ax in figure.axes if ax.axison] or figure.axes
        figure.colorbar(mapped, ax=axes, label=look.title, shrink=0.8)
    elif look.entries:
        handles = [
            Line2D([], [], marker="o", linestyle="", color=color, label=f"{name} ({count:,})")
            for name, color, count in look.entries[: colors.MOST_KEYS]
        ]
        place: dict[str, Any] = {"loc": "outside lower center", "ncols": min(len(handles), 4)}
        figure.legend(handles=handles, **place, frameon=False, title=look.title or None, fontsize=8)
