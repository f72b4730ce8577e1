import subprocess
import sys

import matplotlib
import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_rgb

from objclass.plots import colors
from objclass.plots.colors import GROUND, GROUP_COLORS, MISSING, UNSELECTED, color_objects, rgb
from objclass.plots.facets import MOST_POINTS, facets
from objclass.plots.overview import overview


def blocks(shape=(4, 20, 30)):
    """Three separate objects with gaps in their numbers, and one below the second."""
    labels = np.zeros(shape, dtype=np.int32)
    labels[1, 2:6, 2:6] = 3
    labels[1, 8:12, 2:6] = 7
    labels[1, 2:6, 12:16] = 12
    labels[3, 7:13, 1:7] = 20
    return labels


def make_table():
    return pd.DataFrame(
        {
            "label": [20, 7, 3, 12],
            "area": [36.0, 16.0, 16.0, 16.0],
            "UMAP_0": [0.0, 1.0, 2.0, np.nan],
            "UMAP_1": [3.0, 4.0, 5.0, np.nan],
            "KMEANS_CLUSTER_ID": pd.array([1, 0, 0, None], dtype="Int64"),
        }
    )


def titles(figure):
    return [axes.get_title(loc="left") for axes in figure.axes]


def legend_texts(figure):
    return [text.get_text() for text in figure.legends[0].get_texts()]


def picture(axes):
    return np.asarray(axes.images[0].get_array())


@pytest.fixture
def drawn():
    labels = blocks()
    return overview(labels * 10, labels, make_table(), spacing=(2.0, 0.5, 0.5))


def test_the_four_panels(drawn):
    assert titles(drawn) == ["Image, maximum along z", "4 objects", "UMAP", "Clusters, KMEANS"]
    assert legend_texts(drawn) == ["cluster 0 (2)", "cluster 1 (1)", "no result (1)"]
    drawn.draw_without_rendering()
    boxes = [axes.get_window_extent() for axes in drawn.axes]
    np.testing.assert_allclose([box.height / box.width for box in boxes], 20 / 30)
    np.testing.assert_allclose([box.width for box in boxes], boxes[0].width)


def test_colours_join_on_the_label(drawn):
    seen = picture(drawn.axes[3])
    assert seen[3, 3].tolist() == rgb(GROUP_COLORS[0]).tolist()  # object 3
    assert seen[10, 4].tolist() == rgb(GROUP_COLORS[0]).tolist()  # object 7, above object 20
    assert seen[7, 1].tolist() == rgb(GROUP_COLORS[1]).tolist()  # object 20, where 7 does not hide it
    assert seen[4, 13].tolist() == rgb(MISSING).tolist()  # object 12 has no result
    assert seen[0, 0].tolist() == rgb(GROUND).tolist()
    points = drawn.axes[2].collections[0]
    offsets = points.get_offsets()
    colors = {
        tuple(at): tuple(color[:3])
        for at, color in zip(offsets.tolist(), points.get_facecolors(), strict=False)
    }
    assert colors[0.0, 3.0] == pytest.approx(to_rgb(GROUP_COLORS[1]))
    assert colors[2.0, 5.0] == pytest.approx(to_rgb(GROUP_COLORS[0]))


def test_touching_objects_are_told_apart():
    labels = np.zeros((6, 9), dtype=int)
    labels[1:5, 1:4], labels[1:5, 4:8] = 1, 2
    for axes in overview(labels, labels).axes[1:]:
        seen = picture(axes).astype(int).sum(axis=-1)
        assert (seen[1:5, 4] < seen[1:5, 6] / 2).all()


@pytest.mark.parametrize(
    ("spacing", "unit", "text"), [((1, 2, 2), "µm", "20 µm"), (None, "px", "10 px"), (5, "nm", "50 nm")]
)
def test_the_scale_bar(spacing, unit, text):
    labels = blocks()
    figure = overview(labels, labels, spacing=spacing, unit=unit)
    axes = figure.axes[0]
    assert [note.get_text() for note in axes.texts] == [text]
    assert np.ptp(axes.lines[0].get_xdata()) == float(text.split()[0])
    pixel = {"µm": 2, "px": 1, "nm": 5}[unit]
    assert axes.get_xlim() == (0, 30 * pixel)
    assert axes.get_ylim() == (20 * pixel, 0)


def test_proportions_follow_the_spacing():
    labels = blocks()[1]
    figure = overview(labels, labels, spacing=(3.0, 1.0))
    figure.draw_without_rendering()
    box = figure.axes[0].get_window_extent()
    assert box.height / box.width == pytest.approx(20 * 3 / 30)


def test_parts_that_are_missing_are_left_out():
    labels, table = blocks(), make_table()
    assert titles(overview(labels, labels))[1:] == ["4 objects"]
    assert titles(overview(labels, labels, table.iloc[:0]))[1:] == ["4 objects"]
    assert titles(overview(labels, labels, table[["label", "area"]]))[1:] == ["4 objects"]
    assert titles(overview(labels, labels, table.drop(columns="UMAP_1")))[1:] == [
        "4 objects",
        "Clusters, KMEANS",
    ]
    assert titles(overview(labels, labels, table.drop(columns="KMEANS_CLUSTER_ID")))[1:] == [
        "4 objects",
        "UMAP",
    ]
    nothing = overview(labels * 0, labels * 0)
    assert titles(nothing) == ["Image, maximum along z", "0 objects"]
    nothing.draw_without_rendering()


