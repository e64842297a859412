"""Tests of TR section 4: pruning under label noise (TR-C07 to TR-C13), each on one benchmark."""

import math

from lib.analysis.statistics import optimal_level
from lib.analysis.tables import Table
from lib.analysis.verdicts import Finding, answer
from papers.training_regularization.cases import (
    LRR,
    NOISE_PERCENT,
    SUBSETS_OF_LOSS,
    at_optimum,
    cases,
    in_words,
    increasing,
    is_in,
    listed,
    loss_gap,
    mean_by_level,
    numbers_of,
    optimal_against_dense,
    weights_remaining,
)

TIED_IN_PRINT = {("mnist-lenet", 5), ("cifar100-resnet32", 15), ("cifar100-resnet32", 30)}
"""TR-C07 counts two ties without naming them; these are the cases whose printed means (Tables 5, 6 and 8) tie
under one reading or another of the printed standard deviations."""

LOSS_NEED_NOT_RISE = {("mnist-lenet", 5), ("imagenet-resnet50", 15)}
"""The exceptions that TR-C09 itself makes (Table 11)."""

FEW_WEIGHTS_PERCENT = 10.0
"""TR section 4 on ResNet-20: "many" means more than 10 % of the weights remaining, "few" less."""

VERY_SPARSE_PERCENT = 2.0
"""TR-C13 speaks of very high sparsity without a number; this one is ours. A chain that ends above it, with
the gap still at its widest, decides nothing."""


def pruning_beats_dense(table: Table) -> Finding:
    """TR-C07: count over 13 cases of mean(E[LRR,opt] - E[dense]) <= -1 std equals 11; no case > +1 std.

    Here, over the cases of one benchmark: none is higher, and each is lower but for those of `TIED_IN_PRINT`,
    which may also match. The count over all five networks is not decided by one table.
    """
    noises, lack = cases(table, [LRR])
    found = {noise: optimal_against_dense(table, noise) for noise in noises}
    holds = all(
        one.verdict == "lower" or (one.verdict == "match" and is_in(table, noise, TIED_IN_PRINT))
        for noise, one in found.items()
    )
    reason = (
        f"test error of the optimally sparse against the dense network: {in_words(found)}; "
        f"TR counts 11 of 13 cases lower over five networks, this decides the {len(found)} of this one."
    )
    return answer(
        holds, reason, numbers_of("sparse_minus_dense_error_percent", found) | at_optimum(table, noises), lack
    )


def gain_grows_with_noise(table: Table) -> Finding:
    """TR-C08: mean(E[dense] - E[LRR,opt]) strictly increasing in noise for each network.

    Here for one network, over its noise levels above zero, the ones for which TR gives gains.
    """
    noises, lack = cases(table, [LRR])
    gains = {noise: -optimal_against_dense(table, noise).mean for noise in noises}
    reason = f"gain of the optimally sparse over the dense network at {listed(gains)} points."
    numbers = {f"gain_percent_at_{noise:g}": gain for noise, gain in gains.items()}
    return answer(increasing(list(gains.values())), reason, numbers | at_optimum(table, noises), lack)


def noisy_loss_rises(table: Table) -> Finding:
    """TR-C09: mean(L_noisy[sparse_opt] - L_noisy[dense]) >= 1 std in 11 of 13 cases.

    The claim excepts LeNet at 5 % and ResNet-50. Here in every other case of one benchmark; exceptions are
    reported and decide nothing.
    """
    noises, lack = cases(table, [LRR], SUBSETS_OF_LOSS)
    found = {
        noise: optimal_against_dense(table, noise, "train_noisy", "cross_entropy_nats") for noise in noises
    }
    holds = all(
        one.verdict == "higher" for noise, one in found.items() if not is_in(table, noise, LOSS_NEED_NOT_RISE)
    )
    what = "training loss of the optimally sparse against the dense network on noisy examples"
    reason = f"{what}: {in_words(found)}{_excepted(table)}."
    return answer(
        holds, reason, numbers_of("noisy_loss_change_nats", found) | at_optimum(table, noises), lack
    )


def loss_rises_more_on_noisy(table: Table) -> Finding:
    """TR-C10: in the 11 cases of TR-C09, mean(dL_noisy) > mean(dL_original) at the optimum.

    Here in those of one benchmark; exceptions are reported and decide nothing.
    """
    noises, lack = cases(table, [LRR], SUBSETS_OF_LOSS)
    numbers, holds, parts = {}, True, []
    for noise in noises:
        noisy, original = (
            optimal_against_dense(table, noise, subset, "cross_entropy_nats").mean
            for subset in ("train_noisy", "train_original")
        )
        holds = holds and (noisy > original or is_in(table, noise, LOSS_NEED_NOT_RISE))
        parts.append(f"{noisy:+.2f} against {original:+.2f} nats at {noise:g} %")
        numbers[f"noisy_loss_change_nats_at_{noise:g}"] = noisy
        numbers[f"original_loss_change_nats_at_{noise:g}"] = original
    reason = (
        f"loss change at the optimum, noisy against original examples: {', '.join(parts)}{_excepted(table)}."
    )
    return answer(holds, reason, numbers | at_optimum(table, noises), lack)


