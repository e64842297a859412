"""Sphinx extension: a link to the glossary shows the definition where it stands, without a network.

All definitions are written into one script, `_static/definitions.js`, which a page loads where it has such a link: a page
that is opened from disk may load a script, but no other page. `book/_static/reading.js` shows them.
"""

import json
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx

GLOSSARY = "glossary"
SCRIPT = "definitions.js"
LINK = f"{GLOSSARY}.html#term-"


def definitions(app: Sphinx) -> dict[str, dict[str, str]]:
    """Return what the book's glossary says: id of a term → its name and its definition as HTML, without links."""
    if GLOSSARY not in app.env.found_docs:
        return {}
    found = {}
    for item in app.env.get_and_resolve_doctree(GLOSSARY, app.builder).findall(nodes.definition_list_item):
        meaning = next(item.findall(nodes.definition)).deepcopy()
        for part in meaning.findall(nodes.Element):
            part["ids"] = []  # they are on the page of the glossary already
        for link in list(meaning.findall(nodes.reference)):
            link.replace_self(nodes.inline("", "", *(child.deepcopy() for child in link.children)))
        said = "".join(app.builder.render_partial(part)["fragment"] for part in meaning.children)  # pyright: ignore
        for term in item.findall(nodes.term):
            found |= {name: {"term": term.astext(), "definition": said} for name in term["ids"]}
    return found


def _write(app: Sphinx, error: Exception | None) -> None:
    if error is None and app.builder.format == "html":
        text = json.dumps(definitions(app), ensure_ascii=False, sort_keys=True)
        (Path(app.outdir) / "_static" / SCRIPT).write_text(f"window.definitions = {text};\n", encoding="utf-8")


def _load(app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: nodes.document) -> None:
    """Load the script only where the page has a link to a term; on its own page a definition is in view anyway."""
    if page != GLOSSARY and LINK in context.get("body", ""):
        app.add_js_file(SCRIPT, loading_method="defer")


def setup(app: Sphinx) -> dict[str, bool]:
    """Connect the extension; Sphinx calls this."""
    app.connect("html-page-context", _load)
    app.connect("build-finished", _write)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
