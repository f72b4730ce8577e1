"""3D view: surfaces of objects coloured by group, cluster or measurement, with the image."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anywidget
import ipywidgets
import numpy as np
import numpy.typing as npt
import traitlets

from objclass._common import checks
from objclass._common.checks import counted
from objclass._common.progress import Progress
from objclass.plots.colors import color_objects, group_colors
from objclass.tables.columns import column_kind
from objclass.widgets.base import bundle, spatial_image
from objclass.widgets.label_images import check_objects, present_labels
from objclass.widgets.saved_picture import SavedPicture
from objclass.widgets.snapshot import encode_png
from objclass.widgets.view3d.meshes import TRIANGLES, Models, mesh_objects
from objclass.widgets.view3d.scene import (
    LEVELS,
    add_raw,
    add_surfaces,
    empty_plot,
    fitting_camera,
    plateau_map,
)
from objclass.widgets.view3d.still import draw_surfaces

if TYPE_CHECKING:
    import pandas as pd


def view3d(
    image: npt.ArrayLike,
    labels: npt.ArrayLike,
    table: pd.DataFrame | None = None,
    *,
    color: str | None = None,
    spacing: Sequence[float] | None = None,
    raw: str = "mip",
    triangles: int = TRIANGLES,
    progress: Progress = True,
) -> View3D:
    """Show objects as surfaces in 3D, together with the image.

    Parameters
    ----------
    image : (z, y, x) array, or with channels first
        If there are several channels, the first is shown.
    labels : (z, y, x) array of int
        The label image; labels need not be consecutive. Objects of a 2D image are shown as plates.
    table : pandas.DataFrame, optional
        One row for each object, joined by its column ``label``.
    color : str, optional
        The column of `table` for the colours of objects; by default each object has its own colour.
    spacing : sequence of float, optional
        Voxel size along each axis.
    raw : {"mip", "volume", "none"}
        How the image is shown: as a maximum projection, by volume rendering, or not at all.
    triangles : int
        The approximate maximum number of triangles of all surfaces; fewer are faster.
    progress : bool or callable
        True shows a progress bar after two seconds.

    Returns
    -------
    View3D
        The widget. Its ``color`` can be set to another column; ``clicked`` is the label of the object
        clicked last; ``save_html(path)`` writes a self-contained page.

    Raises
    ------
    ValueError, TypeError
        If the shapes do not match, the table has no unique ``label``, or the column does not exist.

    Examples
    --------
    >>> import numpy as np, objclass
    >>> labels = np.zeros((8, 8, 8), int)
    >>> labels[2:6, 2:6, 2:6] = 3
    >>> objclass.view3d(labels * 10, labels).mesh.labels.tolist()
    [3]
    """
    stack = checks.check_labels(labels)
    sizes = checks.check_spacing(spacing, stack.ndim)
    shown = spatial_image(image, stack.ndim, reference=stack)
    raw = checks.check_option("raw", raw, ("mip", "volume", "none"))
    triangles = checks.check_number("triangles", triangles, low=100, integer=True)
    view = View3D(shown, stack, spacing=sizes, raw=raw, triangles=triangles, progress=progress)
    if table is not None:
        view.set_table(table)
    view.color = color or ""
    return view


class _HidesPicture(anywidget.AnyWidget):
    """The part of the view that hides the picture before it."""

    _esm = bundle("view3d")


class View3D(ipywidgets.VBox):
    """The widget that `view3d` returns.

    Attributes
    ----------
    color : str
        The column for the colours of objects; "" gives each object its own colour.
    clicked : int
        The label of the object that was clicked last; 0 if none.
    mesh : objclass.widgets.view3d.meshes.Mesh
        The surfaces.
    plot : k3d.Plot
        The k3d plot.

    Examples
    --------
    >>> import numpy as np, objclass
    >>> labels = np.zeros((8, 8, 8), int)
    >>> labels[2:6, 2:6, 2:6] = 3
    >>> view = objclass.view3d(labels * 10, labels, raw="none")
    >>> view.mesh.labels.tolist()
    [3]
    """

    color = traitlets.Unicode("", help="the column that colours the objects")
    clicked = traitlets.Int(0, help="label of the object that was clicked last")

    def __init__(
        self,
        image: np.ndarray,
        labels: np.ndarray,
        *,
        slots: np.ndarray | None = None,
        spacing: Sequence[float] | None = None,
        unit: str | None = None,
        raw: str = "mip",
        triangles: int = TRIANGLES,
        progress: Progress = True,
    ):
        stack = labels if labels.ndim == 3 else labels[np.newaxis]
        sizes = (1.0,) * labels.ndim if spacing is None else tuple(spacing)
        self.spacing = sizes if labels.ndim == 3 else (min(sizes), *sizes)
        self._table: pd.DataFrame | None = None
        wanted = present_labels(labels) if slots is None else slots
        self.mesh = mesh_objects(stack, wanted, spacing=self.spacing, budget=triangles, progress=progress)
        self.plot = empty_plot(stack.shape, self.spacing, checks.check_unit(unit, spacing) or "µm")
        corners = np.array([[0.0, 0.0, 0.0], self.plot.grid[3:]])
        self.camera = fitting_camera(self.mesh.vertices if len(self.mesh.vertices) else corners)
        self.reset()
        self.raw: Any = None
        self._image = image[0]
        if raw != "none":
            self.show_raw(raw)
        self.surfaces = add_surfaces(self.plot, self.mesh, self._on_click)
        button = ipywidgets.Button(description="Reset view", tooltip="Show all objects again")
        button.on_click(lambda _button: self.reset())
        super().__init__([self.plot, button, _HidesPicture()])
        self._saved_picture = SavedPicture(self._draw_still)
        self._recolor()
        self.plot.observe(lambda _change: self._saved_picture.touch(), "camera")

    @traitlets.validate("color")
    def _check_color(self, proposal: Any) -> str:
        table, column = self._table, proposal.value
        usable = [] if table is None else [str(name) for name in table if column_kind(table[name]) != "text"]
        if column and column not in usable:
            hint = f"There are: {', '.join(usable)}." if usable else "Pass a table."
            expected = "the name of a column of table with numbers or few values"
            raise checks.invalid("color", expected, column, hint)
        return column

    @traitlets.observe("color")
    def _recolor(self, _change: Any = None) -> None:
        self.paint(self._colors())
        self._saved_picture.touch()

    def _repr_mimebundle_(self, **keywords: Any) -> Any:
        """Return the widget with a summary, and publish a picture before it; for viewers without a kernel."""
        self._saved_picture.show()
        summary = f"View3D of {counted(len(self.mesh.labels), 'object')}"
        if self.color:
            summary += f", coloured by {self.color}"
        return {**super()._repr_mimebundle_(**keywords), "text/plain": summary}

    def _draw_still(self) -> bytes:
        return encode_png(draw_surfaces(self.mesh, self._colors(), self.plot.camera or self.camera))

    def reset(self) -> None:
        """Reset the camera to show all objects."""
        self.plot.camera = self.camera

    def close_all(self) -> None:
        """Close the view with its plot, surfaces and image, and release their memory."""
        self._saved_picture.close()
        for model in (self.raw, self.surfaces, self.plot, self):
            if model is not None:
                model.close()

    def show_raw(self, how: str = "mip") -> None:
        """Add the image, as a maximum projection ("mip") or by volume rendering ("volume")."""
        if self.raw is None:
            self.raw = add_raw(self.plot, self._image, self.spacing, how)

    def set_table(self, table: pd.DataFrame) -> None:
        """Replace the table, for example by one with further columns."""
        self._table = check_objects(table)
        self._recolor()

    def paint(self, colors: np.ndarray) -> None:
        """Show each object of `mesh` in a colour, (k, 3) bytes, until `color` changes.

        Of more than 256 different ones the last in their order are shown alike.
        """
        palette, levels = np.unique(colors, axis=0, return_inverse=True)
        with self.surfaces.hold_sync():
            self.surfaces.color_map = plateau_map(palette)
            self.surfaces.attribute = self.mesh.spread(levels.ravel().clip(max=LEVELS - 1).astype(np.float32))

    def save_html(self, path: str | Path) -> None:
        """Write the view as a self-contained HTML page, without need of Python or a network.

        Raises
        ------
        OSError
            If the file cannot be written.
        """
        Path(path).write_text(self.plot.get_snapshot(), encoding="utf-8")

    def describe(self) -> Models:
        """Return the description of the view for the explorer in the browser."""
        return {
            "plot": self.plot.model_id,
            "surfaces": self.surfaces.model_id,
            "raw": "" if self.raw is None else self.raw.model_id,
            "vertices": self.mesh.vertex_counts.astype("<i4").tobytes(),
            "triangles": self.mesh.triangle_counts.astype("<i4").tobytes(),
            "size": [float(self.plot.grid[axis + 3]) for axis in range(3)],
            "camera": self.camera,
        }

    def _colors(self) -> np.ndarray:
        """Return the colour of each object of `mesh`, (k, 3) bytes."""
        labels, table = self.mesh.labels, self._table
        if not self.color or table is None or table.empty:
            return group_colors(np.arange(len(labels)) % LEVELS + 1)
        return color_objects(table, self.color).colors_of(labels)

    def _on_click(self, content: Any) -> None:
        self.clicked = self.mesh.label_of(int(content["face"][0]))
