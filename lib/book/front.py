"""The front page: one chart that carries the book, one of measured against printed numbers, and a card for each paper with
what was found about its claims.

Both follow from files: the committed tables, `book/papers.yml` and `book/claims.csv`.
"""

import html
import importlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import altair

from lib.analysis.experiments import committed_tables
from lib.analysis.scoreboard import Summary
from lib.analysis.sentences import number
from lib.analysis.table import SIZE, Table, rows, values
from lib.book.extension import figure
from lib.book.generated import claims_of, counted_by, papers_of
from lib.book.wording import counted, raw
from lib.charts import advancing
from lib.charts.theme import specification
from lib.scales import SCORED

FRONT = ("training_regularization", "mnist-lenet")  # whose errors the chart shows
ERROR, ALGORITHM = "test error (%)", "learning-rate rewinding"
OPENING = "opening"  # the page that a paper begins with


def front(root: Path) -> str:
    """Return the chart of the front page, error while pruning at every noise level, and a sentence that says what it shows.

    Args:
        root: the repository's folder; the largest committed scale of `FRONT` is drawn.
    """
    drawn = next((table for table in committed_tables(*FRONT, root=root) if _has(table)), None)
    if drawn is None:
        return ""
    title = "Test error while weights are removed, for four shares of wrong training labels"
    chart = advancing(rows(drawn, ERROR, algorithm=ALGORITHM), colour="noise_percent", title=title)
    return f"{raw(figure(specification(chart)))}\n\n{_said(drawn)}\n"


def against_print(root: Path, pages: Sequence[str] = ()) -> str:
    """Return the chart of the paper's numbers that were measured by its own recipe, and what is seen; empty without any.

    Args:
        root: the repository's folder, whose committed tables are read.
        pages: of the book; the one that looks into each number is named where it is among them.
    """
    tables = committed_tables(FRONT[0], root=root)
    chart, said = (
        importlib.import_module(f"papers.{FRONT[0]}.{module}").measured_against_printed(tables)
        for module in ("figures", "observations")
    )
    if not isinstance(chart, altair.LayerChart):  # it says what is missing
        return ""
    page = f"{FRONT[0]}/agreement"
    more = f"\n\n{{doc}}`papers/{page}` looks into each that is far off." if page in pages else ""
    return f"{raw(figure(specification(chart)))}\n\n{said.data}{more}\n"


def _has(table: Table) -> bool:
    """Whether a table has errors of several levels."""
    some: Any = table.frame[(table.frame["quantity"] == ERROR) & (table.frame["algorithm"] == ALGORITHM)]
    return some["level"].nunique() > 1


def _said(table: Table) -> str:
    """Say what happens at the highest noise level, chosen by the numbers."""
    noise = table.frame["noise_percent"].max()
    mean: Any = values(table, ERROR, algorithm=ALGORITHM, noise_percent=noise).dropna(axis="columns").mean()
    left: Any = values(table, SIZE, algorithm=ALGORITHM, noise_percent=noise).mean()
    lowest = mean.drop(0).idxmin()
    before = mean.loc[:lowest]
    best = f"{number(mean[lowest])} %"
    rise = f" first rises to {number(before.max())} % and then" if before.max() > max(mean[0], mean[lowest]) else ""
    seeds = f"{table.scale} scale, {counted(len(table.seeds), 'seed')}"
    dense = f"With {noise:g} % wrong training labels the dense network errs on {number(mean[0])} % of the test images."
    start = f"{dense} As weights go, the error"
    if mean[lowest] < mean[0]:
        return f"{start}{rise} falls to {best}, with {left[lowest]:.2g} % of the weights left ({seeds})."
    return f"{start}{rise} gets no lower than {best}, with {left[lowest]:.2g} % of the weights left ({seeds})."


def cards(book: Path, pages: Sequence[str]) -> str:
    """Return one card per paper of `book/papers.yml`: its question, and what was found about its claims.

    Each claim counts once, at the largest scale that decided it.

    Args:
        book: the book's folder, with `papers.yml` and `claims.csv`.
        pages: of the book, such as "training_regularization/opening"; a card leads to its paper's first one.
    """
    claims = claims_of(book)
    parts = [":::::{grid} 1 1 2 2", ":gutter: 3", ""]
    for paper in papers_of(book):
        own = [name for name in pages if name.split("/")[0] == paper["folder"]]
        opening = f"{paper['folder']}/{OPENING}"
        title = paper["title"].replace("`", "")
        head = f"{{doc}}`{title} <papers/{opening if opening in own else own[0]}>`" if own else title
        found = [one for one in claims if one.statement.paper == paper["folder"]]
        parts += [
            f"::::{{grid-item-card}} {head}",
            ":class-card: paper-card",
            "",
            f"*{paper['venue']}*",
            "",
            paper["question"].strip(),
            "",
        ]
        parts += [raw(_counts(paper, found) if own else _planned(found)), "::::", ""]
    return "\n".join([*parts, ":::::", ""])


def _planned(claims: Sequence[Summary]) -> str:
    to_test = f", {counted(len(claims), 'claim')} to test" if claims else ""
    return f'<div class="claims"><p class="claim-total">planned{to_test}</p></div>'


def _counts(paper: Mapping[str, str], claims: Sequence[Summary]) -> str:
    """Return a bar and a list of a paper's claims by verdict and scale; each entry leads to its rows of the scoreboard."""
    if not claims:
        return '<div class="claims"><p class="claim-total">no claim tested yet</p></div>'
    groups: list[tuple[str, str, dict[str, str]]] = [
        (f"reproduced at {s} scale", f"reproduced claims-{s}", {"verdict": "reproduced", "scale": s})
        for s in reversed(SCORED)
    ]
    groups += [("not reproduced", "not-reproduced", {"verdict": "not reproduced"}), ("open", "open", {"state": "open"})]
    bar, entries = "", ""
    for said, kind, chosen in groups:
        if number := sum(chosen.items() <= counted_by(one).items() for one in claims):
            bar += f'<span class="claims-{kind}" style="flex-grow: {number}"></span>'
            address = html.escape(urlencode({"paper": paper["short"], **chosen}, quote_via=quote))
            entries += f'<li class="claims-{kind}"><a href="scoreboard.html#{address}"><b>{number}</b> {said}</a></li>'
    return (
        f'<div class="claims"><p class="claim-total">{counted(len(claims), "claim")}</p>'
        f'<div class="claim-bar" aria-hidden="true">{bar}</div><ul class="claim-counts">{entries}</ul></div>'
    )
