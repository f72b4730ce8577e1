import json
import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_breast_cancer, load_digits
from sklearn.ensemble import ExtraTreesClassifier, HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import balanced_accuracy_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import objclass
from objclass import classify, cross_validate, load_classifier, suggest_objects, train_table_classifier
from objclass.tables.classification import TableLearner
from objclass.tables.models import METHODS


def digits():
    values, truth = load_digits(return_X_y=True)
    table = pd.DataFrame(values, columns=[f"m{i}" for i in range(64)])
    table.insert(0, "label", np.arange(len(table)) * 2 + 3)
    return table, truth


def clicks(truth, n, seed=0):
    random = np.random.default_rng(seed)
    return np.concatenate([random.choice(np.flatnonzero(truth == k), n, False) for k in np.unique(truth)])


@pytest.fixture(scope="module")
def table():
    """Three classes in two images; some examples, one object without a measurement."""
    random = np.random.default_rng(0)
    kind = np.tile([0, 1, 2], 30)
    table = pd.DataFrame(random.normal(size=(90, 4)) + kind[:, None] * 2, columns=list("abcd"))
    table.insert(0, "label", np.tile(np.arange(45) * 3 + 1, 2))
    table.insert(0, "image", np.repeat(["one", "two"], 45))
    table["kind"] = np.array(["round", "long", "dividing"])[kind]
    table["example"] = table["kind"].where(random.uniform(size=90) < 0.5)
    return table


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("n_classes", [2, 10])
def test_it_predicts_what_scikit_learn_predicts_to_the_last_bits(method, n_classes, tmp_path):
    table, truth = digits()
    table, truth = table[truth < n_classes], truth[truth < n_classes]
    chosen = clicks(truth, 6)
    values = table.filter(regex="^m").to_numpy()
    same = {
        "forest": ExtraTreesClassifier(100, class_weight="balanced", random_state=0),
        "linear": make_pipeline(StandardScaler(), LogisticRegression(class_weight="balanced", max_iter=1000)),
        "boosting": HistGradientBoostingClassifier(
            class_weight="balanced",
            random_state=0,
            early_stopping=False,
            min_samples_leaf=max(1, n_classes * 6 // 20),
        ),
    }[method]
    columns = [f"m{i}" for i in range(64)]
    examples = dict(zip(table["label"].iloc[chosen], truth[chosen].tolist(), strict=True))
    classifier = train_table_classifier(table, examples, method=method, columns=columns)
    result = classify(table, classifier)
    # In the order of the labels, as the classifier has its examples.
    order = np.sort(chosen)
    expected = same.fit(values[order], truth[order]).predict_proba(values)
    np.testing.assert_allclose(result.filter(regex="^PROBABILITY_"), expected, rtol=1e-9, atol=1e-12)

    classifier.save(tmp_path / "classes.json")
    loaded = load_classifier(tmp_path / "classes.json")
    pd.testing.assert_frame_equal(classify(table, loaded), result, check_exact=True)
    assert repr(loaded) == repr(classifier)
    shuffled = classify(table.sample(frac=1, random_state=0), loaded).sort_index()
    pd.testing.assert_frame_equal(shuffled, result, check_exact=True)


@pytest.mark.parametrize("load", [load_breast_cancer, load_digits])
@pytest.mark.parametrize("n", [3, 10])
def test_with_few_clicks_it_is_not_below_a_random_forest(load, n):
    values, truth = load(return_X_y=True)
    table = pd.DataFrame(values).add_prefix("m").assign(label=range(len(values)))
    ours, theirs = [], []
    for seed in range(5):
        chosen = clicks(truth, n, seed)
        rest = np.setdiff1d(np.arange(len(truth)), chosen)
        classifier = train_table_classifier(table, dict(zip(chosen, truth[chosen].tolist(), strict=True)))
        ours.append(
            balanced_accuracy_score(truth[rest], classify(table, classifier)["CLASS"].astype(int)[rest])
        )
        forest = RandomForestClassifier(random_state=0).fit(values[chosen], truth[chosen])
        theirs.append(balanced_accuracy_score(truth[rest], forest.predict(values[rest])))
    assert np.mean(ours) > np.mean(theirs) - 0.005


def test_suggested_clicks_beat_random_ones():
    table, truth = digits()
    scores = {"suggested": [], "random": []}
    for seed in range(2):
        for way, found in scores.items():
            chosen = clicks(truth, 1, seed).tolist()
            random = np.random.default_rng(seed)
            while len(chosen) < 40:
                examples = {int(table["label"][i]): int(truth[i]) for i in chosen}
                with warnings.catch_warnings():
                    warnings.filterwarnings("ignore", message=".*single example")
                    classifier = train_table_classifier(table, examples)
                if way == "random":
                    chosen += random.choice(np.setdiff1d(np.arange(len(truth)), chosen), 10, False).tolist()
                else:
                    labels = suggest_objects(table, classifier, 10)["label"]
                    assert not labels.isin(list(examples)).any()
                    chosen += table.index[table["label"].isin(labels)].tolist()
            rest = np.setdiff1d(np.arange(len(truth)), chosen)
            found.append(
                balanced_accuracy_score(truth[rest], classify(table, classifier)["CLASS"].astype(int)[rest])
            )
    assert np.mean(scores["suggested"]) > np.mean(scores["random"]) + 0.02


def test_classes_of_a_column(table):
    before = table.copy()
    classifier = train_table_classifier(table, "example", colors={"round": "#ff0000"})
    assert classifier.columns == ("a", "b", "c", "d")
    assert classifier.classes == ("dividing", "long", "round")
    assert classifier.counts == table["example"].value_counts().sort_index().to_dict()
    result = classify(table, classifier)
    pd.testing.assert_frame_equal(table, before)
    probabilities = ["PROBABILITY_dividing", "PROBABILITY_long", "PROBABILITY_round"]
    assert list(result) == [*table, "CLASS", "CLASS_PROBABILITY", *probabilities]
    assert list(result["CLASS"].cat.categories) == list(classifier.classes)
    assert (result["CLASS"] == table["kind"]).mean() > 0.85
    np.testing.assert_allclose(result[probabilities].sum(axis=1), 1)
    np.testing.assert_array_equal(result["CLASS_PROBABILITY"], result[probabilities].max(axis=1))
    assert result.attrs["class_colors"] == {"round": "#ff0000"}
    again = classify(result, train_table_classifier(result, "example"))
    pd.testing.assert_frame_equal(again, result)


def test_objects_without_a_measurement_get_no_class(table):
    classifier = train_table_classifier(table, "example")
    numbers = train_table_classifier(
        table,
        table["example"]
        .map({"round": 1, "long": 5, "dividing": 7})
        .rename(None)
        .set_axis(pd.MultiIndex.from_frame(table[["image", "label"]]))
        .dropna(),
    )
    with pytest.warns(
        UserWarning, match="1 of 90 objects have missing values and get no result, most of them in 'c'"
    ):
        result = classify(table.assign(c=table["c"].mask(table.index == 7)), classifier)
    assert result["CLASS"].isna().tolist() == [row == 7 for row in range(90)]
    assert result["PROBABILITY_long"].isna().sum() == 1
    assert classify(table, numbers)["CLASS"].dtype == "Int64"
    assert set(classify(table, numbers)["CLASS"]) == {1, 5, 7}
    assert classify(table.iloc[:0], classifier)["CLASS"].tolist() == []


def test_examples_are_joined_by_key_not_by_row(table):
    keyed = table.dropna(subset="example").set_index(["image", "label"])["example"]
    by_key = classify(table, train_table_classifier(table, keyed))
    by_dict = classify(table, train_table_classifier(table.sample(frac=1, random_state=0), keyed.to_dict()))
    pd.testing.assert_frame_equal(by_key, by_dict)
    pd.testing.assert_frame_equal(by_key, classify(table, train_table_classifier(table, "example")))
    one = table[table["image"] == "one"]
    labels = one.dropna(subset="example").set_index("label")["example"].to_dict()
    assert train_table_classifier(one, labels).counts == one["example"].value_counts().sort_index().to_dict()


def test_groups_drawn_by_hand_are_examples_but_for_those_in_none(table):
    table = table.assign(
        MANUAL_CLUSTER_ID=table["example"].map({"round": 1, "long": 2}).fillna(0).astype(int)
    )
    assert train_table_classifier(table, "MANUAL_CLUSTER_ID").classes == (1, 2)


@pytest.mark.parametrize(
    ("classes", "error", "message"),
    [
        ("kinds", ValueError, "classes: expected a column of the table, a dict or a Series, got 'kinds'"),
        (["a"], TypeError, "or a dict or Series from label to class"),
        ({}, ValueError, "at least two classes, got no examples"),
        ({("one", 1): "a", ("one", 4): "a"}, ValueError, "at least two classes, got examples of 'a' alone"),
        ({("one", 1): "a", ("one", 4): "A "}, ValueError, "one name for each class, got 'A' and 'a'"),
        ({("one", 1): "\u00e9", ("one", 4): "e\u0301"}, ValueError, "one name for each class"),
        ({("one", 1): "a", ("one", 2): "b"}, ValueError, r"objects of the table, got \('one', 2\)"),
        ({1: "a", 4: "b"}, ValueError, r"keys \(image, label\), got int 1"),
        ({("one", 1): 1.5, ("one", 4): 2}, ValueError, "strings or integers, got float 1.5"),
        (pd.Series(["a", "b"], [("one", 1), ("one", 1)]), ValueError, "one class for each object"),
    ],
)
def test_bad_examples(table, classes, error, message):
    with pytest.raises(error, match=message):
        train_table_classifier(table, classes)


def test_other_bad_input(table):
    with pytest.raises(ValueError, match="method: expected one of 'forest'"):
        train_table_classifier(table, "example", method="svm")
    with pytest.raises(ValueError, match="columns: expected names of columns"):
        train_table_classifier(table, "example", columns=["e"])
    with pytest.raises(ValueError, match="colors: expected classes"):
        train_table_classifier(table, "example", colors={"square": "#000000"})
    with pytest.warns(UserWarning, match="Class 'b' has a single example"):
        train_table_classifier(table, {("one", 1): "a", ("one", 4): "a", ("one", 7): "b"})
    with pytest.raises(ValueError, match="at least two examples of each class, got one of 'b'"):
        cross_validate(table, {("one", 1): "a", ("one", 4): "a", ("one", 7): "b"})
    gap = table.assign(c=table["c"].mask(table["example"] == "long"))
    with (
        pytest.raises(ValueError, match="none of class 'long' has a value"),
        pytest.warns(UserWarning, match="have missing values"),
    ):
        train_table_classifier(gap, "example")
    classifier = train_table_classifier(table, "example")
    with pytest.raises(ValueError, match="the columns that the classifier was trained on, got no column 'b'"):
        classify(table.drop(columns="b"), classifier)
    with pytest.raises(TypeError, match="classifier: expected a TableClassifier"):
        classify(table, "classes.json")
    with pytest.raises(
        ValueError, match="values in each column that the classifier was trained on, got none in c"
    ):
        classify(table.assign(c=np.nan), classifier)


def test_units_are_checked():
    labels = np.kron(np.arange(1, 10).reshape(3, 3), np.ones((4, 5), int)) * (np.arange(15) % 5 < 4)
    tables = [
        objclass.measure(labels, spacing=step, unit=unit)
        for step, unit in ((0.5, "µm"), (0.5, "nm"), (0.7, "µm"))
    ]
    columns = ["area", "axis_major_length", "extent"]
    classifier = train_table_classifier(tables[0], {1: "a", 2: "a", 3: "b", 4: "b"}, columns=columns)
    assert classifier.units["area"] == "µm²"
    with pytest.raises(ValueError, match="'area' in µm², as in the classifier, got nm²"):
        classify(tables[1], classifier)
    with pytest.warns(UserWarning, match="a voxel size of .*0.7.* the classifier .*0.5"):
        classify(tables[2], classifier)


def test_cross_validation_by_image_and_at_random(table):
    by_image = cross_validate(table, "example")
    examples = table.dropna(subset="example")
    assert by_image.confusion.to_numpy().sum() == len(examples)
    assert by_image.confusion.sum(axis=1).to_dict() == examples["example"].value_counts().to_dict()
    joined = examples.merge(by_image.predictions, on=["image", "label"])
    assert (joined["CLASS"] == joined["example"]).all()
    for held_out in ("one", "two"):
        learnt = train_table_classifier(table[table["image"] != held_out], "example", columns=list("abcd"))
        expected = classify(table[table["image"] == held_out], learnt).set_index("label")["CLASS"]
        found = by_image.predictions.query("image == @held_out").set_index("label")["predicted"]
        assert (expected[found.index].astype(str) == found).all()
    at_random = cross_validate(table, "example", groups=None)
    assert 0.7 < at_random.balanced_accuracy <= 1
    assert at_random.balanced_accuracy == pytest.approx(at_random.scores["recall"].mean())
    assert not by_image.notes
    assert "balanced accuracy" in str(by_image)
    few = cross_validate(table.iloc[:30], "example", method="linear")
    assert any(note.startswith("Few examples of") for note in few.notes)
    with pytest.raises(ValueError, match="groups: expected the name of a column"):
        cross_validate(table, "example", groups="plate")


def test_a_class_of_one_image_only_is_noted(table):
    table = table.assign(example=table["example"].mask((table["image"] == "two") & (table["kind"] == "long")))
    assert any(
        "Only one has examples of some class" in note for note in cross_validate(table, "example").notes
    )


def test_importances_find_the_informative_column(table):
    random = np.random.default_rng(0)
    table = table[["image", "label", "example"]].assign(noise=random.normal(size=90), a=table["a"] * 3)
    importances = train_table_classifier(
        table.assign(b=table["a"] + 0.01 * random.normal(size=90)), "example", columns=["noise", "a", "b"]
    ).feature_importances()
    assert importances["column"].iloc[-1] == "noise"
    assert importances.set_index("column")["correlated_with"].to_dict() == {"a": "b", "b": "a", "noise": ""}
    alone = train_table_classifier(table, "example").feature_importances().set_index("column")
    assert alone["importance"]["a"] > 0.3 > abs(alone["importance"]["noise"])


def test_importances_tell_of_columns_of_which_each_alone_is_enough():
    rng = np.random.default_rng(0)
    side = np.repeat([0.0, 5], 10)
    columns = {f"size {number}": side + rng.normal(size=20) for number in range(4)}
    table = pd.DataFrame({"label": np.arange(1, 21), **columns, "noise": rng.normal(size=20)})
    examples = dict(zip(table["label"], np.where(side > 0, "large", "small"), strict=True))
    found = train_table_classifier(table, examples).feature_importances().set_index("column")["importance"]
    assert found.drop("noise").min() > 0.02 > abs(found["noise"])


def test_suggestions_take_turns_between_images(table):
    classifier = train_table_classifier(table, "example")
    suggested = suggest_objects(table, classifier, 6)
    assert list(suggested) == ["image", "label", "CLASS", "uncertainty"]
    assert len(suggested.drop_duplicates(["image", "label"])) == 6
    assert suggested["image"].value_counts().min() >= 2
    assert len(suggest_objects(table, classifier, 1000)) == table["example"].isna().sum()


@pytest.fixture
def saved(table, tmp_path):
    path = tmp_path / "classes.json"
    train_table_classifier(table, "example").save(path)
    return path


def change(path, key, value):
    content = json.loads(path.read_text())
    target = content["model"] if key in content["model"] else content
    target[key] = value
    path.write_text(json.dumps(content))


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("format", "other", "the JSON content is not a classifier"),
        ("version", 99, "the version is 99"),
        ("columns", ["a"], "do not match the columns"),
        ("classes", ["a", "a"], "not a list of two or more"),
        ("method", "svm", "'svm' is unknown"),
        ("feature", [], "not an array of"),
        ("roots", [10**9], "are inconsistent"),
        ("start", [0.0, 0.0, float("nan")], "NaN is used as a number"),
        ("example_classes", [7], "do not match the columns"),
        ("kind", "pickle", "type of the model is unknown"),
        ("class_weight", {"a": 1}, "is unknown"),
    ],
)
def test_altered_files_are_refused(saved, key, value, message):
    change(saved, key, value)
    with pytest.raises(ValueError, match=f"a classifier written by TableClassifier.save, got .*{message}"):
        load_classifier(saved)


