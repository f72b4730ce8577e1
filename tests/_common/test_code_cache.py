import os
import subprocess
import sys

import numba
import pytest

from objclass._common.code_cache import code_cache, source_key

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


def run(package, code, **environment):
    environment = {**os.environ, "PYTHONPATH": str(package.parent), **environment}
    command = [sys.executable, "-c", code]
    return subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout.split()


def test_a_change_in_a_called_function_is_seen(package, tmp_path):
    code = "from loops.caller import caller; print(caller(1), sum(caller.stats.cache_hits.values()))"
    environment = {"NUMBA_CACHE_DIR": str(tmp_path / "cache")}
    assert run(package, code, **environment) == ["2", "0"]
    assert run(package, code, **environment) == ["2", "1"]
    (package / "called.py").write_text(CALLED.format(100))
    assert run(package, code, **environment) == ["101", "0"]


def test_without_a_folder_to_write_to_functions_still_compile(package, tmp_path):
    (tmp_path / "file").touch()
    code = "from loops.caller import caller; print(caller(1))"
    assert run(package, code, NUMBA_CACHE_DIR=str(tmp_path / "file" / "cache")) == ["2"]


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
