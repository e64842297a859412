"""The algorithms of the book as chains of stages (TR section 2, section 5.1, App. J; LN section 3; facts A.7, J9, J15).

All begin with the same two stages: fresh weights trained to the rewinding epoch t, then on to the end with a fresh
optimizer. That is the dense network, level 0. Level k follows from level k − 1; where levels do not follow from each other,
an algorithm is a family of chains, one a level, of which one reports the dense network.

An algorithm is named here, and nowhere else. Which weights go is a setting, `prune.score`; a score other than magnitude is
part of the name: `with_score(LEARNING_RATE_REWINDING, "snip")` is "learning-rate rewinding, SNIP score".
"""

from collections.abc import Sequence
from typing import Any, Literal

from lib.errors import InputError
from lib.stages.filter_events import FilterEvents
from lib.stages.stage import Chain, Prune, Stage, Subset
from lib.training import Recipe

LEARNING_RATE_REWINDING = "learning-rate rewinding"
WEIGHT_REWINDING = "weight rewinding"
REDENSE_TRAINING = "re-dense training"
EXTENDED_DENSE_TRAINING = "extended dense training"
FINE_TUNING = "fine-tuning"
ONE_SHOT = "one-shot pruning"
WIDTH_DOWNSCALING = "width down-scaling"
LONGER_WIDTH_DOWNSCALING = "longer width down-scaling"
CORRECT_EXAMPLES_ONLY = "correct examples only"
WITHOUT_IMPROVED_EXAMPLES = "without improved examples"
WITHOUT_RANDOM_EXAMPLES = "without random examples"
WITH_WORSENED_EXAMPLES = "with worsened examples"
WITH_RANDOM_EXAMPLES = "with random examples"
EARLY_TRAINING = "early training"

SHARE_LEFT_OUT = 0.2  # of the examples, TR App. D; another share is part of the name
WORSENED = {"share": 0.4, "added": 0.01}  # TR App. K.2: of 40 % of the examples, 1 % of all are chosen
SCORE_NAMES = {"snip": "SNIP", "synflow": "SynFlow"}  # as their papers write them


def with_score(algorithm: str, score: str) -> str:
    """Return the name of an algorithm that prunes by a score."""
    if score == "magnitude":
        return algorithm
    name = score.rpartition(":")[2]
    return f"{algorithm}, {SCORE_NAMES.get(name, name)} score"


def with_share(algorithm: str, share: float) -> str:
    """Return the name of an algorithm that leaves out a share of the examples."""
    return algorithm if share == SHARE_LEFT_OUT else f"{algorithm} ({100 * share:g} %)"


NAMES: tuple[str, ...] = (
    *(with_score(LEARNING_RATE_REWINDING, s) for s in ("magnitude", "synflow", "snip", "random")),
    *(with_score(WEIGHT_REWINDING, s) for s in ("magnitude", "gradient", "random")),
    REDENSE_TRAINING, EXTENDED_DENSE_TRAINING, FINE_TUNING, ONE_SHOT, WIDTH_DOWNSCALING, LONGER_WIDTH_DOWNSCALING,
    CORRECT_EXAMPLES_ONLY,
    *(with_share(WITHOUT_IMPROVED_EXAMPLES, share) for share in (SHARE_LEFT_OUT, 0.1)),
    *(with_share(WITHOUT_RANDOM_EXAMPLES, share) for share in (SHARE_LEFT_OUT, 0.1)),
    WITH_WORSENED_EXAMPLES, WITH_RANDOM_EXAMPLES, EARLY_TRAINING,
)  # fmt: skip
"""Those that pages of the book run, in the order of menus; a reader's own score makes another one."""


def learning_rate_rewinding(recipe: Recipe, levels: int, prune: Prune) -> Chain:
    """Prune, keep the weights, and train again with the schedule from epoch t on (Renda et al. 2020)."""
    stage = _to_the_end(recipe, "previous", prune)
    return _chain(with_score(LEARNING_RATE_REWINDING, prune.score), recipe, levels, stage)


def weight_rewinding(recipe: Recipe, levels: int, prune: Prune) -> Chain:
    """Prune, set the weights back to their values at the rewinding point, and train from there (Frankle et al. 2020).

    LN calls it lottery-ticket rewinding.
    """
    stage = _to_the_end(recipe, "rewind", prune)
    return _chain(with_score(WEIGHT_REWINDING, prune.score), recipe, levels, stage)


def redense_training(recipe: Recipe, levels: int, prune: Prune) -> list[Chain]:
    """Lift the masks of each level of weight rewinding and train all weights as long again, at the last learning rate.

    Pruned weights come back at zero, and the optimizer begins anew (LN section 3.3, facts N1).
    """
    again = Stage(start="previous", lift_masks=True, from_epoch=recipe.epochs, to_epoch=2 * recipe.epochs)
    name, sparse = with_score(REDENSE_TRAINING, prune.score), weight_rewinding(recipe, levels, prune).stages
    return [_reporting_last(name, recipe, (*sparse[: k + 2], again), k) for k in range(levels + 1)]


