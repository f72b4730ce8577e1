"""Python code that reproduces the state of an annotator."""

from __future__ import annotations

from pathlib import Path

from objclass.widgets.annotator.images import AnnotatedImage
from objclass.widgets.annotator.page import Page
from objclass.widgets.replay import call


def repeat_as_code(page: Page, file: Path | None) -> str:
    """Return the code, for a classifier in a file; see `Annotator.code`."""
    training, state = None if page.accepted is None else page.accepted.training, page.widget.state
    image, annotations = "image", "annotations"
    lines = _read_images(page)
    if training is not None and training.file:
        lines.append(f"classifier = {call('objclass.load_classifier', repr(training.file), keywords={})}")
    elif training is not None:
        lines += _read_annotations(page)
        keywords = page.training_keywords(training)
        if state.get("file") == "saved":
            keywords["path"] = str(file)
        if page.several:
            lines.append(f"names = {[each.name for each in page.annotated()]}")
            image = f"[{_channels(page, 'images[name]')} for name in names]"
            annotations = "[annotations[name] for name in names]"
        else:
            image = _channels(page, image)
        made = call("objclass.train_object_classifier", image, annotations, keywords=keywords)
        lines.append(f"classifier = {made}")
    if state.get("stale"):
        lines.append("# Annotations or parameters have changed since this classifier was trained.")
    return "\n".join([*lines, *_find_objects(page)]) + "\n"


def _find_objects(page: Page) -> list[str]:
    keywords = dict(page.widget.segmentation)
    if page.spacing is not None:
        keywords["spacing"] = page.spacing
    if page.several:
        current = [each.name for each in page.images if page.is_current(each)]
        if current:
            part = _channels(page, "images[name]")
            made = call("objclass.segment", part, "classifier", keywords=keywords)
            return [f"labels = {{name: {made} for name in {current}}}"]
    elif page.shown.labels is not None and page.widget.state.get("objects_stale"):
        return ["# The objects are out of date: segment again."]
    elif page.shown.labels is not None:
        part = _channels(page, "image")
        return [f"labels = {call('objclass.segment', part, 'classifier', keywords=keywords)}"]
    return []


def _channels(page: Page, image: str) -> str:
    """Return the expression of the channels that the classifier was trained on."""
    training = None if page.accepted is None else page.accepted.training
    if training is None or training.channels == tuple(range(len(page.widget.channels))):
        return image
    return f"{image}[{training.channels[0] if len(training.channels) == 1 else list(training.channels)}]"


def _read_images(page: Page) -> list[str]:
    sources = [image.source for image in page.images]
    lines = ["import objclass", ""]
    if any(source.was_rgb for source in sources):
        lines = ["import numpy", *lines]
    if not page.several:
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


def _read_annotations(page: Page) -> list[str]:
    if not page.widget.save_to:
        return []

    def read(image: AnnotatedImage) -> str:
        return call("objclass.imread", repr(str(image.save_to)), keywords={})

    if not page.several:
        return [f"annotations = {read(page.shown)}"]
    return ["annotations = {", *(f"    {one.name!r}: {read(one)}," for one in page.annotated()), "}"]
