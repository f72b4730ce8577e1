"""How Sphinx builds the documentation: ``sphinx-build -W docs docs/_build/html``."""

import os
import shutil
from pathlib import Path

import objclass

HERE = Path(__file__).parent
project = "objclass"
author = "The objclass developers"
copyright = author
version = release = objclass.__version__

extensions = [
    "myst_nb",
    "numpydoc",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.intersphinx",
    "sphinx.ext.viewcode",
    "sphinx_gallery.gen_gallery",
]
exclude_patterns = ["_build", "gallery", "examples/*.ipynb", "**/sg_execution_times.rst"]
source_suffix = {".rst": "restructuredtext", ".md": "myst-nb", ".ipynb": "myst-nb"}
myst_enable_extensions = ["colon_fence"]
myst_heading_anchors = 3
# The site and ``sphinx-build -t notebooks`` show the notebooks with their outputs; pytest runs them too.
runs_notebooks = os.environ.get("READTHEDOCS") or tags.has("notebooks")  # noqa: F821 — Sphinx defines it
nb_execution_mode = "force" if runs_notebooks else "off"
nb_execution_raise_on_error = True
nb_execution_timeout = 600
# Widgets need a kernel: pages show their static pictures.
nb_mime_priority_overrides = [("html", "application/vnd.jupyter.widget-view+json", None)]
nb_ipywidgets_js = {}
os.environ["OBJCLASS_WARMUP"] = "0"  # nobody waits for what comes next
autosummary_generate = True
templates_path = ["_templates"]  # class pages with all documented members
autodoc_typehints = "none"  # docstrings describe types
numpydoc_show_class_members = False
numpydoc_class_members_toctree = False
# Inventories of other packages need a network.
intersphinx_mapping = {
    name: (f"https://{place}", None)
    for name, place in {
        "python": "docs.python.org/3/",
        "matplotlib": "matplotlib.org/stable/",
        "numpy": "numpy.org/doc/stable/",
        "pandas": "pandas.pydata.org/docs/",
        "skimage": "scikit-image.org/docs/stable/",
        "sklearn": "scikit-learn.org/stable/",
    }.items()
    if os.environ.get("READTHEDOCS")
}
nitpicky = True  # a reference that leads nowhere is an error
nitpick_ignore = [("py:meth", "matplotlib.path.Path.contains_points")]  # without intersphinx
sphinx_gallery_conf = {
    "examples_dirs": "gallery",
    "gallery_dirs": "examples",
    "within_subsection_order": "FileNameSortKey",
    "download_all_examples": False,
    "show_memory": False,
    "abort_on_example_error": True,
    "remove_config_comments": True,
    "capture_repr": ("_repr_html_",),  # tables, but not what Matplotlib returns
}
# Notebooks may start with a heading of a lower level.
suppress_warnings = ["myst.header"]

html_theme = "pydata_sphinx_theme"
html_title = "objclass"
html_theme_options = {
    "show_toc_level": 2,
    "icon_links": [
        {"name": "Source", "url": "https://github.com/objclass/objclass", "icon": "fa-brands fa-github"}
    ],
}
html_show_sourcelink = False


def copy_notebooks() -> None:
    """Copy the notebooks into the source folder of Sphinx."""
    target = HERE / "tutorial"
    shutil.rmtree(target, ignore_errors=True)
    ignored = shutil.ignore_patterns("results", ".ipynb_checkpoints")
    shutil.copytree(HERE.parent / "notebooks", target, ignore=ignored)


copy_notebooks()
