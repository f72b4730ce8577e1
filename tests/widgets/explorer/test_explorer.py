import subprocess
import sys
from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib.path import Path

import objclass
from objclass.tables.columns import prepare
from objclass.tables.selection import pick_objects
from objclass.widgets.explorer.explorer import Explorer, explore


@pytest.fixture(scope="module")
def sample() -> tuple[np.ndarray, np.ndarray, pd.DataFrame]:
    """A stack, labels with gaps, and a table of them."""
    rng = np.random.default_rng(3)
    labels = np.zeros((10, 60, 60), np.int32)
    for place in range(36):
        z, y, x = rng.integers(1, 4), place // 6 * 10, place % 6 * 10
        depth, height, width = rng.integers(2, 7, 3)
        labels[z : z + depth, y : y + height, x : x + width] = 3 * place + 5
    image = (labels * 7 % 500 + rng.normal(100, 5, labels.shape)).astype(np.uint16)
    return image, labels, objclass.measure(labels, image)


class Page:
    """Stands for the browser: sends messages to the explorer and keeps its answers."""

    def __init__(self, explorer: Explorer) -> None:
        self.explorer = explorer
        self.answers: list[tuple[dict[str, Any], list[bytes]]] = []
        explorer.send = lambda content, buffers=(): self.answers.append((content, list(buffers)))

    def tell(self, kind: str, **content: Any) -> dict[str, Any]:
        self.answers.clear()
        self.explorer._dispatch(self.explorer, {"kind": kind, **content}, [])
        return self.answers[-1][0] if self.answers else {}

    def groups(self) -> np.ndarray:
        return np.frombuffer(self.explorer._groups["numbers"], "<i4")


@pytest.fixture
def page(sample) -> Page:
    image, labels, table = sample
    return Page(explore(image, labels, table, x="area", y="intensity_mean"))


def quantile_box(table: pd.DataFrame, low: float, high: float) -> list[tuple[float, float]]:
    x = table["area"].quantile([low, high]).tolist()
    return [(x[0], 0.0), (x[1], 0.0), (x[1], 9999.0), (x[0], 9999.0)]


def lasso(page: Page, polygon: list[tuple[float, float]], mode: str, **more: Any) -> None:
    axes = {"x": "area", "y": "intensity_mean", "log": ""}
    page.tell("select", shape="polygon", points=polygon, mode=mode, **{**axes, **more})


def test_lassos_make_the_column(page: Page, sample) -> None:
    table = sample[2]
    first, second = quantile_box(table, 0.1, 0.4), quantile_box(table, 0.3, 0.8)
    lasso(page, first, "replace")
    lasso(page, second, "next")
    points = table[["area", "intensity_mean"]].to_numpy()
    expected = np.where(Path(second).contains_points(points), 2, Path(first).contains_points(points))
    np.testing.assert_array_equal(page.explorer.table["MANUAL_CLUSTER_ID"], expected)
    np.testing.assert_array_equal(page.groups(), expected)
    assert set(expected) == {0, 1, 2}
    lasso(page, first, "subtract")
    page.tell("group", action="undo")
    np.testing.assert_array_equal(page.explorer.table["MANUAL_CLUSTER_ID"], expected)
    page.tell("group", action="redo")
    assert not page.explorer.table["MANUAL_CLUSTER_ID"][Path(first).contains_points(points)].any()


def test_a_table_is_measured_where_none_is_given(sample) -> None:
    image, labels, _ = sample
    explorer = explore(image, labels, spacing=(2, 1, 1))
    expected = objclass.measure(labels, image, spacing=(2, 1, 1))
    pd.testing.assert_frame_equal(explorer.table.drop(columns="MANUAL_CLUSTER_ID"), expected)
    assert (explorer.x, explorer.y) == ("area", "intensity_mean")


