"""The pages as notebooks for JupyterLab, and the list that it opens on: python -m lib.book.lab [--open]

    work/pages.md                     every page: its question, what it needs, and how long it takes on this machine
    work/<paper>/<page>.ipynb         a reader's copy of papers/<paper>/pages/<page>.py
    work/glossary.md, references.md   what the pages refer to

A notebook is made from the page's script and never written back to it: change it, run it, save it, throw it away. What
JupyterLab's Markdown cannot know is written out: a term of the glossary shows its definition on hover, a citation its
authors and year, a reference to another page is a link to its notebook, and a figure has its number and caption below it.
Folded answers, formulas and references to them are left as they are; jupyterlab-myst renders those.

A notebook that a reader has changed is never overwritten; running and saving it is no change. One that nobody has changed is
made anew when its page has moved on. Where both have changed, the list says so.
"""

import argparse
import contextlib
import hashlib
import html
import json
import os
import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import jupytext
import nbformat
import yaml
from nbformat import NotebookNode

from lib.analysis.cost import Cost, cost_of, lasting
from lib.analysis.experiments import pages_of
from lib.analysis.files import REPOSITORY
from lib.batch.plan import BookPage, book_pages, read_plans
from lib.book.staging import write_if_changed
from lib.errors import InputError

WORK, SETTINGS_FOLDER = "work", ".jupyterlab"
MADE = "pruning_book_lab"  # in a notebook's metadata: from which page it was made, and what was written
VERSION = 1  # of the rewriting; raise it so that unchanged notebooks are made anew
KERNEL = {"name": "python3", "language": "python", "display_name": "Python 3"}
SETTINGS = {
    "@jupyterlab/apputils-extension:notification": {"fetchNews": "false", "checkForUpdates": False},
    "@jupyterlab/docmanager-extension:plugin": {"defaultViewers": {"markdown": "Markdown Preview"}},
}
"""Of JupyterLab, below the reader's own: no request to a network, and Markdown files are shown rather than edited."""

INTRODUCTION = """# Pages of this book

Open a page and run it from the top: *Run → Run All Cells*. It draws the tables that it finds, in ten to twenty seconds,
and trains nothing unless its parameter cell says `recompute = True`. What is then left to train on this machine at
`laptop` scale, and how long that takes, stands beside it. Pages of a paper share most of their networks: after the first
the others have less to do. Images come with `make data`.

These notebooks are yours. Change and save them as you like; nothing is written back to the book. To get a page as the
book has it, delete or rename its notebook and start `make lab` again. Words that are underlined with dots show their
meaning when you point at them; all are in the [glossary](glossary.md), the papers in the [references](references.md).
"""

_ROLE = re.compile(r"\{([a-z:]+)\}`([^`]+)`")
_NAMED = re.compile(r"(.+?)\s*<([^<>]+)>", flags=re.S)
_LABEL = re.compile(r"^\(([\w.:-]+)\)=\n+#+ (.+)$", flags=re.M)
_EQUATION = re.compile(r"\$\$ *\(([\w.:-]+)\)")


@dataclass(frozen=True)
class Place:
    """Where something is defined that pages refer to.

    Attributes:
        home: of the notebook without its suffix, such as "label_noise/dynamics"; empty for a page of the book alone.
        title: of the section or page, or a figure's caption.
        number: of a figure or an equation among those of its page.
    """

    home: str
    title: str
    number: int = 0


@dataclass(frozen=True)
class References:
    """What pages refer to: places by label, definitions by term (in lower case), citations by key, titles by page."""

    places: Mapping[str, Place]
    terms: Mapping[str, str]
    citations: Mapping[str, tuple[str, str]]
    titles: Mapping[str, str]


def home_of(page: BookPage) -> str:
    """Return where a page's notebook lies below `WORK`, without its suffix: "label_noise/dynamics"."""
    source = Path(page.source)
    return f"{source.parts[1]}/{source.stem}"


