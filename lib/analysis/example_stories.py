"""A few training examples of each group by difficulty, and what every level of pruning does to their loss.

Means over a group (`lib.analysis.example_groups`, TR sections 3 and 4) do not show whose loss changes. So of each of the 20
groups by EL2N of the first replicate, the examples at the middles of `EXAMPLES` equal stretches of its ranks are kept, with

    ℓₖ(x) = −log pₖ(y | x),    the training loss of example x, with the label y trained on, after k levels.

Without label noise all replicates share the labels, and ℓₖ is kept for each of them; with noise every replicate has wrong
labels of its own, and ℓₖ is kept for the first alone. Images and labels are not in the table: its indices find them.
"""

import functools
from collections.abc import Iterator
from dataclasses import dataclass

import numpy
import pandas
import torch
from torch import Tensor

from lib.analysis.example_groups import GROUPS, NETWORKS, percentile_groups, scores, scoring_networks
from lib.analysis.example_images import ExampleImages, examples_at
from lib.analysis.experiments import ALL, Context, Measurement, reported
from lib.analysis.table import SIZE, Table, values
from lib.errors import InputError
from lib.stages.experiment_plan import Plan
from lib.training import Replicate

EXAMPLES = 4  # of each group
LEVELS = 12  # at most, evenly spaced, so that the table stays small
INDEX, SCORE, LOSS = "index of example", "EL2N of example", "training loss of example (nats)"
"""Quantities with the place of the example as position, from 1: `EXAMPLES` of group 1, the easiest, then of group 2."""


def example_stories(algorithm: str) -> Measurement:
    """Return the measurement of `INDEX` and `SCORE` of dense networks and `LOSS` at the levels of one chain."""
    settings = {"groups": GROUPS, "networks": NETWORKS, "examples": EXAMPLES, "levels": LEVELS}
    rows = functools.partial(_rows, algorithm=algorithm)
    return Measurement("example stories", rows, 1, settings, scoring_networks, needs=ALL, algorithms=(algorithm,))


def chosen_examples(score: Tensor) -> Tensor:
    """Return the indices of the examples kept, group by group from easy to hard: int64 [GROUPS · EXAMPLES].

    Args:
        score: EL2N of all N examples, [N]; ties go by position. A group with fewer examples than are kept repeats some.
    """
    groups, found = percentile_groups(score), []
    for group in range(GROUPS):
        members = (groups == group).nonzero()[:, 0]
        members = members[score[members].argsort(stable=True)]
        places = (2 * torch.arange(EXAMPLES) + 1) * len(members) // (2 * EXAMPLES)
        found.append(members[places])
    return torch.cat(found)


def _rows(context: Context, algorithm: str) -> Iterator[dict]:
    [results] = context.of(algorithm)
    plan = context.plan
    first = {r.noise_percent: r for r in results.replicates if r.seed == plan.seeds[0]}
    scored = scores(plan, context.run)
    chosen = {noise: chosen_examples(scored[replicate]) for noise, replicate in first.items()}
    last = max(stage.level or 0 for stage in results.chain.stages)
    levels = set(numpy.linspace(0, last, min(LEVELS, last + 1)).round().astype(int).tolist())
    for columns, replicate, _, entry in reported(results):
        noise = replicate.noise_percent
        if columns["level"] not in levels or noise and replicate != first[noise]:
            continue
        indices, found = chosen[noise], {}
        if columns["level"] == 0 and replicate == first[noise]:
            found = {INDEX: indices.double(), SCORE: scored[replicate][indices]}
        found[LOSS] = entry.tensors("examples")["train_losses"][indices].double()
        for quantity, numbers in found.items():
            digits = 7 if quantity == INDEX else 4
            for position, value in enumerate(numbers.tolist(), 1):
                row = {"quantity": quantity, "position": float(position), "value": float(f"{value:.{digits}g}")}
                yield columns | row


@dataclass(frozen=True)
class Stories:
    """The examples of one case of a table, in the order of their positions.

    Attributes:
        examples: images, labels, and EL2N as their numbers.
        losses: a row per replicate, level and example: seed, level, position, `lib.analysis.table.SIZE` and value in nats.
    """

    examples: ExampleImages
    losses: pandas.DataFrame

    @property
    def groups(self) -> list[int]:
        """The group of each example, 1 (easiest) to `GROUPS`."""
        return [i // EXAMPLES + 1 for i in range(len(self.examples.numbers))]


def stories(plan: Plan, table: Table, **where) -> Stories:
    """Return the examples that a table keeps, and their losses.

    Args:
        plan: that the table was measured by.
        table: with example stories.
        **where: algorithm and the paper's dimensions.

    Raises:
        InputError: the table has no examples of this case, or their images are not on this machine.
    """
    index = values(table, INDEX, "position", **where)
    if index.empty:
        case = ", ".join(f"{name} {value}" for name, value in where.items())
        raise InputError(f"{table.label}: losses of single examples were not measured ({case})")
    seed = int(index.index[0])
    score = torch.tensor(values(table, SCORE, "position", **where).loc[seed].to_numpy())
    replicate = Replicate(seed=seed, noise_percent=where.get("noise_percent", 0.0))
    shown = examples_at(plan, replicate, torch.tensor(index.loc[seed].to_numpy()).long(), score)
    network = ["seed", "level"]
    losses = table.where(quantity=LOSS, **where).frame[[*network, "position", "value"]]
    sizes = table.where(quantity=SIZE, **where).frame.rename(columns={"value": SIZE})[[*network, SIZE]]
    return Stories(shown, losses.merge(sizes, on=network).reset_index(drop=True))
