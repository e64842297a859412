"""The parts of the book that follow from files: the cards of the papers, the scoreboard, the list of runs.

Each function returns MyST text that a page of the book includes; `lib.book.build` writes it into
`book/generated/`.
"""

import csv
import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from lib.book.staging import RECORD
from lib.charts.wide_tables import Cell, wide_table
from lib.errors import InputError

VERDICTS = ("reproduced", "not reproduced", "undecided", "not run")
MENUS = (
    "paper",
    "verdict",
    "benchmark",
    "scale",
    "state",
    "basis",
)  # columns by which a reader filters a table
UNFINISHED = {"partial": "running or stopped", "failed": "failed"}  # by the second suffix of a run's notebook


def read_rows(table: Path) -> list[dict[str, str]]:
    """Return the rows of a table of claims; none if it has not been written yet."""
    if not table.is_file():
        return []
    with table.open(encoding="utf-8", newline="") as lines:
        return [{name: value or "" for name, value in row.items() if name} for row in csv.DictReader(lines)]


def cards(book: Path, pages: Sequence[str]) -> str:
    """Return one card per paper of `book/papers.yml`, with how far its pages and claims have come.

    Args:
        book: the book's folder, whose `papers/` hold the staged pages.
        pages: their names, such as "training_regularization/some_page".
    """
    claims = read_rows(book / "claims.csv")
    parts = ["::::{grid} 1 1 2 2", ":gutter: 3", ""]
    for paper in yaml.safe_load((book / "papers.yml").read_text("utf-8")):
        missing = {"folder", "title", "venue", "question", "claims", "cite"} - set(paper)
        if missing:
            raise InputError(
                f"book/papers.yml: {paper.get('folder', 'a paper')} lacks {', '.join(sorted(missing))}"
            )
        own = [name for name in pages if name.split("/")[0] == paper["folder"]]
        verdicts = Counter(
            row.get("verdict", "") for row in claims if row["claim"].startswith(paper["claims"])
        )
        parts += [f":::{{grid-item-card}} {paper['title']}"]
        if own:
            parts += [f":link: papers/{own[0]}", ":link-type: doc"]
        parts += ["", f"*{paper['venue']}*", "", paper["question"].strip(), ""]
        parts += [_status(own, book, verdicts), ":::", ""]
    return "\n".join([*parts, "::::", ""])


def _status(pages: Sequence[str], book: Path, verdicts: Counter[str]) -> str:
    if not pages:
        return "{bdg-light}`planned`"
    run = sum(_record(book / "papers" / f"{name}.ipynb") is not None for name in pages)
    colour = "success" if run == len(pages) else "warning"
    badges = [f"{{bdg-{colour}}}`{run} of {_count(len(pages), 'page')} run`"]
    for verdict, colour in (
        ("reproduced", "success"),
        ("not reproduced", "danger"),
        ("undecided", "secondary"),
    ):
        if verdicts[verdict]:
            badges.append(f"{{bdg-{colour}-line}}`{_count(verdicts[verdict], 'claim')} {verdict}`")
    return " ".join(badges)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def scoreboard(book: Path, papers: Path) -> str:
    """Return the table of `book/claims.csv`, with each claim's statement from `papers/claims.csv`."""
    verdicts = read_rows(book / "claims.csv")
    if not verdicts:
        return "No claim has been tested yet: `make book` runs the tests and writes `book/claims.csv`.\n"
    statements = {row.get("id", ""): row.get("statement", "") for row in read_rows(papers / "claims.csv")}
    counts = Counter(row.get("verdict", "") for row in verdicts)
    named = [verdict for verdict in (*VERDICTS, *sorted(set(counts) - set(VERDICTS))) if counts[verdict]]
    summary = " · ".join(f"**{counts[verdict]}** {verdict}" for verdict in named)
    others = [name for name in verdicts[0] if name not in ("claim", "verdict")]
    rows: list[list[Cell]] = []
    for row in verdicts:
        badge = (row["verdict"], f"verdict-{_slug(row['verdict'])}")
        facts = [_numbers(row[name]) if name == "numbers" else row[name] for name in others]
        rows.append([row["claim"], statements.get(row["claim"], ""), badge, *facts])
    heads = ["claim", "statement", "verdict", *map(words, others)]
    return f"{summary}\n\n{table(heads, rows)}"


