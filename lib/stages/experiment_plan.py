"""A plan is what one page runs at one scale: a recipe, how far to prune, and which replicates.

Four scales (`lib.scales`), one code path. Replicates differ in seed and in what a paper varies: label noise, or *dimensions*
of its own, such as `dimensions=(("distribution", ("clean", "noisy")),)`. Their values enter every key and are read where
they act by `dict(replicate.dimensions)["distribution"]`.
"""

import itertools
from collections.abc import Iterable, Mapping
from typing import Annotated

from pydantic import Field

from lib.descriptions import Description
from lib.errors import InputError, unknown
from lib.scales import check_scale
from lib.stages.stage import Chain, Prune, stage_keys
from lib.training import Precision, Recipe, Replicate


class Plan(Description):
    """What to run.

    Attributes:
        recipe: how the benchmark is trained at this scale.
        prune: what each level removes.
        levels: how often; 21 levels of 20 % leave 0.92 % of the weights.
        width_factor: what each level keeps of the width of a network where width, not sparsity, makes it smaller.
        scoring_share: of the epochs, for which networks are trained whose errors score the examples (EL2N).
        seeds: the replicates at each noise level.
        noise_percents: noise levels.
        dimensions: name → values of what the paper varies besides; every combination is a replicate of each seed.
        precision: of the matrix products while training.
        largest_stack: most replicates trained together; None for all.
    """

    recipe: Recipe
    prune: Prune = Prune()
    levels: Annotated[int, Field(ge=0)]
    width_factor: Annotated[float, Field(gt=0, lt=1)] = 0.8
    scoring_share: Annotated[float, Field(gt=0, le=1)] = 0.1
    seeds: tuple[int, ...]
    noise_percents: tuple[float, ...] = (0.0,)
    dimensions: tuple[tuple[str, tuple[str | int | float, ...]], ...] = ()
    precision: Precision = "float32"
    largest_stack: Annotated[int, Field(gt=0)] | None = None

    def replicates(self) -> list[Replicate]:
        """Return seeds × noise levels × dimensions, all of a seed together."""
        named = [[(name, value) for value in values] for name, values in self.dimensions]
        return [
            Replicate(seed=seed, noise_percent=noise, dimensions=chosen)
            for seed in self.seeds
            for noise in self.noise_percents
            for chosen in itertools.product(*named)
        ]


def plan_keys(plan: Plan, chains: Iterable[Chain]) -> set[str]:
    """Return the keys of every stage of a plan's chains, for all its replicates."""
    return {key for c in chains for r in plan.replicates() for key in stage_keys(c, r, plan.precision)}


def find_plan(plans: Mapping[str, Mapping[str, Plan]], benchmark: str, scale: str, why_missing: str = "") -> Plan:
    """Return what a paper runs for a benchmark at a scale.

    Args:
        plans: of the paper, by benchmark and scale.
        benchmark, scale: which one.
        why_missing: a sentence for the error on why a benchmark may lack a scale, and what to do.

    Raises:
        InputError: if either is unknown, with the nearest name, or if the benchmark has no such scale.
    """
    if benchmark not in plans:
        raise unknown("benchmark", benchmark, plans)
    check_scale(scale)
    if scale not in plans[benchmark]:
        others = [name for name, scales in plans.items() if scale in scales]
        instead = f" At {scale} scale run {' or '.join(others)} instead." if others else ""
        why = f" {why_missing}" if why_missing else ""
        allowed = ", ".join(plans[benchmark])
        raise InputError(f"{benchmark} has no {scale} scale in this paper. Allowed: {allowed}.{why}{instead}")
    return plans[benchmark][scale]
