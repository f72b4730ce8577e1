"""evaluate: each image by a classifier that has not seen it."""

import numpy as np
import pytest
from sklearn.metrics import f1_score, precision_score, recall_score

import objclass
from objclass import cli
from objclass.workflows.cross_validation import evaluate


def pictures(n=3):
    images, annotations, labels = [], [], []
    for seed in range(n):
        rng = np.random.default_rng(seed)
        truth = np.zeros((40, 44), np.int32)
        for number in range(1, 5):
            y, x = 3 + 18 * (number % 2), 3 + 20 * (number // 3)
            truth[y : y + 8, x : x + 9] = number
        image = np.where(truth > 0, 130, 100) + rng.normal(0, 14, truth.shape)
        images.append(image)
        annotations.append(np.where(rng.random(truth.shape) < 0.3, np.where(truth > 0, 2, 1), 0))
        labels.append(truth)
    return images, annotations, labels


def test_scores_are_those_of_scikit_learn_on_unseen_images():
    images, annotations, labels = pictures()
    options = {"features": "original gaussian_blur=1", "n_estimators": 7, "max_depth": 3, "random_state": 4}
    classifier = objclass.train_object_classifier(images, annotations, **options)
    result = evaluate(classifier, images, annotations, labels=labels)
    truths, given, found = [], [], []
    for at, image in enumerate(images):
        others = [other for other in range(3) if other != at]
        trained = objclass.train_object_classifier(
            [images[o] for o in others], [annotations[o] for o in others], **options
        )
        known = annotations[at] > 0
        truths.append(annotations[at][known])
        given.append(objclass.classify_pixels(image, trained)[known])
        found.append(objclass.exclude_small(objclass.segment(image, trained)).max())
        for number in (1, 2):
            table = result.pixels
            row = table[(table["image"] == at) & (table["class"] == number)].iloc[0]
            assert row["annotated"] == (truths[at] == number).sum()
            for name, score in (("precision", precision_score), ("recall", recall_score), ("f1", f1_score)):
                assert row[name] == pytest.approx(score(truths[at], given[at], pos_label=number))
    last = result.pixels.iloc[-1]
    assert (last["image"], last["class"]) == (-1, 2)
    assert last["f1"] == pytest.approx(f1_score(np.concatenate(truths), np.concatenate(given), pos_label=2))
    assert 0.5 < last["f1"] < 1
    assert result.objects["true"].tolist() == [4, 4, 4, 12]
    assert result.objects["found"].tolist() == [*found, sum(found)]
    assert result.objects["f1"].iloc[-1] > 0.5


def test_folds_and_images_without_truth():
    images, annotations, labels = pictures(4)
    classifier = objclass.train_object_classifier(images, annotations, features="original", n_estimators=3)
    result = evaluate(classifier, images, annotations, labels=[labels[0], None, None, None], n_folds=2)
    assert result.objects["image"].tolist() == [0, -1]
    assert evaluate(classifier, images, annotations, n_folds=2).objects is None


def test_wrong_arguments():
    images, annotations, labels = pictures(2)
    classifier = objclass.train_object_classifier(images, annotations, features="original", n_estimators=3)
    with pytest.raises(ValueError, match="image: expected a list of at least two images, got 1"):
        evaluate(classifier, images[0], annotations[0])
    with pytest.raises(ValueError, match="n_folds: expected a whole number"):
        evaluate(classifier, images, annotations, n_folds=3)
    with pytest.raises(ValueError, match="labels: expected 2 arrays or None"):
        evaluate(classifier, images, annotations, labels=labels[:1])


def test_train_and_evaluate_from_the_command_line(tmp_path, capsys):
    names = []
    for at, parts in enumerate(zip(*pictures(), strict=True)):
        names.append([tmp_path / f"{kind}{at}.tif" for kind in ("image", "strokes", "truth")])
        for path, array in zip(names[-1], parts, strict=True):
            objclass.imwrite(path, array.astype(np.float32 if "image" in path.name else np.uint8))
    images, strokes, truths = (list(map(str, column)) for column in zip(*names, strict=True))
    arguments = [
        "--features",
        "original gaussian_blur=1",
        "--n-estimators",
        "5",
        "--out",
        str(tmp_path / "a.cl"),
    ]
    assert cli.main(["train", *images, "--annotations", *strokes, *arguments]) == 0
    classifier = objclass.load_classifier(tmp_path / "a.cl")
    assert classifier.forest.n_trees == 5
    options = ["--classifier", str(tmp_path / "a.cl"), "--labels", *truths]
    assert cli.main(["evaluate", *images, "--annotations", *strokes, *options]) == 0
    printed = capsys.readouterr().out
    assert "precision" in printed
    assert "all" in printed
    assert cli.main(["train", *images, "--annotations", strokes[0], *arguments]) == 2
