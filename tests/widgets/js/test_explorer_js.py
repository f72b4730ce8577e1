import json
import re
import shutil
import subprocess
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from objclass.plots.colors import group_color
from objclass.tables.selection import inside_polygon
from objclass.widgets.base import bundle
from objclass.widgets.view3d.scene import plateau_map

WIDGETS = Path(__file__).resolve().parents[3] / "objclass" / "widgets" / "js"


def run_node(script: str, given: object) -> object:
    node = shutil.which("node")
    if node is None:
        pytest.skip("node is not installed")
    read = "import { readFileSync } from 'node:fs'; const given = JSON.parse(readFileSync(0, 'utf8'));"
    done = subprocess.run(
        [node, "--input-type=module", "-e", f"{read}\n{script}"],
        input=json.dumps(given),
        capture_output=True,
        text=True,
        cwd=WIDGETS,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_the_browser_s_answer_is_the_kernel_s_answer() -> None:
    """Points on a lattice with polygons through lattice points: many lie exactly on edges."""
    rng = np.random.default_rng(0)
    x, y = (axis.ravel() for axis in np.meshgrid(np.arange(-6.0, 7), np.arange(-6.0, 7)))
    polygons = [rng.integers(-6, 7, (rng.integers(3, 9), 2)).tolist() for _ in range(60)]
    polygons += [rng.uniform(-6, 6, (20, 2)).tolist() for _ in range(20)]
    found = run_node(
        """const { insidePolygon } = await import("./hits.js");
        console.log(JSON.stringify(given.polygons.map((p) => [...insidePolygon(given.x, given.y, p)])));""",
        {"x": x.tolist(), "y": y.tolist(), "polygons": polygons},
    )
    for polygon, inside in zip(polygons, found, strict=True):
        np.testing.assert_array_equal(np.array(inside, bool), inside_polygon(x, y, polygon), str(polygon))


def test_colours_are_the_same_on_both_sides() -> None:
    palette = np.random.default_rng(1).integers(0, 256, (256, 3))
    colors, plateau = run_node(
        """const { groupColor } = await import("./object_store.js");
        const { plateauMap } = await import("./volume_panel.js");
        const colors = Array.from({ length: 60 }, (_, k) => groupColor(k + 1));
        console.log(JSON.stringify([colors, [...plateauMap(given)]]));""",
        palette.tolist(),
    )
    assert colors == [group_color(group) for group in range(1, 61)]
    np.testing.assert_allclose(np.reshape(plateau, (-1, 4)), plateau_map(palette), atol=1e-6)


def test_the_bundle_has_every_name_once() -> None:
    names = re.findall(
        r"^(?:export )?(?:async )?(?:function|class|const|let) (\w+)", bundle("explorer"), re.MULTILINE
    )
    assert [name for name, count in Counter(names).items() if count > 1] == []
    assert "ScatterView" in names
    assert re.search(r"^import\b", bundle("explorer"), re.MULTILINE) is None
