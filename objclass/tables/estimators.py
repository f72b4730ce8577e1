"""What `reduce` and `cluster` share: how methods are described, set up, checked and run."""

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

_lock = threading.RLock()

MANY = 200_000
"""With more objects than this, UMAP learns from so many of them, and k-means takes small batches."""


def learners(n_objects: int, random_state: int | None) -> np.ndarray:
    """Return which objects to learn from: a sample of `MANY`, in their order."""
    chosen = np.random.default_rng(random_state).choice(n_objects, MANY, replace=False)
    return np.sort(chosen)


@dataclass(frozen=True)
class Method:
    """One algorithm of a library.

    Attributes
    ----------
    column : str
        What its result is called in the table.
    estimator : str
        Module and class, as in ``"sklearn.decomposition:PCA"``; imported when it is used.
    size : str
        The option that takes the number of axes or clusters; empty where there is none.
    defaults : mapping
        Options for which the class has another default, or its releases different ones. Those that the
        installed release does not know are left out.
    needs : mapping of str to int
        How many more objects there must be than the value of an option.
    most : int, optional
        With more objects than this, the distances of all to all would fill the memory.
    all_pairs : callable
        Tells from the options whether these distances are needed.
    slow : int, optional
        With more objects than this, it takes many minutes.
    silence : tuple of str
        Regular expressions: warnings of the library that tell a user nothing.
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


def set_up(name: str, method: Method, options: Mapping[str, Any], **fixed: Any) -> Any:
    """Return the estimator of `method` with its defaults, the user's `options` and what is `fixed`."""
    module, class_name = method.estimator.split(":")
    estimator = getattr(importlib.import_module(module), class_name)
    known = set(inspect.signature(estimator).parameters)
    accepted = known - {"n_components", "n_clusters", "random_state"}
    unknown = sorted(set(options) - accepted)
    if unknown:
        hint = f"Its options are those of {module}.{class_name}: {', '.join(sorted(accepted))}."
        raise invalid(unknown[0], "an option of method " + repr(name), "one that it does not have", hint)
    ours = {key: value for key, value in {**method.defaults, **fixed}.items() if key in known}
    return estimator(**{**ours, **options})


def check_size(name: str, method: Method, estimator: Any, n_objects: int, *, size: str, quick: str) -> None:
    """Check that the objects are enough for the options, and not too many for the method.

    Parameters
    ----------
    name, method, estimator
        The method, and its estimator with all options.
    n_objects : int
        The objects with all measurements.
    size : str
        What the caller calls the number of axes or clusters.
    quick : str
        The method to name where there are too many objects.
    """
    options = estimator.get_params(deep=False)
    for option, more in method.needs.items():
        value = options[option]
        if isinstance(value, (int, float, np.number)) and n_objects < value + more:
            argument = size if option == method.size else option
            expected = f"at least {int(value) + more:,} objects with all measurements for {argument}={value}"
            raise invalid("table", expected, f"{n_objects:,}", f"Pass a smaller {argument}.")
    hint = f"Take {quick!r}, or a sample: table.sample({method.most or method.slow}, random_state=0)."
    if method.most is not None and n_objects > method.most and method.all_pairs(options):
        expected = (
            f"at most {method.most:,} objects for method {name!r}, whose memory grows with their square"
        )
        raise invalid("table", expected, f"{n_objects:,}", hint)
    if method.slow is not None and n_objects > method.slow:
        warnings.warn(f"Method {name!r} takes long for {n_objects:,} objects. {hint}", stacklevel=3)


@contextlib.contextmanager
def repeatable(method: Method, random_state: int | None) -> Iterator[None]:
    """Within this context, a method gives the same result each time that it gets the same seed.

    One run at a time: numba's threads must not be entered twice. One thread where there is a seed: sums
    over several differ in their last digits. NumPy's own generator is seeded, since Isomap starts from it
    and takes no seed, and put back. Without a seed all cores are used.
    """
    from threadpoolctl import threadpool_limits

    with _lock, warnings.catch_warnings():
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
