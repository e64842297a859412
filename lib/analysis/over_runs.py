"""Questions over the runs of configurations, decided by p values: correlations and differences of means (facts D.4).

    stability, accuracy = of_runs("stability (%)"), of_runs("best test accuracy (%)")
    in_table(correlated(stability, accuracy, PRUNED, sign="negative", alpha=0.05))
    in_table(higher_mean(accuracy(LARGEST), than=accuracy(SMALLEST), alpha=0.1))

A claim holds where the sign is as claimed and p < α, fails where the opposite sign has p < α, and is undecided otherwise, or
where a configuration has fewer than three runs. The reason says what else was found: the correlation within configurations
beside the pooled one (S11), Welch's test beside the pooled variance.
"""

import dataclasses
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Literal, get_args

import pandas

from lib.analysis.claims import Claim, Question, ask
from lib.analysis.correlation import Correlation, Kind, correlation, p_different, quadratic_term
from lib.analysis.findings import Finding, by_p_value, combined
from lib.analysis.measures import Case, Measure
from lib.analysis.statistics import FEWEST_REPLICATES, two_samples
from lib.analysis.table import Table
from lib.errors import unknown

Quantity = Callable[[str], Measure]
"""Of the runs of a configuration, by its name, see `lib.analysis.measures.of_runs`."""

Given = tuple[str, Mapping[str, float]]
"""What a configuration sets, in words, and its value by the configuration's name, such as the share pruned at an event."""

SIGNS: Mapping[str, frozenset[str]] = {
    "negative": frozenset({"lower"}),
    "positive": frozenset({"higher"}),
    "none": frozenset({"match"}),
    "not negative": frozenset({"match", "higher"}),
    "not positive": frozenset({"match", "lower"}),
}
"""What a claim may say of a correlation, and the verdicts that bear it out. "None" is p ≥ α: few runs never refute it."""

COEFFICIENTS: Mapping[Kind, str] = {
    "pearson": "correlation",
    "kendall": "Kendall's τ",
    "within": "correlation within configurations",
    "by seed": "correlation within seeds",
}


def in_table(question: Question) -> Claim:
    """Ask a question once of a table, whose paper varies nothing but the algorithm."""

    def claim(table: Table) -> Finding:
        return combined([ask(question, Case(table, {}))], "all")

    return claim


def correlated(
    first: Quantity | Given,
    second: Quantity,
    configurations: Sequence[str],
    sign: str = "negative",
    alpha: float = 0.05,
    kind: Kind = "pearson",
) -> Question:
    """Ask which sign the correlation of two quantities has over the runs of some configurations.

    Args:
        first, second: quantities; the first may be what each configuration sets.
        configurations: whose runs are the points (S10: say which; unpruned networks have stability 100 by convention).
        sign: one of `SIGNS`.
        alpha: significance level of the two-sided p value.
        kind: which coefficient decides: "pearson", "kendall", "within" configurations, or "by seed".

    Raises:
        InputError: the sign or the kind is unknown.
    """
    if sign not in SIGNS:
        raise unknown("sign", sign, SIGNS)
    if kind not in COEFFICIENTS:
        raise unknown("kind", kind, COEFFICIENTS)

    def asked(case: Case) -> Finding:
        found, names = over(case, first, second, configurations), _names(first, second, configurations)
        value, p = found.coefficient(kind)
        reason = f"{names}: {found.words}"
        if kind == "by seed" and not math.isnan(value):
            reason += f"; within seeds r = {value:.2f} (p = {p:.2g})"
        numbers = _numbers(found, names)
        if case.notes:
            return Finding("undecided", reason, numbers)
        return by_p_value(value, p, SIGNS[sign], alpha, reason, numbers)

    return asked


def over(case: Case, first: Quantity | Given, second: Quantity, configurations: Sequence[str]) -> Correlation:
    """Correlate two quantities over the runs of some configurations of a case; raises NotRun where one is missing."""
    return correlation(*map(pandas.concat, _points(case, first, second, configurations)))


def _points(
    case: Case, first: Quantity | Given, second: Quantity, configurations: Sequence[str]
) -> tuple[dict[str, pandas.Series], dict[str, pandas.Series]]:
    """Return both quantities by seed, of each configuration."""
    if not isinstance(first, tuple):
        x, y = ({name: one(name).read(case) for name in configurations} for one in (first, second))
        return x, y
    y = {name: second(name).read(case) for name in configurations}
    return {name: own * 0 + first[1][name] for name, own in y.items()}, y


def _names(first: Quantity | Given, second: Quantity, configurations: Sequence[str]) -> str:
    measures = [one(configurations[0]) for one in (first, second) if not isinstance(one, tuple)]
    given = [first[0]] if isinstance(first, tuple) else []
    return " and ".join([*given, *(one.noun.removesuffix(" of ") or one.words for one in measures)])


