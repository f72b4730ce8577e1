"""Prediction by APOC on an OpenCL device."""

from __future__ import annotations

import dataclasses
import tempfile
import warnings
from functools import cache
from pathlib import Path

import numpy as np

from objclass._common.checks import invalid
from objclass.pixels.classifier import ObjectClassifier, write_classifier
from objclass.pixels.features import unknown_to_apoc


@cache
def has_graphics_card() -> bool:
    """Return whether pyopencl finds a GPU."""
    try:
        import pyopencl
    except ImportError:
        return False
    try:
        platforms = pyopencl.get_platforms()
        return any(platform.get_devices(pyopencl.device_type.GPU) for platform in platforms)
    except pyopencl.Error:
        return False


def classify(channels: np.ndarray, classifier: ObjectClassifier) -> np.ndarray:
    """Return the class of each pixel from APOC's PixelClassifier."""
    return _predict(channels, dataclasses.replace(classifier, class_name="PixelClassifier"))


def probability(channels: np.ndarray, classifier: ObjectClassifier, target_class: int) -> np.ndarray:
    """Return the probability of one class from APOC's ProbabilityMapper."""
    mapper = dataclasses.replace(classifier, class_name="ProbabilityMapper", positive_class=target_class)
    return _predict(channels, mapper)


def _predict(channels: np.ndarray, classifier: ObjectClassifier) -> np.ndarray:
    if unknown_to_apoc(classifier.features):
        hint = 'Use engine="cpu", or train with preset="apoc".'
        raise invalid("engine", "features that APOC supports", "features of objclass alone", hint)
    try:
        import apoc
        import pyopencl
    except Exception as error:
        hint = 'Install one with python -m pip install "objclass[gpu]", or use engine="cpu".'
        raise invalid("engine", "an OpenCL device that APOC can use", f"{error}", hint) from error
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "classifier.cl"
        write_classifier(path, classifier)
        predictor = getattr(apoc, classifier.class_name)(opencl_filename=str(path))
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", category=pyopencl.CompilerWarning)
            try:
                return np.asarray(predictor.predict(image=list(channels)))
            except pyopencl.Error as error:
                found = str(error).splitlines()[0]
                hint = 'Use engine="cpu", or another device: see pyclesperanto_prototype.select_device.'
                raise invalid("engine", "an OpenCL device that runs APOC", found, hint) from error
