import numpy as np
import pytest

import objclass

RNG = np.random.default_rng(0)


def test_a_stack_an_image_and_channels():
    stack = RNG.integers(0, 4000, (5, 30, 40)).astype(np.uint16)
    viewer = objclass.view(stack, spacing=(2, 0.5, 0.5))
    assert viewer.volume["shape"] == [5, 30, 40]
    assert viewer.volume["unit"] == "µm"
    assert objclass.view(stack[0]).volume["ndim"] == 2
    named = objclass.view(stack[:2], channel_names=["DAPI", "GFP"])
    assert named.volume["ndim"] == 2
    assert [channel["name"] for channel in named.channels] == ["DAPI", "GFP"]
    assert objclass.view(np.stack([stack, stack])).volume["shape"] == [5, 30, 40]


@pytest.mark.parametrize(
    "show", [objclass.view, objclass.annotate, lambda image, **unit: objclass.explore(image, image, **unit)]
)
def test_a_unit_without_a_voxel_size_is_refused(show):
    with pytest.raises(ValueError, match="spacing: expected the voxel size in nm, got none"):
        show(np.arange(900, dtype=np.uint16).reshape(30, 30), unit="nm")


def test_bright_values_saturate():
    ramp = np.linspace(0, 60_000, 40, dtype=np.uint16) * np.ones((30, 1), np.uint16)
    viewer = objclass.view(ramp)
    viewer.channels = [{**viewer.channels[0], "low": 0.0, "high": 1000.0}]
    from objclass.widgets.snapshot import compose_channels

    shown = compose_channels(ramp[np.newaxis], viewer.channels)
    assert (shown[:, 1:] == 255).all()
    assert (shown[:, 0] == 0).all()


def test_gamma_brightens_what_is_dark():
    from objclass.widgets.snapshot import compose_channels

    channel = {"low": 0, "high": 100, "color": "#ffffff", "visible": True, "gamma": 0.5}
    assert compose_channels(np.array([[[0, 25, 100]]]), [channel])[0, :, 0].tolist() == [0, 128, 255]


def test_a_channel_has_a_colour_map():
    from objclass.widgets.snapshot import compose_channels

    channel = {"low": 0, "high": 100, "color": "#ff0000", "visible": True, "map": "gray_r"}
    assert compose_channels(np.array([[[0, 25, 100]]]), [channel])[0].tolist() == [
        [255] * 3,
        [191] * 3,
        [0] * 3,
    ]
    viewer = objclass.view(np.zeros((5, 30, 40), np.uint16))
    viewer.channels = [{**viewer.channels[0], "map": "viridis"}]
    assert viewer.picture().startswith(b"\x89PNG")


def test_a_colour_picture_in_its_colours():
    picture = RNG.integers(0, 255, (30, 40, 3)).astype(np.uint8)
    viewer = objclass.view(picture)
    assert viewer.volume["ndim"] == 2
    assert [channel["color"] for channel in viewer.channels] == ["#ff0000", "#00ff00", "#0000ff"]
    assert objclass.view(picture, np.ones((30, 40), int)).layers == ["image", "labels"]


def test_objects_over_the_image():
    labels = np.zeros((5, 30, 40), int)
    labels[:, 10:20, 10:20] = 7
    viewer = objclass.view(labels * 100, labels)
    request = {"view": "v", "seq": 1, "axis": 0, "index": 2, "region": [0, 0, 30, 40], "step": 1}
    answer, _ = viewer._planes.answer({**request, "layers": viewer.layers})
    assert [layer["name"] for layer in answer["layers"]] == ["image", "labels"]
    assert "Viewer of an image of 5 × 30 × 40 pixels" in viewer._repr_mimebundle_()[0]["text/plain"]


def test_what_does_not_fit():
    with pytest.raises(ValueError, match="spatial shape of labels"):
        objclass.view(np.zeros((5, 30, 40)), np.zeros((5, 30, 41), int))
    with pytest.raises(ValueError, match="channel_names: expected 2 names"):
        objclass.view(np.zeros((2, 5, 30, 40)), channel_names=["one"])


def test_masked_pixels_are_not_shown():
    image = np.eye(20)
    masked = np.ma.masked_equal(image, 1)
    for show in (objclass.view, objclass.annotate):
        with pytest.raises(ValueError, match="image: expected an array without masked pixels"):
            show(masked)
    with pytest.raises(ValueError, match="without masked pixels"):
        objclass.explore({"a": (masked, image.astype(int))})
    annotator = objclass.annotate(image, annotations=np.ma.masked_equal(image.astype(int) + 1, 2))
    assert np.array_equal(annotator.annotations, 1 - image)
