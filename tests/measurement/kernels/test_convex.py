"""Hull on the grid and Feret diameter from the ends of rows, against scikit-image object by object."""

import warnings

import numpy as np
import pytest
from scipy import ndimage
from skimage.measure import regionprops
from skimage.morphology import convex_hull_image

from objclass._common.kernels.outline import first_rows, row_ends
from objclass._common.parallel import read_only
from objclass.measurement.kernels.convex import is_flat, measure_hulls


def hulls_of(labels, numbers, boxes, flat, spacing=(1.0, 1.0, 1.0)):
    starts = first_rows(boxes)
    low, high = np.empty((2, starts[-1]), np.int64)
    row_ends(read_only(labels), numbers, boxes, starts, low, high)
    volumes, diameters = np.empty((2, len(numbers)))
    measure_hulls(boxes, starts, low, high, flat, np.array(spacing, float), volumes, diameters)
    return volumes, diameters, low, high


def hull_of(mask, spacing=None):
    labels = (mask if mask.ndim == 3 else mask[np.newaxis]).astype(np.int32) * 5
    spacing = (1.0,) * mask.ndim if spacing is None else spacing
    spacing = spacing if mask.ndim == 3 else (1.0, *spacing)
    box = np.array([[0, 0, 0, *labels.shape]])
    volumes, diameters = hulls_of(labels, np.array([5]), box, mask.ndim == 2, spacing)[:2]
    return volumes[0], diameters[0]


def ellipsoid(rng, ndim):
    grid = np.indices(rng.integers(3, 18, ndim))
    centre, radii = np.array(grid.shape[1:]) / 2 + rng.normal(size=ndim), rng.uniform(1, 8, ndim)
    return sum(((axis - at) / radius) ** 2 for axis, at, radius in zip(grid, centre, radii, strict=True)) <= 1


def slab(rng, ndim):
    grid = np.indices(rng.integers(3, 14, ndim))
    height = sum(axis * step for axis, step in zip(grid, rng.integers(-3, 4, ndim), strict=True))
    return abs(height - np.median(height)) < rng.integers(1, 6)


def path(rng, ndim):
    mask = np.zeros(rng.integers(4, 22, ndim), bool)
    place, step = rng.uniform(0, mask.shape), rng.normal(size=ndim)
    for _ in range(50):
        step += rng.normal(size=ndim) * 0.3
        place = np.clip(place + step / np.linalg.norm(step), 0, np.array(mask.shape) - 1)
        mask[tuple(np.round(place).astype(int))] = True
    return mask


def few_voxels(rng, ndim):
    mask = np.zeros(rng.integers(2, 15, ndim), bool)
    for _ in range(rng.integers(1, 7)):
        mask[tuple(rng.integers(0, mask.shape))] = True
    return mask


KINDS = {
    "ellipsoid": ellipsoid,
    "slab": slab,
    "path": path,
    "few voxels": few_voxels,
    "noise": lambda rng, ndim: rng.random(rng.integers(1, 9, ndim)) < rng.uniform(0.05, 0.9),
    "sponge": lambda rng, ndim: (
        ndimage.gaussian_filter(rng.normal(size=rng.integers(4, 20, ndim)), 1.5) > 0.02
    ),
    "box": lambda rng, ndim: np.ones(rng.integers(1, 8, ndim), bool),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("ndim", [2, 3])
def test_equals_scikit_image(kind, ndim):
    rng = np.random.default_rng(len(kind) + ndim)
    n_compared = 0
    for trial in range(60):
        mask = KINDS[kind](rng, ndim)
        if not mask.any():
            continue
        mask = mask[ndimage.find_objects(mask.astype(int))[0]]
        spacing = (1.0,) * ndim if trial % 2 else tuple(rng.uniform(0.2, 4, ndim))
        region = regionprops(mask.astype(np.uint8), spacing=spacing)[0]
        places = np.argwhere(mask)
        if ndim == 3 and np.linalg.matrix_rank(places - places[0]) < 3:
            assert np.isnan(hull_of(mask, spacing)).all()
            continue
        volume, diameter = hull_of(mask, spacing)
        assert volume == region.image_convex.sum()
        assert diameter == pytest.approx(region.feret_diameter_max, rel=1e-13)
        n_compared += 1
    assert n_compared >= 15


def test_a_large_object_and_its_rows():
    mask = np.zeros((20, 60, 70), bool)
    rng = np.random.default_rng(0)
    mask[tuple(rng.integers([[2], [5], [7]], [[18], [50], [66]], (3, 300)))] = True
    places = np.argwhere(mask)
    box = np.array([[*places.min(axis=0), *(places.max(axis=0) + 1)]])
    volumes, _, low, high = hulls_of(mask.astype(np.int32), np.array([1]), box, False)
    cut = mask[tuple(slice(start, stop) for start, stop in zip(box[0, :3], box[0, 3:], strict=True))]
    hull = convex_hull_image(cut)
    assert volumes[0] == hull.sum()
    rows = hull.reshape(-1, hull.shape[2])
    filled = rows.any(axis=1)
    assert (low[filled] == rows.argmax(axis=1)[filled]).all()
    assert (high[filled] == hull.shape[2] - 1 - rows[:, ::-1].argmax(axis=1)[filled]).all()
    assert (low[~filled] > high[~filled]).all()


def test_ends_of_rows_ignore_other_objects():
    labels = np.zeros((2, 3, 9), np.int32)
    labels[0, 0], labels[0, 0, 3:5], labels[1, 2, 6] = 4, 9, 9
    boxes = np.array([[0, 0, 3, 2, 3, 7]])
    starts = first_rows(boxes)
    low, high = np.empty((2, 6), np.int64)
    row_ends(read_only(labels), np.array([9]), boxes, starts, low, high)
    assert low[low <= high].tolist() == [0, 3]
    assert high[low <= high].tolist() == [1, 3]
    assert (low <= high).tolist() == [True, False, False, False, False, True]


@pytest.mark.parametrize(
    ("places", "flat"),
    [
        ([(0, 0, 0)], True),
        ([(0, 0, 0), (1, 2, 3), (2, 4, 6)], True),
        ([(0, 0, 0), (1, 1, 0), (2, 0, 2), (3, 1, 2)], True),
        ([(0, 0, 0), (1, 1, 0), (2, 0, 2), (3, 1, 3)], False),
    ],
)
def test_flat_is_any_plane(places, flat):
    mask = np.zeros((4, 5, 7), bool)
    mask[tuple(np.transpose(places))] = True
    low = np.where(mask.any(axis=2), mask.argmax(axis=2), 2**30)
    high = np.where(mask.any(axis=2), 6 - mask[:, :, ::-1].argmax(axis=2), -(2**30))
    assert is_flat(low, high) == flat
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert (convex_hull_image(mask).sum() == 0) == flat
