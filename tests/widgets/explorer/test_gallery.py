"""The gallery: which objects, in which order, and that each crop shows its object."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import pandas as pd
import pytest

import objclass
from objclass.widgets.explorer.explorer import explore
from objclass.widgets.explorer.gallery import TILE
from tests.widgets.explorer.test_explorer import Page


@pytest.fixture(scope="module")
def sample() -> tuple[np.ndarray, np.ndarray, pd.DataFrame]:
    """Boxes of different brightness on black, with gaps in the label numbers, one of them at the corner."""
    rng = np.random.default_rng(3)
    labels = np.zeros((10, 90, 90), np.int32)
    for place in range(36):
        z, y, x = rng.integers(0, 4), place // 6 * 15, place % 6 * 15
        depth, height, width = rng.integers(3, 7, 3)
        labels[z : z + depth, y : y + height, x : x + width] = 3 * place + 5
    image = np.where(labels > 0, 100 + 20 * labels, 0).astype(np.uint16)
    table = objclass.measure(labels, image)
    return image, labels, table.assign(KMEANS_CLUSTER_ID=pd.array(np.arange(36) % 3, "Int64"))


@pytest.fixture
def page(sample) -> Page:
    return Page(explore(*sample, x="area", y="intensity_mean"))


def gallery(page: Page, **wish: Any) -> tuple[list[int], np.ndarray]:
    answer = page.tell("gallery", **{"show": "all", **wish})
    assert not page.explorer.error
    (_, (sheet,)) = page.answers[-1]
    return answer["labels"], np.frombuffer(sheet, np.uint8).reshape(-1, TILE, TILE, 4)


def test_every_crop_shows_its_object_at_the_same_contrast(page: Page, sample) -> None:
    image, labels, table = sample
    found, crops = gallery(page, order="label")
    assert found == sorted(table["label"])
    assert crops.shape == (36, TILE, TILE, 4)
    (channel,) = page.explorer.channels
    for label, crop in zip(found, crops, strict=True):
        value = image[labels == label][0]
        shown = np.clip((value - channel["low"]) / (channel["high"] - channel["low"]), 0, 1) * 255
        assert abs(int(crop[TILE // 2, TILE // 2, 0]) - shown) <= 1
        assert crop[..., 3].any(), "its boundary is marked"
        rows, cols = np.nonzero(crop[..., 3])
        centre = (TILE - 1) / 2
        np.testing.assert_allclose(
            [(rows.min() + rows.max()) / 2, (cols.min() + cols.max()) / 2], centre, atol=3
        )


def test_one_scale_in_true_proportions(sample) -> None:
    image, labels, table = sample
    flat = Page(explore(image, labels, table, spacing=(1, 2, 1)))
    found, crops = gallery(flat, order="label")
    ratios = []
    for label, crop in zip(found, crops, strict=True):
        rows, cols = np.nonzero(crop[..., 3])
        height, width = np.ptp(rows) + 1, np.ptp(cols) + 1
        plane = labels[flat.explorer.objects.find(label)[0]] == label
        ratios += [
            height / (2 * np.ptp(np.nonzero(plane)[0]) + 2),
            width / (np.ptp(np.nonzero(plane)[1]) + 1),
        ]
    np.testing.assert_allclose(ratios, np.median(ratios), rtol=0.2)


def test_selected_filtered_a_cluster_and_any_order(page: Page, sample) -> None:
    table = sample[2]
    chosen = table["label"].iloc[[4, 9, 20]].tolist()
    page.tell("select", shape="objects", objects=chosen, mode="replace")
    assert gallery(page, show="selected")[0] == chosen
    cut = table["area"].median()
    wanted = table[table["area"] > cut].sort_values("area", ascending=False, kind="stable")["label"]
    assert (
        gallery(page, show="filtered", query=f"area > {cut}", order="area", descending=True)[0]
        == wanted.tolist()
    )
    cluster = table[table["KMEANS_CLUSTER_ID"] == 1]
    found = gallery(page, show="category", by="KMEANS_CLUSTER_ID", value="1")[0]
    assert found == cluster["label"].tolist()
    assert gallery(page, show="category", by="MANUAL_CLUSTER_ID", value="1")[0] == chosen


def test_the_most_typical_lies_next_to_the_mean_of_its_cluster(page: Page, sample) -> None:
    table = sample[2]
    names = ["area", "intensity_mean"]
    slim = Page(explore(*sample[:2], table[["label", *names, "KMEANS_CLUSTER_ID"]]))
    wish = {"show": "category", "by": "KMEANS_CLUSTER_ID", "value": "2"}
    typical = gallery(slim, **wish, order="typical")[0]
    cluster = table[table["KMEANS_CLUSTER_ID"] == 2]
    scaled = (cluster[names] - cluster[names].mean()) / table[names].std(ddof=0)
    distance = np.hypot(scaled["area"], scaled["intensity_mean"])
    assert typical == cluster["label"].iloc[np.argsort(distance, kind="stable")].tolist()
    assert gallery(slim, **wish, order="unusual")[0][0] == typical[-1]


def test_pages_of_a_long_gallery(page: Page) -> None:
    everything = gallery(page)[0]
    assert gallery(page, start=10, count=7)[0] == everything[10:17]
    assert gallery(page, start=35, count=500)[0] == everything[35:]


def test_rows_without_an_object_have_an_empty_crop(sample) -> None:
    image, labels, table = sample
    more = pd.concat([table, table.iloc[:1].assign(label=9999)], ignore_index=True)
    found, crops = gallery(Page(explore(image, labels, more)), order="label", descending=True)
    assert found[0] == 9999
    assert not crops[0].any()


def test_flat_images_channels_and_no_objects(sample) -> None:
    image, labels, _ = sample
    flat = Page(explore(np.stack([image[5], image[5] // 2]), labels[5]))
    assert gallery(flat)[1][..., :3].any()
    empty = Page(explore(image, np.zeros_like(labels), sample[2].iloc[:0]))
    found, crops = gallery(empty, order="typical")
    assert (found, len(crops)) == ([], 0)


def test_a_tip_has_the_values_and_the_crop(page: Page, sample) -> None:
    label = int(sample[2]["label"].iloc[7])
    answer = page.tell("tip", label=label, view="a")
    assert answer["cells"]["area"] == sample[2]["area"].iloc[7]
    (_, (sheet,)) = page.answers[-1]
    assert bytes(sheet) == gallery(page, show="all", start=7, count=1)[1].tobytes()


@pytest.mark.parametrize(
    ("wish", "words"),
    [
        ({"show": "some"}, "show"),
        ({"show": "category", "by": "nothing"}, "by"),
        ({"order": "nothing"}, "order"),
        ({"show": "filtered", "query": "area >"}, "area >"),
    ],
)
def test_bad_wishes_are_refused(page: Page, wish: dict[str, Any], words: str) -> None:
    page.tell("gallery", **{"show": "all", **wish})
    assert words in page.explorer.error


def test_a_hundred_crops_cost_no_more_than_a_few_slices() -> None:
    """The volume is passed through once, not once for each crop."""
    labels = np.zeros((60, 400, 400), np.int32)
    for place in range(400):
        y, x = place // 20 * 20, place % 20 * 20
        labels[place % 40 : place % 40 + 15, y : y + 12, x : x + 12] = place + 1
    image = (labels + 100).astype(np.uint16)
    page = Page(explore(image, labels, pd.DataFrame({"label": range(1, 401), "area": 1.0})))
    gallery(page, count=1)  # finds the boxes
    start = time.process_time()
    for _ in range(3):
        labels.max()
    passes = time.process_time() - start
    start = time.process_time()
    found, _ = gallery(page, count=100)
    assert len(found) == 100
    assert time.process_time() - start < 3 * passes + 0.5
