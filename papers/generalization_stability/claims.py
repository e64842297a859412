"""GS's claims as sentences (`lib.analysis.over_runs`); their formal tests stand in `papers/claims.csv`.

A is the best test accuracy after the last event, and stability is that on test images, as in the paper (facts S9). A
correlation pools the runs of those configurations that the paper pools (facts D.5, S10): in Figure 2 the pruned ones, in
Figure 6 all six; the numbers beside it have the correlation within configurations (S11). Where the formal test names a t
test or a correlation, p values decide; where it compares means alone, paired differences of runs with the same seed do, by
the rule of one standard deviation (`lib.analysis.findings`).
"""

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise

import pandas

from lib.analysis.claims import Claim, Question, equal, every, higher, lower, not_higher, not_lower, undecided_at
from lib.analysis.correlation import p_different
from lib.analysis.findings import Finding, by_p_value
from lib.analysis.flatness import ALONG, COVARIANCE, CRITERION, DRAWN, EIGENVALUE_SUM, TOLERATED
from lib.analysis.measures import Case, Measure, NotRun, correlations, of_runs
from lib.analysis.normality import AFTER, BEFORE, DISTANCE
from lib.analysis.over_runs import (
    correlated,
    higher_mean,
    highest_between,
    in_table,
    lower_mean,
    mean_differs,
    more_correlated,
    over,
)
from lib.analysis.stability import BEST, LAST, LOWEST, STABILITY, WITHOUT_TARGETED
from papers.generalization_stability.experiments import LESS_SHORTCUT, MORE_PRUNED, RATES_AND_TARGETS
from papers.generalization_stability.names import (
    FIGURE_2,
    FLAT,
    MIDDLE,
    NONE,
    RATES,
    SCRATCH,
    STABLE,
    TARGETS,
    UNSTABLE,
    noised,
    pruned,
)
from papers.generalization_stability.recipes import VGG11_EVENTS

VGG11, RESNET18 = NETWORKS = ("cifar10-vgg11", "cifar10-resnet18")
RESNET18_SGD, CIFAR100 = "cifar10-resnet18-sgd", "cifar100-resnet18"
TRADITIONAL = (RESNET18_SGD, "cifar10-resnet20", "cifar10-resnet56")

NORMALIZATION_SCORE = {VGG11: "expected", RESNET18: "signed_expected"}
"""Of Figure B.2 (facts D.3)."""

SIGNIFICANT, TENTH = 0.05, 0.1
"""Levels of significance: of the paper, and of the stars of its Table C.1 (GS-C08)."""

SMALL_CHANGE = 0.05
"""GS-C04's "hardly": the paper's correlation changes by 0.01, and over thirty runs is known to about ± 0.1."""

NEAR_NORMAL = 0.1
"""GS-C22's "near", as a Kolmogorov-Smirnov distance: at no value are distribution functions further apart than this."""

STEP = 0.1
"""GS-C18's ε: inside Figure E.4, and a point of the measured curves."""

stability, accuracy, last_accuracy = of_runs(STABILITY), of_runs(BEST), of_runs(LAST)
lowest_stability = of_runs(LOWEST)
trace, gradient_noise, proxy = (of_runs(f"test {name}") for name in (EIGENVALUE_SUM, COVARIANCE, CRITERION))
tolerated = of_runs(TOLERATED)


def both_coefficients(configurations: Sequence[str]) -> Question:
    """GS-C01: Pearson's and Kendall's coefficients of stability and accuracy are both negative."""
    return every(*(correlated(stability, accuracy, configurations, kind=kind) for kind in ("pearson", "kendall")))


def in_order(configurations: Sequence[str]) -> Question:
    """GS-C03: from each configuration to the next, stability falls and accuracy rises.

    Both are asked as a trend over the places 0, 1, 2, … within seeds, because single steps are small beside the spread of
    runs (0.07 points in the paper's Table C.1, over runs 0.2 apart); and no step of either may go the other way.
    """
    place = "place in the order of Figure 2", {name: float(i) for i, name in enumerate(configurations)}
    return every(
        correlated(place, stability, configurations, "negative", kind="by seed"),
        correlated(place, accuracy, configurations, "positive", kind="by seed"),
        *(not_higher(stability(less), than=stability(more)) for more, less in pairwise(configurations)),
        *(not_lower(accuracy(less), than=accuracy(more)) for more, less in pairwise(configurations)),
    )


def scored(score: str) -> list[str]:
    """Return the pruned configurations of Figure 2 by another score."""
    return [pruned(target, rate, score) for target, rate in RATES_AND_TARGETS]


