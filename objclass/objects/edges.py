"""The region around a pixel that the edges of an image bound."""

from __future__ import annotations

import numpy as np

_WINDOW = 192
_DEPTH = 0.1


def region_within_edges(plane: np.ndarray, seed: tuple[int, int], *, sigma: float = 1.0) -> np.ndarray:
    """Return the catchment basin of a pixel in the gradient of a plane.

    The watershed runs on the length of the Gaussian gradient, the largest of all channels, so that its lines
    lie on edges; minima less deep than a tenth of its 99th percentile make no basin of their own.

    Parameters
    ----------
    plane : ndarray, (c, rows, columns)
    seed : tuple of int
        Row and column.
    sigma : float
        Sigma of the gradient in pixels: finer edges are passed over.

    Returns
    -------
    ndarray of bool, (rows, columns)
        No farther than 192 pixels from the seed.

    References
    ----------
    S. Beucher, F. Meyer, The morphological approach to segmentation: the watershed transformation,
    Mathematical Morphology in Image Processing (1993): :func:`skimage.segmentation.watershed`.

    Examples
    --------
    >>> plane = np.zeros((1, 30, 30))
    >>> plane[0, 8:20, 10:22] = 100
    >>> region = region_within_edges(plane, (12, 12))
    >>> bool(region[9:19, 11:21].all()), bool(region[:6].any())
    (True, False)
    """
    from scipy import ndimage
    from skimage.morphology import h_minima
    from skimage.segmentation import watershed

    window = tuple(
        slice(max(0, at - _WINDOW), min(size, at + _WINDOW + 1))
        for at, size in zip(seed, plane.shape[1:], strict=True)
    )
    part = plane[:, *window].astype(np.float32)
    lengths = [ndimage.gaussian_gradient_magnitude(channel, sigma) for channel in part]
    gradient = np.max(lengths, axis=0)
    depth = max(float(np.percentile(gradient, 99)) * _DEPTH, 1e-6)
    markers, _ = ndimage.label(h_minima(gradient, depth))
    basins = watershed(gradient, markers)
    region = np.zeros(plane.shape[1:], bool)
    own = basins[seed[0] - window[0].start, seed[1] - window[1].start]
    region[window] = basins == own
    return region
