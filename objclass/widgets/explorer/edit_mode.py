"""The explorer's mode "Edit": objects merged, cut, deleted and grown by hand."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from objclass._common import checks
from objclass.widgets.background import Worker
from objclass.widgets.explorer.page import Page
from objclass.widgets.explorer.protocol import Edits


class EditMode:
    """Labels that are corrected while `worker` is idle; `on_edited` is called after each edit."""

    def __init__(self, page: Page, worker: Worker, on_edited: Callable[[], None]):
        self._page, self._worker, self._on_edited = page, worker, on_edited
        self.handlers = {"edit": self._edit}

    def show(self) -> None:
        """Show how many edits there are."""
        edits = self._page.objects.edits
        shown: Edits = {"count": len(edits.edits), "undo": edits.can_undo}
        self._page.widget.set_trait("_edits", shown)

    def _edit(self, content: Mapping[str, Any]) -> None:
        """Make one edit, as `objclass.edit_objects` describes it."""
        page, edit = self._page, content.get("edit")
        if not isinstance(edit, Mapping):
            raise checks.invalid("edit", "an edit as edit_objects takes it", checks.describe(edit))
        if page.widget.busy.get("title", "").startswith("Surfaces"):
            self._worker.cancel()  # they would be those of objects before the edit
        if self._worker.busy:
            hint = "Wait, or cancel it."
            raise checks.invalid("edit", "no step at work on these objects", "one", hint, kind=RuntimeError)
        with page.lock:
            notes = page.objects.edit(edit)
            with page.widget.hold_sync():
                if page.widget.focus in page.objects.classes.absent:
                    page.widget.focus = 0
                page.show_all(*notes)
                self.show()
            self._on_edited()
