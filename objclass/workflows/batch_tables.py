"""Joined tables of many images, written without loading all of them."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict

from objclass._common.files import replacing

if TYPE_CHECKING:
    import pandas as pd

OBJECTS, COLUMNS, PARQUET, IMAGES = "objects.csv", "objects.columns.csv", "objects.parquet", "images.csv"
KEY_COLUMNS = ("image", "frame", "label", "unit")
_TEXT = ("image", "unit")


class ImageRow(TypedDict):
    """A row of the table of images; the number of objects of each class may follow."""

    image: str
    path: str
    series: int
    series_name: str
    frame: int
    shape: str
    dtype: str
    channel_names: str
    spacing_z: float | None
    spacing_y: float | None
    spacing_x: float | None
    unit: str
    spacing_source: str
    min: float
    max: float
    n_objects: int
    foreground: float
    seconds: float
    warnings: str


def write_images(folder: Path, rows: Sequence[dict[str, Any]]) -> str:
    """Write the table of images, one row for each; return its name."""
    import pandas as pd

    from objclass.io.tables import write_csv

    columns = dict.fromkeys([*ImageRow.__annotations__, *(name for row in rows for name in row)])
    write_csv(folder / IMAGES, pd.DataFrame(list(rows), columns=list(columns)))
    return IMAGES


def join_tables(
    folder: Path,
    parts: Sequence[Path],
    integers: Sequence[Sequence[str]],
    *,
    ndim: int,
    unit: str,
    spacing: Sequence[float] | None,
) -> list[str]:
    """Write the rows of all images into a CSV file, and with pyarrow a Parquet file; return their names.

    Columns that are missing for some images are empty there. The description of the columns, with lengths in
    `unit` and the voxel size that all images have, is written to another file.
    """
    import pandas as pd

    from objclass.measurement.columns import table_attributes
    from objclass.tables.files import write_columns

    heads: list[list[str]] = []
    for path in parts:
        with path.open(encoding="utf-8", newline="") as file:
            heads.append(next(csv.reader(file), []))
    columns = list(dict.fromkeys(name for head in heads for name in head)) or list(KEY_COLUMNS)
    with replacing(folder / OBJECTS) as temporary:
        with temporary.open("w", encoding="utf-8", newline="") as joined:
            writer = csv.DictWriter(joined, columns, lineterminator="\n")
            writer.writeheader()
            for path, head in zip(parts, heads, strict=True):
                with path.open(encoding="utf-8", newline="") as file:
                    if head == columns:
                        file.readline()
                        joined.write(file.read())
                    else:
                        writer.writerows(csv.DictReader(file))
        table = pd.DataFrame(columns=columns)
        table.attrs = table_attributes(table, ndim=ndim, unit=unit, spacing=spacing)
        write_columns(table, folder / OBJECTS)
        whole = set(columns).intersection(*integers) if integers else set()
        return [OBJECTS, COLUMNS, *_write_parquet(folder, temporary, table, whole)]


def _write_parquet(folder: Path, path: Path, table: pd.DataFrame, integers: set[str]) -> list[str]:
    """Write the rows of the CSV file at `path`, with the columns and attributes of `table`."""
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
        from pyarrow import csv as arrow_csv
    except ImportError:
        return []
    types = {name: pa.string() if name in _TEXT else pa.float64() for name in table}
    types |= {name: pa.int64() for name in integers}
    if "CLASS" in table and "CLASS" not in integers:
        types["CLASS"] = pa.string()
    convert = arrow_csv.ConvertOptions(column_types=types, strings_can_be_null=False)
    metadata = {"PANDAS_ATTRS": json.dumps(table.attrs)}  # as pandas keeps them
    parse = arrow_csv.ParseOptions(newlines_in_values=True)
    with (
        replacing(folder / PARQUET) as temporary,
        arrow_csv.open_csv(path, parse_options=parse, convert_options=convert) as reader,
        pq.ParquetWriter(temporary, reader.schema.with_metadata(metadata)) as writer,
    ):
        for block in reader:
            writer.write_batch(block.replace_schema_metadata(metadata))
    return [PARQUET]
