"""The explorer's rows, files and group profiles: answers to the browser, see `Explorer`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import traitlets

from objclass.tables.conditions import parse_condition
from objclass.tables.export import file_formats, to_anndata, to_bytes
from objclass.tables.profiles import silhouettes, standardized_differences
from objclass.tables.selection import GROUP_COLUMN

if TYPE_CHECKING:
    import pandas as pd

    from objclass.widgets.explorer.object_table import ObjectTable

_MOST_CELLS = 200
_MOST_MEASURES = 8


class TableMixin(traitlets.HasTraits):
    """Rows, sorted and filtered; files; profiles."""

    _formats = traitlets.List(traitlets.Unicode(), default_value=file_formats()).tag(sync=True)

    objects: ObjectTable
    send: Any

    @property
    def table(self) -> pd.DataFrame:
        """A new table, with what was selected and added so far."""
        return self.objects.table

    def anndata(self) -> Any:
        """Return the table as AnnData, see `objclass.tables.export.to_anndata`."""
        return to_anndata(self.table)

    def _on_rows(self, content: Mapping[str, Any], _buffers: Sequence[Any]) -> None:
        """Answer with the cells of some rows of the sorted, filtered table.

        ``sort`` (a column, or ""), ``descending``, ``query`` (a condition on the columns, see
        `parse_condition`), ``selected`` (only objects of a group), ``start`` and ``count``. ``near``, a
        label, asks for the part in which that object's row is.
        """
        view = arrange_rows(
            self.table,
            sort=content.get("sort", ""),
            descending=bool(content.get("descending")),
            query=content.get("query", ""),
            selected=bool(content.get("selected")),
        )
        start = max(0, int(content.get("start", 0)))
        count = max(0, min(_MOST_CELLS, int(content.get("count", 60))))
        near = content.get("near")
        if near:
            place = np.flatnonzero((view["label"] == near).to_numpy())
            start = max(0, int(place[0]) - count // 2) if place.size else start
        part = view.iloc[start : start + count]
        self.send(
            {
                "kind": "rows",
                "seq": content.get("seq", 0),
                "view": content.get("view", ""),
                "start": start,
                "total": len(view),
                "columns": [str(name) for name in view],
                "cells": [[_cell(value) for value in row] for row in part.itertuples(index=False, name=None)],
                "place": int(place[0]) if near and place.size else None,
            }
        )

    def _on_row(self, content: Mapping[str, Any], _buffers: Sequence[Any]) -> None:
        """Answer with the values of one object."""
        label = int(content["label"])
        row = self.table.loc[lambda table: table["label"] == label]
        cells = {str(name): _cell(row[name].iloc[0]) for name in row} if len(row) else {}
        self.send({"kind": "row", "label": label, "cells": cells})

    def _on_export(self, content: Mapping[str, Any], _buffers: Sequence[Any]) -> None:
        file_format = content.get("format", "csv")
        data = to_bytes(self.table, file_format)
        self.send({"kind": "file", "name": f"objects.{file_format}", "view": content.get("view", "")}, [data])

    def _on_profile(self, content: Mapping[str, Any], _buffers: Sequence[Any]) -> None:
        """Answer with the measures in which the groups of the column ``by`` differ most."""
        table, by = self.table, content["by"]
        answer: dict[str, Any] = {"kind": "profile", "by": by, "view": content.get("view", "")}
        groups = table[by].dropna().nunique()
        if groups < 2:
            self.send(answer | {"groups": [], "measures": []})
            return
        differences = standardized_differences(table, by).iloc[:, :_MOST_MEASURES]
        apart = {} if by == GROUP_COLUMN else silhouettes(table, by)
        sizes = table[by].value_counts()
        self.send(
            answer
            | {
                "measures": [str(name) for name in differences],
                "groups": [
                    {
                        "name": str(name),
                        "size": int(sizes[name]),
                        "silhouette": apart.get(name),
                        "differences": [None if np.isnan(value) else float(value) for value in row],
                    }
                    for name, row in zip(differences.index, differences.to_numpy(), strict=True)
                ],
            }
        )


def arrange_rows(
    table: pd.DataFrame, *, sort: str = "", descending: bool = False, query: str = "", selected: bool = False
) -> pd.DataFrame:
    """Return the rows that fit `query`, sorted by a column; missing values come last.

    Raises
    ------
    ValueError
        If the condition cannot be understood.

    Examples
    --------
    >>> import pandas as pd
    >>> table = pd.DataFrame({"label": [1, 2, 3], "area": [7.0, 9.0, 8.0]})
    >>> arrange_rows(table, query="area > 7", sort="area", descending=True)["label"].tolist()
    [2, 3]
    """
    view = table[table[GROUP_COLUMN] > 0] if selected else table
    if query.strip():
        view = view[parse_condition(query)(view)]
    if sort:
        view = view.sort_values(sort, ascending=not descending, kind="stable", na_position="last")
    return view


def _cell(value: Any) -> Any:
    """Return a value that JSON can carry; None where it is missing."""
    if isinstance(value, (bool, np.bool_)):
        return bool(value)
    if isinstance(value, (int, np.integer)):
        return int(value)
    if isinstance(value, (float, np.floating)):
        return float(value) if np.isfinite(value) else None if np.isnan(value) else str(value)
    try:
        missing = value is None or value != value
    except TypeError:
        missing = True
    return None if missing is True or str(value) == "<NA>" else str(value)
