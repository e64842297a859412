"""Sphinx extension: pages whose charts, formulas and tables need no network and no server.

A chart in a notebook is data: a Vega-Lite specification under one media type (`lib.charts.theme`). On a page
it becomes a `<figure>` with two things in it: the drawing made while the book is built, for readers without
scripts, and the specification, which one local script draws over it so that menus and the mouse work. The
script comes out of vl-convert, so its Vega-Lite is the one that Altair wrote for. Formulas are set by a
single-file MathJax.
"""

import hashlib
import html
import importlib.metadata
import json
import shutil
from importlib.resources import files
from pathlib import Path
from typing import Any

import vl_convert
from docutils import nodes
from sphinx.application import Sphinx

from lib.charts.theme import MIME, VEGALITE_VERSION

ASSETS = files("lib.book") / "assets"
CHART_SCRIPT, TABLE_SCRIPT, FORMULA_SCRIPT = "charts-of-this-book.js", "tables-of-this-book.js", "tex-svg.js"
CHART_CLASS, TABLE_CLASS = "book-chart", "filterable"


class VegaLite:
    """Renderer of chart outputs; `pyproject.toml` names it as an entry point of `myst_nb.mime_renderers`."""

    mime_priority_overrides = [("html", MIME, 5), ("dirhtml", MIME, 5)]

    @staticmethod
    def handle_mime(renderer: Any, data: Any, inline: bool) -> list[nodes.Element] | None:
        """Turn one chart output into a figure, or return None for every other kind of output."""
        if inline or data.mime_type != MIME:
            return None
        return [nodes.raw("", figure(data.content), format="html")]


def figure(specification: dict[str, Any]) -> str:
    """Return a `<figure>` of one chart, a Vega-Lite specification with its data inside; its label is the description."""
    label = html.escape(specification.get("description", "Chart"), quote=True)
    drawing = vl_convert.vegalite_to_svg(specification, vl_version=VEGALITE_VERSION)
    # A closing tag inside a string of the data would end the script element.
    data = json.dumps(specification).replace("</", "<\\/")
    return (
        f'<figure class="{CHART_CLASS}" aria-label="{label}">'
        f'<div class="controls"></div><div class="drawing" role="img" aria-label="{label}">{drawing}</div>'
        f'<script type="application/json">{data}</script></figure>'
    )


def _write_scripts(app: Sphinx) -> None:
    if app.builder.format != "html":
        return
    static = Path(app.outdir) / "_static"
    static.mkdir(parents=True, exist_ok=True)
    code = (ASSETS / "charts.js").read_text("utf-8")
    versions = f"{VEGALITE_VERSION} {importlib.metadata.version('vl-convert-python')}"
    stamp = f"// made from {hashlib.sha256(f'{code}{versions}'.encode()).hexdigest()[:16]}\n"
    target = static / CHART_SCRIPT
    if not (target.exists() and target.open(encoding="utf-8").readline() == stamp):  # it takes about a second
        # Vega, Vega-Lite and our script in one. Browsers refuse to load an ES module, which vl-convert writes,
        # from a file; a function around it makes it a plain script.
        bundle = vl_convert.javascript_bundle(code, vl_version=VEGALITE_VERSION)
        target.write_text(f"{stamp}(function () {{\n{bundle}\n}})();\n", encoding="utf-8")
    (static / TABLE_SCRIPT).write_bytes((ASSETS / "tables.js").read_bytes())
    # Only this file of the package: its own Sphinx extension would copy all 24 MB of MathJax.
    packaged = importlib.metadata.files("sphinx-mathjax-offline") or []
    formulas = next(file for file in packaged if file.name == FORMULA_SCRIPT)
    shutil.copyfile(str(formulas.locate()), static / FORMULA_SCRIPT)


def _add_scripts(app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: nodes.document) -> None:
    """Load a script only where the page has something for it."""
    for kind, script in ((CHART_CLASS, CHART_SCRIPT), (TABLE_CLASS, TABLE_SCRIPT)):
        if f'class="{kind}' in context.get("body", ""):
            app.add_js_file(script, loading_method="defer")


def _leave_out_launching(
    app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: nodes.document
) -> None:
    """Leave out the scripts by which Jupyter Book 1 would run cells on a server of others, which this book never does.

    It puts one of them in twice, of which browsers complain, and an address of the network with it.
    """

    def of_thebe(script: Any) -> bool:
        body = getattr(script, "attributes", {}).get("body") or ""
        return "thebe" in f"{getattr(script, 'filename', script)} {body}".lower()

    context["script_files"] = [one for one in context.get("script_files", []) if not of_thebe(one)]


def setup(app: Sphinx) -> dict[str, bool]:
    """Connect the extension; Sphinx calls this."""
    app.connect("config-inited", lambda app, config: setattr(config, "mathjax_path", FORMULA_SCRIPT))
    app.connect("builder-inited", _write_scripts)
    app.connect("html-page-context", _add_scripts)
    app.connect("html-page-context", _leave_out_launching, priority=900)  # after those who put them in
    return {"parallel_read_safe": True, "parallel_write_safe": True}
