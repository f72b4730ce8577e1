"""Python code that reproduces the state of an annotator."""

from __future__ import annotations

from typing import TYPE_CHECKING

from objclass.widgets.replay import call

if TYPE_CHECKING:
    from objclass.widgets.annotator.annotator import Annotator
    from objclass.widgets.annotator.images import AnnotatedImage


def repeat_as_code(annotator: Annotator) -> str:
    """Return the code; see `Annotator.code`."""
    trained, state = annotator._trained_with, annotator.state
    file = annotator._file.path
    image, annotations = ("images", "annotations") if annotator._several else ("image", "annotations")
    lines = _read_images(annotator)
    if isinstance(trained, str):
        lines.append(f"classifier = {call('objclass.load_classifier', repr(trained), keywords={})}")
    elif trained is not None:
        lines += _read_annotations(annotator)
        keywords = annotator._training_keywords(trained)
        if state.get("file") == "saved":
            keywords["path"] = str(file)
        if annotator._several:
            lines.append(f"names = {[each.name for each in annotator._annotated()]}")
            image, annotations = (f"[{each}[name] for name in names]" for each in (image, annotations))
        training = call("objclass.train_object_classifier", image, annotations, keywords=keywords)
        lines.append(f"classifier = {training}")
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
            made = call("objclass.segment", "images[name]", "classifier", keywords=keywords)
            return [f"labels = {{name: {made} for name in {current}}}"]
    elif annotator.labels is not None and annotator.state.get("objects_stale"):
        return ["# The objects are out of date: segment again."]
    elif annotator.labels is not None:
        return [f"labels = {call('objclass.segment', 'image', 'classifier', keywords=keywords)}"]
    return []


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