def stronger_by_normalization(case: Case) -> Finding:
    """GS-C02: with the score of Figure B.2 the correlation is negative, and larger in size than that of Figure 2."""
    configurations = scored(NORMALIZATION_SCORE[case.table.benchmark])
    stronger = more_correlated(stability, accuracy, configurations, than=FIGURE_2[1:])
    return every(correlated(stability, accuracy, configurations), stronger)(case)


def steadier_by_sign(case: Case) -> Finding:
    """GS-C04: on VGG-11 the sign of γ changes the correlation little; on ResNet-18 PruneS 1 % drops less at its worst event.

    The paper calls it the final drop, and sees it in Figure 2 beside Figure B.2.
    """
    if case.table.benchmark == RESNET18:
        signed = lowest_stability(pruned("smallest", 4, "signed_expected"))
        return higher(signed, than=lowest_stability(STABLE), of_means=True)(case)
    first, second = (over(case, stability, accuracy, scored(s)) for s in ("expected", "signed_expected"))
    change, p = second.pearson - first.pearson, p_different(first, second)
    reason = (
        f"correlation of stability and accuracy {first.pearson:.2f} without and {second.pearson:.2f} with the sign of γ"
    )
    numbers = {"change of the correlation": change, "p value of this change": p}
    found = Finding("undecided", f"{reason} (p = {p:.2g} that it changes)", numbers)
    if math.isnan(p):
        return found
    if change == 0:
        return replace(found, reason=f"{reason}: no γ was below zero, so that both scores chose the same filters")
    if abs(change) <= SMALL_CHANGE:
        return replace(found, answer="reproduced")
    return replace(found, answer="not reproduced") if p < SIGNIFICANT else found


def at_rates(*rates: int) -> list[str]:
    """Return the three targets of Figure 3 at some of its rates."""
    return [pruned(target, rate) for rate in rates for target in TARGETS]


def measured_rates(case: Case) -> list[int]:
    """Return the rates of Figure 3 at which a table has all targets; smaller scales may have fewer than seven.

    Raises:
        NotRun: there are fewer than three.
    """
    there = {*case.table.frame["algorithm"].unique()}
    found = [rate for rate in RATES if there.issuperset(at_rates(rate))]
    if len(found) < len(TARGETS):
        raise NotRun(f"all targets were measured at {len(found)} rates; three are the fewest that can rise and fall")
    return found


def rates_in_percent() -> dict[int, float]:
    """Return the share of the last layer, in percent, that goes at an event, by epochs between events (facts S17)."""
    *_, share = VGG11_EVENTS.shares
    counts = {rate: [*VGG11_EVENTS.but(every=rate).counts().values()][-1] for rate in RATES}
    return {rate: 100 * share / count for rate, count in counts.items()}


def best_between(case: Case) -> Finding:
    """GS-C05: over the logarithm of the rate, as in Figure C.2, accuracy rises and falls; all three targets count."""
    rates, percent = measured_rates(case), rates_in_percent()
    places = {name: math.log2(percent[rate]) for rate in rates for name in at_rates(rate)}
    return highest_between(("logarithm of the iterative rate", places), accuracy, [*places])(case)


def over_targets(rate: int, *allowed: str) -> Question:
    """Ask for the sign of Kendall's τ of stability and accuracy over the three targets at one rate."""

    def asked(case: Case) -> Finding:
        found = over(case, stability, accuracy, at_rates(rate))
        if case.notes:
            found = replace(found, kendall=math.nan)
        numbers = {
            f"Kendall's τ, every {rate} epochs": found.kendall,
            f"Kendall's τ, every {rate} epochs, p value": found.kendall_p,
            f"correlation within configurations, every {rate} epochs": found.within,
        }
        reason = f"every {rate} epochs τ = {found.kendall:.2f} (p = {found.kendall_p:.2g}) over {found.n} runs"
        return by_p_value(found.kendall, found.kendall_p, allowed, SIGNIFICANT, reason, numbers)

    return asked


def negative_but_for_one_shot(case: Case) -> Finding:
    """GS-C06: over the targets τ is negative at most rates, as "typically" has it, and positive at none.

    Of one-shot pruning the claim says that it is not negative: lack of evidence bears that out.
    """
    *_, one_shot = RATES
    asked = [over_targets(rate, "lower") for rate in measured_rates(case) if rate != one_shot]
    at_any = every(*asked, need="any")(case)
    if at_any.answer == "not reproduced":
        return at_any
    return every(every(*asked, need="most"), over_targets(one_shot, "match", "higher"))(case)