@pytest.mark.parametrize("value", [None, "x", -1, [], {}])
def test_parts_of_another_type_are_refused(saved, value):
    whole = saved.read_text()
    for key in json.loads(whole):
        saved.write_text(json.dumps({**json.loads(whole), key: value}))
        try:
            load_classifier(saved)
        except objclass.ObjclassError as error:
            assert "a classifier written by TableClassifier.save" in str(error)  # noqa: PT017
            assert "NoneType" not in str(error)  # noqa: PT017


def test_trees_that_run_in_circles_are_refused(saved):
    children = json.loads(saved.read_text())["model"]["children"]
    inner = next(place for place, pair in enumerate(children) if pair[0] > 0)
    children[inner] = [inner, inner]
    change(saved, "children", children)
    with pytest.raises(ValueError, match="are inconsistent"):
        load_classifier(saved)


def test_cut_and_mutated_files_never_do_anything_else(saved):
    whole = saved.read_bytes()
    random = np.random.default_rng(0)
    for _ in range(60):
        damaged = bytearray(whole)
        for place in random.integers(0, len(whole), 3):
            damaged[place] = random.integers(0, 256)
        saved.write_bytes(bytes(damaged[: random.integers(1, len(whole) * 2)]))
        try:
            load_classifier(saved)
        except objclass.ObjclassError:
            continue


