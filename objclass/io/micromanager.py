"""NDTiff, the format of Micro-Manager and Pycro-Manager: each page says where it lies."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

_AXES = {"time": "t", "channel": "c", "z": "z"}
_FILE = re.compile(r"(?P<stem>(.*_)?NDTiffStack)(_(?P<number>\d+))?(?P<end>\.tiff?)", re.IGNORECASE)
TAG = 51123
"""The TIFF tag of the metadata of a page, in JSON."""


@dataclass(frozen=True)
class Position:
    """The pages of one position of the stage, or of one tile.

    Attributes
    ----------
    name : str
        Empty if there is one position only.
    pages : array
        The indices of the pages over time, channel and z: (t, c, z); -1 for a missing page.
    channels : tuple
        The names of the channels, or their numbers.
    """

    name: str
    pages: np.ndarray
    channels: tuple[Any, ...]


def other_files(path: Path) -> list[Path]:
    """Return the other files of an image that was split because of its size, in their order."""
    name = _FILE.fullmatch(path.name)
    if name is None:
        return []
    found = [_FILE.fullmatch(each) for each in os.listdir(path.parent)]
    same = [each for each in found if each and (each["stem"], each["end"]) == (name["stem"], name["end"])]
    return [path.with_name(each[0]) for each in sorted(same, key=_number) if each[0] != path.name]


def _number(name: re.Match[str]) -> int:
    return int(name["number"] or 0)


def arrange_pages(places: Sequence[Mapping[str, Any]]) -> list[Position]:
    """Return the positions of a file, in the order of their first pages.

    Parameters
    ----------
    places : sequence of mapping
        The coordinates of each page along named axes. Of several pages of one place the last one counts.

    Examples
    --------
    >>> (position,) = arrange_pages([{"channel": "GFP", "z": 1}, {"channel": "GFP", "z": 0}])
    >>> position.pages.tolist(), position.channels
    ([[[1, 0]]], ('GFP',))
    """
    found: dict[tuple[tuple[str, Any], ...], dict[tuple[Any, ...], int]] = {}
    for page, place in enumerate(places):
        named = {_AXES[name.lower()]: at for name, at in place.items() if name.lower() in _AXES}
        others = tuple(sorted((name, at) for name, at in place.items() if name.lower() not in _AXES))
        found.setdefault(others, {})[tuple(named.get(axis, 0) for axis in "tcz")] = page
    return [Position(_name(others, [*found]), *_grid(pages)) for others, pages in found.items()]


def _name(position: Sequence[tuple[str, Any]], positions: Sequence[Sequence[tuple[str, Any]]]) -> str:
    """Return the coordinates of a position that differ from those of another one."""
    same = set(position).intersection(*map(set, positions))
    return ", ".join(f"{name} {at}" for name, at in position if (name, at) not in same)


def _grid(pages: Mapping[tuple[Any, ...], int]) -> tuple[np.ndarray, tuple[Any, ...]]:
    times, channels, planes = (list(dict.fromkeys(at)) for at in zip(*pages, strict=True))
    axes = (sorted(times), channels, sorted(planes))
    order = [{at: place for place, at in enumerate(axis)} for axis in axes]
    grid = np.full([len(axis) for axis in order], -1)
    for place, page in pages.items():
        grid[tuple(axis[at] for axis, at in zip(order, place, strict=True))] = page
    return grid, tuple(channels)
