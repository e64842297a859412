"""What the page on appendices D, E and K.2 of TR runs: dense networks on the examples that pruning chooses."""

from lib.analysis.pages import Page
from lib.stages.algorithms import (
    correct_examples_only,
    learning_rate_rewinding,
    with_random_examples,
    with_worsened_examples,
    without_improved_examples,
    without_random_examples,
)
from lib.stages.experiment_plan import Plan
from lib.stages.stage import Chain
from papers.training_regularization import recipes

SHARES = (0.2, 0.1)  # left out, TR App. D
WORSENED = ("cifar10-resnet20", "cifar10-vgg16")
"""Where a sparse network generalizes better although it fits the training set worse, so that TR asks in App. K.2 what the
examples that it fits worse are worth."""


def chains(plan: Plan) -> list[Chain]:
    """Return the chains of a plan: pruning, then families of dense networks on part of the examples."""
    given = (plan.recipe, plan.levels, plan.prune)
    left_out = [
        family(*given, share)
        for share in SHARES
        for family in (without_improved_examples, without_random_examples)
    ]
    families = [*left_out, correct_examples_only(*given)]
    if plan.recipe.benchmark in WORSENED:
        families += [with_worsened_examples(*given), with_random_examples(*given)]
    return [learning_rate_rewinding(*given), *(chain for family in families for chain in family)]


PAGE = Page("training_regularization", "leaving_out_examples", recipes.plan, chains)
