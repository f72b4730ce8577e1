import numpy as np
import pooch
import pytest
from scipy import ndimage
from skimage.metrics import contingency_table
from sklearn.metrics import adjusted_rand_score

import objclass
from objclass import samples

SMALL = (24, 64, 64)


@pytest.fixture(scope="module")
def whole():
    return samples.embryo()


@pytest.fixture(scope="module")
def segmented(whole):
    """The objects after each round of scribbles, without the specks."""

    def segment(annotations):
        classifier = objclass.train_object_classifier(whole.image, annotations, spacing=whole.spacing)
        return objclass.segment(whole.image, classifier, progress=False)

    return [segment(annotations) for annotations in whole.annotations]


def found(labels, truth):
    """Return object and true object of each pair that shares more than half of its union."""
    both = contingency_table(truth, labels)
    both.sum_duplicates()  # SciPy 1.13 leaves that to the caller
    both = both.tocoo()
    union = np.bincount(truth.ravel())[both.row] + np.bincount(labels.ravel())[both.col] - both.data
    pairs = (both.data > union / 2) & (both.row > 0) & (both.col > 0)
    return both.col[pairs], both.row[pairs]


def test_embryo_matches_its_description(whole):
    assert (whole.image.shape, whole.image.dtype) == ((64, 256, 256), np.uint16)
    assert whole.labels.shape == whole.image.shape
    assert whole.labels.dtype == np.int32
    assert len(whole.spacing) == 3
    assert whole.spacing[0] > 2 * whole.spacing[1]
    assert 300 <= len(whole.cell_types) <= 400
    np.testing.assert_array_equal(np.unique(whole.labels)[1:], whole.cell_types["label"])
    shares = whole.cell_types["cell_type"].value_counts(normalize=True)
    assert shares[["interphase", "mitotic", "apoptotic"]].tolist() == pytest.approx(
        [0.6, 0.22, 0.18], abs=0.01
    )


def test_classes_of_nuclei_differ(whole):
    table = objclass.measure(whole.labels, whole.image, spacing=whole.spacing, progress=False)
    by_type = table.merge(whole.cell_types, on="label").groupby("cell_type").median(numeric_only=True)
    elongation = by_type["axis_major_length"] / by_type["axis_minor_length"]
    assert elongation["mitotic"] > 1.5 * elongation["interphase"]
    assert by_type["area"]["interphase"] > 2 * by_type["area"]["mitotic"]
    assert by_type["area"]["mitotic"] > by_type["area"]["apoptotic"]
    mean = by_type["intensity_mean"]
    assert mean["mitotic"] > mean["interphase"] > mean["apoptotic"]
    assert by_type["solidity"]["apoptotic"] == by_type["solidity"].min()


def test_every_nucleus_is_one_piece_and_larger_than_a_speck(whole):
    assert np.bincount(whole.labels.ravel())[1:].min() > 40
    for number, box in enumerate(ndimage.find_objects(whole.labels), start=1):
        assert ndimage.label(whole.labels[box] == number, np.ones((3, 3, 3)))[1] == 1


def test_signal_fades_with_depth(whole):
    interphase = whole.cell_types.query("cell_type == 'interphase'")["label"]
    brightness = ndimage.mean(whole.image, whole.labels, interphase) - 100
    depth = np.array(ndimage.center_of_mass(whole.labels > 0, whole.labels, interphase))[:, 0]
    assert np.corrcoef(depth, np.log(brightness))[0, 1] < -0.95
    assert brightness[depth < 12].mean() > 2 * brightness[depth > 52].mean()


def test_scribbles_are_sparse_and_true(whole):
    first, second = whole.annotations
    assert np.flatnonzero(first.any(axis=(1, 2))).tolist() == [16]
    assert np.flatnonzero(second.any(axis=(1, 2))).tolist() == [16, 35, 54]
    for scribbles in whole.annotations:
        assert scribbles.dtype == np.uint8
        assert set(np.unique(scribbles)) == {0, 1, 2}
        assert np.mean(scribbles > 0) < 0.005
        assert (whole.labels[scribbles == 2] > 0).all()
        assert (whole.labels[scribbles == 1] == 0).all()
    np.testing.assert_array_equal(second[16], first[16])


def test_round_one_misses_the_deep_nuclei_and_round_two_finds_them(whole, segmented):
    interphase = whole.cell_types.query("cell_type == 'interphase'")["label"].to_numpy()
    depth = np.array(ndimage.center_of_mass(whole.labels > 0, whole.labels, interphase))[:, 0]
    deep, shallow = interphase[depth > 48], interphase[depth < 16]
    assert len(deep) > 30
    first, second = (found(labels, whole.labels)[1] for labels in segmented)
    assert np.isin(shallow, first).mean() > 0.9
    assert np.isin(deep, first).mean() < 0.1
    assert np.isin(deep, second).mean() > 0.9
    assert len(second) >= 0.9 * len(whole.cell_types)


