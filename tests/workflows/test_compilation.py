import subprocess
import sys

import numba
import pytest

from objclass.workflows.compilation import telling, warmup


def test_compiling_is_told_once():
    told = []
    with telling(lambda: told.append(1), after=0):
        for power in (2, 3):
            assert numba.njit(lambda x, power=power: x**power)(2) == 2**power
    assert told == [1]


def test_nothing_is_told_of_short_compiling():
    told = []
    with telling(lambda: told.append(1), after=1000):
        numba.njit(lambda x: x + 1)(2)
    assert told == []


def test_warmup_reports_and_can_be_stopped():
    steps = []

    def stop_at_second(done, total):
        steps.append((done, total))
        if done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        warmup(progress=stop_at_second)
    assert [done for done, _ in steps] == [1, 2]
    assert steps[0][1] > 2


@pytest.mark.slow
def test_after_warmup_nothing_is_left_to_compile(tmp_path):
    code = f"""
import sys
from objclass.cli import main
from objclass.workflows.compilation import telling, warmup
warmup(progress=False)
with telling(lambda: sys.exit("something was left"), after=0):
    main(["demo", "--out", {str(tmp_path / "demo")!r}, "--size", "32", "96", "96"])
"""
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
