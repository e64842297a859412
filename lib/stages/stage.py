"""A chain of stages: the one idea behind every algorithm of the book.

A stage says where its weights come from, what is pruned, and which slice of the recipe's schedule is trained. Its key is
the hash of its parents' keys and its own description, so chains that share a beginning share its work.
"""

import hashlib
import json
from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import Field, field_validator

from lib.pruning.scores import find_score, score_identity
from lib.training import Precision, Recipe, Replicate
from lib.training.recipe import Description

NUMERICS_VERSION = (
    1  # raise it whenever the same description gives other numbers; the golden run in the tests asks for it
)


class Prune(Description):
    """Remove weights by score.

    Attributes:
        score: name of a score, see `lib.pruning.scores`.
        fraction: share of the remaining weights that is removed, inside (0, 1).
        scope: "global" or "layer".
    """

    score: str = "magnitude"
    fraction: Annotated[float, Field(gt=0, lt=1)] = 0.2
    scope: Literal["global", "layer"] = "global"

    @field_validator("score")
    @classmethod
    def _score_exists(cls, name: str) -> str:
        find_score(name)
        return name


class Stage(Description):
    """One stage of a chain.

    Attributes:
        start: "fresh" draws new weights, "previous" takes those of the stage before, "rewind" those of the
            first stage. Masks always come from the stage before.
        prune: what to remove before training; scored on the final weights of the stage before.
        from_epoch, to_epoch: slice of the recipe's schedule that is trained, with a fresh optimizer.
        level: how many times the chain has pruned, or lengthened training, up to here; None marks a preparation,
            which is not reported.
    """

    start: Literal["fresh", "previous", "rewind"]
    prune: Prune | None = None
    from_epoch: Annotated[int, Field(ge=0)]
    to_epoch: Annotated[int, Field(ge=0)]
    level: int | None = None


class Chain(Description):
    """An algorithm on a recipe: its stages, in order.

    Attributes:
        algorithm: name for tables and charts.
        recipe: how the benchmark is trained.
        stages: the first must start fresh.
    """

    algorithm: str
    recipe: Recipe
    stages: tuple[Stage, ...]

    @field_validator("stages")
    @classmethod
    def _possible(cls, stages: tuple[Stage, ...]) -> tuple[Stage, ...]:
        if not stages or stages[0].start != "fresh" or stages[0].prune is not None:
            raise ValueError("the first stage starts fresh and prunes nothing")
        for position, stage in enumerate(stages):
            if stage.to_epoch < stage.from_epoch:
                raise ValueError(
                    f"stage {position} ends at epoch {stage.to_epoch}, before it starts at {stage.from_epoch}"
                )
        return stages


def _digest(value: object) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True, separators=(",", ":")).encode()).hexdigest()[:32]


def recipe_hash(chains: Sequence[Chain]) -> str:
    """Return what a table's numbers depend on besides replicates: recipes, stages and the numerics version."""
    return _digest(
        [NUMERICS_VERSION, [chain.model_dump(mode="json", exclude_defaults=True) for chain in chains]]
    )


def stage_keys(chain: Chain, replicate: Replicate, precision: Precision) -> list[str]:
    """Return the key of every stage of a chain for one replicate.

    A level and an algorithm's name do not enter a key: they label a stage, they do not change it.
    """
    # Defaults are left out, so that a setting added later does not change the keys of what never used it.
    recipe = chain.recipe.model_dump(mode="json", exclude={"benchmark"}, exclude_defaults=True)
    root = _digest(
        [NUMERICS_VERSION, recipe, replicate.model_dump(mode="json", exclude_defaults=True), precision]
    )
    keys: list[str] = []
    for position, stage in enumerate(chain.stages):
        description = stage.model_dump(mode="json", exclude={"level"}, exclude_defaults=True)
        if stage.prune:
            description["prune"]["score"] = score_identity(stage.prune.score)
        parents = [keys[-1] if keys else root]
        if stage.start == "rewind":
            parents.append(keys[0])
        keys.append(_digest([parents, position, description]))
    return keys
