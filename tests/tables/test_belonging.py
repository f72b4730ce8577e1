"""Tables of other images, and label images whose objects were renumbered."""

import warnings

import numpy as np
import pandas as pd
import pytest

import objclass


def disks(seed):
    """A label image of 25 disks, numbered along y as `skimage.measure.label` numbers them."""
    rng = np.random.default_rng(seed)
    labels = np.zeros((120, 110), int)
    y, x = np.indices(labels.shape)
    for number, place in enumerate(np.sort(rng.choice(80, 25, replace=False)), 1):
        centre = 8 + 12 * (place // 8), 8 + 13 * (place % 8)
        labels[(y - centre[0]) ** 2 + (x - centre[1]) ** 2 <= rng.integers(5, 30)] = number
    return labels


LABELS = disks(0)
TABLE = objclass.measure(LABELS, LABELS * 2, progress=False)
USES = {
    "map_to_image": lambda labels, table, _: objclass.map_to_image(labels, table, "area"),
    "write_geojson": lambda labels, table, folder: objclass.write_geojson(
        labels, folder / "a.geojson", table=table
    ),
    "overview": lambda labels, table, _: objclass.overview(labels, labels, table),
    "explore": lambda labels, table, _: objclass.explore(labels, labels, table),
}


@pytest.mark.parametrize("use", USES)
def test_a_table_whose_objects_lie_elsewhere_is_reported(use, tmp_path):
    if use == "explore":
        pytest.importorskip("anywidget")
    by_size = TABLE.sort_values("area").assign(label=range(1, 1 + len(TABLE)))
    for labels, table in (
        (disks(1), TABLE),
        (LABELS.T, TABLE),
        (LABELS[::-1], TABLE),
        (LABELS, TABLE.assign(label=TABLE["label"] + 1)),
        (LABELS, by_size),
        (objclass.exclude_small(LABELS, 40), TABLE),
        (objclass.exclude_small(LABELS, 60), TABLE),
        (LABELS[None], objclass.measure(disks(1)[None], properties=["area", "centroid"])),
    ):
        with pytest.warns(UserWarning, match=r"table: \d+ of \d+ objects .* lie elsewhere"):
            USES[use](labels, table, tmp_path)


@pytest.mark.parametrize(
    ("labels", "table"),
    [
        (LABELS, TABLE[TABLE["area"] > 20].sort_values("area")),
        (LABELS, TABLE[["label", "area"]].assign(label=TABLE["label"] % 25 + 1)),
        (LABELS, TABLE.astype(dict.fromkeys(("label", "bbox-0", "centroid-0"), "Float64"))),
        (LABELS, TABLE.drop(columns=["bbox-0"]).astype({"centroid-1": str})),
        (LABELS, objclass.measure(LABELS, spacing=(0.2, 0.4), properties=["area", "centroid"])),
        (objclass.expand(LABELS, 3), TABLE),
        (LABELS[20:, 30:], TABLE),
        (np.repeat(np.repeat(LABELS, 14, axis=0), 14, axis=1), TABLE),
        (LABELS[::2, ::2].astype(np.uint64), TABLE),
        (np.where(LABELS % 7 == 0, LABELS + 100, LABELS), TABLE),
        (LABELS[:30], TABLE[:5]),
    ],
)
def test_a_table_of_these_objects_is_not(labels, table):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        objclass.map_to_image(labels, table, "area")


def test_labels_that_count_from_zero_are_refused():
    table = pd.DataFrame({"label": range(25), "area": np.arange(25.0)})
    with pytest.raises(ValueError, match=r"got 0 to 24\. Labels of images count from 1"):
        objclass.map_to_image(LABELS, table, "area")
