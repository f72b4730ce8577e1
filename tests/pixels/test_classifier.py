import dataclasses
import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import ndimage as ndi
from scipy.stats import rankdata

import objclass
from objclass.pixels.cl_format import ClassifierFile, read_cl, write_cl
from objclass.pixels.classifier import CLASS_NAMES, ObjectClassifier, load_classifier, train_object_classifier
from objclass.pixels.comparison import compare_with_training
from objclass.pixels.extraction import features_at
from objclass.pixels.features import APOC_SETS, Feature, parse_features
from objclass.pixels.forest import Forest
from objclass.pixels.prediction import classify_pixels
from objclass.pixels.sampling import recorded_pixels
from tests.forests import count_votes
from tests.random_search import examples

SET = "original gaussian_blur=1 difference_of_gaussian=2 laplace_box_of_gaussian_blur=1"


def scene(shape=(12, 20, 22), n_channels=1, n_classes=2):
    """Noisy blobs and scribbles on them; with channels first where there are several."""
    rng = np.random.default_rng(7)
    blobs = ndi.gaussian_filter(rng.normal(size=(n_channels, *shape)), (0, *[2] * len(shape)))
    image = (blobs / blobs.std() * 40 + 200 + rng.normal(scale=5, size=blobs.shape)).astype(np.uint16)
    level = np.digitize(blobs[0], np.quantile(blobs[0], np.linspace(0, 1, n_classes + 1)[1:-1]))
    scribbles = np.where(rng.random(shape) < 0.1, level + 1, 0).astype(np.uint8)
    return (image if n_channels > 1 else image[0]), scribbles


IMAGE, SCRIBBLES = scene()
FOR_OBJCLASS_ALONE = pytest.mark.filterwarnings("ignore:APOC, napari and Fiji")


def train(image=IMAGE, annotations=SCRIBBLES, **options):
    return train_object_classifier(image, annotations, **{"features": SET, "n_estimators": 10, **options})


# Training


