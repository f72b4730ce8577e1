import os
from pathlib import Path

import pytest
from hypothesis import settings

from tests.random_search import USUAL

settings.register_profile("usual", deadline=None, max_examples=USUAL)
settings.register_profile(
    "weekly", settings.get_profile("usual"), max_examples=10 * USUAL, derandomize=False, print_blob=True
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "usual"))

HERE = Path(__file__).resolve().parent
BROWSER = HERE / "browser"
SHARED_DATA = HERE.parents[1] / "shared" / "data"
NO_REAL_IMAGES = "the real images are not at"


def pytest_configure(config):
    config.option.loadscopereorder = False  # see pytest_collection_modifyitems


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config, items):
    """In several processes, begin with the browser, and end with examples and notebooks, which are short.

    pytest-xdist would begin with the files of most tests, and end with the longest of all.
    """
    if hasattr(config, "workerinput"):
        items.sort(key=lambda item: (item.path.parent != BROWSER, HERE not in item.path.parents))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """With ``--dist loadfile`` in two or three processes, give all browser tests to one of them.

    Each other one would start servers and a browser of its own, and the first page takes them long.
    """
    from xdist.scheduler import LoadFileScheduling

    class OneBrowser(LoadFileScheduling):
        def _split_scope(self, nodeid):
            file = super()._split_scope(nodeid)
            is_browser = (config.rootpath / file).parent == BROWSER
            return str(BROWSER) if is_browser else file

    is_meant = config.getoption("dist") == "loadfile" and config.getoption("numprocesses") in (2, 3)
    return OneBrowser(config, log) if is_meant else None


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real images that lies beside the repository."""
    if not SHARED_DATA.is_dir():
        pytest.skip(f"{NO_REAL_IMAGES} {SHARED_DATA}")
    return SHARED_DATA


@pytest.fixture(scope="session")
def apoc():
    """APOC itself, on an OpenCL device that is chosen once for all tests."""
    try:
        import apoc
        import pyclesperanto_prototype as cle
    except Exception as error:
        pytest.skip(f"APOC has no OpenCL device: {error}")
    chosen = cle.select_device(score_key=rank)
    if not rank(chosen.device):
        pytest.skip(f"{chosen} compiles nothing: install a newer OpenCL, such as Debian's pocl-opencl-icd")
    return apoc


def rank(device):
    """2 for a graphics card, 1 for another device, 0 if it compiles nothing.

    PoCL from PyPI compiles nothing on processors that are younger than it is.
    """
    import pyopencl

    try:
        pyopencl.Program(pyopencl.Context([device]), "kernel void nothing() {}").build()
    except pyopencl.Error:
        return 0
    return 2 if device.type & pyopencl.device_type.GPU else 1


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """In CI a test against APOC or in the browser that does not run has failed."""
    report = yield
    needed = any(item.iter_markers("parity")) or any(item.iter_markers("browser"))
    if os.environ.get("CI") and needed and report.skipped and not hasattr(report, "wasxfail"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        if NO_REAL_IMAGES not in reason:
            report.outcome = "failed"
            report.longrepr = f"{item.nodeid} may not be skipped in CI: {reason}"
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(collector):
    """In CI no module of tests may be skipped as a whole."""
    report = yield
    if os.environ.get("CI") and report.skipped:
        report.outcome = "failed"
        report.longrepr = f"{collector.nodeid} may not be skipped in CI: {report.longrepr}"
    return report
