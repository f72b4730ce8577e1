import threading
import time
from functools import partial

import pytest

from objclass.widgets.background import Latest, Worker


def test_only_the_newest_waiting_job_of_a_kind_runs():
    done, dropped = [], []
    gate, started = threading.Event(), threading.Event()
    latest = Latest(lambda failure: None)

    def first():
        started.set()
        gate.wait(10)
        done.append("first")

    latest.submit("train", first)
    assert started.wait(10)
    for number in range(5):
        latest.submit(
            "train", lambda number=number: done.append(number), dropped=lambda n=number: dropped.append(n)
        )
    latest.submit("show", lambda: done.append("show"))
    assert latest.waits("train")
    gate.set()
    latest.join(10)
    assert done == ["first", 4, "show"]
    assert dropped == [0, 1, 2, 3]
    assert not latest.waits("train")


@pytest.mark.parametrize("kind", ["latest", "worker"])
def test_a_thread_that_another_one_is_about_to_start_is_waited_for(monkeypatch, kind):
    done, begun, start = [], threading.Event(), threading.Thread.start

    def start_late(thread):
        if thread.name.startswith("objclass"):
            begun.set()
            time.sleep(0.2)
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", start_late)
    if kind == "latest":
        jobs = Latest(lambda failure: None)
        submit = partial(jobs.submit, "show", lambda: done.append(1))
    else:
        jobs = Worker(lambda task: None, lambda failure: None)
        submit = partial(jobs.start, "show", lambda progress: 1, done.append)
    threading.Thread(target=submit).start()
    assert begun.wait(10)
    jobs.join(10)
    assert done == [1]


def test_a_failure_is_handed_on_and_the_next_job_is_done():
    failures, done = [], []
    latest = Latest(lambda failure: failures.append(str(failure)))

    def fail():
        raise ValueError("one class only")

    latest.submit("train", fail)
    latest.join(10)
    latest.submit("show", lambda: done.append(1))
    latest.join(10)
    assert failures == ["one class only"]
    assert done == [1]
