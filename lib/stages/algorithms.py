"""The algorithms of the book as chains of stages (TR section 2, section 5.1, App. J; LN section 3; facts A.7, J9, J15).

All begin with the same two stages: fresh weights trained to the rewinding epoch t, then on to the end with a fresh
optimizer. That is the dense network, level 0. Level k follows from level k − 1; where levels do not follow from each other,
an algorithm is a family of chains, one a level, of which one reports the dense network.
"""

import inspect
import sys
from typing import Any, Literal

from lib.errors import InputError, unknown
from lib.stages.stage import Chain, Prune, Stage, Subset
from lib.training import Recipe


def _dense(recipe: Recipe) -> tuple[Stage, ...]:
    return (
        Stage(start="fresh", from_epoch=0, to_epoch=recipe.rewind_epoch, to_step=recipe.rewind_step),
        _to_the_end(recipe, "previous").model_copy(update={"level": 0}),
    )


def _to_the_end(recipe: Recipe, start: Literal["previous", "rewind"], prune: Prune | None = None) -> Stage:
    """Train from the rewinding point to the end of the schedule."""
    return Stage(
        start=start,
        prune=prune,
        from_epoch=recipe.rewind_epoch,
        from_step=recipe.rewind_step,
        to_epoch=recipe.epochs,
    )


def _chain(algorithm: str, recipe: Recipe, levels: int, stage: Stage) -> Chain:
    """Append the same stage `levels` times to the dense network."""
    if levels < 0:
        raise InputError(f"levels={levels} must be 0 (dense only) or more")
    later = tuple(stage.model_copy(update={"level": level}) for level in range(1, levels + 1))
    return Chain(algorithm=algorithm, recipe=recipe, stages=_dense(recipe) + later)


def learning_rate_rewinding(recipe: Recipe, levels: int, prune: Prune) -> Chain:
    """Prune, keep the weights, and train again with the schedule from epoch t on (Renda et al. 2020)."""
    stage = _to_the_end(recipe, "previous", prune)
    return _chain("learning_rate_rewinding", recipe, levels, stage)


def random_pruning(recipe: Recipe, levels: int, prune: Prune) -> Chain:
    """Learning-rate rewinding that removes weights at random (TR App. C and J.2)."""
    return _selecting("random", recipe, levels, prune)


def snip_pruning(recipe: Recipe, levels: int, prune: Prune) -> Chain:
    """Learning-rate rewinding that removes the weights with the smallest SNIP score (TR App. C)."""
    return _selecting("snip", recipe, levels, prune)


def synflow_pruning(recipe: Recipe, levels: int, prune: Prune) -> Chain:
    """Learning-rate rewinding that removes the weights with the smallest SynFlow score (TR App. C and J.2)."""
    return _selecting("synflow", recipe, levels, prune)


def _selecting(score: str, recipe: Recipe, levels: int, prune: Prune) -> Chain:
    chain = learning_rate_rewinding(recipe, levels, prune.model_copy(update={"score": score}))
    return chain.model_copy(update={"algorithm": f"{score}_pruning"})


def weight_rewinding(recipe: Recipe, levels: int, prune: Prune) -> Chain:
    """Prune, set the weights back to their values at the rewinding point, and train from there (Frankle et al. 2020).

    LN calls it lottery-ticket rewinding.
    """
    stage = _to_the_end(recipe, "rewind", prune)
    return _chain("weight_rewinding", recipe, levels, stage)


def weight_rewinding_gradient(recipe: Recipe, levels: int, prune: Prune) -> Chain:
    """Weight rewinding that removes the weights with the smallest |w ∂L/∂w| on one batch (LN section 3.2)."""
    return _rewinding("gradient", recipe, levels, prune, examples=recipe.batch_size)


def weight_rewinding_random(recipe: Recipe, levels: int, prune: Prune) -> Chain:
    """Weight rewinding that removes weights at random (LN section 3.2)."""
    return _rewinding("random", recipe, levels, prune)


def _rewinding(score: str, recipe: Recipe, levels: int, prune: Prune, **settings: int) -> Chain:
    chain = weight_rewinding(recipe, levels, prune.model_copy(update={"score": score, **settings}))
    return chain.model_copy(update={"algorithm": f"weight_rewinding_{score}"})


