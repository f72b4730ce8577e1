"""Where numba keeps machine code: a folder for each state of the sources that it was made of.

numba compares the source file of a function with the one that it compiled, but not the files of the
functions that it calls. After an upgrade that changed only these, it would go on with the old code. Hence
a folder of its own for each state of a folder of kernels; any of them may be deleted at any time.

numba runs what it finds, damaged or not, and fails where it cannot write. Here each file ends in a checksum:
what is damaged is compiled anew, and what cannot be kept is used all the same.
"""

from __future__ import annotations

import atexit
import contextlib
import functools
import hashlib
import io
import logging
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numba
import numba.core.dispatcher
from numba.core import caching

# Type checkers see neither settings from the environment nor types of arguments.
_config: Any = numba.config
_dispatcher: Any = numba.core.dispatcher
_FunctionCache: Any = caching.FunctionCache
_IndexDataCacheFile: Any = caching.IndexDataCacheFile
_log = logging.getLogger(__name__)
_DIGEST = hashlib.sha256


@contextlib.contextmanager
def code_cache(key: str) -> Iterator[None]:
    """Within this context, numba caches the functions that are decorated in a folder for `key`."""
    folder = cache_folder(key)
    before = _config.CACHE_DIR, _dispatcher.FunctionCache
    _config.CACHE_DIR = str(folder or "")
    _dispatcher.FunctionCache = _new_cache if folder else _no_cache
    try:
        yield
    finally:
        _config.CACHE_DIR, _dispatcher.FunctionCache = before


def cache_folder(key: str) -> Path | None:
    """Return the folder for what is compiled under `key`; None where no folder can be written."""
    root = _root()
    return None if root is None else root / key


def source_key(path: str) -> str:
    """Return a name for the state of the folder of kernels that the Python file at `path` lies in."""
    folder = Path(path).parent
    digest = _DIGEST()
    for source in sorted(folder.glob("*.py")):  # none for a function that was typed at a prompt
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
    def __init__(self, function: Any) -> None:
        super().__init__(function)
        source, base = self._impl.locator.get_source_stamp(), self._impl.filename_base
        self._cache_file = _File(self._cache_path, base, source)

    def save_overload(self, sig: Any, data: Any) -> None:
        try:
            super().save_overload(sig, data)
        except OSError as error:
            _report(_root(), error.strerror or str(error))


def _new_cache(function: Any) -> Any:
    try:
        return _Cache(function)
    except RuntimeError as error:  # numba found no place
        _report(_root(), str(error))
        return caching.NullCache()


def _no_cache(function: Any) -> Any:
    return caching.NullCache()


def _is_whole(path: str) -> bool:
    size = _DIGEST().digest_size
    try:
        content = Path(path).read_bytes()
    except OSError:
        return False
    return _DIGEST(content[:-size]).digest() == content[-size:]


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
    """Log, once for each reason, that machine code cannot be kept."""
    _log.warning(
        "compiled code cannot be kept in %s (%s): it is compiled anew in each process. Make room, or name "
        "another folder in the environment variable NUMBA_CACHE_DIR",
        folder,
        reason,
    )
