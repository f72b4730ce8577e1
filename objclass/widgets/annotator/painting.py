"""Painting in the annotator: scribbles from the browser to the array and the file, and back on undo."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from objclass._common.checks import counted
from objclass.objects.edges import region_within_edges
from objclass.widgets.annotator.arguments import open_annotations
from objclass.widgets.annotator.autosave import Autosave, ChangedElsewhereError
from objclass.widgets.annotator.classifier_file import free_name
from objclass.widgets.annotator.images import AnnotatedImage
from objclass.widgets.annotator.page import Page
from objclass.widgets.annotator.scribbles import Patch, Scribbles
from objclass.widgets.planes import decode_runs, encode_runs

Plane = Callable[[int, int], np.ndarray | None]


class Painter:
    """Scribbles, undo and autosave; `on_change` is called after each change.

    `predicted_plane` returns the predicted classes of a plane, for the tool that fills.
    """

    def __init__(self, page: Page, predicted_plane: Plane, on_change: Callable[[], None]):
        self._page, self._predicted_plane, self._on_change = page, predicted_plane, on_change
        self.handlers = {
            "clear_class": lambda content: self._changed(self._shown.clear_class(int(content["value"]))),
            "clear_plane": lambda content: self._changed(
                self._shown.clear_plane(int(content["axis"]), int(content["index"]))
            ),
            "fill": self._fill,
            "stroke": self._stroke,
        }

    @property
    def _shown(self) -> Scribbles:
        return self._page.shown.scribbles

    def undo(self, *, redo: bool = False) -> None:
        """Undo the last scribble, on any slice, or redo the one that was undone last."""
        self._changed(self._shown.redo() if redo else self._shown.undo(), jump=True)

    def flush(self) -> None:
        """Wait until all scribbles are saved."""
        for image in self._page.images:
            if image.autosave is not None:
                image.autosave.flush()

    def keep(self, image: AnnotatedImage) -> None:
        """Save what is painted on an image from now on, where that is wanted."""
        image.open()
        path = image.save_to
        if path is None:
            image.saved = {"saved": "Not saved: set save_to"}
        elif image.autosave is None:
            went_on = path.exists() and image.has_annotations
            image.saved = {"saved": "Scribbles loaded" if went_on else "Autosave on"}
            image.autosave = Autosave(
                path,
                image.scribbles,
                ndim=self._page.ndim,
                on_saved=lambda seen: self._saved(image, seen),
                on_failure=lambda failure: self._not_saved(image, failure),
            )
            if not path.exists() and (image.has_annotations or not self._page.several):
                image.autosave.request({}, range(image.scribbles.volume.shape[0]))
                image.autosave.flush()

    def _stroke(self, content: Mapping[str, Any]) -> None:
        client, seq = str(content["client"]), int(content["seq"])
        image = self._page.images[int(content.get("image", 0))]
        self.keep(image)
        if seq > image.seen.get(client, 0):
            patches = [
                _read_patch(int(content["axis"]), place, buffer)
                for place, buffer in zip(content["patches"], content.get("buffers", ()), strict=True)
            ]
            image.seen[client] = seq
            image.scribbles.paint(patches)
            self._follow(image, patches, client=client)
        elif image.autosave is None:
            self._acknowledge(image.seen)
        else:
            image.autosave.request(dict(image.seen), ())

    def _fill(self, content: Mapping[str, Any]) -> None:
        """Paint the region around a pixel, without the scribbles of other classes.

        The region is that of the prediction or, with ``edges``, the one between the edges of the image.
        """
        axis, index, value = (int(content[name]) for name in ("axis", "index", "value"))
        seed = int(content["row"]), int(content["col"])
        if content.get("edges"):
            plane = self._page.shown.planes.image.plane(axis, index)  # type: ignore[union-attr]
            region = region_within_edges(plane, seed, sigma=max(1, float(content["size"]) / 4))
        else:
            region = self._predicted_region(axis, index, seed)
        scribbles = self._shown.plane(axis, index)
        others = region & (scribbles != 0) & (scribbles != value)
        region &= ~others
        left = int(others.sum())
        if left:
            self._page.say(f"{counted(left, 'pixel')} scribbled in other classes left as they were")
        if not region.any():
            return
        patch = Patch.of_mask(axis, index, region, value + 1)
        self._shown.paint([patch])
        self._changed([patch])

    def _predicted_region(self, axis: int, index: int, seed: tuple[int, int]) -> np.ndarray:
        from skimage.segmentation import flood

        plane = self._predicted_plane(axis, index)
        if plane is None:
            raise ValueError("Fill needs a prediction: scribble in two classes and train first.")
        return np.asarray(flood(plane, seed, connectivity=1))

    def _follow(
        self, image: AnnotatedImage, patches: Sequence[Patch], *, client: str = "", jump: bool = False
    ) -> None:
        """Let browser, file and classifier follow the change of an image, which `client` knows already."""
        if not patches:
            return
        if image is self._page.shown:
            self._share(patches, client=client, jump=jump)
        self._page.list_classes()
        self._page.tell_image()
        if image.autosave is None:
            self._acknowledge(image.seen)
        else:
            image.autosave.request(dict(image.seen), _depths(patches))
        self._on_change()

    def _changed(self, patches: Sequence[Patch], *, jump: bool = False) -> None:
        self._follow(self._page.shown, patches, jump=jump)

    def _share(self, patches: Sequence[Patch], *, client: str, jump: bool) -> None:
        places = [
            {"index": p.index, "row": p.row, "col": p.col, "rows": len(p.values), "cols": p.values.shape[1]}
            for p in patches
        ]
        content = {
            "kind": "painted",
            "client": client,
            "image": self._page.widget.shown,
            "seen": self._page.shown.seen,
            "axis": patches[0].axis,
            "patches": places,
            "jump": patches[0].index if jump else None,
        }
        self._page.widget.send(content, [] if client else [encode_runs(p.values).tobytes() for p in patches])

    def _acknowledge(self, seen: Mapping[str, int]) -> None:
        self._page.widget.send({"kind": "kept", "seen": dict(seen)})

    def _saved(self, image: AnnotatedImage, seen: Mapping[str, int]) -> None:
        assert image.autosave is not None
        image.saved = {"saved": "Scribbles saved"}
        if image is self._page.shown:
            self._page.tell(saved=image.saved["saved"], unsaved="")
        self._acknowledge(seen)

    def _not_saved(self, image: AnnotatedImage, failure: Exception) -> None:
        image.saved = {"unsaved": str(failure)}
        self._page.tell(unsaved=str(failure))
        if isinstance(failure, ChangedElsewhereError):
            self._page.ask(
                f"save_to {image.name}".strip(),
                f"{failure} Scribbles are kept in memory until you decide.",
                {"overwrite": "Overwrite it", "rename": "Save under another name", "read": "Load it"},
                lambda answer: self._answer_about_file(image, answer),
            )

    def _answer_about_file(self, image: AnnotatedImage, answer: str) -> None:
        if image.autosave is None:
            return
        if answer == "rename":
            image.autosave.path = image.save_to = free_name(image.autosave.path)
            if not self._page.several:
                self._page.widget.save_to = str(image.save_to)
        if answer == "read":
            stored, _ = open_annotations(None, image.save_to, image.scribbles.volume.shape, self._page.ndim)
            self._take_over(image, stored)
        image.autosave.resume()

    def offer(self, scribbles: Scribbles) -> None:
        """Offer the scribbles of another annotator of the same image."""

        def answer(value: str) -> None:
            if value == "take":
                self._take_over(self._page.shown, scribbles.volume)

        self._page.ask(
            "earlier",
            f"Another annotator of this image has {scribbles.class_sizes.sum():,} annotated pixels.",
            {"take": "Take them over", "leave": "Start anew"},
            answer,
        )

    def _take_over(self, image: AnnotatedImage, volume: np.ndarray) -> None:
        """Replace the annotations by `volume`, as one step that can be undone."""
        changed = np.flatnonzero((volume != image.scribbles.volume).any(axis=(1, 2))).tolist()
        patches = [Patch(0, z, 0, 0, volume[z].astype(np.uint16) + 1) for z in changed]
        if patches:
            image.scribbles.paint(patches)
            self._follow(image, patches)


def _read_patch(axis: int, place: Mapping[str, Any], buffer: Any) -> Patch:
    rows, cols = int(place["rows"]), int(place["cols"])
    values = decode_runs(np.frombuffer(buffer, "<u4"), rows * cols).astype(np.uint16).reshape(rows, cols)
    return Patch(axis, int(place["index"]), int(place["row"]), int(place["col"]), values)


def _depths(patches: Sequence[Patch]) -> Iterable[int]:
    """Return the planes along z that patches change."""
    depths = ([p.index] if p.axis == 0 else range(p.row, p.row + len(p.values)) for p in patches)
    return set().union(*depths)
