import os

import pytest

from objclass._common import compile_ahead


@pytest.fixture
def module(tmp_path, monkeypatch):
    """A module that takes a moment and then leaves a file."""
    code = f"import time; time.sleep(0.5); open({str(tmp_path / 'done')!r}, 'x').close()"
    (tmp_path / "slow_module.py").write_text(code)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")]))
    monkeypatch.setattr(compile_ahead, "_running", {})
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    monkeypatch.delenv("OBJCLASS_WARMUP", raising=False)
    return "slow_module"


def test_it_runs_once_in_the_background_and_can_be_waited_for(module, tmp_path):
    compile_ahead.compile_ahead(module)
    compile_ahead.compile_ahead(module)  # a second one would fail: the file is there
    assert not (tmp_path / "done").exists()
    compile_ahead.wait_for_compiling()
    assert (tmp_path / "done").exists()
    assert [process.returncode for process in compile_ahead._running.values()] == [0]


def test_the_environment_and_a_single_core_stop_it(module, monkeypatch):
    monkeypatch.setenv("OBJCLASS_WARMUP", "0")
    compile_ahead.compile_ahead(module)
    monkeypatch.delenv("OBJCLASS_WARMUP")
    monkeypatch.setattr(os, "cpu_count", lambda: 1)
    compile_ahead.compile_ahead(module)
    assert not compile_ahead._running
    compile_ahead.wait_for_compiling()
