import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from objclass.pixels.cl_format import RefusedError, format_trees, parse_trees
from objclass.pixels.forest import MAX_DEPTH
from tests.forests import count_votes, forests

END = (999, "float max_s=s0;")


def parse(text, n_features=3, n_classes=2):
    lines = [(number, line.strip()) for number, line in enumerate(text.splitlines(), 1) if line.strip()]
    forest, end = parse_trees([*lines, END], n_features, n_classes)
    assert end == END
    return forest


def test_reading_numbers_nodes_as_they_come():
    forest = parse("""
        if(i2<-1.5e-05){
         s0+=0.25;
         s1+=0.75;
        } else {
         if(i0<44.0){
          s1+=1.0;
         } else {
          s0+=3.0;
         }
        }
        s1+=1.0;
    """)
    assert forest.feature.tolist() == [2, -1, 0, -1, -1, -1]
    assert forest.threshold.tolist() == [np.float32(-1.5e-05), 0, 44, 0, 0, 0]
    assert forest.left.tolist() == [1, -1, 3, -1, -1, -1]
    assert forest.right.tolist() == [2, -1, 4, -1, -1, -1]
    assert forest.leaf.tolist() == [[0, 0], [0.25, 0.75], [0, 0], [0, 1], [3, 0], [0, 1]]
    assert forest.roots.tolist() == [0, 5]


@given(forests())
def test_reading_what_was_written_gives_the_same_votes_and_the_same_text(forest):
    lines = list(format_trees(forest))
    back = parse("\n".join(lines), forest.n_features, forest.n_classes)
    assert back == forest
    assert list(format_trees(back)) == lines


@given(forests(max_trees=12, max_depth=0), st.integers(1, 3))
def test_trees_of_one_leaf_have_the_same_votes_together(forest, scale):
    lines = list(format_trees(forest))
    back = parse("\n".join(lines), forest.n_features, forest.n_classes)
    rows = np.zeros((1, forest.n_features))
    assert count_votes(back, rows).tolist() == count_votes(forest, rows).tolist()
    assert list(format_trees(back)) == lines


def test_trees_of_one_leaf_with_shares_are_told_apart():
    assert parse("s0+=1.0;\ns1+=1.0;\ns0+=0.4;\ns1+=0.6;\ns0+=0.3;\ns1+=0.7;\n").n_trees == 4


@given(st.floats(-1e30, 1e30) | st.floats(-1e-38, 1e-38), st.integers(-3, 3))
def test_thresholds_decide_as_the_double_in_the_text(threshold, ulps):
    forest = parse(f"if(i0<{threshold!r}){{\ns0+=1.0;\n}} else {{\ns1+=1.0;\n}}")
    with np.errstate(under="ignore"):
        value = np.float32(threshold)
        for _ in range(abs(ulps)):
            value = np.nextafter(value, np.float32(np.copysign(np.inf, ulps)))
    assert (value < forest.threshold[0]) == (float(value) < threshold)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "it contains no trees"),
        ("if(i0<1){\ns0+=1;\n} else {\ns1+=1;", "line 999 is 'float max_s=s0;', which is not part"),
        ("if(i0<1){\ns0+=1;\n}", "line 3 is '}', which is not part"),
        ("if(i0<1){\n} else {\ns0+=1;\n}", "line 2 is '} else {'"),
        ("if(i0<1){\ns0+=1;\n} else {\n}", "line 4 is '}'"),
        ("if(i0<1){\ns0+=1;\n} else {\ns1+=1;\n} else {\ns1+=1;\n}", "line 5 is '} else {'"),
        ("s0+=1;\n}", "line 2 is '}'"),
        ("s0+=1;\n} else {", "line 2"),
        ("if(i0<1){\ns0+=1;\ns0+=1;\n} else {\ns1+=1;\n}", r"line 3 is 's0\+=1;'"),
        ("if(i0<1){\ns0+=1;\nif(i0<2){\ns0+=1;\n} else {\ns1+=1;\n}\n} else {\ns1+=1;\n}", "line 3 is 'if"),
        (
            "if(i0<1){\nif(i0<2){\ns0+=1;\n} else {\ns1+=1;\n}\ns0+=1;\n} else {\ns1+=1;\n}",
            r"line 7 is 's0",
        ),
        ("if(i3<1){", r"line 1 is 'if\(i3<1\)\{'"),
        ("s2+=1;", "line 1"),
        ("s0+=0;", "line 1"),
        ("s0+=-1;", "line 1"),
        ("s0+=1e999;", "line 1"),
        ("s0+=nan;", "line 1"),
        ("if(i0<inf){", "line 1"),
        ("if(i0<1e39){", "line 1"),
        ("if(i0<1){ s0+=1; }", "line 1"),
        ("if(i0<system(1)){", "line 1"),
        ("s0+=1; printf(1);", "line 1"),
        ("s0+=s1;", "line 1"),
        ("s٠+=1;", "line 1"),
        ("while(1){", "line 1"),
        ("__asm__(1);" * 50, r"line 1 is '__asm__.{60,70}….{10}', which"),
    ],
)
def test_anything_but_trees_is_refused(text, problem):
    with pytest.raises(RefusedError, match=problem):
        parse(text)


def test_text_that_ends_among_the_trees_is_refused():
    with pytest.raises(RefusedError, match="the text ends within the trees"):
        parse_trees([(1, "s0+=1.0;")], 1, 2)


def test_deep_nesting_is_refused_where_it_becomes_too_deep():
    text = "if(i0<1.0){\n" * 100_000
    with pytest.raises(RefusedError, match=rf"line {MAX_DEPTH + 1} is 'if\(i0<1.0\){{'"):
        parse(text)


def test_too_large_forests_are_refused(monkeypatch):
    monkeypatch.setattr("objclass.pixels.cl_format.MAX_VOTES", 3)
    assert parse("s0+=1.0;", n_classes=2).n_nodes == 1
    with pytest.raises(RefusedError, match="it contains 2 nodes for 2 classes, too many"):
        parse("s0+=1.0;\ns0+=1.0;", n_classes=2)
