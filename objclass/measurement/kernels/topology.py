"""Euler number and filled volume of every object, from rows packed into the bits of 64-bit words.

Fast because one instruction processes up to 64 voxels of a row, and because the rows of an object, one bit
per voxel, fit into the L1 cache.
"""

from __future__ import annotations

import numpy as np

from objclass._common.parallel import kernel

ZERO, ONE, LAST = np.uint64(0), np.uint64(1), np.uint64(63)


@kernel
def count_bits(word):
    """Return how many bits of a 64-bit word are set."""
    word -= (word >> ONE) & np.uint64(0x5555555555555555)
    word = (word & np.uint64(0x3333333333333333)) + ((word >> np.uint64(2)) & np.uint64(0x3333333333333333))
    word = (word + (word >> np.uint64(4))) & np.uint64(0x0F0F0F0F0F0F0F0F)
    return np.int64((word * np.uint64(0x0101010101010101)) >> np.uint64(56))


@kernel
def pack_rows(labels, number, box, solid):
    """Set the bits of one object in `solid`, (planes, lines, words), with a margin of one voxel."""
    solid[:] = ZERO
    for plane in range(box[0], box[3]):
        for line in range(box[1], box[4]):
            row = labels[plane, line, box[2] : box[5]]
            words = solid[plane - box[0] + 1, line - box[1] + 1]
            for x in range(len(row)):
                if row[x] == number:
                    words[(x + 1) >> 6] |= ONE << np.uint64((x + 1) & 63)


@kernel
def count_runs(first, second, third, fourth):
    """Return how many runs of set bits the union of four rows has."""
    runs = 0
    before = ZERO
    for word in range(len(first)):
        union = first[word] | second[word] | third[word] | fourth[word]
        runs += count_bits(union & ~(union << ONE | before))
        before = union >> LAST
    return runs


@kernel
def euler_number(solid):
    """Return the Euler number of an object of touching cubes: those that share a corner are one.

    It is the number of corners less edges plus faces less cubes of the union of closed cubes. Along one line
    of the lattice, corners less edges are the runs of the union of the four rows around it; faces and
    cubes likewise leave runs of single rows and of pairs of rows.
    """
    total = 0
    for plane in range(1, solid.shape[0]):
        for line in range(1, solid.shape[1]):
            here, left = solid[plane, line], solid[plane, line - 1]
            below, diagonal = solid[plane - 1, line], solid[plane - 1, line - 1]
            total += count_runs(here, left, below, diagonal) + count_runs(here, here, here, here)
            total -= count_runs(here, left, here, left) + count_runs(here, below, here, below)
    return total


@kernel
def spread(seeds, free):
    """Grow the set bits of `seeds` to the ends of the runs of `free`; return whether all are reached."""
    carry = ZERO
    for word in range(len(seeds)):  # towards higher x
        room, reached = free[word], (seeds[word] | carry) & free[word]
        for step in (1, 2, 4, 8, 16, 32):
            reached |= room & (reached << np.uint64(step))
            room &= room << np.uint64(step)
        seeds[word] = reached
        carry = reached >> LAST
    carry = ZERO
    complete = True
    for word in range(len(seeds) - 1, -1, -1):  # towards lower x
        room, reached = free[word], (seeds[word] | carry << LAST) & free[word]
        for step in (1, 2, 4, 8, 16, 32):
            reached |= room & (reached >> np.uint64(step))
            room &= room >> np.uint64(step)
        seeds[word] = reached
        carry = reached & ONE
        complete &= reached == free[word]
    return complete