def test_million_rows_take_seconds():
    random = np.random.default_rng(0)
    table = pd.DataFrame(random.normal(size=(300_000, 5)), columns=list("abcde")).assign(label=range(300_000))
    examples = {row: str(table["a"][row] > 0) for row in range(40)}
    classifier = train_table_classifier(table, examples)
    assert ((table["a"] > 0).astype(str) == classify(table, classifier)["CLASS"]).mean() > 0.8


def test_examples_that_lack_a_column_that_is_dropped():
    table = pd.DataFrame({"label": range(1, 25), "area": np.arange(24.0)})
    table["same"] = np.where(table["label"] % 3 == 0, np.nan, 1.5)
    examples = {1: "x", 2: "x", 3: "x", 4: "x", 5: "x", 20: "y", 21: "y", 22: "y", 23: "y", 24: "y"}
    table["power"] = table["area"].where(table["label"] % 3 != 0) ** 2
    with pytest.warns(UserWarning, match="have missing values"):
        found = objclass.cross_validate(table, examples)
    assert len(found.predictions) == found.confusion.to_numpy().sum()


@pytest.mark.filterwarnings("ignore:.*have missing values", "ignore:Class .* has a single example")
def test_a_learner_gives_what_training_and_classifying_give():
    random = np.random.default_rng(4)
    table = pd.DataFrame(random.normal(size=(60, 4)), columns=list("abcd")).assign(label=range(60, 0, -1))
    table["same"] = (2 * table["a"]).where(table["label"] % 7 > 0)  # is dropped, and keeps rows from training
    table.loc[table["label"] % 11 == 0, "b"] = np.nan
    table["kind"] = "text"
    learner = TableLearner(table)
    for n_examples in (2, 8, 20):
        examples = {label: ("x", "y", "z")[label % 3] for label in range(3, 3 + n_examples)}
        classifier = train_table_classifier(table, examples, colors={"x": "#ff0000"})
        learnt = learner.train(examples, colors={"x": "#ff0000"})
        np.testing.assert_array_equal(learnt.examples, classifier.examples)
        assert repr(learnt) == repr(classifier)
        assert learnt.model.to_dict() == classifier.model.to_dict()
        expected = classify(table, classifier)
        found = learner.classify(learnt)
        pd.testing.assert_frame_equal(found, expected[list(found)], check_exact=True)
        assert list(found) == [name for name in expected if name not in table]
        assert found.attrs["class_colors"] == {"x": "#ff0000"}


