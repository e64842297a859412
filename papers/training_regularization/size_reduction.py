"""What the page on section 5.2 and appendices F and I of TR runs: pruning against narrower networks."""

from collections.abc import Iterator, Sequence

from lib.analysis.chosen_levels import levels_to_measure, results_frame
from lib.analysis.example_groups import group_rows, scores, scoring_networks
from lib.analysis.overlap import overlap_rows
from lib.analysis.pages import Page, RunChain
from lib.stages import Results
from lib.stages.algorithms import (
    extended_dense_training,
    learning_rate_rewinding,
    longer_width_downscaling,
    one_shot,
    width_downscaling,
)
from lib.stages.experiment_plan import Plan
from lib.stages.stage import Chain
from papers.training_regularization import recipes
from papers.training_regularization.cases import LONGER_WD, ONE_SHOT


def chains(plan: Plan) -> list[Chain]:
    """Return the chains of a plan: two of section 5.1, then a family each of sizes."""
    return [
        learning_rate_rewinding(plan.recipe, plan.levels, plan.prune),
        extended_dense_training(plan.recipe, plan.levels),
        *width_downscaling(plan.recipe, plan.levels, plan.width_factor),
        *one_shot(plan.recipe, plan.levels, plan.prune),
        *longer_width_downscaling(plan.recipe, plan.levels, plan.width_factor),
    ]


def quantities(plan: Plan, results: Sequence[Results], run: RunChain) -> Iterator[dict]:
    """Yield losses by EL2N group and the overlap of changed examples, of the two families that train for as long.

    Groups are measured at the levels of `lib.analysis.chosen_levels.levels_to_measure` only, which keeps the table small.
    """
    equalized = [one for one in results if one.chain.algorithm in (ONE_SHOT, LONGER_WD)]
    chosen = levels_to_measure(results_frame(equalized))
    for row in group_rows(equalized, scores(plan, run)):
        if row["level"] in chosen[row["algorithm"], row["noise_percent"]]:
            yield row
    yield from overlap_rows(equalized, ONE_SHOT, LONGER_WD)


PAGE = Page("training_regularization", "size_reduction", recipes.plan, chains, quantities, scoring_networks)
