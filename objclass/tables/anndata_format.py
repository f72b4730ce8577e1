"""Tables as AnnData, for scverse tools, and back."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from objclass._common import checks
from objclass.measurement.columns import column_channels, describe_columns
from objclass.tables.columns import CLUSTERS, check_table, key_columns, measurement_columns
from objclass.tables.roles import EMBEDDINGS

if TYPE_CHECKING:
    import pandas as pd

_EMBEDDING = re.compile(rf"({'|'.join(EMBEDDINGS)})_(\d+)")
_EMBEDDING_KEYS = {name: name.lower().replace("-", "") for name in EMBEDDINGS} | {"PC": "pca"}
_POSITION = re.compile(r"centroid-(\d)")
_DESCRIBED = ["unit", "group", "definition", "source"]


def to_anndata(table: pd.DataFrame, *, var: str = "measurements") -> Any:
    """Return the table as AnnData, for scverse tools such as scanpy and squidpy.

    Parameters
    ----------
    table : DataFrame
        One row for each object.
    var : {"measurements", "channels"}
        The variables of ``X``. "measurements": all measurements, for clustering and embedding with scanpy.
        "channels": the channels, with a layer for each measurement of a channel.

    Returns
    -------
    anndata.AnnData
        Embeddings are in ``obsm["X_umap"]`` etc., positions in ``obsm["spatial"]`` (x, y and z), and
        clusters, as categories, in ``obs`` with all other columns. ``uns["objclass"]`` contains the unit of
        length, the spacing, and the unit, group, definition and source of each column. Observation names are
        the labels, or ``image:label`` for several images.

        With measurements, ``var`` contains their description and, for ``intensity_mean-DAPI``, the
        ``measurement`` "intensity_mean" and the ``channel`` "DAPI".

        With channels, ``X`` contains ``intensity_mean`` (or else the first measurement of channels), each
        other one has a layer of its name, such as ``layers["intensity_median"]``, and measurements that
        belong to no channel, such as ``area``, are in ``obs``.

    Raises
    ------
    ImportError
        If anndata is not installed.
    TypeError, ValueError
        If `table` is not a table of objects, or has no measurements of named channels for "channels".

    See Also
    --------
    from_anndata : the inverse

    Notes
    -----
    All layers of an AnnData have the variables of ``X``. Markers as variables, statistics as layers and
    morphology in ``obs`` is how tools for multiplexed images arrange them (steinbock, imctoolkit, MCMICRO
    with scimap), so that ``layer="intensity_median"`` selects a statistic in scanpy and squidpy. A layer for
    each channel instead would consist of NaN in the columns of all other channels, which most of their
    functions refuse; the columns of a channel are ``adata[:, adata.var["channel"] == "DAPI"]``.

    References
    ----------
    Virshup et al.: anndata: access and store annotated data matrices. Journal of Open Source Software 9
    (2024), 4371.

    Examples
    --------
    >>> adata = objclass.to_anndata(table, var="channels")  # doctest: +SKIP
    >>> adata[:, "DAPI"].layers["intensity_median"]  # doctest: +SKIP
    >>> adata.write_h5ad("objects.h5ad")  # doctest: +SKIP
    """
    import pandas as pd

    AnnData = _anndata_class()
    checks.check_option("var", var, ["measurements", "channels"])
    check_table(table)
    measured = measurement_columns(table)
    channels = {name: channel for name, channel in column_channels(table).items() if name in measured}
    described = describe_columns(table).set_index("name")
    described.index.name = None
    layers: dict[str, np.ndarray] = {}
    if var == "channels":
        variables = pd.DataFrame(index=list(dict.fromkeys(channels.values())))
        layers = _layers(table, channels)
        first = "intensity_mean" if "intensity_mean" in layers else next(iter(layers))
        matrix, used = layers.pop(first), [*channels]
    else:
        first, matrix, used = "", _matrix(table, measured), measured
        variables = described.loc[measured]
        variables.insert(0, "measurement", [_measurement(name, channels.get(name)) for name in measured])
        variables.insert(1, "channel", [channels.get(name, "") for name in measured])
    embeddings: dict[str, list[str]] = {}
    for name in map(str, table):
        if found := _EMBEDDING.fullmatch(name):
            embeddings.setdefault(found[1], []).append(name)
    for columns in embeddings.values():
        columns.sort(key=lambda name: int(name.rpartition("_")[2]))
    position = sorted((str(name) for name in table if _POSITION.fullmatch(str(name))), reverse=True)
    used = [*used, *position, *(name for columns in embeddings.values() for name in columns)]
    result = AnnData(matrix, obs=_observations(table.drop(columns=used), table), var=variables, layers=layers)
    for method, columns in embeddings.items():
        result.obsm[f"X_{_EMBEDDING_KEYS[method]}"] = _matrix(table, columns)
    if position:
        result.obsm["spatial"] = _matrix(table, position)
    attributes = {name: table.attrs.get(name) for name in ("unit", "spacing", "ndim")}
    result.uns["objclass"] = {name: value for name, value in attributes.items() if value is not None}
    result.uns["objclass"] |= {"columns": described, "X": first}
    return result


def from_anndata(adata: Any) -> pd.DataFrame:
    """Return the table of an AnnData, as `to_anndata` makes it or any other with measurements in ``X``.

    Parameters
    ----------
    adata : anndata.AnnData
        Embeddings in ``obsm`` become columns such as ``UMAP_0``, ``obsm["spatial"]`` the centroid. If
        ``obs`` has no ``label``, labels are assigned from 1. Layers become columns such as
        ``intensity_median-DAPI`` if they are from `to_anndata`; others are ignored.

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
    known = adata.uns.get("objclass", {})
    described = known.get("columns", pd.DataFrame(columns=_DESCRIBED))
    columns: dict[str, Any] = {str(name): adata.obs[name].array for name in adata.obs}
    if "label" not in columns:
        columns = {"label": np.arange(1, adata.n_obs + 1)} | columns
    measured = list(_measurements(adata, known.get("X", ""), described.index))
    names = [*columns, *(name for name, _ in measured)]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        hint = "Rename them in obs or var, or call adata.var_names_make_unique()."
        raise checks.invalid("adata", "names that occur once in obs and var", f"twice {twice[:5]}", hint)
    columns |= dict(measured)
    for method, key in _EMBEDDING_KEYS.items():
        for axis, values in enumerate(np.asarray(adata.obsm.get(f"X_{key}", np.empty((0, 0)))).T):
            columns[f"{method}_{axis}"] = values
    for axis, values in enumerate(np.asarray(adata.obsm.get("spatial", np.empty((0, 0)))).T[::-1]):
        columns[f"centroid-{axis}"] = values
    order = [name for name in described.index if name in columns]
    table = pd.DataFrame(columns).reset_index(drop=True)
    table = table[[*order, *(name for name in columns if name not in order)]]
    rows = described.loc[[bool(group) for group in described["group"]], _DESCRIBED]
    table.attrs = {"unit": str(known["unit"])} if "unit" in known else {}
    table.attrs |= {"spacing": [float(step) for step in known["spacing"]]} if "spacing" in known else {}
    table.attrs |= {"ndim": int(known["ndim"])} if "ndim" in known else {}
    table.attrs |= {"columns": rows.to_dict("index")} if len(rows) else {}
    return table


