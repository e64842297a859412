"""What the page on appendix K.1 of TR runs: learning-rate rewinding, and the examples that it changes most and least."""

from lib.analysis.example_groups import scoring_networks
from lib.analysis.pages import Page
from lib.analysis.ranked_examples import rank_examples
from lib.stages.algorithms import learning_rate_rewinding
from lib.stages.experiment_plan import Plan
from lib.stages.stage import Chain
from papers.training_regularization import recipes


def chains(plan: Plan) -> list[Chain]:
    """Return the only chain of a plan."""
    return [learning_rate_rewinding(plan.recipe, plan.levels, plan.prune)]


PAGE = Page(
    "training_regularization", "examples_themselves", recipes.plan, chains, rank_examples, scoring_networks
)
