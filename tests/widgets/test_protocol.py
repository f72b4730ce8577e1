"""What a widget shares with its page is of the types that the protocol states."""

from __future__ import annotations

import types
from typing import Any, NotRequired, Union, get_args, get_origin, get_type_hints, is_typeddict

import numpy as np
import pytest
import traitlets

import objclass


def misfits(value: Any, expected: Any, place: str) -> list[str]:
    """Where a value is not of a type, TypedDicts included."""
    kind, arguments = get_origin(expected) or expected, get_args(expected)
    if kind is Any:
        return []
    if kind in (Union, types.UnionType):
        return min((misfits(value, argument, place) for argument in arguments), key=len)
    if is_typeddict(kind):
        hints = get_type_hints(kind)
        marked = get_type_hints(kind, include_extras=True)
        needed = [key for key in hints if kind.__total__ and get_origin(marked[key]) is not NotRequired]
        found = [f"{place}: no {key}" for key in needed if key not in value]
        for key, inner in value.items():
            at = f"{place}.{key}"
            found += misfits(inner, hints[key], at) if key in hints else [f"{at}: unknown"]
        return found
    wanted = (int, float) if kind is float else kind
    if not isinstance(value, wanted) or (kind is not bool and isinstance(value, bool)):
        return [f"{place}: {type(value).__name__}, not {expected}"]
    if kind is list:
        return [text for item in value for text in misfits(item, arguments[0], f"{place}[]")]
    if kind is dict:
        return [
            text for key, item in value.items() for text in misfits(item, arguments[1], f"{place}[{key}]")
        ]
    return []


def check(widget: Any) -> None:
    """The shared traits that the classes of the project declare all have a type, and a value of it."""
    hints = get_type_hints(type(widget))
    own = {
        name
        for base in type(widget).__mro__
        if base.__module__.startswith("objclass.")
        for name, member in vars(base).items()
        if isinstance(member, traitlets.TraitType) and member.metadata.get("sync")
    }
    own -= {"_esm", "_css", "_anywidget_id"}  # those are of anywidget
    assert own <= hints.keys()
    assert not [text for name in own for text in misfits(getattr(widget, name), hints[name], name)]


def sample() -> tuple[np.ndarray, np.ndarray]:
    labels = np.kron(np.arange(1, 25).reshape(4, 6), np.ones((6, 6), int))
    labels[:, ::6] = labels[::6] = 0
    image = np.random.default_rng(0).integers(0, 200, labels.shape).astype(np.uint16) + labels.astype(
        np.uint16
    )
    return image, labels


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_the_explorer_shares_what_its_protocol_states() -> None:
    image, labels = sample()
    explorer = objclass.explore({"a": (image, labels), "b": (image, labels)}, by="image")
    check(explorer)
    explorer = objclass.explore(image, labels)
    check(explorer)
    messages: list[dict[str, Any]] = [
        {"kind": "step", "step": "cluster", "method": "kmeans", "options": {}},
        {"kind": "select", "shape": "objects", "objects": [1, 2, 3], "client": "page", "seq": 1},
        {"kind": "class", "action": "start"},
        {"kind": "class", "action": "give", "labels": [1, 2, 3], "number": 1},
        {"kind": "class", "action": "give", "labels": [11, 12, 13], "number": 2},
        {"kind": "judge"},
        {"kind": "volume"},
    ]
    for message in messages:
        explorer._dispatch(explorer, message, [])
        explorer.wait()
        assert explorer.error == ""
        check(explorer)
    assert explorer._classes["judged"]
    assert explorer._volume["plot"]
    explorer._dispatch(explorer, {"kind": "edit", "edit": {"edit": "delete", "labels": [3]}}, [])
    explorer.wait()
    check(explorer)


def test_the_annotator_shares_what_its_protocol_states() -> None:
    image, labels = sample()
    annotator = objclass.annotate({"a": image, "b": image[:20]}, path=None)
    check(annotator)
    annotator.close()
    annotations = np.where(labels > 0, 2, 1)
    annotator = objclass.annotate(image, annotations, n_estimators=3, path=None, spacing=(0.5, 0.5))
    try:
        check(annotator)
        annotator._repr_mimebundle_()
        annotator.train()
        annotator._repr_mimebundle_()
        annotator.segment()
        check(annotator)
        for kind in ("explore", "volume"):
            annotator._dispatch(annotator, {"kind": kind}, [])
            annotator.wait()
            check(annotator)
        assert annotator.error == ""
        assert annotator.explorer_id == annotator.explorer.model_id
        assert annotator._volume["labels"]
        annotator._page.ask("topic", "Really?", {"yes": "Yes"}, print)
        check(annotator)
    finally:
        annotator.close()


def test_a_message_of_another_kind_is_refused() -> None:
    explorer = objclass.explore(*sample())
    explorer._dispatch(explorer, {"kind": "show_failure"}, [])
    assert "kind: expected one of" in explorer.error
