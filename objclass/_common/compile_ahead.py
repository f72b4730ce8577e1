"""Compile functions of later steps in a second process while this one runs the first step.

numba caches machine code on disk, where this process finds it. Set the environment variable
``OBJCLASS_WARMUP=0`` to turn this off.
"""

from __future__ import annotations

import atexit
import os
import subprocess
import sys

_running: dict[str, subprocess.Popen[bytes]] = {}


def compile_ahead(module: str) -> None:
    """Run ``python -m module``, which compiles, in the background; at most once per process."""
    if os.environ.get("OBJCLASS_WARMUP") == "0" or module in _running or (os.cpu_count() or 1) < 2:
        return
    nothing = subprocess.DEVNULL
    command = [sys.executable, "-m", module]
    _running[module] = subprocess.Popen(command, stdin=nothing, stdout=nothing, stderr=nothing)


def wait_for_compiling() -> None:
    """Wait until the processes that `compile_ahead` started have ended."""
    for process in _running.values():
        process.wait()


@atexit.register
def _stop() -> None:
    for process in _running.values():
        process.terminate()  # safe: numba writes its cache files atomically
