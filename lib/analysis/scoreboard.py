"""The scoreboard: every claim of the papers, what the tables say about it, and why.

Claims and their formal tests stand in `papers/claims.csv`; `papers/<paper>/claims.py` has them as sentences
(`lib.analysis.claims`): `CLAIMS` maps a claim's id to the benchmarks that it speaks of and the claim. Verdicts are kept for
each claim, benchmark and scale (`book/claims.csv`) and counted by claim (`summary`), where the largest scale that decides
anything counts. Only committed tables are asked, and of these only what would be measured the same today
(`lib.analysis.experiments.current`).
"""

import argparse
import csv
import importlib
import io
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path

import pydantic

from lib.analysis.claims import Claim
from lib.analysis.experiments import Page, current, pages_of
from lib.analysis.files import REPOSITORY, write_whole
from lib.analysis.findings import ANSWERS, DECIDED, Answer, Finding
from lib.analysis.statistics import FEWEST_REPLICATES
from lib.analysis.table import Table, find_tables, joined
from lib.errors import InputError, unknown
from lib.scales import SCALES, SCORED

SIGNIFICANT_DIGITS = 4


class Statement(pydantic.BaseModel):
    """One claim of a paper with the formal test that decides it, as it stands in `papers/claims.csv`."""

    model_config = pydantic.ConfigDict(frozen=True, extra="forbid")

    id: str
    paper: str
    section: str
    statement: str
    formal_test: str
    published_evidence: str
    experiment_ids: str


@dataclass(frozen=True)
class Verdict:
    """What one table says about a claim.

    Attributes:
        claim: its id.
        page: that decides it; empty where none does.
        benchmark, scale, table: which table, `table` in words; empty where there is none.
        verdict: one of `ANSWERS`.
        cases: how many were decided, such as "2 of 3".
        seeds, device, precision, date: of the parts of the table that were read.
        reason: one sentence with numbers.
        numbers: behind it, by name with unit.
    """

    claim: str
    page: str
    benchmark: str
    scale: str
    verdict: Answer
    cases: str = ""
    seeds: str = ""
    device: str = ""
    precision: str = ""
    date: str = ""
    table: str = ""
    reason: str = ""
    numbers: Mapping[str, float | None] = field(default_factory=dict)


@dataclass(frozen=True)
class Summary:
    """A claim with all that was found about it.

    Attributes:
        statement: the claim.
        verdict, reason: at the scale that decides.
        scale: that decides; empty where nothing is decided.
        rows: verdicts of that scale, one per benchmark.
        others: the other verdicts, shown beside it.
    """

    statement: Statement
    verdict: Answer
    scale: str
    reason: str
    rows: tuple[Verdict, ...]
    others: tuple[Verdict, ...]


def read_statements(path: Path | str = REPOSITORY / "papers" / "claims.csv") -> list[Statement]:
    """Read the claims of all papers, in the order of the file."""
    with Path(path).open(encoding="utf-8", newline="") as file:
        return [Statement.model_validate(row) for row in csv.DictReader(file)]


def claims_of(paper: str) -> Mapping[str, tuple[Sequence[str], Claim]]:
    """Return by id the benchmarks that a claim speaks of and the claim; none where a paper has no `claims.py`."""
    if not (REPOSITORY / "papers" / paper / "claims.py").exists():
        return {}
    return importlib.import_module(f"papers.{paper}.claims").CLAIMS


def page_of(claim: str, paper: str) -> str:
    """Return the page that decides a claim, empty where none does."""
    return next((name for name, page in pages_of(paper).items() if claim in page.claims), "")


