"""Pictures to keep: the right colours, a true scale bar, files that appear whole."""

from __future__ import annotations

import io
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

import objclass
from objclass.widgets.explorer.explorer import explore
from objclass.widgets.explorer.object_colors import object_colors
from objclass.widgets.view3d.meshes import project
from tests.widgets.explorer.test_explorer import Page


@pytest.fixture(scope="module")
def sample() -> tuple[np.ndarray, np.ndarray, pd.DataFrame]:
    labels = np.zeros((8, 40, 60), np.int32)
    for place in range(12):
        y, x = place // 4 * 13 + 1, place % 4 * 14 + 1
        labels[1:7, y : y + 9, x : x + 10] = 2 * place + 3
    image = np.where(labels > 0, 200, 20).astype(np.uint16)
    table = objclass.measure(labels, image, spacing=(2, 1, 1))
    return image, labels, table.assign(condition=["a", "b"] * 6)


@pytest.fixture
def page(sample) -> Page:
    page = Page(explore(*sample, x="area", y="intensity_mean", spacing=(2, 1, 1)))
    chosen = sample[2]["label"].tolist()
    page.tell("select", shape="objects", objects=chosen[:5], mode="replace")
    page.tell("select", shape="objects", objects=chosen[5:7], mode="next")
    return page


def pixels(data: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGB")).astype(int)


def share(picture: np.ndarray, color: str, tolerance: int = 12) -> float:
    wanted = [int(color[start : start + 2], 16) for start in (1, 3, 5)]
    return float((np.abs(picture - wanted).max(axis=2) <= tolerance).mean())


@pytest.mark.parametrize("view", ["plot", "slice", "3d", "all"])
@pytest.mark.parametrize("ending", ["png", "svg", "pdf"])
def test_every_view_is_written(page: Page, tmp_path: Path, view: str, ending: str) -> None:
    path = tmp_path / f"figure.{ending}"
    page.explorer.save_picture(path, view, dpi=60)
    start = {"png": b"\x89PNG", "svg": b"<?xml", "pdf": b"%PDF"}[ending]
    assert path.read_bytes().startswith(start)
    assert [one.name for one in tmp_path.iterdir()] == [path.name]
    if ending == "svg":
        text = path.read_text()
        assert "Group 1 (5)" in text
        assert "Group 2 (2)" in text
        assert ("µm" in text) == (view != "plot") or "µm³" in text
        if view in ("plot", "all"):
            assert "area (µm³)" in text
            assert "intensity_mean" in text


def test_colours_are_those_of_the_page(page: Page, sample) -> None:
    first, second = page.explorer.groups["color"]
    plain = pixels(page.explorer._pictures.draw("slice", "png", dpi=100))
    page.tell("group", action="hide", group=1, hidden=True)
    hidden = pixels(page.explorer._pictures.draw("slice", "png", dpi=100))
    # 78 % of the colour over bright pixels.
    mixed = "#" + "".join(f"{round(int(first[k : k + 2], 16) * 0.78 + 255 * 0.22):02x}" for k in (1, 3, 5))
    assert share(plain, mixed, 20) > 0.02
    assert share(hidden, mixed, 20) < 0.002
    page.tell("group", action="hide", group=1, hidden=False)
    look = object_colors(page.explorer._page)
    assert [entry[1:] for entry in look.entries] == [(first, 5), (second, 2)]
    assert look.chosen.sum() == 7
    page.explorer.only_selected = True
    assert object_colors(page.explorer._page).visible.sum() == 7


def test_the_scale_bar_is_true(sample) -> None:
    image, labels, table = sample
    dark = explore(np.zeros_like(image), np.zeros_like(labels), table.iloc[:0], spacing=(2, 1, 1))
    picture = pixels(dark._pictures.draw("slice", "png", dpi=200))
    inside = np.ix_(*(np.flatnonzero((picture < 60).all(axis=2).any(axis=axis)) for axis in (1, 0)))
    bright = (picture[inside] > 200).all(axis=2)
    bar = bright[bright.shape[0] * 9 // 10 :].sum(axis=1).max()  # below the number
    assert bar / bright.shape[1] == pytest.approx(10 / 60, rel=0.05)  # 10 µm of 60


def test_numbers_panels_logarithms_and_histograms(page: Page, tmp_path: Path) -> None:
    explorer = page.explorer
    explorer.color, explorer.by, explorer.log_axes = "area", "condition", "xy"
    svg = explorer._pictures.draw("all", "svg", dpi=60).decode()
    assert ">a<" in svg
    assert ">b<" in svg
    assert object_colors(explorer._page).ramp is not None
    explorer.y, explorer.color = "", "condition"
    svg = explorer._pictures.draw("plot", "svg", dpi=60).decode()
    assert "Objects" in svg
    assert "a (6)" in svg


@pytest.mark.parametrize("style", ["auto", "hexbin", "boxes", "violins"])
def test_styles_contours_and_hidden_categories(page: Page, style: str) -> None:
    explorer = page.explorer
    explorer.color, explorer.plot_style, explorer.contours = "condition", style, True
    explorer.equal_scales = True
    svg = explorer._pictures.draw("plot", "svg", dpi=60).decode()
    assert "condition" in svg
    assert ("area (µm³)" in svg) == (style in ("auto", "hexbin"))
    shown = pixels(explorer._pictures.draw("plot", "png", dpi=60))
    explorer.hidden = {"condition": ["a"]}
    assert object_colors(explorer._page).visible.sum() == (explorer.table["condition"] != "a").sum()
    hidden = pixels(explorer._pictures.draw("plot", "png", dpi=60))
    assert (shown != hidden).any()
    explorer.log_axes = "xy"
    assert explorer._pictures.draw("plot", "png", dpi=60)


def test_the_projection_of_a_camera() -> None:
    vertices = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1.0]])
    camera = np.array([0, 0, 10, 0, 0, 0, 0, 1, 0.0])  # from z = 10 down, y upwards
    flat, depth, facing, middle = project(vertices, np.array([[0, 1, 2], [0, 2, 1]]), camera)
    np.testing.assert_allclose(flat[0], [[0, 0], [0.1, 0], [0, 0.1]])
    assert (depth[0], middle) == (10, 10)
    np.testing.assert_allclose(facing, [1, -1])


def test_the_button_gets_a_file(page: Page) -> None:
    answer = page.tell("picture", of="slice", format="svg", view="a")
    assert (answer["kind"], answer["name"], answer["view"]) == ("file", "explorer-slice.svg", "a")
    assert page.tell("code", view="a")["text"] == page.explorer.code()


def test_flat_images_and_no_objects(sample) -> None:
    image, labels, table = sample
    flat = explore(image[4], labels[4])
    text = flat._pictures.draw("all", "svg", dpi=60).decode()
    assert not re.search(r">z \d+<", text)
    empty = explore(image, np.zeros_like(labels), table.iloc[:0])
    for view in ("all", "3d"):
        assert empty._pictures.draw(view, "png", dpi=40)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"path": "figure.gif"}, r"path: expected a name that ends in \.png, \.svg, \.pdf"),
        ({"path": "figure.png", "view": "volume"}, "view"),
        ({"path": "figure.png", "dpi": 5}, "dpi"),
    ],
)
def test_refuses(page: Page, tmp_path: Path, arguments, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        page.explorer.save_picture(**{**arguments, "path": tmp_path / arguments["path"]})
    with pytest.raises(FileNotFoundError, match="path"):
        page.explorer.save_picture(tmp_path / "nowhere" / "figure.png")
