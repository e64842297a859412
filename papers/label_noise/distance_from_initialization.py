"""What the page on section 5 of LN measures of the way from initialization to sparse and re-dense networks (Figure 7)."""

from collections.abc import Iterator, Sequence

from lib.analysis.distance import distance_rows
from lib.analysis.epoch_errors import epoch_error_rows
from lib.analysis.pages import Page, RunChain
from lib.stages import Results
from lib.stages.experiment_plan import Plan
from papers.label_noise import recipes
from papers.label_noise.loss_landscape import chains


def quantities(plan: Plan, results: Sequence[Results], run: RunChain) -> Iterator[dict]:
    """Yield the distances of every network, and the best test errors that choose the sweet spots."""
    yield from epoch_error_rows(results)
    yield from distance_rows(results)


PAGE = Page("label_noise", "distance_from_initialization", recipes.plan, chains, quantities)
