"""evaluate scores a classifier; cross_validate_images those that have not seen the image."""

import warnings

import numpy as np
import pytest
from sklearn.metrics import f1_score, precision_score, recall_score

import objclass
from objclass import cli, cross_validate_images, evaluate


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
    result = cross_validate_images(classifier, images, annotations, labels=labels, min_size=20)
    truths, given, found = [], [], []
    for at, image in enumerate(images):
        others = [other for other in range(3) if other != at]
        trained = objclass.train_object_classifier(
            [images[o] for o in others], [annotations[o] for o in others], **options
        )
        known = annotations[at] > 0
        truths.append(annotations[at][known])
        given.append(objclass.classify_pixels(image, trained)[known])
        found.append(objclass.segment(image, trained, min_size=20).max())
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


def test_the_classifier_that_is_given_is_scored():
    images, annotations, _ = pictures(2)
    good = objclass.train_object_classifier(images, annotations, features="gaussian_blur=1", n_estimators=5)
    swapped = [np.where(one > 0, 3 - one, 0) for one in annotations]
    bad = objclass.train_object_classifier(images, swapped, features="gaussian_blur=1", n_estimators=5)
    for classifier in (good, bad):
        result = evaluate(classifier, images, annotations)
        given = np.concatenate([objclass.classify_pixels(image, classifier).ravel() for image in images])
        truth = np.concatenate([one.ravel() for one in annotations])
        given, truth = given[truth > 0], truth[truth > 0]
        for number, row in result.pixels.tail(2).set_index("class").iterrows():
            for name, score in (("precision", precision_score), ("recall", recall_score), ("f1", f1_score)):
                assert row[name] == pytest.approx(score(truth, given, pos_label=number))
        assert result.objects is None
    assert evaluate(good, images, annotations).pixels["f1"].min() > 0.8
    assert evaluate(bad, images, annotations).pixels["f1"].max() < 0.2


def test_objects_are_those_of_segment():
    images, annotations, labels = pictures(2)
    classifier = objclass.train_object_classifier(images, annotations, n_estimators=10)
    options = {"threshold": 0.6, "split": "none", "min_size": 10}
    gaps = [7 * truth for truth in labels]
    result = evaluate(classifier, images, labels=gaps, **options)
    assert result.pixels is None
    for at, row in result.objects.head(2).iterrows():
        found = objclass.segment(images[at], classifier, **options)
        matched = len(objclass.match_objects(found, labels[at]))
        assert row[["true", "found", "matched"]].tolist() == [4, found.max(), matched]
    one = evaluate(classifier, images[0], annotations[0], labels=gaps[0], **options)
    assert one.objects.iloc[-1]["matched"] == result.objects.iloc[0]["matched"] > 0


def test_folds_and_images_without_truth():
    images, annotations, labels = pictures(4)
    classifier = objclass.train_object_classifier(images, annotations, features="original", n_estimators=3)
    result = cross_validate_images(
        classifier, images, annotations, labels=[labels[0], None, None, None], n_folds=2
    )
    assert result.objects["image"].tolist() == [0, -1]
    assert cross_validate_images(classifier, images, annotations, n_folds=2).objects is None


def test_wrong_arguments():
    images, annotations, labels = pictures(2)
    classifier = objclass.train_object_classifier(images, annotations, features="original", n_estimators=3)
    with pytest.raises(ValueError, match="annotations: expected annotations, or labels"):
        evaluate(classifier, images)
    with pytest.raises(ValueError, match=r"options: expected some of .*min_size.*, got minimum"):
        evaluate(classifier, images, annotations, minimum=3)
    with pytest.raises(ValueError, match=r"labels\[1\]: expected labels of at least 0"):
        evaluate(classifier, images, labels=[labels[0], -labels[1]])
    with pytest.raises(ValueError, match="annotations: expected one array for each image"):
        evaluate(classifier, images, annotations[0])
    with pytest.raises(ValueError, match="image: expected a list of at least two images, got 1"):
        cross_validate_images(classifier, images[0], annotations[0])
    with pytest.raises(ValueError, match="n_folds: expected an integer"):
        cross_validate_images(classifier, images, annotations, n_folds=3)
    with pytest.raises(ValueError, match="labels: expected 2 arrays or None"):
        cross_validate_images(classifier, images, annotations, labels=labels[:1])


