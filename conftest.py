"""Settings of pytest for the tests, the examples in docstrings and the notebooks alike."""

import gc
import os
from collections.abc import Generator

import pytest

# A thread of OpenMP or OpenBLAS that waits for work keeps its core busy, which a test beside it needs.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")
os.environ.setdefault("OPENBLAS_THREAD_TIMEOUT", "4")


def pytest_configure(config: pytest.Config) -> None:
    """Outside CI, which installs known versions, a package's announcement of changes fails no test."""
    if not os.environ.get("CI"):
        for category in ("DeprecationWarning", "PendingDeprecationWarning", "FutureWarning"):
            config.addinivalue_line("filterwarnings", f"default::{category}")


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Look for garbage once the tests are collected, and never among them and the modules: they stay."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()
