"""Descriptions of table columns: unit, group, definition and source."""

from __future__ import annotations

import re
from collections.abc import Hashable, Sequence
from typing import TYPE_CHECKING, Any

from objclass._common import checks
from objclass.measurement.properties import PROPERTIES, Property

if TYPE_CHECKING:
    import pandas as pd

_KEYS = {
    "image": "The image that contains the object.",
    "frame": "The time point of the object.",
    "label": "The label of the object in its label image.",
    "unit": "The unit of lengths.",
}
_NUMBER = re.compile(r"^[\d.]+(e[+-]\d+)?(-|$)")
_SUPERSCRIPTS = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")


class Descriptions(dict[str, dict[str, str]]):
    """What is known of each column of a table.

    pandas makes a deep copy of a table's attributes with each column that it takes out. That of a plain dict
    takes fifteen times as long.
    """

    def __deepcopy__(self, memo: object) -> Descriptions:
        """Return a copy; the entries hold text alone."""
        return Descriptions({name: {**entry} for name, entry in self.items()})

    def __reduce__(self) -> tuple[Any, ...]:
        """Be a plain dict in a file, which needs no objclass to be read."""
        return dict, ({**self},)


def find_property(column: str) -> Property | None:
    """Return the property that a column of a table contains, or None.

    Examples
    --------
    >>> find_property("intensity_mean-DAPI").name
    'intensity_mean'
    """
    return PROPERTIES.get(column.partition("-")[0])


def column_channels(table: pd.DataFrame) -> dict[str, str]:
    """Return the channel of each column that measures one named channel.

    Examples
    --------
    >>> import pandas as pd
    >>> column_channels(pd.DataFrame(columns=["area", "intensity_mean-DAPI", "texture_contrast-0.5-DAPI"]))
    {'intensity_mean-DAPI': 'DAPI', 'texture_contrast-0.5-DAPI': 'DAPI'}
    """
    found: dict[str, str] = {}
    unclear: dict[str, str] = {}  # components come before the channel, as in centroid_weighted-0-DAPI
    for name in map(str, table.columns):
        entry, rest = find_property(name), name.partition("-")[2]
        if entry is None or "channel" not in entry.per:
            continue
        if entry.per != ("channel",):  # a distance or a scale comes before the channel
            rest = _NUMBER.sub("", rest)
        elif entry.group not in ("intensity", "texture"):
            unclear[name] = rest
            continue
        found |= {name: rest} if rest else {}
    known = sorted({*found.values()}, key=len, reverse=True)
    for name, rest in unclear.items():
        channel = next((channel for channel in known if rest.endswith(f"-{channel}")), None)
        found |= {name: channel} if channel else {}
    return found


def column_unit(column: str, *, ndim: int, unit: str) -> str:
    """Return the unit of a measured column, or "" if dimensionless; `unit` is the unit of the spacing.

    Examples
    --------
    >>> column_unit("area", ndim=3, unit="µm"), column_unit("solidity", ndim=3, unit="µm")
    ('µm³', '')
    >>> column_unit("num_pixels", ndim=3, unit="µm")
    'px'
    """
    entry = find_property(column)
    if entry is None:
        return ""
    if entry.power == "voxels":
        return "px"
    power: Any
    if entry.power == "order":
        power = sum(map(int, column.split("-")[1 : ndim + 1]))
    else:
        power = {"size": ndim, "density": -ndim}.get(str(entry.power), entry.power)
    if power == 0 or not unit:
        return ""
    name = unit if abs(power) == 1 else unit + str(abs(power)).translate(_SUPERSCRIPTS)
    return name if power > 0 else f"1/{name}"


def table_attributes(
    table: pd.DataFrame, *, ndim: int, unit: str, spacing: Sequence[float] | None
) -> dict[Hashable | None, Any]:
    """Return the JSON-serializable ``table.attrs`` of a measured table."""
    columns = Descriptions()
    for column in map(str, table.columns):
        entry = find_property(column)
        if entry is not None:
            columns[column] = {"unit": column_unit(column, ndim=ndim, unit=unit), **entry.description}
    known = None if spacing is None else [float(step) for step in spacing]
    return {"unit": unit, "spacing": known, "ndim": ndim, "columns": columns}


def check_frame(table: Any) -> None:
    """Raise if `table` is not a DataFrame."""
    import pandas as pd

    if not isinstance(table, pd.DataFrame):
        hint = "Make one with objclass.measure(labels, image), or pandas.read_csv(path)."
        raise checks.invalid("table", "a pandas DataFrame", checks.describe(table), hint, kind=TypeError)


def describe_columns(table: pd.DataFrame) -> pd.DataFrame:
    """Describe the columns of a table: unit, group, definition and source.

    Parameters
    ----------
    table : DataFrame
        From `measure`, possibly with additional columns. The metadata are stored in ``table.attrs``, which
        is preserved by most operations of pandas and by `write_table` and `read_table`.

    Returns
    -------
    pandas.DataFrame
        One row for each column of `table`, in order: ``name``, ``unit`` ("" for dimensionless properties,
        intensities and unknown units), ``group``, ``definition`` and ``source``, the software or paper that
        defines it. For columns that were not measured, only the name is given.

    Raises
    ------
    TypeError
        If `table` is not a DataFrame.

    Examples
    --------
    >>> import numpy as np, objclass
    >>> table = objclass.measure(np.ones((2, 3), int), spacing=0.5, unit="µm", properties=("area", "extent"))
    >>> objclass.describe_columns(table)[["name", "unit", "group", "source"]]
         name unit  group        source
    0   label
    1    area  µm²   size  scikit-image
    2  extent       shape  scikit-image
    """
    import pandas as pd

    check_frame(table)
    known = table.attrs.get("columns", {})
    rows = []
    for name in map(str, table.columns):
        entry = known.get(name)
        if entry is None:
            found = find_property(name)
            entry = {"definition": _KEYS.get(name, "")}
            if found is not None:
                entry = found.description
        rows.append({"name": name, "unit": "", "group": "", "definition": "", "source": ""} | entry)
    return pd.DataFrame(rows, columns=["name", "unit", "group", "definition", "source"])
