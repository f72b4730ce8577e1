"""Classes from examples in the explorer: what clicks give, what is learnt, the script that does the same."""

from __future__ import annotations

import json
import threading
import time
from typing import Any

import numpy as np
import pandas as pd
import pytest

import objclass
from objclass.widgets.explorer.classes import ClassExamples
from objclass.widgets.explorer.explorer import explore
from tests.widgets.explorer.test_explorer import Page


def experiment(count: int = 64) -> tuple[np.ndarray, np.ndarray, pd.DataFrame]:
    side = round(count**0.5)
    rng = np.random.default_rng(2)
    labels = np.kron(np.arange(1, side * side + 1).reshape(side, side), np.ones((4, 4), int)) * 2
    table = pd.DataFrame(rng.normal(size=(side * side, 12)), columns=[f"measure {k}" for k in range(12)])
    table.insert(0, "label", np.arange(1, side * side + 1) * 2)
    table.loc[table["label"] % 4 == 0, ["measure 3", "measure 4"]] += 4
    return labels * 3, labels, table


@pytest.fixture
def page() -> Page:
    page = Page(explore(*experiment()))
    page.tell("class", action="start")
    return page


def give(page: Page, labels: list[int], number: int) -> None:
    for label in labels:
        page.tell("class", action="give", labels=[label], number=number)


def teach(page: Page) -> None:
    give(page, [4, 8, 12, 16], 1)
    give(page, [2, 6, 10, 14], 2)
    page.tell("class", action="rename", number=1, name="mitotic")
    page.tell("class", action="rename", number=2, name="other")
    page.explorer.wait()


def shown(page: Page, name: str) -> np.ndarray:
    dtype = "u1" if name == "certain" else "<i4"
    return np.frombuffer(page.explorer._classes[name], dtype)


def test_the_classes_are_those_that_a_script_learns_from_the_same_examples(page: Page) -> None:
    teach(page)
    _, _, table = experiment()
    examples = {4: "mitotic", 8: "mitotic", 12: "mitotic", 16: "mitotic"}
    examples |= dict.fromkeys([2, 6, 10, 14], "other")
    classifier = objclass.train_table_classifier(table, examples)
    assert page.explorer.examples == examples
    by_hand = objclass.classify(table, classifier)
    result = page.explorer.table
    for name in ("CLASS", "CLASS_PROBABILITY", "PROBABILITY_mitotic", "PROBABILITY_other"):
        pd.testing.assert_series_equal(result[name], by_hand[name], check_exact=True)
    truth = np.where(table["label"] % 4 == 0, "mitotic", "other")
    assert (result["CLASS"] == truth).mean() > 0.9
    assert (page.explorer.giving, page.explorer.color, page.explorer.error) == (1, "CLASS", "")


def test_the_code_makes_the_same_table(page: Page) -> None:
    teach(page)
    image, labels, table = experiment()
    space = {"image": image, "labels": labels, "table": table}
    exec(page.explorer.code(), space)
    pd.testing.assert_frame_equal(space["table"], page.explorer.table, check_exact=True)


def test_a_second_click_takes_back_and_undo_brings_again(page: Page) -> None:
    teach(page)
    give(page, [4], 1)
    assert 4 not in page.explorer.objects.classes.state.examples
    page.tell("class", action="undo")
    assert page.explorer.objects.classes.state.examples[4] == 1
    page.tell("class", action="redo")
    assert 4 not in page.explorer.objects.classes.state.examples
    give(page, [8], 2)
    assert page.explorer.objects.classes.state.examples[8] == 2
    page.tell("class", action="give", labels=[20, 22, 24, 999], number=1)
    page.tell("class", action="take_back", labels=[22, 26])
    examples = page.explorer.objects.classes.state.examples
    assert {20, 24} <= set(examples)
    assert not {22, 26, 999} & set(examples)


def test_what_is_shown(page: Page) -> None:
    give(page, [4], 1)
    assert shown(page, "predicted").tolist() == shown(page, "examples").tolist()
    teach(page)
    give(page, [4], 1)
    page.explorer.wait()
    table = page.explorer.table
    numbers = table["CLASS"].map({"mitotic": 1, "other": 2}).to_numpy(int)
    np.testing.assert_array_equal(shown(page, "predicted"), numbers)
    examples = table["label"].map(page.explorer.objects.classes.state.examples).fillna(0)
    np.testing.assert_array_equal(shown(page, "examples"), examples)
    certain = (table["CLASS_PROBABILITY"] >= 0.6) | (examples > 0)
    np.testing.assert_array_equal(shown(page, "certain"), certain)
    assert [item["count"] for item in page.explorer._classes["list"]] == np.bincount(numbers)[1:].tolist()


def test_the_next_object_is_the_suggested_one(page: Page) -> None:
    page.tell("suggest")
    page.explorer.wait()
    assert "examples: expected examples of at least two classes" in page.explorer.error
    teach(page)
    page.tell("suggest")
    page.explorer.wait()
    suggested = objclass.suggest_objects(experiment()[2], page.explorer.classifier, 1)
    assert page.explorer.focus == suggested["label"].iloc[0]


def test_the_judgement_is_the_cross_validation(page: Page) -> None:
    teach(page)
    page.tell("judge")
    page.explorer.wait(120)
    judged = page.explorer._classes["judged"]
    found = objclass.cross_validate(experiment()[2], page.explorer.objects.classes.named())
    assert judged["accuracy"] == found.balanced_accuracy
    assert judged["confusion"] == found.confusion.to_numpy().tolist()
    assert [[len(cell) for cell in row] for row in judged["objects"]] == judged["confusion"]
    importances = page.explorer.classifier.feature_importances()
    shown = [item["column"] for item in judged["importances"]]
    assert shown == importances.query("importance > 0")["column"].head(6).tolist()
    assert set(shown[:2]) == {"measure 3", "measure 4"}
    give(page, [30], 1)
    assert page.explorer._classes["judged"] == {}, "it was said of other examples"


