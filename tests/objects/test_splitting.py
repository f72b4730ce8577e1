import numpy as np
import pytest
import tifffile
from hypothesis import example, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from scipy import ndimage as ndi
from scipy.spatial.transform import Rotation

import objclass
from objclass import split_touching
from objclass.objects.kernels.depth import (
    difference_of_gaussians,
    distance_transform,
    fill_cavities,
    find_seeds,
)
from objclass.objects.splitting import _Scale
from tests.random_search import examples


def bodies(centers, semi_axes, *, spacing=(1, 1, 1), rotation=None):
    """The union of ellipsoids or ellipses, with some background around, as 0 and 1."""
    centers, semi_axes = np.atleast_2d(centers).astype(float), np.asarray(semi_axes, float)
    ndim = len(semi_axes)
    spacing = np.asarray(spacing[-ndim:], float)
    reach = np.ceil((np.abs(centers).max() + semi_axes.max()) / spacing).astype(int) + 2
    points = np.stack(np.meshgrid(*(np.arange(-n, n + 1) for n in reach), indexing="ij"), -1) * spacing
    rotation = np.eye(ndim) if rotation is None else rotation
    inside = [((((points - center) @ rotation) / semi_axes) ** 2).sum(-1) <= 1 for center in centers]
    return np.any(inside, axis=0).astype(np.int32)


def turned(ndim, rng):
    if ndim == 3:
        return Rotation.random(random_state=int(rng.integers(2**31))).as_matrix()
    angle = rng.uniform(0, np.pi)
    return np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])


def n_objects(labels):
    return len(np.unique(labels[labels > 0]))


def n_changed(labels, split):
    """How many objects lie in more than one piece."""
    return sum(n_objects(split[labels == number]) > 1 for number in np.unique(labels[labels > 0]))


@pytest.mark.parametrize("ndim", [2, 3])
@pytest.mark.parametrize("radius", [2, 3, 4, 5, 7, 9, 12, 16, 20])
def test_a_ball_stays_whole(ndim, radius):
    for offset in (0, 0.3, 0.5):
        ball = bodies([[offset] * ndim], [radius] * ndim)
        np.testing.assert_array_equal(split_touching(ball), ball)


@pytest.mark.parametrize("spacing", [(2, 1, 1), (3, 1, 1), (4, 0.83, 0.83), (1, 2, 2)])
@pytest.mark.parametrize("radius", [3, 5, 8, 12, 20])
def test_a_ball_stays_whole_in_anisotropic_voxels(spacing, radius):
    ball = bodies([[0.4, 0.2, 0.1]], [radius] * 3, spacing=spacing)
    np.testing.assert_array_equal(split_touching(ball, spacing=spacing), ball)
    np.testing.assert_array_equal(split_touching(ball), ball)


@pytest.mark.parametrize("radius", [2, 2.5, 3])
def test_two_planes_of_a_ball_are_one_body(radius):
    ball = bodies([[1.5, 0, 0]], [radius] * 3, spacing=(3, 1, 1))
    assert ball.any(axis=(1, 2)).sum() == 2
    np.testing.assert_array_equal(split_touching(ball, spacing=(3, 1, 1)), ball)


def test_a_large_body_stays_whole_among_small_ones():
    large, small = bodies([[0, 0, 0]], [16, 8, 8]), np.pad(bodies([[0, 0, 0]], [3, 3, 3]), 1)
    mask = np.zeros((39, 52, 89), int)
    mask[:37, :37, :37] = large
    mask[:, :, 37:] = np.tile(small, (3, 4, 4))
    labels = ndi.label(mask)[0]
    assert large.sum() < mask.sum() / 2  # most voxels are those of small ones
    np.testing.assert_array_equal(split_touching(labels, spacing=1), labels)


