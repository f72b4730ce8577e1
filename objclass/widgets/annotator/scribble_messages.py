"""Scribbles of the annotator: from the browser to the array and the file, and back on undo."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from objclass.objects.edges import region_within_edges
from objclass.widgets.annotator.arguments import new_class
from objclass.widgets.annotator.autosave import Autosave, ChangedElsewhereError
from objclass.widgets.annotator.base import AnnotatorBase
from objclass.widgets.annotator.images import AnnotatedImage
from objclass.widgets.annotator.scribbles import Patch
from objclass.widgets.planes import decode_runs, encode_runs


class ScribblesMixin(AnnotatorBase):
    """Scribbles, undo and autosave."""

    def _start_scribbles(self) -> None:
        self._key = str(self.model_id)
        self._tell(segmentation=asdict(self.segmentation_options), recipe=self.parameters.recipe)
        self._keep(self._shown)
        self._tell_image()

    def _keep(self, image: AnnotatedImage) -> None:
        """Save what is painted on an image from now on, where that is wanted."""
        image.open()
        path = image.save_to
        if path is None:
            image.saved = {"saved": "Kept in memory only: set save_to to keep them in a file"}
        elif image.autosave is None:
            went_on = path.exists() and image.has_annotations
            image.saved = {"saved": f"Loaded from {path.name}" if went_on else f"Saved in {path.name}"}
            image.autosave = Autosave(
                path,
                image.scribbles,
                ndim=self._ndim,
                on_saved=lambda seen: self._saved(image, seen),
                on_failure=lambda failure: self._not_saved(image, failure),
            )
            if not path.exists() and (image.has_annotations or not self._several):
                image.autosave.request({}, range(image.scribbles.volume.shape[0]))
                image.autosave.flush()

    def _stop_scribbles(self) -> None:
        for image in self._images:
            if image.autosave is not None:
                image.autosave.flush()

    def _tell_image(self) -> None:
        """Tell what is known of the images, and more of the shown one."""
        image = self._shown
        self.marks = [image.scribbles.marks(axis) for axis in range(3)]
        self._tell(
            painted=_class_counts(image.scribbles.class_sizes),
            used=np.flatnonzero(self._class_sizes()).tolist(),
            undo=image.scribbles.can_undo,
            redo=image.scribbles.can_redo,
            objects=None if image.labels is None else int(image.labels.max(initial=0)),
            objects_version=image.objects_version,
            saved=image.saved.get("saved", ""),
            unsaved=image.saved.get("unsaved", ""),
        )
        self.image_list = [self._describe(*numbered) for numbered in enumerate(self._images)]

    def _describe(self, number: int, image: AnnotatedImage) -> dict[str, Any]:
        return {
            "name": image.name,
            "key": f"{image.save_to or self._key} {number} {image.source.shape}",
            "painted": int(image.scribbles.class_sizes.sum()) if image.is_open else 0,
            "objects": None if image.labels is None else int(image.labels.max(initial=0)),
        }

    def _class_sizes(self) -> np.ndarray:
        """Return how many pixels each class has in all images that are open."""
        sizes = [image.scribbles.class_sizes for image in self._images if image.is_open]
        return np.sum(sizes, axis=0)

    def undo(self) -> None:
        """Undo the last scribble, on any slice."""
        self._changed(self._shown.scribbles.undo(), jump=True)

    def redo(self) -> None:
        """Redo the scribble that was undone last."""
        self._changed(self._shown.scribbles.redo(), jump=True)

    def _on_stroke(self, content: Mapping[str, Any], buffers: Sequence[Any]) -> None:
        client, seq = str(content["client"]), int(content["seq"])
        image = self._images[int(content.get("image", 0))]
        self._keep(image)
        if seq > image.seen.get(client, 0):
            patches = [
                _read_patch(int(content["axis"]), place, buffer)
                for place, buffer in zip(content["patches"], buffers, strict=True)
            ]
            image.seen[client] = seq
            image.scribbles.paint(patches)
            if image is self._shown:
                self._share(patches, client=client)
            self._after_change(image, patches)
        elif image.autosave is None:
            self._acknowledge(image.seen)
        else:
            image.autosave.request(dict(image.seen), ())

    def _on_undo(self, _content: Mapping[str, Any], _buffers: Sequence[Any]) -> None:
        self.undo()

    def _on_redo(self, _content: Mapping[str, Any], _buffers: Sequence[Any]) -> None:
        self.redo()

    def _on_clear_plane(self, content: Mapping[str, Any], _buffers: Sequence[Any]) -> None:
        self._changed(self._shown.scribbles.clear_plane(int(content["axis"]), int(content["index"])))

    def _on_clear_class(self, content: Mapping[str, Any], _buffers: Sequence[Any]) -> None:
        self._changed(self._shown.scribbles.clear_class(int(content["value"])))

    def _on_fill(self, content: Mapping[str, Any], _buffers: Sequence[Any]) -> None:
        """Paint the region around a pixel, without the scribbles of other classes.

        The region is that of the prediction or, with ``edges``, the one between the edges of the image.
        """
        axis, index, value = (int(content[name]) for name in ("axis", "index", "value"))
        seed = int(content["row"]), int(content["col"])
        if content.get("edges"):
            plane = self._shown.planes.image.plane(axis, index)  # type: ignore[union-attr]
            region = region_within_edges(plane, seed, sigma=max(1, float(content["size"]) / 4))
        else:
            region = self._predicted_region(axis, index, seed)
        scribbles = self._shown.scribbles.plane(axis, index)
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
        self._shown.scribbles.paint([patch])
        self._changed([patch])

    def _predicted_region(self, axis: int, index: int, seed: tuple[int, int]) -> np.ndarray:
        from skimage.segmentation import flood

        plane = self._predicted_plane(axis, index)
        if plane is None:
            raise ValueError("Fill needs a prediction: scribble in two classes and train first.")
        return np.asarray(flood(plane, seed, connectivity=1))

    def _say(self, text: str) -> None:
        """Show a message in the view for a moment."""
        self.send({"kind": "say", "text": text})

    def _changed(self, patches: list[Patch], *, jump: bool = False) -> None:
        """Send patches of the shown image that were changed by the kernel to the browser."""
        if not patches:
            return
        self._share(patches, jump=jump)
        self._after_change(self._shown, patches)

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
            "image": self.shown,
            "seen": self._shown.seen,
            "axis": patches[0].axis,
            "patches": places,
            "jump": patches[0].index if jump else None,
        }
        self.send(content, [] if client else [encode_runs(p.values).tobytes() for p in patches])

    def _after_change(self, image: AnnotatedImage, patches: Sequence[Patch]) -> None:
        self._list_classes()
        self._tell_image()
        if image.autosave is None:
            self._acknowledge(image.seen)
        else:
            image.autosave.request(dict(image.seen), _depths(patches))
        self._annotations_changed()

    def _list_classes(self) -> None:
        """List each class that is painted: undo may bring back one that was removed."""
        listed = {item["value"] for item in self.classes}
        used = np.flatnonzero(self._class_sizes()).tolist()
        unlisted = [value for value in used if value not in listed]
        if unlisted:
            self.classes = [*self.classes, *map(new_class, unlisted)]

    def _acknowledge(self, seen: Mapping[str, int]) -> None:
        self.send({"kind": "kept", "seen": dict(seen)})

    def _saved(self, image: AnnotatedImage, seen: Mapping[str, int]) -> None:
        assert image.autosave is not None
        image.saved = {"saved": f"Saved in {image.autosave.path.name}"}
        if image is self._shown:
            self._tell(saved=image.saved["saved"], unsaved="")
        self._acknowledge(seen)

    def _not_saved(self, image: AnnotatedImage, failure: Exception) -> None:
        image.saved = {"unsaved": str(failure)}
        self._tell(unsaved=str(failure))
        if isinstance(failure, ChangedElsewhereError):
            self._ask(
                f"save_to {image.name}".strip(),
                f"{failure} Scribbles are kept in memory until you decide.",
                {
                    "overwrite": "Overwrite it",
                    "rename": "Save under another name",
                    "read": "Load it",
                },
            )


def _class_counts(sizes: np.ndarray) -> dict[str, int]:
    return {str(value): int(sizes[value]) for value in np.flatnonzero(sizes)}


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
