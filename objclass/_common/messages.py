"""Progress messages for users."""

from __future__ import annotations

import sys


def report(text: str) -> None:
    """Print a line: in a notebook below the cell, elsewhere on the standard error, like progress bars."""
    print(text, file=sys.stdout if "ipykernel" in sys.modules else sys.stderr)