def test_from_groups_to_examples_and_back(page: Page) -> None:
    page.tell("select", shape="objects", objects=[4, 8], mode="replace")
    page.tell("select", shape="objects", objects=[2, 6], mode="next")
    page.tell("group", action="rename", group=2, name="flat")
    page.tell("class", action="from_groups")
    assert page.explorer.objects.classes.named() == {4: "group 1", 8: "group 1", 2: "flat", 6: "flat"}
    page.explorer.wait()
    page.tell("class", action="to_groups")
    table = page.explorer.table
    assert (table["MANUAL_CLUSTER_ID"] == table["CLASS"].map({"group 1": 1, "flat": 2}).to_numpy(int)).all()
    assert page.explorer.groups["name"].tolist() == ["group 1", "flat"]
    assert page.explorer.error == ""


def test_examples_go_on_from_the_file(tmp_path) -> None:
    file = tmp_path / "objects.json"
    before = Page(explore(*experiment(), save_to=file))
    before.tell("class", action="start")
    teach(before)
    assert json.loads(file.read_text())["classes"]["examples"] == dict.fromkeys(
        ["4", "8", "12", "16"], 1
    ) | dict.fromkeys(["2", "6", "10", "14"], 2)
    after = explore(*experiment(), save_to=file)
    pd.testing.assert_frame_equal(after.table, before.explorer.table, check_exact=True)
    assert after.code() == before.explorer.code()
    assert after.color == "CLASS"


@pytest.mark.parametrize(
    ("message", "words"),
    [
        ({"action": "give", "labels": [2], "number": 7}, "class: expected one of 1, 2"),
        (
            {"action": "rename", "number": 1, "name": "class 2"},
            "name: expected a name that no other class has",
        ),
        ({"action": "recolor", "number": 1, "color": "red"}, "color: expected six hexadecimal digits"),
        ({"action": "burn"}, "action: expected one of 'start'"),
    ],
)
def test_bad_messages_are_refused_with_words(page: Page, message: dict[str, Any], words: str) -> None:
    page.tell("class", **message)
    assert words in page.explorer.error


def test_at_most_nine_classes() -> None:
    classes = ClassExamples()
    assert [classes.add_class() for _ in range(9)] == list(range(1, 10))
    with pytest.raises(ValueError, match="classes: expected at most 9"):
        classes.add_class()
    classes.remove_class(4)
    assert classes.add_class() == 4


def test_learning_from_5000_objects_costs_no_more_than_a_few_forests(page: Page) -> None:
    page = Page(explore(*experiment(5041)))
    page.tell("class", action="start")
    teach(page)
    table, named = page.explorer.objects.measured, page.explorer.objects.classes.named()

    def cost(work: Any) -> float:
        begun = time.process_time()  # of all threads, whatever else the machine does
        work()
        return time.process_time() - begun

    ratios = []
    for _ in range(4):
        bare = cost(lambda: objclass.classify(table, objclass.train_table_classifier(table, named)))
        ratios.append(cost(lambda: (give(page, [20], 1), page.explorer.wait())) / bare)
    assert min(ratios) < 2.25, ratios


def test_a_judgement_of_earlier_examples_is_not_shown(page: Page) -> None:
    teach(page)
    worker = page.explorer._worker
    begun, waited = threading.Event(), threading.Event()
    start = worker.start

    def slow(title: str, work: Any, finish: Any) -> None:
        def wait(progress: Any) -> Any:
            result = work(progress)
            begun.set()
            waited.wait(20)
            return result

        start(title, wait, finish)

    worker.start = slow
    page.tell("judge")
    assert begun.wait(60)
    give(page, [30], 1)
    waited.set()
    page.explorer.wait(60)
    assert page.explorer._classes["judged"] == {}


def test_a_class_that_is_renamed_as_its_training_begins_is_no_error(
    page: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    teach(page)
    learn, renamed = ClassExamples.learn, []

    def rename_first(*arguments: Any) -> Any:
        if not renamed:
            renamed.append(True)
            page.tell("class", action="rename", number=1, name="dividing")
        return learn(*arguments)

    monkeypatch.setattr(ClassExamples, "learn", rename_first)
    give(page, [30], 1)
    page.explorer.wait()
    assert page.explorer.error == ""
    assert set(page.explorer.table["CLASS"]) == {"dividing", "other"}


def test_what_is_learnt_holds_up_no_click(page: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    teach(page)
    learning, go_on = threading.Event(), threading.Event()
    learn = ClassExamples.learn

    def slow(*arguments: Any) -> Any:
        learnt = learn(*arguments)
        learning.set()
        go_on.wait(20)
        return learnt

    monkeypatch.setattr(ClassExamples, "learn", slow)
    give(page, [30], 1)
    assert learning.wait(20)
    give(page, [32, 34], 2)  # while the first click is being learnt
    assert shown(page, "examples")[[14, 15, 16]].tolist() == [1, 2, 2]
    assert page.explorer._classes["learning"]
    go_on.set()
    page.explorer.wait()
    assert not page.explorer._classes["learning"]
    _, _, table = experiment()
    named = page.explorer.objects.classes.named()
    assert {30, 32, 34} < set(named)
    by_hand = objclass.classify(table, objclass.train_table_classifier(table, named))
    pd.testing.assert_series_equal(page.explorer.table["CLASS"], by_hand["CLASS"], check_exact=True)
