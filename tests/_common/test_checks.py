"""One family of errors, of which each is also of the built-in kind that callers expect."""

import pickle

import numpy as np
import pytest

import objclass
from objclass._common.checks import (
    ObjclassError,
    as_array,
    channel_numbers,
    check_image,
    check_labels,
    check_spacing,
    invalid,
)

KINDS = [
    ValueError,
    TypeError,
    FileNotFoundError,
    FileExistsError,
    PermissionError,
    BlockingIOError,
    ConnectionError,
    RuntimeError,
    ImportError,
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


@pytest.mark.parametrize("spatial_shape", [None, (40, 50)])
def test_colours_come_first(spatial_shape):
    picture = np.zeros((40, 50, 3), np.uint8)
    with pytest.raises(
        ValueError, match=r"channels first, \(c, y, x\).*numpy\.moveaxis\(image, -1, 0\)"
    ) as error:
        check_image(picture, spatial_shape)
    assert "\n" not in str(error.value)
    assert check_image(np.zeros((40, 50, 3), np.uint16)).shape == (1, 40, 50, 3)


@pytest.mark.parametrize(
    ("dtype", "hint"), [(float, r"labels\.astype\(int\)"), (bool, r"skimage\.measure\.label")]
)
def test_labels_of_another_type(dtype, hint):
    with pytest.raises(TypeError, match=f"labels: expected an integer array.*{hint}"):
        check_labels(np.zeros((4, 4), dtype))


@pytest.mark.parametrize("spacing", [0, -1.0, float("nan"), (1, 2)])
def test_one_voxel_size_for_all_axes(spacing):
    assert check_spacing(0.5, 1) == (0.5,)
    with pytest.raises(ValueError, match="spacing: expected a positive number, got"):
        check_spacing(spacing, 1)


@pytest.mark.parametrize("name", ["1", "DNA"])
def test_a_name_that_two_channels_have_is_refused_also_where_it_could_be_a_number(name):
    with pytest.raises(ObjclassError, match="the name of one channel"):
        channel_numbers(name, [name, name, "2"], 3)


class Named(np.ndarray):
    """An array whose axes have names, as those of xarray."""

    dims: tuple[str, ...] = ()


@pytest.mark.parametrize(
    ("dims", "shape", "message"),
    [
        ("zyx", (2, 3, 4), None),
        ("CZYX", (2, 2, 3, 4), None),
        ("tyx", (1, 3, 4), None),
        ("yxc", (3, 4, 3), None),
        (("row", "column"), (3, 4), None),
        ("xyz", (4, 3, 2), r"labels: expected axes .*\(z, y, x\).*got axes \(x, y, z\)\. .*'z', 'y', 'x'"),
        ("yxc", (3, 4, 2), r"expected axes in the order \(y, x\), after channels, got axes \(y, x, c\)"),
        ("xyc", (4, 3, 3), r"got axes \(x, y, c\)"),
        ("tyx", (2, 3, 4), r"expected one time point, got axes \(t, y, x\)\. .*labels\.isel\(t=0\)"),
    ],
)
def test_axes_with_names_are_in_our_order(dims, shape, message):
    array = np.zeros(shape, int).view(Named)
    array.dims = tuple(dims)
    if message is None:
        np.testing.assert_array_equal(as_array(array, argument="labels"), array)
    else:
        with pytest.raises(ObjclassError, match=message):
            as_array(array, argument="labels")
