"""The manual corrections of the objects of a run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from objclass._common.checks import invalid
from objclass._common.files import AnyPath


def read_edits(path: AnyPath) -> tuple[list[dict[str, Any]], str]:
    """Read a list of edits for `objclass.edit_objects` from a JSON file, or from that of an explorer.

    Returns
    -------
    edits : list of dict
    objects : str
        The fingerprint of the labels that were edited; empty if the file does not say.

    Raises
    ------
    FileNotFoundError
        If it is not there.
    ValueError
        If it does not contain a list of edits.
    """
    hint = "Write explorer.edits with json.dump, or give the explorer's own file (save_to=)."
    try:
        content = json.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        kind = FileNotFoundError if isinstance(error, FileNotFoundError) else ValueError
        reason = error.strerror if isinstance(error, OSError) else error
        got = f"{path} ({reason})"
        raise invalid("edits", "a JSON file of a list of edits", got, hint, kind=kind) from error
    objects = ""
    if isinstance(content, dict) and isinstance(content.get("edits"), dict):
        content, objects = content["edits"].get("list"), str(content.get("objects", ""))
    if not isinstance(content, list) or not all(isinstance(edit, dict) for edit in content):
        raise invalid("edits", "a JSON file of a list of edits", f"other content in {path}", hint)
    return content, objects
