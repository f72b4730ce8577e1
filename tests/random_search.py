"""How many examples a test at random tries."""

from hypothesis import settings

USUAL = 100
"""The number of examples of a test that names none; a run with more (weekly) has more of all tests."""


def examples(count, **options):
    """Settings of a test that is to try `count` examples in a usual run."""
    return settings(max_examples=count * settings.default.max_examples // USUAL, **options)
