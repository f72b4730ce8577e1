"""Python code that reproduces the state of an annotator."""

from __future__ import annotations

from typing import TYPE_CHECKING

from objclass.widgets.replay import call

if TYPE_CHECKING:
    from objclass.widgets.annotator.annotator import Annotator
    from objclass.widgets.annotator.images import AnnotatedImage


def repeat_as_code(annotator: Annotator) -> str:
    """Return the code; see `Annotator.code`."""
    training, state = annotator._training, annotator.state
    file = annotator._file.path
    image, annotations = "image", "annotations"
    lines = _read_images(annotator)
    if training is not None and training.file:
        lines.append(f"classifier = {call('objclass.load_classifier', repr(training.file), keywords={})}")
    elif training is not None:
        lines += _read_annotations(annotator)
        keywords = annotator._training_keywords(training)
        if state.get("file") == "saved":
            keywords["path"] = str(file)
        if annotator._several:
            lines.append(f"names = {[each.name for each in annotator._annotated()]}")
            image = f"[{_channels(annotator, 'images[name]')} for name in names]"
            annotations = "[annotations[name] for name in names]"
        else:
            image = _channels(annotator, image)
        made = call("objclass.train_object_classifier", image, annotations, keywords=keywords)
        lines.append(f"classifier = {made}")
    if state.get("stale"):
        lines.append("# Annotations or parameters have changed since this classifier was trained.")
    return "\n".join([*lines, *_find_objects(annotator)]) + "\n"


def _find_objects(annotator: Annotator) -> list[str]:
    keywords = dict(annotator.segmentation)
    if annotator.spacing is not None:
        keywords["spacing"] = annotator.spacing
    if annotator._several:
        current = [each.name for each in annotator._images if annotator._is_current(each)]
        if current:
            part = _channels(annotator, "images[name]")
            made = call("objclass.segment", part, "classifier", keywords=keywords)
            return [f"labels = {{name: {made} for name in {current}}}"]
    elif annotator.labels is not None and annotator.state.get("objects_stale"):
        return ["# The objects are out of date: segment again."]
    elif annotator.labels is not None:
        part = _channels(annotator, "image")
        return [f"labels = {call('objclass.segment', part, 'classifier', keywords=keywords)}"]
    return []


def _channels(annotator: Annotator, image: str) -> str:
    """Return the expression of the channels that the classifier was trained on."""
    training = annotator._training
    if training is None or training.channels == tuple(range(len(annotator.channels))):
        return image
    return f"{image}[{training.channels[0] if len(training.channels) == 1 else list(training.channels)}]"


def _read_images(annotator: Annotator) -> list[str]:
    sources = [image.source for image in annotator._images]
    lines = ["import objclass", ""]
    if any(source.was_rgb for source in sources):
        lines = ["import numpy", *lines]
    if not annotator._several:
        if sources[0].code:
            lines.append(f"image = {sources[0].code}")
        if sources[0].was_rgb:
            lines.append("image = numpy.moveaxis(image, -1, 0)[:3]  # channels first")
        return lines
    read = [source for source in sources if source.code]
    if len(read) == len(sources):
        return [*lines, "images = {", *(f"    {one.name!r}: {one.code}," for one in read), "}"]
    lines += [f"images[{one.name!r}] = {one.code}" for one in read]
    for source in sources:
        if source.was_rgb:
            which = f"images[{source.name!r}]"
            lines.append(f"{which} = numpy.moveaxis({which}, -1, 0)[:3]  # channels first")
    return lines


def _read_annotations(annotator: Annotator) -> list[str]:
    if not annotator.save_to:
        return []

    def read(image: AnnotatedImage) -> str:
        return call("objclass.imread", repr(str(image.save_to)), keywords={})

    if not annotator._several:
        return [f"annotations = {read(annotator._shown)}"]
    return ["annotations = {", *(f"    {one.name!r}: {read(one)}," for one in annotator._annotated()), "}"]
