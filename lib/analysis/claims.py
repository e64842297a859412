"""The scoreboard: every claim of the papers, what this book's tables say about it, and why.

The claims and their formal tests stand in `papers/claims.csv`. The tests as functions stand in
`papers/<paper>/claims.py`: `CLAIM_TESTS` maps a claim to a function of one table, `CLAIM_BENCHMARKS` maps it
to the benchmarks it speaks of. Write the scoreboard with `python -m lib.analysis.claims --write
book/claims.csv`.
"""

import argparse
import csv
import importlib
import io
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import pydantic

from lib.analysis.files import REPOSITORY, write_whole
from lib.analysis.pages import find_page, is_current
from lib.analysis.schema import SCALES, SCORED
from lib.analysis.tables import Table, find
from lib.analysis.verdicts import ClaimTest, Finding, NotRun, Verdict
from lib.errors import InputError, unknown

SIGNIFICANT_DIGITS = 4


class Claim(pydantic.BaseModel):
    """One finding of a paper, with the test that decides it, as it stands in `papers/claims.csv`."""

    model_config = pydantic.ConfigDict(frozen=True, extra="forbid")

    id: str
    paper: str
    section: str
    statement: str
    formal_test: str
    published_evidence: str
    experiment_ids: str


def read_claims(path: Path | str = REPOSITORY / "papers" / "claims.csv") -> list[Claim]:
    """Read the claims of all papers, in the order of the file."""
    with Path(path).open(encoding="utf-8", newline="") as file:
        return [Claim.model_validate(row) for row in csv.DictReader(file)]


def discover(
    papers: Path | str = REPOSITORY / "papers",
) -> tuple[dict[str, ClaimTest], dict[str, Sequence[str]]]:
    """Collect the tests of every folder in `papers` that has a `claims.py`.

    Returns:
        Test by claim, and the benchmarks that a claim speaks of by claim.
    """
    tests: dict[str, ClaimTest] = {}
    benchmarks: dict[str, Sequence[str]] = {}
    for file in sorted(Path(papers).glob("*/claims.py")):
        module = importlib.import_module(f"papers.{file.parent.name}.claims")
        tests |= module.CLAIM_TESTS
        benchmarks |= getattr(module, "CLAIM_BENCHMARKS", {})
    return tests, benchmarks


def decide(claim: str, test: ClaimTest, table: Table, benchmarks: Sequence[str] = ()) -> Verdict:
    """Put one claim to one table.

    Args:
        claim: its id.
        test: its test.
        table: what was measured.
        benchmarks: those that the claim speaks of; empty for any.
    """
    made = table.provenance
    if benchmarks and made.benchmark not in benchmarks:
        finding = Finding("not run", f"the claim speaks of {', '.join(benchmarks)} only.")
    else:
        try:
            finding = test(table)
        except NotRun as lack:
            finding = Finding("not run", str(lack))
    return Verdict(claim, made.benchmark, made.scale, finding.verdict, finding.reason, finding.numbers)


def verdict_rows(
    asked: Iterable[str],
    tests: Mapping[str, ClaimTest],
    benchmarks: Mapping[str, Sequence[str]],
    tables: Iterable[Table],
) -> list[dict[str, str]]:
    """Put a page's claims to its tables, for the page's table of verdicts.

    Args:
        asked: ids of claims.
        tests, benchmarks: by claim, as in `papers/<paper>/claims.py`.
        tables: what the page draws.

    Returns:
        For each table, in the order given: claim, statement, scale, verdict and reason of every claim.
    """
    statements = {claim.id: claim.statement for claim in read_claims()}
    ids = list(asked)
    found = [
        decide(claim, tests[claim], table, benchmarks.get(claim, ())) for table in tables for claim in ids
    ]
    return [
        {
            "claim": v.claim,
            "statement": statements[v.claim],
            "scale": v.scale,
            "verdict": v.verdict,
            "reason": v.reason,
        }
        for v in found
    ]