def gap_opens_wide(table: Table) -> Finding:
    """TR-C11, VGG-16 only: L_noisy - L_original: sparse_opt > 10 x dense at 15, 30, 60 % noise."""
    noises, lack = cases(table, [LRR], SUBSETS_OF_LOSS)
    numbers = {}
    for noise in noises:
        gap, best = loss_gap(table, noise), optimal_level(table.frame, LRR, noise)
        numbers[f"gap_nats_dense_at_{noise:g}"] = gap[0]
        numbers[f"gap_nats_optimal_at_{noise:g}"] = gap.get(best, math.nan)
    holds = all(
        numbers[f"gap_nats_optimal_at_{n:g}"] > 10 * numbers[f"gap_nats_dense_at_{n:g}"] for n in noises
    )
    reason = "gap between noisy and original training loss: optimally sparse against ten times the dense one."
    return answer(holds, reason, numbers | at_optimum(table, noises), lack)


def noisy_loss_falls_first(table: Table) -> Finding:
    """TR-C12, ResNet-20 only: exists k with 0.8^k > 0.1: mean(L_noisy[k] - L_noisy[dense]) < 0.

    And for 0.8^k < 0.1 it is > 0. At every noise level above zero; the share of weights is the measured one.
    The chain must go below 10 % of the weights.
    """
    noises, lack = cases(table, [LRR], SUBSETS_OF_LOSS)
    numbers, holds = {}, True
    for noise in noises:
        loss = mean_by_level(table, noise, "train_noisy", "cross_entropy_nats")
        change = {level: loss[level] - loss[0] for level in loss if level > 0}
        remaining = weights_remaining(table, noise)
        change = {level: value for level, value in change.items() if level in remaining}
        many = [change[level] for level in change if remaining[level] > FEW_WEIGHTS_PERCENT]
        few = [change[level] for level in change if remaining[level] < FEW_WEIGHTS_PERCENT]
        if not many or not few:
            lack = lack or f"missing levels on one side of {FEW_WEIGHTS_PERCENT:g} % of the weights."
        numbers[f"lowest_change_nats_with_many_weights_at_{noise:g}"] = min(many, default=math.nan)
        numbers[f"lowest_change_nats_with_few_weights_at_{noise:g}"] = min(few, default=math.nan)
        holds = holds and min(many, default=math.nan) < 0 < min(few, default=math.nan)
    reason = (
        "change of the training loss on noisy examples: below zero at some level above 10 % of the weights, "
        "and above zero at every level under it."
    )
    return answer(holds, reason, numbers, lack)


def gap_closes_again(table: Table) -> Finding:
    """TR-C13: the gap L_noisy - L_original at the highest sparsity < its maximum over the chain.

    Here for one benchmark, at every noise level above zero. Where the gap is widest at the last level and
    that level keeps more than `VERY_SPARSE_PERCENT` of the weights, the chain is too short to decide.
    """
    noises, lack = cases(table, [LRR], SUBSETS_OF_LOSS)
    numbers, holds = {}, True
    for noise in noises:
        gap, remaining = loss_gap(table, noise), weights_remaining(table, noise)
        last, widest = max(gap), max(gap, key=lambda level: gap[level])
        if last == widest:
            holds = False
            if remaining[last] > VERY_SPARSE_PERCENT:
                lack = lack or (
                    f"missing levels: at {noise:g} % noise the gap is widest at the end of the chain, "
                    f"which keeps {remaining[last]:.3g} % of the weights."
                )
        numbers[f"gap_nats_at_end_at_{noise:g}"] = gap[last]
        numbers[f"gap_nats_widest_at_{noise:g}"] = gap[widest]
        numbers[f"weights_remaining_percent_widest_at_{noise:g}"] = remaining[widest]
        numbers[f"weights_remaining_percent_at_end_at_{noise:g}"] = remaining[last]
    reason = "gap between noisy and original training loss: at the last level against its widest."
    return answer(holds, reason, numbers, lack)


def _excepted(table: Table) -> str:
    names = [f"{noise:g} %" for noise in NOISE_PERCENT.get(table.provenance.benchmark, ())]
    kept = [name for name in names if is_in(table, float(name.split()[0]), LOSS_NEED_NOT_RISE)]
    return f"; {', '.join(kept)} is excepted by the claim" if kept else ""
