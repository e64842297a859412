"""Which training examples does pruning worsen most, improve most, and affect least? (TR App. K.1, Fig. 16; facts J23)

With ℓ(x) the loss of example x in the dense network, ℓₖ(x) at level k, both averaged over runs, the examples are ranked by

    g(x) = (∏ₖ max(cₖ(x), floor))^(1/K),    cₖ = ℓₖ − ℓ,  ℓ − ℓₖ  or  |ℓₖ − ℓ|

over the K levels of a category (`levels_of_categories`). The geometric mean asks for a change at every level: one level at
which an example does not change that way costs it dearly. It needs positive numbers, hence the floor.

Without label noise the losses are averaged over the replicates before ranking, and the one ranking stands under the first
seed. With label noise every replicate has wrong labels of its own, so each has a ranking of its own. Levels come from means
over replicates in both cases. A row names the sparsest level of its category.
"""

import functools
from collections.abc import Iterator, Mapping, Sequence

import torch
from torch import Tensor

from lib import data
from lib.analysis.example_groups import NETWORKS, scores, scoring_networks
from lib.analysis.experiments import ALL, Context, Measurement, network_columns
from lib.analysis.levels import TEST
from lib.analysis.table import Table, values
from lib.errors import InputError, unknown
from lib.stages import Results
from lib.training import Examples, Replicate, forward, network_of, prepare, stack_states

CATEGORIES = ("most worsened", "most improved", "least affected")
FLOOR = 1e-5  # nats; TR App. K.1, footnotes 8 and 9
WORSE_BY = 2.0  # points of test error by which preserved generalization may be worse; TR App. K.1
SHOWN = 20  # examples of each category; TR Fig. 16
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
    return Measurement("ranked examples", rows, 1, settings, scoring_networks, needs=ALL, algorithms=(algorithm,))


def levels_at(table: Table, **where) -> dict[str, list[int]]:
    """Return the levels of each category in one case of a table, see `levels_of_categories`, by means over replicates."""
    found = (values(table, name, **where) for name in (TEST, "training loss (nats)"))
    return levels_of_categories(*(one.dropna(axis="columns").mean().to_dict() for one in found))


def levels_of_categories(test_errors: Mapping[int, float], train_losses: Mapping[int, float]) -> dict[str, list[int]]:
    """Return the levels at which each category is ranked, by the rules of TR App. K.1; level 0 is never among them.

    Args:
        test_errors: in percent, by level; level 0 is the dense network.
        train_losses: mean over the training examples in nats, by level.

    Returns:
        By category, ascending levels, maybe none. Most worsened: a higher training loss and a lower test error than the
        dense network; where no level has both, a higher training loss and a test error at most `WORSE_BY` points higher.
        Most improved: both lower. Least affected: a test error at most `WORSE_BY` points higher. All empty without level 0.
    """
    if 0 not in test_errors or 0 not in train_losses:
        return {category: [] for category in CATEGORIES}
    levels = (test_errors.keys() & train_losses.keys()) - {0}
    lower_error = {k for k in levels if test_errors[k] < test_errors[0]}
    # Rounded, because errors are counts of mistakes and a difference of exactly two points must pass.
    preserved = {k for k in levels if round(test_errors[k] - test_errors[0], 9) <= WORSE_BY}
    higher_loss = {k for k in levels if train_losses[k] > train_losses[0]}
    lower_loss = {k for k in levels if train_losses[k] < train_losses[0]}
    found = (higher_loss & lower_error or higher_loss & preserved, lower_loss & lower_error, preserved)
    return {category: sorted(own) for category, own in zip(CATEGORIES, found, strict=True)}


def ranked(category: str, before: Tensor, after: Tensor, count: int = SHOWN) -> tuple[Tensor, Tensor]:
    """Return indices of the first examples of a category, ties by position, and their geometric mean changes in nats.

    Args:
        category: one of `CATEGORIES`.
        before: loss of each example in the dense network, averaged over runs, [N].
        after: the same at each level of the category, [K, N].
        count: how many examples; all where there are fewer.

    Raises:
        InputError: an unknown category, or no level.
    """
    if category not in CATEGORIES:
        raise unknown("category", category, CATEGORIES)
    rise = after.double() - before.double()
    changes = {"most worsened": rise, "most improved": -rise, "least affected": rise.abs()}[category]
    means = geometric_means(changes)
    order = means.argsort(descending=category != "least affected", stable=True)[:count]
    return order, means[order]


def geometric_means(changes: Tensor) -> Tensor:
    """Return the geometric mean over K levels of the changes of N examples in nats, float64 [N] of [K, N]."""
    if not len(changes):
        raise InputError("a mean over no levels is not defined; give at least one")
    return changes.clamp_min(FLOOR).log().mean(0).exp()


def majority(predictions: Tensor) -> Tensor:
    """Return what most of M networks predict for each of N examples, int64 [N] of [M, N]; ties go to the lower class."""
    return torch.nn.functional.one_hot(predictions).sum(0).argmax(-1)


def _rows(context: Context, algorithm: str) -> Iterator[dict]:
    [results] = context.of(algorithm)
    scored = scores(context.plan, context.run)
    examples = prepare(context.plan.recipe.data, results.replicates, torch.device("cpu"))
    stages = results.chain.stages
    reached = [i for i, entries in enumerate(results.entries) if len(entries) == len(stages)]
    whole = [i for i in reached if not results.entries[i][-1].record["diverged"]]
    for noise in context.plan.noise_percents:
        own = [i for i in whole if results.replicates[i].noise_percent == noise]
        levels = levels_at(context.table, algorithm=algorithm, noise_percent=noise)
        for group in [[i] for i in own] if noise else [own] if own else []:
            yield from _of_group(results, group, levels, examples, scored)


def _of_group(
    results: Results, group: Sequence[int], levels: Mapping[str, Sequence[int]], examples: Examples,
    scored: Mapping[Replicate, Tensor],
) -> Iterator[dict]:  # fmt: skip
    """Yield the first examples of every category, ranked by the mean losses of some replicates."""
    places = {stage.level: i for i, stage in enumerate(results.chain.stages) if stage.level is not None}
    first, replicate = group[0], results.replicates[group[0]]
    difficulty = torch.stack([scored[results.replicates[i]] for i in group]).mean(0)
    for category, chosen in levels.items():
        if not chosen:
            continue
        dense, *after = (_mean_losses(results, group, places[level]) for level in (0, *chosen))
        indices, changes = ranked(category, dense, torch.stack(after))
        networks = [results.entries[i][places[level]].tensors("weights") for i in group for level in chosen]
        found = {
            INDEX: indices,
            LABEL: examples.train_labels[first][indices],
            PREDICTION: majority(_predictions(results, networks, examples, indices)),
            CHANGE: changes,
            SCORE: difficulty[indices].mean(),
        }
        if replicate.noise_percent:
            found[NOISY] = 100 * examples.noisy[first][indices].double().mean()
        last = places[chosen[-1]]
        stage, entry = results.chain.stages[last], results.entries[first][last]
        columns = network_columns(replicate, results.chain, stage, entry)
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
    module = network_of(recipe, examples.classes).module.eval()
    inputs = data.normalize(examples.train_images[indices], data.normalization(recipe.data.normalization))
    return torch.cat([forward(module, stack_states([state]), inputs) for state in networks]).argmax(-1)
