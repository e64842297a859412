"""Claims as sentences: what is compared, where, in which cases; the combinators carry the statistics.

    "TR-C07": (BENCHMARKS, each("noise_percent", NOISE)(lower(error(LRR, "optimum"), than=error(LRR, "dense"))))

A *question* compares measures (`lib.analysis.measures`) in one case, by paired differences (`lib.analysis.statistics`). A
*claim* puts its question to the cases of a table: it is reproduced where some case is decided and all that are bear it out.

One standard deviation, Holm's correction, and what leaves a case undecided: see `lib.analysis.findings`.

The command `python -m lib.analysis.claims --write book/claims.csv` writes the scoreboard (`lib.analysis.scoreboard`).
"""

import itertools
import math
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace

import pandas

from lib.analysis.findings import DECIDED, Answer, Finding, Need, combined, compare
from lib.analysis.measures import Case, Measure, NotRun
from lib.analysis.statistics import difference
from lib.analysis.table import Table

EQUAL_BELOW = 0.05
"""Equal within a margin: the p value of the two one-sided t tests is below this."""

Cases = float | Sequence[float] | Mapping[str, Sequence[float]]
"""Values of a dimension, also by benchmark."""

Question = Callable[[Case], Finding]
Claim = Callable[[Table], Finding]


def differ(
    first: Measure,
    than: Measure | float,
    allowed: Callable[[Case], Collection[str]],
    of_means: bool = False,
) -> Question:
    """Ask whether two measures compare as a case allows, see `compare`."""
    return lambda case: compare(case, first, than, allowed(case), of_means)


def lower(first: Measure, than: Measure | float, ties: Collection[tuple] = (), of_means: bool = False) -> Question:
    """Ask whether the first is lower; in the cases of `ties` (see `Case.place`) it may match."""
    return differ(first, than, lambda case: {"lower", *["match"] * (case.place in ties)}, of_means)


def higher(first: Measure, than: Measure | float, ties: Collection[tuple] = (), of_means: bool = False) -> Question:
    """Ask whether the first is higher; see `lower`."""
    return differ(first, than, lambda case: {"higher", *["match"] * (case.place in ties)}, of_means)


def not_higher(first: Measure, than: Measure | float) -> Question:
    """Ask whether the first is lower or matches."""
    return differ(first, than, lambda case: {"lower", "match"})


def not_lower(first: Measure, than: Measure | float) -> Question:
    """Ask whether the first is higher or matches."""
    return differ(first, than, lambda case: {"higher", "match"})


def equal(first: Measure, than: Measure, margin: float | None = None) -> Question:
    """Ask whether two measures are equal: by TR's rule a match; within a margin by two one-sided tests (`EQUAL_BELOW`)."""

    def within(case: Case) -> Finding:
        found = compare(case, first, than, {"match"})
        if margin is None or found.answer == "undecided":
            return found
        change = (first - than).read(case)
        paired = difference(change, change * 0)
        beyond = min(paired.p_value("greater", margin), paired.p_value("less", -margin))
        answer: Answer = "reproduced" if paired.p_equal(margin) < EQUAL_BELOW else "undecided"
        answer = "not reproduced" if beyond < EQUAL_BELOW else answer
        reason = f"{found.reason}; equal within {margin:g} {first.unit} with p = {paired.p_equal(margin):.2g}"
        return Finding(answer, reason, found.numbers)

    return within


def every(*questions: Question, need: Need = "all") -> Question:
    """Ask several questions of one case, see `combined`."""
    return lambda case: combined([_part(question, case) for question in questions], need)


def _part(question: Question, case: Case) -> Finding:
    """Ask one of several questions: what it notes leaves it undecided, and none of the others."""
    before, case.notes = case.notes, []
    found = question(case)
    if case.notes and found.answer in DECIDED:
        found = replace(found, answer="undecided", against=math.nan, favour=math.nan)
    case.notes = before
    return found


def at_levels(levels: Collection[int], question: Callable[[int], Question]) -> Question:
    """Ask a question at each of some levels of one case; undecided where there is none."""

    def asked(case: Case) -> Finding:
        if not levels:
            case.note("there is no such level")
        return combined([_part(question(level), case) for level in levels], "all", "levels")

    return asked


def of_sparse(question: Question, algorithm: str, level: str = "optimum") -> Question:
    """Ask only where a chosen level is sparse; otherwise the dense network would be compared with itself."""

    def asked(case: Case) -> Finding:
        if (case.level(level, algorithm) == 0).all():
            case.note(f"the {level} of {algorithm} is the dense network")
        return question(case)

    return asked


