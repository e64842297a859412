"""The ranked examples of a page: what is kept of them beside its table, and how it is read back (TR App. K.1, Fig. 16).

Without label noise the losses are averaged over the replicates before ranking, and the one ranking stands under the first
seed. With label noise every replicate has wrong labels of its own, so each has a ranking of its own. Levels come from means
over replicates in both cases (`lib.analysis.ranking.levels_of_categories`).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import pandas
import torch
from torch import Tensor

from lib import data
from lib.analysis.chosen_levels import results_frame
from lib.analysis.example_groups import scores
from lib.analysis.pages import RunChain
from lib.analysis.ranking import (
    CATEGORIES,
    FLOOR,
    SHOWN,
    WORSE_BY,
    levels_of_categories,
    majority,
    ranked,
)
from lib.analysis.statistics import select
from lib.analysis.tables import Table
from lib.models import build
from lib.stages import Results
from lib.stages.experiment_plan import Plan
from lib.training import Replicate, forward, prepare, stack_states

LEARNING_RATE_REWINDING = "learning_rate_rewinding"
INDEX, LABEL = "example_index", "example_label"
PREDICTION, CHANGE = "example_majority_prediction", "example_loss_change_nats"
SCORE, NOISY = "mean_el2n", "noisy_labels_percent"
CPU = torch.device("cpu")


def listed_levels(
    frame: pandas.DataFrame,
    noise_percent: float,
    algorithm: str = LEARNING_RATE_REWINDING,
    worse_by: float = WORSE_BY,
) -> dict[str, list[int]]:
    """Return the levels of each category of a tidy table at a noise level, by means over replicates.

    Args:
        frame: a tidy table.
        noise_percent: label noise.
        algorithm: of which chain.
        worse_by: see `lib.analysis.ranking.levels_of_categories`.

    Returns:
        Levels by category; all empty where the table lacks the dense network.
    """
    means = {}
    for subset, value in (("test", "error_percent"), ("train", "cross_entropy_nats")):
        values = select(frame, algorithm, noise_percent, subset, value).dropna(axis="columns")
        means[subset] = {
            int(level): mean
            for level, mean in zip(values.columns, values.to_numpy().mean(axis=0), strict=True)
        }
    if 0 not in means["test"] or 0 not in means["train"]:
        return {category: [] for category in CATEGORIES}
    return levels_of_categories(means["test"], means["train"], worse_by)


def ranked_rows(
    plan: Plan,
    results: Results,
    scored: Mapping[Replicate, Tensor],
    count: int = SHOWN,
    floor: float = FLOOR,
    worse_by: float = WORSE_BY,
    levels: Mapping[str, Sequence[int]] | None = None,
) -> Iterator[dict]:
    """Yield the first examples of each category, as rows of a table's quantities.

    The names of quantities begin with the category. With the rank from 1 as position: `INDEX` in the training images of
    the plan, `LABEL` trained on, `PREDICTION` of most networks (replicates × levels) and `CHANGE`, the geometric mean. With
    position 0: `SCORE`, the mean EL2N of these examples, and with label noise `NOISY`, how many of their labels are wrong.
    Each row names the sparsest level of its category.

    Args:
        plan: what was run.
        results: a finished chain of the plan, with the dense network as level 0.
        scored: EL2N of every training example of each replicate.
        count: examples of each category.
        floor, worse_by: see `lib.analysis.ranking`.
        levels: by category, instead of those that the rules of TR name.
    """
    frame = results_frame([results])
    algorithm = results.chain.algorithm
    places = {stage.level: i for i, stage in enumerate(results.chain.stages) if stage.level is not None}
    examples = prepare(plan.recipe.data, results.replicates, CPU)
    constants = data.normalization(plan.recipe.data.normalization)
    recipe = results.chain.recipe
    module = build(recipe.network, examples.classes, recipe.width, recipe.width_scale).module.eval()
    for noise in dict.fromkeys(replicate.noise_percent for replicate in results.replicates):
        listed = levels or listed_levels(frame, noise, algorithm, worse_by)
        whole = [
            i
            for i, replicate in enumerate(results.replicates)
            if replicate.noise_percent == noise
            and len(results.entries[i]) == len(results.chain.stages)
            and not results.entries[i][-1].record["diverged"]
        ]
        for group in [[i] for i in whole] if noise else [whole] if whole else []:
            dense = _mean_losses(results, group, places[0])
            difficulty = torch.stack([scored[results.replicates[i]] for i in group]).mean(0)
            for category, chosen in listed.items():
                if not chosen:
                    continue
                after = torch.stack([_mean_losses(results, group, places[level]) for level in chosen])
                indices, changes = ranked(category, dense, after, count, floor)
                inputs = data.normalize(examples.train_images[indices], constants)
                with torch.no_grad():
                    predicted = [
                        forward(module, stack_states([results.entries[i][places[level]].tensors("weights")]), inputs)
                        for i in group
                        for level in chosen
                    ]  # fmt: skip
                first = group[0]
                ranks = {
                    INDEX: indices,
                    LABEL: examples.train_labels[first][indices],
                    PREDICTION: majority(torch.cat(predicted).argmax(-1)),
                    CHANGE: changes,
                }
                single = {SCORE: difficulty[indices].mean()}
                if noise:
                    single[NOISY] = 100 * examples.noisy[first][indices].double().mean()
                named = {
                    "algorithm": algorithm,
                    "noise_percent": noise,
                    "seed": results.replicates[first].seed,
                    "level": chosen[-1],
                    "stage_key": results.entries[first][places[chosen[-1]]].key,
                }
                for name, values in ranks.items():
                    for rank, value in enumerate(values.tolist(), 1):
                        yield named | _number(f"{category}_{name}", rank, value)
                for name, value in single.items():
                    yield named | _number(f"{category}_{name}", 0, value.item())


def rank_examples(plan: Plan, results: Sequence[Results], run: RunChain) -> Iterator[dict]:
    """Rank the examples of a page's first chain, as `lib.analysis.pages.Page.quantities` asks for; EL2N is trained first."""
    return ranked_rows(plan, results[0], scores(plan, run))