def fades(case: Case) -> Finding:
    """GS-C07: the correlation is negative over the three lowest rates, and less so over the three highest (Fisher's z)."""
    measured = measured_rates(case)
    some = [[rate for rate in three if rate in measured] for three in (RATES[:3], RATES[-3:])]
    if not all(some):
        raise NotRun("no low rate or no high one was measured")
    low, high = (over(case, stability, accuracy, at_rates(*rates)) for rates in some)
    gap, p = low.pearson - high.pearson, p_different(low, high)
    reason = f"stability and accuracy: r = {low.pearson:.2f} at the lowest rates, {high.pearson:.2f} at the highest"
    numbers = {"correlation at low rates minus at high rates": gap, "p value of this difference": p}

    def less_negative(_: Case) -> Finding:
        return by_p_value(gap, p, {"lower"}, SIGNIFICANT, f"{reason} (p = {p:.2g})", numbers)

    return every(correlated(stability, accuracy, at_rates(*some[0])), less_negative)(case)


def more_pruned(target: str, every_epochs: int) -> str:
    """Return the name of pruning 59 % of ResNet-18."""
    return pruned(target, every_epochs, more=MORE_PRUNED)


SELDOM = [pruned("smallest", rate, "l1") for rate in (30, 60)]
OFTEN = [pruned("smallest", 1, "l1", f"{share} % a layer") for share in (6, 10)]
"""The pruned configurations of Figure 4, and of Figure C.3."""


def average(of: Callable[[str], Measure], configurations: Sequence[str], words: str) -> Measure:
    """Return the mean of several configurations, seed by seed."""

    def read(case: Case) -> pandas.Series:
        return pandas.DataFrame({name: of(name).read(case) for name in configurations}).mean(axis=1, skipna=False)

    return Measure(words, "points", read)


def noises(case: Case, effect: str, restore: bool = False) -> list[str]:
    """Return the configurations of a table that disturb filters in one way, from few batches to many."""
    pattern = re.escape(noised(effect, 2, restore)).replace("2", r"(\d+)").replace("batches", "batch(?:es)?")
    found = {int(m[1]): name for name in case.table.frame["algorithm"].unique() if (m := re.fullmatch(pattern, name))}
    if not found:
        raise NotRun(f"no {noised(effect, 2).partition(',')[0]}{', restored,' * restore} was measured")
    return [found[batches] for batches in sorted(found)]


def temporary_is_enough(case: Case) -> Finding:
    """GS-C13: the longest zeroing is no worse than pruning and better than neither; the shortest is worse than it."""
    shortest, longest = (noises(case, "zero")[i] for i in (0, -1))
    permanent = pruned("largest", 40, more="normalization left")
    return every(
        not_lower(accuracy(longest), than=accuracy(permanent)),
        higher(accuracy(longest), than=accuracy(NONE), of_means=True),
        lower(accuracy(shortest), than=accuracy(longest), of_means=True),
    )(case)


def without_targeted(name: str) -> Measure:
    """Return the accuracy after training once the filters are removed; it may be exactly the same as before."""
    return replace(of_runs(WITHOUT_TARGETED)(name), of_network=False)


def used_again(case: Case) -> Finding:
    """GS-C14: removing filters that noise once touched lowers the last accuracy, except after the longest zeroing."""
    *zeroing, longest = noises(case, "zero")
    return every(
        *(lower(without_targeted(a), than=last_accuracy(a)) for a in [*zeroing, *noises(case, "gaussian")]),
        not_lower(without_targeted(longest), than=last_accuracy(longest)),
    )(case)


def relied_on(case: Case) -> Finding:
    """GS-C15: the same, where the values are restored: however long they were zero."""
    restored = noises(case, "zero", restore=True)
    return every(*(lower(without_targeted(a), than=last_accuracy(a)) for a in restored))(case)


def sharper_is_steeper(name: str) -> Question:
    """GS-C18: the rise of the loss a step away falls from the sharpest direction to the next ones, as a rank correlation."""

    def read(case: Case) -> pandas.Series:
        rises = {}
        for place in DRAWN:
            losses = case.values(ALONG.format(place), name, "position", level=0 if name == NONE else 1)
            away, back, here = (losses.loc[:, step] for step in (STEP, -STEP, 0.0))
            rises[place] = (away + back) / 2 - here
        return correlations(pandas.DataFrame(rises), pandas.Series({place: float(place) for place in DRAWN}))

    words = f"rank correlation of the place of an eigenvector and the rise of the loss {STEP:g} along it, {name}"
    return lower(Measure(words, "", read, of_network=False), than=0, of_means=True)


def distance(when: str, layers: slice = slice(None), words: str = "") -> Measure:
    """Return the mean distance from a normal distribution over some of the last layers, from the input."""

    def read(case: Case) -> pandas.Series:
        return case.values(DISTANCE.format(when), NONE, "position", level=0).iloc[:, layers].mean(axis=1)

    return Measure(f"distance from normal {when}{words}", "", read, of_network=False)


less_normal_after = every(
    lower(distance(BEFORE), than=NEAR_NORMAL, of_means=True),
    higher(distance(AFTER), than=distance(BEFORE), of_means=True),
    higher(
        distance(AFTER, slice(-4, None), " of the last four layers"),
        than=distance(AFTER, slice(None, -4), " of the layers before"),
        of_means=True,
    ),
)
"""GS-C22: small before training, larger after it, and larger near the output."""

