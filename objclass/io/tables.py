"""CSV files that spreadsheets and other programs read correctly."""

from __future__ import annotations

from collections.abc import Callable
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
    return _change_formulas(table, lambda text: f"'{text}")


def plain_text(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table as it was before `safe_text`."""
    return _change_formulas(table, lambda text: text.removeprefix("'"))


def _change_formulas(table: pd.DataFrame, change: Callable[[str], str]) -> pd.DataFrame:
    """Return the table with changes of each text that begins like a formula, after any apostrophes."""

    def changed(value: Any) -> Any:
        is_formula = isinstance(value, str) and value.lstrip("'").startswith(FORMULA_SIGNS)
        return change(value) if is_formula else value

    names = [name for name in table.columns if table[name].dtype.kind not in "iufbM"]
    return table.assign(**{name: table[name].map(changed) for name in names}) if names else table
