"""What follows from the sums over an object's voxels: moments, the inertia tensor, the ellipsoid.

Plain NumPy over all objects at once, except for the sums of higher powers themselves.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from objclass._common.parallel import kernel

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


@kernel
def add_powers(terms, distance, sums):
    """Add terms (m,) times powers of a distance to sums (4, m)."""
    factor = 1.0
    for power in range(ORDER + 1):
        for place in range(len(terms)):
            sums[power, place] += terms[place] * factor
        factor *= distance


@kernel
def sum_powers(labels, numbers, boxes, weights, is_weighted, centres, spacing, sums):
    """Write the sums of powers of 0 to 3 of the distances from a centre along each axis, of objects.

    Parameters
    ----------
    labels : array (z, y, x)
    numbers : array (n,)
    boxes : array (n, 6)
        The first voxel of each object and the end.
    weights : array (z, y, x)
        What each voxel counts; not read unless `is_weighted`.
    is_weighted : bool
    centres : array (n, 3)
        From the first voxel of the box, in the unit of `spacing`.
    spacing : array (3,)
    sums : array (n, 4, 4, 4)
        Overwritten.
    """
    of_row, of_plane = np.empty(ORDER + 1), np.empty((ORDER + 1, ORDER + 1))
    for index in range(len(numbers)):
        box, (z, y, x) = boxes[index], centres[index]
        of_object = sums[index].reshape(ORDER + 1, (ORDER + 1) ** 2)
        of_object[:] = 0.0
        for plane in range(box[0], box[3]):
            of_plane[:] = 0.0
            for line in range(box[1], box[4]):
                of_row[:] = 0.0
                for column in range(box[2], box[5]):
                    if labels[plane, line, column] == numbers[index]:
                        distance = (column - box[2]) * spacing[2] - x
                        term = float(weights[plane, line, column]) if is_weighted else 1.0
                        for power in range(ORDER + 1):
                            of_row[power] += term
                            term *= distance
                add_powers(of_row, (line - box[1]) * spacing[1] - y, of_plane)
            add_powers(of_plane.reshape(-1), (plane - box[0]) * spacing[0] - z, of_object)


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
