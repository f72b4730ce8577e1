import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from objclass.widgets.planes import ImagePlanes, PlaneServer, decode_runs, encode_runs

RNG = np.random.default_rng(0)


def request(**changes):
    return {
        "axis": 0,
        "index": 2,
        "region": [0, 0, 7, 11],
        "step": 1,
        "layers": ["image"],
        "seq": 5,
        **changes,
    }


def read(layer, buffer):
    dtype = np.dtype(layer["dtype"]).newbyteorder("<")
    if layer.get("encoding") == "runs":
        return decode_runs(np.frombuffer(buffer, "<u4"), int(np.prod(layer["shape"]))).reshape(layer["shape"])
    return np.frombuffer(buffer, dtype).reshape(layer["shape"])


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int8, np.int16, np.bool_])
def test_small_integers_are_sent_exactly(dtype):
    info = np.iinfo(dtype if dtype != np.bool_ else np.uint8)
    high = 2 if dtype == np.bool_ else info.max + 1
    image = RNG.integers(0 if dtype == np.bool_ else info.min, high, (2, 5, 7, 11)).astype(dtype)
    server = PlaneServer(ImagePlanes(image), {})
    answer, buffers = server.answer(request())
    stored = read(answer["layers"][0], buffers[0])
    offset, scale = server.image.codes[0]
    assert scale == 1
    np.testing.assert_array_equal(stored.astype(int) + int(offset), image[:, 2].astype(int))
    assert answer["seq"] == 5


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int32, np.uint32])
@pytest.mark.parametrize("lowest", [None, 0])
def test_wide_values_are_sent_within_their_range(dtype, lowest):
    image = (RNG.normal(size=(1, 5, 7, 11)) * 1e6).clip(lowest, None).astype(dtype)
    server = PlaneServer(ImagePlanes(image), {})
    answer, buffers = server.answer(request())
    offset, scale = server.image.codes[0]
    restored = read(answer["layers"][0], buffers[0]) * scale + offset
    tolerance = 0.51 * np.ptp(image.astype(float)) / 65535
    np.testing.assert_allclose(restored, image[:, 2].astype(float), rtol=0, atol=tolerance)


def test_channels_of_a_colour_picture_share_their_contrast():
    image = np.stack([RNG.random((1, 9, 9)) * width + start for start, width in ((-2, 1), (3, 5), (1, 1))])
    planes = ImagePlanes(image)
    planes.share_contrast()
    for channel in planes.channels:
        limits = [channel["offset"] + channel["scale"] * channel[side] for side in ("low", "high")]
        assert limits == pytest.approx([image.min(), image.max()])


def test_a_request_for_more_than_there_is_gets_what_there_is():
    image = RNG.integers(0, 255, (1, 5, 7, 11)).astype(np.uint8)
    server = PlaneServer(ImagePlanes(image), {"labels": lambda axis, index: image[0].take(index, axis)})
    wide = request(region=[-(10**9), 0, 10**9, 2**40], layers=["image", "labels"])
    answer, buffers = server.answer(wide)
    for layer, buffer in zip(answer["layers"], buffers, strict=True):
        np.testing.assert_array_equal(read(layer, buffer)[0], image[0, 2])
    answer, buffers = server.answer(wide | {"step": 2**31})
    assert [tuple(layer["shape"]) for layer in answer["layers"]] == [(1, 1, 1), (1, 1, 1)]
    assert read(answer["layers"][0], buffers[0])[0, 0, 0] == np.rint(image[0, 2].mean())


def test_constant_image_has_a_range():
    channel = ImagePlanes(np.full((1, 1, 4, 4), 3.5)).channels[0]
    assert channel["least"] < channel["most"]
    assert channel["low"] < channel["high"]


def test_contrast_and_histogram_describe_the_channel():
    image = RNG.poisson(100, (1, 20, 64, 64)).astype(np.uint16)
    channel = ImagePlanes(image).channels[0]
    assert (channel["least"], channel["most"]) == (image.min(), image.max())
    assert channel["low"] == np.percentile(image, 0.5)
    assert sum(channel["histogram"]) == image.size


@pytest.mark.parametrize(("axis", "size"), [(0, (7, 11)), (1, (5, 11)), (2, (5, 7))])
def test_planes_along_each_axis(axis, size):
    image = RNG.integers(0, 999, (2, 5, 7, 11)).astype(np.uint16)
    server = PlaneServer(ImagePlanes(image), {})
    answer, buffers = server.answer(request(axis=axis, region=[0, 0, *size]))
    np.testing.assert_array_equal(read(answer["layers"][0], buffers[0]), np.take(image, 2, axis=axis + 1))


