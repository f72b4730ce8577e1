"""The pixel engine once more in plain NumPy, a whole array at a time."""

import numpy as np
from scipy import ndimage as ndi

from objclass.pixels.features import Feature
from objclass.pixels.filter_bank import gaussian


def blur(image: np.ndarray, sigmas: tuple[float, ...]) -> np.ndarray:
    """Blur along z, y, x; every fused multiply-add rounds once, from double to single precision."""
    for axis, sigma in enumerate(sigmas):
        kernel = gaussian(sigma)
        padding = [(kernel.radius,) * 2 if at == axis else (0, 0) for at in range(image.ndim)]
        padded = np.pad(image, padding, mode="edge")
        total = np.zeros(image.shape, np.float32)
        for t in range(2 * kernel.radius + 1):
            shifted = np.take(padded, np.arange(image.shape[axis]) + t, axis).astype(np.float64)
            total = (float(kernel.weights[t]) * shifted + total).astype(np.float32)
        image = total / kernel.divisor
    return image


def laplace(image: np.ndarray) -> np.ndarray:
    """Weigh the centre with 8 in 2D and, as APOC does, with 1 in 3D; every neighbour with −1."""
    weights = -np.ones((3,) * image.ndim)
    weights[(1,) * image.ndim] = 8 if image.ndim == 2 else 1
    return ndi.correlate(image.astype(np.float64), weights, mode="nearest")


def sobel(image: np.ndarray, distances: tuple[float, ...] = (1, 1, 1)) -> np.ndarray:
    """Differentiate along each axis, and smooth across it by the same width in space along all axes."""
    squares = 0
    for axis in range(image.ndim):
        gradient = (
            ndi.correlate1d(image.astype(np.float64), [-1, 0, 1], axis, mode="nearest") / distances[axis]
        )
        for other in set(range(image.ndim)) - {axis}:
            side = (min(distances[: image.ndim]) / distances[other]) ** 2
            gradient = ndi.correlate1d(gradient, [side, 4 - 2 * side, side], other, mode="nearest")
        squares = squares + gradient**2
    return np.sqrt(squares)


def laplace_by_distance(image: np.ndarray, distances: tuple[float, ...]) -> np.ndarray:
    """Weigh each of the 8 or 26 neighbours by the number of its steps over its squared distance."""
    weights = np.zeros((3,) * image.ndim)
    for place in np.ndindex(weights.shape):
        steps = np.abs(np.array(place) - 1)
        if steps.any():
            weights[place] = -steps.sum() / np.sum(steps * np.square(distances))
    weights[(1,) * image.ndim] = -weights.sum()
    return ndi.correlate(image.astype(np.float64), weights, mode="nearest")


def compute_features(image: np.ndarray, features: tuple[Feature, ...]) -> np.ndarray:
    """Return (n_channels · n_features, *spatial shape) for an image with channels first."""
    ndim = image.ndim - 1

    def difference(pixels: np.ndarray, sigmas: tuple[float, ...], _) -> np.ndarray:
        return blur(pixels, tuple(s * 0.9 for s in sigmas)) - blur(pixels, tuple(s * 1.1 for s in sigmas))

    filters = {
        "original": lambda pixels, *_: pixels,
        "gaussian_blur": lambda pixels, sigmas, _: blur(pixels, sigmas),
        "difference_of_gaussian": difference,
        "laplace_box_of_gaussian_blur": lambda pixels, sigmas, _: laplace(blur(pixels, sigmas)),
        "laplace_of_gaussian_blur": lambda pixels, sigmas, far: laplace_by_distance(
            blur(pixels, sigmas), far
        ),
        "sobel_of_gaussian_blur": lambda pixels, sigmas, far: sobel(blur(pixels, sigmas), far),
    }
    pixels = image.astype(np.float32)
    return np.stack(
        [
            filters[f.name](channel, f.sigma_along(ndim), f.distances(ndim))
            for channel in pixels
            for f in features
        ]
    )