def test_the_caller_s_table_stays_as_it_is(sample) -> None:
    image, labels, table = sample
    before = table.copy()
    page = Page(explore(image, labels, table))
    lasso(page, quantile_box(table, 0.1, 0.9), "replace")
    page.tell("step", step="cluster", method="kmeans", options={"n_clusters": 2})
    page.explorer.wait(60)
    pd.testing.assert_frame_equal(table, before)
    assert "KMEANS_CLUSTER_ID" in page.explorer.table


def test_selecting_in_a_plane_and_by_number(page: Page, sample) -> None:
    _, labels, table = sample
    corner = [(-1.0, -1.0), (-1.0, 25.0), (25.0, 25.0), (25.0, -1.0)]
    page.tell("select", shape="plane", axis=0, index=3, points=corner, mode="replace")
    picked = pick_objects(labels, corner, axis=0, index=3)
    assert set(table["label"][page.groups() == 1]) == set(picked)
    assert len(picked) > 3
    other = int(table["label"].iloc[-1])
    page.tell("select", shape="objects", objects=[other], mode="extend")
    assert page.groups()[-1] == 1
    page.tell("select", shape="range", x="area", points=[0, 1e9], mode="next")
    assert (page.groups() == 2).all()


def test_groups_are_named_merged_hidden_and_cleared(page: Page, sample) -> None:
    table = sample[2]
    lasso(page, quantile_box(table, 0.0, 0.5), "replace")
    lasso(page, quantile_box(table, 0.5, 0.8), "next")
    page.tell("group", action="rename", group=2, name=" big ")
    page.tell("group", action="recolor", group=2, color="#123456")
    page.tell("group", action="hide", group=1, hidden=True)
    groups = page.explorer.groups.set_index("group")
    assert groups.loc[2, ["name", "color", "hidden"]].tolist() == ["big", "#123456", False]
    assert groups.loc[1, "hidden"]
    page.tell("group", action="merge", group=2, into=1)
    assert set(page.groups()) == {0, 1}
    page.tell("group", action="clear")
    assert not page.groups().any()
    page.tell("group", action="rename", group=7, name="x")
    assert "group: expected one of (none yet)" in page.explorer.error


def replay(code: str, sample, folder) -> pd.DataFrame:
    """Run the code in a fresh process on the same image, labels and table."""
    image, labels, table = sample
    np.savez(folder / "arrays.npz", image=image, labels=labels)
    table.to_pickle(folder / "table.pkl")
    script = f"""
import numpy as np, pandas as pd
arrays = np.load({str(folder / "arrays.npz")!r})
image, labels = arrays["image"], arrays["labels"]
table = pd.read_pickle({str(folder / "table.pkl")!r})
{code}
table.to_pickle({str(folder / "result.pkl")!r})
"""
    subprocess.run([sys.executable, "-c", script], check=True, timeout=300)
    return pd.read_pickle(folder / "result.pkl")


def test_the_code_makes_the_identical_table(page: Page, sample, tmp_path) -> None:
    table = sample[2]
    lasso(page, quantile_box(table, 0.0, 0.9), "replace")
    lasso(page, quantile_box(table, 0.1, 0.4), "replace")
    page.tell(
        "step", step="reduce", method="umap", n_components=2, options={"n_neighbors": 6, "min_dist": 0.2}
    )
    page.explorer.wait(120)
    embedded = page.explorer.table
    square = embedded[["UMAP_0", "UMAP_1"]].quantile([0.2, 0.7])
    (x0, x1), (y0, y1) = square["UMAP_0"], square["UMAP_1"]
    corners = [(x0, y0), (x1, y0), (x1, y1), (x0, y1)]
    lasso(page, corners, "next", x="UMAP_0", y="UMAP_1")
    page.tell("select", shape="range", x="area", points=[10, 40], mode="next")
    page.tell(
        "select", shape="plane", axis=1, index=3, points=[(0, 0), (0, 60), (10, 60), (10, 0)], mode="subtract"
    )
    page.tell(
        "step", step="cluster", method="kmeans", options={"n_clusters": 4}, columns=["area", "solidity"]
    )
    page.explorer.wait(120)
    page.tell("select", shape="objects", objects=[5, 8], mode="extend")
    page.tell("group", action="undo")
    page.tell("group", action="merge", group=3, into=1)
    lasso(page, [(1.0, 10.0), (100.0, 10.0), (30.0, 600.0)], "next", log="xy")
    assert page.explorer.error == ""
    code = page.explorer.code()
    result = replay(code, sample, tmp_path)
    pd.testing.assert_frame_equal(result, page.explorer.table, check_exact=True)
    assert len(set(result["MANUAL_CLUSTER_ID"])) > 2
    assert code.count("objclass.select") == 6