def _numbers(text: str) -> str:
    """Return a JSON object of numbers in words, and anything else as it is."""
    try:
        numbers = json.loads(text)
    except ValueError:
        return text
    if not isinstance(numbers, dict):
        return text
    shown = {
        name: f"{value:.4g}" if isinstance(value, float) else str(value) for name, value in numbers.items()
    }
    return "; ".join(f"{words(name)} {value}" for name, value in shown.items())


def runs(papers: Path, folder: Path) -> str:
    """Return the tables of executed pages and of measured tables, without the tests' smoke scale.

    Args:
        papers: the folder of the papers, whose `results/` hold the committed tables.
        folder: the folder of this machine's runs.
    """
    notebooks = sorted((folder / "pages").glob("*/*/*.ipynb"))
    executed = [_executed_row(path, folder) for path in notebooks if "scale~smoke" not in path.name]
    found = sorted([*papers.glob("*/results/*/*.json"), *folder.glob("tables/*/*/*.json")])
    measured = [_measured_row(path, papers) for path in found if not path.stem.endswith("_smoke")]
    parts = ["## Measured tables", ""]
    heads = ["paper", "page", "benchmark", "scale", "replicates", "device", "date", "training", "kept"]
    parts += [table(heads, measured) if measured else "None yet."]
    parts += ["", "## Executed pages", ""]
    heads = ["paper", "page", "configuration", "started", "duration", "state"]
    parts += [table(heads, executed) if executed else "None on this machine yet.", ""]
    return "\n".join(parts)


def _executed_row(path: Path, folder: Path) -> list[Cell]:
    paper, page, name = path.relative_to(folder / "pages").parts
    # A finished run has no second suffix.
    configuration, _, state = name.removesuffix(".ipynb").partition(".")
    configuration = configuration.replace("~", " ").replace("_", ", ")
    record = _record(path)
    if state or record is None:
        return [
            words(paper),
            words(page),
            configuration,
            "",
            "",
            (UNFINISHED.get(state, "not a run"), "verdict-undecided"),
        ]
    started, seconds = str(record.get("started", ""))[:16].replace("T", " "), record.get("seconds")
    return [
        words(paper),
        words(page),
        configuration,
        started,
        minutes(seconds),
        ("done", "verdict-reproduced"),
    ]


def _measured_row(path: Path, papers: Path) -> list[Cell]:
    info: dict[str, Any] = json.loads(path.read_text("utf-8"))
    committed = papers in path.parents
    paper, page = words(path.parts[-4 if committed else -3]), words(path.parts[-2])
    facts = [str(info.get(name, "")) for name in ("benchmark", "scale")]
    facts += [str(len(info.get("seeds", []))), str(info.get("device", "")), str(info.get("date", ""))]
    return [
        paper,
        page,
        *facts,
        minutes(info.get("wall_clock_seconds")),
        "committed" if committed else "this machine",
    ]


def words(name: str) -> str:
    """Return the name of a folder, page or column as words."""
    return name.replace("_", " ")


def minutes(seconds: float | None) -> str:
    """Return a time in the unit that suits it: seconds, minutes or hours; nothing for None."""
    if seconds is None:
        return ""
    return (
        f"{seconds:.0f} s"
        if seconds < 90
        else f"{seconds / 60:.0f} min"
        if seconds < 5400
        else f"{seconds / 3600:.1f} h"
    )


def _record(notebook: Path) -> dict[str, Any] | None:
    """Return what a finished run wrote about itself, or None."""
    try:
        return json.loads(notebook.read_text("utf-8"))["metadata"].get(RECORD)
    except (OSError, ValueError, KeyError):
        return None


def _slug(text: str) -> str:
    return text.strip().replace(" ", "-")


def table(
    heads: Sequence[str],
    rows: Iterable[Iterable[Cell]],
    *,
    classes: Mapping[str, str] | None = None,
    filterable: bool = True,
) -> str:
    """Return a table as raw HTML, since statements may hold any character.

    Args:
        heads, rows, classes: see `lib.charts.wide_tables.wide_table`.
        filterable: whether the reader can search it and filter it; then columns in `MENUS` get a menu.
    """
    made = wide_table(heads, rows, classes=classes, menus=MENUS if filterable else None)
    return f"```{{raw}} html\n{made}\n```\n"
