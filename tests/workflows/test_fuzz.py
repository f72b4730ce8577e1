import importlib.util
from pathlib import Path

import pytest


@pytest.fixture
def fuzz(request):
    """The function `fuzz` of a script beside this file."""
    path = Path(__file__).with_name(f"{request.param}.py")
    spec = importlib.util.spec_from_file_location(request.param, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.fuzz


@pytest.mark.parametrize("fuzz", ["fuzz_state"], indirect=True)
def test_a_batch_whose_state_is_damaged_refuses_or_gives_the_same(fuzz):
    """A seeded part of what ``python tests/workflows/fuzz_state.py 600`` does."""
    counts, failures = fuzz(25, 1)
    assert not failures
    assert counts["same"] > 10
    assert counts["refused"] > 1


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("fuzz", ["fuzz_records"], indirect=True)
def test_an_altered_record_is_refused_or_not_identical(fuzz):
    """A seeded part of what ``python tests/workflows/fuzz_records.py 600`` does."""
    counts, failures = fuzz(20, 0)
    assert not failures
    assert min(counts.values()) > 1
