"""The voxels of one object in one block, packed."""

from __future__ import annotations

import zlib
from typing import NamedTuple

import numpy as np


class Fragment(NamedTuple):
    """The voxels of an object in one block."""

    number: int
    corner: np.ndarray
    """(3,) the start of its box in the image."""
    shape: tuple[int, ...]
    packed: bytes
    """The compressed bits of the mask in the box."""
    pixels: np.ndarray | None
    """(c, z, y, x), if needed by the counters."""

    @property
    def mask(self) -> np.ndarray:
        """(z, y, x) bool."""
        return self.cut(self.bits(), 0, 0, self.shape[0])

    def bits(self) -> np.ndarray:
        """Return the mask (z, y, bytes) with eight voxels of a row in a byte."""
        rows = np.frombuffer(zlib.decompress(self.packed), np.uint8)
        return rows.reshape(*self.shape[:2], -1)

    def cut(self, bits: np.ndarray, axis: int, start: int, stop: int) -> np.ndarray:
        """Return the layers ``start <= i < stop`` along an axis of the mask, from its bits."""
        if axis == 2:
            some = np.unpackbits(bits[..., start // 8 : -(-stop // 8)], axis=-1)
            return some[..., start % 8 :][..., : stop - start].view(bool)
        layers = bits[(slice(None),) * axis + (slice(start, stop),)]
        return np.unpackbits(layers, axis=-1, count=self.shape[2]).view(bool)


def pack(mask: np.ndarray) -> bytes:
    """Return the compressed bits of a mask (z, y, x)."""
    return zlib.compress(np.packbits(mask, axis=-1).tobytes(), 1)
