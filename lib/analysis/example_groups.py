"""Groups of training examples by how hard they are, and the loss of each group (TR sections 3 and 4, App. L).

The EL2N score of an example x with label y is the mean error of M networks that were trained for a tenth of the epochs (Paul
et al. 2021; TR App. B.3, facts E), with the label that they were trained on, noisy or not:

    EL2N(x, y) = 1/M Σₘ ‖softmax fₘ(x) − onehot(y)‖₂

Scores sort the examples into 20 groups of 5 % each, 1 the easiest. With L_g the mean training loss of group g, level k
changes it by ΔL_g = L_g[k] − L_g[0], paired by replicate: below zero where the network fits the group better than the dense
one.
"""

import functools
import math
from collections.abc import Iterator

import pandas
import torch
from torch import Tensor

from lib.analysis.experiments import ALL, Context, Measurement, RunChain, reported
from lib.analysis.levels import levels_of_interest
from lib.analysis.table import Table, values
from lib.errors import InputError
from lib.stages import Chain
from lib.stages.algorithms import early_training
from lib.stages.experiment_plan import Plan
from lib.training import Replicate

GROUPS = 20  # TR section 3
NETWORKS = 10  # TR App. B.3
TOP_SHARE = 0.2  # TR section 3: "the top 20 % EL2N scores"
GROUP_LOSS = "training loss of EL2N group (nats)"
GROUP_SCORE = "mean EL2N of group"


def example_groups(*algorithms: str) -> Measurement:
    """Return the measurement of `GROUP_LOSS` at the levels of interest of some algorithms, of all of the page where none is
    given, and of `GROUP_SCORE` of dense networks."""
    settings = {"groups": GROUPS, "networks": NETWORKS}
    rows = functools.partial(_rows, algorithms=algorithms)
    needs = ALL if algorithms else ("seeds",)  # without names, each algorithm is measured by itself
    return Measurement("example groups", rows, 1, settings, scoring_networks, needs=needs, algorithms=algorithms)


def _rows(context: Context, algorithms: tuple[str, ...]) -> Iterator[dict]:
    score = scores(context.plan, context.run)
    group = {replicate: percentile_groups(own) for replicate, own in score.items()}
    for columns, replicate, _, _ in reported(context.results[0]):
        if columns["level"] == 0:
            yield from _by_group(columns, GROUP_SCORE, score[replicate], group[replicate], 4)
    for results in context.of(*algorithms) if algorithms else context.results:
        levels = context.levels(levels_of_interest, results.chain.algorithm)
        for columns, replicate, _, entry in reported(results):
            if columns["level"] in levels(replicate):
                losses = entry.tensors("examples")["train_losses"]
                yield from _by_group(columns, GROUP_LOSS, losses, group[replicate], 5)


def _by_group(columns: dict, quantity: str, measured: Tensor, groups: Tensor, digits: int) -> Iterator[dict]:
    for position, mean in enumerate(group_means(measured, groups).tolist(), 1):
        value = float(f"{mean:.{digits}g}")
        yield columns | {"quantity": quantity, "position": float(position), "value": value}


def scoring_chain(plan: Plan) -> Chain:
    """Return the chain that trains the scoring networks of a plan for `plan.scoring_share` of its epochs, at least one."""
    return early_training(plan.recipe, max(1, round(plan.scoring_share * plan.recipe.epochs)))


def scoring_replicates(replicate: Replicate) -> list[Replicate]:
    """Return the replicates whose errors score the examples of one: its labels, and everything else drawn anew."""
    first = 1000 * (replicate.seed + 1)  # far from the seeds of experiments
    given = {"noise_percent": replicate.noise_percent, "shared": (("label noise", replicate.seed),)}
    return [Replicate(seed=first + i, **given) for i in range(NETWORKS)]


def scoring_networks(plan: Plan) -> list[tuple[Chain, list[Replicate]]]:
    """Return the chain of the scoring networks of a plan, with the replicates of all of them."""
    return [(scoring_chain(plan), [one for r in plan.replicates() for one in scoring_replicates(r)])]


def scores(plan: Plan, run: RunChain) -> dict[Replicate, Tensor]:
    """Return the EL2N score of every training example of every replicate of a plan, float64 [N] each."""
    [(chain, replicates)] = scoring_networks(plan)
    found = run(chain, replicates)
    norms = {
        one: entries[0].tensors("examples")["train_error_norms"]
        for one, entries in zip(found.replicates, found.entries, strict=True)
    }
    return {r: el2n(torch.stack([norms[one] for one in scoring_replicates(r)])) for r in plan.replicates()}


def el2n(error_norms: Tensor) -> Tensor:
    """Return the EL2N score of each example, float64 [N], from the error norms of M networks, [M, N]."""
    return error_norms.double().mean(0)


def percentile_groups(scores: Tensor, groups: int = GROUPS) -> Tensor:
    """Return the group of each example, int64 [N], when scores sort them into groups of equal size to within one example.

    Args:
        scores: [N], higher is harder; the lowest are in group 0, ties go by position.
        groups: how many.

    Raises:
        InputError: if there are fewer examples than groups.
    """
    if len(scores) < groups:
        raise InputError(f"{len(scores)} examples cannot fill {groups} groups; give at least one a group")
    ranks = scores.argsort(stable=True).argsort(stable=True)
    return ranks * groups // len(scores)


def group_means(measured: Tensor, groups: Tensor, count: int = GROUPS) -> Tensor:
    """Return the mean of what was measured, [N], in each group, float64 [count]."""
    sums = torch.zeros(count, dtype=torch.float64).index_add_(0, groups, measured.double())
    return sums / groups.bincount(minlength=count)


def group_changes(table: Table, level: int, **where) -> pandas.DataFrame:
    """Return ΔL_g of a level of one case (algorithm and the paper's dimensions) in nats, seeds × groups."""
    after, before = (values(table, GROUP_LOSS, "position", level=k, **where) for k in (level, 0))
    return (after - before).dropna(how="all")


def effect_ratio(changes: pandas.Series) -> float:
    """Return by how much ΔL_g by group concentrates on hard examples: mean |ΔL_g| of the hardest 20 % over that of the rest.

    TR does not say whether it takes the magnitude of single examples or of groups; here it is that of groups. NaN where the
    others do not change at all.
    """
    cut = len(changes) - round(TOP_SHARE * len(changes))
    top, rest = (part.abs().mean() for part in (changes.iloc[cut:], changes.iloc[:cut]))
    return float(top / rest) if rest > 0 else math.nan
