"""What a comparison found, and how several findings make one.

Two measures are compared by paired differences. TR calls two results different if the mean paired difference is at least one
standard deviation from zero (section 2); the formal tests of `papers/claims.csv` use this rule. Where one compares means
alone, a difference within one standard deviation leaves it undecided (`of_means`). "No worse in all 13 cases" would be
refuted somewhere by chance if all were equal: Holm's method keeps the rate of that at what it is for one comparison. Nothing
is decided with fewer than three replicates, or where the two networks are the same.

GS asks for p values instead: a correlation over runs, or a difference of two means, has a sign where p < α (`by_p_value`).
"""

import itertools
import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, get_args

from scipy import stats

from lib.analysis.measures import Case, Measure
from lib.analysis.statistics import FEWEST_REPLICATES, Difference, difference, holm

Answer = Literal["reproduced", "not reproduced", "undecided", "not run"]
ANSWERS: tuple[Answer, ...] = get_args(Answer)
DECIDED: tuple[Answer, ...] = ("reproduced", "not reproduced")
MOST_LISTED = 6
"""Of more comparisons than these a reason lists only those that do not hold, as many at most."""


Need = Literal["all", "any", "most"] | int


@dataclass(frozen=True)
class Finding:
    """What a question found in one case, or a claim in one table.

    Attributes:
        answer: one of `ANSWERS`.
        reason: what was compared and how it came out, with numbers; no full stop.
        numbers: behind it, by name with unit.
        cases: how many were decided, such as "2 of 3".
        parts: of the table, that were read.
        against: p value of the evidence against the claim; NaN where a lack of evidence for it refutes it as well.
        favour: p value of the evidence for it; NaN where it takes none.
        chances: how often equal networks would refute it, by comparison.
    """

    answer: Answer
    reason: str
    numbers: Mapping[str, float] = field(default_factory=dict)
    cases: str = ""
    parts: frozenset[str] = frozenset()
    against: float = math.nan
    favour: float = math.nan
    chances: tuple[float, ...] = ()


def compare(
    case: Case, first: Measure, than: Measure | float, allowed: Collection[str], of_means: bool = False
) -> Finding:
    """Compare two measures by the rule of one standard deviation.

    Args:
        case: where.
        first, than: measures; a number has no spread.
        allowed: of "lower", "higher", "match", those that bear the claim out.
        of_means: the formal test compares means, so that a match is undecided.
    """
    # Rounded, because equal shares and means may differ in the last bit.
    measured = (first if isinstance(than, int | float) else first - than).read(case).round(12)
    change = measured - than if isinstance(than, int | float) else measured
    found = difference(change, change * 0)
    flat = found.same and found.n >= FEWEST_REPLICATES and not first.of_network
    verdict = "match" if flat else found.verdict
    answer: Answer = "reproduced" if verdict in allowed else "not reproduced"
    if verdict == "undecided" or (of_means and verdict == "match"):
        answer = "undecided"
    against, favour, chances = math.nan, math.nan, ()
    if verdict != "undecided" and (of_means or "match" in allowed):
        refuting = {"lower": found.p_value("less"), "higher": found.p_value("greater")}
        p_values = [p for direction, p in refuting.items() if direction not in allowed]
        against = len(p_values) * min(p_values)
        favour = min(p for direction, p in refuting.items() if direction in allowed) if of_means else math.nan
        chances = (len(p_values) * different_by_chance(found.n) / 2,)
    if isinstance(than, int | float):
        name, reason = first.words, f"{first.words}, against {than:g}"
        told = difference(measured, measured * 0)
    else:
        other = than.words.removeprefix(first.noun)
        name, reason = f"{first.words} minus {other}", f"{first.words} against {other}"
        told = found
    numbers = {f"{name} ({first.unit or 1})": told.mean, f"{name}, standard deviation": told.std}
    reason += f": {in_words(told, first.unit, verdict, signed=isinstance(than, int | float))}"
    return Finding(answer, reason, numbers, against=against, favour=favour, chances=chances)


def by_p_value(
    effect: float, p: float, allowed: Collection[str], alpha: float, reason: str, numbers: Mapping[str, float]
) -> Finding:
    """Decide by the sign of an effect and its two-sided p value.

    Args:
        effect: positive where the verdict is "higher".
        p: NaN leaves it undecided.
        allowed: of "lower", "higher" and "match", which is p ≥ α, those that bear the claim out. Where "match" does not, it
            leaves the claim undecided.
        alpha: significance level.
        reason, numbers: of the finding.
    """
    if math.isnan(p) or math.isnan(effect):
        return Finding("undecided", reason, numbers)
    verdict = "match" if p >= alpha else "lower" if effect < 0 else "higher"
    answer: Answer = "reproduced" if verdict in allowed else "undecided" if verdict == "match" else "not reproduced"
    one_sided = {"lower": p / 2 if effect < 0 else 1 - p / 2, "higher": p / 2 if effect > 0 else 1 - p / 2}
    against = [one for direction, one in one_sided.items() if direction not in allowed]
    favour = [one for direction, one in one_sided.items() if direction in allowed and "match" not in allowed]
    return Finding(
        answer,
        reason,
        numbers,
        against=len(against) * min(against, default=math.nan),
        favour=min(favour, default=math.nan),
        chances=(len(against) * alpha / 2,),
    )


