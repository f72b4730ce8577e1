"""What spreadsheets and their files make of measurements: text, dates, other separators, rows of sums."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from objclass._common.checks import first_few, invalid
from objclass.tables.roles import column_role

if TYPE_CHECKING:
    import pandas as pd

_UNIT = r"%|°|px|pix(els?)?|microns?|a\.?u\.?|(sq\.? ?)?([nm]|[uµμ])?m([\^]?[23]|[²³])?"
_DIGITS = r"[+\-\u2212]?(\d[\d.,' \u00a0\u202f]*|[.,]\d+)([eE][+-]?\d+)?"
_NUMBER = re.compile(rf"""[="'b]*\s*{_DIGITS}(\s*(±|\+/-)\s*{_DIGITS})?\s*({_UNIT})?\s*["'*]*""")
"""A number, also with a deviation, a unit or a mark after it, or in quotes."""

_GROUPED = re.compile(r"[+-]?[1-9]\d{0,2}([.,' \u00a0\u202f])\d{3}(\1\d{3})*([.,]\d+)?")
"""A number with a separator of thousands, or with three digits after a decimal sign."""

_MONTH = (
    r"(jan|feb|fév|fev|ene|m[aäå]r|apr|abr|avr|ma[iyjg]|jun|jui|giu|jul|lug|aug|aoû|ago|se[pt]|o[ck]t|out"
    r"|nov|de[czs]|déc|dic)[^\W\d_]*\.?"
)
_DATE = re.compile(
    rf"\d{{1,2}}[. -]+{_MONTH}([ -]\d+)?|{_MONTH}[ -]\d{{1,4}}|\d{{1,4}}[-/.]\d\d?[-/.]\d{{1,4}}( .*)?",
    re.IGNORECASE,
)
_FEWEST = 5  # of rows or values, to tell a rule from a coincidence
_MOST = 10_000  # rows to look at
_ROUNDED = 1e-4  # relative, of sums that a spreadsheet has shown with few digits


def check_text(column: pd.Series) -> None:
    """Raise if a column of text contains numbers that pandas could not parse."""
    if column.dtype.kind not in "OUT":
        return
    texts = list(dict.fromkeys(map(str, column.dropna())))[:_MOST]
    numbers = [text for text in texts if _NUMBER.fullmatch(text)]
    dates = [text for text in texts if _DATE.fullmatch(text)] if numbers else []
    if not numbers or 2 * (len(numbers) + len(dates)) < len(texts):
        return
    others = [text for text in texts if text not in set(numbers)]
    got = f"{column.name!r} of text: {first_few([*map(repr, numbers[:3]), *map(repr, others)], 4)}"
    hint = _text_hint(repr(column.name), numbers, dates, others)
    raise invalid("table", "measurements as numbers", got, hint)


def check_no_numbers(column: pd.Series) -> None:
    """Raise if a column whose texts would be categories is, by its name, one of measurements."""
    if column_role(str(column.name)) == "measurement":
        check_text(column)


def _text_hint(name: str, numbers: Sequence[str], dates: Sequence[str], others: Sequence[str]) -> str:
    """Explain how to convert a column of text to numbers."""
    separators = {found[1] for text in numbers if (found := _GROUPED.fullmatch(text))} - {","}
    if any("," in text for text in numbers):
        return 'Read it with pandas.read_csv(path, sep=";", decimal=","), or with thousands=",".'
    if dates:
        return "A spreadsheet has taken numbers for dates: export them again with a decimal point."
    if others:
        return f"Read it with pandas.read_csv(path, na_values={list(others[:3])}), or drop the column."
    for separator in separators:
        if all(_GROUPED.fullmatch(text) or text.isdecimal() for text in numbers):
            return (
                f"Read it with pandas.read_csv(path, thousands={separator!r}), or with that as decimal sign."
            )
    if any("%" in text for text in numbers):
        return f"Remove the sign: pandas.to_numeric(table[{name}].str.rstrip('%'))."
    if any(re.search(r"[^\d.eE+\s-]", text) for text in numbers):
        return "Remove units, quotes and signs that are no digits first, for example with Series.str.replace."
    return f"Convert it: table[{name}] = pandas.to_numeric(table[{name}])."


def check_numbers(values: np.ndarray, names: Sequence[object]) -> None:
    """Raise if a column has numbers with a separator of thousands that was read as decimal sign."""
    for name, column in zip(names, values[:: max(1, len(values) // _MOST)].T, strict=True):
        known = np.abs(column[np.isfinite(column)])
        is_whole = known % 1 == 0
        whole, cut = np.unique(known[is_whole & (known > 0)]), known[~is_whole]
        if min(len(whole), len(cut)) < _FEWEST or known.max() >= 1000 or cut.min() < 1:
            continue
        digits = np.rint(1000 * cut)
        # Numbers below 1,000 have no separator, and stay a thousand times as large as the others.
        if (
            np.allclose(digits, 1000 * cut, rtol=0, atol=1e-6)
            and np.mean(digits % 10 != 0) > 0.5
            and np.median(whole) > 10 * np.median(cut)
        ):
            got = f"{name!r} with {cut[0]:.3f} beside {whole[-1]:.0f}"
            hint = "A separator of thousands was read as decimal sign: pandas.read_csv(path, thousands=...)."
            raise invalid("table", "measurements as numbers", got, hint)


def check_last_rows(values: np.ndarray) -> None:
    """Raise if one of the last rows contains the sums or means of those above."""
    if len(values) > _MOST:
        return
    for row in range(max(_FEWEST, len(values) - _FEWEST), len(values)):
        above = values[:row]
        varies = np.isfinite(values[row]) & ~np.isnan(above).all(axis=0)
        low, high = np.nanmin(above[:, varies], axis=0), np.nanmax(above[:, varies], axis=0)
        varies[varies] = high - low > 100 * _ROUNDED * np.abs(high)
        if np.count_nonzero(varies) < 2:
            continue
        for what, numbers in (("sums", np.nansum), ("means", np.nanmean)):
            if np.allclose(values[row, varies], numbers(above[:, varies], axis=0), rtol=_ROUNDED, atol=0):
                got = f"the {what} of those above in row {row}"
                hint = f"Leave out the rows that are no objects: table.iloc[:{row}]."
                raise invalid("table", "an object in each row", got, hint)
