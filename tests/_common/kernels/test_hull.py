"""The exact convex hull, against its definition and Qhull."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.spatial import ConvexHull

from objclass._common.kernels.hull import CORNER, NORMAL, OFFSET, convex_hull


def check_hull(points):
    """The facets close a surface, no point is above any, and the volume is Qhull's."""
    facets = convex_hull(points)
    corners, normals = facets[:, CORNER : CORNER + 3], facets[:, NORMAL : NORMAL + 3]
    assert (points @ normals.T <= facets[:, OFFSET]).all()
    assert (np.abs(normals).sum(axis=1) > 0).all()

    edges = np.concatenate([corners[:, [0, 1]], corners[:, [1, 2]], corners[:, [2, 0]]])
    assert sorted(map(tuple, edges)) == sorted(map(tuple, edges[:, ::-1]))
    assert len(np.unique(edges, axis=0)) == len(edges)
    assert len(facets) == 2 * len(np.unique(corners)) - 4

    first, second, third = points[corners].swapaxes(0, 1).astype(float)
    volume = np.einsum("ij,ij", first, np.cross(second, third)) / 6
    assert_allclose(volume, ConvexHull(points).volume, rtol=1e-9)
    return facets


@pytest.mark.parametrize("extent", [2, 3, 5, 12])
def test_lattice_points_many_in_one_plane(extent):
    rng = np.random.default_rng(extent)
    for _ in range(150):
        points = rng.integers(-extent, extent, (rng.integers(4, 60), 3))
        if np.linalg.matrix_rank(points - points[0]) == 3:
            check_hull(points)


def test_a_block_of_points_has_the_hull_of_its_corners():
    facets = check_hull(np.ascontiguousarray(np.argwhere(np.ones((4, 5, 3)))))
    assert len(facets) == 12
    assert len(check_hull(np.repeat(np.eye(4, 3, dtype=np.int64), 3, axis=0))) == 4


def test_points_on_a_sphere_and_far_away():
    directions = np.random.default_rng(0).normal(size=(2000, 3))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    check_hull(np.round(directions * 200).astype(np.int64))
    check_hull(np.round(directions[:300] * 2**18).astype(np.int64) + 2**18)
