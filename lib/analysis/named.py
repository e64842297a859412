"""Temporary: the algorithms by their new names, until branch `stages` is merged; then import `lib.stages.algorithms`.

`but(description, ...)` becomes `description.but(...)`.
"""

from typing import Any

from lib.analysis.convert import ALGORITHMS
from lib.stages import Chain, Prune, algorithms
from lib.training import Recipe

LEARNING_RATE_REWINDING = "learning-rate rewinding"
WEIGHT_REWINDING = "weight rewinding"
REDENSE_TRAINING = "re-dense training"
EXTENDED_DENSE_TRAINING = "extended dense training"
FINE_TUNING = "fine-tuning"
ONE_SHOT = "one-shot pruning"
WIDTH_DOWNSCALING = "width down-scaling"
LONGER_WIDTH_DOWNSCALING = "longer width down-scaling"
EARLY_TRAINING = "early training"
SCORE_NAMES = {"snip": "SNIP", "synflow": "SynFlow"}


def with_score(algorithm: str, score: str) -> str:
    return algorithm if score == "magnitude" else f"{algorithm}, {SCORE_NAMES.get(score, score)} score"


def but(description: Any, **changes: Any) -> Any:
    return description.model_copy(update=changes)


def _named(found: Any) -> Any:
    if isinstance(found, Chain):
        return but(found, algorithm=ALGORITHMS.get(found.algorithm, found.algorithm.replace("_", " ")))
    return [_named(chain) for chain in found]


def learning_rate_rewinding(recipe: Recipe, levels: int, prune: Prune) -> Chain:
    name = with_score(LEARNING_RATE_REWINDING, prune.score)
    return but(algorithms.learning_rate_rewinding(recipe, levels, prune), algorithm=name)


def weight_rewinding(recipe: Recipe, levels: int, prune: Prune) -> Chain:
    name = with_score(WEIGHT_REWINDING, prune.score)
    return but(algorithms.weight_rewinding(recipe, levels, prune), algorithm=name)


def __getattr__(name: str) -> Any:
    function = getattr(algorithms, name)
    return lambda *given, **settings: _named(function(*given, **settings))
