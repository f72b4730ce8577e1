"""Scribbles of the annotator: from the browser to the array and the file, and back on undo."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from objclass.widgets.annotator.arguments import new_class
from objclass.widgets.annotator.autosave import Autosave, ChangedElsewhereError, check_save_to
from objclass.widgets.annotator.base import AnnotatorBase
from objclass.widgets.annotator.scribbles import Patch
from objclass.widgets.planes import decode_runs, encode_runs


class ScribblesMixin(AnnotatorBase):
    """Scribbles, undo and autosave."""

    _autosave: Autosave | None = None

    def _start_scribbles(self, save_to: Any) -> None:
        self._seen: dict[str, int] = {}
        self.marks = [self._scribbles.marks(axis) for axis in range(3)]
        self.store_key = str(self.model_id)
        self._tell(painted=self._class_counts(), undo=False, redo=False)
        self._tell(segmentation=asdict(self.segmentation_options), recipe=self.parameters.recipe)
        if save_to is not None:
            path = check_save_to(save_to)
            went_on = path.exists() and bool(self.marks[0])
            self.save_to = str(path)
            self.store_key = f"{path} {self.volume['shape']}"
            self._autosave = Autosave(
                path, self._scribbles, ndim=self._ndim, on_saved=self._saved, on_failure=self._not_saved
            )
            if not path.exists():
                self._autosave.request({}, range(self._scribbles.volume.shape[0]))
                self._autosave.flush()
            self._tell(saved=f"Loaded from {path.name}" if went_on else f"Saved in {path.name}")
        else:
            self._tell(saved="Kept in memory only: set save_to to keep them in a file")

    def _stop_scribbles(self) -> None:
        if self._autosave is not None:
            self._autosave.flush()

    def undo(self) -> None:
        """Undo the last scribble, on any slice."""
        self._changed(self._scribbles.undo(), jump=True)

    def redo(self) -> None:
        """Redo the scribble that was undone last."""
        self._changed(self._scribbles.redo(), jump=True)

    def _on_stroke(self, content: Mapping[str, Any], buffers: Sequence[Any]) -> None:
        client, seq = str(content["client"]), int(content["seq"])
        if seq > self._seen.get(client, 0):
            patches = [
                _read_patch(int(content["axis"]), place, buffer)
                for place, buffer in zip(content["patches"], buffers, strict=True)
            ]
            self._seen[client] = seq
            self._scribbles.paint(patches)
            self._share(patches, client=client)
            self._after_change(patches)
        elif self._autosave is None:
            self._acknowledge(self._seen)
        else:
            self._autosave.request(dict(self._seen), ())

    def _on_undo(self, _content: Mapping[str, Any], _buffers: Sequence[Any]) -> None:
        self.undo()

    def _on_redo(self, _content: Mapping[str, Any], _buffers: Sequence[Any]) -> None:
        self.redo()

    def _on_clear_plane(self, content: Mapping[str, Any], _buffers: Sequence[Any]) -> None:
        self._changed(self._scribbles.clear_plane(int(content["axis"]), int(content["index"])))

    def _on_clear_class(self, content: Mapping[str, Any], _buffers: Sequence[Any]) -> None:
        self._changed(self._scribbles.clear_class(int(content["value"])))

    def _on_fill(self, content: Mapping[str, Any], _buffers: Sequence[Any]) -> None:
        """Annotate the region of the prediction around a pixel, except scribbles of other classes."""
        from skimage.segmentation import flood

        axis, index, value = (int(content[name]) for name in ("axis", "index", "value"))
        plane = self._predicted_plane(axis, index)
        if plane is None:
            raise ValueError("Fill needs a prediction: scribble in two classes and train first.")
        region = flood(plane, (int(content["row"]), int(content["col"])), connectivity=1)
        scribbles = self._scribbles.plane(axis, index)
        others = region & (scribbles != 0) & (scribbles != value)
        region &= ~others
        left = int(others.sum())
        if left:
            self._say(f"{left:,} pixel{'s' * (left > 1)} scribbled in other classes left as they were")
        if not region.any():
            return
        rows, cols = np.flatnonzero(region.any(axis=1)), np.flatnonzero(region.any(axis=0))
        window = region[rows[0] : rows[-1] + 1, cols[0] : cols[-1] + 1]
        patch = Patch(axis, index, int(rows[0]), int(cols[0]), window * np.uint16(value + 1))
        self._scribbles.paint([patch])
        self._changed([patch])

    def _say(self, text: str) -> None:
        """Show a message in the view for a moment."""
        self.send({"kind": "say", "text": text})

    def _changed(self, patches: list[Patch], *, jump: bool = False) -> None:
        """Send patches that were changed by the kernel to the browser."""
        if not patches:
            return
        self._share(patches, jump=jump)
        self._after_change(patches)

    def _share(self, patches: Sequence[Patch], *, client: str = "", jump: bool = False) -> None:
        places = [
            {
                "index": p.index,
                "row": p.row,
                "col": p.col,
                "rows": p.values.shape[0],
                "cols": p.values.shape[1],
            }
            for p in patches
        ]
        content = {
            "kind": "painted",
            "client": client,
            "seen": self._seen,
            "axis": patches[0].axis,
            "patches": places,
            "jump": patches[0].index if jump else None,
        }
        self.send(content, [] if client else [encode_runs(p.values).tobytes() for p in patches])

    def _after_change(self, patches: Sequence[Patch]) -> None:
        marks = [self._scribbles.marks(axis) for axis in range(3)]
        if marks != self.marks:
            self.marks = marks
        listed = {item["value"] for item in self.classes}
        unlisted = [value for value in map(int, self._class_counts()) if value not in listed]
        if unlisted:  # undo restored scribbles of a removed class
            self.classes = [*self.classes, *map(new_class, unlisted)]
        self._tell(undo=self._scribbles.can_undo, redo=self._scribbles.can_redo, painted=self._class_counts())
        if self._autosave is None:
            self._acknowledge(self._seen)
        else:
            self._autosave.request(dict(self._seen), _depths(patches))
        self._annotations_changed()

    def _class_counts(self) -> dict[str, int]:
        sizes = self._scribbles.class_sizes
        return {str(value): int(sizes[value]) for value in np.flatnonzero(sizes) if value}

    def _acknowledge(self, seen: Mapping[str, int]) -> None:
        self.send({"kind": "kept", "seen": dict(seen)})

    def _saved(self, seen: Mapping[str, int]) -> None:
        with contextlib.suppress(FileNotFoundError):
            self._tell(saved=f"Saved in {self._autosave.path.name}" if self._autosave else "", unsaved="")
        self._acknowledge(seen)

    def _not_saved(self, failure: Exception) -> None:
        self._tell(unsaved=str(failure))
        if isinstance(failure, ChangedElsewhereError):
            self._ask(
                "save_to",
                f"{failure} Scribbles are kept in memory until you decide.",
                {
                    "overwrite": "Overwrite it",
                    "rename": "Save under another name",
                    "read": "Load it",
                },
            )


def _read_patch(axis: int, place: Mapping[str, Any], buffer: Any) -> Patch:
    rows, cols = int(place["rows"]), int(place["cols"])
    values = decode_runs(np.frombuffer(buffer, "<u4"), rows * cols).astype(np.uint16).reshape(rows, cols)
    return Patch(axis, int(place["index"]), int(place["row"]), int(place["col"]), values)


def _depths(patches: Sequence[Patch]) -> Iterable[int]:
    """Return the planes along z that patches change."""
    depths: set[int] = set()
    for patch in patches:
        depths.update(
            [patch.index] if patch.axis == 0 else range(patch.row, patch.row + patch.values.shape[0])
        )
    return depths
