"""Where numba keeps machine code: a folder for each state of the sources that it was made of.

numba compares the source file of a function with the one that it compiled, but not the files of the
functions that it calls. After an upgrade that changed only these, it would go on with the old code. Hence
a folder of its own for each state of a folder of kernels; any of them may be deleted at any time.
"""

from __future__ import annotations

import atexit
import contextlib
import functools
import hashlib
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numba

_config: Any = numba.config  # its settings come from the environment: type checkers do not see them


@contextlib.contextmanager
def code_cache(key: str) -> Iterator[None]:
    """Within this context, numba caches the functions that are decorated in a folder for `key`."""
    before = _config.CACHE_DIR
    _config.CACHE_DIR = str(cache_folder(key))
    try:
        yield
    finally:
        _config.CACHE_DIR = before


def cache_folder(key: str) -> Path:
    """Return the folder for what is compiled under `key`."""
    return _root() / key


def source_key(path: str) -> str:
    """Return a name for the state of the folder of kernels that the Python file at `path` lies in."""
    folder = Path(path).parent
    digest = hashlib.sha256()
    for source in sorted(folder.glob("*.py")):  # none for a function that was typed at a prompt
        digest.update(source.read_bytes())
    return f"{folder.name}-{digest.hexdigest()[:16]}"


@functools.cache
def _root() -> Path:
    """Return numba's folder if the user chose one, or the user's cache; one of this process if need be."""
    from platformdirs import user_cache_path

    chosen = _config.CACHE_DIR
    folder = Path(chosen) if chosen else user_cache_path("objclass", appauthor=False) / "compiled"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=folder).close()
        return folder
    except OSError:
        # Without any folder numba would refuse to compile.
        temporary = tempfile.mkdtemp(prefix="objclass-")
        atexit.register(shutil.rmtree, temporary, ignore_errors=True)
        return Path(temporary)
