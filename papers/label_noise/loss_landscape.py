"""What the page on section 5 of LN measures around and between sparse and re-dense networks (Figures 5, 6 and 14)."""

from collections.abc import Iterator, Mapping, Sequence

from lib.analysis.chosen_levels import results_frame
from lib.analysis.epoch_errors import epoch_error_rows
from lib.analysis.landscape import find_surface, levels_looked_at
from lib.analysis.loss_path import Statistics, path_rows
from lib.analysis.loss_slice import slice_rows
from lib.analysis.pages import Page, RunChain
from lib.analysis.schema import QUANTITIES, tidy
from lib.stages import Results
from lib.stages.algorithms import redense_training, weight_rewinding
from lib.stages.experiment_plan import Plan
from lib.stages.stage import Chain
from papers.label_noise import recipes
from papers.label_noise.cases import REDENSE, WR

STATISTICS: Statistics = "interpolated"  # of normalization layers between two networks; or "recomputed"
SEEDS = 3  # replicates whose paths are kept, so that a committed table stays below a megabyte


def chains(plan: Plan) -> list[Chain]:
    """Return weight rewinding, and re-dense training from each of its levels."""
    asked = (plan.recipe, plan.levels, plan.prune)
    return [weight_rewinding(*asked), *redense_training(*asked)]


def quantities(plan: Plan, results: Sequence[Results], run: RunChain) -> Iterator[dict]:
    """Yield best test errors, then losses along paths and slices at the levels that these choose."""
    yield from epoch_error_rows(results)
    sparse = [one for one in results if one.chain.algorithm == WR]
    redense = [one for one in results if one.chain.algorithm == REDENSE]
    levels = chosen_levels(sparse, plan.noise_percents)
    trained_on = sparse[0].entries[0][0].record["device"]
    surface = find_surface(plan.recipe, plan.replicates(), trained_on)
    yield from path_rows(redense, levels, surface, plan.seeds[:SEEDS], STATISTICS)
    dense = [one for one in redense if one.chain.stages[-1].level == 0]
    yield from slice_rows([one for one in redense if one not in dense], levels, surface)
    yield from slice_rows([_up_to_dense(one) for one in sparse], dict.fromkeys(levels, (0,)), surface)


def chosen_levels(sparse: Sequence[Results], noise_percents: Sequence[float]) -> Mapping[float, list[int]]:
    """Return the levels to look at of weight rewinding by noise in percent, ascending and each once."""
    frame, best = results_frame(sparse), tidy(epoch_error_rows(sparse), QUANTITIES)
    return {noise: sorted(set(levels_looked_at(frame, best, WR, noise).values())) for noise in noise_percents}


def _up_to_dense(results: Results) -> Results:
    """Cut a chain after its dense network."""
    stages = results.chain.stages[:2]
    entries = tuple(row[:2] for row in results.entries)
    return Results(results.chain.but(stages=stages), results.replicates, entries)


PAGE = Page("label_noise", "loss_landscape", recipes.plan, chains, quantities)
