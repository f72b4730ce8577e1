"""The explorer: linked views of a plot, slices and 3D."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import traitlets

from objclass._common import checks
from objclass._common.compile_ahead import compile_ahead_in_notebook
from objclass._common.files import AnyPath, check_writable, replacing
from objclass._common.notices import collect, warn
from objclass.plots import colors
from objclass.tables.anndata_format import to_anndata
from objclass.tables.selection import GROUP_COLUMN
from objclass.widgets.background import Worker
from objclass.widgets.base import bundle, stylesheet
from objclass.widgets.columns import first_columns
from objclass.widgets.explorer.class_mode import ClassMode
from objclass.widgets.explorer.gallery import Gallery
from objclass.widgets.explorer.legend import Legend
from objclass.widgets.explorer.opening import Images, Opened, open_objects
from objclass.widgets.explorer.page import Page
from objclass.widgets.explorer.pictures import FORMATS, Pictures
from objclass.widgets.explorer.protocol import ExplorerTraits
from objclass.widgets.explorer.session import Session
from objclass.widgets.explorer.steps import METHODS, Steps
from objclass.widgets.explorer.surfaces import Surfaces
from objclass.widgets.explorer.table_view import TableView
from objclass.widgets.planes import ImagePlanes

if TYPE_CHECKING:
    import pandas as pd

    from objclass.tables.table_classifier import TableClassifier
    from objclass.widgets.view3d.view3d import View3D

_PLOTTED_AT_ONCE = 20_000
"""The most objects whose plot is drawn for the picture in a saved notebook."""


def explore(
    image: npt.ArrayLike | AnyPath | Images,
    labels: npt.ArrayLike | AnyPath | pd.DataFrame | None = None,
    table: pd.DataFrame | None = None,
    *,
    x: str | None = None,
    y: str | None = None,
    color: str | None = None,
    by: str | None = None,
    spacing: Sequence[float] | None = None,
    unit: str | None = None,
    channel_names: Sequence[str] | None = None,
    save_to: str | os.PathLike[str] | None = None,
    resume: bool = True,
) -> Explorer:
    """Explore objects in linked views: a plot, slices and 3D; select groups with a lasso.

    Parameters
    ----------
    image : (z, y, x) or (y, x) array, or with channels first, or a path or a mapping
        What the slices show. Several images: ``{name: (image, labels), ...}``; time points: the number of the
        frame, or ``(name, frame)``, in place of the name. Then the table comes next.
    labels : (z, y, x) or (y, x) array of int, or a path
        The label image; labels need not be consecutive.
    table : pandas.DataFrame, optional
        One row an object, joined by its column ``label``, and by ``image`` and ``frame`` where there are
        several; measured with `objclass.measure` where it is not given. It stays as it is.
    x, y : str, optional
        The initial columns of the plot. With `x` alone, its histogram.
    color : str, optional
        The column for the colours of objects; by default the selected groups.
    by : str, optional
        A column of few values, such as ``image`` or a condition: the plot has a panel for each of them, all
        on the same axes. A shape drawn in one holds for all.
    spacing : sequence of float, optional
        Voxel size along each axis; by default that of an image given as a path.
    unit : str, optional
        The unit of `spacing`; µm by default.
    channel_names : sequence of str, optional
        A name for each channel of the image; by default those in the file of an image given as a path. Red,
        green and blue are shown in these colours, as are three channels of 8 bits of a 2D array.
    save_to : path, optional
        A .json file for groups, classes, edits, names, clusters, embeddings and axes. It is written after
        every change, and the explorer resumes from it.
    resume : bool
        Whether to resume from `save_to`, and from the last run of the same notebook cell. With False the
        explorer starts from scratch, and its first change replaces the file.

    Returns
    -------
    Explorer
        The widget. Its ``table`` is always current and contains the groups in ``MANUAL_CLUSTER_ID``; its
        ``labels`` are the corrected ones; ``code()`` returns the equivalent Python code.

    Raises
    ------
    ValueError, TypeError
        If the shapes do not match, the table has no unique ``label`` or rows of other images, a column is not
        there, or `save_to` is the file of other objects.
    FileNotFoundError, PermissionError
        If `save_to` cannot be written.

    Examples
    --------
    >>> import numpy as np, objclass
    >>> labels = np.kron(np.eye(3, dtype=int), np.ones((4, 4), dtype=int)) * [[1]]
    >>> explorer = objclass.explore(labels * 10, labels)
    >>> explorer.table["MANUAL_CLUSTER_ID"].tolist()
    [0]

    Two images in one plot:

    >>> pair = {"control": (labels * 10, labels), "treated": (labels * 30, labels)}
    >>> explorer = objclass.explore(pair, by="image")
    >>> explorer.table["image"].tolist()
    ['control', 'treated']
    """
    compile_ahead_in_notebook("umap", "classifying")
    with collect() as notes:
        opened = open_objects(image, labels, table, spacing=spacing, channel_names=channel_names)
    for note in notes:
        warn(note, stacklevel=2)
    asked = {"x": x, "y": y, "color": color, "by": by}
    return Explorer(opened, asked, notes, unit=unit, save_to=save_to, resume=resume)


class Explorer(ExplorerTraits):
    """The widget that `explore` returns.

    What the page shows can be set: `x`, `y`, `color`, `by`, `plot_style`, `only_selected`…

    Examples
    --------
    >>> import numpy as np, objclass
    >>> labels = np.kron(np.eye(3, dtype=int) * [1, 2, 3], np.ones((4, 4), dtype=int))
    >>> explorer = objclass.explore(labels * 10, labels)
    >>> explorer.color = "intensity_mean"
    >>> explorer.table["label"].tolist()
    [1, 2, 3]
    """

    _esm = traitlets.Unicode(bundle("explorer")).tag(sync=True)
    _css = traitlets.Unicode(stylesheet("slice_view", "explorer")).tag(sync=True)

    def __init__(
        self,
        opened: Opened,
        asked: Mapping[str, str | None],
        notes: list[str],
        *,
        unit: str | None,
        save_to: str | os.PathLike[str] | None,
        resume: bool,
    ):
        self.objects, self._pixels = objects, pixels = opened.objects, opened.pixels
        self._seen: dict[int, tuple[ImagePlanes, list[int]]] = {}
        super().__init__(
            pixels[0],
            ndim=objects.images.labels[0].ndim,
            spacing=opened.spacing,
            unit=unit,
            channel_names=opened.channel_names,
            sources={"objects": lambda axis, index: objects.slot_plane(axis, index, self._shown)},
            _series=objects.images.describe(),
            _methods=METHODS,
            _save_to="" if save_to is None else str(save_to),
            layers=["image", "objects"],
            _ramp=colors.color_ramp(),
        )
        self._page = Page(self, objects, notes)
        with self.hold_sync():
            self._page.show_all()
            first = first_columns(self._page.described)
            shown = {**dict(zip("xy", first, strict=True)), "color": GROUP_COLUMN, "by": ""}
            if asked["x"] is not None:
                shown["y"] = ""
            for name, column in asked.items():
                self.set_trait(name, shown[name] if column is None else column)
        self._start_components()
        self._session = Session(
            self._page, asked, save_to, on_failure=self._show_failure, on_restored=self._class_mode.learn
        )
        self._session.start(resume=resume)

    def _start_components(self) -> None:
        page = self._page
        self._worker = worker = Worker(lambda task: self.set_trait("busy", task), self._show_failure)
        self._class_mode = ClassMode(page, worker, self._show_failure)
        self._surfaces = Surfaces(page, self._pixels, worker, self._class_mode.click)
        self._pictures = Pictures(page, self._planes, self._surfaces)
        self._add_components(
            page,
            self._class_mode,
            self._surfaces,
            self._pictures,
            Legend(page),
            Steps(page, worker),
            TableView(page, lambda: self.table),
            Gallery(page, self._pixels, self._planes),
        )
        self._handlers |= {"code": self._send_code, "edit": self._edit}

    def _send_code(self, content: Mapping[str, Any]) -> None:
        self._page.answer(content, "code", text=self.code())

    def _edit(self, content: Mapping[str, Any]) -> None:
        """Make one edit, as `objclass.edit_objects` describes it, or the one again that was undone last."""
        page, edit = self._page, content.get("edit")
        if not isinstance(edit, Mapping):
            raise checks.invalid("edit", "an edit as edit_objects takes it", checks.describe(edit))
        if edit.get("edit") == "redo":
            edit = page.objects.edits.undone
            if edit is None:
                raise checks.invalid("edit", "an edit that was undone", "none")
        if self.busy.get("title", "").startswith("Surfaces"):
            self._worker.cancel()  # they would be those of objects before the edit
        if self._worker.busy:
            hint = "Wait, or cancel it."
            raise checks.invalid("edit", "no step at work on these objects", "one", hint, kind=RuntimeError)
        with page.lock:
            notes = page.objects.edit(edit)
            with self.hold_sync():
                if self.focus in page.objects.classes.absent:
                    self.focus = 0
                page.show_all(*notes)
            self._surfaces.drop()
            self._class_mode.learn()

    @traitlets.observe("_shown")
    def _switch(self, change: Any) -> None:
        """Show another image, where it was left."""
        self._seen[change.old] = self._planes.image, self.position
        planes, position = self._seen.get(change.new) or (ImagePlanes(self._pixels[change.new]), None)
        with self.hold_sync():
            self._page.shown = change.new
            self._show_planes(planes, source=change.new, position=position)
            self._surfaces.show()

    def wait(self, timeout: float | None = None) -> None:
        """Wait until the background step has ended and is saved."""
        self._worker.join(timeout)
        self._class_mode.join(timeout)
        self._session.file.flush()

    @property
    def table(self) -> pd.DataFrame:
        """A new table, with what was selected and added so far."""
        self._class_mode.join()
        return self.objects.table

    def anndata(self) -> Any:
        """Return the table as AnnData, see `objclass.to_anndata`."""
        return to_anndata(self.table)

    def code(self) -> str:
        """Return the Python code that reproduces `table`, including selections."""
        self._class_mode.join()
        return self.objects.code()

    @property
    def groups(self) -> pd.DataFrame:
        """The selected groups: number, name, colour and size."""
        import pandas as pd

        return pd.DataFrame(self._page.groups, columns=["group", "name", "color", "size", "hidden"])

    @property
    def classifier(self) -> TableClassifier | None:
        """The classifier trained on the examples; None if fewer than two classes have examples."""
        return self.objects.classes.classifier

    @property
    def examples(self) -> dict[Any, str]:
        """The class of each clicked example, by label or key: what `train_table_classifier` takes."""
        return self.objects.classes.named()

    @property
    def labels(self) -> np.ndarray:
        """The labels of the first image as they are now, after all edits."""
        return self.objects.images.labels[0].copy()

    @property
    def edits(self) -> list[dict[str, Any]]:
        """What was corrected, as `objclass.edit_objects` takes it."""
        return [dict(edit) for edit in self.objects.edits.edits]

    @property
    def shown(self) -> Any:
        """The key of the shown image, as in the mapping that `explore` was given; None with one image alone.

        Set it to show another image.
        """
        return self.objects.images.given_keys[self._page.shown]

    @shown.setter
    def shown(self, wanted: Any) -> None:
        known = self.objects.images.given_keys
        if wanted is None or wanted not in known:
            given = (
                ", ".join(repr(key) for key in known[:10] if key is not None) or "one image without a name"
            )
            raise checks.invalid("shown", f"one of {given}", repr(wanted))
        self.focus = 0
        self._shown = known.index(wanted)

    @property
    def volume_view(self) -> View3D | None:
        """The 3D view of the shown image, if it was requested."""
        return self._surfaces.view

    def _paint_over(self, picture: np.ndarray, axis: int, index: int, step: int) -> None:
        self._pictures.paint(picture, axis, index, step)

    def _full_picture(self) -> bytes:
        few = len(self.objects.table) <= _PLOTTED_AT_ONCE
        return self._pictures.draw("all", "png", dpi=72) if few else self.picture()

    def save_picture(self, path: str | os.PathLike[str], view: str = "all", *, dpi: int = 200) -> None:
        """Write a picture of what the explorer shows: in its colours, with legend and scale bar.

        Parameters
        ----------
        path : path
            A file that ends in .png, .svg or .pdf.
        view : {"all", "plot", "slice", "3d"}
            "all" is the plot and the slice side by side. The plot shows all objects, however the page is
            zoomed; the slice is the one shown last.
        dpi : int
            Dots per inch of a PNG file, and of what is no line or letter in the others.

        Raises
        ------
        ValueError
            If the ending or `view` is not one of these.
        FileNotFoundError, PermissionError
            If the file cannot be written.
        """
        target = Path(path).expanduser()
        ending = target.suffix.removeprefix(".").lower()
        if ending not in FORMATS:
            raise checks.invalid("path", f"a name that ends in .{', .'.join(FORMATS)}", str(path))
        check_writable(target.absolute().parent, argument="path")
        data = self._pictures.draw(view, ending, dpi=dpi)
        with replacing(target) as beside:
            beside.write_bytes(data)

    def save_html(self, path: str | Path) -> None:
        """Write the 3D view in its current colours as a self-contained HTML page.

        Raises
        ------
        OSError
            If the file cannot be written.
        """
        self._class_mode.join()
        self._pictures.painted_surfaces().save_html(path)
