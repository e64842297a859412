"""Tests of TR sections 5.2 and 5.3 and appendix I: width down-scaling against pruning, and what both do to the examples.

WD is width down-scaling; in appendix I it trains for as long as one-shot pruning. L_g is the training loss of EL2N group g.
"""

import math
from functools import partial

from lib.analysis.chosen_levels import best_smaller_levels
from lib.analysis.example_groups import GROUP_LOSS
from lib.analysis.group_changes import loss_changes
from lib.analysis.overlap import OVERLAP
from lib.analysis.statistics import FEWEST_REPLICATES, at_level, compare, select
from lib.analysis.tables import Table
from lib.analysis.verdicts import Finding, NotRun, answer
from papers.training_regularization.algorithm_claims import EDT_FALLS_BEHIND
from papers.training_regularization.cases import (
    EDT,
    LONGER_WD,
    LRR,
    NOISE_PERCENT,
    ONE_SHOT,
    WD,
    against,
    best_test_error,
    cases,
    in_words,
    is_in,
    numbers_of,
    optimal_differences,
)

WIDTH_TIES = ("mnist-lenet",)
"""The one of five networks on which TR-C20 does not count width down-scaling as worse (Table 7)."""

STRONG_NOISE_PERCENT: dict[str, tuple[float, ...]] = {
    "cifar10-vgg16": (30, 60),
    "cifar10-resnet20": (60,),
    "cifar100-resnet32": (60,),
}
"""The cases of TR-C21."""

WIDEST_GAP_PERCENT = 2.1
"""TR section 5.2."""

CHANCE_OVERLAP, LARGEST_STD = 0.05, 0.03
"""TR Table 3."""

OVERLAP_NEAR_CHANCE = {("mnist-lenet", 5), ("cifar10-vgg16", 60), ("cifar10-vgg16", 0)}
"""TR-C30's two exceptions (0.11 and 0.12 in print), and VGG-16 without noise, which prints the bound itself, 0.14."""

SIMILAR = {ONE_SHOT: "one-shot pruning", LONGER_WD: "longer width down-scaling"}


def narrower_is_worse_without_noise(table: Table) -> Finding:
    """TR-C20: count of mean(E[WD,opt] - E[LRR,opt]) >= 1 std equals 4, without noise.

    Here on one benchmark, each at its own optimum: higher, but on LeNet, which is not among the four, not higher.
    """
    spared = table.provenance.benchmark in WIDTH_TIES
    allowed = {0.0: {"match", "lower"} if spared else {"higher"}}
    return against(table, WD, LRR, allowed, "width down-scaling against pruning", [0.0])


def narrower_beats_dense_with_noise(table: Table) -> Finding:
    """TR-C21: mean(E[WD,opt] - E[dense]) < -1 std at 30% and 60% for VGG-16 and at 60% for all CIFAR networks.

    Here in the cases of one benchmark (`STRONG_NOISE_PERCENT`).
    """
    noises, lack = cases(
        table, [WD, LRR], noise_percents=STRONG_NOISE_PERCENT.get(table.provenance.benchmark, ())
    )
    found = {
        noise: compare(best_test_error(table, WD, noise), at_level(table.frame, LRR, noise, 0))
        for noise in noises
    }
    reason = (
        "test error of width down-scaling at its optimum against the dense network of standard width: "
        f"{in_words(found)}; decided for this benchmark only."
    )
    holds = all(one.verdict == "lower" for one in found.values())
    return answer(holds, reason, numbers_of("narrower_minus_dense_error_percent", found), lack)


def narrower_ends_near_pruning(table: Table) -> Finding:
    """TR-C22: -1 std < mean(E[WD,opt] - E[LRR,opt]) <= 2.1 for CIFAR cases, with noise.

    Here in the cases of one benchmark, each at its own optimum.
    """
    noises, lack = cases(table, [WD, LRR])
    found = optimal_differences(table, WD, LRR, noises)
    holds = all(
        one.verdict in ("match", "higher") and one.mean <= WIDEST_GAP_PERCENT for one in found.values()
    )
    widest = max((one.mean for one in found.values()), default=math.nan)
    reason = (
        f"test error of width down-scaling against pruning: {in_words(found)}; at most {widest:.2f} points above "
        f"it, {WIDEST_GAP_PERCENT:g} are allowed; decided for this benchmark only."
    )
    return answer(holds, reason, numbers_of("difference_error_percent", found), lack)


def neither_part_explains_pruning(table: Table) -> Finding:
    """TR-C23: EDT fails (>= 1 std worse) on most noisy cases AND WD fails on most noise-free cases.

    "Most" counts over five networks: 9 of 13 cases (TR-C17) and 4 of 5 (TR-C20). Here, on one benchmark, each at its
    own optimum against pruning: EDT is higher in most of its cases among those nine (`EDT_FALLS_BEHIND`), and WD is
    higher without noise, where it decides nothing on LeNet, the fifth.
    """
    noisy = [float(noise) for noise in EDT_FALLS_BEHIND.get(table.provenance.benchmark, ())]
    noises, lack = cases(table, [LRR, EDT, WD], noise_percents=[0.0, *noisy])
    longer = optimal_differences(table, EDT, LRR, [noise for noise in noises if noise])
    smaller = optimal_differences(table, WD, LRR, [noise for noise in noises if not noise])
    failed = sum(one.verdict == "higher" for one in longer.values())
    spared = table.provenance.benchmark in WIDTH_TIES
    holds = failed > len(longer) / 2 and all(spared or one.verdict == "higher" for one in smaller.values())
    reason = (
        f"test error against pruning: of longer training alone {in_words(longer)}; of smaller width alone "
        f"{in_words(smaller)}{', which decides nothing on this network' if spared else ''}; "
        "decided for this benchmark only."
    )
    numbers = {f"longer_minus_pruned_error_percent_at_{noise:g}": one.mean for noise, one in longer.items()}
    numbers |= {f"narrower_minus_pruned_error_percent_at_{n:g}": one.mean for n, one in smaller.items()}
    return answer(holds, reason, numbers, lack)


