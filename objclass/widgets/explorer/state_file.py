"""The state of an explorer as JSON, for its file and for running its cell again."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from objclass._common import checks
from objclass._common.files import check_name, check_writable, file_identity, replacing
from objclass.tables.selection import GROUP_COLUMN
from objclass.widgets.background import Latest

if TYPE_CHECKING:
    import pandas as pd

FORMAT, VERSION = "objclass explorer", 2
_DTYPES = ("float64", "float32", "int64", "int32", "Int64", "bool", "boolean", "string", "str", "object")


class StateFile:
    """Write the newest state to a file in a thread, without overwriting another writer's changes.

    Parameters
    ----------
    path : str, path or None
        A file that ends in .json. With None nothing is read or written.
    on_failure : callable
        Called in the thread with the exception; nothing is written after that.
    """

    def __init__(self, path: str | os.PathLike[str] | None, on_failure: Callable[[Exception], None]):
        self.stopped = path is None
        self.path = check_name(Path(path or "").expanduser(), argument="save_to").absolute()
        if path is not None:
            if self.path.suffix != ".json":
                raise checks.invalid("save_to", "a file name that ends in .json", str(path))
            check_writable(self.path.parent, argument="save_to")
        self._on_failure = on_failure
        self._known = file_identity(self.path)
        self._jobs = Latest(self._fail)

    def read(self) -> dict[str, Any] | None:
        """Return the state in the file; None if it does not exist.

        Raises
        ------
        ValueError
            If it is not such a file.
        """
        if self.stopped or not self.path.exists():
            return None
        hint = "Choose another name; the file is not changed."
        expected = "a file written by explore(save_to=…)"
        try:
            state = json.loads(self.path.read_text(encoding="utf-8"))
        except (OSError, ValueError, RecursionError) as failure:
            raise checks.invalid("save_to", expected, f"{self.path} ({failure})", hint) from None
        if not isinstance(state, dict) or state.get("format") != FORMAT:
            raise checks.invalid("save_to", expected, str(self.path), hint)
        if state.get("version") != VERSION:
            raise checks.invalid(
                "save_to", f"a file of version {VERSION}", f"version {state['version']}", hint
            )
        return state

    def save(self, state: Callable[[], dict[str, Any]]) -> None:
        """Request writing ``state()``; a waiting request is replaced."""
        if not self.stopped:
            self._jobs.submit("save", lambda: self._write(state))

    def close(self) -> None:
        """Write the waiting state, and nothing after it."""
        self.flush()
        self.stopped = True

    def flush(self, timeout: float = 30) -> None:
        """Wait until all requested states are saved."""
        self._jobs.join(timeout)

    def _fail(self, failure: Exception) -> None:
        self.stopped = True
        self._on_failure(failure)

    def _write(self, state: Callable[[], dict[str, Any]]) -> None:
        if self.stopped:
            return
        if file_identity(self.path) != self._known:
            hint = "Changes are no longer saved; run the cell again to resume from the file."
            raise checks.invalid("save_to", "a file that only this explorer writes", str(self.path), hint)
        text = json.dumps({"format": FORMAT, "version": VERSION, **state()}, allow_nan=False)
        with replacing(self.path) as temporary:
            temporary.write_text(text, encoding="utf-8")
        self._known = file_identity(self.path)


def table_digest(table: pd.DataFrame) -> str:
    """Return a digest of the values and column names of a table."""
    import pandas as pd

    numeric = table.select_dtypes("number")
    digest = hashlib.sha256(json.dumps([str(name) for name in table]).encode())
    digest.update(pd.util.hash_pandas_object(numeric, index=False).to_numpy().tobytes())
    return digest.hexdigest()


def column_to_json(column: pd.Series) -> dict[str, Any]:
    """Return a column, JSON-serializable and lossless.

    Examples
    --------
    >>> import pandas as pd
    >>> column_to_json(pd.Series([0.1, float("nan")]))
    {'dtype': 'float64', 'values': [0.1, None]}
    """
    values = column.astype(object).where(column.notna(), None).tolist()
    return {"dtype": str(column.dtype), "values": values}


def column_from_json(stored: Mapping[str, Any]) -> pd.Series:
    """Return the column stored by `column_to_json`."""
    import pandas as pd

    dtype = checks.check_option("dtype", stored["dtype"], _DTYPES)
    return pd.Series(stored["values"], dtype=dtype)


def changes_to_json(table: pd.DataFrame, before: pd.DataFrame) -> dict[str, Any]:
    """Return the columns in which a table differs from another one of the same rows, as JSON."""
    changed = [name for name in table if name not in before or not table[name].equals(before[name])]
    return {
        "columns": {str(name): column_to_json(table[name]) for name in changed if name != GROUP_COLUMN},
        "dropped": [str(name) for name in before if name not in table],
    }


def changes_from_json(stored: Mapping[str, Any], before: pd.DataFrame) -> pd.DataFrame:
    """Return the table whose differences `changes_to_json` has stored."""
    columns = {name: column_from_json(column) for name, column in stored["columns"].items()}
    table = before.drop(columns=[name for name in before if name in columns or name in stored["dropped"]])
    return table.assign(**{name: column.set_axis(table.index) for name, column in columns.items()})


def running_cell() -> tuple[str, int] | None:
    """Return the running notebook cell and the number of executed cells; None outside of a notebook."""
    try:
        shell = get_ipython()  # type: ignore[name-defined]
        cell = shell.get_parent()["metadata"]["cellId"]
    except (NameError, AttributeError, KeyError, TypeError):
        return None
    return str(cell), int(shell.execution_count)
