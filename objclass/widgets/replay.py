"""Python code that reproduces the steps in a widget."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

_serial = itertools.count()


@dataclass(frozen=True)
class Step:
    """A line of code and its position in the order of steps.

    `serial` counts over all steps: steps of different kinds, kept apart, come back into one order.
    """

    code: str
    starts_anew: bool = False
    serial: int = field(default_factory=_serial.__next__)


def call(function: str, *first: str, keywords: Mapping[str, Any]) -> str:
    """Return the code of a call: `first` as they are, the keywords' values written out.

    >>> call("objclass.select", "table", keywords={"group": 2, "mode": "add"})
    "objclass.select(table, group=2, mode='add')"
    """
    arguments = [*first, *(f"{name}={literal(value)}" for name, value in keywords.items())]
    return f"{function}({', '.join(arguments)})"


def literal(value: Any) -> str:
    """Write a value so that Python reads the same value back.

    >>> literal(np.array([[0.5, 2], [1, 1]])), literal(np.int64(3))
    ('[[0.5, 2.0], [1.0, 1.0]]', '3')
    """
    if isinstance(value, Code):
        return str(value)
    if isinstance(value, (np.ndarray, np.generic)):
        value = value.tolist()
    return repr(value)


class Code(str):
    """An expression, printed as it is."""


def steps_to_json(steps: Iterable[Step], groups: Iterable[Step]) -> list[dict[str, Any]]:
    """Return steps and selections in order, JSON-serializable."""
    both = [("step", step) for step in steps] + [("group", step) for step in groups]
    return [
        {"kind": kind, "code": step.code, "starts_anew": step.starts_anew}
        for kind, step in sorted(both, key=lambda pair: pair[1].serial)
    ]


def steps_from_json(stored: Iterable[Mapping[str, Any]]) -> tuple[list[Step], list[Step]]:
    """Return the steps and selections stored by `steps_to_json`."""
    kinds: dict[str, list[Step]] = {"step": [], "group": []}
    for item in stored:
        kinds[item["kind"]].append(Step(str(item["code"]), starts_anew=bool(item["starts_anew"])))
    return kinds["step"], kinds["group"]


def arrange(steps: Iterable[Step], groups: Iterable[Step]) -> list[str]:
    """Return the lines of all steps in order, without selections replaced by later ones."""
    choices = list(groups)
    last = max((place for place, step in enumerate(choices) if step.starts_anew), default=0)
    return [step.code for step in sorted([*steps, *choices[last:]], key=lambda step: step.serial)]