def decide(identity: str, about: tuple[Sequence[str], Claim], table: Table, page: str = "") -> Verdict:
    """Put one claim to one table as it is.

    Args:
        identity: of the claim.
        about: the benchmarks that it speaks of, and the claim.
        table: what was measured.
        page: that decides it.
    """
    benchmarks, claim = about
    if table.benchmark in benchmarks:
        found = claim(table)
    else:
        found = Finding("not run", f"the claim speaks of {', '.join(benchmarks)} only")
    read = [made for part, made in table.parts.items() if part in found.parts]
    reason = found.reason[:1].upper() + found.reason[1:]
    if found.cases:
        reason += f"; {found.cases} {'case is' if found.cases.endswith(' 1') else 'cases are'} decided"
    if len(found.chances) > 1:
        chance = 100 * (1 - math.prod(1 - rate for rate in found.chances))
        reason += f"; if nothing differed, one of {len(found.chances)} comparisons would contradict it by chance "
        reason += f"in {chance:.0f} % of repetitions"
    if len({(made.device, made.precision) for made in read}) > 1:
        reason += "; networks of several devices or precisions are compared"
    return Verdict(
        identity,
        page,
        table.benchmark,
        table.scale,
        found.answer,
        found.cases,
        ", ".join(map(str, sorted({seed for made in read for seed in made.seeds}))),
        joined(made.device for made in read),
        joined(made.precision for made in read),
        max((made.date.isoformat() for made in read), default=""),
        table.label if table.parts else table.scale,
        f"{reason}.",
        {name: _rounded(value) for name, value in found.numbers.items()},
    )


def not_run(claim: str, page: str = "", benchmark: str = "", reason: str = "No page measures this yet.") -> Verdict:
    """Return the verdict where there is no table."""
    return Verdict(claim, page, benchmark, "", "not run", reason=reason)


def verdicts(tables: Mapping[str, Sequence[Table]]) -> list[Verdict]:
    """Put every claim to every table of its paper.

    Args:
        tables: by paper, without stale rows; of one benchmark and scale the first counts, and smoke tables never do.

    Returns:
        In the order of `papers/claims.csv`: one verdict for each benchmark and scale that the claim speaks of and that has a
        table, and one "not run" for each benchmark that has none.
    """
    result = []
    for one in read_statements():
        known = claims_of(one.paper)
        if one.id not in known:
            result.append(not_run(one.id))
            continue
        page = page_of(one.id, one.paper)
        for benchmark in known[one.id][0]:
            own = {t.scale: t for t in reversed(tables.get(one.paper, ())) if t.benchmark == benchmark}
            found = [decide(one.id, known[one.id], own[scale], page) for scale in SCORED if scale in own]
            result += found or [not_run(one.id, page, benchmark, f"No table for {benchmark}.")]
    return result


def summary(found: Iterable[Verdict]) -> list[Summary]:
    """Say of each claim what is known: one row per claim, in the order of `papers/claims.csv`.

    The largest scale at which a case was decided decides: not reproduced if it is so on one benchmark, else reproduced.
    """
    own: dict[str, list[Verdict]] = {}
    for one in found:
        own.setdefault(one.claim, []).append(one)
    result = []
    for statement in read_statements():
        mine = own.get(statement.id) or [not_run(statement.id)]
        scale = max([v.scale for v in mine if v.verdict in DECIDED], key=SCALES.index, default="")
        rows = [v for v in mine if v.scale == scale and v.verdict in DECIDED]
        first = min(rows or mine, key=_first)
        rows = rows or [first]
        result.append(
            Summary(
                statement,
                first.verdict,
                scale,
                " ".join(v.reason for v in rows),
                tuple(rows),
                tuple(v for v in mine if v not in rows),
            )
        )
    return result


def _first(one: Verdict) -> tuple[int, bool, int]:
    """Order verdicts by what counts, and of undecided ones those with enough seeds before larger scales with fewer."""
    few = len(one.seeds.split(",")) < FEWEST_REPLICATES
    return ORDER.index(one.verdict), few, -SCALES.index(one.scale) if one.scale else 0


UNMEASURED = "Nothing was measured yet."

ORDER: tuple[Answer, ...] = ("not reproduced", "reproduced", "undecided", "not run")
"""Which verdict of several counts."""