def _numbers(found: Correlation, names: str) -> dict[str, float]:
    numbers = {}
    for kind, name in COEFFICIENTS.items():
        value, p = found.coefficient(kind)
        numbers |= {f"{name} of {names}": value, f"{name} of {names}, p value": p}
    return numbers


def more_correlated(
    first: Quantity, second: Quantity, configurations: Sequence[str], than: Sequence[str], alpha: float = 0.05
) -> Question:
    """Ask whether |r| is larger over the runs of some configurations than over those of others, by Fisher's z test."""

    def asked(case: Case) -> Finding:
        both = [over(case, first, second, some) for some in (configurations, than)]
        sizes = [dataclasses.replace(one, pearson=abs(one.pearson)) for one in both]
        p, gap = p_different(*sizes), sizes[0].pearson - sizes[1].pearson
        names = _names(first, second, configurations)
        told = " against ".join(f"r = {one.pearson:.2f} over {one.n} runs" for one in both)
        reason = f"{names}: {told} (p = {p:.2g} that they differ in size)"
        numbers = {f"size of the correlation of {names}, difference": gap, "p value of this difference": p}
        if case.notes:
            return Finding("undecided", reason, numbers)
        return by_p_value(gap, p, {"higher"}, alpha, reason, numbers)

    return asked


def highest_between(
    first: Quantity | Given, second: Quantity, configurations: Sequence[str], alpha: float = 0.05
) -> Question:
    """Ask whether the second quantity rises with the first and falls again: the square's term of a parabola is negative.

    A parabola also bends where it only flattens out, so it is undecided where the configuration with the highest mean is the
    one whose first quantity is lowest or highest.
    """

    def asked(case: Case) -> Finding:
        x, y = _points(case, first, second, configurations)
        term, p = quadratic_term(pandas.concat(x), pandas.concat(y))
        places = {name: float(own.mean()) for name, own in x.items()}
        best, names = max(y, key=lambda name: float(y[name].mean())), _names(first, second, configurations)
        inside = min(places.values()) < places[best] < max(places.values())
        told = "no parabola is defined" if math.isnan(term) else f"square's term {term:.2g} (p = {p:.2g})"
        reason = f"{names} over {sum(map(len, y.values()))} runs: {told}; "
        reason += f"highest mean with {best}, {'between the ends' if inside else 'at one end'}"
        numbers = {f"square's term of {names}": term, f"square's term of {names}, p value": p}
        if case.notes or (term < 0 and not inside):
            return Finding("undecided", reason, numbers)
        return by_p_value(term, p, {"lower"}, alpha, reason, numbers)

    return asked


Variances = Literal["pooled", "Welch"]


def mean_differs(
    first: Measure,
    than: Measure,
    verdict: Literal["lower", "higher", "match"],
    alpha: float = 0.05,
    variances: Variances = "pooled",
) -> Question:
    """Ask whether a mean over runs is lower or higher than another, or matches it, by a two-sided t test of two samples.

    Args:
        first, than: measures in one unit; their runs need not share seeds.
        verdict: what is claimed; "match" is p ≥ alpha.
        alpha: significance level.
        variances: whose p value decides: of one "pooled" variance, as in GS's Table C.1, or "Welch", of two.

    Raises:
        InputError: the rule of variances is unknown.
    """
    if variances not in get_args(Variances):
        raise unknown("variances", variances, get_args(Variances))

    def asked(case: Case) -> Finding:
        found = two_samples(first.read(case), than.read(case))
        p = found.p_pooled if variances == "pooled" else found.p_welch
        other = than.words.removeprefix(first.noun)
        told = "no numbers to compare"
        if not math.isnan(found.difference):
            size = f"{abs(found.difference):.3g} {first.unit}".rstrip()
            told = f"{size} {'lower' if found.difference < 0 else 'higher'} over {found.n[0]} and {found.n[1]} runs"
        if not math.isnan(p):
            told += f" (t test p = {found.p_pooled:.2g}, Welch's p = {found.p_welch:.2g})"
        name = f"mean {first.words} minus {other}"
        numbers = {
            f"{name} ({first.unit or 1})": found.difference,
            f"{name}, p value": found.p_pooled,
            f"{name}, Welch's p value": found.p_welch,
        }
        reason = f"mean {first.words} against {other}: {told}"
        if case.notes or min(found.n) < FEWEST_REPLICATES:
            return Finding("undecided", reason, numbers)
        return by_p_value(found.difference, p, {verdict}, alpha, reason, numbers)

    return asked


def higher_mean(first: Measure, than: Measure, alpha: float = 0.05, variances: Variances = "pooled") -> Question:
    """Ask whether the mean of the first is higher, see `mean_differs`."""
    return mean_differs(first, than, "higher", alpha, variances)


def lower_mean(first: Measure, than: Measure, alpha: float = 0.05, variances: Variances = "pooled") -> Question:
    """Ask whether the mean of the first is lower, see `mean_differs`."""
    return mean_differs(first, than, "lower", alpha, variances)
