"""Pictures of the explorer for a page or a talk: plot, slice and 3D, with legend and scale bar."""

from __future__ import annotations

import io
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from objclass._common import checks
from objclass.plots import colors
from objclass.plots.scale_bar import draw_scale_bar, round_length
from objclass.tables.classification import CLASS_COLUMN
from objclass.tables.columns import factorize, numbers
from objclass.tables.selection import GROUP_COLUMN
from objclass.widgets import snapshot
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
_GREY = colors.rgb(colors.UNSELECTED) / 255
_DARK = "#101318"


@dataclass(frozen=True)
class ObjectColors:
    """How the objects look: a colour for each row, which are seen, and the legend.

    Attributes
    ----------
    rgb : (n, 3) float array, 0 to 1
    codes : (n,) int array
        The place of each row among `entries`, from 1; 0 for none.
    visible, chosen : (n,) bool array
        Rows that are not hidden; rows that have a colour of their own, drawn over the grey ones.
    entries : list of (name, colour, count)
    ramp : (low, high) or None
        Where colours stand for numbers.
    title : str
    """

    rgb: np.ndarray
    codes: np.ndarray
    visible: np.ndarray
    chosen: np.ndarray
    entries: list[tuple[str, str, int]]
    ramp: tuple[float, float] | None
    title: str


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
        rgb, _ = surface_colors(self._page, object_colors(self._page), view)
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


def object_colors(page: Page) -> ObjectColors:
    """Return how the objects of a page look now; the same rules as in ``object_store.js``."""
    name, table = page.widget.color, page.objects.table
    count = len(table)
    rgb = np.tile(_GREY, (count, 1))
    entries: list[tuple[str, str, int]] = []
    ramp = None
    groups = {item["group"]: item for item in page.groups}
    belongs = page.objects.groups.numbers
    named: dict[int, tuple[str, str, str]]  # name, colour, and what the trait `hidden` knows it by
    if name == GROUP_COLUMN:
        codes = belongs
        named = {g: (item["name"] or f"Group {g}", item["color"], "") for g, item in groups.items()}
    elif name == CLASS_COLUMN and page.objects.classes.state.names:
        _, codes, _ = page.objects.classes.predicted(page.objects.row_labels)
        state = page.objects.classes.state
        named = {number: (text, state.colors[number], str(number)) for number, text in state.names.items()}
    elif page.described[name]["kind"] == "category":
        codes = factorize(table[name])[0] + 1
        categories = page.described[name]["categories"]
        named = {
            place: (item["name"], item["color"], item["value"]) for place, item in enumerate(categories, 1)
        }
    else:
        values = numbers(table[name])
        low, high = page.described[name]["low"], page.described[name]["high"]
        codes, named, ramp = np.isfinite(values).astype(int), {}, (low, high)
        part = np.clip((np.nan_to_num(values) - low) / ((high - low) or 1.0), 0, 1)
        steps = np.frombuffer(colors.color_ramp(), np.uint8).reshape(-1, 3)
        rgb = np.where((codes > 0)[:, None], steps[np.rint(part * 255).astype(int)] / 255, rgb)
    places = np.zeros(count, int)
    hidden = [group for group, item in groups.items() if item["hidden"]]
    visible = ~np.isin(belongs, hidden)
    for place, (code, (text, color, key)) in enumerate(named.items(), 1):
        own = codes == code
        rgb[own] = colors.rgb(color) / 255
        places[own] = place
        entries.append((text, color, int(own.sum())))
        if key in page.widget.hidden.get(name, ()):
            visible[own] = False
    if page.widget.only_selected:
        visible &= belongs > 0
    title = "" if name == GROUP_COLUMN else name
    return ObjectColors(rgb, places, visible, np.asarray(codes) > 0, entries, ramp, title)


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
    for chosen, alpha in ((False, 0.5), (True, 0.92)):
        part = rows & (look.chosen == chosen)
        ax.scatter(
            x[part], y[part], s=size, c=look.rgb[part], alpha=alpha, linewidths=0,
            rasterized=len(table) > _MOST_VECTORS,
        )  # fmt: skip


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
    from scipy import ndimage

    rows = _finite(page, rows, x=x, y=y)
    on_log = [name in page.widget.log_axes for name in "xy"]
    places = [np.log10(values, where=rows, out=np.zeros(len(values))) if log else values
              for values, log in zip((x, y), on_log, strict=True)]  # fmt: skip
    for place, (_, color, _) in enumerate(look.entries, 1):
        points = np.stack([values[rows & (look.codes == place)] for values in places])
        if points.shape[1] < _LEAST_POINTS:
            continue
        scott = points.shape[1] ** (-1 / 6)
        room = np.maximum(3 * scott * points.std(axis=1), 1e-9)
        edges = [np.linspace(low.min() - air, low.max() + air, 101)
                 for low, air in zip(points, room, strict=True)]  # fmt: skip
        density: Any = np.histogram2d(points[0], points[1], bins=(edges[0], edges[1]))[0]
        steps = [float(edge[1] - edge[0]) for edge in edges]
        density = ndimage.gaussian_filter(density, scott * points.std(axis=1) / steps)
        index = [np.clip(np.searchsorted(edge, values, "right") - 1, 0, 99)
                 for edge, values in zip(edges, points, strict=True)]  # fmt: skip
        levels = np.quantile(density[tuple(index)], [0.1, 0.5])
        if not 0 < levels[0] < levels[1] < density.max():
            continue
        middles = [(edge[1:] + edge[:-1]) / 2 for edge in edges]
        middles = [10**middle if log else middle for middle, log in zip(middles, on_log, strict=True)]
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
            drawn: Any = ax.boxplot(own, positions=[at], widths=0.48, patch_artist=True, manage_ticks=False,
                               flierprops={"marker": ".", "markersize": 3, "alpha": 0.5})  # fmt: skip
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
    wanted, of = np.unique(look.rgb[rows], axis=0, return_inverse=True)
    values, of = x[rows], of.ravel()
    edges = np.histogram_bin_edges(np.log10(values) if "x" in page.widget.log_axes else values, 64)
    edges = 10**edges if "x" in page.widget.log_axes else edges
    if look.ramp is not None:
        ax.hist(values, edges.tolist(), color=colors.UNSELECTED)
        return
    parts = [values[of == place] for place in range(len(wanted))]
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