def test_steps_equal_the_functions_called_by_hand(page: Page, sample) -> None:
    table = sample[2]
    page.tell("step", step="reduce", method="pca", n_components=3, options={}, random_state=1, scale=True)
    page.explorer.wait(60)
    page.tell("step", step="cluster", method="kmeans", options={"n_clusters": 3}, random_state=2, scale=False)
    page.explorer.wait(60)
    by_hand = objclass.reduce(table, "pca", n_components=3, random_state=1)
    by_hand = objclass.cluster(by_hand, "kmeans", n_clusters=3, random_state=2, scale=False)
    pd.testing.assert_frame_equal(page.explorer.table.drop(columns="MANUAL_CLUSTER_ID"), by_hand)
    assert (page.explorer.x, page.explorer.y, page.explorer.color) == ("PC_0", "PC_1", "KMEANS_CLUSTER_ID")


def test_a_cancelled_step_changes_nothing(page: Page) -> None:
    before = page.explorer.table
    page.tell("step", step="cluster", method="kmeans", options={"n_clusters": 3})
    page.tell("cancel")
    page.explorer.wait(60)
    pd.testing.assert_frame_equal(page.explorer.table, before)
    assert page.explorer.busy == {}


def test_what_a_step_raises_is_shown(page: Page) -> None:
    page.tell("step", step="cluster", method="kmeans", options={"n_clusters": 99})
    page.explorer.wait(60)
    assert "n_clusters" in page.explorer.error
    assert page.explorer.busy == {}
    page.tell("step", step="cluster", method="magic")
    assert "method: expected one of 'kmeans'" in page.explorer.error


def test_rows_are_sorted_and_filtered_in_the_kernel(page: Page, sample) -> None:
    table = sample[2]
    rows = page.tell("rows", sort="area", descending=True, query="area > 20", start=0, count=5)
    areas = [cells[rows["columns"].index("area")] for cells in rows["cells"]]
    assert areas == table["area"].sort_values(ascending=False).head(5).tolist()
    assert rows["total"] == (table["area"] > 20).sum()
    near = page.tell("rows", near=int(table["label"].iloc[30]), count=4)
    assert near["place"] == 30
    assert near["start"] == 28
    bad = page.tell("rows", query="area >")
    assert "condition: expected a condition such as area > 100" in bad["problem"]
    assert page.explorer.error == ""
    assert "sort: expected one of 'label'" in page.tell("rows", sort="size")["problem"]
    assert page.tell("rows", query="area > 20", start=-5, count=10**9)["start"] == 0


@pytest.mark.parametrize(
    "query",
    [
        "@objclass.samples",
        "label.pipe.__globals__.get('sys').modules.get('os').system('touch {mark}') == 0",
        "__import__('os').system('touch {mark}') == 0",
        "label.values.tofile('{mark}')",
        "[open('{mark}', 'w')] == label",
    ],
)
def test_a_filter_runs_no_code(page: Page, query: str, tmp_path) -> None:
    mark = tmp_path / "made"
    assert "condition: expected" in page.tell("rows", query=query.format(mark=mark))["problem"]
    assert not mark.exists()