@pytest.mark.parametrize(("ndim", "spacing"), [(2, (1, 1)), (3, (1, 1, 1)), (3, (2, 1, 1))])
@pytest.mark.parametrize("radius", [2, 3, 5, 8, 10])
def test_an_elongated_body_stays_whole(ndim, spacing, radius):
    rng = np.random.default_rng(radius)
    for _ in range(4):
        axes = [2 * radius, *[radius] * (ndim - 1)]
        body = bodies([rng.uniform(-0.5, 0.5, ndim)], axes, spacing=spacing, rotation=turned(ndim, rng))
        np.testing.assert_array_equal(split_touching(body, spacing=spacing), body)


@pytest.mark.parametrize(("ndim", "spacing"), [(2, (1, 1)), (3, (1, 1, 1)), (3, (2, 1, 1))])
@pytest.mark.parametrize("radius", [4, 6, 9, 14])
def test_overlapping_balls_are_cut_in_the_middle(ndim, spacing, radius):
    rng = np.random.default_rng(radius)
    for _ in range(3):
        direction = rng.normal(size=ndim)
        half = 0.8 * radius * direction / np.linalg.norm(direction)
        pair = bodies([half, -half], [radius] * ndim, spacing=spacing)
        split = split_touching(pair, spacing=spacing)
        assert split.max() == 2
        np.testing.assert_array_equal(split > 0, pair > 0)
        assert np.bincount(split.ravel())[1:].min() > 0.4 * pair.sum()


def test_min_distance_decides_how_near_two_seeds_may_be():
    pair = bodies([[0, 7, 0], [0, -7, 0]], [9, 9, 9])
    assert split_touching(pair, min_distance=4).max() == 2
    assert split_touching(pair, min_distance=15).max() == 1
    assert split_touching(pair, min_distance=15 * 0.2, spacing=0.2).max() == 1


def test_a_seed_that_gives_way_to_a_higher_one_drives_no_other_away():
    response = np.zeros((1, 3, 15), np.float32)
    response[0, 1, 3], response[0, 1, 7], response[0, 1, 11] = 3, 2, 1
    everywhere, voxel = np.ones(response.shape, bool), np.ones(3)
    assert find_seeds(response, everywhere, voxel, 3.0)[:, 2].tolist() == [3, 7, 11]
    assert find_seeds(response, everywhere, voxel, 5.0)[:, 2].tolist() == [3, 11]


def test_neighbouring_planes_are_near_however_far_they_lie_apart():
    response = np.zeros((5, 3, 3), np.float32)
    response[1, 1, 1], response[3, 1, 1] = 2, 1
    everywhere, voxel = np.ones(response.shape, bool), np.array([9.0, 1, 1])
    assert len(find_seeds(response, everywhere, voxel, 6.0)) == 2
    response[2, 1, 1], response[3, 1, 1] = 1, 0
    assert len(find_seeds(response, everywhere, voxel, 6.0)) == 1
    response[2, 1, 1], response[2, 2, 2] = 0, 2
    assert len(find_seeds(response, everywhere, np.array([9.0, 9, 9]), 6.0)) == 1


bits = arrays(bool, array_shapes(min_dims=3, max_dims=3, min_side=1, max_side=8))


@examples(60)
@given(bits, st.tuples(*[st.sampled_from([0.5, 1.0, 2.7])] * 3))
def test_depths_are_those_of_scipy(mask, spacing):
    expected = ndi.distance_transform_edt(mask, sampling=spacing) if not mask.all() else np.zeros(mask.shape)
    np.testing.assert_allclose(distance_transform(mask, np.array(spacing)), expected, rtol=1e-5)


@example(np.pad(np.zeros((1, 1, 2), bool), [(0, 0), (1, 1), (1, 1)], constant_values=True))
@example(np.pad(np.zeros((1, 2, 1), bool), 1, constant_values=True))
@examples(60)
@given(bits)
def test_cavities_are_those_of_scipy(mask):
    expected = ndi.binary_fill_holes(mask[0])[None] if mask.shape[0] == 1 else mask
    if min(mask.shape) > 1:
        expected = ndi.binary_fill_holes(mask)
    if 1 not in mask.shape[1:]:
        np.testing.assert_array_equal(fill_cavities(mask), expected)


