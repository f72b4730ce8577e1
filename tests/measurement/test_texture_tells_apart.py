"""What the texture group adds: cells of equal size, shape and histogram, and the sample of cells."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import adjusted_rand_score
from sklearn.model_selection import cross_val_score

from objclass import cluster, measure, samples
from objclass.tables.columns import measurement_columns


def equal_histograms(n=10, size=15, seed=0):
    """Discs whose pixels are the same numbers, in a coarse pattern or at random."""
    rng = np.random.default_rng(seed)
    y, x = np.indices((size, size)) - size // 2
    disc = y**2 + x**2 <= (size // 2 - 1) ** 2
    values = np.sort(rng.integers(100, 1000, np.count_nonzero(disc)))
    labels, image = np.zeros((n * size, n * size), np.int32), np.zeros((n * size, n * size), np.uint16)
    coarse = rng.permutation(n * n) % 2 == 0
    for index in range(n * n):
        box = tuple(slice(at * size, (at + 1) * size) for at in divmod(index, n))
        noise = rng.normal(size=(size, size))
        pattern = gaussian_filter(noise, 1.5) if coarse[index] else noise
        labels[box][disc] = index + 1
        image[box][disc] = values[pattern[disc].argsort().argsort()]
    return labels, image, coarse


@pytest.mark.parametrize(("groups", "low", "high"), [("basic", 0.0, 0.65), ("texture", 0.95, 1.0)])
def test_patterns_of_equal_histograms_are_told_apart_by_texture_alone(groups, low, high):
    labels, image, coarse = equal_histograms()
    table = measure(labels, image, properties=groups, progress=False)
    values = table[measurement_columns(table)].to_numpy()
    forest = RandomForestClassifier(100, random_state=0)
    assert low <= cross_val_score(forest, values, coarse, cv=5).mean() <= high


@pytest.mark.parametrize(("groups", "low", "high"), [("basic", -0.1, 0.1), ("texture", 0.25, 1.0)])
def test_clustering_the_sample_of_cells_follows_their_classes_with_texture(groups, low, high):
    sample = samples.cells()
    table = measure(sample.labels, sample.image, properties=groups, progress=False)
    found = cluster(table, "kmeans", n_clusters=3, progress=False)["KMEANS_CLUSTER_ID"]
    cell_types = sample.cell_types.set_index("label")["cell_type"].loc[table["label"]]
    assert low <= adjusted_rand_score(cell_types, found) <= high
