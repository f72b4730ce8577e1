"""Reading of classifiers of pixels and of objects, whatever wrote their files."""

from __future__ import annotations

import os
from pathlib import Path

from objclass._common.files import check_name
from objclass.pixels import classifier as pixels
from objclass.pixels.classifier import ObjectClassifier
from objclass.tables import apoc_classifiers
from objclass.tables.table_classifier import TableClassifier, read_json


def load_classifier(path: str | os.PathLike[str]) -> ObjectClassifier | TableClassifier:
    """Read a classifier of pixels or objects from a file, without executing code from it.

    Parameters
    ----------
    path : str or path
        The .cl file of an ObjectSegmenter, a PixelClassifier or a ProbabilityMapper, made by objclass, APOC,
        napari or Fiji; the .json file of a `TableClassifier`; or the .cl file of APOC's TableRowClassifier,
        or of its ObjectClassifier where `measure` has the statistics that it asks for.

    Returns
    -------
    ObjectClassifier or TableClassifier
        A classifier of pixels, or one of objects. APOC's classes of objects are its numbers, from 1 on.

    Raises
    ------
    FileNotFoundError
        If the file does not exist.
    ValueError
        If the file is truncated, altered, too large, or not a supported classifier.

    Warns
    -----
    UserWarning
        If a file written by APOC uses a 3D Sobel filter, which reads beyond the image in APOC.

    References
    ----------
    .. [1] R. Haase, Accelerated Pixel and Object Classifiers, https://github.com/haesleinhuepf/apoc

    Examples
    --------
    >>> import pathlib, tempfile
    >>> import numpy as np, objclass
    >>> folder = tempfile.TemporaryDirectory()
    >>> path = pathlib.Path(folder.name) / "objects.cl"
    >>> image = np.arange(64).reshape(8, 8)
    >>> trained = objclass.train_object_classifier(image, np.where(image < 32, 1, 2), path=path)
    >>> load_classifier(path) == trained
    True
    >>> folder.cleanup()
    """
    if _is_json(Path(path)):
        return read_json(Path(path))
    if apoc_classifiers.is_of_objects(path):
        return apoc_classifiers.read_classifier(path)
    return pixels.load_classifier(path)


def _is_json(path: Path) -> bool:
    if not check_name(path).is_file():
        return False
    with path.open("rb") as file:
        return file.read(64).lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{")
