"""Compile in a second process what later steps will need, while this one is busy with the first.

numba keeps machine code on disk, where this process finds it; each function is compiled by one process at a
time (`objclass._common.parallel.kernel`), so that this one waits for a function on which the other is at
work. ``OBJCLASS_WARMUP=0`` in the environment stops it.
"""

from __future__ import annotations

import atexit
import os
import subprocess
import sys
import threading

from objclass._common.code_cache import is_compiled, waiting_for_compiler
from objclass._common.progress import report

STEPS = "objclass.workflows.compilation"
"""Run as ``python -m``, this module compiles the steps that it is given and prints each when it is done."""

_running: list[tuple[subprocess.Popen[str], set[str]]] = []
_begun: set[str] = set()
_lock = threading.Lock()


def compile_ahead(*steps: str, politely: bool = False) -> bool:
    """Begin to compile these steps in the background, in this order; return whether there is any to compile.

    `politely` is at low priority. Each step is compiled once on a machine.
    """
    with _lock:
        missing = [step for step in steps if step not in _begun and not is_compiled(step)]
        if not missing or os.environ.get("OBJCLASS_WARMUP") == "0" or (os.cpu_count() or 1) < 2:
            return False
        nothing = subprocess.DEVNULL
        command = [sys.executable, "-m", STEPS, *(["--nice"] if politely else []), *missing]
        process = subprocess.Popen(command, stdin=nothing, stdout=subprocess.PIPE, stderr=nothing, text=True)
        _running.append((process, set(missing)))
        _begun.update(missing)
        return True


def compile_ahead_in_notebook(*steps: str) -> None:
    """In a notebook, where people look at one result before the next step, compile that at low priority."""
    if "ipykernel" in sys.modules and compile_ahead(*steps, politely=True):
        report("objclass compiles the next steps in the background, once; OBJCLASS_WARMUP=0 stops this.")


def wait_for_compiling(step: str) -> None:
    """Wait until `step` is compiled if `compile_ahead` has begun with it."""
    if not any(step in waiting for _, waiting in _running):
        return
    with _lock, waiting_for_compiler():
        for process, waiting in _running:
            while step in waiting:
                assert process.stdout is not None
                done = process.stdout.readline().strip()
                if done:
                    waiting.discard(done)
                else:  # it ended, or was ended
                    waiting.clear()


@atexit.register
def _stop() -> None:
    for process, _ in _running:
        with process:
            process.terminate()  # numba's files appear when they are whole
