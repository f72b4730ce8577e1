import threading

from objclass.widgets.latest import Latest


def test_only_the_newest_waiting_job_of_a_kind_runs():
    done, dropped = [], []
    gate, started = threading.Event(), threading.Event()
    latest = Latest(lambda kind, failure: None)

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
    assert latest.busy
    gate.set()
    latest.join(10)
    assert done == ["first", 4, "show"]
    assert dropped == [0, 1, 2, 3]
    assert not latest.busy


def test_a_failure_is_handed_on_and_the_next_job_is_done():
    failures, done = [], []
    latest = Latest(lambda kind, failure: failures.append((kind, str(failure))))

    def fail():
        raise ValueError("one class only")

    latest.submit("train", fail)
    latest.join(10)
    latest.submit("show", lambda: done.append(1))
    latest.join(10)
    assert failures == [("train", "one class only")]
    assert done == [1]
