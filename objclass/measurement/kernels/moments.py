"""What follows from the sums over an object's voxels: moments, the inertia tensor, the ellipsoid.

Plain NumPy over all objects at once, except for the moments of third order, which are asked for rarely and
summed up an object at a time.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

ORDER = 3


def inertia_tensors(second: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Return the inertia tensors (n, d, d) per voxel, given the second moments (n, d, d) about the centre."""
    spread = second / counts[:, np.newaxis, np.newaxis]
    trace = np.trace(spread, axis1=1, axis2=2)
    return trace[:, np.newaxis, np.newaxis] * np.eye(second.shape[1]) - spread


def principal_moments(tensors: np.ndarray) -> np.ndarray:
    """Return the eigenvalues (n, d) of inertia tensors, the largest first, none below 0."""
    return np.clip(np.linalg.eigvalsh(tensors), 0, None)[:, ::-1]


def axis_lengths(eigenvalues: np.ndarray) -> np.ndarray:
    """Return the full axes (n, d), longest first, of the ellipse or ellipsoid with the same second moments.

    The principal moments of inertia of a solid ellipsoid are a fifth of the sum of two squared semi-axes,
    those of a solid ellipse a quarter of one. What is left of an axis by rounding alone counts as 0.
    """
    if eigenvalues.shape[1] == 2:
        squares = 16 * eigenvalues
    else:
        squares = 10 * (eigenvalues.sum(axis=1, keepdims=True) - 2 * eigenvalues[:, ::-1])
    return np.sqrt(np.where(squares > 1e-14 * squares[:, :1], squares, 0))


def orientations(tensors: np.ndarray) -> np.ndarray:
    """Return the angles (n,) from the first axis to the major axis, counter-clockwise, within half a turn.

    Where no direction is the major one it is, by convention, a quarter of pi down.
    """
    first, mixed, last = tensors[:, 0, 0], tensors[:, 0, 1], tensors[:, 1, 1]
    even = np.where(mixed < 0, np.pi / 4, -np.pi / 4)
    return np.where(first == last, even, 0.5 * np.arctan2(-2 * mixed, last - first))


def power_sums(weights: np.ndarray, centre: np.ndarray, spacing: Sequence[float]) -> np.ndarray:
    """Return the sums of weights times powers of 0 to 3 of the distances from `centre` along each axis."""
    sums = weights
    for length, middle, step in zip(weights.shape, centre, spacing, strict=True):
        powers = (np.arange(length) * step - middle)[:, np.newaxis] ** np.arange(ORDER + 1)
        sums = np.tensordot(sums, powers, axes=(0, 0))  # takes the first axis away, adds one at the end
    return sums


def normalized_moments(central: np.ndarray, spacing: Sequence[float]) -> np.ndarray:
    """Return central moments (n, 4, 4[, 4]) freed from scale; NaN below the second order."""
    n_axes = len(spacing)
    order = np.indices((ORDER + 1,) * n_axes).sum(axis=0)
    mass = central[(slice(None), *(slice(1),) * n_axes)]
    with np.errstate(divide="ignore", invalid="ignore"):
        normalized = central / min(spacing) ** order / mass ** (order / n_axes + 1)
    return np.where(order < 2, np.nan, normalized)


def hu_moments(normalized: np.ndarray) -> np.ndarray:
    """Return Hu's seven invariants (n, 7) of normalized moments (n, 4, 4).

    References
    ----------
    Hu: Visual pattern recognition by moment invariants. IRE Transactions on Information Theory 8 (1962).
    """
    n20, n02, n11 = normalized[:, 2, 0], normalized[:, 0, 2], normalized[:, 1, 1]
    n30, n03, n21, n12 = normalized[:, 3, 0], normalized[:, 0, 3], normalized[:, 2, 1], normalized[:, 1, 2]
    difference, sum_0, sum_1 = n20 - n02, n30 + n12, n21 + n03
    lean_0, lean_1 = n30 - 3 * n12, 3 * n21 - n03
    cubic_0, cubic_1 = sum_0 * (sum_0**2 - 3 * sum_1**2), sum_1 * (3 * sum_0**2 - sum_1**2)
    return np.stack(
        [
            n20 + n02,
            difference**2 + 4 * n11**2,
            lean_0**2 + lean_1**2,
            sum_0**2 + sum_1**2,
            lean_0 * cubic_0 + lean_1 * cubic_1,
            difference * (sum_0**2 - sum_1**2) + 4 * n11 * sum_0 * sum_1,
            lean_1 * cubic_0 - lean_0 * cubic_1,
        ],
        axis=1,
    )