def test_middles_are_those_of_scipy():
    depth = np.random.default_rng(0).random((7, 12, 15)).astype(np.float32)
    depth[:, :5] = 0
    sigma = np.array([1.2, 1.5, 2.0])
    expected = ndi.gaussian_filter(depth, sigma, mode="nearest")
    expected -= ndi.gaussian_filter(depth, 1.6 * sigma, mode="nearest")
    np.testing.assert_allclose(difference_of_gaussians(depth, sigma), expected, atol=1e-5)


@pytest.mark.parametrize("turns", range(4))
def test_a_bay_that_reaches_the_border_is_background(turns):
    horseshoe = np.ones((30, 41), int)
    horseshoe[:25, 19:22] = 0
    assert split_touching(np.rot90(horseshoe, turns)).max() > 1


def test_a_stack_of_one_plane_is_split_as_that_plane(tissue):
    plane = ndi.label(tissue[12])[0]
    split = split_touching(plane, min_size=0)
    assert split.max() > plane.max()
    np.testing.assert_array_equal(split_touching(plane[np.newaxis], min_size=0)[0], split)


def test_only_proportions_of_spacing_count():
    pair = bodies([[0, 6, 0], [0, -6, 0]], [8, 8, 8], spacing=(2, 1, 1))
    np.testing.assert_array_equal(
        split_touching(pair, spacing=(0.5, 0.25, 0.25)), split_touching(pair, spacing=(2, 1, 1))
    )


def test_probability_moves_the_cut():
    rod = np.zeros((15, 40), np.int32)
    rod[3:12, 2:38] = 1
    probability = np.ones(rod.shape)
    probability[:, 10:13] = 0.1
    split = split_touching(rod, probability=probability)
    assert split[7, 6] != split[7, 16]
    assert 9 <= np.flatnonzero(np.diff(split[7, 4:20]))[0] + 4 <= 13


def test_cavities_do_not_matter():
    ball = bodies([[0, 0, 0]], [10, 10, 10])
    shell = ball - np.pad(bodies([[0, 0, 0]], [7, 7, 7]), 3)
    np.testing.assert_array_equal(split_touching(shell), shell)
    two = bodies([[0, 8, 0], [0, -8, 0]], [10, 10, 10])
    hollow = two * (ndi.distance_transform_edt(two) <= 3)
    assert split_touching(hollow).max() == 2
    np.testing.assert_array_equal(split_touching(hollow) > 0, hollow > 0)


def test_parts_of_an_object_go_to_the_nearest_body():
    labels = np.zeros((20, 60), int)
    labels[4:16, 4:16] = labels[4:16, 40:52] = labels[10, 23] = labels[10, 34] = 3
    split = split_touching(labels)
    np.testing.assert_array_equal(split > 0, labels > 0)
    assert split[10, 10] == split[10, 23] != split[10, 34] == split[10, 45]


def test_pieces_are_not_smaller_than_min_size(tissue):
    free, bound = (split_touching(tissue, min_size=size) for size in (0, 120))
    assert np.bincount(free.ravel()).min() < 120
    sizes, whole = np.bincount(bound.ravel()), np.bincount(tissue.ravel())
    assert all(size >= 120 or size in whole for size in sizes)
    assert tissue.max() < bound.max() < free.max()


def test_two_halves_of_exactly_min_size_are_cut():
    pair = bodies([[0, -7.5], [0, 8.5]], [9, 9])
    half = int(pair.sum()) // 2
    found = np.bincount(split_touching(pair, method="distance", min_size=half).ravel())
    np.testing.assert_array_equal(found[1:], [half, half])
    np.testing.assert_array_equal(split_touching(pair, method="distance", min_size=half + 1), pair)


