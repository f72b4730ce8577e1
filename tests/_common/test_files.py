import subprocess
import sys

import pytest

from objclass._common.checks import ObjclassError
from objclass._common.files import check_name, check_writable, remove_unfinished, replacing


def test_the_old_content_stays_until_the_end(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("old")
    with replacing(path) as temporary:
        temporary.write_text("new")
        assert temporary.parent == path.parent
        assert path.read_text() == "old"
    assert path.read_text() == "new"
    assert list(tmp_path.iterdir()) == [path]


def test_after_an_error_nothing_has_changed(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("old")
    with pytest.raises(RuntimeError, match="disk full"), replacing(path) as temporary:  # noqa: PT012
        temporary.write_text("ne")
        raise RuntimeError("disk full")
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.skipif(sys.platform == "win32", reason="the system allows other names")
def test_names_that_no_file_can_have_are_refused(tmp_path):
    for name, reason in (("a" * 300, "File name too long"), ("a\0b", "embedded null")):
        with pytest.raises(ObjclassError, match=f"out: expected a name that a file can have, got .*{reason}"):
            check_name(tmp_path / name, argument="out")
        with pytest.raises(ObjclassError, match=reason), replacing(tmp_path / name):
            pass
    assert check_name(tmp_path / "not" / "there") == tmp_path / "not" / "there"


def test_after_a_crash_the_old_file_is_whole(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("old")
    code = (
        "import os, sys; from objclass._common.files import replacing\n"
        "with replacing(sys.argv[1]) as temporary:\n    temporary.write_text('ne'); os._exit(3)"
    )
    assert subprocess.run([sys.executable, "-c", code, str(path)]).returncode == 3
    assert path.read_text() == "old"


def test_folders_take_the_place_of_folders(tmp_path):
    path = tmp_path / "a.zarr"
    for content in ("first", "second"):
        with replacing(path) as temporary:
            temporary.mkdir()
            (temporary / content).touch()
    assert [file.name for file in path.iterdir()] == ["second"]
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_comes_back_when_its_successor_is_missing(tmp_path):
    path = tmp_path / "a.zarr"
    path.mkdir()
    (path / "old").touch()
    with pytest.raises(OSError, match=r"a\.zarr"), replacing(path):
        pass
    assert (path / "old").exists()


def test_a_link_stays_a_link(tmp_path):
    real = tmp_path / "real.txt"
    real.touch()
    link = tmp_path / "link.txt"
    try:
        link.symlink_to(real)
    except OSError:
        pytest.skip("links are not allowed here")
    with replacing(link) as temporary:
        temporary.write_text("new")
    assert link.is_symlink()
    assert real.read_text() == "new"


def test_a_link_to_another_folder_or_nowhere_is_not_written_through(tmp_path):
    folder = tmp_path / "folder"
    folder.mkdir()
    (tmp_path / "precious.txt").write_text("precious")
    for name in ("precious.txt", "nothing.txt"):
        link = folder / f"to_{name}"
        try:
            link.symlink_to(tmp_path / name)
        except OSError:
            pytest.skip("links are not allowed here")
        with pytest.raises(FileExistsError, match="symbolic link"), replacing(link) as temporary:
            temporary.write_text("new")
    loop = folder / "loop"
    loop.symlink_to("loop")
    with pytest.raises(FileExistsError, match="symbolic link"), replacing(loop) as temporary:
        temporary.write_text("new")
    assert (tmp_path / "precious.txt").read_text() == "precious"
    assert not (tmp_path / "nothing.txt").exists()


def test_a_folder_does_not_replace_a_file_nor_a_file_a_folder(tmp_path):
    file, folder = tmp_path / "file", tmp_path / "folder"
    file.write_text("precious")
    folder.mkdir()
    with pytest.raises(FileExistsError, match="the name of a folder"), replacing(file) as temporary:
        temporary.mkdir()
    with pytest.raises(FileExistsError, match="the name of a file"), replacing(folder) as temporary:
        temporary.touch()
    assert file.read_text() == "precious"
    assert sorted(tmp_path.iterdir()) == [file, folder]


@pytest.mark.skipif(sys.platform == "win32", reason="permissions of POSIX systems")
def test_permissions_stay(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("old")
    path.chmod(0o640)
    with replacing(path) as temporary:
        temporary.write_text("new")
    assert path.stat().st_mode & 0o777 == 0o640


def test_a_name_of_the_greatest_length_can_be_replaced(tmp_path):
    path = tmp_path / f"{'a' * 247}.ome.tif"
    with replacing(path) as temporary:
        assert temporary.name.endswith(".ome.tif")
        temporary.write_text("new")
    assert path.read_text() == "new"


def test_only_own_unfinished_files_are_removed(tmp_path):
    own = tmp_path / f".objclass-unfinished-{'0' * 32}.ome.tif"
    others = [tmp_path / name for name in (".env", ".0123abcd.a.tif", ".objclass-unfinished-mine.txt")]
    for path in (own, *others):
        path.touch()
    remove_unfinished(tmp_path)
    assert sorted(tmp_path.iterdir()) == sorted(others)


def test_check_writable_names_the_argument(tmp_path):
    check_writable(tmp_path)
    with pytest.raises(FileNotFoundError, match="out: expected a place in an existing folder"):
        check_writable(tmp_path / "none", argument="out")
    assert not list(tmp_path.iterdir())
