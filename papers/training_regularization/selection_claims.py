"""Tests of TR appendices C and J.2: which weights go (magnitude, SynFlow, SNIP, random), and longer training against all.

Magnitude is learning-rate rewinding; the others are the same chain with another score.
"""

from lib.analysis.tables import Table
from lib.analysis.verdicts import Finding, answer
from papers.training_regularization.cases import (
    EDT,
    LRR,
    RANDOM,
    SNIP,
    SYNFLOW,
    WR,
    against,
    best_test_error,
    cases,
    in_words,
    numbers_of,
    optimal_differences,
)
from papers.training_regularization.comparison import printed_verdicts

PRUNING = (LRR, WR, SYNFLOW, SNIP, RANDOM)
"""The five pruning variants of Table 2."""

SELECTIONS = {LRR: "magnitude", SYNFLOW: "SynFlow", RANDOM: "random"}
"""The three rules of Table 10."""

RANDOM_IS_WORSE = ("cifar10-vgg16", "imagenet-resnet50")
"""TR-C33's exceptions: four cases, so its count of 9 of 13 is all the others."""

RANDOM_TIES_IN_PRINT = {("mnist-lenet", 5.0)}
"""The case by which TR-C33's count of 9 and the 8 recomputed from Table 10 differ."""


def longer_training_matches_every_pruning(table: Table) -> Finding:
    """TR-C02: for b in {ResNet-20, VGG-16, ResNet-32, ResNet-50}, a in {LRR, WR, SynFlow, SNIP, Random}:
    mean(E[EDT,b] - E[a,b]) < 1 std.

    Without noise, each at its own optimum; here on one benchmark.
    """
    noises, lack = cases(table, [EDT, *PRUNING], noise_percents=[0.0])
    found = {a: one for a in PRUNING for one in optimal_differences(table, EDT, a, noises).values()}
    holds = all(one.verdict in ("lower", "match") for one in found.values())
    words = ", ".join(f"{one.verdict} against {name}" for name, one in found.items())
    reason = f"test error of extended dense training without noise: {words}; decided for this benchmark only."
    numbers = {f"difference_error_percent_to_{name}": one.mean for name, one in found.items()}
    return answer(holds, reason, numbers | {f"std_to_{n}": one.std for n, one in found.items()}, lack)


def random_beats_magnitude(table: Table) -> Finding:
    """TR-C33: count of mean(E[random] - E[magnitude]) <= -1 std over 13 cases is 9 (recomputed 8); > 0 for VGG-16 (3)
    and ResNet-50.

    Here in the cases of one benchmark, each at its own optimum: lower in each, on LeNet at 5 % noise it may also
    match; on VGG-16 and ResNet-50 the mean is above 0 in each.
    """
    benchmark = table.provenance.benchmark
    noises, lack = cases(table, [LRR, RANDOM])
    found = optimal_differences(table, RANDOM, LRR, noises)
    if benchmark in RANDOM_IS_WORSE:
        holds = all(one.mean > 0 for one in found.values())
    else:
        holds = all(
            one.verdict == "lower" or (one.verdict == "match" and (benchmark, noise) in RANDOM_TIES_IN_PRINT)
            for noise, one in found.items()
        )
    reason = (
        f"test error of random against magnitude selection: {in_words(found)}; "
        f"TR counts 9 of 13 cases lower over five networks, this decides the {len(found)} of this one."
    )
    return answer(holds, reason, numbers_of("random_minus_magnitude_error_percent", found), lack)


def synflow_beats_magnitude_on_a_third(table: Table) -> Finding:
    """TR-C34: count over 18 is 6 (recomputed 5); each of the three rules is best somewhere.

    Here in the cases of one benchmark, without noise too, each at its own optimum. SynFlow must be lower where every
    reading of Table 10 has it lower (`printed_verdicts`), and must not where none has; the others decide nothing. Which
    rule is best at which noise level is reported: that each one is somewhere takes all five networks.
    """
    printed = printed_verdicts("table_10_weight_selection", SYNFLOW, LRR, table.provenance.benchmark)
    allowed = {
        noise: {"lower"} if verdicts == {"lower"} else {"match", "higher"}
        for noise, verdicts in printed.items()
        if verdicts == {"lower"} or "lower" not in verdicts
    }
    noises, _ = cases(table, list(SELECTIONS), noise_percents=list(printed))
    best = []
    for noise in noises:
        means = {rule: best_test_error(table, name, noise).mean() for name, rule in SELECTIONS.items()}
        best.append(f"{min(means, key=means.__getitem__)} at {noise:g} %")
    what = f"SynFlow against magnitude selection (lowest mean: {', '.join(best)})"
    return against(table, SYNFLOW, LRR, allowed, what, list(printed))
