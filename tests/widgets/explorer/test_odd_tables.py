"""Tables of all kinds in the explorer: whatever is done, the code and the file make the same table again."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pandas as pd
import pytest

import objclass
from objclass.tables import models
from objclass.widgets.explorer.explorer import explore
from tests.widgets.explorer.test_explorer import Page


def experiment() -> tuple[np.ndarray, np.ndarray, pd.DataFrame]:
    rng = np.random.default_rng(0)
    labels = np.kron(np.arange(1, 25).reshape(4, -1), np.ones((6, 6), int))
    labels[::6] = labels[:, ::6] = 0
    image = rng.integers(0, 4000, labels.shape).astype(np.uint16)
    return image, labels, objclass.measure(labels, image, progress=False)


def tables() -> dict[str, Any]:
    some = [1, None] * 12
    return {
        "missing and types": lambda t: t.assign(
            a=np.nan,
            b=np.where(t["label"] % 2, 1.5, np.nan),
            c=np.inf,
            n=pd.array(some, "Int64"),
            d=pd.Timestamp("2020-01-01"),
            even=t["label"] % 2 == 0,
            cat=pd.Categorical(list("abc") * 8, list("cbaz"), ordered=True),
        ),
        "text and odd names": lambda t: t.assign(
            kind=list("abcd") * 6, long=[f"{'x' * 300}{k}" for k in range(24)]
        ).rename(columns={"area": "größe \"µm²\" 'x' {y} \\n", "solidity": "a b", "extent": "日本"}),
        "shuffled and rows missing": lambda t: t[t["label"] > 5].sample(frac=1, random_state=0),
        "labels as floats and an index": lambda t: t.assign(label=t["label"].astype(float)).set_index(
            pd.Index([0] * 24)
        ),
        "results and keys": lambda t: t.assign(
            CLASS=list("ab") * 12,
            CLASS_PROBABILITY=0.5,
            MANUAL_CLUSTER_ID=pd.array(some, "Int64"),
            image="a",
            frame=0,
        ),
    }


@pytest.mark.filterwarnings("ignore:.* missing values", "ignore:.* single example")
@pytest.mark.parametrize("name", tables())
def test_everything_works_on_tables_of_all_kinds(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(models, "_TREES", 10)  # forests of any size are made of these tables
    image, labels, measured = experiment()
    table = tables()[name](measured)
    page = Page(explore(image, labels, table))
    explorer = page.explorer
    numbers = explorer.objects.row_labels.tolist()

    def tell(kind: str, **content: Any) -> None:
        page.tell(kind, **content)
        explorer.wait(60)
        assert explorer.error == "", (kind, content)

    for column in explorer._columns:
        tell("column", name=column["name"])
        tell("rows", count=3, sort=column["name"], descending=True)
    tell("row", label=numbers[0])
    tell("select", shape="objects", objects=numbers[:3], mode="replace")
    tell("profile", by="MANUAL_CLUSTER_ID")
    named = [entry for entry in explorer._columns if entry.get("categories") and entry["name"] != "d"]
    for column in named:
        category = column["categories"][0]["value"]
        tell("legend", action="rename", column=column["name"], category=category, name="nn 'q\"")
        tell("legend", action="to_groups", column=column["name"])
    tell("class", action="start")
    tell("class", action="give", labels=numbers[:4], number=1)
    tell("class", action="give", labels=numbers[-4:], number=2)
    tell("suggest")
    tell("judge")
    tell("step", step="cluster", method="kmeans", options={})
    tell("edit", edit={"edit": "merge", "labels": numbers[6:8]})
    tell("step", step="reduce", method="pca", options={})
    tell("edit", edit={"edit": "undo"})
    tell("edit", edit={"edit": "delete", "labels": numbers[:1]})

    space = {"image": image, "labels": labels, "table": table}
    exec(explorer.code(), space)
    pd.testing.assert_frame_equal(space["table"], explorer.table)
    state = json.loads(json.dumps(explorer._session.to_json(), allow_nan=False))
    again = explore(image, labels, table)
    again._session.restore(state)
    again.wait()
    pd.testing.assert_frame_equal(again.table, explorer.table)


def test_a_column_of_several_types_is_sorted_as_text() -> None:
    image, labels, table = experiment()
    page = Page(explore(image, labels, table.assign(mixed=[2, "b", None, "a"] * 6)))
    rows = page.tell("rows", sort="mixed", count=24)
    cells = [row[rows["columns"].index("mixed")] for row in rows["cells"]]
    assert cells == [2] * 6 + ["a"] * 6 + ["b"] * 6 + [None] * 6


def test_categories_that_code_cannot_be_written_with_are_refused() -> None:
    image, labels, table = experiment()
    page = Page(explore(image, labels, table.assign(day=pd.Timestamp("2020-01-01"))))
    page.tell("legend", action="to_groups", column="day")
    assert "column: expected categories of numbers or text, got Timestamp" in page.explorer.error


def test_an_image_in_the_place_of_the_labels_is_reported() -> None:
    _, labels, table = experiment()
    labels = np.kron(labels, np.ones((2, 2), int))
    image = np.random.default_rng(0).integers(1, 4000, labels.shape)
    with pytest.warns(
        UserWarning, match="labels: nearly every pixel .* Were labels and image exchanged"
    ) as told:
        explorer = explore(labels, image, table)
    assert "labels: nearly every pixel" in explorer.notes[0]
    pairs = {"a": (image, labels), "b": (labels, image)}
    several = pd.concat([table.assign(image=name) for name in pairs])
    with pytest.warns(UserWarning, match="labels of 'b': nearly every pixel") as told_several:
        explore(pairs, several)
    assert {one.filename for one in [*told, *told_several]} == {__file__}