def page_verdicts(page: Page, tables: Sequence[Table]) -> list[dict[str, str]]:
    """Put a page's claims to its tables, without their stale rows.

    Args:
        page: whose claims.
        tables: what the page shows, in its order; a run that the reader changed decides no claim.

    Returns:
        For each claim and table, claim by claim: claim, statement, scale, verdict, reason, cases and seeds; "not run" for
        each claim where there is no table.
    """
    statements = {one.id: one.statement for one in read_statements()}
    known = claims_of(page.paper)
    fresh = [
        (table.scale + ", yours" * (table.origin == "this machine"), current(table)[0])
        for table in tables
        if not table.changes
    ]
    found = [
        (
            scale,
            decide(name, known[name], table, page.name)
            if table and name in known
            else not_run(name, page.name, reason=UNMEASURED),
        )
        for name in page.claims
        for scale, table in fresh or [("", None)]
    ]
    return [
        {
            "claim": one.claim, "statement": statements[one.claim], "scale": scale, "verdict": one.verdict,
            "reason": one.reason, "cases": one.cases, "seeds": one.seeds,
        }
        for scale, one in found
    ]  # fmt: skip


def page_chips(found: Sequence[dict[str, str]]) -> list[dict[str, str]]:
    """Say of each claim of a page in one row what its tables decide; `found` are the rows of `page_verdicts`.

    Of the tables that decide the reader's own counts, else that of the largest scale, as in `summary`; where none decides,
    the first that has something of it; where none has, the first.
    """
    rows: dict[str, list[dict[str, str]]] = {}
    for row in found:
        rows.setdefault(row["claim"], []).append(row)
    chosen = [min(own, key=_decides) for own in rows.values()]
    return [row | ({"scale": ""} if row["verdict"] == "not run" else {}) for row in chosen]


def _decides(row: Mapping[str, str]) -> tuple[int, bool, int]:
    """Order the rows of a claim by what its badge shows, first what does."""
    if row["verdict"] not in DECIDED:
        return (2 if row["verdict"] == "not run" else 1), False, 0
    scale, _, yours = row["scale"].partition(", ")
    return 0, not yours, -SCALES.index(scale)


def scoreboard_text(found: Iterable[Verdict]) -> str:
    """Lay out verdicts as CSV with the columns of `Verdict`, numbers as compact JSON."""
    text = io.StringIO()
    writer = csv.DictWriter(text, [one.name for one in fields(Verdict)], lineterminator="\n")
    writer.writeheader()
    for one in found:
        packed = json.dumps(one.numbers, separators=(",", ":"), allow_nan=False, ensure_ascii=False)
        writer.writerow({**asdict(one), "numbers": packed})
    return text.getvalue()


def read_verdicts(path: Path | str = REPOSITORY / "book" / "claims.csv") -> list[Verdict]:
    """Read verdicts that were written; none where there is no file.

    Raises:
        InputError: a verdict is not one of `ANSWERS`.
    """
    if not Path(path).is_file():
        return []
    with Path(path).open(encoding="utf-8", newline="") as file:
        rows = [{**row, "numbers": json.loads(row["numbers"])} for row in csv.DictReader(file)]
    for row in rows:
        if row["verdict"] not in ANSWERS:
            raise unknown("verdict", row["verdict"], ANSWERS)
    return [Verdict(**row) for row in rows]


def _rounded(value: float) -> float | int | None:
    if not math.isfinite(value):
        return None
    short = float(f"{value:.{SIGNIFICANT_DIGITS}g}")
    return int(short) if short.is_integer() else short


def main(arguments: Sequence[str] | None = None) -> None:
    """Decide all claims, write the scoreboard and print how many claims each verdict has."""
    parser = argparse.ArgumentParser(description="Write the scoreboard of the papers' claims.")
    parser.add_argument("--write", type=Path, required=True, metavar="FILE", help="such as book/claims.csv")
    parser.add_argument("--local", action="store_true", help="count this machine's tables where none is committed")
    given = parser.parse_args(arguments)
    papers = list(dict.fromkeys(one.paper for one in read_statements()))
    identities = [one.id for one in read_statements()]
    if stray := [name for paper in papers for name in claims_of(paper) if name not in identities]:
        raise InputError(str(unknown("claim", stray[0], identities)))
    tables = {
        paper: [current(table)[0] for table in find_tables(paper) if given.local or table.origin == "committed"]
        for paper in papers
    }
    found = verdicts(tables)
    write_whole({given.write: scoreboard_text(found)})
    counted = [one.verdict for one in summary(found)]
    for answer in ANSWERS:
        print(f"{answer}: {counted.count(answer)} of {len(counted)} claims")
