"""The same book under plain Sphinx, without Jupyter Book: python -m lib.book.build --sphinx.

Jupyter Book 1 reads `_config.yml` and not this file, which takes from there what both need.
"""

from pathlib import Path

import yaml

_book = yaml.safe_load((Path(__file__).parent / "_config.yml").read_text("utf-8"))

project, author, copyright = _book["title"], _book["author"], f"{_book['copyright']}, {_book['author']}"
extensions = [
    "myst_nb",
    "sphinx_external_toc",
    "sphinx_design",
    "sphinx_copybutton",
    "sphinx_togglebutton",
    "sphinxcontrib.bibtex",
    *_book["sphinx"]["extra_extensions"],
]
external_toc_path, external_toc_exclude_missing = "_toc.yml", True
exclude_patterns = _book["exclude_patterns"]
bibtex_bibfiles = _book["bibtex_bibfiles"]
myst_enable_extensions = _book["parse"]["myst_enable_extensions"]
nb_execution_mode = _book["execute"]["execute_notebooks"]
globals().update(_book["sphinx"]["config"])

html_theme, html_title = "sphinx_book_theme", project
html_static_path, html_css_files, html_js_files = ["_static"], ["book.css"], ["reading.js"]
html_theme_options = {"show_toc_level": 2}
