"""umap-learn, with what numba compiles of it kept on disk.

umap-learn compiles most of its functions anew in each process, for ten seconds. On a function's
`enable_caching`, numba keeps the code instead; the files of umap-learn stay as they are. Where another
release of umap-learn or numba is built differently, the functions compile as they always did.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import importlib
import sys
import warnings
from importlib.metadata import version
from pathlib import Path
from types import ModuleType

from objclass._common.code_cache import cache_folder, code_cache
from objclass._common.compile_ahead import wait_for_compiling

_MODULES = ("umap.utils", "umap.distances", "umap.spectral", "umap.layouts", "umap.umap_")


def is_compiled() -> bool:
    """Return whether `compile_umap` has been run in this installation."""
    complete = _complete()
    return complete is not None and complete.exists()


@functools.cache
def import_umap() -> ModuleType:
    """Import umap-learn, and let numba keep what it compiles of it."""
    wait_for_compiling()
    with code_cache(_releases()):
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="Tensorflow not installed", category=ImportWarning)
            import umap
        for name in _MODULES:
            with contextlib.suppress(ImportError):
                _cache_functions(importlib.import_module(name))
    return umap


def _releases() -> str:
    # The functions call one another across files and packages: each pair of releases has its folder.
    return "-".join(f"{package}-{version(package)}" for package in ("umap-learn", "pynndescent"))


def compile_umap() -> None:
    """Compile what `objclass.reduce` needs of UMAP."""
    import numpy as np
    import pandas as pd

    from objclass.tables.reduction import reduce

    values = np.random.default_rng(0).normal(size=(64, 4))
    reduce(pd.DataFrame(values, columns=list("abcd")).assign(label=np.arange(1, 65)), "umap", progress=False)
    complete = _complete()
    if complete is not None:
        with contextlib.suppress(OSError):  # on a full disk
            complete.touch()


def _complete() -> Path | None:
    """Return the file that says that all is compiled for this installation, which numba tells by its path."""
    folder = cache_folder(_releases())
    place = hashlib.sha256(sys.prefix.encode()).hexdigest()[:16]
    return None if folder is None else folder / f"complete-{place}"


def _cache_functions(module: ModuleType) -> None:
    """Call `enable_caching` on each function that `module` defines and numba compiles."""
    for function in list(vars(module).values()):
        if getattr(function, "__module__", None) == module.__name__:
            with contextlib.suppress(AttributeError, RuntimeError):
                function.enable_caching()