def test_small_objects_stay():
    labels = bodies([[0, 6, 0], [0, -6, 0]], [8, 8, 8])
    labels[0, 0, 0] = 2
    labels[0, 5, 5:8] = 3
    split = split_touching(labels)
    np.testing.assert_array_equal(split > 0, labels > 0)
    assert split.max() == 4
    assert split_touching(labels, min_size=2500).max() == 3


def test_small_objects_stay_among_small_ones():
    labels = ndi.label(np.kron(np.eye(4), [[0, 1, 1, 0], [0, 1, 1, 0], [0, 0, 0, 0]]))[0]
    np.testing.assert_array_equal(split_touching(labels), labels)


@pytest.mark.parametrize("shape", [(4, 5), (3, 4, 5), (1, 6, 6), (0, 4)])
def test_images_without_objects_and_without_background(shape):
    nothing = split_touching(np.zeros(shape, np.uint8))
    assert nothing.dtype == np.int32
    assert nothing.shape == shape
    assert not nothing.any()
    if 0 not in shape:
        np.testing.assert_array_equal(split_touching(np.full(shape, 7)), np.ones(shape))


@pytest.fixture(scope="module")
def tissue():
    """Many bodies that touch, in raster order, with gaps between some of the numbers."""
    rng = np.random.default_rng(5)
    labels = np.zeros((24, 60, 70), bool)
    for _ in range(60):
        center, radius = rng.uniform((5, 5, 5), (19, 55, 65)), rng.uniform(3, 5)
        distance = np.sqrt(sum((g - c) ** 2 for g, c in zip(np.indices(labels.shape), center, strict=True)))
        labels |= distance < radius
    labels = ndi.label(labels)[0]
    assert labels.max() > 5
    return labels


def test_splitting_again_changes_little(tissue):
    once = split_touching(tissue)
    assert once.max() > tissue.max() + 10
    assert n_changed(once, split_touching(once)) <= 0.03 * once.max()


def test_pieces_lie_within_objects_and_are_numbered_in_raster_order(tissue):
    before = tissue.copy()
    split = split_touching(tissue, min_size=0)
    np.testing.assert_array_equal(tissue, before)
    np.testing.assert_array_equal(split > 0, tissue > 0)
    for number in range(1, split.max() + 1):
        assert n_objects(tissue[split == number]) == 1
        assert ndi.label(split == number)[1] == 1
    numbers, first = np.unique(split, return_index=True)
    assert numbers.tolist() == list(range(split.max() + 1))
    assert (np.diff(first[1:]) > 0).all()


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.uint32, np.int64, np.uint64])
def test_numbers_and_their_type_do_not_matter(tissue, dtype):
    n = tissue.max()
    others = np.random.default_rng(1).permutation(120)[:n] + 1
    if dtype == np.uint64:
        others = others.astype(dtype) * 2**55
    renamed = np.concatenate([[0], others]).astype(dtype)[tissue]
    np.testing.assert_array_equal(split_touching(renamed), split_touching(tissue))


@examples(8)
@given(st.tuples(*[st.integers(0, 6)] * 3))
def test_place_does_not_matter(tissue, shift):
    padded = np.pad(tissue, 1)
    moved = np.pad(padded, [(n, 0) for n in shift])
    inner = tuple(slice(n, None) for n in shift)
    np.testing.assert_array_equal(split_touching(moved)[inner], split_touching(padded))


@examples(40)
@given(
    arrays(np.uint8, array_shapes(min_dims=2, max_dims=3, min_side=1, max_side=9), elements=st.integers(0, 3))
)
def test_noise_is_split_within_its_objects(labels):
    split = split_touching(labels, min_size=0, progress=False)
    np.testing.assert_array_equal(split > 0, labels > 0)
    assert all(n_objects(labels[split == number]) == 1 for number in range(1, split.max() + 1))


def test_threads_do_not_matter(tissue):
    from objclass._common.parallel import single_threaded

    with single_threaded():
        alone = split_touching(tissue)
    np.testing.assert_array_equal(alone, split_touching(tissue))


