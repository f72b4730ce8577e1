"""Tables that are larger than the memory."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from objclass._common.checks import invalid
from objclass._common.files import AnyPath, check_exists, replacing
from objclass.tables import classification

if TYPE_CHECKING:
    from objclass.tables.table_classifier import TableClassifier

_ROWS = 2**16


def classify(table: AnyPath, classifier: TableClassifier, path: AnyPath) -> None:
    """Predict the class of each object of a Parquet file, some rows at a time.

    Parameters
    ----------
    table : str or path
        The Parquet file, as from `write_table` or ``objclass batch``: one row for each object, with the
        columns that the classifier was trained on.
    classifier : TableClassifier
        From `train_table_classifier` or `load_classifier`.
    path : str or path
        The Parquet file to write: the columns of `table`, then those of `objclass.classify`. It may be
        `table` itself.

    Raises
    ------
    FileNotFoundError
        If the file does not exist.
    ValueError
        If it is not Parquet, or as `objclass.classify`.

    Examples
    --------
    >>> import tempfile, pandas as pd, objclass
    >>> folder = tempfile.TemporaryDirectory()
    >>> table = pd.DataFrame({"label": range(1, 7), "area": [3.0, 4, 5, 30, 40, 50]})
    >>> objclass.write_table(table, f"{folder.name}/objects.parquet")
    >>> classifier = objclass.train_table_classifier(table, {1: 7, 2: 7, 5: 9, 6: 9})
    >>> classify(f"{folder.name}/objects.parquet", classifier, f"{folder.name}/classes.parquet")
    >>> objclass.read_table(f"{folder.name}/classes.parquet")["CLASS"].tolist()
    [7, 7, 7, 9, 9, 9]
    >>> folder.cleanup()
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    check_exists(table, argument="table")
    try:
        source = pq.ParquetFile(table)
    except (pa.ArrowInvalid, OSError) as error:
        raise invalid("table", "a Parquet file", f"{table} ({error})") from error
    with source, replacing(path) as temporary:
        old = source.schema_arrow
        attrs = json.loads((old.metadata or {}).get(b"PANDAS_ATTRS", b"{}"))
        kind = pa.string() if isinstance(classifier.classes[0], str) else pa.int64()
        names = ["CLASS_PROBABILITY", *(f"PROBABILITY_{name}" for name in classifier.classes)]
        new = [("CLASS", kind), *((name, pa.float64()) for name in names)]
        kept = [field for field in old if not classification.is_result(field.name)]
        schema = pa.schema([*kept, *(pa.field(*one) for one in new)], metadata=_metadata(attrs, classifier))
        with pq.ParquetWriter(temporary, schema) as writer:
            for batch in source.iter_batches(_ROWS, columns=[field.name for field in kept]):
                rows = batch.to_pandas()
                rows.attrs = attrs
                found = classification.classify(rows, classifier)
                writer.write_table(pa.Table.from_pandas(found, schema, preserve_index=False))


def _metadata(attrs: dict[str, Any], classifier: TableClassifier) -> dict[str, str]:
    """Return what pandas keeps of a table in a Parquet file."""
    colors = {str(name): color for name, color in classifier.colors.items()}
    return {"PANDAS_ATTRS": json.dumps({**attrs, **({"class_colors": colors} if colors else {})})}