@given(
    plane=hnp.arrays(np.uint16, hnp.array_shapes(min_dims=2, max_dims=2, max_side=13)),
    step=st.integers(1, 5),
)
def test_a_reduced_plane_has_the_means_of_blocks(plane, step):
    server = PlaneServer(ImagePlanes(plane[None, None]), {})
    rows, cols = plane.shape
    answer, buffers = server.answer(request(index=0, step=step, region=[0, 0, rows, cols]))
    reduced = read(answer["layers"][0], buffers[0])[0]
    assert reduced.shape == (-(-rows // step), -(-cols // step))
    for row, col in np.ndindex(reduced.shape):
        block = plane[row * step : (row + 1) * step, col * step : (col + 1) * step]
        assert abs(float(reduced[row, col]) - block.mean()) <= 0.51


def test_a_part_of_a_plane():
    image = RNG.integers(0, 999, (1, 1, 40, 50)).astype(np.uint16)
    answer, buffers = PlaneServer(ImagePlanes(image), {}).answer(request(index=0, region=[3, 4, 20, 30]))
    np.testing.assert_array_equal(read(answer["layers"][0], buffers[0])[0], image[0, 0, 3:20, 4:30])


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int32, np.int64])
@pytest.mark.parametrize("noisy", [False, True])
def test_labels_are_sent_as_they_are(dtype, noisy):
    labels = np.zeros((5, 7, 11), dtype)
    labels[2, 2:5, 3:9] = 101
    if noisy:
        labels[2] = RNG.integers(0, 120, (7, 11))
    server = PlaneServer(
        ImagePlanes(np.zeros((1, 5, 7, 11), np.uint8)),
        {"labels": lambda axis, index: np.take(labels, index, axis)},
    )
    answer, buffers = server.answer(request(layers=["labels"]))
    assert answer["layers"][0]["encoding"] == (
        "raw" if noisy and dtype != np.int64 else answer["layers"][0]["encoding"]
    )
    np.testing.assert_array_equal(read(answer["layers"][0], buffers[0])[0], labels[2])


def test_a_reduced_layer_takes_the_middle_of_each_block_unless_it_is_whole():
    labels = np.arange(7 * 11, dtype=np.uint8).reshape(1, 7, 11)
    image = ImagePlanes(np.zeros((1, 1, 7, 11), np.uint8))
    sources = {"labels": lambda axis, index: labels[0]}
    server = PlaneServer(image, sources)
    answer, buffers = server.answer(request(index=0, step=3, layers=["labels"]))
    np.testing.assert_array_equal(
        read(answer["layers"][0], buffers[0])[0], labels[0][[1, 4, 6]][:, [1, 4, 7, 10]]
    )
    answer, buffers = PlaneServer(image, sources, whole=("labels",)).answer(
        request(index=0, step=3, layers=["labels"])
    )
    assert answer["layers"][0]["whole"]
    np.testing.assert_array_equal(read(answer["layers"][0], buffers[0])[0], labels[0])


def test_a_layer_without_pixels():
    server = PlaneServer(ImagePlanes(np.zeros((1, 5, 7, 11), np.uint8)), {"labels": lambda axis, index: None})
    answer, buffers = server.answer(request(layers=["image", "labels"]))
    assert answer["layers"][1] == {"name": "labels", "shape": None}
    assert bytes(buffers[1]) == b""


@given(hnp.arrays(np.uint8, st.integers(1, 200), elements=st.integers(0, 3)))
def test_runs_come_back(values):
    np.testing.assert_array_equal(decode_runs(encode_runs(values), values.size), values)


def test_runs_of_the_wrong_length_are_refused():
    with pytest.raises(ValueError, match="add up to 3, not to 4"):
        decode_runs(np.array([3, 0], np.uint32), 4)
    with pytest.raises(ValueError, match="add up to 4294967297, not to 1"):
        decode_runs(np.array([2**32 - 1, 2, 0, 0], np.uint32), 1)


def test_a_large_stack_is_not_read_as_a_whole(tmp_path):
    image = np.memmap(tmp_path / "stack.dat", np.uint16, "w+", shape=(1, 512, 1024, 1024))
    planes = ImagePlanes(image)
    answer, buffers = PlaneServer(planes, {}).answer(request(index=300, region=[0, 0, 1024, 1024]))
    assert sum(buffer.nbytes for buffer in buffers) == 2 * 1024**2
    assert answer["layers"][0]["shape"] == (1, 1024, 1024)


@pytest.mark.parametrize(
    ("wish", "message"),
    [
        ({"axis": 3}, "axis: expected an integer of at least 0 and of at most 2"),
        ({"index": 5}, "index: expected an integer of at least 0 and of at most 4"),
        ({"index": -1}, "index: expected an integer"),
        ({"layers": ["image", "secret"]}, "layers: expected one of 'image', 'labels'"),
    ],
)
@pytest.mark.parametrize("layer", ["image", "labels"])
def test_a_message_cannot_ask_for_what_is_not_there(wish, message, layer):
    labels = np.zeros((5, 7, 11), np.uint8)
    image = ImagePlanes(labels[None])
    server = PlaneServer(image, {"labels": lambda axis, index: np.take(labels, index, axis)})
    with pytest.raises(ValueError, match=message):
        server.answer(request(**{"layers": [layer], **wish}))


def test_a_layer_is_sent_once_and_the_largest_step_is_quick():
    image = ImagePlanes(np.full((1, 1, 900, 800), 7, np.uint16))
    whole = request(index=0, step=2**31, region=[0, 0, 900, 800], layers=["image"] * 100_000)
    answer, buffers = PlaneServer(image, {}).answer(whole)
    assert [layer["shape"] for layer in answer["layers"]] == [(1, 1, 1)]
    assert read(answer["layers"][0], buffers[0]).tolist() == [[[7]]]