def _layers(table: pd.DataFrame, channels: Mapping[str, str]) -> dict[str, np.ndarray]:
    """Return a matrix of objects and channels for each measurement of channels, NaN where there is none."""
    if not channels:
        hint = 'Name them in objclass.measure(..., channel_names=[...]), or use var="measurements".'
        raise checks.invalid("table", "measurements of named channels", "none", hint)
    order = {channel: column for column, channel in enumerate(dict.fromkeys(channels.values()))}
    layers: dict[str, np.ndarray] = {}
    for name, channel in channels.items():
        empty = np.full((len(table), len(order)), np.nan)
        layer = layers.setdefault(_measurement(name, channel), empty)
        layer[:, order[channel]] = _matrix(table, [name])[:, 0]
    return layers


def _measurement(name: str, channel: str | None) -> str:
    return name.removesuffix(f"-{channel}") if channel else name


def _measurements(adata: Any, first: str, known: Any) -> Iterator[tuple[str, Any]]:
    """Yield the columns in ``X`` and, if the variables are channels, in the layers of measurements."""
    parts = {first: adata.X} | ({name: adata.layers[name] for name in adata.layers} if first else {})
    for measurement, part in parts.items():
        matrix = part.toarray() if hasattr(part, "toarray") else np.asarray(part)
        for variable, values in zip(adata.var_names, matrix.T, strict=True):
            name = f"{measurement}-{variable}" if measurement else str(variable)
            if not measurement or name in known:
                yield name, values


def _observations(others: pd.DataFrame, table: pd.DataFrame) -> pd.DataFrame:
    """Return the columns for ``obs``, indexed by the key of each object, with clusters as categories."""
    key = table[key_columns(table)].astype(str)
    obs = others.copy()
    obs.index = key.agg(":".join, axis=1) if len(table) else key["label"]
    obs.index.name = None
    obs.attrs = {}
    clusters = [name for name in obs if str(name).endswith(CLUSTERS)]
    return obs.astype(dict.fromkeys(clusters, "category"))


def _anndata_class() -> Any:
    try:
        from anndata import AnnData  # type: ignore[import-not-found, unused-ignore]
    except ImportError as error:
        hint = "Install it with: python -m pip install anndata"
        raise checks.invalid("anndata", "the package anndata", "none", hint, kind=ImportError) from error
    return AnnData


def _matrix(table: pd.DataFrame, names: list[str]) -> np.ndarray:
    columns = [table[name].to_numpy(dtype=np.float64, na_value=np.nan) for name in names]
    return np.column_stack(columns) if columns else np.empty((len(table), 0))
