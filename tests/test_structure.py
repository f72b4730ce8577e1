"""How the house is built: who may import whom, what a public function looks like, how light the door is."""

import ast
import inspect
import re
import statistics
import subprocess
import sys
import time
from pathlib import Path

import pytest

import objclass

REPOSITORY = Path(__file__).resolve().parents[1]
PACKAGE = REPOSITORY / "objclass"

# A module imports from those above it. Each one of a folder (kernels, widgets) may import its neighbours.
ROOMS = {
    "checks and threads": "_check _code_cache _parallel _files _numbering",
    "loops over voxels": "kernels",
    "the way of the data": (
        "_imagefiles io _phantom samples "
        "features forest treetext clfile _clheader "
        "planning trees engine sampling training classifier opencl prediction uncertainty "
        "splitting segmentation measurement "
        "evaluation _table _estimators _umap_cache reduction clustering selection _coloring figures facets"
    ),
    "blocks and clusters": "_runs _blocks _joining _parts _steps _pyramid chunked",
    "whole runs": (
        "compilation record results stages pipeline demo repetition _locking _items _sheets _worklist batch"
    ),
    "pixels on a screen": "widgets",
    "the command line": "_experiment_commands cli __main__",
}
ORDER = " ".join(ROOMS.values()).split()
MODULES = sorted(path for path in PACKAGE.rglob("*.py") if path != PACKAGE / "__init__.py")

# Of each concept the one name, and the names that would be a second one.
CONCEPTS = {
    "image": {"img", "intensity_image", "stack", "volume", "data"},
    "labels": {"label_image", "labels_image", "label_img", "segmentation", "objects_image"},
    "annotations": {"annotation", "ground_truth", "strokes", "scribbles"},
    "table": {"df", "dataframe", "data_frame", "measurements"},
    "spacing": {"voxel_size", "pixel_size", "resolution", "scale_zyx"},
    "columns": {"column_names", "cols", "features_used"},
    "random_state": {"seed", "rng", "random_seed"},
    "min_size": {"minimum_size", "size_threshold"},
    "n_clusters": {"n_components_clusters", "num_clusters", "k"},
    "progress": {"verbose", "show_progress", "callback"},
    "engine": {"backend", "device"},
}
LIGHT = (
    "sklearn",
    "umap",
    "numba",
    "pyopencl",
    "IPython",
    "matplotlib",
    "pandas",
    "skimage",
    "scipy.ndimage",
)
NOT_NEEDED = (
    "pyopencl",
    "pyclesperanto",
    "pyclesperanto_prototype",
    "apoc",
    "IPython",
    "ipywidgets",
    "anywidget",
)


def module_name(path: Path) -> str:
    return ".".join(path.relative_to(PACKAGE).with_suffix("").parts).removesuffix(".__init__")


def imported_from_objclass(path: Path) -> set[str]:
    """The modules of objclass that a file imports, at its top or in its functions, other than for types."""
    known = {module_name(other) for other in MODULES}
    package = ["objclass", *path.relative_to(PACKAGE).parts[:-1]]
    found = set()
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in tree.body:
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            node.body = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            wanted = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            source = ".".join([*base, *filter(None, [node.module])])
            wanted = [source, *(f"{source}.{alias.name}" for alias in node.names)]
        else:
            continue
        found |= {name.removeprefix("objclass.") for name in wanted if name.startswith("objclass.")} & known
    return found


def public_functions() -> dict[str, object]:
    """The functions of the public list, and those of its modules, by dotted name."""
    functions = {}
    for name in objclass.__all__:
        thing = getattr(objclass, name)
        if inspect.ismodule(thing):
            for inner, member in vars(thing).items():
                if not inner.startswith("_") and getattr(member, "__module__", "") == thing.__name__:
                    functions[f"{name}.{inner}"] = member
        else:
            functions[name] = thing
    return functions


@pytest.mark.parametrize("path", MODULES, ids=module_name)
def test_module_has_its_room_and_imports_from_earlier_ones_only(path):
    own = module_name(path).split(".")[0]
    assert own in ORDER, f"{own} has no room: give it one in ROOMS, and in CONTRIBUTING.md"
    allowed = ORDER[: ORDER.index(own) + (own in ("kernels", "widgets"))]
    upward = sorted(name for name in imported_from_objclass(path) if name.split(".")[0] not in allowed)
    assert not upward, f"{own} imports from {upward}, which come later"