def test_cuts_that_are_made_side_by_side_are_the_same(tissue):
    from objclass._common.parallel import single_threaded

    labels = np.where(tissue > 0, 1, 0)
    smooth = ndi.gaussian_filter((tissue > 0).astype(np.float32), 2)
    options = {"method": "auto", "probability": smooth / smooth.max()}
    done = []
    split = split_touching(labels, **options, progress=lambda *step: done.append(step))
    assert done == [(1, 1)]
    assert split.max() > 1
    with single_threaded():
        np.testing.assert_array_equal(split_touching(labels, **options), split)


def test_takes_lists(tissue):
    images = [tissue[:12], tissue[12:].copy()]
    probabilities = [np.full(image.shape, 0.5, np.float32) for image in images]
    for found, image, probability in zip(
        split_touching(images, probability=probabilities), images, probabilities, strict=True
    ):
        np.testing.assert_array_equal(found, split_touching(image, probability=probability))


def test_tells_of_progress(tissue):
    calls = []
    split_touching(tissue, progress=lambda *call: calls.append(call))
    assert calls == [(done + 1, tissue.max()) for done in range(tissue.max())]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"min_distance": 0}, "min_distance: expected a distance above 0"),
        ({"min_distance": -1}, "min_distance: expected a number of at least 0"),
        ({"method": "magic"}, "method: expected one of 'distance', 'tree', 'auto', got str 'magic'"),
        (
            {"method": "tree"},
            'probability: expected an array with method="tree", got None.*probability_map',
        ),
        (
            {"method": "tree", "probability": np.ones((5, 6)), "min_distance": 3},
            'min_distance: expected None with method="tree"',
        ),
        ({"min_size": -1}, "min_size: expected an integer of at least 0"),
        ({"min_size": 2.5}, "min_size: expected an integer of at least 0"),
        ({"spacing": (1, 2, 3)}, r"spacing: expected 2 positive numbers, one for each of the axes \(y, x\)"),
        ({"spacing": (1, -2)}, "spacing: expected 2 positive numbers"),
        (
            {"probability": np.ones((4, 6))},
            r"probability: expected the shape of labels, \(5, 6\), got .*\(4, 6\)",
        ),
        ({"probability": np.full((5, 6), 1.5)}, "probability: expected numbers from 0 to 1.*probability_map"),
        ({"probability": np.full((5, 6), np.nan)}, "probability: expected numbers from 0 to 1"),
    ],
)
def test_refuses_bad_options(options, message):
    with pytest.raises(ValueError, match=message):
        split_touching(np.ones((5, 6), int), **options)


def test_refuses_bad_labels():
    with pytest.raises(TypeError, match=r"labels: expected an integer array, .* dtype float64"):
        split_touching(np.zeros((4, 4)))
    with pytest.raises(ValueError, match="labels: expected labels of at least 0"):
        split_touching(np.full((4, 4), -3))
    with pytest.raises(ValueError, match="labels: expected an array of axes"):
        split_touching(np.zeros(4, int))
    for probability in (np.ones((2, 4, 4)), [np.ones((4, 4))]):
        with pytest.raises(ValueError, match="probability: expected a list of 2 arrays"):
            split_touching([np.ones((4, 4), int)] * 2, probability=probability)


def rods(n=6, length=60, width=8):
    """Staggered rods that touch, and a probability that dips where they do."""
    truth = np.zeros((n * width + 12, length + 40), int)
    for rod in range(n):
        start = 6 + 24 * (rod % 2)
        truth[6 + rod * width : 6 + (rod + 1) * width, start : start + length] = rod + 1
    probability = np.where(truth > 0, 0.95, 0.05)
    dips = slice(6 + width, 6 + n * width, width), slice(5 + width, 5 + n * width, width)
    for dip in dips:
        probability[dip] = np.where(truth[dip] > 0, 0.6, 0.05)
    return truth, ndi.gaussian_filter(probability.astype(np.float32), 0.5)


