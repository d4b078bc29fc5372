"""Configuration of the documentation site: `make docs` builds it.

Sphinx, since docstrings are numpydoc and sphinx-gallery runs the examples and keeps their figures.
Equations become MathML, so pages need neither a network nor a script of somebody else's host.
"""

import os
import sys
from pathlib import Path

import minsyn

DOCS = Path(__file__).parent
sys.path.insert(0, str(DOCS / "_extensions"))

project = "minsyn"
author = "The minsyn developers"
copyright = f"2026, {author}"  # noqa: A001
version = release = minsyn.__version__

extensions = [
    "myst_parser",
    "numpydoc",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx_copybutton",
    "sphinx_design",
    "sphinx_gallery.gen_gallery",
    "docstrings",
    "mathml",
    "measure_pictures",
    "offline",
    "public_names",
    "repository_links",
    "tree_of_imports",
]
source_suffix = {".md": "markdown", ".rst": "restructuredtext"}
exclude_patterns = ["gallery/**/*.ipynb", "gallery/**/*.py", "gallery/**/*.zip", "_build"]
templates_path = ["_templates"]
nitpicky = False
suppress_warnings = ["config.cache"]

# Docstrings: `name` links where there is such a name, and is set in italics where there is none.
default_role = "autolink"
autosummary_generate = True
autodoc_typehints = "none"  # types and shapes stand in the sections of the docstring
autodoc_member_order = "groupwise"
numpydoc_show_class_members = False
numpydoc_class_members_toctree = False

myst_enable_extensions = ["dollarmath", "amsmath", "colon_fence", "deflist", "attrs_inline"]
myst_heading_anchors = 4
myst_dmath_double_inline = True

sphinx_gallery_conf = {
    "examples_dirs": "../examples",
    "gallery_dirs": "gallery",
    "filename_pattern": r".*",
    "ignore_pattern": r"__init__\.py",
    "within_subsection_order": "FileNameSortKey",
    "download_all_examples": False,
    "show_signature": False,
    "remove_config_comments": True,
    "write_computation_times": False,  # its page loads scripts from other hosts
    "abort_on_example_error": True,
    "default_thumb_file": str(DOCS / "figures" / "factors.png"),
    "image_scrapers": ("figures_returned.scrape", "matplotlib"),
    "reset_modules": ("matplotlib",),
}

html_theme = "pydata_sphinx_theme"
html_title = f"minsyn {version}"
html_static_path = ["_static"]
html_css_files = ["minsyn.css"]
html_copy_source = False
html_show_sourcelink = False
html_theme_options = {
    "logo": {"text": "minsyn"},
    "navbar_align": "left",
    "navbar_end": ["theme-switcher"],
    "navigation_with_keys": False,
    "show_toc_level": 2,
    "secondary_sidebar_items": ["page-toc"],
    "footer_start": ["copyright"],
    "footer_center": ["site-version"],
    "footer_end": [],
    "header_links_before_dropdown": 7,
}
# A site that keeps several versions names them in a file beside them: docs/project/releasing.md.
if versions := os.environ.get("MINSYN_DOCS_VERSIONS"):
    html_theme_options["switcher"] = {"json_url": versions, "version_match": version}
    html_theme_options["navbar_end"].insert(0, "version-switcher")
    html_theme_options["check_switcher"] = False  # the list may be published after this build
