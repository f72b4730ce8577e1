"""The explorer's rows, files and group profiles: answers to the browser."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from objclass._common import checks
from objclass.tables.classification import CLASS_COLUMN
from objclass.tables.columns import CLUSTERS, column_kind
from objclass.tables.conditions import parse_condition
from objclass.tables.files import to_bytes
from objclass.tables.profiles import silhouettes, standardized_differences
from objclass.tables.selection import GROUP_COLUMN
from objclass.widgets.columns import to_cell
from objclass.widgets.explorer.page import Page

if TYPE_CHECKING:
    import pandas as pd

_MOST_CELLS = 200
_MOST_MEASURES = 8


class TableView:
    """Rows, sorted and filtered; files; profiles: of `table`, which waits until all examples are learnt."""

    def __init__(self, page: Page, table: Callable[[], pd.DataFrame]):
        self._page, self._objects, self._table = page, page.objects, table
        self._wish: tuple[Any, ...] = ()
        self._order = np.empty(0, np.intp)
        self.handlers = {
            "export": self._export,
            "profile": self._profile,
            "row": self._row,
            "rows": self._rows,
        }

    def _rows(self, content: Mapping[str, Any]) -> None:
        """Answer with the cells of some rows of the sorted, filtered table.

        ``sort`` (a column, or ""), ``descending``, ``query`` (a condition on the columns, see
        `parse_condition`), ``selected`` (only objects of a group), ``columns`` (those to show; none for all),
        ``start`` and ``count``. ``near``, a label, asks for the part in which that object's row is. A
        condition that cannot be understood is answered with the ``problem``, and no rows.
        """
        try:
            rows = self._ordered(content)
        except ValueError as failure:
            self._page.answer(content, "rows", problem=str(failure))
            return
        start = max(0, int(content.get("start", 0)))
        count = max(0, min(_MOST_CELLS, int(content.get("count", 60))))
        near = content.get("near")
        place = np.flatnonzero(self._objects.row_labels[rows] == near) if near else np.empty(0, int)
        if place.size:
            start = max(0, int(place[0]) - count // 2)
        wanted = rows[start : start + count]
        part = self._objects.part(wanted)
        part = part[arrange_columns(part, content.get("columns", ()))]
        self._page.answer(
            content,
            "rows",
            problem="",
            start=start,
            total=len(rows),
            columns=[str(name) for name in part],
            cells=[[to_cell(value) for value in row] for row in part.itertuples(index=False, name=None)],
            place=int(place[0]) if place.size else None,
            objects=self._objects.row_labels[wanted].tolist(),
        )

    def _ordered(self, content: Mapping[str, Any]) -> np.ndarray:
        """Return the places of the rows that are asked for, found once for each state of the objects."""
        wanted: dict[str, Any] = {
            "sort": content.get("sort", ""),
            "descending": bool(content.get("descending")),
            "query": content.get("query", ""),
            "selected": bool(content.get("selected")),
        }
        wish = (self._objects.version, *wanted.values())
        if wish != self._wish:
            self._order, self._wish = arrange_rows(self._objects.table, **wanted), wish
        return self._order

    def _row(self, content: Mapping[str, Any]) -> None:
        """Answer with the values of one object."""
        label = int(content["label"])
        self._page.answer(content, "row", label=label, cells=self._page.cells(label))

    def _export(self, content: Mapping[str, Any]) -> None:
        file_format = content.get("format", "csv")
        data = to_bytes(self._table(), file_format)
        self._page.answer(content, "file", [data], name=f"objects.{file_format}")

    def _profile(self, content: Mapping[str, Any]) -> None:
        """Answer with the measures in which the groups of the column ``by`` differ most."""
        table = self._table()
        usable = [
            str(name) for name in table if name == GROUP_COLUMN or column_kind(table[name]) == "category"
        ]
        # Before the first examples there is no such column, but the browser offers it already.
        if self._objects.classes.state.names:
            usable.append(CLASS_COLUMN)
        by = checks.check_option("by", content["by"], usable)
        if by not in table or table[by].nunique() < 2:
            self._page.answer(content, "profile", by=by, groups=[], measures=[])
            return
        differences = standardized_differences(table, by).iloc[:, :_MOST_MEASURES]
        apart = {} if by == GROUP_COLUMN else silhouettes(table, by)
        sizes = table[by].value_counts()
        groups = [
            {
                "name": str(name),
                "size": int(sizes[name]),
                "silhouette": apart.get(name),
                "differences": [to_cell(value) for value in row],
            }
            for name, row in zip(differences.index, differences.to_numpy(), strict=True)
        ]
        self._page.answer(
            content, "profile", by=by, groups=groups, measures=[str(name) for name in differences]
        )


def arrange_columns(table: pd.DataFrame, wanted: Collection[str] = ()) -> list[Any]:
    """Return the columns to show: the label, image and frame, groups, classes, clusters, then the others.

    Examples
    --------
    >>> import pandas as pd
    >>> arrange_columns(pd.DataFrame(columns=["label", "area", "KMEANS_CLUSTER_ID", "image"]))
    ['label', 'image', 'KMEANS_CLUSTER_ID', 'area']
    """
    first = ["label", "image", "frame", GROUP_COLUMN, CLASS_COLUMN]

    def place(name: Any) -> int:
        if name in first:
            return first.index(name)
        return len(first) + (0 if str(name).endswith(CLUSTERS) else 1)

    shown = [name for name in table if name == "label" or not wanted or str(name) in wanted]
    return sorted(shown, key=place)


def arrange_rows(
    table: pd.DataFrame, *, sort: str = "", descending: bool = False, query: str = "", selected: bool = False
) -> np.ndarray:
    """Return the places of the rows that fit `query`, sorted by a column; missing values come last.

    Raises
    ------
    ValueError
        If the condition cannot be understood, or there is no such column.

    Examples
    --------
    >>> import pandas as pd
    >>> table = pd.DataFrame({"label": [1, 2, 3], "area": [7.0, 9.0, 8.0]})
    >>> arrange_rows(table, query="area > 7", sort="area", descending=True).tolist()
    [1, 2]
    """
    fits = np.ones(len(table), bool)
    if selected:
        fits &= (table[GROUP_COLUMN] > 0).to_numpy()
    if query.strip():
        fits &= np.asarray(parse_condition(query)(table), bool)
    rows = np.flatnonzero(fits)
    if not sort:
        return rows
    name = checks.check_option("sort", sort, map(str, table))
    return rows[sorted_places(table[name].iloc[rows], descending=descending)]


def sorted_places(values: pd.Series, *, descending: bool) -> np.ndarray:
    """Return the places of values in order; equal ones stay as they are, missing ones come last."""
    how: dict[str, Any] = {"ascending": not descending, "kind": "stable", "na_position": "last"}
    values = values.reset_index(drop=True)
    try:
        return values.sort_values(**how).index.to_numpy()
    except TypeError:  # values of several types
        return values.astype("string").sort_values(**how).index.to_numpy()
