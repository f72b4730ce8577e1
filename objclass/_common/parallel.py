"""Numba flags, and the shared thread pool."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import Any, TypeVar

import numba

from objclass._common.code_cache import cache_folder, code_cache, compile_once, source_key
from objclass._common.kernel_parts import NEWEST, PART, call_part
from objclass._common.progress import Progress, progress_bar

Item = TypeVar("Item")
Result = TypeVar("Result")

_local = threading.local()
_lock = threading.Lock()
_pool: ThreadPoolExecutor | None = None


def kernel(function: Callable[..., Any] | None = None, *, contract: bool = False) -> Any:
    """Compile a loop over voxels: serial, without the GIL, cached on disk.

    Parallelism comes from `map_tiles`, never from numba's own threads: numba's workqueue layer aborts the
    process when two threads, such as those of dask, enter it.

    Parameters
    ----------
    function : callable
        The loop.
    contract : bool
        Allow fused multiply-add, which rounds once instead of twice.
    """
    flags: dict[str, Any] = {"nogil": True, "cache": True, "error_model": "numpy", "no_cfunc_wrapper": True}
    flags["fastmath"] = {"contract"} if contract else False

    def compile_cached(function: Callable[..., Any]) -> Any:
        if numba.config.DISABLE_JIT:  # type: ignore[attr-defined]  # to debug, or to see coverage
            return function
        key = source_key(function.__code__.co_filename)
        whole = _compile_once(function, key, flags)
        if numba.version_info.short > NEWEST:
            return whole
        return call_part(whole, _compile_once(function, f"{key}-parts", flags | PART))

    return compile_cached if function is None else compile_cached(function)


def _compile_once(function: Callable[..., Any], key: str, options: dict[str, Any]) -> Any:
    with code_cache(key, tells_sources=True):
        return compile_once(numba.njit(**options)(function), cache_folder(key))


def read_only(array: Any) -> Any:
    """Return a read-only view of `array`, as input for a kernel.

    numba compiles a function separately for writable and read-only arrays.
    """
    view = array.view()
    view.flags.writeable = False
    return view


def n_threads() -> int:
    """Return the number of threads to use: the cores available to this thread that the user allows.

    It respects CPU affinity and container quotas (as reported by joblib), ``OMP_NUM_THREADS``,
    ``NUMBA_NUM_THREADS`` and `single_threaded`.
    """
    if getattr(_local, "single", False):
        return 1
    from joblib import cpu_count

    limits = [cpu_count()]
    for variable in ("OMP_NUM_THREADS", "NUMBA_NUM_THREADS"):
        value = os.environ.get(variable, "")
        if value.isdigit() and int(value) > 0:
            limits.append(int(value))
    return max(1, min(limits))


@contextlib.contextmanager
def single_threaded() -> Iterator[None]:
    """Run `map_tiles` in the calling thread within this context, as needed inside a dask worker."""
    before = getattr(_local, "single", False)
    _local.single = True
    try:
        yield
    finally:
        _local.single = before


def map_tiles(
    function: Callable[[Item], Result],
    items: Iterable[Item],
    *,
    needs: Sequence[int] | None = None,
    description: str = "",
    progress: Progress = False,
) -> list[Result]:
    """Apply `function` to every item in parallel, in the shared pool, and return the results in order.

    Parameters
    ----------
    function : callable
        Should release the GIL most of the time.
    items : iterable
        The tiles. They start in this order; few more than there are threads wait in the pool at once, so
        that other callers can use it too.
    needs : sequence of int, optional
        For each item, the number of first items that must be done before it starts; non-decreasing.
    description : str
        The text of the progress bar.
    progress : bool or callable
        True shows a bar after two seconds. A callable is called as ``progress(done, total)`` in the
        calling thread after each tile; an exception that it raises stops the work and propagates.
    """
    todo = list(items)
    threads = min(n_threads(), len(todo))
    with progress_bar(len(todo), description, progress) as advance:
        if threads <= 1:
            results = []
            for item in todo:
                results.append(function(item))
                advance()
            return results
        return _map_in_pool(function, todo, needs or [0] * len(todo), threads, advance)


def _map_in_pool(
    function: Callable[[Item], Result],
    todo: list[Item],
    needs: Sequence[int],
    threads: int,
    advance: Callable[[], None],
) -> list[Result]:
    pool = _get_pool()
    futures: list[Future[Result]] = []
    running: set[Future[Result]] = set()
    n_done = 0
    try:
        while running or len(futures) < len(todo):
            while len(futures) < len(todo) and needs[len(futures)] <= n_done and len(running) < 2 * threads:
                futures.append(pool.submit(_run_single, function, todo[len(futures)]))
                running.add(futures[-1])
            done, running = wait(running, return_when=FIRST_COMPLETED)
            for future in done:
                future.result()
                advance()
            while n_done < len(futures) and futures[n_done].done():
                n_done += 1
    finally:
        for future in running:
            future.cancel()
        wait(running)
    return [future.result() for future in futures]


def _run_single(function: Callable[[Item], Result], item: Item) -> Result:
    with single_threaded():
        return function(item)


def _get_pool() -> ThreadPoolExecutor:
    global _pool
    with _lock:
        if _pool is None:
            _pool = ThreadPoolExecutor(n_threads(), thread_name_prefix="objclass")
        return _pool


def _forget_pool() -> None:
    global _pool, _lock
    _pool, _lock = None, threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_pool)
