"""Reading a TIFF of 4,000 pages, against tifffile itself, which does not look whether all of it is there."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np
import tifffile

import objclass

from .common import Row, compare

N_PAGES = 4000


def run() -> Iterator[Row]:
    """Yield the figures."""
    stack = np.random.default_rng(0).integers(0, 4000, (N_PAGES, 64, 64)).astype(np.uint16)
    kinds = {
        "OME-TIFF": {"ome": True, "metadata": {"axes": "ZYX"}, "compression": "zlib"},
        "plain TIFF": {"metadata": None},
    }
    with tempfile.TemporaryDirectory() as folder:
        for kind, options in kinds.items():
            path = Path(folder) / ("stack.ome.tif" if options.get("ome") else "stack.tif")
            tifffile.imwrite(path, stack, photometric="minisblack", **options)
            ours, theirs = partial(objclass.imread, path, axes="zyx"), partial(tifffile.imread, path)
            yield compare(
                f"imread, {kind} of {N_PAGES:,} pages", ours, "tifffile.imread", theirs, peer_repeats=5
            )
