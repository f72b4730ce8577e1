"""Tables as CSV files that spreadsheets and other programs read as they are."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from objclass._common.files import replacing

if TYPE_CHECKING:
    import pandas as pd

FORMULA_SIGNS = ("=", "+", "-", "@", "\t", "\r")
"""What a spreadsheet takes for the beginning of a formula."""


def write_csv(path: Path, table: pd.DataFrame) -> None:
    """Write a table in UTF-8 with numbers that read back exactly; no cell of text is run as a formula.

    A text that begins like a formula gets an apostrophe before it, as a spreadsheet's own marker of text.
    """
    with replacing(path) as beside:
        safe_text(table).to_csv(beside, index=False, lineterminator="\n", encoding="utf-8")


def safe_text(table: pd.DataFrame) -> pd.DataFrame:
    """Return the table with an apostrophe before texts that begin like a formula."""
    names = [name for name in table.columns if table[name].dtype.kind not in "iufbM"]
    return table.assign(**{name: table[name].map(_safe) for name in names}) if names else table


def _safe(value: Any) -> Any:
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA_SIGNS) else value