def extended_dense_training(recipe: Recipe, levels: int) -> Chain:
    """Train as long as learning-rate rewinding does, by the same replayed schedule, and prune nothing (TR section 5.1)."""
    return _chain(EXTENDED_DENSE_TRAINING, recipe, levels, _to_the_end(recipe, "previous"))


def fine_tuning(recipe: Recipe, levels: int, prune: Prune, epochs: int) -> Chain:
    """Prune, then train the last `epochs` of the schedule once more, at the learning rates that it ends with."""
    _check_epochs(recipe, epochs)
    stage = Stage(start="previous", prune=prune, from_epoch=recipe.epochs - epochs, to_epoch=recipe.epochs)
    return _chain(with_score(FINE_TUNING, prune.score), recipe, levels, stage)


def one_shot(recipe: Recipe, levels: int, prune: Prune) -> list[Chain]:
    """Prune the dense network once as far as each level goes, then train as learning-rate rewinding does (TR App. I).

    Raises:
        InputError: if `prune` says what to keep of all weights.
    """
    if prune.keep is not None:
        raise InputError(f"one_shot needs the fraction that a level removes, but keep={prune.keep} was given")
    name = with_score(ONE_SHOT, prune.score)
    shares = [prune.fraction, *(1 - (1 - prune.fraction) ** level for level in range(2, levels + 1))][:levels]
    once = [learning_rate_rewinding(recipe, 1, prune.but(fraction=share)).stages for share in shares]
    return _reporting_dense_once([_reporting_last(name, recipe, s, level) for level, s in enumerate(once, 1)])


def width_downscaling(recipe: Recipe, levels: int, factor: float = 0.8) -> list[Chain]:
    """Train dense networks whose layers are `factor` times as wide at each level (TR section 5.2, facts J6)."""
    narrow = [_narrower(recipe, factor, level) for level in range(levels + 1)]
    return [_reporting_last(WIDTH_DOWNSCALING, r, _dense(r), level) for level, r in enumerate(narrow)]


def longer_width_downscaling(recipe: Recipe, levels: int, factor: float = 0.8) -> list[Chain]:
    """Train narrower dense networks for as many steps, and by the same schedule, as one-shot pruning does (TR App. I)."""
    name, narrow = LONGER_WIDTH_DOWNSCALING, [_narrower(recipe, factor, k) for k in range(1, levels + 1)]
    longer = [extended_dense_training(r, 1) for r in narrow]
    family = [_reporting_last(name, one.recipe, one.stages, level) for level, one in enumerate(longer, 1)]
    return [Chain(algorithm=name, recipe=recipe, stages=_dense(recipe)), *family]


def correct_examples_only(recipe: Recipe, levels: int, prune: Prune) -> list[Chain]:
    """Train dense networks on what the sparse network of each level classifies correctly, for as many steps (TR App. E)."""
    name, rule = CORRECT_EXAMPLES_ONLY, {"rule": "correct", "equal_steps": True}
    return [_on_subset(name, recipe, level, prune, **rule) for level in range(levels + 1)]


def without_improved_examples(recipe: Recipe, levels: int, prune: Prune, share: float = SHARE_LEFT_OUT) -> list[Chain]:
    """Train dense networks without the share of examples whose loss each level improves most (TR App. D, TIE)."""
    name = with_share(WITHOUT_IMPROVED_EXAMPLES, share)
    return _on_subsets(name, recipe, levels, prune, rule="without_improved", share=share)


def without_random_examples(recipe: Recipe, levels: int, prune: Prune, share: float = SHARE_LEFT_OUT) -> list[Chain]:
    """Train dense networks without a random share of the examples, drawn anew for each level (TR App. D, RND)."""
    name = with_share(WITHOUT_RANDOM_EXAMPLES, share)
    return _on_subsets(name, recipe, levels, prune, rule="without_random", share=share)


def with_worsened_examples(recipe: Recipe, levels: int, prune: Prune) -> list[Chain]:
    """Train dense networks on 40 % of the examples, 1 % being those that each level worsens most (TR App. K.2)."""
    return _on_subsets(WITH_WORSENED_EXAMPLES, recipe, levels, prune, rule="with_worsened", **WORSENED)


def with_random_examples(recipe: Recipe, levels: int, prune: Prune) -> list[Chain]:
    """Train dense networks on the same 39 % of the examples and a random 1 % (TR App. K.2)."""
    return _on_subsets(WITH_RANDOM_EXAMPLES, recipe, levels, prune, rule="with_random", **WORSENED)


