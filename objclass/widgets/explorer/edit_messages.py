"""The explorer's mode "Edit": objects merged, cut, deleted and grown by hand; see `Explorer`."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import traitlets

from objclass._common import checks

if TYPE_CHECKING:
    from objclass.widgets.background import Worker
    from objclass.widgets.explorer.object_table import ObjectTable


class EditsMixin(traitlets.HasTraits):
    """Labels that are corrected, and everything that follows them."""

    _edits = traitlets.Dict(
        {"count": 0, "undo": False}, help="how many edits, and whether one can be undone"
    ).tag(sync=True)

    objects: ObjectTable
    busy: dict[str, Any]
    focus: int
    notes: list[str]
    hold_sync: Any
    _worker: Worker
    _lock: threading.RLock
    _collect_notes: Callable[[], list[str]]
    _describe_columns: Callable[[], None]
    _drop_volume: Callable[[], None]
    _learn_classes: Callable[[], None]
    _send_groups: Callable[[], None]
    _send_objects: Callable[[], None]

    @property
    def labels(self) -> np.ndarray:
        """The labels of the first image as they are now, after all edits."""
        return self.objects.images.labels[0].copy()

    @property
    def edits(self) -> list[dict[str, Any]]:
        """What was corrected, as `objclass.edit_objects` takes it."""
        return [dict(edit) for edit in self.objects.edits.edits]

    def _send_edits(self) -> None:
        edits = self.objects.edits
        self._edits = {"count": len(edits.edits), "undo": edits.can_undo}

    def _on_edit(self, content: Mapping[str, Any], _buffers: Sequence[Any]) -> None:
        """Make one edit, as `objclass.edit_objects` describes it."""
        edit = content.get("edit")
        if not isinstance(edit, Mapping):
            raise checks.invalid("edit", "an edit as edit_objects takes it", checks.describe(edit))
        if self.busy.get("title", "").startswith("Surfaces"):
            self._worker.cancel()  # they would be those of objects before the edit
        if self._worker.busy:
            hint = "Wait, or cancel it."
            raise checks.invalid("edit", "no step at work on these objects", "one", hint, kind=RuntimeError)
        with self._lock:
            notes = self.objects.edit(edit)
            with self.hold_sync():
                if self.focus in self.objects.classes.absent:
                    self.focus = 0
                self._describe_columns()
                self._send_objects()
                self._send_groups()
                self._send_edits()
                self.notes = [*self._collect_notes(), *notes]
            self._drop_volume()
            self._learn_classes()
