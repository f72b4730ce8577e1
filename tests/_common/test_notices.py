import threading
import warnings

import pytest

from objclass._common.notices import collect, collect_of_packages, warn


def test_without_a_collector_it_warns_from_where_it_was_called() -> None:
    def outer() -> None:
        warn("Few objects.", stacklevel=2)

    with pytest.warns(UserWarning, match=r"Few objects\.") as caught:
        outer()
    assert caught[0].filename == __file__


def test_a_thread_collects_its_own_alone() -> None:
    heard: list[str] = []
    inside, done = threading.Event(), threading.Event()

    def work() -> None:
        with collect() as texts:
            inside.set()
            assert done.wait(10)
            warn("of the thread")
            warn("of the thread")
        heard.extend(texts)

    thread = threading.Thread(target=work)
    thread.start()
    assert inside.wait(10)
    with pytest.warns(UserWarning, match="of the main thread"):
        warn("of the main thread")
    done.set()
    thread.join()
    assert heard == ["of the thread"]


def test_those_of_packages_are_collected_in_their_context_alone() -> None:
    def other_thread() -> None:
        warnings.warn("of another thread", stacklevel=1)

    def packages() -> None:
        with warnings.catch_warnings():
            collect_of_packages()
            warnings.warn("did not converge", stacklevel=1)
            thread = threading.Thread(target=other_thread)
            thread.start()
            thread.join()
        warnings.warn("later", stacklevel=1)

    with pytest.warns(UserWarning, match=r"another thread|later") as caught, collect() as texts:
        packages()
    assert texts == ["did not converge"]
    assert [str(one.message) for one in caught] == ["of another thread", "later"]
