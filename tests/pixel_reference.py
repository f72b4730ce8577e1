"""The pixel engine once more in plain NumPy, a whole array at a time."""

import numpy as np
from scipy import ndimage as ndi

from objclass.pixels.features import Feature
from objclass.pixels.filter_bank import gaussian


def blur(image: np.ndarray, sigma: float) -> np.ndarray:
    """Blur along z, y, x; every fused multiply-add rounds once, from double to single precision."""
    kernel = gaussian(sigma)
    for axis in range(image.ndim):
        padding = [(kernel.radius,) * 2 if at == axis else (0, 0) for at in range(image.ndim)]
        padded = np.pad(image, padding, mode="edge")
        total = np.zeros(image.shape, np.float32)
        for t in range(2 * kernel.radius + 1):
            shifted = np.take(padded, np.arange(image.shape[axis]) + t, axis)
            total = (kernel.weights[t].astype(np.float64) * shifted + total).astype(np.float32)
        image = total / kernel.divisor
    return image


def laplace(image: np.ndarray) -> np.ndarray:
    """Weigh the centre with 8 in 2D and, as APOC does, with 1 in 3D; every neighbour with −1."""
    weights = -np.ones((3,) * image.ndim)
    weights[(1,) * image.ndim] = 8 if image.ndim == 2 else 1
    return ndi.correlate(image.astype(np.float64), weights, mode="nearest")


def sobel(image: np.ndarray) -> np.ndarray:
    gradients = [ndi.sobel(image.astype(np.float64), axis, mode="nearest") for axis in range(image.ndim)]
    return np.sqrt(np.sum(np.square(gradients), axis=0))


def compute_features(image: np.ndarray, features: tuple[Feature, ...]) -> np.ndarray:
    """Return (n_channels · n_features, *spatial shape) for an image with channels first."""
    filters = {
        "original": lambda pixels, _: pixels,
        "gaussian_blur": blur,
        "difference_of_gaussian": lambda pixels, sigma: blur(pixels, sigma * 0.9) - blur(pixels, sigma * 1.1),
        "laplace_box_of_gaussian_blur": lambda pixels, sigma: laplace(blur(pixels, sigma)),
        "sobel_of_gaussian_blur": lambda pixels, sigma: sobel(blur(pixels, sigma)),
    }
    pixels = image.astype(np.float32)
    return np.stack([filters[f.name](channel, f.value) for channel in pixels for f in features])