def pruning_while_training(algorithm: str, recipe: Recipe, events: FilterEvents | None) -> Chain:
    """Train once, and prune filters in between without a new start (GS); without events the dense network, level 0."""
    stage = Stage(start="fresh", filters=events, from_epoch=0, to_epoch=recipe.epochs, level=1 if events else 0)
    return Chain(algorithm=algorithm, recipe=recipe, stages=(stage,))


def prune_and_retrain(algorithm: str, recipe: Recipe, prune: Prune, keeps: Sequence[float]) -> Chain:
    """Prune to each share of all parameters in turn, and repeat the whole training after each cut (LIP Algorithm 1)."""
    dense = Stage(start="fresh", from_epoch=0, to_epoch=recipe.epochs, level=0)
    again = [
        dense.but(start="previous", prune=prune.but(keep=keep), level=level)
        for level, keep in enumerate(keeps, start=1)
    ]
    return Chain(algorithm=algorithm, recipe=recipe, stages=(dense, *again))


def early_training(recipe: Recipe, epochs: int) -> Chain:
    """Train the first epochs only: the networks whose errors make the EL2N score (TR App. B.3)."""
    _check_epochs(recipe, epochs)
    stage = Stage(start="fresh", from_epoch=0, to_epoch=epochs, level=0)
    return Chain(algorithm=EARLY_TRAINING, recipe=recipe, stages=(stage,))


def _dense(recipe: Recipe) -> tuple[Stage, ...]:
    return (
        Stage(start="fresh", from_epoch=0, to_epoch=recipe.rewind_epoch, to_step=recipe.rewind_step),
        _to_the_end(recipe, "previous").but(level=0),
    )


def _to_the_end(recipe: Recipe, start: Literal["previous", "rewind"], prune: Prune | None = None) -> Stage:
    """Train from the rewinding point to the end of the schedule."""
    epoch, step = recipe.rewind_epoch, recipe.rewind_step
    return Stage(start=start, prune=prune, from_epoch=epoch, from_step=step, to_epoch=recipe.epochs)


def _chain(algorithm: str, recipe: Recipe, levels: int, stage: Stage) -> Chain:
    """Append the same stage `levels` times to the dense network."""
    if levels < 0:
        raise InputError(f"levels={levels} must be 0 (dense only) or more")
    later = tuple(stage.but(level=level) for level in range(1, levels + 1))
    return Chain(algorithm=algorithm, recipe=recipe, stages=_dense(recipe) + later)


def _reporting_last(algorithm: str, recipe: Recipe, stages: tuple[Stage, ...], level: int) -> Chain:
    """Report the last stage only, as `level`."""
    silent = (stage.but(level=None) for stage in stages[:-1])
    return Chain(algorithm=algorithm, recipe=recipe, stages=(*silent, stages[-1].but(level=level)))


def _reporting_dense_once(family: list[Chain]) -> list[Chain]:
    """Report the dense network, the second stage of all, as level 0 of the first chain of a family."""
    if not family:
        return family
    first, dense, *rest = family[0].stages
    return [family[0].but(stages=(first, dense.but(level=0), *rest)), *family[1:]]


def _on_subset(algorithm: str, recipe: Recipe, level: int, prune: Prune, **subset: Any) -> Chain:
    """Prune `level` times by learning-rate rewinding, then train a new dense network on examples that this chose."""
    judges = learning_rate_rewinding(recipe, level, prune).stages
    chosen = Subset(judge=len(judges) - 1, **subset)
    at_start, to_end = _dense(recipe)
    if not (at_start.to_epoch or at_start.to_step):  # nothing comes before the rewinding point
        at_start, to_end = at_start.but(to_epoch=recipe.epochs), None
    training = [at_start.but(lift_masks=True, examples=chosen)]
    if to_end:
        training.append(to_end.but(examples=chosen))
    return _reporting_last(with_score(algorithm, prune.score), recipe, (*judges, *training), level)


def _on_subsets(algorithm: str, recipe: Recipe, levels: int, prune: Prune, **subset: Any) -> list[Chain]:
    """Return the family of `_on_subset` at every sparse level, and the dense network."""
    family = [_on_subset(algorithm, recipe, level, prune, **subset) for level in range(1, levels + 1)]
    return _reporting_dense_once(family)


def _narrower(recipe: Recipe, factor: float, level: int) -> Recipe:
    if not 0 < factor < 1:
        raise InputError(f"factor={factor}, the share of the width that a level keeps, must be inside (0, 1)")
    return recipe.but(width_scale=recipe.width_scale * factor**level)


def _check_epochs(recipe: Recipe, epochs: int) -> None:
    if not 0 < epochs <= recipe.epochs:
        raise InputError(f"epochs={epochs} must be between 1 and the length of the schedule, {recipe.epochs}")
