"""The parts of the book that follow from files: the cards of the papers, the scoreboard, the list of runs.

Each function returns MyST text that a page of the book includes; `lib.book.build` writes it into
`book/generated/`.
"""

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from lib.analysis.findings import ANSWERS
from lib.analysis.scoreboard import Summary, Verdict, read_verdicts, summary
from lib.batch.state import record_of
from lib.book.wording import counted, duration, words
from lib.charts import wide_table
from lib.charts.tables import Cell
from lib.errors import InputError
from lib.scales import SCALES

MENUS = ("paper", "verdict", "benchmark", "scale", "state", "kept")  # columns by which a reader filters
UNFINISHED = {"partial": "running or stopped", "failed": "failed"}  # by the second suffix of a run's notebook
CLASSES = {"reason": "long", "elsewhere": "long", "device": "words", "date": "short"}  # of the scoreboard
COLOURS = {"reproduced": "success", "not reproduced": "danger", "undecided": "secondary", "not run": "muted"}


def _claims(book: Path) -> list[Summary]:
    """Return what `book/claims.csv` says of each claim of the papers; nothing where there is no such file."""
    table = book / "claims.csv"
    return summary(read_verdicts(table)) if table.is_file() else []


def cards(book: Path, pages: Sequence[str]) -> str:
    """Return one card per paper of `book/papers.yml`, with how far its pages and claims have come.

    Args:
        book: the book's folder, whose `papers/` hold the staged pages.
        pages: their names, such as "training_regularization/some_page".
    """
    claims = _claims(book)
    parts = ["::::{grid} 1 1 2 2", ":gutter: 3", ""]
    for paper in yaml.safe_load((book / "papers.yml").read_text("utf-8")):
        if missing := {"folder", "title", "venue", "question", "cite"} - set(paper):
            name = paper.get("folder", "a paper")
            raise InputError(f"book/papers.yml: {name} has no {', '.join(sorted(missing))}")
        own = [name for name in pages if name.split("/")[0] == paper["folder"]]
        verdicts = Counter(one.verdict for one in claims if one.statement.paper == paper["folder"])
        parts += [f":::{{grid-item-card}} {paper['title']}"]
        if own:
            parts += [f":link: papers/{own[0]}", ":link-type: doc"]
        parts += ["", f"*{paper['venue']}*", "", paper["question"].strip(), ""]
        parts += [_status(own, book, verdicts), ":::", ""]
    return "\n".join([*parts, "::::", ""])


def _status(pages: Sequence[str], book: Path, verdicts: Counter[str]) -> str:
    if not pages:
        planned = f", {counted(verdicts.total(), 'claim')} to test" if verdicts else ""
        return f"{{bdg-light}}`planned{planned}`"
    run = sum(bool(record_of(book / "papers" / f"{name}.ipynb")) for name in pages)
    colour = "success" if run == len(pages) else "warning"
    badges = [f"{{bdg-{colour}}}`{run} of {counted(len(pages), 'page')} run`"]
    badges += [f"{counted(verdicts.total(), 'claim')}:"] if verdicts else []
    found = [answer for answer in ANSWERS if verdicts[answer]]
    badges += [f"{{bdg-{COLOURS[answer]}-line}}`{verdicts[answer]} {answer}`" for answer in found]
    return " ".join(badges)


def scoreboard(book: Path) -> str:
    """Return the table of the papers' claims: one row a claim, with what `book/claims.csv` says of it."""
    claims = _claims(book)
    if not claims:
        return "No claim has been tested yet: `make book` runs the tests and writes `book/claims.csv`.\n"
    counts = Counter(one.verdict for one in claims)
    total = " · ".join(f"**{counts[answer]}** {answer}" for answer in ANSWERS if counts[answer])
    heads = [
        "claim", "statement", "verdict", "reason", "scale", "benchmark", "cases", "elsewhere", "paper", "page", "seeds",
        "device", "date",
    ]  # fmt: skip
    rows = [_claim_row(one) for one in claims]
    return f"{counted(len(claims), 'claim')}: {total}\n\n{table(heads, rows, classes=CLASSES)}"


def _claim_row(one: Summary) -> list[Cell]:
    def all_of(name: str) -> str:
        return "; ".join(dict.fromkeys(filter(None, (str(getattr(row, name)) for row in one.rows))))

    def beside(other: Verdict) -> str:
        """Say a verdict that does not decide: "mnist-lenet, laptop: undecided (1 of 3)"."""
        place = ", ".join(filter(None, [other.benchmark, other.scale]))
        return f"{place}: {other.verdict}" + (f" ({other.cases})" if other.cases else "")

    badge = (one.verdict, f"verdict-{one.verdict.replace(' ', '-')}")
    return [
        one.statement.id, one.statement.statement, badge, one.reason, one.scale, all_of("benchmark"), all_of("cases"),
        "; ".join(map(beside, one.others)), words(one.statement.paper), words(all_of("page")),
        all_of("seeds"), all_of("device"), all_of("date"),
    ]  # fmt: skip


def runs(papers: Path, folder: Path) -> str:
    """Return the tables of measured parts and of executed pages, without the tests' smoke scale.

    Args:
        papers: the folder of the papers, whose `results/` hold the committed tables.
        folder: the folder of this machine's runs.
    """
    found = sorted([*papers.glob("*/results/*/*.json"), *folder.glob("tables/*/*/*.json")])
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
    parts += [table(heads, executed) if executed else "None on this machine yet.", ""]
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
        words(path.parts[-4 if committed else -3]), benchmark, scale, words(path.stem), str(len(made.get("seeds", []))),
        *facts, *times, "committed" if committed else "this machine",
    ]  # fmt: skip


def _executed_row(path: Path, folder: Path) -> list[Cell]:
    paper, page, name = path.relative_to(folder / "pages").parts
    # A finished run has no second suffix.
    configuration, _, state = name.removesuffix(".ipynb").partition(".")
    what: list[Cell] = [words(paper), words(page), configuration.replace("~", " ").replace("_", ", ")]
    record = record_of(path)
    if state or not record:
        return [*what, "", "", (UNFINISHED.get(state, "not a run"), "verdict-undecided")]
    started = str(record.get("started", ""))[:16].replace("T", " ")
    return [*what, started, duration(record.get("seconds")), ("done", "verdict-reproduced")]


def table(heads: Sequence[str], rows: Iterable[Iterable[Cell]], classes: Mapping[str, str] | None = None) -> str:
    """Return a table that a reader can search and filter (see `lib.charts.wide_table`), as raw HTML, since statements
    may hold any character."""
    return f"```{{raw}} html\n{wide_table(heads, rows, classes=classes, menus=MENUS)}\n```\n"