def test_a_row_a_place_and_files(page: Page, sample) -> None:
    _, labels, table = sample
    label = int(table["label"].iloc[4])
    assert page.tell("row", label=label)["cells"]["area"] == table["area"].iloc[4]
    z, y, x = page.tell("find", label=label)["voxel"]
    assert labels[z, y, x] == label
    assert page.tell("find", label=1)["voxel"] is None
    page.tell("export", format="csv")
    assert page.answers[0][1][0] == page.explorer.table.to_csv(index=False).encode()


def test_profiles_compare_groups(page: Page, sample) -> None:
    assert page.tell("profile", by="MANUAL_CLUSTER_ID")["groups"] == []
    page.tell("class", action="start")
    assert page.tell("profile", by="CLASS")["groups"] == [], "no object has a class yet"
    lasso(page, quantile_box(sample[2], 0.7, 1.0), "replace")
    profile = page.tell("profile", by="MANUAL_CLUSTER_ID")
    assert [group["name"] for group in profile["groups"]] == ["0", "1"]
    first = profile["measures"].index("area")
    assert profile["groups"][1]["differences"][first] > 1


def test_columns_are_sent_as_bytes(page: Page, sample) -> None:
    answer = page.tell("column", name="area")
    np.testing.assert_array_equal(np.frombuffer(page.answers[0][1][0], answer["dtype"]), sample[2]["area"])
    plane = page.tell(
        "plane", axis=0, index=3, layers=["objects"], region=[0, 0, 60, 60], step=1, view="v", seq=1
    )
    assert plane["layers"][0]["shape"] == (1, 60, 60)


def edge_tables(table: pd.DataFrame) -> dict[str, pd.DataFrame]:
    return {
        "no rows": table.head(0),
        "one row": table.head(1),
        "rows of nothing": pd.concat([table, table.head(2).assign(label=[9001, 9002])]),
        "objects without rows": table.iloc[::2],
        "text": table.assign(name=[f"object {number}" for number in range(len(table))]),
        "constant and empty columns": table.assign(area=1.0, solidity=np.nan),
        "label alone": table[["label"]],
        "float labels": table.assign(label=table["label"].astype(float)),
    }


@pytest.mark.parametrize("name", list(edge_tables(pd.DataFrame({"label": [], "area": []}))))
def test_unusual_tables_have_a_view(sample, name: str) -> None:
    image, labels, table = sample
    page = Page(explore(image, labels, edge_tables(table)[name]))
    explorer = page.explorer
    page.tell("column", name=explorer.x)
    page.tell("select", shape="range", x=explorer.x, points=[0, 1e6], mode="replace")
    page.tell("rows", count=10)
    page.tell("profile", by="MANUAL_CLUSTER_ID")
    page.tell("plane", axis=0, index=3, layers=["objects"], region=[0, 0, 60, 60], step=1, view="v", seq=1)
    assert explorer.error == ""
    notes = {
        "no rows": "no objects to plot",
        "rows of nothing": "no object for 2 rows",
        "objects without rows": "no row for 18 objects",
    }
    assert notes.get(name, "") in " ".join(explorer.notes)


def test_no_objects_at_all() -> None:
    labels = np.zeros((4, 8, 8), int)
    explorer = explore(np.ones(labels.shape), labels)
    assert len(explorer.table) == 0
    assert "MANUAL_CLUSTER_ID" in explorer.table
    assert "no objects" in " ".join(explorer.notes)


