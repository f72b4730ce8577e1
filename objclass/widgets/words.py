"""Words for what a widget tells its user."""

from __future__ import annotations


def counted(number: int, noun: str) -> str:
    """Return a number of things in words.

    Examples
    --------
    >>> counted(1, "object"), counted(1200, "object")
    ('1 object', '1,200 objects')
    """
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
