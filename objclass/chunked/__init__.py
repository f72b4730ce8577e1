"""Functions of objclass for images larger than memory, computed in blocks with dask.

They have the same names and arguments, take dask arrays and arrays in files (`imread`), and return lazy dask
arrays; only `measure`, `imwrite` and `classify`, which takes tables, compute. Results are exactly those of
the in-memory functions. dask schedules the work: in threads of this process, or on a cluster if there is a
`dask.distributed.Client`.
"""

from objclass.chunked.images import imread, imwrite
from objclass.chunked.operations import (
    classify_pixels,
    exclude_border,
    exclude_large,
    exclude_small,
    measure,
    relabel,
    segment,
)
from objclass.chunked.tables import classify

__all__ = [
    "classify",
    "classify_pixels",
    "exclude_border",
    "exclude_large",
    "exclude_small",
    "imread",
    "imwrite",
    "measure",
    "relabel",
    "segment",
]