def paint_objects(
    page: Page, picture: np.ndarray, axis: int, index: int, *, look: ObjectColors, step: int = 1
) -> None:
    """Draw the objects in their colours over a picture of every `step`-th pixel of a plane, in place."""
    slots = page.objects.slot_plane(axis, index, page.shown)[::step, ::step]
    shown = np.zeros((len(page.objects.slot_labels) + 1, 4))
    rows = page.objects.rows
    shown[1 : len(rows) + 1, :3] = look.rgb[rows] * 255
    shown[1 : len(rows) + 1, 3] = look.visible[rows] * np.where(look.chosen[rows], 0.78, 0.33)
    shown[len(rows) + 1 :] = (*(_GREY * 255), 0 if page.widget.only_selected else 0.33)
    overlay = shown[slots]
    picture[:] = np.rint(picture * (1 - overlay[..., 3:]) + overlay[..., :3] * overlay[..., 3:])


def draw_volume(page: Page, figure: Figure | Any, look: ObjectColors, view: View3D) -> None:
    """Draw the surfaces of the objects as they are seen in the 3D view, with a scale bar at their middle."""
    from matplotlib.collections import PolyCollection

    mesh, camera = view.mesh, view.plot.camera
    ax = figure.subplots()
    ax.set_facecolor(_DARK)
    ax.set(xticks=[], yticks=[], aspect="equal")
    corners, depth, facing, middle = project(mesh.vertices, mesh.triangles, camera)
    rgb, seen = surface_colors(page, look, view)
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


def surface_colors(page: Page, look: ObjectColors, view: View3D) -> tuple[np.ndarray, np.ndarray]:
    """Return the colour (0 to 1) of each object in a 3D view, and whether it is seen."""
    rows = {number: row for row, number in enumerate(page.objects.row_labels.tolist())}
    numbers_there = view.mesh.labels + page.objects.images.offsets[page.shown]
    places = np.array([rows.get(number, len(rows)) for number in numbers_there.tolist()], int)
    rgb = np.concatenate([look.rgb, [_GREY]])
    visible = np.append(look.visible, not page.widget.only_selected)
    return rgb[places], visible[places]


def _draw_legend(figure: Figure, look: ObjectColors) -> None:
    """Draw what the colours stand for, once for the whole figure."""
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import ListedColormap, Normalize
    from matplotlib.lines import Line2D

    if look.ramp is not None:
        steps = np.frombuffer(colors.color_ramp(), np.uint8).reshape(-1, 3) / 255
        mapped = ScalarMappable(Normalize(*look.ramp), ListedColormap(steps))
        axes = [ax for ax in figure.axes if ax.axison] or figure.axes
        figure.colorbar(mapped, ax=axes, label=look.title, shrink=0.8)
    elif look.entries:
        handles = [
            Line2D([], [], marker="o", linestyle="", color=color, label=f"{name} ({count:,})")
            for name, color, count in look.entries[: colors.MOST_KEYS]
        ]
        figure.legend(handles=handles, loc="outside lower center", ncols=min(len(handles), 4),
                      frameon=False, title=look.title or None, fontsize=8)  # fmt: skip
