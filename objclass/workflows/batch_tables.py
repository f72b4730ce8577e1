"""Joined tables of many images, written without loading all of them."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from objclass._common.files import replacing

OBJECTS, COLUMNS, PARQUET, IMAGES = "objects.csv", "objects.columns.csv", "objects.parquet", "images.csv"
IMAGE_COLUMNS = (
    "image",
    "path",
    "series",
    "series_name",
    "frame",
    "shape",
    "dtype",
    "channel_names",
    *("spacing_z", "spacing_y", "spacing_x"),
    "unit",
    "spacing_source",
    "min",
    "max",
    "n_objects",
    "foreground",
    "seconds",
    "warnings",
)
KEY_COLUMNS = ("image", "frame", "label", "unit")
_TEXT = ("image", "unit")


def write_images(folder: Path, rows: Sequence[dict[str, Any]]) -> str:
    """Write the table of images, one row for each; return its name."""
    import pandas as pd

    from objclass.io.tables import write_csv

    columns = dict.fromkeys([*IMAGE_COLUMNS, *(name for row in rows for name in row)])
    write_csv(folder / IMAGES, pd.DataFrame(list(rows), columns=list(columns)))
    return IMAGES


def join_tables(
    folder: Path, parts: Sequence[Path], integers: Sequence[Sequence[str]], *, ndim: int, unit: str
) -> list[str]:
    """Write the rows of all images into a CSV file, and with pyarrow a Parquet file; return their names.

    Columns that are missing for some images are empty there. The description of the columns, with lengths in
    `unit`, is written to another file.
    """
    import pandas as pd

    from objclass.measurement.columns import describe_columns, table_attributes
    from objclass.tables.export import write_columns

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
        table.attrs = table_attributes(table, ndim=ndim, unit=unit, spacing=None)
        write_columns(describe_columns(table), folder / OBJECTS)
        whole = set(columns).intersection(*integers) if integers else set()
        return [OBJECTS, COLUMNS, *_write_parquet(folder, temporary, columns, whole)]


def _write_parquet(folder: Path, table: Path, columns: list[str], integers: set[str]) -> list[str]:
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
        from pyarrow import csv as arrow_csv
    except ImportError:
        return []
    types = {name: pa.string() if name in _TEXT else pa.float64() for name in columns}
    types |= {name: pa.int64() for name in integers}
    if "CLASS" in columns and "CLASS" not in integers:
        types["CLASS"] = pa.string()
    convert = arrow_csv.ConvertOptions(column_types=types, strings_can_be_null=False)
    parse = arrow_csv.ParseOptions(newlines_in_values=True)
    with (
        replacing(folder / PARQUET) as temporary,
        arrow_csv.open_csv(table, parse_options=parse, convert_options=convert) as reader,
        pq.ParquetWriter(temporary, reader.schema) as writer,
    ):
        for block in reader:
            writer.write_batch(block)
    return [PARQUET]
