"""A plan is what one page runs at one scale: a recipe, how far to prune, and how many replicates.

Four scales, one code path: a scale changes numbers, never the algorithm. `short` is what a CPU does overnight in place of
`paper`: its data and networks, with fewer epochs, levels or replicates. Few plans have it.
"""

from collections.abc import Iterable, Sequence
from typing import Annotated, Literal, get_args

from pydantic import Field

from lib.errors import unknown
from lib.stages.stage import Chain, Prune, stage_keys
from lib.training import Precision, Recipe, Replicate
from lib.training.recipe import Description

Scale = Literal["smoke", "laptop", "short", "paper"]
SCALES: tuple[str, ...] = get_args(Scale)


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
        precision: of the matrix products while training.
        largest_stack: most replicates trained together; None for all.
    """

    recipe: Recipe
    prune: Prune = Prune()
    levels: Annotated[int, Field(ge=0)]
    width_factor: Annotated[float, Field(gt=0, lt=1)] = 0.8
    scoring_share: Annotated[float, Field(gt=0, le=1)] = 0.1
    seeds: tuple[int, ...]
    noise_percents: tuple[float, ...]
    precision: Precision = "float32"
    largest_stack: Annotated[int, Field(gt=0)] | None = None

    def replicates(self) -> list[Replicate]:
        """Return seeds × noise levels, all noise levels of a seed together."""
        return [Replicate(seed=s, noise_percent=n) for s in self.seeds for n in self.noise_percents]


def plan_keys(plan: Plan, chains: Iterable[Chain]) -> set[str]:
    """Return the keys of every stage of a plan's chains, for all its replicates."""
    return {key for c in chains for r in plan.replicates() for key in stage_keys(c, r, plan.precision)}


def check_scale(scale: str) -> None:
    """Raise InputError unless the scale is one of `SCALES`."""
    if scale not in SCALES:
        raise unknown("scale", scale, SCALES)


def check_benchmark(benchmark: str, known: Sequence[str]) -> None:
    """Raise InputError unless the benchmark is known."""
    if benchmark not in known:
        raise unknown("benchmark", benchmark, known)
