"""Several images or time points in one explorer: one plot, and the slices of the image of an object."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

import objclass
from objclass.widgets.explorer.explorer import explore
from objclass.widgets.label_images import LabelImages
from tests.widgets.explorer.test_explorer import Page

NAMES = ["control 1", "control 2", "treated"]


def make(seed: int, *, shape: tuple[int, int, int] = (8, 40, 50)) -> tuple[np.ndarray, np.ndarray]:
    """Return boxes with the same label numbers in every image, at other places and of other sizes."""
    rng = np.random.default_rng(seed)
    labels = np.zeros(shape, np.int32)
    for place in range(12):
        z, y, x = rng.integers(0, 4), place // 4 * 13, place % 4 * 12
        depth, height, width = rng.integers(2, 5, 3)
        labels[z : z + depth, y : y + height, x : x + width] = 2 * place + 1
    return (labels * (3 + seed) + rng.integers(50, 60, shape)).astype(np.uint16), labels


@pytest.fixture(scope="module")
def images() -> dict[str, tuple[np.ndarray, np.ndarray]]:
    shapes = [(8, 40, 50), (9, 44, 60), (6, 41, 52)]
    return {
        name: make(seed, shape=shape) for seed, (name, shape) in enumerate(zip(NAMES, shapes, strict=True))
    }


@pytest.fixture(scope="module")
def table(images) -> pd.DataFrame:
    tables = [objclass.measure(labels, image).assign(image=name) for name, (image, labels) in images.items()]
    whole = pd.concat(tables, ignore_index=True)
    return whole.assign(condition=whole["image"].str.split().str[0]).sample(frac=1, random_state=2)


@pytest.fixture
def page(images, table) -> Page:
    return Page(explore(images, table, x="area", y="intensity_mean", by="condition"))


def number(page: Page, name: str, label: int) -> int:
    return page.explorer.objects.number_of((name, label))


def test_one_plot_over_all_and_groups_by_image_and_label(page: Page, table, images) -> None:
    x = table["area"].quantile([0.3, 0.8]).tolist()
    polygon = [(x[0], 0), (x[1], 0), (x[1], 9999), (x[0], 9999)]
    page.tell("select", shape="polygon", x="area", y="intensity_mean", log="", points=polygon, mode="replace")
    inside = table["area"].between(*x, inclusive="neither")
    found = page.explorer.table["MANUAL_CLUSTER_ID"]
    assert set(table["image"][inside]) == set(NAMES)
    np.testing.assert_array_equal(found[inside] == 1, True)
    # One object of one image: the others of the same label stay.
    page.tell("select", shape="objects", objects=[number(page, "control 2", 5)], mode="next")
    second = page.explorer.table.query("MANUAL_CLUSTER_ID == 2")
    assert second[["image", "label"]].to_numpy().tolist() == [["control 2", 5]]
    # In a plane of the second image.
    corners = [(-1, -1), (-1, 100), (100, 100), (100, -1)]
    page.tell("select", shape="plane", axis=0, index=3, points=corners, image=2, mode="next")
    third = page.explorer.table.query("MANUAL_CLUSTER_ID == 3")
    assert third["image"].unique().tolist() == ["treated"]
    assert sorted(third["label"]) == np.unique(images["treated"][1][3])[1:].tolist()


def test_the_code_makes_the_identical_table(page: Page, table, images) -> None:
    page.tell("select", shape="objects", objects=[number(page, "treated", 3)], mode="replace")
    corners = [(-1, -1), (-1, 30), (30, 30), (30, -1)]
    page.tell("select", shape="plane", axis=0, index=2, points=corners, image=1, mode="next")
    page.tell("class", action="start")
    for name, label, class_number in [
        ("control 1", 1, 1),
        ("treated", 1, 2),
        ("control 2", 3, 1),
        ("treated", 5, 2),
    ]:
        page.tell("class", action="give", labels=[number(page, name, label)], number=class_number)
    wanted = page.explorer.table
    scope: dict[str, Any] = {"table": table, "images": images}
    exec(page.explorer.code(), scope)
    pd.testing.assert_frame_equal(scope["table"][wanted.columns], wanted)
    assert wanted["CLASS"].notna().all()


@pytest.mark.parametrize(
    "keys", [NAMES, [0, 1, 2], [("a", 0), ("a", 1), ("b", 0)]], ids=["names", "frames", "both"]
)
def test_without_a_table_all_are_measured_and_the_code_does_so(images, keys) -> None:
    given = dict(zip(keys, images.values(), strict=True))
    explorer = explore(given, spacing=(2, 1, 1))
    scope: dict[str, Any] = {"images": given}
    exec(explorer.code(), scope)
    pd.testing.assert_frame_equal(scope["table"], explorer.table)
    assert len(explorer.table) == sum(len(np.unique(labels)) - 1 for _, labels in images.values())
    assert explorer.shown == keys[0]


def test_the_image_of_an_object_is_shown(page: Page, images) -> None:
    explorer = page.explorer
    assert (explorer.shown, explorer.volume["shape"]) == ("control 1", [8, 40, 50])
    explorer._page.mark(number(page, "treated", 7))
    assert (explorer.shown, explorer.focus) == ("treated", 7)
    assert explorer.volume["shape"] == [6, 41, 52]
    explorer.shown = "control 2"
    assert (explorer.focus, explorer.volume["shape"]) == (0, [9, 44, 60])
    answer = page.tell("find", label=number(page, "treated", 7))
    z, y, x = answer["voxel"]
    assert (answer["image"], images["treated"][1][z, y, x]) == (2, 7)
    with pytest.raises(ValueError, match="shown: expected one of 'control 1', 'control 2', 'treated'"):
        explorer.shown = "control 3"


@pytest.mark.parametrize("name", NAMES)
def test_planes_have_the_slots_of_their_own_image(page: Page, images, name: str) -> None:
    explorer = page.explorer
    explorer.shown = name
    labels = images[name][1]
    for axis, index in ((0, 3), (1, 20), (2, 30)):
        slots = explorer.objects.slot_plane(axis, index, explorer._shown)
        plane = np.take(labels, index, axis=axis)
        np.testing.assert_array_equal(slots > 0, plane > 0)
        for slot in np.unique(slots[slots > 0]):
            place, label = explorer.objects.images.locate(int(explorer.objects.slot_labels[slot - 1]))
            assert (NAMES[place], {label}) == (name, set(plane[slots == slot].tolist()))


def test_a_late_request_for_an_image_before_is_left_out(page: Page) -> None:
    wish = {"axis": 0, "index": 7, "region": [0, 0, 40, 50], "step": 1, "layers": ["image", "objects"]}
    assert page.tell("plane", **wish, source=0)["index"] == 7
    page.explorer.shown = "treated"  # it has six planes
    page.answers.clear()
    assert page.tell("plane", **wish, source=0) == {}
    assert page.explorer.error == ""
    assert page.tell("plane", **{**wish, "index": 5}, source=2)["source"] == 2


def test_contrast_stays_the_same_in_its_values(images) -> None:
    floats = {
        name: ((image * 0.25 - 3).astype(np.float32), labels) for name, (image, labels) in images.items()
    }
    explorer = explore(floats)

    def limits() -> list[float]:
        (channel,) = explorer.channels
        return [channel["offset"] + channel["scale"] * channel[name] for name in ("low", "high")]

    before = limits()
    explorer.shown = "treated"
    np.testing.assert_allclose(limits(), before, rtol=1e-9)
    explorer.shown = "control 1"
    np.testing.assert_allclose(limits(), before, rtol=1e-9)


def test_crops_are_those_of_each_image(page: Page, images) -> None:
    page.tell("gallery", show="all", order="image")
    content, (sheet,) = page.answers[-1]
    crops = np.frombuffer(sheet, np.uint8).reshape(len(content["labels"]), 80, 80, 4)
    (channel,) = page.explorer.channels
    for one, crop in zip(content["labels"], crops, strict=True):
        place, label = page.explorer.objects.images.locate(one)
        image, labels = images[NAMES[place]]
        z, y, x = page.explorer.objects.find(one)
        assert labels[z, y, x] == label
        inside = image[z][labels[z] == label].astype(float)
        shown = np.clip((inside - channel["low"]) / (channel["high"] - channel["low"]), 0, 1) * 255
        assert shown.min() - 1 <= crop[40, 40, 0] <= shown.max() + 1


def test_surfaces_are_those_of_the_shown_image(page: Page) -> None:
    explorer = page.explorer
    for name in ("treated", "control 1"):
        explorer.shown = name
        page.tell("volume")
        explorer.wait(60)
        described = explorer._volume
        slots = np.frombuffer(described["slots"], "<i4")
        keys = [explorer.objects.images.key(int(explorer.objects.slot_labels[slot - 1])) for slot in slots]
        assert {key[0] for key in keys} == {name}
        assert explorer.volume_view.mesh.labels.tolist() == [key[1] for key in keys]
        explorer.volume_view.clicked = int(keys[2][1])
        assert (explorer.shown, explorer.focus) == keys[2]
    explorer.shown = "control 2"
    assert "plot" not in explorer._volume


def test_it_goes_on_from_the_file_with_other_offsets(images, table, tmp_path) -> None:
    path = tmp_path / "all.json"
    first = Page(explore(images, table, by="image", save_to=path))
    first.explorer.by = "condition"
    first.tell("select", shape="objects", objects=[number(first, "treated", 5)], mode="replace")
    first.tell("class", action="start")
    first.tell("class", action="give", labels=[number(first, "control 2", 3)], number=1)
    first.explorer.wait()
    first.explorer._session.file.close()
    # A row of an object that is not in its image moves the numbers of the images after it.
    more = pd.concat([table, table.iloc[:1].assign(image="control 1", label=777)], ignore_index=True)
    second = explore(images, more, by="image", save_to=path)
    assert second.objects.images.offsets[1] == 777
    chosen = second.table.query("MANUAL_CLUSTER_ID == 1")
    assert chosen[["image", "label"]].to_numpy().tolist() == [["treated", 5]]
    assert second.objects.classes.named() == {("control 2", 3): "class 1"}
    assert second.by == "condition"
    with pytest.raises(ValueError, match="which belongs to other objects"):
        explore(dict(list(images.items())[:2]), save_to=path)


def test_frames_of_a_table_may_be_floats(images) -> None:
    given = {("a", t): pair for t, pair in enumerate(images.values())}
    tables = [
        objclass.measure(labels, image).assign(image="a", frame=float(t))
        for (_, t), (image, labels) in given.items()
    ]
    explorer = explore(given, pd.concat(tables, ignore_index=True))
    assert len(explorer._series) == 3
    assert explorer._series[1] == {"name": "a, frame 1", "image": "a", "frame": 1, "offset": 23}
    assert explorer.notes == []


def without_objects(images) -> dict[str, Any]:
    image, labels = images["control 1"]
    return {
        "empty": (image, np.zeros_like(labels)),
        "full": (image, labels),
        "none": (image, np.zeros_like(labels)),
    }


def test_images_without_objects(images) -> None:
    page = Page(explore(without_objects(images)))
    explorer = page.explorer
    assert set(explorer.table["image"]) == {"full"}
    one = int(explorer.objects.row_labels[0])
    assert explorer.objects.images.key(one) == ("full", 1)
    explorer._page.mark(one)
    assert explorer.shown == "full"
    explorer.shown = "none"
    assert not explorer.objects.slot_plane(0, 3, 2).any()


def test_numbers_are_unique_and_lead_back() -> None:
    labels = [np.array([[0, 4]]), np.array([[0, 0]]), np.array([[9, 1]])]
    images = LabelImages(labels, [("a",), ("b",), ("c",)], ("image",))
    frame = pd.DataFrame({"image": list("accb"), "label": [4, 9, 1, 6]})
    numbers = images.number(frame)
    assert [images.key(one) for one in numbers.tolist()] == [("a", 4), ("c", 9), ("c", 1), ("b", 6)]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda images, table: (images, table.drop(columns="image")),
            "a column 'image', to tell the image of each row",
        ),
        (
            lambda images, table: (images, table.replace("treated", "other")),
            "rows of the images that are given .*rows of 'other'",
        ),
        (lambda images, table: ({}, table), "at least one image"),
        (lambda images, table: ({"a": images["treated"], 3: images["treated"]}, None), "keys of one kind"),
        (lambda images, table: ({2.5: images["treated"]}, None), "names as keys"),
        (lambda images, table: ({"a": images["treated"][0]}, None), r"image\['a'\]: expected a pair"),
        (
            lambda images, table: (
                {"a": images["treated"], "b": tuple(part[0] for part in images["treated"])},
                None,
            ),
            "3 as spatial axes",
        ),
        (
            lambda images, table: (
                {"a": images["treated"], "b": (images["treated"][0].astype(float), images["treated"][1])},
                None,
            ),
            "uint16 as type",
        ),
        (
            lambda images, table: ({"a": (images["treated"][0][1:], images["treated"][1])}, None),
            "labels of 'a'",
        ),
        (
            lambda images, table: (images, pd.concat([table.assign(frame=0), table.assign(frame=1)])),
            "one row for each label of an image",
        ),
        (lambda images, table: (images, table.assign(label=0)), "more than one row|label numbers of 1"),
    ],
)
def test_refuses(images, table, change, message: str) -> None:
    with pytest.raises((ValueError, TypeError), match=message):
        explore(*change(images, table))


def test_refuses_anything_but_mappings_of_pairs(images) -> None:
    image, labels = images["treated"]
    with pytest.raises(TypeError, match="labels: expected the label image"):
        explore(image)
    with pytest.raises(ValueError, match="nothing beside several images"):
        explore(images, labels, pd.DataFrame({"label": [1]}))
    with pytest.raises(ValueError, match=r"by: expected the name of a column with at most 24 values.*image"):
        explore(images, by="area")