@pytest.mark.parametrize("shape", [(40, 44), (12, 20, 22)])
@pytest.mark.parametrize(("n_channels", "n_classes"), [(1, 2), (2, 3)])
@pytest.mark.parametrize("preset", ["default", "apoc"])
def test_trained_forest_votes_as_that_of_scikit_learn(shape, n_channels, n_classes, preset):
    from sklearn.ensemble import ExtraTreesClassifier, RandomForestClassifier

    image, scribbles = scene(shape, n_channels, n_classes)
    classifier = train(image, scribbles, preset=preset, max_depth=4, random_state=3)
    channels = image if n_channels > 1 else image[np.newaxis]
    rows, classes = features_at(channels, classifier.features, scribbles > 0), scribbles[scribbles > 0]
    seen = rows
    if preset == "apoc":
        model = RandomForestClassifier(10, max_depth=4, random_state=3)
    else:
        least = min(10, len(rows) // 20)
        model = ExtraTreesClassifier(10, max_depth=4, min_samples_leaf=least, bootstrap=True, random_state=3)
        seen = np.stack([rankdata(column) for column in rows.T], axis=1)
    model.fit(seen, classes)
    shares = count_votes(classifier.forest, rows[:50]) / 10
    np.testing.assert_allclose(shares, model.predict_proba(seen[:50]), atol=1e-6)
    assert classifier.importances == tuple(model.feature_importances_)
    assert (classifier.ndim, classifier.n_channels) == (len(shape), n_channels)
    assert (classifier.n_classes, classifier.max_depth, classifier.random_state) == (n_classes, 4, 3)


@examples(5)
@given(st.randoms(use_true_random=False))
def test_order_of_painting_does_not_matter(random):
    places = list(zip(*np.nonzero(SCRIBBLES), strict=True))
    random.shuffle(places)
    painted = np.zeros_like(SCRIBBLES)
    for place in places:
        painted[place] = SCRIBBLES[place]
    assert train(annotations=painted) == train()


@pytest.mark.parametrize("dtype", [np.int64, np.uint16, ">i4"])
def test_dtype_and_memory_order_of_the_scribbles_do_not_matter(dtype):
    assert train(annotations=np.asfortranarray(SCRIBBLES.astype(dtype))) == train()


def test_byte_order_and_memory_order_of_the_image_do_not_matter():
    assert train(np.asfortranarray(IMAGE)) == train(IMAGE.astype(">u2")) == train()


def test_seed_changes_the_forest_and_repeats_it():
    assert train(random_state=1) == train(random_state=1)
    assert train(random_state=1).forest != train().forest


def test_number_of_threads_changes_nothing(monkeypatch):
    expected = train()
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    assert train() == expected


def test_warning_filters_stay_as_they_are():
    train()  # imports scikit-learn, which adds filters
    before = list(warnings.filters)
    for seed in range(20):
        train(random_state=seed)
    assert warnings.filters == before


def test_inputs_are_not_changed():
    image, scribbles = IMAGE.copy(), SCRIBBLES.copy()
    train(image, scribbles)
    assert np.array_equal(image, IMAGE)
    assert np.array_equal(scribbles, SCRIBBLES)


def test_channels_may_come_in_any_order():
    image, scribbles = scene((40, 44), 2)
    ahead, behind = (
        train(channels, scribbles, n_estimators=300).feature_importances().set_index(["feature", "channel"])
        for channels in (image, image[::-1])
    )
    swapped = behind.rename(index={0: 1, 1: 0}, level="channel").loc[ahead.index]
    assert ahead["importance"].idxmax()[1] == 0
    np.testing.assert_allclose(ahead["importance"], swapped["importance"], atol=0.05)


def test_several_images_give_the_rows_of_all():
    first, second = SCRIBBLES.copy(), SCRIBBLES.copy()
    first[6:], second[:6] = 0, 0
    together = train([IMAGE, IMAGE], [first, second])
    assert together.forest == train().forest
    assert together.importances == train().importances
    unpainted = train([IMAGE, IMAGE * 2], [SCRIBBLES, 0 * SCRIBBLES])
    assert unpainted.forest == train().forest


def test_classes_keep_their_numbers_where_one_is_not_painted():
    scribbles = np.where(SCRIBBLES == 2, 4, SCRIBBLES)
    classifier = train(annotations=scribbles, positive_class=4)
    assert classifier.n_classes == 4
    assert np.flatnonzero(classifier.forest.leaf.any(axis=0)).tolist() == [0, 3]
    assert np.array_equal(classifier.forest.leaf[:, [0, 3]], train().forest.leaf)


def test_two_annotated_pixels_are_enough(tmp_path):
    scribbles = np.zeros((6, 6), np.uint8)
    scribbles[1, 1], scribbles[4, 4] = 1, 2
    path = tmp_path / "a.cl"
    image = np.arange(36).reshape(6, 6)
    classifier = train(image, scribbles, features="original", preset="apoc", path=path)
    assert (classifier.forest.feature[classifier.forest.roots] < 0).any()
    assert load_classifier(path) == classifier
    assert np.array_equal(
        classify_pixels(image, train(image, scribbles, features="original"))[[1, 4], [1, 4]], [1, 2]
    )


def test_a_rare_class_is_not_drowned_in_a_leaf():
    image, scribbles = np.zeros((40, 40)), np.ones((40, 40), np.uint8)
    image[7, 5:7], scribbles[7, 5:7] = 1, 2
    classifier = train(image, scribbles, features="original")
    assert np.array_equal(classify_pixels(image, classifier), scribbles)


def test_brightness_in_other_steps_gives_the_same_trees():
    """Thresholds are drawn among pixels, not evenly between the darkest and the brightest one."""
    image = IMAGE.astype(np.float64)
    skewed = np.exp(image / 20)
    plain, other = (train(one, features="original") for one in (image, skewed))
    assert np.array_equal(plain.forest.leaf, other.forest.leaf)
    assert np.array_equal(
        classify_pixels(image, plain)[SCRIBBLES > 0], classify_pixels(skewed, other)[SCRIBBLES > 0]
    )


def test_leaves_are_smaller_where_few_pixels_are_annotated():
    image, scribbles = scene((60, 60))
    few = np.where(np.cumsum(scribbles > 0).reshape(scribbles.shape) <= 60, scribbles, 0)
    sizes = {
        name: max(np.count_nonzero(tree == -1) for tree in np.split(forest.feature, forest.roots[1:]))
        for name, forest in (("few", train(image, few).forest), ("many", train(image, scribbles).forest))
    }
    assert 60 / 10 < sizes["few"] <= 60 / 3
    assert sizes["many"] <= np.count_nonzero(scribbles) / 10


def test_presets():
    by_default, named, as_apoc = train(features=None), train(features="small_quick"), train(preset="apoc")
    assert (by_default.preset, named.preset, as_apoc.preset) == ("default", "apoc", "apoc")
    assert by_default.features == parse_features("edges_1_to_8_px")
    assert train(features=None, preset="apoc").features == parse_features("object_size_1_to_5_px")
    assert named.max_depth == as_apoc.max_depth == as_apoc.forest.depth == 2
    assert by_default.forest.depth == by_default.max_depth > 2
    with pytest.raises(ValueError, match="preset: expected one of 'default', 'apoc', got str 'ilastik'"):
        train(preset="ilastik")


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"preset": "apoc"},
        {"max_depth": 3, "class_weight": "balanced", "random_state": 5},
        {"features": None},
    ],
)
@FOR_OBJCLASS_ALONE
def test_another_one_is_trained_like_it(tmp_path, options):
    classifier = train(path=tmp_path / "a.cl", **options)
    for known in (classifier, load_classifier(tmp_path / "a.cl")):
        again = train_object_classifier(IMAGE, SCRIBBLES, **known.parameters.keywords())
        assert again == classifier


def test_file_of_apoc_is_trained_again_as_apoc_does(shared_data):
    classifier = load_classifier(shared_data / "nuclei3d_apoc_round1.cl")
    assert classifier.preset == "apoc"
    assert classifier.parameters.recipe == "apoc"
    assert (classifier.parameters.max_depth, classifier.parameters.n_estimators) == (2, 100)


@pytest.mark.parametrize("written", [str, str.split, lambda text: text.replace(" ", "  ")])
def test_set_of_apoc_as_a_specification_is_that_of_its_name(written):
    named = train(features="object_size_1_to_5_px")
    spelled = train(features=written(APOC_SETS["object_size_1_to_5_px"]))
    assert named.preset == spelled.preset == "apoc"
    assert spelled.features == named.features
    np.testing.assert_array_equal(classify_pixels(IMAGE, spelled), classify_pixels(IMAGE, named))
    assert train(features=SET).preset == "default"


