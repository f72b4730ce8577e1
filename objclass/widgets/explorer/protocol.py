"""What the explorer's kernel and its page share: the traits, and the type of each that is a dict."""

from __future__ import annotations

from typing import Any, NotRequired, TypedDict

import traitlets

from objclass._common import checks
from objclass.tables.columns import CLUSTERS
from objclass.tables.files import file_formats
from objclass.tables.selection import GROUP_COLUMN
from objclass.widgets.background import Task
from objclass.widgets.base import SliceWidget, synced
from objclass.widgets.view3d.meshes import Models

PLOT_STYLES = ("auto", "points", "density", "hexbin", "boxes", "violins")
MOST_PANELS = 24


class Category(TypedDict):
    """A value of a column: ``value`` is its text, ``name`` what the user calls it."""

    name: str
    value: str
    count: int
    color: str


class Column(TypedDict):
    """A column of the table, without its values; ``version`` goes up when these change."""

    name: str
    kind: str
    unit: str
    group: NotRequired[str]
    version: int
    missing: NotRequired[int]
    categories: NotRequired[list[Category]]
    low: NotRequired[float]
    high: NotRequired[float]


class Objects(TypedDict):
    """The number of the object in each slot, int32 or (``long``) int64; the first ``shown`` are rows."""

    labels: bytes
    long: bool
    shown: int
    total: int


class Group(TypedDict):
    """A group of the table."""

    group: int
    name: str
    color: str
    size: int
    hidden: bool


class Groups(TypedDict):
    """The group of each shown row (int32), and the request of the browser that this answers."""

    numbers: bytes
    list: list[Group]
    undo: bool
    redo: bool
    client: NotRequired[str]
    seq: NotRequired[int]


class ObjectClass(TypedDict):
    """A class, how many examples it has, and of how many objects it is."""

    number: int
    name: str
    color: str
    examples: int
    count: int


class Judgement(TypedDict, total=False):
    """A cross-validation; empty where there is none of the present examples."""

    accuracy: float
    spread: float
    classes: list[str]
    confusion: list[list[int]]
    objects: list[list[list[int]]]
    notes: list[str]
    importances: list[dict[str, Any]]


class Classes(TypedDict):
    """Classes; the example and the predicted class (int32) of each shown row, and if it is certain (int8).

    While it is ``learning``, the predictions are those of earlier examples.
    """

    list: list[ObjectClass]
    examples: bytes
    predicted: bytes
    certain: bytes
    learnt: bool
    learning: bool
    uncertain: int
    undo: bool
    redo: bool
    judged: Judgement


class Edits(TypedDict):
    """How many edits, and whether one can be undone, or made again."""

    count: int
    undo: bool
    redo: bool


class Image(TypedDict):
    """One of several images, with its key columns, and the offset of its objects' numbers."""

    name: str
    offset: int
    image: NotRequired[str]
    frame: NotRequired[int]


class Surfaces(Models, total=False):
    """The 3D view of the shown image, if it was requested, and the slots of its objects (int32)."""

    slots: bytes
    image: int


class Option(TypedDict):
    """A number that a method takes."""

    name: str
    title: str
    default: float
    min: float
    max: float
    step: float


class Method(TypedDict):
    """A method of `objclass.reduce` or `objclass.cluster`."""

    name: str
    title: str
    options: list[Option]


class ExplorerTraits(SliceWidget):
    """The traits of the explorer, and their validation."""

    x: str = synced(traitlets.Unicode(help="column on the x axis"))
    y: str = synced(traitlets.Unicode("", help="column on the y axis; empty for a histogram of x"))
    color: str = synced(traitlets.Unicode(GROUP_COLUMN, help="column that colours the objects"))
    by: str = synced(traitlets.Unicode("", help="column whose values have a panel of the plot each"))
    log_axes: str = synced(traitlets.Unicode("", help="logarithmic axes: '', 'x', 'y' or 'xy'"))
    point_size: float = synced(traitlets.Float(7.0, min=1, max=30, help="diameter of a point in pixels"))
    plot_style: str = synced(
        traitlets.Unicode(
            "auto",
            help="'points', 'density' or 'hexbin'; 'boxes' or 'violins' of `y` (without it of `x`) for each "
            "value of `color`; 'auto' for points, and a density where they cover each other",
        )
    )
    contours: bool = synced(
        traitlets.Bool(False, help="lines around half and nine tenths of the points of each value of `color`")
    )
    equal_scales: bool = synced(traitlets.Bool(False, help="one unit is equally long on both axes"))
    only_selected: bool = synced(traitlets.Bool(False, help="hide what is in no group"))
    hidden: dict[str, list[str]] = synced(
        traitlets.Dict(help="the categories that the legend hides, by column")
    )
    focus: int = synced(
        traitlets.Int(0, min=0, help="label of the marked object in the shown image; 0 for none")
    )
    giving: int = synced(
        traitlets.Int(0, min=0, max=9, help="the class assigned by a click; 0 if clicks mark objects")
    )
    busy: Task = synced(traitlets.Dict(help="the step under way; empty when none"))
    notes: list[str] = synced(traitlets.List(traitlets.Unicode(), help="what to know about the table"))
    _step_notes: dict[str, list[str]] = synced(
        traitlets.Dict(help="what the last reduction and clustering warned of")
    )
    _columns: list[Column] = synced(traitlets.List(traitlets.Dict()))
    _objects: Objects = synced(traitlets.Dict())
    _groups: Groups = synced(traitlets.Dict())
    _classes: Classes = synced(traitlets.Dict())
    _edits: Edits = synced(traitlets.Dict())
    _series: list[Image] = synced(traitlets.List(traitlets.Dict()))
    _shown: int = synced(traitlets.Int(0, min=0, help="place of the shown image"))
    _volume: Surfaces = synced(traitlets.Dict())
    _methods: dict[str, list[Method]] = synced(traitlets.Dict())
    _formats: list[str] = synced(traitlets.List(traitlets.Unicode(), default_value=file_formats()))
    _ramp: bytes = synced(traitlets.Bytes(b""))
    _save_to: str = synced(traitlets.Unicode("", help="the file that holds what is done here"))

    @traitlets.validate("x", "y", "color")
    def _check_column(self, proposal: Any) -> str:
        name, wanted = proposal.value, proposal.trait.name
        if wanted == "y" and name == "":
            return name
        ending = "" if wanted == "color" else CLUSTERS
        usable = [
            column["name"]
            for column in self._columns
            if column["kind"] == "number"
            or (column["kind"] == "category" and column["name"].endswith(ending))
        ]
        if self._columns and name not in usable:
            what = "column with few values or numbers" if wanted == "color" else "numeric column"
            raise checks.invalid(
                wanted, f"the name of a {what}", checks.describe(name), f"There are: {', '.join(usable)}."
            )
        return name

    @traitlets.validate("by")
    def _check_panels(self, proposal: Any) -> str:
        usable = [
            column["name"]
            for column in self._columns
            if column["kind"] == "category" and 0 < len(column["categories"]) <= MOST_PANELS
        ]
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

    @traitlets.validate("_shown")
    def _check_shown(self, proposal: Any) -> int:
        high = max(0, len(self._series) - 1)
        return checks.check_number("image", proposal.value, low=0, high=high, integer=True)
