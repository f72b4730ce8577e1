import importlib.util
import sys
from pathlib import Path

import pytest


@pytest.mark.skipif(sys.platform == "win32", reason="the system does not tell the peak of memory")
@pytest.mark.parametrize("write", ["write_examples", "write_classifiers"])
def test_damaged_files_are_read_or_refused(tmp_path, monkeypatch, write):
    """A seeded part of what ``python tests/io/fuzz_images.py 3000`` does."""
    monkeypatch.syspath_prepend(Path(__file__).parent)  # where the process that reads finds it as well
    spec = importlib.util.find_spec("fuzz_images")
    fuzz_images = importlib.util.module_from_spec(spec)
    sys.modules["fuzz_images"] = fuzz_images
    spec.loader.exec_module(fuzz_images)
    counts, failures = fuzz_images.fuzz(150, 1, str(tmp_path), getattr(fuzz_images, write))
    assert not failures
    assert counts["read"] + counts["refused"] == 150
    assert min(counts.values()) > 10
