"""The files of the annotator, and questions before existing ones are overwritten."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from objclass.widgets.annotator.base import AnnotatorBase
from objclass.widgets.annotator.classifier_file import OwnFile, free_name
from objclass.widgets.annotator.images import AnnotatedImage
from objclass.widgets.annotator.scribbles import Patch


class FilesMixin(AnnotatorBase):
    """Questions and answers about files."""

    def _start_files(self, path: str | os.PathLike[str] | None, on_existing: str) -> None:
        self._file = OwnFile(path)
        self._answers: dict[str, Any] = {
            "classifier": self._answer_classifier,
        }
        for image in self._images:
            self._answers[f"save_to {image.name}".strip()] = partial(self._answer_save_to, image)
        self._name_file()
        if self._file.is_foreign:
            if on_existing == "ask":
                self._ask_about_classifier()
            else:
                self._answer_classifier(on_existing)

    def _name_file(self) -> None:
        self.path = "" if self._file.path is None else str(self._file.path)

    def _ask(self, topic: str, text: str, choices: Mapping[str, str]) -> None:
        listed = [{"value": value, "text": label} for value, label in choices.items()]
        others = [notice for notice in self.notices if notice["topic"] != topic]
        self.notices = [*others, {"topic": topic, "text": text, "choices": listed}]

    def _on_answer(self, content: Mapping[str, Any], _buffers: Sequence[Any]) -> None:
        topic = content["topic"]
        self.notices = [notice for notice in self.notices if notice["topic"] != topic]
        self.error = ""
        self._answers[topic](content["value"])

    def _ask_about_classifier(self) -> None:
        """Ask what to do with a foreign file, which is not changed until the answer."""
        path = self._file.path
        assert path is not None
        trained = self.classifier is not None
        was = "was changed elsewhere" if self._file.was_own else "is there already, from before"
        self._tell(file="asked")
        self._ask(
            "classifier",
            f"{path.name} {was}." + (" Your classifier is not saved until you choose." if trained else ""),
            {
                "load": "Load it",
                "rename": f"Keep it, save in {free_name(path).name}",
                "overwrite": "Replace it now" if trained else "Replace it at the first training",
            },
        )

    def _answer_classifier(self, answer: str) -> None:
        self._tell(file="")
        if answer == "load":
            self._accept_loaded(self._file.load())
            self._file.adopt()
            self._tell(file="loaded")
            return
        if answer == "rename":
            self._file.rename()
            self._name_file()
        else:
            self._file.adopt()
        if self.classifier is not None:
            self._save_classifier(self.classifier)

    def _save_classifier(self, classifier: Any) -> None:
        """Write the classifier's file after each training, or ask if it is foreign."""
        if self._file.save(classifier):
            self._tell(file="saved")
        elif self._file.path is not None:
            self._ask_about_classifier()

    def _leave_file(self) -> None:
        """Show that the classifier's file is out of date."""
        if self.state.get("file") in ("saved", "loaded"):
            self._tell(file="behind")

    def _answer_save_to(self, image: AnnotatedImage, answer: str) -> None:
        if image.autosave is None:
            return
        if answer == "rename":
            image.autosave.path = image.save_to = free_name(image.autosave.path)
            if not self._several:
                self.save_to = str(image.save_to)
        if answer == "read":
            from objclass.widgets.annotator.arguments import open_annotations

            stored = open_annotations(None, image.save_to, image.scribbles.volume.shape, self._ndim)
            self._replace_scribbles(image, stored)
        image.autosave.resume()

    def _offer_scribbles(self, earlier: AnnotatorBase) -> None:
        """Offer the annotations of another annotator of the same image."""
        scribbles = earlier._shown.scribbles

        def answer(value: str) -> None:
            if value == "take":
                self._replace_scribbles(self._shown, scribbles.volume)

        self._answers["earlier"] = answer
        self._ask(
            "earlier",
            f"Another annotator of this image has {scribbles.class_sizes.sum():,} annotated pixels.",
            {"take": "Take them over", "leave": "Start anew"},
        )

    def _replace_scribbles(self, image: AnnotatedImage, volume: np.ndarray) -> None:
        """Replace the annotations by `volume`, as one step that can be undone."""
        patches = []
        for z in np.flatnonzero((volume != image.scribbles.volume).any(axis=(1, 2))).tolist():
            patches.append(Patch(0, z, 0, 0, volume[z].astype(np.uint16) + 1))
        if patches:
            image.scribbles.paint(patches)
            if image is self._shown:
                self._share(patches)
            self._after_change(image, patches)
