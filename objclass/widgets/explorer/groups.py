"""Groups of objects as an explorer keeps them: who is in which, their names and colours, undo and redo."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from objclass._common import checks
from objclass.tables.selection import apply_selection
from objclass.widgets.replay import Step

MAX_GROUPS = 250
HISTORY = 200


@dataclass(frozen=True, eq=False)
class GroupState:
    """One moment: a number for each row (0 = not selected) and how the groups are shown."""

    numbers: np.ndarray
    names: Mapping[int, str] = field(default_factory=dict)
    colors: Mapping[int, str] = field(default_factory=dict)
    hidden: frozenset[int] = frozenset()


class Groups:
    """The groups of one table, with a history.

    Every change makes a new `GroupState`. A change of the numbers carries the `Step` that repeats it in
    code; a new name, colour or visibility carries none. `version` grows with every change.
    """

    def __init__(self, numbers: np.ndarray):
        self._done: list[tuple[GroupState, Step | None]] = [(GroupState(numbers.astype(np.int64)), None)]
        self._undone: list[tuple[GroupState, Step | None]] = []
        self._forgotten: list[Step] = []
        self.version = 0

    def state_to_json(self, labels: np.ndarray) -> dict[str, Any]:
        """Return the present groups as JSON can hold them: the labels of each, names, colours, visibility."""
        state = self.state
        return {
            "members": {str(group): labels[state.numbers == group].tolist() for group in self.sizes()},
            "names": {str(group): name for group, name in state.names.items()},
            "colors": {str(group): color for group, color in state.colors.items()},
            "hidden": sorted(state.hidden),
        }

    def restore(self, stored: Mapping[str, Any], labels: np.ndarray, steps: list[Step]) -> None:
        """Begin with the groups that `state_to_json` has stored; `steps` led to them."""
        numbers = np.zeros(len(labels), np.int64)
        for group, members in stored["members"].items():
            numbers[np.isin(labels, np.asarray(members, np.int64))] = int(group)
        state = GroupState(
            numbers,
            {int(group): str(name) for group, name in stored["names"].items()},
            {int(group): str(color) for group, color in stored["colors"].items()},
            frozenset(map(int, stored["hidden"])),
        )
        self._done, self._undone, self._forgotten = [(state, None)], [], list(steps)
        self.version += 1

    @property
    def state(self) -> GroupState:
        """The present moment."""
        return self._done[-1][0]

    @property
    def numbers(self) -> np.ndarray:
        """The group of each row."""
        return self.state.numbers

    @property
    def steps(self) -> list[Step]:
        """The steps that lead to the present numbers, oldest first."""
        return self._forgotten + [step for _, step in self._done if step is not None]

    @property
    def can_undo(self) -> bool:
        """Whether there is a change to take back."""
        return len(self._done) > 1

    @property
    def can_redo(self) -> bool:
        """Whether there is a change to bring back."""
        return bool(self._undone)

    def sizes(self) -> dict[int, int]:
        """Return the number of objects in each group, by ascending number."""
        present, counts = np.unique(self.numbers[self.numbers > 0], return_counts=True)
        return dict(zip(present.tolist(), counts.tolist(), strict=True))

    def target(self, mode: str) -> tuple[int, str]:
        """Return the group number and the mode of `objclass.select` that a gesture stands for.

        "replace" starts again with group 1, "next" opens the group after the highest, "extend" adds to
        the highest one, "subtract" takes out.
        """
        checks.check_option("mode", mode, ("replace", "next", "extend", "subtract"))
        highest = int(self.numbers.max(initial=0))
        if mode == "replace":
            return 1, "replace"
        if mode == "subtract":
            return 0, "subtract"
        group = highest + 1 if mode == "next" else max(highest, 1)
        if group > MAX_GROUPS:
            raise checks.invalid("groups", f"at most {MAX_GROUPS}", group, "Merge or clear some first.")
        return group, "add"

    def choose(self, chosen: np.ndarray, *, group: int, mode: str, step: Step) -> None:
        """Put the `chosen` rows into `group`; `step` is the call of `objclass.select` that does the same."""
        self._change(numbers=apply_selection(self.numbers, chosen, group=group, mode=mode), step=step)

    def merge(self, group: int, into: int, *, step: Step) -> None:
        """Put the objects of `group` into another, or into none with ``into=0``."""
        self._require(group)
        self._change(numbers=np.where(self.numbers == group, into, self.numbers), step=step)

    def rename(self, group: int, name: str) -> None:
        """Give a group a name; an empty one takes it away."""
        self._require(group)
        names = {**self.state.names, group: name.strip()[:80]}
        self._change(names={number: text for number, text in names.items() if text})

    def recolor(self, group: int, color: str) -> None:
        """Show a group in ``#rrggbb``."""
        self._require(group)
        digits = color.removeprefix("#").lower()
        if len(digits) != 6 or not set(digits) <= set("0123456789abcdef"):
            raise checks.invalid("color", "six hexadecimal digits after #", color)
        self._change(colors={**self.state.colors, group: f"#{digits}"})

    def hide(self, group: int, hidden: bool) -> None:
        """Hide a group, or show it again."""
        self._change(hidden=self.state.hidden | {group} if hidden else self.state.hidden - {group})

    def undo(self) -> None:
        """Take the last change back."""
        if self.can_undo:
            self.version += 1
            self._undone.append(self._done.pop())

    def redo(self) -> None:
        """Bring back what was taken back last."""
        if self.can_redo:
            self.version += 1
            self._done.append(self._undone.pop())

    def _require(self, group: int) -> None:
        if group not in self.sizes():
            raise checks.invalid(
                "group", f"one of {', '.join(map(str, self.sizes())) or '(none yet)'}", group
            )

    def _change(self, *, step: Step | None = None, **changes: Any) -> None:
        state = replace(self.state, **changes)
        if step is not None:
            present = {0, *np.unique(state.numbers).tolist()}
            state = replace(
                state,
                names=_only(state.names, present),
                colors=_only(state.colors, present),
                hidden=state.hidden & present,
            )
        self._done.append((state, step))
        self._undone.clear()
        self.version += 1
        if len(self._done) > HISTORY:
            _, forgotten = self._done.pop(1)
            if forgotten is not None:
                self._forgotten.append(forgotten)


def _only(named: Mapping[int, str], groups: set[int]) -> dict[int, str]:
    return {group: text for group, text in named.items() if group in groups}
