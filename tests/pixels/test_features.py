import itertools
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from objclass.pixels.features import (
    APOC_SETS,
    EDGE_SETS,
    FEATURE_SETS,
    FILTERS,
    Feature,
    check_filters,
    format_features,
    match_features,
    parse_features,
    scale_features,
)

BLURS = [name for name in FILTERS if name != "original"]


@pytest.mark.parity
def test_sets_are_those_of_apoc(apoc):
    theirs = {member.name: member.value for member in apoc.PredefinedFeatureSet if member.value}
    assert theirs == APOC_SETS


def test_sets_have_the_filters_that_their_names_say():
    assert FEATURE_SETS["v070"].split() == [f"{name}=1" for name in BLURS[:4]]
    assert FEATURE_SETS["object_size_1_to_2_px"].split() == [
        f"{name}={sigma}" for name in BLURS[:3] for sigma in (1, 2)
    ]
    assert FEATURE_SETS["edges_1_to_8_px"].split() == [
        "original",
        *(f"{name}={sigma}" for name in BLURS[:4] for sigma in (1, 2, 4, 8)),
    ]
    for name, specification in EDGE_SETS.items():
        sigmas = sorted({feature.value for feature in parse_features(specification)} - {None})
        assert (sigmas[0], sigmas[-1]) == tuple(map(int, re.findall(r"\d+", name)))
        assert all(sigma == 2 * before for before, sigma in itertools.pairwise(sigmas))
    for specification in FEATURE_SETS.values():
        assert format_features(parse_features(specification)) == specification


@pytest.mark.parametrize("spelling", ["gaussian_blur=1", "gaussian_blur=1.0", "gaussian_blur=1e0"])
def test_a_token_is_given_back_as_it_was_written(spelling):
    (feature,) = parse_features(spelling)
    assert str(feature) == spelling
    assert feature == Feature("gaussian_blur", 1.0)


def test_text_set_tokens_and_features_mean_the_same():
    by_name = parse_features("small_quick")
    text = FEATURE_SETS["small_quick"]
    assert by_name == parse_features(text) == parse_features(text.split()) == parse_features(by_name)
    assert by_name == parse_features("  original,  gaussian_blur=1\tsobel_of_gaussian_blur=1 ")


def test_original_in_any_case_as_apoc_reads_it():
    (feature,) = parse_features("Original")
    assert (feature.name, feature.value, str(feature)) == ("original", None, "Original")


@given(
    st.lists(st.tuples(st.sampled_from(BLURS), st.just(0.0) | st.floats(1e-3, 1e3)), min_size=1, max_size=20)
)
def test_formatting_and_parsing_are_inverse(pairs):
    features = tuple(Feature(name, sigma) for name, sigma in pairs)
    assert parse_features(format_features(features)) == features


@pytest.mark.parametrize(
    ("features", "message"),
    [
        (
            "median_box=3",
            r"features: expected filters among original, .* got 'median_box=3'.*engine=\"opencl\"",
        ),
        ("object_size_1_to_6_px", r"got 'object_size_1_to_6_px'. The predefined sets are edges_1_to_2_px"),
        ("original=3", r"'original' or 'filter=sigma' .* got 'original=3'"),
        (
            "gaussian_blur",
            r"expected 'gaussian_blur=' and a sigma of 0, or of 0.001 to 1000 voxels, got 'gaussian_blur'",
        ),
        ("gaussian_blur=1=2", "got 'gaussian_blur=1=2'"),
        ("gaussian_blur=-1", "0.001 to 1000 voxels, got 'gaussian_blur=-1'"),
        ("gaussian_blur=nan", "got 'gaussian_blur=nan'"),
        ("gaussian_blur=1e-30", "got 'gaussian_blur=1e-30'"),
        ("gaussian_blur=1e9", "got 'gaussian_blur=1e9'"),
        ("", "expected between 1 and 1000 features, got 0"),
        ("original " * 1001, "expected between 1 and 1000 features, got 1001"),
        (["original gaussian_blur=1"], "got 'original gaussian_blur=1'"),
        ("Custom/unkown", "got 'Custom/unkown'"),
    ],
)
def test_bad_specifications_are_refused_by_name(features, message):
    with pytest.raises(ValueError, match=message):
        parse_features(features)


@pytest.mark.parametrize("features", [3, b"original", [3], None])
def test_what_is_no_specification_is_refused(features):
    with pytest.raises(
        TypeError, match="features: expected a specification such as 'original gaussian_blur=1'"
    ):
        parse_features(features)


def test_other_filters_can_be_kept_for_opencl():
    features = parse_features("original greater_constant=-5000", allow_other_filters=True)
    assert features[1] == Feature("greater_constant", -5000.0)
    with pytest.raises(ValueError, match="got 'greater_constant=-5000'"):
        check_filters(features)


def test_a_voxel_size_in_another_unit_is_refused():
    features = parse_features("original gaussian_blur=2")
    with pytest.raises(
        ValueError, match=r"which a filter needs a sigma of 2e\+03 voxels\. Are both in the same"
    ):
        match_features(features, (0.5, 0.5), (0.0005, 0.0005))
    assert match_features(features, (0.5, 0.5), (0.001, 0.001))[1].value == 1000


@pytest.mark.parametrize(
    ("spacing", "sigmas", "windows"),
    [
        ((1, 1, 1), (2, 2, 2), (1, 1, 1)),
        ((3, 1, 1), (2 / 3, 2, 2), (1 / 3, 1, 1)),
        ((6, 1, 1), (1 / 3, 2, 2), (0, 1, 1)),
        ((12, 1, 1), (0, 2, 2), (0, 1, 1)),
    ],
)
def test_blurs_along_a_coarse_axis_shrink_until_they_have_no_effect(spacing, sigmas, windows):
    (feature,) = scale_features(parse_features("structure_largest_of_gaussian_blur=2"), spacing)
    assert feature.sigma_along(3) == pytest.approx(sigmas, abs=1e-5)
    assert feature.window_along(3) == pytest.approx(windows, abs=1e-5)


def test_a_feature_that_is_not_scaled_keeps_even_the_smallest_blur():
    (feature,) = parse_features("structure_largest_of_gaussian_blur=0.2")
    assert feature.sigma_along(2) == (0.2, 0.2)
    assert feature.window_along(2) == (0.1, 0.1)
