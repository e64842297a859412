"""Tests of TR section 3, Fig. 5 of section 4 and appendix L: training loss of groups of examples by difficulty.

dL_g is the change of the mean training loss of group g against the dense network, g = 1 the easiest to 20 the hardest by
EL2N (`lib.analysis.group_changes`). TR plots no number of it, so what "most" means is ours: more than half. Where the dense
network has the lowest validation error there is no optimally sparse one to speak of, and the case decides nothing.
"""

import math
from collections.abc import Sequence

import pandas

from lib.analysis.group_changes import effect_ratio, loss_changes, measured_levels, top_and_bottom
from lib.analysis.levels import evenly_spaced, highest_improving_level
from lib.analysis.statistics import FEWEST_REPLICATES, at_level, compare, optimal_level
from lib.analysis.tables import Table
from lib.analysis.verdicts import Finding, NotRun, answer, require_algorithms
from papers.training_regularization.cases import (
    EDT,
    LRR,
    NOISE_PERCENT,
    cases,
    is_in,
    listed,
    optimal_against_dense,
    weights_remaining,
)
from papers.training_regularization.noise_claims import VERY_SPARSE_PERCENT

WIDTH = "width_downscaling"

WORSE_AT_HIGHEST = ("cifar10-resnet20", "cifar10-vgg16")
"""TR-C06: the two networks whose training loss rises at the highest improving sparsity."""

SATURATED = {("cifar10-resnet20", 60), ("cifar100-resnet32", 60)}
"""TR-C14: the loss of hard examples has no room to rise further (caption of Fig. 5)."""

LEFT_OUT = {("mnist-lenet", 5)}
"""Fig. 5 leaves this case out, because the dense network is said to be best (DISCREPANCIES TR-D9)."""

MANY_WEIGHTS_PERCENT = (26.0, 80.5)
"""TR-C37: from 26.21 to 80 % of the weights the loss falls."""

FEW_WEIGHTS_PERCENT = (0.9, 8.6)
"""TR-C37: from 0.92 to 8.59 % of the weights the loss rises."""


def no_group_is_harmed_at_the_optimum(table: Table) -> Finding:
    """TR-C04: for all 5 benchmarks, all 20 groups g: mean(L_g[sparse_opt] - L_g[dense]) < 1 std.

    Here on one benchmark, without noise.
    """
    changes, lack = _at_optimum(table, 0.0)
    nothing = pandas.Series(0.0, index=changes.index)
    verdicts = [compare(change, nothing).verdict for _, change in changes.items()]
    harmed = [str(group) for group, verdict in zip(changes, verdicts, strict=True) if verdict == "higher"]
    worse = f" (group {', '.join(harmed)} of 20, the hardest being 20)" if harmed else ""
    reason = (
        f"at the optimum without noise the loss rises by at least one standard deviation in {len(harmed)} of "
        f"{len(verdicts)} groups{worse}; decided for this benchmark only."
    )
    numbers = _summary(changes) | {"groups_harmed": float(len(harmed))}
    return answer(not harmed, reason, numbers, lack)


def hard_examples_change_most(table: Table) -> Finding:
    """TR-C05: mean|dL| over EL2N top 20% divided by mean|dL| over bottom 80% > 1 for all benchmarks.

    Printed: 3.5 to 71. Here on one benchmark, at the optimum without noise; magnitudes are those of the group means.
    """
    changes, lack = _at_optimum(table, 0.0)
    ratio = effect_ratio(changes.mean()) if len(changes) else math.nan
    reason = f"the loss of the hardest 20 % changes {ratio:.3g} times as much as that of the rest; printed: 3.5 to 71."
    return answer(ratio > 1, reason, _summary(changes) | {"effect_ratio": ratio}, lack)


def highest_improving_sparsity(table: Table) -> Finding:
    """TR-C06: ResNet-20, VGG-16: share of groups with dL_g > 0 exceeds 1/2 and mean(E[sparse]) < mean(E[dense]); LeNet,
    ResNet-32, ResNet-50: mean dL < 0.

    Without noise, at the last level whose mean test error is below that of the dense network. Where that is the last of
    the chain and keeps more than `VERY_SPARSE_PERCENT` of the weights, the chain is too short to decide.
    """
    noises, lack = _cases(table, [LRR], [0.0])
    level = highest_improving_level(table.frame, LRR, 0.0) if noises else None
    if level is None:
        return answer(
            False, "", {}, lack or "no level has a lower test error than the dense network, without noise."
        )
    remaining = weights_remaining(table, 0.0)
    if level == max(remaining) and remaining[level] > VERY_SPARSE_PERCENT:
        end = f"the chain ends at {remaining[level]:.3g} % of the weights, where it still improves."
        lack = lack or f"missing levels: {end}"
    changes = _changes(table, LRR, 0.0, level)
    means = changes.mean()
    risen = int((means > 0).sum())
    if table.provenance.benchmark in WORSE_AT_HIGHEST:
        holds, wanted = risen > len(means) / 2, "it rises in most"
    else:
        holds, wanted = float(means.mean()) < 0, "it falls on average"
    error = compare(*(at_level(table.frame, LRR, 0.0, k) for k in (level, 0)))
    numbers = _summary(changes) | {
        "mean_change_nats": float(means.mean()),
        "difference_error_percent": error.mean,
        "weights_remaining_percent": remaining[level],
    }
    reason = (
        f"at the highest improving sparsity (level {level}) the loss rises in {risen} of {len(means)} groups, and changes "
        f"by {float(means.mean()):+.2g} nats on average; by the claim {wanted}."
    )
    return answer(holds, reason, numbers, lack)


