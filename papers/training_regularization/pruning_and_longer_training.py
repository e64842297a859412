"""What the page on section 5.1 and appendices C and J of TR runs: six chains that share one dense network."""

from lib.analysis.pages import Page
from lib.stages.algorithms import (
    extended_dense_training,
    learning_rate_rewinding,
    weight_rewinding,
)
from lib.stages.experiment_plan import Plan
from lib.stages.stage import Chain
from papers.training_regularization import recipes

SCORES = ("synflow", "snip", "random")
"""Besides magnitude."""


def chains(plan: Plan) -> list[Chain]:
    """Return the chains of a plan, learning-rate rewinding first."""
    return [
        learning_rate_rewinding(plan.recipe, plan.levels, plan.prune),
        weight_rewinding(plan.recipe, plan.levels, plan.prune),
        *(learning_rate_rewinding(plan.recipe, plan.levels, plan.prune.but(score=s)) for s in SCORES),
        extended_dense_training(plan.recipe, plan.levels),
    ]


PAGE = Page("training_regularization", "pruning_and_longer_training", recipes.plan, chains)
