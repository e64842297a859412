"""Single training examples of the first replicate, as pages show them: images and labels.

A table names the examples that networks fit worst (`worst_fitted_examples`), those that pruning changes most
(`lib.analysis.ranked_examples`) and some of each EL2N group (`lib.analysis.example_stories`), so that a page needs the image
set and no network. What no table names is asked of the store; nothing is trained here.
"""

import functools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from lib import data
from lib.analysis.example_groups import GROUPS, el2n, percentile_groups, scoring_chain, scoring_replicates
from lib.analysis.experiments import ALL, Context, Measurement, Page, plan_of, reported
from lib.analysis.levels import levels_of_interest
from lib.analysis.ranked_examples import CHANGE, INDEX, PREDICTION, quantity
from lib.analysis.table import Table, values
from lib.errors import InputError, unknown
from lib.stages import Chain, Entry, Store, stage_keys
from lib.stages.experiment_plan import Plan
from lib.training import Replicate, prepare

DIGITS = ("mnist", "generated-digits")
"""Sets whose classes are numbers."""

SHOWN = 18
"""Examples of a network that are shown."""

WORST_INDEX, WORST_LOSS = "worst fitted: index", "worst fitted: loss (nats)"
"""With the rank from 1 as position: the place among the training images of the plan, and the loss."""


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

    def some(self, chosen: Sequence[int]) -> "ExampleImages":
        """Return those at these places."""
        lists: Any = (self.labels, self.original, self.numbers, self.predictions)
        return ExampleImages(self.images[list(chosen)], *([own[i] for i in chosen] if own else [] for own in lists))

    @property
    def captions(self) -> list[str]:
        """The label trained on, and the original one where it was replaced: "7 (was 1)"."""
        pairs = zip(self.labels, self.original, strict=True)
        return [label if label == was else f"{label}\n(was {was})" for label, was in pairs]

    @property
    def noisy(self) -> list[bool]:
        """Whose label was replaced."""
        return [label != was for label, was in zip(self.labels, self.original, strict=True)]


def worst_fitted_examples(*algorithms: str) -> Measurement:
    """Return the measurement of the examples that the first replicate's networks fit worst, at the levels of interest of
    some algorithms, of all of the page where none is given: `WORST_INDEX` and `WORST_LOSS`."""
    rows = functools.partial(_worst_rows, algorithms=algorithms)
    return Measurement("worst-fitted examples", rows, 1, {"shown": SHOWN}, needs=ALL, algorithms=algorithms)


def _worst_rows(context: Context, algorithms: Sequence[str]) -> Iterator[dict]:
    first = context.plan.seeds[0]
    for results in context.of(*algorithms) if algorithms else context.results:
        levels = context.levels(levels_of_interest, results.chain.algorithm)
        for columns, replicate, _, entry in reported(results):
            if replicate.seed != first or columns["level"] not in levels(replicate):
                continue
            losses = entry.tensors("examples")["train_losses"].float()
            worst = losses.argsort(descending=True, stable=True)[:SHOWN]
            for rank, (index, loss) in enumerate(zip(worst.tolist(), losses[worst].tolist(), strict=True), 1):
                for name, value in ((WORST_INDEX, float(index)), (WORST_LOSS, float(f"{loss:.4g}"))):
                    yield columns | {"quantity": name, "position": float(rank), "value": value}


def named_worst(
    page: Page, tables: Sequence[Table], noise_percent: float, level: int | None = None, algorithm: str = "",
    count: int = SHOWN,
) -> tuple[ExampleImages, Table, int] | None:  # fmt: skip
    """Return the examples that a network fits worst, as the first table names them that does, the worst first.

    Args:
        page: whose plan and algorithms.
        tables: of the page, those that are drawn.
        noise_percent, algorithm: which network; the algorithm is by default that of the page's first chain.
        level: None for the sparsest one that the table names.
        count: at most so many.

    Returns:
        The examples, the table, and the level; None where no table names any.

    Raises:
        InputError: the image set is not on this machine.
    """
    for table in tables:
        plan = plan_of(page, table)
        where = {"noise_percent": noise_percent, "algorithm": algorithm or page.chains(plan)[0].algorithm}
        own = table.where(quantity=[WORST_INDEX, WORST_LOSS], seed=plan.seeds[0], **where)
        at = max(own.frame["level"].tolist(), default=None) if level is None else level
        found = [values(own, name, "position", level=at) for name in (WORST_INDEX, WORST_LOSS)]
        if not found[0].empty:
            index, losses = (torch.tensor(one.to_numpy()[0][:count]) for one in found)
            replicate = Replicate(seed=plan.seeds[0], noise_percent=noise_percent)
            return examples_at(plan, replicate, index.long(), losses), table, int(at or 0)
    return None


