"""The engines "opencl" and "cpu" give the same classes, for all features, voxel sizes and tiles."""

import numpy as np
import pytest

import objclass
from objclass.pixels import opencl
from objclass.pixels.classifier import ObjectClassifier
from objclass.pixels.features import FEATURE_SETS, parse_features
from tests.pixels.test_classifier import scene

pytestmark = [
    pytest.mark.parity,
    pytest.mark.filterwarnings("ignore:Over half of the image is foreground"),
    pytest.mark.filterwarnings("ignore:Non-empty compiler output encountered"),
]

ENOUGH = 0.9999
STRUCTURE = "structure_largest_of_gaussian_blur=2 structure_middle_of_gaussian_blur=1.5 gaussian_blur=1"
HESSIAN = "hessian_middle_of_gaussian_blur=1 laplace_of_gaussian_blur=1.5 hessian_smallest_of_gaussian_blur=2"
# OpenCL compiles its filters for each shape anew: few shapes, whose halves are alike.
SOLID, FLAT = (12, 40, 44), (128, 160)
# Shape, channels, classes, depth of the trees, features, voxel size.
CASES = {
    "3D": (SOLID, 1, 2, 2, "object_size_1_to_5_px", None),
    "3D, default features": (SOLID, 1, 2, None, None, None),
    "3D, two channels, three classes, full depth": (SOLID, 2, 3, None, "edges_1_to_4_px", None),
    "3D, eigenvalues": (SOLID, 1, 3, 6, "ridges_1_to_4_px", None),
    "3D, structure": (SOLID, 2, 2, 6, STRUCTURE, None),
    "3D, thick planes": (SOLID, 1, 3, 6, "edges_1_to_4_px", (3.0, 1.0, 1.0)),
    "3D, thick planes, eigenvalues": (SOLID, 1, 2, 6, f"{STRUCTURE} {HESSIAN}", (3.0, 1.0, 1.0)),
    "3D, wider than the image": ((5, 62, 70), 1, 2, 5, "medium_dog_log", None),
    "2D": (FLAT, 1, 2, 2, "object_size_1_to_5_px", None),
    "2D, Sobel, three classes": (FLAT, 1, 3, 5, "v070", None),
    "2D, long pixels": (FLAT, 2, 3, None, "edges_1_to_4_px ridges_1_to_4_px", (2.0, 1.0)),
    "2D, structure": (FLAT, 1, 2, 6, STRUCTURE.replace("middle", "smallest"), None),
}


@pytest.fixture(scope="module", autouse=True)
def device():
    """An OpenCL device that compiles; without one the tests are skipped, in CI they fail."""
    cle = pytest.importorskip("pyclesperanto")
    try:
        return opencl._select_device(cle)
    except ValueError as error:
        pytest.skip(f"pyclesperanto has no OpenCL device: {error}")


def train(case):
    shape, n_channels, n_classes, max_depth, features, spacing = CASES[case]
    image, scribbles = scene(shape, n_channels, n_classes)
    if features is not None:
        features = " ".join(FEATURE_SETS.get(name, name) for name in features.split())
        features = [*dict.fromkeys(features.split())]
    return image, objclass.train_object_classifier(
        image, scribbles, features=features, spacing=spacing, max_depth=max_depth, n_estimators=25
    )


def agree(image, classifier, **options):
    found, expected = (
        objclass.classify_pixels(image, classifier, engine=engine, **options) for engine in ("opencl", "cpu")
    )
    assert found.shape == expected.shape
    assert found.dtype == expected.dtype == np.uint8
    assert len(np.unique(expected)) == classifier.n_classes
    assert (found == expected).mean() >= ENOUGH
    return found


@pytest.mark.parametrize("case", CASES)
def test_classes_are_those_of_the_cpu(case):
    image, classifier = train(case)
    agree(image, classifier)


@pytest.mark.parametrize("case", ["3D, two channels, three classes, full depth", "2D, long pixels"])
def test_probabilities_are_those_of_the_cpu(case):
    image, classifier = train(case)
    for positive in (1, (2, 3)):
        found, expected = (
            objclass.probability_map(image, classifier, positive_class=positive, engine=engine)
            for engine in ("opencl", "cpu")
        )
        assert found.dtype == expected.dtype == np.float32
        assert np.ptp(expected) > 0.5
        # A value that differs in its last digit may lie on the other side of a threshold: of one tree.
        assert (np.abs(found - expected) <= 1.001 / 25).mean() >= ENOUGH
        assert (np.abs(found - expected) <= 1e-5).mean() >= 0.999
    labels = objclass.segment(image, classifier, engine="opencl")
    assert ((labels > 0) == (objclass.segment(image, classifier) > 0)).mean() >= ENOUGH


def test_planes_of_a_stack_one_by_one():
    image, classifier = train("2D, Sobel, three classes")
    stack = np.stack([image, image[::-1], image[:, ::-1] * 0.5])
    agree(stack, classifier, planewise=True)


def test_filters_are_scaled_to_the_voxel_size():
    image, classifier = train("3D, thick planes")
    near = np.repeat(image, 2, axis=0)
    agree(near, classifier, spacing=(1.5, 1.0, 1.0), match_spacing=True)


