import numpy as np
import pytest
from sklearn.metrics import adjusted_rand_score, balanced_accuracy_score

import objclass


def measured(day, seed=0):
    sample = objclass.samples.cells(day, random_state=seed)
    table = objclass.measure(sample.labels, sample.image, progress=False)
    return table.merge(sample.cell_types, on="label").assign(image=f"day {day}")


@pytest.fixture(scope="module")
def table():
    return measured(1)


def test_what_it_is():
    sample = objclass.samples.cells()
    assert sample.image.shape == (2, 504, 504)
    assert sample.image.dtype == np.uint16
    assert set(np.unique(sample.labels)) == {0, *sample.cell_types["label"]}
    np.testing.assert_array_equal(objclass.samples.cells().image, sample.image)
    assert not np.array_equal(objclass.samples.cells(2).labels, sample.labels)
    with pytest.raises(ValueError, match="day: expected an integer of at least 1 and of at most 2"):
        objclass.samples.cells(3)


@pytest.mark.parametrize("method", ["kmeans", "gmm", "agglomerative"])
def test_clusters_are_not_the_classes(table, method):
    found = objclass.cluster(table, method, n_clusters=3, progress=False).iloc[:, -1]
    assert adjusted_rand_score(table["cell_type"], found) < 0.5


def test_ten_examples_a_class_tell_them_apart_but_not_under_another_light(table):
    scores, other = [], measured(2)
    for seed in range(3):
        examples = table.groupby("cell_type").sample(10, random_state=seed).set_index("label")["cell_type"]
        classifier = objclass.train_table_classifier(table, examples)
        rest = ~table["label"].isin(examples.index)
        found = objclass.classify(table, classifier)["CLASS"].astype(str)
        scores.append(balanced_accuracy_score(table["cell_type"][rest], found[rest]))
    assert np.mean(scores) > 0.9
    found = objclass.classify(other, classifier)["CLASS"].astype(str)
    assert balanced_accuracy_score(other["cell_type"], found) < 0.7