def test_balanced_classes_weigh_the_same():
    scribbles = SCRIBBLES.copy()
    scribbles[2:][scribbles[2:] == 2] = 0
    plain, balanced = (train(annotations=scribbles, class_weight=weight) for weight in (None, "balanced"))
    sizes = [(classify_pixels(IMAGE, classifier) == 2).sum() for classifier in (plain, balanced)]
    assert sizes[1] > sizes[0]
    with pytest.raises(ValueError, match="class_weight: expected one of 'balanced', got str 'heavy'"):
        train(class_weight="heavy")


def test_it_says_how_it_was_made():
    notes = train().notes
    counts = np.bincount(SCRIBBLES.ravel())
    assert notes["annotated_pixels"] == f"1:{counts[1]} 2:{counts[2]}"
    assert notes["random_state"] == "0"
    assert {"objclass_version", "scikit_learn_version"} < set(notes)
    other_image, other_scribbles = IMAGE.copy(), SCRIBBLES.copy()
    other_image[0, 0, 0] += 1
    other_scribbles[0, 0, 0] = 2 - (other_scribbles[0, 0, 0] > 0)
    checksums = {
        train(*pair).notes["training_data"]
        for pair in ((IMAGE, SCRIBBLES), (other_image, SCRIBBLES), (IMAGE, other_scribbles))
    }
    assert len(checksums) == 3


# What it was trained on


def test_accuracy_is_out_of_bag(tmp_path):
    classifier = train(n_estimators=50, path=tmp_path / "a.cl")
    counts = np.bincount(SCRIBBLES.ravel())[1:]
    assert classifier.confusion.index.tolist() == classifier.confusion.columns.tolist() == [1, 2]
    assert classifier.confusion.sum(axis=1).tolist() == counts.tolist()
    assert 0.7 < classifier.accuracy <= 1
    mixed = np.where(SCRIBBLES > 0, np.random.default_rng(0).integers(1, 3, SCRIBBLES.shape), 0)
    assert abs(train(annotations=mixed).accuracy - 0.5) < 0.1
    assert load_classifier(tmp_path / "a.cl").confusion.equals(classifier.confusion)
    for damaged in ("", "[]", '{"classes": [1], "confusion": [1, 2]}'):
        other = dataclasses.replace(classifier, notes={"out_of_bag": damaged})
        assert other.confusion is other.accuracy is None


