"""Going on where an earlier explorer was: from its file, or from the last run of the same notebook cell."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import Any

from objclass._common import checks
from objclass.objects.editing import fingerprint
from objclass.widgets.explorer.page import Page
from objclass.widgets.explorer.state_file import StateFile, running_cell

_ASKED = ("x", "y", "color", "by")
_VIEW = (
    *(*_ASKED, "log_axes", "point_size", "only_selected", "hidden"),
    *("plot_style", "contours", "equal_scales"),
)
_LIVING: dict[str, tuple[int, Session]] = {}
"""The last session of each notebook cell and its time: a cell that is run again resumes from it."""


class Session:
    """What is done in an explorer, as JSON can hold it.

    Parameters
    ----------
    page : Page
    opened_with : mapping
        The columns that the caller has asked for, None where they were left open.
    save_to : path or None
        The file that is written after every change.
    on_failure : callable
        Called with the exception when the file cannot be written.
    on_restored : callable
        Called when the page shows what was restored.

    Attributes
    ----------
    file : StateFile
    """

    def __init__(
        self,
        page: Page,
        opened_with: Mapping[str, str | None],
        save_to: str | os.PathLike[str] | None,
        *,
        on_failure: Callable[[Exception], None],
        on_restored: Callable[[], None],
    ):
        self._page, self._opened_with, self._save_to = page, dict(opened_with), save_to
        self._on_restored = on_restored
        self._fingerprint = " ".join(map(fingerprint, page.objects.images.labels))
        name, run = running_cell() or ("", 0)
        earlier_run, earlier = _LIVING.get(name, (run, None))
        self._earlier = earlier if earlier_run != run else None
        if self._earlier is not None:
            self._earlier.file.close()  # from now on this one writes
        self.file: StateFile = StateFile(save_to, on_failure)
        if name:
            _LIVING[name] = (run, self)

    def start(self, *, resume: bool) -> None:
        """Go on from the file, or else from the earlier run, if that is wanted; then save after each change.

        Raises
        ------
        ValueError
            If the file belongs to other objects.
        """
        earlier, self._earlier = self._earlier, None
        stored = self.file.read() if resume else None
        if stored is None and earlier is not None and earlier._fingerprint == self._fingerprint:
            stored = earlier.to_json()
        if resume and stored is not None:
            self.restore(stored)
        self._page.widget.observe(
            lambda _change: self.file.save(self.to_json),
            [*_VIEW, "_groups", "_columns", "_classes", "_edits"],
        )

    def to_json(self) -> dict[str, Any]:
        """Return the state of the explorer."""
        with self._page.lock:
            return {
                "objects": self._fingerprint,
                "opened_with": self._opened_with,
                "view": {name: getattr(self._page.widget, name) for name in _VIEW},
                **self._page.objects.to_json(),
            }

    def restore(self, stored: Mapping[str, Any]) -> None:
        """Restore what `to_json` has returned, but for the columns that the caller has asked for."""
        if stored["objects"] != self._fingerprint:
            hint = "Choose another name, or overwrite it with resume=False."
            got = f"{self._save_to}, which belongs to other objects"
            raise checks.invalid("save_to", "the file of these objects", got, hint)
        page = self._page
        same = page.objects.restore(stored)
        resumed = "Resumed from the last state; explore(…, resume=False) starts from scratch."
        if not same:
            resumed += " The table has changed: compute clusters and embeddings again."
        page.opening_notes.append(resumed)
        with page.widget.hold_sync():
            page.show_all()
            for name, value in stored["view"].items():
                asked = name in _ASKED and self._opened_with[name] != stored["opened_with"][name]
                if name in _VIEW and not asked and (name not in _ASKED or self._is_shown(name, value)):
                    page.widget.set_trait(name, value)
        self._on_restored()

    def _is_shown(self, name: str, column: str) -> bool:
        return column in self._page.described or (name in ("y", "by") and column == "")
