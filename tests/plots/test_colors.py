import timeit

import matplotlib
import numpy as np
import pandas as pd
import pytest
from skimage.color import deltaE_ciede2000, rgb2lab

from objclass.plots.colors import (
    CHANNEL_MAPS,
    CLASS_COLORS,
    GROUP_COLORS,
    UNSELECTED,
    category_color,
    color_objects,
    color_ramp,
    group_color,
    label_colors,
    label_rgb,
    rgb,
)

# How linear RGB is seen where one kind of cone is missing: Machado, Oliveira and Fernandes 2009, severity 1.
VISION = {
    "normal": np.eye(3),
    "protanopia": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "deuteranopia": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    "tritanopia": [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.303900],
    ],
}


@pytest.mark.parametrize("vision", VISION)
@pytest.mark.parametrize("palette", [CLASS_COLORS, (*GROUP_COLORS, UNSELECTED)])
def test_colors_can_be_told_apart(palette, vision):
    rgb = np.array([[int(color[at : at + 2], 16) / 255 for at in (1, 3, 5)] for color in palette])
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    seen = np.clip(linear @ np.transpose(VISION[vision]), 0, 1)
    seen = np.where(seen <= 0.0031308, 12.92 * seen, 1.055 * seen ** (1 / 2.4) - 0.055)
    lab = rgb2lab(seen)
    distances = deltaE_ciede2000(lab[:, None], lab[None])
    assert distances[~np.eye(len(palette), dtype=bool)].min() > 7  # 2 is just noticeable


def test_an_object_has_one_colour_in_pictures_and_widgets():
    labels = np.array([[0, 3, 0, 900], [0, 3, 0, 900]])
    picture = label_colors(labels)
    np.testing.assert_array_equal([picture[0, 1], picture[1, 3]], label_rgb(np.array([3, 900])))


def test_a_cluster_has_the_colour_of_its_number_wherever_it_is_shown():
    table = pd.DataFrame({"label": [1, 2, 3], "KMEANS_CLUSTER_ID": [-1, 8, 40]})
    coloring = color_objects(table, "KMEANS_CLUSTER_ID")
    assert coloring.colors.tolist() == [rgb(category_color(n, 0)).tolist() for n in (-1, 8, 40)]
    assert [color for _, color in coloring.keys] == [group_color(9), group_color(41), UNSELECTED]


def test_the_colours_of_very_many_categories_cost_no_pass_over_the_table_each():
    names = pd.DataFrame({"label": np.arange(1, 20_001), "name": [f"object {n}" for n in range(20_000)]})
    many, one = (
        min(timeit.repeat(lambda t=table: color_objects(t, "name"), number=1, repeat=3))
        for table in (names, names.assign(name="one"))
    )
    assert many < 50 * one  # 27 times with pandas 2.2; a pass for each costs thousands of times as much


def test_channel_maps_are_those_of_matplotlib() -> None:
    for name in CHANNEL_MAPS:
        expected = matplotlib.colormaps[name](np.arange(256))[:, :3] * 255
        found = np.frombuffer(color_ramp(name), np.uint8).reshape(256, 3)
        assert np.abs(found - expected).max() <= 0.5