def test_an_image_that_is_given_twice_is_not_unseen():
    image = np.repeat([[0.0, 0, 0, 9, 9, 9]], 6, axis=0)
    scribbles = np.where(image > 4, 2, 1)
    classifier = objclass.train_object_classifier(image, scribbles, features="original", n_estimators=5)
    with pytest.raises(
        ValueError, match=r"image: expected different images, got image\[2\], which is image\[0\] again"
    ):
        objclass.cross_validate_images(classifier, [image, image + 1, image], [scribbles] * 3)


def test_train_and_evaluate_from_the_command_line(tmp_path, capsys):
    names = []
    for at, parts in enumerate(zip(*pictures(), strict=True)):
        names.append([tmp_path / f"{kind}{at}.tif" for kind in ("image", "scribbles", "truth")])
        for path, array in zip(names[-1], parts, strict=True):
            objclass.imwrite(path, array.astype(np.uint8 if "truth" in path.name else np.float32))
    images, scribbles, truths = (list(map(str, column)) for column in zip(*names, strict=True))
    arguments = [
        "--features",
        "original gaussian_blur=1",
        "--n-estimators",
        "5",
        "--out",
        str(tmp_path / "a.cl"),
    ]
    assert cli.main(["train", *images, "--annotations", *scribbles, *arguments]) == 0
    assert f"{np.count_nonzero(pictures()[1][0] == 2):,} of class 2" in capsys.readouterr().out
    classifier = objclass.load_classifier(tmp_path / "a.cl")
    assert classifier.forest.n_trees == 5
    options = ["--classifier", str(tmp_path / "a.cl"), "--labels", *truths]
    printed = {}
    for command in ("evaluate", "cross-validate"):
        assert cli.main([command, *images, "--annotations", *scribbles, *options, "--min-size", "20"]) == 0
        printed[command] = capsys.readouterr().out
        assert "all" in printed[command]
    read = [[objclass.imread(path) for path in column] for column in zip(*names, strict=True)]
    result = evaluate(classifier, read[0], read[1], labels=read[2], min_size=20)
    for table in (result.pixels, result.objects):
        assert f"{table.f1.iloc[-1]:.3f}" in printed["evaluate"]
    assert printed["evaluate"] != printed["cross-validate"]
    assert cli.main(["evaluate", images[0], "--labels", truths[0], *options[:2]]) == 0
    assert "pixels" not in capsys.readouterr().out
    assert cli.main(["evaluate", images[0], *options[:2]]) == 2
    assert "annotations: expected annotations, or labels" in capsys.readouterr().err
    assert cli.main(["train", *images, "--annotations", scribbles[0], *arguments]) == 2


@pytest.mark.filterwarnings("ignore:image.1.. The 99th percentile")
def test_messages_tell_images_of_a_list_apart_and_name_their_files(tmp_path, capsys):
    images, annotations, truths = (list(parts) for parts in pictures(3))
    images = [(image * 40).astype(np.uint16) for image in images]
    images[1] = (images[1] // 8).astype(np.uint8)
    options = {"features": "original", "n_estimators": 3}
    with pytest.warns(UserWarning, match=r"^image\[1\] is uint8, image\[0\] is uint16: "):
        classifier = objclass.train_object_classifier(images, annotations, **options)
    with pytest.warns(UserWarning, match=r"^image\[1\] is uint8, image\[0\] is uint16: ") as caught:
        cross_validate_images(classifier, images, annotations, n_folds=3)  # not each fold its own
    assert [each.filename for each in caught] == [__file__]
    with pytest.warns(UserWarning, match=r"^image\[1\]: The image is uint8, the classifier") as caught:
        evaluate(classifier, images, labels=truths)
    assert all(str(each.message).startswith("image[1]: The ") for each in caught)
    names = [[str(tmp_path / f"{kind}{at}.tif") for at in range(3)] for kind in "is"]
    for paths, arrays in zip(names, (images, annotations), strict=True):
        for path, array in zip(paths, arrays, strict=True):
            objclass.imwrite(path, array.astype(np.uint8) if paths is names[1] else array)
    command = ["train", *names[0], "--annotations", *names[1], "--out", str(tmp_path / "a.cl")]
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        assert cli.main([*command, "--features", "original", "--n-estimators", "3"]) == 0
    expected = f"warning: image {names[0][1]} is uint8, image {names[0][0]} is uint16: equal brightness"
    assert expected in capsys.readouterr().err
    objclass.imwrite(names[1][2], (annotations[2] > 0).astype(np.uint8)[:-1])
    assert cli.main(command) == 2
    assert f"error: image {names[0][2]}: expected the spatial shape of annotations {names[1][2]}" in (
        capsys.readouterr().err
    )