def sources(root: Path) -> dict[str, Path]:
    """Return the script of every page by the home of its notebook, in the order of the book."""
    contents = yaml.safe_load((root / "book" / "_toc.yml").read_text("utf-8"))
    order = [f"book/{chapter['file']}.ipynb" for part in contents["parts"] for chapter in part["chapters"]]
    pages = {page.target: page for page in book_pages(read_plans(root), "laptop", root=root)}
    listed = [pages[target] for target in order if target in pages]
    return {home_of(page): root / page.source for page in [*listed, *pages.values()]}


def references(root: Path, pages: Mapping[str, Path]) -> References:
    """Read what pages can refer to, from the scripts, the book's own pages, its glossary and its bibliography."""
    places, titles = {}, {}
    for home, source in pages.items():
        notebook = jupytext.read(source, fmt="py:percent")
        figures = equations = 0
        for cell in notebook.cells:
            if figure := cell.metadata.get("mystnb", {}).get("figure"):
                figures += 1
                places[figure["name"]] = Place(home, figure.get("caption", ""), figures)
            if cell.cell_type == "markdown":
                places |= {label: Place(home, title) for label, title in _LABEL.findall(cell.source)}
                for label in _EQUATION.findall(cell.source):
                    equations += 1
                    places[label] = Place(home, "", equations)
                if title := re.search(r"^# (.+)$", cell.source, flags=re.M):
                    titles.setdefault(home, title[1])
    for file in (root / "book").glob("*.md"):
        text = file.read_text("utf-8")
        places |= {label: Place("", title) for label, title in _LABEL.findall(text) if label not in places}
    return References(
        places, glossary(root / "book" / "glossary.md"), citations(root / "book" / "references.bib"), titles
    )


def glossary(file: Path) -> dict[str, str]:
    """Return the definitions of the book's glossary by term, as plain text."""
    found: dict[str, str] = {}
    for block in re.findall(
        r"```\{glossary\}\n(.*?)```", file.read_text("utf-8") if file.is_file() else "", flags=re.S
    ):
        term = ""
        for line in block.splitlines():
            if line and not line.startswith(" "):
                term = line.strip().lower()
                found[term] = ""
            elif line.strip():
                found[term] = f"{found[term]} {line.strip()}".strip()
    return {term: _plain(text) for term, text in found.items()}


def _plain(text: str) -> str:
    """Return Markdown without roles, emphasis and signs of formulas."""
    text = _ROLE.sub(lambda role: re.sub(_NAMED, r"\1", role[2]), text)
    return re.sub(r"[*`$]|\[([^\]]*)\]\([^)]*\)", lambda found: found[1] or "", text)


def citations(file: Path) -> dict[str, tuple[str, str]]:
    """Return authors and year, such as ("Jin et al.", "2022"), of every entry of a bibliography."""
    from pybtex.database import parse_file
    from pybtex.richtext import Text

    found = {}
    for key, entry in parse_file(str(file)).entries.items() if file.is_file() else ():
        names = [
            str(Text.from_latex(" ".join([*one.prelast_names, *one.last_names]))) for one in entry.persons["author"]
        ]
        who = f"{names[0]} et al." if len(names) > 2 else " and ".join(names)
        found[key] = (who, entry.fields.get("year", ""))
    return found


