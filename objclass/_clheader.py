"""The header of a .cl file: from the fields of an `ObjectClassifier` to APOC's keys, and back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .clfile import ClassifierFile
from .features import Feature, format_features, parse_features

if TYPE_CHECKING:
    from .classifier import ObjectClassifier


def to_header(classifier: ObjectClassifier) -> dict[str, str]:
    """Return the header lines of a classifier, in APOC's order; its notes come last."""
    header = {
        "classifier_class_name": classifier.class_name,
        "feature_specification": format_features(classifier.features),
        "num_ground_truth_dimensions": str(classifier.ndim),
        "num_classes": str(classifier.n_classes),
        "num_features": str(classifier.forest.n_features),
        "max_depth": str(classifier.max_depth),
        "num_trees": str(classifier.forest.n_trees),
    }
    if classifier.importances:
        header["feature_importances"] = ",".join(map(repr, classifier.importances))
    if classifier.class_name == "ObjectSegmenter":
        header["positive_class_identifier"] = str(classifier.positive_class)
    return {**header, **classifier.notes}


def from_header(content: ClassifierFile) -> dict[str, Any]:
    """Return the fields of a classifier; header lines that are none of them are its notes.

    Raises
    ------
    ValueError
        If the header is not complete or does not fit the forest.
    """
    header, forest = dict(content.header), content.forest
    class_name = header.pop("classifier_class_name")
    features = parse_features(header.pop("feature_specification", ""), allow_other_filters=True)
    if forest.n_features % len(features):
        raise ValueError(f"{forest.n_features} inputs do not come from {len(features)} features a channel")
    ndim = header.pop("num_ground_truth_dimensions", "missing")
    if ndim not in ("2", "3"):
        raise ValueError(f"num_ground_truth_dimensions is {ndim}: it must say 2 or 3")
    importances = tuple(float(share) for share in header.pop("feature_importances", "").split(",") if share)
    if len(importances) not in (0, forest.n_features):
        raise ValueError(f"{len(importances)} feature_importances are given for {forest.n_features} inputs")
    positive_class = content.target_class
    if class_name == "ObjectSegmenter":
        positive_class = int(header.pop("positive_class_identifier", "2"))
        if not 1 <= positive_class <= forest.n_classes:
            raise ValueError(
                f"positive_class_identifier is {positive_class} and the classes are 1 to {forest.n_classes}; "
                "APOC counts them anew without gaps: correct the number"
            )
    max_depth = header.pop("max_depth", "")
    for key in ("num_classes", "num_features", "num_trees"):
        header.pop(key, None)
    return {
        "features": features,
        "forest": forest,
        "ndim": int(ndim),
        "positive_class": positive_class,
        "class_name": class_name,
        "max_depth": int(max_depth) if max_depth.isdecimal() else forest.depth,
        "importances": importances,
        "notes": header,
    }


def depends_on_broken_sobel(content: ClassifierFile, features: tuple[Feature, ...], ndim: int) -> bool:
    """Tell whether the forest asks for APOC's 3D Sobel filter, which reads beyond the image."""
    if ndim != 3 or "objclass_version" in content.header:
        return False
    asked = set(content.forest.feature[content.forest.feature >= 0] % len(features))
    return any(features[place].name == "sobel_of_gaussian_blur" for place in asked)