def test_import_check_sees_every_form_of_import(tmp_path, monkeypatch):
    path = PACKAGE / "kernels" / "imagined.py"
    text = "def f():\n    from .. import io\n    from ..widgets import annotator\n    import objclass.cli\n"
    monkeypatch.setattr(Path, "read_text", lambda self, **_: text)
    monkeypatch.setattr(
        sys.modules[__name__],
        "MODULES",
        [PACKAGE / f"{name}.py" for name in ("io", "cli", "widgets/annotator")],
    )
    assert imported_from_objclass(path) == {"io", "cli", "widgets.annotator"}


@pytest.mark.parametrize("path", MODULES, ids=module_name)
def test_module_and_functions_are_short(path):
    text = path.read_text(encoding="utf-8")
    assert text.count("\n") <= 300, f"{path.name} has more than 300 lines"
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef) and path.parts[-2] != "kernels":
            body = node.body[1:] if ast.get_docstring(node) and len(node.body) > 1 else node.body
            length = (body[-1].end_lineno or 0) - body[0].lineno + 1
            assert length <= 40, f"{path.name}: the body of {node.name} has {length} lines"


def test_every_public_name_can_be_had():
    assert sorted(set(objclass.__all__)) == sorted(objclass.__all__)
    assert public_functions()


@pytest.mark.parametrize("name", public_functions())
def test_signature(name):
    parameters = inspect.signature(public_functions()[name]).parameters.values()
    positional = [p.name for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    if not inspect.isclass(public_functions()[name]):
        assert len(positional) <= 3, f"{name} has {len(positional)} positional parameters"
    for parameter in parameters:
        for concept, others in CONCEPTS.items():
            assert parameter.name not in others, f"{name}: {parameter.name} is called {concept}"


@pytest.mark.parametrize("name", public_functions())
def test_docstring(name):
    thing = public_functions()[name]
    text = inspect.getdoc(thing) or ""
    assert re.search(r"^Examples\n-+$", text, re.M), f"{name} has no Examples"
    assert ">>> " in text, f"{name} has no example that runs"
    if not inspect.isclass(thing):
        sections = re.split(r"^(\w[\w ]*)\n-+$", text, flags=re.M)
        described = sections[sections.index("Parameters") + 1] if "Parameters" in sections else ""
        for parameter in inspect.signature(thing).parameters:
            assert re.search(rf"^\W*(.*\W)?{parameter}\b.*$", described, re.M), (
                f"{name}: {parameter} is not described"
            )


def run(code: str) -> str:
    command = [sys.executable, "-W", "error", "-c", code]
    return subprocess.run(command, check=True, capture_output=True, text=True, cwd=REPOSITORY).stdout.strip()


def test_import_is_light():
    def seconds(code: str) -> float:
        times = []
        for _ in range(5):
            start = time.perf_counter()
            run(code)
            times.append(time.perf_counter() - start)
        return statistics.median(times)

    assert run(f"import sys, objclass; print([m for m in {LIGHT} if m in sys.modules])") == "[]"
    assert seconds("import objclass") - seconds("pass") < 0.3


def test_computing_needs_no_opencl_browser_or_notebook_package():
    output = run(f"""
import sys
for name in {NOT_NEEDED}:
    sys.modules[name] = None  # importing it raises
import numpy as np, objclass
image = np.zeros((8, 32, 32), np.uint16)
image[2:6, 4:12, 4:12] = image[2:6, 4:12, 20:28] = 500
image[2:6, 20:28, 4:12] = image[2:6, 20:26, 20:30] = 700
annotations = np.where(image > 0, 2, 1)
classifier = objclass.train_object_classifier(image, annotations, n_estimators=5)
labels = objclass.segment(image, classifier, progress=False)
labels = objclass.exclude_small(objclass.split_touching(labels), 20)
table = objclass.measure(labels, image)
table = objclass.cluster(objclass.reduce(table, "pca"), n_clusters=2)
objclass.overview(image, labels, table)
print(len(table) >= 4, set(table.columns) >= {{"label", "PC_0", "KMEANS_CLUSTER_ID"}})
""")
    assert output == "True True"
