import numpy as np
import pytest

import objclass
from objclass import chunked
from objclass._common.sizes import Size, parse_size, weighted_median


@pytest.mark.parametrize(
    ("text", "size"),
    [
        (20, Size(20)),
        (2.5, Size(2.5)),
        ("20", Size(20)),
        ("4um3", Size(4, "um", 3)),
        (" 4 µm³ ", Size(4, "µm", 3)),
        ("0.5 mm^2", Size(0.5, "mm", 2)),
        ("10%", Size(10, "%")),
    ],
)
def test_sizes_are_read_as_written(text, size):
    assert parse_size("min_size", text) == size


@pytest.mark.parametrize(
    "bad", ["", "four", "4 um", "-4 um3", "4 km3", "1e9%", "nan", -1, None, True, np.nan]
)
def test_what_is_no_size_is_refused(bad):
    with pytest.raises(ValueError, match=r"min_size: expected a (size|number)"):
        parse_size("min_size", bad)


def test_physical_sizes_are_volumes_in_3d_and_areas_in_2d():
    assert parse_size("min_size", "1000000 nm3").in_voxels("min_size", (0.1, 0.1, 0.1), 3) == pytest.approx(1)
    assert parse_size("min_size", "1 mm2").in_voxels("min_size", (100, 100), 2) == pytest.approx(100)
    with pytest.raises(ValueError, match=r"min_size: expected an area, as in um2, for 2 axes, got 4 um3"):
        parse_size("min_size", "4 um3").in_voxels("min_size", (1, 1), 2)
    with pytest.raises(ValueError, match=r"min_size: .*no voxel size\. Pass spacing="):
        parse_size("min_size", "4 um3").in_voxels("min_size", None, 3)


def test_half_of_the_weight_lies_at_or_below_the_median():
    assert weighted_median(np.array([5, 1, 3]), np.array([1, 1, 1])) == 3
    assert weighted_median(np.array([5, 1, 3]), np.array([9, 1, 1])) == 5
    assert weighted_median(np.array([]), np.array([])) == 0


@pytest.mark.parametrize("module", [objclass, chunked])
def test_objects_are_chosen_by_size_in_any_unit(module):
    labels = np.array([[1, 0, 2, 2, 0, 3, 3, 3, 0, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4]])
    sizes = {1: 1, 2: 2, 3: 3, 4: 10}

    def kept(result):
        return set(np.unique(np.asarray(result)[np.asarray(result) > 0]).tolist())

    options = {"relabel": False}
    assert kept(module.exclude_small(labels, "0.5 um2", spacing=0.5, **options)) == {2, 3, 4}
    assert kept(module.exclude_small(labels, "0.5 um2", spacing=(1, 0.2), **options)) == {3, 4}
    assert kept(module.exclude_large(labels, "0.75 um2", spacing=0.5, **options)) == {1, 2, 3}
    assert kept(module.exclude_small(labels, "25%", **options)) == {n for n, s in sizes.items() if s >= 2.5}
    with pytest.raises(ValueError, match="max_size: expected a size"):
        module.exclude_large(labels, "4 um")
    with pytest.raises(ValueError, match=r"min_size: .*no voxel size"):
        module.exclude_small(labels, "4 um2")
