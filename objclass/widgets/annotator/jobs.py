"""Background jobs of the annotator: training, prediction, uncertainty and segmentation."""

from __future__ import annotations

import contextlib
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np
import traitlets

from objclass._common import checks
from objclass._common.compiling import notify_compiling
from objclass.objects.segmentation import SegmentationOptions
from objclass.pixels.classifier import ObjectClassifier, train_object_classifier
from objclass.widgets.annotator import learning
from objclass.widgets.annotator.base import AnnotatorBase, Training
from objclass.widgets.annotator.images import AnnotatedImage
from objclass.widgets.annotator.learning import Learner
from objclass.widgets.background import Task, Worker
from objclass.widgets.base import First
from objclass.widgets.latest import Latest
from objclass.widgets.planes import PlaneServer
from objclass.widgets.replay import Code, call
from objclass.widgets.words import counted

_PLANES_KEPT = 32
_SETTLE_AFTER = 3.0
_SETTLED_BYTES = 2_000_000_000
PREVIEW, EXACT, COMPLETE = range(3)
"""The completeness of a training: on a part of the pixels, on all, and with metadata."""


@dataclass(frozen=True)
class _Found:
    """The prediction of a classifier for all pixels: the probability (True) or a mask (False)."""

    image: AnnotatedImage
    classifier: ObjectClassifier
    channels: tuple[int, ...]
    accepted: tuple[int, int]
    pixels: dict[bool, np.ndarray] = field(repr=False)


