"""Segmentation in the annotator, and the explorer of what it has found."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from objclass._common.notices import collect
from objclass.objects.segmentation import SegmentationOptions
from objclass.pixels.classifier import ObjectClassifier
from objclass.widgets.annotator.images import AnnotatedImage
from objclass.widgets.annotator.page import Accepted, Page
from objclass.widgets.annotator.training import Trainer
from objclass.widgets.background import Latest, Worker
from objclass.widgets.replay import Code, call

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class _Found:
    """The prediction of a classifier for all pixels: the probability (True) or a mask (False)."""

    image: AnnotatedImage
    accepted: Accepted
    pixels: dict[bool, np.ndarray] = field(default_factory=dict, repr=False)


class Segmenter:
    """Predicts all pixels by `worker`, and makes objects of them; `on_new` is called after that."""

    def __init__(
        self, page: Page, queue: Latest, worker: Worker, trainer: Trainer, *, on_new: Callable[[], None]
    ):
        self._page, self._queue, self._worker, self._trainer = page, queue, worker, trainer
        self._on_new = on_new
        self._objects_made = 0
        self.explorer: Any = None
        self.handlers = {
            "cancel": lambda _content: worker.cancel(),
            "explore": self._request_explorer,
            "segment": self._request,
        }

    def segment_all(self, progress: Progress = lambda done, total: None) -> None:
        """Segment one image after the other; only of the shown one the probability is kept."""
        images = self._page.images
        for number, image in enumerate(images):

            def part(done: int, total: int, number: int = number) -> None:
                progress(1000 * number + 1000 * done // max(1, total), 1000 * len(images))

            part(0, 1)
            self._finish(self._segment(image.open(), part))
            if image is not self._page.shown:
                image.found = None

    def follow_options(self) -> None:
        """Make the objects of the shown image again, with other options."""
        page, image = self._page, self._page.shown
        page.tell_options()
        page.tell_stale()
        if image.found is not None:
            self._queue.submit("objects", lambda: self._make_objects(image))

    def _request(self, content: Mapping[str, Any]) -> None:
        self._page.widget.error = ""
        image = self._page.shown
        if content.get("all"):
            self._worker.start("Segmenting all", self.segment_all, lambda _: None)
        else:
            self._worker.start("Segmenting", lambda progress: self._segment(image, progress), self._finish)

    def _segment(self, image: AnnotatedImage, progress: Progress) -> _Found:
        found = _Found(image, self._trainer.train_if_stale())
        self._find(found, progress)
        return found

    def _find(self, found: _Found, progress: Progress) -> np.ndarray:
        """Return the probability of the objects or their mask, depending on the options."""
        from objclass.objects.segmentation import object_probability
        from objclass.pixels.prediction import predict

        classifier = found.accepted.classifier
        options = self._options_for(classifier)
        wanted = options.needs_probability
        if wanted not in found.pixels:
            image = found.image.learned(found.accepted.training.channels)
            if wanted:
                pixels = object_probability(image, classifier, options, progress=progress)
            else:
                classes = predict(image, classifier, progress=progress)
                pixels = np.isin(classes, options.positive_classes)
            found.pixels[wanted] = pixels
        return found.pixels[wanted]

    def _options_for(self, classifier: ObjectClassifier) -> SegmentationOptions:
        return SegmentationOptions(**self._page.widget.segmentation).of_classifier(classifier)

    def _finish(self, found: _Found) -> None:
        """Accept a prediction, unless there is one of a later classifier."""
        image = found.image
        if image.found is not None and image.found.accepted.rank > found.accepted.rank:
            return
        image.found, image.segmented_with = found, found.accepted.forest
        with self._page.tell_compiling():
            self._make_objects(image)
        self._page.tell_stale()

    def _make_objects(self, image: AnnotatedImage) -> None:
        """Label objects in the prediction with the current options."""
        from objclass.objects.segmentation import label_objects

        page, found, how = self._page, image.found, dict(self._page.widget.segmentation)
        if found is None:
            return
        options = self._options_for(found.accepted.classifier)
        pixels = self._find(found, lambda done, total: None)
        labels = label_objects(pixels, options, spacing=page.spacing, progress=False)
        self._objects_made += 1
        image.labels, image.segmented_how, image.objects_version = labels, how, self._objects_made
        if np.count_nonzero(labels) > labels.size / 2:
            page.say("Over half of the image is foreground: are the classes swapped?")
        page.tell_image()
        page.tell_stale()
        self._on_new()

    def _request_explorer(self, _content: Mapping[str, Any]) -> None:
        self._page.widget.error = ""
        self._worker.start("Measuring", self._explore, self._show_explorer)

    def _explore(self, progress: Progress) -> Any:
        """Explore the shown image, and the others that were segmented."""
        from objclass.widgets.explorer.explorer import explore

        page = self._page
        images = [image for image in page.images if image is page.shown or image.labels is not None]
        for image in images:
            if not page.is_current(image):
                self._finish(self._segment(image.open(), progress))
        unit = None if page.spacing is None else page.widget.volume["unit"]
        pairs: dict[Any, Any] = {image.name: (image.open().image, image.labels) for image in images}
        given = [pairs] if len(pairs) > 1 else pairs.popitem()[1]
        names = page.shown.source.channel_names
        with collect():  # the explorer shows them
            return explore(*given, spacing=page.spacing, unit=unit, channel_names=names)

    def _show_explorer(self, explorer: Any) -> None:
        self.explorer, page = explorer, self._page
        keywords: dict[str, Any] = {} if page.spacing is None else {"spacing": Code("annotator.spacing")}
        if page.shown.source.channel_names:
            keywords["channel_names"] = list(page.shown.source.channel_names)
        which = f"[{page.shown.name!r}]" if page.several else ""
        what = [f"annotator.image{which}", f"annotator.labels{which}"]
        if len(explorer.objects.images) > 1:
            what = ["{name: (annotator.image[name], labels) for name, labels in annotator.labels.items()}"]
        made = call("objclass.explore", *what, keywords=keywords)
        with page.widget.hold_sync():
            page.widget.explorer_code = f"explorer = {made}  # here: annotator.explorer"
            page.widget.explorer_id = explorer.model_id
