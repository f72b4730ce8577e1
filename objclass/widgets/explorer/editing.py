"""Objects corrected by hand in an explorer: the labels, the table that follows them, and the code."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from objclass._common.notices import collect
from objclass.measurement.remeasuring import remeasure
from objclass.objects.editing import EditedLabels
from objclass.widgets.explorer.state_file import changes_from_json, changes_to_json
from objclass.widgets.replay import call

if TYPE_CHECKING:
    import pandas as pd


@dataclass
class _Phase:
    """Edits without another step between them: what they began with, and what they have led to."""

    start: int
    """How many edits there were before."""
    labels: np.ndarray
    before: pd.DataFrame
    after: pd.DataFrame
    n_steps: int
    """How many steps there were before that made columns of the table."""


class ObjectEdits:
    """The edits of one explorer. True once there are some.

    Parameters
    ----------
    table : DataFrame
        The table to begin with.
    labels : (z, y, x) or (y, x) array of int
    """

    def __init__(self, table: pd.DataFrame, labels: np.ndarray):
        self._given, self._opened = table, labels
        self._edited: EditedLabels | None = None
        self._phases: list[_Phase] = []
        self.image: Any = None
        self.spacing: Sequence[float] | None = None

    def __bool__(self) -> bool:
        return bool(self._phases)

    @property
    def labels(self) -> np.ndarray:
        """The labels as they are now."""
        return self._opened if self._edited is None else self._edited.labels

    @property
    def edits(self) -> list[Mapping[str, Any]]:
        """What `objclass.edit_objects` takes."""
        return [] if self._edited is None else list(self._edited.edits)

    @property
    def can_undo(self) -> bool:
        """Whether there is an edit to take back."""
        return self._edited is not None and self._edited.can_undo

    @property
    def undone(self) -> Mapping[str, Any] | None:
        """The edit that was taken back last, to be made again, unless another one came since."""
        done: list[Mapping[str, Any]] = []
        undone: list[Mapping[str, Any]] = []
        for edit in self.edits:
            if edit["edit"] == "undo":
                undone.append(done.pop())
                continue
            plain = {name: value for name, value in edit.items() if name != "new_label"}
            again = undone.pop() if undone else None
            if again != plain:
                undone.clear()
            done.append(plain)
        return undone[-1] if undone else None

    @property
    def table(self) -> pd.DataFrame:
        """The table as the last edit has left it, or as it was given."""
        return self._phases[-1].after if self._phases else self._given

    def apply(
        self, edit: Mapping[str, Any], table: pd.DataFrame, *, n_steps: int, highest: int
    ) -> tuple[pd.DataFrame, list[str]]:
        """Make an edit of what `table` describes; return the table after it, and what to know of it.

        `n_steps` have made columns of it so far, and `highest` is a label that new ones must exceed.
        """
        edited = self._edited or EditedLabels(self._opened)
        if edit.get("edit") == "cut" and highest > edited.highest:
            edit = {**edit, "new_label": highest + 1}
        phase = self._phases[-1] if self._phases and self._phases[-1].n_steps == n_steps else None
        before = edited.labels.copy() if phase is None else phase.labels
        count = len(edited.edits)
        edited.apply(edit)
        if phase is None:
            phase = _Phase(count, before, table, table, n_steps)
        try:
            after, notes = self._follow(phase, edited.labels)
        except ValueError:
            edited.forget_last()
            raise
        self._edited = edited
        phase.after = after
        if not self._phases or self._phases[-1] is not phase:
            self._phases.append(phase)
        return after, notes

    def _follow(self, phase: _Phase, labels: np.ndarray) -> tuple[pd.DataFrame, list[str]]:
        earlier = [other.before for other in reversed(self._phases) if other.start < phase.start]
        with collect() as notes:
            table = remeasure(
                phase.before, phase.labels, labels, image=self.image, spacing=self.spacing, earlier=earlier
            )
        return table, notes

    def code(self, steps: Sequence[str]) -> list[str]:
        """Return the lines of the steps that made columns, and of the edits between them."""
        lines: list[str] = []
        for number, phase in enumerate(self._phases):
            begun = self._phases[number - 1].n_steps if number else 0
            lines += [*steps[begun : phase.n_steps], *self._phase_code(number)]
        return [*lines, *steps[self._phases[-1].n_steps :]]

    def _phase_code(self, number: int) -> list[str]:
        """Return the lines of the edits of one phase; a label image and a table are kept for each."""
        starts = [*(phase.start for phase in self._phases), len(self.edits)]
        before = "labels" if number == 0 else f"labels_{number}"
        after = f"labels_{number + 1}"
        keywords: dict[str, Any] = {} if self.spacing is None else {"spacing": self.spacing}
        earlier = [f"table_{other}" for other in range(number, 0, -1)]
        arguments = ["table", before, after, "image=image"]
        arguments += [f"earlier=[{', '.join(earlier)}]"] if earlier else []
        edits = ",\n    ".join(map(repr, self.edits[: starts[number + 1]]))
        keep = [f"table_{number + 1} = table"] if number + 1 < len(self._phases) else []
        return [
            f"edits = [\n    {edits},\n]",
            f"{after} = objclass.edit_objects(labels, edits)",
            *keep,
            f"table = {call('objclass.remeasure', *arguments, keywords=keywords)}",
        ]

    def to_json(self) -> dict[str, Any]:
        """Return the edits as JSON can hold them, with the columns that were computed between them."""
        befores = [self._given, *(phase.after for phase in self._phases)]
        return {
            "list": [dict(edit) for edit in self.edits],
            "phases": [
                {"start": phase.start, "n_steps": phase.n_steps, **changes_to_json(phase.before, before)}
                for phase, before in zip(self._phases, befores, strict=False)
            ],
        }

    def restore(self, stored: Mapping[str, Any], *, with_columns: bool) -> pd.DataFrame:
        """Make the edits again that `to_json` has stored, and return the table after them."""
        edited, table = EditedLabels(self._opened, room=len(stored["list"])), self._given
        starts = [phase["start"] for phase in stored["phases"]]
        self._phases = []
        for phase, stop in zip(stored["phases"], [*starts[1:], len(stored["list"])], strict=True):
            before = changes_from_json(phase, table) if with_columns else table
            n_steps = int(phase["n_steps"]) if with_columns else 0
            start = _Phase(int(phase["start"]), edited.labels.copy(), before, before, n_steps)
            for edit in stored["list"][start.start : stop]:
                edited.apply(edit)
            self._edited = edited
            table, _ = self._follow(start, edited.labels)
            start.after = table
            self._phases.append(start)
        return table
