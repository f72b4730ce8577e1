"""Shared by `reduce` and `cluster`: description, setup, checks and reproducible runs of methods."""

from __future__ import annotations

import contextlib
import importlib
import inspect
import threading
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from objclass._common.checks import invalid
from objclass._common.notices import collect_of_packages, warn
from objclass._common.progress import report
from objclass.tables.columns import Matrix

_lock = threading.RLock()

MANY = 200_000
"""With more objects than this, UMAP fits on a subsample, and k-means uses mini-batches."""


def learners(n_objects: int, random_state: int | None) -> np.ndarray:
    """Return the indices of the objects to fit on: a random sample of at most `MANY`, in order."""
    chosen = np.random.default_rng(random_state).choice(n_objects, MANY, replace=False)
    return np.sort(chosen)


@dataclass(frozen=True)
class Method:
    """An algorithm from a library.

    Attributes
    ----------
    column : str
        The name of its result in the table.
    estimator : str
        Module and class, as ``"sklearn.decomposition:PCA"``; imported on use.
    size : str
        The option for the number of components or clusters; empty if there is none.
    defaults : mapping
        Default options that differ from those of the class, or between its releases. Options that the
        installed release does not support are ignored.
    needs : mapping of str to int
        The number of objects required in addition to the value of an option.
    most : int, optional
        The maximum number of objects: beyond it, the pairwise distances exceed memory.
    all_pairs : callable
        Whether the pairwise distances are needed, as a function of the options.
    slow : int, optional
        With more objects than this, the method takes many minutes.
    silence : tuple of str
        Regular expressions of warnings of the library to suppress.
    """

    column: str
    estimator: str
    size: str = ""
    defaults: Mapping[str, Any] = field(default_factory=dict)
    needs: Mapping[str, int] = field(default_factory=dict)
    most: int | None = None
    all_pairs: Callable[[Mapping[str, Any]], bool] = lambda options: True
    slow: int | None = None
    silence: tuple[str, ...] = ()


def report_matrix(step: str, matrix: Matrix, *, progress: bool) -> None:
    """Report which measurements are used; warn if there are no objects."""
    if progress:
        report(f"{step}: {matrix.summary()}")
    if not len(matrix.rows):
        warn(f"The table has no objects: there is nothing to {step}.", stacklevel=3)


def set_up(name: str, method: Method, options: Mapping[str, Any], **fixed: Any) -> Any:
    """Return the estimator of `method` with its defaults, the user's `options` and the `fixed` ones."""
    module, class_name = method.estimator.split(":")
    estimator = getattr(importlib.import_module(module), class_name)
    known = set(inspect.signature(estimator).parameters)
    accepted = known - {"n_components", "n_clusters", "random_state"}
    unknown = sorted(set(options) - accepted)
    if unknown:
        hint = f"Its options are those of {module}.{class_name}: {', '.join(sorted(accepted))}."
        raise invalid(unknown[0], "an option of method " + repr(name), "an unknown one", hint)
    ours = {key: value for key, value in {**method.defaults, **fixed}.items() if key in known}
    return estimator(**{**ours, **options})


def check_size(name: str, method: Method, estimator: Any, n_objects: int, *, size: str, quick: str) -> None:
    """Raise unless there are enough objects for the options, and not too many for the method.

    Parameters
    ----------
    name, method, estimator
        The method, and its estimator with all options.
    n_objects : int
        The number of objects without missing values.
    size : str
        The argument for the number of components or clusters.
    quick : str
        The method to recommend if there are too many objects.
    """
    options = estimator.get_params(deep=False)
    for option, more in method.needs.items():
        value = options[option]
        if isinstance(value, (int, float, np.number)) and n_objects < value + more:
            argument = size if option == method.size else option
            expected = f"at least {int(value) + more:,} objects without missing values for {argument}={value}"
            raise invalid("table", expected, f"{n_objects:,}", f"Pass a smaller {argument}.")
    hint = f"Use {quick!r}, or a sample: table.sample({method.most or method.slow}, random_state=0)."
    if method.most is not None and n_objects > method.most and method.all_pairs(options):
        expected = f"at most {method.most:,} objects for method {name!r}, whose memory use is quadratic"
        raise invalid("table", expected, f"{n_objects:,}", hint)
    if method.slow is not None and n_objects > method.slow:
        warn(f"Method {name!r} takes long for {n_objects:,} objects. {hint}", stacklevel=3)


@contextlib.contextmanager
def repeatable(method: Method, random_state: int | None) -> Iterator[None]:
    """Make a method reproducible within this context if it has a seed.

    Only one run at a time, since numba's threading layer is not reentrant. A seed implies one thread, since
    sums over several threads differ in the last digits. NumPy's global generator is seeded and restored,
    since Isomap uses it and takes no seed. Without a seed all cores are used.
    """
    from threadpoolctl import threadpool_limits

    with _lock, warnings.catch_warnings():
        collect_of_packages()
        for message in method.silence:
            warnings.filterwarnings("ignore", message=message)
        if random_state is None:
            yield
            return
        before = np.random.get_state()  # noqa: NPY002
        np.random.seed(random_state)  # noqa: NPY002
        try:
            with threadpool_limits(1):
                yield
        finally:
            np.random.set_state(before)  # noqa: NPY002