def test_the_file_keeps_what_the_pixels_were(tmp_path):
    image, scribbles = scene((40, 44), 2)
    classifier = train(image, scribbles, path=tmp_path / "a.cl")
    kept = recorded_pixels(load_classifier(tmp_path / "a.cl").notes)
    assert kept["dtype"] == "uint16"
    for channel, known in zip(image, kept["channels"], strict=True):
        expected = [channel.min(), *np.percentile(channel, [1, 50, 99]), channel.max()]
        np.testing.assert_allclose(list(known.values()), expected, rtol=1e-5)
    assert recorded_pixels({"training_pixels": "{}"}) is None
    assert compare_with_training(image, classifier) == []
    assert compare_with_training(image // 3, classifier) == []
    far = compare_with_training(np.stack([image[0], image[1] // 5]), classifier)
    assert [text.split(" is ")[0] for text in far] == ["The 99th percentile of channel 1"]
    assert len(compare_with_training(-image.astype(np.int32), classifier)) == 2
    assert compare_with_training(np.zeros_like(image), classifier) == []
    byte = compare_with_training((image // 4).astype(np.uint8), classifier)
    assert byte[0] == "The image is uint8, the classifier was trained on uint16."
    sized = train(image, scribbles, spacing=0.5, unit="µm")
    assert compare_with_training(image, sized, spacing=(0.5, 0.65)) == [
        "The voxel size is 0.5 × 0.65, the classifier was trained at 0.5 × 0.5 µm."
    ]


@pytest.mark.parametrize("function", ["segment", "classify_pixels", "probability_map"])
def test_every_prediction_compares_the_image_with_those_of_the_training(function):
    image, scribbles = scene((40, 44))
    classifier = train(image, scribbles)
    predict = getattr(objclass, function)
    predict(image, classifier)
    with pytest.warns(UserWarning, match="The 99th percentile is .*, in the training it was"):
        predict([image, image // 5], classifier)
    with pytest.warns(UserWarning, match="The image is uint8, the classifier was trained on uint16"):
        predict((image >> 8).astype(np.uint8) + image.astype(np.uint8), classifier)


@pytest.mark.filterwarnings("ignore:The 99th percentile", "ignore:Over half of the image")
def test_labels_in_the_place_of_the_image_are_reported():
    image, scribbles = scene((40, 44))
    classifier = train(image, scribbles)
    for dtype in (np.uint8, np.uint16, np.int32, np.float32):
        labels = np.kron(np.arange(9).reshape(3, 3) * 2, np.ones((11, 13))).astype(dtype)
        labels[::11] = labels[:, ::13] = 0
        found = compare_with_training(labels, classifier)
        assert [text for text in found if text.startswith("The image looks like a label image")]
        others = [
            labels > 0,
            (labels > 0) * 255,
            labels * 10,
            labels - 1,
            np.where(labels == 4, np.indices(labels.shape).sum(axis=0) % 2, labels),
            np.kron(image, np.ones((4, 4))).astype(dtype),
            np.kron(image // 8, np.ones((9, 9))).astype(dtype),
            image.astype(dtype),
        ]
        for other in others:
            assert not any("label image" in text for text in compare_with_training(other, classifier))
    with pytest.warns(UserWarning, match="The image looks like a label image.*objclass measure"):
        objclass.segment(labels, classifier)
    for shown, name in ((labels, ""), ([image, labels], r"image\[1\]: ")):
        scribbles = scene((33, 39))[1] if name == "" else [scene((40, 44))[1], scene((33, 39))[1]]
        with pytest.warns(UserWarning, match=f"^{name}The image looks like a label image"):
            train(shown, scribbles)


def test_images_of_8_and_16_bits_in_one_training_are_reported():
    image, scribbles = scene((40, 44))
    byte = (image // 2).astype(np.uint8)
    with pytest.warns(UserWarning, match=r"image\[2\] is uint8, image\[0\] is uint16: .*--normalize"):
        train([image, image, byte], [scribbles] * 3)
    train([image, byte], [scribbles] * 2, normalize="percentile")
    train([image, image.astype(np.float32)], [scribbles] * 2)


def test_an_image_that_is_equal_everywhere_is_refused():
    with pytest.raises(ValueError, match="image: expected pixels that differ under the scribbles, got equal"):
        train(np.full(IMAGE.shape, 7.0))


def test_a_mask_is_an_image_too():
    np.testing.assert_array_equal(
        classify_pixels(IMAGE > 200, train(IMAGE > 200), progress=False),
        classify_pixels((IMAGE > 200) * 1.0, train((IMAGE > 200) * 1.0), progress=False),
    )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"features": "gaussian_blur=1x2"}, "features: expected a sigma for each of 3 axes, or one for all"),
        ({"unit": "µm"}, "spacing: expected the voxel size in µm, got none"),
    ],
)
def test_what_does_not_fit_the_axes_is_refused(options, message):
    with pytest.raises(ValueError, match=message):
        train(**options)


# Voxel size


@FOR_OBJCLASS_ALONE
def test_sigma_follows_the_voxel_size(tmp_path):
    path = tmp_path / "a.cl"
    classifier = train(spacing=(4, 0.8, 0.8), unit="µm", path=path)
    assert " ".join(map(str, classifier.features)) == (
        "original gaussian_blur=0.2x1x1 difference_of_gaussian=0.4x2x2 laplace_of_gaussian_blur=0.2x1x1"
    )
    assert (classifier.spacing, classifier.unit) == ((4, 0.8, 0.8), "µm")
    loaded = load_classifier(path)
    assert loaded == classifier
    assert (loaded.spacing, loaded.unit) == ((4, 0.8, 0.8), "µm")
    assert train_object_classifier(IMAGE, SCRIBBLES, **loaded.parameters.keywords()) == classifier


@pytest.mark.parametrize(
    "options",
    [
        {"spacing": 0.5},
        {"spacing": (1.2, 1, 1)},
        {"preset": "apoc", "spacing": (4, 1, 1)},
        {"features": "small_dog_log", "spacing": (4, 1, 1)},
        {"isotropic": True, "spacing": (4, 1, 1)},
    ],
)
def test_sigma_stays_where_axes_are_alike_or_apoc_is_asked_for(options):
    classifier = train(**options)
    assert classifier.features == parse_features(options.get("features", SET))
    assert classifier.spacing == tuple(np.broadcast_to(options["spacing"], 3))
    assert train_object_classifier(IMAGE, SCRIBBLES, **classifier.parameters.keywords()) == classifier


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"spacing": (4, 1, 1)},
            r"APOC, napari and Fiji cannot run .*a\.cl: .* gaussian_blur=0\.25x1x1\. Train",
        ),
        (
            {"features": "laplace_of_gaussian_blur=1"},
            r"cannot run .*: they do not know laplace_of_gaussian_b",
        ),
        (
            {"features": None},
            r"find other objects with .*a\.cl: their 3D Sobel filter is wrong\.",
        ),
    ],
)
def test_warns_of_files_that_apoc_runs_differently(tmp_path, options, message):
    with pytest.warns(UserWarning, match=message) as caught:
        classifier = train(path=tmp_path / "a.cl", **options)
    assert caught[0].filename == __file__
    with pytest.warns(UserWarning, match=message) as caught:
        classifier.save(tmp_path / "a.cl")
    assert caught[0].filename == __file__


def test_a_file_that_apoc_runs_alike_is_written_in_silence(tmp_path):
    train(path=tmp_path / "a.cl", features="object_size_1_to_5_px", spacing=(4, 1, 1))
    train(IMAGE[0], SCRIBBLES[0], features=None, path=tmp_path / "a.cl")


def test_spacing_is_checked():
    with pytest.raises(ValueError, match=r"spacing: expected 3 positive numbers"):
        train(spacing=(1, 2))
    with pytest.raises(ValueError, match=r"features: expected a sigma above 0 of sobel_of_gaussian_blur"):
        train(features="sobel_of_gaussian_blur=0", spacing=(3, 1, 1))


@pytest.mark.parity
@pytest.mark.parametrize("features", ["gaussian_blur=1", "laplace_box_of_gaussian_blur=1"])
@FOR_OBJCLASS_ALONE
def test_apoc_refuses_sigmas_along_axes(apoc, tmp_path, features):
    train(features=features, spacing=(4, 1, 1), path=tmp_path / "a.cl")
    reader = apoc.ObjectSegmenter(str(tmp_path / "a.cl"))
    with pytest.raises((ValueError, AttributeError, TypeError)):
        reader.predict(IMAGE)


def test_unreadable_voxel_size_is_unknown():
    for text in ("", "wide", "1 2", "0 1 1"):
        assert dataclasses.replace(train(), notes={"voxel_size": text}).spacing is None


def test_other_voxel_size_warns_or_is_matched():
    rng = np.random.default_rng(0)
    fine = ndi.gaussian_filter(rng.normal(size=(80, 80)), 4) * 100
    coarse = fine.reshape(40, 2, 40, 2).mean(axis=(1, 3))
    scribbles = np.where(rng.random(coarse.shape) < 0.3, 1 + (coarse > 0), 0)
    features = "gaussian_blur=2 laplace_box_of_gaussian_blur=2 sobel_of_gaussian_blur=2"
    classifier = train(coarse, scribbles, features=features, spacing=0.4)
    with pytest.warns(
        UserWarning, match=r"voxel size is 0\.2 × 0\.2, .* trained at 0\.4 × 0\.4\. Pass match_sp"
    ):
        classify_pixels(fine, classifier, spacing=0.2, progress=False)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        classify_pixels(coarse, classifier, spacing=0.45, progress=False)
        matched = classifier.match_spacing(0.2)
        classes = classify_pixels(fine, classifier, spacing=0.2, match_spacing=True, progress=False)
    rows = [
        features_at(image[np.newaxis], one.features, np.ones(image.shape, bool)).T.reshape(3, *image.shape)
        for image, one in ((coarse, classifier), (fine, matched))
    ]
    for on_coarse, on_fine in zip(rows[0], rows[1], strict=True):
        on_fine = on_fine.reshape(40, 2, 40, 2).mean(axis=(1, 3))[8:-8, 8:-8]
        np.testing.assert_allclose(on_fine, on_coarse[8:-8, 8:-8], atol=0.15 * np.abs(on_coarse).max())
    assert np.array_equal(classes, classify_pixels(fine, matched, progress=False))
    assert matched.spacing == (0.2, 0.2)
    with pytest.raises(ValueError, match="match_spacing: expected a classifier with a known voxel size"):
        train().match_spacing(1)
    with pytest.raises(ValueError, match="spacing: expected the voxel size of the image"):
        classify_pixels(fine, classifier, match_spacing=True)


# Records


def test_repr():
    assert repr(train(preset="apoc")) == (
        "ObjectClassifier(3D, 1 channel; 2 classes, objects are class 2; 10 trees of depth 2, "
        f"out-of-bag accuracy {train(preset='apoc').accuracy:.3f}; 4 features: "
        "original gaussian_blur=1 difference_of_gaussian=2 laplace_box_of_gaussian_blur=1)"
    )
    assert "16 features: original gaussian_blur=1 gaussian_blur=2 … laplace_box_of_gaussian_blur=5)" in repr(
        train(features="object_size_1_to_5_px")
    )


def test_it_cannot_be_changed():
    with pytest.raises(dataclasses.FrozenInstanceError, match="cannot assign to field 'ndim'"):
        train().ndim = 2


def test_feature_importances_are_a_sorted_table():
    image, scribbles = scene((40, 44), 2)
    classifier = train(image, scribbles, max_depth=3, preset="apoc")
    table = classifier.feature_importances()
    assert table.columns.tolist() == ["feature", "channel", "importance", "level_0", "level_1", "level_2"]
    assert table["importance"].is_monotonic_decreasing
    assert table["importance"].sum() == pytest.approx(1)
    assert sorted(zip(table["channel"], table["feature"], strict=True)) == sorted(
        (channel, str(feature)) for channel in (0, 1) for feature in classifier.features
    )
    assert table["level_0"].sum() == classifier.forest.n_trees
    asked = classifier.forest.feature[classifier.forest.feature >= 0]
    total = table.filter(like="level_").sum(axis=1).sort_values(ascending=False)
    assert total.tolist() == sorted(np.bincount(asked, minlength=8).tolist(), reverse=True)


def test_unknown_importances_are_missing():
    table = dataclasses.replace(train(), importances=()).feature_importances()
    assert table["importance"].isna().all()
    assert table.filter(like="level_").sum(axis=1).is_monotonic_decreasing


@pytest.mark.parity
def test_levels_and_importances_are_those_that_apoc_reads(apoc, tmp_path):
    path = tmp_path / "a.cl"
    classifier = train(path=path, max_depth=3)
    theirs = apoc.ObjectSegmenter(opencl_filename=str(path))
    table = classifier.feature_importances().set_index("feature")
    _, counts = theirs.statistics()
    expected = pd.DataFrame(counts, index=["level_0", "level_1", "level_2"]).T
    pd.testing.assert_frame_equal(table.filter(like="level_"), expected.loc[table.index], check_names=False)
    assert table["importance"].to_dict() == theirs.feature_importances()


# Files


@pytest.mark.parametrize("class_name", CLASS_NAMES)
def test_saving_and_loading_gives_the_same(tmp_path, class_name):
    path = tmp_path / "a.cl"
    positive = None if class_name == "PixelClassifier" else 2
    classifier = dataclasses.replace(train(max_depth=5), class_name=class_name, positive_class=positive)
    classifier.save(path)
    text = path.read_bytes()
    loaded = load_classifier(path)
    assert loaded == classifier
    loaded.save(path)
    assert path.read_bytes() == text
    assert text[: text.index(b"*/")].count(b"\n") < 25


def test_path_saves_as_well_and_replaces(tmp_path):
    path = tmp_path / "a.cl"
    path.write_text("something else")
    classifier = train(path=path)
    assert load_classifier(path) == classifier
    assert [p.name for p in tmp_path.iterdir()] == ["a.cl"]


def test_features_keep_their_spelling(tmp_path):
    path = tmp_path / "a.cl"
    train(features="Original gaussian_blur=1.0", path=path)
    assert "feature_specification = Original gaussian_blur=1.0\n" in path.read_text()
    assert load_classifier(path).features == (Feature("original"), Feature("gaussian_blur", 1.0))


def test_file_of_apoc(shared_data):
    classifier = load_classifier(shared_data / "nuclei3d_apoc_round1.cl")
    assert classifier.features == parse_features("object_size_1_to_5_px")
    assert (classifier.ndim, classifier.n_channels, classifier.n_classes) == (3, 1, 2)
    assert (classifier.positive_class, classifier.class_name) == (2, "ObjectSegmenter")
    assert (classifier.max_depth, classifier.forest.n_trees, classifier.random_state) == (2, 100, None)
    assert classifier.notes == {"apoc_version": "0.12.0"}
    assert sum(classifier.importances) == pytest.approx(1)


def file_of_apoc(path, features="original sobel_of_gaussian_blur=1", feature=1, inputs=None, **changes):
    """A file with one question, as APOC writes it."""
    n_features = inputs or len(features.split())
    stump = Forest(
        [feature, -1, -1], [7.5, 0, 0], [1, -1, -1], [2, -1, -1], [[0, 0], [1, 0], [0, 1]], [0], n_features
    )
    header = {
        "classifier_class_name": "ObjectSegmenter",
        "feature_specification": features,
        "num_ground_truth_dimensions": "3",
        "num_classes": "2",
        "num_features": str(n_features),
        "max_depth": "2",
        "num_trees": "1",
        "positive_class_identifier": "2",
        "apoc_version": "0.12.0",
    }
    header |= {key: value for key, value in changes.items() if value is not None}
    header = {key: value for key, value in header.items() if changes.get(key, "") is not None}
    write_cl(path, ClassifierFile(header, stump))
    return path


def test_sobel_of_apoc_in_3d_is_warned_of(tmp_path):
    path = file_of_apoc(tmp_path / "a.cl")
    with pytest.warns(UserWarning, match=r"a\.cl was written by APOC with a 3D Sobel filter") as caught:
        load_classifier(path)
    assert [warning.filename for warning in caught] == [__file__]


@pytest.mark.parametrize(
    "changes",
    [{"num_ground_truth_dimensions": "2"}, {"feature": 0}, {"objclass_version": "0.1.0"}],
    ids=["2D", "not asked for", "made by objclass"],
)
def test_sobel_is_not_warned_of_where_it_is_sound(tmp_path, changes):
    path = file_of_apoc(tmp_path / "a.cl", **changes)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        load_classifier(path)


def test_other_filters_can_be_loaded_and_saved(tmp_path):
    path = file_of_apoc(tmp_path / "a.cl", features="median_box=3 original")
    classifier = load_classifier(path)
    assert str(classifier.features[0]) == "median_box=3"
    classifier.save(tmp_path / "b.cl")
    assert read_cl(tmp_path / "b.cl").forest == read_cl(path).forest


def test_older_files_without_importances_version_and_positive_class(tmp_path):
    missing = {"positive_class_identifier": None, "apoc_version": None, "max_depth": None}
    classifier = load_classifier(file_of_apoc(tmp_path / "a.cl", "original gaussian_blur=1", **missing))
    assert (classifier.positive_class, classifier.max_depth, classifier.notes) == (2, 1, {})


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        (
            {"classifier_class_name": "ObjectClassifier"},
            r"expected the file of an ObjectSegmenter, PixelClassifier or ProbabilityMapper, got .*a\.cl "
            r"with ObjectClassifier\. It classifies objects, not pixels: objclass\.load_classifier reads it",
        ),
        ({"classifier_class_name": "ObjectMerger"}, r"with ObjectMerger\. Run it with apoc\.ObjectMerger\."),
        ({"classifier_class_name": None}, r"a\.cl with a classifier without a name\.$"),
        ({"features": "Custom/unkown", "feature": 0}, r"a\.cl, where features: .* got 'Custom/unkown'"),
        ({"features": "gaussian_blur=x", "feature": 0}, r"a\.cl, where features: .* got 'gaussian_blur=x'"),
        ({"feature_specification": None}, r"a\.cl, where features: expected between 1 and 1000"),
        ({"inputs": 3}, "where 3 inputs are not a multiple of 2 features"),
        ({"num_ground_truth_dimensions": "1"}, "num_ground_truth_dimensions is 1: it must be 2 or 3"),
        ({"num_ground_truth_dimensions": None}, "num_ground_truth_dimensions is missing"),
        ({"positive_class_identifier": "3"}, "positive_class_identifier is 3 and the classes are 1 to 2"),
        ({"positive_class_identifier": "two"}, "where invalid literal for int.*'two'"),
        ({"feature_importances": "0.5,0.25,0.25"}, "3 feature_importances are given for 2 inputs"),
        ({"feature_importances": "much,little"}, "where could not convert string to float: 'much'"),
    ],
)
def test_what_is_no_classifier_of_pixels_is_refused(tmp_path, changes, problem):
    path = file_of_apoc(tmp_path / "a.cl", **changes)
    with pytest.raises(ValueError, match=f"^path: .*{problem}"):
        load_classifier(path)


