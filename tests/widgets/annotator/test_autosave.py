import threading
import time
import zlib

import numpy as np
import pytest
from tifffile import imwrite as imwrite_tiff

from objclass.io.images import imread
from objclass.widgets.annotator import autosave
from objclass.widgets.annotator.autosave import (
    Autosave,
    ChangedElsewhereError,
    check_save_to,
    saved_planes,
)
from objclass.widgets.annotator.scribbles import Patch, Scribbles


@pytest.fixture
def saver(tmp_path):
    scribbles = Scribbles(np.zeros((5, 30, 40), np.uint8))
    saved, failures = [], []
    path = tmp_path / "scribbles.tif"
    autosave = Autosave(path, scribbles, ndim=3, on_saved=saved.append, on_failure=failures.append)
    autosave.saved, autosave.failures, autosave.scribbles = saved, failures, scribbles
    return autosave


def paint(scribbles, z, value=2):
    scribbles.paint([Patch(0, z, 3, 4, np.full((5, 6), value + 1, np.uint16))])


def test_the_file_has_what_was_painted(saver):
    for ticket, z in enumerate([1, 3, 1, 4]):
        paint(saver.scribbles, z, value=ticket + 1)
        saver.request(ticket, [z])
        saver.flush()
        np.testing.assert_array_equal(imread(saver.path), saver.scribbles.volume)
    assert saver.saved == [0, 1, 2, 3]
    assert [path.name for path in saver.path.parent.iterdir()] == ["scribbles.tif"], (
        "nothing is left beside it"
    )


def test_a_flood_of_scribbles_is_saved_without_a_queue(saver, monkeypatch):
    writes = []
    write = Autosave._write

    def slow(self, changed):
        writes.append(changed)
        time.sleep(0.02)
        write(self, changed)

    monkeypatch.setattr(Autosave, "_write", slow)
    for ticket in range(200):
        paint(saver.scribbles, ticket % 5, value=ticket % 200 + 1)
        saver.request(ticket, [ticket % 5])
    saver.flush()
    np.testing.assert_array_equal(imread(saver.path), saver.scribbles.volume)
    assert saver.saved[-1] == 199
    assert saver.saved == sorted(saver.saved)
    assert len(writes) < 100


def test_a_ticket_comes_back_only_once_it_is_in_the_file(saver):
    seen = []

    def saved(ticket):
        seen.append((ticket, int(imread(saver.path).max())))

    saver._on_saved = saved
    for value in range(1, 30):
        paint(saver.scribbles, 2, value=value)
        saver.request(value, [2])
        time.sleep(0.003)
    saver.flush()
    assert all(ticket <= value for ticket, value in seen)
    assert seen[-1] == (29, 29)


def test_only_changed_planes_are_compressed_again(saver, monkeypatch):
    saver.request(0, range(5))
    saver.flush()
    compressed = []
    compress = autosave._compress
    monkeypatch.setattr(autosave, "_compress", lambda plane: compressed.append(1) or compress(plane))
    paint(saver.scribbles, 3)
    saver.request(1, {3})
    saver.flush()
    assert len(compressed) == 1
    np.testing.assert_array_equal(imread(saver.path), saver.scribbles.volume)


def test_somebody_elses_change_is_not_written_over(saver):
    saver.request(0, range(5))
    saver.flush()
    saver.path.write_bytes(b"something else")
    paint(saver.scribbles, 1)
    saver.request(1, [1])
    saver.flush()
    assert saver.path.read_bytes() == b"something else"
    assert saver.saved == [0]
    assert isinstance(saver.failures[0], ChangedElsewhereError)
    paint(saver.scribbles, 2)
    saver.request(2, [2])
    assert saver.path.read_bytes() == b"something else", "it waits for a word"
    saver.resume()
    saver.flush()
    np.testing.assert_array_equal(imread(saver.path), saver.scribbles.volume)
    assert saver.saved == [0, 2]


