"""The cache of numba's machine code: one folder for each state of the sources.

numba checks the source file of a function for changes, but not those of the functions that it calls, so
that an upgrade could leave outdated code. Therefore there is a folder for each state of a folder of
kernels; folders may be deleted at any time. Wherever these sources lie, their code is there: another
environment with the same kernels compiles nothing.

numba does not verify cached files, and fails if it cannot write. Here each file ends in a checksum: damaged
files are compiled again, and code that cannot be cached is still used.
"""

from __future__ import annotations

import atexit
import contextlib
import functools
import hashlib
import io
import logging
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numba
import numba.core.dispatcher
from numba.core import caching, event
from numba.core.compiler_lock import global_compiler_lock

# Type checkers see neither settings from the environment nor types of arguments.
_config: Any = numba.config
_dispatcher: Any = numba.core.dispatcher
_FunctionCache: Any = caching.FunctionCache
_IndexDataCacheFile: Any = caching.IndexDataCacheFile
_log = logging.getLogger(__name__)
_DIGEST = hashlib.sha256
_LONGEST_WAIT = 120.0  # seconds; a process that was stopped in the midst of compiling may never end


@contextlib.contextmanager
def code_cache(key: str, *, tells_sources: bool = False) -> Iterator[None]:
    """Within this context, numba caches the functions that are decorated in a folder for `key`.

    Where the key `tells_sources`, neither the place of their files counts nor when they were written.
    """
    folder = cache_folder(key)
    before = _config.CACHE_DIR, _dispatcher.FunctionCache
    _config.CACHE_DIR = str(folder or "")
    new_cache = functools.partial(_new_cache, place=folder if tells_sources else None)
    _dispatcher.FunctionCache = new_cache if folder else lambda function: caching.NullCache()
    try:
        yield
    finally:
        _config.CACHE_DIR, _dispatcher.FunctionCache = before


def cache_folder(key: str) -> Path | None:
    """Return the folder for code compiled under `key`; None if no folder is writable."""
    root = _root()
    return None if root is None else root / key


def source_key(path: str) -> str:
    """Return a name for the state of the folder of kernels that the Python file at `path` lies in.

    Those that several folders share count too, and how the parts of kernels are compiled.
    """
    folder, common = Path(path).parent, Path(__file__).parent
    shared = [*sorted(common.glob("kernels/*.py")), common / "kernel_parts.py"]
    digest = _DIGEST()
    for source in [*sorted(folder.glob("*.py")), *shared]:  # at a prompt, no file
        digest.update(source.read_bytes())
    return f"{folder.name}-{digest.hexdigest()[:16]}"


class _File(_IndexDataCacheFile):
    """numba's files of one function, each with a checksum behind what numba reads."""

    @contextlib.contextmanager
    def _open_for_write(self, filepath: str) -> Iterator[io.BytesIO]:
        content = io.BytesIO()
        yield content
        with super()._open_for_write(filepath) as file:
            file.write(content.getvalue() + _DIGEST(content.getvalue()).digest())

    def _load_index(self) -> dict[Any, str]:
        return super()._load_index() if _is_whole(self._index_path) else {}

    def _load_data(self, name: str) -> Any:
        if not _is_whole(self._data_path(name)):
            raise OSError("damaged")  # numba takes it for missing
        return super()._load_data(name)


class _Cache(_FunctionCache):
    def __init__(self, function: Any, place: Path | None) -> None:
        super().__init__(function)
        source, base = self._impl.locator.get_source_stamp(), self._impl.filename_base
        if place:
            self._cache_path, source = str(place), ""
        self._cache_file = _File(self._cache_path, base, source)

    def save_overload(self, sig: Any, data: Any) -> None:
        try:
            super().save_overload(sig, data)
        except OSError as error:
            _report(_root(), error.strerror or str(error))