def test_rods_come_apart_along_the_tree_where_distance_cuts_them_across():
    truth, probability = rods()
    labels = ndi.label(probability > 0.5)[0]
    assert labels.max() == 1
    options = {"probability": probability, "spacing": 1}
    by_tree = split_touching(labels, method="tree", **options)
    assert by_tree.max() == 6
    assert (np.where(truth > 0, by_tree, 0) == truth).mean() > 0.98
    assert split_touching(labels).max() != 6
    np.testing.assert_array_equal(split_touching(labels, method="auto", **options), by_tree)
    in_space = split_touching(
        np.repeat(labels[None], 8, 0), method="auto", probability=np.repeat(probability[None], 8, 0)
    )
    np.testing.assert_array_equal(in_space, np.repeat(by_tree[None], 8, 0))


def test_auto_takes_the_distance_where_the_probability_has_no_dip():
    pair = np.pad(bodies([[0, 12], [0, -12]], [15, 15]), 2)
    options = {"probability": np.where(pair > 0, 0.9, 0.1)}
    assert split_touching(pair, method="tree", **options).max() == 1
    np.testing.assert_array_equal(split_touching(pair, method="auto", **options), split_touching(pair))
    np.testing.assert_array_equal(split_touching(pair, method="auto"), split_touching(pair))


def test_auto_leaves_convex_objects_whole_whatever_their_length():
    rod = np.pad(np.ones((7, 90), int), 3)
    assert split_touching(rod).max() > 1
    assert split_touching(rod, method="auto").max() == 1
    speckled = np.random.default_rng(0).uniform(0.51, 1, rod.shape)
    assert split_touching(rod, method="auto", probability=speckled).max() == 1


@examples(40)
@given(
    arrays(
        np.uint8, array_shapes(min_dims=2, max_dims=3, min_side=1, max_side=9), elements=st.integers(0, 3)
    ),
    st.integers(0, 99),
    st.sampled_from(["tree", "auto"]),
)
def test_noise_is_split_within_its_objects_by_every_method(labels, seed, method):
    probability = np.random.default_rng(seed).random(labels.shape)
    split = split_touching(labels, method=method, probability=probability, min_size=1, progress=False)
    np.testing.assert_array_equal(split > 0, labels > 0)
    assert all(n_objects(labels[split == number]) == 1 for number in range(1, split.max() + 1))


def best_parts(mask, probability, level, levels, min_size, gain):
    """The rule of the component tree in plain Python: mean solidity of the best parts, and their masks."""
    whole = plain_solidity(mask)
    for higher in range(level, len(levels)):
        parts, n = ndi.label(mask & (probability > levels[higher]))
        large = [parts == part for part in range(1, n + 1) if (parts == part).sum() >= min_size]
        if len(large) > 1:
            found = [best_parts(part, probability, higher + 1, levels, min_size, gain) for part in large]
            mean = np.average(
                [one[0] for one in found], weights=[sum(m.sum() for m in one[1]) for one in found]
            )
            return (mean, [m for one in found for m in one[1]]) if mean > whole + gain else (whole, [mask])
    return whole, [mask]


def plain_solidity(mask):
    from scipy.spatial import ConvexHull

    places, half = np.argwhere(mask), np.eye(mask.ndim) / 2
    return min(1, len(places) / ConvexHull(np.concatenate([places + s for s in (*half, *-half)])).volume)


