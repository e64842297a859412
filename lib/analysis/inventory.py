"""The map of a paper: each of its figures and tables, the place in the book where it stands, and what is measured of it.

`papers/experiments.csv` lists what the papers show. Where that stands in the book, `papers/<paper>/experiments.py` says:

    PLACES = {
        "TR-fig3": "additional_regularization#fig-tr-error",   a page, and the figure on it
        "TR-fig16": "examples_themselves",                     also of TR-fig16a to TR-fig16o
        "TR-run-WR": "no figure of its own: …",                a reason why not: whatever has blanks
    }
    NEEDS = {"TR-fig3": ("learning-rate rewinding",)}  algorithms and quantities, where a figure needs less than its page
    SHOWS = {"LIP-fig17": ("cifar10-resnet56",)}  benchmarks of a figure, where a page is for many networks
"""

import csv
import html
import importlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pydantic

from lib.analysis.display import HTML
from lib.analysis.experiments import Page, committed_tables, pages_of
from lib.analysis.files import REPOSITORY
from lib.analysis.part import file_name
from lib.analysis.scoreboard import Summary, summary, verdicts
from lib.analysis.table import Table
from lib.errors import InputError
from lib.scales import SCALES, SCORED

KINDS = {"fig": "Figure", "tab": "Table"}
MAPPED = ("figure", "table")
"""Kinds of experiments that a reader looks for; runs and numbers quoted in the text have no name of their own."""


class Experiment(pydantic.BaseModel):
    """One figure, table or quoted number of a paper, as it stands in `papers/experiments.csv`.

    Attributes:
        id: such as "TR-fig3"; parts of a figure have letters.
        kind: "figure", "table" or "text".
        models, datasets: that the paper shows, separated by semicolons.
    """

    model_config = pydantic.ConfigDict(frozen=True, extra="forbid")

    id: str
    paper: str
    section: str
    kind: str
    title: str
    what_is_measured: str
    models: str
    datasets: str


@dataclass(frozen=True)
class Place:
    """Where an experiment stands: a page and the name of a figure on it, empty for the page; or the reason why nowhere."""

    page: str = ""
    figure: str = ""
    reason: str = ""


@dataclass(frozen=True)
class Mapped:
    """One row of the map.

    Attributes:
        name: as the paper calls it, such as "Figure 16".
        shows: what it shows.
        place: where it stands.
        title: of the page; empty where it stands nowhere.
        measured: benchmark → scales that are measured, the largest first.
        has_numbers: false for settings and lists, of which there is nothing to measure.
    """

    name: str
    shows: str
    place: Place
    title: str
    measured: Mapping[str, Sequence[str]]
    has_numbers: bool = True


def read_experiments(paper: str, path: Path | str = REPOSITORY / "papers" / "experiments.csv") -> list[Experiment]:
    """Read what a paper shows, in the order of the file."""
    with Path(path).open(encoding="utf-8", newline="") as file:
        found = [Experiment.model_validate(row) for row in csv.DictReader(file)]
    return [one for one in found if one.paper == paper]


def place_of(identity: str, places: Mapping[str, str]) -> Place:
    """Return where an experiment stands, by its id or by that of the whole of which it is a part.

    Raises:
        InputError: it has neither a place nor a reason.
    """
    name = identity if identity in places else identity.rstrip("abcdefghijklmnopqrstuvwxyz")
    if name not in places:
        raise InputError(f"{identity} has no place in PLACES: name its page, page#figure, or say why it has none.")
    where = places[name]
    if " " in where:
        return Place(reason=where)
    page, _, figure = where.partition("#")
    return Place(page, figure)


def title_of(paper: str, page: str, root: Path | str = REPOSITORY) -> str:
    """Return the title of a page, from its first heading."""
    text = (Path(root) / "papers" / paper / "pages" / f"{page}.py").read_text(encoding="utf-8")
    found = re.search(r"^# # (.+)$", text, re.MULTILINE)
    if not found:
        raise InputError(f"the page {page} of {paper} has no title: a line that begins with '# # '.")
    return found.group(1)


def paper_map(paper: str, kinds: Sequence[str] = MAPPED, tables: Sequence[Table] | None = None) -> list[Mapped]:
    """Return the map of a paper: a row for each figure and table, those together that stand in one place as parts of one.

    Args:
        paper: folder in `papers/`.
        kinds: of experiments.
        tables: what was measured; by default what is committed.
    """
    module = importlib.import_module(f"papers.{paper}.experiments")
    places, needs, shows = module.PLACES, getattr(module, "NEEDS", {}), getattr(module, "SHOWS", {})
    if tables is None:
        tables = committed_tables(paper)
    groups: dict[str, list[Experiment]] = {}
    for one in read_experiments(paper):
        if one.kind in kinds:
            whole = one.id if one.id in places else one.id.rstrip("abcdefghijklmnopqrstuvwxyz")
            groups.setdefault(whole, []).append(one)
    found = []
    for identity, own in groups.items():
        place = place_of(own[0].id, places)
        title = title_of(paper, place.page) if place.page else ""
        page = pages_of(paper).get(place.page)
        theirs = {benchmark for one in own for benchmark in shows.get(one.id, ())}
        asked = [table for table in tables if table.benchmark in theirs or not theirs]
        listed = all(one.what_is_measured == "settings" or one.title.endswith("(categorical)") for one in own)
        measured = _measured(page, asked, needs.get(identity)) if page and not listed else {}
        found.append(Mapped(_called(identity), _shown(own), place, title, measured, not listed))
    return found


