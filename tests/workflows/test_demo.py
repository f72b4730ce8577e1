import json

import numpy as np
import pytest

import objclass
from objclass.objects.matching import match_objects
from objclass.workflows.demo import run_demo


@pytest.mark.slow
def test_demo_finds_nuclei_and_their_classes(tmp_path):
    run = run_demo(tmp_path / "demo", progress=False)
    after_first, after_second = run.found["rounds"]
    assert after_first < after_second
    assert run.found["recovered"] >= 0.9
    assert run.found["adjusted_rand_index"] >= 0.8
    assert run.notes == []
    found = json.loads((tmp_path / "demo" / "run.json").read_text(encoding="utf-8"))["found"]
    assert found == run.found


def test_matches_are_those_of_every_pair():
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 5, (6, 6)).repeat(4, axis=0).repeat(4, axis=1) * 3
    labels = np.where(rng.random(truth.shape) < 0.15, rng.integers(0, 9, truth.shape), truth // 3 + 2)
    expected = {}
    for one in np.unique(labels[labels > 0]):
        for other in np.unique(truth[truth > 0]):
            both = np.sum((labels == one) & (truth == other))
            if both / np.sum((labels == one) | (truth == other)) > 0.5:
                expected[int(one)] = int(other)
    assert len(expected) == 4
    assert match_objects(labels, truth) == expected


def test_nothing_found_recovers_nothing():
    sample = objclass.samples.embryo((24, 64, 64))
    assert match_objects(np.zeros_like(sample.labels), sample.labels) == {}