def test_hostile_file_is_refused(tmp_path):
    path = tmp_path / "a.cl"
    train(path=path)
    path.write_text(path.read_text().replace("cls=2;", "cls=2; steal();"))
    with pytest.raises(
        ValueError, match=r"path: expected a classifier file .*a\.cl, where line \d+ is 'cls=2; steal"
    ):
        load_classifier(path)


# What cannot be trained on


def changed(value, place=(0, 0, 0)):
    image = IMAGE.astype(float)
    image[place] = value
    return image


@pytest.mark.parametrize(
    ("image", "annotations", "options", "problem"),
    [
        (IMAGE[1:], SCRIBBLES, {}, r"image: expected the spatial shape of annotations, \(12, 20, 22\), got"),
        (
            IMAGE[0, 0],
            SCRIBBLES,
            {},
            r"image: expected a non-empty array of axes \(z, y, x\), or with channels",
        ),
        (np.stack([IMAGE[0]] * 3), SCRIBBLES[0, 1:], {}, "image: expected the spatial shape of annotations"),
        (IMAGE, 0 * SCRIBBLES, {}, "annotations: expected annotated pixels, got none.*Add a few scribbles"),
        (
            IMAGE,
            2 * (SCRIBBLES > 1),
            {},
            "annotations: expected at least two classes, got class 2 only. Add",
        ),
        (
            IMAGE,
            SCRIBBLES,
            {"positive_class": 3},
            "pixels of the positive class 3, got classes 1, 2. Annotate some",
        ),
        (IMAGE, -SCRIBBLES.astype(int), {}, "annotations: expected classes of 0 to 255, got -2 among them"),
        (IMAGE, SCRIBBLES * 200, {}, "got classes 144, 200"),
        (IMAGE, SCRIBBLES.astype(int) * 200, {}, "expected classes of 0 to 255, got 400 among them"),
        (IMAGE, SCRIBBLES[0, 0], {}, r"annotations: expected an array of axes \(y, x\) or \(z, y, x\), got"),
        (IMAGE[:0], SCRIBBLES[:0], {}, "annotations: expected an array of axes"),
        (changed(np.nan), SCRIBBLES, {}, "image: expected finite pixels, got NaN or infinite ones. Replace"),
        (changed(-np.inf), SCRIBBLES, {}, "image: expected finite pixels"),
        ([IMAGE], [SCRIBBLES] * 2, {}, "one array for each image, got a list of 1 and a list of 2. Combine"),
        (
            [IMAGE, IMAGE],
            SCRIBBLES,
            {},
            "annotations: expected one array for each image, got a list of 2 and one",
        ),
        (IMAGE, [SCRIBBLES, SCRIBBLES], {}, "got one array and a list of 2"),
        (
            [IMAGE, IMAGE[1:]],
            [SCRIBBLES] * 2,
            {},
            r"image\[1\]: expected the spatial shape of annotations\[1\]",
        ),
        (
            [IMAGE, IMAGE[0]],
            [SCRIBBLES, SCRIBBLES[0]],
            {},
            r"image\[1\]: expected 1 channels in 3D as in image\[0\]",
        ),
        ([IMAGE, np.stack([IMAGE] * 2)], [SCRIBBLES] * 2, {}, r"image\[1\]: expected 1 channels in 3D"),
        (IMAGE, SCRIBBLES, {"features": "median_box=3"}, "features: expected filters among original, "),
        (IMAGE, SCRIBBLES, {"features": "object_size"}, "features: expected 'original' or 'filter=sigma'"),
        (
            IMAGE,
            SCRIBBLES,
            {"max_depth": 0},
            "max_depth: expected an integer of at least 1 and of at most 250",
        ),
        (IMAGE, SCRIBBLES, {"n_estimators": 2.5}, "n_estimators: expected an integer"),
        (IMAGE, SCRIBBLES, {"positive_class": 0}, "positive_class: expected an integer of at least 1"),
        (IMAGE, SCRIBBLES, {"random_state": None}, "random_state: expected an integer of at least 0"),
    ],
)
def test_bad_input_is_refused(image, annotations, options, problem):
    with pytest.raises(ValueError, match=problem):
        train(image, annotations, **options)