def test_the_last_embedding_and_the_last_clusters_are_shown():
    table = make_table().assign(PC_0=1.0, PC_1=2.0, HDBSCAN_CLUSTER_ID=[-1, 0, 0, 1])
    figure = overview(blocks(), blocks(), table)
    assert titles(figure)[2:] == ["Principal components", "Clusters, HDBSCAN"]
    assert legend_texts(figure) == ["cluster 0 (2)", "cluster 1 (1)", "noise (1)"]
    chosen = overview(blocks(), blocks(), table, embedding="UMAP", color="KMEANS_CLUSTER_ID")
    assert titles(chosen)[2:] == ["UMAP", "Clusters, KMEANS"]
    pair = overview(blocks(), blocks(), table, embedding=["area", "UMAP_0"])
    assert titles(pair)[2] == "UMAP_0 against area"


def test_numbers_get_a_colour_bar():
    figure = overview(blocks(), blocks(), make_table(), color="area")
    assert titles(figure)[3] == "area"
    assert figure.axes[4].get_xlabel() == "area"
    assert figure.axes[4].get_xlim() == pytest.approx((16, 36), abs=1)
    viridis = matplotlib.colormaps["viridis"]
    np.testing.assert_allclose(picture(figure.axes[3])[4, 13] / 255, viridis(0.0)[:3], atol=0.01)


def test_selected_groups_and_other_categories():
    table = make_table().assign(MANUAL_CLUSTER_ID=[0, 1, 2, 0], kind=["b", "a", "a", None])
    groups = color_objects(table, "MANUAL_CLUSTER_ID")
    assert groups.keys == [
        ("group 1 (1)", GROUP_COLORS[0]),
        ("group 2 (1)", GROUP_COLORS[1]),
        ("not selected (2)", UNSELECTED),
    ]
    assert groups.title == "Selected groups"
    kinds = color_objects(table, "kind")
    assert kinds.title == "kind"
    assert [name for name, _ in kinds.keys] == ["a (2)", "b (1)", "no result (1)"]


@pytest.mark.parametrize("shape", [(200, 40), (40, 200), (50, 50)])
def test_the_legend_fits_the_figure(shape):
    labels = np.arange(np.prod(shape)).reshape(shape) // 5 % 11
    table = pd.DataFrame({"label": np.arange(1, 11), "AC_CLUSTER_ID": np.arange(10)})
    figure = overview(labels, labels, table)
    figure.draw_without_rendering()
    legend, page = figure.legends[0].get_window_extent(), figure.bbox
    assert legend.x0 >= page.x0
    assert legend.x1 <= page.x1
    assert legend.y1 <= min(axes.get_window_extent().y0 for axes in figure.axes)


def test_many_categories_have_a_short_legend_and_a_colour_each():
    table = pd.DataFrame({"label": np.arange(1, 31), "AC_CLUSTER_ID": np.arange(30)})
    coloring = color_objects(table, "AC_CLUSTER_ID")
    assert len(coloring.keys) == 13
    assert coloring.keys[-1][0] == "and 18 more"
    assert len(np.unique(coloring.colors, axis=0)) == 30


def test_objects_without_a_row_are_grey():
    table = make_table()
    seen = picture(overview(blocks(), blocks(), table[table["label"] != 3]).axes[3])
    assert seen[3, 3].tolist() == rgb(MISSING).tolist()


def test_channels_are_overlaid():
    labels = blocks()[1]
    first, second = np.zeros((2, 20, 30))
    first[3, 3] = second[4, 13] = first[9, 4] = second[9, 4] = 5
    seen = picture(overview(np.stack([first, second]), labels).axes[0])
    assert seen[3, 3].tolist() == [0, 255, 0]
    assert seen[4, 13].tolist() == [255, 0, 255]
    assert seen[9, 4].tolist() == [255, 255, 255]


@pytest.mark.parametrize(
    ("dtype", "is_rgb", "top"), [("uint8", None, 255), ("uint16", True, 65535), ("f4", True, 1)]
)
def test_colour_pictures_keep_their_colours(dtype, is_rgb, top):
    colour = np.zeros((3, 20, 30), dtype)
    colour[:, 3, 3], colour[:, 4, 4] = (top, top / 5, 0), (0, top / 2.55, top)
    seen = picture(overview(colour, blocks()[1], is_rgb=is_rgb).axes[0])
    assert np.abs(seen[3, 3].astype(int) - (255, 51, 0)).max() <= 1
    assert np.abs(seen[4, 4].astype(int) - (0, 100, 255)).max() <= 1
    other = picture(overview(colour, blocks()[1], is_rgb=False).axes[0])
    assert np.abs(other[3, 3].astype(int) - (255, 51, 0)).max() > 1


