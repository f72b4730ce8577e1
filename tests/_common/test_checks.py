"""One family of errors, of which each is also of the built-in kind that callers expect."""

import pickle

import numpy as np
import pytest

import objclass
from objclass._common.checks import ObjclassError, invalid

KINDS = [
    ValueError,
    TypeError,
    FileNotFoundError,
    FileExistsError,
    PermissionError,
    BlockingIOError,
    ConnectionError,
    RuntimeError,
]


@pytest.mark.parametrize("kind", KINDS)
def test_an_error_is_of_the_family_and_of_its_kind(kind):
    error = invalid("size", "a number", "none", "Give one.", kind=kind)
    assert isinstance(error, ObjclassError)
    assert isinstance(error, kind)
    assert str(error) == "size: expected a number, got none. Give one."


@pytest.mark.parametrize("kind", KINDS)
def test_an_error_comes_back_from_a_worker_process(kind):
    error = invalid("size", "a number", "none", kind=kind)
    back = pickle.loads(pickle.dumps(error))
    assert (type(back), str(back)) == (type(error), str(error))


def test_errors_of_the_functions_are_of_the_family(tmp_path):
    with pytest.raises(ObjclassError, match="a file that exists"):
        objclass.imread(tmp_path / "none.tif")
    with pytest.raises(ObjclassError, match="labels: expected an integer array"):
        objclass.measure(np.zeros((4, 4)))
    (tmp_path / "a.cl").write_text("nothing")
    with pytest.raises(ObjclassError, match=r"path: expected a classifier file"):
        objclass.load_classifier(tmp_path / "a.cl")