def errors_fall_then_rise(table: Table) -> Finding:
    """TR-C28: both: error at some moderate reduction < dense by 1 std, error at the strongest reduction > minimum by 1 std.

    Both are one-shot pruning and WD trained for as long, with noise, in every case of one benchmark. "Moderate" is every
    level between the dense network and the strongest reduction; the minimum is that of the mean test error.
    """
    noises, lack = cases(table, [ONE_SHOT, LONGER_WD])
    unlike, numbers = [], {}
    for name, noise in ((name, noise) for noise in noises for name in SIMILAR):
        errors = select(table.frame, name, noise, "test").dropna(axis="columns")
        dense, *levels = errors.columns.tolist()
        if len(levels) < 2:
            lack = (
                lack or f"missing levels of {name} at {noise:g} % noise: it takes two besides the dense one."
            )
            continue
        at = partial(at_level, table.frame, name, noise)
        falls = {level: compare(at(level), at(dense)) for level in levels[:-1]}
        lowest = min(errors.columns.tolist(), key=lambda level: errors[level].to_numpy().mean())
        rise = compare(at(levels[-1]), at(lowest))
        numbers[f"{name}_fall_error_percent_at_{noise:g}"] = min(one.mean for one in falls.values())
        numbers[f"{name}_rise_error_percent_at_{noise:g}"] = rise.mean
        missed = [] if any(one.verdict == "lower" for one in falls.values()) else ["fall below the dense one"]
        missed += [] if rise.verdict == "higher" else ["rise again at the end"]
        if missed:
            unlike.append(f"test error of {SIMILAR[name]} at {noise:g} % does not {' or '.join(missed)}")
    alike = f"test error of both falls below the dense one, then rises, at {len(noises)} noise levels"
    return answer(
        not unlike, f"{'; '.join(unlike) or alike}; decided for this benchmark only.", numbers, lack
    )


def hard_groups_lose_most(table: Table) -> Finding:
    """TR-C29: Spearman(group rank, dL_g) > 0 for both under noise.

    dL_g is the mean over replicates of L_g minus that of the dense network, at the best smaller network
    (`lib.analysis.chosen_levels`), in every case with noise of one benchmark.
    """
    noises, lack = cases(table, [ONE_SHOT, LONGER_WD])
    _require(table, GROUP_LOSS, "losses by EL2N group")
    best, found = best_smaller_levels(table.frame), {}
    for name, noise in ((name, noise) for noise in noises for name in SIMILAR):
        changes = loss_changes(table, name, noise, best.get((name, noise), -1)).dropna()
        if len(changes) < FEWEST_REPLICATES:
            lack = lack or f"too few replicates with losses by EL2N group of {name} at {noise:g} % noise."
        if len(changes):
            rank = changes.mean().rank()
            found[name, noise] = float(rank.corr(changes.columns.to_series().rank()))
    words = ", ".join(
        f"{value:+.2f} for {SIMILAR[name]} at {noise:g} %" for (name, noise), value in found.items()
    )
    reason = f"rank correlation of a group's difficulty with the change of its loss: {words}."
    numbers = {f"{name}_rank_correlation_at_{noise:g}": value for (name, noise), value in found.items()}
    return answer(all(value > 0 for value in found.values()), reason, numbers, lack)


def same_examples_change(table: Table) -> Finding:
    """TR-C30: Jaccard > 0.05 + 3 x 0.03 in all 18 cases (LeNet 5% 0.11 and VGG-16 60% 0.12 fail this stricter bound but
    exceed 0.05).

    Here in the cases of one benchmark, without noise too, as means over replicates; in the cases of
    `OVERLAP_NEAR_CHANCE` it is enough to exceed 0.05.
    """
    asked = [0.0, *NOISE_PERCENT.get(table.provenance.benchmark, ())]
    noises, lack = cases(table, [ONE_SHOT, LONGER_WD], noise_percents=asked)
    _require(table, OVERLAP, "overlap of changed examples")
    rows = table.quantities[table.quantities["quantity"] == OVERLAP]
    holds, found = True, {}
    for noise in noises:
        values = rows.loc[rows["noise_percent"] == noise, "value"].dropna().to_numpy()
        if len(values) < FEWEST_REPLICATES:
            lack = lack or f"too few replicates with an overlap at {noise:g} % noise."
        if len(values):
            strict = 0 if is_in(table, noise, OVERLAP_NEAR_CHANCE) else 3 * LARGEST_STD
            found[noise] = float(values.mean())
            holds = holds and found[noise] > CHANCE_OVERLAP + strict
    words = ", ".join(f"{value:.2f} at {noise:g} %" for noise, value in found.items())
    reason = f"overlap of the examples that change most: {words} (chance: {CHANCE_OVERLAP:g}); this benchmark only."
    return answer(holds, reason, {f"overlap_at_{noise:g}": value for noise, value in found.items()}, lack)


def _require(table: Table, quantity: str, what: str) -> None:
    if quantity not in set(table.quantities["quantity"]):
        raise NotRun(f"this table has no {what}.")
