"""Import of umap-learn with caching of compiled code, which rounds alike on any processor.

umap-learn compiles most of its functions anew in each process, for ten seconds. On a function's
`enable_caching`, numba keeps the code instead; the files of umap-learn stay as they are. Where another
release of umap-learn or numba is built differently, the functions compile as they always did.
"""

from __future__ import annotations

import contextlib
import functools
import importlib
import sys
import warnings
from collections import UserDict
from collections.abc import Callable, Iterator
from importlib.metadata import version
from types import ModuleType
from typing import Any

from objclass._common.code_cache import code_cache
from objclass._common.compile_ahead import wait_for_compiling

_PYNNDESCENT = ("pynndescent", "pynndescent.distances", "pynndescent.sparse")
_REORDERED = {
    "umap.layouts": ("rdist", "_nb_optimize_layout_euclidean_single_epoch"),
    "umap.umap_": ("smooth_knn_dist", "compute_membership_strengths"),
}
"""The functions in which umap-learn lets the compiler fuse and reorder operations, or sum by several threads.

What takes it long is the layout; threads for the rest double the time of compiling."""
_MODULES = ("umap.utils", "umap.distances", "umap.spectral", "umap.layouts", "umap.umap_")


@functools.cache
def import_umap() -> ModuleType:
    """Import umap-learn and enable numba's cache for its functions."""
    wait_for_compiling("umap")
    with code_cache(_releases()):
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="Tensorflow not installed", category=ImportWarning)
            with _without_pynndescent():
                import umap
        for name in _REORDERED:
            with contextlib.suppress(ImportError):
                _round_strictly(importlib.import_module(name))
        for name in _MODULES:
            with contextlib.suppress(ImportError):
                _cache_functions(importlib.import_module(name))
    return umap


def _releases() -> str:
    # The functions call one another across files and packages: each pair of releases has its folder.
    packages = (f"{package}-{version(package)}" for package in ("umap-learn", "pynndescent"))
    return "-".join((*packages, "in-order"))


@contextlib.contextmanager
def _without_pynndescent() -> Iterator[None]:
    """Within this context, ``import pynndescent`` gives stand-ins that import it when they are used.

    The import compiles for ten seconds what umap-learn calls with very many objects only, or with other
    metrics than the Euclidean one. It only asks whether that is known, and what is an ``NNDescent``.
    """
    if "pynndescent" in sys.modules:
        yield
        return
    stand_ins = {name: ModuleType(name) for name in _PYNNDESCENT}
    package, distances, sparse = stand_ins.values()
    vars(package)["NNDescent"] = _Later
    vars(distances)["named_distances"] = _LaterDict("pynndescent.distances", "named_distances")
    vars(sparse)["sparse_named_distances"] = _LaterDict("pynndescent.sparse", "sparse_named_distances")
    sys.modules.update(stand_ins)
    try:
        yield
    finally:
        for name in stand_ins:
            del sys.modules[name]


class _LaterType(type):
    """The type of `_Later`: what is asked of that class is answered by pynndescent's."""

    def __call__(cls, *args: Any, **options: Any) -> Any:
        return _nn_descent()(*args, **options)

    def __instancecheck__(cls, instance: object) -> bool:
        return "pynndescent" in sys.modules and isinstance(instance, _nn_descent())


class _Later(metaclass=_LaterType):
    """Stands for ``pynndescent.NNDescent``."""


def _nn_descent() -> Any:
    with code_cache(_releases()):
        return importlib.import_module("pynndescent").NNDescent


class _LaterDict(UserDict[str, Callable[..., Any]]):
    """Stands for a dictionary of pynndescent."""

    def __init__(self, module: str, name: str) -> None:
        self._place = module, name

    def __contains__(self, metric: object) -> bool:
        return metric == "euclidean" or metric in self.data

    @property
    def data(self) -> Any:  # type: ignore[override]
        """The dictionary itself."""
        _nn_descent()
        module, name = self._place
        return getattr(importlib.import_module(module), name)


def _round_strictly(module: ModuleType) -> None:
    """Compile functions of `module` such that they round as written, on any processor with any threads."""
    import numba

    for name in _REORDERED[module.__name__]:
        with contextlib.suppress(AttributeError):
            function = getattr(module, name)
            setattr(module, name, numba.njit(function.py_func, locals=function.locals))


def _cache_functions(module: ModuleType) -> None:
    """Call `enable_caching` on each function that `module` defines and numba compiles."""
    for function in list(vars(module).values()):
        if getattr(function, "__module__", None) == module.__name__:
            with contextlib.suppress(AttributeError, RuntimeError):
                function.enable_caching()