def worst_fitted(
    page: Page, benchmark: str, scale: str, noise_percent: float, level: int, store: str = "", algorithm: str = "",
    count: int = SHOWN,
) -> ExampleImages:  # fmt: skip
    """Return the training examples with the highest loss in a network of the store, the worst first.

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
    replicate, chains = first_replicate(plan, noise_percent), page.chains(plan)
    algorithm = algorithm or chains[0].algorithm
    family = [chain for chain in chains if chain.algorithm == algorithm]
    if not family:
        raise unknown("algorithm of this page", algorithm, {chain.algorithm for chain in chains})
    places = {stage.level: (chain, i) for chain in family for i, stage in enumerate(chain.stages)}
    if level not in places:
        there = [str(one) for one in places if one is not None]
        raise unknown(f"level of {algorithm} in this plan", level, there)
    losses = find_stage(store, plan, *places[level], replicate).tensors("examples")["train_losses"].float()
    worst = losses.argsort(descending=True, stable=True)[:count]
    return examples_at(plan, replicate, worst, losses[worst])


def of_group(
    page: Page, benchmark: str, scale: str, noise_percent: float, group: int, store: str = "", count: int = SHOWN
) -> ExampleImages:
    """Return training examples from one EL2N group, by networks of the store, evenly spaced, the easiest first.

    Args:
        page, benchmark, scale, noise_percent, store, count: see `worst_fitted`.
        group: 1 (easiest) to 20 (hardest).

    Raises:
        InputError: there is no such group, or the store does not hold the networks that score the examples.
    """
    if not 1 <= group <= GROUPS:
        raise InputError(f"group={group} must be between 1 (easiest) and {GROUPS} (hardest)")
    plan = page.plans(benchmark, scale)
    replicate, chain = first_replicate(plan, noise_percent), scoring_chain(plan)
    entries = [find_stage(store, plan, chain, 0, one) for one in scoring_replicates(replicate)]
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


def first_replicate(plan: Plan, noise_percent: float) -> Replicate:
    """Return the replicate of a plan's first seed; InputError for a share of wrong labels that the plan lacks."""
    if noise_percent not in plan.noise_percents:
        raise unknown("label noise (%)", f"{noise_percent:g}", [f"{one:g}" for one in plan.noise_percents])
    return Replicate(seed=plan.seeds[0], noise_percent=noise_percent)


def find_stage(store: str, plan: Plan, chain: Chain, position: int, replicate: Replicate) -> Entry:
    """Return a stage of a chain from a store, "" for the default one; InputError where it does not hold it."""
    entry = Store(store or None).find(stage_keys(chain, replicate, plan.precision)[position])
    if entry is None:
        raise InputError(
            f"the store does not hold {chain.algorithm} of {plan.recipe.benchmark}, stage {position}, noise "
            f"{replicate.noise_percent:g} %; run the page with recompute=True to train it"
        )
    return entry


def class_names(image_set: str) -> list[str]:
    """Return what classes are called where images are shown: digits by their figure."""
    return [str(i) for i in range(10)] if image_set in DIGITS else list(data.class_names(image_set))


def examples_at(
    plan: Plan, replicate: Replicate, chosen: Tensor, numbers: Tensor, predictions: Tensor | None = None
) -> ExampleImages:
    """Return the training examples at these places, int64 [n]; `numbers` and `predictions`, classes, are [n] each."""
    image_set = plan.recipe.data.image_set
    if not data.is_kept(image_set):
        raise InputError(f"the images of {image_set} are not on this machine: python -m lib.data fetch {image_set}")
    examples = prepare(plan.recipe.data, [replicate], torch.device("cpu"))
    names = class_names(image_set)
    predicted = [] if predictions is None else predictions.tolist()
    given = (examples.train_labels[0][chosen].tolist(), examples.original_labels[chosen].tolist(), predicted)
    labels, original, predicted = ([names[i] for i in classes] for classes in given)
    return ExampleImages(examples.train_images[chosen], labels, original, numbers.tolist(), predicted)
