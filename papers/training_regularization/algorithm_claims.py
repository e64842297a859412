"""Tests of TR section 5.1 and appendices C and J.1: longer training and weight rewinding against pruning."""

from collections.abc import Sequence

from lib.analysis.statistics import at_level, compare
from lib.analysis.tables import Table
from lib.analysis.verdicts import Finding, answer
from papers.training_regularization.cases import (
    EDT,
    LRR,
    WR,
    best_test_error,
    cases,
    in_words,
    increasing,
    listed,
    numbers_of,
    weights_remaining,
)

EDT_FALLS_BEHIND: dict[str, tuple[float, ...]] = {
    "mnist-lenet": (10, 15),
    "cifar10-resnet20": (15, 30, 60),
    "cifar10-vgg16": (15, 30, 60),
    "cifar100-resnet32": (60,),
}
"""The nine cases of TR-C17, read from section 5.1's ranges and Table 5."""


def training_longer_equals_pruning(table: Table) -> Finding:
    """TR-C01, VGG-16 only: for all k with 0.8^k > 0.01, with d = E[EDT,k] - E[LRR,k]: |mean(d)| < std(d).

    Without noise; levels are those of learning-rate rewinding that keep more than 1 % of the weights, and
    there must be no further one to come (the next, of 80 %, would keep less).
    """
    noises, lack = cases(table, [LRR, EDT], noise_percents=[0.0])
    found = {}
    for noise in noises:
        remaining = weights_remaining(table, noise)
        least = min(remaining.values())
        if least * 0.8 > 1:
            end = f"missing levels: the chain ends at {least:.3g} % of the weights, it takes 1 %."
            lack = lack or end
        for level in (level for level in remaining if level > 0 and remaining[level] > 1):
            found[level] = compare(*(at_level(table.frame, name, noise, level) for name in (EDT, LRR)))
    if unpaired := [str(level) for level, one in found.items() if one.verdict == "undecided"]:
        lack = lack or f"missing levels of {EDT}, or too few replicates, at level {', '.join(unpaired)}."
    differing = [str(level) for level, one in found.items() if one.verdict in ("lower", "higher")]
    reason = f"extended dense training and pruning differ at {len(differing)} of {len(found)} levels."
    numbers = {"levels_compared": float(len(found)), "levels_that_differ": float(len(differing))}
    if found:
        numbers["largest_difference_error_percent"] = max((one.mean for one in found.values()), key=abs)
    return answer(not differing, reason, numbers, lack)


def rewinding_beats_longer_training(table: Table) -> Finding:
    """TR-C03, LeNet only: mean(E[WR] - E[EDT]) < -1 std without noise, each at its own optimum (Table 2)."""
    return _against(table, WR, EDT, [0.0], {"lower"}, "weight rewinding against extended dense training")


def longer_training_matches_pruning(table: Table) -> Finding:
    """TR-C16: mean(E[EDT] - E[LRR,opt]) < 1 std on 5 benchmarks without noise; here on one.

    Both at their own optimum.
    """
    return _against(table, EDT, LRR, [0.0], {"lower", "match"}, "extended dense training against pruning")


def longer_training_falls_behind(table: Table) -> Finding:
    """TR-C17: count over 13 cases of mean(E[EDT] - E[LRR,opt]) >= 1 std equals 9. Both at their own optimum.

    Here, each case of one benchmark that belongs to the nine (`EDT_FALLS_BEHIND`) must be higher; the others
    are reported and decide nothing.
    """
    must = EDT_FALLS_BEHIND.get(table.provenance.benchmark, ())
    return _against(table, EDT, LRR, None, {"higher"}, "extended dense training against pruning", must)


def shortfall_grows_with_noise(table: Table) -> Finding:
    """TR-C18: mean(E[EDT] - E[LRR]) strictly increasing in noise on LeNet, ResNet-20 and VGG-16.

    Here on one of them, over its noise levels above zero; both at their own optimum.
    """
    noises, lack = cases(table, [LRR, EDT])
    shortfall = {
        noise: compare(best_test_error(table, EDT, noise), best_test_error(table, LRR, noise)).mean
        for noise in noises
    }
    reason = f"extended dense training behind pruning at {listed(shortfall)} points."
    numbers = {f"shortfall_percent_at_{noise:g}": value for noise, value in shortfall.items()}
    return answer(increasing(list(shortfall.values())), reason, numbers, lack)


def weight_rewinding_at_least_as_good(table: Table) -> Finding:
    """TR-C31: mean(E[LRR] - E[WR]) > -1 std in all 13 noisy cases; range 0 to 5.5. Both at their own optimum.

    Here in the cases of one benchmark. The part "without noise the sign varies" needs several networks and is
    not decided.
    """
    what = "learning-rate rewinding against weight rewinding"
    return _against(table, LRR, WR, None, {"higher", "match"}, what)


def _against(
    table: Table,
    first: str,
    second: str,
    noise_percents: Sequence[float] | None,
    allowed: set[str],
    what: str,
    must: Sequence[float] | None = None,
) -> Finding:
    """Compare two algorithms, each at its own optimum.

    Every case in `must` (by default every one) has to have an allowed verdict; the others are only reported.
    """
    noises, lack = cases(table, [first, second], noise_percents=noise_percents)
    found = {
        noise: compare(best_test_error(table, first, noise), best_test_error(table, second, noise))
        for noise in noises
    }
    holds = all(one.verdict in allowed for noise, one in found.items() if must is None or noise in must)
    free = [] if must is None else [f"{noise:g} %" for noise in found if noise not in must]
    note = f"; {', '.join(free)} decides nothing" if free else ""
    reason = f"test error of {what}: {in_words(found)}{note}; decided for this benchmark only."
    return answer(holds, reason, numbers_of("difference_error_percent", found), lack)
