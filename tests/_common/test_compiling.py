import time

import numba
import pytest
from filelock import FileLock

from objclass._common.code_cache import compile_once
from objclass._common.compiling import notify_compiling


def test_compiling_is_reported_once():
    told = []
    with notify_compiling(told.append, after=0):
        for power in (2, 3):
            assert numba.njit(lambda x, power=power: x**power)(2) == 2**power
    assert len(told) == 1


def test_short_compiling_is_not_reported():
    told = []
    with notify_compiling(told.append, after=1000, every=0.01):
        numba.njit(lambda x: x + 1)(2)
    assert told == []


def test_compiling_is_reported_again_and_again_while_it_goes_on():
    told = []
    with notify_compiling(told.append, after=0, every=0.01):
        time.sleep(0.1)
        assert told == []
        numba.njit(lambda x: sum(range(x)) + max(x, 2))(3)
        n_told = len(told)
        time.sleep(0.1)
        assert len(told) <= n_told + 1
    assert n_told > 3
    assert told == sorted(told)


def test_waiting_for_another_process_that_compiles_is_reported(tmp_path):
    function = compile_once(numba.njit(lambda x: x + 1), tmp_path)
    told = []

    def release(seconds):
        told.append(seconds)
        if seconds > 0.2:
            other.release()

    other = FileLock(tmp_path / "<lambda>.lock", thread_local=False)
    with other, notify_compiling(release, after=0.1, every=0.02):
        assert function(2) == 3
    assert len(told) > 3
    assert told[0] == pytest.approx(0.1, abs=0.1)
