"""Lines that tell a user what is being done."""

from __future__ import annotations

import sys


def say(text: str) -> None:
    """Print one line: in a notebook below the cell, elsewhere on the standard error, as progress bars are."""
    print(text, file=sys.stdout if "ipykernel" in sys.modules else sys.stderr)
