"""What the page on the re-dense training of LN section 5 runs: weight rewinding, then each level without its masks."""

from collections.abc import Iterator, Sequence

from lib.analysis.epoch_curves import epoch_curve_rows, levels_of_results
from lib.analysis.epoch_errors import epoch_error_rows
from lib.analysis.pages import Page, RunChain
from lib.stages import Results
from lib.stages.algorithms import redense_training, weight_rewinding
from lib.stages.experiment_plan import Plan
from lib.stages.stage import Chain
from papers.label_noise import recipes
from papers.label_noise.cases import WR

SUBSETS = ("test", "train_noisy", "train_original")
"""What LN-C13 speaks of, and the original examples beside it."""


def chains(plan: Plan) -> list[Chain]:
    """Return the chain of sparse networks, then one chain for each level whose masks are lifted."""
    asked = (plan.recipe, plan.levels, plan.prune)
    return [weight_rewinding(*asked), *redense_training(*asked)]


def quantities(plan: Plan, results: Sequence[Results], run: RunChain) -> Iterator[dict]:
    """Yield best test error and unsteadiness of every sparse network, which choose the telling levels; and the errors of
    every epoch at these levels, of the sparse networks and of what becomes of them."""
    yield from epoch_error_rows([one for one in results if one.chain.algorithm == WR])
    chosen = levels_of_results(results, WR)
    levels = {noise: set(found.values()) for noise, found in chosen.items()}
    yield from epoch_curve_rows(results, levels, SUBSETS)


PAGE = Page("label_noise", "redense_training", recipes.plan, chains, quantities, separable=True)
