"""Leiden clustering: communities of a nearest-neighbour graph."""

from __future__ import annotations

import ctypes
import sys
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, ClusterMixin


class Leiden(ClusterMixin, BaseEstimator):
    """Find communities in the graph of shared nearest neighbours.

    Two objects are connected if one is among the nearest neighbours of the other. The edge weight is the
    Jaccard index of their neighbours. The resolution controls the number of communities.

    Parameters
    ----------
    n_neighbors : int
        The number of nearest neighbours, including the object itself, as in UMAP.
    resolution : float
        The resolution of modularity; a higher value gives more and smaller communities.
    random_state : int or None
        The seed.

    References
    ----------
    .. [1] V. A. Traag, L. Waltman, N. J. van Eck, "From Louvain to Leiden: guaranteeing well-connected
       communities", Scientific Reports 9, 5233, 2019.
    .. [2] J. H. Levine et al., "Data-Driven Phenotypic Dissection of AML Reveals Progenitor-like Cells that
       Correlate with Prognosis", Cell 162, 184-197, 2015. The graph.
    """

    def __init__(
        self, n_neighbors: int = 15, resolution: float = 1.0, random_state: int | None = None
    ) -> None:
        self.n_neighbors = n_neighbors
        self.resolution = resolution
        self.random_state = random_state

    def fit(self, X: np.ndarray, y: Any = None) -> Leiden:
        """Find the communities of the rows of `X` and store them in ``labels_``."""
        from sklearn.neighbors import kneighbors_graph
        from sknetwork.clustering import Leiden as Communities

        near = kneighbors_graph(X, self.n_neighbors - 1, include_self=False).tocsr()
        near.setdiag(1)
        shared = (near @ near.T).tocsr()
        joined = (near + near.T).astype(bool).tocsr()
        graph = shared.multiply(joined).tocsr()
        graph.data /= 2 * self.n_neighbors - graph.data
        graph.setdiag(0)
        graph.eliminate_zeros()
        if self.random_state is not None:
            _seed_c(self.random_state)
        communities = Communities(resolution=self.resolution, random_state=self.random_state)
        self.labels_ = communities.fit_predict(graph)
        return self


def _seed_c(seed: int) -> None:
    """Seed the generator of the C library, which scikit-network uses in spite of its `random_state`."""
    library = ctypes.CDLL("ucrtbase" if sys.platform == "win32" else None)
    library.srand(ctypes.c_uint(seed))
