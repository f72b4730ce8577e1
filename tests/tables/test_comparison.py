import numpy as np
import pandas as pd
import pytest
from scipy.stats import false_discovery_control, ttest_ind, ttest_rel

from objclass import compare, compare_figure


def experiment(random, *, n_images=4, n_objects=50, effect=0.0, paired=False):
    """Objects of images that differ from one another as much as objects within an image do."""
    parts = []
    for condition, image in np.ndindex(2, n_images):
        level = random.normal() + effect * condition
        area = random.normal(level, 1, n_objects)
        share = 1 / (1 + np.exp(-random.normal()))
        kind = np.where(random.uniform(size=n_objects) < share, "round", "long")
        name = f"{image}" if paired else f"{condition}-{image}"
        label = np.arange(n_objects) + 1000 * condition
        repeated = (np.repeat(one, n_objects) for one in (name, "ab"[condition]))
        parts.append((label, area, kind, *repeated))
    names = ["label", "area", "kind", "image", "condition"]
    return pd.DataFrame(dict(zip(names, map(np.concatenate, zip(*parts, strict=True)), strict=True)))


def test_it_is_the_t_test_of_the_images():
    table = experiment(np.random.default_rng(0), effect=2)
    result = compare(table, ["area", "kind"])
    assert list(result) == [
        "measure",
        "effect",
        "effect_low",
        "effect_high",
        "p_value",
        "p_adjusted",
        "n_images",
        "n_objects",
    ]
    assert result["measure"].tolist() == ["area", "kind long", "kind round"]
    assert result.attrs["conditions"] == ["a", "b"]
    means = table.groupby(["condition", "image"])["area"].mean()
    expected = ttest_ind(means["b"], means["a"])
    row = result.iloc[0]
    assert row["p_value"] == pytest.approx(expected.pvalue)
    assert row["effect"] == pytest.approx(means["b"].mean() - means["a"].mean())
    assert (row["effect_low"], row["effect_high"]) == pytest.approx(tuple(expected.confidence_interval()))
    shares = table["kind"].eq("long").groupby([table["condition"], table["image"]]).mean()
    assert result["p_value"][1] == pytest.approx(ttest_ind(shares["b"], shares["a"]).pvalue)
    np.testing.assert_allclose(result["p_adjusted"], false_discovery_control(result["p_value"]))
    assert result["n_images"].tolist() == [8] * 3
    assert result["n_objects"].tolist() == [400] * 3
    shuffled = compare(table.sample(frac=1, random_state=0), ["area", "kind"])
    pd.testing.assert_frame_equal(shuffled, result)


def test_replicates_with_both_conditions_are_compared_within():
    table = experiment(np.random.default_rng(0), paired=True)
    means = table.groupby(["condition", "image"])["area"].mean()
    assert compare(table, "area")["p_value"][0] == pytest.approx(ttest_rel(means["b"], means["a"]).pvalue)


@pytest.mark.parametrize("n_images", [3, 5])
def test_without_an_effect_one_in_twenty_is_significant(n_images):
    random = np.random.default_rng(n_images)
    p_values, of_objects = [], []
    for _ in range(200):
        table = experiment(random, n_images=n_images, n_objects=10)
        p_values.append(compare(table, "area")["p_value"][0])
        area = [table["area"][table["condition"] == name] for name in "ab"]
        of_objects.append(ttest_ind(*area).pvalue)
    assert 0.02 < np.mean(np.array(p_values) < 0.05) < 0.085
    assert np.mean(np.array(of_objects) < 0.05) > 0.3


def test_a_single_replicate_is_said():
    table = experiment(np.random.default_rng(0), n_images=1, effect=3)
    with pytest.warns(
        UserWarning, match="area: a condition has a single image.*no p-value without replicates"
    ):
        result = compare(table, "area")
    assert np.isnan(
        result.loc[0, ["effect_low", "effect_high", "p_value", "p_adjusted"]].to_numpy(float)
    ).all()
    assert np.isfinite(result["effect"][0])


