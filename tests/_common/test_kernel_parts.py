import os
import subprocess
import sys

import numba
import numpy as np
import pytest

from objclass._common.kernel_parts import PART
from objclass._common.parallel import kernel

LOOPS = """
import numpy as np
from objclass._common.parallel import kernel

@kernel(contract=True)
def shared(values, i):
    if i >= values.size:
        raise ValueError("beyond the end")
    return values[i] * values[i] + np.empty(3, np.int64).size

@kernel
def first(values):
    return shared(values, 0)

@kernel
def second(values):
    return shared(values, 1) + shared(values, 1)
"""


@kernel
def square(x):
    return x * x


@kernel
def sum_of_squares(values):
    total = 0.0
    for value in values:
        total += square(value)
    return total


def test_a_kernel_contains_what_it_calls_and_that_is_not_made_machine_code():
    values = np.arange(5.0)
    assert sum_of_squares(values) == 30
    assert not square.overloads  # a part of its caller only
    assert square(3) == 9  # and by itself where Python calls it
    assert list(square.overloads) == [(numba.int64,)]


def test_a_part_has_neither_wrapper_nor_machine_code():
    whole, part = numba.njit(square.py_func), numba.njit(square.py_func, **PART)
    for function in (whole, part):
        function.get_call_template([numba.float64], {})
    names = [
        [found.name for found in function.overloads[(numba.float64,)].library.get_defined_functions()]
        for function in (whole, part)
    ]
    assert len(names[1]) < len(names[0])
    assert not any("cpython" in name for name in names[1])
    library = part.overloads[(numba.float64,)].library
    assert library.get_pointer_to_function(names[1][0]) == 0


def test_kernels_in_several_processes_share_the_parts_on_disk(tmp_path):
    (tmp_path / "loops.py").write_text(LOOPS)
    environment = {**os.environ, "PYTHONPATH": str(tmp_path), "NUMBA_CACHE_DIR": str(tmp_path / "cache")}
    for calls, expected in [
        ("first(v)", "19.0"),
        ("second(v)", "56.0"),  # of the part that the first process compiled
        (
            "shared(v, 1), second(v.astype('f4')), first(v), second(v)",
            "28.0 56.0 19.0 56.0",
        ),  # some from disk
    ]:
        code = f"""
import numpy as np
from loops import *
v = np.array([4.0, 5.0])
print({calls})
try:
    first(v[:0])
except ValueError as error:
    print(error)
"""
        command = [sys.executable, "-c", code]
        done = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
        assert done.stdout == f"{expected}\nbeyond the end\n"


def test_with_a_numba_of_the_future_kernels_are_compiled_as_usual(monkeypatch):
    monkeypatch.setattr("objclass._common.parallel.NEWEST", (0, 0))

    @kernel
    def cube(x):
        return x * x * x

    @kernel
    def twice_the_cube(x):
        return 2 * cube(x)

    assert twice_the_cube(3) == 54
    assert list(cube.overloads) == [(numba.int64,)]


def test_an_error_in_a_part_reaches_python():
    @kernel
    def check(x):
        if x < 0:
            raise ValueError("negative")
        return x

    @kernel
    def caller(x):
        return check(x) + 1

    assert caller(1) == 2
    with pytest.raises(ValueError, match="negative"):
        caller(-1)


CALLER = """
import numba
from objclass.pixels.kernels.convolution import convolve_rows

@numba.njit
def blur(source, weights, sums, target):
    convolve_rows(source, 0, 64, weights, numba.float32(9), sums, target, 0, 64)

values = numba.types.Array(numba.float32, 1, "C")
blur.compile((values,) * 4)
print(sorted(line.split()[0] for line in blur.inspect_llvm(blur.signatures[0]).split("= ")[1:]))
"""


def test_a_part_from_disk_is_the_one_that_was_compiled(tmp_path):
    """Made machine code of, it would leave a caller in another process with loops over single values."""
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path)}
    command = [sys.executable, "-c", CALLER]
    first, second = (
        subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout
        for _ in range(2)
    )
    assert "fmul" in first
    assert second == first
