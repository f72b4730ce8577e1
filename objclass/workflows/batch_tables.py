"""One table of the tables of many images, written without holding them all."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from objclass._common.files import replacing
from objclass.workflows.inputs import Item

if TYPE_CHECKING:
    import pandas as pd

NAMES = ["objects.parquet", "objects.csv"]


def write_table(path: Path, table: pd.DataFrame, item: Item) -> None:
    """Write the rows of one image, with its name and its time point (0 where it is none) before them."""
    table = table.copy()
    table.insert(0, "image", item.image)
    table.insert(1, "frame", item.frame or 0)
    with replacing(path) as beside:
        table.to_parquet(beside, index=False)


def join_tables(folder: Path, parts: Sequence[tuple[Item, Path]]) -> list[str]:
    """Write the rows of all images into one Parquet file and one CSV file; return their names."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    parquet, csv = (folder / name for name in NAMES)
    with replacing(parquet) as beside, replacing(csv) as beside_csv:
        writer: Any = None
        with beside_csv.open("w", encoding="utf-8", newline="") as text:
            for _, path in parts:
                rows = pq.read_table(path)
                if writer is None:
                    writer = pq.ParquetWriter(beside, rows.schema)
                writer.write_table(rows.cast(writer.schema) if rows.schema != writer.schema else rows)
                first = text.tell() == 0
                rows.to_pandas().to_csv(text, header=first, index=False, lineterminator="\n")
        if writer is None:
            pq.write_table(pa.table({}), beside)
        else:
            writer.close()
    return NAMES
