"""The parts of the book that follow from files: the scoreboard and the list of runs; `lib.book.front` has the front page.

Each function returns MyST text that a page of the book includes; `lib.book.build` writes it into
`book/generated/`.
"""

import html
import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from lib.analysis.findings import ANSWERS, DECIDED
from lib.analysis.part import file_name
from lib.analysis.scoreboard import Summary, Verdict, read_verdicts, summary
from lib.batch.state import record_of
from lib.book.wording import counted, duration, ranges, raw, words
from lib.charts import wide_table
from lib.charts.tables import Cell
from lib.errors import InputError
from lib.scales import SCALES

MENUS = ("paper", "benchmark", "scale", "state", "kept")  # columns of the list of runs by which a reader filters
UNFINISHED = {"partial": "running or stopped", "failed": "failed"}  # by the second suffix of a run's notebook
LINES = 4  # of a reason before the rest folds
NONE_EXECUTED = (
    "No page was run by `make book` where this HTML was built. (`make html` runs pages, but only to draw tables.)"
)
DECIDED_CASES = re.compile(r"; \d+ of \d+ cases? (?:is|are) decided")  # stands below the reason


def claims_of(book: Path) -> list[Summary]:
    """Return what `book/claims.csv` says of each claim of the papers; nothing where there is no such file."""
    table = book / "claims.csv"
    return summary(read_verdicts(table)) if table.is_file() else []


def papers_of(book: Path) -> list[dict[str, str]]:
    """Read `book/papers.yml`.

    Raises:
        InputError: a paper lacks one of its fields.
    """
    papers = yaml.safe_load((book / "papers.yml").read_text("utf-8"))
    for paper in papers:
        if missing := {"folder", "title", "short", "venue", "question", "cite"} - set(paper):
            name = paper.get("folder", "a paper")
            raise InputError(f"book/papers.yml: {name} has no {', '.join(sorted(missing))}")
    return papers


