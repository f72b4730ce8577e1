"""Where numba keeps machine code: a folder for each state of the sources that it was made of.

numba compares the source file of a function with the one that it compiled, but not the files of the
functions that it calls. After an upgrade that changed only these, it would go on with the old code. Hence
a folder of its own for each state; any of them may be deleted at any time.
"""

from __future__ import annotations

import ast
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
    _config.CACHE_DIR = str(_root() / key)
    try:
        yield
    finally:
        _config.CACHE_DIR = before


def source_key(path: str) -> str:
    """Return a name for the state of the Python file at `path` and of those that it imports relatively."""
    digest = hashlib.sha256()
    for source in sorted(_with_imports(Path(path))):
        digest.update(_read(source))
    return f"{Path(path).stem}-{digest.hexdigest()[:16]}"


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


def _with_imports(path: Path) -> set[Path]:
    found: set[Path] = set()
    waiting = {path}
    while waiting:
        source = waiting.pop()
        found.add(source)
        waiting |= _relative_imports(source) - found
    return found


@functools.cache
def _read(path: Path) -> bytes:
    return path.read_bytes() if path.is_file() else b""  # a function typed at a prompt has no file


@functools.cache
def _relative_imports(path: Path) -> set[Path]:
    files = set()
    for node in ast.walk(ast.parse(_read(path))):
        if isinstance(node, ast.ImportFrom) and node.level:
            module = path.parents[node.level - 1].joinpath(*(node.module or "").split("."))
            files |= {module.with_suffix(".py"), *(module / f"{name.name}.py" for name in node.names)}
    return {file for file in files if file.is_file()}
