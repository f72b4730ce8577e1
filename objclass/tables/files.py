"""Tables in files."""

from __future__ import annotations

import importlib.util
import re
import zipfile
from collections.abc import Callable, Hashable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from objclass._common import checks
from objclass._common.files import AnyPath, check_exists, replacing
from objclass.io.tables import plain_text, safe_text, write_csv
from objclass.measurement.columns import Descriptions, check_frame, describe_columns

if TYPE_CHECKING:
    import pandas as pd

_SPACING = re.compile(r"([\d.e+-]+(?: × [\d.e+-]+)*) ?(.*)")


def file_formats() -> list[str]:
    """Return the formats that `to_bytes` supports with the installed packages."""
    return ["csv", *(["parquet"] if importlib.util.find_spec("pyarrow") else [])]


def to_bytes(table: pd.DataFrame, file_format: str) -> bytes:
    r"""Return the table as the content of a file, without its index.

    Examples
    --------
    >>> import pandas as pd
    >>> to_bytes(pd.DataFrame({"label": [1], "area": [2.5]}), "csv")
    b'label,area\n1,2.5\n'
    """
    checks.check_option("file_format", file_format, file_formats())
    if file_format == "csv":
        return safe_text(table).to_csv(index=False, lineterminator="\n").encode()
    return table.to_parquet(index=False)


def write_table(table: pd.DataFrame, path: AnyPath) -> None:
    """Write a table with the description of its columns.

    A CSV file contains only the table, so that pandas, Excel and R read it without options. Text that begins
    like a formula is written after an apostrophe, which `read_table` removes. The unit, group,
    definition and source of each column of ``objects.csv``, and the voxel size, are written to
    ``objects.columns.csv``. Parquet stores them in the file.

    Parameters
    ----------
    table : DataFrame
        One row for each object, as from `measure`. An index with a name, such as the labels, is written in
        the first columns.
    path : str or path
        The file, ending in ``.csv`` or ``.parquet``; written atomically.

    Raises
    ------
    ImportError
        If the format is Parquet and pyarrow is not installed.
    TypeError, ValueError
        If `table` is not a DataFrame, has two columns of one name or the suffix is not supported.

    Examples
    --------
    >>> import numpy as np, objclass, pathlib, tempfile
    >>> folder = tempfile.TemporaryDirectory()
    >>> path = pathlib.Path(folder.name) / "objects.csv"
    >>> table = objclass.measure(np.ones((2, 3), int), spacing=0.5, unit="µm", properties="area")
    >>> objclass.write_table(table, path)
    >>> print(path.with_suffix(".columns.csv").read_text(encoding="utf-8-sig"))
    name,unit,group,definition,source,spacing
    label,,,The label of the object in its label image.,,0.5 × 0.5 µm
    area,µm²,size,"Area, or volume in 3D.",scikit-image,0.5 × 0.5 µm
    >>> attrs = objclass.read_table(path).attrs
    >>> attrs["columns"]["area"]["unit"], attrs["spacing"], attrs["unit"]
    ('µm²', [0.5, 0.5], 'µm')
    >>> folder.cleanup()
    """
    suffix = Path(path).suffix.lower()
    table = _with_index(table)
    if suffix not in (".csv", ".parquet"):
        raise checks.invalid("path", "a path that ends in .csv or .parquet", str(path))
    if suffix == ".csv":
        write_csv(Path(path), table)
        write_columns(table, path)
        return
    with replacing(path) as temporary:
        table.to_parquet(temporary, index=False)