def noise_turns_the_effect_around(table: Table) -> Finding:
    """TR-C14: Spearman(group rank, dL_g) > 0 with noise (not ResNet-50) and mean dL of top 20% > 0; < 0 without noise.

    At the optimum, both numbers. Here in the cases of one benchmark; those of `SATURATED` and `LEFT_OUT`, and noise levels
    where the dense network is best, are reported and decide nothing.
    """
    wanted = [0.0, *NOISE_PERCENT.get(table.provenance.benchmark, ())]
    noises, lack = _cases(table, [LRR], wanted)
    numbers: dict[str, float] = {}
    free, parts, deciding = [], [], []
    for noise in noises:
        changes = _changes(table, LRR, noise, optimal_level(table.frame, LRR, noise)).mean()
        if not changes.any():
            free.append(f"{noise:g} % (dense is best)")
            continue
        rank = float(changes.corr(changes.index.to_series(), method="spearman"))
        top = float(top_and_bottom(changes)[0].mean())
        numbers |= {f"spearman_at_{noise:g}": rank, f"top_change_nats_at_{noise:g}": top}
        parts.append(f"{rank:+.2f} and {top:+.2g} nats at {noise:g} %")
        if is_in(table, noise, SATURATED | LEFT_OUT):
            free.append(f"{noise:g} %")
        else:
            deciding.append((noise, min(rank, top) > 0 if noise else max(rank, top) < 0))
    if not any(noise for noise, _ in deciding) or all(noise for noise, _ in deciding):
        lack = lack or "the dense network is best without noise, or at every noise level that decides."
    note = f"; {', '.join(free)} decides nothing" if free else ""
    reason = (
        "rank correlation of group and loss change, and change of the hardest 20 %, at the optimum: "
        f"{', '.join(parts)}{note}."
    )
    return answer(all(holds for _, holds in deciding), reason, numbers, lack)


def noise_decides_which_effect_wins(table: Table) -> Finding:
    """TR-C15: sign(mean L[sparse_opt] - L[dense]) = -1 at 0% and +1 at the highest noise, per network (not ResNet-50).

    Here for one network, on all training examples.
    """
    ends = (0.0, max(NOISE_PERCENT.get(table.provenance.benchmark, (0.0,))))
    noises, lack = cases(table, [LRR], ("test", "validation", "train"), ends)
    found = {
        noise: optimal_against_dense(table, noise, "train", "cross_entropy_nats").mean for noise in noises
    }
    best = [f"{noise:g} %" for noise in noises if optimal_level(table.frame, LRR, noise) == 0]
    if best:
        lack = (
            lack
            or f"the dense network is best at {', '.join(best)} noise: there is no sparse one to compare."
        )
    holds = all((change > 0) if noise else (change < 0) for noise, change in found.items())
    reason = f"change of the training loss at the optimum, in nats: {listed(found)}."
    return answer(holds, reason, {f"loss_change_nats_at_{n:g}": v for n, v in found.items()}, lack)


def pruning_helps_then_harms(table: Table) -> Finding:
    """TR-C37: ResNet-20 noise 0: dL_g < 0 for most g at 80-26.21% weights, dL_g > 0 for most g at 8.59-0.92%.

    At every measured level inside these ranges; it takes one in each.
    """
    noises, lack = _cases(table, [LRR], [0.0])
    numbers, ok = {}, []
    remaining = weights_remaining(table, 0.0) if noises else {}
    for name, (low, high), sign in (
        ("many", MANY_WEIGHTS_PERCENT, -1),
        ("few", FEW_WEIGHTS_PERCENT, 1),
    ):
        inside = [k for k in measured_levels(table, LRR, 0.0) if k and low <= remaining.get(k, 0.0) <= high]
        shares = [float((sign * _changes(table, LRR, 0.0, k).mean() > 0).mean()) for k in inside]
        numbers[f"least_share_of_groups_with_{name}_weights"] = min(shares, default=math.nan)
        ok.append(min(shares, default=math.nan) > 0.5)
        if not inside:
            lack = lack or f"missing levels with {low:g} to {high:g} % of the weights."
    many, few = numbers.values()
    reason = (
        f"share of groups whose loss falls at every level with many weights: at least {100 * many:.0f} %; whose loss rises "
        f"at every level with few: at least {100 * few:.0f} %."
    )
    return answer(all(ok), reason, numbers, lack)


