"""A plan is what one page runs at one scale: a recipe, how far to prune, and which replicates.

Four scales (`lib.scales`), one code path. Replicates differ in seed and in what a paper varies: label noise, or *dimensions*
of its own, such as `dimensions=(("distribution", ("clean", "noisy")),)`. Their values enter every key and are read where
they act by `dict(replicate.dimensions)["distribution"]`.
"""

import itertools
import math
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Annotated

from pydantic import Field

from lib.changes import Changes
from lib.data.image_sources import KNOWN
from lib.descriptions import Description
from lib.errors import InputError, unknown
from lib.pruning import find_score
from lib.pruning.filter_scores import find_filter_score
from lib.pruning.methods import check_method
from lib.pruning.scores import OF_ONE_ANSWER
from lib.scales import check_scale
from lib.stages.filter_events import TARGETS, FilterEvents
from lib.stages.stage import Chain, Prune, stage_keys
from lib.training import Precision, Recipe, Replicate


class Plan(Description):
    """What to run.

    Attributes:
        recipe: how the benchmark is trained at this scale.
        prune: what each level removes.
        levels: how often; 21 levels of 20 % leave 0.92 % of the weights.
        keeps: share of all parameters that each level leaves, at least `levels` of them; empty where `prune` says it.
        scores: pruning methods that are compared, see `lib.pruning.methods`; empty for the one of `prune`.
        width_factor: what each level keeps of the width of a network where width, not sparsity, makes it smaller.
        filters: events in which filters are pruned while networks train; a paper's chains vary them ...
        prunings: ... in target and epochs between events, pairs of them; empty for those of the page.
        noise_batches: for how many training batches noise acts in place of pruning ...
        restored_batches: ... and where values are put back after it.
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
    keeps: tuple[Annotated[float, Field(gt=0, lt=1)], ...] = ()
    scores: tuple[str, ...] = ()
    width_factor: Annotated[float, Field(gt=0, lt=1)] = 0.8
    filters: FilterEvents | None = None
    prunings: tuple[tuple[str, int], ...] = ()
    noise_batches: tuple[int, ...] = ()
    restored_batches: tuple[int, ...] = ()
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


SMALLEST_SHARE = 1e-4  # of the weights; with fewer left there is hardly a network
FEWEST_IMAGES = 100


def change(plan: Plan, changes: Changes) -> Plan:
    """Return the plan with what a reader changes of it.

    The epochs at which the learning rate drops and warms up, and the point to which is rewound, move in proportion to the
    schedule.

    Raises:
        InputError: for a value that cannot be run; the message says what was given, what is allowed, and what to do.
    """
    _check(plan, changes)
    recipe = plan.recipe
    if changes.images:
        everything = changes.images == _images_there(recipe)
        recipe = recipe.but(data={"train": None if everything else changes.images})
    if changes.epochs:
        ratio, last = changes.epochs / recipe.epochs, changes.epochs - 1
        warmup, rewind = (
            min(last, max(1, round(epoch * ratio))) if epoch else 0
            for epoch in (recipe.warmup_epochs, recipe.rewind_epoch)
        )
        drops = tuple(max(1, round(epoch * ratio)) for epoch in recipe.drop_epochs)
        recipe = recipe.but(epochs=changes.epochs, drop_epochs=drops, warmup_epochs=warmup, rewind_epoch=rewind)
    recipe = recipe.but(rewind_step=_moved_step(plan.recipe, recipe))
    cut = {"fraction": changes.fraction} if changes.fraction else {}
    if changes.score and plan.filters:
        plan = plan.but(filters=plan.filters.but(score=changes.score))
    elif changes.score:
        cut |= {"score": changes.score}
        plan = plan.but(scores=(changes.score,) if plan.scores else ())
    if plan.filters and (changes.target or changes.every):
        plan = plan.but(prunings=((changes.target or plan.filters.target, changes.every or plan.filters.every),))
    plain = {name: getattr(changes, name) for name in ("noise_percents", "seeds", "levels") if getattr(changes, name)}
    return plan.but(recipe=recipe, prune=plan.prune.but(**cut), **plain)


def _moved_step(before: Recipe, now: Recipe) -> int:
    """Return the step to which a changed schedule is rewound; in proportion to the epochs where images are not counted."""
    counts = [one.data.train or _images_there(one) for one in (before, now)]
    old, new = (
        one.epochs * -(-(count or 1) // one.batch_size) for one, count in zip((before, now), counts, strict=True)
    )
    if not all(counts):
        old, new = before.epochs, now.epochs
    moved = max(1, round(before.rewind_step * new / old)) if before.rewind_step else 0
    return min(moved, new - 1) if all(counts) else moved


def real_changes(plan: Plan, changes: Changes) -> Changes:
    """Return the changes without those that are as the plan has it; InputError as `change` raises it."""
    _check(plan, changes)
    as_planned = {
        "noise_percents": plan.noise_percents, "seeds": plan.seeds, "levels": plan.levels, "fraction": plan.prune.fraction,
        "score": plan.filters.score if plan.filters else plan.prune.score,
        "epochs": plan.recipe.epochs, "images": plan.recipe.data.train or _images_there(plan.recipe),
        "target": "", "every": 0,
    }  # fmt: skip
    given = changes.model_dump(exclude_defaults=True)
    return Changes(**{name: value for name, value in given.items() if value != as_planned[name]})


def _images_there(recipe: Recipe) -> int | None:
    """Return how many images could be trained on, None where only the set itself can tell."""
    data = recipe.data
    return KNOWN[data.image_set].shapes["train_images"][0] - data.validation if data.image_set in KNOWN else None


def check_each_once(what: str, given: Iterable[float]) -> None:
    """Raise InputError for the first value that is there twice."""
    if twice := [one for one, times in Counter(given).items() if times > 1]:
        raise InputError(f"{what} has {twice[0]:g} twice. Allowed: each value once.")


def _check(plan: Plan, changes: Changes) -> None:
    """Raise InputError for the first change that cannot be run."""
    wrong_noise = [one for one in changes.noise_percents if not 0 <= one <= 100]
    if wrong_noise:
        raise InputError(f"noise_percents has {wrong_noise[0]:g}. Allowed: shares of wrong labels from 0 to 100 %.")
    if wrong_seeds := [seed for seed in changes.seeds if seed < 0]:
        raise InputError(f"seeds has {wrong_seeds[0]}. Allowed: whole numbers from 0 on, one a replicate.")
    for name in ("noise_percents", "seeds"):
        check_each_once(name, getattr(changes, name))
    if changes.fraction and not 0 < changes.fraction < 1:
        allowed = "the share of the remaining weights that a level removes, above 0 and below 1"
        raise InputError(f"fraction is {changes.fraction:g}. Allowed: {allowed}; 0 for the plan's.")
    if changes.fraction and plan.prune.keep is not None:
        raise InputError(
            f"fraction is {changes.fraction:g}, but this plan says what to keep. Allowed: 0 for the plan's."
        )
    if changes.score:
        check = check_method if plan.prune.scope == "parameters" else find_score
        (find_filter_score if plan.filters else check)(changes.score)
        if plan.recipe.task == "segmentation" and changes.score in OF_ONE_ANSWER:
            raise InputError(
                f"score is {changes.score!r}, which asks for one answer an image, and {plan.recipe.network} gives one a "
                f"pixel. Allowed: any but {', '.join(OF_ONE_ANSWER)}."
            )
    _check_filters(plan, changes)
    for name in ("levels", "epochs", "images"):
        if getattr(changes, name) < 0:
            raise InputError(f"{name} is {getattr(changes, name)}. Allowed: 1 or more; 0 for the plan's.")
    if plan.keeps and changes.levels > len(plan.keeps):
        raise InputError(
            f"levels is {changes.levels}. Allowed: 1 to {len(plan.keeps)}, the shares that this plan keeps; 0 for all."
        )
    levels, kept = changes.levels or plan.levels, 1 - (changes.fraction or plan.prune.fraction)
    if (changes.levels or changes.fraction) and kept**levels < SMALLEST_SHARE:
        most = math.floor(math.log(SMALLEST_SHARE) / math.log(kept))
        left = f"{100 * kept**levels:.2g} % of the weights"
        raise InputError(
            f"{levels} levels that keep {100 * kept:.3g} % each leave {left}. Allowed: at most {most} levels of this "
            f"fraction, so that {100 * SMALLEST_SHARE:g} % are left; set a smaller fraction for more levels."
        )
    there = _images_there(plan.recipe)
    if changes.images and not FEWEST_IMAGES <= changes.images <= (there or math.inf):
        most = f" to {there:,}, which is all but the {plan.recipe.data.validation:,} for validation" if there else " on"
        raise InputError(f"images is {changes.images:,}. Allowed: from {FEWEST_IMAGES}{most}; 0 for the plan's.")
    if plan.recipe.task == "segmentation" and changes.images % plan.recipe.batch_size == 1:
        raise InputError(
            f"images is {changes.images:,}, which leaves one for the last batch of {plan.recipe.batch_size}; batch "
            f"normalization of its mean needs two. Allowed: {changes.images - 1:,} or {changes.images + 1:,}."
        )


def _check_filters(plan: Plan, changes: Changes) -> None:
    """Raise InputError where filters are asked for that the plan does not prune, or weights where it prunes filters."""
    events = plan.filters
    if events is None:
        for name, empty in (("target", '""'), ("every", "0")):
            if given := getattr(changes, name):
                raise InputError(f"{name} is {given!r}, but this page prunes weights. Allowed: {empty}.")
        return
    for name in ("levels", "fraction"):
        if given := getattr(changes, name):
            raise InputError(
                f"{name} is {given:g}, but this page prunes filters. Allowed: 0; set target or every instead."
            )
    if changes.target and changes.target not in TARGETS:
        raise unknown("target", changes.target, TARGETS)
    if changes.every and not 0 < changes.every < events.schedule:
        allowed = f"from 1 to {events.schedule - 1} epochs, counted in a schedule of {events.schedule}"
        raise InputError(f"every is {changes.every}. Allowed: {allowed}; 0 for the plan's.")


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
