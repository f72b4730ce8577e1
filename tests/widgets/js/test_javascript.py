"""The browser's side, as far as it can be tested without one: with Node's own test runner."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from objclass.plots import colors
from objclass.widgets.base import bundle
from objclass.widgets.planes import encode_runs

HERE = Path(__file__).parent
SCRIPTS = HERE.parents[2] / "objclass" / "widgets" / "js"


@pytest.fixture(scope="module")
def node() -> str:
    found = shutil.which("node")
    if found is None:
        reason = "node is not installed"
        pytest.fail(reason) if os.environ.get("CI") else pytest.skip(reason)
    return found


def run(node: str, code: str) -> object:
    """The value that an expression of a module has, which may import from the widgets' folder."""
    script = code.replace("WIDGETS", SCRIPTS.as_uri())
    command = [node, "--input-type=module", "-e", script]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


@pytest.mark.parametrize("path", sorted(HERE.glob("*.test.mjs")), ids=lambda path: path.name)
def test_of_node(node, path):
    result = subprocess.run([node, "--test", str(path)], capture_output=True, text=True, timeout=120)
    assert result.returncode == 0, result.stdout + result.stderr
    assert "# tests 0" not in result.stdout


@pytest.mark.parametrize("stem", ["annotator", "explorer", "viewer"])
def test_bundle_is_one_module_without_imports(node, stem, tmp_path):
    text = bundle(stem)
    assert "import " not in [line[:7] for line in text.splitlines()]
    path = tmp_path / "bundle.mjs"
    path.write_text(text, encoding="utf-8")
    code = f"import * as all from '{path.as_uri()}'; console.log(JSON.stringify(typeof all.default.render))"
    assert run(node, code) == "function"


def test_python_and_javascript_have_the_same_colors(node):
    known = {
        "CLASS_COLORS": colors.CLASS_COLORS,
        "GROUP_COLORS": colors.GROUP_COLORS,
        "UNSELECTED": colors.UNSELECTED,
    }
    code = f"""
        import * as colors from "WIDGETS/colors.js";
        const labels = Array.from({{length: 300}}, (_, label) => colors.labelColor(label));
        console.log(JSON.stringify([{", ".join(f"colors.{name}" for name in known)}, labels]));
    """
    *constants, labels = run(node, code)
    assert constants == [value if isinstance(value, str) else list(value) for value in known.values()]
    assert labels[1:] == colors.label_rgb(np.arange(1, 300)).tolist()


def test_python_and_javascript_have_the_same_runs(node):
    values = np.random.default_rng(0).integers(0, 3, 500)
    code = f"""
        import {{ encodeRuns }} from "WIDGETS/pixels.js";
        console.log(JSON.stringify([...encodeRuns({values.tolist()})]));
    """
    assert run(node, code) == encode_runs(values).tolist()


def test_neighbouring_labels_differ_in_color():
    table = colors.label_rgb(np.arange(1, 501)).astype(float)
    for step in (1, 2, 3):
        assert np.linalg.norm(table[step:] - table[:-step], axis=1).min() > 60
    assert table.max(axis=1).min() > 100, "an object must be seen on a dark image"
