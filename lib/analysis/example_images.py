"""Single training examples of the first replicate, as pages show them: images and labels, from what the store holds.

Nothing is trained here. Examples are those that a network fits worst, those of an EL2N group
(`lib.analysis.example_groups`), or those that a table names (`lib.analysis.ranked_examples`).
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from lib import data
from lib.analysis.example_groups import GROUPS, el2n, percentile_groups, scoring_chain, scoring_replicates
from lib.analysis.experiments import Page
from lib.analysis.ranked_examples import CHANGE, INDEX, PREDICTION, quantity
from lib.analysis.table import Table, values
from lib.errors import InputError, unknown
from lib.stages import Chain, Entry, Store, stage_keys
from lib.stages.experiment_plan import Plan
from lib.training import Replicate, prepare

DIGITS = ("mnist", "generated-digits")
"""Sets whose classes are numbers."""


@dataclass(frozen=True)
class ExampleImages:
    """Training examples, in the order in which they are shown.

    Attributes:
        images: uint8 [n, height, width, channels].
        labels, original: those trained on and those before noise, names of classes.
        numbers: what orders them, n of them: loss in nats, EL2N score, or loss change in nats.
        predictions: of most networks, names of classes; empty where none was asked for.
    """

    images: Tensor
    labels: list[str]
    original: list[str]
    numbers: list[float]
    predictions: list[str]

    @property
    def captions(self) -> list[str]:
        """The label trained on, and the original one where it was replaced: "7 (was 1)"."""
        pairs = zip(self.labels, self.original, strict=True)
        return [label if label == was else f"{label}\n(was {was})" for label, was in pairs]

    @property
    def noisy(self) -> list[bool]:
        """Whose label was replaced."""
        return [label != was for label, was in zip(self.labels, self.original, strict=True)]


def worst_fitted(
    page: Page, benchmark: str, scale: str, noise_percent: float, level: int, store: str = "", algorithm: str = "",
    count: int = 18,
) -> ExampleImages:  # fmt: skip
    """Return the training examples with the highest loss, the worst first.

    Args:
        page, benchmark, scale: whose plan.
        noise_percent, level: which network.
        store: folder of the store; empty for the default one.
        algorithm: of which chain; by default the page's first.
        count: how many examples.

    Raises:
        InputError: the page has no such network, or the store does not hold it.
    """
    plan = page.plans(benchmark, scale)
    replicate, chains = _first(plan, noise_percent), page.chains(plan)
    algorithm = algorithm or chains[0].algorithm
    family = [chain for chain in chains if chain.algorithm == algorithm]
    if not family:
        raise unknown("algorithm of this page", algorithm, {chain.algorithm for chain in chains})
    places = {stage.level: (chain, i) for chain in family for i, stage in enumerate(chain.stages)}
    if level not in places:
        there = [str(one) for one in places if one is not None]
        raise unknown(f"level of {algorithm} in this plan", level, there)
    losses = _find(store, plan, *places[level], replicate).tensors("examples")["train_losses"].float()
    worst = losses.argsort(descending=True, stable=True)[:count]
    return examples_at(plan, replicate, worst, losses[worst])


def of_group(
    page: Page, benchmark: str, scale: str, noise_percent: float, group: int, store: str = "", count: int = 18
) -> ExampleImages:
    """Return training examples from one EL2N group, evenly spaced through it, the easiest first.

    Args:
        page, benchmark, scale, noise_percent, store, count: see `worst_fitted`.
        group: 1 (easiest) to 20 (hardest).

    Raises:
        InputError: there is no such group, or the store does not hold the networks that score the examples.
    """
    if not 1 <= group <= GROUPS:
        raise InputError(f"group={group} must be between 1 (easiest) and {GROUPS} (hardest)")
    plan = page.plans(benchmark, scale)
    replicate, chain = _first(plan, noise_percent), scoring_chain(plan)
    entries = [_find(store, plan, chain, 0, one) for one in scoring_replicates(replicate)]
    score = el2n(torch.stack([entry.tensors("examples")["train_error_norms"] for entry in entries]))
    members = (percentile_groups(score) == group - 1).nonzero()[:, 0]
    members = members[score[members].argsort(stable=True)]
    chosen = members[torch.linspace(0, len(members) - 1, min(count, len(members))).long()]
    return examples_at(plan, replicate, chosen, score[chosen])


def of_category(plan: Plan, table: Table, category: str, **where) -> ExampleImages | None:
    """Return the ranked examples of a category that a table names, of its first replicate; None where it names none.

    Args:
        plan: that the table was measured by.
        table: with ranked examples.
        category: one of `lib.analysis.ranked_examples.CATEGORIES`.
        **where: algorithm and the paper's dimensions.
    """
    names = [quantity(category, name) for name in (INDEX, PREDICTION, CHANGE)]
    named = [values(table, name, "position", **where) for name in names]
    if named[0].empty:
        return None
    seed = int(named[0].index[0])
    index, predicted, change = (torch.tensor(one.loc[seed].to_numpy()) for one in named)
    replicate = Replicate(seed=seed, noise_percent=where["noise_percent"])
    return examples_at(plan, replicate, index.long(), change, predicted.long())


def _first(plan: Plan, noise_percent: float) -> Replicate:
    if noise_percent not in plan.noise_percents:
        raise unknown("label noise (%)", f"{noise_percent:g}", [f"{one:g}" for one in plan.noise_percents])
    return Replicate(seed=plan.seeds[0], noise_percent=noise_percent)


def _find(store: str, plan: Plan, chain: Chain, position: int, replicate: Replicate) -> Entry:
    """Return a stage from the store."""
    entry = Store(store or None).find(stage_keys(chain, replicate, plan.precision)[position])
    if entry is None:
        raise InputError(
            f"the store does not hold {chain.algorithm} of {plan.recipe.benchmark}, stage {position}, noise "
            f"{replicate.noise_percent:g} %; run the page with recompute=True to train it"
        )
    return entry


def examples_at(
    plan: Plan, replicate: Replicate, chosen: Tensor, numbers: Tensor, predictions: Tensor | None = None
) -> ExampleImages:
    """Return the training examples at these places, int64 [n]; `numbers` and `predictions`, classes, are [n] each."""
    image_set, examples = (
        plan.recipe.data.image_set,
        prepare(plan.recipe.data, [replicate], torch.device("cpu")),
    )
    names = [str(i) for i in range(10)] if image_set in DIGITS else data.class_names(image_set)
    predicted = [] if predictions is None else predictions.tolist()
    given = (examples.train_labels[0][chosen].tolist(), examples.original_labels[chosen].tolist(), predicted)
    labels, original, predicted = ([names[i] for i in classes] for classes in given)
    return ExampleImages(examples.train_images[chosen], labels, original, numbers.tolist(), predicted)
