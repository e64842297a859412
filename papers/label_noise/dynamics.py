"""What the page on the training dynamics of LN section 4 runs: weight rewinding by magnitude, watched epoch by epoch."""

from collections.abc import Iterator, Sequence

from lib.analysis.epoch_curves import epoch_curve_rows, levels_of_results
from lib.analysis.epoch_errors import epoch_error_rows
from lib.analysis.pages import Page, RunChain
from lib.stages import Results
from lib.stages.algorithms import weight_rewinding
from lib.stages.experiment_plan import Plan
from lib.stages.stage import Chain
from papers.label_noise import recipes
from papers.label_noise.cases import WR


def chains(plan: Plan) -> list[Chain]:
    """Return the one chain of a plan."""
    return [weight_rewinding(plan.recipe, plan.levels, plan.prune)]


def quantities(plan: Plan, results: Sequence[Results], run: RunChain) -> Iterator[dict]:
    """Yield best test error and unsteadiness of every network, and the errors of every epoch at the telling levels."""
    yield from epoch_error_rows(results)
    chosen = levels_of_results(results, WR)
    yield from epoch_curve_rows(results, {noise: set(found.values()) for noise, found in chosen.items()})


PAGE = Page("label_noise", "dynamics", recipes.plan, chains, quantities, separable=True)
