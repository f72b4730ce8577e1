import itertools
import sys
import threading

import numpy as np
import pytest
import tifffile

from objclass.workflows.open_files import OpenFiles

_opened: list[str] = []


def _note(event, arguments):
    if event == "open" and isinstance(arguments[0], str):
        _opened.append(arguments[0])


sys.addaudithook(_note)


def n_opened(folder):
    """The number of times that files below a folder were opened since the last call."""
    found = [path for path in _opened if path.startswith(str(folder))]
    _opened.clear()
    return len(found)


def save(folder, n, shape=(4, 4)):
    paths = [str(folder / f"{number}.npy") for number in range(n)]
    for path in paths:
        np.save(path, np.zeros(shape))
    _opened.clear()
    return paths


def same(_):
    return "same"


def test_a_file_that_changes_while_it_is_open_is_read_anew(tmp_path):
    path = str(tmp_path / "i.npy")
    np.save(path, np.zeros((4, 4)))

    def state(file):
        return (tmp_path / "i.npy").stat().st_mtime_ns

    with OpenFiles() as files:
        assert files.look_at(path, state)[1] == state(None)
        with files.use(path, state) as (file, _):
            assert file.image().read().sum() == 0
        (tmp_path / "i.npy").unlink()
        np.save(path, np.ones((4, 4)))
        with files.use(path, state) as (file, _):
            assert file.image().read().sum() == 16


def test_no_more_files_are_left_open_than_asked_for(tmp_path):
    paths = save(tmp_path, 5)
    with OpenFiles(most=2) as files:
        for path in paths:
            files.look_at(path, same)
        assert (len(files._kept), n_opened(tmp_path)) == (2, 5)
        for path in paths:
            with files.use(path, same):
                assert len(files._kept) <= 2
        assert n_opened(tmp_path) == 3
    assert files._kept == {}


def test_what_opening_warns_of_is_said_whenever_a_file_is_used(tmp_path):
    tifffile.imwrite(tmp_path / "a.ome.tif", np.zeros((4, 4), np.uint8), metadata={"axes": "YX"})
    data = (tmp_path / "a.ome.tif").read_bytes().replace(b"Pixels", b"P&xels")
    (tmp_path / "a.ome.tif").write_bytes(data)
    with OpenFiles() as files:
        path = str(tmp_path / "a.ome.tif")
        files.look_at(path, lambda _: "")
        for _ in range(2):
            with pytest.warns(UserWarning, match="not valid XML"), files.use(path, lambda _: ""):
                pass


def test_files_are_left_open_while_their_headers_fit_into_memory(tmp_path):
    paths = save(tmp_path, 5, shape=(100, 2, 2))
    with OpenFiles(most_bytes=3 * (2**14 + 400 * 100)) as files:
        for path in paths:
            files.look_at(path, same)
        assert len(files._kept) == 3
        with files.use(paths[4], same), files.use(paths[0], same):
            pass
        assert files._n_bytes == sum(kept.n_bytes for kept in files._kept.values())


def test_pixels_that_opening_has_read_count_as_memory(tmp_path):
    import imagecodecs

    picture = np.full((64, 64, 4), 255, np.uint8)  # opaque: three channels are left
    for number in range(5):
        (tmp_path / f"{number}.png").write_bytes(imagecodecs.png_encode(picture))
    with OpenFiles(most_bytes=3 * (2**14 + 64 * 64 * 4)) as files:
        for number in range(5):
            files.look_at(str(tmp_path / f"{number}.png"), same)
        assert len(files._kept) == 3


def test_each_file_is_opened_once_by_a_thread_and_closed_when_it_goes_on(tmp_path):
    paths = save(tmp_path, 4)
    with OpenFiles(most=0) as files:
        for path, _ in itertools.product(paths, range(3)):
            with files.use(path, same):
                pass
            assert [*files._kept] == [path]
    assert n_opened(tmp_path) == 4


def test_two_threads_never_use_the_same_open_file(tmp_path):
    (path,) = save(tmp_path, 1)
    both = threading.Barrier(2, timeout=20)
    seen = []

    def use():
        with files.use(path, same) as (file, _):
            both.wait()
            seen.append(id(file))
            both.wait()

    with OpenFiles() as files:
        files.look_at(path, same)
        threads = [threading.Thread(target=use) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len({*seen}) == 2
        assert len(files._kept) == 1
    assert n_opened(tmp_path) == 2
