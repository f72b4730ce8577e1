import importlib.util
from pathlib import Path


def test_a_batch_whose_state_is_damaged_refuses_or_gives_the_same():
    """A seeded part of what ``python tests/workflows/fuzz_state.py 600`` does."""
    path = Path(__file__).with_name("fuzz_state.py")
    spec = importlib.util.spec_from_file_location("fuzz_state", path)
    fuzz_state = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(fuzz_state)
    counts, failures = fuzz_state.fuzz(25, 1)
    assert not failures
    assert counts["same"] > 10
    assert counts["refused"] > 1
