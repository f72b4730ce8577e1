"""The functions of objclass for images that are larger than the memory: block by block, with dask.

They are called as those of the same names, take dask arrays and arrays in files (`imread`), and return dask
arrays, so that nothing is computed before it is asked for; only `measure` and `imwrite` compute. Results are
exactly those of one machine with enough memory. Where the work is done is dask's matter: on the threads of
this process, or on a cluster once a `dask.distributed.Client` has been made.
"""

from objclass.chunked.operations import (
    classify_pixels,
    exclude_border,
    exclude_large,
    exclude_small,
    measure,
    relabel,
    segment,
)
from objclass.io.ome_zarr import imread, imwrite

__all__ = [
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
