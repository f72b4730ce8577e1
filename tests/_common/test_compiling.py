import numba

from objclass._common.compiling import notify_compiling


def test_compiling_is_reported_once():
    told = []
    with notify_compiling(lambda: told.append(1), after=0):
        for power in (2, 3):
            assert numba.njit(lambda x, power=power: x**power)(2) == 2**power
    assert told == [1]


def test_short_compiling_is_not_reported():
    told = []
    with notify_compiling(lambda: told.append(1), after=1000):
        numba.njit(lambda x: x + 1)(2)
    assert told == []
