import numpy as np
import pytest

from objclass.io.info import to_micrometres


@pytest.mark.parametrize(
    ("unit", "micrometres"),
    [
        ("m", 1e6),
        ("cm", 1e4),
        ("mm", 1e3),
        ("µm", 1),
        ("μm", 1),
        ("um", 1),
        ("Microns", 1),
        ("micrometre", 1),
        ("nm", 1e-3),
        ("nanometers", 1e-3),
        ("Å", 1e-4),
        ("Angstrom", 1e-4),
        ("pm", 1e-6),
    ],
)
def test_lengths_in_micrometres(unit, micrometres):
    assert to_micrometres(2, unit) == pytest.approx(2 * micrometres, rel=1e-12)
    assert to_micrometres("-2,5", f" {unit}\0") == pytest.approx(2.5 * micrometres, rel=1e-12)


@pytest.mark.parametrize("unit", ["inch", "pixel", None, "", "furlong"])
def test_what_is_no_unit_of_a_voxel_size(unit):
    assert to_micrometres(2, unit) is None


@pytest.mark.parametrize("value", [0, np.inf, np.nan, None, "wide"])
def test_what_is_no_voxel_size(value):
    assert to_micrometres(value, "um") is None
