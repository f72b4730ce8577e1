"""The explorer: linked views of a plot, slices and 3D."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy.typing as npt
import traitlets

from objclass._common import checks
from objclass._common.compile_ahead import compile_ahead_in_notebook
from objclass._common.files import AnyPath
from objclass.measurement.columns import column_unit, find_property
from objclass.objects.editing import fingerprint
from objclass.plots import colors
from objclass.tables.classification import CLASS_COLUMN
from objclass.tables.selection import GROUP_COLUMN
from objclass.widgets import columns
from objclass.widgets.base import SliceWidget, bundle, stylesheet
from objclass.widgets.explorer.class_messages import CLASS_ENTRY, ClassesMixin
from objclass.widgets.explorer.edit_messages import EditsMixin
from objclass.widgets.explorer.files import read_paths
from objclass.widgets.explorer.gallery import GalleryMixin
from objclass.widgets.explorer.jobs import StepsMixin
from objclass.widgets.explorer.legend_messages import LegendMixin
from objclass.widgets.explorer.object_table import ObjectTable
from objclass.widgets.explorer.pictures import PicturesMixin
from objclass.widgets.explorer.series import Images, SeriesMixin, open_images
from objclass.widgets.explorer.state_file import StateFile, running_cell
from objclass.widgets.explorer.table_messages import RowOrder, TableMixin
from objclass.widgets.words import counted

if TYPE_CHECKING:
    import pandas as pd

_ASKED = ("x", "y", "color", "by")
_VIEW = (
    *(*_ASKED, "log_axes", "point_size", "only_selected", "hidden"),
    *("plot_style", "contours", "equal_scales"),
)
PLOT_STYLES = ("auto", "points", "density", "hexbin", "boxes", "violins")
MOST_PANELS = 24
_LIVING: dict[str, tuple[int, Explorer]] = {}
"""The last explorer of each notebook cell and its time: a cell that is run again resumes from it."""


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
    return Explorer(
        image,
        labels,
        table,
        x=x,
        y=y,
        color=color,
        by=by,
        spacing=spacing,
        unit=unit,
        save_to=save_to,
        resume=resume,
    )


class Explorer(
    ClassesMixin,
    EditsMixin,
    LegendMixin,
    StepsMixin,
    TableMixin,
    GalleryMixin,
    PicturesMixin,
    SeriesMixin,
    SliceWidget,
):
    """The widget that `objclass.explore` returns."""

    _esm = traitlets.Unicode(bundle("explorer")).tag(sync=True)
    _css = traitlets.Unicode(stylesheet("slice_view", "explorer")).tag(sync=True)

    x = traitlets.Unicode(help="column on the x axis").tag(sync=True)
    y = traitlets.Unicode("", help="column on the y axis; empty for a histogram of x").tag(sync=True)
    color = traitlets.Unicode(GROUP_COLUMN, help="column that colours the objects").tag(sync=True)
    log_axes = traitlets.Unicode("", help="logarithmic axes: '', 'x', 'y' or 'xy'").tag(sync=True)
    point_size = traitlets.Float(7.0, min=1, max=30, help="diameter of a point in pixels").tag(sync=True)
    by = traitlets.Unicode("", help="column whose values have a panel of the plot each").tag(sync=True)
    plot_style = traitlets.Unicode(
        "auto",
        help="'points', 'density' or 'hexbin'; 'boxes' or 'violins' of `y` (without it of `x`) for each "
        "value of `color`; 'auto' for points, and a density where they cover each other",
    ).tag(sync=True)
    contours = traitlets.Bool(
        False, help="lines around half and nine tenths of the points of each value of `color`"
    ).tag(sync=True)
    equal_scales = traitlets.Bool(False, help="one unit is equally long on both axes").tag(sync=True)
    only_selected = traitlets.Bool(False, help="hide what is in no group").tag(sync=True)
    focus = traitlets.Int(0, min=0, help="label of the marked object in the shown image; 0 for none").tag(
        sync=True
    )
    notes = traitlets.List(traitlets.Unicode(), help="what to know about the table").tag(sync=True)
    _columns = traitlets.List(traitlets.Dict()).tag(sync=True)
    _objects = traitlets.Dict().tag(sync=True)
    _groups = traitlets.Dict().tag(sync=True)
    _ramp = traitlets.Bytes(b"").tag(sync=True)
    _save_to = traitlets.Unicode("", help="the file that holds what is done here").tag(sync=True)

    def __init__(
        self,
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
        save_to: str | os.PathLike[str] | None = None,
        resume: bool = True,
    ):
        pixels, given, spacing, code = read_paths(image, labels, spacing)
        opened = open_images(pixels, given, table, spacing=spacing)
        self._images, numbers, spacing = opened.pixels, opened.labels, opened.spacing
        ndim = numbers.labels[0].ndim
        self._lock = threading.RLock()
        opening = [*opened.opening[:1], *code, *opened.opening[1:]]
        self.objects = ObjectTable(opened.table, numbers, opening=opening)
        self.objects.edits.image, self.objects.edits.spacing = pixels, spacing
        self._order = RowOrder(self.objects)
        self._versions: dict[str, int] = {}
        self._described: dict[str, dict[str, Any]] = {}
        self._gesture: dict[str, Any] = {}
        super().__init__(
            self._images[0],
            ndim=ndim,
            spacing=spacing,
            unit=unit,
            sources={"objects": lambda axis, index: self.objects.slot_plane(axis, index, self._shown)},
            _series=self._describe_series(),
            layers=["image", "objects"],
            _ramp=colors.color_ramp(),
        )
        self._describe_columns()
        first = columns.first_columns(self._described)
        with self.hold_sync():
            self.x = x if x is not None else first[0]
            self.y = y if y is not None else ("" if x is not None else first[1])
            self.color = color if color is not None else GROUP_COLUMN
            self.by = by or ""
            self._send_objects()
            self._send_groups()
        self._start_classes()
        self._opened_with = {"x": x, "y": y, "color": color, "by": by}
        self._resumed = ""
        self._save_to = "" if save_to is None else str(save_to)
        self._file: StateFile | None = None
        self._go_on(resume)
        self.notes = self._collect_notes()
        self.observe(self._keep, [*_VIEW, "_groups", "_columns", "_classes", "_edits"])

    def _go_on(self, resume: bool) -> None:
        """Resume from the file, or from the last run of the same cell."""
        self._fingerprint = " ".join(map(fingerprint, self.objects.images.labels))
        earlier = self._same_cell()
        if earlier is not None and earlier._file is not None:
            earlier._file.close()  # from now on this one writes
        stored = None
        if self._save_to:
            self._file = StateFile(self._save_to, self._show_failure)
            stored = self._file.read() if resume else None
        if earlier is not None and earlier._fingerprint == self._fingerprint:
            stored = stored or earlier._to_json()
        if resume and stored:
            self._restore(stored)

    def _same_cell(self) -> Explorer | None:
        """Return the explorer of an earlier run of the cell, and replace it."""
        cell = running_cell()
        if cell is None:
            return None
        name, run = cell
        earlier_run, earlier = _LIVING.get(name, (run, None))
        _LIVING[name] = (run, self)
        return earlier if earlier_run != run else None

    def _to_json(self) -> dict[str, Any]:
        with self._lock:
            return {
                "objects": self._fingerprint,
                "opened_with": self._opened_with,
                "view": {name: getattr(self, name) for name in _VIEW},
                **self.objects.to_json(),
            }

    def _restore(self, stored: dict[str, Any]) -> None:
        if stored["objects"] != self._fingerprint:
            hint = "Choose another name, or overwrite it with resume=False."
            got = f"{self._save_to}, which belongs to other objects"
            raise checks.invalid("save_to", "the file of these objects", got, hint)
        same = self.objects.restore(stored)
        self._resumed = "Resumed from the last state; explore(…, resume=False) starts from scratch."
        if not same:
            self._resumed += " The table has changed: compute clusters and embeddings again."
        self._describe_columns()
        with self.hold_sync():
            for name, value in stored["view"].items():
                asked = name in _ASKED and self._opened_with[name] != stored["opened_with"][name]
                if name in _VIEW and not asked and (name not in _ASKED or self._is_shown(name, value)):
                    setattr(self, name, value)
            self._send_objects()
            self._send_groups()
            self._send_edits()
        self._learn_classes()

    def _is_shown(self, name: str, column: str) -> bool:
        return column in self._described or (name in ("y", "by") and column == "")

    def _keep(self, _change: Any) -> None:
        if self._file is not None:
            self._file.save(self._to_json)

    def wait(self, timeout: float | None = None) -> None:
        """Wait until the background step has ended and is saved."""
        super().wait(timeout)
        self._learner.join(timeout)
        if self._file is not None:
            self._file.flush()

    @property
    def groups(self) -> pd.DataFrame:
        """The selected groups: number, name, colour and size."""
        import pandas as pd

        return pd.DataFrame(self._groups["list"], columns=["group", "name", "color", "size", "hidden"])

    def code(self) -> str:
        """Return the Python code that reproduces `table`, including selections."""
        self._learner.join()
        return self.objects.code()

    @traitlets.validate("x", "y", "color")
    def _check_column(self, proposal: Any) -> str:
        name, wanted = proposal.value, proposal.trait.name
        kinds = ("number", "category") if wanted == "color" else ("number",)
        if wanted == "y" and name == "":
            return name
        if wanted != "color" and str(name).endswith("_CLUSTER_ID"):
            kinds = ("number", "category")
        usable = [column for column, described in self._described.items() if described["kind"] in kinds]
        if self._described and name not in usable:
            what = "column with few values or numbers" if wanted == "color" else "numeric column"
            raise checks.invalid(
                wanted, f"the name of a {what}", checks.describe(name), f"There are: {', '.join(usable)}."
            )
        return name

    @traitlets.validate("by")
    def _check_panels(self, proposal: Any) -> str:
        usable = [name for name, column in self._described.items() if column["kind"] == "category"]
        usable = [name for name in usable if 0 < len(self._described[name]["categories"]) <= MOST_PANELS]
        if proposal.value and proposal.value not in usable:
            expected = f"the name of a column with at most {MOST_PANELS} values"
            hint = f"There are: {', '.join(usable)}." if usable else ""
            raise checks.invalid("by", expected, checks.describe(proposal.value), hint)
        return proposal.value

    @traitlets.validate("log_axes")
    def _check_log(self, proposal: Any) -> str:
        return checks.check_option("log_axes", proposal.value, ("", "x", "y", "xy"))

    @traitlets.validate("plot_style")
    def _check_style(self, proposal: Any) -> str:
        return checks.check_option("plot_style", proposal.value, PLOT_STYLES)

    def _describe_columns(self) -> None:
        table = self.objects.measured
        pixel = self.volume["unit"]
        described = {}
        for name in table:
            unit = column_unit(str(name), ndim=self.volume["ndim"], unit=pixel)
            entry = columns.describe_column(table[name], unit=unit)
            measured = find_property(str(name))
            entry["group"] = "" if measured is None else measured.group
            if name == GROUP_COLUMN:
                entry["categories"] = []
            self.objects.names.describe(str(name), entry)
            self._versions[str(name)] = self._versions.get(str(name), 0) + 1
            described[str(name)] = entry | {"version": self._versions[str(name)]}
        if self.objects.classes.state.names:
            described[CLASS_COLUMN] = CLASS_ENTRY
        self._described = described
        self._columns = list(described.values())

    def _collect_notes(self) -> list[str]:
        objects = self.objects
        notes = [self._resumed] if self._resumed else []
        if len(objects) == 0:
            notes.append("The table has no rows: there are no objects to plot.")
        if objects.absent.size:
            notes.append(f"In this image is no object for {counted(objects.absent.size, 'row')}.")
        if objects.unmeasured.size:
            notes.append(
                f"The table has no row for {counted(objects.unmeasured.size, 'object')}, shown in grey."
            )
        if len(objects.rows) < len(objects):
            notes.append(
                f"{len(objects.rows):,} of {counted(len(objects), 'object')} are drawn, a random sample; "
                "what you select is selected among all."
            )
        return notes

    def _send_objects(self) -> None:
        self._objects = {
            "labels": self.objects.slot_labels.astype("<i8" if self._has_long_labels() else "<i4").tobytes(),
            "long": self._has_long_labels(),
            "shown": len(self.objects.rows),
            "total": len(self.objects),
        }

    def _has_long_labels(self) -> bool:
        return bool(self.objects.slot_labels.max(initial=0) >= 2**31)

    def _send_groups(self) -> None:
        groups, state = self.objects.groups, self.objects.groups.state
        shown = [
            {
                "group": group,
                "name": state.names.get(group, ""),
                "color": state.colors.get(group, colors.group_color(group)),
                "size": size,
                "hidden": group in state.hidden,
            }
            for group, size in groups.sizes().items()
        ]
        self._groups = {
            "numbers": groups.numbers[self.objects.rows].astype("<i4").tobytes(),
            "list": shown,
            "undo": groups.can_undo,
            "redo": groups.can_redo,
            **self._gesture,
        }

    def _on_column(self, content: Mapping[str, Any], _buffers: Sequence[Any]) -> None:
        name = checks.check_option("name", content["name"], self._described)
        dtype, data = columns.encode_column(self.objects.table[name], self.objects.rows)
        answer = {"kind": "column", "name": name, "version": self._versions[name], "dtype": dtype}
        self.send(answer, [data])

    def _on_select(self, content: Mapping[str, Any], _buffers: Sequence[Any]) -> None:
        with self._lock:
            self._gesture = {"client": content.get("client", ""), "seq": content.get("seq", 0)}
            try:
                self.objects.select(content)
            finally:
                self._send_groups()

    def _on_group(self, content: Mapping[str, Any], _buffers: Sequence[Any]) -> None:
        """Undo, redo, name, recolour, merge, hide, isolate or clear, as ``action`` says."""
        objects, groups = self.objects, self.objects.groups
        number = int(content.get("group", 0))
        actions: dict[str, Callable[[], object]] = {
            "undo": groups.undo,
            "redo": groups.redo,
            "clear": lambda: objects.merge_group(number, 0) if number else objects.clear_groups(),
            "rename": lambda: groups.rename(number, str(content["name"])),
            "recolor": lambda: groups.recolor(number, str(content["color"])),
            "hide": lambda: groups.hide(number, bool(content["hidden"])),
            "isolate": lambda: groups.isolate(number),
            "merge": lambda: objects.merge_group(number, int(content["into"])),
        }
        with self._lock:
            self._gesture = {"client": content.get("client", ""), "seq": content.get("seq", 0)}
            try:
                actions[checks.check_option("action", content.get("action"), actions)]()
            finally:
                self._send_groups()

    def _on_find(self, content: Mapping[str, Any], _buffers: Sequence[Any]) -> None:
        label = int(content["label"])
        image, place = self.objects.images.locate(label)[0], self.objects.find(label)
        answer = {"kind": "found", "label": label, "voxel": place, "image": image}
        self.send({**answer, "view": content.get("view", "")})

    def _on_draw_all(self, _content: Mapping[str, Any], _buffers: Sequence[Any]) -> None:
        with self._lock, self.hold_sync():
            self.objects.show_rows(None)
            self._describe_columns()
            self._send_objects()
            self._send_groups()
            self.notes = self._collect_notes()
