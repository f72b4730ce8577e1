"""Python code that reproduces the state of an annotator."""

from __future__ import annotations

from typing import TYPE_CHECKING

from objclass.widgets.replay import call

if TYPE_CHECKING:
    from objclass.widgets.annotator.annotator import Annotator


def repeat_as_code(annotator: Annotator) -> str:
    """Return the code; see `Annotator.code`."""
    lines = ["import objclass", ""]
    if annotator._was_rgb:
        lines = ["import numpy", *lines, "image = numpy.moveaxis(image, -1, 0)[:3]  # channels first"]
    trained = annotator._trained_with
    file = annotator._file.path
    if isinstance(trained, str):
        lines.append(f"classifier = {call('objclass.load_classifier', repr(trained), keywords={})}")
    elif trained is not None:
        if annotator.save_to:
            lines.append(f"annotations = {call('objclass.imread', repr(annotator.save_to), keywords={})}")
        keywords = trained.keywords() | (
            {"path": str(file)} if annotator.state.get("file") == "saved" else {}
        )
        training = call("objclass.train_object_classifier", "image", "annotations", keywords=keywords)
        lines.append(f"classifier = {training}")
    if annotator.state.get("stale"):
        lines.append("# Annotations or parameters have changed since this classifier was trained.")
    if annotator.labels is not None and annotator.state.get("objects_stale"):
        lines.append("# The objects are out of date: segment again.")
    elif annotator.labels is not None:
        keywords = dict(annotator.segmentation)
        if annotator.spacing is not None:
            keywords["spacing"] = annotator.spacing
        lines.append(f"labels = {call('objclass.segment', 'image', 'classifier', keywords=keywords)}")
    return "\n".join(lines) + "\n"
