import subprocess
import sys

import pytest

from objclass.workflows.compilation import warmup


def test_warmup_reports_and_can_be_stopped():
    steps = []

    def stop_at_second(done, total):
        steps.append((done, total))
        if done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        warmup(progress=stop_at_second)
    assert [done for done, _ in steps] == [1, 2]
    assert steps[0][1] > 2


@pytest.mark.slow
def test_after_warmup_nothing_is_left_to_compile(tmp_path):
    code = f"""
import sys
from objclass.cli import main
from objclass._common.compiling import notify_compiling
from objclass.workflows.compilation import warmup
warmup(progress=False)
with notify_compiling(lambda _: sys.exit("something was left"), after=0):
    main(["demo", "--out", {str(tmp_path / "demo")!r}, "--size", "32", "96", "96"])
"""
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)


def test_splitting_ahead_compiles_all_that_splitting_needs():
    code = """
from objclass.objects import splitting
from objclass.workflows.compilation import _splitting
_splitting()
kernels = [value for value in vars(splitting).values() if hasattr(value, "overloads")]
assert len(kernels) > 5
assert [kernel.__name__ for kernel in kernels if not kernel.overloads] == []
"""
    subprocess.run([sys.executable, "-W", "ignore", "-c", code], check=True)


def test_measuring_ahead_compiles_each_function_once():
    code = """
from objclass.measurement import counting, measuring
from objclass.workflows.compilation import _measuring
_measuring()
kernels = [each for module in (counting, measuring) for each in vars(module).values()]
assert {len(kernel.signatures) for kernel in kernels if hasattr(kernel, "overloads")} == {0, 1}
"""
    subprocess.run([sys.executable, "-W", "ignore", "-c", code], check=True)
