import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from skimage.segmentation import expand_labels

from objclass import expand, relate, ring
from tests.random_search import examples

shapes = array_shapes(min_dims=2, max_dims=3, min_side=2, max_side=7)
labels_of = arrays(np.int32, shapes, elements=st.sampled_from([0, 0, 0, 0, 3, 5]))
spacings = st.sampled_from([None, 0.5, "anisotropic"])


def voxel_size(spacing, ndim):
    return (2.5, 0.7, 0.9)[-ndim:] if spacing == "anisotropic" else spacing


def distances_to(labels, label, steps):
    """The distance of each voxel to the nearest one of an object, by comparing all of them."""
    steps = np.broadcast_to(1 if steps is None else steps, labels.ndim)
    places, own = np.argwhere(labels >= 0) * steps, np.argwhere(labels == label) * steps
    return np.linalg.norm(places[:, None] - own[None], axis=2).min(axis=1).reshape(labels.shape)


@examples(60)
@given(labels_of, st.sampled_from([0, 0.8, 1.5, 3]), spacings)
def test_expanded_objects_are_those_of_scikit_image(labels, distance, spacing):
    steps = voxel_size(spacing, labels.ndim)
    expected = expand_labels(labels, distance, spacing=1 if steps is None else steps)
    np.testing.assert_array_equal(expand(labels, distance, spacing=steps), expected)


@examples(60)
@given(labels_of, st.sampled_from([(0, 1), (0.8, 1.5), (1, 3)]), spacings)
def test_rings_are_within_their_limits(labels, limits, spacing):
    steps = voxel_size(spacing, labels.ndim)
    found = ring(labels, *limits, spacing=steps)
    assert found.dtype == np.int32
    numbers = np.unique(labels[labels > 0])
    if not len(numbers):
        assert not found.any()
        return
    away = np.stack([distances_to(labels, label, steps) for label in numbers])
    inside = (away.min(0) > limits[0] + 1e-9) & (away.min(0) <= limits[1] + 1e-9)
    np.testing.assert_array_equal(found > 0, inside)
    for place in np.argwhere(found > 0):
        own = away[numbers == found[tuple(place)]][0][tuple(place)]
        assert own == pytest.approx(away.min(0)[tuple(place)])


@examples(80)
@given(st.data(), spacings, st.sampled_from([0, 1, 2.5]))
def test_parents_are_those_of_a_loop_over_pairs(data, spacing, reach):
    children = data.draw(labels_of)
    steps = voxel_size(spacing, children.ndim)
    parents = data.draw(arrays(np.int64, children.shape, elements=st.sampled_from([0, 0, 2, 4])))
    table = relate(children, parents, max_distance=reach, spacing=steps)
    assert table["label"].tolist() == np.unique(children[children > 0]).tolist()
    candidates = np.unique(parents[parents > 0])
    for row in table.itertuples():
        child = children == row.label
        shares = {p: (child & (parents == p)).sum() / child.sum() for p in candidates}
        best = max(shares.values(), default=0)
        assert row.overlap == pytest.approx(best)
        if best:
            assert row.parent == min(p for p in candidates if shares[p] == best)
            continue
        away = {p: distances_to(parents, p, steps)[child].min() for p in candidates}
        if reach and away and min(away.values()) <= reach + 1e-9:
            assert away[row.parent] == pytest.approx(min(away.values()))
        else:
            assert row.parent == 0


def test_largest_labels_are_related_and_not_expanded():
    top = 2**64 - 1
    labels = np.array([[0, top, top]], np.uint64)
    assert relate(labels, labels).to_dict("list") == {"label": [top], "parent": [top], "overlap": [1.0]}
    with pytest.raises(ValueError, match=r"labels: expected labels below 2147483648, .*objclass\.relabel"):
        expand(labels, 1)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda labels: expand(labels, -1), "distance: expected a number of at least 0"),
        (lambda labels: ring(labels, 2, 2), "outer: expected a distance above inner, 2"),
        (lambda labels: ring(labels, 0, 2, spacing=(1, 2, 3)), "spacing: expected 2 positive numbers"),
        (lambda labels: relate(labels, labels[:2]), r"parents: expected the shape of children, \(4, 4\)"),
        (
            lambda labels: relate(labels, labels, max_distance=-1),
            "max_distance: expected a number of at least 0",
        ),
    ],
)
def test_refuses_bad_arguments(call, message):
    with pytest.raises(ValueError, match=message):
        call(np.eye(4, dtype=int))