@pytest.mark.parametrize(
    "case",
    ["3D, two channels, three classes, full depth", "3D, structure", "3D, thick planes", "2D, structure"],
)
def test_tiles_change_nothing(case, monkeypatch):
    image, classifier = train(case)
    whole = objclass.classify_pixels(image, classifier, engine="opencl")
    monkeypatch.setattr(opencl, "TILE_BYTES", 2**19)
    monkeypatch.setattr(opencl, "_SMALLEST", 2)
    calls = []
    tiled = objclass.classify_pixels(
        image, classifier, engine="opencl", progress=lambda *call: calls.append(call)
    )
    np.testing.assert_array_equal(tiled, whole)
    assert len(calls) > 1
    assert calls[-1] == (whole.size, whole.size)


@pytest.mark.parametrize(
    ("names", "size"),
    [
        ([name for name in opencl.BOX_FILTERS if name.endswith("box")], SOLID),
        ([name for name in opencl.BOX_FILTERS if name.endswith("sphere")], SOLID),
        (["mean_sphere", "top_hat_box"], FLAT),
    ],
    ids=["box", "sphere", "2D"],
)
def test_box_filters_are_those_of_apoc(names, size, apoc, tmp_path, monkeypatch):
    image, scribbles = scene(size)
    theirs = apoc.PixelClassifier(str(tmp_path / "a.cl"), 5, 4)
    theirs.train(
        " ".join(["original", *(f"{name}=2" for name in names), "gaussian_blur=1"]), scribbles, image
    )
    loaded = objclass.load_classifier(tmp_path / "a.cl")
    assert set(loaded.forest.feature) >= {*range(len(names) + 2)}, "all filters decide"
    with pytest.raises(ValueError, match=rf"got '{names[0]}=2'.*engine=\"opencl\""):
        objclass.classify_pixels(image, loaded, engine="cpu")
    whole = objclass.classify_pixels(image, loaded, engine="opencl")
    # Tiles of one shape, as OpenCL compiles the filters for each anew.
    monkeypatch.setattr(opencl, "TILE_BYTES", 2**19)
    calls = []
    found = objclass.classify_pixels(
        image, loaded, engine="opencl", progress=lambda *call: calls.append(call)
    )
    assert len(calls) > 1
    np.testing.assert_array_equal(found, whole)
    assert (found == np.asarray(theirs.predict(image))).mean() >= ENOUGH


def test_other_filters_are_refused():
    image, classifier = train("2D")
    used = classifier.forest.feature.max()
    features = parse_features([*classifier.features[:used], "skeletonize=2"], allow_other_filters=True)
    other = ObjectClassifier(features, classifier.forest, ndim=2, positive_class=2)
    with pytest.raises(ValueError, match=r"features: expected filters among .*mean_box.*got 'skeletonize=2'"):
        objclass.classify_pixels(image, other, engine="opencl")


def test_device_is_chosen_by_name(monkeypatch, device):
    image, classifier = train("2D")
    monkeypatch.setenv(opencl.DEVICE, device.name[-6:].lower())
    agree(image, classifier)
    monkeypatch.setenv(opencl.DEVICE, "Voodoo")
    expected = r"engine: expected an OpenCL device with 'Voodoo' in its name, by OBJCLASS_OPENCL_DEVICE, got "
    with pytest.raises(ValueError, match=expected):
        objclass.classify_pixels(image, classifier, engine="opencl")


def run_out_of_memory(monkeypatch, most):
    """Let the device refuse arrays of more than `most` values, as OpenCL does."""
    import pyclesperanto as cle

    sizes, create = [], cle.create

    def create_some(shape, *args, **options):
        if np.prod(shape) > most:
            raise RuntimeError("Failed to allocate buffer memory. OpenCL error: CL_INVALID_BUFFER_SIZE (-61)")
        sizes.append(np.prod(shape))
        return create(shape, *args, **options)

    monkeypatch.setattr(cle, "create", create_some)
    return sizes


def test_out_of_memory_makes_tiles_smaller(monkeypatch):
    image, classifier = train("2D, long pixels")
    whole = objclass.classify_pixels(image, classifier, engine="opencl")
    sizes = run_out_of_memory(monkeypatch, 500_000)
    np.testing.assert_array_equal(objclass.classify_pixels(image, classifier, engine="opencl"), whole)
    assert len(sizes) >= 8
    run_out_of_memory(monkeypatch, 100)
    expected = (
        "engine: expected an OpenCL device with memory for a tile of .* voxels.*CL_INVALID_BUFFER_SIZE.*cpu"
    )
    with pytest.raises(ValueError, match=expected):
        objclass.classify_pixels(image, classifier, engine="opencl")


def test_real_refusal_of_the_device_counts_as_out_of_memory(device):
    cle = pytest.importorskip("pyclesperanto")
    with pytest.raises(RuntimeError) as refused:
        # Graphics cards find the memory when it is used.
        cle.set(cle.create((2000, 20_000, 20_000), np.float32, device=device), 1)
    assert any(sign in str(refused.value) for sign in opencl._NO_MEMORY)


def test_failure_of_the_device_is_reported(monkeypatch):
    image, classifier = train("2D")
    monkeypatch.setattr(opencl, "_KINDS", ("LAPLACE",))
    expected = 'engine: expected an OpenCL device that computes, on .*undeclared identifier.*engine="cpu"'
    with pytest.raises(ValueError, match=expected):
        objclass.classify_pixels(image, classifier, engine="opencl")


def test_missing_package_is_named(monkeypatch):
    image, classifier = train("2D")
    monkeypatch.setitem(__import__("sys").modules, "pyclesperanto", None)
    with pytest.raises(ValueError, match=r"engine: .*pyclesperanto.*objclass\[gpu\]"):
        objclass.classify_pixels(image, classifier, engine="opencl")
