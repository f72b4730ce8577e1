"""From pixels to objects, and which of them to keep."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from objclass._common.checks import is_list
from objclass._common.parallel import Progress
from objclass.pixels.classifier import ObjectClassifier
from objclass.pixels.prediction import classify_pixels


def segment(
    image: npt.ArrayLike | Sequence[npt.ArrayLike],
    classifier: ObjectClassifier,
    *,
    engine: str = "auto",
    progress: Progress = True,
) -> Any:
    """Find the objects: connected pixels of the positive class.

    Pixels are connected through their faces, 6 neighbours in 3D and 4 in 2D.

    Parameters
    ----------
    image : array, or list of arrays
        (z, y, x) or (y, x), or with channels first (c, z, y, x) or (c, y, x), as in the training.
    classifier : ObjectClassifier
        From `train_object_classifier` or `load_classifier`.
    engine : {"auto", "cpu", "opencl"}
        Who computes, see `classify_pixels`.
    progress : bool or callable
        Show a bar where it takes over two seconds; or call ``progress(done, total)``.

    Returns
    -------
    ndarray of int32, or list of such
        0 is background, objects are 1…n in raster order of their first voxels; the spatial shape of `image`.

    Raises
    ------
    ValueError
        If the number of axes or channels does not fit the classifier, or pixels are not finite.
    TypeError
        If pixels are no real numbers.

    See Also
    --------
    split_touching : Cut objects apart that have grown together.
    exclude_small : Leave out small objects.

    References
    ----------
    .. [1] W. Silversmith, connected-components-3d, https://doi.org/10.5281/zenodo.5535250

    Examples
    --------
    >>> import numpy as np, objclass
    >>> image = np.repeat([[9.0, 0, 0, 0, 9, 9]], 6, axis=0)
    >>> classifier = objclass.train_object_classifier(image, np.where(image > 4, 2, 1))
    >>> objclass.segment(image, classifier)[0]
    array([1, 0, 0, 0, 2, 2], dtype=int32)
    """
    if is_list(image):
        return [segment(one, classifier, engine=engine, progress=progress) for one in image]
    classes = classify_pixels(image, classifier, engine=engine, progress=progress)
    return connected_components(classes == classifier.positive_class)


def connected_components(mask: np.ndarray) -> np.ndarray:
    """Give the face-connected parts of `mask` the numbers 1…n in raster order: int32."""
    import cc3d

    # Neither SciPy nor scikit-image is as fast: see benchmarks/labelling.py.
    labels = cc3d.connected_components(
        np.ascontiguousarray(mask), connectivity=6 if mask.ndim == 3 else 4, out_dtype=np.uint32
    )
    return labels.view(np.int32)