@pytest.mark.parametrize("shape", [(40, 44), (12, 20, 22)])
@pytest.mark.parametrize("seed", range(4))
def test_parts_are_those_of_a_plain_tree(shape, seed):
    from objclass.objects.kernels.component_tree import convex_parts

    noise = ndi.gaussian_filter(np.random.default_rng(seed).standard_normal(shape), 1.5)
    probability = (0.5 + 0.5 * noise / np.abs(noise).max()).astype(np.float32)
    components = ndi.label(probability > 0.5)[0]
    sizes = np.bincount(components[components > 0])
    levels = np.arange(0.54, 0.98, 0.04).astype(np.float32)
    volume = (1,) * (3 - components.ndim) + components.shape
    for mask in (components == np.argmax(sizes), components > 0):
        bodies_of_mask = [components == number for number in np.unique(components[mask])]
        for min_size, gain in [(9, 0.03), (1, 0.1), (int(np.sort(sizes)[-2]), 0.03), (9, 0.3)]:
            found = [best_parts(body, probability, 0, levels, min_size, gain)[1] for body in bodies_of_mask]
            expected = [part for some in found for part in some if part.sum() >= min_size]
            if all(len(some) == 1 for some in found):
                expected = []
            parts = np.zeros(volume, np.int32)
            arrays_of_volume = probability.reshape(volume), mask.reshape(volume)
            n = convex_parts(*arrays_of_volume, levels, min_size, gain, mask.ndim == 2, parts)
            assert n == parts.max() == len(expected)
            own = {np.flatnonzero(parts == part).tobytes() for part in range(1, n + 1)}
            assert own == {np.flatnonzero(part).tobytes() for part in expected}


@pytest.mark.parametrize("shape", [(14, 17), (6, 7, 8)])
def test_mean_solidity_is_that_of_hulls_of_qhull(shape):
    from objclass.objects.kernels.convexity import mean_solidity

    noise = ndi.gaussian_filter(np.random.default_rng(2).standard_normal(shape), 1)
    parts = np.digitize(noise, np.quantile(noise, [0.3, 0.55, 0.8])).astype(np.int32)
    parts.flat[np.flatnonzero(parts == 0)[:2]] = 4, 5  # two parts of one voxel
    own = [parts == part for part in range(1, 6)]
    for masks in (own, own[:1], own[3:]):
        some = np.sum([number * mask for number, mask in enumerate(masks, 1)], axis=0, dtype=np.int32)
        found = mean_solidity(some.reshape((1,) * (3 - some.ndim) + shape), len(masks), some.ndim == 2)
        sizes = [mask.sum() for mask in masks]
        assert found == pytest.approx(np.average([plain_solidity(mask) for mask in masks], weights=sizes))


def test_flooding_is_the_watershed_of_scikit_image():
    from skimage.segmentation import watershed

    from objclass.objects.kernels.flooding import flood

    heights = ndi.gaussian_filter(np.random.default_rng(3).standard_normal((9, 30, 31)), 2).astype(np.float32)
    mask = heights > -0.02
    parts = np.zeros(mask.shape, np.int32)
    seeds = find_seeds(heights, mask, np.ones(3), 4.0)
    parts[tuple(seeds.T)] = np.arange(1, len(seeds) + 1)
    expected = watershed(-heights, parts, mask=mask)
    flood(heights, mask, parts)
    np.testing.assert_array_equal(parts > 0, expected > 0)
    assert len(seeds) > 20
    assert (parts == expected)[mask].mean() > 0.97


def test_flooding_fills_what_is_reached_at_one_height_too():
    from objclass.objects.kernels.flooding import flood

    heights, mask = np.zeros((3, 4, 9), np.float32), np.ones((3, 4, 9), bool)
    mask[:, :, 6] = False
    parts = np.zeros(mask.shape, np.int32)
    parts[0, 0, 0], parts[2, 3, 5] = 1, 2
    flood(heights, mask, parts)
    assert (parts[:, :, :6] > 0).all()
    assert not parts[:, :, 6:].any()


def test_too_small_parts_become_those_of_their_neighbours():
    from objclass.objects.kernels.flooding import merge_small

    heights, filled = np.zeros((1, 1, 9), np.float32), np.ones((1, 1, 9), bool)
    mask = filled.copy()
    mask[0, 0, 1] = False  # a cavity counts for no size
    given_parts = np.array([[[1, 1, 2, 2, 2, 3, 4, 4, 4]]], np.int32)
    parts = given_parts.copy()
    assert merge_small(heights, filled, mask, parts, 4, 2) == 2
    assert parts[0, 0, :5].tolist() == [1] * 5
    assert parts[0, 0, 5] in (1, 2)
    assert parts[0, 0, 6:].tolist() == [2] * 3
    for min_size, n in ((1, 4), (3, 2), (4, 0)):
        parts = given_parts.copy()
        assert merge_small(heights, filled, mask, parts, 4, min_size) == n == parts.max()


