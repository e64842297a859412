"""The examples that pruning worsens most, improves most, and affects least, and what is kept of them (TR App. K.1, Fig. 16).

Without label noise the losses are averaged over the replicates before ranking (`lib.analysis.ranking`), and the one ranking
stands under the first seed. With label noise every replicate has wrong labels of its own, so each has a ranking of its own.
Levels come from means over replicates in both cases. A row names the sparsest level of its category.
"""

import functools
from collections.abc import Iterator, Mapping, Sequence

import torch
from torch import Tensor

from lib import data
from lib.analysis.example_groups import NETWORKS, scores, scoring_networks
from lib.analysis.experiments import Context, Measurement, network_columns
from lib.analysis.ranking import (
    CATEGORIES,
    FLOOR,
    SHOWN,
    WORSE_BY,
    levels_of_categories,
    majority,
    ranked,
)
from lib.analysis.table import Table, values
from lib.models import build
from lib.stages import Results
from lib.training import Examples, Replicate, forward, prepare, stack_states

INDEX, LABEL = "index", "label"
PREDICTION, CHANGE = "majority prediction", "loss change (nats)"
SCORE, NOISY = "mean EL2N", "noisy labels (%)"


def quantity(category: str, name: str) -> str:
    """Name a quantity, such as "most worsened: mean EL2N".

    With the rank from 1 as position: `INDEX` in the training images of the plan, `LABEL` trained on, `PREDICTION` of most
    networks (replicates × levels) and `CHANGE`, the geometric mean. With position 0: `SCORE`, the mean EL2N of these
    examples, and with label noise `NOISY`, how many of their labels are wrong.
    """
    return f"{category}: {name}"


def ranked_examples(algorithm: str) -> Measurement:
    """Return the measurement of the ranked examples of an algorithm that is one chain."""
    settings = {"floor": FLOOR, "networks": NETWORKS, "shown": SHOWN, "worse_by": WORSE_BY}
    rows = functools.partial(_rows, algorithm=algorithm)
    return Measurement("ranked examples", rows, 1, settings, scoring_networks, separable=False)


def levels_at(table: Table, **where) -> dict[str, list[int]]:
    """Return the levels of each category, by means over replicates; all empty where the dense network is missing.

    Args:
        table: what was measured.
        **where: algorithm and the paper's dimensions.
    """
    errors, losses = (
        values(table, name, **where).dropna(axis="columns").mean().to_dict()
        for name in ("test error (%)", "training loss (nats)")
    )
    if 0 not in errors or 0 not in losses:
        return {category: [] for category in CATEGORIES}
    return levels_of_categories(errors, losses)


def _rows(context: Context, algorithm: str) -> Iterator[dict]:
    [results] = context.of(algorithm)
    scored = scores(context.plan, context.run)
    examples = prepare(context.plan.recipe.data, results.replicates, torch.device("cpu"))
    whole = [
        i
        for i, entries in enumerate(results.entries)
        if len(entries) == len(results.chain.stages) and not entries[-1].record["diverged"]
    ]
    for noise in context.plan.noise_percents:
        own = [i for i in whole if results.replicates[i].noise_percent == noise]
        levels = levels_at(context.table, algorithm=algorithm, noise_percent=noise)
        for group in [[i] for i in own] if noise else [own] if own else []:
            yield from _of_group(results, group, levels, examples, scored)


def _of_group(
    results: Results,
    group: Sequence[int],
    levels: Mapping[str, Sequence[int]],
    examples: Examples,
    scored: Mapping[Replicate, Tensor],
) -> Iterator[dict]:
    """Yield the first examples of every category, ranked by the mean losses of some replicates."""
    places = {stage.level: i for i, stage in enumerate(results.chain.stages) if stage.level is not None}
    first = group[0]
    dense = _mean_losses(results, group, places[0])
    difficulty = torch.stack([scored[results.replicates[i]] for i in group]).mean(0)
    for category, chosen in levels.items():
        if not chosen:
            continue
        after = torch.stack([_mean_losses(results, group, places[level]) for level in chosen])
        indices, changes = ranked(category, dense, after)
        networks = [results.entries[i][places[level]].tensors("weights") for i in group for level in chosen]
        found = {
            INDEX: indices,
            LABEL: examples.train_labels[first][indices],
            PREDICTION: majority(_predictions(results, networks, examples, indices)),
            CHANGE: changes,
            SCORE: difficulty[indices].mean(),
        }
        if results.replicates[first].noise_percent:
            found[NOISY] = 100 * examples.noisy[first][indices].double().mean()
        last = places[chosen[-1]]
        stage, entry = results.chain.stages[last], results.entries[first][last]
        columns = network_columns(results.replicates[first], results.chain, stage, entry)
        for name, numbers in found.items():
            for rank, value in enumerate(numbers.tolist(), 1) if numbers.dim() else [(0, numbers.item())]:
                row = {"quantity": quantity(category, name), "position": float(rank)}
                yield columns | row | {"value": float(f"{value:.7g}")}


def _mean_losses(results: Results, group: Sequence[int], place: int) -> Tensor:
    """Return the loss of each training example at one stage, averaged over some replicates, float64 [N]."""
    losses = [results.entries[i][place].tensors("examples")["train_losses"].double() for i in group]
    return torch.stack(losses).mean(0)


@torch.no_grad()
def _predictions(results: Results, networks: Sequence, examples: Examples, indices: Tensor) -> Tensor:
    """Return what each network predicts for some training images, int64 [networks, images]."""
    recipe = results.chain.recipe
    module = build(recipe.network, examples.classes, recipe.width, recipe.width_scale).module.eval()
    constants = data.normalization(recipe.data.normalization)
    inputs = data.normalize(examples.train_images[indices], constants)
    return torch.cat([forward(module, stack_states([state]), inputs) for state in networks]).argmax(-1)
