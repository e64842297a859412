"""What the page on section 5.1 and appendices C and J of TR runs: six chains that share one dense network."""

from lib.analysis.pages import Page
from lib.stages.algorithms import (
    extended_dense_training,
    learning_rate_rewinding,
    random_pruning,
    snip_pruning,
    synflow_pruning,
    weight_rewinding,
)
from lib.stages.plan import Plan
from lib.stages.stage import Chain
from papers.training_regularization import recipes

PRUNING = (learning_rate_rewinding, weight_rewinding, synflow_pruning, snip_pruning, random_pruning)


def chains(plan: Plan) -> list[Chain]:
    """Return the chains of a plan, learning-rate rewinding first."""
    pruned = [prune(plan.recipe, plan.levels, plan.prune) for prune in PRUNING]
    return [*pruned, extended_dense_training(plan.recipe, plan.levels)]


PAGE = Page("training_regularization", "pruning_and_longer_training", recipes.plan, chains)
