"""The picture that a saved notebook keeps of a widget."""

import time

import pytest

from objclass.widgets import saved_picture


class State:
    """What is drawn, how often, and what was published."""

    def __init__(self):
        self.value, self.drawn, self.published = b"0", 0, []

    def draw(self):
        self.drawn += 1
        if self.value == b"broken":
            raise RuntimeError("it changes just now")
        return self.value


@pytest.fixture
def state(monkeypatch):
    import IPython.display
    from IPython.core.interactiveshell import InteractiveShell

    state = State()
    monkeypatch.setattr(saved_picture, "QUIET", 0.1)
    monkeypatch.setattr(InteractiveShell, "initialized", lambda: True)

    def publish(data, transient=None, update=False):
        if "image/png" in data:
            state.published.append((data["image/png"], transient, update))

    monkeypatch.setattr(IPython.display, "publish_display_data", publish)
    return state


def wait(condition):
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_it_is_drawn_once_after_many_changes(state):
    picture = saved_picture.SavedPicture(state.draw)
    picture.touch()
    picture.show()
    assert state.drawn == 1
    for value in range(1, 30):
        state.value = str(value).encode()
        picture.touch()
        time.sleep(0.01)
    wait(lambda: len(state.published) == 2)
    (_, first, update), (last, second, again) = state.published
    assert (last, update, again) == (b"29", False, True)
    assert first == second
    assert state.drawn <= 3


def test_what_is_the_same_is_not_sent_again_and_a_failure_is_not_the_end(state):
    picture = saved_picture.SavedPicture(state.draw)
    picture.show()
    picture.touch()
    wait(lambda: state.drawn == 2)
    state.value = b"broken"
    picture.touch()
    wait(lambda: state.drawn == 3)
    state.value = b"1"
    picture.touch()
    wait(lambda: state.drawn == 4)
    assert [data for data, *_ in state.published] == [b"0", b"1"]
    state.value = b"2"
    picture.touch()
    picture.close()
    time.sleep(0.3)
    assert len(state.published) == 2


def test_a_quick_one_comes_first(state):
    picture = saved_picture.SavedPicture(state.draw, first=lambda: b"quick")
    picture.show()
    wait(lambda: len(state.published) == 2)
    assert [data for data, *_ in state.published] == [b"quick", b"0"]