def f1(truth, labels):
    """The F1 score of the objects that overlap by more than half of their union."""
    pairs = np.zeros((truth.max() + 1, labels.max() + 1))
    np.add.at(pairs, (truth.ravel(), labels.ravel()), 1)
    union = pairs.sum(1, keepdims=True) + pairs.sum(0, keepdims=True) - pairs
    hits = (pairs[1:, 1:] > 0.5 * union[1:, 1:]).sum()
    return 2 * hits / (n_objects(truth) + n_objects(labels))


@pytest.mark.parametrize("seed", [11, 0, 1])
def test_dense_nuclei_come_apart(shared_data, seed):
    image = tifffile.imread(shared_data / "dense3d.tif")
    truth = tifffile.imread(shared_data / "dense3d_truth.tif").astype(int)
    picked = np.random.default_rng(seed).random(image.shape) < 0.02
    scribbles = np.where(picked, np.where(truth > 0, 2, 1), 0)
    classifier = objclass.train_object_classifier(image, scribbles, preset="apoc")
    labels = objclass.segment(image, classifier)
    probability = objclass.probability_map(image, classifier)
    before, after, guided = (
        f1(truth, objclass.exclude_small(found))
        for found in (labels, split_touching(labels), split_touching(labels, probability=probability))
    )
    default = f1(truth, objclass.segment(image, objclass.train_object_classifier(image, scribbles)))
    print(f"F1 {before:.3f}, split {after:.3f}, with the probability {guided:.3f}, by default {default:.3f}")
    assert before < 0.25
    assert after >= 0.78
    assert guided >= 0.8
    assert default >= 0.75


def test_true_dense_nuclei_stay_whole(shared_data):
    truth = tifffile.imread(shared_data / "dense3d_truth.tif")
    changed = n_changed(truth, split_touching(truth))
    print(f"{changed} of {n_objects(truth)} objects change")
    assert changed == 0


@pytest.mark.parametrize("spacing", [(4.0, 0.8286, 0.8286), None])
def test_round_real_nuclei_stay_whole(shared_data, spacing):
    from skimage.measure import regionprops

    labels = tifffile.imread(shared_data / "nuclei3d_apoc_labels_round2.tif")
    split = split_touching(labels, spacing=spacing, min_size=0)
    print(f"{n_changed(labels, split)} of {n_objects(labels)} objects change")
    assert 20 <= n_changed(labels, split) <= 30
    for region in regionprops(labels):
        if 50 <= region.area < 1000 and region.solidity > 0.87:
            assert n_objects(split[labels == region.label]) == 1, f"{region.label} is cut, convex as it is"


def test_true_nuclei_of_the_embryo_stay_whole():
    sample = objclass.samples.embryo((48, 128, 128))
    changed = n_changed(sample.labels, split_touching(sample.labels, spacing=sample.spacing))
    print(f"{changed} of {n_objects(sample.labels)} objects change")
    assert changed <= 0.01 * n_objects(sample.labels)


@pytest.mark.parametrize(("ndim", "radius", "smallest"), [(2, 2, 12), (3, 1.5, 14), (3, 9, 20)])
def test_the_smallest_part_is_a_disc_or_ball_of_the_usual_depth(ndim, radius, smallest):
    scale = _Scale(np.ones(3), ndim, None, None)
    distances, size = scale.of_objects(np.array([radius, radius, 3.0]), np.array([50, 50, 5]))
    assert (distances.tolist(), size) == ([2 * radius, 2 * radius, max(6, 2 * radius)], smallest)
