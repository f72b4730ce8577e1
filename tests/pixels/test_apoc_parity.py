"""APOC itself, on an OpenCL device, says the same of each pixel: with its own files and with ours."""

import dataclasses

import numpy as np
import pytest

import objclass
from objclass.pixels.features import FEATURE_SETS
from tests.pixels.test_classifier import scene

pytestmark = [
    pytest.mark.filterwarnings("ignore:Non-empty compiler output encountered"),
    pytest.mark.filterwarnings("ignore:Over half of the image is foreground"),
]

ENOUGH = 0.9999
FRACTIONS = (
    "original gaussian_blur=0 gaussian_blur=2.5 difference_of_gaussian=1.3 laplace_box_of_gaussian_blur=0.7"
)
# OpenCL compiles the filters for each shape anew, and a forest the longer the more trees it has.
SOLID, FLAT = (12, 40, 44), (133, 160)
# Spatial shape, channels, classes, depth of the trees, features. In 3D none has the Sobel filter, in which
# APOC reads beyond the image.
CASES = {
    "3D": (SOLID, 1, 2, 2, "object_size_1_to_5_px"),
    "3D, two channels, three classes, deep": (SOLID, 2, 3, 5, "small_dog_log"),
    "3D, fractions, three classes": ((11, 41, 53), 1, 3, 2, FRACTIONS),
    "3D, wider than the image": ((5, 62, 70), 1, 2, 5, "medium_dog_log"),
    "2D": (FLAT, 1, 2, 2, "object_size_1_to_5_px"),
    "2D, Sobel, three classes, deep": (FLAT, 1, 3, 5, "v070"),
    "2D, two channels, three classes": (FLAT, 2, 3, 2, "medium_quick"),
}
N_TREES = 4


def train_both(apoc, case, folder, class_name="PixelClassifier", **options):
    """The image, APOC's own classifier, and ours from the same scribbles, saved for APOC to read."""
    shape, n_channels, n_classes, max_depth, features = CASES[case]
    image, scribbles = scene(shape, n_channels, n_classes)
    specification = FEATURE_SETS.get(features, features)
    theirs = getattr(apoc, class_name)(str(folder / "theirs.cl"), max_depth, N_TREES, **options)
    theirs.train(specification, scribbles, image)
    ours = objclass.train_object_classifier(
        image, scribbles, features=features, preset="apoc", max_depth=max_depth, n_estimators=N_TREES
    )
    dataclasses.replace(ours, class_name=class_name).save(folder / "ours.cl")
    return image, theirs, ours


def agreement(one, other):
    assert one.shape == other.shape
    return (one == other).mean()


def is_same_partition(one, other):
    """Whether two label images have the same objects, whatever their numbers."""
    pairs = np.unique(np.stack([np.ravel(one), np.ravel(other)]), axis=1)
    return len(set(pairs[0])) == len(set(pairs[1])) == pairs.shape[1]


@pytest.mark.parity
@pytest.mark.parametrize("case", CASES)
def test_classes_of_pixels(apoc, tmp_path, case):
    image, theirs, ours = train_both(apoc, case, tmp_path)
    expected = np.asarray(theirs.predict(image))
    loaded = objclass.load_classifier(tmp_path / "theirs.cl")
    assert len(np.unique(expected)) == loaded.n_classes
    assert agreement(objclass.classify_pixels(image, loaded), expected) >= ENOUGH

    reader = apoc.PixelClassifier(str(tmp_path / "ours.cl"))
    assert agreement(objclass.classify_pixels(image, ours), np.asarray(reader.predict(image))) >= ENOUGH


@pytest.mark.parity
@pytest.mark.parametrize("case", ["3D", "2D, two channels, three classes"])
def test_objects(apoc, tmp_path, case):
    image, theirs, ours = train_both(apoc, case, tmp_path, "ObjectSegmenter", positive_class_identifier=2)
    loaded = objclass.load_classifier(tmp_path / "theirs.cl")
    reader = apoc.ObjectSegmenter(str(tmp_path / "ours.cl"))
    for classifier, peer in ((loaded, theirs), (ours, reader)):
        labels, expected = objclass.segment(image, classifier), np.asarray(peer.predict(image))
        assert labels.max() == expected.max() > 3
        assert agreement(labels > 0, expected > 0) >= ENOUGH
        assert is_same_partition(labels, expected)


