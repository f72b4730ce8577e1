"""One epoch of the layout of UMAP, whose forces are looked up instead of computed.

A force depends on the squared distance of two objects only. What takes umap-learn long are powers of it, 30
million for 3,000 objects, each of which waits for the one before. Here a force is a parabola in each of 64
cells between a power of two and the next, to 2e-6 of it.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from objclass._common.parallel import kernel

SHIFT = np.uint32(17)  # bits of a float32 that are within a cell: it has 23 behind the exponent
FIRST, BEHIND = (127 - 40) << 6, (127 + 40) << 6  # cells of 2⁻⁴⁰ to 2⁴⁰; beyond, the nearest one holds
STRONGEST = 4.0
"""A stronger force moves an object as far as this one."""


@lru_cache
def tabulate_forces(a: float, b: float, gamma: float) -> np.ndarray:
    """Return the parabolas c₀ + c₁ x + c₂ x² of the forces at the squared distance x: (2, n_cells, 3).

    The first are those between neighbours, the second those between others; see umap-learn for their
    parameters. They are equal on any processor, although powers are not to the last bit.
    """
    edges = (np.arange(FIRST, BEHIND + 1, dtype=np.uint32) << SHIFT).view(np.float32)
    low, high = edges[:-1].astype(float), edges[1:].astype(float)
    middle, half = (low + high) / 2, (high - low) / 2
    tables = []
    for force in (
        lambda x: -2 * a * b * x ** (b - 1) / (a * x**b + 1),
        lambda x: 2 * gamma * b / ((0.001 + x) * (a * x**b + 1)),
    ):
        left, centre, right = (force(x).astype(np.float32).astype(float) for x in (low, middle, high))
        slope, bend = (right - left) / 2 / half, (left - 2 * centre + right) / 2 / half**2
        tables.append(
            np.stack([centre - slope * middle + bend * middle**2, slope - 2 * bend * middle, bend], axis=1)
        )
    return np.stack(tables)


@kernel
def random_integer(state):
    """Return the next number of a Tausworthe generator, that of umap-learn."""
    a, b, c = state[0], state[1], state[2]
    state[0] = (((a & 0xFFFFFFFE) << 12) & 0xFFFFFFFF) ^ ((((a << 13) & 0xFFFFFFFF) ^ a) >> 19)
    state[1] = (((b & 0xFFFFFFF8) << 4) & 0xFFFFFFFF) ^ ((((b << 2) & 0xFFFFFFFF) ^ b) >> 25)
    state[2] = (((c & 0xFFFFFFF0) << 17) & 0xFFFFFFFF) ^ ((((c << 3) & 0xFFFFFFFF) ^ c) >> 11)
    return np.int32(state[0] ^ state[1] ^ state[2])


@kernel
def look_up(forces, places, j, others, k, number, bits):
    """Return the force between two objects; `number` and `bits` are one float32, and its bits."""
    square = np.float32(0)
    for axis in range(places.shape[1]):
        difference = places[j, axis] - others[k, axis]
        square += difference * difference
    number[0] = square
    cell = min(max(np.int64(bits[0] >> SHIFT) - FIRST, 0), forces.shape[0] - 1)
    x = np.float64(square)
    return forces[cell, 0] + x * (forces[cell, 1] + x * forces[cell, 2])


@kernel
def step(force, difference, rate):
    """Return how far a force moves an object along one axis."""
    return min(max(force * difference, -STRONGEST), STRONGEST) * rate


@kernel
def move_objects(
    forces, places, others, heads, tails, states, both, rate, every, every_other, due, due_other, epoch
):
    """Pull neighbours together, and push each away from some others, as umap-learn does in one epoch.

    Parameters
    ----------
    forces : float64, (2, n_cells, 3)
        Those of `tabulate_forces`.
    places, others : float32, (n_objects, n_axes)
        The objects that move, and their neighbours; one array, or another that a layout has already.
    heads, tails : int32, (n_pairs,)
        Which of the objects, and of the neighbours.
    states : int64, (n_objects, 3)
        Of the random numbers.
    both : bool
        Whether the neighbours move too.
    rate : float
    every, every_other : float64, (n_pairs,)
        After how many epochs a pair is pulled, and pushed away from another object, again.
    due, due_other : float64, (n_pairs,)
        When that is to be done next.
    epoch : int
    """
    number = np.zeros(1, np.float32)
    bits = number.view(np.uint32)
    for i in range(heads.size):
        if due[i] > epoch:
            continue
        j, k = heads[i], tails[i]
        force = look_up(forces[0], places, j, others, k, number, bits)
        for axis in range(places.shape[1]):
            change = step(force, places[j, axis] - others[k, axis], rate)
            places[j, axis] += change
            if both:
                others[k, axis] -= change
        due[i] += every[i]
        n_pushes = int((epoch - due_other[i]) / every_other[i])
        for _ in range(n_pushes):
            k = random_integer(states[j]) % others.shape[0]
            force = look_up(forces[1], places, j, others, k, number, bits)
            for axis in range(places.shape[1]):
                places[j, axis] += step(force, places[j, axis] - others[k, axis], rate)
        due_other[i] += n_pushes * every_other[i]