def _new_cache(function: Any, place: Path | None) -> Any:
    try:
        return _Cache(function, place)
    except RuntimeError as error:  # numba found no place
        _report(_root(), str(error))
        return caching.NullCache()


def _is_whole(path: str) -> bool:
    size = _DIGEST().digest_size
    try:
        content = Path(path).read_bytes()
    except OSError:
        return False
    return _DIGEST(content[:-size]).digest() == content[-size:]


def compile_once(function: Any, folder: Path | None) -> Any:
    """Compile a numba function in one process at a time; others wait and load the code from the cache.

    Processes that start together, as on a cluster or in `compile_ahead`, would each compile all.
    """
    if folder is None:
        return function
    compile_here, lock = function.compile, _FunctionLock(folder / f"{function.__name__}.lock")

    def compile_or_wait(signature: Any) -> Any:
        # With numba's own lock taken first, threads of a process cannot wait for each other.
        with global_compiler_lock, lock:
            return compile_here(signature)

    function.compile = compile_or_wait
    return function


class _FunctionLock:
    """A lock between processes while a function is compiled; no lock if files cannot be locked."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.lock: Any = None  # made where it is first used: filelock takes a moment to import

    def __enter__(self) -> None:
        from filelock import FileLock, Timeout

        self.lock = self.lock or FileLock(self.path, timeout=_LONGEST_WAIT, thread_local=False)
        with contextlib.suppress(OSError, NotImplementedError, Timeout):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            try:
                self.lock.acquire(timeout=0)
            except Timeout:
                with waiting_for_compiler():
                    self.lock.acquire()

    def __exit__(self, *_: object) -> None:
        self.lock.release()


def waiting_for_compiler() -> Any:
    """Within this context, `notify_compiling` takes it that numba compiles, as another process does."""
    return event.trigger_event("numba:compile", data={"dispatcher": None})


def is_compiled(step: str) -> bool:
    """Return whether `mark_compiled` was called for `step` with these sources, packages and processor."""
    return any(mark.exists() for mark in _marks(step))


def mark_compiled(step: str) -> None:
    """Record on disk that all functions of a step are compiled."""
    with contextlib.suppress(OSError):  # on a full disk
        for mark in _marks(step):
            mark.touch()


def _marks(step: str) -> list[Path]:
    root = _root()
    return [] if root is None else [root / f"complete-{step}-{_state()}"]


@functools.cache
def _state() -> str:
    """Return a name for all that compiled code depends on: sources, packages, their place, the processor."""
    from importlib.metadata import PackageNotFoundError, version

    from llvmlite.binding import get_host_cpu_name

    digest = _DIGEST(f"{sys.prefix} {get_host_cpu_name()}".encode())
    for name in ("numba", "umap-learn", "pynndescent"):
        with contextlib.suppress(PackageNotFoundError):
            digest.update(f" {name} {version(name)}".encode())
    for source in sorted(Path(__file__).parents[1].glob("*/kernels/*.py")):
        digest.update(source.read_bytes())
    return digest.hexdigest()[:16]


@functools.cache
def _root() -> Path | None:
    """Return numba's folder if the user chose one, or the user's cache; one of this process if need be."""
    from platformdirs import user_cache_path

    chosen = _config.CACHE_DIR
    folder = Path(chosen) if chosen else user_cache_path("objclass", appauthor=False) / "machine-code"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=folder).close()
        return folder
    except OSError as error:
        _report(folder, error.strerror or str(error))
    try:
        temporary = tempfile.mkdtemp(prefix="objclass-")
    except OSError:
        return None
    atexit.register(shutil.rmtree, temporary, ignore_errors=True)
    return Path(temporary)


@functools.cache
def _report(folder: Any, reason: str) -> None:
    """Log, once for each reason, that machine code cannot be cached."""
    _log.warning(
        "compiled code cannot be kept in %s (%s): it is compiled anew in each process. Make room, or name "
        "another folder in the environment variable NUMBA_CACHE_DIR",
        folder,
        reason,
    )