@kernel
def grow_row(reached, free, plane, line, first_plane, stop_plane, seeds):
    """Add to a row of `reached` what touches a reached voxel of the rows around; return whether it grew."""
    n_words = len(seeds)
    for word in range(n_words):
        seeds[word] = reached[plane, line, word]
    for near_plane in range(max(plane - 1, first_plane), min(plane + 2, stop_plane)):
        for near_line in range(max(line - 1, 0), min(line + 2, reached.shape[1])):
            row = reached[near_plane, near_line]
            for word in range(n_words):
                seeds[word] |= row[word] | row[word] << ONE | row[word] >> ONE
                if word > 0:
                    seeds[word] |= row[word - 1] >> LAST
                    seeds[word - 1] |= row[word] << LAST
    spread(seeds, free[plane, line])
    grown = False
    for word in range(n_words):
        grown |= seeds[word] != reached[plane, line, word]
        reached[plane, line, word] = seeds[word]
    return grown


@kernel
def count_filled(solid, width, flat, free, reached):
    """Return how many voxels an object has with its holes: what no path of background links to the outside.

    Background that touches by a corner is linked. Rows are swept up and down until nothing new is reached;
    a row without gaps is complete at once, from its two ends.

    Parameters
    ----------
    solid : (planes, lines, words) uint64 array
        The object with a margin of one voxel.
    width : int
        Voxels of a row with its margin.
    flat : bool
        The object is of two dimensions: its outside is around its plane, not above and below it.
    free, reached : arrays like solid
        Scratch.
    """
    n_lines, n_words = solid.shape[1:]
    first_plane, stop_plane = (1, 2) if flat else (0, solid.shape[0])
    n_missing = 0
    filled = 0
    for plane in range(first_plane, stop_plane):
        for line in range(n_lines):
            for word in range(n_words):
                free[plane, line, word] = ~solid[plane, line, word]
                reached[plane, line, word] = ZERO
                filled += count_bits(solid[plane, line, word])
            beyond = np.uint64(width - 64 * (n_words - 1))
            if beyond < np.uint64(64):
                free[plane, line, n_words - 1] &= (ONE << beyond) - ONE
            reached[plane, line, 0] = ONE
            reached[plane, line, (width - 1) >> 6] |= ONE << np.uint64((width - 1) & 63)
            n_missing += not spread(reached[plane, line], free[plane, line])
    seeds = np.empty(n_words, np.uint64)
    n_rows = (stop_plane - first_plane) * n_lines
    changed = n_missing > 0
    forward = True
    while changed:
        changed = False
        for step in range(n_rows):
            place = step if forward else n_rows - 1 - step
            plane, line = first_plane + place // n_lines, place % n_lines
            for word in range(n_words):
                if reached[plane, line, word] != free[plane, line, word]:
                    changed |= grow_row(reached, free, plane, line, first_plane, stop_plane, seeds)
                    break
        forward = not forward
    if n_missing:
        for plane in range(first_plane, stop_plane):
            for line in range(n_lines):
                for word in range(n_words):
                    filled += count_bits(free[plane, line, word] & ~reached[plane, line, word])
    return filled


@kernel
def measure_topology(labels, numbers, boxes, flat, euler_numbers, filled):
    """Write the Euler number and the filled volume of some objects.

    Parameters
    ----------
    labels : (z, y, x) int32 array
    numbers : (n,) int64 array
    boxes : (n, 6) int64 array
        Bounding boxes, as in `ObjectSums`.
    flat : bool
        The image has two dimensions.
    euler_numbers, filled : (n,) int64 arrays
        Output.
    """
    size = 0
    for box in boxes:
        size = max(size, (box[3] - box[0] + 2) * (box[4] - box[1] + 2) * ((box[5] - box[2] + 65) >> 6))
    scratch = np.empty((3, size), np.uint64)
    for index in range(len(numbers)):
        box = boxes[index]
        shape = (box[3] - box[0] + 2, box[4] - box[1] + 2, (box[5] - box[2] + 65) >> 6)
        length = shape[0] * shape[1] * shape[2]
        solid = scratch[0, :length].reshape(shape)
        pack_rows(labels, numbers[index], box, solid)
        euler_numbers[index] = euler_number(solid)
        free, reached = scratch[1, :length].reshape(shape), scratch[2, :length].reshape(shape)
        filled[index] = count_filled(solid, box[5] - box[2] + 2, flat, free, reached)
