"""Objects with a large bounding box, which are counted in slabs."""

import tracemalloc
import warnings

import dask.array as da
import hypothesis.strategies as st
import numpy as np
import pandas as pd
import pytest
from hypothesis import given

import objclass
from objclass import chunked
from objclass.chunked import measuring, slabs
from objclass.measurement.properties import PROPERTIES
from tests.random_search import examples

OF_SHAPE = [
    name
    for name, entry in PROPERTIES.items()
    if entry.counters and entry.scope == "object" and not entry.needs_image
]
EXACT = ["area_filled", "area_convex", "euler_number", "feret_diameter_max", "feret_diameter_min", "solidity"]


def measure_both(labels, chunks, image=None, **options):
    ours = chunked.measure(da.from_array(labels, chunks=chunks), image, **options)
    theirs = objclass.measure(labels, image, progress=False, **options)
    pd.testing.assert_frame_equal(ours, theirs, rtol=1e-9, atol=1e-9)
    exact = [name for name in EXACT if name in ours]
    pd.testing.assert_frame_equal(ours[exact], theirs[exact], check_exact=True)
    return theirs


@examples(25)
@given(data=st.data())
def test_objects_in_slabs_are_those_of_the_whole_image(data):
    """Voxels at random have holes, tunnels, pieces and corners that touch, in slabs of four layers."""
    ndim = data.draw(st.sampled_from([2, 3]))
    shape = data.draw(st.lists(st.integers(1, 26 if ndim == 2 else 12), min_size=ndim, max_size=ndim))
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32)))
    labels = (rng.random(shape) < data.draw(st.sampled_from([0.1, 0.5, 0.85]))) * rng.choice([3, 3, 7], shape)
    chunks = tuple(-(-n // data.draw(st.integers(1, 4))) for n in shape)
    spacing = data.draw(st.sampled_from([None, (2.0, 0.5, 0.25)[-ndim:]]))
    chosen = [
        name
        for name in OF_SHAPE
        if PROPERTIES[name].ndim in (None, ndim) and not (name.startswith("perimeter") and spacing)
    ]
    image = data.draw(st.sampled_from([None, rng.integers(0, 99, shape)]))
    with pytest.MonkeyPatch.context() as patch, warnings.catch_warnings():
        patch.setattr(measuring, "BATCH", data.draw(st.sampled_from([0, 60])))
        patch.setattr(slabs, "SLAB", data.draw(st.sampled_from([1, 500])))
        measure_both(
            labels,
            chunks,
            image,
            spacing=spacing,
            properties=[*chosen, *(["intensity_median"] if image is not None else [])],
        )


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_a_hole_larger_than_a_block_and_one_that_is_open(axis):
    mask = np.ones((40, 12, 14), bool)
    mask[2:30, 2:5, 2:12] = False  # closed, through many slabs
    mask[2:38, 7:10, 2:12] = False  # ends of a tunnel to the outside, where the last slab is
    mask[36, 8, 12:] = False
    labels = np.moveaxis(mask, 0, axis).astype(np.int32)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(measuring, "BATCH", 0)
        patch.setattr(slabs, "SLAB", 1)
        table = measure_both(labels, 5, properties=["area", "area_filled", "euler_number"])
    assert table["area_filled"][0] - table["area"][0] == 28 * 3 * 10


def shell(block_info=None):
    """A hollow ball with a tunnel, in a block of an image."""
    place = block_info[None]["array-location"]
    z, y, x = (np.arange(start, stop) - SIZE / 2 + 0.5 for start, stop in place)
    radius = np.sqrt(z[:, None, None] ** 2 + y[:, None] ** 2 + x**2)
    tunnel = (y[:, None] ** 2 + x**2 < 9) & (z[:, None, None] > 0)
    return ((radius < SIZE / 2) & (radius > SIZE / 3) & ~tunnel).astype(np.uint8)


SIZE = 256


def test_an_object_over_many_blocks_takes_little_memory(monkeypatch):
    """Its box would take 67 MB as labels; no block knows more than a small part of it."""
    monkeypatch.setattr(slabs, "SLAB", 2**20)
    labels = da.map_blocks(shell, chunks=((32,) * (SIZE // 32),) * 3, dtype=np.uint8, meta=np.empty((0,) * 3))
    chunked.measure(labels[:64, :64, :64], properties=["area_filled", "solidity"])  # imports
    tracemalloc.start()
    try:
        table = chunked.measure(labels, properties=["area", "area_filled", "solidity", "euler_number"])
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 40e6
    assert table["area_filled"].tolist() == table["area"].tolist()  # the tunnel leads inside
    assert table["euler_number"].tolist() == [1]
    ball = 4 / 3 * np.pi * (SIZE / 2) ** 3
    assert table["area"][0] / table["solidity"][0] == pytest.approx(ball, rel=0.01)  # of cubes, not of points
