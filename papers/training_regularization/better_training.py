"""What the page on section 3, Fig. 5 and appendix L of TR runs: training loss of groups of examples, in three algorithms."""

from collections.abc import Iterator, Sequence

from lib.analysis.example_groups import group_rows, score_rows, scores, scoring_networks
from lib.analysis.levels import levels_of_interest
from lib.analysis.measure import rows
from lib.analysis.pages import Page, RunChain
from lib.analysis.schema import tidy
from lib.stages import Results
from lib.stages.algorithms import extended_dense_training, learning_rate_rewinding, width_downscaling
from lib.stages.experiment_plan import Plan
from lib.stages.stage import Chain
from papers.training_regularization import recipes


def chains(plan: Plan) -> list[Chain]:
    """Return the chains of a plan, learning-rate rewinding first."""
    return [
        learning_rate_rewinding(plan.recipe, plan.levels, plan.prune),
        extended_dense_training(plan.recipe, plan.levels),
        *width_downscaling(plan.recipe, plan.levels, plan.width_factor),
    ]


def quantities(plan: Plan, results: Sequence[Results], run: RunChain) -> Iterator[dict]:
    """Yield the mean EL2N and, at the levels of interest of each algorithm, the training loss of the groups.

    Args:
        plan: whose recipe the scoring networks are trained by.
        results: of `chains`.
        run: trains the scoring networks.
    """
    found = scores(plan, run)
    yield from score_rows(results[0], found)
    frame = tidy(row for one in results for row in rows(one, plan.recipe.benchmark, ""))
    names = {one.chain.algorithm for one in results}
    kept = {
        (name, noise): levels_of_interest(frame, name, noise)
        for name in names
        for noise in plan.noise_percents
    }
    for row in group_rows(results, found):
        if row["level"] in kept[row["algorithm"], row["noise_percent"]]:
            yield row


PAGE = Page("training_regularization", "better_training", recipes.plan, chains, quantities, scoring_networks)