def test_failed_save_is_reported_and_retried_with_the_next_scribble(saver, monkeypatch):
    def fail(*_args, **_keywords):
        raise OSError("No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr("tifffile.imwrite", fail)
        paint(saver.scribbles, 1)
        saver.request(0, [1])
        saver.flush()
    assert "No space left" in str(saver.failures[0])
    assert not saver.path.exists()
    paint(saver.scribbles, 2)
    saver.request(1, [2])
    saver.flush()
    np.testing.assert_array_equal(imread(saver.path), saver.scribbles.volume)


def test_an_interrupted_write_leaves_the_old_file(saver, monkeypatch):
    paint(saver.scribbles, 1)
    saver.request(0, [1])
    saver.flush()
    before = imread(saver.path)

    def half(beside, *_args, **_keywords):
        beside.write_bytes(b"II*")
        raise KeyboardInterrupt

    monkeypatch.setattr("tifffile.imwrite", half)
    with pytest.raises(KeyboardInterrupt):
        saver._write({1})
    np.testing.assert_array_equal(imread(saver.path), before)
    assert len(list(saver.path.parent.iterdir())) == 1


def test_a_flat_image_is_saved_flat(tmp_path):
    scribbles = Scribbles(np.zeros((1, 30, 40), np.uint8))
    saved = threading.Event()
    saver = Autosave(
        tmp_path / "flat.tif",
        scribbles,
        ndim=2,
        on_saved=lambda _: saved.set(),
        on_failure=lambda failure: None,
    )
    paint(scribbles, 0)
    saver.request(0, [0])
    assert saved.wait(10)
    np.testing.assert_array_equal(imread(saver.path), scribbles.volume[0])


def test_only_annotated_planes_are_decompressed(saver, monkeypatch):
    for z in (1, 3):
        paint(saver.scribbles, z)
    saver.request(0, [1, 3])
    saver.flush()
    decompress, decompressed = zlib.decompress, []
    monkeypatch.setattr(
        "zlib.decompress", lambda content: (decompressed.append(content), decompress(content))[1]
    )
    planes = saved_planes(saver.path, (5, 30, 40))
    assert planes is not None
    assert sorted(planes) == [1, 3]
    for z in planes:
        np.testing.assert_array_equal(planes[z], saver.scribbles.volume[z])
    assert len(decompressed) == 3, "the empty plane once"


def test_files_of_others_are_left_to_the_reader_of_images(saver, tmp_path):
    volume = saver.scribbles.volume
    axes = {"metadata": {"axes": "ZYX"}}
    for keywords in (
        axes,
        {"compression": "zlib"},
        {"compression": "zlib", "metadata": {"axes": "TYX"}},
        {"compression": "zlib", "photometric": "miniswhite", **axes},
        {"compression": "zlib", "predictor": True, **axes},
        {"compression": "zlib", "tile": (16, 16), **axes},
    ):
        imwrite_tiff(tmp_path / "other.tif", volume, **keywords)
        assert saved_planes(tmp_path / "other.tif", volume.shape) is None
    imwrite_tiff(tmp_path / "other.tif", volume.astype(np.uint16), compression="zlib")
    assert saved_planes(tmp_path / "other.tif", volume.shape) is None
    paint(saver.scribbles, 1)
    saver.request(0, [1])
    saver.flush()
    assert saved_planes(saver.path, (5, 40, 30)) is None, "of another shape"
    content = saver.path.read_bytes()
    for end in (len(content) // 2, 3, 0):
        saver.path.write_bytes(content[:end])
        assert saved_planes(saver.path, volume.shape) is None, "cut"


def test_where_to_save_is_checked(tmp_path):
    assert check_save_to(tmp_path / "a.tif") == (tmp_path / "a.tif").resolve()
    with pytest.raises(ValueError, match=r"save_to: expected a file name that ends in \.tif"):
        check_save_to(tmp_path / "a.png")
    with pytest.raises(FileNotFoundError, match="save_to: expected a place in an existing folder"):
        check_save_to(tmp_path / "nowhere" / "a.tif")


def test_a_file_that_cannot_be_written_is_refused(tmp_path, monkeypatch):
    path = tmp_path / "a.tif"
    path.touch()
    monkeypatch.setattr("os.access", lambda *_: False)
    with pytest.raises(PermissionError, match="save_to: expected a file that can be written"):
        check_save_to(path)