def in_words(found: Difference, unit: str, verdict: str, signed: bool = False) -> str:
    """Say how a comparison came out, such as "0.73 ± 0.23 points lower", or "−0.2 ± 1.1 points, a match"."""
    if found.n == 0:
        return "no numbers to compare"
    if found.same and not signed:
        return "no difference"
    spread = f" ± {found.std:.2g}" if found.n > 1 else ""
    direction = {"match": "a match"}.get(verdict, verdict)
    if signed or verdict == "match":
        told = f"{found.mean:{'' if signed else '+'}.3g}{spread} {unit}".rstrip()
        return told if verdict == "undecided" else f"{told}, {direction}"
    return f"{abs(found.mean):.3g}{spread} {unit}".rstrip() + (" lower" if found.mean < 0 else " higher")


def different_by_chance(replicates: int) -> float:
    """Return how often the rule of one standard deviation calls equal results different.

    That is P(|t| ≥ √n) with n − 1 degrees of freedom: 22.5 % for three replicates.
    """
    return float(2 * stats.t.sf(math.sqrt(replicates), replicates - 1)) if replicates > 1 else math.nan


def combined(found: Sequence[Finding], need: Need = "any", unit: str = "comparisons") -> Finding:
    """Combine findings of several cases or comparisons into one.

    Args:
        found: at least one, or nothing is said ("0 of 0").
        need: "any": all that are decided must hold, and one must be decided. "all": all must be decided and hold. "most", or
            a number: so many must hold, and it is refuted once so many no longer can.
        unit: what they are, in words.
    """
    found = holm_corrected(found, need == "any")
    held, failed = (sum(one.answer == answer for one in found) for answer in DECIDED)
    if need in ("any", "all"):
        holds, refuted = held == len(found) if need == "all" else held > 0, failed > 0
    else:
        least = len(found) // 2 + 1 if isinstance(need, str) else need
        holds, refuted = held >= least, len(found) - failed < least
    answer: Answer = "not reproduced" if refuted else "reproduced" if holds and held else "undecided"
    if found and all(one.answer == "not run" for one in found):
        answer = "not run"
    listed, reason = found, ""
    if len(found) > MOST_LISTED:
        listed = [one for one in found if one.answer != "reproduced"][:MOST_LISTED]
        reason = f"it holds in {held} of {len(found)} {unit}; " + ("others: " if listed else "")
    reason += "; ".join(_without_repetition(list(dict.fromkeys(one.reason for one in listed))))
    against, favour = _p_values(found) if need == "all" else (math.nan, math.nan)
    return Finding(
        answer,
        reason.removesuffix("; "),
        {name: value for one in found for name, value in one.numbers.items()},
        f"{held + failed} of {len(found)}",
        frozenset().union(*(one.parts for one in found)),
        against=against,
        favour=favour,
        chances=tuple(itertools.chain(*(one.chances for one in found))),
    )


def _p_values(found: Sequence[Finding]) -> tuple[float, float]:
    """Return p values of findings that must all hold: the lowest against one, the highest in favour of one."""
    against = [one.against for one in found if not math.isnan(one.against)]
    without = any(one.answer == "not reproduced" and math.isnan(one.against) for one in found)
    favour = [one.favour for one in found]
    return (
        min(against) if against and not without else math.nan,
        max(favour) if favour and not any(map(math.isnan, favour)) else math.nan,
    )


def holm_corrected(found: Sequence[Finding], some_may_match: bool) -> list[Finding]:
    """Return findings with those undecided that do not survive Holm's correction for their number.

    A failure stays if its corrected p value is at most what the rule of one standard deviation has for one comparison.
    Where a match elsewhere is passed over, so does what holds: one of many would hold by chance as well.

    Args:
        found: of cases or comparisons.
        some_may_match: a match is passed over.
    """
    tested = [one.answer in DECIDED and not math.isnan(one.against) for one in found]
    passed_over = some_may_match and any(one.answer == "undecided" and not math.isnan(one.favour) for one in found)
    against = holm([one.against if is_tested else math.nan for one, is_tested in zip(found, tested, strict=True)])
    favour = holm([one.favour for one in found])
    result = []
    for one, p_against, p_favour in zip(found, against, favour, strict=True):
        p = p_against if one.answer == "not reproduced" else p_favour if passed_over else math.nan
        one = replace(one, against=p_against)
        if one.answer in DECIDED and one.chances and p > one.chances[0]:
            reason = f"{one.reason}, which may be chance (corrected p = {p:.2g})"
            one = replace(one, answer="undecided", reason=reason)
        result.append(one)
    return result


def _without_repetition(reasons: Sequence[str]) -> list[str]:
    """Return reasons without the words before the colon where the one before begins with the same."""
    heads = [reason.partition(": ")[0] for reason in reasons]
    return [
        reason.removeprefix(f"{head}: ") if before == head else reason
        for before, head, reason in zip([None, *heads], heads, reasons, strict=False)
    ]
