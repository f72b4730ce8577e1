"""What a public function looks like, which names stay private, how light the import is.

The order of the folders is a contract of import-linter in pyproject.toml.
"""

import ast
import inspect
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from numpydoc.validate import validate

import objclass

REPOSITORY = Path(__file__).resolve().parents[1]
PACKAGE = REPOSITORY / "objclass"

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
# Of numpydoc's validation: parameters and results that are undocumented, unknown or without a description;
# no summary, or one that does not begin with a capital letter.
VALIDATED = {"PR01", "PR02", "PR07", "RT01", "RT03", "GL08", "SS01", "SS02"}
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


def folder_of(module: str) -> str:
    return ".".join(module.split(".")[:3] if module.startswith("objclass.widgets") else module.split(".")[:2])


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


def test_private_names_stay_in_their_folder():
    crossing = []
    for path in PACKAGE.rglob("*.py"):
        own = ".".join(("objclass", *path.relative_to(PACKAGE).parts[:-1]))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("objclass."):
                private = [alias.name for alias in node.names if alias.name.startswith("_")]
                if folder_of(node.module) != folder_of(own) and private not in ([], ["_common"]):
                    crossing.append(f"{path.relative_to(PACKAGE)} imports {private} from {node.module}")
    assert not crossing


def test_private_attributes_are_used_in_the_module_of_their_class():
    trees = {path: ast.parse(path.read_text(encoding="utf-8")) for path in PACKAGE.rglob("*.py")}
    own, used = {}, {}
    for path, tree in trees.items():
        inside = [
            node for each in ast.walk(tree) if isinstance(each, ast.ClassDef) for node in ast.walk(each)
        ]
        private = [
            node
            for node in ast.walk(tree)
            if isinstance(node, ast.Attribute) and re.match(r"_[^_]", node.attr)
        ]
        through_self = [node for node in private if ast.unparse(node.value) in ("self", "cls", "super()")]
        used[path] = {node.attr for node in private if node not in through_self}
        own[path] = {node.name for node in inside if isinstance(node, ast.FunctionDef)}
        own[path] |= {node.attr for node in through_self if isinstance(node.ctx, ast.Store)}
    ours = set().union(*own.values())
    reaching = {str(path.relative_to(PACKAGE)): used[path] & ours - own[path] for path in trees}
    assert not {path: names for path, names in reaching.items() if names}


def test_every_public_name_can_be_had():
    assert sorted(set(objclass.__all__)) == sorted(objclass.__all__)
    assert public_functions()


@pytest.mark.parametrize("name", [name for name in public_functions() if not name.endswith("Error")])
def test_signature(name):
    parameters = inspect.signature(public_functions()[name]).parameters.values()
    positional = [p.name for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    if not inspect.isclass(public_functions()[name]):
        assert len(positional) <= 3, f"{name} has {len(positional)} positional parameters"
    for parameter in parameters:
        for concept, others in CONCEPTS.items():
            assert parameter.name not in others, f"{name}: {parameter.name} is called {concept}"


# numpydoc reads each attribute of a class, also those that ipywidgets deprecates.
@pytest.mark.filterwarnings(r"ignore:Widget\.\w+ is deprecated:DeprecationWarning")
@pytest.mark.parametrize("name", public_functions())
def test_docstring_is_complete(name):
    thing = public_functions()[name]
    text = inspect.getdoc(thing) or ""
    assert re.search(r"^Examples\n-+$", text, re.M), f"{name} has no Examples"
    assert ">>> " in text, f"{name} has no example that runs"
    found = dict(validate(f"{thing.__module__}.{thing.__qualname__}")["errors"])
    wanted = VALIDATED - {"PR01"} if inspect.isclass(thing) else VALIDATED  # those describe their Attributes
    assert not {code: problem for code, problem in found.items() if code in wanted}


def run(code: str) -> str:
    # Outside CI, which installs known versions, packages may announce changes of others, as in conftest.py.
    mild = [] if os.environ.get("CI") else ["-W", "default::DeprecationWarning"]
    command = [sys.executable, "-W", "error", *mild, "-c", code]
    return subprocess.run(command, check=True, capture_output=True, text=True, cwd=REPOSITORY).stdout.strip()


def test_import_is_light():
    def seconds(code: str) -> float:
        times = []
        for _ in range(5):
            start = os.times()
            run(code)
            end = os.times()
            times.append(
                end.children_user + end.children_system - start.children_user - start.children_system
            )
        return min(times)

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