@pytest.mark.parametrize("annotations", [SCRIBBLES + 0.5, SCRIBBLES > 0, SCRIBBLES.astype(str)])
def test_annotations_must_be_integers(annotations):
    message = r"annotations: expected an integer array: 0 not annotated, .*Convert .*numpy\.uint8"
    with pytest.raises(TypeError, match=message):
        train(annotations=annotations)
    with pytest.raises(TypeError, match=r"annotations\[1\]: expected an integer array"):
        train([IMAGE, IMAGE], [SCRIBBLES, annotations])


def test_whole_numbers_as_floats_are_annotations():
    assert train(annotations=SCRIBBLES.astype(np.float32)) == train()


def test_rgb_images_are_refused_as_annotations():
    plane = SCRIBBLES[3]
    picture = np.zeros((*plane.shape, 3), np.uint8)
    picture[plane == 1], picture[plane == 2] = (255, 0, 0), (0, 255, 0)
    message = r"annotations: expected one integer for each pixel, got an RGB image .* 1 \* \(picture == \("
    for image, annotations in (
        (IMAGE[3], picture),
        (IMAGE[3], np.moveaxis(picture, -1, 0)),
        (np.stack([IMAGE[3]] * 3), np.moveaxis(picture, -1, 0)),
    ):
        with pytest.raises(ValueError, match=message):
            train(image, annotations)
    stack = IMAGE[:3]
    assert train(stack, SCRIBBLES[:3]).ndim == 3