def redense_training(recipe: Recipe, levels: int, prune: Prune) -> list[Chain]:
    """Lift the masks of each level of weight rewinding and train all weights as long again, at the last learning rate.

    Pruned weights come back at zero, and the optimizer begins anew (LN section 3.3, facts N1).
    """
    again = Stage(start="previous", lift_masks=True, from_epoch=recipe.epochs, to_epoch=2 * recipe.epochs)
    sparse = weight_rewinding(recipe, levels, prune)
    return [
        Chain(
            algorithm="redense_training",
            recipe=recipe,
            stages=_report_last((*sparse.stages[: level + 2], again), level),
        )
        for level in range(levels + 1)
    ]


def extended_dense_training(recipe: Recipe, levels: int) -> Chain:
    """Train as long as learning-rate rewinding does, by the same replayed schedule, and prune nothing (TR section 5.1)."""
    stage = _to_the_end(recipe, "previous")
    return _chain("extended_dense_training", recipe, levels, stage)


def fine_tuning(recipe: Recipe, levels: int, prune: Prune, epochs: int) -> Chain:
    """Prune, then train the last `epochs` of the schedule once more, at the learning rates that it ends with."""
    if not 0 < epochs <= recipe.epochs:
        raise InputError(f"epochs={epochs} must be between 1 and the length of the schedule, {recipe.epochs}")
    stage = Stage(start="previous", prune=prune, from_epoch=recipe.epochs - epochs, to_epoch=recipe.epochs)
    return _chain("fine_tuning", recipe, levels, stage)


def from_scratch(recipe: Recipe, levels: int, prune: Prune) -> Chain:
    """Prune, draw new weights under the mask, and train by the whole schedule."""
    return _chain(
        "from_scratch",
        recipe,
        levels,
        Stage(start="fresh", prune=prune, from_epoch=0, to_epoch=recipe.epochs),
    )


def one_shot(recipe: Recipe, levels: int, prune: Prune) -> list[Chain]:
    """Prune the dense network once as far as each level goes, then train as learning-rate rewinding does (TR App. I)."""
    family = []
    for level in range(1, levels + 1):
        whole = prune.fraction if level == 1 else 1 - (1 - prune.fraction) ** level
        chain = learning_rate_rewinding(recipe, 1, prune.model_copy(update={"fraction": whole}))
        stages = _report_last(chain.stages, level)
        family.append(chain.model_copy(update={"algorithm": "one_shot", "stages": stages}))
    return _report_dense_once(family)


def width_downscaling(recipe: Recipe, levels: int, factor: float = 0.8) -> list[Chain]:
    """Train dense networks whose layers are `factor` times as wide at each level (TR section 5.2, facts J6)."""
    narrow = [_narrower(recipe, factor, level) for level in range(levels + 1)]
    return [
        Chain(algorithm="width_downscaling", recipe=r, stages=_report_last(_dense(r), level))
        for level, r in enumerate(narrow)
    ]


def longer_width_downscaling(recipe: Recipe, levels: int, factor: float = 0.8) -> list[Chain]:
    """Train narrower dense networks for as many steps, and by the same schedule, as one-shot pruning does (TR App. I)."""
    family = []
    for level in range(1, levels + 1):
        chain = extended_dense_training(_narrower(recipe, factor, level), 1)
        stages = _report_last(chain.stages, level)
        family.append(chain.model_copy(update={"algorithm": "longer_width_downscaling", "stages": stages}))
    return [Chain(algorithm="longer_width_downscaling", recipe=recipe, stages=_dense(recipe)), *family]


def correct_examples_only(recipe: Recipe, levels: int, prune: Prune) -> list[Chain]:
    """Train dense networks on what the sparse network of each level classifies correctly, for as many steps (TR App. E)."""
    return [
        _on_subset("correct_examples_only", recipe, level, prune, rule="correct", equal_steps=True)
        for level in range(levels + 1)
    ]


def without_improved_examples(recipe: Recipe, levels: int, prune: Prune, share: float = 0.2) -> list[Chain]:
    """Train dense networks without the share of examples whose loss each level improves most (TR App. D, TIE)."""
    return _leaving_out("improved", recipe, levels, prune, share)


