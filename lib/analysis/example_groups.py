"""Groups of training examples by how hard they are: the EL2N score, and what the networks of a page do to each group.

The score of an example x with label y is the mean over M networks, trained for a tenth of the epochs, of the norm of
their error (Paul et al. 2021; TR App. B.3, facts E):

    EL2N(x, y) = 1/M Σₘ ‖softmax fₘ(x) − onehot(y)‖₂

with the label that the networks were trained on, noisy or not. TR sorts the examples by score into 20 groups of 5 % each and
asks how much pruning changes the mean loss of each group (sections 3 and 4, App. L).
"""

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor

from lib.analysis.pages import RunChain
from lib.errors import InputError
from lib.stages import Chain, Results
from lib.stages.algorithms import early_training
from lib.stages.experiment_plan import Plan
from lib.training import Replicate

GROUPS = 20  # TR section 3
NETWORKS = 10  # TR App. B.3
GROUP_LOSS = "train_loss_of_el2n_group_nats"
GROUP_SCORE = "mean_el2n_of_group"


def el2n(error_norms: Tensor) -> Tensor:
    """Return the EL2N score of each example, float64 [N], from the error norms of M networks, [M, N]."""
    return error_norms.double().mean(0)


def percentile_groups(scores: Tensor, groups: int = GROUPS) -> Tensor:
    """Sort examples by score into groups of equal size, to within one example.

    Args:
        scores: [N], higher is harder.
        groups: how many.

    Returns:
        The group of each example, int64 [N], 0 for the lowest scores; ties go by position.

    Raises:
        InputError: if there are fewer examples than groups.
    """
    if len(scores) < groups:
        raise InputError(f"{len(scores)} examples cannot fill {groups} groups; give at least one a group")
    ranks = scores.argsort(stable=True).argsort(stable=True)
    return ranks * groups // len(scores)


def group_means(values: Tensor, groups: Tensor, count: int = GROUPS) -> Tensor:
    """Return the mean of the values [N] in each group, float64 [count]."""
    sums = torch.zeros(count, dtype=torch.float64).index_add_(0, groups, values.double())
    return sums / groups.bincount(minlength=count)


def scoring_replicates(replicate: Replicate, networks: int = NETWORKS) -> list[Replicate]:
    """Return the replicates whose errors score the examples of one: its labels, and everything else drawn anew."""
    first = 1000 * (replicate.seed + 1)  # far from the seeds of experiments
    shared = (("label noise", replicate.seed),)
    return [
        Replicate(seed=first + i, noise_percent=replicate.noise_percent, shared=shared)
        for i in range(networks)
    ]


def scoring_chain(plan: Plan) -> Chain:
    """Return the chain that trains the scoring networks of a plan for `plan.scoring_share` of its epochs, at least one."""
    return early_training(plan.recipe, max(1, round(plan.scoring_share * plan.recipe.epochs)))


def scoring_networks(plan: Plan) -> list[tuple[Chain, list[Replicate]]]:
    """Return the chain of the scoring networks of a plan, with the replicates of all of them."""
    return [(scoring_chain(plan), [one for r in plan.replicates() for one in scoring_replicates(r)])]


def scores(plan: Plan, run: RunChain, networks: int = NETWORKS) -> dict[Replicate, Tensor]:
    """Return the EL2N score of every training example of every replicate of a plan, float64 [N] each.

    Args:
        plan: whose recipe the scoring networks are trained by.
        run: trains them, see `lib.analysis.pages.RunChain`.
        networks: M.
    """
    chain = scoring_chain(plan)
    wanted = {replicate: scoring_replicates(replicate, networks) for replicate in plan.replicates()}
    results = run(chain, [one for many in wanted.values() for one in many])
    errors = {
        one: entries[0].tensors("examples")["train_error_norms"]
        for one, entries in zip(results.replicates, results.entries, strict=True)
    }
    return {replicate: el2n(torch.stack([errors[one] for one in many])) for replicate, many in wanted.items()}


def group_rows(
    results: Sequence[Results], scores: dict[Replicate, Tensor], groups: int = GROUPS
) -> Iterator[dict]:
    """Yield the mean training loss of each group in every reported network, as rows of a table's quantities.

    Args:
        results: finished chains.
        scores: of the examples of each replicate, see `scores`.
        groups: how many.
    """
    for one in results:
        for replicate, entries in zip(one.replicates, one.entries, strict=True):
            group = percentile_groups(scores[replicate], groups)
            for stage, entry in zip(one.chain.stages, entries, strict=False):
                if stage.level is None:
                    continue
                named = {
                    "algorithm": one.chain.algorithm,
                    "noise_percent": replicate.noise_percent,
                    "seed": replicate.seed,
                    "level": stage.level,
                    "stage_key": entry.key,
                }
                losses = group_means(entry.tensors("examples")["train_losses"], group, groups)
                for position, loss in enumerate(losses.tolist(), 1):
                    yield named | {
                        "quantity": GROUP_LOSS, "position": float(position), "value": float(f"{loss:.5g}")
                    }  # fmt: skip


def score_rows(results: Results, scores: dict[Replicate, Tensor], groups: int = GROUPS) -> Iterator[dict]:
    """Yield the mean EL2N of each group, as rows of a table's quantities that stand with the dense network.

    Args:
        results: a finished chain whose level 0 is the dense network.
        scores: of the examples of each replicate, see `scores`.
        groups: how many.
    """
    dense = next(i for i, stage in enumerate(results.chain.stages) if stage.level == 0)
    for replicate, entries in zip(results.replicates, results.entries, strict=True):
        if len(entries) <= dense:  # diverged before it was trained
            continue
        score = scores[replicate]
        for position, mean in enumerate(
            group_means(score, percentile_groups(score, groups), groups).tolist(), 1
        ):
            yield {
                "algorithm": results.chain.algorithm, "noise_percent": replicate.noise_percent,
                "seed": replicate.seed, "level": 0, "stage_key": entries[dense].key,
                "quantity": GROUP_SCORE, "position": float(position), "value": float(f"{mean:.4g}"),
            }  # fmt: skip