def test_large_pictures_are_thinned_out():
    labels = np.zeros((3100, 50), dtype=int)
    labels[100:200] = 9
    figure = overview(labels, labels)
    assert picture(figure.axes[1]).shape == (1550, 25, 3)
    assert figure.axes[0].get_ylim() == (3100, 0)


def test_it_leaves_matplotlib_and_its_input_alone():
    labels, table = blocks(), make_table()
    image, before = labels * 3, table.copy()
    names = set(matplotlib.rcParams) - {"backend"}  # to read that one is to choose one
    settings = {name: matplotlib.rcParams[name] for name in names}
    figure = overview(image, labels, table)
    assert {name: matplotlib.rcParams[name] for name in names} == settings
    pd.testing.assert_frame_equal(table, before)
    np.testing.assert_array_equal(image, blocks() * 3)
    assert figure._repr_png_().startswith(b"\x89PNG")


def test_no_window_is_opened():
    code = (
        "import sys, numpy, objclass; labels = numpy.eye(9, dtype=int);"
        "objclass.overview(labels, labels).savefig(sys.stdout.buffer);"
        "sys.exit('matplotlib.pyplot' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)


def test_many_groups_have_colours_of_their_own():
    assert len({colors.group_color(place) for place in range(40)}) == 40


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"image": np.zeros((4, 20, 31))}, "image: expected the spatial shape of labels"),
        ({"labels": np.zeros((2, 2, 4, 20, 30), dtype=int)}, "labels: expected an array of axes"),
        ({"spacing": (1, 2)}, "spacing: expected 3 positive numbers"),
        (
            {"color": "colour"},
            "color: expected the name of a column of the table, got str 'colour'. It has label",
        ),
        ({"embedding": "t-SNE"}, "columns of the table, got 't-SNE_0', 't-SNE_1'"),
        ({"embedding": ["UMAP_0"]}, "embedding: expected a name such as 'UMAP', or two columns"),
        ({"table": make_table().assign(label=[1, 1, 2, 4])}, "one row for each label"),
        (
            {"table": make_table().assign(label=[101, 102, 103, 104])},
            "objects of the label image, got the objects",
        ),
        (
            {"table": make_table().assign(label=[3, 3, 7, 12], image=list("abaa"))},
            r"table: expected one row for each object.*table\[table\['image'\] == name\]",
        ),
    ],
)
def test_bad_input(change, message):
    arguments = {"image": blocks(), "labels": blocks(), "table": make_table(), **change}
    with pytest.raises(ValueError, match=message):
        overview(**arguments)


def experiment(n_images=3, n_objects=40):
    rng = np.random.default_rng(0)
    n = n_images * n_objects
    places = rng.normal(size=(n, 2)).astype(np.float32)
    return pd.DataFrame(
        {
            "image": np.repeat([f"image {number}" for number in range(n_images)], n_objects),
            "label": np.tile(np.arange(1, n_objects + 1), n_images),
            "UMAP_0": places[:, 0],
            "UMAP_1": places[:, 1],
        }
    )


def test_each_image_is_drawn_over_all():
    table = experiment()
    table.loc[0, "UMAP_0"] = np.nan
    figure = facets(table)
    assert titles(figure) == [f"image {number}, 40 objects" for number in range(3)]
    for number, axes in enumerate(figure.axes):
        everything, own = (points.get_offsets().data for points in axes.collections)
        assert len(everything) == len(table) - 1
        rows = table[table["image"] == f"image {number}"].dropna()
        np.testing.assert_allclose(own, rows[["UMAP_0", "UMAP_1"]])


def test_of_very_many_objects_some_are_drawn():
    figure = facets(experiment(2, MOST_POINTS))
    assert {len(points.get_offsets()) for axes in figure.axes for points in axes.collections} == {MOST_POINTS}


def test_facets_errors():
    table = experiment()
    with pytest.raises(
        ValueError, match="by: expected the name of a column of the table, got str 'condition'"
    ):
        facets(table, "condition")
    with pytest.raises(ValueError, match="by: expected at most 60 groups, got 61"):
        facets(experiment(61, 1))
    with pytest.raises(ValueError, match="embedding: expected a table with an embedding"):
        facets(table.drop(columns="UMAP_1"))
    with pytest.raises(ValueError, match="table: expected at least one object"):
        facets(table[:0])


def test_facets_stand_in_the_order_of_their_values():
    table = experiment(12, 2).assign(frame=np.repeat(np.arange(12), 2))
    figure = facets(table, "frame")
    assert titles(figure) == [f"{frame}, 2 objects" for frame in range(12)]


def test_the_lowest_panel_of_each_column_has_its_numbers():
    figure = facets(experiment(5, 2))
    assert [axes.xaxis.get_tick_params()["labelbottom"] for axes in figure.axes] == [
        False,
        False,
        True,
        True,
        True,
    ]


def test_an_image_in_the_place_of_the_labels_is_reported():
    image = np.random.default_rng(0).integers(1, 4000, (60, 60))
    with pytest.warns(UserWarning, match="labels: nearly every pixel .* Were labels and image exchanged"):
        overview(image // 2000, image)
