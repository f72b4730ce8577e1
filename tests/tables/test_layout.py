import numpy as np
import pandas as pd
import pytest

from objclass.tables.kernels.layout import tabulate_forces
from objclass.tables.reduction import reduce
from objclass.tables.umap_cache import import_umap, quick_layout


@pytest.mark.parametrize(("a", "b"), [(1.57694, 0.895061), (0.1, 1.9), (5.0, 0.3)])
def test_forces_are_as_exact_as_places(a, b):
    forces = tabulate_forces(a, b, 1.5)
    x = np.exp(np.random.default_rng(0).uniform(-12, 12, 10_000)).astype(np.float32)
    cell = (x.view(np.uint32) >> 17).astype(int) - (87 << 6)
    x = x.astype(float)
    found = [c[cell, 0] + x * (c[cell, 1] + x * c[cell, 2]) for c in forces]
    pull, push = -2 * a * b * x ** (b - 1) / (a * x**b + 1), 3 * b / ((0.001 + x) * (a * x**b + 1))
    np.testing.assert_allclose(found, [pull, push], rtol=2e-6)


@pytest.mark.parametrize("both", [True, False])
def test_an_epoch_is_that_of_umap_learn(both):
    epoch = import_umap().layouts._nb_optimize_layout_euclidean_single_epoch
    n, rng = 40, np.random.default_rng(0)
    heads, tails = (numbers.astype(np.int32).ravel() for numbers in np.indices((n, n)))
    near = rng.random(heads.size) < 0.2
    near[:3] = True  # the first is its own neighbour: nothing moves
    heads, tails = heads[near], tails[near]
    every = rng.uniform(1, 3, heads.size)
    places = rng.normal(size=(n, 3)).astype(np.float32)
    found = []
    for quick in (True, False):
        moved, others = places.copy(), (places + np.float32(0.5))
        others = moved if both else others
        state = np.arange(3 * n).reshape(n, 3) * 7919
        due, due_other = every.copy(), every / 5
        zero = np.zeros(1, np.float32)
        options = 1.57694, 0.895061, state, 1.0, 3, both, 0.02, every / 5, due_other, due
        before = heads, tails, n, every
        for number in range(6):
            arguments = moved, others, *before, *options, number, False, zero, zero, 0, 0, 0, 0, zero, zero, 0
            if quick:
                with quick_layout():
                    epoch(*arguments)
            else:
                epoch(*arguments)
        found.append((moved, others, state, due, due_other))
    for ours, theirs in zip(*found, strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-4)
    assert np.abs(found[0][0] - places).max() > 0.1


def test_densmap_is_that_of_umap_learn():
    values = np.random.default_rng(0).normal(size=(60, 4))
    table = pd.DataFrame(values, columns=list("abcd")).assign(label=range(60))
    plain = reduce(table, "umap", n_epochs=30)
    assert np.abs(reduce(table, "umap", n_epochs=30, densmap=True) - plain)["UMAP_0"].max() > 0.01
