"""Export of tables: files and AnnData."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from objclass._common import checks
from objclass._common.files import AnyPath, replacing
from objclass.io.tables import plain_text, safe_text, write_csv
from objclass.measurement.columns import describe_columns
from objclass.tables.columns import measurement_columns
from objclass.tables.roles import EMBEDDINGS

if TYPE_CHECKING:
    import pandas as pd

_EMBEDDING = re.compile(rf"({'|'.join(EMBEDDINGS)})_(\d+)")
_EMBEDDING_KEYS = {name: name.lower().replace("-", "") for name in EMBEDDINGS} | {"PC": "pca"}
_POSITION = re.compile(r"centroid-(\d)")


def file_formats() -> list[str]:
    """Return the formats that `to_bytes` supports with the installed packages."""
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
        return safe_text(table).to_csv(index=False, lineterminator="\n").encode()
    return table.to_parquet(index=False)


def write_table(table: pd.DataFrame, path: AnyPath) -> None:
    """Write a table with the description of its columns.

    A CSV file contains only the table, so that pandas, Excel and R read it without options. Text that begins
    like a formula is written after an apostrophe, which `read_table` removes. The unit, group,
    definition and source of each column of ``objects.csv`` are written to ``objects.columns.csv``. Parquet
    stores them in the file.

    Parameters
    ----------
    table : DataFrame
        One row for each object, as from `measure`.
    path : str or path
        The file, ending in ``.csv`` or ``.parquet``; written atomically.

    Raises
    ------
    ImportError
        If the format is Parquet and pyarrow is not installed.
    TypeError, ValueError
        If `table` is not a DataFrame or the suffix is not supported.

    Examples
    --------
    >>> import objclass, pathlib, tempfile
    >>> folder = tempfile.TemporaryDirectory()
    >>> path = pathlib.Path(folder.name) / "objects.csv"
    >>> table = objclass.measure(np.ones((2, 3), int), spacing=0.5, unit="µm", properties="area")
    >>> objclass.write_table(table, path)
    >>> print(path.with_suffix(".columns.csv").read_text(encoding="utf-8-sig"))
    name,unit,group,definition,source
    label,,,The label of the object in its label image.,
    area,µm²,size,"Area, or volume in 3D.",scikit-image
    >>> objclass.read_table(path).attrs["columns"]["area"]["unit"]
    'µm²'
    >>> folder.cleanup()
    """
    suffix = Path(path).suffix.lower()
    described = describe_columns(table)
    if suffix not in (".csv", ".parquet"):
        raise checks.invalid("path", "a path that ends in .csv or .parquet", str(path))
    if suffix == ".csv":
        write_csv(Path(path), table)
        write_columns(described, path)
        return
    with replacing(path) as temporary:
        table.to_parquet(temporary, index=False)


def write_columns(described: pd.DataFrame, path: AnyPath) -> None:
    """Write the descriptions of `describe_columns` next to the CSV file at `path`."""
    with replacing(_columns_path(path)) as temporary:
        # Excel recognizes UTF-8 only with a byte order mark; pandas and R ignore it.
        described.to_csv(temporary, index=False, encoding="utf-8-sig", lineterminator="\n")


def read_table(path: AnyPath) -> pd.DataFrame:
    """Read a table written by `write_table`, with the description of its columns.

    Parameters
    ----------
    path : str or path
        The file, ending in ``.csv`` or ``.parquet``. The file ``objects.columns.csv`` of a CSV is optional.

    Returns
    -------
    pandas.DataFrame
        The table, with the description of its columns in ``attrs``.

    Raises
    ------
    FileNotFoundError
        If there is no such file.

    Examples
    --------
    >>> import objclass, pathlib, tempfile
    >>> folder = tempfile.TemporaryDirectory()
    >>> path = pathlib.Path(folder.name) / "objects.csv"
    >>> objclass.write_table(objclass.measure(np.ones((2, 3), int), properties="area"), path)
    >>> objclass.read_table(path)
       label  area
    0      1   6.0
    >>> folder.cleanup()
    """
    import pandas as pd

    if not Path(path).exists():
        raise checks.invalid("path", "a file", f"{path}, which does not exist", kind=FileNotFoundError)
    if Path(path).suffix.lower() == ".parquet":
        return pd.read_parquet(path)
    table = plain_text(pd.read_csv(path))
    if _columns_path(path).exists():
        described = pd.read_csv(_columns_path(path), keep_default_na=False, encoding="utf-8-sig")
        columns = {row.pop("name"): row for row in described.to_dict("records") if row["group"]}
        table.attrs.update({"columns": columns})
    return table


def _columns_path(path: AnyPath) -> Path:
    return Path(path).with_suffix(".columns.csv")


def to_anndata(table: pd.DataFrame) -> Any:
    """Return the table as AnnData, for scverse tools such as scanpy and squidpy.

    Parameters
    ----------
    table : DataFrame
        One row for each object.

    Returns
    -------
    anndata.AnnData
        The measurements are in ``X``, embeddings in ``obsm["X_umap"]`` etc., positions in
        ``obsm["spatial"]`` (x, y and z), and clusters, as categories, in ``obs`` with all other columns.
        ``var`` contains the unit, group, definition and source of each measurement, ``uns["objclass"]`` the
        unit of length. Observation names are the labels, or ``image:label`` for several images.

    Raises
    ------
    ImportError
        If anndata is not installed.

    See Also
    --------
    from_anndata : the inverse

    Examples
    --------
    >>> adata = objclass.to_anndata(table)  # doctest: +SKIP
    >>> adata.write_h5ad("objects.h5ad")  # doctest: +SKIP
    """
    AnnData = _anndata_class()
    names = measurement_columns(table)
    embeddings: dict[str, list[str]] = {}
    for name in map(str, table):
        if found := _EMBEDDING.fullmatch(name):
            embeddings.setdefault(found[1], []).append(name)
    position = sorted((str(name) for name in table if _POSITION.fullmatch(str(name))), reverse=True)
    used = {*names, *position, *(name for columns in embeddings.values() for name in columns)}
    obs = table[[name for name in table if name not in used]].copy()
    key = [name for name in ("image", "frame", "label") if name in table]
    obs.index = table[key].astype(str).agg(":".join, axis=1) if len(table) else table["label"].astype(str)
    obs.index.name = None
    obs.attrs = {}
    clusters = [name for name in obs if str(name).endswith("_CLUSTER_ID")]
    obs = obs.astype(dict.fromkeys(clusters, "category"))
    described = describe_columns(table).set_index("name").loc[names]
    described.index.name = None
    result = AnnData(_matrix(table, names), obs=obs, var=described)
    for method, columns in embeddings.items():
        result.obsm[f"X_{_EMBEDDING_KEYS[method]}"] = _matrix(table, columns)
    if position:
        result.obsm["spatial"] = _matrix(table, position)
    result.uns["objclass"] = {
        "unit": str(table.attrs.get("unit", "")),
        "columns": list(map(str, table.columns)),
    }
    return result


def from_anndata(adata: Any) -> pd.DataFrame:
    """Return the table of an AnnData, as `to_anndata` makes it or any other with measurements in ``X``.

    Parameters
    ----------
    adata : anndata.AnnData
        Embeddings in ``obsm`` become columns such as ``UMAP_0``, ``obsm["spatial"]`` the centroid. If
        ``obs`` has no ``label``, labels are assigned from 1.

    Returns
    -------
    pandas.DataFrame
        One row for each observation.

    Raises
    ------
    ImportError
        If anndata is not installed.
    TypeError
        If `adata` is not an AnnData object.

    Examples
    --------
    >>> adata = objclass.to_anndata(table)  # doctest: +SKIP
    >>> objclass.from_anndata(adata)  # doctest: +SKIP
    """
    import pandas as pd

    if not isinstance(adata, _anndata_class()):
        raise checks.invalid("adata", "an AnnData", checks.describe(adata), kind=TypeError)
    matrix = adata.X.toarray() if hasattr(adata.X, "toarray") else np.asarray(adata.X)
    columns: dict[str, Any] = {str(name): adata.obs[name].array for name in adata.obs}
    if "label" not in columns:
        columns = {"label": np.arange(1, adata.n_obs + 1)} | columns
    columns |= {str(name): matrix[:, index] for index, name in enumerate(adata.var_names)}
    for method, key in _EMBEDDING_KEYS.items():
        for axis, values in enumerate(np.asarray(adata.obsm.get(f"X_{key}", np.empty((0, 0)))).T):
            columns[f"{method}_{axis}"] = values
    for axis, values in enumerate(np.asarray(adata.obsm.get("spatial", np.empty((0, 0)))).T[::-1]):
        columns[f"centroid-{axis}"] = values
    known = adata.uns.get("objclass", {})
    order = [name for name in known.get("columns", []) if name in columns]
    table = pd.DataFrame(columns).reset_index(drop=True)
    table = table[[*order, *(name for name in columns if name not in order)]]
    described = {"unit", "group", "definition", "source"}
    if described <= {*adata.var.columns}:
        rows = adata.var[[*described]].to_dict("index")
        table.attrs.update(
            {"unit": known.get("unit", ""), "columns": {str(name): rows[name] for name in rows}}
        )
    return table


def _anndata_class() -> Any:
    try:
        from anndata import AnnData  # type: ignore[import-not-found, unused-ignore]
    except ImportError as error:
        raise ImportError(
            "AnnData needs the package anndata. Install it with: python -m pip install anndata"
        ) from error
    return AnnData


def _matrix(table: pd.DataFrame, names: list[str]) -> np.ndarray:
    columns = [table[name].to_numpy(dtype=np.float64, na_value=np.nan) for name in names]
    return np.column_stack(columns) if columns else np.empty((len(table), 0))