def written_out(text: str, home: str, known: References) -> str:
    """Return a page's Markdown with its roles written out, for a notebook at `home`."""

    def link(title: str, place: Place) -> str:
        if not place.home or place.home == home:
            return title
        return f"[{title}]({os.path.relpath(place.home, Path(home).parent)}.ipynb)"

    def role(found: re.Match) -> str:
        kind, content = found[1], found[2]
        named = _NAMED.fullmatch(content)
        said, target = (named[1], named[2]) if named else ("", content)
        if kind == "term":
            meaning = known.terms.get(" ".join(target.lower().split()), "")
            shown = said or target
            return f'<abbr title="{html.escape(meaning)}">{shown}</abbr>' if meaning else shown
        if kind.startswith("cite") and all(key.strip() in known.citations for key in target.split(",")):
            of = [known.citations[key.strip()] for key in target.split(",")]
            place = os.path.relpath("references.md", Path(home).parent)
            if kind in ("cite:t", "cite:t:p"):
                return ", ".join(f"[{who} ({year})]({place})" for who, year in of)
            return f"({'; '.join(f'[{who}, {year}]({place})' for who, year in of)})"
        place = known.places.get(target)
        if kind == "numref":
            if place and place.home == home:
                return said.replace("%s", str(place.number)) or f"Figure {place.number}"
            return link(f"the figure “{place.title.rstrip('.')}”", place) if place else said or target
        if kind == "ref":
            return link(said or place.title, place) if place else said or target
        if kind == "eq" and place and place.home != home:
            return f"equation {place.number} of {link(known.titles[place.home], place)}"
        return found[0]  # what jupyterlab-myst knows by itself

    def page_of_the_book(found: re.Match) -> str:
        """Link to the glossary; other pages of the book need Sphinx, and are only named."""
        own = {"glossary", "references"} & {found[2]}
        return f"[{found[1]}]({os.path.relpath(f'{found[2]}.md', Path(home).parent)})" if own else found[1]

    text = re.sub(r"\[([^\]]+)\]\((?:\.\./)+([\w/]+)\.md(?:#[\w-]+)?\)", page_of_the_book, text)
    # A label before a heading would be taken for text where nothing refers to it.
    return _ROLE.sub(role, re.sub(r"^\([\w.:-]+\)=\n", "", text, flags=re.M))


def notebook_of(source: Path, home: str, known: References) -> NotebookNode:
    """Return the notebook of a page: its code as it is, its text written out, figures with number and caption."""
    page, cells, figures = jupytext.read(source, fmt="py:percent"), [], 0
    for cell in page.cells:
        if cell.cell_type == "markdown":
            cell.source = written_out(cell.source, home, known)
        cells.append(cell)
        if figure := cell.metadata.get("mystnb", {}).get("figure"):
            figures += 1
            caption = written_out(figure.get("caption", ""), home, known)
            cells.append(nbformat.v4.new_markdown_cell(f"**Figure {figures}.** {caption}"))
    for number, cell in enumerate(cells):
        cell.id = f"cell-{number}"
        tags = [tag for tag in cell.metadata.get("tags", []) if tag == "parameters"]
        cell.metadata = NotebookNode({"tags": tags} if tags else {})
    page.cells, page.metadata = cells, NotebookNode(kernelspec=KERNEL)
    page.metadata[MADE] = {"version": VERSION, "page": _sha256(source.read_text("utf-8")), "written": _said(page)}
    return page


def _said(notebook: NotebookNode) -> str:
    return _sha256(json.dumps([[cell.cell_type, cell.source] for cell in notebook.cells]))


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def write_notebook(target: Path, notebook: NotebookNode) -> str:
    """Write a page's notebook unless the reader's own changes are there; return "", "changed", or "changed, and older"."""
    made = notebook.metadata[MADE]
    if target.exists():
        try:
            there = nbformat.read(target, as_version=4)
            before = there.metadata.get(MADE, {})
        except (OSError, ValueError):
            return "changed, and older"
        moved_on = (before.get("version"), before.get("page")) != (made["version"], made["page"])
        same_text = (
            before.get("written") == made["written"]
        )  # roles lead elsewhere when another page gets another title
        if before.get("written") != _said(there):
            return "changed, and older" if moved_on else "changed"
        if not moved_on and same_text:
            return ""
    write_if_changed(target, nbformat.writes(notebook) + "\n")
    return ""


def page_list(
    root: Path, pages: Mapping[str, Path], states: Mapping[str, str], titles: Mapping[str, str], store: str = ""
) -> str:
    """Return the list that JupyterLab opens on, as Markdown."""
    papers = yaml.safe_load((root / "book" / "papers.yml").read_text("utf-8"))
    questions = {one["folder"]: (one["title"], one["question"].strip()) for one in papers}
    parts = [INTRODUCTION]
    for paper in sorted(
        dict.fromkeys(home.split("/")[0] for home in pages), key=lambda one: one not in questions
    ):  # the book's own last
        title, question = questions.get(
            paper, ("This book's own pages" if paper == "costs" else "Your own network", "")
        )
        parts += [f"## {title}", "", question, "", "| page | left to train here |", "|---|---|"]
        for home in (one for one in pages if one.startswith(f"{paper}/")):
            parts.append(f"| [{titles.get(home, home)}]({home}.ipynb){states[home]} | {left(home, store)} |")
        parts.append("")
    return "\n".join(parts)


