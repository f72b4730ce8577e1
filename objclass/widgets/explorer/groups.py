"""Groups of objects in an explorer: members, names and colours, with undo and redo."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from objclass._common import checks
from objclass.plots.colors import check_color
from objclass.tables.selection import apply_selection
from objclass.widgets.history import History
from objclass.widgets.replay import Step

MAX_GROUPS = 250
HISTORY = 200


@dataclass(frozen=True, eq=False)
class GroupState:
    """One moment: a number for each object (0 = not selected) and how the groups are shown."""

    numbers: np.ndarray
    names: Mapping[int, str] = field(default_factory=dict)
    colors: Mapping[int, str] = field(default_factory=dict)
    hidden: frozenset[int] = frozenset()


_Change = tuple[GroupState, Step | None]
"""A state, and the step that has led to it."""


class Groups:
    """The groups of a table, with history.

    Every change makes a new `GroupState`. A change of the numbers carries the `Step` that repeats it in
    code; a new name, colour or visibility carries none. `version` grows with every change.

    `rows` are the places of the objects that are rows of the table at present. Objects that an edit has
    removed keep their numbers: it may be undone.
    """

    def __init__(self, numbers: np.ndarray):
        self.history = History[_Change]((GroupState(numbers.astype(np.int64)), None))
        self._forgotten: list[Step] = []
        self.version = 0
        self.rows = np.arange(len(numbers))

    def follow(self, rows: np.ndarray, count: int) -> None:
        """Go on with other `rows`, places among `count` objects, of which those known come first."""

        def grow(state: GroupState) -> GroupState:
            more = np.zeros(count - len(state.numbers), np.int64)
            return replace(state, numbers=np.concatenate([state.numbers, more]))

        history = self.history
        for changes in (history.done, history.undone):
            changes[:] = [(grow(state), step) for state, step in changes]
        self.rows = rows
        self.version += 1

    def state_to_json(self, labels: np.ndarray) -> dict[str, Any]:
        """Return the present groups as JSON can hold them: the labels of each, names, colours, visibility.

        `labels` are those of all objects, of which `rows` are places.
        """
        state = self.state
        return {
            "members": {str(group): labels[state.numbers == group].tolist() for group in self.sizes()},
            "names": {str(group): name for group, name in state.names.items()},
            "colors": {str(group): color for group, color in state.colors.items()},
            "hidden": sorted(state.hidden),
        }

    def restore(self, stored: Mapping[str, Any], labels: np.ndarray, steps: list[Step]) -> None:
        """Restore the groups from `state_to_json` and the `steps` that lead to them."""
        numbers = np.zeros(len(labels), np.int64)
        for group, members in stored["members"].items():
            numbers[np.isin(labels, np.asarray(members, np.int64))] = int(group)
        state = GroupState(
            numbers,
            {int(group): str(name) for group, name in stored["names"].items()},
            {int(group): str(color) for group, color in stored["colors"].items()},
            frozenset(map(int, stored["hidden"])),
        )
        self.history, self._forgotten = History((state, None)), list(steps)
        self.version += 1

    @property
    def state(self) -> GroupState:
        """The current state."""
        return self.history.now[0]

    @property
    def numbers(self) -> np.ndarray:
        """The group of each row."""
        return self.state.numbers[self.rows]

    @property
    def steps(self) -> list[Step]:
        """The steps that lead to the current groups, oldest first."""
        return self._forgotten + [step for _, step in self.history.done if step is not None]

    def sizes(self) -> dict[int, int]:
        """Return the number of objects in each group, in ascending order of groups."""
        present, counts = np.unique(self.numbers[self.numbers > 0], return_counts=True)
        return dict(zip(present.tolist(), counts.tolist(), strict=True))

    def target(self, mode: str) -> tuple[int, str]:
        """Return the group and the mode of `objclass.select` for a selection mode.

        "replace" starts again with group 1, "next" creates the next group, "extend" adds to the last group,
        "subtract" removes.
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
        numbers = np.zeros_like(self.state.numbers) if mode == "replace" else self.state.numbers.copy()
        numbers[self.rows] = apply_selection(self.numbers, chosen, group=group, mode=mode)
        self._change(numbers=numbers, step=step)

    def merge(self, group: int, into: int, *, step: Step) -> None:
        """Merge `group` into another, or clear it with ``into=0``."""
        self._require(group)
        numbers = self.state.numbers
        self._change(numbers=np.where(numbers == group, into, numbers), step=step)

    def rename(self, group: int, name: str) -> None:
        """Rename a group; an empty name removes it."""
        self._require(group)
        names = {**self.state.names, group: name.strip()[:80]}
        self._change(names={number: text for number, text in names.items() if text})

    def recolor(self, group: int, color: str) -> None:
        """Show a group in ``#rrggbb``."""
        self._require(group)
        self._change(colors={**self.state.colors, group: check_color(color)})

    def hide(self, group: int, hidden: bool) -> None:
        """Hide a group, or show it again."""
        self._change(hidden=self.state.hidden | {group} if hidden else self.state.hidden - {group})

    def isolate(self, group: int) -> None:
        """Hide all groups but one; where that is so already, show all."""
        self._require(group)
        others = frozenset(self.sizes()) - {group}
        self._change(hidden=frozenset() if self.state.hidden == others else others)

    def undo(self) -> None:
        """Undo the last change."""
        if self.history.undo():
            self.version += 1

    def redo(self) -> None:
        """Redo the change that was undone last."""
        if self.history.redo():
            self.version += 1

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
        self.history.add((state, step))
        self.version += 1
        if len(self.history.done) > HISTORY:
            _, forgotten = self.history.done.pop(0)
            if forgotten is not None:
                self._forgotten.append(forgotten)


def _only(named: Mapping[int, str], groups: set[int]) -> dict[int, str]:
    return {group: text for group, text in named.items() if group in groups}
