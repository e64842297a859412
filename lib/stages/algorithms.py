"""The algorithms of the book as chains of stages (TR section 2, section 5.1, App. J; facts A.7, J9, J15).

All begin with the same two stages: fresh weights trained to the rewinding epoch t, then on to the end with a fresh
optimizer. That is the dense network, level 0. Level k follows from level k − 1.
"""

import inspect
import sys

from lib.errors import InputError, unknown
from lib.stages.stage import Chain, Prune, Stage
from lib.training import Recipe


def _dense(recipe: Recipe) -> tuple[Stage, ...]:
    return (
        Stage(start="fresh", from_epoch=0, to_epoch=recipe.rewind_epoch),
        Stage(start="previous", from_epoch=recipe.rewind_epoch, to_epoch=recipe.epochs, level=0),
    )


def _chain(algorithm: str, recipe: Recipe, levels: int, stage: Stage) -> Chain:
    """Append the same stage `levels` times to the dense network."""
    if levels < 0:
        raise InputError(f"levels={levels} must be 0 (dense only) or more")
    later = tuple(stage.model_copy(update={"level": level}) for level in range(1, levels + 1))
    return Chain(algorithm=algorithm, recipe=recipe, stages=_dense(recipe) + later)


def learning_rate_rewinding(recipe: Recipe, levels: int, prune: Prune) -> Chain:
    """Prune, keep the weights, and train again with the schedule from epoch t on (Renda et al. 2020)."""
    stage = Stage(start="previous", prune=prune, from_epoch=recipe.rewind_epoch, to_epoch=recipe.epochs)
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
    """Prune, set the weights back to their values at epoch t, and train from there (Frankle et al. 2020)."""
    stage = Stage(start="rewind", prune=prune, from_epoch=recipe.rewind_epoch, to_epoch=recipe.epochs)
    return _chain("weight_rewinding", recipe, levels, stage)


def extended_dense_training(recipe: Recipe, levels: int) -> Chain:
    """Train as long as learning-rate rewinding does, by the same replayed schedule, and prune nothing (TR section 5.1)."""
    stage = Stage(start="previous", from_epoch=recipe.rewind_epoch, to_epoch=recipe.epochs)
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


def one_shot(recipe: Recipe, prune: Prune) -> Chain:
    """Prune the dense network once by the whole fraction, then train as learning-rate rewinding does."""
    return learning_rate_rewinding(recipe, 1, prune).model_copy(update={"algorithm": "one_shot"})


def find_algorithm(name: str):
    """Return the function of this module that builds the named algorithm's chain.

    Raises:
        InputError: if there is none of that name.
    """
    known = {
        n: f for n, f in inspect.getmembers(sys.modules[__name__], inspect.isfunction)
        if inspect.signature(f).return_annotation is Chain and not n.startswith("_")
    }  # fmt: skip
    if name not in known:
        raise unknown("algorithm", name, known)
    return known[name]
