"""What the page on section 4 of LN runs: weight rewinding by three scores, and dense networks of falling width."""

from collections.abc import Iterator, Sequence

from lib.analysis.epoch_errors import epoch_error_rows
from lib.analysis.loss_change import loss_change_rows
from lib.analysis.pages import Page, RunChain
from lib.stages import Results
from lib.stages.algorithms import (
    weight_rewinding,
    width_downscaling,
)
from lib.stages.experiment_plan import Plan
from lib.stages.stage import Chain
from papers.label_noise import recipes


def chains(plan: Plan) -> list[Chain]:
    """Return the chains of a plan, and the family of narrower networks."""
    one_batch = plan.prune.but(score="gradient", examples=plan.recipe.batch_size)  # LN section 3.2
    return [
        weight_rewinding(plan.recipe, plan.levels, plan.prune),
        weight_rewinding(plan.recipe, plan.levels, one_batch),
        weight_rewinding(plan.recipe, plan.levels, plan.prune.but(score="random")),
        *width_downscaling(plan.recipe, plan.levels, plan.width_factor),
    ]


def quantities(plan: Plan, results: Sequence[Results], run: RunChain) -> Iterator[dict]:
    """Yield best test error and unsteadiness of every network, and what each pruning step does to the training loss."""
    yield from epoch_error_rows(results)
    yield from loss_change_rows(results)


PAGE = Page("label_noise", "double_descent", recipes.plan, chains, quantities, separable=True)