def test_labels_and_masks_are_refused_as_annotations():
    labels = np.zeros((60, 60), int)
    for number in range(12):
        labels[5 * number : 5 * number + 3, 4:9] = number + 1
    with pytest.raises(
        ValueError, match="got 12 classes of one connected component each, which look like labels"
    ):
        train(scene((60, 60))[0], labels)
    labels[50:, 50:] = 1
    assert train(scene((60, 60))[0], labels).n_classes == 12
    with pytest.raises(ValueError, match=r"got a mask of 0 and 255, without background"):
        train(annotations=np.where(SCRIBBLES == 2, 255, 0))


def test_masked_pixels_are_refused():
    masked = np.ma.masked_greater(IMAGE, int(np.median(IMAGE)))
    for function in (train, lambda image: classify_pixels(image, train())):
        with pytest.raises(ValueError, match="image: expected an array without masked pixels"):
            function(masked)
    assert train(np.ma.masked_greater(IMAGE, 10**6)) == train()


def test_range_beyond_float32_resolution_is_refused():
    far = IMAGE + 1e9
    message = r"image: expected a range of at least 1024 steps of float32, got .* Subtract the minimum"
    for function in (train, lambda image: classify_pixels(image, train())):
        for dtype in (np.float64, np.float32, np.int64):
            with pytest.raises(ValueError, match=message):
                function(far.astype(dtype))
    assert train((far - far.min()).astype(np.float32)).n_classes == 2
    flat = np.full(IMAGE.shape, 1e9)
    with pytest.warns(UserWarning, match="The 99th percentile is 1e"):
        assert classify_pixels(flat, train()).shape == IMAGE.shape