def test_flat_images(sample) -> None:
    image, labels, _ = sample
    page = Page(explore(image[3], labels[3], spacing=(0.5, 0.5)))
    page.tell(
        "select",
        shape="plane",
        axis=0,
        index=0,
        points=[(-1, -1), (-1, 30), (30, 30), (30, -1)],
        mode="replace",
    )
    assert page.explorer.error == ""
    assert page.groups().sum() > 3


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"x": "size"}, "x: expected the name of a numeric column, got str 'size'"),
        ({"color": "colour"}, "color: expected the name of a column with few values or numbers"),
        ({"spacing": (1, 2)}, "spacing: expected 3 positive numbers"),
    ],
)
def test_refuses(sample, arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        explore(*sample, **arguments)


def test_refuses_images_that_do_not_fit(sample) -> None:
    image, labels, table = sample
    with pytest.raises(ValueError, match="image: expected the spatial shape of labels"):
        explore(image[:5], labels, table)
    with pytest.raises(TypeError, match="labels: expected an integer array"):
        explore(image, labels.astype(float), table)


def test_traits_validate(page: Page) -> None:
    with pytest.raises(ValueError, match="log_axes: expected one of"):
        page.explorer.log_axes = "z"
    with pytest.raises(ValueError, match="plot_style: expected one of"):
        page.explorer.plot_style = "pie"
    with pytest.raises(ValueError, match="y: expected the name of a numeric column"):
        page.explorer.y = "nothing"
    page.explorer.y = ""
    assert page.explorer.y == ""


def test_a_very_long_table_is_offered_as_a_sample(sample) -> None:
    image, labels, _ = sample
    table = pd.DataFrame({"label": np.arange(1, 700_001), "area": np.arange(700_000.0)})
    page = Page(explore(image, labels, table, x="area"))
    assert page.explorer._objects["shown"] == 500_000
    assert "500,000 of 700,000 objects are drawn" in " ".join(page.explorer.notes)
    page.tell("select", shape="range", x="area", points=[0, 99.5], mode="replace")
    assert page.explorer.table["MANUAL_CLUSTER_ID"].sum() == 100
    page.tell("draw_all")
    assert page.explorer._objects["shown"] == 700_000
    assert page.groups().sum() == 100


def test_the_3d_view_is_saved_in_the_present_colours(page: Page, sample, tmp_path) -> None:
    pytest.importorskip("k3d", reason="k3d is not installed")
    lasso(page, quantile_box(sample[2], 0.2, 0.6), "replace")
    page.tell("group", action="recolor", group=1, color="#123456")
    page.explorer.save_html(tmp_path / "view.html")
    assert (tmp_path / "view.html").stat().st_size > 100_000
    view = page.explorer.volume_view

    def colors() -> np.ndarray:
        level = view.surfaces.attribute[np.cumsum(view.mesh.vertex_counts) - 1]
        parts = [np.interp(level / 255, *view.surfaces.color_map[:, [0, part]].T) for part in (1, 2, 3)]
        return np.rint(np.array(parts).T * 255).astype(int)

    grouped = (page.groups() == 1)[:, None]
    np.testing.assert_array_equal(colors(), np.where(grouped, [0x12, 0x34, 0x56], 0x8C))
    table = page.explorer.objects.measured
    page.explorer.objects.take(table.assign(kind=np.where(table["label"] % 2, "a", "b")), "")
    page.explorer._page.show_all()
    page.tell("legend", action="recolor", column="kind", category="b", color="#654321")
    page.explorer.color = "kind"
    page.explorer.save_html(tmp_path / "view.html")
    is_b = (view.mesh.labels % 2 == 0)[:, None]
    np.testing.assert_array_equal((colors() == [0x65, 0x43, 0x21]).all(axis=1, keepdims=True), is_b)
    page.explorer.color = "area"
    page.explorer.save_html(tmp_path / "view.html")
    areas = page.explorer.table["area"].to_numpy()
    assert colors()[areas.argmin()].tolist() == [0x44, 0x01, 0x54], "the lower end of viridis"
    view.clicked = int(view.mesh.labels[3])
    assert page.explorer.focus == view.mesh.labels[3]


def test_rows_are_put_in_order_once(page: Page, sample, monkeypatch) -> None:
    from objclass.widgets.explorer import table_view

    calls = []
    arrange = table_view.arrange_rows
    monkeypatch.setattr(table_view, "arrange_rows", lambda *a, **k: calls.append(k) or arrange(*a, **k))
    for start in (0, 10, 20):
        page.tell("rows", sort="area", start=start, count=10)
    assert len(calls) == 1
    lasso(page, quantile_box(sample[2], 0.2, 0.8), "replace")
    chosen = page.tell("rows", sort="area", selected=True)
    assert chosen["total"] == (page.groups() > 0).sum()
    page.tell("group", action="undo")
    assert page.tell("rows", sort="area", selected=True)["total"] == 0
    assert len(calls) == 3


def test_a_shape_around_nothing_leaves_the_groups(page: Page, sample) -> None:
    lasso(page, quantile_box(sample[2], 0.2, 0.8), "replace")
    before, code = page.groups().copy(), page.explorer.code()
    for mode in ("replace", "next", "extend", "subtract"):
        lasso(page, [(-9.0, -9.0), (-8.0, -9.0), (-8.0, -8.0)], mode)
    np.testing.assert_array_equal(page.groups(), before)
    assert page.explorer.code() == code


@pytest.mark.parametrize(
    ("message", "words"),
    [
        ({"kind": "column", "name": "__class__"}, "name: expected one of 'label'"),
        ({"kind": "profile", "by": "area"}, "by: expected one of 'MANUAL_CLUSTER_ID'"),
        (
            {"kind": "step", "step": "reduce", "method": "pca", "n_components": 10**9},
            "n_components: expected",
        ),
        (
            {"kind": "step", "step": "cluster", "method": "kmeans", "options": {"n_clusters": 10**9}},
            "n_clusters: expected an integer of at least 2 and of at most 100",
        ),
        (
            {"kind": "select", "shape": "polygon", "x": "area", "y": "area", "points": [[0, 0]] * 10_001},
            "points: expected at most 10,000 corners",
        ),
    ],
)
def test_messages_are_bounded(page: Page, message, words) -> None:
    page.tell(**message)
    assert words in page.explorer.error


@pytest.mark.filterwarnings("ignore:Method .* is used with fewer neighbours")
@pytest.mark.parametrize(
    ("method", "options"),
    [
        ("umap", {"n_neighbors": 15, "min_dist": 0.1}),
        ("tsne", {"perplexity": 30}),
        ("isomap", {"n_neighbors": 5}),
    ],
)
def test_few_objects_are_reduced_with_the_fields_as_they_come(method: str, options: dict) -> None:
    labels = np.zeros((40, 40), int)
    for number in range(5):
        labels[8 * number : 8 * number + 2 + number, 4 : 9 + number] = number + 1
    page = Page(explore(np.random.default_rng(0).normal(size=labels.shape), labels))
    page.tell("step", step="reduce", method=method, n_components=2, options=options)
    page.explorer.wait(120)
    assert not page.explorer.error
    assert page.explorer.x.endswith("_0")
    assert "n_neighbors" not in page.explorer.code()


def test_a_step_shows_what_the_function_warns_of(sample) -> None:
    """What objclass warns of, and scikit-learn, each time again and for each step by itself."""
    image, labels, table = sample
    few = table.iloc[:8]
    for _ in range(2):
        page = Page(explore(image, np.where(np.isin(labels, few["label"]), labels, 0), few))
        page.tell("step", step="reduce", method="umap", n_components=2)
        page.explorer.wait()
        with pytest.warns(UserWarning, match="fewer neighbours") as caught:
            objclass.reduce(few, "umap", progress=False)
        assert page.explorer._step_notes == {"reduce": [str(one.message) for one in caught]}
        assert "n_neighbors=7 instead of 15" in page.explorer._step_notes["reduce"][0]
    page.tell("step", step="reduce", method="pca", n_components=2)
    page.explorer.wait()
    assert page.explorer._step_notes["reduce"] == []

    gaps = table.assign(area=table["area"].where(table["label"] > 5))
    page = Page(explore(image, labels, gaps))
    page.tell("scan", method="kmeans")
    page.explorer.wait()
    assert page.explorer._step_notes["cluster"] == [
        "1 of 36 objects have missing values and get no result, most of them in 'area'. "
        "Exclude it with columns=[...]."
    ]


@pytest.mark.parametrize("step", ["reduce", "cluster"])
def test_without_objects_a_step_says_so(step: str) -> None:
    labels = np.zeros((4, 8, 8), int)
    page = Page(explore(np.ones(labels.shape), labels))
    page.tell("step", step=step, method="pca" if step == "reduce" else "kmeans")
    assert f"table: expected objects to {step}, got a table without rows" in page.explorer.error


def test_places_are_found_without_looking_through_the_image_again(sample) -> None:
    image, labels, table = sample
    page = Page(explore(image, labels, table))
    boxes = page.explorer.objects.images.boxes(0)
    for label in table["label"]:
        voxel = page.tell("find", label=int(label))["voxel"]
        assert labels[tuple(voxel)] == label
        assert all(part.start <= at < part.stop for part, at in zip(boxes[label], voxel, strict=True))
        sizes = (labels == label).sum(axis=(1, 2))
        assert sizes[voxel[0]] == sizes.max()
    assert page.explorer.objects.images.boxes(0) is boxes


def test_filtered_rows_become_a_group_that_the_code_repeats(page: Page, sample) -> None:
    table = sample[2]
    page.tell("select", shape="objects", objects=table["label"].tolist()[:6], mode="replace")
    condition = f"area > {table['area'].median()} and MANUAL_CLUSTER_ID == 0"
    page.tell("select", shape="where", where=condition, mode="next")
    found = page.explorer.table["MANUAL_CLUSTER_ID"]
    wanted = (table["area"] > table["area"].median()) & ~table["label"].isin(table["label"][:6])
    np.testing.assert_array_equal(found == 2, wanted)
    scope: dict[str, Any] = {"table": table}
    exec(page.explorer.code(), scope)
    pd.testing.assert_frame_equal(scope["table"], page.explorer.table)
    page.tell("select", shape="where", where="area > > 3", mode="next")
    assert "area > > 3" in page.explorer.error


def test_the_columns_of_the_table_are_chosen_and_in_order(page: Page, sample) -> None:
    columns = page.tell("rows", count=3)["columns"]
    assert columns[:2] == ["label", "MANUAL_CLUSTER_ID"]
    assert sorted(columns) == sorted([*sample[2], "MANUAL_CLUSTER_ID"])
    answer = page.tell("rows", count=3, columns=["area", "MANUAL_CLUSTER_ID"])
    assert answer["columns"] == ["label", "MANUAL_CLUSTER_ID", "area"]
    assert [row[2] for row in answer["cells"]] == sample[2]["area"].tolist()[:3]


def test_a_step_says_which_columns_it_uses(page: Page, sample) -> None:
    table = page.explorer.table
    answer = page.tell("used", step="cluster", columns=[], scale=True, seq=3)
    prepared = prepare(table)
    excluded = sum(map(len, prepared.excluded.values()))
    assert answer["text"] == f"{len(prepared.columns)} columns used, {excluded} excluded"
    assert answer["lines"][0] == f"used: {', '.join(prepared.columns)}"
    assert "; ".join(answer["lines"][1:]) in prepared.summary()
    assert answer["seq"] == 3
    one = page.tell("used", step="reduce", columns=["area"], scale=False)
    assert one["text"].startswith("1 column used")
    assert one["lines"][0] == "used: area"
    refused = page.tell("used", step="reduce", columns=["nothing"])
    assert "columns" in refused["text"]
    assert refused["lines"] == []
    groups = {column["name"]: column["group"] for column in page.explorer._columns}
    assert (groups["area"], groups["intensity_mean"], groups["label"]) == ("size", "intensity", "")
