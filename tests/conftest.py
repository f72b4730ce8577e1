import os
from pathlib import Path

import pytest
from hypothesis import settings

settings.register_profile("objclass", deadline=None)
settings.load_profile("objclass")

HERE = Path(__file__).resolve().parent
SHARED_DATA = HERE.parents[1] / "shared" / "data"
NO_REAL_IMAGES = "the real images are not at"


def pytest_configure(config):
    config.option.loadscopereorder = False  # see pytest_collection_modifyitems


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config, items):
    """In several processes, files that wait for a browser go beside files that compute, and short ones last.

    pytest-xdist would begin with the files of most tests, and end with the longest of all.
    """
    if not hasattr(config, "workerinput"):
        return
    files = {}
    for item in items:
        files.setdefault(item.path, []).append(item)
    tests = [path for path in files if HERE in path.parents]
    waiting = [path for path in tests if path.parent == HERE / "browser"]
    computing = [path for path in tests if path not in waiting]
    place = {
        path: (number + 0.5) / len(part) for part in (waiting, computing) for number, path in enumerate(part)
    }
    ordered = sorted(files, key=lambda path: place.get(path, 1))
    items[:] = [item for path in ordered for item in files[path]]


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