@pytest.mark.parity
@pytest.mark.parametrize(
    ("case", "target_class"),
    [("3D, fractions, three classes", 1), ("2D", 2), ("2D, two channels, three classes", 3)],
)
def test_probabilities(apoc, tmp_path, case, target_class):
    options = {"output_probability_of_class": target_class}
    image, theirs, ours = train_both(apoc, case, tmp_path, "ProbabilityMapper", **options)
    loaded = objclass.load_classifier(tmp_path / "theirs.cl")
    assert loaded.positive_class == target_class
    aimed = dataclasses.replace(ours, class_name="ProbabilityMapper", positive_class=target_class)
    aimed.save(tmp_path / "ours.cl")
    reader = apoc.ProbabilityMapper(str(tmp_path / "ours.cl"))
    for classifier, peer in ((loaded, theirs), (aimed, reader)):
        found = objclass.probability_map(image, classifier)
        difference = np.abs(found - np.asarray(peer.predict(image)))
        # A value that differs in its last digit may lie on the other side of a threshold: of one tree.
        assert (difference <= 1.001 / N_TREES).mean() >= ENOUGH
        assert (difference <= 1e-5).mean() >= 0.999
        assert np.ptp(found) > 0.5


@pytest.mark.parity
@pytest.mark.parametrize("case", ["3D", "2D, two channels, three classes"])
def test_the_same_scribbles_give_the_same_forest(apoc, tmp_path, case):
    _, _, ours = train_both(apoc, case, tmp_path)
    theirs = objclass.load_classifier(tmp_path / "theirs.cl")
    assert theirs.forest.n_nodes == ours.forest.n_nodes
    assert (theirs.forest.feature == ours.forest.feature).mean() > 0.95


@pytest.mark.parity
def test_sobel_of_apoc_reads_beyond_the_image_in_3d(apoc, tmp_path):
    image, scribbles = scene((7, 20, 22))
    apoc.PixelClassifier(str(tmp_path / "a.cl")).train("sobel_of_gaussian_blur=1", scribbles, image)
    with pytest.warns(UserWarning, match="written by APOC with a 3D Sobel filter"):
        objclass.load_classifier(tmp_path / "a.cl")


# Real nuclei, with the files and the objects that APOC made of them. APOC itself is not needed.


@pytest.fixture(scope="module")
def nuclei(shared_data):
    return objclass.imread(shared_data / "nuclei3d.tif")


@pytest.mark.parametrize(("number", "n_objects", "n_kept"), [(1, 65, 65), (2, 103, 77)])
def test_objects_of_real_nuclei_are_those_of_apoc(shared_data, nuclei, number, n_objects, n_kept):
    expected = objclass.imread(shared_data / f"nuclei3d_apoc_labels_round{number}.tif")
    classifier = objclass.load_classifier(shared_data / f"nuclei3d_apoc_round{number}.cl")
    labels = objclass.segment(nuclei, classifier)
    assert agreement(labels > 0, expected > 0) >= ENOUGH
    assert is_same_partition(labels, expected)
    assert labels.max() == n_objects
    assert objclass.exclude_small(labels, 20).max() == n_kept


def test_training_on_real_nuclei_gives_those_of_apoc_and_teaches_its_lesson(shared_data, nuclei):
    shares = {}
    for number in (1, 2):
        annotations = objclass.imread(shared_data / f"nuclei3d_annotations_round{number}.tif")
        expected = objclass.imread(shared_data / f"nuclei3d_apoc_labels_round{number}.tif")
        labels = objclass.segment(
            nuclei, objclass.train_object_classifier(nuclei, annotations, preset="apoc")
        )
        assert agreement(labels > 0, expected > 0) >= 0.995
        shares[number] = (labels[9] > 0).mean()
    # The signal fades with depth: scribbles at one depth miss the nuclei of another.
    assert shares[1] == 0
    assert shares[2] > 0.05
