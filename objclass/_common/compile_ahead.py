"""Compile in a second process what later steps will need, while this one is busy with the first.

numba keeps machine code on disk, where this process finds it. ``OBJCLASS_WARMUP=0`` in the environment
stops it.
"""

from __future__ import annotations

import atexit
import os
import subprocess
import sys

_running: dict[str, subprocess.Popen[bytes]] = {}


def compile_ahead(module: str) -> None:
    """Run ``python -m module``, which compiles, in the background; once in the life of this process."""
    if os.environ.get("OBJCLASS_WARMUP") == "0" or module in _running or (os.cpu_count() or 1) < 2:
        return
    nothing = subprocess.DEVNULL
    command = [sys.executable, "-m", module]
    _running[module] = subprocess.Popen(command, stdin=nothing, stdout=nothing, stderr=nothing)


def wait_for_compiling() -> None:
    """Wait until what `compile_ahead` began has ended."""
    for process in _running.values():
        process.wait()


@atexit.register
def _stop() -> None:
    for process in _running.values():
        process.terminate()  # numba's files appear when they are whole