small_large = [pruned(target, 750, "signed_expected") for target in ("smallest", "largest")]

QUESTIONS: Mapping[str, tuple[Sequence[str], Question]] = {
    "GS-C01": (NETWORKS, both_coefficients(FIGURE_2[1:])),
    "GS-C02": (NETWORKS, stronger_by_normalization),
    "GS-C03": (NETWORKS, in_order(FIGURE_2)),
    "GS-C04": (NETWORKS, steadier_by_sign),
    "GS-C05": ((VGG11,), best_between),
    "GS-C06": ((VGG11,), negative_but_for_one_shot),
    "GS-C07": ((VGG11,), fades),
    "GS-C08": (
        (RESNET18,),
        every(
            higher_mean(accuracy(more_pruned("smallest", 40)), than=accuracy(MIDDLE), alpha=TENTH),
            lower_mean(accuracy(more_pruned("largest", 40)), than=accuracy(UNSTABLE), alpha=TENTH),
            mean_differs(accuracy(more_pruned("smallest", 4)), accuracy(STABLE), "match", alpha=TENTH),
        ),
    ),
    "GS-C09": ((RESNET18,), equal(stability(more_pruned("smallest", 40)), than=stability(UNSTABLE))),
    "GS-C10": (
        TRADITIONAL,
        every(
            correlated(stability, accuracy, SELDOM),
            *(not_higher(accuracy(name), than=accuracy(NONE)) for name in SELDOM),
        ),
    ),
    "GS-C11": (
        (RESNET18_SGD,),
        every(
            higher(accuracy(OFTEN[1]), than=accuracy(NONE), of_means=True),
            lower(accuracy(OFTEN[0]), than=accuracy(NONE), of_means=True),
        ),
    ),
    "GS-C12": (
        (RESNET18_SGD,),
        every(
            *(
                lower(
                    average(of, SELDOM, f"mean {what} where a few events prune"),
                    than=average(of, OFTEN, "where every epoch prunes"),
                    of_means=True,
                )
                for of, what in ((stability, "stability"), (accuracy, "accuracy"))
            )
        ),
    ),
    "GS-C13": ((VGG11,), temporary_is_enough),
    "GS-C14": ((VGG11,), used_again),
    "GS-C15": ((VGG11,), relied_on),
    "GS-C16": (
        (VGG11,),
        every(
            *(correlated(stability, one, FLAT, "positive") for one in (trace, gradient_noise)),
            *(correlated(one, accuracy, FLAT, "negative") for one in (trace, gradient_noise)),
        ),
    ),
    "GS-C17": ((VGG11,), correlated(stability, tolerated, FLAT, "negative")),
    "GS-C18": ((VGG11,), every(*map(sharper_is_steeper, FLAT))),
    "GS-C19": (
        (VGG11,),
        every(correlated(stability, proxy, FLAT, "positive"), correlated(proxy, accuracy, FLAT, "negative")),
    ),
    "GS-C20": ((VGG11,), correlated(stability, accuracy, FLAT)),
    "GS-C21": (
        (CIFAR100,),
        every(*(higher_mean(accuracy(small_large[1]), than=accuracy(a)) for a in (SCRATCH, small_large[0]))),
    ),
    "GS-C22": ((VGG11,), less_normal_after),
    "GS-C23": (
        (RESNET18,),
        higher(accuracy(UNSTABLE), than=accuracy(pruned("largest", 40, more=LESS_SHORTCUT)), of_means=True),
    ),
}
"""By id: the benchmarks that a claim speaks of, and what it asks of a table."""

NOT_OF_THE_TRADE_OFF = frozenset(f"GS-C{number:02d}" for number in (4, 14, 15, 18, 21, 22))
"""Claims of scores, of filters that are used again, of curvature and of normality: a narrow network can decide them."""


def _claim(id: str, question: Question) -> Claim:
    """Return what judges a claim; one of the trade-off stays undecided at `laptop` scale.

    The laptop plan said before it was run that pruning takes capacity there, so that every pruned network is worse: what
    contradicts a claim of the trade-off at that scale is a defect of the plan, and what agrees with one is not owed to it.
    """
    judged = in_table(question)
    if id in NOT_OF_THE_TRADE_OFF:
        return judged
    return undecided_at("laptop", "the network is too narrow for its plan to show the trade-off", judged)


CLAIMS: Mapping[str, tuple[Sequence[str], Claim]] = {
    id: (benchmarks, _claim(id, question)) for id, (benchmarks, question) in QUESTIONS.items()
}
"""By id: the benchmarks that a claim speaks of, and the claim."""
