import os
import subprocess
import sys

import pytest

CODE = """
import sys
import numba
import numpy as np
import pandas as pd
from objclass.tables.reduction import reduce
from objclass.tables.umap_cache import import_umap
umap = import_umap()
for n_objects in (64, 600):
    values = np.random.default_rng(0).normal(size=(n_objects, 4))
    table = pd.DataFrame(values, columns=list("abcd")).assign(label=np.arange(1, n_objects + 1))
    assert "UMAP_0" in reduce(table, "umap", progress=False)
assert not any(name.startswith("pynndescent") for name in sys.modules)
numba.config.DISABLE_JIT = 1  # pynndescent takes long to compile
assert umap.umap_.pynn_named_distances["euclidean"] is sys.modules["pynndescent.distances"].euclidean
assert "canberra" in umap.umap_.pynn_sparse_named_distances
try:
    umap.umap_.NNDescent(np.zeros((9, 4), np.float32), metric="none")
    raise SystemExit("made with a metric that is none")
except ValueError as error:
    assert "neither callable" in str(error)
theirs = sys.modules["pynndescent"].NNDescent
index = theirs.__new__(theirs)
assert isinstance(index, umap.umap_.NNDescent)
assert not isinstance(umap, umap.umap_.NNDescent)
"""


@pytest.mark.slow
def test_pynndescent_is_imported_where_umap_uses_it_and_not_before():
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    subprocess.run([sys.executable, "-W", "ignore", "-c", CODE], check=True, env=environment)