def test_measurements_beyond_float32_are_refused():
    table = pd.DataFrame({"label": range(1, 7), "area": [1.0, 2, 3, 1e300, 2e300, 3e300]})
    with pytest.raises(ValueError, match="that float32 can hold"):
        train_table_classifier(table, {1: "small", 2: "small", 5: "large", 6: "large"})


def test_a_part_of_a_column_is_taken_by_its_rows():
    values = np.random.default_rng(0).permutation(np.arange(40.0))
    table = pd.DataFrame(
        {"label": range(1, 41), "area": values, "kind": np.where(values < 20, "small", "large")}
    )
    for given, examples in (
        (table, table["kind"]),
        (table[5:], table["kind"][6:30]),
        (table.sort_values("area"), table["kind"][::2]),
        (table, table.set_index("label")["kind"][::2]),
        (table.assign(label=values.astype(int)), table["kind"]),
    ):
        classifier = train_table_classifier(given, examples)
        assert (classify(given, classifier)["CLASS"].astype(str) == given["kind"]).mean() > 0.9
    with pytest.raises(
        ValueError, match=r"classes: .*index of the table.*classes.set_axis\(table\['label'\]\)"
    ):
        train_table_classifier(table[5:], pd.Series(table["kind"][5:].to_numpy(), table.index[5:]))
