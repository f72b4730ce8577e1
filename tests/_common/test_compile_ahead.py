import os
import sys

import pytest

from objclass._common import code_cache, compile_ahead
from objclass._common.compile_ahead import compile_ahead_in_notebook, wait_for_compiling


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Where a module that takes a moment for each step leaves a file for each."""
    code = """
import pathlib, sys, time
for step in sys.argv[1:]:
    time.sleep(0.3)
    pathlib.Path(__file__).with_name(step).touch(exist_ok=False)
    print(step, flush=True)
"""
    (tmp_path / "slow_module.py").write_text(code)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")]))
    monkeypatch.setattr(compile_ahead, "STEPS", "slow_module")
    monkeypatch.setattr(compile_ahead, "_running", [])
    monkeypatch.setattr(compile_ahead, "_begun", set())
    monkeypatch.setattr(code_cache, "_root", lambda: tmp_path)
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    monkeypatch.delenv("OBJCLASS_WARMUP", raising=False)
    yield tmp_path
    compile_ahead._stop()


def test_steps_are_compiled_once_in_the_background_and_can_be_waited_for(folder):
    assert compile_ahead.compile_ahead("first", "second")
    assert not compile_ahead.compile_ahead("second")
    assert not (folder / "first").exists()
    wait_for_compiling("first")
    assert (folder / "first").exists()
    assert not (folder / "second").exists()
    wait_for_compiling("second")
    assert (folder / "second").exists()
    wait_for_compiling("never begun")


def test_what_is_compiled_on_this_machine_is_not_compiled_again(folder):
    code_cache.mark_compiled("first")
    assert not compile_ahead.compile_ahead("first")


def test_waiting_ends_with_a_process_that_fails(folder):
    (folder / "first").touch()
    assert compile_ahead.compile_ahead("first", "second")
    wait_for_compiling("second")
    assert not (folder / "second").exists()


def test_the_environment_and_a_single_core_stop_it(folder, monkeypatch):
    monkeypatch.setenv("OBJCLASS_WARMUP", "0")
    assert not compile_ahead.compile_ahead("first")
    monkeypatch.delenv("OBJCLASS_WARMUP")
    monkeypatch.setattr(os, "cpu_count", lambda: 1)
    assert not compile_ahead.compile_ahead("first")


def test_notebooks_show_one_message(folder, monkeypatch, capsys):
    compile_ahead_in_notebook("first")
    assert capsys.readouterr() == ("", "")
    monkeypatch.setitem(sys.modules, "ipykernel", sys)
    compile_ahead_in_notebook("first")
    compile_ahead_in_notebook("first")
    assert capsys.readouterr().out.count("OBJCLASS_WARMUP=0") == 1