def longer_training_never_regularizes(table: Table) -> Finding:
    """TR-C38: dL_g <= 0 for most g at all 5 lengths and all noise levels.

    Here on one benchmark, at five evenly spaced lengths, or all where the table has fewer.
    """
    return _at_every_level(table, EDT, -1, "longer training", "falls or stays")


def narrower_networks_never_train_better(table: Table) -> Finding:
    """TR-C39: dL_g >= 0 for most g at all 5 widths.

    Here on one benchmark, at all noise levels, at five evenly spaced widths, or all where the table has fewer.
    """
    return _at_every_level(table, WIDTH, 1, "narrower networks", "rises or stays")


def _at_every_level(table: Table, algorithm: str, sign: int, what: str, verb: str) -> Finding:
    """Test whether sign · dL_g >= 0 in most groups, at every evenly spaced level and noise level."""
    wanted = [0.0, *NOISE_PERCENT.get(table.provenance.benchmark, ())]
    noises, lack = _cases(table, [algorithm], wanted)
    numbers, failed, count = {}, [], 0
    for noise in noises:
        measured = measured_levels(table, algorithm, noise)
        wanted_levels = evenly_spaced(max(measured, default=0))
        levels = [level for level in wanted_levels if level in measured]
        if gone := [str(level) for level in wanted_levels if level not in levels]:
            lack = (
                lack
                or f"missing losses of groups of {algorithm} at level {', '.join(gone)}, {noise:g} % noise."
            )
        shares = {k: float((sign * _changes(table, algorithm, noise, k).mean() >= 0).mean()) for k in levels}
        numbers[f"least_share_of_groups_at_{noise:g}"] = min(shares.values(), default=math.nan)
        failed += [f"level {level} at {noise:g} %" for level, share in shares.items() if share <= 0.5]
        count = max(count, len(levels))
    if not count:
        lack = lack or f"missing levels of {algorithm} beyond the dense network."
    exceptions = f" but at {', '.join(failed)}" if failed else ""
    reason = (
        f"{what}: the loss {verb} in most groups at each of {count} levels and every noise level{exceptions}; decided "
        "for this benchmark only."
    )
    return answer(not failed, reason, numbers, lack)


def _at_optimum(table: Table, noise: float) -> tuple[pandas.DataFrame, str]:
    """The changes at the optimum of learning-rate rewinding, and what the table lacks for a decision."""
    noises, lack = _cases(table, [LRR], [noise])
    if not noises:
        return pandas.DataFrame(), lack
    level = optimal_level(table.frame, LRR, noise)
    if level == 0:
        best = f"the dense network is best at {noise:g} % noise: there is no sparse one to compare."
        lack = lack or best
    return _changes(table, LRR, noise, level), lack


def _cases(table: Table, algorithms: Sequence[str], noises: Sequence[float]) -> tuple[list[float], str]:
    """The noise levels that can be looked at, as `cases`, and with losses of groups; what the table lacks.

    Raises:
        NotRun: an algorithm, or its losses of groups, are not in the table.
    """
    require_algorithms(table, algorithms)
    for name in algorithms:
        if not any(measured_levels(table, name, noise) for noise in set(table.frame["noise_percent"])):
            raise NotRun(f"this table has no losses of groups of examples of {name}.")
    usable, lack = cases(table, algorithms, noise_percents=noises)
    for name in algorithms:
        for noise in usable:
            levels = measured_levels(table, name, noise)
            fewest = min((len(loss_changes(table, name, noise, k).dropna()) for k in levels), default=0)
            if fewest < FEWEST_REPLICATES:
                lack = lack or (
                    f"too few replicates with losses of groups of {name} at {noise:g} % noise: {fewest}, it takes "
                    f"{FEWEST_REPLICATES}."
                )
    return [noise for noise in usable if all(measured_levels(table, n, noise) for n in algorithms)], lack


def _changes(table: Table, algorithm: str, noise: float, level: int) -> pandas.DataFrame:
    """The changes of replicates that have all groups."""
    return loss_changes(table, algorithm, noise, level).dropna()


def _summary(changes: pandas.DataFrame) -> dict[str, float]:
    """Mean change of the hardest 20 % and of the rest, in nats, as numbers of a finding."""
    top, rest = (part.mean() for part in top_and_bottom(changes.mean()))
    return {"top_20_percent_change_nats": float(top), "bottom_80_percent_change_nats": float(rest)}