class JobsMixin(AnnotatorBase):
    """Training, prediction, suggestion, segmentation."""

    def _start_jobs(self) -> None:
        self._classifier = self._training = None
        self._revision, self._accepted = 0, (-1, PREVIEW)
        self._queue = Latest(self._job_failed)
        self._worker = Worker(self._report_task, self._show_failure)
        self._objects_made = 0
        self.explorer: Any = None
        self._wishes: dict[str, dict[str, Any]] = {}
        self._planes_seen: OrderedDict[tuple[Any, ...], np.ndarray] = OrderedDict()
        self._settle_timer: threading.Timer | None = None
        self._accepting, self._settling = threading.RLock(), threading.Lock()

    def _stop_jobs(self) -> None:
        self._worker.cancel()
        if self._settle_timer is not None:
            self._settle_timer.cancel()

    def _overlay_server(self) -> PlaneServer:
        sources = {"prediction": self._predicted_plane, "uncertainty": self._doubt_plane}
        return PlaneServer(self._planes.image, sources)

    def _job_failed(self, _kind: str, failure: Exception) -> None:
        self._tell(training=False, compiling=False)
        self._show_failure(failure)

    # Training

    def train(self) -> ObjectClassifier:
        """Train with the current annotations and parameters, like the button *Train*, and wait.

        Raises
        ------
        ValueError
            As `train_object_classifier`, for example if only one class is annotated.
        """
        self._train_exactly()
        assert self._classifier is not None
        return self._classifier

    def _begin_training(self) -> Training:
        """Return what a training that begins now sees."""
        return Training(self._revision, self.parameters, self._version, tuple(self.training_channels))

    def _learner(self, channels: tuple[int, ...]) -> Learner:
        return Learner(lambda: [image.pixels(channels) for image in self._annotated()])

    def _on_train(self, _content: Mapping[str, Any], _buffers: Sequence[Any]) -> None:
        self.error = ""
        self._submit_training(self._train_exactly)

    def _submit_training(self, train: Callable[[], None]) -> None:
        def job() -> None:
            with notify_compiling(lambda _: self._tell(compiling=True), after=0):
                train()
            self._tell(training=self._queue.waits("train"), compiling=False)

        self._tell(training=True)
        self._queue.submit("train", job)

    def _train_exactly(self, *, settles: bool = False) -> None:
        annotated = self._annotated() or [self._shown]
        with contextlib.ExitStack() as stack:
            for image in annotated:
                stack.enter_context(image.scribbles.lock)
            training = self._begin_training()
            annotations: Any = [image.annotations.copy() for image in annotated]
        images: Any = [image.learned(training.channels) for image in annotated]
        if not self._several:
            (images,), (annotations,) = images, annotations
        classifier = train_object_classifier(images, annotations, **self._training_keywords(training))
        self._accept(classifier, training, settles=settles)

    def _training_keywords(self, training: Training) -> dict[str, Any]:
        """Return the keywords of `train_object_classifier`; some of the channels always have names."""
        names = self._channel_names
        if names is None and len(training.channels) < len(self.channels):
            names = [channel["name"] for channel in self.channels]
        named = {} if names is None else {"channel_names": [names[each] for each in training.channels]}
        return training.parameters.keywords() | named

    def _annotations_changed(self) -> None:
        self._revision += 1
        self._tell_stale()
        if self.live and self._learner(tuple(self.training_channels)).can_train(self.positive_class):
            self._submit_training(self._train_quickly)

    @traitlets.observe(
        *("preset", "features", "max_depth", "n_estimators", "positive_class", "live"), "training_channels"
    )
    def _parameters_changed(self, change: Any) -> None:
        if self.state:  # else it is being made
            self._tell_options()
            self._annotations_changed()

    def _train_quickly(self) -> None:
        """Train quickly on a part of the pixels; after a pause like the button *Train*.

        If the complete training would take long, because of very many annotated pixels or a very large image,
        it is left to the button.
        """
        training = self._begin_training()
        learner = self._learner(training.channels)
        classifier, exact = learner.train(training.parameters, most_rows=learning.QUICK_ROWS)
        self._accept(classifier, training, quality=EXACT if exact else PREVIEW)
        if self._settle_timer is not None:
            self._settle_timer.cancel()
        few = learner.class_sizes().sum() <= learning.MOST_ROWS
        size = sum(image.channels.nbytes for image in self._annotated())
        if few and size <= _SETTLED_BYTES:
            self._settle_timer = threading.Timer(_SETTLE_AFTER, self._settle, (training.revision,))
            self._settle_timer.daemon = True
            self._settle_timer.start()

    def _settle(self, revision: int) -> None:
        """Train like the button, in a separate thread, so that the next scribble does not wait."""
        if revision != self._revision or not self._settling.acquire(blocking=False):
            return
        try:
            self._train_exactly(settles=True)
        except ValueError:  # scribbles were removed in the meantime
            return
        finally:
            self._settling.release()

    def _accept(
        self,
        classifier: ObjectClassifier,
        training: Training,
        *,
        quality: int = COMPLETE,
        settles: bool = False,
    ) -> None:
        """Accept a classifier, unless there is one of later annotations or parameters.

        Trainings run concurrently and may end in another order than they started. Of two with the same input,
        the more complete one is kept. Only complete ones are saved.
        """
        revision = training.revision
        with self._accepting:
            if (revision, quality) < self._accepted or (settles and revision < self._revision):
                return
            same_forest = settles and self._accepted == (revision, EXACT)
            self._accepted = revision, quality
            for image in self._images:
                if same_forest and image.segmented_with is self._classifier:
                    image.segmented_with = classifier
            self._classifier, self._training = classifier, training
            self.error = ""
            self._tell(trained=True, exact=quality >= EXACT)
            self._tell_options()
            self._tell_stale()
            if quality < COMPLETE:
                self._leave_file()
            elif not training.file:
                self._save_classifier(classifier)
            if same_forest:
                return
            self._planes_seen.clear()
        self.send({"kind": "trained", "settles": settles})
        if self._displayed:
            self._offer_first()
        for view in list(self._wishes):
            self._show_overlay(view, fresh=True)

    def _accept_loaded(self, classifier: ObjectClassifier) -> None:
        channels = self._channels_of(classifier)
        if classifier.ndim != self._ndim or channels is None:
            raise ValueError(
                f"path: {self.path} holds a classifier for {classifier.ndim}D images with "
                f"{counted(classifier.n_channels, 'channel')}, and this image is {self._ndim}D with "
                f"{len(self.channels)}. Keep it and use another name, or choose its channels first."
            )
        self.training_channels = list(channels)
        self._revision += 1
        self._accept(classifier, replace(self._begin_training(), file=self.path))

    def _channels_of(self, classifier: ObjectClassifier) -> tuple[int, ...] | None:
        """Return the channels that a classifier was trained on: by name, else as many as are chosen."""
        names = [channel["name"] for channel in self.channels]
        known = classifier.channel_names
        if known and all(names.count(name) == 1 for name in known):
            return checks.channel_numbers(known, names, len(names))
        choices = tuple(self.training_channels), tuple(range(len(names)))
        return next((channels for channels in choices if len(channels) == classifier.n_channels), None)

    def _tell_stale(self) -> None:
        trained, now = self._training, self._begin_training()
        stale = trained is not None and (
            trained.version != now.version
            or trained.channels != now.channels
            or not (trained.file or trained.parameters == now.parameters)
        )
        self._tell(stale=stale)
        shown = self._shown
        self._tell(objects_stale=shown.labels is not None and not self._is_current(shown))

    def _is_current(self, image: AnnotatedImage) -> bool:
        """Whether the objects of an image are those of the present annotations, parameters and options."""
        is_new = not self.state.get("stale") and image.segmented_with is self._classifier
        return image.labels is not None and is_new and image.segmented_how == self.segmentation

    # Overlays

    def _on_overlay(self, content: Mapping[str, Any], _buffers: Sequence[Any]) -> None:
        view = str(content["view"])
        self._wishes[view] = dict(content)
        unanswered = {**content, "layers": []}
        self._queue.submit(
            f"overlay {view}", lambda: self._show_overlay(view), dropped=lambda: self.send(unanswered)
        )

    def _on_overlay_off(self, content: Mapping[str, Any], _buffers: Sequence[Any]) -> None:
        self._wishes.pop(str(content["view"]), None)

    def _show_overlay(self, view: str, *, fresh: bool = False) -> None:
        request = self._wishes.get(view)
        if request is not None and request.get("source", 0) == self.shown:
            answer, buffers = self._overlay_server().answer(request)
            self.send({**answer, "fresh": fresh}, buffers)

    def _first_overlay(self, request: Mapping[str, Any]) -> First:
        if self._classifier is None:
            return {}
        answer, buffers = self._overlay_server().answer({**request, "layers": ["prediction"]})
        return {"overlay": answer, "overlay_buffers": list(map(bytes, buffers))}

    def _predicted_plane(self, axis: int, index: int) -> np.ndarray | None:
        def compute(classifier: ObjectClassifier, channels: tuple[int, ...]) -> np.ndarray:
            return image.pixels(channels).predict(classifier, axis, index)

        image = self._shown
        return self._remember(("prediction", image, axis, index), compute)

    def _doubt_plane(self, axis: int, index: int) -> np.ndarray | None:
        from objclass.pixels.uncertainty import uncertainty_plane

        def compute(classifier: ObjectClassifier, channels: tuple[int, ...]) -> np.ndarray:
            doubt = uncertainty_plane(image.learned(channels), classifier, axis, index=index)
            return np.rint(doubt * 255).astype(np.uint8)

        image = self._shown
        return self._remember(("uncertainty", image, axis, index), compute)

    def _remember(
        self, key: tuple[Any, ...], compute: Callable[[ObjectClassifier, tuple[int, ...]], np.ndarray]
    ) -> np.ndarray | None:
        with self._accepting:
            classifier, training, plane = self._classifier, self._training, self._planes_seen.get(key)
        if classifier is None or training is None or plane is not None:
            return plane
        plane = compute(classifier, training.channels)
        with self._accepting:
            if classifier is self._classifier:
                self._planes_seen[key] = plane
            while len(self._planes_seen) > _PLANES_KEPT:
                self._planes_seen.popitem(last=False)
        return plane

    def _on_suggest(self, _content: Mapping[str, Any], _buffers: Sequence[Any]) -> None:
        self.error = ""
        self._tell(suggesting=True)
        self._queue.submit("suggest", self._suggest)

    def _suggest(self) -> None:
        from objclass.pixels.uncertainty import suggest_slice

        try:
            if self._classifier is None:
                self._train_exactly()
            with self._accepting:
                classifier, training = self._classifier, self._training
            assert classifier is not None
            assert training is not None
            image = self._shown
            found = suggest_slice(image.learned(training.channels), classifier, image.annotations)
        finally:
            self._tell(suggesting=False)
        if image is self._shown:
            self.send({"kind": "suggestion", "index": found.index, "region": list(found.region)})

    # Objects

    def segment(self) -> Any:
        """Segment the whole image, or each of several, like the button *Segment*, and wait.

        A classifier that is out of date is trained again first. Returns `labels`.
        """
        self._segment_all(lambda done, total: None)
        self._queue.join()
        return self.labels

    def _on_segment(self, content: Mapping[str, Any], _buffers: Sequence[Any]) -> None:
        self.error = ""
        if content.get("all"):
            self._worker.start("Segmenting all", self._segment_all, lambda _: None)
        else:
            image = self._shown
            self._worker.start(
                "Segmenting", lambda progress: self._segment(image, progress), self._finish_segmentation
            )

    def _segment_all(self, progress: Callable[[int, int], None]) -> None:
        """Segment one image after the other; only of the shown one the probability is kept."""
        for number, image in enumerate(self._images):

            def part(done: int, total: int, number: int = number) -> None:
                progress(1000 * number + 1000 * done // max(1, total), 1000 * len(self._images))

            part(0, 1)
            self._finish_segmentation(self._segment(image.open(), part))
            if image is not self._shown:
                image.found = None

    def _on_cancel(self, _content: Mapping[str, Any], _buffers: Sequence[Any]) -> None:
        self._worker.cancel()

    def _report_task(self, task: Task) -> None:
        self._tell(task=task, **({} if task else {"compiling": False}))

    def _segment(self, image: AnnotatedImage, progress: Callable[[int, int], None]) -> _Found:
        if self._classifier is None or self.state["stale"] or not self.state["exact"]:
            self._train_exactly()
        with self._accepting:
            classifier, training, accepted = self._classifier, self._training, self._accepted
        assert classifier is not None
        assert training is not None
        found = _Found(image, classifier, training.channels, accepted, {})
        self._find(found, progress)
        return found

    def _find(self, found: _Found, progress: Callable[[int, int], None]) -> np.ndarray:
        """Return the probability of the objects or their mask, depending on the options."""
        from objclass.objects.segmentation import object_probability
        from objclass.pixels.prediction import classify_pixels

        options = self._options_for(found.classifier)
        wanted = options.needs_probability
        if wanted not in found.pixels:
            image = found.image.learned(found.channels)
            if wanted:
                pixels = object_probability(image, found.classifier, options, progress=progress)
            else:
                classes = classify_pixels(image, found.classifier, engine="cpu", progress=progress)
                pixels = np.isin(classes, options.positive_classes)
            found.pixels[wanted] = pixels
        return found.pixels[wanted]

    def _finish_segmentation(self, found: _Found) -> None:
        """Accept a prediction, unless there is one of a later classifier."""
        image = found.image
        if image.found is not None and image.found.accepted > found.accepted:
            return
        image.found, image.segmented_with = found, found.classifier
        with notify_compiling(lambda _: self._tell(compiling=True), after=0):
            self._make_objects(image)
        self._tell_stale()

    @traitlets.observe("segmentation")
    def _segmentation_changed(self, _change: Any) -> None:
        if self.state:  # else it is being made
            self._tell_options()
            self._tell_stale()
            image = self._shown
            if image.found is not None:
                self._queue.submit("objects", lambda: self._make_objects(image))

    def _tell_options(self) -> None:
        self._tell(segmentation=asdict(self.segmentation_options), recipe=self.parameters.recipe)

    def _options_for(self, classifier: ObjectClassifier) -> SegmentationOptions:
        chosen: dict[str, Any] = dict(self.segmentation)
        return SegmentationOptions(**chosen).of_classifier(classifier)

    def _make_objects(self, image: AnnotatedImage) -> None:
        """Label objects in the prediction with the current options."""
        from objclass.objects.segmentation import label_objects

        found, how = image.found, dict(self.segmentation)
        if found is None:
            return
        options = self._options_for(found.classifier)
        pixels = self._find(found, lambda done, total: None)
        labels = label_objects(pixels, options, spacing=self._spacing, progress=False)
        image.labels, image.segmented_how = labels, how
        self._objects_made += 1
        image.objects_version = self._objects_made
        if np.count_nonzero(labels) > labels.size / 2:
            self._say("Over half of the image is foreground: are the classes swapped?")
        self._tell_image()
        self._tell_stale()
        if self._displayed:
            self._offer_first()

    # Next step

    def _on_explore(self, _content: Mapping[str, Any], _buffers: Sequence[Any]) -> None:
        self.error = ""
        self._worker.start("Measuring", self._explore, self._show_explorer)

    def _explore(self, progress: Callable[[int, int], None]) -> Any:
        from objclass.widgets.explorer.explorer import explore

        # The shown image, and the others that were segmented.
        images = [image for image in self._images if image is self._shown or image.labels is not None]
        for image in images:
            if not self._is_current(image):
                self._finish_segmentation(self._segment(image.open(), progress))
        unit = None if self._spacing is None else self.volume["unit"]
        pairs: dict[Any, Any] = {image.name: (image.open().image, image.labels) for image in images}
        if len(pairs) > 1:
            return explore(pairs, spacing=self._spacing, unit=unit)
        return explore(*pairs.popitem()[1], spacing=self._spacing, unit=unit)

    def _show_explorer(self, explorer: Any) -> None:
        self.explorer = explorer
        keywords = {} if self._spacing is None else {"spacing": Code("annotator.spacing")}
        names = list(explorer.objects.images.keys)
        which = f"[{self._shown.name!r}]" if self._several else ""
        what = [f"annotator.image{which}", f"annotator.labels{which}"]
        if len(names) > 1:
            what = ["{name: (annotator.image[name], labels) for name, labels in annotator.labels.items()}"]
        made = call("objclass.explore", *what, keywords=keywords)
        with self.hold_sync():
            self.explorer_code = f"explorer = {made}  # here: annotator.explorer"
            self.explorer_id = explorer.model_id