def _with_index(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table with its named index in columns, after checking its column names."""
    check_frame(table)
    if table.columns.nlevels > 1 or not table.columns.is_unique:
        got = f"the columns {', '.join(map(str, table.columns[:12]))}"
        raise checks.invalid("table", "column names of one level, each once", got, "Rename columns.")
    named = [name for name in table.index.names if name is not None and name not in table.columns]
    return table.reset_index(named) if named else table


def write_columns(table: pd.DataFrame, path: AnyPath) -> None:
    """Write the description of the columns of a table, and the voxel size, next to the CSV file at `path`."""
    described = describe_columns(table).assign(spacing=_spacing_text(table.attrs))
    with replacing(_columns_path(path)) as temporary:
        # Excel recognizes UTF-8 only with a byte order mark; pandas and R ignore it.
        described.to_csv(temporary, index=False, encoding="utf-8-sig", lineterminator="\n")


def read_table(path: AnyPath) -> pd.DataFrame:
    """Read a table written by `write_table`, with the description of its columns.

    Parameters
    ----------
    path : str or path
        The file, ending in ``.csv`` or ``.parquet``. The file ``objects.columns.csv`` of a CSV is optional.

    Returns
    -------
    pandas.DataFrame
        The table, with the description of its columns and the voxel size in ``attrs``.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ImportError
        If it is Parquet and pyarrow is not installed.
    ValueError
        If it is not a table in one of these formats.

    Examples
    --------
    >>> import numpy as np, objclass, pathlib, tempfile
    >>> folder = tempfile.TemporaryDirectory()
    >>> path = pathlib.Path(folder.name) / "objects.csv"
    >>> objclass.write_table(objclass.measure(np.ones((2, 3), int), properties="area"), path)
    >>> objclass.read_table(path)
       label  area
    0      1   6.0
    >>> folder.cleanup()
    """
    import pandas as pd

    if check_exists(path).suffix.lower() == ".parquet":
        table = _read(path, pd.read_parquet)
        if "columns" in table.attrs:
            table.attrs["columns"] = Descriptions(table.attrs["columns"])
        return table
    table = plain_text(_read_csv(path))
    if _columns_path(path).exists():
        described = _read(_columns_path(path), pd.read_csv, keep_default_na=False, encoding="utf-8-sig")
        if not {"name", "group"} <= {*described}:
            hint = "Remove it to read the table without the description of its columns."
            raise checks.invalid("path", "the file that write_table wrote", str(_columns_path(path)), hint)
        spacing = described.pop("spacing").iloc[:1] if "spacing" in described else ()
        columns = Descriptions({row.pop("name"): row for row in described.to_dict("records") if row["group"]})
        table.attrs.update({**_spacing_of_text("".join(spacing)), "columns": columns})
    return table


def _read_csv(path: AnyPath) -> pd.DataFrame:
    """Read a CSV file. Text is what it says: an image may be called "NA" or "007", which pandas changes."""
    import pandas as pd

    table = _read(path, pd.read_csv)
    names = [name for name in table.columns if name == "image" or _is_text(table[name])]
    if not names:
        return table
    options: dict[str, Any] = {"usecols": names, "dtype": str, "keep_default_na": False, "na_values": [""]}
    text = _read(path, pd.read_csv, **options)
    if "image" in names and text["image"].dropna().str.fullmatch(r"(0|-?[1-9]\d*)(\.0)?").all():
        names.remove("image")  # numbers
    return table.assign(**{name: text[name] for name in names})


def _is_text(column: pd.Series) -> bool:
    from pandas.api.types import infer_dtype

    return column.dtype.kind in "OUT" and infer_dtype(column, skipna=True) != "boolean"


def _read(path: AnyPath, reader: Callable[..., pd.DataFrame], **options: Any) -> pd.DataFrame:
    try:
        return reader(path, **options)
    except (OSError, ValueError, zipfile.BadZipFile) as error:  # those of pandas and pyarrow among them
        hint = "The file is damaged or of another format: write_table writes CSV and Parquet."
        reason = " ".join(str(error).split())
        raise checks.invalid("path", "a table", f"{path} ({reason})", hint) from error


def _spacing_text(attrs: Mapping[Hashable | None, Any]) -> str:
    """Return the voxel size and its unit, as "0.5 × 0.5 µm"; "" if unknown."""
    sizes: Sequence[float] = attrs.get("spacing") or ()
    return f"{' × '.join(map(repr, map(float, sizes)))} {attrs.get('unit', '')}".rstrip() if sizes else ""


def _spacing_of_text(text: str) -> dict[str, Any]:
    """Return ``unit``, ``spacing`` and ``ndim`` as in the attributes of a measured table; none if unknown."""
    found = _SPACING.fullmatch(text)
    if found is None:
        return {}
    sizes = [float(size) for size in found[1].split(" × ")]
    return {"unit": found[2], "spacing": sizes, "ndim": len(sizes)}


def _columns_path(path: AnyPath) -> Path:
    return Path(path).with_suffix(".columns.csv")