def without_random_examples(recipe: Recipe, levels: int, prune: Prune, share: float = 0.2) -> list[Chain]:
    """Train dense networks without a random share of the examples, drawn anew for each level (TR App. D, RND)."""
    return _leaving_out("random", recipe, levels, prune, share)


def with_worsened_examples(recipe: Recipe, levels: int, prune: Prune) -> list[Chain]:
    """Train dense networks on 40 % of the examples, 1 % being those that each level worsens most (TR App. K.2)."""
    return _adding("worsened", recipe, levels, prune)


def with_random_examples(recipe: Recipe, levels: int, prune: Prune) -> list[Chain]:
    """Train dense networks on the same 39 % of the examples and a random 1 % (TR App. K.2)."""
    return _adding("random", recipe, levels, prune)


def early_training(recipe: Recipe, epochs: int) -> Chain:
    """Train the first epochs only: the networks whose errors make the EL2N score (TR App. B.3)."""
    if not 0 < epochs <= recipe.epochs:
        raise InputError(f"epochs={epochs} must be between 1 and the length of the schedule, {recipe.epochs}")
    stage = Stage(start="fresh", from_epoch=0, to_epoch=epochs, level=0)
    return Chain(algorithm="early_training", recipe=recipe, stages=(stage,))


def _narrower(recipe: Recipe, factor: float, level: int) -> Recipe:
    if not 0 < factor < 1:
        raise InputError(
            f"factor={factor} must be inside (0, 1): the share of the width that each level keeps"
        )
    return recipe.model_copy(update={"width_scale": recipe.width_scale * factor**level})


def _report_last(stages: tuple[Stage, ...], level: int) -> tuple[Stage, ...]:
    """Report the last stage only, as `level`."""
    silent = (stage.model_copy(update={"level": None}) for stage in stages[:-1])
    return (*silent, stages[-1].model_copy(update={"level": level}))


def _report_dense_once(family: list[Chain]) -> list[Chain]:
    """Report the dense network, the second stage of all, as level 0 of the first chain of a family."""
    if not family:
        return family
    stages = list(family[0].stages)
    stages[1] = stages[1].model_copy(update={"level": 0})
    return [family[0].model_copy(update={"stages": tuple(stages)}), *family[1:]]


def _on_subset(algorithm: str, recipe: Recipe, level: int, prune: Prune, **subset: Any) -> Chain:
    """Prune `level` times by learning-rate rewinding, then train a new dense network on examples that this chose."""
    judges = learning_rate_rewinding(recipe, level, prune).stages
    chosen = Subset(judge=len(judges) - 1, **subset)
    at_start, to_end = _dense(recipe)
    if not (at_start.to_epoch or at_start.to_step):  # nothing comes before the rewinding point
        at_start, to_end = at_start.model_copy(update={"to_epoch": recipe.epochs}), None
    training = [at_start.model_copy(update={"lift_masks": True, "examples": chosen})]
    if to_end:
        training.append(to_end.model_copy(update={"examples": chosen}))
    return Chain(algorithm=algorithm, recipe=recipe, stages=_report_last((*judges, *training), level))


def _leaving_out(what: str, recipe: Recipe, levels: int, prune: Prune, share: float) -> list[Chain]:
    name = f"without_{what}_examples" + ("" if share == 0.2 else f"_{100 * share:g}_percent")
    return _report_dense_once(
        [
            _on_subset(name, recipe, level, prune, rule=f"without_{what}", share=share)
            for level in range(1, levels + 1)
        ]
    )


def _adding(what: str, recipe: Recipe, levels: int, prune: Prune) -> list[Chain]:
    return _report_dense_once(
        [
            _on_subset(
                f"with_{what}_examples", recipe, level, prune, rule=f"with_{what}", share=0.4, added=0.01
            )
            for level in range(1, levels + 1)
        ]
    )


def find_algorithm(name: str):
    """Return the function of this module that builds the named algorithm's chain, or family of chains.

    Raises:
        InputError: if there is none of that name.
    """
    known = {
        n: f for n, f in inspect.getmembers(sys.modules[__name__], inspect.isfunction)
        if inspect.signature(f).return_annotation in (Chain, list[Chain]) and not n.startswith("_")
    }  # fmt: skip
    if name not in known:
        raise unknown("algorithm", name, known)
    return known[name]