def left(home: str, store: str = "") -> str:
    """Say how much of a page is trained here, and how long the rest takes."""
    paper, name = home.split("/")
    plans, own = read_plans(REPOSITORY), pages_of(paper)
    if name not in own:
        return {"prune_your_own": "about half a minute"}.get(name, "nothing")
    said = []
    for grid in plans[paper][name].grids("laptop"):
        for benchmark in map(str, grid.get("benchmark", [])):
            with contextlib.suppress(InputError):
                said.append(f"{benchmark}: {_left(cost_of(own[name], benchmark, 'laptop', store))}")
    return "; ".join(said) or "nothing"


def _left(cost: Cost) -> str:
    if not cost.missing:
        return "nothing"
    rest = f"about {lasting(cost.seconds)}" if cost.seconds is not None else "nobody measured how long"
    there = cost.stages - cost.missing
    return f"{rest}; {there} of {cost.stages} stages are there" if there else rest


def prepare(root: Path = REPOSITORY, store: str = "") -> Path:
    """Bring everything below `WORK` up to date, and return the path of the list."""
    work = root / WORK
    pages = sources(root)
    known = references(root, pages)
    states = {
        home: write_notebook(work / f"{home}.ipynb", notebook_of(source, home, known)) for home, source in pages.items()
    }
    words = {"changed": " (changed by you)", "changed, and older": " (changed by you; the page has moved on)"}
    said = {home: words.get(state, "") for home, state in states.items()}
    terms = [f"**{term}**\n: {meaning}\n" for term, meaning in known.terms.items()]
    write_if_changed(work / "glossary.md", "\n".join(["# Glossary\n", *terms]))
    write_if_changed(work / "references.md", "# References\n\n" + bibliography(root / "book" / "references.bib"))
    write_if_changed(work / SETTINGS_FOLDER / "overrides.json", json.dumps(SETTINGS, indent=1) + "\n")
    write_if_changed(work / "pages.md", page_list(root, pages, said, known.titles, store))
    return work / "pages.md"


def bibliography(file: Path) -> str:
    """Return the entries of a bibliography as a list in Markdown."""
    from pybtex.database import parse_file
    from pybtex.richtext import Text

    if not file.is_file():
        return ""
    entries = parse_file(str(file)).entries
    told = []
    for key, (who, year) in citations(file).items():
        fields = entries[key].fields
        where = next(
            (fields[name] for name in ("booktitle", "journal", "howpublished", "publisher") if name in fields), ""
        )
        title, place = (str(Text.from_latex(text)) for text in (fields.get("title", ""), where))
        url = fields.get("url") or (f"https://doi.org/{fields['doi']}" if "doi" in fields else "")
        told.append(f"* {who} ({year}). *{f'[{title}]({url})' if url else title}*. {place}.")
    return "\n".join(sorted(told)) + "\n"


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser("python -m lib.book.lab", description="The pages as notebooks for JupyterLab.")
    parser.add_argument("--open", action="store_true", help="start JupyterLab on the list of pages")
    parser.add_argument("rest", nargs="*", help="after --, for JupyterLab")
    given = parser.parse_args(arguments)
    try:
        listed = prepare()
    except (InputError, OSError) as error:
        raise SystemExit(f"error: {error}") from None
    if not given.open:
        print(f"The pages are ready: {listed}")
        return
    root = ["--allow-root"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
    start = [
        sys.executable,
        "-m",
        "jupyterlab",
        f"--notebook-dir={REPOSITORY}",
        *root,
        *jupyterlab_settings(),
        *given.rest,
    ]
    os.execv(sys.executable, start)


def jupyterlab_settings(root: Path = REPOSITORY) -> list[str]:
    """Return the arguments with which JupyterLab opens on the list of pages."""
    return [
        f"--LabApp.default_url=/lab/tree/{WORK}/pages.md",
        f"--LabApp.app_settings_dir={root / WORK / SETTINGS_FOLDER}",
    ]


if __name__ == "__main__":
    main()
