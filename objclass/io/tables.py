"""CSV files that spreadsheets and other programs read correctly."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from objclass._common.files import replacing

if TYPE_CHECKING:
    import pandas as pd

FORMULA_SIGNS = ("=", "+", "-", "@", "\t", "\r")
"""Characters that a spreadsheet takes for the beginning of a formula."""


def write_csv(path: Path, table: pd.DataFrame) -> None:
    """Write a table in UTF-8. Numbers round-trip exactly, and no text is run as a formula.

    Text that begins like a formula is prefixed with an apostrophe, the marker of text in spreadsheets.
    """
    with replacing(path) as temporary:
        safe_text(table).to_csv(temporary, index=False, lineterminator="\n", encoding="utf-8")


def safe_text(table: pd.DataFrame) -> pd.DataFrame:
    """Return the table with an apostrophe before text that begins like a formula."""
    names = [name for name in table.columns if table[name].dtype.kind not in "iufbM"]
    return table.assign(**{name: table[name].map(_safe) for name in names}) if names else table


def _safe(value: Any) -> Any:
    return f"'{value}" if _is_formula(value) else value


def plain_text(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table as it was before `safe_text`."""
    names = [name for name in table.columns if table[name].dtype.kind not in "iufbM"]
    return table.assign(**{name: table[name].map(_plain) for name in names}) if names else table


def _plain(value: Any) -> Any:
    return value[1:] if _is_formula(value) and value.startswith("'") else value


def _is_formula(value: Any) -> bool:
    """Return whether text begins like a formula, after any apostrophes."""
    return isinstance(value, str) and value.lstrip("'").startswith(FORMULA_SIGNS)