def _called(identity: str) -> str:
    """Return what the paper calls it: "TR-fig16" → "Figure 16", "LN-tabA1" → "Table A1", "GS-fig3-left" → "3, left"."""
    name = identity.partition("-")[2]
    kind, number = name[:3], name[3:].replace("-", ", ")
    return f"{KINDS[kind]} {number}" if kind in KINDS else name.removeprefix("text-").replace("-", " ")


def _shown(own: Sequence[Experiment]) -> str:
    """Return the titles of the parts of a figure, without the network where each part has one."""
    titles = [one.title.removesuffix(f", {one.models}") if len(own) > 1 else one.title for one in own]
    return "; ".join(dict.fromkeys(titles))


def _measured(page: Page, tables: Sequence[Table], needs: Sequence[str] | None) -> dict[str, list[str]]:
    """Return at which scales each benchmark has what a figure needs, or all that its page runs and measures."""
    found: dict[str, list[str]] = {}
    for table in tables:
        if table.scale in SCORED and (_has(table, needs) if needs else _whole(page, table)):
            found.setdefault(table.benchmark, []).append(table.scale)
    return {name: sorted(set(scales), key=SCORED.index, reverse=True) for name, scales in found.items()}


def _has(table: Table, needs: Sequence[str]) -> bool:
    there = {*table.frame["algorithm"].unique(), *table.frame["quantity"].unique()}
    return there.issuperset(needs)


def _whole(page: Page, table: Table) -> bool:
    try:
        chains = page.chains(page.plans(table.benchmark, table.scale))
    except InputError:  # no such plan today
        return False
    parts = [file_name(f"{measurement.name}, {page.name}") for measurement in page.measurements]
    return _has(table, [chain.algorithm for chain in chains]) and all(
        any(name.startswith(part) for name in table.parts) for part in parts
    )


def map_table(paper: str, kinds: Sequence[str] = MAPPED) -> HTML:
    """Return the map of a paper as a table whose places are links, to display on a page of the paper."""
    rows = []
    for one in paper_map(paper, kinds):
        if one.place.page:
            anchor = f"#{one.place.figure}" if one.place.figure else ""
            where = f'<a href="{one.place.page}.html{anchor}">{html.escape(one.title)}</a>'
            said = "; ".join(f"{name} ({', '.join(scales)})" for name, scales in one.measured.items())
            said = said or ("not measured yet" if one.has_numbers else "nothing to measure")
        else:
            where, said = html.escape(one.place.reason), "–"
        cells = (html.escape(one.name), html.escape(one.shows), where, html.escape(said))
        rows.append("<tr>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>")
    heads = "".join(f"<th>{name}</th>" for name in ("in the paper", "what it shows", "in the book", "measured here"))
    table = f'<table class="table"><thead><tr>{heads}</tr></thead><tbody>{"".join(rows)}</tbody></table>'
    return HTML(f'<div class="wide-table" tabindex="0">{table}</div>')


HELD, NOT_HELD, OPEN = "held", "did not hold", "cannot tell"


def outcomes(paper: str, tables: Sequence[Table]) -> dict[str, list[Summary]]:
    """Sort the claims of a paper by what its tables decide: `HELD`, `NOT_HELD` and `OPEN`, the largest scales first.

    Args:
        paper: folder in `papers/`.
        tables: of it, without stale rows (`lib.analysis.experiments.current`).
    """
    found: dict[str, list[Summary]] = {HELD: [], NOT_HELD: [], OPEN: []}
    for one in summary(verdicts({paper: tables})):
        if one.statement.paper == paper:
            kind = {"reproduced": HELD, "not reproduced": NOT_HELD}.get(one.verdict, OPEN)
            found[kind].append(one)
    for own in found.values():
        own.sort(key=lambda one: -SCALES.index(one.scale) if one.scale else 0)
    return found


def outcome_list(found: Sequence[Summary], reasons: bool = True) -> HTML:
    """Return claims as a list for a page: the statement, on what it was decided, and the reason folded away."""
    if not found:
        return HTML("<p>None.</p>")
    rows = []
    for one in found:
        where = ", ".join(dict.fromkeys(row.benchmark for row in one.rows if row.benchmark))
        scale = f", {one.scale} scale" if one.scale else ""
        said = f"<strong>{one.statement.id}</strong> {html.escape(one.statement.statement)}"
        place = f" <em>({html.escape(where)}{scale})</em>" if where else ""
        why = f"<details><summary>why</summary>{html.escape(one.reason)}</details>" if reasons and one.reason else ""
        rows.append(f"<li>{said}{place}{why}</li>")
    return HTML(f"<ul>{''.join(rows)}</ul>")


def tally(found: Mapping[str, Sequence[Summary]]) -> str:
    """Say how many claims held, did not, or are open, with the scales: "11 of 39 claims held (5 at paper scale, …), …"."""
    total = sum(len(own) for own in found.values())
    said = []
    for kind, own in found.items():
        scales = [one.scale for one in own if one.scale]
        counts = [f"{scales.count(scale)} at {scale} scale" for scale in reversed(SCORED) if scale in scales]
        said.append(f"{len(own)} {kind}" + (f" ({', '.join(counts)})" if counts and kind != OPEN else ""))
    return f"Of {total} claims {', '.join(said[:-1])} and of {said[-1].replace(OPEN, 'we ' + OPEN)}."