def test_images_must_be_real_numbers():
    with pytest.raises(TypeError, match="image: expected a real-valued array"):
        train(IMAGE.astype(complex))


def test_pixels_beyond_float32_are_named():
    with pytest.raises(ValueError, match=r"image: expected pixels of at most 3\.4e\+38, got larger ones"):
        train(IMAGE * 1e300)


def test_folder_is_checked_before_training(tmp_path, monkeypatch):
    monkeypatch.setattr("objclass.pixels.classifier.grow_forest", None)
    with pytest.raises(FileNotFoundError, match=r"path: expected a place in an existing folder, got .*none"):
        train(path=tmp_path / "none" / "a.cl")


def test_failed_save_keeps_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "a.cl"
    train(path=path)
    before = path.read_bytes()
    monkeypatch.setattr("objclass.pixels.cl_format.format_cl", lambda content: 1 / 0)
    with pytest.raises(ZeroDivisionError, match="division"):
        train(path=path, random_state=1)
    assert path.read_bytes() == before


def test_a_classifier_is_public():
    import objclass

    assert objclass.ObjectClassifier is ObjectClassifier
    assert objclass.train_object_classifier is train_object_classifier


@pytest.mark.parametrize("shape", [(20, 9, 9), (20, 4, 9, 9)])
def test_planes_and_time_points_are_refused_as_channels(shape):
    scribbles = np.ones(shape[1:], np.uint8)
    scribbles[0] = 2
    with pytest.raises(
        ValueError,
        match=r"image: expected at most 16 channels, .*For planes, annotate.*For time points, pass",
    ):
        train_object_classifier(np.zeros(shape), scribbles)


def test_channel_names_are_kept(tmp_path):
    image = np.random.default_rng(0).random((2, 16, 16))
    scribbles = np.zeros((16, 16), np.uint8)
    scribbles[2], scribbles[9] = 1, 2
    names = ("DAPI */ x", "µ, GFP")
    options = {"features": "original", "n_estimators": 5, "path": tmp_path / "a.cl"}
    classifier = train_object_classifier(image, scribbles, channel_names=names, **options)
    assert classifier.channel_names == names
    assert load_classifier(tmp_path / "a.cl").channel_names == names
    assert (tmp_path / "a.cl").read_text().count("*/") == 1
    assert train_object_classifier(image, scribbles, **options).channel_names == ()
    with pytest.raises(ValueError, match="channel_names: expected 2 different names, one for each channel"):
        train_object_classifier(image, scribbles, channel_names=["DAPI"], **options)


def test_masked_scribbles_are_not_annotated():
    image = np.kron(np.eye(4) * 200, np.ones((6, 6)))
    scribbles = np.where(image > 99, 2, 1)
    masked = np.ma.masked_array(np.where(image > 99, 2, 3), mask=image <= 99)
    masked[:3, 12:] = 1
    expected = np.where(image > 99, scribbles, 0)
    expected[:3, 12:] = 1
    one, other = (
        train_object_classifier(image, each, n_estimators=3, random_state=0) for each in (masked, expected)
    )
    assert one.n_classes == 2
    assert (classify_pixels(image, one) == classify_pixels(image, other)).all()
