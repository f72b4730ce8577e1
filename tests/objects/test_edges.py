import numpy as np
import pytest
from skimage.draw import disk

from objclass.objects.edges import region_within_edges


@pytest.mark.parametrize("noise", [0, 8])
def test_a_disk_is_found_from_any_pixel_well_within(noise):
    image = np.full((2, 90, 110), 40.0)
    truth = np.zeros(image.shape[1:], bool)
    truth[disk((45, 50), 20)] = True
    image[1, truth] += 100
    image += np.random.default_rng(0).normal(0, noise or 1e-3, image.shape)
    for seed in [(45, 50), (38, 45), (52, 58)]:
        found = region_within_edges(image, seed, sigma=2)
        assert (found & truth).sum() / (found | truth).sum() > 0.9
    outside = region_within_edges(image, (5, 5), sigma=2)
    assert outside[5, 5]
    assert (outside & truth).sum() < 0.15 * truth.sum()


def test_it_reaches_no_farther_than_its_window():
    found = region_within_edges(np.zeros((1, 500, 500)), (250, 250))
    assert found[250, 250]
    assert not found[:50].any()
    assert not found[:, :50].any()


def test_a_region_far_from_the_first_pixel_is_that_of_its_seed():
    image = np.zeros((1, 400, 420))
    image[0, 300:340, 310:350] = 100
    found = region_within_edges(image, (320, 330))
    assert found[302:338, 312:348].all()
    assert not found[:290].any()


def test_the_gallery_of_touching_regions_is_parted_at_the_edge():
    image = np.zeros((1, 60, 60))
    image[0, 20:40, 10:30] = 100
    image[0, 20:40, 30:50] = 200
    left = region_within_edges(image, (30, 20))
    right = region_within_edges(image, (30, 40))
    assert not (left & right).any()
    assert left[24:36, 14:27].all()
    assert right[24:36, 33:46].all()


def test_finer_edges_are_passed_over():
    image = np.zeros((1, 60, 60))
    image[0, 20:40, 20:40] = 100
    image[0, 30, 20:40] = 50  # a line of one pixel
    fine, coarse = (region_within_edges(image, (24, 30), **sigma) for sigma in ({}, {"sigma": 4}))
    assert not fine[32:].any()
    assert coarse[36, 30]
    np.testing.assert_array_equal(fine, region_within_edges(image, (24, 30), sigma=1))
    assert (fine != region_within_edges(image, (24, 30), sigma=2)).any()
