import threading
import time

import pytest

from objclass._common import parallel


@pytest.fixture(autouse=True)
def four_threads(monkeypatch):
    monkeypatch.setattr(parallel, "n_threads", lambda: 4)
    monkeypatch.setattr(parallel, "_pool", None)


def test_results_come_in_the_order_of_the_items():
    def slow_first(item):
        time.sleep(0.02 * (item == 0))
        return -item

    assert parallel.map_tiles(slow_first, range(20)) == [-item for item in range(20)]


def test_an_item_starts_once_the_items_that_it_needs_are_done():
    done, too_early, lock = set(), [], threading.Lock()
    needs = [0, 0, 0, 0, 2, 2, 4, 4, 8, 8]

    def note(item):
        with lock:
            if not set(range(needs[item])) <= done:
                too_early.append(item)
        time.sleep(0.01 * (item % 2))
        with lock:
            done.add(item)

    parallel.map_tiles(note, range(len(needs)), needs=needs)
    assert done == set(range(len(needs)))
    assert not too_early


def test_progress_reaches_its_end_though_tiles_are_done_while_it_is_told():
    told = []

    def tell(done, total):
        told.append((done, total))
        time.sleep(0.02)

    parallel.map_tiles(str, range(8), progress=tell)
    assert told == [(done, 8) for done in range(1, 9)]


def test_an_error_stops_what_has_not_begun():
    begun = []

    def fail(item):
        begun.append(item)
        raise KeyError(item)

    with pytest.raises(KeyError):
        parallel.map_tiles(fail, range(1000))
    assert len(begun) < 20


def test_progress_is_reported_by_the_caller():
    calls = []

    def report(done, total):
        calls.append((done, total, threading.current_thread()))

    parallel.map_tiles(str, range(5), progress=report)
    assert calls == [(number, 5, threading.current_thread()) for number in range(1, 6)]


def test_a_kernel_is_the_plain_function_where_numba_is_switched_off(monkeypatch):
    monkeypatch.setattr("numba.config.DISABLE_JIT", 1)
    assert parallel.kernel(len) is len
