import importlib
import os
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor

import numba
import pytest

from objclass._common.code_cache import _root, code_cache, source_key

CALLER = """
from objclass._common.parallel import kernel
from .called import add

@kernel
def caller(x):
    return add(x)
"""
CALLED = """
from objclass._common.parallel import kernel

@kernel
def add(x):
    return x + {}
"""


@pytest.fixture
def package(tmp_path):
    folder = tmp_path / "loops"
    folder.mkdir()
    (folder / "__init__.py").touch()
    (folder / "caller.py").write_text(CALLER)
    (folder / "called.py").write_text(CALLED.format(1))
    return folder


@pytest.fixture
def load(tmp_path, monkeypatch):
    """Import a package anew, which knows of what was compiled only from disk, and return its function."""
    monkeypatch.setattr(numba.config, "CACHE_DIR", str(tmp_path / "cache"))

    def load(package):
        for name in [name for name in sys.modules if name.partition(".")[0] == package.name]:
            monkeypatch.delitem(sys.modules, name)
        monkeypatch.syspath_prepend(package.parent)
        return importlib.import_module(f"{package.name}.caller").caller

    _root.cache_clear()
    yield load
    _root.cache_clear()


@pytest.fixture
def call(load):
    """Load a package and call its function."""

    def call(package):
        caller = load(package)
        return caller(1), sum(caller.stats.cache_hits.values())

    return call


def run(package, code, **environment):
    environment = {**os.environ, "PYTHONPATH": str(package.parent), **environment}
    command = [sys.executable, "-c", code]
    return subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout.split()


def test_a_change_in_a_called_function_is_seen(package, tmp_path, call):
    code = "from loops.caller import caller; print(caller(1), sum(caller.stats.cache_hits.values()))"
    assert run(package, code, NUMBA_CACHE_DIR=str(tmp_path / "cache")) == ["2", "0"]
    assert call(package) == (2, 1)
    (package / "called.py").write_text(CALLED.format(100))
    assert call(package) == (101, 0)


def test_a_copy_of_the_sources_elsewhere_finds_their_code(package, tmp_path, call):
    assert call(package) == (2, 0)
    copy = tmp_path / "elsewhere" / package.name
    shutil.copytree(package, copy)
    os.utime(copy / "caller.py", (0, 0))
    assert call(copy) == (2, 1)
    (copy / "called.py").write_text(CALLED.format(100))
    assert call(copy) == (101, 0)


def test_damaged_code_is_compiled_anew_and_kept_again(package, tmp_path, call):
    assert call(package) == (2, 0)
    damages = {
        ".nbi cut": lambda path, content: path.write_bytes(content[: len(content) // 2]),
        ".nbi garbage": lambda path, _: path.write_bytes(b"garbage" * 100),
        ".nbi unreadable": lambda path, _: path.symlink_to(path),
        ".nbc one byte": lambda path, content: path.write_bytes(
            content[: (middle := len(content) // 2)] + bytes([content[middle] ^ 1]) + content[middle + 1 :]
        ),
        ".nbc a folder": lambda path, _: path.mkdir(),
    }
    for damage, harm in damages.items():
        [path] = (tmp_path / "cache").rglob(f"caller.caller*{damage.split()[0]}")
        content = path.read_bytes()
        path.unlink()
        harm(path, content)
        damaged = path.read_bytes() if path.is_file() else b""
        assert call(package) == (2, 0), damage
        assert path.is_dir() or path.read_bytes() != damaged, damage
    path.rmdir()
    call(package)
    assert call(package) == (2, 1)


@pytest.mark.skipif(sys.platform == "win32", reason="needs a limit of the system")
def test_on_a_full_disk_functions_compile_and_it_is_said_once(package, tmp_path):
    code = """
import resource
from loops.caller import caller
resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))
print(caller(1), caller(1.5))
"""
    environment = {
        **os.environ,
        "PYTHONPATH": str(package.parent),
        "NUMBA_CACHE_DIR": str(tmp_path / "cache"),
    }
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, check=True, capture_output=True, text=True
    )
    assert done.stdout.split() == ["2", "2.5"]
    assert done.stderr.count(f"compiled code cannot be kept in {tmp_path / 'cache'} (") == 1
    assert "NUMBA_CACHE_DIR" in done.stderr


def test_without_a_folder_to_write_to_functions_still_compile(package, tmp_path, call, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setattr(numba.config, "CACHE_DIR", str(tmp_path / "file" / "cache"))
    assert call(package) == (2, 0)
    assert call(package) == (2, 1)  # kept in a folder of this process
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "file" / "temporary"))
    _root.cache_clear()
    assert call(package) == (2, 0)
    assert call(package) == (2, 0)


def test_the_key_names_the_folder_and_changes_with_any_file_in_it(package):
    def key():
        return source_key(str(package / "caller.py"))

    before = key()
    assert before.startswith("loops-")
    assert key() == before
    (package / "called.py").write_text(CALLED.format(2))
    assert key() != before


def test_numba_keeps_its_own_folder_outside():
    before = numba.config.CACHE_DIR
    with code_cache("some-key"):
        assert numba.config.CACHE_DIR.endswith("some-key")
    assert before == numba.config.CACHE_DIR


def test_processes_that_start_together_compile_a_function_once(package, tmp_path):
    code = "from loops.caller import caller; caller(1); print(sum(caller.stats.cache_misses.values()))"
    environment = {"NUMBA_CACHE_DIR": str(tmp_path / "cache")}
    with ThreadPoolExecutor(3) as pool:
        misses = list(pool.map(lambda _: run(package, code, **environment), range(3)))
    assert sorted(misses) == [["0"], ["0"], ["1"]]


def test_threads_compile_functions_that_call_each_other_without_waiting_for_ever(package, load):
    caller = load(package)
    add = sys.modules["loops.called"].add
    with ThreadPoolExecutor(4) as pool:
        assert [*pool.map(lambda function: function(1), [caller, add, caller, add])] == [2, 2, 2, 2]