def test_specks_are_there_and_small(whole):
    classifier = objclass.train_object_classifier(whole.image, whole.annotations[-1], preset="apoc")
    sizes = np.bincount(objclass.segment(whole.image, classifier, progress=False).ravel())[1:]
    assert np.sum(sizes < 20) > 50


def test_kmeans_on_measurements_finds_the_classes(whole, segmented):
    labels = objclass.exclude_small(segmented[1], 20)
    table = objclass.measure(labels, whole.image, spacing=whole.spacing, progress=False)
    clustered = objclass.cluster(table, n_clusters=3).set_index("label")["KMEANS_CLUSTER_ID"]
    numbers, true_numbers = found(labels, whole.labels)
    cell_types = whole.cell_types.set_index("label")["cell_type"]
    assert adjusted_rand_score(cell_types[true_numbers], clustered[numbers]) > 0.9


@pytest.mark.parametrize("random_state", range(4))
def test_a_small_embryo_has_all_of_it(random_state):
    sample = samples.embryo(SMALL, random_state=random_state)
    assert sample.image.shape == SMALL
    assert set(sample.cell_types["cell_type"]) == {"interphase", "mitotic", "apoptotic"}
    assert len(np.unique(sample.labels)) == len(sample.cell_types) + 1
    for scribbles in sample.annotations:
        assert set(np.unique(scribbles)) == {0, 1, 2}


def test_the_seed_decides():
    one, same, other = (samples.embryo(SMALL, random_state=seed) for seed in (5, 5, 6))
    for name in ("image", "labels"):
        np.testing.assert_array_equal(getattr(one, name), getattr(same, name))
        assert (getattr(one, name) != getattr(other, name)).any()
    np.testing.assert_array_equal(one.annotations, same.annotations)
    assert one.cell_types.equals(same.cell_types)


@pytest.mark.parametrize("shape", [(64, 64), (23, 64, 64), (24.0, 64, 64), 64, "abc", (24, 64, 63)])
def test_shapes_that_hold_no_embryo(shape):
    with pytest.raises(ValueError, match=r"shape: expected three integers \(z, y, x\) of at least"):
        samples.embryo(shape)


@pytest.mark.parametrize("random_state", [-1, 0.5, None])
def test_bad_seeds(random_state):
    with pytest.raises(ValueError, match="random_state: expected an integer of at least 0"):
        samples.embryo(SMALL, random_state=random_state)


def test_coins_can_be_segmented():
    sample = samples.coins()
    (scribbles,) = sample.annotations
    assert scribbles.shape == sample.image.shape
    assert sample.labels is None
    classifier = objclass.train_object_classifier(sample.image, scribbles)
    labels = objclass.segment(sample.image, classifier, progress=False)
    middles = [(55, 45), (125, 45), (120, 270), (190, 345), (195, 100), (265, 240)]
    assert all((labels[y - 8 : y + 8, x - 8 : x + 8] > 0).mean() > 0.6 for y, x in middles)
    assert (labels[:8] > 0).mean() < 0.4


def test_repr_of_sample():
    assert repr(samples.coins()) == "<Sample coins: (303, 384) uint8, rounds of annotations: 1>"


@pytest.fixture
def offline(monkeypatch, tmp_path):
    """A cache of its own, and a proxy at which nobody listens."""
    monkeypatch.setenv("OBJCLASS_DATA_DIR", str(tmp_path))
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def test_lund_without_a_network_names_the_phantom(offline):
    with pytest.raises(
        ConnectionError, match=r"lund: expected a copy of Lund.tif.*objclass\.samples\.embryo\(\)"
    ):
        samples.lund()
    assert not list(offline.iterdir())


def test_lund_from_the_cache_needs_no_network(offline):
    stack = np.random.default_rng(0).integers(0, 999, (4, 8, 9)).astype(np.uint16)
    objclass.imwrite(offline / "Lund.tif", stack)
    checksum = pooch.file_hash(offline / "Lund.tif", alg="md5")
    (offline / "lund-checksums.txt").write_text(f"Lund.tif md5:{checksum}\n")
    sample = samples.lund()
    np.testing.assert_array_equal(sample.image, stack)
    assert sample.spacing is None
    (offline / "Lund.tif").write_bytes(b"not that file")
    with pytest.raises(ConnectionError, match=r"lund: expected a copy of Lund\.tif"):
        samples.lund()


def test_lund_keeps_the_checksum_of_the_record(offline, monkeypatch):
    stack = np.zeros((4, 8, 9), np.uint16)
    objclass.imwrite(offline / "Lund.tif", stack)
    checksum = f"md5:{pooch.file_hash(offline / 'Lund.tif', alg='md5')}"
    record = {"Lund.tif": checksum, "other file.cl": "md5:0"}
    monkeypatch.setattr(pooch.Pooch, "load_registry_from_doi", lambda store: store.registry.update(record))
    assert samples.lund().image.shape == stack.shape
    assert (offline / "lund-checksums.txt").read_text() == f"Lund.tif {checksum}\n"
