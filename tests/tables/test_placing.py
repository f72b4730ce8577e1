import numpy as np
import pandas as pd
import pytest
from sklearn.decomposition import PCA
from sklearn.preprocessing import StandardScaler

from objclass import classify, reduce, train_table_classifier


def table(n, seed, shift=0):
    """Objects of three kinds that differ in four of five measurements."""
    rng = np.random.default_rng(seed)
    kinds = np.arange(n) % 3
    values = rng.normal(size=(n, 5))
    values[:, :4] += 6 * np.eye(4)[kinds]
    names = ["solidity", "extent", "eccentricity", "intensity_mean", "intensity_std"]
    made = pd.DataFrame(values * [1, 10, 0.1, 100, 1] + 5, columns=names)
    made.insert(0, "label", np.arange(1, n + 1) + shift)
    return made, kinds


@pytest.mark.parametrize("scale", [True, False])
def test_principal_components_are_those_of_the_earlier_table(scale):
    old, new = table(90, 0)[0], table(30, 1)[0]
    columns = list(old.columns[1:])
    earlier = reduce(old, "pca", scale=scale, progress=False)
    scaler = StandardScaler(with_std=scale).fit(old[columns])
    model = PCA(2, random_state=0).fit(scaler.transform(old[columns]))
    expected = model.transform(scaler.transform(new[columns]))
    placed = reduce(new, "pca", scale=scale, like=earlier)[["PC_0", "PC_1"]]
    np.testing.assert_allclose(np.abs(placed), np.abs(expected), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("scale", [True, "robust", False])
def test_new_objects_come_to_those_of_their_kind(scale):
    (old, old_kinds), (new, kinds) = table(120, 0), table(60, 1, shift=1000)
    columns = ["solidity", "extent", "eccentricity", "intensity_mean"]
    if scale is False:
        columns = ["solidity"]
    earlier = reduce(old, "umap", columns=columns, scale=scale, progress=False)
    placed = reduce(new, "umap", columns=columns, scale=scale, like=earlier)
    places, axes = earlier[["UMAP_0", "UMAP_1"]].to_numpy(), placed[["UMAP_0", "UMAP_1"]].to_numpy()
    nearest = np.linalg.norm(axes[:, np.newaxis] - places, axis=2).argmin(axis=1)
    agreement = (old_kinds[nearest] == kinds).mean()
    assert agreement > (0.5 if scale is False else 0.95)
    again = reduce(old.drop(columns="intensity_std"), "umap", columns=columns, scale=scale, like=earlier)
    np.testing.assert_allclose(again[["UMAP_0", "UMAP_1"]], places, rtol=1e-6)


def test_the_order_of_rows_and_missing_values():
    (old, _), (new, _) = table(60, 0), table(30, 1)
    earlier = reduce(old, "pca", progress=False)
    new.loc[3, "extent"] = np.nan
    with pytest.warns(UserWarning, match="1 of 30 objects have missing values"):
        placed = reduce(new, "pca", like=earlier)
    with pytest.warns(UserWarning, match="1 of 30 objects have missing values"):
        shuffled = reduce(new.sample(frac=1, random_state=0), "pca", like=earlier)
    assert placed["PC_0"].isna().tolist() == [row == 3 for row in range(30)]
    pd.testing.assert_frame_equal(shuffled.sort_index(), placed)
    assert len(reduce(new.iloc[:0], "pca", like=earlier)) == 0


def test_what_does_not_fit_is_refused():
    (old, _), (new, _) = table(60, 0), table(30, 1)
    earlier = reduce(old, "pca", progress=False)
    with pytest.raises(ValueError, match=r"like: .*UMAP_0"):
        reduce(new, "umap", like=earlier)
    with pytest.raises(ValueError, match=r"table: .*the columns that like was reduced with.*extent"):
        reduce(new.drop(columns="extent"), "pca", like=earlier)
    with pytest.raises(ValueError, match=r"like: .*no further options.*n_neighbors"):
        reduce(new, "umap", like=earlier, n_neighbors=3)
    with pytest.raises(TypeError, match="table"):
        reduce(new, "pca", like=[1])
    earlier.attrs["columns"] = {"extent": {"unit": "µm"}}
    new.attrs["columns"] = {"extent": {"unit": "nm"}}
    with pytest.raises(ValueError, match=r"'extent' in µm, as in like.*nm"):
        reduce(new, "pca", like=earlier)


def of_two_sizes(n=60):
    random = np.random.default_rng(0)
    size = random.lognormal(3, 0.5, n)
    values = {"area": size, "mean": random.normal(50, 9, n), "contrast": random.normal(size=n)}
    return pd.DataFrame({"label": range(1, n + 1), **values})


def test_axes_of_the_map_in_another_order():
    table = of_two_sizes()
    like = reduce(table, "pca", n_components=3, progress=False)
    turned = like[[*list(table), "PC_2", "PC_0", "PC_1"]]
    again = reduce(table, "pca", like=turned, progress=False)
    np.testing.assert_allclose(again.filter(like="PC"), like.filter(like="PC"), atol=1e-9)


def test_a_map_of_other_columns_is_refused():
    table = of_two_sizes()
    like = reduce(table, "pca", progress=False)
    with pytest.raises(ValueError, match="like: expected places that follow from its measurements"):
        reduce(table, "pca", columns=["area", "mean"], like=like, progress=False)


def test_measurements_in_another_unit_are_reported():
    table = of_two_sizes()
    like = reduce(table, "pca", progress=False)
    classifier = train_table_classifier(
        table, dict.fromkeys(range(1, 6), "a") | {k: "b" for k in range(6, 11)}
    )
    for factor in (1e-6, 0.04, 100):
        other = table.assign(area=table["area"] * factor)
        with pytest.warns(
            UserWarning, match=r"'area' is typically .* as large as in like\. Is it in another unit"
        ):
            reduce(other, "pca", like=like, progress=False)
        with pytest.warns(UserWarning, match="'area' is typically .* as large as in the classifier"):
            classify(other, classifier)
    brighter = table.assign(area=table["area"] * 4, contrast=table["contrast"] * 100)
    reduce(brighter, "pca", like=like, progress=False)
    classify(brighter, classifier)