def ask(question: Question, case: Case) -> Finding:
    """Put a question to a case; whatever the case notes leaves it undecided."""
    try:
        found = question(case)
    except NotRun as missing:
        return Finding("not run", f"{missing}: at {case.words}" if case.where else str(missing))
    answer = "undecided" if case.notes and found.answer in DECIDED else found.answer
    if case.notes:
        found = replace(found, against=math.nan, favour=math.nan)
    why = f" ({'; '.join(case.told)})" if case.told else ""
    at = f" at {case.words}" if case.where else ""
    reason = f"at {case.words}, {found.reason}" if at and found.cases else f"{found.reason}{at}"
    numbers = {f"{name}{at}": value for name, value in {**found.numbers, **case.numbers}.items()}
    return replace(found, answer=answer, reason=reason + why, numbers=numbers, parts=frozenset(case.parts))


def each(
    dimension: str, cases: Cases, excepted: Collection[tuple] = (), need: Need = "any"
) -> Callable[[Question], Claim]:
    """Ask a question in every case of a dimension.

    Args:
        dimension: such as "noise_percent".
        cases: its values that the claim speaks of.
        excepted: cases (see `Case.place`) that are left out.
        need: see `combined`.
    """

    def of(question: Question) -> Claim:
        def claim(table: Table) -> Finding:
            asked = [Case(table, {dimension: value}) for value in _of_benchmark(cases, table)]
            found = [ask(question, case) for case in asked if case.place not in excepted]
            return combined(found, need, "cases")

        return claim

    return of


def _of_benchmark(cases: Cases, table: Table) -> list[float]:
    chosen = cases.get(table.benchmark, ()) if isinstance(cases, Mapping) else cases
    return [float(value) for value in (chosen if isinstance(chosen, Sequence) else [chosen])]


def between(
    measure: Measure,
    dimension: str,
    cases: Cases,
    question: Callable[[Measure, Measure], Question],
    pairs: Callable[[list[float]], Collection[tuple[float, float]]] = lambda found: [*itertools.pairwise(found)],
) -> Claim:
    """Compare a measure between cases, each with the next one or in other pairs; a missing case leaves it undecided.

    Args:
        measure: of one case.
        dimension, cases: see `each`.
        question: of the measure in the later case and in the earlier one.
        pairs: cases → pairs of them, the earlier one first.
    """

    def claim(table: Table) -> Finding:
        def at(value: float, whole: Case) -> Measure:
            case = Case(table, {dimension: value})

            def read(_: Case) -> pandas.Series:
                try:
                    found = measure.read(case)
                except NotRun as missing:
                    raise NotRun(f"{missing} at {case.words}") from missing
                whole.parts |= case.parts
                for note in case.told:
                    whole.note(f"{note} at {case.words}")
                return found

            # Networks of different cases are never the same one.
            return Measure(f"{measure.words} at {case.words}", measure.unit, read, of_network=False)

        found = []
        for first, second in pairs(_of_benchmark(cases, table)):
            whole = Case(table, {})
            found.append(ask(question(at(second, whole), at(first, whole)), whole))
        result = combined(found, "all")
        some = any(_is_there(measure, Case(table, {dimension: value})) for value in _of_benchmark(cases, table))
        return replace(result, answer="undecided") if result.answer == "not run" and some else result

    return claim


def _is_there(measure: Measure, case: Case) -> bool:
    try:
        return len(measure.read(case)) > 0
    except NotRun:
        return False


def growing(measure: Measure, dimension: str, cases: Cases) -> Claim:
    """Claim that a measure grows from each case to the next; a step within one standard deviation is undecided."""
    return between(measure, dimension, cases, lambda later, earlier: higher(later, than=earlier, of_means=True))


def all_of(*claims: Claim) -> Claim:
    """Claim several things at once; one that has no case for a table's benchmark is left out."""

    def claim(table: Table) -> Finding:
        found = [one for part in claims if (one := part(table)).cases != "0 of 0"]
        counts = [[int(number) for number in one.cases.split(" of ")] for one in found if one.cases]
        decided, asked = (sum(count[i] for count in counts) for i in (0, 1))
        return replace(combined(found, "all"), cases=f"{decided} of {asked}")

    return claim


def undecided_at(scale: str, why: str, claim: Claim) -> Claim:
    """Let a scale, whose plan said before it was run that it cannot show a claim, neither bear it out nor refute it.

    Args:
        scale: its name.
        why: what stands there in the way, the end of a sentence that begins with "at laptop scale".
        claim: decided as ever at other scales.
    """

    def asked(table: Table) -> Finding:
        found = claim(table)
        if table.scale != scale or found.answer not in DECIDED:
            return found
        return replace(found, answer="undecided", reason=f"{found.reason}; at {scale} scale {why}", cases="")

    return asked


if __name__ == "__main__":
    from lib.analysis.scoreboard import main

    main()
