"""Distances between neighbors against squidpy's spatial graph, handed over as AnnData.

squidpy asks for older versions of other packages and is in no extra: .ci/run makes an environment for it.
"""

import numpy as np
import pytest
from skimage.measure import label

from objclass.measurement.measuring import measure
from objclass.tables.anndata_format import to_anndata


@pytest.mark.parametrize(("shape", "spacing"), [((200, 180), (0.5, 0.25)), ((30, 60, 50), (2, 0.5, 0.25))])
def test_distances_of_centroids_are_those_of_squidpy(shape, spacing):
    squidpy = pytest.importorskip("squidpy", reason="squidpy is not installed")
    labels = label(np.random.default_rng(0).random(shape) < 0.02)
    reach = 12 * min(spacing)
    properties = ("area", "centroid", "neighbors")
    table = measure(
        labels, spacing=spacing, properties=properties, n_neighbors=5, neighbor_radius=reach, progress=False
    )
    data = to_anndata(table)

    nearest = squidpy.gr.spatial_neighbors_knn(data, n_neighs=5, copy=True).distances
    distances = nearest.data.reshape(len(table), 5)
    np.testing.assert_allclose(table["neighbors_distance_centroid"], distances.min(axis=1), rtol=1e-6)
    np.testing.assert_allclose(table["neighbors_distance_mean"], distances.mean(axis=1), rtol=1e-6)

    within = squidpy.gr.spatial_neighbors_radius(data, radius=reach, copy=True).connectivities
    assert table["neighbors_within"].tolist() == np.diff(within.indptr).tolist()
    assert table["neighbors_within"].max() > 2