def title_of(staged: Path, name: str) -> str:
    """Return the title of a staged page, its first heading; the words of its name where there is none."""
    cells = json.loads(staged.read_text("utf-8"))["cells"] if staged.is_file() else []
    prose = ("".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown")
    headings = (re.search(r"^# (.+)$", text, flags=re.M) for text in prose)
    return next((found[1] for found in headings if found), words(name.rpartition("/")[2]).capitalize())


def counted_by(one: Summary) -> dict[str, str]:
    """Return by what a claim is counted, and filtered in the scoreboard."""
    state = "decided" if one.verdict in DECIDED else "open"
    return {"verdict": one.verdict, "scale": one.scale, "state": state}


def scoreboard(book: Path, pages: Sequence[str] = ()) -> str:
    """Return the claims of the papers: a row each, with verdict, reason, and what was found elsewhere.

    Claims of papers that have a page come first, what was decided before what is open; the other papers' are folded.

    Args:
        book: the book's folder, with `papers.yml` and `claims.csv`.
        pages: of the book, such as "training_regularization/size_reduction"; a claim leads to its page.
    """
    claims = claims_of(book)
    titles = {name: title_of(book / "papers" / f"{name}.ipynb", name) for name in pages}
    if not claims:
        return "No claim has been tested yet: `make book` runs the tests and writes `book/claims.csv`.\n"
    short = {paper["folder"]: paper["short"] for paper in papers_of(book)}
    order = [*short, *dict.fromkeys(one.statement.paper for one in claims if one.statement.paper not in short)]
    tested = [name for name in order if any(one.rows[0].page for one in claims if one.statement.paper == name)]
    ranked = sorted(claims, key=lambda one: (order.index(one.statement.paper), _rank(one)))
    shown = [one for one in ranked if one.statement.paper in tested]
    rest = [one for one in ranked if one.statement.paper not in tested]
    counts = Counter(one.verdict for one in shown)
    total = " · ".join(f"**{counts[answer]}** {answer}" for answer in ANSWERS if counts[answer])
    which = counted(len(tested), "paper")
    parts = [f"{counted(len(shown), 'claim')} of {which}: {total}.", "", raw(_score_table(shown, short, titles))]
    if rest:
        papers = " and ".join(short.get(name, words(name)) for name in order if name not in tested)
        title = f"Planned: {counted(len(rest), 'claim')} of {papers}"
        parts += ["", f":::{{dropdown}} {title}", raw(_score_table(rest, short, titles)), ":::"]
    return "\n".join([*parts, ""])


def _rank(one: Summary) -> int:
    """Decided claims first, larger scales before smaller ones; then undecided ones; then those that were not run."""
    return -SCALES.index(one.scale) if one.scale else ANSWERS.index(one.verdict)


def _score_table(claims: Sequence[Summary], short: Mapping[str, str], pages: Mapping[str, str]) -> str:
    rows = "\n".join(_score_row(one, short.get(one.statement.paper, one.statement.paper), pages) for one in claims)
    menus = "".join(f"<th hidden data-menu>{name}</th>" for name in ("paper", "verdict", "scale", "state"))
    return (
        '<table class="filterable table scoreboard"><thead><tr><th scope="col">claim</th><th scope="col">verdict</th>'
        f'<th scope="col">reason</th>{menus}</tr></thead>\n<tbody>\n{rows}\n</tbody></table>'
    )


def _score_row(one: Summary, paper: str, pages: Mapping[str, str]) -> str:
    statement, row = one.statement, one.rows[0]
    page = f"{statement.paper}/{row.page}"
    link = f'<a href="papers/{page}.html">{html.escape(pages[page])}</a>' if page in pages else ""
    scale = f'<span class="at-scale">at {one.scale} scale</span>' if one.scale else ""
    where = [_joined(one, name) for name in ("benchmark", "cases", "seeds", "device", "date")]
    cases = f"{where[1]} case{'s' * (not where[1].endswith(' of 1'))}" if where[1] else ""
    seeds = f"seeds {ranges(where[2])}" if where[2] else ""
    facts = " · ".join(html.escape(fact) for fact in (where[0], cases, seeds, *where[3:]) if fact)
    hidden = "".join(f"<td hidden>{html.escape(text)}</td>" for text in (paper, *counted_by(one).values()))
    return (
        f'<tr id="{statement.id}"><td class="claim"><b>{statement.id}</b> {html.escape(statement.statement)} {link}</td>'
        f'<td class="answer"><span class="verdict verdict-{one.verdict.replace(" ", "-")}">{one.verdict}</span> {scale}</td>'
        f'<td class="reason">{_reason(one.reason)}<p class="facts">{facts}</p>{_elsewhere(one.others)}</td>{hidden}</tr>'
    )


def _joined(one: Summary, name: str) -> str:
    return "; ".join(dict.fromkeys(filter(None, (str(getattr(row, name)) for row in one.rows))))


def _reason(reason: str) -> str:
    """Return a reason as HTML, a long one as a list of what it enumerates, folded after a few lines."""
    parts = [html.escape(part) for part in DECIDED_CASES.sub("", reason).split("; ")]
    if len(parts) <= LINES + 1:
        return f"<p>{'; '.join(parts)}</p>"
    lines = [f"<li>{part}</li>" for part in parts]
    return (
        f"<ul>{''.join(lines[:LINES])}</ul><details><summary>{len(parts) - LINES} more</summary>"
        f"<ul>{''.join(lines[LINES:])}</ul></details>"
    )


def _elsewhere(others: Sequence[Verdict]) -> str:
    """Return the verdicts that do not decide, folded: "mnist-lenet, laptop: undecided (1 of 3)"."""
    if not others:
        return ""
    lines = [
        f"<li>{html.escape(', '.join(filter(None, [other.benchmark, other.scale])))}: {other.verdict}"
        + (f" ({html.escape(other.cases)})" if other.cases else "")
        + "</li>"
        for other in others
    ]
    counts = Counter(other.verdict for other in others)
    said = ", ".join(f"{counts[answer]} {answer}" for answer in ANSWERS if counts[answer])
    return f"<details><summary>Elsewhere: {said}</summary><ul>{''.join(lines)}</ul></details>"


def runs(papers: Path, folder: Path) -> str:
    """Return the tables of measured parts and of executed pages, without the tests' smoke scale.

    Args:
        papers: the folder of the papers, whose `results/` hold the committed tables.
        folder: the folder of this machine's runs.
    """
    found = sorted([*papers.glob("*/results/*/*.json"), *folder.glob("tables/*/*/*.json")])
    found = [path for path in found if not path.name.endswith(".detail.json")]
    measured = [row for path in found if (row := _measured_row(path, papers))]
    parts = ["## Measured tables", ""]
    heads = [
        "paper", "benchmark", "scale", "part", "seeds", "device", "precision", "date", "training", "measuring", "kept"
    ]  # fmt: skip
    parts += [table(heads, measured) if measured else "None yet."]
    notebooks = sorted((folder / "pages").glob("*/*/*.ipynb"))
    executed = [_executed_row(path, folder) for path in notebooks if "scale~smoke" not in path.name]
    parts += ["", "## Executed pages", ""]
    heads = ["paper", "page", "configuration", "started", "duration", "state"]
    parts += [table(heads, executed) if executed else NONE_EXECUTED, ""]
    return "\n".join(parts)


def _measured_row(path: Path, papers: Path) -> list[Cell] | None:
    benchmark, _, scale = path.parent.name.rpartition("_")
    if scale not in SCALES[1:]:
        return None
    made: dict[str, Any] = json.loads(path.read_text("utf-8"))
    committed = papers in path.parents
    times = [duration(made.get(f"{kind}_seconds")) for kind in ("training", "measuring")]
    facts = [str(made.get(name, "")) for name in ("device", "precision", "date")]
    return [
        words(path.parts[-4 if committed else -3]), benchmark, scale, _part(path.stem, made),
        str(len(made.get("seeds", []))), *facts, *times, "committed" if committed else "this machine",
    ]  # fmt: skip


def _part(stem: str, made: Mapping[str, Any]) -> str:
    """Return the name of a part as words: an algorithm, or "loss path (loss landscape)", a measurement and its page."""
    for name in made.get("measurements", {}):
        if stem.startswith(begin := f"{file_name(name)}_"):
            return f"{name} ({words(stem.removeprefix(begin))})"
    return next((name for name in made.get("algorithms", []) if file_name(name) == stem), words(stem))


def _executed_row(path: Path, folder: Path) -> list[Cell]:
    paper, page, name = path.relative_to(folder / "pages").parts
    configuration, _, state = name.removesuffix(".ipynb").rpartition(".")
    if state not in UNFINISHED:  # of a finished run, whose values may have points: "rate~0.1"
        configuration, state = name.removesuffix(".ipynb"), ""
    what: list[Cell] = [words(paper), words(page), configuration.replace("~", " ").replace("_", ", ")]
    record = record_of(path)
    if state or not record:
        return [*what, "", "", (UNFINISHED.get(state, "not a run"), "verdict-undecided")]
    started = str(record.get("started", ""))[:16].replace("T", " ")
    return [*what, started, duration(record.get("seconds")), ("done", "verdict-reproduced")]


def table(heads: Sequence[str], rows: Iterable[Iterable[Cell]]) -> str:
    """Return a table that a reader can search and filter (see `lib.charts.wide_table`), as raw HTML, since statements
    may hold any character."""
    return f"{raw(wide_table(heads, rows, menus=MENUS))}\n"