def _mean_losses(results: Results, group: Sequence[int], place: int) -> Tensor:
    """Return the loss of each training example at one stage, averaged over some replicates, float64 [N]."""
    losses = [results.entries[i][place].tensors("examples")["train_losses"].double() for i in group]
    return torch.stack(losses).mean(0)


def _number(quantity: str, position: int, value: float) -> dict:
    return {"quantity": quantity, "position": float(position), "value": float(f"{value:.7g}")}


@dataclass(frozen=True)
class RankedExamples:
    """The first examples of a category, the first rank first.

    Attributes:
        seed: of the replicate; without label noise the first, and the ranking is of all.
        indices: in the training images of the plan, int64 [count].
        labels: trained on, int64 [count].
        predictions: of most networks, int64 [count].
        changes: geometric mean of the loss change in nats, float64 [count].
    """

    seed: int
    indices: Tensor
    labels: Tensor
    predictions: Tensor
    changes: Tensor


def read_ranked(table: Table, category: str, noise_percent: float) -> RankedExamples | None:
    """Read back the examples of a category at a noise level, those of the first seed; None where there are none."""
    found = table.quantities
    found = found.loc[found["noise_percent"] == noise_percent]
    found = found.loc[[str(name).startswith(f"{category}_") for name in found["quantity"]]]
    if not len(found):
        return None
    seed = min(int(seed) for seed in found["seed"])
    found = found.loc[found["seed"] == seed].sort_values("position")

    def values(name: str) -> Tensor:
        return torch.tensor(found.loc[found["quantity"] == f"{category}_{name}", "value"].to_numpy())

    indices, labels, predictions = (values(name).long() for name in (INDEX, LABEL, PREDICTION))
    return RankedExamples(seed, indices, labels, predictions, values(CHANGE))


def read_means(table: Table, category: str, name: str, noise_percent: float) -> pandas.Series:
    """Read `SCORE` or `NOISY` of a category at a noise level, by seed; empty where there are none."""
    found = table.quantities
    found = found.loc[(found["noise_percent"] == noise_percent) & (found["quantity"] == f"{category}_{name}")]
    return pandas.Series(found["value"].to_numpy(), index=found["seed"].to_numpy(), dtype="float64")


def images_and_labels(plan: Plan, indices: Tensor) -> tuple[Tensor, Tensor]:
    """Return training images of a plan, uint8 [n, height, width, channels], and their labels before noise, int64 [n]."""
    examples = prepare(plan.recipe.data, [Replicate(seed=plan.seeds[0])], CPU)
    return examples.train_images[indices], examples.train_labels[0][indices]
