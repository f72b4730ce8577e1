"""Training in the annotator: by the button, after each scribble, and the file of the classifier."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from objclass._common import checks
from objclass._common.checks import counted
from objclass.pixels.classifier import ObjectClassifier, train_object_classifier
from objclass.pixels.uncertainty import suggest_slice
from objclass.widgets.annotator.classifier_file import OwnFile, free_name
from objclass.widgets.annotator.learning import train_live
from objclass.widgets.annotator.overlays import Overlays
from objclass.widgets.annotator.page import Accepted, Page, Training
from objclass.widgets.background import Latest

QUICK_ROWS = 1000
MOST_ROWS = 12_000
_SETTLE_AFTER = 3.0
_SETTLED_BYTES = 2_000_000_000
PREVIEW, EXACT, COMPLETE = range(3)
"""The completeness of a training: on a part of the pixels, on all, and with metadata."""


class Trainer:
    """Trains the classifier in the `queue`, writes its file, and lets `overlays` show what it predicts."""

    def __init__(self, page: Page, queue: Latest, overlays: Overlays, path: str | os.PathLike[str] | None):
        self._page, self._queue, self._overlays = page, queue, overlays
        self.file = OwnFile(path)
        self._show_file_name()
        self._timer: threading.Timer | None = None
        self._accepting, self._settling = threading.RLock(), threading.Lock()
        self.handlers = {"suggest": self._request_suggestion, "train": self._request_training}

    def train(self, *, settles: bool = False) -> Accepted:
        """Train like `train_object_classifier`, and return the classifier that predicts from now on."""
        page = self._page
        annotated = page.annotated() or [page.shown]
        with contextlib.ExitStack() as stack:
            for image in annotated:
                stack.enter_context(image.scribbles.lock)
            training = page.begin_training()
            annotations: Any = [image.annotations.copy() for image in annotated]
        images: Any = [image.learned(training.channels) for image in annotated]
        if not page.several:
            (images,), (annotations,) = images, annotations
        classifier = train_object_classifier(images, annotations, **page.training_keywords(training))
        return self.accept(classifier, training, settles=settles)

    def train_if_stale(self) -> Accepted:
        """Return the classifier of the present annotations and parameters."""
        accepted, state = self._page.accepted, self._page.widget.state
        return accepted if accepted and state["exact"] and not state["stale"] else self.train()

    def follow_change(self) -> None:
        """Follow a change of annotations or parameters."""
        page = self._page
        page.revision += 1
        page.tell_stale()
        sizes = page.class_sizes()
        if page.widget.live and np.count_nonzero(sizes) > 1 and sizes[page.widget.positive_class] > 0:
            self._submit(self._train_quickly)

    def stop(self) -> None:
        """Train no more."""
        if self._timer is not None:
            self._timer.cancel()

    def _request_training(self, _content: Mapping[str, Any]) -> None:
        self._page.widget.error = ""
        self._submit(self.train)

    def _submit(self, train: Callable[[], object]) -> None:
        def job() -> None:
            with self._page.tell_compiling():
                train()
            self._page.tell(training=self._queue.waits("train"), compiling=False)

        self._page.tell(training=True)
        self._queue.submit("train", job)

    def _train_quickly(self) -> None:
        """Train quickly on a part of the pixels; after a pause like the button *Train*.

        If the complete training would take long, because of very many annotated pixels or a very large image,
        it is left to the button.
        """
        training, annotated = self._page.begin_training(), self._page.annotated()
        pixels = [image.pixels(training.channels) for image in annotated]
        classifier, exact = train_live(pixels, training.parameters, most_rows=QUICK_ROWS)
        self.accept(classifier, training, quality=EXACT if exact else PREVIEW)
        self.stop()
        few = self._page.class_sizes().sum() <= MOST_ROWS
        size = sum(image.channels.nbytes for image in annotated)
        if few and size <= _SETTLED_BYTES:
            self._timer = threading.Timer(_SETTLE_AFTER, self._settle, (training.revision,))
            self._timer.daemon = True
            self._timer.start()

    def _settle(self, revision: int) -> None:
        """Train like the button, in a separate thread, so that the next scribble does not wait."""
        if revision != self._page.revision or not self._settling.acquire(blocking=False):
            return
        try:
            self.train(settles=True)
        except ValueError:  # scribbles were removed in the meantime
            return
        finally:
            self._settling.release()

    def accept(
        self,
        classifier: ObjectClassifier,
        training: Training,
        *,
        quality: int = COMPLETE,
        settles: bool = False,
    ) -> Accepted:
        """Accept a classifier, unless there is one of later annotations or parameters; return which predicts.

        Trainings run concurrently and may end in another order than they started. Of two with the same input,
        the more complete one is kept. Only complete ones are saved.
        """
        page, new = self._page, Accepted(classifier, training, quality, forest=object())
        with self._accepting:
            earlier = page.accepted
            outdated = settles and training.revision < page.revision
            if earlier is not None:
                known = settles and new.rank == earlier.rank
                if outdated or known or new.rank < earlier.rank:
                    return earlier
            same_forest = settles and earlier is not None and earlier.rank == (training.revision, EXACT)
            if earlier is not None and same_forest:
                new = replace(new, forest=earlier.forest)
            page.accepted = new
            page.widget.error = ""
            page.tell(trained=True, exact=quality >= EXACT)
            page.tell_options()
            page.tell_stale()
            if quality == COMPLETE and not training.file:
                self._save(classifier)
            elif quality < COMPLETE and page.widget.state.get("file") in ("saved", "loaded"):
                page.tell(file="behind")
        if not same_forest:
            self._overlays.refresh(settles=settles)
        return new

    def _request_suggestion(self, _content: Mapping[str, Any]) -> None:
        self._page.widget.error = ""
        self._page.tell(suggesting=True)
        self._queue.submit("suggest", self._suggest)

    def _suggest(self) -> None:
        """Send the slice in which scribbles would help most."""
        try:
            accepted, image = self._page.accepted or self.train(), self._page.shown
            pixels = image.learned(accepted.training.channels)
            found = suggest_slice(pixels, accepted.classifier, image.annotations)
        finally:
            self._page.tell(suggesting=False)
        if image is self._page.shown:
            answer = {"kind": "suggestion", "index": found.index, "region": list(found.region)}
            self._page.widget.send(answer)

    # The file

    def open_file(self, on_existing: str) -> None:
        """Do with a file that is there already what `annotate` was told."""
        if self.file.is_foreign and on_existing == "ask":
            self._ask_about_file()
        elif self.file.is_foreign:
            self._answer_about_file(on_existing)

    def _show_file_name(self) -> None:
        self._page.widget.path = str(self.file.path or "")

    def _save(self, classifier: ObjectClassifier) -> None:
        """Write the file, or ask if it is foreign."""
        if self.file.save(classifier):
            self._page.tell(file="saved")
        elif self.file.path is not None:
            self._ask_about_file()

    def _ask_about_file(self) -> None:
        """Ask what to do with a foreign file, which is not changed until the answer."""
        path = self.file.path
        assert path is not None
        trained = self._page.accepted is not None
        was = "was changed elsewhere" if self.file.was_own else "is there already, from before"
        self._page.tell(file="asked")
        self._page.ask(
            "classifier",
            f"{path.name} {was}." + (" Your classifier is not saved until you choose." if trained else ""),
            {
                "load": "Load it",
                "rename": f"Keep it, save in {free_name(path).name}",
                "overwrite": "Replace it now" if trained else "Replace it at the first training",
            },
            self._answer_about_file,
        )

    def _answer_about_file(self, answer: str) -> None:
        self._page.tell(file="")
        if answer == "load":
            self._accept_loaded(self.file.load())
            self.file.adopt()
            self._page.tell(file="loaded")
            return
        if answer == "rename":
            self.file.rename()
            self._show_file_name()
        else:
            self.file.adopt()
        if self._page.accepted is not None:
            self._save(self._page.accepted.classifier)

    def _accept_loaded(self, classifier: ObjectClassifier) -> None:
        page, n_channels = self._page, len(self._page.widget.channels)
        channels = self._channels_of(classifier)
        if classifier.ndim != page.ndim or channels is None:
            raise ValueError(
                f"path: {page.widget.path} holds a classifier for {classifier.ndim}D images with "
                f"{counted(classifier.n_channels, 'channel')}, and this image is {page.ndim}D with "
                f"{n_channels}. Keep it and use another name, or choose its channels first."
            )
        page.widget.training_channels = list(channels)
        page.revision += 1
        self.accept(classifier, replace(page.begin_training(), file=page.widget.path))

    def _channels_of(self, classifier: ObjectClassifier) -> tuple[int, ...] | None:
        """Return the channels that a classifier was trained on: by name, else as many as are chosen."""
        names = [channel["name"] for channel in self._page.widget.channels]
        known = classifier.channel_names
        if known and all(names.count(name) == 1 for name in known):
            return checks.channel_numbers(known, names, len(names))
        choices = tuple(self._page.widget.training_channels), tuple(range(len(names)))
        return next((channels for channels in choices if len(channels) == classifier.n_channels), None)
