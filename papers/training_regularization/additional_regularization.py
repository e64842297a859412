"""What the page on section 4 of TR runs: learning-rate rewinding under label noise."""

from lib.analysis.pages import Page
from lib.stages.algorithms import learning_rate_rewinding
from lib.stages.experiment_plan import Plan
from lib.stages.stage import Chain
from papers.training_regularization import recipes


def chains(plan: Plan) -> list[Chain]:
    """Return the chains of a plan."""
    return [learning_rate_rewinding(plan.recipe, plan.levels, plan.prune)]


PAGE = Page("training_regularization", "additional_regularization", recipes.plan, chains)
