"""A table of objects for other tools: files, and AnnData."""

from __future__ import annotations

import importlib.util
import re
from typing import TYPE_CHECKING, Any

import numpy as np

from objclass._common import checks
from objclass.tables.columns import measurement_columns
from objclass.tables.roles import EMBEDDINGS

if TYPE_CHECKING:
    import pandas as pd

_EMBEDDING = re.compile(rf"({'|'.join(EMBEDDINGS)})_(\d+)")
_POSITION = re.compile(r"centroid-(\d)")


def file_formats() -> list[str]:
    """Return the formats that `to_bytes` can write here."""
    return ["csv", *(["parquet"] if importlib.util.find_spec("pyarrow") else [])]


def to_bytes(table: pd.DataFrame, file_format: str) -> bytes:
    r"""Return the table as the content of a file, without its index.

    Examples
    --------
    >>> import pandas as pd
    >>> to_bytes(pd.DataFrame({"label": [1], "area": [2.5]}), "csv")
    b'label,area\n1,2.5\n'
    """
    checks.check_option("file_format", file_format, file_formats())
    if file_format == "csv":
        return table.to_csv(index=False, lineterminator="\n").encode()
    return table.to_parquet(index=False)


def to_anndata(table: pd.DataFrame) -> Any:
    """Return the table as AnnData, for scverse tools.

    The measurements become ``X``, embeddings ``obsm["X_umap"]`` and the like, positions
    ``obsm["spatial"]`` (x, y and z), clusters categories in ``obs`` beside all other columns. The names of
    the observations are the labels.

    Raises
    ------
    ImportError
        If anndata is not installed.
    """
    try:
        from anndata import AnnData  # type: ignore[import-not-found, unused-ignore]
    except ImportError as error:
        raise ImportError(
            "AnnData needs the package anndata. Install it with: python -m pip install anndata"
        ) from error

    names = measurement_columns(table)
    embeddings: dict[str, list[str]] = {}
    for name in map(str, table):
        if found := _EMBEDDING.fullmatch(name):
            embeddings.setdefault(found[1], []).append(name)
    position = sorted((str(name) for name in table if _POSITION.fullmatch(str(name))), reverse=True)
    used = {*names, *position, *(name for columns in embeddings.values() for name in columns)}
    obs = table[[name for name in table if name not in used]].copy()
    obs.index = table["label"].astype(str)
    obs.index.name = None
    clusters = [name for name in obs if str(name).endswith("_CLUSTER_ID")]
    obs = obs.astype(dict.fromkeys(clusters, "category"))
    result = AnnData(_matrix(table, names), obs=obs)
    result.var_names = names
    for method, columns in embeddings.items():
        result.obsm[f"X_{method.lower().replace('-', '').replace('pc', 'pca')}"] = _matrix(table, columns)
    if position:
        result.obsm["spatial"] = _matrix(table, position)
    return result


def _matrix(table: pd.DataFrame, names: list[str]) -> np.ndarray:
    columns = [table[name].to_numpy(dtype=np.float64, na_value=np.nan) for name in names]
    return np.column_stack(columns) if columns else np.empty((len(table), 0))
