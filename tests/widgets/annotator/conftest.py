from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from objclass.widgets.annotator.annotator import Annotator, annotate


@pytest.fixture
def make(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Annotator]]:
    """Make annotators in an empty folder; each has its messages to the browser in its list ``sent``."""
    monkeypatch.chdir(tmp_path)
    made: list[Annotator] = []

    def make(*args: Any, **options: Any) -> Annotator:
        annotator = annotate(*args, **{"path": None, **options})
        made.append(annotator)
        sent: list[tuple[dict[str, Any], list[bytes]]] = []
        monkeypatch.setattr(
            annotator, "send", lambda content, buffers=None: sent.append((content, buffers or []))
        )
        object.__setattr__(annotator, "sent", sent)
        return annotator

    yield make
    for annotator in made:
        annotator.wait(30)
        annotator.close()