def test_missing_values():
    table = experiment(np.random.default_rng(0))
    table.loc[3, "area"], table.loc[5, "area"], table.loc[9, "condition"] = np.nan, np.inf, None
    with pytest.warns(UserWarning, match="1 of 400 objects have no 'condition' or 'image'"):
        result = compare(table, "area")
    assert result["n_objects"].tolist() == [397]


def test_bad_input():
    table = experiment(np.random.default_rng(0))
    for keywords, message in (
        ({"by": "treatment"}, "by: expected the name of a column of the table, got str 'treatment'"),
        ({"replicate": "animal"}, "replicate: expected the name of a column"),
        ({"by": "image"}, r"by: expected a column with two conditions, got 8 \('0-0'.*Choose two"),
    ):
        with pytest.raises(ValueError, match=message):
            compare(table, "area", **keywords)
    with pytest.raises(ValueError, match="values: expected the name of a column"):
        compare(table, ["area", "volume"])
    mixed = table.assign(image=table["image"].replace({"1-0": "0-0"}), label=range(len(table)))
    with pytest.raises(
        ValueError, match="replicates of one condition each, or all of both, got some of both, such as '0-0'"
    ):
        compare(mixed, "area")


def test_the_figure_has_a_panel_for_each_measure():
    table = experiment(np.random.default_rng(0), effect=2)
    figure = compare_figure(table, ["area", "kind"])
    assert [axes.get_ylabel() for axes in figure.axes] == [
        "area",
        "share of kind long",
        "share of kind round",
    ]
    assert [text.get_text() for text in figure.axes[0].get_xticklabels()] == ["a", "b"]
    p = compare(table, ["area", "kind"])["p_adjusted"][0]
    assert figure.axes[0].get_title() == f"p = {p:.2g}, 8 × image"
    drawn = sorted(float(line.get_ydata()[0]) for line in figure.axes[0].lines if line.get_marker() == "o")
    np.testing.assert_allclose(drawn, sorted(table.groupby("image")["area"].mean()))


@pytest.mark.parametrize(
    ("values", "replicate", "told"),
    [
        ([], "image", r"values: expected one or more columns, each once, got list \[\]"),
        (["area", "area"], "image", "values: expected one or more columns, each once"),
        ("label", "image", "values: expected measurements, got 'label'"),
        ("area", "label", "replicate: expected the column of images, wells or animals, got 'label'"),
    ],
)
def test_columns_that_cannot_be_compared(values, replicate, told):
    table = experiment(np.random.default_rng(0))
    with pytest.raises(ValueError, match=told):
        compare(table, values, replicate=replicate)


@pytest.mark.parametrize("name", ["condition", "replicate"])
def test_columns_may_have_any_name(name):
    table = experiment(np.random.default_rng(0), effect=2).rename(
        columns={"condition": "treatment", "image": "well"}
    )
    table["label"] = range(len(table))
    expected = compare(table, "area", by="treatment", replicate="well")
    renamed = table.rename(columns={"area": name})
    found = compare(renamed, name, by="treatment", replicate="well")
    assert found["effect"].tolist() == expected["effect"].tolist()
    assert compare_figure(renamed, name, by="treatment", replicate="well").axes[0].get_ylabel() == name


def test_numbers_as_text_are_no_classes():
    table = experiment(np.random.default_rng(0))
    german = table.assign(area=table["area"].round(1).astype(str).str.replace(".", ","))
    with pytest.raises(ValueError, match=r"'area' of text.*decimal"):
        compare(german.iloc[::9], "area")
    digits = compare(table.assign(CLASS=np.where(table["kind"] == "round", "1", "2")), "CLASS")
    assert digits["measure"].tolist() == ["CLASS 1", "CLASS 2"]


def test_two_spellings_are_no_two_conditions():
    table = experiment(np.random.default_rng(0))
    table["condition"] = table["condition"].map({"a": "Control", "b": "control "})
    with pytest.raises(
        ValueError, match="by: expected one name for each condition, got 'Control' and 'control '"
    ):
        compare(table, "area")