def verdicts(
    claims: Iterable[Claim],
    tests: Mapping[str, ClaimTest],
    tables: Mapping[str, Sequence[Table]],
    benchmarks: Mapping[str, Sequence[str]] | None = None,
) -> list[Verdict]:
    """Put every claim to every table of its paper.

    Args:
        claims: what to decide.
        tests: test by claim.
        tables: by paper (folder name). Where a committed table and one of this machine measure the same page,
            benchmark and scale, the committed one counts. Where several pages do, the most conclusive answer
            counts.
        benchmarks: by claim, those that it speaks of.

    Returns:
        For each claim, in the order given: one verdict per benchmark and scale that has a table, and one "not
        run" for each benchmark that the claim speaks of and that has none.
    """
    result = []
    for claim in claims:
        about = (benchmarks or {}).get(claim.id, ())
        if claim.id not in tests:
            result.append(Verdict(claim.id, "", "", "not run", "no page measures this yet."))
            continue
        best: dict[tuple[str, str], Verdict] = {}
        for table in _counted(tables.get(claim.paper, ())):
            found = decide(claim.id, tests[claim.id], table, about)
            place = (found.benchmark, found.scale)
            if place not in best or _weight(found) > _weight(best[place]):
                best[place] = found
        result += [
            best[place] for place in sorted(best, key=lambda place: (place[0], SCALES.index(place[1])))
        ]
        measured = {benchmark for benchmark, _ in best}
        result += [
            Verdict(claim.id, name, "", "not run", f"no table for {name}.")
            for name in about
            if name not in measured
        ]
        if not about and not best:
            result.append(Verdict(claim.id, "", "", "not run", "no table yet."))
    return result


def scoreboard_text(found: Iterable[Verdict]) -> str:
    """Lay out verdicts as CSV: claim, benchmark, scale, verdict, reason and the numbers as compact JSON."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["claim", "benchmark", "scale", "verdict", "reason", "numbers"])
    for one in sorted(found, key=lambda one: (one.claim, one.benchmark, one.scale)):
        numbers = {name: _rounded(value) for name, value in one.numbers.items()}
        packed = json.dumps(numbers, separators=(",", ":"), allow_nan=False)
        writer.writerow([one.claim, one.benchmark, one.scale, one.verdict, one.reason, packed])
    return text.getvalue()


def write_scoreboard(found: Iterable[Verdict], path: Path | str) -> None:
    """Write the scoreboard whole; the same verdicts give the same bytes."""
    write_whole({Path(path): scoreboard_text(found)})


def _current(paper: str) -> list[Table]:
    """Find a paper's tables, without those whose recipe has moved on since."""
    found = find(paper, None, None)
    return [table for table in found if is_current(find_page(paper, table.provenance.page), table)]


def _counted(tables: Sequence[Table]) -> list[Table]:
    """Leave out smoke tables, and this machine's where a committed one has the same page, benchmark and
    scale."""
    chosen: dict[tuple[str, str, str], Table] = {}
    for table in sorted(tables, key=lambda table: table.origin != "committed"):
        made = table.provenance
        if made.scale in SCORED:
            chosen.setdefault((made.page, made.benchmark, made.scale), table)
    return [chosen[place] for place in sorted(chosen)]


def _weight(found: Verdict) -> int:
    return {"not run": 0, "undecided": 1}.get(found.verdict, 2)


def _rounded(value: float) -> float | int | None:
    if not math.isfinite(value):
        return None
    short = float(f"{value:.{SIGNIFICANT_DIGITS}g}")
    return int(short) if short.is_integer() else short


def main(arguments: Sequence[str] | None = None) -> None:
    """Find all tables, decide all claims, write the scoreboard and print how many claims each answer has."""
    parser = argparse.ArgumentParser(description="Write the scoreboard of the papers' claims.")
    parser.add_argument("--write", type=Path, required=True, metavar="FILE", help="such as book/claims.csv")
    path = parser.parse_args(arguments).write
    claims = read_claims()
    tests, benchmarks = discover()
    if stray := sorted(tests.keys() - {claim.id for claim in claims}):
        raise InputError(str(unknown("claim", stray[0], (claim.id for claim in claims))))
    tables = {paper: _current(paper) for paper in sorted({claim.paper for claim in claims})}
    found = verdicts(claims, tests, tables, benchmarks)
    write_scoreboard(found, path)
    for name in ("reproduced", "not reproduced", "undecided", "not run"):
        print(f"{name}: {sum(one.verdict == name for one in found)}")


if __name__ == "__main__":
    main()
